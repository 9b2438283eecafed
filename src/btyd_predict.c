/*
 * btyd_predict.c - predictions: what a model says of one customer, or of a new one.
 *
 * Every prediction comes for raw numbers in the model's unit and for a history with dates; both end in
 * the same operation of the model. The forms for timestamptz are SQL functions over these.
 */
#include "btyd.h"

#include <math.h>

static const Customer new_customer = {0, 0, 0};

/* Opportunities taken: the sum over those it takes cannot be cancelled, and goes on for some dozens of each. */
#define MOST_TAKEN 100000

/* ---- purchases: one customer ------------------------------------------------------------------- */

static Datum
predict_for_numbers(FunctionCallInfo fcinfo, const ClvModel *m, const ModelKind *kind, Prediction predict,
					const char *what)
{
	Question	q = question_of_numbers(fcinfo, kind, PG_NARGS());

	PG_RETURN_FLOAT8(checked_result(predict(m->values, &q.customer, q.t), what));
}

/* NULL before the first purchase */
static Datum
predict_for_dates(FunctionCallInfo fcinfo, const ClvModel *m, const ModelKind *kind, Prediction predict,
				  const char *what)
{
	Question	q;

	if (!question_of_dates(fcinfo, m, kind, PG_NARGS(), &q))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(checked_result(predict(m->values, &q.customer, q.t), what));
}

