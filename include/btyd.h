/*
 * btyd.h - what the files of the btyd room share: the model a function asks for, the customer and the time it is
 * asked about, discounting, and fitting one sample.
 */
#ifndef CLV_BTYD_H
#define CLV_BTYD_H

#include "history.h"
#include "model.h"
#include "sample.h"

/* ---- models ------------------------------------------------------------------------------------ */

/*
 * The operations of a model of purchases, of renewals or of spend; each is refused where another is asked for, as
 * are a prior and a model whose effects of covariates have not been applied.
 */
extern const ModelKind *purchase_operations(const ClvModel *m);
extern const ModelKind *renewal_operations(const ClvModel *m);
extern const ModelKind *spend_operations(const ClvModel *m);

/* An error if the model is a prior. */
extern void check_no_prior(const ClvModel *m);

/* The model's unit in days; an error where it has none. */
extern double unit_of(const ClvModel *m);

/* ---- questions about one customer ------------------------------------------------------------------ */

/* One customer, and a length of time after the end of observation; all in the model's unit. */
typedef struct Question
{
	Customer	customer;
	double		t;
} Question;

/* A prediction of ModelKind: p_alive, expected_purchases or silence. */
typedef double (*Prediction) (const double *theta, const Customer *c, double t);

/* The customer of the three arguments from first_arg on, checked as a row that the model reads. */
extern Customer customer_of_numbers(FunctionCallInfo fcinfo, const ModelKind *kind, int first_arg);

/* The customer of a history at the end of the day as_of, with the summary; false before the first purchase. */
extern bool customer_of_history(const ClvModel *m, const ModelKind *kind, const PurchaseHistory *h, DateADT as_of,
								HistorySummary *s, Customer *c);

/*
 * The questions of a prediction: arguments (model, x, t_x, t_cal [, t]), or (model, history, as_of [, until]) and then
 * false before the first purchase. nargs says how many of the arguments are those; without a time it is 0.
 */
extern Question question_of_numbers(FunctionCallInfo fcinfo, const ModelKind *kind, int nargs);
extern bool question_of_dates(FunctionCallInfo fcinfo, const ClvModel *m, const ModelKind *kind, int nargs,
							  Question *q);

/* A length of time that is no error: not negative, and whole where the model counts opportunities. */
extern double checked_horizon(const ModelKind *kind, double t);

/* An error unless as_of is a day and until, if it is not 'infinity', one that does not come before it. */
extern void check_until(DateADT as_of, DateADT until);

/*
 * From as_of to until in the model's unit, both checked; 'infinity' is no end. Of opportunities, those that a
 * customer since `first` has in (as_of, until].
 */
extern double horizon_of_dates(const ClvModel *m, const ModelKind *kind, DateADT first, DateADT as_of, DateADT until);

/* The value unless it is infinite or does not exist, which is an error naming `what`. */
extern double checked_result(double value, const char *what);

/* Arguments 1 and 2 as a count of renewals behind the customer and of periods to come. */
extern void renewal_arguments(FunctionCallInfo fcinfo, double *tenure, double *periods);

/* Probability that a customer after `tenure` renewals leaves within the next `periods`. */
extern double renewal_risk(const ModelKind *kind, const double *theta, double tenure, double periods);

/* ---- results and money ------------------------------------------------------------------------- */

/* Continuous discount rate per day of an annual rate, which is checked: ln(1 + rate) / 365, as spreadsheet XNPV. */
extern double daily_discount(FunctionCallInfo fcinfo, double annual_rate);

extern double checked_margin(double margin);
extern double checked_service_cost(double service_cost);

/* What the mean amount of a history is expected to be: x repeat purchases of that mean, 0 where x is 0. */
typedef struct SpendKnown
{
	double		x;
	double		mean;
} SpendKnown;

extern SpendKnown spend_of_summary(const HistorySummary *s);

/* Expected amount per purchase, NAN (after a WARNING, once a query) where the population has no mean. */
extern double mean_spend(FunctionCallInfo fcinfo, const ClvModel *gg, SpendKnown known);

/* What clv() and clv_ci() ask about one customer. */
typedef struct ValueQuestion
{
	const ModelKind *purchases;
	Question	question;
	SpendKnown	known;
	double		spend;			/* expected amount per purchase */
	double		delta;			/* continuous discount rate per unit */
	double		margin;
	double		service_cost;	/* per purchase */
} ValueQuestion;

/*
 * That of arguments (model, spend_model, history, as_of, until, annual_discount_rate, margin,
 * service_cost_per_purchase); false before the first purchase, where spend is 0, and, after a WARNING, without a mean
 * amount: then spend is NAN, and the rest is set.
 */
extern bool value_question(FunctionCallInfo fcinfo, const ClvModel *m, const ClvModel *gg, ValueQuestion *q);

/* What a purchase of that expected amount contributes. */
static inline double
contribution_of_purchase(const ValueQuestion *q, double spend)
{
	return q->margin * spend - q->service_cost;
}

/* The purchases whose contribution is the value under parameters theta, discounted to as_of. */
extern double purchases_of_value(const ValueQuestion *q, const double *theta);

/* The value under parameters theta of the purchases at that expected amount. */
extern double value_of_purchases(const ValueQuestion *q, const double *theta, double spend);

/* ---- fits -------------------------------------------------------------------------------------- */

/*
 * The fit polls it: true when the call is to end. A caller whose computation was stopped by it goes on with
 * stop_call(), which raises the error.
 */
extern const FitStop stop_on_cancel;
pg_noreturn extern void stop_call(const char *what);

/* Whether models of this kind are fitted to what the sample holds. */
extern bool can_fit(const ModelKind *kind, const ClvSample *sample);

/*
 * The model fitted to a stored sample of the rows it reads; other rows are an error. NULL, after a WARNING that
 * says why, where the data cannot determine it; a fit that did not converge is returned after a WARNING. With a
 * prior, which may be NULL, it is up to the caller to warn of the sample.
 */
extern ClvModel *fit_sample(const ModelKind *kind, const ClvSample *sample);
extern ClvModel *fit_sample_with_prior(const ModelKind *kind, const ClvSample *sample, const FitPrior *prior);

/* Warn where nobody bought in the days before as_of, and where spend goes with frequency. */
extern void warn_of_sample(const ClvSample *sample);

#endif
