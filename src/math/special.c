/*
 * special.c - special functions in forms that neither cancel nor overflow.
 *
 * Differences of lgamma, digamma and trigamma are never computed by subtracting two values: Stirling's
 * series is subtracted term by term (a divided difference), after both arguments were moved to at least
 * STIRLING_MIN by the recurrence, whose terms are differences in closed form as well.
 */
#include "math/special.h"

#include <math.h>
#include <stdbool.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_integration.h>
#include <gsl/gsl_sf_log.h>
#include <gsl/gsl_sf_psi.h>

#include "math/gsl_guard.h"

#define STIRLING_MIN 10.0		/* eight terms are exact to 3e-17 from here on */
#define STIRLING_TERMS 8
#define TAIL_MIN 0.01			/* smaller tails are not computed as 1 - the rest */
#define SUM_MAX 32				/* up to here, whole differences are plain sums */

/* coefficients of x^-1, x^-3, ... of lgamma: B_2k / (2k (2k-1)) */
static const double lgamma_series[STIRLING_TERMS] = {
	1.0 / 12, -1.0 / 360, 1.0 / 1260, -1.0 / 1680, 1.0 / 1188, -691.0 / 360360, 1.0 / 156,
	-3617.0 / 122400};

/* of -x^-2, -x^-4, ... of digamma: B_2k / 2k */
static const double digamma_series[STIRLING_TERMS] = {
	1.0 / 12, -1.0 / 120, 1.0 / 252, -1.0 / 240, 1.0 / 132, -691.0 / 32760, 1.0 / 12,
	-3617.0 / 8160};

/* of x^-3, x^-5, ... of trigamma: B_2k */
static const double trigamma_series[STIRLING_TERMS] = {
	1.0 / 6, -1.0 / 30, 1.0 / 42, -1.0 / 30, 5.0 / 66, -691.0 / 2730, 7.0 / 6, -3617.0 / 510};

/* S(y) = c_0 + c_1 y + ... */
static double
series(const double *c, double y)
{
	double		value = 0;

	for (int k = STIRLING_TERMS - 1; k >= 0; k--)
		value = value * y + c[k];
	return value;
}

/* (S(y) - S(z)) / (y - z), without the division */
static double
series_slope(const double *c, double y, double z)
{
	double		value = 0;
	double		slope = 0;

	for (int k = STIRLING_TERMS - 1; k >= 0; k--)
	{
		slope = slope * y + value;
		value = value * z + c[k];
	}
	return slope;
}

static bool
small_whole(double d)
{
	return d <= SUM_MAX && d == floor(d);
}

/* how many times the recurrence has to move b */
static int
shift_steps(double b)
{
	return b < STIRLING_MIN ? (int) ceil(STIRLING_MIN - b) : 0;
}

/* log1p(y) - y */
static double
log1p_minus(double y)
{
	gsl_error_handler_t *handler;
	gsl_sf_result result;
	int			status;

	if (y > 0.5)
		return log1p(y) - y;
	handler = gsl_guard_enter();
	status = gsl_sf_log_1plusx_mx_e(y, &result);
	gsl_guard_leave(handler);
	return status == GSL_SUCCESS ? result.val : log1p(y) - y;
}

/* Stirling's remainder at b + d minus that at b, b >= STIRLING_MIN */
static double
stirling_difference(double b, double d)
{
	double		u = 1 / (b + d);
	double		v = 1 / b;

	return -d * u * v *
		   (series(lgamma_series, u * u) +
			v * (u + v) * series_slope(lgamma_series, u * u, v * v));
}

double
log_gamma_ratio(double b, double d)
{
	double		sum = 0;
	double		product = 1;
	int			steps;

	if (small_whole(d))
	{
		for (int j = 0; j < (int) d; j++)
		{
			product *= b + j;
			if (product > 1e150 || product < 1e-150)
			{
				sum += log(product);
				product = 1;
			}
		}
		return sum + log(product);
	}

	steps = shift_steps(b);
	for (int j = 0; j < steps; j++)
		sum -= log1p(d / (b + j));
	b += steps;

	/* log Gamma(y) = (y - 1/2) log y - y + constant + S(y^-2) / y */
	return sum + (b - 0.5) * log1p(d / b) + d * (log(b + d) - 1) + stirling_difference(b, d);
}

/*
 * The logarithm of a beta ratio is symmetric in a and n. With Stirling's formula for its four gamma
 * functions the parts that grow with b cancel in closed form, so it stays exact as b -> infinity.
 */
double
log_beta_ratio(double a, double b, double n)
{
	double		sum = 0;
	double		small = fmin(a, n);
	double		large = fmax(a, n);
	int			steps;

	if (small_whole(n))
	{
		for (int j = 0; j < (int) n; j++)
			sum -= log1p(a / (b + j));
		return sum;
	}

	steps = shift_steps(b);
	for (int j = 0; j < steps; j++)
		sum -= log1p((small / (b + j)) * (large / (small + b + j + large)));
	b += steps;
	return sum - small * log1p(large / (small + b)) +
		   0.5 * (log1p(small / (b + large)) - log1p(small / b)) -
		   (b + large) * log1p_minus(small / (b + large)) + b * log1p_minus(small / b) +
		   stirling_difference(b, small) - stirling_difference(b + large, small);
}

double
digamma_difference(double b, double d)
{
	double		sum = 0;
	double		u;
	double		v;
	int			steps;

	if (small_whole(d))
	{
		for (int j = 0; j < (int) d; j++)
			sum += 1 / (b + j);
		return sum;
	}

	steps = shift_steps(b);
	for (int j = 0; j < steps; j++)
		sum += d / (b + j) / (b + j + d);
	b += steps;
	u = 1 / (b + d);
	v = 1 / b;

	/* psi(y) = log y - 1/2y - y^-2 S(y^-2) */
	return sum + log1p(d * v) +
		   d * u * v *
			   (0.5 + (u + v) * (series(digamma_series, u * u) +
								 v * v * series_slope(digamma_series, u * u, v * v)));
}

