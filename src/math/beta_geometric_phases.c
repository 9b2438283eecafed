/*
 * beta_geometric_phases.c - predictions for a customer whose purchases are every k-th event of a Poisson process of
 * rate lambda, and who drops out after each with probability p (docs/mathematics.md, section 2).
 *
 * N events from today on complete floor((N + j) / k) purchases of a customer in phase j, so with z = t / A
 *   survival   E (1 - p)^floor((N + j) / k)                    still alive after t
 *   purchases  E (1 - (1 - p)^floor((N + j) / k)) / p          expected number until t
 *   intensity  E lambda (1 - p)^floor((N + j) / k) 1{the next event completes a purchase}
 * where N is negative binomial of shape R + j and mean (R + j) z. Summing over N first leaves a mean over p, and over p
 * first a series of positive terms over N, which is taken where it is short. For given p the sum over N is one over the
 * k complex roots of 1 - p.
 */
#include "math/beta_geometric_phases.h"

#include <complex.h>
#include <math.h>
#include <stdbool.h>

#include "math/discount.h"
#include "math/logit_quadrature.h"
#include "math/special.h"

#define SERIES_EVENTS 16000.0	/* the quadrature is cheaper than longer series */
#define SERIES_EPSILON 1e-17	/* remainder of a series relative to its sum */
#define RESCALE 1e200
#define ROOTS_MIN_RATIO 0.75	/* the roots of 1 - p are taken where the series for given p is longer, ... */
#define ROOTS_MIN_MEAN 30.0		/* ... since where it is short their terms may cancel */
#define NEGLIGIBLE_LOG 45.0
#define SPREAD 5.0				/* a customer's rate is not this many standard deviations above the mean */
#define SETTLED 2.5				/* of k^2 events: swings are below exp(-45) */
#define SMALL_SHAPE 1e-4		/* next to nobody buys: the difference from 1 would be lost in rounding */
#define LEAST_LOGIT (-720.0)	/* of the smallest numbers */
#define SMALLEST_P 1e-280		/* the purchases are those of p = 0 below */

typedef enum Quantity
{
	SURVIVAL,
	PURCHASES,
	INTENSITY
} Quantity;

/* Of the sums over the events until z * A, with the shape that the quantity gives the distribution of lambda. */
typedef struct Horizon
{
	const BetaGeometricPhases *g;
	Quantity	quantity;
	double		shape;
	double		z;
	double		w;				/* z / (1 + z) */
	double		log_1z;
	double		at_center;		/* of a tilted density: log of the tilt there */
} Horizon;

static Horizon
horizon(const BetaGeometricPhases *g, Quantity quantity, double z)
{
	return (Horizon){g, quantity, g->at_once.R + (quantity == INTENSITY), z, z / (1 + z), log1p(z), 0};
}

static double
log_add(double a, double b)
{
	double		high = fmax(a, b);

	return isinf(high) ? high : high + log1p(exp(-fabs(a - b)));
}

double
log_phases(double R, double silent, double k)
{
	double		log_term = 0;
	double		log_total = 0;

	for (double j = 1; j < k && silent > 0; j++)
	{
		log_term += log((R + (j - 1)) / j * silent);
		log_total = log_add(log_total, log_term);
	}
	return log_total;
}

/* ---- series over the number of events -------------------------------------------------------- */

/* What a customer keeps of n + 1 purchases after n: the factor of (1 - p)^n, or of its mean over p if stay is NAN */
static double
keeps(const BetaGeometric *g, double n, double stay)
{
	return isnan(stay) ? (g->b + n) / (g->a + g->b + n) : stay;
}

/*
 * Log of the sum over N, in units of P(N = 0), of a customer in phase j; NAN where it is longer than `events`. Looked
 * at after each purchase, the terms end as a geometric series.
 */
static double
log_phase_series(const Horizon *h, double j, double stay, double events)
{
	double		log_scale = 0;
	double		term = 1;
	double		reach = 1;		/* mean of (1 - p)^n */
	double		happen = 0;		/* mean of (1 - (1 - p)^n) / p */
	double		sum = 0;
	double		last = 0;
	double		n = 0;
	double		phase = j;

	for (double N = 0; N < events; N++)
	{
		double		weight = h->quantity == PURCHASES ? happen : reach;

		phase++;
		if (h->quantity != INTENSITY || phase == h->g->k)
			sum += term * weight;
		if (phase == h->g->k)
		{
			double		now = term * weight;
			double		ratio = now / last;

			if (!isfinite(now))
				return NAN;		/* absurd parameters: the terms will not end */
			if (now == 0 && n > 0)
				return log_scale + log(sum);
			if (ratio < 1 && now * ratio * h->g->k <= SERIES_EPSILON * (1 - ratio) * sum)
				return log_scale + log(sum);
			last = now;
			happen += reach;
			reach *= keeps(&h->g->at_once, n, stay);
			n++;
			phase = 0;
		}
		term *= (h->shape + j + N) / (N + 1) * h->w;
		if (term > RESCALE)
		{
			term /= RESCALE;
			sum /= RESCALE;
			last /= RESCALE;
			log_scale += log(RESCALE);
		}
	}
	return NAN;
}

