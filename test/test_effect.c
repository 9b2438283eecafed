/*
 * test_effect.c - doubly robust and partially linear effects: planted effects with confounding, one of the two models
 * wrong, clusters, and what the data cannot tell; a small case against its definition.
 */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/effect.h"
#include "math/random.h"

#define NX 2
#define WIDTH (1 + NX + EFFECT_COLUMNS + 1)

static const EffectOptions usual = {5, 5, 0.95, NULL};

typedef struct Data
{
	Rows		rows;
	double	   *data;
} Data;

/* Fills a row but for unit and count. */
typedef void (*DrawRow) (Random *random, double *x, double *treatment, double *y);

static double
probability(double eta)
{
	return 1 / (1 + exp(-eta));
}

static Data
draw(DrawRow draw_row, size_t units, int rows_of_unit, uint64_t seed)
{
	Data		d = {{units * rows_of_unit, EFFECT_COLUMNS, NULL, 1 + NX, NAN}, NULL};
	Random		random;

	random_seed(&random, seed);
	d.rows.data = d.data = malloc(d.rows.n * WIDTH * sizeof(double));
	for (size_t i = 0; i < d.rows.n; i++)
	{
		double	   *row = d.data + i * WIDTH;

		row[0] = (double) (i / rows_of_unit);
		row[WIDTH - 1] = 1;
		/* the rows of a unit are copies of each other */
		if (i % rows_of_unit > 0)
			memcpy(row, row - WIDTH, WIDTH * sizeof(double));
		else
			draw_row(&random, row + 1, row + 1 + NX, row + 2 + NX);
	}
	return d;
}

static Effect
estimate(const Data *d, const EffectOptions *options, bool partial, EffectStatus expected)
{
	double	   *workspace = malloc(effect_workspace(&d->rows) * sizeof(double));
	Effect		e;
	EffectStatus status = partial ? partial_effect(&d->rows, options, workspace, &e) :
		aipw_effect(&d->rows, options, workspace, &e);

	free(workspace);
	assert_int_equal(status, expected);
	return e;
}

static double
difference_of_means(const Rows *rows)
{
	double		sum[2] = {0};
	double		n[2] = {0};

	for (size_t i = 0; i < rows->n; i++)
	{
		const double *row = rows_at(rows, i);

		sum[(int) row[EFFECT_TREATMENT]] += row[EFFECT_Y];
		n[(int) row[EFFECT_TREATMENT]] += 1;
	}
	return sum[1] / n[1] - sum[0] / n[0];
}

/* ---- planted effects: 0.5 of a number ------------------------------------------------------------------- */

static void
draw_confounded(Random *random, double *x, double *treatment, double *y)
{
	x[0] = random_normal(random);
	x[1] = random_normal(random);
	*treatment = random_uniform(random) < probability(0.8 * x[0] - 0.5 * x[1]);
	*y = 3 + 0.5 * *treatment + 1.5 * x[0] - x[1] + random_normal(random);
}

/* the outcome is curved in x: its linear model is wrong */
static void
draw_outcome_wrong(Random *random, double *x, double *treatment, double *y)
{
	x[0] = random_normal(random);
	x[1] = random_normal(random);
	*treatment = random_uniform(random) < probability(0.8 * x[0] - 0.5 * x[1]);
	*y = 0.5 * *treatment + exp(x[0]) + x[0] * x[1] + random_normal(random);
}

/* the treatment depends on x by its square: the logistic model of it, without, is wrong */
static void
draw_treatment_wrong(Random *random, double *x, double *treatment, double *y)
{
	x[0] = random_normal(random);
	x[1] = random_normal(random);
	*treatment = random_uniform(random) < probability(1.2 * x[0] * x[0] - 1.5 + 0.7 * x[1]);
	*y = 0.5 * *treatment + 1.5 * x[0] - x[1] + random_normal(random);
}

