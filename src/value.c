/*
 * value.c - closed-form customer lifetime value: clv(), npv_clv() and the aggregate xnpv_clv().
 *
 * Every function exists for float8, whose mathematics is in src/math/value.c, and for numeric, which
 * is computed here in decimals.
 */
#include "value.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "math/value.h"
#include "miscadmin.h"
#include "sample.h"
#include "utils/array.h"
#include "utils/float.h"

/* ---- arguments --------------------------------------------------------------------------------- */

static const char rate_hint[] = "Write 10 percent as 0.10.";
static const char cost_hint[] = "Write a cost as a positive amount; it is subtracted.";

const Argument clv_arguments[CLV_ARGUMENTS] = {
	{"avg_purchase_value", NOT_NEGATIVE,
	 "Use the mean amount of a purchase; take returns off it, or off the frequency."},
	{"purchase_frequency", NOT_NEGATIVE, "Use the number of purchases per period."},
	{"customer_lifespan", NOT_NEGATIVE,
	 "Use the number of periods a customer stays; for a life without end see npv_clv()."},
	{"margin", FRACTION, "Write 30 percent as 0.30."},
	{"service_cost", NOT_NEGATIVE, cost_hint},
	{"acquisition_cost", NOT_NEGATIVE, cost_hint},
};

const Argument npv_arguments[NPV_ARGUMENTS] = {
	{"margin_per_period", FINITE, "Use the money a customer brings in per period."},
	{"retention_rate", FRACTION, "Write 80 percent as 0.80."},
	{"discount_rate", RATE, rate_hint},
	{"periods", PERIODS, "Leave it out, or use 'infinity', for no end."},
	{"acquisition_cost", NOT_NEGATIVE, cost_hint},
};

static const Argument flow_argument = {"a cash flow", FINITE, "Leave out or correct flows that are NaN or infinite."};
static const Argument discount_argument = {"discount_rate", RATE, rate_hint};

static const char *const value_rules[] = {
	[FINITE] = "a finite number",
	[NOT_NEGATIVE] = "0 or more",
	[POSITIVE] = "greater than 0",
	[FRACTION] = "between 0 and 1",
	[RATE] = "greater than -1",
	[PERIODS] = "a whole number of 0 or more, or infinity",
};

const char *
allowed_values(const Argument *argument)
{
	return value_rules[argument->allowed];
}

pg_noreturn static void reject(const Argument *argument, bool finite, const char *value);

static void
reject(const Argument *argument, bool finite, const char *value)
{
	const char *rule = finite || argument->allowed == PERIODS ? allowed_values(argument) : value_rules[FINITE];

	argument_error(psprintf("%s must be %s", argument->name, rule), argument->hint, "The value is %s.", value);
}

bool
allowed_float8(const Argument *argument, float8 value)
{
	if (argument->allowed == PERIODS)
		return value >= 0 && floor(value) == value;
	if (!isfinite(value))
		return false;
	switch (argument->allowed)
	{
		case NOT_NEGATIVE:
			return value >= 0;
		case POSITIVE:
			return value > 0;
		case FRACTION:
			return value >= 0 && value <= 1;
		case RATE:
			return value > -1;
		default:
			return true;
	}
}

void
check_float8(const Argument *argument, float8 value)
{
	if (!allowed_float8(argument, value))
		reject(argument, isfinite(value), float8out_internal(value));
}

float8
finite_result(float8 value)
{
	if (!isfinite(value))
		range_error("the value is out of range", "Check the arguments: one of them is far too large.",
					"The result is larger than a double precision number can hold.");
	return value;
}

/* ---- decimals ---------------------------------------------------------------------------------- */

/* A quotient holds at most 1,000 decimals; rates with more than this many are refused. */
#define MAX_RESULT_SCALE 900
#define MAX_RATE_SCALE 300

Numeric
quotient(Numeric a, Numeric b, int scale)
{
	Numeric		dividend = rounded(a, scale);
	Numeric		result = call(numeric_div, dividend, b);

	pfree(dividend);
	return result;
}

