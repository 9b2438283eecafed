/*
 * frame.h - what the rows of a sample, and the model fitted to them, have in common: the time unit,
 * the date up to which was observed, the days the data cover, how many rows had to be left out.
 */
#ifndef CLV_FRAME_H
#define CLV_FRAME_H

#include "common.h"

typedef struct Frame
{
	double		unit_days;		/* time unit in days, 0 for raw numbers */
	int64		n_skipped;		/* rows the kind has no use for, such as spend without a repeat purchase */
	DateADT		as_of;			/* DAY_NONE for raw numbers, as are the other days */
	DateADT		first_day;		/* earliest first purchase */
	DateADT		last_day;		/* latest purchase up to as_of */
	DateADT		until;			/* end of a holdout that begins after as_of; DAY_NONE without one */
} Frame;

#define FRAME_OF_NUMBERS \
	{.unit_days = 0, .as_of = DAY_NONE, .first_day = DAY_NONE, .last_day = DAY_NONE, .until = DAY_NONE}

/* A frame of dates, before any data. */
static inline Frame
frame_at(double unit_days, DateADT as_of)
{
	Frame		frame = FRAME_OF_NUMBERS;

	frame.unit_days = unit_days;
	frame.as_of = as_of;
	return frame;
}

/* Widen the span of days the data cover; DAY_NONE adds nothing. */
extern void frame_cover(Frame *frame, DateADT first_day, DateADT last_day);

/* What is wrong with a frame that came from outside, as a static message, or NULL. */
extern const char *frame_problem(const Frame *frame);

/*
 * Text form: fields in fixed order, "(unit=week,as_of=2026-01-01,until=...,first=...,last=...,skipped=3";
 * what is unknown is left out. Further fields of the caller may follow. `start` is where the parenthesis goes.
 */
extern void append_field(StringInfo buf, int start, const char *name);
extern void append_frame(StringInfo buf, int start, const Frame *frame);
extern void close_fields(StringInfo buf, int start);

/* Reading the same: *separator is '(' before the first field. scan_field answers whether NAME= is next. */
extern bool scan_field(const char **cursor, char *separator, const char *name);
extern bool scan_frame(const char **cursor, char *separator, Frame *frame);
extern bool scan_fields_end(const char **cursor, char separator);

extern void send_frame(StringInfo buf, const Frame *frame);
extern void recv_frame(StringInfo buf, Frame *frame);

#endif
