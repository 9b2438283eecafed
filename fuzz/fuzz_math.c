/*
 * fuzz_math.c - libFuzzer target: random valid customers, parameters and samples through the
 * predictions, likelihoods and fits of every model. Whatever the numbers, results are finite or infinite where
 * that is documented, probabilities are probabilities, and more time never means fewer purchases. That everything
 * ends is watched by libFuzzer's -timeout.
 */
#include "fuzz_input.h"

#include "math/beta_geometric.h"
#include "math/fit.h"

static void
check_probability(double p)
{
	CHECK(p >= 0 && p <= 1);
}

/* ---- what BG/NBD and MBG/NBD share ------------------------------------------------------------- */

static void
check_beta_geometric(const BetaGeometric *g, double t, double later, double delta, double n)
{
	double		alive = beta_geometric_p_alive(g, 0);
	double		expected = beta_geometric_expected(g, t);
	double		expected_later = beta_geometric_expected(g, later);
	double		discounted = beta_geometric_discounted(g, delta, t);

	check_probability(alive);
	check_probability(beta_geometric_p_alive(g, t));
	check_probability(beta_geometric_silence(g, t));
	check_probability(beta_geometric_probability(g, 0, t));
	check_probability(beta_geometric_probability(g, n, t));
	CHECK(beta_geometric_p_alive(g, t) <= alive * (1 + ROUNDING));
	CHECK(beta_geometric_p_alive(g, later) <= beta_geometric_p_alive(g, t) * (1 + ROUNDING) + NOTHING);
	CHECK(beta_geometric_silence(g, later) <= beta_geometric_silence(g, t));
	CHECK(isfinite(expected) && expected >= 0);
	CHECK(expected <= alive * g->R / g->A * t * (1 + ROUNDING));
	CHECK(isfinite(expected_later) && expected_later >= expected * (1 - ROUNDING));
	CHECK(isfinite(discounted) && discounted >= 0 && discounted <= expected * (1 + ROUNDING));

	discounted = beta_geometric_discounted(g, delta, INFINITY);
	CHECK(isfinite(discounted) && discounted <= alive * g->R / g->A / delta * (1 + ROUNDING));
	discounted = beta_geometric_discounted(g, -delta, t);
	CHECK(discounted >= expected * (1 - ROUNDING));
}

static void
fuzz_beta_geometric(Bytes *in)
{
	const double theta[] = {next_positive(in, 1e-5, 1e5), next_positive(in, 1e-5, 1e6),
							next_positive(in, 1e-5, 1e6), next_positive(in, 1e-5, 1e6)};
	Customer	c = next_customer(in, ROWS_TIMING);
	double		t = next_positive(in, 1e-4, 1e5);
	double		later = t * (1 + next_fraction(in) * next_byte(in));
	double		delta = next_positive(in, 1e-9, 10);
	double		n = 1 + next_count(in) * (1 + next_byte(in));
	BetaGeometric g = {theta[0] + c.x, theta[1] + c.t_cal, theta[2], theta[3] + c.x, -INFINITY};
	BetaGeometric uncertain = g;

	check_beta_geometric(&g, t, later, delta, n);
	uncertain.log_dead_odds = (next_fraction(in) - 0.5) * 4000;
	check_beta_geometric(&uncertain, t, later, delta, n);
}

/* ---- predictions of purchases ------------------------------------------------------------------ */

/* A customer of a model, and the times that are asked about. */
typedef struct Asked
{
	const ModelKind *model;
	double		theta[BTYD_MAX_PARAMS];
	Customer	c;
	double		t;
	double		later;
	double		delta;
} Asked;

/* No model lets a customer who is alive buy more often than this. */
static double
most_purchases(const Asked *a)
{
	double		k = a->model->counts_phases ? a->theta[a->model->nparams - 1] : 1;

	if (a->model->reads == ROWS_OPPORTUNITIES)
		return a->t;
	return (a->theta[0] + k * a->c.x + k - 1) / (a->theta[1] + a->c.t_cal) * a->t;
}

