/*
 * btyd_forecast.c - what comes next of a customer: the day of the next purchase, and a forecast in one row.
 */
#include "btyd.h"

#include <math.h>

#include "math/waiting.h"

/* ---- the next purchase ------------------------------------------------------------------------- */

/* A customer, and the day from which days are counted. */
typedef struct Waiting
{
	const ClvModel *model;
	const ModelKind *kind;
	Customer	customer;
	DateADT		first;
	DateADT		as_of;
} Waiting;

/* Probability of no purchase in (as_of, until]; until may be infinity. */
static double
silence_until(const Waiting *w, DateADT until)
{
	return w->kind->silence(w->model->values, &w->customer,
							horizon_of_dates(w->model, w->kind, w->first, w->as_of, until));
}

static double
silence_of_days(double days, void *arg)
{
	const Waiting *w = arg;

	return silence_until(w, w->as_of + (DateADT) days);
}

/*
 * The day by which the customer has bought with probability one half, given a purchase up to until, before which there
 * is none with probability `silent`. DAY_NONE where that has no day: see median_wait().
 */
static DateADT
next_purchase_day(Waiting *w, DateADT until, double silent)
{
	DateADT		last = DATE_IS_NOEND(until) ? DAY_MAX : until;
	double		days = median_wait(silence_of_days, w, silent, last - w->as_of, &stop_on_cancel);

	if (stop_on_cancel.requested(stop_on_cancel.arg))
		stop_call("the search for the next purchase");
	checked_result(days, "next_purchase");
	return days > 0 ? w->as_of + (DateADT) days : DAY_NONE;
}

/* (model, history, as_of, until); NULL before the first purchase and where a purchase is too unlikely */
PG_FUNCTION_INFO_V1(clv_next_purchase);
Datum
clv_next_purchase(PG_FUNCTION_ARGS)
{
	ClvModel   *m = PG_GETARG_MODEL(0);
	DateADT		until = PG_GETARG_DATEADT(3);
	Waiting		w = {.model = m, .kind = purchase_operations(m), .as_of = PG_GETARG_DATEADT(2)};
	HistorySummary s;
	DateADT		day;

	check_until(w.as_of, until);
	if (!customer_of_history(m, w.kind, PG_GETARG_HISTORY(1), w.as_of, &s, &w.customer))
		PG_RETURN_NULL();
	w.first = s.first;
	day = next_purchase_day(&w, until, checked_result(silence_until(&w, until), "churn_risk"));
	if (day == DAY_NONE)
		PG_RETURN_NULL();
	PG_RETURN_DATEADT(day);
}

/* ---- a forecast in one row --------------------------------------------------------------------- */

/* The columns of customer_forecast(), in the order of its declaration. */
enum
{
	FORECAST_HISTORIC_VALUE, FORECAST_PREDICTED_VALUE, FORECAST_TOTAL_VALUE, FORECAST_PREDICTED_ORDERS,
	FORECAST_AVERAGE_ORDER_VALUE, FORECAST_AVERAGE_DAYS, FORECAST_NEXT_ORDER, FORECAST_CHURN_RISK, FORECAST_COLUMNS
};

/* The last of so many days after as_of. */
static DateADT
forecast_end(DateADT as_of, double days)
{
	if (!(days >= 1 && days == floor(days) && isfinite(days)))
		argument_error("days must be a positive whole number", "It is the number of days after as_of to look ahead.",
					   "days is %g.", days);
	if (days > DAY_MAX - as_of)
		argument_error("the forecast must not reach beyond the year 9999", "Use a smaller number of days.",
					   "days is %.0f, as_of is %s.", days, day_text(as_of));
	return as_of + (DateADT) days;
}

static void
put_float8(Datum *values, bool *nulls, int column, double value)
{
	values[column] = Float8GetDatum(value);
	nulls[column] = false;
}

/* The columns of arguments none of which is NULL; they stay NULL before the first purchase. */
static void
put_forecast(FunctionCallInfo fcinfo, Datum *values, bool *nulls)
{
	ClvModel   *m = PG_GETARG_MODEL(0);
	Waiting		w = {.model = m, .kind = purchase_operations(m), .as_of = checked_day(PG_GETARG_DATEADT(3), "as_of")};
	DateADT		until = forecast_end(w.as_of, PG_GETARG_FLOAT8(4));
	HistorySummary s;
	int64		historic;
	double		orders;
	double		spend;
	double		silent;
	DateADT		next;

	if (!customer_of_history(m, w.kind, PG_GETARG_HISTORY(2), w.as_of, &s, &w.customer))
		return;
	w.first = s.first;
	spend = mean_spend(fcinfo, PG_GETARG_MODEL(1), spend_of_summary(&s));
	orders = checked_result(w.kind->expected_purchases(m->values, &w.customer,
													   horizon_of_dates(m, w.kind, s.first, w.as_of, until)),
							"predicted_orders");
	silent = checked_result(silence_until(&w, until), "churn_risk");
	next = next_purchase_day(&w, until, silent);
	historic = s.purchase_spend - s.refunded;

	values[FORECAST_HISTORIC_VALUE] = NumericGetDatum(micro_to_numeric(historic));
	nulls[FORECAST_HISTORIC_VALUE] = false;
	if (!isnan(spend))
	{
		put_float8(values, nulls, FORECAST_PREDICTED_VALUE, checked_result(orders * spend, "predicted_value"));
		put_float8(values, nulls, FORECAST_TOTAL_VALUE, micro_mean(historic, 1) + orders * spend);
	}
	put_float8(values, nulls, FORECAST_PREDICTED_ORDERS, orders);
	put_float8(values, nulls, FORECAST_AVERAGE_ORDER_VALUE, micro_mean(s.purchase_spend, s.purchases));
	if (s.x > 0)
		put_float8(values, nulls, FORECAST_AVERAGE_DAYS, (double) s.t_x / s.x);
	values[FORECAST_NEXT_ORDER] = DateADTGetDatum(next);
	nulls[FORECAST_NEXT_ORDER] = next == DAY_NONE;
	put_float8(values, nulls, FORECAST_CHURN_RISK, silent);
}

/*
 * (model, spend_model, history, as_of, days); always exactly one row, which is NULL before the first purchase or where
 * an argument is NULL. Declared as a set, so that it answers without a set's protocol.
 */
PG_FUNCTION_INFO_V1(clv_customer_forecast);
Datum
clv_customer_forecast(PG_FUNCTION_ARGS)
{
	Datum		values[FORECAST_COLUMNS] = {0};
	bool		nulls[FORECAST_COLUMNS];
	bool		known = true;

	memset(nulls, true, sizeof(nulls));
	for (int i = 0; i < 5; i++)
		known = known && !PG_ARGISNULL(i);
	if (known)
		put_forecast(fcinfo, values, nulls);
	return result_row(fcinfo, values, nulls);
}
