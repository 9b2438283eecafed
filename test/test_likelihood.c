/*
 * test_likelihood.c - values, gradients and Hessians of the likelihoods against the published
 * formulas written down plainly in long double, and their differences; stopping; the change of
 * unit.
 */
#include "support.h"

#include <math.h>
#include <string.h>

#include "math/model_kind.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

typedef long double Real;

/* ---- the formulas as published --------------------------------------------------------------- */

/*
 * log of the product over j = 0 .. n-1 of (b + j) / (c + step j): differences of lgammal() would
 * lose the digits that the second differences below need.
 */
static Real
log_product(Real b, Real c, Real step, Real n)
{
	Real		sum = 0;
	Real		product = 1;

	for (Real j = 0; j < n; j++)
	{
		product *= (b + j) / (c + step * j);
		if (product > 1e200L || product < 1e-200L)
		{
			sum += logl(product);
			product = 1;
		}
	}
	return sum + logl(product);
}

/*
 * Fader, Hardie and Lee 2005, equation 6, on the log scale, with n chances to leave and k events to a purchase:
 * B(a, b+n) / B(a, b) = (b)_n / (a+b)_n, B(a+1, b+n-1) / B(a, b) = a (b)_(n-1) / (a+b)_n.
 */
static Real
beta_geometric_reference(const double *row, const Real *theta, Real n, Real k)
{
	Real		r = theta[0];
	Real		alpha = theta[1];
	Real		a = theta[2];
	Real		b = theta[3];
	Real		x = row[0];
	Real		age = alpha + row[2];
	Real		silent = (row[2] - (Real) row[1]) / age;
	Real		alive = 1;		/* some of the events to the next purchase have passed */
	Real		term = 1;
	Real		log_ending;

	for (Real j = 1; j < k; j++)
		alive += term *= (r + k * x + j - 1) / j * silent;
	log_ending = logl(alive);
	if (n > 0)
	{
		Real		log_dead = logl(a / (b + n - 1)) + (r + k * x) * logl(age / (alpha + row[1]));

		log_ending = log_dead > 5000 ? log_dead : logl(alive + expl(log_dead));
	}
	return log_product(r, age, 0, k * x) + r * logl(alpha / age) + log_product(b, a + b, 1, n) + log_ending -
		   x * lgammal(k);
}

static Real
bgnbd_reference(const double *row, const Real *theta)
{
	return beta_geometric_reference(row, theta, row[0], 1);
}

static Real
mbgnbd_reference(const double *row, const Real *theta)
{
	return beta_geometric_reference(row, theta, row[0] + 1, 1);
}

static Real
bgcnbd_reference(const double *row, const Real *theta)
{
	return beta_geometric_reference(row, theta, row[0], theta[4]);
}

static Real
mbgcnbd_reference(const double *row, const Real *theta)
{
	return beta_geometric_reference(row, theta, row[0] + 1, theta[4]);
}

/* Fader and Hardie, note 025, equation 1a */
static Real
gamma_gamma_reference(const double *row, const Real *theta)
{
	Real		px = theta[0] * row[0];
	Real		q = theta[1];
	Real		v = theta[2];

	return lgammal(px + q) - lgammal(px) - lgammal(q) + q * logl(v) + (px - 1) * logl(row[1]) +
		   px * logl(row[0]) - (px + q) * logl(row[0] * (Real) row[1] + v);
}

/* log B(a+x, b+y) / B(a, b) */
static Real
log_beta(Real a, Real b, Real x, Real y)
{
	return log_product(a, a + b, 1, x) + log_product(b, a + b + x, 1, y);
}

/* Fader, Hardie and Shang 2010, equation 2, without the log */
static Real
bgbb_reference(const double *row, const Real *theta)
{
	Real		x = row[0];
	Real		alive = log_beta(theta[0], theta[1], x, row[2] - x) + log_beta(theta[2], theta[3], 0, row[2]);
	Real		sum = 1;

	for (Real k = row[1]; k < row[2]; k++)
		sum += expl(log_beta(theta[0], theta[1], x, k - x) + log_beta(theta[2], theta[3], 1, k) - alive);
	return alive + logl(sum);
}

