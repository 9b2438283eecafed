/*
 * model.h - type clv_model: one fitted, or typed-in, model of any kind.
 */
#ifndef CLV_MODEL_H
#define CLV_MODEL_H

#include "frame.h"
#include "math/model_kind.h"
#include "math/fit.h"
#include "math/regression.h"
#include "utils/array.h"

#define MODEL_VERSION 1

/*
 * Three sorts of models: of a fit; typed in, of which nothing but kind, unit, parameters and perhaps their covariance
 * is known; and a prior, which says how the parameters vary between cohorts and predicts nothing.
 */
#define MODEL_FITTED 1
#define MODEL_CONVERGED 2
#define MODEL_HAS_COVARIANCE 4
#define MODEL_PRIOR 8
#define MODEL_ERRORS_SHIFT 4	/* of a regression: the ErrorKind, four bits */
#define MODEL_ERRORS (15 << MODEL_ERRORS_SHIFT)

/* What a fit knows beyond the parameters; all zero in a typed-in model, and but for n in a prior. */
typedef struct FitRecord
{
	int64		n;				/* rows fitted; in a prior the cohorts it comes from */
	int64		n_distinct;
	uint64		fingerprint;	/* of the rows fitted, see sample_fingerprint() */
	double		log_likelihood;
	double		gradient_norm;	/* distance to the maximum in standard errors */
	double		own_weight;		/* share of the data in the parameters: 1 unless drawn towards a prior */
	int32		iterations;
	int32		fitted_by;		/* version of this software: 10203 is 1.2.3 */
} FitRecord;

typedef struct ClvModel
{
	int32		vl_len_;
	uint16		version;
	uint16		flags;
	int32		code;			/* of the ModelKind */
	int32		nparams;		/* the kind's, and two for each covariate, or one for each regressor */
	Frame		frame;
	FitRecord	fit;
	/*
	 * nparams parameters; with MODEL_HAS_COVARIANCE the nparams x nparams covariance of their eta, see math/fit.h; of a
	 * regression the MODEL_RECORD_NUMBERS of its RegressionRecord, df first
	 */
	double		values[FLEXIBLE_ARRAY_MEMBER];
} ClvModel;

#define MODEL_RECORD_NUMBERS 5

static inline double *
record_numbers(const ClvModel *model)
{
	return (double *) ((char *) model + VARSIZE(model)) - MODEL_RECORD_NUMBERS;
}

/* The value a Datum holds, detoasted; an error where a newer version of clv wrote it. */
static inline ClvModel *
model_from_datum(Datum datum)
{
	ClvModel *value = (ClvModel *) PG_DETOAST_DATUM(datum);

	check_version("clv_model", value->version, MODEL_VERSION);
	return value;
}

#define PG_GETARG_MODEL(n) model_from_datum(PG_GETARG_DATUM(n))

/* The operations of a model; an error if this version of the software does not know its kind. */
extern const ModelKind *model_operations(const ClvModel *model);

static inline const double *
model_covariance(const ClvModel *model)
{
	return (model->flags & MODEL_HAS_COVARIANCE) ? model->values + model->nparams : NULL;
}

/* How many covariates, or regressors, it has. */
static inline int
model_covariates(const ClvModel *model, const ModelKind *kind)
{
	return (model->nparams - kind->nparams) / (is_regression(kind) ? 1 : 2);
}

/* What the fit of a regression knows beyond its FitRecord. */
extern RegressionRecord model_record(const ClvModel *model);
extern void set_model_record(ClvModel *model, const RegressionRecord *record);

/* "model", "HC0", ... of a kind of errors */
extern const char *error_kind_name(ErrorKind errors);

/* How many parameters a model has, but for columns whose effect cannot be told. */
extern int	known_params(const ClvModel *model);

/* A new model with room for its parameters and, if wanted, their covariance; values are zero. */
extern ClvModel *new_model(const ModelKind *kind, int ncovariates, const Frame *frame, bool with_covariance);

/*
 * Name of parameter i of a model of that kind with so many covariates: one of the kind's, or palloc'd: purchase_1 is
 * the effect of the first covariate on the purchase rate, dropout_1 that on dropout; of a regression x1 is that of
 * x[1].
 */
extern const char *param_name(const ModelKind *kind, int ncovariates, int i);

/* tidy(): a row for each parameter; names, or NULL, are texts, one for each covariate or regressor. */
extern Datum tidy_model(FunctionCallInfo fcinfo, const ClvModel *m, double conf, Datum *names);

/* Which parameter of the model has that name; an error lists the names where none has. */
extern int	term_of_model(const ClvModel *m, const text *name);

/* A parameter on the scale on which its covariance is (see math/fit.h), and back. */
extern double eta_of_param(const ModelKind *kind, int i, double value);
extern double param_of_eta(const ModelKind *kind, int i, double eta);

/* The canonical bytes of the numbers that were computed into a model: -0 becomes 0. */
extern void canonicalize_model(ClvModel *model);

/* What is wrong with a model that came from outside, or with its parameters alone, as a static message, or NULL. */
extern const char *model_problem(const ClvModel *model);
extern const char *parameters_problem(const ClvModel *model, const ModelKind *kind);

/* A confidence unless it is not between 0 and 1, which is an error. */
extern double checked_conf(double conf);

/* The elements of a one-dimensional array of models, detoasted; NULL for an element that is NULL. */
extern ClvModel **models_of_array(ArrayType *array, int *n);

/* "1.2.3" of 10203, palloc'd */
extern char *version_text(int32 version);

#endif
