/*
 * drift.c - whether a relation, or the distribution of an input, changed between periods. Formulas in docs/drift.md.
 */
#include "math/drift.h"

#include <math.h>

#include "math/inference.h"

/* ---- two periods --------------------------------------------------------------------------------- */

/* What an estimate of that variance adds to 1 / df of a sum of variances; nothing where it is normal. */
static double
inverse_df(double share, double df)
{
	return isnan(df) ? 0 : share * share / df;
}

TermChange
term_change(TermEstimate before, TermEstimate after, double conf)
{
	double		variance = before.variance + after.variance;
	TermChange	c = {after.estimate - before.estimate, sqrt(variance), NAN, NAN, NAN, NAN, NAN};
	double		inverse;
	Estimate	interval;

	if (!(variance > 0))
		return c;
	inverse = inverse_df(before.variance / variance, before.df) + inverse_df(after.variance / variance, after.df);
	if (inverse > 0)
		c.df = 1 / inverse;
	interval = t_estimate(c.difference, variance, c.df, conf);
	c.statistic = c.difference / c.std_error;
	c.p_value = t_p_value(c.statistic, c.df);
	c.conf_low = interval.conf_low;
	c.conf_high = interval.conf_high;
	return c;
}

FTest
chow_test(ResidualSquares a, ResidualSquares b, ResidualSquares pooled)
{
	double		within = a.sum + b.sum;
	FTest		test = {NAN, pooled.df - (a.df + b.df), a.df + b.df, NAN};

	if (!(test.df1 > 0 && test.df2 > 0 && within > 0))
		return test;
	/* one fit cannot leave less than two do, but for rounding */
	test.statistic = fmax(pooled.sum - within, 0) / test.df1 / (within / test.df2);
	test.p_value = f_tail(test.statistic, test.df1, test.df2);
	return test;
}

/* ---- several periods ----------------------------------------------------------------------------- */

/* The sum of weights 1 / (std_error^2 + tau_squared), and the mean of the estimates by them. */
static double
weighted_mean(const double *estimates, const double *std_errors, int n, double tau_squared, double *weights)
{
	double		sum = 0;

	*weights = 0;
	for (int i = 0; i < n; i++)
	{
		double		weight = 1 / (std_errors[i] * std_errors[i] + tau_squared);

		*weights += weight;
		sum += weight * (estimates[i] - estimates[0]);
	}
	return estimates[0] + sum / *weights;
}

Heterogeneity
cochran_heterogeneity(const double *estimates, const double *std_errors, int n)
{
	Heterogeneity h = {.q = 0, .df = n - 1, .p_value = NAN, .i_squared = NAN};
	double		weights;
	double		mean = weighted_mean(estimates, std_errors, n, 0, &weights);

	if (n > 1)
	{
		/*
		 * Sum of weights less the sum of their squares over it, without a difference of what is nearly equal: twice the
		 * sum over pairs of their products over it.
		 */
		double		scale = 0;
		double		before = 0;

		for (int i = 0; i < n; i++)
		{
			double		deviation = (estimates[i] - mean) / std_errors[i];
			double		weight = 1 / (std_errors[i] * std_errors[i]);

			h.q += deviation * deviation;
			scale += 2 * weight * (before / weights);
			before += weight;
		}
		h.p_value = chi_square_tail(h.q, h.df);
		h.i_squared = h.q > h.df ? (h.q - h.df) / h.q : 0;
		h.tau_squared = h.q > h.df ? (h.q - h.df) / scale : 0;
		mean = weighted_mean(estimates, std_errors, n, h.tau_squared, &weights);
	}
	h.pooled = mean;
	h.pooled_std_error = 1 / sqrt(weights);
	return h;
}

/* ---- inputs -------------------------------------------------------------------------------------- */

StabilityIndex
stability_index(const double *expected, const double *actual, int bins)
{
	StabilityIndex s = {.p_value = NAN};
	double		spread;

	for (int i = 0; i < bins; i++)
	{
		s.n_expected += expected[i];
		s.n_actual += actual[i];
	}
	for (int i = 0; i < bins; i++)
	{
		double		e = expected[i] / s.n_expected;
		double		a = actual[i] / s.n_actual;

		s.psi += (a - e) * log1p((a - e) / e);
	}
	spread = 1 / s.n_expected + 1 / s.n_actual;
	s.null_mean = spread * (bins - 1);
	if (bins > 1)
		s.p_value = chi_square_tail(s.psi / spread, bins - 1);
	return s;
}
