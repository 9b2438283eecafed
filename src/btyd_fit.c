/*
 * btyd_fit.c - fits: from a clv_sample to a clv_model. The same C function is the final function of
 * the fit aggregates and the function of a stored sample.
 */
#include "btyd.h"

#include <math.h>

#include "miscadmin.h"

/* A purchase this many days back is recent: with none, the data may end before as_of. */
#define RECENT_DAYS 30

/*
 * Only what ends the call anyway stops a fit; other interrupts wait for its end, a look at the client's
 * connection (client_connection_check_interval) among them. ProcessInterrupts must not be called from
 * here: src/math may hold memory of GSL's.
 */
static bool
stop_requested(void *arg)
{
	if (likely(!InterruptPending))
		return false;
#if PG_VERSION_NUM >= 170000
	if (TransactionTimeoutPending)
		return true;
#endif
	return QueryCancelPending || ProcDiePending || ClientConnectionLost;
}

const FitStop stop_on_cancel = {stop_requested, NULL};

void
stop_call(const char *what)
{
	CHECK_FOR_INTERRUPTS();
	ereport(ERROR, (errcode(ERRCODE_QUERY_CANCELED), errmsg("canceling %s", what)));
	pg_unreachable();
}

static void
warn_if_silent_lately(const ClvSample *sample)
{
	const Frame *frame = &sample->frame;

	if (frame->last_day == DAY_NONE || frame->last_day > frame->as_of - RECENT_DAYS)
		return;
	ereport(WARNING,
			(errmsg("nobody bought in the %d days before as_of", RECENT_DAYS),
			 errdetail("The last purchase was on %s; silence after it counts as churn.", day_text(frame->last_day)),
			 errhint("Is the data complete up to as_of? If not, fit with the date of the last complete day.")));
}

static ClvModel *
model_of_fit(const BtydModel *kind, const ClvSample *sample, const FitResult *fit)
{
	ClvModel   *m = new_model(kind, &sample->frame, fit->has_covariance);
	int			k = kind->nparams;

	m->flags |= MODEL_FITTED | (fit->status == FIT_CONVERGED ? MODEL_CONVERGED : 0);
	m->fit = (FitRecord) {
		.n = sample->n,
		.n_distinct = sample->nrows,
		.log_likelihood = fit->log_likelihood,
		.gradient_norm = fit->gradient_norm,
		.iterations = fit->iterations,
		.fitted_by = CLV_VERSION_NUM,
	};
	memcpy(m->values, fit->theta, k * sizeof(double));
	if (fit->has_covariance)
		memcpy(m->values + k, fit->covariance, k * k * sizeof(double));
	return m;
}

/* One small cohort must not stop a nightly refresh: what cannot be fitted is NULL with a WARNING. */
ClvModel *
fit_sample(const BtydModel *kind, const ClvSample *sample)
{
	Rows		rows = sample_rows(sample);
	FitResult	result;
	ClvModel   *m = NULL;

	if (sample->kind != kind->reads)
		argument_error("this sample does not fit this model",
					   "clv_sample() makes the rows of purchase models, spend_sample() those of spend models.",
					   "The %s model reads %s rows, the sample holds %s rows.", kind->title, row_kind_name(kind->reads),
					   row_kind_name(sample->kind));

	btyd_fit(kind, &rows, NULL, &stop_on_cancel, &result);
	if (result.status == FIT_STOPPED)
		stop_call("the fit of a model");
	if (result.status != FIT_IMPOSSIBLE)
		m = model_of_fit(kind, sample, &result);
	if (m != NULL && model_problem(m) != NULL)
	{
		result.status = FIT_IMPOSSIBLE;
		result.reason = "the search for the maximum left the range of numbers";
		result.hint = "Check the data for extreme values.";
	}
	if (result.status == FIT_IMPOSSIBLE)
	{
		ereport(WARNING,
				(errmsg("the %s model cannot be fitted: %s", kind->title, result.reason),
				 errdetail(INT64_FORMAT " rows could be used, " INT64_FORMAT " not. The result is NULL.", sample->n,
						   sample->frame.n_skipped),
				 result.hint ? errhint("%s", result.hint) : 0));
		return NULL;
	}
	if (result.status == FIT_NOT_CONVERGED)
		ereport(WARNING,
				(errmsg("the fit of the %s model did not converge: %s", kind->title, result.reason),
				 errdetail("The model has converged = false; " INT64_FORMAT " rows were fitted.", sample->n),
				 result.hint ? errhint("%s", result.hint) : 0));
	warn_if_silent_lately(sample);
	return m;
}

static Datum
fit(FunctionCallInfo fcinfo, const BtydModel *kind)
{
	ClvModel   *m = fit_sample(kind, PG_GETARG_STORED_SAMPLE(0));

	if (m == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(m);
}

PG_FUNCTION_INFO_V1(clv_bgnbd_fit);
Datum
clv_bgnbd_fit(PG_FUNCTION_ARGS)
{
	return fit(fcinfo, &bgnbd_model);
}

PG_FUNCTION_INFO_V1(clv_gamma_gamma_fit);
Datum
clv_gamma_gamma_fit(PG_FUNCTION_ARGS)
{
	return fit(fcinfo, &gamma_gamma_model);
}
