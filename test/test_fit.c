/*
 * test_fit.c - fits: the golden maxima and predictions, hard and hopeless data, stopping, intervals.
 */
#include "support.h"

#include <math.h>
#include <string.h>

#include "math/fit.h"
#include "math/inference.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/*
 * Converged means: by its own gradient, each parameter is within 1e-6 standard errors of the
 * maximum.
 */
static void
assert_maximum(const ModelKind *model, const Rows *rows, const FitResult *fit)
{
	double		grad[BTYD_MAX_PARAMS];

	assert_int_equal(fit->status, FIT_CONVERGED);
	assert_null(fit->reason);
	assert_null(fit->hint);
	assert_true(fit->has_covariance);
	assert_true(fit->gradient_norm < 1e-8);
	assert_true(fit->log_likelihood ==
				model->log_likelihood(rows, fit->theta, grad, NULL, NULL));
	for (int i = 0; i < model->nparams; i++)
	{
		double		variance = fit->covariance[i * model->nparams + i];

		assert_true(variance > 0);
		assert_near(fit->theta[i] * grad[i] * sqrt(variance), 0, 1e-6);
	}
}

/* No maximum, but a finite point and a reason. */
static void
assert_no_maximum(const ModelKind *model, const FitResult *fit, const char *about)
{
	assert_int_equal(fit->status, FIT_NOT_CONVERGED);
	assert_false(fit->has_covariance);
	assert_true(isfinite(fit->log_likelihood));
	for (int i = 0; i < model->nparams; i++)
		assert_true(isfinite(fit->theta[i]) && fit->theta[i] > 0);
	assert_non_null(fit->reason);
	assert_non_null(fit->hint);
	if (strstr(fit->reason, about) == NULL)
		fail_msg("the reason is \"%s\", not about \"%s\"", fit->reason, about);
}

static void
assert_impossible(const ModelKind *model, const Rows *rows, const char *about)
{
	FitResult	fit;

	btyd_fit(model, rows, NULL, NULL, &fit);
	assert_int_equal(fit.status, FIT_IMPOSSIBLE);
	assert_false(fit.has_covariance);
	assert_non_null(fit.reason);
	assert_non_null(fit.hint);
	if (strstr(fit.reason, about) == NULL)
		fail_msg("the reason is \"%s\", not about \"%s\"", fit.reason, about);
}

/* ---- golden maxima --------------------------------------------------------------------------- */

static void
assert_golden(const ModelKind *model, const Rows *rows, double log_likelihood, double tolerance,
			  const double *theta, const double *std_error, double theta_tolerance)
{
	FitResult	fit;

	btyd_fit(model, rows, NULL, NULL, &fit);
	assert_maximum(model, rows, &fit);
	assert_near(fit.log_likelihood, log_likelihood, tolerance);
	for (int i = 0; i < model->nparams; i++)
	{
		double		variance = fit.covariance[i * model->nparams + i];
		Estimate	estimate = positive_estimate(fit.theta[i], variance, 0.95);

		assert_relative(fit.theta[i], theta[i], theta_tolerance);
		assert_relative(estimate.std_error, std_error[i], 1e-4);
	}
}

/* Newton's method to a gradient below 1e-10, by another implementation */
static void
test_cdnow_exact(void **state)
{
	static const double theta[] = {.2425945224, 4.413602019, .7929220172, 2.425906777};
	static const double std_error[] = {.012557378, .378224060, .185733822, .705414260};
	static const double spend_theta[] = {6.249572271, 3.744224667, 15.443520963};
	static const double spend_error[] = {1.190055335, .290133065, 4.159422750};
	Sample		timing;
	Sample		spend;
	double		buyers = 0;
	int			customers;

	(void) state;
	sample_init(&timing, 3);
	sample_init(&spend, 2);
	customers = cdnow_exact(&timing, &spend);
	if (customers == 0)
		skip();
	assert_int_equal(customers, 2357);
	for (size_t i = 0; i < spend.rows.n; i++)
		buyers += row_count(&spend.rows, rows_at(&spend.rows, i));
	assert_true(buyers == 946);
	assert_golden(&bgnbd_model, &timing.rows, -9582.429206674, 1e-9, theta, std_error, 1e-9);
	assert_golden(&gamma_gamma_model, &spend.rows, -4055.9176948019, 1e-9, spend_theta, spend_error,
				  1e-9);
	sample_free(&timing);
	sample_free(&spend);
}

