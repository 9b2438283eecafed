/*
 * test_kaplan_meier.c - curves, lifetimes and log-rank tests against published numbers, against the definitions in
 * exact fractions, which test/reference/make_survival prints, and against sums over all rows of random data.
 */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/kaplan_meier.h"

#define CONF 0.95
#define GOLDEN 1e-12			/* what is published has thirteen digits or more */
#define MOST_POINTS 2000

/* Freireich et al. 1963: weeks of remission of 21 pairs of children; without an event the number is negative */
static const double mercaptopurine[] = {10, 7, -32, 23, 22, 6, 16, -34, -32, -25, -11, -20, -19, 6, -17, -35, 6, 13, -9,
	-6, -10};
static const double control[] = {1, 22, 3, 12, 8, 17, 2, 11, 8, 12, 2, 5, 4, 15, 8, 23, 5, 11, 4, 1, 8};

/* Rows under construction, what they are read into, and the room of that. */
typedef struct Data
{
	Sample		sample;
	TimeCount  *room;
	RiskTimes	times;
} Data;

static void
data_init(Data *data)
{
	sample_init(&data->sample, 3);
}

static void
data_add(Data *data, double entry, double tenure, bool event)
{
	sample_add(&data->sample, (double[]) {entry, tenure, event}, 1);
}

static const RiskTimes *
data_read(Data *data)
{
	const Rows *rows = sample_fold(&data->sample);

	data->room = malloc((risk_times_room(rows) + 1) * sizeof(TimeCount));
	assert_true(read_risk_times(rows, data->room, NULL, &data->times));
	return &data->times;
}

static void
data_free(Data *data)
{
	free(data->room);
	sample_free(&data->sample);
}

static void
read_signed(Data *data, const double *weeks, int n)
{
	data_init(data);
	for (int i = 0; i < n; i++)
		data_add(data, 0, fabs(weeks[i]), weeks[i] > 0);
	data_read(data);
}

#define READ_SIGNED(data, weeks) read_signed(data, weeks, sizeof(weeks) / sizeof(weeks[0]))

static int
read_points(const RiskTimes *times, SurvivalPoint *points)
{
	KaplanMeier km;
	int			n = 0;

	kaplan_meier_begin(&km, times);
	while (kaplan_meier_next(&km, &points[n]))
		assert_true(++n < MOST_POINTS);
	return n;
}

/* ---- published ----------------------------------------------------------------------------------- */

/* a line of the published table: at, n, d, censored, S, Greenwood's error, log-log interval, Nelson and Aalen's sum */
static void
assert_point(const SurvivalPoint *p, const double *line)
{
	Estimate	e = survival_estimate(p, CONF);

	assert_true(p->at == line[0] && p->n_risk == line[1] && p->n_events == line[2] && p->n_censored == line[3]);
	assert_relative(p->survival, line[4], GOLDEN);
	assert_relative(e.std_error, line[5], GOLDEN);
	assert_relative(e.conf_low, line[6], GOLDEN);
	assert_relative(e.conf_high, line[7], GOLDEN);
	assert_relative(p->cumulative_hazard, line[8], GOLDEN);
}

