/*
 * pg_stub.c - stands in for the backend functions that the types' sources call. See pg_stub.h.
 */
#include "pg_stub.h"

#include <signal.h>

#include <setjmp.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "common.h"

/* ---- calls and errors -------------------------------------------------------------------------- */

static jmp_buf on_error;
static char last_error[1024];

static bool
call(FunctionCallInfo fcinfo, PGFunction function, Datum *result)
{
	if (setjmp(on_error) != 0)
		return false;
	*result = function(fcinfo);
	STUB_CHECK(!fcinfo->isnull);
	return true;
}

bool
stub_call(PGFunction function, Datum a, Datum *result)
{
	LOCAL_FCINFO(fcinfo, 1);

	InitFunctionCallInfoData(*fcinfo, NULL, 1, InvalidOid, NULL, NULL);
	fcinfo->args[0] = (NullableDatum) {a, false};
	return call(fcinfo, function, result);
}

bool
stub_call2(PGFunction function, Datum a, Datum b, Datum *result)
{
	LOCAL_FCINFO(fcinfo, 2);

	InitFunctionCallInfoData(*fcinfo, NULL, 2, InvalidOid, NULL, NULL);
	fcinfo->args[0] = (NullableDatum) {a, false};
	fcinfo->args[1] = (NullableDatum) {b, false};
	return call(fcinfo, function, result);
}

const char *
stub_error(void)
{
	return last_error;
}

void
stub_finding(const char *condition, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
	stub_finding("no row type", __FILE__, __LINE__);
}

bool
errstart(int elevel, const char *domain)
{
	return elevel >= ERROR;
}

bool
errstart_cold(int elevel, const char *domain)
{
	return errstart(elevel, domain);
}

void
errfinish(const char *filename, int lineno, const char *funcname)
{
	longjmp(on_error, 1);
}

#if PG_VERSION_NUM >= 160000
bool
errsave_start(struct Node *context, const char *domain)
{
	return true;
}

void
errsave_finish(struct Node *context, const char *filename, int lineno, const char *funcname)
{
	longjmp(on_error, 1);
}
#endif

int
errcode(int sqlerrcode)
{
	/* an error that user data cause has a class of its own, never XX000 */
	STUB_CHECK(sqlerrcode != ERRCODE_INTERNAL_ERROR);
	return 0;
}

/* Every text of an error is formatted, so that its arguments are looked at. */
#define DEFINE_ERROR_TEXT(NAME) \
	int \
	NAME(const char *format, ...) \
	{ \
		va_list		args; \
		va_start(args, format); \
		vsnprintf(last_error, sizeof(last_error), format, args); \
		va_end(args); \
		return 0; \
	}

DEFINE_ERROR_TEXT(errhint)
DEFINE_ERROR_TEXT(errdetail)
DEFINE_ERROR_TEXT(errmsg)

/* elog(): what cannot happen */
int
errmsg_internal(const char *format, ...)
{
	stub_finding(format, __FILE__, __LINE__);
}

/* ---- memory ------------------------------------------------------------------------------------ */

/* Blocks are malloc'd one by one, so that the sanitizer sees both ends of each. */
static void **blocks;
static size_t nblocks;
static size_t max_blocks;

void *
palloc(Size size)
{
	void	   *block;

	if (!AllocSizeIsValid(size))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("invalid memory alloc request size %zu", size)));
	if (nblocks == max_blocks)
	{
		max_blocks = 2 * max_blocks + 64;
		blocks = realloc(blocks, max_blocks * sizeof(void *));
	}
	block = malloc(size);
	STUB_CHECK(blocks != NULL && block != NULL);
	blocks[nblocks++] = block;
	return block;
}

void *
palloc0(Size size)
{
	return memset(palloc(size), 0, size);
}

void
pfree(void *pointer)
{
	size_t		i = nblocks;

	while (i > 0 && blocks[i - 1] != pointer)
		i--;
	STUB_CHECK(i > 0);
	blocks[i - 1] = blocks[--nblocks];
	free(pointer);
}

/* Always moves, so that a pointer kept into the old block is found. The old size is not known. */
void *
repalloc(void *pointer, Size size)
{
	size_t		i = nblocks;

	while (i > 0 && blocks[i - 1] != pointer)
		i--;
	STUB_CHECK(i > 0 && AllocSizeIsValid(size));
	blocks[i - 1] = realloc(pointer, size);
	STUB_CHECK(blocks[i - 1] != NULL);
	return blocks[i - 1];
}

char *
pstrdup(const char *string)
{
	return stub_cstring(string, strlen(string));
}

char *
pnstrdup(const char *string, Size length)
{
	return stub_cstring(string, strnlen(string, length));
}

