/*
 * test_lm.c - linear regression against NIST's Longley and the normal equations at 50 digits (test/reference/make_lm);
 * one pass over clusters against two over rows; what the data cannot tell.
 */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/inference.h"
#include "math/lm.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Rows (cluster, x..., y) as they come, and the moments of each cluster. */
typedef struct Data
{
	int			nx;
	Sample		sample;			/* with the cluster */
	Sample		plain;			/* without */
} Data;

static void
data_init(Data *d, int nx)
{
	d->nx = nx;
	sample_init(&d->sample, nx + 2);
	sample_init(&d->plain, nx + 1);
}

static void
data_add(Data *d, double cluster, const double *x, double y, double count)
{
	double		row[ROWS_MAX_COLUMNS];

	row[0] = cluster;
	memcpy(row + 1, x, d->nx * sizeof(double));
	row[d->nx + 1] = y;
	sample_add(&d->sample, row, count);
	sample_add(&d->plain, row + 1, count);
}

static void
data_free(Data *d)
{
	sample_free(&d->sample);
	sample_free(&d->plain);
}

/* The rows as a fit reads them: y the only column, the others before it. */
static Rows
rows_of(Sample *sample)
{
	Rows		rows = *sample_fold(sample);

	rows.ncovariates = rows.ncols - 1;
	rows.ncols = 1;
	return rows;
}

static void
fit_data(Data *d, ErrorKind errors, FitResult *fit, RegressionRecord *record)
{
	Rows		rows = rows_of(errors == ERRORS_CR1 ? &d->sample : &d->plain);

	lm_fit_rows(&rows, errors == ERRORS_CR1, errors, NULL, fit, record);
}

static double
std_error(const FitResult *fit, int i)
{
	return sqrt(fit->covariance[i * fit->nparams + i]);
}

/* Clusters one by one: the moments of neighbouring rows of the same cluster, counts as so many rows. */
typedef struct ClusterReader
{
	Rows		rows;
	int			nx;
	double		triangle[1024];
	double		kept[64 * (ROWS_MAX_REGRESSORS + 2)];
	size_t		most_kept;		/* so many rows are kept as they are */
} ClusterReader;

static bool
next_cluster(const void *arg, size_t *at, Moments *m)
{
	ClusterReader *c = (ClusterReader *) arg;
	double		cluster;

	if (*at == c->rows.n)
		return false;
	*m = (Moments) {.nx = c->nx};
	memset(c->triangle, 0, sizeof(c->triangle));
	cluster = rows_at(&c->rows, *at)[-c->rows.ncovariates];
	for (; *at < c->rows.n && rows_at(&c->rows, *at)[-c->rows.ncovariates] == cluster; ++*at)
	{
		const double *y = rows_at(&c->rows, *at);
		double		row[ROWS_MAX_COLUMNS] = {1};

		memcpy(row + 1, y - c->nx, (c->nx + 1) * sizeof(double));
		for (int i = 0; i < row_count(&c->rows, y); i++)
		{
			if (m->nrows < LENGTH(c->kept) / (c->nx + 2))
				memcpy(c->kept + m->nrows * (c->nx + 2), row, (c->nx + 2) * sizeof(double));
			triangle_add(c->triangle, c->nx, row);
			m->nrows++;
			m->n++;
		}
	}
	if (m->nrows <= c->most_kept)
		m->rows = c->kept;
	else
		m->triangle = c->triangle;
	return true;
}

static void
fit_clusters(Data *d, size_t most_kept, FitResult *fit, RegressionRecord *record)
{
	ClusterReader reader = {.rows = rows_of(&d->sample), .nx = d->nx, .most_kept = most_kept};
	LmClusters	clusters = {.nx = d->nx, .next = next_cluster, .arg = &reader};

	lm_fit_clusters(&clusters, NULL, fit, record);
}

/* ---- NIST's Longley ------------------------------------------------------------------------------ */

