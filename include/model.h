/*
 * model.h - type clv_model: one fitted, or typed-in, model of any kind.
 */
#ifndef CLV_MODEL_H
#define CLV_MODEL_H

#include "frame.h"
#include "math/btyd_model.h"
#include "math/fit.h"

#define MODEL_VERSION 1

#define MODEL_FITTED 1			/* else typed in: nothing but kind, unit and parameters is known */
#define MODEL_CONVERGED 2
#define MODEL_HAS_COVARIANCE 4

/* What a fit knows beyond the parameters; all zero in a typed-in model. */
typedef struct FitRecord
{
	int64		n;				/* rows fitted */
	int64		n_distinct;
	double		log_likelihood;
	double		gradient_norm;	/* distance to the maximum in standard errors */
	int32		iterations;
	int32		fitted_by;		/* version of this software: 10203 is 1.2.3 */
} FitRecord;

typedef struct ClvModel
{
	int32		vl_len_;
	uint16		version;
	uint16		flags;
	int32		code;			/* of the BtydModel */
	int32		nparams;
	Frame		frame;
	FitRecord	fit;
	/* nparams parameters; with MODEL_HAS_COVARIANCE the nparams x nparams covariance of their logarithms */
	double		values[FLEXIBLE_ARRAY_MEMBER];
} ClvModel;

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
extern const BtydModel *model_operations(const ClvModel *model);

static inline const double *
model_covariance(const ClvModel *model)
{
	return (model->flags & MODEL_HAS_COVARIANCE) ? model->values + model->nparams : NULL;
}

/* A new model with room for its parameters and, if wanted, their covariance; values are zero. */
extern ClvModel *new_model(const BtydModel *kind, const Frame *frame, bool with_covariance);

/* What is wrong with a model that came from outside, as a static message, or NULL. */
extern const char *model_problem(const ClvModel *model);

/* "1.2.3" of 10203, palloc'd */
extern char *version_text(int32 version);

#endif