char *
stub_cstring(const char *bytes, size_t len)
{
	char	   *copy = palloc(len + 1);

	if (len > 0)
		memcpy(copy, bytes, len);
	copy[len] = '\0';
	return copy;
}

void
stub_free_all(void)
{
	while (nblocks > 0)
		free(blocks[--nblocks]);
	free(blocks);
	blocks = NULL;
	max_blocks = 0;
}

/* ---- values ------------------------------------------------------------------------------------ */

/* Nothing is toasted here. */
struct varlena *
pg_detoast_datum(struct varlena *datum)
{
	return datum;
}

struct varlena *
pg_detoast_datum_copy(struct varlena *datum)
{
	return memcpy(palloc(VARSIZE(datum)), datum, VARSIZE(datum));
}

struct varlena *
pg_detoast_datum_packed(struct varlena *datum)
{
	return datum;
}

char *
text_to_cstring(const text *t)
{
	return stub_cstring(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t));
}

text *
cstring_to_text_with_len(const char *bytes, int len)
{
	text	   *t = palloc(len + VARHDRSZ);

	SET_VARSIZE(t, len + VARHDRSZ);
	memcpy(VARDATA(t), bytes, len);
	return t;
}

text *
cstring_to_text(const char *string)
{
	return cstring_to_text_with_len(string, strlen(string));
}

/* single bytes */
int
pg_mbcliplen(const char *text, int len, int limit)
{
	return Min(len, limit);
}

volatile sig_atomic_t InterruptPending = false;

void
ProcessInterrupts(void)
{
}

Datum
DirectFunctionCall1Coll(PGFunction function, Oid collation, Datum a)
{
	Datum		result;

	STUB_CHECK(stub_call(function, a, &result));
	return result;
}

/* JSON as it was written */
Datum
jsonb_in(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

int
AggCheckCallContext(FunctionCallInfo fcinfo, MemoryContext *context)
{
	return 0;
}

/* Rows as results: input and output functions return none. */
MemoryContext CurrentMemoryContext;

FuncCallContext *
init_MultiFuncCall(FunctionCallInfo fcinfo)
{
	stub_finding("no row type", __FILE__, __LINE__);
}

TypeFuncClass
get_call_result_type(FunctionCallInfo fcinfo, Oid *type, TupleDesc *desc)
{
	stub_finding("no row type", __FILE__, __LINE__);
}

TupleDesc
BlessTupleDesc(TupleDesc desc)
{
	stub_finding("no row type", __FILE__, __LINE__);
}

HeapTuple
heap_form_tuple(TupleDesc desc, Datum *values, bool *nulls)
{
	stub_finding("no row type", __FILE__, __LINE__);
}

Datum
HeapTupleHeaderGetDatum(HeapTupleHeader tuple)
{
	stub_finding("no row type", __FILE__, __LINE__);
}

void
InitMaterializedSRF(FunctionCallInfo fcinfo, bits32 flags)
{
	stub_finding("no row type", __FILE__, __LINE__);
}

/* ---- dates ------------------------------------------------------------------------------------- */

const int	day_tab[2][13] = {
	{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0},
	{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0}
};

pg_tz	   *session_timezone = NULL;

/* Days of the Julian calendar's day count, by years that begin in March. */
int
date2j(int year, int month, int day)
{
	int			before_march = month <= 2;
	int			y = year + 4800 - before_march;
	int			m = month - 3 + 12 * before_march;

	return day + (153 * m + 2) / 5 + 365 * y + y / 4 - y / 100 + y / 400 - 32045;
}

void
j2date(int jd, int *year, int *month, int *day)
{
	int			days = jd + 32044;
	int			centuries = (4 * days + 3) / 146097;
	int			in_century = days - 146097 * centuries / 4;
	int			years = (4 * in_century + 3) / 1461;
	int			in_year = in_century - 1461 * years / 4;
	int			m = (5 * in_year + 2) / 153;

	*day = in_year - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = 100 * centuries + years - 4800 + (m >= 10);
}

/* Input and output of values does not look at clocks or do arithmetic in numeric. */

pg_time_t
timestamptz_to_time_t(TimestampTz at)
{
	stub_finding("no time zone", __FILE__, __LINE__);
}

struct pg_tm *
pg_localtime(const pg_time_t *at, const pg_tz *zone)
{
	stub_finding("no time zone", __FILE__, __LINE__);
}

int
pg_next_dst_boundary(const pg_time_t *at, long *before_offset, int *before_dst, pg_time_t *boundary,
					 long *after_offset, int *after_dst, const pg_tz *zone)
{
	stub_finding("no time zone", __FILE__, __LINE__);
}

Numeric
int64_div_fast_to_numeric(int64 value, int log10_divisor)
{
	stub_finding("no numeric", __FILE__, __LINE__);
}

/* ---- messages ---------------------------------------------------------------------------------- */

StringInfo
stub_message(const char *bytes, int len)
{
	StringInfo	message = palloc0(sizeof(StringInfoData));

	/* of exactly this size, so that reading past its end is found */
	message->data = palloc(len);
	message->len = message->maxlen = len;
	if (len > 0)
		memcpy(message->data, bytes, len);
	return message;
}

const char *
pq_getmsgbytes(StringInfo message, int len)
{
	const char *bytes = message->data + message->cursor;

	if (len < 0 || len > message->len - message->cursor)
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION), errmsg("insufficient data left in message")));
	message->cursor += len;
	return bytes;
}

