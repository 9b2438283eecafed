/*
 * hazard.c - discrete-time hazard: the probability of an event in a period.
 */
#include "math/hazard.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Periods between two questions whether to end: some milliseconds. */
#define POLL_PERIODS 65536

static const char *const params[] = {"intercept", "log_period", "log_period_squared"};

static double
response(double eta)
{
	return 1 / (1 + exp(-eta));
}

const ModelKind hazard_model = {
	.code = 12,
	.kind = "hazard",
	.title = "discrete-time hazard",
	.reads = ROWS_SURVIVAL,
	.nparams = HAZARD_PARAMS,
	.params = params,
	.response = response,
};

bool
is_hazard_row(const double *row)
{
	return row[SURVIVAL_ENTRY] == floor(row[SURVIVAL_ENTRY]) && row[SURVIVAL_TENURE] == floor(row[SURVIVAL_TENURE]) &&
		row[SURVIVAL_TENURE] <= HAZARD_MOST_PERIODS;
}

/* ---- one period -------------------------------------------------------------------------------- */

/* The hazard at a linear predictor, its complement, and both logarithms, without cancellation. */
typedef struct Odds
{
	double		leave;
	double		stay;
	double		log_leave;
	double		log_stay;
} Odds;

static inline Odds
odds_at(double eta)
{
	double		e = exp(-fabs(eta));
	double		rare = e / (1 + e);
	double		other = 1 / (1 + e);
	double		log_other = -log1p(e);

	if (eta > 0)
		return (Odds) {other, rare, log_other, log_other - eta};
	return (Odds) {rare, other, log_other + eta, log_other};
}

/* ---- rows as periods --------------------------------------------------------------------------- */

/* The rows as a fit reads them. */
typedef struct Periods
{
	const Rows *rows;
	int			p;				/* regressors */
	bool		clustered;
	const FitStop *stop;
	size_t		polled;			/* periods since the last question whether to end */
	ColumnScales scales;
	double		center;			/* of ln(j), over all periods of all customers */
	double		unit;			/* 0 where all are of one period */
	double		total;			/* periods of all customers */
	double		events;
	double		scaled[HAZARD_MOST_PERIODS + 1];	/* (ln(j) - center) / unit */
	/* of the rows at hand, or of all: customers who are there when period j begins, and events in it */
	double		at_risk[HAZARD_MOST_PERIODS + 2];
	double		happened[HAZARD_MOST_PERIODS + 2];
} Periods;

static bool
stopped(const Periods *h)
{
	return h->stop != NULL && h->stop->requested(h->stop->arg);
}

static bool
stop_at(Periods *h, size_t periods)
{
	h->polled += periods;
	if (h->polled < POLL_PERIODS)
		return false;
	h->polled = 0;
	return stopped(h);
}

static const double *
row_x(const Periods *h, const double *row)
{
	return row - h->p;
}

/* Rows [first, end) have the same cluster and x, and periods from + 1 to `to` between them. */
typedef struct Group
{
	size_t		first;
	size_t		end;
	int			from;
	int			to;
} Group;

/* The group that begins at a row, counted into at_risk and happened. */
static Group
read_group(Periods *h, size_t first)
{
	const Rows *rows = h->rows;
	int			columns = h->p + h->clustered;
	const double *key = rows_at(rows, first) - columns;
	Group		g = {first, first, HAZARD_MOST_PERIODS, 0};

	/* once over the rows for their periods, once to count them */
	for (; g.end < rows->n; g.end++)
	{
		const double *row = rows_at(rows, g.end);

		if (memcmp(row - columns, key, columns * sizeof(double)) != 0)
			break;
		g.from = (int) fmin(g.from, row[SURVIVAL_ENTRY]);
		g.to = (int) fmax(g.to, row[SURVIVAL_TENURE]);
	}
	for (int j = g.from + 1; j <= g.to + 1; j++)
		h->at_risk[j] = h->happened[j] = 0;
	for (size_t i = first; i < g.end; i++)
	{
		const double *row = rows_at(rows, i);
		double		count = row_count(rows, row);

		/* differences first, which are exact as they are whole */
		h->at_risk[(int) row[SURVIVAL_ENTRY] + 1] += count;
		h->at_risk[(int) row[SURVIVAL_TENURE] + 1] -= count;
		h->happened[(int) row[SURVIVAL_TENURE]] += count * row[SURVIVAL_EVENT];
	}
	for (int j = g.from + 2; j <= g.to; j++)
		h->at_risk[j] += h->at_risk[j - 1];
	return g;
}

