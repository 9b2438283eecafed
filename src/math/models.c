/*
 * models.c - the table of models.
 */
#include "math/model_kind.h"

#include <string.h>

static const ModelKind *const models[] = {
	&bgnbd_model,
	&gamma_gamma_model,
	&pareto_nbd_model,
	&mbgnbd_model,
	&bgcnbd_model,
	&mbgcnbd_model,
	&bgbb_model,
	&sbg_model,
	&bdw_model,
	&lm_model,
	&logit_model,
	&hazard_model,
	&cox_model,
};

#define NMODELS (sizeof(models) / sizeof(models[0]))

const ModelKind *
model_kind_at(int i)
{
	return i >= 0 && (size_t) i < NMODELS ? models[i] : NULL;
}

const ModelKind *
model_kind_by_code(int code)
{
	for (size_t i = 0; i < NMODELS; i++)
		if (models[i]->code == code)
			return models[i];
	return NULL;
}

const ModelKind *
model_kind_by_name(const char *kind)
{
	for (size_t i = 0; i < NMODELS; i++)
		if (strcmp(models[i]->kind, kind) == 0)
			return models[i];
	return NULL;
}
