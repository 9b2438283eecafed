/*
 * lm.c - linear regression by least squares, with the errors of the model or robust ones.
 */
#include "math/lm.h"

#include <math.h>
#include <string.h>

#include "math/matrix.h"

/* Rows, or clusters, between two questions whether to end: some milliseconds. */
#define POLL_ROWS 1024

/* A leverage this near to 1 is 1 up to rounding. */
#define LEVERAGE_NOISE 1e-9

/*
 * A robust variance this small beside the model's own may be 0: that of the intercept is a difference, of which
 * rounding leaves some 1e-16.
 */
#define VARIANCE_NOISE 1e-13

#define MOST_COLUMNS (ROWS_MAX_REGRESSORS + 1)	/* of the level and the effects */
#define TRIANGLE_DOUBLES \
	(1 + 2 * MOMENTS_MAX_COLUMNS + MOMENTS_MAX_COLUMNS * (MOMENTS_MAX_COLUMNS + 1) / 2)	/* the largest there is */

static const char *const params[] = {"intercept"};

static double
response(double eta)
{
	return eta;
}

static void
slopes(double eta, double *first, double *second)
{
	(void) eta;
	*first = 1;
	*second = 0;
}

const ModelKind lm_model = {
	.code = 10,
	.kind = "lm",
	.title = "linear",
	.reads = ROWS_RESPONSE,
	.nparams = 1,
	.params = params,
	.response = response,
	.slopes = slopes,
};

static bool
asked_to_stop(const FitStop *stop, size_t row)
{
	return stop != NULL && row % POLL_ROWS == 0 && stop->requested(stop->arg);
}

/* ---- the fit ----------------------------------------------------------------------------------- */

static void
impossible(FitResult *fit, const char *reason, const char *hint)
{
	*fit = (FitResult) {.status = FIT_IMPOSSIBLE, .reason = reason, .hint = hint};
}

/* Effects without errors leave tidy() with estimates alone. */
static void
without_errors(FitResult *fit, RegressionRecord *record, const char *reason, const char *hint)
{
	fit->has_covariance = false;
	memset(fit->covariance, 0, sizeof(fit->covariance));
	record->statistic = NAN;
	fit->reason = reason;
	fit->hint = hint;
}

/* All but the errors. False where the data cannot determine the fit. */
static bool
begin_fit(const MomentsFit *ls, ErrorKind errors, FitResult *fit, RegressionRecord *record)
{
	double		n = ls->n;

	*record = (RegressionRecord) {.errors = errors, .df = ls->df, .clusters = NAN, .statistic = NAN};
	if (!(ls->df > 0))
		impossible(fit, "there are no more rows than parameters", "Collect more rows, or leave out regressors.");
	else if (ls->exact && ls->explained == 0)
		impossible(fit, "y does not vary", "Is y the right column, and are the rows those of more than one result?");
	else if (ls->exact)
		impossible(fit, "y is a linear function of x, with no residual by which to judge errors",
				   "Was y computed from x? Leave out the x it was made of.");
	else
	{
		*fit = (FitResult) {.status = FIT_CONVERGED, .nparams = ls->nx + 1, .has_covariance = true, .own_weight = 1};
		fit->theta[0] = ls->intercept ? ls->intercept_value : NAN;
		memcpy(fit->theta + 1, ls->effect, (size_t) ls->nx * sizeof(double));
		fit->log_likelihood = -0.5 * n * (log(2 * M_PI) + log(ls->rss / ls->weights) + 1);
		record->sigma = sqrt(ls->rss / ls->df);
		record->r_squared = ls->explained / (ls->explained + ls->rss);
		return true;
	}
	return false;
}

/* covariance of (level, effects), which has rows of zeros for what cannot be told, into the fit. */
static void
set_covariance(const MomentsFit *ls, const double *covariance, FitResult *fit)
{
	memcpy(fit->covariance, covariance, (size_t) (fit->nparams * fit->nparams) * sizeof(double));
	if (ls->intercept)
		moments_uncentered(ls, fit->covariance);
}

/* The model's own covariance of (level, effects). */
static void
model_covariance(const MomentsFit *ls, double *covariance)
{
	int			k = ls->nx + 1;
	double		variance = ls->rss / ls->df;

	memset(covariance, 0, (size_t) (k * k) * sizeof(double));
	covariance[0] = ls->intercept ? variance / ls->weights : 0;
	for (int i = 0; i < ls->nx; i++)
		for (int j = 0; j < ls->nx; j++)
			covariance[(i + 1) * k + j + 1] = variance * ls->inverse[i * ls->nx + j];
}

