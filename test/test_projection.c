/*
 * test_projection.c - lift projection: a saturated example worked out by hand to 17 digits, standard errors against
 * numeric differentiation of the estimates, values against the sums that define them.
 */
#include "support.h"

#include <math.h>
#include <string.h>

#include "math/inference.h"
#include "math/projection.h"
#include "math/regression.h"

#define CONF 0.95

/*
 * 100 customers without resolution of whom 30 churned, 120 with it of whom 12 churned; a lift of 0.05 in the share of
 * resolved, 120 of margin a period, 10 percent of discount, 100,000 customers, a cost of 300,000.
 */
static const double logit_theta[] = {-0.84729786038720345, -1.3499267169490159};
#define VARIANCE_A (1.0 / 30 + 1.0 / 70)
#define VARIANCE_B (VARIANCE_A + 1.0 / 12 + 1.0 / 108)
static const double logit_covariance[] = {VARIANCE_A, -VARIANCE_A, -VARIANCE_A, VARIANCE_B};
static const double linear_theta[] = {0.3, -0.2};
#define CELL_0 (0.3 * 0.7 / 100)
#define CELL_1 (0.1 * 0.9 / 120)
static const double linear_covariance[] = {CELL_0, -CELL_0, -CELL_0, CELL_0 + CELL_1};

static const LiftQuestion published = {
	.churn = {&logit_model, 2, logit_theta, logit_covariance},
	.driver = 0, .lift = 0.05, .low = 0, .high = 1, .margin = 120, .margin_share = 1, .rate = 0.1,
	.horizon = INFINITY, .customers = 100000, .cost = 300000, .conf = CONF, .churn_df = NAN, .df = NAN
};

static void
project(const LiftQuestion *q, const Rows *rows, LiftProjection *p)
{
	assert_int_equal(project_lift(q, rows, NULL, p), LIFT_PROJECTED);
}

static void
assert_interval(const LiftProjection *p, LiftQuantity quantity, double std_error, double low, double high)
{
	assert_relative(p->interval[quantity].std_error, std_error, 1e-12);
	assert_relative(p->interval[quantity].conf_low, low, 1e-12);
	assert_relative(p->interval[quantity].conf_high, high, 1e-12);
}

