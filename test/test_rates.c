/*
 * test_rates.c - Wilson's and Newcombe's intervals, survey scores, Cohen's kappa and standardized differences against
 * published values and against their definitions at 40 digits, which test/reference/make_rates prints.
 */
#include "support.h"

#include <math.h>

#include "math/rates.h"

#define CONF 0.95
#define TOLERANCE 1e-12

static void
assert_rate(const Rate *rate, double estimate, double std_error, double low, double high)
{
	assert_relative(rate->estimate, estimate, TOLERANCE);
	assert_relative(rate->std_error, std_error, TOLERANCE);
	assert_relative(rate->conf_low, low, TOLERANCE);
	assert_relative(rate->conf_high, high, TOLERANCE);
}

/* Newcombe 1998, table I, method 3, prints .2553-.3662, .0624-.1605, .0000-.1611 and .0061-.1718 */
static void
test_wilson_published(void **state)
{
	Rate		rate;

	(void) state;
	rate = wilson_rate(81, 263, CONF);
	assert_rate(&rate, 81.0 / 263, 0.028467188734853666, 0.25528851987827423, 0.36620957698280007);
	rate = wilson_rate(15, 148, CONF);
	assert_rate(&rate, 15.0 / 148, 0.024807264483468248, 0.062386399530736280, 0.16048724172330804);
	rate = wilson_rate(1, 29, CONF);
	assert_rate(&rate, 1.0 / 29, 0.033883012720035689, 0.0061132142927626605, 0.17175521879320288);
	rate = wilson_rate(0, 20, CONF);
	assert_relative(rate.conf_high, 0.16112515805281939, TOLERANCE);
	assert_true(rate.estimate == 0 && rate.conf_low == 0 && rate.std_error == 0);
}

/* references by test/reference/make_rates */
static void
test_wilson_extremes(void **state)
{
	Rate		rate;

	(void) state;
	/* the mirror image of 0 of 20 */
	rate = wilson_rate(20, 20, CONF);
	assert_relative(rate.conf_low, 1 - 0.16112515805281939, TOLERANCE);
	assert_true(rate.estimate == 1 && rate.conf_high == 1 && rate.std_error == 0);
	/* 1 of 1e9: the difference of the quadratic formula has lost eight digits */
	rate = wilson_rate(1, 1e9, CONF);
	assert_rate(&rate, 1e-9, 9.9999999949999999987e-10, 1.7652455495696313174e-10, 5.6649342432974394003e-9);
	rate = wilson_rate(3, 7, 0.5);
	assert_rate(&rate, 3.0 / 7, 0.18704390591656489823, 0.31060347774975140972, 0.55525721599154508879);
	rate = wilson_rate(0, 0, CONF);
	assert_true(rate.n == 0 && isnan(rate.estimate) && isnan(rate.std_error));
	assert_true(isnan(rate.conf_low) && isnan(rate.conf_high));
	for (double n = 1; n <= 300; n++)
		for (double x = 0; x <= n; x++)
		{
			Rate		mirror = wilson_rate(n - x, n, CONF);

			rate = wilson_rate(x, n, CONF);
			assert_true(rate.conf_low >= 0 && rate.conf_low <= rate.estimate && rate.estimate <= rate.conf_high &&
						rate.conf_high <= 1);
			assert_near(rate.conf_low, 1 - mirror.conf_high, 4e-16);
		}
}

