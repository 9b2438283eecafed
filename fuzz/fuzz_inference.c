/*
 * fuzz_inference.c - libFuzzer target: covariates, priors, intervals and the shrinkage of cohorts, with random
 * parameters, customers and covariances. Results are finite, an interval holds its estimate, a covariance has no
 * negative eigenvalue, and a weight is a share.
 */
#include "fuzz_input.h"

#include "math/covariates.h"
#include "math/fit.h"
#include "math/inference.h"
#include "math/matrix.h"
#include "math/shrink.h"

#define MAX_N 8					/* parameters of a covariance made here */

/* A positive definite matrix: L L' with standard deviations between 1e-4 and 10. */
static void
next_covariance(Bytes *in, int n, double *covariance)
{
	double		root[MAX_N * MAX_N] = {0};

	for (int i = 0; i < n; i++)
	{
		double		deviation = next_positive(in, 1e-4, 10);

		for (int j = 0; j < i; j++)
			root[i * n + j] = deviation * (next_fraction(in) - 0.5);
		root[i * n + i] = deviation;
	}
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
		{
			covariance[i * n + j] = 0;
			for (int k = 0; k < n; k++)
				covariance[i * n + j] += root[i * n + k] * root[j * n + k];
		}
}

static void
check_symmetric(const double *m, int n)
{
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			CHECK(isfinite(m[i * n + j]) && fabs(m[i * n + j] - m[j * n + i]) <= ROUNDING * fabs(m[i * n + j]));
}

/* No negative eigenvalue: none of a pair of variables either. */
static void
check_positive(const double *m, int n)
{
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
		{
			double		product = sqrt(fmax(m[i * n + i], 0)) * sqrt(fmax(m[j * n + j], 0));
			double		most = fmax(m[0], product);

			for (int k = 0; k < n; k++)
				most = fmax(most, m[k * n + k]);
			CHECK(fabs(m[i * n + j]) <= product + ROUNDING * most);
		}
}

/* ---- covariates -------------------------------------------------------------------------------- */

static const ModelKind *
next_model_with_covariates(Bytes *in)
{
	const ModelKind *model = next_model(in);

	return model->covariates != COVARIATES_NONE ? model : &pareto_nbd_model;
}

static void
check_applied(const ModelKind *model, const double *theta, const double *z, int n)
{
	double		theta_z[BTYD_MAX_PARAMS];
	double		jacobian[BTYD_MAX_PARAMS * FIT_MAX_PARAMS];
	double		zero[ROWS_MAX_COVARIATES] = {0};
	int			base = model->nparams;

	covariates_apply(model, theta, zero, n, theta_z, NULL);
	for (int i = 0; i < base; i++)
		CHECK(fabs(theta_z[i] - theta[i]) <= ROUNDING * theta[i]);

	covariates_apply(model, theta, z, n, theta_z, jacobian);
	for (int i = 0; i < base; i++)
		CHECK(isfinite(theta_z[i]) && theta_z[i] > 0);
	for (int i = 0; i < base * (base + 2 * n); i++)
		CHECK(isfinite(jacobian[i]));
	if (model->covariates == COVARIATES_DROPOUT_ODDS)
		CHECK(fabs(theta_z[2] + theta_z[3] - theta[2] - theta[3]) <= ROUNDING * (theta[2] + theta[3]));
}

/* Farther than this in log(theta) a customer's parameters may have no second derivatives; a fit refuses such steps. */
#define FAR 200.0

static bool
is_far(const ModelKind *model, const Rows *rows, const CovariateFrame *frame, const double *theta)
{
	int			n = rows->ncovariates;

	for (size_t i = 0; i < rows->n; i++)
	{
		double		u = 0;
		double		v = 0;

		for (int j = 0; j < n; j++)
		{
			double		z = (rows_at(rows, i)[j - n] - frame->center[j]) / frame->scale[j];

			u += theta[model->nparams + j] * z;
			v += theta[model->nparams + n + j] * z;
		}
		if (fabs(u) > FAR || fabs(v) > FAR)
			return true;
	}
	return false;
}

