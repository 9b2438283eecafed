/*
 * survival.c - Kaplan-Meier curves, lifetimes and log-rank tests of samples of survival_sample().
 */
#include "survival.h"

#include <math.h>

#include "btyd.h"
#include "funcapi.h"
#include "math/kaplan_meier.h"
#include "miscadmin.h"
#include "model.h"

/* The only row of a set of numbers. */
static Datum
row_of_numbers(FunctionCallInfo fcinfo, const double *row, int columns)
{
	ReturnSetInfo *result = result_set(fcinfo);
	Datum		values[8] = {0};
	bool		nulls[8] = {false};

	Assert(columns <= lengthof(values));
	set_numbers(values, nulls, 0, row, columns);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	return (Datum) 0;
}

/* The times of a sample, in memory of the caller's. */
static RiskTimes
times_of_sample(const ClvSample *sample)
{
	Rows		rows = sample_rows(checked_survival_sample(sample));
	TimeCount  *room = palloc_extended(Max(risk_times_room(&rows), 1) * sizeof(TimeCount), MCXT_ALLOC_HUGE);
	RiskTimes	times;

	if (!read_risk_times(&rows, room, &stop_on_cancel, &times))
		stop_call("the survival curve");
	return times;
}

/* Those of argument 0, after a WARNING if it has none. */
static RiskTimes
times_argument(FunctionCallInfo fcinfo)
{
	const ClvSample *sample = PG_GETARG_STORED_SAMPLE(0);
	RiskTimes	times = times_of_sample(sample);

	if (times.n == 0)
		ereport(WARNING,
				(errmsg("survival is not known"),
				 errdetail("The sample has no rows; " INT64_FORMAT " were skipped.", sample->frame.n_skipped),
				 errhint("Rows with a NULL are skipped, as are those without an event that end when they begin.")));
	return times;
}

static void
warn_of_trouble(RiskTrouble trouble, double at)
{
	const char *hint = "Begin later, where more are at risk: survival_sample(tenure, event, greatest(entry, t)) "
		"of rows with tenure > t is the survival of those who last until t.";

	if (trouble == RISK_USED_UP)
		ereport(WARNING,
				(errmsg("survival is not known from %g on", at),
				 errdetail("Everybody at risk at %g had the event then, and others came under observation later: "
						   "the estimate would stay 0.", at),
				 errhint("%s", hint)));
	if (trouble == RISK_GAP)
		ereport(WARNING,
				(errmsg("survival is not known after %g", at),
				 errdetail("Nobody was at risk after %g, until others came under observation.", at),
				 errhint("%s", hint)));
}

/* ---- the curve ----------------------------------------------------------------------------------- */

enum PointColumn
{
	POINT_AT, POINT_N_RISK, POINT_N_EVENTS, POINT_N_CENSORED, POINT_SURVIVAL, POINT_STD_ERROR, POINT_CONF_LOW,
	POINT_CONF_HIGH, POINT_CUMULATIVE_HAZARD, POINT_COLUMNS
};

