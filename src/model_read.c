/*
 * model_read.c - reading a model: tidy, glance, coef, vcov.
 */
#include "model.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "math/inference.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

ClvModel **
models_of_array(ArrayType *array, int *n)
{
	Datum	   *elements;
	bool	   *nulls;
	ClvModel  **models;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("models must be a one-dimensional array"),
				 errdetail("It has %d dimensions.", ARR_NDIM(array)),
				 errhint("Write array[a, b, c], or array_agg(model).")));
	deconstruct_array(array, ARR_ELEMTYPE(array), -1, false, TYPALIGN_DOUBLE, &elements, &nulls, n);
	models = palloc(Max(*n, 1) * sizeof(ClvModel *));
	for (int i = 0; i < *n; i++)
		models[i] = nulls[i] ? NULL : model_from_datum(elements[i]);
	return models;
}

/* Those of a regression: by Student's t where it has degrees of freedom; NULL without a variance. */
static void
tidy_effect(Datum *values, bool *nulls, double value, double variance, double df, double conf)
{
	Estimate	e;
	double		t;

	if (!(variance > 0))
		return;
	e = t_estimate(value, variance, df, conf);
	t = value / e.std_error;
	set_number(values, nulls, 2, e.std_error);
	set_number(values, nulls, 3, t);
	set_number(values, nulls, 4, isfinite(t) ? t_p_value(t, df) : t);
	set_number(values, nulls, 5, e.conf_low);
	set_number(values, nulls, 6, e.conf_high);
}

/* The columns of tidy() from std_error on. */
static void
tidy_estimate(Datum *values, bool *nulls, double value, double variance, ParamScale scale, double conf)
{
	Estimate	e = scale == SCALE_OWN ? real_estimate(value, variance, conf)
		: positive_estimate(value, variance, conf);

	set_number(values, nulls, 2, e.std_error);
	set_number(values, nulls, 5, e.conf_low);
	set_number(values, nulls, 6, e.conf_high);
	/* Wald's test of "parameter = 0"; it does not exist for a positive parameter */
	if (scale == SCALE_OWN)
	{
		double		z = value / e.std_error;

		set_number(values, nulls, 3, z);
		set_number(values, nulls, 4, isfinite(z) ? erfc(fabs(z) * M_SQRT1_2) : z);
	}
}

