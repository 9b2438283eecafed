/*
 * history_read.c - what a purchase_history says at a date.
 *
 * Dates are days: a reader at as_of sees everything up to the end of that day. Readers answer NULL
 * while there is no purchase day.
 */
#include "history.h"

#include "access/htup_details.h"
#include "funcapi.h"

/* Arguments (history, as_of) summarised, and as_of for the caller. */
static bool
summary_of_args(FunctionCallInfo fcinfo, HistorySummary *s)
{
	return history_summary(PG_GETARG_HISTORY(0), checked_day(PG_GETARG_DATEADT(1), "as_of"), s);
}

/* ---- readers of one number ----------------------------------------------------------------------- */

/* clv_history_NAME(history, as_of): RETURN, or NULL unless there is a purchase and WHEN holds */
#define DEFINE_READER(NAME, WHEN, RETURN) \
	PG_FUNCTION_INFO_V1(clv_history_##NAME); \
	Datum clv_history_##NAME(PG_FUNCTION_ARGS) \
	{ \
		HistorySummary s; \
		if (!summary_of_args(fcinfo, &s) || !(WHEN)) \
			PG_RETURN_NULL(); \
		RETURN; \
	}

DEFINE_READER(last_purchase, true, PG_RETURN_DATEADT(s.last))
DEFINE_READER(purchases, true, PG_RETURN_INT32(s.purchases))
DEFINE_READER(repeat_purchases, true, PG_RETURN_INT32(s.x))
DEFINE_READER(purchase_span, true, PG_RETURN_INT32(s.t_x))
DEFINE_READER(tenure, true, PG_RETURN_INT32(s.tenure))
DEFINE_READER(days_since_last, true, PG_RETURN_INT32(s.tenure - s.t_x))
DEFINE_READER(monetary_value, s.has_money && s.x > 0, PG_RETURN_FLOAT8(micro_mean(s.repeat_spend, s.x)))
DEFINE_READER(average_purchase, s.has_money, PG_RETURN_FLOAT8(micro_mean(s.purchase_spend, s.purchases)))
DEFINE_READER(total_spend, s.has_money, PG_RETURN_NUMERIC(micro_to_numeric(s.purchase_spend - s.refunded)))
DEFINE_READER(refund_share, s.purchase_spend > 0,
			  PG_RETURN_FLOAT8((double) s.refunded / (double) s.purchase_spend))

PG_FUNCTION_INFO_V1(clv_history_first_purchase);
Datum
clv_history_first_purchase(PG_FUNCTION_ARGS)
{
	const PurchaseHistory *h = PG_GETARG_HISTORY(0);

	for (int32 i = 0; i < h->ndays; i++)
		if (is_purchase(&h->days[i]))
			PG_RETURN_DATEADT(h->days[i].day);
	PG_RETURN_NULL();
}

/* ---- intervals ----------------------------------------------------------------------------------- */

/* Days from `begin` up to but not including `end` of h->days; those in (after, until]. */
typedef struct Range
{
	int32		begin;
	int32		end;
} Range;

/* Arguments 1 and 2, (after, until], as a range of days; either may be infinite. */
static Range
range_of_args(FunctionCallInfo fcinfo, const PurchaseHistory *h)
{
	DateADT		after = checked_bound(PG_GETARG_DATEADT(1), "after");
	DateADT		until = checked_bound(PG_GETARG_DATEADT(2), "until");

	if (until < after)
		argument_error("until must not be before after", "The interval is (after, until]: swap the two dates.",
					   "after is %s, until is %s.", day_text(after), day_text(until));
	return (Range) {history_days_until(h, after), history_days_until(h, until)};
}

/* Whether a purchase precedes day number `end`. */
static bool
bought_before(const PurchaseHistory *h, int32 end)
{
	for (int32 i = 0; i < end; i++)
		if (is_purchase(&h->days[i]))
			return true;
	return false;
}

PG_FUNCTION_INFO_V1(clv_history_purchases_within);
Datum
clv_history_purchases_within(PG_FUNCTION_ARGS)
{
	const PurchaseHistory *h = PG_GETARG_HISTORY(0);
	Range		range = range_of_args(fcinfo, h);
	int32		purchases = 0;

	if (!bought_before(h, range.end))
		PG_RETURN_NULL();
	for (int32 i = range.begin; i < range.end; i++)
		purchases += is_purchase(&h->days[i]);
	PG_RETURN_INT32(purchases);
}

PG_FUNCTION_INFO_V1(clv_history_spend_within);
Datum
clv_history_spend_within(PG_FUNCTION_ARGS)
{
	const PurchaseHistory *h = PG_GETARG_HISTORY(0);
	Range		range = range_of_args(fcinfo, h);
	int64		spend = 0;

	if (!history_has_money(h) || !bought_before(h, range.end))
		PG_RETURN_NULL();
	for (int32 i = range.begin; i < range.end; i++)
		spend = add_micro(spend, h->days[i].amount);
	PG_RETURN_NUMERIC(micro_to_numeric(spend));
}

PG_FUNCTION_INFO_V1(clv_history_slice);
Datum
clv_history_slice(PG_FUNCTION_ARGS)
{
	const PurchaseHistory *h = PG_GETARG_HISTORY(0);
	Range		range = range_of_args(fcinfo, h);
	int32		ndays = range.end - range.begin;
	PurchaseHistory *part = history_new(ndays, 0);

	memcpy(part->days, &h->days[range.begin], ndays * sizeof(HistoryDay));
	part->ndays = ndays;
	part->flags = ndays > 0 ? h->flags & HISTORY_NO_MONEY : 0;
	AssertHistory(part);
	PG_RETURN_HISTORY(part);
}

/* log_gaps(history, as_of, unit) */
PG_FUNCTION_INFO_V1(clv_history_log_gaps);
Datum
clv_history_log_gaps(PG_FUNCTION_ARGS)
{
	const PurchaseHistory *h = PG_GETARG_HISTORY(0);
	DateADT		as_of = checked_day(PG_GETARG_DATEADT(1), "as_of");
	double		unit = unit_days(PG_GETARG_TEXT_PP(2));

	if (!bought_before(h, history_days_until(h, as_of)))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(history_log_gaps(h, as_of, unit));
}

/* ---- rows ------------------------------------------------------------------------------------------ */

static void *
keep_history(FunctionCallInfo fcinfo)
{
	return history_trim(PG_GETARG_HISTORY(0));
}

/* purchase_days(history): one row per entry (day, amount, is_purchase) */
PG_FUNCTION_INFO_V1(clv_history_purchase_days);
Datum
clv_history_purchase_days(PG_FUNCTION_ARGS)
{
	FuncCallContext *call;
	const PurchaseHistory *h;
	const HistoryDay *entry;
	Datum		values[3];
	bool		nulls[3] = {false};

	if (SRF_IS_FIRSTCALL())
		begin_rows(fcinfo, keep_history);
	call = SRF_PERCALL_SETUP();
	h = call->user_fctx;
	if (call->call_cntr >= (uint64) h->ndays)
		SRF_RETURN_DONE(call);

	entry = &h->days[call->call_cntr];
	values[0] = DateADTGetDatum(entry->day);
	nulls[1] = !history_has_money(h);
	values[1] = nulls[1] ? (Datum) 0 : NumericGetDatum(micro_to_numeric(entry->amount));
	values[2] = BoolGetDatum(is_purchase(entry));
	SRF_RETURN_NEXT(call, HeapTupleGetDatum(heap_form_tuple(call->tuple_desc, values, nulls)));
}

/* The periods since the first purchase, between two calls of spend_by_age(). */
typedef struct AgePeriods
{
	const PurchaseHistory *h;
	DateADT		first;			/* first purchase */
	double		unit;			/* of a period; a month or year is one of the calendar */
	int			periods;		/* that have ended */
	int32		next;			/* the first entry of h that lies in none of the periods answered so far */
} AgePeriods;

/* The periods that lie wholly in what was seen up to as_of: none without a purchase by then. */
static AgePeriods *
age_periods(const PurchaseHistory *h, DateADT as_of, double unit)
{
	AgePeriods *ages = palloc0(sizeof(AgePeriods));

	ages->h = h;
	ages->unit = unit;
	while (ages->next < h->ndays && !is_purchase(&h->days[ages->next]))
		ages->next++;
	if (ages->next < h->ndays && h->days[ages->next].day <= as_of)
	{
		ages->first = h->days[ages->next].day;
		ages->periods = periods_between(ages->first, as_of + 1, unit);
	}
	return ages;
}

static void *
keep_age_periods(FunctionCallInfo fcinfo)
{
	return age_periods(history_trim(PG_GETARG_HISTORY(0)), checked_day(PG_GETARG_DATEADT(1), "as_of"),
					   unit_days(PG_GETARG_TEXT_PP(2)));
}

/* spend_by_age(history, as_of, step): one row per period (age_period, spend, active) */
PG_FUNCTION_INFO_V1(clv_history_spend_by_age);
Datum
clv_history_spend_by_age(PG_FUNCTION_ARGS)
{
	FuncCallContext *call;
	AgePeriods *ages;
	int			period;
	int64		spend = 0;
	bool		active = false;
	Datum		values[3];
	bool		nulls[3] = {false};

	if (SRF_IS_FIRSTCALL())
		begin_rows(fcinfo, keep_age_periods);
	call = SRF_PERCALL_SETUP();
	ages = call->user_fctx;
	period = call->call_cntr;
	if (period >= ages->periods)
		SRF_RETURN_DONE(call);

	for (; ages->next < ages->h->ndays &&
		 periods_between(ages->first, ages->h->days[ages->next].day, ages->unit) == period; ages->next++)
	{
		const HistoryDay *entry = &ages->h->days[ages->next];

		spend = add_micro(spend, entry->amount);
		active = active || is_purchase(entry);
	}
	values[0] = Int32GetDatum(period);
	nulls[1] = !history_has_money(ages->h);
	values[1] = nulls[1] ? (Datum) 0 : NumericGetDatum(micro_to_numeric(spend));
	values[2] = BoolGetDatum(active);
	SRF_RETURN_NEXT(call, HeapTupleGetDatum(heap_form_tuple(call->tuple_desc, values, nulls)));
}

/*
 * purchase_summary(history, as_of, unit): always exactly one row, which is NULL without a purchase or
 * where an argument is NULL. Declared as a set, so that it answers without a set's protocol.
 */
PG_FUNCTION_INFO_V1(clv_history_purchase_summary);
Datum
clv_history_purchase_summary(PG_FUNCTION_ARGS)
{
	Datum		values[5] = {0};
	bool		nulls[5] = {true, true, true, true, true};
	HistorySummary s;

	if (!PG_ARGISNULL(0) && !PG_ARGISNULL(1) && !PG_ARGISNULL(2))
	{
		double		unit = unit_days(PG_GETARG_TEXT_PP(2));

		if (summary_of_args(fcinfo, &s))
		{
			values[0] = Float8GetDatum(s.x);
			values[1] = Float8GetDatum(s.t_x / unit);
			values[2] = Float8GetDatum(s.tenure / unit);
			nulls[0] = nulls[1] = nulls[2] = false;
			nulls[3] = !s.has_money || s.x == 0;
			if (!nulls[3])
				values[3] = Float8GetDatum(micro_mean(s.repeat_spend, s.x));
			nulls[4] = !s.has_money;
			if (!nulls[4])
				values[4] = NumericGetDatum(micro_to_numeric(s.purchase_spend - s.refunded));
		}
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(kept_row_type(fcinfo), values, nulls)));
}
