/*
 * history.c - type purchase_history: layout, building, merging, aggregates, comparison.
 */
#include "history.h"

#include <math.h>

StaticAssertDecl(HISTORY_SIZE(2 * (Size) HISTORY_MAX_DAYS) < 0x3fffffff,
				 "a building history can double without reaching MaxAllocSize");

/* ---- layout ------------------------------------------------------------------------------------ */

/* How many days fit; from the size itself, since copying a value may have trimmed it. */
static inline int32
capacity(const PurchaseHistory *h)
{
	return (int32) ((VARSIZE(h) - sizeof(PurchaseHistory)) / sizeof(HistoryDay));
}

static const char *
day_problem(const HistoryDay *entry, bool has_money)
{
	if (entry->day < DAY_MIN || entry->day > DAY_MAX)
		return "a day is out of bounds";
	if (entry->cancelled != 0 && entry->cancelled != 1)
		return "a cancellation mark is neither 0 nor 1";
	if (entry->amount < -MICRO_MAX)
		return "an amount is out of range";
	if (entry->cancelled && entry->amount != 0)
		return "a cancelled day has an amount";
	if (!has_money && (entry->amount != 0 || entry->cancelled))
		return "a history without money has an amount";
	return NULL;
}

const char *
history_problem(const PurchaseHistory *h)
{
	const uint16 known_flags = HISTORY_BUILDING | HISTORY_NO_MONEY;

	if (VARSIZE(h) < sizeof(PurchaseHistory) ||
		(VARSIZE(h) - sizeof(PurchaseHistory)) % sizeof(HistoryDay) != 0)
		return "the size is wrong";
	if (h->version != HISTORY_VERSION)
		return "the version is unknown";
	if ((h->flags & ~known_flags) != 0 || h->reserved != 0)
		return "a reserved field is not zero";
	if (h->ndays < 0 || h->ndays > HISTORY_MAX_DAYS || h->ndays > capacity(h))
		return "the number of days is out of range";
	if ((h->flags & HISTORY_BUILDING) == 0 && h->ndays != capacity(h))
		return "a stored value has spare entries";
	if (h->ndays == 0 && !history_has_money(h))
		return "an empty history has a kind";

	for (int32 i = 0; i < h->ndays; i++)
	{
		const char *problem = day_problem(&h->days[i], history_has_money(h));

		if (problem != NULL)
			return problem;
		if (i > 0 && h->days[i].day <= h->days[i - 1].day)
			return "the days are not in ascending order";
	}
	for (int32 i = h->ndays; i < capacity(h); i++)
		if (h->days[i].day != 0 || h->days[i].cancelled != 0 || h->days[i].amount != 0)
			return "a spare entry is not zero";
	return NULL;
}

PurchaseHistory *
history_from_datum(Datum value)
{
	PurchaseHistory *h = (PurchaseHistory *) PG_DETOAST_DATUM(value);

	check_version("purchase_history", h->version, HISTORY_VERSION);
	return h;
}

PurchaseHistory *
history_new(int32 capacity, uint16 flags)
{
	PurchaseHistory *h = palloc0(HISTORY_SIZE(capacity));

	SET_VARSIZE(h, HISTORY_SIZE(capacity));
	h->version = HISTORY_VERSION;
	h->flags = flags | HISTORY_BUILDING;
	return h;
}

PurchaseHistory *
history_trim(const PurchaseHistory *h)
{
	PurchaseHistory *stored = palloc(HISTORY_SIZE(h->ndays));

	memcpy(stored, h, HISTORY_SIZE(h->ndays));
	SET_VARSIZE(stored, HISTORY_SIZE(h->ndays));
	stored->flags &= ~HISTORY_BUILDING;
	if (stored->ndays == 0)
		stored->flags = 0;
	AssertHistory(stored);
	return stored;
}

PurchaseHistory *
history_stored(PurchaseHistory *h)
{
	return (h->flags & HISTORY_BUILDING) != 0 ? history_trim(h) : h;
}

