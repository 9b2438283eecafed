/*
 * lm_fit.c - linear regression: from moments or a sample of rows to a clv_model.
 */
#include "lm.h"

#include "btyd.h"

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

	moments_readable(m, &view);
	lm_fit_moments(&view, &fit, &record);
	return model_result(fcinfo, lm_model_of_fit(view.nx, &fit, &record, &frame,
												&(RowsRead) {.n = m->n, .n_distinct = m->n}));
}

/* All of them. */
#define LM_ERRORS ((1u << ERROR_KINDS) - 1)

/* lm_fit(sample, errors), errors may be NULL */
PG_FUNCTION_INFO_V1(clv_lm_fit_sample);
Datum
clv_lm_fit_sample(PG_FUNCTION_ARGS)
{
	SampleToFit s;
	FitResult	fit;
	RegressionRecord record;
	RowsRead	read;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	s = sample_to_fit(&lm_model, checked_regression_sample(PG_GETARG_STORED_SAMPLE(0)), LM_ERRORS,
					  PG_ARGISNULL(1) ? NULL : PG_GETARG_TEXT_PP(1));
	lm_fit_rows(&s.rows, s.clustered, s.errors, &stop_on_cancel, &fit, &record);
	read = rows_read(s.sample);
	return model_result(fcinfo, lm_model_of_fit(s.nx, &fit, &record, &s.sample->frame, &read));
}
