/*
 * fit.c - maximum likelihood by Newton's method in eta = log(theta), inside a trust region.
 *
 * In eta every parameter is free and of comparable scale. The step maximises the quadratic model
 * within the radius, exactly, from the eigenvalues of the curvature -H; so a region where -H is not
 * positive definite, usual on the way from the start, needs no special treatment. GSL's bfgs2 from
 * the same start took 20 to 30 times the evaluations on CDNOW and on a million customers, and
 * stopped for lack of progress before its gradient was as small.
 *
 * Effects of covariates are searched for on their own scale, with the covariates standardised. A count of
 * phases has no slope: each is tried. A prior adds the logarithm of its density.
 */
#include "math/fit.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "math/covariates.h"
#include "math/matrix.h"

#define MAX_ITERATIONS 200
#define START_RADIUS 1.0
#define MAX_RADIUS 4.0
#define MIN_RADIUS 1e-10
#define OTHER_SIDE 3.0			/* distance of the second start from the first, in log(theta) */
#define MAX_TRAVEL 30.0			/* from the start, in log(theta): a factor of 1e13 */

/* The maximum is reached: this many standard errors away, and this far in log(theta). */
#define CONVERGED_ERRORS 1e-8
#define CONVERGED_STEP 1e-5

/*
 * The model runs off to a limit: the likelihood has this little left to gain, but a parameter would
 * still change by a tenth. At a maximum that means a standard error of log(theta) above 200.
 */
#define FLAT_GAIN 1e-7
#define FLAT_STEP 0.1

/* Less curvature than this, a standard error above 200 too, is no maximum in a point. */
#define FLAT_CURVATURE 2.5e-5

/* How many phases more than the best so far are tried. */
#define MORE_PHASES 2

/* An effect of a standardised covariate this large multiplies a rate by 3,000 from one customer to the next. */
#define MAX_EFFECT 8.0

/* The quadratic model at one point: everything on the scale of eta. */
typedef struct Point
{
	double		eta[FIT_MAX_PARAMS];
	double		value;			/* with the prior */
	double		log_likelihood; /* without */
	double		slope[FIT_MAX_PARAMS];	/* gradient along the eigenvectors */
	double		curvature[FIT_MAX_PARAMS];	/* eigenvalues of -H, ascending */
	double		axes[FIT_MAX_PARAMS * FIT_MAX_PARAMS];	/* eigenvectors in columns */
	double		distance;		/* sqrt(g' (-H)^-1 g), with |curvature| where it is negative */
	bool		concave;		/* -H is positive definite */
} Point;

typedef struct Search
{
	const ModelKind *model;
	const Rows *rows;
	const FitPrior *prior;
	int			nparams;		/* all of them: the stride of the prior's matrix */
	int			n;				/* those searched for: the first n */
	double		phases;			/* the last parameter, if it is a count */
	CovariateFrame frame;
	double		start[FIT_MAX_PARAMS];	/* eta */
	FitStop		stop;			/* passes on to outer and remembers the answer */
	const FitStop *outer;
	bool		stopped;
} Search;

typedef enum Outcome
{
	GO_ON,
	REACHED,
	RAN_OFF,
	FLAT,
	STUCK
} Outcome;

static bool
stop_requested(void *arg)
{
	Search	   *search = arg;

	search->stopped = search->outer->requested(search->outer->arg);
	return search->stopped;
}

static double
largest(const double *v, int n)
{
	double		value = 0;

	for (int i = 0; i < n; i++)
		value = fmax(value, fabs(v[i]));
	return value;
}

/* The parameters at eta. */
static void
theta_of_eta(const Search *search, const double *eta, double *theta)
{
	for (int i = 0; i < search->n; i++)
		theta[i] = param_scale(search->model, i) == SCALE_LOG ? exp(eta[i]) : eta[i];
	if (search->model->counts_phases)
		theta[search->n] = search->phases;
}