/* Log of the quantity, for p = 1 - stay or, if stay is NAN, in the mean over p; NAN where the series is too long. */
static double
log_series(const Horizon *h, double stay, double events)
{
	const BetaGeometricPhases *g = h->g;
	double		log_weight = -g->log_phases;
	double		log_total = -INFINITY;

	for (double j = 0; j < g->k && log_weight > -INFINITY; j++)
	{
		log_total = log_add(log_total, log_weight - (h->shape + j) * h->log_1z + log_phase_series(h, j, stay, events));
		log_weight += log((h->shape + j) / (j + 1) * g->silent);
	}
	return h->quantity == INTENSITY ? log_total + log(g->at_once.R / g->at_once.A) : log_total;
}

/* ---- sum over the roots ---------------------------------------------------------------------- */

/* log(sinh(y) / y) */
static double
log_sinhc(double y)
{
	double		yy = y * y;

	if (y < 0.5)
		return log1p(yy / 6 * (1 + yy / 20 * (1 + yy / 42 * (1 + yy / 72 * (1 + yy / 110 * (1 + yy / 156))))));
	return y - log(2 * y) + log1p(-exp(-2 * y));
}

/* sum over the phases of (shape)_j / j! y^j */
static double complex
phase_polynomial(double shape, double k, double complex y)
{
	double complex term = 1;
	double complex sum = 1;

	for (double j = 1; j < k; j++)
	{
		term *= (shape + (j - 1)) / j * y;
		sum += term;
	}
	return sum;
}

/* Log of the mean over the phases of xi^j, to full precision also where it is close to 0. */
static double
log_phase_mean(const Horizon *h, double log_xi)
{
	const BetaGeometricPhases *g = h->g;
	double		log_weight = -g->log_phases;
	double		excess = 0;

	if (g->silent == 0)
		return 0;
	if (h->quantity == INTENSITY || log_xi < -0.1)
		return log(creal(phase_polynomial(h->shape, g->k, g->silent * exp(log_xi)))) - g->log_phases;
	for (double j = 1; j < g->k; j++)
	{
		log_weight += log((h->shape + (j - 1)) / j * g->silent);
		excess += exp(log_weight) * expm1(j * log_xi);
	}
	return log1p(excess);
}

/*
 * For the root s = c omega^m of 1 - p, c = (1 - p)^(1/k), the mean of s^(N + j) is elementary. The real root comes
 * first, in the forms that are exact for small p; none of the others is larger.
 */
static double
log_by_roots(const Horizon *h, double p, double not_p)
{
	double		k = h->g->k;
	double		log_c = (p < 0.5 ? log1p(-p) : log(not_p)) / k;
	double		c = exp(log_c);
	double		lost = -expm1(log_c);	/* 1 - c */
	double		log_base = log1p(h->z * lost);
	double		log_xi = log_c - log_base;
	double		log_value = -h->shape * log_base + log_phase_mean(h, log_xi);
	double complex first = phase_polynomial(h->shape, k, h->g->silent * exp(log_xi));
	double		others = 0;

	if (h->quantity == INTENSITY)
		log_value += (1 - k) * log_c - log(k) + log(h->g->at_once.R / h->g->at_once.A);
	else
		log_value += (1 - k) * log_c / 2 + log_sinhc(-k * log_c / 2) - log_sinhc(-log_c / 2);

	for (double m = 1; 2 * m <= k; m++)
	{
		double		half = sin(M_PI * m / k);
		double complex omega = 1 - 2 * half * half + I * sin(2 * M_PI * m / k);
		double complex root_lost = lost + c * (2 * half * half - I * cimag(omega));
		double complex base = 1 + h->z * root_lost;
		double complex log_ratio = -h->shape * (clog(base) - log_base);
		double complex ratio;

		if (creal(log_ratio) < -NEGLIGIBLE_LOG)
			break;				/* the further from the real root, the smaller */
		ratio = omega * cexp(log_ratio) * phase_polynomial(h->shape, k, h->g->silent * c * omega / base) / first;
		if (h->quantity != INTENSITY)
			ratio *= lost / root_lost;
		others += (2 * m < k ? 2 : 1) * creal(ratio);
	}
	return log_value + log1p(others);
}

