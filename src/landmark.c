/*
 * landmark.c - what was known of a customer at the end of a day, and what came of it afterwards.
 *
 * The day separates the two: nothing of the outcome is in what was known, and nothing of what was known in the outcome.
 */
#include "history.h"
#include "rolling.h"

#include "funcapi.h"

enum
{
	LANDMARK_PURCHASES, LANDMARK_DAYS_SINCE_LAST, LANDMARK_TOTAL_SPEND, LANDMARK_AVERAGE_PURCHASE, LANDMARK_TENURE,
	LANDMARK_N_SCORES, LANDMARK_MEAN_SCORE, LANDMARK_LAST_SCORE_AT, LANDMARK_PURCHASES_AFTER, LANDMARK_SPEND_AFTER,
	LANDMARK_CHURNED, LANDMARK_CENSORED, LANDMARK_AT_RISK, LANDMARK_COLUMNS
};

typedef struct LandmarkRow
{
	Datum		values[LANDMARK_COLUMNS];
	bool		nulls[LANDMARK_COLUMNS];
} LandmarkRow;

/* The question: what was known at the end of `day`, and the outcome in (day, until], of data up to data_end. */
typedef struct Landmark
{
	DateADT		day;
	DateADT		until;
	DateADT		data_end;
	TimestampTz day_end;		/* the last moment of the day */
	bool		knows_churn;
	DateADT		churned_at;
} Landmark;

static void
set_column(LandmarkRow *row, int column, Datum value)
{
	row->values[column] = value;
	row->nulls[column] = false;
}

static void
check_landmark(const Landmark *l)
{
	if (l->until <= l->day)
		argument_error("until must be after the landmark",
					   "The outcome is that of (landmark, until]: give a later day.",
					   "The landmark is %s, until is %s.", day_text(l->day), day_text(l->until));
	if (l->data_end < l->day)
		argument_error("the data must reach up to the landmark",
					   "What was known at the landmark needs data up to its end: choose an earlier landmark.",
					   "The landmark is %s, the data are complete up to %s.", day_text(l->day), day_text(l->data_end));
}

/* What the purchases up to the landmark say; false without one. */
static bool
set_known_purchases(LandmarkRow *row, const PurchaseHistory *h, const Landmark *l)
{
	HistorySummary s;

	set_column(row, LANDMARK_PURCHASES, Int32GetDatum(0));
	if (h == NULL || !history_summary(h, l->day, &s))
		return false;
	set_column(row, LANDMARK_PURCHASES, Int32GetDatum(s.purchases));
	set_column(row, LANDMARK_DAYS_SINCE_LAST, Int32GetDatum(s.tenure - s.t_x));
	set_column(row, LANDMARK_TENURE, Int32GetDatum(s.tenure));
	if (s.has_money)
	{
		set_column(row, LANDMARK_TOTAL_SPEND, NumericGetDatum(micro_to_numeric(s.purchase_spend - s.refunded)));
		set_column(row, LANDMARK_AVERAGE_PURCHASE, Float8GetDatum(micro_mean(s.purchase_spend, s.purchases)));
	}
	return true;
}

/* What the scores up to the landmark say; h is NULL for a customer without any. */
static void
set_known_scores(LandmarkRow *row, const InteractionHistory *h, const Landmark *l)
{
	int32		n = 0;

	if (h != NULL && interactions_full(h))
		argument_error("the history does not reach back far enough",
					   "Build it with interaction_history(at, score), which keeps all interactions.",
					   "It keeps the latest %d interactions; how many there were by the landmark is not known.",
					   h->keep);
	if (h != NULL)
		n = interactions_until(h, l->day_end);
	set_column(row, LANDMARK_N_SCORES, Int32GetDatum(n));
	if (n > 0)
	{
		set_column(row, LANDMARK_MEAN_SCORE, Float8GetDatum(mean_of_interactions(h->entries, n)));
		set_column(row, LANDMARK_LAST_SCORE_AT, TimestampTzGetDatum(h->entries[n - 1].at));
	}
}

