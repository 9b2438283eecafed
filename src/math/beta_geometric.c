/*
 * beta_geometric.c - predictions for a customer who buys at rate lambda ~ Gamma(R, A) and drops out
 * after each purchase with probability p ~ Beta(a, b), both given that he is alive today
 * (docs/mathematics.md, section 2).
 *
 * With z = t / A everything follows from two means over p:
 *   survival   E (1 + p z)^-R                 still alive after t
 *   purchases  E (1 - (1 + p z)^-R) / p       expected number until t
 * Each has a series of positive terms, an Euler-transformed hypergeometric series that is short
 * where the first is long, and a quadrature that is always right but ten times slower. The
 * published formulas divide by a - 1 and overflow; none of these does.
 */
#include "math/beta_geometric.h"

#include <math.h>
#include <stdbool.h>

#include "math/discount.h"
#include "math/logit_quadrature.h"
#include "math/special.h"

#define SERIES_TERMS 1500		/* the quadrature is cheaper than longer series */
#define SERIES_EPSILON 1e-17	/* remainder of a series relative to its sum */
#define POSITIVE_MAX 20.0		/* up to this R z the sum over the number of purchases is taken */
#define EULER_MIN_SHARE 1e-3	/* share of the terms' size that must survive cancellation */
#define EXP_MAX 600.0			/* larger exponents are left to the quadrature: it works in logs */

/* ---- quadrature ------------------------------------------------------------------------------ */

/* The tilt (1+pz)^-R, or the purchases (1 - (1+pz)^-R) / p. */
typedef struct Buyer
{
	double		R;
	double		z;
	double		at_center;		/* 1 + pz */
} Buyer;

static double
add_survival(const LogitNode *node, void *arg, double *value)
{
	const Buyer *buyer = arg;

	(void) value;
	return -buyer->R * log_sum(buyer->z * node->rise / buyer->at_center, (1 + node->p * buyer->z) / buyer->at_center);
}

static double
add_purchases(const LogitNode *node, void *arg, double *value)
{
	const Buyer *buyer = arg;

	*value = node->p > 1e-280 ? -expm1(-buyer->R * log1p(node->p * buyer->z)) / node->p : buyer->R * buyer->z;
	return 0;
}

/* Features of (1+pz)^-R lie from p = 1 / max(R z, z, b) to 1 - p = 1 / a. */
static LogitDensity
plain_density(double a, double b, double R, double z)
{
	return logit_density(a, b, a / b, a / (a + b) * b, fmax(b, fmax(R, 1) * z), a);
}

static LogitDensity
tilted_density(double a, double b, double R, double z)
{
	/* the maximum of p^a (1-p)^b (1+pz)^-R, as odds, is the positive root of (1+z) b o^2 - m o - a */
	double		m = a * (1 + z) - b - R * z;
	double		root = hypot(m, 2 * sqrt(a) * sqrt(b) * sqrt(1 + z));
	double		odds = m > 0 ? (m + root) / (2 * b * (1 + z)) : 2 * a / (root - m);
	double		saturation = (1 + z) * odds / (1 + (1 + z) * odds);
	double		curvature = (a + b - R) * (odds / (1 + odds)) / (1 + odds) + R * saturation / (1 + (1 + z) * odds);

	return logit_density(a, b, odds, curvature, fmax(b, fmax(R, 1) * z), a);
}

static double
survival_quadrature(double R, double a, double b, double z)
{
	LogitDensity tilted = tilted_density(a, b, R, z);
	LogitDensity plain = plain_density(a, b, 0, 0);
	Buyer		buyer = {R, z, 1 + tilted.p * z};
	double		log_ratio = logit_density_ratio(&tilted, &plain) - R * log1p(tilted.p * z);

	return exp(log_ratio) * (tilted.step * logit_sums(&tilted, add_survival, &buyer).density) /
		   (plain.step * logit_sums(&plain, NULL, NULL).density);
}

static double
purchases_quadrature(double R, double a, double b, double z)
{
	LogitDensity d = plain_density(a, b, R, z);
	Buyer		buyer = {R, z, 1};
	LogitSums	sums = logit_sums(&d, add_purchases, &buyer);

	return sums.value / sums.density;
}

/* ---- series ---------------------------------------------------------------------------------- */

/* Is the rest of a series negligible after a term whose ratios to come lie between ratio and w? */
static bool
negligible(double term, double ratio, double w, double sum)
{
	ratio = fmax(ratio, w);
	return ratio < 1 && term * ratio <= SERIES_EPSILON * (1 - ratio) * sum;
}

/* sum over n of P(n purchases without dropout) P(none of them the last); NAN if it is too long */
static double
survival_by_count(double R, double a, double b, double z)
{
	double		w = z / (1 + z);
	double		term = exp(-R * log1p(z));
	double		sum = term;

	for (int n = 0; n < SERIES_TERMS; n++)
	{
		double		ratio = w * (R + n) / (n + 1) * ((b + n) / (a + b + n));

		term *= ratio;
		sum += term;
		if (negligible(term, ratio, w, sum))
			return sum;
	}
	return NAN;
}

/* sum over n of P(n purchases without dropout) E(how many of them happen); NAN if it is too long */
static double
purchases_by_count(double R, double a, double b, double z)
{
	double		w = z / (1 + z);
	double		pmf = exp(-R * log1p(z));
	double		reached = 1;	/* P(the customer makes the purchase after the next n) */
	double		happen = 0;
	double		sum = 0;

	for (int n = 0; n < SERIES_TERMS; n++)
	{
		double		ratio = w * (R + n) / (n + 1);
		double		term;

		pmf *= ratio;
		happen += reached;
		reached *= (b + n) / (a + b + n);
		term = pmf * happen;
		sum += term;
		if (negligible(term, ratio * (1 + 1.0 / (n + 1)), w, sum))
			return sum;
	}
	return NAN;
}