/* Shares of 60 data sets in which the interval covers the effect, and mean estimates. */
static void
assert_covers(DrawRow draw_row, bool partial, double effect, double least_bias_of_means)
{
	int			covered = 0;
	double		sum = 0;
	double		means = 0;
	EffectOptions options = {3, 1, 0.95, NULL};

	for (int i = 0; i < 60; i++)
	{
		Data		d = draw(draw_row, 800, 1, 1000 + i);
		Effect		e = estimate(&d, &options, partial, EFFECT_ESTIMATED);

		covered += e.interval.conf_low <= effect && effect <= e.interval.conf_high;
		sum += e.estimate / 60;
		means += difference_of_means(&d.rows) / 60;
		free(d.data);
	}
	/* 57 are expected; fewer than 52, of a binomial with 0.95, come once in 100 times */
	assert_true(covered >= 52);
	assert_near(sum, effect, 0.06);
	assert_true(fabs(means - effect) >= least_bias_of_means);
}

static void
test_confounding(void **state)
{
	(void) state;
	assert_covers(draw_confounded, false, 0.5, 1);
	assert_covers(draw_confounded, true, 0.5, 1);
}

static void
test_double_robustness(void **state)
{
	(void) state;
	assert_covers(draw_outcome_wrong, false, 0.5, 0.5);
	assert_covers(draw_treatment_wrong, false, 0.5, 0);
}

/* resolution lowers churn; the effect is a mean of differences of probabilities, 0.2 more or less at random */
static void
draw_churn(Random *random, double *x, double *treatment, double *y)
{
	x[0] = random_normal(random);
	x[1] = random_uniform(random) < 0.3;
	*treatment = random_uniform(random) < probability(x[0] + x[1]);
	*y = random_uniform(random) < probability(-0.5 - 1 * *treatment + 0.9 * x[0] + 0.5 * x[1]);
}

static void
test_churn(void **state)
{
	Data		d = draw(draw_churn, 20000, 1, 7);
	Effect		e = estimate(&d, &usual, false, EFFECT_ESTIMATED);
	Effect		again = estimate(&d, &usual, false, EFFECT_ESTIMATED);
	Random		random;
	double		truth = 0;

	(void) state;
	random_seed(&random, 1);
	for (int i = 0; i < 200000; i++)
	{
		double		eta = -0.5 + 0.9 * random_normal(&random) + 0.5 * (random_uniform(&random) < 0.3);

		truth += (probability(eta - 1) - probability(eta)) / 200000;
	}
	assert_true(e.interval.conf_low < truth && truth < e.interval.conf_high);
	assert_true(e.interval.std_error < 0.01 && difference_of_means(&d.rows) > truth + 0.1);
	assert_true(e.n == 20000 && e.treated > 9000 && e.treated < 13000 && e.trimmed_share < 0.01);
	assert_true(e.lowest_propensity > 0 && e.lowest_propensity < 0.05 && e.highest_propensity > 0.95);
	assert_relative(e.statistic, e.estimate / e.interval.std_error, 1e-15);
	assert_memory_equal(&e, &again, sizeof(e));
	/* a y of 0 and 2 has linear models: the same effect by other numbers */
	for (size_t i = 0; i < d.rows.n; i++)
		d.data[i * WIDTH + 2 + NX] *= 2;
	again = estimate(&d, &usual, false, EFFECT_ESTIMATED);
	assert_true(fabs(again.estimate / 2 - e.estimate) > 1e-6 && fabs(again.estimate / 2 - e.estimate) < 1e-3);
	free(d.data);
}

/* Treated all but always for x above 0: many rows have no counterpart. */
static void
draw_hardly_overlapping(Random *random, double *x, double *treatment, double *y)
{
	x[0] = random_normal(random);
	x[1] = random_normal(random);
	*treatment = random_uniform(random) < probability(4 * x[0]);
	*y = *treatment + x[0] + random_normal(random);
}

