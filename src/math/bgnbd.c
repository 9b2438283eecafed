/*
 * bgnbd.c - the BG/NBD model (Fader, Hardie and Lee 2005): purchases at a gamma-distributed rate,
 * and after each repeat purchase a beta-distributed probability of dropping out.
 *
 * With R = r + x, A = alpha + T and q the odds of being dead (0 for x = 0), one customer adds
 *   log Gamma(R)/Gamma(r) - r log(1 + T/alpha) - x log A + log B(a, b+x)/B(a, b) + log(1 + q),
 *   log q = log a - log(b + (x - 1)) + R log(1 + (T - t_x) / (alpha + t_x)).
 * Everything that depends on x alone is computed once per segment of rows with equal x.
 */
#include <math.h>

#include "math/beta_geometric.h"
#include "math/likelihood.h"
#include "math/special.h"

#define LOG_ODDS_MAX 700.0		/* beyond, the odds overflow, and log(1 + q) is log q */
#define LIMIT 1e3				/* a parameter that ran off is beyond, see bgnbd_ran_off() */

enum
{
	P_R,
	P_ALPHA,
	P_A,
	P_B,
	NPARAMS
};

static const char *const params[NPARAMS] = {"r", "alpha", "a", "b"};

/*
 * Sums over the customers of a segment. pi = q / (1 + q) = P(dead), v = pi (1 - pi), l = log q's
 * slope in r, R u its slope in alpha, share = T / A. The terms in 1/alpha - 1/A are kept as share /
 * alpha, so that nothing cancels when r and alpha run off together.
 */
typedef struct SegmentSums
{
	double		n;
	double		log_age;		/* log(1 + T / alpha) */
	double		share;
	double		inv_age;		/* 1 / A */
	double		share_inv_age;
	double		log_odds;		/* log(1 + q) */
	double		pi;
	double		pi_l;
	double		pi_u;
	double		pi_du;			/* derivative of u in alpha */
	double		v;
	double		v_l;
	double		v_u;
	double		v_ll;
	double		v_lu;
	double		v_uu;
} SegmentSums;

static void
sum_without_repeat(const double *row, const double *end, const double *theta, SegmentSums *sums)
{
	double		alpha = theta[P_ALPHA];
	double		inv_alpha = 1 / alpha;

	for (; row < end; row += 4)
	{
		double		t_cal = row[2];
		double		count = row[3];
		double		inv_age = 1 / (alpha + t_cal);
		double		share = t_cal * inv_age;

		sums->n += count;
		sums->log_age += count * log1p(t_cal * inv_alpha);
		sums->share += count * share;
		sums->inv_age += count * inv_age;
		sums->share_inv_age += count * share * inv_age;
	}
}

static void
sum_with_repeats(const double *row, const double *end, const double *theta, SegmentSums *sums)
{
	double		alpha = theta[P_ALPHA];
	double		R = theta[P_R] + row[0];
	double		log_scale = log(theta[P_A]) - log(theta[P_B] + (row[0] - 1));
	double		last_t_x = NAN;
	double		log_last = 0;	/* log(1 + t_x / alpha) */
	double		inv_last = 0;	/* 1 / (alpha + t_x) */

	for (; row < end; row += 4)
	{
		double		t_x = row[1];
		double		t_cal = row[2];
		double		count = row[3];
		double		silent = t_cal - t_x;
		double		inv_age = 1 / (alpha + t_cal);
		double		share = t_cal * inv_age;

		/* sorted rows repeat t_x before they repeat T */
		if (t_x != last_t_x)
		{
			last_t_x = t_x;
			log_last = log1p(t_x / alpha);
			inv_last = 1 / (alpha + t_x);
		}

		double		l = log1p(silent * inv_last);
		double		u = -silent * inv_last * inv_age;
		double		log_q = log_scale + R * l;
		double		pi = 1;

		if (log_q < LOG_ODDS_MAX)
		{
			double		q = exp(log_q);

			sums->log_odds += count * log(1 + q);
			pi = q / (1 + q);
		}
		else
			sums->log_odds += count * log_q;

		double		count_pi = count * pi;
		double		v = count_pi * (1 - pi);

		sums->n += count;
		sums->log_age += count * (log_last + l);
		sums->share += count * share;
		sums->inv_age += count * inv_age;
		sums->share_inv_age += count * share * inv_age;
		sums->pi += count_pi;
		sums->pi_l += count_pi * l;
		sums->pi_u += count_pi * u;
		sums->pi_du -= count_pi * u * (inv_last + inv_age);
		sums->v += v;
		sums->v_l += v * l;
		sums->v_u += v * u;
		sums->v_ll += v * l * l;
		sums->v_lu += v * l * u;
		sums->v_uu += v * u * u;
	}
}

