/*
 * models.c - the table of models.
 */
#include "math/btyd_model.h"

#include <string.h>

static const BtydModel *const models[] = {
	&bgnbd_model,
	&gamma_gamma_model,
	&pareto_nbd_model,
	&mbgnbd_model,
	&bgcnbd_model,
	&mbgcnbd_model,
	&bgbb_model,
	&sbg_model,
	&bdw_model,
};

#define NMODELS (sizeof(models) / sizeof(models[0]))

const BtydModel *
btyd_model_at(int i)
{
	return i >= 0 && (size_t) i < NMODELS ? models[i] : NULL;
}

const BtydModel *
btyd_model_by_code(int code)
{
	for (size_t i = 0; i < NMODELS; i++)
		if (models[i]->code == code)
			return models[i];
	return NULL;
}

const BtydModel *
btyd_model_by_kind(const char *kind)
{
	for (size_t i = 0; i < NMODELS; i++)
		if (strcmp(models[i]->kind, kind) == 0)
			return models[i];
	return NULL;
}
