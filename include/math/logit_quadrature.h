/*
 * logit_quadrature.h - means over a probability p that is beta distributed, by the trapezoid rule over y = logit p.
 */
#ifndef CLV_MATH_LOGIT_QUADRATURE_H
#define CLV_MATH_LOGIT_QUADRATURE_H

/*
 * The density p^a (1-p)^b of y, perhaps tilted, relative to its value at a center near its maximum. The nodes are
 * y = center + v - left expm1(-v) + right expm1(v) for evenly spaced v: evenly spaced where the
 * density has features, exponentially growing in its tails, which are plain exponentials of y.
 */
typedef struct LogitDensity
{
	double		a;
	double		b;
	double		odds;			/* the center, and as p and 1 - p */
	double		p;
	double		not_p;
	double		step;
	double		left;
	double		right;
	double		low;			/* these distances from the center are covered even if nothing is seen there: */
	double		high;			/* low <= 0 <= high */
} LogitDensity;

typedef struct LogitNode
{
	double		p;
	double		not_p;
	double		rise;			/* p less that of the center, and logarithms relative to it */
	double		log_p;
	double		log_not_p;
} LogitNode;

/* At a node: log of the tilt relative to the center; *value is what is integrated besides the density. */
typedef double (*LogitTerm) (const LogitNode *node, void *arg, double *value);

/* Integrals over y in units of step and of the density at the center. */
typedef struct LogitSums
{
	double		density;
	double		value;			/* of density * value */
} LogitSums;

/*
 * Center at the given odds, where minus the log of the (tilted) density curves by `curvature`. Features lie between
 * p = 1 / (1 + smallest) and 1 - p = 1 / (1 + largest).
 */
extern LogitDensity logit_density(double a, double b, double odds, double curvature, double smallest, double largest);

/* term may be NULL: no tilt, no value. */
extern LogitSums logit_sums(const LogitDensity *d, LogitTerm term, void *arg);

/* Log of p^a (1-p)^b at one center over that at another: by differences, as a and b may be huge. */
extern double logit_density_ratio(const LogitDensity *at, const LogitDensity *base);

/* log(1 + x), where one_plus_x is 1 + x without the rounding that x close to -1 suffers */
extern double log_sum(double x, double one_plus_x);

#endif
