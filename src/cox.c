/*
 * cox.c - fits of Cox regression, and what they share with those of the discrete-time hazard.
 */
#include "survival_regression.h"

#include "btyd.h"
#include "math/cox.h"
#include "utils/builtins.h"

/* ---- fits of survival --------------------------------------------------------------------------- */

#define SURVIVAL_ERRORS (1u << ERRORS_MODEL | 1u << ERRORS_HC0 | 1u << ERRORS_CR1)

bool
begin_survival_fit(SurvivalFit *f, const ModelKind *kind, const ClvSample *sample, const text *errors)
{
	*f = (SurvivalFit) {.kind = kind};
	f->read = sample_to_fit(kind, checked_survival_sample(sample), SURVIVAL_ERRORS, errors);
	if (sample->n == 0)
	{
		report_impossible(&f->fit, "there is no row", "Rows with a NULL are skipped: are all?");
		return false;
	}
	if (f->read.nx == 0)
		argument_error("the sample has no regressors", "Build it with survival_sample(tenure, event, x).",
					   "The %s model explains the event by x.", kind->title);
	return true;
}

/* The reason and hint of a fit that is impossible, with the names of the parameters without a finite estimate. */
static void
name_infinite(SurvivalFit *f)
{
	bool		of_x = false;
	StringInfoData names;

	initStringInfo(&names);
	/* an intercept only moves along with others */
	for (int i = Min(1, f->kind->nparams); i < f->kind->nparams + f->read.nx; i++)
		if (f->report.infinite[i])
		{
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", param_name(f->kind, f->read.nx, i));
			of_x = i >= f->kind->nparams;
		}
	if (names.len == 0)
		return;
	f->fit.reason = psprintf("there is no finite estimate of %s", names.data);
	f->fit.hint = of_x ? "The farther it goes, the likelier are the data: no row speaks against it. Leave the column "
		"out, merge it with another, or wait for more events."
		: "The events are in too few of the periods: use another unit, wait for more, or see cox_fit().";
}

ClvModel *
end_survival_fit(SurvivalFit *f)
{
	const ClvSample *sample = f->read.sample;
	RowsRead	read = rows_read(sample);

	if (f->fit.status == FIT_IMPOSSIBLE)
		name_infinite(f);
	return regression_model(f->kind, f->read.nx, &f->fit, &f->record, &sample->frame, &read);
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
fit_cox(FunctionCallInfo fcinfo, const ClvSample *sample, CoxTies ties, const text *errors)
{
	SurvivalFit f;

	if (begin_survival_fit(&f, &cox_model, sample, errors))
		cox_fit(&f.read.rows, f.read.clustered, ties, f.read.errors, &stop_on_cancel, &f.fit, &f.record, &f.report);
	return model_result(fcinfo, end_survival_fit(&f));
}

/* (sample, ties, errors): errors may be NULL */
PG_FUNCTION_INFO_V1(clv_survival_cox_fit);
Datum
clv_survival_cox_fit(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	return fit_cox(fcinfo, PG_GETARG_STORED_SAMPLE(0), ties_of_text(PG_GETARG_TEXT_PP(1)),
				   PG_ARGISNULL(2) ? NULL : PG_GETARG_TEXT_PP(2));
}

/* The final function of the aggregates. */
PG_FUNCTION_INFO_V1(clv_survival_cox_final);
Datum
clv_survival_cox_final(PG_FUNCTION_ARGS)
{
	return fit_cox(fcinfo, PG_GETARG_STORED_SAMPLE(0), TIES_EFRON, NULL);
}
