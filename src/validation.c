/*
 * validation.c - how good a model is on orders it has not seen: holdout backtests, classes of customers,
 * tracking over time.
 */
#include "btyd.h"
#include "math/backtest.h"

#include <math.h>

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"

/* ---- holdout samples --------------------------------------------------------------------------- */

/* Net amount of the days from number `begin` up to but not including `end`, refunds included. */
static double
net_spend(const PurchaseHistory *h, int32 begin, int32 end)
{
	int64		spend = 0;

	for (int32 i = begin; i < end; i++)
		spend = add_micro(spend, h->days[i].amount);
	return micro_mean(spend, 1);
}

static int32
purchase_count(const PurchaseHistory *h, int32 begin, int32 end)
{
	int32		purchases = 0;

	for (int32 i = begin; i < end; i++)
		purchases += is_purchase(&h->days[i]);
	return purchases;
}

/* One customer as known on the day of the calibration, and what came after it up to until. */
static ClvSample *
add_holdout(FunctionCallInfo fcinfo, DateADT calibration, DateADT until, double unit)
{
	const PurchaseHistory *h = PG_GETARG_HISTORY(1);
	Frame		frame = frame_at(unit, checked_day(calibration, "calibration"));
	ClvSample  *s;
	HistorySummary known;
	int32		begin;
	int32		end;

	frame.until = checked_day(until, "until");
	if (until <= calibration)
		argument_error("until must be after calibration",
					   "The model is fitted to the days up to calibration, and predicts those after it up to until.",
					   "calibration is %s, until is %s.", day_text(calibration), day_text(until));
	s = sample_state(fcinfo, ROWS_HOLDOUT, 0, &frame);
	if (!history_summary(h, calibration, &known))
	{
		sample_skip(s, 1);		/* not a customer yet */
		return s;
	}
	sample_add_log_gaps(s, history_log_gaps(h, calibration, unit));
	frame_cover(&s->frame, known.first, known.last);
	begin = history_days_until(h, calibration);
	end = history_days_until(h, until);
	return sample_add(s, (double[HOLDOUT_COLUMNS]) {
		[HOLDOUT_X] = known.x,
		[HOLDOUT_T_X] = known.t_x / unit,
		[HOLDOUT_T_CAL] = known.tenure / unit,
		[HOLDOUT_MONETARY_VALUE] = known.x > 0 ? micro_mean(known.repeat_spend, known.x) : 0,
		[HOLDOUT_PURCHASES] = purchase_count(h, begin, end),
		[HOLDOUT_SPEND] = net_spend(h, begin, end)}, 1);
}

#define DEFINE_HOLDOUT_TRANSITION(NAME, NARGS, CALIBRATION, UNTIL, UNIT) \
	PG_FUNCTION_INFO_V1(NAME); \
	Datum NAME(PG_FUNCTION_ARGS) \
	{ \
		for (int i = 1; i < (NARGS); i++) \
			if (PG_ARGISNULL(i)) \
				return unchanged_state(fcinfo); \
		PG_RETURN_POINTER(add_holdout(fcinfo, CALIBRATION, UNTIL, UNIT)); \
	}

#define DAY_OF_DATE(n, what) PG_GETARG_DATEADT(n)
#define DAY_OF_TIMESTAMPTZ(n, what) day_of_timestamptz(PG_GETARG_TIMESTAMPTZ(n), what)

DEFINE_HOLDOUT_TRANSITION(clv_validation_add_holdout, 4,
						  DAY_OF_DATE(2, "calibration"), DAY_OF_DATE(3, "until"), 1)
DEFINE_HOLDOUT_TRANSITION(clv_validation_add_holdout_tz, 4,
						  DAY_OF_TIMESTAMPTZ(2, "calibration"), DAY_OF_TIMESTAMPTZ(3, "until"), 1)
DEFINE_HOLDOUT_TRANSITION(clv_validation_add_holdout_unit, 5,
						  DAY_OF_DATE(2, "calibration"), DAY_OF_DATE(3, "until"), unit_days(PG_GETARG_TEXT_PP(4)))