/* Purchases, spend and churn in (landmark, until] of a customer at risk. */
static void
set_outcome(LandmarkRow *row, const PurchaseHistory *h, const Landmark *l)
{
	int32		end = history_days_until(h, l->until);
	int32		purchases = 0;
	int64		spend = 0;

	for (int32 i = history_days_until(h, l->day); i < end; i++)
	{
		purchases += is_purchase(&h->days[i]);
		spend = add_micro(spend, h->days[i].amount);
	}
	set_column(row, LANDMARK_PURCHASES_AFTER, Int32GetDatum(purchases));
	if (history_has_money(h))
		set_column(row, LANDMARK_SPEND_AFTER, NumericGetDatum(micro_to_numeric(spend)));
	set_column(row, LANDMARK_CHURNED, BoolGetDatum(purchases == 0 || (l->knows_churn && l->churned_at <= l->until)));
}

/* The day on which the customer left; 'infinity', as NULL, is a customer who did not. */
static void
set_churned_at(Landmark *l, DateADT churned_at)
{
	l->knows_churn = !DATE_IS_NOEND(churned_at);
	l->churned_at = checked_bound(churned_at, "churned_at");
}

/* Arguments 0 and 1 at the landmark. */
static Datum
landmark_row(FunctionCallInfo fcinfo, const Landmark *l)
{
	const PurchaseHistory *h = PG_ARGISNULL(0) ? NULL : PG_GETARG_HISTORY(0);
	LandmarkRow row;
	bool		censored = l->data_end < l->until;
	bool		at_risk;

	memset(row.nulls, true, sizeof(row.nulls));
	check_landmark(l);
	at_risk = set_known_purchases(&row, h, l) && !(l->knows_churn && l->churned_at <= l->day);
	set_known_scores(&row, PG_ARGISNULL(1) ? NULL : PG_GETARG_INTERACTIONS(1), l);
	set_column(&row, LANDMARK_CENSORED, BoolGetDatum(censored));
	set_column(&row, LANDMARK_AT_RISK, BoolGetDatum(at_risk));
	if (at_risk && !censored)
		set_outcome(&row, h, l);
	return HeapTupleGetDatum(heap_form_tuple(kept_row_type(fcinfo), row.values, row.nulls));
}

/* A row of NULLs where one of the days is not known. */
static bool
lacks_day(FunctionCallInfo fcinfo)
{
	return PG_ARGISNULL(2) || PG_ARGISNULL(3) || PG_ARGISNULL(4);
}

static Datum
unknown_row(FunctionCallInfo fcinfo)
{
	LandmarkRow row;

	memset(row.nulls, true, sizeof(row.nulls));
	return HeapTupleGetDatum(heap_form_tuple(kept_row_type(fcinfo), row.values, row.nulls));
}

/* landmark(history, interactions, landmark, until, data_end, churned_at): days, which are those of UTC for scores */
PG_FUNCTION_INFO_V1(clv_impact_landmark);
Datum
clv_impact_landmark(PG_FUNCTION_ARGS)
{
	Landmark	l = {0};

	if (lacks_day(fcinfo))
		return unknown_row(fcinfo);
	l.day = checked_day(PG_GETARG_DATEADT(2), "the landmark");
	l.until = checked_day(PG_GETARG_DATEADT(3), "until");
	l.data_end = checked_day(PG_GETARG_DATEADT(4), "data_end");
	if (!PG_ARGISNULL(5))
		set_churned_at(&l, PG_GETARG_DATEADT(5));
	l.day_end = ((int64) l.day + 1) * USECS_PER_DAY - 1;
	return landmark_row(fcinfo, &l);
}

/* The same with the days of the session's time zone, for scores too. */
PG_FUNCTION_INFO_V1(clv_impact_landmark_tz);
Datum
clv_impact_landmark_tz(PG_FUNCTION_ARGS)
{
	Landmark	l = {0};

	if (lacks_day(fcinfo))
		return unknown_row(fcinfo);
	l.day = day_of_timestamptz(PG_GETARG_TIMESTAMPTZ(2), "the landmark");
	l.until = day_of_timestamptz(PG_GETARG_TIMESTAMPTZ(3), "until");
	l.data_end = day_of_timestamptz(PG_GETARG_TIMESTAMPTZ(4), "data_end");
	if (!PG_ARGISNULL(5))
	{
		TimestampTz churned_at = PG_GETARG_TIMESTAMPTZ(5);

		if (TIMESTAMP_NOT_FINITE(churned_at))
			set_churned_at(&l, churned_at < 0 ? DATEVAL_NOBEGIN : DATEVAL_NOEND);
		else
			set_churned_at(&l, day_of_timestamptz(churned_at, "churned_at"));
	}
	l.day_end = date2timestamptz_opt_overflow(l.day + 1, NULL) - 1;
	return landmark_row(fcinfo, &l);
}
