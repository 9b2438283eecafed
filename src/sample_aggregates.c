/*
 * sample_aggregates.c - the aggregates that make a clv_sample: one transition for each form of a row.
 */
#include "sample.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "history.h"
#include "utils/array.h"

static const Frame raw_numbers = FRAME_OF_NUMBERS;

/* ---- raw numbers ------------------------------------------------------------------------------- */

/* Arguments 1 to 3 as a valid row of the kind. */
static void
row_of_args(FunctionCallInfo fcinfo, RowKind kind, double *row)
{
	for (int i = 0; i < 3; i++)
		row[i] = PG_GETARG_FLOAT8(i + 1);
	check_row(kind, row);
}

PG_FUNCTION_INFO_V1(clv_sample_add_timing);
Datum
clv_sample_add_timing(PG_FUNCTION_ARGS)
{
	ClvSample  *s;
	double		row[3];

	if (null_argument(fcinfo))
		return unchanged_state(fcinfo);
	row_of_args(fcinfo, ROWS_TIMING, row);
	s = sample_state(fcinfo, ROWS_TIMING, 0, &raw_numbers);
	sample_forget_log_gaps(s);
	PG_RETURN_POINTER(sample_add(s, row, 1));
}

/* Times that were rounded, to a hundredth of themselves at worst, may exceed the bound by so much a gap. */
#define LOG_GAP_SLACK 0.01

/* x gaps that add up to t_x have the largest sum of logarithms where they are equal. */
static void
check_log_gaps(const double *row, double log_gaps)
{
	double		x = row[0];
	double		largest = x > 0 ? x * (log(row[1] / x) + LOG_GAP_SLACK) : 0;
	const char *hint = "log_gaps is the sum of ln(time since the purchase before) over the repeat purchases; "
		"log_gaps(history, as_of) computes it.";

	if (!isfinite(log_gaps) || fabs(log_gaps) > MAX_COUNT)
		argument_error("log_gaps must be finite", hint, "x = %g, t_x = %g, log_gaps = %g.", x, row[1], log_gaps);
	if (x == 0 && log_gaps != 0)
		argument_error("log_gaps must be 0 for a customer without a repeat purchase", hint, "log_gaps = %g.", log_gaps);
	if (log_gaps > largest)
		argument_error("log_gaps is larger than x gaps within t_x can have", hint,
					   "x = %g, t_x = %g, log_gaps = %g; at most x ln(t_x / x) = %g.", x, row[1], log_gaps,
					   x * log(row[1] / x));
}

PG_FUNCTION_INFO_V1(clv_sample_add_timing_gaps);
Datum
clv_sample_add_timing_gaps(PG_FUNCTION_ARGS)
{
	ClvSample  *s;
	double		row[3];

	if (null_argument(fcinfo))
		return unchanged_state(fcinfo);
	row_of_args(fcinfo, ROWS_TIMING, row);
	check_log_gaps(row, PG_GETARG_FLOAT8(4));
	s = sample_state(fcinfo, ROWS_TIMING, 0, &raw_numbers);
	sample_add_log_gaps(s, PG_GETARG_FLOAT8(4));
	PG_RETURN_POINTER(sample_add(s, row, 1));
}

int
covariates_of_array(Datum datum, double *covariates)
{
	ArrayType  *array = DatumGetArrayTypeP(datum);
	const char *hint = "Pass one array of 1 to 16 numbers for each customer.";
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));

	Assert(ARR_ELEMTYPE(array) == FLOAT8OID);
	if (ARR_NDIM(array) > 1)
		argument_error("covariates must be a one-dimensional array", hint, "It has %d dimensions.", ARR_NDIM(array));
	if (n == 0)
		argument_error("covariates must not be empty", hint, "The array has no elements.");
	if (n > ROWS_MAX_COVARIATES)
		argument_error("too many covariates", hint, "The array has %d elements.", n);
	if (array_contains_nulls(array))
		return 0;
	memcpy(covariates, ARR_DATA_PTR(array), n * sizeof(double));
	for (int i = 0; i < n; i++)
		if (!isfinite(covariates[i]))
			argument_error("covariates must be finite",
						   "Leave out or correct customers with NaN or infinite covariates.", "Number %d is %g.", i + 1,
						   covariates[i]);
	return n;
}

