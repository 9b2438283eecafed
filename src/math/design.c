/*
 * design.c - regressors centred, scaled and orthogonal to each other, by Householder's reflections of blocks of rows.
 */
#include "math/design.h"

#include <float.h>
#include <string.h>

#define DEPENDENT 1e-9			/* what is left of a column, relative to its length, that rounding may have left */
#define CENTER_DIGITS 1024.0
#define SCALE_MIN 1e-290
#define SCALE_MAX 1e290

static inline const double *
regressors_at(const Design *design, size_t i)
{
	return rows_at(design->rows, i) - design->nx;
}

/* ---- location and scale -------------------------------------------------------------------------- */

/* The least that is more: to multiply by it is exact. */
static double
power_of_2(double x)
{
	int			exponent;

	frexp(x, &exponent);
	return isfinite(x) ? ldexp(1, exponent) : x;
}

/* Means, and how far the rows reach from them. Deviations from the first row keep digits that sums from 0 lose. */
static DesignStatus
read_scale(const FitStop *stop, Design *design)
{
	const double *x0 = regressors_at(design, 0);
	double		least[ROWS_MAX_REGRESSORS] = {0};
	double		most[ROWS_MAX_REGRESSORS] = {0};
	double		mean[ROWS_MAX_REGRESSORS] = {0};

	for (size_t i = 0; i < design->rows->n; i++)
	{
		const double *x = regressors_at(design, i);
		double		share = row_count(design->rows, x + design->nx) / design->n;

		if (block_stops(stop, i))
			return DESIGN_STOPPED;
		for (int j = 0; j < design->nx; j++)
		{
			double		d = x[j] - x0[j];

			mean[j] += share * d;
			least[j] = d < least[j] ? d : least[j];
			most[j] = d > most[j] ? d : most[j];
		}
	}
	design->scale[0] = 1;
	for (int j = 0; j < design->nx; j++)
	{
		double		scale = power_of_2(fmax(most[j] - mean[j], mean[j] - least[j]));

		/* a constant column is one of zeros */
		if (most[j] == 0 && least[j] == 0)
			scale = 1;
		/* so few digits that differences from it are exact where the numbers have few, too */
		design->center[j + 1] = rint((x0[j] + mean[j]) / scale * CENTER_DIGITS) / CENTER_DIGITS * scale;
		design->scale[j + 1] = scale;
		if (!(scale >= SCALE_MIN && scale <= SCALE_MAX && fabs(design->center[j + 1]) <= SCALE_MAX))
		{
			design->column[0] = j + 1;
			return DESIGN_OUT_OF_RANGE;
		}
	}
	return DESIGN_READ;
}

/* How much of column j, relative to its scale, may be rounding of its numbers. */
static double
rounding(const Design *design, int j)
{
	return 8 * DBL_EPSILON * (1 + fabs(design->center[j]) / design->scale[j]);
}

/* Rows first, ... of the kept columns, centred and scaled, before they become orthogonal. */
static void
scaled_block(const Design *design, size_t first, DesignBlock *block)
{
	size_t		left = design->rows->n - first;

	block->n = left < DESIGN_BLOCK ? (int) left : DESIGN_BLOCK;
	if (block->n < DESIGN_BLOCK)
	{
		memset(block->count, 0, sizeof(block->count));
		memset(block->z, 0, sizeof(block->z));
	}
	for (int i = 0; i < block->n; i++)
	{
		block->values[i] = rows_at(design->rows, first + i);
		block->count[i] = row_count(design->rows, block->values[i]);
	}
	for (int k = 0; k < design->rank; k++)
	{
		int			j = design->column[k];
		int			at = j - 1 - design->nx;
		double		center = design->center[j];
		double		factor = 1 / design->scale[j];

		for (int i = 0; i < block->n; i++)
			block->z[k][i] = j == 0 ? 1 : (block->values[i][at] - center) * factor;
	}
}

/* ---- orthogonal columns -------------------------------------------------------------------------- */

