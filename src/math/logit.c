/*
 * logit.c - logistic regression: the probability of an event.
 */
#include "math/regression.h"

static const char *const params[] = {"intercept"};

static double
response(double eta)
{
	return 1 / (1 + exp(-eta));
}

const ModelKind logit_model = {
	.code = 11,
	.kind = "logit",
	.title = "logistic",
	.reads = ROWS_RESPONSE,
	.nparams = 1,
	.params = params,
	.response = response,
};
