/*
 * concave.c - the maximum of a concave log-likelihood of few parameters.
 */
#include "math/concave.h"

#include <math.h>
#include <string.h>

#include "math/matrix.h"

#define MOST_ITERATIONS 100
#define MOST_HALVINGS 40

/* Squared distances to the maximum in standard errors: close enough; and close enough where rounding allows no more. */
#define CONVERGED 1e-24
#define STALLED 1e-12

/*
 * On the way to infinity all is flat but for what is far closer together than the rest: a difference of that share of
 * the range of x still counts.
 */
#define NEARLY_FLAT 1e-9

#define LEAST_PIVOT 1e-10		/* of a column at the start, relative to its information */
#define SINGULAR_PIVOT 1e-14	/* later, when the columns are known to differ */
#define LEAST_INFORMATION 1e-11 /* relative to the unit */
#define LOST_INFORMATION 1e-12	/* relative to the start: what is left is mostly rounding */

/* ---- linear algebra of the parameters that are kept -------------------------------------------- */

/* The lower triangle of Cholesky's factor of a matrix that was scaled to a diagonal of ones. */
typedef struct Factor
{
	int			n;
	int			column[FIT_MAX_PARAMS];	/* the parameters it is of */
	double		scale[FIT_MAX_PARAMS];
	double		l[FIT_MAX_PARAMS * FIT_MAX_PARAMS];
} Factor;

/*
 * Append a parameter to a factor of those before it: false, and nothing is changed, where too little of its information
 * is its own.
 */
static bool
append_column(Factor *f, const double *information, int n, int column, double least_pivot)
{
	double	   *row = f->l + f->n * FIT_MAX_PARAMS;
	double		diagonal = information[column * n + column];
	double		scale = 1 / sqrt(diagonal);
	double		pivot = 1;

	if (!(diagonal > 0 && isfinite(scale)))
		return false;
	for (int j = 0; j < f->n; j++)
	{
		const double *other = f->l + j * FIT_MAX_PARAMS;
		double		sum = information[column * n + f->column[j]] * scale * f->scale[j];

		for (int k = 0; k < j; k++)
			sum -= row[k] * other[k];
		row[j] = sum / other[j];
		pivot -= row[j] * row[j];
	}
	if (!(pivot > least_pivot))
		return false;
	row[f->n] = sqrt(pivot);
	f->scale[f->n] = scale;
	f->column[f->n++] = column;
	return true;
}

/* The factor of the information about the kept parameters, plus ridge times that at the start; false where singular. */
static bool
factorize(Factor *f, const double *information, const bool *kept, int n, const double *diagonal, double ridge)
{
	double		m[FIT_MAX_PARAMS * FIT_MAX_PARAMS];

	memcpy(m, information, n * n * sizeof(double));
	f->n = 0;
	for (int i = 0; i < n; i++)
	{
		m[i * n + i] += ridge * diagonal[i];
		if (kept[i] && !(m[i * n + i] > LOST_INFORMATION * diagonal[i] && append_column(f, m, n, i, SINGULAR_PIVOT)))
			return false;
	}
	return true;
}

/* x = (L L')^-1 y, of all parameters; 0 for those that are not kept. */
static void
solve(const Factor *f, int n, const double *y, double *x)
{
	double		z[FIT_MAX_PARAMS];

	for (int i = 0; i < n; i++)
		x[i] = 0;
	for (int i = 0; i < f->n; i++)
	{
		z[i] = y[f->column[i]] * f->scale[i];
		for (int k = 0; k < i; k++)
			z[i] -= f->l[i * FIT_MAX_PARAMS + k] * z[k];
		z[i] /= f->l[i * FIT_MAX_PARAMS + i];
	}
	for (int i = f->n; i-- > 0;)
	{
		for (int k = i + 1; k < f->n; k++)
			z[i] -= f->l[k * FIT_MAX_PARAMS + i] * z[k];
		z[i] /= f->l[i * FIT_MAX_PARAMS + i];
	}
	for (int i = 0; i < f->n; i++)
		x[f->column[i]] = z[i] * f->scale[i];
}

