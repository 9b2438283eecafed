/*
 * test_pareto_nbd.c - the Pareto/NBD model: golden maxima and predictions, quadrature references
 * (reference/pareto_nbd.csv, see reference/make_pareto_nbd), derivatives, limits, and the model against itself.
 */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "math/fit.h"
#include "math/inference.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const ModelKind *const model = &pareto_nbd_model;

static double
log_likelihood_of(const double *theta, const Customer *c)
{
	const double row[] = {c->x, c->t_x, c->t_cal, 1};
	const Rows	rows = {1, 3, row};

	return model->log_likelihood(&rows, theta, NULL, NULL, NULL);
}

/* ---- references ------------------------------------------------------------------------------ */

enum Column
{
	R_, ALPHA, S_, BETA, X, T_X, T_CAL, T, DELTA, N, LOG_LIKELIHOOD, P_ALIVE, P_ALIVE_AT_T, EXPECTED, SILENCE, P1, PN,
	DISCOUNTED,
	COLUMNS
};

static const char *const column_names[COLUMNS] = {
	"r", "alpha", "s", "beta", "x", "t_x", "t_cal", "t", "delta", "n", "log-likelihood", "P(alive)", "P(alive at t)",
	"expected purchases", "silence", "P(1)", "P(n)", "discounted purchases"};

static double
predict(const double *row, int column)
{
	const double *theta = row;
	Customer	c = {row[X], row[T_X], row[T_CAL]};

	switch (column)
	{
		case LOG_LIKELIHOOD:
			return log_likelihood_of(theta, &c);
		case P_ALIVE:
			return model->p_alive(theta, &c, 0);
		case P_ALIVE_AT_T:
			return model->p_alive(theta, &c, row[T]);
		case EXPECTED:
			return model->expected_purchases(theta, &c, row[T]);
		case SILENCE:
			return model->silence(theta, &c, row[T]);
		case P1:
			return model->purchase_probability(theta, &c, 1, row[T]);
		case PN:
			return model->purchase_probability(theta, &c, row[N], row[T]);
		case DISCOUNTED:
			return model->discounted_purchases(theta, &c, row[DELTA], row[T]);
		default:
			return NAN;
	}
}

static void
test_references(void **state)
{
	(void) state;
	check_references("reference/pareto_nbd.csv", column_names, LOG_LIKELIHOOD, COLUMNS, predict, 101);
}

/* ---- golden numbers -------------------------------------------------------------------------- */

static void
assert_maximum(const Rows *rows, const FitResult *fit)
{
	double		grad[BTYD_MAX_PARAMS];

	assert_int_equal(fit->status, FIT_CONVERGED);
	assert_null(fit->reason);
	assert_true(fit->log_likelihood == model->log_likelihood(rows, fit->theta, grad, NULL, NULL));
	for (int i = 0; i < model->nparams; i++)
	{
		double		variance = fit->covariance[i * (model->nparams + 1)];

		assert_true(variance > 0);
		assert_near(fit->theta[i] * grad[i] * sqrt(variance), 0, 1e-6);
	}
}

/* Newton's method to a gradient below 1e-10, by another implementation */
static void
test_cdnow_exact(void **state)
{
	static const double theta[] = {.5532770469, 10.5776834633, .6062399891, 11.6687352889};
	static const double std_error[] = {.04762793, .84272253, .18728134, 6.21111360};
	Sample		timing;
	Sample		spend;
	FitResult	fit;

	(void) state;
	sample_init(&timing, 3);
	sample_init(&spend, 2);
	if (cdnow_exact(&timing, &spend) == 0)
		skip();
	btyd_fit(model, &timing.rows, NULL, NULL, &fit);
	assert_maximum(&timing.rows, &fit);
	assert_near(fit.log_likelihood, -9594.976178940, 1e-9);
	for (int i = 0; i < model->nparams; i++)
	{
		Estimate	estimate = positive_estimate(fit.theta[i], fit.covariance[i * (model->nparams + 1)], 0.95);

		assert_relative(fit.theta[i], theta[i], 1e-9);
		assert_relative(estimate.std_error, std_error[i], 1e-7);
	}
	sample_free(&timing);
	sample_free(&spend);
}

