/*
 * bg_likelihood.h - what BG/NBD, MBG/NBD and their variants for regular buyers share: parameters, likelihood,
 * simulation (docs/mathematics.md, section 1).
 *
 * They differ in two numbers: k, the events of a Poisson process of which every k-th is a purchase (1 in the NBD
 * models), and how often a customer of x repeat purchases could have left before the last of them or at it:
 * `chances` is x where a first purchase is never the last, x + 1 where it may be.
 */
#ifndef CLV_MATH_BG_LIKELIHOOD_H
#define CLV_MATH_BG_LIKELIHOOD_H

#include "math/beta_geometric_phases.h"
#include "math/likelihood.h"

/* theta; the models without k have the first BG_PARAMS */
enum
{
	BG_R,
	BG_ALPHA,
	BG_A,
	BG_B,
	BG_PARAMS,
	BG_K = BG_PARAMS
};

extern const char *const bg_params[BG_PARAMS + 1];

/* An AddSegment of likelihood.h but for k and chances; without the constants of bg_phases_log_likelihood(). */
extern void bg_add_segment(const double *row, const double *end, double chances, double k, Likelihood *sum);

/* sum_segments() of theta with k, with the constants that make values comparable between different k. */
extern double bg_phases_log_likelihood(const Rows *rows, const double *theta, AddSegment add, double *grad,
									   double *hess, const FitStop *stop);

/* As in ModelKind; bg_start() sets the first BG_PARAMS, and the models with phases need the gaps as well. */
extern bool bg_phases_undetermined(const Rows *rows, const char **reason, const char **hint);
extern void bg_start(const Rows *rows, double k, double *theta);
extern void bg_ran_off(const double *theta, const char **reason, const char **hint);
extern double bg_mean_rate(const double *theta, double k);
extern double bg_mean_dropout(const double *theta);

/* As in ModelKind; leaves_at_once: a customer may leave after the first purchase. */
extern void bg_simulate(const double *theta, double k, bool leaves_at_once, double t, Random *random,
						EmitPurchase emit, void *arg);

/* The customer at t_cal, in a model without and in one with phases. */
extern BetaGeometric bg_posterior(const double *theta, const Customer *c, double chances);
extern BetaGeometricPhases bg_phases_posterior(const double *theta, const Customer *c, double chances);

#endif
