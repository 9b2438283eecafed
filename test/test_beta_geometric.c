/*
 * test_beta_geometric.c - predictions against 40-digit quadrature (reference/beta_geometric.csv,
 * see reference/make_beta_geometric), against published numbers, and against themselves.
 */
#include <math.h>

#include "math/beta_geometric.h"
#include "support.h"

static const char *reference = "reference/beta_geometric.csv";

/* BG/NBD: docs/mathematics.md, section 1 */
static BetaGeometric
customer(const double *theta, double x, double t_x, double t_cal)
{
	BetaGeometric g = {theta[0] + x, theta[1] + t_cal, theta[2], theta[3] + x, -INFINITY};

	if (x > 0)
		g.log_dead_odds = log(theta[2] / (theta[3] + (x - 1))) +
						  g.R * log1p((t_cal - t_x) / (theta[1] + t_x));
	return g;
}

/* ---- references ------------------------------------------------------------------------------ */

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
	BetaGeometric g = customer(row, row[X], row[T_X], row[T_CAL]);

	switch (column)
	{
		case P_ALIVE:
			return beta_geometric_p_alive(&g, 0);
		case P_ALIVE_AT_T:
			return beta_geometric_p_alive(&g, row[T]);
		case EXPECTED:
			return beta_geometric_expected(&g, row[T]);
		case SILENCE:
			return beta_geometric_silence(&g, row[T]);
		case P1:
			return beta_geometric_probability(&g, 1, row[T]);
		case PN:
			return beta_geometric_probability(&g, row[N], row[T]);
		case DISCOUNTED:
			return beta_geometric_discounted(&g, row[DELTA], row[T]);
		default:
			return NAN;
	}
}

static void
test_references(void **state)
{
	(void) state;
	check_references(reference, column_names, P_ALIVE, COLUMNS, predict, 101);
}

/* ---- published numbers ----------------------------------------------------------------------- */

/* CDNOW, two decimals, fitted with lifetimes (Davidson-Pilon); week 39 after calibration */
static const double cdnow[] = {.24259291, 4.41353156, .79288615, 2.42575345};

static void
test_cdnow_customers(void **state)
{
	static const double golden[][5] = {{2, 30.43, 38.86, .72660915, 1.22591045},
									   {1, 1.71, 38.86, .21222741, .20325064},
									   {0, 0, 38.86, 1, .19478085},
									   {4, 24.43, 33.57, .68035134, 2.35295507},
									   {26, 30.86, 31, .96891971, 20.75056949}};

	(void) state;
	for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++)
	{
		BetaGeometric g = customer(cdnow, golden[i][0], golden[i][1], golden[i][2]);

		assert_relative(beta_geometric_p_alive(&g, 0), golden[i][3], 1e-7);
		assert_relative(beta_geometric_expected(&g, 39), golden[i][4], 1e-7);
	}
}

static void
test_cdnow_new_customer(void **state)
{
	static const double at[] = {1, 10, 39, 52, 78};
	static const double expected[] = {.05318474, .43176102, 1.1950163, 1.44402084, 1.85797178};
	static const double pmf[] = {.57430729, .19919304, .08532241, .04579719, .02763122, .01793839};
	BetaGeometric g = customer(cdnow, 0, 0, 0);

	(void) state;
	for (int i = 0; i < 5; i++)
		assert_relative(beta_geometric_expected(&g, at[i]), expected[i], 1e-7);
	for (int n = 0; n < 6; n++)
		assert_near(beta_geometric_probability(&g, n, 39), pmf[n], 1e-8);
}

/* ---- against themselves ---------------------------------------------------------------------- */

static const double thetas[][4] = {{.24, 4.4, .79, 2.4}, {.05, 1, .01, .5}, {30, 400, 1, 20},
								   {1, .1, 1 + 1e-14, .01}, {4, 30, 50, 2.4}, {.55, 10, 2, 8000},
								   {30, 4, 2000, 500}};
static const double customers[][3] = {{0, 0, 0}, {0, 0, 39}, {1, .5, 39}, {10, 39, 39},
									  {81, 500, 520}, {400, 78, 78}, {3000, 518, 520}};

#define NTHETAS (sizeof(thetas) / sizeof(thetas[0]))
#define NCUSTOMERS (sizeof(customers) / sizeof(customers[0]))

static BetaGeometric
pick(size_t i)
{
	const double *c = customers[i % NCUSTOMERS];

	return customer(thetas[i / NCUSTOMERS], c[0], c[1], c[2]);
}

static void
test_pmf_is_a_distribution(void **state)
{
	(void) state;
	for (size_t i = 0; i < NTHETAS * NCUSTOMERS; i++)
	{
		BetaGeometric g = pick(i);
		double		t = g.A * fmin(3, 200 / g.R);
		double		sum = beta_geometric_probability(&g, 0, t);
		double		mean = 0;

		for (int n = 1; n < 20000; n++)
		{
			double		p = beta_geometric_probability(&g, n, t);

			assert_true(p >= 0 && p <= 1);
			sum += p;
			mean += n * p;
			if (n > 2 * g.R * t / g.A && n * p < 1e-14 * mean)
				break;
		}
		assert_near(sum, 1, 1e-10);
		assert_relative(mean, beta_geometric_expected(&g, t), 1e-10);
	}
}

