/*
 * cox_risk.c - the sums over those at risk at each time of an event.
 *
 * Time is walked backwards: rows join the sums at their tenure and, if they were not seen from the start, leave them at
 * their entry. What leaves is subtracted from two-part sums, so that nothing of a heavy row stays behind; where most of
 * the digits have gone nevertheless, the sums are built anew. Weights are mantissas with an exponent of their own, and
 * the sums multiples of a power of two (the frame): no effect is too large.
 */
#include "math/cox_risk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows between two questions whether to end: some milliseconds. */
#define POLL_ROWS 4096

/* ---- reading ----------------------------------------------------------------------------------- */

typedef struct TimedRow
{
	double		time;
	size_t		row;
} TimedRow;

static bool
asked_to_stop(const FitStop *stop, size_t row)
{
	return stop != NULL && row % POLL_ROWS == 0 && stop->requested(stop->arg);
}

/* Sort from the latest to the earliest, equal ones staying in order; false where stopped. The result is in *rows. */
static bool
sort_by_time(TimedRow **rows, TimedRow **spare, size_t n, const FitStop *stop)
{
	for (size_t width = 1; width < n; width *= 2)
	{
		TimedRow   *from = *rows;
		TimedRow   *to = *spare;

		for (size_t begin = 0; begin < n; begin += 2 * width)
		{
			size_t		middle = begin + width < n ? begin + width : n;
			size_t		end = middle + width < n ? middle + width : n;
			size_t		left = begin;
			size_t		right = middle;

			for (size_t i = begin; i < end; i++)
			{
				if (asked_to_stop(stop, i))
					return false;
				to[i] = left < middle && (right == end || from[left].time >= from[right].time) ? from[left++]
					: from[right++];
			}
		}
		*rows = to;
		*spare = from;
	}
	return true;
}

static const double *
row_x(const Rows *rows, size_t i, int p)
{
	return rows_at(rows, i) - p;
}

