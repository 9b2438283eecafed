/*
 * test_mbgnbd.c - MBG/NBD: golden maximum and predictions, references, simulation, limits.
 */
#include "support.h"

#include <math.h>
#include <string.h>

#include "math/fit.h"
#include "math/inference.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* ---- references: 40-digit quadrature, see reference/make_beta_geometric ------------------------- */

enum Column
{
	R_, ALPHA, A_, B_, X, T_X, T_CAL, T, DELTA, N, P_ALIVE, P_ALIVE_AT_T, EXPECTED, SILENCE, P1, PN,
	DISCOUNTED,
	COLUMNS
};

static const char *const column_names[COLUMNS] = {
	"r", "alpha", "a", "b", "x", "t_x", "t_cal", "t", "delta", "n", "P(alive)", "P(alive at t)",
	"expected purchases", "silence", "P(1)", "P(n)", "discounted purchases"};

static double
predict(const double *row, int column)
{
	Customer	c = {row[X], row[T_X], row[T_CAL]};

	switch (column)
	{
		case P_ALIVE:
			return mbgnbd_model.p_alive(row, &c, 0);
		case P_ALIVE_AT_T:
			return mbgnbd_model.p_alive(row, &c, row[T]);
		case EXPECTED:
			return mbgnbd_model.expected_purchases(row, &c, row[T]);
		case SILENCE:
			return mbgnbd_model.silence(row, &c, row[T]);
		case P1:
			return mbgnbd_model.purchase_probability(row, &c, 1, row[T]);
		case PN:
			return mbgnbd_model.purchase_probability(row, &c, row[N], row[T]);
		case DISCOUNTED:
			return mbgnbd_model.discounted_purchases(row, &c, row[DELTA], row[T]);
		default:
			return NAN;
	}
}

static void
test_references(void **state)
{
	(void) state;
	check_references("reference/mbgnbd.csv", column_names, P_ALIVE, COLUMNS, predict, 30);
}

/* A new customer is gone at once with probability a / (a + b), or starts as one of BG/NBD with b + 1. */
static void
test_new_customer(void **state)
{
	static const double theta[] = {.5, 6, .9, 1.6};
	static const double stays[] = {.5, 6, .9, 2.6};
	const Customer c = {0, 0, 0};
	double		alive = 1.6 / 2.5;

	(void) state;
	assert_relative(mbgnbd_model.p_alive(theta, &c, 0), alive, 1e-15);
	for (double t = .1; t < 1000; t *= 3)
	{
		assert_relative(mbgnbd_model.expected_purchases(theta, &c, t),
						alive * bgnbd_model.expected_purchases(stays, &c, t), 1e-14);
		assert_relative(mbgnbd_model.purchase_probability(theta, &c, 0, t),
						1 - alive + alive * bgnbd_model.silence(stays, &c, t), 1e-14);
		for (int n = 1; n < 5; n++)
			assert_relative(mbgnbd_model.purchase_probability(theta, &c, n, t),
							alive * bgnbd_model.purchase_probability(stays, &c, n, t), 1e-13);
	}
	assert_relative(mbgnbd_model.mean_rate(theta), .5 / 6, 1e-15);
	assert_relative(mbgnbd_model.mean_dropout(theta), 1 - alive, 1e-15);
}

/* ---- golden numbers -------------------------------------------------------------------------- */

static FitResult
fit(const Rows *rows)
{
	FitResult	result;

	btyd_fit(&mbgnbd_model, rows, NULL, NULL, &result);
	assert_int_equal(result.status, FIT_CONVERGED);
	return result;
}

/* CDNOW; Newton's method to a gradient below 1e-10 by another implementation */
static void
test_exact_maximum(void **state)
{
	static const double theta[] = {.524843159, 6.183085280, .891359391, 1.614002240};
	Sample		timing;
	Sample		spend;

	(void) state;
	sample_init(&timing, 3);
	sample_init(&spend, 2);
	if (cdnow_exact(&timing, &spend) == 0)
		skip();

	FitResult	result = fit(&timing.rows);

	assert_near(result.log_likelihood, -9582.135715554, 1e-9);
	for (int i = 0; i < 4; i++)
		assert_relative(result.theta[i], theta[i], 1e-8);
	sample_free(&timing);
	sample_free(&spend);
}

/* the data as published with two decimals; lifetimes prints eight digits and stops early */
static const double two_decimals[] = {.52483794, 6.18299166, .89135616, 1.61399943};

