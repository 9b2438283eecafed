/*
 * regression.h - what the files of the regression room, and the rooms behind it, share: rows of a response and its
 * regressors, and the model that a fit of them becomes.
 */
#ifndef CLV_REGRESSION_H
#define CLV_REGRESSION_H

#include "model.h"
#include "sample.h"

/*
 * Argument x float8[] of SQL functions: the numbers go to x[ROWS_MAX_REGRESSORS], the answer is how many there are, or
 * -1 where one is NULL. An array that is empty, longer or not a list, and numbers that are not finite, are errors.
 */
extern int	regressors_of_array(Datum array, double *x);

/*
 * The number of a cluster: that of a bigint is the bigint, which must be a whole number that a double can hold, that of
 * a text 53 bits of its hash.
 */
extern double cluster_of_bigint(Datum cluster);
extern double cluster_of_text(Datum cluster);

/* A response or treatment that is a number, or true (1) or false (0). */
extern double number_of_float8(Datum value);
extern double number_of_boolean(Datum value);

/*
 * How an argument of a transition function becomes a number. A C function for each type, which the declaration in SQL
 * names: what calls a transition function need not tell it the types of its arguments.
 */
typedef double (*NumberOf) (Datum value);

/* The kind of a model that is a regression with as many regressors as there are x; another is an error. */
extern const ModelKind *regression_operations(const ClvModel *m);
extern void check_regressors(const ClvModel *m, int nx);

/*
 * What a regression with at most an intercept expects at nx regressors x: an error for another number of them, for a
 * model that needs a period and for one within groups.
 */
extern double regression_prediction(const ClvModel *m, const double *x, int nx);

/* A prediction of a model: a range error where it is no finite number, the error of the cancel where that was why. */
extern double checked_prediction(const ClvModel *m, double prediction);

/* What a fit read: n rows, n_distinct different ones; the fingerprint is 0 where the rows are not known any more. */
typedef struct RowsRead
{
	int64		n;
	int64		n_distinct;
	uint64		fingerprint;
} RowsRead;

extern RowsRead rows_read(const ClvSample *stored);

/* A stored sample as a fit reads it, and the errors that were asked for. */
typedef struct SampleToFit
{
	const ClvSample *sample;
	Rows		rows;
	bool		clustered;
	int			nx;
	ErrorKind	errors;
} SampleToFit;

/*
 * Argument errors of a fit is the name of a kind of errors, one of `known` (a bit each, 1 << kind); NULL is 'CR1' for
 * rows with clusters, else 'model'. Another, and 'CR1' without clusters, are errors.
 */
extern SampleToFit sample_to_fit(const ModelKind *kind, const ClvSample *sample, unsigned known, const text *errors);

/* The sample if its rows are those of regression_sample(), with clusters or without; others are an error. */
extern const ClvSample *checked_regression_sample(const ClvSample *sample);

/* A model as the result of an SQL function, NULL for NULL. */
static inline Datum
model_result(FunctionCallInfo fcinfo, const ClvModel *m)
{
	fcinfo->isnull = m == NULL;
	return PointerGetDatum(m);
}

/*
 * The model of a fit of nx regressors; frame counts what was dropped. NULL, after a WARNING that says why, where the
 * data cannot determine it (FIT_IMPOSSIBLE); a fit that did not converge, and one with columns whose effect cannot be
 * told, is returned after a WARNING that names them. A fit that was stopped raises the error of the cancel.
 */
extern ClvModel *regression_model(const ModelKind *kind, int nx, const FitResult *fit, const RegressionRecord *record,
								  const Frame *frame, const RowsRead *read);

#endif