DEFINE_HOLDOUT_TRANSITION(clv_validation_add_holdout_unit_tz, 5,
						  DAY_OF_TIMESTAMPTZ(2, "calibration"), DAY_OF_TIMESTAMPTZ(3, "until"),
						  unit_days(PG_GETARG_TEXT_PP(4)))

/* ---- calendar samples -------------------------------------------------------------------------- */

PG_FUNCTION_INFO_V1(clv_validation_add_calendar);
Datum
clv_validation_add_calendar(PG_FUNCTION_ARGS)
{
	const Frame numbers = FRAME_OF_NUMBERS;
	const PurchaseHistory *h;
	ClvSample  *s;
	bool		repeat = false;

	if (PG_ARGISNULL(1))
		return unchanged_state(fcinfo);
	h = PG_GETARG_HISTORY(1);
	s = sample_state(fcinfo, ROWS_CALENDAR, 0, &numbers);
	for (int32 i = 0; i < h->ndays; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!is_purchase(&h->days[i]))
			continue;
		s = sample_add(s, (double[CALENDAR_COLUMNS]) {h->days[i].day, repeat}, 1);
		repeat = true;
	}
	if (!repeat)
		sample_skip(s, 1);
	PG_RETURN_POINTER(s);
}

/* ---- models ------------------------------------------------------------------------------------ */

/* The operations of a model of purchase times, whose unit is known. */
static const ModelKind *
timing_operations(const ClvModel *m)
{
	const ModelKind *kind = purchase_operations(m);

	if (kind->reads != ROWS_TIMING)
		argument_error("this needs a model of purchase times", "Pass a model from pareto_nbd_fit() or bgnbd_fit().",
					   "The model is a %s model.", kind->title);
	(void) unit_of(m);
	return kind;
}

static const ModelKind *
timing_kind(const text *name)
{
	const ModelKind *kind = model_kind_by_name(text_to_cstring(name));
	StringInfoData kinds;

	if (kind != NULL && kind->reads == ROWS_TIMING)
		return kind;
	initStringInfo(&kinds);
	for (int i = 0; (kind = model_kind_at(i)) != NULL; i++)
		if (kind->reads == ROWS_TIMING)
			appendStringInfo(&kinds, "%s'%s'", kinds.len > 0 ? ", " : "", kind->kind);
	argument_error("this is no kind of model of purchase times", psprintf("Use one of %s.", kinds.data),
				   "The kind is \"%s\".", excerpt(text_to_cstring(name)));
}

/* ---- forecasts --------------------------------------------------------------------------------- */

/* A holdout and what models say of it, for each of its rows. */
typedef struct Forecast
{
	const ClvSample *holdout;
	Rows		rows;
	bool		has_money;		/* some customer spent something */
	const ModelKind *kind;
	const ClvModel *model;		/* NULL: it could not be fitted */
	const ClvModel *spend_model;	/* NULL: none, or it could not be fitted */
	double	   *purchases;		/* predicted; NULL without a model */
	double	   *spend;			/* predicted; NULL without both models */
} Forecast;

static Forecast
forecast_of_holdout(ClvSample *sample)
{
	Forecast	f = {.holdout = sample, .rows = sample_rows(sample)};

	if (sample->kind != ROWS_HOLDOUT)
		argument_error("this needs a holdout sample", "Build it with holdout_sample(history, calibration, until).",
					   "The sample holds %s rows.", row_kind_name(sample->kind));
	if (sample->frame.unit_days == 0 || sample->frame.until == DAY_NONE)
		argument_error("this holdout sample has no dates", "Build it with holdout_sample(history, calibration, until).",
					   "Its unit is %s, as_of %s, until %s.",
					   sample->frame.unit_days == 0 ? "unknown" : unit_name(sample->frame.unit_days),
					   day_text(sample->frame.as_of), day_text(sample->frame.until));
	for (size_t i = 0; i < f.rows.n && !f.has_money; i++)
	{
		CHECK_FOR_INTERRUPTS();
		f.has_money = rows_at(&f.rows, i)[HOLDOUT_MONETARY_VALUE] != 0 || rows_at(&f.rows, i)[HOLDOUT_SPEND] != 0;
	}
	return f;
}