#define DEFINE_PREDICTION(NAME, OPERATION) \
	PG_FUNCTION_INFO_V1(clv_##NAME); \
	Datum clv_##NAME(PG_FUNCTION_ARGS) \
	{ \
		ClvModel   *m = PG_GETARG_MODEL(0); \
		const ModelKind *kind = purchase_operations(m); \
		return predict_for_numbers(fcinfo, m, kind, kind->OPERATION, #NAME); \
	} \
	PG_FUNCTION_INFO_V1(clv_##NAME##_history); \
	Datum clv_##NAME##_history(PG_FUNCTION_ARGS) \
	{ \
		ClvModel   *m = PG_GETARG_MODEL(0); \
		const ModelKind *kind = purchase_operations(m); \
		return predict_for_dates(fcinfo, m, kind, kind->OPERATION, #NAME); \
	}

DEFINE_PREDICTION(p_alive, p_alive)
DEFINE_PREDICTION(expected_purchases, expected_purchases)
DEFINE_PREDICTION(churn_risk, silence)

PG_FUNCTION_INFO_V1(clv_discounted_purchases);
Datum
clv_discounted_purchases(PG_FUNCTION_ARGS)
{
	ClvModel   *m = PG_GETARG_MODEL(0);
	const ModelKind *kind = purchase_operations(m);
	Customer	c = customer_of_numbers(fcinfo, kind, 1);
	double		rate = PG_GETARG_FLOAT8(4);
	double		t = PG_NARGS() > 5 ? checked_horizon(kind, PG_GETARG_FLOAT8(5)) : INFINITY;

	if (!isfinite(rate))
		argument_error("continuous_rate_per_unit must be finite",
					   "It is ln(1 + annual rate) times the length of the unit in years.", "It is %g.", rate);
	PG_RETURN_FLOAT8(checked_result(kind->discounted_purchases(m->values, &c, rate, t), "discounted_purchases"));
}

/* ---- purchases: how many ----------------------------------------------------------------------- */

static Datum
probability(const ClvModel *m, const ModelKind *kind, const Question *q, int32 n)
{
	if (n < 0)
		argument_error("the number of purchases must not be negative", "n counts repeat purchases: 0, 1, 2, ...",
					   "n is %d.", n);
	if (kind->reads == ROWS_OPPORTUNITIES && n > MOST_TAKEN)
		argument_error(psprintf("the number of purchases must be at most %d", MOST_TAKEN),
					   "Choose a longer unit: the probability is a sum over opportunities.", "n is %d.", n);
	PG_RETURN_FLOAT8(checked_result(kind->purchase_probability(m->values, &q->customer, n, q->t),
									"purchase_probability"));
}

/* (model, n, t) */
PG_FUNCTION_INFO_V1(clv_purchase_probability);
Datum
clv_purchase_probability(PG_FUNCTION_ARGS)
{
	ClvModel   *m = PG_GETARG_MODEL(0);
	const ModelKind *kind = purchase_operations(m);
	Question	q = {new_customer, checked_horizon(kind, PG_GETARG_FLOAT8(2))};

	return probability(m, kind, &q, PG_GETARG_INT32(1));
}

/* (model, x, t_x, t_cal, n, t) */
PG_FUNCTION_INFO_V1(clv_purchase_probability_given);
Datum
clv_purchase_probability_given(PG_FUNCTION_ARGS)
{
	ClvModel   *m = PG_GETARG_MODEL(0);
	const ModelKind *kind = purchase_operations(m);
	Question	q = {customer_of_numbers(fcinfo, kind, 1), checked_horizon(kind, PG_GETARG_FLOAT8(5))};

	return probability(m, kind, &q, PG_GETARG_INT32(4));
}

/* (model, history, as_of, n, until) */
PG_FUNCTION_INFO_V1(clv_purchase_probability_history);
Datum
clv_purchase_probability_history(PG_FUNCTION_ARGS)
{
	ClvModel   *m = PG_GETARG_MODEL(0);
	const ModelKind *kind = purchase_operations(m);
	DateADT		as_of = checked_day(PG_GETARG_DATEADT(2), "as_of");
	DateADT		until = PG_GETARG_DATEADT(4);
	HistorySummary s;
	Question	q;

	check_until(as_of, until);
	if (!customer_of_history(m, kind, PG_GETARG_HISTORY(1), as_of, &s, &q.customer))
		PG_RETURN_NULL();
	q.t = horizon_of_dates(m, kind, s.first, as_of, until);
	return probability(m, kind, &q, PG_GETARG_INT32(3));
}

PG_FUNCTION_INFO_V1(clv_expected_purchases_new);
Datum
clv_expected_purchases_new(PG_FUNCTION_ARGS)
{
	ClvModel   *m = PG_GETARG_MODEL(0);
	const ModelKind *kind = purchase_operations(m);
	double		t = checked_horizon(kind, PG_GETARG_FLOAT8(1));

	PG_RETURN_FLOAT8(checked_result(kind->expected_purchases(m->values, &new_customer, t), "expected_purchases"));
}

/* ---- spend and value --------------------------------------------------------------------------- */

/* Not strict: without a repeat purchase there is no monetary_value, and the population mean is expected. */
PG_FUNCTION_INFO_V1(clv_expected_spend);
Datum
clv_expected_spend(PG_FUNCTION_ARGS)
{
	SpendKnown	known = {0, 0};
	double		value;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	known.x = PG_GETARG_FLOAT8(1);
	if (known.x != 0 && PG_ARGISNULL(2))
		PG_RETURN_NULL();
	if (!PG_ARGISNULL(2))
		known.mean = PG_GETARG_FLOAT8(2);
	value = mean_spend(fcinfo, PG_GETARG_MODEL(0), known);
	if (isnan(value))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(value);
}

PG_FUNCTION_INFO_V1(clv_expected_spend_history);
Datum
clv_expected_spend_history(PG_FUNCTION_ARGS)
{
	HistorySummary s;
	double		value;

	if (!history_summary(PG_GETARG_HISTORY(1), checked_day(PG_GETARG_DATEADT(2), "as_of"), &s))
		PG_RETURN_NULL();
	value = mean_spend(fcinfo, PG_GETARG_MODEL(0), spend_of_summary(&s));
	if (isnan(value))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(value);
}

bool
value_question(FunctionCallInfo fcinfo, const ClvModel *m, const ClvModel *gg, ValueQuestion *q)
{
	DateADT		as_of = PG_GETARG_DATEADT(3);
	DateADT		until = PG_GETARG_DATEADT(4);
	HistorySummary s;

	q->spend = 0;
	q->purchases = purchase_operations(m);
	q->delta = daily_discount(fcinfo, PG_GETARG_FLOAT8(5)) * unit_of(m);
	q->margin = checked_margin(PG_GETARG_FLOAT8(6));
	q->service_cost = checked_service_cost(PG_GETARG_FLOAT8(7));
	check_until(as_of, until);
	if (!customer_of_history(m, q->purchases, PG_GETARG_HISTORY(2), as_of, &s, &q->question.customer))
		return false;
	q->question.t = horizon_of_dates(m, q->purchases, s.first, as_of, until);
	q->known = spend_of_summary(&s);
	q->spend = mean_spend(fcinfo, gg, q->known);
	return !isnan(q->spend);
}

double
purchases_of_value(const ValueQuestion *q, const double *theta)
{
	return q->purchases->discounted_purchases(theta, &q->question.customer, q->delta, q->question.t);
}

double
value_of_purchases(const ValueQuestion *q, const double *theta, double spend)
{
	return contribution_of_purchase(q, spend) * purchases_of_value(q, theta);
}

PG_FUNCTION_INFO_V1(clv_residual_value);
Datum
clv_residual_value(PG_FUNCTION_ARGS)
{
	ClvModel   *m = PG_GETARG_MODEL(0);
	ValueQuestion q;

	if (!value_question(fcinfo, m, PG_GETARG_MODEL(1), &q))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(checked_result(value_of_purchases(&q, m->values, q.spend), "clv"));
}

PG_FUNCTION_INFO_V1(clv_new_customer_value);
Datum
clv_new_customer_value(PG_FUNCTION_ARGS)
{
	ClvModel   *m = PG_GETARG_MODEL(0);
	const ModelKind *kind = purchase_operations(m);
	double		days = PG_GETARG_FLOAT8(2);
	double		delta = daily_discount(fcinfo, PG_GETARG_FLOAT8(3)) * unit_of(m);
	double		margin = checked_margin(PG_GETARG_FLOAT8(4));
	double		service_cost = checked_service_cost(PG_GETARG_FLOAT8(5));
	double		spend = mean_spend(fcinfo, PG_GETARG_MODEL(1), (SpendKnown) {0, 0});
	double		t = days / unit_of(m);

	if (!(days >= 0))
		argument_error("days must not be negative",
					   "It is the length of the period to value, counted from the first purchase.",
					   "days is %g.", days);
	if (kind->reads == ROWS_OPPORTUNITIES)
		t = floor(t);
	if (isnan(spend))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(checked_result((margin * spend - service_cost) *
									(1 + kind->discounted_purchases(m->values, &new_customer, delta, t)),
									"clv_new_customer"));
}