/* The part of the linear predictor that depends on the period. */
static inline double
baseline(const double *b, double u)
{
	return b[HAZARD_INTERCEPT] + u * (b[HAZARD_LOG_PERIOD] + u * b[HAZARD_LOG_PERIOD_SQUARED]);
}

/* Sums over the periods of a group: of the residuals times u^k, and of the weights times u^k; u is scaled ln(j). */
typedef struct PeriodSums
{
	double		value;
	double		residual[HAZARD_PARAMS];
	double		weight[2 * HAZARD_PARAMS - 1];
} PeriodSums;

static PeriodSums
sum_periods(const Periods *h, int from, int to, const double *b, double xb)
{
	PeriodSums	s = {0};

	for (int j = from + 1; j <= to; j++)
	{
		double		u = h->scaled[j];
		double		events = h->happened[j];
		double		others = h->at_risk[j] - events;
		Odds		odds = odds_at(xb + baseline(b, u));
		double		residual = events * odds.stay - others * odds.leave;
		double		weight = h->at_risk[j] * odds.leave * odds.stay;

		s.value += events * odds.log_leave + others * odds.log_stay;
		for (int k = 0; k < HAZARD_PARAMS; k++, residual *= u)
			s.residual[k] += residual;
		for (int k = 0; k < 2 * HAZARD_PARAMS - 1; k++, weight *= u)
			s.weight[k] += weight;
	}
	return s;
}

/* Add the derivatives of a group; the lower triangle of the information. */
static void
add_group(const PeriodSums *s, const double *z, int p, double *gradient, double *information)
{
	int			n = HAZARD_PARAMS + p;

	for (int i = 0; i < HAZARD_PARAMS; i++)
	{
		gradient[i] += s->residual[i];
		for (int j = 0; j <= i; j++)
			information[i * n + j] += s->weight[i + j];
	}
	for (int i = 0; i < p; i++)
	{
		double	   *row = information + (HAZARD_PARAMS + i) * n;
		double		weighted = s->weight[0] * z[i];

		gradient[HAZARD_PARAMS + i] += s->residual[0] * z[i];
		for (int j = 0; j < HAZARD_PARAMS; j++)
			row[j] += s->weight[j] * z[i];
		for (int j = 0; j <= i; j++)
			row[HAZARD_PARAMS + j] += weighted * z[j];
	}
}

/* The scaled columns of a row, and their part of the linear predictor. */
static double
scale_row(const Periods *h, const double *row, const double *effects, double *z)
{
	double		sum = 0;

	for (int i = 0; i < h->p; i++)
	{
		z[i] = scaled_column(&h->scales, row_x(h, row), i);
		sum += effects[i] * z[i];
	}
	return sum;
}

/* A Concave function of the parameters of the periods and the effects. */
static double
log_likelihood(void *arg, const double *b, double *gradient, double *information)
{
	Periods    *h = arg;
	int			n = HAZARD_PARAMS + h->p;
	double		value = 0;
	double		z[ROWS_MAX_REGRESSORS];
	Group		g;

	memset(gradient, 0, n * sizeof(double));
	memset(information, 0, n * n * sizeof(double));
	for (size_t i = 0; i < h->rows->n; i = g.end)
	{
		double		xb = scale_row(h, rows_at(h->rows, i), b + HAZARD_PARAMS, z);
		PeriodSums	s;

		g = read_group(h, i);
		if (stop_at(h, g.to - g.from + h->p))
			return NAN;
		s = sum_periods(h, g.from, g.to, b, xb);
		value += s.value;
		add_group(&s, z, h->p, gradient, information);
	}
	for (int i = 0; i < n; i++)
		for (int j = 0; j < i; j++)
			information[j * n + i] = information[i * n + j];
	return isfinite(value) ? value : -INFINITY;
}

