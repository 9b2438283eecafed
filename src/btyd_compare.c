/*
 * btyd_compare.c - choosing among models: likelihood-ratio tests, all models of one sample, and what the gamma-gamma
 * model takes for granted.
 */
#include "btyd.h"

#include <math.h>

#include "funcapi.h"
#include "math/correlation.h"
#include "math/inference.h"
#include "miscadmin.h"
#include "utils/builtins.h"

/* ---- likelihood-ratio tests -------------------------------------------------------------------- */

/* A maximum of the likelihood is what the test compares. */
static void
check_maximum(const ClvModel *m)
{
	check_no_prior(m);
	if (!(m->flags & MODEL_FITTED) || !(m->flags & MODEL_CONVERGED))
		argument_error("the test needs models that were fitted and converged",
					   "Fit a larger group of customers, or see glance(model).", "The %s model %s.",
					   model_operations(m)->title,
					   (m->flags & MODEL_FITTED) ? "did not converge" : "was typed in");
	if (is_regression(model_operations(m)) && m->fit.fingerprint == 0)
		argument_error("it is not known which rows the model was fitted to",
					   "Test terms of the larger model: wald_test(model, terms).",
					   "The %s model was fitted to sums over rows.", model_operations(m)->title);
	if (m->fit.own_weight != 1)
		argument_error("the test needs fits to the data alone", "Pass the cohorts' own fits.",
					   "A model was drawn towards a prior: the weight of its own data is %g.", m->fit.own_weight);
}

static void
check_same_terms(const ClvModel *a, const ClvModel *b)
{
	if (a->frame.unit_days != b->frame.unit_days)
		argument_error("the models count in different time units", "Fit both in one unit: likelihoods depend on it.",
					   "The units are %g and %g days; 0 is none.", a->frame.unit_days, b->frame.unit_days);
	if (a->frame.as_of != b->frame.as_of)
		argument_error("the models were fitted as of different days", "Fit both as of the same day.",
					   "The days are %s and %s.", day_text(a->frame.as_of), day_text(b->frame.as_of));
}

static void
check_same_rows(int64 n, uint64 fingerprint, const ClvModel *other)
{
	if (n != other->fit.n || fingerprint != other->fit.fingerprint)
		argument_error("the models were fitted to different customers",
					   "Fit them to the same stored sample, or its groups; "
					   "without NULLs among the covariates if only one has them.",
					   "They were fitted to " INT64_FORMAT " and " INT64_FORMAT " rows%s.", n, other->fit.n,
					   n == other->fit.n ? ", which differ" : "");
}

/* The row (statistic, df, p_value). */
static Datum
likelihood_ratio(FunctionCallInfo fcinfo, double restricted, double full, int df)
{
	double		statistic = 2 * (full - restricted);
	double		p_value;
	Datum		values[3];
	bool		nulls[3] = {false};

	/* both are maxima; what is left is their rounding */
	if (statistic < -1e-6 * (1 + fabs(full)))
		argument_error("the larger model fits worse than the smaller one",
					   "One of the two stopped at a maximum that is not the highest: compare their parameters.",
					   "The log-likelihoods are %.10g and %.10g.", full, restricted);
	statistic = fmax(statistic, 0);
	p_value = chi_square_tail(statistic, df);
	values[0] = Float8GetDatum(statistic);
	values[1] = Int32GetDatum(df);
	values[2] = Float8GetDatum(p_value);
	nulls[2] = isnan(p_value);
	return result_row(fcinfo, values, nulls);
}

/* Whether setting parameters of `full` to values inside their ranges makes it `restricted`. */
static bool
is_nested(const ClvModel *restricted, const ClvModel *full)
{
	if (restricted->code == full->code)
		return known_params(restricted) < known_params(full);
	return model_operations(full)->nests == model_operations(restricted);
}

