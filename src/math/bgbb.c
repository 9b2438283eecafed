/*
 * bgbb.c - the BG/BB model (Fader, Hardie and Shang 2010): at each of n opportunities a customer who is alive
 * first drops out with probability theta ~ Beta(gamma, delta), else buys with probability p ~ Beta(alpha, beta).
 *
 * A customer with x purchases, the last at opportunity t_x, adds the logarithm of the probability of his path,
 *   log B(alpha+x, beta+n-x)/B(alpha, beta) + log B(gamma, delta+n)/B(gamma, delta) + log(1 + q),
 * where q, the odds of being dead at n, is a sum over the last opportunity k = t_x, ... n-1 he was alive at,
 *   q = sum B(alpha+x, beta+k-x)/B(alpha+x, beta+n-x) B(gamma+1, delta+k)/B(gamma, delta+n).
 * Its terms are positive and follow from each other by rational factors, from k = n-1 downwards.
 */
#include <math.h>

#include "math/likelihood.h"
#include "math/smooth_sum.h"
#include "math/special.h"

#define LIMIT 1e3				/* a parameter that ran off is beyond, see bgbb_ran_off() */
#define RESCALE 1e200			/* sums of terms are kept below */
#define NEGLIGIBLE 1e-18
#define POLL_STEPS 1e6			/* terms of sums between two polls of stop */
#define LONG_SUM 2000.0			/* more terms than that are not added one by one */
#define MOST_TERMS 1e7			/* before they change slowly: 0.1 s */
#define SETTLED 1e18			/* relative to its scale squared, where a term is a plain power */

enum
{
	P_ALPHA,
	P_BETA,
	P_GAMMA,
	P_DELTA,
	NPARAMS
};

static const char *const params[NPARAMS] = {"alpha", "beta", "gamma", "delta"};

/* ---- likelihood ------------------------------------------------------------------------------ */

/*
 * Sums over the histories that end dead, weighed by their odds; all, and the one history that ends alive, are
 * to be multiplied by exp(log_scale). slope[] is the derivative of a term's logarithm.
 */
typedef struct DeathSums
{
	double		alive;
	double		log_scale;
	double		odds;
	double		slope[NPARAMS];
	double		second[NPARAMS][NPARAMS];	/* slope slope' + derivative of slope; upper triangle */
} DeathSums;

static void
rescale(DeathSums *sums, double *term)
{
	*term /= RESCALE;
	sums->alive /= RESCALE;
	sums->log_scale += log(RESCALE);
	sums->odds /= RESCALE;
	for (int i = 0; i < NPARAMS; i++)
	{
		sums->slope[i] /= RESCALE;
		for (int j = i; j < NPARAMS; j++)
			sums->second[i][j] /= RESCALE;
	}
}

/* The term of k over that of k + 1; over 1 for k = n - 1. */
static double
death_ratio(const double *theta, double x, double n, double k)
{
	double		leaves = k < n - 1 ? theta[P_GAMMA] + theta[P_DELTA] + k + 1 : theta[P_GAMMA];

	return (theta[P_ALPHA] + theta[P_BETA] + k) / (theta[P_BETA] + (k - x)) * (leaves / (theta[P_DELTA] + k));
}

/* The odds alone. */
static DeathSums
sum_deaths(const double *theta, double x, double t_x, double n)
{
	DeathSums	sums = {.alive = 1};
	double		term = 1;

	for (double k = n - 1; k >= t_x; k--)
	{
		term *= death_ratio(theta, x, n, k);
		sums.odds += term;
		if (sums.odds > RESCALE)
			rescale(&sums, &term);
	}
	return sums;
}

/*
 * The odds with their derivatives. The slopes of a term's logarithm are sums from k to n-1 of 1/(alpha+beta+k),
 * 1/(beta+k-x), 1/(delta+k), and from k+1 of 1/(gamma+delta+k); those of their squares are named *_2.
 */
