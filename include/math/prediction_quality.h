/*
 * prediction_quality.h - predicted probabilities beside what happened: scores, ranking, calibration, lift.
 *
 * Rows are those of ROWS_PREDICTION, sorted: rows of equal prediction are neighbours, so nothing here sorts, and all of
 * it takes one or a few passes. Functions that return bool answer false when stop (which may be NULL) asked them to
 * end; their results then are not set. Formulas in docs/quality.md. Standard errors take the rows to be independent.
 */
#ifndef CLV_MATH_PREDICTION_QUALITY_H
#define CLV_MATH_PREDICTION_QUALITY_H

#include "math/model_kind.h"
#include "math/rows.h"

/* Rows between two questions whether to end. */
#define PREDICTION_POLL_ROWS 4096

/* Why a number does not exist. */
typedef enum QualityProblem
{
	QUALITY_FINE,
	/* no estimate */
	QUALITY_ONE_OUTCOME,		/* it happened in all rows, or in none */
	QUALITY_REFUTED,			/* what was predicted with certainty came otherwise */
	QUALITY_CERTAIN,			/* predictions of 0 or 1 have no logit */
	QUALITY_CONSTANT,			/* all predictions are the same */
	QUALITY_SEPARATED,			/* a threshold tells all events from the rest */
	QUALITY_FLAT,				/* the likelihood is too flat to find its maximum */
	/* an estimate, but no standard error */
	QUALITY_PERFECT_RANKING,	/* AUC of 0 or 1 */
	QUALITY_TOO_FEW,			/* a single row, event or other row */
	QUALITY_NO_SPREAD,			/* what is averaged is the same in all rows */
	QUALITY_PROBLEMS
} QualityProblem;

/* A measure; what does not exist is NAN, and where something could have existed, problem says why not. */
typedef struct QualityMeasure
{
	double		estimate;
	double		std_error;
	double		conf_low;
	double		conf_high;
	QualityProblem problem;
} QualityMeasure;

/* What all measures start from. */
typedef struct PredictionTotals
{
	double		n;
	double		events;			/* rows in which it happened */
	double		mean_predicted; /* NAN without rows */
	double		distinct;		/* different predictions */
	/* of the rows in which it did not happen [0], and did [1]; infinite where there are none */
	double		lowest[2];
	double		highest[2];
	double		certain;		/* rows predicted to be 0 or 1 exactly, */
	double		refuted;		/* and those of them that came otherwise */
} PredictionTotals;

extern bool prediction_totals(const Rows *rows, const FitStop *stop, PredictionTotals *totals);

/*
 * The mean of (predicted - happened)^2 (G. W. Brier 1950), with the standard error of a mean; the interval at
 * confidence 0 < conf < 1 is estimate -+ z std_error on the logit scale, so that it stays between 0 and 1.
 */
extern bool brier_measure(const Rows *rows, double conf, const FitStop *stop, QualityMeasure *brier);

/*
 * The mean of -ln(probability predicted for what came), as brier_measure() with an interval on the log scale.
 * QUALITY_REFUTED where one of these is infinite.
 */
extern bool log_loss_measure(const Rows *rows, const PredictionTotals *totals, double conf, const FitStop *stop,
							 QualityMeasure *log_loss);

/*
 * 1 - brier / (s (1 - s)), s the share of events: 1 is perfect, 0 no better than to predict s for all.
 */
extern QualityMeasure brier_skill_measure(const PredictionTotals *totals, double brier);

/*
 * The area under the ROC curve: the probability that of an event and another row the event has the higher prediction,
 * equal ones counting a half. Standard error of E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson (1988), computed
 * from midranks as X. Sun and W. Xu (2014) do; the interval is estimate -+ z std_error on the logit scale.
 */
extern bool auc_measure(const Rows *rows, const PredictionTotals *totals, double conf, const FitStop *stop,
						QualityMeasure *auc);

