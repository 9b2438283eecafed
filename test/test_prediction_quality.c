/*
 * test_prediction_quality.c - predictions beside what happened: against published numbers, closed forms, and brute
 * force over all pairs of rows by the definitions.
 */
#include "support.h"

#include <math.h>
#include <stdlib.h>

#include "math/prediction_quality.h"

#define CONF 0.95
#define Z 1.959963984540054235524594430520551

/* The rows of a test one by one, and folded. */
typedef struct Case
{
	Sample		sample;
	PredictionTotals totals;
	int			n;
	double		predicted[1000];
	double		happened[1000];
} Case;

static void
begin(Case *c)
{
	sample_init(&c->sample, 2);
	c->n = 0;
}

static void
add(Case *c, double predicted, double happened, int times)
{
	sample_add(&c->sample, (double[]) {predicted, happened}, times);
	for (; times > 0; times--)
	{
		assert_true(c->n < 1000);
		c->predicted[c->n] = predicted;
		c->happened[c->n++] = happened;
	}
}

static const Rows *
finish(Case *c)
{
	const Rows *rows = sample_fold(&c->sample);

	assert_true(prediction_totals(rows, NULL, &c->totals));
	return rows;
}

/* Predictions with ties, coarse ones with many, and events that are more likely where they are high. */
static const Rows *
simulate(Case *c, uint64_t seed, int n, double grid)
{
	Random		random;

	begin(c);
	random_seed(&random, seed);
	for (int i = 0; i < n; i++)
	{
		double		p = random_uniform(&random);

		if (grid > 0)
			p = (floor(p * grid) + 0.5) / grid;
		add(c, p, random_uniform(&random) < 0.1 + 0.6 * p, 1);
	}
	return finish(c);
}

/* ---- ranking ------------------------------------------------------------------------------------- */

/* DeLong's definition: 1 for a pair in the right order, a half for a tie, and the variances of its means. */
static void
delong(const Case *c, double *area, double *variance)
{
	double		mean[1000] = {0};
	double		count[2] = {0};
	double		squares[2] = {0};

	*area = 0;
	for (int i = 0; i < c->n; i++)
		count[(int) c->happened[i]]++;
	for (int i = 0; i < c->n; i++)
		for (int j = 0; j < c->n; j++)
		{
			double		pair = c->predicted[i] > c->predicted[j] ? 1 : c->predicted[i] == c->predicted[j] ? 0.5 : 0;

			if (c->happened[i] == 1 && c->happened[j] == 0)
			{
				/* halves add up exactly */
				mean[i] += pair;
				mean[j] += pair;
				*area += pair;
			}
		}
	*area /= count[0] * count[1];
	for (int i = 0; i < c->n; i++)
		mean[i] /= count[1 - (int) c->happened[i]];
	for (int i = 0; i < c->n; i++)
		squares[(int) c->happened[i]] += (mean[i] - *area) * (mean[i] - *area);
	*variance = squares[0] / (count[0] - 1) / count[0] + squares[1] / (count[1] - 1) / count[1];
}

static void
test_auc_brute_force(void **state)
{
	static const struct
	{
		int			n;
		double		grid;
	}			cases[] = {{8, 0}, {20, 4}, {60, 0}, {200, 10}, {500, 0}, {900, 3}};

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		Case		c;
		const Rows *rows = simulate(&c, 7 + i, cases[i].n, cases[i].grid);
		QualityMeasure auc;
		double		area;
		double		variance;
		double		odds;

		assert_true(auc_measure(rows, &c.totals, CONF, NULL, &auc));
		delong(&c, &area, &variance);
		assert_int_equal(auc.problem, QUALITY_FINE);
		assert_relative(auc.estimate, area, 1e-13);
		assert_relative(auc.std_error, sqrt(variance), 1e-12);
		odds = log(area / (1 - area));
		assert_relative(auc.conf_low, 1 / (1 + exp(-odds + Z * sqrt(variance) / area / (1 - area))), 1e-12);
		assert_relative(auc.conf_high, 1 / (1 + exp(-odds - Z * sqrt(variance) / area / (1 - area))), 1e-12);
		sample_free(&c.sample);
	}
}