/* A model that knows the holdout predicts it too well. */
static void
warn_if_seen(const ClvSample *holdout, const ClvModel *m)
{
	if (m->frame.as_of == DAY_NONE || m->frame.as_of <= holdout->frame.as_of)
		return;
	ereport(WARNING,
			(errmsg("the %s model has seen the holdout or a part of it", model_operations(m)->title),
			 errdetail("It was fitted to the data up to %s; the holdout begins after %s.", day_text(m->frame.as_of),
					   day_text(holdout->frame.as_of)),
			 errhint("Fit it with the calibration date as as_of; backtest(sample, kind) does.")));
}

/* Whether the spend model predicts an amount for a customer without a repeat purchase. */
static bool
has_population_mean(const ClvModel *spend_model)
{
	const ModelKind *kind = model_operations(spend_model);

	if (!isnan(kind->expected_spend(spend_model->values, 0, 0)))
		return true;
	ereport(WARNING,
			(errmsg("the %s model has no population mean, so no spend is predicted", kind->title),
			 errdetail("Its parameter %s is %g; the mean exists above 1 only.", kind->params[1],
					   spend_model->values[1]),
			 errhint("Fit the spend model to more customers, or cap extreme amounts.")));
	return false;
}

/* Let the models of f predict its holdout. */
static void
predict(Forecast *f)
{
	const Frame *frame = &f->holdout->frame;
	Forecaster	by;

	if (f->model == NULL)
		return;
	by = (Forecaster) {
		.timing = f->kind, .theta = f->model->values, .units = frame->unit_days / f->model->frame.unit_days};
	f->purchases = palloc(Max(f->rows.n, 1) * sizeof(double));
	if (f->has_money && f->spend_model != NULL && has_population_mean(f->spend_model))
	{
		by.spend = model_operations(f->spend_model);
		by.spend_theta = f->spend_model->values;
		f->spend = palloc(Max(f->rows.n, 1) * sizeof(double));
	}
	if (!backtest_predict(&by, &f->rows, (frame->until - frame->as_of) / frame->unit_days, f->purchases, f->spend,
						  &stop_on_cancel))
		stop_call("a backtest");
}

/* With models fitted to what was known at the calibration; spend is left out where nobody asks for it. */
static Forecast
forecast_by_kind(ClvSample *sample, const text *kind, bool with_spend)
{
	Forecast	f = forecast_of_holdout(sample);

	f.kind = timing_kind(kind);
	f.model = fit_sample(f.kind, sample_project(sample, ROWS_TIMING));
	if (with_spend && f.has_money && f.model != NULL)
		f.spend_model = fit_sample(&gamma_gamma_model, sample_project(sample, ROWS_SPEND));
	predict(&f);
	return f;
}

static Forecast
forecast_by_models(ClvSample *sample, const ClvModel *model, const ClvModel *spend_model)
{
	Forecast	f = forecast_of_holdout(sample);

	f.kind = timing_operations(model);
	f.model = model;
	f.spend_model = spend_model;
	warn_if_seen(sample, model);
	if (spend_model != NULL)
	{
		(void) spend_operations(spend_model);
		warn_if_seen(sample, spend_model);
	}
	predict(&f);
	return f;
}

/* ---- results ----------------------------------------------------------------------------------- */

/* Numbers that a query can go on with: what overflowed is an error. */
static Datum
checked_number(double value, const char *what)
{
	if (!isfinite(value))
		range_error("a result of the backtest is out of range",
					"Check the amounts and the parameters of the models: they are far too large.",
					"%s is %g.", what, value);
	return Float8GetDatum(value);
}

static Datum
checked_whole(double value, const char *what)
{
	if (value > MAX_COUNT)
		range_error("a result of the backtest is out of range", "Is the same sample rolled up many times over?",
					"%s is %g.", what, value);
	return Int64GetDatum((int64) value);
}