/*
 * lifetimes 0.11 on the data as published with two decimals; it prints eight digits and stops early
 */
static void
test_cdnow_two_decimals(void **state)
{
	static const double theta[] = {.24259291, 4.41353156, .79288615, 2.42575345};
	static const double std_error[] = {.01255732, .37822142, .18571914, .70534576};
	Sample		timing;

	(void) state;
	sample_init(&timing, 3);
	if (!cdnow_two_decimals(&timing))
		skip();
	assert_golden(&bgnbd_model, &timing.rows, -9582.425561, 1e-6, theta, std_error, 1e-6);
	sample_free(&timing);
}

/* lifetimes on the two-decimal data at its own maximum: customers 1, 2, 3, 1000 and 1516 of CDNOW */
static void
test_predictions(void **state)
{
	static const double theta[] = {.24259291, 4.41353156, .79288615, 2.42575345};
	static const struct
	{
		Customer	customer;
		double		p_alive;
		double		purchases;
	}			golden[] = {
		{{2, 30.43, 38.86}, .72660915, 1.22591045},
		{{1, 1.71, 38.86}, .21222741, .20325064},
		{{0, 0, 38.86}, 1, .19478085},
		{{4, 24.43, 33.57}, .68035134, 2.35295507},
		{{26, 30.86, 31}, .96891971, 20.75056949},
	};
	static const double probability[] = {.57430729, .19919304, .08532241, .04579719, .02763122};
	static const Customer newcomer = {0, 0, 0};

	(void) state;
	for (size_t i = 0; i < LENGTH(golden); i++)
	{
		const Customer *c = &golden[i].customer;

		assert_relative(bgnbd_model.p_alive(theta, c, 0), golden[i].p_alive, 1e-7);
		assert_relative(bgnbd_model.expected_purchases(theta, c, 39), golden[i].purchases, 1e-7);
		assert_near(bgnbd_model.silence(theta, c, 39),
					bgnbd_model.purchase_probability(theta, c, 0, 39), 1e-14);
	}
	assert_relative(bgnbd_model.expected_purchases(theta, &newcomer, 52), 1.44402084, 1e-7);
	for (size_t n = 0; n < LENGTH(probability); n++)
		assert_relative(bgnbd_model.purchase_probability(theta, &newcomer, n, 39), probability[n],
						1e-7);
	assert_relative(bgnbd_model.mean_rate(theta), .24259291 / 4.41353156, 1e-15);
	assert_relative(bgnbd_model.mean_dropout(theta), .79288615 / (.79288615 + 2.42575345), 1e-15);
}

/* with 6.25, 3.74 and 15.44, the first customer of CDNOW */
static void
test_expected_spend(void **state)
{
	static const double theta[] = {6.25, 3.74, 15.44};
	static const double heavy_tail[] = {6.25, 1, 15.44};

	(void) state;
	assert_relative(gamma_gamma_model.expected_spend(theta, 2, 22.35), 24.66371391, 1e-9);
	assert_relative(gamma_gamma_model.expected_spend(theta, 0, NAN), 6.25 * 15.44 / 2.74, 1e-15);
	assert_true(isnan(gamma_gamma_model.expected_spend(heavy_tail, 0, NAN)));
	assert_relative(gamma_gamma_model.expected_spend(heavy_tail, 1, 10), 10 + 15.44, 1e-15);

	/* 6.25 * 2 / (6.25 * 2 + 2.74); nothing is known of nobody, and everything of who buys without end */
	assert_relative(gamma_gamma_model.spend_weight(theta, 2), 12.5 / 15.24, 1e-15);
	assert_near(gamma_gamma_model.spend_weight(theta, 0), 0, 0);
	assert_near(gamma_gamma_model.spend_weight((double[]) {1e300, 3.74, 1}, 1e300), 1, 0);
	assert_true(isnan(gamma_gamma_model.spend_weight(heavy_tail, 3)));
	for (double x = 0; x < 1e6; x = 3 * x + 1)
	{
		double		weight = gamma_gamma_model.spend_weight(theta, x);

		assert_relative(weight * 22.35 + (1 - weight) * gamma_gamma_model.expected_spend(theta, 0, NAN),
						gamma_gamma_model.expected_spend(theta, x, 22.35), 1e-14);
	}
}