static DeathSums
sum_deaths_slopes(const double *theta, double x, double t_x, double n)
{
	DeathSums	sums = {.alive = 1};
	double		term = 1;
	double		all = 0;
	double		silent = 0;
	double		stays = 0;
	double		stay = 0;
	double		all_2 = 0;
	double		silent_2 = 0;
	double		stays_2 = 0;
	double		stay_2 = 0;
	double		inv_gamma = 1 / theta[P_GAMMA];

	for (double k = n - 1; k >= t_x; k--)
	{
		double		inv_all = 1 / (theta[P_ALPHA] + theta[P_BETA] + k);
		double		inv_silent = 1 / (theta[P_BETA] + (k - x));
		double		inv_stay = 1 / (theta[P_DELTA] + k);
		double		inv_stays = k < n - 1 ? 1 / (theta[P_GAMMA] + theta[P_DELTA] + k + 1) : 0;

		term *= death_ratio(theta, x, n, k);
		all += inv_all;
		all_2 += inv_all * inv_all;
		silent += inv_silent;
		silent_2 += inv_silent * inv_silent;
		stays += inv_stays;
		stays_2 += inv_stays * inv_stays;
		stay += inv_stay;
		stay_2 += inv_stay * inv_stay;

		double		slope[NPARAMS] = {all, all - silent, inv_gamma + stays, stays - stay};

		sums.odds += term;
		for (int i = 0; i < NPARAMS; i++)
		{
			sums.slope[i] += term * slope[i];
			for (int j = i; j < NPARAMS; j++)
				sums.second[i][j] += term * slope[i] * slope[j];
		}
		sums.second[P_ALPHA][P_ALPHA] -= term * all_2;
		sums.second[P_ALPHA][P_BETA] -= term * all_2;
		sums.second[P_BETA][P_BETA] += term * (silent_2 - all_2);
		sums.second[P_GAMMA][P_GAMMA] -= term * (inv_gamma * inv_gamma + stays_2);
		sums.second[P_GAMMA][P_DELTA] -= term * stays_2;
		sums.second[P_DELTA][P_DELTA] += term * (stay_2 - stays_2);
		if (sums.odds > RESCALE)
			rescale(&sums, &term);
	}
	return sums;
}

static double
log_alive_path(const double *theta, double x, double n)
{
	return log_beta_ratio(theta[P_ALPHA], theta[P_BETA], n - x) +
		   log_beta_ratio(theta[P_BETA] + (n - x), theta[P_ALPHA], x) +
		   log_beta_ratio(theta[P_GAMMA], theta[P_DELTA], n);
}

static double
log_path_odds(const DeathSums *sums)
{
	return sums->log_scale > 0 ? sums->log_scale + log(sums->alive + sums->odds) : log1p(sums->odds);
}

static void
add_slopes(const double *theta, double x, double n, double count, const DeathSums *sums, Likelihood *to)
{
	double		all = theta[P_ALPHA] + theta[P_BETA];
	double		stays = theta[P_GAMMA] + theta[P_DELTA];
	double		weight = 1 / (sums->alive + sums->odds);
	double		psi_all = digamma_difference(all, n);
	double		psi_stays = digamma_difference(stays, n);
	double		psi1_all = trigamma_difference(all, n);
	double		psi1_stays = trigamma_difference(stays, n);
	double		slope[NPARAMS] = {digamma_difference(theta[P_ALPHA], x) - psi_all,
								  digamma_difference(theta[P_BETA], n - x) - psi_all, -psi_stays,
								  digamma_difference(theta[P_DELTA], n) - psi_stays};
	double		bend[NPARAMS][NPARAMS] = {
		{trigamma_difference(theta[P_ALPHA], x) - psi1_all, -psi1_all},
		{0, trigamma_difference(theta[P_BETA], n - x) - psi1_all},
		{0, 0, -psi1_stays, -psi1_stays},
		{0, 0, 0, trigamma_difference(theta[P_DELTA], n) - psi1_stays}};

	for (int i = 0; i < NPARAMS; i++)
	{
		double		mean = weight * sums->slope[i];

		to->gradient[i] += count * (slope[i] + mean);
		for (int j = i; j < NPARAMS; j++)
			to->hessian[i][j] += count * (bend[i][j] + weight * sums->second[i][j] - mean * weight * sums->slope[j]);
	}
}

