/*
 * discount.h - present value of a stream of purchases.
 */
#ifndef CLV_MATH_DISCOUNT_H
#define CLV_MATH_DISCOUNT_H

/* intensity(u, arg): expected purchases per unit of time at time u; positive, never increasing. */
typedef double (*Intensity) (double u, void *arg);

/*
 * Integral of exp(-delta u) intensity(u) over 0 <= u <= t (docs/mathematics.md, section 3). fastest bounds how
 * quickly the intensity falls, as a rate per unit of time: its features are spread over the
 * logarithm of 1 + fastest * u. t may be INFINITY if delta > 0; for delta < 0 it must be finite.
 * INFINITY where the value overflows, NAN where fastest * t does.
 */
extern double discounted_integral(Intensity intensity, void *arg, double fastest, double delta,
								  double t);

/* The same for an intensity that rises at first and swings with no shorter a period than this until it has settled. */
extern double discounted_swings(Intensity intensity, void *arg, double fastest, double period, double settled,
								double delta, double t);

#endif
