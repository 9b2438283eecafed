/*
 * btyd_predict.c - predictions: what a model says of one customer, or of a new one.
 *
 * Every prediction comes for raw numbers in the model's unit and for a history with dates; both end in
 * the same operation of the model. The forms for timestamptz are SQL functions over these.
 */
#include "history.h"
#include "math/value.h"
#include "model.h"
#include "sample.h"

#include <math.h>

/* ---- arguments --------------------------------------------------------------------------------- */

/* The operations of a model of purchases, or of spend: each is refused where the other is asked for. */
static const BtydModel *
operations_for(const ClvModel *m, RowKind rows)
{
	const BtydModel *kind = model_operations(m);

	if (unlikely(kind->reads != rows))
		argument_error(rows == ROWS_SPEND ? "this needs a spend model" : "this needs a purchase model",
					   rows == ROWS_SPEND ? "Pass a model from gamma_gamma_fit()." : "Pass a model from bgnbd_fit().",
					   "The model is a %s model.", kind->title);
	return kind;
}

static inline Customer
customer_of_numbers(FunctionCallInfo fcinfo, int first_arg)
{
	double		row[3] = {PG_GETARG_FLOAT8(first_arg), PG_GETARG_FLOAT8(first_arg + 1),
	PG_GETARG_FLOAT8(first_arg + 2)};

	check_row(ROWS_TIMING, row);
	return (Customer) {row[0], row[1], row[2]};
}

static double
unit_of(const ClvModel *m)
{
	if (m->frame.unit_days == 0)
		argument_error("the model has no time unit, so dates cannot be used with it",
					   "Fit it from histories, or name the unit: bgnbd_model(r, alpha, a, b, 'week').",
					   "It was fitted to, or typed in as, raw numbers.");
	return m->frame.unit_days;
}

static Customer
customer_of_summary(const ClvModel *m, const HistorySummary *s)
{
	double		unit = unit_of(m);

	return (Customer) {s->x, s->t_x / unit, s->tenure / unit};
}

static double
checked_horizon(double t)
{
	if (!(t >= 0))
		argument_error("the horizon must not be negative", "t is a length of time in the model's unit, or infinity.",
					   "t is %g.", t);
	return t;
}

/* From as_of to until in the model's unit; 'infinity' is no end. */
static double
horizon_of_dates(const ClvModel *m, DateADT as_of, DateADT until)
{
	double		unit = unit_of(m);

	checked_day(as_of, "as_of");
	if (DATE_IS_NOEND(until))
		return INFINITY;
	if (checked_day(until, "until") < as_of)
		argument_error("until must not be before as_of", "Predictions cover the days after as_of up to until.",
					   "as_of is %s, until is %s.", day_text(as_of), day_text(until));
	return (until - as_of) / unit;
}

/* Continuous discount rate per day of an annual rate: ln(1 + rate) / 365, the year of spreadsheet XNPV. */
static double
daily_discount(FunctionCallInfo fcinfo, double annual_rate)
{
	if (!(isfinite(annual_rate) && annual_rate > -1))
		argument_error("annual_discount_rate must be finite and above -1", "Write 10 percent as 0.10.",
					   "annual_discount_rate is %g.", annual_rate);
	warn_if_high_rate(fcinfo, annual_rate);
	return log1p(annual_rate) / DISCOUNT_YEAR_DAYS;
}

static double
checked_margin(double margin)
{
	if (!(margin >= 0 && margin <= 1))
		argument_error("margin must be between 0 and 1", "Write a margin of 30 percent as 0.30.",
					   "margin is %g.", margin);
	return margin;
}

/* The kernels are right or infinite; a value that does not exist is an error, never NaN. */
static Datum
finite_result(double value, const char *what)
{
	if (unlikely(!isfinite(value)))
		range_error("the value is infinite or out of range", "Use a finite horizon or a higher discount rate.",
					"%s came out as %s.", what, isnan(value) ? "no number" : "infinite");
	PG_RETURN_FLOAT8(value);
}

/* ---- purchase models: one customer --------------------------------------------------------------- */

/*
 * A prediction of BtydModel over a length of time t, for raw numbers (model, x, t_x, t_cal [, t]) and for
 * dates (model, history, as_of [, until]); without the last argument t is 0. NULL before the first
 * purchase.
 */
typedef double (*Prediction) (const double *theta, const Customer *c, double t);

