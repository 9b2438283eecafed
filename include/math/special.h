/*
 * special.h - special functions in forms that neither cancel nor overflow.
 */
#ifndef CLV_MATH_SPECIAL_H
#define CLV_MATH_SPECIAL_H

/* log(Gamma(b + d) / Gamma(b)) for b > 0, d >= 0, exact where b or d is large (docs/mathematics.md). */
extern double log_gamma_ratio(double b, double d);

/* log(B(a, b + n) / B(a, b)) for n >= 0: exact as b grows without bound (docs/mathematics.md). */
extern double log_beta_ratio(double a, double b, double n);

/* digamma(b + d) - digamma(b) and trigamma(b + d) - trigamma(b), without cancellation. */
extern double digamma_difference(double b, double d);
extern double trigamma_difference(double b, double d);

/* trigamma of x > 0; NAN where GSL fails. */
extern double trigamma(double x);

/* -expm1(-v) / v, and 1 at v = 0. */
extern double phi(double v);

/*
 * P(N = n) for n >= 0 and P(N >= n) for n >= 1, N negative binomial of shape R > 0 and mean R z,
 * z > 0: the purchases in a time z A at a rate ~ Gamma(R, A). 0 where they underflow.
 */
extern double negative_binomial(double n, double R, double z);
extern double negative_binomial_tail(double n, double R, double z);

/* A probability that rounding may have taken above 1. NAN stays: of fmin(1, p) it would become certainty. */
static inline double
at_most_1(double p)
{
	return p > 1 ? 1 : p;
}

/* Quantile of the standard normal distribution. */
extern double normal_quantile(double p);

/* Integral of f over [lo, hi] by the n-point Gauss-Legendre rule; n is 16, 32 or 64. */
extern double gauss_legendre(double (*f) (double u, void *arg), void *arg, double lo, double hi, int n);

#endif
