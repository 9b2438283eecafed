/*
 * projection.c - lift_projection(): what a lift of one driver is worth, by a model of churn and perhaps one of margins.
 */
#include "regression.h"

#include <math.h>

#include "btyd.h"
#include "catalog/pg_type.h"
#include "math/projection.h"
#include "utils/builtins.h"

/* Arguments of lift_projection(), in the order of its declaration. */
enum
{
	CHURN_MODEL, CUSTOMERS, DRIVER, LIFT, MARGIN, ANNUAL_DISCOUNT_RATE, PERIOD_YEARS, HORIZON, N_CUSTOMERS, COST,
	LOW, HIGH, MARGIN_MODEL, MARGIN_SHARE, COVARIANCE, CONF, ARGUMENTS
};

/* ---- models ------------------------------------------------------------------------------------ */

/* A model of a level, that is with an intercept, with nx regressors. */
static FittedModel
fitted_model(const ClvModel *m, const char *what, int nx)
{
	const ModelKind *kind = model_operations(m);

	if (model_covariates(m, kind) != nx)
		argument_error(psprintf("the number of regressors of %s is not that of the customers", what),
					   "Build the sample of the customers with the same x in the same order as the model.",
					   "The model has %d, the customers have %d.", model_covariates(m, kind), nx);
	if (isnan(m->values[0]))
		argument_error("a model within groups predicts no level", "Fit without within_moments().",
					   "The means of the groups were absorbed: %s has no intercept.", what);
	return (FittedModel) {kind, m->nparams, m->values, model_covariance(m)};
}

static FittedModel
churn_model(const ClvModel *m, int nx)
{
	const ModelKind *kind = model_operations(m);

	if (kind != &logit_model && kind != &lm_model)
		argument_error("churn_model must be a logistic or a linear model",
					   "Pass the model of logit_fit(churned, x), where churned is churn within one period.",
					   "The model is a %s model.", kind->title);
	return fitted_model(m, "churn_model", nx);
}

static FittedModel
margin_model(const ClvModel *m, int nx)
{
	const ModelKind *kind = model_operations(m);

	if (kind != &lm_model)
		argument_error("margin_model must be a linear model",
					   "Pass the model of lm_fit(margin, x), fitted to customers who stayed for the period.",
					   "The model is a %s model.", kind->title);
	return fitted_model(m, "margin_model", nx);
}

/*
 * The covariance in the argument, in place of the model's: checked as one of a model. Cells of columns whose effect
 * cannot be told are NULL, as vcov() has them, and of no use.
 */
static const double *
covariance_of_array(ArrayType *array, const ClvModel *m)
{
	const ModelKind *kind = model_operations(m);
	ClvModel   *other = new_model(kind, model_covariates(m, kind), &m->frame, true);
	double	   *covariance = other->values + m->nparams;
	int			k = m->nparams;
	const char *hint = "vcov(model) has the form that is expected.";
	Datum	   *cells;
	bool	   *nulls;
	int			n;

	if (ARR_NDIM(array) != 2 || ARR_DIMS(array)[0] != k || ARR_DIMS(array)[1] != k)
		argument_error("covariance must have a row and a column for each parameter of churn_model", hint,
					   "The model has %d, the array %d numbers in %d dimensions.", k,
					   ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)), ARR_NDIM(array));
	deconstruct_array(array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &cells, &nulls, &n);
	memcpy(other->values, m->values, k * sizeof(double));
	for (int i = 0; i < n; i++)
	{
		bool		told = !isnan(m->values[i / k]) && !isnan(m->values[i % k]);

		if (told && nulls[i])
			argument_error("covariance must not hold NULL", hint, "Row %d, column %d is.", i / k + 1, i % k + 1);
		covariance[i] = told ? DatumGetFloat8(cells[i]) : 0;
	}
	if (model_problem(other))
		argument_error(model_problem(other), hint, "It is the argument covariance.");
	return covariance;
}

/* Degrees of freedom as tidy() of the models has them; of both models together the fewest. */
static void
read_df(const ClvModel *churn, const ClvModel *margins, LiftQuestion *q)
{
	q->churn_df = model_record(churn).df;
	/* fmin() takes the number where the other is NAN */
	q->df = margins ? fmin(q->churn_df, model_record(margins).df) : q->churn_df;
}

/* ---- arguments --------------------------------------------------------------------------------- */

/* The regressors of the customers, with or without a cluster before them. */
static int
customers_regressors(const ClvSample *sample)
{
	if (sample->kind != ROWS_RESPONSE && sample->kind != ROWS_CLUSTERED)
		argument_error("the sample holds no customers with regressors",
					   "Build it with regression_sample(y, x); y is of no interest here and may be 0.",
					   "It holds %s rows.", row_kind_name(sample->kind));
	return sample_covariates(sample) - (sample->kind == ROWS_CLUSTERED);
}

