/*
 * value.h - customer lifetime value in closed form, and the present value of payments.
 *
 * Rates are per period and written as fractions (0.10 is 10 percent); the caller has checked them.
 */
#ifndef CLV_MATH_VALUE_H
#define CLV_MATH_VALUE_H

#include <math.h>

#include "math/rows.h"

/* Days of a year of discounting, as in a spreadsheet's XNPV. */
#define DISCOUNT_YEAR_DAYS 365.0

/*
 * (purchase_value * frequency * margin - service_cost) * lifespan - acquisition_cost: money, purchases
 * per period, periods, a fraction, money per period, money. Not finite where it overflows.
 */
extern double value_simple(double purchase_value, double frequency, double lifespan, double margin,
						   double service_cost, double acquisition_cost);

/*
 * 1 + rate - retention for 0 <= retention <= 1 and rate > -1, right to the last bits also where it
 * nearly vanishes. An endless stream of margins has a value only if this is positive.
 */
extern double value_gap(double retention, double rate);

/*
 * Present value of `periods` margins (a whole number, or INFINITY), each earned with a probability
 * that falls by the factor retention and discounted by 1 + rate per period; the first is earned for
 * certain at time 0, or with first_at_1 as the customer's first renewal at time 1:
 *   sum over t = 0 .. periods - 1, or t = 1 .. periods, of margin * (retention / (1 + rate))^t
 * Gupta & Lehmann 2003. Not finite where it overflows or the endless sum has no value.
 */
extern double value_of_margins(double margin, double retention, double rate, double periods, int first_at_1);

/*
 * The least n of which enough(n, state) is true, of the whole numbers from 2 to `most`, INFINITY if there is none. Once
 * true, it must stay so. `near` is a guess, which may be anything: the search takes a few calls where it is good, some
 * log2(n) where it is not. Above 2^53 n runs over the whole numbers that doubles hold.
 */
typedef int (*Enough) (double n, void *state);
extern double least_enough(double near, double most, Enough enough, void *state);

/*
 * About how many margins pay back a cost, not rounded; a guess for least_enough(). Solves, with q = retention / growth,
 *   cost = margin * first * (1 - q^n) / gap
 * for n from cost / margin, the share cost * gap / (margin * first) and 1 - share, both of which the caller knows to
 * the last bits. growth = 1 + rate, gap = growth - retention, first = growth, or retention if the first margin is at 1.
 */
extern double payback_guess(double cost_in_margins, double share, double rest, double retention, double growth,
							double gap);

/*
 * The least number of margins whose value_of_margins() is at least `cost` >= 0: 0 for no cost, INFINITY where the
 * margins never add up to it, NAN where it takes more of them than a double can count.
 */
extern double value_payback(double cost, double margin, double retention, double rate, int first_at_1);

/* A sum that carries its rounding error along (Neumaier 1974): start from {0, 0}. */
typedef struct CompensatedSum
{
	double		sum;
	double		error;
} CompensatedSum;

static inline void
compensated_add(CompensatedSum *s, double term)
{
	double		sum = s->sum + term;

	s->error += fabs(s->sum) >= fabs(term) ? (s->sum - sum) + term : (term - sum) + s->sum;
	s->sum = sum;
}

/* The sum so far; not finite where it overflowed. */
extern double compensated_sum(const CompensatedSum *s);

/* Add the present value of n flows, one per period, the first of them at time `first`. */
extern void value_add_flows(CompensatedSum *s, const double *flows, size_t n, double first, double rate);

/* Add the present value of rows [from, to) of kind ROWS_CASH_FLOW: amount / (1 + rate)^(days / 365). */
extern void value_add_dated_flows(CompensatedSum *s, const Rows *rows, size_t from, size_t to);

#endif