/* Ratings of 109 images, Hanley and McNeil 1982, table I: area 0.893; Stata's roctab prints 0.8932 and 0.0307. */
static void
test_auc_published(void **state)
{
	static const int normal[] = {33, 6, 6, 11, 2};
	static const int abnormal[] = {3, 2, 2, 11, 33};
	Case		c;
	const Rows *rows;
	QualityMeasure auc;

	(void) state;
	begin(&c);
	for (int k = 0; k < 5; k++)
	{
		add(&c, 0.1 + 0.2 * k, 0, normal[k]);
		add(&c, 0.1 + 0.2 * k, 1, abnormal[k]);
	}
	rows = finish(&c);
	assert_true(auc_measure(rows, &c.totals, CONF, NULL, &auc));
	assert_near(auc.estimate, 0.8932, 5e-5);
	assert_near(auc.std_error, 0.0307, 5e-5);
	/* 2642 of 58 * 51 = 2958 pairs */
	assert_relative(auc.estimate, 2642.0 / 2958, 1e-15);
	sample_free(&c.sample);
}

/* predictions and outcomes of a case, and what there is to know of its AUC */
static void
check_auc(const double (*rows)[3], int n, double estimate, QualityProblem problem)
{
	Case		c;
	QualityMeasure auc;
	const Rows *folded;

	begin(&c);
	for (int i = 0; i < n; i++)
		add(&c, rows[i][0], rows[i][1], (int) rows[i][2]);
	folded = finish(&c);
	assert_true(auc_measure(folded, &c.totals, CONF, NULL, &auc));
	assert_int_equal(auc.problem, problem);
	if (isnan(estimate))
		assert_true(isnan(auc.estimate));
	else
		assert_true(auc.estimate == estimate);
	assert_true(isnan(auc.std_error) && isnan(auc.conf_low) && isnan(auc.conf_high));
	sample_free(&c.sample);
}

static void
test_auc_extremes(void **state)
{
	(void) state;
	check_auc(NULL, 0, NAN, QUALITY_FINE);
	check_auc((const double[][3]) {{0.2, 1, 3}, {0.3, 1, 1}}, 2, NAN, QUALITY_ONE_OUTCOME);
	check_auc((const double[][3]) {{0.2, 0, 3}}, 1, NAN, QUALITY_ONE_OUTCOME);
	check_auc((const double[][3]) {{0.2, 0, 3}, {0.3, 1, 7}, {0.1, 0, 10}}, 3, 1, QUALITY_PERFECT_RANKING);
	check_auc((const double[][3]) {{0.2, 1, 3}, {0.3, 0, 7}}, 2, 0, QUALITY_PERFECT_RANKING);
	/* thirds that do not add up to 1 by themselves */
	check_auc((const double[][3]) {{0.2, 0, 1}, {0.25, 0, 1}, {0.27, 0, 1}, {0.3, 1, 49}}, 4, 1,
			  QUALITY_PERFECT_RANKING);
	check_auc((const double[][3]) {{0.2, 0, 2}, {0.3, 1, 1}, {0.4, 0, 2}}, 3, 0.5, QUALITY_TOO_FEW);
	check_auc((const double[][3]) {{0.3, 0, 49}, {0.3, 1, 7}}, 2, 0.5, QUALITY_NO_SPREAD);
}

/* ---- scores and their parts ------------------------------------------------------------------------ */

