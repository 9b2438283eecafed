/*
 * pareto_nbd.c - the Pareto/NBD model (Schmittlein, Morrison and Colombo 1987): purchases at a gamma-distributed
 * rate, until the customer drops out at a gamma-distributed rate.
 *
 * With R = r + x and K(t) = (alpha + t)^-R (beta + t)^-s, one customer adds
 *   log Gamma(R)/Gamma(r) - x log alpha - R log(1 + t_x/alpha) - s log(1 + t_x/beta) + log S,
 *   S = [K(T) + s INT_{t_x}^T K(u) / (beta + u) du] / K(t_x)
 * where S is the probability of no purchase in (t_x, T) given alive at t_x. The integral is the difference of two
 * up to the latest time of a segment of rows with equal x, one from t_x and one from T, the latter less than K(T).
 * They depend on the time alone, and the times of many rows are few: one sweep backwards through the times of
 * the segment adds up all of them, with all they need for the derivatives.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "math/discount.h"
#include "math/likelihood.h"
#include "math/pareto_kernel.h"
#include "math/special.h"
#include "math/timing_rows.h"

#define LIMIT 1e3				/* a parameter that ran off is beyond, see pareto_nbd_ran_off() */

enum
{
	P_R,
	P_ALPHA,
	P_S,
	P_BETA,
	NPARAMS
};

static const char *const params[NPARAMS] = {"r", "alpha", "s", "beta"};

static ParetoKernel
kernel_of(const double *theta, double x)
{
	return (ParetoKernel){theta[P_R] + x, theta[P_S], theta[P_ALPHA], theta[P_BETA]};
}

/* ---- likelihood: the integrals of a segment --------------------------------------------------- */

/* A time T of the segment, and the integrals from there to the latest one. */
typedef struct Age
{
	double		t_cal;
	ParetoSums	sums;
} Age;

/*
 * A walk from the latest T of a segment back to its earliest t_x. slots is a hash table of nslots, a power of 2, that
 * holds 1 + the index of an age, or 0; order are the ages by falling T. All are one block of memory, at ages.
 */
typedef struct Sweep
{
	Age		   *ages;
	uint32_t	n;
	Age		  **order;
	uint32_t	passed;			/* so many of order lie at `at` or later, and have their sums */
	uint32_t   *slots;
	uint32_t	nslots;
	double		at;
	ParetoSums	sums;			/* from `at` to the latest T */
} Sweep;

static uint32_t
hash_time(double t)
{
	union
	{
		double		number;
		uint64_t	bits;
	}			key = {t};

	return (uint32_t) ((key.bits * 0x9e3779b97f4a7c15) >> 32);
}

/* The slot of the age t_cal, or the empty one for it. */
static uint32_t *
find_slot(const Sweep *sweep, double t_cal)
{
	uint32_t	at = hash_time(t_cal) & (sweep->nslots - 1);

	while (sweep->slots[at] != 0 && sweep->ages[sweep->slots[at] - 1].t_cal != t_cal)
		at = (at + 1) & (sweep->nslots - 1);
	return &sweep->slots[at];
}

static const Age *
find_age(const Sweep *sweep, double t_cal)
{
	return &sweep->ages[*find_slot(sweep, t_cal) - 1];
}

static int
compare_later_first(const void *a, const void *b)
{
	double		t = (*(const Age *const *) a)->t_cal;
	double		u = (*(const Age *const *) b)->t_cal;

	return (t < u) - (t > u);
}

/* Collect the distinct T of the rows and stand at the latest; false where there is no memory. */
static bool
start_sweep(const double *row, const double *end, Sweep *sweep)
{
	size_t		n = (size_t) (end - row) / 4;

	memset(sweep, 0, sizeof(*sweep));
	sweep->nslots = 4;
	while (sweep->nslots < 2 * n)
		sweep->nslots *= 2;
	sweep->ages = malloc(n * (sizeof(Age) + sizeof(Age *)) + sweep->nslots * sizeof(uint32_t));
	if (sweep->ages == NULL)
		return false;
	sweep->order = (Age **) (sweep->ages + n);
	sweep->slots = (uint32_t *) (sweep->order + n);
	memset(sweep->slots, 0, sweep->nslots * sizeof(uint32_t));

	for (; row < end; row += 4)
	{
		uint32_t   *slot = find_slot(sweep, row[2]);

		if (*slot == 0)
		{
			sweep->order[sweep->n] = &sweep->ages[sweep->n];
			sweep->ages[sweep->n].t_cal = row[2];
			*slot = ++sweep->n;
		}
	}
	qsort(sweep->order, sweep->n, sizeof(Age *), compare_later_first);
	sweep->at = sweep->order[0]->t_cal;
	return true;
}

