/*
 * logit_quadrature.c - means over a beta-distributed probability, by the trapezoid rule over its logit.
 */
#include "math/logit_quadrature.h"

#include <math.h>
#include <stddef.h>

#define STEP 0.2				/* the integrands are analytic for |Im logit p| < pi / 2 */
#define NARROW 0.45				/* step in standard deviations of a narrow density */
#define NODES 20000				/* never reached by sensible parameters */

LogitDensity
logit_density(double a, double b, double odds, double curvature, double smallest, double largest)
{
	LogitDensity d = {.a = a, .b = b, .odds = odds, .p = odds / (1 + odds), .not_p = 1 / (1 + odds)};

	d.step = fmin(STEP, NARROW / sqrt(curvature));
	/* tails begin a factor e^3 beyond the features */
	d.left = fmin(1, exp(-3) / (1 + smallest) / odds);
	d.right = fmin(1, exp(-3) / (1 + largest) * odds);
	return d;
}

double
log_sum(double x, double one_plus_x)
{
	return x > -0.5 ? log1p(x) : log(one_plus_x);
}

static LogitNode
node_at(const LogitDensity *d, double delta)
{
	double		shrink = exp(-fabs(delta));
	double		x = fabs(delta) < 0.5 ? expm1(-fabs(delta)) : shrink - 1;
	double		near = delta > 0 ? d->p : d->not_p;
	double		far = delta > 0 ? d->not_p : d->p;
	double		scale = 1 + far * x > 0.5 ? 1 + far * x : near + far * shrink;
	double		log_scale = log_sum(far * x, scale);
	LogitNode	node;

	node.p = delta > 0 ? d->p / scale : d->p * shrink / scale;
	node.not_p = delta > 0 ? d->not_p * shrink / scale : d->not_p / scale;
	node.rise = (delta > 0 ? -x : x) * d->p * d->not_p / scale;
	node.log_p = delta > 0 ? -log_scale : delta - log_scale;
	node.log_not_p = delta > 0 ? -delta - log_scale : -log_scale;
	return node;
}

/* Add the node at distance delta from the center, spaced by jacobian; return its density. */
static double
add_node(const LogitDensity *d, LogitTerm term, void *arg, double delta, double jacobian, LogitSums *sums)
{
	LogitNode	node = node_at(d, delta);
	double		log_density = d->a * node.log_p + d->b * node.log_not_p;
	double		value = 0;
	double		density;

	if (term != NULL)
		log_density += term(&node, arg, &value);
	density = exp(log_density) * jacobian;
	sums->density += density;
	sums->value += density * value;
	return density;
}

/* Walk from the center to one side until nothing more is added. */
static void
add_side(const LogitDensity *d, LogitTerm term, void *arg, int side, LogitSums *sums)
{
	double		stretch = exp(side * d->step);
	double		exp_v = 1;
	double		before = 0;

	for (int k = 1; k <= NODES; k++)
	{
		LogitSums	last = *sums;
		double		delta;
		double		density;
		double		jacobian;

		exp_v *= stretch;
		jacobian = 1 + d->left / exp_v + d->right * exp_v;
		delta = side * k * d->step + d->left * (1 - 1 / exp_v) + d->right * (exp_v - 1);
		if (!isfinite(delta) || isnan(sums->density) || isnan(sums->value))
			break;				/* of absurd parameters */
		density = add_node(d, term, arg, delta, jacobian, sums);
		if (density <= before && sums->density == last.density && sums->value == last.value &&
			(delta < d->low || delta > d->high))
			break;
		before = density;
	}
}

LogitSums
logit_sums(const LogitDensity *d, LogitTerm term, void *arg)
{
	LogitSums	sums = {0, 0};

	add_node(d, term, arg, 0, 1 + d->left + d->right, &sums);
	add_side(d, term, arg, -1, &sums);
	add_side(d, term, arg, 1, &sums);
	return sums;
}

double
logit_density_ratio(const LogitDensity *at, const LogitDensity *base)
{
	double		more = (at->odds - base->odds) / (1 + base->odds);
	double		ratio = (1 + at->odds) / (1 + base->odds);

	return -at->a * log_sum(-more / at->odds, base->odds / at->odds * ratio) -
		   at->b * log_sum(more, ratio);
}
