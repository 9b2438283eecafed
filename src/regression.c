/*
 * regression.c - what the regressions share: arguments x and cluster, the model that a fit becomes, its terms and
 * predictions.
 */
#include "regression.h"

#include <math.h>

#include "btyd.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* ---- arguments --------------------------------------------------------------------------------- */

int
regressors_of_array(Datum datum, double *x)
{
	ArrayType  *array = DatumGetArrayTypeP(datum);
	const char *hint = "Pass one array of 1 to " CppAsString2(ROWS_MAX_REGRESSORS) " numbers for each row.";
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));

	Assert(ARR_ELEMTYPE(array) == FLOAT8OID);
	if (ARR_NDIM(array) > 1)
		argument_error("x must be a one-dimensional array", hint, "It has %d dimensions.", ARR_NDIM(array));
	if (n == 0)
		argument_error("x must not be empty", hint, "The array has no elements.");
	if (n > ROWS_MAX_REGRESSORS)
		argument_error("too many regressors", hint, "The array has %d elements.", n);
	if (array_contains_nulls(array))
		n = -1;
	else
		memcpy(x, ARR_DATA_PTR(array), n * sizeof(double));
	for (int i = 0; i < n; i++)
		if (!isfinite(x[i]))
			argument_error("regressors must be finite",
						   "Leave out or correct rows that are NaN or infinite; an unknown number is NULL.",
						   "Number %d is %g.", i + 1, x[i]);
	/* called once a row: the copy that detoasting may have made is not kept until the end of the group */
	if ((Pointer) array != DatumGetPointer(datum))
		pfree(array);
	return n;
}

double
cluster_of_bigint(Datum datum)
{
	int64		cluster = DatumGetInt64(datum);

	if (cluster > (int64) MAX_COUNT || cluster < -(int64) MAX_COUNT)
		argument_error("the number of a cluster is too large", "Pass the cluster as text: cluster::text.",
					   "It is " INT64_FORMAT "; at most 2^53 can be told apart.", cluster);
	return (double) cluster;
}

double
cluster_of_text(Datum datum)
{
	const text *cluster = DatumGetTextPP(datum);
	uint64		hash = hash_bytes_extended((const unsigned char *) VARDATA_ANY(cluster), VARSIZE_ANY_EXHDR(cluster), 0);

	return (double) (hash >> 11);
}

double
number_of_float8(Datum value)
{
	return DatumGetFloat8(value);
}

double
number_of_boolean(Datum value)
{
	return DatumGetBool(value);
}

const ModelKind *
regression_operations(const ClvModel *m)
{
	const ModelKind *kind = model_operations(m);

	if (!is_regression(kind))
		argument_error("this needs a regression", "Pass a model from lm_fit(), logit_fit(), hazard_fit() or cox_fit().",
					   "The model is a %s model.", kind->title);
	return kind;
}

void
check_regressors(const ClvModel *m, int nx)
{
	int			known = model_covariates(m, regression_operations(m));

	if (nx != known)
		argument_error("the number of regressors is not that of the model",
					   "Pass one number for each regressor, in the order of the fit.",
					   "The model has %d, the array %d.", known, nx);
}

/* ---- samples ----------------------------------------------------------------------------------- */

const ClvSample *
checked_regression_sample(const ClvSample *sample)
{
	if (sample->kind != ROWS_RESPONSE && sample->kind != ROWS_CLUSTERED)
		argument_error("the sample holds no rows of a regression", "Build it with regression_sample(y, x [, cluster]).",
					   "It holds %s rows.", row_kind_name(sample->kind));
	return sample;
}

RowsRead
rows_read(const ClvSample *stored)
{
	return (RowsRead) {stored->n, stored->nrows, sample_fingerprint(stored)};
}

