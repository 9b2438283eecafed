/*
 * inference.c - standard errors, intervals and tests from the covariance of a fit.
 */
#include "math/inference.h"

#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>

#include "math/gsl_guard.h"
#include "math/special.h"

#define DIFFERENCE_STEP 1e-3	/* in eta: the error of fourth-order differences is 1e-12, that of rounding 1e-10 */
#define MOST_PURCHASES 1e7

Estimate
positive_estimate(double theta, double log_variance, double conf)
{
	double		log_error = sqrt(log_variance);
	double		reach = normal_quantile(0.5 + 0.5 * conf) * log_error;
	Estimate	estimate = {theta * log_error, theta * exp(-reach), theta * exp(reach)};

	return estimate;
}

Estimate
real_estimate(double theta, double variance, double conf)
{
	double		error = sqrt(variance);
	double		reach = normal_quantile(0.5 + 0.5 * conf) * error;
	Estimate	estimate = {error, theta - reach, theta + reach};

	return estimate;
}

/*
 * GSL's own gsl_cdf_tdist_Q() is an expansion for more than 30 degrees of freedom, of which 7 digits are right at
 * t = 15: the tail of the beta distribution that t follows from is right to all of them.
 */
double
t_p_value(double t, double df)
{
	gsl_error_handler_t *handler;
	double		square = t * t;
	double		tail;

	if (isnan(df))
		return erfc(fabs(t) * M_SQRT1_2);
	handler = gsl_guard_enter();
	tail = square < 3 ? gsl_cdf_beta_Q(square / (df + square), 0.5, 0.5 * df)
		: gsl_cdf_beta_P(df / (df + square), 0.5 * df, 0.5);
	gsl_guard_leave(handler);
	return tail;
}

/* The t beyond which in either direction lies 1 - conf: GSL's, and a step of Newton's on the tail above. */
static double
t_quantile(double conf, double df)
{
	gsl_error_handler_t *handler = gsl_guard_enter();
	double		t = gsl_cdf_tdist_Qinv(0.5 * (1 - conf), df);
	double		density = gsl_ran_tdist_pdf(t, df);

	gsl_guard_leave(handler);
	return density > 0 ? t + (t_p_value(t, df) - (1 - conf)) / (2 * density) : t;
}

Estimate
t_estimate(double theta, double variance, double df, double conf)
{
	double		error = sqrt(variance);
	double		reach;
	Estimate	estimate;

	if (isnan(df))
		return real_estimate(theta, variance, conf);
	reach = t_quantile(conf, df) * error;
	estimate = (Estimate) {error, theta - reach, theta + reach};
	return estimate;
}

double
f_tail(double x, double df1, double df2)
{
	gsl_error_handler_t *handler = gsl_guard_enter();
	double		tail = gsl_cdf_fdist_Q(x, df1, df2);

	gsl_guard_leave(handler);
	return tail;
}

/* ---- predictions ------------------------------------------------------------------------------- */

/* A prediction as a function of one parameter of one of the two fits, the others held. */
typedef struct Profile
{
	PredictedValue f;
	void	   *arg;
	const FittedModel *fits[2];
	const FitStop *stop;
	int			moved;
	int			param;
} Profile;

static double
moved_value(const Profile *p, double distance)
{
	double		theta[FIT_MAX_PARAMS];
	const FittedModel *fit = p->fits[p->moved];
	const double *second = p->fits[1] ? p->fits[1]->theta : NULL;

	if (p->stop != NULL && p->stop->requested(p->stop->arg))
		return NAN;
	memcpy(theta, fit->theta, fit->nparams * sizeof(double));
	if (param_scale(fit->model, p->param) == SCALE_LOG)
		theta[p->param] *= exp(distance);
	else
		theta[p->param] += distance;
	return p->moved == 0 ? p->f(theta, second, p->arg) : p->f(p->fits[0]->theta, theta, p->arg);
}

static double
slope(const Profile *p)
{
	double		h = DIFFERENCE_STEP;
	double		near = moved_value(p, h) - moved_value(p, -h);
	double		far = moved_value(p, 2 * h) - moved_value(p, -2 * h);

	return (8 * near - far) / (12 * h);
}

/* Variance of the prediction that the uncertainty of one of the fits explains. */
static double
variance_from(Profile *p, int moved)
{
	const FittedModel *fit = p->fits[moved];
	double		gradient[FIT_MAX_PARAMS];
	double		sum = 0;

	if (fit == NULL || fit->covariance == NULL)
		return 0;
	p->moved = moved;
	for (p->param = 0; p->param < fit->nparams; p->param++)
		gradient[p->param] = param_scale(fit->model, p->param) == SCALE_NONE ? 0 : slope(p);
	for (int i = 0; i < fit->nparams; i++)
		for (int j = 0; j < fit->nparams; j++)
			sum += gradient[i] * fit->covariance[i * fit->nparams + j] * gradient[j];
	return sum < 0 ? 0 : sum;	/* NAN stays: it is no certainty */
}

/* value +- on the logit scale: its odds times exp(-+ reach) */
static double
shifted_probability(double p, double reach)
{
	return reach < 0 ? p * exp(reach) / (1 - p + p * exp(reach)) : p / (p + (1 - p) * exp(-reach));
}

Estimate
prediction_interval(PredictedValue f, void *arg, const FittedModel *first, const FittedModel *second,
					PredictionScale scale, double conf, const FitStop *stop, double *value)
{
	Profile		p = {f, arg, {first, second}, stop, 0, 0};
	double		v = f(first->theta, second ? second->theta : NULL, arg);
	double		error = sqrt(variance_from(&p, 0) + variance_from(&p, 1));
	double		z = normal_quantile(0.5 + 0.5 * conf);
	Estimate	estimate = {error, v - z * error, v + z * error};

	*value = v;
	if (error == 0 || (scale == PREDICTION_LOGIT && !(v > 0 && v < 1)))
		estimate = (Estimate) {0, v, v};
	else if (scale == PREDICTION_LOGIT)
	{
		double		reach = z * error / (v * (1 - v));

		estimate.conf_low = shifted_probability(v, -reach);
		estimate.conf_high = shifted_probability(v, reach);
	}
	else if (v > 0)
	{
		estimate.conf_low = v * exp(-z * error / v);
		estimate.conf_high = v * exp(z * error / v);
	}
	return estimate;
}

bool
count_interval(const ModelKind *model, const double *theta, const Customer *c, double t, double conf,
			   const FitStop *stop, double *low, double *high)
{
	double		tail = 0.5 * (1 - conf);
	double		below = 0;

	*low = -1;
	for (double n = 0; n <= MOST_PURCHASES; n++)
	{
		/* a probability may take milliseconds: a sum over phases, or over opportunities */
		if (stop != NULL && stop->requested(stop->arg))
			return false;
		below += model->purchase_probability(theta, c, n, t);
		if (*low < 0 && below > tail)
			*low = n;
		/* the sum of all may be 1 less a few roundings */
		if (below >= fmin(1 - tail, 1 - 1e-12))
		{
			*high = n;
			return true;
		}
	}
	return false;
}

double
chi_square_tail(double x, double df)
{
	gsl_error_handler_t *handler = gsl_guard_enter();
	double		tail = gsl_cdf_chisq_Q(x, df);

	gsl_guard_leave(handler);
	return tail;
}
