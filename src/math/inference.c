/*
 * inference.c - standard errors and intervals from a covariance on the log scale.
 */
#include "math/inference.h"

#include <math.h>

#include "math/special.h"

Estimate
positive_estimate(double theta, double log_variance, double conf)
{
	double		log_error = sqrt(log_variance);
	double		reach = normal_quantile(0.5 + 0.5 * conf) * log_error;
	Estimate	estimate = {theta * log_error, theta * exp(-reach), theta * exp(reach)};

	return estimate;
}
