/*
 * fuzz_regression.c - libFuzzer target: small samples through moments, least squares, logistic, Cox and hazard
 * regression, and the means and effects of their fits. What the headers promise to be a number is one, variances are
 * not negative, what cannot be told says why, and what was asked to stop says so and keeps no memory.
 */
#include "fuzz_samples.h"

#include "math/cox.h"
#include "math/lm.h"
#include "math/logit.h"
#include "math/marginal.h"
#include "math/matrix.h"

/* ---- fits of regressions ----------------------------------------------------------------------- */

/* What model_problem() of model.c would refuse. */
static void
check_covariance(const FitResult *fit)
{
	int			k = fit->nparams;
	double		correlation[MOST_X + 4][MOST_X + 4];
	double		flat[(MOST_X + 4) * (MOST_X + 4)];
	double		values[MOST_X + 4];
	double		vectors[(MOST_X + 4) * (MOST_X + 4)];

	for (int i = 0; i < k; i++)
	{
		CHECK(fit->covariance[i * k + i] >= 0);
		CHECK(isnan(fit->theta[i]) || fit->covariance[i * k + i] > 0);
		for (int j = 0; j < k; j++)
		{
			double		c = fit->covariance[i * k + j];

			CHECK(isfinite(c) && c == fit->covariance[j * k + i]);
			CHECK(!isnan(fit->theta[i]) || c == 0);
			if (c != 0)
				c = c / sqrt(fit->covariance[i * k + i]) / sqrt(fit->covariance[j * k + j]);
			CHECK(fabs(c) <= 1 + 1e-8);
			correlation[i][j] = c;
		}
	}
	for (int i = 0; i < k * k; i++)
		flat[i] = correlation[i / k][i % k];
	CHECK(symmetric_eigen(flat, k, values, vectors) && values[0] >= -1e-8);
}

static bool
is_at_least(double number, double least)
{
	return isnan(number) || (isfinite(number) && number >= least);
}

static bool
check_regression(const ModelKind *kind, int nx, const FitResult *fit, const RegressionRecord *record,
				 const Patience *patience)
{
	CHECK((fit->status == FIT_STOPPED) == patience->ended);
	if (fit->status == FIT_STOPPED)
		return false;
	CHECK(fit->status == FIT_CONVERGED || fit->reason != NULL);
	if (fit->status == FIT_IMPOSSIBLE)
		return false;
	CHECK(fit->status != FIT_CONVERGED || (fit->reason == NULL) == fit->has_covariance);
	CHECK(fit->nparams == kind->nparams + nx);
	CHECK(isfinite(fit->log_likelihood) && isfinite(fit->gradient_norm) && fit->gradient_norm >= 0);
	for (int i = 0; i < fit->nparams; i++)
		CHECK(isfinite(fit->theta[i]) || isnan(fit->theta[i]));
	/* a sandwich may be nearly singular, and rounding take it below zero: such a model is refused behind the fit */
	if (fit->has_covariance && record->errors == ERRORS_MODEL)
		check_covariance(fit);
	CHECK(is_at_least(record->df, 1) && is_at_least(record->sigma, 0) && is_at_least(record->statistic, 0));
	CHECK(is_at_least(record->clusters, 1) && is_at_least(-record->r_squared, -1));
	CHECK(record->errors != ERRORS_CR1 || !isnan(record->clusters));
	return true;
}

/* ---- means and effects of a fit ------------------------------------------------------------------ */

