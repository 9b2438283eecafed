/*
 * signal.h - the mathematics of signals per customer: what became of a contact, how far customers differ,
 * and how much of a customer's own mean to believe.
 */
#ifndef CLV_MATH_SIGNAL_H
#define CLV_MATH_SIGNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "math/model_kind.h"
#include "math/rows.h"

/* ---- first contact resolution -------------------------------------------------------------------- */

/* What became of one contact of a customer. */
typedef enum ContactOutcome
{
	CONTACT_CENSORED,			/* the data end within the window: not judged */
	CONTACT_RETURNED,			/* the customer came back within the window */
	CONTACT_RESOLVED			/* the customer did not */
} ContactOutcome;

/*
 * Whether the window of a contact at `at` (at most data_until) is still open: the data, complete up to and including
 * data_until, end before at + window. Times are microseconds of one clock, window is positive.
 */
static inline bool
contact_open(int64_t at, int64_t window, int64_t data_until)
{
	/* differences of ordered times are exact as unsigned numbers */
	return (uint64_t) data_until - (uint64_t) at < (uint64_t) window;
}

/*
 * First contact resolution, for the same arguments. A contact whose window is open is censored, also where the customer
 * has come back already: of open windows only returns can be known, and judging by them alone would make a rate too
 * low, the more so the shorter the data. Otherwise a contact was not resolved where the customer's next one comes no
 * later than at + window, and resolved where none does. has_next is false for a customer's last contact; next is not
 * before at, and equal to it where two contacts share a time.
 */
static inline ContactOutcome
contact_outcome(int64_t at, bool has_next, int64_t next, int64_t window, int64_t data_until)
{
	if (contact_open(at, window, data_until))
		return CONTACT_CENSORED;
	if (has_next && (uint64_t) next - (uint64_t) at <= (uint64_t) window)
		return CONTACT_RETURNED;
	return CONTACT_RESOLVED;
}

/* ---- how far customers differ ---------------------------------------------------------------------- */

/*
 * One-way random effects: score = population mean + customer's effect + error, estimated by analysis of variance with
 * unequal numbers of interactions (Donner 1986, Int. Stat. Rev. 54:67; Shrout and Fleiss 1979, ICC(1,1)). NAN where
 * something is not defined.
 */
typedef struct SignalReliability
{
	double		customers;
	double		interactions;
	double		size;			/* n0 = (N - sum n_i^2 / N) / (k - 1): interactions per customer, the effective mean */
	double		mean;			/* of all interactions */
	double		population_mean;	/* mean of the customers' means, weighted by n / (1 + (n - 1) icc) */
	double		variance_between;	/* (MSB - MSW) / n0, of the customers' true means; may come out negative */
	double		variance_within;	/* MSW, of one customer's scores */
	double		icc_estimate;	/* between / (between + within); may come out negative, down to -1 / (n0 - 1) */
	double		conf_low;		/* 95 percent limits of it by the F distribution, exact for equal n_i (Searle 1971; */
	double		conf_high;		/* Thomas and Hultquist 1978 for unequal ones) */
	double		f;				/* MSB / MSW, on k - 1 and N - k degrees of freedom */
	double		p_value;		/* of the hypothesis that customers do not differ */
	double		icc;			/* icc_estimate, or 0 where that is negative: the reliability of one interaction */
	double		reliability;	/* of the mean of n0 interactions: n0 icc / (1 + (n0 - 1) icc) */
	const char *problem;		/* NULL, or why the variances are not defined, as a static message */
} SignalReliability;

/*
 * From rows of ROWS_SIGNAL. False when stop (which may be NULL) asked to end.
 */
extern bool signal_reliability(const Rows *rows, const FitStop *stop, SignalReliability *r);

/*
 * The weight of a customer's own mean of n scores (n >= 0) beside the population mean, 0 <= icc <= 1:
 * n icc / (1 + (n - 1) icc) = between / (between + within / n), 0 for n = 0. Spearman and Brown 1910; the best linear
 * predictor and empirical Bayes weight of Raudenbush and Bryk 2002, and Snijders and Bosker 2012, section 4.8.
 */
extern double signal_weight(double n, double icc);

#endif
