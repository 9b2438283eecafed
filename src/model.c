/*
 * model.c - type clv_model: layout, typed-in models, comparison.
 */
#include "model.h"

#include <math.h>

#include "math/matrix.h"
#include "utils/float.h"

ClvModel *
new_model(const ModelKind *kind, int ncovariates, const Frame *frame, bool with_covariance)
{
	int			nparams = kind->nparams + (is_regression(kind) ? 1 : 2) * ncovariates;
	int			nvalues = nparams + (with_covariance ? nparams * nparams : 0) +
		(is_regression(kind) ? MODEL_RECORD_NUMBERS : 0);
	Size		size = offsetof(ClvModel, values) + nvalues * sizeof(double);
	ClvModel   *m = palloc0(size);
	double		nan = get_float8_nan();

	SET_VARSIZE(m, size);
	m->version = MODEL_VERSION;
	m->flags = with_covariance ? MODEL_HAS_COVARIANCE : 0;
	m->code = kind->code;
	m->nparams = nparams;
	m->frame = *frame;
	if (is_regression(kind))
		set_model_record(m, &(RegressionRecord) {ERRORS_MODEL, nan, nan, nan, nan, nan});
	return m;
}

const ModelKind *
model_operations(const ClvModel *model)
{
	const ModelKind *kind = model_kind_by_code(model->code);

	if (kind == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("unknown kind of model"),
				 errdetail("The model has code %d.", model->code),
				 errhint("It was made by a newer version of clv: update the extension's library.")));
	return kind;
}

char *
version_text(int32 version)
{
	return psprintf("%d.%d.%d", version / 10000, version / 100 % 100, version % 100);
}

/* ---- what only a regression knows -------------------------------------------------------------- */

RegressionRecord
model_record(const ClvModel *m)
{
	const double *numbers = record_numbers(m);
	RegressionRecord record = {
		.errors = (m->flags & MODEL_ERRORS) >> MODEL_ERRORS_SHIFT,
		.df = numbers[0],
		.sigma = numbers[1],
		.r_squared = numbers[2],
		.statistic = numbers[3],
		.clusters = numbers[4],
	};

	return record;
}

void
set_model_record(ClvModel *m, const RegressionRecord *record)
{
	double	   *numbers = record_numbers(m);

	m->flags = (m->flags & ~MODEL_ERRORS) | record->errors << MODEL_ERRORS_SHIFT;
	numbers[0] = record->df;
	numbers[1] = record->sigma;
	numbers[2] = record->r_squared;
	numbers[3] = record->statistic;
	numbers[4] = record->clusters;
}

const char *
error_kind_name(ErrorKind errors)
{
	static const char *const names[ERROR_KINDS] = {"model", "HC0", "HC1", "HC2", "HC3", "CR1"};

	return names[errors];
}

int
known_params(const ClvModel *m)
{
	int			known = 0;

	for (int i = 0; i < m->nparams; i++)
		known += !isnan(m->values[i]);
	return known;
}

const char *
param_name(const ModelKind *kind, int ncovariates, int i)
{
	int			effect = i - kind->nparams;

	if (effect < 0)
		return kind->params[i];
	if (is_regression(kind))
		return psprintf("x%d", effect + 1);
	if (effect < ncovariates)
		return psprintf("purchase_%d", effect + 1);
	return psprintf("dropout_%d", effect - ncovariates + 1);
}

double
eta_of_param(const ModelKind *kind, int i, double value)
{
	return param_scale(kind, i) == SCALE_LOG ? log(value) : value;
}

double
param_of_eta(const ModelKind *kind, int i, double eta)
{
	return param_scale(kind, i) == SCALE_LOG ? exp(eta) : eta;
}

void
canonicalize_model(ClvModel *m)
{
	int			nvalues = (VARSIZE(m) - offsetof(ClvModel, values)) / sizeof(double);

	for (int i = 0; i < nvalues; i++)
		m->values[i] = isnan(m->values[i]) ? get_float8_nan() : m->values[i] + 0.0;
	m->fit.log_likelihood += 0.0;
}

double
checked_conf(double conf)
{
	if (!(conf > 0 && conf < 1))
		argument_error("conf must be between 0 and 1", "Write a 95 percent interval as 0.95.", "conf is %g.", conf);
	return conf;
}

/* ---- what a model may hold --------------------------------------------------------------------- */

