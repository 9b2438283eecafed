/*
 * kaplan_meier.c - survival from counts of events, censorings and entries: curve, quantiles, restricted mean.
 */
#include "math/kaplan_meier.h"

#include <math.h>
#include <string.h>

#include "math/special.h"

/* Elements between two questions whether to end: some milliseconds. */
#define POLL_TIMES 65536

static bool
asked_to_stop(const FitStop *stop, size_t i)
{
	return stop != NULL && i % POLL_TIMES == 0 && stop->requested(stop->arg);
}

/* ---- lists of times ------------------------------------------------------------------------------ */

static void
append_time(TimeCount *list, size_t *n, double at, double count)
{
	if (*n > 0 && list[*n - 1].at == at)
		list[*n - 1].count += count;
	else
		list[(*n)++] = (TimeCount) {at, count};
}

/* Where the ascending run that begins at `from` ends. */
static size_t
end_of_run(const TimeCount *list, size_t n, size_t from)
{
	size_t		end = from + 1;

	while (end < n && list[end - 1].at < list[end].at)
		end++;
	return end;
}

/* A run that is being merged. */
typedef struct Run
{
	const TimeCount *next;
	const TimeCount *end;
} Run;

/* Merge two runs into out, behind *m elements that stand there, and add up counts of the same time. */
static bool
merge_runs(Run a, Run b, TimeCount *out, size_t *m, const FitStop *stop)
{
	while (a.next < a.end || b.next < b.end)
	{
		if (asked_to_stop(stop, *m))
			return false;
		if (b.next == b.end || (a.next < a.end && a.next->at < b.next->at))
			out[(*m)++] = *a.next++;
		else if (a.next == a.end || b.next->at < a.next->at)
			out[(*m)++] = *b.next++;
		else
		{
			out[*m] = *a.next++;
			out[(*m)++].count += b.next++->count;
		}
	}
	return true;
}

/*
 * Sort by merging the runs that are there, two by two, which adds up what repeats: rows of a sample without regressors
 * are one run, and those of whole months with regressors soon are a few dozen elements. spare has room for as much.
 */
static bool
sort_times(TimeCount *list, TimeCount *spare, size_t *n, const FitStop *stop)
{
	TimeCount  *from = list;
	TimeCount  *to = spare;

	while (*n > 0 && end_of_run(from, *n, 0) < *n)
	{
		TimeCount  *merged = to;
		size_t		m = 0;

		for (size_t a = 0; a < *n;)
		{
			size_t		b = end_of_run(from, *n, a);
			size_t		end = b < *n ? end_of_run(from, *n, b) : b;

			if (!merge_runs((Run) {from + a, from + b}, (Run) {from + b, from + end}, merged, &m, stop))
				return false;
			a = end;
		}
		to = from;
		from = merged;
		*n = m;
	}
	if (from != list)
		memcpy(list, from, *n * sizeof(TimeCount));
	return true;
}

/* Rows leave once and enter once, and sorting takes as much again as the longest of the lists. */
size_t
risk_times_room(const Rows *rows)
{
	return 3 * rows->n;
}

bool
read_risk_times(const Rows *rows, TimeCount *room, const FitStop *stop, RiskTimes *times)
{
	TimeCount  *entries = room + rows->n;
	TimeCount  *spare = room + 2 * rows->n;
	TimeCount  *events = room;
	TimeCount  *censored = room;

	*times = (RiskTimes) {0};
	for (size_t i = 0; i < rows->n; i++)
		censored += rows_at(rows, i)[2] != 0;
	for (size_t i = 0; i < rows->n; i++)
	{
		const double *row = rows_at(rows, i);
		double		count = row_count(rows, row);

		if (asked_to_stop(stop, i))
			return false;
		append_time(entries, &times->nentries, row[0], count);
		if (row[2] != 0)
			append_time(events, &times->nevents, row[1], count);
		else
			append_time(censored, &times->ncensored, row[1], count);
		times->n += count;
	}
	times->events = events;
	times->censored = censored;
	times->entries = entries;
	return sort_times(events, spare, &times->nevents, stop) &&
		sort_times(censored, spare, &times->ncensored, stop) &&
		sort_times(entries, spare, &times->nentries, stop);
}

/* ---- the risk set -------------------------------------------------------------------------------- */

static double
next_exit(const RiskSet *set)
{
	const RiskTimes *times = set->times;
	double		event = set->event < times->nevents ? times->events[set->event].at : INFINITY;
	double		censored = set->censored < times->ncensored ? times->censored[set->censored].at : INFINITY;

	return fmin(event, censored);
}

