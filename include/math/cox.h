/*
 * cox.h - Cox regression: effects on the hazard without a form of the hazard.
 */
#ifndef CLV_MATH_COX_H
#define CLV_MATH_COX_H

#include "math/concave.h"

/* What is made of events at the same time. */
typedef enum CoxTies
{
	TIES_EFRON,					/* those who had the event count as leaving one after the other: Efron 1977 */
	TIES_BRESLOW				/* each of them is compared with all of them: Breslow 1974 */
} CoxTies;

/*
 * Fit Cox's regression by partial likelihood (Cox 1972) to rows of ROWS_SURVIVAL, or, with clustered, of
 * ROWS_CLUSTERED_SURVIVAL. A row is at risk at the times of events in (entry, tenure]. Effects are on the logarithm of
 * the hazard, per unit of x. Rows at risk at no event add nothing. Newton's method in centred and scaled columns: each
 * step is one pass over the rows in order of time, O(n p^2).
 *
 * errors is ERRORS_MODEL, ERRORS_HC0 (each row by itself) or, with clustered, ERRORS_CR1: G / (G - 1) times the
 * sandwich of the score residuals (Lin and Wei 1989), with G - 1 degrees of freedom. The log-likelihood is the partial
 * one, the statistic twice its gain over no effects, or with robust errors Wald's chi-square, with clusters his F.
 * FIT_IMPOSSIBLE without an event, where x does not differ among those at risk, with fewer than two clusters, and where
 * an effect has no finite estimate, which the report then names. stop may be NULL.
 */
extern void cox_fit(const Rows *rows, bool clustered, CoxTies ties, ErrorKind errors, const FitStop *stop,
					FitResult *fit, RegressionRecord *record, SearchReport *report);

#endif
