/*
 * frame.c - what the rows of a sample, and the model fitted to them, have in common.
 */
#include "frame.h"

#include <math.h>

#include "libpq/pqformat.h"

void
frame_cover(Frame *frame, DateADT first_day, DateADT last_day)
{
	if (first_day != DAY_NONE && (frame->first_day == DAY_NONE || first_day < frame->first_day))
		frame->first_day = first_day;
	if (last_day != DAY_NONE && (frame->last_day == DAY_NONE || last_day > frame->last_day))
		frame->last_day = last_day;
}

const char *
frame_problem(const Frame *frame)
{
	if (frame->unit_days != 0 && unit_name(frame->unit_days) == NULL)
		return "unknown time unit";
	if (frame->as_of != DAY_NONE && (frame->as_of < DAY_MIN || frame->as_of > DAY_MAX))
		return "as_of is out of range";
	if (frame->until != DAY_NONE &&
		(frame->as_of == DAY_NONE || frame->until <= frame->as_of || frame->until > DAY_MAX))
		return "until must be a day after as_of";
	if ((frame->first_day == DAY_NONE) != (frame->last_day == DAY_NONE))
		return "the first and the last day of the data come together";
	if (frame->first_day != DAY_NONE &&
		(frame->as_of == DAY_NONE || frame->first_day < DAY_MIN || frame->first_day > frame->last_day ||
		 frame->last_day > frame->as_of))
		return "the days of the data must be in order and not after as_of";
	if (frame->n_skipped < 0 || frame->n_skipped > MAX_COUNT)
		return "the number of skipped rows is out of range";
	return NULL;
}

/* ---- text -------------------------------------------------------------------------------------- */

void
append_field(StringInfo buf, int start, const char *name)
{
	appendStringInfo(buf, "%c%s=", buf->len == start ? '(' : ',', name);
}

void
close_fields(StringInfo buf, int start)
{
	if (buf->len > start)
		appendStringInfoChar(buf, ')');
}

void
append_frame(StringInfo buf, int start, const Frame *frame)
{
	if (frame->unit_days != 0)
	{
		append_field(buf, start, "unit");
		appendStringInfoString(buf, unit_name(frame->unit_days));
	}
	if (frame->as_of != DAY_NONE)
	{
		append_field(buf, start, "as_of");
		append_day(buf, frame->as_of);
	}
	if (frame->until != DAY_NONE)
	{
		append_field(buf, start, "until");
		append_day(buf, frame->until);
	}
	if (frame->first_day != DAY_NONE)
	{
		append_field(buf, start, "first");
		append_day(buf, frame->first_day);
		append_field(buf, start, "last");
		append_day(buf, frame->last_day);
	}
	if (frame->n_skipped != 0)
	{
		append_field(buf, start, "skipped");
		appendStringInfo(buf, INT64_FORMAT, frame->n_skipped);
	}
}

bool
scan_field(const char **cursor, char *separator, const char *name)
{
	const char *s = *cursor;

	if (*s++ != *separator || !scan_literal(&s, name) || *s++ != '=')
		return false;
	*separator = ',';
	*cursor = s;
	return true;
}

bool
scan_frame(const char **cursor, char *separator, Frame *frame)
{
	*frame = (Frame) FRAME_OF_NUMBERS;
	if (scan_field(cursor, separator, "unit") && !scan_unit(cursor, &frame->unit_days))
		return false;
	if (scan_field(cursor, separator, "as_of") && !scan_day(cursor, &frame->as_of))
		return false;
	if (scan_field(cursor, separator, "until") && !scan_day(cursor, &frame->until))
		return false;
	if (scan_field(cursor, separator, "first") && !scan_day(cursor, &frame->first_day))
		return false;
	if (scan_field(cursor, separator, "last") && !scan_day(cursor, &frame->last_day))
		return false;
	if (scan_field(cursor, separator, "skipped") && !scan_int64(cursor, &frame->n_skipped))
		return false;
	return true;
}

bool
scan_fields_end(const char **cursor, char separator)
{
	return separator == '(' || scan_literal(cursor, ")");
}

/* ---- binary ------------------------------------------------------------------------------------ */

void
send_frame(StringInfo buf, const Frame *frame)
{
	pq_sendfloat8(buf, frame->unit_days);
	pq_sendint64(buf, frame->n_skipped);
	pq_sendint32(buf, frame->as_of);
	pq_sendint32(buf, frame->until);
	pq_sendint32(buf, frame->first_day);
	pq_sendint32(buf, frame->last_day);
}

void
recv_frame(StringInfo buf, Frame *frame)
{
	frame->unit_days = pq_getmsgfloat8(buf) + 0.0;	/* -0 is 0 */
	frame->n_skipped = pq_getmsgint64(buf);
	frame->as_of = pq_getmsgint(buf, 4);
	frame->until = pq_getmsgint(buf, 4);
	frame->first_day = pq_getmsgint(buf, 4);
	frame->last_day = pq_getmsgint(buf, 4);
}