PG_FUNCTION_INFO_V1(clv_sample_add_timing_covariates);
Datum
clv_sample_add_timing_covariates(PG_FUNCTION_ARGS)
{
	ClvSample  *s;
	double		row[ROWS_MAX_COLUMNS];
	int			ncovariates;

	if (null_argument(fcinfo))
		return unchanged_state(fcinfo);
	ncovariates = covariates_of_array(PG_GETARG_DATUM(4), row);
	if (ncovariates == 0)
		return unchanged_state(fcinfo);
	row_of_args(fcinfo, ROWS_TIMING, row + ncovariates);
	s = sample_state(fcinfo, ROWS_TIMING, ncovariates, &raw_numbers);
	sample_forget_log_gaps(s);
	PG_RETURN_POINTER(sample_add(s, row, 1));
}

PG_FUNCTION_INFO_V1(clv_sample_add_opportunities);
Datum
clv_sample_add_opportunities(PG_FUNCTION_ARGS)
{
	double		row[3];

	if (null_argument(fcinfo))
		return unchanged_state(fcinfo);
	row_of_args(fcinfo, ROWS_OPPORTUNITIES, row);
	PG_RETURN_POINTER(sample_add(sample_state(fcinfo, ROWS_OPPORTUNITIES, 0, &raw_numbers), row, 1));
}

/* (tenure, churned [, entry]) */
PG_FUNCTION_INFO_V1(clv_sample_add_renewals);
Datum
clv_sample_add_renewals(PG_FUNCTION_ARGS)
{
	double		row[3];

	if (null_argument(fcinfo))
		return unchanged_state(fcinfo);
	row[0] = PG_NARGS() > 3 ? PG_GETARG_FLOAT8(3) : 0;
	row[1] = PG_GETARG_FLOAT8(1);
	row[2] = PG_GETARG_BOOL(2);
	check_row(ROWS_RENEWALS, row);
	PG_RETURN_POINTER(sample_add(sample_state(fcinfo, ROWS_RENEWALS, 0, &raw_numbers), row, 1));
}

/* Only repeat purchases with a positive mean say something about spend. */
static ClvSample *
add_spend(ClvSample *s, double x, double mean)
{
	double		row[2] = {x, mean};

	check_row(ROWS_SPEND, row);
	if (x > 0 && mean > 0)
		return sample_add(s, row, 1);
	sample_skip(s, 1);
	return s;
}

PG_FUNCTION_INFO_V1(clv_sample_add_spend);
Datum
clv_sample_add_spend(PG_FUNCTION_ARGS)
{
	if (null_argument(fcinfo))
		return unchanged_state(fcinfo);
	PG_RETURN_POINTER(add_spend(sample_state(fcinfo, ROWS_SPEND, 0, &raw_numbers), PG_GETARG_FLOAT8(1),
								PG_GETARG_FLOAT8(2)));
}

/* ---- histories --------------------------------------------------------------------------------- */

/* The customer in argument 1 as of a day, with `ncovariates` covariates before the row. */
static ClvSample *
add_customer(FunctionCallInfo fcinfo, DateADT as_of, double unit, const double *covariates, int ncovariates)
{
	Frame		frame = frame_at(unit, checked_day(as_of, "as_of"));
	ClvSample  *s = sample_state(fcinfo, ROWS_TIMING, ncovariates, &frame);
	const PurchaseHistory *history = PG_GETARG_HISTORY(1);
	double		row[ROWS_MAX_COLUMNS];
	HistorySummary h;

	if (!history_summary(history, as_of, &h))
	{
		sample_skip(s, 1);		/* not a customer yet */
		return s;
	}
	sample_add_log_gaps(s, history_log_gaps(history, as_of, unit));
	frame_cover(&s->frame, h.first, h.last);
	for (int i = 0; i < ncovariates; i++)
		row[i] = covariates[i];
	row[ncovariates] = h.x;
	row[ncovariates + 1] = h.t_x / unit;
	row[ncovariates + 2] = h.tenure / unit;
	return sample_add(s, row, 1);
}

static ClvSample *
add_history_timing(FunctionCallInfo fcinfo, DateADT as_of, double unit)
{
	return add_customer(fcinfo, as_of, unit, NULL, 0);
}

