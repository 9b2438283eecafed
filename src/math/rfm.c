/*
 * rfm.c - scores by recency, frequency and monetary value, the segments that they make, and tiers of value.
 */
#include "math/rfm.h"

#include <math.h>

static const RfmSegment segments[] = {
	{"Champions", 5, 5, 4, 5, "Reward them, show them new products first, ask for reviews and referrals."},
	{"Loyal", 3, 4, 4, 5, "Offer what goes with what they buy, and a loyalty programme."},
	{"Potential Loyalist", 4, 5, 2, 3, "Invite them to a second category or a membership while they are active."},
	{"New", 5, 5, 1, 1, "Help them to a good start and to a second purchase soon."},
	{"Promising", 4, 4, 1, 1, "Stay in touch, give a reason to come back within weeks."},
	{"Need Attention", 3, 3, 3, 3, "Make a time-limited offer based on past purchases."},
	{"About To Sleep", 3, 3, 1, 2, "Remind them of what they looked at and bought, before they drift away."},
	{"Can't Lose", 1, 2, 5, 5, "Call them in person, find out what went wrong and settle open complaints."},
	{"At Risk", 1, 2, 3, 4, "Win them back with a personal message and a renewal offer."},
	{"Hibernating", 1, 2, 1, 2, "Spend little: an automatic mail with a standard offer, or let them go."},
};

#define NSEGMENTS (sizeof(segments) / sizeof(segments[0]))

long long
rfm_break_rank(long long n, int bins, int score)
{
	/* a score is reached with that many worse ones: the smallest w with bins * w / (n - 1) >= score - 1 */
	return ((score - 1) * (n - 1) + bins - 1) / bins;
}

void
rfm_scores(const RfmBreaks *breaks, const double *values, int *scores)
{
	for (int c = 0; c < RFM_COLUMNS; c++)
	{
		double		worth = rfm_worth(c, values[c]);

		scores[c] = 1;
		for (int i = 0; i < breaks->n; i++)
			scores[c] += worth > rfm_worth(c, breaks->at[c][i]);
	}
}

const char *
rfm_breaks_problem(const RfmBreaks *breaks)
{
	for (int c = 0; c < RFM_COLUMNS; c++)
		for (int i = 0; i < breaks->n; i++)
		{
			if (!isfinite(breaks->at[c][i]))
				return "breaks must be finite numbers";
			if (i > 0 && rfm_worth(c, breaks->at[c][i]) < rfm_worth(c, breaks->at[c][i - 1]))
				return c == RFM_DAYS ? "breaks of days_since_last must not ascend" :
					"breaks of frequency and monetary must not descend";
		}
	return NULL;
}

const RfmSegment *
rfm_segment_at(size_t i)
{
	return i < NSEGMENTS ? &segments[i] : NULL;
}

const RfmSegment *
rfm_segment_of(int r, int f, int m)
{
	int			fm = (f + m + 1) / 2;

	for (size_t i = 0; i < NSEGMENTS; i++)
		if (r >= segments[i].r_min && r <= segments[i].r_max && fm >= segments[i].fm_min && fm <= segments[i].fm_max)
			return &segments[i];
	return NULL;
}

const char *
rfm_value_tier(double clv, double churn_risk, double high_value, double high_risk)
{
	if (churn_risk >= high_risk)
		return "at risk";
	return clv >= high_value ? "high value" : "growth potential";
}