/* Move to the earlier t_x, leaving the sums so far with each age on the way. */
static void
sweep_back(const ParetoKernel *k, double t_x, Sweep *sweep)
{
	for (; sweep->passed < sweep->n && sweep->order[sweep->passed]->t_cal >= t_x; sweep->passed++)
	{
		Age		   *age = sweep->order[sweep->passed];

		pareto_extend(k, sweep->at, age->t_cal, &sweep->sums);
		age->sums = sweep->sums;
		sweep->at = age->t_cal;
	}
	pareto_extend(k, sweep->at, t_x, &sweep->sums);
	sweep->at = t_x;
}

/* ---- likelihood: one row ---------------------------------------------------------------------- */

/*
 * Means over the density of dropping out at u, t_x < u < T, times the probability of having done so: of 1, z_i
 * and z_i z_j, z the distances of T from u (see ParetoSums).
 */
typedef struct Dropout
{
	double		log_silence;	/* log of the probability of no purchase in (t_x, T), given alive at t_x */
	double		zero;			/* I / (1 + I) = P(dropped out) */
	double		first[PARETO_FIRST];
	double		second[PARETO_SECOND];
} Dropout;

/*
 * From the integrals that start at t_x and at T; z are the distances of T from t_x. The means are left out where
 * only the value is wanted.
 */
static void
dropout_between(const ParetoKernel *k, const double *z, const ParetoSums *last, const ParetoSums *age,
				bool wants_means, Dropout *out)
{
	double		late = exp(-k->R * z[0] - k->s * z[1]);
	double		zero = last->zero - late * age->zero;
	double		silence = late + k->s * zero;
	double		early;
	int			ij = 0;

	out->log_silence = log(silence);
	if (!wants_means)
		return;
	early = k->s / silence;
	late *= early;
	zero *= early;
	out->zero = zero;
	for (int i = 0; i < PARETO_FIRST; i++)
	{
		out->first[i] = early * (z[i] * last->zero - last->first[i]) + late * age->first[i];
		for (int j = i; j < PARETO_FIRST; j++, ij++)
			out->second[ij] = early * (z[i] * (z[j] * last->zero - last->first[j]) - z[j] * last->first[i] +
									   last->second[ij]) - late * age->second[ij];
	}
}

/*
 * Seen from T, log S is log(1 + I) but for its derivative by K(T): I are the odds of having dropped out. With q the
 * gradient of the logarithm of the density s k(u) / K(T), the gradient of log(1 + I) is the mean of q, and its
 * Hessian the mean of q q' + dq less the product of the means.
 *   q = (z0, z1 + 1/s, -R z2, -(s + 1) z3 - 1/(beta + T))  for  (r, s, alpha, beta)
 */
static void
add_dropout(const ParetoKernel *k, double t_cal, double count, const Dropout *m, Likelihood *sum)
{
	double		R = k->R;
	double		s = k->s;
	double		s1 = k->s + 1;
	double		inv_a = 1 / (k->alpha + t_cal);
	double		inv_b = 1 / (k->beta + t_cal);
	double		inv_s = 1 / s;
	const double *m1 = m->first;
	const double *m2 = m->second;
	double		g_r = m1[0];
	double		g_s = m1[1] + inv_s * m->zero;
	double		g_alpha = -R * m1[2];
	double		g_beta = -s1 * m1[3] - inv_b * m->zero;
	double		(*hess)[BTYD_MAX_PARAMS] = sum->hessian;

	sum->gradient[P_R] += count * g_r;
	sum->gradient[P_ALPHA] += count * g_alpha;
	sum->gradient[P_S] += count * g_s;
	sum->gradient[P_BETA] += count * g_beta;
	if (!sum->wants_hessian)
		return;
	hess[P_R][P_R] += count * (m2[0] - g_r * g_r);
	hess[P_R][P_ALPHA] += count * (-R * m2[2] - m1[2] - g_r * g_alpha);
	hess[P_R][P_S] += count * (m2[1] + inv_s * m1[0] - g_r * g_s);
	hess[P_R][P_BETA] += count * (-s1 * m2[3] - inv_b * m1[0] - g_r * g_beta);
	hess[P_ALPHA][P_ALPHA] += count * (R * ((R + 1) * m2[7] + 2 * inv_a * m1[2]) - g_alpha * g_alpha);
	hess[P_ALPHA][P_S] += count * (-R * (m2[5] + inv_s * m1[2]) - g_alpha * g_s);
	hess[P_ALPHA][P_BETA] += count * (R * (s1 * m2[8] + inv_b * m1[2]) - g_alpha * g_beta);
	hess[P_S][P_S] += count * (m2[4] + 2 * inv_s * m1[1] - g_s * g_s);
	hess[P_S][P_BETA] += count * (inv_s * g_beta - s1 * m2[6] - inv_b * m1[1] - m1[3] - g_s * g_beta);
	hess[P_BETA][P_BETA] += count * (s1 * ((s + 2) * m2[9] + 4 * inv_b * m1[3]) + 2 * inv_b * inv_b * m->zero -
									 g_beta * g_beta);
}