/* Without a row there is nothing, not even a number of regressors. */
static bool
is_empty(double n, int nx, FitResult *fit, RegressionRecord *record)
{
	if (n > 0 && nx > 0)
		return false;
	*record = (RegressionRecord) {0};
	impossible(fit, "there are no rows with regressors", "Rows with a NULL in y or x are dropped: are all?");
	return true;
}

static void
fit_solved(const MomentsFit *ls, FitResult *fit, RegressionRecord *record)
{
	double		covariance[MOST_COLUMNS * MOST_COLUMNS];

	if (!begin_fit(ls, ERRORS_MODEL, fit, record))
		return;
	model_covariance(ls, covariance);
	set_covariance(ls, covariance, fit);
	if (ls->rank > 0)
		record->statistic = ls->explained / ls->rank / (ls->rss / ls->df);
}

void
lm_fit_moments(const Moments *m, FitResult *fit, RegressionRecord *record)
{
	MomentsFit	ls;

	if (is_empty(m->n, m->nx, fit, record))
		return;
	moments_solve(m, &ls);
	fit_solved(&ls, fit, record);
}

/* ---- sandwiches -------------------------------------------------------------------------------- */

/* The whitened form of a score, or of a row (1, x - center): their products with the bread's root. */
static void
whiten(const MomentsFit *ls, const double *score, double *white)
{
	white[0] = score[0] / sqrt(ls->weights);
	for (int j = 0; j < ls->nx; j++)
	{
		double		sum = 0;

		for (int i = 0; i <= j; i++)
			sum += ls->root[i * ls->nx + j] * score[i + 1];
		white[j + 1] = sum;
	}
}

/* Add share * white white' to the lower triangle. */
static void
add_outer(LmMeat *meat, int k, const double *white, double share)
{
	for (int i = 0; i < k; i++)
		for (int j = 0; j <= i; j++)
			meat->sum[i * k + j] += share * white[i] * white[j];
}

void
lm_meat_add(LmMeat *meat, const MomentsFit *ls, const double *score)
{
	double		white[MOST_COLUMNS];

	whiten(ls, score, white);
	add_outer(meat, ls->nx + 1, white, 1);
}

/* The meat as a symmetric matrix, times the factor for few rows or clusters. */
static void
symmetric_meat(const LmMeat *meat, int k, double factor, double *m)
{
	for (int i = 0; i < k; i++)
		for (int j = 0; j <= i; j++)
			m[i * k + j] = m[j * k + i] = factor * meat->sum[i * k + j];
}

/*
 * F of all effects: Wald's statistic over their number. In whitened form it needs the effects times the inverse of the
 * root, which is triangular; NAN where the meat has no inverse.
 */
static double
robust_f(const MomentsFit *ls, const double *m)
{
	int			k = ls->nx + 1;
	int			rank = 0;
	int			column[ROWS_MAX_REGRESSORS];
	double		white[ROWS_MAX_REGRESSORS];
	double		block[ROWS_MAX_REGRESSORS * ROWS_MAX_REGRESSORS];
	double		inverse[ROWS_MAX_REGRESSORS * ROWS_MAX_REGRESSORS];
	double		wald = 0;

	for (int j = 0; j < ls->nx; j++)
		if (!ls->aliased[j])
			column[rank++] = j;
	for (int i = rank - 1; i >= 0; i--)
	{
		const double *root = ls->root + column[i] * ls->nx;

		white[i] = ls->effect[column[i]];
		for (int j = i + 1; j < rank; j++)
			white[i] -= root[column[j]] * white[j];
		white[i] /= root[column[i]];
	}
	for (int i = 0; i < rank; i++)
		for (int j = 0; j < rank; j++)
			block[i * rank + j] = m[(column[i] + 1) * k + column[j] + 1];
	if (rank == 0 || !invert_positive(block, rank, inverse))
		return NAN;
	for (int i = 0; i < rank; i++)
		for (int j = 0; j < rank; j++)
			wald += white[i] * inverse[i * rank + j] * white[j];
	return wald / rank;
}

/* Whether some parameter that the data tell has a robust variance that is nothing but rounding. */
static bool
has_no_variance(const MomentsFit *ls, const FitResult *fit)
{
	FitResult	model;
	RegressionRecord record;
	int			k = ls->nx + 1;

	fit_solved(ls, &model, &record);
	for (int i = 0; i < k; i++)
		if (!isnan(fit->theta[i]) && !(fit->covariance[i * k + i] > VARIANCE_NOISE * model.covariance[i * k + i]))
			return true;
	return false;
}

