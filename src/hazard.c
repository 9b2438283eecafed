/*
 * hazard.c - fits and predictions of the discrete-time hazard.
 */
#include "survival_regression.h"

#include <math.h>

#include "btyd.h"
#include "math/hazard.h"

/* ---- fits ---------------------------------------------------------------------------------------- */

static void
check_periods_of_rows(const Rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
	{
		const double *row = rows_at(rows, i);

		if (is_hazard_row(row))
			continue;
		argument_error(row[SURVIVAL_TENURE] > HAZARD_MOST_PERIODS ? "there are too many periods"
					   : "entry and tenure must be whole numbers of periods",
					   row[SURVIVAL_TENURE] > HAZARD_MOST_PERIODS ?
					   "Use a longer unit, such as months: at most " CppAsString2(HAZARD_MOST_PERIODS) " periods."
					   : "The event happens in period tenure = 1, 2, ...: round up. For times that are no periods see "
					   "cox_fit().",
					   "entry = %.15g, tenure = %.15g.", row[SURVIVAL_ENTRY], row[SURVIVAL_TENURE]);
	}
}

static Datum
fit_hazard(FunctionCallInfo fcinfo, const ClvSample *sample, const text *errors)
{
	SurvivalFit f;

	if (begin_survival_fit(&f, &hazard_model, sample, errors))
	{
		check_periods_of_rows(&f.read.rows);
		hazard_fit(&f.read.rows, f.read.clustered, f.read.errors, &stop_on_cancel, &f.fit, &f.record, &f.report);
	}
	return model_result(fcinfo, end_survival_fit(&f));
}

/* (sample, errors): errors may be NULL */
PG_FUNCTION_INFO_V1(clv_survival_hazard_fit);
Datum
clv_survival_hazard_fit(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	return fit_hazard(fcinfo, PG_GETARG_STORED_SAMPLE(0), PG_ARGISNULL(1) ? NULL : PG_GETARG_TEXT_PP(1));
}

/* The final function of the aggregates. */
PG_FUNCTION_INFO_V1(clv_survival_hazard_final);
Datum
clv_survival_hazard_final(PG_FUNCTION_ARGS)
{
	return fit_hazard(fcinfo, PG_GETARG_STORED_SAMPLE(0), NULL);
}

/* ---- predictions --------------------------------------------------------------------------------- */

/* Predictions run over the periods one by one, for a tenth of a second at most. */
#define MOST_PREDICTED_PERIODS 1000000

static double
checked_period(double value, double least, const char *name)
{
	if (!(value >= least && value <= MOST_PREDICTED_PERIODS && value == floor(value)))
		argument_error(psprintf("%s must be a whole number from %g to %d", name, least, MOST_PREDICTED_PERIODS),
					   "It counts periods of the unit of tenure in the fit.", "%s is %.15g.", name, value);
	return value;
}

/* Who is asked about: arguments (model, x). False where x has a NULL. */
typedef struct Asked
{
	const ClvModel *model;
	int			nx;
	double		x[ROWS_MAX_REGRESSORS];
} Asked;

static bool
asked_about(FunctionCallInfo fcinfo, Asked *a)
{
	a->model = PG_GETARG_MODEL(0);
	if (a->model->code != hazard_model.code)
		argument_error("this needs a model of hazards", "Pass a model from hazard_fit().", "The model is a %s model.",
					   model_operations(a->model)->title);
	a->nx = regressors_of_array(PG_GETARG_DATUM(1), a->x);
	if (a->nx < 0)
		return false;
	check_regressors(a->model, a->nx);
	return true;
}

/* Logarithm of the probability of staying from the end of one period to that of another: -infinity if nobody does. */
static double
log_survival(const Asked *a, double from, double to)
{
	double		value = hazard_log_survival(a->model->values, a->x, a->nx, from, to, &stop_on_cancel);

	return isnan(value) ? checked_prediction(a->model, value) : value;
}

/* (model, x, period) */
PG_FUNCTION_INFO_V1(clv_survival_hazard);
Datum
clv_survival_hazard(PG_FUNCTION_ARGS)
{
	Asked		a;
	double		period;

	if (!asked_about(fcinfo, &a))
		PG_RETURN_NULL();
	period = checked_period(PG_GETARG_FLOAT8(2), 1, "period");
	PG_RETURN_FLOAT8(checked_prediction(a.model, hazard_model.response(hazard_predictor(a.model->values, a.x, a.nx,
																						period))));
}

/* (model, x, periods) */
PG_FUNCTION_INFO_V1(clv_survival_of_x);
Datum
clv_survival_of_x(PG_FUNCTION_ARGS)
{
	Asked		a;

	if (!asked_about(fcinfo, &a))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(exp(log_survival(&a, 0, checked_period(PG_GETARG_FLOAT8(2), 0, "periods"))));
}

/* (model, x, tenure, periods) */
PG_FUNCTION_INFO_V1(clv_survival_churn_risk);
Datum
clv_survival_churn_risk(PG_FUNCTION_ARGS)
{
	Asked		a;
	double		tenure;
	double		periods;

	if (!asked_about(fcinfo, &a))
		PG_RETURN_NULL();
	tenure = checked_period(PG_GETARG_FLOAT8(2), 0, "tenure");
	periods = checked_period(PG_GETARG_FLOAT8(3), 0, "periods");
	PG_RETURN_FLOAT8(-expm1(log_survival(&a, tenure, tenure + periods)) + 0.0);
}

/* (model, x, discount_rate, periods) */
PG_FUNCTION_INFO_V1(clv_survival_expected_lifetime);
Datum
clv_survival_expected_lifetime(PG_FUNCTION_ARGS)
{
	double		rate = PG_GETARG_FLOAT8(2);
	double		value;
	Asked		a;

	if (!asked_about(fcinfo, &a))
		PG_RETURN_NULL();
	if (!(isfinite(rate) && rate >= 0))
		argument_error("discount_rate must be finite and not negative",
					   "It is the rate per period: write 10 percent as 0.10, 0 for none.",
					   "discount_rate is %g.", rate);
	value = hazard_expected_lifetime(a.model->values, a.x, a.nx, rate,
									 checked_period(PG_GETARG_FLOAT8(3), 1, "periods"), &stop_on_cancel);
	PG_RETURN_FLOAT8(checked_prediction(a.model, value));
}
