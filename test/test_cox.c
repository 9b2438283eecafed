/*
 * test_cox.c - Cox regression against published numbers, 40-digit references and planted effects.
 */
#include "survival_fits.h"

#include "math/cox.h"
#include "math/cox_risk.h"
#include "math/inference.h"
#include "math/random.h"

static Fitted
fit_cox(int model, const Rows *rows, bool clustered, ErrorKind errors)
{
	Fitted		f;

	cox_fit(rows, clustered, model == 0 ? TIES_EFRON : TIES_BRESLOW, errors, NULL, &f.fit, &f.record, &f.report);
	return f;
}

/* ---- published numbers --------------------------------------------------------------------------- */

/* Freireich et al. 1963: weeks of remission of leukemia under placebo and 6-MP; negative ones were censored. */
static const double placebo[] = {1, 22, 3, 12, 8, 17, 2, 11, 8, 12, 2, 5, 4, 15, 8, 23, 5, 11, 4, 1, 8};
static const double treated[] = {
	10, 7, -32, 23, 22, 6, 16, -34, -32, -25, -11, -20, -19, 6, -17, -35, 6, 13, -9, -6, -10};

static void
freireich(Survivors *s)
{
	begin_survivors(s, 1);
	for (int i = 0; i < 21; i++)
	{
		sample_add(&s->sample, (double[]) {0, 0, placebo[i], 1}, 1);
		sample_add(&s->sample, (double[]) {1, 0, fabs(treated[i]), treated[i] > 0}, 1);
	}
}

/* The numbers of which R and others print the first digits. */
static void
check_freireich(const Fitted *f, const double *expected)
{
	double		z = f->fit.theta[0] / fitted_error(f, 0);

	assert_int_equal(f->fit.status, FIT_CONVERGED);
	assert_relative(f->fit.theta[0], expected[0], 1e-13);
	assert_relative(fitted_error(f, 0), expected[1], 1e-13);
	assert_relative(f->fit.log_likelihood, expected[2], 1e-14);
	assert_relative(f->report.null_log_likelihood, expected[3], 1e-14);
	assert_relative(f->record.statistic, expected[4], 1e-12);
	assert_relative(z, expected[5], 1e-13);
	assert_relative(chi_square_tail(z * z, 1), expected[6], 1e-12);
	assert_relative(f->report.score, expected[7], 1e-13);
}

static void
test_freireich(void **state)
{
	const double efron[] = {
		-1.5721251488290670, 0.41239671770945558, -85.008424577371627, -93.184269996847752, 16.351690838952249,
		-3.8121669773731586, 0.00013775376198676474, 17.246536795716576};
	const double breslow[] = {
		-1.5091914125858785, 0.40956440636674131, -86.379622071145559, -93.985050478245179, 15.210856814199240,
		-3.6848695568395770, 0.00022881979907346725, 15.930539564032709};
	Survivors	s;
	Rows		rows;
	Fitted		f;

	(void) state;
	freireich(&s);
	rows = survivor_rows(&s);
	f = fit_cox(0, &rows, false, ERRORS_MODEL);
	check_freireich(&f, efron);
	f = fit_cox(1, &rows, false, ERRORS_MODEL);
	check_freireich(&f, breslow);
	end_survivors(&s);
}

static void
test_references(void **state)
{
	(void) state;
	check_fits(fit_cox, 0, 1, 16);
}

/* ---- sums over those at risk --------------------------------------------------------------------- */

/* Rows seen from entry on, in no order; times fall on halves, so that there are ties. */
static void
late_rows(Survivors *s, Random *random, int n, int p)
{
	begin_survivors(s, p);
	for (int i = 0; i < n; i++)
	{
		double		row[8];
		double		entry = floor(40 * random_uniform(random)) / 2;

		for (int k = 0; k < p; k++)
			row[k] = random_normal(random);
		row[p] = random_uniform(random) < 0.3 ? 0 : entry;
		row[p + 1] = row[p] + (1 + floor(20 * random_uniform(random))) / 2;
		row[p + 2] = random_uniform(random) < 0.5;
		sample_add(&s->sample, row, 1 + floor(3 * random_uniform(random)));
	}
}

