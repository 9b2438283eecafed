/*
 * drivers.c - the three correlations of a row of driver_table().
 */
#include "moments.h"

#include <math.h>

#include "funcapi.h"
#include "model.h"
#include "utils/builtins.h"

/* Arguments, in the order of the declaration. */
enum
{
	POOLED, WITHIN, CONF, DRIVER, OUTCOME, SCORE, HAS_COHORTS
};

/* Columns of the result, in the order of its declaration. */
enum
{
	POOLED_R, POOLED_LOW, POOLED_HIGH, WITHIN_R, WITHIN_LOW, WITHIN_HIGH, PARTIAL_R, PARTIAL_LOW, PARTIAL_HIGH, P_VALUE,
	DF, REASON, RESULT_COLUMNS
};

static const char *
name_argument(FunctionCallInfo fcinfo, int arg)
{
	return excerpt(text_to_cstring(PG_GETARG_TEXT_PP(arg)));
}

/*
 * What leaves nothing to correlate, by the column's name, or NULL. What is wrong follows from the first correlation
 * that is not defined; its reason is about x[i] or about y, as its first letter tells.
 */
static const char *
reason_for_none(FunctionCallInfo fcinfo, const MomentsCorrelation *pooled, const MomentsCorrelation *within,
				const MomentsCorrelation *partial)
{
	const char *cohorts = PG_GETARG_BOOL(HAS_COHORTS) ? " within cohorts" : "";
	const char *first = pooled->reason ? pooled->reason : within->reason ? within->reason : partial->reason;
	const char *column;

	if (first == NULL)
		return NULL;
	column = name_argument(fcinfo, first[0] == 'x' ? SCORE : OUTCOME);
	if (first == pooled->reason)
		return psprintf("%s is constant", column);
	if (first == within->reason)
		return psprintf("%s is constant%s", column, cohorts);
	return psprintf("%s is a linear combination of the controls%s", column, cohorts);
}

static void
warn_of_none(FunctionCallInfo fcinfo, double n, const char *reason)
{
	ereport(WARNING,
			(errmsg("the correlation of %s with %s is not defined: %s", name_argument(fcinfo, DRIVER),
					name_argument(fcinfo, OUTCOME), reason),
			 errdetail("There are %.0f customers.", n),
			 errhint("It is NULL; choose rows, cohorts and controls in which both vary.")));
}

/*
 * clv_driver_correlations(pooled, within, conf, driver, outcome, score, has_cohorts): pooled, within and partial
 * correlation of outcome and score, each with its interval, p_value and df of the partial one, and why there is none.
 * The moments are NULL where no row was of use.
 */
PG_FUNCTION_INFO_V1(clv_impact_driver_correlations);
Datum
clv_impact_driver_correlations(PG_FUNCTION_ARGS)
{
	double		conf;
	Datum		values[RESULT_COLUMNS] = {0};
	bool		nulls[RESULT_COLUMNS];
	const char *reason = "no row is complete";
	double		n = 0;
	Moments		all;
	Moments		left;

	for (int i = CONF; i <= HAS_COHORTS; i++)
		if (PG_ARGISNULL(i))
			PG_RETURN_NULL();
	conf = checked_conf(PG_GETARG_FLOAT8(CONF));
	memset(nulls, true, sizeof(nulls));
	if (!PG_ARGISNULL(POOLED) && !PG_ARGISNULL(WITHIN) && moments_readable(PG_GETARG_STORED_MOMENTS(POOLED), &all) &&
		moments_readable(PG_GETARG_STORED_MOMENTS(WITHIN), &left))
	{
		MomentsCorrelation pooled = moments_correlation(&all, 0, false, conf);
		MomentsCorrelation within = moments_correlation(&left, 0, false, conf);
		MomentsCorrelation partial = moments_correlation(&left, 0, true, conf);

		set_numbers(values, nulls, POOLED_R, (double[]) {pooled.estimate, pooled.conf_low, pooled.conf_high}, 3);
		set_numbers(values, nulls, WITHIN_R, (double[]) {within.estimate, within.conf_low, within.conf_high}, 3);
		set_numbers(values, nulls, PARTIAL_R, (double[]) {partial.estimate, partial.conf_low, partial.conf_high,
					partial.p_value, partial.df}, 5);
		reason = reason_for_none(fcinfo, &pooled, &within, &partial);
		n = partial.n;
	}
	if (reason != NULL)
	{
		warn_of_none(fcinfo, n, reason);
		values[REASON] = CStringGetTextDatum(reason);
		nulls[REASON] = false;
	}
	return result_row(fcinfo, values, nulls);
}