/* Units of which no row is left judge nothing: neither the factor nor the degrees of freedom counts them. */
static void
test_units_left(void **state)
{
	const EffectOptions once = {5, 1, 0.95, NULL};
	Data		d = draw(draw_hardly_overlapping, 120, 1, 7);
	Effect		e = estimate(&d, &once, false, EFFECT_ESTIMATED);
	double		left = round(120 * (1 - e.trimmed_share));

	(void) state;
	assert_true(left > 20 && left < 90);
	assert_relative((e.interval.conf_high - e.estimate) / e.interval.std_error,
					t_estimate(0, 1, left - 1, 0.95).conf_high, 1e-12);
	assert_relative(e.p_value, t_p_value(e.statistic, left - 1), 1e-12);
	free(d.data);
}

/* ---- scales, units ------------------------------------------------------------------------------------------ */

static void
test_scales(void **state)
{
	Data		d = draw(draw_confounded, 1000, 1, 3);

	(void) state;
	for (int partial = 0; partial < 2; partial++)
	{
		Effect		e = estimate(&d, &usual, partial, EFFECT_ESTIMATED);
		Effect		scaled;

		for (size_t i = 0; i < d.rows.n; i++)
		{
			double	   *row = d.data + i * WIDTH;

			row[1] = 1e6 + 1e3 * row[1];
			row[2] = 1e-9 * row[2];
			row[4] = 1e5 * row[4] - 7;
		}
		scaled = estimate(&d, &usual, partial, EFFECT_ESTIMATED);
		assert_relative(scaled.estimate, 1e5 * e.estimate, 1e-7);
		assert_relative(scaled.interval.std_error, 1e5 * e.interval.std_error, 1e-7);
		for (size_t i = 0; i < d.rows.n; i++)
		{
			double	   *row = d.data + i * WIDTH;

			row[1] = (row[1] - 1e6) / 1e3;
			row[2] = 1e9 * row[2];
			row[4] = (row[4] + 7) / 1e5;
		}
	}
	free(d.data);
}

/* Rows that come three times each say no more than once; and a count of 3 is three rows. */
static void
test_copies(void **state)
{
	Data		once = draw(draw_confounded, 500, 1, 11);
	Data		thrice = draw(draw_confounded, 500, 3, 11);

	(void) state;
	for (int partial = 0; partial < 2; partial++)
	{
		Effect		e = estimate(&once, &usual, partial, EFFECT_ESTIMATED);
		Effect		copies = estimate(&thrice, &usual, partial, EFFECT_ESTIMATED);
		Effect		counted;

		assert_relative(copies.estimate, e.estimate, 1e-9);
		assert_relative(copies.interval.std_error, e.interval.std_error, 1e-9);
		assert_true(copies.n == 1500);
		for (size_t i = 0; i < once.rows.n; i++)
			once.data[i * WIDTH + WIDTH - 1] = 3;
		counted = estimate(&once, &usual, partial, EFFECT_ESTIMATED);
		assert_relative(counted.interval.std_error, e.interval.std_error, 1e-9);
		assert_true(counted.n == 1500);
		for (size_t i = 0; i < once.rows.n; i++)
			once.data[i * WIDTH + WIDTH - 1] = 1;
	}
	free(once.data);
	free(thrice.data);
}

/*
 * Without anything to explain, x constant, a fold is predicted by the means of the others: three repetitions of two
 * folds against that definition.
 */
static void
draw_simple(Random *random, double *x, double *treatment, double *y)
{
	x[0] = x[1] = 4;
	*treatment = random_uniform(random) < 0.4;
	*y = random_normal(random) + *treatment;
}

