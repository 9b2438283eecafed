/*
 * bg_likelihood.c - what BG/NBD, MBG/NBD and their variants for regular buyers share.
 *
 * With R = r + k x, A = alpha + T, n the chances to leave and q the odds of being dead, one customer adds
 *   log Gamma(R)/Gamma(r) - r log(1 + T/alpha) - k x log A + log B(a, b+n)/B(a, b) + log(S + q),
 *   log q = log a - log(b + (n - 1)) + R log(1 + (T - t_x) / (alpha + t_x)),
 *   S = sum over j < k of (R)_j / j! ((T - t_x) / A)^j, which is 1 for k = 1.
 * Everything that depends on x alone is computed once per segment of rows with equal x.
 */
#include "math/bg_likelihood.h"

#include <math.h>

#include "math/special.h"
#include "math/timing_rows.h"

#define LOG_ODDS_MAX 700.0		/* beyond, the odds overflow, and log(1 + q) is log q */
#define LIMIT 1e3				/* a parameter that ran off is beyond, see bg_ran_off() */
#define RESCALE 1e200

const char *const bg_params[BG_PARAMS + 1] = {"r", "alpha", "a", "b", "k"};

/*
 * Sums over the customers of a segment. The terms in 1/alpha - 1/A are kept as share / alpha, so that nothing
 * cancels when r and alpha run off together. The odds are q / S; pi = q / (S + q) = P(dead), v = pi (1 - pi).
 */
typedef struct SegmentSums
{
	double		n;
	double		log_age;		/* log(1 + T / alpha) */
	double		share;			/* T / A */
	double		inv_age;		/* 1 / A */
	double		share_inv_age;
	double		pi;
	double		v;
	double		v_r;			/* v times the slopes of the log odds in r and alpha */
	double		v_alpha;
	double		ending;			/* log(S + q) and its derivatives in r and alpha */
	double		ending_r;
	double		ending_alpha;
	double		ending_rr;
	double		ending_ra;
	double		ending_aa;
} SegmentSums;

/* What of a customer's row depends on time, see the top of the file. */
typedef struct Timing
{
	double		last_t_x;		/* that of log_last and inv_last: sorted rows repeat t_x before they repeat T */
	double		log_last;		/* log(1 + t_x / alpha) */
	double		inv_last;		/* 1 / (alpha + t_x) */
	double		silent;			/* T - t_x */
	double		inv_age;
	double		l;				/* slope of log q in r */
	double		u;				/* slope of log q in alpha, by R */
} Timing;

static inline void
add_timing(const double *row, double alpha, Timing *t, SegmentSums *sums)
{
	double		t_x = row[1];
	double		t_cal = row[2];
	double		count = row[3];
	double		inv_age = 1 / (alpha + t_cal);
	double		share = t_cal * inv_age;

	if (t_x != t->last_t_x)
	{
		t->last_t_x = t_x;
		t->log_last = log1p(t_x / alpha);
		t->inv_last = 1 / (alpha + t_x);
	}
	t->silent = t_cal - t_x;
	t->inv_age = inv_age;
	t->l = log1p(t->silent * t->inv_last);
	t->u = -t->silent * t->inv_last * inv_age;

	sums->n += count;
	sums->log_age += count * (t->log_last + t->l);
	sums->share += count * share;
	sums->inv_age += count * inv_age;
	sums->share_inv_age += count * share * inv_age;
}

/* log(1 + q), and pi = q / (1 + q) */
static inline double
log_one_plus(double log_q, double *pi)
{
	double		q;

	*pi = 1;
	if (log_q >= LOG_ODDS_MAX)
		return log_q;
	q = exp(log_q);
	*pi = q / (1 + q);
	return log(1 + q);
}

