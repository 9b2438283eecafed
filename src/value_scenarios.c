/*
 * value_scenarios.c - lifetime value under other circumstances: the sensitivity to each driver, and how
 * much acquisition cost a value bears and how soon it is earned back.
 */
#include "value.h"

#include <math.h>

#include "funcapi.h"
#include "math/value.h"
#include "utils/float.h"

/* ---- sensitivity ------------------------------------------------------------------------------- */

static const Argument change_argument = {"change", RATE, "Write 5 percent more as 0.05, 5 percent less as -0.05."};

/* What a loop over the drivers needs of the type of its numbers. */
typedef struct NumberType
{
	PGFunction	add;
	PGFunction	subtract;
	PGFunction	multiply;
	PGFunction	out;
	bool		(*allowed) (const Argument *argument, Datum number);
	void		(*check) (const Argument *argument, Datum number);
	/* less than, equal to or greater than 0 as a - b is */
	int			(*compare) (Datum a, int32 b);
	/* difference / (value * change), both not 0 */
	Datum		(*elasticity) (Datum difference, Datum value, Datum change);
	/* Whether npv_clv() of these arguments is a sum that has no end and no value. */
	bool		(*endless) (const Datum *arguments);
} NumberType;

static bool
allowed_float8_datum(const Argument *argument, Datum number)
{
	return allowed_float8(argument, DatumGetFloat8(number));
}

static void
check_float8_datum(const Argument *argument, Datum number)
{
	check_float8(argument, DatumGetFloat8(number));
}

static int
compare_float8_datum(Datum a, int32 b)
{
	return float8_cmp_internal(DatumGetFloat8(a), b);
}

static Datum
elasticity_float8(Datum difference, Datum value, Datum change)
{
	return Float8GetDatum(finite_result(DatumGetFloat8(difference) / DatumGetFloat8(value) / DatumGetFloat8(change)));
}

static bool
endless_float8_datum(const Datum *a)
{
	return endless_float8(DatumGetFloat8(a[RETENTION]), DatumGetFloat8(a[DISCOUNT]), DatumGetFloat8(a[NPERIODS]));
}

static const NumberType float8_type = {
	float8pl, float8mi, float8mul, float8out, allowed_float8_datum, check_float8_datum, compare_float8_datum,
	elasticity_float8, endless_float8_datum
};

static bool
allowed_numeric_datum(const Argument *argument, Datum number)
{
	return allowed_numeric(argument, DatumGetNumeric(number));
}

static void
check_numeric_datum(const Argument *argument, Datum number)
{
	check_numeric(argument, DatumGetNumeric(number));
}

static int
compare_numeric_datum(Datum a, int32 b)
{
	return compare(DatumGetNumeric(a), int64_to_numeric(b));
}

/* Values that were rounded at RESULT_DIGITS leave a quotient by a small change fewer digits than that. */
#define ELASTICITY_DIGITS 10

static Datum
elasticity_numeric(Datum difference, Datum value, Datum change)
{
	Numeric		percent = times(DatumGetNumeric(value), DatumGetNumeric(change));
	Numeric		result = quotient(DatumGetNumeric(difference), percent,
									   Min(decimals(percent) + RESULT_DIGITS + GUARD_DIGITS, MAX_QUOTIENT_SCALE));

	return NumericGetDatum(result_decimal(result, ELASTICITY_DIGITS));
}

static bool
endless_numeric_datum(const Datum *a)
{
	return endless_numeric(DatumGetNumeric(a[RETENTION]), DatumGetNumeric(a[DISCOUNT]), DatumGetNumeric(a[NPERIODS]));
}

static const NumberType numeric_type = {
	numeric_add, numeric_sub, numeric_mul, numeric_out, allowed_numeric_datum, check_numeric_datum,
	compare_numeric_datum, elasticity_numeric, endless_numeric_datum
};

/* A driver of a value: which argument it is, whether it is the business's to set, and why. */
typedef struct Driver
{
	int			argument;
	bool		controllable;
	const char *lever;
} Driver;

