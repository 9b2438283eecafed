/*
 * rates.c - shares with Wilson's interval, scores of surveys, agreement of two raters, standardized differences.
 * Formulas in docs/support.md and docs/coverage.md.
 */
#include "math/rates.h"

#include <math.h>
#include <string.h>

#include "math/special.h"

/* Rows between two questions whether to end: some milliseconds. */
#define POLL_ROWS 65536

/* The estimate -+ z standard errors. */
static void
normal_interval(double estimate, double std_error, double conf, double *low, double *high)
{
	double		reach = normal_quantile(0.5 + 0.5 * conf) * std_error;

	*low = estimate - reach;
	*high = estimate + reach;
}

/* ---- shares and surveys ------------------------------------------------------------------------ */

Rate
wilson_rate(double successes, double n, double conf)
{
	Rate		rate = {n, NAN, NAN, NAN, NAN};
	double		failures = n - successes;
	double		z = normal_quantile(0.5 + 0.5 * conf);
	double		square;

	if (n == 0)
		return rate;
	/* the larger root has no difference in it, and the product of both is p^2 n / (n + z^2) */
	square = z * z;
	rate.estimate = successes / n;
	rate.std_error = sqrt(successes * (failures / n)) / n;
	rate.conf_high = failures == 0 ? 1 :
		(successes + 0.5 * square + z * sqrt(0.25 * square + successes * (failures / n))) / (n + square);
	rate.conf_low = rate.estimate * successes / ((n + square) * rate.conf_high);
	return rate;
}

Rate
share_difference(double successes_1, double n_1, double successes_2, double n_2, double conf)
{
	Rate		first = wilson_rate(successes_1, n_1, conf);
	Rate		second = wilson_rate(successes_2, n_2, conf);
	Rate		rate = {n_1 + n_2, first.estimate - second.estimate, NAN, NAN, NAN};

	/* the distance to each end is that of the two ends that lie in its direction, at right angles */
	rate.conf_low = rate.estimate - hypot(first.estimate - first.conf_low, second.conf_high - second.estimate);
	rate.conf_high = rate.estimate + hypot(first.conf_high - first.estimate, second.estimate - second.conf_low);
	return rate;
}

Rate
net_promoter_rate(double promoters, double detractors, double n, double conf)
{
	Rate		rate = {n, NAN, NAN, NAN, NAN};
	double		p = promoters / n;
	double		d = detractors / n;

	if (n == 0)
		return rate;
	rate.estimate = 100 * (promoters - detractors) / n;
	/* p + d - (p - d)^2 without a difference of what is nearly equal */
	rate.std_error = 100 * sqrt((p * ((n - promoters) / n) + d * ((n - detractors) / n) + 2 * p * d) / n);
	normal_interval(rate.estimate, rate.std_error, conf, &rate.conf_low, &rate.conf_high);
	return rate;
}

const SurveyScale survey_nps = {"nps", 0, 10, 9, 6};
const SurveyScale survey_csat = {"csat", 1, 5, 4, 0};
const SurveyScale survey_ces = {"ces", 1, 7, 5, 0};

bool
survey_rate(const SurveyScale *scale, const Rows *rows, double conf, Rate *rate, const double **problem)
{
	double		n = 0;
	double		good = 0;
	double		bad = 0;

	for (size_t i = 0; i < rows->n; i++)
	{
		const double *row = rows_at(rows, i);
		double		count = row_count(rows, row);

		*problem = row;
		if (!(row[0] >= scale->low && row[0] <= scale->high && row[0] == floor(row[0])))
			return false;
		n += count;
		good += row[0] >= scale->good ? count : 0;
		bad += row[0] <= scale->bad ? count : 0;
	}
	*rate = scale->bad < scale->low ? wilson_rate(good, n, conf) : net_promoter_rate(good, bad, n, conf);
	return true;
}

/* ---- agreement --------------------------------------------------------------------------------- */

/* The categories that occur, in ascending order, and how often each rater chose them. */
typedef struct Categories
{
	int			n;
	double		value[AGREEMENT_MOST_CATEGORIES];
	double		count[2][AGREEMENT_MOST_CATEGORIES];
} Categories;

static bool
asked_to_stop(const FitStop *stop, size_t row)
{
	return stop != NULL && row % POLL_ROWS == 0 && stop->requested(stop->arg);
}