static double
log_likelihood(Search *search, const double *theta, double *grad, double *hess)
{
	const FitStop *stop = search->outer ? &search->stop : NULL;

	if (search->rows->ncovariates > 0)
		return covariates_log_likelihood(search->model, search->rows, &search->frame, theta, grad, hess, stop);
	return search->model->log_likelihood(search->rows, theta, grad, hess, stop);
}

/* Add the prior's log density, up to a constant, to value, gradient and -H in eta. */
static void
add_prior(const Search *search, Point *point, double *grad, double *minus_h)
{
	int			n = search->n;

	for (int i = 0; i < n; i++)
	{
		double		pull = 0;

		for (int j = 0; j < n; j++)
		{
			double		precision = search->prior->precision[i * search->nparams + j];

			pull += precision * (point->eta[j] - search->prior->center[j]);
			minus_h[i * n + j] += precision;
		}
		grad[i] -= pull;
		point->value -= 0.5 * pull * (point->eta[i] - search->prior->center[i]);
	}
}

/* Evaluate the model at point->eta; false where the likelihood is not finite, or when stopped. */
static bool
evaluate(Search *search, Point *point)
{
	int			n = search->n;
	double		theta[FIT_MAX_PARAMS] = {0};
	double		grad[FIT_MAX_PARAMS];
	double		minus_h[FIT_MAX_PARAMS * FIT_MAX_PARAMS];
	bool		finite = true;

	theta_of_eta(search, point->eta, theta);
	point->log_likelihood = log_likelihood(search, theta, grad, minus_h);
	point->value = point->log_likelihood;
	if (!isfinite(point->value))
		return false;			/* or stopped */
	for (int i = 0; i < n; i++)
	{
		double		di = param_scale(search->model, i) == SCALE_LOG ? theta[i] : 1;

		grad[i] *= di;
		for (int j = 0; j < n; j++)
		{
			minus_h[i * n + j] *= -di * (param_scale(search->model, j) == SCALE_LOG ? theta[j] : 1);
			if (i == j && param_scale(search->model, i) == SCALE_LOG)
				minus_h[i * n + j] -= grad[i];
			finite = finite && isfinite(minus_h[i * n + j]);
		}
		finite = finite && isfinite(grad[i]);
	}
	if (search->prior != NULL)
		add_prior(search, point, grad, minus_h);
	if (!finite || !symmetric_eigen(minus_h, n, point->curvature, point->axes))
		return false;

	/* below that, an eigenvalue is rounding noise of the largest */
	double		least = 16 * DBL_EPSILON * fmax(largest(point->curvature, n), 1);
	double		sum = 0;

	for (int k = 0; k < n; k++)
	{
		point->slope[k] = 0;
		for (int i = 0; i < n; i++)
			point->slope[k] += point->axes[i * n + k] * grad[i];
		sum += point->slope[k] * point->slope[k] / fmax(fabs(point->curvature[k]), least);
	}
	point->distance = sqrt(sum);
	point->concave = point->curvature[0] > least;
	return true;
}

/* Length of the step along the eigenvectors when shift is added to the curvature. */
static double
step_length(const Point *point, int n, double shift)
{
	double		sum = 0;

	for (int k = 0; k < n; k++)
	{
		double		s = point->slope[k] / (point->curvature[k] + shift);

		sum += s * s;
	}
	return sqrt(sum);
}

/*
 * The step that maximises the quadratic model within the radius: Newton's if it fits, else along
 * the curve of shifted curvatures where the length equals the radius. Returns the gain the model
 * promises.
 */