/* J. W. Longley 1967; https://www.itl.nist.gov/div898/strd/lls/data/Longley.shtml */
static const double longley[][7] = {
	{60323, 83.0, 234289, 2356, 1590, 107608, 1947}, {61122, 88.5, 259426, 2325, 1456, 108632, 1948},
	{60171, 88.2, 258054, 3682, 1616, 109773, 1949}, {61187, 89.5, 284599, 3351, 1650, 110929, 1950},
	{63221, 96.2, 328975, 2099, 3099, 112075, 1951}, {63639, 98.1, 346999, 1932, 3594, 113270, 1952},
	{64989, 99.0, 365385, 1870, 3547, 115094, 1953}, {63761, 100.0, 363112, 3578, 3350, 116219, 1954},
	{66019, 101.2, 397469, 2904, 3048, 117388, 1955}, {67857, 104.6, 419180, 2822, 2857, 118734, 1956},
	{68169, 108.4, 442769, 2936, 2798, 120445, 1957}, {66513, 110.8, 444546, 4681, 2637, 121950, 1958},
	{68655, 112.6, 482704, 3813, 2552, 123366, 1959}, {69564, 114.2, 502601, 3931, 2514, 125368, 1960},
	{69331, 115.7, 518173, 4806, 2572, 127852, 1961}, {70551, 116.9, 554894, 4007, 2827, 130081, 1962},
};

/* Certified estimates, and standard errors by kind: those of the model certified, the others at 50 digits. */
static const double longley_estimates[] = {
	-3482258.63459582, 15.0618722713733, -0.358191792925910E-01, -2.02022980381683, -1.03322686717359,
	-0.511041056535807E-01, 1829.15146461355
};
static const struct
{
	ErrorKind	kind;
	double		errors[7];
}			longley_errors[] = {
	{ERRORS_MODEL, {890420.383607373, 84.9149257747669, 0.334910077722432E-01, 0.488399681651699, 0.214274163161675,
		0.226073200069370, 455.478499142212}},
	{ERRORS_HC0, {832211.58058032674, 51.220347445663919, 0.024575997582644729, 0.38323911092599479,
		0.14624500114098425, 0.15820849621992394, 428.38437553509803}},
	{ERRORS_HC1, {1109615.4407737690, 68.293796594218559, 0.032767996776859639, 0.51098548123465973,
		0.19499333485464566, 0.21094466162656525, 571.17916738013071}},
	{ERRORS_HC2, {1202369.5126009077, 67.492082149754076, 0.036534050255994737, 0.55333671464879002,
		0.20522087372013977, 0.22323671795804073, 617.59295508376544}},
	{ERRORS_HC3, {1799477.2306618162, 91.119386601139273, 0.055623988388393588, 0.82213350201658000,
		0.29878925759054153, 0.32490582113601661, 922.80784171540403}},
};

static void
test_longley(void **state)
{
	Data		d;
	FitResult	fit;
	RegressionRecord record;
	double		worst = 0;

	(void) state;
	data_init(&d, 6);
	for (size_t i = 0; i < LENGTH(longley); i++)
		data_add(&d, 0, longley[i] + 1, longley[i][0], 1);
	for (size_t e = 0; e < LENGTH(longley_errors); e++)
	{
		fit_data(&d, longley_errors[e].kind, &fit, &record);
		assert_int_equal(fit.status, FIT_CONVERGED);
		assert_true(fit.has_covariance);
		for (int i = 0; i < 7; i++)
		{
			worst = fmax(worst, fabs(fit.theta[i] / longley_estimates[i] - 1));
			worst = fmax(worst, fabs(std_error(&fit, i) / longley_errors[e].errors[i] - 1));
		}
		assert_relative(record.sigma, 304.854073561965, 1e-10);
		assert_relative(record.r_squared, 0.995479004577296, 1e-12);
		assert_true(record.df == 9 && isnan(record.clusters));
		if (longley_errors[e].kind == ERRORS_MODEL)
			assert_relative(record.statistic, 330.285339234588, 1e-10);
	}
	print_message("Longley: worst relative error %.1e\n", worst);
	assert_true(worst < 1e-9);
	data_free(&d);
}

/* ---- references at 50 digits --------------------------------------------------------------------- */

