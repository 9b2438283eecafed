/*
 * fuzz_impact.c - libFuzzer target: small samples through ranks, survival curves, the quality of predictions, lift
 * projections, effects, drift, sensitivity and differences of shares. Numbers are numbers where the headers promise
 * them, intervals hold their estimate, probabilities are probabilities, curves fall, parts add up to the whole, and
 * what was asked to stop says so and keeps no memory.
 */
#include "fuzz_samples.h"

#include "math/drift.h"
#include "math/effect.h"
#include "math/kaplan_meier.h"
#include "math/prediction_quality.h"
#include "math/projection.h"
#include "math/ranks.h"
#include "math/rates.h"
#include "math/sensitivity.h"

/* ---- ranks ------------------------------------------------------------------------------------- */

static void
check_rank_correlation(const Rows *rows, double conf, Patience patience, RankCorrelation *c)
{
	FitStop		stop = {is_over, &patience};
	bool		no_memory;

	if (!rank_correlation(rows, conf, &stop, c, &no_memory))
	{
		CHECK(patience.ended && !no_memory);
		c->n = NAN;
		return;
	}
	CHECK(!patience.ended && !(fabs(c->estimate) > 1));
	CHECK(isnan(c->p_value) || (c->p_value >= 0 && c->p_value <= 1));
	CHECK(isnan(c->conf_low) == isnan(c->conf_high));
	CHECK(isnan(c->std_error) || c->std_error >= 0);
	if (!isnan(c->conf_low))
	{
		CHECK(c->conf_low >= -1 && c->conf_high <= 1);
		CHECK(c->conf_low <= c->estimate + ROUNDING && c->conf_high >= c->estimate - ROUNDING);
	}
}

static void
check_adjusted(Bytes *in)
{
	double		p[16];
	double		fdr[16];
	double		holm[16];
	size_t		n = next_byte(in) % 17;
	double		last = 0;

	for (size_t i = 0; i < n; i++)
		p[i] = last = next_byte(in) % 4 == 0 ? last : last + (1 - last) * pow(next_fraction(in), 9);
	memcpy(fdr, p, sizeof(p));
	memcpy(holm, p, sizeof(p));
	adjust_benjamini_hochberg(fdr, n);
	adjust_holm(holm, n);
	for (size_t i = 0; i < n; i++)
	{
		CHECK(fdr[i] >= p[i] * (1 - ROUNDING) && fdr[i] <= 1 && holm[i] >= fdr[i] * (1 - ROUNDING) && holm[i] <= 1);
		CHECK(i == 0 || (fdr[i] >= fdr[i - 1] && holm[i] >= holm[i - 1]));
		CHECK(i == 0 || p[i] > p[i - 1] || (fdr[i] == fdr[i - 1] && holm[i] == holm[i - 1]));
	}
}

static void
fuzz_ranks(Bytes *in)
{
	double		conf = next_conf(in);
	Patience	patience = next_patience(in);
	Sample		s;
	Sample		swapped;
	RankCorrelation c;
	RankCorrelation other;

	check_adjusted(in);
	next_sample(in, ROWS_PAIR, 2, 0, false, false, &s);
	swapped.data.rows = (Rows) {0, 2, swapped.data.data, 0, NAN};
	for (size_t i = 0; i < s.data.rows.n; i++)
	{
		const double *row = rows_at(&s.data.rows, i);

		insert_row(&swapped.data, (double[]) {row[1], row[0], row[2]});
	}
	check_rank_correlation(&s.data.rows, conf, patience, &c);
	if (isnan(c.n))
		return;
	check_rank_correlation(&swapped.data.rows, conf, (Patience) {0}, &other);
	CHECK(isnan(c.estimate) ? isnan(other.estimate) : fabs(c.estimate - other.estimate) <= ROUNDING);
}

/* ---- survival ---------------------------------------------------------------------------------- */

#define MOST_GROUPS 3

/* Down the curve; the last time of an event. */
static double
check_curve(const RiskTimes *times, double conf)
{
	KaplanMeier km;
	SurvivalPoint p;
	SurvivalPoint last = {.survival = 1};

	kaplan_meier_begin(&km, times);
	while (kaplan_meier_next(&km, &p))
	{
		Estimate	e = survival_estimate(&p, conf);

		CHECK(p.at > last.at && p.n_risk >= p.n_events && p.n_events > 0 && p.n_censored >= 0);
		if (isnan(p.survival))
			CHECK(km.trouble != RISK_NONE);
		else
		{
			CHECK(p.survival >= 0 && p.survival <= last.survival);
			CHECK(p.greenwood >= last.greenwood && p.cumulative_hazard >= last.cumulative_hazard);
			CHECK((p.survival == 0) == isinf(p.greenwood));
			CHECK(p.log_survival <= last.log_survival);
			check_estimate(p.survival, &e, 0, 1);
		}
		last = p;
	}
	kaplan_meier_end(&km);
	return last.at;
}

