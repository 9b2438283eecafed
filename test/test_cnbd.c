/*
 * test_cnbd.c - BG/CNBD-k and MBG/CNBD-k: predictions against 40-digit quadrature (reference/phases.csv, see
 * reference/make_phases), against the models without phases, and against simulation; the k that a fit finds.
 */
#include "support.h"

#include <math.h>
#include <string.h>

#include "math/fit.h"
#include "math/special.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const ModelKind *const with_phases[] = {&bgcnbd_model, &mbgcnbd_model};
static const ModelKind *const without[] = {&bgnbd_model, &mbgnbd_model};

/* ---- references ------------------------------------------------------------------------------ */

enum Column
{
	K, AT_ONCE, R_, ALPHA, A_, B_, X, T_X, T_CAL, T, N, P_ALIVE, P_ALIVE_AT_T, EXPECTED, SILENCE, P1, PN, COLUMNS
};

static const char *const column_names[COLUMNS] = {
	"k", "at_once", "r", "alpha", "a", "b", "x", "t_x", "t_cal", "t", "n", "P(alive)", "P(alive at t)",
	"expected purchases", "silence", "P(1)", "P(n)"};

static double
predict(const double *row, int column)
{
	const ModelKind *model = with_phases[(int) row[AT_ONCE]];
	double		theta[] = {row[R_], row[ALPHA], row[A_], row[B_], row[K]};
	Customer	c = {row[X], row[T_X], row[T_CAL]};

	switch (column)
	{
		case P_ALIVE:
			return model->p_alive(theta, &c, 0);
		case P_ALIVE_AT_T:
			return model->p_alive(theta, &c, row[T]);
		case EXPECTED:
			return model->expected_purchases(theta, &c, row[T]);
		case SILENCE:
			return model->silence(theta, &c, row[T]);
		case P1:
			return model->purchase_probability(theta, &c, 1, row[T]);
		case PN:
			return model->purchase_probability(theta, &c, row[N], row[T]);
		default:
			return NAN;
	}
}

static void
test_references(void **state)
{
	(void) state;
	check_references("reference/phases.csv", column_names, P_ALIVE, COLUMNS, predict, 80);
}

/* ---- against themselves ---------------------------------------------------------------------- */

static const double thetas[][4] = {{.24, 4.4, .79, 2.4}, {.05, 1, .01, .5}, {30, 400, 1, 20},
								   {1, .1, 1 + 1e-14, .01}, {4, 30, 50, 2.4}, {.55, 10, 2, 8000},
								   {30, 4, 2000, 500}};
static const Customer customers[] = {{0, 0, 0}, {0, 0, 39}, {1, .5, 39}, {10, 39, 39}, {81, 500, 520}, {400, 78, 78},
									 {3000, 518, 520}};

/* All combinations, and for each of them a horizon of at most 3 times the age and 200 purchases. */
typedef void (*Check) (const ModelKind *model, const double *theta, const Customer *c, double t);

static void
check_all(Check check)
{
	static const double ks[] = {2, 3, 8};

	for (size_t i = 0; i < LENGTH(thetas); i++)
		for (size_t j = 0; j < LENGTH(customers); j++)
			for (size_t k = 0; k < LENGTH(ks); k++)
				for (int m = 0; m < 2; m++)
				{
					const double *p = thetas[i];
					double		theta[] = {p[0], p[1], p[2], p[3], ks[k]};
					const Customer *c = &customers[j];

					check(with_phases[m], theta, c,
						  (p[1] + c->t_cal) * fmin(3, 200 / (p[0] / ks[k] + c->x)));
				}
}

static void
check_distribution(const ModelKind *model, const double *theta, const Customer *c, double t)
{
	double		expected = model->expected_purchases(theta, c, t);
	double		sum = model->purchase_probability(theta, c, 0, t);
	double		mean = 0;

	assert_near(model->silence(theta, c, t), sum, 1e-15);
	for (int n = 1; n < 20000; n++)
	{
		double		p = model->purchase_probability(theta, c, n, t);

		assert_true(p >= 0 && p <= 1);
		sum += p;
		mean += n * p;
		if (n > 2 * expected && n * p < 1e-14 * mean)
			break;
	}
	assert_near(sum, 1, 1e-10);
	assert_relative(mean, expected, 1e-10);
}

static void
test_pmf_is_a_distribution(void **state)
{
	(void) state;
	check_all(check_distribution);
}

