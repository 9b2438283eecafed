/*
 * sample_io.c - text and binary form of clv_sample.
 *
 * Text: timing(unit=week,as_of=1997-09-30,first=1997-01-01,last=1997-09-28,skipped=2){0:0:27.14*12,1:2:38.8}
 * that is the kind, what is known of the frame (the parentheses are left out when nothing is), and
 * the sorted distinct rows with their counts (*1 is left out).
 */
#include "sample.h"

#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* ---- output ------------------------------------------------------------------------------------ */

PG_FUNCTION_INFO_V1(clv_sample_out);
Datum
clv_sample_out(PG_FUNCTION_ARGS)
{
	ClvSample  *s = PG_GETARG_STORED_SAMPLE(0);
	Rows		rows = sample_rows(s);
	StringInfoData buf;
	int			start;

	initStringInfo(&buf);
	appendStringInfoString(&buf, row_kind_name(s->kind));
	start = buf.len;
	append_frame(&buf, start, &s->frame);
	close_fields(&buf, start);
	appendStringInfoChar(&buf, '{');
	for (size_t i = 0; i < rows.n; i++)
	{
		const double *row = rows_at(&rows, i);

		CHECK_FOR_INTERRUPTS();
		if (i > 0)
			appendStringInfoChar(&buf, ',');
		for (int c = 0; c < rows.ncols; c++)
		{
			if (c > 0)
				appendStringInfoChar(&buf, ':');
			append_double(&buf, row[c]);
		}
		if (row_count(&rows, row) != 1)
			appendStringInfo(&buf, "*%.0f", row_count(&rows, row));
	}
	appendStringInfoChar(&buf, '}');
	PG_RETURN_CSTRING(buf.data);
}

/* ---- invariants of what comes in --------------------------------------------------------------- */

/*
 * What is wrong with a stored sample that came from outside, or NULL. Checks everything the other
 * rooms rely on, and completes n.
 */
static const char *
complete_sample(ClvSample *s)
{
	Rows		rows = sample_rows(s);
	const char *problem = frame_problem(&s->frame);
	const char *hint;

	if (problem)
		return problem;
	s->n = 0;
	for (size_t i = 0; i < rows.n; i++)
	{
		const double *row = rows_at(&rows, i);
		double		count = row_count(&rows, row);
		int			c = 0;

		CHECK_FOR_INTERRUPTS();
		problem = row_problem(s->kind, row, &hint);
		if (problem)
			return problem;
		if (s->kind == ROWS_SPEND && (row[0] == 0 || row[1] == 0))
			return "spend rows need a repeat purchase and a positive mean";
		if (!(count >= 1 && count <= MAX_COUNT && count == (double) (int64) count) || s->n > MAX_COUNT - count)
			return "counts must be whole numbers, 1 or more";
		s->n += (int64) count;

		if (i == 0)
			continue;
		while (c < rows.ncols && rows_at(&rows, i - 1)[c] == row[c])
			c++;
		if (c == rows.ncols || rows_at(&rows, i - 1)[c] > row[c])
			return "rows must be distinct and sorted";
	}
	return NULL;
}

static ClvSample *
stored_sample(RowKind kind, const Frame *frame, int64 nrows)
{
	Size		size = offsetof(ClvSample, data) + nrows * (row_columns(kind) + 1) * sizeof(double);
	ClvSample  *s = palloc0(size);

	SET_VARSIZE(s, size);
	s->version = SAMPLE_VERSION;
	s->kind = kind;
	s->frame = *frame;
	s->nrows = nrows;
	return s;
}

/* ---- text input -------------------------------------------------------------------------------- */

static bool
scan_row(const char **cursor, double *row, int columns)
{
	int64		count = 1;

	for (int c = 0; c < columns; c++)
		if ((c > 0 && !scan_literal(cursor, ":")) || !scan_double(cursor, &row[c]))
			return false;
	if (scan_literal(cursor, "*") && (!scan_int64(cursor, &count) || count > (int64) MAX_COUNT))
		return false;			/* beyond, a double would round it */
	row[columns] = (double) count;
	return true;
}

