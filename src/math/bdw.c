/*
 * bdw.c - the beta-discrete-Weibull model of renewals (Fader, Hardie, Liu, Davin and Steenburgh 2018): sBG whose
 * churn of one customer changes with tenure, rising for c > 1 and falling for c < 1.
 *
 * A customer of theta ~ Beta(alpha, beta) renews t times or more with probability (1 - theta)^(t^c), so
 * S(t) = B(alpha, beta + t^c)/B(alpha, beta). A row adds the logarithm of S(t) / S(e), or of (S(t-1) - S(t)) / S(e),
 * which is log S(t-1)/S(e) + log(1 - exp(l)), l = log S(t)/S(t-1). Such ratios are formed from beta at the earlier
 * of both tenures.
 */
#include <math.h>

#include "math/likelihood.h"
#include "math/renewals.h"
#include "math/smooth_sum.h"
#include "math/special.h"

#define NEGLIGIBLE 1e-17
#define LARGE_LOG 600.0
#define SETTLED 1e18			/* relative to its scale squared, where survival is a plain power */

enum
{
	P_ALPHA,
	P_BETA,
	P_C,
	NPARAMS
};

static const char *const params[NPARAMS] = {"alpha", "beta", "c"};

/* t^c and its first two derivatives in c */
typedef struct Age
{
	double		w;
	double		w_c;
	double		w_cc;
} Age;

/* log S(t) / S(s) for s <= t, with derivatives; upper triangle */
typedef struct LogRatio
{
	double		value;
	double		slope[NPARAMS];
	double		bend[NPARAMS][NPARAMS];
} LogRatio;

static Age
age_at(double t, double c)
{
	double		log_t = t > 0 ? log(t) : 0;
	Age			age = {pow(t, c)};

	age.w_c = age.w * log_t;
	age.w_cc = age.w_c * log_t;
	return age;
}

/* t^c - s^c for s <= t, without cancellation */
static double
growth(double s, double t, double c)
{
	return s > 0 ? -pow(t, c) * expm1(c * log(s / t)) : pow(t, c);
}

/* log S(t) / S(s), of log t. Where t^c is too large for a number, survival has long been a power of it. */
static double
log_ratio_beyond(const double *theta, double s, double log_t)
{
	double		alpha = theta[P_ALPHA];
	double		c = theta[P_C];
	double		log_s = s > 0 ? log(s) : -INFINITY;
	double		beyond = fmax(c * log_t - LARGE_LOG, 0);
	double		w;

	if (c * log_s > LARGE_LOG || isinf(beyond))
		return alpha * c * fmin(fmax(log_s, 0) - log_t, 0);
	w = exp(c * log_t - beyond);
	return log_beta_ratio(alpha, theta[P_BETA] + pow(s, c), -w * expm1(fmin(c * (log_s - log_t) + beyond, 0))) -
		   alpha * beyond;
}

static double
log_ratio(const double *theta, double s, double t)
{
	double		more = growth(s, t, theta[P_C]);

	if (!isfinite(more))
		return log_ratio_beyond(theta, s, log(t));
	return log_beta_ratio(theta[P_ALPHA], theta[P_BETA] + pow(s, theta[P_C]), more);
}

/* Add `sign` times the derivatives of log B(alpha, beta + w). */
static void
add_age(LogRatio *ratio, const double *theta, const Age *age, double sign)
{
	double		alpha = theta[P_ALPHA];
	double		b = theta[P_BETA] + age->w;
	double		in_w = -digamma_difference(b, alpha);
	double		in_ww = -trigamma_difference(b, alpha);
	double		in_alpha_w = -trigamma(alpha + b);

	ratio->slope[P_C] += sign * in_w * age->w_c;
	ratio->bend[P_ALPHA][P_C] += sign * in_alpha_w * age->w_c;
	ratio->bend[P_BETA][P_C] += sign * in_ww * age->w_c;
	ratio->bend[P_C][P_C] += sign * (in_ww * age->w_c * age->w_c + in_w * age->w_cc);
}

