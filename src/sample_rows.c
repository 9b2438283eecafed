/*
 * sample_rows.c - the kinds of rows of a clv_sample, and what each may hold.
 */
#include "sample.h"

#include <math.h>

#include "math/rfm.h"

#define MOST_KIND_COLUMNS 6

/* What is wrong with the columns of the kind, or NULL; *hint says what to do. */
typedef const char *(*RowProblem) (const double *row, const char **hint);

typedef struct RowKindInfo
{
	const char *name;
	RowProblem	problem;
	int			columns;
	const char *column_names[MOST_KIND_COLUMNS];
} RowKindInfo;

static inline bool
is_count(double value)
{
	return value >= 0 && value == floor(value) && value <= MAX_COUNT;
}

static const char *
purchases_problem(double x, const char **hint)
{
	if (is_count(x))
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

static const char *
opportunities_problem(const double *row, const char **hint)
{
	double		x = row[0];
	double		t_x = row[1];
	double		n = row[2];

	*hint = "x counts the opportunities that were taken, t_x is the number of the last one taken, "
		"n how many there were.";
	if (!(is_count(x) && is_count(t_x) && is_count(n)))
		return "x, t_x and n must be whole numbers, 0 or more";
	if (t_x > n)
		return "t_x must not exceed n";
	if (x > t_x)
		return "x must not exceed t_x";
	if (x == 0 && t_x > 0)
		return "t_x must be 0 for a customer who took no opportunity";
	*hint = "Count opportunities in longer periods of time: the odds of a customer's dropout are a sum over them.";
	if (n > ROWS_MOST_OPPORTUNITIES)
		return "n must not exceed 1 million";
	return NULL;
}

static const char *
renewals_problem(const double *row, const char **hint)
{
	double		entry = row[0];
	double		tenure = row[1];
	double		churned = row[2];

	*hint = "tenure is the period in which the customer left: 1, 2, ...; of a customer it is the number of renewals.";
	if (!(is_count(entry) && is_count(tenure)))
		return "entry and tenure must be whole numbers, 0 or more";
	if (churned != 0 && churned != 1)
		return "churned must be 0 or 1";
	if (churned == 1 && tenure == 0)
		return "the tenure of a customer who left must be 1 or more";
	*hint = "entry is the number of renewals before observation began; those who had left by then are not in the data.";
	if (churned == 1 ? entry >= tenure : entry > tenure)
		return churned == 1 ? "entry must be less than the tenure of a customer who left" :
			"entry must not exceed tenure";
	return NULL;
}

static const char *
holdout_problem(const double *row, const char **hint)
{
	const char *problem = timing_problem(row, hint);

	if (problem)
		return problem;
	*hint = "monetary_value is the mean amount of the repeat purchases, 0 where it is not known.";
	if (!(isfinite(row[3]) && row[3] >= 0))
		return "monetary_value must be finite and not negative";
	*hint = "purchases and spend are those after t_cal.";
	if (!is_count(row[4]))
		return "purchases must be a whole number, 0 or more";
	if (!isfinite(row[5]))
		return "spend must be finite";
	return NULL;
}

static const char *
calendar_problem(const double *row, const char **hint)
{
	*hint = "A row is one purchase: its day, and 0 for a customer's first, 1 for a later one.";
	if (!(row[0] >= DAY_MIN && row[0] <= DAY_MAX && row[0] == floor(row[0])))
		return "day must be a day of the calendar";
	if (row[1] != 0 && row[1] != 1)
		return "repeat must be 0 or 1";
	return NULL;
}

static const char *
rfm_problem(const double *row, const char **hint)
{
	const double *values = row + RFM_ROW_VALUES;

	*hint = "Five scores per column, 1 to 5, are customary.";
	if (!(is_count(row[RFM_ROW_BINS]) && row[RFM_ROW_BINS] >= RFM_LEAST_BINS && row[RFM_ROW_BINS] <= RFM_MOST_BINS))
		return "bins must be a whole number from 2 to 9";
	*hint = "Leave out what was bought after the date of the score.";
	if (!(isfinite(values[RFM_DAYS]) && values[RFM_DAYS] >= 0))
		return "days_since_last must be finite and not negative";
	*hint = "Frequency is a number of purchases.";
	if (!(isfinite(values[RFM_FREQUENCY]) && values[RFM_FREQUENCY] >= 0))
		return "frequency must be finite and not negative";
	*hint = "Leave out or correct amounts that are NaN or infinite; an unknown one is NULL.";
	if (!isfinite(values[RFM_MONETARY]))
		return "monetary must be finite";
	return NULL;
}

static const char *
signal_problem(const double *row, const char **hint)
{
	*hint = "n is the number of a customer's scored interactions.";
	if (!(is_count(row[SIGNAL_N]) && row[SIGNAL_N] >= 1))
		return "n must be a whole number, 1 or more";
	*hint = "Scores whose squares leave the range of float8 cannot be compared: rescale them.";
	if (!(isfinite(row[SIGNAL_MEAN]) && isfinite(row[SIGNAL_WITHIN]) && row[SIGNAL_WITHIN] >= 0))
		return "mean and within must be finite, and within not negative";
	if (row[SIGNAL_N] == 1 && row[SIGNAL_WITHIN] != 0)
		return "within must be 0 for a single interaction";
	return NULL;
}

static const char *
rating_problem(const double *row, const char **hint)
{
	*hint = "Leave out or correct scores that are NaN or infinite; an unknown one is NULL.";
	return isfinite(row[0]) ? NULL : "score must be finite";
}

static const char *
agreement_problem(const double *row, const char **hint)
{
	*hint = "Number the categories, or compare booleans.";
	for (int c = 0; c < 2; c++)
		if (!(fabs(row[c]) <= MAX_COUNT && row[c] == floor(row[c])))
			return "categories must be whole numbers";
	return NULL;
}

static const char *
response_problem(const double *row, const char **hint)
{
	*hint = "Leave out or correct rows that are NaN or infinite; an unknown y is NULL.";
	return isfinite(row[0]) ? NULL : "y must be finite";
}

static const char *
survival_problem(const double *row, const char **hint)
{
	double		entry = row[0];
	double		tenure = row[1];
	double		event = row[2];

	*hint = "tenure is the time from the start to the event, or to the end of observation without one.";
	if (!(isfinite(entry) && isfinite(tenure) && entry >= 0))
		return "entry and tenure must be finite and not negative";
	if (event != 0 && event != 1)
		return "event must be 0 or 1";
	*hint = entry == tenure ? "An event comes after the start: in whole periods, one within the first has tenure 1." :
		"entry is when observation began, 0 for those seen from their start; "
		"those whose event came before are not in the data.";
	if (entry >= tenure)
		return "entry must be less than tenure";
	return NULL;
}

static const char *
prediction_problem(const double *row, const char **hint)
{
	*hint = "predicted is a probability: write 10 percent as 0.10.";
	if (!(row[0] >= 0 && row[0] <= 1))
		return "predicted must be between 0 and 1";
	*hint = "happened is 1 where it came true, else 0; a boolean says the same.";
	if (row[1] != 0 && row[1] != 1)
		return "happened must be 0 or 1";
	return NULL;
}

static const char *
effect_problem(const double *row, const char **hint)
{
	*hint = "Leave out or correct rows that are NaN or infinite; unknown values are NULL.";
	return isfinite(row[0]) && isfinite(row[1]) ? NULL : "treatment and y must be finite";
}

static const char *
pair_problem(const double *row, const char **hint)
{
	*hint = "Leave out or correct rows that are NaN or infinite; unknown values are NULL.";
	return isfinite(row[0]) && isfinite(row[1]) ? NULL : "a and b must be finite";
}

static const RowKindInfo row_kinds[] = {
	[ROWS_TIMING] = {"timing", timing_problem, 3, {"x", "t_x", "t_cal"}},
	[ROWS_SPEND] = {"spend", spend_problem, 2, {"x", "monetary_value"}},
	[ROWS_CASH_FLOW] = {"cash_flow", cash_flow_problem, 3, {"days", "amount", "annual_discount_rate"}},
	[ROWS_OPPORTUNITIES] = {"opportunities", opportunities_problem, 3, {"x", "t_x", "n"}},
	[ROWS_RENEWALS] = {"renewals", renewals_problem, 3, {"entry", "tenure", "churned"}},
	[ROWS_HOLDOUT] = {"holdout", holdout_problem, 6, {"x", "t_x", "t_cal", "monetary_value", "purchases", "spend"}},
	[ROWS_CALENDAR] = {"calendar", calendar_problem, 2, {"day", "repeat"}},
	[ROWS_RFM] = {"rfm", rfm_problem, RFM_ROW_COLUMNS, {"bins", "days_since_last", "frequency", "monetary"}},
	[ROWS_SIGNAL] = {"signal", signal_problem, SIGNAL_COLUMNS, {"n", "mean", "within"}},
	[ROWS_RATING] = {"rating", rating_problem, 1, {"score"}},
	[ROWS_AGREEMENT] = {"agreement", agreement_problem, 2, {"a", "b"}},
	[ROWS_RESPONSE] = {"response", response_problem, 1, {"y"}},
	[ROWS_CLUSTERED] = {"clustered_response", response_problem, 1, {"y"}},
	[ROWS_SURVIVAL] = {"survival", survival_problem, 3, {"entry", "tenure", "event"}},
	[ROWS_CLUSTERED_SURVIVAL] = {"clustered_survival", survival_problem, 3, {"entry", "tenure", "event"}},
	[ROWS_PREDICTION] = {"prediction", prediction_problem, 2, {"predicted", "happened"}},
	[ROWS_EFFECT] = {"effect", effect_problem, 2, {"treatment", "y"}},
	[ROWS_PAIR] = {"pair", pair_problem, 2, {"a", "b"}},
};

StaticAssertDecl(MOST_KIND_COLUMNS <= ROWS_MAX_COLUMNS, "a row of any kind fits where rows are built");

bool
row_kind_known(int kind)
{
	return kind >= ROWS_TIMING && kind < lengthof(row_kinds);
}

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

const char *
row_problem(RowKind kind, const double *row, const char **hint)
{
	return row_kinds[kind].problem(row, hint);
}

/* The values of a row by their names, for a message. */
static const char *
row_text(RowKind kind, const double *row)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int c = 0; c < row_kinds[kind].columns; c++)
		appendStringInfo(&buf, "%s%s = %g", c > 0 ? ", " : "", row_kinds[kind].column_names[c], row[c]);
	return buf.data;
}

void
check_row(RowKind kind, const double *row)
{
	const char *hint;
	const char *problem = row_problem(kind, row, &hint);

	if (unlikely(problem != NULL))
		argument_error(problem, hint, "%s.", row_text(kind, row));
}
