/*
 * effect.c - doubly robust and partially linear effects, cross-fitted.
 *
 * Both solve sum of (b - theta a) = 0 over rows for theta: in one a = 1 and b is the signal of a row, in the other
 * a = v^2 and b = v u, of residuals u of y and v of the treatment. So they share all but the numbers a and b of a row.
 */
#include "math/effect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/logit.h"
#include "math/random.h"

#define POLL_ROWS 4096
#define MOST_TRIMMED 0.5
#define NO_RESIDUAL 1e-12		/* of the whole: what is left is rounding */

typedef struct CrossFit
{
	const Rows *rows;
	const EffectOptions *options;
	int			nx;
	int			repetition;
	bool		logistic_y;
	double	   *training;		/* rows of x, a response and a count */
	double	   *predicted[3];	/* of each row */
	double	   *fold;			/* of each row, in this repetition */
	Effect	   *effect;
} CrossFit;

size_t
effect_workspace(const Rows *rows)
{
	int			nx = rows->ncovariates - 1;

	return rows->n * (size_t) (nx + 2 + 4);
}

static EffectStatus
refuse(Effect *effect, const char *reason, const char *hint)
{
	effect->reason = reason;
	effect->hint = hint;
	return EFFECT_IMPOSSIBLE;
}

static inline double
unit_of(const CrossFit *c, const double *row)
{
	return row[-c->nx - 1];
}

static bool
should_stop(const CrossFit *c, size_t i)
{
	const FitStop *stop = c->options->stop;

	return i % POLL_ROWS == 0 && stop != NULL && stop->requested(stop->arg);
}

/* Folds of all rows: the same for the rows of a unit, and others in each repetition. False when stopped. */
static bool
set_folds(CrossFit *c)
{
	for (size_t i = 0; i < c->rows->n; i++)
	{
		double		unit = unit_of(c, rows_at(c->rows, i));
		uint64_t	seed;
		Random		random;

		if (should_stop(c, i))
			return false;
		memcpy(&seed, &unit, sizeof(seed));
		random_seed(&random, seed + (uint64_t) c->repetition * 0xd1342543de82ef95);
		c->fold[i] = floor(random_uniform(&random) * c->options->folds);
	}
	return true;
}

/* ---- models of the other folds ------------------------------------------------------------------------ */

#define ANY_ARM (-1)

/* The rows outside the fold, of one arm or any, with one of their columns as the response. False when stopped. */
static bool
training_rows(const CrossFit *c, int fold, int arm, int column, Rows *training)
{
	double	   *next = c->training;

	*training = (Rows) {0, 1, c->training, c->nx, NAN};
	for (size_t i = 0; i < c->rows->n; i++)
	{
		const double *row = rows_at(c->rows, i);

		if (should_stop(c, i))
			return false;
		if (c->fold[i] == fold || (arm != ANY_ARM && row[EFFECT_TREATMENT] != arm))
			continue;
		memcpy(next, row - c->nx, c->nx * sizeof(double));
		next[c->nx] = row[column];
		next[c->nx + 1] = row_count(c->rows, row);
		next += c->nx + 2;
		training->n++;
	}
	return true;
}

static EffectStatus
fit_linear(CrossFit *c, const Rows *training, double *theta)
{
	Design		design;
	DesignBlock block;
	double		coefficients[DESIGN_MAX] = {0};

	switch (design_read(training, c->nx, c->options->stop, &design))
	{
		case DESIGN_STOPPED:
			return EFFECT_STOPPED;
		case DESIGN_OUT_OF_RANGE:
			return refuse(c->effect, "the values of a regressor are too large or too small",
						  "Choose another unit for it.");
		case DESIGN_READ:
			break;
	}
	/* the numbers z of a row are orthogonal to each other */
	for (size_t first = 0; first < training->n; first += DESIGN_BLOCK)
	{
		if (should_stop(c, first))
			return EFFECT_STOPPED;
		design_block(&design, first, &block);
		for (int i = 0; i < block.n; i++)
			block.count[i] *= block.values[i][0] / design.n;
		for (int k = 0; k < design.rank; k++)
			coefficients[k] += block_dot(block.count, block.z[k]);
	}
	design_unframe(&design, coefficients, NULL, theta, NULL);
	return EFFECT_ESTIMATED;
}