double
at_risk(RiskSet *set, double at)
{
	const RiskTimes *times = set->times;
	double		exit;

	while ((exit = next_exit(set)) < at)
	{
		/* those who enter now are at risk when the others have left */
		for (; set->entry < times->nentries && times->entries[set->entry].at <= exit; set->entry++)
			set->n += times->entries[set->entry].count;
		if (set->event < times->nevents && times->events[set->event].at == exit)
			set->n -= times->events[set->event++].count;
		if (set->censored < times->ncensored && times->censored[set->censored].at == exit)
			set->n -= times->censored[set->censored++].count;
		if (set->n == 0 && set->empty_from == 0 && set->entry < times->nentries)
			set->empty_from = exit;
	}
	for (; set->entry < times->nentries && times->entries[set->entry].at < at; set->entry++)
		set->n += times->entries[set->entry].count;
	return set->n;
}

/* ---- the curve ----------------------------------------------------------------------------------- */

void
kaplan_meier_begin(KaplanMeier *km, const RiskTimes *times)
{
	*km = (KaplanMeier) {.set = {.times = times}, .survival = 1};
}

/* Multiply survival with (n - d) / n, to twice the digits of a double. */
static void
multiply_survival(KaplanMeier *km, double n, double d)
{
	double		ratio = (n - d) / n;
	double		ratio_rest = fma(-ratio, n, n - d) / n;
	double		product = km->survival * ratio;
	double		rest = fma(km->survival, ratio, -product) + km->survival * ratio_rest + km->rest * ratio;

	km->survival = product + rest;
	km->rest = rest - (km->survival - product);
}

/* Near 1 the logarithm keeps its digits. */
static double
log_survival(const KaplanMeier *km)
{
	if (km->survival > 0.5)
		return log1p((km->survival - 1) + km->rest);
	return log(km->survival);
}

/* Nobody was at risk for a while before `at`, or at all times to come. */
static void
notice_gap(KaplanMeier *km)
{
	if (km->trouble == RISK_NONE && km->set.empty_from > 0)
	{
		km->trouble = RISK_GAP;
		km->trouble_at = km->set.empty_from;
	}
}

/* Count n_risk, d of whom have the event at `at`. */
static void
take_event(KaplanMeier *km, double at, double n, double d)
{
	notice_gap(km);
	if (n == d && km->trouble == RISK_NONE && km->set.entry < km->set.times->nentries)
	{
		km->trouble = RISK_USED_UP;
		km->trouble_at = at;
	}
	multiply_survival(km, n, d);
	if (n > d)
		compensated_add(&km->greenwood, d / n / (n - d));
	compensated_add(&km->hazard, d / n);
}

/* How many leave without an event from `at` on, before the next event. */
static double
censored_until_next(const KaplanMeier *km)
{
	const RiskTimes *times = km->set.times;
	double		next = km->next < times->nevents ? times->events[km->next].at : INFINITY;
	double		n = 0;

	for (size_t i = km->set.censored; i < times->ncensored && times->censored[i].at < next; i++)
		n += times->censored[i].count;
	return n;
}

bool
kaplan_meier_next(KaplanMeier *km, SurvivalPoint *point)
{
	const RiskTimes *times = km->set.times;
	const TimeCount *event = times->events + km->next;
	bool		known;

	if (km->next == times->nevents)
		return false;
	km->next++;
	*point = (SurvivalPoint) {.at = event->at, .n_risk = at_risk(&km->set, event->at), .n_events = event->count};
	point->n_censored = censored_until_next(km);
	take_event(km, point->at, point->n_risk, point->n_events);
	known = km->trouble == RISK_NONE;
	point->survival = known ? km->survival : NAN;
	point->log_survival = known ? log_survival(km) : NAN;
	point->greenwood = known ? compensated_sum(&km->greenwood) : NAN;
	if (known && point->n_risk == point->n_events)
		point->greenwood = INFINITY;
	point->cumulative_hazard = known ? compensated_sum(&km->hazard) : NAN;
	return true;
}

void
kaplan_meier_end(KaplanMeier *km)
{
	at_risk(&km->set, INFINITY);
	notice_gap(km);
}

Estimate
survival_estimate(const SurvivalPoint *point, double conf)
{
	double		z = normal_quantile(0.5 + 0.5 * conf);
	double		factor = exp(z * sqrt(point->greenwood) / -point->log_survival);

	if (!(point->log_survival < 0 && isfinite(point->greenwood)))
		return (Estimate) {NAN, NAN, NAN};
	return (Estimate) {
		.std_error = point->survival * sqrt(point->greenwood),
		.conf_low = exp(point->log_survival * factor),
		.conf_high = exp(point->log_survival / factor)
	};
}

/* ---- what is asked about the curve --------------------------------------------------------------- */

