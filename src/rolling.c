/*
 * rolling.c - type interaction_history: layout, building, merging, aggregates, comparison.
 */
#include "rolling.h"

#include <math.h>

#include "common/int.h"

/* ---- layout ------------------------------------------------------------------------------------ */

/* How many entries fit; from the size itself, since copying a value may have trimmed it. */
static inline int32
capacity(const InteractionHistory *h)
{
	return (int32) ((VARSIZE(h) - sizeof(InteractionHistory)) / sizeof(Interaction));
}

static const char *
entry_problem(const Interaction *entry)
{
	if (entry->at < INTERACTION_AT_MIN || entry->at > INTERACTION_AT_MAX)
		return "a time is out of bounds";
	if (!isfinite(entry->value))
		return "a score is not finite";
	if (entry->value == 0 && signbit(entry->value))
		return "a score is negative zero";
	return NULL;
}

static const char *
header_problem(const InteractionHistory *h)
{
	if (VARSIZE(h) < sizeof(InteractionHistory) ||
		(VARSIZE(h) - sizeof(InteractionHistory)) % sizeof(Interaction) != 0)
		return "the size is wrong";
	if (h->version != INTERACTIONS_VERSION)
		return "the version is unknown";
	if ((h->flags & ~INTERACTIONS_BUILDING) != 0)
		return "a flag is unknown";
	if (h->keep < 0 || h->keep > INTERACTIONS_MOST_KEPT)
		return "the number of interactions to keep is out of range";
	if (h->n < 0 || h->n > capacity(h))
		return "the number of interactions is out of range";
	if (h->keep > 0 && h->n > h->keep)
		return "there are more interactions than are kept";
	if ((h->flags & INTERACTIONS_BUILDING) == 0 && h->n != capacity(h))
		return "a stored value has spare entries";
	return NULL;
}

const char *
interactions_problem(const InteractionHistory *h)
{
	const char *problem = header_problem(h);

	for (int32 i = 0; problem == NULL && i < h->n; i++)
	{
		problem = entry_problem(&h->entries[i]);
		if (problem == NULL && i > 0 && compare_interactions(&h->entries[i - 1], &h->entries[i]) > 0)
			problem = "the interactions are not in ascending order";
	}
	for (int32 i = h->n; problem == NULL && i < capacity(h); i++)
		if (h->entries[i].at != 0 || h->entries[i].value != 0)
			problem = "a spare entry is not zero";
	return problem;
}

InteractionHistory *
interactions_from_datum(Datum value)
{
	InteractionHistory *h = (InteractionHistory *) PG_DETOAST_DATUM(value);

	check_version("interaction_history", h->version, INTERACTIONS_VERSION);
	return h;
}

InteractionHistory *
interactions_new(int32 capacity, int32 keep)
{
	InteractionHistory *h = palloc0(INTERACTIONS_SIZE(capacity));

	SET_VARSIZE(h, INTERACTIONS_SIZE(capacity));
	h->version = INTERACTIONS_VERSION;
	h->flags = INTERACTIONS_BUILDING;
	h->keep = keep;
	return h;
}

InteractionHistory *
interactions_trim(const InteractionHistory *h)
{
	InteractionHistory *stored = palloc(INTERACTIONS_SIZE(h->n));

	memcpy(stored, h, INTERACTIONS_SIZE(h->n));
	SET_VARSIZE(stored, INTERACTIONS_SIZE(h->n));
	stored->flags = 0;
	AssertInteractions(stored);
	return stored;
}

InteractionHistory *
interactions_stored(InteractionHistory *h)
{
	return (h->flags & INTERACTIONS_BUILDING) != 0 ? interactions_trim(h) : h;
}

/* How many of the n sorted entries stand before one of this time and value, equal ones included. */
static int32
entries_before(const Interaction *entries, int32 n, const Interaction *entry)
{
	int32		low = 0;

	while (low < n)
	{
		int32		middle = (low + n) / 2;

		if (compare_interactions(&entries[middle], entry) <= 0)
			low = middle + 1;
		else
			n = middle;
	}
	return low;
}

int32
interactions_until(const InteractionHistory *h, TimestampTz at)
{
	const Interaction last_at = {.at = at, .value = INFINITY};

	return entries_before(h->entries, h->n, &last_at);
}