static double
noise(int i, int prime)
{
	return (double) ((i * i * 31 + i * 7 + 3) % prime) / prime - 0.5;
}

/* As rows() of test/reference/make_lm: a year with noise, clusters of 1 to 9 rows, counts. */
static void
make_data(Data *d, bool counted)
{
	data_init(d, 3);
	for (int i = 0; i < 60; i++)
	{
		double		x1 = 2026 + noise(i, 101);
		double		x2 = 50 * noise(i, 103) + 10 * noise(i % 13, 7);
		double		x3 = i % 3 == 0;
		double		y = 3 * (x1 - 2026) - 0.2 * x2 + 0.5 * x3 + 4 * noise(i, 107) * (1 + i % 2) +
			2 * noise(i % 13, 11);

		data_add(d, i < 5 ? 100 + i : i % 13 * (i % 13) % 17, (double[]) {x1, x2, x3}, y, 1 + (counted ? i * 5 % 4 : 0));
	}
}

typedef struct Reference
{
	double		n;
	double		sigma;
	double		r_squared;
	double		log_likelihood;
	double		p_x2;			/* by CR1 */
	double		estimates[4];
	double		errors[ERROR_KINDS][5];	/* and F */
} Reference;

static const Reference references[] = {
	{60, 1.9136965667611703, 0.7100197260005141, -122.00873066169474, 7.6414985768790956e-8,
		{-7703.227263149995, 3.8024115826440297, -0.16551612277658725, 0.058879206293607021},
		{[ERRORS_MODEL] = {1892.2539618667862, 0.93398855210927636, 0.016246573738862685, 0.5272159976354749,
			45.705528066481838},
		[ERRORS_HC0] = {1913.6718103992177, 0.94457711781105086, 0.015217697511982826, 0.54352189507110533,
			46.195221677110348},
		[ERRORS_HC1] = {1980.8385123612477, 0.97773020571640744, 0.015751813418263772, 0.56259861080558799,
			43.115540231969658},
		[ERRORS_HC2] = {1995.4994829881117, 0.98496612102089567, 0.015849829534989112, 0.56576822813401025,
			42.397550279016032},
		[ERRORS_HC3] = {2081.4792630080017, 1.0274045320600617, 0.016512713631129328, 0.58908554260604204,
			38.893840615550708},
		[ERRORS_CR1] = {1655.2605248840042, 0.81705230530953351, 0.015382468216372873, 0.44705109364418723,
			43.024822273271884}}},
	{150, 1.9270943672104385, 0.69050858090843362, -309.21563344385833, 1.4052532876762293e-6,
		{-8898.2832712982277, 4.3922924699862543, -0.15148497591357974, 0.0050294753217633034},
		{[ERRORS_MODEL] = {1190.7732450660235, 0.587750801691091, 0.010441472391905007, 0.33417750716253987,
			108.58055785902562},
		[ERRORS_HC0] = {1206.2045488655563, 0.59537299975538601, 0.009477509733228474, 0.36551589355491355,
			111.37368246884304},
		[ERRORS_HC1] = {1222.6162494959185, 0.60347368503681348, 0.0096064613713311305, 0.37048912751121427,
			108.40371760300723},
		[ERRORS_HC2] = {1225.8659854800911, 0.60507759963118736, 0.0096290186440237433, 0.37120957908328691,
			107.63438660763075},
		[ERRORS_HC3] = {1245.9006574538156, 0.61496642159826083, 0.0097833683708933499, 0.37700709500621503,
			104.01290958162255},
		[ERRORS_CR1] = {1740.4223919412591, 0.85908138351995029, 0.018153923026636422, 0.51022909423849814,
			26.837664221590803}}},
};

/* The worst relative error of estimates, errors and F. */
static double
deviation(const Reference *r, const FitResult *fit, const RegressionRecord *record)
{
	const double *errors = r->errors[record->errors];
	double		worst = fabs(record->statistic / errors[4] - 1);

	for (int i = 0; i < 4; i++)
	{
		worst = fmax(worst, fabs(fit->theta[i] / r->estimates[i] - 1));
		worst = fmax(worst, fabs(std_error(fit, i) / errors[i] - 1));
	}
	return worst;
}

