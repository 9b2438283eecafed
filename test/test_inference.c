/*
 * test_inference.c - intervals of predictions, counts and tests; cohorts drawn towards their center.
 */
#include "support.h"

#include <math.h>
#include <string.h>

#include "math/inference.h"
#include "math/shrink.h"

#define Z95 1.9599639845400542

static const double bg[] = {.2426, 4.4136, .7929, 2.4259};

/* ---- intervals --------------------------------------------------------------------------------- */

static double
product(const double *theta, const double *second, void *arg)
{
	(void) arg;
	return theta[0] * theta[1] * theta[1] * (second ? second[0] : 1);
}

static double
share(const double *theta, const double *second, void *arg)
{
	(void) second;
	(void) arg;
	return theta[0] / (theta[0] + theta[1]);
}

static double
loss(const double *theta, const double *second, void *arg)
{
	(void) second;
	(void) arg;
	return 1 - theta[0];
}

static double
nothing(const double *theta, const double *second, void *arg)
{
	(void) theta;
	(void) second;
	(void) arg;
	return 0;
}

/* r above a bound just below its estimate, as the mean of the gamma-gamma model needs q > 1 */
static double
bounded(const double *theta, const double *second, void *arg)
{
	(void) second;
	(void) arg;
	return theta[0] > .4999 ? theta[0] : NAN;
}

/* from the third poll on */
static bool
stop_at_third(void *arg)
{
	return ++*(int *) arg >= 3;
}

/* d log(r alpha^2) = (1, 2), d logit(r / (r + alpha)) = (1, -1) in (log r, log alpha) */
static void
test_prediction_interval(void **state)
{
	static const double theta[] = {.5, 3, .8, 2};
	static const double covariance[16] = {.04, .01, 0, 0, .01, .09, 0, 0, 0, 0, .1, 0, 0, 0, 0, .1};
	FittedModel fit = {&bgnbd_model, 4, theta, covariance};
	FittedModel known = {&bgnbd_model, 4, theta, NULL};
	int			polls = 0;
	FitStop		stop = {stop_at_third, &polls};
	double		value;
	double		error = sqrt(.04 + 4 * .01 + 4 * .09);
	Estimate	e = prediction_interval(product, NULL, &fit, NULL, PREDICTION_LOG, .95, NULL, &value);

	(void) state;
	assert_relative(value, 4.5, 1e-15);
	assert_relative(e.std_error, 4.5 * error, 1e-9);
	assert_relative(e.conf_low, 4.5 * exp(-Z95 * error), 1e-9);
	assert_relative(e.conf_high, 4.5 * exp(Z95 * error), 1e-9);

	/* the second fit is independent of the first: variances add; a known one adds none */
	e = prediction_interval(product, NULL, &fit, &fit, PREDICTION_LOG, .95, NULL, &value);
	assert_relative(e.std_error, 2.25 * sqrt(.44 + .04), 1e-9);
	e = prediction_interval(product, NULL, &fit, &known, PREDICTION_LOG, .95, NULL, &value);
	assert_relative(e.std_error, 2.25 * sqrt(.44), 1e-9);

	error = sqrt(.04 - 2 * .01 + .09);
	e = prediction_interval(share, NULL, &fit, NULL, PREDICTION_LOGIT, .95, NULL, &value);
	assert_relative(value, 1 / 7.0, 1e-15);
	assert_relative(e.std_error, 6 / 49.0 * error, 1e-9);
	assert_relative(e.conf_low, 1 / (1 + 6 * exp(Z95 * error)), 1e-9);
	assert_relative(e.conf_high, 1 / (1 + 6 * exp(-Z95 * error)), 1e-9);

	/* where the logarithm has no meaning: the scale of the value, and a value that nothing moves */
	e = prediction_interval(loss, NULL, &fit, NULL, PREDICTION_LOG, .95, NULL, &value);
	assert_relative(e.conf_high, .5 * exp(Z95 * .2), 1e-9);

	/* what does not exist nearby has no error of 0 */
	e = prediction_interval(bounded, NULL, &fit, NULL, PREDICTION_LOG, .95, NULL, &value);
	assert_true(value == .5 && isnan(e.std_error) && isnan(e.conf_low) && isnan(e.conf_high));
	e = prediction_interval(product, NULL, &fit, NULL, PREDICTION_LOG, .95, &stop, &value);
	assert_true(isnan(e.std_error) && polls >= 3);
	e = prediction_interval(nothing, NULL, &fit, NULL, PREDICTION_LOG, .95, NULL, &value);
	assert_true(e.std_error == 0 && e.conf_low == 0 && e.conf_high == 0);
	fit.theta = (double[]) {3, 1, 1, 1};
	e = prediction_interval(loss, NULL, &fit, NULL, PREDICTION_LOG, .95, NULL, &value);
	assert_relative(value, -2, 1e-15);
	assert_relative(e.conf_low, -2 - Z95 * .6, 1e-9);
	assert_relative(e.conf_high, -2 + Z95 * .6, 1e-9);
}

