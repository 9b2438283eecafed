/*
 * lm.h - linear regression by least squares, and its errors: the model's own, and those robust against unequal variance
 * or against dependence within clusters. Formulas in docs/regression.md.
 *
 * The effects come from moments, see math/moments.h; what the errors add is the middle of the sandwich, a sum over rows
 * or clusters of the outer products of scores. It is summed in whitened form, in which the sandwich's bread is an
 * identity, so that it loses no more digits than x has.
 *
 * Of what a fit cannot tell it says why: FIT_IMPOSSIBLE without rows to spare, without any residual, or with fewer than
 * two clusters where errors are to allow for them; and where nothing but the errors is missing, has_covariance is false
 * in a FIT_CONVERGED with reason and hint.
 */
#ifndef CLV_MATH_LM_H
#define CLV_MATH_LM_H

#include "math/moments.h"
#include "math/regression.h"

/* Whether a triangle takes the number. */
static inline bool
lm_in_range(double value)
{
	return value == 0 || (fabs(value) >= MOMENTS_SMALLEST && fabs(value) <= MOMENTS_LARGEST);
}

/*
 * The fit of moments with the model's own errors: residual variance times (Z'WZ)^-1. Weights are those of precision: a
 * row of weight 2 has half the residual variance, and n counts rows. log_likelihood is that of normal residuals with
 * weights scaled to a mean of 1. Within groups the intercept is NAN, r_squared is of what is left of y, and the groups
 * cost as many degrees of freedom.
 */
extern void lm_fit_moments(const Moments *m, FitResult *fit, RegressionRecord *record);

/*
 * The fit of rows (x..., y), or (cluster, x..., y) of neighbouring clusters where `clustered`, with errors of any kind:
 * HC0 to HC3 (White 1980; MacKinnon and White 1985), CR1 with G / (G - 1) (N - 1) / (N - K) and G - 1 degrees of
 * freedom (Liang and Zeger 1986; Cameron and Miller 2015). HC2 and HC3 do not exist where a row has leverage 1.
 */
extern void lm_fit_rows(const Rows *rows, bool clustered, ErrorKind errors, const FitStop *stop, FitResult *fit,
						RegressionRecord *record);

/*
 * The moments of clusters, none of them within groups, all of as many x: next() moves *at, which is 0 at first, to the
 * next cluster, and answers false behind the last.
 */
typedef struct LmClusters
{
	int			nx;
	bool		(*next) (const void *arg, size_t *at, Moments *m);
	const void *arg;
} LmClusters;

/* The fit of all clusters' rows with errors CR1. */
extern void lm_fit_clusters(const LmClusters *clusters, const FitStop *stop, FitResult *fit, RegressionRecord *record);

/* The middle of a sandwich, in whitened form, of (level, effects). */
typedef struct LmMeat
{
	double		sum[(ROWS_MAX_REGRESSORS + 1) * (ROWS_MAX_REGRESSORS + 1)];	/* row-major (nx + 1) x (nx + 1) */
} LmMeat;

/* Add the outer product of a score, as moments_score() has it. */
extern void lm_meat_add(LmMeat *meat, const MomentsFit *ls, const double *score);

/*
 * The fit of moments with the errors of a sum over n_clusters scores at the fit, which need not be that of the moments
 * to the last digit.
 */
extern void lm_fit_meat(const MomentsFit *ls, const LmMeat *meat, double n_clusters, FitResult *fit,
						RegressionRecord *record);

#endif