/* Newcombe 1998, table II, method 10, prints .0524 to .3339 for the first; references by test/reference/make_rates */
static void
test_share_difference(void **state)
{
	Rate		rate;
	Rate		mirror;

	(void) state;
	rate = share_difference(56, 70, 48, 80, CONF);
	assert_near(rate.estimate, 0.2, 1e-15);
	assert_relative(rate.conf_low, 0.052431472402364877896, TOLERANCE);
	assert_relative(rate.conf_high, 0.33387265403690597643, TOLERANCE);
	rate = share_difference(3, 7, 1e9 - 1, 1e9, 0.5);
	assert_relative(rate.conf_low, -0.68939652125024859127, TOLERANCE);
	assert_relative(rate.conf_high, -0.44474278300845490773, TOLERANCE);
	assert_true(rate.n == 7 + 1e9 && isnan(rate.std_error));
	rate = share_difference(10, 10, 0, 10, CONF);
	assert_true(rate.estimate == 1 && rate.conf_high == 1);
	assert_near(rate.conf_low, 0.6075, 5e-5);
	for (double n = 1; n <= 20; n++)
		for (double x = 0; x <= n; x++)
		{
			rate = share_difference(x, n, 5, 9, CONF);
			mirror = share_difference(5, 9, x, n, CONF);
			assert_true(rate.conf_low >= -1 && rate.conf_low < rate.estimate && rate.estimate < rate.conf_high &&
						rate.conf_high <= 1);
			assert_true(rate.conf_low == -mirror.conf_high && rate.estimate == -mirror.estimate);
		}
	rate = share_difference(0, 0, 1, 2, CONF);
	assert_true(rate.n == 2 && isnan(rate.estimate) && isnan(rate.conf_low) && isnan(rate.conf_high));
	rate = share_difference(1, 2, 0, 0, CONF);
	assert_true(isnan(rate.estimate) && isnan(rate.conf_low) && isnan(rate.conf_high));
}

static void
test_net_promoter(void **state)
{
	Rate		rate;

	(void) state;
	rate = net_promoter_rate(120, 30, 200, CONF);
	assert_rate(&rate, 45, 5.2321123841140874, 34.745248164070390, 55.254751835929610);
	/* as many of both: 100 sqrt(2 * 0.3 / 10) = sqrt(600) */
	rate = net_promoter_rate(3, 3, 10, CONF);
	assert_true(rate.estimate == 0);
	assert_relative(rate.std_error, sqrt(600), 1e-15);
	rate = net_promoter_rate(0, 7, 7, CONF);
	assert_true(rate.estimate == -100 && rate.std_error == 0 && rate.conf_low == -100 && rate.conf_high == -100);
	rate = net_promoter_rate(0, 0, 0, CONF);
	assert_true(rate.n == 0 && isnan(rate.estimate) && isnan(rate.std_error));
}

/* one answer of each, from low to high */
static Rate
each_answer_once(const SurveyScale *scale)
{
	Sample		sample;
	const double *problem;
	Rate		rate;

	sample_init(&sample, 1);
	for (double score = scale->low; score <= scale->high; score++)
		sample_add(&sample, &score, 1);
	assert_true(survey_rate(scale, sample_fold(&sample), CONF, &rate, &problem));
	sample_free(&sample);
	return rate;
}

static void
test_survey_scales(void **state)
{
	static const struct
	{
		const SurveyScale *scale;
		double		score;
	}			wrong[] = {
		{&survey_nps, -1}, {&survey_nps, 11}, {&survey_nps, 8.5}, {&survey_csat, 0}, {&survey_csat, 6},
		{&survey_csat, 4.5}, {&survey_ces, 0}, {&survey_ces, 8}, {&survey_nps, INFINITY}, {&survey_nps, NAN},
	};
	Rate		rate;

	(void) state;
	rate = each_answer_once(&survey_nps);
	assert_true(rate.n == 11);
	assert_relative(rate.estimate, 100 * (2.0 - 7) / 11, 1e-15);
	rate = each_answer_once(&survey_csat);
	assert_true(rate.n == 5 && rate.estimate == 0.4);
	rate = each_answer_once(&survey_ces);
	assert_true(rate.n == 7 && rate.estimate == 3.0 / 7);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
	{
		double		row[] = {wrong[i].score, 2};
		Rows		rows = {1, 1, row, 0, NAN};
		const double *problem = NULL;

		assert_false(survey_rate(wrong[i].scale, &rows, CONF, &rate, &problem));
		assert_ptr_equal(problem, row);
	}
}

/* A table of counts, k categories by k, the first rater down. */
static Agreement
agreement_of(const double *table, int k)
{
	Sample		sample;
	Agreement	a;

	sample_init(&sample, 2);
	for (int i = 0; i < k * k; i++)
		if (table[i] > 0)
			sample_add(&sample, (double[]) {i / k - 1, i % k - 1}, table[i]);
	assert_true(cohen_agreement(sample_fold(&sample), CONF, NULL, &a));
	sample_free(&sample);
	return a;
}

