/*
 * sample.c - type clv_sample: building, merging, canonical form.
 *
 * Daily data of millions of customers hold few distinct (x, t_x, t_cal), so rows are folded as they
 * come. Where they hardly repeat, hashing would be lost time: folding then waits for the sort that
 * the canonical form needs anyway.
 */
#include "sample.h"

#include <math.h>

#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

/* A state below this size doubles, above it grows by a quarter. */
#define SAMPLE_DOUBLING_LIMIT (64 * 1024 * 1024)
#define SAMPLE_FIRST_ROWS 4

/* Give up hashing when, past this many rows, fewer than one row in ten was seen before. */
#define SAMPLE_FOLD_FROM_ROWS (64 * 1024)
#define SAMPLE_FOLD_MIN_RATIO 1.1

/* ---- layout ------------------------------------------------------------------------------------ */

static inline int
row_doubles(const ClvSample *s)
{
	return s->columns + 1;
}

static inline double *
row_at(ClvSample *s, int64 i)
{
	return s->data + i * row_doubles(s);
}

/* Two hash slots of four bytes for every row there is room for. */
#define SLOTS_PER_ROW 2

static inline Size
bytes_per_row(const ClvSample *s)
{
	return row_doubles(s) * sizeof(double) + (s->form == SAMPLE_FOLDING ? SLOTS_PER_ROW * sizeof(uint32) : 0);
}

/* Always from the size of the value: a copied state may have been trimmed to it. */
static inline int64
room(const ClvSample *s)
{
	return (VARSIZE(s) - offsetof(ClvSample, data)) / bytes_per_row(s);
}

static inline uint32 *
slots(ClvSample *s)
{
	return (uint32 *) row_at(s, room(s));
}

#ifdef USE_ASSERT_CHECKING
static void
AssertSample(const ClvSample *s)
{
	Assert(s->version == SAMPLE_VERSION);
	Assert(row_kind_known(s->kind) && sample_covariates(s) >= 0 && s->columns <= ROWS_MAX_COLUMNS);
	Assert(s->gaps_known ? row_kind_has_gaps(s->kind) : s->gaps_whole == 0 && s->gaps_fraction == 0);
	Assert(s->nrows >= 0 && s->nrows <= s->n && s->frame.n_skipped >= 0);
	Assert(s->nrows <= room(s));
	Assert(s->form != SAMPLE_STORED || s->nrows == room(s));
}
#else
#define AssertSample(s) ((void) 0)
#endif

/* ---- building ---------------------------------------------------------------------------------- */

static inline uint64
hash_row(const double *row, int columns)
{
	uint64		h = 0;

	for (int i = 0; i < columns; i++)
	{
		uint64		bits;

		memcpy(&bits, &row[i], sizeof(bits));
		h = (h ^ bits) * UINT64CONST(0x9E3779B97F4A7C15);
		h ^= h >> 32;
	}
	return h * UINT64CONST(0xD6E8FEB86659FD93);
}

/* The slot of the row, or the empty one where it belongs. */
static inline uint32 *
find_slot(ClvSample *s, const double *row)
{
	int			columns = s->columns;
	uint32	   *table = slots(s);
	uint32		nslots = (uint32) (room(s) * SLOTS_PER_ROW);
	uint32		i = (uint32) (((hash_row(row, columns) >> 32) * nslots) >> 32);

	while (table[i] != 0 && memcmp(row_at(s, table[i] - 1), row, columns * sizeof(double)) != 0)
		if (++i == nslots)
			i = 0;
	return &table[i];
}

/* Interrupts are looked for once in so many rows. */
#define ROWS_AT_ONCE 4096

/* Rows that fit into the largest value of this kind and form. */
static inline int64
most_rows(const ClvSample *head)
{
	return (MaxAllocSize - offsetof(ClvSample, data)) / bytes_per_row(head);
}

/* Room for a few rows more would be worth neither the copy nor the sort that follows when they are used up. */
static inline int64
enough_rows(const ClvSample *s)
{
	return s->nrows + s->nrows / 32 + 1;
}

/*
 * A value in building form with room for that many rows, or for as many as a value can hold, with the
 * rows and header of `from`. A hash table that no longer fits is given up.
 */
