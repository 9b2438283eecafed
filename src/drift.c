/*
 * drift.c - whether a relation, or the distribution of an input, changed between periods.
 */
#include "regression.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "math/drift.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* A row of numbers, NULL for NAN; beyond the range of a double NULL, too. */
static Datum
row_of_numbers(FunctionCallInfo fcinfo, const double *row, int columns)
{
	Datum		values[9] = {0};
	bool		nulls[9] = {false};

	Assert(columns <= lengthof(values));
	set_numbers(values, nulls, 0, row, columns);
	return result_row(fcinfo, values, nulls);
}

/* The elements of a list of a type of eight bytes, without a NULL, and how many; `what` names it in errors. */
static Datum *
elements_of_list(ArrayType *array, Oid type, const char *what, int *n)
{
	Datum	   *elements;

	if (ARR_NDIM(array) > 1)
		argument_error(psprintf("%s must be a list", what), "Write array[a, b, c], or array_agg(x ORDER BY y).",
					   "It is an array of %d dimensions.", ARR_NDIM(array));
	if (array_contains_nulls(array))
		argument_error(psprintf("%s must not hold NULL", what), "Leave such elements out of all lists.",
					   "At least one of its %d elements is NULL.", ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)));
	deconstruct_array(array, type, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &elements, NULL, n);
	return elements;
}

static double *
numbers_of_list(ArrayType *array, const char *what, int *n)
{
	Datum	   *elements = elements_of_list(array, FLOAT8OID, what, n);
	double	   *numbers = palloc(Max(*n, 1) * sizeof(double));

	for (int i = 0; i < *n; i++)
		numbers[i] = DatumGetFloat8(elements[i]);
	return numbers;
}

static void
check_lengths(int n, int m, const char *what)
{
	if (n != m)
		argument_error(psprintf("%s must be of the same length", what),
					   "Build all lists by one query, in the same order.", "They have %d and %d elements.", n, m);
}

/* ---- one term of models ---------------------------------------------------------------------------- */

/* The estimate of a term; its variance is NAN where the model does not know one. */
static TermEstimate
estimate_of_term(const ClvModel *m, const text *term)
{
	const double *covariance = model_covariance(m);
	TermEstimate estimate = {NAN, NAN, NAN};
	int			i;

	regression_operations(m);
	i = term_of_model(m, term);
	estimate.estimate = m->values[i];
	if (covariance && !isnan(estimate.estimate))
	{
		estimate.variance = covariance[i * m->nparams + i];
		estimate.df = model_record(m).df;
	}
	return estimate;
}

/* An effect given other regressors, or of another kind of model, is another effect. */
static void
check_comparable(const ClvModel *a, const ClvModel *b)
{
	const ModelKind *kind_a = regression_operations(a);
	const ModelKind *kind_b = regression_operations(b);

	if (kind_a != kind_b || a->nparams != b->nparams)
		argument_error("the models do not have the same terms",
					   "Fit models of one kind with the same regressors, in the same order, to both periods.",
					   "One is a %s model of %d regressors, the other a %s model of %d.", kind_a->title,
					   model_covariates(a, kind_a), kind_b->title, model_covariates(b, kind_b));
}

static void
warn_of_no_estimate(const text *term)
{
	ereport(WARNING,
			(errmsg("the change of a term is not known"),
			 errdetail("A model has no estimate of \"%s\", or no standard error.", excerpt(text_to_cstring(term))),
			 errhint("tidy(model) shows what it has; a column that is a combination of others has none.")));
}

/* coefficient_drift(before, after, term, conf): before, after, difference, std_error, statistic, df, p, interval */
PG_FUNCTION_INFO_V1(clv_impact_coefficient_drift);
Datum
clv_impact_coefficient_drift(PG_FUNCTION_ARGS)
{
	const ClvModel *a = PG_GETARG_MODEL(0);
	const ClvModel *b = PG_GETARG_MODEL(1);
	const text *term = PG_GETARG_TEXT_PP(2);
	double		conf = checked_conf(PG_GETARG_FLOAT8(3));
	TermEstimate before;
	TermEstimate after;
	TermChange	c;

	check_comparable(a, b);
	before = estimate_of_term(a, term);
	after = estimate_of_term(b, term);
	c = term_change(before, after, conf);
	if (isnan(c.statistic))
		warn_of_no_estimate(term);
	return row_of_numbers(fcinfo, (double[]) {before.estimate, after.estimate, c.difference, c.std_error, c.statistic,
						  c.df, c.p_value, c.conf_low, c.conf_high}, 9);
}

