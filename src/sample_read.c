/*
 * sample_read.c - what a clv_sample holds, as a row.
 */
#include "sample.h"

#include "funcapi.h"
#include "utils/builtins.h"

enum InfoColumn
{
	INFO_KIND, INFO_UNIT, INFO_AS_OF, INFO_UNTIL, INFO_FIRST_DAY, INFO_LAST_DAY, INFO_N, INFO_N_DISTINCT,
	INFO_N_SKIPPED, INFO_COVARIATES, INFO_COLUMNS
};

/* sample_info(sample): one row; what is not known is NULL */
PG_FUNCTION_INFO_V1(clv_sample_info);
Datum
clv_sample_info(PG_FUNCTION_ARGS)
{
	const ClvSample *s = PG_GETARG_STORED_SAMPLE(0);
	const Frame *frame = &s->frame;
	const DateADT days[] = {frame->as_of, frame->until, frame->first_day, frame->last_day};
	ReturnSetInfo *result = result_set(fcinfo);
	Datum		values[INFO_COLUMNS] = {0};
	bool		nulls[INFO_COLUMNS] = {false};

	values[INFO_KIND] = CStringGetTextDatum(row_kind_name(s->kind));
	nulls[INFO_UNIT] = frame->unit_days == 0;
	if (!nulls[INFO_UNIT])
		values[INFO_UNIT] = CStringGetTextDatum(unit_name(frame->unit_days));
	for (int i = 0; i < lengthof(days); i++)
	{
		nulls[INFO_AS_OF + i] = days[i] == DAY_NONE;
		values[INFO_AS_OF + i] = DateADTGetDatum(days[i]);
	}
	values[INFO_N] = Int64GetDatum(s->n);
	values[INFO_N_DISTINCT] = Int64GetDatum(s->nrows);
	values[INFO_N_SKIPPED] = Int64GetDatum(frame->n_skipped);
	values[INFO_COVARIATES] = Int32GetDatum(sample_covariates(s));

	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	return (Datum) 0;
}