static void
test_published_curve(void **state)
{
	static const double six_mp[][9] = {
		{6, 21, 3, 1, 0.85714285714285714, 0.0763603548321213, 0.6197179552660, 0.9515517476470, 0.1428571428571},
		{7, 17, 1, 1, 0.80672268907563025, 0.0869352851800572, 0.5631465646222, 0.9228090192029, 0.2016806722689},
		{10, 15, 1, 2, 0.75294117647058824, 0.0963496529943205, 0.5031995108000, 0.8893618351693, 0.2683473389356},
		{13, 12, 1, 0, 0.69019607843137255, 0.106814707775010, 0.4316102224862, 0.8490659633495, 0.3516806722689},
		{16, 11, 1, 3, 0.62745098039215686, 0.114053865256753, 0.3675108559875, 0.8049121894718, 0.4425897631780},
		{22, 7, 1, 0, 0.53781512605042017, 0.128233751693034, 0.2677789367671, 0.7467907176354, 0.5854469060351},
		{23, 6, 1, 5, 0.44817927170868347, 0.134591456755760, 0.1880520059592, 0.6801426284952, 0.7521135727018},
	};
	static const double placebo[][9] = {
		{1, 21, 2, 0, 0.90476190476190476, 0.0640564484890047, 0.6700458822350, 0.9752941490381, 0.09523809523810},
		{2, 19, 2, 0, 0.80952380952380952, 0.0856890867468988, 0.5689050599242, 0.9238888285593, 0.2005012531328},
		{3, 17, 1, 0, 0.76190476190476190, 0.0929428640903365, 0.5193914153284, 0.8932571097825, 0.2593247825446},
		{4, 16, 2, 0, 0.66666666666666667, 0.102868899974728, 0.4253504355652, 0.8250440087973, 0.3843247825446},
		{5, 14, 2, 0, 0.57142857142857143, 0.107989849431208, 0.3379769538595, 0.7492407099432, 0.5271819254017},
		{8, 12, 4, 0, 0.38095238095238095, 0.105971169574131, 0.1830665488204, 0.5777886777458, 0.8605152587351},
		{11, 8, 2, 0, 0.28571428571428571, 0.0985807941917649, 0.1165613264368, 0.4818196480090, 1.110515258735},
		{12, 6, 2, 0, 0.19047619047619048, 0.0856890867468988, 0.05948170136118, 0.3774348905852, 1.443848592068},
		{15, 4, 1, 0, 0.14285714285714286, 0.0763603548321213, 0.03565735519067, 0.3211615746809, 1.693848592068},
		{17, 3, 1, 0, 0.095238095238095238, 0.0640564484890047, 0.01625926021225, 0.2612499819687, 2.027181925402},
		{22, 2, 1, 0, 0.047619047619047619, 0.0464714320451682, 0.003324463042531, 0.1970449056989, 2.527181925402},
	};
	SurvivalPoint points[MOST_POINTS];
	Data		data;

	(void) state;
	READ_SIGNED(&data, mercaptopurine);
	assert_int_equal(read_points(&data.times, points), 7);
	for (int i = 0; i < 7; i++)
		assert_point(&points[i], six_mp[i]);
	data_free(&data);
	READ_SIGNED(&data, control);
	assert_int_equal(read_points(&data.times, points), 12);
	for (int i = 0; i < 11; i++)
		assert_point(&points[i], placebo[i]);
	/* nobody is left: the end is known, its spread is not */
	assert_true(points[11].survival == 0 && points[11].n_risk == 1);
	assert_true(isnan(survival_estimate(&points[11], CONF).conf_low));
	assert_true(isnan(survival_estimate(&points[11], CONF).std_error));
	assert_relative(points[11].cumulative_hazard, 3.527181925402, GOLDEN);
	data_free(&data);
}

static void
assert_mean(const RiskTimes *times, double until, double mean, double std_error)
{
	LifetimeEstimate e;

	assert_true(mean_lifetime(times, until, CONF, NULL, &e));
	assert_relative(e.value, mean, GOLDEN);
	assert_relative(e.estimate.std_error, std_error, GOLDEN);
	assert_relative(e.estimate.conf_high - e.value, 1.9599639845400542 * std_error, GOLDEN);
}

/* means are published, their errors and the medians' intervals by test/reference/make_survival */
static void
test_published_lifetimes(void **state)
{
	LifetimeEstimate e;
	Data		data;

	(void) state;
	READ_SIGNED(&data, mercaptopurine);
	assert_true(survival_quantile(&data.times, 0.5, CONF, NULL, &e));
	assert_true(e.value == 23 && e.estimate.conf_low == 13 && isnan(e.estimate.conf_high));
	assert_mean(&data.times, 35, 23.287394957983193, 2.8274676233714394);
	assert_mean(&data.times, 20, 16.116526610644258, 1.2515601960050472);
	assert_true(mean_lifetime(&data.times, 36, CONF, NULL, &e) && isnan(e.value) && e.known_until == 35);
	assert_true(survival_at(&data.times, 35, CONF, NULL, &e));
	assert_relative(e.value, 0.44817927170868347, GOLDEN);
	assert_true(survival_at(&data.times, 35.5, CONF, NULL, &e) && isnan(e.value) && isnan(e.estimate.std_error));
	data_free(&data);
	READ_SIGNED(&data, control);
	assert_true(survival_quantile(&data.times, 0.5, CONF, NULL, &e));
	assert_true(e.value == 8 && e.estimate.conf_low == 4 && e.estimate.conf_high == 11);
	assert_mean(&data.times, 23, 8.6666666666666667, 1.3773900412645481);
	assert_mean(&data.times, INFINITY, 8.6666666666666667, 1.3773900412645481);
	assert_mean(&data.times, 20, 8.4285714285714286, 1.2680826825039222);
	assert_true(survival_at(&data.times, 100, CONF, NULL, &e) && e.value == 0 && isnan(e.estimate.std_error));
	data_free(&data);
}

