/*
 * sensitivity.h - how strong what was not measured would have to be to explain an effect away, and how many customers
 * it takes to see one.
 */
#ifndef CLV_MATH_SENSITIVITY_H
#define CLV_MATH_SENSITIVITY_H

/*
 * The E-value of a positive risk ratio (T. J. VanderWeele and P. Ding 2017): r + sqrt(r (r - 1)), r being the ratio or
 * its inverse, whichever is at least 1. An unmeasured confounder would have to go with exposure and outcome by risk
 * ratios of at least this each to explain the ratio away. At least 1; INFINITY where a double cannot hold it.
 */
extern double e_value(double risk_ratio);

/* That of the confidence limit nearer to 1: 1 where the interval contains 1, so that nothing need be explained. */
extern double e_value_of_limit(double risk_ratio, double conf_limit);

/*
 * Risk ratios from other measures where the outcome is common (above 15 percent; VanderWeele and Ding 2017, table 2):
 * of an odds ratio its square root, of a hazard ratio h (1 - 0.5^sqrt(h)) / (1 - 0.5^sqrt(1 / h)), of a difference in
 * standard deviations exp(0.91 d). Where the outcome is rare, an odds or hazard ratio is about the risk ratio as it is.
 */
extern double risk_ratio_of_odds_ratio(double odds_ratio);
extern double risk_ratio_of_hazard_ratio(double hazard_ratio);
extern double risk_ratio_of_difference(double difference);

/*
 * The risk ratio of an odds ratio where the risk without the exposure is known, 0 <= baseline < 1: exact,
 * odds_ratio / (1 - baseline + baseline odds_ratio) (J. Zhang and K. F. Yu 1998).
 */
extern double risk_ratio_at_baseline(double odds_ratio, double baseline);

/* The share of the variance left by the other regressors that this one explains: t^2 / (t^2 + df), df > 0. */
extern double partial_r2(double t, double df);

/*
 * The robustness value (C. Cinelli and C. Hazlett 2020): the share of what is left of both the regressor and the
 * response that a confounder would have to explain to take away the share q > 0 of the effect. 0 to 1. df > 0.
 */
extern double robustness_value(double t, double df, double q);

/*
 * The same for a confounder that takes the effect, lessened by the share q, within the interval of confidence
 * 1 - alpha about 0; df > 1. 0 where the interval contains it as things are. For few degrees of freedom the confounder
 * may explain less of the response than of the regressor (Cinelli and Hazlett 2025): see sensitivity.c.
 */
extern double robustness_value_alpha(double t, double df, double q, double alpha);

/*
 * How many customers it takes to find a correlation r, -1 <= r <= 1, at that power, 0 < power < 1, by a two-sided test
 * of confidence conf, given `controls` other regressors: ((z_conf + z_power) / artanh(r))^2 + 3 + controls, rounded up
 * (Fisher 1921), and at least 4 + controls. INFINITY for r = 0.
 */
extern double customers_needed(double r, double conf, double power, double controls);

#endif
