/*
 * sample_io.c - text and binary form of clv_sample.
 *
 * Text: timing(unit=week,as_of=1997-09-30,first=1997-01-01,last=1997-09-28,skipped=2){0:0:27.14*12,1:2:38.8}
 * that is the kind, what is known of the frame (the parentheses are left out when nothing is), and
 * the sorted distinct rows with their counts (*1 is left out). Behind the frame stand, of timing rows, the
 * number of covariates where there are some, and the sum of log gaps where it is known.
 */
#include "sample.h"

#include <math.h>

#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* The sum of log gaps exactly: "-0.25" is kept as whole = -1, fraction = 0.75. */
static void
append_log_gaps(StringInfo buf, int64 whole, int64 fraction)
{
	char		digits[GAPS_DIGITS + 1];
	int			length = GAPS_DIGITS;
	bool		negative = whole < 0;

	if (negative && fraction > 0)
	{
		whole++;
		fraction = GAPS_SCALE - fraction;
	}
	appendStringInfo(buf, "%s" UINT64_FORMAT, negative ? "-" : "", (uint64) (negative ? -whole : whole));
	if (fraction == 0)
		return;
	snprintf(digits, sizeof(digits), "%0*lld", GAPS_DIGITS, (long long) fraction);
	while (digits[length - 1] == '0')
		length--;
	appendStringInfo(buf, ".%.*s", length, digits);
}

/* ---- output ------------------------------------------------------------------------------------ */

PG_FUNCTION_INFO_V1(clv_sample_out);
Datum
clv_sample_out(PG_FUNCTION_ARGS)
{
	ClvSample  *s = PG_GETARG_STORED_SAMPLE(0);
	int			ncovariates = sample_covariates(s);
	StringInfoData buf;
	int			start;

	initStringInfo(&buf);
	appendStringInfoString(&buf, row_kind_name(s->kind));
	start = buf.len;
	append_frame(&buf, start, &s->frame);
	if (ncovariates > 0)
	{
		append_field(&buf, start, "covariates");
		appendStringInfo(&buf, "%d", ncovariates);
	}
	if (s->gaps_known)
	{
		append_field(&buf, start, "log_gaps");
		append_log_gaps(&buf, s->gaps_whole, s->gaps_fraction);
	}
	close_fields(&buf, start);
	appendStringInfoChar(&buf, '{');
	for (int64 i = 0; i < s->nrows; i++)
	{
		const double *row = sample_row(s, i);

		CHECK_FOR_INTERRUPTS();
		if (i > 0)
			appendStringInfoChar(&buf, ',');
		for (int c = 0; c < s->columns; c++)
		{
			if (c > 0)
				appendStringInfoChar(&buf, ':');
			append_double(&buf, row[c]);
		}
		if (row[s->columns] != 1)
			appendStringInfo(&buf, "*%.0f", row[s->columns]);
	}
	appendStringInfoChar(&buf, '}');
	PG_RETURN_CSTRING(buf.data);
}

/* ---- invariants of what comes in --------------------------------------------------------------- */

/* How many covariates, or regressors and cluster, a sample of the kind may have. */
static int64
most_covariates(RowKind kind)
{
	switch ((int) kind)
	{
		case ROWS_TIMING:
			return ROWS_MAX_COVARIATES;
		case ROWS_RESPONSE:
		case ROWS_SURVIVAL:
			return ROWS_MAX_REGRESSORS;
		case ROWS_CLUSTERED:
		case ROWS_CLUSTERED_SURVIVAL:
		case ROWS_EFFECT:
			return 1 + ROWS_MAX_REGRESSORS;
	}
	return 0;
}

/* How many a row must have. */
static int
least_covariates(RowKind kind)
{
	return kind == ROWS_CLUSTERED || kind == ROWS_CLUSTERED_SURVIVAL || kind == ROWS_EFFECT;
}

/*
 * What is wrong with a stored sample that came from outside, or NULL. Checks everything the other
 * rooms rely on, and completes n.
 */
static const char *
complete_sample(ClvSample *s)
{
	int			ncovariates = sample_covariates(s);
	const char *problem = frame_problem(&s->frame);
	const char *hint;

	if (problem)
		return problem;
	if (s->nrows > 0 && ncovariates < least_covariates(s->kind))
		return "rows of this kind begin with the number of a cluster or unit";
	if (s->gaps_known && !row_kind_has_gaps(s->kind))
		return "only timing and holdout rows have log_gaps";
	if (s->gaps_whole > (int64) MAX_COUNT || s->gaps_whole < -(int64) MAX_COUNT)
		return "log_gaps is out of range";
	s->n = 0;
	for (int64 i = 0; i < s->nrows; i++)
	{
		const double *row = sample_row(s, i);
		double		count = row[s->columns];
		int			c;

		CHECK_FOR_INTERRUPTS();
		for (c = 0; c < ncovariates; c++)
			if (!isfinite(row[c]))
				return "covariates must be finite";
		problem = row_problem(s->kind, row + ncovariates, &hint);
		if (problem)
			return problem;
		if (s->kind == ROWS_SPEND && (row[0] == 0 || row[1] == 0))
			return "spend rows need a repeat purchase and a positive mean";
		if (!(count >= 1 && count <= MAX_COUNT && count == (double) (int64) count) || s->n > MAX_COUNT - count)
			return "counts must be whole numbers, 1 or more";
		s->n += (int64) count;

		if (i == 0)
			continue;
		c = 0;
		while (c < s->columns && sample_row(s, i - 1)[c] == row[c])
			c++;
		if (c == s->columns || sample_row(s, i - 1)[c] > row[c])
			return "rows must be distinct and sorted";
	}
	return NULL;
}