static ClvSample *
copy_with_room(const ClvSample *from, SampleForm form, int64 rows)
{
	ClvSample	head = *from;
	int64		enough = enough_rows(from);
	ClvSample  *s;
	Size		size;

	head.form = form;
	if (form == SAMPLE_FOLDING && most_rows(&head) < enough)
		head.form = SAMPLE_APPENDING;
	if (most_rows(&head) < enough)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many distinct rows for one clv_sample"),
				 errdetail("The sample holds " INT64_FORMAT " distinct rows; a value is limited to 1 GB.", from->nrows),
				 errhint("Fit per cohort, or round times to the model's unit so that rows repeat.")));
	size = offsetof(ClvSample, data) + Min(rows, most_rows(&head)) * bytes_per_row(&head);
	s = palloc(size);
	memcpy(s, &head, offsetof(ClvSample, data));
	SET_VARSIZE(s, size);
	memcpy(s->data, from->data, from->nrows * row_doubles(from) * sizeof(double));
	memset(row_at(s, s->nrows), 0, size - ((char *) row_at(s, s->nrows) - (char *) s));
	s->n_at_growth = s->n;
	s->nrows_at_growth = s->nrows;
	if (s->form == SAMPLE_FOLDING)
		for (int64 i = 0; i < s->nrows; i++)
		{
			if (i % ROWS_AT_ONCE == 0)
				CHECK_FOR_INTERRUPTS();
			*find_slot(s, row_at(s, i)) = (uint32) (i + 1);
		}
	return s;
}

static void sort_and_fold(ClvSample *s);

/* Whether the last growth, by a quarter, took the size past a power of two. */
static inline bool
has_doubled(const ClvSample *s)
{
	return pg_leftmost_one_pos64(VARSIZE(s)) > pg_leftmost_one_pos64(VARSIZE(s) - VARSIZE(s) / 5);
}

/* Make room for at least one more row. */
static ClvSample *
grow(ClvSample *s)
{
	bool		large = VARSIZE(s) >= SAMPLE_DOUBLING_LIMIT;
	SampleForm	form = s->form;
	int64		came = s->n - s->n_at_growth;
	int64		added = s->nrows - s->nrows_at_growth;

	if (form == SAMPLE_FOLDING && s->nrows >= SAMPLE_FOLD_FROM_ROWS && came < added * SAMPLE_FOLD_MIN_RATIO)
		form = SAMPLE_APPENDING;
	else if (form == SAMPLE_APPENDING && large && (has_doubled(s) || most_rows(s) < enough_rows(s)))
	{
		/* Repetitions may have come late; a sort for each doubling is cheap beside a state that need not grow. */
		int64		before = s->nrows;

		sort_and_fold(s);
		s->n_at_growth = s->n;
		s->nrows_at_growth = s->nrows;
		if (s->nrows < before - before / 4)
			return s;
	}
	return copy_with_room(s, form, s->nrows + (large ? s->nrows / 4 : Max(s->nrows, SAMPLE_FIRST_ROWS)));
}

/* Counts stay exact as doubles, and within what the type's input takes. */
static void
check_count(int64 before, double more)
{
	if (unlikely(before > MAX_COUNT - more))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many rows for one clv_sample"),
				 errdetail("It counts " INT64_FORMAT " rows, and %.0f more are to be added; "
						   "at most %.0f can be counted.",
						   before, more, MAX_COUNT),
				 errhint("Is the same sample rolled up many times over?")));
}

void
sample_skip(ClvSample *s, int64 count)
{
	check_count(s->frame.n_skipped, count);
	s->frame.n_skipped += count;
}

ClvSample *
sample_add(ClvSample *s, const double *values, double count)
{
	int			columns = s->columns;
	double		row[ROWS_MAX_COLUMNS];

	Assert(s->form != SAMPLE_STORED);
	check_count(s->n, count);
	for (int i = 0; i < columns; i++)
		row[i] = values[i] + 0.0;	/* -0 is 0 */

	if (unlikely(s->nrows == room(s)))
		s = grow(s);

	if (s->form == SAMPLE_FOLDING)
	{
		uint32	   *slot = find_slot(s, row);

		if (*slot != 0)
		{
			row_at(s, *slot - 1)[columns] += count;
			s->n += (int64) count;
			return s;
		}
		*slot = (uint32) (s->nrows + 1);
	}
	memcpy(row_at(s, s->nrows), row, columns * sizeof(double));
	row_at(s, s->nrows)[columns] = count;
	s->nrows++;
	s->n += (int64) count;
	return s;
}

/* ---- canonical form ---------------------------------------------------------------------------- */

