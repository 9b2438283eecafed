/*
 * covariates.c - what is known of a customer at the start changes the parameters of the model.
 *
 * Both effects of a customer's covariates are linear predictors, u = g'z on purchases and v = d'z on
 * dropout. So everything is worked out in six variables, the four eta of the model and (u, v), and spread
 * over the effects by z. Customers who share their covariates share those parameters: the model's own
 * log_likelihood runs over their rows as if they were all.
 */
#include "math/covariates.h"

#include <math.h>
#include <string.h>

#include "math/fit.h"
#include "math/matrix.h"
#include "math/value.h"

#define BASE 4					/* parameters of a model that takes covariates */
#define U 4
#define V 5
#define INNER 6
#define CHUNK_ROWS 1024			/* rows handed to the model at once, and between two polls of stop */
#define COLLINEAR 1e-9			/* least variance of a combination of standardised covariates */

/* log(1 / (1 + exp(-y))) */
static double
log_sigmoid(double y)
{
	return y > 0 ? -log1p(exp(-y)) : y - log1p(exp(y));
}

/*
 * theta_z of u and v; where wanted, the Jacobian of its eta in the six variables and, for dropout odds, the
 * weights of the only second derivatives: those of eta_a and eta_b are bend0 (1,-1,0)(1,-1,0)' - bend
 * (1,-1,1)(1,-1,1)' in (eta_a, eta_b, v).
 */
typedef struct InnerMap
{
	double		theta[BASE];
	double		jacobian[BASE][INNER];
	double		bend0;
	double		bend;
} InnerMap;

static void
map_odds(const double *theta, double v, InnerMap *map)
{
	double		logit = log(theta[2]) - log(theta[3]);
	double		log_sum = log(theta[2]) - log_sigmoid(logit);
	double		log_mu = log_sigmoid(logit + v);
	double		log_not_mu = log_sigmoid(-logit - v);
	double		mu0 = exp(log_sigmoid(logit));
	double		mu = exp(log_mu);
	double		not_mu = exp(log_not_mu);

	map->theta[2] = exp(log_sum + log_mu);
	map->theta[3] = exp(log_sum + log_not_mu);
	map->jacobian[2][2] = mu0 + not_mu;
	map->jacobian[2][3] = mu - mu0;
	map->jacobian[2][V] = not_mu;
	map->jacobian[3][2] = mu0 - mu;
	map->jacobian[3][3] = 1 - mu0 + mu;
	map->jacobian[3][V] = -mu;
	map->bend0 = mu0 * exp(log_sigmoid(-logit));
	map->bend = mu * not_mu;
}

static void
map_inner(const ModelKind *model, const double *theta, double u, double v, InnerMap *map)
{
	memset(map, 0, sizeof(*map));
	memcpy(map->theta, theta, sizeof(map->theta));
	for (int i = 0; i < BASE; i++)
		map->jacobian[i][i] = 1;
	map->theta[1] = theta[1] * exp(-u);
	map->jacobian[1][U] = -1;
	if (model->covariates == COVARIATES_DROPOUT_ODDS)
		map_odds(theta, v, map);
	else
	{
		map->theta[3] = theta[3] * exp(-v);
		map->jacobian[3][V] = -1;
	}
}

void
covariates_apply(const ModelKind *model, const double *theta, const double *z, int n, double *theta_z,
				 double *jacobian)
{
	InnerMap	map;
	int			columns = BASE + 2 * n;

	map_inner(model, theta, dot(theta + BASE, z, n), dot(theta + BASE + n, z, n), &map);
	memcpy(theta_z, map.theta, sizeof(map.theta));
	for (int i = 0; jacobian != NULL && i < BASE; i++)
	{
		memcpy(jacobian + i * columns, map.jacobian[i], BASE * sizeof(double));
		for (int j = 0; j < n; j++)
		{
			jacobian[i * columns + BASE + j] = map.jacobian[i][U] * z[j];
			jacobian[i * columns + BASE + n + j] = map.jacobian[i][V] * z[j];
		}
	}
}

/*
 * Mean over the customers of what a row adds: each covariate less its center, or, behind a center, their products,
 * the lower triangle of a matrix. One pass for all of them; false when asked to stop.
 */