/* False where it was asked to stop. */
static bool
check_lifetimes(Bytes *in, const RiskTimes *times, double conf, double last, FitStop *stop)
{
	double		t = next_byte(in) % 4 > 0 ? next_byte(in) % 16 : last;
	double		p = next_byte(in) % 4 > 0 ? (1 + next_byte(in) % 15) / 16.0 : 0.999;
	double		until = next_byte(in) % 8 == 0 ? INFINITY : 1 + next_byte(in) % 12;
	LifetimeEstimate e;
	LifetimeEstimate later;

	if (!survival_at(times, t, conf, stop, &e) || !survival_at(times, t * 1.5, conf, stop, &later))
		return false;
	CHECK(!(later.value > e.value) && !(e.value < 0) && !(e.value > 1));
	CHECK(!isnan(e.value) == survival_is_known(&e, t));
	check_estimate(e.value, &e.estimate, 0, 1);
	if (!survival_quantile(times, p, conf, stop, &e) || !survival_quantile(times, p / 2, conf, stop, &later))
		return false;
	CHECK(isnan(e.value) || later.value <= e.value);
	if (!isnan(e.value))
		check_estimate(e.value, &e.estimate, 0, INFINITY);
	if (!mean_lifetime(times, until, conf, stop, &e) || !mean_lifetime(times, until / 2, conf, stop, &later))
		return false;
	CHECK(isnan(e.value) || (e.value >= 0 && e.value <= until * (1 + ROUNDING)));
	CHECK(isnan(e.value) || isnan(later.value) || later.value <= e.value * (1 + ROUNDING));
	check_estimate(e.value, &e.estimate, -INFINITY, INFINITY);
	return true;
}

static void
check_log_rank(const RiskTimes *groups, int n, const FitStop *stop, const Patience *patience)
{
	double	   *room = malloc(log_rank_room(n) * sizeof(double) + 1);
	LogRankGroup sums[MOST_GROUPS];
	LogRank		test;
	double		surplus = 0;
	double		observed = 0;
	bool		done = log_rank(groups, n, room, stop, sums, &test);

	free(room);
	CHECK(done != patience->ended);
	if (!done)
		return;
	CHECK(test.df >= 0 && test.df < n);
	CHECK(test.df == 0 ? isnan(test.statistic) : test.statistic >= 0 && isfinite(test.statistic));
	CHECK(isnan(test.p_value) ? test.df == 0 : test.p_value >= 0 && test.p_value <= 1);
	for (int i = 0; i < n; i++)
	{
		CHECK(isfinite(sums[i].expected) && sums[i].expected >= 0 && sums[i].variance >= 0);
		observed += sums[i].observed;
		surplus += sums[i].observed - sums[i].expected;
	}
	CHECK(fabs(surplus) <= ROUNDING * observed);
}

static void
fuzz_survival(Bytes *in)
{
	double		conf = next_conf(in);
	int			n = 1 + next_byte(in) % MOST_GROUPS;
	Patience	patience = next_patience(in);
	FitStop		stop = {is_over, &patience};
	static Sample s[MOST_GROUPS];
	TimeCount  *room[MOST_GROUPS];
	RiskTimes	times[MOST_GROUPS];
	bool		going = true;

	for (int i = 0; i < n; i++)
	{
		next_sample(in, ROWS_SURVIVAL, 3, next_byte(in) % 2, next_byte(in) % 2, false, &s[i]);
		room[i] = malloc(risk_times_room(&s[i].data.rows) * sizeof(TimeCount) + 1);
	}
	for (int i = 0; i < n && going; i++)
	{
		going = read_risk_times(&s[i].data.rows, room[i], &stop, &times[i]);
		CHECK(going != patience.ended);
		if (going)
		{
			CHECK(times[i].n == s[i].n);
			going = check_lifetimes(in, &times[i], conf, check_curve(&times[i], conf), &stop);
			CHECK(going != patience.ended);
		}
	}
	if (going)
		check_log_rank(times, n, &stop, &patience);
	for (int i = 0; i < n; i++)
		free(room[i]);
}

