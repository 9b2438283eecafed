/*
 * btyd.c - what the functions on models share: which model, which customer, how far ahead, at what rate.
 */
#include "btyd.h"

#include <math.h>

#include "math/value.h"

/* ---- models ------------------------------------------------------------------------------------ */

void
check_no_prior(const ClvModel *m)
{
	if (unlikely(m->flags & MODEL_PRIOR))
		argument_error("a prior is no model of customers",
					   "shrink(model, prior) or shrunk_fit(sample, prior) make the model of a cohort.",
					   "It says how the parameters of " INT64_FORMAT " cohorts vary.", m->fit.n);
}

pg_noreturn static void refuse_model(const ClvModel *m, const ModelKind *kind, const char *wanted, const char *hint);

static void
refuse_model(const ClvModel *m, const ModelKind *kind, const char *wanted, const char *hint)
{
	int			ncovariates = model_covariates(m, kind);

	check_no_prior(m);
	if (wanted)
		argument_error(wanted, hint, "The model is a %s model.", kind->title);
	argument_error("this model needs the covariates of the customer",
				   "Pass with_covariates(model, covariates) in its place.",
				   "It has the effects of %d covariate%s.", ncovariates, ncovariates == 1 ? "" : "s");
}

static inline bool
is_ready(const ClvModel *m, const ModelKind *kind)
{
	return m->nparams == kind->nparams && !(m->flags & MODEL_PRIOR);
}

const ModelKind *
purchase_operations(const ClvModel *m)
{
	const ModelKind *kind = model_operations(m);
	bool		reads = kind->reads == ROWS_TIMING || kind->reads == ROWS_OPPORTUNITIES;

	if (unlikely(!reads || !is_ready(m, kind)))
		refuse_model(m, kind, reads ? NULL : "this needs a purchase model",
					 "Pass a model from pareto_nbd_fit(), bgnbd_fit() or another fit to purchases.");
	return kind;
}

const ModelKind *
renewal_operations(const ClvModel *m)
{
	const ModelKind *kind = model_operations(m);
	bool		reads = kind->reads == ROWS_RENEWALS;

	if (unlikely(!reads || !is_ready(m, kind)))
		refuse_model(m, kind, reads ? NULL : "this needs a model of renewals",
					 "Pass a model from sbg_fit() or bdw_fit().");
	return kind;
}

const ModelKind *
spend_operations(const ClvModel *m)
{
	const ModelKind *kind = model_operations(m);
	bool		reads = kind->reads == ROWS_SPEND;

	if (unlikely(!reads || !is_ready(m, kind)))
		refuse_model(m, kind, reads ? NULL : "this needs a spend model", "Pass a model from gamma_gamma_fit().");
	return kind;
}

double
unit_of(const ClvModel *m)
{
	if (m->frame.unit_days == 0)
		argument_error("the model has no time unit, so dates cannot be used with it",
					   "Fit it from histories, or name the unit: bgnbd_model(r, alpha, a, b, 'week').",
					   "It was fitted to, or typed in as, raw numbers.");
	return m->frame.unit_days;
}

/* ---- questions about one customer ------------------------------------------------------------------ */

Customer
customer_of_numbers(FunctionCallInfo fcinfo, const ModelKind *kind, int first_arg)
{
	double		row[3] = {PG_GETARG_FLOAT8(first_arg), PG_GETARG_FLOAT8(first_arg + 1),
	PG_GETARG_FLOAT8(first_arg + 2)};

	check_row(kind->reads, row);
	return (Customer) {row[0], row[1], row[2]};
}

bool
customer_of_history(const ClvModel *m, const ModelKind *kind, const PurchaseHistory *h, DateADT as_of,
					HistorySummary *s, Customer *c)
{
	double		unit = unit_of(m);

	if (!history_summary(h, as_of, s))
		return false;
	if (kind->reads == ROWS_OPPORTUNITIES)
		return history_opportunities(h, as_of, unit, &c->x, &c->t_x, &c->t_cal);
	*c = (Customer) {s->x, s->t_x / unit, s->tenure / unit};
	return true;
}

double
checked_horizon(const ModelKind *kind, double t)
{
	if (!(t >= 0))
		argument_error("the horizon must not be negative", "t is a length of time in the model's unit, or infinity.",
					   "t is %g.", t);
	if (kind->reads == ROWS_OPPORTUNITIES && t != floor(t))
		argument_error("the horizon must be a whole number", "t counts opportunities to buy.",
					   "t is %g, the model a %s model.", t, kind->title);
	if (kind->reads == ROWS_OPPORTUNITIES && t > ROWS_MOST_OPPORTUNITIES && isfinite(t))
		argument_error("the horizon must not exceed 1 million opportunities",
					   "Use 'infinity' for no end, or count opportunities in longer periods of time.", "t is %.0f.", t);
	return t;
}