/* The same without x, of all rows at once, which at_risk and happened hold. */
static double
log_likelihood_of_periods(void *arg, const double *b, double *gradient, double *information)
{
	PeriodSums	s = sum_periods(arg, 0, HAZARD_MOST_PERIODS, b, 0);

	memset(gradient, 0, HAZARD_PARAMS * sizeof(double));
	memset(information, 0, HAZARD_PARAMS * HAZARD_PARAMS * sizeof(double));
	add_group(&s, NULL, 0, gradient, information);
	for (int i = 0; i < HAZARD_PARAMS; i++)
		for (int j = 0; j < i; j++)
			information[j * HAZARD_PARAMS + i] = information[i * HAZARD_PARAMS + j];
	return isfinite(s.value) ? s.value : -INFINITY;
}

/* ---- reading ----------------------------------------------------------------------------------- */

/* Count all rows by period. False where stopped. */
static bool
count_periods(Periods *h)
{
	for (size_t i = 0; i < h->rows->n; i++)
	{
		const double *row = rows_at(h->rows, i);
		double		count = row_count(h->rows, row);

		if (stop_at(h, 1 + h->p))
			return false;
		show_row(&h->scales, row_x(h, row));
		h->at_risk[(int) row[SURVIVAL_ENTRY] + 1] += count;
		h->at_risk[(int) row[SURVIVAL_TENURE] + 1] -= count;
		h->happened[(int) row[SURVIVAL_TENURE]] += count * row[SURVIVAL_EVENT];
		h->total += count * (row[SURVIVAL_TENURE] - row[SURVIVAL_ENTRY]);
		h->events += count * row[SURVIVAL_EVENT];
	}
	for (int j = 2; j <= HAZARD_MOST_PERIODS; j++)
		h->at_risk[j] += h->at_risk[j - 1];
	return true;
}

/* Center and scale ln(j), each period as often as a customer was there. */
static void
scale_periods(Periods *h)
{
	double		squares = 0;

	for (int j = 1; j <= HAZARD_MOST_PERIODS; j++)
		h->center += h->at_risk[j] / h->total * log(j);
	for (int j = 1; j <= HAZARD_MOST_PERIODS; j++)
		squares += h->at_risk[j] / h->total * (log(j) - h->center) * (log(j) - h->center);
	h->unit = sqrt(squares);
	for (int j = 1; j <= HAZARD_MOST_PERIODS; j++)
		h->scaled[j] = h->unit > 0 ? (log(j) - h->center) / h->unit : 0;
}

static bool
scale_regressors(Periods *h)
{
	for (size_t i = 0; i < h->rows->n; i++)
	{
		const double *row = rows_at(h->rows, i);

		if (stop_at(h, h->p))
			return false;
		weigh_row(&h->scales, row_x(h, row),
				  row_count(h->rows, row) * (row[SURVIVAL_TENURE] - row[SURVIVAL_ENTRY]));
	}
	return true;
}

/* False, and the fit says why, where there is nothing to fit. */
static bool
read_periods(Periods *h, FitResult *fit)
{
	begin_scales(&h->scales, h->p);
	if (!count_periods(h))
		return false;
	if (h->events == 0)
		report_impossible(fit, "there is no event", "Check event, or wait for more of them.");
	else if (h->events == h->total)
		report_impossible(fit, "everybody has the event in the first period observed",
						  "Use a shorter unit, and keep those without the event (event false).");
	else if (scale_regressors(h) && !end_scales(&h->scales))
		report_impossible(fit, "x leaves the range of numbers", "Check x of the rows for extreme values.");
	else
		fit->status = stopped(h) ? FIT_STOPPED : FIT_CONVERGED;
	if (fit->status == FIT_CONVERGED)
		scale_periods(h);
	return fit->status == FIT_CONVERGED;
}