/* ---- quality of predictions ---------------------------------------------------------------------- */

static void
check_measure(const QualityMeasure *m, double low, double high)
{
	CHECK(isnan(m->estimate) || (isfinite(m->estimate) && m->estimate >= low && m->estimate <= high));
	CHECK(!isnan(m->estimate) || isnan(m->std_error));
	CHECK(isnan(m->conf_low) == isnan(m->std_error) && isnan(m->conf_high) == isnan(m->std_error));
	check_estimate(m->estimate, &(Estimate) {m->std_error, m->conf_low, m->conf_high}, low, high);
	CHECK(m->problem == QUALITY_FINE || isnan(m->std_error));
	CHECK(m->problem >= QUALITY_FINE && m->problem < QUALITY_PROBLEMS);
}

static void
check_bins(const Sample *s, const PredictionTotals *totals, double brier, int most)
{
	PredictionBin bins[32];
	double		cumulative[32];
	BrierParts	parts;
	int			nbins;
	double		n = 0;
	double		events = 0;

	CHECK(prediction_bins(&s->data.rows, totals, most, NULL, bins, &nbins) && nbins >= 1 && nbins <= most);
	for (int i = 0; i < nbins; i++)
	{
		CHECK(bins[i].n > 0 && bins[i].events >= 0 && bins[i].events <= bins[i].n && bins[i].within >= 0);
		CHECK(bins[i].lowest <= bins[i].highest && (i == 0 || bins[i - 1].highest < bins[i].lowest));
		CHECK(bins[i].mean_predicted >= bins[i].lowest * (1 - ROUNDING));
		CHECK(bins[i].mean_predicted <= bins[i].highest * (1 + ROUNDING));
		n += bins[i].n;
		events += bins[i].events;
	}
	CHECK(n == totals->n && events == totals->events);
	parts = brier_parts(totals, bins, nbins);
	CHECK(fabs(parts.reliability - parts.resolution + parts.uncertainty + parts.within_variance -
			   parts.within_covariance - brier) <= ROUNDING);
	CHECK(parts.calibration_error >= 0 && parts.calibration_error <= 1 + ROUNDING);
	CHECK(prediction_capture(&s->data.rows, totals, most, NULL, cumulative));
	for (int i = 0; i < most; i++)
		CHECK(cumulative[i] >= (i > 0 ? cumulative[i - 1] : 0) * (1 - ROUNDING));
	CHECK(near(cumulative[most - 1], totals->events, ROUNDING));
}

static void
fuzz_quality(Bytes *in)
{
	double		conf = next_conf(in);
	int			most = 1 + next_byte(in) % 32;
	Patience	patience = next_patience(in);
	FitStop		stop = {is_over, &patience};
	Sample		s;
	PredictionTotals totals;
	QualityMeasure brier;
	QualityMeasure skill;
	QualityMeasure loss;
	QualityMeasure auc;
	Recalibration again;

	next_sample(in, ROWS_PREDICTION, 2, 0, false, false, &s);
	if (!prediction_totals(&s.data.rows, &stop, &totals) || !brier_measure(&s.data.rows, conf, &stop, &brier) ||
		!log_loss_measure(&s.data.rows, &totals, conf, &stop, &loss) ||
		!auc_measure(&s.data.rows, &totals, conf, &stop, &auc) ||
		!recalibrate(&s.data.rows, &totals, conf, &stop, &again))
	{
		CHECK(patience.ended);
		return;
	}
	CHECK(!patience.ended && totals.n == s.n);
	skill = brier_skill_measure(&totals, brier.estimate);
	check_measure(&brier, 0, 1);
	check_measure(&skill, -INFINITY, 1);
	check_measure(&loss, 0, INFINITY);
	check_measure(&auc, 0, 1);
	check_measure(&again.slope, -INFINITY, INFINITY);
	check_measure(&again.intercept, -INFINITY, INFINITY);
	check_measure(&again.in_the_large, -INFINITY, INFINITY);
	CHECK(!isnan(brier.estimate) && (isnan(loss.estimate)) == (loss.problem == QUALITY_REFUTED));
	CHECK(isnan(auc.estimate) == (totals.events == 0 || totals.events == totals.n));
	CHECK(!isnan(again.slope.estimate) || again.slope.problem != QUALITY_FINE);
	check_bins(&s, &totals, brier.estimate, most);
}

