/*
 * inference.h - standard errors and intervals from a covariance on the log scale (docs/mathematics.md, section 4).
 */
#ifndef CLV_MATH_INFERENCE_H
#define CLV_MATH_INFERENCE_H

/* Standard error of theta and its interval theta * exp(-+ z * se(log theta)) for confidence 0 < conf < 1. */
typedef struct Estimate
{
	double		std_error;
	double		conf_low;
	double		conf_high;
} Estimate;

extern Estimate positive_estimate(double theta, double log_variance, double conf);

#endif