/* What columns cannot tell: effects, terms of a baseline; the intercept only where groups were absorbed. */
static bool
can_be_unknown(const ModelKind *kind, int i)
{
	return is_regression(kind) && (i > 0 || kind->nparams == 0 || kind == &lm_model);
}

static bool
is_possible(const ModelKind *kind, int i, double value)
{
	switch (param_scale(kind, i))
	{
		case SCALE_LOG:
			return isfinite(value) && value > 0;
		case SCALE_OWN:
			return isfinite(value) || (isnan(value) && can_be_unknown(kind, i));
		case SCALE_NONE:
			return value >= 1 && value <= BTYD_MAX_PHASES && value == floor(value);
	}
	return false;
}

const char *
parameters_problem(const ClvModel *m, const ModelKind *kind)
{
	for (int i = 0; i < m->nparams; i++)
		if (!is_possible(kind, i, m->values[i]))
			switch (param_scale(kind, i))
			{
				case SCALE_LOG:
					return "parameters must be positive and finite";
				case SCALE_OWN:
					return !is_regression(kind) ? "effects of covariates must be finite"
						: can_be_unknown(kind, i) ? "effects must be finite, or null where they cannot be told"
						: "the intercept must be finite";
				case SCALE_NONE:
					return "the number of phases must be a whole number from 1 to " CppAsString2(BTYD_MAX_PHASES);
			}
	return NULL;
}

/* How far below zero rounding may take the smallest eigenvalue of a matrix of correlations. */
#define EIGENVALUE_NOISE 1e-8

static bool
is_positive_semidefinite(const double *covariance, int k)
{
	double		correlation[FIT_MAX_PARAMS * FIT_MAX_PARAMS];
	double		values[FIT_MAX_PARAMS];
	double		vectors[FIT_MAX_PARAMS * FIT_MAX_PARAMS];

	for (int i = 0; i < k; i++)
		for (int j = 0; j < k; j++)
		{
			double		c = covariance[i * k + j];

			/* where there is no variance there is no covariance */
			if (c != 0)
				c = c / sqrt(covariance[i * k + i]) / sqrt(covariance[j * k + j]);
			if (!(fabs(c) <= 1 + EIGENVALUE_NOISE))
				return false;
			correlation[i * k + j] = c;
		}
	return symmetric_eigen(correlation, k, values, vectors) && values[0] >= -EIGENVALUE_NOISE;
}

static const char *
covariance_problem(const ClvModel *m, const ModelKind *kind)
{
	const double *covariance = model_covariance(m);
	int			k = m->nparams;

	for (int i = 0; i < k; i++)
	{
		if (!(covariance[i * k + i] >= 0))
			return "variances must not be negative";
		for (int j = 0; j < k; j++)
		{
			if (!isfinite(covariance[i * k + j]) || covariance[i * k + j] != covariance[j * k + i])
				return "the covariance must be finite and symmetric";
			if (param_scale(kind, i) == SCALE_NONE && covariance[i * k + j] != 0)
				return "a number of phases has no variance";
			if (isnan(m->values[i]) && covariance[i * k + j] != 0)
				return "an effect that cannot be told has no variance";
		}
	}
	return is_positive_semidefinite(covariance, k) ? NULL : "the covariance must be positive semidefinite";
}

/* Nothing of what only a fit knows, but in a prior the number of cohorts. */
static const char *
unfitted_problem(const ClvModel *m)
{
	FitRecord	expected = {.n = (m->flags & MODEL_PRIOR) ? m->fit.n : 0};

	if ((m->flags & MODEL_CONVERGED) || m->frame.as_of != DAY_NONE || m->frame.n_skipped != 0 ||
		memcmp(&m->fit, &expected, sizeof(expected)) != 0)
		return (m->flags & MODEL_PRIOR) ? "a prior has parameters, covariance, time unit and number of cohorts only"
			: "a typed-in model has parameters, covariance and a time unit only";
	if ((m->flags & MODEL_PRIOR) && !(model_covariance(m) && m->fit.n >= 1 && m->fit.n <= MAX_COUNT))
		return "a prior has a covariance and comes from at least one cohort";
	return NULL;
}

static const char *
fit_problem(const FitRecord *fit)
{
	if (fit->n < 1 || fit->n_distinct < 1 || fit->n_distinct > fit->n || fit->n > MAX_COUNT)
		return "the number of rows is out of range";
	if (!isfinite(fit->log_likelihood) || !(isfinite(fit->gradient_norm) && fit->gradient_norm >= 0))
		return "the log-likelihood and the gradient must be finite";
	if (!(fit->own_weight >= 0 && fit->own_weight <= 1))
		return "the weight must be between 0 and 1";
	if (fit->iterations < 0 || fit->fitted_by < 0)
		return "the number of iterations is out of range";
	return NULL;
}