static void
add_segment(const double *row, const double *end, Likelihood *sum)
{
	const double *theta = sum->theta;
	bool		slopes = sum->wants_gradient || sum->wants_hessian;

	for (; row < end; row += 4)
	{
		double		x = row[0];
		double		n = row[2];
		double		count = row[3];
		DeathSums	deaths = slopes ? sum_deaths_slopes(theta, x, row[1], n) : sum_deaths(theta, x, row[1], n);

		sum->value += count * (log_alive_path(theta, x, n) + log_path_odds(&deaths));
		if (slopes)
			add_slopes(theta, x, n, count, &deaths, sum);
		sum->work += n - row[1];
		if (sum->stop != NULL && sum->work > POLL_STEPS)
		{
			sum->work = 0;
			sum->stopped = sum->stop->requested(sum->stop->arg);
			if (sum->stopped)
				return;
		}
	}
}

static double
bgbb_log_likelihood(const Rows *rows, const double *theta, double *grad, double *hess, const FitStop *stop)
{
	return sum_segments(rows, theta, NPARAMS, add_segment, grad, hess, stop);
}

/* ---- fit ------------------------------------------------------------------------------------- */

static bool
bgbb_undetermined(const Rows *rows, const char **reason, const char **hint)
{
	/* sorted by x: somebody bought if the last row did */
	bool		bought = rows_reach(rows, 0);
	bool		passed = false;
	double		most = 0;

	for (size_t i = 0; i < rows->n; i++)
	{
		const double *row = rows_at(rows, i);

		passed = passed || row[0] < row[2];
		most = fmax(most, row[2]);
	}
	*hint = "Fit a larger group of customers, or one model for all groups.";
	if (rows_total(rows) < 2)
		*reason = "a fit needs at least two customers";
	else if (!bought)
	{
		*reason = "no customer took any opportunity to buy";
		*hint = "Check that x counts the opportunities taken after the first purchase, and observe more of them.";
	}
	else if (!passed)
	{
		*reason = "every customer took every opportunity to buy";
		*hint = "Observe more opportunities; check that n counts those not taken, too.";
	}
	else if (most < 3)
	{
		*reason = "no customer had more than two opportunities to buy";
		*hint = "Observe more opportunities: one or two cannot tell dropout from customers who seldom buy.";
	}
	else if (rows->n < 2)
		*reason = "all customers have the same purchase history";
	else
		return false;
	return true;
}

/*
 * Purchases per opportunity while active, and as dropouts the buyers who have been silent for more than three of
 * their mean gaps.
 */
static void
bgbb_start(const Rows *rows, double *theta)
{
	double		purchases = 0;
	double		active = 0;
	double		dropouts = 0;

	for (size_t i = 0; i < rows->n; i++)
	{
		const double *row = rows_at(rows, i);
		double		count = row_count(rows, row);
		bool		gone = row[0] > 0 && (row[2] - row[1]) * row[0] > 3 * row[1];

		purchases += count * row[0];
		active += count * (gone ? row[1] : row[2]);
		dropouts += gone ? count : 0;
	}

	double		p = fmin(fmax(purchases / active, 0.01), 0.9);
	double		leaves = fmin(fmax(dropouts / active, 0.01), 0.5);

	theta[P_ALPHA] = 2 * p;
	theta[P_BETA] = 2 * (1 - p);
	theta[P_GAMMA] = 1;
	theta[P_DELTA] = (1 - leaves) / leaves;
}

static void
bgbb_ran_off(const double *theta, const char **reason, const char **hint)
{
	double		buys = theta[P_ALPHA] + theta[P_BETA];
	double		stays = theta[P_GAMMA] + theta[P_DELTA];

	*hint = "Fit a longer history, or a larger group of customers.";
	if (theta[P_GAMMA] < stays / LIMIT)
		*reason = "gamma / delta runs off to zero: the data show no dropout";
	else if (theta[P_DELTA] < stays / LIMIT)
	{
		*reason = "gamma / delta runs off to infinity: nearly all customers drop out before their first opportunity";
		*hint = "Check that the purchases are complete up to the last opportunity.";
	}
	else if (stays > LIMIT)
		*reason = "gamma and delta run off to infinity: customers do not differ in their dropout";
	else if (stays < 1 / LIMIT)
		*reason = "gamma and delta run off to zero: customers drop out at once or never";
	else if (theta[P_BETA] < buys / LIMIT)
		*reason = "alpha / beta runs off to infinity: whoever is alive takes every opportunity";
	else if (buys > LIMIT)
		*reason = "alpha and beta run off to infinity: customers do not differ in how often they buy";
	else
		*reason = "alpha and beta run off to zero: customers take every opportunity or none";
}