/* The columns of backtest(), in the order of its declaration. */
enum
{
	BACKTEST_KIND, BACKTEST_CUSTOMERS, BACKTEST_ACTUAL_PURCHASES, BACKTEST_PREDICTED_PURCHASES,
	BACKTEST_ACTUAL_SPEND, BACKTEST_PREDICTED_SPEND, BACKTEST_MAE, BACKTEST_RMSE, BACKTEST_BIAS,
	BACKTEST_SPEND_MAE, BACKTEST_SPEND_RMSE, BACKTEST_SPEND_BIAS, BACKTEST_TOP_DECILE_SHARE,
	BACKTEST_TOP_DECILE_POSSIBLE, BACKTEST_CONVERGED, BACKTEST_COLUMNS
};

typedef struct BacktestRow
{
	Datum		values[BACKTEST_COLUMNS];
	bool		nulls[BACKTEST_COLUMNS];
} BacktestRow;

static void
set_column(BacktestRow *row, int column, Datum value)
{
	row->values[column] = value;
	row->nulls[column] = false;
}

/* Totals and errors of purchases or spend; predicted may be NULL. Errors are means: of nobody there are none. */
static void
set_errors(BacktestRow *row, const Forecast *f, int column, const double *predicted, int predicted_at, int mae_at)
{
	ForecastErrors errors;

	if (predicted == NULL)
		return;
	if (!backtest_errors(&f->rows, column, predicted, &stop_on_cancel, &errors))
		stop_call("a backtest");
	set_column(row, predicted_at, checked_number(errors.predicted, "The predicted total"));
	if (f->rows.n == 0)
		return;
	set_column(row, mae_at, checked_number(errors.mae, "The mean absolute error"));
	set_column(row, mae_at + 1, checked_number(errors.rmse, "The root mean square error"));
	set_column(row, mae_at + 2, checked_number(errors.bias, "The bias"));
}

static double
actual_total(const Forecast *f, int column)
{
	double		total;

	if (!backtest_total(&f->rows, column, &stop_on_cancel, &total))
		stop_call("a backtest");
	return total;
}

/* Of the holdout's value, which is spend where it is predicted and purchases otherwise. */
static void
set_top_decile(BacktestRow *row, const Forecast *f)
{
	int			column = f->spend ? HOLDOUT_SPEND : HOLDOUT_PURCHASES;
	double		share;
	double		possible;

	if (f->purchases == NULL)
		return;
	if (!backtest_top_share(&f->rows, column, f->spend ? f->spend : f->purchases, 10, &stop_on_cancel, &share) ||
		!backtest_top_share(&f->rows, column, NULL, 10, &stop_on_cancel, &possible))
		stop_call("a backtest");
	if (isnan(share))
		return;
	set_column(row, BACKTEST_TOP_DECILE_SHARE, checked_number(share, "The share of the top decile"));
	set_column(row, BACKTEST_TOP_DECILE_POSSIBLE, checked_number(possible, "The share of the top decile"));
}

/* Nothing is known of the convergence of models that were typed in. */
static void
set_converged(BacktestRow *row, const Forecast *f)
{
	const ClvModel *spend_model = f->spend ? f->spend_model : NULL;
	bool		converged = true;

	if (f->model == NULL || !(f->model->flags & MODEL_FITTED) || (spend_model && !(spend_model->flags & MODEL_FITTED)))
		return;
	converged = (f->model->flags & MODEL_CONVERGED) && (!spend_model || (spend_model->flags & MODEL_CONVERGED));
	set_column(row, BACKTEST_CONVERGED, BoolGetDatum(converged));
}