static void
test_cdnow_two_decimals(void **state)
{
	static const double theta[] = {.5532755087, 10.5776122387, .6062135687, 11.6679112379};
	Sample		timing;
	FitResult	fit;

	(void) state;
	sample_init(&timing, 3);
	if (!cdnow_two_decimals(&timing))
		skip();
	btyd_fit(model, &timing.rows, NULL, NULL, &fit);
	assert_maximum(&timing.rows, &fit);
	assert_near(fit.log_likelihood, -9594.973929827, 1e-9);
	for (int i = 0; i < model->nparams; i++)
		assert_relative(fit.theta[i], theta[i], 1e-9);
	sample_free(&timing);
}

/* lifetimes (Davidson-Pilon) on the two-decimal data: customers 1, 2, 3, 1000 and 1516 of CDNOW, and all of them */
static const double cdnow[] = {.55327550, 10.57761229, .60621349, 11.66790965};

static void
test_predictions(void **state)
{
	static const struct
	{
		Customer	customer;
		double		p_alive;
		double		purchases;
	}			golden[] = {
		{{2, 30.43, 38.86}, .86911873, 1.45511300},
		{{1, 1.71, 38.86}, .16787199, .17098054},
		{{0, 0, 38.86}, .29509718, .10705980},
		{{4, 24.43, 33.57}, .79157747, 2.60163567},
		{{26, 30.86, 31}, .99791794, 20.11586760},
	};
	static const double at[] = {1, 10, 39, 52, 78};
	static const double expected[] = {.05100654, .42779405, 1.21340807, 1.47344142, 1.90988081};
	static const Customer newcomer = {0, 0, 0};

	(void) state;
	for (size_t i = 0; i < LENGTH(golden); i++)
	{
		assert_relative(model->p_alive(cdnow, &golden[i].customer, 0), golden[i].p_alive, 1e-7);
		assert_relative(model->expected_purchases(cdnow, &golden[i].customer, 39), golden[i].purchases, 1e-7);
	}
	for (size_t i = 0; i < LENGTH(at); i++)
		assert_relative(model->expected_purchases(cdnow, &newcomer, at[i]), expected[i], 1e-7);
	assert_relative(model->mean_rate(cdnow), .55327550 / 10.57761229, 1e-15);
	assert_relative(model->mean_dropout(cdnow), .60621349 / 11.66790965, 1e-15);
}

static void
test_predictions_of_all(void **state)
{
	Sample		timing;
	double		alive = 0;
	double		purchases = 0;

	(void) state;
	sample_init(&timing, 3);
	if (!cdnow_two_decimals(&timing))
		skip();
	for (size_t i = 0; i < timing.rows.n; i++)
	{
		const double *row = rows_at(&timing.rows, i);
		Customer	c = {row[0], row[1], row[2]};

		alive += row[3] * model->p_alive(cdnow, &c, 0);
		purchases += row[3] * model->expected_purchases(cdnow, &c, 39);
	}
	assert_relative(alive, 1051.878942, 1e-7);
	assert_relative(purchases, 1665.534300, 1e-7);
	sample_free(&timing);
}

/* Fader, Hardie and Lee 2005b */
static void
test_discounted_without_end(void **state)
{
	static const double theta[] = {.5629966, 12.559037, .4081095, 10.5148048};
	static const Customer customers[] = {{2, 30, 77.86}, {15, 72, 77.86}, {0, 0, 77.86}};
	static const double value[] = {2.84353441, 36.25821452, .36475593};

	(void) state;
	for (size_t i = 0; i < LENGTH(customers); i++)
		assert_relative(model->discounted_purchases(theta, &customers[i], .0027, INFINITY), value[i], 1e-8);
}

/* ---- derivatives ----------------------------------------------------------------------------- */

typedef long double Real;

/*
 * log(1 + I) of a customer as defined, in extended precision: 40-node midpoint panels would not do, so the
 * trapezoid sum in d, u = t_x + (T - t_x) / (1 + exp(-2 sinh d)), whose error falls exponentially (tanh-sinh).
 */