/* halved, so that the sums cannot overflow */
static double
bgbb_mean_rate(const double *theta)
{
	return 0.5 * theta[P_ALPHA] / (0.5 * theta[P_ALPHA] + 0.5 * theta[P_BETA]);
}

static double
bgbb_mean_dropout(const double *theta)
{
	return 0.5 * theta[P_GAMMA] / (0.5 * theta[P_GAMMA] + 0.5 * theta[P_DELTA]);
}

/* ---- predictions ----------------------------------------------------------------------------- */

/* The customer at opportunity n: given alive, p ~ Beta(a, b) and theta ~ Beta(c, d). */
typedef struct Posterior
{
	double		alive;
	double		dead;
	double		a;
	double		b;
	double		c;
	double		d;
} Posterior;

static Posterior
posterior(const double *theta, const Customer *c)
{
	DeathSums	deaths = sum_deaths(theta, c->x, c->t_x, c->t_cal);
	double		total = deaths.alive + deaths.odds;
	Posterior	p = {deaths.alive / total, deaths.odds / total, theta[P_ALPHA] + c->x,
					 theta[P_BETA] + (c->t_cal - c->x), theta[P_GAMMA], theta[P_DELTA] + c->t_cal};

	return p;
}

/* Papers print the probability of being alive at the opportunity to come, n + 1: that is t = 0. */
static double
bgbb_p_alive(const double *theta, const Customer *c, double t)
{
	Posterior	p = posterior(theta, c);

	return isinf(t) ? 0 : p.alive * exp(log_beta_ratio(p.c, p.d, 1 + floor(t)));
}

/* The opportunity to come is discounted once. */
static double
bgbb_discounted_purchases(const double *theta, const Customer *c, double delta, double t)
{
	Posterior	p = posterior(theta, c);

	if (delta < 0 && isinf(t))
		return INFINITY;
	if (p.alive == 0)
		return 0;
	return p.alive * (p.a / (p.a + p.b)) * discounted_periods(p.c, p.d, delta, floor(t));
}

static double
bgbb_expected_purchases(const double *theta, const Customer *c, double t)
{
	return bgbb_discounted_purchases(theta, c, 0, t);
}

/*
 * Of a customer alive at n: term i is the probability that he sees exactly i more opportunities and takes k of
 * them, k <= i,
 *   C(i, k) B(a+k, b+i-k)/B(a, b) B(c+1, d+i)/B(c, d).
 * That of exactly k purchases in m opportunities is the sum of i < m, and term m times (c+d+m)/c if he sees all.
 */
static double
log_first_term(const Posterior *p, double k)
{
	return log_beta_ratio(p->b, p->a, k) + log_beta_ratio(p->c, p->d, k) + log(p->c) - log(p->c + p->d + k);
}

/* Term i + 1 over term i. */
static double
term_ratio(const Posterior *p, double k, double i)
{
	return (i + 1) / (i + 1 - k) * ((p->b + (i - k)) / (p->a + p->b + i)) * ((p->d + i) / (p->c + p->d + 1 + i));
}

typedef struct LongTerm
{
	Posterior	p;
	double		k;
	double		first;
} LongTerm;

/* log of term u relative to the first of the long sum */
static double
log_long_term(double log_u, const void *arg)
{
	const LongTerm *l = arg;
	double		v = fmax(exp(log_u) - l->first, 0);
	double		open = l->first - l->k;
	double		paths = l->k > 0 ? -log_beta_ratio(l->k, open + 1, v) : 0;

	return paths + log_beta_ratio(l->p.a + l->k, l->p.b + open, v) + log_beta_ratio(l->p.c + 1, l->p.d + l->first, v);
}

