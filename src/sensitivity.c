/*
 * sensitivity.c - how strong what was not measured would have to be to explain an effect away.
 */
#include "regression.h"

#include <math.h>

#include "math/sensitivity.h"

static double
checked_ratio(double ratio, const char *what)
{
	if (!(ratio > 0 && isfinite(ratio)))
		argument_error(psprintf("%s must be a finite number above 0", what),
					   "A ratio of 1 is no effect; exp(estimate) is the ratio of an effect on the log scale.",
					   "%s is %g.", what, ratio);
	return ratio;
}

/* A result of ratios, which extreme ones take out of range. */
static Datum
ratio_result(double value, const char *what)
{
	if (!isfinite(value) || value == 0)
		range_error(psprintf("the %s is out of range", what),
					"Ratios this extreme are rather a mistake: check the input.", "It came out as %g.", value);
	PG_RETURN_FLOAT8(value);
}

/* ---- E-values ------------------------------------------------------------------------------------ */

/* e_value(risk_ratio) */
PG_FUNCTION_INFO_V1(clv_impact_e_value);
Datum
clv_impact_e_value(PG_FUNCTION_ARGS)
{
	return ratio_result(e_value(checked_ratio(PG_GETARG_FLOAT8(0), "risk_ratio")), "E-value");
}

/* e_value(risk_ratio, conf_limit) */
PG_FUNCTION_INFO_V1(clv_impact_e_value_of_limit);
Datum
clv_impact_e_value_of_limit(PG_FUNCTION_ARGS)
{
	double		risk_ratio = checked_ratio(PG_GETARG_FLOAT8(0), "risk_ratio");
	double		conf_limit = checked_ratio(PG_GETARG_FLOAT8(1), "conf_limit");

	if ((risk_ratio > 1 && conf_limit > risk_ratio) || (risk_ratio < 1 && conf_limit < risk_ratio))
		argument_error("conf_limit must be the limit nearer to 1",
					   "Of a ratio above 1 it is the lower limit, of one below 1 the upper.",
					   "The ratio is %g, the limit %g.", risk_ratio, conf_limit);
	return ratio_result(e_value_of_limit(risk_ratio, conf_limit), "E-value");
}

PG_FUNCTION_INFO_V1(clv_impact_risk_ratio_of_odds_ratio);
Datum
clv_impact_risk_ratio_of_odds_ratio(PG_FUNCTION_ARGS)
{
	return ratio_result(risk_ratio_of_odds_ratio(checked_ratio(PG_GETARG_FLOAT8(0), "odds_ratio")), "risk ratio");
}

/* risk_ratio_of_odds_ratio(odds_ratio, baseline_risk) */
PG_FUNCTION_INFO_V1(clv_impact_risk_ratio_at_baseline);
Datum
clv_impact_risk_ratio_at_baseline(PG_FUNCTION_ARGS)
{
	double		odds_ratio = checked_ratio(PG_GETARG_FLOAT8(0), "odds_ratio");
	double		baseline = PG_GETARG_FLOAT8(1);

	if (!(baseline >= 0 && baseline < 1))
		argument_error("baseline_risk must be at least 0 and below 1",
					   "Pass the share of those without the exposure who have the outcome.", "It is %g.", baseline);
	return ratio_result(risk_ratio_at_baseline(odds_ratio, baseline), "risk ratio");
}

PG_FUNCTION_INFO_V1(clv_impact_risk_ratio_of_hazard_ratio);
Datum
clv_impact_risk_ratio_of_hazard_ratio(PG_FUNCTION_ARGS)
{
	return ratio_result(risk_ratio_of_hazard_ratio(checked_ratio(PG_GETARG_FLOAT8(0), "hazard_ratio")), "risk ratio");
}

PG_FUNCTION_INFO_V1(clv_impact_risk_ratio_of_difference);
Datum
clv_impact_risk_ratio_of_difference(PG_FUNCTION_ARGS)
{
	double		difference = PG_GETARG_FLOAT8(0);

	if (!isfinite(difference))
		argument_error("the difference must be finite", "Pass it in standard deviations of the outcome.", "It is %g.",
					   difference);
	return ratio_result(risk_ratio_of_difference(difference), "risk ratio");
}

/* ---- robustness values --------------------------------------------------------------------------- */

static void
check_t(double t, double df, double least_df)
{
	if (!isfinite(t))
		argument_error("t_statistic must be finite", "tidy(model) has it, as statistic.", "It is %g.", t);
	if (!(df > least_df && isfinite(df)))
		argument_error(psprintf("df must be a finite number above %g", least_df),
					   "Pass the residual degrees of freedom: rows less coefficients.", "It is %g.", df);
}