static void
test_scores_brute_force(void **state)
{
	(void) state;
	for (int grid = 0; grid <= 12; grid += 6)
	{
		Case		c;
		const Rows *rows = simulate(&c, 70 + grid, 400, grid);
		QualityMeasure brier;
		QualityMeasure log_loss;
		double		loss[2] = {0};
		double		squares[2] = {0};
		double		mean = 0;

		assert_true(brier_measure(rows, CONF, NULL, &brier));
		assert_true(log_loss_measure(rows, &c.totals, CONF, NULL, &log_loss));
		for (int pass = 0; pass < 2; pass++)
			for (int i = 0; i < c.n; i++)
			{
				double		p = c.predicted[i];
				double		terms[] = {(p - c.happened[i]) * (p - c.happened[i]),
				-c.happened[i] * log(p) - (1 - c.happened[i]) * log(1 - p)};

				for (int k = 0; k < 2; k++)
					if (pass == 0)
						loss[k] += terms[k] / c.n;
					else
						squares[k] += (terms[k] - loss[k]) * (terms[k] - loss[k]);
				mean += p / 2 / c.n;
			}
		assert_relative(c.totals.mean_predicted, mean, 1e-13);
		assert_relative(brier.estimate, loss[0], 1e-13);
		assert_relative(brier.std_error, sqrt(squares[0] / (c.n - 1) / c.n), 1e-13);
		assert_relative(log_loss.estimate, loss[1], 1e-13);
		assert_relative(log_loss.std_error, sqrt(squares[1] / (c.n - 1) / c.n), 1e-13);
		mean = log(loss[0] / (1 - loss[0])) + Z * brier.std_error / (loss[0] * (1 - loss[0]));
		assert_relative(brier.conf_high, 1 / (1 + exp(-mean)), 1e-13);
		assert_relative(log_loss.conf_low, loss[1] * exp(-Z * log_loss.std_error / loss[1]), 1e-13);
		sample_free(&c.sample);
	}
}

/* In each bin by the definitions, row by row. */
static void
check_parts(const Case *c, const PredictionBin *bins, int nbins, const BrierParts *parts)
{
	BrierParts	by_hand = {0};
	double		share = c->totals.events / c->totals.n;

	for (int k = 0; k < nbins; k++)
	{
		double		n = 0;
		double		p = 0;
		double		y = 0;

		for (int pass = 0; pass < 2; pass++)
			for (int i = 0; i < c->n; i++)
			{
				if (c->predicted[i] < bins[k].lowest || c->predicted[i] > bins[k].highest)
					continue;
				if (pass == 0)
				{
					n++;
					p += c->predicted[i];
					y += c->happened[i];
				}
				else
				{
					by_hand.within_variance += pow(c->predicted[i] - p / n, 2) / c->n;
					by_hand.within_covariance += 2 * (c->predicted[i] - p / n) * (c->happened[i] - y / n) / c->n;
				}
			}
		assert_true(bins[k].n == n && bins[k].events == y);
		assert_relative(bins[k].mean_predicted, p / n, 1e-13);
		by_hand.reliability += n / c->n * pow(p / n - y / n, 2);
		by_hand.resolution += n / c->n * pow(y / n - share, 2);
		by_hand.calibration_error += n / c->n * fabs(p / n - y / n);
	}
	assert_near(parts->reliability, by_hand.reliability, 1e-14);
	assert_near(parts->resolution, by_hand.resolution, 1e-14);
	assert_near(parts->uncertainty, share * (1 - share), 1e-14);
	assert_near(parts->within_variance, by_hand.within_variance, 1e-14);
	assert_near(parts->within_covariance, by_hand.within_covariance, 1e-14);
	assert_near(parts->calibration_error, by_hand.calibration_error, 1e-14);
}

