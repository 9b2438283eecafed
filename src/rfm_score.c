/*
 * rfm_score.c - the window function rfm_score() and the forms in which customers come to this room.
 *
 * A score is a comparison with bins - 1 breaks, and the breaks are order statistics of the partition. So the function
 * sorts the columns of a partition once, keeps the breaks and nothing else, and then compares row by row. The sorts
 * share one work_mem and go to temporary files beyond it.
 */
#include "rfm.h"

#include <math.h>

#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "history.h"
#include "miscadmin.h"
#include "sample.h"
#include "utils/memutils.h"
#include "utils/tuplesort.h"
#include "windowapi.h"

/* ---- forms of a customer ----------------------------------------------------------------------- */

static bool
read_numbers(const NullableDatum *args, double *row, DateADT *as_of)
{
	for (int c = 0; c < RFM_COLUMNS; c++)
		row[RFM_ROW_VALUES + c] = DatumGetFloat8(args[c].value);
	return true;
}

/* Days of 24 hours and months of 30 days: the order in which PostgreSQL sorts intervals. */
static bool
read_interval(const NullableDatum *args, double *row, DateADT *as_of)
{
	const Interval *since = DatumGetIntervalP(args[RFM_DAYS].value);

	row[RFM_ROW_VALUES + RFM_DAYS] = INTERVAL_NOT_FINITE(since) ? INFINITY :
		(double) since->month * DAYS_PER_MONTH + since->day + (double) since->time / USECS_PER_DAY;
	for (int c = RFM_FREQUENCY; c < RFM_COLUMNS; c++)
		row[RFM_ROW_VALUES + c] = DatumGetFloat8(args[c].value);
	return true;
}

static bool
read_history_at(Datum history, double *row, DateADT as_of)
{
	HistorySummary s;

	if (!history_summary(history_from_datum(history), as_of, &s))
		return false;
	if (!s.has_money)
		argument_error("these histories hold no amounts",
					   "Build them with purchase_history(ordered_at, amount), or score columns of your own.",
					   "The third digit of a score needs the total spend.");
	row[RFM_ROW_VALUES + RFM_DAYS] = s.tenure - s.t_x;
	row[RFM_ROW_VALUES + RFM_FREQUENCY] = s.purchases;
	row[RFM_ROW_VALUES + RFM_MONETARY] = micro_mean(s.purchase_spend - s.refunded, 1);
	return true;
}

static bool
read_history(const NullableDatum *args, double *row, DateADT *as_of)
{
	*as_of = checked_day(DatumGetDateADT(args[1].value), "as_of");
	return read_history_at(args[0].value, row, *as_of);
}

static bool
read_history_tz(const NullableDatum *args, double *row, DateADT *as_of)
{
	*as_of = day_of_timestamptz(DatumGetTimestampTz(args[1].value), "as_of");
	return read_history_at(args[0].value, row, *as_of);
}

const RfmForm rfm_numbers = {3, read_numbers};
const RfmForm rfm_interval = {3, read_interval};
const RfmForm rfm_history = {2, read_history};
const RfmForm rfm_history_tz = {2, read_history_tz};

bool
rfm_row(const RfmForm *form, const NullableDatum *args, int bins, double *row, DateADT *as_of)
{
	for (int i = 0; i < form->nargs; i++)
		if (args[i].isnull)
			return false;
	if (!form->read(args, row, as_of))
		return false;
	row[RFM_ROW_BINS] = bins;
	check_row(ROWS_RFM, row);
	return true;
}

/* ---- scores ------------------------------------------------------------------------------------ */

Datum
rfm_score_text(const RfmBreaks *breaks, const double *row)
{
	text	   *score = palloc(VARHDRSZ + RFM_COLUMNS);
	int			scores[RFM_COLUMNS];

	rfm_scores(breaks, row + RFM_ROW_VALUES, scores);
	SET_VARSIZE(score, VARHDRSZ + RFM_COLUMNS);
	for (int c = 0; c < RFM_COLUMNS; c++)
		VARDATA(score)[c] = '0' + scores[c];
	return PointerGetDatum(score);
}

/* ---- the window function ------------------------------------------------------------------------- */

/* What is kept of a partition; breaks.n is 0 where fewer than two rows can be compared or bins is NULL: no scores. */
typedef struct Partition
{
	bool		read;
	bool		bins_vary;		/* bins is no constant, so every row is asked for it */
	int			bins;			/* 0: not known yet */
	DateADT		as_of;			/* DAY_NONE: not known, or none in this form */
	RfmBreaks	breaks;
} Partition;

StaticAssertDecl(FLOAT8PASSBYVAL, "only the first argument of a form is passed by reference");

#define CURRENT_ROW (-1)

/* Rows are compared with each other, so they share their date and the number of scores. */
static void
check_row_fits(Partition *partition, int bins, DateADT as_of)
{
	if (partition->bins == 0)
		partition->bins = bins;
	if (partition->as_of == DAY_NONE)
		partition->as_of = as_of;
	if (partition->bins != bins)
		argument_error("bins must be the same in all rows of a partition", "Use one number of bins, or PARTITION BY it.",
					   "It is %d and %d.", partition->bins, bins);
	if (partition->as_of != as_of)
		argument_error("as_of must be the same in all rows of a partition", "Use one date, or PARTITION BY it.",
					   "It is %s and %s.", day_text(partition->as_of), day_text(as_of));
}

