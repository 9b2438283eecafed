/*
 * projection.c - what a lift of one driver is worth, customer by customer.
 */
#include "math/projection.h"

#include <math.h>

#include "math/regression.h"
#include "math/special.h"
#include "math/value.h"

#define ROWS_AT_ONCE 4096		/* between two looks whether to stop */
#define MOST_PARAMS (1 + ROWS_MAX_REGRESSORS)
#define SHORT_STREAM 0.5		/* a share of a loss times the periods below which series are used */
#define MOST_DOUBLINGS 64
#define MOST_STEPS 200
#define LIFT_TOLERANCE 1e-13	/* of a lift */

const char *const lift_quantities[LIFT_QUANTITIES] = {
	"churn_before", "churn_after", "churn_change", "churn_change_relative", "value_before", "value_after",
	"value_change", "value_by_retention", "value_by_expansion", "return", "net", "roi",
	"probability_of_break_even", "required_lift", "clipped_share"
};

/* ---- value of one customer ----------------------------------------------------------------------- */

/*
 * With q = retention / (1 + rate) = 1 - s the sum is (A - n q^(n - 1)) / s, where A is that of the margins; where s is
 * small, both cancel, and the binomial series of A in s is differentiated instead.
 */
double
value_slope_in_retention(double retention, double rate, double periods)
{
	double		growth = 1 + rate;
	double		gap = value_gap(retention, rate);
	double		s = gap / growth;
	double		sum = 0;
	double		term;

	if (isinf(periods))
		return gap > 0 ? growth / gap / gap : INFINITY;
	if (periods < 2)
		return 0;
	if (retention == 0)
		return 1 / growth;
	if (fabs(periods * s) >= SHORT_STREAM)
		return (value_of_margins(1, retention, rate, periods, 0) -
				periods * pow(retention / growth, periods - 1)) / gap;
	/* k C(n, k + 1) (-s)^(k - 1), k = 1, 2, ... */
	term = periods * (periods - 1) / 2;
	for (double k = 1; k < periods && fabs(k * term) > 1e-17 * fabs(sum); k++)
	{
		sum += k * term;
		term *= -s * (periods - k - 1) / (k + 2);
	}
	return sum / growth;
}

/* A customer's probability of churn and margin a period, and what follows. */
typedef struct Outlook
{
	double		churn;
	double		churn_slope;	/* in the linear predictor */
	double		margin;
	double		margins;		/* value of a margin of 1 a period */
	double		margins_slope;	/* in the linear predictor of churn */
	bool		beyond;			/* the linear model put the probability beyond 0 or 1 */
} Outlook;

static Outlook
outlook_at(const LiftQuestion *q, double churn_eta, double margin)
{
	Outlook		o = {.churn = q->churn.model->response(churn_eta), .margin = margin};

	if (q->churn.model == &logit_model)
		o.churn_slope = o.churn * q->churn.model->response(-churn_eta);
	else
	{
		o.beyond = !(o.churn >= 0 && o.churn <= 1);
		o.churn = fmin(fmax(o.churn, 0), 1);
		o.churn_slope = o.beyond ? 0 : 1;
	}
	o.margins = value_of_margins(1, 1 - o.churn, q->rate, q->horizon, 0);
	/* where nothing moves, there is no slope, however long the stream */
	if (o.churn_slope != 0)
		o.margins_slope = -o.churn_slope * value_slope_in_retention(1 - o.churn, q->rate, q->horizon);
	return o;
}

/* A customer before the lift, and the way the driver has to the end of its scale. */
typedef struct Subject
{
	const double *x;
	double		count;
	double		churn_eta;
	double		margin;
	double		room;			/* of the sign of the lift */
} Subject;

static Subject
subject_at(const LiftQuestion *q, const Rows *rows, size_t i)
{
	int			nx = q->churn.nparams - q->churn.model->nparams;
	const double *row = rows_at(rows, i);
	Subject		s = {.x = row - nx, .count = row_count(rows, row)};

	s.churn_eta = linear_predictor(q->churn.model, q->churn.theta, s.x, nx);
	s.margin = q->margins.model == NULL ? q->margin :
		q->margin_share * linear_predictor(q->margins.model, q->margins.theta, s.x, nx);
	s.room = (q->lift < 0 ? q->low : q->high) - s.x[q->driver];
	return s;
}