static ClvSample *
add_history_opportunities(FunctionCallInfo fcinfo, DateADT as_of, double unit)
{
	Frame		frame = frame_at(unit, checked_day(as_of, "as_of"));
	ClvSample  *s = sample_state(fcinfo, ROWS_OPPORTUNITIES, 0, &frame);
	const PurchaseHistory *history = PG_GETARG_HISTORY(1);
	double		row[3];
	HistorySummary h;

	if (!history_opportunities(history, as_of, unit, &row[0], &row[1], &row[2]))
	{
		sample_skip(s, 1);
		return s;
	}
	check_row(ROWS_OPPORTUNITIES, row);
	history_summary(history, as_of, &h);
	frame_cover(&s->frame, h.first, h.last);
	return sample_add(s, row, 1);
}

static ClvSample *
add_history_spend(FunctionCallInfo fcinfo, DateADT as_of)
{
	Frame		frame = frame_at(0, checked_day(as_of, "as_of"));
	ClvSample  *s = sample_state(fcinfo, ROWS_SPEND, 0, &frame);
	HistorySummary h;

	if (!history_summary(PG_GETARG_HISTORY(1), as_of, &h))
	{
		sample_skip(s, 1);
		return s;
	}
	if (!h.has_money)
		argument_error("these histories hold no amounts", "Build them with purchase_history(ordered_at, amount).",
					   "A spend model needs the amount of every purchase.");
	frame_cover(&s->frame, h.first, h.last);
	return add_spend(s, h.x, h.x > 0 ? micro_mean(h.repeat_spend, h.x) : 0);
}

/* One transition per form of the date: with and without unit. */
#define AS_OF_DATE PG_GETARG_DATEADT(2)
#define AS_OF_TIMESTAMPTZ day_of_timestamptz(PG_GETARG_TIMESTAMPTZ(2), "as_of")
#define UNIT unit_days(PG_GETARG_TEXT_PP(3))

#define DEFINE_HISTORY_TRANSITION(NAME, ADD) \
	PG_FUNCTION_INFO_V1(NAME); \
	Datum NAME(PG_FUNCTION_ARGS) \
	{ \
		if (null_argument(fcinfo)) \
			return unchanged_state(fcinfo); \
		PG_RETURN_POINTER(ADD); \
	}

DEFINE_HISTORY_TRANSITION(clv_sample_add_history, add_history_timing(fcinfo, AS_OF_DATE, 1))
DEFINE_HISTORY_TRANSITION(clv_sample_add_history_tz, add_history_timing(fcinfo, AS_OF_TIMESTAMPTZ, 1))
DEFINE_HISTORY_TRANSITION(clv_sample_add_history_unit, add_history_timing(fcinfo, AS_OF_DATE, UNIT))
DEFINE_HISTORY_TRANSITION(clv_sample_add_history_unit_tz, add_history_timing(fcinfo, AS_OF_TIMESTAMPTZ, UNIT))
DEFINE_HISTORY_TRANSITION(clv_sample_add_history_opportunities, add_history_opportunities(fcinfo, AS_OF_DATE, UNIT))
DEFINE_HISTORY_TRANSITION(clv_sample_add_history_opportunities_tz,
						  add_history_opportunities(fcinfo, AS_OF_TIMESTAMPTZ, UNIT))
DEFINE_HISTORY_TRANSITION(clv_sample_add_history_spend, add_history_spend(fcinfo, AS_OF_DATE))
DEFINE_HISTORY_TRANSITION(clv_sample_add_history_spend_tz, add_history_spend(fcinfo, AS_OF_TIMESTAMPTZ))

/* The same with covariates in argument 4. */
static Datum
add_history_covariates(FunctionCallInfo fcinfo, bool of_timestamptz)
{
	double		covariates[ROWS_MAX_COVARIATES];
	int			ncovariates;

	if (null_argument(fcinfo))
		return unchanged_state(fcinfo);
	ncovariates = covariates_of_array(PG_GETARG_DATUM(4), covariates);
	if (ncovariates == 0)
		return unchanged_state(fcinfo);
	PG_RETURN_POINTER(add_customer(fcinfo, of_timestamptz ? AS_OF_TIMESTAMPTZ : AS_OF_DATE, UNIT, covariates,
								   ncovariates));
}

PG_FUNCTION_INFO_V1(clv_sample_add_history_covariates);
Datum
clv_sample_add_history_covariates(PG_FUNCTION_ARGS)
{
	return add_history_covariates(fcinfo, false);
}