static void
invert(const Factor *f, int n, double *inverse)
{
	double		unit[FIT_MAX_PARAMS] = {0};
	double		column[FIT_MAX_PARAMS];

	memset(inverse, 0, n * n * sizeof(double));
	for (int j = 0; j < f->n; j++)
	{
		int			at = f->column[j];

		unit[at] = 1;
		solve(f, n, unit, column);
		unit[at] = 0;
		for (int i = 0; i <= at; i++)
			inverse[i * n + at] = inverse[at * n + i] = column[i];
	}
}

/* ---- search ------------------------------------------------------------------------------------ */

/* A point of the search and what the function is there. */
typedef struct Point
{
	double		b[FIT_MAX_PARAMS];
	double		value;
	double		gradient[FIT_MAX_PARAMS];
	double		information[FIT_MAX_PARAMS * FIT_MAX_PARAMS];
} Point;

static void
evaluate_at(const Concave *f, Point *p)
{
	p->value = f->evaluate(f->arg, p->b, p->gradient, p->information);
}

static void
move(const Concave *f, const Point *from, const double *step, double length, Point *to)
{
	for (int i = 0; i < f->n; i++)
		to->b[i] = from->b[i] + length * step[i];
	evaluate_at(f, to);
}

static void
choose_columns(const Concave *f, const double *information, bool *kept)
{
	Factor		factor = {.n = 0};

	for (int i = 0; i < f->n; i++)
		kept[i] = information[i * f->n + i] > LEAST_INFORMATION * f->unit &&
			append_column(&factor, information, f->n, i, LEAST_PIVOT);
}

int
kept_from(const Maximum *m, int n, int first)
{
	int			count = 0;

	for (int i = first; i < n; i++)
		count += m->kept[i];
	return count;
}

static void
fail(Maximum *m, FitStatus status, const char *reason, const char *hint)
{
	m->status = status;
	m->reason = reason;
	m->hint = hint;
}

/* Standard errors after which a function with a finite maximum has fallen by about half their square. */
#define FAR 14.0
#define FALLEN 1.0

/*
 * Whether the function has no finite maximum in the direction of a step of that squared length in standard errors; the
 * parameters that go there are then marked.
 */
static bool
rises_forever(const Concave *f, const Point *from, const double *step, double decrement, Maximum *m)
{
	Point		far;
	double		longest = 0;

	move(f, from, step, FAR / sqrt(decrement), &far);
	if (!(far.value >= from->value - FALLEN))
		return false;
	for (int i = 0; i < f->n; i++)
		longest = fmax(longest, fabs(step[i]));
	for (int i = 0; i < f->n; i++)
		m->infinite[i] = fabs(step[i]) > 1e-3 * longest;
	fail(m, FIT_IMPOSSIBLE, "an effect has no finite estimate",
		 "Leave the column out, merge it with another, or wait for more events.");
	return true;
}

/* Take the step, or the part of it that gains; false where none does. NAN in to->value: stopped. */
static bool
search_line(const Concave *f, const Point *from, const double *step, Point *to, bool *whole)
{
	double		noise = 1e-11 * (1 + fabs(from->value));
	double		length = 1;

	for (int i = 0; i < MOST_HALVINGS; i++, length /= 2)
	{
		move(f, from, step, length, to);
		*whole = i == 0;
		if (isnan(to->value))
			return false;
		if (to->value >= from->value - noise)
			return true;
	}
	return false;
}

/* Newton's step, towards the gradient where the information is singular; the answer is the squared length of it. */
static double
newton_step(const Concave *f, const Point *p, const bool *kept, const double *diagonal, Factor *factor, double *step,
			bool *regular)
{
	double		ridge = 0;

	while (!factorize(factor, p->information, kept, f->n, diagonal, ridge) && ridge < 1e10)
		ridge = ridge == 0 ? 1e-10 : 10 * ridge;
	*regular = ridge == 0;
	solve(factor, f->n, p->gradient, step);
	return dot(step, p->gradient, f->n);
}