/* ---- large data ------------------------------------------------------------------------------ */

/*
 * Customers whose age is uniform on [age_low, age_high]; times are multiples of grid unless it is
 * 0.
 */
static void
simulate_cohort(Sample *sample, uint64_t seed, int customers, const double *theta, double age_low,
				double age_high, double grid)
{
	Random		random;

	random_seed(&random, seed);
	sample_init(sample, 3);
	for (int i = 0; i < customers; i++)
	{
		double		t_cal = age_low + (age_high - age_low) * random_uniform(&random);
		double		row[3];

		if (grid > 0)
			t_cal = floor(t_cal / grid) * grid;
		simulate_bgnbd(&random, theta, t_cal, grid, row);
		sample_add(sample, row, 1);
	}
	sample_fold(sample);
}

static double
largest_x(const Rows *rows)
{
	return rows_at(rows, rows->n - 1)[0];
}

static void
test_quarter_million_customers(void **state)
{
	static const double theta[][4] = {
		{.8, 60, .5, 8}, {.55, 20, .9, 12}, {.8, 60, .3, 60}, {.8, 60, 1, 10}};

	(void) state;
	for (size_t i = 0; i < LENGTH(theta); i++)
	{
		Sample		sample;
		FitResult	fit;

		simulate_cohort(&sample, 233 + i, 233000, theta[i], 30, 730, 1);
		assert_true(largest_x(&sample.rows) >= 81);
		btyd_fit(&bgnbd_model, &sample.rows, NULL, NULL, &fit);
		assert_maximum(&bgnbd_model, &sample.rows, &fit);
		sample_free(&sample);
	}
}

/* In days every customer is one of some hundred thousand distinct rows. */
static void
test_million_customers_daily(void **state)
{
	static const double theta[] = {.24, 30.8, .79, 2.43};
	Sample		sample;
	FitResult	fit;

	(void) state;
	simulate_cohort(&sample, 1, 1000000, theta, 140, 273, 1);
	assert_true(sample.rows.n >= 100000 && sample.rows.n <= 300000);
	btyd_fit(&bgnbd_model, &sample.rows, NULL, NULL, &fit);
	assert_maximum(&bgnbd_model, &sample.rows, &fit);
	sample_free(&sample);
}

/* In continuous time the fit must find the parameters again. */
static void
test_million_customers(void **state)
{
	static const double theta[] = {.2426, 4.4136, .7929, 2.4259};
	Sample		sample;
	FitResult	fit;

	(void) state;
	simulate_cohort(&sample, 2, 1000000, theta, 20, 78, 0);
	btyd_fit(&bgnbd_model, &sample.rows, NULL, NULL, &fit);
	assert_maximum(&bgnbd_model, &sample.rows, &fit);
	for (int i = 0; i < 4; i++)
		assert_near(log(fit.theta[i] / theta[i]) / sqrt(fit.covariance[5 * i]), 0, 4);
	sample_free(&sample);
}

/* ---- hopeless data --------------------------------------------------------------------------- */

static void
test_impossible(void **state)
{
	static const double all_zero[] = {0, 0, 38, 100, 0, 0, 39, 50};
	static const double one[] = {2, 30.43, 38.86, 1};
	static const double constant[] = {2, 30.43, 38.86, 500};
	static const double one_buyer[] = {2, 22.35, 1};
	static const double one_price[] = {1, 9.99, 40, 2, 9.99, 7};
	Rows		timing = {0, 3, all_zero};
	Rows		spend = {0, 2, one_buyer};

	(void) state;
	assert_impossible(&bgnbd_model, &timing, "two customers");
	assert_impossible(&gamma_gamma_model, &spend, "no customer has a repeat purchase");
	timing = (Rows){2, 3, all_zero};
	assert_impossible(&bgnbd_model, &timing, "no customer has a repeat purchase");
	timing = (Rows){1, 3, one};
	assert_impossible(&bgnbd_model, &timing, "two customers");
	timing = (Rows){1, 3, constant};
	assert_impossible(&bgnbd_model, &timing, "same purchase history");
	spend = (Rows){1, 2, one_buyer};
	assert_impossible(&gamma_gamma_model, &spend, "two customers");
	spend = (Rows){2, 2, one_price};
	assert_impossible(&gamma_gamma_model, &spend, "same amount");
}

