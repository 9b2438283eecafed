/*
 * sample.c - type clv_sample: building, merging, canonical form, aggregates.
 *
 * Daily data of millions of customers hold few distinct (x, t_x, t_cal), so rows are folded as they
 * come. Where they hardly repeat, hashing would be lost time: folding then waits for the sort that
 * the canonical form needs anyway.
 */
#include "sample.h"

#include <math.h>

#include "history.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* A state below this size doubles, above it grows by a quarter. */
#define SAMPLE_DOUBLING_LIMIT (64 * 1024 * 1024)
#define SAMPLE_FIRST_ROWS 4

/* Give up hashing when, past this many rows, fewer than one row in ten was seen before. */
#define SAMPLE_FOLD_FROM_ROWS (64 * 1024)
#define SAMPLE_FOLD_MIN_RATIO 1.1

typedef struct RowKindInfo
{
	const char *name;
	int			columns;
} RowKindInfo;

static const RowKindInfo row_kinds[] = {
	[ROWS_TIMING] = {"timing", 3},
	[ROWS_SPEND] = {"spend", 2},
	[ROWS_CASH_FLOW] = {"cash_flow", 3},
};

int
row_columns(RowKind kind)
{
	return row_kinds[kind].columns;
}

const char *
row_kind_name(RowKind kind)
{
	return row_kinds[kind].name;
}

bool
row_kind_by_name(const char **cursor, RowKind *kind)
{
	for (int i = ROWS_TIMING; i < lengthof(row_kinds); i++)
		if (scan_literal(cursor, row_kinds[i].name))
		{
			*kind = (RowKind) i;
			return true;
		}
	return false;
}

/* ---- what a row may hold ----------------------------------------------------------------------- */

static const char *
purchases_problem(double x, const char **hint)
{
	if (x >= 0 && x == floor(x) && x <= MAX_COUNT)
		return NULL;
	*hint = "x counts repeat purchases: purchase days after the first.";
	return "x must be a whole number, 0 or more";
}

static const char *
timing_problem(const double *row, const char **hint)
{
	double		x = row[0];
	double		t_x = row[1];
	double		t_cal = row[2];
	const char *problem = purchases_problem(x, hint);

	if (problem)
		return problem;
	*hint = "t_x is the time from the first to the last purchase, "
		"t_cal from the first purchase to the end of observation.";
	if (!(isfinite(t_x) && isfinite(t_cal) && t_x >= 0))
		return "t_x and t_cal must be finite and not negative";
	if (t_x > t_cal)
		return "t_x must not exceed t_cal";
	if (x == 0 && t_x > 0)
		return "t_x must be 0 for a customer without a repeat purchase";
	return NULL;
}

static const char *
spend_problem(const double *row, const char **hint)
{
	const char *problem = purchases_problem(row[0], hint);

	if (problem)
		return problem;
	*hint = "monetary_value is the mean amount of the repeat purchases.";
	if (!(isfinite(row[1]) && row[1] >= 0))
		return "monetary_value must be finite and not negative";
	return NULL;
}

static const char *
cash_flow_problem(const double *row, const char **hint)
{
	*hint = "Leave out or correct payments that are NaN or infinite.";
	if (!(isfinite(row[0]) && isfinite(row[1])))
		return "amounts and dates of payments must be finite";
	*hint = "Write 10 percent as 0.10.";
	if (!(isfinite(row[2]) && row[2] > -1))
		return "annual_discount_rate must be finite and above -1";
	return NULL;
}

const char *
row_problem(RowKind kind, const double *row, const char **hint)
{
	switch ((int) kind)
	{
		case ROWS_TIMING:
			return timing_problem(row, hint);
		case ROWS_SPEND:
			return spend_problem(row, hint);
		case ROWS_CASH_FLOW:
			return cash_flow_problem(row, hint);
	}
	elog(ERROR, "unknown kind of rows %d", kind);
}

void
check_row(RowKind kind, const double *row)
{
	const char *hint;
	const char *problem = row_problem(kind, row, &hint);

	if (likely(problem == NULL))
		return;
	switch ((int) kind)
	{
		case ROWS_TIMING:
			argument_error(problem, hint, "x = %g, t_x = %g, t_cal = %g.", row[0], row[1], row[2]);
		case ROWS_SPEND:
			argument_error(problem, hint, "x = %g, monetary_value = %g.", row[0], row[1]);
		case ROWS_CASH_FLOW:
			argument_error(problem, hint, "The payment is %g, %g days after as_of, at a rate of %g.", row[1], row[0],
						   row[2]);
	}
}

/* ---- layout ------------------------------------------------------------------------------------ */