static LogRatio
log_ratio_slopes(const double *theta, double s, double t)
{
	LogRatio	ratio = {.value = log_ratio(theta, s, t)};
	Age			from = age_at(s, theta[P_C]);
	Age			to = age_at(t, theta[P_C]);
	double		more = growth(s, t, theta[P_C]);
	double		b = theta[P_BETA] + from.w;
	double		a_b = theta[P_ALPHA] + b;
	double		psi = digamma_difference(a_b, more);
	double		psi1 = trigamma_difference(a_b, more);

	ratio.slope[P_ALPHA] = -psi;
	ratio.slope[P_BETA] = digamma_difference(b, more) - psi;
	ratio.bend[P_ALPHA][P_ALPHA] = -psi1;
	ratio.bend[P_ALPHA][P_BETA] = -psi1;
	ratio.bend[P_BETA][P_BETA] = trigamma_difference(b, more) - psi1;
	add_age(&ratio, theta, &to, 1);
	add_age(&ratio, theta, &from, -1);
	return ratio;
}

/* The derivatives of what a row adds; leaving is that of the period he left in, NULL for one who did not. */
static void
add_slopes(const LogRatio *ratio, const LogRatio *leaving, double count, Likelihood *sum)
{
	for (int i = 0; i < NPARAMS; i++)
	{
		sum->gradient[i] += count * ratio->slope[i];
		for (int j = i; j < NPARAMS; j++)
			sum->hessian[i][j] += count * ratio->bend[i][j];
	}
	if (leaving == NULL)
		return;

	/* of log(1 - exp(l)): -k in l, and -k (1 + k) twice */
	double		k = 1 / expm1(-leaving->value);

	for (int i = 0; i < NPARAMS; i++)
	{
		sum->gradient[i] -= count * k * leaving->slope[i];
		for (int j = i; j < NPARAMS; j++)
			sum->hessian[i][j] -= count * k *
								  (leaving->bend[i][j] + (1 + k) * leaving->slope[i] * leaving->slope[j]);
	}
}

static void
add_segment(const double *row, const double *end, Likelihood *sum)
{
	const double *theta = sum->theta;

	for (; row < end; row += 4)
	{
		bool		churned = row[2] != 0;
		double		renewed = row[1] - row[2];
		double		count = row[3];

		sum->value += count * log_ratio(theta, row[0], renewed);
		if (churned)
			sum->value += count * log(-expm1(log_ratio(theta, renewed, row[1])));
		if (sum->wants_gradient || sum->wants_hessian)
		{
			LogRatio	ratio = log_ratio_slopes(theta, row[0], renewed);
			LogRatio	leaving = {0};

			if (churned)
				leaving = log_ratio_slopes(theta, renewed, row[1]);
			add_slopes(&ratio, churned ? &leaving : NULL, count, sum);
		}
	}
}

static double
bdw_log_likelihood(const Rows *rows, const double *theta, double *grad, double *hess, const FitStop *stop)
{
	return sum_segments(rows, theta, NPARAMS, add_segment, grad, hess, stop);
}

static bool
bdw_undetermined(const Rows *rows, const char **reason, const char **hint)
{
	return renewals_undetermined(rows, 3, reason, hint);
}

static void
bdw_start(const Rows *rows, double *theta)
{
	sbg_model.start(rows, theta);
	theta[P_C] = 1;
}

static void
bdw_ran_off(const double *theta, const char **reason, const char **hint)
{
	*hint = "Fit a longer history, or a larger group of customers; or fit the sBG model.";
	if (theta[P_C] < 0.01)
		*reason = "c runs off to zero: nobody leaves after the first renewal";
	else if (theta[P_C] > 100)
		*reason = "c runs off to infinity: all customers leave at the same renewal";
	else
		renewals_ran_off(theta[P_ALPHA], theta[P_BETA], reason, hint);
}

static double
bdw_log_survival(const double *theta, double t)
{
	return isinf(t) ? -INFINITY : log_ratio(theta, 0, t);
}

