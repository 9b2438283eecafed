/*
 * test_mbgnbd.c - MBG/NBD: golden maximum and predictions, references, simulation, limits.
 */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "math/fit.h"
#include "math/inference.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact_maximum),
		cmocka_unit_test(test_two_decimal_maximum),
		cmocka_unit_test(test_predictions),
	};

	return cmocka_run_group_tests_name("mbgnbd", tests, NULL, NULL);
}
