/*
 * pareto_kernel.c - the integrals of the Pareto/NBD model (docs/mathematics.md).
 *
 * The published likelihood and predictions are written with Gauss's hypergeometric function at four arguments,
 * which overflows, cancels, and has a case for alpha > beta and one for alpha < beta. All it stands for is
 * an integral of a positive, log-concave function over time. On a logarithmic scale of time that is smooth in
 * units of 1 whatever the parameters are, so a few Gauss-Legendre nodes give it to the last digits, and its
 * derivatives are the same sum with the same positive weights.
 */
#include "math/pareto_kernel.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "math/special.h"

/* ---- Gauss-Legendre rules -------------------------------------------------------------------- */

#define MAX_PAIRS 8

/*
 * A rule of 2 * pairs nodes at -+ node on [-1, 1], exact to 1e-15 for a log-concave function that over the panel
 * changes by at most a factor of exp(change), and length times log time.
 */
typedef struct Rule
{
	int			pairs;
	double		change;
	double		length;
	double		node[MAX_PAIRS];
	double		weight[MAX_PAIRS];
} Rule;

static const Rule rules[] = {
	{1, 8e-4, 8e-4, {0.57735026918962576}, {1}},
	{2, 0.1, 0.1,
		{0.33998104358485626, 0.86113631159405258},
		{0.65214515486254614, 0.34785484513745386}},
	{4, 1.5, 0.7,
		{0.18343464249564980, 0.52553240991632899, 0.79666647741362674, 0.96028985649753623},
		{0.36268378337836198, 0.31370664587788729, 0.22238103445337447, 0.10122853629037626}},
	{8, 12, 3,
		{0.095012509837637440, 0.28160355077925891, 0.45801677765722739, 0.61787624440264375,
			0.75540440835500303, 0.86563120238783174, 0.94457502307323258, 0.98940093499164993},
		{0.18945061045506850, 0.18260341504492359, 0.16915651939500254, 0.14959598881657673,
			0.12462897125553387, 0.095158511682492785, 0.062253523938647893, 0.027152459411754095}},
};

#define NRULES 4
#define LARGEST_RULE (&rules[NRULES - 1])
#define NEGLIGIBLE 1e-18		/* of a sum: what is left is not looked at */
#define FEW 8					/* purchases: so many do not narrow an integrand much */
#define SATURATED 1e17			/* 1 + this is this: a function is a plain exponential from here on */

static const Rule *
rule_for(double change, double length)
{
	const Rule *rule = rules;

	while (rule < LARGEST_RULE && (change > rule->change || length > rule->length))
		rule++;
	return rule;
}

/* Go on by a panel; false where that was the last, or so short (of absurd parameters) that it led nowhere. */
static bool
step_on(double length, double end, double *y)
{
	double		before = *y;

	*y += length;
	return length < end - before && *y > before;
}

/* ---- dropping out without a purchase --------------------------------------------------------- */

/*
 * With m the smaller of alpha and beta and m + u = (m + t) exp(y), k(u) du / K(t) is
 *   scale exp(-p y) (1 + w (exp(y) - 1))^-q dy.
 */
typedef struct Shape
{
	double		p;
	double		q;
	double		w;				/* (m + t) / (the larger of alpha and beta + t) */
	double		scale;
	bool		beta_is_less;
	double		inv_alpha;		/* 1 / (alpha + t) */
	double		inv_beta;
} Shape;

static Shape
shape_from(const ParetoKernel *k, double t)
{
	double		alpha = k->alpha + t;
	double		beta = k->beta + t;
	/* a w of 0 would never grow to the end of the shape */
	Shape		shape = {k->s, k->R, fmax(beta / alpha, DBL_MIN), 1, true, 1 / alpha, 1 / beta};

	if (k->alpha < k->beta)
	{
		shape.p = k->R - 1;
		shape.q = k->s + 1;
		shape.w = shape.scale = fmax(alpha / beta, DBL_MIN);
		shape.beta_is_less = false;
	}
	return shape;
}