/* Rows are separated by commas: their number is known before room is made for them. */
static int64
count_rows(const char *rows)
{
	int64		n = *rows != '}' && *rows != '\0';

	for (; *rows; rows++)
		n += *rows == ',';
	return n;
}

static ClvSample *
parse_sample(const char **cursor)
{
	ClvSample  *s;
	Frame		frame;
	RowKind		kind;
	char		separator = '(';
	int64		n;

	if (!row_kind_by_name(cursor, &kind) || !scan_frame(cursor, &separator, &frame) ||
		!scan_fields_end(cursor, separator) || !scan_literal(cursor, "{"))
		return NULL;
	n = count_rows(*cursor);
	if (n > (int64) ((MaxAllocSize - sizeof(ClvSample)) / ((row_columns(kind) + 1) * sizeof(double))))
		return NULL;
	s = stored_sample(kind, &frame, n);
	for (int64 i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if ((i > 0 && !scan_literal(cursor, ",")) ||
			!scan_row(cursor, s->data + i * (row_columns(kind) + 1), row_columns(kind)))
			return NULL;
	}
	return scan_literal(cursor, "}") && **cursor == '\0' ? s : NULL;
}

PG_FUNCTION_INFO_V1(clv_sample_in);
Datum
clv_sample_in(PG_FUNCTION_ARGS)
{
	const char *input = PG_GETARG_CSTRING(0);
	const char *cursor = input;
	ClvSample  *s = parse_sample(&cursor);
	const char *problem;

	if (s == NULL)
		ereturn(fcinfo->context, (Datum) 0,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s", "clv_sample"),
				 errdetail("Unexpected text at position %d: \"%s\".", (int) (cursor - input) + 1, excerpt(cursor)),
				 errhint("A sample reads like timing(unit=week,as_of=2026-01-01){0:0:12*3,1:2.5:12}; "
						 "build it with the aggregate clv_sample().")));
	problem = complete_sample(s);
	if (problem)
		ereturn(fcinfo->context, (Datum) 0,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid value of type %s", "clv_sample"), errdetail("Not valid: %s.", problem),
				 errhint("Build samples with the aggregate clv_sample().")));
	PG_RETURN_POINTER(s);
}

/* ---- binary ------------------------------------------------------------------------------------ */

PG_FUNCTION_INFO_V1(clv_sample_send);
Datum
clv_sample_send(PG_FUNCTION_ARGS)
{
	ClvSample  *s = PG_GETARG_STORED_SAMPLE(0);
	int64		doubles = s->nrows * (row_columns(s->kind) + 1);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendint16(&buf, s->version);
	pq_sendint16(&buf, s->kind);
	send_frame(&buf, &s->frame);
	pq_sendint64(&buf, s->nrows);
	for (int64 i = 0; i < doubles; i++)
	{
		CHECK_FOR_INTERRUPTS();
		pq_sendfloat8(&buf, s->data[i]);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

PG_FUNCTION_INFO_V1(clv_sample_recv);
Datum
clv_sample_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			version = pq_getmsgint(buf, 2);
	int			kind = pq_getmsgint(buf, 2);
	Frame		frame;
	ClvSample  *s;
	int64		nrows;
	int64		doubles_per_row;
	const char *problem;

	if (version != SAMPLE_VERSION)
		invalid_binary("clv_sample", "unknown version");
	if (kind < ROWS_TIMING || kind > ROWS_CASH_FLOW)
		invalid_binary("clv_sample", "unknown kind of rows");
	recv_frame(buf, &frame);
	nrows = pq_getmsgint64(buf);

	doubles_per_row = row_columns(kind) + 1;
	if (nrows < 0 || nrows != (buf->len - buf->cursor) / (doubles_per_row * (int64) sizeof(double)))
		invalid_binary("clv_sample", "the number of rows does not fit the length");
	s = stored_sample(kind, &frame, nrows);
	for (int64 i = 0; i < nrows * doubles_per_row; i++)
	{
		CHECK_FOR_INTERRUPTS();
		s->data[i] = pq_getmsgfloat8(buf) + 0.0;	/* -0 is 0 */
	}
	pq_getmsgend(buf);
	problem = complete_sample(s);
	if (problem)
		invalid_binary("clv_sample", problem);
	PG_RETURN_POINTER(s);
}
