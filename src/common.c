/*
 * common.c - what every room uses: argument errors, days and units, values as bytes.
 */
#include "common.h"

#include <math.h>

#include "common/hashfn.h"
#include "common/shortest_dec.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/datetime.h"

PG_MODULE_MAGIC;

/* ---- errors ------------------------------------------------------------------------------------ */

pg_noreturn static void bad_argument(int sqlstate, const char *message, const char *hint,
									 const char *format, va_list args) pg_attribute_printf(4, 0);

static void
bad_argument(int sqlstate, const char *message, const char *hint, const char *format, va_list args)
{
	StringInfoData detail;
	int			needed;

	initStringInfo(&detail);
	do
	{
		va_list		copy;

		va_copy(copy, args);
		needed = appendStringInfoVA(&detail, format, copy);
		va_end(copy);
		if (needed > 0)
			enlargeStringInfo(&detail, needed);
	} while (needed > 0);
	ereport(ERROR,
			(errcode(sqlstate), errmsg("%s", message), errdetail("%s", detail.data),
			 hint ? errhint("%s", hint) : 0));
	pg_unreachable();
}

void
argument_error(const char *message, const char *hint, const char *detail_format, ...)
{
	va_list		args;

	va_start(args, detail_format);
	bad_argument(ERRCODE_INVALID_PARAMETER_VALUE, message, hint, detail_format, args);
}

void
range_error(const char *message, const char *hint, const char *detail_format, ...)
{
	va_list		args;

	va_start(args, detail_format);
	bad_argument(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, message, hint, detail_format, args);
}

const char *
excerpt(const char *text)
{
	int			length = (int) strnlen(text, 41);

	return pnstrdup(text, pg_mbcliplen(text, length, 40));
}

void
invalid_binary(const char *type, const char *problem)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("invalid binary value of type %s", type), errdetail("Not valid: %s.", problem),
			 errhint("Binary values must come from the same or an older version of clv.")));
	pg_unreachable();
}

bool
null_argument(FunctionCallInfo fcinfo)
{
	for (int i = 1; i < PG_NARGS(); i++)
		if (PG_ARGISNULL(i))
			return true;
	return false;
}

void *
editable_state(FunctionCallInfo fcinfo, void *state)
{
	void	   *copy;

	if (state != (void *) PG_GETARG_POINTER(0) || AggCheckCallContext(fcinfo, NULL))
		return state;
	copy = palloc(VARSIZE(state));
	memcpy(copy, state, VARSIZE(state));
	return copy;
}

Datum
unchanged_state(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

bool
first_warning(FunctionCallInfo fcinfo, uintptr_t bit)
{
	uintptr_t	warned = (uintptr_t) fcinfo->flinfo->fn_extra;

	fcinfo->flinfo->fn_extra = (void *) (warned | bit);
	return (warned & bit) == 0;
}

void
warn_if_high_rate(FunctionCallInfo fcinfo, double annual_discount_rate)
{
	if (annual_discount_rate > 1 && first_warning(fcinfo, WARNED_OF_RATE))
		ereport(WARNING,
				(errmsg("annual_discount_rate is above 1"),
				 errdetail("%g is a discount of %g percent a year.", annual_discount_rate, 100 * annual_discount_rate),
				 errhint("Write 10 percent as 0.10.")));
}

void
check_version(const char *type, int found, int known)
{
	if (unlikely(found != known))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED), errmsg("this value of type %s cannot be read", type),
				 errdetail("The value has version %d; this clv reads version %d.", found, known),
				 errhint("Install the version of clv that wrote the value, or build it anew.")));
}

/* ---- rows as results ----------------------------------------------------------------------------- */

