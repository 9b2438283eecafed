/*
 * ranks.c - rank correlation, and p-values of several tests. Formulas in docs/regression.md.
 */
#include "math/ranks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/inference.h"
#include "math/special.h"

/* Steps between two questions whether to end: some milliseconds. */
#define POLL_STEPS 65536

/* ---- ranks ------------------------------------------------------------------------------------- */

/* A value, how many share it, and the row it is from; the value becomes its rank. */
typedef struct Ranked
{
	double		value;
	double		count;
	size_t		row;
} Ranked;

/* Merge the sorted runs [begin, middle) and [middle, end) of `from` into `to`. */
static void
merge_runs(const Ranked *from, size_t begin, size_t middle, size_t end, Ranked *to)
{
	size_t		a = begin;
	size_t		b = middle;

	for (size_t i = begin; i < end; i++)
		to[i] = b == end || (a < middle && from[a].value <= from[b].value) ? from[a++] : from[b++];
}

/* Sort by value: merging, because qsort() could not be interrupted. False when asked to stop. */
static bool
sort_values(Ranked **values, Ranked **work, size_t n, const FitStop *stop)
{
	for (size_t run = 1; run < n; run *= 2)
	{
		Ranked	   *merged = *work;

		for (size_t begin = 0, step = 0; begin < n; begin += 2 * run, step += 2 * run)
		{
			size_t		middle = begin + run < n ? begin + run : n;
			size_t		end = middle + run < n ? middle + run : n;

			if (stop != NULL && (run >= POLL_STEPS || step % POLL_STEPS == 0) && stop->requested(stop->arg))
				return false;
			merge_runs(*values, begin, middle, end, merged);
		}
		*work = *values;
		*values = merged;
	}
	return true;
}

/* Replace sorted values by their ranks, less the mean of all ranks. */
static void
rank_values(Ranked *values, size_t n, double total)
{
	double		before = 0;

	for (size_t i = 0; i < n;)
	{
		double		value = values[i].value;
		double		count = 0;
		size_t		j = i;

		for (; j < n && values[j].value == value; j++)
			count += values[j].count;
		for (; i < j; i++)
			values[i].value = before + 0.5 * (count - total);
		before += count;
	}
}

/* The ranks of a column, less their mean, in the order of the rows. False as rank_correlation(). */
static bool
column_ranks(const Rows *rows, int column, double total, const FitStop *stop, double *ranks, bool *no_memory)
{
	Ranked	   *values = malloc((rows->n + 1) * sizeof(Ranked));
	Ranked	   *work = malloc((rows->n + 1) * sizeof(Ranked));
	bool		done = false;

	*no_memory = values == NULL || work == NULL;
	if (!*no_memory)
	{
		for (size_t i = 0; i < rows->n; i++)
		{
			const double *row = rows_at(rows, i);

			values[i] = (Ranked) {row[column], row_count(rows, row), i};
		}
		done = sort_values(&values, &work, rows->n, stop);
	}
	if (done)
	{
		rank_values(values, rows->n, total);
		for (size_t i = 0; i < rows->n; i++)
			ranks[values[i].row] = values[i].value;
	}
	free(values);
	free(work);
	return done;
}

/* ---- correlation ------------------------------------------------------------------------------- */

/* The correlation of two columns of deviations from the mean; NAN where one has none. */
static double
correlation_of_ranks(const Rows *rows, const double *a, const double *b)
{
	double		aa = 0;
	double		bb = 0;
	double		sum_2 = 0;		/* of (u + v)^2, and */
	double		difference_2 = 0;	/* of (u - v)^2, of ranks of unit length: 1 and -1 come out exactly */

	for (size_t i = 0; i < rows->n; i++)
	{
		double		count = row_count(rows, rows_at(rows, i));

		aa += count * a[i] * a[i];
		bb += count * b[i] * b[i];
	}
	if (aa == 0 || bb == 0)
		return NAN;
	for (size_t i = 0; i < rows->n; i++)
	{
		double		count = row_count(rows, rows_at(rows, i));
		double		u = a[i] / sqrt(aa);
		double		v = b[i] / sqrt(bb);

		sum_2 += count * (u + v) * (u + v);
		difference_2 += count * (u - v) * (u - v);
	}
	return (sum_2 - difference_2) / (sum_2 + difference_2);
}

bool
rank_correlation(const Rows *rows, double conf, const FitStop *stop, RankCorrelation *c, bool *no_memory)
{
	double	   *ranks = malloc((2 * rows->n + 1) * sizeof(double));
	bool		done = false;
	double		rest;

	*c = (RankCorrelation) {rows_total(rows), NAN, NAN, NAN, NAN, NAN};
	*no_memory = ranks == NULL;
	if (!*no_memory)
		done = column_ranks(rows, 0, c->n, stop, ranks, no_memory) &&
			column_ranks(rows, 1, c->n, stop, ranks + rows->n, no_memory);
	if (done && rows->n > 0)
		c->estimate = correlation_of_ranks(rows, ranks, ranks + rows->n);
	free(ranks);
	if (!done)
		return false;
	rest = (1 - c->estimate) * (1 + c->estimate);
	if (!(rest > 0))
		return true;			/* no estimate, or nothing is left to vary */
	if (c->n > 3)
	{
		double		z_error = sqrt((1 + 0.5 * c->estimate * c->estimate) / (c->n - 3));
		double		reach = normal_quantile(0.5 + 0.5 * conf) * z_error;

		c->std_error = rest * z_error;
		c->conf_low = tanh(atanh(c->estimate) - reach);
		c->conf_high = tanh(atanh(c->estimate) + reach);
	}
	if (c->n > 2)
		c->p_value = t_p_value(c->estimate * sqrt((c->n - 2) / rest), c->n - 2);
	return true;
}

/* ---- several tests ----------------------------------------------------------------------------- */

void
adjust_benjamini_hochberg(double *p, size_t n)
{
	double		least = 1;

	for (size_t i = n; i-- > 0;)
	{
		least = fmin(least, p[i] * ((double) n / (double) (i + 1)));
		p[i] = least;
	}
}

void
adjust_holm(double *p, size_t n)
{
	double		most = 0;

	for (size_t i = 0; i < n; i++)
	{
		most = fmax(most, at_most_1(p[i] * (double) (n - i)));
		p[i] = most;
	}
}
