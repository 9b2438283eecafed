/*
 * rows.h - the data every iterative fit reads: distinct rows with counts.
 *
 * Plain C: nothing in include/math or src/math may include a PostgreSQL header.
 */
#ifndef CLV_MATH_ROWS_H
#define CLV_MATH_ROWS_H

#include <stddef.h>

/* What a row holds. The numbers are stored on disk: append, never renumber. */
typedef enum RowKind
{
	ROWS_TIMING = 1,			/* x, t_x, t_cal: repeat purchases, time of the last, age */
	ROWS_SPEND = 2,				/* x, monetary_value: repeat purchases and their mean amount */
	ROWS_CASH_FLOW = 3,			/* days, amount, annual_discount_rate: one dated payment */
	ROWS_OPPORTUNITIES = 4,		/* x, t_x, n: opportunities taken, the last one taken, all there were */
	ROWS_RENEWALS = 5,			/* entry, tenure, churned: see below */
	ROWS_HOLDOUT = 6,			/* x, t_x, t_cal, monetary_value; purchases and spend after t_cal */
	ROWS_CALENDAR = 7,			/* day, repeat: one purchase on a day, 0 a customer's first, 1 a later one */
	ROWS_RFM = 8,				/* bins, days_since_last, frequency, monetary: bins is the same in all rows */
	ROWS_SIGNAL = 9,			/* n, mean, within: a customer's scores, their mean and sum of squared deviations */
	ROWS_RATING = 10,			/* score: an answer to a question of a survey */
	ROWS_AGREEMENT = 11,		/* a, b: the categories that two raters chose, as whole numbers */
	ROWS_RESPONSE = 12,			/* y, of regressors x: see below */
	ROWS_CLUSTERED = 13,		/* the same of a cluster and x */
	ROWS_SURVIVAL = 14,			/* entry, tenure, event, of regressors x, which may be none */
	ROWS_CLUSTERED_SURVIVAL = 15,	/* the same of a cluster and x */
	ROWS_PREDICTION = 16,		/* predicted, happened: a probability, and 1 where it came true, else 0 */
	ROWS_EFFECT = 17,			/* treatment, y, of a unit and x */
	ROWS_PAIR = 18				/* a, b: two measurements of one thing */
} RowKind;

/*
 * Regressors stand before the values of a row, where covariates of other kinds do. In the kinds that have clusters or
 * units, the first of them is the number of the cluster or unit, so that the rows of one are neighbours.
 */

/*
 * ROWS_RENEWALS: churned = 1, the customer left in period `tenure` = 1, 2, ...; churned = 0, is still a
 * customer after `tenure` = 0, 1, ... renewals. entry is how many renewals lay behind the customer when
 * observation began (0 for those seen from their start; entry < tenure if churned, else entry <= tenure).
 */

/* ROWS_OPPORTUNITIES: sums run over the n of a row one by one, for a tenth of a second at most. */
#define ROWS_MOST_OPPORTUNITIES 1e6

/* The columns of ROWS_HOLDOUT. */
enum
{
	HOLDOUT_X, HOLDOUT_T_X, HOLDOUT_T_CAL,
	HOLDOUT_MONETARY_VALUE,		/* mean of the x repeat purchases; 0 without one or without amounts */
	HOLDOUT_PURCHASES, HOLDOUT_SPEND,	/* after t_cal */
	HOLDOUT_COLUMNS
};

/* The columns of ROWS_CALENDAR. */
enum
{
	CALENDAR_DAY, CALENDAR_REPEAT, CALENDAR_COLUMNS
};

/* The columns of ROWS_RFM: the number of scores, and behind it the three values. */
enum
{
	RFM_ROW_BINS, RFM_ROW_VALUES, RFM_ROW_COLUMNS = 4
};

/* The columns of ROWS_SIGNAL. */
enum
{
	SIGNAL_N, SIGNAL_MEAN, SIGNAL_WITHIN, SIGNAL_COLUMNS
};

#define ROWS_MAX_COVARIATES 16	/* of a model of purchases */
#define ROWS_MAX_REGRESSORS 32	/* of a regression */
#define ROWS_MAX_COLUMNS (3 + 1 + ROWS_MAX_REGRESSORS)	/* covariates, or cluster and regressors, and values */

/*
 * n rows, each of ncovariates covariates, ncols values of its kind, and its count (a whole number held as
 * a double). Rows are distinct and sorted by their columns from left to right: customers who share their
 * covariates are neighbours, and among them those of equal x, so that what depends on x alone is computed
 * once. The log_likelihood of a model is given rows without covariates.
 */
typedef struct Rows
{
	size_t		n;
	int			ncols;
	const double *data;
	int			ncovariates;
	/* ROWS_TIMING: sum over all customers of the logarithms of the times between purchases; NAN if unknown */
	double		log_gaps;
} Rows;

/* Where the values of row i begin; its covariates stand before them. */
static inline const double *
rows_at(const Rows *rows, size_t i)
{
	return rows->data + i * (size_t) (rows->ncovariates + rows->ncols + 1) + rows->ncovariates;
}

static inline double
row_count(const Rows *rows, const double *row)
{
	return row[rows->ncols];
}

/* Whether some row has more than that in its first column, as who bought again has x > 0. */
static inline int
rows_reach(const Rows *rows, double x)
{
	for (size_t i = rows->n; i-- > 0;)
		if (rows_at(rows, i)[0] > x)
			return 1;
	return 0;
}

/* How many customers the rows stand for. */
static inline double
rows_total(const Rows *rows)
{
	double		total = 0;

	for (size_t i = 0; i < rows->n; i++)
		total += row_count(rows, rows_at(rows, i));
	return total;
}

#endif
