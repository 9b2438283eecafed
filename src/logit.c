/*
 * logit.c - logistic regression: from a sample of rows to a clv_model, and its probabilities.
 */
#include "regression.h"

#include "btyd.h"
#include "math/logit.h"
#include "utils/builtins.h"

/* ---- fits ---------------------------------------------------------------------------------------- */

static LogitMethod
method_of_text(const text *name)
{
	const char *wanted = text_to_cstring(name);

	if (strcmp(wanted, "ml") == 0)
		return LOGIT_ML;
	if (strcmp(wanted, "firth") == 0)
		return LOGIT_FIRTH;
	argument_error("unknown method", "Use 'ml' (maximum likelihood) or 'firth' (Firth's penalised likelihood).",
				   "method is \"%s\".", excerpt(wanted));
}

#define LOGIT_ERRORS (1u << ERRORS_MODEL | 1u << ERRORS_HC0 | 1u << ERRORS_HC1 | 1u << ERRORS_CR1)

/* "x1, x4" */
static const char *
involved_columns(const LogitFit *fit, int nx)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int j = 0; j < nx; j++)
		if (fit->involved[j])
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", param_name(&logit_model, nx, 1 + j));
	return names.data;
}

/* The reason and hint of a fit that is impossible, with the names of the columns. */
static void
name_columns(LogitFit *fit, int nx, bool clustered)
{
	FitResult  *result = &fit->result;

	if (fit->out_of_range > 0)
		result->reason = psprintf("the numbers of %s are too large or too small",
								  param_name(&logit_model, nx, fit->out_of_range));
	else if (fit->separated)
	{
		const char *names = involved_columns(fit, nx);

		result->reason = psprintf("%s%s settles y in %s rows (%s separation)",
								  strchr(names, ',') ? "a combination of " : "", names,
								  fit->completely ? "all" : "some", fit->completely ? "complete" : "quasi-complete");
		result->hint = psprintf("The effects run off to infinity; logit_fit(sample, 'firth'%s) has finite ones. "
								"Or leave out, or join with others, values that few rows have.",
								clustered ? ", 'model'" : "");
	}
}

static Datum
fit_sample_by(FunctionCallInfo fcinfo, const ClvSample *sample, LogitMethod method, const text *errors)
{
	SampleToFit s = sample_to_fit(&logit_model, checked_regression_sample(sample), LOGIT_ERRORS, errors);
	RowsRead	read = rows_read(sample);
	LogitFit	fit;

	/* where events are separated the residuals, and what is made of them, vanish */
	if (method == LOGIT_FIRTH && s.errors != ERRORS_MODEL)
		argument_error("Firth's method has the errors of the model only",
					   "logit_fit(sample, 'firth', 'model') takes the rows to be independent, also within clusters.",
					   "The errors asked for, or those of a sample with clusters, are %s.", error_kind_name(s.errors));
	logit_fit(&s.rows, s.clustered, method, s.errors, &stop_on_cancel, &fit);
	if (fit.wrong)
		argument_error("y must be 0 or 1", "Pass whether the event happened, as a boolean.",
					   "y = %g; so many rows of these x: %.0f.", fit.wrong[0], row_count(&s.rows, fit.wrong));
	name_columns(&fit, s.nx, s.clustered);
	return model_result(fcinfo, regression_model(&logit_model, s.nx, &fit.result, &fit.record, &sample->frame, &read));
}

/* logit_fit(sample, method, errors), errors NULL: CR1 with clusters, else model */
PG_FUNCTION_INFO_V1(clv_logit_fit);
Datum
clv_logit_fit(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	return fit_sample_by(fcinfo, PG_GETARG_STORED_SAMPLE(0), method_of_text(PG_GETARG_TEXT_PP(1)),
						 PG_ARGISNULL(2) ? NULL : PG_GETARG_TEXT_PP(2));
}

/* The final function of the aggregates logit_fit(y, x [, cluster]). */
PG_FUNCTION_INFO_V1(clv_logit_fit_final);
Datum
clv_logit_fit_final(PG_FUNCTION_ARGS)
{
	return fit_sample_by(fcinfo, PG_GETARG_STORED_SAMPLE(0), LOGIT_ML, NULL);
}

/* ---- predictions --------------------------------------------------------------------------------- */

/* churn_risk(model, x) */
PG_FUNCTION_INFO_V1(clv_logit_churn_risk);
Datum
clv_logit_churn_risk(PG_FUNCTION_ARGS)
{
	ClvModel   *m = PG_GETARG_MODEL(0);
	const ModelKind *kind = regression_operations(m);
	double		x[ROWS_MAX_REGRESSORS];
	int			nx = regressors_of_array(PG_GETARG_DATUM(1), x);

	if (kind != &logit_model)
		argument_error("this needs a logistic model", "Fit one with logit_fit(churned, x), or use predict(model, x).",
					   "The model is a %s model.", kind->title);
	if (nx < 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(regression_prediction(m, x, nx));
}