static double
trust_step(const Point *point, int n, double radius, double *step)
{
	double		shift = 0;
	double		gain = 0;

	if (!point->concave || step_length(point, n, 0) > radius)
	{
		double		norm = 0;
		double		low = fmax(0, -point->curvature[0]);
		double		high;

		for (int k = 0; k < n; k++)
			norm += point->slope[k] * point->slope[k];
		high = low + sqrt(norm) / radius;
		/* the length falls as the shift grows, and at high it is within the radius */
		for (int i = 0; i < 100 && high - low > 1e-12 * high; i++)
		{
			double		middle = low + 0.5 * (high - low);

			if (step_length(point, n, middle) > radius)
				low = middle;
			else
				high = middle;
		}
		shift = high;
	}

	memset(step, 0, n * sizeof(double));
	for (int k = 0; k < n; k++)
	{
		double		bent = point->curvature[k] + shift;
		double		s = bent > 0 ? point->slope[k] / bent : 0;

		gain += s * (point->slope[k] - 0.5 * point->curvature[k] * s);
		for (int i = 0; i < n; i++)
			step[i] += point->axes[i * n + k] * s;
	}
	return gain;
}

/* What can be said at a point about the step of given gain that would leave it. */
static Outcome
judge(const Point *point, const double *start, const double *step, double gain, double noise, int n)
{
	double		length = largest(step, n);

	if (gain < fmax(FLAT_GAIN, noise) && length > FLAT_STEP)
		return RAN_OFF;
	if (point->distance < CONVERGED_ERRORS && point->curvature[0] < FLAT_CURVATURE)
		return FLAT;
	if (point->distance < CONVERGED_ERRORS && length < CONVERGED_STEP)
		return REACHED;
	for (int i = 0; i < n; i++)
		if (fabs(point->eta[i] - start[i]) > MAX_TRAVEL)
			return RAN_OFF;
	return GO_ON;
}

/*
 * From here to the better of two points. Where the gain drowns in the rounding noise of the
 * likelihood, a point is better if it is nearer to the maximum by its own gradient.
 */
static bool
improves(const Point *from, const Point *to, double gain, double noise)
{
	double		actual = to->value - from->value;

	if (gain > noise)
		return actual > 1e-4 * gain;
	return actual > -noise && to->concave && to->distance < from->distance;
}

/*
 * Climb from *point; on return it is the best point found and step the one that would leave it.
 * *iterations counts the evaluations after the first.
 */
static Outcome
climb(Search *search, Point *point, double *step, int *iterations)
{
	int			n = search->n;
	double		radius = START_RADIUS;
	double		customers = rows_total(search->rows);
	double		start[FIT_MAX_PARAMS];

	memcpy(start, point->eta, sizeof(start));

	for (*iterations = 0; *iterations < MAX_ITERATIONS && radius > MIN_RADIUS; ++*iterations)
	{
		double		noise = 64 * DBL_EPSILON * (fabs(point->value) + customers);
		double		gain = trust_step(point, n, radius, step);
		Outcome		outcome = judge(point, start, step, gain, noise, n);
		Point		next;

		if (outcome != GO_ON)
			return outcome;
		for (int i = 0; i < n; i++)
			next.eta[i] = point->eta[i] + step[i];
		if (evaluate(search, &next) && improves(point, &next, gain, noise))
		{
			if (next.value - point->value > 0.75 * gain)
				radius = fmin(2 * radius, MAX_RADIUS);
			else if (next.value - point->value < 0.25 * gain && gain > noise)
				radius *= 0.5;
			*point = next;
		}
		else if (search->stopped)
			return STUCK;
		else
			radius = 0.25 * fmin(radius, largest(step, n));
	}
	return STUCK;
}

/*
 * A small cohort can have a maximum and, elsewhere, a rise without end. After the search ran off,
 * try once more from behind the start, seen in the direction it went, and keep the better of the
 * two.
 */
static Outcome
climb_from_other_side(Search *search, Point *point, double *step, int *iterations)
{
	int			n = search->n;
	double		other_step[FIT_MAX_PARAMS];
	double		scale = OTHER_SIDE / largest(step, n);
	int			more = 0;
	Point		other;
	Outcome		outcome = RAN_OFF;

	for (int i = 0; i < n; i++)
		other.eta[i] = search->start[i] - scale * step[i];
	if (evaluate(search, &other))
	{
		outcome = climb(search, &other, other_step, &more);
		*iterations += more;
	}
	if (outcome != REACHED || other.value < point->value)
		return RAN_OFF;
	*point = other;
	return outcome;
}