static bool
covariate_means(const Rows *rows, const double *center, double total, const FitStop *stop, double *means)
{
	int			n = rows->ncovariates;

	memset(means, 0, (center ? n * n : n) * sizeof(double));
	for (size_t i = 0; i < rows->n; i++)
	{
		const double *row = rows_at(rows, i);
		const double *z = row - n;
		double		share = row_count(rows, row) / total;

		if (stop != NULL && i % CHUNK_ROWS == 0 && stop->requested(stop->arg))
			return false;
		for (int j = 0; j < n; j++)
			if (center == NULL)
				means[j] += z[j] * share;
			else
				for (int k = 0; k <= j; k++)
					means[j * n + k] += (z[j] - center[j]) * (z[k] - center[k]) * share;
	}
	return true;
}

const char *
covariates_frame(const Rows *rows, const FitStop *stop, CovariateFrame *frame)
{
	int			n = rows->ncovariates;
	double		total = rows_total(rows);
	double		correlation[ROWS_MAX_COVARIATES * ROWS_MAX_COVARIATES];
	double		values[ROWS_MAX_COVARIATES];
	double		vectors[ROWS_MAX_COVARIATES * ROWS_MAX_COVARIATES];

	if (!covariate_means(rows, NULL, total, stop, frame->center) ||
		!covariate_means(rows, frame->center, total, stop, correlation))
		return NULL;
	for (int j = 0; j < n; j++)
	{
		frame->scale[j] = sqrt(correlation[j * n + j]);
		if (!(frame->scale[j] > 1e-12 * fabs(frame->center[j]) && isfinite(frame->scale[j])))
			return "a covariate is the same for all customers";
	}
	for (int j = 0; j < n; j++)
		for (int k = 0; k <= j; k++)
			correlation[j * n + k] = correlation[k * n + j] = correlation[j * n + k] / frame->scale[j] / frame->scale[k];
	if (!symmetric_eigen(correlation, n, values, vectors) || !(values[0] > COLLINEAR))
		return "the covariates determine one another";
	return NULL;
}

/* The derivatives of the log-likelihood of one group of customers in the six variables. */
typedef struct InnerSum
{
	double		gradient[INNER];
	double		hessian[INNER][INNER];
} InnerSum;

static void
chain(const ModelKind *model, const InnerMap *map, double *grad, double *hess, InnerSum *sum)
{
	double		bent = 0;

	/* from the natural scale of theta_z to its eta */
	for (int i = 0; i < BASE; i++)
		grad[i] *= map->theta[i];
	for (int i = 0; i < BASE; i++)
		for (int j = 0; j < BASE; j++)
			hess[i * BASE + j] = hess[i * BASE + j] * map->theta[i] * map->theta[j] + (i == j ? grad[i] : 0);

	for (int k = 0; k < INNER; k++)
		for (int i = 0; i < BASE; i++)
		{
			sum->gradient[k] += map->jacobian[i][k] * grad[i];
			for (int j = 0; j < BASE; j++)
				for (int l = 0; l < INNER; l++)
					sum->hessian[k][l] += map->jacobian[i][k] * hess[i * BASE + j] * map->jacobian[j][l];
		}
	if (model->covariates == COVARIATES_DROPOUT_ODDS)
		bent = grad[2] + grad[3];
	for (int k = 2; k < INNER && bent != 0; k++)
		for (int l = 2; l < INNER; l++)
		{
			static const double inside[INNER] = {0, 0, 1, -1, 0, 1};

			if (k != U && l != U)
				sum->hessian[k][l] += bent * inside[k] * inside[l] *
					((k != V && l != V ? map->bend0 : 0) - map->bend);
		}
}

/* Which of the six variables parameter i is, and what it is multiplied by. */
static inline int
inner_of(int i, int n, const double *z, double *factor)
{
	*factor = i < BASE ? 1 : z[(i - BASE) % n];
	return i < BASE ? i : i < BASE + n ? U : V;
}

static void
spread(const InnerSum *sum, const double *z, int n, double *grad, double *hess)
{
	int			nparams = BASE + 2 * n;

	for (int i = 0; i < nparams; i++)
	{
		double		zi;
		int			k = inner_of(i, n, z, &zi);

		grad[i] += sum->gradient[k] * zi;
		for (int j = 0; j < nparams; j++)
		{
			double		zj;
			int			l = inner_of(j, n, z, &zj);

			hess[i * nparams + j] += sum->hessian[k][l] * zi * zj;
		}
	}
}

static bool
same_covariates(const Rows *rows, size_t i, size_t j)
{
	return memcmp(rows_at(rows, i) - rows->ncovariates, rows_at(rows, j) - rows->ncovariates,
				  rows->ncovariates * sizeof(double)) == 0;
}