static void
put_point(ReturnSetInfo *result, const SurvivalPoint *point, double conf)
{
	Estimate	e = survival_estimate(point, conf);
	Datum		values[POINT_COLUMNS];
	bool		nulls[POINT_COLUMNS] = {false};

	values[POINT_N_RISK] = Int64GetDatum((int64) point->n_risk);
	values[POINT_N_EVENTS] = Int64GetDatum((int64) point->n_events);
	values[POINT_N_CENSORED] = Int64GetDatum((int64) point->n_censored);
	set_number(values, nulls, POINT_AT, point->at);
	set_number(values, nulls, POINT_SURVIVAL, point->survival);
	set_number(values, nulls, POINT_STD_ERROR, e.std_error);
	set_number(values, nulls, POINT_CONF_LOW, e.conf_low);
	set_number(values, nulls, POINT_CONF_HIGH, e.conf_high);
	set_number(values, nulls, POINT_CUMULATIVE_HAZARD, point->cumulative_hazard);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* survival_points(sample, conf): a row for each distinct time of an event */
PG_FUNCTION_INFO_V1(clv_survival_points);
Datum
clv_survival_points(PG_FUNCTION_ARGS)
{
	double		conf = checked_conf(PG_GETARG_FLOAT8(1));
	RiskTimes	times = times_argument(fcinfo);
	ReturnSetInfo *result = result_set(fcinfo);
	KaplanMeier km;
	SurvivalPoint point;

	kaplan_meier_begin(&km, &times);
	while (kaplan_meier_next(&km, &point))
	{
		CHECK_FOR_INTERRUPTS();
		put_point(result, &point, conf);
	}
	kaplan_meier_end(&km);
	warn_of_trouble(km.trouble, km.trouble_at);
	return (Datum) 0;
}

/* ---- survival at a time -------------------------------------------------------------------------- */

#define WARNED_OF_RISK 1

/* That of the sample and the time in arguments 0 and 1. */
static LifetimeEstimate
survival_of_args(FunctionCallInfo fcinfo, double conf)
{
	double		t = PG_GETARG_FLOAT8(1);
	RiskTimes	times;
	LifetimeEstimate e;

	if (!(t >= 0))
		argument_error("t must not be negative", "t is a time since the start, in the unit of tenure.", "t = %g.", t);
	times = times_argument(fcinfo);
	if (!survival_at(&times, t, conf, &stop_on_cancel, &e))
		stop_call("the survival curve");
	if (e.trouble != RISK_NONE && t >= e.known_until && isnan(e.value) && first_warning(fcinfo, WARNED_OF_RISK))
		warn_of_trouble(e.trouble, e.known_until);
	return e;
}

/* km_survival(sample, t) */
PG_FUNCTION_INFO_V1(clv_survival_at);
Datum
clv_survival_at(PG_FUNCTION_ARGS)
{
	LifetimeEstimate e = survival_of_args(fcinfo, 0.95);

	if (isnan(e.value))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(e.value);
}

/* km_survival_ci(sample, t, conf): estimate, std_error, conf_low, conf_high */
PG_FUNCTION_INFO_V1(clv_survival_at_ci);
Datum
clv_survival_at_ci(PG_FUNCTION_ARGS)
{
	LifetimeEstimate e = survival_of_args(fcinfo, checked_conf(PG_GETARG_FLOAT8(2)));

	return row_of_numbers(fcinfo,
						  (double[]) {e.value, e.estimate.std_error, e.estimate.conf_low, e.estimate.conf_high}, 4);
}

/* ---- lifetimes ----------------------------------------------------------------------------------- */

static LifetimeEstimate
quantile_of_args(FunctionCallInfo fcinfo, double p, double conf)
{
	RiskTimes	times;
	LifetimeEstimate e;

	if (!(p > 0 && p < 1))
		argument_error("p must be between 0 and 1", "p is the share that has had the event: 0.5 asks for the median.",
					   "p = %g.", p);
	times = times_argument(fcinfo);
	if (!survival_quantile(&times, p, conf, &stop_on_cancel, &e))
		stop_call("the quantile of lifetimes");
	if (isnan(e.value))
		warn_of_trouble(e.trouble, e.known_until);
	return e;
}

/* km_quantile(sample, p, conf): estimate, conf_low, conf_high */
PG_FUNCTION_INFO_V1(clv_survival_quantile);
Datum
clv_survival_quantile(PG_FUNCTION_ARGS)
{
	LifetimeEstimate e = quantile_of_args(fcinfo, PG_GETARG_FLOAT8(1), checked_conf(PG_GETARG_FLOAT8(2)));

	return row_of_numbers(fcinfo, (double[]) {e.value, e.estimate.conf_low, e.estimate.conf_high}, 3);
}

/* km_median(sample) */
PG_FUNCTION_INFO_V1(clv_survival_median);
Datum
clv_survival_median(PG_FUNCTION_ARGS)
{
	LifetimeEstimate e = quantile_of_args(fcinfo, 0.5, 0.95);

	if (isnan(e.value))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(e.value);
}

/* Why there is no mean up to that time. */
static void
warn_of_unknown_mean(const LifetimeEstimate *e, double until)
{
	if (until < e->known_from)
		ereport(WARNING,
				(errmsg("the mean lifetime up to %g is not known", until),
				 errdetail("Nobody was under observation before %g.", e->known_from),
				 errhint("Ask for a later end.")));
	else if (e->trouble != RISK_NONE)
		warn_of_trouble(e->trouble, e->known_until);
	else if (isfinite(e->known_until))
		ereport(WARNING,
				(errmsg("the mean lifetime up to %g is not known", until),
				 errdetail("The longest observation ended at %g without an event: what comes after it nobody has seen.",
						   e->known_until),
				 errhint("Ask for the mean up to %g or less.", e->known_until)));
}

/* km_mean(sample, until, conf): estimate, std_error, conf_low, conf_high */
PG_FUNCTION_INFO_V1(clv_survival_mean);
Datum
clv_survival_mean(PG_FUNCTION_ARGS)
{
	double		until = PG_GETARG_FLOAT8(1);
	double		conf = checked_conf(PG_GETARG_FLOAT8(2));
	RiskTimes	times;
	LifetimeEstimate e;

	if (!(until > 0))
		argument_error("until must be positive",
					   "until is the time up to which the mean is taken, in the unit of tenure; 'infinity' is no end.",
					   "until = %g.", until);
	times = times_argument(fcinfo);
	if (!mean_lifetime(&times, until, conf, &stop_on_cancel, &e))
		stop_call("the mean lifetime");
	if (isnan(e.value))
		warn_of_unknown_mean(&e, until);
	return row_of_numbers(fcinfo,
						  (double[]) {e.value, e.estimate.std_error, e.estimate.conf_low, e.estimate.conf_high}, 4);
}

/* ---- log-rank ------------------------------------------------------------------------------------ */

/* The groups of an array of samples, and what the test says about them. */
typedef struct Comparison
{
	int			n;
	int		   *position;		/* in the array, from 1 */
	RiskTimes  *groups;
	LogRankGroup *sums;
	LogRank		test;
} Comparison;

/* The samples of argument 0 that are not NULL. */
static Comparison
groups_of_array(FunctionCallInfo fcinfo)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	Comparison	c = {0};
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("samples must be a one-dimensional array"),
				 errdetail("It has %d dimensions.", ARR_NDIM(array)),
				 errhint("Write array[a, b], or array_agg(sample).")));
	deconstruct_array(array, ARR_ELEMTYPE(array), -1, false, TYPALIGN_DOUBLE, &elements, &nulls, &n);
	c.position = palloc(Max(n, 1) * sizeof(int));
	for (int i = 0; i < n; i++)
		if (!nulls[i])
			c.position[c.n++] = i + 1;
	if (c.n > LOG_RANK_MOST_GROUPS)
		argument_error("too many groups to compare", "Compare fewer, or larger, groups.", "There are %d; at most %d.",
					   c.n, LOG_RANK_MOST_GROUPS);
	c.groups = palloc(Max(c.n, 1) * sizeof(RiskTimes));
	for (int i = 0; i < c.n; i++)
		c.groups[i] = times_of_sample(sample_stored(sample_from_datum(elements[c.position[i] - 1])));
	return c;
}