/* chow_test(a, b, both): least-squares fits of each sample and of both; statistic, df1, df2, p_value */
PG_FUNCTION_INFO_V1(clv_impact_chow_test);
Datum
clv_impact_chow_test(PG_FUNCTION_ARGS)
{
	ResidualSquares fits[3];
	FTest		test;

	for (int i = 0; i < 3; i++)
	{
		const ClvModel *m = PG_GETARG_MODEL(i);
		RegressionRecord record = model_record(m);

		/* with clusters, the degrees of freedom are not those of the residuals */
		if (regression_operations(m) != &lm_model || !isnan(record.clusters))
			argument_error("Chow's test needs least-squares fits without clusters", "Pass moments: clv_moments(y, x).",
						   "One is a %s model of %g clusters.", model_operations(m)->title, record.clusters);
		fits[i] = (ResidualSquares) {record.df > 0 ? record.sigma * record.sigma * record.df : 0, record.df};
	}
	test = chow_test(fits[0], fits[1], fits[2]);
	if (isnan(test.statistic))
		ereport(WARNING,
				(errmsg("Chow's test is not defined"),
				 errdetail("The fits leave %g degrees of freedom, and %g of the fit to both.", test.df2, test.df1),
				 errhint("It takes more rows than coefficients, and a response that is not fitted exactly.")));
	return row_of_numbers(fcinfo, (double[]) {test.statistic, test.df1, test.df2, test.p_value}, 4);
}

/* ---- several periods ----------------------------------------------------------------------------- */

/* cochran_q(estimates, std_errors): q, df, p_value, i_squared, tau_squared, pooled, pooled_std_error */
PG_FUNCTION_INFO_V1(clv_impact_cochran_q);
Datum
clv_impact_cochran_q(PG_FUNCTION_ARGS)
{
	int			n;
	int			m;
	double	   *estimates = numbers_of_list(PG_GETARG_ARRAYTYPE_P(0), "estimates", &n);
	double	   *std_errors = numbers_of_list(PG_GETARG_ARRAYTYPE_P(1), "std_errors", &m);
	Heterogeneity h;

	check_lengths(n, m, "estimates and std_errors");
	for (int i = 0; i < n; i++)
		if (!(isfinite(estimates[i]) && isfinite(std_errors[i]) && std_errors[i] > 0))
			argument_error("estimates must be finite, and standard errors finite and above 0",
						   "Leave periods out that have no estimate.", "Element %d: estimate %g, standard error %g.",
						   i + 1, estimates[i], std_errors[i]);
	if (n == 0)
	{
		ereport(WARNING,
				(errmsg("there are no estimates"), errdetail("The lists are empty, or of no element that has both."),
				 errhint("Cochran's Q compares two estimates or more.")));
		PG_RETURN_NULL();
	}
	h = cochran_heterogeneity(estimates, std_errors, n);
	if (!(isfinite(h.q) && isfinite(h.pooled_std_error) && h.pooled_std_error > 0))
		range_error("Cochran's Q is out of range", "Give estimates and standard errors in another unit.",
					"Q came out as %g from %d estimates.", h.q, n);
	return row_of_numbers(fcinfo, (double[]) {h.q, h.df, h.p_value, h.i_squared, h.tau_squared, h.pooled,
						  h.pooled_std_error}, 7);
}

/* The elements of a list of texts, which may be NULL. */
static Datum *
texts_of_list(ArrayType *array, const char *what, int expected, bool **nulls)
{
	Datum	   *elements;
	int			n;

	if (ARR_NDIM(array) > 1)
		argument_error(psprintf("%s must be a list", what), "Write array['a', 'b', 'c'], or array_agg(x ORDER BY y).",
					   "It is an array of %d dimensions.", ARR_NDIM(array));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, nulls, &n);
	check_lengths(expected, n, psprintf("models and %s", what));
	return elements;
}

/*
 * clv_drift_steps(models, periods, term, versions, conf): of each period its number, name, version, estimate,
 * std_error, the number of the period it is compared with, the last one before that has an estimate, change and
 * p_value. Versions may be NULL: none is known. Without another argument there are no rows. conf is checked alone.
 */
