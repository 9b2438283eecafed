/*
 * logit.h - logistic regression: P(y = 1 | x) = 1 / (1 + exp(-(intercept + x'b))), by maximum likelihood or by Firth's
 * penalised likelihood.
 */
#ifndef CLV_MATH_LOGIT_H
#define CLV_MATH_LOGIT_H

#include "math/design.h"

typedef enum LogitMethod
{
	LOGIT_ML,
	LOGIT_FIRTH					/* log-likelihood + 1/2 log det information: D. Firth 1993, Heinze and Schemper 2002 */
} LogitMethod;

typedef struct LogitFit
{
	FitResult	result;			/* log_likelihood is without the penalty; covariance as record.errors says */
	RegressionRecord record;	/* r_squared is McFadden's; statistic: penalised likelihoods with LOGIT_FIRTH */
	const double *wrong;		/* a row whose y is neither 0 nor 1: nothing else is set */
	int			out_of_range;	/* [1 to nx] a regressor whose numbers are too large or small; then FIT_IMPOSSIBLE */
	/*
	 * FIT_IMPOSSIBLE because a linear function of some columns separates events from others: there is no maximum
	 * (A. Albert and J. A. Anderson 1984). Completely: all rows; else some, and the others are on the border.
	 */
	bool		separated;
	bool		completely;
	bool		involved[ROWS_MAX_REGRESSORS];
} LogitFit;

/*
 * Fit rows of (x, y), or of (cluster, x, y) where clustered; y is 0 or 1. theta is the intercept and an effect for each
 * x. errors: ERRORS_MODEL (inverse information), and with LOGIT_ML ERRORS_HC0, ERRORS_HC1 (factor n / (n - parameters);
 * H. White 1982) and for clusters ERRORS_CR1 (factor G / (G - 1), then df = G - 1; Liang and Zeger 1986).
 */
extern void logit_fit(const Rows *rows, bool clustered, LogitMethod method, ErrorKind errors, const FitStop *stop,
					  LogitFit *fit);

/* ---- for the search of a maximum ------------------------------------------------------------------- */

/* A point of the search: coefficients of the z of a design, and what the rows say there. */
typedef struct LogitPoint
{
	double		coefficients[DESIGN_MAX];
	double		log_likelihood;
	double		value;			/* what is maximised */
	double		gradient[DESIGN_MAX];	/* of value */
	double		root[DESIGN_MAX * DESIGN_MAX];	/* lower triangle, root' root is the inverse of the information */
	double		curvature_root[DESIGN_MAX * DESIGN_MAX];	/* the same of what stands for minus the second derivatives */
	double		step[DESIGN_MAX];	/* towards the maximum */
	double		distance;		/* to it, in standard errors */
} LogitPoint;

typedef enum LogitOutcome
{
	LOGIT_REACHED,
	LOGIT_STUCK,
	LOGIT_STOPPED
} LogitOutcome;

/* Evaluate at point->coefficients. LOGIT_STUCK where the information is not positive definite. */
typedef LogitOutcome (*LogitEvaluate) (const Design *design, const FitStop *stop, LogitPoint *point);

extern LogitOutcome logit_evaluate(const Design *design, const FitStop *stop, LogitPoint *point);
extern LogitOutcome firth_evaluate(const Design *design, const FitStop *stop, LogitPoint *point);

/*
 * Log-likelihood of the rows of a block, each as often as it counts; for each row y - p, and the weight p (1 - p), both
 * without the count.
 */
extern double logit_block(const Design *design, const DesignBlock *block, const double *coefficients,
						  double *residual, double *weight);

/*
 * A direction of the coefficients in which no row is taken to the wrong side and some to the right one, if there is one
 * (*separated). False when asked to stop. A. Albert and J. A. Anderson 1984; K. Konis 2007 finds it by linear programs.
 */
extern bool separating_direction(const Design *design, const FitStop *stop, double *direction, bool *separated);

/* root of an information matrix's lower triangle; false where it is not positive definite. */
extern bool logit_root(const double *information, int n, double *root);

/* root' root v */
extern void logit_solve(const double *root, int n, const double *v, double *solution);

#endif