static Comparison
compare_groups(FunctionCallInfo fcinfo)
{
	Comparison	c = groups_of_array(fcinfo);
	double	   *room = palloc(Max(log_rank_room(c.n), 1) * sizeof(double));

	c.sums = palloc(Max(c.n, 1) * sizeof(LogRankGroup));
	if (!log_rank(c.groups, c.n, room, &stop_on_cancel, c.sums, &c.test))
		stop_call("the log-rank test");
	return c;
}

/* log_rank_test(samples): chi_square, df, p_value */
PG_FUNCTION_INFO_V1(clv_survival_log_rank);
Datum
clv_survival_log_rank(PG_FUNCTION_ARGS)
{
	Comparison	c = compare_groups(fcinfo);
	ReturnSetInfo *result = result_set(fcinfo);
	Datum		values[3];
	bool		nulls[3] = {false};

	if (c.test.df == 0)
		ereport(WARNING,
				(errmsg("the groups cannot be compared"),
				 c.n < 2 ? errdetail("Groups: %d.", c.n) :
				 errdetail("No event happened at a time at which others, in another group, were at risk."),
				 errhint("Pass an array of two samples or more that were observed over the same times.")));
	set_number(values, nulls, 0, c.test.statistic);
	values[1] = Int32GetDatum(c.test.df);
	nulls[1] = c.test.df == 0;
	set_number(values, nulls, 2, c.test.p_value);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	return (Datum) 0;
}

/* log_rank_groups(samples): group_number, n, observed, expected, variance */
PG_FUNCTION_INFO_V1(clv_survival_log_rank_groups);
Datum
clv_survival_log_rank_groups(PG_FUNCTION_ARGS)
{
	Comparison	c = compare_groups(fcinfo);
	ReturnSetInfo *result = result_set(fcinfo);

	for (int i = 0; i < c.n; i++)
	{
		Datum		values[5];
		bool		nulls[5] = {false};

		values[0] = Int32GetDatum(c.position[i]);
		values[1] = Int64GetDatum((int64) c.groups[i].n);
		set_number(values, nulls, 2, c.sums[i].observed);
		set_number(values, nulls, 3, c.sums[i].expected);
		set_number(values, nulls, 4, c.sums[i].variance);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