static Datum
backtest_row(FunctionCallInfo fcinfo, const Forecast *f)
{
	ReturnSetInfo *rsinfo = result_set(fcinfo);
	BacktestRow row;

	memset(&row.values, 0, sizeof(row.values));
	memset(&row.nulls, true, sizeof(row.nulls));
	set_column(&row, BACKTEST_KIND, CStringGetTextDatum(f->kind->kind));
	set_column(&row, BACKTEST_CUSTOMERS, Int64GetDatum(f->holdout->n));
	set_column(&row, BACKTEST_ACTUAL_PURCHASES,
			   checked_whole(actual_total(f, HOLDOUT_PURCHASES), "The number of purchases"));
	if (f->has_money)
		set_column(&row, BACKTEST_ACTUAL_SPEND,
				   checked_number(actual_total(f, HOLDOUT_SPEND), "The actual spend"));
	set_errors(&row, f, HOLDOUT_PURCHASES, f->purchases, BACKTEST_PREDICTED_PURCHASES, BACKTEST_MAE);
	set_errors(&row, f, HOLDOUT_SPEND, f->spend, BACKTEST_PREDICTED_SPEND, BACKTEST_SPEND_MAE);
	set_top_decile(&row, f);
	set_converged(&row, f);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row.values, row.nulls);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(clv_validation_backtest_kind);
Datum
clv_validation_backtest_kind(PG_FUNCTION_ARGS)
{
	Forecast	f = forecast_by_kind(PG_GETARG_STORED_SAMPLE(0), PG_GETARG_TEXT_PP(1), true);

	return backtest_row(fcinfo, &f);
}

/* Not strict: without a spend model only purchases are predicted. */
PG_FUNCTION_INFO_V1(clv_validation_backtest_models);
Datum
clv_validation_backtest_models(PG_FUNCTION_ARGS)
{
	Forecast	f;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
	{
		result_set(fcinfo);
		return (Datum) 0;
	}
	f = forecast_by_models(PG_GETARG_STORED_SAMPLE(0), PG_GETARG_MODEL(1),
						   PG_ARGISNULL(2) ? NULL : PG_GETARG_MODEL(2));
	return backtest_row(fcinfo, &f);
}

/* ---- classes ----------------------------------------------------------------------------------- */

