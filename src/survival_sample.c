/*
 * survival_sample.c - the aggregates that make a clv_sample of times to an event: (tenure, event), with the time at
 * which observation began (entry), regressors x, and the cluster that a row belongs to.
 */
#include "survival.h"

#include <math.h>

#include "regression.h"

static const Frame numbers = FRAME_OF_NUMBERS;

/*
 * Add arguments tenure and event, with `columns` cluster and regressors before the values in row. Who left observation
 * unharmed when it began was at risk at no time: counted as skipped.
 */
static Datum
add_survival(FunctionCallInfo fcinfo, RowKind kind, double *row, int columns, double entry)
{
	double	   *values = row + columns;
	ClvSample  *s;

	values[0] = entry;
	values[1] = PG_GETARG_FLOAT8(1);
	values[2] = PG_GETARG_BOOL(2);
	s = sample_state(fcinfo, kind, columns, &numbers);
	if (values[0] == values[1] && values[0] >= 0 && isfinite(values[0]) && values[2] == 0)
	{
		sample_skip(s, 1);
		PG_RETURN_POINTER(s);
	}
	check_row(kind, values);
	PG_RETURN_POINTER(sample_add(s, row, 1));
}

/* (state, tenure, event [, entry]) */
PG_FUNCTION_INFO_V1(clv_survival_add);
Datum
clv_survival_add(PG_FUNCTION_ARGS)
{
	double		row[ROWS_MAX_COLUMNS];

	if (null_argument(fcinfo))
		PG_RETURN_POINTER(sample_skip_null(fcinfo, ROWS_SURVIVAL, &numbers));
	return add_survival(fcinfo, ROWS_SURVIVAL, row, 0, PG_NARGS() > 3 ? PG_GETARG_FLOAT8(3) : 0);
}

/* (state, tenure, event, x [, entry]) */
PG_FUNCTION_INFO_V1(clv_survival_add_regressors);
Datum
clv_survival_add_regressors(PG_FUNCTION_ARGS)
{
	double		row[ROWS_MAX_COLUMNS];
	int			nx = null_argument(fcinfo) ? -1 : regressors_of_array(PG_GETARG_DATUM(3), row);

	if (nx < 0)
		PG_RETURN_POINTER(sample_skip_null(fcinfo, ROWS_SURVIVAL, &numbers));
	return add_survival(fcinfo, ROWS_SURVIVAL, row, nx, PG_NARGS() > 4 ? PG_GETARG_FLOAT8(4) : 0);
}

/* (state, tenure, event, x, entry, cluster) */
static Datum
add_clustered(FunctionCallInfo fcinfo, NumberOf cluster)
{
	double		row[ROWS_MAX_COLUMNS];
	int			nx = null_argument(fcinfo) ? -1 : regressors_of_array(PG_GETARG_DATUM(3), row + 1);

	if (nx < 0)
		PG_RETURN_POINTER(sample_skip_null(fcinfo, ROWS_CLUSTERED_SURVIVAL, &numbers));
	row[0] = cluster(PG_GETARG_DATUM(5));
	return add_survival(fcinfo, ROWS_CLUSTERED_SURVIVAL, row, 1 + nx, PG_GETARG_FLOAT8(4));
}

PG_FUNCTION_INFO_V1(clv_survival_add_bigint_cluster);
Datum
clv_survival_add_bigint_cluster(PG_FUNCTION_ARGS)
{
	return add_clustered(fcinfo, cluster_of_bigint);
}

PG_FUNCTION_INFO_V1(clv_survival_add_text_cluster);
Datum
clv_survival_add_text_cluster(PG_FUNCTION_ARGS)
{
	return add_clustered(fcinfo, cluster_of_text);
}

const ClvSample *
checked_survival_sample(const ClvSample *sample)
{
	if (sample->kind != ROWS_SURVIVAL && sample->kind != ROWS_CLUSTERED_SURVIVAL)
		argument_error("the sample holds no times to an event", "Build it with survival_sample(tenure, event).",
					   "It holds %s rows.", row_kind_name(sample->kind));
	return sample;
}
