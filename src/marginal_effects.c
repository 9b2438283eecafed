/*
 * marginal_effects.c - what a regression says about the rows of a sample: average marginal effects, and the mean
 * response where one regressor changes.
 */
#include "regression.h"

#include <math.h>

#include "btyd.h"
#include "funcapi.h"
#include "math/inference.h"
#include "math/marginal.h"
#include "math/matrix.h"
#include "utils/builtins.h"

/* ---- arguments ----------------------------------------------------------------------------------- */

/* A model, and rows of the regressors that it has. */
typedef struct RowsQuestion
{
	const ClvModel *model;
	const ModelKind *kind;
	int			nx;
	Rows		rows;
} RowsQuestion;

/* Arguments (model, sample, ...), checked. */
static RowsQuestion
question_of_arguments(FunctionCallInfo fcinfo)
{
	RowsQuestion q = {.model = PG_GETARG_MODEL(0)};
	const ClvSample *sample = PG_GETARG_STORED_SAMPLE(1);
	bool		clustered = sample->kind == ROWS_CLUSTERED;

	q.kind = regression_operations(q.model);
	if (q.kind->slopes == NULL)
		argument_error("this needs a linear or logistic model", "Fit one with lm_fit() or logit_fit().",
					   "The model is a %s model.", q.kind->title);
	if (isnan(q.model->values[0]))
		argument_error("a model within groups predicts no level", "Fit without within_moments().",
					   "The means of the groups were absorbed: the model has no intercept.");
	if (!clustered && sample->kind != ROWS_RESPONSE)
		argument_error("the sample holds no rows of a regression", "Build it with regression_sample(y, x [, cluster]).",
					   "It holds %s rows.", row_kind_name(sample->kind));
	q.rows = sample_rows(sample);
	q.nx = model_covariates(q.model, q.kind);
	if (q.rows.n == 0)
		ereport(WARNING,
				(errmsg("the sample holds no rows"),
				 errdetail("Nothing can be averaged. The result is NULL."),
				 errhint(INT64_FORMAT " rows had a NULL and were dropped.", sample->frame.n_skipped)));
	else
		check_regressors(q.model, q.rows.ncovariates - clustered);
	return q;
}

/* ---- results ------------------------------------------------------------------------------------- */

/* Standard error and interval of a value with that gradient; NAN without a covariance, and where nothing can vary. */
static Estimate
delta_estimate(const ClvModel *m, double value, const double *gradient, double conf)
{
	const double *covariance = model_covariance(m);
	double		variance = 0;

	if (covariance)
		sandwich(gradient, 1, covariance, m->nparams, &variance);
	if (!(variance > 0))
		return (Estimate) {NAN, NAN, NAN};
	return t_estimate(value, variance, m->flags & MODEL_FITTED ? model_record(m).df : NAN, conf);
}

/* ---- marginal effects ---------------------------------------------------------------------------- */

enum EffectColumn
{
	EFFECT_TERM, EFFECT_ESTIMATE, EFFECT_STD_ERROR, EFFECT_STATISTIC, EFFECT_P_VALUE, EFFECT_CONF_LOW, EFFECT_CONF_HIGH,
	EFFECT_COLUMNS
};

