/*
 * logit.c - logistic regression: the probability of an event.
 *
 * The log-likelihood is concave, so Newton's method with halved steps finds its maximum if there is one. Where there is
 * none, because the events are separated, no step of Newton's can be small: were it, its residuals, changed by
 * less than themselves, would balance the columns exactly, and weights that do so exist in the overlap only. So
 * a small step proves that there is a maximum, and only a search that ends without one is asked what separates.
 */
#include "math/logit.h"

#include <float.h>
#include <string.h>

#include "math/matrix.h"

#define MAX_ITERATIONS 35		/* of maximum likelihood: without a maximum, each adds 1 to the linear predictor */
#define MAX_FIRTH_ITERATIONS 100
#define MEMORY 8				/* steps that are learnt from */
#define LEARNING_DISTANCE 10	/* from the maximum: farther away, the curvature changes with every step */
#define MAX_HALVINGS 40
#define FEW_HALVINGS 3
#define MOST_DISTANCE 10		/* times that before: farther, probabilities are all 0 or 1, and no step leads back */
#define MOST_LEARNT 2			/* the same of a step that was learnt, for which there is another */
#define CONVERGED_DISTANCE 1e-11	/* standard errors */
#define NEAR_DISTANCE 1e-3		/* gains are lost in the rounding of the value from here on */
#define NOISE_DISTANCE 1e-6		/* how far away the rounding of the gradient may keep the search */
#define CONVERGED_REACH 0.01	/* most that the step adds to any row's linear predictor; below 1 it is a proof */
#define SAME_VALUE 1e-6			/* of penalised likelihoods of one maximum, reached from two sides */
#define INVOLVED 1e-3			/* of the largest, the least effect in a separating direction that is one */

static const char *const params[] = {"intercept"};

static double
response(double eta)
{
	return 1 / (1 + exp(-eta));
}

/* p (1 - p) and p (1 - p) (1 - 2p), without differences of what is nearly equal */
static void
slopes(double eta, double *first, double *second)
{
	double		e = exp(-fabs(eta));

	*first = e / ((1 + e) * (1 + e));
	*second = copysign(*first * (1 - e) / (1 + e), -eta);
}

const ModelKind logit_model = {
	.code = 11,
	.kind = "logit",
	.title = "logistic",
	.reads = ROWS_RESPONSE,
	.nparams = 1,
	.params = params,
	.response = response,
	.slopes = slopes,
};

static void
refuse(LogitFit *fit, const char *reason, const char *hint)
{
	fit->result.status = FIT_IMPOSSIBLE;
	fit->result.reason = reason;
	fit->result.hint = hint;
}

/* ---- likelihood ------------------------------------------------------------------------------------ */

/* The linear predictor of the rows of a block. */
static void
predict_block(const Design *design, const DesignBlock *block, const double *coefficients, double *eta)
{
	memset(eta, 0, DESIGN_BLOCK * sizeof(double));
	for (int k = 0; k < design->rank; k++)
		block_add(eta, block->z[k], coefficients[k]);
}

double
logit_block(const Design *design, const DesignBlock *block, const double *coefficients, double *residual,
			double *weight)
{
	double		eta[DESIGN_BLOCK];
	double		sum = 0;
	double		product = 1;	/* of at most 64 numbers between 1 and 2, whose logarithm is taken once */

	predict_block(design, block, coefficients, eta);
	for (int i = 0; i < block->n; i++)
	{
		bool		event = block->values[i][0] != 0;
		double		margin = event ? eta[i] : -eta[i];
		double		e = exp(-fabs(eta[i]));
		double		other = margin > 0 ? e / (1 + e) : 1 / (1 + e);	/* probability of what did not happen */

		sum += block->count[i] * fmin(margin, 0);
		if (block->count[i] == 1)
			product *= 1 + e;
		else
			sum -= block->count[i] * log1p(e);
		residual[i] = event ? other : -other;
		weight[i] = e / ((1 + e) * (1 + e));
	}
	for (int i = block->n; i < DESIGN_BLOCK; i++)
		residual[i] = weight[i] = 0;
	return sum - log(product);
}

