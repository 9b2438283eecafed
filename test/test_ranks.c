/*
 * test_ranks.c - rank correlation by hand and against its definition, adjusted p-values as printed.
 */
#include "support.h"

#include <math.h>
#include <stdlib.h>

#include "math/ranks.h"

#define CONF 0.95
#define Z 1.9599639845400545
#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static RankCorrelation
correlate_sample(Sample *sample)
{
	RankCorrelation c;
	bool		no_memory;

	assert_true(rank_correlation(sample_fold(sample), CONF, NULL, &c, &no_memory));
	return c;
}

static void
test_known_values(void **state)
{
	/* no ties: 1 - 6 (sum of squared differences of ranks) / (n (n^2 - 1)) = 1 - 6 * 194 / 990 = -29 / 165 */
	static const double a[] = {106, 100, 86, 101, 99, 103, 97, 113, 112, 110};
	static const double b[] = {7, 27, 2, 50, 28, 29, 20, 12, 6, 17};
	const double r = -29.0 / 165;
	const double error = sqrt((1 + r * r / 2) / 7);
	Sample		sample;
	RankCorrelation c;

	(void) state;
	sample_init(&sample, 2);
	for (size_t i = 0; i < LENGTH(a); i++)
		sample_add(&sample, (double[]) {a[i], b[i]}, 1);
	c = correlate_sample(&sample);
	assert_true(c.n == 10);
	assert_relative(c.estimate, r, 1e-14);
	assert_relative(c.conf_low, tanh(atanh(r) - Z * error), 1e-13);
	assert_relative(c.conf_high, tanh(atanh(r) + Z * error), 1e-13);
	assert_relative(c.std_error, (1 - r * r) * error, 1e-13);
	/* Student's t of 8 degrees of freedom in closed form: with u = t^2 / (8 + t^2) = r^2, by parts */
	assert_relative(c.p_value, 1 - fabs(r) * (1 + (1 - r * r) / 2 + 3 * pow(1 - r * r, 2) / 8 +
											  5 * pow(1 - r * r, 3) / 16), 1e-12);
	sample_free(&sample);
}

/* The mean rank of a value by counting. */
static double
rank_by_counting(const double *values, int n, double value)
{
	double		rank = 0.5;

	for (int i = 0; i < n; i++)
		rank += values[i] < value ? 1 : values[i] == value ? 0.5 : 0;
	return rank;
}

static void
test_ties_and_counts(void **state)
{
	double		a[400];
	double		b[400];
	double		aa = 0;
	double		bb = 0;
	double		ab = 0;
	Sample		sample;
	RankCorrelation c;

	(void) state;
	sample_init(&sample, 2);
	for (int i = 0; i < 400; i++)
	{
		a[i] = (i * i * 31 + 7 * i) % 23;
		b[i] = (i * 13 % 29 + (int) a[i]) % 17 - 8.5;
		sample_add(&sample, (double[]) {a[i], b[i]}, 1);
	}
	for (int i = 0; i < 400; i++)
	{
		double		u = rank_by_counting(a, 400, a[i]) - 200.5;
		double		v = rank_by_counting(b, 400, b[i]) - 200.5;

		aa += u * u;
		bb += v * v;
		ab += u * v;
	}
	c = correlate_sample(&sample);
	assert_true(sample.rows.n < 400 && c.n == 400);
	assert_near(c.estimate, ab / sqrt(aa * bb), 1e-14);
	sample_free(&sample);
}

