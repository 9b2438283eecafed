/*
 * cox.c - fits of Cox regression, and what they share with those of the discrete-time hazard.
 */
#include "survival_regression.h"

#include "btyd.h"
#include "math/cox.h"
#include "utils/builtins.h"

/* ---- fits of survival --------------------------------------------------------------------------- */

static ErrorKind
error_kind(const text *errors, bool clustered)
{
	const char *hint = "Use 'model', 'HC0' (robust), or 'CR1' (robust, by cluster).";
	const char *name;

	if (errors == NULL)
		return clustered ? ERRORS_CR1 : ERRORS_MODEL;
	name = text_to_cstring(errors);
	if (strcmp(name, "model") == 0)
		return ERRORS_MODEL;
	if (strcmp(name, "HC0") == 0)
		return ERRORS_HC0;
	if (strcmp(name, "CR1") != 0)
		argument_error("unknown kind of standard errors", hint, "errors is \"%s\".", excerpt(name));
	if (!clustered)
		argument_error("the rows have no clusters",
					   "Build them with survival_sample(tenure, event, x, entry, cluster).",
					   "Errors of kind CR1 are robust against dependence within clusters.");
	return ERRORS_CR1;
}

bool
begin_survival_fit(SurvivalFit *f, const ModelKind *kind, const ClvSample *sample, const text *errors)
{
	f->kind = kind;
	f->sample = checked_survival_sample(sample);
	f->rows = sample_rows(sample);
	f->clustered = sample_clustered(sample);
	f->errors = error_kind(errors, f->clustered);
	if (sample->n == 0)
	{
		ereport(WARNING,
				(errmsg("the %s model cannot be fitted: there is no row", kind->title),
				 errdetail(INT64_FORMAT " rows were skipped. The result is NULL.", sample->frame.n_skipped)));
		return false;
	}
	if (f->rows.ncovariates == f->clustered)
		argument_error("the sample has no regressors", "Build it with survival_sample(tenure, event, x).",
					   "The %s model explains the event by x.", kind->title);
	return true;
}

/*
 * The parameters without a finite estimate, in a list; NULL if there are none. An intercept only moves along with
 * others.
 */
static const char *
infinite_parameters(const SurvivalFit *f, int nx)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = f->kind->nparams > 0 ? 1 : 0; i < f->kind->nparams + nx; i++)
		if (f->report.infinite[i])
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", param_name(f->kind, nx, i));
	return names.len > 0 ? names.data : NULL;
}

ClvModel *
end_survival_fit(const SurvivalFit *f)
{
	int			nx = f->rows.ncovariates - f->clustered;
	const char *infinite = f->fit.status == FIT_IMPOSSIBLE ? infinite_parameters(f, nx) : NULL;
	RowsRead	read = {f->sample->n, f->sample->nrows, 0};

	if (infinite != NULL)
	{
		/* those of x come last */
		bool		of_x = infinite[strlen(infinite) - 1] >= '0' && infinite[strlen(infinite) - 1] <= '9';

		ereport(WARNING,
				(errmsg("the %s model cannot be fitted: there is no finite estimate of %s", f->kind->title, infinite),
				 errdetail("The farther it goes, the likelier are the data: no row speaks against it. " INT64_FORMAT
						   " rows could be used, " INT64_FORMAT " not. The result is NULL.", f->sample->n,
						   f->sample->frame.n_skipped),
				 of_x ? errhint("Leave the column out, merge it with another, or wait for more events.")
				 : errhint("The events are in too few of the periods: use another unit, wait for more, or see "
						   "cox_fit().")));
		return NULL;
	}
	read.fingerprint = sample_fingerprint(f->sample);
	return regression_model(f->kind, nx, &f->fit, &f->record, &f->sample->frame, &read);
}

/* ---- Cox ----------------------------------------------------------------------------------------- */

static CoxTies
ties_of_text(const text *ties)
{
	const char *name = text_to_cstring(ties);

	if (strcmp(name, "breslow") == 0)
		return TIES_BRESLOW;
	if (strcmp(name, "efron") != 0)
		argument_error("unknown way with ties", "Use 'efron' or 'breslow'.", "ties is \"%s\".", excerpt(name));
	return TIES_EFRON;
}

static Datum
fit_cox(const ClvSample *sample, CoxTies ties, const text *errors)
{
	SurvivalFit f;
	ClvModel   *m;

	if (!begin_survival_fit(&f, &cox_model, sample, errors))
		return (Datum) 0;
	cox_fit(&f.rows, f.clustered, ties, f.errors, &stop_on_cancel, &f.fit, &f.record, &f.report);
	m = end_survival_fit(&f);
	return PointerGetDatum(m);
}

/* (sample, ties, errors): errors may be NULL */
PG_FUNCTION_INFO_V1(clv_survival_cox_fit);
Datum
clv_survival_cox_fit(PG_FUNCTION_ARGS)
{
	Datum		model;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	model = fit_cox(PG_GETARG_STORED_SAMPLE(0), ties_of_text(PG_GETARG_TEXT_PP(1)),
					PG_ARGISNULL(2) ? NULL : PG_GETARG_TEXT_PP(2));
	if (model == (Datum) 0)
		PG_RETURN_NULL();
	return model;
}

/* The final function of the aggregates. */
PG_FUNCTION_INFO_V1(clv_survival_cox_final);
Datum
clv_survival_cox_final(PG_FUNCTION_ARGS)
{
	Datum		model = fit_cox(PG_GETARG_STORED_SAMPLE(0), TIES_EFRON, NULL);

	if (model == (Datum) 0)
		PG_RETURN_NULL();
	return model;
}