static void
check_alive(const Asked *a)
{
	double		alive = a->model->p_alive(a->theta, &a->c, 0);
	double		alive_then = a->model->p_alive(a->theta, &a->c, a->t);
	double		alive_later = a->model->p_alive(a->theta, &a->c, a->later);
	double		silent = a->model->silence(a->theta, &a->c, a->t);
	double		silent_later = a->model->silence(a->theta, &a->c, a->later);
	double		silent_forever = a->model->silence(a->theta, &a->c, INFINITY);

	check_probability(alive);
	check_probability(alive_then);
	check_probability(alive_later);
	check_probability(silent);
	check_probability(silent_later);
	check_probability(silent_forever);
	CHECK(a->model->p_alive(a->theta, &a->c, INFINITY) == 0);
	CHECK(alive_then <= alive * (1 + ROUNDING) + NOTHING);
	CHECK(alive_later <= alive_then * (1 + ROUNDING) + NOTHING);
	CHECK(silent_later <= silent * (1 + ROUNDING));
	CHECK(silent_forever <= silent_later * (1 + ROUNDING));
	CHECK(1 - silent <= alive + ROUNDING);
}

static void
check_expected(const Asked *a)
{
	const ModelKind *m = a->model;
	double		expected = m->expected_purchases(a->theta, &a->c, a->t);
	double		later = m->expected_purchases(a->theta, &a->c, a->later);
	double		ever = m->expected_purchases(a->theta, &a->c, INFINITY);
	double		discounted = m->discounted_purchases(a->theta, &a->c, a->delta, a->t);
	double		discounted_ever = m->discounted_purchases(a->theta, &a->c, a->delta, INFINITY);
	double		alive = m->p_alive(a->theta, &a->c, 0);

	CHECK(isfinite(expected) && expected >= 0);
	CHECK(expected <= alive * most_purchases(a) * (1 + ROUNDING) + NOTHING);
	CHECK(expected >= 1 - m->silence(a->theta, &a->c, a->t) - ROUNDING);
	CHECK(isfinite(later) && later >= expected * (1 - ROUNDING));
	CHECK(!isnan(ever) && ever >= later * (1 - ROUNDING));
	CHECK(isfinite(discounted) && discounted >= 0 && discounted <= expected * (1 + ROUNDING) + NOTHING);
	CHECK(fabs(m->discounted_purchases(a->theta, &a->c, 0, a->t) - expected) <= expected * ROUNDING + NOTHING);
	CHECK(isfinite(discounted_ever) && discounted_ever >= discounted * (1 - ROUNDING));
	CHECK(discounted_ever <= ever * (1 + ROUNDING) + NOTHING);
	CHECK(m->discounted_purchases(a->theta, &a->c, -a->delta, a->t) >= expected * (1 - ROUNDING));
}

#define MOST_COUNTED 12

/* They sum to at most 1, and the rest is MOST_COUNTED purchases or more. */
static void
check_counts(const Asked *a, double n)
{
	double		expected = a->model->expected_purchases(a->theta, &a->c, a->t);
	double		silent = a->model->silence(a->theta, &a->c, a->t);
	double		sum = 0;
	double		mean = 0;

	for (int i = 0; i < MOST_COUNTED; i++)
	{
		double		p = a->model->purchase_probability(a->theta, &a->c, i, a->t);

		check_probability(p);
		sum += p;
		mean += i * p;
	}
	CHECK(sum <= 1 + ROUNDING);
	CHECK(mean + MOST_COUNTED * (1 - sum) <= expected * (1 + ROUNDING) + MOST_COUNTED * ROUNDING);
	CHECK(fabs(a->model->purchase_probability(a->theta, &a->c, 0, a->t) - silent) <= silent * ROUNDING + NOTHING);
	check_probability(a->model->purchase_probability(a->theta, &a->c, n, a->t));
	check_probability(a->model->purchase_probability(a->theta, &a->c, n, INFINITY));
}

