/*
 * regression_sample.c - the aggregates that keep the rows of a regression: a response y and its regressors x, of
 * clusters or not.
 */
#include "regression.h"

static const Frame numbers = FRAME_OF_NUMBERS;

/* Arguments (state, y, x [, cluster]): what is NULL is dropped and counted. */
static Datum
add_response(FunctionCallInfo fcinfo, NumberOf response, NumberOf cluster)
{
	bool		clustered = cluster != NULL;
	RowKind		kind = clustered ? ROWS_CLUSTERED : ROWS_RESPONSE;
	double		row[ROWS_MAX_COLUMNS];
	double	   *x = clustered ? row + 1 : row;
	int			nx = null_argument(fcinfo) ? -1 : regressors_of_array(PG_GETARG_DATUM(2), x);

	if (nx < 0)
		PG_RETURN_POINTER(sample_skip_null(fcinfo, kind, &numbers));
	if (clustered)
		row[0] = cluster(PG_GETARG_DATUM(3));
	x[nx] = response(PG_GETARG_DATUM(1));
	check_row(kind, x + nx);
	PG_RETURN_POINTER(sample_add(sample_state(fcinfo, kind, nx + clustered, &numbers), row, 1));
}

#define DEFINE_ADD_RESPONSE(NAME, Y, CLUSTER) \
	PG_FUNCTION_INFO_V1(clv_regression_add_##NAME); \
	Datum clv_regression_add_##NAME(PG_FUNCTION_ARGS) \
	{ \
		return add_response(fcinfo, Y, CLUSTER); \
	}

DEFINE_ADD_RESPONSE(float8, number_of_float8, NULL)
DEFINE_ADD_RESPONSE(float8_of_bigint, number_of_float8, cluster_of_bigint)
DEFINE_ADD_RESPONSE(float8_of_text, number_of_float8, cluster_of_text)
DEFINE_ADD_RESPONSE(boolean, number_of_boolean, NULL)
DEFINE_ADD_RESPONSE(boolean_of_bigint, number_of_boolean, cluster_of_bigint)
DEFINE_ADD_RESPONSE(boolean_of_text, number_of_boolean, cluster_of_text)
