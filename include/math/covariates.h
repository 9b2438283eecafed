/*
 * covariates.h - what is known of a customer at the start changes the parameters of the model: the
 * effects, their likelihood, and the model of one customer (docs/mathematics.md).
 */
#ifndef CLV_MATH_COVARIATES_H
#define CLV_MATH_COVARIATES_H

#include "math/btyd_model.h"

/*
 * The parameters theta_z[model->nparams] of a customer with covariates z[n], from theta: the model's
 * parameters, n effects on the purchase rate, n effects on dropout. Where jacobian is not NULL it receives
 * the derivatives of their eta (see fit.h) with respect to the eta of theta, row-major nparams x (nparams + 2 n).
 */
extern void covariates_apply(const BtydModel *model, const double *theta, const double *z, int n,
							 double *theta_z, double *jacobian);

/*
 * log_likelihood of rows with rows->ncovariates leading covariates; theta, grad and hess as above and in
 * btyd_model.h, with 2 n parameters more.
 */
extern double covariates_log_likelihood(const BtydModel *model, const Rows *rows, const double *theta,
										double *grad, double *hess, const FitStop *stop);

#endif