/* From where to where the curve is known; nothing else of the result. */
static bool
find_ends(const RiskTimes *times, const FitStop *stop, LifetimeEstimate *result)
{
	KaplanMeier km;
	SurvivalPoint point;
	double		last = times->ncensored > 0 ? times->censored[times->ncensored - 1].at : 0;

	*result = (LifetimeEstimate) {.value = NAN, .estimate = {NAN, NAN, NAN}, .known_from = NAN, .known_until = NAN};
	if (times->n == 0)
		return true;
	kaplan_meier_begin(&km, times);
	while (kaplan_meier_next(&km, &point))
		if (asked_to_stop(stop, km.next))
			return false;
	kaplan_meier_end(&km);
	result->known_from = times->entries[0].at;
	result->trouble = km.trouble;
	if (km.trouble != RISK_NONE)
		result->known_until = km.trouble_at;
	else
		result->known_until = km.survival == 0 ? INFINITY : last;
	return true;
}

bool
survival_is_known(const LifetimeEstimate *result, double t)
{
	if (!(t >= result->known_from))
		return false;
	return result->trouble == RISK_USED_UP ? t < result->known_until : t <= result->known_until;
}

bool
survival_at(const RiskTimes *times, double t, double conf, const FitStop *stop, LifetimeEstimate *result)
{
	KaplanMeier km;
	SurvivalPoint point = {.survival = 1};

	if (!find_ends(times, stop, result))
		return false;
	if (!survival_is_known(result, t))
		return true;
	kaplan_meier_begin(&km, times);
	while (km.next < times->nevents && times->events[km.next].at <= t && kaplan_meier_next(&km, &point))
		if (asked_to_stop(stop, km.next))
			return false;
	result->value = point.survival;
	result->estimate = survival_estimate(&point, conf);
	return true;
}

/* A survival of exactly 1 - p is reached, although neither may be a double. */
#define QUANTILE_TOLERANCE 1e-12

/* Note the time if the curve of which this is a value is down to the level for the first time. */
static void
note_crossing(double *time, double at, double curve, double level)
{
	if (isnan(*time) && curve <= level * (1 + QUANTILE_TOLERANCE))
		*time = at;
}

bool
survival_quantile(const RiskTimes *times, double p, double conf, const FitStop *stop, LifetimeEstimate *result)
{
	KaplanMeier km;
	SurvivalPoint point;

	if (!find_ends(times, stop, result))
		return false;
	kaplan_meier_begin(&km, times);
	while (isnan(result->estimate.conf_high) && kaplan_meier_next(&km, &point) && !isnan(point.survival))
	{
		Estimate	e = survival_estimate(&point, conf);

		if (asked_to_stop(stop, km.next))
			return false;
		note_crossing(&result->value, point.at, point.survival, 1 - p);
		note_crossing(&result->estimate.conf_low, point.at, point.survival == 0 ? 0 : e.conf_low, 1 - p);
		note_crossing(&result->estimate.conf_high, point.at, e.conf_high, 1 - p);
	}
	return true;
}

/* The area below the curve between two times; nothing where it is 0, even to the end of all time. */
static double
area_between(double survival, double from, double to)
{
	return survival > 0 ? survival * (to - from) : 0;
}

/*
 * The area below the curve up to `until`, and, with the whole area, its variance in squares of that, which neither
 * overflow nor vanish in any unit of time.
 */
static bool
sum_areas(const RiskTimes *times, double until, double whole, const FitStop *stop, double *area, double *variance)
{
	KaplanMeier km;
	SurvivalPoint point;
	CompensatedSum passed = {0, 0};
	CompensatedSum squares = {0, 0};
	double		at = 0;
	double		survival = 1;

	kaplan_meier_begin(&km, times);
	while (km.next < times->nevents && times->events[km.next].at < until && kaplan_meier_next(&km, &point))
	{
		double		beyond;

		if (asked_to_stop(stop, km.next))
			return false;
		compensated_add(&passed, area_between(survival, at, point.at));
		at = point.at;
		survival = point.survival;
		beyond = 1 - compensated_sum(&passed) / whole;
		if (survival > 0)
			compensated_add(&squares,
							beyond * beyond * point.n_events / point.n_risk / (point.n_risk - point.n_events));
	}
	compensated_add(&passed, area_between(survival, at, until));
	*area = compensated_sum(&passed);
	*variance = compensated_sum(&squares);
	return true;
}

bool
mean_lifetime(const RiskTimes *times, double until, double conf, const FitStop *stop, LifetimeEstimate *result)
{
	double		area;
	double		variance;

	if (!find_ends(times, stop, result))
		return false;
	if (!survival_is_known(result, until))
		return true;
	if (!sum_areas(times, until, 1, stop, &area, &variance) || !sum_areas(times, until, area, stop, &area, &variance))
		return false;
	result->value = area;
	if (variance > 0)
	{
		Estimate	e = real_estimate(1, variance, conf);

		result->estimate = (Estimate) {area * e.std_error, area * e.conf_low, area * e.conf_high};
	}
	return true;
}