static void
test_worked_example(void **state)
{
	const double row[] = {120.0 / 220, 0, 220};
	Rows		rows = {1, 1, row, 1, NAN};
	LiftQuestion q = published;
	LiftProjection p;

	(void) state;
	project(&q, &rows, &p);
	assert_relative(p.estimate[LIFT_CHURN_BEFORE], 0.17028319720391615, 1e-12);
	assert_relative(p.estimate[LIFT_CHURN_AFTER], 0.16095792483050642, 1e-12);
	assert_relative(p.estimate[LIFT_CHURN_CHANGE], -0.0093252723734097301, 1e-12);
	assert_relative(p.interval[LIFT_CHURN_CHANGE].std_error, 0.0023273521216392883, 1e-12);
	assert_relative(p.estimate[LIFT_VALUE_BEFORE], 488.37664111399466, 1e-12);
	assert_relative(p.estimate[LIFT_VALUE_AFTER], 505.82866983531814, 1e-12);
	assert_relative(p.estimate[LIFT_VALUE_CHANGE], 17.452028721323485, 1e-12);
	assert_interval(&p, LIFT_VALUE_CHANGE, 5.5217837481902099, 6.6295314444520854, 28.274525998194884);
	assert_relative(p.estimate[LIFT_VALUE_BY_RETENTION], p.estimate[LIFT_VALUE_CHANGE], 1e-15);
	assert_true(isnan(p.estimate[LIFT_VALUE_BY_EXPANSION]));
	assert_relative(p.estimate[LIFT_RETURN], 1745202.8721323485, 1e-12);
	assert_relative(p.estimate[LIFT_NET], 1445202.8721323485, 1e-12);
	assert_relative(p.estimate[LIFT_ROI], 4.8173429071078282, 1e-12);
	assert_relative(p.interval[LIFT_ROI].conf_low, 1.2098438148173618, 1e-12);
	assert_relative(p.interval[LIFT_ROI].conf_high, 8.4248419993982946, 1e-12);
	assert_relative(p.estimate[LIFT_PROBABILITY_OF_BREAK_EVEN], 0.99556826002732854, 1e-12);
	assert_relative(p.estimate[LIFT_REQUIRED], 0.0086854947272011323, 1e-12);
	assert_relative(p.interval[LIFT_REQUIRED].std_error, 0.0027297847835804373, 1e-12);
	assert_true(p.estimate[LIFT_CLIPPED_SHARE] == 0);

	/* an interval of a probability is symmetric in its logit */
	assert_relative(log(p.interval[LIFT_CHURN_AFTER].conf_low / (1 - p.interval[LIFT_CHURN_AFTER].conf_low)) +
					log(p.interval[LIFT_CHURN_AFTER].conf_high / (1 - p.interval[LIFT_CHURN_AFTER].conf_high)),
					2 * log(0.16095792483050642 / (1 - 0.16095792483050642)), 1e-12);

	/* t of 1 degree of freedom is Cauchy's distribution */
	q.df = 1;
	project(&q, &rows, &p);
	assert_relative(p.interval[LIFT_NET].conf_high - p.estimate[LIFT_NET],
					tan(M_PI * 0.475) * 100000 * 5.5217837481902099, 1e-9);
	assert_relative(p.estimate[LIFT_PROBABILITY_OF_BREAK_EVEN],
					0.5 + atan(1445202.8721323485 / (100000 * 5.5217837481902099)) / M_PI, 1e-9);
	q.df = NAN;

	/* the same as a mixture of the two cells */
	q.churn = (FittedModel) {&lm_model, 2, linear_theta, linear_covariance};
	project(&q, &rows, &p);
	assert_relative(p.estimate[LIFT_CHURN_CHANGE], -0.01, 1e-12);
	assert_interval(&p, LIFT_CHURN_CHANGE, 0.0026692695630078278, -0.015231672208524312, -0.0047683277914756885);
	assert_true(p.beyond_share == 0);
}

/* ---- several customers, both models --------------------------------------------------------------- */

static const double churn_theta[] = {-0.5, -1.2, 0.3};
static const double churn_covariance[] = {
	0.04, -0.02, 0.001,
	-0.02, 0.05, -0.002,
	0.001, -0.002, 0.01
};
static const double margin_theta[] = {80, 35, -4};
static const double margin_covariance[] = {
	25, -9, 0.5,
	-9, 36, 1,
	0.5, 1, 4
};
/* a cluster, two x, a response that is of no interest, a count */
static const double customers[] = {
	7, 0.10, 1.0, 0, 3,
	7, 0.50, -2.0, 1, 5,
	8, 0.93, 0.5, 0, 2,
	9, 0.97, 3.0, 1, 4,
	9, 1.00, 0.0, 1, 1
};
static const Rows customer_rows = {5, 1, customers, 3, NAN};

static LiftQuestion
both_models(void)
{
	LiftQuestion q = published;

	q.churn = (FittedModel) {&logit_model, 3, churn_theta, churn_covariance};
	q.margins = (FittedModel) {&lm_model, 3, margin_theta, margin_covariance};
	q.margin_share = 0.4;
	q.cost = 20000;
	q.customers = 5000;
	return q;
}

static double
value_by_definition(const double *row, double step, double margin_step, double horizon, double rate)
{
	double		eta = churn_theta[0] + churn_theta[1] * (row[1] + step) + churn_theta[2] * row[2];
	double		margin = 0.4 * (margin_theta[0] + margin_theta[1] * (row[1] + margin_step) + margin_theta[2] * row[2]);
	double		value = 0;

	/* who stays does so with the probability 1 / (1 + exp(eta)) */
	for (int t = 0; t < horizon; t++)
		value += margin * pow((1 + exp(eta)) * (1 + rate), -t);
	return value;
}