static void
test_references(void **state)
{
	FitResult	fit;
	RegressionRecord record;
	double		worst = 0;

	(void) state;
	for (size_t r = 0; r < LENGTH(references); r++)
	{
		Data		d;

		make_data(&d, r == 1);
		for (ErrorKind e = ERRORS_MODEL; e < ERROR_KINDS; e++)
		{
			fit_data(&d, e, &fit, &record);
			worst = fmax(worst, deviation(&references[r], &fit, &record));
			assert_relative(record.sigma, references[r].sigma, 1e-12);
			assert_relative(record.r_squared, references[r].r_squared, 1e-12);
			assert_relative(fit.log_likelihood, references[r].log_likelihood, 1e-12);
			assert_true(record.df == (e == ERRORS_CR1 ? 13 : references[r].n - 4));
		}
		assert_relative(t_p_value(fit.theta[2] / std_error(&fit, 2), record.df), references[r].p_x2, 1e-10);
		/* one pass: every cluster as rows, those of up to three rows, none */
		for (size_t kept = 0; kept <= 60; kept += kept == 0 ? 3 : 57)
		{
			fit_clusters(&d, kept, &fit, &record);
			assert_true(record.clusters == 14 && record.df == 13 && record.errors == ERRORS_CR1);
			worst = fmax(worst, deviation(&references[r], &fit, &record));
		}
		data_free(&d);
	}
	print_message("normal equations at 50 digits: worst relative error %.1e\n", worst);
	assert_true(worst < 1e-10);
}

/* Weights of moments are those of precision: not of counts. */
static void
test_weights(void **state)
{
	double		triangle[2][64] = {{0}};
	Moments		m[2];
	FitResult	fit[2];
	RegressionRecord record[2];

	(void) state;
	for (int i = 0; i < 30; i++)
	{
		double		w = 1 + i % 4;
		double		row[] = {w, 2026 + noise(i, 101), 3 * noise(i, 101) + noise(i, 103)};

		triangle_add(triangle[0], 1, row);
		row[0] = 8 * w;
		triangle_add(triangle[1], 1, row);
	}
	for (int k = 0; k < 2; k++)
	{
		m[k] = (Moments) {.nx = 1, .n = 30, .triangle = triangle[k]};
		lm_fit_moments(&m[k], &fit[k], &record[k]);
	}
	/* the scale of weights moves sigma alone */
	assert_relative(fit[1].theta[1], fit[0].theta[1], 1e-13);
	assert_relative(std_error(&fit[1], 1), std_error(&fit[0], 1), 1e-13);
	assert_relative(fit[1].log_likelihood, fit[0].log_likelihood, 1e-12);
	assert_relative(record[1].sigma, sqrt(8) * record[0].sigma, 1e-13);
	assert_true(record[0].df == 28);
}

/* ---- within groups ------------------------------------------------------------------------------- */

/* The same effects and errors as with a column for each group but the first. */
static void
test_within(void **state)
{
	Data		d;
	double		within[64] = {0};
	double		group[4][64] = {{0}};
	FitResult	dummies;
	FitResult	fit;
	RegressionRecord dummies_record;
	RegressionRecord record;

	(void) state;
	data_init(&d, 4);
	for (int i = 0; i < 40; i++)
	{
		int			g = i * i % 7 % 4;
		double		x = noise(i, 101) + 5 * g;
		double		y = 2 * x - 30 * g + noise(i, 103);

		data_add(&d, 0, (double[]) {x, g == 1, g == 2, g == 3}, y, 1);
		triangle_add(group[g], 1, (double[]) {1, x, y});
	}
	fit_data(&d, ERRORS_MODEL, &dummies, &dummies_record);
	for (int g = 0; g < 4; g++)
		triangle_merge_within(within, &(Moments) {.nx = 1, .n = 1, .triangle = group[g]});
	/* group 3 is empty: i^2 mod 7 is 0, 1, 2 or 4 */
	lm_fit_moments(&(Moments) {.nx = 1, .n = 40, .within = true, .groups = 3, .triangle = within}, &fit, &record);
	assert_true(isnan(dummies.theta[4]) && !isnan(dummies.theta[3]));
	assert_true(isnan(fit.theta[0]) && fit.covariance[0] == 0 && fit.covariance[1] == 0);
	assert_relative(fit.theta[1], dummies.theta[1], 1e-12);
	assert_relative(std_error(&fit, 1), std_error(&dummies, 1), 1e-12);
	assert_true(record.df == 36 && dummies_record.df == 36);
	assert_relative(record.statistic, pow(fit.theta[1] / std_error(&fit, 1), 2), 1e-12);
	assert_relative(fit.log_likelihood, dummies.log_likelihood, 1e-12);
	data_free(&d);
}

