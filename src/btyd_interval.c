/*
 * btyd_interval.c - intervals: what the uncertainty of the parameters makes of a prediction, and how many purchases a
 * customer may make.
 */
#include "btyd.h"

#include <math.h>

#include "math/inference.h"

static FittedModel
fitted_model(const ClvModel *m, const ModelKind *kind)
{
	return (FittedModel) {kind, m->nparams, m->values, model_covariance(m)};
}

/* ---- intervals of predictions ------------------------------------------------------------------ */

/*
 * The row (estimate, std_error, conf_low, conf_high); the estimate alone where a model has no covariance, as one that
 * was typed in. second may be NULL.
 */
static Datum
interval(FunctionCallInfo fcinfo, PredictedValue f, void *arg, const FittedModel *first, const FittedModel *second,
		 PredictionScale scale, double conf, const char *what)
{
	Datum		values[4] = {0};
	bool		nulls[4] = {false, true, true, true};
	double		estimate;

	if (first->covariance && (second == NULL || second->covariance))
	{
		Estimate	e = prediction_interval(f, arg, first, second, scale, conf, &stop_on_cancel, &estimate);
		double		rest[3] = {e.std_error, e.conf_low, e.conf_high};

		if (stop_on_cancel.requested(stop_on_cancel.arg))
			stop_call("an interval");
		for (int i = 0; i < 3; i++)
		{
			nulls[i + 1] = !isfinite(rest[i]);
			values[i + 1] = Float8GetDatum(rest[i]);
		}
	}
	else
		estimate = f(first->theta, second ? second->theta : NULL, arg);
	values[0] = Float8GetDatum(checked_result(estimate, what));
	return result_row(fcinfo, values, nulls);
}

typedef struct AskedPrediction
{
	Prediction	predict;
	Question	question;
} AskedPrediction;

static double
predicted(const double *theta, const double *second_theta, void *arg)
{
	const AskedPrediction *asked = arg;

	return asked->predict(theta, &asked->question.customer, asked->question.t);
}

/* (model, x, t_x, t_cal [, t], conf) */
static Datum
interval_for_numbers(FunctionCallInfo fcinfo, const ClvModel *m, const ModelKind *kind, Prediction predict,
					 PredictionScale scale, const char *what)
{
	double		conf = checked_conf(PG_GETARG_FLOAT8(PG_NARGS() - 1));
	AskedPrediction asked = {predict, question_of_numbers(fcinfo, kind, PG_NARGS() - 1)};
	FittedModel fit = fitted_model(m, kind);

	return interval(fcinfo, predicted, &asked, &fit, NULL, scale, conf, what);
}

/* (model, history, as_of [, until], conf); NULL before the first purchase */
static Datum
interval_for_dates(FunctionCallInfo fcinfo, const ClvModel *m, const ModelKind *kind, Prediction predict,
				   PredictionScale scale, const char *what)
{
	double		conf = checked_conf(PG_GETARG_FLOAT8(PG_NARGS() - 1));
	AskedPrediction asked = {.predict = predict};
	FittedModel fit = fitted_model(m, kind);

	if (!question_of_dates(fcinfo, m, kind, PG_NARGS() - 1, &asked.question))
		PG_RETURN_NULL();
	return interval(fcinfo, predicted, &asked, &fit, NULL, scale, conf, what);
}

