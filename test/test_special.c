/*
 * test_special.c - the special functions against references of 40 digits (mpmath: loggamma, psi; for
 * the incomplete beta its positive series or, at whole parameters, the exact binomial sum).
 */
#include "support.h"

#include <math.h>

#include <gsl/gsl_errno.h>

#include "math/special.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* b, d, log_gamma_ratio, digamma_difference, trigamma_difference */
static const double differences[][5] = {
	{0.2426, 5, 2.230052349209857265, 5.9167857609405445267, -17.98812497771033049},
	{1e-9, 3, -20.030118654886465785, 1000000001.4999999365, -999999999999999876.69},
	{4.4, 0.37, 0.52149878134617660698, 0.090192256303933998606, -0.021894824594706377045},
	{2.5, 33, 90.070247395345469106, 2.8522254295926155798, -0.46178827060843689752},
	{0.01, 3000, 21011.499067625442102, 108.56708968347638656, -10001.62088014052922},
	{1e6, 1e-7, 1.3815510057964240146e-6, 1.0000005000001166214e-13, -1.0000010000003999546e-19},
	{1e12, 40, 1105.2408446379219283, 3.999999999922e-11, -3.999999999844e-23},
	{250, 2999.5, 21895.142293224662105, 2.5666429550852556695, -0.0037002236576742091425},
};

static void
test_gamma_differences(void **state)
{
	(void) state;
	for (size_t i = 0; i < LENGTH(differences); i++)
	{
		const double *c = differences[i];

		assert_relative(log_gamma_ratio(c[0], c[1]), c[2], 1e-14);
		assert_relative(digamma_difference(c[0], c[1]), c[3], 1e-14);
		assert_relative(trigamma_difference(c[0], c[1]), c[4], 1e-14);
	}
	assert_true(log_gamma_ratio(3.7, 0) == 0);
	assert_true(digamma_difference(3.7, 0) == 0);
	assert_true(trigamma_difference(3.7, 0) == 0);
}

/* The plain sums up to 32 and Stirling's series beyond must meet. */
static void
test_gamma_differences_recurrence(void **state)
{
	static const double base[] = {1e-6, 0.3, 1, 9.9, 10, 1234.5, 1e8};

	(void) state;
	for (size_t i = 0; i < LENGTH(base); i++)
	{
		double		b = base[i];

		assert_relative(log_gamma_ratio(b, 33), log_gamma_ratio(b, 32) + log(b + 32), 1e-14);
		assert_relative(digamma_difference(b, 33), digamma_difference(b, 32) + 1 / (b + 32), 1e-14);
		assert_relative(trigamma_difference(b, 33),
						trigamma_difference(b, 32) - 1 / ((b + 32) * (b + 32)), 1e-14);
		assert_relative(log_beta_ratio(0.8, b, 33), log_beta_ratio(0.8, b, 32) - log1p(0.8 / (b + 32)),
						1e-14);
	}
}

/* a, b, n, log_beta_ratio */
static const double beta_ratios[][4] = {
	{0.793, 2.426, 5, -0.90861233241587391776},
	{0.793, 2.426, 81, -2.8367770137326195787},
	{1, 0.001, 40, -10.596659732783578542},
	{0.02, 8000, 3000, -0.0063694087248210671688},
	{2000, 0.5, 3000, -3364.7117878448907218},
	{1e-6, 1e9, 100, -9.9999995050000273825e-14},
	{7.5, 3e15, 1000, -2.499999999999580625e-12},
	{1e5, 12, 33, -272.12081559765968949},
};

static void
test_beta_ratio(void **state)
{
	(void) state;
	for (size_t i = 0; i < LENGTH(beta_ratios); i++)
	{
		const double *c = beta_ratios[i];

		assert_relative(log_beta_ratio(c[0], c[1], c[2]), c[3], 1e-14);
	}
	assert_true(log_beta_ratio(0.8, 2.4, 0) == 0);
}

/* x, trigamma */
static const double trigammas[][2] = {
	{1e-5, 10000000001.64490839},
	{0.2426, 18.19821032424031331},
	{1, 1.6449340668482264365},
	{7.3, 0.14679576813142710199},
	{1e6, 1.0000005000001666667e-6},
};

static void
test_trigamma(void **state)
{
	(void) state;
	for (size_t i = 0; i < LENGTH(trigammas); i++)
		assert_relative(trigamma(trigammas[i][0]), trigammas[i][1], 2e-15);
}

static void
test_phi(void **state)
{
	(void) state;
	assert_true(phi(0) == 1);
	assert_relative(phi(1e-20), 1, 1e-15);
	assert_relative(phi(1), 0.63212055882855767840, 1e-15);
	assert_relative(phi(-2), 3.1945280494653251136, 1e-15);
	assert_true(phi(INFINITY) == 0);
}

