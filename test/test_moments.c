/*
 * test_moments.c - least squares, correlations and scores from a triangle: against NIST's certified values (StRD:
 * Longley, Filip), against the definitions at 40 digits (test/reference/make_moments) and against themselves by another
 * way; rows in any order, merged in any way.
 */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "math/inference.h"
#include "math/moments.h"
#include "math/random.h"

#define CONF 0.95

/* ---- triangles under test ------------------------------------------------------------------------ */

#define MOST_NUMBERS (1 + 2 * MOMENTS_MAX_COLUMNS + MOMENTS_MAX_COLUMNS * (MOMENTS_MAX_COLUMNS + 1) / 2)

typedef struct Triangle
{
	Moments		view;
	double		numbers[MOST_NUMBERS];
} Triangle;

static void
triangle_init(Triangle *t, int nx)
{
	memset(t->numbers, 0, sizeof(t->numbers));
	t->view = (Moments) {.nx = nx, .triangle = t->numbers};
}

static void
add(Triangle *t, const double *row)
{
	triangle_add(t->numbers, t->view.nx, row);
	t->view.n++;
}

static void
merge(Triangle *t, const Moments *m)
{
	triangle_merge(t->numbers, m);
	t->view.n += m->n;
}

static void
pool(Triangle *t, const Moments *m)
{
	triangle_merge_within(t->numbers, m);
	t->view.within = true;
	t->view.groups += m->within ? m->groups : 1;
	t->view.n += m->n;
}

/* A random order of n things. */
static void
shuffle(Random *random, int *order, int n)
{
	for (int i = 0; i < n; i++)
		order[i] = i;
	for (int i = n - 1; i > 0; i--)
	{
		int			j = (int) (random_uniform(random) * (i + 1));
		int			kept = order[i];

		order[i] = order[j];
		order[j] = kept;
	}
}

/* The unscaled covariance of (intercept, effects). */
static void
full_covariance(const MomentsFit *fit, double *covariance)
{
	int			n = fit->nx + 1;

	memset(covariance, 0, sizeof(double) * n * n);
	covariance[0] = 1 / fit->weights;
	for (int i = 0; i < fit->nx; i++)
		for (int j = 0; j < fit->nx; j++)
			covariance[(i + 1) * n + j + 1] = fit->inverse[i * fit->nx + j];
	moments_uncentered(fit, covariance);
}

/* The worst relative error of coefficients and standard errors, intercept first, from `from` on. */
static double
worst_error(const MomentsFit *fit, const double *effects, const double *errors, int from)
{
	double		covariance[MOMENTS_MAX_COLUMNS * MOMENTS_MAX_COLUMNS];
	double		variance = fit->rss / fit->df;
	double		worst = 0;

	full_covariance(fit, covariance);
	for (int i = from; i <= fit->nx; i++)
	{
		double		effect = i == 0 ? fit->intercept_value : fit->effect[i - 1];
		double		error = sqrt(variance * covariance[i * (fit->nx + 2)]);

		worst = fmax(worst, fmax(fabs(effect / effects[i] - 1), fabs(error / errors[i] - 1)));
	}
	return worst;
}

/* ---- Longley ------------------------------------------------------------------------------------- */

/* Longley 1967: weight, deflator, GNP, unemployed, armed forces, population, year; employed */
static const double longley[16][8] = {
	{1, 83.0, 234289, 2356, 1590, 107608, 1947, 60323},
	{1, 88.5, 259426, 2325, 1456, 108632, 1948, 61122},
	{1, 88.2, 258054, 3682, 1616, 109773, 1949, 60171},
	{1, 89.5, 284599, 3351, 1650, 110929, 1950, 61187},
	{1, 96.2, 328975, 2099, 3099, 112075, 1951, 63221},
	{1, 98.1, 346999, 1932, 3594, 113270, 1952, 63639},
	{1, 99.0, 365385, 1870, 3547, 115094, 1953, 64989},
	{1, 100.0, 363112, 3578, 3350, 116219, 1954, 63761},
	{1, 101.2, 397469, 2904, 3048, 117388, 1955, 66019},
	{1, 104.6, 419180, 2822, 2857, 118734, 1956, 67857},
	{1, 108.4, 442769, 2936, 2798, 120445, 1957, 68169},
	{1, 110.8, 444546, 4681, 2637, 121950, 1958, 66513},
	{1, 112.6, 482704, 3813, 2552, 123366, 1959, 68655},
	{1, 114.2, 502601, 3931, 2514, 125368, 1960, 69564},
	{1, 115.7, 518173, 4806, 2572, 127852, 1961, 69331},
	{1, 116.9, 554894, 4007, 2827, 130081, 1962, 70551}
};