static Real
log_odds_total(Real R, Real alpha, Real s, Real beta, Real t_x, Real t_cal)
{
	Real		silent = t_cal - t_x;
	Real		offset = R * log1pl(silent / (alpha + t_x)) + s * log1pl(silent / (beta + t_x));
	Real		sum = 0;
	const Real	step = 1.0L / 64;

	if (silent == 0)
		return 0;
	for (int i = -256; i <= 256; i++)
	{
		Real		d = i * step;
		Real		e = expl(-2 * sinhl(d));
		Real		u = silent / (1 + e);
		Real		jacobian = 2 * coshl(d) * e / ((1 + e) * (1 + e));

		sum += step * silent * jacobian *
			   expl(-R * log1pl(u / (alpha + t_x)) - (s + 1) * log1pl(u / (beta + t_x)));
	}
	sum *= s / (beta + t_x);
	return offset > 5000 ? offset + logl(sum) : log1pl(sum * expl(offset));
}

static Real
reference_value(const Rows *rows, const Real *theta)
{
	Real		sum = 0;

	for (size_t i = 0; i < rows->n; i++)
	{
		const double *row = rows_at(rows, i);
		Real		product = 0;

		for (Real j = 0; j < row[0]; j++)
			product += logl((theta[0] + j) / (theta[1] + row[2]));
		sum += row[3] * (product - theta[0] * log1pl(row[2] / theta[1]) - theta[2] * log1pl(row[2] / theta[3]) +
						 log_odds_total(theta[0] + row[0], theta[1], theta[2], theta[3], row[1], row[2]));
	}
	return sum;
}

/* central difference of sixth order in log(theta_i); recursive for the second derivative */
static Real
difference(const Rows *rows, const Real *theta, int i, int j, Real h)
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
				   (j < 0 ? reference_value(rows, moved) : difference(rows, moved, j, -1, h));
		}
	return sum / h;
}

static const double light_rows[][4] = {
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
};

static const double heavy_rows[][4] = {
	{0, 0, 78, 10},
	{81, 77.5, 78, 1},
	{400, 38, 39, 1},
	{3000, 38.9, 39, 1},
	{3000, 39, 39, 2},
	{3000, 60, 78, 1},
};

static const double points[][4] = {
	{.5532770469, 10.5776834633, .6062399891, 11.6687352889},
	{1, 1, 1, 1},
	{.55, 10.6, 1 + 1e-14, 10.6},
	{.24, 10, 1, 10 * (1 + 1e-12)},
	{.05, 30, .3, .3},
	{.7, .5, .2, 500},
	{30, 100, 40, 30},
};

static void
check_derivatives(const Rows *rows, const double *theta, Real h, Real noise)
{
	int			n = model->nparams;
	double		grad[4];
	double		hess[16];
	double		value = model->log_likelihood(rows, theta, grad, hess, NULL);
	Real		real[BTYD_MAX_PARAMS] = {theta[0], theta[1], theta[2], theta[3]};
	Real		exact = reference_value(rows, real);
	double		rounding = noise * (1 + fabsl(exact));

	assert_relative(value, exact, 1e-13);
	assert_true(value == model->log_likelihood(rows, theta, NULL, NULL, NULL));
	for (int i = 0; i < n; i++)
	{
		Real		slope = difference(rows, real, i, -1, h);

		assert_near(theta[i] * grad[i], slope, 1e-9 * fabsl(slope) + rounding / h + 1e-9);
		for (int j = 0; j < n; j++)
		{
			double		bend = theta[i] * theta[j] * hess[i * n + j];
			Real		curve = difference(rows, real, i, j, h);

			if (i == j)
				bend += theta[i] * grad[i];
			assert_near(bend, curve, 1e-8 * fabsl(curve) + rounding / (h * h) + 1e-8);
		}
	}
}

static void
test_derivatives(void **state)
{
	Rows		light = {LENGTH(light_rows), 3, light_rows[0]};
	Rows		heavy = {LENGTH(heavy_rows), 3, heavy_rows[0]};

	(void) state;
	for (size_t i = 0; i < LENGTH(points); i++)
	{
		check_derivatives(&light, points[i], 0x1p-9L, 1e-18);
		check_derivatives(&heavy, points[i], 0x1p-9L, 1e-18);
	}
}

