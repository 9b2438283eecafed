/*
 * test_sensitivity.c - E-values, robustness values and numbers of customers against published values, values at 40
 * digits, and what they are defined to be.
 */
#include "support.h"

#include <math.h>

#include <gsl/gsl_cdf.h>

#include "math/sensitivity.h"

#define TOLERANCE 1e-12

/* statistics.csv, 06c_sensitivity; VanderWeele and Ding (2017) print 7.26 for 3.9, and 3.0 for its limit 1.8 */
static void
test_e_value_golden(void **state)
{
	(void) state;
	assert_relative(e_value(3.9), 7.2630343441600474, TOLERANCE);
	assert_relative(e_value_of_limit(3.9, 1.8), 3.0, TOLERANCE);
	assert_relative(e_value(0.80), 1.8090169943749474, TOLERANCE);
}

static void
test_e_value_extremes(void **state)
{
	(void) state;
	assert_true(e_value(1) == 1);
	for (double r = 1; r < 1e6; r *= 1.7)
		assert_relative(e_value(1 / r), e_value(r), 1e-9);
	/* the bounding factor of two confounders of that strength is the ratio (Ding and VanderWeele 2016) */
	for (double r = 1.01; r < 1e6; r *= 1.7)
		assert_relative(e_value(r) * e_value(r) / (2 * e_value(r) - 1), r, TOLERANCE);
	assert_relative(e_value(1e300), 2e300, TOLERANCE);
	assert_true(e_value(1.5e308) == INFINITY);
	/* limits that cross 1, in either direction, and that do not */
	assert_true(e_value_of_limit(1.3, 0.98) == 1 && e_value_of_limit(1.3, 1) == 1);
	assert_true(e_value_of_limit(0.8, 1.1) == 1 && e_value_of_limit(0.8, 1) == 1);
	assert_true(e_value_of_limit(1, 0.5) == 1);
	assert_true(e_value_of_limit(0.8, 0.9) == e_value(0.9));
}

static void
test_risk_ratios(void **state)
{
	(void) state;
	assert_true(risk_ratio_of_odds_ratio(4) == 2);
	assert_relative(risk_ratio_of_hazard_ratio(2.5), 1.8758520365733547108, TOLERANCE);
	assert_relative(risk_ratio_of_hazard_ratio(0.4) * risk_ratio_of_hazard_ratio(2.5), 1, TOLERANCE);
	assert_true(risk_ratio_of_hazard_ratio(1) == 1);
	assert_relative(risk_ratio_of_difference(0.3), 1.3139002448247392179, TOLERANCE);
	/* risks of .3 and .2: odds 3 / 7 over 1 / 4 */
	assert_relative(risk_ratio_at_baseline((3.0 / 7) / (1.0 / 4), 0.2), 1.5, TOLERANCE);
	assert_true(risk_ratio_at_baseline(1.7, 0) == 1.7);
}

/* statistics.csv, 06c_sensitivity: Darfur of Cinelli and Hazlett (2020), t 4.18, 783 degrees of freedom */
static void
test_robustness_golden(void **state)
{
	double		t = 4.1844501182613731;

	(void) state;
	assert_relative(partial_r2(t, 783), 0.021873094705774028, TOLERANCE);
	assert_relative(robustness_value(t, 783, 1), 0.13877635798952529, TOLERANCE);
	assert_relative(robustness_value_alpha(t, 783, 1, 0.05), 0.076257969946929214, 1e-10);
	assert_true(robustness_value(-t, 783, 1) == robustness_value(t, 783, 1));
	assert_true(partial_r2(-t, 783) == partial_r2(t, 783));
}

/* The most of the strength f that a confounder of share d of the regressor, and up to d of the response, uses up. */
static double
most_used_up(double d, double critical)
{
	double		most = 0;

	for (int i = 0; i <= 100000; i++)
	{
		double		y = d * i / 100000;

		most = fmax(most, sqrt(y * d / (1 - d)) + critical * sqrt((1 - y) / (1 - d)));
	}
	return most;
}

/* The definition by search, with many and with few degrees of freedom, where the response is explained less. */
static void
test_robustness_by_search(void **state)
{
	static const double cases[][3] = {
		{4.18, 783, 1}, {4.18, 783, 0.5}, {12, 10, 1}, {9, 4, 1}, {30, 3, 1}, {40, 2, 0.7},
	};

	(void) state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++)
	{
		double		df = cases[k][1];
		double		f = cases[k][2] * cases[k][0] / sqrt(df);
		double		critical = gsl_cdf_tdist_Qinv(0.025, df - 1) / sqrt(df - 1);
		double		low = 0;
		double		high = 1;

		while (high - low > 1e-9)
		{
			double		d = 0.5 * (low + high);

			if (most_used_up(d, critical) < f)
				low = d;
			else
				high = d;
		}
		assert_near(robustness_value_alpha(cases[k][0], df, cases[k][2], 0.05), low, 1e-8);
	}
}

static void
test_robustness_extremes(void **state)
{
	(void) state;
	assert_true(robustness_value(0, 10, 1) == 0 && partial_r2(0, 10) == 0);
	/* not significant as it is */
	assert_true(robustness_value_alpha(1.9, 783, 1, 0.05) == 0);
	assert_true(robustness_value_alpha(0, 783, 1, 0.05) == 0);
	assert_true(robustness_value(1e200, 10, 1) == 1 && partial_r2(1e200, 10) == 1);
	assert_true(robustness_value_alpha(1e200, 10, 1, 0.05) == 1);
	/* the product of t and q, and the quantile of t, beyond a double */
	assert_true(robustness_value_alpha(1e305, 10, 1e6, 0.05) == 1);
	assert_true(robustness_value_alpha(3, 1.001, 1, 0.05) == 0);
	assert_relative(robustness_value_alpha(3, 1e308, 1, 0.05), (3 - 1.9599639845400545) * 1e-154, 1e-12);
	assert_true(robustness_value_alpha(30, 1 + 1e-7, 1, 0.05) == 0);
	assert_true(robustness_value(1e308, 1e-300, 1e10) == 1 && robustness_value_alpha(1e308, 2, 1e10, 0.05) == 1);
	/* the share that a confounder explains of both just takes the effect away */
	for (double t = 0.1; t < 1e3; t *= 1.5)
	{
		double		r = robustness_value(t, 50, 1);

		assert_relative(r * sqrt(1 / (1 - r)), t / sqrt(50), 1e-9);
	}
}

/* values at 40 digits, rounded up; tables print 85 for r = .3 at 80 percent */
static void
test_customers_needed(void **state)
{
	(void) state;
	assert_true(customers_needed(0.3, 0.95, 0.8, 0) == 85);
	assert_true(customers_needed(-0.3, 0.95, 0.8, 0) == 85);
	assert_true(customers_needed(0.05, 0.95, 0.8, 0) == 3138);
	assert_true(customers_needed(-0.02, 0.99, 0.9, 3) == 37195);
	assert_true(customers_needed(0, 0.95, 0.8, 0) == INFINITY);
	assert_true(customers_needed(1, 0.95, 0.8, 2) == 6);
	/* less power than a test has where there is nothing to find */
	assert_true(customers_needed(0.3, 0.95, 0.01, 0) == 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_e_value_golden),
		cmocka_unit_test(test_e_value_extremes),
		cmocka_unit_test(test_risk_ratios),
		cmocka_unit_test(test_robustness_golden),
		cmocka_unit_test(test_robustness_by_search),
		cmocka_unit_test(test_robustness_extremes),
		cmocka_unit_test(test_customers_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