/* certified by NIST, 15 digits; the rest from the same normal equations at 40 digits */
static const double longley_effects[7] = {
	-3482258.6345958183, 15.061872271373295, -0.035819179292591017, -2.0202298038168251, -1.0332268671735920,
	-0.051104105653580714, 1829.1514646135518
};
static const double longley_errors[7] = {
	890420.38360737255, 84.914925774766945, 0.033491007772243189, 0.48839968165169946, 0.21427416316167526,
	0.22607320006937036, 455.47849914221199
};

static void
longley_triangle(Triangle *t, const int *order, double years)
{
	triangle_init(t, 6);
	for (int i = 0; i < 16; i++)
	{
		double		row[8];

		memcpy(row, longley[order[i]], sizeof(row));
		row[6] += years;
		add(t, row);
	}
}

/* Single rows, kept or as triangles, merged into parts, and these in another order. */
static void
longley_merged(Random *random, Triangle *t, const int *order, double years)
{
	Triangle	parts[4];

	for (int p = 0; p < 4; p++)
		triangle_init(&parts[p], 6);
	for (int i = 0; i < 16; i++)
	{
		double		numbers[8];
		double		work[MOST_NUMBERS];
		Moments		row = {.nx = 6, .n = 1, .nrows = 1, .rows = numbers};
		Moments		single = {.nx = 6, .n = 1, .triangle = work};

		memcpy(numbers, longley[order[i]], sizeof(numbers));
		numbers[6] += years;
		moments_triangle(&row, work);
		merge(&parts[(int) (4 * random_uniform(random))], i % 2 ? &row : &single);
	}
	triangle_init(t, 6);
	for (int p = 3; p >= 0; p--)
		merge(t, &parts[p].view);
	assert_true(t->view.n == 16);
}

static void
test_longley(void **state)
{
	Random		random;
	double		worst[4] = {0, 0, 0, 0};

	(void) state;
	random_seed(&random, 1967);
	for (int round = 0; round < 200; round++)
	{
		int			order[16];
		Triangle	t;
		MomentsFit	fit;

		shuffle(&random, order, 16);
		longley_triangle(&t, order, 0);
		moments_solve(&t.view, &fit);
		assert_int_equal(fit.rank, 6);
		assert_true(fit.df == 9 && fit.intercept && !fit.exact);
		assert_relative(fit.rss, 836424.05550591462, 1e-12);
		assert_relative(fit.explained / (fit.explained + fit.rss), 0.99547900457729560, 1e-12);
		worst[0] = fmax(worst[0], worst_error(&fit, longley_effects, longley_errors, 0));

		/* a year that is a million years off is the same column, as far as its deviations go */
		longley_triangle(&t, order, 1e6);
		moments_solve(&t.view, &fit);
		worst[1] = fmax(worst[1], worst_error(&fit, longley_effects, longley_errors, 1));

		longley_merged(&random, &t, order, 0);
		moments_solve(&t.view, &fit);
		worst[2] = fmax(worst[2], worst_error(&fit, longley_effects, longley_errors, 0));
		longley_merged(&random, &t, order, 1e9);
		moments_solve(&t.view, &fit);
		worst[3] = fmax(worst[3], worst_error(&fit, longley_effects, longley_errors, 1));
	}
	printf("Longley: worst relative error %.1e, years + 1e6 %.1e, merged %.1e, years + 1e9 %.1e\n", worst[0], worst[1],
		   worst[2], worst[3]);
	for (int i = 0; i < 4; i++)
		assert_true(worst[i] < 1e-11);
}

