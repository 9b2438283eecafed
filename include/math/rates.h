/*
 * rates.h - shares with Wilson's interval, scores of surveys, agreement of two raters, standardized differences.
 */
#ifndef CLV_MATH_RATES_H
#define CLV_MATH_RATES_H

#include <stdbool.h>

#include "math/model_kind.h"
#include "math/rows.h"

/* An estimate from n answers; without any, all but n are NAN. */
typedef struct Rate
{
	double		n;
	double		estimate;
	double		std_error;
	double		conf_low;
	double		conf_high;
} Rate;

/*
 * The share of successes among n, 0 <= successes <= n. std_error is that of the binomial, sqrt(p (1 - p) / n); the
 * interval is Wilson's score interval for confidence 0 < conf < 1 without correction for continuity, which stays within
 * 0 to 1 and has a width where the share is 0 or 1 (E. B. Wilson 1927; method 3 of R. G. Newcombe 1998).
 */
extern Rate wilson_rate(double successes, double n, double conf);

/*
 * The difference of two independent shares, the first less the second, and its interval from Wilson's of both (method
 * 10 of R. G. Newcombe, "Interval estimation for the difference between independent proportions", 1998), which stays
 * within -1 to 1 and has a width where shares are 0 or 1. n is that of both together; there is no std_error. NAN where
 * either share has no answers.
 */
extern Rate share_difference(double successes_1, double n_1, double successes_2, double n_2, double conf);

/*
 * The net promoter score of n answers, promoters and detractors among them: 100 (p - d), in points of -100 to 100.
 * std_error is 100 sqrt((p + d - (p - d)^2) / n) (B. Rocks 2016), the interval estimate -+ z std_error, which may reach
 * beyond the points that are possible, and has no width where all answers are of one group.
 */
extern Rate net_promoter_rate(double promoters, double detractors, double n, double conf);

/*
 * A question of a survey: answers are whole numbers from low to high, good ones from `good` on, bad ones up to `bad`.
 * Where there are no bad ones (bad < low) the rate is the share of good answers, otherwise the net score.
 */
typedef struct SurveyScale
{
	const char *name;
	int			low;
	int			high;
	int			good;
	int			bad;
} SurveyScale;

extern const SurveyScale survey_nps;	/* 0 to 10: promoters 9 and 10, detractors 0 to 6 */
extern const SurveyScale survey_csat;	/* 1 to 5: satisfied 4 and 5 */
extern const SurveyScale survey_ces;	/* 1 to 7: easy 5 to 7 */

/*
 * The rate of rows of one column, the score (ROWS_RATING). False where a score is not an answer of the scale, and
 * *problem is that row.
 */
extern bool survey_rate(const SurveyScale *scale, const Rows *rows, double conf, Rate *rate, const double **problem);

#define AGREEMENT_MOST_CATEGORIES 1000

/* How far two raters agree beyond chance. */
typedef struct Agreement
{
	double		n;
	double		observed;		/* share of pairs in which both chose the same category */
	double		expected;		/* the share that their own frequencies of categories let expect by chance */
	double		kappa;			/* (observed - expected) / (1 - expected); NAN where expected is 1 */
	double		std_error;
	double		conf_low;		/* kappa -+ z std_error: may reach beyond -1 and 1 */
	double		conf_high;
	bool		too_many_categories;	/* more than AGREEMENT_MOST_CATEGORIES: all but n are NAN */
} Agreement;

/*
 * Cohen's kappa of rows of two columns, the categories that two raters chose (ROWS_AGREEMENT; J. Cohen 1960). std_error
 * is the square root of the large-sample variance of J. L. Fleiss, J. Cohen and B. S. Everitt (1969), that for a kappa
 * that is not known to be 0. Without rows all but n are NAN. False when stop (which may be NULL) asked to end.
 */
extern bool cohen_agreement(const Rows *rows, double conf, const FitStop *stop, Agreement *agreement);

/*
 * The standardized difference of two finite means with finite sample variances, not negative (P. C. Austin 2009):
 * (mean_1 - mean_0) / sqrt((variance_1 + variance_0) / 2), in standard deviations. 0 where the means are equal;
 * infinite where they differ and both variances are 0, or where the result is out of range.
 */
extern double standardized_difference(double mean_1, double variance_1, double mean_0, double variance_0);

#endif