static void
assert_agreement(const Agreement *a, double observed, double expected, double kappa, double std_error)
{
	assert_relative(a->observed, observed, TOLERANCE);
	assert_relative(a->expected, expected, TOLERANCE);
	assert_relative(a->kappa, kappa, TOLERANCE);
	assert_relative(a->std_error, std_error, TOLERANCE);
	assert_near(a->conf_low, kappa - 1.9599639845400545 * std_error, TOLERANCE);
	assert_near(a->conf_high, kappa + 1.9599639845400545 * std_error, TOLERANCE);
}

/*
 * Published to the digits that the comments give; here to those of the formula of 1969 at 40.
 */
static void
test_kappa_published(void **state)
{
	Agreement	a;

	(void) state;
	/* SAS/STAT's printout for its example of 19 pairs: kappa 0.4842, ASE 0.1380, 95 % limits 0.2137 and 0.7547 */
	a = agreement_of((double[]) {0, 4, 1, 0, 8, 0, 0, 1, 5}, 3);
	assert_true(a.n == 19);
	assert_agreement(&a, 13.0 / 19, 140.0 / 361, 107.0 / 221, 0.138013578305814603);
	assert_near(a.kappa, 0.4842, 5e-5);
	assert_near(a.std_error, 0.1380, 5e-5);
	assert_near(a.conf_low, 0.2137, 5e-5);
	assert_near(a.conf_high, 0.7547, 5e-5);
	/* R's statpsych, ci.kappa(.05, 31, 12, 4, 58): 0.6756757, SE 0.07344761, 0.5317210 to 0.8196303 */
	a = agreement_of((double[]) {31, 12, 4, 58}, 2);
	assert_agreement(&a, 89.0 / 105, 167.0 / 315, 25.0 / 37, 0.0734476073444349435);
	assert_near(a.conf_low, 0.5317210, 5e-8);
	assert_near(a.conf_high, 0.8196303, 5e-8);
	/* three diagnoses of 100 patients, Fleiss (1981), Statistical Methods for Rates and Proportions: 0.68 */
	a = agreement_of((double[]) {75, 1, 4, 5, 4, 1, 0, 0, 10}, 3);
	assert_agreement(&a, 0.89, 0.66, 23.0 / 34, 0.0877029534752124757);
}

static void
test_kappa_extremes(void **state)
{
	Agreement	a;

	(void) state;
	a = agreement_of((double[]) {5, 0, 0, 7}, 2);
	assert_true(a.observed == 1 && a.kappa == 1 && a.std_error == 0);
	a = agreement_of((double[]) {0, 5, 5, 0}, 2);
	assert_true(a.observed == 0 && a.kappa == -1);
	/* no better than chance: .25 = .5 * .5 in every cell */
	a = agreement_of((double[]) {25, 25, 25, 25}, 2);
	assert_true(a.observed == 0.5 && a.expected == 0.5 && a.kappa == 0);
	/* one disagreement among 1e9, and one agreement on the rare category */
	a = agreement_of((double[]) {1e9 - 2, 1, 0, 1}, 2);
	assert_relative(a.kappa, 0.66666666622222222163, TOLERANCE);
	assert_relative(a.std_error, 0.3142696807368675758, 1e-9);
	/* all in one category: agreement is certain and says nothing */
	a = agreement_of((double[]) {9, 0, 0, 0}, 2);
	assert_true(a.n == 9 && a.observed == 1 && a.expected == 1);
	assert_true(isnan(a.kappa) && isnan(a.std_error) && isnan(a.conf_low) && isnan(a.conf_high));
	a = agreement_of((double[]) {0}, 1);
	assert_true(a.n == 0 && isnan(a.observed) && isnan(a.expected) && isnan(a.kappa));
}