/* by test/reference/make_moments; the p-values of partial correlations are those of NIST's t */
static void
test_longley_correlations(void **state)
{
	static const double simple[6][4] = {
		{0.97089852506105582, 0.91608730068102305, 0.99009253960721961, 4.3890467024468304e-10},
		{0.98355161117966931, 0.95199135900048482, 0.9944238345515605, 8.3634787878654121e-12},
		{0.50249808387599413, 0.0090460413406798673, 0.79914388219776546, 0.047289409779030556},
		{0.45730739997648176, -0.049653975407399906, 0.77689795367978445, 0.074917804964241503},
		{0.9603905715943755, 0.88692360589434046, 0.98646757008679647, 3.6932450851707213e-9},
		{0.97132945919211872, 0.9172958197212667, 0.99024065650877931, 3.9583431538070252e-10},
	};
	static const double partial[6][4] = {
		{0.059022267544403301, -0.56070506018180299, 0.63636611300990526, 0.86314083280921453},
		{-0.33580385785247366, -0.77879761261370562, 0.3306843185561298, 0.31268106109271112},
		{-0.80950904495888049, -0.94869414864002602, -0.40753453173216442, 0.0025350917341112787},
		{-0.84908396418746271, -0.95999237642706444, -0.5079099815106668, 0.00094436676416179346},
		{-0.07513738046364059, -0.64589973147808254, 0.54950551563560264, 0.82621179576364699},
		{0.8011397162372053, 0.38748245277476289, 0.94625837874866887, 0.0030368033416302891},
	};
	int			order[16];
	Triangle	t;

	(void) state;
	for (int i = 0; i < 16; i++)
		order[i] = i;
	for (int far = 0; far < 2; far++)
	{
		longley_triangle(&t, order, far * 1e6);
		for (int i = 0; i < 12; i++)
		{
			const double *expected = i < 6 ? simple[i] : partial[i - 6];
			MomentsCorrelation c = moments_correlation(&t.view, i % 6, i >= 6, CONF);

			assert_true(c.n == 16 && c.df == (i < 6 ? 14 : 9) && c.reason == NULL);
			assert_relative(c.estimate, expected[0], 1e-10);
			assert_relative(c.conf_low, expected[1], 1e-10);
			assert_relative(c.conf_high, expected[2], 1e-10);
			assert_relative(c.p_value, expected[3], 1e-10);
		}
	}
}

/* ---- Filip --------------------------------------------------------------------------------------- */

/* Filippelli, NIST: y, x; y is a polynomial of degree 10 in x */
static const double filip[82][2] = {
	{0.8116, -6.860120914}, {0.9072, -4.324130045}, {0.9052, -4.358625055}, {0.9039, -4.358426747}, {0.8053,
	-6.955852379}, {0.8377, -6.661145254}, {0.8667, -6.355462942}, {0.8809, -6.118102026}, {0.7975, -7.115148017},
	{0.8162, -6.815308569}, {0.8515, -6.519993057}, {0.8766, -6.204119983}, {0.8885, -5.853871964}, {0.8859,
	-6.109523091}, {0.8959, -5.79832982}, {0.8913, -5.482672118}, {0.8959, -5.171791386}, {0.8971, -4.851705903},
	{0.9021, -4.517126416}, {0.909, -4.143573228}, {0.9139, -3.709075441}, {0.9199, -3.499489089}, {0.8692,
	-6.300769497}, {0.8872, -5.953504836}, {0.89, -5.642065153}, {0.891, -5.031376979}, {0.8977, -4.680685696},
	{0.9035, -4.329846955}, {0.9078, -3.928486195}, {0.7675, -8.56735134}, {0.7705, -8.363211311}, {0.7713,
	-8.107682739}, {0.7736, -7.823908741}, {0.7775, -7.522878745}, {0.7841, -7.218819279}, {0.7971, -6.920818754},
	{0.8329, -6.628932138}, {0.8641, -6.323946875}, {0.8804, -5.991399828}, {0.7668, -8.781464495}, {0.7633,
	-8.663140179}, {0.7678, -8.473531488}, {0.7697, -8.247337057}, {0.77, -7.971428747}, {0.7749, -7.676129393},
	{0.7796, -7.352812702}, {0.7897, -7.072065318}, {0.8131, -6.774174009}, {0.8498, -6.478861916}, {0.8741,
	-6.159517513}, {0.8061, -6.835647144}, {0.846, -6.53165267}, {0.8751, -6.224098421}, {0.8856, -5.910094889},
	{0.8919, -5.598599459}, {0.8934, -5.290645224}, {0.894, -4.974284616}, {0.8957, -4.64454848}, {0.9047,
	-4.290560426}, {0.9129, -3.885055584}, {0.9209, -3.408378962}, {0.9219, -3.13200249}, {0.7739, -8.726767166},
	{0.7681, -8.66695597}, {0.7665, -8.511026475}, {0.7703, -8.165388579}, {0.7702, -7.886056648}, {0.7761,
	-7.588043762}, {0.7809, -7.283412422}, {0.7961, -6.995678626}, {0.8253, -6.691862621}, {0.8602, -6.392544977},
	{0.8809, -6.067374056}, {0.8301, -6.684029655}, {0.8664, -6.378719832}, {0.8834, -6.065855188}, {0.8898,
	-5.752272167}, {0.8964, -5.132414673}, {0.8963, -4.811352704}, {0.9074, -4.098269308}, {0.9119, -3.66174277},
	{0.9228, -3.2644011}
};