/* Whether the response is the same in all rows; its model is that number, which no logistic model can be. */
static bool
is_constant(const Rows *training)
{
	for (size_t i = 1; i < training->n; i++)
		if (rows_at(training, i)[0] != rows_at(training, 0)[0])
			return false;
	return true;
}

static EffectStatus
fit_logistic(CrossFit *c, const Rows *training, double *theta)
{
	LogitFit	fit;

	logit_fit(training, false, LOGIT_ML, ERRORS_MODEL, c->options->stop, &fit);
	if (fit.result.status == FIT_IMPOSSIBLE && fit.separated)
		logit_fit(training, false, LOGIT_FIRTH, ERRORS_MODEL, c->options->stop, &fit);
	if (fit.result.status == FIT_STOPPED)
		return EFFECT_STOPPED;
	if (fit.result.status == FIT_IMPOSSIBLE)
		return refuse(c->effect, fit.result.reason, fit.result.hint);
	memcpy(theta, fit.result.theta, fit.result.nparams * sizeof(double));
	return EFFECT_ESTIMATED;
}

/* What a model of the response in the other folds says of the rows of the fold. */
static EffectStatus
predict_fold(CrossFit *c, int fold, int arm, int column, bool logistic, double *predicted)
{
	Rows		training;
	const ModelKind *kind;
	double		theta[DESIGN_MAX];
	EffectStatus status;

	if (!training_rows(c, fold, arm, column, &training))
		return EFFECT_STOPPED;
	kind = logistic && !is_constant(&training) ? &logit_model : &lm_model;
	if (training.n == 0 || (arm == ANY_ARM && logistic && kind == &lm_model))
		return refuse(c->effect, "all rows of a group are in one fold", "Take in more units, or a longer period.");
	status = kind == &logit_model ? fit_logistic(c, &training, theta) : fit_linear(c, &training, theta);
	if (status != EFFECT_ESTIMATED)
		return status;
	for (size_t i = 0; i < c->rows->n; i++)
	{
		const double *row = rows_at(c->rows, i);

		if (c->fold[i] == fold)
			predicted[i] = kind->response(linear_predictor(kind, theta, row - c->nx, c->nx));
	}
	return EFFECT_ESTIMATED;
}

/* ---- rows of a repetition ------------------------------------------------------------------------------- */

/* Sets predicted[] of the rows of a fold. */
typedef EffectStatus (*PredictFold) (CrossFit *c, int fold);

/* Turns predicted[] of all rows into a and b in predicted[0] and predicted[1]; returns the share of rows left out. */
typedef double (*ScoreRows) (CrossFit *c);

static EffectStatus
aipw_fold(CrossFit *c, int fold)
{
	EffectStatus status = predict_fold(c, fold, ANY_ARM, EFFECT_TREATMENT, true, c->predicted[2]);

	for (int arm = 0; arm <= 1 && status == EFFECT_ESTIMATED; arm++)
		status = predict_fold(c, fold, arm, EFFECT_Y, c->logistic_y, c->predicted[arm]);
	return status;
}

static double
aipw_scores(CrossFit *c)
{
	double		trimmed = 0;

	for (size_t i = 0; i < c->rows->n; i++)
	{
		const double *row = rows_at(c->rows, i);
		double		y0 = c->predicted[0][i];
		double		y1 = c->predicted[1][i];
		double		p = c->predicted[2][i];
		bool		overlaps = p >= EFFECT_LEAST_PROPENSITY && p <= 1 - EFFECT_LEAST_PROPENSITY;
		double		correction = row[EFFECT_TREATMENT] != 0 ? (row[EFFECT_Y] - y1) / p : (y0 - row[EFFECT_Y]) / (1 - p);

		c->effect->lowest_propensity = fmin(c->effect->lowest_propensity, p);
		c->effect->highest_propensity = fmax(c->effect->highest_propensity, p);
		trimmed += overlaps ? 0 : row_count(c->rows, row);
		c->predicted[0][i] = overlaps;
		c->predicted[1][i] = overlaps ? y1 - y0 + correction : 0;
	}
	return trimmed / c->effect->n;
}