typedef struct Compared
{
	const Rows *rows;
	const RiskRows *c;
	const double *b;
	double		worst_risk;
	double		worst_mean;
} Compared;

/* Breslow's risk and the mean of x at one time, by listing who is at risk. */
static void
compare_set(void *arg, size_t at, const RiskSet *set)
{
	Compared   *compared = arg;
	const RiskRows *c = compared->c;
	const Rows *rows = compared->rows;
	double		time = set->time->time;
	double		mean[8] = {0};
	double		total = 0;
	double		largest = -INFINITY;

	(void) at;
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < rows->n; i++)
		{
			const double *row = rows_at(rows, i);
			double		eta = 0;

			if (!(row[SURVIVAL_ENTRY] < time && time <= row[SURVIVAL_TENURE]))
				continue;
			for (int k = 0; k < c->p; k++)
				eta += compared->b[k] * scaled_column(&c->scales, row - c->p, k);
			if (pass == 0)
			{
				largest = fmax(largest, eta);
				continue;
			}
			total += row_count(rows, row) * exp(eta - largest);
			for (int k = 0; k < c->p; k++)
				mean[k] += row_count(rows, row) * exp(eta - largest) * scaled_column(&c->scales, row - c->p, k);
		}
	compared->worst_risk = fmax(compared->worst_risk,
								fabs(set->log_risk / set->time->events - (log(total) + largest)) /
								fmax(1, fabs(largest)));
	for (int k = 0; k < c->p; k++)
		compared->worst_mean = fmax(compared->worst_mean,
									fabs((set->inverse * set->r[1 + k] + set->inverse_g * set->d[1 + k]) /
										 set->time->events - mean[k] / total));
}

/* Whether sums stay right when rows with e^spread times the weight of others come and go. */
static void
check_spread(double spread)
{
	Random		random;
	Survivors	s;
	Rows		rows;
	RiskRows	c = {.ties = TIES_BRESLOW};
	const char *reason;
	double		b[3] = {spread, -0.5 * spread, 0.25 * spread};
	Compared	compared = {&rows, &c, b, 0, 0};

	random_seed(&random, 7);
	late_rows(&s, &random, 2000, 3);
	rows = survivor_rows(&s);
	assert_true(read_risk_rows(&rows, false, &c, &reason));
	assert_true(c.nleaving > 500);
	assert_true(weigh_risk_rows(&c, b));
	assert_true(visit_risk_sets(&c, compare_set, &compared));
	printf("effects of %g: risk to %.1e, means to %.1e\n", spread, compared.worst_risk, compared.worst_mean);
	assert_true(compared.worst_risk < 1e-13);
	assert_true(compared.worst_mean < 1e-12 * fmax(1, spread));
	free_risk_rows(&c);
	end_survivors(&s);
}

static void
test_spread(void **state)
{
	const double spreads[] = {0, 1, 5, 12, 40, 300, 3000};

	(void) state;
	for (size_t i = 0; i < sizeof(spreads) / sizeof(spreads[0]); i++)
		check_spread(spreads[i]);
}

/* ---- split rows ---------------------------------------------------------------------------------- */

static void
assert_same_fit(const Fitted *a, const Fitted *b, double tolerance)
{
	assert_int_equal(a->fit.status, b->fit.status);
	assert_int_equal(a->fit.nparams, b->fit.nparams);
	assert_relative(a->fit.log_likelihood, b->fit.log_likelihood, tolerance);
	for (int i = 0; i < a->fit.nparams; i++)
	{
		assert_near(a->fit.theta[i], b->fit.theta[i], tolerance);
		assert_relative(fitted_error(a, i), fitted_error(b, i), tolerance);
	}
}

