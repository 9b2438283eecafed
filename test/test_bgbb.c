/*
 * test_bgbb.c - BG/BB: predictions against 40-digit references (reference/discrete_bgbb.csv, written by
 * reference/make_discrete) and published numbers; fits; simulation.
 */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "math/fit.h"
#include "math/inference.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define TOLERANCE 1e-10
#define REPRESENTABLE 1e-300	/* smaller values may come out as 0 */

static const double published[] = {1.20, .75, .66, 2.78};

/* ---- references ------------------------------------------------------------------------------ */

enum Column
{
	X = 4, T_X, N, T, RATE, K, P_ALIVE, P_ALIVE_AT_T, EXPECTED, SILENCE, P_K, DISCOUNTED,
	COLUMNS
};

static const char *const column_names[COLUMNS] = {
	"alpha", "beta", "gamma", "delta", "x", "t_x", "n", "t", "rate", "k", "P(alive)", "P(alive at t)",
	"expected purchases", "silence", "P(k)", "discounted purchases"};

static double
predict(const double *row, enum Column column)
{
	Customer	c = {row[X], row[T_X], row[N]};

	switch (column)
	{
		case P_ALIVE:
			return bgbb_model.p_alive(row, &c, 0);
		case P_ALIVE_AT_T:
			return bgbb_model.p_alive(row, &c, row[T]);
		case EXPECTED:
			return bgbb_model.expected_purchases(row, &c, row[T]);
		case SILENCE:
			return bgbb_model.silence(row, &c, row[T]);
		case P_K:
			return bgbb_model.purchase_probability(row, &c, row[K], row[T]);
		default:
			return bgbb_model.discounted_purchases(row, &c, row[RATE], row[T]);
	}
}

static void
test_references(void **state)
{
	FILE	   *file = fopen("reference/discrete_bgbb.csv", "r");
	double		row[COLUMNS];
	double		worst[COLUMNS] = {0};
	int			rows = 0;

	(void) state;
	assert_non_null(file);
	for (; read_numbers(file, row, COLUMNS); rows++)
		for (int column = P_ALIVE; column < COLUMNS; column++)
		{
			double		value = predict(row, column);

			if (isinf(row[column]) || row[column] < REPRESENTABLE)
			{
				assert_true(isinf(row[column]) ? value == row[column] : value < REPRESENTABLE);
				continue;
			}

			double		error = fabs(value / row[column] - 1);

			if (!(error <= TOLERANCE))
				fail_msg("row %d: %s is %.17g, not %.17g", rows + 2, column_names[column], value, row[column]);
			worst[column] = fmax(worst[column], error);
		}
	fclose(file);
	assert_int_equal(rows, 110);
	for (int column = P_ALIVE; column < COLUMNS; column++)
		print_message("%-21s worst relative error %.1e\n", column_names[column], worst[column]);
}

/* ---- predictions ----------------------------------------------------------------------------- */

/* lifetimes 0.11 and BTYD 2.4 */
static void
test_published_customer(void **state)
{
	static const Customer c = {3, 4, 6};

	(void) state;
	assert_near(bgbb_model.p_alive(published, &c, 0), .43834385, 5e-9);
	assert_near(bgbb_model.expected_purchases(published, &c, 10), 1.8408127, 5e-8);
	assert_near(bgbb_model.discounted_purchases(published, &c, log(1.1), INFINITY), 1.62137919, 5e-9);
	assert_relative(bgbb_model.mean_rate(published), 1.2 / 1.95, 1e-15);
	assert_relative(bgbb_model.mean_dropout(published), .66 / 3.44, 1e-15);
}

