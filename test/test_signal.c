/*
 * test_signal.c - reliability of a signal against published tables, exact fractions and planted correlations; outcomes
 * of contacts at the edges of their windows.
 */
#include "support.h"

#include <math.h>

#include "math/random.h"
#include "math/signal.h"

#define DAY INT64_C(86400000000)

/* ---- reliability --------------------------------------------------------------------------------- */

/* One customer with these scores. */
static void
add_customer(Sample *sample, const double *scores, int n)
{
	double		row[SIGNAL_COLUMNS] = {n, 0, 0};

	for (int i = 0; i < n; i++)
		row[SIGNAL_MEAN] += scores[i] / n;
	for (int i = 0; i < n; i++)
		row[SIGNAL_WITHIN] += (scores[i] - row[SIGNAL_MEAN]) * (scores[i] - row[SIGNAL_MEAN]);
	sample_add(sample, row, 1);
}

/* Scores of `customers` customers behind each other, sizes[i] of customer i. */
static SignalReliability
reliability_of(const double *scores, const int *sizes, int customers)
{
	Sample		sample;
	SignalReliability r;

	sample_init(&sample, SIGNAL_COLUMNS);
	for (int i = 0; i < customers; scores += sizes[i++])
		add_customer(&sample, scores, sizes[i]);
	assert_true(signal_reliability(sample_fold(&sample), NULL, &r));
	sample_free(&sample);
	return r;
}

static void
test_shrout_and_fleiss(void **state)
{
	/* Shrout and Fleiss 1979, tables 2 to 4: six targets of four ratings each */
	const double ratings[] = {9, 2, 5, 8, 6, 1, 3, 2, 8, 4, 6, 8, 7, 1, 2, 6, 10, 5, 6, 9, 6, 2, 4, 7};
	const int	sizes[] = {4, 4, 4, 4, 4, 4};
	SignalReliability r = reliability_of(ratings, sizes, 6);

	(void) state;
	assert_null(r.problem);
	assert_near(r.customers, 6, 0);
	assert_near(r.interactions, 24, 0);
	assert_relative(r.size, 4, 1e-14);
	assert_near(r.variance_within, 6.26, 0.005);
	assert_near(r.size * r.variance_between + r.variance_within, 11.24, 0.005);
	assert_near(r.icc, 0.17, 0.005);
	assert_near(r.reliability, 0.44, 0.005);
	/* as R's psych::ICC prints them */
	assert_near(r.f, 1.79, 0.005);
	assert_near(r.p_value, 0.165, 0.0005);
	assert_near(r.conf_low, -0.133, 0.0005);
	assert_near(r.conf_high, 0.723, 0.0005);
}

static void
test_unequal_sizes(void **state)
{
	/* exact fractions; the limits and the p-value by mpmath at 30 digits */
	const double scores[] = {4, 5, 6, 8, 9, 13, 2, 7, 3, 9};
	const int	sizes[] = {3, 2, 1, 4};
	SignalReliability r = reliability_of(scores, sizes, 4);

	(void) state;
	assert_null(r.problem);
	assert_relative(r.size, 7.0 / 3, 1e-14);
	assert_relative(r.mean, 33.0 / 5, 1e-14);
	assert_relative(r.variance_between, 1821.0 / 280, 1e-14);
	assert_relative(r.variance_within, 47.0 / 8, 1e-14);
	assert_relative(r.icc_estimate, 1821.0 / 3466, 1e-14);
	assert_relative(r.population_mean, 6645708620211.0 / 893690629103.0, 1e-14);
	assert_relative(r.reliability, 607.0 / 842, 1e-14);
	assert_relative(r.f, 842.0 / 235, 1e-14);
	assert_relative(r.p_value, 0.0859059284977430220646, 1e-12);
	assert_relative(r.conf_low, -0.243577096375775852366, 1e-12);
	assert_relative(r.conf_high, 0.956891919120548210616, 1e-12);
}

