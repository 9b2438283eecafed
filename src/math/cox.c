/*
 * cox.c - Cox regression: effects on the hazard without a form of the hazard.
 */
#include "math/regression.h"

static double
response(double eta)
{
	return exp(eta);
}

const ModelKind cox_model = {
	.code = 13,
	.kind = "cox",
	.title = "Cox",
	.reads = ROWS_SURVIVAL,
	.response = response,
};