static double
log_time(const ParetoKernel *k, double t, double h)
{
	return log1p(h / (fmin(k->alpha, k->beta) + t));
}

/* -d log / dy of the shape, which never falls */
static double
decline(const Shape *shape, double y)
{
	double		grown = shape->w * exp(y);

	return shape->p + shape->q * (grown / (1 - shape->w + grown));
}

static double
height(const Shape *shape, double y)
{
	return exp(-shape->p * y - shape->q * log1p(shape->w * expm1(y)));
}

/* How far from y one rule reaches, at most rest; *rule is the smallest that does. */
static double
panel_length(const Shape *shape, double y, double rest, const Rule **rule)
{
	double		length = fmin(rest, LARGEST_RULE->length);
	double		rise = -shape->p;	/* no steeper, if it rises at all */
	double		steepest = fmax(rise, decline(shape, y + length));

	/* the quotient times its divisor may be more than the dividend by a rounding, again and again */
	while (length * steepest > LARGEST_RULE->change * (1 + 1e-12))
	{
		length = fmax(0.99 * LARGEST_RULE->change / steepest, 0.5 * length);
		steepest = fmax(rise, decline(shape, y + length));
	}
	*rule = rule_for(length * steepest, length);
	return length;
}

/* Is what lies past y, where the height falls and will fall faster, nothing next to the sum? */
static bool
rest_is_negligible(const Shape *shape, double y, double sum)
{
	double		steepness = decline(shape, y);

	return steepness > 0 && height(shape, y) <= NEGLIGIBLE * steepness * sum;
}

/* The same of a customer who has made n purchases until then, but for the factor (R)_n / n!. */
static double
height_after(const Shape *shape, double y, int n)
{
	double		e;
	double		alpha_share;	/* u / (alpha + t + u) */

	if (n == 0)
		return height(shape, y);
	e = shape->beta_is_less ? shape->w * expm1(y) : expm1(y);
	alpha_share = e / (1 + e);
	return height(shape, y) * pow(alpha_share, n);
}

/* The probability to drop out after n purchases, but for that factor; n is small. */
static double
dropout_after(const ParetoKernel *k, double t, double h, int n)
{
	Shape		shape = shape_from(k, t);
	double		end = log_time(k, t, h);
	double		longest = n == 0 ? LARGEST_RULE->length : LARGEST_RULE->change / (n + FEW);
	double		y = 0;
	double		sum = 0;

	while (y < end)
	{
		const Rule *rule;
		double		length;
		double		middle;
		double		panel = 0;

		if (shape.w * exp(y) > SATURATED)
		{
			double		steepness = k->R + k->s;

			sum += height(&shape, y) * -expm1(-steepness * (end - y)) / steepness;
			break;
		}
		length = panel_length(&shape, y, fmin(end - y, longest), &rule);
		if (n > 0)
			rule = LARGEST_RULE;
		middle = y + 0.5 * length;
		for (int i = 0; i < rule->pairs; i++)
		{
			double		from_middle = 0.5 * length * rule->node[i];

			panel += rule->weight[i] *
					 (height_after(&shape, middle - from_middle, n) + height_after(&shape, middle + from_middle, n));
		}
		sum += 0.5 * length * panel;
		if (!step_on(length, end, &y) || rest_is_negligible(&shape, y, sum))
			break;
	}
	return k->s * shape.scale * sum;
}

double
pareto_dropout(const ParetoKernel *k, double t, double h)
{
	return dropout_after(k, t, h, 0);
}

/* ---- the same with all that derivatives need -------------------------------------------------- */

void
pareto_distances(const ParetoKernel *k, double t, double h, double *z)
{
	double		alpha = k->alpha + t;
	double		beta = k->beta + t;

	z[0] = log1p(h / alpha);
	z[1] = log1p(h / beta);
	z[2] = h / alpha / (alpha + h);
	z[3] = h / beta / (beta + h);
}