Numeric
result_decimal(Numeric a, int scale)
{
	return DatumGetNumeric(DirectFunctionCall1(numeric_trim_scale, NumericGetDatum(rounded(a, scale))));
}

/* Digits before the decimal point, at most what a quotient has room for. */
static int
whole_digits(Numeric a)
{
	double		size = fabs(approximate(a));

	return size < 1 ? 0 : (int) Min(floor(log10(size)) + 1, 400);
}

int
result_scale(int of_factors, Numeric divisor)
{
	return Min(of_factors + Max(whole_digits(divisor) - 1, 0) + RESULT_DIGITS, MAX_RESULT_SCALE);
}

bool
allowed_numeric(const Argument *argument, Numeric value)
{
	bool		finite = !numeric_is_nan(value) && !numeric_is_inf(value);

	if (argument->allowed == PERIODS)
		return !numeric_is_nan(value) && compare(value, int64_to_numeric(0)) >= 0 && (!finite || decimals(value) == 0);
	if (!finite)
		return false;
	switch (argument->allowed)
	{
		case NOT_NEGATIVE:
			return compare(value, int64_to_numeric(0)) >= 0;
		case POSITIVE:
			return compare(value, int64_to_numeric(0)) > 0;
		case FRACTION:
			return compare(value, int64_to_numeric(0)) >= 0 && compare(value, int64_to_numeric(1)) <= 0;
		case RATE:
			return compare(value, int64_to_numeric(-1)) > 0;
		default:
			return true;
	}
}

void
check_numeric(const Argument *argument, Numeric value)
{
	if (!allowed_numeric(argument, value))
		reject(argument, !numeric_is_nan(value) && !numeric_is_inf(value),
			   DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value))));
}

void
check_scale(const Argument *argument, Numeric value)
{
	int			scale = decimals(value);

	if (scale > MAX_RATE_SCALE)
		range_error(psprintf("%s has too many decimals", argument->name), "Round it.",
					"It has %d decimals, at most %d are allowed.", scale, MAX_RATE_SCALE);
}

/* ---- clv(): value x frequency x margin, over a lifespan ---------------------------------------- */

PG_FUNCTION_INFO_V1(clv_value_clv_float8);
Datum
clv_value_clv_float8(PG_FUNCTION_ARGS)
{
	float8		a[CLV_ARGUMENTS];

	for (int i = 0; i < CLV_ARGUMENTS; i++)
	{
		a[i] = PG_GETARG_FLOAT8(i);
		check_float8(&clv_arguments[i], a[i]);
	}
	PG_RETURN_FLOAT8(finite_result(value_simple(a[0], a[1], a[2], a[3], a[4], a[5])));
}

PG_FUNCTION_INFO_V1(clv_value_clv_numeric);
Datum
clv_value_clv_numeric(PG_FUNCTION_ARGS)
{
	Numeric		a[CLV_ARGUMENTS];

	for (int i = 0; i < CLV_ARGUMENTS; i++)
	{
		a[i] = PG_GETARG_NUMERIC(i);
		check_numeric(&clv_arguments[i], a[i]);
	}
	PG_RETURN_NUMERIC(minus(times(minus(times(times(a[0], a[1]), a[3]), a[4]), a[2]), a[5]));
}

/* ---- npv_clv(): a margin per period while the customer stays ----------------------------------- */

bool
first_margin_at_1(int32 first_margin)
{
	if (first_margin != 0 && first_margin != 1)
		argument_error("first_margin must be 0 or 1",
					   "Use 0 for a first margin at once, "
					   "1 for one a period from now that counts only if the customer stays.",
					   "The value is %d.", first_margin);
	return first_margin == 1;
}

bool
endless_float8(float8 retention, float8 discount, float8 periods)
{
	return isinf(periods) && value_gap(retention, discount) <= 0;
}