/* A row alone and the same row among others whose times surround its own: one sweep serves all of a segment. */
static void
test_rows_do_not_disturb_each_other(void **state)
{
	(void) state;
	for (size_t p = 0; p < LENGTH(points); p++)
	{
		Sample		all;
		Random		random;
		double		grad[4];
		double		hess[16];
		double		value = 0;
		double		sum[20] = {0};

		random_seed(&random, p);
		sample_init(&all, 3);
		for (int i = 0; i < 500; i++)
		{
			double		t_cal = floor(90 * random_uniform(&random)) / 7;
			double		row[4] = {i % 3, 0, t_cal, 1};

			if (row[0] > 0)
				row[1] = i % 7 == 0 ? t_cal : floor(7 * t_cal * random_uniform(&random)) / 7;
			sample_add(&all, row, 1);

			Rows		one = {1, 3, row};

			value += model->log_likelihood(&one, points[p], grad, hess, NULL);
			for (int j = 0; j < 20; j++)
				sum[j] += j < 4 ? grad[j] : hess[j - 4];
		}
		assert_relative(model->log_likelihood(sample_fold(&all), points[p], grad, hess, NULL), value, 1e-13);
		for (int j = 0; j < 20; j++)
			assert_near(j < 4 ? grad[j] : hess[j - 4], sum[j], 1e-11 * (fabs(sum[j]) + 1));
		sample_free(&all);
	}
}

/* ---- predictions against themselves ---------------------------------------------------------- */

static const double thetas[][4] = {{.55, 10.6, .6, 11.7}, {.05, 1, .01, .01}, {30, 400, 1, 4},
								   {1, .1, 1 + 1e-14, 100}, {4, 30, 50, 30}, {.55, 10, 2, 8000},
								   {30, 4, 300, 500}};
static const Customer customers[] = {{0, 0, 0}, {0, 0, 39}, {1, .5, 39}, {10, 39, 39},
									 {81, 500, 520}, {400, 78, 78}, {3000, 518, 520}};

#define NTHETAS (sizeof(thetas) / sizeof(thetas[0]))
#define NCUSTOMERS (sizeof(customers) / sizeof(customers[0]))

static void
test_pmf_is_a_distribution(void **state)
{
	(void) state;
	for (size_t i = 0; i < NTHETAS * NCUSTOMERS; i++)
	{
		const double *theta = thetas[i / NCUSTOMERS];
		const Customer *c = &customers[i % NCUSTOMERS];
		double		R = theta[0] + c->x;
		double		A = theta[1] + c->t_cal;
		double		t = A * fmin(3, 200 / R);
		double		sum = model->purchase_probability(theta, c, 0, t);
		double		mean = 0;

		assert_near(sum, model->silence(theta, c, t), 1e-15);
		for (int n = 1; n < 20000; n++)
		{
			double		p = model->purchase_probability(theta, c, n, t);

			assert_true(p >= 0 && p <= 1);
			sum += p;
			mean += n * p;
			if (n > 2 * R * t / A && n * p < 1e-14 * mean)
				break;
		}
		assert_near(sum, 1, 1e-11);
		assert_relative(mean, model->expected_purchases(theta, c, t), 1e-10);
	}
}

/* Silence is the likelihood of a longer time without a purchase over that of today. */
static void
test_silence_is_a_ratio_of_likelihoods(void **state)
{
	(void) state;
	for (size_t i = 0; i < NTHETAS * NCUSTOMERS; i++)
	{
		const double *theta = thetas[i / NCUSTOMERS];
		Customer	later = customers[i % NCUSTOMERS];

		later.t_cal += 10;

		/* a density of x purchase times, unchanged by the wait */
		double		ratio = exp(log_likelihood_of(theta, &later) -
								log_likelihood_of(theta, &customers[i % NCUSTOMERS]));

		assert_relative(model->silence(theta, &customers[i % NCUSTOMERS], 10), ratio, 1e-10);
	}
}

