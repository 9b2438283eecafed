/*
 * test_logit.c - logistic regression against published numbers, against Newton's method at 40 digits, which
 * test/reference/make_logit prints, and against what must hold.
 */
#include "support.h"

#include <math.h>
#include <string.h>

#include "math/logit.h"
#include "math/marginal.h"
#include "math/matrix.h"
#include "math/random.h"

/* The rows of a sample of nx regressors, behind a cluster where there is one. */
static Rows
regression_rows(Sample *sample, int before)
{
	Rows		rows = *sample_fold(sample);

	rows.ncols -= before;
	rows.ncovariates = before;
	return rows;
}

static double
error_of(const LogitFit *fit, int i)
{
	return sqrt(fit->result.covariance[i * fit->result.nparams + i]);
}

/* ---- published ----------------------------------------------------------------------------------- */

/* Spector and Mazzeo 1980: gpa, tuce, psi, whether the grade improved; as printed in Greene, Econometric Analysis. */
static const double spector[32][4] = {
	{2.66, 20, 0, 0}, {2.89, 22, 0, 0}, {3.28, 24, 0, 0}, {2.92, 12, 0, 0}, {4.00, 21, 0, 1}, {2.86, 17, 0, 0},
	{2.76, 17, 0, 0}, {2.87, 21, 0, 0}, {3.03, 25, 0, 0}, {3.92, 29, 0, 1}, {2.63, 20, 0, 0}, {3.32, 23, 0, 0},
	{3.57, 23, 0, 0}, {3.26, 25, 0, 1}, {3.53, 26, 0, 0}, {2.74, 19, 0, 0}, {2.75, 25, 0, 0}, {2.83, 19, 0, 0},
	{3.12, 23, 1, 0}, {3.16, 25, 1, 1}, {2.06, 22, 1, 0}, {3.62, 28, 1, 1}, {2.89, 14, 1, 0}, {3.51, 26, 1, 0},
	{3.54, 24, 1, 1}, {2.83, 27, 1, 1}, {3.39, 17, 1, 1}, {2.67, 24, 1, 0}, {3.65, 21, 1, 1}, {4.00, 23, 1, 1},
	{3.10, 21, 1, 0}, {2.39, 19, 1, 1},
};

static Rows
spector_rows(Sample *sample)
{
	sample_init(sample, 4);
	for (int i = 0; i < 32; i++)
		sample_add(sample, spector[i], 1);
	return regression_rows(sample, 3);
}

static void
test_spector(void **state)
{
	static const double coef[] = {-13.021346858115689, 2.8261125948893209, 0.095157661317909287, 2.3786876550933545};
	static const double errors[3][4] = {
		{4.9313242136027581, 1.2629410756290923, 0.14155420567369474, 1.0645642544971330},
		{5.1975854102994253, 1.2675459820157457, 0.11792226774939170, 0.96441920965288168},
		{5.5564525268100890, 1.3550636533385269, 0.12606420691132742, 1.0310075027841118},
	};
	Sample		sample;
	Rows		rows = spector_rows(&sample);

	(void) state;
	for (ErrorKind kind = ERRORS_MODEL; kind <= ERRORS_HC1; kind++)
	{
		LogitFit	fit;

		logit_fit(&rows, false, LOGIT_ML, kind, NULL, &fit);
		assert_int_equal(fit.result.status, FIT_CONVERGED);
		assert_relative(fit.result.log_likelihood, -12.889634222131415, 1e-13);
		assert_relative(fit.record.r_squared, 0.37403829537210457, 1e-13);
		/* the likelihood ratio knows nothing of robust errors */
		if (kind == ERRORS_MODEL)
			assert_relative(fit.record.statistic, 15.404190948971751, 1e-13);
		else
			assert_relative(fit.record.statistic, wald_of_last(&fit.result, 3), 1e-11);
		assert_true(isnan(fit.record.df) && isnan(fit.record.clusters) && fit.record.errors == kind);
		for (int i = 0; i < 4; i++)
		{
			assert_relative(fit.result.theta[i], coef[i], 1e-12);
			assert_relative(error_of(&fit, i), errors[kind][i], 1e-12);
		}
	}
	sample_free(&sample);
}

static double
delta_error(const double *gradient, const LogitFit *fit)
{
	double		variance;

	sandwich(gradient, 1, fit->result.covariance, fit->result.nparams, &variance);
	return sqrt(variance);
}

