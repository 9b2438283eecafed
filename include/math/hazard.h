/*
 * hazard.h - discrete-time hazard: the probability of an event in a period.
 */
#ifndef CLV_MATH_HAZARD_H
#define CLV_MATH_HAZARD_H

#include "math/concave.h"

/* More periods than that are too many to go through one by one. */
#define HAZARD_MOST_PERIODS 10000

/* The parameters of the model itself, before the effects of x. */
enum
{
	HAZARD_INTERCEPT, HAZARD_LOG_PERIOD, HAZARD_LOG_PERIOD_SQUARED, HAZARD_PARAMS
};

/* Whether entry and tenure of a row of ROWS_SURVIVAL are whole numbers of at most HAZARD_MOST_PERIODS. */
extern bool is_hazard_row(const double *row);

/*
 * Fit the discrete-time hazard model (Cox 1972, Allison 1982, Singer and Willett 1993): the probability of the event
 * in period j = 1, 2, ... of who is there when it begins has the logit intercept + log_period ln(j) +
 * log_period_squared ln(j)^2 + effects'x. A row (entry, tenure, event) stands for the periods entry + 1 to tenure, the
 * event in the last; all rows have been checked by is_hazard_row(). Cost of a step of Newton's method: an exponential
 * for each period of each different x (and cluster), and O(p^2) for each of these.
 *
 * errors as for cox_fit(); ERRORS_HC0 takes the periods of a row together. The statistic is twice the gain of the
 * log-likelihood over the same model without x, or Wald's as for cox_fit(). Parameters of the periods that cannot be
 * told apart, because fewer than three different periods occur, are NAN. FIT_IMPOSSIBLE where no row or every period
 * has an event, with fewer than two clusters, and where a parameter has no finite estimate, which the report then
 * names.
 */
extern void hazard_fit(const Rows *rows, bool clustered, ErrorKind errors, const FitStop *stop, FitResult *fit,
					   RegressionRecord *record, SearchReport *report);

/* The linear predictor of a period j = 1, 2, ... for nx regressors x. */
extern double hazard_predictor(const double *theta, const double *x, int nx, double period);

/*
 * Logarithm of the probability that nobody with that x who is there after `from` periods has left after `to` >= from
 * periods; NAN where stopped.
 */
extern double hazard_log_survival(const double *theta, const double *x, int nx, double from, double to,
								  const FitStop *stop);

/*
 * Expected number of payments of a new customer within `periods` periods: the first one at time 0 and certain, each
 * later one if the customer has not left in the periods before, discounted by 1 + rate a period; NAN where stopped.
 */
extern double hazard_expected_lifetime(const double *theta, const double *x, int nx, double rate, double periods,
									   const FitStop *stop);

#endif
