/*
 * moments.c - the triangle of rows' deviations from their means, least squares and correlations from it.
 */
#include "math/moments.h"

#include <math.h>
#include <string.h>

#include "math/inference.h"
#include "math/special.h"

#define MOST_COLUMNS MOMENTS_MAX_COLUMNS
#define MOST_NUMBERS (1 + 2 * MOST_COLUMNS + MOST_COLUMNS * (MOST_COLUMNS + 1) / 2)

/*
 * A regressor is taken to be a combination of those before it where what they leave of it is below this part of its own
 * deviations: what less has to say could not be told to seven digits (Filip's polynomial, 6e-8, in test_moments.c).
 * What is left of y is nothing but rounding below a far smaller part: ten million rotations leave 1e-13. Beside that, a
 * column that was computed from others carries their distance from zero, rounded, in the last place of each number.
 */
#define REGRESSOR_TOLERANCE 1e-7
#define RESPONSE_TOLERANCE 1e-12
#define MEAN_TOLERANCE 1e-14

/* ---- rotations --------------------------------------------------------------------------------- */

/*
 * Rotate the row x with its weight into the triangle of so many columns whose first d is at `triangle`; x is used up.
 * Columns before `from` are 0 in x. Gentleman 1973, in the form with four multiplications, which keeps its digits where
 * the row outweighs what was there.
 */
static void
rotate(double *restrict triangle, int columns, int from, double weight, double *restrict x)
{
	double	   *restrict row = triangle + from * columns - from * (from - 1) / 2;

	for (int i = from; i < columns; row += columns - i, i++)
	{
		double		own = x[i];
		double		pull = weight * own;
		double		d = row[0] + pull * own;
		double		keep;
		double		take;

		/* what underflows says nothing */
		if (own == 0 || d == 0)
			continue;
		keep = row[0] / d;
		take = pull / d;
		row[0] = d;
		for (int j = 1; j < columns - i; j++)
		{
			double		there = row[j];
			double		here = x[i + j];

			x[i + j] = here - own * there;
			row[j] = keep * there + take * here;
		}
		weight *= keep;
		if (weight == 0)
			break;
	}
}

/* high + low, the mean of a column, moves by step. */
static inline void
move_mean(double *high, double *low, double step)
{
	double		sum = *high + step;
	double		part = sum - *high;
	double		rest = (*high - (sum - part)) + (step - part) + *low;

	*high = sum + rest;
	part = *high - sum;
	*low = (sum - (*high - part)) + (rest - part);
}

void
triangle_add(double *triangle, int nx, const double *row)
{
	int			columns = nx + 1;
	double		before = triangle[0];
	double		weight = row[0];
	double	   *high = triangle + 1;
	double	   *low = high + columns;
	double		share;
	double		x[MOST_COLUMNS];

	triangle[0] = before + weight;
	if (before == 0)
	{
		memcpy(high, row + 1, columns * sizeof(double));
		return;
	}
	share = weight / triangle[0];
	for (int j = 0; j < columns; j++)
	{
		x[j] = (row[1 + j] - high[j]) - low[j];
		move_mean(&high[j], &low[j], share * x[j]);
	}
	rotate(low + columns, columns, 0, weight * (before / triangle[0]), x);
}

/* ---- merging ----------------------------------------------------------------------------------- */

/* Add the weights and means of b; x receives the differences of the means, the answer is the weight of their square. */
static double
merge_means(double *triangle, const double *b, int nx, double *x)
{
	int			columns = nx + 1;
	double		before = triangle[0];
	double	   *high = triangle + 1;
	double	   *low = high + columns;
	double		share;

	triangle[0] = before + b[0];
	if (before == 0)
	{
		memcpy(high, b + 1, 2 * columns * sizeof(double));
		return 0;
	}
	share = b[0] / triangle[0];
	for (int j = 0; j < columns; j++)
	{
		x[j] = (b[1 + j] - high[j]) + (b[1 + columns + j] - low[j]);
		move_mean(&high[j], &low[j], share * x[j]);
	}
	return b[0] * (before / triangle[0]);
}