/* ---- expected lifetime ----------------------------------------------------------------------- */

/* log S(u + shift) / S(from) */
typedef struct Survival
{
	const double *theta;
	double		from;
	double		shift;
} Survival;

static double
log_survival_since(double log_u, const void *arg)
{
	const Survival *s = arg;

	return log_ratio_beyond(s->theta, s->from, s->shift > 0 ? log(exp(log_u) + s->shift) : log_u);
}

/*
 * Sum over t = first, first + 1, ... of S(t) / S(from) exp(-delta (t - first)). Its terms are added until they
 * change slowly, the rest is an integral: if discounted, over the time since shortly before, as exp(delta t) may be
 * beyond all numbers. The bound on how quickly they fall holds for c > 1 as well: log S(u) falls by less than
 * alpha c / u and less than c u^(c-1) alpha / beta.
 */
static double
payments(const double *theta, double from, double first, double delta)
{
	double		alpha = theta[P_ALPHA];
	double		c = theta[P_C];
	double		log_scale = log(SETTLED) + log(alpha + 1) + log(alpha + theta[P_BETA] + 1);
	double		sum = 0;
	double		t = first;

	for (;; t++)
	{
		double		log_w = c * log(t);
		double		stretch = log_w > log_scale ? 1 : fmax(c, 1);
		double		slope = alpha * c / t / (1 + theta[P_BETA] * exp(-log_w));
		double		term = exp(log_ratio(theta, from, t) - delta * (t - first));

		/* for c <= 1 the slope itself falls, and of an absurd alpha is far below its bound */
		if (c <= 1 && t >= SMOOTH_FIRST)
			slope = fmin(slope, c * exp(log_w) / t * digamma_difference(theta[P_BETA] + exp(log_w), alpha));
		if (t >= SMOOTH_FIRST * stretch && slope + delta <= SMOOTH_SLOPE)
		{
			Survival	survival = {theta, from, delta > 0 ? t - SMOOTH_FIRST * stretch : 0};
			SmoothTerm	rest = {
				.log_value = log_survival_since,
				.arg = &survival,
				.delta = delta,
				.stretch = stretch,
				.fastest = slope,
				.excess = delta > 0 ? 0 : fma(alpha, c, -1),
				.settled = (log_scale + log_w) / c,
			};

			return sum + exp(-delta * (survival.shift - first)) * smooth_sum(&rest, t - survival.shift, INFINITY);
		}
		sum += term;
		if (!(term > NEGLIGIBLE * sum * fmax(delta, NEGLIGIBLE)))
			return sum;
	}
}

static double
bdw_expected_lifetime(const double *theta, double rate, double tenure)
{
	double		delta = log1p(rate);

	if (delta == 0 && fma(theta[P_ALPHA], theta[P_C], -1) <= 0)
		return INFINITY;
	return tenure == 0 ? 1 + payments(theta, 0, 1, delta) * exp(-delta) : payments(theta, tenure - 1, tenure, delta);
}

/* ---- simulation ------------------------------------------------------------------------------ */

static void
bdw_simulate(const double *theta, double t, Random *random, EmitPurchase emit, void *arg)
{
	double		log_stays = log1p(-random_beta(random, theta[P_ALPHA], theta[P_BETA]));

	for (double i = 1; i <= t; i++)
		if (random_uniform(random) > exp(log_stays * growth(i - 1, i, theta[P_C])) || !emit(i, arg))
			return;
}

const ModelKind bdw_model = {
	.code = 9,
	.kind = "bdw",
	.title = "BdW",
	.reads = ROWS_RENEWALS,
	.nparams = NPARAMS,
	.params = params,
	.nests = &sbg_model,
	.undetermined = bdw_undetermined,
	.start = bdw_start,
	.log_likelihood = bdw_log_likelihood,
	.ran_off = bdw_ran_off,
	.mean_dropout = renewals_mean_dropout,
	.log_survival = bdw_log_survival,
	.expected_lifetime = bdw_expected_lifetime,
	.simulate = bdw_simulate,
};
