/*
 * test_drift.c - Wald's and Chow's tests, heterogeneity of several periods, the population stability index: against
 * published values, values at 40 digits and simulated samples.
 */
#include "support.h"

#include <math.h>
#include <string.h>

#include "math/drift.h"

#define TOLERANCE 1e-12

/* values at 40 digits by the formulas of the header */
static void
test_change_of_t(void **state)
{
	TermChange	c = term_change((TermEstimate) {0.42, 0.0016, 30}, (TermEstimate) {0.27, 0.0025, 11}, 0.95);

	(void) state;
	assert_relative(c.difference, -0.15, 1e-15);
	assert_relative(c.std_error, sqrt(0.0041), 1e-15);
	assert_relative(c.statistic, -2.3426064283290909829, TOLERANCE);
	assert_relative(c.df, 25.722433460076045627, TOLERANCE);
	assert_relative(c.p_value, 0.027168117709695639729, TOLERANCE);
	assert_relative(c.conf_low, -0.28168726251754963116, TOLERANCE);
	assert_relative(c.conf_high, -0.018312737482450368845, 1e-11);
	/* the other way round */
	c = term_change((TermEstimate) {0.27, 0.0025, 11}, (TermEstimate) {0.42, 0.0016, 30}, 0.95);
	assert_relative(c.p_value, 0.027168117709695639729, TOLERANCE);
	assert_relative(c.conf_low, 0.018312737482450368845, 1e-11);
}

static void
test_change_of_normal(void **state)
{
	TermChange	c = term_change((TermEstimate) {0.42, 0.0016, NAN}, (TermEstimate) {0.27, 0.0025, NAN}, 0.95);

	(void) state;
	assert_true(isnan(c.df));
	assert_relative(c.p_value, 0.019149571500766139085, TOLERANCE);
	assert_relative(c.conf_low, -0.27549892893903882409, TOLERANCE);
	/* one normal, the other with few degrees of freedom */
	c = term_change((TermEstimate) {0.42, 0.0016, NAN}, (TermEstimate) {0.27, 0.0025, 11}, 0.95);
	assert_relative(c.df, 11 * (0.0041 / 0.0025) * (0.0041 / 0.0025), TOLERANCE);
	c = term_change((TermEstimate) {0.42, 0.0016, 30}, (TermEstimate) {0.27, 0.0025, NAN}, 0.95);
	assert_relative(c.df, 196.9921875, TOLERANCE);
	assert_relative(c.p_value, 0.020147526735914433343, TOLERANCE);
	/* nothing is uncertain: no test, rather than an infinite statistic */
	c = term_change((TermEstimate) {1, 0, 5}, (TermEstimate) {2, 0, 5}, 0.95);
	assert_true(c.difference == 1 && isnan(c.statistic) && isnan(c.p_value) && isnan(c.conf_low));
}

static void
test_chow(void **state)
{
	FTest		f = chow_test((ResidualSquares) {10, 17}, (ResidualSquares) {14, 20}, (ResidualSquares) {31, 40});

	(void) state;
	assert_true(f.df1 == 3 && f.df2 == 37);
	assert_relative(f.statistic, 3.5972222222222222222, TOLERANCE);
	assert_relative(f.p_value, 0.022358689984622764703, TOLERANCE);
	/* the pooled fit is as good, but for rounding */
	f = chow_test((ResidualSquares) {10, 17}, (ResidualSquares) {14, 20}, (ResidualSquares) {24 - 1e-14, 40});
	assert_true(f.statistic == 0 && f.p_value == 1);
	/* a second sample too small for a fit of its own: the predictive form */
	f = chow_test((ResidualSquares) {10, 17}, (ResidualSquares) {0, 0}, (ResidualSquares) {12, 19});
	assert_true(f.df1 == 2 && f.df2 == 17);
	assert_relative(f.statistic, 1.7, TOLERANCE);
	/* nothing left to compare with */
	f = chow_test((ResidualSquares) {0, 17}, (ResidualSquares) {0, 20}, (ResidualSquares) {31, 40});
	assert_true(isnan(f.statistic) && isnan(f.p_value));
	f = chow_test((ResidualSquares) {0, 0}, (ResidualSquares) {0, 0}, (ResidualSquares) {1, 3});
	assert_true(isnan(f.statistic) && isnan(f.p_value));
}

/*
 * The 13 trials of BCG vaccine of Colditz et al. (1994), log risk ratios. R's metafor prints, by DerSimonian and Laird,
 * Q 152.2330, I^2 92.12 percent, tau^2 0.3088, estimate -0.7141, standard error 0.1787; here at 40 digits.
 */
static void
test_heterogeneity_published(void **state)
{
	static const double table[13][4] = {
		{4, 119, 11, 128}, {6, 300, 29, 274}, {3, 228, 11, 209}, {62, 13536, 248, 12619}, {33, 5036, 47, 5761},
		{180, 1361, 372, 1079}, {8, 2537, 10, 619}, {505, 87886, 499, 87892}, {29, 7470, 45, 7232},
		{17, 1699, 65, 1600}, {186, 50448, 141, 27197}, {5, 2493, 3, 2338}, {27, 16886, 29, 17825},
	};
	double		estimates[13];
	double		std_errors[13];
	Heterogeneity h;

	(void) state;
	for (int i = 0; i < 13; i++)
	{
		const double *c = table[i];

		estimates[i] = log(c[0] / (c[0] + c[1]) / (c[2] / (c[2] + c[3])));
		std_errors[i] = sqrt(1 / c[0] - 1 / (c[0] + c[1]) + 1 / c[2] - 1 / (c[2] + c[3]));
	}
	h = cochran_heterogeneity(estimates, std_errors, 13);
	assert_true(h.df == 12);
	assert_relative(h.q, 152.23300808237341577, TOLERANCE);
	assert_relative(h.p_value, 1.9967645908458548244e-26, 1e-10);
	assert_relative(h.i_squared, 0.92117346854562060975, TOLERANCE);
	assert_relative(h.tau_squared, 0.30876026286237646955, TOLERANCE);
	assert_relative(h.pooled, -0.71411722207322706438, TOLERANCE);
	assert_relative(h.pooled_std_error, 0.17874208953540318475, TOLERANCE);
}

