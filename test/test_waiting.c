/*
 * test_waiting.c - the median of a waiting time against closed forms, and of every model against a search day by day.
 */
#include "support.h"

#include <math.h>

#include "math/waiting.h"

/* ---- distributions with a median in closed form ------------------------------------------------ */

typedef struct Known
{
	double		(*silence) (double steps, double parameter);
	double		parameter;
	int			evaluations;
} Known;

static double
count_and_answer(double steps, void *arg)
{
	Known	   *known = arg;

	known->evaluations++;
	return known->silence(steps, known->parameter);
}

static double
exponential(double steps, double rate)
{
	return exp(-rate * steps);
}

/* a customer who has left with probability 0.3 */
static double
maybe_gone(double steps, double rate)
{
	return 0.3 + 0.7 * exp(-rate * steps);
}

static double
uniform(double steps, double n)
{
	return fmax(0, 1 - steps / n);
}

/* the purchase comes on one day for certain */
static double
certain(double steps, double day)
{
	return steps < day;
}

static double
rare(double steps, double probability)
{
	return steps < 10 ? 1 : 1 - probability;
}

static double
undefined(double steps, double from)
{
	return steps < from ? 1 : NAN;
}

static double
median(double (*silence) (double, double), double parameter, double silent, double most)
{
	Known		known = {silence, parameter, 0};
	double		steps = median_wait(count_and_answer, &known, silent, most, NULL);

	assert_true(known.evaluations <= ceil(log2(most + 1)));
	return steps;
}

static void
test_closed_forms(void **state)
{
	(void) state;
	/* of an exponential time truncated at t: -log(1 - (1 - exp(-rate t)) / 2) / rate */
	for (double rate = 1e-4; rate < 10; rate *= 1.7)
		for (double t = 1; t < 5000; t = ceil(2.3 * t))
		{
			double		exact = -log1p(expm1(-rate * t) / 2) / rate;

			assert_near(median(exponential, rate, exponential(t, rate), t), ceil(exact), 0);
		}
	assert_near(median(uniform, 365, 0, 365), 183, 0);
	assert_near(median(uniform, 365, uniform(100, 365), 100), 50, 0);
	assert_near(median(uniform, 4, 0, 4), 2, 0);
	for (int day = 1; day <= 20; day++)
		assert_near(median(certain, day, 0, 20), day, 0);
}

static void
test_without_end(void **state)
{
	(void) state;
	/* given that a purchase comes at all, who may have left no longer matters: log(2) / rate */
	assert_near(median(maybe_gone, 0.01, 0.3, 3e6), ceil(log(2) / 0.01), 0);
	/* within a year it does not either */
	assert_near(median(maybe_gone, 0.01, maybe_gone(365, 0.01), 365),
				median(exponential, 0.01, exponential(365, 0.01), 365), 0);
	/* the median lies behind the last step */
	assert_near(median(exponential, 1e-6, 0, 693147), 0, 0);
	assert_near(median(exponential, 1e-6, 0, 693148), 693148, 0);
}

static bool
stop_at_once(void *arg)
{
	(void) arg;
	return true;
}

static void
test_no_answer(void **state)
{
	FitStop		stop = {stop_at_once, NULL};
	Known		known = {exponential, 0.01, 0};

	(void) state;
	assert_near(median(rare, 0.9e-9, 1 - 0.9e-9, 365), 0, 0);
	assert_near(median(rare, 1.1e-9, 1 - 1.1e-9, 365), 10, 0);
	assert_near(median(exponential, 0.01, 1, 0), 0, 0);
	assert_near(median(exponential, 0.01, exponential(1, 0.01), 1), 1, 0);
	assert_true(isnan(median(undefined, 100, 0.5, 365)));
	assert_true(isnan(median(undefined, 100, NAN, 365)));
	assert_true(isnan(median_wait(count_and_answer, &known, 0.5, 365, &stop)));
}

/* ---- models ------------------------------------------------------------------------------------ */

typedef struct Asked
{
	const ModelKind *model;
	const double *theta;
	Customer	customer;
	double		unit;			/* steps in a unit of the model; 1 for opportunities */
} Asked;

static double
model_silence(double steps, void *arg)
{
	const Asked *asked = arg;

	return asked->model->silence(asked->theta, &asked->customer, steps / asked->unit);
}

static double
model_median(Asked *asked, double t)
{
	return median_wait(model_silence, asked, model_silence(t, asked), t, NULL);
}

/* Nobody drops out and all buy alike: a Poisson process, of opportunities a geometric one. */
static void
test_memoryless_models(void **state)
{
	double		pareto[] = {2e9, 1e10, 1, 1e15};
	double		bgnbd[] = {2e9, 1e10, 1, 1e15};
	double		bgbb[] = {1e14, 9e14, 1e-3, 1e15};
	Asked		customers[] = {
		{&pareto_nbd_model, pareto, {4, 20, 30}, 7},
		{&bgnbd_model, bgnbd, {4, 20, 30}, 7},
		{&mbgnbd_model, bgnbd, {4, 20, 30}, 7},
	};
	Asked		donor = {&bgbb_model, bgbb, {1, 3, 6}, 1};

	(void) state;
	for (int i = 0; i < 3; i++)
		for (double t = 1; t < 3000; t = ceil(1.6 * t))
		{
			double		rate = 0.2 / 7;

			assert_near(model_median(&customers[i], t), ceil(-log1p(expm1(-rate * t) / 2) / rate), 0);
		}
	for (double t = 1; t < 200; t = ceil(1.6 * t))
	{
		double		rate = -log(0.9);

		assert_near(model_median(&donor, t), ceil(-log1p(expm1(-rate * t) / 2) / rate), 0);
	}
}

/* The definition, day by day. */
static double
searched(Asked *asked, double t)
{
	double		half = (1 - model_silence(t, asked)) / 2;
	double		day = 1;

	while (1 - model_silence(day, asked) < half)
		day++;
	return day;
}

static void
test_all_models(void **state)
{
	double		pareto[] = {.5532770469, 10.5776834633, .6062399891, 11.6687352889};
	double		bg[] = {.2425945224, 4.413602019, .7929220172, 2.425906777};
	double		phases[] = {1.9, 3.7, .67, 4.6, 4};
	double		bgbb[] = {1.20352239, .74971636, .65671817, 2.78344198};
	struct
	{
		const ModelKind *model;
		const double *theta;
		double		unit;
	}			models[] = {
		{&pareto_nbd_model, pareto, 7}, {&bgnbd_model, bg, 7}, {&mbgnbd_model, bg, 7}, {&bgcnbd_model, phases, 7},
		{&mbgcnbd_model, phases, 7}, {&bgbb_model, bgbb, 1},
	};
	Customer	customers[] = {{0, 0, 0}, {0, 0, 39}, {1, 2, 39}, {2, 30, 39}, {26, 31, 31}, {10, 36, 40}};

	(void) state;
	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++)
		for (size_t j = 0; j < sizeof(customers) / sizeof(customers[0]); j++)
			for (double t = 1; t < 800; t = ceil(3.1 * t))
			{
				Asked		asked = {models[i].model, models[i].theta, customers[j], models[i].unit};

				if (1 - model_silence(t, &asked) >= LEAST_PURCHASE_PROBABILITY)
					assert_near(model_median(&asked, t), searched(&asked, t), 0);
				else
					assert_near(model_median(&asked, t), 0, 0);
			}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_closed_forms),
		cmocka_unit_test(test_without_end),
		cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_memoryless_models),
		cmocka_unit_test(test_all_models),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