/* (restricted, full) */
PG_FUNCTION_INFO_V1(clv_lr_test);
Datum
clv_lr_test(PG_FUNCTION_ARGS)
{
	ClvModel   *restricted = PG_GETARG_MODEL(0);
	ClvModel   *full = PG_GETARG_MODEL(1);

	check_maximum(restricted);
	check_maximum(full);
	if (!is_nested(restricted, full))
		argument_error("the first model is no special case of the second",
					   "Compare AIC instead: compare_models(sample), or glance(array[a, b]).",
					   "They are a %s model of %d parameters and a %s model of %d.",
					   model_operations(restricted)->title, restricted->nparams, model_operations(full)->title,
					   full->nparams);
	check_same_terms(restricted, full);
	check_same_rows(restricted->fit.n, restricted->fit.fingerprint, full);
	return likelihood_ratio(fcinfo, restricted->fit.log_likelihood, full->fit.log_likelihood,
							known_params(full) - known_params(restricted));
}

/* (pooled, models of the cohorts) */
PG_FUNCTION_INFO_V1(clv_lr_test_cohorts);
Datum
clv_lr_test_cohorts(PG_FUNCTION_ARGS)
{
	ClvModel   *pooled = PG_GETARG_MODEL(0);
	int			ncohorts;
	ClvModel  **cohorts = models_of_array(PG_GETARG_ARRAYTYPE_P(1), &ncohorts);
	double		log_likelihood = 0;
	int64		n = 0;
	uint64		fingerprint = 0;

	check_maximum(pooled);
	if (ncohorts < 2)
		argument_error("the test needs at least two cohorts", "Pass array_agg(model) of all cohorts.",
					   "The array has %d.", ncohorts);
	for (int i = 0; i < ncohorts; i++)
	{
		const ClvModel *m = cohorts[i];

		if (m == NULL)
			argument_error("a cohort has no model", "Put cohorts that cannot be fitted together with others.",
						   "Element %d of the array is NULL.", i + 1);
		check_maximum(m);
		if (m->code != pooled->code || m->nparams != pooled->nparams)
			argument_error("the models are of different kinds",
						   "Fit the same model to the cohorts and to all customers.",
						   "They are a %s model of %d parameters and a %s model of %d.",
						   model_operations(pooled)->title, pooled->nparams, model_operations(m)->title, m->nparams);
		check_same_terms(m, pooled);
		if (n > MAX_COUNT - m->fit.n)
			range_error("the cohorts have too many customers", NULL, "At most %.0f can be counted.", MAX_COUNT);
		n += m->fit.n;
		fingerprint += m->fit.fingerprint;
		log_likelihood += m->fit.log_likelihood;
	}
	check_same_rows(n, fingerprint, pooled);
	return likelihood_ratio(fcinfo, pooled->fit.log_likelihood, log_likelihood, (ncohorts - 1) * pooled->nparams);
}

/* ---- all models of a sample -------------------------------------------------------------------- */

typedef struct Candidate
{
	const ModelKind *kind;
	ClvModel   *model;			/* NULL where it cannot be fitted */
	double		aic;			/* NAN unless it converged: then only is it the model's */
} Candidate;

/* What has an AIC comes first, the lowest before others; then what did not converge; then what has no model. */
static int
compare_candidates(const void *a, const void *b)
{
	const Candidate *x = a;
	const Candidate *y = b;

	if (isnan(x->aic) || isnan(y->aic))
	{
		if (isnan(x->aic) != isnan(y->aic))
			return isnan(x->aic) ? 1 : -1;
		if ((x->model == NULL) != (y->model == NULL))
			return x->model == NULL ? 1 : -1;
		return x->kind->code - y->kind->code;
	}
	if (x->aic != y->aic)
		return x->aic < y->aic ? -1 : 1;
	return x->kind->code - y->kind->code;
}

/* The columns of compare_models(), in the order of its declaration. */
enum
{
	COMPARE_KIND, COMPARE_PARAMETERS, COMPARE_LOG_LIKELIHOOD, COMPARE_AIC, COMPARE_DELTA_AIC, COMPARE_AIC_WEIGHT,
	COMPARE_CONVERGED, COMPARE_MODEL, COMPARE_COLUMNS
};