static void
filip_fit(double center, int degree, const int *order, MomentsFit *fit)
{
	Triangle	t;

	triangle_init(&t, degree);
	for (int i = 0; i < 82; i++)
	{
		double		row[MOMENTS_MAX_COLUMNS + 1];
		double		power = 1;

		row[0] = 1;
		for (int j = 1; j <= degree; j++)
			row[j] = power *= filip[order[i]][1] - center;
		row[degree + 1] = filip[order[i]][0];
		add(&t, row);
	}
	moments_solve(&t.view, fit);
}

/*
 * Of x^10 the lower powers leave 6e-8, so that double precision could tell its effect to six or seven digits: it is
 * refused. About a center the same polynomial is fitted; its leading coefficient is the certified one, wherever the
 * center is.
 */
static void
test_filip(void **state)
{
	Random		random;
	double		worst = 0;

	(void) state;
	random_seed(&random, 10);
	for (int round = 0; round < 20; round++)
	{
		MomentsFit	fit;
		MomentsFit	lower;
		int			order[82];

		shuffle(&random, order, 82);
		filip_fit(0, 10, order, &fit);
		assert_int_equal(fit.rank, 9);
		assert_true(fit.aliased[9] && !fit.aliased[8] && isnan(fit.effect[9]) && fit.df == 72);
		/* what is refused belongs to the residuals */
		filip_fit(0, 9, order, &lower);
		assert_relative(fit.rss, lower.rss, 1e-8);

		filip_fit(-6, 10, order, &fit);
		assert_int_equal(fit.rank, 10);
		worst = fmax(worst, fabs(fit.effect[9] / -0.402962525080404E-04 - 1));
		worst = fmax(worst, fabs(sqrt(fit.rss / fit.df * fit.inverse[99]) / 0.896632837373868E-05 - 1));
		worst = fmax(worst, fabs(sqrt(fit.rss / fit.df) / 0.334801051324544E-02 - 1));
		assert_relative(fit.explained / (fit.explained + fit.rss), 0.996727416185620, 1e-11);
	}
	printf("Filip about -6: worst relative error %.1e\n", worst);
	assert_true(worst < 1e-9);
}

/* ---- columns that say nothing -------------------------------------------------------------------- */

/* Drawn x1, x2; x3 = x1 + x2; a share and its rest; a constant; three classes, all of them; a far column */
#define COLUMNS_OF_RANK 9
static void
redundant_row(Random *random, double *row)
{
	double		class = floor(3 * random_uniform(random));

	row[0] = 1;
	row[1] = random_normal(random);
	row[2] = random_normal(random);
	row[3] = row[1] + row[2];
	row[4] = 1 - row[1];
	row[5] = 0.1;
	row[6] = class == 0;
	row[7] = class == 1;
	row[8] = class == 2;
	row[9] = 1e9 + row[2];
	row[10] = row[1] + row[6] + 1e-6 * random_normal(random);
}

