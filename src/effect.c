/*
 * effect.c - effects of a treatment or a score on an outcome: effect_sample(), aipw_effect(), partial_effect().
 */
#include "regression.h"

#include <math.h>

#include "btyd.h"
#include "math/effect.h"
#include "utils/memutils.h"

static const Frame numbers = FRAME_OF_NUMBERS;

/* ---- samples ----------------------------------------------------------------------------------- */

/* Arguments (state, y, treatment, x, unit): a row with a NULL is dropped and counted. */
static Datum
add_effect(FunctionCallInfo fcinfo, NumberOf y, NumberOf treatment, NumberOf unit)
{
	double		row[ROWS_MAX_COLUMNS];
	double	   *x = row + 1;
	int			nx = null_argument(fcinfo) ? -1 : regressors_of_array(PG_GETARG_DATUM(3), x);

	if (nx < 0)
		PG_RETURN_POINTER(sample_skip_null(fcinfo, ROWS_EFFECT, &numbers));
	row[0] = unit(PG_GETARG_DATUM(4));
	x[nx + EFFECT_TREATMENT] = treatment(PG_GETARG_DATUM(2));
	x[nx + EFFECT_Y] = y(PG_GETARG_DATUM(1));
	check_row(ROWS_EFFECT, x + nx);
	PG_RETURN_POINTER(sample_add(sample_state(fcinfo, ROWS_EFFECT, 1 + nx, &numbers), row, 1));
}

/* by the types of y, treatment and unit */
#define DEFINE_ADD_EFFECT(Y, TREATMENT, UNIT) \
	PG_FUNCTION_INFO_V1(clv_impact_add_effect_##Y##_##TREATMENT##_##UNIT); \
	Datum clv_impact_add_effect_##Y##_##TREATMENT##_##UNIT(PG_FUNCTION_ARGS) \
	{ \
		return add_effect(fcinfo, number_of_##Y, number_of_##TREATMENT, cluster_of_##UNIT); \
	}

DEFINE_ADD_EFFECT(float8, float8, bigint)
DEFINE_ADD_EFFECT(float8, float8, text)
DEFINE_ADD_EFFECT(float8, boolean, bigint)
DEFINE_ADD_EFFECT(float8, boolean, text)
DEFINE_ADD_EFFECT(boolean, float8, bigint)
DEFINE_ADD_EFFECT(boolean, float8, text)
DEFINE_ADD_EFFECT(boolean, boolean, bigint)
DEFINE_ADD_EFFECT(boolean, boolean, text)

/* ---- effects ----------------------------------------------------------------------------------- */

#define MUCH_TRIMMED 0.10

/* Columns of the result, in the order of its declaration; the row of partial_effect() ends behind N. */
enum
{
	ESTIMATE, STD_ERROR, STATISTIC, P_VALUE, CONF_LOW, CONF_HIGH, N, TREATED, TRIMMED_SHARE, LOWEST_PROPENSITY,
	HIGHEST_PROPENSITY, RESULT_COLUMNS
};

typedef EffectStatus (*EstimateEffect) (const Rows *rows, const EffectOptions *options, double *workspace,
										Effect *effect);

static int
checked_number(int32 n, const char *name, int least, int most)
{
	if (n < least || n > most)
		argument_error(psprintf("%s must be between %d and %d", name, least, most), "5 is usual.", "It is %d.", n);
	return n;
}

/* Tells what went wrong, or may have. */
static void
report_status(EffectStatus status, const Effect *e)
{
	switch (status)
	{
		case EFFECT_STOPPED:
			stop_call("the estimation of an effect");
		case EFFECT_NOT_BINARY:
			argument_error("treatment must be 0 or 1", "partial_effect() takes any number.", "One is %g.", e->wrong);
		case EFFECT_IMPOSSIBLE:
			ereport(WARNING,
					(errmsg("the effect cannot be estimated: %s", e->reason),
					 errdetail("There are %.0f rows. The estimate is NULL.", e->n),
					 e->hint ? errhint("%s", e->hint) : 0));
			break;
		case EFFECT_ESTIMATED:
			if (e->trimmed_share > MUCH_TRIMMED)
				ereport(WARNING,
						(errmsg("treated and untreated rows hardly overlap"),
						 errdetail("%.3g percent have a probability of treatment below %g or above %g; the effect is "
								   "that of the others.", 100 * e->trimmed_share, EFFECT_LEAST_PROPENSITY,
								   1 - EFFECT_LEAST_PROPENSITY),
						 errhint("Ask about a group in which both happen, or leave out of x what decides the treatment "
								 "but not y.")));
	}
}

static void
put_row(FunctionCallInfo fcinfo, const Effect *e)
{
	ReturnSetInfo *result = result_set(fcinfo);
	Datum		values[RESULT_COLUMNS] = {0};
	bool		nulls[RESULT_COLUMNS];

	memset(nulls, true, sizeof(nulls));
	values[N] = Int64GetDatum((int64) e->n);
	nulls[N] = false;
	if (!isnan(e->treated))
	{
		values[TREATED] = Int64GetDatum((int64) e->treated);
		nulls[TREATED] = false;
	}
	set_number(values, nulls, ESTIMATE, e->estimate);
	set_number(values, nulls, STD_ERROR, e->interval.std_error);
	set_number(values, nulls, STATISTIC, e->statistic);
	set_number(values, nulls, P_VALUE, e->p_value);
	set_number(values, nulls, CONF_LOW, e->interval.conf_low);
	set_number(values, nulls, CONF_HIGH, e->interval.conf_high);
	set_number(values, nulls, TRIMMED_SHARE, e->trimmed_share);
	set_number(values, nulls, LOWEST_PROPENSITY, e->lowest_propensity);
	set_number(values, nulls, HIGHEST_PROPENSITY, e->highest_propensity);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* (sample, folds, repetitions, conf) */
static Datum
effect_of_sample(FunctionCallInfo fcinfo, EstimateEffect estimate)
{
	const ClvSample *sample = PG_GETARG_STORED_SAMPLE(0);
	EffectOptions options = {
		.folds = checked_number(PG_GETARG_INT32(1), "folds", 2, EFFECT_MOST_FOLDS),
		.repetitions = checked_number(PG_GETARG_INT32(2), "repetitions", 1, EFFECT_MOST_REPETITIONS),
		.conf = checked_conf(PG_GETARG_FLOAT8(3)),
		.stop = &stop_on_cancel,
	};
	Rows		rows;
	double	   *workspace;
	Effect		effect;
	EffectStatus status;

	if (sample->kind != ROWS_EFFECT)
		argument_error("the sample holds no rows of a treatment and an outcome",
					   "Build it with effect_sample(y, treatment, x, unit).", "It holds %s rows.",
					   row_kind_name(sample->kind));
	rows = sample_rows(sample);
	workspace = MemoryContextAllocHuge(CurrentMemoryContext, Max(effect_workspace(&rows), 1) * sizeof(double));
	status = estimate(&rows, &options, workspace, &effect);
	pfree(workspace);
	report_status(status, &effect);
	put_row(fcinfo, &effect);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(clv_impact_aipw_effect);
Datum
clv_impact_aipw_effect(PG_FUNCTION_ARGS)
{
	return effect_of_sample(fcinfo, aipw_effect);
}

PG_FUNCTION_INFO_V1(clv_impact_partial_effect);
Datum
clv_impact_partial_effect(PG_FUNCTION_ARGS)
{
	return effect_of_sample(fcinfo, partial_effect);
}
