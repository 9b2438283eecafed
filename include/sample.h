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
	int16		columns;		/* those of the kind, and covariates before them */
	int16		gaps_known;		/* (timing, holdout) 1 where the sum of log gaps is known, else 0 */
	int32		reserved;		/* 0: values are compared by their bytes */
	int64		gaps_whole;		/* that sum: whole + fraction / GAPS_SCALE, 0 <= fraction < GAPS_SCALE */
	int64		gaps_fraction;
	int64		n;				/* rows that came in and were of use: the sum of all counts */
	int64		nrows;
	int64		n_at_growth;	/* (building) n when the room was last extended */
	int64		nrows_at_growth;	/* (building) nrows at that time */
	double		data[FLEXIBLE_ARRAY_MEMBER];
} ClvSample;

StaticAssertDecl(offsetof(ClvSample, data) % sizeof(double) == 0, "rows are aligned");

/*
 * Every customer's sum of log gaps is rounded once to this part of 1; the sum over customers then is exact,
 * so it does not depend on their order. A power of ten has a short exact text.
 */
#define GAPS_SCALE INT64CONST(1000000000000)
#define GAPS_DIGITS 12

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

/* Columns (without covariates) and name of a kind: static tables, indexed by RowKind. */
extern int	row_columns(RowKind kind);
extern const char *row_kind_name(RowKind kind);
extern bool row_kind_by_name(const char **cursor, RowKind *kind);
extern bool row_kind_known(int kind);

/* Whether the sum of log gaps up to t_cal belongs to a sample of the kind. */
static inline bool
row_kind_has_gaps(RowKind kind)
{
	return kind == ROWS_TIMING || kind == ROWS_HOLDOUT;
}

/*
 * What cannot be true about a row of this kind, as a static message, or NULL; *hint says what to do.
 * The row begins behind the covariates. Its values belong in the detail of the error.
 */
extern const char *row_problem(RowKind kind, const double *row, const char **hint);

/* Raise that error. */
extern void check_row(RowKind kind, const double *row);

/*
 * Argument covariates float8[] of SQL functions: the numbers go to covariates[ROWS_MAX_COVARIATES], the answer is
 * how many there are, or 0 where one is NULL. An array that is empty, longer or not a list, and numbers that are
 * not finite, are errors.
 */
extern int	covariates_of_array(Datum array, double *covariates);

/* How many of the columns of a sample's rows are covariates: the first ones. */
static inline int
sample_covariates(const ClvSample *s)
{
	return s->columns - row_columns(s->kind);
}

/* Whether the first of the covariates of a sample is the number of a cluster. */
static inline bool
sample_clustered(const ClvSample *s)
{
	return s->kind == ROWS_CLUSTERED || s->kind == ROWS_CLUSTERED_SURVIVAL;
}

/*
 * The aggregate state in argument 0, ready to be edited: a new one if it is NULL, a copy if the call
 * is not an aggregate's or the state is in stored form. All rows of a sample share their kind, number of
 * covariates (0 unless ROWS_TIMING) and the frame's time unit, as_of and until: mixing them is an error.
 * Raw numbers have FRAME_OF_NUMBERS. Where the kind has a sum of log gaps, that of a new sample is known: 0.
 */
extern ClvSample *sample_state(FunctionCallInfo fcinfo, RowKind kind, int ncovariates, const Frame *frame);

/* Add a valid row `count` times. The state may move; the old one is left to its memory context. */
extern ClvSample *sample_add(ClvSample *state, const double *row, double count);

/* Count rows that the kind has no use for. */
extern void sample_skip(ClvSample *state, int64 count);

/*
 * The aggregate state in argument 0 after a row with a NULL, which is counted as skipped. How many covariates or
 * regressors the others have is not known by then: a sample of such rows alone takes as many as what comes next.
 */
extern ClvSample *sample_skip_null(FunctionCallInfo fcinfo, RowKind kind, const Frame *frame);

/*
 * ROWS_TIMING, ROWS_HOLDOUT: add one customer's sum of the logarithms of the times between purchases (at most MAX_COUNT
 * either way), or forget the sum of all, because a customer's is not known.
 */
extern void sample_add_log_gaps(ClvSample *state, double log_gaps);
extern void sample_forget_log_gaps(ClvSample *state);

/* The sample in stored form: itself if it is, else a copy. Never edits its argument. */
extern ClvSample *sample_stored(ClvSample *sample);

/* Row i, covariates first, and its count behind the columns. */
static inline const double *
sample_row(const ClvSample *sample, int64 i)
{
	return sample->data + i * (sample->columns + 1);
}

/* The rows of a stored sample as the mathematics read them. */
extern Rows sample_rows(const ClvSample *stored);

/*
 * Sum over all rows, modulo 2^64, of a hash of the row without covariates: the same for the same rows in any order,
 * and of the parts of a sample the numbers add up to that of the whole.
 */
extern uint64 sample_fingerprint(const ClvSample *stored);

/*
 * What a fit at the calibration date reads of a stored sample of ROWS_HOLDOUT: the stored sample of ROWS_TIMING,
 * or that of ROWS_SPEND, in which customers without a repeat purchase or a positive mean are skipped.
 */
extern ClvSample *sample_project(const ClvSample *holdout, RowKind kind);

#endif
