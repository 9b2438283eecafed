/*
 * beta_geometric_phases.h - predictions for a regular customer: every k-th event of a Poisson process is a purchase
 * (docs/mathematics.md, section 2).
 */
#ifndef CLV_MATH_BETA_GEOMETRIC_PHASES_H
#define CLV_MATH_BETA_GEOMETRIC_PHASES_H

#include "math/beta_geometric.h"

/*
 * Given alive, j = 0 .. k - 1 events have passed since the last purchase with a probability proportional to
 * (R)_j / j! silent^j, and then lambda, the rate of events, ~ Gamma(R + j, A). at_once is the case of j = 0 alone; its
 * log_dead_odds are those of all phases together.
 */
typedef struct BetaGeometricPhases
{
	BetaGeometric at_once;
	double		k;				/* a whole number >= 1; made for some dozens at most */
	double		silent;			/* time since the last purchase / A, in [0, 1) */
	double		log_phases;		/* log of the sum of (R)_j / j! silent^j over j < k */
} BetaGeometricPhases;

/* That logarithm. */
extern double log_phases(double R, double silent, double k);

/* As their namesakes in beta_geometric.h, to a relative error below 1e-10; the same values for k = 1. */
extern double phases_p_alive(const BetaGeometricPhases *g, double t);
extern double phases_expected(const BetaGeometricPhases *g, double t);
extern double phases_silence(const BetaGeometricPhases *g, double t);
extern double phases_probability(const BetaGeometricPhases *g, double n, double t);
extern double phases_discounted(const BetaGeometricPhases *g, double delta, double t);

#endif
