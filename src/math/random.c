/*
 * random.c - random numbers that depend on the seed alone.
 */
#include "math/random.h"

#include <math.h>

void
random_seed(Random *random, uint64_t seed)
{
	for (int i = 0; i < 4; i++)
	{
		uint64_t	z = seed += 0x9e3779b97f4a7c15;

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
		z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
		random->state[i] = z ^ (z >> 31);
	}
}

static uint64_t
rotate(uint64_t x, int bits)
{
	return (x << bits) | (x >> (64 - bits));
}

double
random_uniform(Random *random)
{
	uint64_t   *s = random->state;
	uint64_t	result = rotate(s[1] * 5, 7) * 9;
	uint64_t	t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return ((double) (result >> 12) + 0.5) * 0x1p-52;
}

double
random_normal(Random *random)
{
	double		u;
	double		v;
	double		square;

	do
	{
		u = 2 * random_uniform(random) - 1;
		v = 2 * random_uniform(random) - 1;
		square = u * u + v * v;
	} while (square >= 1);
	return u * sqrt(-2 * log(square) / square);
}

double
random_exponential(Random *random)
{
	return -log(random_uniform(random));
}

/* below a shape of 1 through shape + 1 */
double
random_gamma(Random *random, double shape)
{
	double		d;
	double		c;

	if (shape < 1)
		return random_gamma(random, shape + 1) * pow(random_uniform(random), 1 / shape);
	d = shape - 1.0 / 3;
	c = 1 / sqrt(9 * d);
	for (;;)
	{
		double		z = random_normal(random);
		double		v = 1 + c * z;

		v = v * v * v;
		if (v > 0 && log(random_uniform(random)) < 0.5 * z * z + d - d * v + d * log(v))
			return d * v;
	}
}

/* on the log scale, where gamma variates of tiny shape do not underflow */
double
random_beta(Random *random, double a, double b)
{
	double		log_x = log(random_gamma(random, a + 1)) + log(random_uniform(random)) / a;
	double		log_y = log(random_gamma(random, b + 1)) + log(random_uniform(random)) / b;

	return 1 / (1 + exp(log_y - log_x));
}
