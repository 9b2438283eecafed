/*
 * likelihood.h - summing a log-likelihood over sorted rows: the loop that all models share.
 */
#ifndef CLV_MATH_LIKELIHOOD_H
#define CLV_MATH_LIKELIHOOD_H

#include "math/model_kind.h"

/* What a model adds to. Only the upper triangle of the Hessian, natural scale, is added to. */
typedef struct Likelihood
{
	const double *theta;
	bool		wants_gradient;
	bool		wants_hessian;
	const FitStop *stop;		/* may be NULL: to be polled where a few thousand rows are too much work, */
	double		work;			/* for what was done since the last poll, */
	bool		stopped;		/* and what was the answer */
	double		value;
	double		gradient[BTYD_MAX_PARAMS];
	double		hessian[BTYD_MAX_PARAMS][BTYD_MAX_PARAMS];
} Likelihood;

/*
 * Adds the rows from row up to end, which agree in their first column x: what depends on x alone is
 * computed once. A segment is short enough for plain sums to be exact to the last digits that matter.
 */
typedef void (*AddSegment) (const double *row, const double *end, Likelihood *sum);

/*
 * The log_likelihood of a ModelKind of nparams parameters from its AddSegment; grad, hess and stop may
 * be NULL. Returns NAN when asked to stop.
 */
extern double sum_segments(const Rows *rows, const double *theta, int nparams, AddSegment add,
						   double *grad, double *hess, const FitStop *stop);

#endif