/* From the start, of which everything is known, to the maximum. */
static void
climb(const Concave *f, Point *now, Point *next, Maximum *m)
{
	double		diagonal[FIT_MAX_PARAMS];
	double		step[FIT_MAX_PARAMS];
	double		before = INFINITY;	/* the decrement of the step before, if that was a whole one */
	Factor		factor;
	bool		regular;
	bool		whole;

	for (int i = 0; i < f->n; i++)
		diagonal[i] = now->information[i * f->n + i];
	for (m->iterations = 0; m->iterations < MOST_ITERATIONS; m->iterations++)
	{
		double		decrement = newton_step(f, now, m->kept, diagonal, &factor, step, &regular);

		m->gradient_norm = sqrt(decrement);
		if (m->iterations == 0)
			m->score = decrement;
		/* near a maximum the decrement is squared with each step, on the way to infinity it is divided by e */
		if ((!regular || (decrement < NEARLY_FLAT && decrement > 0.01 * before)) && decrement > CONVERGED &&
			rises_forever(f, now, step, decrement, m))
			return;
		if (regular && (decrement <= CONVERGED || (decrement <= STALLED && decrement > 0.25 * before)))
		{
			invert(&factor, f->n, m->inverse);
			m->status = FIT_CONVERGED;
			return;
		}
		if ((!regular && decrement <= CONVERGED) || !search_line(f, now, step, next, &whole))
			break;
		before = whole ? decrement : INFINITY;
		*now = *next;
	}
	if (isnan(next->value))
		m->status = FIT_STOPPED;
	else
	{
		/* without errors there is no model */
		fail(m, regular ? FIT_NOT_CONVERGED : FIT_IMPOSSIBLE, "no maximum of the likelihood was found",
			 "Leave out columns that hardly differ from others, and extreme values.");
		if (regular)
			invert(&factor, f->n, m->inverse);
	}
}

void
find_maximum(const Concave *f, const double *start, Maximum *m)
{
	Point		now;
	Point		next = {.value = 0};

	memset(m, 0, sizeof(*m));
	memcpy(now.b, start, f->n * sizeof(double));
	evaluate_at(f, &now);
	m->start_value = now.value;
	if (isnan(now.value))
		fail(m, FIT_STOPPED, NULL, NULL);
	else if (!isfinite(now.value))
		fail(m, FIT_IMPOSSIBLE, "the likelihood leaves the range of numbers", "Check the data for extreme values.");
	else
	{
		choose_columns(f, now.information, m->kept);
		climb(f, &now, &next, m);
	}
	memcpy(m->b, now.b, f->n * sizeof(double));
	m->value = now.value;
}

/* ---- columns ----------------------------------------------------------------------------------- */

void
begin_scales(ColumnScales *s, int n)
{
	*s = (ColumnScales) {.n = n};
	for (int i = 0; i < n; i++)
	{
		s->low[i] = INFINITY;
		s->high[i] = -INFINITY;
	}
}

void
show_row(ColumnScales *s, const double *x)
{
	for (int i = 0; i < s->n; i++)
	{
		s->low[i] = fmin(s->low[i], x[i]);
		s->high[i] = fmax(s->high[i], x[i]);
	}
}

/* Where x[i] lies between the ends of its column: 0 to 1. */
static double
place_in_range(const ColumnScales *s, const double *x, int i)
{
	double		range = s->high[i] - s->low[i];

	return range > 0 ? (x[i] - s->low[i]) / range : 0;
}

void
weigh_row(ColumnScales *s, const double *x, double weight)
{
	s->weight += weight;
	for (int i = 0; i < s->n; i++)
	{
		double		place = place_in_range(s, x, i);

		s->center[i] += weight * place;
		s->unit[i] += weight * place * place;
	}
}

bool
end_scales(ColumnScales *s)
{
	for (int i = 0; i < s->n; i++)
	{
		double		range = s->high[i] - s->low[i];
		double		mean = s->center[i] / s->weight;
		double		variance = s->unit[i] / s->weight - mean * mean;

		if (range == 0)
		{
			s->unit[i] = 0;
			continue;
		}
		s->center[i] = s->low[i] + mean * range;
		/* rounding must not make a column constant that is not */
		s->unit[i] = range * sqrt(fmax(variance, 1e-15));
		if (!(isfinite(s->center[i]) && isfinite(s->unit[i]) && isfinite(1 / s->unit[i])))
			return false;
	}
	return true;
}

/* ---- scores ------------------------------------------------------------------------------------ */

void
begin_scores(ScoreSums *s, int n, double *meat)
{
	*s = (ScoreSums) {.n = n, .meat = meat};
	memset(meat, 0, n * n * sizeof(double));
}