Datum
tidy_model(FunctionCallInfo fcinfo, const ClvModel *m, double conf, Datum *names)
{
	const ModelKind *kind = model_operations(m);
	const double *covariance = model_covariance(m);
	ReturnSetInfo *rsinfo = result_set(fcinfo);

	for (int i = 0; i < m->nparams; i++)
	{
		Datum		values[7] = {0, Float8GetDatum(m->values[i])};
		bool		nulls[7] = {false, isnan(m->values[i]), true, true, true, true, true};

		if (names && i >= kind->nparams)
			values[0] = names[i - kind->nparams];
		else
			values[0] = CStringGetTextDatum(param_name(kind, model_covariates(m, kind), i));
		if (covariance && is_regression(kind))
			tidy_effect(values, nulls, m->values[i], covariance[i * m->nparams + i], model_record(m).df, conf);
		else if (covariance && param_scale(kind, i) != SCALE_NONE)
			tidy_estimate(values, nulls, m->values[i], covariance[i * m->nparams + i], param_scale(kind, i), conf);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* (model, conf) */
PG_FUNCTION_INFO_V1(clv_model_tidy);
Datum
clv_model_tidy(PG_FUNCTION_ARGS)
{
	return tidy_model(fcinfo, PG_GETARG_MODEL(0), checked_conf(PG_GETARG_FLOAT8(1)), NULL);
}

/* The columns of glance(), in the order of its declaration. */
enum
{
	GLANCE_KIND, GLANCE_UNIT, GLANCE_AS_OF, GLANCE_FIRST_DAY, GLANCE_LAST_DAY, GLANCE_N, GLANCE_N_DISTINCT,
	GLANCE_N_SKIPPED, GLANCE_LOG_LIKELIHOOD, GLANCE_AIC, GLANCE_BIC, GLANCE_CONVERGED, GLANCE_ITERATIONS,
	GLANCE_GRADIENT_NORM, GLANCE_MEAN_RATE, GLANCE_MEAN_DROPOUT, GLANCE_COVARIATES, GLANCE_OWN_WEIGHT, GLANCE_FITTED_BY,
	GLANCE_ERRORS, GLANCE_CLUSTERS, GLANCE_DF, GLANCE_SIGMA, GLANCE_R_SQUARED, GLANCE_STATISTIC, GLANCE_P_VALUE,
	GLANCE_COLUMNS
};

typedef struct GlanceRow
{
	Datum		values[GLANCE_COLUMNS];
	bool		nulls[GLANCE_COLUMNS];
} GlanceRow;

static void
glance_set(GlanceRow *row, int column, Datum value)
{
	row->values[column] = value;
	row->nulls[column] = false;
}

static void
glance_set_number(GlanceRow *row, int column, double value)
{
	set_number(row->values, row->nulls, column, value);
}

static void
glance_set_day(GlanceRow *row, int column, DateADT day)
{
	if (day != DAY_NONE)
		glance_set(row, column, DateADTGetDatum(day));
}

/* The parameters that a likelihood was maximised in; NAN where groups were absorbed, whose means are not counted. */
static double
free_params(const ClvModel *m)
{
	bool		is_linear = m->code == lm_model.code;

	if (is_linear && isnan(m->values[0]))
		return NAN;
	return known_params(m) + (is_linear ? 1 : 0);	/* the residual variance */
}

static void
glance_set_record(GlanceRow *row, const ClvModel *m, const ModelKind *kind)
{
	RegressionRecord record = model_record(m);
	int			effects = 0;

	for (int i = kind->nparams; i < m->nparams; i++)
		effects += !isnan(m->values[i]);
	glance_set(row, GLANCE_ERRORS, CStringGetTextDatum(error_kind_name(record.errors)));
	if (!isnan(record.clusters))
		glance_set(row, GLANCE_CLUSTERS, Int64GetDatum((int64) record.clusters));
	glance_set_number(row, GLANCE_DF, record.df);
	glance_set_number(row, GLANCE_SIGMA, record.sigma);
	glance_set_number(row, GLANCE_R_SQUARED, record.r_squared);
	glance_set_number(row, GLANCE_STATISTIC, record.statistic);
	if (!isnan(record.statistic) && effects > 0)
		glance_set_number(row, GLANCE_P_VALUE, isnan(record.df) ? chi_square_tail(record.statistic, effects)
						  : f_tail(record.statistic, effects, record.df));
}

static void
glance_set_fit(GlanceRow *row, const ClvModel *m)
{
	const FitRecord *fit = &m->fit;
	double		deviance = -2 * fit->log_likelihood;

	glance_set(row, GLANCE_N, Int64GetDatum(fit->n));
	glance_set(row, GLANCE_N_DISTINCT, Int64GetDatum(fit->n_distinct));
	glance_set(row, GLANCE_N_SKIPPED, Int64GetDatum(m->frame.n_skipped));
	glance_set_number(row, GLANCE_LOG_LIKELIHOOD, fit->log_likelihood);
	/* a model that was drawn towards others has no maximum of its own likelihood, and no number of free parameters */
	if (fit->own_weight == 1)
	{
		double		k = free_params(m);

		glance_set_number(row, GLANCE_AIC, deviance + 2 * k);
		glance_set_number(row, GLANCE_BIC, deviance + log((double) fit->n) * k);
	}
	glance_set(row, GLANCE_CONVERGED, BoolGetDatum((m->flags & MODEL_CONVERGED) != 0));
	glance_set(row, GLANCE_ITERATIONS, Int32GetDatum(fit->iterations));
	glance_set_number(row, GLANCE_GRADIENT_NORM, fit->gradient_norm);
	glance_set_number(row, GLANCE_OWN_WEIGHT, fit->own_weight);
	glance_set(row, GLANCE_FITTED_BY, CStringGetTextDatum(version_text(fit->fitted_by)));
}

static void
glance_row(const ClvModel *m, GlanceRow *row)
{
	const ModelKind *kind = model_operations(m);

	glance_set(row, GLANCE_KIND, CStringGetTextDatum(kind->kind));
	if (unit_name(m->frame.unit_days))
		glance_set(row, GLANCE_UNIT, CStringGetTextDatum(unit_name(m->frame.unit_days)));
	glance_set_day(row, GLANCE_AS_OF, m->frame.as_of);
	glance_set_day(row, GLANCE_FIRST_DAY, m->frame.first_day);
	glance_set_day(row, GLANCE_LAST_DAY, m->frame.last_day);
	if (m->flags & MODEL_FITTED)
		glance_set_fit(row, m);
	if (m->flags & MODEL_PRIOR)
		glance_set(row, GLANCE_N, Int64GetDatum(m->fit.n));
	if (kind->mean_rate)
		glance_set_number(row, GLANCE_MEAN_RATE, kind->mean_rate(m->values));
	if (kind->mean_dropout)
		glance_set_number(row, GLANCE_MEAN_DROPOUT, kind->mean_dropout(m->values));
	glance_set(row, GLANCE_COVARIATES, Int32GetDatum(model_covariates(m, kind)));
	if (is_regression(kind))
		glance_set_record(row, m, kind);
}

/* A row of each model, in order; a model that is NULL, such as one that could not be fitted, has a row of NULLs. */
static Datum
glance(FunctionCallInfo fcinfo, ClvModel **models, int n)
{
	ReturnSetInfo *rsinfo = result_set(fcinfo);

	for (int i = 0; i < n; i++)
	{
		GlanceRow	row;

		memset(&row.values, 0, sizeof(row.values));
		memset(&row.nulls, true, sizeof(row.nulls));
		if (models[i])
			glance_row(models[i], &row);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row.values, row.nulls);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(clv_model_glance);
Datum
clv_model_glance(PG_FUNCTION_ARGS)
{
	ClvModel   *m = PG_GETARG_MODEL(0);

	return glance(fcinfo, &m, 1);
}

PG_FUNCTION_INFO_V1(clv_model_glance_array);
Datum
clv_model_glance_array(PG_FUNCTION_ARGS)
{
	int			n;
	ClvModel  **models = models_of_array(PG_GETARG_ARRAYTYPE_P(0), &n);

	return glance(fcinfo, models, n);
}

int
term_of_model(const ClvModel *m, const text *name)
{
	char	   *term = text_to_cstring(name);
	const ModelKind *kind = model_operations(m);
	int			ncovariates = model_covariates(m, kind);
	StringInfoData terms;

	for (int i = 0; i < m->nparams; i++)
		if (strcmp(term, param_name(kind, ncovariates, i)) == 0)
			return i;

	initStringInfo(&terms);
	for (int i = 0; i < m->nparams; i++)
		appendStringInfo(&terms, "%s%s", i > 0 ? ", " : "", param_name(kind, ncovariates, i));
	argument_error("the model has no such term", "tidy(model) lists the terms of a model.",
				   "The term is \"%s\"; the terms of the %s model are %s.", excerpt(term), kind->title, terms.data);
}

PG_FUNCTION_INFO_V1(clv_model_coef);
Datum
clv_model_coef(PG_FUNCTION_ARGS)
{
	ClvModel   *m = PG_GETARG_MODEL(0);
	double		value = m->values[term_of_model(m, PG_GETARG_TEXT_PP(1))];

	if (isnan(value))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(value);
}

/* Derivative of a parameter in its eta. */
static double
slope(const ClvModel *m, const ModelKind *kind, int i)
{
	return param_scale(kind, i) == SCALE_LOG ? m->values[i] : 1;
}

PG_FUNCTION_INFO_V1(clv_model_vcov);
Datum
clv_model_vcov(PG_FUNCTION_ARGS)
{
	ClvModel   *m = PG_GETARG_MODEL(0);
	const ModelKind *kind = model_operations(m);
	const double *covariance = model_covariance(m);
	int			k = m->nparams;
	Datum		cells[FIT_MAX_PARAMS * FIT_MAX_PARAMS];
	bool		nulls[FIT_MAX_PARAMS * FIT_MAX_PARAMS];
	int			dims[2] = {k, k};
	int			lower[2] = {1, 1};

	if (covariance == NULL)
		PG_RETURN_NULL();
	for (int i = 0; i < k; i++)
		for (int j = 0; j < k; j++)
		{
			double		c = covariance[i * k + j];
			double		cell = c == 0 ? 0 : c * (slope(m, kind, i) * slope(m, kind, j));

			if (!isfinite(cell))
				range_error("the covariance is out of range",
							"Read the covariance of the logarithms from model::jsonb.",
							"That of %s and %s is %g on the log scale, at %g and %g.",
							param_name(kind, model_covariates(m, kind), i),
							param_name(kind, model_covariates(m, kind), j), c, m->values[i], m->values[j]);
			cells[i * k + j] = Float8GetDatum(cell);
			nulls[i * k + j] = isnan(m->values[i]) || isnan(m->values[j]);
		}
	PG_RETURN_ARRAYTYPE_P(construct_md_array(cells, nulls, 2, dims, lower, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
											 TYPALIGN_DOUBLE));
}
