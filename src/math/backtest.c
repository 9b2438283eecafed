/*
 * backtest.c - a model's predictions beside what happened.
 */
#include "math/backtest.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "math/value.h"

/* A prediction may take a hundred times as long as an addition. */
#define POLL_ADDITIONS 4096
#define POLL_PREDICTIONS 64

static inline bool
stopped(const FitStop *stop, size_t i, size_t interval)
{
	return stop != NULL && i % interval == 0 && stop->requested(stop->arg);
}

/* ---- predictions ------------------------------------------------------------------------------- */

/* Whether two rows agree in their first n columns. */
static bool
same_columns(const double *a, const double *b, int n)
{
	for (int i = 0; i < n; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

bool
backtest_predict(const Forecaster *by, const Rows *rows, double t, double *purchases, double *spend,
				 const FitStop *stop)
{
	double		amount = 0;

	for (size_t i = 0; i < rows->n; i++)
	{
		const double *row = rows_at(rows, i);
		const double *last = i > 0 ? rows_at(rows, i - 1) : NULL;

		if (stopped(stop, i, POLL_PREDICTIONS))
			return false;

		/* rows are sorted: those who differ in what came after only are neighbours */
		if (last && same_columns(last, row, HOLDOUT_T_CAL + 1))
			purchases[i] = purchases[i - 1];
		else
			purchases[i] = by->timing->expected_purchases(by->theta, &(Customer) {
				row[HOLDOUT_X], row[HOLDOUT_T_X] * by->units, row[HOLDOUT_T_CAL] * by->units}, t * by->units);
		if (spend == NULL)
			continue;
		if (last == NULL || last[HOLDOUT_X] != row[HOLDOUT_X] ||
			last[HOLDOUT_MONETARY_VALUE] != row[HOLDOUT_MONETARY_VALUE])
			amount = by->spend->expected_spend(by->spend_theta, row[HOLDOUT_X], row[HOLDOUT_MONETARY_VALUE]);
		spend[i] = purchases[i] * amount;
	}
	return true;
}

/* ---- errors ------------------------------------------------------------------------------------ */

/* amounts of money are added as people would: to the last digit */
bool
backtest_total(const Rows *rows, int column, const FitStop *stop, double *total)
{
	CompensatedSum sum = {0, 0};

	for (size_t i = 0; i < rows->n; i++)
	{
		const double *row = rows_at(rows, i);

		if (stopped(stop, i, POLL_ADDITIONS))
			return false;
		compensated_add(&sum, row_count(rows, row) * row[column]);
	}
	*total = compensated_sum(&sum);
	return true;
}

bool
backtest_errors(const Rows *rows, int column, const double *predicted, const FitStop *stop, ForecastErrors *errors)
{
	ForecastErrors sums = {0};
	double		customers = 0;

	for (size_t i = 0; i < rows->n; i++)
	{
		const double *row = rows_at(rows, i);
		double		count = row_count(rows, row);
		double		error = predicted[i] - row[column];

		if (stopped(stop, i, POLL_ADDITIONS))
			return false;
		customers += count;
		sums.predicted += count * predicted[i];
		sums.mae += count * fabs(error);
		sums.rmse += count * error * error;
		sums.bias += count * error;
	}
	sums.mae /= customers;
	sums.rmse = sqrt(sums.rmse / customers);
	sums.bias /= customers;
	*errors = sums;
	return true;
}

/* ---- ranking ----------------------------------------------------------------------------------- */

/* Whole numbers in the order of the doubles they are made of; NAN does not occur. */
static inline uint64_t
order_key(double value)
{
	uint64_t	bits;

	value += 0.0;				/* -0 is 0 */
	memcpy(&bits, &value, sizeof(bits));
	return (bits >> 63) ? ~bits : bits | (UINT64_C(1) << 63);
}

static inline uint64_t
rank_key(const Rows *rows, int column, const double *rank, size_t i)
{
	return order_key(rank ? rank[i] : rows_at(rows, i)[column]);
}

/*
 * The rank at which the `wanted` highest customers end, found byte by byte from the highest: no sort, whose
 * comparisons could not be interrupted. *above customers rank higher, *at are at that rank.
 */
static bool
boundary_rank(const Rows *rows, int column, const double *rank, double wanted, const FitStop *stop,
			  uint64_t *boundary, double *above, double *at)
{
	*boundary = 0;
	*above = 0;
	for (int shift = 56; shift >= 0; shift -= 8)
	{
		double		customers[256] = {0};
		int			byte = 255;

		for (size_t i = 0; i < rows->n; i++)
		{
			uint64_t	key = rank_key(rows, column, rank, i);

			if (stopped(stop, i, POLL_ADDITIONS))
				return false;
			/* in two steps: a shift by 64 is not defined */
			if (((key ^ *boundary) >> shift) >> 8 == 0)
				customers[(key >> shift) & 255] += row_count(rows, rows_at(rows, i));
		}
		while (byte > 0 && *above + customers[byte] < wanted)
			*above += customers[byte--];
		*boundary |= (uint64_t) byte << shift;
		*at = customers[byte];
	}
	return true;
}

bool
backtest_top_share(const Rows *rows, int column, const double *rank, double parts, const FitStop *stop, double *share)
{
	double		wanted = rows_total(rows) / parts;
	uint64_t	boundary;
	double		above;
	double		at;
	double		total = 0;
	double		value_above = 0;
	double		value_at = 0;

	if (!boundary_rank(rows, column, rank, wanted, stop, &boundary, &above, &at))
		return false;
	for (size_t i = 0; i < rows->n; i++)
	{
		const double *row = rows_at(rows, i);
		double		value = row_count(rows, row) * row[column];
		uint64_t	key = rank_key(rows, column, rank, i);

		if (stopped(stop, i, POLL_ADDITIONS))
			return false;
		total += value;
		if (key > boundary)
			value_above += value;
		else if (key == boundary)
			value_at += value;
	}
	*share = total > 0 ? (value_above + (wanted - above) / at * value_at) / total : NAN;
	return true;
}

/* ---- classes ----------------------------------------------------------------------------------- */

bool
backtest_classes(const Rows *rows, const double *predicted, const FitStop *stop,
				 FrequencyClass classes[FREQUENCY_CLASSES])
{
	memset(classes, 0, FREQUENCY_CLASSES * sizeof(FrequencyClass));
	for (size_t i = 0; i < rows->n; i++)
	{
		const double *row = rows_at(rows, i);
		double		count = row_count(rows, row);
		FrequencyClass *c = &classes[(int) fmin(row[HOLDOUT_X], FREQUENCY_CLASSES - 1)];

		if (stopped(stop, i, POLL_ADDITIONS))
			return false;
		c->customers += count;
		c->actual += count * row[HOLDOUT_PURCHASES];
		c->predicted += count * predicted[i];
	}
	return true;
}

/* ---- tracking ---------------------------------------------------------------------------------- */

/* Purchases per day that happened, those up to the end of each period added up. */
static bool
track_actual(const Rows *rows, const double *ends, size_t n, double *actual, const FitStop *stop)
{
	double		purchases = 0;
	size_t		i = 0;

	for (size_t k = 0; k < n; k++)
	{
		for (; i < rows->n && rows_at(rows, i)[CALENDAR_DAY] <= ends[k]; i++)
			if (rows_at(rows, i)[CALENDAR_REPEAT] != 0)
				purchases += row_count(rows, rows_at(rows, i));
		if (stopped(stop, k, POLL_ADDITIONS))
			return false;
		actual[k] = purchases;
	}
	return true;
}

bool
backtest_track(const ModelKind *model, const double *theta, double unit_days, const Rows *rows, const double *ends,
			   size_t n, double *by_age, double *actual, double *expected, const FitStop *stop)
{
	const Customer new_customer = {0, 0, 0};

	if (!track_actual(rows, ends, n, actual, stop))
		return false;
	for (size_t k = 0; k < n; k++)
	{
		expected[k] = 0;
		for (size_t i = 0; i < rows->n && rows_at(rows, i)[CALENDAR_DAY] <= ends[k]; i++)
		{
			const double *row = rows_at(rows, i);
			size_t		age = (size_t) (ends[k] - row[CALENDAR_DAY]);

			if (stopped(stop, i, POLL_PREDICTIONS))
				return false;
			if (row[CALENDAR_REPEAT] != 0)
				continue;
			if (isnan(by_age[age]))
				by_age[age] = model->expected_purchases(theta, &new_customer, age / unit_days);
			expected[k] += row_count(rows, row) * by_age[age];
		}
	}
	return true;
}