/* ---- from start to result ---------------------------------------------------------------------- */

static void
set_start(Search *search)
{
	double		theta[FIT_MAX_PARAMS] = {0};

	if (search->prior != NULL)
	{
		memcpy(search->start, search->prior->center, search->n * sizeof(double));
		return;
	}
	if (search->model->counts_phases)
		theta[search->n] = search->phases;
	search->model->start(search->rows, theta);
	for (int i = 0; i < search->n; i++)
		search->start[i] = param_scale(search->model, i) == SCALE_LOG ? log(theta[i]) : 0;
}

/* Search from the start; false where the likelihood is not finite there, or when stopped. */
static bool
search_maximum(Search *search, Point *point, Outcome *outcome, int *iterations)
{
	double		step[FIT_MAX_PARAMS];

	set_start(search);
	memcpy(point->eta, search->start, sizeof(point->eta));
	if (!evaluate(search, point))
		return false;
	*outcome = climb(search, point, step, iterations);
	if (*outcome == RAN_OFF && search->prior == NULL)
		*outcome = climb_from_other_side(search, point, step, iterations);
	return !search->stopped;
}

/* The same for every count of phases that may be the best. Leaves the best in search->phases. */
static bool
search_phases(Search *search, Point *point, Outcome *outcome, int *iterations)
{
	double		best = 0;

	for (search->phases = 1; search->phases <= fmin(best + MORE_PHASES, BTYD_MAX_PHASES) || best == 0; search->phases++)
	{
		Point		candidate;
		Outcome		end;
		int			more = 0;

		if (search->phases > MORE_PHASES && best == 0)
			return false;
		if (search_maximum(search, &candidate, &end, &more) && (best == 0 || candidate.value > point->value))
		{
			best = search->phases;
			*point = candidate;
			*outcome = end;
		}
		*iterations += more;
		if (search->stopped)
			return false;
	}
	search->phases = best;
	if (best == BTYD_MAX_PHASES)
		*outcome = RAN_OFF;
	return true;
}

/* Inverse of the curvature, of all nparams parameters; and what share of it the data decided. */
static void
set_covariance(const Search *search, const Point *point, FitResult *result)
{
	int			n = search->n;
	double		inverse[FIT_MAX_PARAMS];
	double		searched[FIT_MAX_PARAMS * FIT_MAX_PARAMS];
	double		prior = 0;

	for (int k = 0; k < n; k++)
		inverse[k] = 1 / point->curvature[k];
	compose_symmetric(inverse, point->axes, n, searched);
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
		{
			result->covariance[i * search->nparams + j] = searched[i * n + j];
			if (search->prior != NULL)
				prior += searched[i * n + j] * search->prior->precision[j * search->nparams + i];
		}
	result->has_covariance = true;
	if (search->prior != NULL)
		result->own_weight = fmin(fmax(1 - prior / n, 0), 1);
}

static void
explain_run_off(const Search *search, const double *eta, FitResult *result)
{
	for (int i = search->model->nparams; i < search->n; i++)
		if (fabs(eta[i]) > MAX_EFFECT)
		{
			result->reason = "the effect of a covariate runs off to infinity: a value of it settles the outcome";
			result->hint = "Leave out, or join with others, values of the covariate that few customers have.";
			return;
		}
	if (search->model->counts_phases && search->phases == BTYD_MAX_PHASES)
	{
		result->reason = "k reached its limit: customers buy at regular intervals";
		result->hint = "Are these payments of a contract? sbg_fit() fits those.";
		return;
	}
	search->model->ran_off(result->theta, &result->reason, &result->hint);
}

/*
 * A model is written down by its parameters at covariates of zero. Where zero is far from the customers, as the
 * year 0 is, or an effect ran off, these may be no numbers any more.
 */