/* Fader and Hardie 2007, equations 5 and 6; over survival until entry */
static Real
sbg_reference(const double *row, const Real *theta)
{
	Real		value = log_beta(theta[0], theta[1], row[2], row[1] - row[2]);

	return value - log_beta(theta[0], theta[1], 0, row[0]);
}

/* log B(a, b + t^c) / B(a, b) */
static Real
log_survival(const Real *theta, Real t)
{
	Real		w = t > 0 ? powl(t, theta[2]) : 0;

	return lgammal(theta[1] + w) - lgammal(theta[1]) - lgammal(theta[0] + theta[1] + w) + lgammal(theta[0] + theta[1]);
}

/* Fader et al. 2018 */
static Real
bdw_reference(const double *row, const Real *theta)
{
	Real		value = log_survival(theta, row[1] - row[2]) - log_survival(theta, row[0]);

	if (row[2] > 0)
		value += logl(-expm1l(log_survival(theta, row[1]) - log_survival(theta, row[1] - 1)));
	return value;
}

typedef Real (*Reference) (const double *row, const Real *theta);

static Real
reference_value(Reference reference, const Rows *rows, const Real *theta)
{
	Real		sum = 0;

	for (size_t i = 0; i < rows->n; i++)
		sum += rows_at(rows, i)[rows->ncols] * reference(rows_at(rows, i), theta);
	return sum;
}

/* central difference of sixth order in log(theta_i); recursive for the second derivative */
static Real
difference(Reference reference, const Rows *rows, const Real *theta, int i, int j, Real h)
{
	static const Real weight[] = {45.0L / 60, -9.0L / 60, 1.0L / 60};
	Real		moved[BTYD_MAX_PARAMS];
	Real		sum = 0;

	memcpy(moved, theta, sizeof(moved));
	for (int k = 1; k <= 3; k++)
		for (int sign = -1; sign <= 1; sign += 2)
		{
			moved[i] = theta[i] * expl(sign * k * h);
			sum += sign * weight[k - 1] *
				   (j < 0 ? reference_value(reference, rows, moved)
						  : difference(reference, rows, moved, j, -1, h));
		}
	return sum / h;
}

/*
 * Value, gradient and Hessian in log(theta) against the reference. The differences carry an error
 * of the reference's own rounding, about |value| eps / h^2, which the tolerances of the Hessian
 * allow for.
 */
static void
check_derivatives(const ModelKind *model, Reference reference, const Rows *rows,
				  const double *theta, Real h)
{
	int			n = model->nparams - model->counts_phases;
	double		grad[BTYD_MAX_PARAMS];
	double		hess[BTYD_MAX_PARAMS * BTYD_MAX_PARAMS];
	double		value = model->log_likelihood(rows, theta, grad, hess, NULL);
	Real		real[BTYD_MAX_PARAMS] = {0};

	for (int i = 0; i < model->nparams; i++)
		real[i] = theta[i];

	Real		exact = reference_value(reference, rows, real);
	double		rounding = 10 * (1 + fabsl(exact)) * 1e-19;

	assert_relative(value, exact, 1e-13);
	assert_true(value == model->log_likelihood(rows, theta, NULL, NULL, NULL));
	for (int i = 0; i < n; i++)
	{
		Real		slope = difference(reference, rows, real, i, -1, h);

		assert_near(theta[i] * grad[i], slope, 1e-9 * fabsl(slope) + rounding / h + 1e-10);
		for (int j = 0; j < n; j++)
		{
			double		bend = theta[i] * theta[j] * hess[i * n + j];
			Real		curve = difference(reference, rows, real, i, j, h);

			if (i == j)
				bend += theta[i] * grad[i];
			assert_near(bend, curve, 1e-8 * fabsl(curve) + rounding / (h * h) + 1e-9);
		}
	}
}

/* ---- stopping after some polls ---------------------------------------------------------------- */

typedef struct Patience
{
	int			polls;
	int			stop_at;		/* 0: never */
} Patience;

static bool
out_of_patience(void *arg)
{
	Patience   *patience = arg;

	return ++patience->polls == patience->stop_at;
}

/* ---- BG/NBD ---------------------------------------------------------------------------------- */

