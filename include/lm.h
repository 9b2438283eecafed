/*
 * lm.h - what the files of linear regression share: from the result of a fit to its model.
 */
#ifndef CLV_LM_H
#define CLV_LM_H

#include "math/lm.h"
#include "moments.h"
#include "regression.h"

/* regression_model() of a linear fit of nx regressors, with a WARNING more where nothing but its errors is missing. */
extern ClvModel *lm_model_of_fit(int nx, const FitResult *fit, const RegressionRecord *record, const Frame *frame,
								 const RowsRead *read);

/* The frame of raw numbers, with the rows that were dropped. */
extern Frame frame_of_moments(const ClvMoments *m);

#endif
