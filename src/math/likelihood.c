/*
 * likelihood.c - summing a log-likelihood over sorted rows: the loop that all models share.
 */
#include "math/likelihood.h"

#include <math.h>

#define SEGMENT_ROWS 4096		/* at most, and between two polls of stop */

double
sum_segments(const Rows *rows, const double *theta, int nparams, AddSegment add, double *grad,
			 double *hess, const FitStop *stop)
{
	size_t		longest = SEGMENT_ROWS * (size_t) (rows->ncols + 1);
	const double *row = rows->data;
	const double *end = rows_at(rows, rows->n);
	const double *poll_at = row + longest;
	Likelihood	sum = {
		.theta = theta, .wants_gradient = grad != NULL, .wants_hessian = hess != NULL, .stop = stop};

	while (row < end)
	{
		const double *segment = row;

		if (stop != NULL && row >= poll_at)
		{
			if (stop->requested(stop->arg))
				return NAN;
			poll_at = row + longest;
		}
		while (row < end && row[0] == segment[0] && row < segment + longest)
			row += rows->ncols + 1;
		add(segment, row, &sum);
		if (sum.stopped)
			return NAN;
	}

	for (int i = 0; i < nparams; i++)
	{
		if (grad != NULL)
			grad[i] = sum.gradient[i];
		if (hess != NULL)
			for (int j = 0; j < nparams; j++)
				hess[i * nparams + j] = i < j ? sum.hessian[i][j] : sum.hessian[j][i];
	}
	return sum.value;
}