/*
 * Cohorts at a limit of the model, and what the reason must name. About half of such cohorts have
 * their maximum beyond the limit, so that the fit runs off to it; these seeds do.
 */
static void
test_limits_of_bgnbd(void **state)
{
	static const struct
	{
		double		theta[4];
		int			seed;
		const char *about;
	}			limits[] = {
		{{.8, 8, 1e-9, 1}, 1, "no dropout"},
		{{.8, 8, 1e6, 3e6}, 1, "a and b run off to infinity"},
		{{.8, 8, 1, 1e-9}, 1, "nearly all customers stop"},
		{{.8, 8, 1e-4, 1e-4}, 1, "a and b run off to zero"},
		{{1e5, 1e6, .8, 2.4}, 6, "r and alpha run off to infinity"},
	};

	(void) state;
	for (size_t i = 0; i < LENGTH(limits); i++)
	{
		Sample		sample;
		FitResult	fit;

		simulate_cohort(&sample, limits[i].seed, 2000, limits[i].theta, 20, 78, 0);
		btyd_fit(&bgnbd_model, &sample.rows, NULL, NULL, &fit);
		assert_no_maximum(&bgnbd_model, &fit, limits[i].about);
		sample_free(&sample);
	}
}

static void
test_limits_of_gamma_gamma(void **state)
{
	static const double same_amounts[] = {1e7, 3, 1e-6};
	Sample		sample;
	FitResult	fit;
	Random		random;

	(void) state;
	for (int same = 0; same < 2; same++)
	{
		random_seed(&random, 2);
		sample_init(&sample, 2);
		for (int i = 0; i < 1000; i++)
		{
			double		row[2] = {1 + i % 5};

			/* amounts vary by the purchase alone, or by the customer alone */
			row[1] = same ? 3 * random_gamma(&random, 4 * row[0]) / (4 * row[0])
						  : simulate_mean_spend(&random, same_amounts, row[0]);
			sample_add(&sample, row, 1);
		}
		sample_fold(&sample);
		btyd_fit(&gamma_gamma_model, &sample.rows, NULL, NULL, &fit);
		assert_no_maximum(&gamma_gamma_model, &fit,
						  same ? "q and v run off to infinity" : "p runs off to infinity");
		sample_free(&sample);
	}
}

/*
 * Here the first search climbs towards a and b at infinity, to -1152.4; the maximum lies on the other
 * side of its start.
 */
static void
test_second_start(void **state)
{
	static const double theta[] = {.6, 3.3, .02, .22};
	Sample		sample;
	FitResult	fit;

	(void) state;
	simulate_cohort(&sample, 97, 60, theta, 20, 78, 0);
	btyd_fit(&bgnbd_model, &sample.rows, NULL, NULL, &fit);
	assert_maximum(&bgnbd_model, &sample.rows, &fit);
	assert_near(fit.log_likelihood, -1149.802764, 1e-6);
	sample_free(&sample);
}

/* Two different customers do not determine four parameters. */
static void
test_flat_likelihood(void **state)
{
	static const double two_rows[] = {1, 0.5, 2, 1, 4, 1.5, 2, 1};
	Rows		rows = {2, 3, two_rows};
	FitResult	fit;

	(void) state;
	btyd_fit(&bgnbd_model, &rows, NULL, NULL, &fit);
	assert_no_maximum(&bgnbd_model, &fit, "");
	assert_null(strstr(fit.reason, "was not reached"));
}

/* Repeat purchases at time 0 make the likelihood grow without bound as alpha goes to 0. */
static void
test_purchases_at_time_zero(void **state)
{
	static const double rows_at_zero[] = {0, 0, 39, 10, 1, 0, 39, 5, 3, 0, 39, 2, 3, 20, 39, 1};
	Rows		rows = {4, 3, rows_at_zero};
	FitResult	fit;

	(void) state;
	btyd_fit(&bgnbd_model, &rows, NULL, NULL, &fit);
	assert_no_maximum(&bgnbd_model, &fit, "alpha");
}