static Datum
predict_for_numbers(FunctionCallInfo fcinfo, const ClvModel *m, Prediction predict, const char *what)
{
	Customer	c = customer_of_numbers(fcinfo, 1);
	double		t = PG_NARGS() > 4 ? checked_horizon(PG_GETARG_FLOAT8(4)) : 0;

	return finite_result(predict(m->values, &c, t), what);
}

static Datum
predict_for_dates(FunctionCallInfo fcinfo, const ClvModel *m, Prediction predict, const char *what)
{
	DateADT		as_of = PG_GETARG_DATEADT(2);
	double		t = horizon_of_dates(m, as_of, PG_NARGS() > 3 ? PG_GETARG_DATEADT(3) : as_of);
	HistorySummary s;
	Customer	c;

	if (!history_summary(PG_GETARG_HISTORY(1), as_of, &s))
		PG_RETURN_NULL();
	c = customer_of_summary(m, &s);
	return finite_result(predict(m->values, &c, t), what);
}

#define DEFINE_PREDICTION(NAME, OPERATION) \
	PG_FUNCTION_INFO_V1(clv_##NAME); \
	Datum clv_##NAME(PG_FUNCTION_ARGS) \
	{ \
		ClvModel   *m = PG_GETARG_MODEL(0); \
		return predict_for_numbers(fcinfo, m, operations_for(m, ROWS_TIMING)->OPERATION, #NAME); \
	} \
	PG_FUNCTION_INFO_V1(clv_##NAME##_history); \
	Datum clv_##NAME##_history(PG_FUNCTION_ARGS) \
	{ \
		ClvModel   *m = PG_GETARG_MODEL(0); \
		return predict_for_dates(fcinfo, m, operations_for(m, ROWS_TIMING)->OPERATION, #NAME); \
	}

DEFINE_PREDICTION(p_alive, p_alive)
DEFINE_PREDICTION(expected_purchases, expected_purchases)
DEFINE_PREDICTION(churn_risk, silence)

PG_FUNCTION_INFO_V1(clv_discounted_purchases);
Datum
clv_discounted_purchases(PG_FUNCTION_ARGS)
{
	ClvModel   *m = PG_GETARG_MODEL(0);
	Customer	c = customer_of_numbers(fcinfo, 1);
	double		rate = PG_GETARG_FLOAT8(4);
	double		t = PG_NARGS() > 5 ? checked_horizon(PG_GETARG_FLOAT8(5)) : INFINITY;

	if (!isfinite(rate))
		argument_error("continuous_rate_per_unit must be finite",
					   "It is ln(1 + annual rate) times the length of the unit in years.", "It is %g.", rate);
	return finite_result(operations_for(m, ROWS_TIMING)->discounted_purchases(m->values, &c, rate, t),
						 "discounted_purchases");
}

/* ---- purchase models: a new customer --------------------------------------------------------------- */

static const Customer new_customer = {0, 0, 0};

PG_FUNCTION_INFO_V1(clv_expected_purchases_new);
Datum
clv_expected_purchases_new(PG_FUNCTION_ARGS)
{
	ClvModel   *m = PG_GETARG_MODEL(0);
	double		t = checked_horizon(PG_GETARG_FLOAT8(1));

	return finite_result(operations_for(m, ROWS_TIMING)->expected_purchases(m->values, &new_customer, t),
						 "expected_purchases");
}

PG_FUNCTION_INFO_V1(clv_purchase_probability);
Datum
clv_purchase_probability(PG_FUNCTION_ARGS)
{
	ClvModel   *m = PG_GETARG_MODEL(0);
	int32		n = PG_GETARG_INT32(1);
	double		t = checked_horizon(PG_GETARG_FLOAT8(2));

	if (n < 0)
		argument_error("the number of purchases must not be negative", "n counts repeat purchases: 0, 1, 2, ...",
					   "n is %d.", n);
	return finite_result(operations_for(m, ROWS_TIMING)->purchase_probability(m->values, &new_customer, n, t),
						 "purchase_probability");
}

/* ---- spend and value --------------------------------------------------------------------------- */

/* Expected amount per purchase, NAN (after a WARNING) where the population has no mean. */
static double
mean_spend(FunctionCallInfo fcinfo, const ClvModel *gg, double x, double mean)
{
	const BtydModel *ops = operations_for(gg, ROWS_SPEND);
	double		row[2] = {x, mean};
	double		value;

	check_row(ROWS_SPEND, row);
	value = ops->expected_spend(gg->values, x, mean);
	if (isinf(value) || (isnan(value) && gg->values[1] > 1))
		range_error("expected_spend is out of range",
					"Check the amounts, and the parameters of the spend model: they are far too large.",
					"x = %g, monetary_value = %g; the mean amount of the model is %g * %g / (%g - 1).", x, mean,
					gg->values[0], gg->values[2], gg->values[1]);
	if (isnan(value) && first_warning(fcinfo, WARNED_OF_SPEND))
		ereport(WARNING,
				(errmsg("the %s model has no population mean, the result is NULL", ops->title),
				 errdetail("Its parameter q is %g; the mean exists for q above 1 only.", gg->values[1]),
				 errhint("Fit the spend model to more customers, or cap extreme amounts.")));
	return value;
}

static double
mean_spend_of_history(FunctionCallInfo fcinfo, const ClvModel *gg, const HistorySummary *s)
{
	if (!s->has_money)
		argument_error("this history holds no amounts", "Build it with purchase_history(ordered_at, amount).",
					   "Expected spend needs the amount of every purchase.");
	return mean_spend(fcinfo, gg, s->x, s->x > 0 ? micro_mean(s->repeat_spend, s->x) : 0);
}

/* Not strict: without a repeat purchase there is no monetary_value, and the population mean is expected. */
PG_FUNCTION_INFO_V1(clv_expected_spend);
Datum
clv_expected_spend(PG_FUNCTION_ARGS)
{
	double		x;
	double		value;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	x = PG_GETARG_FLOAT8(1);
	if (x != 0 && PG_ARGISNULL(2))
		PG_RETURN_NULL();
	value = mean_spend(fcinfo, PG_GETARG_MODEL(0), x, PG_ARGISNULL(2) ? 0 : PG_GETARG_FLOAT8(2));
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
	value = mean_spend_of_history(fcinfo, PG_GETARG_MODEL(0), &s);
	if (isnan(value))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(value);
}

PG_FUNCTION_INFO_V1(clv_residual_value);
Datum
clv_residual_value(PG_FUNCTION_ARGS)
{
	ClvModel   *m = PG_GETARG_MODEL(0);
	PurchaseHistory *h = PG_GETARG_HISTORY(2);
	DateADT		as_of = PG_GETARG_DATEADT(3);
	const BtydModel *ops = operations_for(m, ROWS_TIMING);
	double		delta = daily_discount(fcinfo, PG_GETARG_FLOAT8(5)) * unit_of(m);
	double		margin = checked_margin(PG_GETARG_FLOAT8(6));
	double		service_cost = PG_GETARG_FLOAT8(7);
	double		t = horizon_of_dates(m, as_of, PG_GETARG_DATEADT(4));
	HistorySummary s;
	Customer	c;
	double		spend;

	if (!(isfinite(service_cost) && service_cost >= 0))
		argument_error("service_cost_per_purchase must be finite and not negative", "Give a cost as a positive amount.",
					   "service_cost_per_purchase is %g.", service_cost);
	if (!history_summary(h, as_of, &s))
		PG_RETURN_NULL();
	c = customer_of_summary(m, &s);
	spend = mean_spend_of_history(fcinfo, PG_GETARG_MODEL(1), &s);
	if (isnan(spend))
		PG_RETURN_NULL();
	return finite_result((margin * spend - service_cost) * ops->discounted_purchases(m->values, &c, delta, t), "clv");
}

PG_FUNCTION_INFO_V1(clv_new_customer_value);
Datum
clv_new_customer_value(PG_FUNCTION_ARGS)
{
	ClvModel   *m = PG_GETARG_MODEL(0);
	const BtydModel *ops = operations_for(m, ROWS_TIMING);
	double		days = PG_GETARG_FLOAT8(2);
	double		delta = daily_discount(fcinfo, PG_GETARG_FLOAT8(3)) * unit_of(m);
	double		margin = checked_margin(PG_GETARG_FLOAT8(4));
	double		spend = mean_spend(fcinfo, PG_GETARG_MODEL(1), 0, 0);

	if (!(days >= 0))
		argument_error("days must not be negative",
					   "It is the length of the period to value, counted from the first purchase.",
					   "days is %g.", days);
	if (isnan(spend))
		PG_RETURN_NULL();
	return finite_result(margin * spend *
						 (1 + ops->discounted_purchases(m->values, &new_customer, delta, days / unit_of(m))),
						 "clv_new_customer");
}
