/*
 * survival_regression.h - what the regressions of survival share between a stored sample and the mathematics.
 */
#ifndef CLV_SURVIVAL_REGRESSION_H
#define CLV_SURVIVAL_REGRESSION_H

#include "math/concave.h"
#include "regression.h"
#include "survival.h"

/* A fit between begin_survival_fit() and end_survival_fit(): what is read, and what the mathematics find. */
typedef struct SurvivalFit
{
	const ModelKind *kind;
	SampleToFit read;
	FitResult	fit;
	RegressionRecord record;
	SearchReport report;
} SurvivalFit;

/*
 * Begin with a sample and argument errors, 'model', 'HC0', 'CR1' or NULL. False where there is no row to fit; a sample
 * of another kind or without regressors, and other errors, are errors.
 */
extern bool begin_survival_fit(SurvivalFit *f, const ModelKind *kind, const ClvSample *sample, const text *errors);

/* The model of what was found; NULL, after a WARNING, where the data cannot determine it. */
extern ClvModel *end_survival_fit(SurvivalFit *f);

#endif
