/*
 * correlation.c - Pearson's correlation with Fisher's interval, in two passes over the rows.
 */
#include "math/correlation.h"

#include <math.h>

#include "math/special.h"

/* Mean of a column, in a form that cannot overflow. */
static double
column_mean(const Rows *rows, int column, double n)
{
	double		mean = 0;

	for (size_t i = 0; i < rows->n; i++)
	{
		const double *row = rows_at(rows, i);

		mean += row[column] * (row_count(rows, row) / n);
	}
	return mean;
}

/* The largest distance of a column from its mean. */
static double
column_reach(const Rows *rows, int column, double mean)
{
	double		reach = 0;

	for (size_t i = 0; i < rows->n; i++)
		reach = fmax(reach, fabs(rows_at(rows, i)[column] - mean));
	return reach;
}

Correlation
correlate(const Rows *rows, double conf)
{
	Correlation c = {.n = rows_total(rows), .value = NAN, .conf_low = NAN, .conf_high = NAN};
	double		mean[2];
	double		reach[2];
	double		square[2] = {0, 0};
	double		product = 0;

	for (int k = 0; k < 2; k++)
	{
		mean[k] = column_mean(rows, k, c.n);
		reach[k] = column_reach(rows, k, mean[k]);
		/* rounding alone moves the mean of a constant */
		if (!(reach[k] > 1e-12 * fabs(mean[k]) && isfinite(reach[k])))
			return c;
	}
	for (size_t i = 0; i < rows->n; i++)
	{
		const double *row = rows_at(rows, i);
		double		count = row_count(rows, row);
		double		a = (row[0] - mean[0]) / reach[0];
		double		b = (row[1] - mean[1]) / reach[1];

		square[0] += count * a * a;
		square[1] += count * b * b;
		product += count * a * b;
	}
	c.value = fmax(-1, fmin(1, product / sqrt(square[0]) / sqrt(square[1])));
	if (c.n > 3)
	{
		double		z = atanh(c.value);
		double		half = normal_quantile(0.5 + 0.5 * conf) / sqrt(c.n - 3);

		c.conf_low = tanh(z - half);
		c.conf_high = tanh(z + half);
	}
	return c;
}