/* One repetition of two folds: the estimate and its variance. */
static void
by_definition(const Rows *rows, int repetition, double *estimate, double *variance)
{
	int			n = (int) rows->n;
	int			fold[60];
	double		signal[60];

	for (int i = 0; i < n; i++)
	{
		Random		random;
		double		unit = i;
		uint64_t	seed;

		memcpy(&seed, &unit, sizeof(seed));
		random_seed(&random, seed + repetition * 0xd1342543de82ef95);
		fold[i] = random_uniform(&random) * 2;
	}
	*estimate = *variance = 0;
	for (int i = 0; i < n; i++)
	{
		double		others[2] = {0};
		double		sum[2] = {0};
		double		p;
		const double *row = rows_at(rows, i);

		for (int j = 0; j < n; j++)
		{
			const double *other = rows_at(rows, j);

			if (fold[j] == fold[i])
				continue;
			others[(int) other[0]] += 1;
			sum[(int) other[0]] += other[1];
		}
		p = others[1] / (others[0] + others[1]);
		signal[i] = sum[1] / others[1] - sum[0] / others[0];
		signal[i] += row[0] != 0 ? (row[1] - sum[1] / others[1]) / p : -(row[1] - sum[0] / others[0]) / (1 - p);
		*estimate += signal[i] / n;
	}
	for (int i = 0; i < n; i++)
		*variance += (signal[i] - *estimate) * (signal[i] - *estimate) / n / (n - 1);
}

static double
middle(double a, double b, double c)
{
	return fmax(fmin(a, b), fmin(fmax(a, b), c));
}

static void
test_definition(void **state)
{
	EffectOptions options = {2, 3, 0.95, NULL};
	Data		d = draw(draw_simple, 60, 1, 5);
	Effect		e = estimate(&d, &options, false, EFFECT_ESTIMATED);
	double		estimates[3];
	double		variances[3];
	double		median;

	(void) state;
	for (int s = 0; s < 3; s++)
		by_definition(&d.rows, s, &estimates[s], &variances[s]);
	median = middle(estimates[0], estimates[1], estimates[2]);
	for (int s = 0; s < 3; s++)
		variances[s] += (estimates[s] - median) * (estimates[s] - median);
	assert_relative(e.estimate, median, 1e-10);
	assert_relative(e.interval.std_error, sqrt(middle(variances[0], variances[1], variances[2])), 1e-10);
	/* the quantile of t with 59 degrees of freedom */
	assert_relative(e.interval.conf_high - e.estimate, 2.0009953780882694 * e.interval.std_error, 1e-9);
	assert_relative(e.estimate - e.interval.conf_low, 2.0009953780882694 * e.interval.std_error, 1e-9);
	options.repetitions = 1;
	e = estimate(&d, &options, false, EFFECT_ESTIMATED);
	assert_relative(e.estimate, estimates[0], 1e-10);
	free(d.data);
}

/* The median of repetitions, and their spread in its error. */
static void
test_repetitions(void **state)
{
	EffectOptions options = {4, 1, 0.95, NULL};
	Data		d = draw(draw_confounded, 200, 1, 13);
	Effect		one = estimate(&d, &options, false, EFFECT_ESTIMATED);
	Effect		many;

	(void) state;
	options.repetitions = 51;
	many = estimate(&d, &options, false, EFFECT_ESTIMATED);
	assert_true(one.estimate != many.estimate && fabs(one.estimate - many.estimate) < one.interval.std_error);
	assert_relative(many.interval.std_error, one.interval.std_error, 0.2);
	free(d.data);
}

/* ---- what the data cannot tell ------------------------------------------------------------------------------ */

/* x[0] decides the treatment but for a strip in the middle */
static void
draw_little_overlap(Random *random, double *x, double *treatment, double *y)
{
	x[0] = random_normal(random);
	x[1] = random_normal(random);
	*treatment = random_uniform(random) < probability(6 * x[0]);
	*y = *treatment + x[0] + random_normal(random);
}

static void
draw_no_overlap(Random *random, double *x, double *treatment, double *y)
{
	x[0] = random_normal(random);
	x[1] = random_normal(random);
	*treatment = x[0] > 0;
	*y = *treatment + x[0] + random_normal(random);
}