static void
test_spector_effects(void **state)
{
	static const double effect[] = {0.36258083160146126, 0.012208410958675540, 0.30517770228388764};
	static const double error[] = {0.10944115267902837, 0.017794160669875090, 0.092379569358924844};
	Sample		sample;
	Rows		rows = spector_rows(&sample);
	Shift		lift = {0, 0.1, -INFINITY, INFINITY};
	LogitFit	fit;
	MarginalEffects effects;
	MeanChange	change;

	(void) state;
	logit_fit(&rows, false, LOGIT_ML, ERRORS_MODEL, NULL, &fit);
	assert_true(marginal_effects(&logit_model, fit.result.theta, 3, &rows, false, NULL, &effects));
	for (int j = 0; j < 3; j++)
	{
		assert_relative(effects.effect[j], effect[j], 1e-12);
		assert_relative(delta_error(effects.gradient + j * 4, &fit), error[j], 1e-11);
		assert_false(effects.discrete[j]);
	}
	assert_true(marginal_effects(&logit_model, fit.result.theta, 3, &rows, true, NULL, &effects));
	assert_true(!effects.discrete[0] && !effects.discrete[1] && effects.discrete[2]);
	assert_relative(effects.effect[0], effect[0], 1e-12);
	assert_relative(effects.effect[2], 0.35751516362183437, 1e-12);
	assert_relative(delta_error(effects.gradient + 2 * 4, &fit), 0.14200339068867649, 1e-11);
	assert_true(mean_change(&logit_model, fit.result.theta, 3, &rows, &lift, NULL, &change));
	assert_relative(change.change, 0.036778369422793234, 1e-12);
	assert_relative(delta_error(change.gradient_change, &fit), 0.011157872211904816, 1e-11);
	/* the maximum of the likelihood predicts as many events as there were */
	assert_relative(change.before, 11.0 / 32, 1e-12);
	assert_relative(change.after, change.before + change.change, 1e-15);
	assert_true(change.n == 32 && change.clipped == 0);
	sample_free(&sample);
}

/* In a table of cells Firth's estimates are those with 1/2 added to each: 6 of 20 left, and 0 of 20. */
static void
test_firth_table(void **state)
{
	Sample		sample;
	Rows		rows;
	LogitFit	fit;

	(void) state;
	sample_init(&sample, 2);
	sample_add(&sample, (double[]) {0, 1}, 6);
	sample_add(&sample, (double[]) {0, 0}, 14);
	sample_add(&sample, (double[]) {1, 0}, 20);
	rows = regression_rows(&sample, 1);
	logit_fit(&rows, false, LOGIT_FIRTH, ERRORS_MODEL, NULL, &fit);
	assert_int_equal(fit.result.status, FIT_CONVERGED);
	assert_relative(fit.result.theta[0], -0.80234647252493729, 1e-11);
	assert_relative(fit.result.theta[1], -2.9112255941793705, 1e-11);
	/* the inverse information of cells: 1 / (n p (1 - p)) */
	assert_relative(error_of(&fit, 0), sqrt(1 / (20 * (6.5 / 21) * (14.5 / 21))), 1e-10);
	assert_relative(error_of(&fit, 1),
					sqrt(1 / (20 * (6.5 / 21) * (14.5 / 21)) + 1 / (20 * (0.5 / 21) * (20.5 / 21))), 1e-10);
	logit_fit(&rows, false, LOGIT_ML, ERRORS_MODEL, NULL, &fit);
	assert_int_equal(fit.result.status, FIT_IMPOSSIBLE);
	assert_true(fit.separated && !fit.completely && fit.involved[0]);
	sample_free(&sample);
}

/* ---- references ---------------------------------------------------------------------------------- */

/* Made-up rows: 0 plain, 1 a year and a salary, 2 one column nearly the other, 3 counts of millions. */
static Rows
make_rows(Sample *sample, int which, bool clustered)
{
	sample_init(sample, clustered ? 4 : 3);
	for (int i = 0; i < 60; i++)
	{
		double		row[] = {i % 9, i * 37 % 101 / 64.0, i * i * 7 % 59 / 32.0, 0};

		row[3] = (i * i * 13 + 5 * i) % 17 < 6 + 4 * (i * 37 % 101 > 60);
		if (which == 1)
		{
			row[1] = 1990 + i % 31;
			row[2] = 20000 + 500 * row[2];
		}
		if (which == 2)
			row[2] = row[1] + row[2] / 1048576;
		sample_add(sample, clustered ? row : row + 1, 1 + (i % 4) * (which == 3 ? 1e6 : 1));
	}
	return regression_rows(sample, clustered ? 3 : 2);
}

