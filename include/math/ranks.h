/*
 * ranks.h - rank correlation, and p-values of several tests.
 */
#ifndef CLV_MATH_RANKS_H
#define CLV_MATH_RANKS_H

#include <stdbool.h>

#include "math/model_kind.h"
#include "math/rows.h"

/* Spearman's correlation of two columns: Pearson's of their ranks, equal values sharing the mean of theirs. */
typedef struct RankCorrelation
{
	double		n;
	double		estimate;		/* NAN where a column is constant, or there are no rows */
	double		std_error;		/* by the delta method; NAN without an interval */
	double		conf_low;		/* NAN without an estimate, where it is -1 or 1, and for n < 4 */
	double		conf_high;
	double		p_value;		/* two-sided; NAN without an estimate, where it is -1 or 1, and for n < 3 */
} RankCorrelation;

/*
 * The interval, at confidence 0 < conf < 1, is symmetric in artanh(estimate), of variance (1 + estimate^2 / 2) /
 * (n - 3) (D. G. Bonett and T. A. Wright 2000); the p-value that of estimate sqrt((n - 2) / (1 - estimate^2)) by
 * Student's t with n - 2 degrees of freedom. False when stop (which may be NULL) asked to end, or memory ran out:
 * *no_memory tells.
 */
extern bool rank_correlation(const Rows *rows, double conf, const FitStop *stop, RankCorrelation *c, bool *no_memory);

/*
 * Adjust n p-values, ascending, in place: equal ones stay equal, and the order stays. Benjamini and Hochberg (1995)
 * bound the expected share of false ones among those found, Holm (1979) the probability of any false one.
 */
extern void adjust_benjamini_hochberg(double *p, size_t n);
extern void adjust_holm(double *p, size_t n);

#endif
