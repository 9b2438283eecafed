/*
 * smooth_sum.h - long sums over whole numbers of a smooth function: an integral with Gregory's corrections
 * at its ends (docs/mathematics.md).
 */
#ifndef CLV_MATH_SMOOTH_SUM_H
#define CLV_MATH_SMOOTH_SUM_H

/*
 * f(u) exp(-delta u) for real u >= first > 0, f positive, analytic, and in the end a power of u. What it
 * does is smooth on the scale of u / stretch: it turns in the complex plane at angles above pi / stretch.
 */
typedef struct SmoothTerm
{
	double		(*log_value) (double log_u, const void *arg);	/* log f(u) */
	const void *arg;
	double		delta;
	double		stretch;		/* at least 1 */
	double		fastest;		/* bounds |d log f / du| at first; with |delta| SMOOTH_SLOPE at most */
	double		excess;			/* f(u) falls like u^-(1 + excess), */
	double		settled;		/* to the last digit from this log u on */
} SmoothTerm;

/* A sum may begin where its term changes no faster than this, */
#define SMOOTH_SLOPE 0.1

/* and at this many stretches from where f is not analytic. */
#define SMOOTH_FIRST 100.0

/*
 * Sum over j = first, first + 1, ... last of the term; last may be INFINITY, and is at least 20 steps away.
 * INFINITY where the sum is infinite or overflows. Relative error below 1e-12.
 */
extern double smooth_sum(const SmoothTerm *term, double first, double last);

/*
 * Sum over j = 1 .. m of E (1 - p)^j exp(-delta j), p ~ Beta(a, b): whole periods survived of m at most, where
 * each ends it with probability p, which differs between customers. m is whole, or INFINITY; the value then is
 * INFINITY for delta < 0, and for delta = 0 unless a > 1.
 */
extern double discounted_periods(double a, double b, double delta, double m);

#endif