/* Neighbouring horizons take different methods somewhere: no jump. */
static void
check_growth(const ModelKind *model, const double *theta, const Customer *c, double t)
{
	const double step = 1 + 1e-9;

	(void) t;
	for (double at = 1e-3; at < 20000; at *= 3.7)
	{
		double		value = model->expected_purchases(theta, c, at);
		double		alive = model->p_alive(theta, c, at);
		double		next = model->expected_purchases(theta, c, at * step);
		/* at first a purchase needs k events at once */
		double		fastest = pow(step, theta[4]);

		assert_true(next >= value * (1 - 1e-11) && next <= value * fastest * (1 + 1e-11));
		assert_true(alive >= model->p_alive(theta, c, at * step) * (1 - 1e-11) && alive <= model->p_alive(theta, c, 0));
		assert_true(model->silence(theta, c, at) >= model->silence(theta, c, at * step) * (1 - 1e-12));
	}
}

static void
test_expected_is_continuous(void **state)
{
	(void) state;
	check_all(check_growth);
}

static void
check_limits(const ModelKind *model, const double *theta, const Customer *c, double t)
{
	double		lifetime = model->expected_purchases(theta, c, INFINITY);
	double		alive = model->p_alive(theta, c, 0);

	(void) t;
	assert_true(alive >= 0 && alive <= 1);
	assert_true(model->expected_purchases(theta, c, 0) == 0);
	assert_near(model->silence(theta, c, 0), 1, 1e-15);
	assert_true(model->p_alive(theta, c, INFINITY) == 0);
	assert_true(model->purchase_probability(theta, c, 3, 0) == 0);
	assert_true(model->discounted_purchases(theta, c, 0.01, 0) == 0);
	if (theta[2] <= 1)
		assert_true(isinf(lifetime) || alive == 0);
	else if (theta[2] > 1.5 && theta[0] >= 1)
		assert_relative(model->expected_purchases(theta, c, 1e14), lifetime, 1e-6);
}

static void
test_limits(void **state)
{
	(void) state;
	check_all(check_limits);
}

static void
test_one_phase(void **state)
{
	(void) state;
	for (size_t i = 0; i < LENGTH(thetas); i++)
		for (size_t j = 0; j < LENGTH(customers); j++)
			for (int m = 0; m < 2; m++)
			{
				const ModelKind *one = with_phases[m];
				const ModelKind *none = without[m];
				const double *p = thetas[i];
				double		theta[] = {p[0], p[1], p[2], p[3], 1};
				const Customer *c = &customers[j];

				assert_true(one->p_alive(theta, c, 9) == none->p_alive(p, c, 9));
				assert_true(one->expected_purchases(theta, c, 9) == none->expected_purchases(p, c, 9));
				assert_true(one->silence(theta, c, 9) == none->silence(p, c, 9));
				assert_true(one->purchase_probability(theta, c, 2, 9) == none->purchase_probability(p, c, 2, 9));
				assert_true(one->discounted_purchases(theta, c, .01, 9) == none->discounted_purchases(p, c, .01, 9));
			}
}

/* ---- discounting ----------------------------------------------------------------------------- */

typedef struct Discount
{
	const ModelKind *model;
	const double *theta;
	const Customer *c;
	double		delta;
} Discount;

static double
discounted_expectation(double u, void *arg)
{
	const Discount *d = arg;

	return exp(-d->delta * u) * d->model->expected_purchases(d->theta, d->c, u);
}

/* exp(-delta t) E[Y(t)] + delta INT exp(-delta u) E[Y(u)] du, which takes no intensity */
static double
discounted_by_parts(const Discount *d, double t)
{
	double		rate = 2 * (d->theta[0] + d->theta[4] * (d->c->x + 1)) / (d->theta[1] + d->c->t_cal);
	double		sum = 0;
	double		from = 0;

	for (double to = 1 / rate; from < t;)
	{
		to = fmin(to, t);
		sum += gauss_legendre(discounted_expectation, (void *) d, from, to, 16);
		from = to;
		/* short while purchases come and go, later in proportion to time */
		to += from * rate > 300 ? 0.2 * from : fmin(4 / rate, 0.4 * from);
	}
	return d->delta * sum + discounted_expectation(t, (void *) d);
}

static void
check_discounting(const ModelKind *model, const double *theta, const Customer *c, double t)
{
	static const double deltas[] = {.0018, .3, -.001};

	/* a vanishing rate leaves the expectation */
	assert_relative(model->discounted_purchases(theta, c, 1e-14, t), model->expected_purchases(theta, c, t), 1e-10);
	assert_true(isinf(model->discounted_purchases(theta, c, -1e-3, INFINITY)));
	assert_true(!isnan(model->discounted_purchases(theta, c, -100, t)));
	if (model->p_alive(theta, c, 0) == 0)
		return;
	for (size_t i = 0; i < LENGTH(deltas); i++)
	{
		Discount	d = {model, theta, c, deltas[i]};

		assert_relative(model->discounted_purchases(theta, c, deltas[i], t), discounted_by_parts(&d, t), 1e-10);
	}
	assert_relative(model->discounted_purchases(theta, c, .3, INFINITY),
					model->discounted_purchases(theta, c, .3, 200), 1e-10);
}