static void
test_parts_add_up(void **state)
{
	static const double grids[] = {0, 30, 12, 10, 3};
	static const int most[] = {1, 2, 7, 10, 400};

	(void) state;
	for (int g = 0; g < 5; g++)
		for (int m = 0; m < 5; m++)
		{
			Case		c;
			const Rows *rows = simulate(&c, 700 + g, 397, grids[g]);
			QualityMeasure brier;
			PredictionBin bins[400];
			int			nbins;
			BrierParts	parts;
			double		total = 0;

			assert_true(prediction_bins(rows, &c.totals, most[m], NULL, bins, &nbins));
			assert_true(nbins >= 1 && nbins <= most[m]);
			parts = brier_parts(&c.totals, bins, nbins);
			check_parts(&c, bins, nbins, &parts);
			assert_true(brier_measure(rows, CONF, NULL, &brier));
			assert_near(parts.reliability - parts.resolution + parts.uncertainty + parts.within_variance -
						parts.within_covariance, brier.estimate, 1e-14);
			for (int k = 0; k < nbins; k++)
			{
				assert_true(bins[k].lowest <= bins[k].highest && (k == 0 || bins[k - 1].highest < bins[k].lowest));
				total += bins[k].n;
				/* as even as can be where nothing is tied */
				if (grids[g] == 0)
					assert_true(fabs(bins[k].n - 397.0 / nbins) < 1);
			}
			assert_true(total == 397);
			/* one bin for each prediction: Murphy's three parts alone */
			if (c.totals.distinct <= most[m])
			{
				assert_true(nbins == c.totals.distinct);
				assert_true(parts.within_variance == 0 && parts.within_covariance == 0);
			}
			sample_free(&c.sample);
		}
}

/* Ties share a bin: a bin is that of the middle rank, others stay empty. */
static void
test_bins_of_ties(void **state)
{
	Case		c;
	const Rows *rows;
	PredictionBin bins[4];
	int			nbins;

	(void) state;
	begin(&c);
	for (int k = 0; k < 10; k++)
		add(&c, k < 6 ? 0.01 : k / 10.0, k % 2, 1);
	rows = finish(&c);
	/* middle ranks of 10: 3 of the six, then 6.5, 7.5, 8.5, 9.5; in four bins of 2.5: 2, 3, 4, 4, 4 */
	assert_true(prediction_bins(rows, &c.totals, 4, NULL, bins, &nbins));
	assert_int_equal(nbins, 3);
	assert_true(bins[0].n == 6 && bins[0].highest == 0.01 && bins[0].events == 3);
	assert_true(bins[1].n == 1 && bins[1].lowest == 0.6);
	assert_true(bins[2].n == 3 && bins[2].lowest == 0.7 && bins[2].highest == 0.9 && bins[2].events == 2);
	sample_free(&c.sample);
}

