/*
 * test_hazard.c - discrete-time hazard against 40-digit references and planted effects; predictions.
 */
#include "survival_fits.h"

#include "math/hazard.h"
#include "math/random.h"

static Fitted
fit_hazard(int model, const Rows *rows, bool clustered, ErrorKind errors)
{
	Fitted		f;

	(void) model;
	hazard_fit(rows, clustered, errors, NULL, &f.fit, &f.record, &f.report);
	return f;
}

static void
test_references(void **state)
{
	(void) state;
	check_fits(fit_hazard, 2, 2, 8);
}

/* ---- folding ------------------------------------------------------------------------------------- */

/* A customer's periods may be cut into rows that follow one another; rows of the same x are counted together. */
static void
test_split_rows(void **state)
{
	Random		random;
	Survivors	s[2];
	Rows		rows[2];

	(void) state;
	random_seed(&random, 11);
	begin_survivors(&s[0], 2);
	begin_survivors(&s[1], 2);
	for (int i = 0; i < 600; i++)
	{
		double		entry = i % 3 == 0 ? floor(4 * random_uniform(&random)) : 0;
		double		tenure = entry + 2 + floor(12 * random_uniform(&random));
		double		cut = entry + 1 + floor((tenure - entry - 1) * random_uniform(&random));
		double		row[] = {floor(i / 2), i % 4, entry, tenure, i % 5 < 2};

		sample_add(&s[0].sample, row, 1 + i % 2);
		sample_add(&s[1].sample, (double[]) {row[0], row[1], cut, tenure, row[4]}, 1 + i % 2);
		sample_add(&s[1].sample, (double[]) {row[0], row[1], entry, cut, 0}, 1 + i % 2);
	}
	for (int i = 0; i < 2; i++)
		rows[i] = survivor_rows(&s[i]);
	for (ErrorKind errors = ERRORS_MODEL; errors <= ERRORS_CR1; errors += ERRORS_CR1)
	{
		Fitted		whole = fit_hazard(2, &rows[0], true, errors);
		Fitted		split = fit_hazard(2, &rows[1], true, errors);

		assert_int_equal(whole.fit.status, FIT_CONVERGED);
		assert_relative(whole.fit.log_likelihood, split.fit.log_likelihood, 1e-13);
		for (int i = 0; i < whole.fit.nparams; i++)
		{
			assert_near(whole.fit.theta[i], split.fit.theta[i], 1e-11);
			assert_relative(fitted_error(&whole, i), fitted_error(&split, i), 1e-10);
		}
	}
	for (int i = 0; i < 2; i++)
		end_survivors(&s[i]);
}

/* ---- what cannot be told --------------------------------------------------------------------------- */

static Fitted
fit_periods(const double *periods, int nperiods, double x_of_event)
{
	Survivors	s;
	Rows		rows;
	Fitted		f;

	begin_survivors(&s, 2);
	for (int i = 0; i < nperiods; i++)
		for (int event = 0; event < 2; event++)
			for (int x = 0; x < 2; x++)
				sample_add(&s.sample, (double[]) {x, 7, periods[i] - 1, periods[i], event},
						   event && x != x_of_event && x_of_event >= 0 ? 0 : 3 + i + 2 * x - event);
	rows = survivor_rows(&s);
	f = fit_hazard(2, &rows, false, ERRORS_MODEL);
	end_survivors(&s);
	return f;
}

static void
test_dropped_columns(void **state)
{
	const double periods[] = {3, 8, 9};

	(void) state;
	for (int n = 1; n <= 3; n++)
	{
		Fitted		f = fit_periods(periods, n, -1);

		assert_int_equal(f.fit.status, FIT_CONVERGED);
		assert_false(isnan(f.fit.theta[HAZARD_INTERCEPT]));
		assert_int_equal(isnan(f.fit.theta[HAZARD_LOG_PERIOD]), n < 2);
		assert_int_equal(isnan(f.fit.theta[HAZARD_LOG_PERIOD_SQUARED]), n < 3);
		assert_false(isnan(f.fit.theta[HAZARD_PARAMS]));
		assert_true(isnan(f.fit.theta[HAZARD_PARAMS + 1]) && fitted_error(&f, HAZARD_PARAMS + 1) == 0);
	}
}