/* neighbouring horizons take different methods somewhere: no jump, and growth at the right speed */
static void
test_expected_is_continuous(void **state)
{
	const double step = 1 + 1e-9;

	(void) state;
	for (size_t i = 0; i < NTHETAS * NCUSTOMERS; i++)
	{
		BetaGeometric g = pick(i);

		for (double t = 1e-6; t < 3000; t *= 1.0137)
		{
			double		value = beta_geometric_expected(&g, t);
			double		next = beta_geometric_expected(&g, t * step);
			double		alive = beta_geometric_p_alive(&g, t);

			assert_true(next >= value * (1 - 1e-11) && next <= value * step * (1 + 1e-11));
			assert_true(alive >= beta_geometric_p_alive(&g, t * step) * (1 - 1e-11));
			assert_true(beta_geometric_silence(&g, t) >= beta_geometric_silence(&g, t * step));
		}
	}
}

static void
test_limits(void **state)
{
	(void) state;
	for (size_t i = 0; i < NTHETAS * NCUSTOMERS; i++)
	{
		BetaGeometric g = pick(i);
		double		alive = beta_geometric_p_alive(&g, 0);
		double		t = 1e-13 * g.A / g.R;

		assert_relative(beta_geometric_expected(&g, t), alive * g.R / g.A * t, 1e-10);
		assert_true(beta_geometric_expected(&g, 0) == 0);
		assert_near(beta_geometric_silence(&g, 0), 1, 1e-15);
		assert_true(beta_geometric_p_alive(&g, INFINITY) == 0);
		assert_true(beta_geometric_probability(&g, 3, 0) == 0);

		double		lifetime = beta_geometric_expected(&g, INFINITY);

		if (g.a > 1.5 && g.R >= 1)
			assert_relative(beta_geometric_expected(&g, 1e14), lifetime, 1e-6);
		if (g.a <= 1)
			assert_true(isinf(lifetime));
	}
}

static void
test_discounting(void **state)
{
	(void) state;
	for (size_t i = 0; i < NTHETAS * NCUSTOMERS; i++)
	{
		BetaGeometric g = pick(i);
		double		expected = beta_geometric_expected(&g, 52);

		/* a vanishing rate leaves the expectation */
		assert_true(beta_geometric_discounted(&g, 0, 52) == expected);
		assert_relative(beta_geometric_discounted(&g, 1e-14, 52), expected, 1e-11);
		assert_relative(beta_geometric_discounted(&g, -1e-14, 52), expected, 1e-11);

		/* a negative one overflows rather than ends in NAN; without an end it always does */
		assert_true(beta_geometric_discounted(&g, -0.1, 52) > expected);
		assert_true(!isnan(beta_geometric_discounted(&g, -100, 52)));
		assert_true(isinf(beta_geometric_discounted(&g, -1e-3, INFINITY)));

		/* a steep one values the next moment only: rate * P(alive) / delta */
		assert_relative(beta_geometric_discounted(&g, 1e13 * g.R / g.A, INFINITY),
						1e-13 * beta_geometric_p_alive(&g, 0), 1e-10);
	}
}

static void
test_many_purchases(void **state)
{
	(void) state;
	for (size_t i = 0; i < NTHETAS * NCUSTOMERS; i++)
	{
		BetaGeometric g = pick(i);

		for (double n = 1; n < 1e16; n *= 10)
			for (double t = 1e-3; t < 1e5; t *= 10)
			{
				double		p = beta_geometric_probability(&g, n, t);

				assert_true(p >= 0 && p <= 1);
			}
	}
}

/* As a and b grow without bound, everybody drops out with probability 1/2: fits that ran off end there. */
static void
test_huge_dropout_parameters(void **state)
{
	double		R = 0.5;
	double		z = 3650 / 16.0;
	double		survival = pow(1 + z / 2, -R);

	(void) state;
	for (double a = 1e7; a < 1e18; a *= 10)
	{
		BetaGeometric g = {R, 16, a, a, -INFINITY};

		assert_true(fabs(beta_geometric_p_alive(&g, 3650) / survival - 1) <= 1 / a + 1e-8);
		assert_true(fabs(beta_geometric_expected(&g, 3650) / (2 * (1 - survival)) - 1) <= 1 / a + 1e-8);
	}
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_cdnow_customers),
		cmocka_unit_test(test_cdnow_new_customer),
		cmocka_unit_test(test_pmf_is_a_distribution),
		cmocka_unit_test(test_expected_is_continuous),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_discounting),
		cmocka_unit_test(test_many_purchases),
		cmocka_unit_test(test_huge_dropout_parameters),
	};

	if (argc > 1)
		reference = argv[1];
	return cmocka_run_group_tests_name("beta_geometric", tests, NULL, NULL);
}
