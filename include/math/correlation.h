/*
 * correlation.h - whether how much customers spend goes with how often they buy, which the gamma-gamma model takes
 * not to be so.
 */
#ifndef CLV_MATH_CORRELATION_H
#define CLV_MATH_CORRELATION_H

#include "math/rows.h"

/* Pearson's correlation of the first two columns over n customers, and its interval. */
typedef struct Correlation
{
	double		n;
	double		value;			/* NAN where a column is constant */
	double		conf_low;		/* NAN without a value, and for n < 4 */
	double		conf_high;
} Correlation;

/*
 * The interval (Fisher 1921) at confidence 0 < conf < 1 is symmetric in Fisher's z = artanh(value), of variance
 * 1 / (n - 3).
 */
extern Correlation correlate(const Rows *rows, double conf);

#endif