static double
log_given_p(const Horizon *h, double p, double not_p)
{
	double		cw = pow(not_p, 1 / h->g->k) * h->w;

	if (cw <= ROOTS_MIN_RATIO && (h->shape + h->g->k) * cw <= ROOTS_MIN_MEAN * (1 - cw))
	{
		double		value = log_series(h, not_p, SERIES_EVENTS);

		if (!isnan(value))
			return value;
	}
	return log_by_roots(h, p, not_p);
}

/* ---- mean over p ----------------------------------------------------------------------------- */

static double
add_tilt(const LogitNode *node, void *arg, double *value)
{
	const Horizon *h = arg;

	(void) value;
	return log_given_p(h, node->p, node->not_p) - h->at_center;
}

static double
add_purchases(const LogitNode *node, void *arg, double *value)
{
	const Horizon *h = arg;
	double		p = fmax(node->p, SMALLEST_P);

	*value = -expm1(log_given_p(h, p, node->not_p)) / p;
	return 0;
}

/* Log of the tilted density at y = logit p, up to a constant. */
static double
log_density(const Horizon *h, double y)
{
	double		tail = exp(-fabs(y));
	double		log_whole = log1p(tail);
	double		small = tail / (1 + tail);
	double		large = 1 / (1 + tail);

	return h->g->at_once.a * (fmin(y, 0) - log_whole) - h->g->at_once.b * (fmax(y, 0) + log_whole) +
		   log_given_p(h, y > 0 ? large : small, y > 0 ? small : large);
}

typedef struct Mode
{
	double		y;
	double		height;
	double		curvature;
} Mode;

/* The maximum within `width` on either side of y: golden section, and then Newton's method by differences. */
static Mode
find_mode(const Horizon *h, double y, double width)
{
	const double golden = 0.3819660112501051;
	double		lo = y - width;
	double		hi = y + width;
	Mode		mode;

	while (hi - lo > 0.02)
	{
		double		left = lo + golden * (hi - lo);
		double		right = hi - golden * (hi - lo);

		if (log_density(h, left) < log_density(h, right))
			lo = left;
		else
			hi = right;
	}
	mode.y = (lo + hi) / 2;
	mode.curvature = 1e4;
	for (int i = 0; i < 4; i++)
	{
		double		step = fmin(0.25 / sqrt(mode.curvature), 0.1);
		double		below = log_density(h, mode.y - step);
		double		above = log_density(h, mode.y + step);

		mode.height = log_density(h, mode.y);
		mode.curvature = fmax((2 * mode.height - below - above) / step / step, 1e-2);
		if (i < 3)
			mode.y += fmax(fmin((above - below) / (2 * step * mode.curvature), 0.05), -0.05);
	}
	return mode;
}

/*
 * The density tilted by the quantity has its maxima between that for all events the purchases may need and the plain
 * one. Mostly there is one; a second lies where nearly all drop out at once and few make a purchase.
 */
static LogitDensity
tilted_density(Horizon *h, double smallest)
{
	const BetaGeometric *g = &h->g->at_once;
	double		hi = log(g->a / g->b);
	double		lo = fmax(log(g->a / (g->a + g->b + 1 + (h->shape + h->g->k) * h->z)), LEAST_LOGIT) - 1;
	int			n = 2 + (int) fmax(hi - lo, 0);
	double		width = (hi + 0.5 - lo) / n;
	double		before = -INFINITY;
	double		here = log_density(h, lo);
	Mode		best = {0, -INFINITY, 0};
	double		first = INFINITY;
	double		last = -INFINITY;
	double		steepest = 0;
	LogitDensity d;

	for (int i = 0; i <= n; i++)
	{
		double		after = i < n ? log_density(h, lo + (i + 1) * width) : -INFINITY;

		if (here >= before && here >= after)
		{
			Mode		mode = find_mode(h, lo + i * width, width);

			first = fmin(first, mode.y);
			last = fmax(last, mode.y);
			steepest = fmax(steepest, mode.curvature);
			if (mode.height > best.height)
				best = mode;
		}
		before = here;
		here = after;
	}
	d = logit_density(g->a, g->b, exp(best.y), steepest, smallest, g->a);
	d.low = first - best.y;
	d.high = last - best.y;
	h->at_center = log_given_p(h, d.p, d.not_p);
	return d;
}

static double
mean_over_p(Horizon *h)
{
	const BetaGeometric *g = &h->g->at_once;
	double		smallest = fmax(g->b, fmax(h->shape + h->g->k, 1) * h->z);
	LogitDensity plain = logit_density(g->a, g->b, g->a / g->b, g->a / (g->a + g->b) * g->b, smallest, g->a);

	if (h->quantity == PURCHASES)
	{
		Horizon		survival = horizon(h->g, SURVIVAL, h->z);
		LogitSums	sums = logit_sums(&plain, add_purchases, &survival);

		return sums.value / sums.density;
	}

	LogitDensity tilted = tilted_density(h, smallest);
	double		log_ratio = logit_density_ratio(&tilted, &plain) + h->at_center;

	return exp(log_ratio) * (tilted.step * logit_sums(&tilted, add_tilt, h).density) /
		   (plain.step * logit_sums(&plain, NULL, NULL).density);
}

