/*
 * test_covariates.c - covariates in the likelihood and in the fit: against the model's own likelihood
 * customer by customer, against differences, and by recovery of planted effects.
 */
#include "support.h"

#include <math.h>
#include <string.h>

#include "math/covariates.h"
#include "math/fit.h"
#include "math/inference.h"

#define BASE 4
#define N 2						/* covariates of the tests */
#define NPARAMS (BASE + 2 * N)

/* All models with covariates, and a customer's parameters of each as FORMULAS define them. */
static const double theta[NPARAMS] = {.7, 9, .9, 2.5, .3, -.2, .25, .15};
static const CovariateFrame plain = {{0, 0}, {1, 1}};

static bool
takes_covariates(int code)
{
	return model_kind_by_code(code)->covariates != COVARIATES_NONE;
}

static void
customer_theta(const ModelKind *model, const double *z, double *theta_z)
{
	double		u = theta[4] * z[0] + theta[5] * z[1];
	double		v = theta[6] * z[0] + theta[7] * z[1];

	memcpy(theta_z, theta, BASE * sizeof(double));
	theta_z[1] = theta[1] * exp(-u);
	if (model->covariates == COVARIATES_DROPOUT_RATE)
		theta_z[3] = theta[3] * exp(-v);
	else
	{
		double		sum = theta[2] + theta[3];
		double		odds = theta[2] / theta[3] * exp(v);

		theta_z[2] = sum * odds / (1 + odds);
		theta_z[3] = sum / (1 + odds);
	}
}

/* Customers who share their covariates (0 or 1), and some with covariates of their own. */
static void
simulate_rows(const ModelKind *model, Random *random, int customers, double start, Sample *sample)
{
	sample_init(sample, N + 3);
	for (int i = 0; i < customers; i++)
	{
		double		z[N] = {i % 2, i % 5 == 0 ? random_normal(random) : 1};
		double		theta_z[BASE];
		double		row[N + 3] = {start + z[0], z[1]};

		customer_theta(model, z, theta_z);
		simulate_customer(model, random, theta_z, 20 + 58 * random_uniform(random), row + N);
		sample_add(sample, row, 1);
	}
	sample_fold(sample);
	sample->rows.ncovariates = N;
	sample->rows.ncols = 3;
}

static void
sample_done(Sample *sample)
{
	sample->rows.ncols = N + 3;
	sample_free(sample);
}

/* The likelihood is the sum over customers, each with parameters of his own. */
static void
test_definition(void **state)
{
	(void) state;
	for (int code = 1; model_kind_by_code(code) != NULL; code++)
	{
		const ModelKind *model = model_kind_by_code(code);
		Random		random;
		Sample		sample;
		double		sum = 0;
		double		grad[NPARAMS];
		double		hess[NPARAMS * NPARAMS];

		if (!takes_covariates(code))
			continue;
		random_seed(&random, 7);
		simulate_rows(model, &random, 500, 0, &sample);
		for (size_t i = 0; i < sample.rows.n; i++)
		{
			const double *row = rows_at(&sample.rows, i);
			Rows		one = {1, 3, row, 0, NAN};
			double		theta_z[BASE];

			customer_theta(model, row - N, theta_z);
			sum += model->log_likelihood(&one, theta_z, NULL, NULL, NULL);
		}
		assert_relative(covariates_log_likelihood(model, &sample.rows, &plain, theta, grad, hess, NULL), sum, 1e-13);
		sample_done(&sample);
	}
}