static void
test_growing_horizon(void **state)
{
	const double step = 1 + 1e-9;

	(void) state;
	for (size_t i = 0; i < NTHETAS * NCUSTOMERS; i++)
	{
		const double *theta = thetas[i / NCUSTOMERS];
		const Customer *c = &customers[i % NCUSTOMERS];

		for (double t = 1e-6; t < 3000; t *= 1.0137)
		{
			double		value = model->expected_purchases(theta, c, t);
			double		next = model->expected_purchases(theta, c, t * step);

			assert_true(next >= value * (1 - 1e-12) && next <= value * step * (1 + 1e-12));
			assert_true(model->p_alive(theta, c, t) >= model->p_alive(theta, c, t * step) * (1 - 1e-12));
			assert_true(model->silence(theta, c, t) >= model->silence(theta, c, t * step) * (1 - 1e-12));
		}
	}
}

static void
test_limits_of_the_horizon(void **state)
{
	(void) state;
	for (size_t i = 0; i < NTHETAS * NCUSTOMERS; i++)
	{
		const double *theta = thetas[i / NCUSTOMERS];
		const Customer *c = &customers[i % NCUSTOMERS];
		double		alive = model->p_alive(theta, c, 0);
		double		rate = (theta[0] + c->x) / (theta[1] + c->t_cal);
		double		t = 1e-13 / rate;
		double		lifetime = model->expected_purchases(theta, c, INFINITY);

		assert_relative(model->expected_purchases(theta, c, t), alive * 1e-13, 1e-10);
		assert_true(model->expected_purchases(theta, c, 0) == 0);
		assert_near(model->silence(theta, c, 0), 1, 1e-15);
		assert_true(model->p_alive(theta, c, INFINITY) == 0);
		assert_true(model->purchase_probability(theta, c, 3, 0) == 0);
		if (theta[2] <= 1)
			assert_true(isinf(lifetime));
		else if (theta[2] > 1.5)
			assert_relative(model->expected_purchases(theta, c, 1e14), lifetime, 1e-6);

		/* without an end: everybody drops out after some number of purchases */
		assert_relative(model->silence(theta, c, 1e300), model->silence(theta, c, INFINITY), 1e-11);
		for (int n = 1; n < 200; n += 66)
			assert_relative(model->purchase_probability(theta, c, n, 1e300),
							model->purchase_probability(theta, c, n, INFINITY), 1e-11);
	}
}

static void
test_discounting(void **state)
{
	(void) state;
	for (size_t i = 0; i < NTHETAS * NCUSTOMERS; i++)
	{
		const double *theta = thetas[i / NCUSTOMERS];
		const Customer *c = &customers[i % NCUSTOMERS];
		double		rate = (theta[0] + c->x) / (theta[1] + c->t_cal);
		double		steep = 1e13 * fmax(rate, theta[2] / theta[3]);
		double		expected = model->expected_purchases(theta, c, 52);

		/* a vanishing rate leaves the expectation */
		assert_true(model->discounted_purchases(theta, c, 0, 52) == expected);
		assert_relative(model->discounted_purchases(theta, c, 1e-14, 52), expected, 1e-11);
		assert_relative(model->discounted_purchases(theta, c, -1e-14, 52), expected, 1e-11);
		assert_true(model->discounted_purchases(theta, c, 0, INFINITY) ==
					model->expected_purchases(theta, c, INFINITY));

		/* a negative one overflows rather than ends in NAN; without an end it always does */
		assert_true(model->discounted_purchases(theta, c, -0.1, 52) > expected);
		assert_true(!isnan(model->discounted_purchases(theta, c, -100, 52)));
		assert_true(isinf(model->discounted_purchases(theta, c, -1e-3, INFINITY)));

		/* a steep one values the next moment only: rate * P(alive) / delta */
		assert_relative(model->discounted_purchases(theta, c, steep, INFINITY),
						rate / steep * model->p_alive(theta, c, 0), 1e-10);
	}
}

static void
test_many_purchases(void **state)
{
	(void) state;
	for (size_t i = 0; i < NTHETAS * NCUSTOMERS; i++)
		for (double n = 1; n < 1e16; n *= 10)
			for (double t = 1e-3; t < 1e5; t *= 10)
			{
				double		p = model->purchase_probability(thetas[i / NCUSTOMERS], &customers[i % NCUSTOMERS], n, t);

				assert_true(p >= 0 && p <= 1);
			}
}

