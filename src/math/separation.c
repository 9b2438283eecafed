/*
 * separation.c - whether a linear function of the regressors separates events from others, exactly.
 *
 * With a = z where y is 1 and -z elsewhere, the rows are separated where some direction d other than 0 has a'd >= 0 for
 * all rows. These d are a cone; since the columns are independent, it is more than 0 if and only if the sum
 * v of all a has a projection on it other than 0. The projection is v plus the combination of rows, with
 * weights that are not negative, that brings it nearest to 0: least squares of Lawson and Hanson (1974), in which a row
 * is a column, and only the at most `rank` rows of positive weight are kept.
 */
#include "math/logit.h"

#include <string.h>

#include "math/matrix.h"

#define NOTHING_LEFT 1e-10		/* of v */
#define ON_BORDER 1e-9			/* the cosine, below 0, of a row that is on the border up to rounding */
#define STEPS_PER_COLUMN 20

/* The rows that hold the projection back, of length 1, and their weights. */
typedef struct Held
{
	int			n;
	double		row[DESIGN_MAX][DESIGN_MAX];
	double		weight[DESIGN_MAX];
} Held;

/* Row i of a block, seen from its side. */
static void
turned_row(const Design *design, const DesignBlock *block, int i, double *a)
{
	for (int k = 0; k < design->rank; k++)
		a[k] = block->values[i][0] != 0 ? block->z[k][i] : -block->z[k][i];
}

/* The sum of all rows. False when asked to stop. */
static bool
sum_rows(const Design *design, const FitStop *stop, double *v)
{
	DesignBlock block;

	memset(v, 0, DESIGN_MAX * sizeof(double));
	for (size_t first = 0; first < design->rows->n; first += DESIGN_BLOCK)
	{
		if (block_stops(stop, first))
			return false;
		design_block(design, first, &block);
		for (int i = 0; i < block.n; i++)
			for (int k = 0; k < design->rank; k++)
				v[k] += block.values[i][0] != 0 ? block.z[k][i] : -block.z[k][i];
	}
	return true;
}

/*
 * The row farthest behind the border of direction d, of length 1; *cosine is that of its angle with d, or 0 where none
 * is behind. False when asked to stop.
 */
static bool
worst_row(const Design *design, const double *d, const FitStop *stop, double *worst, double *cosine)
{
	double		length = sqrt(dot(d, d, design->rank));
	DesignBlock block;

	*cosine = 0;
	for (size_t first = 0; first < design->rows->n; first += DESIGN_BLOCK)
	{
		if (block_stops(stop, first))
			return false;
		design_block(design, first, &block);
		for (int i = 0; i < block.n; i++)
		{
			double		a[DESIGN_MAX];
			double		margin;
			double		reach;

			turned_row(design, &block, i, a);
			margin = dot(a, d, design->rank);
			if (margin >= 0)
				continue;
			reach = sqrt(dot(a, a, design->rank));
			if (margin / (reach * length) >= *cosine)
				continue;
			*cosine = margin / (reach * length);
			for (int k = 0; k < design->rank; k++)
				worst[k] = a[k] / reach;
		}
	}
	return true;
}

/* The weights of the held rows that bring v nearest to 0, of any sign; false where rows depend on each other. */
static bool
nearest_weights(const Held *held, int rank, const double *v, double *weight)
{
	double		products[DESIGN_MAX * DESIGN_MAX];
	double		root[DESIGN_MAX * DESIGN_MAX];
	double		sides[DESIGN_MAX];

	for (int i = 0; i < held->n; i++)
	{
		sides[i] = -dot(held->row[i], v, rank);
		for (int j = 0; j <= i; j++)
			products[i * held->n + j] = dot(held->row[i], held->row[j], rank);
	}
	if (!logit_root(products, held->n, root))
		return false;
	logit_solve(root, held->n, sides, weight);
	return true;
}

static void
release(Held *held, int i)
{
	held->n--;
	memmove(held->row[i], held->row[i + 1], (size_t) (held->n - i) * sizeof(held->row[0]));
	memmove(held->weight + i, held->weight + i + 1, (size_t) (held->n - i) * sizeof(double));
}

/* Go to the nearest weights, as far as none becomes negative; rows whose weight becomes 0 are released. */
static bool
settle(Held *held, int rank, const double *v)
{
	while (held->n > 0)
	{
		double		target[DESIGN_MAX];
		double		part = 1;
		int			first = -1;

		if (!nearest_weights(held, rank, v, target))
			return false;
		for (int i = 0; i < held->n; i++)
			if (target[i] <= 0 && held->weight[i] / (held->weight[i] - target[i]) <= part)
			{
				part = held->weight[i] / (held->weight[i] - target[i]);
				first = i;
			}
		for (int i = 0; i < held->n; i++)
			held->weight[i] += part * (target[i] - held->weight[i]);
		if (first < 0)
			return true;
		release(held, first);
	}
	return true;
}

bool
separating_direction(const Design *design, const FitStop *stop, double *direction, bool *separated)
{
	int			rank = design->rank;
	double		v[DESIGN_MAX];
	Held		held = {.n = 0};

	*separated = false;
	if (!sum_rows(design, stop, v))
		return false;
	for (int step = 0; step < STEPS_PER_COLUMN * rank; step++)
	{
		double		worst[DESIGN_MAX];
		double		cosine;

		for (int k = 0; k < rank; k++)
		{
			direction[k] = v[k];
			for (int i = 0; i < held.n; i++)
				direction[k] += held.weight[i] * held.row[i][k];
		}
		if (!(dot(direction, direction, rank) > NOTHING_LEFT * NOTHING_LEFT * dot(v, v, rank)))
			return true;
		if (!worst_row(design, direction, stop, worst, &cosine))
			return false;
		*separated = cosine > -ON_BORDER;
		if (*separated || held.n == rank)
			return true;
		memcpy(held.row[held.n], worst, sizeof(worst));
		held.weight[held.n++] = 0;
		if (!settle(&held, rank, v))
			return true;
	}
	return true;
}
