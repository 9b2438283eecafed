/*
 * sample_fingerprint.c - a number that tells whether two models were fitted to the same rows.
 */
#include "sample.h"

#include "miscadmin.h"

#define ROWS_AT_ONCE 4096

/* The finaliser of splitmix64: every bit of the argument reaches every bit of the result. */
static inline uint64
mix(uint64 h)
{
	h = (h ^ (h >> 30)) * UINT64CONST(0xBF58476D1CE4E5B9);
	h = (h ^ (h >> 27)) * UINT64CONST(0x94D049BB133111EB);
	return h ^ (h >> 31);
}

uint64
sample_fingerprint(const ClvSample *stored)
{
	Rows		rows = sample_rows(stored);
	uint64		sum = 0;

	for (size_t i = 0; i < rows.n; i++)
	{
		const double *row = rows_at(&rows, i);
		uint64		h = 0;

		if (i % ROWS_AT_ONCE == 0)
			CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < rows.ncols; j++)
		{
			uint64		bits;

			memcpy(&bits, &row[j], sizeof(bits));
			h = mix((h + UINT64CONST(0x9E3779B97F4A7C15)) ^ bits);
		}
		sum += h * (uint64) row_count(&rows, row);
	}
	return sum;
}