static void
compare(const RiskTimes *groups, int n, LogRankGroup *sums, LogRank *test)
{
	double	   *room = malloc(log_rank_room(n) * sizeof(double));

	assert_true(log_rank(groups, n, room, NULL, sums, test));
	free(room);
}

static void
test_published_log_rank(void **state)
{
	Data		data[2];
	RiskTimes	groups[3] = {0};
	LogRankGroup sums[3];
	LogRank		test;

	(void) state;
	READ_SIGNED(&data[0], mercaptopurine);
	READ_SIGNED(&data[1], control);
	groups[0] = data[0].times;
	groups[1] = data[1].times;
	/* the third is empty, and does not count */
	for (int n = 2; n <= 3; n++)
	{
		compare(groups, n, sums, &test);
		assert_true(sums[0].observed == 9 && sums[1].observed == 21 && test.df == 1);
		assert_relative(sums[0].expected, 19.250500948031130, GOLDEN);
		assert_relative(sums[1].expected, 30 - 19.250500948031130, GOLDEN);
		assert_relative(sums[0].variance, 6.2569605736755001, GOLDEN);
		assert_relative(test.statistic, 16.792940989216533, GOLDEN);
		assert_relative(test.p_value, 0.000041688091093345419, GOLDEN);
	}
	compare(groups, 1, sums, &test);
	assert_true(test.df == 0 && isnan(test.statistic) && isnan(test.p_value));
	data_free(&data[0]);
	data_free(&data[1]);
}

/* ---- delayed entry ------------------------------------------------------------------------------- */

/* entry, tenure, event */
static const double delayed_1[][3] = {{0, 5, 1}, {0, 8, 0}, {2, 8, 1}, {3, 9, 1}, {0, 12, 0}, {4, 12, 1}, {5, 15, 1},
	{1, 5, 1}, {6, 15, 0}, {0, 20, 1}};
static const double delayed_2[][3] = {{0, 3, 1}, {0, 6, 1}, {2, 6, 1}, {3, 7, 0}, {1, 8, 1}, {5, 9, 1}, {4, 10, 1},
	{6, 11, 0}};
static const double delayed_3[][3] = {{1, 4, 0}, {0, 9, 1}, {3, 13, 1}, {5, 16, 0}, {2, 18, 1}, {0, 5, 1}};

static void
read_rows(Data *data, const double (*rows)[3], int n)
{
	data_init(data);
	for (int i = 0; i < n; i++)
		data_add(data, rows[i][0], rows[i][1], rows[i][2] != 0);
	data_read(data);
}

#define READ_ROWS(data, rows) read_rows(data, rows, sizeof(rows) / sizeof(rows[0]))