void
check_until(DateADT as_of, DateADT until)
{
	checked_day(as_of, "as_of");
	if (!DATE_IS_NOEND(until) && checked_day(until, "until") < as_of)
		argument_error("until must not be before as_of", "Predictions cover the days after as_of up to until.",
					   "as_of is %s, until is %s.", day_text(as_of), day_text(until));
}

double
horizon_of_dates(const ClvModel *m, const ModelKind *kind, DateADT first, DateADT as_of, DateADT until)
{
	double		unit = unit_of(m);

	if (DATE_IS_NOEND(until))
		return INFINITY;
	/* the customer's opportunities end whole units after the first purchase */
	if (kind->reads == ROWS_OPPORTUNITIES)
		return floor((until - first) / unit) - floor((as_of - first) / unit);
	return (until - as_of) / unit;
}

Question
question_of_numbers(FunctionCallInfo fcinfo, const ModelKind *kind, int nargs)
{
	Question	q = {customer_of_numbers(fcinfo, kind, 1), 0};

	if (nargs > 4)
		q.t = checked_horizon(kind, PG_GETARG_FLOAT8(4));
	return q;
}

bool
question_of_dates(FunctionCallInfo fcinfo, const ClvModel *m, const ModelKind *kind, int nargs, Question *q)
{
	DateADT		as_of = checked_day(PG_GETARG_DATEADT(2), "as_of");
	HistorySummary s;

	if (nargs > 3)
		check_until(as_of, PG_GETARG_DATEADT(3));
	if (!customer_of_history(m, kind, PG_GETARG_HISTORY(1), as_of, &s, &q->customer))
		return false;
	q->t = nargs > 3 ? horizon_of_dates(m, kind, s.first, as_of, PG_GETARG_DATEADT(3)) : 0;
	return true;
}

double
checked_result(double value, const char *what)
{
	if (unlikely(!isfinite(value)))
		range_error("the value is infinite or out of range", "Use a finite horizon or a higher discount rate.",
					"%s came out as %s.", what, isnan(value) ? "no number" : "infinite");
	return value + 0.0;			/* -0 is 0 */
}

/* ---- money ------------------------------------------------------------------------------------- */

double
daily_discount(FunctionCallInfo fcinfo, double annual_rate)
{
	if (!(isfinite(annual_rate) && annual_rate > -1))
		argument_error("annual_discount_rate must be finite and above -1", "Write 10 percent as 0.10.",
					   "annual_discount_rate is %g.", annual_rate);
	warn_if_high_rate(fcinfo, annual_rate);
	return log1p(annual_rate) / DISCOUNT_YEAR_DAYS;
}

double
checked_margin(double margin)
{
	if (!(margin >= 0 && margin <= 1))
		argument_error("margin must be between 0 and 1", "Write a margin of 30 percent as 0.30.",
					   "margin is %g.", margin);
	return margin;
}

double
checked_service_cost(double service_cost)
{
	if (!(isfinite(service_cost) && service_cost >= 0))
		argument_error("service_cost_per_purchase must be finite and not negative", "Give a cost as a positive amount.",
					   "service_cost_per_purchase is %g.", service_cost);
	return service_cost;
}

SpendKnown
spend_of_summary(const HistorySummary *s)
{
	if (!s->has_money)
		argument_error("this history holds no amounts", "Build it with purchase_history(ordered_at, amount).",
					   "Expected spend needs the amount of every purchase.");
	return (SpendKnown) {s->x, s->x > 0 ? micro_mean(s->repeat_spend, s->x) : 0};
}

double
mean_spend(FunctionCallInfo fcinfo, const ClvModel *gg, SpendKnown known)
{
	const ModelKind *kind = spend_operations(gg);
	double		row[2] = {known.x, known.mean};
	double		value;

	check_row(ROWS_SPEND, row);
	value = kind->expected_spend(gg->values, known.x, known.mean);
	if (isinf(value) || (isnan(value) && gg->values[1] > 1))
		range_error("expected_spend is out of range",
					"Check the amounts, and the parameters of the spend model: they are far too large.",
					"x = %g, monetary_value = %g; the mean amount of the model is %g * %g / (%g - 1).", known.x,
					known.mean, gg->values[0], gg->values[2], gg->values[1]);
	if (isnan(value) && first_warning(fcinfo, WARNED_OF_SPEND))
		ereport(WARNING,
				(errmsg("the %s model has no population mean, the result is NULL", kind->title),
				 errdetail("Its parameter q is %g; the mean exists for q above 1 only.", gg->values[1]),
				 errhint("Fit the spend model to more customers, or cap extreme amounts.")));
	return value;
}
