/*
 * prediction_quality.c - predicted probabilities beside what happened: scores, bins and their parts, lift.
 * Formulas in docs/quality.md; the ranking is in auc.c, the recalibration in recalibration.c.
 */
#include "math/prediction_quality.h"

#include <float.h>
#include <math.h>

#include "math/special.h"
#include "math/value.h"

/* A standard deviation of so many units in the last place of a mean is rounding. */
#define ROUNDING (16 * DBL_EPSILON)

QualityMeasure
no_measure(QualityProblem problem)
{
	return (QualityMeasure) {NAN, NAN, NAN, NAN, problem};
}

QualityMeasure
normal_measure(double estimate, double std_error, double conf)
{
	QualityMeasure m = {estimate, NAN, NAN, NAN, QUALITY_NO_SPREAD};
	double		reach = normal_quantile(0.5 + 0.5 * conf) * std_error;

	if (!(std_error > 0))
		return m;
	return (QualityMeasure) {estimate, std_error, estimate - reach, estimate + reach, QUALITY_FINE};
}

/* ---- totals -------------------------------------------------------------------------------------- */

bool
prediction_totals(const Rows *rows, const FitStop *stop, PredictionTotals *totals)
{
	PredictionTotals t = {.lowest = {INFINITY, INFINITY}, .highest = {-INFINITY, -INFINITY}};
	CompensatedSum predicted = {0, 0};
	double		last = -1;

	for (size_t i = 0; i < rows->n; i++)
	{
		const double *row = rows_at(rows, i);
		double		count = row_count(rows, row);
		int			happened = row[1] != 0;

		if (prediction_stopped(stop, i, i + 1))
			return false;
		t.n += count;
		t.events += happened ? count : 0;
		compensated_add(&predicted, count * row[0]);
		t.distinct += row[0] != last;
		last = row[0];
		t.lowest[happened] = fmin(t.lowest[happened], row[0]);
		t.highest[happened] = row[0];
		if (row[0] == 0 || row[0] == 1)
		{
			t.certain += count;
			t.refuted += row[0] != happened ? count : 0;
		}
	}
	t.mean_predicted = t.n > 0 ? compensated_sum(&predicted) / t.n : NAN;
	*totals = t;
	return true;
}

/* ---- means --------------------------------------------------------------------------------------- */

/* What a row of that prediction adds to a mean. */
typedef double (*Loss) (double predicted, bool happened);

static double
squared_error(double predicted, bool happened)
{
	double		error = happened ? 1 - predicted : predicted;

	return error * error;
}

static double
surprise(double predicted, bool happened)
{
	return happened ? -log(predicted) : -log1p(-predicted);
}

/* The interval of a positive mean on the log scale, and of one below 1 on the logit scale, so that it stays there. */
static void
bounded_interval(QualityMeasure *m, bool below_1, double conf)
{
	double		rest = below_1 ? 1 - m->estimate : 1;
	double		reach = normal_quantile(0.5 + 0.5 * conf) * m->std_error / (m->estimate * rest);
	double		odds = m->estimate / rest;

	m->conf_low = odds * exp(-reach);
	m->conf_high = odds * exp(reach);
	if (!below_1)
		return;
	m->conf_low /= 1 + m->conf_low;
	m->conf_high /= 1 + m->conf_high;
}

/* The mean of a loss, with the standard error of a mean: two passes, so that nothing cancels. */
static bool
mean_loss(const Rows *rows, Loss loss, bool below_1, double conf, const FitStop *stop, QualityMeasure *measure)
{
	CompensatedSum sum = {0, 0};
	CompensatedSum squares = {0, 0};
	double		n = rows_total(rows);
	double		mean;
	double		std_error;

	*measure = no_measure(QUALITY_FINE);
	if (n == 0)
		return true;
	for (size_t i = 0; i < rows->n; i++)
	{
		const double *row = rows_at(rows, i);

		if (prediction_stopped(stop, i, i + 1))
			return false;
		compensated_add(&sum, row_count(rows, row) * loss(row[0], row[1] != 0));
	}
	mean = compensated_sum(&sum) / n;
	for (size_t i = 0; i < rows->n; i++)
	{
		const double *row = rows_at(rows, i);
		double		deviation = loss(row[0], row[1] != 0) - mean;

		if (prediction_stopped(stop, i, i + 1))
			return false;
		compensated_add(&squares, row_count(rows, row) * deviation * deviation);
	}
	std_error = sqrt(compensated_sum(&squares) / (n - 1) / n);
	*measure = normal_measure(mean, std_error > ROUNDING * mean / sqrt(n) ? std_error : 0, conf);
	if (n == 1)
		measure->problem = QUALITY_TOO_FEW;
	if (measure->problem == QUALITY_FINE)
		bounded_interval(measure, below_1, conf);
	return true;
}

