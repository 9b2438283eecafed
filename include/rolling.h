/*
 * rolling.h - type interaction_history: one customer's scored interactions, and what is read from them.
 *
 * A value has two forms, as a purchase_history has: building, with zeroed spare entries, as aggregates grow it;
 * and stored, without, so that equal histories are equal bytes. In both the entries are sorted by (at, value), so
 * every function can read both. A history that keeps the latest n forgets what is older, and says so: what it
 * cannot know is an error, never a wrong number.
 */
#ifndef CLV_ROLLING_H
#define CLV_ROLLING_H

#include "common.h"
#include "math/signal.h"
#include "access/tupdesc.h"
#include "utils/memutils.h"

#define INTERACTIONS_VERSION 1

#define INTERACTIONS_BUILDING 1		/* flags: an aggregate's working state */

#define INTERACTIONS_MOST_KEPT 1000	/* the largest n of "the latest n" */
#define INTERACTIONS_OF_RESOLUTION 6	/* the n of rolling_resolution(), unless given */

/* Times from 0001-01-01 00:00 to 9999-12-31 23:59:59.999999 UTC. */
#define INTERACTION_AT_MIN ((int64) DAY_MIN * USECS_PER_DAY)
#define INTERACTION_AT_MAX (((int64) DAY_MAX + 1) * USECS_PER_DAY - 1)

typedef struct Interaction
{
	TimestampTz at;
	double		value;			/* finite, not -0 */
} Interaction;

typedef struct InteractionHistory
{
	int32		vl_len_;
	uint16		version;
	uint16		flags;
	int32		keep;			/* 0: all are kept; else only the latest `keep` of them */
	int32		n;
	Interaction entries[FLEXIBLE_ARRAY_MEMBER];
} InteractionHistory;

StaticAssertDecl(sizeof(Interaction) == 16, "an interaction takes 16 bytes on disk");
StaticAssertDecl(sizeof(InteractionHistory) == 16, "the header takes 16 bytes on disk");

#define INTERACTIONS_SIZE(n) (sizeof(InteractionHistory) + (Size) (n) * sizeof(Interaction))
#define INTERACTIONS_MAX ((int32) ((MaxAllocSize - sizeof(InteractionHistory)) / sizeof(Interaction)))

/* Argument n as a history, detoasted; an error where a newer version of clv wrote it. */
#define PG_GETARG_INTERACTIONS(n) interactions_from_datum(PG_GETARG_DATUM(n))
/* The same in stored form. */
#define PG_GETARG_STORED_INTERACTIONS(n) interactions_stored(PG_GETARG_INTERACTIONS(n))

/* The order of entries: by time, and by value where times are equal. */
static inline int
compare_interactions(const Interaction *a, const Interaction *b)
{
	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return (a->value > b->value) - (a->value < b->value);
}

/* Whether older interactions may have been dropped: what came before the first entry, or at its time, is unknown. */
static inline bool
interactions_full(const InteractionHistory *h)
{
	return h->keep > 0 && h->n == h->keep;
}

/* The history a Datum holds, detoasted (see PG_GETARG_INTERACTIONS). */
extern InteractionHistory *interactions_from_datum(Datum value);

/* A new building history with room for `capacity` entries, which keeps the latest `keep` (0: all). */
extern InteractionHistory *interactions_new(int32 capacity, int32 keep);

/* A new value in stored form, and h itself where it is in stored form, else a trimmed copy. */
extern InteractionHistory *interactions_trim(const InteractionHistory *h);
extern InteractionHistory *interactions_stored(InteractionHistory *h);

/*
 * What is wrong with a value, or NULL: version, flags, sizes, order and bounds, in either form. Text and binary
 * input answer with it; all functions assert it.
 */
extern const char *interactions_problem(const InteractionHistory *h);

#define AssertInteractions(h) Assert(interactions_problem(h) == NULL)

/* The number of entries up to and including the time `at`, by binary search. */
extern int32 interactions_until(const InteractionHistory *h, TimestampTz at);

/* The mean of n entries, n at least 1, summed in their stored order; finite. */
extern double mean_of_interactions(const Interaction *entries, int32 n);

/* The time unless it is infinite or outside the years 1 to 9999, which is an error naming `what`. */
extern TimestampTz checked_time(TimestampTz at, const char *what);

/* The time in UTC as ISO 8601 with the decimals that it needs, whatever the settings; as palloc'd text. */
extern void append_time(StringInfo buf, TimestampTz at);
extern const char *time_text(TimestampTz at);

/* n unless it is below 1 or above INTERACTIONS_MOST_KEPT, which is an error naming `what`. */
extern int32 checked_n(int32 n, const char *what);

/*
 * The length of repeat_within, in microseconds: a day is 24 hours, whatever the session's time zone. An error for
 * months, whose length is not fixed, for infinity, and where it is not positive.
 */
extern int64 contact_window(const Interval *repeat_within);

#endif
