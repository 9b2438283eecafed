/*
 * rolling_signal.c - how far customers differ in their scores, and a customer's mean drawn towards that of all.
 */
#include "rolling.h"

#include <math.h>

#include "access/htup_details.h"
#include "btyd.h"
#include "funcapi.h"
#include "sample.h"

/*
 * One customer: the number of scores, their mean, and the sum of their squared deviations from it. Differences from
 * the first score are averaged, so that equal scores have exactly that mean and no deviations.
 */
static void
signal_row(const InteractionHistory *h, double *row)
{
	double		first = h->entries[0].value;
	double		sum = 0;
	double		within = 0;
	double		mean;

	for (int32 i = 0; i < h->n; i++)
		sum += h->entries[i].value - first;
	mean = first + sum / h->n;
	for (int32 i = 0; i < h->n; i++)
		within += (h->entries[i].value - mean) * (h->entries[i].value - mean);
	row[SIGNAL_N] = h->n;
	row[SIGNAL_MEAN] = mean + 0.0;	/* -0 is 0 */
	row[SIGNAL_WITHIN] = h->n > 1 ? within : 0;
}

/* (state, history) */
PG_FUNCTION_INFO_V1(clv_rolling_add_signal);
Datum
clv_rolling_add_signal(PG_FUNCTION_ARGS)
{
	const Frame raw_numbers = FRAME_OF_NUMBERS;
	const InteractionHistory *h;
	ClvSample  *s;
	double		row[SIGNAL_COLUMNS];

	if (PG_ARGISNULL(1))
		return unchanged_state(fcinfo);
	h = PG_GETARG_INTERACTIONS(1);
	s = sample_state(fcinfo, ROWS_SIGNAL, 0, &raw_numbers);
	if (h->n == 0)
	{
		sample_skip(s, 1);
		PG_RETURN_POINTER(s);
	}
	signal_row(h, row);
	check_row(ROWS_SIGNAL, row);
	PG_RETURN_POINTER(sample_add(s, row, 1));
}

enum ReliabilityColumn
{
	RELIABILITY_CUSTOMERS, RELIABILITY_INTERACTIONS, RELIABILITY_NUMBERS, RELIABILITY_COLUMNS = 14
};

static Datum
reliability_row(FunctionCallInfo fcinfo, const SignalReliability *r)
{
	const double numbers[] = {r->size, r->mean, r->population_mean, r->variance_between, r->variance_within,
		r->icc_estimate, r->conf_low, r->conf_high, r->f, r->p_value, r->icc, r->reliability};
	Datum		values[RELIABILITY_COLUMNS];
	bool		nulls[RELIABILITY_COLUMNS] = {false};

	StaticAssertStmt(RELIABILITY_NUMBERS + lengthof(numbers) == RELIABILITY_COLUMNS, "every column has its number");
	values[RELIABILITY_CUSTOMERS] = Int64GetDatum((int64) r->customers);
	values[RELIABILITY_INTERACTIONS] = Int64GetDatum((int64) r->interactions);
	set_numbers(values, nulls, RELIABILITY_NUMBERS, numbers, lengthof(numbers));
	return HeapTupleGetDatum(heap_form_tuple(kept_row_type(fcinfo), values, nulls));
}

/* signal_reliability(sample): one row */
PG_FUNCTION_INFO_V1(clv_rolling_signal_reliability);
Datum
clv_rolling_signal_reliability(PG_FUNCTION_ARGS)
{
	const ClvSample *sample = PG_GETARG_STORED_SAMPLE(0);
	SignalReliability r;
	Rows		rows;

	if (sample->kind != ROWS_SIGNAL)
		argument_error("this needs a signal sample", "Build it with signal_sample(history).",
					   "The sample holds %s rows.", row_kind_name(sample->kind));
	rows = sample_rows(sample);
	if (!signal_reliability(&rows, &stop_on_cancel, &r))
		stop_call("the reliability of a signal");
	if (r.problem != NULL)
		ereport(WARNING,
				(errmsg("the reliability of the signal is not defined: %s", r.problem),
				 errdetail("There are %.0f interactions of %.0f customers. What is not defined is NULL.",
						   r.interactions, r.customers),
				 errhint("It takes two customers, one of them with two interactions, and scores that differ.")));
	PG_RETURN_DATUM(reliability_row(fcinfo, &r));
}

/* ---- means drawn towards that of all ----------------------------------------------------------------- */

static double
shrunk(double mean, double n, double population_mean, double icc)
{
	const char *hint = "Both come from signal_reliability(signal_sample(history)).";
	double		weight;

	if (!isfinite(population_mean))
		argument_error("population_mean must be finite", hint, "It is %g.", population_mean);
	if (!(icc >= 0 && icc <= 1))
		argument_error("icc must lie between 0 and 1", hint, "It is %g.", icc);
	weight = signal_weight(n, icc);
	return weight * mean + (1 - weight) * population_mean;
}

/* shrunk_mean(mean, n, population_mean, icc): not strict, since there is no mean of no scores */
PG_FUNCTION_INFO_V1(clv_rolling_shrunk_mean);
Datum
clv_rolling_shrunk_mean(PG_FUNCTION_ARGS)
{
	double		n;
	double		mean = 0;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		PG_RETURN_NULL();
	n = PG_GETARG_FLOAT8(1);
	if (!(isfinite(n) && n >= 0))
		argument_error("n must be finite and not negative",
					   "n is the number of scores behind the mean, see rolling_count().", "n is %g.", n);
	if (n > 0)
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		mean = PG_GETARG_FLOAT8(0);
		if (!isfinite(mean))
			argument_error("mean must be finite", "A mean that is not known is NULL.", "It is %g.", mean);
	}
	PG_RETURN_FLOAT8(shrunk(mean, n, PG_GETARG_FLOAT8(2), PG_GETARG_FLOAT8(3)));
}

/* shrunk_mean(history, population_mean, icc): not strict, NULL is a history of nothing */
PG_FUNCTION_INFO_V1(clv_rolling_shrunk_mean_history);
Datum
clv_rolling_shrunk_mean_history(PG_FUNCTION_ARGS)
{
	double		mean = 0;
	int32		n = 0;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	if (!PG_ARGISNULL(0))
	{
		const InteractionHistory *h = PG_GETARG_INTERACTIONS(0);

		n = h->n;
		if (n > 0)
			mean = mean_of_interactions(h->entries, n);
	}
	PG_RETURN_FLOAT8(shrunk(mean, n, PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2)));
}