static void
test_values_by_definition(void **state)
{
	const double horizons[] = {1, 2, 7, 2000};

	(void) state;
	for (int h = 0; h < 4; h++)
	{
		LiftQuestion q = both_models();
		LiftProjection p;
		double		before = 0;
		double		after = 0;
		double		retained = 0;

		q.horizon = horizons[h];
		for (int i = 0; i < 5; i++)
		{
			const double *row = customers + 5 * i;
			double		step = fmin(0.05, 1 - row[1]);

			before += row[4] / 15 * value_by_definition(row, 0, 0, q.horizon, q.rate);
			after += row[4] / 15 * value_by_definition(row, step, step, q.horizon, q.rate);
			retained += row[4] / 15 * value_by_definition(row, step, 0, q.horizon, q.rate);
		}
		project(&q, &customer_rows, &p);
		assert_relative(p.estimate[LIFT_VALUE_BEFORE], before, 1e-13);
		assert_relative(p.estimate[LIFT_VALUE_AFTER], after, 1e-13);
		assert_relative(p.estimate[LIFT_VALUE_BY_RETENTION] + 1, retained - before + 1, 1e-12);
		assert_relative(p.estimate[LIFT_VALUE_BY_EXPANSION], after - retained, 1e-12);
		assert_relative(p.estimate[LIFT_CLIPPED_SHARE], 5.0 / 15, 1e-13);
		assert_relative(p.estimate[LIFT_NET], q.customers * (after - before) - q.cost, 1e-11);
		if (q.horizon == 2000)
		{
			LiftProjection endless;

			q.horizon = INFINITY;
			project(&q, &customer_rows, &endless);
			assert_relative(endless.estimate[LIFT_VALUE_CHANGE], p.estimate[LIFT_VALUE_CHANGE], 1e-12);
			assert_relative(endless.interval[LIFT_VALUE_CHANGE].std_error,
							p.interval[LIFT_VALUE_CHANGE].std_error, 1e-12);
		}
	}
}

typedef struct Asked
{
	LiftQuestion q;
	const Rows *rows;
	LiftQuantity quantity;
} Asked;

static double
quantity_at(const double *theta, const double *second_theta, void *arg)
{
	Asked		asked = *(Asked *) arg;
	LiftProjection p;

	asked.q.churn.theta = theta;
	if (second_theta)
		asked.q.margins.theta = second_theta;
	project(&asked.q, asked.rows, &p);
	return p.estimate[asked.quantity];
}

static void
assert_errors_as_differences(const LiftQuestion *q, const Rows *rows, double tolerance)
{
	LiftProjection p;

	project(q, rows, &p);
	for (int i = 0; i < LIFT_QUANTITIES; i++)
	{
		Asked		asked = {*q, rows, (LiftQuantity) i};
		double		value;
		Estimate	e;

		if (i == LIFT_PROBABILITY_OF_BREAK_EVEN || i == LIFT_CLIPPED_SHARE || isnan(p.estimate[i]))
			continue;
		e = prediction_interval(quantity_at, &asked, &q->churn, q->margins.model ? &q->margins : NULL, PREDICTION_LOG,
								CONF, NULL, &value);
		assert_relative(p.interval[i].std_error, e.std_error, tolerance);
	}
}

static void
test_errors_as_differences(void **state)
{
	LiftQuestion q = both_models();

	(void) state;
	assert_errors_as_differences(&q, &customer_rows, 1e-7);
	q.horizon = 5;
	assert_errors_as_differences(&q, &customer_rows, 1e-7);
	q.lift = -0.04;
	q.cost = 0.01;				/* the lift does harm: required_lift does not exist */
	assert_errors_as_differences(&q, &customer_rows, 1e-7);
	q = both_models();
	q.margins.model = NULL;
	assert_errors_as_differences(&q, &customer_rows, 1e-7);
	q.churn = (FittedModel) {&lm_model, 3, (const double[]) {0.3, -0.15, 0.02}, churn_covariance};
	q.cost = 1000;
	assert_errors_as_differences(&q, &customer_rows, 1e-7);
}

