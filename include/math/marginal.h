/*
 * marginal.h - mean responses of a regression over rows, and what they do when a regressor changes: the functions of
 * the parameters that the delta method is applied to. Gradients are with respect to theta, nparams numbers, with 0
 * for a column whose effect cannot be told; sandwich() of matrix.h makes variances of them. Of kinds with slopes (lm,
 * logit). Rows are those of ROWS_RESPONSE or ROWS_CLUSTERED, or any others in which nx regressors stand before the
 * values; means count every row as often as its count says. docs/logit.md.
 */
#ifndef CLV_MATH_MARGINAL_H
#define CLV_MATH_MARGINAL_H

#include "math/regression.h"

#define MARGINAL_MAX_PARAMS (1 + ROWS_MAX_REGRESSORS)

/* The regressors of a row, x[0] to x[nx - 1], where the values of the row begin at `row`. */
static inline const double *
row_regressors(const double *row, int nx)
{
	return row - nx;
}

/* Regressor `column` (from 0) rises by `lift` in every row, at most to high and, where lift is negative, to low. */
typedef struct Shift
{
	int			column;
	double		lift;
	double		low;
	double		high;
} Shift;

/* The value after the shift, of an x between low and high. */
static inline double
shifted(const Shift *shift, double x)
{
	return fmin(fmax(x + shift->lift, shift->low), shift->high);
}

/* Mean response as the rows are, and with a shift of one column ("g-computation": J. M. Robins 1986). */
typedef struct MeanChange
{
	double		n;				/* rows, by count */
	double		before;
	double		after;
	double		change;			/* mean of the rows' differences */
	double		clipped;		/* share of the rows that the full lift would have taken past low or high */
	double		gradient_before[MARGINAL_MAX_PARAMS];
	double		gradient_change[MARGINAL_MAX_PARAMS];
	const double *outside;		/* a row in which the column is not between low and high: then nothing else is set */
} MeanChange;

/*
 * Without rows all means are NAN. shift may be NULL: nothing changes. False when stop (which may be NULL) asked to end.
 */
extern bool mean_change(const ModelKind *kind, const double *theta, int nx, const Rows *rows, const Shift *shift,
						const FitStop *stop, MeanChange *result);

/* Average marginal effects of nx columns: mean over the rows of the derivative, or difference, of the response. */
typedef struct MarginalEffects
{
	double		n;
	bool		discrete[ROWS_MAX_REGRESSORS];	/* the mean of response(x = 1) - response(x = 0) */
	double		effect[ROWS_MAX_REGRESSORS];	/* NAN where the column's effect cannot be told */
	double		gradient[ROWS_MAX_REGRESSORS * MARGINAL_MAX_PARAMS];	/* row-major, one row for each column */
} MarginalEffects;

/*
 * With `discrete`, columns that are 0 or 1 in all rows have a difference instead of a derivative. Without rows all are
 * NAN. False when asked to stop. T. Bartus 2005; W. Greene, Econometric Analysis, chapter on binary choice.
 */
extern bool marginal_effects(const ModelKind *kind, const double *theta, int nx, const Rows *rows, bool discrete,
							 const FitStop *stop, MarginalEffects *result);

#endif
