/*
 * rolling_survey.c - shares with Wilson's interval, survey scores, agreement of two raters, standardized differences.
 * The aggregates count into a clv_sample of ROWS_RATING or ROWS_AGREEMENT: a value to store, merge and read again with
 * another confidence.
 */
#include "sample.h"

#include <math.h>

#include "btyd.h"
#include "funcapi.h"
#include "math/rates.h"
#include "model.h"

static const Frame numbers = FRAME_OF_NUMBERS;

/* The only row of a set: n as bigint where asked for, then numbers, NULL for NAN. */
static Datum
row_of_numbers(FunctionCallInfo fcinfo, const double *n, const double *row, int columns)
{
	ReturnSetInfo *result = result_set(fcinfo);
	Datum		values[8] = {0};
	bool		nulls[8] = {false};
	int			c = 0;

	Assert(columns < lengthof(values));
	if (n)
		values[c++] = Int64GetDatum((int64) *n);
	set_numbers(values, nulls, c, row, columns);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	return (Datum) 0;
}

static Rows
rows_of_kind(FunctionCallInfo fcinfo, RowKind kind, const char *problem, const char *hint)
{
	const ClvSample *sample = PG_GETARG_STORED_SAMPLE(0);

	if (sample->kind != kind)
		argument_error(problem, hint, "It holds %s rows.", row_kind_name(sample->kind));
	return sample_rows(sample);
}

/* ---- shares -------------------------------------------------------------------------------------- */

/* An error unless argument `first` counts some of the next one. */
static void
check_successes(FunctionCallInfo fcinfo, int first)
{
	int64		successes = PG_GETARG_INT64(first);
	int64		n = PG_GETARG_INT64(first + 1);

	if (successes < 0 || successes > n)
		argument_error("successes must be between 0 and n", "Pass how many of the n have the property, then n.",
					   "successes = %lld, n = %lld.", (long long) successes, (long long) n);
}

/* wilson_interval(successes, n, conf): estimate, conf_low, conf_high */
PG_FUNCTION_INFO_V1(clv_rolling_wilson_interval);
Datum
clv_rolling_wilson_interval(PG_FUNCTION_ARGS)
{
	Rate		rate;

	check_successes(fcinfo, 0);
	rate = wilson_rate(PG_GETARG_INT64(0), PG_GETARG_INT64(1), checked_conf(PG_GETARG_FLOAT8(2)));
	return row_of_numbers(fcinfo, NULL, (double[]) {rate.estimate, rate.conf_low, rate.conf_high}, 3);
}

/* share_difference(successes_1, n_1, successes_2, n_2, conf): difference, conf_low, conf_high */
PG_FUNCTION_INFO_V1(clv_rolling_share_difference);
Datum
clv_rolling_share_difference(PG_FUNCTION_ARGS)
{
	Rate		rate;

	check_successes(fcinfo, 0);
	check_successes(fcinfo, 2);
	rate = share_difference(PG_GETARG_INT64(0), PG_GETARG_INT64(1), PG_GETARG_INT64(2), PG_GETARG_INT64(3),
							checked_conf(PG_GETARG_FLOAT8(4)));
	return row_of_numbers(fcinfo, NULL, (double[]) {rate.estimate, rate.conf_low, rate.conf_high}, 3);
}

/* ---- surveys ------------------------------------------------------------------------------------- */

/* (state, score) */
PG_FUNCTION_INFO_V1(clv_rolling_add_rating);
Datum
clv_rolling_add_rating(PG_FUNCTION_ARGS)
{
	double		score;

	if (PG_ARGISNULL(1))
		return unchanged_state(fcinfo);
	score = PG_GETARG_FLOAT8(1) + 0.0;	/* -0 is 0 */
	check_row(ROWS_RATING, &score);
	PG_RETURN_POINTER(sample_add(sample_state(fcinfo, ROWS_RATING, 0, &numbers), &score, 1));
}

/* The rate of the sample in argument 0; an error names a score that is no answer of the scale. */
static Rate
checked_rate(FunctionCallInfo fcinfo, const SurveyScale *scale, double conf)
{
	Rows		rows = rows_of_kind(fcinfo, ROWS_RATING, "the sample holds no survey scores",
									"Build it with survey_sample(score).");
	Rate		rate;
	const double *problem;

	if (!survey_rate(scale, &rows, conf, &rate, &problem))
		argument_error(psprintf("score is not on the scale of %s", scale->name),
					   psprintf("%s reads whole numbers from %d to %d; convert another scale first, or leave out what "
								"is no answer.", scale->name, scale->low, scale->high),
					   "score = %g; so many answers: %.0f.", problem[0], row_count(&rows, problem));
	return rate;
}

