/*
 * btyd_explain.c - the value of one customer step by step: what clv() multiplies, and where each of it comes from.
 */
#include "btyd.h"

#include <math.h>

#include "funcapi.h"
#include "utils/builtins.h"

typedef struct Explanation
{
	ReturnSetInfo *rsinfo;
	int32		step;
	const ClvModel *model;
	const ClvModel *spend_model;
	ValueQuestion value;
	HistorySummary summary;
	DateADT		as_of;
	DateADT		until;
	double		annual_rate;
} Explanation;

/* The next step; a value that is infinite or does not exist is NULL. */
static void
put_step(Explanation *e, const char *quantity, double value, const char *note)
{
	Datum		values[4] = {Int32GetDatum(++e->step), CStringGetTextDatum(quantity), Float8GetDatum(value + 0.0),
	CStringGetTextDatum(note)};
	bool		nulls[4] = {false, false, !isfinite(value), false};

	tuplestore_putvalues(e->rsinfo->setResult, e->rsinfo->setDesc, values, nulls);
}

static void
put_times(Explanation *e)
{
	const Customer *c = &e->value.question.customer;
	const char *unit = unit_name(e->model->frame.unit_days);
	const char *first = day_text(e->summary.first);
	const char *as_of = day_text(e->as_of);

	if (e->value.purchases->reads == ROWS_OPPORTUNITIES)
	{
		put_step(e, "repeat purchases", c->x,
				 psprintf("opportunities taken after the first purchase on %s, one opportunity a %s", first, unit));
		put_step(e, "last purchase", c->t_x, "the last opportunity taken, 0 without one");
		put_step(e, "age", c->t_cal, psprintf("opportunities up to %s", as_of));
		return;
	}
	put_step(e, "repeat purchases", c->x, psprintf("purchase days after the first, %s, up to %s", first, as_of));
	put_step(e, "last purchase", c->t_x,
			 psprintf("%ss from the first purchase to the last, %s", unit, day_text(e->summary.last)));
	put_step(e, "age", c->t_cal, psprintf("%ss from the first purchase to %s", unit, as_of));
}

/* Answers the number of purchases expected, which may be infinite. */
static double
put_purchases(Explanation *e)
{
	const ModelKind *kind = e->value.purchases;
	const Question *q = &e->value.question;
	const char *as_of = day_text(e->as_of);
	double		alive = checked_result(kind->p_alive(e->model->values, &q->customer, 0), "p_alive");
	double		expected = kind->expected_purchases(e->model->values, &q->customer, q->t);
	const char *note;

	if (kind->reads == ROWS_OPPORTUNITIES)
		note = psprintf("%s: chance of not having left by the first opportunity after %s", kind->title, as_of);
	else if (kind->begins_alive && q->customer.x == 0)
		note = psprintf("%s: 1 without a repeat purchase, however long the silence; see churn_risk()", kind->title);
	else
		note = psprintf("%s: chance of not having left by %s", kind->title, as_of);
	put_step(e, "P(alive)", alive, note);

	if (isinf(expected))
		note = psprintf("infinite: after %s, without end", as_of);
	else if (DATE_IS_NOEND(e->until))
		note = psprintf("after %s, without end", as_of);
	else
		note = psprintf("after %s, up to %s", as_of, day_text(e->until));
	put_step(e, "expected purchases", isinf(expected) ? expected : checked_result(expected, "expected_purchases"), note);
	return expected;
}

static void
put_spend(Explanation *e)
{
	const ClvModel *gg = e->spend_model;
	const ModelKind *kind = spend_operations(gg);
	SpendKnown	known = e->value.known;
	double		weight = kind->spend_weight(gg->values, known.x);
	const char *note;

	if (known.x > 0)
		put_step(e, "own mean", known.mean, psprintf("mean amount of %.0f repeat purchase%s", known.x,
													 known.x == 1 ? "" : "s"));
	else
		put_step(e, "own mean", NAN, "no repeat purchase");
	if (isnan(weight))
	{
		put_step(e, "population mean", NAN, psprintf("does not exist: q = %.4g is not above 1", gg->values[1]));
		put_step(e, "weight of own mean", NAN, "none without a population mean");
		note = known.x > 0 ? "p * (x * own mean + v) / (p * x + q - 1)" : "not known without a population mean";
	}
	else
	{
		put_step(e, "population mean", kind->expected_spend(gg->values, 0, 0),
				 psprintf("p * v / (q - 1): p = %.4g, q = %.4g, v = %.4g", gg->values[0], gg->values[1],
						  gg->values[2]));
		put_step(e, "weight of own mean", weight, psprintf("p * x / (p * x + q - 1), x = %.0f", known.x));
		note = known.x > 0 ? "weight * own mean + (1 - weight) * population mean" : "population mean";
	}
	put_step(e, "expected spend", e->value.spend, note);
}

static void
put_value(Explanation *e, double expected)
{
	const ValueQuestion *q = &e->value;
	const double *theta = e->model->values;
	double		discounted = checked_result(q->purchases->discounted_purchases(theta, &q->question.customer, q->delta,
																			   q->question.t),
											"discounted_purchases");
	bool		no_spend = isnan(q->spend);

	if (isinf(expected))
		put_step(e, "discount", NAN, "not known: expected purchases are infinite");
	else if (expected == 0)
		put_step(e, "discount", NAN, "no purchase to discount");
	else
		put_step(e, "discount", discounted / expected,
				 psprintf("discounted purchases / expected purchases, at %g a year", e->annual_rate));
	put_step(e, "discounted purchases", discounted,
			 psprintf("each discounted to %s by its own time", day_text(e->as_of)));
	put_step(e, "margin", q->margin, "share of revenue that is kept");
	put_step(e, "service cost", q->service_cost, "per purchase");
	put_step(e, "contribution", contribution_of_purchase(q, q->spend),
			 no_spend ? "not known without expected spend" : "of a purchase: margin * expected spend - service cost");
	put_step(e, "value", no_spend ? NAN : checked_result(value_of_purchases(q, theta, q->spend), "clv"),
			 no_spend ? "not known without expected spend" : "discounted purchases * contribution = clv()");
}

/*
 * (model, spend_model, history, as_of, until, annual_discount_rate, margin, service_cost_per_purchase): no rows before
 * the first purchase
 */
PG_FUNCTION_INFO_V1(clv_explain);
Datum
clv_explain(PG_FUNCTION_ARGS)
{
	Explanation e = {
		.rsinfo = result_set(fcinfo),
		.model = PG_GETARG_MODEL(0),
		.spend_model = PG_GETARG_MODEL(1),
		.as_of = PG_GETARG_DATEADT(3),
		.until = PG_GETARG_DATEADT(4),
		.annual_rate = PG_GETARG_FLOAT8(5),
	};
	double		expected;

	if (!value_question(fcinfo, e.model, e.spend_model, &e.value) && !isnan(e.value.spend))
		return (Datum) 0;
	history_summary(PG_GETARG_HISTORY(2), e.as_of, &e.summary);
	put_times(&e);
	expected = put_purchases(&e);
	put_spend(&e);
	put_value(&e, expected);
	return (Datum) 0;
}