bool
logit_root(const double *information, int n, double *root)
{
	double		lower[DESIGN_MAX * DESIGN_MAX];

	if (!cholesky(information, n, lower))
		return false;
	invert_lower(lower, n, root);
	return true;
}

void
logit_solve(const double *root, int n, const double *v, double *solution)
{
	double		half[DESIGN_MAX];

	for (int k = 0; k < n; k++)
	{
		half[k] = 0;
		for (int l = 0; l <= k; l++)
			half[k] += root[k * n + l] * v[l];
	}
	for (int l = 0; l < n; l++)
	{
		solution[l] = 0;
		for (int k = l; k < n; k++)
			solution[l] += root[k * n + l] * half[k];
	}
}

LogitOutcome
logit_evaluate(const Design *design, const FitStop *stop, LogitPoint *point)
{
	int			rank = design->rank;
	double		information[DESIGN_MAX * DESIGN_MAX] = {0};
	DesignBlock block;

	point->log_likelihood = 0;
	memset(point->gradient, 0, sizeof(point->gradient));
	for (size_t first = 0; first < design->rows->n; first += DESIGN_BLOCK)
	{
		double		residual[DESIGN_BLOCK];
		double		weight[DESIGN_BLOCK];

		if (block_stops(stop, first))
			return LOGIT_STOPPED;
		design_block(design, first, &block);
		point->log_likelihood += logit_block(design, &block, point->coefficients, residual, weight);
		for (int i = 0; i < block.n; i++)
		{
			residual[i] *= block.count[i];
			weight[i] *= block.count[i];
		}
		for (int k = 0; k < rank; k++)
			point->gradient[k] += block_dot(residual, block.z[k]);
		block_add_gram(design, &block, weight, information);
	}
	point->value = point->log_likelihood;
	if (!logit_root(information, rank, point->root))
		return LOGIT_STUCK;
	logit_solve(point->root, rank, point->gradient, point->step);
	point->distance = 0;
	for (int k = 0; k < rank; k++)
		point->distance += point->gradient[k] * point->step[k];
	point->distance = sqrt(point->distance);
	return LOGIT_REACHED;
}

/* ---- search ---------------------------------------------------------------------------------------- */

/* What a step did to the gradient. */
typedef struct Change
{
	double		step[DESIGN_MAX];
	double		bend[DESIGN_MAX];	/* minus the gradient's change */
	double		product;		/* of both, positive */
} Change;

typedef struct Search
{
	const Design *design;
	const FitStop *stop;
	LogitEvaluate evaluate;
	bool		learns;			/* the curvature is not that of the value, and corrected by what steps did */
	int			most_iterations;
	int			iterations;
	LogitPoint	point;
	int			nchanges;		/* the last ones, latest last */
	Change		changes[MEMORY];
} Search;

/* The step of the curvature, corrected by the changes: limited-memory BFGS (J. Nocedal 1980). */
static void
set_step(Search *search)
{
	int			n = search->design->rank;
	double		rest[DESIGN_MAX];
	double		part[MEMORY];
	double	   *step = search->point.step;

	memcpy(rest, search->point.gradient, sizeof(rest));
	for (int i = search->nchanges - 1; i >= 0; i--)
	{
		const Change *change = &search->changes[i];

		part[i] = dot(change->step, rest, n) / change->product;
		for (int k = 0; k < n; k++)
			rest[k] -= part[i] * change->bend[k];
	}
	logit_solve(search->point.curvature_root, n, rest, step);
	for (int i = 0; i < search->nchanges; i++)
	{
		const Change *change = &search->changes[i];
		double		excess = part[i] - dot(change->bend, step, n) / change->product;

		for (int k = 0; k < n; k++)
			step[k] += excess * change->step[k];
	}
}

/* Learn from the way between two points. */
static void
learn(Search *search, const LogitPoint *from, const LogitPoint *to)
{
	int			n = search->design->rank;
	Change		change;

	for (int k = 0; k < n; k++)
	{
		change.step[k] = to->coefficients[k] - from->coefficients[k];
		change.bend[k] = from->gradient[k] - to->gradient[k];
	}
	change.product = dot(change.step, change.bend, n);
	if (!(change.product > 0))
	{
		search->nchanges = 0;
		return;
	}
	if (search->nchanges == MEMORY)
		memmove(search->changes, search->changes + 1, --search->nchanges * sizeof(Change));
	search->changes[search->nchanges++] = change;
}