/* The part of the lift that fits on the scale. */
static inline double
step_within(const Subject *s, double lift)
{
	return lift < 0 ? fmax(lift, s->room) : fmin(lift, s->room);
}

/* By how much a step of the driver changes the linear predictor of churn, and the margin, per unit. */
static inline double
churn_effect(const LiftQuestion *q)
{
	return q->churn.theta[q->churn.model->nparams + q->driver];
}

static inline double
margin_effect(const LiftQuestion *q)
{
	return q->margins.model == NULL ? 0 : q->margin_share * q->margins.theta[q->margins.model->nparams + q->driver];
}

static inline Outlook
outlook_after(const LiftQuestion *q, const Subject *s, double step)
{
	return outlook_at(q, s->churn_eta + churn_effect(q) * step, s->margin + margin_effect(q) * step);
}

static inline bool
should_stop(const FitStop *stop, size_t i)
{
	return i % ROWS_AT_ONCE == 0 && stop != NULL && stop->requested(stop->arg);
}

/* ---- means over customers ------------------------------------------------------------------------ */

/* A function of the parameters of both models, with its gradient. */
typedef struct Mean
{
	double		value;
	double		in_churn[MOST_PARAMS];
	double		in_margins[MOST_PARAMS];
} Mean;

static void
add_gradient(double *gradient, const LiftQuestion *q, double slope, const double *x, double step)
{
	int			nx = q->churn.nparams - q->churn.model->nparams;

	gradient[0] += slope;
	for (int j = 0; j < nx; j++)
		gradient[1 + j] += slope * x[j];
	gradient[1 + q->driver] += slope * step;
}

/* The value of a customer with churn after a step and margins after another. */
static void
add_value(Mean *mean, const LiftQuestion *q, const Subject *s, double weight, const Outlook *churn, double churn_step,
		  double margin, double margin_step)
{
	mean->value += weight * margin * churn->margins;
	add_gradient(mean->in_churn, q, weight * margin * churn->margins_slope, s->x, churn_step);
	if (q->margins.model)
		add_gradient(mean->in_margins, q, weight * q->margin_share * churn->margins, s->x, margin_step);
}

/* a * scale_a + b * scale_b; b may be NULL */
static Mean
combined(const Mean *a, double scale_a, const Mean *b, double scale_b)
{
	Mean		result = {.value = scale_a * a->value + (b ? scale_b * b->value : 0)};

	for (int i = 0; i < MOST_PARAMS; i++)
	{
		result.in_churn[i] = scale_a * a->in_churn[i] + (b ? scale_b * b->in_churn[i] : 0);
		result.in_margins[i] = scale_a * a->in_margins[i] + (b ? scale_b * b->in_margins[i] : 0);
	}
	return result;
}

static double
variance_from(const FittedModel *fit, const double *gradient)
{
	double		sum = 0;

	if (fit->model == NULL)
		return 0;
	if (fit->covariance == NULL)
		return NAN;
	for (int i = 0; i < fit->nparams; i++)
		for (int j = 0; j < fit->nparams; j++)
			sum += gradient[i] * fit->covariance[i * fit->nparams + j] * gradient[j];
	return sum;
}

/* NAN where the parameters do not change the mean, where their covariance is not known, and beyond a double. */
static double
variance_of(const LiftQuestion *q, const Mean *mean)
{
	double		variance = variance_from(&q->churn, mean->in_churn) + variance_from(&q->margins, mean->in_margins);

	return variance > 0 && isfinite(variance) ? variance : NAN;
}

typedef struct Means
{
	double		customers;		/* of the sample */
	double		clipped;		/* counts of customers: whole numbers, of which sums are exact */
	double		beyond;
	Mean		churn_before;
	Mean		churn_after;
	Mean		value_before;
	Mean		value_after;
	Mean		value_retained;	/* churn after, margins before */
} Means;

static void
add_subject(Means *m, const LiftQuestion *q, const Subject *s, double lift)
{
	double		step = step_within(s, lift);
	Outlook		before = outlook_at(q, s->churn_eta, s->margin);
	Outlook		after = outlook_after(q, s, step);
	double		weight = s->count / m->customers;

	m->clipped += step != lift ? s->count : 0;
	m->beyond += before.beyond || after.beyond ? s->count : 0;
	m->churn_before.value += s->count * before.churn;
	add_gradient(m->churn_before.in_churn, q, weight * before.churn_slope, s->x, 0);
	m->churn_after.value += s->count * after.churn;
	add_gradient(m->churn_after.in_churn, q, weight * after.churn_slope, s->x, step);
	add_value(&m->value_before, q, s, weight, &before, 0, before.margin, 0);
	add_value(&m->value_after, q, s, weight, &after, step, after.margin, step);
	add_value(&m->value_retained, q, s, weight, &after, step, before.margin, 0);
}

