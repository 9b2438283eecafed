/*
 * rfm_breaks.c - the breaks between scores as a value: the aggregate rfm_breaks() over a clv_sample of ROWS_RFM, and
 * rfm_score(breaks, ...), which applies stored ones.
 *
 * In SQL breaks are a float8[3][bins - 1]: days_since_last descending, frequency and monetary ascending.
 */
#include "rfm.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "sample.h"
#include "utils/array.h"

/* ---- breaks as an array ------------------------------------------------------------------------ */

static Datum
array_of_breaks(const RfmBreaks *breaks)
{
	Datum		elements[RFM_COLUMNS * (RFM_MOST_BINS - 1)];
	int			dims[2] = {RFM_COLUMNS, breaks->n};
	int			lower_bounds[2] = {1, 1};

	for (int c = 0; c < RFM_COLUMNS; c++)
		for (int i = 0; i < breaks->n; i++)
			elements[c * breaks->n + i] = Float8GetDatum(breaks->at[c][i]);
	return PointerGetDatum(construct_md_array(elements, NULL, 2, dims, lower_bounds, FLOAT8OID, sizeof(float8),
											  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

static RfmBreaks
breaks_of_array(ArrayType *array)
{
	static const char hint[] = "Use what rfm_breaks() returned, or three rows of numbers: "
		"days_since_last from many to few, frequency and monetary from little to much.";
	RfmBreaks	breaks = {0};
	const char *problem;

	if (ARR_NDIM(array) != 2 || ARR_DIMS(array)[0] != RFM_COLUMNS ||
		ARR_DIMS(array)[1] < RFM_LEAST_BINS - 1 || ARR_DIMS(array)[1] > RFM_MOST_BINS - 1)
		argument_error("breaks must have three rows of 1 to 8 numbers", hint, "The array has %d dimensions and %d elements.",
					   ARR_NDIM(array), ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)));
	if (array_contains_nulls(array))
		argument_error("breaks must not contain NULL", hint, "At least one of %d elements is NULL.",
					   ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)));
	breaks.n = ARR_DIMS(array)[1];
	for (int c = 0; c < RFM_COLUMNS; c++)
		memcpy(breaks.at[c], (const float8 *) ARR_DATA_PTR(array) + c * breaks.n, breaks.n * sizeof(float8));
	problem = rfm_breaks_problem(&breaks);
	if (problem)
		argument_error(problem, hint, "Each row has %d breaks, for scores of 1 to %d.", breaks.n, breaks.n + 1);
	return breaks;
}

/* ---- the aggregate ------------------------------------------------------------------------------- */

/* (state, form [, bins]) */
static Datum
add_row(FunctionCallInfo fcinfo, const RfmForm *form)
{
	int			bins = RFM_DEFAULT_BINS;
	double		row[RFM_ROW_COLUMNS];
	Frame		frame = FRAME_OF_NUMBERS;

	if (PG_NARGS() > 1 + form->nargs)
	{
		if (PG_ARGISNULL(1 + form->nargs))
			return unchanged_state(fcinfo);
		bins = PG_GETARG_INT32(1 + form->nargs);
	}
	if (!rfm_row(form, &fcinfo->args[1], bins, row, &frame.as_of))
		return unchanged_state(fcinfo);
	if (frame.as_of != DAY_NONE)
		frame.unit_days = 1;
	PG_RETURN_POINTER(sample_add(sample_state(fcinfo, ROWS_RFM, 0, &frame), row, 1));
}

/* One value of a column and how many customers have it; worth is the larger the better. */
typedef struct CountedValue
{
	double		worth;
	double		count;
} CountedValue;

#define ST_SORT sort_values
#define ST_ELEMENT_TYPE CountedValue
#define ST_COMPARE(a, b) (((a)->worth > (b)->worth) - ((a)->worth < (b)->worth))
#define ST_SCOPE static
#define ST_DEFINE
#define ST_CHECK_FOR_INTERRUPTS
#include "lib/sort_template.h"

