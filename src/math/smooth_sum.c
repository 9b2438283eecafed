/*
 * smooth_sum.c - long sums over whole numbers of a smooth function: an integral over a logarithmic scale by
 * Gauss-Legendre panels, and at both ends Gregory's corrections from differences of the terms.
 *
 * Where terms are a power of j times exp(-delta j), sums up to infinity need some hundred terms each by this,
 * as against 1 / delta of them; hypergeometric forms have poles where the power is whole.
 */
#include "math/smooth_sum.h"

#include <math.h>
#include <stdbool.h>

#include "math/special.h"

#define PANEL_NODES 16
#define PANEL_LENGTH 1.5		/* in log u: exact to the last digits for functions that turn at pi / 2 */
#define NEGLIGIBLE 1e-17
#define NEGLIGIBLE_LOG 46.0		/* exp(-46) = 1e-20 */
#define LEAST_DELTA 1e-290		/* smaller positive ones count as this: 46 / delta must be a number */
#define LARGE_LOG 50.0			/* from here on log(1 + exp(o)) is o */
#define OVERFLOW_LOG 720.0

#define CORRECTIONS 9
#define SHORT_SUM 1000.0		/* up to here every term is added, */
#define LOW_DELTA 0.05			/* or at a higher rate of discounting */

/* of f and its first to eighth differences at an end of a sum: the series of 1 / log(1 + x) */
static const double gregory[CORRECTIONS] = {
	1.0 / 2, -1.0 / 12, 1.0 / 24, -19.0 / 720, 3.0 / 160, -863.0 / 60480, 275.0 / 24192, -33953.0 / 3628800,
	8183.0 / 1036800};

/* u = origin + direction * expm1(o) / rate */
typedef struct Axis
{
	const SmoothTerm *term;
	double		origin;
	double		direction;
	double		rate;
} Axis;

static double
log_u_at(const Axis *axis, double o)
{
	if (o > LARGE_LOG)
		return o - log(axis->rate);
	return log(axis->origin + axis->direction * expm1(o) / axis->rate);
}

static double
log_term(const SmoothTerm *term, double log_u)
{
	return term->log_value(log_u, term->arg) - (term->delta != 0 ? term->delta * exp(log_u) : 0);
}

static double
integrand(double o, void *arg)
{
	const Axis *axis = arg;

	return exp(log_term(axis->term, log_u_at(axis, o)) + o) / axis->rate;
}

/* What is left of the integral from u on, or more than that. */
static double
rest(const SmoothTerm *term, double log_u)
{
	double		by_power = term->excess > 0 ? exp(log_term(term, log_u) + log_u) / term->excess : INFINITY;
	double		by_delta = term->delta > 0 ? exp(log_term(term, log_u)) / term->delta : INFINITY;

	return fmin(by_power, by_delta);
}

/*
 * Integral from the origin of the axis over `length`, which may be INFINITY where the term has an integral. Where the
 * term is a power already, panels need not be narrow for its stretch.
 */
static double
integral(const Axis *axis, double length)
{
	const SmoothTerm *term = axis->term;
	double		sum = 0;
	double		end;
	double		hi;

	if (term->delta > 0)
		length = fmin(length, NEGLIGIBLE_LOG / term->delta);
	if (isinf(length))
		end = fmax(term->settled + log(axis->rate), LARGE_LOG);
	else
		end = log1p(axis->rate * length);
	for (double lo = 0; lo < end; lo = hi)
	{
		hi = fmin(end, lo + PANEL_LENGTH / (log_u_at(axis, lo) < term->settled ? term->stretch : 1));
		sum += gauss_legendre(integrand, (void *) axis, lo, hi, PANEL_NODES);
		if (axis->direction > 0 && term->delta >= 0)
		{
			double		left = rest(term, log_u_at(axis, hi));

			if (left <= NEGLIGIBLE * sum)
				return sum;
			if (isinf(length) && hi == end)
				sum += left;
		}
	}
	return sum;
}