/* False when stopped. */
static bool
means_at(const LiftQuestion *q, const Rows *rows, double lift, const FitStop *stop, Means *m)
{
	*m = (Means) {.customers = rows_total(rows)};
	for (size_t i = 0; i < rows->n; i++)
	{
		Subject		s = subject_at(q, rows, i);

		if (should_stop(stop, i))
			return false;
		add_subject(m, q, &s, lift);
	}
	/* a sum of weights count / customers may come out above 1 */
	m->churn_before.value /= m->customers;
	m->churn_after.value /= m->customers;
	return true;
}

/* ---- the lift that pays --------------------------------------------------------------------------- */

/* The mean change of value by a lift, and its slope in the lift; false when stopped. */
static bool
change_by(const LiftQuestion *q, const Rows *rows, double lift, const FitStop *stop, double *change, double *slope)
{
	double		customers = 0;

	*change = *slope = 0;
	for (size_t i = 0; i < rows->n; i++)
	{
		Subject		s = subject_at(q, rows, i);
		double		step = step_within(&s, lift);
		Outlook		before = outlook_at(q, s.churn_eta, s.margin);
		Outlook		after = outlook_after(q, &s, step);

		if (should_stop(stop, i))
			return false;
		customers += s.count;
		*change += s.count * (after.margin * after.margins - before.margin * before.margins);
		if (step == lift)
			*slope += s.count * (after.margin * after.margins_slope * churn_effect(q) +
								 after.margins * margin_effect(q));
	}
	*change /= customers;
	*slope /= customers;
	return true;
}

/*
 * A lift of the sign of q->lift with that mean change of value, NAN where doubling finds none up to `most`, which is
 * where everybody has reached the end of the scale. Newton's steps, and halving where they leave the bracket.
 * Its slope in the lift is left in *slope. False when stopped.
 */
static bool
lift_of_change(const LiftQuestion *q, const Rows *rows, double target, double most, const FitStop *stop, double *lift,
			   double *slope)
{
	double		low = 0;
	double		high = q->lift != 0 ? q->lift : isfinite(most) ? most : 1;
	double		change;

	*lift = NAN;
	for (int i = 0;; i++)
	{
		high = fabs(high) > fabs(most) ? most : high;
		if (!change_by(q, rows, high, stop, &change, slope))
			return false;
		if (change >= target)
			break;
		if (high == most || i == MOST_DOUBLINGS || isnan(change))
			return true;
		low = high;
		high *= 2;
	}
	*lift = high;
	for (int i = 0; i < MOST_STEPS && change != target; i++)
	{
		double		next = *lift - (change - target) / *slope;

		if (change > target)
			high = *lift;
		else
			low = *lift;
		if (!((next - low) * (next - high) < 0))
			next = low + (high - low) / 2;
		if (next == *lift || next == low || next == high)
			break;
		*lift = next;
		if (!change_by(q, rows, next, stop, &change, slope))
			return false;
	}
	return true;
}

/* ---- results --------------------------------------------------------------------------------------- */

static const Estimate no_interval = {NAN, NAN, NAN};

static void
set_mean(LiftProjection *p, const LiftQuestion *q, LiftQuantity quantity, const Mean *mean)
{
	p->estimate[quantity] = mean->value;
	p->interval[quantity] = t_estimate(mean->value, variance_of(q, mean),
									   quantity <= LIFT_CHURN_CHANGE_RELATIVE ? q->churn_df : q->df, q->conf);
}

