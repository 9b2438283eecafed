/*
 * btyd_covariates.c - the model of one customer: the effects of covariates applied to the covariates that are known.
 */
#include "btyd.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "math/covariates.h"
#include "math/matrix.h"

static const double *
covariates_of_array(ArrayType *array, int expected)
{
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	const double *z = (const double *) ARR_DATA_PTR(array);

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("covariates must be a one-dimensional array"),
				 errdetail("It has %d dimensions.", ARR_NDIM(array)),
				 errhint("Pass one number for each covariate, in the order of the fit.")));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("covariates must not contain NULL"),
				 errdetail("It has %d elements, of which at least one is NULL.", n),
				 errhint("Leave out customers whose covariates are not known, as the fit did.")));
	if (n != expected)
		argument_error("the number of covariates is not that of the model",
					   "Pass one number for each covariate, in the order of the fit.",
					   "The model has %d, the array %d.", expected, n);
	for (int i = 0; i < n; i++)
		if (!isfinite(z[i]))
			argument_error("covariates must be finite", "Leave out or correct values that are NaN or infinite.",
						   "Covariate %d is %g.", i + 1, z[i]);
	return z;
}

/* What the fit knows is of all customers and stays behind: the result is a model as if it were typed in. */
PG_FUNCTION_INFO_V1(clv_with_covariates);
Datum
clv_with_covariates(PG_FUNCTION_ARGS)
{
	ClvModel   *m = PG_GETARG_MODEL(0);
	const BtydModel *kind = model_operations(m);
	const double *covariance = model_covariance(m);
	int			n = model_covariates(m, kind);
	const double *z = covariates_of_array(PG_GETARG_ARRAYTYPE_P(1), n);
	double		jacobian[BTYD_MAX_PARAMS * FIT_MAX_PARAMS];
	Frame		frame = FRAME_OF_NUMBERS;
	ClvModel   *result;

	check_no_prior(m);
	frame.unit_days = m->frame.unit_days;
	result = new_model(kind, 0, &frame, covariance != NULL);
	if (n == 0)
		memcpy(result->values, m->values, VARSIZE(result) - offsetof(ClvModel, values));
	else
	{
		covariates_apply(kind, m->values, z, n, result->values, jacobian);
		if (covariance)
			sandwich(jacobian, kind->nparams, covariance, m->nparams, result->values + kind->nparams);
	}
	if (model_problem(result) != NULL)
		range_error("the parameters of this customer are out of range",
					"Are the covariates on the scale on which the model was fitted?",
					"Their effects take a parameter of the %s model out of the range of numbers.", kind->title);
	PG_RETURN_POINTER(result);
}