/* references by test/reference/make_survival */
static void
test_delayed_entry(void **state)
{
	static const double first[][9] = {
		{5, 8, 2, 0, 0.75, 0.15309310892394863114, 0.31480711370551903374, 0.93089831709062752091, 0.25},
		{8, 8, 1, 1, 0.65625, 0.16010860571811872474, 0.26960568951357628007, 0.87340702796856225315, 0.375},
		{9, 6, 1, 0, 0.546875, 0.16664632037266829493, 0.19719129974752029133, 0.79903338801968344061,
		0.54166666666666666667},
		{12, 5, 1, 1, 0.4375, 0.16535945694153691191, 0.13193954311591804895, 0.71361500641565107353,
		0.74166666666666666667},
		{15, 3, 1, 1, 0.29166666666666666667, 0.16226835341038781404, 0.050518933328959449804,
		0.60137714730209384068, 1.075},
	};
	SurvivalPoint points[MOST_POINTS];
	LifetimeEstimate e;
	Data		data;

	(void) state;
	READ_ROWS(&data, delayed_1);
	assert_int_equal(read_points(&data.times, points), 6);
	for (int i = 0; i < 5; i++)
		assert_point(&points[i], first[i]);
	assert_true(points[5].at == 20 && points[5].survival == 0);
	assert_mean(&data.times, 9, 7.90625, 0.59968253319985900687);
	assert_true(survival_quantile(&data.times, 0.5, CONF, NULL, &e));
	assert_true(e.value == 12 && e.estimate.conf_low == 5 && isnan(e.estimate.conf_high));
	data_free(&data);
	/* survival is exactly one half from 6 on */
	READ_ROWS(&data, delayed_2);
	assert_mean(&data.times, 9, 6.625, 1.1244211473761362279);
	assert_true(survival_quantile(&data.times, 0.5, CONF, NULL, &e));
	assert_true(e.value == 6 && e.estimate.conf_low == 3 && e.estimate.conf_high == 10);
	assert_true(survival_at(&data.times, 11, CONF, NULL, &e) && e.known_until == 11);
	assert_relative(e.estimate.std_error, 0.11967838846954226375, GOLDEN);
	data_free(&data);
}

static void
test_delayed_log_rank(void **state)
{
	static const double expected[] = {8.7734809308338720103, 3.2662572721396250808, 4.9602617970265029089};
	static const double variance[] = {3.6653728888875424865, 2.1310520059050421422, 3.0806895926661649693};
	Data		data[3];
	RiskTimes	groups[3];
	LogRankGroup sums[3];
	LogRank		test;

	(void) state;
	READ_ROWS(&data[0], delayed_1);
	READ_ROWS(&data[1], delayed_2);
	READ_ROWS(&data[2], delayed_3);
	for (int i = 0; i < 3; i++)
		groups[i] = data[i].times;
	compare(groups, 3, sums, &test);
	for (int i = 0; i < 3; i++)
	{
		assert_relative(sums[i].expected, expected[i], GOLDEN);
		assert_relative(sums[i].variance, variance[i], GOLDEN);
		data_free(&data[i]);
	}
	assert_int_equal(test.df, 2);
	assert_relative(test.statistic, 3.5072390233554163431, GOLDEN);
	assert_relative(test.p_value, 0.17314610355519811146, GOLDEN);
}

/* ---- what is not known ----------------------------------------------------------------------------- */

static LifetimeEstimate
ask_survival(const RiskTimes *times, double t)
{
	LifetimeEstimate e;

	assert_true(survival_at(times, t, CONF, NULL, &e));
	return e;
}

static void
test_used_up(void **state)
{
	/* the only one at risk has the event at 2, when another enters; two more come later */
	static const double rows[][3] = {{0, 2, 1}, {2, 5, 1}, {3, 9, 0}, {3, 7, 1}};
	SurvivalPoint points[MOST_POINTS];
	LifetimeEstimate e;
	Data		data;

	(void) state;
	READ_ROWS(&data, rows);
	assert_int_equal(read_points(&data.times, points), 3);
	assert_true(points[0].n_risk == 1 && points[1].n_risk == 3 && points[2].n_risk == 2);
	for (int i = 0; i < 3; i++)
		assert_true(isnan(points[i].survival) && isnan(points[i].cumulative_hazard));
	e = ask_survival(&data.times, 1.9);
	assert_true(e.value == 1 && isnan(e.estimate.std_error) && e.trouble == RISK_USED_UP && e.known_until == 2);
	assert_true(isnan(ask_survival(&data.times, 2).value));
	assert_true(survival_quantile(&data.times, 0.5, CONF, NULL, &e) && isnan(e.value) && isnan(e.estimate.conf_low));
	assert_true(mean_lifetime(&data.times, 2, CONF, NULL, &e) && isnan(e.value));
	data_free(&data);
}