static void
put_candidate(ReturnSetInfo *rsinfo, const Candidate *c, double best, double weights)
{
	Datum		values[COMPARE_COLUMNS] = {0};
	bool		nulls[COMPARE_COLUMNS];

	memset(nulls, true, sizeof(nulls));
	values[COMPARE_KIND] = CStringGetTextDatum(c->kind->kind);
	nulls[COMPARE_KIND] = false;
	if (c->model)
	{
		values[COMPARE_PARAMETERS] = Int32GetDatum(c->model->nparams);
		values[COMPARE_LOG_LIKELIHOOD] = Float8GetDatum(c->model->fit.log_likelihood);
		values[COMPARE_CONVERGED] = BoolGetDatum((c->model->flags & MODEL_CONVERGED) != 0);
		values[COMPARE_MODEL] = PointerGetDatum(c->model);
		nulls[COMPARE_PARAMETERS] = nulls[COMPARE_LOG_LIKELIHOOD] = false;
		nulls[COMPARE_CONVERGED] = nulls[COMPARE_MODEL] = false;
	}
	if (!isnan(c->aic))
	{
		values[COMPARE_AIC] = Float8GetDatum(c->aic);
		values[COMPARE_DELTA_AIC] = Float8GetDatum(c->aic - best);
		values[COMPARE_AIC_WEIGHT] = Float8GetDatum(exp(-0.5 * (c->aic - best)) / weights);
		nulls[COMPARE_AIC] = nulls[COMPARE_DELTA_AIC] = nulls[COMPARE_AIC_WEIGHT] = false;
	}
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

PG_FUNCTION_INFO_V1(clv_compare_models);
Datum
clv_compare_models(PG_FUNCTION_ARGS)
{
	ClvSample  *sample = PG_GETARG_STORED_SAMPLE(0);
	Candidate  *candidates = NULL;
	ReturnSetInfo *rsinfo = result_set(fcinfo);
	int			n = 0;
	double		weights = 0;

	for (int i = 0; model_kind_at(i) != NULL; i++)
	{
		Candidate	c = {.kind = model_kind_at(i), .aic = NAN};

		if (!can_fit(c.kind, sample))
			continue;
		c.model = fit_sample_with_prior(c.kind, sample, NULL);
		if (c.model && (c.model->flags & MODEL_CONVERGED))
			c.aic = 2 * c.model->nparams - 2 * c.model->fit.log_likelihood;
		candidates = candidates ? repalloc(candidates, (n + 1) * sizeof(Candidate)) : palloc(sizeof(Candidate));
		candidates[n++] = c;
	}
	if (n == 0)
		argument_error("no model is fitted to such a sample", "Pass a sample of clv_sample() or of another fit.",
					   "It holds %s rows with %d covariates.", row_kind_name(sample->kind), sample_covariates(sample));
	warn_of_sample(sample);
	qsort(candidates, n, sizeof(Candidate), compare_candidates);
	for (int i = 0; i < n && !isnan(candidates[i].aic); i++)
		weights += exp(-0.5 * (candidates[i].aic - candidates[0].aic));
	for (int i = 0; i < n; i++)
		put_candidate(rsinfo, &candidates[i], candidates[0].aic, weights);
	return (Datum) 0;
}

/* ---- spend and frequency ----------------------------------------------------------------------- */

/* (sample, conf): the row (correlation, conf_low, conf_high, n) */
PG_FUNCTION_INFO_V1(clv_spend_frequency_correlation);
Datum
clv_spend_frequency_correlation(PG_FUNCTION_ARGS)
{
	ClvSample  *sample = PG_GETARG_STORED_SAMPLE(0);
	double		conf = checked_conf(PG_GETARG_FLOAT8(1));
	Rows		rows = sample_rows(sample);
	Correlation c;
	Datum		values[4];
	bool		nulls[4] = {false};

	if (sample->kind != ROWS_SPEND)
		argument_error("this needs a sample of spend rows",
					   "spend_sample(history, as_of) and clv_sample(x, monetary_value) make one.",
					   "The sample holds %s rows.", row_kind_name(sample->kind));
	c = correlate(&rows, conf);
	values[0] = Float8GetDatum(c.value);
	values[1] = Float8GetDatum(c.conf_low);
	values[2] = Float8GetDatum(c.conf_high);
	values[3] = Int64GetDatum(sample->n);
	nulls[0] = isnan(c.value);
	nulls[1] = isnan(c.conf_low);
	nulls[2] = isnan(c.conf_high);
	return result_row(fcinfo, values, nulls);
}