/* Rotate the rows of b's triangle in. */
static void
merge_deviations(double *triangle, const double *b, int nx)
{
	int			columns = nx + 1;
	size_t		first = triangle_row_at(nx, 0);
	const double *row = b + first;

	for (int i = 0; i < columns; row += columns - i, i++)
	{
		double		x[MOST_COLUMNS];

		if (row[0] == 0)
			continue;
		x[i] = 1;
		memcpy(x + i + 1, row + 1, (columns - i - 1) * sizeof(double));
		rotate(triangle + first, columns, i, row[0], x);
	}
}

const double *
moments_triangle(const Moments *m, double *work)
{
	if (m->triangle != NULL)
		return m->triangle;
	memset(work, 0, moments_triangle_size(m->nx) * sizeof(double));
	for (size_t i = 0; i < m->nrows; i++)
		triangle_add(work, m->nx, m->rows + i * (m->nx + 2));
	return work;
}

void
triangle_merge(double *triangle, const Moments *m)
{
	double		x[MOST_COLUMNS];

	if (m->triangle == NULL)
	{
		for (size_t i = 0; i < m->nrows; i++)
			triangle_add(triangle, m->nx, m->rows + i * (m->nx + 2));
		return;
	}
	if (triangle_weights(m->triangle) == 0)
		return;
	if (triangle_weights(triangle) == 0)
	{
		memcpy(triangle, m->triangle, moments_triangle_size(m->nx) * sizeof(double));
		return;
	}
	rotate(triangle + triangle_row_at(m->nx, 0), m->nx + 1, 0, merge_means(triangle, m->triangle, m->nx, x), x);
	merge_deviations(triangle, m->triangle, m->nx);
}

void
triangle_merge_within(double *triangle, const Moments *m)
{
	double		work[MOST_NUMBERS];
	double		unused[MOST_COLUMNS];
	const double *own = moments_triangle(m, work);

	if (triangle_weights(own) == 0)
		return;
	merge_means(triangle, own, m->nx, unused);
	merge_deviations(triangle, own, m->nx);
}

bool
triangle_is_finite(const double *triangle, int nx)
{
	double		sum = 0;

	/* 0 for a number, NAN for what is none */
	for (size_t i = 0; i < moments_triangle_size(nx); i++)
		sum += 0 * triangle[i];
	return sum == 0;
}

double
triangle_square(const double *triangle, int nx, int column)
{
	double		sum = 0;
	const double *row = triangle + triangle_row_at(nx, 0);

	for (int i = 0; i < column; row += nx + 1 - i, i++)
		sum += row[0] * row[column - i] * row[column - i];
	return sum + row[0];
}

/* ---- columns that others make up --------------------------------------------------------------- */

/* The rounding that a column's d may have come from (Miller 1992, TOLSET). */
static void
set_tolerances(const double *triangle, int nx, double *tolerance)
{
	for (int column = 0; column <= nx; column++)
	{
		const double *row = triangle + triangle_row_at(nx, 0);
		double		size = 0;

		for (int i = 0; i <= column; row += nx + 1 - i, i++)
			size += sqrt(row[0]) * (i < column ? fabs(row[column - i]) : 1);
		tolerance[column] = (column < nx ? REGRESSOR_TOLERANCE : RESPONSE_TOLERANCE) * size +
			MEAN_TOLERANCE * sqrt(triangle_weights(triangle)) * fabs(triangle_mean(triangle, column));
	}
}

/* Take columns before `end` that are nothing beside those before them out (Miller 1992, SING); their number. */
static int
drop_aliased(double *triangle, int nx, int end, const double *tolerance, bool *aliased)
{
	int			dropped = 0;

	for (int i = 0; i < end; i++)
	{
		double	   *row = triangle + triangle_row_at(nx, i);
		double		d = row[0];
		double		x[MOST_COLUMNS];

		aliased[i] = !(sqrt(d) > tolerance[i]);
		if (!aliased[i])
			continue;
		dropped++;
		memcpy(x + i + 1, row + 1, (nx - i) * sizeof(double));
		memset(row, 0, (nx + 1 - i) * sizeof(double));
		/* its rounding belongs to the columns behind it: to their effects, or to the residuals */
		if (d > 0)
			rotate(triangle + triangle_row_at(nx, 0), nx + 1, i + 1, d, x);
	}
	return dropped;
}

/* ---- least squares ----------------------------------------------------------------------------- */

