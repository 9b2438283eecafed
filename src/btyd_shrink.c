/*
 * btyd_shrink.c - many small cohorts: how their parameters vary, and estimates drawn towards the pooled ones.
 */
#include "btyd.h"

#include <math.h>

#include "math/matrix.h"
#include "math/shrink.h"
#include "miscadmin.h"

/* With fewer cohorts there is nothing to be said about how they vary. */
#define LEAST_COHORTS 3

/* A parameter that does not vary between cohorts is held this closely: a thousandth of itself. */
#define LEAST_VARIANCE 1e-6

/* Parameters on a scale come first; a count of phases is the last one, and is not drawn anywhere. */
static int
scaled_params(const ModelKind *kind, int nparams)
{
	return nparams - (kind->counts_phases ? 1 : 0);
}

static bool
same_phases(const ClvModel *a, const ClvModel *b, const ModelKind *kind)
{
	return !kind->counts_phases || a->values[kind->nparams - 1] == b->values[kind->nparams - 1];
}

/* eta[n], and the covariance of these (n x n) where it is not NULL */
static void
copy_estimate(const ClvModel *m, const ModelKind *kind, int n, double *eta, double *covariance)
{
	for (int i = 0; i < n; i++)
	{
		eta[i] = eta_of_param(kind, i, m->values[i]);
		if (covariance)
			memcpy(covariance + i * n, model_covariance(m) + i * m->nparams, n * sizeof(double));
	}
}

static const char *
unit_text(double days)
{
	return days != 0 ? unit_name(days) : "none";
}

static void
check_alike(const ClvModel *m, const ClvModel *other, const char *what)
{
	if (m->code != other->code || m->nparams != other->nparams)
		argument_error(psprintf("%s is of another kind", what),
					   "Fit models of one kind, with the same covariates, to all cohorts.",
					   "One is a %s model of %d parameters, the other a %s model of %d.", model_operations(m)->title,
					   m->nparams, model_operations(other)->title, other->nparams);
	if (m->frame.unit_days != other->frame.unit_days)
		argument_error(psprintf("%s counts in another time unit", what), "Fit all cohorts in one unit.",
					   "The units are %s and %s.", unit_text(m->frame.unit_days), unit_text(other->frame.unit_days));
}

/* The model of a cohort, or the pooled one, by its own data alone. */
static void
check_own(const ClvModel *m)
{
	check_no_prior(m);
	if (is_regression(model_operations(m)))
		argument_error("regressions are not drawn towards each other",
					   "Fit all cohorts at once, with columns that say what differs between them.",
					   "The model is a %s model.", model_operations(m)->title);
	if ((m->flags & MODEL_FITTED) && m->fit.own_weight != 1)
		argument_error("this model has been drawn towards a prior already", "Pass the cohort's own fit.",
					   "The weight of its own data is %g.", m->fit.own_weight);
}

/* Whether a cohort can tell how cohorts vary. */
static bool
is_usable(const ClvModel *cohort, const ClvModel *pooled, const ModelKind *kind, double *work)
{
	int			n = scaled_params(kind, pooled->nparams);
	double	   *inverse = work + n * n;
	double		eta[FIT_MAX_PARAMS];

	if (cohort == NULL)
		return false;
	check_own(cohort);
	check_alike(cohort, pooled, "a cohort's model");
	if (!(cohort->flags & MODEL_CONVERGED) || model_covariance(cohort) == NULL || !same_phases(cohort, pooled, kind))
		return false;
	copy_estimate(cohort, kind, n, eta, work);
	return invert_positive(work, n, inverse);
}

static ClvModel *
new_prior(const ClvModel *pooled, const ModelKind *kind, const double *between, int64 ncohorts)
{
	Frame		frame = FRAME_OF_NUMBERS;
	int			k = pooled->nparams;
	int			n = scaled_params(kind, k);
	ClvModel   *prior;

	frame.unit_days = pooled->frame.unit_days;
	prior = new_model(kind, model_covariates(pooled, kind), &frame, true);
	prior->flags |= MODEL_PRIOR;
	prior->fit.n = ncohorts;
	memcpy(prior->values, pooled->values, k * sizeof(double));
	for (int i = 0; i < n; i++)
		memcpy(prior->values + k + i * k, between + i * n, n * sizeof(double));
	canonicalize_model(prior);
	return prior;
}

/* (models of the cohorts, the pooled one) */
PG_FUNCTION_INFO_V1(clv_cohort_prior);
Datum
clv_cohort_prior(PG_FUNCTION_ARGS)
{
	int			nmodels;
	ClvModel  **models = models_of_array(PG_GETARG_ARRAYTYPE_P(0), &nmodels);
	ClvModel   *pooled = PG_GETARG_MODEL(1);
	const ModelKind *kind = model_operations(pooled);
	int			n = scaled_params(kind, pooled->nparams);
	double	   *eta = palloc((Size) Max(nmodels, 1) * n * sizeof(double));
	double	   *covariance = palloc((Size) Max(nmodels, 1) * n * n * sizeof(double));
	double	   *work = palloc(2 * n * n * sizeof(double));
	double	   *between = palloc(n * n * sizeof(double));
	int			used = 0;

	check_own(pooled);
	for (int i = 0; i < nmodels; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (is_usable(models[i], pooled, kind, work))
		{
			copy_estimate(models[i], kind, n, eta + (Size) used * n, covariance + (Size) used * n * n);
			used++;
		}
	}
	if (used < LEAST_COHORTS || !between_covariance(eta, covariance, used, n, &stop_on_cancel, between))
	{
		if (stop_on_cancel.requested(stop_on_cancel.arg))
			stop_call("the prior of cohorts");
		ereport(WARNING,
				(errmsg("the cohorts do not tell how their parameters vary"),
				 errdetail("%d of %d models could be used: those that converged, with standard errors%s. "
						   "The result is NULL.", used, nmodels,
						   kind->counts_phases ? " and the pooled number of phases" : ""),
				 errhint("At least %d cohorts must have a fit of their own.", LEAST_COHORTS)));
		PG_RETURN_NULL();
	}
	PG_RETURN_POINTER(new_prior(pooled, kind, between, used));
}

