/*
 * survival.h - what the files of the survival room share: samples of times to an event.
 */
#ifndef CLV_SURVIVAL_H
#define CLV_SURVIVAL_H

#include "sample.h"

/* The sample if its rows are those of survival_sample(), with clusters or without; others are an error. */
extern const ClvSample *checked_survival_sample(const ClvSample *sample);

#endif