static inline int
compare_rows(const double *a, const double *b, int columns)
{
	for (int i = 0; i < columns; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return 0;
}

/*
 * The sorts of the commonest numbers of columns move rows as a whole: nearly twice as fast as the one for any
 * number, which moves them byte by byte.
 */
typedef struct RowOf2
{
	double		values[2 + 1];
} RowOf2;

#define ST_SORT sort_rows_of_2
#define ST_ELEMENT_TYPE RowOf2
#define ST_COMPARE(a, b) compare_rows((a)->values, (b)->values, 2)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

typedef struct RowOf3
{
	double		values[3 + 1];
} RowOf3;

#define ST_SORT sort_rows_of_3
#define ST_ELEMENT_TYPE RowOf3
#define ST_COMPARE(a, b) compare_rows((a)->values, (b)->values, 3)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

#define ST_SORT sort_rows_of_any
#define ST_ELEMENT_TYPE_VOID
#define ST_COMPARE_ARG_TYPE const int
#define ST_COMPARE(a, b, columns) compare_rows((const double *) (a), (const double *) (b), *(columns))
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

static void
sort_rows(ClvSample *s)
{
	const int	columns = s->columns;

	if (columns == 2)
		sort_rows_of_2((RowOf2 *) s->data, s->nrows);
	else if (columns == 3)
		sort_rows_of_3((RowOf3 *) s->data, s->nrows);
	else
		sort_rows_of_any(s->data, s->nrows, row_doubles(s) * sizeof(double), &columns);
}

/* Sort the rows and count equal neighbours together; a hash table, if any, is void afterwards. */
static void
sort_and_fold(ClvSample *s)
{
	int			columns = s->columns;
	int64		kept = 0;

	if (s->nrows > 1)
		sort_rows(s);
	for (int64 i = 0; i < s->nrows; i++)
	{
		double	   *row = row_at(s, i);
		double	   *last = kept > 0 ? row_at(s, kept - 1) : NULL;

		if (i % ROWS_AT_ONCE == 0)
			CHECK_FOR_INTERRUPTS();
		if (last && compare_rows(last, row, columns) == 0)
			last[columns] += row[columns];
		else
			memmove(row_at(s, kept++), row, (columns + 1) * sizeof(double));
	}
	s->nrows = kept;
}

ClvSample *
sample_stored(ClvSample *sample)
{
	Size		row_bytes = row_doubles(sample) * sizeof(double);
	ClvSample  *s;

	AssertSample(sample);
	if (sample->form == SAMPLE_STORED)
		return sample;

	s = palloc(offsetof(ClvSample, data) + sample->nrows * row_bytes);
	memcpy(s, sample, offsetof(ClvSample, data) + sample->nrows * row_bytes);
	s->form = SAMPLE_STORED;
	s->n_at_growth = 0;
	s->nrows_at_growth = 0;
	sort_and_fold(s);
	SET_VARSIZE(s, offsetof(ClvSample, data) + s->nrows * row_bytes);
	AssertSample(s);
	return s;
}

Rows
sample_rows(const ClvSample *stored)
{
	Assert(stored->form == SAMPLE_STORED);
	return (Rows) {
		.n = stored->nrows, .ncols = row_columns(stored->kind), .data = stored->data,
		.ncovariates = sample_covariates(stored),
		.log_gaps = stored->gaps_known ? stored->gaps_whole + stored->gaps_fraction / (double) GAPS_SCALE : NAN
	};
}

/* The columns of a holdout row that a row of the kind consists of. */
static const int *
holdout_columns(RowKind kind)
{
	static const int timing[] = {HOLDOUT_X, HOLDOUT_T_X, HOLDOUT_T_CAL};
	static const int spend[] = {HOLDOUT_X, HOLDOUT_MONETARY_VALUE};

	Assert(kind == ROWS_TIMING || kind == ROWS_SPEND);
	return kind == ROWS_TIMING ? timing : spend;
}

ClvSample *
sample_project(const ClvSample *holdout, RowKind kind)
{
	Rows		rows = sample_rows(holdout);
	const int  *from = holdout_columns(kind);
	int			columns = row_columns(kind);
	ClvSample  *s = palloc(offsetof(ClvSample, data) + rows.n * (columns + 1) * sizeof(double));

	Assert(holdout->kind == ROWS_HOLDOUT && sample_covariates(holdout) == 0);
	memcpy(s, holdout, offsetof(ClvSample, data));
	s->kind = kind;
	s->columns = columns;
	s->frame.until = DAY_NONE;
	s->n = 0;
	s->nrows = 0;
	if (kind == ROWS_SPEND)
	{
		s->frame.unit_days = 0;
		sample_forget_log_gaps(s);
	}
	for (size_t i = 0; i < rows.n; i++)
	{
		const double *row = rows_at(&rows, i);
		double		count = row_count(&rows, row);
		double	   *to = row_at(s, s->nrows);

		if (i % ROWS_AT_ONCE == 0)
			CHECK_FOR_INTERRUPTS();
		if (kind == ROWS_SPEND && (row[HOLDOUT_X] == 0 || row[HOLDOUT_MONETARY_VALUE] == 0))
		{
			sample_skip(s, (int64) count);
			continue;
		}
		for (int c = 0; c < columns; c++)
			to[c] = row[from[c]];
		to[columns] = count;
		s->n += (int64) count;
		s->nrows++;
	}
	sort_and_fold(s);
	SET_VARSIZE(s, offsetof(ClvSample, data) + s->nrows * (columns + 1) * sizeof(double));
	AssertSample(s);
	return s;
}

/* ---- sums of log gaps -------------------------------------------------------------------------- */

/* Beyond, neither a double nor the text form could hold the sum exactly. */
static void
set_log_gaps(ClvSample *s, int64 whole, int64 fraction)
{
	if (unlikely(whole > (int64) MAX_COUNT || whole < -(int64) MAX_COUNT))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("the sum of log_gaps is out of range"),
				 errdetail("It would be near " INT64_FORMAT "; at most %.0f can be stored.", whole, MAX_COUNT),
				 errhint("Is the same sample rolled up many times over?")));
	s->gaps_whole = whole;
	s->gaps_fraction = fraction;
}

