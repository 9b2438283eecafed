/*
 * rolling_read.c - what an interaction_history says at a time.
 *
 * Readers see what happened up to and including as_of. A history that keeps the latest n may have dropped what a
 * reader asks for: that is an error.
 */
#include "rolling.h"

#include "access/htup_details.h"
#include "funcapi.h"

pg_noreturn static void
dropped_error(const InteractionHistory *h, const char *what)
{
	argument_error("the history does not reach back far enough",
				   "Build it with interaction_history(at, score), which keeps all interactions, or keep more of them.",
				   "It keeps the latest %d interactions, the first of them at %s; %s.", h->keep,
				   time_text(h->entries[0].at), what);
}

static TimestampTz
as_of_of_args(FunctionCallInfo fcinfo)
{
	return checked_time(PG_GETARG_TIMESTAMPTZ(1), "as_of");
}

/* ---- readers of one number ----------------------------------------------------------------------- */

/* Arguments (history, as_of, n): the latest n of what happened by then, fewer where there were fewer. */
static int32
latest_of_args(FunctionCallInfo fcinfo, const InteractionHistory *h, const Interaction **latest)
{
	TimestampTz as_of = as_of_of_args(fcinfo);
	int32		n = checked_n(PG_GETARG_INT32(2), "n");
	int32		end = interactions_until(h, as_of);

	if (h->keep > 0 && n > h->keep)
		argument_error("n must not exceed what the history keeps",
					   "Build the history with a larger number to keep, or without one.",
					   "n is %d, the history keeps the latest %d interactions.", n, h->keep);
	if (interactions_full(h) && end < n)
		dropped_error(h, "the latest ones by as_of may lie before");
	n = Min(n, end);
	*latest = &h->entries[end - n];
	return n;
}