/* Errors of the meat times the factor, into a fit that has begun. */
static void
finish_robust(const MomentsFit *ls, const LmMeat *meat, double factor, FitResult *fit, RegressionRecord *record)
{
	int			k = ls->nx + 1;
	double		m[MOST_COLUMNS * MOST_COLUMNS];
	double		bread[MOST_COLUMNS * MOST_COLUMNS] = {0};
	double		covariance[MOST_COLUMNS * MOST_COLUMNS];

	symmetric_meat(meat, k, factor, m);
	bread[0] = 1 / sqrt(ls->weights);
	for (int i = 0; i < ls->nx; i++)
		memcpy(bread + (i + 1) * k + 1, ls->root + i * ls->nx, (size_t) ls->nx * sizeof(double));
	sandwich(bread, k, m, k, covariance);
	set_covariance(ls, covariance, fit);
	if (has_no_variance(ls, fit))
	{
		without_errors(fit, record, "all that an effect stands on was fitted without a residual",
					   "Its robust error would be 0: ask for errors 'model', or leave the column out.");
		return;
	}
	if (!(ls->rank > record->clusters - 1))
		record->statistic = robust_f(ls, m);
}

/* ---- rows -------------------------------------------------------------------------------------- */

/* Rotate all rows into the triangle. False when asked to stop; *valid says whether their numbers are in range. */
static bool
add_rows(const Rows *rows, int nx, const FitStop *stop, double *triangle, bool *valid)
{
	*valid = true;
	for (size_t i = 0; i < rows->n && *valid; i++)
	{
		const double *y = rows_at(rows, i);
		double		row[1 + MOMENTS_MAX_COLUMNS];

		if (asked_to_stop(stop, i))
			return false;
		row[0] = row_count(rows, y);
		memcpy(row + 1, y - nx, (size_t) (nx + 1) * sizeof(double));
		for (int c = 0; c <= nx; c++)
			*valid = *valid && lm_in_range(row[1 + c]);
		if (*valid)
			triangle_add(triangle, nx, row);
	}
	return true;
}

/* (1, x - center) of a row; returns the residual. */
static double
centered_row(const MomentsFit *ls, const double *y, double *row)
{
	const double *x = y - ls->nx;
	double		residual = *y - ls->level;

	row[0] = 1;
	for (int j = 0; j < ls->nx; j++)
	{
		row[j + 1] = ls->aliased[j] ? 0 : x[j] - ls->center[j];
		if (!ls->aliased[j])
			residual -= ls->effect[j] * row[j + 1];
	}
	return residual;
}

/* The sum over rows of HC0 to HC3. False when asked to stop; *leverage_1 where HC2 and HC3 do not exist. */
static bool
add_row_scores(const Rows *rows, const MomentsFit *ls, ErrorKind errors, const FitStop *stop, LmMeat *meat,
			   bool *leverage_1)
{
	int			k = ls->nx + 1;

	*leverage_1 = false;
	for (size_t i = 0; i < rows->n; i++)
	{
		const double *y = rows_at(rows, i);
		double		row[MOST_COLUMNS];
		double		white[MOST_COLUMNS];
		double		residual = centered_row(ls, y, row);
		double		share = row_count(rows, y) * residual * residual;

		if (asked_to_stop(stop, i))
			return false;
		whiten(ls, row, white);
		if (errors == ERRORS_HC2 || errors == ERRORS_HC3)
		{
			double		rest = 1;	/* one less the leverage */

			for (int j = 0; j < k; j++)
				rest -= white[j] * white[j];
			if (rest <= LEVERAGE_NOISE)
			{
				*leverage_1 = true;
				return true;
			}
			share /= errors == ERRORS_HC2 ? rest : rest * rest;
		}
		add_outer(meat, k, white, share);
	}
	return true;
}

/* The sum over clusters, whose rows are neighbours, and how many there are. False when asked to stop. */
static bool
add_cluster_scores(const Rows *rows, const MomentsFit *ls, const FitStop *stop, LmMeat *meat, double *clusters)
{
	int			k = ls->nx + 1;
	double		score[MOST_COLUMNS] = {0};

	*clusters = 0;
	for (size_t i = 0; i < rows->n; i++)
	{
		const double *y = rows_at(rows, i);
		double		row[MOST_COLUMNS];
		double		share = row_count(rows, y) * centered_row(ls, y, row);

		if (asked_to_stop(stop, i))
			return false;
		for (int j = 0; j < k; j++)
			score[j] += share * row[j];
		if (i + 1 == rows->n || rows_at(rows, i + 1)[-rows->ncovariates] != y[-rows->ncovariates])
		{
			lm_meat_add(meat, ls, score);
			memset(score, 0, sizeof(score));
			*clusters += 1;
		}
	}
	return true;
}