bool
endless_numeric(Numeric retention, Numeric discount, Numeric periods)
{
	return numeric_is_inf(periods) && compare(minus(retention, discount), int64_to_numeric(1)) >= 0;
}

pg_noreturn static void reject_endless(const char *retention, const char *discount);

static void
reject_endless(const char *retention, const char *discount)
{
	argument_error("without an end of the periods the value is infinite",
				   "Give a number of periods, or a retention_rate below 1 + discount_rate.",
				   "The retention_rate is %s, the discount_rate %s.", retention, discount);
}

PG_FUNCTION_INFO_V1(clv_value_npv_float8);
Datum
clv_value_npv_float8(PG_FUNCTION_ARGS)
{
	float8		a[NPV_ARGUMENTS];
	bool		at_1 = first_margin_at_1(PG_GETARG_INT32(FIRST_MARGIN));

	for (int i = 0; i < NPV_ARGUMENTS; i++)
	{
		a[i] = PG_GETARG_FLOAT8(i);
		check_float8(&npv_arguments[i], a[i]);
	}
	if (endless_float8(a[RETENTION], a[DISCOUNT], a[NPERIODS]))
		reject_endless(float8out_internal(a[RETENTION]), float8out_internal(a[DISCOUNT]));
	PG_RETURN_FLOAT8(finite_result(value_of_margins(a[MARGIN], a[RETENTION], a[DISCOUNT], a[NPERIODS], at_1) -
								   a[COST]));
}

/* q^n for q >= 0, every product rounded to `scale` decimals */
static Numeric
decimal_power(Numeric q, int64 n, int scale)
{
	Numeric		power = int64_to_numeric(1);

	for (;; q = rounded(times(q, q), scale))
	{
		CHECK_FOR_INTERRUPTS();
		if (n & 1)
			power = rounded(times(power, q), scale);
		n >>= 1;
		if (n == 0)
			return power;
	}
}

static int64
whole_periods(Numeric periods)
{
	if (compare(periods, int64_to_numeric(PG_INT64_MAX)) > 0)
		range_error("periods is out of range", "Use 'infinity' for no end.",
					"At most %lld periods can be counted.", (long long) PG_INT64_MAX);
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(periods)));
}

/*
 * 1 - (retention / growth)^n in `scale` decimals. The base and each product are off by half a unit of
 * the last one, so that the power is off by some n of them.
 */
static Numeric
one_minus_power(Numeric retention, Numeric growth, Numeric gap, int64 n, int scale)
{
	if (n * log1p(-approximate(gap) / approximate(growth)) > 1000)
		range_error("the value is out of range", "Use fewer periods or a higher discount_rate.",
					"The discount_rate is below retention_rate - 1, so that the margins grow from period to period.");
	return minus(int64_to_numeric(1), decimal_power(quotient(retention, growth, scale), n, scale));
}

Numeric
decimal_value_of_margins(Numeric margin, Numeric retention, Numeric discount, Numeric periods, bool at_1,
						 int least_scale)
{
	Numeric		growth = plus(int64_to_numeric(1), discount);
	Numeric		gap = minus(growth, retention);
	Numeric		first = times(margin, at_1 ? retention : growth);
	int			scale = Max(result_scale(decimals(margin) + decimals(retention), growth),
							Min(least_scale, MAX_RESULT_SCALE));

	/* what is divided by the gap needs as many decimals more as the gap has */
	int			inner_scale = scale + decimals(gap) + whole_digits(first) + GUARD_DIGITS;

	if (!numeric_is_inf(periods))
	{
		int64		n = whole_periods(periods);

		if (compare(gap, int64_to_numeric(0)) == 0 || compare(margin, int64_to_numeric(0)) == 0)
			return result_decimal(times(margin, periods), scale);
		first = times(first, one_minus_power(retention, growth, gap, n, inner_scale));
	}
	return result_decimal(quotient(first, gap, inner_scale), scale);
}