static void
test_corners(void **state)
{
	for (int n = 0; n <= 5; n++)
		for (int sign = -1; sign <= 1; sign++)
		{
			Sample		sample;
			RankCorrelation c;

			sample_init(&sample, 2);
			for (int i = 0; i < n; i++)
				sample_add(&sample, (double[]) {exp(i), sign * sqrt(i)}, 1);
			c = correlate_sample(&sample);
			/* exactly -1 or 1, and then nothing else; nothing at all of a constant */
			assert_true(c.n == n);
			assert_true(n < 2 || sign == 0 ? isnan(c.estimate) : c.estimate == sign);
			assert_true(isnan(c.std_error) && isnan(c.conf_low) && isnan(c.conf_high) && isnan(c.p_value));
			sample_free(&sample);
		}
	for (int n = 3; n <= 4; n++)
	{
		Sample		sample;
		RankCorrelation c;

		sample_init(&sample, 2);
		for (int i = 0; i < n; i++)
			sample_add(&sample, (double[]) {i, i * 2 % 3}, 1);
		c = correlate_sample(&sample);
		assert_true(!isnan(c.estimate) && !isnan(c.p_value) && isnan(c.conf_low) == (n == 3));
		sample_free(&sample);
	}
	(void) state;
}

static bool
stop_at(void *arg)
{
	return --*(int *) arg < 0;
}

static void
test_stop(void **state)
{
	Sample		sample;
	const Rows *rows;
	RankCorrelation c;
	bool		no_memory;

	(void) state;
	sample_init(&sample, 2);
	for (int i = 0; i < 200000; i++)
		sample_add(&sample, (double[]) {i, (i * 7919LL) % 200003}, 1);
	rows = sample_fold(&sample);
	assert_true(rank_correlation(rows, CONF, NULL, &c, &no_memory));
	for (int asked = 0; asked < 60; asked += 20)
	{
		int			left = asked;

		assert_false(rank_correlation(rows, CONF, &(FitStop) {stop_at, &left}, &c, &no_memory));
		assert_false(no_memory);
	}
	sample_free(&sample);
}

static void
test_adjusted(void **state)
{
	/* Benjamini and Hochberg 1995, section 3.2: 15 p-values; to 1e-15 of p n / i and of p (n - i + 1) by hand */
	static const double p[] = {.0001, .0004, .0019, .0095, .0201, .0278, .0298, .0344, .0459, .3240, .4262, .5719,
	.6528, .7590, 1.0};
	static const double bh[] = {.0015, .0030, .0095, .035625, .0603, .063857142857142857, .063857142857142857, .0645,
	.0765, .486, .58118181818181818, .714875, .75323076923076923, .81321428571428571, 1};
	static const double holm[] = {.0015, .0056, .0247, .114, .2211, .278, .278, .278, .3213, 1, 1, 1, 1, 1, 1};
	double		adjusted[LENGTH(p)];

	(void) state;
	for (size_t i = 0; i < LENGTH(p); i++)
		adjusted[i] = p[i];
	adjust_benjamini_hochberg(adjusted, LENGTH(p));
	for (size_t i = 0; i < LENGTH(p); i++)
		assert_relative(adjusted[i], bh[i], 1e-14);
	for (size_t i = 0; i < LENGTH(p); i++)
		adjusted[i] = p[i];
	adjust_holm(adjusted, LENGTH(p));
	for (size_t i = 0; i < LENGTH(p); i++)
		assert_relative(adjusted[i], holm[i], 1e-14);
	adjust_holm(adjusted, 0);
	adjust_benjamini_hochberg(adjusted, 0);
	/* equal ones stay equal, in both */
	for (int which = 0; which < 2; which++)
	{
		double		ties[] = {0, .02, .02, .02, .9, .9};

		(which ? adjust_holm : adjust_benjamini_hochberg) (ties, LENGTH(ties));
		assert_true(ties[0] == 0 && ties[1] == ties[2] && ties[2] == ties[3] && ties[4] == ties[5]);
		assert_relative(ties[1], which ? .1 : .03, 1e-14);
		assert_true(ties[4] == (which ? 1 : .9));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_values), cmocka_unit_test(test_ties_and_counts), cmocka_unit_test(test_corners),
		cmocka_unit_test(test_stop), cmocka_unit_test(test_adjusted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
