/*
 * fit.h - maximum likelihood for every model of the table: one driver, one result.
 */
#ifndef CLV_MATH_FIT_H
#define CLV_MATH_FIT_H

#include <stdbool.h>

#include "math/model_kind.h"

typedef enum FitStatus
{
	FIT_CONVERGED,				/* scaled gradient small and the curvature negative definite */
	FIT_NOT_CONVERGED,			/* theta is the best point found; reason says what was missing */
	FIT_IMPOSSIBLE,				/* the data cannot determine the model; nothing but reason is set */
	FIT_STOPPED					/* stop->requested answered true; nothing is set */
} FitStatus;

/*
 * The parameters of a fit: those of the model, then for each covariate its effect on the purchase rate,
 * then for each its effect on dropout. A model's own are positive and searched for on the log scale, a
 * count of phases is tried and has no scale, effects have their own, as has all of a regression. eta is a parameter on
 * its scale.
 */
typedef enum ParamScale
{
	SCALE_LOG,
	SCALE_OWN,
	SCALE_NONE
} ParamScale;

static inline ParamScale
param_scale(const ModelKind *model, int i)
{
	if (i >= model->nparams || model->response)
		return SCALE_OWN;
	return model->counts_phases && i == model->nparams - 1 ? SCALE_NONE : SCALE_LOG;
}

/*
 * What is known before the data, for a cohort too small to speak for itself: eta is normal around center
 * with the inverse of precision (n x n) as covariance. The fit maximises log-likelihood + log density.
 */
typedef struct FitPrior
{
	const double *center;
	const double *precision;
} FitPrior;

typedef struct FitResult
{
	FitStatus	status;
	int			nparams;
	double		theta[FIT_MAX_PARAMS];
	bool		has_covariance;
	/* covariance of eta, row-major nparams x nparams, from the Hessian at theta; 0 for SCALE_NONE */
	double		covariance[FIT_MAX_PARAMS * FIT_MAX_PARAMS];
	double		own_weight;		/* what the data had to say, 1 without a prior; 0 when it decides or no maximum was reached */
	double		log_likelihood;
	double		gradient_norm;	/* sqrt(g' (-H)^-1 g) on the log scale: distance to the maximum in standard errors */
	int			iterations;
	const char *reason;			/* static text, NULL when converged: what is wrong */
	const char *hint;			/* static text: what to do about it */
} FitResult;

/*
 * Fit the model to the rows, starting from the data, or from the center of the prior; deterministic.
 * prior and stop may be NULL. log_likelihood is that of the data alone.
 */
extern void btyd_fit(const ModelKind *model, const Rows *rows, const FitPrior *prior,
					 const FitStop *stop, FitResult *result);

#endif