/* ---- the lift that pays ------------------------------------------------------------------------------- */

static void
test_required_lift(void **state)
{
	LiftProjection p;
	LiftProjection at;

	(void) state;
	/* of a driver up and of the mirrored driver down, through retention, expansion or both */
	for (int mirrored = 0; mirrored < 2; mirrored++)
		for (double cost = 1e2; cost < 2e5; cost *= 3)
		{
			LiftQuestion q = both_models();
			double		theta[2][3];
			double		mirror[25];
			Rows		rows = {5, 1, mirror, 3, NAN};

			memcpy(theta[0], churn_theta, sizeof(churn_theta));
			memcpy(theta[1], margin_theta, sizeof(margin_theta));
			memcpy(mirror, customers, sizeof(customers));
			q.churn.theta = theta[0];
			q.margins.theta = theta[1];
			if (mirrored)
			{
				theta[0][1] *= -1;
				theta[1][1] *= -1;
				for (int i = 0; i < 5; i++)
					mirror[5 * i + 1] *= -1;
				q.lift *= -1;
				q.low = -1;
				q.high = 0;
			}
			q.cost = cost;
			project(&q, &rows, &p);
			assert_true(p.estimate[LIFT_REQUIRED] * q.lift > 0);
			q.lift = p.estimate[LIFT_REQUIRED];
			project(&q, &rows, &at);
			assert_relative(at.estimate[LIFT_RETURN], cost, 1e-12);
			assert_relative(at.estimate[LIFT_PROBABILITY_OF_BREAK_EVEN], 0.5, 1e-9);
		}
}

/* The ends of the interval of net are 0 at those of the required lift; where no lift pays surely there is no end. */
static void
test_required_lift_interval(void **state)
{
	const double row[] = {120.0 / 220, 0, 220};
	const Rows	rows = {1, 1, row, 1, NAN};
	LiftQuestion q = both_models();
	LiftProjection p;
	LiftProjection at;
	double		low;
	double		high;

	(void) state;
	q.cost = 20;
	q.high = INFINITY;
	for (q.conf = 0.3; q.conf < 0.9; q.conf += 0.2)
	{
		q.lift = 0.05;
		project(&q, &customer_rows, &p);
		low = p.interval[LIFT_REQUIRED].conf_low;
		high = p.interval[LIFT_REQUIRED].conf_high;
		assert_true(0 < low && low < p.estimate[LIFT_REQUIRED] && p.estimate[LIFT_REQUIRED] < high);
		q.lift = low;
		project(&q, &customer_rows, &at);
		assert_near(at.interval[LIFT_NET].conf_high, 0, 1e-9 * q.cost);
		q.lift = high;
		project(&q, &customer_rows, &at);
		assert_near(at.interval[LIFT_NET].conf_low, 0, 1e-9 * q.cost);
	}
	/* with an effect that may be none no lift pays surely */
	q = published;
	q.lift = 0.05;
	q.cost = 1000;
	q.conf = 1 - 1e-9;
	project(&q, &rows, &p);
	assert_true(p.interval[LIFT_REQUIRED].conf_low > 0 && isnan(p.interval[LIFT_REQUIRED].conf_high));
	assert_false(isnan(p.interval[LIFT_REQUIRED].std_error));
}