static void
test_overlap(void **state)
{
	Data		d = draw(draw_little_overlap, 2000, 1, 17);
	Effect		e = estimate(&d, &usual, false, EFFECT_ESTIMATED);

	(void) state;
	assert_true(e.trimmed_share > 0.3 && e.trimmed_share < 0.6 && e.lowest_propensity < 1e-4);
	assert_true(e.interval.conf_low < 1 && 1 < e.interval.conf_high);
	free(d.data);
	/* separated: Firth's propensities are finite, and nearly all are left out; the few that are not say nothing */
	d = draw(draw_no_overlap, 2000, 1, 19);
	e = estimate(&d, &usual, false, EFFECT_IMPOSSIBLE);
	assert_true(e.trimmed_share > 0.8 && isnan(e.estimate) && isnan(e.interval.std_error) && isnan(e.p_value));
	free(d.data);
}

static void
draw_determined(Random *random, double *x, double *treatment, double *y)
{
	x[0] = random_normal(random);
	x[1] = random_normal(random);
	*treatment = x[0] - 2 * x[1] + 1;
	*y = *treatment + random_normal(random);
}

static void
draw_exact(Random *random, double *x, double *treatment, double *y)
{
	x[0] = random_normal(random);
	x[1] = random_normal(random);
	*treatment = random_uniform(random) < 0.5;
	*y = 2 * *treatment + 3 * x[0] - x[1];
}

static void
test_impossible(void **state)
{
	const EffectOptions options = {10, 1, 0.95, NULL};
	Data		d = draw(draw_determined, 100, 1, 23);
	Effect		e = estimate(&d, &usual, true, EFFECT_IMPOSSIBLE);

	(void) state;
	assert_string_equal(e.reason, "x leaves nothing of the treatment to compare");
	assert_true(isnan(e.estimate) && isnan(e.interval.std_error) && e.n == 100);
	e = estimate(&d, &usual, false, EFFECT_NOT_BINARY);
	assert_true(e.wrong != 0 && e.wrong != 1);
	free(d.data);
	d = draw(draw_exact, 100, 1, 29);
	for (int partial = 0; partial < 2; partial++)
	{
		e = estimate(&d, &usual, partial, EFFECT_IMPOSSIBLE);
		assert_true(isnan(e.estimate) && strstr(e.reason, "no residuals") != NULL);
	}
	free(d.data);
	d = draw(draw_confounded, 19, 5, 31);
	estimate(&d, &options, false, EFFECT_IMPOSSIBLE);
	for (size_t i = 0; i < d.rows.n; i++)
		d.data[i * WIDTH + 3] = 1;
	e = estimate(&d, &usual, false, EFFECT_IMPOSSIBLE);
	assert_string_equal(e.reason, "the treatment is the same in all rows");
	/* all treated rows are of one unit */
	for (size_t i = 0; i < d.rows.n; i++)
		d.data[i * WIDTH + 3] = i < 5;
	e = estimate(&d, &usual, false, EFFECT_IMPOSSIBLE);
	assert_string_equal(e.reason, "all rows of a group are in one fold");
	for (size_t i = 0; i < d.rows.n; i++)
		d.data[i * WIDTH + 4] = 1;
	e = estimate(&d, &usual, true, EFFECT_IMPOSSIBLE);
	assert_string_equal(e.reason, "y is the same in all rows");
	d.rows.n = 0;
	estimate(&d, &usual, true, EFFECT_IMPOSSIBLE);
	free(d.data);
}

static bool
after_some(void *arg)
{
	return --*(int *) arg < 0;
}

static void
test_stop(void **state)
{
	Data		d = draw(draw_churn, 1000, 1, 37);

	(void) state;
	for (int calls = 0; calls < 40; calls++)
		for (int partial = 0; partial < 2; partial++)
		{
			int			left = calls;
			const FitStop stop = {after_some, &left};
			const EffectOptions options = {3, 3, 0.95, &stop};

			estimate(&d, &options, partial, EFFECT_STOPPED);
		}
	free(d.data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_units_left),
		cmocka_unit_test(test_confounding),
		cmocka_unit_test(test_double_robustness),
		cmocka_unit_test(test_churn),
		cmocka_unit_test(test_scales),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_definition),
		cmocka_unit_test(test_repetitions),
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_impossible),
		cmocka_unit_test(test_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