/* NAME(sample, conf): n, estimate, std_error, conf_low, conf_high; and the final function of NAME(score) */
#define DEFINE_SURVEY(NAME) \
	PG_FUNCTION_INFO_V1(clv_rolling_##NAME); \
	Datum clv_rolling_##NAME(PG_FUNCTION_ARGS) \
	{ \
		Rate		rate = checked_rate(fcinfo, &survey_##NAME, checked_conf(PG_GETARG_FLOAT8(1))); \
		\
		return row_of_numbers(fcinfo, &rate.n, \
							  (double[]) {rate.estimate, rate.std_error, rate.conf_low, rate.conf_high}, 4); \
	} \
	PG_FUNCTION_INFO_V1(clv_rolling_##NAME##_final); \
	Datum clv_rolling_##NAME##_final(PG_FUNCTION_ARGS) \
	{ \
		PG_RETURN_FLOAT8(checked_rate(fcinfo, &survey_##NAME, 0.95).estimate); \
	}

DEFINE_SURVEY(nps)
DEFINE_SURVEY(csat)
DEFINE_SURVEY(ces)

/* ---- agreement ----------------------------------------------------------------------------------- */

static Datum
add_agreement(FunctionCallInfo fcinfo, double a, double b)
{
	PG_RETURN_POINTER(sample_add(sample_state(fcinfo, ROWS_AGREEMENT, 0, &numbers), (double[]) {a, b}, 1));
}

/* (state, a, b) */
#define DEFINE_ADD_AGREEMENT(TYPE, GETARG) \
	PG_FUNCTION_INFO_V1(clv_rolling_add_agreement_##TYPE); \
	Datum clv_rolling_add_agreement_##TYPE(PG_FUNCTION_ARGS) \
	{ \
		if (PG_ARGISNULL(1) || PG_ARGISNULL(2)) \
			return unchanged_state(fcinfo); \
		return add_agreement(fcinfo, GETARG(1), GETARG(2)); \
	}

DEFINE_ADD_AGREEMENT(boolean, PG_GETARG_BOOL)
DEFINE_ADD_AGREEMENT(integer, PG_GETARG_INT32)

/* The agreement in the sample in argument 0, with a WARNING where it is not defined. */
static Agreement
checked_agreement(FunctionCallInfo fcinfo, double conf)
{
	Rows		rows = rows_of_kind(fcinfo, ROWS_AGREEMENT, "the sample holds no pairs of categories",
									"Build it with agreement_sample(a, b).");
	Agreement	agreement;

	if (!cohen_agreement(&rows, conf, &stop_on_cancel, &agreement))
		stop_call("Cohen's kappa");
	if (agreement.too_many_categories)
		argument_error("too many categories", "Kappa compares a few categories; group scores into classes first.",
					   "There are more than %d.", AGREEMENT_MOST_CATEGORIES);
	if (agreement.n > 0 && isnan(agreement.kappa))
		ereport(WARNING,
				(errmsg("kappa is not defined"),
				 errdetail("All %.0f pairs are of one category, so that chance alone makes them agree.", agreement.n),
				 errhint("Compare raters on data in which more than one category occurs.")));
	return agreement;
}

/* cohen_kappa(sample, conf): n, observed, expected, kappa, std_error, conf_low, conf_high */
PG_FUNCTION_INFO_V1(clv_rolling_cohen_kappa);
Datum
clv_rolling_cohen_kappa(PG_FUNCTION_ARGS)
{
	Agreement	a = checked_agreement(fcinfo, checked_conf(PG_GETARG_FLOAT8(1)));

	return row_of_numbers(fcinfo, &a.n,
						  (double[]) {a.observed, a.expected, a.kappa, a.std_error, a.conf_low, a.conf_high}, 6);
}

/* The final function of the aggregate cohen_kappa(a, b). */
PG_FUNCTION_INFO_V1(clv_rolling_cohen_kappa_final);
Datum
clv_rolling_cohen_kappa_final(PG_FUNCTION_ARGS)
{
	double		kappa = checked_agreement(fcinfo, 0.95).kappa;

	if (isnan(kappa))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(kappa);
}

/* ---- differences of means ---------------------------------------------------------------------- */

/* standardized_difference(mean_1, variance_1, mean_0, variance_0) */
PG_FUNCTION_INFO_V1(clv_rolling_standardized_difference);
Datum
clv_rolling_standardized_difference(PG_FUNCTION_ARGS)
{
	double		mean_1 = PG_GETARG_FLOAT8(0);
	double		variance_1 = PG_GETARG_FLOAT8(1);
	double		mean_0 = PG_GETARG_FLOAT8(2);
	double		variance_0 = PG_GETARG_FLOAT8(3);
	double		difference;

	if (!(isfinite(mean_1) && isfinite(mean_0) && variance_1 >= 0 && variance_0 >= 0 && isfinite(variance_1) &&
		  isfinite(variance_0)))
		argument_error("means must be finite, and variances finite and not negative",
					   "avg() and var_samp() of both groups give them.", "Got means %g and %g, variances %g and %g.",
					   mean_1, mean_0, variance_1, variance_0);
	difference = standardized_difference(mean_1, variance_1, mean_0, variance_0);
	/* where nothing varies, infinity is the answer */
	if (isinf(difference) && (variance_1 > 0 || variance_0 > 0))
		range_error("the standardized difference is out of range",
					"The means are too many standard deviations apart: are the variances those of the same values?",
					"Got means %g and %g, variances %g and %g.", mean_1, mean_0, variance_1, variance_0);
	PG_RETURN_FLOAT8(difference + 0.0);	/* -0 is 0 */
}
