/*
 * timing_rows.h - what every model of purchase times asks of its rows before a fit.
 */
#ifndef CLV_MATH_TIMING_ROWS_H
#define CLV_MATH_TIMING_ROWS_H

#include <stdbool.h>

#include "math/rows.h"

/* ModelKind's undetermined: too few customers, no repeat purchase, no differences. */
extern bool timing_undetermined(const Rows *rows, const char **reason, const char **hint);

/*
 * Sums over the customers that start values are made of. Repeat buyers who have been silent for more than three of
 * their mean gaps count as gone.
 */
typedef struct TimingMoments
{
	double		customers;
	double		mean_x;
	double		variance_x;
	double		purchases;		/* sum of x */
	double		active;			/* time up to the last purchase of who is gone, up to t_cal of all others */
	double		repeat_active;	/* the same of repeat buyers alone */
	double		gone;
} TimingMoments;

extern TimingMoments timing_moments(const Rows *rows);

/*
 * Shape of the gamma distribution of purchase rates whose counts of purchases would have that mean and variance,
 * every purchase being the k-th event of a Poisson process; between .1 and 10.
 */
extern double timing_shape(const TimingMoments *moments, double k);

#endif
