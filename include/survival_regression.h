/*
 * survival_regression.h - what the regressions of survival share between a stored sample and the mathematics.
 */
#ifndef CLV_SURVIVAL_REGRESSION_H
#define CLV_SURVIVAL_REGRESSION_H

#include "math/concave.h"
#include "regression.h"
#include "survival.h"

/*
 * Fit a stored sample of survival_sample(). errors is 'model', 'HC0' or 'CR1'; NULL is 'CR1' for rows with clusters, else
 * 'model'. NULL, after a WARNING, where the data cannot determine the model.
 */
typedef struct SurvivalFit
{
	const ModelKind *kind;
	const ClvSample *sample;
	Rows		rows;
	bool		clustered;
	ErrorKind	errors;
	FitResult	fit;
	RegressionRecord record;
	SearchReport report;
} SurvivalFit;

/* Rows and kind of errors of a sample; false, after a WARNING, without a row. Without regressors it is an error. */
extern bool begin_survival_fit(SurvivalFit *f, const ModelKind *kind, const ClvSample *sample, const text *errors);

/* The model of what was found, or NULL. */
extern ClvModel *end_survival_fit(const SurvivalFit *f);

#endif