static void
test_derivatives(void **state)
{
	(void) state;
	for (int code = 1; model_kind_by_code(code) != NULL; code++)
	{
		const ModelKind *model = model_kind_by_code(code);
		Random		random;
		Sample		sample;
		double		grad[NPARAMS];
		double		hess[NPARAMS * NPARAMS];

		if (!takes_covariates(code))
			continue;
		random_seed(&random, 8);
		simulate_rows(model, &random, 300, 0, &sample);
		covariates_log_likelihood(model, &sample.rows, &plain, theta, grad, hess, NULL);
		for (int i = 0; i < NPARAMS; i++)
		{
			double		h = 1e-3 * fabs(theta[i]);
			double		values[4];
			double		grads[4][NPARAMS];
			double		unused[NPARAMS * NPARAMS];

			for (int k = 0; k < 4; k++)
			{
				static const int steps[] = {-2, -1, 1, 2};
				double		moved[NPARAMS];

				memcpy(moved, theta, sizeof(moved));
				moved[i] += steps[k] * h;
				values[k] = covariates_log_likelihood(model, &sample.rows, &plain, moved, grads[k], unused, NULL);
			}
			assert_relative(grad[i], (8 * (values[2] - values[1]) - (values[3] - values[0])) / (12 * h), 1e-6);
			for (int j = 0; j < NPARAMS; j++)
				assert_near(hess[i * NPARAMS + j],
							(8 * (grads[2][j] - grads[1][j]) - (grads[3][j] - grads[0][j])) / (12 * h),
							1e-7 * sqrt(fabs(hess[i * (NPARAMS + 1)] * hess[j * (NPARAMS + 1)])));
		}
		sample_done(&sample);
	}
}

static void
test_jacobian(void **state)
{
	static const double z[N] = {1.5, -2};

	(void) state;
	for (int code = 1; model_kind_by_code(code) != NULL; code++)
	{
		const ModelKind *model = model_kind_by_code(code);
		double		jacobian[BASE * NPARAMS];
		double		at[BASE];
		double		defined[BASE];

		if (!takes_covariates(code))
			continue;
		covariates_apply(model, theta, z, N, at, jacobian);
		customer_theta(model, z, defined);
		for (int i = 0; i < BASE; i++)
			assert_relative(at[i], defined[i], 1e-14);
		for (int j = 0; j < NPARAMS; j++)
		{
			double		moved[NPARAMS];
			double		up[BASE];
			double		down[BASE];
			double		h = 1e-5;

			memcpy(moved, theta, sizeof(moved));
			moved[j] = j < BASE ? theta[j] * exp(h) : theta[j] + h;
			covariates_apply(model, moved, z, N, up, NULL);
			moved[j] = j < BASE ? theta[j] * exp(-h) : theta[j] - h;
			covariates_apply(model, moved, z, N, down, NULL);
			for (int i = 0; i < BASE; i++)
				assert_near(jacobian[i * NPARAMS + j], log(up[i] / down[i]) / (2 * h), 1e-8);
		}
	}
}

/* Planted effects are found, also where a covariate is a year; the zero of a covariate moves only the base. */
static void
test_recovery(void **state)
{
	(void) state;
	for (int code = 1; model_kind_by_code(code) != NULL; code++)
	{
		const ModelKind *model = model_kind_by_code(code);
		FitResult	fits[2];

		if (!takes_covariates(code))
			continue;
		for (int k = 0; k < 2; k++)
		{
			Random		random;
			Sample		sample;

			random_seed(&random, 9);
			simulate_rows(model, &random, 20000, k == 0 ? 0 : 2024, &sample);
			btyd_fit(model, &sample.rows, NULL, NULL, &fits[k]);
			assert_int_equal(fits[k].status, FIT_CONVERGED);
			assert_int_equal(fits[k].nparams, NPARAMS);
			sample_done(&sample);
		}
		for (int i = 0; i < NPARAMS; i++)
		{
			double		error = sqrt(fits[0].covariance[i * (NPARAMS + 1)]);
			double		distance = i < BASE ? log(fits[0].theta[i] / theta[i]) : fits[0].theta[i] - theta[i];

			if (model->nparams == BASE && fabs(distance) > 3.5 * error)
				fail_msg("%s: parameter %d is %g, planted %g, standard error %g", model->title, i,
						 fits[0].theta[i], theta[i], error);
		}
		for (int i = BASE; i < NPARAMS; i++)
		{
			assert_near(fits[0].theta[i], fits[1].theta[i], 1e-6);
			assert_relative(fits[0].covariance[i * (NPARAMS + 1)], fits[1].covariance[i * (NPARAMS + 1)], 1e-6);
		}
		assert_relative(fits[0].log_likelihood, fits[1].log_likelihood, 1e-12);
		print_message("%s: effects %.3f %.3f (planted .3 -.2), %.3f %.3f (.25 .15)\n", model->title,
					  fits[0].theta[4], fits[0].theta[5], fits[0].theta[6], fits[0].theta[7]);
	}
}

