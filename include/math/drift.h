/*
 * drift.h - whether a relation, or the distribution of an input, changed between periods.
 */
#ifndef CLV_MATH_DRIFT_H
#define CLV_MATH_DRIFT_H

/* An estimate of a term in one period; df are the degrees of freedom of its t, NAN where it is taken to be normal. */
typedef struct TermEstimate
{
	double		estimate;
	double		variance;
	double		df;
} TermEstimate;

typedef struct TermChange
{
	double		difference;		/* after less before */
	double		std_error;
	double		statistic;		/* difference / std_error; NAN, as all behind it, where std_error is 0 */
	double		df;				/* NAN: normal */
	double		p_value;		/* of "no change", two-sided */
	double		conf_low;
	double		conf_high;
} TermChange;

/*
 * Wald's test of the difference of two estimates from independent samples, with the interval for confidence
 * 0 < conf < 1. It is as robust as the variances are. Degrees of freedom are Satterthwaite's (1946; Welch 1947):
 * (v1 + v2)^2 / (v1^2 / df1 + v2^2 / df2), a normal estimate having endless ones.
 */
extern TermChange term_change(TermEstimate before, TermEstimate after, double conf);

/* The residual sum of squares of a least-squares fit and its degrees of freedom, rows less parameters. */
typedef struct ResidualSquares
{
	double		sum;
	double		df;
} ResidualSquares;

typedef struct FTest
{
	double		statistic;		/* NAN, as p_value, where it is not defined */
	double		df1;
	double		df2;
	double		p_value;
} FTest;

/*
 * Chow's test (1960) of "one relation holds in both samples" from the residual sums of squares of either sample's own
 * fit and of one fit to both: F = ((pooled - (a + b)) / df1) / ((a + b) / df2), df2 = those of a and b together, df1
 * the rest, which is the number of coefficients, the intercept included. Classical: one residual variance for both.
 */
extern FTest chow_test(ResidualSquares a, ResidualSquares b, ResidualSquares pooled);

typedef struct Heterogeneity
{
	double		q;
	double		df;
	double		p_value;		/* NAN for a single estimate */
	double		i_squared;		/* share of the variation that is not noise, 0 to 1; NAN for a single estimate */
	double		tau_squared;	/* variance of the true values between periods */
	double		pooled;			/* mean of the true values, weights 1 / (std_error^2 + tau_squared) */
	double		pooled_std_error;
} Heterogeneity;

/*
 * Cochran's Q (1954) of n >= 1 estimates with positive standard errors, I squared of Higgins and Thompson (2002), and
 * the variance between and the mean of the true values by DerSimonian and Laird (1986).
 */
extern Heterogeneity cochran_heterogeneity(const double *estimates, const double *std_errors, int n);

typedef struct StabilityIndex
{
	double		psi;
	double		null_mean;		/* what chance alone makes of it: (1 / n_expected + 1 / n_actual) (bins - 1) */
	double		p_value;		/* of "both samples are of one distribution"; NAN for a single bin */
	double		n_expected;
	double		n_actual;
} StabilityIndex;

/*
 * The population stability index of two samples counted in the same bins, every count at least 1: the sum of
 * (a - e) ln(a / e) over the shares of the bins. Where both samples are of one distribution it is distributed as
 * (1 / n_expected + 1 / n_actual) times chi-square of bins - 1 degrees of freedom (B. Yurdakul 2018).
 */
extern StabilityIndex stability_index(const double *expected, const double *actual, int bins);

#endif
