/*
 * sample.h - type clv_sample: distinct rows with counts, what every iterative fit reads.
 */
#ifndef CLV_SAMPLE_H
#define CLV_SAMPLE_H

#include "frame.h"
#include "math/rows.h"

#define SAMPLE_VERSION 1

/*
 * One flat value in two forms. Stored: nrows distinct rows, sorted, nothing behind them, the two
 * fields marked (building) zero. Building: room for more rows than nrows, and behind the rows, unless
 * appending, a hash table of row numbers; rows are in order of arrival.
 */
typedef struct ClvSample
{
	int32		vl_len_;
	uint16		version;
	uint8		kind;			/* RowKind */
	uint8		form;			/* SampleForm */
	Frame		frame;
	int64		n;				/* rows that came in and were of use: the sum of all counts */
	int64		nrows;
	int64		n_at_growth;	/* (building) n when the room was last extended */
	int64		nrows_at_growth;	/* (building) nrows at that time */
	double		data[FLEXIBLE_ARRAY_MEMBER];
} ClvSample;

typedef enum SampleForm
{
	SAMPLE_STORED = 0,
	SAMPLE_FOLDING = 1,			/* building; a row seen before is found by its hash and counted */
	SAMPLE_APPENDING = 2		/* building; rows hardly repeat, so they are folded at the end only */
} SampleForm;

/* The value a Datum holds, detoasted; an error where a newer version of clv wrote it. */
static inline ClvSample *
sample_from_datum(Datum datum)
{
	ClvSample *value = (ClvSample *) PG_DETOAST_DATUM(datum);

	check_version("clv_sample", value->version, SAMPLE_VERSION);
	return value;
}

#define PG_GETARG_SAMPLE(n) sample_from_datum(PG_GETARG_DATUM(n))
#define PG_GETARG_STORED_SAMPLE(n) sample_stored(PG_GETARG_SAMPLE(n))

/* Columns and name of a kind: static tables, indexed by RowKind. */
extern int	row_columns(RowKind kind);
extern const char *row_kind_name(RowKind kind);
extern bool row_kind_by_name(const char **cursor, RowKind *kind);

/*
 * What cannot be true about a row of this kind, as a static message, or NULL; *hint says what to do.
 * The row's values belong in the detail of the error.
 */
extern const char *row_problem(RowKind kind, const double *row, const char **hint);

/* Raise that error. */
extern void check_row(RowKind kind, const double *row);

/*
 * The aggregate state in argument 0, ready to be edited: a new one if it is NULL, a copy if the call
 * is not an aggregate's or the state is in stored form. All rows of a sample share their kind, time
 * unit and as_of: mixing them is an error. Raw numbers have unit_days 0 and as_of DAY_NONE.
 */
extern ClvSample *sample_state(FunctionCallInfo fcinfo, RowKind kind, double unit_days, DateADT as_of);

/* Add a valid row `count` times. The state may move; the old one is left to its memory context. */
extern ClvSample *sample_add(ClvSample *state, const double *row, double count);

/* The sample in stored form: itself if it is, else a copy. Never edits its argument. */
extern ClvSample *sample_stored(ClvSample *sample);

/* The rows of a stored sample. */
extern Rows sample_rows(const ClvSample *stored);

/*
 * Sum over all rows, modulo 2^64, of a hash of the row without covariates: the same for the same rows in any order,
 * and of the parts of a sample the numbers add up to that of the whole.
 */
extern uint64 sample_fingerprint(const ClvSample *stored);

#endif