/* Gregory's corrections at the end `at` of a sum that goes on in the given direction. */
static double
corrections(const SmoothTerm *term, double at, double direction)
{
	double		difference[CORRECTIONS];
	double		sum = 0;

	for (int k = 0; k < CORRECTIONS; k++)
		difference[k] = exp(log_term(term, log(at + direction * k)));
	for (int k = 0; k < CORRECTIONS; k++)
	{
		sum += gregory[k] * difference[0];
		for (int i = 0; i + 1 < CORRECTIONS - k; i++)
			difference[i] = difference[i + 1] - difference[i];
	}
	return sum;
}

double
smooth_sum(const SmoothTerm *term, double first, double last)
{
	SmoothTerm	t = *term;
	Axis		axis = {&t, first, 1, 0};
	double		sum;

	if (isinf(last) && (t.delta < 0 || (t.delta == 0 && t.excess <= 0)))
		return INFINITY;
	if (t.delta > 0)
		t.delta = fmax(t.delta, LEAST_DELTA);
	axis.rate = t.fastest + fabs(t.delta) + t.stretch / first;
	sum = corrections(&t, first, 1);
	if (!isinf(last))
		sum += corrections(&t, last, -1);
	if (t.delta >= 0)
		return sum + integral(&axis, last - first);

	/* with a negative rate the last terms may be the largest: look at them from there */
	sum += integral(&axis, (last - first) / 2);
	axis.origin = last;
	axis.direction = -1;
	return sum + integral(&axis, (last - first) / 2);
}

/* ---- the mean number of periods ----------------------------------------------------------------- */

/* log E (1 - p)^u relative to u = first */
typedef struct Survival
{
	double		a;
	double		b;				/* at first */
	double		first;
} Survival;

static double
log_survival(double log_u, const void *arg)
{
	const Survival *s = arg;

	return log_beta_ratio(s->a, s->b, fmax(exp(log_u) - s->first, 0));
}

/*
 * Sum over j = 1 .. m of (b)_j / (a + b)_j = b (1 - (b + 1)_m / (a + b)_m) / (a - 1), whose pole at a = 1 is
 * taken out: with v the logarithm of the ratio, b v / (a - 1) phi(v).
 */
static double
undiscounted_periods(double a, double b, double m)
{
	double		slope;			/* v / (a - 1) */

	if (isinf(m))
		return a > 1 ? b / (a - 1) : INFINITY;
	if (a > 1)
		slope = -log_beta_ratio(a - 1, b + 1, m) / (a - 1);
	else if (a < 1)
		slope = -log_beta_ratio(1 - a, a + b, m) / (1 - a);
	else
		slope = digamma_difference(b + 1, m);
	return b * slope * phi((a - 1) * slope);
}

double
discounted_periods(double a, double b, double delta, double m)
{
	/* from here on the terms change slowly enough; at a high rate they end before */
	double		slow = fmax(SMOOTH_FIRST, ceil((a + 10) / (SMOOTH_SLOPE - LOW_DELTA) - b));
	double		smooth = fabs(delta) <= LOW_DELTA ? slow : INFINITY;
	double		direct = m < smooth + SHORT_SUM ? m : smooth;
	double		discount = exp(-delta);
	double		left_by_delta = delta > 0 ? 1 / expm1(delta) : INFINITY;
	double		term = 1;
	double		sum = 0;

	if (delta == 0)
		return undiscounted_periods(a, b, m);
	if (delta < 0 && (isinf(m) || -delta * m + log_beta_ratio(a, b, m) > OVERFLOW_LOG))
		return INFINITY;
	for (double j = 0; j < direct; j++)
	{
		term *= (b + j) / (a + b + j) * discount;
		sum += term;
		if (term * left_by_delta <= NEGLIGIBLE * sum ||
			(delta > 0 && a > 1 && term * (b + j + 1) / (a - 1) <= NEGLIGIBLE * sum))
			return sum;
	}
	if (direct == m)
		return sum;

	/* relative to the term at direct, the last one summed: the next is the first of the long sum */
	Survival	survival = {a, b + direct, direct};
	SmoothTerm	long_sum = {
		.log_value = log_survival,
		.arg = &survival,
		.delta = delta,
		.stretch = 1,
		.fastest = a / (b + direct),
		.excess = a - 1,
		.settled = INFINITY,
	};

	return sum + term * exp(delta * direct) * smooth_sum(&long_sum, direct + 1, m);
}
