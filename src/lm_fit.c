/*
 * lm_fit.c - linear regression: from moments or a sample of rows to a clv_model.
 */
#include "lm.h"

#include "btyd.h"
#include "utils/builtins.h"

ClvModel *
lm_model_of_fit(int nx, const FitResult *fit, const RegressionRecord *record, const Frame *frame, const RowsRead *read)
{
	ClvModel   *m = regression_model(&lm_model, nx, fit, record, frame, read);

	if (m && !fit->has_covariance)
		ereport(WARNING,
				(errmsg("the errors of the linear model cannot be told: %s", fit->reason),
				 errdetail("The model has errors %s: estimates without standard errors.",
						   error_kind_name(record->errors)),
				 errhint("%s", fit->hint)));
	return m;
}

Frame
frame_of_moments(const ClvMoments *m)
{
	Frame		frame = FRAME_OF_NUMBERS;

	frame.n_skipped = m->n_dropped;
	return frame;
}

/* lm_fit(moments), and the final function of lm_fit(y, x) */
PG_FUNCTION_INFO_V1(clv_lm_fit_moments);
Datum
clv_lm_fit_moments(PG_FUNCTION_ARGS)
{
	const ClvMoments *m = PG_GETARG_MOMENTS(0);
	Frame		frame = frame_of_moments(m);
	Moments		view = {0};
	FitResult	fit;
	RegressionRecord record;
	ClvModel   *model;

	moments_readable(m, &view);
	lm_fit_moments(&view, &fit, &record);
	model = lm_model_of_fit(view.nx, &fit, &record, &frame, &(RowsRead) {.n = m->n, .n_distinct = m->n});
	if (model == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(model);
}

/* The kind of errors of that name. */
static ErrorKind
errors_of_text(const text *name)
{
	const char *wanted = text_to_cstring(name);

	for (ErrorKind errors = ERRORS_MODEL; errors < ERROR_KINDS; errors++)
		if (strcmp(error_kind_name(errors), wanted) == 0)
			return errors;
	argument_error("unknown kind of errors", "Use 'model', 'HC0', 'HC1', 'HC2', 'HC3' or 'CR1'.",
				   "errors is \"%s\".", excerpt(wanted));
}

/* lm_fit(sample, errors) */
PG_FUNCTION_INFO_V1(clv_lm_fit_sample);
Datum
clv_lm_fit_sample(PG_FUNCTION_ARGS)
{
	const ClvSample *sample;
	Rows		rows;
	bool		clustered;
	ErrorKind	errors;
	FitResult	fit;
	RegressionRecord record;
	ClvModel   *model;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	sample = PG_GETARG_STORED_SAMPLE(0);
	clustered = sample->kind == ROWS_CLUSTERED;
	if (!clustered && sample->kind != ROWS_RESPONSE)
		argument_error("the sample holds no rows of a regression", "Build it with regression_sample(y, x [, cluster]).",
					   "It holds %s rows.", row_kind_name(sample->kind));
	errors = !PG_ARGISNULL(1) ? errors_of_text(PG_GETARG_TEXT_PP(1)) : clustered ? ERRORS_CR1 : ERRORS_MODEL;
	if (errors == ERRORS_CR1 && !clustered)
		argument_error("errors CR1 need clusters", "Build the sample with regression_sample(y, x, cluster).",
					   "The sample holds %s rows.", row_kind_name(sample->kind));
	rows = sample_rows(sample);
	lm_fit_rows(&rows, clustered, errors, &stop_on_cancel, &fit, &record);
	model = lm_model_of_fit(rows.ncovariates - clustered, &fit, &record, &sample->frame, &(RowsRead) {
		.n = sample->n, .n_distinct = sample->nrows, .fingerprint = sample_fingerprint(sample)
	});
	if (model == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(model);
}