static void
check_marginal(Bytes *in, const ModelKind *kind, const FitResult *fit, const Sample *s)
{
	Patience	patience = next_patience(in);
	FitStop		stop = {is_over, &patience};
	double		x = rows_at(&s->data.rows, 0)[-s->nx];
	Shift		shift = {0, next_fraction(in) - 0.5, x - next_byte(in), x + next_byte(in)};
	bool		logit = kind == &logit_model;
	MeanChange	change;
	MarginalEffects effects;

	if (!mean_change(kind, fit->theta, s->nx, &s->data.rows, next_byte(in) % 4 > 0 ? &shift : NULL, &stop, &change))
		CHECK(patience.ended);
	else if (change.outside == NULL)
	{
		CHECK(!patience.ended && change.n == s->n);
		CHECK(!s->tame || (isfinite(change.before) && isfinite(change.after) && isfinite(change.change)));
		CHECK(change.clipped >= 0 && change.clipped <= 1);
		CHECK(!logit || (change.before >= 0 && change.before <= 1 + ROUNDING));
		CHECK(!logit || (change.after >= 0 && change.after <= 1 + ROUNDING));
		CHECK(!s->tame || fabs(change.after - change.before - change.change) <=
			  ROUNDING * (fabs(change.before) + fabs(change.after)));
		for (int i = 0; i <= s->nx && s->tame; i++)
			CHECK(isfinite(change.gradient_before[i]) && isfinite(change.gradient_change[i]));
	}
	if (patience.ended)
		return;
	if (!marginal_effects(kind, fit->theta, s->nx, &s->data.rows, next_byte(in) % 2, &stop, &effects))
		CHECK(patience.ended);
	else
		for (int i = 0; i < s->nx; i++)
		{
			CHECK(isnan(effects.effect[i]) == isnan(fit->theta[1 + i]));
			CHECK(!effects.discrete[i] || !logit || !(fabs(effects.effect[i]) > 1));
		}
}

/* ---- least squares ----------------------------------------------------------------------------- */

#define MOST_NUMBERS (1 + 2 * (MOST_X + 1) + (MOST_X + 1) * (MOST_X + 2) / 2)

static void
check_correlation(const Moments *m, int i, bool partial, double conf)
{
	MomentsCorrelation c = moments_correlation(m, i, partial, conf);

	CHECK(isnan(c.estimate) == (c.reason != NULL));
	if (c.reason != NULL)
		return;
	CHECK(fabs(c.estimate) <= 1);
	CHECK(isnan(c.p_value) ? c.df < 1 || fabs(c.estimate) == 1 : c.p_value >= 0 && c.p_value <= 1);
	CHECK(isnan(c.conf_low) == isnan(c.conf_high));
	if (!isnan(c.conf_low))
	{
		CHECK(c.conf_low >= -1 && c.conf_high <= 1);
		CHECK(c.conf_low <= c.estimate + ROUNDING && c.conf_high >= c.estimate - ROUNDING);
	}
}

static void
check_solution(const Moments *m, MomentsFit *ls)
{
	int			rank = 0;

	moments_solve(m, ls);
	CHECK(ls->rss >= 0 && isfinite(ls->rss) && ls->explained >= 0 && isfinite(ls->explained));
	CHECK(ls->intercept ? isfinite(ls->level) && isfinite(ls->intercept_value) : isnan(ls->level));
	for (int i = 0; i < m->nx; i++)
	{
		CHECK(ls->aliased[i] ? isnan(ls->effect[i]) : isfinite(ls->effect[i]));
		rank += !ls->aliased[i];
		for (int j = 0; j < m->nx; j++)
		{
			CHECK(isfinite(ls->inverse[i * m->nx + j]) && ls->inverse[i * m->nx + j] == ls->inverse[j * m->nx + i]);
			CHECK(!ls->aliased[i] || ls->inverse[i * m->nx + j] == 0);
		}
		CHECK(ls->aliased[i] || ls->inverse[i * m->nx + i] > 0);
	}
	CHECK(rank == ls->rank);
}

