/*
 * marginal.c - mean responses of a regression over rows, their changes, and average marginal effects.
 */
#include "math/marginal.h"

#include <string.h>

#define POLL_ROWS 4096

static bool
asked_to_stop(const FitStop *stop, size_t row)
{
	return stop != NULL && row % POLL_ROWS == 0 && stop->requested(stop->arg);
}

/* Add weight * slope of the response at eta to a gradient: the kind has at most an intercept before its effects. */
static void
add_gradient(const ModelKind *kind, const double *x, int nx, double weight, double *gradient)
{
	if (kind->nparams > 0)
		gradient[0] += weight;
	for (int j = 0; j < nx; j++)
		gradient[kind->nparams + j] += weight * x[j];
}

/* A column whose effect cannot be told has no part in any gradient. */
static void
clear_dropped(const ModelKind *kind, const double *theta, int nx, double *gradient)
{
	for (int j = 0; j < nx; j++)
		if (isnan(theta[kind->nparams + j]))
			gradient[kind->nparams + j] = 0;
}

static double
first_slope(const ModelKind *kind, double eta)
{
	double		first;
	double		second;

	kind->slopes(eta, &first, &second);
	return first;
}

/* ---- changes ------------------------------------------------------------------------------------- */

static void
add_changed_row(const ModelKind *kind, const double *theta, const double *x, int nx, const Shift *shift, double count,
				MeanChange *result)
{
	double		moved[ROWS_MAX_REGRESSORS];
	double		eta = linear_predictor(kind, theta, x, nx);
	double		eta_after = eta;
	double		share = count / result->n;
	double		slope = share * first_slope(kind, eta);
	double		response = kind->response(eta);
	double		change;

	memcpy(moved, x, (size_t) nx * sizeof(double));
	if (shift != NULL)
	{
		moved[shift->column] = shifted(shift, x[shift->column]);
		if (moved[shift->column] != x[shift->column] + shift->lift)
			result->clipped += count;
		eta_after = linear_predictor(kind, theta, moved, nx);
	}
	change = kind->response(eta_after) - response;
	result->before += share * response;
	result->change += share * change;
	add_gradient(kind, x, nx, slope, result->gradient_before);
	add_gradient(kind, x, nx, -slope, result->gradient_change);
	add_gradient(kind, moved, nx, share * first_slope(kind, eta_after), result->gradient_change);
}

bool
mean_change(const ModelKind *kind, const double *theta, int nx, const Rows *rows, const Shift *shift,
			const FitStop *stop, MeanChange *result)
{
	memset(result, 0, sizeof(*result));
	result->n = rows_total(rows);
	if (rows->n == 0)
	{
		result->before = result->after = result->change = result->clipped = NAN;
		return true;
	}
	for (size_t i = 0; i < rows->n; i++)
	{
		const double *row = rows_at(rows, i);
		const double *x = row_regressors(row, nx);

		if (asked_to_stop(stop, i))
			return false;
		if (shift != NULL && !(x[shift->column] >= shift->low && x[shift->column] <= shift->high))
		{
			result->outside = row;
			return true;
		}
		add_changed_row(kind, theta, x, nx, shift, row_count(rows, row), result);
	}
	/* 1 where all are, which a sum of shares may miss */
	result->clipped /= result->n;
	result->after = result->before + result->change;
	clear_dropped(kind, theta, nx, result->gradient_before);
	clear_dropped(kind, theta, nx, result->gradient_change);
	return true;
}

/* ---- marginal effects ---------------------------------------------------------------------------- */

/* Which columns are 0 or 1 in all rows. */
static bool
find_discrete(const Rows *rows, int nx, const FitStop *stop, bool *discrete)
{
	for (int j = 0; j < nx; j++)
		discrete[j] = true;
	for (size_t i = 0; i < rows->n; i++)
	{
		const double *x = row_regressors(rows_at(rows, i), nx);

		if (asked_to_stop(stop, i))
			return false;
		for (int j = 0; j < nx; j++)
			if (x[j] != 0 && x[j] != 1)
				discrete[j] = false;
	}
	return true;
}

/* The difference that column j makes in one row. */
static void
add_difference(const ModelKind *kind, const double *theta, const double *x, int nx, int j, double share,
			   MarginalEffects *result)
{
	double	   *gradient = result->gradient + j * (kind->nparams + nx);
	double		moved[ROWS_MAX_REGRESSORS];

	memcpy(moved, x, (size_t) nx * sizeof(double));
	for (int to = 0; to <= 1; to++)
	{
		double		sign = to ? share : -share;
		double		eta;

		moved[j] = to;
		eta = linear_predictor(kind, theta, moved, nx);
		result->effect[j] += sign * kind->response(eta);
		add_gradient(kind, moved, nx, sign * first_slope(kind, eta), gradient);
	}
}

/* The derivatives by all columns have their means in common: that of the slope, and its gradient. */
static void
set_derivatives(const ModelKind *kind, const double *theta, int nx, double mean_slope, const double *bends,
				MarginalEffects *result)
{
	int			nparams = kind->nparams + nx;

	for (int j = 0; j < nx; j++)
	{
		double		b = theta[kind->nparams + j];
		double	   *gradient = result->gradient + j * nparams;

		if (result->discrete[j])
			continue;
		result->effect[j] = b * mean_slope;
		for (int k = 0; k < nparams; k++)
			gradient[k] = b * bends[k];
		gradient[kind->nparams + j] += mean_slope;
	}
}

bool
marginal_effects(const ModelKind *kind, const double *theta, int nx, const Rows *rows, bool discrete,
				 const FitStop *stop, MarginalEffects *result)
{
	int			nparams = kind->nparams + nx;
	double		mean_slope = 0;
	double		bends[MARGINAL_MAX_PARAMS] = {0};

	memset(result, 0, sizeof(*result));
	result->n = rows_total(rows);
	if (discrete && !find_discrete(rows, nx, stop, result->discrete))
		return false;
	for (size_t i = 0; i < rows->n; i++)
	{
		const double *row = rows_at(rows, i);
		const double *x = row_regressors(row, nx);
		double		share = row_count(rows, row) / result->n;
		double		first;
		double		second;

		if (asked_to_stop(stop, i))
			return false;
		kind->slopes(linear_predictor(kind, theta, x, nx), &first, &second);
		mean_slope += share * first;
		add_gradient(kind, x, nx, share * second, bends);
		for (int j = 0; j < nx; j++)
			if (result->discrete[j])
				add_difference(kind, theta, x, nx, j, share, result);
	}
	set_derivatives(kind, theta, nx, mean_slope, bends, result);
	for (int j = 0; j < nx; j++)
	{
		clear_dropped(kind, theta, nx, result->gradient + j * nparams);
		if (rows->n > 0 && !isnan(theta[kind->nparams + j]))
			continue;
		result->effect[j] = NAN;
		memset(result->gradient + j * nparams, 0, (size_t) nparams * sizeof(double));
	}
	return true;
}
