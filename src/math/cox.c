/*
 * cox.c - Cox regression: effects on the hazard without a form of the hazard.
 */
#include "math/cox.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/cox_risk.h"

#define POLL_ROWS 4096

static double
response(double eta)
{
	return exp(eta);
}

const ModelKind cox_model = {
	.code = 13,
	.kind = "cox",
	.title = "Cox",
	.reads = ROWS_SURVIVAL,
	.response = response,
};

/* ---- partial likelihood ------------------------------------------------------------------------ */

typedef struct Derivatives
{
	int			p;
	double		log_risks;
	double	   *gradient;
	double	   *information;	/* the lower triangle */
} Derivatives;

static void
add_derivatives(void *arg, size_t at, const RiskSet *set)
{
	Derivatives *sums = arg;
	int			p = sums->p;
	const double *r1 = set->r + 1;
	const double *d1 = set->d + 1;
	const double *r2 = r1 + p;
	const double *d2 = d1 + p;

	(void) at;
	sums->log_risks += set->log_risk;
	for (int i = 0; i < p; i++)
	{
		sums->gradient[i] -= set->inverse * r1[i] + set->inverse_g * d1[i];
		for (int j = 0; j <= i; j++)
			sums->information[i * p + j] += set->inverse * *r2++ + set->inverse_g * *d2++ -
				(set->square * r1[i] * r1[j] + set->square_g * (r1[i] * d1[j] + d1[i] * r1[j]) +
				 set->square_gg * d1[i] * d1[j]);
	}
}

/* A Concave function. */
static double
partial_likelihood(void *arg, const double *b, double *gradient, double *information)
{
	RiskRows   *c = arg;
	Derivatives sums = {c->p, 0, gradient, information};
	double		value = 0;

	memset(information, 0, c->p * c->p * sizeof(double));
	memcpy(gradient, c->event_x, c->p * sizeof(double));
	if (!weigh_risk_rows(c, b))
		return c->stop != NULL && c->stop->requested(c->stop->arg) ? NAN : -INFINITY;
	if (!visit_risk_sets(c, add_derivatives, &sums))
		return NAN;
	for (int i = 0; i < c->p; i++)
	{
		value += b[i] * c->event_x[i];
		for (int j = 0; j < i; j++)
			information[j * c->p + i] = information[i * c->p + j];
	}
	value -= sums.log_risks;
	return isnan(value) ? -INFINITY : value;
}

/* ---- robust errors ----------------------------------------------------------------------------- */

/*
 * What the score residual of a row needs to know about the times of events, all as multiples of 2^-frame. The residual
 * is the derivative of the score by the weight of a customer, of which there are two parts: that of its own event, and
 * the risk of all events at which it was at risk (Lin and Wei 1989; for Efron's ties Therneau and Grambsch 2000).
 */
typedef struct Residuals
{
	const RiskRows *c;
	double		frame;
	bool		finite;
	/* for each time, from the latest to the earliest, and an end of zeros: */
	double	   *hazard;			/* 1 + p sums over this and all earlier times of 1 / risk, and of mean / risk */
	double	   *lost;			/* what rounding took from these */
	double	   *own;			/* p means at the events, and 1 + p sums of f / risk, f mean / risk */
} Residuals;

static void
keep_hazard(void *arg, size_t at, const RiskSet *set)
{
	Residuals  *r = arg;
	int			p = r->c->p;
	double	   *hazard = r->hazard + at * (1 + p);
	double	   *own = r->own + at * (2 * p + 1);
	double		scale = exp2(r->frame - set->frame);
	const double *r1 = set->r + 1;
	const double *d1 = set->d + 1;

	r->finite = r->finite && isfinite(scale * set->inverse);
	hazard[0] = scale * set->inverse;
	own[p] = scale * set->inverse_f;
	for (int i = 0; i < p; i++)
	{
		hazard[1 + i] = scale * (set->square * r1[i] + set->square_g * d1[i]);
		own[i] = (set->inverse * r1[i] + set->inverse_g * d1[i]) / set->time->events;
		own[p + 1 + i] = scale * (set->square_f * r1[i] + set->square_fg * d1[i]);
	}
}

/* From single times to sums over this and all earlier ones, exact to the square of the precision. */
static void
sum_hazards(Residuals *r)
{
	int			k = 1 + r->c->p;

	for (size_t i = r->c->ntimes * k; i-- > 0;)
	{
		double		term = r->hazard[i];
		double		before = r->hazard[i + k];
		double		sum = before + term;
		double		part = sum - before;

		r->lost[i] = r->lost[i + k] + ((before - (sum - part)) + (term - part));
		r->hazard[i] = sum;
	}
}

static bool
find_hazards(RiskRows *c, Residuals *r)
{
	size_t		k = 1 + c->p;

	*r = (Residuals) {.c = c, .frame = -INFINITY, .finite = true};
	for (size_t i = 0; i < c->n; i++)
		r->frame = fmax(r->frame, risk_row(c, i)[RISK_EXPONENT]);
	r->hazard = calloc((c->ntimes + 1) * k, sizeof(double));
	r->lost = calloc((c->ntimes + 1) * k, sizeof(double));
	r->own = calloc(c->ntimes * (2 * c->p + 1), sizeof(double));
	if (!r->hazard || !r->lost || !r->own || !visit_risk_sets(c, keep_hazard, r))
		return false;
	sum_hazards(r);
	return true;
}

static void
free_hazards(Residuals *r)
{
	free(r->hazard);
	free(r->lost);
	free(r->own);
}