/* The number of the first n entries whose day is `day` or earlier. */
static int32
days_until(const HistoryDay *days, int32 n, DateADT day)
{
	int32		low = 0;

	while (low < n)
	{
		int32		middle = (low + n) / 2;

		if (days[middle].day <= day)
			low = middle + 1;
		else
			n = middle;
	}
	return low;
}

int32
history_days_until(const PurchaseHistory *h, DateADT day)
{
	return days_until(h->days, h->ndays, day);
}

bool
history_summary(const PurchaseHistory *h, DateADT as_of, HistorySummary *s)
{
	int64		first_amount = 0;

	memset(s, 0, sizeof(*s));
	s->has_money = history_has_money(h);

	for (int32 i = 0; i < h->ndays && h->days[i].day <= as_of; i++)
	{
		const HistoryDay *entry = &h->days[i];

		if (entry->amount < 0)
			s->refunded = add_micro(s->refunded, -entry->amount);
		if (!is_purchase(entry))
			continue;
		if (s->purchases++ == 0)
		{
			s->first = entry->day;
			first_amount = entry->amount;
		}
		s->last = entry->day;
		s->purchase_spend = add_micro(s->purchase_spend, entry->amount);
	}

	s->x = s->purchases - 1;
	s->repeat_spend = s->purchase_spend - first_amount;
	s->t_x = s->last - s->first;
	s->tenure = as_of - s->first;
	return s->purchases > 0;
}

/* A logarithm for each product of gaps rather than for each gap; the next gap fits within these bounds. */
#define LARGEST_PRODUCT 1e290
#define SMALLEST_PRODUCT 1e-290

double
history_log_gaps(const PurchaseHistory *h, DateADT as_of, double unit_days)
{
	DateADT		last = DAY_NONE;
	double		product = 1;
	double		sum = 0;

	for (int32 i = 0; i < h->ndays && h->days[i].day <= as_of; i++)
	{
		if (!is_purchase(&h->days[i]))
			continue;
		if (last != DAY_NONE)
			product *= (h->days[i].day - last) / unit_days;
		last = h->days[i].day;
		if (unlikely(product > LARGEST_PRODUCT || product < SMALLEST_PRODUCT))
		{
			sum += log(product);
			product = 1;
		}
	}
	return sum + log(product);
}

bool
history_opportunities(const PurchaseHistory *h, DateADT as_of, double unit_days, double *x, double *t_x, double *n)
{
	DateADT		first = DAY_NONE;
	double		taken = 0;
	double		last_taken = 0;

	for (int32 i = 0; i < h->ndays && h->days[i].day <= as_of; i++)
	{
		double		period;

		if (!is_purchase(&h->days[i]))
			continue;
		if (first == DAY_NONE)
		{
			first = h->days[i].day;
			*n = floor((as_of - first) / unit_days);
		}
		period = ceil((h->days[i].day - first) / unit_days);
		if (period > last_taken && period <= *n)
		{
			last_taken = period;
			taken++;
		}
	}
	if (first == DAY_NONE)
		return false;
	*x = taken;
	*t_x = last_taken;
	return true;
}

/* ---- building and merging ---------------------------------------------------------------------- */

/*
 * Add the lines of one day to those of the same day.
 *
 * The result must not depend on how the lines were grouped, yet an entry forgets its lines. It does
 * not matter: claim that a net of 0 is marked cancelled exactly if one of its lines was negative,
 * and nothing is marked otherwise. True for one line. Let a and b satisfy it and their nets add up
 * to 0. If both nets are 0, a negative line is in one of them, which then is marked. Otherwise one
 * of the nets is negative, and a negative net has a negative line. A net other than 0 is never
 * marked, and needs no memory, because to come back to 0 it takes a negative net on one side.
 */
static inline void
add_to_day(HistoryDay *a, const HistoryDay *b)
{
	bool		negative_line = a->cancelled || b->cancelled || a->amount < 0 || b->amount < 0;

	a->amount = add_micro(a->amount, b->amount);
	a->cancelled = a->amount == 0 && negative_line;
}