/* The 95 % intervals of effects hold the planted ones as often as they say, over 200 cohorts of 2,000. */
static void
test_coverage(void **state)
{
	enum
	{
		COHORTS = 200
	};

	(void) state;
	for (int code = 1; model_kind_by_code(code) != NULL; code++)
	{
		const ModelKind *model = model_kind_by_code(code);
		int			covered[NPARAMS] = {0};

		for (int cohort = 0; cohort < COHORTS && takes_covariates(code); cohort++)
		{
			Random		random;
			Sample		sample;
			FitResult	fit;

			random_seed(&random, 300 + cohort);
			simulate_rows(model, &random, 2000, 0, &sample);
			btyd_fit(model, &sample.rows, NULL, NULL, &fit);
			sample_done(&sample);
			assert_int_equal(fit.status, FIT_CONVERGED);
			for (int i = BASE; i < NPARAMS; i++)
			{
				Estimate	e = real_estimate(fit.theta[i], fit.covariance[i * (NPARAMS + 1)], .95);

				covered[i] += e.conf_low <= theta[i] && theta[i] <= e.conf_high;
			}
		}
		for (int i = BASE; i < NPARAMS && takes_covariates(code); i++)
		{
			print_message("%s: the interval of effect %d covers %.1f %%\n", model->title, i - BASE + 1,
						  100.0 * covered[i] / COHORTS);
			assert_true(covered[i] >= .91 * COHORTS && covered[i] <= .98 * COHORTS);
		}
	}
}

static void
test_undetermined(void **state)
{
	Random		random;
	Sample		sample;
	FitResult	fit;

	(void) state;
	random_seed(&random, 10);
	simulate_rows(&bgnbd_model, &random, 500, 0, &sample);
	for (size_t i = 0; i < sample.rows.n; i++)
		sample.data[i * (N + 4) + 1] = 3;
	btyd_fit(&bgnbd_model, &sample.rows, NULL, NULL, &fit);
	assert_int_equal(fit.status, FIT_IMPOSSIBLE);
	assert_non_null(strstr(fit.reason, "the same for all"));

	/* one covariate follows from the other */
	for (size_t i = 0; i < sample.rows.n; i++)
		sample.data[i * (N + 4) + 1] = 5 - 2 * sample.data[i * (N + 4)];
	btyd_fit(&bgnbd_model, &sample.rows, NULL, NULL, &fit);
	assert_int_equal(fit.status, FIT_IMPOSSIBLE);
	assert_non_null(strstr(fit.reason, "determine one another"));
	assert_non_null(fit.hint);
	sample_done(&sample);
}

static bool
stop_at_once(void *arg)
{
	*(int *) arg += 1;
	return true;
}

/* Long before the first likelihood: the passes over the rows that standardise the covariates. */
static void
test_stops_at_the_frame(void **state)
{
	int			polls = 0;
	FitStop		stop = {stop_at_once, &polls};
	CovariateFrame frame;
	Random		random;
	Sample		sample;
	FitResult	fit;

	(void) state;
	random_seed(&random, 11);
	simulate_rows(&bgnbd_model, &random, 200, 0, &sample);
	assert_null(covariates_frame(&sample.rows, &stop, &frame));
	assert_int_equal(polls, 1);
	btyd_fit(&bgnbd_model, &sample.rows, NULL, &stop, &fit);
	assert_int_equal(fit.status, FIT_STOPPED);
	assert_int_equal(polls, 2);
	sample_done(&sample);
}