static const double timing_rows[][4] = {
	{0, 0, 0, 3},
	{0, 0, 12.5, 1},
	{0, 0, 39, 200},
	{1, 0.14285714285714285, 39, 7},
	{1, 1.71, 38.86, 40},
	{1, 38.86, 38.86, 2},
	{2, 30.43, 38.86, 11},
	{2, 30.43, 39, 1},
	{7, 5, 35, 3},
	{26, 30.86, 31, 1},
	{33, 20, 31, 1},
	{81, 77.5, 78, 1},
};

static const double heavy_rows[][4] = {
	{0, 0, 78, 10},
	{400, 38, 39, 1},
	{3000, 10, 78, 1},			/* log q above 5,000 */
	{3000, 38.9, 39, 1},
	{3000, 39, 39, 2},
};

static const double bgnbd_points[][4] = {
	{0.2425945, 4.413602, 0.792922, 2.425907},
	{1, 1, 1, 1},
	{0.55, 10.6, 1 + 1e-14, 2.5},
	{0.01, 0.05, 0.01, 0.02},
	{30, 100, 5, 1e5},
	{2.5, 400, 2000, 0.3},
};

static const ModelKind *const nbd_models[] = {&bgnbd_model, &mbgnbd_model};
static const Reference nbd_references[] = {bgnbd_reference, mbgnbd_reference};
static const ModelKind *const cnbd_models[] = {&bgcnbd_model, &mbgcnbd_model};
static const Reference cnbd_references[] = {bgcnbd_reference, mbgcnbd_reference};

/*
 * Without and with phases: k = 1 is the model without. The reference multiplies k x numbers and loses digits to that.
 */
static void
check_beta_geometric(const Rows *rows, int max_k, Real h)
{
	for (size_t i = 0; i < LENGTH(bgnbd_points); i++)
		for (int m = 0; m < 2; m++)
		{
			double		theta[BTYD_MAX_PARAMS];
			double		grad[2][4];
			double		hess[2][16];

			check_derivatives(nbd_models[m], nbd_references[m], rows, bgnbd_points[i], h);
			memcpy(theta, bgnbd_points[i], sizeof(bgnbd_points[i]));
			for (int k = 2; k <= max_k; k = k < 3 ? k + 1 : 4 * k)
			{
				theta[4] = k;
				check_derivatives(cnbd_models[m], cnbd_references[m], rows, theta, h);
			}
			theta[4] = 1;
			assert_true(nbd_models[m]->log_likelihood(rows, theta, grad[0], hess[0], NULL) ==
						cnbd_models[m]->log_likelihood(rows, theta, grad[1], hess[1], NULL));
			assert_memory_equal(grad[0], grad[1], sizeof(grad[0]));
			assert_memory_equal(hess[0], hess[1], sizeof(hess[0]));
		}
}

static void
test_beta_geometric_derivatives(void **state)
{
	Rows		rows = {LENGTH(timing_rows), 3, timing_rows[0]};

	(void) state;
	check_beta_geometric(&rows, 50, 0x1p-11L);
}

static void
test_beta_geometric_derivatives_heavy_buyers(void **state)
{
	Rows		rows = {LENGTH(heavy_rows), 3, heavy_rows[0]};

	(void) state;
	check_beta_geometric(&rows, 3, 0x1p-16L);
}

/*
 * The constants that make different k comparable: the times between purchases enter by the sum of their logarithms,
 * without which k > 1 has no likelihood.
 */
static void
test_log_gaps(void **state)
{
	static const double theta[] = {.5, 4, .8, 2, 3};
	Rows		rows = {LENGTH(timing_rows), 3, timing_rows[0]};

	(void) state;
	for (int m = 0; m < 2; m++)
	{
		double		value = cnbd_models[m]->log_likelihood(&rows, theta, NULL, NULL, NULL);
		const char *reason;
		const char *hint;

		assert_false(cnbd_models[m]->undetermined(&rows, &reason, &hint));
		rows.log_gaps = 7.25;
		assert_relative(cnbd_models[m]->log_likelihood(&rows, theta, NULL, NULL, NULL), value + 2 * 7.25, 1e-15);
		rows.log_gaps = NAN;
		assert_true(cnbd_models[m]->undetermined(&rows, &reason, &hint));
		assert_non_null(strstr(reason, "times between purchases"));
		assert_false(nbd_models[m]->undetermined(&rows, &reason, &hint));
		rows.log_gaps = 0;
	}
}