static void
test_two_decimal_maximum(void **state)
{
	static const double std_error[] = {.08326404, .69559782, .15478531, .53747235};
	Sample		timing;

	(void) state;
	sample_init(&timing, 3);
	if (!cdnow_two_decimals(&timing))
		skip();

	FitResult	result = fit(&timing.rows);

	assert_near(result.log_likelihood, -9582.132685, 1e-6);
	for (int i = 0; i < 4; i++)
	{
		Estimate	estimate = positive_estimate(result.theta[i], result.covariance[5 * i], 0.95);

		assert_relative(result.theta[i], two_decimals[i], 1e-6);
		assert_relative(estimate.std_error, std_error[i], 1e-4);
	}
	sample_free(&timing);
}

/* lifetimes: P(alive) and purchases in 39 weeks of customers 1, 2, 3, 1000 and 1516, and of all 2,357 */
static void
test_predictions(void **state)
{
	static const double golden[][5] = {{2, 30.43, 38.86, .70612625, 1.26267079},
									   {1, 1.71, 38.86, .17081964, .18878926},
									   {0, 0, 38.86, .38971634, .15395365},
									   {4, 24.43, 33.57, .65883629, 2.27349382},
									   {26, 30.86, 31, .96555287, 19.44803676}};
	Sample		timing;
	double		alive = 0;
	double		purchases = 0;

	(void) state;
	for (size_t i = 0; i < LENGTH(golden); i++)
	{
		Customer	c = {golden[i][0], golden[i][1], golden[i][2]};

		assert_relative(mbgnbd_model.p_alive(two_decimals, &c, 0), golden[i][3], 1e-7);
		assert_relative(mbgnbd_model.expected_purchases(two_decimals, &c, 39), golden[i][4], 1e-7);
	}

	sample_init(&timing, 3);
	if (!cdnow_two_decimals(&timing))
		skip();
	for (size_t i = 0; i < timing.rows.n; i++)
	{
		const double *row = rows_at(&timing.rows, i);
		Customer	c = {row[0], row[1], row[2]};

		alive += row[3] * mbgnbd_model.p_alive(two_decimals, &c, 0);
		purchases += row[3] * mbgnbd_model.expected_purchases(two_decimals, &c, 39);
	}
	assert_near(alive, 1057.638406, 1e-5);
	assert_near(purchases, 1576.735741, 1e-5);
	sample_free(&timing);
}

/* ---- limits ---------------------------------------------------------------------------------- */

typedef struct Last
{
	double		x;
	double		t_x;
} Last;

static bool
take_purchase(double at, void *arg)
{
	Last	   *last = arg;

	last->x++;
	last->t_x = at;
	return true;
}

/* Cohorts at a limit of the model, and what the reason must name; of some seeds the maximum is within the limit. */
static void
test_limits(void **state)
{
	static const struct
	{
		double		theta[4];
		int			seed;
		const char *about;
	}			limits[] = {
		{{.8, 8, 1e-9, 1}, 2, "no dropout"},
		{{.8, 8, 1e6, 3e6}, 2, "a and b run off to infinity"},
		{{1e5, 1e6, .8, 2.4}, 2, "r and alpha run off to infinity"},
	};

	(void) state;
	for (size_t i = 0; i < LENGTH(limits); i++)
	{
		Sample		sample;
		FitResult	result;
		Random		random;

		random_seed(&random, limits[i].seed);
		sample_init(&sample, 3);
		for (int j = 0; j < 2000; j++)
		{
			double		age = 20 + 58 * random_uniform(&random);
			Last		last = {0, 0};

			mbgnbd_model.simulate(limits[i].theta, age, &random, take_purchase, &last);
			sample_add(&sample, (double[]){last.x, last.t_x, age}, 1);
		}
		btyd_fit(&mbgnbd_model, sample_fold(&sample), NULL, NULL, &result);
		assert_int_equal(result.status, FIT_NOT_CONVERGED);
		assert_non_null(result.hint);
		if (strstr(result.reason, limits[i].about) == NULL)
			fail_msg("the reason is \"%s\", not about \"%s\"", result.reason, limits[i].about);
		sample_free(&sample);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_new_customer),
		cmocka_unit_test(test_exact_maximum),
		cmocka_unit_test(test_two_decimal_maximum),
		cmocka_unit_test(test_predictions),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests_name("mbgnbd", tests, NULL, NULL);
}