static void
test_rank(void **state)
{
	static const bool expected[COLUMNS_OF_RANK] = {false, false, true, true, true, false, false, true, true};
	Random		random;

	(void) state;
	random_seed(&random, 33);
	for (int n = 100; n <= 1000000; n *= 100)
	{
		Triangle	t;
		MomentsFit	fit;

		triangle_init(&t, COLUMNS_OF_RANK);
		for (int i = 0; i < n; i++)
		{
			double		row[COLUMNS_OF_RANK + 2];

			redundant_row(&random, row);
			add(&t, row);
		}
		moments_solve(&t.view, &fit);
		assert_int_equal(fit.rank, 4);
		assert_true(fit.df == n - 5 && !fit.exact);
		assert_memory_equal(fit.aliased, expected, sizeof(expected));
		assert_near(fit.effect[0], 1, 1e-6);
		assert_near(fit.effect[1], 0, 1e-6);
		assert_near(fit.effect[5], 1, 1e-6);
		for (int i = 0; i < COLUMNS_OF_RANK; i++)
			for (int j = 0; j < COLUMNS_OF_RANK; j++)
				if (expected[i] || expected[j])
					assert_true(isnan(fit.effect[expected[i] ? i : j]) && fit.inverse[i * COLUMNS_OF_RANK + j] == 0);
		/* what the others make up has no partial correlation, and costs them no degree of freedom */
		assert_string_equal(moments_correlation(&t.view, 4, false, CONF).reason, "x[i] is constant");
		assert_true(isnan(moments_correlation(&t.view, 2, true, CONF).estimate));
		assert_true(moments_correlation(&t.view, 4, true, CONF).df == n - 2 - 4);
	}
}

static void
test_degenerate(void **state)
{
	static const double rows[3][4] = {{1, 1, 5, 2}, {1, 2, 5, 4}, {1, 3, 5, 6}};
	Triangle	t;
	MomentsFit	fit;
	MomentsCorrelation c;

	(void) state;
	triangle_init(&t, 2);
	moments_solve(&t.view, &fit);
	assert_true(fit.rank == 0 && isnan(fit.level) && fit.exact);
	for (int n = 0; n < 3; n++)
	{
		add(&t, rows[n]);
		moments_solve(&t.view, &fit);
		c = moments_correlation(&t.view, 0, false, CONF);
		assert_true(isnan(c.conf_low) && isnan(c.p_value) && c.df == n - 1);
		assert_true(n == 0 ? isnan(c.estimate) : c.estimate == 1);
		assert_true(fit.exact && fit.rank == (n > 0) && fit.aliased[1]);
		assert_true(isnan(moments_correlation(&t.view, 1, false, CONF).estimate));
	}
	assert_near(fit.effect[0], 2, 1e-15);
	assert_near(fit.intercept_value, 0, 1e-15);

	/* a line of three points and noise far below the last place of y is exact; far above it, it is not */
	for (int k = 0; k < 2; k++)
	{
		triangle_init(&t, 1);
		for (int i = 0; i < 4; i++)
			add(&t, (double[]) {1, i, i + (k ? 1e-9 : 1e-15) * (i % 3)});
		moments_solve(&t.view, &fit);
		assert_true(fit.exact == !k && fit.df == 2);
		assert_true(isnan(moments_correlation(&t.view, 0, false, CONF).p_value) == !k);
	}
}

/* What rounding leaves of sums is no residual and no column of its own, be the columns near zero or far away. */
static void
test_rounded_sums(void **state)
{
	Random		random;

	(void) state;
	random_seed(&random, 12);
	for (double far = 0; far <= 1e11; far += 1e11)
	{
		Triangle	t;
		MomentsFit	fit;

		triangle_init(&t, 3);
		for (int i = 0; i < 1000; i++)
		{
			double		a = random_normal(&random);
			double		b = far + random_normal(&random);

			add(&t, (double[]) {1, a, b, a + b, 0.1 * a + 0.7 * b});
		}
		moments_solve(&t.view, &fit);
		assert_true(fit.rank == 2 && fit.aliased[2] && fit.exact && fit.rss >= 0);
		assert_near(fit.effect[0], 0.1, far > 0 ? 1e-5 : 1e-14);
		assert_near(fit.effect[1], 0.7, far > 0 ? 1e-5 : 1e-14);
	}
}

