/*
 * gamma_gamma.c - the gamma-gamma model of spend per purchase (Fader and Hardie, note 025, 2013):
 * amounts are gamma(p, nu) with nu ~ gamma(q, v) across customers.
 *
 * A customer with x repeat purchases of mean m, z = x m, adds
 *   log Gamma(px + q) / (Gamma(px) Gamma(q)) - q log(1 + z/v) - px log(1 + v/z) - log m.
 * Everything that depends on x alone is computed once per segment of rows with equal x.
 */
#include <math.h>

#include "math/likelihood.h"
#include "math/special.h"

#define LIMIT 1e3				/* a parameter that ran off is beyond, see gamma_gamma_ran_off() */
#define LEAST_NU 1e-290			/* of a simulated customer, times v */

enum
{
	P_P,
	P_Q,
	P_V,
	NPARAMS
};

static const char *const params[NPARAMS] = {"p", "q", "v"};

/* Sums over the customers of a segment, share = z / (z + v). */
typedef struct SegmentSums
{
	double		n;
	double		log_m;
	double		log_v;			/* log(1 + v / z) */
	double		log_z;			/* log(1 + z / v) */
	double		share;
	double		inv_total;		/* 1 / (z + v) */
	double		share_inv_total;
} SegmentSums;

static SegmentSums
sum_segment(const double *row, const double *end, double v)
{
	SegmentSums sums = {0};
	double		x = row[0];
	double		log_x_v = log(x) - log(v);

	for (; row < end; row += 3)
	{
		double		z = x * row[1];
		double		count = row[2];
		double		log_m = log(row[1]);
		double		inv_total = 1 / (z + v);
		double		share = z * inv_total;
		double		log_v;
		double		log_z;

		/* one of them directly, the other through log(z / v) = log_z - log_v */
		if (z > v)
		{
			log_v = log1p(v / z);
			log_z = log_v + (log_x_v + log_m);
		}
		else
		{
			log_z = log1p(z / v);
			log_v = log_z - (log_x_v + log_m);
		}
		sums.n += count;
		sums.log_m += count * log_m;
		sums.log_v += count * log_v;
		sums.log_z += count * log_z;
		sums.share += count * share;
		sums.inv_total += count * inv_total;
		sums.share_inv_total += count * share * inv_total;
	}
	return sums;
}

static double
segment_value(double x, const SegmentSums *s, const double *theta)
{
	double		px = theta[P_P] * x;
	double		q = theta[P_Q];
	double		small = fmin(px, q);

	return s->n * (log_gamma_ratio(fmax(px, q), small) - lgamma(small)) - q * s->log_z -
		   px * s->log_v - s->log_m;
}

static void
add_gradient(double x, const SegmentSums *s, const double *theta, double *grad)
{
	double		px = theta[P_P] * x;
	double		q = theta[P_Q];

	grad[P_P] += x * (s->n * digamma_difference(px, q) - s->log_v);
	grad[P_Q] += s->n * digamma_difference(q, px) - s->log_z;
	grad[P_V] += q * s->share / theta[P_V] - px * s->inv_total;
}

/* the upper triangle */
static void
add_hessian(double x, const SegmentSums *s, const double *theta, double (*hess)[BTYD_MAX_PARAMS])
{
	double		px = theta[P_P] * x;
	double		q = theta[P_Q];
	double		v = theta[P_V];

	hess[P_P][P_P] += s->n * x * x * trigamma_difference(px, q);
	hess[P_P][P_Q] += s->n * x * trigamma(px + q);
	hess[P_P][P_V] -= x * s->inv_total;
	hess[P_Q][P_Q] += s->n * trigamma_difference(q, px);
	hess[P_Q][P_V] += s->share / v;
	hess[P_V][P_V] += (px * (s->inv_total - s->share_inv_total) -
					   q * (s->share / v + s->share_inv_total)) / v;
}

static void
add_segment(const double *row, const double *end, Likelihood *sum)
{
	double		x = row[0];
	SegmentSums sums = sum_segment(row, end, sum->theta[P_V]);

	sum->value += segment_value(x, &sums, sum->theta);
	if (sum->wants_gradient)
		add_gradient(x, &sums, sum->theta, sum->gradient);
	if (sum->wants_hessian)
		add_hessian(x, &sums, sum->theta, sum->hessian);
}

