/*
 * rank_correlation.c - Spearman's correlation of pairs, which are kept in a clv_sample of ROWS_PAIR.
 */
#include "sample.h"

#include <math.h>

#include "btyd.h"
#include "math/ranks.h"
#include "model.h"

static const Frame numbers = FRAME_OF_NUMBERS;

/* (state, a, b) */
PG_FUNCTION_INFO_V1(clv_regression_add_pair);
Datum
clv_regression_add_pair(PG_FUNCTION_ARGS)
{
	double		row[2];

	if (null_argument(fcinfo))
		PG_RETURN_POINTER(sample_skip_null(fcinfo, ROWS_PAIR, &numbers));
	row[0] = PG_GETARG_FLOAT8(1);
	row[1] = PG_GETARG_FLOAT8(2);
	check_row(ROWS_PAIR, row);
	PG_RETURN_POINTER(sample_add(sample_state(fcinfo, ROWS_PAIR, 0, &numbers), row, 1));
}

/* The correlation of the sample in argument 0, with a WARNING where it is not defined or has no error. */
static RankCorrelation
checked_correlation(FunctionCallInfo fcinfo, double conf)
{
	const ClvSample *sample = PG_GETARG_STORED_SAMPLE(0);
	Rows		rows = sample_rows(sample);
	RankCorrelation c;
	bool		no_memory;

	if (sample->kind != ROWS_PAIR || rows.ncovariates > 0)
		argument_error("the sample holds no pairs", "Build it with pair_sample(a, b).", "It holds %s rows.",
					   row_kind_name(sample->kind));
	if (!rank_correlation(&rows, conf, &stop_on_cancel, &c, &no_memory))
	{
		if (no_memory)
			ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory"),
							errdetail("Ranking takes 64 bytes for each of " INT64_FORMAT " pairs.", sample->nrows)));
		stop_call("the rank correlation");
	}
	if (c.n > 0 && isnan(c.estimate))
		ereport(WARNING,
				(errmsg("the rank correlation is not defined"),
				 errdetail("One of both columns has the same value in all %.0f pairs.", c.n),
				 errhint("Correlate columns that vary.")));
	return c;
}

/* rank_correlation(sample, conf): n, estimate, std_error, conf_low, conf_high, p_value */
PG_FUNCTION_INFO_V1(clv_regression_rank_correlation);
Datum
clv_regression_rank_correlation(PG_FUNCTION_ARGS)
{
	RankCorrelation c = checked_correlation(fcinfo, checked_conf(PG_GETARG_FLOAT8(1)));
	const double row[] = {c.estimate, c.std_error, c.conf_low, c.conf_high, c.p_value};
	Datum		values[1 + lengthof(row)];
	bool		nulls[1 + lengthof(row)] = {false};

	if (fabs(c.estimate) == 1)
		ereport(WARNING,
				(errmsg("the rank correlation is %.0f, which has no error", c.estimate),
				 errdetail("All %.0f pairs are in the %s order.", c.n, c.estimate > 0 ? "same" : "opposite"),
				 errhint("Is one column computed from the other, or are there only a few pairs?")));
	values[0] = Int64GetDatum((int64) c.n);
	set_numbers(values, nulls, 1, row, lengthof(row));
	return result_row(fcinfo, values, nulls);
}

/* The final function of the aggregate spearman(a, b). */
PG_FUNCTION_INFO_V1(clv_regression_spearman_final);
Datum
clv_regression_spearman_final(PG_FUNCTION_ARGS)
{
	double		estimate = checked_correlation(fcinfo, 0.95).estimate;

	if (isnan(estimate))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(estimate);
}