static void
test_required_lift_limits(void **state)
{
	LiftQuestion q = both_models();
	LiftProjection p;

	(void) state;
	q.cost = 0;
	project(&q, &customer_rows, &p);
	assert_true(p.estimate[LIFT_REQUIRED] == 0 && isnan(p.interval[LIFT_REQUIRED].std_error));
	assert_true(isnan(p.estimate[LIFT_ROI]));
	q.cost = 1e9;				/* beyond what everybody at the end of the scale would bring */
	project(&q, &customer_rows, &p);
	assert_true(isnan(p.estimate[LIFT_REQUIRED]) && p.estimate[LIFT_ROI] < 0);
	q.cost = 20000;				/* in the wrong direction */
	q.lift = -0.05;
	project(&q, &customer_rows, &p);
	assert_true(isnan(p.estimate[LIFT_REQUIRED]) && p.estimate[LIFT_VALUE_CHANGE] < 0);
	/* a scale without an end: retention brings a bounded sum, expansion does not */
	q.lift = 0.05;
	q.high = INFINITY;
	q.cost = 1e9;
	project(&q, &customer_rows, &p);
	assert_true(p.estimate[LIFT_REQUIRED] > 100 && p.estimate[LIFT_CLIPPED_SHARE] == 0);
	q.margins.model = NULL;
	project(&q, &customer_rows, &p);
	assert_true(isnan(p.estimate[LIFT_REQUIRED]));
}

/* ---- what is not known, and what cannot be -------------------------------------------------------------- */

static void
test_no_error_without_covariance(void **state)
{
	LiftQuestion q = both_models();
	LiftProjection p;

	(void) state;
	q.margins.covariance = NULL;
	project(&q, &customer_rows, &p);
	assert_false(isnan(p.estimate[LIFT_VALUE_CHANGE]));
	assert_true(isnan(p.interval[LIFT_VALUE_CHANGE].std_error) && isnan(p.estimate[LIFT_PROBABILITY_OF_BREAK_EVEN]));
	/* where nothing is lifted, nothing is uncertain about the change; that is no error of 0 */
	q = both_models();
	q.lift = 0;
	project(&q, &customer_rows, &p);
	assert_true(p.estimate[LIFT_CHURN_CHANGE] == 0 && p.estimate[LIFT_VALUE_CHANGE] == 0);
	assert_true(isnan(p.interval[LIFT_CHURN_CHANGE].std_error) && isnan(p.interval[LIFT_VALUE_CHANGE].conf_low));
	assert_false(isnan(p.interval[LIFT_CHURN_BEFORE].std_error));
	assert_true(p.estimate[LIFT_REQUIRED] > 0);
}

static bool
always(void *arg)
{
	(void) arg;
	return true;
}

static void
test_statuses(void **state)
{
	const FitStop stop = {always, NULL};
	LiftQuestion q = both_models();
	LiftProjection p;

	(void) state;
	assert_int_equal(project_lift(&q, &customer_rows, &stop, &p), LIFT_STOPPED);
	q.high = 0.95;
	assert_int_equal(project_lift(&q, &customer_rows, NULL, &p), LIFT_OFF_SCALE);
	assert_true(p.off_scale == 0.97);
	/* nobody leaves, nothing is discounted */
	q.high = 1;
	q.rate = 0;
	q.churn = (FittedModel) {&lm_model, 3, (const double[]) {0.01, -0.5, 0}, churn_covariance};
	assert_int_equal(project_lift(&q, &customer_rows, NULL, &p), LIFT_ENDLESS);
	q.horizon = 10;
	project(&q, &customer_rows, &p);
	assert_true(p.beyond_share == 1);
	assert_true(p.estimate[LIFT_CHURN_BEFORE] == 0 && isnan(p.interval[LIFT_CHURN_BEFORE].std_error));
	assert_true(isnan(p.estimate[LIFT_CHURN_CHANGE_RELATIVE]));
}