static void
refuse_out_of_range(const Search *search, FitResult *result)
{
	for (int i = 0; i < search->nparams; i++)
		if (!isfinite(result->theta[i]) || (i < search->model->nparams && result->theta[i] <= 0))
		{
			if (result->status == FIT_CONVERGED)
			{
				result->reason = "its parameters at covariates of zero are out of range";
				result->hint = "Subtract a usual value from covariates that are far from zero, such as years.";
			}
			result->status = FIT_IMPOSSIBLE;
			return;
		}
}

static void
report(const Search *search, const Point *point, Outcome outcome, FitResult *result)
{
	theta_of_eta(search, point->eta, result->theta);
	result->log_likelihood = point->log_likelihood;
	result->gradient_norm = point->distance;
	result->status = outcome == REACHED ? FIT_CONVERGED : FIT_NOT_CONVERGED;
	/* 1 says that there was no prior; how much it decides is not known short of the maximum */
	result->own_weight = search->prior == NULL ? 1 : 0;
	if (outcome == REACHED)
		set_covariance(search, point, result);
	else if (outcome == RAN_OFF)
		explain_run_off(search, point->eta, result);
	else if (outcome == FLAT)
	{
		result->reason = "the likelihood is flat: the data do not determine all parameters";
		result->hint = "Fit a longer history, or a larger group of customers.";
	}
	else
	{
		result->reason = "the maximum of the likelihood was not reached";
		result->hint = "Check the data for extreme values, or fit a larger group of customers.";
	}
	if (search->rows->ncovariates > 0)
	{
		covariates_unframe(search->model, &search->frame, search->rows->ncovariates, result->theta,
						   result->has_covariance ? result->covariance : NULL);
		refuse_out_of_range(search, result);
	}
}

/* Why no search can begin; true if so. With a prior, any customer tells something. */
static bool
hopeless(Search *search, FitResult *result)
{
	int			ncovariates = search->rows->ncovariates;

	for (int j = 0; j < ncovariates; j++)
	{
		search->frame.center[j] = 0;
		search->frame.scale[j] = 1;
	}
	if (search->prior != NULL)
		return search->rows->n == 0;
	if (search->model->undetermined(search->rows, &result->reason, &result->hint))
		return true;
	result->reason = result->hint = NULL;
	if (ncovariates > 0)
		result->reason = covariates_frame(search->rows, search->outer ? &search->stop : NULL, &search->frame);
	result->hint = result->reason ? "Leave out covariates that are constant or follow from the others." : NULL;
	return result->reason != NULL;
}

void
btyd_fit(const ModelKind *model, const Rows *rows, const FitPrior *prior, const FitStop *stop,
		 FitResult *result)
{
	Search		search = {.model = model, .rows = rows, .prior = prior, .outer = stop};
	Point		point;
	Outcome		outcome = STUCK;
	bool		searched;

	memset(result, 0, sizeof(*result));
	search.stop = (FitStop) {stop_requested, &search};
	search.nparams = model->nparams + 2 * rows->ncovariates;
	search.n = search.nparams - (model->counts_phases ? 1 : 0);
	result->nparams = search.nparams;
	result->own_weight = 1;
	if (hopeless(&search, result))
	{
		result->status = FIT_IMPOSSIBLE;
		if (result->reason == NULL)
			result->reason = "there are no rows";
		return;
	}
	if (search.stopped)
		searched = false;
	else if (model->counts_phases && prior == NULL)
		searched = search_phases(&search, &point, &outcome, &result->iterations);
	else
	{
		search.phases = model->counts_phases ? prior->center[search.n] : 0;
		searched = search_maximum(&search, &point, &outcome, &result->iterations);
	}
	if (search.stopped)
	{
		memset(result, 0, sizeof(*result));
		result->status = FIT_STOPPED;
	}
	else if (!searched)
	{
		result->status = FIT_IMPOSSIBLE;
		result->reason = "the likelihood is not finite at the start";
		result->hint = "Check the data for extreme values.";
	}
	else
		report(&search, &point, outcome, result);
}