static void
fuzz_purchases(const ModelKind *model, Bytes *in)
{
	Asked		a = {.model = model};
	double		n;

	next_theta(in, model, 1e-5, 1e6, a.theta);
	a.c = next_customer(in, model->reads);
	if (model->reads == ROWS_OPPORTUNITIES)
	{
		a.t = 1 + next_count(in);
		a.later = a.t + next_count(in);
	}
	else
	{
		a.t = next_positive(in, 1e-4, 1e5);
		a.later = a.t * (1 + next_fraction(in) * next_byte(in));
	}
	a.delta = next_positive(in, 1e-9, 10);
	n = 1 + next_count(in) * (1 + next_byte(in));
	if (model->reads == ROWS_OPPORTUNITIES)
		n = fmin(n, 1e5);		/* more opportunities taken are refused in SQL: that is a sum over them */

	check_alive(&a);
	check_expected(&a);
	check_counts(&a, n);
	CHECK(isfinite(model->mean_rate(a.theta)) && model->mean_rate(a.theta) > 0);
	CHECK(isfinite(model->mean_dropout(a.theta)) && model->mean_dropout(a.theta) > 0);
}

/* ---- predictions of renewals and of spend ------------------------------------------------------ */

static void
check_lifetime(const ModelKind *model, const double *theta, double rate, double tenure)
{
	double		life = model->expected_lifetime(theta, rate, tenure);
	double		least = tenure == 0 ? 1 : 0;

	CHECK(isfinite(life) && life >= least && life <= (1 + 1 / rate) * (1 + ROUNDING));
	CHECK(model->expected_lifetime(theta, 2 * rate, tenure) <= life * (1 + ROUNDING));
	CHECK(model->expected_lifetime(theta, 0, tenure) >= life * (1 - ROUNDING));
}

static void
fuzz_renewals(const ModelKind *model, Bytes *in)
{
	double		theta[BTYD_MAX_PARAMS];
	double		t;
	double		later;
	double		log_survival;

	/* a power of time in the exponent is no wilder than 1/30 and 30 */
	next_theta(in, model, 1e-3, 1e5, theta);
	if (model->nparams > 2)
		theta[2] = next_positive(in, 1 / 30.0, 30);
	t = next_count(in);
	later = t + next_count(in);
	log_survival = model->log_survival(theta, t);

	CHECK(model->log_survival(theta, 0) == 0);
	CHECK(model->log_survival(theta, INFINITY) == -INFINITY);
	CHECK(isfinite(log_survival) && log_survival <= 0);
	CHECK(isfinite(model->log_survival(theta, later)));
	CHECK(model->log_survival(theta, later) <= log_survival * (1 - ROUNDING));
	check_lifetime(model, theta, next_positive(in, 1e-6, 10), next_count(in));
	CHECK(model->mean_dropout(theta) > 0 && model->mean_dropout(theta) <= 1);
}

static void
fuzz_spend(const ModelKind *model, Bytes *in)
{
	double		theta[BTYD_MAX_PARAMS];
	double		x;
	double		mean;
	double		expected;
	double		character;
	Random		random;

	next_theta(in, model, 1e-3, 1e4, theta);
	x = next_count(in);
	mean = next_positive(in, 0.01, 1e5);
	expected = model->expected_spend(theta, x, mean);
	/* q <= 1: without enough purchases there is no mean */
	CHECK(isnan(expected) ? theta[0] * x + theta[1] <= 1 : isfinite(expected) && expected > 0);

	random_seed(&random, next_byte(in));
	character = model->draw_customer(theta, &random);
	for (int i = 0; i < 3; i++)
		CHECK(model->draw_amount(theta, character, &random) >= 0);
}

/* ---- simulation -------------------------------------------------------------------------------- */

typedef struct Emitted
{
	double		last;
	double		until;
	bool		whole;			/* in periods */
	int			n;
	int			most;
} Emitted;

