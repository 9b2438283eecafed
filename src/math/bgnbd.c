/*
 * bgnbd.c - the BG/NBD model (Fader, Hardie and Lee 2005): purchases at a gamma-distributed rate,
 * and after each repeat purchase a beta-distributed probability of dropping out.
 */
#include "math/bg_likelihood.h"
#include "math/timing_rows.h"

static void
add_segment(const double *row, const double *end, Likelihood *sum)
{
	bg_add_segment(row, end, row[0], 1, sum);
}

static double
bgnbd_log_likelihood(const Rows *rows, const double *theta, double *grad, double *hess, const FitStop *stop)
{
	return sum_segments(rows, theta, BG_PARAMS, add_segment, grad, hess, stop);
}

static void
bgnbd_start(const Rows *rows, double *theta)
{
	bg_start(rows, 1, theta);
}

static double
bgnbd_mean_rate(const double *theta)
{
	return bg_mean_rate(theta, 1);
}

/* Without a repeat purchase there was no chance to drop out. */
static BetaGeometric
posterior(const double *theta, const Customer *c)
{
	return bg_posterior(theta, c, c->x);
}

static double
bgnbd_p_alive(const double *theta, const Customer *c, double t)
{
	BetaGeometric g = posterior(theta, c);

	return beta_geometric_p_alive(&g, t);
}

static double
bgnbd_expected_purchases(const double *theta, const Customer *c, double t)
{
	BetaGeometric g = posterior(theta, c);

	return beta_geometric_expected(&g, t);
}

static double
bgnbd_silence(const double *theta, const Customer *c, double t)
{
	BetaGeometric g = posterior(theta, c);

	return beta_geometric_silence(&g, t);
}

static double
bgnbd_purchase_probability(const double *theta, const Customer *c, double n, double t)
{
	BetaGeometric g = posterior(theta, c);

	return beta_geometric_probability(&g, n, t);
}

static double
bgnbd_discounted_purchases(const double *theta, const Customer *c, double delta, double t)
{
	BetaGeometric g = posterior(theta, c);

	return beta_geometric_discounted(&g, delta, t);
}

static void
bgnbd_simulate(const double *theta, double t, Random *random, EmitPurchase emit, void *arg)
{
	bg_simulate(theta, 1, false, t, random, emit, arg);
}

const ModelKind bgnbd_model = {
	.code = 1,
	.kind = "bgnbd",
	.title = "BG/NBD",
	.reads = ROWS_TIMING,
	.nparams = BG_PARAMS,
	.params = bg_params,
	.covariates = COVARIATES_DROPOUT_ODDS,
	.undetermined = timing_undetermined,
	.start = bgnbd_start,
	.log_likelihood = bgnbd_log_likelihood,
	.ran_off = bg_ran_off,
	.mean_rate = bgnbd_mean_rate,
	.mean_dropout = bg_mean_dropout,
	.begins_alive = true,
	.p_alive = bgnbd_p_alive,
	.expected_purchases = bgnbd_expected_purchases,
	.silence = bgnbd_silence,
	.purchase_probability = bgnbd_purchase_probability,
	.discounted_purchases = bgnbd_discounted_purchases,
	.simulate = bgnbd_simulate,
};
