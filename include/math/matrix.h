/*
 * matrix.h - the linear algebra of small symmetric matrices, row-major n x n, n <= FIT_MAX_PARAMS.
 */
#ifndef CLV_MATH_MATRIX_H
#define CLV_MATH_MATRIX_H

#include <stdbool.h>

/* The sum of products of two vectors. */
static inline double
dot(const double *a, const double *b, int n)
{
	double		sum = 0;

	for (int i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

/* Eigenvalues of the symmetric matrix m, ascending, and eigenvectors in columns. Destroys m; false if GSL fails. */
extern bool symmetric_eigen(double *m, int n, double *values, double *vectors);

/* The symmetric matrix of these eigenvalues and eigenvectors. */
extern void compose_symmetric(const double *values, const double *vectors, int n, double *m);

/* Inverse of a symmetric positive definite matrix; false where it is not, to the precision of a double. */
extern bool invert_positive(const double *m, int n, double *inverse);

/* left * m * left', where left is rows x n and m is n x n: the covariance of a linear function. */
extern void sandwich(const double *left, int rows, const double *m, int n, double *result);

#endif