/* Small odd cohorts either reach a maximum or say why not. */
static void
test_small_cohorts(void **state)
{
	int			converged = 0;

	(void) state;
	for (int seed = 0; seed < 600; seed++)
	{
		Sample		sample;
		FitResult	fit;
		Random		random;
		double		theta[4];
		double		age;

		random_seed(&random, seed);
		theta[0] = exp(-2.5 + 3 * random_uniform(&random));
		theta[1] = theta[0] * exp(4 * random_uniform(&random));
		theta[2] = exp(-2 + 3 * random_uniform(&random));
		theta[3] = exp(-1 + 4 * random_uniform(&random));
		age = exp(1 + 4 * random_uniform(&random));
		simulate_cohort(&sample, seed, 20 + seed % 31, theta, seed % 3 ? age : 0, age,
						seed % 2 ? age / 50 : 0);
		btyd_fit(&bgnbd_model, &sample.rows, NULL, NULL, &fit);
		if (fit.status == FIT_CONVERGED)
		{
			assert_maximum(&bgnbd_model, &sample.rows, &fit);
			converged++;
		}
		else if (fit.status == FIT_NOT_CONVERGED)
		{
			assert_no_maximum(&bgnbd_model, &fit, "");
			assert_null(strstr(fit.reason, "was not reached"));
		}
		else
			assert_impossible(&bgnbd_model, &sample.rows, "");
		sample_free(&sample);
	}
	assert_true(converged > 200);
}

/* ---- the driver ------------------------------------------------------------------------------ */

static bool
stop_at_poll(void *arg)
{
	return --*(int *) arg == 0;
}

static void
test_stopping(void **state)
{
	static const double theta[] = {.2426, 4.4136, .7929, 2.4259};
	Sample		sample;

	(void) state;
	simulate_cohort(&sample, 3, 20000, theta, 20, 78, 0);
	for (int polls = 1; polls < 20; polls++)
	{
		int			left = polls;
		FitStop		stop = {stop_at_poll, &left};
		FitResult	fit;

		btyd_fit(&bgnbd_model, &sample.rows, NULL, &stop, &fit);
		assert_int_equal(fit.status, FIT_STOPPED);
		assert_int_equal(left, 0);
		assert_null(fit.reason);
	}
	sample_free(&sample);
}

/* The same bytes each time; and a change of unit moves alpha alone. */
static void
test_deterministic(void **state)
{
	static const double theta[] = {.2426, 30.8, .7929, 2.4259};
	Sample		days;
	Sample		years;
	FitResult	first;
	FitResult	second;

	(void) state;
	simulate_cohort(&days, 4, 5000, theta, 140, 546, 1);
	btyd_fit(&bgnbd_model, &days.rows, NULL, NULL, &first);
	memset(&second, 255, sizeof(second));
	btyd_fit(&bgnbd_model, &days.rows, NULL, NULL, &second);
	assert_memory_equal(&first, &second, sizeof(first));

	sample_init(&years, 3);
	for (size_t i = 0; i < days.rows.n; i++)
	{
		const double *row = rows_at(&days.rows, i);
		double		in_years[] = {row[0], row[1] / 365.25, row[2] / 365.25};

		sample_add(&years, in_years, row[3]);
	}
	btyd_fit(&bgnbd_model, &years.rows, NULL, NULL, &second);
	assert_maximum(&bgnbd_model, &years.rows, &second);
	for (int i = 0; i < 4; i++)
	{
		assert_relative(second.theta[i] * (i == 1 ? 365.25 : 1), first.theta[i], 1e-8);
		assert_relative(second.covariance[5 * i], first.covariance[5 * i], 1e-6);
	}
	sample_free(&days);
	sample_free(&years);
}

static void
test_positive_estimate(void **state)
{
	Estimate	estimate = positive_estimate(2, 0.25, 0.95);

	(void) state;
	assert_relative(estimate.std_error, 1, 1e-15);
	assert_relative(estimate.conf_low, 2 * exp(-1.9599639845400542 / 2), 1e-14);
	assert_relative(estimate.conf_high, 2 * exp(1.9599639845400542 / 2), 1e-14);
}

