/*
 * numeric_micro.h - amounts as whole micro-units (1e-6 of the currency) in an int64, and back.
 *
 * Private to the history room. Amounts run from -MICRO_MAX to MICRO_MAX, so that a negation never
 * overflows; PG_INT64_MIN does not occur.
 */
#ifndef CLV_NUMERIC_MICRO_H
#define CLV_NUMERIC_MICRO_H

#include "compat.h"

#include "utils/numeric.h"

#define MICRO_PER_UNIT INT64CONST(1000000)
#define MICRO_DIGITS 6
#define MICRO_MAX PG_INT64_MAX

/*
 * The numeric in micro-units, rounded half away from zero. Reads the stored digits without unpacking
 * a short varlena header. NaN, infinity and amounts beyond MICRO_MAX are errors.
 */
extern int64 numeric_to_micro(Datum amount);

/*
 * The double in micro-units, rounded half away from zero; whole units are exact. NaN, infinity and
 * amounts beyond MICRO_MAX are errors.
 */
extern int64 float8_to_micro(double amount);

/* The exact amount: two decimals where it is whole hundredths, six otherwise. */
extern Numeric micro_to_numeric(int64 micro);

/* a + b; an error naming the limit where the sum is out of range. */
extern int64 add_micro(int64 a, int64 b);

#endif