static void
put_effect(ReturnSetInfo *result, const RowsQuestion *q, const MarginalEffects *effects, int j, double conf)
{
	const ClvModel *m = q->model;
	Estimate	e = delta_estimate(m, effects->effect[j], effects->gradient + j * m->nparams, conf);
	double		t = effects->effect[j] / e.std_error;
	Datum		values[EFFECT_COLUMNS];
	bool		nulls[EFFECT_COLUMNS] = {false};

	values[EFFECT_TERM] = CStringGetTextDatum(param_name(q->kind, q->nx, q->kind->nparams + j));
	set_number(values, nulls, EFFECT_ESTIMATE, effects->effect[j]);
	set_number(values, nulls, EFFECT_STD_ERROR, e.std_error);
	set_number(values, nulls, EFFECT_STATISTIC, t);
	set_number(values, nulls, EFFECT_P_VALUE,
			   isfinite(t) ? t_p_value(t, m->flags & MODEL_FITTED ? model_record(m).df : NAN) : NAN);
	set_number(values, nulls, EFFECT_CONF_LOW, e.conf_low);
	set_number(values, nulls, EFFECT_CONF_HIGH, e.conf_high);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* marginal_effects(model, sample, discrete, conf) */
PG_FUNCTION_INFO_V1(clv_regression_marginal_effects);
Datum
clv_regression_marginal_effects(PG_FUNCTION_ARGS)
{
	RowsQuestion q = question_of_arguments(fcinfo);
	double		conf = checked_conf(PG_GETARG_FLOAT8(3));
	ReturnSetInfo *result = result_set(fcinfo);
	MarginalEffects effects;

	if (!marginal_effects(q.kind, q.model->values, q.nx, &q.rows, PG_GETARG_BOOL(2), &stop_on_cancel, &effects))
		stop_call("marginal effects");
	for (int j = 0; j < q.nx; j++)
		put_effect(result, &q, &effects, j, conf);
	return (Datum) 0;
}

/* ---- changes ------------------------------------------------------------------------------------- */

enum ChangeColumn
{
	CHANGE_BEFORE, CHANGE_AFTER, CHANGE_CHANGE, CHANGE_STD_ERROR, CHANGE_CONF_LOW, CHANGE_CONF_HIGH, CHANGE_RELATIVE,
	CHANGE_CLIPPED_SHARE, CHANGE_COLUMNS
};

/* Arguments (..., i, lift, conf, low, high), checked. */
static Shift
shift_of_arguments(FunctionCallInfo fcinfo, const RowsQuestion *q)
{
	int32		i = PG_GETARG_INT32(2);
	Shift		shift = {i - 1, PG_GETARG_FLOAT8(3), PG_GETARG_FLOAT8(5), PG_GETARG_FLOAT8(6)};

	if (i < 1 || i > q->nx)
		argument_error("the model has no such regressor", "Count the regressors from 1, in the order of x.",
					   "i is %d, the model has %d.", i, q->nx);
	if (!isfinite(shift.lift) || shift.lift == 0)
		argument_error("lift must be finite and not 0", "It is added to the regressor, in its unit.", "lift is %g.",
					   shift.lift);
	if (!(shift.low < shift.high))
		argument_error("low must be below high", "They are the ends of the regressor's scale, such as 0 and 1.",
					   "low is %g, high is %g.", shift.low, shift.high);
	return shift;
}

/* NULL where the change cannot be told: true after a WARNING that says so. */
static bool
warn_of_change(const RowsQuestion *q, const Shift *shift, const MeanChange *change)
{
	const char *name = param_name(q->kind, q->nx, q->kind->nparams + shift->column);
	bool		dropped = isnan(q->model->values[q->kind->nparams + shift->column]);

	if (dropped)
		ereport(WARNING,
				(errmsg("the effect of %s cannot be told", name),
				 errdetail("Its column is constant, or a linear combination of columns before it. The result is NULL."),
				 errhint("Leave out the columns that say the same.")));
	else if (change->clipped == 1)
		ereport(WARNING,
				(errmsg("a lift of %s goes beyond the end of the scale in all rows", name),
				 errdetail("It ends there: the change is that of what is left of the lift."),
				 errhint("Compare low, high and lift with the values of the regressor.")));
	return dropped;
}

/* predicted_change(model, sample, i, lift, conf, low, high) */
PG_FUNCTION_INFO_V1(clv_regression_predicted_change);
Datum
clv_regression_predicted_change(PG_FUNCTION_ARGS)
{
	RowsQuestion q = question_of_arguments(fcinfo);
	double		conf = checked_conf(PG_GETARG_FLOAT8(4));
	Shift		shift = shift_of_arguments(fcinfo, &q);
	ReturnSetInfo *result = result_set(fcinfo);
	MeanChange	change;
	Estimate	e;
	Datum		values[CHANGE_COLUMNS];
	bool		nulls[CHANGE_COLUMNS];

	if (!mean_change(q.kind, q.model->values, q.nx, &q.rows, &shift, &stop_on_cancel, &change))
		stop_call("a predicted change");
	if (change.outside)
		argument_error("a row is outside low to high", "low and high are the ends of the regressor's scale.",
					   "x[%d] = %g, low is %g, high is %g.", shift.column + 1,
					   row_regressors(change.outside, q.nx)[shift.column], shift.low, shift.high);
	if (warn_of_change(&q, &shift, &change))
		change.after = change.change = change.clipped = NAN;
	e = delta_estimate(q.model, change.change, change.gradient_change, conf);
	set_number(values, nulls, CHANGE_BEFORE, change.before);
	set_number(values, nulls, CHANGE_AFTER, change.after);
	set_number(values, nulls, CHANGE_CHANGE, change.change);
	set_number(values, nulls, CHANGE_STD_ERROR, e.std_error);
	set_number(values, nulls, CHANGE_CONF_LOW, e.conf_low);
	set_number(values, nulls, CHANGE_CONF_HIGH, e.conf_high);
	set_number(values, nulls, CHANGE_RELATIVE, change.change / change.before);
	set_number(values, nulls, CHANGE_CLIPPED_SHARE, change.clipped);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	return (Datum) 0;
}