/* Evaluate at part of the step; *better says whether to go there. */
static LogitOutcome
try_step(const Search *search, double length, LogitPoint *next, bool *better)
{
	const LogitPoint *point = &search->point;
	double		noise = 64 * DBL_EPSILON * (1 + fabs(point->value));
	LogitOutcome outcome;

	for (int k = 0; k < search->design->rank; k++)
		next->coefficients[k] = point->coefficients[k] + length * point->step[k];
	outcome = search->evaluate(search->design, search->stop, next);
	/* near the maximum, the gradient tells more than the value */
	if (point->distance < NEAR_DISTANCE)
		*better = outcome == LOGIT_REACHED && next->distance < point->distance;
	else
		*better = outcome == LOGIT_REACHED && next->value >= point->value - noise &&
			next->distance <= (search->nchanges > 0 ? MOST_LEARNT * point->distance :
							   MOST_DISTANCE * fmax(point->distance, 1));
	return outcome;
}

/* From the point to a better one along its step; LOGIT_STUCK where there is none. */
static LogitOutcome
climb(Search *search)
{
	double		length = 1;
	int			halvings = search->point.distance < NEAR_DISTANCE || search->nchanges > 0 ? FEW_HALVINGS : MAX_HALVINGS;

	for (int i = 0; i < halvings; i++, length *= 0.5)
	{
		LogitPoint	next;
		bool		better;

		if (try_step(search, length, &next, &better) == LOGIT_STOPPED)
			return LOGIT_STOPPED;
		if (better)
		{
			if (search->learns && search->point.distance < LEARNING_DISTANCE)
				learn(search, &search->point, &next);
			search->point = next;
			if (search->learns)
				set_step(search);
			return LOGIT_REACHED;
		}
	}
	return LOGIT_STUCK;
}

/* The maximum, from search->point, which has been evaluated. */
static LogitOutcome
search_maximum(Search *search)
{
	LogitPoint *point = &search->point;

	for (search->iterations = 0;; search->iterations++)
	{
		/* whether there is a maximum at all */
		bool		proved = design_reach(search->design, point->step) < CONVERGED_REACH;
		LogitOutcome outcome;

		if (proved && point->distance < CONVERGED_DISTANCE)
			return LOGIT_REACHED;
		if (search->iterations == search->most_iterations)
			return LOGIT_STUCK;
		outcome = climb(search);
		if (outcome == LOGIT_STUCK && search->nchanges > 0)
		{
			/* once more by the curvature alone */
			search->nchanges = 0;
			set_step(search);
			continue;
		}
		/* where no step leads nearer, this is as near as rounding lets it come */
		if (outcome == LOGIT_STUCK && proved && point->distance < NOISE_DISTANCE)
			return LOGIT_REACHED;
		if (outcome != LOGIT_REACHED)
			return outcome;
	}
}

/* ---- separation ------------------------------------------------------------------------------------ */

/* Whether all rows are on the right side. False when asked to stop. */
static bool
separates_all(const Design *design, const double *coefficients, const FitStop *stop, bool *all)
{
	DesignBlock block;

	*all = true;
	for (size_t first = 0; first < design->rows->n && *all; first += DESIGN_BLOCK)
	{
		double		eta[DESIGN_BLOCK];

		if (block_stops(stop, first))
			return false;
		design_block(design, first, &block);
		predict_block(design, &block, coefficients, eta);
		for (int i = 0; i < block.n; i++)
			*all = *all && (block.values[i][0] != 0 ? eta[i] > 0 : eta[i] < 0);
	}
	return true;
}

