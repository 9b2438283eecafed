/*
 * timing_rows.c - what every model of purchase times asks of its rows before a fit.
 */
#include "math/timing_rows.h"

#include <math.h>

bool
timing_undetermined(const Rows *rows, const char **reason, const char **hint)
{
	*hint = "Fit a larger group of customers, or one model for all groups.";
	if (rows_total(rows) < 2)
		*reason = "a fit needs at least two customers";
	else if (!rows_reach(rows, 0))
	{
		*reason = "no customer has a repeat purchase";
		*hint = "Choose a later as_of, or check that the orders hold every purchase and not only the first.";
	}
	else if (rows->n < 2)
		*reason = "all customers have the same purchase history";
	else
		return false;
	return true;
}

TimingMoments
timing_moments(const Rows *rows)
{
	TimingMoments m = {0};
	double		squares = 0;

	for (size_t i = 0; i < rows->n; i++)
	{
		const double *row = rows_at(rows, i);
		double		count = row_count(rows, row);
		bool		gone = row[0] > 0 && (row[2] - row[1]) * row[0] > 3 * row[1];
		double		active = count * (gone ? row[1] : row[2]);

		m.customers += count;
		m.purchases += count * row[0];
		squares += count * row[0] * row[0];
		m.active += active;
		m.repeat_active += row[0] > 0 ? active : 0;
		m.gone += gone ? count : 0;
	}
	m.mean_x = m.purchases / m.customers;
	m.variance_x = squares / m.customers - m.mean_x * m.mean_x;
	return m;
}

double
timing_shape(const TimingMoments *m, double k)
{
	double		excess = m->variance_x - m->mean_x / k;

	return excess > 0 ? fmin(fmax(m->mean_x * m->mean_x / excess, 0.1), 10) : 10;
}