static const Driver clv_drivers[CLV_ARGUMENTS] = {
	{0, true, "prices, assortment, cross-selling"},
	{1, true, "reasons to come back: reminders, service, range"},
	{2, true, "retention: service quality, contracts, winning back"},
	{3, true, "prices, purchasing, discounts given"},
	{4, true, "cost and quality of service and support"},
	{5, true, "channels, targeting, conversion"},
};

static const Driver npv_drivers[] = {
	{MARGIN, true, "prices, cost of goods and service, cross-selling"},
	{RETENTION, true, "service quality, onboarding, contracts, winning back"},
	{DISCOUNT, false, "cost of capital: set by the market and the risk of the business"},
	{COST, true, "channels, targeting, conversion"},
};

/* A function of six arguments whose value is wanted, and its drivers. */
typedef struct ValueFormula
{
	PGFunction	value;
	const Argument *arguments;
	const Driver *drivers;
	int			ndrivers;
	bool		may_be_endless;
} ValueFormula;

#define CLV_FORMULA(function) {function, clv_arguments, clv_drivers, lengthof(clv_drivers), false}
#define NPV_FORMULA(function) {function, npv_arguments, npv_drivers, lengthof(npv_drivers), true}

static Datum
value_of(const ValueFormula *formula, const Datum *a)
{
	return DirectFunctionCall6(formula->value, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/*
 * Warn, once a query and driver, of a change that leaves the driver without a value. A fraction of 1 is no news: that
 * is what a margin is where none was given.
 */
static void
warn_of_change(FunctionCallInfo fcinfo, const NumberType *type, const Argument *argument, int driver, Datum current,
			   Datum changed, bool endless)
{
	if (argument->allowed == FRACTION && type->compare(current, 1) == 0)
		return;
	if (!first_warning(fcinfo, WARNED_OF_DRIVER(driver)))
		return;
	ereport(WARNING,
			(errmsg("no value for the changed %s", argument->name),
			 endless ?
			 errdetail("It would be %s, with which the value without an end of the periods is infinite.",
					   DatumGetCString(DirectFunctionCall1(type->out, changed))) :
			 errdetail("It would be %s, which is not %s.", DatumGetCString(DirectFunctionCall1(type->out, changed)),
					   allowed_values(argument)),
			 endless ? errhint("Use a smaller change, or give a number of periods.") :
			 errhint("Use a smaller or a negative change.")));
}

/* One row per driver: the value if that driver alone changes by the last argument. */
static Datum
sensitivity(FunctionCallInfo fcinfo, const ValueFormula *formula, const NumberType *type)
{
	enum {DRIVER, CURRENT, CHANGE, CHANGED, VALUE, NEW_VALUE, DIFFERENCE, ELASTICITY, CONTROLLABLE, LEVER, COLUMNS};
	ReturnSetInfo *rsinfo = result_set(fcinfo);
	Datum		arguments[6];
	Datum		change = PG_GETARG_DATUM(6);
	Datum		row[COLUMNS];

	for (int i = 0; i < 6; i++)
		arguments[i] = PG_GETARG_DATUM(i);
	type->check(&change_argument, change);
	row[CHANGE] = change;
	row[VALUE] = value_of(formula, arguments);

	for (int i = 0; i < formula->ndrivers; i++)
	{
		const Driver *driver = &formula->drivers[i];
		const Argument *argument = &formula->arguments[driver->argument];
		Datum		current = arguments[driver->argument];
		Datum		changed = DirectFunctionCall2(type->add, current,
												  DirectFunctionCall2(type->multiply, current, change));
		bool		nulls[COLUMNS] = {false};
		bool		allowed = type->allowed(argument, changed);
		bool		endless;

		arguments[driver->argument] = changed;
		endless = allowed && formula->may_be_endless && type->endless(arguments);
		row[DRIVER] = CStringGetTextDatum(argument->name);
		row[CURRENT] = current;
		row[CHANGED] = changed;
		row[CONTROLLABLE] = BoolGetDatum(driver->controllable);
		row[LEVER] = CStringGetTextDatum(driver->lever);
		if (allowed && !endless)
		{
			row[NEW_VALUE] = value_of(formula, arguments);
			row[DIFFERENCE] = DirectFunctionCall2(type->subtract, row[NEW_VALUE], row[VALUE]);
			nulls[ELASTICITY] = type->compare(row[VALUE], 0) <= 0 || type->compare(change, 0) == 0;
			if (!nulls[ELASTICITY])
				row[ELASTICITY] = type->elasticity(row[DIFFERENCE], row[VALUE], change);
		}
		else
		{
			warn_of_change(fcinfo, type, argument, i, current, changed, endless);
			nulls[NEW_VALUE] = nulls[DIFFERENCE] = nulls[ELASTICITY] = true;
		}
		arguments[driver->argument] = current;
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row, nulls);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(clv_value_clv_sensitivity_float8);
Datum
clv_value_clv_sensitivity_float8(PG_FUNCTION_ARGS)
{
	return sensitivity(fcinfo, &(ValueFormula) CLV_FORMULA(clv_value_clv_float8), &float8_type);
}

PG_FUNCTION_INFO_V1(clv_value_clv_sensitivity_numeric);
Datum
clv_value_clv_sensitivity_numeric(PG_FUNCTION_ARGS)
{
	return sensitivity(fcinfo, &(ValueFormula) CLV_FORMULA(clv_value_clv_numeric), &numeric_type);
}

PG_FUNCTION_INFO_V1(clv_value_npv_sensitivity_float8);
Datum
clv_value_npv_sensitivity_float8(PG_FUNCTION_ARGS)
{
	return sensitivity(fcinfo, &(ValueFormula) NPV_FORMULA(clv_value_npv_float8), &float8_type);
}

PG_FUNCTION_INFO_V1(clv_value_npv_sensitivity_numeric);
Datum
clv_value_npv_sensitivity_numeric(PG_FUNCTION_ARGS)
{
	return sensitivity(fcinfo, &(ValueFormula) NPV_FORMULA(clv_value_npv_numeric), &numeric_type);
}

/* ---- max_acquisition_cost() -------------------------------------------------------------------- */

static const Argument value_argument = {"clv", FINITE, "Use the value of a customer before acquisition cost."};
static const Argument ratio_argument = {
	"target_ratio", POSITIVE, "Use the value that is wanted per unit of acquisition cost; 3 is customary."
};

/* NULL for a value below 0: there is no cost of which it is a multiple. */
PG_FUNCTION_INFO_V1(clv_value_max_cost_float8);
Datum
clv_value_max_cost_float8(PG_FUNCTION_ARGS)
{
	float8		value = PG_GETARG_FLOAT8(0);
	float8		ratio = PG_GETARG_FLOAT8(1);

	check_float8(&value_argument, value);
	check_float8(&ratio_argument, ratio);
	if (value < 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(finite_result(value / ratio));
}

PG_FUNCTION_INFO_V1(clv_value_max_cost_numeric);
Datum
clv_value_max_cost_numeric(PG_FUNCTION_ARGS)
{
	Numeric		value = PG_GETARG_NUMERIC(0);
	Numeric		ratio = PG_GETARG_NUMERIC(1);
	int			scale;

	check_numeric(&value_argument, value);
	check_numeric(&ratio_argument, ratio);
	if (compare(value, int64_to_numeric(0)) < 0)
		PG_RETURN_NULL();
	scale = result_scale(decimals(value), ratio);
	PG_RETURN_NUMERIC(result_decimal(quotient(value, ratio, scale + GUARD_DIGITS), scale));
}

/* ---- payback_periods() ------------------------------------------------------------------------- */

pg_noreturn static void reject_count(void);

static void
reject_count(void)
{
	range_error("the number of periods is out of range", "Check acquisition_cost and margin_per_period.",
				"It takes more periods than can be counted.");
}

PG_FUNCTION_INFO_V1(clv_value_payback_float8);
Datum
clv_value_payback_float8(PG_FUNCTION_ARGS)
{
	float8		cost = PG_GETARG_FLOAT8(0);
	float8		margin = PG_GETARG_FLOAT8(1);
	float8		retention = PG_GETARG_FLOAT8(2);
	float8		discount = PG_GETARG_FLOAT8(3);
	bool		at_1 = first_margin_at_1(PG_GETARG_INT32(4));
	float8		n;

	check_float8(&npv_arguments[COST], cost);
	check_float8(&npv_arguments[MARGIN], margin);
	check_float8(&npv_arguments[RETENTION], retention);
	check_float8(&npv_arguments[DISCOUNT], discount);
	n = value_payback(cost, margin, retention, discount, at_1);
	if (isnan(n))
		reject_count();
	PG_RETURN_FLOAT8(n);
}

typedef struct DecimalPayback
{
	Numeric		cost;
	Numeric		margin;
	Numeric		retention;
	Numeric		discount;
	bool		at_1;
	int			scale;			/* finer than the cost, so that rounding does not lift a sum to it */
} DecimalPayback;

static int
decimal_paid_back(double n, void *state)
{
	const DecimalPayback *p = state;
	Numeric		value = decimal_value_of_margins(p->margin, p->retention, p->discount, int64_to_numeric((int64) n),
												 p->at_1, p->scale);

	return compare(value, p->cost) >= 0;
}

/*
 * As value_payback(), but exact where it can be told from the arguments: after one margin, and that
 * margins whose endless sum does not exceed the cost never pay it back.
 */
static Numeric
decimal_payback(DecimalPayback *p)
{
	Numeric		growth = plus(int64_to_numeric(1), p->discount);
	Numeric		gap = minus(growth, p->retention);
	Numeric		first = times(p->margin, p->at_1 ? p->retention : growth);
	Numeric		due = times(p->cost, gap);
	double		guess;
	double		n;

	if (compare(p->cost, int64_to_numeric(0)) == 0)
		return int64_to_numeric(0);
	if (compare(first, int64_to_numeric(0)) > 0 && compare(first, times(p->cost, growth)) >= 0)
		return int64_to_numeric(1);
	if (compare(p->margin, int64_to_numeric(0)) <= 0 ||
		(compare(gap, int64_to_numeric(0)) > 0 && compare(first, due) <= 0))
		return DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum("infinity"), ObjectIdGetDatum(InvalidOid),
												   Int32GetDatum(-1)));
	guess = payback_guess(approximate(p->cost) / approximate(p->margin), approximate(due) / approximate(first),
						  approximate(minus(first, due)) / approximate(first), approximate(p->retention),
						  approximate(growth), approximate(gap));
	n = least_enough(guess, MAX_COUNT, decimal_paid_back, p);
	if (isinf(n))
		reject_count();
	return int64_to_numeric((int64) n);
}

PG_FUNCTION_INFO_V1(clv_value_payback_numeric);
Datum
clv_value_payback_numeric(PG_FUNCTION_ARGS)
{
	DecimalPayback p = {PG_GETARG_NUMERIC(0), PG_GETARG_NUMERIC(1), PG_GETARG_NUMERIC(2), PG_GETARG_NUMERIC(3)};

	p.at_1 = first_margin_at_1(PG_GETARG_INT32(4));
	check_numeric(&npv_arguments[COST], p.cost);
	check_numeric(&npv_arguments[MARGIN], p.margin);
	check_numeric(&npv_arguments[RETENTION], p.retention);
	check_numeric(&npv_arguments[DISCOUNT], p.discount);
	check_scale(&npv_arguments[RETENTION], p.retention);
	check_scale(&npv_arguments[DISCOUNT], p.discount);
	p.scale = decimals(p.cost) + RESULT_DIGITS;
	PG_RETURN_NUMERIC(decimal_payback(&p));
}
