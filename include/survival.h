/*
 * survival.h - what the files of the survival room share: samples of times to an event.
 */
#ifndef CLV_SURVIVAL_H
#define CLV_SURVIVAL_H

#include "sample.h"

/* Whether the first of the covariates of a sample is the number of a cluster. */
static inline bool
sample_clustered(const ClvSample *s)
{
	return s->kind == ROWS_CLUSTERED || s->kind == ROWS_CLUSTERED_SURVIVAL;
}

/* The sample if its rows are those of survival_sample(), with clusters or without; others are an error. */
extern const ClvSample *checked_survival_sample(const ClvSample *sample);

#endif