/* A response that is constant, and numbers at the ends of their range. */
static void
test_extremes(void **state)
{
	Triangle	t;
	MomentsFit	fit;

	(void) state;
	triangle_init(&t, 1);
	for (int i = 0; i < 5; i++)
		add(&t, (double[]) {1, i * i, 0.1});
	moments_solve(&t.view, &fit);
	assert_true(fit.exact && fit.rss == 0 && fit.explained == 0 && fit.effect[0] == 0 && fit.level == 0.1);
	assert_string_equal(moments_correlation(&t.view, 0, false, CONF).reason, "y is constant");

	for (int sign = -1; sign <= 1; sign += 2)
	{
		double		size = sign < 0 ? MOMENTS_SMALLEST : MOMENTS_LARGEST;
		double		weight = sign < 0 ? MOMENTS_SMALLEST_WEIGHT : MOMENTS_LARGEST_WEIGHT;

		triangle_init(&t, 1);
		for (int i = 0; i < 1000; i++)
			add(&t, (double[]) {weight, i % 2 ? size : -size, i % 3 ? size : -size});
		assert_true(triangle_is_finite(t.numbers, 1));
		moments_solve(&t.view, &fit);
		assert_true(fit.rank == 1 && isfinite(fit.effect[0]) && fit.rss > 0 && isfinite(fit.rss));
		/* 167 rows are (1, -1), 167 (-1, -1), 333 each of (1, 1) and (-1, 1) */
		assert_near(fit.effect[0], 0, 1e-2);
	}
	t.numbers[triangle_row_at(1, 0)] = INFINITY;
	assert_false(triangle_is_finite(t.numbers, 1));
}

/* ---- weights, groups, clusters -------------------------------------------------------------------- */

#define NX 4

/* A row of NX regressors that go with each other, of a group */
static void
draw_row(Random *random, int group, double *row)
{
	row[0] = 1;
	row[1] = random_normal(random) + group;
	row[2] = 2000 + floor(10 * random_uniform(random)) - group;
	row[3] = 0.5 * row[1] + random_normal(random);
	row[4] = random_exponential(random);
	row[NX + 1] = 3 * row[1] - 0.1 * row[2] + 0.2 * row[4] - 5 * group + random_normal(random);
}

static void
test_weights(void **state)
{
	Random		random;
	Triangle	weighted;
	Triangle	repeated;
	MomentsFit	a;
	MomentsFit	b;

	(void) state;
	random_seed(&random, 5);
	triangle_init(&weighted, NX);
	triangle_init(&repeated, NX);
	for (int i = 0; i < 50; i++)
	{
		double		row[NX + 2];

		draw_row(&random, i % 3, row);
		for (int k = 0; k <= i % 4; k++)
			add(&repeated, row);
		row[0] = 1 + i % 4;
		add(&weighted, row);
	}
	moments_solve(&weighted.view, &a);
	moments_solve(&repeated.view, &b);
	assert_true(a.df == 45 && b.df == repeated.view.n - 5);
	assert_relative(a.weights, b.weights, 1e-15);
	assert_relative(a.rss, b.rss, 1e-12);
	for (int i = 0; i < NX; i++)
	{
		assert_relative(a.effect[i], b.effect[i], 1e-10);
		assert_relative(a.inverse[i * (NX + 1)], b.inverse[i * (NX + 1)], 1e-12);
		assert_relative(moments_correlation(&weighted.view, i, true, CONF).estimate,
						moments_correlation(&repeated.view, i, true, CONF).estimate, 1e-10);
	}
}

