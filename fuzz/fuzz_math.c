/*
 * fuzz_math.c - libFuzzer target: random valid customers, parameters and samples through the
 * predictions, likelihoods and fits. Whatever the numbers, results are finite, probabilities are
 * probabilities, and more time never means fewer purchases. That everything ends is watched by
 * libFuzzer's -timeout.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "math/beta_geometric.h"
#include "math/btyd_model.h"
#include "math/fit.h"

#define MAX_ROWS 24
#define ROUNDING 1e-9			/* relative */

#define CHECK(condition) \
	do \
	{ \
		if (!(condition)) \
		{ \
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

/* ---- input ----------------------------------------------------------------------------------- */

typedef struct Bytes
{
	const uint8_t *at;
	const uint8_t *end;
} Bytes;

static unsigned
next_byte(Bytes *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

static double
next_fraction(Bytes *in)
{
	unsigned	high = next_byte(in);

	return (high * 256 + next_byte(in)) / 65535.0;
}

/* mostly log-uniform between lo and hi, sometimes next to 1, where formulas have poles */
static double
next_positive(Bytes *in, double lo, double hi)
{
	static const double poles[] = {1, 1 + 1e-14, 1 - 1e-14, 1 + 1e-9, 2, 3, 0.5, 10};
	unsigned	kind = next_byte(in);

	if (kind < 64)
		return poles[kind % (sizeof(poles) / sizeof(poles[0]))];
	return lo * exp(next_fraction(in) * log(hi / lo));
}

static double
next_count(Bytes *in)
{
	unsigned	kind = next_byte(in);

	return kind < 128 ? kind % 8 : floor(exp(next_fraction(in) * log(kind < 240 ? 100 : 4000)));
}

static Customer
next_customer(Bytes *in)
{
	Customer	c = {next_count(in), 0, 0};
	unsigned	kind = next_byte(in);

	if (c.x > 0 || kind % 4 > 0)
		c.t_cal = kind % 2 ? 1 + next_byte(in) / 7.0 : next_positive(in, 1e-3, 1e4);
	if (c.x > 0)
		c.t_x = kind >= 192 ? c.t_cal : c.t_cal * fmax(next_fraction(in), 1e-3);
	return c;
}

static int
compare_rows(const void *a, const void *b)
{
	const double *x = a;
	const double *y = b;

	for (int i = 0; i < 3; i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}

/* Sort and fold rows of three columns and a count. */
static size_t
fold(double (*data)[4], size_t n)
{
	size_t		kept = 0;

	qsort(data, n, sizeof(data[0]), compare_rows);
	for (size_t i = 0; i < n; i++)
	{
		if (kept > 0 && compare_rows(data[kept - 1], data[i]) == 0)
			data[kept - 1][3] += data[i][3];
		else
			memmove(data[kept++], data[i], sizeof(data[0]));
	}
	return kept;
}

/* ---- predictions ----------------------------------------------------------------------------- */

static void
check_probability(double p)
{
	CHECK(p >= 0 && p <= 1);
}

static void
check_predictions(const BetaGeometric *g, double t, double later, double delta, double n)
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
	CHECK(beta_geometric_p_alive(g, later) <=
		  beta_geometric_p_alive(g, t) * (1 + ROUNDING) + 1e-300);
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
fuzz_predictions(Bytes *in)
{
	const double theta[] = {next_positive(in, 1e-5, 1e5), next_positive(in, 1e-5, 1e6),
							next_positive(in, 1e-5, 1e6), next_positive(in, 1e-5, 1e6)};
	Customer	c = next_customer(in);
	double		t = next_positive(in, 1e-4, 1e5);
	double		later = t * (1 + next_fraction(in) * next_byte(in));
	double		delta = next_positive(in, 1e-9, 10);
	double		n = 1 + next_count(in) * (1 + next_byte(in));
	BetaGeometric g = {theta[0] + c.x, theta[1] + c.t_cal, theta[2], theta[3] + c.x, -INFINITY};
	BetaGeometric uncertain = g;

	check_predictions(&g, t, later, delta, n);
	uncertain.log_dead_odds = (next_fraction(in) - 0.5) * 4000;
	check_predictions(&uncertain, t, later, delta, n);

	check_probability(bgnbd_model.p_alive(theta, &c, 0));
	check_probability(bgnbd_model.p_alive(theta, &c, t));
	check_probability(bgnbd_model.silence(theta, &c, t));
	check_probability(bgnbd_model.purchase_probability(theta, &c, n, t));
	CHECK(bgnbd_model.expected_purchases(theta, &c, t) >= 0);
	CHECK(bgnbd_model.discounted_purchases(theta, &c, delta, INFINITY) >= 0);
}

/* ---- likelihoods and fits -------------------------------------------------------------------- */

static void
check_likelihood(const BtydModel *model, const Rows *rows, const double *theta)
{
	double		grad[BTYD_MAX_PARAMS];
	double		hess[BTYD_MAX_PARAMS * BTYD_MAX_PARAMS];
	double		value = model->log_likelihood(rows, theta, grad, hess, NULL);
	int			k = model->nparams;

	CHECK(isfinite(value));
	CHECK(value == model->log_likelihood(rows, theta, NULL, NULL, NULL));
	for (int i = 0; i < k; i++)
	{
		CHECK(isfinite(grad[i]));
		for (int j = 0; j < k; j++)
			CHECK(isfinite(hess[i * k + j]) && hess[i * k + j] == hess[j * k + i]);
	}
}

static void
check_fit(const BtydModel *model, const Rows *rows)
{
	FitResult	fit;

	btyd_fit(model, rows, NULL, NULL, &fit);
	CHECK(fit.status == FIT_CONVERGED || fit.status == FIT_NOT_CONVERGED ||
		  fit.status == FIT_IMPOSSIBLE);
	CHECK((fit.reason == NULL) == (fit.status == FIT_CONVERGED));
	if (fit.status == FIT_IMPOSSIBLE)
		return;
	CHECK(isfinite(fit.log_likelihood));
	for (int i = 0; i < model->nparams; i++)
	{
		CHECK(isfinite(fit.theta[i]) && fit.theta[i] > 0);
		if (fit.has_covariance)
			CHECK(fit.covariance[i * model->nparams + i] > 0);
	}
}

static void
fuzz_timing(Bytes *in)
{
	double		data[MAX_ROWS][4];
	size_t		n = 1 + next_byte(in) % MAX_ROWS;
	double		theta[4];

	for (int i = 0; i < 4; i++)
		theta[i] = next_positive(in, 1e-3, 1e4);
	for (size_t i = 0; i < n; i++)
	{
		Customer	c = next_customer(in);

		data[i][0] = c.x;
		data[i][1] = c.t_x;
		data[i][2] = c.t_cal;
		data[i][3] = 1 + next_byte(in) * next_byte(in);
	}

	const Rows	rows = {fold(data, n), 3, data[0]};

	check_likelihood(&bgnbd_model, &rows, theta);
	check_fit(&bgnbd_model, &rows);
}

static void
fuzz_spend(Bytes *in)
{
	double		data[MAX_ROWS][4];
	double		packed[MAX_ROWS * 3];
	size_t		n = 1 + next_byte(in) % MAX_ROWS;
	double		theta[3];

	for (int i = 0; i < 3; i++)
		theta[i] = next_positive(in, 1e-3, 1e4);
	for (size_t i = 0; i < n; i++)
	{
		data[i][0] = 1 + next_count(in);
		data[i][1] = next_positive(in, 0.01, 1e5);
		data[i][2] = 0;
		data[i][3] = 1 + next_byte(in) * next_byte(in);
	}
	n = fold(data, n);
	for (size_t i = 0; i < n; i++)
	{
		packed[3 * i] = data[i][0];
		packed[3 * i + 1] = data[i][1];
		packed[3 * i + 2] = data[i][3];
	}

	const Rows	rows = {n, 2, packed};

	check_likelihood(&gamma_gamma_model, &rows, theta);
	check_fit(&gamma_gamma_model, &rows);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Bytes		in = {data, data + size};

	switch (next_byte(&in) % 4)
	{
		case 0:
			fuzz_timing(&in);
			break;
		case 1:
			fuzz_spend(&in);
			break;
		default:
			fuzz_predictions(&in);
	}
	return 0;
}
