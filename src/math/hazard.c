/*
 * hazard.c - discrete-time hazard: the probability of an event in a period.
 */
#include "math/regression.h"

static const char *const params[] = {"intercept", "log_period", "log_period_squared"};

static double
response(double eta)
{
	return 1 / (1 + exp(-eta));
}

const ModelKind hazard_model = {
	.code = 12,
	.kind = "hazard",
	.title = "discrete-time hazard",
	.reads = ROWS_SURVIVAL,
	.nparams = 3,
	.params = params,
	.response = response,
};