static void
add_node(const Shape *shape, double y, double weight, ParetoSums *sums)
{
	double		e = expm1(y);
	double		far_e = shape->w * e;
	double		log_far = log1p(far_e);
	double		f = weight * exp(-shape->p * y - shape->q * log_far);
	double		near = e / (1 + e);
	double		far = far_e / (1 + far_e);
	double		z0 = shape->beta_is_less ? log_far : y;
	double		z1 = shape->beta_is_less ? y : log_far;
	double		z2 = (shape->beta_is_less ? far : near) * shape->inv_alpha;
	double		z3 = (shape->beta_is_less ? near : far) * shape->inv_beta;

	sums->zero += f;
	sums->first[0] += f * z0;
	sums->first[1] += f * z1;
	sums->first[2] += f * z2;
	sums->first[3] += f * z3;
	sums->second[0] += f * z0 * z0;
	sums->second[1] += f * z0 * z1;
	sums->second[2] += f * z0 * z2;
	sums->second[3] += f * z0 * z3;
	sums->second[4] += f * z1 * z1;
	sums->second[5] += f * z1 * z2;
	sums->second[6] += f * z1 * z3;
	sums->second[7] += f * z2 * z2;
	sums->second[8] += f * z2 * z3;
	sums->second[9] += f * z3 * z3;
}

/* See the sums from a time at distance z before their start, K there being 1 / shrink times as high. */
static void
move_start(const double *z, double shrink, ParetoSums *sums)
{
	double	   *second = sums->second;

	for (int i = 0; i < PARETO_FIRST; i++)
		for (int j = i; j < PARETO_FIRST; j++, second++)
			*second = shrink * (*second + z[i] * sums->first[j] + z[j] * sums->first[i] + z[i] * z[j] * sums->zero);
	for (int i = 0; i < PARETO_FIRST; i++)
		sums->first[i] = shrink * (sums->first[i] + z[i] * sums->zero);
	sums->zero *= shrink;
}

void
pareto_extend(const ParetoKernel *k, double from, double to, ParetoSums *sums)
{
	double		h = from - to;
	Shape		shape = shape_from(k, to);
	double		y = 0;
	double		end;
	double		z[PARETO_FIRST];

	pareto_distances(k, to, h, z);
	end = z[shape.beta_is_less ? 1 : 0];
	move_start(z, exp(-k->R * z[0] - k->s * z[1]), sums);
	while (y < end)
	{
		const Rule *rule;
		double		length = panel_length(&shape, y, end - y, &rule);
		double		half = 0.5 * length;

		for (int i = 0; i < rule->pairs; i++)
		{
			double		weight = shape.scale * half * rule->weight[i];

			add_node(&shape, y + half - half * rule->node[i], weight, sums);
			add_node(&shape, y + half + half * rule->node[i], weight, sums);
		}
		if (!step_on(length, end, &y) || rest_is_negligible(&shape, y, sums->zero))
			break;
	}
}

/* ---- number of purchases ---------------------------------------------------------------------- */

/*
 * The density at log u of dropping out at u after n purchases, relative to a point at log u = top: in d = log u -
 * top it is log-concave, and falls as exp(n + 1) to the left and exp(-R - s) to the right.
 */
typedef struct CountShape
{
	double		n;
	double		R;
	double		s;
	double		alpha_share;	/* u / (alpha + u) at the top, and alpha / (alpha + u) */
	double		alpha_rest;
	double		beta_share;
	double		beta_rest;
} CountShape;

/* log(rest + share exp(d)), rest + share = 1 */
static double
log_mixture(double rest, double share, double d)
{
	double		change = share * expm1(d);

	return change > -0.5 ? log1p(change) : log(rest + share * exp(d));
}

static double
count_height(const CountShape *c, double d)
{
	return exp(d - c->n * log_mixture(c->alpha_share, c->alpha_rest, -d) -
			   c->R * log_mixture(c->alpha_rest, c->alpha_share, d) -
			   (c->s + 1) * log_mixture(c->beta_rest, c->beta_share, d));
}

