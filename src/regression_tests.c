/*
 * regression_tests.c - joint tests of terms of a regression; p-values of several tests, adjusted within a partition.
 */
#include "regression.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "math/inference.h"
#include "math/matrix.h"
#include "math/ranks.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "windowapi.h"

/* ---- joint tests of terms ---------------------------------------------------------------------- */

/* Terms of which one's variance given the others is a smaller part of its own than this are lost in rounding. */
#define LARGEST_INFLATION 1e10

/* What a test asks: parameters of the model, and what they are if the hypothesis is true. */
typedef struct Hypothesis
{
	int			n;
	int			param[FIT_MAX_PARAMS];
	double		value[FIT_MAX_PARAMS];
} Hypothesis;

/* The names of all terms that can be tested. */
static const char *
known_terms(const ClvModel *m, const ModelKind *kind)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < m->nparams; i++)
		if (!isnan(m->values[i]))
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", param_name(kind, model_covariates(m, kind), i));
	return names.data;
}

static int
param_of_term(const ClvModel *m, const ModelKind *kind, const char *term)
{
	for (int i = 0; i < m->nparams; i++)
	{
		if (strcmp(param_name(kind, model_covariates(m, kind), i), term) != 0)
			continue;
		if (isnan(m->values[i]))
			argument_error(psprintf("the effect of %s cannot be told, and not be tested", term), "Test other terms.",
						   "The terms of the %s model with an estimate are %s.", kind->title, known_terms(m, kind));
		return i;
	}
	argument_error("unknown term of the model", "tidy(model) lists the terms.",
				   "There is no \"%s\" in the %s model; its terms are %s.", excerpt(term), kind->title,
				   known_terms(m, kind));
}

static void
check_list(const ArrayType *array, const char *what)
{
	if (ARR_NDIM(array) != 1)
		argument_error(psprintf("%s must be a list that is not empty", what), "Write terms as ARRAY['x1', 'x2'].",
					   "The array has %d dimensions.", ARR_NDIM(array));
	if (array_contains_nulls((ArrayType *) array))
		argument_error(psprintf("%s must not be NULL", what), "Leave out terms that are not tested.",
					   "The array has a NULL.");
}

/* Arguments 1, the terms, and perhaps 2, their values, else 0. */
static Hypothesis
hypothesis_of_args(FunctionCallInfo fcinfo, const ClvModel *m, const ModelKind *kind)
{
	ArrayType  *terms = PG_GETARG_ARRAYTYPE_P(1);
	Hypothesis	h = {0};
	Datum	   *names;
	int			n;

	check_list(terms, "terms");
	deconstruct_array(terms, TEXTOID, -1, false, TYPALIGN_INT, &names, NULL, &n);
	if (n > m->nparams)
		argument_error("there are more terms to test than the model has", "Name each once.",
					   "There are %d; the terms of the %s model are %s.", n, kind->title, known_terms(m, kind));
	for (; h.n < n; h.n++)
	{
		h.param[h.n] = param_of_term(m, kind, TextDatumGetCString(names[h.n]));
		for (int i = 0; i < h.n; i++)
			if (h.param[i] == h.param[h.n])
				argument_error("a term is named twice", "Name each once.", "It is \"%s\".",
							   TextDatumGetCString(names[h.n]));
	}
	if (PG_NARGS() > 2)
	{
		ArrayType  *values = PG_GETARG_ARRAYTYPE_P(2);

		check_list(values, "values");
		if (ARR_DIMS(values)[0] != n)
			argument_error("values must be as many as terms", "Pass one value for each term, in the same order.",
						   "There are %d terms and %d values.", n, ARR_DIMS(values)[0]);
		memcpy(h.value, ARR_DATA_PTR(values), n * sizeof(double));
		for (int i = 0; i < n; i++)
			if (!isfinite(h.value[i]))
				argument_error("values must be finite", "Test against a number that the term can have.",
							   "Value %d is %g.", i + 1, h.value[i]);
	}
	return h;
}

/* Wald's chi-square; NAN where the covariance does not tell the terms apart, a range error where no number holds it. */
static double
wald_statistic(const ClvModel *m, const Hypothesis *h)
{
	const double *covariance = model_covariance(m);
	double		block[FIT_MAX_PARAMS * FIT_MAX_PARAMS];
	double		inverse[FIT_MAX_PARAMS * FIT_MAX_PARAMS];
	double		sum = 0;

	for (int i = 0; i < h->n; i++)
		for (int j = 0; j < h->n; j++)
			block[i * h->n + j] = covariance[h->param[i] * m->nparams + h->param[j]];
	if (!invert_positive(block, h->n, inverse))
		return NAN;
	for (int i = 0; i < h->n; i++)
	{
		if (!(block[i * h->n + i] * inverse[i * h->n + i] < LARGEST_INFLATION))
			return NAN;
		for (int j = 0; j < h->n; j++)
			sum += (m->values[h->param[i]] - h->value[i]) * inverse[i * h->n + j] *
				(m->values[h->param[j]] - h->value[j]);
	}
	if (!isfinite(sum))
		range_error("the statistic is out of range", "Test against values near the estimates.",
					"The squared distance of the estimates from the values is %g.", sum);
	return sum;
}