/* The periods 9998 to 10000 are three different ones, though their logarithms hardly are. */
static void
test_late_periods(void **state)
{
	const double periods[] = {9998, 9999, 10000};
	Fitted		f = fit_periods(periods, 3, -1);

	(void) state;
	assert_int_equal(f.fit.status, FIT_CONVERGED);
	for (int i = 0; i <= HAZARD_PARAMS; i++)
		assert_false(isnan(f.fit.theta[i]));
	/* a model of as many parameters as there are periods says what happened in each */
	for (int i = 0; i < 3; i++)
	{
		double		sum = 0;
		double		expected = 0;

		for (int x = 0; x < 2; x++)
		{
			double		eta = hazard_predictor(f.fit.theta, (double[]) {x, 7}, 2, periods[i]);

			sum += (5 + 2 * i + 4 * x) / (1 + exp(-eta));
			expected += 2 + i + 2 * x;
		}
		assert_relative(sum, expected, 1e-6);
	}
}

static void
test_separation(void **state)
{
	const double periods[] = {1, 2, 3, 4};
	Fitted		f = fit_periods(periods, 4, 1);
	Survivors	s;
	Rows		rows;

	(void) state;
	assert_int_equal(f.fit.status, FIT_IMPOSSIBLE);
	assert_true(f.report.infinite[HAZARD_PARAMS]);
	assert_false(f.report.infinite[HAZARD_LOG_PERIOD]);
	/* all events in the first period */
	begin_survivors(&s, 1);
	for (int i = 0; i < 40; i++)
		sample_add(&s.sample, (double[]) {i % 7, 0, i % 3 == 0 ? 1 : 5, i % 3 == 0}, 1);
	rows = survivor_rows(&s);
	f = fit_hazard(2, &rows, false, ERRORS_MODEL);
	assert_int_equal(f.fit.status, FIT_IMPOSSIBLE);
	assert_true(f.report.infinite[HAZARD_LOG_PERIOD]);
	assert_false(f.report.infinite[HAZARD_PARAMS]);
	end_survivors(&s);
}

static void
expect_impossible(Survivors *s, ErrorKind errors, const char *reason)
{
	Rows		rows = survivor_rows(s);
	Fitted		f = fit_hazard(2, &rows, errors == ERRORS_CR1, errors);

	assert_int_equal(f.fit.status, FIT_IMPOSSIBLE);
	assert_string_equal(f.fit.reason, reason);
	end_survivors(s);
}

static void
test_impossible(void **state)
{
	Survivors	s;

	(void) state;
	begin_survivors(&s, 1);
	expect_impossible(&s, ERRORS_MODEL, "there is no event");
	begin_survivors(&s, 1);
	sample_add(&s.sample, (double[]) {1, 0, 5, 0}, 3);
	expect_impossible(&s, ERRORS_MODEL, "there is no event");
	begin_survivors(&s, 1);
	sample_add(&s.sample, (double[]) {1, 0, 1, 1}, 3);
	sample_add(&s.sample, (double[]) {2, 2, 3, 1}, 3);
	expect_impossible(&s, ERRORS_MODEL, "everybody has the event in the first period observed");
	begin_survivors(&s, 2);
	for (int i = 0; i < 40; i++)
		sample_add(&s.sample, (double[]) {1, i % 3, 0, 1 + i % 5, i % 2}, 1);
	expect_impossible(&s, ERRORS_CR1, "there is only one cluster");
	assert_true(is_hazard_row((double[]) {2, 10000, 1}));
	assert_false(is_hazard_row((double[]) {2, 10001, 1}));
	assert_false(is_hazard_row((double[]) {0.5, 10, 1}));
	assert_false(is_hazard_row((double[]) {2, 9.5, 0}));
}

/* ---- planted effects ------------------------------------------------------------------------------- */

/* Customers who leave with a logit of -2 - 0.5 ln(j) + 0.1 ln(j)^2 + 0.8 x1 - 0.6 x2, some of them seen late. */
static void
test_recovery(void **state)
{
	const double theta[] = {-2, -0.5, 0.1, 0.8, -0.6};
	const int	runs = 200;
	Random		random;
	int			covered[5] = {0};

	(void) state;
	random_seed(&random, 41);
	for (int run = 0; run < runs; run++)
	{
		Survivors	s;
		Rows		rows;
		Fitted		f;

		begin_survivors(&s, 2);
		for (int i = 0; i < 800;)
		{
			double		x[2] = {random_normal(&random), random_uniform(&random) < 0.4};
			double		entry = random_uniform(&random) < 0.6 ? 0 : floor(5 * random_uniform(&random));
			double		end = entry + 1 + floor(20 * random_uniform(&random));
			double		j = 1;
			bool		left = false;

			for (; j <= end && !left; j++)
				left = random_uniform(&random) < hazard_model.response(hazard_predictor(theta, x, 2, j));
			if (j - 1 <= entry)
				continue;
			sample_add(&s.sample, (double[]) {x[0], x[1], entry, j - 1, left}, 1);
			i++;
		}
		rows = survivor_rows(&s);
		f = fit_hazard(2, &rows, false, run % 2 ? ERRORS_MODEL : ERRORS_HC0);
		assert_int_equal(f.fit.status, FIT_CONVERGED);
		for (int i = 0; i < 5; i++)
			covered[i] += fabs(f.fit.theta[i] - theta[i]) < 1.96 * fitted_error(&f, i);
		end_survivors(&s);
	}
	printf("intervals of 95 percent cover %d %d %d %d %d of %d\n", covered[0], covered[1], covered[2], covered[3],
		   covered[4], runs);
	for (int i = 0; i < 5; i++)
		assert_true(covered[i] >= 180 && covered[i] <= 199);
}