PG_FUNCTION_INFO_V1(clv_rolling_mean);
Datum
clv_rolling_mean(PG_FUNCTION_ARGS)
{
	const Interaction *latest;
	int32		n = latest_of_args(fcinfo, PG_GETARG_INTERACTIONS(0), &latest);

	if (n == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(mean_of_interactions(latest, n));
}

PG_FUNCTION_INFO_V1(clv_rolling_count);
Datum
clv_rolling_count(PG_FUNCTION_ARGS)
{
	const Interaction *latest;

	PG_RETURN_INT32(latest_of_args(fcinfo, PG_GETARG_INTERACTIONS(0), &latest));
}

PG_FUNCTION_INFO_V1(clv_rolling_interaction_count);
Datum
clv_rolling_interaction_count(PG_FUNCTION_ARGS)
{
	const InteractionHistory *h = PG_GETARG_INTERACTIONS(0);
	TimestampTz as_of = as_of_of_args(fcinfo);

	if (interactions_full(h))
		dropped_error(h, "how many there were before is not known");
	PG_RETURN_INT32(interactions_until(h, as_of));
}

PG_FUNCTION_INFO_V1(clv_rolling_last_interaction);
Datum
clv_rolling_last_interaction(PG_FUNCTION_ARGS)
{
	const InteractionHistory *h = PG_GETARG_INTERACTIONS(0);
	int32		end = interactions_until(h, as_of_of_args(fcinfo));

	if (end == 0 && interactions_full(h))
		dropped_error(h, "the last one by as_of may lie before");
	if (end == 0)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(h->entries[end - 1].at);
}

/* slice(history, after, until): what happened in (after, until], each of which may be infinite */
PG_FUNCTION_INFO_V1(clv_rolling_slice);
Datum
clv_rolling_slice(PG_FUNCTION_ARGS)
{
	const InteractionHistory *h = PG_GETARG_INTERACTIONS(0);
	TimestampTz after = PG_GETARG_TIMESTAMPTZ(1);
	TimestampTz until = PG_GETARG_TIMESTAMPTZ(2);
	int32		begin = interactions_until(h, after);
	int32		n = interactions_until(h, until) - begin;
	InteractionHistory *part;

	if (until < after)
		argument_error("until must not be before after", "The interval is (after, until]: swap the two times.",
					   "after is %s, until is %s.", time_text(after), time_text(until));
	/* with all that is kept, the part is the latest ones of the interval as well */
	if (interactions_full(h) && begin == 0 && n < h->n)
		dropped_error(h, "those of the interval may lie before");
	part = interactions_new(n, h->keep);
	memcpy(part->entries, &h->entries[begin], n * sizeof(Interaction));
	part->n = n;
	part->flags = 0;
	AssertInteractions(part);
	PG_RETURN_POINTER(part);
}

/* ---- rows ------------------------------------------------------------------------------------------ */

static void *
keep_interactions(FunctionCallInfo fcinfo)
{
	return interactions_trim(PG_GETARG_INTERACTIONS(0));
}

/* interactions(history): one row per entry (at, score) */
PG_FUNCTION_INFO_V1(clv_rolling_interactions);
Datum
clv_rolling_interactions(PG_FUNCTION_ARGS)
{
	FuncCallContext *call;
	const InteractionHistory *h;
	Datum		values[2];
	bool		nulls[2] = {false};

	if (SRF_IS_FIRSTCALL())
		begin_rows(fcinfo, keep_interactions);
	call = SRF_PERCALL_SETUP();
	h = call->user_fctx;
	if (call->call_cntr >= (uint64) h->n)
		SRF_RETURN_DONE(call);
	values[0] = TimestampTzGetDatum(h->entries[call->call_cntr].at);
	values[1] = Float8GetDatum(h->entries[call->call_cntr].value);
	SRF_RETURN_NEXT(call, HeapTupleGetDatum(heap_form_tuple(call->tuple_desc, values, nulls)));
}

/* ---- first contact resolution ------------------------------------------------------------------------ */

typedef struct ContactCounts
{
	int64		contacts;
	int64		judged;
	int64		resolved;
} ContactCounts;

static ContactCounts
count_contacts(const InteractionHistory *h, TimestampTz data_until, int64 window)
{
	ContactCounts counts = {0};

	for (int32 i = 0; i < h->n && h->entries[i].at <= data_until; i++)
	{
		bool		has_next = i + 1 < h->n;
		TimestampTz next = has_next ? h->entries[i + 1].at : 0;
		ContactOutcome outcome = contact_outcome(h->entries[i].at, has_next, next, window, data_until);

		counts.contacts++;
		counts.judged += outcome != CONTACT_CENSORED;
		counts.resolved += outcome == CONTACT_RESOLVED;
	}
	return counts;
}

/*
 * first_contact_resolution(history, data_until, repeat_within): always exactly one row, which is NULL where an
 * argument is. Declared as a set, so that it answers without a set's protocol.
 */
PG_FUNCTION_INFO_V1(clv_rolling_first_contact);
Datum
clv_rolling_first_contact(PG_FUNCTION_ARGS)
{
	Datum		values[4] = {0};
	bool		nulls[4] = {true, true, true, true};

	if (!PG_ARGISNULL(0) && !PG_ARGISNULL(1) && !PG_ARGISNULL(2))
	{
		const InteractionHistory *h = PG_GETARG_INTERACTIONS(0);
		TimestampTz data_until = checked_time(PG_GETARG_TIMESTAMPTZ(1), "data_until");
		ContactCounts counts = count_contacts(h, data_until, contact_window(PG_GETARG_INTERVAL_P(2)));

		if (interactions_full(h))
			dropped_error(h, "contacts before are not known");
		values[0] = Int64GetDatum(counts.contacts);
		values[1] = Int64GetDatum(counts.judged);
		values[2] = Int64GetDatum(counts.resolved);
		nulls[0] = nulls[1] = nulls[2] = false;
		nulls[3] = counts.judged == 0;
		if (!nulls[3])
			values[3] = Float8GetDatum((double) counts.resolved / (double) counts.judged);
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(kept_row_type(fcinfo), values, nulls)));
}
