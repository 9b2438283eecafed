/*
 * pg_stub.h - enough of a PostgreSQL backend to run a type's input and output functions in a fuzzer.
 *
 * Sources of src/ compile against the real server headers; pg_stub.c stands in for the backend functions
 * they call, and PostgreSQL's own libpgcommon and libpgport for the rest. An ERROR ends the call.
 */
#ifndef CLV_PG_STUB_H
#define CLV_PG_STUB_H

#include "postgres.h"
#include "fmgr.h"
#include "lib/stringinfo.h"

/*
 * Call an SQL-callable function with one or two arguments that are not NULL; false where it raised an
 * ERROR, whose message is then in stub_error().
 */
extern bool stub_call(PGFunction function, Datum a, Datum *result);
extern bool stub_call2(PGFunction function, Datum a, Datum b, Datum *result);

/* The message of the last ERROR. */
extern const char *stub_error(void);

/* A message buffer over `len` bytes, as a receive function gets it. */
extern StringInfo stub_message(const char *bytes, int len);

/* A palloc'd copy of `len` bytes with a terminating zero. */
extern char *stub_cstring(const char *bytes, size_t len);

/* Free everything palloc'd since the last time. */
extern void stub_free_all(void);

/* Stop the fuzzer with a finding unless the condition holds. */
#define STUB_CHECK(condition) \
	do \
	{ \
		if (!(condition)) \
			stub_finding(#condition, __FILE__, __LINE__); \
	} while (0)
extern void stub_finding(const char *condition, const char *file, int line) pg_attribute_noreturn();

#endif