/* lifetimes whose squares are beyond a double: the standard error of 1, 2, 3 is sqrt(2) / 3 */
static void
test_any_unit_of_time(void **state)
{
	Data		data;
	LifetimeEstimate e;

	(void) state;
	READ_ROWS(&data, ((const double[][3]) {{0, 1e200, 1}, {0, 2e200, 1}, {0, 3e200, 1}}));
	assert_true(mean_lifetime(&data.times, INFINITY, CONF, NULL, &e));
	assert_relative(e.value, 2e200, 1e-14);
	assert_relative(e.estimate.std_error, 1e200 * sqrt(2) / 3, 1e-14);
	assert_relative(e.estimate.conf_high - e.value, e.estimate.std_error * 1.959963984540054, 1e-13);
	data_free(&data);
}

static void
test_gap(void **state)
{
	static const double rows[][3] = {{1, 2, 1}, {1, 3, 0}, {4, 6, 1}, {4, 7, 0}};
	SurvivalPoint points[MOST_POINTS];
	LifetimeEstimate e;
	Data		data;

	(void) state;
	READ_ROWS(&data, rows);
	assert_int_equal(read_points(&data.times, points), 2);
	assert_true(points[0].survival == 0.5 && points[0].n_censored == 1 && isnan(points[1].survival));
	e = ask_survival(&data.times, 3);
	assert_true(e.value == 0.5 && e.trouble == RISK_GAP && e.known_until == 3 && e.known_from == 1);
	assert_true(isnan(ask_survival(&data.times, 3.5).value) && isnan(ask_survival(&data.times, 6).value));
	assert_true(isnan(ask_survival(&data.times, 0.5).value) && ask_survival(&data.times, 1).value == 1);
	assert_true(mean_lifetime(&data.times, 3, CONF, NULL, &e) && e.value == 2.5);
	assert_true(mean_lifetime(&data.times, 0.5, CONF, NULL, &e) && isnan(e.value));
	data_free(&data);
	/* a gap behind the last event */
	READ_ROWS(&data, ((const double[][3]) {{0, 2, 1}, {0, 3, 0}, {4, 6, 0}}));
	assert_true(ask_survival(&data.times, 5).trouble == RISK_GAP && isnan(ask_survival(&data.times, 5).value));
	data_free(&data);
	/* no gap: one enters when the other leaves */
	READ_ROWS(&data, ((const double[][3]) {{0, 2, 1}, {0, 3, 0}, {3, 6, 0}}));
	assert_true(ask_survival(&data.times, 5).trouble == RISK_NONE && ask_survival(&data.times, 5).value == 0.5);
	data_free(&data);
}

static void
test_no_events(void **state)
{
	SurvivalPoint points[MOST_POINTS];
	LifetimeEstimate e;
	Data		data;

	(void) state;
	READ_ROWS(&data, ((const double[][3]) {{0, 2, 0}, {0, 3, 0}}));
	assert_int_equal(read_points(&data.times, points), 0);
	e = ask_survival(&data.times, 3);
	assert_true(e.value == 1 && isnan(e.estimate.std_error) && isnan(e.estimate.conf_low) && e.known_until == 3);
	assert_true(mean_lifetime(&data.times, 2, CONF, NULL, &e) && e.value == 2 && isnan(e.estimate.std_error));
	data_free(&data);
	data_init(&data);
	data_read(&data);
	assert_true(isnan(ask_survival(&data.times, 0).value));
	assert_true(mean_lifetime(&data.times, 2, CONF, NULL, &e) && isnan(e.value));
	assert_true(survival_quantile(&data.times, 0.5, CONF, NULL, &e) && isnan(e.value));
	data_free(&data);
}