/* In units of c days the density of each purchase time is c times as high. */
static void
test_bgnbd_change_of_unit(void **state)
{
	Sample		days;
	Sample		weeks;
	double		purchases = 0;

	(void) state;
	sample_init(&days, 3);
	sample_init(&weeks, 3);
	for (size_t i = 0; i < LENGTH(timing_rows); i++)
	{
		const double *row = timing_rows[i];
		double		in_weeks[] = {row[0], row[1] / 7, row[2] / 7};

		sample_add(&days, row, row[3]);
		sample_add(&weeks, in_weeks, row[3]);
		purchases += row[0] * row[3];
	}
	for (size_t i = 0; i < LENGTH(bgnbd_points); i++)
	{
		const double *theta = bgnbd_points[i];
		double		in_weeks[] = {theta[0], theta[1] / 7, theta[2], theta[3]};

		assert_relative(bgnbd_model.log_likelihood(&weeks.rows, in_weeks, NULL, NULL, NULL),
						bgnbd_model.log_likelihood(&days.rows, theta, NULL, NULL, NULL) +
							purchases * log(7), 1e-13);
	}
	sample_free(&days);
	sample_free(&weeks);
}

/* Folding equal rows changes nothing but the order of the sum. */
static void
test_counts(void **state)
{
	Sample		single;
	Rows		folded = {LENGTH(timing_rows), 3, timing_rows[0]};

	(void) state;
	sample_init(&single, 3);
	for (size_t i = 0; i < LENGTH(timing_rows); i++)
		for (int k = 0; k < timing_rows[i][3]; k++)
			sample_add(&single, timing_rows[i], 1);
	assert_relative(bgnbd_model.log_likelihood(&single.rows, bgnbd_points[0], NULL, NULL, NULL),
					bgnbd_model.log_likelihood(&folded, bgnbd_points[0], NULL, NULL, NULL), 1e-14);
	sample_free(&single);
}

/* ---- gamma-gamma ----------------------------------------------------------------------------- */

static const double spend_rows[][3] = {
	{1, 0.01, 1},
	{1, 11.77, 30},
	{1, 506.97, 2},
	{2, 22.35, 12},
	{7, 73.74, 5},
	{26, 44.93, 1},
	{3000, 35.1, 1},
};

static const double gamma_gamma_points[][3] = {
	{6.249572, 3.744225, 15.44352},
	{1, 1, 1},
	{0.05, 0.02, 1e-3},
	{300, 2, 0.4},
	{2, 5000, 90000},
};

static void
test_gamma_gamma_derivatives(void **state)
{
	Rows		rows = {LENGTH(spend_rows), 2, spend_rows[0]};

	(void) state;
	for (size_t i = 0; i < LENGTH(gamma_gamma_points); i++)
		check_derivatives(&gamma_gamma_model, gamma_gamma_reference, &rows, gamma_gamma_points[i],
						  0x1p-7L);
}

/* ---- BG/BB ----------------------------------------------------------------------------------- */

static const double opportunity_rows[][4] = {
	{0, 0, 0, 2},
	{0, 0, 1, 5},
	{0, 0, 6, 3464},
	{1, 1, 6, 1091},
	{1, 1, 7, 10},
	{1, 6, 6, 120},
	{3, 4, 6, 99},
	{6, 6, 6, 1203},
	{7, 40, 52, 3},
	{30, 30, 52, 1},
	{52, 52, 52, 2},
};

static const double bgbb_points[][4] = {
	{1.20352239, .74971636, .65671817, 2.78344198},
	{1, 1, 1, 1},
	{.01, .02, .05, .01},
	{30, 5, 1e-4, 3},
	{2, 300, 40, 9},
	{.3, 1e-3, 20, 4000},
};

static void
test_bgbb_derivatives(void **state)
{
	Rows		rows = {LENGTH(opportunity_rows), 3, opportunity_rows[0]};

	(void) state;
	for (size_t i = 0; i < LENGTH(bgbb_points); i++)
		check_derivatives(&bgbb_model, bgbb_reference, &rows, bgbb_points[i], 0x1p-9L);
}