/* A probability of a logistic model has its interval on that scale, within 0 and 1. */
static void
set_churn(LiftProjection *p, const LiftQuestion *q, LiftQuantity quantity, const Mean *mean)
{
	double		value = mean->value;
	double		spread = value * (1 - value);

	set_mean(p, q, quantity, mean);
	if (q->churn.model != &logit_model)
		return;
	/* within rounding of 0 or 1 there is no such scale */
	p->interval[quantity].conf_low = p->interval[quantity].conf_high = NAN;
	p->interval[quantity].std_error = spread > 0 ? p->interval[quantity].std_error : NAN;
	if (spread > 0)
	{
		double		eta = log(value / (1 - value));
		Estimate	e = t_estimate(eta, variance_of(q, mean) / (spread * spread), q->churn_df, q->conf);

		p->interval[quantity].conf_low = logit_model.response(e.conf_low);
		p->interval[quantity].conf_high = logit_model.response(e.conf_high);
	}
}

static void
set_money(LiftProjection *p, const LiftQuestion *q, const Mean *change)
{
	Mean		total = combined(change, q->customers, NULL, 0);
	double		error = sqrt(variance_of(q, &total));
	double		tail;

	set_mean(p, q, LIFT_RETURN, &total);
	total.value -= q->cost;
	set_mean(p, q, LIFT_NET, &total);
	tail = 0.5 * t_p_value(total.value / error, q->df);
	p->estimate[LIFT_PROBABILITY_OF_BREAK_EVEN] = total.value > 0 ? 1 - tail : tail;
	if (q->cost > 0)
	{
		total = combined(&total, 1 / q->cost, NULL, 0);
		set_mean(p, q, LIFT_ROI, &total);
	}
}

static void
set_changes(LiftProjection *p, const LiftQuestion *q, const Means *m)
{
	Mean		churn = combined(&m->churn_after, 1, &m->churn_before, -1);
	Mean		value = combined(&m->value_after, 1, &m->value_before, -1);
	Mean		part = combined(&m->value_retained, 1, &m->value_before, -1);

	set_churn(p, q, LIFT_CHURN_BEFORE, &m->churn_before);
	set_churn(p, q, LIFT_CHURN_AFTER, &m->churn_after);
	set_mean(p, q, LIFT_CHURN_CHANGE, &churn);
	set_mean(p, q, LIFT_VALUE_BEFORE, &m->value_before);
	set_mean(p, q, LIFT_VALUE_AFTER, &m->value_after);
	set_mean(p, q, LIFT_VALUE_CHANGE, &value);
	set_mean(p, q, LIFT_VALUE_BY_RETENTION, &part);
	if (q->margins.model)
	{
		part = combined(&m->value_after, 1, &m->value_retained, -1);
		set_mean(p, q, LIFT_VALUE_BY_EXPANSION, &part);
	}
	if (m->churn_before.value > 0)
	{
		double		before = m->churn_before.value;

		/* derivative of after / before - 1 */
		part = combined(&m->churn_after, 1 / before, &m->churn_before, -m->churn_after.value / (before * before));
		part.value = churn.value / before;
		set_mean(p, q, LIFT_CHURN_CHANGE_RELATIVE, &part);
	}
	set_money(p, q, &value);
	p->estimate[LIFT_CLIPPED_SHARE] = m->clipped / m->customers;
	p->beyond_share = m->beyond / m->customers;
}

/* ---- its interval ---------------------------------------------------------------------------------- */

/*
 * A lift pays for sure, or may pay, where the lower or the upper end of the interval of its change of value is what is
 * wanted. A symmetric interval about the lift that pays would be that of a reciprocal, which is not symmetric (E. C.
 * Fieller 1954).
 */
typedef struct PayingEnd
{
	const LiftQuestion *q;
	const Rows *rows;
	const FitStop *stop;
	bool		upper;
} PayingEnd;

/* The end at a lift less what is wanted; NAN where there is no interval. False when stopped. */
static bool
end_less_wanted(const PayingEnd *e, double lift, double *excess)
{
	Means		m;
	Mean		change;
	Estimate	interval;

	if (!means_at(e->q, e->rows, lift, e->stop, &m))
		return false;
	change = combined(&m.value_after, 1, &m.value_before, -1);
	interval = t_estimate(change.value, variance_of(e->q, &change), e->q->df, e->q->conf);
	*excess = (e->upper ? interval.conf_high : interval.conf_low) - e->q->cost / e->q->customers;
	return true;
}

/*
 * From two lifts at which the end is below and above what is wanted to the one between them where it is that: false
 * position, made to converge by halving the excess of an end that stays (M. Dowell and P. Jarratt 1971). False when
 * stopped.
 */