/*
 * What the derivatives of the rest of a row need, seen from T: -r log(1 + T/alpha) - s log(1 + T/beta) - x log(alpha
 * + T). What would be 1/alpha - 1/A is kept as T / A / alpha, so that nothing cancels when parameters run off.
 */
typedef struct SegmentSums
{
	double		n;
	double		log_alpha;		/* log(1 + T / alpha) */
	double		log_beta;
	double		share_alpha;	/* T / (alpha + T) */
	double		share_beta;
	double		inv_alpha;		/* 1 / (alpha + T) */
	double		share_inv_alpha;
	double		share_inv_beta;
} SegmentSums;

static void
add_age(const ParetoKernel *k, double t_cal, double count, SegmentSums *sums)
{
	double		inv_alpha = 1 / (k->alpha + t_cal);
	double		inv_beta = 1 / (k->beta + t_cal);
	double		share_alpha = t_cal * inv_alpha;
	double		share_beta = t_cal * inv_beta;

	sums->n += count;
	sums->share_alpha += count * share_alpha;
	sums->share_beta += count * share_beta;
	sums->inv_alpha += count * inv_alpha;
	sums->share_inv_alpha += count * share_alpha * inv_alpha;
	sums->share_inv_beta += count * share_beta * inv_beta;
}

static void
add_gradient(double x, const SegmentSums *g, const double *theta, double *grad)
{
	double		r = theta[P_R];
	double		alpha = theta[P_ALPHA];

	grad[P_R] += g->n * digamma_difference(r, x) - g->log_alpha;
	grad[P_ALPHA] += r * g->share_alpha / alpha - x * g->inv_alpha;
	grad[P_S] -= g->log_beta;
	grad[P_BETA] += theta[P_S] * g->share_beta / theta[P_BETA];
}

static void
add_hessian(double x, const SegmentSums *g, const double *theta, double (*hess)[BTYD_MAX_PARAMS])
{
	double		r = theta[P_R];
	double		alpha = theta[P_ALPHA];
	double		s = theta[P_S];
	double		beta = theta[P_BETA];

	hess[P_R][P_R] += g->n * trigamma_difference(r, x);
	hess[P_R][P_ALPHA] += g->share_alpha / alpha;
	hess[P_ALPHA][P_ALPHA] += (x * (g->inv_alpha - g->share_inv_alpha) -
							   r * (g->share_alpha / alpha + g->share_inv_alpha)) / alpha;
	hess[P_S][P_BETA] += g->share_beta / beta;
	hess[P_BETA][P_BETA] -= s * (g->share_beta / beta + g->share_inv_beta) / beta;
}

