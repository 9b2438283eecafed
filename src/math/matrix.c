/*
 * matrix.c - the linear algebra of small symmetric matrices, on GSL's eigen-solver.
 */
#include "math/matrix.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include <gsl/gsl_eigen.h>
#include <gsl/gsl_matrix.h>
#include <gsl/gsl_vector.h>

#include "math/fit.h"
#include "math/gsl_guard.h"

bool
symmetric_eigen(double *m, int n, double *values, double *vectors)
{
	gsl_error_handler_t *handler = gsl_guard_enter();
	gsl_eigen_symmv_workspace *work = gsl_eigen_symmv_alloc(n);
	bool		done = false;

	if (work != NULL)
	{
		gsl_matrix_view matrix = gsl_matrix_view_array(m, n, n);
		gsl_vector_view eval = gsl_vector_view_array(values, n);
		gsl_matrix_view evec = gsl_matrix_view_array(vectors, n, n);

		done = gsl_eigen_symmv(&matrix.matrix, &eval.vector, &evec.matrix, work) == GSL_SUCCESS;
		gsl_eigen_symmv_sort(&eval.vector, &evec.matrix, GSL_EIGEN_SORT_VAL_ASC);
		gsl_eigen_symmv_free(work);
	}
	gsl_guard_leave(handler);
	return done;
}

void
compose_symmetric(const double *values, const double *vectors, int n, double *m)
{
	for (int i = 0; i < n; i++)
		for (int j = 0; j <= i; j++)
		{
			double		sum = 0;

			for (int k = 0; k < n; k++)
				sum += vectors[i * n + k] * values[k] * vectors[j * n + k];
			m[i * n + j] = m[j * n + i] = sum;
		}
}

/* Scaled to a diagonal of ones first, so that the units of the variables do not count as near singularity. */
bool
invert_positive(const double *m, int n, double *inverse)
{
	double		work[FIT_MAX_PARAMS * FIT_MAX_PARAMS];
	double		vectors[FIT_MAX_PARAMS * FIT_MAX_PARAMS];
	double		values[FIT_MAX_PARAMS];
	double		scale[FIT_MAX_PARAMS];

	for (int i = 0; i < n; i++)
	{
		if (!(m[i * n + i] > 0 && isfinite(m[i * n + i])))
			return false;
		scale[i] = 1 / sqrt(m[i * n + i]);
	}
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			work[i * n + j] = m[i * n + j] * scale[i] * scale[j];
	if (!symmetric_eigen(work, n, values, vectors) || !(values[0] > 4 * n * DBL_EPSILON))
		return false;
	for (int k = 0; k < n; k++)
		values[k] = 1 / values[k];
	compose_symmetric(values, vectors, n, inverse);
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			inverse[i * n + j] *= scale[i] * scale[j];
	return true;
}

void
sandwich(const double *left, int rows, const double *m, int n, double *result)
{
	for (int i = 0; i < rows; i++)
	{
		double		product[FIT_MAX_PARAMS];	/* row i of left * m */

		for (int l = 0; l < n; l++)
		{
			product[l] = 0;
			for (int k = 0; k < n; k++)
				product[l] += left[i * n + k] * m[k * n + l];
		}
		for (int j = 0; j <= i; j++)
		{
			double		sum = 0;

			for (int l = 0; l < n; l++)
				sum += product[l] * left[j * n + l];
			result[i * rows + j] = result[j * rows + i] = sum;
		}
	}
}
