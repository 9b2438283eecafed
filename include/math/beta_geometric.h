/*
 * beta_geometric.h - the posterior of a customer who buys at a gamma rate and drops out at a beta
 * probability after each purchase: what BG/NBD and MBG/NBD share (FORMULAS sections 1, 3, 4, 5, 7).
 */
#ifndef CLV_MATH_BETA_GEOMETRIC_H
#define CLV_MATH_BETA_GEOMETRIC_H

#include "math/btyd_model.h"

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

extern double beta_geometric_p_alive(const BetaGeometric *g, double t);
extern double beta_geometric_expected(const BetaGeometric *g, double t);
extern double beta_geometric_silence(const BetaGeometric *g, double t);
extern double beta_geometric_probability(const BetaGeometric *g, double n, double t);
extern double beta_geometric_discounted(const BetaGeometric *g, double delta, double t);

#endif