/* Rows (weight, x, y) in parts, as rows and as triangles, merged, and within groups. */
static void
fuzz_moments(Bytes *in)
{
	int			nx = 1 + next_byte(in) % MOST_X;
	size_t		n = 1 + next_byte(in) % MAX_ROWS;
	size_t		cut = next_byte(in) % (n + 1);
	bool		tame = next_byte(in) % 4 > 0;
	bool		weighted = next_byte(in) % 2;
	double		conf = next_conf(in);
	double		rows[MAX_ROWS * (MOST_X + 2)];
	double		whole[MOST_NUMBERS] = {0};
	double		part[MOST_NUMBERS] = {0};
	double		merged[MOST_NUMBERS] = {0};
	double		within[MOST_NUMBERS] = {0};
	double		score[MOST_X + 1];
	double		largest[MOST_X + 1] = {0};	/* a weight may hide a number, not the rounding that it caused */
	Column		columns[MOST_X + 1];
	Moments		m = {.nx = nx, .n = n, .nrows = n, .rows = rows};
	Moments		first = {.nx = nx, .n = cut, .nrows = cut, .rows = rows};
	Moments		rest = {.nx = nx, .n = n - cut, .triangle = part};
	MomentsFit	ls;
	MomentsFit	again;
	FitResult	fit;
	RegressionRecord record;

	for (int j = 0; j <= nx; j++)
		columns[j] = next_column(in, tame);
	for (size_t i = 0; i < n; i++)
	{
		double	   *row = rows + i * (nx + 2);

		row[0] = !weighted ? 1 : tame ? 1 + next_byte(in) % 4 : pow(10, next_fraction(in) * 100 - 50);
		row[0] = fmin(fmax(row[0], MOMENTS_SMALLEST_WEIGHT), MOMENTS_LARGEST_WEIGHT);
		for (int j = 0; j <= nx; j++)
		{
			row[1 + j] = next_number(in, &columns[j], row + 1, j);
			if (!lm_in_range(row[1 + j]))
				row[1 + j] = 0;
			largest[j] = fmax(largest[j], fabs(row[1 + j]));
		}
		triangle_add(whole, nx, row);
		if (i >= cut)
			triangle_add(part, nx, row);
	}
	triangle_merge(merged, &first);
	triangle_merge(merged, &rest);
	CHECK(triangle_is_finite(whole, nx) && triangle_is_finite(merged, nx));
	CHECK(near(triangle_weights(whole), triangle_weights(merged), ROUNDING));
	for (int j = 0; j <= nx; j++)
	{
		double		reach = sqrt(triangle_square(whole, nx, j) / triangle_weights(whole));

		CHECK(triangle_square(whole, nx, j) >= 0);
		CHECK(fabs(triangle_mean(whole, j) - triangle_mean(merged, j)) <=
			  ROUNDING * (reach + largest[j]));
		CHECK(near(triangle_square(whole, nx, j), triangle_square(merged, nx, j), ROUNDING));
	}

	check_solution(&m, &ls);
	moments_score(&m, &ls, score);
	for (int j = 0; j <= nx; j++)
		CHECK(isfinite(score[j]));
	check_solution(&(Moments) {.nx = nx, .n = n, .triangle = merged}, &again);
	for (int j = 0; j < nx && tame; j++)
	{
		CHECK(ls.aliased[j] == again.aliased[j]);
		CHECK(ls.aliased[j] || fabs(ls.effect[j] - again.effect[j]) <=
			  COARSE * (fabs(ls.effect[j]) + sqrt(ls.inverse[j * nx + j] * (ls.rss + ls.explained))));
	}
	lm_fit_moments(&m, &fit, &record);
	check_regression(&lm_model, nx, &fit, &record, &(Patience) {0});
	check_correlation(&m, next_byte(in) % nx, next_byte(in) % 2, conf);

	triangle_merge_within(within, &first);
	triangle_merge_within(within, &rest);
	m = (Moments) {.nx = nx, .n = n, .within = true, .groups = (cut > 0) + (cut < n), .triangle = within};
	check_solution(&m, &ls);
	lm_fit_moments(&m, &fit, &record);
	check_regression(&lm_model, nx, &fit, &record, &(Patience) {0});
	check_correlation(&m, next_byte(in) % nx, next_byte(in) % 2, conf);
}