/* log-likelihood; coefficients; standard errors of the model, HC1, CR1; Firth's coefficients */
static const double references[][16] = {
	{-93.0897700093980241, -0.238735451906033856, 1.5953765866349165, -1.31203987853335704, 0.385540470033323565,
		0.434661792743167467, 0.375106441244608715, 0.375560129761926513, 0.449738811180108768, 0.40889657238292227,
		0.677928563656576121, 0.931138896285094608, 0.487996499010324707, -0.231914152067083792, 1.55078704911261642,
	-1.2745680221473842},
	{-100.300852748098454, 1.41465102583075808, 0.016969982424095415, -0.00173844138924039673, 39.0815471973469207,
		0.0198168337888212321, 0.000665626260821775298, 39.2849028827512488, 0.0202152605805132825,
		0.000671920042177830635, 102.145485264064597, 0.0538783085580752834, 0.000931896519097871994,
	1.52939015383303893, 0.0164099573140119641, -0.0016890035393937599},
	{-93.0897700093980241, -0.238735451906033856, 1375775.12304958002, -1375773.52767299339, 0.385540470033323565,
		393327.798870662311, 393327.611734506828, 0.375560129761926513, 428759.370054331943, 428759.132282995102,
		0.677928563656576121, 511701.873508092035, 511701.41694625024, -0.231914152067083792, 1336482.98917826465,
	-1336481.43839121553},
	{-55007516.069034166, -0.114206561570934017, 1.6225556406037799, -1.53234377049835673, 0.00049998166006664564,
		0.000572113358167256478, 0.000502939925824349538, 0.000465273029120291862, 0.000576101826333051524,
		0.000534460083585520215, 0.740026249794036282, 1.05666897468545313, 0.595357962284119123,
	-0.114206556288918821, 1.62255556279028888, -1.53234369585369188},
};

static void
test_references(void **state)
{
	static const ErrorKind kinds[] = {ERRORS_MODEL, ERRORS_HC1, ERRORS_CR1};
	/* a column that differs from another by a millionth takes six digits */
	static const double tolerance[] = {1e-12, 1e-12, 1e-9, 1e-12};

	(void) state;
	for (int which = 0; which < 4; which++)
	{
		const double *reference = references[which];
		double		near = tolerance[which];
		Sample		sample;
		LogitFit	fit;

		for (int k = 0; k < 3; k++)
		{
			Rows		rows = make_rows(&sample, which, k == 2);

			logit_fit(&rows, k == 2, LOGIT_ML, kinds[k], NULL, &fit);
			assert_int_equal(fit.result.status, FIT_CONVERGED);
			assert_relative(fit.result.log_likelihood, reference[0], near);
			for (int i = 0; i < 3; i++)
			{
				/* the intercept is far from the years */
				assert_relative(fit.result.theta[i], reference[1 + i], which == 1 && i == 0 ? 1e-10 : near);
				assert_relative(error_of(&fit, i), reference[4 + 3 * k + i], near);
			}
			if (k == 2)
				assert_true(fit.record.clusters == 9 && fit.record.df == 8);
			sample_free(&sample);
		}

		Rows		rows = make_rows(&sample, which, false);

		logit_fit(&rows, false, LOGIT_FIRTH, ERRORS_MODEL, NULL, &fit);
		assert_int_equal(fit.result.status, FIT_CONVERGED);
		for (int i = 0; i < 3; i++)
			assert_relative(fit.result.theta[i], reference[13 + i], which == 1 && i == 0 ? 1e-9 : fmax(near, 1e-10));
		sample_free(&sample);
	}
}

/* F of Wald's test with two effects from its definition. */
static void
test_wald(void **state)
{
	Sample		sample;
	Rows		rows = make_rows(&sample, 0, true);
	LogitFit	fit;
	const double *c = fit.result.covariance;
	const double *b = fit.result.theta + 1;
	double		determinant;

	(void) state;
	logit_fit(&rows, true, LOGIT_ML, ERRORS_CR1, NULL, &fit);
	determinant = c[4] * c[8] - c[5] * c[5];
	assert_relative(fit.record.statistic,
					(b[0] * b[0] * c[8] - 2 * b[0] * b[1] * c[5] + b[1] * b[1] * c[4]) / determinant / 2, 1e-11);
	/* clusters that are not asked for change nothing */
	logit_fit(&rows, true, LOGIT_ML, ERRORS_MODEL, NULL, &fit);
	assert_true(isnan(fit.record.df) && isnan(fit.record.clusters));
	assert_relative(error_of(&fit, 1), references[0][5], 1e-12);
	sample_free(&sample);
}

/* ---- separation ---------------------------------------------------------------------------------- */

/*
 * Whether rows (x1, x2, y) of small whole numbers, whose columns are independent, are separated: exactly. The
 * separating directions are a pointed cone then, so that one of its edges is orthogonal to two rows.
 */