/* The row at a position of the partition, as rfm_row(). */
static bool
row_at(WindowObject window, const RfmForm *form, Partition *partition, int64 position, double *row)
{
	NullableDatum args[RFM_MOST_ARGUMENTS + 1];
	NullableDatum *bins = &args[form->nargs];
	DateADT		as_of = DAY_NONE;

	*bins = (NullableDatum) {Int32GetDatum(partition->bins), false};

	/* each fetch frees the row of the one before: the first argument, which may be passed by reference, comes last */
	for (int i = form->nargs - !partition->bins_vary; i >= 0; i--)
		args[i].value = position == CURRENT_ROW ?
			WinGetFuncArgCurrent(window, i, &args[i].isnull) :
			WinGetFuncArgInPartition(window, i, position, WINDOW_SEEK_HEAD, false, &args[i].isnull, NULL);
	if (bins->isnull || !rfm_row(form, args, DatumGetInt32(bins->value), row, &as_of))
		return false;
	check_row_fits(partition, DatumGetInt32(bins->value), as_of);
	return true;
}

/* Sort the columns of all rows, the worst value first; returns how many rows there are to compare. */
static int64
sort_columns(WindowObject window, const RfmForm *form, Partition *partition, int64 nrows, Tuplesortstate **sorts)
{
	int64		n = 0;
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "clv rfm_score row", ALLOCSET_SMALL_SIZES);

	for (int c = 0; c < RFM_COLUMNS; c++)
		sorts[c] = tuplesort_begin_datum(FLOAT8OID, Float8LessOperator, InvalidOid, false, work_mem / RFM_COLUMNS,
										 NULL, TUPLESORT_NONE);
	for (int64 i = 0; i < nrows; i++)
	{
		MemoryContext caller = MemoryContextSwitchTo(row_context);
		double		row[RFM_ROW_COLUMNS];
		bool		known;

		CHECK_FOR_INTERRUPTS();
		known = row_at(window, form, partition, i, row);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(row_context);
		if (!known)
			continue;
		for (int c = 0; c < RFM_COLUMNS; c++)
			tuplesort_putdatum(sorts[c], Float8GetDatum(rfm_worth(c, row[RFM_ROW_VALUES + c])), false);
		n++;
	}
	MemoryContextDelete(row_context);
	return n;
}

/* Read the breaks of one column off its n sorted values. */
static void
read_breaks(Tuplesortstate *sorted, int64 n, int column, RfmBreaks *breaks)
{
	int64		rank = 0;
	Datum		worth = (Datum) 0;

	tuplesort_performsort(sorted);
	for (int i = 0; i < breaks->n; i++)
	{
		int64		next = rfm_break_rank(n, breaks->n + 1, i + 2);
		bool		isnull;

		/* ranks repeat where there are fewer rows than scores */
		if (next > rank)
		{
			tuplesort_skiptuples(sorted, next - rank - 1, true);
			tuplesort_get_value(sorted, &worth, &isnull);
			rank = next;
		}
		breaks->at[column][i] = rfm_worth(column, DatumGetFloat8(worth));
	}
}

static void
read_partition(WindowObject window, const RfmForm *form, Partition *partition)
{
	Tuplesortstate *sorts[RFM_COLUMNS];
	int64		nrows = WinGetPartitionRowCount(window);
	int64		n;

	if (nrows > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many rows to score in one partition"),
				 errdetail("There are %lld rows; at most %d can be reached.", (long long) nrows, PG_INT32_MAX),
				 errhint("Use PARTITION BY, or rfm_breaks() of a part of the rows.")));
	if (nrows < 2)
		return;
	n = sort_columns(window, form, partition, nrows, sorts);
	partition->breaks.n = n < 2 ? 0 : partition->bins - 1;
	for (int c = 0; c < RFM_COLUMNS; c++)
	{
		read_breaks(sorts[c], n, c, &partition->breaks);
		tuplesort_end(sorts[c]);
	}
}

/* Before any row is known to fit: the others of its values are fine. */
static void
check_bins(int bins)
{
	const double row[RFM_ROW_COLUMNS] = {bins};
	const char *hint;
	const char *problem = row_problem(ROWS_RFM, row, &hint);

	if (problem)
		argument_error(problem, hint, "bins = %d.", bins);
}

static Datum
score_window(FunctionCallInfo fcinfo, const RfmForm *form)
{
	WindowObject window = PG_WINDOW_OBJECT();
	Partition  *partition = WinGetPartitionLocalMemory(window, sizeof(Partition));
	double		row[RFM_ROW_COLUMNS];

	if (!partition->read)
	{
		bool		no_bins = false;

		partition->read = true;
		partition->as_of = DAY_NONE;
		partition->bins_vary = !get_fn_expr_arg_stable(fcinfo->flinfo, form->nargs);
		if (!partition->bins_vary)
			partition->bins = DatumGetInt32(WinGetFuncArgCurrent(window, form->nargs, &no_bins));
		if (!no_bins && !partition->bins_vary)
			check_bins(partition->bins);
		if (!no_bins)
			read_partition(window, form, partition);
	}
	if (partition->breaks.n == 0 || !row_at(window, form, partition, CURRENT_ROW, row))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(rfm_score_text(&partition->breaks, row));
}

#define DEFINE_WINDOW(NAME, FORM) \
	PG_FUNCTION_INFO_V1(clv_rfm_score_##NAME); \
	Datum clv_rfm_score_##NAME(PG_FUNCTION_ARGS) \
	{ \
		return score_window(fcinfo, &FORM); \
	}

DEFINE_WINDOW(numbers, rfm_numbers)
DEFINE_WINDOW(interval, rfm_interval)
DEFINE_WINDOW(history, rfm_history)
DEFINE_WINDOW(history_tz, rfm_history_tz)