static void
check_likelihood(const ModelKind *model, const Rows *rows, const double *theta)
{
	double		grad[FIT_MAX_PARAMS];
	double		hess[FIT_MAX_PARAMS * FIT_MAX_PARAMS];
	CovariateFrame frame;
	int			n = model->nparams + 2 * rows->ncovariates;

	if (covariates_frame(rows, NULL, &frame) != NULL || is_far(model, rows, &frame, theta))
		return;
	CHECK(isfinite(covariates_log_likelihood(model, rows, &frame, theta, grad, hess, NULL)));
	for (int i = 0; i < n; i++)
		CHECK(isfinite(grad[i]));
	for (int i = 0; i < n * n; i++)
		CHECK(isfinite(hess[i]));
}

static void
check_fit(const ModelKind *model, const Rows *rows, const FitPrior *prior)
{
	FitResult	fit;
	int			n = model->nparams + 2 * rows->ncovariates;

	btyd_fit(model, rows, prior, NULL, &fit);
	CHECK((fit.reason == NULL) == (fit.status == FIT_CONVERGED));
	if (fit.status == FIT_IMPOSSIBLE)
		return;
	CHECK(fit.nparams == n && isfinite(fit.log_likelihood));
	CHECK(fit.own_weight >= 0 && fit.own_weight <= 1 && (prior != NULL || fit.own_weight == 1));
	for (int i = 0; i < n; i++)
	{
		CHECK(isfinite(fit.theta[i]) && (fit.theta[i] > 0 || param_scale(model, i) == SCALE_OWN));
		if (fit.has_covariance && param_scale(model, i) != SCALE_NONE)
			CHECK(isfinite(fit.covariance[i * n + i]) && fit.covariance[i * n + i] > 0);
	}
}

static void
fuzz_covariates(Bytes *in)
{
	const ModelKind *model = next_model_with_covariates(in);
	int			n = 1 + next_byte(in) % 3;
	double		theta[FIT_MAX_PARAMS];
	double		z[ROWS_MAX_COVARIATES];
	FuzzRows	data;

	next_theta(in, model, 1e-3, 1e4, theta);
	for (int i = 0; i < 2 * n; i++)
		theta[model->nparams + i] = (next_fraction(in) - 0.5) * 10;
	for (int i = 0; i < n; i++)
		z[i] = (next_fraction(in) - 0.5) * 10;
	check_applied(model, theta, z, n);
	next_rows(in, ROWS_TIMING, n, &data);
	for (int i = 0; i < 2 * n; i++)
		theta[model->nparams + i] *= 0.2;
	check_likelihood(model, &data.rows, theta);
	check_fit(model, &data.rows, NULL);
}

/* ---- priors and cohorts ------------------------------------------------------------------------ */

static void
fuzz_prior(Bytes *in)
{
	const ModelKind *model = next_model(in);
	int			n = model->nparams - (model->counts_phases ? 1 : 0);
	double		theta[BTYD_MAX_PARAMS];
	double		center[BTYD_MAX_PARAMS];
	double		covariance[MAX_N * MAX_N];
	double		precision[MAX_N * MAX_N];
	FitPrior	prior = {center, precision};
	FuzzRows	data;

	/* a count of phases is tried, and has no prior */
	if (model->counts_phases)
		return;
	next_theta(in, model, 0.05, 50, theta);
	for (int i = 0; i < n; i++)
		center[i] = log(theta[i]);
	next_covariance(in, n, covariance);
	CHECK(prior_precision(covariance, n, 1e-6, precision));
	check_symmetric(precision, n);
	check_positive(precision, n);
	next_rows(in, model->reads, 0, &data);
	check_fit(model, &data.rows, &prior);
}

static void
fuzz_cohorts(Bytes *in)
{
	int			n = 1 + next_byte(in) % 5;
	int			m = 2 + next_byte(in) % 6;
	double		eta[8 * MAX_N];
	double		covariance[8 * MAX_N * MAX_N];
	double		between[MAX_N * MAX_N];
	double		precision[MAX_N * MAX_N];
	double		center[MAX_N];
	double		weight;

	for (int c = 0; c < m; c++)
	{
		for (int i = 0; i < n; i++)
			eta[c * n + i] = (next_fraction(in) - 0.5) * 10;
		next_covariance(in, n, covariance + c * n * n);
	}
	if (!between_covariance(eta, covariance, m, n, NULL, between))
		return;
	check_symmetric(between, n);
	check_positive(between, n);
	if (!prior_precision(between, n, 1e-6, precision))
		return;
	for (int i = 0; i < n; i++)
		center[i] = (next_fraction(in) - 0.5) * 10;
	weight = shrink_estimate(eta, covariance, center, precision, n);
	if (isnan(weight))
		return;
	CHECK(weight >= -ROUNDING && weight <= 1 + ROUNDING);
	for (int i = 0; i < n; i++)
		CHECK(isfinite(eta[i]));
	check_symmetric(covariance, n);
	check_positive(covariance, n);
}