static void
test_heterogeneity_extremes(void **state)
{
	Heterogeneity h = cochran_heterogeneity((double[]) {0.3}, (double[]) {0.1}, 1);

	(void) state;
	assert_true(h.q == 0 && h.df == 0 && h.pooled == 0.3 && isnan(h.p_value) && isnan(h.i_squared));
	assert_relative(h.pooled_std_error, 0.1, 1e-15);
	/* closer to each other than chance would have them */
	h = cochran_heterogeneity((double[]) {0.3, 0.3, 0.3}, (double[]) {0.1, 0.2, 0.3}, 3);
	assert_true(h.q == 0 && h.p_value == 1 && h.i_squared == 0 && h.tau_squared == 0);
	assert_relative(h.pooled, 0.3, 1e-15);
	/* far from 0: the differences keep their digits; Q of two is (difference / its error)^2 */
	h = cochran_heterogeneity((double[]) {1e9 + 1, 1e9 + 2}, (double[]) {3, 4}, 2);
	assert_relative(h.q, 1.0 / 25, TOLERANCE);
	/* one estimate a million times as certain as the other */
	h = cochran_heterogeneity((double[]) {0, 10}, (double[]) {1e-6, 1}, 2);
	assert_relative(h.q, 100, 1e-9);
	assert_relative(h.tau_squared, 49.5, 1e-9);
}

/* statistics.csv, 08b_psi: shares .1 .2 .3 .4 before and .15 .25 .25 .35 after, of 1000 and 800 */
static void
test_stability_golden(void **state)
{
	StabilityIndex s = stability_index((double[]) {100, 200, 300, 400}, (double[]) {120, 200, 200, 280}, 4);

	(void) state;
	assert_true(s.n_expected == 1000 && s.n_actual == 800);
	assert_relative(s.psi, 0.047223080442042569, 1e-13);
	assert_relative(s.null_mean, 0.0067500000000000000, 1e-15);
	assert_relative(s.p_value, 0.00010588020102088365, TOLERANCE);
}

static void
test_stability_extremes(void **state)
{
	StabilityIndex s = stability_index((double[]) {7, 9}, (double[]) {70, 90}, 2);

	(void) state;
	assert_true(s.psi == 0 && s.p_value == 1);
	s = stability_index((double[]) {7}, (double[]) {8}, 1);
	assert_true(s.psi == 0 && s.null_mean == 0 && isnan(s.p_value));
	/* shares that differ in the ninth digit: (1e-9)^2 (1 / p + 1 / (1 - p)), where ln(a / e) alone has lost seven */
	s = stability_index((double[]) {5e8, 5e8}, (double[]) {5e8 + 1, 5e8 - 1}, 2);
	assert_relative(s.psi, 4e-18, 1e-8);
}

/* Draw n rows in bins of these shares. */
static void
draw_bins(Random *random, const double *shares, int bins, int n, double *counts)
{
	memset(counts, 0, bins * sizeof(double));
	for (int i = 0; i < n; i++)
	{
		double		u = random_uniform(random);
		int			bin = 0;

		while (bin < bins - 1 && u >= shares[bin])
			u -= shares[bin++];
		counts[bin]++;
	}
}

/* Where nothing changed, a 5 percent test says so in 95 percent of the cases, and the mean is null_mean. */
static void
test_stability_null(void **state)
{
	const double shares[] = {0.1, 0.15, 0.2, 0.25, 0.3};
	const int	runs = 4000;
	Random		random;
	double		sum = 0;
	double		null_mean = 0;
	int			rejected = 0;

	(void) state;
	random_seed(&random, 20261122);
	for (int run = 0; run < runs; run++)
	{
		double		expected[5];
		double		actual[5];
		StabilityIndex s;

		draw_bins(&random, shares, 5, 1000, expected);
		draw_bins(&random, shares, 5, 400, actual);
		s = stability_index(expected, actual, 5);
		sum += s.psi;
		null_mean = s.null_mean;
		rejected += s.p_value < 0.05;
	}
	/* a chi-square of 4 has variance 8: the mean of 4000 is known to 0.045 of 4 */
	assert_near(sum / runs / null_mean, 1, 4 * 0.0112);
	assert_near((double) rejected / runs, 0.05, 4 * 0.0035);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_change_of_t),
		cmocka_unit_test(test_change_of_normal),
		cmocka_unit_test(test_chow),
		cmocka_unit_test(test_heterogeneity_published),
		cmocka_unit_test(test_heterogeneity_extremes),
		cmocka_unit_test(test_stability_golden),
		cmocka_unit_test(test_stability_extremes),
		cmocka_unit_test(test_stability_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