static void
add_gaps(ClvSample *s, int64 whole, int64 fraction)
{
	int64		sum = s->gaps_fraction + fraction;

	if (sum >= GAPS_SCALE)
		set_log_gaps(s, s->gaps_whole + whole + 1, sum - GAPS_SCALE);
	else
		set_log_gaps(s, s->gaps_whole + whole, sum);
}

void
sample_add_log_gaps(ClvSample *s, double log_gaps)
{
	double		whole = floor(log_gaps);

	Assert(row_kind_has_gaps(s->kind) && fabs(log_gaps) <= MAX_COUNT);
	/* a fraction that rounds up to 1 is one */
	if (s->gaps_known)
		add_gaps(s, (int64) whole, (int64) rint((log_gaps - whole) * GAPS_SCALE));
}

void
sample_forget_log_gaps(ClvSample *s)
{
	s->gaps_known = 0;
	s->gaps_whole = 0;
	s->gaps_fraction = 0;
}

/* ---- aggregate states -------------------------------------------------------------------------- */

static const char *
unit_text(double days)
{
	return days != 0 ? unit_name(days) : "raw numbers";
}

static inline bool
same_key(const ClvSample *s, RowKind kind, int columns, const Frame *frame)
{
	return s->kind == kind && s->columns == columns && s->frame.unit_days == frame->unit_days &&
		s->frame.as_of == frame->as_of && s->frame.until == frame->until;
}

/* Raise the error of a key that differs. */
static void
check_same_key(const ClvSample *s, RowKind kind, int columns, const Frame *frame)
{
	const char *hint = "Aggregate rows of one kind, with one time unit and one date, and each group by itself.";

	if (s->kind != kind)
		argument_error("cannot mix different kinds of rows in one sample", hint,
					   "The sample holds %s rows, not %s rows.",
					   row_kind_name(s->kind), row_kind_name(kind));
	if (s->columns != columns)
		argument_error("cannot mix different numbers of covariates in one sample",
					   "Give every customer the same covariates, in the same order.",
					   "Number of covariates in the sample: %d, in what is added: %d.", sample_covariates(s),
					   columns - row_columns(kind));
	if (s->frame.unit_days != frame->unit_days)
		argument_error("cannot mix different time units in one sample", hint,
					   "The sample counts in units of %s, what is added in units of %s.", unit_text(s->frame.unit_days),
					   unit_text(frame->unit_days));
	if (s->frame.as_of != frame->as_of)
		argument_error("cannot mix different as_of dates in one sample", hint, "The dates are %s and %s.",
					   day_text(s->frame.as_of), day_text(frame->as_of));
	if (s->frame.until != frame->until)
		argument_error("cannot mix different ends of the holdout in one sample", hint, "The dates are %s and %s.",
					   day_text(s->frame.until), day_text(frame->until));
}