/* Take rows, as columns of n numbers, into the triangle of those before: R'R grows by block'block. Destroys block. */
static void
absorb(double *r, int n, double (*block)[DESIGN_BLOCK])
{
	for (int k = 0; k < n; k++)
	{
		double		below = block_dot(block[k], block[k]);
		double		top = r[k * DESIGN_MAX + k];
		double		length = sqrt(top * top + below);
		double		v = top + length;	/* the triangle's diagonal is never negative */

		if (below == 0)
			continue;
		r[k * DESIGN_MAX + k] = -length;
		for (int l = k + 1; l < n; l++)
		{
			double		t = (v * r[k * DESIGN_MAX + l] + block_dot(block[k], block[l])) / (length * v);

			r[k * DESIGN_MAX + l] -= t * v;
			block_add(block[l], block[k], -t);
		}
		/* the sign of a row is free */
		for (int l = k; l < n; l++)
			r[k * DESIGN_MAX + l] = -r[k * DESIGN_MAX + l];
	}
}

/* The triangle R of the kept columns, R'R = mean of d d'. False when asked to stop. */
static bool
read_triangle(const Design *design, const FitStop *stop, double *r)
{
	DesignBlock block;

	memset(r, 0, DESIGN_MAX * DESIGN_MAX * sizeof(double));
	for (size_t first = 0; first < design->rows->n; first += DESIGN_BLOCK)
	{
		if (block_stops(stop, first))
			return false;
		scaled_block(design, first, &block);
		for (int i = 0; i < DESIGN_BLOCK; i++)
		{
			double		weight = sqrt(block.count[i] / design->n);

			for (int k = 0; k < design->rank; k++)
				block.z[k][i] *= weight;
		}
		absorb(r, design->rank, block.z);
	}
	return true;
}

/* The first column that follows from those before it, or -1. */
static int
first_dependent(const Design *design, const double *r)
{
	double		noise = DEPENDENT;

	for (int k = 1; k < design->rank; k++)
	{
		double		length = 0;

		noise = fmax(noise, rounding(design, design->column[k]));
		for (int i = 0; i <= k; i++)
			length = hypot(length, r[i * DESIGN_MAX + k]);
		if ((size_t) k >= design->rows->n || !(r[k * DESIGN_MAX + k] > noise * length))
			return k;
	}
	return -1;
}

/* Leave column k out of the triangle. */
static void
drop_column(Design *design, double *r, int k)
{
	double		block[DESIGN_MAX][DESIGN_BLOCK] = {0};

	design->rank--;
	for (int l = k; l < design->rank; l++)
		design->column[l] = design->column[l + 1];
	for (int l = 0; l < design->rank; l++)
		for (int i = 0; i < DESIGN_MAX; i++)
			block[l][i] = r[i * DESIGN_MAX + (l < k ? l : l + 1)];
	memset(r, 0, DESIGN_MAX * DESIGN_MAX * sizeof(double));
	absorb(r, design->rank, block);
}

DesignStatus
design_read(const Rows *rows, int nx, const FitStop *stop, Design *design)
{
	double		r[DESIGN_MAX * DESIGN_MAX];
	double		transposed[DESIGN_MAX * DESIGN_MAX];
	int			dependent;
	DesignStatus status;

	memset(design, 0, sizeof(*design));
	design->rows = rows;
	design->nx = nx;
	design->n = rows_total(rows);
	status = read_scale(stop, design);
	if (status != DESIGN_READ)
		return status;
	for (int j = 0; j <= nx; j++)
		design->column[design->rank++] = j;
	if (!read_triangle(design, stop, r))
		return DESIGN_STOPPED;
	while ((dependent = first_dependent(design, r)) >= 0)
		drop_column(design, r, dependent);
	for (int i = 0; i < design->rank; i++)
		for (int k = 0; k <= i; k++)
			transposed[i * design->rank + k] = r[k * DESIGN_MAX + i];
	invert_lower(transposed, design->rank, design->basis);
	return DESIGN_READ;
}

/* ---- use ------------------------------------------------------------------------------------------- */

void
design_block(const Design *design, size_t first, DesignBlock *block)
{
	int			rank = design->rank;

	scaled_block(design, first, block);
	for (int k = rank - 1; k >= 0; k--)
	{
		const double *basis = design->basis + k * rank;
		double		own = basis[k];

		for (int i = 0; i < DESIGN_BLOCK; i++)
			block->z[k][i] *= own;
		for (int l = 0; l < k; l++)
			block_add(block->z[k], block->z[l], basis[l]);
	}
}