static void
test_scores_extremes(void **state)
{
	Case		c;
	const Rows *rows;
	QualityMeasure m;
	PredictionBin bins[10];
	int			nbins;
	BrierParts	parts;
	double		highest;

	(void) state;
	begin(&c);
	rows = finish(&c);
	assert_true(c.totals.n == 0 && isnan(c.totals.mean_predicted));
	assert_true(brier_measure(rows, CONF, NULL, &m) && isnan(m.estimate) && m.problem == QUALITY_FINE);
	assert_true(prediction_bins(rows, &c.totals, 10, NULL, bins, &nbins) && nbins == 0);
	parts = brier_parts(&c.totals, bins, nbins);
	assert_true(isnan(parts.reliability) && isnan(parts.uncertainty) && isnan(parts.calibration_error));
	m = brier_skill_measure(&c.totals, NAN);
	assert_true(isnan(m.estimate) && m.problem == QUALITY_FINE);

	/* a single row */
	add(&c, 0.75, 1, 1);
	rows = finish(&c);
	assert_true(brier_measure(rows, CONF, NULL, &m));
	assert_true(m.estimate == 0.0625 && isnan(m.std_error) && m.problem == QUALITY_TOO_FEW);
	assert_int_equal(brier_skill_measure(&c.totals, 0.0625).problem, QUALITY_ONE_OUTCOME);

	/* errors of .3 all: 1 - .7 is not quite .3, which is no spread */
	sample_free(&c.sample);
	begin(&c);
	add(&c, 0.7, 1, 30);
	add(&c, 0.3, 0, 10);
	rows = finish(&c);
	assert_true(brier_measure(rows, CONF, NULL, &m));
	assert_relative(m.estimate, 0.09, 1e-15);
	assert_true(isnan(m.std_error) && m.problem == QUALITY_NO_SPREAD);
	assert_relative(brier_skill_measure(&c.totals, m.estimate).estimate, 1 - 0.09 / (0.75 * 0.25), 1e-14);

	/* certainty that came true costs nothing, certainty that did not, everything */
	add(&c, 1, 1, 4);
	rows = finish(&c);
	assert_true(c.totals.certain == 4 && c.totals.refuted == 0);
	assert_true(log_loss_measure(rows, &c.totals, CONF, NULL, &m));
	assert_relative(m.estimate, -40 * log(0.7) / 44, 1e-14);
	add(&c, 0, 1, 1);
	add(&c, 0, 0, 2);
	rows = finish(&c);
	assert_true(c.totals.certain == 7 && c.totals.refuted == 1);
	assert_true(log_loss_measure(rows, &c.totals, CONF, NULL, &m));
	assert_true(isnan(m.estimate) && m.problem == QUALITY_REFUTED);
	sample_free(&c.sample);

	/* nearly all wrong: the interval ends at 1, and is that of the opposite predictions turned round */
	begin(&c);
	add(&c, 0, 1, 29);
	add(&c, 0, 0, 1);
	rows = finish(&c);
	assert_true(brier_measure(rows, CONF, NULL, &m));
	assert_true(m.estimate < m.conf_high && m.conf_high < 1);
	highest = m.conf_high;
	sample_free(&c.sample);
	begin(&c);
	add(&c, 1, 1, 29);
	add(&c, 1, 0, 1);
	rows = finish(&c);
	assert_true(brier_measure(rows, CONF, NULL, &m));
	assert_relative(m.conf_low, 1 - highest, 1e-13);
	sample_free(&c.sample);
}

/* ---- recalibration ------------------------------------------------------------------------------- */

/* Two predictions: the line goes through both shares. */
static void
test_recalibration_closed_form(void **state)
{
	Case		c;
	const Rows *rows;
	Recalibration r;
	double		x[] = {log(0.2 / 0.8), log(0.6 / 0.4)};
	double		y[] = {log(10.0 / 70), log(55.0 / 45)};
	double		variance[] = {1.0 / 10 + 1.0 / 70, 1.0 / 55 + 1.0 / 45};
	double		slope = (y[1] - y[0]) / (x[1] - x[0]);

	(void) state;
	begin(&c);
	add(&c, 0.2, 1, 10);
	add(&c, 0.2, 0, 70);
	add(&c, 0.6, 1, 55);
	add(&c, 0.6, 0, 45);
	rows = finish(&c);
	assert_true(recalibrate(rows, &c.totals, CONF, NULL, &r));
	assert_relative(r.slope.estimate, slope, 1e-12);
	assert_relative(r.slope.std_error, sqrt(variance[0] + variance[1]) / (x[1] - x[0]), 1e-11);
	assert_relative(r.intercept.estimate, y[0] - slope * x[0], 1e-12);
	assert_relative(r.intercept.std_error,
					sqrt(x[1] * x[1] * variance[0] + x[0] * x[0] * variance[1]) / (x[1] - x[0]), 1e-11);
	assert_relative(r.slope.conf_low, slope - Z * r.slope.std_error, 1e-12);
	assert_relative(r.intercept.conf_high, r.intercept.estimate + Z * r.intercept.std_error, 1e-11);
	sample_free(&c.sample);

	/* one prediction: no slope, but a shift, which is the difference of the logits */
	begin(&c);
	add(&c, 0.2, 1, 10);
	add(&c, 0.2, 0, 30);
	rows = finish(&c);
	assert_true(recalibrate(rows, &c.totals, CONF, NULL, &r));
	assert_true(r.slope.problem == QUALITY_CONSTANT && isnan(r.slope.estimate) && isnan(r.intercept.estimate));
	assert_relative(r.in_the_large.estimate, log(10.0 / 30) - x[0], 1e-12);
	assert_relative(r.in_the_large.std_error, sqrt(1.0 / 10 + 1.0 / 30), 1e-12);
	sample_free(&c.sample);
}

