/*
 * test_backtest.c - predictions beside what happened: small cases worked by hand, a ranking against a sort.
 */
#include "support.h"

#include <math.h>
#include <stdlib.h>

#include "math/backtest.h"

/* Half a purchase per unit of time and repeat purchase so far; a new customer's as if there had been one. */
static double
half_a_purchase(const double *theta, const Customer *c, double t)
{
	return theta[0] * fmax(c->x, 1) * t;
}

static double
amount_of_mean(const double *theta, double x, double m)
{
	return x > 0 ? m + theta[0] : theta[0];
}

static const ModelKind timing = {.expected_purchases = half_a_purchase};
static const ModelKind spend = {.expected_spend = amount_of_mean};
static const double half = 0.5;
static const double ten = 10;

static bool
at_once(void *arg)
{
	(void) arg;
	return true;
}

static const FitStop stop_at_once = {at_once, NULL};

/* x, t_x, t_cal, monetary_value, purchases, spend, count: 1 + 2 + 1 + 1 customers */
static const double holdout[] = {
	0, 0, 9, 0, 0, 0, 1,
	0, 0, 9, 0, 1, 7, 2,
	2, 4, 9, 20, 3, 45, 1,
	9, 8, 9, 20, 0, -5, 1,
};
static const Rows holdout_rows = {.n = 4, .ncols = HOLDOUT_COLUMNS, .data = holdout};

/*
 * In a unit twice as long the horizon of 4 is 2: purchases 0.5 * max(x, 1) * 2 = 1, 1, 2, 9, amounts 10, 10,
 * 30, 30.
 */
static void
test_predict(void **state)
{
	(void) state;
	const Forecaster by = {&timing, &half, &spend, &ten, 0.5};
	double		purchases[4];
	double		amounts[4];
	const double expected[4] = {1, 1, 2, 9};
	const double expected_amounts[4] = {10, 10, 60, 270};

	assert_true(backtest_predict(&by, &holdout_rows, 4, purchases, amounts, NULL));
	for (int i = 0; i < 4; i++)
	{
		assert_true(purchases[i] == expected[i]);
		assert_true(amounts[i] == expected_amounts[i]);
	}
	assert_true(backtest_predict(&by, &holdout_rows, 4, purchases, NULL, NULL));
	assert_false(backtest_predict(&by, &holdout_rows, 4, purchases, NULL, &stop_at_once));
}

/*
 * Predicted 1, 1, 2, 9 against 0, 1 (twice), 3, 0: errors 1, 0, 0, -1, 9 of 5 customers: MAE 11 / 5, RMSE
 * sqrt(83 / 5), bias 9 / 5; predicted in total 14.
 */
static void
test_errors(void **state)
{
	(void) state;
	const double predicted[4] = {1, 1, 2, 9};
	ForecastErrors e;

	assert_true(backtest_errors(&holdout_rows, HOLDOUT_PURCHASES, predicted, NULL, &e));
	assert_true(e.predicted == 14);
	assert_relative(e.mae, 11 / 5.0, 1e-15);
	assert_relative(e.rmse, sqrt(83 / 5.0), 1e-15);
	assert_relative(e.bias, 9 / 5.0, 1e-15);
	assert_false(backtest_errors(&holdout_rows, HOLDOUT_PURCHASES, predicted, &stop_at_once, &e));

	/* nobody: no mean */
	assert_true(backtest_errors(&(Rows) {.ncols = HOLDOUT_COLUMNS}, HOLDOUT_PURCHASES, predicted, NULL, &e));
	assert_true(e.predicted == 0 && isnan(e.mae) && isnan(e.rmse) && isnan(e.bias));
}