/* Customers who are certainly alive, without phases. */
static void
sum_alive(const double *row, const double *end, double alpha, SegmentSums *sums)
{
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

/* R is the same in all rows, and multiplies at the end. */
static void
sum_without_phases(const double *row, const double *end, double alpha, double R, double log_scale, SegmentSums *sums)
{
	Timing		t = {.last_t_x = NAN};
	double		pi_du = 0;
	double		v_uu = 0;

	for (; row < end; row += 4)
	{
		double		count = row[3];
		double		pi;

		add_timing(row, alpha, &t, sums);
		sums->ending += count * log_one_plus(log_scale + R * t.l, &pi);

		double		count_pi = count * pi;
		double		v = count_pi * (1 - pi);

		sums->pi += count_pi;
		sums->v += v;
		sums->v_r += v * t.l;
		sums->v_alpha += v * t.u;
		sums->ending_r += count_pi * t.l;
		sums->ending_alpha += count_pi * t.u;
		sums->ending_rr += v * t.l * t.l;
		sums->ending_ra += v * t.l * t.u;
		pi_du -= count_pi * t.u * (t.inv_last + t.inv_age);
		v_uu += v * t.u * t.u;
	}
	sums->ending_ra = sums->ending_alpha + R * sums->ending_ra;
	sums->ending_aa = R * (pi_du + R * v_uu);
	sums->ending_alpha *= R;
	sums->v_alpha *= R;
}

/* log S and its derivatives in r and alpha */
typedef struct PhaseSum
{
	double		log_sum;
	double		r;
	double		alpha;
	double		rr;
	double		ra;
	double		aa;
} PhaseSum;

/*
 * Under the weights of the terms of S, with h_j the slope of log (R)_j: d/dr is the mean of h, d/dalpha that of
 * -j / A, and the second derivatives are their variances and covariance and the means of their slopes.
 */
static PhaseSum
sum_phases(double R, double v, double inv_age, double k)
{
	PhaseSum	s = {0};
	double		term = 1;
	double		h = 0;
	double		hh = 0;			/* h^2 + its slope */
	double		inv_squares = 0;
	double		sum = 1;
	double		sum_h = 0;
	double		sum_hh = 0;
	double		sum_j = 0;
	double		sum_jj = 0;
	double		sum_hj = 0;

	for (double j = 1; j < k; j++)
	{
		double		inv = 1 / (R + (j - 1));

		term *= (R + (j - 1)) / j * v;
		h += inv;
		inv_squares += inv * inv;
		hh = h * h - inv_squares;
		sum += term;
		sum_h += term * h;
		sum_hh += term * hh;
		sum_j += term * j;
		sum_jj += term * j * j;
		sum_hj += term * h * j;
		if (sum > RESCALE)
		{
			term /= RESCALE;
			sum /= RESCALE;
			sum_h /= RESCALE;
			sum_hh /= RESCALE;
			sum_j /= RESCALE;
			sum_jj /= RESCALE;
			sum_hj /= RESCALE;
			s.log_sum += log(RESCALE);
		}
	}
	s.log_sum += log(sum);
	s.r = sum_h / sum;
	s.alpha = -sum_j / sum * inv_age;
	s.rr = sum_hh / sum - s.r * s.r;
	s.ra = -sum_hj / sum * inv_age - s.r * s.alpha;
	s.aa = (sum_jj + sum_j) / sum * inv_age * inv_age - s.alpha * s.alpha;
	return s;
}

static void
sum_with_phases(const double *row, const double *end, double alpha, double R, double k, double log_scale,
				SegmentSums *sums)
{
	Timing		t = {.last_t_x = NAN};

	for (; row < end; row += 4)
	{
		double		count = row[3];
		double		pi;

		add_timing(row, alpha, &t, sums);

		PhaseSum	s = sum_phases(R, t.silent * t.inv_age, t.inv_age, k);

		sums->ending += count * (s.log_sum + log_one_plus(log_scale + R * t.l - s.log_sum, &pi));

		double		alive = count * (1 - pi);
		double		dead = count * pi;
		double		v = dead * (1 - pi);
		double		odds_r = t.l - s.r;
		double		odds_alpha = R * t.u - s.alpha;

		sums->pi += dead;
		sums->v += v;
		sums->v_r += v * odds_r;
		sums->v_alpha += v * odds_alpha;
		sums->ending_r += alive * s.r + dead * t.l;
		sums->ending_alpha += alive * s.alpha + dead * R * t.u;
		sums->ending_rr += alive * s.rr + v * odds_r * odds_r;
		sums->ending_ra += alive * s.ra + dead * t.u + v * odds_r * odds_alpha;
		sums->ending_aa += alive * s.aa - dead * R * t.u * (t.inv_last + t.inv_age) + v * odds_alpha * odds_alpha;
	}
}

static double
segment_value(double x, double events, double chances, double k, const SegmentSums *s, const double *theta)
{
	return s->n * (log_gamma_ratio(theta[BG_R], events) + log_beta_ratio(theta[BG_A], theta[BG_B], chances) -
				   events * log(theta[BG_ALPHA]) - x * log_gamma_ratio(1, k - 1)) -
		   (theta[BG_R] + events) * s->log_age + s->ending;
}

static void
add_gradient(double events, double chances, const SegmentSums *s, const double *theta, double *grad)
{
	double		a = theta[BG_A];
	double		b = theta[BG_B];
	double		psi_sum = digamma_difference(a + b, chances);

	grad[BG_R] += s->n * digamma_difference(theta[BG_R], events) - s->log_age + s->ending_r;
	grad[BG_ALPHA] += theta[BG_R] * s->share / theta[BG_ALPHA] - events * s->inv_age + s->ending_alpha;
	grad[BG_A] += s->pi / a - s->n * psi_sum;
	if (chances > 0)
		grad[BG_B] += s->n * (digamma_difference(b, chances) - psi_sum) - s->pi / (b + (chances - 1));
}

/* the upper triangle */
static void
add_hessian(double events, double chances, const SegmentSums *s, const double *theta, double (*hess)[BTYD_MAX_PARAMS])
{
	double		r = theta[BG_R];
	double		alpha = theta[BG_ALPHA];
	double		a = theta[BG_A];
	double		b = theta[BG_B];
	double		inv_b = chances > 0 ? 1 / (b + (chances - 1)) : 0;
	double		psi1_sum = trigamma_difference(a + b, chances);

	hess[BG_R][BG_R] += s->n * trigamma_difference(r, events) + s->ending_rr;
	hess[BG_R][BG_ALPHA] += s->share / alpha + s->ending_ra;
	hess[BG_R][BG_A] += s->v_r / a;
	hess[BG_R][BG_B] -= s->v_r * inv_b;
	hess[BG_ALPHA][BG_ALPHA] += (events * (s->inv_age - s->share_inv_age) -
								 r * (s->share / alpha + s->share_inv_age)) / alpha + s->ending_aa;
	hess[BG_ALPHA][BG_A] += s->v_alpha / a;
	hess[BG_ALPHA][BG_B] -= s->v_alpha * inv_b;
	hess[BG_A][BG_A] += (s->v - s->pi) / a / a - s->n * psi1_sum;
	hess[BG_A][BG_B] -= s->n * psi1_sum + s->v * inv_b / a;
	hess[BG_B][BG_B] += s->n * (trigamma_difference(b, chances) - psi1_sum) + (s->v + s->pi) * inv_b * inv_b;
}

void
bg_add_segment(const double *row, const double *end, double chances, double k, Likelihood *sum)
{
	const double *theta = sum->theta;
	double		x = row[0];
	double		events = k * x;
	double		R = theta[BG_R] + events;
	double		log_scale = chances > 0 ? log(theta[BG_A]) - log(theta[BG_B] + (chances - 1)) : -INFINITY;
	SegmentSums sums = {0};

	if (k > 1)
		sum_with_phases(row, end, theta[BG_ALPHA], R, k, log_scale, &sums);
	else if (chances > 0)
		sum_without_phases(row, end, theta[BG_ALPHA], R, log_scale, &sums);
	else
		sum_alive(row, end, theta[BG_ALPHA], &sums);
	sum->value += segment_value(x, events, chances, k, &sums, theta);
	if (sum->wants_gradient)
		add_gradient(events, chances, &sums, theta, sum->gradient);
	if (sum->wants_hessian)
		add_hessian(events, chances, &sums, theta, sum->hessian);
}

double
bg_phases_log_likelihood(const Rows *rows, const double *theta, AddSegment add, double *grad, double *hess,
						 const FitStop *stop)
{
	double		value = sum_segments(rows, theta, BG_PARAMS, add, grad, hess, stop);

	/* without phases the times between purchases do not matter, and need not be known */
	return theta[BG_K] > 1 ? value + (theta[BG_K] - 1) * rows->log_gaps : value;
}

bool
bg_phases_undetermined(const Rows *rows, const char **reason, const char **hint)
{
	if (timing_undetermined(rows, reason, hint))
		return true;
	if (isfinite(rows->log_gaps))
		return false;
	*reason = "how regularly customers buy cannot be seen: the times between purchases are not known";
	*hint = "Make the sample from histories by clv_sample(history, as_of, unit), or give each customer's sum of the "
			"logarithms of the times between purchases as the fourth number of the fit.";
	return true;
}

/* As dropouts count the repeat buyers who are gone, per purchase. */
void
bg_start(const Rows *rows, double k, double *theta)
{
	TimingMoments m = timing_moments(rows);
	double		r = timing_shape(&m, k);
	double		p = fmin(fmax(m.gone / m.purchases, 0.01), 0.5);

	theta[BG_R] = r;
	theta[BG_ALPHA] = m.active > 0 ? r * m.active / (k * m.purchases) : 1;
	theta[BG_A] = 1;
	theta[BG_B] = (1 - p) / p;
}

void
bg_ran_off(const double *theta, const char **reason, const char **hint)
{
	double		dropouts = theta[BG_A] + theta[BG_B];

	*hint = "Fit a longer history, or a larger group of customers.";
	if (theta[BG_A] < dropouts / LIMIT)
		*reason = "a / b runs off to zero: the data show no dropout";
	else if (theta[BG_B] < dropouts / LIMIT)
	{
		*reason = "a / b runs off to infinity: nearly all customers stop at their first chance";
		*hint = "Check that the orders are complete up to as_of, or fit a longer history.";
	}
	else if (dropouts > LIMIT)
		*reason = "a and b run off to infinity: customers do not differ in their dropout";
	else if (dropouts < 1 / LIMIT)
		*reason = "a and b run off to zero: customers stop at their first chance or never";
	else if (theta[BG_R] > LIMIT)
		*reason = "r and alpha run off to infinity: customers do not differ in their rates";
	else
	{
		*reason = "alpha runs off to zero: some purchases follow at no distance in time";
		*hint = "Count the orders of one day as one purchase; leave out test accounts.";
	}
}

double
bg_mean_rate(const double *theta, double k)
{
	return theta[BG_R] / theta[BG_ALPHA] / k;
}

double
bg_mean_dropout(const double *theta)
{
	/* halved, so that the sum cannot overflow */
	return 0.5 * theta[BG_A] / (0.5 * theta[BG_A] + 0.5 * theta[BG_B]);
}

void
bg_simulate(const double *theta, double k, bool leaves_at_once, double t, Random *random, EmitPurchase emit, void *arg)
{
	double		rate = random_gamma(random, theta[BG_R]) / theta[BG_ALPHA];
	double		dropout = random_beta(random, theta[BG_A], theta[BG_B]);
	double		at = 0;

	if (leaves_at_once && random_uniform(random) < dropout)
		return;
	do
	{
		at += (k > 1 ? random_gamma(random, k) : random_exponential(random)) / rate;
		if (!(at <= t) || !emit(at, arg))
			return;
	} while (random_uniform(random) >= dropout);
}

/* The customer after `events`, of whom nothing is known but that the last of them was a purchase at t_x. */
static BetaGeometric
posterior(const double *theta, const Customer *c, double events, double chances)
{
	BetaGeometric g = {theta[BG_R] + events, theta[BG_ALPHA] + c->t_cal, theta[BG_A], theta[BG_B] + chances, -INFINITY};

	if (chances > 0)
		g.log_dead_odds = log(theta[BG_A]) - log(theta[BG_B] + (chances - 1)) +
						  g.R * log1p((c->t_cal - c->t_x) / (theta[BG_ALPHA] + c->t_x));
	return g;
}

BetaGeometric
bg_posterior(const double *theta, const Customer *c, double chances)
{
	return posterior(theta, c, c->x, chances);
}

BetaGeometricPhases
bg_phases_posterior(const double *theta, const Customer *c, double chances)
{
	BetaGeometricPhases g = {posterior(theta, c, theta[BG_K] * c->x, chances), theta[BG_K]};

	g.silent = (c->t_cal - c->t_x) / g.at_once.A;
	g.log_phases = log_phases(g.at_once.R, g.silent, g.k);
	g.at_once.log_dead_odds -= g.log_phases;
	return g;
}
