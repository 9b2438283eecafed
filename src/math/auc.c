/*
 * auc.c - the area under the ROC curve and its standard error by DeLong, in two passes over sorted rows.
 */
#include "math/prediction_quality.h"

#include <float.h>
#include <math.h>

#include "math/special.h"
#include "math/value.h"

/* The pairs of an event and another row which the predictions put in the right order, or the wrong one. */
typedef struct Pairs
{
	double		right;
	double		wrong;
} Pairs;

static bool
count_pairs(const Rows *rows, double others, const FitStop *stop, Pairs *pairs)
{
	CompensatedSum right = {0, 0};
	CompensatedSum wrong = {0, 0};
	PredictionLevel level;
	double		others_below = 0;

	for (size_t i = 0, next; i < rows->n; i = next)
	{
		double		tied;

		next = prediction_level(rows, i, &level);
		if (prediction_stopped(stop, i, next))
			return false;
		tied = level.n - level.events;
		compensated_add(&right, level.events * (others_below + 0.5 * tied));
		compensated_add(&wrong, level.events * (others - others_below - 0.5 * tied));
		others_below += tied;
	}
	*pairs = (Pairs) {compensated_sum(&right), compensated_sum(&wrong)};
	return true;
}

/*
 * DeLong's variance: that of the share of other rows below an event, over the events, and that of the share of events
 * above another row, over the other rows. False as auc_measure().
 */
static bool
auc_variance(const Rows *rows, double events, double others, double auc, const FitStop *stop, double *variance)
{
	CompensatedSum over_events = {0, 0};
	CompensatedSum over_others = {0, 0};
	PredictionLevel level;
	double		others_below = 0;
	double		events_below = 0;

	for (size_t i = 0, next; i < rows->n; i = next)
	{
		double		tied;
		double		of_event;
		double		of_other;

		next = prediction_level(rows, i, &level);
		if (prediction_stopped(stop, i, next))
			return false;
		tied = level.n - level.events;
		of_event = (others_below + 0.5 * tied) / others - auc;
		of_other = (events - events_below - 0.5 * level.events) / events - auc;
		compensated_add(&over_events, level.events * of_event * of_event);
		compensated_add(&over_others, tied * of_other * of_other);
		others_below += tied;
		events_below += level.events;
	}
	*variance = compensated_sum(&over_events) / (events - 1) / events +
		compensated_sum(&over_others) / (others - 1) / others;
	return true;
}

/* Where odds end up that are multiplied by exp(shift), as a probability. */
static double
shifted(const Pairs *pairs, double shift)
{
	return pairs->right / (pairs->right + pairs->wrong * exp(-shift));
}

bool
auc_measure(const Rows *rows, const PredictionTotals *totals, double conf, const FitStop *stop, QualityMeasure *auc)
{
	double		events = totals->events;
	double		others = totals->n - events;
	double		area;
	double		variance;
	double		reach;
	Pairs		pairs;

	*auc = no_measure(totals->n > 0 ? QUALITY_ONE_OUTCOME : QUALITY_FINE);
	if (events == 0 || others == 0)
		return true;
	if (!count_pairs(rows, others, stop, &pairs))
		return false;
	area = pairs.right / (pairs.right + pairs.wrong);
	auc->estimate = area;
	auc->problem = QUALITY_PERFECT_RANKING;
	if (totals->highest[0] < totals->lowest[1] || totals->highest[1] < totals->lowest[0])
		return true;
	auc->problem = QUALITY_TOO_FEW;
	if (events < 2 || others < 2)
		return true;
	if (!auc_variance(rows, events, others, area, stop, &variance))
		return false;
	auc->problem = QUALITY_NO_SPREAD;
	if (!(sqrt(variance) > 16 * DBL_EPSILON / sqrt(fmin(events, others))))
		return true;
	auc->problem = QUALITY_FINE;
	auc->std_error = sqrt(variance);
	reach = normal_quantile(0.5 + 0.5 * conf) * auc->std_error / (area * (pairs.wrong / (pairs.right + pairs.wrong)));
	auc->conf_low = shifted(&pairs, -reach);
	auc->conf_high = shifted(&pairs, reach);
	return true;
}
