/*
 * moments.h - what least squares need of rows (x1, ..., xk, y) with weights: counts, means and a triangle of their
 * deviations, in one pass and mergeable.
 *
 * The triangle is the square-root-free factor of Gentleman (1973, "Least squares computations by Givens
 * transformations without square roots"; AS 75, 1974), in the use that Miller (1992, AS 274) makes of it: with Z the
 * rows' deviations from their weighted means and W their weights, Z'WZ = R'DR, R unit upper triangular, D >= 0.
 * Z'WZ itself, which squares the condition, is never formed. The means are kept as the unrounded sums of two doubles,
 * so that a column's distance from zero costs its deviations no digits: a constant column deviates by exactly 0.
 *
 * Few rows are kept as they are, see Moments.
 */
#ifndef CLV_MATH_MOMENTS_H
#define CLV_MATH_MOMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "math/rows.h"

#define MOMENTS_MAX_COLUMNS (ROWS_MAX_REGRESSORS + 1)	/* x1, ..., xk, y: y is column nx */

/* Numbers that are not 0, and weights, have magnitudes between these, so that no square of one leaves the range. */
#define MOMENTS_LARGEST 1e100
#define MOMENTS_SMALLEST 1e-100
#define MOMENTS_LARGEST_WEIGHT 1e50
#define MOMENTS_SMALLEST_WEIGHT 1e-50

/*
 * A view of what is known of the rows. Either the rows themselves, weight, x1, ..., xk, y each, or their triangle. In
 * one that is `within`, the means of `groups` groups, which may differ, were taken out: deviations are those from the
 * group's own means.
 */
typedef struct Moments
{
	int			nx;				/* how many x there are, 1 to ROWS_MAX_REGRESSORS */
	double		n;				/* rows, whatever their weights */
	bool		within;
	double		groups;			/* (within) how many; else 0 */
	size_t		nrows;			/* n, where there are rows */
	const double *rows;			/* NULL where there is a triangle */
	const double *triangle;		/* NULL where there are rows */
} Moments;

/* ---- the triangle ------------------------------------------------------------------------------ */

/*
 * moments_triangle_size(nx) doubles: the sum of weights; the means of all columns rounded to a double; what the
 * rounding left; and for each column its d and behind it its row of R, right of the diagonal. All zero: no rows.
 */
static inline size_t
moments_triangle_size(int nx)
{
	size_t		columns = (size_t) nx + 1;

	return 1 + 2 * columns + columns * (columns + 1) / 2;
}

static inline double
triangle_weights(const double *triangle)
{
	return triangle[0];
}

/* The weighted mean of a column: of all rows, also of one that is within. */
static inline double
triangle_mean(const double *triangle, int column)
{
	return triangle[1 + column];
}

/* Where a column's d is, R's entries for the columns right of it behind it. */
static inline size_t
triangle_row_at(int nx, int column)
{
	int			columns = nx + 1;

	return (size_t) (1 + 2 * columns + column * columns - column * (column - 1) / 2);
}

/* Rotate a row (weight, x1, ..., xk, y) in; its numbers have the magnitudes above. */
extern void triangle_add(double *triangle, int nx, const double *row);

/* Rotate all of m in, which has as many x and is not within. */
extern void triangle_merge(double *triangle, const Moments *m);

/*
 * Rotate m's deviations from its own means in, and go on with the means of all rows: a triangle within groups. What is
 * within already is added as it is.
 */
extern void triangle_merge_within(double *triangle, const Moments *m);

/* Whether all numbers are finite: hostile values may overflow when they are merged, sums of valid rows do not. */
extern bool triangle_is_finite(const double *triangle, int nx);

/* m's triangle, made of its rows in `work` (moments_triangle_size(nx) doubles) where it has no other. */
extern const double *moments_triangle(const Moments *m, double *work);

/* A column's sum of squared deviations: a sum of squares, so that nothing cancels. */
extern double triangle_square(const double *triangle, int nx, int column);

