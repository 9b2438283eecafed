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

/* p (1 - p) and p (1 - p) (1 - 2p), without differences of what is nearly equal */
static void
slopes(double eta, double *first, double *second)
{
	double		e = exp(-fabs(eta));

	*first = e / ((1 + e) * (1 + e));
	*second = copysign(*first * (1 - e) / (1 + e), -eta);
}

const ModelKind logit_model = {
	.code = 11,
	.kind = "logit",
	.title = "logistic",
	.reads = ROWS_RESPONSE,
	.nparams = 1,
	.params = params,
	.response = response,
	.slopes = slopes,
};