static bool
separable(const Rows *rows)
{
	for (size_t a = 0; a < rows->n; a++)
		for (size_t b = 0; b < a; b++)
		{
			const double *p = rows_at(rows, a) - 2;
			const double *q = rows_at(rows, b) - 2;
			double		d[] = {p[0] * q[1] - p[1] * q[0], p[1] - q[1], q[0] - p[0]};
			double		least = 0;
			double		most = 0;

			for (size_t i = 0; i < rows->n; i++)
			{
				const double *x = rows_at(rows, i) - 2;
				double		eta = d[0] + d[1] * x[0] + d[2] * x[1];
				double		margin = x[2] ? eta : -eta;

				least = fmin(least, margin);
				most = fmax(most, margin);
			}
			if ((least == 0) != (most == 0))
				return true;
		}
	return false;
}

static void
test_separation(void **state)
{
	Random		random;
	int			found[2] = {0};

	(void) state;
	random_seed(&random, 7);
	for (int trial = 0; trial < 4000; trial++)
	{
		int			n = 6 + (int) (10 * random_uniform(&random));
		int			levels = trial % 2 ? 2 : 5;
		double		threshold = random_uniform(&random);
		Sample		sample;
		Rows		rows;
		LogitFit	fit;
		Design		design;

		sample_init(&sample, 3);
		for (int i = 0; i < n; i++)
		{
			double		a = floor(levels * random_uniform(&random));
			double		b = floor(levels * random_uniform(&random));

			sample_add(&sample, (double[]) {a, b, a + b > 2 * levels * threshold ? 1 : random_uniform(&random) < 0.4},
					   1 + (i % 3) * 1000);
		}
		rows = regression_rows(&sample, 2);
		logit_fit(&rows, false, LOGIT_ML, ERRORS_MODEL, NULL, &fit);
		assert_int_equal(design_read(&rows, 2, NULL, &design), DESIGN_READ);
		if (fit.result.status != FIT_CONVERGED && !fit.separated)
			assert_memory_equal(fit.result.reason, "y is ", 5);
		else if (design.rank == 3)
		{
			assert_true(fit.separated == separable(&rows));
			found[fit.separated]++;
		}
		if (fit.separated)
		{
			assert_true(fit.involved[0] || fit.involved[1]);
			logit_fit(&rows, false, LOGIT_FIRTH, ERRORS_MODEL, NULL, &fit);
			assert_int_equal(fit.result.status, FIT_CONVERGED);
		}
		sample_free(&sample);
	}
	assert_true(found[0] > 500 && found[1] > 500);
}

/* Which columns separate, and how. */
static void
test_separating_columns(void **state)
{
	Random		random;
	Sample		sample;
	Rows		rows;
	LogitFit	fit;

	(void) state;
	random_seed(&random, 8);
	/* all of the rare group have the event; the second column is noise, the third explains some of it */
	sample_init(&sample, 4);
	for (int i = 0; i < 500; i++)
	{
		double		z = random_normal(&random);

		sample_add(&sample, (double[]) {i % 50 == 0, random_normal(&random), z,
				   i % 50 == 0 || random_uniform(&random) < 1 / (1 + exp(-z))}, 1);
	}
	rows = regression_rows(&sample, 3);
	logit_fit(&rows, false, LOGIT_ML, ERRORS_MODEL, NULL, &fit);
	assert_true(fit.separated && !fit.completely);
	assert_true(fit.involved[0] && !fit.involved[1] && !fit.involved[2]);
	sample_free(&sample);
	/* a sum of two columns decides */
	sample_init(&sample, 4);
	for (int i = 0; i < 500; i++)
	{
		double		a = random_normal(&random);
		double		b = random_normal(&random);

		sample_add(&sample, (double[]) {a, b, a * b, a + b > 0.3}, 1);
	}
	rows = regression_rows(&sample, 3);
	logit_fit(&rows, false, LOGIT_ML, ERRORS_MODEL, NULL, &fit);
	assert_true(fit.separated && fit.completely && fit.involved[0] && fit.involved[1]);
	logit_fit(&rows, false, LOGIT_FIRTH, ERRORS_MODEL, NULL, &fit);
	assert_int_equal(fit.result.status, FIT_CONVERGED);
	assert_true(fit.result.theta[1] > 0 && fit.result.theta[2] > 0);
	sample_free(&sample);
	/* one row among a million on the other side: there is a maximum, far out */
	sample_init(&sample, 2);
	sample_add(&sample, (double[]) {0, 0}, 1e6);
	sample_add(&sample, (double[]) {1, 1}, 1e6);
	sample_add(&sample, (double[]) {1, 0}, 1);
	sample_add(&sample, (double[]) {0, 1}, 1);
	rows = regression_rows(&sample, 1);
	logit_fit(&rows, false, LOGIT_ML, ERRORS_MODEL, NULL, &fit);
	assert_int_equal(fit.result.status, FIT_CONVERGED);
	assert_relative(fit.result.theta[1], 2 * log(1e6), 1e-11);
	sample_free(&sample);
}

/* ---- what must hold ------------------------------------------------------------------------------ */

