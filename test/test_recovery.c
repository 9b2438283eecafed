/*
 * test_recovery.c - known parameters are found again: over 200 simulated cohorts of 2,000 customers
 * the 95 % intervals hold the truth as often as they say, and z on the log scale has the spread it
 * should. Seeds are fixed; the sampling error of a coverage over 200 cohorts is 1.5 percent points.
 */
#include "support.h"

#include <math.h>

#include "math/fit.h"
#include "math/inference.h"

#define COHORTS 200
#define CUSTOMERS 2000

/* Adds one customer. */
typedef void (*Simulate) (Random *random, const double *theta, Sample *sample);

static void
simulate_timing(Random *random, const double *theta, Sample *sample)
{
	double		row[3];

	simulate_bgnbd(random, theta, 20 + 58 * random_uniform(random), 0, row);
	sample_add(sample, row, 1);
}

static void
simulate_spend(Random *random, const double *theta, Sample *sample)
{
	double		row[2] = {1 + floor(random_exponential(random) * 2)};

	row[1] = simulate_mean_spend(random, theta, row[0]);
	sample_add(sample, row, 1);
}

static void
check_recovery(const BtydModel *model, int ncols, Simulate simulate, const double *theta)
{
	int			covered[BTYD_MAX_PARAMS] = {0};
	double		sum[BTYD_MAX_PARAMS] = {0};
	double		squares[BTYD_MAX_PARAMS] = {0};

	for (int cohort = 0; cohort < COHORTS; cohort++)
	{
		Random		random;
		Sample		sample;
		FitResult	fit;

		random_seed(&random, 20000 + cohort);
		sample_init(&sample, ncols);
		for (int i = 0; i < CUSTOMERS; i++)
			simulate(&random, theta, &sample);
		btyd_fit(model, sample_fold(&sample), NULL, NULL, &fit);
		sample_free(&sample);
		assert_int_equal(fit.status, FIT_CONVERGED);
		for (int i = 0; i < model->nparams; i++)
		{
			double		variance = fit.covariance[i * (model->nparams + 1)];
			double		z = log(fit.theta[i] / theta[i]) / sqrt(variance);
			Estimate	estimate = positive_estimate(fit.theta[i], variance, 0.95);

			covered[i] += estimate.conf_low <= theta[i] && theta[i] <= estimate.conf_high;
			sum[i] += z;
			squares[i] += z * z;
		}
	}
	for (int i = 0; i < model->nparams; i++)
	{
		double		mean = sum[i] / COHORTS;
		double		sd = sqrt((squares[i] - COHORTS * mean * mean) / (COHORTS - 1));

		print_message("%s %-5s covered %.1f %%, z has mean %+.2f and standard deviation %.2f\n",
					  model->title, model->params[i], 100.0 * covered[i] / COHORTS, mean, sd);
		assert_true(covered[i] >= 0.91 * COHORTS && covered[i] <= 0.98 * COHORTS);
		assert_near(sd, 1, 0.15);
	}
}

static void
test_bgnbd(void **state)
{
	static const double theta[] = {.2426, 4.4136, .7929, 2.4259};

	(void) state;
	check_recovery(&bgnbd_model, 3, simulate_timing, theta);
}

static void
test_gamma_gamma(void **state)
{
	static const double theta[] = {6.25, 3.74, 15.44};

	(void) state;
	check_recovery(&gamma_gamma_model, 2, simulate_spend, theta);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bgnbd),
		cmocka_unit_test(test_gamma_gamma),
	};

	return cmocka_run_group_tests_name("recovery", tests, NULL, NULL);
}