static void
add_segment(const double *row, const double *end, Likelihood *sum)
{
	const double *theta = sum->theta;
	double		x = row[0];
	ParetoKernel k = kernel_of(theta, x);
	SegmentSums sums = {0};
	double		value = 0;
	double		log_alpha = 0;	/* log(1 + t_x / alpha) */
	double		log_beta = 0;
	Sweep		sweep;

	if (!start_sweep(row, end, &sweep))
	{
		sum->value = NAN;
		return;
	}
	for (const double *next = end; next > row; next -= 4)
	{
		double		t_x = next[-3];
		double		t_cal = next[-2];
		double		count = next[-1];
		double		z[PARETO_FIRST];
		Dropout		dropout = {0};

		if (next == end || t_x != sweep.at)
		{
			sweep_back(&k, t_x, &sweep);
			log_alpha = log1p(t_x / k.alpha);
			log_beta = log1p(t_x / k.beta);
		}
		pareto_distances(&k, t_x, t_cal - t_x, z);
		dropout_between(&k, z, &sweep.sums, &find_age(&sweep, t_cal)->sums, sum->wants_gradient, &dropout);
		value += count * (dropout.log_silence - k.R * log_alpha - k.s * log_beta);
		sums.log_alpha += count * (log_alpha + z[0]);
		sums.log_beta += count * (log_beta + z[1]);
		add_age(&k, t_cal, count, &sums);
		if (sum->wants_gradient)
			add_dropout(&k, t_cal, count, &dropout, sum);
	}
	free(sweep.ages);

	sum->value += sums.n * (log_gamma_ratio(theta[P_R], x) - x * log(k.alpha)) + value;
	if (sum->wants_gradient)
		add_gradient(x, &sums, theta, sum->gradient);
	if (sum->wants_hessian)
		add_hessian(x, &sums, theta, sum->hessian);
}

static double
pareto_nbd_log_likelihood(const Rows *rows, const double *theta, double *grad, double *hess, const FitStop *stop)
{
	return sum_segments(rows, theta, NPARAMS, add_segment, grad, hess, stop);
}

/* ---- fit ------------------------------------------------------------------------------------- */

/*
 * Twice the dropouts of repeat buyers per unit of their active time are nearer to the mean over everybody, which
 * holds those who left before they came back.
 */
static void
pareto_nbd_start(const Rows *rows, double *theta)
{
	TimingMoments m = timing_moments(rows);
	double		r = timing_shape(&m, 1);

	theta[P_R] = r;
	theta[P_ALPHA] = m.active > 0 ? r * m.active / m.purchases : 1;
	theta[P_S] = 0.5;
	theta[P_BETA] = m.repeat_active > 0 ?
		theta[P_S] * m.repeat_active / (2 * fmax(m.gone, 0.01 * m.customers)) : 1;
}

static void
pareto_nbd_ran_off(const double *theta, const char **reason, const char **hint)
{
	double		rate = theta[P_R] / theta[P_ALPHA];
	double		dropout = theta[P_S] / theta[P_BETA];

	*hint = "Fit a longer history, or a larger group of customers.";
	if (dropout < rate / LIMIT)
		*reason = "s / beta runs off to zero: the data show no dropout";
	else if (theta[P_R] > LIMIT)
		*reason = "r and alpha run off to infinity: customers do not differ in their rates";
	else if (theta[P_S] > LIMIT)
		*reason = "s and beta run off to infinity: customers do not differ in their dropout";
	else if (theta[P_S] < 1 && (theta[P_S] < 1 / LIMIT || dropout > rate * LIMIT))
		*reason = "beta runs off to zero: customers leave at once or never";
	else if (dropout > rate * LIMIT)
	{
		*reason = "s / beta runs off to infinity: customers leave at once";
		*hint = "Check that the orders are complete up to as_of, or fit a longer history.";
	}
	else
	{
		*reason = "alpha runs off to zero: some purchases follow at no distance in time";
		*hint = "Count the orders of one day as one purchase; leave out test accounts.";
	}
}

static double
pareto_nbd_mean_rate(const double *theta)
{
	return theta[P_R] / theta[P_ALPHA];
}

static double
pareto_nbd_mean_dropout(const double *theta)
{
	return theta[P_S] / theta[P_BETA];
}

/* ---- predictions ----------------------------------------------------------------------------- */

/* Today's customer: log of the odds of having dropped out, and what he does given that he has not. */
typedef struct Posterior
{
	ParetoKernel alive;			/* as of today, time 0 */
	double		log_odds;		/* -INFINITY where the customer is certainly alive */
} Posterior;

static Posterior
posterior_of(const double *theta, const Customer *c)
{
	ParetoKernel k = kernel_of(theta, c->x);
	double		silent = c->t_cal - c->t_x;
	Posterior	p = {k, -INFINITY};

	p.alive.alpha += c->t_cal;
	p.alive.beta += c->t_cal;
	if (silent > 0)
		p.log_odds = log(pareto_dropout(&k, c->t_x, silent)) + k.R * log1p(silent / (k.alpha + c->t_x)) +
					 k.s * log1p(silent / (k.beta + c->t_x));
	return p;
}