/* n rows of nx regressors and effects that are known, of columns standardised by scale and center. */
static void
simulate(Sample *sample, Random *random, int n, int nx, const double *theta, double scale, double center)
{
	sample_init(sample, nx + 1);
	for (int i = 0; i < n; i++)
	{
		double		row[ROWS_MAX_REGRESSORS + 1];
		double		eta = theta[0];

		for (int j = 0; j < nx; j++)
		{
			double		z = random_normal(random);

			eta += theta[j + 1] * z;
			row[j] = center + scale * z;
		}
		row[nx] = random_uniform(random) < 1 / (1 + exp(-eta));
		sample_add(sample, row, 1);
	}
}

static void
test_recovery(void **state)
{
	static const double theta[] = {-0.5, 0.8, -0.4, 0};
	Random		random;
	double		squares = 0;
	int			covered = 0;

	(void) state;
	random_seed(&random, 11);
	for (int trial = 0; trial < 200; trial++)
	{
		Sample		sample;
		Rows		rows;
		LogitFit	fit;

		simulate(&sample, &random, 1000, 3, theta, 1, 0);
		rows = regression_rows(&sample, 3);
		logit_fit(&rows, false, LOGIT_ML, trial % 2 ? ERRORS_HC0 : ERRORS_MODEL, NULL, &fit);
		for (int i = 0; i < 4; i++)
		{
			double		z = (fit.result.theta[i] - theta[i]) / error_of(&fit, i);

			squares += z * z;
			covered += fabs(z) < 1.959964;
		}
		sample_free(&sample);
	}
	/* 800 squares of mean 1 and variance 2, and 800 intervals; 4 standard errors, and a bias of some percent */
	assert_near(squares / 800, 1, 0.2);
	assert_near(covered / 800.0, 0.95, 0.031);
}

/* Neither location nor scale of the columns matters. */
static void
test_scales(void **state)
{
	static const double theta[] = {0.3, 0.9, -0.7};
	static const double scales[] = {1, 1e-9, 1e12, 1e-150, 1e150, 1e3};
	static const double centers[] = {0, 0, 0, 0, 0, 1e9};
	LogitFit	plain;

	(void) state;
	for (int k = 0; k < 6; k++)
	{
		Random		random;
		Sample		sample;
		Rows		rows;
		LogitFit	fit;
		double		near = centers[k] ? 1e-8 : 1e-11;

		random_seed(&random, 12);
		simulate(&sample, &random, 400, 2, theta, scales[k], centers[k]);
		rows = regression_rows(&sample, 2);
		logit_fit(&rows, false, LOGIT_ML, ERRORS_HC1, NULL, &fit);
		assert_int_equal(fit.result.status, FIT_CONVERGED);
		if (k == 0)
			plain = fit;
		for (int i = 1; i < 3; i++)
		{
			assert_relative(fit.result.theta[i] * scales[k], plain.result.theta[i], near);
			assert_relative(error_of(&fit, i) * scales[k], error_of(&plain, i), near);
		}
		sample_free(&sample);
	}
}

static void
test_out_of_range(void **state)
{
	static const double values[] = {1e300, 1e-300, 1e308};

	(void) state;
	for (int k = 0; k < 3; k++)
	{
		Sample		sample;
		Rows		rows;
		LogitFit	fit;

		sample_init(&sample, 3);
		for (int i = 0; i < 40; i++)
			sample_add(&sample, (double[]) {i % 7, values[k] * (i % 5 - 2), i * i % 11 % 2}, 1);
		rows = regression_rows(&sample, 2);
		logit_fit(&rows, false, LOGIT_ML, ERRORS_MODEL, NULL, &fit);
		assert_int_equal(fit.result.status, FIT_IMPOSSIBLE);
		assert_true(fit.out_of_range == 2);
		sample_free(&sample);
	}
}

/* A column that follows from those before it is left out, and the others are as without it. */
static void
test_dependent_columns(void **state)
{
	Random		random;
	Sample		full;
	Sample		part;
	Rows		rows;
	LogitFit	fit;
	LogitFit	without;

	(void) state;
	random_seed(&random, 13);
	sample_init(&full, 7);
	sample_init(&part, 3);
	for (int i = 0; i < 300; i++)
	{
		double		a = 2000 + random_normal(&random);
		double		b = random_normal(&random);
		double		y = random_uniform(&random) < 0.5 + 0.2 * tanh(b);

		sample_add(&full, (double[]) {7.1, a, 0.1 * a + 3, b, a - 2 * b, 0, y}, 1);
		sample_add(&part, (double[]) {a, b, y}, 1);
	}
	rows = regression_rows(&full, 6);
	logit_fit(&rows, false, LOGIT_ML, ERRORS_HC1, NULL, &fit);
	rows = regression_rows(&part, 2);
	logit_fit(&rows, false, LOGIT_ML, ERRORS_HC1, NULL, &without);
	assert_int_equal(fit.result.status, FIT_CONVERGED);
	for (int i = 0; i < 7; i++)
	{
		static const int same[] = {0, -1, 1, -1, 2, -1, -1};

		if (same[i] < 0)
		{
			assert_true(isnan(fit.result.theta[i]));
			for (int j = 0; j < 7; j++)
				assert_true(fit.result.covariance[i * 7 + j] == 0 && fit.result.covariance[j * 7 + i] == 0);
			continue;
		}
		assert_relative(fit.result.theta[i], without.result.theta[same[i]], 1e-9);
		assert_relative(error_of(&fit, i), error_of(&without, same[i]), 1e-9);
	}
	assert_relative(fit.record.statistic, without.record.statistic, 1e-10);
	sample_free(&full);
	sample_free(&part);
}