static void
test_negative_estimate(void **state)
{
	const double scores[] = {1, 5, 9, 2, 5, 8, 3, 6};
	const int	sizes[] = {3, 3, 2};
	SignalReliability r = reliability_of(scores, sizes, 3);

	(void) state;
	assert_null(r.problem);
	assert_relative(r.icc_estimate, -857.0 / 1432, 1e-14);
	assert_relative(r.variance_between, -857.0 / 210, 1e-14);
	assert_relative(r.conf_low, -0.613359552533563907859, 1e-12);
	assert_relative(r.conf_high, -0.140807538752904949198, 1e-12);
	assert_near(r.icc, 0, 0);
	assert_near(r.reliability, 0, 0);
	/* nothing is known of customers beyond their interactions: the mean of all */
	assert_relative(r.population_mean, r.mean, 1e-14);
}

static void
test_counts_are_customers(void **state)
{
	const double rows[][SIGNAL_COLUMNS] = {{3, 0.5, 0.02}, {1, 0.9, 0}, {6, 0.25, 0.4}};
	Sample		one;
	Sample		many;
	SignalReliability a;
	SignalReliability b;

	(void) state;
	sample_init(&one, SIGNAL_COLUMNS);
	sample_init(&many, SIGNAL_COLUMNS);
	for (int i = 0; i < 3; i++)
	{
		sample_add(&one, rows[i], 5);
		for (int j = 0; j < 5; j++)
			sample_add(&many, rows[i], 1);
	}
	/* the second is not folded: the same customers as 15 rows */
	assert_true(signal_reliability(sample_fold(&one), NULL, &a));
	many.rows = (Rows) {.n = 15, .ncols = SIGNAL_COLUMNS, .data = many.data};
	assert_true(signal_reliability(&many.rows, NULL, &b));
	assert_near(a.customers, 15, 0);
	assert_near(a.interactions, 50, 0);
	assert_near(b.customers, 15, 0);
	assert_relative(a.icc, b.icc, 1e-14);
	assert_relative(a.population_mean, b.population_mean, 1e-14);
	assert_relative(a.conf_low, b.conf_low, 1e-12);
	sample_free(&one);
	sample_free(&many);
}

static void
test_not_defined(void **state)
{
	const double same[] = {0.1, 0.1, 0.1, 0.1, 0.1, 0.1};
	const double apart[] = {1, 1, 2, 2};
	SignalReliability r = reliability_of(same, (int[]) {0}, 0);

	(void) state;
	assert_non_null(r.problem);
	assert_true(isnan(r.mean));

	r = reliability_of(same, (int[]) {6}, 1);
	assert_non_null(r.problem);
	assert_relative(r.mean, 0.1, 1e-14);
	assert_true(isnan(r.icc));

	r = reliability_of(apart, (int[]) {1, 1, 1, 1}, 4);
	assert_non_null(r.problem);
	assert_relative(r.mean, 1.5, 1e-14);

	/* a mean that was rounded is no variance */
	r = reliability_of(same, (int[]) {3, 3}, 2);
	assert_non_null(r.problem);

	/* customers differ and their scores do not: one score tells everything, F is infinite */
	r = reliability_of(apart, (int[]) {2, 2}, 2);
	assert_null(r.problem);
	assert_near(r.icc, 1, 0);
	assert_near(r.reliability, 1, 0);
	assert_true(isnan(r.f) && isnan(r.conf_low));
}