/* Where a category is, or belongs. */
static int
category_place(const Categories *c, double value)
{
	int			low = 0;
	int			high = c->n;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (c->value[middle] < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
count_category(Categories *c, int rater, double value, double count)
{
	int			at = category_place(c, value);

	if (at == c->n || c->value[at] != value)
	{
		double	   *columns[] = {c->value, c->count[0], c->count[1]};

		if (c->n == AGREEMENT_MOST_CATEGORIES)
			return false;
		for (int k = 0; k < 3; k++)
		{
			memmove(columns[k] + at + 1, columns[k] + at, (size_t) (c->n - at) * sizeof(double));
			columns[k][at] = 0;
		}
		c->value[at] = value;
		c->n++;
	}
	c->count[rater][at] += count;
	return true;
}

/* The categories of all rows, and the pairs that differ. False as cohen_agreement(), or where there are too many. */
static bool
count_pairs(const Rows *rows, const FitStop *stop, Categories *c, double *differing, bool *too_many)
{
	*differing = 0;
	*too_many = false;
	for (size_t i = 0; i < rows->n; i++)
	{
		const double *row = rows_at(rows, i);
		double		count = row_count(rows, row);

		if (asked_to_stop(stop, i))
			return false;
		*too_many = !count_category(c, 0, row[0], count) || !count_category(c, 1, row[1], count);
		if (*too_many)
			return false;
		*differing += row[0] == row[1] ? 0 : count;
	}
	return true;
}

/*
 * Variance of kappa by the delta method. To first order kappa is a mean over the pairs of
 * [both the same] - (1 - kappa) (how often the other rater chose this one's category, summed over both), over
 * 1 - expected; the sum of its squares about its mean is the formula of Fleiss, Cohen and Everitt without differences.
 * False as cohen_agreement().
 */
static bool
kappa_variance(const Rows *rows, const FitStop *stop, const Categories *c, const Agreement *a, double beyond,
			   double chance_disagreement, double *variance)
{
	double		mean = a->observed - 2 * beyond * a->expected;
	double		sum = 0;

	for (size_t i = 0; i < rows->n; i++)
	{
		const double *row = rows_at(rows, i);
		double		margins = (c->count[1][category_place(c, row[0])] + c->count[0][category_place(c, row[1])]) / a->n;
		double		deviation = (row[0] == row[1]) - beyond * margins - mean;

		if (asked_to_stop(stop, i))
			return false;
		sum += row_count(rows, row) / a->n * deviation * deviation;
	}
	*variance = sum / (a->n * chance_disagreement * chance_disagreement);
	return true;
}

bool
cohen_agreement(const Rows *rows, double conf, const FitStop *stop, Agreement *a)
{
	Categories	c = {.n = 0};
	double		disagreement;
	double		chance_disagreement = 0;
	double		beyond;			/* 1 - kappa */
	double		variance;

	*a = (Agreement) {rows_total(rows), NAN, NAN, NAN, NAN, NAN, NAN, false};
	if (!count_pairs(rows, stop, &c, &disagreement, &a->too_many_categories))
		return a->too_many_categories;
	if (a->n == 0)
		return true;
	/* disagreement is summed beside agreement: one less the other would lose its digits where agreement is near 1 */
	a->observed = (a->n - disagreement) / a->n;
	a->expected = 0;
	for (int k = 0; k < c.n; k++)
	{
		double		share = c.count[0][k] / a->n;

		a->expected += share * (c.count[1][k] / a->n);
		chance_disagreement += share * ((a->n - c.count[1][k]) / a->n);
	}
	if (chance_disagreement == 0)
		return true;
	beyond = disagreement / a->n / chance_disagreement;
	if (!kappa_variance(rows, stop, &c, a, beyond, chance_disagreement, &variance))
		return false;
	a->kappa = 1 - beyond;
	a->std_error = sqrt(variance);
	normal_interval(a->kappa, a->std_error, conf, &a->conf_low, &a->conf_high);
	return true;
}

/* ---- differences of means ---------------------------------------------------------------------- */

double
standardized_difference(double mean_1, double variance_1, double mean_0, double variance_0)
{
	/* no sum or difference may leave the range where the result does not: large ones are halved, small ones doubled */
	bool		small = variance_1 < 1 && variance_0 < 1;
	double		spread = small ? 0.5 * sqrt(2 * variance_1 + 2 * variance_0) : sqrt(0.5 * variance_1 + 0.5 * variance_0);
	double		difference = mean_1 - mean_0;

	if (difference == 0)
		return 0;
	if (isinf(difference))
		return 2 * ((0.5 * mean_1 - 0.5 * mean_0) / spread);
	return difference / spread;
}