static void
test_nothing_to_tell(void **state)
{
	static const double rows_of_y[] = {1, 0, 3, 2, 0, 1, 5, 0, 2};
	Rows		rows = {3, 1, rows_of_y, 1, NAN};
	Rows		none = {0, 1, NULL, 1, NAN};
	double		row[] = {0, 0, 4, 0, 1, 6};
	Rows		constant = {2, 1, row, 1, NAN};
	LogitFit	fit;

	(void) state;
	for (LogitMethod method = LOGIT_ML; method <= LOGIT_FIRTH; method++)
	{
		logit_fit(&rows, false, method, ERRORS_MODEL, NULL, &fit);
		assert_int_equal(fit.result.status, FIT_IMPOSSIBLE);
		assert_string_equal(fit.result.reason, "y is 0 in all rows");
		logit_fit(&none, false, method, ERRORS_MODEL, NULL, &fit);
		assert_int_equal(fit.result.status, FIT_IMPOSSIBLE);
		/* only the intercept can be told: the log odds */
		logit_fit(&constant, false, method, ERRORS_MODEL, NULL, &fit);
		assert_int_equal(fit.result.status, FIT_CONVERGED);
		assert_relative(fit.result.theta[0], method == LOGIT_ML ? log(1.5) : log(6.5 / 4.5), 1e-12);
		assert_true(isnan(fit.result.theta[1]) && isnan(fit.record.statistic));
	}
	row[4] = 0.5;
	logit_fit(&constant, false, LOGIT_ML, ERRORS_MODEL, NULL, &fit);
	assert_ptr_equal(fit.wrong, row + 4);
}

/* As many columns as there may be, and counts that a double can just hold. */
static void
test_many_columns(void **state)
{
	double		theta[1 + ROWS_MAX_REGRESSORS];
	Random		random;
	Sample		sample;
	Rows		rows;
	LogitFit	fit;
	LogitFit	counted;
	double		factor = 1099511627776.0;	/* 2^40 */

	(void) state;
	random_seed(&random, 14);
	for (int i = 0; i <= ROWS_MAX_REGRESSORS; i++)
		theta[i] = 0.1 * (i % 5 - 2);
	simulate(&sample, &random, 3000, ROWS_MAX_REGRESSORS, theta, 1, 5);
	rows = regression_rows(&sample, ROWS_MAX_REGRESSORS);
	logit_fit(&rows, false, LOGIT_ML, ERRORS_MODEL, NULL, &fit);
	assert_int_equal(fit.result.status, FIT_CONVERGED);
	for (size_t i = 0; i < rows.n; i++)
		sample.data[i * (ROWS_MAX_REGRESSORS + 2) + ROWS_MAX_REGRESSORS + 1] *= factor;
	logit_fit(&rows, false, LOGIT_ML, ERRORS_MODEL, NULL, &counted);
	assert_int_equal(counted.result.status, FIT_CONVERGED);
	for (int i = 0; i <= ROWS_MAX_REGRESSORS; i++)
	{
		/* 0.02 is the standard error */
		assert_near(counted.result.theta[i], fit.result.theta[i], 1e-11);
		assert_relative(error_of(&counted, i) * sqrt(factor), error_of(&fit, i), 1e-11);
	}
	sample_free(&sample);
}

/*
 * Rows of all sorts, few and many, with counts up to a billion: there is an answer, or a reason why not, and never a
 * standard error that is 0 or infinite.
 */