/* Sum of the terms from `first` on, and the history that sees all m opportunities, relative to the term at first. */
static double
sum_long(const Posterior *p, double k, double first, double m)
{
	LongTerm	l = {*p, k, first};
	double		open = first - k;
	double		scale = p->a + p->b + p->c + p->d + k + first;
	SmoothTerm	term = {
		.log_value = log_long_term,
		.arg = &l,
		.stretch = 1,
		.fastest = k / open + (p->a + k) / (p->b + open) + (p->c + 1) / (p->d + first),
		.excess = p->a + p->c,
		.settled = log(SETTLED * scale * scale),
	};
	double		sum = smooth_sum(&term, first, m);

	return isinf(m) ? sum : sum + exp(log_long_term(log(m), &l)) * ((p->d + m) / p->c);
}

/* From where on the terms change slowly enough for sum_long(): each of its three factors by a third of the limit. */
static double
long_from(const Posterior *p, double k)
{
	double		open = fmax(3 * k / SMOOTH_SLOPE, 3 * (p->a + k) / SMOOTH_SLOPE - p->b);

	return ceil(k + SMOOTH_FIRST + fmax(fmax(open, 3 * (p->c + 1) / SMOOTH_SLOPE - p->d), 0));
}

/* Is what follows a term of index i, the history that sees all m opportunities included, negligible? */
static bool
path_ends(const Posterior *p, double k, double i, double m, double term, double sum)
{
	double		rest = (p->b + p->d + i + 1) / (p->a + p->c);

	if (!isinf(m))
		rest += (p->c + p->d + m) / p->c;
	return i > 2 * k && term * rest <= NEGLIGIBLE * sum;
}

/* The probability of exactly k purchases in m opportunities, given alive. */
static double
path_probability(const Posterior *p, double k, double m)
{
	double		log_scale;
	double		smooth = long_from(p, k);
	double		last = m < smooth + LONG_SUM ? m : smooth;
	double		term = 1;
	double		sum = 0;

	if (k > m)
		return 0;
	log_scale = log_first_term(p, k);
	for (double i = k; i < last; i++)
	{
		sum += term;
		if (path_ends(p, k, i, m, term, sum))
			return exp(log_scale + log(sum));
		if (i - k > MOST_TERMS)
			return NAN;			/* of absurd parameters */
		term *= term_ratio(p, k, i);
		if (sum > RESCALE)
		{
			sum /= RESCALE;
			term /= RESCALE;
			log_scale += log(RESCALE);
		}
	}
	sum += term * (last == m ? (p->c + p->d + m) / p->c : sum_long(p, k, last, m));
	return exp(log_scale + log(sum));
}

static double
bgbb_silence(const double *theta, const Customer *c, double t)
{
	Posterior	p = posterior(theta, c);

	return p.alive > 0 ? at_most_1(p.dead + p.alive * path_probability(&p, 0, floor(t))) : 1;
}

static double
bgbb_purchase_probability(const double *theta, const Customer *c, double n, double t)
{
	Posterior	p = posterior(theta, c);

	if (n == 0)
		return bgbb_silence(theta, c, t);
	return p.alive > 0 ? p.alive * at_most_1(path_probability(&p, n, floor(t))) : 0;
}

/* ---- simulation ------------------------------------------------------------------------------ */

static void
bgbb_simulate(const double *theta, double t, Random *random, EmitPurchase emit, void *arg)
{
	double		buys = random_beta(random, theta[P_ALPHA], theta[P_BETA]);
	double		leaves = random_beta(random, theta[P_GAMMA], theta[P_DELTA]);

	for (double i = 1; i <= t; i++)
	{
		if (random_uniform(random) < leaves)
			return;
		if (random_uniform(random) < buys && !emit(i, arg))
			return;
	}
}

const ModelKind bgbb_model = {
	.code = 7,
	.kind = "bgbb",
	.title = "BG/BB",
	.reads = ROWS_OPPORTUNITIES,
	.nparams = NPARAMS,
	.params = params,
	.undetermined = bgbb_undetermined,
	.start = bgbb_start,
	.log_likelihood = bgbb_log_likelihood,
	.ran_off = bgbb_ran_off,
	.mean_rate = bgbb_mean_rate,
	.mean_dropout = bgbb_mean_dropout,
	.p_alive = bgbb_p_alive,
	.expected_purchases = bgbb_expected_purchases,
	.silence = bgbb_silence,
	.purchase_probability = bgbb_purchase_probability,
	.discounted_purchases = bgbb_discounted_purchases,
	.simulate = bgbb_simulate,
};
