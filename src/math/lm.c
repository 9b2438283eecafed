/*
 * lm.c - linear regression by least squares.
 */
#include "math/regression.h"

static const char *const params[] = {"intercept"};

static double
response(double eta)
{
	return eta;
}

static void
slopes(double eta, double *first, double *second)
{
	(void) eta;
	*first = 1;
	*second = 0;
}

const ModelKind lm_model = {
	.code = 10,
	.kind = "lm",
	.title = "linear",
	.reads = ROWS_RESPONSE,
	.nparams = 1,
	.params = params,
	.response = response,
	.slopes = slopes,
};
