/*
 * test_rfm.c - the rule of a score against its definition by ranks, segments, tiers.
 */
#include "support.h"

#include <math.h>
#include <string.h>

#include "math/rfm.h"

#define MOST_VALUES 40

/* the definition: 1 + bins * (rank - 1) / (n - 1) in integers, at most bins; rank - 1 is the number of worse values */
static int
score_by_rank(const double *values, int n, int i, int bins, int column)
{
	int			worse = 0;
	int			score;

	for (int j = 0; j < n; j++)
		worse += column == RFM_DAYS ? values[j] > values[i] : values[j] < values[i];
	score = 1 + bins * worse / (n - 1);
	return score < bins ? score : bins;
}

/* n values of a column, the worst first: sorting by hand */
static void
sort_worst_first(double *values, int n, int column)
{
	for (int i = 1; i < n; i++)
		for (int j = i; j > 0 && rfm_worth(column, values[j]) < rfm_worth(column, values[j - 1]); j--)
		{
			double		swap = values[j];

			values[j] = values[j - 1];
			values[j - 1] = swap;
		}
}

static void
test_scores_follow_the_rank(void **state)
{
	Random		random;
	long		compared = 0;

	(void) state;
	random_seed(&random, 20260101);
	for (int n = 2; n <= MOST_VALUES; n++)
		for (int bins = RFM_LEAST_BINS; bins <= RFM_MOST_BINS; bins++)
		{
			double		values[RFM_COLUMNS][MOST_VALUES];
			RfmBreaks	breaks = {bins - 1, {{0}}};

			for (int c = 0; c < RFM_COLUMNS; c++)
			{
				double		sorted[MOST_VALUES];

				/* the first column has few ties, the last many */
				for (int i = 0; i < n; i++)
					sorted[i] = values[c][i] = floor((c == 0 ? 1000 : 10 / c) * random_uniform(&random));
				sort_worst_first(sorted, n, c);
				for (int score = 2; score <= bins; score++)
				{
					long long	rank = rfm_break_rank(n, bins, score);

					assert_true(rank >= 1 && rank <= n);
					breaks.at[c][score - 2] = sorted[rank - 1];
				}
			}
			assert_null(rfm_breaks_problem(&breaks));
			for (int i = 0; i < n; i++)
			{
				double		customer[RFM_COLUMNS] = {values[0][i], values[1][i], values[2][i]};
				int			scores[RFM_COLUMNS];

				rfm_scores(&breaks, customer, scores);
				for (int c = 0; c < RFM_COLUMNS; c++, compared++)
					assert_int_equal(scores[c], score_by_rank(values[c], n, i, bins, c));
			}
		}
	assert_int_equal(compared, 3 * 8 * (MOST_VALUES * (MOST_VALUES + 1) / 2 - 1));
}

/* ranks of as many values as a count can hold do not overflow */
static void
test_ranks_of_many(void **state)
{
	long long	n = 9007199254740992;

	(void) state;
	assert_int_equal(rfm_break_rank(n, 9, 9), 8 * ((n - 1) / 9) + (8 * ((n - 1) % 9) + 8) / 9);
	assert_int_equal(rfm_break_rank(n, 2, 2), n / 2);
	assert_int_equal(rfm_break_rank(2, 9, 2), 1);
}

static void
test_breaks_with_problems(void **state)
{
	RfmBreaks	good = {2, {{30, 30}, {1, 2}, {-5, -5}}};
	RfmBreaks	bad;

	(void) state;
	assert_null(rfm_breaks_problem(&good));
	bad = good;
	bad.at[RFM_DAYS][1] = 31;
	assert_string_equal(rfm_breaks_problem(&bad), "breaks of days_since_last must not ascend");
	bad = good;
	bad.at[RFM_MONETARY][1] = -6;
	assert_string_equal(rfm_breaks_problem(&bad), "breaks of frequency and monetary must not descend");
	bad = good;
	bad.at[RFM_FREQUENCY][0] = NAN;
	assert_string_equal(rfm_breaks_problem(&bad), "breaks must be finite numbers");
}

/* the ten names by (R, FM) as marketing uses them, rows R = 1 to 5, columns FM = 1 to 5 */
static void
test_segments(void **state)
{
	static const char *const names[5][5] = {
		{"Hibernating", "Hibernating", "At Risk", "At Risk", "Can't Lose"},
		{"Hibernating", "Hibernating", "At Risk", "At Risk", "Can't Lose"},
		{"About To Sleep", "About To Sleep", "Need Attention", "Loyal", "Loyal"},
		{"Promising", "Potential Loyalist", "Potential Loyalist", "Loyal", "Loyal"},
		{"New", "Potential Loyalist", "Potential Loyalist", "Champions", "Champions"},
	};

	(void) state;
	for (int r = 1; r <= 5; r++)
		for (int f = 1; f <= 5; f++)
			for (int m = 1; m <= 5; m++)
			{
				int			fm = (f + m + 1) / 2;
				const RfmSegment *rule;
				int			rules = 0;

				assert_string_equal(rfm_segment_of(r, f, m)->name, names[r - 1][fm - 1]);
				for (size_t i = 0; (rule = rfm_segment_at(i)) != NULL; i++)
					rules += r >= rule->r_min && r <= rule->r_max && fm >= rule->fm_min && fm <= rule->fm_max;
				assert_int_equal(rules, 1);
			}
	assert_null(rfm_segment_of(0, 1, 1));
	assert_null(rfm_segment_of(6, 1, 1));
}

static void
test_tiers(void **state)
{
	(void) state;
	assert_string_equal(rfm_value_tier(100, 0.5, 100, 0.5), "at risk");
	assert_string_equal(rfm_value_tier(100, 0.49, 100, 0.5), "high value");
	assert_string_equal(rfm_value_tier(99, 0.49, 100, 0.5), "growth potential");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scores_follow_the_rank),
		cmocka_unit_test(test_ranks_of_many),
		cmocka_unit_test(test_breaks_with_problems),
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_tiers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
