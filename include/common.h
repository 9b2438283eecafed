/*
 * common.h - what every room uses: argument errors, days and units, values as bytes.
 */
#ifndef CLV_COMMON_H
#define CLV_COMMON_H

#include "compat.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "nodes/execnodes.h"
#include "utils/date.h"
#include "utils/timestamp.h"

/* ---- errors ---------------------------------------------------------------------------------- */

/*
 * Raise ERROR 22023 (invalid_parameter_value): what is wrong, what to do, and the values as a format.
 * hint may be NULL. Every argument that cannot be true is reported through here.
 */
pg_noreturn extern void argument_error(const char *message, const char *hint,
									   const char *detail_format, ...) pg_attribute_printf(3, 4);

/* The beginning of a text of the user's, for a message: at most 40 bytes, whole characters. */
extern const char *excerpt(const char *text);

/* Raise ERROR 22P03: a binary value of the type that cannot be true. */
pg_noreturn extern void invalid_binary(const char *type, const char *problem);

/* Whether an argument behind the state of a transition function is NULL. */
extern bool null_argument(FunctionCallInfo fcinfo);

/* What a transition function returns for a row with a NULL: its state as it came, NULL if there is none. */
extern Datum unchanged_state(FunctionCallInfo fcinfo);

/*
 * Argument 0, detoasted as `state`, for editing: in place where the executor allows it, else a copy. After growing, the
 * executor copies the result into the aggregate's memory, so nothing here chooses a context.
 */
extern void *editable_state(FunctionCallInfo fcinfo, void *state);

/* Of an input function's parser, which has an escontext: report a soft error and answer false. */
#define REJECT(parser, ...) \
	do \
	{ \
		errsave((parser)->escontext, __VA_ARGS__); \
		return false; \
	} while (0)

/* As argument_error() with SQLSTATE 22003 (numeric_value_out_of_range). */
pg_noreturn extern void range_error(const char *message, const char *hint,
									const char *detail_format, ...) pg_attribute_printf(3, 4);

/*
 * Whether this is the first call of a query to warn of this (a bit): one WARNING a query, not one a row.
 * Keeps the set of bits in fn_extra, so it is not for transition functions.
 */
#define WARNED_OF_RATE 1
#define WARNED_OF_SPEND 2
#define WARNED_OF_DRIVER(i) ((uintptr_t) 4 << (i))
extern bool first_warning(FunctionCallInfo fcinfo, uintptr_t bit);

/* Warn, once a query, of an annual rate above 1, which is rather a percentage than a fraction. */
extern void warn_if_high_rate(FunctionCallInfo fcinfo, double annual_discount_rate);

/* Raise an error where a stored value of the type was written by a version of clv that this one cannot read. */
extern void check_version(const char *type, int found, int known);

/* ---- rows as results ----------------------------------------------------------------------------- */

/* A row as the result of a function that returns one; values and nulls as its declaration has columns. */
extern Datum result_row(FunctionCallInfo fcinfo, Datum *values, bool *nulls);

/* Set a column to a number; one that is NAN or infinite does not exist, and is NULL. -0 is 0. */
static inline void
set_number(Datum *values, bool *nulls, int column, double value)
{
	nulls[column] = !isfinite(value);
	values[column] = nulls[column] ? (Datum) 0 : Float8GetDatum(value + 0.0);
}

/* The same for n columns from the first one on. */
static inline void
set_numbers(Datum *values, bool *nulls, int first, const double *numbers, int n)
{
	for (int i = 0; i < n; i++)
		set_number(values, nulls, first + i, numbers[i]);
}

/*
 * The row type of a function's result, looked up once per query and kept in fn_extra: for functions that are called for
 * every customer and keep nothing else there.
 */
extern TupleDesc kept_row_type(FunctionCallInfo fcinfo);

/* The first call of a set that returns row by row: its row type is known from here on, what keep() copies lives on. */
extern void begin_rows(FunctionCallInfo fcinfo, void *(*keep) (FunctionCallInfo fcinfo));

/* Begin the result of a function that returns a set: its rows are put into setResult, as setDesc describes them. */
extern ReturnSetInfo *result_set(FunctionCallInfo fcinfo);

/* ---- days and units -------------------------------------------------------------------------- */

/* Days are PostgreSQL dates from 0001-01-01 to 9999-12-31; the bounds as DateADT. */
#define DAY_MIN (-730119)
#define DAY_MAX 2921939
#define MAX_COUNT 9007199254740992.0	/* 2^53: the largest count that a double holds exactly */
#define DAY_NONE PG_INT32_MIN		/* "no day" in stored values */

/* The date unless it is infinite or out of bounds, which is an error naming `what`. */
extern DateADT checked_day(DateADT day, const char *what);

/* The same for an end of an interval: '-infinity' and 'infinity' are the days before and at the bounds. */
extern DateADT checked_bound(DateADT day, const char *what);