/* A customer's time may be cut into rows that follow one another, anywhere, with the customer as cluster. */
static void
test_split_rows(void **state)
{
	Random		random;
	Survivors	whole;
	Survivors	split;
	Rows		a;
	Rows		b;

	(void) state;
	random_seed(&random, 11);
	begin_survivors(&whole, 3);
	begin_survivors(&split, 3);
	for (int i = 0; i < 600; i++)
	{
		double		entry = i % 3 == 0 ? 4 * random_uniform(&random) : 0;
		double		tenure = entry + 0.1 + 10 * random_uniform(&random);
		double		row[] = {i, random_normal(&random), i % 2, entry, tenure, i % 5 < 3};
		double		cut = entry + (row[4] - entry) * random_uniform(&random);

		sample_add(&whole.sample, row, 1);
		sample_add(&split.sample, (double[]) {i, row[1], row[2], cut, row[4], row[5]}, 1);
		sample_add(&split.sample, (double[]) {i, row[1], row[2], entry, cut, 0}, 1);
	}
	a = survivor_rows(&whole);
	b = survivor_rows(&split);
	for (int model = 0; model < 2; model++)
		for (ErrorKind errors = ERRORS_MODEL; errors <= ERRORS_CR1; errors += ERRORS_CR1)
		{
			Fitted		one = fit_cox(model, &a, true, errors);
			Fitted		many = fit_cox(model, &b, true, errors);

			assert_int_equal(one.fit.status, FIT_CONVERGED);
			assert_same_fit(&one, &many, 1e-11);
			if (errors == ERRORS_CR1)
			{
				assert_near(many.record.clusters, 600, 0);
				assert_relative(one.record.statistic, many.record.statistic, 1e-10);
			}
		}
	end_survivors(&whole);
	end_survivors(&split);
}

/*
 * Who is alone at his event says nothing, however low his hazard: the others come later. Their errors do not lose the
 * digits by which the hazard that he seems to have is larger than theirs.
 */
static void
test_lone_event(void **state)
{
	Random		random;
	Survivors	s[2];
	Rows		rows[2];

	(void) state;
	random_seed(&random, 23);
	begin_survivors(&s[0], 2);
	begin_survivors(&s[1], 2);
	for (int i = 0; i < 500; i++)
	{
		double		x = random_normal(&random);
		double		row[] = {i, x, 2, 2 + random_exponential(&random) * exp(-x), i % 4 > 0};

		for (int k = 0; k < 2; k++)
			sample_add(&s[k].sample, row, 1);
	}
	sample_add(&s[1].sample, (double[]) {500, -25, 0, 1, 1}, 1);
	for (int k = 0; k < 2; k++)
		rows[k] = survivor_rows(&s[k]);
	for (ErrorKind errors = ERRORS_MODEL; errors <= ERRORS_HC0; errors++)
	{
		Fitted		without = fit_cox(0, &rows[0], true, errors);
		Fitted		with = fit_cox(0, &rows[1], true, errors);

		assert_int_equal(without.fit.status, FIT_CONVERGED);
		assert_same_fit(&without, &with, 1e-12);
	}
	for (int k = 0; k < 2; k++)
		end_survivors(&s[k]);
}

/* A single row in more than doubles can count still makes a column vary. */
static void
test_scales(void **state)
{
	ColumnScales scales;

	(void) state;
	begin_scales(&scales, 1);
	show_row(&scales, (double[]) {7});
	show_row(&scales, (double[]) {8});
	weigh_row(&scales, (double[]) {8}, 1e17);
	weigh_row(&scales, (double[]) {7}, 1);
	assert_true(end_scales(&scales));
	assert_true(scaled_column(&scales, (double[]) {7}, 0) < scaled_column(&scales, (double[]) {8}, 0));
}

/* ---- what cannot be told --------------------------------------------------------------------------- */