static EffectStatus
partial_fold(CrossFit *c, int fold)
{
	EffectStatus status = predict_fold(c, fold, ANY_ARM, EFFECT_TREATMENT, false, c->predicted[0]);

	return status != EFFECT_ESTIMATED ? status : predict_fold(c, fold, ANY_ARM, EFFECT_Y, false, c->predicted[1]);
}

static double
partial_scores(CrossFit *c)
{
	for (size_t i = 0; i < c->rows->n; i++)
	{
		const double *row = rows_at(c->rows, i);
		double		v = row[EFFECT_TREATMENT] - c->predicted[0][i];
		double		u = row[EFFECT_Y] - c->predicted[1][i];

		c->predicted[0][i] = v * v;
		c->predicted[1][i] = v * u;
	}
	return NAN;
}

/* The estimate of a repetition and its variance, by the units that have rows left; false where nothing is left. */
static bool
solve_scores(const CrossFit *c, double least, double *estimate, double *variance, double *units)
{
	const double *a = c->predicted[0];
	const double *b = c->predicted[1];
	double		sum_a = 0;
	double		sum_b = 0;
	double		squares = 0;

	for (size_t i = 0; i < c->rows->n; i++)
	{
		double		count = row_count(c->rows, rows_at(c->rows, i));

		sum_a += count * a[i];
		sum_b += count * b[i];
	}
	if (!(sum_a > least && isfinite(sum_b)))
		return false;
	*estimate = sum_b / sum_a;
	*units = 0;
	for (size_t i = 0; i < c->rows->n;)
	{
		double		unit = unit_of(c, rows_at(c->rows, i));
		double		score = 0;
		double		weight = 0;

		for (; i < c->rows->n && unit_of(c, rows_at(c->rows, i)) == unit; i++)
		{
			double		count = row_count(c->rows, rows_at(c->rows, i));

			score += count * (b[i] - *estimate * a[i]);
			weight += a[i];
		}
		squares += score * score;
		*units += weight > 0;
	}
	*variance = *units > 1 ? squares / (sum_a * sum_a) * *units / (*units - 1) : NAN;
	return true;
}

/* ---- repetitions ------------------------------------------------------------------------------------------ */