double
trigamma_difference(double b, double d)
{
	double		sum = 0;
	double		u;
	double		v;
	double		y;
	double		z;
	int			steps;

	if (small_whole(d))
	{
		for (int j = 0; j < (int) d; j++)
			sum -= 1 / ((b + j) * (b + j));
		return sum;
	}

	steps = shift_steps(b);
	for (int j = 0; j < steps; j++)
		sum -= (d / (b + j) / (b + j + d)) * (1 / (b + j) + 1 / (b + j + d));
	b += steps;
	u = 1 / (b + d);
	v = 1 / b;
	y = u * u;
	z = v * v;

	/* psi'(y) = 1/y + 1/2y^2 + y^-3 S(y^-2), with u^3 - v^3 = (u - v)(u^2 + uv + v^2) */
	return sum - d * u * v *
					 (1 + 0.5 * (u + v) + (y + u * v + z) * series(trigamma_series, y) +
					  z * v * (u + v) * series_slope(trigamma_series, y, z));
}

double
trigamma(double x)
{
	gsl_error_handler_t *handler = gsl_guard_enter();
	gsl_sf_result result;
	int			status = gsl_sf_psi_1_e(x, &result);

	gsl_guard_leave(handler);
	return status == GSL_SUCCESS ? result.val : NAN;
}

double
phi(double v)
{
	return v == 0 ? 1 : -expm1(-v) / v;
}

/*
 * log of Gamma(p+q) / (Gamma(p) Gamma(q)) w^p (1-w)^q, w = z / (1 + z). With both p and q large its
 * parts exceed it by far; there Stirling's formula leaves the deviation of w from its mean p / (p + q).
 */
static double
log_beta_density(double p, double q, double z)
{
	double		low = fmin(p, q);
	double		high = fmax(p, q);
	double		log_w = -log1p(1 / z);
	double		log_not_w = -log1p(z);

	if (low >= STIRLING_MIN)
	{
		double		deviation = (z * q - p) / (1 + z);
		double		shape;

		if (fabs(deviation) < 0.5 * low)
			shape = p * log1p_minus(deviation / p) + q * log1p_minus(-deviation / q);
		else
			shape = p * (log_w + log1p(q / p)) + q * (log_not_w + log1p(p / q));
		return shape + 0.5 * (log(low) - log1p(low / high) - log(2 * M_PI)) +
			   stirling_difference(high, low) - series(lgamma_series, 1 / (low * low)) / low;
	}
	return log_gamma_ratio(high, low) - lgamma(low) + p * log_w + q * log_not_w;
}

/* Lentz's continued fraction for I_w(p, q) p / density; fast for w < (p+1) / (p+q+2). */
static double
incomplete_beta_fraction(double p, double q, double w)
{
	const double tiny = 1e-290;
	double		c = 1;
	double		d = 1 - (p + q) * w / (p + 1);
	double		value;

	d = 1 / (fabs(d) < tiny ? tiny : d);
	value = d;
	for (int m = 1; m <= 100000; m++)
	{
		double		even = m * (q - m) * w / ((p + 2 * m - 1) * (p + 2 * m));
		double		odd = -(p + m) * (p + q + m) * w / ((p + 2 * m) * (p + 2 * m + 1));
		double		step;

		d = 1 + even * d;
		c = 1 + even / c;
		d = 1 / (fabs(d) < tiny ? tiny : d);
		c = fabs(c) < tiny ? tiny : c;
		value *= d * c;
		d = 1 + odd * d;
		c = 1 + odd / c;
		d = 1 / (fabs(d) < tiny ? tiny : d);
		c = fabs(c) < tiny ? tiny : c;
		step = d * c;
		value *= step;
		if (fabs(step - 1) < 2e-16)
			break;
	}
	return value;
}

double
negative_binomial(double n, double R, double z)
{
	if (n == 0)
		return exp(-R * log1p(z));
	return exp(log_beta_density(n, R, z)) / n;
}

/* I_w(n, R), whose factor before the continued fraction is P(N = n) */
double
negative_binomial_tail(double n, double R, double z)
{
	double		density = exp(log_beta_density(n, R, z));
	double		w = z / (1 + z);

	if (density == 0)
		return n > R * z ? 0 : 1;
	if (w > (n + 1) / (n + R + 2))
	{
		double		tail = 1 - density / R * incomplete_beta_fraction(R, n, 1 / (1 + z));

		if (tail > TAIL_MIN)
			return tail;
	}
	return at_most_1(density / n * incomplete_beta_fraction(n, R, w));
}

double
normal_quantile(double p)
{
	gsl_error_handler_t *handler = gsl_guard_enter();
	double		z = gsl_cdf_ugaussian_Pinv(p);

	gsl_guard_leave(handler);
	return z;
}

/* GSL keeps the nodes of these rules precomputed: the table is a small header, freed before return. */
double
gauss_legendre(double (*f) (double u, void *arg), void *arg, double lo, double hi, int n)
{
	gsl_error_handler_t *handler = gsl_guard_enter();
	gsl_integration_glfixed_table *rule = gsl_integration_glfixed_table_alloc(n);
	gsl_function integrand = {f, arg};
	double		value = NAN;

	if (rule != NULL)
	{
		value = gsl_integration_glfixed(&integrand, lo, hi, rule);
		gsl_integration_glfixed_table_free(rule);
	}
	gsl_guard_leave(handler);
	return value;
}
