/*
 * bgcnbd.c - the BG/CNBD-k model (Reutterer, Platzer and Schroeder 2021): BG/NBD for customers who buy
 * regularly, at gaps of the sum of k exponential times.
 */
#include "math/bg_likelihood.h"

static void
add_segment(const double *row, const double *end, Likelihood *sum)
{
	bg_add_segment(row, end, row[0], sum->theta[BG_K], sum);
}

static double
bgcnbd_log_likelihood(const Rows *rows, const double *theta, double *grad, double *hess, const FitStop *stop)
{
	return bg_phases_log_likelihood(rows, theta, add_segment, grad, hess, stop);
}

static void
bgcnbd_start(const Rows *rows, double *theta)
{
	bg_start(rows, theta[BG_K], theta);
}

static double
bgcnbd_mean_rate(const double *theta)
{
	return bg_mean_rate(theta, theta[BG_K]);
}

/* Without a repeat purchase there was no chance to drop out. */
static BetaGeometricPhases
posterior(const double *theta, const Customer *c)
{
	return bg_phases_posterior(theta, c, c->x);
}

static double
bgcnbd_p_alive(const double *theta, const Customer *c, double t)
{
	BetaGeometricPhases g = posterior(theta, c);

	return phases_p_alive(&g, t);
}

static double
bgcnbd_expected_purchases(const double *theta, const Customer *c, double t)
{
	BetaGeometricPhases g = posterior(theta, c);

	return phases_expected(&g, t);
}

static double
bgcnbd_silence(const double *theta, const Customer *c, double t)
{
	BetaGeometricPhases g = posterior(theta, c);

	return phases_silence(&g, t);
}

static double
bgcnbd_purchase_probability(const double *theta, const Customer *c, double n, double t)
{
	BetaGeometricPhases g = posterior(theta, c);

	return phases_probability(&g, n, t);
}

static double
bgcnbd_discounted_purchases(const double *theta, const Customer *c, double delta, double t)
{
	BetaGeometricPhases g = posterior(theta, c);

	return phases_discounted(&g, delta, t);
}

static void
bgcnbd_simulate(const double *theta, double t, Random *random, EmitPurchase emit, void *arg)
{
	bg_simulate(theta, theta[BG_K], false, t, random, emit, arg);
}

const ModelKind bgcnbd_model = {
	.code = 5,
	.kind = "bgcnbd",
	.title = "BG/CNBD-k",
	.reads = ROWS_TIMING,
	.nparams = BG_PARAMS + 1,
	.params = bg_params,
	.counts_phases = true,
	.undetermined = bg_phases_undetermined,
	.start = bgcnbd_start,
	.log_likelihood = bgcnbd_log_likelihood,
	.ran_off = bg_ran_off,
	.mean_rate = bgcnbd_mean_rate,
	.mean_dropout = bg_mean_dropout,
	.begins_alive = true,
	.p_alive = bgcnbd_p_alive,
	.expected_purchases = bgcnbd_expected_purchases,
	.silence = bgcnbd_silence,
	.purchase_probability = bgcnbd_purchase_probability,
	.discounted_purchases = bgcnbd_discounted_purchases,
	.simulate = bgcnbd_simulate,
};