static double
segment_value(double x, const SegmentSums *s, const double *theta)
{
	return s->n * (log_gamma_ratio(theta[P_R], x) + log_beta_ratio(theta[P_A], theta[P_B], x) -
				   x * log(theta[P_ALPHA])) -
		   (theta[P_R] + x) * s->log_age + s->log_odds;
}

static void
add_gradient(double x, const SegmentSums *s, const double *theta, double *grad)
{
	double		r = theta[P_R];
	double		alpha = theta[P_ALPHA];
	double		a = theta[P_A];
	double		b = theta[P_B];
	double		psi_sum = digamma_difference(a + b, x);

	grad[P_R] += s->n * digamma_difference(r, x) - s->log_age + s->pi_l;
	grad[P_ALPHA] += r * s->share / alpha - x * s->inv_age + (r + x) * s->pi_u;
	grad[P_A] += s->pi / a - s->n * psi_sum;
	if (x > 0)
		grad[P_B] += s->n * (digamma_difference(b, x) - psi_sum) - s->pi / (b + (x - 1));
}

/* the upper triangle */
static void
add_hessian(double x, const SegmentSums *s, const double *theta, double (*hess)[BTYD_MAX_PARAMS])
{
	double		r = theta[P_R];
	double		alpha = theta[P_ALPHA];
	double		R = r + x;
	double		a = theta[P_A];
	double		b = theta[P_B];
	double		inv_b = x > 0 ? 1 / (b + (x - 1)) : 0;
	double		psi1_sum = trigamma_difference(a + b, x);

	hess[P_R][P_R] += s->n * trigamma_difference(r, x) + s->v_ll;
	hess[P_R][P_ALPHA] += s->share / alpha + s->pi_u + R * s->v_lu;
	hess[P_R][P_A] += s->v_l / a;
	hess[P_R][P_B] -= s->v_l * inv_b;
	hess[P_ALPHA][P_ALPHA] += (x * (s->inv_age - s->share_inv_age) -
							   r * (s->share / alpha + s->share_inv_age)) / alpha +
							  R * (s->pi_du + R * s->v_uu);
	hess[P_ALPHA][P_A] += R * s->v_u / a;
	hess[P_ALPHA][P_B] -= R * s->v_u * inv_b;
	hess[P_A][P_A] += (s->v - s->pi) / a / a - s->n * psi1_sum;
	hess[P_A][P_B] -= s->n * psi1_sum + s->v * inv_b / a;
	hess[P_B][P_B] += s->n * (trigamma_difference(b, x) - psi1_sum) +
					  (s->v + s->pi) * inv_b * inv_b;
}

static void
add_segment(const double *row, const double *end, Likelihood *sum)
{
	double		x = row[0];
	SegmentSums sums = {0};

	if (x > 0)
		sum_with_repeats(row, end, sum->theta, &sums);
	else
		sum_without_repeat(row, end, sum->theta, &sums);
	sum->value += segment_value(x, &sums, sum->theta);
	if (sum->wants_gradient)
		add_gradient(x, &sums, sum->theta, sum->gradient);
	if (sum->wants_hessian)
		add_hessian(x, &sums, sum->theta, sum->hessian);
}

static double
bgnbd_log_likelihood(const Rows *rows, const double *theta, double *grad, double *hess,
					 const FitStop *stop)
{
	return sum_segments(rows, theta, NPARAMS, add_segment, grad, hess, stop);
}

static bool
bgnbd_undetermined(const Rows *rows, const char **reason, const char **hint)
{
	bool		repeats = rows_reach(rows, 0);

	*hint = "Fit a larger group of customers, or one model for all groups.";
	if (rows_total(rows) < 2)
		*reason = "a fit needs at least two customers";
	else if (!repeats)
	{
		*reason = "no customer has a repeat purchase";
		*hint = "Choose a later as_of, or check that the orders hold every purchase and not only "
				"the first.";
	}
	else if (rows->n < 2)
		*reason = "all customers have the same purchase history";
	else
		return false;
	return true;
}