/*
 * (1+z)^-a F(a, a+b-R; a+b; w), short where b is large and for middling z; NAN where it is long or
 * its terms cancel.
 */
static double
survival_by_euler(double R, double a, double b, double z)
{
	double		w = z / (1 + z);
	double		c = a + b;
	double		d = c - R;
	double		log_scale = -a * log1p(z);
	double		term = 1;
	double		sum = 1;
	double		size = 1;

	if (log_scale < -EXP_MAX)
		return NAN;
	for (int n = 0; n < SERIES_TERMS; n++)
	{
		double		ratio = w * ((a + n) / (c + n)) * ((d + n) / (n + 1));

		term *= ratio;
		sum += term;
		size += fabs(term);
		if (negligible(fabs(term), fabs(ratio), w, fabs(sum)))
			return sum > EULER_MIN_SHARE * size && size < 1e300 ? exp(log_scale) * sum : NAN;
	}
	return NAN;
}

/* docs/mathematics.md, section 2, way 2: the removable poles at a = 1 and a + b = 1 are gone; NAN as above. */
static double
purchases_by_euler(double R, double a, double b, double z)
{
	double		w = z / (1 + z);
	double		c = a + b - 1;
	double		d = c - R;
	double		log_1z = log1p(z);
	double		limit = c * log_1z * phi((a - 1) * log_1z);
	double		term = d * w;
	double		sum = term;
	double		size = fabs(term);

	if (fabs(a - 1) * log_1z > EXP_MAX)
		return NAN;
	for (int n = 1; n < SERIES_TERMS; n++)
	{
		double		ratio = w * ((a + n - 1) / (c + n)) * ((d + n) / (n + 1));

		term *= ratio;
		sum += term;
		size += fabs(term);
		if (negligible(fabs(term), fabs(ratio), w, fabs(sum)))
		{
			double		scale = exp(-(a - 1) * log_1z);
			double		value = limit - scale * sum;

			return value > EULER_MIN_SHARE * (fabs(limit) + scale * size) && size < 1e300 ? value
																						   : NAN;
		}
	}
	return NAN;
}

typedef double (*MeanOverDropout) (double R, double a, double b, double z);

static double
first_success(MeanOverDropout by_count, MeanOverDropout by_euler, MeanOverDropout quadrature,
			  double R, double a, double b, double z)
{
	double		value = NAN;

	if (40 * (1 + z) < SERIES_TERMS)
	{
		if (R * z <= POSITIVE_MAX)
			value = by_count(R, a, b, z);
		if (isnan(value))
			value = by_euler(R, a, b, z);
	}
	return isnan(value) ? quadrature(R, a, b, z) : value;
}

static double
mean_survival(double R, double a, double b, double z)
{
	return first_success(survival_by_count, survival_by_euler, survival_quadrature, R, a, b, z);
}

static double
mean_purchases(double R, double a, double b, double z)
{
	return first_success(purchases_by_count, purchases_by_euler, purchases_quadrature, R, a, b, z);
}

/* E 1/p: purchases until the end of time */
static double
lifetime_purchases(double a, double b)
{
	return a > 1 ? 1 + b / (a - 1) : INFINITY;
}

/* ---- predictions ----------------------------------------------------------------------------- */

double
beta_geometric_p_alive(const BetaGeometric *g, double t)
{
	double		z = t / g->A;

	if (z == 0)
		return alive_now(g);
	if (isinf(z))
		return 0;
	return alive_now(g) * at_most_1(mean_survival(g->R, g->a, g->b, z));
}

double
beta_geometric_expected(const BetaGeometric *g, double t)
{
	double		alive = alive_now(g);
	double		z = t / g->A;

	if (z == 0 || alive == 0)
		return 0;
	if (isinf(z))
		return alive * lifetime_purchases(g->a, g->b);
	return alive * mean_purchases(g->R, g->a, g->b, z);
}

double
beta_geometric_silence(const BetaGeometric *g, double t)
{
	double		alive = alive_now(g);

	return alive > 0 ? at_most_1(dead_now(g) + alive * exp(-g->R * log1p(t / g->A))) : 1;
}

double
beta_geometric_probability(const BetaGeometric *g, double n, double t)
{
	double		alive = alive_now(g);
	double		z = t / g->A;
	double		last_leaves;

	if (n == 0)
		return beta_geometric_silence(g, t);
	if (z == 0 || alive == 0)
		return 0;

	/* either the n-th purchase is the customer's last, or he makes exactly n and stays */
	last_leaves = exp(log_beta_ratio(g->a, g->b, n - 1)) * (g->a / (g->a + g->b + n - 1));
	if (isinf(z))
		return alive * last_leaves;
	return alive * at_most_1(last_leaves * negative_binomial_tail(n, g->R, z) +
							 exp(log_beta_ratio(g->a, g->b, n)) * negative_binomial(n, g->R, z));
}

static double
purchase_intensity(double u, void *arg)
{
	const BetaGeometric *g = arg;

	return g->R / g->A * mean_survival(g->R + 1, g->a, g->b, u / g->A);
}

double
beta_geometric_discounted(const BetaGeometric *g, double delta, double t)
{
	BetaGeometric posterior = *g;
	double		alive = alive_now(g);

	if (delta == 0)
		return beta_geometric_expected(g, t);
	if (delta < 0 && isinf(t))
		return INFINITY;		/* purchases fade like a power of time only */
	if (t == 0 || alive == 0)
		return 0;
	return alive *
		   discounted_integral(purchase_intensity, &posterior, (g->R + 1) / g->A, delta, t);
}
