/*
 * renewals.h - what the models of renewals share: rows of kind ROWS_RENEWALS.
 */
#ifndef CLV_MATH_RENEWALS_H
#define CLV_MATH_RENEWALS_H

#include "math/model_kind.h"

/*
 * The `undetermined` of a ModelKind that needs customers at risk in at least `periods` different periods: the
 * data hold one renewal rate for each, and no more.
 */
extern bool renewals_undetermined(const Rows *rows, int periods, const char **reason, const char **hint);

/* Share of customers who leave, of those at risk, all periods together. */
extern double renewals_churn(const Rows *rows);

/* Which of alpha and beta ran off and why, as in ModelKind. */
extern void renewals_ran_off(double alpha, double beta, const char **reason, const char **hint);

/* alpha / (alpha + beta): the share that leaves at the first renewal, mean of the beta distribution. */
extern double renewals_mean_dropout(const double *theta);

#endif