/* Why a search did not end. False when asked to stop. */
static bool
explain_separation(const Search *search, LogitFit *fit)
{
	const Design *design = search->design;
	double		direction[DESIGN_MAX];
	double		weights[DESIGN_MAX];
	double		largest = 0;

	if (!separating_direction(design, search->stop, direction, &fit->separated) ||
		!separates_all(design, search->point.coefficients, search->stop, &fit->completely))
		return false;
	if (!fit->separated)
		return true;
	design_weights(design, direction, weights);
	for (int j = 1; j <= design->nx; j++)
		largest = fmax(largest, fabs(weights[j]));
	for (int j = 1; j <= design->nx; j++)
		fit->involved[j - 1] = fabs(weights[j]) > INVOLVED * largest;
	refuse(fit, "the events are separated from the others", "Firth's method has finite effects there.");
	return true;
}

/* ---- errors ---------------------------------------------------------------------------------------- */

static void
add_square(const double *score, int n, double *m)
{
	for (int k = 0; k < n; k++)
		for (int l = 0; l <= k; l++)
			m[k * n + l] += score[k] * score[l];
}

/* The scores of the rows of a block, summed up by cluster; those of a cluster are squared when the next begins. */
static void
add_clusters(const Design *design, const DesignBlock *block, const double *residual, double *score, double *cluster,
			 double *clusters, double *meat)
{
	for (int i = 0; i < block->n; i++)
	{
		double		here = block->values[i][-design->nx - 1];

		if (*clusters == 0 || here != *cluster)
		{
			add_square(score, design->rank, meat);
			memset(score, 0, DESIGN_MAX * sizeof(double));
			*cluster = here;
			*clusters += 1;
		}
		for (int k = 0; k < design->rank; k++)
			score[k] += block->count[i] * residual[i] * block->z[k][i];
	}
}

/*
 * Sum of squared scores of the rows, or of the clusters (then *clusters is how many there are): the lower triangle.
 * False when asked to stop.
 */
static bool
squared_scores(const Design *design, const double *coefficients, bool by_cluster, const FitStop *stop, double *meat,
			   double *clusters)
{
	double		score[DESIGN_MAX] = {0};
	double		cluster = 0;
	DesignBlock block;

	*clusters = 0;
	memset(meat, 0, DESIGN_MAX * DESIGN_MAX * sizeof(double));
	for (size_t first = 0; first < design->rows->n; first += DESIGN_BLOCK)
	{
		double		residual[DESIGN_BLOCK];
		double		weight[DESIGN_BLOCK];

		if (block_stops(stop, first))
			return false;
		design_block(design, first, &block);
		logit_block(design, &block, coefficients, residual, weight);
		if (by_cluster)
			add_clusters(design, &block, residual, score, &cluster, clusters, meat);
		else
		{
			for (int i = 0; i < block.n; i++)
				weight[i] = block.count[i] * residual[i] * residual[i];
			block_add_gram(design, &block, weight, meat);
		}
	}
	add_square(score, design->rank, meat);
	return true;
}

static double
robust_factor(const Design *design, ErrorKind errors, double clusters)
{
	if (errors == ERRORS_HC1)
		return design->n / (design->n - design->rank);
	return errors == ERRORS_CR1 ? clusters / (clusters - 1) : 1;
}

/*
 * Covariance of the coefficients: the inverse information, or that times squared scores times that. False when asked to
 * stop.
 */
static bool
covariance_of_errors(const Search *search, RegressionRecord *record, double *covariance)
{
	const Design *design = search->design;
	const double *root = search->point.root;
	int			n = design->rank;
	double		inverse[DESIGN_MAX * DESIGN_MAX];
	double		meat[DESIGN_MAX * DESIGN_MAX];
	double		factor;

	for (int i = 0; i < n; i++)
		for (int j = 0; j <= i; j++)
		{
			double		sum = 0;

			for (int k = i; k < n; k++)
				sum += root[k * n + i] * root[k * n + j];
			inverse[i * n + j] = inverse[j * n + i] = sum;
		}
	memcpy(covariance, inverse, sizeof(inverse));
	if (record->errors == ERRORS_MODEL)
		return true;
	if (!squared_scores(design, search->point.coefficients, record->errors == ERRORS_CR1, search->stop, meat,
						&record->clusters))
		return false;
	factor = robust_factor(design, record->errors, record->clusters);
	for (int i = 0; i < n; i++)
		for (int j = 0; j <= i; j++)
			meat[i * n + j] = meat[j * n + i] = factor * meat[i * n + j];
	sandwich(inverse, n, meat, n, covariance);
	if (record->errors == ERRORS_CR1)
		record->df = record->clusters - 1;
	else
		record->clusters = NAN;
	return true;
}