/* What is left within groups gives the effects that an indicator of each group would give. */
static void
test_within(void **state)
{
	enum {GROUPS = 5};
	Random		random;
	Triangle	groups[GROUPS];
	Triangle	halves[2];
	Triangle	within;
	Triangle	dummies;
	MomentsFit	a;
	MomentsFit	b;

	(void) state;
	random_seed(&random, 6);
	triangle_init(&dummies, NX + GROUPS - 1);
	for (int g = 0; g < GROUPS; g++)
	{
		triangle_init(&groups[g], NX);
		for (int i = 0; i < 1 + 5 * g; i++)
		{
			double		row[NX + GROUPS + 1];

			draw_row(&random, g, row);
			add(&groups[g], row);
			row[NX + GROUPS] = row[NX + 1];
			for (int d = 1; d < GROUPS; d++)
				row[NX + d] = d == g;
			add(&dummies, row);
		}
	}
	triangle_init(&within, NX);
	for (int h = 0; h < 2; h++)
	{
		triangle_init(&halves[h], NX);
		for (int g = h; g < GROUPS; g += 2)
			pool(&halves[h], &groups[g].view);
		pool(&within, &halves[h].view);
	}
	assert_true(within.view.groups == GROUPS && within.view.n == 55);
	moments_solve(&within.view, &a);
	moments_solve(&dummies.view, &b);
	assert_true(!a.intercept && isnan(a.level) && isnan(a.intercept_value));
	assert_true(a.df == b.df && a.df == 55 - GROUPS - NX);
	assert_relative(a.rss, b.rss, 1e-12);
	for (int i = 0; i < NX; i++)
	{
		MomentsCorrelation c = moments_correlation(&within.view, i, true, CONF);
		MomentsCorrelation d = moments_correlation(&dummies.view, i, true, CONF);

		assert_relative(a.effect[i], b.effect[i], 1e-11);
		assert_relative(a.inverse[i * (NX + 1)], b.inverse[i * (NX + GROUPS)], 1e-11);
		assert_true(c.df == d.df && c.df == a.df);
		assert_relative(c.estimate, d.estimate, 1e-11);
		assert_relative(c.p_value, d.p_value, 1e-10);
		assert_relative(c.conf_low, d.conf_low, 1e-10);
		/* the test of a partial correlation is that of the effect */
		assert_relative(c.p_value, t_p_value(a.effect[i] / sqrt(a.rss / a.df * a.inverse[i * (NX + 1)]), a.df), 1e-9);
	}
}

/* Longley's first five, next five and last six years apart, unemployed and armed forces only (make_moments) */
static void
test_longley_within(void **state)
{
	static const double expected[4][5] = {
		{12, -0.13203263848244558, -0.61923254119291366, 0.42856981298520349, 0.65275348131641417},
		{12, 0.14551138195499076, -0.4172847375442962, 0.62763416492145067, 0.61964882965597957},
		{11, -0.08034816972725958, -0.60456881114152468, 0.49243767340252221, 0.79414656830510022},
		{11, 0.10118579514536895, -0.47635732619324684, 0.6177314063048217, 0.74221960467866573},
	};
	Triangle	within;

	(void) state;
	triangle_init(&within, 2);
	for (int g = 0; g < 3; g++)
	{
		double		rows[6][4];
		int			n = g == 2 ? 6 : 5;
		Moments		group = {.nx = 2, .n = n, .nrows = n, .rows = rows[0]};

		for (int i = 0; i < n; i++)
		{
			const double *year = longley[5 * g + i];

			memcpy(rows[i], (double[]) {1, year[3], year[4], year[7]}, sizeof(rows[i]));
		}
		pool(&within, &group);
	}
	for (int i = 0; i < 4; i++)
	{
		MomentsCorrelation c = moments_correlation(&within.view, i % 2, i >= 2, CONF);

		assert_true(c.n == 16 && c.df == expected[i][0]);
		assert_relative(c.estimate, expected[i][1], 1e-12);
		assert_relative(c.conf_low, expected[i][2], 1e-12);
		assert_relative(c.conf_high, expected[i][3], 1e-12);
		assert_relative(c.p_value, expected[i][4], 1e-12);
	}
}