static double
alive_now(const Posterior *p)
{
	return 1 / (1 + exp(p->log_odds));
}

/* Of a customer alive today, to be alive at t. */
static double
survival(const Posterior *p, double t)
{
	return exp(-p->alive.s * log1p(t / p->alive.beta));
}

static double
pareto_nbd_p_alive(const double *theta, const Customer *c, double t)
{
	Posterior	p = posterior_of(theta, c);

	return alive_now(&p) * survival(&p, t);
}

/* The integral of rate times survival; no case s = 1. */
static double
expected(const Posterior *p, double t)
{
	const ParetoKernel *k = &p->alive;
	double		reach = log1p(t / k->beta);
	double		alive = alive_now(p);
	double		time_alive;

	if (t == 0 || alive == 0)
		return 0;
	if (isinf(reach))
		time_alive = k->s > 1 ? k->beta / (k->s - 1) : INFINITY;
	else
		time_alive = k->beta * reach * phi((k->s - 1) * reach);
	return alive * (k->R / k->alpha) * time_alive;
}

static double
pareto_nbd_expected_purchases(const double *theta, const Customer *c, double t)
{
	Posterior	p = posterior_of(theta, c);

	return expected(&p, t);
}

/* Dropped out already, or alive at t without a purchase, or dropping out before one. */
static double
silence(const Posterior *p, double t)
{
	const ParetoKernel *k = &p->alive;
	double		stays = exp(-k->R * log1p(t / k->alpha) - k->s * log1p(t / k->beta));
	double		dead = 1 / (1 + exp(-p->log_odds));

	return at_most_1(dead + alive_now(p) * (stays + pareto_dropout(k, 0, t)));
}

static double
pareto_nbd_silence(const double *theta, const Customer *c, double t)
{
	Posterior	p = posterior_of(theta, c);

	return silence(&p, t);
}

static double
pareto_nbd_purchase_probability(const double *theta, const Customer *c, double n, double t)
{
	Posterior	p = posterior_of(theta, c);
	double		alive = alive_now(&p);

	if (n == 0)
		return silence(&p, t);
	if (t == 0 || alive == 0)
		return 0;
	return alive * at_most_1(pareto_count(&p.alive, n, t));
}

static double
purchase_intensity(double u, void *arg)
{
	const Posterior *p = arg;

	return p->alive.R / p->alive.alpha * survival(p, u);
}

static double
pareto_nbd_discounted_purchases(const double *theta, const Customer *c, double delta, double t)
{
	Posterior	p = posterior_of(theta, c);
	double		alive = alive_now(&p);

	if (delta == 0)
		return expected(&p, t);
	if (delta < 0 && isinf(t))
		return INFINITY;		/* purchases fade like a power of time only */
	if (t == 0 || alive == 0)
		return 0;
	return alive * discounted_integral(purchase_intensity, &p, fmax(p.alive.s, 1) / p.alive.beta, delta, t);
}

/* ---- simulation ------------------------------------------------------------------------------ */

static void
pareto_nbd_simulate(const double *theta, double t, Random *random, EmitPurchase emit, void *arg)
{
	double		rate = random_gamma(random, theta[P_R]) / theta[P_ALPHA];
	double		dropout = random_gamma(random, theta[P_S]) / theta[P_BETA];
	double		end = fmin(t, random_exponential(random) / dropout);
	double		at = random_exponential(random) / rate;

	while (at <= end && emit(at, arg))
		at += random_exponential(random) / rate;
}

const ModelKind pareto_nbd_model = {
	.code = 3,
	.kind = "pareto_nbd",
	.title = "Pareto/NBD",
	.reads = ROWS_TIMING,
	.nparams = NPARAMS,
	.params = params,
	.covariates = COVARIATES_DROPOUT_RATE,
	.undetermined = timing_undetermined,
	.start = pareto_nbd_start,
	.log_likelihood = pareto_nbd_log_likelihood,
	.ran_off = pareto_nbd_ran_off,
	.mean_rate = pareto_nbd_mean_rate,
	.mean_dropout = pareto_nbd_mean_dropout,
	.p_alive = pareto_nbd_p_alive,
	.expected_purchases = pareto_nbd_expected_purchases,
	.silence = pareto_nbd_silence,
	.purchase_probability = pareto_nbd_purchase_probability,
	.discounted_purchases = pareto_nbd_discounted_purchases,
	.simulate = pareto_nbd_simulate,
};