static void
test_all_sorts(void **state)
{
	static const double scales[] = {1, 1, 3, 1e-8, 1e8, 1e-100, 1e100};
	static const double centers[] = {0, 0, 1, 2000, 1e9};
	Random		random;
	int			found[3] = {0};
	int			far = 0;

	(void) state;
	random_seed(&random, 16);
	for (int trial = 0; trial < 1500; trial++)
	{
		int			nx = 1 + (int) (5 * random_uniform(&random));
		int			n = 1 + (int) ((trial % 3 ? 30 : 300) * random_uniform(&random));
		double		scale = scales[trial % 7];
		double		center = centers[trial % 5];
		double		slope = 3 * random_uniform(&random);
		Sample		sample;
		Rows		rows;

		sample_init(&sample, nx + 1);
		for (int i = 0; i < n; i++)
		{
			double		row[6];
			double		eta = 0;

			for (int j = 0; j < nx; j++)
			{
				double		z = random_normal(&random);

				switch ((trial + j) % 4)
				{
					case 0:
						z = z > 0;
						break;
					case 1:
						z = exp(2 * z);
						break;
					case 2:
						z = floor(z);
				}
				eta += slope * (j % 2 ? z : -0.5 * z);
				row[j] = center + scale * z;
			}
			row[nx] = random_uniform(&random) < (trial % 4 ? 1 / (1 + exp(-eta)) : 0.02);
			sample_add(&sample, row, trial % 6 ? 1 : 1 + floor(1e9 * random_uniform(&random)));
		}
		rows = regression_rows(&sample, nx);
		for (LogitMethod method = LOGIT_ML; method <= LOGIT_FIRTH; method++)
		{
			LogitFit	fit;
			bool		reached;

			logit_fit(&rows, false, method, trial % 2 && method == LOGIT_ML ? ERRORS_HC1 : ERRORS_MODEL, NULL, &fit);
			reached = fit.result.status == FIT_CONVERGED;
			found[0] += reached;
			found[1] += fit.separated;
			found[2] += !reached && !fit.separated;
			/* a maximum that exists may lie where probabilities are 0 and 1 to hundreds of digits */
			if (!reached && !fit.separated && memcmp(fit.result.reason, "y is ", 5) != 0)
			{
				assert_int_equal(method, LOGIT_ML);
				far++;
			}
			for (int i = 0; reached && i <= nx; i++)
				assert_true(isnan(fit.result.theta[i]) || (error_of(&fit, i) > 0 && isfinite(error_of(&fit, i))));
		}
		sample_free(&sample);
	}
	assert_true(found[0] > 1000 && found[1] > 100 && found[2] > 100 && far <= 2);
}

static void
test_one_cluster(void **state)
{
	double		data[] = {1, 0, 0, 5, 1, 0, 1, 4, 1, 1, 0, 6, 1, 1, 1, 7};
	Rows		rows = {4, 1, data, 2, NAN};
	LogitFit	fit;

	(void) state;
	logit_fit(&rows, true, LOGIT_ML, ERRORS_CR1, NULL, &fit);
	assert_int_equal(fit.result.status, FIT_IMPOSSIBLE);
	assert_string_equal(fit.result.reason, "there is only one cluster");
	/* with two clusters there is one degree of freedom, enough for a test of one effect */
	data[12] = 2;
	logit_fit(&rows, true, LOGIT_ML, ERRORS_CR1, NULL, &fit);
	assert_int_equal(fit.result.status, FIT_CONVERGED);
	assert_true(fit.record.df == 1 && fit.record.clusters == 2 && fit.record.statistic > 0);
}

/* ---- mean responses ------------------------------------------------------------------------------ */

/* Gradients against differences, with counts, a dropped column, and a lift that the upper end clips. */
static void
test_gradients(void **state)
{
	static const double theta[] = {-0.3, 1.1, NAN, -0.6, 0.8};
	double		data[] = {
		0.2, 5, 1, 0.5, 0, 3, 0.7, 4, 0, 1.5, 1, 2, 0.95, 6, 1, -0.4, 0, 1, 0.99, 2, 0, 0.1, 1, 7,
	};
	Rows		rows = {4, 1, data, 4, NAN};
	Shift		lift = {0, 0.1, 0, 1};
	MeanChange	change;
	MarginalEffects effects;

	(void) state;
	assert_true(mean_change(&logit_model, theta, 4, &rows, &lift, NULL, &change));
	assert_relative(change.clipped, 8.0 / 13, 1e-14);
	assert_true(marginal_effects(&logit_model, theta, 4, &rows, true, NULL, &effects));
	assert_true(!effects.discrete[0] && !effects.discrete[1] && effects.discrete[2] && !effects.discrete[3]);
	assert_true(isnan(effects.effect[1]));
	for (int k = 0; k < 5; k++)
	{
		MeanChange	high;
		MeanChange	low;
		MarginalEffects more;
		MarginalEffects less;
		double		moved[5];
		double		h = 1e-5;

		if (isnan(theta[k]))
		{
			assert_true(change.gradient_change[k] == 0 && change.gradient_before[k] == 0);
			continue;
		}
		memcpy(moved, theta, sizeof(moved));
		moved[k] = theta[k] + h;
		assert_true(mean_change(&logit_model, moved, 4, &rows, &lift, NULL, &high));
		assert_true(marginal_effects(&logit_model, moved, 4, &rows, true, NULL, &more));
		moved[k] = theta[k] - h;
		assert_true(mean_change(&logit_model, moved, 4, &rows, &lift, NULL, &low));
		assert_true(marginal_effects(&logit_model, moved, 4, &rows, true, NULL, &less));
		assert_near(change.gradient_before[k], (high.before - low.before) / (2 * h), 1e-9);
		assert_near(change.gradient_change[k], (high.change - low.change) / (2 * h), 1e-9);
		for (int j = 0; j < 4; j++)
			if (j != 1)
				assert_near(effects.gradient[j * 5 + k], (more.effect[j] - less.effect[j]) / (2 * h), 1e-9);
	}
	/* a line has its slopes as effects */
	assert_true(marginal_effects(&lm_model, theta, 4, &rows, false, NULL, &effects));
	assert_relative(effects.effect[0], 1.1, 1e-15);
	assert_relative(effects.gradient[1], 1, 1e-15);
	lift.high = 0.9;
	assert_true(mean_change(&logit_model, theta, 4, &rows, &lift, NULL, &change));
	assert_ptr_equal(change.outside, data + 12 + 4);
	rows.n = 0;
	assert_true(mean_change(&logit_model, theta, 4, &rows, &lift, NULL, &change));
	assert_true(isnan(change.before) && isnan(change.change));
}

