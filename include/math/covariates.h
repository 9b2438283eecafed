/*
 * covariates.h - what is known of a customer at the start changes the parameters of the model: the
 * effects, their likelihood, and the model of one customer (docs/mathematics.md).
 */
#ifndef CLV_MATH_COVARIATES_H
#define CLV_MATH_COVARIATES_H

#include "math/model_kind.h"

/*
 * The parameters theta_z[model->nparams] of a customer with covariates z[n], from theta: the model's
 * parameters, n effects on the purchase rate, n effects on dropout. Where jacobian is not NULL it receives
 * the derivatives of their eta (see fit.h) with respect to the eta of theta, row-major nparams x (nparams + 2 n).
 */
extern void covariates_apply(const ModelKind *model, const double *theta, const double *z, int n,
							 double *theta_z, double *jacobian);

/*
 * Covariates as the search for a fit sees them, (z - center) / scale: mean and standard deviation over the
 * customers, so that neither the year 2026 nor a salary upsets it.
 */
typedef struct CovariateFrame
{
	double		center[ROWS_MAX_COVARIATES];
	double		scale[ROWS_MAX_COVARIATES];
} CovariateFrame;

/*
 * The frame of the rows. Returns why the effects cannot be told apart, as a static text, or NULL if they can, and
 * when stop (which may be NULL) asked to end, with the frame half done.
 */
extern const char *covariates_frame(const Rows *rows, const FitStop *stop, CovariateFrame *frame);

/*
 * log_likelihood of rows with covariates as the frame shows them, with gradient and Hessian (never NULL) as in
 * model_kind.h, of 2 n parameters more. NAN when asked to stop, and where effects take a customer's parameters out of
 * range.
 */
extern double covariates_log_likelihood(const ModelKind *model, const Rows *rows, const CovariateFrame *frame,
										const double *theta, double *grad, double *hess, const FitStop *stop);

/*
 * Take parameters and the covariance of their eta (may be NULL) from the frame's scale back to the covariates'
 * own.
 */
extern void covariates_unframe(const ModelKind *model, const CovariateFrame *frame, int n, double *theta,
							   double *covariance);

#endif