PG_FUNCTION_INFO_V1(clv_impact_drift_steps);
Datum
clv_impact_drift_steps(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = result_set(fcinfo);
	int			n;
	ClvModel  **models;
	bool	   *no_period;
	bool	   *no_version;
	Datum	   *periods;
	Datum	   *versions = NULL;
	const text *term;
	TermEstimate before = {NAN, NAN, NAN};
	int			last = -1;		/* the period of `before` */
	const ClvModel *first = NULL;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(4))
		return (Datum) 0;
	models = models_of_array(PG_GETARG_ARRAYTYPE_P(0), &n);
	periods = texts_of_list(PG_GETARG_ARRAYTYPE_P(1), "periods", n, &no_period);
	term = PG_GETARG_TEXT_PP(2);
	if (!PG_ARGISNULL(3))
		versions = texts_of_list(PG_GETARG_ARRAYTYPE_P(3), "versions", n, &no_version);
	checked_conf(PG_GETARG_FLOAT8(4));
	for (int i = 0; i < n; i++)
	{
		TermEstimate estimate = models[i] ? estimate_of_term(models[i], term) : (TermEstimate) {NAN, NAN, NAN};
		TermChange	c = term_change(before, estimate, 0.95);
		bool		has_estimate = estimate.variance > 0;
		Datum		values[8] = {Int32GetDatum(i + 1), periods[i], versions ? versions[i] : (Datum) 0};
		bool		nulls[8] = {false, no_period[i], !versions || no_version[i]};

		if (first && models[i])
			check_comparable(first, models[i]);
		first = first ? first : models[i];
		set_number(values, nulls, 3, estimate.estimate);
		set_number(values, nulls, 4, has_estimate ? sqrt(estimate.variance) : NAN);
		set_number(values, nulls, 6, c.difference);
		set_number(values, nulls, 7, c.p_value);
		nulls[5] = last < 0;
		values[5] = Int32GetDatum(last + 1);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		if (has_estimate)
		{
			before = estimate;
			last = i;
		}
	}
	return (Datum) 0;
}

/* ---- inputs -------------------------------------------------------------------------------------- */

static double *
checked_counts(Datum *elements, int bins, const char *what)
{
	double	   *counts = palloc(Max(bins, 1) * sizeof(double));
	double		total = 0;

	for (int i = 0; i < bins; i++)
	{
		int64		count = DatumGetInt64(elements[i]);

		if (count < 0 || (double) count > MAX_COUNT)
			argument_error(psprintf("%s must hold counts", what), "Count the rows of each bin.",
						   "Element %d is %lld.", i + 1, (long long) count);
		if (count == 0)
			argument_error("a bin is empty",
						   "Merge it with a bin beside it, in both lists: the index of a share of 0 is infinite.",
						   "Element %d of %s is 0.", i + 1, what);
		counts[i] = count;
		total += count;
		if (total > MAX_COUNT)
			range_error("there are too many rows", "The counts of all bins may add up to 2^53.",
						"The first %d elements of %s are more.", i + 1, what);
	}
	return counts;
}

/* psi(expected, actual): psi, p_value, null_mean, n_expected, n_actual, bins */
PG_FUNCTION_INFO_V1(clv_impact_psi);
Datum
clv_impact_psi(PG_FUNCTION_ARGS)
{
	int			bins;
	int			m;
	Datum	   *expected = elements_of_list(PG_GETARG_ARRAYTYPE_P(0), INT8OID, "expected", &bins);
	Datum	   *actual = elements_of_list(PG_GETARG_ARRAYTYPE_P(1), INT8OID, "actual", &m);
	StabilityIndex s;
	Datum		values[6];
	bool		nulls[6] = {false};

	check_lengths(bins, m, "expected and actual");
	if (bins < 2)
		argument_error("the stability index needs two bins at least",
					   "Count the rows of each bin; five to ten are usual.", "There are %d.", bins);
	s = stability_index(checked_counts(expected, bins, "expected"), checked_counts(actual, bins, "actual"), bins);
	values[0] = Float8GetDatum(s.psi);
	values[1] = Float8GetDatum(s.p_value);
	values[2] = Float8GetDatum(s.null_mean);
	values[3] = Int64GetDatum((int64) s.n_expected);
	values[4] = Int64GetDatum((int64) s.n_actual);
	values[5] = Int32GetDatum(bins);
	return result_row(fcinfo, values, nulls);
}
