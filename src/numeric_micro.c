/*
 * numeric_micro.c - amounts as whole micro-units, and back.
 *
 * A stored numeric is read in place: going through PostgreSQL's arithmetic (multiply, round, convert)
 * costs three allocations per order line and takes longer than the rest of the aggregate. Its layout
 * is part of the on-disk format and has not changed since 9.1, except for the infinities of 14.
 */
#include "numeric_micro.h"

#include <math.h>

#include "common.h"
#include "common/int.h"

/*
 * A numeric starts with a 16-bit word whose upper bits tell its form:
 *
 *	 00 or 01	long: bit 14 is the sign; a 16-bit weight follows, then the digits
 *	 10			short: bit 13 is the sign, bits 0 to 6 are the weight in two's complement
 *	 11			no digits: NaN or an infinity, told apart by bits 13 and 12
 *
 * A digit is a 16-bit number from 0 to 9999; the first one counts 10000 ^ weight.
 */
#define FORM_MASK		0xC000
#define FORM_SHORT		0x8000
#define FORM_SPECIAL	0xC000
#define LONG_NEGATIVE	0x4000
#define SHORT_NEGATIVE	0x2000
#define SHORT_WEIGHT(word) ((int) ((word) & 0x3F) - (int) ((word) & 0x40))
#define SPECIAL_MASK	0xF000
#define SPECIAL_NAN		0xC000

#define DIGIT_BASE		10000

/* 10000 ^ 3 units is the largest power whose micro-units fit */
#define MAX_WEIGHT		3

pg_noreturn static void amount_not_finite(bool nan);
pg_noreturn static void amount_too_large(void);

static void
amount_not_finite(bool nan)
{
	argument_error("an amount must be a finite number", "Leave such rows out with FILTER, or set the amount to NULL.",
				   "The amount is %s.", nan ? "NaN" : "infinite");
}

static void
amount_too_large(void)
{
	range_error("amount out of range", "Use a larger currency unit, such as thousands.",
				"Amounts are kept to the millionth of a unit and may reach 9223372036854.775807 in either direction.");
}

int64
add_micro(int64 a, int64 b)
{
	int64		sum;

	if (unlikely(pg_add_s64_overflow(a, b, &sum) || sum < -MICRO_MAX))
		range_error("sum of amounts out of range", "Use a larger currency unit, such as thousands.",
					"The sum for a day or a period may reach 9223372036854.775807 in either direction.");
	return sum;
}

/* A 16-bit word of a value that may be unaligned. */
static inline uint16
word_at(const char *bytes, int i)
{
	uint16		word;

	memcpy(&word, bytes + i * sizeof(uint16), sizeof(uint16));
	return word;
}

/*
 * The magnitude in micro-units of ndigits digits. With a weight of at most MAX_WEIGHT and a leading
 * digit of at most 9 at that weight the whole part is below 1e13 units, so uint64 holds the sum.
 */
static inline uint64
digits_to_micro(const char *digits, int ndigits, int weight)
{
	uint64		units = 0;
	uint64		micro = 0;
	int			whole = weight + 1;

	if (ndigits > 0 && (weight > MAX_WEIGHT || (weight == MAX_WEIGHT && word_at(digits, 0) > 9)))
		amount_too_large();

	for (int i = 0; i < whole; i++)
		units = units * DIGIT_BASE + (i < ndigits ? word_at(digits, i) : 0);

	/* four decimals are one digit; two more and the rounding come from the next one */
	if (whole >= 0 && whole < ndigits)
		micro = word_at(digits, whole) * 100;
	if (whole >= -1 && whole + 1 < ndigits)
		micro += (word_at(digits, whole + 1) + 50) / 100;

	micro += units * (uint64) MICRO_PER_UNIT;
	if (micro > (uint64) MICRO_MAX)
		amount_too_large();
	return micro;
}

int64
numeric_to_micro(Datum amount)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(amount);
	const char *bytes = VARDATA_ANY(value);
	int			nwords = VARSIZE_ANY_EXHDR(value) / sizeof(uint16);
	uint16		head = word_at(bytes, 0);
	uint64		micro;
	bool		negative;

	if ((head & FORM_MASK) == FORM_SPECIAL)
		amount_not_finite((head & SPECIAL_MASK) == SPECIAL_NAN);

	if ((head & FORM_MASK) == FORM_SHORT)
	{
		negative = (head & SHORT_NEGATIVE) != 0;
		micro = digits_to_micro(bytes + sizeof(uint16), nwords - 1, SHORT_WEIGHT(head));
	}
	else
	{
		negative = (head & LONG_NEGATIVE) != 0;
		micro = digits_to_micro(bytes + 2 * sizeof(uint16), nwords - 2, (int16) word_at(bytes, 1));
	}

	if (unlikely((Pointer) value != DatumGetPointer(amount)))
		pfree(value);
	return negative ? -(int64) micro : (int64) micro;
}

int64
float8_to_micro(double amount)
{
	double		whole = trunc(amount);
	int64		micro;

	if (!isfinite(amount))
		amount_not_finite(isnan(amount));

	/* the cast is safe below 2^63; the product and the sum are checked */
	if (fabs(whole) >= 1e13 ||
		pg_mul_s64_overflow((int64) whole, MICRO_PER_UNIT, &micro) ||
		pg_add_s64_overflow(micro, llround((amount - whole) * MICRO_PER_UNIT), &micro) ||
		micro < -MICRO_MAX)
		amount_too_large();
	return micro;
}

Numeric
micro_to_numeric(int64 micro)
{
	const int64 per_cent = MICRO_PER_UNIT / 100;

	if (micro % per_cent == 0)
		return int64_div_fast_to_numeric(micro / per_cent, 2);
	return int64_div_fast_to_numeric(micro, MICRO_DIGITS);
}