/* ---- robust errors ----------------------------------------------------------------------------- */

/* The score of one customer of a row. */
static void
score_of_row(const Periods *h, const double *row, const double *b, double *score)
{
	double		z[ROWS_MAX_REGRESSORS];
	double		xb = scale_row(h, row, b + HAZARD_PARAMS, z);
	int			last = (int) row[SURVIVAL_TENURE];

	memset(score, 0, (HAZARD_PARAMS + h->p) * sizeof(double));
	for (int j = (int) row[SURVIVAL_ENTRY] + 1; j <= last; j++)
	{
		double		u = h->scaled[j];
		Odds		odds = odds_at(xb + baseline(b, u));
		double		residual = j == last && row[SURVIVAL_EVENT] != 0 ? odds.stay : -odds.leave;

		for (int k = 0; k < HAZARD_PARAMS; k++, residual *= u)
			score[k] += residual;
	}
	for (int i = 0; i < h->p; i++)
		score[HAZARD_PARAMS + i] = score[HAZARD_INTERCEPT] * z[i];
}

/* What fills the sandwich; false where stopped. */
static bool
sum_scores(Periods *h, bool by_cluster, const double *b, double *meat, double *clusters)
{
	ScoreSums	sums;
	double		score[FIT_MAX_PARAMS];

	begin_scores(&sums, HAZARD_PARAMS + h->p, meat);
	for (size_t i = 0; i < h->rows->n; i++)
	{
		const double *row = rows_at(h->rows, i);

		if (stop_at(h, (size_t) (row[SURVIVAL_TENURE] - row[SURVIVAL_ENTRY]) + h->p))
			return false;
		if (by_cluster && i > 0 && row[-h->p - 1] != rows_at(h->rows, i - 1)[-h->p - 1])
			next_cluster(&sums);
		score_of_row(h, row, b, score);
		if (by_cluster)
			add_score(&sums, score, row_count(h->rows, row));
		else
			add_lone_scores(&sums, score, row_count(h->rows, row));
	}
	next_cluster(&sums);
	*clusters = sums.clusters;
	return true;
}

/* ---- fit --------------------------------------------------------------------------------------- */

/* From effects of scaled columns to those of ln(j), its square and x. */
static void
unscale(const Periods *h, double *transform)
{
	int			n = HAZARD_PARAMS + h->p;
	double		shift = h->unit > 0 ? h->center / h->unit : 0;

	memset(transform, 0, n * n * sizeof(double));
	transform[0] = 1;
	transform[1] = -shift;
	transform[2] = shift * shift;
	if (h->unit > 0)
	{
		transform[n + 1] = 1 / h->unit;
		transform[n + 2] = -2 * shift / h->unit;
		transform[2 * n + 2] = 1 / h->unit / h->unit;
	}
	for (int i = HAZARD_PARAMS; i < n; i++)
	{
		double		unit = h->scales.unit[i - HAZARD_PARAMS];

		if (unit > 0)
		{
			transform[i] = -h->scales.center[i - HAZARD_PARAMS] / unit;
			transform[i * n + i] = 1 / unit;
		}
	}
}

/* The fit without x, then with it. False where there is no maximum, and the fit says why. */
static bool
find_maxima(Periods *h, Maximum *m, FitResult *fit, SearchReport *report)
{
	Concave		without = {HAZARD_PARAMS, log_likelihood_of_periods, h, h->total};
	Concave		with = {HAZARD_PARAMS + h->p, log_likelihood, h, h->total};
	double		start[FIT_MAX_PARAMS] = {log(h->events / (h->total - h->events))};

	without.unit = with.unit = h->total * (h->events / h->total) * (1 - h->events / h->total);
	find_maximum(&without, start, m);
	if (m->status == FIT_CONVERGED)
	{
		memcpy(start, m->b, HAZARD_PARAMS * sizeof(double));
		report->null_log_likelihood = m->value;
		find_maximum(&with, start, m);
		report->score = m->score;
	}
	else if (m->status == FIT_NOT_CONVERGED)
		m->status = FIT_IMPOSSIBLE;
	memcpy(report->infinite, m->infinite, sizeof(m->infinite));
	*fit = (FitResult) {.status = m->status, .reason = m->reason, .hint = m->hint};
	return m->status == FIT_CONVERGED || m->status == FIT_NOT_CONVERGED;
}

