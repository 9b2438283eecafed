/*
 * mbgcnbd.c - the MBG/CNBD-k model (Reutterer, Platzer and Schroeder 2021): MBG/NBD for customers who buy
 * regularly, at gaps of the sum of k exponential times.
 */
#include "math/bg_likelihood.h"

static void
add_segment(const double *row, const double *end, Likelihood *sum)
{
	bg_add_segment(row, end, row[0] + 1, sum->theta[BG_K], sum);
}

static double
mbgcnbd_log_likelihood(const Rows *rows, const double *theta, double *grad, double *hess, const FitStop *stop)
{
	return bg_phases_log_likelihood(rows, theta, add_segment, grad, hess, stop);
}

static void
mbgcnbd_start(const Rows *rows, double *theta)
{
	bg_start(rows, theta[BG_K], theta);
}

static double
mbgcnbd_mean_rate(const double *theta)
{
	return bg_mean_rate(theta, theta[BG_K]);
}

/* The first purchase was a chance to drop out, too: a new customer may be dead at once. */
static BetaGeometricPhases
posterior(const double *theta, const Customer *c)
{
	return bg_phases_posterior(theta, c, c->x + 1);
}

static double
mbgcnbd_p_alive(const double *theta, const Customer *c, double t)
{
	BetaGeometricPhases g = posterior(theta, c);

	return phases_p_alive(&g, t);
}

static double
mbgcnbd_expected_purchases(const double *theta, const Customer *c, double t)
{
	BetaGeometricPhases g = posterior(theta, c);

	return phases_expected(&g, t);
}

static double
mbgcnbd_silence(const double *theta, const Customer *c, double t)
{
	BetaGeometricPhases g = posterior(theta, c);

	return phases_silence(&g, t);
}

static double
mbgcnbd_purchase_probability(const double *theta, const Customer *c, double n, double t)
{
	BetaGeometricPhases g = posterior(theta, c);

	return phases_probability(&g, n, t);
}

static double
mbgcnbd_discounted_purchases(const double *theta, const Customer *c, double delta, double t)
{
	BetaGeometricPhases g = posterior(theta, c);

	return phases_discounted(&g, delta, t);
}

static void
mbgcnbd_simulate(const double *theta, double t, Random *random, EmitPurchase emit, void *arg)
{
	bg_simulate(theta, theta[BG_K], true, t, random, emit, arg);
}

const ModelKind mbgcnbd_model = {
	.code = 6,
	.kind = "mbgcnbd",
	.title = "MBG/CNBD-k",
	.reads = ROWS_TIMING,
	.nparams = BG_PARAMS + 1,
	.params = bg_params,
	.counts_phases = true,
	.undetermined = bg_phases_undetermined,
	.start = mbgcnbd_start,
	.log_likelihood = mbgcnbd_log_likelihood,
	.ran_off = bg_ran_off,
	.mean_rate = mbgcnbd_mean_rate,
	.mean_dropout = bg_mean_dropout,
	.p_alive = mbgcnbd_p_alive,
	.expected_purchases = mbgcnbd_expected_purchases,
	.silence = mbgcnbd_silence,
	.purchase_probability = mbgcnbd_purchase_probability,
	.discounted_purchases = mbgcnbd_discounted_purchases,
	.simulate = mbgcnbd_simulate,
};