PG_FUNCTION_INFO_V1(clv_value_npv_numeric);
Datum
clv_value_npv_numeric(PG_FUNCTION_ARGS)
{
	Numeric		a[NPV_ARGUMENTS];
	bool		at_1 = first_margin_at_1(PG_GETARG_INT32(FIRST_MARGIN));

	for (int i = 0; i < NPV_ARGUMENTS; i++)
	{
		a[i] = PG_GETARG_NUMERIC(i);
		check_numeric(&npv_arguments[i], a[i]);
	}
	check_scale(&npv_arguments[RETENTION], a[RETENTION]);
	check_scale(&npv_arguments[DISCOUNT], a[DISCOUNT]);
	if (endless_numeric(a[RETENTION], a[DISCOUNT], a[NPERIODS]))
		reject_endless(DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(a[RETENTION]))),
					   DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(a[DISCOUNT]))));
	PG_RETURN_NUMERIC(minus(decimal_value_of_margins(a[MARGIN], a[RETENTION], a[DISCOUNT], a[NPERIODS], at_1,
													 0),
							a[COST]));
}

/* ---- npv_clv(): a list of cash flows ----------------------------------------------------------- */

/* Flows between two looks at a request to cancel. */
#define FLOWS_AT_ONCE 65536

/* One list without gaps, possibly empty. */
static void
check_flows(ArrayType *flows)
{
	if (ARR_NDIM(flows) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("cash_flows must be a one-dimensional array"),
				 errdetail("It has %d dimensions.", ARR_NDIM(flows)),
				 errhint("Call the function once per list of flows.")));
	if (array_contains_nulls(flows))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("cash_flows must not contain NULL"),
				 errdetail("It has %d elements, of which at least one is NULL.", ArrayGetNItems(ARR_NDIM(flows), ARR_DIMS(flows))),
				 errhint("Write a period without a payment as 0, so that later flows keep their place.")));
}

PG_FUNCTION_INFO_V1(clv_value_flows_float8);
Datum
clv_value_flows_float8(PG_FUNCTION_ARGS)
{
	ArrayType  *flows = PG_GETARG_ARRAYTYPE_P(0);
	float8		rate = PG_GETARG_FLOAT8(1);
	const float8 *values = (const float8 *) ARR_DATA_PTR(flows);
	int			n = ArrayGetNItems(ARR_NDIM(flows), ARR_DIMS(flows));
	CompensatedSum value = {0, 0};

	check_flows(flows);
	check_float8(&discount_argument, rate);
	for (int from = 0; from < n; from += FLOWS_AT_ONCE)
	{
		int			count = Min(n - from, FLOWS_AT_ONCE);

		CHECK_FOR_INTERRUPTS();
		for (int i = from; i < from + count; i++)
			check_float8(&flow_argument, values[i]);
		value_add_flows(&value, values + from, count, from, rate);
	}
	PG_RETURN_FLOAT8(finite_result(compensated_sum(&value)));
}

/* Most decimals of any of the flows, which must be finite. */
static int
check_decimal_flows(const Datum *flows, int n)
{
	int			scale = 0;

	for (int i = 0; i < n; i++)
	{
		Numeric		flow = DatumGetNumeric(flows[i]);

		CHECK_FOR_INTERRUPTS();
		check_numeric(&flow_argument, flow);
		scale = Max(scale, decimals(flow));
	}
	return scale;
}

/* A rate below 0 enlarges each rounding error with every further period: by how many digits in all. */
static int
growing_digits(Numeric growth, int n)
{
	double		digits = -n * log10(approximate(growth));

	return digits > 0 ? (int) ceil(Min(digits, MAX_QUOTIENT_SCALE)) : 0;
}