/* ---- least squares ----------------------------------------------------------------------------- */

/*
 * y on x by least squares. x is taken about its means (center), so that the level, y's mean there, and the effects are
 * uncorrelated; moments_uncentered() turns a covariance into that of intercept and effects. Within groups there is no
 * level, and no intercept.
 */
typedef struct MomentsFit
{
	int			nx;
	bool		intercept;		/* false within groups */
	double		n;
	double		weights;		/* their sum; 1 / weights is the level's variance in units of the residual one */
	double		level;			/* mean of y; (within) NAN */
	double		intercept_value;	/* (within) NAN */
	double		center[ROWS_MAX_REGRESSORS];	/* means of x; (within) 0 */
	double		effect[ROWS_MAX_REGRESSORS];	/* NAN where aliased */
	/* a linear combination of the columns before it, up to rounding: its effect cannot be told */
	bool		aliased[ROWS_MAX_REGRESSORS];
	int			rank;			/* effects that can be told */
	double		df;				/* of the residuals: n - 1 - rank, within n - groups - rank; may be 0 or negative */
	double		rss;			/* sum of squared residuals */
	double		explained;		/* sum of squares that x explains; with rss the total about the mean or means */
	bool		exact;			/* rss is nothing but rounding: the data have no residuals to judge errors by */
	/*
	 * Row-major nx x nx: root * root' = (Z'WZ)^-1 of the effects, upper triangular; zeros where aliased. The whitened
	 * form root' s of a score s has no more digits to lose than x has.
	 */
	double		root[ROWS_MAX_REGRESSORS * ROWS_MAX_REGRESSORS];
	double		inverse[ROWS_MAX_REGRESSORS * ROWS_MAX_REGRESSORS];	/* row-major nx x nx: root * root' */
} MomentsFit;

/*
 * Solve for the effects. A column is aliased where what those before it leave of it is below its tolerance, relative
 * to its own size (Miller 1992); the rest is fitted without it. Without rows all columns are aliased, and the level is
 * NAN.
 */
extern void moments_solve(const Moments *m, MomentsFit *fit);

/*
 * covariance, row-major (nx + 1) x (nx + 1), of (level, effects) becomes that of (intercept, effects). Only for a fit
 * with an intercept.
 */
extern void moments_uncentered(const MomentsFit *fit, double *covariance);

/*
 * The score of some rows, one cluster's for instance, at a fit of all: score[0] = sum of w e, score[j] = sum of
 * w (x_j - center_j) e, with e = y - level - sum of effect_j (x_j - center_j); aliased columns have score 0. From a
 * triangle as R'D(z - R effect), without a product of the raw columns. nx + 1 numbers. m must not be within; the fit
 * must have an intercept.
 */
extern void moments_score(const Moments *m, const MomentsFit *fit, double *score);

/* ---- correlation ------------------------------------------------------------------------------- */

/* A correlation with its t test and Fisher's interval (1921; 1924 for partial correlations). */
typedef struct MomentsCorrelation
{
	double		n;				/* rows */
	double		df;				/* of t: n - 2 - controls, within n - groups - 1 - controls */
	double		estimate;		/* NAN where a column is constant, or a combination of the others */
	double		conf_low;		/* NAN without an estimate, where it is -1 or 1, and for df < 2 */
	double		conf_high;
	double		p_value;		/* two-sided; NAN without an estimate, where it is -1 or 1, and for df < 1 */
	const char *reason;			/* static text: why there is no estimate; else NULL */
} MomentsCorrelation;

/*
 * y with x[i], i = 0, ..., nx - 1; partial: given all other x, of which those that are linear combinations of others
 * take no degree of freedom. The interval, at confidence 0 < conf < 1, is symmetric in artanh(estimate), of variance
 * 1 / (df - 1): that is 1 / (n - 3) without groups and controls.
 */
extern MomentsCorrelation moments_correlation(const Moments *m, int i, bool partial, double conf);

#endif