PG_FUNCTION_INFO_V1(clv_sample_add_history_covariates_tz);
Datum
clv_sample_add_history_covariates_tz(PG_FUNCTION_ARGS)
{
	return add_history_covariates(fcinfo, true);
}

/* ---- contracts --------------------------------------------------------------------------------- */

typedef struct Contract
{
	DateADT		started;
	DateADT		ended;			/* after as_of: still a customer */
	DateADT		as_of;
	DateADT		data_begin;		/* nobody who had left by then is in the data; DAY_MIN: all are */
	double		unit;
} Contract;

static ClvSample *
add_contract(FunctionCallInfo fcinfo, const Contract *c)
{
	Frame		frame = frame_at(c->unit, c->as_of);
	ClvSample  *s;
	bool		churned = c->ended <= c->as_of;
	double		row[3];

	if (c->ended < c->started)
		argument_error("ended must not be before started", "Correct the dates, or leave the customer out.",
					   "started is %s, ended is %s.", day_text(c->started), day_text(c->ended));
	if (c->data_begin > c->as_of)
		argument_error("data_begin must not be after as_of",
					   "data_begin is the day from which on customers who left are still in the data.",
					   "data_begin is %s, as_of is %s.", day_text(c->data_begin), day_text(c->as_of));
	s = sample_state(fcinfo, ROWS_RENEWALS, 0, &frame);
	/* not a customer yet, or no longer one when observation began */
	if (c->started > c->as_of || (c->started < c->data_begin && c->ended <= c->data_begin))
	{
		sample_skip(s, 1);
		return s;
	}
	row[0] = c->started < c->data_begin ? periods_between(c->started, c->data_begin, c->unit) : 0;
	/* the period in which the contract ended follows the renewals made before that day */
	if (churned)
		row[1] = c->ended > c->started ? periods_between(c->started, c->ended - 1, c->unit) + 1 : 1;
	else
		row[1] = periods_between(c->started, c->as_of, c->unit);
	row[2] = churned;
	Assert(row[0] < row[1] + !churned);
	return sample_add(s, row, 1);
}

static DateADT
day_of_arg(FunctionCallInfo fcinfo, int arg, bool of_timestamptz, const char *what)
{
	return of_timestamptz ? day_of_timestamptz(PG_GETARG_TIMESTAMPTZ(arg), what) :
		checked_day(PG_GETARG_DATEADT(arg), what);
}

/* The day after all days where the customer has not left: 'infinity' says so, as does NULL. */
static DateADT
end_of_arg(FunctionCallInfo fcinfo, int arg, bool of_timestamptz)
{
	if (PG_ARGISNULL(arg) || (of_timestamptz ? TIMESTAMP_IS_NOEND(PG_GETARG_TIMESTAMPTZ(arg)) :
							  DATE_IS_NOEND(PG_GETARG_DATEADT(arg))))
		return DAY_MAX + 1;
	return day_of_arg(fcinfo, arg, of_timestamptz, "ended");
}

/* (started, ended, as_of, unit [, data_begin]); a NULL skips the customer, except as the end. */
static Datum
add_contract_of_args(FunctionCallInfo fcinfo, bool of_timestamptz)
{
	Contract	c = {.data_begin = DAY_MIN};

	if (PG_ARGISNULL(1) || PG_ARGISNULL(3) || PG_ARGISNULL(4) || (PG_NARGS() > 5 && PG_ARGISNULL(5)))
		return unchanged_state(fcinfo);
	c.started = day_of_arg(fcinfo, 1, of_timestamptz, "started");
	c.ended = end_of_arg(fcinfo, 2, of_timestamptz);
	c.as_of = day_of_arg(fcinfo, 3, of_timestamptz, "as_of");
	c.unit = unit_days(PG_GETARG_TEXT_PP(4));
	if (PG_NARGS() > 5)
		c.data_begin = day_of_arg(fcinfo, 5, of_timestamptz, "data_begin");
	PG_RETURN_POINTER(add_contract(fcinfo, &c));
}

PG_FUNCTION_INFO_V1(clv_sample_add_contract);
Datum
clv_sample_add_contract(PG_FUNCTION_ARGS)
{
	return add_contract_of_args(fcinfo, false);
}

PG_FUNCTION_INFO_V1(clv_sample_add_contract_tz);
Datum
clv_sample_add_contract_tz(PG_FUNCTION_ARGS)
{
	return add_contract_of_args(fcinfo, true);
}
