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

const ModelKind lm_model = {
	.code = 10,
	.kind = "lm",
	.title = "linear",
	.reads = ROWS_RESPONSE,
	.nparams = 1,
	.params = params,
	.response = response,
};