/* As s and beta grow without bound everybody drops out at the rate 1/16: fits that ran off end there. */
static void
test_huge_dropout_parameters(void **state)
{
	static const Customer newcomer = {0, 0, 0};

	(void) state;
	for (double s = 1e6; s < 1e18; s *= 10)
	{
		double		theta[] = {.5, 10, s, 16 * s};

		assert_relative(model->p_alive(theta, &newcomer, 30), exp(-30 / 16.0), 100 / s + 1e-14);
		assert_relative(model->expected_purchases(theta, &newcomer, 30), .05 * 16 * -expm1(-30 / 16.0), 100 / s + 1e-14);
	}
}

/* ---- fits ------------------------------------------------------------------------------------ */

/* Purchases of a customer in a row (x, t_x, t_cal); those of one day of length grid > 0 are one. */
typedef struct Observed
{
	double	   *row;
	double		grid;
} Observed;

static bool
observe(double at, void *arg)
{
	Observed   *o = arg;

	if (o->grid > 0)
		at = floor(at / o->grid) * o->grid;
	if (at > o->row[1])
	{
		o->row[0]++;
		o->row[1] = at;
	}
	return true;
}

static void
simulate_cohort(Sample *sample, uint64_t seed, int n, const double *theta, double age_low, double age_high, double grid)
{
	Random		random;

	random_seed(&random, seed);
	sample_init(sample, 3);
	for (int i = 0; i < n; i++)
	{
		double		row[3] = {0, 0, age_low + (age_high - age_low) * random_uniform(&random)};
		Observed	observed = {row, grid};

		if (grid > 0)
			row[2] = floor(row[2] / grid) * grid;
		model->simulate(theta, row[2], &random, observe, &observed);
		sample_add(sample, row, 1);
	}
	sample_fold(sample);
}

static double moved_start[4];

static void
start_elsewhere(const Rows *rows, double *theta)
{
	pareto_nbd_model.start(rows, theta);
	for (int i = 0; i < 4; i++)
		theta[i] *= moved_start[i];
}

static void
test_start_does_not_matter(void **state)
{
	ModelKind	moved = pareto_nbd_model;
	Sample		timing;
	Sample		spend;
	FitResult	usual;
	FitResult	fit;

	(void) state;
	moved.start = start_elsewhere;
	sample_init(&timing, 3);
	sample_init(&spend, 2);
	if (cdnow_exact(&timing, &spend) == 0)
		skip();
	btyd_fit(model, &timing.rows, NULL, NULL, &usual);
	for (int k = 0; k < 81; k++)
	{
		int			code = k;

		for (int i = 0; i < 4; i++, code /= 3)
			moved_start[i] = code % 3 == 0 ? 0.2 : code % 3 == 1 ? 1 : 5;
		btyd_fit(&moved, &timing.rows, NULL, NULL, &fit);
		assert_maximum(&timing.rows, &fit);
		for (int i = 0; i < 4; i++)
			assert_relative(fit.theta[i], usual.theta[i], 1e-7);
	}
	sample_free(&timing);
	sample_free(&spend);
}

/* 233,000 customers over two years in days, some buying a hundred times */
static void
test_quarter_million_customers(void **state)
{
	static const double theta[][4] = {{.8, 60, .5, 80}, {.55, 20, .9, 60}, {.8, 60, .3, 600}, {.3, 8, 3, 900}};

	(void) state;
	for (size_t i = 0; i < LENGTH(theta); i++)
	{
		Sample		sample;
		FitResult	fit;

		simulate_cohort(&sample, 233 + i, 233000, theta[i], 30, 730, 1);
		assert_true(rows_at(&sample.rows, sample.rows.n - 1)[0] >= 81);
		btyd_fit(model, &sample.rows, NULL, NULL, &fit);
		assert_maximum(&sample.rows, &fit);
		assert_true(fit.iterations <= 12);
		sample_free(&sample);
	}
}

