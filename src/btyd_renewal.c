/*
 * btyd_renewal.c - predictions of models of renewals: contracts that are kept or ended period by period.
 */
#include "btyd.h"

#include <math.h>

/* A count of periods, from `least` on. */
static double
checked_periods(double value, double least, const char *name)
{
	if (!(value >= least && value <= MAX_COUNT && value == floor(value)))
		argument_error(psprintf("%s must be a whole number, %g or more", name, least),
					   "It counts renewals: 0 at the first payment.", "%s is %g.", name, value);
	return value;
}

double
renewal_risk(const ModelKind *kind, const double *theta, double tenure, double periods)
{
	return -expm1(kind->log_survival(theta, tenure + periods) - kind->log_survival(theta, tenure));
}

PG_FUNCTION_INFO_V1(clv_survival);
Datum
clv_survival(PG_FUNCTION_ARGS)
{
	ClvModel   *m = PG_GETARG_MODEL(0);
	const ModelKind *kind = renewal_operations(m);
	double		t = checked_periods(PG_GETARG_FLOAT8(1), 0, "t");

	PG_RETURN_FLOAT8(checked_result(exp(kind->log_survival(m->values, t)), "survival"));
}

PG_FUNCTION_INFO_V1(clv_retention_rate);
Datum
clv_retention_rate(PG_FUNCTION_ARGS)
{
	ClvModel   *m = PG_GETARG_MODEL(0);
	const ModelKind *kind = renewal_operations(m);
	double		t = checked_periods(PG_GETARG_FLOAT8(1), 1, "t");

	PG_RETURN_FLOAT8(checked_result(exp(kind->log_survival(m->values, t) - kind->log_survival(m->values, t - 1)),
									"retention_rate"));
}

void
renewal_arguments(FunctionCallInfo fcinfo, double *tenure, double *periods)
{
	*tenure = checked_periods(PG_GETARG_FLOAT8(1), 0, "tenure");
	*periods = checked_periods(PG_GETARG_FLOAT8(2), 0, "periods");
}

PG_FUNCTION_INFO_V1(clv_churn_risk_renewal);
Datum
clv_churn_risk_renewal(PG_FUNCTION_ARGS)
{
	ClvModel   *m = PG_GETARG_MODEL(0);
	const ModelKind *kind = renewal_operations(m);
	double		tenure;
	double		periods;

	renewal_arguments(fcinfo, &tenure, &periods);
	PG_RETURN_FLOAT8(checked_result(renewal_risk(kind, m->values, tenure, periods), "churn_risk"));
}

/* (model, discount_rate [, tenure]) */
PG_FUNCTION_INFO_V1(clv_expected_lifetime);
Datum
clv_expected_lifetime(PG_FUNCTION_ARGS)
{
	ClvModel   *m = PG_GETARG_MODEL(0);
	const ModelKind *kind = renewal_operations(m);
	double		rate = PG_GETARG_FLOAT8(1);
	double		tenure = PG_NARGS() > 2 ? checked_periods(PG_GETARG_FLOAT8(2), 0, "tenure") : 0;
	double		value;

	if (!(isfinite(rate) && rate >= 0))
		argument_error("discount_rate must be finite and not negative",
					   "It is the rate per period: write 10 percent as 0.10, 0 for none.",
					   "discount_rate is %g.", rate);
	value = kind->expected_lifetime(m->values, rate, tenure);
	if (!isfinite(value))
		range_error("the expected lifetime is infinite",
					"Use a discount rate above 0: some customers of this model practically never leave.",
					"The model has %s = %g; discount_rate is %g.", kind->params[0], m->values[0], rate);
	PG_RETURN_FLOAT8(value);
}
