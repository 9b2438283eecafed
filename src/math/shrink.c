/*
 * shrink.c - estimates of many small cohorts, drawn towards their common center as far as chance explains
 * their differences.
 *
 * With W_c the inverse of cohort c's covariance, A their sum and m the mean of the estimates weighted by
 * them, Q = sum of W_c (eta_c - m)(eta_c - m)' has the expectation (cohorts - 1) I + A S - (sum of W_c S W_c) A^-1
 * (Jackson, White and Riley 2013): solving for S gives the covariance between cohorts. S stands between the
 * weights, which commute only where all cohorts' covariances are in proportion.
 */
#include "math/shrink.h"

#include <math.h>
#include <string.h>

#include "math/fit.h"
#include "math/matrix.h"

#define CELLS (FIT_MAX_PARAMS * FIT_MAX_PARAMS)
#define SOLVED 1e-28			/* of the squared size of what is to be solved */

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
weighted_mean(const double *eta, const double *covariance, int m, int n, double *sum, double *mean)
{
	double		weight[CELLS];
	double		inverse[CELLS];
	double		weighted[FIT_MAX_PARAMS] = {0};

	memset(sum, 0, n * n * sizeof(double));
	for (int c = 0; c < m; c++)
	{
		double		product[FIT_MAX_PARAMS];

		if (!invert_positive(covariance + c * n * n, n, weight))
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

/* What S adds to the expectation of Q, times A: A S A - sum of W_c S W_c. False where a covariance has no inverse. */
static bool
spread_of(const double *s, const double *covariance, int m, int n, const double *sum, double *spread)
{
	double		weight[CELLS];
	double		part[CELLS];

	sandwich(sum, n, s, n, spread);
	for (int c = 0; c < m; c++)
	{
		if (!invert_positive(covariance + c * n * n, n, weight))
			return false;
		sandwich(weight, n, s, n, part);
		for (int i = 0; i < n * n; i++)
			spread[i] -= part[i];
	}
	return true;
}

static double
dot(const double *a, const double *b, int cells)
{
	double		sum = 0;

	for (int i = 0; i < cells; i++)
		sum += a[i] * b[i];
	return sum;
}

/*
 * The symmetric S of a given spread_of(), which is destroyed, by conjugate gradients: the map is symmetric and positive,
 * and with A^-1 on both sides its eigenvalues are between 0 and 1, few of them far below.
 */
static bool
solve_spread(double *spread, const double *covariance, int m, int n, const double *sum, const double *inverse, double *s)
{
	int			cells = n * n;
	double		step[CELLS];
	double		scaled[CELLS];
	double		image[CELLS];
	double		size;
	double		first;

	memset(s, 0, cells * sizeof(double));
	sandwich(inverse, n, spread, n, step);
	first = size = dot(spread, step, cells);
	for (int i = 0; i < 2 * cells && size > SOLVED * first; i++)
	{
		double		length;
		double		next;

		if (!spread_of(step, covariance, m, n, sum, image))
			return false;
		length = size / dot(step, image, cells);
		for (int k = 0; k < cells; k++)
		{
			s[k] += length * step[k];
			spread[k] -= length * image[k];
		}
		sandwich(inverse, n, spread, n, scaled);
		next = dot(spread, scaled, cells);
		for (int k = 0; k < cells; k++)
			step[k] = scaled[k] + next / size * step[k];
		size = next;
	}
	return true;
}

bool
between_covariance(const double *eta, const double *covariance, int m, int n, double *between)
{
	double		sum[CELLS];
	double		inverse[CELLS];
	double		weight[CELLS];
	double		spread[CELLS] = {0};	/* Q - (m - 1) I */
	double		product[CELLS];
	double		mean[FIT_MAX_PARAMS];

	if (m < 2 || !weighted_mean(eta, covariance, m, n, sum, mean) || !invert_positive(sum, n, inverse))
		return false;
	for (int c = 0; c < m; c++)
	{
		double		deviation[FIT_MAX_PARAMS];
		double		pulled[FIT_MAX_PARAMS];

		if (!invert_positive(covariance + c * n * n, n, weight))
			return false;
		for (int i = 0; i < n; i++)
			deviation[i] = eta[c * n + i] - mean[i];
		apply(weight, deviation, n, pulled);
		for (int i = 0; i < n; i++)
			for (int j = 0; j < n; j++)
				spread[i * n + j] += pulled[i] * deviation[j];
	}
	for (int i = 0; i < n; i++)
		spread[i * n + i] -= m - 1;
	multiply(spread, sum, n, product);
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			spread[i * n + j] = 0.5 * (product[i * n + j] + product[j * n + i]);
	if (!solve_spread(spread, covariance, m, n, sum, inverse, between))
		return false;
	for (int i = 0; i < n * n; i++)
		if (!isfinite(between[i]))
			return false;
	for (int i = 0; i < n; i++)
		for (int j = 0; j < i; j++)
			between[i * n + j] = between[j * n + i] = 0.5 * (between[i * n + j] + between[j * n + i]);
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
