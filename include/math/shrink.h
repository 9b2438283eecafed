/*
 * shrink.h - estimates of many small cohorts, drawn towards their common center as far as chance explains
 * their differences (docs/mathematics.md).
 */
#ifndef CLV_MATH_SHRINK_H
#define CLV_MATH_SHRINK_H

#include "math/model_kind.h"

/*
 * The covariance between[n * n] of the true eta of m >= 2 cohorts, from their estimates eta (m x n) and the
 * covariances of those (m x n x n): multivariate DerSimonian-Laird by moments with matrix weights (Jackson,
 * White and Riley 2013), symmetric, and with negative eigenvalues set to 0. False where a covariance has no inverse,
 * or when stop (which may be NULL) asked to end.
 */
extern bool between_covariance(const double *eta, const double *covariance, int m, int n, const FitStop *stop,
							   double *between);

/*
 * Precision of a prior whose covariance may be singular: its inverse, with eigenvalues below `least` raised to it.
 */
extern bool prior_precision(const double *covariance, int n, double least, double *precision);

/*
 * Draw eta[n] with its covariance towards center: both are replaced by those of the posterior. Returns the
 * weight of the cohort's own estimate, trace of the weight matrix / n; NAN where a matrix has no inverse.
 */
extern double shrink_estimate(double *eta, double *covariance, const double *center, const double *precision, int n);

#endif