/* Robust errors from a second pass over the rows, into a fit that has begun. */
static void
finish_rows(const Rows *rows, const MomentsFit *ls, const FitStop *stop, FitResult *fit, RegressionRecord *record)
{
	LmMeat		meat = {{0}};
	double		clusters;
	bool		leverage_1;

	if (record->errors == ERRORS_CR1)
	{
		if (!add_cluster_scores(rows, ls, stop, &meat, &clusters))
			fit->status = FIT_STOPPED;
		else
			lm_fit_meat(ls, &meat, clusters, fit, record);
	}
	else if (!add_row_scores(rows, ls, record->errors, stop, &meat, &leverage_1))
		fit->status = FIT_STOPPED;
	else if (leverage_1)
		without_errors(fit, record, "an effect stands on a single row (leverage 1), so HC2 and HC3 do not exist",
					   "Ask for errors 'HC1' or 'model', or leave out the column that is different in this row alone.");
	else
		finish_robust(ls, &meat, record->errors == ERRORS_HC1 ? ls->n / ls->df : 1, fit, record);
}

void
lm_fit_rows(const Rows *rows, bool clustered, ErrorKind errors, const FitStop *stop, FitResult *fit,
			RegressionRecord *record)
{
	int			nx = rows->ncovariates - clustered;
	double		triangle[TRIANGLE_DOUBLES] = {0};
	Moments		m = {.nx = nx, .n = rows_total(rows), .triangle = triangle};
	MomentsFit	ls;
	bool		valid;

	if (is_empty(m.n, nx, fit, record))
		return;
	if (!add_rows(rows, nx, stop, triangle, &valid))
	{
		*fit = (FitResult) {.status = FIT_STOPPED};
		return;
	}
	if (!valid)
	{
		impossible(fit, "numbers have magnitudes beyond 1e-100 to 1e100", "Give the columns other units.");
		return;
	}
	moments_solve(&m, &ls);
	if (errors == ERRORS_MODEL)
		fit_solved(&ls, fit, record);
	else if (begin_fit(&ls, errors, fit, record))
		finish_rows(rows, &ls, stop, fit, record);
}

/* ---- clusters ---------------------------------------------------------------------------------- */

void
lm_fit_meat(const MomentsFit *ls, const LmMeat *meat, double n_clusters, FitResult *fit, RegressionRecord *record)
{
	if (n_clusters < 2)
	{
		impossible(fit, "there are fewer than two clusters", "Errors within clusters need several of them; "
				   "ask for errors 'model' or 'HC1' where rows are independent.");
		return;
	}
	if (!begin_fit(ls, ERRORS_CR1, fit, record))
		return;
	record->clusters = n_clusters;
	record->df = n_clusters - 1;
	finish_robust(ls, meat, n_clusters / (n_clusters - 1) * ((ls->n - 1) / ls->df), fit, record);
}

void
lm_fit_clusters(const LmClusters *clusters, const FitStop *stop, FitResult *fit, RegressionRecord *record)
{
	double		triangle[TRIANGLE_DOUBLES] = {0};
	Moments		pooled = {.nx = clusters->nx, .triangle = triangle};
	Moments		m;
	MomentsFit	ls;
	LmMeat		meat = {{0}};
	double		score[MOST_COLUMNS];
	size_t		n = 0;

	if (is_empty(1, clusters->nx, fit, record))
		return;
	*fit = (FitResult) {.status = FIT_STOPPED};
	for (size_t at = 0; clusters->next(clusters->arg, &at, &m); n++)
	{
		if (asked_to_stop(stop, n))
			return;
		triangle_merge(triangle, &m);
		pooled.n += m.n;
	}
	moments_solve(&pooled, &ls);
	n = 0;
	for (size_t at = 0; clusters->next(clusters->arg, &at, &m); n++)
	{
		if (asked_to_stop(stop, n))
			return;
		moments_score(&m, &ls, score);
		lm_meat_add(&meat, &ls, score);
	}
	lm_fit_meat(&ls, &meat, (double) n, fit, record);
}