static double
finite_argument(FunctionCallInfo fcinfo, int arg, const char *name)
{
	double		value = PG_GETARG_FLOAT8(arg);

	if (!isfinite(value))
		argument_error(psprintf("%s must be finite", name), "Correct the argument.", "It is %g.", value);
	return value;
}

/* Of a period that is a part of a year or several years, the annual rate as that of the period. */
static double
rate_of_period(FunctionCallInfo fcinfo)
{
	double		annual = PG_GETARG_FLOAT8(ANNUAL_DISCOUNT_RATE);
	double		years = PG_GETARG_FLOAT8(PERIOD_YEARS);

	if (!(isfinite(annual) && annual > -1))
		argument_error("annual_discount_rate must be finite and above -1", "Write 10 percent as 0.10.", "It is %g.",
					   annual);
	if (!(isfinite(years) && years > 0))
		argument_error("period_years must be finite and above 0", "Write a month as 1.0/12, a quarter as 0.25.",
					   "It is %g.", years);
	warn_if_high_rate(fcinfo, annual);
	return years == 1 ? annual : expm1(years * log1p(annual));
}

static double
checked_number_of_customers(double n)
{
	if (!(isfinite(n) && n > 0))
		argument_error("n_customers must be finite and above 0", "Leave it NULL for the customers of the sample.",
					   "It is %g.", n);
	return n;
}

static void
read_money(FunctionCallInfo fcinfo, LiftQuestion *q)
{
	q->rate = rate_of_period(fcinfo);
	q->horizon = PG_GETARG_FLOAT8(HORIZON);
	if (!(q->horizon >= 1 && (isinf(q->horizon) || q->horizon == floor(q->horizon))))
		argument_error("horizon must be a whole number of periods, 1 or more", "Use 'infinity' for no end.",
					   "It is %g.", q->horizon);
	q->cost = finite_argument(fcinfo, COST, "cost");
	if (q->cost < 0)
		argument_error("cost must not be negative", "Pass what the lift costs as a positive amount.", "It is %g.",
					   q->cost);
	if (PG_ARGISNULL(MARGIN_MODEL))
	{
		if (PG_ARGISNULL(MARGIN))
			argument_error("there is neither a margin nor a margin_model",
						   "Pass margin => what a customer brings per period (an avg() over no rows is NULL), or "
						   "margin_model => lm_fit(margin, x).", "Both are NULL.");
		q->margin = finite_argument(fcinfo, MARGIN, "margin");
	}
	else if (!PG_ARGISNULL(MARGIN))
		argument_error("there are a margin and a margin_model", "Pass margin => NULL: the model knows it by customer.",
					   "margin is %g.", PG_GETARG_FLOAT8(MARGIN));
	q->margin_share = finite_argument(fcinfo, MARGIN_SHARE, "margin_share");
}

static void
read_lift(FunctionCallInfo fcinfo, int nx, LiftQuestion *q)
{
	int			driver = PG_GETARG_INT32(DRIVER);

	if (driver < 1 || driver > nx)
		argument_error("driver must be the number of a regressor", "1 is x[1], the first number of x.",
					   "It is %d; the model has %d.", driver, nx);
	q->driver = driver - 1;
	q->lift = finite_argument(fcinfo, LIFT, "lift");
	q->low = PG_GETARG_FLOAT8(LOW);
	q->high = PG_GETARG_FLOAT8(HIGH);
	if (!(q->low < q->high))
		argument_error("low must be below high", "They are the ends of the scale of the driver.",
					   "low is %g, high is %g.", q->low, q->high);
	q->conf = checked_conf(PG_GETARG_FLOAT8(CONF));
}

/* Whether all is there: NULL is a value of n_customers and covariance, and read_money() looks at the margins. */
static bool
is_asked(FunctionCallInfo fcinfo)
{
	for (int i = 0; i < ARGUMENTS; i++)
		if (PG_ARGISNULL(i) && i != MARGIN && i != N_CUSTOMERS && i != MARGIN_MODEL && i != COVARIANCE)
			return false;
	return true;
}

/* ---- result ------------------------------------------------------------------------------------ */