static double
checked_share(double q)
{
	if (!(q > 0 && isfinite(q)))
		argument_error("q must be a finite number above 0",
					   "It is the share of the effect to be explained away: 1 is all of it, 0.5 half.", "It is %g.", q);
	return q;
}

/* partial_r2(t_statistic, df) */
PG_FUNCTION_INFO_V1(clv_impact_partial_r2);
Datum
clv_impact_partial_r2(PG_FUNCTION_ARGS)
{
	check_t(PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1), 0);
	PG_RETURN_FLOAT8(partial_r2(PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1)));
}

/* robustness_value(t_statistic, df, q, alpha); alpha may be NULL, the others may not */
PG_FUNCTION_INFO_V1(clv_impact_robustness_value);
Datum
clv_impact_robustness_value(PG_FUNCTION_ARGS)
{
	double		t = PG_GETARG_FLOAT8(0);
	double		df = PG_GETARG_FLOAT8(1);

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	check_t(t, df, PG_ARGISNULL(3) ? 0 : 1);
	if (PG_ARGISNULL(3))
		PG_RETURN_FLOAT8(robustness_value(t, df, checked_share(PG_GETARG_FLOAT8(2))));
	if (!(PG_GETARG_FLOAT8(3) > 0 && PG_GETARG_FLOAT8(3) < 1))
		argument_error("alpha must be between 0 and 1", "Write the level of 5 percent as 0.05.", "It is %g.",
					   PG_GETARG_FLOAT8(3));
	PG_RETURN_FLOAT8(robustness_value_alpha(t, df, checked_share(PG_GETARG_FLOAT8(2)), PG_GETARG_FLOAT8(3)));
}

/* robustness(model, term, q, conf): partial_r2, robustness_value, robustness_value_alpha */
PG_FUNCTION_INFO_V1(clv_impact_robustness);
Datum
clv_impact_robustness(PG_FUNCTION_ARGS)
{
	const ClvModel *m = PG_GETARG_MODEL(0);
	double		q = checked_share(PG_GETARG_FLOAT8(2));
	double		conf = checked_conf(PG_GETARG_FLOAT8(3));
	const ModelKind *kind = regression_operations(m);
	int			i = term_of_model(m, PG_GETARG_TEXT_PP(1));
	const double *covariance = model_covariance(m);
	RegressionRecord record = model_record(m);
	Datum		values[3] = {0};
	bool		nulls[3] = {true, true, true};
	double		t;

	if (kind != &lm_model || record.errors != ERRORS_MODEL)
		argument_error("robustness values are those of least squares with the model's own errors",
					   "Fit with lm_fit(y, x), lm_fit(moments) or lm_fit(sample, 'model'); for a risk, odds or hazard ratio "
					   "there is e_value().",
					   "The model is a %s model%s.", kind->title, kind == &lm_model ? " with robust errors" : "");
	t = covariance ? m->values[i] / sqrt(covariance[i * m->nparams + i]) : NAN;
	if (isfinite(t) && record.df > 1)
	{
		values[0] = Float8GetDatum(partial_r2(t, record.df));
		values[1] = Float8GetDatum(robustness_value(t, record.df, q));
		values[2] = Float8GetDatum(robustness_value_alpha(t, record.df, q, 1 - conf));
		memset(nulls, false, sizeof(nulls));
	}
	else
		ereport(WARNING,
				(errmsg("the robustness of the term is not known"),
				 errdetail("The model has no estimate of it, no standard error, or %g degrees of freedom.", record.df),
				 errhint("tidy(model) shows what it has.")));
	return result_row(fcinfo, values, nulls);
}

/* ---- customers needed ---------------------------------------------------------------------------- */

/* customers_needed(correlation, power, conf, controls) */
PG_FUNCTION_INFO_V1(clv_impact_customers_needed);
Datum
clv_impact_customers_needed(PG_FUNCTION_ARGS)
{
	double		r = PG_GETARG_FLOAT8(0);
	double		power = PG_GETARG_FLOAT8(1);
	double		conf = checked_conf(PG_GETARG_FLOAT8(2));
	int32		controls = PG_GETARG_INT32(3);
	double		n;

	if (!(r >= -1 && r <= 1))
		argument_error("a correlation is between -1 and 1", "Write 5 percent as 0.05.", "It is %g.", r);
	if (!(power > 0 && power < 1))
		argument_error("power must be between 0 and 1", "Write a chance of 80 percent as 0.80.", "It is %g.", power);
	if (controls < 0)
		argument_error("controls must not be negative", "It is how many other regressors there are.", "It is %d.",
					   controls);
	n = customers_needed(r, conf, power, controls);
	if (n > MAX_COUNT)
		PG_RETURN_NULL();
	PG_RETURN_INT64((int64) n);
}