static void
test_discounting(void **state)
{
	(void) state;
	check_all(check_discounting);
}

/* ---- simulation ------------------------------------------------------------------------------ */

typedef struct Simulated
{
	double		calibration;
	double		x;
	double		t_x;
	double		log_gaps;
	double		holdout;
} Simulated;

static bool
take_purchase(double at, void *arg)
{
	Simulated  *s = arg;

	if (at > s->calibration)
		s->holdout++;
	else
	{
		s->x++;
		s->log_gaps += log(at - s->t_x);
		s->t_x = at;
	}
	return true;
}

/* What happened after time 20, given what had happened until then, in classes of x and t_x. */
static void
check_simulation(const ModelKind *model, const double *theta)
{
	enum
	{
		CUSTOMERS = 100000, CLASSES = 6, COUNTS = 4
	};
	double		n[CLASSES] = {0};
	double		actual[CLASSES] = {0};
	double		squares[CLASSES] = {0};
	double		expected[CLASSES] = {0};
	double		counted[COUNTS] = {0};
	double		probable[COUNTS] = {0};
	double		new_counted[COUNTS] = {0};
	const Customer newcomer = {0, 0, 0};
	Random		random;

	random_seed(&random, 2026);
	for (int i = 0; i < CUSTOMERS; i++)
	{
		Simulated	s = {.calibration = 20};

		model->simulate(theta, 35, &random, take_purchase, &s);

		Customer	c = {s.x, s.t_x, 20};
		int			class = s.x > 2 ? 5 : s.x == 0 ? 0 : 2 * (int) s.x - (s.t_x < 10);

		n[class]++;
		actual[class] += s.holdout;
		squares[class] += s.holdout * s.holdout;
		expected[class] += model->expected_purchases(theta, &c, 15);
		for (int j = 0; j < COUNTS; j++)
		{
			counted[j] += s.holdout == j;
			new_counted[j] += s.x == j;
			probable[j] += model->purchase_probability(theta, &c, j, 15);
		}
	}
	for (int i = 0; i < CLASSES; i++)
	{
		print_message("%s class %d: %.0f customers, %.0f purchases, expected %.0f\n", model->title, i, n[i], actual[i],
					  expected[i]);
		assert_true(n[i] > 1000);
		assert_near(actual[i], expected[i], 4 * sqrt(squares[i]));
	}
	for (int j = 0; j < COUNTS; j++)
	{
		double		p = model->purchase_probability(theta, &newcomer, j, 20);

		assert_near(new_counted[j] / CUSTOMERS, p, 4 * sqrt(p * (1 - p) / CUSTOMERS));
		assert_near(counted[j], probable[j], 4 * sqrt(counted[j]));
	}
}

static void
test_simulation(void **state)
{
	static const double theta[] = {.8, 3, .8, 2.4, 2};

	(void) state;
	check_simulation(&bgcnbd_model, theta);
	check_simulation(&mbgcnbd_model, theta);
	check_simulation(&bgnbd_model, theta);
	check_simulation(&mbgnbd_model, theta);
}

/* ---- choosing k ------------------------------------------------------------------------------ */

static void
simulate_cohort(const ModelKind *model, const double *theta, uint64_t seed, int customers, Sample *sample)
{
	Random		random;

	random_seed(&random, seed);
	sample_init(sample, 3);
	sample->rows.log_gaps = 0;
	for (int i = 0; i < customers; i++)
	{
		double		age = 20 + 58 * random_uniform(&random);
		Simulated	s = {.calibration = age};

		model->simulate(theta, age, &random, take_purchase, &s);
		sample_add(sample, (double[]){s.x, s.t_x, age}, 1);
		sample->rows.log_gaps += s.log_gaps;
	}
	sample_fold(sample);
}

static void
test_k_is_found(void **state)
{
	(void) state;
	for (int m = 0; m < 2; m++)
		for (int k = 1; k <= 5; k += k == 1 ? 2 : 1)
		{
			double		theta[] = {.8, 3. / k, .8, 2.4, k};
			Sample		sample;
			FitResult	fit;

			simulate_cohort(with_phases[m], theta, 30 + k, 4000, &sample);
			btyd_fit(with_phases[m], &sample.rows, NULL, NULL, &fit);
			assert_int_equal(fit.status, FIT_CONVERGED);
			assert_true(fit.theta[4] == k);
			for (int i = 0; i < 4; i++)
				assert_near(log(fit.theta[i] / theta[i]) / sqrt(fit.covariance[6 * i]), 0, 4);
			if (k == 1)
			{
				FitResult	plain;

				btyd_fit(without[m], &sample.rows, NULL, NULL, &plain);
				assert_true(plain.log_likelihood == fit.log_likelihood);
				assert_memory_equal(plain.theta, fit.theta, 4 * sizeof(double));
			}
			sample_free(&sample);
		}
}