static void
test_kappa_categories(void **state)
{
	Sample		sample;
	Agreement	a;

	(void) state;
	/* as many as there may be, chosen by both in opposite order: they meet in none, since their number is even */
	sample_init(&sample, 2);
	for (int i = 0; i < AGREEMENT_MOST_CATEGORIES; i++)
		sample_add(&sample, (double[]) {i, AGREEMENT_MOST_CATEGORIES - 1 - i}, 1);
	assert_true(cohen_agreement(sample_fold(&sample), CONF, NULL, &a));
	assert_relative(a.expected, 1.0 / AGREEMENT_MOST_CATEGORIES, TOLERANCE);
	assert_true(a.observed == 0);
	sample_add(&sample, (double[]) {0, AGREEMENT_MOST_CATEGORIES}, 1);
	assert_true(cohen_agreement(sample_fold(&sample), CONF, NULL, &a));
	assert_true(a.too_many_categories && isnan(a.kappa));
	sample_free(&sample);
}

/* Counts the questions, and asks to end at one of them. */
typedef struct Questions
{
	int			asked;
	int			end_at;
} Questions;

static bool
end_at_question(void *arg)
{
	Questions  *questions = arg;

	return ++questions->asked == questions->end_at;
}

static void
test_kappa_stop(void **state)
{
	(void) state;
	/* both passes over the rows ask, the second time before anything is set */
	for (int end_at = 1; end_at <= 3; end_at++)
	{
		Questions	questions = {0, end_at};
		const FitStop stop = {end_at_question, &questions};
		Sample		sample;
		Agreement	a;

		sample_init(&sample, 2);
		sample_add(&sample, (double[]) {0, 0}, 2);
		sample_add(&sample, (double[]) {0, 1}, 1);
		sample_add(&sample, (double[]) {1, 1}, 2);
		assert_int_equal(cohen_agreement(sample_fold(&sample), CONF, &stop, &a), end_at == 3);
		assert_int_equal(questions.asked, end_at == 1 ? 1 : 2);
		assert_int_equal(isnan(a.kappa), end_at < 3);
		assert_false(a.too_many_categories);
		sample_free(&sample);
	}
}

static void
test_standardized_difference(void **state)
{
	(void) state;
	/* Connors 1996, severity of illness with and without catheterization; R's tableone prints 0.553 */
	assert_near(standardized_difference(60.74, 20.27 * 20.27, 50.06, 18.28 * 18.28), 0.553, 5e-4);
	/* (5 - 1) / sqrt((6 + 2) / 2), and the mirror image */
	assert_near(standardized_difference(5, 6, 1, 2), 2, 0);
	assert_near(standardized_difference(1, 2, 5, 6), -2, 0);
	/* whatever the unit: powers of 2 change no digit, down to the smallest numbers and up to the largest */
	for (int unit = -500; unit <= 500; unit += 100)
		assert_near(standardized_difference(ldexp(5, unit), ldexp(6, 2 * unit), ldexp(1, unit), ldexp(2, 2 * unit)), 2, 0);
	/* 3e-162 / sqrt(2^-1074), with 2^-1074 the smallest number */
	assert_relative(standardized_difference(3e-162, 0x1p-1074, 0, 0x1p-1074), 3e-162 / 0x1p-537, 1e-15);
	assert_relative(standardized_difference(1e308, 1e308, -1e308, 1e308), 2e154, 1e-15);
	/* equal means, nothing that varies, out of range */
	assert_near(standardized_difference(2, 0, 2, 0), 0, 0);
	assert_near(standardized_difference(2, 1, 2, 1), 0, 0);
	assert_true(standardized_difference(3, 0, 2, 0) == INFINITY && standardized_difference(2, 0, 3, 0) == -INFINITY);
	assert_true(standardized_difference(1e308, 1, -1e308, 1) == INFINITY);
	assert_true(standardized_difference(-1e308, 0, 1e308, 0) == -INFINITY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wilson_published),
		cmocka_unit_test(test_wilson_extremes),
		cmocka_unit_test(test_share_difference),
		cmocka_unit_test(test_net_promoter),
		cmocka_unit_test(test_survey_scales),
		cmocka_unit_test(test_kappa_published),
		cmocka_unit_test(test_kappa_extremes),
		cmocka_unit_test(test_kappa_categories),
		cmocka_unit_test(test_kappa_stop),
		cmocka_unit_test(test_standardized_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