static bool
lift_between(const PayingEnd *e, double below, double too_little, double above, double too_much, double *lift)
{
	int			last = 0;

	for (int i = 0; i < MOST_STEPS && fabs(above - below) > LIFT_TOLERANCE * fabs(above); i++)
	{
		double		next = above - too_much * (above - below) / (too_much - too_little);
		double		excess;

		if (!end_less_wanted(e, next, &excess))
			return false;
		if (excess >= 0)
		{
			above = next;
			too_much = excess;
			too_little *= last > 0 ? 0.5 : 1;
			last = 1;
		}
		else
		{
			below = next;
			too_little = excess;
			too_much *= last < 0 ? 0.5 : 1;
			last = -1;
		}
		if (excess == 0)
			break;
	}
	*lift = above;
	return true;
}

/*
 * The lift from which on the end is what is wanted, looked for from `lift` by doubling; NAN where there is none up to
 * `most`, or no interval. False when stopped.
 */
static bool
lift_of_end(const PayingEnd *e, double from, double too_little, double lift, double most, double *found)
{
	double		excess;

	*found = NAN;
	for (int i = 0;; i++)
	{
		if (!end_less_wanted(e, lift, &excess))
			return false;
		if (excess >= 0)
			return lift_between(e, from, too_little, lift, excess, found);
		if (!(excess < 0) || lift == most || i == MOST_DOUBLINGS)
			return true;
		from = lift;
		too_little = excess;
		lift = fabs(2 * lift) > fabs(most) ? most : 2 * lift;
	}
}

/* Both ends about the lift that pays; false when stopped. */
static bool
set_required_interval(LiftProjection *p, const LiftQuestion *q, const Rows *rows, double lift, double most,
					  const FitStop *stop)
{
	PayingEnd	may_pay = {q, rows, stop, true};
	PayingEnd	pays_surely = {q, rows, stop, false};
	double		wanted = q->cost / q->customers;
	Estimate   *interval = &p->interval[LIFT_REQUIRED];

	/* without a lift there is nothing, for sure */
	return lift_of_end(&may_pay, 0, -wanted, lift, lift, lift > 0 ? &interval->conf_low : &interval->conf_high) &&
		lift_of_end(&pays_surely, 0, -wanted, lift, most, lift > 0 ? &interval->conf_high : &interval->conf_low);
}

/* False when stopped. */
static bool
set_required(LiftProjection *p, const LiftQuestion *q, const Rows *rows, double most, const FitStop *stop)
{
	double		lift;
	double		slope;
	Means		m;
	Mean		change;

	if (q->cost == 0)
	{
		p->estimate[LIFT_REQUIRED] = 0;
		return true;
	}
	if (!lift_of_change(q, rows, q->cost / q->customers, most, stop, &lift, &slope))
		return false;
	if (isnan(lift))
		return true;
	p->estimate[LIFT_REQUIRED] = lift;
	if (!means_at(q, rows, lift, stop, &m))
		return false;
	change = combined(&m.value_after, 1, &m.value_before, -1);
	if (slope != 0)
		p->interval[LIFT_REQUIRED].std_error =
			t_estimate(lift, variance_of(q, &change) / (slope * slope), q->df, q->conf).std_error;
	return set_required_interval(p, q, rows, lift, most, stop);
}

LiftStatus
project_lift(const LiftQuestion *q, const Rows *rows, const FitStop *stop, LiftProjection *p)
{
	Means		m;

	*p = (LiftProjection) {.off_scale = NAN};
	for (int i = 0; i < LIFT_QUANTITIES; i++)
	{
		p->estimate[i] = NAN;
		p->interval[i] = no_interval;
	}
	for (size_t i = 0; i < rows->n; i++)
	{
		Subject		s = subject_at(q, rows, i);

		if (should_stop(stop, i))
			return LIFT_STOPPED;
		p->off_scale = s.x[q->driver];
		if (!(p->off_scale >= q->low && p->off_scale <= q->high))
			return LIFT_OFF_SCALE;
		p->room = fabs(s.room) > fabs(p->room) ? s.room : p->room;
	}
	if (!means_at(q, rows, q->lift, stop, &m))
		return LIFT_STOPPED;
	if (!isfinite(m.value_before.value) || !isfinite(m.value_after.value))
		return LIFT_ENDLESS;
	set_changes(p, q, &m);
	return set_required(p, q, rows, p->room, stop) ? LIFT_PROJECTED : LIFT_STOPPED;
}