/* Shares are of counts: whole, however many rows make them up. */
static void
test_shares(void **state)
{
	enum
	{
		N = 7000
	};
	static double values[3 * N];	/* x, y, count */
	Rows		rows = {N, 1, values, 1, NAN};
	LiftQuestion q = published;
	LiftProjection p;

	(void) state;
	for (int i = 0; i < N; i++)
	{
		values[3 * i] = i / 7001.0;
		values[3 * i + 2] = 1 + i % 3;
	}
	q.lift = 5;
	project(&q, &rows, &p);
	assert_true(p.estimate[LIFT_CLIPPED_SHARE] == 1 && p.room == 1 && p.beyond_share == 0);
	q.lift = -1;
	project(&q, &rows, &p);
	assert_true(p.estimate[LIFT_CLIPPED_SHARE] == 1 && p.room == -6999 / 7001.0);
	q.lift = 0;
	project(&q, &rows, &p);
	assert_true(p.estimate[LIFT_CLIPPED_SHARE] == 0);
}

static void
test_slope_by_definition(void **state)
{
	(void) state;
	for (double retention = 0; retention <= 1; retention += 0.0625)
		for (double rate = -0.25; rate < 0.5; rate += 0.125)
			for (double periods = 1; periods < 400; periods = ceil(1.7 * periods))
			{
				double		sum = 0;

				for (double t = 1; t < periods; t++)
					sum += t * pow(retention, t - 1) * pow(1 + rate, -t);
				assert_relative(value_slope_in_retention(retention, rate, periods), sum, 1e-12);
			}
	/* near the point where growth and retention cancel: 1 + 2 + ... + (n - 1) */
	assert_relative(value_slope_in_retention(1 - 1e-12, 1e-12, 1001), 500500, 1e-8);
	assert_relative(value_slope_in_retention(1, 0, 1001), 500500, 1e-15);
	assert_relative(value_slope_in_retention(0.9, 0.1, INFINITY), 1.1 / 0.04, 1e-14);
	assert_true(isinf(value_slope_in_retention(1, 0, INFINITY)));
}

/* Shares of customers are not above 1 by rounding, and probabilities that are 1 to a double have no interval. */
static void
test_ends_of_scales(void **state)
{
	const double theta[] = {40, 40};
	LiftQuestion q = published;
	LiftProjection p;

	(void) state;
	q.churn.theta = theta;
	q.lift = 2;
	for (int n = 1; n <= 24; n++)
	{
		double		data[24 * 3];
		Rows		rows = {n, 1, data, 1, NAN};

		for (int i = 0; i < n; i++)
			memcpy(data + 3 * i, (double[]) {(double) i / n, 0, 1 + i % 3}, 3 * sizeof(double));
		project(&q, &rows, &p);
		assert_true(p.estimate[LIFT_CHURN_BEFORE] == 1 && p.estimate[LIFT_CHURN_AFTER] == 1);
		assert_true(p.estimate[LIFT_CLIPPED_SHARE] == 1);
		assert_true(isnan(p.interval[LIFT_CHURN_AFTER].std_error) && isnan(p.interval[LIFT_CHURN_AFTER].conf_high));
	}
}

/* An error beyond a double is none. */
static void
test_error_out_of_range(void **state)
{
	const double row[] = {0.5, 0, 1};
	const double covariance[] = {0.01, 0, 0, 0.01};
	Rows		rows = {1, 1, row, 1, NAN};
	LiftQuestion q = published;
	LiftProjection p;

	(void) state;
	q.churn.covariance = covariance;
	q.margin = 1e200;
	project(&q, &rows, &p);
	assert_true(isfinite(p.estimate[LIFT_VALUE_BEFORE]) && isnan(p.interval[LIFT_VALUE_BEFORE].std_error));
	assert_true(isnan(p.interval[LIFT_VALUE_BEFORE].conf_low) && isfinite(p.interval[LIFT_CHURN_CHANGE].std_error));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_worked_example),
		cmocka_unit_test(test_values_by_definition),
		cmocka_unit_test(test_errors_as_differences),
		cmocka_unit_test(test_required_lift),
		cmocka_unit_test(test_required_lift_interval),
		cmocka_unit_test(test_required_lift_limits),
		cmocka_unit_test(test_no_error_without_covariance),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_slope_by_definition),
		cmocka_unit_test(test_ends_of_scales),
		cmocka_unit_test(test_error_out_of_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