void
add_score(ScoreSums *s, const double *score, double count)
{
	s->open = true;
	for (int i = 0; i < s->n; i++)
		s->score[i] += count * score[i];
}

void
add_lone_scores(ScoreSums *s, const double *score, double count)
{
	for (int i = 0; i < s->n; i++)
		for (int j = 0; j < s->n; j++)
			s->meat[i * s->n + j] += count * score[i] * score[j];
}

void
next_cluster(ScoreSums *s)
{
	if (s->open)
	{
		add_lone_scores(s, s->score, 1);
		s->clusters++;
	}
	s->open = false;
	memset(s->score, 0, sizeof(s->score));
}

/* ---- results ----------------------------------------------------------------------------------- */

void
report_impossible(FitResult *fit, const char *reason, const char *hint)
{
	fit->status = FIT_IMPOSSIBLE;
	fit->reason = reason;
	fit->hint = hint;
}

RegressionRecord
empty_record(ErrorKind errors)
{
	return (RegressionRecord) {
		.errors = errors, .df = NAN, .sigma = NAN, .r_squared = NAN, .statistic = NAN, .clusters = NAN};
}

/* A robust variance is nothing but rounding where it is less than that part of the model's own. */
#define VARIANCE_NOISE 1e-13

/*
 * Wald's test of the last nx parameters, those that are kept: F where there are degrees of freedom, else chi-square;
 * NAN where their covariance is singular, as it is beyond these degrees.
 */
static double
wald_of_effects(const Maximum *m, int n, int nx, const double *covariance, double df)
{
	double		part[FIT_MAX_PARAMS * FIT_MAX_PARAMS];
	double		inverse[FIT_MAX_PARAMS * FIT_MAX_PARAMS];
	int			q = kept_from(m, n, n - nx);
	int			row = 0;
	double		sum = 0;
	double		b[FIT_MAX_PARAMS];

	for (int i = n - nx; i < n; i++)
	{
		int			column = 0;

		if (!m->kept[i])
			continue;
		b[row] = m->b[i];
		for (int j = n - nx; j < n; j++)
			if (m->kept[j])
				part[row * q + column++] = covariance[i * n + j];
		row++;
	}
	if (q == 0 || q > df || !invert_positive(part, q, inverse))
		return NAN;
	for (int i = 0; i < q; i++)
		sum += b[i] * dot(inverse + i * q, b, q);
	return isnan(df) ? sum : sum / q;
}

void
report_maximum(const Maximum *m, int n, int nx, const double *transform, const double *meat, FitResult *fit,
			   RegressionRecord *record)
{
	double		covariance[FIT_MAX_PARAMS * FIT_MAX_PARAMS];
	double		factor = 1;

	*fit = (FitResult) {
		.status = m->status, .reason = m->reason, .hint = m->hint, .nparams = n, .has_covariance = true,
		.own_weight = 1, .log_likelihood = m->value, .gradient_norm = m->gradient_norm, .iterations = m->iterations};
	memcpy(covariance, m->inverse, n * n * sizeof(double));
	if (meat != NULL)
	{
		if (record->errors == ERRORS_CR1)
			factor = record->clusters / (record->clusters - 1);
		sandwich(m->inverse, n, meat, n, covariance);
		for (int i = 0; i < n * n; i++)
			covariance[i] *= factor;
	}
	if (record->errors == ERRORS_CR1)
		record->df = record->clusters - 1;
	if (meat != NULL)
		record->statistic = wald_of_effects(m, n, nx, covariance, record->df);
	sandwich(transform, n, covariance, n, fit->covariance);
	for (int i = 0; i < n; i++)
	{
		fit->theta[i] = m->kept[i] ? dot(transform + i * n, m->b, n) : NAN;
		if (!m->kept[i])
			continue;
		if (meat != NULL && covariance[i * n + i] <= VARIANCE_NOISE * m->inverse[i * n + i])
			report_impossible(fit, "the scores of an effect vanish in each cluster",
							  "Its robust error would be 0: see errors => 'model'.");
		else if (!(isfinite(fit->theta[i]) && isfinite(fit->covariance[i * n + i]) && fit->covariance[i * n + i] > 0))
			report_impossible(fit, "an effect or its error leaves the range of numbers",
							  "Give the columns other units, and check them for extreme values.");
	}
}