/* Groups that never are at risk together: two and two of four can be compared. */
static void
test_groups_apart(void **state)
{
	Data		data[4];
	RiskTimes	groups[4];
	LogRankGroup sums[4];
	LogRank		test;
	LogRank		first;
	LogRank		second;

	(void) state;
	READ_ROWS(&data[0], ((const double[][3]) {{0, 2, 1}, {0, 3, 1}, {0, 5, 0}}));
	READ_ROWS(&data[1], ((const double[][3]) {{0, 1, 1}, {0, 2, 1}, {1, 4, 1}}));
	READ_ROWS(&data[2], ((const double[][3]) {{10, 12, 1}, {10, 13, 1}, {10, 15, 1}}));
	READ_ROWS(&data[3], ((const double[][3]) {{10, 14, 1}, {10, 15, 0}, {10, 16, 1}}));
	for (int i = 0; i < 4; i++)
		groups[i] = data[i].times;
	compare(groups, 2, sums, &first);
	compare(groups + 2, 2, sums, &second);
	assert_true(first.df == 1 && second.df == 1);
	compare(groups, 4, sums, &test);
	assert_int_equal(test.df, 2);
	assert_relative(test.statistic, first.statistic + second.statistic, 1e-13);
	/* one of each: nothing to compare */
	compare(groups + 1, 2, sums, &test);
	assert_true(test.df == 0 && isnan(test.statistic) && sums[0].observed == sums[0].expected);
	for (int i = 0; i < 4; i++)
		data_free(&data[i]);
}

/* ---- the definitions, on random data ---------------------------------------------------------------- */

#define RANDOM_ROWS 120

typedef struct Brute
{
	int			n;
	double		row[RANDOM_ROWS][3];
} Brute;

static double
brute_risk(const Brute *b, double t)
{
	double		n = 0;

	for (int i = 0; i < b->n; i++)
		n += b->row[i][0] < t && t <= b->row[i][1];
	return n;
}

static double
brute_events(const Brute *b, double t, bool event)
{
	double		n = 0;

	for (int i = 0; i < b->n; i++)
		n += b->row[i][1] == t && (b->row[i][2] != 0) == event;
	return n;
}

static double
brute_next_event(const Brute *b, double after)
{
	double		t = INFINITY;

	for (int i = 0; i < b->n; i++)
		if (b->row[i][2] != 0 && b->row[i][1] > after)
			t = fmin(t, b->row[i][1]);
	return t;
}

/* Whether the risk set is empty at some time before t, or used up by events at t or before, with later entries. */
static bool
brute_trouble(const Brute *b, double t)
{
	for (int i = 0; i < b->n; i++)
	{
		double		u = b->row[i][1];
		double		after = 0;
		double		later = 0;
		double		not_before = 0;

		for (int j = 0; j < b->n; j++)
		{
			after += b->row[j][0] <= u && b->row[j][1] > u;
			later += b->row[j][0] > u;
			not_before += b->row[j][0] >= u;
		}
		if (u < t && after == 0 && later > 0)
			return true;
		if (u <= t && not_before > 0 && brute_events(b, u, true) == brute_risk(b, u))
			return true;
	}
	return false;
}

/* some data have whole times and few rows at risk in the beginning, others none twice */
static void
draw_rows(Random *random, Brute *b, bool whole, double latest_entry)
{
	for (int i = 0; i < b->n; i++)
	{
		double		entry = latest_entry * random_uniform(random);
		double		length = -8 * log(random_uniform(random));
		bool		delayed = random_uniform(random) < 0.7;

		b->row[i][0] = delayed ? (whole ? floor(entry) : entry) : 0;
		b->row[i][1] = whole ? b->row[i][0] + 1 + floor(length) : b->row[i][0] + length + 1e-6;
		b->row[i][2] = random_uniform(random) < 0.6;
	}
}

/* With regressors drawn beside the rows, so that times are not in order. */
static void
read_brute(const Brute *b, Random *random, Data *data)
{
	Rows		rows;

	sample_init(&data->sample, 4);
	for (int i = 0; i < b->n; i++)
	{
		const double *row = b->row[i];

		sample_add(&data->sample, (double[]) {floor(5 * random_uniform(random)), row[0], row[1], row[2]}, 1);
	}
	rows = *sample_fold(&data->sample);
	rows.ncols = 3;
	rows.ncovariates = 1;
	data->room = malloc((risk_times_room(&rows) + 1) * sizeof(TimeCount));
	assert_true(read_risk_times(&rows, data->room, NULL, &data->times));
}