/* At the maximum the sums of residuals vanish; the inverse of the information by Cramer's rule. */
static void
check_maximum(const Case *c, const Recalibration *r)
{
	long double excess = 0;
	long double excess_x = 0;
	long double excess_shift = 0;
	long double information[3] = {0};
	long double information_shift = 0;
	long double determinant;

	for (int i = 0; i < c->n; i++)
	{
		long double x = logl(c->predicted[i]) - log1pl(-c->predicted[i]);
		long double p = 1 / (1 + expl(-(r->intercept.estimate + r->slope.estimate * x)));
		long double shifted = 1 / (1 + expl(-(r->in_the_large.estimate + x)));

		excess += c->happened[i] - p;
		excess_x += (c->happened[i] - p) * x;
		excess_shift += c->happened[i] - shifted;
		information[0] += p * (1 - p);
		information[1] += p * (1 - p) * x;
		information[2] += p * (1 - p) * x * x;
		information_shift += shifted * (1 - shifted);
	}
	determinant = information[0] * information[2] - information[1] * information[1];
	assert_near((double) excess, 0, 1e-11);
	assert_near((double) excess_x, 0, 1e-11);
	assert_near((double) excess_shift, 0, 1e-11);
	assert_relative(r->slope.std_error, (double) sqrtl(information[0] / determinant), 1e-11);
	assert_relative(r->intercept.std_error, (double) sqrtl(information[2] / determinant), 1e-11);
	assert_relative(r->in_the_large.std_error, (double) (1 / sqrtl(information_shift)), 1e-11);
}

static void
test_recalibration_maximum(void **state)
{
	static const double grids[] = {0, 20, 3};

	(void) state;
	for (int g = 0; g < 3; g++)
	{
		Case		c;
		const Rows *rows = simulate(&c, 7000 + g, 500, grids[g]);
		Recalibration r;

		assert_true(recalibrate(rows, &c.totals, CONF, NULL, &r));
		assert_int_equal(r.slope.problem, QUALITY_FINE);
		check_maximum(&c, &r);
		sample_free(&c.sample);
	}
}

/* Far from the start: nearly separated, and predictions next to certainty that say nothing. */
static void
test_recalibration_hard(void **state)
{
	Case		c;
	const Rows *rows;
	Recalibration r;

	(void) state;
	begin(&c);
	for (int i = 1; i <= 200; i++)
		add(&c, i / 201.0, i > 100, 1);
	add(&c, 99.5 / 201, 1, 1);
	add(&c, 101.5 / 201, 0, 1);
	rows = finish(&c);
	assert_true(recalibrate(rows, &c.totals, CONF, NULL, &r));
	assert_int_equal(r.slope.problem, QUALITY_FINE);
	assert_true(r.slope.estimate > 20);
	check_maximum(&c, &r);
	sample_free(&c.sample);

	begin(&c);
	for (int i = 0; i < 100; i++)
	{
		add(&c, pow(10, -3 * (i % 90) - 1), i % 3 == 0, 1);
		add(&c, 1 - pow(2, -(i % 50) - 1), i % 2, 1);
	}
	rows = finish(&c);
	assert_true(recalibrate(rows, &c.totals, CONF, NULL, &r));
	assert_true(r.slope.problem == QUALITY_FINE && r.in_the_large.problem == QUALITY_FINE);
	check_maximum(&c, &r);
	sample_free(&c.sample);

	/* a slope of 2 ln(9) / (logit of the smallest number), and a shift that may be anything between both predictions */
	begin(&c);
	add(&c, 0x1p-1074, 0, 9);
	add(&c, 0x1p-1074, 1, 1);
	add(&c, 0.5, 0, 1);
	add(&c, 0.5, 1, 9);
	rows = finish(&c);
	assert_true(recalibrate(rows, &c.totals, CONF, NULL, &r));
	assert_relative(r.slope.estimate, 2 * log(9) / (1074 * log(2)), 1e-12);
	assert_relative(r.intercept.estimate, log(9), 1e-12);
	assert_true(r.in_the_large.problem == QUALITY_FLAT && isnan(r.in_the_large.estimate));
	sample_free(&c.sample);
}