/* Back-substitution of y's column, and the root and inverse of (Z'WZ)^-1. */
static void
solve_triangle(const double *triangle, MomentsFit *fit)
{
	int			nx = fit->nx;

	memset(fit->root, 0, sizeof(double) * nx * nx);
	for (int i = nx - 1; i >= 0; i--)
	{
		const double *row = triangle + triangle_row_at(nx, i);
		double		value = row[nx - i];

		fit->effect[i] = 0;
		if (fit->aliased[i])
			continue;
		for (int j = i + 1; j < nx; j++)
			value -= row[j - i] * fit->effect[j];
		fit->effect[i] = value;
		fit->explained += row[0] * row[nx - i] * row[nx - i];

		/* row i of R's inverse: those below it are known, each divided by its column's square root of d */
		fit->root[i * nx + i] = 1 / sqrt(row[0]);
		for (int l = i + 1; l < nx; l++)
		{
			double		sum = 0;

			for (int j = i + 1; j <= l; j++)
				sum -= row[j - i] * fit->root[j * nx + l];
			fit->root[i * nx + l] = fit->aliased[l] ? 0 : sum;
		}
	}
	for (int i = 0; i < nx; i++)
		for (int j = i; j < nx; j++)
		{
			double		sum = 0;

			for (int l = j; l < nx; l++)
				sum += fit->root[i * nx + l] * fit->root[j * nx + l];
			fit->inverse[i * nx + j] = fit->inverse[j * nx + i] = sum;
		}
}

void
moments_solve(const Moments *m, MomentsFit *fit)
{
	double		work[MOST_NUMBERS];
	double		triangle[MOST_NUMBERS];
	double		tolerance[MOST_COLUMNS];
	int			nx = m->nx;

	memcpy(triangle, moments_triangle(m, work), moments_triangle_size(nx) * sizeof(double));
	fit->nx = nx;
	fit->intercept = !m->within;
	fit->n = m->n;
	fit->weights = triangle_weights(triangle);
	fit->explained = 0;
	set_tolerances(triangle, nx, tolerance);
	fit->rank = nx - drop_aliased(triangle, nx, nx, tolerance, fit->aliased);
	fit->df = m->n - (m->within ? m->groups : 1) - fit->rank;
	fit->rss = triangle[triangle_row_at(nx, nx)];
	fit->exact = !(sqrt(fit->rss) > tolerance[nx]);
	solve_triangle(triangle, fit);

	fit->level = fit->intercept && fit->weights > 0 ? triangle_mean(triangle, nx) : NAN;
	fit->intercept_value = fit->level;
	for (int i = 0; i < nx; i++)
	{
		fit->center[i] = fit->intercept ? triangle_mean(triangle, i) : 0;
		fit->intercept_value -= fit->effect[i] * fit->center[i];
		if (fit->aliased[i])
			fit->effect[i] = NAN;
	}
}

/* J C J', J = (1, -center'; 0, I), one side after the other */
void
moments_uncentered(const MomentsFit *fit, double *covariance)
{
	int			n = fit->nx + 1;

	for (int side = 0; side < 2; side++)
		for (int k = 0; k < n; k++)
		{
			double		sum = covariance[side == 0 ? k : k * n];

			for (int i = 1; i < n; i++)
				sum -= fit->center[i - 1] * covariance[side == 0 ? i * n + k : k * n + i];
			covariance[side == 0 ? k : k * n] = sum;
		}
}

/* y's deviation from its fit in row i of a triangle: (z - R effect)_i */
static double
row_residual(const double *row, int i, const MomentsFit *fit)
{
	double		residual = row[fit->nx - i];

	for (int j = i; j < fit->nx; j++)
		if (!fit->aliased[j])
			residual -= (j > i ? row[j - i] : 1) * fit->effect[j];
	return residual;
}

/* Add weight * residual * (1, x - center) of x1, ..., xk, y. */
static void
add_score(const MomentsFit *fit, double weight, const double *x, double *score)
{
	double		residual = x[fit->nx] - fit->level;

	for (int j = 0; j < fit->nx; j++)
		if (!fit->aliased[j])
			residual -= fit->effect[j] * (x[j] - fit->center[j]);
	score[0] += weight * residual;
	for (int j = 0; j < fit->nx; j++)
		if (!fit->aliased[j])
			score[1 + j] += weight * residual * (x[j] - fit->center[j]);
}