/* Rows from *first on that share their covariates, without them; moves *first behind those taken. */
static Rows
take_group(const Rows *rows, size_t *first, double *buffer)
{
	int			width = rows->ncols + 1;
	size_t		i = *first;
	Rows		group = {0, rows->ncols, buffer, 0, NAN};

	while (i < rows->n && group.n < CHUNK_ROWS && same_covariates(rows, *first, i))
		memcpy(buffer + width * group.n++, rows_at(rows, i++), width * sizeof(double));
	*first = i;
	return group;
}

/* grad and hess from eta back to the natural scale of the model's own parameters */
static void
to_natural_scale(const double *theta, int nparams, double *grad, double *hess)
{
	for (int i = 0; i < nparams; i++)
		for (int j = 0; j < nparams; j++)
		{
			if (i == j && i < BASE)
				hess[i * nparams + j] -= grad[i];
			hess[i * nparams + j] /= (i < BASE ? theta[i] : 1) * (j < BASE ? theta[j] : 1);
		}
	for (int i = 0; i < BASE; i++)
		grad[i] /= theta[i];
}

/* Squares of a customer's parameters, which second derivatives are made of, neither overflow nor become 0. */
static bool
in_range(const double *theta)
{
	for (int i = 0; i < BASE; i++)
		if (!(theta[i] > 1e-150 && theta[i] < 1e150))
			return false;
	return true;
}

double
covariates_log_likelihood(const ModelKind *model, const Rows *rows, const CovariateFrame *frame,
						  const double *theta, double *grad, double *hess, const FitStop *stop)
{
	int			n = rows->ncovariates;
	int			nparams = BASE + 2 * n;
	double		buffer[CHUNK_ROWS * 4];
	/* a continuous covariate makes as many groups as customers: rounded a million times, a gain could not be told */
	CompensatedSum value = {0, 0};
	size_t		polled = 0;
	size_t		i = 0;

	memset(grad, 0, nparams * sizeof(double));
	memset(hess, 0, nparams * nparams * sizeof(double));
	while (i < rows->n)
	{
		const double *raw = rows_at(rows, i) - n;
		Rows		group = take_group(rows, &i, buffer);
		double		z[ROWS_MAX_COVARIATES];
		double		inner_grad[BASE];
		double		inner_hess[BASE * BASE];
		InnerMap	map;
		InnerSum	sum = {0};

		if (stop != NULL && i - polled > CHUNK_ROWS)
		{
			if (stop->requested(stop->arg))
				return NAN;
			polled = i;
		}
		for (int j = 0; j < n; j++)
			z[j] = (raw[j] - frame->center[j]) / frame->scale[j];
		map_inner(model, theta, dot(theta + BASE, z, n), dot(theta + BASE + n, z, n), &map);
		if (!in_range(map.theta))
			return NAN;
		compensated_add(&value, model->log_likelihood(&group, map.theta, inner_grad, inner_hess, NULL));
		chain(model, &map, inner_grad, inner_hess, &sum);
		spread(&sum, z, n, grad, hess);
	}
	to_natural_scale(theta, nparams, grad, hess);
	return compensated_sum(&value);
}

void
covariates_unframe(const ModelKind *model, const CovariateFrame *frame, int n, double *theta, double *covariance)
{
	int			nparams = BASE + 2 * n;
	double		jacobian[FIT_MAX_PARAMS * FIT_MAX_PARAMS] = {0};
	double		at_zero[ROWS_MAX_COVARIATES] = {0};
	double		framed[FIT_MAX_PARAMS * FIT_MAX_PARAMS];

	for (int j = 0; j < n; j++)
	{
		theta[BASE + j] /= frame->scale[j];
		theta[BASE + n + j] /= frame->scale[j];
		at_zero[j] = -frame->center[j];
	}
	covariates_apply(model, theta, at_zero, n, theta, jacobian);
	for (int j = 0; j < 2 * n; j++)
	{
		for (int i = 0; i < BASE; i++)
			jacobian[i * nparams + BASE + j] /= frame->scale[j % n];
		jacobian[(BASE + j) * nparams + BASE + j] = 1 / frame->scale[j % n];
	}
	if (covariance != NULL)
	{
		memcpy(framed, covariance, nparams * nparams * sizeof(double));
		sandwich(jacobian, nparams, framed, nparams, covariance);
	}
}