/* ---- what the data cannot tell ------------------------------------------------------------------- */

static void
assert_impossible(Data *d, ErrorKind errors, const char *part)
{
	FitResult	fit;
	RegressionRecord record;

	fit_data(d, errors, &fit, &record);
	assert_int_equal(fit.status, FIT_IMPOSSIBLE);
	assert_non_null(strstr(fit.reason, part));
	assert_non_null(fit.hint);
	data_free(d);
}

static void
test_impossible(void **state)
{
	Data		d;

	(void) state;
	data_init(&d, 1);
	assert_impossible(&d, ERRORS_MODEL, "no rows");
	data_init(&d, 1);
	data_add(&d, 0, (double[]) {1}, 1, 1);
	data_add(&d, 0, (double[]) {2}, 3, 1);
	assert_impossible(&d, ERRORS_HC1, "no more rows");
	/* a straight line, far away; a polynomial; a constant */
	data_init(&d, 1);
	for (int i = 0; i < 1000; i++)
		data_add(&d, 0, (double[]) {2026 + 0.1 * i}, 1e6 + 3 * (2026 + 0.1 * i), 1);
	assert_impossible(&d, ERRORS_MODEL, "linear function");
	data_init(&d, 3);
	for (int i = 0; i < 21; i++)
		data_add(&d, i, (double[]) {i, i * i, i * i * i}, 1 + i + i * i + i * i * i, 1);
	assert_impossible(&d, ERRORS_CR1, "linear function");
	data_init(&d, 1);
	for (int i = 0; i < 10; i++)
		data_add(&d, 0, (double[]) {1}, 0.1, 1);
	assert_impossible(&d, ERRORS_MODEL, "y does not vary");
	data_init(&d, 1);
	for (int i = 0; i < 10; i++)
		data_add(&d, 7, (double[]) {i}, i % 3, 1);
	assert_impossible(&d, ERRORS_CR1, "two clusters");
	data_init(&d, 1);
	for (int i = 0; i < 10; i++)
		data_add(&d, 7, (double[]) {1e101 * i}, i % 3, 1);
	assert_impossible(&d, ERRORS_MODEL, "magnitudes");
}

static void
test_without_errors(void **state)
{
	Data		d;
	FitResult	fit;
	RegressionRecord record;

	(void) state;
	/* x2 is 1 in one row: leverage 1 */
	data_init(&d, 2);
	for (int i = 0; i < 12; i++)
		data_add(&d, i % 4, (double[]) {i, i == 5}, noise(i, 101), 1);
	for (ErrorKind e = ERRORS_MODEL; e < ERROR_KINDS; e++)
	{
		bool		exists = e != ERRORS_HC2 && e != ERRORS_HC3;

		fit_data(&d, e, &fit, &record);
		assert_int_equal(fit.status, FIT_CONVERGED);
		assert_true(fit.has_covariance == exists && (fit.reason == NULL) == exists);
		assert_true(isnan(record.statistic) == !exists);
	}
	data_free(&d);
	/* where x is 0, y is: nothing is left for the intercept to vary by */
	data_init(&d, 1);
	for (int i = 0; i < 15; i++)
		data_add(&d, i % 4, (double[]) {i % 5 == 0}, (i % 5 == 0) * (3 + noise(i, 101)), 1);
	fit_data(&d, ERRORS_HC0, &fit, &record);
	assert_false(fit.has_covariance);
	assert_non_null(strstr(fit.reason, "without a residual"));
	fit_data(&d, ERRORS_MODEL, &fit, &record);
	assert_true(fit.has_covariance);
	data_free(&d);
}