/* Probabilities add up to 1 and have the expected number as their mean; a customer cannot buy more than m times. */
static void
test_counts(void **state)
{
	static const Customer customers[] = {{0, 0, 0}, {0, 0, 6}, {3, 4, 6}, {6, 6, 6}, {40, 70, 300}};
	static const double horizons[] = {0, 1, 2, 17, 200};

	(void) state;
	for (size_t i = 0; i < LENGTH(customers); i++)
		for (size_t j = 0; j < LENGTH(horizons); j++)
		{
			const Customer *c = &customers[i];
			double		t = horizons[j];
			double		total = 0;
			double		mean = 0;

			for (double n = 0; n <= t; n++)
			{
				double		p = bgbb_model.purchase_probability(published, c, n, t);

				total += p;
				mean += n * p;
			}
			assert_relative(total, 1, 1e-13);
			assert_near(mean, bgbb_model.expected_purchases(published, c, t), 1e-13 * (1 + mean));
			assert_true(bgbb_model.purchase_probability(published, c, t + 1, t) == 0);
			assert_true(bgbb_model.silence(published, c, t) == bgbb_model.purchase_probability(published, c, 0, t));
			assert_true(bgbb_model.expected_purchases(published, c, t + .9) ==
						bgbb_model.expected_purchases(published, c, t));
			assert_true(bgbb_model.silence(published, c, t + .9) == bgbb_model.silence(published, c, t));
			assert_true(bgbb_model.p_alive(published, c, t + .9) == bgbb_model.p_alive(published, c, t));
		}
}

/*
 * The recursion over single terms and the integral take over from each other without a step: one opportunity more
 * adds what it must. They do for this customer at 1,205 opportunities in the discounted sum, 2,223 in silence.
 */
static void
test_long_horizons(void **state)
{
	static const Customer c = {3, 4, 6};
	static const double rates[] = {1e-9, 1e-4, .01, -1e-4};

	(void) state;
	for (double t = 1050; t < 4200; t += t < 1250 || (t > 2190 && t < 2250) ? 1 : 97)
	{
		double		alive = bgbb_model.p_alive(published, &c, t);
		double		p = (1.2 + 3) / (1.95 + 6);

		for (size_t i = 0; i < LENGTH(rates); i++)
		{
			double		step = bgbb_model.discounted_purchases(published, &c, rates[i], t + 1) -
							   bgbb_model.discounted_purchases(published, &c, rates[i], t);

			assert_near(step, p * alive * exp(-rates[i] * (t + 1)), 1e-12);
		}
		assert_true(bgbb_model.silence(published, &c, t + 1) <= bgbb_model.silence(published, &c, t) + 1e-15);
		assert_relative(bgbb_model.silence(published, &c, t), bgbb_model.silence(published, &c, t + 1), 1e-6);
	}
	/* so far away that a step is no longer seen, a sum of many terms is the endless one */
	assert_relative(bgbb_model.silence(published, &c, 1e12), bgbb_model.silence(published, &c, INFINITY), 1e-12);
	assert_relative(bgbb_model.discounted_purchases(published, &c, .001, 1e7),
					bgbb_model.discounted_purchases(published, &c, .001, INFINITY), 1e-12);
	assert_relative(bgbb_model.discounted_purchases(published, &c, 1e-15, 1000),
					bgbb_model.expected_purchases(published, &c, 1000), 1e-11);
}

/* what has no end and no value: gamma < 1 at no rate, any gamma at a negative one */
static void
test_infinite_values(void **state)
{
	static const double theta[] = {1.2, .75, 1.5, 2.78};
	static const Customer c = {3, 4, 6};

	(void) state;
	assert_true(isinf(bgbb_model.expected_purchases(published, &c, INFINITY)));
	assert_true(isfinite(bgbb_model.expected_purchases(theta, &c, INFINITY)));
	assert_true(isinf(bgbb_model.discounted_purchases(theta, &c, -.01, INFINITY)));
	assert_true(isinf(bgbb_model.discounted_purchases(theta, &c, -.5, 1e6)));
	assert_true(isfinite(bgbb_model.discounted_purchases(published, &c, 1e-300, INFINITY)));
	assert_true(bgbb_model.p_alive(published, &c, INFINITY) == 0);
}

/* ---- fits ------------------------------------------------------------------------------------ */