#define DEFINE_INTERVAL(NAME, OPERATION, SCALE) \
	PG_FUNCTION_INFO_V1(clv_##NAME##_ci); \
	Datum clv_##NAME##_ci(PG_FUNCTION_ARGS) \
	{ \
		ClvModel   *m = PG_GETARG_MODEL(0); \
		const ModelKind *kind = purchase_operations(m); \
		return interval_for_numbers(fcinfo, m, kind, kind->OPERATION, SCALE, #NAME); \
	} \
	PG_FUNCTION_INFO_V1(clv_##NAME##_ci_history); \
	Datum clv_##NAME##_ci_history(PG_FUNCTION_ARGS) \
	{ \
		ClvModel   *m = PG_GETARG_MODEL(0); \
		const ModelKind *kind = purchase_operations(m); \
		return interval_for_dates(fcinfo, m, kind, kind->OPERATION, SCALE, #NAME); \
	}

DEFINE_INTERVAL(p_alive, p_alive, PREDICTION_LOGIT)
DEFINE_INTERVAL(expected_purchases, expected_purchases, PREDICTION_LOG)
DEFINE_INTERVAL(churn_risk, silence, PREDICTION_LOGIT)

typedef struct AskedRenewal
{
	const ModelKind *kind;
	double		tenure;
	double		periods;
} AskedRenewal;

static double
predicted_renewal_risk(const double *theta, const double *second_theta, void *arg)
{
	const AskedRenewal *asked = arg;

	return renewal_risk(asked->kind, theta, asked->tenure, asked->periods);
}

/* (model, tenure, periods, conf) */
PG_FUNCTION_INFO_V1(clv_churn_risk_ci_renewal);
Datum
clv_churn_risk_ci_renewal(PG_FUNCTION_ARGS)
{
	ClvModel   *m = PG_GETARG_MODEL(0);
	AskedRenewal asked = {.kind = renewal_operations(m)};
	FittedModel fit = fitted_model(m, asked.kind);
	double		conf = checked_conf(PG_GETARG_FLOAT8(3));

	renewal_arguments(fcinfo, &asked.tenure, &asked.periods);
	return interval(fcinfo, predicted_renewal_risk, &asked, &fit, NULL, PREDICTION_LOGIT, conf, "churn_risk");
}

typedef struct AskedValue
{
	ValueQuestion question;
	const ModelKind *spend;
	const double *fitted;		/* the parameters of purchases, and what they make of them: most of the work, and */
	double		purchases;		/* nothing that the parameters of spend change */
} AskedValue;

static double
predicted_value(const double *theta, const double *spend_theta, void *arg)
{
	const AskedValue *asked = arg;
	const ValueQuestion *q = &asked->question;
	double		spend = asked->spend->expected_spend(spend_theta, q->known.x, q->known.mean);

	return contribution_of_purchase(q, spend) * (theta == asked->fitted ? asked->purchases : purchases_of_value(q, theta));
}

/* (model, spend_model, history, as_of, until, annual_discount_rate, margin, service_cost_per_purchase, conf) */
PG_FUNCTION_INFO_V1(clv_residual_value_ci);
Datum
clv_residual_value_ci(PG_FUNCTION_ARGS)
{
	ClvModel   *m = PG_GETARG_MODEL(0);
	ClvModel   *gg = PG_GETARG_MODEL(1);
	AskedValue	asked = {.spend = spend_operations(gg)};
	double		conf = checked_conf(PG_GETARG_FLOAT8(8));
	FittedModel spend = fitted_model(gg, asked.spend);
	FittedModel purchases;

	if (!value_question(fcinfo, m, gg, &asked.question))
		PG_RETURN_NULL();
	purchases = fitted_model(m, asked.question.purchases);
	asked.purchases = purchases_of_value(&asked.question, m->values);
	asked.fitted = m->values;
	return interval(fcinfo, predicted_value, &asked, &purchases, &spend, PREDICTION_LOG, conf, "clv");
}

/* ---- intervals of counts ----------------------------------------------------------------------- */

static Datum
count_row(FunctionCallInfo fcinfo, const ClvModel *m, const ModelKind *kind, const Question *q, double conf)
{
	double		low;
	double		high;
	Datum		values[2];
	bool		nulls[2] = {false, false};

	if (isinf(q->t))
		argument_error("the horizon must be finite", "Ask for the number of purchases up to a date.",
					   "The number of purchases without end has no interval.");
	if (!count_interval(kind, m->values, &q->customer, q->t, conf, &stop_on_cancel, &low, &high))
	{
		if (stop_on_cancel.requested(stop_on_cancel.arg))
			stop_call("the interval of a number of purchases");
		range_error("the number of purchases is out of range", "Use a shorter horizon.",
					"The interval would reach beyond 10 million purchases.");
	}
	values[0] = Int32GetDatum((int32) low);
	values[1] = Int32GetDatum((int32) high);
	return result_row(fcinfo, values, nulls);
}

/* (model, x, t_x, t_cal, t, conf) */
PG_FUNCTION_INFO_V1(clv_purchase_count_interval);
Datum
clv_purchase_count_interval(PG_FUNCTION_ARGS)
{
	ClvModel   *m = PG_GETARG_MODEL(0);
	const ModelKind *kind = purchase_operations(m);
	Question	q = question_of_numbers(fcinfo, kind, 5);

	return count_row(fcinfo, m, kind, &q, checked_conf(PG_GETARG_FLOAT8(5)));
}

/* (model, history, as_of, until, conf) */
PG_FUNCTION_INFO_V1(clv_purchase_count_interval_history);
Datum
clv_purchase_count_interval_history(PG_FUNCTION_ARGS)
{
	ClvModel   *m = PG_GETARG_MODEL(0);
	const ModelKind *kind = purchase_operations(m);
	Question	q;

	if (!question_of_dates(fcinfo, m, kind, 4, &q))
		PG_RETURN_NULL();
	return count_row(fcinfo, m, kind, &q, checked_conf(PG_GETARG_FLOAT8(4)));
}
