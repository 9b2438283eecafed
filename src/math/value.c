/*
 * value.c - customer lifetime value in closed form, and the present value of payments.
 */
#include "math/value.h"

#include <math.h>

double
value_simple(double purchase_value, double frequency, double lifespan, double margin, double service_cost,
			 double acquisition_cost)
{
	return (purchase_value * frequency * margin - service_cost) * lifespan - acquisition_cost;
}

double
value_gap(double retention, double rate)
{
	/* 1 - retention with its rounding error, which is what is left where the rate cancels the rest */
	double		loss = 1 - retention;
	double		error = (1 - loss) - retention;

	return (loss + rate) + error;
}

double
value_of_margins(double margin, double retention, double rate, double periods, int first_at_1)
{
	double		growth = 1 + rate;
	double		gap = value_gap(retention, rate);
	double		first = first_at_1 ? retention : growth;
	double		log_ratio;

	if (periods < 1 || (margin == 0 && isfinite(periods)))
		return 0;
	if (isinf(periods))
		return gap > 0 ? margin * (first / gap) : INFINITY;
	if (gap == 0)
		return margin * periods;

	/* (1 - q^n) / (1 - q), q = retention / growth, 1 - q = gap / growth: nothing cancels near q = 1 */
	log_ratio = retention < 0.5 * growth ? log(retention / growth) : log1p(-gap / growth);
	return margin * (first * (-expm1(periods * log_ratio) / gap));
}

double
compensated_sum(const CompensatedSum *s)
{
	return isfinite(s->sum) ? s->sum + s->error : s->sum;
}

/* amount * (1 + rate)^-time; log_growth is log1p(rate), so that small rates keep their digits */
static inline double
present_value(double amount, double log_growth, double time)
{
	return amount == 0 ? 0 : amount * exp(-time * log_growth);
}

void
value_add_flows(CompensatedSum *s, const double *flows, size_t n, double first, double rate)
{
	double		log_growth = log1p(rate);

	for (size_t i = 0; i < n; i++)
		compensated_add(s, present_value(flows[i], log_growth, first + (double) i));
}

void
value_add_dated_flows(CompensatedSum *s, const Rows *rows, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
	{
		const double *row = rows_at(rows, i);	/* days, amount, annual rate */

		compensated_add(s, row_count(rows, row) * present_value(row[1], log1p(row[2]), row[0] / DISCOUNT_YEAR_DAYS));
	}
}
