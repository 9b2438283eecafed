/*
 * btyd_fit.c - fits: from a clv_sample to a clv_model. The same C function is the final function of
 * the fit aggregates and the function of a stored sample.
 */
#include "btyd.h"

#include <math.h>

#include "math/correlation.h"
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

/* A correlation of spend with frequency above this, if significant at 1 percent, is worth a warning. */
#define CORRELATION_LIMIT 0.2
#define CORRELATION_CONF 0.99

/* The gamma-gamma model takes what a customer spends to be independent of how often. */
static void
warn_if_spend_depends_on_frequency(const ClvSample *sample)
{
	Rows		rows = sample_rows(sample);
	Correlation c = correlate(&rows, CORRELATION_CONF);

	if (fabs(c.value) > CORRELATION_LIMIT && (c.conf_low > 0 || c.conf_high < 0))
		ereport(WARNING,
				(errmsg("customers who buy more often spend %s per purchase", c.value > 0 ? "more" : "less"),
				 errdetail("The correlation of x and monetary_value is %.2f, significant at 1 percent; "
						   "the gamma-gamma model takes them to be independent.", c.value),
				 errhint("Fit groups of customers by themselves, or look for extreme amounts; "
						 "see spend_frequency_correlation().")));
}

/* Where the rows of a kind come from. */
static const char *
sample_hint(RowKind kind)
{
	switch ((int) kind)
	{
		case ROWS_TIMING:
			return "clv_sample() makes the rows of purchase models.";
		case ROWS_SPEND:
			return "spend_sample() makes the rows of spend models.";
		case ROWS_OPPORTUNITIES:
			return "opportunity_sample() makes the rows of BG/BB models.";
		case ROWS_RENEWALS:
			return "renewal_sample() makes the rows of models of renewals.";
	}
	return NULL;
}

static ClvModel *
model_of_fit(const ModelKind *kind, const ClvSample *sample, const FitResult *fit)
{
	int			k = fit->nparams;
	ClvModel   *m = new_model(kind, (k - kind->nparams) / 2, &sample->frame, fit->has_covariance);

	m->flags |= MODEL_FITTED | (fit->status == FIT_CONVERGED ? MODEL_CONVERGED : 0);
	m->fit = (FitRecord) {
		.n = sample->n,
		.n_distinct = sample->nrows,
		.fingerprint = sample_fingerprint(sample),
		.log_likelihood = fit->log_likelihood,
		.gradient_norm = fit->gradient_norm,
		.own_weight = fit->own_weight,
		.iterations = fit->iterations,
		.fitted_by = CLV_VERSION_NUM,
	};
	memcpy(m->values, fit->theta, k * sizeof(double));
	if (fit->has_covariance)
		memcpy(m->values + k, fit->covariance, k * k * sizeof(double));
	canonicalize_model(m);
	return m;
}

static bool
needs_log_gaps(const ModelKind *kind)
{
	return kind->counts_phases;
}

bool
can_fit(const ModelKind *kind, const ClvSample *sample)
{
	Rows		rows = sample_rows(sample);

	return sample->kind == kind->reads && kind->log_likelihood != NULL &&
		(rows.ncovariates == 0 || kind->covariates != COVARIATES_NONE) &&
		!(needs_log_gaps(kind) && isnan(rows.log_gaps));
}

pg_noreturn static void refuse_sample(const ModelKind *kind, const ClvSample *sample);

static void
refuse_sample(const ModelKind *kind, const ClvSample *sample)
{
	if (sample->kind != kind->reads)
		argument_error("this sample does not fit this model", sample_hint(kind->reads),
					   "The %s model reads %s rows, the sample holds %s rows.", kind->title, row_kind_name(kind->reads),
					   row_kind_name(sample->kind));
	if (needs_log_gaps(kind) && isnan(sample_rows(sample).log_gaps))
		argument_error("the sample does not know the times between purchases",
					   "Build it from histories, or by clv_sample(x, t_x, t_cal, log_gaps).",
					   "The %s model needs the sum of their logarithms.", kind->title);
	argument_error("this model has no covariates",
				   "Fit a model of another kind, or build the sample without covariates.",
				   "The sample has %d; the %s model takes none.", sample_rows(sample).ncovariates, kind->title);
}

/* One small cohort must not stop a nightly refresh: what cannot be fitted is NULL with a WARNING. */
ClvModel *
fit_sample_with_prior(const ModelKind *kind, const ClvSample *sample, const FitPrior *prior)
{
	Rows		rows = sample_rows(sample);
	FitResult	result;
	ClvModel   *m = NULL;

	if (!can_fit(kind, sample))
		refuse_sample(kind, sample);
	btyd_fit(kind, &rows, prior, &stop_on_cancel, &result);
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
	return m;
}

void
warn_of_sample(const ClvSample *sample)
{
	if (sample->kind != ROWS_RENEWALS)	/* the days of contracts are no purchases */
		warn_if_silent_lately(sample);
	if (sample->kind == ROWS_SPEND)
		warn_if_spend_depends_on_frequency(sample);
}

ClvModel *
fit_sample(const ModelKind *kind, const ClvSample *sample)
{
	ClvModel   *m = fit_sample_with_prior(kind, sample, NULL);

	if (m != NULL)
		warn_of_sample(sample);
	return m;
}

static Datum
fit(FunctionCallInfo fcinfo, const char *name)
{
	const ModelKind *kind = model_kind_by_name(name);
	ClvModel   *m;

	if (kind == NULL)
		elog(ERROR, "no model \"%s\" in the table of models", name);
	m = fit_sample(kind, PG_GETARG_STORED_SAMPLE(0));
	if (m == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(m);
}

#define DEFINE_FIT(NAME) \
	PG_FUNCTION_INFO_V1(clv_##NAME##_fit); \
	Datum clv_##NAME##_fit(PG_FUNCTION_ARGS) \
	{ \
		return fit(fcinfo, #NAME); \
	}

DEFINE_FIT(pareto_nbd)
DEFINE_FIT(bgnbd)
DEFINE_FIT(mbgnbd)
DEFINE_FIT(bgcnbd)
DEFINE_FIT(mbgcnbd)
DEFINE_FIT(bgbb)
DEFINE_FIT(sbg)
DEFINE_FIT(bdw)
DEFINE_FIT(gamma_gamma)