/*
 * Wald's test of all effects, in the coordinates of the search, in which they are those behind the first: F where there
 * are degrees of freedom, else chi-square.
 */
static double
wald_of_effects(const Design *design, const double *coefficients, const double *covariance, double df)
{
	int			n = design->rank - 1;
	double		effects[DESIGN_MAX * DESIGN_MAX];
	double		root[DESIGN_MAX * DESIGN_MAX];
	double		solution[DESIGN_MAX];
	double		sum = 0;

	if (n == 0 || df < n)
		return NAN;
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			effects[i * n + j] = covariance[(i + 1) * design->rank + j + 1];
	if (!logit_root(effects, n, root))
		return NAN;
	logit_solve(root, n, coefficients + 1, solution);
	for (int k = 0; k < n; k++)
		sum += coefficients[k + 1] * solution[k];
	return isnan(df) ? sum : sum / n;
}

/* ---- from rows to result --------------------------------------------------------------------------- */

/* How many events there are, or -1 where a y is neither 0 nor 1. */
static double
count_events(const Rows *rows, LogitFit *fit)
{
	double		events = 0;

	for (size_t i = 0; i < rows->n; i++)
	{
		const double *row = rows_at(rows, i);

		if (row[0] != 0 && row[0] != 1)
		{
			fit->wrong = row;
			return -1;
		}
		events += row[0] * row_count(rows, row);
	}
	return events;
}

static bool
all_finite(const FitResult *result)
{
	for (int i = 0; i < result->nparams; i++)
	{
		if (isinf(result->theta[i]))
			return false;
		for (int j = 0; j < result->nparams; j++)
			if (!isfinite(result->covariance[i * result->nparams + j]))
				return false;
		if (!isnan(result->theta[i]) && !(result->covariance[i * result->nparams + i] > 0))
			return false;
	}
	return true;
}

/* What was found. False when asked to stop. */
static bool
report(const Search *search, double events, double null_value, LogitFit *fit)
{
	const Design *design = search->design;
	const LogitPoint *point = &search->point;
	double		others = design->n - events;
	double		null_likelihood = events * log(events / design->n) + others * log(others / design->n);
	double		covariance[DESIGN_MAX * DESIGN_MAX];
	FitResult  *result = &fit->result;

	if (!covariance_of_errors(search, &fit->record, covariance))
		return false;
	result->log_likelihood = point->log_likelihood;
	result->gradient_norm = point->distance;
	fit->record.r_squared = 1 - point->log_likelihood / null_likelihood;
	fit->record.statistic = fit->record.errors == ERRORS_MODEL ? fmax(2 * (point->value - null_value), 0) :
		wald_of_effects(design, point->coefficients, covariance, fit->record.df);
	if (design->rank == 1)
		fit->record.statistic = NAN;
	design_unframe(design, point->coefficients, covariance, result->theta, result->covariance);
	result->has_covariance = true;
	if (fit->record.clusters < 2)
		refuse(fit, "there is only one cluster", "Errors of clusters need many of them: some 40 or more.");
	else if (!all_finite(result))
		refuse(fit, "its estimates are out of the range of numbers", "Choose other units for the regressors.");
	return true;
}

/* From search->point, which has coefficients alone, to a maximum; *start is the value there. */
static LogitOutcome
search_from_point(Search *search, double *start)
{
	LogitOutcome outcome = search->evaluate(search->design, search->stop, &search->point);

	*start = search->point.value;
	return outcome == LOGIT_REACHED ? search_maximum(search) : outcome;
}

/*
 * Firth's penalised likelihood is not concave. Where a column has long tails there can be a maximum near the likelihood's
 * own and another near no effect, between which the rows with the largest numbers settle: the higher one counts.
 * *search has been at the maximum that no effect leads to, or is stuck, as outcome says.
 */
