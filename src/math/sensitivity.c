/*
 * sensitivity.c - how strong what was not measured would have to be to explain an effect away. Formulas in
 * docs/drivers.md.
 */
#include "math/sensitivity.h"

#include <float.h>
#include <math.h>

#include "math/inference.h"
#include "math/special.h"

#define MANY_DF 1e16

/* ---- E-values ------------------------------------------------------------------------------------ */

double
e_value(double risk_ratio)
{
	/* with r = 1 / risk_ratio, r + sqrt(r (r - 1)) = (1 + sqrt(1 - risk_ratio)) / risk_ratio */
	if (risk_ratio < 1)
		return (1 + sqrt(1 - risk_ratio)) / risk_ratio;
	return risk_ratio + sqrt(risk_ratio) * sqrt(risk_ratio - 1);
}

double
e_value_of_limit(double risk_ratio, double conf_limit)
{
	if (risk_ratio < 1 ? conf_limit >= 1 : conf_limit <= 1)
		return 1;
	return e_value(conf_limit);
}

double
risk_ratio_of_odds_ratio(double odds_ratio)
{
	return sqrt(odds_ratio);
}

double
risk_ratio_of_hazard_ratio(double hazard_ratio)
{
	double		root = sqrt(hazard_ratio);

	return expm1(-M_LN2 * root) / expm1(-M_LN2 / root);
}

double
risk_ratio_of_difference(double difference)
{
	return exp(0.91 * difference);
}

double
risk_ratio_at_baseline(double odds_ratio, double baseline)
{
	return odds_ratio / (1 - baseline + baseline * odds_ratio);
}

/* ---- robustness values --------------------------------------------------------------------------- */

double
partial_r2(double t, double df)
{
	double		f = fabs(t) / sqrt(df);

	/* the inverse does not overflow where f is large */
	return f > 1 ? 1 / (1 + 1 / (f * f)) : f * f / (1 + f * f);
}

/* (sqrt(f^4 + 4 f^2) - f^2) / 2 without a difference, and without squares that leave the range */
static double
value_of_strength(double f)
{
	return 2 / (1 + hypot(1, 2 / f));
}

double
robustness_value(double t, double df, double q)
{
	return value_of_strength(q * (fabs(t) / sqrt(df)));
}

/*
 * A confounder that explains the shares d of the regressor and y of the response moves the estimate by
 * se sqrt(df) sqrt(y d / (1 - d)) and makes the standard error se sqrt((1 - y) / (1 - d)) sqrt(df / (df - 1)): so the
 * strength f = q |t| / sqrt(df) is used up where sqrt(y d) + critical sqrt(1 - y) = f sqrt(1 - d). Its left side is
 * largest at y = d / (d + critical^2). Where that is more than d, the largest y that is allowed is y = d, which leaves
 * d / sqrt(1 - d) = f - critical; otherwise, if f critical > 1, d + critical^2 = f^2 (1 - d).
 */
double
robustness_value_alpha(double t, double df, double q, double alpha)
{
	/* the product of a large t and a large q may overflow */
	double		f = fmin(q * (fabs(t) / sqrt(df)), DBL_MAX);
	/* of so many degrees of freedom t is normal to the last digit */
	double		critical = t_estimate(0, 1 / (df - 1), df < MANY_DF ? df - 1 : NAN, 1 - alpha).conf_high;

	/* of next to no degrees of freedom it is beyond a double, or NAN */
	if (!(f > critical))
		return 0;
	if (f * critical <= 1)
		return value_of_strength(f - critical);
	return (f - critical) / f * ((f + critical) / f) / (1 + 1 / (f * f));
}

/* ---- customers needed ---------------------------------------------------------------------------- */

double
customers_needed(double r, double conf, double power, double controls)
{
	double		reach = (normal_quantile(0.5 + 0.5 * conf) + normal_quantile(power)) / atanh(fabs(r));

	return (reach > 1 ? ceil(reach * reach) : 1) + 3 + controls;
}