/* ---- lift ---------------------------------------------------------------------------------------- */

/* Parameters and a covariance L L', now and then with an effect that cannot be told. */
static void
next_fitted(Bytes *in, const ModelKind *kind, int nx, int driver, double *theta, double *covariance, FittedModel *m)
{
	int			k = 1 + nx;
	double		root[(1 + MOST_X) * (1 + MOST_X)] = {0};

	for (int i = 0; i < k; i++)
	{
		theta[i] = next_byte(in) % 16 == 0 && i > 0 && i != 1 + driver ? NAN : (next_fraction(in) - 0.5) * 8;
		for (int j = 0; j <= i && !isnan(theta[i]); j++)
			root[i * k + j] = isnan(theta[j]) ? 0 : next_fraction(in) - 0.5;
	}
	for (int i = 0; i < k; i++)
		for (int j = 0; j < k; j++)
		{
			covariance[i * k + j] = 0;
			for (int l = 0; l < k; l++)
				covariance[i * k + j] += root[i * k + l] * root[j * k + l];
		}
	*m = (FittedModel) {kind, k, theta, next_byte(in) % 8 == 0 ? NULL : covariance};
}

static void
check_projection(const LiftQuestion *q, const LiftProjection *p)
{
	const double *e = p->estimate;

	CHECK_PROBABILITY(e[LIFT_CHURN_BEFORE]);
	CHECK_PROBABILITY(e[LIFT_CHURN_AFTER]);
	CHECK_PROBABILITY(e[LIFT_CLIPPED_SHARE]);
	CHECK_PROBABILITY(p->beyond_share);
	CHECK(fabs(e[LIFT_CHURN_AFTER] - e[LIFT_CHURN_BEFORE] - e[LIFT_CHURN_CHANGE]) <= ROUNDING);
	CHECK(isfinite(e[LIFT_VALUE_BEFORE]) && isfinite(e[LIFT_VALUE_AFTER]) && isfinite(e[LIFT_VALUE_CHANGE]));
	CHECK(fabs(e[LIFT_VALUE_AFTER] - e[LIFT_VALUE_BEFORE] - e[LIFT_VALUE_CHANGE]) <=
		  COARSE * (fabs(e[LIFT_VALUE_AFTER]) + fabs(e[LIFT_VALUE_BEFORE])));
	CHECK(isnan(e[LIFT_VALUE_BY_EXPANSION]) == (q->margins.model == NULL));
	CHECK(isnan(e[LIFT_ROI]) || q->cost > 0);
	CHECK(isnan(e[LIFT_PROBABILITY_OF_BREAK_EVEN]) ||
		  (e[LIFT_PROBABILITY_OF_BREAK_EVEN] >= 0 && e[LIFT_PROBABILITY_OF_BREAK_EVEN] <= 1));
	for (int i = 0; i < LIFT_QUANTITIES; i++)
	{
		bool		logit = q->churn.model == &logit_model && i <= LIFT_CHURN_AFTER;

		CHECK(!isinf(e[i]));
		/* where no lift surely pays, that required has no upper end */
		CHECK(i == LIFT_REQUIRED || isnan(p->interval[i].conf_low) == isnan(p->interval[i].std_error));
		CHECK(!(p->interval[i].std_error == 0) && (!isnan(e[i]) || isnan(p->interval[i].std_error)));
		check_estimate(e[i], &p->interval[i], logit ? 0 : -INFINITY, logit ? 1 : INFINITY);
	}
}