static LogitOutcome
search_from_likelihood(Search *search, LogitOutcome outcome, double start)
{
	Search		other = {.design = search->design, .stop = search->stop, .evaluate = logit_evaluate,
		.most_iterations = MAX_ITERATIONS};
	LogitOutcome reached;

	other.point.coefficients[0] = start;
	reached = search_from_point(&other, &start);
	if (reached != LOGIT_REACHED)
		return reached == LOGIT_STOPPED ? reached : outcome;
	other.evaluate = search->evaluate;
	other.learns = search->learns;
	other.most_iterations = search->most_iterations;
	reached = search_from_point(&other, &start);
	if (reached == LOGIT_REACHED &&
		(outcome != LOGIT_REACHED || other.point.value > search->point.value + SAME_VALUE))
		*search = other;
	return reached == LOGIT_STUCK ? outcome : reached;
}

/* Search and report. False when asked to stop. */
static bool
fit_design(Search *search, LogitMethod method, double events, LogitFit *fit)
{
	const Design *design = search->design;
	double		extra = method == LOGIT_FIRTH ? 0.5 * design->rank : 0;
	double		null_value;
	LogitOutcome outcome;

	search->evaluate = method == LOGIT_FIRTH ? firth_evaluate : logit_evaluate;
	search->learns = method == LOGIT_FIRTH;
	search->most_iterations = method == LOGIT_FIRTH ? MAX_FIRTH_ITERATIONS : MAX_ITERATIONS;
	/* the maximum where nothing has an effect; Firth's penalty is as half an event and half another for each column */
	search->point.coefficients[0] = log((events + extra) / (design->n - events + extra));
	outcome = search_from_point(search, &null_value);
	if (method == LOGIT_FIRTH && outcome != LOGIT_STOPPED)
		outcome = search_from_likelihood(search, outcome, log(events / (design->n - events)));
	fit->result.iterations = search->iterations;
	if (outcome == LOGIT_STOPPED)
		return false;
	if (outcome == LOGIT_REACHED)
		return report(search, events, null_value, fit);
	refuse(fit, "the maximum of the likelihood was not reached",
		   "Check the data for extreme values; where few rows tell the events apart, use Firth's method.");
	return method == LOGIT_FIRTH || explain_separation(search, fit);
}

/* False when asked to stop. */
static bool
fit_rows(const Rows *rows, int nx, LogitMethod method, double events, const FitStop *stop, LogitFit *fit)
{
	Design		design;
	Search		search = {.design = &design, .stop = stop};

	switch (design_read(rows, nx, stop, &design))
	{
		case DESIGN_STOPPED:
			return false;
		case DESIGN_OUT_OF_RANGE:
			fit->out_of_range = design.column[0];
			refuse(fit, "the values of a regressor are too large or too small", "Choose another unit for it.");
			return true;
		case DESIGN_READ:
			break;
	}
	return fit_design(&search, method, events, fit);
}

void
logit_fit(const Rows *rows, bool clustered, LogitMethod method, ErrorKind errors, const FitStop *stop, LogitFit *fit)
{
	int			nx = rows->ncovariates - (clustered ? 1 : 0);
	double		events;

	memset(fit, 0, sizeof(*fit));
	fit->record = (RegressionRecord) {errors, NAN, NAN, NAN, NAN, NAN};
	fit->result.nparams = 1 + nx;
	fit->result.own_weight = 1;
	fit->result.status = FIT_CONVERGED;
	events = count_events(rows, fit);
	if (fit->wrong != NULL)
		return;
	if (rows->n == 0)
		refuse(fit, "there are no rows", NULL);
	else if (events == 0 || events == rows_total(rows))
		refuse(fit, events == 0 ? "y is 0 in all rows" : "y is 1 in all rows",
			   "Fit a longer period, or a larger group, in which both happened.");
	else if (!fit_rows(rows, nx, method, events, stop, fit))
	{
		memset(&fit->result, 0, sizeof(fit->result));
		fit->result.status = FIT_STOPPED;
	}
}