/* ---- predictions ----------------------------------------------------------------------------------- */

static void
test_predictions(void **state)
{
	const double theta[] = {-1.5, -0.3, 0.05, 0.5, NAN};
	const double x[] = {2, 1000};
	double		there = 1;
	double		paid = 0;

	(void) state;
	for (int j = 1; j <= 30; j++)
	{
		double		eta = -1.5 - 0.3 * log(j) + 0.05 * log(j) * log(j) + 0.5 * 2;
		double		leave = 1 / (1 + exp(-eta));

		paid += there * pow(1.1, 1 - j);
		assert_relative(hazard_predictor(theta, x, 2, j), eta, 1e-14);
		assert_relative(exp(hazard_log_survival(theta, x, 2, 0, j - 1, NULL)), there, 1e-13);
		assert_relative(hazard_expected_lifetime(theta, x, 2, 0.1, j, NULL), paid, 1e-13);
		there *= 1 - leave;
	}
	assert_relative(exp(hazard_log_survival(theta, x, 2, 7, 30, NULL)),
					there / exp(hazard_log_survival(theta, x, 2, 0, 7, NULL)), 1e-13);
	assert_near(hazard_log_survival(theta, x, 2, 7, 7, NULL), 0, 0);
	/* hazards too small for 1 - h to know them, and too near 1 */
	assert_relative(hazard_log_survival((double[]) {-80, NAN, NAN}, NULL, 0, 0, 10, NULL), -10 * exp(-80), 1e-13);
	assert_relative(hazard_log_survival((double[]) {80, NAN, NAN}, NULL, 0, 0, 10, NULL), -800, 1e-13);
	assert_relative(hazard_log_survival((double[]) {-800, NAN, NAN}, NULL, 0, 0, 10, NULL), 0, 1e-300);
}

/* ---- stopping -------------------------------------------------------------------------------------- */

static bool
stop_after(void *arg)
{
	return --*(int *) arg < 0;
}

static void
test_stop(void **state)
{
	Survivors	s;
	Rows		rows;
	int			calls = 1;

	(void) state;
	begin_survivors(&s, 2);
	for (int i = 0; i < 3000; i++)
		sample_add(&s.sample, (double[]) {i / 3, i % 7, 0, 1 + (i * 7) % 90, i % 2}, 1);
	rows = survivor_rows(&s);
	for (int after = 0; calls > 0; after++)
	{
		int			left = after;
		FitStop		stop = {stop_after, &left};
		Fitted		f;

		hazard_fit(&rows, true, ERRORS_CR1, &stop, &f.fit, &f.record, &f.report);
		assert_int_equal(f.fit.status, left < 0 ? FIT_STOPPED : FIT_CONVERGED);
		calls = left < 0;
		assert_true(after < 1000);
	}
	end_survivors(&s);
	assert_true(isnan(hazard_log_survival((double[]) {-80, 0, 0}, NULL, 0, 0, 1e15,
										  &(FitStop) {stop_after, &(int) {5}})));
	assert_true(isnan(hazard_expected_lifetime((double[]) {-80, 0, 0}, NULL, 0, 0, 1e15,
											   &(FitStop) {stop_after, &(int) {5}})));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_split_rows),
		cmocka_unit_test(test_dropped_columns),
		cmocka_unit_test(test_late_periods),
		cmocka_unit_test(test_separation),
		cmocka_unit_test(test_impossible),
		cmocka_unit_test(test_recovery),
		cmocka_unit_test(test_predictions),
		cmocka_unit_test(test_stop),
	};

	return cmocka_run_group_tests_name("hazard", tests, NULL, NULL);
}