static int
check_brute_curve(const Brute *b, const RiskTimes *times)
{
	SurvivalPoint points[MOST_POINTS];
	int			n = read_points(times, points);
	long double survival = 1;
	long double greenwood = 0;
	long double hazard = 0;
	double		t = brute_next_event(b, 0);
	int			known = 0;

	for (int i = 0; i < n; i++, t = brute_next_event(b, t))
	{
		double		r = brute_risk(b, t);
		double		d = brute_events(b, t, true);
		double		censored = 0;

		for (int j = 0; j < b->n; j++)
			censored += b->row[j][2] == 0 && b->row[j][1] >= t && b->row[j][1] < brute_next_event(b, t);
		survival *= (r - d) / (long double) r;
		greenwood += d / (long double) (r * (r - d));
		hazard += d / (long double) r;
		assert_true(points[i].at == t && points[i].n_risk == r && points[i].n_events == d &&
					points[i].n_censored == censored);
		if (brute_trouble(b, t))
		{
			assert_true(isnan(points[i].survival) && isnan(points[i].greenwood));
			assert_true(isnan(ask_survival(times, t).value));
			continue;
		}
		known++;
		assert_near(points[i].survival, (double) survival, 1e-15 * (double) survival);
		assert_relative(points[i].cumulative_hazard, (double) hazard, 1e-14);
		if (t >= times->entries[0].at)
			assert_true(ask_survival(times, t).value == points[i].survival);
		if (r > d)
			assert_relative(survival_estimate(&points[i], CONF).std_error, (double) (survival * sqrtl(greenwood)),
							1e-14);
	}
	assert_true(t == INFINITY);
	return known;
}

static void
test_random_curves(void **state)
{
	Random		random;
	int			known = 0;
	int			troubled = 0;

	(void) state;
	random_seed(&random, 20261122);
	for (int i = 0; i < 400; i++)
	{
		Brute		b = {.n = 1 + (int) (RANDOM_ROWS * random_uniform(&random) * (i % 4 ? 1 : 0.05))};
		Data		data;

		draw_rows(&random, &b, i % 2 == 0, i % 3 == 0 ? 60 : 6);
		read_brute(&b, &random, &data);
		known += check_brute_curve(&b, &data.times);
		troubled += brute_trouble(&b, INFINITY);
		data_free(&data);
	}
	assert_true(known > 3000 && troubled > 30 && troubled < 350);
}

/* Two groups: (O - E)^2 / V summed over all times, as in every textbook. */
static void
test_random_log_rank(void **state)
{
	Random		random;

	(void) state;
	random_seed(&random, 6);
	for (int i = 0; i < 100; i++)
	{
		Brute		b[2] = {{.n = 80}, {.n = 100}};
		Data		data[2];
		RiskTimes	groups[2];
		LogRankGroup sums[2];
		LogRank		test;
		long double difference = 0;
		long double variance = 0;
		double		t = 0;

		for (int j = 0; j < 2; j++)
		{
			draw_rows(&random, &b[j], i % 2 == 0, 6);
			read_brute(&b[j], &random, &data[j]);
			groups[j] = data[j].times;
		}
		while (isfinite(t = fmin(brute_next_event(&b[0], t), brute_next_event(&b[1], t))))
		{
			long double n0 = brute_risk(&b[0], t);
			long double n = n0 + brute_risk(&b[1], t);
			long double d = brute_events(&b[0], t, true) + brute_events(&b[1], t, true);

			difference += brute_events(&b[0], t, true) - d * n0 / n;
			if (n > 1)
				variance += d * (n - d) / (n - 1) * (n0 / n) * (1 - n0 / n);
		}
		compare(groups, 2, sums, &test);
		assert_int_equal(test.df, 1);
		assert_near(test.statistic, (double) (difference * difference / variance), 1e-11 * fmax(1, test.statistic));
		data_free(&data[0]);
		data_free(&data[1]);
	}
}

/* ---- precision and stopping ------------------------------------------------------------------------ */