static double
mean_quantity(const BetaGeometricPhases *g, Quantity quantity, double z)
{
	Horizon		h = horizon(g, quantity, z);
	double		mean = (h.shape + g->k) * z;
	double		events = mean + 10 * sqrt(mean * (1 + z)) + 40 * (1 + z);

	if (events * g->k <= SERIES_EVENTS)
	{
		double		value = log_series(&h, NAN, SERIES_EVENTS);

		if (!isnan(value))
			return exp(value);
	}
	return mean_over_p(&h);
}

/* ---- predictions ----------------------------------------------------------------------------- */

double
phases_p_alive(const BetaGeometricPhases *g, double t)
{
	double		z = t / g->at_once.A;

	if (g->k == 1 || z == 0 || isinf(z))
		return beta_geometric_p_alive(&g->at_once, t);
	return alive_now(&g->at_once) * at_most_1(mean_quantity(g, SURVIVAL, z));
}

static double
purchase_intensity(double u, void *arg)
{
	const BetaGeometricPhases *g = arg;

	return mean_quantity(g, INTENSITY, u / g->at_once.A);
}

/* Purchases of customers in step come and go once in k events, until after some k^2 events they are out of step. */
static double
integrate_purchases(const BetaGeometricPhases *g, double delta, double t)
{
	BetaGeometricPhases posterior = *g;
	double		shape = g->at_once.R + g->k;
	double		rate = (shape + SPREAD * sqrt(shape)) / g->at_once.A;

	return discounted_swings(purchase_intensity, &posterior, 2 * rate, g->k / rate,
							 SETTLED * g->k * g->k * g->at_once.A / shape, delta, t);
}

double
phases_expected(const BetaGeometricPhases *g, double t)
{
	double		alive = alive_now(&g->at_once);
	double		z = t / g->at_once.A;

	if (g->k == 1 || z == 0 || isinf(z))
		return beta_geometric_expected(&g->at_once, t);
	if (alive == 0)
		return 0;
	return alive * (g->at_once.R < SMALL_SHAPE ? integrate_purchases(g, 0, t) : mean_quantity(g, PURCHASES, z));
}

/* that of surviving if the next purchase is the last for certain */
double
phases_silence(const BetaGeometricPhases *g, double t)
{
	double		alive = alive_now(&g->at_once);
	double		z = t / g->at_once.A;
	Horizon		h = horizon(g, SURVIVAL, z);

	if (g->k == 1 || z == 0 || isinf(z) || alive == 0)
		return beta_geometric_silence(&g->at_once, t);
	return at_most_1(dead_now(&g->at_once) + alive * exp(log_series(&h, 0, INFINITY)));
}

/* Of n purchases, given alive: the n-th, if it is made, is the last one with last_leaves, else it may be by chance. */
static double
mean_probability(const BetaGeometricPhases *g, double n, double z, double last_leaves, double stays)
{
	double		R = g->at_once.R;
	double		log_weight = -g->log_phases;
	double		value = 0;

	for (double j = 0; j < g->k && log_weight > -INFINITY; j++)
	{
		double		first = g->k * n - j;	/* events until the n-th purchase */
		double		exactly = 0;

		for (double i = 0; i < g->k; i++)
			exactly += negative_binomial(first + i, R + j, z);
		value += exp(log_weight) * (last_leaves * negative_binomial_tail(first, R + j, z) + stays * exactly);
		log_weight += log((R + j) / (j + 1) * g->silent);
	}
	return value;
}

double
phases_probability(const BetaGeometricPhases *g, double n, double t)
{
	const BetaGeometric *b = &g->at_once;
	double		z = t / b->A;
	double		last_leaves;

	if (n == 0)
		return phases_silence(g, t);
	if (g->k == 1 || z == 0 || isinf(z))
		return beta_geometric_probability(b, n, t);
	last_leaves = exp(log_beta_ratio(b->a, b->b, n - 1)) * (b->a / (b->a + b->b + n - 1));
	return alive_now(b) * at_most_1(mean_probability(g, n, z, last_leaves, exp(log_beta_ratio(b->a, b->b, n))));
}

double
phases_discounted(const BetaGeometricPhases *g, double delta, double t)
{
	double		alive = alive_now(&g->at_once);

	if (g->k == 1)
		return beta_geometric_discounted(&g->at_once, delta, t);
	if (delta == 0)
		return phases_expected(g, t);
	if (delta < 0 && isinf(t))
		return INFINITY;		/* as without phases */
	if (t == 0 || alive == 0)
		return 0;
	return alive * integrate_purchases(g, delta, t);
}