double
mean_of_interactions(const Interaction *entries, int32 n)
{
	double		sum = 0;

	for (int32 i = 0; i < n; i++)
		sum += entries[i].value;
	if (likely(isfinite(sum)))
		return sum / n;

	/* values near the end of the range: their mean is within it, their sum is not */
	sum = 0;
	for (int32 i = 0; i < n; i++)
		sum += entries[i].value / n;
	return sum;
}

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
checked_n(int32 n, const char *what)
{
	if (n < 1 || n > INTERACTIONS_MOST_KEPT)
		argument_error(psprintf("%s must lie between 1 and %d", what, INTERACTIONS_MOST_KEPT),
					   "It is how many of the latest scored interactions count, such as 6.", "It is %d.", n);
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

/* ---- building and merging ---------------------------------------------------------------------- */

/* A state below this size doubles, above it grows by a quarter. */
#define DOUBLING_LIMIT (64 * 1024 * 1024)

/* Room for `needed` entries: h itself, or a larger copy. */
static InteractionHistory *
reserve(InteractionHistory *h, int32 needed)
{
	int32		room = 1;
	InteractionHistory *larger;

	h->flags |= INTERACTIONS_BUILDING;
	if (needed <= capacity(h))
		return h;
	if (needed > INTERACTIONS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many interactions for one interaction_history"),
				 errdetail("It would hold %d interactions; a value is limited to 1 GB.", needed),
				 errhint("Build one history per customer, or keep the latest: interaction_history(at, score, keep).")));

	/* sizes of 32, 64, 128, ... bytes waste nothing in an allocation set */
	while (room < needed)
		room += INTERACTIONS_SIZE(room) < DOUBLING_LIMIT ? room + 1 : room / 4;
	room = Min(room, h->keep > 0 ? h->keep : INTERACTIONS_MAX);
	larger = interactions_new(room, h->keep);
	memcpy(larger->entries, h->entries, h->n * sizeof(Interaction));
	larger->n = h->n;
	return larger;
}

/* Add one interaction; answers h or a larger copy. */
static InteractionHistory *
add_interaction(InteractionHistory *h, const Interaction *entry)
{
	int32		at = h->n;

	if (at > 0 && compare_interactions(&h->entries[at - 1], entry) > 0)
		at = entries_before(h->entries, at - 1, entry);
	if (interactions_full(h))
	{
		/* the oldest goes, be it the new one or the first */
		if (at > 0)
		{
			memmove(&h->entries[0], &h->entries[1], (at - 1) * sizeof(Interaction));
			h->entries[at - 1] = *entry;
		}
		return h;
	}
	h = reserve(h, h->n + 1);
	memmove(&h->entries[at + 1], &h->entries[at], (h->n - at) * sizeof(Interaction));
	h->entries[at] = *entry;
	h->n++;
	return h;
}

/* Both keep the same; an empty history that keeps all goes with every other. */
static void
settle_keep(InteractionHistory *h, const InteractionHistory *other)
{
	if (h->keep == other->keep || (other->n == 0 && other->keep == 0))
		return;
	if (h->n > 0 || h->keep > 0)
		argument_error("the number of latest interactions must be the same in all rows and histories",
					   "Build them with the same number, or all of them without one.",
					   "It is %d on one side and %d on the other; 0 keeps all.", h->keep, other->keep);
	h->keep = other->keep;
}

/*
 * Where the latest `keep` entries of a and b together begin in each: the earlier ones are beyond what is kept.
 */
static void
latest_of_both(const InteractionHistory *a, const InteractionHistory *b, int32 *from_a, int32 *from_b)
{
	*from_a = a->n;
	*from_b = b->n;
	for (int32 kept = 0; kept < a->keep && (*from_a > 0 || *from_b > 0); kept++)
	{
		if (*from_b == 0 ||
			(*from_a > 0 && compare_interactions(&a->entries[*from_a - 1], &b->entries[*from_b - 1]) > 0))
			(*from_a)--;
		else
			(*from_b)--;
	}
}

/*
 * Add all of b to a, which is edited; answers a or a larger copy. b is left alone. Places are searched for, not
 * walked to: a roll-up adds millions of short histories to a long one.
 */
static InteractionHistory *
merge_into(InteractionHistory *a, const InteractionHistory *b)
{
	int32		from_a = 0;
	int32		from_b = 0;
	int32		left;			/* entries of a that are still at their old place */
	int32		to;

	settle_keep(a, b);
	if (a->keep > 0)
	{
		latest_of_both(a, b, &from_a, &from_b);
		a->flags |= INTERACTIONS_BUILDING;
		memmove(&a->entries[0], &a->entries[from_a], (a->n - from_a) * sizeof(Interaction));
		a->n -= from_a;
		memset(&a->entries[a->n], 0, from_a * sizeof(Interaction));
	}
	left = a->n;
	to = left + b->n - from_b;
	a = reserve(a, to);
	a->n = to;

	/* from the end, so that no entry of a is overwritten before it has moved */
	for (int32 j = b->n - 1; j >= from_b; j--)
	{
		int32		at = entries_before(a->entries, left, &b->entries[j]);

		to -= left - at;
		if (to != at)
			memmove(&a->entries[to], &a->entries[at], (left - at) * sizeof(Interaction));
		left = at;
		a->entries[--to] = b->entries[j];
	}
	AssertInteractions(a);
	return a;
}