/* CDNOW's customers do not buy regularly: k = 1, the maxima of the models without phases. */
static void
test_cdnow(void **state)
{
	static const double log_likelihood[] = {-9582.429206674, -9582.135715554};
	Sample		timing;
	Sample		spend;

	(void) state;
	sample_init(&timing, 3);
	sample_init(&spend, 2);
	if (cdnow_exact(&timing, &spend) == 0)
		skip();
	for (int m = 0; m < 2; m++)
	{
		FitResult	fit;

		btyd_fit(with_phases[m], &timing.rows, NULL, NULL, &fit);
		assert_int_equal(fit.status, FIT_CONVERGED);
		assert_true(fit.theta[4] == 1);
		assert_near(fit.log_likelihood, log_likelihood[m], 1e-9);
	}
	sample_free(&timing);
	sample_free(&spend);
}

static void
assert_no_fit(const ModelKind *model, const Rows *rows, FitStatus status, const char *about)
{
	FitResult	fit;

	btyd_fit(model, rows, NULL, NULL, &fit);
	assert_int_equal(fit.status, status);
	assert_non_null(fit.hint);
	if (strstr(fit.reason, about) == NULL)
		fail_msg("%s: the reason is \"%s\", not about \"%s\"", model->title, fit.reason, about);
}

/* Rates that overflow on the way come back, with a number or without. */
static void
test_absurd_rates_end(void **state)
{
	static const double theta[] = {1e300, .5, 2, .001, 2};
	static const Customer customer = {0, 0, 1000};
	double		silence = bgcnbd_model.silence(theta, &customer, 1e4);
	double		alive = bgcnbd_model.p_alive(theta, &customer, 1e15);

	(void) state;
	assert_true(isnan(silence) || (silence >= 0 && silence <= 1));
	assert_true(isnan(alive) || (alive >= 0 && alive <= 1));
}

/* Data that cannot tell: without gaps, without repeat purchases, without dropout. */
static void
test_hopeless(void **state)
{
	static const double loyal[] = {.8, 3, 1e-9, 1, 2};
	static const double all_zero[] = {0, 0, 38, 100, 0, 0, 39, 50};
	Rows		zero = {2, 3, all_zero, 0, 0};

	(void) state;
	for (int m = 0; m < 2; m++)
	{
		Sample		sample;

		simulate_cohort(&bgcnbd_model, loyal, 1, 2000, &sample);
		assert_no_fit(with_phases[m], &sample.rows, FIT_NOT_CONVERGED, "no dropout");
		sample.rows.log_gaps = NAN;
		assert_no_fit(with_phases[m], &sample.rows, FIT_IMPOSSIBLE, "times between purchases");
		sample_free(&sample);
		assert_no_fit(with_phases[m], &zero, FIT_IMPOSSIBLE, "no customer has a repeat purchase");
	}
}

/* Where next to nobody buys, what few buy is in proportion to r, and does not jump where the way to it changes. */
static void
test_tiny_rates(void **state)
{
	static const double ks[] = {2, 10, 20};

	(void) state;
	for (size_t i = 0; i < sizeof(ks) / sizeof(ks[0]); i++)
	{
		Customer	new_customer = {0, 0, 0};
		double		theta[] = {1e-20, 2, 4.9, 1.66, ks[i]};
		double		tiny = mbgcnbd_model.expected_purchases(theta, &new_customer, 52);
		double		below;

		theta[0] = 1e-12;
		assert_relative(mbgcnbd_model.expected_purchases(theta, &new_customer, 52), 1e8 * tiny, 1e-10);
		theta[0] = 1e-4 * (1 - 1e-13);
		below = mbgcnbd_model.expected_purchases(theta, &new_customer, 52);
		theta[0] = 1e-4;
		assert_relative(mbgcnbd_model.expected_purchases(theta, &new_customer, 52), below, 1e-10);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_one_phase),
		cmocka_unit_test(test_pmf_is_a_distribution),
		cmocka_unit_test(test_expected_is_continuous),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_tiny_rates),
		cmocka_unit_test(test_discounting),
		cmocka_unit_test(test_simulation),
		cmocka_unit_test(test_k_is_found),
		cmocka_unit_test(test_cdnow),
		cmocka_unit_test(test_absurd_rates_end),
		cmocka_unit_test(test_hopeless),
	};

	return cmocka_run_group_tests_name("cnbd", tests, NULL, NULL);
}