/* "'model', 'HC0' or 'CR1'" */
static const char *
known_errors(unsigned known)
{
	StringInfoData names;

	initStringInfo(&names);
	for (ErrorKind errors = ERRORS_MODEL; errors < ERROR_KINDS; errors++)
		if (known & 1u << errors)
			appendStringInfo(&names, "%s'%s'", names.len == 0 ? "" : known >> errors > 1 ? ", " : " or ",
							 error_kind_name(errors));
	return names.data;
}

static ErrorKind
errors_of_text(const ModelKind *kind, unsigned known, const text *name)
{
	const char *wanted = text_to_cstring(name);

	for (ErrorKind errors = ERRORS_MODEL; errors < ERROR_KINDS; errors++)
		if ((known & 1u << errors) && strcmp(error_kind_name(errors), wanted) == 0)
			return errors;
	argument_error("the model has no such errors",
				   psprintf("Use %s; CR1 needs rows with clusters.", known_errors(known)),
				   "errors is \"%s\"; the model is a %s model.", excerpt(wanted), kind->title);
}

SampleToFit
sample_to_fit(const ModelKind *kind, const ClvSample *sample, unsigned known, const text *errors)
{
	SampleToFit s = {.sample = sample, .rows = sample_rows(sample), .clustered = sample_clustered(sample)};

	s.nx = s.rows.ncovariates - s.clustered;
	s.errors = errors ? errors_of_text(kind, known, errors) : s.clustered ? ERRORS_CR1 : ERRORS_MODEL;
	if (s.errors == ERRORS_CR1 && !s.clustered)
		argument_error("errors CR1 need clusters", kind->reads == ROWS_SURVIVAL ?
					   "Build the sample with survival_sample(tenure, event, x, entry, cluster)."
					   : "Build the sample with regression_sample(y, x, cluster).",
					   "The sample holds %s rows.", row_kind_name(sample->kind));
	return s;
}

/* ---- models ------------------------------------------------------------------------------------ */

/* The names of those of parameters [first, end) that cannot be told, NULL if there are none. */
static const char *
unknown_params(const ClvModel *m, const ModelKind *kind, int first, int end)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = first; i < end; i++)
		if (isnan(m->values[i]))
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", param_name(kind, model_covariates(m, kind), i));
	return names.len > 0 ? names.data : NULL;
}

static void
warn_of_fit(const ClvModel *m, const ModelKind *kind, const FitResult *fit)
{
	const char *baseline = unknown_params(m, kind, Min(1, kind->nparams), kind->nparams);
	const char *dropped = unknown_params(m, kind, kind->nparams, m->nparams);

	if (baseline)
		ereport(WARNING,
				(errmsg("the %s model has too few different periods for %s", kind->title, baseline),
				 errdetail("The curve of the log odds in ln(period) takes two periods with customers at risk, that in "
						   "its square three. The estimate is NULL, and predictions do without it."),
				 errhint("Wait for more periods, or count in a shorter unit, before predicting beyond these.")));
	if (dropped)
		ereport(WARNING,
				(errmsg("the effect of %s cannot be told from that of the columns before", dropped),
				 errdetail("A column that is constant, or a linear combination of columns before it, has an estimate of "
						   "NULL in the %s model.", kind->title),
				 errhint("Leave it out, or look for columns that say the same.")));
	if (fit->status == FIT_NOT_CONVERGED)
		ereport(WARNING,
				(errmsg("the fit of the %s model did not converge: %s", kind->title, fit->reason),
				 errdetail("The model has converged = false; " INT64_FORMAT " rows were fitted.", m->fit.n),
				 fit->hint ? errhint("%s", fit->hint) : 0));
}