/* The estimate is within four standard errors of the correlation that was planted, with one to twelve interactions. */
static void
test_planted_correlation(void **state)
{
	const double planted[] = {0.05, 0.2, 0.5, 0.9};
	Random		random;

	(void) state;
	random_seed(&random, 5);
	for (int p = 0; p < 4; p++)
	{
		const int	customers = 20000;
		Sample		sample;
		SignalReliability r;

		sample_init(&sample, SIGNAL_COLUMNS);
		for (int i = 0; i < customers; i++)
		{
			double		scores[12];
			int			n = 1 + (int) (12 * random_uniform(&random));
			double		mean = 0.7 + sqrt(planted[p]) * random_normal(&random);

			for (int j = 0; j < n; j++)
				scores[j] = mean + sqrt(1 - planted[p]) * random_normal(&random);
			add_customer(&sample, scores, n);
		}
		assert_true(signal_reliability(sample_fold(&sample), NULL, &r));
		/* standard error of about sqrt(2 / k) (1 - icc) (1 + (n0 - 1) icc) / n0, below 0.011 here */
		assert_near(r.icc, planted[p], 4 * sqrt(2.0 / customers) * (1 - planted[p]) *
					(1 + (r.size - 1) * planted[p]) / r.size + 0.002);
		assert_true(r.conf_low < planted[p] && planted[p] < r.conf_high);
		assert_near(r.population_mean, 0.7, 0.03);
		assert_near(r.variance_between, planted[p], 0.05);
		sample_free(&sample);
	}
}

/* Limits exist for millions of customers, and close in on the estimate. */
static void
test_millions_of_customers(void **state)
{
	Sample		sample;
	SignalReliability r;

	(void) state;
	sample_init(&sample, SIGNAL_COLUMNS);
	sample_add(&sample, (double[]) {10, 0.2, 2}, 1e6);
	sample_add(&sample, (double[]) {10, 0.8, 2}, 1e6);
	assert_true(signal_reliability(sample_fold(&sample), NULL, &r));
	assert_null(r.problem);
	/* MSB 10 * 0.09, MSW 2 / 9 */
	assert_near(r.icc, (0.9 - 2.0 / 9) / (0.9 + 9 * 2.0 / 9), 1e-6);
	assert_true(r.conf_low < r.icc && r.icc < r.conf_high);
	/* the limits by mpmath, from F at 2e6 - 1 and 18e6 degrees of freedom */
	assert_relative(r.conf_low, 0.2332256760156400426518, 1e-9);
	assert_relative(r.conf_high, 0.2342083086134000142633, 1e-9);
	sample_free(&sample);

	/* where customers differ as chance makes them, F is 1: half of all such F are larger */
	sample_init(&sample, SIGNAL_COLUMNS);
	sample_add(&sample, (double[]) {10, -1, 90}, 1e6);
	sample_add(&sample, (double[]) {10, 1, 90}, 1e6);
	assert_true(signal_reliability(sample_fold(&sample), NULL, &r));
	assert_relative(r.f, 1, 1e-6);
	assert_near(r.p_value, 0.5, 0.001);
	assert_near(r.icc, 0, 1e-6);
	sample_free(&sample);
}

static bool
stop_at_once(void *arg)
{
	(void) arg;
	return true;
}

static void
test_stop(void **state)
{
	const FitStop stop = {stop_at_once, NULL};
	Sample		sample;
	SignalReliability r;

	(void) state;
	sample_init(&sample, SIGNAL_COLUMNS);
	sample_add(&sample, (double[]) {10, 0.2, 2}, 3);
	assert_false(signal_reliability(sample_fold(&sample), &stop, &r));
	sample_free(&sample);
}

/* ---- weights --------------------------------------------------------------------------------------- */

static void
test_weight(void **state)
{
	(void) state;
	/* Spearman and Brown: a correlation of 1/2 makes the mean of two 2/3 reliable, of three 3/4 */
	assert_relative(signal_weight(1, 0.5), 0.5, 1e-15);
	assert_relative(signal_weight(2, 0.5), 2.0 / 3, 1e-15);
	assert_relative(signal_weight(3, 0.5), 0.75, 1e-15);
	/* between / (between + within / n) for between 0.04, within 0.16, n = 6 */
	assert_relative(signal_weight(6, 0.2), 0.04 / (0.04 + 0.16 / 6), 1e-14);
	assert_near(signal_weight(0, 0.5), 0, 0);
	assert_near(signal_weight(0, 1), 0, 0);
	assert_near(signal_weight(100, 0), 0, 0);
	assert_near(signal_weight(1, 1), 1, 0);
	assert_near(signal_weight(7, 1), 1, 1e-15);
}