size_t
times_after(const RiskRows *c, double time)
{
	size_t		low = 0;
	size_t		high = c->ntimes;

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (c->times[middle].time > time)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* How many times of events a row is at risk at. */
static size_t
risks_of(const RiskRows *c, const double *row)
{
	return times_after(c, row[SURVIVAL_ENTRY]) - times_after(c, row[SURVIVAL_TENURE]);
}

/*
 * The distinct times of events, from the rows sorted by tenure: counted where times is NULL, else filled in. False
 * where stopped.
 */
static bool
find_times(const Rows *rows, const TimedRow *order, const FitStop *stop, EventTime *times, size_t *n)
{
	double		last = INFINITY;

	*n = 0;
	for (size_t i = 0; i < rows->n; i++)
	{
		if (asked_to_stop(stop, i))
			return false;
		if (rows_at(rows, order[i].row)[SURVIVAL_EVENT] == 0 || order[i].time == last)
			continue;
		last = order[i].time;
		if (times != NULL)
			times[*n].time = last;
		(*n)++;
	}
	return true;
}

static bool
make_times(const Rows *rows, RiskRows *c, const TimedRow *order)
{
	if (!find_times(rows, order, c->stop, NULL, &c->ntimes))
		return false;
	c->times = calloc(c->ntimes + 1, sizeof(EventTime));
	return c->times != NULL && find_times(rows, order, c->stop, c->times, &c->ntimes);
}

/* Sort by tenure, censored rows before events of the same time; keep those that are at risk at some event. */
static bool
order_rows(const Rows *rows, RiskRows *c, TimedRow **order, TimedRow **spare)
{
	size_t		n = 0;

	for (int event = 0; event < 2; event++)
		for (size_t i = 0; i < rows->n; i++)
		{
			const double *row = rows_at(rows, i);

			if (row[SURVIVAL_EVENT] == event)
				(*order)[n++] = (TimedRow) {row[SURVIVAL_TENURE], i};
		}
	if (!sort_by_time(order, spare, n, c->stop) || !make_times(rows, c, *order))
		return false;
	c->n = 0;
	for (size_t i = 0; i < n; i++)
	{
		const double *row = rows_at(rows, (*order)[i].row);

		if (asked_to_stop(c->stop, i))
			return false;
		if (risks_of(c, row) == 0)
			continue;
		(*order)[c->n++] = (*order)[i];
		show_row(&c->scales, row - c->p);
	}
	return true;
}

static void
count_events(const Rows *rows, RiskRows *c, const TimedRow *order)
{
	EventTime  *time = c->times;

	for (size_t i = 0; i < c->n; i++)
	{
		const double *row = risk_row(c, i);

		if (rows_at(rows, order[i].row)[SURVIVAL_EVENT] == 0)
			continue;
		if (order[i].time < time->time)
			time++;
		if (time->events == 0)
			time->first = i;
		time->end = i + 1;
		time->events += row[RISK_COUNT];
		c->events += row[RISK_COUNT];
		for (int k = 0; k < c->p; k++)
			c->event_x[k] += row[RISK_COUNT] * row[RISK_X + k];
	}
}

static bool
fill_rows(const Rows *rows, RiskRows *c, const TimedRow *order)
{
	for (size_t i = 0; i < c->n; i++)
	{
		const double *x = row_x(rows, order[i].row, c->p);
		const double *row = rows_at(rows, order[i].row);

		if (asked_to_stop(c->stop, i))
			return false;
		c->entry[i] = row[SURVIVAL_ENTRY];
		risk_row(c, i)[RISK_COUNT] = row_count(rows, row);
		for (int k = 0; k < c->p; k++)
			risk_row(c, i)[RISK_X + k] = scaled_column(&c->scales, x, k);
	}
	count_events(rows, c, order);
	return true;
}

/* The rows that were not at risk at the first event, by entry; order and spare are used up. */
static bool
find_leaving(RiskRows *c, TimedRow **order, TimedRow **spare)
{
	double		first = c->times[c->ntimes - 1].time;
	size_t		n = 0;
	size_t		k = 0;

	for (size_t i = 0; i < c->n; i++)
		if (c->entry[i] >= first)
			(*order)[n++] = (TimedRow) {c->entry[i], i};
	if (!sort_by_time(order, spare, n, c->stop))
		return false;
	c->leaving = calloc(n + 1, sizeof(size_t));
	if (c->leaving == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
		c->leaving[i] = (*order)[i].row;
	c->nleaving = n;
	for (size_t t = 0; t < c->ntimes; t++)
	{
		while (k < n && (*order)[k].time >= c->times[t].time)
			k++;
		c->times[t].removed = k;
	}
	return true;
}

static bool
read_ordered(const Rows *rows, RiskRows *c, TimedRow **order, TimedRow **spare, const char **reason)
{
	if (!order_rows(rows, c, order, spare))
		return false;
	if (c->ntimes == 0)
	{
		*reason = "there is no event";
		return false;
	}
	for (size_t i = 0; i < c->n; i++)
	{
		if (asked_to_stop(c->stop, i))
			return false;
		weigh_row(&c->scales, row_x(rows, (*order)[i].row, c->p), row_count(rows, rows_at(rows, (*order)[i].row)));
	}
	if (!end_scales(&c->scales))
	{
		*reason = "x leaves the range of numbers";
		return false;
	}
	c->rows = calloc(c->n * (size_t) (RISK_X + c->p), sizeof(double));
	c->entry = calloc(c->n, sizeof(double));
	return c->rows && c->entry && fill_rows(rows, c, *order) && find_leaving(c, order, spare);
}

bool
read_risk_rows(const Rows *rows, bool clustered, RiskRows *c, const char **reason)
{
	TimedRow   *order = calloc(rows->n + 1, sizeof(TimedRow));
	TimedRow   *spare = calloc(rows->n + 1, sizeof(TimedRow));
	bool		done = false;

	*reason = NULL;
	c->p = rows->ncovariates - clustered;
	begin_scales(&c->scales, c->p);
	if (order != NULL && spare != NULL)
		done = read_ordered(rows, c, &order, &spare, reason);
	free(order);
	free(spare);
	if (!done && *reason == NULL && !(c->stop != NULL && c->stop->requested(c->stop->arg)))
		*reason = "there is not enough memory";
	return done;
}

void
free_risk_rows(RiskRows *c)
{
	free(c->times);
	free(c->rows);
	free(c->entry);
	free(c->leaving);
}

/* ---- weights ----------------------------------------------------------------------------------- */

bool
weigh_risk_rows(RiskRows *c, const double *b)
{
	for (size_t i = 0; i < c->n; i++)
	{
		double	   *row = risk_row(c, i);
		double		eta = 0;

		if (asked_to_stop(c->stop, i))
			return false;
		for (int k = 0; k < c->p; k++)
			eta += b[k] * row[RISK_X + k];
		if (!(fabs(eta) < 1e15))
			return false;
		row[RISK_EXPONENT] = nearbyint(eta * M_LOG2E);
		row[RISK_WEIGHT] = row[RISK_COUNT] * exp(eta - row[RISK_EXPONENT] * M_LN2);
	}
	return true;
}

/* value 2^exponent, where exponents far below 0 give 0 */
static double
times_power(double value, double exponent)
{
	return exponent == 0 ? value : ldexp(value, (int) fmin(fmax(exponent, -4000), 4000));
}

/* ---- sums -------------------------------------------------------------------------------------- */

/* Sums over those at risk: low holds what high lost to rounding, and is used only where rows leave. */
typedef struct RiskSums
{
	const RiskRows *c;
	int			n;
	double		frame;
	double		peak;			/* the largest sum of weights since the sums were built */
	size_t		added;			/* rows [0, added) and ... */
	size_t		removed;		/* ... of them leaving[0 .. removed) not */
	double		high[RISK_MOST_SUMS];
	double		low[RISK_MOST_SUMS];
	double		value[RISK_MOST_SUMS];	/* high + low */
	double		events[RISK_MOST_SUMS];	/* those of the rows that have their event */
} RiskSums;

/* Leave room below the frame, so that it seldom has to be raised. */
#define FRAME_SLACK 64

static void
raise_frame(RiskSums *s, double exponent)
{
	double		fall = s->frame - exponent;

	if (fall >= -FRAME_SLACK)
		return;
	for (int i = 0; i < s->n; i++)
	{
		s->high[i] = times_power(s->high[i], fall);
		s->low[i] = times_power(s->low[i], fall);
	}
	s->peak = times_power(s->peak, fall);
	s->frame = exponent;
}

/* The weight of a row in the sums, times 1, x and x x'. */
static void
row_terms(const RiskSums *s, const double *row, double *restrict terms)
{
	int			p = s->c->p;
	const double *x = row + RISK_X;
	double		w = times_power(row[RISK_WEIGHT], row[RISK_EXPONENT] - s->frame);
	double	   *square = terms + 1 + p;

	terms[0] = w;
	for (int k = 0; k < p; k++)
	{
		double		wx = w * x[k];

		terms[1 + k] = wx;
		for (int l = 0; l <= k; l++)
			*square++ = wx * x[l];
	}
}

/* Knuth's two-sum: high + low stays exact to the square of the precision. */
static void
add_terms(RiskSums *s, const double *restrict terms, double sign)
{
	double	   *restrict high = s->high;
	double	   *restrict low = s->low;
	int			n = s->n;

	if (s->c->nleaving == 0)
	{
		for (int i = 0; i < n; i++)
			high[i] += terms[i];
		return;
	}
	for (int i = 0; i < n; i++)
	{
		double		term = sign * terms[i];
		double		sum = high[i] + term;
		double		part = sum - high[i];

		low[i] += (high[i] - (sum - part)) + (term - part);
		high[i] = sum;
	}
}

static void
join(RiskSums *s, size_t i)
{
	const double *row = risk_row(s->c, i);
	double		terms[RISK_MOST_SUMS];

	raise_frame(s, row[RISK_EXPONENT]);
	row_terms(s, row, terms);
	add_terms(s, terms, 1);
}

static void
empty_sums(RiskSums *s)
{
	memset(s->high, 0, s->n * sizeof(double));
	memset(s->low, 0, s->n * sizeof(double));
	s->peak = 0;
	s->frame = -INFINITY;
}

/* The sums over those of the rows added that began before the time; false where stopped. */
static bool
build_sums(RiskSums *s, double time)
{
	const RiskRows *c = s->c;

	empty_sums(s);
	for (size_t i = 0; i < s->added; i++)
	{
		if (asked_to_stop(c->stop, i))
			return false;
		if (c->entry[i] < time)
			join(s, i);
	}
	s->peak = s->high[0] + s->low[0];
	return true;
}

/* A sum this much smaller than it was has lost digits: 2^-40 of the 2^-106 that rounding leaves. */
#define WORN 0x1p-40

#define AHEAD 8					/* rows */

/* The rows at risk at that time but for those who have their event then. False where stopped. */
static bool
advance(RiskSums *s, const EventTime *time)
{
	const RiskRows *c = s->c;

	for (; s->added < time->first; s->added++)
	{
		if (asked_to_stop(c->stop, s->added))
			return false;
		join(s, s->added);
	}
	if (c->nleaving > 0)
	{
		double		terms[RISK_MOST_SUMS];

		s->peak = fmax(s->peak, s->high[0] + s->low[0]);
		for (; s->removed < time->removed; s->removed++)
		{
			/* where the rows that leave lie is not known to the processor */
			if (s->removed + AHEAD < c->nleaving)
				__builtin_prefetch(risk_row(c, c->leaving[s->removed + AHEAD]));
			row_terms(s, risk_row(c, c->leaving[s->removed]), terms);
			add_terms(s, terms, -1);
		}
		if (s->added == s->removed)
			empty_sums(s);
		else if (!(s->high[0] + s->low[0] > s->peak * WORN) && !build_sums(s, time->time))
			return false;
	}
	for (size_t i = time->first; i < time->end; i++)
		raise_frame(s, risk_row(c, i)[RISK_EXPONENT]);
	for (int i = 0; i < s->n; i++)
		s->value[i] = s->high[i] + s->low[i];
	return true;
}

/* The sums over those who have their event, who are behind all rows added so far. False where stopped. */
static bool
sum_events(RiskSums *s, const EventTime *time)
{
	double		terms[RISK_MOST_SUMS];

	memset(s->events, 0, s->n * sizeof(double));
	for (size_t i = time->first; i < time->end; i++)
	{
		if (asked_to_stop(s->c->stop, i))
			return false;
		row_terms(s, risk_row(s->c, i), terms);
		for (int k = 0; k < s->n; k++)
			s->events[k] += terms[k];
		add_terms(s, terms, 1);
	}
	s->added = time->end;
	return true;
}

/* Add `times` events at which the share g of D is still at risk. */
static void
add_risk(RiskSet *set, double g, double times)
{
	double		risk = set->r[0] + g * set->d[0];
	double		inverse = times / risk;
	double		square = inverse / risk;
	double		f = 1 - g;

	set->log_risk += times * log(risk);
	set->inverse += inverse;
	set->inverse_g += g * inverse;
	set->inverse_f += f * inverse;
	set->square += square;
	set->square_g += g * square;
	set->square_gg += g * g * square;
	set->square_f += f * square;
	set->square_fg += f * g * square;
}

static bool
make_set(const RiskSums *s, const EventTime *time, RiskSet *set)
{
	*set = (RiskSet) {.time = time, .frame = s->frame, .r = s->value, .d = s->events};
	if (s->c->ties == TIES_BRESLOW)
		add_risk(set, 1, time->events);
	else
		for (double left = time->events; left > 0; left--)
		{
			if (asked_to_stop(s->c->stop, (size_t) left))
				return false;
			add_risk(set, left / time->events, 1);
		}
	set->log_risk += time->events * s->frame * M_LN2;
	return true;
}

bool
visit_risk_sets(const RiskRows *c, VisitRiskSet visit, void *arg)
{
	RiskSums	s = {.c = c, .n = 1 + c->p + c->p * (c->p + 1) / 2};
	RiskSet		set;

	empty_sums(&s);
	for (size_t t = 0; t < c->ntimes; t++)
	{
		if (!advance(&s, &c->times[t]) || !sum_events(&s, &c->times[t]) || !make_set(&s, &c->times[t], &set))
			return false;
		visit(arg, t, &set);
	}
	return true;
}
