/*
 * value.c - customer lifetime value in closed form, and the present value of payments.
 */
#include "math/value.h"

#include <float.h>
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

/* log(retention / growth): nothing cancels near 0 */
static double
log_ratio(double retention, double growth, double gap)
{
	return retention < 0.5 * growth ? log(retention / growth) : log1p(-gap / growth);
}

double
value_of_margins(double margin, double retention, double rate, double periods, int first_at_1)
{
	double		growth = 1 + rate;
	double		gap = value_gap(retention, rate);
	double		first = first_at_1 ? retention : growth;

	if (periods < 1 || (margin == 0 && isfinite(periods)))
		return 0;
	if (isinf(periods))
		return gap > 0 ? margin * (first / gap) : INFINITY;
	if (periods == 1)
		return first_at_1 ? margin * (retention / growth) : margin;
	if (gap == 0)
		return margin * periods;

	/* (1 - q^n) / (1 - q), q = retention / growth, 1 - q = gap / growth: nothing cancels near q = 1 */
	return margin * (first * -expm1(periods * log_ratio(retention, growth, gap)) / gap);
}

double
least_enough(double near, double most, Enough enough, void *state)
{
	double		low = 1;		/* not enough, or not asked for */
	double		high = fmin(fmax(ceil(near), 2), most);
	double		step = 1;

	/* in growing steps until the answer lies between low and high */
	if (enough(high, state))
		for (double n = high - step; n > low; step *= 2, n = high - step)
		{
			if (enough(n, state))
				high = n;
			else
				low = n;
		}
	else
		do
		{
			if (high >= most)
				return INFINITY;
			low = high;
			high = fmin(low + step, most);
			step *= 2;
		} while (!enough(high, state));

	for (;;)
	{
		double		n = floor(low + (high - low) / 2);

		if (n <= low || n >= high)
			return high;
		if (enough(n, state))
			high = n;
		else
			low = n;
	}
}

double
payback_guess(double cost_in_margins, double share, double rest, double retention, double growth, double gap)
{
	double		n = (share < 0.5 ? log1p(-share) : log(rest)) / log_ratio(retention, growth, gap);

	return isfinite(n) ? n : cost_in_margins;	/* gap = 0: all margins are worth the same */
}

typedef struct Payback
{
	double		cost;
	double		margin;
	double		retention;
	double		rate;
	int			first_at_1;
} Payback;

static int
paid_back(double n, void *state)
{
	const Payback *p = state;

	return value_of_margins(p->margin, p->retention, p->rate, n, p->first_at_1) >= p->cost;
}

double
value_payback(double cost, double margin, double retention, double rate, int first_at_1)
{
	Payback		p = {cost, margin, retention, rate, first_at_1};
	double		growth = 1 + rate;
	double		gap = value_gap(retention, rate);
	double		earned = margin * (first_at_1 ? retention : growth);
	double		share = cost * (gap / earned);
	double		n;

	if (cost <= 0)
		return 0;
	if (margin <= 0)
		return INFINITY;
	if (paid_back(1, &p))
		return 1;
	if (gap > 0 && !paid_back(INFINITY, &p))
		return INFINITY;
	n = least_enough(payback_guess(cost / margin, share, 1 - share, retention, growth, gap), DBL_MAX, paid_back, &p);
	return isinf(n) ? NAN : n;
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