static double
gamma_gamma_log_likelihood(const Rows *rows, const double *theta, double *grad, double *hess,
						   const FitStop *stop)
{
	return sum_segments(rows, theta, NPARAMS, add_segment, grad, hess, stop);
}

static bool
gamma_gamma_undetermined(const Rows *rows, const char **reason, const char **hint)
{
	double		customers = rows_total(rows);
	bool		differ = false;

	for (size_t i = 1; i < rows->n && !differ; i++)
		differ = rows_at(rows, i)[1] != rows_at(rows, 0)[1];
	*hint = "Fit a larger group of customers, or one model for all groups.";
	if (customers == 0)
		*reason = "no customer has a repeat purchase with a positive amount";
	else if (customers < 2)
		*reason = "a fit needs at least two customers with a repeat purchase";
	else if (!differ)
		*reason = "all customers spend the same amount per purchase";
	else
		return false;
	return true;
}

/*
 * Moments on the log scale: the variance of log m is about 1 / (p x) within plus 1 / (q - 1/2)
 * between customers; half of it to each. v then puts the population mean p v / (q - 1) at the
 * observed one.
 */
static void
gamma_gamma_start(const Rows *rows, double *theta)
{
	double		n = 0;
	double		mean = 0;
	double		inv_x = 0;
	double		mean_log = 0;
	double		squares = 0;

	for (size_t i = 0; i < rows->n; i++)
	{
		const double *row = rows_at(rows, i);
		double		count = row_count(rows, row);
		double		delta = log(row[1]) - mean_log;

		n += count;
		mean_log += delta * count / n;
		squares += count * delta * (log(row[1]) - mean_log);
		mean += (row[1] - mean) * count / n;
		inv_x += count / row[0];
	}

	double		variance = fmax(squares / n, 1e-8);

	theta[P_P] = fmax(2 * (inv_x / n) / variance, 0.1);
	theta[P_Q] = 1.5 + 2 / variance;
	theta[P_V] = mean * (theta[P_Q] - 1) / theta[P_P];
}

static void
gamma_gamma_ran_off(const double *theta, const char **reason, const char **hint)
{
	*hint = "Fit a longer history, or a larger group of customers.";
	if (theta[P_P] > LIMIT && theta[P_P] > theta[P_Q])
		*reason = "p runs off to infinity: the amounts of one customer do not vary";
	else if (theta[P_Q] > LIMIT)
		*reason = "q and v run off to infinity: customers do not differ in their mean amounts";
	else
	{
		*reason = "p or q runs off to zero: amounts vary without bound";
		*hint = "Check the amounts for values that are too small or too large to be true.";
	}
}

/*
 * E[spend | x, m] = p (x m + v) / (p x + q - 1); the population mean p v / (q - 1) exists for q > 1
 */
static double
gamma_gamma_expected_spend(const double *theta, double x, double m)
{
	double		p = theta[P_P];
	double		q = theta[P_Q];

	if (p * x + q <= 1)
		return NAN;
	return p * ((x > 0 ? x * m : 0) + theta[P_V]) / (p * x + (q - 1));
}

/* p x / (p x + q - 1), which neither overflows nor is 0/0 for x = 0 */
static double
gamma_gamma_spend_weight(const double *theta, double x)
{
	double		beyond_1 = theta[P_Q] - 1;

	return beyond_1 > 0 ? 1 / (1 + beyond_1 / (theta[P_P] * x)) : NAN;
}

/* A customer is his nu, and his mean amount p / nu. A variate that underflowed would be an infinite amount. */
static double
gamma_gamma_draw_customer(const double *theta, Random *random)
{
	return fmax(random_gamma(random, theta[P_Q]), LEAST_NU) / theta[P_V];
}

static double
gamma_gamma_draw_amount(const double *theta, double customer, Random *random)
{
	return random_gamma(random, theta[P_P]) / customer;
}

const ModelKind gamma_gamma_model = {
	.code = 2,
	.kind = "gamma_gamma",
	.title = "gamma-gamma",
	.reads = ROWS_SPEND,
	.nparams = NPARAMS,
	.params = params,
	.undetermined = gamma_gamma_undetermined,
	.start = gamma_gamma_start,
	.log_likelihood = gamma_gamma_log_likelihood,
	.ran_off = gamma_gamma_ran_off,
	.expected_spend = gamma_gamma_expected_spend,
	.spend_weight = gamma_gamma_spend_weight,
	.draw_customer = gamma_gamma_draw_customer,
	.draw_amount = gamma_gamma_draw_amount,
};
