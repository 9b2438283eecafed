/*
 * test_correlation.c - Pearson's correlation against exact fractions, and Fisher's interval against its definition.
 */
#include "support.h"

#include <math.h>

#include "math/correlation.h"

#define CONF 0.95
#define Z 1.9599639845400545

static void
test_known_values(void **state)
{
	Sample		sample;
	Correlation c;

	(void) state;
	/* x 1 2 3 4 5, y 2 4 5 4 5: products 6, squares 10 and 6, so 6 / sqrt(60) */
	sample_init(&sample, 2);
	for (int i = 0; i < 5; i++)
		sample_add(&sample, (double[]) {i + 1, (double[]) {2, 4, 5, 4, 5}[i]}, 1);
	c = correlate(sample_fold(&sample), CONF);
	assert_near(c.n, 5, 0);
	assert_relative(c.value, 6 / sqrt(60), 1e-15);
	assert_relative(c.conf_low, tanh(atanh(6 / sqrt(60)) - Z / sqrt(2)), 1e-13);
	assert_relative(c.conf_high, tanh(atanh(6 / sqrt(60)) + Z / sqrt(2)), 1e-13);
	sample_free(&sample);
}

static void
test_counts_are_customers(void **state)
{
	Sample		one;
	Sample		many;
	Correlation a;
	Correlation b;

	(void) state;
	sample_init(&one, 2);
	sample_init(&many, 2);
	for (int i = 0; i < 6; i++)
	{
		double		row[2] = {1 + i % 3, 10 + i * i};

		sample_add(&one, row, 7);
		for (int j = 0; j < 7; j++)
			sample_add(&many, row, 1);
	}
	a = correlate(sample_fold(&one), CONF);
	b = correlate(sample_fold(&many), CONF);
	assert_near(a.n, 42, 0);
	assert_relative(a.value, b.value, 1e-15);
	assert_relative(a.conf_low, b.conf_low, 1e-14);
	sample_free(&one);
	sample_free(&many);
}

static void
test_corners(void **state)
{
	Sample		sample;
	Correlation c;

	(void) state;
	/* a straight line, at a distance and on a scale where plain sums of squares would lose it, or overflow */
	sample_init(&sample, 2);
	for (int i = 1; i <= 10; i++)
		sample_add(&sample, (double[]) {i, 1e9 - 1e-3 * i}, 1);
	c = correlate(sample_fold(&sample), CONF);
	assert_relative(c.value, -1, 1e-6);
	sample_free(&sample);
	sample_init(&sample, 2);
	for (int i = 1; i <= 10; i++)
		sample_add(&sample, (double[]) {i, 1e307 * i}, 1);
	c = correlate(sample_fold(&sample), CONF);
	assert_relative(c.value, 1, 1e-14);
	assert_true(c.conf_low > 0.99 && c.conf_high <= 1);
	sample_free(&sample);

	/* a constant has no correlation, three customers no interval, nobody neither */
	sample_init(&sample, 2);
	for (int i = 1; i <= 10; i++)
		sample_add(&sample, (double[]) {i, 0.1}, 3);
	c = correlate(sample_fold(&sample), CONF);
	assert_true(isnan(c.value) && isnan(c.conf_low) && isnan(c.conf_high));
	sample_free(&sample);
	sample_init(&sample, 2);
	for (int i = 1; i <= 3; i++)
		sample_add(&sample, (double[]) {i, i * i}, 1);
	c = correlate(sample_fold(&sample), CONF);
	assert_true(c.value > 0.9 && isnan(c.conf_low) && isnan(c.conf_high));
	sample_free(&sample);
	sample_init(&sample, 2);
	c = correlate(sample_fold(&sample), CONF);
	assert_true(c.n == 0 && isnan(c.value));
	sample_free(&sample);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_values),
		cmocka_unit_test(test_counts_are_customers),
		cmocka_unit_test(test_corners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