static bool
emit(double at, void *arg)
{
	Emitted    *e = arg;

	CHECK(e->n < e->most);		/* nothing comes after the end was asked for */
	CHECK(at > 0 && at >= e->last && at <= e->until);
	CHECK(!e->whole || at == floor(at));
	e->last = at;
	return ++e->n < e->most;
}

static void
fuzz_simulation(const ModelKind *model, Bytes *in)
{
	double		theta[BTYD_MAX_PARAMS];
	Emitted		e = {.whole = model->reads != ROWS_TIMING};
	Random		random;

	next_theta(in, model, 1e-4, 1e5, theta);
	if (model->reads == ROWS_RENEWALS && model->nparams > 2)
		theta[2] = next_positive(in, 1 / 30.0, 30);
	e.until = e.whole ? next_count(in) : next_positive(in, 1e-4, 1e5);
	e.most = 1 + next_byte(in);
	random_seed(&random, next_byte(in));
	model->simulate(theta, e.until, &random, emit, &e);
}

/* ---- likelihoods and fits ---------------------------------------------------------------------- */

static void
check_likelihood(const ModelKind *model, const Rows *rows, const double *theta)
{
	double		grad[BTYD_MAX_PARAMS];
	double		hess[BTYD_MAX_PARAMS * BTYD_MAX_PARAMS];
	double		value = model->log_likelihood(rows, theta, grad, hess, NULL);
	int			k = model->nparams - (model->counts_phases ? 1 : 0);

	CHECK(isfinite(value));
	CHECK(fabs(value - model->log_likelihood(rows, theta, NULL, NULL, NULL)) <= ROUNDING * fabs(value) + ROUNDING);
	for (int i = 0; i < k; i++)
	{
		CHECK(isfinite(grad[i]));
		for (int j = 0; j < k; j++)
			CHECK(isfinite(hess[i * k + j]) && hess[i * k + j] == hess[j * k + i]);
	}
}

static void
check_fit(const ModelKind *model, const Rows *rows)
{
	FitResult	fit;

	btyd_fit(model, rows, NULL, NULL, &fit);
	CHECK(fit.status == FIT_CONVERGED || fit.status == FIT_NOT_CONVERGED || fit.status == FIT_IMPOSSIBLE);
	CHECK((fit.reason == NULL) == (fit.status == FIT_CONVERGED));
	if (fit.status == FIT_IMPOSSIBLE)
		return;
	CHECK(isfinite(fit.log_likelihood));
	CHECK(fit.nparams == model->nparams && fit.own_weight == 1);
	for (int i = 0; i < model->nparams; i++)
	{
		double		variance = fit.covariance[i * model->nparams + i];

		CHECK(isfinite(fit.theta[i]) && fit.theta[i] > 0);
		if (fit.has_covariance)
			CHECK(param_scale(model, i) == SCALE_NONE ? variance == 0 : variance > 0);
	}
}

static void
fuzz_fit(const ModelKind *model, Bytes *in)
{
	double		theta[BTYD_MAX_PARAMS];
	FuzzRows	data;

	next_theta(in, model, 1e-3, 1e4, theta);
	if (model->reads == ROWS_RENEWALS && model->nparams > 2)
		theta[2] = next_positive(in, 0.1, 10);
	next_rows(in, model->reads, 0, &data);
	if (model->counts_phases && isnan(data.rows.log_gaps))
		data.rows.log_gaps = 0;
	check_likelihood(model, &data.rows, theta);
	check_fit(model, &data.rows);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Bytes		in = {data, data + size};
	unsigned	what = next_byte(&in) % 8;
	const ModelKind *model = next_model(&in);

	if (what == 0)
		fuzz_beta_geometric(&in);
	else if (what <= 2)
		fuzz_fit(model, &in);
	else if (what == 3 && model->simulate != NULL)
		fuzz_simulation(model, &in);
	else if (model->reads == ROWS_SPEND)
		fuzz_spend(model, &in);
	else if (model->reads == ROWS_RENEWALS)
		fuzz_renewals(model, &in);
	else
		fuzz_purchases(model, &in);
	return 0;
}
