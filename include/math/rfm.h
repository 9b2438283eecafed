/*
 * rfm.h - scores by recency, frequency and monetary value, the segments that they make, and tiers of value.
 */
#ifndef CLV_MATH_RFM_H
#define CLV_MATH_RFM_H

#include <stdbool.h>
#include <stddef.h>

#define RFM_LEAST_BINS 2
#define RFM_MOST_BINS 9			/* a score is one digit */
#define RFM_SEGMENT_BINS 5		/* what the segments are made of */

/* The three columns, in the order of the digits of a score: few days, many purchases and much money are good. */
enum
{
	RFM_DAYS, RFM_FREQUENCY, RFM_MONETARY, RFM_COLUMNS
};

/*
 * Between the scores of each column, from the worst to the best: a customer scores 1 and one more for each of the
 * n = bins - 1 breaks that lie strictly above days, or strictly below frequency and monetary.
 */
typedef struct RfmBreaks
{
	int			n;
	double		at[RFM_COLUMNS][RFM_MOST_BINS - 1];
} RfmBreaks;

/* A value of a column as a number that is the larger the better, and back again. */
static inline double
rfm_worth(int column, double value)
{
	return column == RFM_DAYS ? 0 - value : value;
}

/*
 * Which of n >= 2 values, sorted from worst to best and counted from 1, is the break below `score` = 2 .. bins. A value
 * of rank 1 + (number of worse ones) then scores 1 + bins * (rank - 1) / (n - 1) in integers, at most bins.
 */
extern long long rfm_break_rank(long long n, int bins, int score);

/* The scores 1 .. breaks->n + 1 of one customer. */
extern void rfm_scores(const RfmBreaks *breaks, const double *values, int *scores);

/* What is wrong with breaks, as a static message, or NULL: numbers that are none, or out of order. */
extern const char *rfm_breaks_problem(const RfmBreaks *breaks);

/* One rule: customers whose recency score and mean of frequency and monetary score lie in the ranges. */
typedef struct RfmSegment
{
	const char *name;
	int			r_min;
	int			r_max;
	int			fm_min;
	int			fm_max;
	const char *action;			/* what to do with them, as a suggestion */
} RfmSegment;

/* The rules, from the best customers to those who left: i = 0, 1, ...; NULL behind the last. */
extern const RfmSegment *rfm_segment_at(size_t i);

/* The one rule for scores of 1 to 5; FM is (f + m + 1) / 2 in integers. */
extern const RfmSegment *rfm_segment_of(int r, int f, int m);

/* 'at risk' from high_risk on, else 'high value' from high_value on, else 'growth potential'. */
extern const char *rfm_value_tier(double clv, double churn_risk, double high_value, double high_risk);

#endif