static void
check_recalibration(const double (*rows)[3], int n, QualityProblem line, QualityProblem shift)
{
	Case		c;
	Recalibration r;
	const Rows *folded;

	begin(&c);
	for (int i = 0; i < n; i++)
		add(&c, rows[i][0], rows[i][1], (int) rows[i][2]);
	folded = finish(&c);
	assert_true(recalibrate(folded, &c.totals, CONF, NULL, &r));
	assert_int_equal(r.slope.problem, line);
	assert_int_equal(r.intercept.problem, line);
	assert_int_equal(r.in_the_large.problem, shift);
	assert_true(isnan(r.slope.estimate) && isnan(r.intercept.estimate) && isnan(r.slope.std_error));
	assert_int_equal(isnan(r.in_the_large.estimate), n == 0 || shift != QUALITY_FINE);
	sample_free(&c.sample);
}

static void
test_recalibration_impossible(void **state)
{
	(void) state;
	check_recalibration(NULL, 0, QUALITY_FINE, QUALITY_FINE);
	check_recalibration((const double[][3]) {{0.2, 1, 3}, {0.3, 1, 3}}, 2, QUALITY_ONE_OUTCOME, QUALITY_ONE_OUTCOME);
	check_recalibration((const double[][3]) {{0.2, 0, 3}, {1, 1, 3}}, 2, QUALITY_CERTAIN, QUALITY_CERTAIN);
	check_recalibration((const double[][3]) {{0.2, 0, 3}, {0.3, 1, 3}}, 2, QUALITY_SEPARATED, QUALITY_FINE);
	check_recalibration((const double[][3]) {{0.2, 1, 3}, {0.3, 0, 3}}, 2, QUALITY_SEPARATED, QUALITY_FINE);
	/* they meet in one prediction, which is not enough */
	check_recalibration((const double[][3]) {{0.2, 0, 3}, {0.25, 0, 5}, {0.25, 1, 5}, {0.3, 1, 3}}, 4,
						QUALITY_SEPARATED, QUALITY_FINE);
}

/* ---- lift ---------------------------------------------------------------------------------------- */

static void
test_capture(void **state)
{
	(void) state;
	for (int grid = 0; grid <= 12; grid += 4)
		for (int bins = 1; bins <= 13; bins += 3)
		{
			Case		c;
			const Rows *rows = simulate(&c, 77 + grid, 123, grid);
			double		cumulative[13];

			assert_true(prediction_capture(rows, &c.totals, bins, NULL, cumulative));
			assert_true(cumulative[bins - 1] == c.totals.events);
			for (int k = 1; k <= bins; k++)
			{
				double		wanted = 123.0 * k / bins;
				double		by_hand = 0;

				for (int i = 0; i < c.n; i++)
				{
					double		above = 0;
					double		tied = 0;

					for (int j = 0; j < c.n; j++)
					{
						above += c.predicted[j] > c.predicted[i];
						tied += c.predicted[j] == c.predicted[i];
					}
					by_hand += c.happened[i] * fmin(1, fmax(0, (wanted - above) / tied));
				}
				assert_near(cumulative[k - 1], by_hand, 1e-11);
			}
			sample_free(&c.sample);
		}
}