/*
 * Moments: purchases per unit of observed time, their dispersion as a negative binomial, and as
 * dropouts the repeat buyers who have been silent for more than three of their mean gaps.
 */
static void
bgnbd_start(const Rows *rows, double *theta)
{
	double		n = 0;
	double		sum_x = 0;
	double		sum_xx = 0;
	double		sum_active = 0;
	double		dropouts = 0;

	for (size_t i = 0; i < rows->n; i++)
	{
		const double *row = rows_at(rows, i);
		double		count = row_count(rows, row);
		bool		gone = row[0] > 0 && (row[2] - row[1]) * row[0] > 3 * row[1];

		n += count;
		sum_x += count * row[0];
		sum_xx += count * row[0] * row[0];
		sum_active += count * (gone ? row[1] : row[2]);
		dropouts += gone ? count : 0;
	}

	double		mean = sum_x / n;
	double		excess = sum_xx / n - mean * mean - mean;
	double		r = excess > 0 ? mean * mean / excess : 10;
	double		p = dropouts / sum_x;

	r = fmin(fmax(r, 0.1), 10);
	p = fmin(fmax(p, 0.01), 0.5);
	theta[P_R] = r;
	theta[P_ALPHA] = sum_active > 0 ? r * sum_active / sum_x : 1;
	theta[P_A] = 1;
	theta[P_B] = (1 - p) / p;
}

static void
bgnbd_ran_off(const double *theta, const char **reason, const char **hint)
{
	double		dropouts = theta[P_A] + theta[P_B];

	*hint = "Fit a longer history, or a larger group of customers.";
	if (theta[P_A] < dropouts / LIMIT)
		*reason = "a / b runs off to zero: the data show no dropout";
	else if (theta[P_B] < dropouts / LIMIT)
	{
		*reason = "a / b runs off to infinity: nearly all customers stop after one repeat purchase";
		*hint = "Check that the orders are complete up to as_of, or fit a longer history.";
	}
	else if (dropouts > LIMIT)
		*reason = "a and b run off to infinity: customers do not differ in their dropout";
	else if (dropouts < 1 / LIMIT)
		*reason = "a and b run off to zero: customers stop after one repeat purchase or never";
	else if (theta[P_R] > LIMIT)
		*reason = "r and alpha run off to infinity: customers do not differ in their rates";
	else
	{
		*reason = "alpha runs off to zero: some purchases follow at no distance in time";
		*hint = "Count the orders of one day as one purchase; leave out test accounts.";
	}
}

static double
bgnbd_mean_rate(const double *theta)
{
	return theta[P_R] / theta[P_ALPHA];
}

static double
bgnbd_mean_dropout(const double *theta)
{
	/* halved, so that the sum cannot overflow */
	return 0.5 * theta[P_A] / (0.5 * theta[P_A] + 0.5 * theta[P_B]);
}

/* The customer at t_cal. Without a repeat purchase there was no chance to drop out. */
static BetaGeometric
posterior(const double *theta, const Customer *c)
{
	BetaGeometric g = {theta[P_R] + c->x, theta[P_ALPHA] + c->t_cal, theta[P_A], theta[P_B] + c->x,
					   -INFINITY};

	if (c->x > 0)
		g.log_dead_odds = log(theta[P_A]) - log(theta[P_B] + (c->x - 1)) +
						  g.R * log1p((c->t_cal - c->t_x) / (theta[P_ALPHA] + c->t_x));
	return g;
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

const BtydModel bgnbd_model = {
	.code = 1,
	.kind = "bgnbd",
	.title = "BG/NBD",
	.reads = ROWS_TIMING,
	.nparams = NPARAMS,
	.params = params,
	.covariates = COVARIATES_DROPOUT_ODDS,
	.undetermined = bgnbd_undetermined,
	.start = bgnbd_start,
	.log_likelihood = bgnbd_log_likelihood,
	.ran_off = bgnbd_ran_off,
	.mean_rate = bgnbd_mean_rate,
	.mean_dropout = bgnbd_mean_dropout,
	.p_alive = bgnbd_p_alive,
	.expected_purchases = bgnbd_expected_purchases,
	.silence = bgnbd_silence,
	.purchase_probability = bgnbd_purchase_probability,
	.discounted_purchases = bgnbd_discounted_purchases,
};
