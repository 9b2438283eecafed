/*
 * btyd_covariates.c - the model of one customer: the effects of covariates applied to the covariates that are known.
 */
#include "btyd.h"

#include <math.h>

#include "math/covariates.h"
#include "math/matrix.h"

/*
 * NULL where a covariate is. What the fit knows is of all customers and stays behind: the result is a model as if it
 * were typed in.
 */
PG_FUNCTION_INFO_V1(clv_with_covariates);
Datum
clv_with_covariates(PG_FUNCTION_ARGS)
{
	ClvModel   *m = PG_GETARG_MODEL(0);
	const ModelKind *kind = model_operations(m);
	const double *covariance = model_covariance(m);
	int			n = model_covariates(m, kind);
	double		z[ROWS_MAX_COVARIATES];
	int			known = covariates_of_array(PG_GETARG_DATUM(1), z);
	double		jacobian[BTYD_MAX_PARAMS * FIT_MAX_PARAMS];
	Frame		frame = FRAME_OF_NUMBERS;
	ClvModel   *result;
	bool		finite = true;

	check_no_prior(m);
	if (is_regression(kind))
		argument_error("a regression has regressors, not covariates", "predict(model, x) takes them.",
					   "The model is a %s model.", kind->title);
	if (known == 0)
		PG_RETURN_NULL();
	if (known != n)
		argument_error("the number of covariates is not that of the model",
					   "Pass one number for each covariate, in the order of the fit.",
					   "The model has %d, the array %d.", n, known);
	frame.unit_days = m->frame.unit_days;
	result = new_model(kind, 0, &frame, covariance != NULL);
	covariates_apply(kind, m->values, z, n, result->values, jacobian);
	if (covariance)
		sandwich(jacobian, kind->nparams, covariance, m->nparams, result->values + kind->nparams);
	for (int i = 0; covariance && i < kind->nparams * kind->nparams; i++)
	{
		double		c = result->values[kind->nparams + i];

		finite = finite && isfinite(c) && (i % (kind->nparams + 1) != 0 || c >= 0);
	}
	if (!finite || parameters_problem(result, kind) != NULL)
		range_error("the parameters of this customer are out of range",
					"Are the covariates on the scale on which the model was fitted?",
					"Their effects take a parameter of the %s model out of the range of numbers.", kind->title);
	canonicalize_model(result);
	PG_RETURN_POINTER(result);
}
