/*
 * renewals.c - what the models of renewals share: which data can determine them, and how their beta
 * distribution of churn, theta[0] and theta[1], runs off.
 */
#include "math/renewals.h"

#include <math.h>

#define LIMIT 1e3				/* a parameter that ran off is beyond */

/* columns of ROWS_RENEWALS */
#define ENTRY 0
#define TENURE 1
#define CHURNED 2

/*
 * A customer is at risk in the periods entry + 1 ... tenure. Those of all customers are an interval, or an
 * interval with gaps: the latter is counted from its ends, and the fit finds out.
 */
bool
renewals_undetermined(const Rows *rows, int periods, const char **reason, const char **hint)
{
	double		first = INFINITY;
	double		last = 0;
	double		churned = 0;
	bool		renewed = false;

	for (size_t i = 0; i < rows->n; i++)
	{
		const double *row = rows_at(rows, i);

		if (row[TENURE] == row[ENTRY])
			continue;
		first = fmin(first, row[ENTRY] + 1);
		last = fmax(last, row[TENURE]);
		churned += row[CHURNED] * row_count(rows, row);
		renewed = renewed || row[CHURNED] == 0 || row[TENURE] > row[ENTRY] + 1;
	}
	*hint = "Observe customers over more periods, or fit a larger group of customers.";
	if (rows_total(rows) < 2)
		*reason = "a fit needs at least two customers";
	else if (last == 0)
		*reason = "no customer was observed for a whole period";
	else if (churned == 0)
	{
		*reason = "no customer has left";
		*hint = "Choose a later as_of, or check that customers who left are among the rows.";
	}
	else if (!renewed)
	{
		*reason = "every customer left in the first period observed";
		*hint = "Check that those who are still customers are among the rows.";
	}
	else if (last - first + 1 < periods)
		*reason = periods == 2 ? "all customers were observed in the same single period"
							   : "customers were observed in fewer than three different periods";
	else
		return false;
	return true;
}

double
renewals_churn(const Rows *rows)
{
	double		churned = 0;
	double		at_risk = 0;

	for (size_t i = 0; i < rows->n; i++)
	{
		const double *row = rows_at(rows, i);

		churned += row[CHURNED] * row_count(rows, row);
		at_risk += (row[TENURE] - row[ENTRY]) * row_count(rows, row);
	}
	return churned / at_risk;
}

void
renewals_ran_off(double alpha, double beta, const char **reason, const char **hint)
{
	*hint = "Fit a longer history, or a larger group of customers.";
	if (alpha + beta > LIMIT)
		*reason = "alpha and beta run off to infinity: churn does not fall with tenure";
	else if (alpha + beta < 1 / LIMIT)
		*reason = "alpha and beta run off to zero: customers leave at their first renewal or never";
	else if (alpha < (alpha + beta) / LIMIT)
		*reason = "alpha / beta runs off to zero: the data show hardly any churn";
	else
	{
		*reason = "alpha / beta runs off to infinity: nearly all customers leave at their first renewal";
		*hint = "Check that tenure counts periods from 1, and that those who are still customers are among the rows.";
	}
}

double
renewals_mean_dropout(const double *theta)
{
	/* halved, so that the sum cannot overflow */
	return 0.5 * theta[0] / (0.5 * theta[0] + 0.5 * theta[1]);
}