/* ---- intervals --------------------------------------------------------------------------------- */

typedef struct Asked
{
	const ModelKind *model;
	const ModelKind *spend;
	Customer	c;
	double		t;
} Asked;

static double
predicted_alive(const double *theta, const double *second, void *arg)
{
	const Asked *a = arg;

	return a->model->p_alive(theta, &a->c, a->t);
}

static double
predicted_silence(const double *theta, const double *second, void *arg)
{
	const Asked *a = arg;

	return a->model->silence(theta, &a->c, a->t);
}

static double
predicted_value(const double *theta, const double *second, void *arg)
{
	const Asked *a = arg;

	return a->model->expected_purchases(theta, &a->c, a->t) * a->spend->expected_spend(second, a->c.x, 20);
}

static void
check_interval(PredictedValue f, Asked *a, const FittedModel *first, const FittedModel *second, PredictionScale scale,
			   double conf)
{
	double		value;
	Estimate	e = prediction_interval(f, a, first, second, scale, conf, NULL, &value);

	CHECK(isfinite(value) && isfinite(e.std_error) && e.std_error >= 0);
	CHECK(e.conf_low <= value * (1 + ROUNDING) && e.conf_high >= value * (1 - ROUNDING));
	CHECK(e.conf_low >= 0 && (scale == PREDICTION_LOG || e.conf_high <= 1));
}

/* Ends an interval that would take long. */
static bool
asked_often(void *arg)
{
	return ++*(int *) arg > 20;
}

static void
fuzz_intervals(Bytes *in)
{
	const ModelKind *model = next_model(in);
	Asked		a = {.spend = &gamma_gamma_model};
	double		theta[BTYD_MAX_PARAMS];
	double		spend[BTYD_MAX_PARAMS];
	double		covariance[MAX_N * MAX_N];
	double		spend_covariance[MAX_N * MAX_N];
	FittedModel first = {.theta = theta, .covariance = covariance};
	FittedModel second = {&gamma_gamma_model, gamma_gamma_model.nparams, spend, spend_covariance};
	double		conf = 0.001 + 0.998 * next_fraction(in);
	double		low;
	double		high;
	int			asked = 0;
	FitStop		stop = {asked_often, &asked};

	if (model->reads != ROWS_TIMING && model->reads != ROWS_OPPORTUNITIES)
		model = &pareto_nbd_model;
	a.model = first.model = model;
	first.nparams = model->nparams;
	next_theta(in, model, 1e-2, 1e3, theta);
	next_theta(in, &gamma_gamma_model, 0.1, 1e2, spend);
	spend[1] += 1;				/* who has not bought again has a mean of the population, too */
	next_covariance(in, model->nparams, covariance);
	next_covariance(in, second.nparams, spend_covariance);
	a.c = next_customer(in, model->reads);
	a.t = model->reads == ROWS_TIMING ? next_positive(in, 1e-3, 1e4) : next_count(in);

	check_interval(predicted_alive, &a, &first, NULL, PREDICTION_LOGIT, conf);
	check_interval(predicted_silence, &a, &first, NULL, PREDICTION_LOGIT, conf);
	check_interval(predicted_value, &a, &first, &second, PREDICTION_LOG, conf);
	if (count_interval(model, theta, &a.c, a.t, conf, &stop, &low, &high))
		CHECK(low >= 0 && low <= high && low == floor(low) && high == floor(high));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Bytes		in = {data, data + size};

	switch (next_byte(&in) % 5)
	{
		case 0:
			fuzz_covariates(&in);
			break;
		case 1:
			fuzz_prior(&in);
			break;
		case 2:
			fuzz_cohorts(&in);
			break;
		default:
			fuzz_intervals(&in);
	}
	return 0;
}