static void
test_real_estimate(void **state)
{
	Estimate	e = real_estimate(-.5, .04, .95);

	(void) state;
	assert_relative(e.std_error, .2, 1e-15);
	assert_relative(e.conf_low, -.5 - Z95 * .2, 1e-14);
	assert_relative(e.conf_high, -.5 + Z95 * .2, 1e-14);
}

static void
test_count_interval(void **state)
{
	static const Customer customers[] = {{0, 0, 0}, {4, 24.43, 33.57}, {26, 30.86, 31}};

	(void) state;
	for (int i = 0; i < 3; i++)
	{
		double		low;
		double		high;
		double		below = 0;
		double		inside = 0;

		assert_true(count_interval(&bgnbd_model, bg, &customers[i], 39, .9, NULL, &low, &high));
		for (double n = 0; n <= high; n++)
		{
			double		p = bgnbd_model.purchase_probability(bg, &customers[i], n, 39);

			below += n < low ? p : 0;
			inside += n >= low ? p : 0;
		}
		assert_true(below <= .05 && below + inside >= .95);
		assert_true(below + bgnbd_model.purchase_probability(bg, &customers[i], low, 39) > .05);
		assert_true(below + inside - bgnbd_model.purchase_probability(bg, &customers[i], high, 39) < .95);
	}
}

static void
test_count_interval_stops(void **state)
{
	int			polls = 0;
	FitStop		stop = {stop_at_third, &polls};
	double		low;
	double		high;

	(void) state;
	/* polled for every count, as one may take long: 90 percent of this customer's are within 100 */
	assert_true(count_interval(&bgnbd_model, bg, &(Customer) {26, 30.86, 31}, 39, .9, NULL, &low, &high));
	assert_true(high > 3 && high < 100);
	assert_false(count_interval(&bgnbd_model, bg, &(Customer) {26, 30.86, 31}, 39, .9, &stop, &low, &high));
	assert_int_equal(polls, 3);
}

/* the quantiles in every table */
static void
test_chi_square(void **state)
{
	(void) state;
	assert_relative(chi_square_tail(3.841458820694124, 1), .05, 1e-12);
	assert_relative(chi_square_tail(18.307038053275146, 10), .05, 1e-12);
	assert_relative(chi_square_tail(0, 3), 1, 1e-15);
}

/* ---- shrinkage --------------------------------------------------------------------------------- */

/*
 * Thirteen trials of the BCG vaccine (Colditz et al. 1994), log relative risks and their variances as
 * published with metafor's documentation, where DerSimonian and Laird's variance between trials is .3088.
 */
static void
test_bcg_trials(void **state)
{
	static const double eta[] = {-.8893, -1.5854, -1.3481, -1.4416, -.2175, -.7861, -1.6209, .0120, -.4694, -1.3713,
								 -.3394, .4459, -.0173};
	static const double variance[] = {.3256, .1946, .4154, .0200, .0512, .0069, .2230, .0040, .0564, .0730, .0124,
									  .5325, .0714};
	double		between;

	(void) state;
	assert_true(between_covariance(eta, variance, 13, 1, NULL, &between));
	assert_near(between, .3088, 2e-3);	/* the inputs have four decimals */
}

/* In two dimensions without correlation each is as if alone; no difference gives none, not a negative one. */
static void
test_diagonal(void **state)
{
	static const double eta[] = {0, .1, 1, .1, 2, .1, 3, .1};
	double		covariance[4 * 4] = {0};
	double		between[4];

	(void) state;
	for (int c = 0; c < 4; c++)
	{
		covariance[4 * c] = .25;
		covariance[4 * c + 3] = .5;
	}
	assert_true(between_covariance(eta, covariance, 4, 2, NULL, between));
	assert_relative(between[0], 5.0 / 3 - .25, 1e-12);	/* variance of 0..3 less that of an estimate */
	assert_near(between[1], 0, 1e-12);
	assert_near(between[3], 0, 1e-12);
	covariance[0] = 0;
	assert_false(between_covariance(eta, covariance, 4, 2, NULL, between));
}

