/*
 * random.h - random numbers that depend on the seed alone: what simulations draw from.
 */
#ifndef CLV_MATH_RANDOM_H
#define CLV_MATH_RANDOM_H

#include <stdint.h>

/* xoshiro256** seeded by splitmix64 (Blackman and Vigna 2021). */
typedef struct Random
{
	uint64_t	state[4];
} Random;

extern void random_seed(Random *random, uint64_t seed);
extern double random_uniform(Random *random);	/* in (0, 1) */
extern double random_normal(Random *random);
extern double random_exponential(Random *random);	/* of mean 1 */

/* Gamma of the given shape and rate 1 (Marsaglia and Tsang 2000); may underflow to 0 for tiny shapes. */
extern double random_gamma(Random *random, double shape);
extern double random_beta(Random *random, double a, double b);

#endif