/* The clusters of a sample, as views of rows (weight, x, y). */
typedef struct ClusterRows
{
	const Rows *rows;
	double		buffer[MAX_ROWS * (MOST_X + 2)];
} ClusterRows;

static bool
next_cluster_rows(const void *arg, size_t *at, Moments *m)
{
	ClusterRows *c = (ClusterRows *) arg;
	int			nx = c->rows->ncovariates - 1;
	size_t		first = *at;

	if (first >= c->rows->n)
		return false;
	*m = (Moments) {.nx = nx, .rows = c->buffer + first * (nx + 2)};
	while (*at < c->rows->n && rows_at(c->rows, *at)[-1 - nx] == rows_at(c->rows, first)[-1 - nx])
	{
		const double *row = rows_at(c->rows, *at);
		double	   *to = c->buffer + *at * (nx + 2);

		to[0] = row_count(c->rows, row);
		memcpy(to + 1, row - nx, (nx + 1) * sizeof(double));
		m->nrows++;
		(*at)++;
	}
	m->n = m->nrows;
	return true;
}

static void
fuzz_lm(Bytes *in)
{
	bool		clustered = next_byte(in) % 2;
	ErrorKind	errors = clustered ? ERRORS_CR1 : next_byte(in) % ERRORS_CR1;
	Patience	patience = next_patience(in);
	FitStop		stop = {is_over, &patience};
	Sample		s;
	FitResult	fit;
	FitResult	other;
	RegressionRecord record;
	RegressionRecord other_record;

	next_sample(in, ROWS_RESPONSE, 1, 1 + next_byte(in) % MOST_X, clustered, false, &s);
	lm_fit_rows(&s.data.rows, clustered, errors, &stop, &fit, &record);
	if (!check_regression(&lm_model, s.nx, &fit, &record, &patience))
		return;
	CHECK(record.errors == errors);
	if (clustered && s.tame && s.n == s.data.rows.n)
	{
		ClusterRows c = {.rows = &s.data.rows};
		LmClusters	clusters = {s.nx, next_cluster_rows, &c};

		lm_fit_clusters(&clusters, NULL, &other, &other_record);
		CHECK(other.status == fit.status && other.has_covariance == fit.has_covariance);
		for (int i = 0; i < fit.nparams; i++)
			CHECK(isnan(fit.theta[i]) == isnan(other.theta[i]));
	}
	check_marginal(in, &lm_model, &fit, &s);
}

/* ---- logistic regression ----------------------------------------------------------------------- */

static void
check_logit_fit(Bytes *in, const Sample *s, LogitMethod method, ErrorKind errors, Patience patience, LogitFit *fit)
{
	FitStop		stop = {is_over, &patience};

	logit_fit(&s->data.rows, s->clustered, method, errors, &stop, fit);
	CHECK(fit->wrong == NULL);
	if (!check_regression(&logit_model, s->nx, &fit->result, &fit->record, &patience))
	{
		if (fit->result.status == FIT_IMPOSSIBLE && fit->separated)
		{
			bool		any = false;

			CHECK(method == LOGIT_ML);
			for (int i = 0; i < s->nx; i++)
				any |= fit->involved[i];
			CHECK(any);
		}
		return;
	}
	check_marginal(in, &logit_model, &fit->result, s);
}