/* Planted: covariance between cohorts .3, .1, .2; estimates with errors of their own size and correlation. */
static void
test_planted_between(void **state)
{
	enum
	{
		COHORTS = 4000
	};
	static double eta[COHORTS * 2];
	static double covariance[COHORTS * 4];
	int			polls = 0;
	FitStop		stop = {stop_at_third, &polls};
	double		between[4];
	Random		random;

	(void) state;
	random_seed(&random, 3);
	for (int c = 0; c < COHORTS; c++)
	{
		double		z[4];
		double		size = .1 + random_uniform(&random);

		for (int i = 0; i < 4; i++)
			z[i] = random_normal(&random);
		eta[2 * c] = 1 + sqrt(.3) * z[0] + sqrt(size) * z[2];
		eta[2 * c + 1] = 2 + .1 / sqrt(.3) * z[0] + sqrt(.2 - .01 / .3) * z[1] +
			sqrt(size) * (.6 * z[2] + .8 * z[3]);
		covariance[4 * c] = covariance[4 * c + 3] = size;
		covariance[4 * c + 1] = covariance[4 * c + 2] = .6 * size;
	}
	assert_false(between_covariance(eta, covariance, COHORTS, 2, &stop, between));
	assert_int_equal(polls, 3);
	assert_true(between_covariance(eta, covariance, COHORTS, 2, NULL, between));
	assert_near(between[0], .3, .05);
	assert_near(between[1], .1, .04);
	assert_true(between[1] == between[2]);
	assert_near(between[3], .2, .04);
}

/*
 * Covariances that are not in proportion, so that weights do not commute: the same equation solved with 40 digits.
 * That E[Q] = (m - 1) I + (A - sum of W_c A^-1 W_c) S was checked by 400,000 draws for these covariances.
 */
static void
test_unlike_covariances(void **state)
{
	static const double eta[] = {6, 3, -5, -7, 3, -4, -3, 8};
	static const double covariance[] = {.5, .3, .3, .25, .5, .3, .3, .25, .1, -.05, -.05, .6, .1, -.05, -.05, .6};
	double		between[4];

	(void) state;
	assert_true(between_covariance(eta, covariance, 4, 2, NULL, between));
	assert_relative(between[0], 12.69362032189257, 1e-12);
	assert_relative(between[1], 3.047004072134962, 1e-12);
	assert_true(between[1] == between[2]);
	assert_relative(between[3], 14.90018421562924, 1e-12);
}

/* One dimension, by hand: own precision 4, the prior's 1, weight .8. */
static void
test_shrink_estimate(void **state)
{
	double		eta = 2;
	double		variance = .25;
	double		precision;

	(void) state;
	assert_true(prior_precision((double[]) {1}, 1, 1e-6, &precision));
	assert_relative(shrink_estimate(&eta, &variance, (double[]) {1}, &precision, 1), .8, 1e-14);
	assert_relative(eta, 1.8, 1e-14);
	assert_relative(variance, .2, 1e-14);
	/* a direction without variance between cohorts is pulled all the way, as far as `least` allows */
	assert_true(prior_precision((double[]) {0}, 1, 1e-6, &precision));
	assert_relative(precision, 1e6, 1e-14);
}

static void
simulate_cohort(uint64_t seed, int customers, Sample *sample)
{
	Random		random;

	random_seed(&random, seed);
	sample_init(sample, 3);
	for (int i = 0; i < customers; i++)
	{
		double		row[3];

		simulate_bgnbd(&random, bg, 20 + 58 * random_uniform(&random), 0, row);
		sample_add(sample, row, 1);
	}
	sample_fold(sample);
}

static void
set_prior(FitPrior *prior, double *center, double *precision, double strength)
{
	memset(precision, 0, 16 * sizeof(double));
	for (int i = 0; i < 4; i++)
	{
		center[i] = log(bg[i]) + .1;
		precision[5 * i] = strength;
	}
	*prior = (FitPrior) {center, precision};
}

