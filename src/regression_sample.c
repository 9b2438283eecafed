/*
 * regression_sample.c - the aggregates that keep the rows of a regression: a response y and its regressors x, of
 * clusters or not.
 */
#include "regression.h"

static const Frame numbers = FRAME_OF_NUMBERS;

/* Arguments (state, y, x [, cluster]): what is NULL is dropped and counted. */
static Datum
add_response(FunctionCallInfo fcinfo, double (*response) (Datum y))
{
	bool		clustered = PG_NARGS() > 3;
	RowKind		kind = clustered ? ROWS_CLUSTERED : ROWS_RESPONSE;
	double		row[ROWS_MAX_COLUMNS];
	double	   *x = clustered ? row + 1 : row;
	int			nx = null_argument(fcinfo) ? -1 : regressors_of_array(PG_GETARG_DATUM(2), x);

	if (nx < 0)
		PG_RETURN_POINTER(sample_skip_null(fcinfo, kind, &numbers));
	if (clustered)
		row[0] = cluster_argument(fcinfo, 3);
	x[nx] = response(PG_GETARG_DATUM(1));
	check_row(kind, x + nx);
	PG_RETURN_POINTER(sample_add(sample_state(fcinfo, kind, nx + clustered, &numbers), row, 1));
}

static double
response_of_float8(Datum y)
{
	return DatumGetFloat8(y);
}

static double
response_of_boolean(Datum y)
{
	return DatumGetBool(y);
}

#define DEFINE_ADD_RESPONSE(TYPE) \
	PG_FUNCTION_INFO_V1(clv_regression_add_##TYPE); \
	Datum clv_regression_add_##TYPE(PG_FUNCTION_ARGS) \
	{ \
		return add_response(fcinfo, response_of_##TYPE); \
	}

DEFINE_ADD_RESPONSE(float8)
DEFINE_ADD_RESPONSE(boolean)
