/*
 * signal.h - the mathematics of signals per customer: what became of a contact, how far customers differ,
 * and how much of a customer's own mean to believe.
 */
#ifndef CLV_MATH_SIGNAL_H
#define CLV_MATH_SIGNAL_H

#include <stdbool.h>
#include <stdint.h>

/* What became of one contact of a customer. */
typedef enum ContactOutcome
{
	CONTACT_CENSORED,			/* the data end within the window, and the customer has not come back: not judged */
	CONTACT_RETURNED,			/* the customer came back within the window */
	CONTACT_RESOLVED			/* the customer did not */
} ContactOutcome;

/*
 * First contact resolution. A contact at `at` (at most data_until) was not resolved where the customer's next
 * contact comes no later than at + window; it was resolved where none does and the data, complete up to and
 * including data_until, reach as far as at + window. Contacts after data_until are not seen. has_next is false for
 * a customer's last contact; next is not before at, and equal to it where two contacts share a time. Times are
 * microseconds of one clock, window is positive.
 */
static inline ContactOutcome
contact_outcome(int64_t at, bool has_next, int64_t next, int64_t window, int64_t data_until)
{
	/* differences of ordered times are exact as unsigned numbers */
	if (has_next && next <= data_until && (uint64_t) next - (uint64_t) at <= (uint64_t) window)
		return CONTACT_RETURNED;
	if ((uint64_t) data_until - (uint64_t) at < (uint64_t) window)
		return CONTACT_CENSORED;
	return CONTACT_RESOLVED;
}

#endif
