/*
 * log_rank.c - whether groups differ in how soon events come.
 */
#include "math/kaplan_meier.h"

#include <math.h>
#include <string.h>

/* Numbers computed between two questions whether to end: some milliseconds. */
#define POLL_NUMBERS (1 << 20)

/* A direction in which the scaled covariance is below this is one in which groups were not compared. */
#define SINGULAR 1e-10

/* One group on its way from event to event. */
typedef struct Group
{
	RiskSet		set;
	size_t		next;			/* event */
	double		n;				/* at risk */
} Group;

/* The room of the caller. */
typedef struct Room
{
	double	   *covariance;		/* k x k, of which the lower half is used */
	double	   *difference;		/* observed - expected */
	Group	   *groups;
} Room;

#define GROUP_DOUBLES ((sizeof(Group) + sizeof(double) - 1) / sizeof(double))

size_t
log_rank_room(int ngroups)
{
	size_t		k = ngroups;

	return k * k + k + k * GROUP_DOUBLES;
}

/* The next time of an event in any group; INFINITY behind the last. */
static double
next_event(const Group *groups, int k)
{
	double		at = INFINITY;

	for (int j = 0; j < k; j++)
		if (groups[j].next < groups[j].set.times->nevents)
			at = fmin(at, groups[j].set.times->events[groups[j].next].at);
	return at;
}

/* Add the events at one time. */
static void
add_time(Room *room, int k, double at, LogRankGroup *sums)
{
	double		n = 0;
	double		d = 0;
	double		spread;

	for (int j = 0; j < k; j++)
	{
		Group	   *g = &room->groups[j];
		const RiskTimes *times = g->set.times;

		g->n = at_risk(&g->set, at);
		n += g->n;
		if (g->next < times->nevents && times->events[g->next].at == at)
		{
			double		count = times->events[g->next++].count;

			sums[j].observed += count;
			d += count;
		}
	}
	/* a single row at risk, or all of them having the event, does not vary */
	spread = n > d ? d * ((n - d) / (n - 1)) : 0;
	for (int j = 0; j < k; j++)
	{
		double		share = room->groups[j].n / n;
		double	   *row = room->covariance + (size_t) j * k;

		if (share == 0)
			continue;
		sums[j].expected += d * share;
		for (int l = 0; l < j; l++)
			row[l] -= spread * share * (room->groups[l].n / n);
		row[j] += spread * share * ((n - room->groups[j].n) / n);
	}
}

/*
 * difference' covariance^- difference by Cholesky's decomposition, the largest pivot first: a group of which nothing is
 * left follows from those before it. Covariance and difference are scaled to variances of 1, and destroyed.
 */
static int
quadratic_form(double *v, double *u, int k, double *sum)
{
	double		scale[LOG_RANK_MOST_GROUPS];
	bool		done[LOG_RANK_MOST_GROUPS];
	int			rank = 0;

	for (int i = 0; i < k; i++)
	{
		scale[i] = sqrt(v[i * k + i]);
		done[i] = scale[i] == 0;
	}
	for (int i = 0; i < k; i++)
	{
		if (!done[i])
			u[i] /= scale[i];
		for (int j = 0; j <= i; j++)
			v[j * k + i] = v[i * k + j] = done[i] || done[j] ? 0 : v[i * k + j] / scale[i] / scale[j];
	}
	for (*sum = 0; rank < k; rank++)
	{
		int			p = -1;

		for (int i = 0; i < k; i++)
			if (!done[i] && v[i * k + i] > SINGULAR && (p < 0 || v[i * k + i] > v[p * k + p]))
				p = i;
		if (p < 0)
			break;
		done[p] = true;
		*sum += u[p] * u[p] / v[p * k + p];
		for (int i = 0; i < k; i++)
		{
			double		factor = done[i] ? 0 : v[i * k + p] / v[p * k + p];

			u[i] -= factor * u[p];
			for (int j = 0; factor != 0 && j < k; j++)
				if (!done[j])
					v[i * k + j] -= factor * v[p * k + j];
		}
	}
	return rank;
}

bool
log_rank(const RiskTimes *groups, int ngroups, double *room, const FitStop *stop, LogRankGroup *sums, LogRank *result)
{
	int			k = ngroups;
	Room		r = {.covariance = room, .difference = room + (size_t) k * k};
	size_t		numbers = 0;
	double		at;

	r.groups = (Group *) (r.difference + k);
	memset(r.covariance, 0, (size_t) k * k * sizeof(double));
	for (int j = 0; j < k; j++)
	{
		r.groups[j] = (Group) {.set = {.times = &groups[j]}};
		sums[j] = (LogRankGroup) {0};
	}
	while (isfinite(at = next_event(r.groups, k)))
	{
		add_time(&r, k, at, sums);
		numbers += (size_t) k * (k + 8);
		if (stop != NULL && numbers > POLL_NUMBERS)
		{
			numbers = 0;
			if (stop->requested(stop->arg))
				return false;
		}
	}
	for (int j = 0; j < k; j++)
	{
		r.difference[j] = sums[j].observed - sums[j].expected;
		sums[j].variance = r.covariance[(size_t) j * k + j];
	}
	result->df = quadratic_form(r.covariance, r.difference, k, &result->statistic);
	if (result->df == 0)
		result->statistic = NAN;
	result->p_value = result->df > 0 ? chi_square_tail(result->statistic, result->df) : NAN;
	return true;
}