static ClvSample *
new_sample(RowKind kind, int columns, const Frame *frame)
{
	ClvSample	empty = {.version = SAMPLE_VERSION, .kind = kind, .columns = columns, .frame = *frame};

	empty.gaps_known = row_kind_has_gaps(kind);
	return copy_with_room(&empty, SAMPLE_FOLDING, SAMPLE_FIRST_ROWS);
}

/* Argument 0, not NULL, in building form and ours to edit. */
static ClvSample *
building_state(FunctionCallInfo fcinfo)
{
	ClvSample  *s = PG_GETARG_SAMPLE(0);

	AssertSample(s);
	if (s->form == SAMPLE_STORED)
		return copy_with_room(s, SAMPLE_FOLDING, s->nrows + SAMPLE_FIRST_ROWS);
	return editable_state(fcinfo, s);
}

/* Whether all that came were rows with a NULL, so that nothing says how many covariates the others have. */
static inline bool
columns_open(const ClvSample *s)
{
	return s->nrows == 0 && s->frame.n_skipped > 0 && sample_covariates(s) == 0;
}

/* A state that has no row yet, with room for rows of so many columns. */
static ClvSample *
with_columns(const ClvSample *empty, int columns)
{
	ClvSample	head = *empty;

	head.columns = columns;
	return copy_with_room(&head, SAMPLE_FOLDING, SAMPLE_FIRST_ROWS);
}

ClvSample *
sample_state(FunctionCallInfo fcinfo, RowKind kind, int ncovariates, const Frame *frame)
{
	int			columns = row_columns(kind) + ncovariates;
	ClvSample  *s;

	if (PG_ARGISNULL(0))
		return new_sample(kind, columns, frame);
	s = building_state(fcinfo);
	if (unlikely(!same_key(s, kind, columns, frame)))
	{
		if (s->kind == kind && columns_open(s))
			s = with_columns(s, columns);
		check_same_key(s, kind, columns, frame);
	}
	return s;
}

ClvSample *
sample_skip_null(FunctionCallInfo fcinfo, RowKind kind, const Frame *frame)
{
	ClvSample  *s = PG_ARGISNULL(0) ? new_sample(kind, row_columns(kind), frame) : building_state(fcinfo);

	check_same_key(s, kind, s->columns, frame);
	sample_skip(s, 1);
	return s;
}

/* Merge argument 1 into argument 0; also the transition of the roll-up. */
PG_FUNCTION_INFO_V1(clv_sample_combine);
Datum
clv_sample_combine(PG_FUNCTION_ARGS)
{
	ClvSample  *s;
	ClvSample  *other;

	if (PG_ARGISNULL(1))
		return unchanged_state(fcinfo);
	other = PG_GETARG_SAMPLE(1);
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(copy_with_room(other, other->form == SAMPLE_STORED ? SAMPLE_FOLDING : other->form,
										 other->nrows + SAMPLE_FIRST_ROWS));

	s = building_state(fcinfo);
	if (s->kind == other->kind && columns_open(s))
		s = with_columns(s, other->columns);
	check_same_key(s, other->kind, columns_open(other) ? s->columns : other->columns, &other->frame);
	if (s->gaps_known && other->gaps_known)
		add_gaps(s, other->gaps_whole, other->gaps_fraction);
	else
		sample_forget_log_gaps(s);
	for (int64 i = 0; i < other->nrows; i++)
	{
		double	   *row = row_at(other, i);

		if (i % ROWS_AT_ONCE == 0)
			CHECK_FOR_INTERRUPTS();
		s = sample_add(s, row, row[other->columns]);
	}
	sample_skip(s, other->frame.n_skipped);
	frame_cover(&s->frame, other->frame.first_day, other->frame.last_day);
	PG_RETURN_POINTER(s);
}

PG_FUNCTION_INFO_V1(clv_sample_final);
Datum
clv_sample_final(PG_FUNCTION_ARGS)
{
	ClvSample  *state = PG_GETARG_SAMPLE(0);

	if (state->form == SAMPLE_STORED)
		PG_RETURN_DATUM(PointerGetDatum(PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(0))));
	PG_RETURN_POINTER(sample_stored(state));
}

DEFINE_COMPARISONS(sample, PG_GETARG_STORED_SAMPLE)