static void
fuzz_projection(Bytes *in)
{
	static const double rates[] = {0, 0.1, -0.5, 1e-9, 3};
	static const double horizons[] = {1, 2, 12, 1000, INFINITY};
	double		theta[2][1 + MOST_X];
	double		covariance[2][(1 + MOST_X) * (1 + MOST_X)];
	LiftQuestion q = {.rate = rates[next_byte(in) % 5], .horizon = horizons[next_byte(in) % 5]};
	Patience	patience = next_patience(in);
	FitStop		stop = {is_over, &patience};
	double		reach = next_byte(in);
	Sample		s;
	LiftProjection p;
	LiftStatus	status;

	next_sample(in, ROWS_RESPONSE, 1, 1 + next_byte(in) % MOST_X, next_byte(in) % 2, false, &s);
	q.driver = next_byte(in) % s.nx;
	next_fitted(in, next_byte(in) % 3 ? &logit_model : &lm_model, s.nx, q.driver, theta[0], covariance[0], &q.churn);
	if (next_byte(in) % 2)
		next_fitted(in, &lm_model, s.nx, q.driver, theta[1], covariance[1], &q.margins);
	q.lift = (next_fraction(in) - 0.5) * 4;
	q.low = reach > 250 ? -INFINITY : -reach;
	q.high = reach > 250 ? INFINITY : 1 + reach;
	q.margin = (next_fraction(in) - 0.3) * 100;
	q.margin_share = next_byte(in) % 2 ? 1 : next_fraction(in);
	q.customers = 1 + next_count(in);
	q.cost = next_count(in);
	q.conf = next_conf(in);
	q.churn_df = next_byte(in) % 2 ? NAN : 1 + next_byte(in) % 20;
	q.df = q.churn_df;
	status = project_lift(&q, &s.data.rows, &stop, &p);
	CHECK((status == LIFT_STOPPED) == patience.ended);
	if (status == LIFT_OFF_SCALE)
		CHECK(p.off_scale < q.low || p.off_scale > q.high);
	if (status == LIFT_PROJECTED)
		check_projection(&q, &p);
}

/* ---- effects of a treatment ---------------------------------------------------------------------- */

static void
fuzz_effect(Bytes *in)
{
	bool		binary = next_byte(in) % 3 > 0;
	Patience	patience = next_patience(in);
	FitStop		stop = {is_over, &patience};
	EffectOptions options = {2 + next_byte(in) % 4, 1 + next_byte(in) % 4, next_conf(in), &stop};
	Sample		s;
	Effect		e;
	EffectStatus status;
	double	   *workspace;

	next_sample(in, ROWS_EFFECT, 2, 1 + next_byte(in) % 3, true, false, &s);
	for (size_t i = 0; i < s.data.rows.n && binary; i++)
	{
		double	   *row = (double *) rows_at(&s.data.rows, i);

		row[EFFECT_TREATMENT] = row[EFFECT_TREATMENT] > 0;
	}
	workspace = malloc(effect_workspace(&s.data.rows) * sizeof(double) + 1);
	status = binary ? aipw_effect(&s.data.rows, &options, workspace, &e) :
		partial_effect(&s.data.rows, &options, workspace, &e);
	free(workspace);
	CHECK((status == EFFECT_STOPPED) == patience.ended && status != EFFECT_NOT_BINARY);
	if (status == EFFECT_STOPPED)
		return;
	CHECK(e.n == s.n && (binary ? e.treated >= 0 && e.treated <= e.n : isnan(e.treated)));
	CHECK((status == EFFECT_IMPOSSIBLE) == (e.reason != NULL));
	if (status != EFFECT_ESTIMATED)
		return;
	CHECK(isfinite(e.estimate) && e.interval.std_error > 0);
	check_estimate(e.estimate, &e.interval, -INFINITY, INFINITY);
	CHECK(isnan(e.statistic) || (e.p_value >= 0 && e.p_value <= 1));
	CHECK(!binary || (e.trimmed_share >= 0 && e.trimmed_share <= 1 && e.lowest_propensity >= 0 &&
					  e.highest_propensity <= 1 && e.lowest_propensity <= e.highest_propensity));
}

/* ---- drift ------------------------------------------------------------------------------------- */

static TermEstimate
next_term(Bytes *in)
{
	double		estimate = next_wild(in);
	double		variance = next_byte(in) % 8 == 0 ? 0 : next_positive(in, 1e-300, 1e300);

	return (TermEstimate) {estimate, variance, next_byte(in) % 2 ? NAN : 1 + next_byte(in)};
}

