/*
 * discount.c - present value of a stream of purchases, by Gauss-Legendre panels of equal length on
 * a logarithmic scale of time (docs/mathematics.md, section 3).
 */
#include "math/discount.h"

#include <math.h>

#include "math/special.h"

#define PANEL_NODES 16
#define PANEL_LENGTH 2.5		/* in log time; 16 nodes are exact to 1e-14 there */
#define PANEL_PERIODS 1.5
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
	double		period;			/* before the time `settled`, no panel is longer than PANEL_PERIODS of it */
	double		settled;
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

/* Where the panel that begins at lo ends, if it may be as long as step. */
static double
panel_end(const Stream *s, double lo, double step)
{
	double		from = expm1(lo) / s->rate;
	double		to = expm1(lo + step) / s->rate;

	if (s->origin + s->direction * (s->direction > 0 ? from : to) < s->settled)
		to = fmin(to, from + PANEL_PERIODS * s->period);
	return fmin(lo + step, log1p(s->rate * to));
}

/* Integral over a length of time from the origin, stopping where the rest cannot matter. */
static double
panels(Stream *s, double length)
{
	double		end = log1p(s->rate * length);
	double		sum = 0;
	double		lo = 0;

	if (!isfinite(end))
		return NAN;				/* no number is that long */
	while (lo < end)
	{
		double		left = end - lo;
		double		hi = panel_end(s, lo, left / ceil(left / PANEL_LENGTH));
		double		u = expm1(hi) / s->rate;

		if (end - hi < 1e-9 * end)
			hi = end;
		sum += gauss_legendre(integrand, s, lo, hi, PANEL_NODES);
		if (s->direction > 0 && s->delta >= 0 && hi < end &&
			discounted_at(u, s) * fmin(1 / s->delta, length - u) <= NEGLIGIBLE * sum)
			break;
		lo = hi;
	}
	return sum;
}

double
discounted_integral(Intensity intensity, void *arg, double fastest, double delta, double t)
{
	return discounted_swings(intensity, arg, fastest, INFINITY, 0, delta, t);
}

double
discounted_swings(Intensity intensity, void *arg, double fastest, double period, double settled, double delta, double t)
{
	Stream		s = {intensity, arg, delta, fmax(fastest, fabs(delta)), 0, 1, period, settled};
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