/* The score residual of one customer of a row, in scaled columns. */
static void
score_residual(const Residuals *r, const double *x, const double *row, const double *b, double *score)
{
	const RiskRows *c = r->c;
	int			p = c->p;
	size_t		from = times_after(c, row[SURVIVAL_TENURE]) * (1 + p);
	size_t		to = times_after(c, row[SURVIVAL_ENTRY]) * (1 + p);
	const double *own = row[SURVIVAL_EVENT] != 0 ? r->own + times_after(c, row[SURVIVAL_TENURE]) * (2 * p + 1) : NULL;
	double		z[ROWS_MAX_REGRESSORS];
	double		eta = 0;
	double		weight;
	double		hazard = (r->hazard[from] - r->hazard[to]) + (r->lost[from] - r->lost[to]);

	for (int i = 0; i < p; i++)
	{
		z[i] = scaled_column(&c->scales, x, i);
		eta += b[i] * z[i];
	}
	weight = exp(eta - r->frame * M_LN2);
	for (int i = 0; i < p; i++)
	{
		size_t		at = 1 + i;
		double		mean_hazard = (r->hazard[from + at] - r->hazard[to + at]) + (r->lost[from + at] - r->lost[to + at]);

		score[i] = -weight * (z[i] * hazard - mean_hazard);
		if (own != NULL)
			score[i] += z[i] - own[i] + weight * (z[i] * own[p] - own[p + 1 + i]);
	}
}

/* The sum over clusters, or with each row by itself, of the products of scores; false where stopped. */
static bool
sum_scores(const Rows *rows, const Residuals *r, bool by_cluster, const double *b, double *meat, double *clusters)
{
	int			p = r->c->p;
	ScoreSums	sums;
	double		score[ROWS_MAX_REGRESSORS];

	begin_scores(&sums, p, meat);
	for (size_t i = 0; i < rows->n; i++)
	{
		const double *row = rows_at(rows, i);

		if (r->c->stop != NULL && i % POLL_ROWS == 0 && r->c->stop->requested(r->c->stop->arg))
			return false;
		if (by_cluster && i > 0 && row[-p - 1] != rows_at(rows, i - 1)[-p - 1])
			next_cluster(&sums);
		score_residual(r, row - p, row, b, score);
		if (by_cluster)
			add_score(&sums, score, row_count(rows, row));
		else
			add_lone_scores(&sums, score, row_count(rows, row));
	}
	next_cluster(&sums);
	*clusters = sums.clusters;
	return true;
}

/* ---- fit --------------------------------------------------------------------------------------- */

/* What fills the sandwich at the maximum; false, and the fit says why, where there is none. */
static bool
robust_meat(const Rows *rows, RiskRows *c, const Maximum *m, double *meat, FitResult *fit, RegressionRecord *record)
{
	FitStatus	before = fit->status;
	Residuals	r = {.finite = true};
	bool		by_cluster = record->errors == ERRORS_CR1;
	double		clusters = 0;
	bool		done;

	/* the last step of the search was weighed elsewhere */
	done = weigh_risk_rows(c, m->b) && find_hazards(c, &r);
	if (done)
		done = !r.finite || sum_scores(rows, &r, by_cluster, m->b, meat, &clusters);
	if (!done)
		fit->status = FIT_STOPPED;
	else if (!r.finite)
		report_impossible(fit, "robust errors leave the range of numbers", "Leave out extreme values of x.");
	else if (by_cluster)
		record->clusters = clusters;
	if (done && by_cluster && clusters < 2)
		report_impossible(fit, "there is only one cluster", "Errors by cluster need many; see errors => 'model'.");
	free_hazards(&r);
	return fit->status == before;
}

static void
fit_rows(const Rows *rows, RiskRows *c, FitResult *fit, RegressionRecord *record, SearchReport *report)
{
	Concave		f = {c->p, partial_likelihood, c, c->events};
	double		start[ROWS_MAX_REGRESSORS] = {0};
	double		transform[ROWS_MAX_REGRESSORS * ROWS_MAX_REGRESSORS] = {0};
	double		meat[ROWS_MAX_REGRESSORS * ROWS_MAX_REGRESSORS];
	bool		robust = record->errors != ERRORS_MODEL;
	Maximum		m;

	find_maximum(&f, start, &m);
	*fit = (FitResult) {.status = m.status, .reason = m.reason, .hint = m.hint};
	memcpy(report->infinite, m.infinite, sizeof(m.infinite));
	report->null_log_likelihood = m.start_value;
	report->score = m.score;
	if (m.status == FIT_CONVERGED && kept_from(&m, c->p, 0) == 0)
		report_impossible(fit, "x does not differ among those at risk", "Leave out columns that are constant.");
	if (fit->status == FIT_IMPOSSIBLE || fit->status == FIT_STOPPED ||
		(robust && !robust_meat(rows, c, &m, meat, fit, record)))
		return;
	for (int i = 0; i < c->p; i++)
		transform[i * c->p + i] = c->scales.unit[i] > 0 ? 1 / c->scales.unit[i] : 0;
	record->statistic = 2 * (m.value - m.start_value);
	report_maximum(&m, c->p, c->p, transform, robust ? meat : NULL, fit, record);
}

void
cox_fit(const Rows *rows, bool clustered, CoxTies ties, ErrorKind errors, const FitStop *stop, FitResult *fit,
		RegressionRecord *record, SearchReport *report)
{
	RiskRows	c = {.ties = ties, .stop = stop};
	const char *reason;

	*record = empty_record(errors);
	*report = (SearchReport) {.null_log_likelihood = NAN, .score = NAN};
	*fit = (FitResult) {.status = FIT_STOPPED};
	if (read_risk_rows(rows, clustered, &c, &reason))
		fit_rows(rows, &c, fit, record, report);
	else if (reason != NULL)
		report_impossible(fit, reason, "Check event, tenure and x of the rows.");
	free_risk_rows(&c);
}