/* class, customers, actual_purchases, predicted_purchases, actual_per_customer, predicted_per_customer */
static Datum
class_rows(FunctionCallInfo fcinfo, const Forecast *f)
{
	ReturnSetInfo *rsinfo = result_set(fcinfo);
	FrequencyClass classes[FREQUENCY_CLASSES];

	result_set(fcinfo);
	if (f->purchases == NULL)
		return (Datum) 0;
	if (!backtest_classes(&f->rows, f->purchases, &stop_on_cancel, classes))
		stop_call("a backtest");
	for (int i = 0; i < FREQUENCY_CLASSES; i++)
	{
		const FrequencyClass *c = &classes[i];
		Datum		values[6] = {0};
		bool		nulls[6] = {false};

		values[0] = CStringGetTextDatum(psprintf("%d%s", i, i == FREQUENCY_CLASSES - 1 ? "+" : ""));
		values[1] = Int64GetDatum((int64) c->customers);
		values[2] = checked_whole(c->actual, "The number of purchases");
		values[3] = checked_number(c->predicted, "The predicted total");
		nulls[4] = nulls[5] = c->customers == 0;
		if (c->customers > 0)
		{
			values[4] = Float8GetDatum(c->actual / c->customers);
			values[5] = Float8GetDatum(c->predicted / c->customers);
		}
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(clv_validation_classes_kind);
Datum
clv_validation_classes_kind(PG_FUNCTION_ARGS)
{
	Forecast	f = forecast_by_kind(PG_GETARG_STORED_SAMPLE(0), PG_GETARG_TEXT_PP(1), false);

	return class_rows(fcinfo, &f);
}

PG_FUNCTION_INFO_V1(clv_validation_classes_model);
Datum
clv_validation_classes_model(PG_FUNCTION_ARGS)
{
	Forecast	f = forecast_by_models(PG_GETARG_STORED_SAMPLE(0), PG_GETARG_MODEL(1), NULL);

	return class_rows(fcinfo, &f);
}

/* ---- tracking ---------------------------------------------------------------------------------- */

/* Shorter steps are lengths of time from the first day, this and longer ones those of the calendar. */
#define CALENDAR_STEP_DAYS 28

/* The last day of the period that begins on a day. */
static DateADT
period_end(DateADT start, double step_days)
{
	int			year;
	int			month;
	int			mday;

	if (step_days < CALENDAR_STEP_DAYS)
		return start + (int) step_days - 1;
	j2date(start + POSTGRES_EPOCH_JDATE, &year, &month, &mday);
	if (step_days > 12 * CALENDAR_STEP_DAYS || month == 12)
		return date2j(year + 1, 1, 1) - POSTGRES_EPOCH_JDATE - 1;
	return date2j(year, month + 1, 1) - POSTGRES_EPOCH_JDATE - 1;
}

/* The last days of all periods from first to until, where the last one ends at the latest. */
static double *
period_ends(DateADT first, DateADT until, double step_days, size_t *n)
{
	int			shortest = (int) Min(step_days, CALENDAR_STEP_DAYS);
	double	   *ends = palloc(((until - first) / shortest + 2) * sizeof(double));
	DateADT		start = first;

	for (*n = 0; start <= until; (*n)++)
	{
		DateADT		end = Min(period_end(start, step_days), until);

		ends[*n] = end;
		start = end + 1;
	}
	return ends;
}

/* One row a period: its first and last day, then actual and expected, in it and up to its end. */
static void
put_periods(ReturnSetInfo *rsinfo, DateADT start, const double *ends, size_t n, const double *actual,
			const double *expected)
{
	double		actual_before = 0;
	double		expected_before = 0;

	for (size_t k = 0; k < n; k++)
	{
		Datum		values[6] = {
			DateADTGetDatum(start),
			DateADTGetDatum((DateADT) ends[k]),
			Int64GetDatum((int64) (actual[k] - actual_before)),
			checked_number(expected[k] - expected_before, "The expected number of purchases"),
			Int64GetDatum((int64) actual[k]),
			checked_number(expected[k], "The expected number of purchases"),
		};
		bool		nulls[6] = {false};

		CHECK_FOR_INTERRUPTS();
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		start = (DateADT) ends[k] + 1;
		actual_before = actual[k];
		expected_before = expected[k];
	}
}

static void
track(ReturnSetInfo *rsinfo, const ClvModel *m, const Rows *rows, DateADT until, double step_days)
{
	DateADT		first = (DateADT) rows_at(rows, 0)[CALENDAR_DAY];
	size_t		n;
	double	   *ends = period_ends(first, until, step_days, &n);
	double	   *actual = palloc(n * sizeof(double));
	double	   *expected = palloc(n * sizeof(double));
	double	   *by_age = palloc((until - first + 1) * sizeof(double));

	for (int i = 0; i <= until - first; i++)
		by_age[i] = NAN;
	if (!backtest_track(timing_operations(m), m->values, m->frame.unit_days, rows, ends, n, by_age, actual, expected,
						&stop_on_cancel))
		stop_call("the tracking of a model");
	put_periods(rsinfo, first, ends, n, actual, expected);
}

/* Not strict: until is NULL for the last day of the sample. */
PG_FUNCTION_INFO_V1(clv_validation_tracking);
Datum
clv_validation_tracking(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = result_set(fcinfo);
	ClvSample  *sample;
	ClvModel   *m;
	Rows		rows;
	double		step_days;
	DateADT		until;

	result_set(fcinfo);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return (Datum) 0;
	sample = PG_GETARG_STORED_SAMPLE(0);
	if (sample->kind != ROWS_CALENDAR)
		argument_error("this needs a calendar sample", "Build it with calendar_sample(history).",
					   "The sample holds %s rows.", row_kind_name(sample->kind));
	m = PG_GETARG_MODEL(1);
	timing_operations(m);
	step_days = unit_days(PG_GETARG_TEXT_PP(2));
	rows = sample_rows(sample);
	if (rows.n == 0)
		return (Datum) 0;
	until = PG_ARGISNULL(3) ? (DateADT) rows_at(&rows, rows.n - 1)[CALENDAR_DAY]
		: checked_day(PG_GETARG_DATEADT(3), "until");
	if (until >= (DateADT) rows_at(&rows, 0)[CALENDAR_DAY])
		track(rsinfo, m, &rows, until, step_days);
	return (Datum) 0;
}