/* In continuous time the fit finds the parameters of the simulation again. */
static void
test_recovery(void **state)
{
	static const double theta[] = {.5533, 10.578, .6062, 11.669};
	Sample		sample;
	FitResult	fit;

	(void) state;
	simulate_cohort(&sample, 3, 100000, theta, 20, 78, 0);
	btyd_fit(model, &sample.rows, NULL, NULL, &fit);
	assert_maximum(&sample.rows, &fit);
	for (int i = 0; i < 4; i++)
		assert_near(log(fit.theta[i] / theta[i]) / sqrt(fit.covariance[5 * i]), 0, 4);
	sample_free(&sample);
}

/* Mean, P(0) and P(alive at the end) of simulated customers agree with what is predicted for a new one. */
typedef struct Count
{
	double		n;
	double		last;
	double		stop_at;
} Count;

static bool
count_purchase(double at, void *arg)
{
	Count	   *count = arg;

	assert_true(at > count->last);
	count->last = at;
	return ++count->n < count->stop_at;
}

static void
test_simulation(void **state)
{
	static const Customer newcomer = {0, 0, 0};
	const int	n = 200000;
	double		silent = 0;
	double		three = 0;
	double		sum = 0;
	double		squares = 0;
	Random		random;

	(void) state;
	random_seed(&random, 7);
	for (int i = 0; i < n; i++)
	{
		Count		count = {0, 0, INFINITY};

		model->simulate(cdnow, 39, &random, count_purchase, &count);
		assert_true(count.last <= 39);
		silent += count.n == 0;
		three += count.n == 3;
		sum += count.n;
		squares += count.n * count.n;
	}

	double		p0 = model->silence(cdnow, &newcomer, 39);
	double		p3 = model->purchase_probability(cdnow, &newcomer, 3, 39);
	double		mean = sum / n;

	assert_near(silent / n, p0, 4 * sqrt(p0 * (1 - p0) / n));
	assert_near(three / n, p3, 4 * sqrt(p3 * (1 - p3) / n));
	assert_near(mean, model->expected_purchases(cdnow, &newcomer, 39), 4 * sqrt((squares / n - mean * mean) / n));

	/* it stops at once when told to */
	for (int i = 0; i < 100; i++)
	{
		Count		count = {0, 0, 2};

		model->simulate(cdnow, 1e6, &random, count_purchase, &count);
		assert_true(count.n <= 2);
	}
}

/*
 * Cohorts at a limit of the model, and what the reason must name. About half of such cohorts have their maximum
 * beyond the limit, so that the fit runs off to it; these seeds do.
 */
static void
test_limits_of_the_model(void **state)
{
	static const struct
	{
		double		theta[4];
		int			seed;
		const char *about;
	}			limits[] = {
		{{.8, 8, 1e-9, 1}, 1, "no dropout"},
		{{.8, 8, 1e6, 5e7}, 3, "s and beta run off to infinity"},
		{{1e5, 1e6, .6, 12}, 6, "r and alpha run off to infinity"},
		{{.8, 8, 1e-2, 1e-9}, 2, "customers leave at once or never"},
	};
	static const double rows_at_zero[] = {0, 0, 39, 10, 1, 0, 39, 5, 3, 0, 39, 2, 3, 20, 39, 1};
	Rows		at_zero = {4, 3, rows_at_zero};
	FitResult	fit;

	(void) state;
	for (size_t i = 0; i < LENGTH(limits); i++)
	{
		Sample		sample;

		simulate_cohort(&sample, limits[i].seed, 2000, limits[i].theta, 20, 78, 0);
		btyd_fit(model, &sample.rows, NULL, NULL, &fit);
		assert_int_equal(fit.status, FIT_NOT_CONVERGED);
		assert_non_null(fit.hint);
		if (strstr(fit.reason, limits[i].about) == NULL)
			fail_msg("%zu: \"%s\" is not about \"%s\"", i, fit.reason, limits[i].about);
		sample_free(&sample);
	}
	btyd_fit(model, &at_zero, NULL, NULL, &fit);
	assert_int_equal(fit.status, FIT_NOT_CONVERGED);
	assert_non_null(strstr(fit.reason, "alpha"));
}