static void
test_capture_by_hand(void **state)
{
	Case		c;
	const Rows *rows;
	double		cumulative[10];

	(void) state;
	begin(&c);
	rows = finish(&c);
	assert_true(prediction_capture(rows, &c.totals, 2, NULL, cumulative));
	assert_true(cumulative[0] == 0 && cumulative[1] == 0);
	/* 25 rows, so 2.5 in a tenth: one at .9 that happened, and 1.5 of the four at .5, of whom three did */
	add(&c, 0.9, 1, 1);
	add(&c, 0.5, 1, 3);
	add(&c, 0.5, 0, 1);
	add(&c, 0.1, 1, 2);
	add(&c, 0.1, 0, 18);
	rows = finish(&c);
	assert_true(prediction_capture(rows, &c.totals, 10, NULL, cumulative));
	assert_relative(cumulative[0], 1 + 1.5 / 4 * 3, 1e-15);
	assert_relative(cumulative[1], 4, 1e-15);
	assert_relative(cumulative[2], 4 + 2.5 / 20 * 2, 1e-15);
	assert_true(cumulative[9] == 6);
	sample_free(&c.sample);
}

/* ---- ending -------------------------------------------------------------------------------------- */

static int	questions;

static bool
end_at_question(void *arg)
{
	return ++questions == *(int *) arg;
}

static void
test_stop(void **state)
{
	Sample		sample;
	const Rows *rows;
	PredictionTotals totals;
	QualityMeasure m;
	Recalibration r;
	PredictionBin *bins = malloc(10 * sizeof(PredictionBin));
	double		cumulative[10];
	int			nbins;
	int			end_at = 1;
	const FitStop stop = {end_at_question, &end_at};
	Random		random;

	(void) state;
	sample_init(&sample, 2);
	random_seed(&random, 1);
	for (int i = 0; i < 3 * PREDICTION_POLL_ROWS; i++)
		sample_add(&sample, (double[]) {random_uniform(&random), random_uniform(&random) < 0.5}, 1);
	rows = sample_fold(&sample);
	assert_true(prediction_totals(rows, NULL, &totals));
	/* in the first pass, and behind it: what has two passes asks in both */
	for (end_at = 1; end_at <= 4; end_at += 3)
	{
		questions = 0;
		assert_int_equal(prediction_totals(rows, &stop, &totals), end_at > 3);
		questions = 0;
		assert_int_equal(prediction_bins(rows, &totals, 10, &stop, bins, &nbins), end_at > 3);
		questions = 0;
		assert_int_equal(prediction_capture(rows, &totals, 10, &stop, cumulative), end_at > 3);
		questions = 0;
		assert_false(brier_measure(rows, CONF, &stop, &m));
		questions = 0;
		assert_false(log_loss_measure(rows, &totals, CONF, &stop, &m));
		questions = 0;
		assert_false(auc_measure(rows, &totals, CONF, &stop, &m));
		questions = 0;
		assert_false(recalibrate(rows, &totals, CONF, &stop, &r));
	}
	free(bins);
	sample_free(&sample);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_auc_brute_force),
		cmocka_unit_test(test_auc_published),
		cmocka_unit_test(test_auc_extremes),
		cmocka_unit_test(test_scores_brute_force),
		cmocka_unit_test(test_parts_add_up),
		cmocka_unit_test(test_bins_of_ties),
		cmocka_unit_test(test_scores_extremes),
		cmocka_unit_test(test_recalibration_closed_form),
		cmocka_unit_test(test_recalibration_maximum),
		cmocka_unit_test(test_recalibration_hard),
		cmocka_unit_test(test_recalibration_impossible),
		cmocka_unit_test(test_capture),
		cmocka_unit_test(test_capture_by_hand),
		cmocka_unit_test(test_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