PG_FUNCTION_INFO_V1(clv_value_flows_numeric);
Datum
clv_value_flows_numeric(PG_FUNCTION_ARGS)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	Numeric		rate = PG_GETARG_NUMERIC(1);
	Numeric		value = int64_to_numeric(0);
	Numeric		growth;
	Datum	   *flows;
	int			n;
	int			scale;
	int			inner_scale;

	check_flows(array);
	check_numeric(&discount_argument, rate);
	check_scale(&discount_argument, rate);
	growth = plus(int64_to_numeric(1), rate);
	deconstruct_array(array, NUMERICOID, -1, false, TYPALIGN_INT, &flows, NULL, &n);
	scale = Min(check_decimal_flows(flows, n) + RESULT_DIGITS, MAX_RESULT_SCALE);
	inner_scale = Min(scale + growing_digits(growth, n) + GUARD_DIGITS, MAX_QUOTIENT_SCALE);

	/* from the last flow to the first: value = flow + value / (1 + rate) */
	for (int i = n - 1; i >= 0; i--)
	{
		Numeric		later = quotient(value, growth, inner_scale);

		CHECK_FOR_INTERRUPTS();
		pfree(value);
		value = plus(DatumGetNumeric(flows[i]), later);
		pfree(later);
	}
	PG_RETURN_NUMERIC(result_decimal(value, scale));
}

/* ---- xnpv_clv(): dated payments ---------------------------------------------------------------- */

/* State unchanged for a row with a NULL, otherwise one payment more. */
static Datum
add_payment(FunctionCallInfo fcinfo, bool of_timestamptz)
{
	DateADT		paid_on;
	DateADT		as_of;
	double		row[3];

	for (int i = 1; i < 5; i++)
		if (PG_ARGISNULL(i))
			return unchanged_state(fcinfo);
	if (of_timestamptz)
	{
		paid_on = day_of_timestamptz(PG_GETARG_TIMESTAMPTZ(2), "paid_on");
		as_of = day_of_timestamptz(PG_GETARG_TIMESTAMPTZ(3), "as_of");
	}
	else
	{
		paid_on = checked_day(PG_GETARG_DATEADT(2), "paid_on");
		as_of = checked_day(PG_GETARG_DATEADT(3), "as_of");
	}
	row[0] = paid_on - as_of;
	row[1] = PG_GETARG_FLOAT8(1);
	row[2] = PG_GETARG_FLOAT8(4);
	check_row(ROWS_CASH_FLOW, row);
	PG_RETURN_POINTER(sample_add(sample_state(fcinfo, ROWS_CASH_FLOW, 0, &(Frame) FRAME_OF_NUMBERS), row, 1));
}

PG_FUNCTION_INFO_V1(clv_value_xnpv_add);
Datum
clv_value_xnpv_add(PG_FUNCTION_ARGS)
{
	return add_payment(fcinfo, false);
}

PG_FUNCTION_INFO_V1(clv_value_xnpv_add_tz);
Datum
clv_value_xnpv_add_tz(PG_FUNCTION_ARGS)
{
	return add_payment(fcinfo, true);
}

/* Sums the rows in their canonical order, so that the result does not depend on that of the input. */
PG_FUNCTION_INFO_V1(clv_value_xnpv_final);
Datum
clv_value_xnpv_final(PG_FUNCTION_ARGS)
{
	ClvSample  *sample = PG_GETARG_STORED_SAMPLE(0);
	Rows		rows = sample_rows(sample);
	CompensatedSum value = {0, 0};

	if (sample->kind != ROWS_CASH_FLOW)
		argument_error("the sample holds no payments", "This is the final function of xnpv_clv(); call that instead.",
					   "It holds %s rows.", row_kind_name(sample->kind));
	for (size_t i = 0; i < rows.n; i++)
		warn_if_high_rate(fcinfo, rows_at(&rows, i)[2]);
	for (size_t from = 0; from < rows.n; from += FLOWS_AT_ONCE)
	{
		CHECK_FOR_INTERRUPTS();
		value_add_dated_flows(&value, &rows, from, Min(from + FLOWS_AT_ONCE, rows.n));
	}
	PG_RETURN_FLOAT8(finite_result(compensated_sum(&value)));
}