/* The day of a timestamptz in the session's time zone, and of a timestamp. */
extern DateADT day_of_timestamptz(TimestampTz at, const char *what);
extern DateADT day_of_timestamp(Timestamp at, const char *what);

/* 'day' 1, 'week' 7, 'month' 30.4375, 'year' 365.25 days; anything else is an error. */
extern double unit_days(const text *unit);

/* The calendar months of a unit: 'month' 1, 'year' 12; 0 for 'day' and 'week', which are whole days. */
extern int	unit_months(double days);

/*
 * How many periods of the unit, counted from `from`, have ended when `day`, not before it, begins. A month or year of
 * the calendar ends on the day of the month on which it began, or on the last of the month if there is no such day.
 */
extern int	periods_between(DateADT from, DateADT day, double unit);

/* The name of a unit, NULL for 0 ("no unit") and for a number that is no unit. */
extern const char *unit_name(double days);

/* Append a double as its shortest exact decimal, a day as an ISO date: independent of all settings. */
extern void append_double(StringInfo buf, double value);
extern void append_day(StringInfo buf, DateADT day);

/* The day as palloc'd text, for messages; "none" for DAY_NONE. */
extern const char *day_text(DateADT day);

/*
 * Read at *cursor what append_double / append_day write (the double must be finite) and move the
 * cursor behind it; false where there is none. No white space is skipped, nothing is reported.
 */
extern bool scan_double(const char **cursor, double *value);
extern bool scan_int64(const char **cursor, int64 *value);
extern bool scan_day(const char **cursor, DateADT *day);
extern bool scan_unit(const char **cursor, double *days);
/* Move the cursor behind the literal, or answer false and leave it. */
extern bool scan_literal(const char **cursor, const char *literal);
/* Likewise a punctuation mark, and the white space around it. White space alone is skipped, too. */
extern bool scan_mark(const char **cursor, const char *mark);

/* ---- values as bytes --------------------------------------------------------------------------- */

/* Total order of two stored values of one type: by their bytes, which are canonical. */
extern int	compare_bytes(const struct varlena *a, const struct varlena *b);

/*
 * Define the C functions NAME_eq, _ne, _lt, _le, _gt, _ge, _cmp, _hash and _hash_extended (SQL-callable
 * as clv_NAME_eq ...) of a type whose getarg macro GETARG(n) yields a stored value. Copies are freed: a
 * sort calls the comparison millions of times in a memory context that lives until its end.
 */
#define DEFINE_COMPARISON(NAME, OP, EXPR, GETARG) \
	PG_FUNCTION_INFO_V1(clv_##NAME##_##OP); \
	Datum clv_##NAME##_##OP(PG_FUNCTION_ARGS) \
	{ \
		struct varlena *a = (struct varlena *) GETARG(0); \
		struct varlena *b = (struct varlena *) GETARG(1); \
		int order = compare_bytes(a, b); \
		PG_FREE_IF_COPY(a, 0); \
		PG_FREE_IF_COPY(b, 1); \
		EXPR; \
	}

#define DEFINE_COMPARISONS(NAME, GETARG) \
	DEFINE_COMPARISON(NAME, eq, PG_RETURN_BOOL(order == 0), GETARG) \
	DEFINE_COMPARISON(NAME, ne, PG_RETURN_BOOL(order != 0), GETARG) \
	DEFINE_COMPARISON(NAME, lt, PG_RETURN_BOOL(order < 0), GETARG) \
	DEFINE_COMPARISON(NAME, le, PG_RETURN_BOOL(order <= 0), GETARG) \
	DEFINE_COMPARISON(NAME, gt, PG_RETURN_BOOL(order > 0), GETARG) \
	DEFINE_COMPARISON(NAME, ge, PG_RETURN_BOOL(order >= 0), GETARG) \
	DEFINE_COMPARISON(NAME, cmp, PG_RETURN_INT32(order), GETARG) \
	PG_FUNCTION_INFO_V1(clv_##NAME##_hash); \
	Datum clv_##NAME##_hash(PG_FUNCTION_ARGS) \
	{ \
		struct varlena *value = (struct varlena *) GETARG(0); \
		Datum hash = hash_value_bytes(value); \
		PG_FREE_IF_COPY(value, 0); \
		return hash; \
	} \
	PG_FUNCTION_INFO_V1(clv_##NAME##_hash_extended); \
	Datum clv_##NAME##_hash_extended(PG_FUNCTION_ARGS) \
	{ \
		struct varlena *value = (struct varlena *) GETARG(0); \
		Datum hash = hash_value_bytes_extended(value, PG_GETARG_INT64(1)); \
		PG_FREE_IF_COPY(value, 0); \
		return hash; \
	}

extern Datum hash_value_bytes(const struct varlena *value);
extern Datum hash_value_bytes_extended(const struct varlena *value, uint64 seed);

#endif