/* wald_test(model, terms [, values]): statistic, df, df_residual, p_value */
PG_FUNCTION_INFO_V1(clv_regression_wald_test);
Datum
clv_regression_wald_test(PG_FUNCTION_ARGS)
{
	const ClvModel *m = PG_GETARG_MODEL(0);
	const ModelKind *kind = regression_operations(m);
	RegressionRecord record = model_record(m);
	Hypothesis	h = hypothesis_of_args(fcinfo, m, kind);
	bool		few_clusters = h.n > record.clusters - 1;
	double		statistic = NAN;
	Datum		values[4] = {0};
	bool		nulls[4] = {false};

	if (model_covariance(m) == NULL)
		argument_error("a test needs the covariance of the model", "Fit with errors that exist for these data.",
					   "The %s model has none.", kind->title);
	if (!few_clusters)
		statistic = wald_statistic(m, &h);
	if (isnan(statistic))
		ereport(WARNING,
				(errmsg("the terms cannot be tested together"),
				 few_clusters ? errdetail("There are %d terms and only %.0f clusters.", h.n, record.clusters) :
				 errdetail("Their covariance has no inverse: what is known of one follows from the others."),
				 errhint("Test fewer terms, or subtract from each regressor a number near its mean and fit again.")));
	if (!isnan(record.df))
		statistic /= h.n;
	values[0] = Float8GetDatum(statistic);
	nulls[0] = nulls[3] = isnan(statistic);
	values[1] = Int32GetDatum(h.n);
	values[2] = Float8GetDatum(record.df);
	nulls[2] = isnan(record.df);
	values[3] = Float8GetDatum(isnan(record.df) ? chi_square_tail(statistic, h.n) : f_tail(statistic, h.n, record.df));
	return result_row(fcinfo, values, nulls);
}

/* ---- several tests ----------------------------------------------------------------------------- */

/* A p-value and its row in the partition. */
typedef struct Tested
{
	double		p;
	int64		row;
} Tested;

#define ST_SORT sort_tested
#define ST_ELEMENT_TYPE Tested
#define ST_COMPARE(a, b) ((a)->p < (b)->p ? -1 : (a)->p > (b)->p)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* What is kept of a partition: the adjusted p-value of each row, NAN for a NULL. */
typedef struct Partition
{
	bool		read;
	double		adjusted[FLEXIBLE_ARRAY_MEMBER];
} Partition;

/* The p-values of the partition that are not NULL; their number. */
static int64
read_p_values(WindowObject window, int64 nrows, Tested *tested)
{
	int64		n = 0;

	for (int64 i = 0; i < nrows; i++)
	{
		bool		isnull;
		double		p = DatumGetFloat8(WinGetFuncArgInPartition(window, 0, (int) i, WINDOW_SEEK_HEAD, false, &isnull,
																NULL));

		CHECK_FOR_INTERRUPTS();
		if (isnull)
			continue;
		if (!(p >= 0 && p <= 1))
			argument_error("p must be between 0 and 1", "Adjust the p-values of tests; leave out what is none.",
						   "p is %g.", p);
		tested[n++] = (Tested) {p + 0.0, i};
	}
	return n;
}

static void
adjust_partition(WindowObject window, int64 nrows, void (*adjust) (double *p, size_t n), double *adjusted)
{
	Tested	   *tested = palloc_extended(nrows * sizeof(Tested), MCXT_ALLOC_HUGE);
	double	   *p = palloc_extended(nrows * sizeof(double), MCXT_ALLOC_HUGE);
	int64		n = read_p_values(window, nrows, tested);

	if (n > 1)
		sort_tested(tested, n);
	for (int64 i = 0; i < n; i++)
		p[i] = tested[i].p;
	adjust(p, n);
	for (int64 i = 0; i < nrows; i++)
		adjusted[i] = NAN;
	for (int64 i = 0; i < n; i++)
		adjusted[tested[i].row] = p[i];
	pfree(tested);
	pfree(p);
}

static Datum
adjusted_window(FunctionCallInfo fcinfo, void (*adjust) (double *p, size_t n))
{
	WindowObject window = PG_WINDOW_OBJECT();
	int64		nrows = WinGetPartitionRowCount(window);
	Size		size = offsetof(Partition, adjusted) + nrows * sizeof(double);
	Partition  *partition;
	double		p;

	if (size > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many tests in one partition"),
				 errdetail("There are %lld rows; a partition is limited to 1 GB.", (long long) nrows),
				 errhint("Use PARTITION BY, or adjust the smallest p-values by hand.")));
	partition = WinGetPartitionLocalMemory(window, size);
	if (!partition->read)
	{
		adjust_partition(window, nrows, adjust, partition->adjusted);
		partition->read = true;
	}
	p = partition->adjusted[WinGetCurrentPosition(window)];
	if (isnan(p))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(p);
}

PG_FUNCTION_INFO_V1(clv_regression_benjamini_hochberg);
Datum
clv_regression_benjamini_hochberg(PG_FUNCTION_ARGS)
{
	return adjusted_window(fcinfo, adjust_benjamini_hochberg);
}

PG_FUNCTION_INFO_V1(clv_regression_holm);
Datum
clv_regression_holm(PG_FUNCTION_ARGS)
{
	return adjusted_window(fcinfo, adjust_holm);
}
