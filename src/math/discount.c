/*
 * discount.c - present value of a stream of purchases, by Gauss-Legendre panels of equal length on
 * a logarithmic scale of time (docs/mathematics.md, section 3).
 */
#include "math/discount.h"

#include <math.h>

#include "math/special.h"

#define PANEL_NODES 16
#define PANEL_LENGTH 2.5		/* in log time; 16 nodes are exact to 1e-14 there */
#define NEGLIGIBLE_LOG 46.0		/* exp(-46) = 1e-20 */
#define NEGLIGIBLE 1e-17

typedef struct Stream
{
	Intensity	intensity;
	void	   *arg;
	double		delta;
	double		rate;			/* time is origin + direction * expm1(o) / rate */
	double		origin;
	int			direction;
} Stream;

/* 0 where the intensity underflows, also where a negative rate has grown beyond all numbers */
static double
discounted_at(double u, const Stream *s)
{
	double		intensity = s->intensity(u, s->arg);

	return intensity > 0 ? exp(-s->delta * u) * intensity : 0;
}

static double
integrand(double o, void *arg)
{
	const Stream *s = arg;

	return discounted_at(s->origin + s->direction * expm1(o) / s->rate, s) * exp(o) / s->rate;
}

/* Integral over a length of time from the origin, stopping where the rest cannot matter. */
static double
panels(Stream *s, double length)
{
	double		end = log1p(s->rate * length);
	double		sum = 0;
	int			n;

	if (!isfinite(end))
		return NAN;				/* no number is that long */
	n = (int) ceil(end / PANEL_LENGTH);
	for (int i = 0; i < n; i++)
	{
		double		hi = end * (i + 1) / n;
		double		u = expm1(hi) / s->rate;

		sum += gauss_legendre(integrand, s, end * i / n, hi, PANEL_NODES);
		if (s->direction > 0 && s->delta >= 0 && i + 1 < n &&
			discounted_at(u, s) * fmin(1 / s->delta, length - u) <= NEGLIGIBLE * sum)
			break;
	}
	return sum;
}

double
discounted_integral(Intensity intensity, void *arg, double fastest, double delta, double t)
{
	Stream		s = {intensity, arg, delta, fmax(fastest, fabs(delta)), 0, 1};
	double		sum;

	if (delta > 0)
		return panels(&s, fmin(t, NEGLIGIBLE_LOG / delta));

	/* with a negative rate the end of the horizon matters most: look at it from there */
	sum = panels(&s, t / 2);
	s.origin = t;
	s.direction = -1;
	s.rate = fabs(delta) + 2 * fastest;
	return sum + panels(&s, t / 2);
}
