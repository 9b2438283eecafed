/*
 * test_value.c - the present value of margins and the number of them that pays back a cost: against exact references
 * (reference/value.csv, written by reference/make_value), at ties, and by their definition.
 */
#include "support.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

#include "math/value.h"

enum {COST, MARGIN, RETENTION, RATE, FIRST_AT_1, PERIODS, VALUE, COLUMNS};

/* In units of what an exponential loses: the logarithm of the last of margins that grow is off by half a bit itself. */
static double
value_error(const double *row)
{
	double		value = value_of_margins(row[MARGIN], row[RETENTION], row[RATE], row[PERIODS], row[FIRST_AT_1] != 0);
	double		growth = row[PERIODS] * log(row[RETENTION] / (1 + row[RATE]));

	if (row[VALUE] == 0)
		return fabs(value);
	return fabs(value / row[VALUE] - 1) / fmax(1, growth);
}

static void
test_references(void **state)
{
	FILE	   *file = fopen("reference/value.csv", "r");
	double		row[COLUMNS];
	double		worst = 0;
	int			never = 0;
	int			paid = 0;

	(void) state;
	assert_non_null(file);
	while (read_numbers(file, row, COLUMNS))
	{
		double		n = value_payback(row[COST], row[MARGIN], row[RETENTION], row[RATE], row[FIRST_AT_1] != 0);

		if (n != row[PERIODS])
			fail_msg("%.17g periods instead of %.17g at cost=%.17g margin=%.17g retention=%.17g rate=%.17g first=%g",
					 n, row[PERIODS], row[COST], row[MARGIN], row[RETENTION], row[RATE], row[FIRST_AT_1]);
		if (isinf(n))
		{
			never++;
			continue;
		}
		paid++;
		worst = fmax(worst, value_error(row));
	}
	fclose(file);
	printf("%d costs paid back, worst relative error of the value %.1e; %d never\n", paid, worst, never);
	assert_true(paid >= 600 && never >= 50);
	assert_true(worst < 1e-15);
}

static void
test_ties(void **state)
{
	(void) state;
	/* sums that doubles hold: 100 + 50 = 150, 1 + 1/2 + ... + 1/2^9 = 2 - 2^-9, at time 1 half of each */
	assert_true(value_payback(150, 100, 0.5, 0, 0) == 2);
	assert_true(value_payback(nextafter(150, 200), 100, 0.5, 0, 0) == 3);
	assert_true(value_payback(75, 100, 0.5, 0, 1) == 2);
	assert_true(value_payback(1200, 100, 1, 0, 0) == 12);
	assert_true(value_payback(1200, 100, 0.75, -0.25, 0) == 12);
	assert_true(value_payback(1200.5, 100, 1, 0, 0) == 13);
	/* 0.1 * 3 is above 0.3 in doubles, and its sum is what counts */
	assert_true(value_payback(0.3, 0.1, 1, 0, 0) == 3);
	/* one margin is the margin, whatever the rates */
	for (double rate = -0.9; rate < 2; rate += 0.07)
		for (double retention = 0; retention <= 1; retention += 0.03)
		{
			assert_true(value_of_margins(33.3, retention, rate, 1, 0) == 33.3);
			assert_true(value_payback(33.3, 33.3, retention, rate, 0) == 1);
		}
}

static void
test_edges(void **state)
{
	(void) state;
	assert_true(value_payback(0, 100, 0.8, 0.1, 0) == 0);
	assert_true(value_payback(0, -100, 0.8, 0.1, 0) == 0);
	assert_true(isinf(value_payback(1, 0, 1, -0.5, 0)));
	assert_true(isinf(value_payback(1, -100, 1, -0.5, 0)));
	assert_true(isinf(value_payback(101, 100, 0, 0.1, 0)));
	assert_true(isinf(value_payback(1e-300, 100, 0, 0.1, 1)));
	/* margins that double: 1 + 2 + 4 + ... + 2^999 = 2^1000 - 1 */
	assert_true(value_payback(ldexp(1, 999), 1, 1, -0.5, 0) == 1000);
	/* as many as doubles can count, and more */
	assert_true(value_payback(1e15, 1, 1, 0, 0) == 1e15);
	assert_true(value_payback(1e300, 1, 1, 0, 0) == 1e300);
	assert_true(isnan(value_payback(1e300, 1e-300, 1, 0, 0)));
}

/* By definition: enough after n, not before it. */
static void
test_definition(void **state)
{
	static const double rates[] = {-0.3, -1e-9, 0, 1e-17, 1e-9, 0.02, 0.5};
	static const double retentions[] = {0.2, 0.7, 0.97, 1 - 1e-9, 1};
	int			compared = 0;

	(void) state;
	for (int i = 0; i < 7 * 5 * 2; i++)
		for (double cost = 0.01; cost < 1e14; cost *= 7)
		{
			double		rate = rates[i % 7];
			double		retention = retentions[i / 7 % 5];
			int			at_1 = i / 35;
			double		n = value_payback(cost, 3, retention, rate, at_1);

			assert_false(isnan(n));
			if (isinf(n))
			{
				assert_true(value_of_margins(3, retention, rate, DBL_MAX, at_1) < cost);
				continue;
			}
			assert_true(n == floor(n) && value_of_margins(3, retention, rate, n, at_1) >= cost);
			assert_true(value_of_margins(3, retention, rate, n - 1, at_1) < cost);
			compared++;
		}
	assert_true(compared > 500);
}

static int	calls;

static int
at_least(double n, void *state)
{
	calls++;
	return n >= *(double *) state;
}

/* Any guess finds the number; a good one soon. */
static void
test_search(void **state)
{
	static const double answers[] = {2, 3, 4, 17, 1000, 123456789, 9007199254740992.0};

	(void) state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
	{
		double		answer = answers[i];

		for (double guess = 1e-3; guess < 1e18; guess *= 3)
			assert_true(least_enough(guess, 9007199254740992.0, at_least, &answer) == answer);
		assert_true(least_enough(NAN, 9007199254740992.0, at_least, &answer) == answer);
		assert_true(least_enough(INFINITY, 9007199254740992.0, at_least, &answer) == answer);
		assert_true(least_enough(-5, 9007199254740992.0, at_least, &answer) == answer);
		calls = 0;
		assert_true(least_enough(answer - 0.5, 9007199254740992.0, at_least, &answer) == answer);
		assert_true(calls <= 3);
		assert_true(isinf(least_enough(answer, fmax(answer - 1, 1), at_least, &answer)) || answer == 2);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_ties),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_definition),
		cmocka_unit_test(test_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