static int
donations(Sample *sample)
{
	FILE	   *file = open_data("donations_bgbb.csv");
	double		row[4];

	if (file == NULL)
		return 0;
	while (read_numbers(file, row, 4))
		sample_add(sample, row, row[3]);
	fclose(file);
	sample_fold(sample);
	return (int) rows_total(&sample->rows);
}

/* Fader, Hardie and Shang 2010 print 1.204 .750 .657 2.783 and -33225.6; the digits are those of lifetimes 0.11 */
static void
test_donations(void **state)
{
	static const double theta[] = {1.20352239, .74971636, .65671817, 2.78344198};
	static const double std_error[] = {.06939136, .02944772, .05100985, .32081894};
	Sample		sample;
	FitResult	fit;
	double		next_five = 0;

	(void) state;
	sample_init(&sample, 3);
	if (donations(&sample) == 0)
		skip();
	assert_true(rows_total(&sample.rows) == 11104);
	assert_int_equal(sample.rows.n, 22);
	btyd_fit(&bgbb_model, &sample.rows, NULL, NULL, &fit);
	assert_int_equal(fit.status, FIT_CONVERGED);
	assert_true(fit.gradient_norm < 1e-8);
	assert_near(fit.log_likelihood, -33225.581274, 5e-7);
	for (int i = 0; i < 4; i++)
	{
		Estimate	estimate = positive_estimate(fit.theta[i], fit.covariance[5 * i], .95);

		assert_relative(fit.theta[i], theta[i], 1e-6);
		assert_relative(estimate.std_error, std_error[i], 1e-5);
		print_message("%-5s %.8f, standard error %.8f\n", bgbb_model.params[i], fit.theta[i], estimate.std_error);
	}
	for (size_t i = 0; i < sample.rows.n; i++)
	{
		const double *row = rows_at(&sample.rows, i);
		Customer	c = {row[0], row[1], row[2]};

		next_five += row[3] * bgbb_model.expected_purchases(fit.theta, &c, 5);
	}
	print_message("log-likelihood %.6f, all donors in the next five years %.3f\n", fit.log_likelihood, next_five);
	assert_near(next_five, 12884.157, 5e-4);
	sample_free(&sample);
}

static int	start_number;

static void
other_start(const Rows *rows, double *theta)
{
	Random		random;

	(void) rows;
	random_seed(&random, start_number);
	for (int i = 0; i < 4; i++)
		theta[i] = exp(5 * random_uniform(&random) - 2.5);
}

static void
test_start_does_not_matter(void **state)
{
	ModelKind	model = bgbb_model;
	Sample		sample;
	FitResult	first;

	(void) state;
	sample_init(&sample, 3);
	if (donations(&sample) == 0)
		skip();
	btyd_fit(&bgbb_model, &sample.rows, NULL, NULL, &first);
	model.start = other_start;
	for (start_number = 1; start_number <= 50; start_number++)
	{
		FitResult	fit;

		btyd_fit(&model, &sample.rows, NULL, NULL, &fit);
		assert_int_equal(fit.status, FIT_CONVERGED);
		for (int i = 0; i < 4; i++)
			assert_relative(fit.theta[i], first.theta[i], 1e-8);
	}
	sample_free(&sample);
}

static void
assert_fit(const Rows *rows, FitStatus status, const char *about)
{
	FitResult	fit;

	btyd_fit(&bgbb_model, rows, NULL, NULL, &fit);
	assert_int_equal(fit.status, status);
	assert_non_null(fit.reason);
	assert_non_null(fit.hint);
	if (strstr(fit.reason, about) == NULL)
		fail_msg("the reason is \"%s\", not about \"%s\"", fit.reason, about);
}

