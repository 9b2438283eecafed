/*
 * design.h - the regressors of rows as an iterative fit sees them: centred, scaled and orthogonal to each other, so
 * that neither a year, a salary nor columns that nearly follow from others cost digits. Numbers z of a row are a linear
 * function of its (1, x); over all rows, by their counts, the mean of z_k z_l is 1 for k = l and else 0, and z_0 = 1.
 */
#ifndef CLV_MATH_DESIGN_H
#define CLV_MATH_DESIGN_H

#include "math/regression.h"

#define DESIGN_MAX (1 + ROWS_MAX_REGRESSORS)	/* an intercept and the regressors */
#define DESIGN_BLOCK 64			/* rows worked on at once */

typedef struct Design
{
	const Rows *rows;
	int			nx;				/* the last nx numbers before the values of a row are the regressors */
	double		n;				/* rows, by count */
	int			rank;			/* how many z there are */
	int			column[DESIGN_MAX];	/* [k]: what enters with z_k: 0 the intercept, j the j-th regressor */
	double		center[DESIGN_MAX];
	double		scale[DESIGN_MAX];	/* a power of 2, |x - center| <= scale up to a thousandth */
	double		basis[DESIGN_MAX * DESIGN_MAX]; /* rank x rank, lower triangle: z = basis (1, (x - center) / scale) */
} Design;

typedef enum DesignStatus
{
	DESIGN_READ,
	DESIGN_STOPPED,
	DESIGN_OUT_OF_RANGE			/* the numbers of design->column[0] are too large or too small to be scaled */
} DesignStatus;

/*
 * Read the regressors of at least one row. A column that is constant, or a linear combination of those before it up to
 * rounding (what is left of it has less than 1e-9 of its length), is left out.
 */
extern DesignStatus design_read(const Rows *rows, int nx, const FitStop *stop, Design *design);

/* Rows first, first + 1, ... as columns of z; behind the last row, count and all z are 0. */
typedef struct DesignBlock
{
	int			n;
	double		count[DESIGN_BLOCK];
	const double *values[DESIGN_BLOCK]; /* those of the row, such as y */
	double		z[DESIGN_MAX][DESIGN_BLOCK];
} DesignBlock;

/* Whether stop (which may be NULL) asks to end before the block that begins with that row: asked every few thousand. */
static inline bool
block_stops(const FitStop *stop, size_t first)
{
	return stop != NULL && first % (64 * DESIGN_BLOCK) == 0 && stop->requested(stop->arg);
}

extern void design_block(const Design *design, size_t first, DesignBlock *block);

/* Sum of a[i] b[i] over a block. */
static inline double
block_dot(const double *a, const double *b)
{
	double		sum[4] = {0};

	/* four sums, since one would have to wait for itself */
	for (int i = 0; i < DESIGN_BLOCK; i += 4)
		for (int k = 0; k < 4; k++)
			sum[k] += a[i + k] * b[i + k];
	return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* Add factor from[i] to to[i] over a block. */
static inline void
block_add(double *restrict to, const double *restrict from, double factor)
{
	for (int i = 0; i < DESIGN_BLOCK; i++)
		to[i] += factor * from[i];
}

/* Add sum of weight z z' over a block to the lower triangle of m, rank x rank. */
extern void block_add_gram(const Design *design, const DesignBlock *block, const double *weight, double *m);

/* The most that coefficients of z can add to the linear predictor of any row. */
extern double design_reach(const Design *design, const double *coefficients);

/*
 * From coefficients of z and their covariance (may be NULL) to those of (1, x), 1 + nx of them: NAN and a covariance of
 * 0 for columns left out.
 */
extern void design_unframe(const Design *design, const double *coefficients, const double *covariance,
						   double *theta, double *theta_covariance);

/* Coefficients of z as those of each column relative to its scale, 1 + nx of them: what it adds to a row at most. */
extern void design_weights(const Design *design, const double *coefficients, double *weights);

/*
 * Cholesky's lower triangle of the symmetric positive definite m, n x n, and the inverse of that triangle; false where
 * m is not positive definite, to the precision of a double. Only the lower triangle of m is read.
 */
extern bool cholesky(const double *m, int n, double *lower);
extern void invert_lower(const double *lower, int n, double *inverse);

#endif