/*
 * Logistic regression of what happened on the logit of the prediction (D. R. Cox 1958): slope and intercept together,
 * 1 and 0 for calibrated predictions, and the intercept alone with the slope held at 1 (calibration in the large, 0
 * where the sum of the recalibrated predictions needs no shift). Maximum likelihood, standard errors from the
 * information, intervals estimate -+ z std_error.
 */
typedef struct Recalibration
{
	QualityMeasure slope;
	QualityMeasure intercept;
	QualityMeasure in_the_large;
} Recalibration;

extern bool recalibrate(const Rows *rows, const PredictionTotals *totals, double conf, const FitStop *stop,
						Recalibration *recalibration);

/* Rows of neighbouring predictions, and the moments of both columns about their means in the bin. */
typedef struct PredictionBin
{
	double		n;
	double		events;
	double		lowest;			/* prediction */
	double		highest;
	double		mean_predicted;
	double		within;			/* sum of (predicted - its mean)^2 */
	double		product;		/* sum of (predicted - its mean) (happened - its mean) */
} PredictionBin;

#define PREDICTION_MOST_BINS 1000

/*
 * At most most_bins bins of equal count, in ascending order; *nbins of them have rows. Equal predictions are never
 * split: a bin is chosen by the middle of their ranks. Where there are no more different predictions than most_bins,
 * each has a bin of its own.
 */
extern bool prediction_bins(const Rows *rows, const PredictionTotals *totals, int most_bins, const FitStop *stop,
							PredictionBin *bins, int *nbins);

/*
 * The parts of the Brier score over bins, brier = reliability - resolution + uncertainty + within_variance -
 * within_covariance (A. H. Murphy 1973; the last two, which are 0 where each bin is one prediction, by D. B.
 * Stephenson, C. A. S. Coelho and I. T. Jolliffe 2008), and the expected calibration error: the mean over rows of
 * |mean prediction of the bin - share of events in it|. NAN without rows.
 */
typedef struct BrierParts
{
	double		reliability;
	double		resolution;
	double		uncertainty;
	double		within_variance;
	double		within_covariance;
	double		calibration_error;
} BrierParts;

extern BrierParts brier_parts(const PredictionTotals *totals, const PredictionBin *bins, int nbins);

/*
 * How many events there are among the k / bins of all rows that rank highest, k = 1 ... bins: cumulative[bins]. Rows of
 * equal prediction are taken in equal parts, as backtest_top_share() does, so that these are fractions.
 */
extern bool prediction_capture(const Rows *rows, const PredictionTotals *totals, int bins, const FitStop *stop,
							   double *cumulative);

/* ---- what the files share ------------------------------------------------------------------------ */

/* All rows of one prediction. */
typedef struct PredictionLevel
{
	double		predicted;
	double		n;
	double		events;
} PredictionLevel;

/* The level that begins with row i; the answer is the row behind it. */
static inline size_t
prediction_level(const Rows *rows, size_t i, PredictionLevel *level)
{
	*level = (PredictionLevel) {.predicted = rows_at(rows, i)[0]};
	for (; i < rows->n && rows_at(rows, i)[0] == level->predicted; i++)
	{
		const double *row = rows_at(rows, i);
		double		count = row_count(rows, row);

		level->n += count;
		level->events += row[1] != 0 ? count : 0;
	}
	return i;
}

/* Whether it is time to ask, and the answer is to end: of a loop over rows that has come from row `from` to `to`. */
static inline bool
prediction_stopped(const FitStop *stop, size_t from, size_t to)
{
	return stop != NULL && from / PREDICTION_POLL_ROWS != to / PREDICTION_POLL_ROWS && stop->requested(stop->arg);
}

/* estimate -+ z std_error, or QUALITY_NO_SPREAD where std_error is nothing beside the estimate. */
extern QualityMeasure normal_measure(double estimate, double std_error, double conf);

/* A measure that does not exist, and why. */
extern QualityMeasure no_measure(QualityProblem problem);

#endif