static bool
is_below(double number, double least)
{
	return !isnan(number) && !(isfinite(number) && number >= least);
}

static const char *
record_problem(const ClvModel *m, const ModelKind *kind)
{
	RegressionRecord record;

	if (!is_regression(kind))
		return (m->flags & MODEL_ERRORS) ? "only a regression has robust errors" : NULL;
	record = model_record(m);
	if (record.errors >= ERROR_KINDS || (record.errors == ERRORS_CR1 && isnan(record.clusters)))
		return "the kind of the errors is out of range";
	if (is_below(record.df, 1) || is_below(record.sigma, 0) || is_below(record.statistic, 0) ||
		is_below(record.clusters, 1) || is_below(-record.r_squared, -1))
		return "a number about the fit is out of range";
	if (!isnan(record.clusters) && !(record.clusters <= MAX_COUNT && record.clusters == floor(record.clusters)))
		return "the number of clusters is out of range";
	if (!(m->flags & MODEL_FITTED) && !(isnan(record.sigma) && isnan(record.r_squared) && isnan(record.statistic)))
		return "a typed-in regression has parameters, covariance, kind of errors, df and clusters only";
	return NULL;
}

const char *
model_problem(const ClvModel *m)
{
	const ModelKind *kind = model_operations(m);
	const char *problem = frame_problem(&m->frame);

	if (!problem)
		problem = parameters_problem(m, kind);
	if (!problem)
		problem = (m->flags & MODEL_FITTED) ? fit_problem(&m->fit) : unfitted_problem(m);
	if (!problem && m->frame.until != DAY_NONE)
		problem = "a model has no holdout";
	if (!problem && (m->flags & MODEL_FITTED) && (m->flags & MODEL_PRIOR))
		problem = "a prior is not fitted to rows";
	if (!problem && is_regression(kind) && (m->flags & MODEL_PRIOR))
		problem = "a regression is no prior";
	if (!problem && model_covariance(m))
		problem = covariance_problem(m, kind);
	if (!problem)
		problem = record_problem(m, kind);
	return problem;
}

/* ---- typed-in models --------------------------------------------------------------------------- */

static Datum
typed_in_model(FunctionCallInfo fcinfo, const char *name)
{
	const ModelKind *kind = model_kind_by_name(name);
	Frame		frame = FRAME_OF_NUMBERS;
	ClvModel   *m;

	if (kind == NULL)
		elog(ERROR, "no model \"%s\" in the table of models", name);
	if (PG_NARGS() > kind->nparams)
		frame.unit_days = unit_days(PG_GETARG_TEXT_PP(kind->nparams));
	m = new_model(kind, 0, &frame, false);
	for (int i = 0; i < kind->nparams; i++)
	{
		m->values[i] = PG_GETARG_FLOAT8(i);
		if (is_possible(kind, i, m->values[i]))
			continue;
		if (param_scale(kind, i) == SCALE_NONE)
			argument_error("the number of phases must be a whole number from 1 to " CppAsString2(BTYD_MAX_PHASES),
						   "It is 1 for purchases at random times, and grows with their regularity.",
						   "Parameter %s of the %s model is %g.", kind->params[i], kind->title, m->values[i]);
		argument_error("model parameters must be positive and finite",
					   "Give them on their natural scale, in the model's time unit, as tidy() shows them.",
					   "Parameter %s of the %s model is %g.", kind->params[i], kind->title, m->values[i]);
	}
	PG_RETURN_POINTER(m);
}

#define DEFINE_MODEL(NAME) \
	PG_FUNCTION_INFO_V1(clv_##NAME##_model); \
	Datum clv_##NAME##_model(PG_FUNCTION_ARGS) \
	{ \
		return typed_in_model(fcinfo, #NAME); \
	}

DEFINE_MODEL(pareto_nbd)
DEFINE_MODEL(bgnbd)
DEFINE_MODEL(mbgnbd)
DEFINE_MODEL(bgcnbd)
DEFINE_MODEL(mbgcnbd)
DEFINE_MODEL(bgbb)
DEFINE_MODEL(sbg)
DEFINE_MODEL(bdw)
DEFINE_MODEL(gamma_gamma)

DEFINE_COMPARISONS(model, PG_GETARG_MODEL)