static int
compare(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* Sorts the values. */
static double
median(double *values, int n)
{
	qsort(values, n, sizeof(double), compare);
	return n % 2 ? values[n / 2] : 0.5 * (values[n / 2 - 1] + values[n / 2]);
}

/* What is known of all rows before any model. */
typedef struct Overview
{
	double		units;
	double		spread[EFFECT_COLUMNS];	/* sum of squared deviations from the mean */
	bool		binary[EFFECT_COLUMNS];
} Overview;

static Overview
overview(const CrossFit *c)
{
	Overview	o = {.binary = {true, true}};
	double		mean[EFFECT_COLUMNS] = {0};
	double		total = 0;

	for (size_t i = 0; i < c->rows->n; i++)
	{
		const double *row = rows_at(c->rows, i);
		double		count = row_count(c->rows, row);

		o.units += i == 0 || unit_of(c, row) != unit_of(c, rows_at(c->rows, i - 1));
		total += count;
		c->effect->treated += count * row[EFFECT_TREATMENT];
		for (int k = 0; k < EFFECT_COLUMNS; k++)
		{
			double		d = row[k] - mean[k];

			/* D. H. D. West 1979 */
			mean[k] += d * count / total;
			o.spread[k] += count * d * (row[k] - mean[k]);
			if (o.binary[k] && row[k] != 0 && row[k] != 1)
			{
				o.binary[k] = false;
				if (k == EFFECT_TREATMENT)
					c->effect->wrong = row[k];
			}
		}
	}
	c->effect->n = total;
	return o;
}

static EffectStatus
begin(CrossFit *c, const Overview *o)
{
	if (c->rows->n == 0)
		return refuse(c->effect, "there are no rows", NULL);
	if (o->units < 2 * c->options->folds)
		return refuse(c->effect, "there are fewer than two units for each fold",
					  "Take in more units, or fewer folds.");
	if (o->spread[EFFECT_TREATMENT] == 0)
		return refuse(c->effect, "the treatment is the same in all rows", "Compare rows with and without it.");
	if (o->spread[EFFECT_Y] == 0)
		return refuse(c->effect, "y is the same in all rows", "Fit a longer period, or a larger group.");
	return EFFECT_ESTIMATED;
}

static EffectStatus
summarize(CrossFit *c, double units, double *estimates, double *variances)
{
	int			n = c->options->repetitions;
	double		sorted[EFFECT_MOST_REPETITIONS];
	double		variance;
	Effect	   *e = c->effect;

	memcpy(sorted, estimates, n * sizeof(double));
	e->estimate = median(sorted, n);
	for (int s = 0; s < n; s++)
		variances[s] += (estimates[s] - e->estimate) * (estimates[s] - e->estimate);
	variance = median(variances, n);
	if (!(sqrt(variance) > NO_RESIDUAL * fabs(e->estimate)) || !isfinite(variance))
	{
		e->estimate = NAN;
		return refuse(e, "the rows leave no residuals to judge errors by",
					  "Is y computed from the treatment and x, or are there too few units?");
	}
	e->interval = t_estimate(e->estimate, variance, units - 1, c->options->conf);
	e->statistic = e->estimate / e->interval.std_error;
	e->p_value = t_p_value(e->statistic, units - 1);
	return EFFECT_ESTIMATED;
}

static EffectStatus
repeat(CrossFit *c, PredictFold predict, ScoreRows score, double least)
{
	double		estimates[EFFECT_MOST_REPETITIONS] = {0};
	double		variances[EFFECT_MOST_REPETITIONS] = {0};
	double		fewest = INFINITY;
	double		trimmed = 0;

	for (c->repetition = 0; c->repetition < c->options->repetitions; c->repetition++)
	{
		double		units;

		if (!set_folds(c))
			return EFFECT_STOPPED;
		for (int k = 0; k < c->options->folds; k++)
		{
			EffectStatus status = predict(c, k);

			if (status != EFFECT_ESTIMATED)
				return status;
		}
		trimmed += score(c);
		c->effect->trimmed_share = trimmed / (c->repetition + 1);
		if (!solve_scores(c, least, &estimates[c->repetition], &variances[c->repetition], &units))
			return refuse(c->effect, "x leaves nothing of the treatment to compare",
						  "Leave out of x what all but decides the treatment, or compare similar groups.");
		fewest = fmin(fewest, units);
	}
	if (c->effect->trimmed_share > MOST_TRIMMED)
		return refuse(c->effect, "x all but decides the treatment: most rows have no counterpart",
					  "Ask about a group in which both happen, or leave out of x what decides the treatment but not y.");
	return summarize(c, fewest, estimates, variances);
}

static EffectStatus
estimate(CrossFit *c, double *workspace, bool doubly_robust)
{
	size_t		n = c->rows->n;
	Overview	o;
	EffectStatus status;

	*c->effect = (Effect) {.estimate = NAN, .interval = {NAN, NAN, NAN}, .statistic = NAN, .p_value = NAN,
		.trimmed_share = NAN, .lowest_propensity = NAN, .highest_propensity = NAN};
	c->nx = c->rows->ncovariates - 1;
	for (int k = 0; k < 3; k++)
		c->predicted[k] = workspace + k * n;
	c->fold = workspace + 3 * n;
	c->training = workspace + 4 * n;
	o = overview(c);
	if (doubly_robust && !o.binary[EFFECT_TREATMENT])
		return EFFECT_NOT_BINARY;
	c->logistic_y = o.binary[EFFECT_Y];
	status = begin(c, &o);
	if (status == EFFECT_ESTIMATED)
		status = doubly_robust ? repeat(c, aipw_fold, aipw_scores, 0) :
			repeat(c, partial_fold, partial_scores, NO_RESIDUAL * o.spread[EFFECT_TREATMENT]);
	if (!doubly_robust)
		c->effect->treated = NAN;
	return status;
}

EffectStatus
aipw_effect(const Rows *rows, const EffectOptions *options, double *workspace, Effect *effect)
{
	CrossFit	c = {.rows = rows, .options = options, .effect = effect};

	return estimate(&c, workspace, true);
}

EffectStatus
partial_effect(const Rows *rows, const EffectOptions *options, double *workspace, Effect *effect)
{
	CrossFit	c = {.rows = rows, .options = options, .effect = effect};

	return estimate(&c, workspace, false);
}
