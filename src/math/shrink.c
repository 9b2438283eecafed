/*
 * shrink.c - estimates of many small cohorts, drawn towards their common center as far as chance explains
 * their differences.
 *
 * With W_c the inverse of cohort c's covariance, A their sum and m the mean of the estimates weighted by
 * them, Q = sum of W_c (eta_c - m)(eta_c - m)' has the expectation (cohorts - 1) I + (A - sum of W_c A^-1 W_c) S
 * (Jackson, White and Riley 2013): solving for S gives the covariance between cohorts.
 */
#include "math/shrink.h"

#include <math.h>
#include <string.h>

#include "math/fit.h"
#include "math/matrix.h"

#define CELLS (FIT_MAX_PARAMS * FIT_MAX_PARAMS)
#define COHORTS_BETWEEN_POLLS 16	/* with many covariates one takes half a millisecond */

static inline bool
stopped(const FitStop *stop, int cohort)
{
	return stop != NULL && cohort % COHORTS_BETWEEN_POLLS == 0 && stop->requested(stop->arg);
}

/* product = a b, n x n */
static void
multiply(const double *a, const double *b, int n, double *product)
{
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
		{
			double		sum = 0;

			for (int k = 0; k < n; k++)
				sum += a[i * n + k] * b[k * n + j];
			product[i * n + j] = sum;
		}
}

static void
apply(const double *m, const double *v, int n, double *product)
{
	for (int i = 0; i < n; i++)
	{
		product[i] = 0;
		for (int k = 0; k < n; k++)
			product[i] += m[i * n + k] * v[k];
	}
}

/* Solve a x = b for the n x n matrix x by elimination with pivots; destroys a and b. False where a is singular. */
static bool
solve(double *a, double *b, int n, double *x)
{
	for (int k = 0; k < n; k++)
	{
		int			pivot = k;

		for (int i = k + 1; i < n; i++)
			if (fabs(a[i * n + k]) > fabs(a[pivot * n + k]))
				pivot = i;
		if (!(fabs(a[pivot * n + k]) > 0))
			return false;
		for (int j = 0; j < n; j++)
		{
			double		swap = a[k * n + j];

			a[k * n + j] = a[pivot * n + j];
			a[pivot * n + j] = swap;
			swap = b[k * n + j];
			b[k * n + j] = b[pivot * n + j];
			b[pivot * n + j] = swap;
		}
		for (int i = k + 1; i < n; i++)
		{
			double		factor = a[i * n + k] / a[k * n + k];

			for (int j = 0; j < n; j++)
			{
				a[i * n + j] -= factor * a[k * n + j];
				b[i * n + j] -= factor * b[k * n + j];
			}
		}
	}
	for (int i = n - 1; i >= 0; i--)
		for (int j = 0; j < n; j++)
		{
			double		sum = b[i * n + j];

			for (int k = i + 1; k < n; k++)
				sum -= a[i * n + k] * x[k * n + j];
			x[i * n + j] = sum / a[i * n + i];
		}
	return true;
}

/* The nearest matrix without negative eigenvalues. */
static bool
truncate_to_positive(double *m, int n)
{
	double		values[FIT_MAX_PARAMS];
	double		vectors[CELLS];

	if (!symmetric_eigen(m, n, values, vectors))
		return false;
	for (int k = 0; k < n; k++)
		values[k] = fmax(values[k], 0);
	compose_symmetric(values, vectors, n, m);
	return true;
}

/* A and the weighted mean of the estimates. */
static bool
weighted_mean(const double *eta, const double *covariance, int m, int n, const FitStop *stop, double *sum,
			  double *mean)
{
	double		weight[CELLS];
	double		inverse[CELLS];
	double		weighted[FIT_MAX_PARAMS] = {0};

	memset(sum, 0, n * n * sizeof(double));
	for (int c = 0; c < m; c++)
	{
		double		product[FIT_MAX_PARAMS];

		if (stopped(stop, c) || !invert_positive(covariance + c * n * n, n, weight))
			return false;
		apply(weight, eta + c * n, n, product);
		for (int i = 0; i < n; i++)
			weighted[i] += product[i];
		for (int i = 0; i < n * n; i++)
			sum[i] += weight[i];
	}
	if (!invert_positive(sum, n, inverse))
		return false;
	apply(inverse, weighted, n, mean);
	return true;
}

bool
between_covariance(const double *eta, const double *covariance, int m, int n, const FitStop *stop, double *between)
{
	double		sum[CELLS];
	double		inverse[CELLS];
	double		weight[CELLS];
	double		share[CELLS];
	double		product[CELLS];
	double		spread[CELLS] = {0};	/* Q - (m - 1) I */
	double		mean[FIT_MAX_PARAMS];

	if (m < 2 || !weighted_mean(eta, covariance, m, n, stop, sum, mean) || !invert_positive(sum, n, inverse))
		return false;
	for (int c = 0; c < m; c++)
	{
		double		deviation[FIT_MAX_PARAMS];
		double		pulled[FIT_MAX_PARAMS];

		if (stopped(stop, c) || !invert_positive(covariance + c * n * n, n, weight))
			return false;
		for (int i = 0; i < n; i++)
			deviation[i] = eta[c * n + i] - mean[i];
		apply(weight, deviation, n, pulled);
		multiply(weight, inverse, n, product);
		multiply(product, weight, n, share);
		for (int i = 0; i < n; i++)
			for (int j = 0; j < n; j++)
			{
				spread[i * n + j] += pulled[i] * deviation[j];
				sum[i * n + j] -= share[i * n + j];
			}
	}
	for (int i = 0; i < n; i++)
		spread[i * n + i] -= m - 1;
	if (!solve(sum, spread, n, product))
		return false;
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
		{
			between[i * n + j] = 0.5 * (product[i * n + j] + product[j * n + i]);
			if (!isfinite(between[i * n + j]))
				return false;
		}
	return truncate_to_positive(between, n);
}

bool
prior_precision(const double *covariance, int n, double least, double *precision)
{
	double		work[CELLS];
	double		values[FIT_MAX_PARAMS];
	double		vectors[CELLS];

	memcpy(work, covariance, n * n * sizeof(double));
	if (!symmetric_eigen(work, n, values, vectors))
		return false;
	for (int k = 0; k < n; k++)
		values[k] = 1 / fmax(values[k], least);
	compose_symmetric(values, vectors, n, precision);
	return true;
}

double
shrink_estimate(double *eta, double *covariance, const double *center, const double *precision, int n)
{
	double		own[CELLS];
	double		sum[CELLS];
	double		posterior[CELLS];
	double		weight[CELLS];
	double		deviation[FIT_MAX_PARAMS] = {0};
	double		kept[FIT_MAX_PARAMS];
	double		trace = 0;

	if (!invert_positive(covariance, n, own))
		return NAN;
	for (int i = 0; i < n * n; i++)
		sum[i] = own[i] + precision[i];
	if (!invert_positive(sum, n, posterior))
		return NAN;
	multiply(posterior, own, n, weight);
	for (int i = 0; i < n; i++)
	{
		deviation[i] = eta[i] - center[i];
		trace += weight[i * n + i];
	}
	apply(weight, deviation, n, kept);
	for (int i = 0; i < n; i++)
		eta[i] = center[i] + kept[i];
	memcpy(covariance, posterior, n * n * sizeof(double));
	return trace / n;
}
