/*
 * rolling.c - type interaction_history: layout, building, merging, aggregates, comparison.
 */
#include "rolling.h"

#include <math.h>

#include "common/int.h"
#include "utils/builtins.h"

/* ---- arguments --------------------------------------------------------------------------------- */

TimestampTz
checked_time(TimestampTz at, const char *what)
{
	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("%s must be a finite time", what),
				 errdetail("It is '%s'.", TIMESTAMP_IS_NOBEGIN(at) ? "-infinity" : "infinity"),
				 errhint("Use a time of the calendar; leave out or correct rows with a placeholder.")));
	if (at < INTERACTION_AT_MIN || at > INTERACTION_AT_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("%s is out of range", what),
				 errdetail("It lies %s; times run from 0001-01-01 to 9999-12-31.",
						   at < INTERACTION_AT_MIN ? "before the year 1" : "behind the year 9999"),
				 errhint("Use a time of the calendar; leave out or correct rows with a placeholder.")));
	return at;
}

int32
checked_n(int32 n)
{
	if (n < 1 || n > INTERACTIONS_MOST_KEPT)
		argument_error("n must lie between 1 and 1000", "n is how many of the latest scored interactions count, such as 6.",
					   "n is %d.", n);
	return n;
}

int64
contact_window(const Interval *repeat_within)
{
	const char *hint = "Write a length of time such as '7 days' or '36 hours'; a month has no fixed length.";
	int64		window;

	if (INTERVAL_NOT_FINITE(repeat_within))
		argument_error("repeat_within must be finite", hint, "It is infinite.");
	if (repeat_within->month != 0)
		argument_error("repeat_within must not count months or years", hint, "It has %d months.", repeat_within->month);
	if (pg_mul_s64_overflow(repeat_within->day, USECS_PER_DAY, &window) ||
		pg_add_s64_overflow(window, repeat_within->time, &window))
		argument_error("repeat_within is too long", hint, "It has %d days.", repeat_within->day);
	if (window <= 0)
		argument_error("repeat_within must be positive", hint, "It is %d days and " INT64_FORMAT " microseconds.",
					   repeat_within->day, repeat_within->time);
	return window;
}