static void
fuzz_drift(Bytes *in)
{
	TermChange	c = term_change(next_term(in), next_term(in), next_conf(in));
	ResidualSquares a = {next_positive(in, 1e-300, 1e300), next_byte(in)};
	ResidualSquares b = {next_positive(in, 1e-300, 1e300), next_byte(in)};
	ResidualSquares pooled = {(a.sum + b.sum) * (1 + next_fraction(in)), a.df + b.df + next_byte(in) % 8};
	FTest		chow = chow_test(a, b, pooled);
	int			n = 1 + next_byte(in) % 12;
	double		values[12];
	double		errors[12];
	double		actual[12];
	Heterogeneity h;
	StabilityIndex index;

	if (!isnan(c.statistic) && isfinite(c.difference))
	{
		CHECK(c.std_error > 0 && c.p_value >= 0 && c.p_value <= 1 && !(c.df < 1));
		CHECK(c.conf_low <= c.difference && c.conf_high >= c.difference);
	}
	CHECK(isnan(chow.statistic) ? isnan(chow.p_value) : chow.statistic >= 0);
	CHECK(isnan(chow.p_value) || (chow.p_value >= 0 && chow.p_value <= 1));
	for (int i = 0; i < n; i++)
	{
		values[i] = (next_fraction(in) - 0.5) * pow(10, next_byte(in) % 12);
		errors[i] = next_positive(in, 1e-6, 1e6);
	}
	h = cochran_heterogeneity(values, errors, n);
	CHECK(isfinite(h.q) && h.q >= 0 && h.df == n - 1 && isfinite(h.tau_squared) && h.tau_squared >= 0);
	CHECK(isfinite(h.pooled) && isfinite(h.pooled_std_error) && h.pooled_std_error > 0);
	CHECK(n == 1 ? isnan(h.p_value) && isnan(h.i_squared) : h.p_value >= 0 && h.p_value <= 1);
	CHECK(n == 1 || (h.i_squared >= 0 && h.i_squared <= 1));
	for (int i = 0; i < n; i++)
	{
		errors[i] = 1 + next_count(in) * pow(10, next_byte(in) % 12);
		actual[i] = next_byte(in) % 4 ? errors[i] : 1 + next_count(in);
	}
	index = stability_index(errors, actual, n);
	CHECK(index.psi >= 0 && isfinite(index.psi) && index.null_mean >= 0);
	CHECK(n == 1 ? isnan(index.p_value) : index.p_value >= 0 && index.p_value <= 1);
}

/* ---- sensitivity and shares ---------------------------------------------------------------------- */

static void
fuzz_sensitivity(Bytes *in)
{
	double		ratio = fabs(next_wild(in));
	double		limit = fabs(next_wild(in));
	double		t = next_wild(in);
	double		df = 1.001 + next_count(in);
	double		q = next_positive(in, 1e-6, 1e6);
	double		alpha = 1 - next_conf(in);
	double		r = 2 * next_fraction(in) - 1;
	double		value = robustness_value(t, df, q);
	double		within = robustness_value_alpha(t, df, q, alpha);

	if (ratio > 0 && limit > 0)
	{
		double		e = e_value(ratio);

		CHECK(e >= 1 && e >= fmax(ratio, 1));
		CHECK(e_value_of_limit(ratio, limit) >= 1);
		CHECK(risk_ratio_of_odds_ratio(ratio) > 0 && risk_ratio_of_hazard_ratio(ratio) >= 0);
		CHECK(risk_ratio_at_baseline(ratio, 0.99 * next_fraction(in)) >= 0);
	}
	CHECK(risk_ratio_of_difference(t) >= 0);
	CHECK_PROBABILITY(partial_r2(t, df));
	CHECK_PROBABILITY(value);
	CHECK_PROBABILITY(within);
	CHECK(within <= value + ROUNDING);
	CHECK(customers_needed(r, 0.95, 0.8, next_byte(in) % 8) >= 4);
}

static void
fuzz_shares(Bytes *in)
{
	double		n[2];
	double		successes[2];
	double		conf = next_conf(in);
	Rate		rate;

	for (int i = 0; i < 2; i++)
	{
		n[i] = next_byte(in) % 8 == 0 ? 0x1p53 : next_count(in);
		successes[i] = floor(n[i] * next_fraction(in));
		rate = wilson_rate(successes[i], n[i], conf);
		CHECK((n[i] == 0) == isnan(rate.estimate));
		check_estimate(rate.estimate, &(Estimate) {rate.std_error, rate.conf_low, rate.conf_high}, 0, 1);
	}
	rate = share_difference(successes[0], n[0], successes[1], n[1], conf);
	CHECK((n[0] == 0 || n[1] == 0) == isnan(rate.estimate));
	CHECK(isnan(rate.estimate) || rate.conf_low <= rate.conf_high);
	check_estimate(rate.estimate, &(Estimate) {NAN, rate.conf_low, rate.conf_high}, -1 - ROUNDING, 1 + ROUNDING);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const targets[]) (Bytes *) = {
		fuzz_ranks, fuzz_survival, fuzz_quality, fuzz_projection, fuzz_effect, fuzz_drift, fuzz_sensitivity, fuzz_shares
	};
	Bytes		in = {data, data + size};

	targets[next_byte(&in) % (sizeof(targets) / sizeof(targets[0]))](&in);
	return 0;
}
