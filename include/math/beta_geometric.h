/*
 * beta_geometric.h - the posterior of a customer who buys at a gamma rate and drops out at a beta
 * probability after each purchase: what BG/NBD and MBG/NBD share (docs/mathematics.md).
 */
#ifndef CLV_MATH_BETA_GEOMETRIC_H
#define CLV_MATH_BETA_GEOMETRIC_H

#include <math.h>

#include "math/model_kind.h"

/*
 * Given alive: lambda ~ Gamma(R, A), p ~ Beta(a, b). log_dead_odds is log q = log(P(dead) / P(alive)),
 * -INFINITY where the customer is certainly alive.
 */
typedef struct BetaGeometric
{
	double		R;
	double		A;
	double		a;
	double		b;
	double		log_dead_odds;
} BetaGeometric;

static inline double
alive_now(const BetaGeometric *g)
{
	return 1 / (1 + exp(g->log_dead_odds));
}

static inline double
dead_now(const BetaGeometric *g)
{
	return 1 / (1 + exp(-g->log_dead_odds));
}

/*
 * In all of these t >= 0 is a length of time from today, in the model's unit, and may be INFINITY.
 * Relative error below 1e-11 for a up to 2000 (quadrature references in test/reference).
 */

/* Probability of being alive at t. 0 for t = INFINITY. Section 4. */
extern double beta_geometric_p_alive(const BetaGeometric *g, double t);

/* Expected purchases until t. INFINITY for t = INFINITY and a <= 1. Section 3. */
extern double beta_geometric_expected(const BetaGeometric *g, double t);

/* Probability of no purchase until t: dead already, or alive and silent. Section 4. */
extern double beta_geometric_silence(const BetaGeometric *g, double t);

/* Probability of exactly n = 0, 1, 2, ... purchases until t. Section 5. */
extern double beta_geometric_probability(const BetaGeometric *g, double n, double t);

/*
 * Expected purchases until t, one at time u counting exp(-delta u); delta = 0 is
 * beta_geometric_expected(). INFINITY where the value overflows, as with delta < 0 and no end.
 * Section 7.
 */
extern double beta_geometric_discounted(const BetaGeometric *g, double delta, double t);

#endif