void
pq_copymsgbytes(StringInfo message, char *to, int len)
{
	memcpy(to, pq_getmsgbytes(message, len), len);
}

int64
pq_getmsgint64(StringInfo message)
{
	const unsigned char *bytes = (const unsigned char *) pq_getmsgbytes(message, 8);
	uint64		value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | bytes[i];
	return (int64) value;
}

unsigned int
pq_getmsgint(StringInfo message, int len)
{
	const unsigned char *bytes = (const unsigned char *) pq_getmsgbytes(message, len);
	unsigned int value = 0;

	for (int i = 0; i < len; i++)
		value = value << 8 | bytes[i];
	return value;
}

int
pq_getmsgbyte(StringInfo message)
{
	return (int) pq_getmsgint(message, 1);
}

float8
pq_getmsgfloat8(StringInfo message)
{
	int64		bits = pq_getmsgint64(message);
	float8		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

void
pq_getmsgend(StringInfo message)
{
	if (message->cursor != message->len)
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION), errmsg("invalid message format")));
}

void
pq_begintypsend(StringInfo buf)
{
	initStringInfo(buf);
	appendBinaryStringInfo(buf, "\0\0\0\0", VARHDRSZ);
}

bytea *
pq_endtypsend(StringInfo buf)
{
	SET_VARSIZE(buf->data, buf->len);
	return (bytea *) buf->data;
}

void
pq_sendbytes(StringInfo buf, const char *bytes, int len)
{
	appendBinaryStringInfo(buf, bytes, len);
}

void
pq_sendfloat8(StringInfo buf, float8 value)
{
	int64		bits;

	memcpy(&bits, &value, sizeof(bits));
	pq_sendint64(buf, bits);
}

/* ---- values of a type -------------------------------------------------------------------------- */

bool
stub_same_bytes(Datum a, Datum b)
{
	return compare_bytes((struct varlena *) DatumGetPointer(a), (struct varlena *) DatumGetPointer(b)) == 0;
}

void
stub_check_round_trip(const StubType *type, Datum value)
{
	Datum		text;
	Datum		text_again;
	Datum		bytes;
	Datum		again;

	STUB_CHECK(stub_call(type->out, value, &text));
	STUB_CHECK(stub_call(type->in, text, &again));
	STUB_CHECK(stub_same_bytes(value, again));
	STUB_CHECK(stub_call(type->out, again, &text_again));
	STUB_CHECK(strcmp(DatumGetCString(text), DatumGetCString(text_again)) == 0);

	STUB_CHECK(stub_call(type->send, value, &bytes));
	STUB_CHECK(stub_call(type->recv, PointerGetDatum(stub_message(VARDATA(DatumGetPointer(bytes)),
																 VARSIZE(DatumGetPointer(bytes)) - VARHDRSZ)),
						 &again));
	STUB_CHECK(stub_same_bytes(value, again));
}

int
stub_read(const StubType *type, const uint8_t *data, size_t size, Datum *first, Datum *second)
{
	const char *bytes = (const char *) data + 1;
	const char *semicolon;
	size_t		first_len;

	if (size == 0)
		return 0;
	if (data[0] % 2 == 1)
	{
		if (!stub_call(type->recv, PointerGetDatum(stub_message(bytes, (int) size - 1)), first))
			return 0;
		stub_check_round_trip(type, *first);
		return 1;
	}

	semicolon = memchr(bytes, ';', size - 1);
	first_len = semicolon != NULL ? (size_t) (semicolon - bytes) : size - 1;
	if (!stub_call(type->in, CStringGetDatum(stub_cstring(bytes, first_len)), first))
		return 0;
	stub_check_round_trip(type, *first);
	if (semicolon == NULL ||
		!stub_call(type->in, CStringGetDatum(stub_cstring(semicolon + 1, size - first_len - 2)), second))
		return 1;
	stub_check_round_trip(type, *second);
	return 2;
}