/* Scores of clusters, from rows and from triangles, against their definition; they add up to nothing. */
static void
test_scores(void **state)
{
	enum {CLUSTERS = 40};
	static double rows[CLUSTERS][CLUSTERS][NX + 2];
	Random		random;
	Triangle	all;
	MomentsFit	fit;
	double		total[NX + 1] = {0};

	(void) state;
	random_seed(&random, 7);
	triangle_init(&all, NX);
	for (int g = 0; g < CLUSTERS; g++)
		for (int i = 0; i <= g; i++)
		{
			draw_row(&random, g % 3, rows[g][i]);
			rows[g][i][0] = 1 + g % 2;
			add(&all, rows[g][i]);
		}
	moments_solve(&all.view, &fit);
	for (int g = 0; g < CLUSTERS; g++)
	{
		Moments		kept = {.nx = NX, .n = g + 1, .nrows = g + 1, .rows = rows[g][0]};
		Triangle	t;
		double		expected[NX + 1] = {0};
		double		size = 0;
		double		of_rows[NX + 1];
		double		of_triangle[NX + 1];

		triangle_init(&t, NX);
		merge(&t, &kept);
		moments_score(&kept, &fit, of_rows);
		moments_score(&t.view, &fit, of_triangle);
		for (int i = 0; i <= g; i++)
		{
			const double *row = rows[g][i];
			double		residual = row[NX + 1] - fit.intercept_value;

			for (int j = 0; j < NX; j++)
				residual -= fit.effect[j] * row[1 + j];
			for (int j = 0; j <= NX; j++)
				expected[j] += row[0] * residual * (j == 0 ? 1 : row[j] - fit.center[j - 1]);
			size += row[0] * 10;
		}
		for (int j = 0; j <= NX; j++)
		{
			assert_near(of_rows[j], expected[j], 1e-11 * size);
			assert_near(of_triangle[j], expected[j], 1e-11 * size);
			total[j] += of_triangle[j];
		}
	}
	for (int j = 0; j <= NX; j++)
		assert_near(total[j], 0, 1e-9);
	/* the root of the inverse is one */
	for (int i = 0; i < NX; i++)
		for (int j = 0; j < NX; j++)
		{
			double		sum = 0;

			for (int l = 0; l < NX; l++)
				sum += fit.root[i * NX + l] * fit.root[j * NX + l];
			assert_relative(fit.inverse[i * NX + j], sum, 1e-14);
		}
}

/* Parts of any size, merged in any order, are the whole: in squares, means and effects. */
static void
test_merging(void **state)
{
	Random		random;

	(void) state;
	random_seed(&random, 8);
	for (int round = 0; round < 50; round++)
	{
		Triangle	whole;
		Triangle	parts[7];
		Triangle	merged;
		MomentsFit	a;
		MomentsFit	b;

		triangle_init(&whole, NX);
		triangle_init(&merged, NX);
		for (int p = 0; p < 7; p++)
			triangle_init(&parts[p], NX);
		for (int i = 0; i < 60; i++)
		{
			double		row[NX + 2];

			draw_row(&random, i % 5, row);
			row[0] = random_exponential(&random);
			add(&whole, row);
			add(&parts[(int) (7 * random_uniform(&random) * random_uniform(&random))], row);
		}
		for (int p = 0; p < 7; p++)
			merge(&merged, &parts[(3 * p + round) % 7].view);
		assert_true(merged.view.n == 60);
		moments_solve(&whole.view, &a);
		moments_solve(&merged.view, &b);
		assert_relative(a.rss, b.rss, 1e-12);
		for (int i = 0; i <= NX; i++)
		{
			assert_relative(triangle_mean(whole.numbers, i), triangle_mean(merged.numbers, i), 1e-14);
			assert_relative(triangle_square(whole.numbers, NX, i), triangle_square(merged.numbers, NX, i), 1e-13);
		}
		for (int i = 0; i < NX; i++)
			assert_near(a.effect[i], b.effect[i], 1e-11);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_longley),
		cmocka_unit_test(test_longley_correlations),
		cmocka_unit_test(test_filip),
		cmocka_unit_test(test_rank),
		cmocka_unit_test(test_degenerate),
		cmocka_unit_test(test_rounded_sums),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_within),
		cmocka_unit_test(test_longley_within),
		cmocka_unit_test(test_scores),
		cmocka_unit_test(test_merging),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