/* n, R, w = z / (1 + z), P(N >= n) = I_w(n, R) */
static const double tails[][4] = {
	{1, 2.5, 0.3, 0.59003658699830296524},
	{3, 0.25, 0.99, 0.55707854416382225994},
	{5, 4.2426, 0.01, 6.7226492771097238061e-9},
	{67, 50.738, 1.4489e-05, 1.7651037779976420e-291},
	{1000, 1000, 0.5, 0.5},
	{40, 3000, 0.012, 0.2997068822645472017},
	{3000, 60, 0.98, 0.42185712130901604291},
	{30, 400, 0.2, 0.99999999999998781229},
	{5, 4242, 0.0004, 0.02948399267529815036},
};

static void
test_negative_binomial_tail(void **state)
{
	(void) state;
	for (size_t i = 0; i < LENGTH(tails); i++)
	{
		const double *c = tails[i];
		double		z = c[2] / (1 - c[2]);

		assert_relative(negative_binomial_tail(c[0], c[1], z), c[3], 1e-12);
		assert_near(negative_binomial_tail(c[1], c[0], 1 / z), 1 - c[3], 1e-12);
	}
	assert_true(negative_binomial_tail(4000, 3, 1e-200) == 0);
	assert_true(negative_binomial_tail(4, 3000, 1e200) == 1);
}

/* n, R, z, P(N = n), from mpmath's loggamma at 60 digits */
static const double masses[][4] = {
	{0, 0.24, 9.0, 0.57543993733715694183},
	{1, 2.5, 0.5, 0.30240614108434297509},
	{3, 0.05, 200000.0, 0.0097432487696189719425},
	{40, 3000.0, 0.0125, 0.057694302714538109368},
	{240000, 0.24, 200000.0, 3.4635043650899643273e-7},
	{1236900, 412.3, 3000.0, 6.5466932849313891919e-6},
	{1000000, 412.3, 3000.0, 1.3643611890516580955e-9},
	{1000000, 30.0, 3000.0, 9.8847352800478934106e-107},
};

static void
test_negative_binomial(void **state)
{
	(void) state;
	for (size_t i = 0; i < LENGTH(masses); i++)
	{
		const double *c = masses[i];

		assert_relative(negative_binomial(c[0], c[1], c[2]), c[3], 1e-12);
	}
}

static void
test_normal_quantile(void **state)
{
	(void) state;
	assert_relative(normal_quantile(1e-10), -6.3613409024040561991, 1e-14);
	assert_relative(normal_quantile(0.8), 0.8416212335729143638, 1e-14);
	assert_relative(normal_quantile(0.975), 1.9599639845400538556, 1e-14);
	assert_true(normal_quantile(0.5) == 0);
}

static double
power(double u, void *arg)
{
	return pow(u, *(double *) arg);
}

/* an n-point rule is exact up to degree 2n - 1, and not beyond */
static void
test_gauss_legendre(void **state)
{
	static const int points[] = {16, 32, 64};

	(void) state;
	for (size_t i = 0; i < LENGTH(points); i++)
	{
		double		degree = 2 * points[i] - 1;
		double		exact = pow(2, degree + 1) / (degree + 1);

		assert_relative(gauss_legendre(power, &degree, 0, 2, points[i]), exact, 1e-14);
		degree *= 4;
		exact = pow(2, degree + 1) / (degree + 1);
		assert_true(fabs(gauss_legendre(power, &degree, 0, 2, points[i]) / exact - 1) > 1e-14);
	}
}

static int	handled;

static void
count_errors(const char *reason, const char *file, int line, int gsl_errno)
{
	(void) reason;
	(void) file;
	(void) line;
	(void) gsl_errno;
	handled++;
}

/* what is no number is no certainty either */
static void
test_at_most_1(void **state)
{
	(void) state;
	assert_true(at_most_1(.5) == .5 && at_most_1(1 + 1e-15) == 1 && at_most_1(0) == 0);
	assert_true(isnan(at_most_1(NAN)));
}

/* A domain error comes back as NaN; the caller's handler neither sees it nor is lost. */
static void
test_gsl_error_handler(void **state)
{
	gsl_error_handler_t *before = gsl_set_error_handler(count_errors);

	(void) state;
	assert_true(isnan(trigamma(0)));
	assert_int_equal(handled, 0);
	assert_true(gsl_set_error_handler(before) == count_errors);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gamma_differences),
		cmocka_unit_test(test_gamma_differences_recurrence),
		cmocka_unit_test(test_beta_ratio),
		cmocka_unit_test(test_trigamma),
		cmocka_unit_test(test_phi),
		cmocka_unit_test(test_negative_binomial),
		cmocka_unit_test(test_negative_binomial_tail),
		cmocka_unit_test(test_normal_quantile),
		cmocka_unit_test(test_gauss_legendre),
		cmocka_unit_test(test_at_most_1),
		cmocka_unit_test(test_gsl_error_handler),
	};

	return cmocka_run_group_tests_name("special", tests, NULL, NULL);
}