/* ---- contacts -------------------------------------------------------------------------------------- */

static void
test_contact_outcome(void **state)
{
	const int64_t at = 100 * DAY;
	const int64_t week = 7 * DAY;
	const int64_t later = 200 * DAY;

	(void) state;
	/* the last instant of the window is in it */
	assert_int_equal(contact_outcome(at, true, at + week, week, later), CONTACT_RETURNED);
	assert_int_equal(contact_outcome(at, true, at + week + 1, week, later), CONTACT_RESOLVED);
	assert_int_equal(contact_outcome(at, true, at, week, later), CONTACT_RETURNED);
	assert_int_equal(contact_outcome(at, false, 0, week, later), CONTACT_RESOLVED);
	/* the data must reach as far as the window */
	assert_int_equal(contact_outcome(at, false, 0, week, at + week), CONTACT_RESOLVED);
	assert_int_equal(contact_outcome(at, false, 0, week, at + week - 1), CONTACT_CENSORED);
	assert_int_equal(contact_outcome(at, false, 0, week, at), CONTACT_CENSORED);
	/* also for those who have come back; at its end a return at the last instant is seen */
	assert_int_equal(contact_outcome(at, true, at + DAY, week, at + 2 * DAY), CONTACT_CENSORED);
	assert_int_equal(contact_outcome(at, true, at, week, at + week - 1), CONTACT_CENSORED);
	assert_int_equal(contact_outcome(at, true, at + DAY, week, at + week), CONTACT_RETURNED);
	assert_int_equal(contact_outcome(at, true, at + week, week, at + week), CONTACT_RETURNED);
	/* what comes after the data */
	assert_int_equal(contact_outcome(at, true, at + 2 * DAY, week, at + DAY), CONTACT_CENSORED);
	assert_int_equal(contact_outcome(at, true, at + 2 * DAY, DAY, at + DAY), CONTACT_RESOLVED);
	/* the whole range of times */
	assert_int_equal(contact_outcome(INT64_MIN, true, INT64_MAX, week, INT64_MAX), CONTACT_RESOLVED);
	assert_int_equal(contact_outcome(INT64_MAX - 1, false, 0, week, INT64_MAX), CONTACT_CENSORED);
}

/*
 * Customers whose contacts follow each other after 2, 9 and 10 days in turn, begun at every hour of the 21 days: 1 of 3
 * contacts comes back within a week, however short the data are.
 */
static void
test_rate_of_short_data(void **state)
{
	const int64_t hour = DAY / 24;
	const int64_t gaps[] = {2 * DAY, 9 * DAY, 10 * DAY};

	(void) state;
	for (int64_t data_until = 7 * DAY; data_until <= 50 * DAY; data_until += DAY)
	{
		int			judged = 0;
		int			returned = 0;

		for (int64_t at = -21 * DAY; at < 0; at += hour)
			for (int64_t contact = at, i = 0; contact <= data_until; contact += gaps[i], i = (i + 1) % 3)
			{
				ContactOutcome outcome = contact_outcome(contact, true, contact + gaps[i], 7 * DAY, data_until);

				/* the data begin at 0 */
				judged += contact >= 0 && outcome != CONTACT_CENSORED;
				returned += contact >= 0 && outcome == CONTACT_RETURNED;
			}
		assert_true(judged > 0);
		assert_int_equal(3 * returned, judged);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shrout_and_fleiss),
		cmocka_unit_test(test_unequal_sizes),
		cmocka_unit_test(test_negative_estimate),
		cmocka_unit_test(test_counts_are_customers),
		cmocka_unit_test(test_not_defined),
		cmocka_unit_test(test_planted_correlation),
		cmocka_unit_test(test_millions_of_customers),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_weight),
		cmocka_unit_test(test_contact_outcome),
		cmocka_unit_test(test_rate_of_short_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