bool
brier_measure(const Rows *rows, double conf, const FitStop *stop, QualityMeasure *brier)
{
	return mean_loss(rows, squared_error, true, conf, stop, brier);
}

bool
log_loss_measure(const Rows *rows, const PredictionTotals *totals, double conf, const FitStop *stop,
				 QualityMeasure *log_loss)
{
	*log_loss = no_measure(QUALITY_REFUTED);
	return totals->refuted > 0 || mean_loss(rows, surprise, false, conf, stop, log_loss);
}

QualityMeasure
brier_skill_measure(const PredictionTotals *totals, double brier)
{
	double		others = totals->n - totals->events;
	QualityMeasure skill = no_measure(totals->n > 0 ? QUALITY_ONE_OUTCOME : QUALITY_FINE);

	if (totals->events == 0 || others == 0)
		return skill;
	skill.estimate = 1 - brier / (totals->events / totals->n * (others / totals->n));
	skill.problem = QUALITY_FINE;
	return skill;
}

/* ---- bins ---------------------------------------------------------------------------------------- */

/* Add a level to its bin: the moments about the means are updated as B. P. Welford (1962) does. */
static void
add_level(PredictionBin *bin, const PredictionLevel *level)
{
	double		deviation;
	double		share_before = bin->n > 0 ? bin->events / bin->n : 0;
	double		weight;

	if (bin->n == 0)
		bin->lowest = bin->mean_predicted = level->predicted;
	/* both deviations are from the means before; the weight makes them those of the pair */
	deviation = level->predicted - bin->mean_predicted;
	weight = bin->n * (level->n / (bin->n + level->n));
	bin->within += weight * deviation * deviation;
	bin->product += weight * deviation * (level->events / level->n - share_before);
	bin->n += level->n;
	bin->events += level->events;
	bin->mean_predicted += deviation * (level->n / bin->n);
	bin->highest = level->predicted;
}

bool
prediction_bins(const Rows *rows, const PredictionTotals *totals, int most_bins, const FitStop *stop,
				PredictionBin *bins, int *nbins)
{
	PredictionLevel level;
	double		below = 0;
	int			place = -1;		/* of the bin before empty ones are left out */

	*nbins = 0;
	for (size_t i = 0, next; i < rows->n; i = next)
	{
		int			at;

		next = prediction_level(rows, i, &level);
		if (prediction_stopped(stop, i, next))
			return false;
		at = totals->distinct <= most_bins ? place + 1 :
			(int) fmin(most_bins * (below + 0.5 * level.n) / totals->n, most_bins - 1);
		if (at != place)
			bins[(*nbins)++] = (PredictionBin) {.n = 0};
		place = at;
		add_level(&bins[*nbins - 1], &level);
		below += level.n;
	}
	return true;
}

BrierParts
brier_parts(const PredictionTotals *totals, const PredictionBin *bins, int nbins)
{
	double		share = totals->events / totals->n;
	BrierParts	parts = {0};

	if (totals->n == 0)
		return (BrierParts) {NAN, NAN, NAN, NAN, NAN, NAN};
	parts.uncertainty = share * ((totals->n - totals->events) / totals->n);
	for (int k = 0; k < nbins; k++)
	{
		double		weight = bins[k].n / totals->n;
		double		bin_share = bins[k].events / bins[k].n;
		double		error = bins[k].mean_predicted - bin_share;

		parts.reliability += weight * error * error;
		parts.resolution += weight * (bin_share - share) * (bin_share - share);
		parts.within_variance += bins[k].within / totals->n;
		parts.within_covariance += 2 * bins[k].product / totals->n;
		parts.calibration_error += weight * fabs(error);
	}
	return parts;
}

/* ---- lift ---------------------------------------------------------------------------------------- */

bool
prediction_capture(const Rows *rows, const PredictionTotals *totals, int bins, const FitStop *stop,
				   double *cumulative)
{
	PredictionLevel level;
	double		below = 0;
	double		events_below = 0;
	int			k = bins - 1;	/* the boundary that comes next: above it are k / bins of all rows */

	for (size_t i = 0, next; i < rows->n; i = next)
	{
		next = prediction_level(rows, i, &level);
		if (prediction_stopped(stop, i, next))
			return false;
		for (; k > 0; k--)
		{
			double		boundary = (bins - k) * totals->n / bins;

			if (boundary > below + level.n)
				break;
			cumulative[k - 1] = totals->events - (events_below + (boundary - below) / level.n * level.events);
		}
		below += level.n;
		events_below += level.events;
	}
	/* rounding may have left a boundary above the last row, behind which there is nothing */
	for (; k > 0; k--)
		cumulative[k - 1] = 0;
	cumulative[bins - 1] = totals->events;
	return true;
}