static void
test_table_of_models(void **state)
{
	(void) state;
	assert_ptr_equal(model_kind_by_code(1), &bgnbd_model);
	assert_ptr_equal(model_kind_by_name("bgnbd"), &bgnbd_model);
	assert_ptr_equal(model_kind_by_code(2), &gamma_gamma_model);
	assert_ptr_equal(model_kind_by_name("gamma_gamma"), &gamma_gamma_model);
	assert_null(model_kind_by_code(0));
	assert_null(model_kind_by_name("BG/NBD"));
}

/* Codes are stored: those known are below, and the gaps are models yet to come. */
#define CODES 20

/*
 * What a model reads says which operations it has, all of them and no others (model_kind.h): callers do not look for
 * NULL.
 */
static void
test_models_are_complete(void **state)
{
	int			models = 0;

	(void) state;
	for (int code = 1; code < CODES; code++)
	{
		const ModelKind *m = model_kind_by_code(code);

		if (m == NULL)
			continue;

		bool		purchases = m->reads == ROWS_TIMING || m->reads == ROWS_OPPORTUNITIES;
		bool		renewals = m->reads == ROWS_RENEWALS;
		bool		spend = m->reads == ROWS_SPEND;
		bool		some_purchase = m->p_alive || m->expected_purchases || m->silence || m->purchase_probability ||
									m->discounted_purchases || m->mean_rate;

		bool		response = m->reads == ROWS_RESPONSE || m->reads == ROWS_SURVIVAL;

		models++;
		assert_int_equal(m->code, code);
		assert_ptr_equal(model_kind_by_name(m->kind), m);
		assert_int_equal(purchases + renewals + spend + response, 1);
		assert_true((m->response != NULL) == response);
		assert_true(m->nparams <= BTYD_MAX_PARAMS);
		for (int i = 0; i < m->nparams; i++)
			assert_non_null(m->params[i]);
		assert_non_null(m->title);
		assert_true((m->undetermined && m->start && m->log_likelihood && m->ran_off) == !response);
		assert_true((m->undetermined || m->start || m->log_likelihood || m->ran_off) == !response);
		assert_true((m->p_alive && m->expected_purchases && m->silence && m->purchase_probability &&
					 m->discounted_purchases && m->mean_rate) == purchases);
		assert_true(some_purchase == purchases);
		assert_true((m->log_survival && m->expected_lifetime) == renewals);
		assert_true((m->log_survival || m->expected_lifetime) == renewals);
		assert_true((m->mean_dropout && m->simulate) == (purchases || renewals));
		assert_true((m->mean_dropout || m->simulate) == (purchases || renewals));
		assert_true((m->expected_spend && m->spend_weight && m->draw_customer && m->draw_amount) == spend);
		assert_true((m->expected_spend || m->spend_weight || m->draw_customer || m->draw_amount) == spend);
		assert_true(m->covariates == COVARIATES_NONE || m->reads == ROWS_TIMING);
		assert_true(m->nests == NULL || (m->nests->reads == m->reads && m->nests->nparams == m->nparams - 1));
	}
	for (int code = CODES; code < 10 * CODES; code++)
		assert_null(model_kind_by_code(code));
	assert_true(models >= 13);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cdnow_exact),
		cmocka_unit_test(test_cdnow_two_decimals),
		cmocka_unit_test(test_predictions),
		cmocka_unit_test(test_expected_spend),
		cmocka_unit_test(test_quarter_million_customers),
		cmocka_unit_test(test_million_customers_daily),
		cmocka_unit_test(test_million_customers),
		cmocka_unit_test(test_impossible),
		cmocka_unit_test(test_limits_of_bgnbd),
		cmocka_unit_test(test_limits_of_gamma_gamma),
		cmocka_unit_test(test_second_start),
		cmocka_unit_test(test_flat_likelihood),
		cmocka_unit_test(test_purchases_at_time_zero),
		cmocka_unit_test(test_small_cohorts),
		cmocka_unit_test(test_stopping),
		cmocka_unit_test(test_deterministic),
		cmocka_unit_test(test_positive_estimate),
		cmocka_unit_test(test_table_of_models),
		cmocka_unit_test(test_models_are_complete),
	};

	return cmocka_run_group_tests_name("fit", tests, NULL, NULL);
}
