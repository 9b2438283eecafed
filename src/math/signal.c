/*
 * signal.c - how far customers differ in a score, and how much of a customer's own mean to believe.
 */
#include "math/signal.h"

#include <math.h>

#include <gsl/gsl_cdf.h>

#include "math/gsl_guard.h"
#include "math/value.h"

/* Rows between two questions whether to end: some milliseconds. */
#define POLL_ROWS 65536

#define CONFIDENCE 0.95

/* Sums over all customers. */
typedef struct Sums
{
	CompensatedSum customers;
	CompensatedSum interactions;
	CompensatedSum squared_n;
	CompensatedSum scores;		/* n mean: the sum of all scores */
	double		lowest;			/* of the customers' means */
	double		highest;
	CompensatedSum between;		/* n (mean - mean of all)^2 */
	CompensatedSum within;
	CompensatedSum precision;	/* n / (1 + (n - 1) icc) */
	CompensatedSum weighted;	/* that times the mean */
} Sums;

typedef void (*AddCustomers) (Sums *sums, const double *row, double count, const SignalReliability *r);

static bool
add_all(const Rows *rows, const FitStop *stop, AddCustomers add, Sums *sums, const SignalReliability *r)
{
	for (size_t i = 0; i < rows->n; i++)
	{
		const double *row = rows_at(rows, i);

		if (stop != NULL && i % POLL_ROWS == 0 && stop->requested(stop->arg))
			return false;
		add(sums, row, row_count(rows, row), r);
	}
	return true;
}

static void
add_counts(Sums *sums, const double *row, double count, const SignalReliability *r)
{
	double		n = row[SIGNAL_N];

	(void) r;
	compensated_add(&sums->customers, count);
	compensated_add(&sums->interactions, count * n);
	compensated_add(&sums->squared_n, count * n * n);
	compensated_add(&sums->scores, count * n * row[SIGNAL_MEAN]);
	sums->lowest = fmin(sums->lowest, row[SIGNAL_MEAN]);
	sums->highest = fmax(sums->highest, row[SIGNAL_MEAN]);
}

static void
add_squares(Sums *sums, const double *row, double count, const SignalReliability *r)
{
	double		deviation = row[SIGNAL_MEAN] - r->mean;

	compensated_add(&sums->between, count * row[SIGNAL_N] * deviation * deviation);
	compensated_add(&sums->within, count * row[SIGNAL_WITHIN]);
}

/* A customer's mean varies by between + within / n: its precision, but for a factor common to all. */
static void
add_precision(Sums *sums, const double *row, double count, const SignalReliability *r)
{
	double		precision = count * row[SIGNAL_N] / (1 + (row[SIGNAL_N] - 1) * r->icc);

	compensated_add(&sums->precision, precision);
	compensated_add(&sums->weighted, precision * row[SIGNAL_MEAN]);
}

double
signal_weight(double n, double icc)
{
	return n > 0 ? n * icc / (1 + (n - 1) * icc) : 0;
}

/*
 * P(F > f). For a million degrees of freedom GSL's continued fraction does not end close to the mean; there the cube
 * root of F is normal (Paulson 1942) to the inverse of the degrees of freedom.
 */
static double
f_upper_tail(double f, double df1, double df2)
{
	gsl_error_handler_t *handler = gsl_guard_enter();
	double		tail = gsl_cdf_fdist_Q(f, df1, df2);

	gsl_guard_leave(handler);
	if (isnan(tail))
	{
		double		root = cbrt(f);
		double		v1 = 2 / (9 * df1);
		double		v2 = 2 / (9 * df2);

		tail = 0.5 * erfc(((1 - v2) * root - (1 - v1)) / sqrt(2 * (v2 * root * root + v1)));
	}
	return tail;
}

/*
 * The value that an F variable exceeds with a probability below that of exceeding 1, by bisection of its logarithm:
 * GSL's own inverse fails for millions of degrees of freedom.
 */
static double
f_quantile(double upper_tail, double df1, double df2)
{
	double		low = 0;
	double		high = 700;

	for (int i = 0; i < 100; i++)
	{
		double		middle = 0.5 * (low + high);

		if (f_upper_tail(exp(middle), df1, df2) > upper_tail)
			low = middle;
		else
			high = middle;
	}
	return exp(0.5 * (low + high));
}

/* The intraclass correlation of which F = MSB / MSW is the estimate. */
static double
icc_of_f(double f, double size)
{
	return (f - 1) / (f + size - 1);
}

static void
set_variances(SignalReliability *r, double ms_between, double ms_within, double df_between, double df_within)
{
	r->variance_within = ms_within;
	r->variance_between = (ms_between - ms_within) / r->size;
	r->icc_estimate = (ms_between - ms_within) / (ms_between + (r->size - 1) * ms_within);
	r->icc = r->icc_estimate > 0 ? r->icc_estimate : 0;
	r->reliability = signal_weight(r->size, r->icc);
	if (ms_within > 0)
	{
		r->f = ms_between / ms_within;
		r->p_value = f_upper_tail(r->f, df_between, df_within);
		r->conf_low = icc_of_f(r->f / f_quantile((1 - CONFIDENCE) / 2, df_between, df_within), r->size);
		r->conf_high = icc_of_f(r->f * f_quantile((1 - CONFIDENCE) / 2, df_within, df_between), r->size);
	}
}

bool
signal_reliability(const Rows *rows, const FitStop *stop, SignalReliability *r)
{
	Sums		sums = {.lowest = INFINITY, .highest = -INFINITY};
	double		df_between;
	double		df_within;
	double		between;
	double		within;

	*r = (SignalReliability) {
		.size = NAN, .mean = NAN, .population_mean = NAN, .variance_between = NAN, .variance_within = NAN,
		.icc_estimate = NAN, .conf_low = NAN, .conf_high = NAN, .f = NAN, .p_value = NAN, .icc = NAN,
		.reliability = NAN};
	if (!add_all(rows, stop, add_counts, &sums, r))
		return false;
	r->customers = compensated_sum(&sums.customers);
	r->interactions = compensated_sum(&sums.interactions);
	df_between = r->customers - 1;
	df_within = r->interactions - r->customers;
	if (r->customers > 0)
		r->mean = compensated_sum(&sums.scores) / r->interactions;
	if (df_between < 1)
		r->problem = "there are fewer than two customers";
	else if (df_within < 1)
		r->problem = "no customer has two interactions";
	if (r->problem != NULL)
		return true;

	r->size = (r->interactions - compensated_sum(&sums.squared_n) / r->interactions) / df_between;
	if (!add_all(rows, stop, add_squares, &sums, r))
		return false;
	/* equal means have no variance, though the mean of all was rounded */
	between = sums.lowest < sums.highest ? compensated_sum(&sums.between) : 0;
	within = compensated_sum(&sums.within);
	if (!(isfinite(between) && isfinite(within)))
		r->problem = "the squares of the scores leave the range of numbers";
	else if (between == 0 && within == 0)
		r->problem = "all scores are the same";
	if (r->problem != NULL)
		return true;

	set_variances(r, between / df_between, within / df_within, df_between, df_within);
	if (!add_all(rows, stop, add_precision, &sums, r))
		return false;
	r->population_mean = compensated_sum(&sums.weighted) / compensated_sum(&sums.precision);
	return true;
}