/* ---- cancelling ---------------------------------------------------------------------------------- */

typedef struct Questions
{
	int			asked;
	int			end_at;
} Questions;

static bool
end_at_question(void *arg)
{
	Questions  *questions = arg;

	return ++questions->asked == questions->end_at;
}

/* A computation that is asked to end does, whenever it is asked. */
static void
test_stop(void **state)
{
	static const double theta[] = {0, 1, 1};
	Questions	questions = {0, 0};
	FitStop		stop = {end_at_question, &questions};
	Random		random;
	Sample		sample;
	Rows		rows;
	LogitFit	fit;
	int			asked;

	(void) state;
	random_seed(&random, 15);
	simulate(&sample, &random, 20000, 2, theta, 1, 0);
	rows = regression_rows(&sample, 2);
	for (int k = 0; k < 3; k++)
	{
		questions = (Questions) {0, 0};
		logit_fit(&rows, false, k == 2, k == 1 ? ERRORS_HC0 : ERRORS_MODEL, &stop, &fit);
		assert_int_equal(fit.result.status, FIT_CONVERGED);
		asked = questions.asked;
		assert_true(asked > 20);
		for (int end = 1; end <= asked; end++)
		{
			questions = (Questions) {0, end};
			logit_fit(&rows, false, k == 2, k == 1 ? ERRORS_HC0 : ERRORS_MODEL, &stop, &fit);
			assert_int_equal(fit.result.status, FIT_STOPPED);
			assert_int_equal(questions.asked, end);
		}
	}
	for (int end = 1; end <= 5; end++)
	{
		MarginalEffects effects;
		MeanChange	change;

		questions = (Questions) {0, end};
		assert_false(marginal_effects(&logit_model, theta, 2, &rows, true, &stop, &effects));
		questions = (Questions) {0, end};
		assert_false(mean_change(&logit_model, theta, 2, &rows, NULL, &stop, &change));
	}
	sample_free(&sample);
}

/* The share is 1 to the last bit where all rows are clipped: it is compared with 1. */
static void
test_all_clipped(void **state)
{
	const double theta[] = {0, 1};
	const Shift shift = {0, 2, 0, 1};
	MeanChange	change;

	(void) state;
	for (int n = 1; n <= 24; n++)
	{
		double		data[24 * 3];
		Rows		rows = {n, 1, data, 1, NAN};

		for (int i = 0; i < n; i++)
			memcpy(data + 3 * i, (double[]) {(double) i / n, 0, 1 + i % 3}, 3 * sizeof(double));
		assert_true(mean_change(&logit_model, theta, 1, &rows, &shift, NULL, &change));
		assert_true(change.clipped == 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spector),
		cmocka_unit_test(test_spector_effects),
		cmocka_unit_test(test_firth_table),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_wald),
		cmocka_unit_test(test_separation),
		cmocka_unit_test(test_separating_columns),
		cmocka_unit_test(test_recovery),
		cmocka_unit_test(test_scales),
		cmocka_unit_test(test_out_of_range),
		cmocka_unit_test(test_dependent_columns),
		cmocka_unit_test(test_nothing_to_tell),
		cmocka_unit_test(test_many_columns),
		cmocka_unit_test(test_all_sorts),
		cmocka_unit_test(test_one_cluster),
		cmocka_unit_test(test_gradients),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_all_clipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
