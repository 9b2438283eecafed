/*
 * model.c - type clv_model: layout, typed-in models, comparison.
 */
#include "model.h"

#include <math.h>

ClvModel *
new_model(const BtydModel *kind, const Frame *frame, bool with_covariance)
{
	int			nvalues = kind->nparams + (with_covariance ? kind->nparams * kind->nparams : 0);
	Size		size = offsetof(ClvModel, values) + nvalues * sizeof(double);
	ClvModel   *m = palloc0(size);

	SET_VARSIZE(m, size);
	m->version = MODEL_VERSION;
	m->flags = with_covariance ? MODEL_HAS_COVARIANCE : 0;
	m->code = kind->code;
	m->nparams = kind->nparams;
	m->frame = *frame;
	return m;
}

const BtydModel *
model_operations(const ClvModel *model)
{
	const BtydModel *kind = btyd_model_by_code(model->code);

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

static const char *
covariance_problem(const double *covariance, int k)
{
	for (int i = 0; i < k; i++)
	{
		if (!(covariance[i * k + i] >= 0))
			return "variances must not be negative";
		for (int j = 0; j < k; j++)
			if (!isfinite(covariance[i * k + j]) || covariance[i * k + j] != covariance[j * k + i])
				return "the covariance must be finite and symmetric";
	}
	return NULL;
}

const char *
model_problem(const ClvModel *m)
{
	const FitRecord *fit = &m->fit;
	const char *problem = frame_problem(&m->frame);

	if (problem)
		return problem;
	for (int i = 0; i < m->nparams; i++)
		if (!(isfinite(m->values[i]) && m->values[i] > 0))
			return "parameters must be positive and finite";
	if (!(m->flags & MODEL_FITTED))
		return m->flags == 0 && m->frame.as_of == DAY_NONE && m->frame.n_skipped == 0 &&
			memcmp(fit, &(FitRecord) {0}, sizeof(*fit)) == 0 ? NULL
			: "a typed-in model has parameters and a time unit only";
	if (fit->n < 1 || fit->n_distinct < 1 || fit->n_distinct > fit->n || fit->n > MAX_COUNT)
		return "the number of rows is out of range";
	if (!isfinite(fit->log_likelihood) || !(isfinite(fit->gradient_norm) && fit->gradient_norm >= 0))
		return "the log-likelihood and the gradient must be finite";
	if (fit->iterations < 0 || fit->fitted_by < 0)
		return "the number of iterations is out of range";
	return model_covariance(m) ? covariance_problem(model_covariance(m), m->nparams) : NULL;
}

/* ---- typed-in models --------------------------------------------------------------------------- */

static Datum
typed_in_model(FunctionCallInfo fcinfo, const BtydModel *kind)
{
	Frame		frame = FRAME_OF_NUMBERS;
	ClvModel   *m;

	if (PG_NARGS() > kind->nparams)
		frame.unit_days = unit_days(PG_GETARG_TEXT_PP(kind->nparams));
	m = new_model(kind, &frame, false);
	for (int i = 0; i < kind->nparams; i++)
	{
		m->values[i] = PG_GETARG_FLOAT8(i);
		if (!(isfinite(m->values[i]) && m->values[i] > 0))
			argument_error("model parameters must be positive and finite",
						   "Give them on their natural scale, in the model's time unit, as tidy() shows them.",
						   "Parameter %s of the %s model is %g.", kind->params[i], kind->title, m->values[i]);
	}
	PG_RETURN_POINTER(m);
}

PG_FUNCTION_INFO_V1(clv_bgnbd_model);
Datum
clv_bgnbd_model(PG_FUNCTION_ARGS)
{
	return typed_in_model(fcinfo, &bgnbd_model);
}

PG_FUNCTION_INFO_V1(clv_gamma_gamma_model);
Datum
clv_gamma_gamma_model(PG_FUNCTION_ARGS)
{
	return typed_in_model(fcinfo, &gamma_gamma_model);
}

DEFINE_COMPARISONS(model, PG_GETARG_MODEL)
