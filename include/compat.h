/*
 * compat.h - the one place that knows which PostgreSQL it is compiled for (15 to 18).
 */
#ifndef CLV_COMPAT_H
#define CLV_COMPAT_H

#include "postgres.h"
#include "fmgr.h"

#if PG_VERSION_NUM < 150000
#error "clv needs PostgreSQL 15 or newer"
#endif

/*
 * Objects are compiled with -fvisibility=hidden. Before 16 PGDLLEXPORT was empty outside Windows, and
 * the functions that SQL calls were not marked with it.
 */
#if PG_VERSION_NUM < 160000
#undef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))

#undef PG_FUNCTION_INFO_V1
#define PG_FUNCTION_INFO_V1(function) \
	extern PGDLLEXPORT Datum function(PG_FUNCTION_ARGS); \
	extern PGDLLEXPORT const Pg_finfo_record *pg_finfo_##function(void); \
	const Pg_finfo_record * \
	pg_finfo_##function(void) \
	{ \
		static const Pg_finfo_record info = {1}; \
		return &info; \
	} \
	extern int	no_such_variable
#endif

/* VARSIZE and its like left postgres.h with 16. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 18 writes it in front of the declaration, as C11 does, and has dropped pg_attribute_noreturn(). */
#if PG_VERSION_NUM < 180000
#define pg_noreturn pg_attribute_noreturn()
#endif

/* Soft errors came with 16; before, an error in an input function is an ordinary one. */
#if PG_VERSION_NUM >= 160000
#include "nodes/miscnodes.h"
#else
typedef struct Node ErrorSaveNode;
#define ereturn(context, dummy_value, ...) \
	do { (void) (context); ereport(ERROR, __VA_ARGS__); return dummy_value; } while (0)
#define errsave(context, ...) \
	do { (void) (context); ereport(ERROR, __VA_ARGS__); } while (0)
#endif

/* Infinite intervals came with 17. */
#include "datatype/timestamp.h"
#ifndef INTERVAL_NOT_FINITE
#define INTERVAL_NOT_FINITE(interval) false
#endif

/* From 16 on the caller says whether a value that is passed by reference is to be copied; ours are not. */
#if PG_VERSION_NUM >= 160000
#define tuplesort_get_value(state, value, isnull) tuplesort_getdatum(state, true, false, value, isnull, NULL)
#else
#define tuplesort_get_value(state, value, isnull) tuplesort_getdatum(state, true, value, isnull, NULL)
#endif

#endif