/* d log / dd, which never rises */
static double
count_slope(const CountShape *c, double d)
{
	double		odds_alpha = c->alpha_share / c->alpha_rest * exp(d);
	double		odds_beta = c->beta_share / c->beta_rest * exp(d);

	return (c->n - c->R * odds_alpha) / (1 + odds_alpha) + (1 - c->s * odds_beta) / (1 + odds_beta);
}

/* Is it exp(-(R + s) d) from here on? */
static bool
count_is_exponential(const CountShape *c, double d)
{
	return fmin(c->alpha_share / c->alpha_rest, c->beta_share / c->beta_rest) * exp(d) > SATURATED;
}

/* Integral from the top up to a length to one side. */
static double
count_side(const CountShape *c, int side, double end)
{
	double		sum = 0;
	double		d = 0;			/* distance from the top */

	while (d < end)
	{
		if (side > 0 && count_is_exponential(c, d))
			return sum + count_height(c, d) * -expm1(-(c->R + c->s) * (end - d)) / (c->R + c->s);

		double		length = fmin(end - d, LARGEST_RULE->length);
		double		at_start = fabs(count_slope(c, side * d));
		double		steepest = fmax(at_start, fabs(count_slope(c, side * (d + length))));
		double		middle;
		double		panel = 0;

		while (length * steepest > LARGEST_RULE->change)
		{
			length = fmax(0.99 * LARGEST_RULE->change / steepest, 0.5 * length);
			steepest = fmax(at_start, fabs(count_slope(c, side * (d + length))));
		}
		middle = d + 0.5 * length;
		for (int i = 0; i < LARGEST_RULE->pairs; i++)
		{
			double		from_middle = 0.5 * length * LARGEST_RULE->node[i];

			panel += LARGEST_RULE->weight[i] *
					 (count_height(c, side * (middle - from_middle)) + count_height(c, side * (middle + from_middle)));
		}
		sum += 0.5 * length * panel;
		if (!step_on(length, end, &d))
			break;

		double		fall = -side * count_slope(c, side * d);

		if (fall > 0 && count_height(c, side * d) <= NEGLIGIBLE * fall * sum)
			break;
	}
	return sum;
}

/* Where the density of log u is highest: the positive root of a quadratic equation. */
static double
count_top(const ParetoKernel *k, double n)
{
	double		b = (n - k->s) * k->alpha + (1 - k->R) * k->beta;
	double		root = hypot(b, 2 * sqrt(k->R + k->s) * sqrt(n + 1) * sqrt(k->alpha) * sqrt(k->beta));

	return b > 0 ? (b + root) / (2 * (k->R + k->s)) : 2 * (n + 1) * k->alpha * k->beta / (root - b);
}

/* The probability to drop out before t after n purchases: any n, but slower. */
static double
dropout_after_many(const ParetoKernel *k, double t, double n)
{
	double		u = fmin(count_top(k, n), t);
	CountShape	c = {n, k->R, k->s, u / (k->alpha + u), k->alpha / (k->alpha + u), u / (k->beta + u),
					 k->beta / (k->beta + u)};
	double		top = negative_binomial(n, k->R, u / k->alpha) * exp(-k->s * log1p(u / k->beta)) * k->s * c.beta_share;

	return top > 0 ? top * (count_side(&c, -1, INFINITY) + count_side(&c, 1, log(t) - log(u))) : 0;
}

double
pareto_count(const ParetoKernel *k, double n, double t)
{
	double		left;
	double		stays = 0;

	if (!isinf(t))
		stays = negative_binomial(n, k->R, t / k->alpha) * exp(-k->s * log1p(t / k->beta));
	if (n <= FEW)
		left = dropout_after(k, 0, t, (int) n) * exp(log_gamma_ratio(k->R, n) - lgamma(n + 1));
	else
		left = dropout_after_many(k, t, n);
	return stays + left;
}
