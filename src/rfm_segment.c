/*
 * rfm_segment.c - segments from scores, and tiers from value and risk.
 */
#include "rfm.h"

#include <math.h>

#include "funcapi.h"
#include "utils/builtins.h"

/* The scores of a text such as 543, all from 1 to 5. */
static void
scores_of_text(const text *score, int *scores)
{
	const char *digits = VARDATA_ANY(score);
	bool		valid = VARSIZE_ANY_EXHDR(score) == RFM_COLUMNS;

	for (int c = 0; valid && c < RFM_COLUMNS; c++)
	{
		scores[c] = digits[c] - '0';
		valid = scores[c] >= 1 && scores[c] <= RFM_SEGMENT_BINS;
	}
	if (!valid)
		argument_error("score must be three digits of 1 to 5",
					   "Segments are defined for 5 bins; for others join the score with your own copy of rfm_segments().",
					   "The score is \"%s\".", excerpt(text_to_cstring(score)));
}

PG_FUNCTION_INFO_V1(clv_rfm_segment);
Datum
clv_rfm_segment(PG_FUNCTION_ARGS)
{
	int			scores[RFM_COLUMNS];

	scores_of_text(PG_GETARG_TEXT_PP(0), scores);
	PG_RETURN_TEXT_P(cstring_to_text(rfm_segment_of(scores[RFM_DAYS], scores[RFM_FREQUENCY], scores[RFM_MONETARY])->name));
}

/* rfm_segments(): segment, r_min, r_max, fm_min, fm_max, action */
PG_FUNCTION_INFO_V1(clv_rfm_segments);
Datum
clv_rfm_segments(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = result_set(fcinfo);
	const RfmSegment *s;

	for (size_t i = 0; (s = rfm_segment_at(i)) != NULL; i++)
	{
		Datum		values[] = {CStringGetTextDatum(s->name), Int32GetDatum(s->r_min), Int32GetDatum(s->r_max),
			Int32GetDatum(s->fm_min), Int32GetDatum(s->fm_max), CStringGetTextDatum(s->action)};
		bool		nulls[lengthof(values)] = {false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

static float8
checked_probability(FunctionCallInfo fcinfo, int n, const char *name)
{
	float8		value = PG_GETARG_FLOAT8(n);

	if (!(value >= 0 && value <= 1))
		argument_error(psprintf("%s must be between 0 and 1", name), "Write 50 percent as 0.5.", "The value is %g.", value);
	return value;
}

static float8
checked_money(FunctionCallInfo fcinfo, int n, const char *name)
{
	float8		value = PG_GETARG_FLOAT8(n);

	if (isnan(value))
		argument_error(psprintf("%s must be a number", name), "Leave out or correct values that are NaN.", "It is NaN.");
	return value;
}

/* value_tier(clv, churn_risk, high_value, high_risk) */
PG_FUNCTION_INFO_V1(clv_rfm_value_tier);
Datum
clv_rfm_value_tier(PG_FUNCTION_ARGS)
{
	float8		clv = checked_money(fcinfo, 0, "clv");
	float8		churn_risk = checked_probability(fcinfo, 1, "churn_risk");
	float8		high_value = checked_money(fcinfo, 2, "high_value");
	float8		high_risk = checked_probability(fcinfo, 3, "high_risk");

	PG_RETURN_TEXT_P(cstring_to_text(rfm_value_tier(clv, churn_risk, high_value, high_risk)));
}