/* Columns that are constant, or a combination of others, have no effect and no error; the others stay as they are. */
static void
test_dropped_columns(void **state)
{
	Random		random;
	Survivors	s[2];
	Rows		rows[2];
	Fitted		f[2];

	(void) state;
	random_seed(&random, 3);
	begin_survivors(&s[0], 2);
	begin_survivors(&s[1], 5);
	for (int i = 0; i < 300; i++)
	{
		double		x = 2000 + floor(20 * random_uniform(&random));
		double		z = random_normal(&random);
		double		time = 0.5 + floor(10 * random_uniform(&random));

		sample_add(&s[0].sample, (double[]) {x, z, 0, time, i % 4 > 0}, 1);
		sample_add(&s[1].sample, (double[]) {0.1, x, 3 * x - 1000, z, z + 0.25 * x, 0, time, i % 4 > 0}, 1);
	}
	for (int i = 0; i < 2; i++)
	{
		rows[i] = survivor_rows(&s[i]);
		f[i] = fit_cox(0, &rows[i], false, ERRORS_MODEL);
		assert_int_equal(f[i].fit.status, FIT_CONVERGED);
	}
	for (int i = 0; i < 5; i++)
	{
		int			same = i == 1 ? 0 : i == 3 ? 1 : -1;

		if (same < 0)
		{
			assert_true(isnan(f[1].fit.theta[i]));
			for (int j = 0; j < 5; j++)
				assert_true(f[1].fit.covariance[i * 5 + j] == 0 && f[1].fit.covariance[j * 5 + i] == 0);
			continue;
		}
		assert_near(f[1].fit.theta[i], f[0].fit.theta[same], 1e-12);
		assert_relative(fitted_error(&f[1], i), fitted_error(&f[0], same), 1e-12);
	}
	assert_relative(f[1].record.statistic, f[0].record.statistic, 1e-9);
	for (int i = 0; i < 2; i++)
		end_survivors(&s[i]);
}

/* Everybody with x = 1 has the event before anybody with x = 0: the likelihood rises without end in that effect. */
static void
check_monotone(double scale, int n, bool truncated, bool monotone)
{
	Random		random;
	Survivors	s;
	Rows		rows;
	Fitted		f;

	random_seed(&random, 5);
	begin_survivors(&s, 2);
	for (int i = 0; i < n; i++)
	{
		int			early = i % 2;
		double		time = 1 + random_uniform(&random) + (early ? 0 : 2);

		/* one exception makes the estimate finite */
		if (i == 1 && !monotone)
			time = 2.5 + 1.5 * random_uniform(&random);
		sample_add(&s.sample, (double[]) {random_normal(&random), scale * early, truncated && i % 3 == 0 ? 0.25 : 0,
										  time, 1}, 1);
	}
	rows = survivor_rows(&s);
	f = fit_cox(0, &rows, false, ERRORS_MODEL);
	if (monotone)
	{
		assert_int_equal(f.fit.status, FIT_IMPOSSIBLE);
		assert_true(f.report.infinite[1] && !f.report.infinite[0]);
	}
	else
	{
		assert_int_equal(f.fit.status, FIT_CONVERGED);
		assert_true(fitted_error(&f, 1) * scale < 5 && fitted_error(&f, 1) > 0);
	}
	end_survivors(&s);
}

static void
test_monotone_likelihood(void **state)
{
	(void) state;
	for (int n = 6; n < 20000; n *= 12)
		for (double scale = 1e-6; scale < 1e7; scale *= 1e6)
		{
			check_monotone(scale, n, false, true);
			check_monotone(scale, n, true, true);
			if (n > 6)
				check_monotone(scale, n, false, false);
		}
}

/*
 * With one regressor the estimate is infinite exactly where all who have an event have the largest x of those at risk,
 * or all the smallest.
 */
static void
test_infinite_or_not(void **state)
{
	const double values[] = {0, 0.01, 1, 100};
	Random		random;
	int			infinite = 0;
	int			finite = 0;

	(void) state;
	random_seed(&random, 17);
	for (int run = 0; run < 20000; run++)
	{
		int			n = 3 + run % 6;
		bool		largest = true;
		bool		smallest = true;
		bool		differs = false;
		Survivors	s;
		Rows		rows;
		Fitted		f;

		begin_survivors(&s, 1);
		for (int i = 0; i < n; i++)
		{
			double		entry = floor(4 * random_uniform(&random));

			sample_add(&s.sample, (double[]) {values[(int) (4 * random_uniform(&random))], entry,
											  entry + 1 + floor(4 * random_uniform(&random)),
											  random_uniform(&random) < 0.7}, 1 + i % 2);
		}
		rows = survivor_rows(&s);
		for (size_t i = 0; i < rows.n; i++)
			for (size_t j = 0; j < rows.n; j++)
			{
				const double *one = rows_at(&rows, i);
				const double *other = rows_at(&rows, j);

				if (one[SURVIVAL_EVENT] == 0 || !(other[SURVIVAL_ENTRY] < one[SURVIVAL_TENURE] &&
												  one[SURVIVAL_TENURE] <= other[SURVIVAL_TENURE]))
					continue;
				largest = largest && one[-1] >= other[-1];
				smallest = smallest && one[-1] <= other[-1];
				differs = differs || one[-1] != other[-1];
			}
		f = fit_cox(run % 2, &rows, false, ERRORS_MODEL);
		if (differs && !largest && !smallest)
		{
			assert_int_equal(f.fit.status, FIT_CONVERGED);
			assert_true(f.fit.covariance[0] > 0);
			finite++;
		}
		else
		{
			assert_int_equal(f.fit.status, FIT_IMPOSSIBLE);
			assert_int_equal(f.report.infinite[0], differs);
			infinite += differs;
		}
		end_survivors(&s);
	}
	printf("%d finite, %d infinite estimates\n", finite, infinite);
	assert_true(finite > 5000 && infinite > 1000);
}