/* ---- aggregates -------------------------------------------------------------------------------- */

/* 64 bytes for a history of all; 128 for one of the latest, which is mostly filled, so that it need not grow. */
#define FIRST_OF_ALL 3
#define FIRST_OF_LATEST 7

static Datum
accumulate(FunctionCallInfo fcinfo, TimestampTz at, double value, int32 keep)
{
	Interaction entry = {.at = checked_time(at, "the time of an interaction"), .value = value + 0.0};	/* -0 is 0 */
	InteractionHistory *h;

	if (!isfinite(value))
		argument_error("scores must be finite",
					   "Leave out or correct scores that are NaN or infinite; a missing one is NULL.",
					   "The score is %g.", value);
	if (PG_ARGISNULL(0))
		h = interactions_new(keep > 0 ? Min(keep, FIRST_OF_LATEST) : FIRST_OF_ALL, keep);
	else
	{
		h = editable_state(fcinfo, PG_GETARG_INTERACTIONS(0));
		if (unlikely(h->keep != keep))
			argument_error("the number of latest interactions must be the same in all rows",
						   "Group by what it depends on, or write it as a constant.", "It is %d and %d.", h->keep,
						   keep);
	}
	h = add_interaction(h, &entry);
	AssertInteractions(h);
	PG_RETURN_POINTER(h);
}

/* clv_rolling_NAME(state, ...): add one row */
#define DEFINE_ADD(NAME, AT, VALUE, KEEP) \
	PG_FUNCTION_INFO_V1(clv_rolling_##NAME); \
	Datum clv_rolling_##NAME(PG_FUNCTION_ARGS) \
	{ \
		if (null_argument(fcinfo)) \
			return unchanged_state(fcinfo); \
		return accumulate(fcinfo, PG_GETARG_TIMESTAMPTZ(AT), VALUE, KEEP); \
	}

/* (state, at, score [, keep]) */
DEFINE_ADD(add, 1, PG_GETARG_FLOAT8(2), 0)
DEFINE_ADD(add_keep, 1, PG_GETARG_FLOAT8(2), checked_n(PG_GETARG_INT32(3), "keep"))
/* (state, score or flag, at [, n]) */
DEFINE_ADD(add_score, 2, PG_GETARG_FLOAT8(1), INTERACTIONS_OF_RESOLUTION)
DEFINE_ADD(add_score_n, 2, PG_GETARG_FLOAT8(1), checked_n(PG_GETARG_INT32(3), "n"))
DEFINE_ADD(add_flag, 2, PG_GETARG_BOOL(1), INTERACTIONS_OF_RESOLUTION)
DEFINE_ADD(add_flag_n, 2, PG_GETARG_BOOL(1), checked_n(PG_GETARG_INT32(3), "n"))

/* Combine function of all aggregates and transition function of the roll-up: (state, other). */
PG_FUNCTION_INFO_V1(clv_rolling_combine);
Datum
clv_rolling_combine(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1))
		return unchanged_state(fcinfo);

	/* the executor copies what becomes the first state */
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(PG_GETARG_INTERACTIONS(1));
	PG_RETURN_POINTER(merge_into(editable_state(fcinfo, PG_GETARG_INTERACTIONS(0)), PG_GETARG_INTERACTIONS(1)));
}

/* Final functions: the stored form, never the state itself; the mean; the count, 0 without a state. */
PG_FUNCTION_INFO_V1(clv_rolling_final);
Datum
clv_rolling_final(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(interactions_trim(PG_GETARG_INTERACTIONS(0)));
}

PG_FUNCTION_INFO_V1(clv_rolling_final_mean);
Datum
clv_rolling_final_mean(PG_FUNCTION_ARGS)
{
	const InteractionHistory *h = PG_GETARG_INTERACTIONS(0);

	if (h->n == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(mean_of_interactions(h->entries, h->n));
}

PG_FUNCTION_INFO_V1(clv_rolling_final_count);
Datum
clv_rolling_final_count(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(PG_ARGISNULL(0) ? 0 : PG_GETARG_INTERACTIONS(0)->n);
}

/* merge_interactions(a, b), operator + */
PG_FUNCTION_INFO_V1(clv_rolling_merge);
Datum
clv_rolling_merge(PG_FUNCTION_ARGS)
{
	InteractionHistory *merged = interactions_new(1, 0);

	merged = merge_into(merged, PG_GETARG_INTERACTIONS(0));
	merged = merge_into(merged, PG_GETARG_INTERACTIONS(1));
	PG_RETURN_POINTER(interactions_trim(merged));
}

/* ---- comparison -------------------------------------------------------------------------------- */

DEFINE_COMPARISONS(rolling, PG_GETARG_STORED_INTERACTIONS)