/* A weak prior leaves the maximum, a strong one leaves nothing else; between, it is where both slopes cancel. */
static void
test_fit_with_prior(void **state)
{
	double		center[4];
	double		precision[16];
	FitPrior	prior;
	Sample		sample;
	FitResult	alone;
	FitResult	fit;
	double		grad[4];

	(void) state;
	simulate_cohort(5, 2000, &sample);
	btyd_fit(&bgnbd_model, &sample.rows, NULL, NULL, &alone);
	assert_int_equal(alone.status, FIT_CONVERGED);
	assert_true(alone.own_weight == 1);

	set_prior(&prior, center, precision, 1e-8);
	btyd_fit(&bgnbd_model, &sample.rows, &prior, NULL, &fit);
	assert_int_equal(fit.status, FIT_CONVERGED);
	for (int i = 0; i < 4; i++)
		assert_relative(fit.theta[i], alone.theta[i], 1e-6);
	assert_near(fit.own_weight, 1, 1e-6);

	set_prior(&prior, center, precision, 1e9);
	btyd_fit(&bgnbd_model, &sample.rows, &prior, NULL, &fit);
	for (int i = 0; i < 4; i++)
		assert_relative(log(fit.theta[i]), center[i], 1e-4);
	assert_near(fit.own_weight, 0, 1e-4);

	set_prior(&prior, center, precision, 100);
	btyd_fit(&bgnbd_model, &sample.rows, &prior, NULL, &fit);
	assert_int_equal(fit.status, FIT_CONVERGED);
	assert_true(fit.log_likelihood == bgnbd_model.log_likelihood(&sample.rows, fit.theta, grad, NULL, NULL));
	for (int i = 0; i < 4; i++)
		assert_near(fit.theta[i] * grad[i], 100 * (log(fit.theta[i]) - center[i]), 1e-5);
	assert_true(fit.own_weight > .1 && fit.own_weight < .9);
	sample_free(&sample);
}

/* Five customers, none of whom came back, say a little all the same. */
static void
test_tiny_cohort_with_prior(void **state)
{
	double		center[4];
	double		precision[16];
	FitPrior	prior;
	Sample		sample;
	FitResult	fit;

	(void) state;
	sample_init(&sample, 3);
	sample_add(&sample, (double[]) {0, 0, 39}, 5);
	set_prior(&prior, center, precision, 4);
	btyd_fit(&bgnbd_model, sample_fold(&sample), &prior, NULL, &fit);
	assert_int_equal(fit.status, FIT_CONVERGED);
	assert_true(fit.theta[0] / fit.theta[1] < exp(center[0] - center[1]));
	assert_true(fit.own_weight > 0 && fit.own_weight < .5);
	for (int i = 0; i < 4; i++)
		assert_true(fit.covariance[5 * i] > 0 && fit.covariance[5 * i] <= .25 * (1 + 1e-12));

	/* hardly a prior: the search runs off, and does not claim that the data alone have spoken */
	for (int i = 0; i < 16; i++)
		precision[i] *= 1e-12;
	btyd_fit(&bgnbd_model, &sample.rows, &prior, NULL, &fit);
	assert_int_equal(fit.status, FIT_NOT_CONVERGED);
	assert_true(fit.own_weight == 0);
	sample.rows.n = 0;
	btyd_fit(&bgnbd_model, &sample.rows, &prior, NULL, &fit);
	assert_int_equal(fit.status, FIT_IMPOSSIBLE);
	assert_non_null(fit.reason);
	sample_free(&sample);
}

/* tails by the incomplete beta function at 30 digits; a quantile from tables, and that which its own tail gives back */
static void
test_student(void **state)
{
	static const double tails[][3] = {
		{1, 1, .5}, {8, 30, 6.2658224757007589e-9}, {15, 100, 2.424733988461147e-27},
		{2, 1000, .04577034649325164}, {5, 1e6, 5.7339978708907416e-7}, {1e-8, 7, .99999999230017098},
	};
	Estimate	e = t_estimate(3, 4, 11, .95);

	(void) state;
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++)
		assert_near(t_p_value(-tails[i][0], tails[i][1]) / tails[i][2], 1, 1e-10);
	assert_near(t_p_value(1.959963984540054, NAN), .05, 1e-15);
	assert_near(e.conf_high, 3 + 2 * 2.2009851600916398, 1e-13);
	assert_near(e.conf_low, 3 - 2 * 2.2009851600916398, 1e-13);
	for (double df = 1; df < 1e7; df *= 7)
		assert_near(t_p_value(t_estimate(0, 1, df, .99).conf_high, df), .01, 1e-12);
	/* F with one degree of freedom is t squared */
	assert_near(f_tail(9, 1, 20) / t_p_value(3, 20), 1, 1e-12);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prediction_interval),
		cmocka_unit_test(test_real_estimate),
		cmocka_unit_test(test_count_interval),
		cmocka_unit_test(test_count_interval_stops),
		cmocka_unit_test(test_chi_square),
		cmocka_unit_test(test_student),
		cmocka_unit_test(test_bcg_trials),
		cmocka_unit_test(test_diagonal),
		cmocka_unit_test(test_planted_between),
		cmocka_unit_test(test_unlike_covariances),
		cmocka_unit_test(test_shrink_estimate),
		cmocka_unit_test(test_fit_with_prior),
		cmocka_unit_test(test_tiny_cohort_with_prior),
	};

	return cmocka_run_group_tests_name("inference", tests, NULL, NULL);
}