static void
expect_impossible(Survivors *s, ErrorKind errors, const char *reason)
{
	Rows		rows = survivor_rows(s);
	Fitted		f = fit_cox(0, &rows, errors == ERRORS_CR1, errors);

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
	sample_add(&s.sample, (double[]) {1, 0, 1, 0}, 3);
	sample_add(&s.sample, (double[]) {2, 0, 2, 0}, 3);
	expect_impossible(&s, ERRORS_MODEL, "there is no event");
	/* x differs only from those who were censored before the first event */
	begin_survivors(&s, 1);
	sample_add(&s.sample, (double[]) {1, 0, 1, 0}, 1);
	sample_add(&s.sample, (double[]) {2, 0, 2, 1}, 3);
	sample_add(&s.sample, (double[]) {2, 0, 3, 0}, 3);
	expect_impossible(&s, ERRORS_MODEL, "x does not differ among those at risk");
	begin_survivors(&s, 1);
	sample_add(&s.sample, (double[]) {1e308, 0, 2, 1}, 3);
	sample_add(&s.sample, (double[]) {-1e308, 0, 2, 1}, 3);
	expect_impossible(&s, ERRORS_MODEL, "x leaves the range of numbers");
	begin_survivors(&s, 2);
	for (int i = 0; i < 8; i++)
		sample_add(&s.sample, (double[]) {1, i % 3, 0, 1 + i, 1}, 1);
	expect_impossible(&s, ERRORS_CR1, "there is only one cluster");
}

/* ---- planted effects ------------------------------------------------------------------------------- */

/* Times with hazard exp(b'x), seen from a late entry on, in clusters that share a frailty where asked for. */
static void
planted(Survivors *s, Random *random, int n, const double *b, double frailty)
{
	double		shared = 0;

	begin_survivors(s, 3);
	for (int i = 0; i < n;)
	{
		double		x[2] = {random_normal(random), random_uniform(random) < 0.3};
		double		time;
		double		entry = random_uniform(random) < 0.5 ? 0 : random_uniform(random);
		double		end = 0.5 + 2 * random_uniform(random);

		if (i % 4 == 0)
			shared = frailty * random_normal(random);
		time = -log(random_uniform(random)) / exp(b[0] * x[0] + b[1] * x[1] + shared);
		if (fmin(time, end) <= entry)
			continue;
		sample_add(&s->sample, (double[]) {i / 4, x[0], x[1], entry, fmin(time, end), time <= end}, 1);
		i++;
	}
}

