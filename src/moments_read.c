/*
 * moments_read.c - what a clv_moments says: counts, means and deviations, correlations.
 */
#include "moments.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "model.h"
#include "utils/array.h"

/* ---- summary ------------------------------------------------------------------------------------- */

static Datum
array_of_numbers(const double *numbers, int n)
{
	Datum		elements[MOMENTS_MAX_COLUMNS];
	bool		nulls[MOMENTS_MAX_COLUMNS];
	int			lower = 1;

	set_numbers(elements, nulls, 0, numbers, n);
	return PointerGetDatum(construct_md_array(elements, nulls, 1, &n, &lower, FLOAT8OID, sizeof(float8),
											  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* moments_summary(moments): n, n_dropped, groups, sum_weights, columns, means, std_devs; x first, then y */
PG_FUNCTION_INFO_V1(clv_moments_summary);
Datum
clv_moments_summary(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = result_set(fcinfo);
	const ClvMoments *m = PG_GETARG_STORED_MOMENTS(0);
	Datum		values[7] = {Int64GetDatum(m->n), Int64GetDatum(m->n_dropped), Int64GetDatum(m->groups)};
	bool		nulls[7] = {false, false, false, true, true, true, true};
	Moments		view;

	if (moments_readable(m, &view))
	{
		double	   *work = palloc(moments_triangle_size(m->nx) * sizeof(double));
		const double *triangle = moments_triangle(&view, work);
		double		means[MOMENTS_MAX_COLUMNS];
		double		std_devs[MOMENTS_MAX_COLUMNS];
		double		df = view.n - (view.within ? view.groups : 1);

		/* of weights only their ratios count: the mean square is spread over n rows, of which df are free */
		for (int j = 0; j <= m->nx; j++)
		{
			means[j] = triangle_mean(triangle, j);
			std_devs[j] = df > 0 ? sqrt(triangle_square(triangle, m->nx, j) / triangle_weights(triangle) *
										(view.n / df)) : NAN;
		}
		values[3] = Float8GetDatum(triangle_weights(triangle));
		values[4] = Int32GetDatum(m->nx);
		values[5] = array_of_numbers(means, m->nx + 1);
		values[6] = array_of_numbers(std_devs, m->nx + 1);
		memset(nulls, false, sizeof(nulls));
	}
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	return (Datum) 0;
}

/* ---- correlation --------------------------------------------------------------------------------- */

#define WARNED_OF_CORRELATION 1

static MomentsCorrelation
correlation_of_args(FunctionCallInfo fcinfo, bool partial)
{
	const ClvMoments *m = PG_GETARG_STORED_MOMENTS(0);
	int32		i = PG_GETARG_INT32(1);
	double		conf = checked_conf(PG_GETARG_FLOAT8(2));
	MomentsCorrelation c = {0, NAN, NAN, NAN, NAN, NAN, "no row was of use"};
	Moments		view;

	if (moments_readable(m, &view))
	{
		if (i < 1 || i > m->nx)
			argument_error("there is no such regressor", "i counts the elements of the array x from 1 on.",
						   "i is %d, and there are %d.", i, m->nx);
		c = moments_correlation(&view, i - 1, partial, conf);
	}
	if (c.reason != NULL && first_warning(fcinfo, WARNED_OF_CORRELATION))
		ereport(WARNING,
				(errmsg("the correlation is not defined"),
				 errdetail("Of i = %d and %.0f rows: %s.", i, c.n, c.reason),
				 errhint("It is NULL; correlate what varies in these rows.")));
	return c;
}

/* NAME(moments, i, conf): n, df, estimate, conf_low, conf_high, p_value */
static Datum
correlation(FunctionCallInfo fcinfo, bool partial)
{
	ReturnSetInfo *result = result_set(fcinfo);
	MomentsCorrelation c = correlation_of_args(fcinfo, partial);
	double		numbers[] = {c.df, c.estimate, c.conf_low, c.conf_high, c.p_value};
	Datum		values[6] = {Int64GetDatum((int64) c.n)};
	bool		nulls[6] = {false};

	set_numbers(values, nulls, 1, numbers, lengthof(numbers));
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(clv_moments_correlation);
Datum
clv_moments_correlation(PG_FUNCTION_ARGS)
{
	return correlation(fcinfo, false);
}

PG_FUNCTION_INFO_V1(clv_moments_partial_correlation);
Datum
clv_moments_partial_correlation(PG_FUNCTION_ARGS)
{
	return correlation(fcinfo, true);
}
