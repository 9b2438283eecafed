/*
 * backtest.h - a model's predictions beside what happened: errors, ranking, classes, tracking.
 *
 * All functions that return bool answer false when stop (which may be NULL) asked them to end; their results
 * then are not set. Sums run over rows times their counts: every customer weighs the same.
 */
#ifndef CLV_MATH_BACKTEST_H
#define CLV_MATH_BACKTEST_H

#include "math/model_kind.h"

/* Two models of one population; the second may be missing. */
typedef struct Forecaster
{
	const ModelKind *timing;
	const double *theta;
	const ModelKind *spend;		/* NULL: no spend is predicted */
	const double *spend_theta;
	double		units;			/* time units of the model in one of the rows */
} Forecaster;

/*
 * Predict the t time units of the rows after t_cal for each row of ROWS_HOLDOUT: expected purchases, and,
 * unless spend is NULL, expected purchases times the expected amount of one. Arrays of rows->n.
 */
extern bool backtest_predict(const Forecaster *by, const Rows *rows, double t, double *purchases, double *spend,
							 const FitStop *stop);

/* The total of a column over all customers. */
extern bool backtest_total(const Rows *rows, int column, const FitStop *stop, double *total);

/* The total, and per customer: mean absolute error, root mean square error, and predicted less actual. */
typedef struct ForecastErrors
{
	double		predicted;
	double		mae;
	double		rmse;
	double		bias;
} ForecastErrors;

/* Compare a column with its prediction; the three errors are NAN without customers. */
extern bool backtest_errors(const Rows *rows, int column, const double *predicted, const FitStop *stop,
							ForecastErrors *errors);

/*
 * The share of a column's total that belongs to the 1 / parts of all customers who rank highest, ranked by the
 * numbers in `rank`, or by the column itself where rank is NULL. Customers of equal rank are taken in equal
 * parts: those at the boundary count with the fraction of them that fits. NAN where the total is not positive.
 */
extern bool backtest_top_share(const Rows *rows, int column, const double *rank, double parts, const FitStop *stop,
							   double *share);

/* Customers by their repeat purchases up to t_cal: 0, 1, ..., and the last class for all above. */
#define FREQUENCY_CLASSES 8

typedef struct FrequencyClass
{
	double		customers;
	double		actual;
	double		predicted;
} FrequencyClass;

extern bool backtest_classes(const Rows *rows, const double *predicted, const FitStop *stop,
							 FrequencyClass classes[FREQUENCY_CLASSES]);

/*
 * Repeat purchases up to the ends of periods, from rows of ROWS_CALENDAR: those that happened, and those that
 * the model expects of customers who are new on their first day, E[X(age)] of each. ends[n] are days, ascending;
 * what comes after the last is left out. unit_days is the model's time unit. by_age is room for the numbers of
 * one customer at every age from 0 to ends[n - 1] less the first day, filled with NAN.
 */
extern bool backtest_track(const ModelKind *model, const double *theta, double unit_days, const Rows *rows,
						   const double *ends, size_t n, double *by_age, double *actual, double *expected,
						   const FitStop *stop);

#endif