/* Odds of being dead above 1e200, at most points: the sums are scaled down. */
static void
test_bgbb_derivatives_certainly_dead(void **state)
{
	static const double gone[][4] = {{360, 360, 720, 1}};
	Rows		rows = {LENGTH(gone), 3, gone[0]};

	(void) state;
	for (size_t i = 0; i < LENGTH(bgbb_points); i++)
		check_derivatives(&bgbb_model, bgbb_reference, &rows, bgbb_points[i], 0x1p-9L);
}

/* A row of many opportunities is much work: it is the work that is polled for, a million steps or so at a time. */
static void
test_bgbb_stopping(void **state)
{
	Sample		sample;

	(void) state;
	sample_init(&sample, 3);
	for (int i = 0; i < 200; i++)
		sample_add(&sample, (const double[]) {1 + i, 1 + i, 20000}, 1);
	for (int stop_at = 1; stop_at <= 3; stop_at++)
	{
		Patience	patience = {0, stop_at};
		FitStop		stop = {out_of_patience, &patience};

		assert_true(isnan(bgbb_model.log_likelihood(&sample.rows, bgbb_points[0], NULL, NULL, &stop)));
		assert_int_equal(patience.polls, stop_at);
	}
	sample_free(&sample);
}

/* ---- renewals -------------------------------------------------------------------------------- */

static const double renewal_rows[][4] = {
	{0, 0, 0, 4},
	{0, 1, 1, 369},
	{0, 2, 1, 163},
	{0, 7, 0, 241},
	{0, 7, 1, 21},
	{3, 3, 0, 2},
	{3, 4, 1, 30},
	{3, 9, 0, 12},
	{24, 60, 0, 3},
	{24, 60, 1, 1},
};

static const double renewal_points[][3] = {
	{.704, 1.182, 1},
	{.2594, 1.7226, 1.584},
	{1, 1, .5},
	{20, 3, .8},
	{.05, .02, 1.1},
	{3, 120, 2.2},
};

static void
test_renewal_derivatives(void **state)
{
	Rows		rows = {LENGTH(renewal_rows), 3, renewal_rows[0]};

	(void) state;
	for (size_t i = 0; i < LENGTH(renewal_points); i++)
	{
		check_derivatives(&sbg_model, sbg_reference, &rows, renewal_points[i], 0x1p-9L);
		check_derivatives(&bdw_model, bdw_reference, &rows, renewal_points[i], 0x1p-7L);
	}
}

/* ---- stopping -------------------------------------------------------------------------------- */

static void
check_stopping(const ModelKind *model, const double *theta, Sample *sample, int polls)
{
	for (int stop_at = 0; stop_at <= polls; stop_at++)
	{
		Patience	patience = {0, stop_at};
		FitStop		stop = {out_of_patience, &patience};
		double		value = model->log_likelihood(&sample->rows, theta, NULL, NULL, &stop);

		assert_true(isnan(value) == (stop_at > 0));
		assert_int_equal(patience.polls, stop_at > 0 ? stop_at : polls);
	}
}

/* once every 4,096 rows, in long runs of equal x and in short ones */
static void
test_stopping(void **state)
{
	Sample		timing;
	Sample		spend;

	(void) state;
	sample_init(&timing, 3);
	sample_init(&spend, 2);
	for (int i = 0; i < 5 * 4096; i++)
	{
		double		row[] = {i < 3 * 4096 ? 1 : i, 0.001 * (i + 1), 100};

		sample_add(&timing, row, 1);
		sample_add(&spend, row, 1);
	}
	check_stopping(&bgnbd_model, bgnbd_points[0], &timing, 4);
	check_stopping(&gamma_gamma_model, gamma_gamma_points[0], &spend, 4);
	sample_free(&timing);
	sample_free(&spend);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_beta_geometric_derivatives),
		cmocka_unit_test(test_beta_geometric_derivatives_heavy_buyers),
		cmocka_unit_test(test_log_gaps),
		cmocka_unit_test(test_bgnbd_change_of_unit),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_gamma_gamma_derivatives),
		cmocka_unit_test(test_bgbb_derivatives),
		cmocka_unit_test(test_bgbb_derivatives_certainly_dead),
		cmocka_unit_test(test_bgbb_stopping),
		cmocka_unit_test(test_renewal_derivatives),
		cmocka_unit_test(test_stopping),
	};

	return cmocka_run_group_tests_name("likelihood", tests, NULL, NULL);
}