/* 200,000 factors, of which none is a double; what is left is 1/2 */
static void
test_exact_half(void **state)
{
	const int	n = 400000;
	LifetimeEstimate e;
	Data		data;

	(void) state;
	data_init(&data);
	for (int i = 1; i <= n; i++)
		data_add(&data, 0, i, true);
	data_read(&data);
	assert_true(ask_survival(&data.times, n / 2).value == 0.5);
	assert_true(ask_survival(&data.times, n - 1).value == 1.0 / n);
	assert_true(survival_quantile(&data.times, 0.5, CONF, NULL, &e) && e.value == n / 2);
	assert_true(survival_quantile(&data.times, 0.9, CONF, NULL, &e) && e.value == n * 0.9);
	/* uncensored, the variance is that of a binomial */
	assert_relative(ask_survival(&data.times, n / 2).estimate.std_error, 0.5 / sqrt(n), 1e-13);
	assert_true(mean_lifetime(&data.times, INFINITY, CONF, NULL, &e));
	assert_relative(e.value, (n + 1) / 2.0, 1e-14);
	/* that of the mean is sum of squares / n^2 */
	assert_relative(e.estimate.std_error, sqrt(((double) n * n - 1) / 12 / n), 1e-12);
	data_free(&data);
}

/* one row of a billion leaves: 1 - survival has its digits in the interval */
static void
test_rare_event(void **state)
{
	LifetimeEstimate e;
	Data		data;

	(void) state;
	data_init(&data);
	sample_add(&data.sample, (double[]) {0, 1, 1}, 1);
	sample_add(&data.sample, (double[]) {0, 2, 0}, 1e9 - 1);
	data_read(&data);
	e = ask_survival(&data.times, 1);
	assert_relative(e.estimate.std_error, 1e-9, 1e-8);
	assert_relative(1 - e.estimate.conf_low, 1e-9 * exp(1.9599639845400542), 1e-6);
	assert_relative(1 - e.estimate.conf_high, 1e-9 * exp(-1.9599639845400542), 1e-6);
	data_free(&data);
}

static bool
stop_after(void *arg)
{
	int		   *left = arg;

	return (*left)-- == 0;
}

/* Stops wherever it is asked to: reading, sorting, walking. */
static void
test_stop(void **state)
{
	Brute		b;
	Data		data;
	Random		random;
	RiskTimes	times;
	int			left;
	FitStop		stop = {stop_after, &left};
	int			polls = 0;
	double		room[64];
	LogRankGroup sums[2];
	LogRank		test;
	LifetimeEstimate e;

	(void) state;
	random_seed(&random, 1);
	b.n = RANDOM_ROWS;
	draw_rows(&random, &b, false, 6);
	read_brute(&b, &random, &data);
	data.sample.rows.ncols = 3;
	data.sample.rows.ncovariates = 1;
	do
		left = polls++;
	while (!read_risk_times(&data.sample.rows, data.room, &stop, &times));
	assert_true(polls > 3);
	data_free(&data);

	data_init(&data);
	for (int i = 1; i <= 200000; i++)
		data_add(&data, 0, i, i % 2);
	data_read(&data);
	left = 0;
	assert_false(survival_at(&data.times, 200000, CONF, &stop, &e));
	left = 2;
	assert_false(mean_lifetime(&data.times, 200000, CONF, &stop, &e));
	left = 1;
	assert_false(survival_quantile(&data.times, 0.5, CONF, &stop, &e));
	left = 0;
	assert_true(log_rank_room(2) <= sizeof(room) / sizeof(room[0]));
	assert_false(log_rank((RiskTimes[]) {data.times, data.times}, 2, room, &stop, sums, &test));
	data_free(&data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published_curve),
		cmocka_unit_test(test_published_lifetimes),
		cmocka_unit_test(test_published_log_rank),
		cmocka_unit_test(test_delayed_entry),
		cmocka_unit_test(test_delayed_log_rank),
		cmocka_unit_test(test_used_up),
		cmocka_unit_test(test_gap),
		cmocka_unit_test(test_any_unit_of_time),
		cmocka_unit_test(test_no_events),
		cmocka_unit_test(test_groups_apart),
		cmocka_unit_test(test_random_curves),
		cmocka_unit_test(test_random_log_rank),
		cmocka_unit_test(test_exact_half),
		cmocka_unit_test(test_rare_event),
		cmocka_unit_test(test_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
