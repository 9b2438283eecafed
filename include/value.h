/*
 * value.h - what the files of the room value share: the arguments and their checks, arithmetic in decimals.
 */
#ifndef CLV_VALUE_H
#define CLV_VALUE_H

#include "common.h"

#include "utils/builtins.h"
#include "utils/numeric.h"

/* ---- arguments --------------------------------------------------------------------------------- */

typedef enum Allowed
{
	FINITE,
	NOT_NEGATIVE,
	POSITIVE,
	FRACTION,					/* 0 to 1 */
	RATE,						/* above -1 */
	PERIODS						/* 0, 1, 2, ..., infinity */
} Allowed;

/* A number that a user passes: its name in SQL, the values it may have, and what to do about others. */
typedef struct Argument
{
	const char *name;
	Allowed		allowed;
	const char *hint;
} Argument;

/* The arguments of clv(), and of npv_clv() except its last, first_margin; both functions have six. */
#define CLV_ARGUMENTS 6
#define NPV_ARGUMENTS 5
enum {MARGIN, RETENTION, DISCOUNT, NPERIODS, COST, FIRST_MARGIN};
extern const Argument clv_arguments[CLV_ARGUMENTS];
extern const Argument npv_arguments[NPV_ARGUMENTS];

extern PGDLLEXPORT Datum clv_value_clv_float8(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum clv_value_clv_numeric(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum clv_value_npv_float8(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum clv_value_npv_numeric(PG_FUNCTION_ARGS);

/* Whether the argument may have the value; in words what it may have; the check, ERROR 22023 for any other value. */
extern bool allowed_float8(const Argument *argument, float8 value);
extern bool allowed_numeric(const Argument *argument, Numeric value);
extern const char *allowed_values(const Argument *argument);
extern void check_float8(const Argument *argument, float8 value);
extern void check_numeric(const Argument *argument, Numeric value);

/* ERROR 22003 for a rate with more decimals than quotients can carry. */
extern void check_scale(const Argument *argument, Numeric value);

/* first_margin is 1; ERROR 22023 unless it is 0 or 1. */
extern bool first_margin_at_1(int32 first_margin);

/* Whether the margins of npv_clv() are a sum that has no end and no value. */
extern bool endless_float8(float8 retention, float8 discount, float8 periods);
extern bool endless_numeric(Numeric retention, Numeric discount, Numeric periods);

/* The value, or ERROR 22003 where it overflowed. */
extern float8 finite_result(float8 value);

/* ---- decimals ---------------------------------------------------------------------------------- */

/*
 * Decimals of a result whose decimals have no end, beyond those that its factors have; and what is
 * carried in addition on the way there: enough for 2^63 roundings.
 */
#define RESULT_DIGITS 20
#define GUARD_DIGITS 20

/* A quotient holds at most so many decimals. */
#define MAX_QUOTIENT_SCALE 1000

static inline Numeric
call(PGFunction function, Numeric a, Numeric b)
{
	return DatumGetNumeric(DirectFunctionCall2(function, NumericGetDatum(a), NumericGetDatum(b)));
}

static inline Numeric
plus(Numeric a, Numeric b)
{
	return call(numeric_add, a, b);
}

static inline Numeric
minus(Numeric a, Numeric b)
{
	return call(numeric_sub, a, b);
}

static inline Numeric
times(Numeric a, Numeric b)
{
	return call(numeric_mul, a, b);
}

static inline int
compare(Numeric a, Numeric b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(a), NumericGetDatum(b)));
}

static inline Numeric
rounded(Numeric a, int scale)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_round, NumericGetDatum(a), Int32GetDatum(scale)));
}

/* Decimals that a number has, trailing zeros left out. */
static inline int
decimals(Numeric a)
{
	return DatumGetInt32(DirectFunctionCall1(numeric_min_scale, NumericGetDatum(a)));
}

static inline double
approximate(Numeric a)
{
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(a)));
}

/* a, rounded to `scale` decimals, by b; with as many (up to 1,000), as a quotient has no fewer than its dividend */
extern Numeric quotient(Numeric a, Numeric b, int scale);

/* The result of an endless decimal, rounded, or a shorter one as it is. */
extern Numeric result_decimal(Numeric a, int scale);

/* Decimals of a result: those of its factors, RESULT_DIGITS, and as many as a divisor of 10 or more moves them back. */
extern int	result_scale(int of_factors, Numeric divisor);

/*
 * The same sum as value_of_margins(), with the decimals of result_scale() for margin and retention by 1 + discount, or
 * with `least_scale` decimals if those are more. periods is a whole number or infinity.
 */
extern Numeric decimal_value_of_margins(Numeric margin, Numeric retention, Numeric discount, Numeric periods,
										bool at_1, int least_scale);

#endif