void
moments_score(const Moments *m, const MomentsFit *fit, double *score)
{
	int			nx = fit->nx;
	const double *row;

	memset(score, 0, (nx + 1) * sizeof(double));
	if (m->triangle == NULL)
	{
		for (size_t i = 0; i < m->nrows; i++)
			add_score(fit, m->rows[i * (nx + 2)], m->rows + i * (nx + 2) + 1, score);
		return;
	}
	add_score(fit, triangle_weights(m->triangle), m->triangle + 1, score);
	row = m->triangle + triangle_row_at(nx, 0);
	for (int i = 0; i < nx; row += nx + 1 - i, i++)
	{
		double		pull = row[0] == 0 ? 0 : row[0] * row_residual(row, i, fit);

		for (int j = i; j < nx; j++)
			if (!fit->aliased[j])
				score[1 + j] += pull * (j > i ? row[j - i] : 1);
	}
}

/* ---- correlation ------------------------------------------------------------------------------- */

/* The triangle of some columns of another, in the order that `from` gives: y last, nx before it. */
static void
choose_columns(const double *triangle, int all, const int *from, int nx, double *chosen)
{
	const double *row = triangle + triangle_row_at(all, 0);

	memset(chosen, 0, moments_triangle_size(nx) * sizeof(double));
	chosen[0] = triangle[0];
	for (int j = 0; j <= nx; j++)
		chosen[1 + j] = triangle_mean(triangle, from[j]);
	for (int i = 0; i <= all; row += all + 1 - i, i++)
	{
		double		x[MOST_COLUMNS];

		if (row[0] == 0)
			continue;
		for (int j = 0; j <= nx; j++)
			x[j] = from[j] < i ? 0 : from[j] == i ? 1 : row[from[j] - i];
		rotate(chosen + triangle_row_at(nx, 0), nx + 1, 0, row[0], x);
	}
}

MomentsCorrelation
moments_correlation(const Moments *m, int i, bool partial, double conf)
{
	MomentsCorrelation c = {m->n, NAN, NAN, NAN, NAN, NAN, NULL};
	double		work[MOST_NUMBERS];
	double		triangle[MOST_NUMBERS];
	double		tolerance[MOST_COLUMNS];
	bool		aliased[MOST_COLUMNS];
	int			from[MOST_COLUMNS];
	int			nx = 0;
	const double *row;
	double		explained;
	double		rest;

	for (int j = 0; partial && j < m->nx; j++)
		if (j != i)
			from[nx++] = j;
	from[nx++] = i;
	from[nx] = m->nx;
	choose_columns(moments_triangle(m, work), m->nx, from, nx, triangle);
	set_tolerances(triangle, nx, tolerance);
	c.df = m->n - (m->within ? m->groups : 1) - nx + drop_aliased(triangle, nx, nx - 1, tolerance, aliased);

	row = triangle + triangle_row_at(nx, nx - 1);
	explained = row[0] * row[1] * row[1];
	rest = row[2];
	if (!(sqrt(row[0]) > tolerance[nx - 1]))
		c.reason = partial ? "x[i] is constant, or a linear combination of the other regressors" : "x[i] is constant";
	else if (!(sqrt(explained + rest) > tolerance[nx]))
		c.reason = partial ? "y is constant, or a linear combination of the other regressors" : "y is constant";
	if (c.reason != NULL)
		return c;
	if (!(sqrt(rest) > tolerance[nx]))
	{
		c.estimate = row[1] < 0 ? -1 : 1;
		return c;
	}
	c.estimate = copysign(sqrt(explained / (explained + rest)), row[1]);
	if (c.df >= 1)
		c.p_value = t_p_value(sqrt(explained / rest * c.df), c.df);
	if (c.df >= 2)
	{
		/* artanh(r) = asinh(r / sqrt(1 - r^2)), which needs no difference from 1 */
		double		z = asinh(copysign(sqrt(explained / rest), row[1]));
		double		reach = normal_quantile(0.5 + 0.5 * conf) / sqrt(c.df - 1);

		c.conf_low = tanh(z - reach);
		c.conf_high = tanh(z + reach);
	}
	return c;
}
