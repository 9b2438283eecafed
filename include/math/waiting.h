/*
 * waiting.h - when the next purchase is due: the median of a waiting time that is known by its silence.
 */
#ifndef CLV_MATH_WAITING_H
#define CLV_MATH_WAITING_H

#include "math/model_kind.h"

/*
 * A purchase less likely than this has no date: its probability is 1 less that of silence, which is known to some
 * 1e-14.
 */
#define LEAST_PURCHASE_PROBABILITY 1e-9

/* The probability of no purchase in the first `steps` = 1, 2, ... steps of time; never increasing. */
typedef double (*SilenceOfSteps) (double steps, void *arg);

/*
 * The number of steps, 1 to `most`, by which a purchase has come with probability one half, given that it comes: the
 * smallest with 1 - silence(steps) >= (1 - silent) / 2, where `silent` is the probability that none comes in the whole
 * time looked at, which may be longer than `most` steps. Bisection: log2(most + 1) evaluations, rounded up.
 *
 * 0 where the purchase is less likely than LEAST_PURCHASE_PROBABILITY, or the number of steps is above `most`. NAN
 * where a probability is, or stop (may be NULL) asked to end.
 */
extern double median_wait(SilenceOfSteps silence, void *arg, double silent, double most, const FitStop *stop);

#endif