static void
test_impossible(void **state)
{
	static const double one[] = {2, 3, 6, 1};
	static const double idle[] = {0, 0, 5, 9, 0, 0, 6, 100};
	static const double always[] = {5, 5, 5, 9, 6, 6, 6, 100};
	static const double two[] = {0, 0, 2, 9, 1, 1, 2, 8, 1, 2, 2, 7, 2, 2, 2, 6};
	static const double same[] = {2, 3, 6, 100};

	(void) state;
	assert_fit(&(Rows){0, 3, one}, FIT_IMPOSSIBLE, "at least two customers");
	assert_fit(&(Rows){1, 3, one}, FIT_IMPOSSIBLE, "at least two customers");
	assert_fit(&(Rows){2, 3, idle}, FIT_IMPOSSIBLE, "no customer took any opportunity");
	assert_fit(&(Rows){2, 3, always}, FIT_IMPOSSIBLE, "every customer took every opportunity");
	assert_fit(&(Rows){4, 3, two}, FIT_IMPOSSIBLE, "more than two opportunities");
	assert_fit(&(Rows){1, 3, same}, FIT_IMPOSSIBLE, "same purchase history");
}

/*
 * Cohorts at a limit of the model, and what the reason must name. The maximum of such a cohort may lie on this side
 * of the limit; with these seeds it does not.
 */
static void
test_limits(void **state)
{
	static const struct
	{
		double		theta[4];
		int			seed;
		const char *about;
	}			limits[] = {
		{{1.2, .75, 1e-9, 1}, 5, "no dropout"},
		{{1.2, .75, 1e6, 3e6}, 5, "do not differ in their dropout"},
		{{1e6, 1e6, .7, 2.8}, 1, "do not differ in how often they buy"},
		{{1e-4, 1e-4, .7, 2.8}, 1, "every opportunity or none"},
		{{1e3, 1e-3, .7, 2.8}, 1, "whoever is alive takes every opportunity"},
	};

	(void) state;
	for (size_t i = 0; i < LENGTH(limits); i++)
	{
		Sample		sample;
		Random		random;

		random_seed(&random, limits[i].seed);
		sample_init(&sample, 3);
		for (int j = 0; j < 2000; j++)
		{
			double		row[3];

			simulate_customer(&bgbb_model, &random, limits[i].theta, 8, row);
			sample_add(&sample, row, 1);
		}
		assert_fit(sample_fold(&sample), FIT_NOT_CONVERGED, limits[i].about);
		sample_free(&sample);
	}
}

/* ---- simulation ------------------------------------------------------------------------------ */

/* New customers buy as often as expected; the same seed gives the same customer. */
static void
test_simulation(void **state)
{
	enum
	{
		CUSTOMERS = 200000
	};
	static const Customer newcomer = {0, 0, 0};
	Random		random;
	double		sum = 0;
	double		squares = 0;
	double		silent = 0;
	double		first[3];
	double		again[3];

	(void) state;
	random_seed(&random, 5);
	for (int i = 0; i < CUSTOMERS; i++)
	{
		double		row[3];

		simulate_customer(&bgbb_model, &random, published, 10.5, row);
		assert_true(row[0] <= row[1] && row[1] <= 10 && row[1] == floor(row[1]));
		sum += row[0];
		squares += row[0] * row[0];
		silent += row[0] == 0;
	}

	double		mean = sum / CUSTOMERS;
	double		p = bgbb_model.silence(published, &newcomer, 10);

	assert_near(mean, bgbb_model.expected_purchases(published, &newcomer, 10),
				4 * sqrt((squares / CUSTOMERS - mean * mean) / CUSTOMERS));
	assert_near(silent / CUSTOMERS, p, 4 * sqrt(p * (1 - p) / CUSTOMERS));

	random_seed(&random, 9);
	simulate_customer(&bgbb_model, &random, published, 100, first);
	random_seed(&random, 9);
	simulate_customer(&bgbb_model, &random, published, 100, again);
	assert_memory_equal(first, again, sizeof(first));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_published_customer),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_long_horizons),
		cmocka_unit_test(test_infinite_values),
		cmocka_unit_test(test_donations),
		cmocka_unit_test(test_start_does_not_matter),
		cmocka_unit_test(test_impossible),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_simulation),
	};

	return cmocka_run_group_tests_name("BG/BB", tests, NULL, NULL);
}
