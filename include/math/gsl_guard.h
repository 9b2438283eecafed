/*
 * gsl_guard.h - the one door to the GNU Scientific Library.
 *
 * GSL's default error handler aborts the process, which would take the server down. Every use of
 * GSL stands between gsl_guard_enter() and gsl_guard_leave(), with no return in between.
 */
#ifndef CLV_MATH_GSL_GUARD_H
#define CLV_MATH_GSL_GUARD_H

#include <gsl/gsl_errno.h>

/* Switch GSL's error handler off and return the one that was set, for gsl_guard_leave(). */
static inline gsl_error_handler_t *
gsl_guard_enter(void)
{
	return gsl_set_error_handler_off();
}

/* Put the error handler back. */
static inline void
gsl_guard_leave(gsl_error_handler_t *handler)
{
	gsl_set_error_handler(handler);
}

#endif
