/*
 * mbgnbd.c - the MBG/NBD model (Batislam, Denizel and Filiztekin 2007): purchases at a gamma-distributed rate,
 * and after each purchase, the first included, a beta-distributed probability of dropping out.
 */
#include "math/bg_likelihood.h"
#include "math/timing_rows.h"

static void
add_segment(const double *row, const double *end, Likelihood *sum)
{
	bg_add_segment(row, end, row[0] + 1, 1, sum);
}

static double
mbgnbd_log_likelihood(const Rows *rows, const double *theta, double *grad, double *hess, const FitStop *stop)
{
	return sum_segments(rows, theta, BG_PARAMS, add_segment, grad, hess, stop);
}

static void
mbgnbd_start(const Rows *rows, double *theta)
{
	bg_start(rows, 1, theta);
}

static double
mbgnbd_mean_rate(const double *theta)
{
	return bg_mean_rate(theta, 1);
}

/* The first purchase was a chance to drop out, too: a new customer may be dead at once. */
static BetaGeometric
posterior(const double *theta, const Customer *c)
{
	return bg_posterior(theta, c, c->x + 1);
}

static double
mbgnbd_p_alive(const double *theta, const Customer *c, double t)
{
	BetaGeometric g = posterior(theta, c);

	return beta_geometric_p_alive(&g, t);
}

static double
mbgnbd_expected_purchases(const double *theta, const Customer *c, double t)
{
	BetaGeometric g = posterior(theta, c);

	return beta_geometric_expected(&g, t);
}

static double
mbgnbd_silence(const double *theta, const Customer *c, double t)
{
	BetaGeometric g = posterior(theta, c);

	return beta_geometric_silence(&g, t);
}

static double
mbgnbd_purchase_probability(const double *theta, const Customer *c, double n, double t)
{
	BetaGeometric g = posterior(theta, c);

	return beta_geometric_probability(&g, n, t);
}

static double
mbgnbd_discounted_purchases(const double *theta, const Customer *c, double delta, double t)
{
	BetaGeometric g = posterior(theta, c);

	return beta_geometric_discounted(&g, delta, t);
}

static void
mbgnbd_simulate(const double *theta, double t, Random *random, EmitPurchase emit, void *arg)
{
	bg_simulate(theta, 1, true, t, random, emit, arg);
}

const ModelKind mbgnbd_model = {
	.code = 4,
	.kind = "mbgnbd",
	.title = "MBG/NBD",
	.reads = ROWS_TIMING,
	.nparams = BG_PARAMS,
	.params = bg_params,
	.covariates = COVARIATES_DROPOUT_ODDS,
	.undetermined = timing_undetermined,
	.start = mbgnbd_start,
	.log_likelihood = mbgnbd_log_likelihood,
	.ran_off = bg_ran_off,
	.mean_rate = mbgnbd_mean_rate,
	.mean_dropout = bg_mean_dropout,
	.p_alive = mbgnbd_p_alive,
	.expected_purchases = mbgnbd_expected_purchases,
	.silence = mbgnbd_silence,
	.purchase_probability = mbgnbd_purchase_probability,
	.discounted_purchases = mbgnbd_discounted_purchases,
	.simulate = mbgnbd_simulate,
};