/* Room for `needed` days: h itself, or a copy of doubled size. */
static PurchaseHistory *
reserve(PurchaseHistory *h, int32 needed)
{
	int32		room = 1;
	PurchaseHistory *larger;

	h->flags |= HISTORY_BUILDING;
	if (needed <= capacity(h))
		return h;

	/* sizes of 32, 64, 128, ... bytes waste nothing in an allocation set */
	while (room < needed)
		room = 2 * room + 1;
	larger = history_new(room, h->flags);
	memcpy(larger->days, h->days, h->ndays * sizeof(HistoryDay));
	larger->ndays = h->ndays;
	return larger;
}

/* Both empty, or both of one kind; an empty history takes the kind of what is added. */
static void
settle_kind(PurchaseHistory *h, uint16 flags)
{
	uint16		kind = flags & HISTORY_NO_MONEY;

	if (h->ndays == 0)
		h->flags = (h->flags & ~HISTORY_NO_MONEY) | kind;
	else if ((h->flags & HISTORY_NO_MONEY) != kind)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot merge a history with amounts and a history without"),
				 errdetail("One was built by purchase_history(date, amount), the other by purchase_history(date)."),
				 errhint("Build both with amounts, or both without.")));
}

/* Add one line; answers h or a larger copy. */
static PurchaseHistory *
add_line(PurchaseHistory *h, const HistoryDay *line, uint16 flags)
{
	int32		at = h->ndays;

	settle_kind(h, flags);
	if (at > 0 && h->days[at - 1].day >= line->day)
	{
		at = h->days[at - 1].day == line->day ? at : history_days_until(h, line->day);
		if (at > 0 && h->days[at - 1].day == line->day)
		{
			add_to_day(&h->days[at - 1], line);
			return h;
		}
	}

	h = reserve(h, h->ndays + 1);
	memmove(&h->days[at + 1], &h->days[at], (h->ndays - at) * sizeof(HistoryDay));
	h->days[at] = *line;
	h->ndays++;
	return h;
}

/* How many days of b are not in a. */
static int32
count_new_days(const PurchaseHistory *a, const PurchaseHistory *b)
{
	int32		count = 0;

	for (int32 j = 0; j < b->ndays; j++)
	{
		int32		at = history_days_until(a, b->days[j].day);

		count += at == 0 || a->days[at - 1].day != b->days[j].day;
	}
	return count;
}

/*
 * Add all of b to a, which is edited; answers a or a larger copy. b is left alone. Days are searched
 * for, not walked to: a roll-up adds millions of short histories to a long one.
 */
static PurchaseHistory *
merge_into(PurchaseHistory *a, const PurchaseHistory *b)
{
	int32		left = a->ndays;	/* entries of a that are still at their old place */
	int32		to;

	if (b->ndays == 0)
		return a;
	settle_kind(a, b->flags);
	to = left + count_new_days(a, b);
	a = reserve(a, to);
	a->ndays = to;

	/* from the end, so that no entry of a is overwritten before it has moved */
	for (int32 j = b->ndays - 1; j >= 0; j--)
	{
		int32		at = days_until(a->days, left, b->days[j].day);

		to -= left - at;
		if (to != at)
			memmove(&a->days[to], &a->days[at], (left - at) * sizeof(HistoryDay));
		left = at;

		to--;
		if (left > 0 && a->days[left - 1].day == b->days[j].day)
		{
			a->days[to] = a->days[--left];
			add_to_day(&a->days[to], &b->days[j]);
		}
		else
			a->days[to] = b->days[j];
	}
	AssertHistory(a);
	return a;
}

/* ---- aggregates -------------------------------------------------------------------------------- */

/* 64 bytes: starting with one day saves 5 % of memory and costs 10 % of time. */
#define FIRST_CAPACITY 3

static Datum
accumulate(FunctionCallInfo fcinfo, DateADT day, int64 amount, uint16 flags)
{
	HistoryDay	line = {.day = day, .amount = amount};
	PurchaseHistory *h = PG_ARGISNULL(0) ? history_new(FIRST_CAPACITY, flags) :
		editable_state(fcinfo, PG_GETARG_HISTORY(0));

	h = add_line(h, &line, flags);
	AssertHistory(h);
	PG_RETURN_HISTORY(h);
}