/* 0 + 2 * 7 + 45 - 5 = 54; what cancels leaves nothing behind; nobody has nothing */
static void
test_total(void **state)
{
	(void) state;
	const double data[] = {-1e17, 1, 0.1, 10, 1e17, 1};
	double		total;

	assert_true(backtest_total(&holdout_rows, HOLDOUT_SPEND, NULL, &total));
	assert_true(total == 54);
	assert_true(backtest_total(&(Rows) {.n = 3, .ncols = 1, .data = data}, 0, NULL, &total));
	assert_true(total == 1);
	assert_true(backtest_total(&(Rows) {.ncols = HOLDOUT_COLUMNS}, HOLDOUT_SPEND, NULL, &total));
	assert_true(total == 0);
	assert_false(backtest_total(&holdout_rows, HOLDOUT_SPEND, &stop_at_once, &total));
}

/* x = 0: 3 customers, 2 bought, 3 predicted; x = 2: 3 and 2; 7 and more: 0 and 9; the others nobody */
static void
test_classes(void **state)
{
	(void) state;
	const double predicted[4] = {1, 1, 2, 9};
	FrequencyClass c[FREQUENCY_CLASSES];

	assert_true(backtest_classes(&holdout_rows, predicted, NULL, c));
	assert_true(c[0].customers == 3 && c[0].actual == 2 && c[0].predicted == 3);
	assert_true(c[2].customers == 1 && c[2].actual == 3 && c[2].predicted == 2);
	assert_true(c[7].customers == 1 && c[7].actual == 0 && c[7].predicted == 9);
	for (int i = 0; i < FREQUENCY_CLASSES; i++)
		if (i != 0 && i != 2 && i != 7)
			assert_true(c[i].customers == 0 && c[i].actual == 0 && c[i].predicted == 0);
	assert_false(backtest_classes(&holdout_rows, predicted, &stop_at_once, c));
}

/*
 * 25 customers, so the tenth are 2.5: the one of rank 9, value 4, and 1.5 of the four of rank 5, value 6, are
 * 4 + 9 = 13 of 4 + 24 + 20 = 48. At best 2.5 of the four: 15 of 48.
 */
static void
test_top_share(void **state)
{
	(void) state;
	const double data[] = {1, 20, 4, 1, 6, 4};	/* value, count */
	const Rows	rows = {.n = 3, .ncols = 1, .data = data};
	const double ranks[] = {-1, 9, 5};
	double		share;

	assert_true(backtest_top_share(&rows, 0, ranks, 10, NULL, &share));
	assert_relative(share, 13 / 48.0, 1e-15);
	assert_true(backtest_top_share(&rows, 0, NULL, 10, NULL, &share));
	assert_relative(share, 15 / 48.0, 1e-15);
	/* all of equal rank: a tenth of everything */
	assert_true(backtest_top_share(&rows, 0, (const double[]) {0, -0.0, 0}, 10, NULL, &share));
	assert_relative(share, 0.1, 1e-15);
	/* everybody: all of it, whatever the ranks */
	assert_true(backtest_top_share(&rows, 0, ranks, 1, NULL, &share));
	assert_relative(share, 1, 1e-15);
	assert_false(backtest_top_share(&rows, 0, ranks, 10, &stop_at_once, &share));
}

static void
test_nothing_to_share(void **state)
{
	(void) state;
	const double data[] = {0, 20, -1, 2};
	double		share;

	assert_true(backtest_top_share(&(Rows) {.ncols = 1}, 0, NULL, 10, NULL, &share));
	assert_true(isnan(share));
	assert_true(backtest_top_share(&(Rows) {.n = 1, .ncols = 1, .data = data}, 0, NULL, 10, NULL, &share));
	assert_true(isnan(share));
	assert_true(backtest_top_share(&(Rows) {.n = 2, .ncols = 1, .data = data}, 0, NULL, 10, NULL, &share));
	assert_true(isnan(share));
}

typedef struct Ranked
{
	double		rank;
	double		value;
	double		count;
} Ranked;

static int
higher_first(const void *a, const void *b)
{
	double		x = ((const Ranked *) a)->rank;
	double		y = ((const Ranked *) b)->rank;

	return (x < y) - (x > y);
}

