/*
 * sample_aggregates.c - the aggregates that make a clv_sample: one transition for each form of a row.
 */
#include "sample.h"

#include "history.h"

static const Frame raw_numbers = FRAME_OF_NUMBERS;

PG_FUNCTION_INFO_V1(clv_sample_add_timing);
Datum
clv_sample_add_timing(PG_FUNCTION_ARGS)
{
	ClvSample  *s;
	double		row[3];

	for (int i = 0; i < 3; i++)
	{
		if (PG_ARGISNULL(i + 1))
			return unchanged_state(fcinfo);
		row[i] = PG_GETARG_FLOAT8(i + 1);
	}
	check_row(ROWS_TIMING, row);
	s = sample_state(fcinfo, ROWS_TIMING, 0, &raw_numbers);
	sample_forget_log_gaps(s);
	PG_RETURN_POINTER(sample_add(s, row, 1));
}

/* Only repeat purchases with a positive mean say something about spend. */
static ClvSample *
add_spend(ClvSample *s, double x, double mean)
{
	double		row[2] = {x, mean};

	check_row(ROWS_SPEND, row);
	if (x > 0 && mean > 0)
		return sample_add(s, row, 1);
	sample_skip(s, 1);
	return s;
}

PG_FUNCTION_INFO_V1(clv_sample_add_spend);
Datum
clv_sample_add_spend(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return unchanged_state(fcinfo);
	PG_RETURN_POINTER(add_spend(sample_state(fcinfo, ROWS_SPEND, 0, &raw_numbers), PG_GETARG_FLOAT8(1),
								PG_GETARG_FLOAT8(2)));
}

static ClvSample *
add_history_timing(FunctionCallInfo fcinfo, DateADT as_of, double unit)
{
	Frame		frame = frame_at(unit, checked_day(as_of, "as_of"));
	ClvSample  *s = sample_state(fcinfo, ROWS_TIMING, 0, &frame);
	HistorySummary h;

	sample_forget_log_gaps(s);
	if (!history_summary(PG_GETARG_HISTORY(1), as_of, &h))
	{
		sample_skip(s, 1);		/* not a customer yet */
		return s;
	}
	frame_cover(&s->frame, h.first, h.last);
	return sample_add(s, (double[]) {h.x, h.t_x / unit, h.tenure / unit}, 1);
}

static ClvSample *
add_history_spend(FunctionCallInfo fcinfo, DateADT as_of)
{
	Frame		frame = frame_at(0, checked_day(as_of, "as_of"));
	ClvSample  *s = sample_state(fcinfo, ROWS_SPEND, 0, &frame);
	HistorySummary h;

	if (!history_summary(PG_GETARG_HISTORY(1), as_of, &h))
	{
		sample_skip(s, 1);
		return s;
	}
	if (!h.has_money)
		argument_error("these histories hold no amounts", "Build them with purchase_history(ordered_at, amount).",
					   "A spend model needs the amount of every purchase.");
	frame_cover(&s->frame, h.first, h.last);
	return add_spend(s, h.x, h.x > 0 ? micro_mean(h.repeat_spend, h.x) : 0);
}

/* One transition per form of the date: with and without unit. */
#define AS_OF_DATE PG_GETARG_DATEADT(2)
#define AS_OF_TIMESTAMPTZ day_of_timestamptz(PG_GETARG_TIMESTAMPTZ(2), "as_of")

#define DEFINE_HISTORY_TRANSITION(NAME, NARGS, ADD) \
	PG_FUNCTION_INFO_V1(NAME); \
	Datum NAME(PG_FUNCTION_ARGS) \
	{ \
		for (int i = 1; i < (NARGS); i++) \
			if (PG_ARGISNULL(i)) \
				return unchanged_state(fcinfo); \
		PG_RETURN_POINTER(ADD); \
	}

DEFINE_HISTORY_TRANSITION(clv_sample_add_history, 3, add_history_timing(fcinfo, AS_OF_DATE, 1))
DEFINE_HISTORY_TRANSITION(clv_sample_add_history_tz, 3, add_history_timing(fcinfo, AS_OF_TIMESTAMPTZ, 1))
DEFINE_HISTORY_TRANSITION(clv_sample_add_history_unit, 4,
						  add_history_timing(fcinfo, AS_OF_DATE, unit_days(PG_GETARG_TEXT_PP(3))))
DEFINE_HISTORY_TRANSITION(clv_sample_add_history_unit_tz, 4,
						  add_history_timing(fcinfo, AS_OF_TIMESTAMPTZ, unit_days(PG_GETARG_TEXT_PP(3))))
DEFINE_HISTORY_TRANSITION(clv_sample_add_history_spend, 3, add_history_spend(fcinfo, AS_OF_DATE))
DEFINE_HISTORY_TRANSITION(clv_sample_add_history_spend_tz, 3, add_history_spend(fcinfo, AS_OF_TIMESTAMPTZ))

