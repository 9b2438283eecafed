/*
 * prediction_quality.c - predictions of events beside what happened: prediction samples, their quality, calibration and
 * lift.
 */
#include "sample.h"

#include <math.h>

#include "btyd.h"
#include "funcapi.h"
#include "math/prediction_quality.h"
#include "math/rates.h"
#include "model.h"
#include "utils/builtins.h"

static const Frame numbers = FRAME_OF_NUMBERS;

/* ---- samples ------------------------------------------------------------------------------------- */

static Datum
add_prediction(FunctionCallInfo fcinfo, double happened)
{
	double		row[] = {PG_GETARG_FLOAT8(1) + 0.0, happened + 0.0};	/* -0 is 0 */

	check_row(ROWS_PREDICTION, row);
	PG_RETURN_POINTER(sample_add(sample_state(fcinfo, ROWS_PREDICTION, 0, &numbers), row, 1));
}

/* (state, predicted, happened): a row with a NULL is counted as skipped. */
#define DEFINE_ADD_PREDICTION(TYPE, GETARG) \
	PG_FUNCTION_INFO_V1(clv_validation_add_prediction_##TYPE); \
	Datum clv_validation_add_prediction_##TYPE(PG_FUNCTION_ARGS) \
	{ \
		ClvSample  *s; \
		\
		if (!null_argument(fcinfo)) \
			return add_prediction(fcinfo, GETARG(2)); \
		s = sample_state(fcinfo, ROWS_PREDICTION, 0, &numbers); \
		sample_skip(s, 1); \
		PG_RETURN_POINTER(s); \
	}

DEFINE_ADD_PREDICTION(boolean, PG_GETARG_BOOL)
DEFINE_ADD_PREDICTION(float8, PG_GETARG_FLOAT8)

/* The rows of the sample in argument 0, and their totals. */
static Rows
prediction_rows(FunctionCallInfo fcinfo, PredictionTotals *totals)
{
	const ClvSample *sample = PG_GETARG_STORED_SAMPLE(0);
	Rows		rows;

	if (sample->kind != ROWS_PREDICTION)
		argument_error("the sample holds no predictions", "Build it with prediction_sample(predicted, happened).",
					   "It holds %s rows.", row_kind_name(sample->kind));
	rows = sample_rows(sample);
	if (!prediction_totals(&rows, &stop_on_cancel, totals))
		stop_call("measuring predictions");
	return rows;
}

static int
checked_bins(int bins)
{
	if (bins < 1 || bins > PREDICTION_MOST_BINS)
		argument_error("bins must be between 1 and 1000", "Ten bins are customary.", "bins = %d.", bins);
	return bins;
}

/* ---- what does not exist --------------------------------------------------------------------------- */

/* Why, and what to do. */
static const struct
{
	bool		of_estimate;	/* else of its standard error alone */
	const char *reason;
	const char *hint;
}			problems[] = {
	[QUALITY_ONE_OUTCOME] = {true, "it happened in all rows, or in none",
	"Measure more rows, or a longer time after the prediction."},
	[QUALITY_REFUTED] = {true, "what was predicted to be certain or impossible came otherwise",
	"A probability of exactly 0 or 1 is a claim that one row refutes: is the prediction a probability, and not a "
	"class?"},
	[QUALITY_CERTAIN] = {true, "predictions of exactly 0 or 1 have no logit",
	"Is the prediction a probability, and not a class? Leave these rows out, or look at calibration_table()."},
	[QUALITY_CONSTANT] = {true, "all predictions are the same",
	"calibration_in_the_large compares them with what happened."},
	[QUALITY_SEPARATED] = {true, "a threshold tells all events from the other rows, so that no slope is steep enough",
	"Measure more rows, and make sure that the predictions have not seen the outcome."},
	[QUALITY_FLAT] = {true, "the likelihood is too flat to find its maximum",
	"Look for predictions that are extremely close to 0 or 1, and came otherwise."},
	[QUALITY_PERFECT_RANKING] = {false, "a threshold tells all events from the other rows",
	"Measure more rows, and make sure that the predictions have not seen the outcome."},
	[QUALITY_TOO_FEW] = {false, "two rows are the least, and for the AUC two in which it happened and two others",
	"Measure more rows."},
	[QUALITY_NO_SPREAD] = {false, "every row says the same", "Measure more rows, or predictions that differ."},
};

StaticAssertDecl(lengthof(problems) == QUALITY_PROBLEMS, "every problem has a text");

/* One WARNING for all measures, whose names it lists, with one problem. */
static void
warn_of_problem(QualityProblem problem, const char *names, const PredictionTotals *totals)
{
	bool		of_certainty = problem == QUALITY_REFUTED || problem == QUALITY_CERTAIN;

	ereport(WARNING,
			(errmsg("%s not defined: %s",
					problems[problem].of_estimate ? names : psprintf("the standard error of %s is", names),
					problems[problem].reason),
			 of_certainty ?
			 errdetail("Of %.0f rows, %.0f were predicted to be exactly 0 or 1, and %.0f of these came otherwise.",
					   totals->n, totals->certain, totals->refuted) :
			 errdetail("It happened in %.0f of %.0f rows.", totals->events, totals->n),
			 errhint("%s", problems[problem].hint)));
}

/* ---- quality --------------------------------------------------------------------------------------- */

typedef struct NamedMeasure
{
	const char *name;
	bool		binned;			/* it depends on the bins */
	QualityMeasure measure;
} NamedMeasure;

/* The measures of prediction_quality(), in the order of its rows. */
enum
{
	MEASURE_N, MEASURE_EVENTS, MEASURE_MEAN_PREDICTED, MEASURE_MEAN_HAPPENED, MEASURE_BRIER, MEASURE_BRIER_SKILL,
	MEASURE_RELIABILITY, MEASURE_RESOLUTION, MEASURE_UNCERTAINTY, MEASURE_WITHIN_VARIANCE, MEASURE_WITHIN_COVARIANCE,
	MEASURE_LOG_LOSS, MEASURE_AUC, MEASURE_SLOPE, MEASURE_INTERCEPT, MEASURE_IN_THE_LARGE, MEASURE_CALIBRATION_ERROR,
	MEASURES
};

static const char *const measure_names[MEASURES] = {
	"n", "events", "mean_predicted", "mean_happened", "brier", "brier_skill", "reliability", "resolution",
	"uncertainty", "within_bin_variance", "within_bin_covariance", "log_loss", "auc", "calibration_slope",
	"calibration_intercept", "calibration_in_the_large", "expected_calibration_error"
};

static void
set_estimate(NamedMeasure *measures, int i, double estimate, bool binned)
{
	measures[i].measure.estimate = estimate;
	measures[i].binned = binned;
}

static void
set_parts(NamedMeasure *measures, const PredictionTotals *totals, const PredictionBin *bins, int nbins)
{
	BrierParts	parts = brier_parts(totals, bins, nbins);

	set_estimate(measures, MEASURE_RELIABILITY, parts.reliability, true);
	set_estimate(measures, MEASURE_RESOLUTION, parts.resolution, true);
	set_estimate(measures, MEASURE_UNCERTAINTY, parts.uncertainty, false);
	set_estimate(measures, MEASURE_WITHIN_VARIANCE, parts.within_variance, true);
	set_estimate(measures, MEASURE_WITHIN_COVARIANCE, parts.within_covariance, true);
	set_estimate(measures, MEASURE_CALIBRATION_ERROR, parts.calibration_error, true);
}

static void
measure_predictions(const Rows *rows, const PredictionTotals *totals, double conf, NamedMeasure *measures)
{
	Rate		happened = wilson_rate(totals->events, totals->n, conf);
	Recalibration recalibration;

	set_estimate(measures, MEASURE_N, totals->n, false);
	set_estimate(measures, MEASURE_EVENTS, totals->events, false);
	set_estimate(measures, MEASURE_MEAN_PREDICTED, totals->mean_predicted, false);
	measures[MEASURE_MEAN_HAPPENED].measure = (QualityMeasure) {
		happened.estimate, happened.std_error > 0 ? happened.std_error : NAN, happened.conf_low, happened.conf_high,
		QUALITY_FINE
	};
	if (!brier_measure(rows, conf, &stop_on_cancel, &measures[MEASURE_BRIER].measure) ||
		!log_loss_measure(rows, totals, conf, &stop_on_cancel, &measures[MEASURE_LOG_LOSS].measure) ||
		!auc_measure(rows, totals, conf, &stop_on_cancel, &measures[MEASURE_AUC].measure) ||
		!recalibrate(rows, totals, conf, &stop_on_cancel, &recalibration))
		stop_call("measuring predictions");
	measures[MEASURE_BRIER_SKILL].measure = brier_skill_measure(totals, measures[MEASURE_BRIER].measure.estimate);
	measures[MEASURE_SLOPE].measure = recalibration.slope;
	measures[MEASURE_INTERCEPT].measure = recalibration.intercept;
	measures[MEASURE_IN_THE_LARGE].measure = recalibration.in_the_large;
}

static void
warn_of_measures(const NamedMeasure *measures, const PredictionTotals *totals)
{
	for (QualityProblem problem = QUALITY_FINE + 1; problem < QUALITY_PROBLEMS; problem++)
	{
		StringInfoData names;
		int			n = 0;

		initStringInfo(&names);
		for (int i = 0; i < MEASURES; i++)
			if (measures[i].measure.problem == problem)
				appendStringInfo(&names, "%s%s", n++ > 0 ? ", " : "", measures[i].name);
		if (n > 0 && problems[problem].of_estimate)
			appendStringInfoString(&names, n > 1 ? " are" : " is");
		if (n > 0)
			warn_of_problem(problem, names.data, totals);
	}
}

static void
put_measure(ReturnSetInfo *result, const NamedMeasure *m, const char *binning)
{
	double		row[] = {m->measure.estimate, m->measure.std_error, m->measure.conf_low, m->measure.conf_high};
	Datum		values[6] = {CStringGetTextDatum(m->name)};
	bool		nulls[6] = {false};

	set_numbers(values, nulls, 1, row, lengthof(row));
	nulls[5] = !m->binned || binning == NULL;
	if (!nulls[5])
		values[5] = CStringGetTextDatum(binning);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* The bins of a sample, with room for as many as were asked for. */
static PredictionBin *
bins_of_rows(const Rows *rows, const PredictionTotals *totals, int most_bins, int *nbins)
{
	PredictionBin *bins = palloc(most_bins * sizeof(PredictionBin));

	if (!prediction_bins(rows, totals, most_bins, &stop_on_cancel, bins, nbins))
		stop_call("measuring predictions");
	return bins;
}

/* prediction_quality(sample, bins, conf): measure, estimate, std_error, conf_low, conf_high, binning */
PG_FUNCTION_INFO_V1(clv_validation_prediction_quality);
Datum
clv_validation_prediction_quality(PG_FUNCTION_ARGS)
{
	PredictionTotals totals;
	Rows		rows = prediction_rows(fcinfo, &totals);
	int			most_bins = checked_bins(PG_GETARG_INT32(1));
	double		conf = checked_conf(PG_GETARG_FLOAT8(2));
	ReturnSetInfo *result = result_set(fcinfo);
	NamedMeasure measures[MEASURES];
	const char *binning = NULL;
	int			nbins;
	PredictionBin *bins = bins_of_rows(&rows, &totals, most_bins, &nbins);

	for (int i = 0; i < MEASURES; i++)
		measures[i] = (NamedMeasure) {measure_names[i], false, no_measure(QUALITY_FINE)};
	measure_predictions(&rows, &totals, conf, measures);
	set_parts(measures, &totals, bins, nbins);
	warn_of_measures(measures, &totals);
	if (totals.n > 0)
		binning = psprintf("%s: %d", totals.distinct <= most_bins ? "distinct predictions" : "bins of equal count",
						   nbins);
	for (int i = 0; i < MEASURES; i++)
		put_measure(result, &measures[i], binning);
	return (Datum) 0;
}

/* ---- calibration ----------------------------------------------------------------------------------- */

/*
 * calibration_table(sample, bins, conf): bin, lowest, highest, n, mean_predicted, happened_share, conf_low, conf_high,
 * events
 */
PG_FUNCTION_INFO_V1(clv_validation_calibration_table);
Datum
clv_validation_calibration_table(PG_FUNCTION_ARGS)
{
	PredictionTotals totals;
	Rows		rows = prediction_rows(fcinfo, &totals);
	int			most_bins = checked_bins(PG_GETARG_INT32(1));
	double		conf = checked_conf(PG_GETARG_FLOAT8(2));
	ReturnSetInfo *result = result_set(fcinfo);
	int			nbins;
	PredictionBin *bins = bins_of_rows(&rows, &totals, most_bins, &nbins);

	for (int k = 0; k < nbins; k++)
	{
		const PredictionBin *bin = &bins[k];
		Rate		share = wilson_rate(bin->events, bin->n, conf);
		bool		nulls[9] = {false};

		tuplestore_putvalues(result->setResult, result->setDesc, (Datum[]) {
			Int32GetDatum(k + 1), Float8GetDatum(bin->lowest), Float8GetDatum(bin->highest),
			Int64GetDatum((int64) bin->n), Float8GetDatum(bin->mean_predicted), Float8GetDatum(share.estimate),
			Float8GetDatum(share.conf_low), Float8GetDatum(share.conf_high), Int64GetDatum((int64) bin->events)
		}, nulls);
	}
	return (Datum) 0;
}

/* ---- lift ------------------------------------------------------------------------------------------ */

/*
 * lift_table(sample, bins): bin, n, events, share, lift, cumulative_n, cumulative_events, cumulative_capture,
 * cumulative_lift
 */
PG_FUNCTION_INFO_V1(clv_validation_lift_table);
Datum
clv_validation_lift_table(PG_FUNCTION_ARGS)
{
	PredictionTotals totals;
	Rows		rows = prediction_rows(fcinfo, &totals);
	int			bins = checked_bins(PG_GETARG_INT32(1));
	ReturnSetInfo *result = result_set(fcinfo);
	double	   *captured = palloc(bins * sizeof(double));
	double		base = totals.events / totals.n;

	if (totals.n == 0)
		return (Datum) 0;
	if (!prediction_capture(&rows, &totals, bins, &stop_on_cancel, captured))
		stop_call("measuring predictions");
	if (totals.events == 0)
		ereport(WARNING,
				(errmsg("lift is not defined: it happened in none of the rows"),
				 errdetail("The sample has %.0f rows.", totals.n),
				 errhint("Measure more rows, or a longer time after the prediction.")));
	for (int k = 1; k <= bins; k++)
	{
		double		n = totals.n / bins;
		double		above = k * totals.n / bins;
		double		events = captured[k - 1] - (k > 1 ? captured[k - 2] : 0);
		bool		nulls[9] = {false};

		nulls[4] = nulls[7] = nulls[8] = totals.events == 0;
		tuplestore_putvalues(result->setResult, result->setDesc, (Datum[]) {
			Int32GetDatum(k), Float8GetDatum(n), Float8GetDatum(events), Float8GetDatum(events / n),
			Float8GetDatum(events / n / base), Float8GetDatum(above), Float8GetDatum(captured[k - 1]),
			Float8GetDatum(captured[k - 1] / totals.events), Float8GetDatum(captured[k - 1] / above / base)
		}, nulls);
	}
	return (Datum) 0;
}

/* ---- single measures ------------------------------------------------------------------------------- */

/* NULL, after a WARNING where there are rows, for a measure that does not exist. */
static Datum
estimate_or_null(FunctionCallInfo fcinfo, const char *name, const QualityMeasure *m, const PredictionTotals *totals)
{
	if (!isnan(m->estimate))
		PG_RETURN_FLOAT8(m->estimate);
	if (m->problem != QUALITY_FINE)
		warn_of_problem(m->problem, psprintf("%s is", name), totals);
	PG_RETURN_NULL();
}

/* The final functions of auc(), brier_score() and log_loss(). */
#define DEFINE_FINAL(NAME, MEASURE) \
	PG_FUNCTION_INFO_V1(clv_validation_##NAME##_final); \
	Datum clv_validation_##NAME##_final(PG_FUNCTION_ARGS) \
	{ \
		PredictionTotals totals; \
		Rows		rows = prediction_rows(fcinfo, &totals); \
		QualityMeasure m; \
		\
		if (!(MEASURE)) \
			stop_call("measuring predictions"); \
		return estimate_or_null(fcinfo, #NAME, &m, &totals); \
	}

DEFINE_FINAL(auc, auc_measure(&rows, &totals, 0.95, &stop_on_cancel, &m))
DEFINE_FINAL(brier_score, brier_measure(&rows, 0.95, &stop_on_cancel, &m))
DEFINE_FINAL(log_loss, log_loss_measure(&rows, &totals, 0.95, &stop_on_cancel, &m))