ClvModel *
regression_model(const ModelKind *kind, int nx, const FitResult *fit, const RegressionRecord *record,
				 const Frame *frame, const RowsRead *read)
{
	const char *problem = NULL;
	const char *hint = "Check the data for extreme values.";
	ClvModel   *m = NULL;

	if (fit->status == FIT_STOPPED)
		stop_call("the fit of a model");
	if (fit->status == FIT_IMPOSSIBLE)
	{
		problem = fit->reason;
		hint = fit->hint;
	}
	else
	{
		m = new_model(kind, nx, frame, fit->has_covariance);
		m->flags |= MODEL_FITTED | (fit->status == FIT_CONVERGED ? MODEL_CONVERGED : 0);
		m->fit = (FitRecord) {
			.n = read->n,
			.n_distinct = read->n_distinct,
			.fingerprint = read->fingerprint,
			.log_likelihood = fit->log_likelihood,
			.gradient_norm = fit->gradient_norm,
			.own_weight = 1,
			.iterations = fit->iterations,
			.fitted_by = CLV_VERSION_NUM,
		};
		memcpy(m->values, fit->theta, m->nparams * sizeof(double));
		if (fit->has_covariance)
			memcpy(m->values + m->nparams, fit->covariance, m->nparams * m->nparams * sizeof(double));
		set_model_record(m, record);
		canonicalize_model(m);
		problem = model_problem(m);
	}
	if (problem)
	{
		ereport(WARNING,
				(errmsg("the %s model cannot be fitted: %s", kind->title, problem),
				 errdetail(INT64_FORMAT " rows could be used, " INT64_FORMAT " not. The result is NULL.", read->n,
						   frame->n_skipped),
				 hint ? errhint("%s", hint) : 0));
		return NULL;
	}
	warn_of_fit(m, kind, fit);
	return m;
}

/* ---- terms ------------------------------------------------------------------------------------- */

/* tidy(model, names, conf) */
PG_FUNCTION_INFO_V1(clv_regression_tidy);
Datum
clv_regression_tidy(PG_FUNCTION_ARGS)
{
	ClvModel   *m = PG_GETARG_MODEL(0);
	int			nx = model_covariates(m, regression_operations(m));
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(1);
	double		conf = checked_conf(PG_GETARG_FLOAT8(2));
	const char *hint = "Pass one name for each regressor, in the order of the fit: ARRAY['resolution', 'years'].";
	Datum	   *names;
	int			n;

	if (ARR_NDIM(array) > 1)
		argument_error("names must be a one-dimensional array", hint, "It has %d dimensions.", ARR_NDIM(array));
	if (array_contains_nulls(array))
		argument_error("names must not be NULL", hint, "The array has a NULL.");
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &names, NULL, &n);
	if (n != nx)
		argument_error("the number of names is not that of the regressors", hint,
					   "The model has %d regressors, the array %d names.", nx, n);
	return tidy_model(fcinfo, m, conf, names);
}

/* ---- predictions ------------------------------------------------------------------------------- */

double
checked_prediction(const ClvModel *m, double prediction)
{
	if (isnan(prediction) && stop_on_cancel.requested(stop_on_cancel.arg))
		stop_call("a prediction");
	if (!isfinite(prediction))
		range_error("the prediction is out of range", "Is x on the scale on which the model was fitted?",
					"The %s model predicts %g.", model_operations(m)->title, prediction);
	return prediction;
}

double
regression_prediction(const ClvModel *m, const double *x, int nx)
{
	const ModelKind *kind = regression_operations(m);

	check_regressors(m, nx);
	if (kind->nparams > 1)
		argument_error("this model predicts a period", "Pass it: hazard(model, x, period).",
					   "The model is a %s model.", kind->title);
	if (kind->nparams > 0 && isnan(m->values[0]))
		argument_error("a model within groups predicts no level", "Fit without within_moments(), or compare predictions.",
					   "The means of the groups were absorbed: the model has no intercept.");
	return checked_prediction(m, kind->response(linear_predictor(kind, m->values, x, nx)));
}

/* (model, x) */
PG_FUNCTION_INFO_V1(clv_regression_predict);
Datum
clv_regression_predict(PG_FUNCTION_ARGS)
{
	const ClvModel *m = PG_GETARG_MODEL(0);
	double		x[ROWS_MAX_REGRESSORS];
	int			nx = regressors_of_array(PG_GETARG_DATUM(1), x);

	regression_operations(m);
	if (nx < 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(regression_prediction(m, x, nx));
}