/* Columns that say the same are dropped in every kind of errors, and the others fitted as without them. */
static void
test_aliased(void **state)
{
	Data		all;
	Data		some;
	FitResult	a;
	FitResult	b;
	RegressionRecord a_record;
	RegressionRecord b_record;

	(void) state;
	data_init(&all, 4);
	data_init(&some, 2);
	for (int i = 0; i < 50; i++)
	{
		double		u = 2026 + noise(i, 101);
		double		v = noise(i, 103);
		double		y = u - v + noise(i, 107);

		data_add(&all, i % 11, (double[]) {u, 0.1, 2 * u - 1000, v}, y, 1);
		data_add(&some, i % 11, (double[]) {u, v}, y, 1);
	}
	for (ErrorKind e = ERRORS_MODEL; e < ERROR_KINDS; e++)
	{
		fit_data(&all, e, &a, &a_record);
		fit_data(&some, e, &b, &b_record);
		assert_true(isnan(a.theta[2]) && isnan(a.theta[3]) && std_error(&a, 2) == 0 && std_error(&a, 3) == 0);
		assert_relative(a.theta[1], b.theta[1], 1e-11);
		assert_relative(std_error(&a, 0), std_error(&b, 0), 1e-10);
		assert_relative(std_error(&a, 4), std_error(&b, 2), 1e-10);
		assert_relative(a_record.statistic, b_record.statistic, 1e-10);
		assert_true(a_record.df == b_record.df);
	}
	fit_clusters(&all, 0, &a, &a_record);
	assert_relative(std_error(&a, 4), std_error(&b, 2), 1e-10);
	assert_relative(a_record.statistic, b_record.statistic, 1e-10);
	data_free(&all);
	data_free(&some);
}

/* Fewer clusters than effects: errors, but no test of all effects. */
static void
test_few_clusters(void **state)
{
	Data		d;
	FitResult	fit;
	RegressionRecord record;

	(void) state;
	data_init(&d, 3);
	for (int i = 0; i < 40; i++)
		data_add(&d, i % 3, (double[]) {noise(i, 101), noise(i, 103), noise(i, 107)}, noise(i, 109), 1);
	fit_data(&d, ERRORS_CR1, &fit, &record);
	assert_true(fit.has_covariance && record.df == 2 && isnan(record.statistic));
	for (int i = 0; i < 4; i++)
		assert_true(std_error(&fit, i) > 0);
	data_free(&d);
}

static bool
stop_at_once(void *arg)
{
	return ++*(int *) arg > 2;
}

static void
test_stop(void **state)
{
	Data		d;
	Rows		rows;
	FitResult	fit;
	RegressionRecord record;

	(void) state;
	data_init(&d, 1);
	for (int i = 0; i < 4000; i++)
		data_add(&d, i, (double[]) {i}, i % 7, 1);
	rows = rows_of(&d.plain);
	for (ErrorKind e = ERRORS_MODEL; e < ERROR_KINDS; e++)
	{
		int			asked = e == ERRORS_MODEL ? 1 : 0;

		rows = rows_of(e == ERRORS_CR1 ? &d.sample : &d.plain);
		lm_fit_rows(&rows, e == ERRORS_CR1, e, &(FitStop) {stop_at_once, &asked}, &fit, &record);
		assert_int_equal(fit.status, FIT_STOPPED);
	}
	data_free(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_longley), cmocka_unit_test(test_references), cmocka_unit_test(test_weights),
		cmocka_unit_test(test_within), cmocka_unit_test(test_impossible), cmocka_unit_test(test_without_errors),
		cmocka_unit_test(test_aliased), cmocka_unit_test(test_few_clusters), cmocka_unit_test(test_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