static void
test_recovery(void **state)
{
	const double b[] = {0.7, -1.2};
	const int	runs = 300;
	Random		random;
	int			covered[2] = {0, 0};
	int			covered_by_clusters[2] = {0, 0};

	(void) state;
	random_seed(&random, 29);
	for (int run = 0; run < runs; run++)
	{
		Survivors	s;
		Rows		rows;
		Fitted		f;
		Fitted		g;

		planted(&s, &random, 400, b, 0);
		rows = survivor_rows(&s);
		f = fit_cox(run % 2, &rows, true, ERRORS_MODEL);
		g = fit_cox(run % 2, &rows, true, ERRORS_CR1);
		assert_int_equal(f.fit.status, FIT_CONVERGED);
		for (int i = 0; i < 2; i++)
		{
			covered[i] += fabs(f.fit.theta[i] - b[i]) < 1.96 * fitted_error(&f, i);
			covered_by_clusters[i] += fabs(g.fit.theta[i] - b[i]) < 1.984 * fitted_error(&g, i);
		}
		end_survivors(&s);
	}
	printf("intervals of 95 percent cover %d and %d of %d, by cluster %d and %d\n", covered[0], covered[1], runs,
		   covered_by_clusters[0], covered_by_clusters[1]);
	for (int i = 0; i < 2; i++)
	{
		assert_true(covered[i] >= 272 && covered[i] <= 297);
		assert_true(covered_by_clusters[i] >= 266 && covered_by_clusters[i] <= 297);
	}
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
	Random		random;
	Survivors	s;
	Rows		rows;
	const double b[] = {0.5, 0.5};
	int			calls = 1;

	(void) state;
	random_seed(&random, 2);
	planted(&s, &random, 3000, b, 0);
	rows = survivor_rows(&s);
	/* wherever it is asked to, it ends, until it is never asked often enough */
	for (int after = 0; calls > 0; after++)
	{
		int			left = after;
		FitStop		stop = {stop_after, &left};
		Fitted		f;

		cox_fit(&rows, true, TIES_EFRON, ERRORS_CR1, &stop, &f.fit, &f.record, &f.report);
		assert_int_equal(f.fit.status, left < 0 ? FIT_STOPPED : FIT_CONVERGED);
		calls = left < 0;
		assert_true(after < 1000);
	}
	end_survivors(&s);
}

/* Of clusters that are all alike each has a score of 0: a robust error of 0 would be certainty. */
static void
test_alike_clusters(void **state)
{
	const double rows_of_each[][4] = {{0, 0, 1, 1}, {1, 0, 2, 1}, {0, 0, 3, 1}, {1, 0, 4, 1}, {0, 0, 5, 0}};
	Survivors	s;
	Rows		rows;
	Fitted		f;

	(void) state;
	begin_survivors(&s, 2);
	for (int cluster = 0; cluster < 3; cluster++)
		for (int i = 0; i < 5; i++)
		{
			const double *r = rows_of_each[i];

			sample_add(&s.sample, (double[]) {cluster, r[0], r[1], r[2], r[3]}, 1);
		}
	rows = survivor_rows(&s);
	f = fit_cox(0, &rows, true, ERRORS_MODEL);
	assert_int_equal(f.fit.status, FIT_CONVERGED);
	f = fit_cox(0, &rows, true, ERRORS_CR1);
	assert_int_equal(f.fit.status, FIT_IMPOSSIBLE);
	assert_non_null(strstr(f.fit.reason, "vanish"));
	end_survivors(&s);
}

/* The variance of an effect per unit of a column of so large numbers is none that a double holds. */
static void
test_variance_out_of_range(void **state)
{
	Survivors	s;
	Rows		rows;
	Fitted		f;

	(void) state;
	begin_survivors(&s, 1);
	for (int i = 0; i < 20; i++)
		sample_add(&s.sample, (double[]) {1e170 * (i % 3), 0, 1 + i * 11 % 17, i % 4 > 0}, 1);
	rows = survivor_rows(&s);
	f = fit_cox(0, &rows, false, ERRORS_MODEL);
	assert_int_equal(f.fit.status, FIT_IMPOSSIBLE);
	assert_non_null(strstr(f.fit.reason, "range"));
	end_survivors(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_freireich),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_spread),
		cmocka_unit_test(test_split_rows),
		cmocka_unit_test(test_lone_event),
		cmocka_unit_test(test_scales),
		cmocka_unit_test(test_dropped_columns),
		cmocka_unit_test(test_monotone_likelihood),
		cmocka_unit_test(test_infinite_or_not),
		cmocka_unit_test(test_impossible),
		cmocka_unit_test(test_recovery),
		cmocka_unit_test(test_alike_clusters),
		cmocka_unit_test(test_variance_out_of_range),
		cmocka_unit_test(test_stop),
	};

	return cmocka_run_group_tests_name("cox", tests, NULL, NULL);
}