/* A value with the header `head`, whose kind, columns, frame, gaps and number of rows are set, and empty rows. */
static ClvSample *
stored_sample(const ClvSample *head)
{
	Size		size = offsetof(ClvSample, data) + head->nrows * (head->columns + 1) * sizeof(double);
	ClvSample  *s = palloc0(size);

	memcpy(s, head, offsetof(ClvSample, data));
	SET_VARSIZE(s, size);
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

/* What append_log_gaps() writes, and nothing else. */
static bool
scan_log_gaps(const char **cursor, int64 *whole, int64 *fraction)
{
	bool		negative = **cursor == '-';
	int64		unit = GAPS_SCALE;

	if (!scan_int64(cursor, whole) || *whole > (int64) MAX_COUNT || *whole < -(int64) MAX_COUNT)
		return false;
	*fraction = 0;
	if (scan_literal(cursor, "."))
		for (; **cursor >= '0' && **cursor <= '9'; (*cursor)++)
		{
			unit /= 10;			/* 0 where there are too many digits */
			if (unit == 0)
				return false;
			*fraction += unit * (**cursor - '0');
		}
	if (negative && *fraction > 0)
	{
		*fraction = GAPS_SCALE - *fraction;
		*whole -= 1;
	}
	return true;
}

/* Everything before the rows, whose number is counted. */
static bool
scan_header(const char **cursor, ClvSample *head)
{
	RowKind		kind;
	int64		covariates = 0;
	char		separator = '(';

	if (!row_kind_by_name(cursor, &kind) || !scan_frame(cursor, &separator, &head->frame))
		return false;
	if (scan_field(cursor, &separator, "covariates") &&
		!(scan_int64(cursor, &covariates) && covariates >= 1 && covariates <= most_covariates(kind)))
		return false;
	head->gaps_known = scan_field(cursor, &separator, "log_gaps");
	if (head->gaps_known && !scan_log_gaps(cursor, &head->gaps_whole, &head->gaps_fraction))
		return false;
	if (!scan_fields_end(cursor, separator) || !scan_literal(cursor, "{"))
		return false;
	head->version = SAMPLE_VERSION;
	head->kind = kind;
	head->columns = (int16) (row_columns(kind) + covariates);
	head->nrows = count_rows(*cursor);
	return head->nrows <= (int64) ((MaxAllocSize - sizeof(ClvSample)) / ((head->columns + 1) * sizeof(double)));
}

static ClvSample *
parse_sample(const char **cursor)
{
	ClvSample	head = {0};
	ClvSample  *s;

	if (!scan_header(cursor, &head))
		return NULL;
	s = stored_sample(&head);
	for (int64 i = 0; i < s->nrows; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if ((i > 0 && !scan_literal(cursor, ",")) || !scan_row(cursor, s->data + i * (s->columns + 1), s->columns))
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
	int64		doubles = s->nrows * (s->columns + 1);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendint16(&buf, s->version);
	pq_sendint16(&buf, s->kind);
	pq_sendint16(&buf, sample_covariates(s));
	pq_sendint16(&buf, s->gaps_known);
	send_frame(&buf, &s->frame);
	pq_sendint64(&buf, s->gaps_whole);
	pq_sendint64(&buf, s->gaps_fraction);
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
	int			covariates = pq_getmsgint(buf, 2);
	int			gaps_known = pq_getmsgint(buf, 2);
	ClvSample	head = {.version = SAMPLE_VERSION, .kind = kind, .gaps_known = gaps_known};
	ClvSample  *s;
	int64		doubles;
	const char *problem;

	if (version != SAMPLE_VERSION)
		invalid_binary("clv_sample", "unknown version");
	if (!row_kind_known(kind))
		invalid_binary("clv_sample", "unknown kind of rows");
	if (covariates > most_covariates(kind))
		invalid_binary("clv_sample", "too many covariates");
	recv_frame(buf, &head.frame);
	head.gaps_whole = pq_getmsgint64(buf);
	head.gaps_fraction = pq_getmsgint64(buf);
	head.nrows = pq_getmsgint64(buf);
	if (gaps_known > 1 || head.gaps_fraction < 0 || head.gaps_fraction >= GAPS_SCALE ||
		(!gaps_known && (head.gaps_whole != 0 || head.gaps_fraction != 0)))
		invalid_binary("clv_sample", "log_gaps is not in its shortest form");

	head.columns = row_columns(kind) + covariates;
	doubles = head.columns + 1;
	if (head.nrows < 0 || head.nrows != (buf->len - buf->cursor) / (doubles * (int64) sizeof(double)))
		invalid_binary("clv_sample", "the number of rows does not fit the length");
	doubles *= head.nrows;
	s = stored_sample(&head);
	for (int64 i = 0; i < doubles; i++)
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