/* Argument n, a prior. */
static ClvModel *
prior_argument(FunctionCallInfo fcinfo, int n)
{
	ClvModel   *prior = PG_GETARG_MODEL(n);

	if (!(prior->flags & MODEL_PRIOR))
		argument_error("this needs a prior", "cohort_prior(models, pooled) makes one of the models of cohorts.",
					   "The %s model is one of customers.", model_operations(prior)->title);
	return prior;
}

/* Center and precision (n x n) of a prior. */
static void
read_prior(const ClvModel *prior, const ModelKind *kind, int n, double *center, double *precision)
{
	double		covariance[FIT_MAX_PARAMS * FIT_MAX_PARAMS];

	copy_estimate(prior, kind, n, center, covariance);
	if (!prior_precision(covariance, n, LEAST_VARIANCE, precision))
		elog(ERROR, "eigenvalues of the covariance of a prior not found");
}

PG_FUNCTION_INFO_V1(clv_shrink);
Datum
clv_shrink(PG_FUNCTION_ARGS)
{
	ClvModel   *m = PG_GETARG_MODEL(0);
	ClvModel   *prior = prior_argument(fcinfo, 1);
	const ModelKind *kind = model_operations(m);
	int			n = scaled_params(kind, m->nparams);
	double		eta[FIT_MAX_PARAMS];
	double		covariance[FIT_MAX_PARAMS * FIT_MAX_PARAMS];
	double		center[FIT_MAX_PARAMS];
	double		precision[FIT_MAX_PARAMS * FIT_MAX_PARAMS];
	double		weight = NAN;
	ClvModel   *result;

	check_own(m);
	check_alike(m, prior, "the model");
	if (!same_phases(m, prior, kind))
		argument_error("the model has another number of phases than the prior",
					   "shrunk_fit(sample, prior) fits it with the number of the prior.",
					   "They are %g and %g.", m->values[kind->nparams - 1], prior->values[kind->nparams - 1]);
	if ((m->flags & MODEL_FITTED) && model_covariance(m))
	{
		copy_estimate(m, kind, n, eta, covariance);
		read_prior(prior, kind, n, center, precision);
		weight = shrink_estimate(eta, covariance, center, precision, n);
	}
	if (isnan(weight))
		argument_error("the model cannot be weighed against the prior",
					   "shrunk_fit(sample, prior) draws also what cannot be fitted alone.",
					   "It was not fitted, did not converge, or its standard errors are out of range.");

	result = (ClvModel *) PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(0));
	result->fit.own_weight = fmin(fmax(weight, 0), 1);
	for (int i = 0; i < n; i++)
	{
		result->values[i] = param_of_eta(kind, i, eta[i]);
		memcpy(result->values + m->nparams + i * m->nparams, covariance + i * n, n * sizeof(double));
	}
	canonicalize_model(result);
	if (model_problem(result) != NULL)
		range_error("the parameters are out of range", "Check the data of the cohort for extreme values.",
					"Drawn towards the prior, the %s model left the range of numbers.", kind->title);
	PG_RETURN_POINTER(result);
}

/* (sample, prior) */
PG_FUNCTION_INFO_V1(clv_shrunk_fit);
Datum
clv_shrunk_fit(PG_FUNCTION_ARGS)
{
	ClvSample  *sample = PG_GETARG_STORED_SAMPLE(0);
	ClvModel   *prior = prior_argument(fcinfo, 1);
	const ModelKind *kind = model_operations(prior);
	int			k = prior->nparams;
	int			n = scaled_params(kind, k);
	double		center[FIT_MAX_PARAMS];
	double		scaled[FIT_MAX_PARAMS * FIT_MAX_PARAMS];
	double		precision[FIT_MAX_PARAMS * FIT_MAX_PARAMS] = {0};
	FitPrior	fit_prior = {center, precision};
	ClvModel   *m;

	if (can_fit(kind, sample) && sample_covariates(sample) != model_covariates(prior, kind))
		argument_error("the sample has other covariates than the prior", "Build it with those of the other cohorts.",
					   "The sample has %d, the prior %d.", sample_covariates(sample), model_covariates(prior, kind));
	if (sample->frame.unit_days != prior->frame.unit_days)
		argument_error("the sample counts in another time unit than the prior", "Build all samples in one unit.",
					   "The units are %s and %s.", unit_text(sample->frame.unit_days),
					   unit_text(prior->frame.unit_days));
	read_prior(prior, kind, n, center, scaled);
	for (int i = 0; i < n; i++)
		memcpy(precision + i * k, scaled + i * n, n * sizeof(double));
	if (kind->counts_phases)
		center[n] = prior->values[n];
	m = fit_sample_with_prior(kind, sample, &fit_prior);
	if (m == NULL)
		PG_RETURN_NULL();
	warn_of_sample(sample);
	PG_RETURN_POINTER(m);
}
