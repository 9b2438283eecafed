/*
 * fit.c - maximum likelihood by Newton's method in eta = log(theta), inside a trust region.
 *
 * In eta every parameter is free and of comparable scale. The step maximises the quadratic model
 * within the radius, exactly, from the eigenvalues of the curvature -H; so a region where -H is not
 * positive definite, usual on the way from the start, needs no special treatment. GSL's bfgs2 from
 * the same start took 20 to 30 times the evaluations on CDNOW and on a million customers, and
 * stopped for lack of progress before its gradient was as small.
 */
#include "math/fit.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include <gsl/gsl_eigen.h>
#include <gsl/gsl_matrix.h>
#include <gsl/gsl_vector.h>

#include "math/gsl_guard.h"

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

/* The quadratic model at one point: everything on the log scale. */
typedef struct Point
{
	double		eta[BTYD_MAX_PARAMS];
	double		value;
	double		slope[BTYD_MAX_PARAMS];	/* gradient along the eigenvectors */
	double		curvature[BTYD_MAX_PARAMS]; /* eigenvalues of -H, ascending */
	double		axes[BTYD_MAX_PARAMS * BTYD_MAX_PARAMS];	/* eigenvectors in columns */
	double		distance;		/* sqrt(g' (-H)^-1 g), with |curvature| where it is negative */
	bool		concave;		/* -H is positive definite */
} Point;

typedef struct Search
{
	const BtydModel *model;
	const Rows *rows;
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

/* Eigenvalues of the symmetric matrix m, ascending, and vectors. Destroys m; false if GSL fails. */
static bool
decompose(double *m, int n, double *values, double *vectors)
{
	gsl_error_handler_t *handler = gsl_guard_enter();
	gsl_eigen_symmv_workspace *work = gsl_eigen_symmv_alloc(n);
	bool		done = false;

	if (work != NULL)
	{
		gsl_matrix_view matrix = gsl_matrix_view_array(m, n, n);
		gsl_vector_view eval = gsl_vector_view_array(values, n);
		gsl_matrix_view evec = gsl_matrix_view_array(vectors, n, n);

		done = gsl_eigen_symmv(&matrix.matrix, &eval.vector, &evec.matrix, work) == GSL_SUCCESS;
		gsl_eigen_symmv_sort(&eval.vector, &evec.matrix, GSL_EIGEN_SORT_VAL_ASC);
		gsl_eigen_symmv_free(work);
	}
	gsl_guard_leave(handler);
	return done;
}

/* Evaluate the model at point->eta; false where the likelihood is not finite, or when stopped. */
static bool
evaluate(Search *search, Point *point)
{
	int			n = search->model->nparams;
	double		theta[BTYD_MAX_PARAMS] = {0};
	double		grad[BTYD_MAX_PARAMS];
	double		minus_h[BTYD_MAX_PARAMS * BTYD_MAX_PARAMS];
	bool		finite = true;

	for (int i = 0; i < n; i++)
		theta[i] = exp(point->eta[i]);
	point->value = search->model->log_likelihood(search->rows, theta, grad, minus_h,
												 search->outer ? &search->stop : NULL);
	if (!isfinite(point->value))
		return false;			/* or stopped */
	for (int i = 0; i < n; i++)
	{
		grad[i] *= theta[i];
		for (int j = 0; j < n; j++)
		{
			minus_h[i * n + j] *= -theta[i] * theta[j];
			if (i == j)
				minus_h[i * n + j] -= grad[i];
			finite = finite && isfinite(minus_h[i * n + j]);
		}
		finite = finite && isfinite(grad[i]);
	}
	if (!finite || !decompose(minus_h, n, point->curvature, point->axes))
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
	int			n = search->model->nparams;
	double		radius = START_RADIUS;
	double		customers = rows_total(search->rows);
	double		start[BTYD_MAX_PARAMS];

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
	int			n = search->model->nparams;
	double		theta[BTYD_MAX_PARAMS];
	double		other_step[BTYD_MAX_PARAMS];
	double		scale = OTHER_SIDE / largest(step, n);
	int			more = 0;
	Point		other;
	Outcome		outcome = RAN_OFF;

	search->model->start(search->rows, theta);
	for (int i = 0; i < n; i++)
		other.eta[i] = log(theta[i]) - scale * step[i];
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

/* Inverse of the curvature. */
static void
set_covariance(const Point *point, int n, double *covariance)
{
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
		{
			double		sum = 0;

			for (int k = 0; k < n; k++)
				sum += point->axes[i * n + k] * point->axes[j * n + k] / point->curvature[k];
			covariance[i * n + j] = sum;
		}
}

static void
report(const BtydModel *model, const Point *point, Outcome outcome, FitResult *result)
{
	for (int i = 0; i < model->nparams; i++)
		result->theta[i] = exp(point->eta[i]);
	result->log_likelihood = point->value;
	result->gradient_norm = point->distance;
	result->status = outcome == REACHED ? FIT_CONVERGED : FIT_NOT_CONVERGED;
	if (outcome == REACHED)
	{
		result->has_covariance = true;
		set_covariance(point, model->nparams, result->covariance);
	}
	else if (outcome == RAN_OFF)
		model->ran_off(result->theta, &result->reason, &result->hint);
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
}

void
btyd_fit(const BtydModel *model, const Rows *rows, const FitPrior *prior, const FitStop *stop,
		 FitResult *result)
{
	Search		search = {model, rows, {stop_requested, &search}, stop, false};
	Point		point;
	Outcome		outcome = STUCK;
	double		theta[BTYD_MAX_PARAMS];
	double		step[BTYD_MAX_PARAMS];

	(void) prior;
	memset(result, 0, sizeof(*result));
	result->nparams = model->nparams;
	result->own_weight = 1;
	if (model->undetermined(rows, &result->reason, &result->hint))
	{
		result->status = FIT_IMPOSSIBLE;
		return;
	}
	result->reason = result->hint = NULL;
	model->start(rows, theta);
	for (int i = 0; i < model->nparams; i++)
		point.eta[i] = log(theta[i]);
	if (evaluate(&search, &point))
	{
		outcome = climb(&search, &point, step, &result->iterations);
		if (outcome == RAN_OFF)
			outcome = climb_from_other_side(&search, &point, step, &result->iterations);
	}
	else if (!search.stopped)
	{
		result->status = FIT_IMPOSSIBLE;
		result->reason = "the likelihood is not finite at the start";
		result->hint = "Check the data for extreme values.";
		return;
	}
	if (search.stopped)
	{
		memset(result, 0, sizeof(*result));
		result->status = FIT_STOPPED;
	}
	else
		report(model, &point, outcome, result);
}
