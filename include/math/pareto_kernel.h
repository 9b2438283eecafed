/*
 * pareto_kernel.h - the integrals of the Pareto/NBD model: over the time at which a customer may have
 * dropped out (docs/mathematics.md).
 */
#ifndef CLV_MATH_PARETO_KERNEL_H
#define CLV_MATH_PARETO_KERNEL_H

/*
 * Purchases at a rate of gamma(R, alpha + t) and dropout at a rate of gamma(s, beta + t), given alive at t. With
 *   k(u) = (alpha + u)^-R (beta + u)^-(s + 1),   K(t) = (alpha + t)^-R (beta + t)^-s
 * s k(u) / K(t) is the density at u of dropping out with no purchase since t. All four are positive.
 */
typedef struct ParetoKernel
{
	double		R;
	double		s;
	double		alpha;
	double		beta;
} ParetoKernel;

/*
 * Integral of s k(u) / K(t) over t <= u <= t + h: the probability to drop out within h of t >= 0 without a
 * purchase, given alive at t. h may be INFINITY. Relative error below 1e-13.
 */
extern double pareto_dropout(const ParetoKernel *kernel, double t, double h);

#define PARETO_FIRST 4
#define PARETO_SECOND 10

/*
 * Integrals from t on of k(u) / K(t) times 1, z_i and z_i z_j (upper triangle, row by row), where z are the
 * distances of u from t that all derivatives are made of:
 *   log (alpha + u)/(alpha + t), log (beta + u)/(beta + t), 1/(alpha + t) - 1/(alpha + u), 1/(beta + t) - 1/(beta + u)
 */
typedef struct ParetoSums
{
	double		zero;
	double		first[PARETO_FIRST];
	double		second[PARETO_SECOND];
} ParetoSums;

/* The distances z of t + h from t. */
extern void pareto_distances(const ParetoKernel *kernel, double t, double h, double *z);

/* Move the start of *sums from `from` back to the earlier `to`, adding what lies between. */
extern void pareto_extend(const ParetoKernel *kernel, double from, double to, ParetoSums *sums);

/*
 * Probability of exactly n >= 1 purchases in the time t > 0 after time 0 at which the customer is alive; t may
 * be INFINITY.
 */
extern double pareto_count(const ParetoKernel *kernel, double n, double t);

#endif
