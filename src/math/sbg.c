/*
 * sbg.c - the shifted beta-geometric model of renewals (Fader and Hardie 2007): at each renewal a customer leaves
 * with probability theta ~ Beta(alpha, beta).
 *
 * S(t) = B(alpha, beta+t)/B(alpha, beta) are customers after t renewals. Who was one for e renewals when observation
 * began adds the logarithm of S(t) / S(e) if still a customer after t, that of P(t) / S(e), P(t) = S(t-1) - S(t), if
 * he left in period t. Division by S(e) replaces beta by beta + e: left truncation needs no formula of its own.
 */
#include <math.h>

#include "math/likelihood.h"
#include "math/renewals.h"
#include "math/smooth_sum.h"
#include "math/special.h"

enum
{
	P_ALPHA,
	P_BETA,
	NPARAMS
};

static const char *const params[NPARAMS] = {"alpha", "beta"};

static void
add_segment(const double *row, const double *end, Likelihood *sum)
{
	double		alpha = sum->theta[P_ALPHA];
	double		beta = sum->theta[P_BETA] + row[0];

	for (; row < end; row += 4)
	{
		double		churned = row[2];
		double		renewed = row[1] - row[0] - churned;
		double		count = row[3];
		double		at_end = alpha + beta + renewed;

		sum->value += count * (log_beta_ratio(alpha, beta, renewed) + (churned ? log(alpha) - log(at_end) : 0));
		if (sum->wants_gradient)
		{
			double		psi = digamma_difference(alpha + beta, renewed);

			sum->gradient[P_ALPHA] += count * (churned * (1 / alpha - 1 / at_end) - psi);
			sum->gradient[P_BETA] += count * (digamma_difference(beta, renewed) - psi - churned / at_end);
		}
		if (sum->wants_hessian)
		{
			double		inv = churned / at_end / at_end;
			double		psi1 = trigamma_difference(alpha + beta, renewed);

			sum->hessian[P_ALPHA][P_ALPHA] += count * (inv - churned / alpha / alpha - psi1);
			sum->hessian[P_ALPHA][P_BETA] += count * (inv - psi1);
			sum->hessian[P_BETA][P_BETA] += count * (inv + trigamma_difference(beta, renewed) - psi1);
		}
	}
}

static double
sbg_log_likelihood(const Rows *rows, const double *theta, double *grad, double *hess, const FitStop *stop)
{
	return sum_segments(rows, theta, NPARAMS, add_segment, grad, hess, stop);
}

static bool
sbg_undetermined(const Rows *rows, const char **reason, const char **hint)
{
	return renewals_undetermined(rows, 2, reason, hint);
}

static void
sbg_start(const Rows *rows, double *theta)
{
	double		churn = renewals_churn(rows);

	theta[P_ALPHA] = 1;
	theta[P_BETA] = (1 - churn) / churn;
}

static void
sbg_ran_off(const double *theta, const char **reason, const char **hint)
{
	renewals_ran_off(theta[P_ALPHA], theta[P_BETA], reason, hint);
}

static double
sbg_log_survival(const double *theta, double t)
{
	return isinf(t) ? -INFINITY : log_beta_ratio(theta[P_ALPHA], theta[P_BETA], t);
}

/* Who has paid for n periods has renewed n - 1 times: Beta(alpha, beta + n - 1), and the first payment is uncertain. */
static double
sbg_expected_lifetime(const double *theta, double rate, double tenure)
{
	double		delta = log1p(rate);

	if (tenure == 0)
		return 1 + discounted_periods(theta[P_ALPHA], theta[P_BETA], delta, INFINITY);
	return (1 + rate) * discounted_periods(theta[P_ALPHA], theta[P_BETA] + (tenure - 1), delta, INFINITY);
}

static void
sbg_simulate(const double *theta, double t, Random *random, EmitPurchase emit, void *arg)
{
	double		leaves = random_beta(random, theta[P_ALPHA], theta[P_BETA]);

	for (double i = 1; i <= t; i++)
		if (random_uniform(random) < leaves || !emit(i, arg))
			return;
}

const ModelKind sbg_model = {
	.code = 8,
	.kind = "sbg",
	.title = "sBG",
	.reads = ROWS_RENEWALS,
	.nparams = NPARAMS,
	.params = params,
	.undetermined = sbg_undetermined,
	.start = sbg_start,
	.log_likelihood = sbg_log_likelihood,
	.ran_off = sbg_ran_off,
	.mean_dropout = renewals_mean_dropout,
	.log_survival = sbg_log_survival,
	.expected_lifetime = sbg_expected_lifetime,
	.simulate = sbg_simulate,
};
