/*
 * regression.h - what the regressions have in common: their terms, and what a fit of one finds out.
 *
 * A regression explains a response by at most ROWS_MAX_REGRESSORS numbers x of each row. Its parameters are the kind's
 * own, such as an intercept, and behind them one effect for each x, all of them real numbers on their own scale
 * (SCALE_OWN).
 * The effect of a column that is a linear combination of those before it cannot be told: it is NAN, with zeros in
 * the covariance. FitResult of fit.h holds the rest; its covariance is of the sort `errors` says.
 */
#ifndef CLV_MATH_REGRESSION_H
#define CLV_MATH_REGRESSION_H

#include <math.h>

#include "math/fit.h"

/* Where standard errors come from. Stored on disk: append, never renumber. */
typedef enum ErrorKind
{
	ERRORS_MODEL = 0,			/* the model's own: residual variance, or inverse information */
	ERRORS_HC0 = 1,				/* robust against unequal variance: White 1980, MacKinnon and White 1985 */
	ERRORS_HC1 = 2,
	ERRORS_HC2 = 3,
	ERRORS_HC3 = 4,
	ERRORS_CR1 = 5,				/* robust against dependence within clusters: Liang and Zeger 1986 */
	ERROR_KINDS
} ErrorKind;

/* What the fit of a regression knows beyond a FitResult. A number that does not exist is NAN. */
typedef struct RegressionRecord
{
	ErrorKind	errors;
	double		df;				/* degrees of freedom of t: n - parameters, or clusters - 1; NAN: normal */
	double		sigma;			/* lm: residual standard deviation */
	double		r_squared;		/* lm: share of the variance explained; logit: McFadden's; Cox, hazard: NAN */
	double		statistic;		/* of "no x has an effect": F where df is a number; else chi-square of
								 * the likelihood ratio, or with robust errors Wald's */
	double		clusters;		/* how many there are; NAN without any */
} RegressionRecord;

static inline bool
is_regression(const ModelKind *kind)
{
	return kind->response != NULL;
}

/* The linear predictor of a regression with at most an intercept. A column whose effect cannot be told adds nothing. */
static inline double
linear_predictor(const ModelKind *kind, const double *theta, const double *x, int nx)
{
	double		eta = kind->nparams > 0 ? theta[0] : 0;

	for (int i = 0; i < nx; i++)
		if (!isnan(theta[kind->nparams + i]))
			eta += theta[kind->nparams + i] * x[i];
	return eta;
}

#endif