static void
fit_periods(Periods *h, FitResult *fit, RegressionRecord *record, SearchReport *report)
{
	int			n = HAZARD_PARAMS + h->p;
	double		transform[FIT_MAX_PARAMS * FIT_MAX_PARAMS];
	double		meat[FIT_MAX_PARAMS * FIT_MAX_PARAMS];
	bool		robust = record->errors != ERRORS_MODEL;
	double		clusters = 0;
	Maximum		m;

	if (!read_periods(h, fit) || !find_maxima(h, &m, fit, report))
		return;
	if (robust && !sum_scores(h, record->errors == ERRORS_CR1, m.b, meat, &clusters))
	{
		fit->status = FIT_STOPPED;
		return;
	}
	if (record->errors == ERRORS_CR1)
		record->clusters = clusters;
	if (record->errors == ERRORS_CR1 && clusters < 2)
	{
		report_impossible(fit, "there is only one cluster", "Errors by cluster need many; see errors => 'model'.");
		return;
	}
	unscale(h, transform);
	if (kept_from(&m, n, HAZARD_PARAMS) > 0)
		record->statistic = 2 * (m.value - report->null_log_likelihood);
	report_maximum(&m, n, h->p, transform, robust ? meat : NULL, fit, record);
}

void
hazard_fit(const Rows *rows, bool clustered, ErrorKind errors, const FitStop *stop, FitResult *fit,
		   RegressionRecord *record, SearchReport *report)
{
	Periods    *h = calloc(1, sizeof(Periods));

	*record = empty_record(errors);
	*report = (SearchReport) {.null_log_likelihood = NAN, .score = NAN};
	*fit = (FitResult) {.status = FIT_STOPPED};
	if (h == NULL)
	{
		report_impossible(fit, "there is not enough memory", NULL);
		return;
	}
	h->rows = rows;
	h->clustered = clustered;
	h->p = rows->ncovariates - clustered;
	h->stop = stop;
	fit_periods(h, fit, record, report);
	free(h);
}

/* ---- predictions ------------------------------------------------------------------------------- */

static double
known(double effect)
{
	return isnan(effect) ? 0 : effect;
}

double
hazard_predictor(const double *theta, const double *x, int nx, double period)
{
	double		log_period = log(period);

	return linear_predictor(&hazard_model, theta, x, nx) +
		log_period * (known(theta[HAZARD_LOG_PERIOD]) + log_period * known(theta[HAZARD_LOG_PERIOD_SQUARED]));
}

double
hazard_log_survival(const double *theta, const double *x, int nx, double from, double to, const FitStop *stop)
{
	double		sum = 0;

	for (double j = from + 1; j <= to; j++)
	{
		if (stop != NULL && fmod(j, POLL_PERIODS) == 0 && stop->requested(stop->arg))
			return NAN;
		sum += odds_at(hazard_predictor(theta, x, nx, j)).log_stay;
	}
	return sum;
}

double
hazard_expected_lifetime(const double *theta, const double *x, int nx, double rate, double periods,
						 const FitStop *stop)
{
	double		payment = 1;
	double		sum = 0;

	for (double j = 0; j < periods && payment > 0; j++)
	{
		if (stop != NULL && fmod(j, POLL_PERIODS) == 0 && stop->requested(stop->arg))
			return NAN;
		if (j > 0)
			payment *= odds_at(hazard_predictor(theta, x, nx, j)).stay / (1 + rate);
		sum += payment;
	}
	return sum;
}
