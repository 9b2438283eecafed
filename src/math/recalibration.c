/*
 * recalibration.c - logistic regression of what happened on the logit of what was predicted.
 */
#include "math/prediction_quality.h"

#include <float.h>
#include <math.h>

#include "math/value.h"

/* Newton's method doubles its digits in each step; half-steps far from the maximum are what may take many. */
#define MOST_STEPS 200

/*
 * Squared distance to the maximum in standard errors at which the step to come is the last; the rounding of n rows adds
 * up to so much a row.
 */
#define CLOSE 1e-22
#define ROUNDING (256 * DBL_EPSILON * DBL_EPSILON)

/* At P = 1 / (1 + exp(-(intercept + slope x))), x the logit of the prediction. */
typedef struct Evaluation
{
	double		log_likelihood;
	double		excess;			/* sum of happened - P */
	double		excess_x;		/* sum of (happened - P) (x - center) */
	double		weight;			/* sum of P (1 - P), which weighs */
	double		center;			/* the mean of x */
	double		spread;			/* and the sum of (x - center)^2 */
} Evaluation;

/* Whether the rows tell more than rounding: recalibrated predictions that are all next to 0 or 1 do not. */
static bool
tells(const Evaluation *e, double n)
{
	return e->weight > 16 * DBL_EPSILON * n;
}

typedef struct Line
{
	double		intercept;
	double		slope;
} Line;

static bool
evaluate(const Rows *rows, Line line, const FitStop *stop, Evaluation *e)
{
	CompensatedSum log_likelihood = {0, 0};
	CompensatedSum excess = {0, 0};
	CompensatedSum excess_x = {0, 0};
	PredictionLevel level;

	*e = (Evaluation) {0};
	for (size_t i = 0, next; i < rows->n; i = next)
	{
		double		x;
		double		eta;
		double		p;
		double		q;			/* 1 - p without cancellation */
		double		residual;
		double		weight;
		double		deviation;

		next = prediction_level(rows, i, &level);
		if (prediction_stopped(stop, i, next))
			return false;
		x = log(level.predicted) - log1p(-level.predicted);
		eta = line.intercept + line.slope * x;
		p = 1 / (1 + exp(-eta));
		q = 1 / (1 + exp(eta));
		residual = level.events * q - (level.n - level.events) * p;
		compensated_add(&log_likelihood,
						level.events * fmin(eta, 0) - (level.n - level.events) * fmax(eta, 0) -
						level.n * log1p(exp(-fabs(eta))));
		compensated_add(&excess, residual);
		compensated_add(&excess_x, residual * x);
		weight = level.n * p * q;
		if (weight == 0)
			continue;
		deviation = x - e->center;
		e->spread += e->weight * (weight / (e->weight + weight)) * deviation * deviation;
		e->weight += weight;
		e->center += deviation * (weight / e->weight);
	}
	e->log_likelihood = compensated_sum(&log_likelihood);
	e->excess = compensated_sum(&excess);
	e->excess_x = compensated_sum(&excess_x) - e->center * e->excess;
	return true;
}

/* Slope and intercept together: Newton's method, its steps halved until the likelihood does not fall. */
static bool
fit_line(const Rows *rows, const PredictionTotals *totals, double conf, const FitStop *stop,
		 Recalibration *recalibration)
{
	Line		line = {log(totals->events / (totals->n - totals->events)), 0};
	Line		step = {0, 0};
	double		best = -INFINITY;

	recalibration->slope = recalibration->intercept = no_measure(QUALITY_FLAT);
	for (int i = 0; i < MOST_STEPS; i++)
	{
		Evaluation	e;
		double		distance;

		if (!evaluate(rows, line, stop, &e))
			return false;
		if (!(e.log_likelihood >= best - 1e-12 * fabs(best)))
		{
			step = (Line) {step.intercept / 2, step.slope / 2};
			line = (Line) {line.intercept - step.intercept, line.slope - step.slope};
			continue;
		}
		best = e.log_likelihood;
		step.slope = e.excess_x / e.spread;
		step.intercept = e.excess / e.weight - step.slope * e.center;
		line = (Line) {line.intercept + step.intercept, line.slope + step.slope};
		distance = e.excess * (e.excess / e.weight) + e.excess_x * step.slope;
		if (!(distance <= CLOSE + ROUNDING * totals->n))
			continue;
		if (tells(&e, totals->n) && isfinite(line.intercept) && isfinite(line.slope))
		{
			recalibration->slope = normal_measure(line.slope, 1 / sqrt(e.spread), conf);
			recalibration->intercept =
				normal_measure(line.intercept, sqrt(1 / e.weight + e.center * (e.center / e.spread)), conf);
		}
		return true;
	}
	return true;
}

static double
logit(double p)
{
	return log(p) - log1p(-p);
}

/*
 * The intercept with the slope held at 1: Newton's method, and where it would leave the interval in which the sum of
 * the recalibrated predictions must reach the number of events, that is halved.
 */
static bool
fit_shift(const Rows *rows, const PredictionTotals *totals, double conf, const FitStop *stop, QualityMeasure *shift)
{
	double		base = log(totals->events / (totals->n - totals->events));
	double		low = base - logit(fmax(totals->highest[0], totals->highest[1]));
	double		high = base - logit(fmin(totals->lowest[0], totals->lowest[1]));
	double		at = fmin(fmax(0, low), high);

	*shift = no_measure(QUALITY_FLAT);
	for (int i = 0; i < MOST_STEPS; i++)
	{
		Evaluation	e;
		double		next;

		if (!evaluate(rows, (Line) {at, 1}, stop, &e))
			return false;
		next = at + e.excess / e.weight;
		if (e.excess * (e.excess / e.weight) <= CLOSE + ROUNDING * totals->n || high <= low)
		{
			if (tells(&e, totals->n))
				*shift = normal_measure(next, 1 / sqrt(e.weight), conf);
			return true;
		}
		if (e.excess > 0)
			low = at;
		else
			high = at;
		at = next > low && next < high ? next : 0.5 * (low + high);
	}
	return true;
}

bool
recalibrate(const Rows *rows, const PredictionTotals *totals, double conf, const FitStop *stop,
			Recalibration *recalibration)
{
	QualityProblem problem = QUALITY_FINE;
	bool		one_outcome = totals->events == 0 || totals->events == totals->n;

	if (totals->n == 0 || one_outcome || totals->certain > 0)
	{
		if (totals->n > 0)
			problem = one_outcome ? QUALITY_ONE_OUTCOME : QUALITY_CERTAIN;
		recalibration->slope = recalibration->intercept = recalibration->in_the_large = no_measure(problem);
		return true;
	}
	if (!fit_shift(rows, totals, conf, stop, &recalibration->in_the_large))
		return false;
	if (totals->distinct == 1)
		problem = QUALITY_CONSTANT;
	else if (totals->highest[0] <= totals->lowest[1] || totals->highest[1] <= totals->lowest[0])
		problem = QUALITY_SEPARATED;
	recalibration->slope = recalibration->intercept = no_measure(problem);
	return problem != QUALITY_FINE || fit_line(rows, totals, conf, stop, recalibration);
}