Datum
result_row(FunctionCallInfo fcinfo, Datum *values, bool *nulls)
{
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

TupleDesc
kept_row_type(FunctionCallInfo fcinfo)
{
	if (fcinfo->flinfo->fn_extra == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
		TupleDesc	row_type;

		if (get_call_result_type(fcinfo, NULL, &row_type) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		fcinfo->flinfo->fn_extra = BlessTupleDesc(row_type);
		MemoryContextSwitchTo(caller);
	}
	return fcinfo->flinfo->fn_extra;
}

/*
 * The row type that the executor expects: looking it up anew would leave some hundred bytes per call in the memory of
 * the query, which is much for a function that is called for every customer.
 */
ReturnSetInfo *
result_set(FunctionCallInfo fcinfo)
{
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	return (ReturnSetInfo *) fcinfo->resultinfo;
}

void
begin_rows(FunctionCallInfo fcinfo, void *(*keep) (FunctionCallInfo fcinfo))
{
	FuncCallContext *call = SRF_FIRSTCALL_INIT();
	MemoryContext caller = MemoryContextSwitchTo(call->multi_call_memory_ctx);

	if (get_call_result_type(fcinfo, NULL, &call->tuple_desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	BlessTupleDesc(call->tuple_desc);
	call->user_fctx = keep(fcinfo);
	MemoryContextSwitchTo(caller);
}

/* ---- days and units ---------------------------------------------------------------------------- */

DateADT
checked_day(DateADT day, const char *what)
{
	if (DATE_NOT_FINITE(day))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("%s must be a finite date", what),
				 errdetail("It is '%s'.", DATE_IS_NOBEGIN(day) ? "-infinity" : "infinity"),
				 errhint("Use a date of the calendar; leave out or correct rows with a placeholder date.")));
	if (day < DAY_MIN || day > DAY_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("%s is out of range", what),
				 errdetail("It lies %s; dates run from 0001-01-01 to 9999-12-31.",
						   day < DAY_MIN ? "before the year 1" : "behind the year 9999"),
				 errhint("Use a date of the calendar; leave out or correct rows with a placeholder date.")));
	return day;
}

DateADT
checked_bound(DateADT day, const char *what)
{
	if (DATE_IS_NOBEGIN(day))
		return DAY_MIN - 1;
	if (DATE_IS_NOEND(day))
		return DAY_MAX;
	return checked_day(day, what);
}

DateADT
day_of_timestamp(Timestamp at, const char *what)
{
	if (TIMESTAMP_NOT_FINITE(at))
		return checked_day(at < 0 ? DATEVAL_NOBEGIN : DATEVAL_NOEND, what);

	/* floor, also before 2000-01-01 */
	return checked_day((DateADT) (at >= 0 ? at / USECS_PER_DAY : -((-at + USECS_PER_DAY - 1) / USECS_PER_DAY)), what);
}

/* A stretch of time in which the offset of a zone does not change; all zero matches no time. */
typedef struct Stretch
{
	pg_time_t	begin;
	pg_time_t	end;
	long		gmtoff;
} Stretch;

/* One stretch is remembered for each 12 days (2^20 seconds) out of some 8 years. */
#define STRETCH_SECONDS_LOG2 20
#define STRETCHES 256

/*
 * The offset from UTC of the session's zone; false where pg_localtime() gives up. Order times come by
 * the million and in any order, and looking an offset up costs more than adding the order.
 */
static bool
session_offset(pg_time_t at, long *gmtoff)
{
	static Stretch stretches[STRETCHES];
	static const pg_tz *zone = NULL;
	Stretch    *stretch = &stretches[((uint64) at >> STRETCH_SECONDS_LOG2) % STRETCHES];

	/* zones are never freed, so a pointer identifies one */
	if (zone != session_timezone)
	{
		memset(stretches, 0, sizeof(stretches));
		zone = session_timezone;
	}

	if (at < stretch->begin || at >= stretch->end)
	{
		struct pg_tm *local = pg_localtime(&at, zone);
		long		ignored_offset;
		int			ignored_dst;
		pg_time_t	change;
		int			found;

		if (local == NULL)
			return false;
		*gmtoff = local->tm_gmtoff;
		found = pg_next_dst_boundary(&at, &ignored_offset, &ignored_dst, &change,
									 &ignored_offset, &ignored_dst, zone);
		if (found < 0)
			return true;
		*stretch = (Stretch) {.begin = at, .end = found > 0 ? change : PG_INT64_MAX, .gmtoff = *gmtoff};
	}
	*gmtoff = stretch->gmtoff;
	return true;
}

DateADT
day_of_timestamptz(TimestampTz at, const char *what)
{
	int64		fraction = at % USECS_PER_SEC;
	long		gmtoff;

	if (TIMESTAMP_NOT_FINITE(at))
		return checked_day(at < 0 ? DATEVAL_NOBEGIN : DATEVAL_NOEND, what);

	/* the last fraction of a second before a change of offset has the old one, also before 2000 */
	if (fraction < 0)
		fraction += USECS_PER_SEC;
	if (!session_offset(timestamptz_to_time_t(at - fraction), &gmtoff))
		return checked_day(at < 0 ? DAY_MIN - 1 : DAY_MAX + 1, what);
	return day_of_timestamp(at + (int64) gmtoff * USECS_PER_SEC, what);
}

typedef struct Unit
{
	const char *name;
	double		days;
	int			months;			/* of the calendar */
} Unit;

static const Unit units[] = {{"day", 1, 0}, {"week", 7, 0}, {"month", 30.4375, 1}, {"year", 365.25, 12}};

double
unit_days(const text *unit)
{
	size_t		len = VARSIZE_ANY_EXHDR(unit);

	for (int i = 0; i < lengthof(units); i++)
		if (len == strlen(units[i].name) && memcmp(VARDATA_ANY(unit), units[i].name, len) == 0)
			return units[i].days;
	argument_error("unknown time unit", "Use 'day', 'week', 'month' or 'year'.", "The unit is \"%s\".",
				   excerpt(text_to_cstring(unit)));
}

int
unit_months(double days)
{
	for (int i = 0; i < lengthof(units); i++)
		if (units[i].days == days)
			return units[i].months;
	return 0;
}

int
periods_between(DateADT from, DateADT day, double unit)
{
	int			months = unit_months(unit);
	int			year;
	int			month;
	int			mday;
	int			first_mday;
	int			whole;

	if (months == 0)
		return (day - from) / (int) unit;
	j2date(from + POSTGRES_EPOCH_JDATE, &year, &month, &first_mday);
	whole = -(12 * year + month);
	j2date(day + POSTGRES_EPOCH_JDATE, &year, &month, &mday);
	whole += 12 * year + month;
	if (mday < Min(first_mday, day_tab[isleap(year)][month - 1]))
		whole--;
	return whole / months;
}

const char *
unit_name(double days)
{
	for (int i = 0; i < lengthof(units); i++)
		if (units[i].days == days)
			return units[i].name;
	return NULL;
}

/* ---- text -------------------------------------------------------------------------------------- */

void
append_double(StringInfo buf, double value)
{
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	double_to_shortest_decimal_buf(value, digits);
	appendStringInfoString(buf, digits);
}

void
append_day(StringInfo buf, DateADT day)
{
	int			year;
	int			month;
	int			mday;

	j2date(day + POSTGRES_EPOCH_JDATE, &year, &month, &mday);
	appendStringInfo(buf, "%04d-%02d-%02d", year, month, mday);
}

const char *
day_text(DateADT day)
{
	StringInfoData buf;

	if (day == DAY_NONE)
		return "none";
	initStringInfo(&buf);
	append_day(&buf, day);
	return buf.data;
}

bool
scan_literal(const char **cursor, const char *literal)
{
	size_t		len = strlen(literal);

	if (strncmp(*cursor, literal, len) != 0)
		return false;
	*cursor += len;
	return true;
}

static const char white_space[] = " \t\n\v\f\r";

bool
scan_mark(const char **cursor, const char *mark)
{
	*cursor += strspn(*cursor, white_space);
	if (!scan_literal(cursor, mark))
		return false;
	*cursor += strspn(*cursor, white_space);
	return true;
}

/* strtod() alone would take white space, hexadecimal, "nan" and "inf" */
bool
scan_double(const char **cursor, double *value)
{
	const char *digits = *cursor;
	char	   *end;

	if (*digits == '-')
		digits++;
	if (!(*digits >= '0' && *digits <= '9') || (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X')))
		return false;
	*value = strtod(*cursor, &end);
	if (!isfinite(*value))
		return false;
	*value += 0.0;				/* -0 is 0 */
	*cursor = end;
	return true;
}

bool
scan_int64(const char **cursor, int64 *value)
{
	const char *digits = *cursor;
	char	   *end;

	if (*digits == '-')
		digits++;
	if (!(*digits >= '0' && *digits <= '9'))
		return false;
	errno = 0;
	*value = strtoi64(*cursor, &end, 10);
	if (errno != 0)
		return false;
	*cursor = end;
	return true;
}

/* exactly `count` digits as a number, or -1 */
static int
scan_digits(const char *s, int count)
{
	int			value = 0;

	for (int i = 0; i < count; i++)
	{
		if (s[i] < '0' || s[i] > '9')
			return -1;
		value = value * 10 + (s[i] - '0');
	}
	return value;
}

bool
scan_day(const char **cursor, DateADT *day)
{
	const char *s = *cursor;
	int			year = scan_digits(s, 4);
	int			month = year > 0 && s[4] == '-' ? scan_digits(s + 5, 2) : -1;
	int			mday = month >= 1 && month <= 12 && s[7] == '-' ? scan_digits(s + 8, 2) : -1;

	if (mday < 1 || mday > day_tab[isleap(year)][month - 1])
		return false;
	*day = date2j(year, month, mday) - POSTGRES_EPOCH_JDATE;
	*cursor = s + 10;
	return true;
}

bool
scan_unit(const char **cursor, double *days)
{
	for (int i = 0; i < lengthof(units); i++)
		if (scan_literal(cursor, units[i].name))
		{
			*days = units[i].days;
			return true;
		}
	return false;
}

/* ---- values as bytes --------------------------------------------------------------------------- */

int
compare_bytes(const struct varlena *a, const struct varlena *b)
{
	Size		len_a = VARSIZE(a) - VARHDRSZ;
	Size		len_b = VARSIZE(b) - VARHDRSZ;
	int			order = memcmp((const char *) a + VARHDRSZ, (const char *) b + VARHDRSZ, Min(len_a, len_b));

	if (order == 0)
		order = (len_a > len_b) - (len_a < len_b);
	return order < 0 ? -1 : order > 0 ? 1 : 0;
}

Datum
hash_value_bytes(const struct varlena *value)
{
	return hash_any((const unsigned char *) value + VARHDRSZ, VARSIZE(value) - VARHDRSZ);
}

Datum
hash_value_bytes_extended(const struct varlena *value, uint64 seed)
{
	return hash_any_extended((const unsigned char *) value + VARHDRSZ, VARSIZE(value) - VARHDRSZ, seed);
}