void
block_add_gram(const Design *design, const DesignBlock *block, const double *weight, double *m)
{
	for (int k = 0; k < design->rank; k++)
	{
		double		weighted[DESIGN_BLOCK];

		for (int i = 0; i < DESIGN_BLOCK; i++)
			weighted[i] = weight[i] * block->z[k][i];
		for (int l = 0; l <= k; l++)
			m[k * design->rank + l] += block_dot(weighted, block->z[l]);
	}
}

void
design_weights(const Design *design, const double *coefficients, double *weights)
{
	int			rank = design->rank;

	memset(weights, 0, (size_t) (1 + design->nx) * sizeof(double));
	for (int k = 0; k < rank; k++)
		for (int l = 0; l <= k; l++)
			weights[design->column[l]] += design->basis[k * rank + l] * coefficients[k];
}

double
design_reach(const Design *design, const double *coefficients)
{
	double		weights[DESIGN_MAX];
	double		reach = 0;

	design_weights(design, coefficients, weights);
	for (int j = 0; j <= design->nx; j++)
		reach += fabs(weights[j]);
	return reach;
}

/* The rows of (1, x)'s coefficients in those of z: theta = map' coefficients, rank x (1 + nx). */
static void
unframing(const Design *design, double *map)
{
	int			rank = design->rank;
	int			width = 1 + design->nx;

	memset(map, 0, (size_t) (rank * width) * sizeof(double));
	for (int k = 0; k < rank; k++)
		for (int l = 0; l <= k; l++)
		{
			int			j = design->column[l];
			double		slope = design->basis[k * rank + l] / design->scale[j];

			map[k * width + j] += slope;
			if (j > 0)
				map[k * width] -= slope * design->center[j];
		}
}

void
design_unframe(const Design *design, const double *coefficients, const double *covariance, double *theta,
			   double *theta_covariance)
{
	int			rank = design->rank;
	int			width = 1 + design->nx;
	double		map[DESIGN_MAX * DESIGN_MAX];
	double		half[DESIGN_MAX * DESIGN_MAX];	/* covariance map */

	unframing(design, map);
	for (int j = 0; j < width; j++)
		theta[j] = NAN;
	for (int l = 0; l < rank; l++)
	{
		int			j = design->column[l];

		theta[j] = 0;
		for (int k = 0; k < rank; k++)
			theta[j] += map[k * width + j] * coefficients[k];
	}
	if (covariance == NULL)
		return;
	for (int k = 0; k < rank; k++)
		for (int j = 0; j < width; j++)
		{
			half[k * width + j] = 0;
			for (int l = 0; l < rank; l++)
				half[k * width + j] += covariance[k * rank + l] * map[l * width + j];
		}
	for (int i = 0; i < width; i++)
		for (int j = 0; j <= i; j++)
		{
			double		sum = 0;

			for (int k = 0; k < rank; k++)
				sum += map[k * width + i] * half[k * width + j];
			theta_covariance[i * width + j] = theta_covariance[j * width + i] = sum;
		}
}

/* ---- triangles ------------------------------------------------------------------------------------- */

bool
cholesky(const double *m, int n, double *lower)
{
	for (int i = 0; i < n; i++)
		for (int j = 0; j <= i; j++)
		{
			double		rest = m[i * n + j];

			for (int k = 0; k < j; k++)
				rest -= lower[i * n + k] * lower[j * n + k];
			if (j < i)
				lower[i * n + j] = rest / lower[j * n + j];
			else if (!(rest > 4 * n * DBL_EPSILON * m[i * n + i] && isfinite(rest)))
				return false;
			else
				lower[i * n + i] = sqrt(rest);
		}
	return true;
}

void
invert_lower(const double *lower, int n, double *inverse)
{
	memset(inverse, 0, (size_t) (n * n) * sizeof(double));
	for (int j = 0; j < n; j++)
		for (int i = j; i < n; i++)
		{
			double		rest = i == j ? 1 : 0;

			for (int k = j; k < i; k++)
				rest -= lower[i * n + k] * inverse[k * n + j];
			inverse[i * n + j] = rest / lower[i * n + i];
		}
}
