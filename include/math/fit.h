/*
 * fit.h - maximum likelihood for every model of the table: one driver, one result.
 */
#ifndef CLV_MATH_FIT_H
#define CLV_MATH_FIT_H

#include <stdbool.h>

#include "math/btyd_model.h"

typedef enum FitStatus
{
	FIT_CONVERGED,				/* scaled gradient small and the curvature negative definite */
	FIT_NOT_CONVERGED,			/* theta is the best point found; reason says what was missing */
	FIT_IMPOSSIBLE,				/* the data cannot determine the model; nothing but reason is set */
	FIT_STOPPED					/* stop->requested answered true; nothing is set */
} FitStatus;

typedef struct FitResult
{
	FitStatus	status;
	double		theta[BTYD_MAX_PARAMS];
	bool		has_covariance;
	/* covariance of log(theta), row-major nparams x nparams, from the Hessian at theta */
	double		covariance[BTYD_MAX_PARAMS * BTYD_MAX_PARAMS];
	double		log_likelihood;
	double		gradient_norm;	/* sqrt(g' (-H)^-1 g) on the log scale: distance to the maximum in standard errors */
	int			iterations;
	const char *reason;			/* static text, NULL when converged: what is wrong */
	const char *hint;			/* static text: what to do about it */
} FitResult;

/*
 * Fit the model to the rows, starting from the data; deterministic. stop may be NULL.
 */
extern void btyd_fit(const BtydModel *model, const Rows *rows, const FitStop *stop,
					 FitResult *result);

#endif