static inline int
row_doubles(const ClvSample *s)
{
	return row_kinds[s->kind].columns + 1;
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
	Assert(s->kind >= ROWS_TIMING && s->kind < lengthof(row_kinds));
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
	int			columns = row_doubles(s) - 1;
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

/*
 * A value in building form with room for that many rows, or for as many as a value can hold, with the
 * rows and header of `from`. A hash table that no longer fits is given up. Room for a few rows more
 * would be worth neither the copy nor the sort that follows when they are used up.
 */
static ClvSample *
copy_with_room(const ClvSample *from, SampleForm form, int64 rows)
{
	ClvSample	head = *from;
	int64		enough = from->nrows + from->nrows / 32 + 1;
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
	else if (form == SAMPLE_APPENDING && large)
	{
		/* Repetitions may have come late; a sort is cheap beside a state that need not grow. */
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

/* Count rows that the kind has no use for. */
static void
skip_rows(ClvSample *s, int64 count)
{
	check_count(s->frame.n_skipped, count);
	s->frame.n_skipped += count;
}

ClvSample *
sample_add(ClvSample *s, const double *values, double count)
{
	int			columns = row_doubles(s) - 1;
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

/* A sort for each number of columns moves rows as a whole: nearly twice as fast as one for any size, byte by byte. */
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

static void
sort_rows(ClvSample *s)
{
	Assert(row_doubles(s) == 2 + 1 || row_doubles(s) == 3 + 1);
	if (row_doubles(s) == 2 + 1)
		sort_rows_of_2((RowOf2 *) s->data, s->nrows);
	else
		sort_rows_of_3((RowOf3 *) s->data, s->nrows);
}

/* Sort the rows and count equal neighbours together; a hash table, if any, is void afterwards. */
static void
sort_and_fold(ClvSample *s)
{
	int			columns = row_doubles(s) - 1;
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
	return (Rows) {.n = stored->nrows, .ncols = row_columns(stored->kind), .data = stored->data, .log_gaps = NAN};
}

/* ---- aggregate states -------------------------------------------------------------------------- */

static const char *
unit_text(double days)
{
	return days != 0 ? unit_name(days) : "raw numbers";
}

static void
check_same_frame(const ClvSample *s, RowKind kind, double unit, DateADT as_of)
{
	const char *hint = "Build one clv_sample per kind of rows, time unit and date, and fit each by itself.";

	if (s->kind != kind)
		argument_error("cannot mix different kinds of rows in one sample", hint,
					   "The sample holds %s rows, not %s rows.",
					   row_kind_name(s->kind), row_kind_name(kind));
	if (s->frame.unit_days != unit)
		argument_error("cannot mix different time units in one sample", hint,
					   "The sample counts in units of %s, what is added in units of %s.", unit_text(s->frame.unit_days),
					   unit_text(unit));
	if (s->frame.as_of != as_of)
		argument_error("cannot mix different as_of dates in one sample", hint, "The dates are %s and %s.",
					   day_text(s->frame.as_of), day_text(as_of));
}

static ClvSample *
new_sample(RowKind kind, double unit, DateADT as_of)
{
	ClvSample	empty = {.version = SAMPLE_VERSION, .kind = kind, .frame = FRAME_OF_NUMBERS};

	empty.frame.unit_days = unit;
	empty.frame.as_of = as_of;
	return copy_with_room(&empty, SAMPLE_FOLDING, SAMPLE_FIRST_ROWS);
}

/* Argument 0, not NULL, in building form and ours to edit. */
static ClvSample *
editable_state(FunctionCallInfo fcinfo)
{
	ClvSample  *s = PG_GETARG_SAMPLE(0);

	AssertSample(s);
	if (s->form == SAMPLE_STORED)
		return copy_with_room(s, SAMPLE_FOLDING, s->nrows + SAMPLE_FIRST_ROWS);
	if (!AggCheckCallContext(fcinfo, NULL))
		return (ClvSample *) PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(0));
	return s;
}

ClvSample *
sample_state(FunctionCallInfo fcinfo, RowKind kind, double unit, DateADT as_of)
{
	ClvSample  *s;

	if (PG_ARGISNULL(0))
		return new_sample(kind, unit, as_of);
	s = editable_state(fcinfo);
	if (unlikely(s->kind != kind || s->frame.unit_days != unit || s->frame.as_of != as_of))
		check_same_frame(s, kind, unit, as_of);
	return s;
}

PG_FUNCTION_INFO_V1(clv_sample_add_timing);
Datum
clv_sample_add_timing(PG_FUNCTION_ARGS)
{
	double		row[3];

	for (int i = 0; i < 3; i++)
	{
		if (PG_ARGISNULL(i + 1))
			return unchanged_state(fcinfo);
		row[i] = PG_GETARG_FLOAT8(i + 1);
	}
	check_row(ROWS_TIMING, row);
	PG_RETURN_POINTER(sample_add(sample_state(fcinfo, ROWS_TIMING, 0, DAY_NONE), row, 1));
}

/* Only repeat purchases with a positive mean say something about spend. */
static ClvSample *
add_spend(ClvSample *s, double x, double mean)
{
	double		row[2] = {x, mean};

	check_row(ROWS_SPEND, row);
	if (x > 0 && mean > 0)
		return sample_add(s, row, 1);
	skip_rows(s, 1);
	return s;
}

PG_FUNCTION_INFO_V1(clv_sample_add_spend);
Datum
clv_sample_add_spend(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return unchanged_state(fcinfo);
	PG_RETURN_POINTER(add_spend(sample_state(fcinfo, ROWS_SPEND, 0, DAY_NONE), PG_GETARG_FLOAT8(1),
								PG_GETARG_FLOAT8(2)));
}

static ClvSample *
add_history_timing(FunctionCallInfo fcinfo, DateADT as_of, double unit)
{
	ClvSample  *s = sample_state(fcinfo, ROWS_TIMING, unit, checked_day(as_of, "as_of"));
	HistorySummary h;

	if (!history_summary(PG_GETARG_HISTORY(1), as_of, &h))
	{
		skip_rows(s, 1);		/* not a customer yet */
		return s;
	}
	frame_cover(&s->frame, h.first, h.last);
	return sample_add(s, (double[]) {h.x, h.t_x / unit, h.tenure / unit}, 1);
}

static ClvSample *
add_history_spend(FunctionCallInfo fcinfo, DateADT as_of)
{
	ClvSample  *s = sample_state(fcinfo, ROWS_SPEND, 0, checked_day(as_of, "as_of"));
	HistorySummary h;

	if (!history_summary(PG_GETARG_HISTORY(1), as_of, &h))
	{
		skip_rows(s, 1);
		return s;
	}
	if (!h.has_money)
		argument_error("these histories hold no amounts", "Build them with purchase_history(ordered_at, amount).",
					   "A spend model needs the amount of every purchase.");
	frame_cover(&s->frame, h.first, h.last);
	return add_spend(s, h.x, h.x > 0 ? micro_mean(h.repeat_spend, h.x) : 0);
}

/* One transition per form of the date: with and without unit. */
#define AS_OF_DATE PG_GETARG_DATEADT(2)
#define AS_OF_TIMESTAMPTZ day_of_timestamptz(PG_GETARG_TIMESTAMPTZ(2), "as_of")

#define DEFINE_HISTORY_TRANSITION(NAME, NARGS, ADD) \
	PG_FUNCTION_INFO_V1(NAME); \
	Datum NAME(PG_FUNCTION_ARGS) \
	{ \
		for (int i = 1; i < (NARGS); i++) \
			if (PG_ARGISNULL(i)) \
				return unchanged_state(fcinfo); \
		PG_RETURN_POINTER(ADD); \
	}

DEFINE_HISTORY_TRANSITION(clv_sample_add_history, 3, add_history_timing(fcinfo, AS_OF_DATE, 1))
DEFINE_HISTORY_TRANSITION(clv_sample_add_history_tz, 3, add_history_timing(fcinfo, AS_OF_TIMESTAMPTZ, 1))
DEFINE_HISTORY_TRANSITION(clv_sample_add_history_unit, 4,
						  add_history_timing(fcinfo, AS_OF_DATE, unit_days(PG_GETARG_TEXT_PP(3))))
DEFINE_HISTORY_TRANSITION(clv_sample_add_history_unit_tz, 4,
						  add_history_timing(fcinfo, AS_OF_TIMESTAMPTZ, unit_days(PG_GETARG_TEXT_PP(3))))
DEFINE_HISTORY_TRANSITION(clv_sample_add_history_spend, 3, add_history_spend(fcinfo, AS_OF_DATE))
DEFINE_HISTORY_TRANSITION(clv_sample_add_history_spend_tz, 3, add_history_spend(fcinfo, AS_OF_TIMESTAMPTZ))

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

	s = editable_state(fcinfo);
	check_same_frame(s, other->kind, other->frame.unit_days, other->frame.as_of);
	for (int64 i = 0; i < other->nrows; i++)
	{
		double	   *row = row_at(other, i);

		if (i % ROWS_AT_ONCE == 0)
			CHECK_FOR_INTERRUPTS();
		s = sample_add(s, row, row[row_doubles(other) - 1]);
	}
	skip_rows(s, other->frame.n_skipped);
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