static void
test_undetermined(void **state)
{
	static const double silent[] = {0, 0, 38, 100, 0, 0, 39, 50};
	static const double constant[] = {2, 30.43, 38.86, 500};
	const Rows	rows[] = {{0, 3, silent}, {2, 3, silent}, {1, 3, constant}};
	static const char *const about[] = {"two customers", "no customer has a repeat purchase", "same purchase history"};

	(void) state;
	for (size_t i = 0; i < LENGTH(rows); i++)
	{
		FitResult	fit;

		btyd_fit(model, &rows[i], NULL, NULL, &fit);
		assert_int_equal(fit.status, FIT_IMPOSSIBLE);
		assert_non_null(strstr(fit.reason, about[i]));
		assert_non_null(fit.hint);
	}
}

/* Small odd cohorts either reach a maximum or say why not. */
static void
test_small_cohorts(void **state)
{
	int			converged = 0;

	(void) state;
	for (int seed = 0; seed < 400; seed++)
	{
		Sample		sample;
		FitResult	fit;
		Random		random;
		double		theta[4];
		double		age;

		random_seed(&random, seed);
		theta[0] = exp(-2.5 + 3 * random_uniform(&random));
		theta[1] = theta[0] * exp(4 * random_uniform(&random));
		theta[2] = exp(-2 + 3 * random_uniform(&random));
		theta[3] = theta[2] * exp(5 * random_uniform(&random));
		age = exp(1 + 4 * random_uniform(&random));
		simulate_cohort(&sample, seed, 20 + seed % 31, theta, seed % 3 ? age : 0, age, seed % 2 ? age / 50 : 0);
		btyd_fit(model, &sample.rows, NULL, NULL, &fit);
		converged += fit.status == FIT_CONVERGED;
		if (fit.status == FIT_CONVERGED)
			assert_maximum(&sample.rows, &fit);
		else
		{
			assert_non_null(fit.reason);
			assert_non_null(fit.hint);
			assert_null(strstr(fit.reason, "was not reached"));
			assert_null(strstr(fit.reason, "not finite"));
		}
		sample_free(&sample);
	}
	assert_true(converged > 100);
}

static bool
stop_at_poll(void *arg)
{
	return --*(int *) arg == 0;
}

static void
test_stopping(void **state)
{
	Sample		sample;

	(void) state;
	simulate_cohort(&sample, 3, 20000, thetas[0], 20, 78, 0);
	for (int polls = 1; polls < 10; polls++)
	{
		int			left = polls;
		FitStop		stop = {stop_at_poll, &left};
		FitResult	fit;

		btyd_fit(model, &sample.rows, NULL, &stop, &fit);
		assert_int_equal(fit.status, FIT_STOPPED);
		assert_int_equal(left, 0);
	}
	sample_free(&sample);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_cdnow_exact),
		cmocka_unit_test(test_cdnow_two_decimals),
		cmocka_unit_test(test_predictions),
		cmocka_unit_test(test_predictions_of_all),
		cmocka_unit_test(test_discounted_without_end),
		cmocka_unit_test(test_derivatives),
		cmocka_unit_test(test_rows_do_not_disturb_each_other),
		cmocka_unit_test(test_pmf_is_a_distribution),
		cmocka_unit_test(test_silence_is_a_ratio_of_likelihoods),
		cmocka_unit_test(test_growing_horizon),
		cmocka_unit_test(test_limits_of_the_horizon),
		cmocka_unit_test(test_discounting),
		cmocka_unit_test(test_many_purchases),
		cmocka_unit_test(test_huge_dropout_parameters),
		cmocka_unit_test(test_start_does_not_matter),
		cmocka_unit_test(test_quarter_million_customers),
		cmocka_unit_test(test_recovery),
		cmocka_unit_test(test_simulation),
		cmocka_unit_test(test_limits_of_the_model),
		cmocka_unit_test(test_undetermined),
		cmocka_unit_test(test_small_cohorts),
		cmocka_unit_test(test_stopping),
	};

	return cmocka_run_group_tests_name("pareto_nbd", tests, NULL, NULL);
}
