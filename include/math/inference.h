/*
 * inference.h - standard errors, intervals and tests from the covariance of a fit (docs/mathematics.md).
 */
#ifndef CLV_MATH_INFERENCE_H
#define CLV_MATH_INFERENCE_H

#include "math/fit.h"

/* An estimate's standard error, and its interval for confidence 0 < conf < 1. */
typedef struct Estimate
{
	double		std_error;
	double		conf_low;
	double		conf_high;
} Estimate;

/* A positive parameter: the interval is theta * exp(-+ z * se(log theta)). */
extern Estimate positive_estimate(double theta, double log_variance, double conf);

/* A parameter on its own scale: theta -+ z * se. */
extern Estimate real_estimate(double theta, double variance, double conf);

/* The same by Student's t with df degrees of freedom; a df of NAN is the normal distribution. */
extern Estimate t_estimate(double theta, double variance, double df, double conf);

/* Two-sided p-value of t = theta / std_error, and the tail P(F > x); NAN where GSL fails. */
extern double t_p_value(double t, double df);
extern double f_tail(double x, double df1, double df2);

/* The scale on which a prediction is taken to be normal. */
typedef enum PredictionScale
{
	PREDICTION_LOG,				/* positive amounts and numbers; where the value is not positive, the value itself */
	PREDICTION_LOGIT			/* probabilities */
} PredictionScale;

/*
 * A function of the parameters of one or two fits, such as a value of purchases and spend. second may be NULL.
 */
typedef double (*PredictedValue) (const double *theta, const double *second_theta, void *arg);

typedef struct FittedModel
{
	const ModelKind *model;
	int			nparams;
	const double *theta;
	const double *covariance;	/* of eta, nparams x nparams; NULL: taken to be known */
} FittedModel;

/*
 * The interval of a prediction by the delta method: the uncertainty of the parameters, not the spread of
 * one customer's outcome. Derivatives in eta are by central differences of fourth order. *value receives
 * the prediction. A value at the end of its scale (0, or a probability of 0 or 1) has an interval of itself alone.
 * Where the prediction does not exist nearby, or stop (which may be NULL) asked to end, the estimate is NAN.
 */
extern Estimate prediction_interval(PredictedValue f, void *arg, const FittedModel *first, const FittedModel *second,
									PredictionScale scale, double conf, const FitStop *stop, double *value);

/*
 * The smallest interval [low, high] of the number of purchases within t with at most (1 - conf) / 2 of the
 * probability on either side. False when asked to stop, or where high would be above 10 million.
 */
extern bool count_interval(const ModelKind *model, const double *theta, const Customer *c, double t, double conf,
						   const FitStop *stop, double *low, double *high);

/* P(chi-square of df degrees of freedom > x); NAN where GSL fails. */
extern double chi_square_tail(double x, double df);

#endif