static void
project(const LiftQuestion *q, const Rows *rows, LiftProjection *p)
{
	switch (project_lift(q, rows, &stop_on_cancel, p))
	{
		case LIFT_PROJECTED:
			break;
		case LIFT_STOPPED:
			stop_call("lift_projection");
		case LIFT_OFF_SCALE:
			argument_error("a customer lies outside the scale of the driver",
						   "Pass the ends of its scale as low and high; they may be infinite.",
						   "x[%d] is %g, the scale %g to %g.", q->driver + 1, p->off_scale, q->low, q->high);
		case LIFT_ENDLESS:
			range_error("the value of a customer is infinite or out of range",
						"Give a horizon, or a discount rate above 0.",
						"The discount rate is %g a period, the horizon %g periods.", q->rate, q->horizon);
	}
	if (p->beyond_share > 0)
		ereport(WARNING,
				(errmsg("the linear model puts the churn of customers beyond 0 or 1"),
				 errdetail("It was cut off there for %.3g percent of the customers.", 100 * p->beyond_share),
				 errhint("Use logit_fit() for churn_model.")));
	if (p->estimate[LIFT_CLIPPED_SHARE] == 1)
		ereport(WARNING,
				(errmsg("the lift is beyond the end of the scale for all customers"),
				 errdetail("lift is %g; the longest way of x[%d] to the end is %g: all are "
						   "projected to be there.", q->lift, q->driver + 1, p->room),
				 errhint("Write the lift on the scale of x[%d], whose ends are low and high; they may be infinite.",
						 q->driver + 1)));
}

/* Which model does not know the effect of the driver, as a static text, or NULL. */
static const char *
cannot_tell(const LiftQuestion *q)
{
	if (isnan(q->churn.theta[q->churn.model->nparams + q->driver]))
		return "the churn_model cannot tell the effect of the driver";
	if (q->margins.model && isnan(q->margins.theta[q->margins.model->nparams + q->driver]))
		return "the margin_model cannot tell the effect of the driver";
	return NULL;
}

/* A row for each quantity; all are NULL where p is. */
static Datum
result_rows(FunctionCallInfo fcinfo, const LiftProjection *p)
{
	ReturnSetInfo *result = result_set(fcinfo);

	for (int i = 0; i < LIFT_QUANTITIES; i++)
	{
		Datum		values[5] = {CStringGetTextDatum(lift_quantities[i])};
		bool		nulls[5] = {false, true, true, true, true};

		if (p)
		{
			set_number(values, nulls, 1, p->estimate[i]);
			set_number(values, nulls, 2, p->interval[i].std_error);
			set_number(values, nulls, 3, p->interval[i].conf_low);
			set_number(values, nulls, 4, p->interval[i].conf_high);
		}
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

static Datum
no_projection(FunctionCallInfo fcinfo, const char *reason)
{
	ereport(WARNING,
			(errmsg("the lift cannot be projected: %s", reason), errdetail("All results are NULL."),
			 errhint("tidy(model) shows the effects that are known, sample_info(customers) what the sample holds.")));
	return result_rows(fcinfo, NULL);
}

/* lift_projection(...): quantity, estimate, std_error, conf_low, conf_high */
PG_FUNCTION_INFO_V1(clv_impact_lift_projection);
Datum
clv_impact_lift_projection(PG_FUNCTION_ARGS)
{
	LiftQuestion q = {.margin = 0};
	LiftProjection p;
	const ClvModel *churn;
	const ClvModel *margins;
	const ClvSample *sample;
	Rows		rows;
	int			nx;

	if (!is_asked(fcinfo))
	{
		result_set(fcinfo);
		return (Datum) 0;
	}
	churn = PG_GETARG_MODEL(CHURN_MODEL);
	margins = PG_ARGISNULL(MARGIN_MODEL) ? NULL : PG_GETARG_MODEL(MARGIN_MODEL);
	sample = PG_GETARG_STORED_SAMPLE(CUSTOMERS);
	nx = customers_regressors(sample);
	/* of rows with a NULL alone it is not known how many x they had */
	if (sample->nrows == 0)
		return no_projection(fcinfo, "the sample holds no customers");
	q.churn = churn_model(churn, nx);
	if (margins)
		q.margins = margin_model(margins, nx);
	if (!PG_ARGISNULL(COVARIANCE))
		q.churn.covariance = covariance_of_array(PG_GETARG_ARRAYTYPE_P(COVARIANCE), churn);
	read_df(churn, margins, &q);
	read_lift(fcinfo, nx, &q);
	read_money(fcinfo, &q);
	q.customers = PG_ARGISNULL(N_CUSTOMERS) ? (double) sample->n :
		checked_number_of_customers(PG_GETARG_FLOAT8(N_CUSTOMERS));
	if (cannot_tell(&q))
		return no_projection(fcinfo, cannot_tell(&q));
	rows = sample_rows(sample);
	project(&q, &rows, &p);
	return result_rows(fcinfo, &p);
}