#define ORDER_DATE "the date of an order"
#define DATE_DAY checked_day(PG_GETARG_DATEADT(1), ORDER_DATE)
#define TIMESTAMP_DAY day_of_timestamp(PG_GETARG_TIMESTAMP(1), ORDER_DATE)
#define TIMESTAMPTZ_DAY day_of_timestamptz(PG_GETARG_TIMESTAMPTZ(1), ORDER_DATE)

/* clv_history_add_DATETYPE_AMOUNTTYPE(state, ordered_at, amount) */
#define DEFINE_ADD(NAME, DAY, MICRO) \
	PG_FUNCTION_INFO_V1(clv_history_add_##NAME); \
	Datum clv_history_add_##NAME(PG_FUNCTION_ARGS) \
	{ \
		if (PG_ARGISNULL(1) || PG_ARGISNULL(2)) \
			return unchanged_state(fcinfo); \
		return accumulate(fcinfo, DAY, MICRO, 0); \
	}

/* clv_history_add_DATETYPE(state, ordered_at) */
#define DEFINE_ADD_DAY(NAME, DAY) \
	PG_FUNCTION_INFO_V1(clv_history_add_##NAME); \
	Datum clv_history_add_##NAME(PG_FUNCTION_ARGS) \
	{ \
		if (PG_ARGISNULL(1)) \
			return unchanged_state(fcinfo); \
		return accumulate(fcinfo, DAY, 0, HISTORY_NO_MONEY); \
	}

DEFINE_ADD(date_numeric, DATE_DAY, numeric_to_micro(PG_GETARG_DATUM(2)))
DEFINE_ADD(date_float8, DATE_DAY, float8_to_micro(PG_GETARG_FLOAT8(2)))
DEFINE_ADD(timestamp_numeric, TIMESTAMP_DAY, numeric_to_micro(PG_GETARG_DATUM(2)))
DEFINE_ADD(timestamp_float8, TIMESTAMP_DAY, float8_to_micro(PG_GETARG_FLOAT8(2)))
DEFINE_ADD(timestamptz_numeric, TIMESTAMPTZ_DAY, numeric_to_micro(PG_GETARG_DATUM(2)))
DEFINE_ADD(timestamptz_float8, TIMESTAMPTZ_DAY, float8_to_micro(PG_GETARG_FLOAT8(2)))
DEFINE_ADD_DAY(date, DATE_DAY)
DEFINE_ADD_DAY(timestamp, TIMESTAMP_DAY)
DEFINE_ADD_DAY(timestamptz, TIMESTAMPTZ_DAY)

/* Combine function of all aggregates and transition function of the roll-up: (state, other). */
PG_FUNCTION_INFO_V1(clv_history_combine);
Datum
clv_history_combine(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1))
		return unchanged_state(fcinfo);

	/* the executor copies what becomes the first state */
	if (PG_ARGISNULL(0))
		PG_RETURN_HISTORY(PG_GETARG_HISTORY(1));
	PG_RETURN_HISTORY(merge_into(editable_state(fcinfo, PG_GETARG_HISTORY(0)), PG_GETARG_HISTORY(1)));
}

/* Final function of all aggregates: the stored form, never the state itself. */
PG_FUNCTION_INFO_V1(clv_history_final);
Datum
clv_history_final(PG_FUNCTION_ARGS)
{
	PG_RETURN_HISTORY(history_trim(PG_GETARG_HISTORY(0)));
}

/* merge_history(a, b), operator + */
PG_FUNCTION_INFO_V1(clv_history_merge);
Datum
clv_history_merge(PG_FUNCTION_ARGS)
{
	PurchaseHistory *merged = history_new(1, 0);

	merged = merge_into(merged, PG_GETARG_HISTORY(0));
	merged = merge_into(merged, PG_GETARG_HISTORY(1));
	PG_RETURN_HISTORY(history_trim(merged));
}

/* ---- comparison -------------------------------------------------------------------------------- */

DEFINE_COMPARISONS(history, PG_GETARG_STORED_HISTORY)