static void
find_breaks(CountedValue *values, size_t nvalues, int64 n, double *at, int bins, int column)
{
	double		seen = 0;
	size_t		i = 0;

	sort_values(values, nvalues);
	for (int score = 2; score <= bins; score++)
	{
		int64		rank = rfm_break_rank(n, bins, score);

		while (seen < rank)
			seen += values[i++].count;
		at[score - 2] = rfm_worth(column, values[i - 1].worth);
	}
}

/* The number of scores, which all rows must agree on. */
static int
bins_of_rows(const Rows *rows)
{
	double		least = rows_at(rows, 0)[RFM_ROW_BINS];
	double		most = rows_at(rows, rows->n - 1)[RFM_ROW_BINS];

	/* rows are sorted by their first column */
	if (least != most)
		argument_error("bins must be the same in all rows", "Use one number of bins per group.", "It is %g and %g.",
					   least, most);
	return least;
}

PG_FUNCTION_INFO_V1(clv_rfm_breaks);
Datum
clv_rfm_breaks(PG_FUNCTION_ARGS)
{
	const ClvSample *sample = PG_GETARG_STORED_SAMPLE(0);
	Rows		rows = sample_rows(sample);
	RfmBreaks	breaks;
	CountedValue *values;

	if (sample->kind != ROWS_RFM)
		argument_error("the sample holds no rows to score",
					   "This is the final function of rfm_breaks(); call that instead.",
					   "It holds %s rows.", row_kind_name(sample->kind));
	if (sample->n < 2)
	{
		ereport(WARNING,
				(errmsg("rfm_breaks needs at least two customers"),
				 errdetail("There is %lld customer to compare.", (long long) sample->n),
				 errhint("Use breaks of a larger group.")));
		PG_RETURN_NULL();
	}
	breaks.n = bins_of_rows(&rows) - 1;
	values = MemoryContextAllocHuge(CurrentMemoryContext, rows.n * sizeof(CountedValue));
	for (int c = 0; c < RFM_COLUMNS; c++)
	{
		for (size_t i = 0; i < rows.n; i++)
		{
			const double *row = rows_at(&rows, i);

			values[i] = (CountedValue) {rfm_worth(c, row[RFM_ROW_VALUES + c]), row_count(&rows, row)};
		}
		find_breaks(values, rows.n, sample->n, breaks.at[c], breaks.n + 1, c);
	}
	pfree(values);
	PG_RETURN_DATUM(array_of_breaks(&breaks));
}

/* ---- applying breaks ----------------------------------------------------------------------------- */

/* (breaks, form); NULL where there is nothing to score */
static Datum
score_with_breaks(FunctionCallInfo fcinfo, const RfmForm *form)
{
	RfmBreaks	breaks = breaks_of_array(PG_GETARG_ARRAYTYPE_P(0));
	double		row[RFM_ROW_COLUMNS];
	DateADT		as_of;

	if (!rfm_row(form, &fcinfo->args[1], breaks.n + 1, row, &as_of))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(rfm_score_text(&breaks, row));
}

/* ---- the forms of a customer ----------------------------------------------------------------------- */

#define DEFINE_ADD(NAME, FORM) \
	PG_FUNCTION_INFO_V1(clv_rfm_add_##NAME); \
	Datum clv_rfm_add_##NAME(PG_FUNCTION_ARGS) \
	{ \
		return add_row(fcinfo, &FORM); \
	}

/* A timestamptz becomes a date in SQL. */
#define DEFINE_SCORE(NAME, FORM) \
	PG_FUNCTION_INFO_V1(clv_rfm_score_with_##NAME); \
	Datum clv_rfm_score_with_##NAME(PG_FUNCTION_ARGS) \
	{ \
		return score_with_breaks(fcinfo, &FORM); \
	}

DEFINE_ADD(numbers, rfm_numbers)
DEFINE_ADD(interval, rfm_interval)
DEFINE_ADD(history, rfm_history)
DEFINE_ADD(history_tz, rfm_history_tz)
DEFINE_SCORE(numbers, rfm_numbers)
DEFINE_SCORE(interval, rfm_interval)
DEFINE_SCORE(history, rfm_history)
