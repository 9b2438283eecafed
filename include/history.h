/*
 * history.h - type purchase_history: one customer's days, each with the exact net amount.
 *
 * A value has two forms. Aggregates work on the building form, which grows by doubling and whose spare
 * entries are zero; everything else produces the stored form, which has no spare entries and no
 * HISTORY_BUILDING flag, so that equal histories are equal bytes. In both the entries are sorted by
 * day, so every function can read both.
 */
#ifndef CLV_HISTORY_H
#define CLV_HISTORY_H

#include "common.h"
#include "numeric_micro.h"

#define HISTORY_VERSION 1

/* flags */
#define HISTORY_BUILDING 1		/* an aggregate's working state */
#define HISTORY_NO_MONEY 2		/* built from days alone; never set on an empty history */

/* One entry per day: this bounds a value to 58 MB, far below MaxAllocSize, also when doubling. */
#define HISTORY_MAX_DAYS (DAY_MAX - DAY_MIN + 1)

typedef struct HistoryDay
{
	DateADT		day;
	int32		cancelled;		/* 1 where the net is 0 and some line of the day was negative */
	int64		amount;			/* net of the day in micro-units; 0 without money */
} HistoryDay;

typedef struct PurchaseHistory
{
	int32		vl_len_;
	uint16		version;
	uint16		flags;
	int32		ndays;
	int32		reserved;		/* 0 */
	HistoryDay	days[FLEXIBLE_ARRAY_MEMBER];
} PurchaseHistory;

StaticAssertDecl(sizeof(HistoryDay) == 16, "a day takes 16 bytes on disk");
StaticAssertDecl(sizeof(PurchaseHistory) == 16, "the header takes 16 bytes on disk");

#define HISTORY_SIZE(n) (sizeof(PurchaseHistory) + (Size) (n) * sizeof(HistoryDay))

/* What is known of a customer on a day; the sums are exact, in micro-units (0 without money). */
typedef struct HistorySummary
{
	int32		purchases;		/* purchase days, at least 1 */
	int32		x;				/* repeat purchases: purchases - 1 */
	DateADT		first;			/* first and last purchase day */
	DateADT		last;
	int32		t_x;			/* days from the first to the last purchase */
	int32		tenure;			/* days from the first purchase to as_of */
	bool		has_money;
	int64		purchase_spend; /* sum over all purchase days */
	int64		repeat_spend;	/* sum over purchase days but the first */
	int64		refunded;		/* minus the sum over days with a negative net; not negative */
} HistorySummary;

/* Argument n as a history, detoasted; an error where a newer version of clv wrote it. */
#define PG_GETARG_HISTORY(n) history_from_datum(PG_GETARG_DATUM(n))
/* The same in stored form. */
#define PG_GETARG_STORED_HISTORY(n) history_stored(PG_GETARG_HISTORY(n))
#define PG_RETURN_HISTORY(h) PG_RETURN_POINTER(h)

/* A day is a purchase where its net is positive, or 0 without a negative line. */
static inline bool
is_purchase(const HistoryDay *day)
{
	return day->amount > 0 || (day->amount == 0 && !day->cancelled);
}

/* Whether amounts are known; an empty history has none, but it mixes with both kinds. */
static inline bool
history_has_money(const PurchaseHistory *h)
{
	return (h->flags & HISTORY_NO_MONEY) == 0;
}

/* The mean of n amounts whose sum is `micro`, in currency units. */
static inline double
micro_mean(int64 micro, int32 n)
{
	return (double) micro / ((double) MICRO_PER_UNIT * n);
}

/* The history a Datum holds, detoasted (see PG_GETARG_HISTORY). */
extern PurchaseHistory *history_from_datum(Datum value);

/* A new building history with room for `capacity` days; flags are 0 or HISTORY_NO_MONEY. */
extern PurchaseHistory *history_new(int32 capacity, uint16 flags);

/* A new value in stored form. */
extern PurchaseHistory *history_trim(const PurchaseHistory *h);

/* h itself where it is in stored form, else a trimmed copy. */
extern PurchaseHistory *history_stored(PurchaseHistory *h);

/*
 * What is wrong with a value, or NULL: version, flags, sizes, order, bounds and cross-field
 * conditions, in either form. Text and binary input answer with it; all functions assert it.
 */
extern const char *history_problem(const PurchaseHistory *h);

#define AssertHistory(h) Assert(history_problem(h) == NULL)

/* The number of days up to and including `day`, by binary search. */
extern int32 history_days_until(const PurchaseHistory *h, DateADT day);

/*
 * Read a history at the end of the day as_of (a checked day). False, with *s undefined, where there
 * is no purchase by then. An error where a sum of amounts is out of range.
 */
extern bool history_summary(const PurchaseHistory *h, DateADT as_of, HistorySummary *s);

/*
 * The sum, over the purchases up to as_of but the first, of ln(time since the purchase before) in units of
 * unit_days days; 0 without a repeat purchase. What a model of regular purchases needs beside x, t_x and t_cal.
 */
extern double history_log_gaps(const PurchaseHistory *h, DateADT as_of, double unit_days);

/*
 * Purchases as opportunities taken: *n whole periods of unit_days days lie between the first purchase and
 * as_of, period i being the days (first + (i - 1) units, first + i units]; *x of them saw a purchase, *t_x is
 * the last of those, 0 without one. False, with nothing set, where there is no purchase by as_of.
 * Fader, Hardie and Shang 2010.
 */
extern bool history_opportunities(const PurchaseHistory *h, DateADT as_of, double unit_days, double *x, double *t_x,
								  double *n);

#endif