/* With covariates of 20,240 and more, alpha at covariates of 0 is exp(6,000): no number, hence no model. */
static void
test_out_of_range(void **state)
{
	Random		random;
	Sample		sample;
	FitResult	fit;

	(void) state;
	random_seed(&random, 11);
	simulate_rows(&bgnbd_model, &random, 5000, 20240, &sample);
	btyd_fit(&bgnbd_model, &sample.rows, NULL, NULL, &fit);
	assert_int_equal(fit.status, FIT_IMPOSSIBLE);
	assert_non_null(strstr(fit.reason, "out of range"));
	assert_non_null(strstr(fit.hint, "Subtract"));
	sample_done(&sample);
}

/*
 * With as many groups as customers the sum is still right to its last digits: plainly added, 200,000 roundings hid
 * the last gain of a fit.
 */
static void
test_many_groups(void **state)
{
	enum
	{
		CUSTOMERS = 100000
	};
	const double base[BASE + 2] = {theta[0], theta[1], theta[2], theta[3], 0, 0};
	double		grad[BASE + 2];
	double		hess[(BASE + 2) * (BASE + 2)];
	long double sum = 0;
	Random		random;
	Sample		sample;

	(void) state;
	random_seed(&random, 12);
	sample_init(&sample, 4);
	for (int i = 0; i < CUSTOMERS; i++)
	{
		double		row[4] = {random_uniform(&random)};

		simulate_customer(&bgnbd_model, &random, theta, 60 + 12 * random_uniform(&random), row + 1);
		sample_add(&sample, row, 1);
	}
	sample_fold(&sample);
	sample.rows.ncovariates = 1;
	sample.rows.ncols = 3;
	for (size_t i = 0; i < sample.rows.n; i++)
	{
		Rows		one = {1, 3, rows_at(&sample.rows, i), 0, NAN};

		sum += bgnbd_model.log_likelihood(&one, base, NULL, NULL, NULL);
	}
	assert_relative(covariates_log_likelihood(&bgnbd_model, &sample.rows, &plain, base, grad, hess, NULL), sum, 1e-15);
	sample.rows.ncols = 4;
	sample_free(&sample);
}

/* Effects that take a customer's parameter to the ends of the numbers have no likelihood, and the search turns back. */
static void
test_effects_out_of_range(void **state)
{
	(void) state;
	for (int code = 1; model_kind_by_code(code) != NULL; code++)
	{
		const ModelKind *model = model_kind_by_code(code);
		double		data[] = {1, 0, 2, 30, 39, 1};
		Rows		rows = {1, 3, data, N, NAN};
		double		far[NPARAMS];
		double		grad[NPARAMS];
		double		hess[NPARAMS * NPARAMS];

		if (!takes_covariates(code))
			continue;
		for (int i = BASE; i < NPARAMS; i += N)
			for (int sign = -1; sign <= 1; sign += 2)
			{
				memcpy(far, theta, sizeof(far));
				far[i] = sign * 800;
				assert_true(isnan(covariates_log_likelihood(model, &rows, &plain, far, grad, hess, NULL)));
			}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_definition),
		cmocka_unit_test(test_derivatives),
		cmocka_unit_test(test_jacobian),
		cmocka_unit_test(test_recovery),
		cmocka_unit_test(test_coverage),
		cmocka_unit_test(test_undetermined),
		cmocka_unit_test(test_effects_out_of_range),
		cmocka_unit_test(test_out_of_range),
		cmocka_unit_test(test_many_groups),
		cmocka_unit_test(test_stops_at_the_frame),
	};

	return cmocka_run_group_tests_name("covariates", tests, NULL, NULL);
}