static void
fuzz_logit(Bytes *in)
{
	static const ErrorKind kinds[] = {ERRORS_MODEL, ERRORS_HC0, ERRORS_HC1};
	bool		clustered = next_byte(in) % 2;
	ErrorKind	errors = clustered ? ERRORS_CR1 : kinds[next_byte(in) % 3];
	Patience	patience = next_patience(in);
	Sample		s;
	LogitFit	fit;
	LogitFit	firth;
	double		events = 0;
	double		fitted = 0;

	next_sample(in, ROWS_RESPONSE, 1, 1 + next_byte(in) % MOST_X, clustered, false, &s);
	for (size_t i = 0; i < s.data.rows.n; i++)
	{
		double	   *row = (double *) rows_at(&s.data.rows, i);

		row[0] = row[0] > 0;
		events += row[0] * row[1];
	}
	check_logit_fit(in, &s, LOGIT_ML, errors, patience, &fit);
	check_logit_fit(in, &s, LOGIT_FIRTH, ERRORS_MODEL, next_patience(in), &firth);
	if (!s.tame || fit.result.status != FIT_CONVERGED)
		return;
	for (size_t i = 0; i < s.data.rows.n; i++)
	{
		const double *row = rows_at(&s.data.rows, i);

		fitted += row[1] * logit_model.response(linear_predictor(&logit_model, fit.result.theta, row - s.nx, s.nx));
	}
	CHECK(near(fitted, events, COARSE));
}

/* ---- regressions of survival --------------------------------------------------------------------- */

static void
fuzz_cox(Bytes *in)
{
	bool		clustered = next_byte(in) % 2;
	ErrorKind	errors = clustered ? ERRORS_CR1 : next_byte(in) % 2 ? ERRORS_HC0 : ERRORS_MODEL;
	CoxTies		ties = next_byte(in) % 2 ? TIES_BRESLOW : TIES_EFRON;
	Patience	patience = next_patience(in);
	FitStop		stop = {is_over, &patience};
	Sample		s;
	FitResult	fit;
	RegressionRecord record;
	SearchReport report;

	next_sample(in, ROWS_SURVIVAL, 3, 1 + next_byte(in) % MOST_X, clustered, false, &s);
	cox_fit(&s.data.rows, clustered, ties, errors, &stop, &fit, &record, &report);
	if (!check_regression(&cox_model, s.nx, &fit, &record, &patience))
		return;
	CHECK(isfinite(report.null_log_likelihood) && !(report.score < 0));
	CHECK(fit.log_likelihood >= report.null_log_likelihood - ROUNDING * fabs(report.null_log_likelihood));
}

static void
fuzz_hazard(Bytes *in)
{
	bool		clustered = next_byte(in) % 2;
	ErrorKind	errors = clustered ? ERRORS_CR1 : next_byte(in) % 2 ? ERRORS_HC0 : ERRORS_MODEL;
	double		from = next_byte(in) % 16;
	double		to = from + next_byte(in) % 16;
	double		rate = next_byte(in) % 3 * 0.1;
	Patience	patience = next_patience(in);
	FitStop		stop = {is_over, &patience};
	Sample		s;
	FitResult	fit;
	RegressionRecord record;
	SearchReport report;
	const double *x;
	double		stay;
	double		life;

	next_sample(in, ROWS_SURVIVAL, 3, 1 + next_byte(in) % MOST_X, clustered, true, &s);
	hazard_fit(&s.data.rows, clustered, errors, &stop, &fit, &record, &report);
	if (!check_regression(&hazard_model, s.nx, &fit, &record, &patience))
		return;
	CHECK(fit.log_likelihood >= report.null_log_likelihood - ROUNDING * fabs(report.null_log_likelihood));
	x = rows_at(&s.data.rows, 0) - s.nx;
	CHECK_PROBABILITY(hazard_model.response(hazard_predictor(fit.theta, x, s.nx, 1 + from)));
	stay = hazard_log_survival(fit.theta, x, s.nx, from, to, NULL);
	CHECK(stay <= 0 && (to > from || stay == 0));
	CHECK(hazard_log_survival(fit.theta, x, s.nx, from, to + 1, NULL) <= stay);
	life = hazard_expected_lifetime(fit.theta, x, s.nx, rate, 1 + to, NULL);
	CHECK(life >= 1 && life <= (1 + to) * (1 + ROUNDING));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const targets[]) (Bytes *) = {fuzz_moments, fuzz_lm, fuzz_logit, fuzz_cox, fuzz_hazard};
	Bytes		in = {data, data + size};

	targets[next_byte(&in) % (sizeof(targets) / sizeof(targets[0]))](&in);
	return 0;
}
