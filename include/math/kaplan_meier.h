/*
 * kaplan_meier.h - how long it takes until an event: the estimator of Kaplan and Meier, and the log-rank test, from
 * rows of ROWS_SURVIVAL or ROWS_CLUSTERED_SURVIVAL, whose regressors and clusters are ignored.
 *
 * A row is at risk in (entry, tenure]: it counts at the time of its own event and of its own end of observation, so
 * that of what happens at one time the events come first, but not yet at its entry.
 *
 * With delayed entry all estimates are conditional on lasting until the first entry. Where everybody at risk is gone
 * although others come under observation later, survival is not known from there on: a product that goes on would
 * stay at 0 for ever, or would take nothing to happen while nobody looked.
 */
#ifndef CLV_MATH_KAPLAN_MEIER_H
#define CLV_MATH_KAPLAN_MEIER_H

#include <stdbool.h>

#include "math/inference.h"
#include "math/value.h"

/* So many of something at one time. */
typedef struct TimeCount
{
	double		at;
	double		count;
} TimeCount;

/* The times of a sample, each list ascending without repetitions. */
typedef struct RiskTimes
{
	const TimeCount *events;
	const TimeCount *censored;
	const TimeCount *entries;
	size_t		nevents;
	size_t		ncensored;
	size_t		nentries;
	double		n;				/* rows in all */
} RiskTimes;

/* How many TimeCounts of room it takes to read the rows. */
extern size_t risk_times_room(const Rows *rows);

/* Read the rows into the room of the caller, who keeps it as long as times. False when stop asked to end. */
extern bool read_risk_times(const Rows *rows, TimeCount *room, const FitStop *stop, RiskTimes *times);

/* How far the times of a sample have been gone through. Start from {.times = times}. */
typedef struct RiskSet
{
	const RiskTimes *times;
	size_t		event;
	size_t		censored;
	size_t		entry;
	double		n;				/* at risk */
	double		empty_from;		/* since then nobody was at risk, until some came later; 0: never so */
} RiskSet;

/* How many are at risk at `at`, not before any asked about earlier: entry < at <= tenure. */
extern double at_risk(RiskSet *set, double at);

/* What is known of one time at which an event happened, and from it up to the next. */
typedef struct SurvivalPoint
{
	double		at;
	double		n_risk;
	double		n_events;
	double		n_censored;		/* from `at` on, before the next event */
	double		survival;		/* all from here on NAN where survival is not known */
	double		log_survival;	/* -INFINITY where survival is 0 */
	double		greenwood;		/* sum of d / (n (n - d)), the variance of log survival; INFINITY where survival is 0 */
	double		cumulative_hazard;	/* sum of d / n (W. Nelson 1969, O. Aalen 1978) */
} SurvivalPoint;

/* Why survival is not known beyond some time, although there are later data. */
typedef enum RiskTrouble
{
	RISK_NONE = 0,
	RISK_USED_UP,				/* everybody at risk had the event: not known from that time on */
	RISK_GAP					/* everybody at risk had left observation: not known after that time */
} RiskTrouble;

/* The estimator on its way from event to event. */
typedef struct KaplanMeier
{
	RiskSet		set;
	size_t		next;			/* event */
	double		survival;		/* + rest: a product of 32 digits, so that one half is one half */
	double		rest;
	CompensatedSum greenwood;
	CompensatedSum hazard;
	RiskTrouble trouble;
	double		trouble_at;
} KaplanMeier;

extern void kaplan_meier_begin(KaplanMeier *km, const RiskTimes *times);

/* The next time of an event (E. L. Kaplan and P. Meier 1958, M. Greenwood 1926); false behind the last. */
extern bool kaplan_meier_next(KaplanMeier *km, SurvivalPoint *point);

/* Behind the last event: notices the trouble that comes after it. */
extern void kaplan_meier_end(KaplanMeier *km);

/*
 * The standard error of survival, survival * sqrt(greenwood), and its interval on the scale of log(-log survival)
 * (J. D. Kalbfleisch and R. L. Prentice 1980). NAN where survival is 0, 1 or not known.
 */
extern Estimate survival_estimate(const SurvivalPoint *point, double conf);

/* An estimate that may not be known. */
typedef struct LifetimeEstimate
{
	double		value;			/* NAN where the data do not know it */
	Estimate	estimate;		/* NAN where it does not exist */
	double		known_from;		/* the first entry: until then nobody was under observation */
	double		known_until;	/* survival is known up to here; INFINITY where it is 0 in the end */
	RiskTrouble trouble;		/* if known_until is because of that */
} LifetimeEstimate;

/* Whether survival at t >= 0 follows from the data. */
extern bool survival_is_known(const LifetimeEstimate *result, double t);

/*
 * Probability of no event up to t. NAN before the first entry, and beyond known_until. False when stop (which, here and
 * below, may be NULL) asked to end.
 */
extern bool survival_at(const RiskTimes *times, double t, double conf, const FitStop *stop, LifetimeEstimate *result);

/*
 * The time by which a share 0 < p < 1 has had the event: the first at which survival is at most 1 - p. The ends of the
 * interval are the first times at which the lower, and the upper, end of the interval of survival is
 * (R. Brookmeyer and J. Crowley 1982, on the log-log scale). NAN where it is not reached. std_error is NAN.
 */
extern bool survival_quantile(const RiskTimes *times, double p, double conf, const FitStop *stop,
							  LifetimeEstimate *result);

/*
 * The mean of min(lifetime, until), until > 0: the area below the curve. Its variance is the sum of (area beyond t)^2
 * d / (n (n - d)) over the times of events (P. Meier 1975), its interval value -+ z std_error; NAN where the variance is
 * 0, as it is without an event before until. All NAN where survival is not known up to until.
 */
extern bool mean_lifetime(const RiskTimes *times, double until, double conf, const FitStop *stop,
						  LifetimeEstimate *result);

/* More groups than that are refused: the covariance of all with all is summed at every time. */
#define LOG_RANK_MOST_GROUPS 200

/* One of the groups that are compared. */
typedef struct LogRankGroup
{
	double		observed;		/* events */
	double		expected;
	double		variance;		/* hypergeometric, of observed - expected */
} LogRankGroup;

typedef struct LogRank
{
	double		statistic;		/* chi-square; NAN where df is 0 */
	int			df;				/* groups that can be told from the others; 0: nothing can be compared */
	double		p_value;
} LogRank;

/* How many doubles of room it takes to compare so many groups. */
extern size_t log_rank_room(int ngroups);

/*
 * Whether groups differ in how soon events come (N. Mantel 1966; R. Peto and J. Peto 1972): from the hypergeometric
 * means and covariances of the events of each group, given how many are at risk. sums receives those of each of
 * ngroups <= LOG_RANK_MOST_GROUPS groups; room is the caller's. A group that is never at risk when events happen adds
 * nothing, and groups that never are at risk together are not compared, which lowers df. False when stop asked to end.
 */
extern bool log_rank(const RiskTimes *groups, int ngroups, double *room, const FitStop *stop, LogRankGroup *sums,
					 LogRank *result);

#endif