/* The same by sorting and walking down to the boundary. */
static double
share_by_sorting(Ranked *ranked, size_t n, double parts)
{
	double		total = 0;
	double		customers = 0;
	double		share = 0;
	double		left;

	qsort(ranked, n, sizeof(Ranked), higher_first);
	for (size_t i = 0; i < n; i++)
	{
		total += ranked[i].count * ranked[i].value;
		customers += ranked[i].count;
	}
	left = customers / parts;
	for (size_t i = 0; i < n && left > 0;)
	{
		double		tied = 0;
		double		value = 0;
		double		rank = ranked[i].rank;
		double		taken;

		for (; i < n && ranked[i].rank == rank; i++)
		{
			tied += ranked[i].count;
			value += ranked[i].count * ranked[i].value;
		}
		taken = fmin(left, tied);
		share += value * taken / tied;
		left -= taken;
	}
	return share / total;
}

/* Ranks of all sizes and signs, many of them equal, values that may be negative. */
static void
test_top_share_by_sorting(void **state)
{
	(void) state;
	Random		random;

	random_seed(&random, 20260101);
	for (int set = 0; set < 500; set++)
	{
		size_t		n = 1 + (size_t) (random_uniform(&random) * 60);
		double		data[2 * 61];
		double		ranks[61];
		Ranked		ranked[61];
		Rows		rows = {.n = n, .ncols = 1, .data = data};
		double		parts = set % 2 ? 10 : 1 + 5 * random_uniform(&random);
		double		share;

		for (size_t i = 0; i < n; i++)
		{
			double		size = exp(20 * random_normal(&random));

			ranks[i] = random_uniform(&random) < 0.3 ? -size : size;
			if (set % 3 == 0)
				ranks[i] = floor(4 * random_uniform(&random)) - 1;
			data[2 * i] = 3 + random_normal(&random);
			data[2 * i + 1] = 1 + floor(9 * random_uniform(&random));
			ranked[i] = (Ranked) {ranks[i], data[2 * i], data[2 * i + 1]};
		}
		assert_true(backtest_top_share(&rows, 0, ranks, parts, NULL, &share));
		assert_relative(share, share_by_sorting(ranked, n, parts), 1e-12);
		for (size_t i = 0; i < n; i++)
			ranked[i].rank = ranked[i].value;
		assert_true(backtest_top_share(&rows, 0, NULL, parts, NULL, &share));
		assert_relative(share, share_by_sorting(ranked, n, parts), 1e-12);
	}
}

/*
 * 2 new customers on day 0 and 1 on day 3; a repeat purchase on day 2, two on day 6, one on day 8; on day 14,
 * after the end, 5 more new ones. A unit of 2 days, E[X(age)] = 0.5 age / 2 = age / 4. Up to day 6: 3 happened,
 * 2 * 6 / 4 + 3 / 4 = 3.75 expected; up to day 13: 4 and 2 * 13 / 4 + 10 / 4 = 9.
 */
static void
test_track(void **state)
{
	(void) state;
	const double data[] = {0, 0, 2, 2, 1, 1, 3, 0, 1, 6, 1, 2, 8, 1, 1, 14, 0, 5};
	const Rows	rows = {.n = 6, .ncols = CALENDAR_COLUMNS, .data = data};
	const double ends[] = {6, 13};
	double		by_age[14];
	double		actual[2];
	double		expected[2];

	for (int i = 0; i < 14; i++)
		by_age[i] = NAN;
	assert_true(backtest_track(&timing, &half, 2, &rows, ends, 2, by_age, actual, expected, NULL));
	assert_true(actual[0] == 3 && actual[1] == 4);
	assert_true(expected[0] == 3.75 && expected[1] == 9);
	assert_false(backtest_track(&timing, &half, 2, &rows, ends, 2, by_age, actual, expected, &stop_at_once));
	assert_true(backtest_track(&timing, &half, 2, &rows, ends, 0, NULL, NULL, NULL, NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_predict),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_total),
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_top_share),
		cmocka_unit_test(test_nothing_to_share),
		cmocka_unit_test(test_top_share_by_sorting),
		cmocka_unit_test(test_track),
	};

	return cmocka_run_group_tests_name("backtest", tests, NULL, NULL);
}
