-- lift_projection: what a lift of a driver is worth.
\set VERBOSITY terse
-- SQLSTATE, message, detail and hint of a statement that must fail
CREATE FUNCTION projection_failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN format('%s: %s | %s | %s', SQLSTATE, SQLERRM, detail, hint);
END $$;

-- Two cells ------------------------------------------------------------------------------------------------------------
-- 100 customers without resolution of whom 30 churned, 120 with it of whom 12 churned: logistic and linear model with
-- their covariances by hand (the linear one is HC0), one row of customers at the share of resolved.
CREATE TABLE cells AS
SELECT format('logit{intercept=%s,x1=%s}{%s,%s,%s,%s}', a, ln(1 / 9.0::float8) - a, va, -va, -va, va + vb)::clv_model AS logistic,
       format('lm{intercept=0.3,x1=-0.2}{%s,%s,%s,%s}', v0, -v0, -v0, v0 + v1)::clv_model AS linear,
       format('response(covariates=1){%s:0*220}', 120 / 220.0::float8)::clv_sample AS customers
FROM (VALUES (ln(3 / 7.0::float8), 1 / 30.0::float8 + 1 / 70.0::float8, 1 / 12.0::float8 + 1 / 108.0::float8, 0.3 * 0.7 / 100::float8, 0.1 * 0.9 / 120::float8)) AS v (a, va, vb, v0, v1);
CREATE TABLE projected AS
SELECT 'logistic' AS model, l.* FROM cells, lift_projection(logistic, customers, driver => 1, lift => 0.05, margin => 120, annual_discount_rate => 0.10, n_customers => 100000, cost => 300000)
    WITH ORDINALITY AS l (quantity, estimate, std_error, conf_low, conf_high, position)
UNION ALL
SELECT 'linear', l.* FROM cells, lift_projection(linear, customers, driver => 1, lift => 0.05, margin => 120, annual_discount_rate => 0.10, n_customers => 100000, cost => 300000)
    WITH ORDINALITY AS l;
SELECT quantity, round(estimate::numeric, 6) AS estimate, round(std_error::numeric, 6) AS std_error, round(conf_low::numeric, 6) AS conf_low, round(conf_high::numeric, 6) AS conf_high
FROM projected WHERE model = 'logistic' ORDER BY position;
-- to 17 digits
SELECT g.*, abs(r.number / g.number - 1) < 1e-9 AS right
FROM (VALUES ('linear', 'churn_change', 'estimate', -0.01::float8), ('linear', 'churn_change', 'std_error', 0.0026692695630078278), ('linear', 'churn_change', 'conf_low', -0.015231672208524312),
    ('linear', 'churn_change', 'conf_high', -0.0047683277914756885), ('logistic', 'churn_before', 'estimate', 0.17028319720391615), ('logistic', 'churn_after', 'estimate', 0.16095792483050642),
    ('logistic', 'churn_change', 'estimate', -0.0093252723734097301), ('logistic', 'churn_change', 'std_error', 0.0023273521216392883), ('logistic', 'value_before', 'estimate', 488.37664111399466),
    ('logistic', 'value_after', 'estimate', 505.82866983531814), ('logistic', 'value_change', 'estimate', 17.452028721323485), ('logistic', 'value_change', 'std_error', 5.5217837481902099),
    ('logistic', 'value_change', 'conf_low', 6.6295314444520854), ('logistic', 'value_change', 'conf_high', 28.274525998194884), ('logistic', 'return', 'estimate', 1745202.8721323485),
    ('logistic', 'net', 'estimate', 1445202.8721323485), ('logistic', 'roi', 'estimate', 4.8173429071078282), ('logistic', 'roi', 'conf_low', 1.2098438148173618), ('logistic', 'roi', 'conf_high', 8.4248419993982946),
    ('logistic', 'probability_of_break_even', 'estimate', 0.99556826002732854), ('logistic', 'required_lift', 'estimate', 0.0086854947272011323), ('logistic', 'required_lift', 'std_error', 0.0027297847835804373))
    AS g (model, quantity, name, number)
JOIN projected AS p USING (model, quantity), LATERAL (SELECT CASE g.name WHEN 'estimate' THEN estimate WHEN 'std_error' THEN std_error WHEN 'conf_low' THEN conf_low ELSE conf_high END) AS r (number);

-- the same from the rows, by the fits; that of a linear model has degrees of freedom, so that intervals and probabilities are of t
CREATE TABLE cell_fits AS
SELECT logit_fit(s) AS logistic, lm_fit(s, 'HC0') AS linear
FROM (SELECT regression_sample(i <= churned, ARRAY[resolved]) AS s FROM (VALUES (0, 100, 30), (1, 120, 12)) AS v (resolved, n, churned), generate_series(1, n) AS i) AS r;
SELECT model, count(*) FILTER (WHERE abs(p.estimate - f.estimate) > 1e-9 * abs(p.estimate) AND (model = 'logistic' OR quantity NOT LIKE 'prob%') OR abs(p.std_error - f.std_error) > 1e-9 * p.std_error OR model = 'logistic' AND abs(p.conf_low - f.conf_low) > 1e-9 * abs(p.conf_low)) AS differences, count(f.std_error) AS errors
FROM (SELECT 'logistic' AS model, l.* FROM cells, cell_fits AS f, lift_projection(f.logistic, customers, 1, 0.05, 120, 0.10, n_customers => 100000, cost => 300000) AS l
      UNION ALL SELECT 'linear', l.* FROM cells, cell_fits AS f, lift_projection(f.linear, customers, 1, 0.05, 120, 0.10, n_customers => 100000, cost => 300000) AS l) AS f JOIN projected AS p USING (model, quantity) GROUP BY model ORDER BY model;
-- what predicted_change() says of churn, with its interval: normal of the logistic model, t of the linear one
SELECT kind, abs(l.estimate / c.change - 1) < 1e-12 AS change, abs(l.conf_low / c.conf_low - 1) < 1e-9 AS conf_low, abs(l.conf_high / c.conf_high - 1) < 1e-9 AS conf_high, round(((l.conf_high - l.estimate) / l.std_error)::numeric, 6) AS quantile
FROM cells, cell_fits AS t, LATERAL (VALUES ('logistic', t.logistic), ('linear', t.linear)) AS f (kind, model), lift_projection(model, customers, 1, 0.05, 120, 0.1) AS l, predicted_change(model, customers, 1, 0.05, low => 0, high => 1) AS c WHERE quantity = 'churn_change';
SELECT bool_and(abs(l.churn[1] / c.before - 1) < 1e-12 AND abs(l.churn[2] / c.after - 1) < 1e-12 AND abs(l.churn[3] / c.change - 1) < 1e-12 AND abs(l.churn[4] / c.relative_change - 1) < 1e-12 AND abs(l.std_error / c.std_error - 1) < 1e-9) AS same
FROM cells, cell_fits AS f, LATERAL (SELECT array_agg(estimate) AS churn, max(std_error) FILTER (WHERE quantity = 'churn_change') AS std_error FROM lift_projection(f.logistic, customers, 1, 0.05, 120, 0.1) WHERE quantity LIKE 'churn%') AS l,
     predicted_change(f.logistic, customers, 1, 0.05, low => 0, high => 1) AS c;

-- Several customers, both channels ---------------------------------------------------------------------------------------
CREATE TABLE many AS
SELECT 'logit(errors=CR1,df=9,clusters=10){intercept=-0.5,x1=-1.2,x2=0.3}{0.04,-0.02,0.001,-0.02,0.05,-0.002,0.001,-0.002,0.01}'::clv_model AS churn,
       'lm{intercept=80,x1=35,x2=-4}{25,-9,0.5,-9,36,1,0.5,1,4}'::clv_model AS margins,
       'clustered_response(covariates=3){7:0.1:1:0*3,7:0.5:-2:1*5,8:0.93:0.5:0*2,9:0.97:3:1*4,9:1:0:1}'::clv_sample AS customers,
       'response(covariates=2){0.1:1:7*3,0.5:-2:0*5,0.93:0.5:0*2,0.97:3:0*4,1:0:0}'::clv_sample AS no_clusters;
\set retention 'churn, customers, 1, 0.05, 30, 0.10'
\set both 'churn, customers, 1, 0.05, NULL, 0.10, margin_model => margins, margin_share => 0.4, n_customers => 5000, cost => 20000'
-- retention alone, and with expansion: the parts add up; one in three customers reaches the end of the scale
SELECT quantity, round(estimate::numeric, 4) AS estimate, round(std_error::numeric, 4) AS std_error, round(conf_low::numeric, 4) AS conf_low, round(conf_high::numeric, 4) AS conf_high FROM many, lift_projection(:retention);
SELECT quantity, round(estimate::numeric, 4) AS estimate, round(std_error::numeric, 4) AS std_error, round(conf_low::numeric, 4) AS conf_low, round(conf_high::numeric, 4) AS conf_high FROM many, lift_projection(:both);
SELECT abs(sum(estimate) FILTER (WHERE quantity LIKE 'value_by%') - max(estimate) FILTER (WHERE quantity = 'value_change')) < 1e-9 AS parts_add_up FROM many, lift_projection(:both);
-- clusters and y of the customers are not read
SELECT count(*) FILTER (WHERE abs(a.estimate - b.estimate) > 1e-12 * abs(a.estimate) OR (a.std_error IS NULL) <> (b.std_error IS NULL)) AS differences
FROM many, lift_projection(:retention) AS a, lift_projection(churn, no_clusters, 1, 0.05, 30, 0.10) AS b WHERE a.quantity = b.quantity;
-- a mean of values is not the value of the mean customer: against npv_clv() by customer
SELECT abs(by_customer / estimate - 1) < 1e-12 AS by_customer, round((of_mean - estimate)::numeric, 3) AS value_of_mean_less_mean_of_values
FROM many, lift_projection(:retention) AS l, LATERAL (
    SELECT sum(n * npv_clv(30, 1 - predict(churn, ARRAY[x1, x2]), 0.10::float8)) / 15, npv_clv(30, 1 - predict(churn, ARRAY[sum(n * x1) / 15, sum(n * x2) / 15]), 0.10::float8)
    FROM (VALUES (3, 0.1, 1), (5, 0.5, -2), (2, 0.93, 0.5), (4, 0.97, 3), (1, 1, 0)) AS c (n, x1, x2)) AS v (by_customer, of_mean) WHERE quantity = 'value_before';

-- Arguments ------------------------------------------------------------------------------------------------------------
-- a month at an annual rate is a period at the twelfth root of it; a finite horizon
SELECT count(*) FILTER (WHERE abs(a.estimate - b.estimate) > 1e-12 * abs(b.estimate) OR abs(a.std_error / b.std_error - 1) > 1e-12) AS differences
FROM many, lift_projection(churn, customers, 1, 0.05, 30, 0.10, period_years => 1 / 12.0::float8) AS a, lift_projection(churn, customers, 1, 0.05, 30, 1.1 ^ (1 / 12.0::float8) - 1) AS b WHERE a.quantity = b.quantity;
SELECT horizon, round(estimate::numeric, 6) AS value_before, abs(estimate - direct) < 1e-12 * direct AS as_npv_clv
FROM many, (VALUES (1::float8), (2), (3), (60), ('infinity')) AS h (horizon), lift_projection(churn, 'response(covariates=2){0.5:1:0}', 1, 0.05, 30, 0.10, horizon => horizon) AS l,
     LATERAL (SELECT npv_clv(30, 1 - predict(churn, '{0.5,1}'), 0.10::float8, horizon)) AS n (direct) WHERE quantity = 'value_before';
-- a lift down, of a driver of which less is better, on a scale of its own
SELECT quantity, round(estimate::numeric, 6) AS estimate, round(std_error::numeric, 6) AS std_error
FROM lift_projection('logit{intercept=-3,x1=0.2}{0.01,-0.001,-0.001,0.0004}', 'response(covariates=1){2:0*10,6:0*70,14:0*20}', driver => 1, lift => -3, margin => 100, annual_discount_rate => 0.1, low => 0, high => 'infinity', cost => 1000);
-- a covariance in place of the model's own; vcov() has the form, also where a column was dropped
SELECT a.quantity, round(a.std_error::numeric, 6) AS own, round(b.std_error::numeric, 6) AS doubled, round((b.std_error / a.std_error)::numeric, 6) AS ratio
FROM cells, vcov(logistic) AS c (v), lift_projection(logistic, customers, 1, 0.05, 120, 0.1) AS a,
     lift_projection(logistic, customers, 1, 0.05, 120, 0.1, covariance => ARRAY[[4 * v[1][1], 4 * v[1][2]], [4 * v[2][1], 4 * v[2][2]]]) AS b
WHERE a.quantity = b.quantity AND a.std_error IS NOT NULL;
SELECT count(*) FILTER (WHERE a.std_error IS DISTINCT FROM b.std_error) AS differences, round(max(a.std_error) FILTER (WHERE a.quantity = 'value_change')::numeric, 6) AS std_error
FROM (VALUES ('logit{intercept=-1,x1=null,x2=-0.8}{0.01,0,-0.002,0,0,0,-0.002,0,0.04}'::clv_model)) AS m (m), lift_projection(m, 'response(covariates=2){3:0.5:0}', 2, 0.1, 50, 0.1) AS a,
     lift_projection(m, 'response(covariates=2){3:0.5:0}', 2, 0.1, 50, 0.1, covariance => vcov(m)) AS b WHERE a.quantity = b.quantity;
-- errors by cluster have t of clusters - 1 degrees of freedom: 9
SELECT round(((conf_high - estimate) / std_error)::numeric, 6) AS t FROM many, lift_projection(:retention) WHERE quantity = 'value_change';
-- of two models, churn has the first one's, money the fewer of both
SELECT quantity, round(((conf_high - estimate) / std_error)::numeric, 6) AS quantile
FROM cells, lift_projection(logistic, customers, 1, 0.05, NULL, 0.1, margin_model => 'lm(errors=CR1,df=3,clusters=4){intercept=80,x1=35}{25,-9,-9,36}') WHERE quantity IN ('churn_change', 'value_change');
-- without a covariance there is no interval, nor where nothing is lifted, nor where all have reached the end: never an error of 0
SELECT quantity, round(a.estimate::numeric, 6) AS typed_in, a.std_error, round(b.estimate::numeric, 6) AS lift_of_0, round(b.std_error::numeric, 6) AS error_of_0, round(c.estimate::numeric, 6) AS at_end, round(c.std_error::numeric, 6) AS error_at_end
FROM cells, lift_projection('logit{intercept=-1,x1=-0.5}', customers, 1, 0.1, 50, 0.1, cost => 100) AS a JOIN lift_projection('logit{intercept=-1,x1=-0.5}{0.01,0,0,0.01}', 'response(covariates=1){0.5:0*220}', 1, 0, 50, 0.1, cost => 100) AS b USING (quantity)
JOIN lift_projection('logit{intercept=-1,x1=-0.5}{0.01,0,0,0.01}', 'response(covariates=1){1:0*220}', 1, 0.1, 50, 0.1, cost => 100) AS c USING (quantity);
-- no cost, no return on it; a cost that the scale cannot pay for; harm
SELECT cost, lift, quantity, round(estimate::numeric, 4) AS estimate FROM many, (VALUES (0::float8, 0.05::float8), (1e7, 0.05), (100, -0.05)) AS v (cost, lift), lift_projection(churn, customers, 1, lift, 30, 0.10, cost => cost, n_customers => 5000)
WHERE quantity IN ('roi', 'required_lift', 'probability_of_break_even');
-- the required lift is the lift that pays
SELECT round(l.estimate::numeric, 6) AS required_lift, abs(r.estimate / 20000 - 1) < 1e-9 AS pays FROM many, lift_projection(:both) AS l, lift_projection(churn, customers, 1, l.estimate, NULL, 0.10, margin_model => margins, margin_share => 0.4, n_customers => 5000) AS r
WHERE l.quantity = 'required_lift' AND r.quantity = 'return';

-- its interval ends where those of net are 0, also of a lift down; where no lift on the scale pays surely, it has no end
SELECT lift, round(l.estimate::numeric, 5) AS required_lift, round(l.conf_low::numeric, 5) AS conf_low, round(l.conf_high::numeric, 5) AS conf_high, abs(near.conf_high) < 1e-6 AS may_pay, abs(far.conf_low) < 1e-6 AS pays_surely
FROM (VALUES (0.05::float8, 'logit{intercept=-1,x1=-1.5}{0.04,0,0,0.1}'::clv_model, 1000::float8), (-0.05, 'logit{intercept=-1,x1=1.5}{0.04,0,0,0.1}', 1000), (0.05, 'logit{intercept=-1,x1=-1.5}{0.04,0,0,0.7}', 1000)) AS v (lift, churn, cost),
     LATERAL (SELECT 'response(covariates=1){0.5:0*1000,0.7:0*500}'::clv_sample) AS c (customers), lift_projection(churn, customers, 1, lift, 50, 0.1, cost => cost) AS l,
     lift_projection(churn, customers, 1, CASE WHEN lift > 0 THEN l.conf_low ELSE l.conf_high END, 50, 0.1, cost => cost) AS near
     LEFT JOIN LATERAL (SELECT f.* FROM lift_projection(churn, customers, 1, CASE WHEN lift > 0 THEN l.conf_high ELSE l.conf_low END, 50, 0.1, cost => cost) AS f) AS far USING (quantity)
WHERE l.quantity = 'required_lift' AND near.quantity = 'net';

-- What is not known ----------------------------------------------------------------------------------------------------
SELECT count(*) AS no_model FROM many, lift_projection(NULL, customers, 1, 0.05, 30, 0.1);
-- no model (of an empty group) is no row, also without a margin; a margin must be there
SELECT count(*) AS no_margin_either FROM many, lift_projection(NULL, customers, 1, 0.05, NULL, 0.1);
SELECT count(*) AS rows, count(estimate) AS known FROM lift_projection('logit{intercept=-1,x1=null}', 'response(covariates=1){0.5:0}', 1, 0.1, 50, 0.1);
SELECT count(*) AS rows, count(estimate) AS known FROM lift_projection('logit{intercept=-1,x1=1}', 'response(covariates=1){0.5:0}', 1, 0.1, NULL, 0.1, margin_model => 'lm{intercept=-1,x1=null}');
SELECT count(*) AS rows, count(estimate) AS known FROM lift_projection('logit{intercept=-1,x1=1}', 'response(skipped=3,covariates=1){}', 1, 0.1, 50, 0.1);
-- a lift that nobody has room for: the share is 1, whatever the counts add up to, and said so
\set VERBOSITY default
SELECT estimate = 1 AS all FROM (SELECT regression_sample(0, ARRAY[i % 1000 / 1001.0]) AS customers FROM generate_series(1, 7000) AS i) AS s, lift_projection('logit{intercept=-1,x1=-0.5}', customers, 1, 5, 50, 0.1) WHERE quantity = 'clipped_share';
\set VERBOSITY terse
-- a linear model may leave 0 to 1
SELECT quantity, estimate FROM lift_projection('lm{intercept=0.1,x1=-0.2}', 'response(covariates=1){0.25:0,1:0*3}', 1, 0.05, 50, 0.1) WHERE quantity LIKE 'churn%';
-- a rate that is rather a percentage
SELECT round(estimate::numeric, 4) AS value_before FROM many, lift_projection(churn, customers, 1, 0.05, 30, 10) WHERE quantity = 'value_before';

-- Errors ---------------------------------------------------------------------------------------------------------------
SELECT arguments, projection_failure(format('SELECT * FROM many, cells AS c, lift_projection(%s)', arguments)) FROM (VALUES
    ('''cox{x1=1,x2=2}'', many.customers, 1, 0.05, 30, 0.1'), ('''bgnbd{r=1,alpha=1,a=1,b=1}'', many.customers, 1, 0.05, 30, 0.1'), ('churn, many.customers, 1, 0.05, NULL, 0.1, margin_model => churn'),
    ('churn, many.customers, 1, 0.05, 30, 0.1, margin_model => margins'), ('churn, many.customers, 1, 0.05, NULL, 0.1'), ('c.logistic, many.customers, 1, 0.05, 30, 0.1'), ('churn, many.customers, 1, 0.05, NULL, 0.1, margin_model => c.linear'),
    ('''lm{intercept=null,x1=1,x2=2}'', many.customers, 1, 0.05, 30, 0.1'), ('churn, ''timing{0:0:1}'', 1, 0.05, 30, 0.1'), ('churn, many.customers, 0, 0.05, 30, 0.1'), ('churn, many.customers, 3, 0.05, 30, 0.1'),
    ('churn, many.customers, 2, 0.05, 30, 0.1'), ('churn, many.customers, 1, ''NaN'', 30, 0.1'), ('churn, many.customers, 1, ''infinity'', 30, 0.1'), ('churn, many.customers, 1, 0.05, ''NaN'', 0.1'),
    ('churn, many.customers, 1, 0.05, ''-infinity'', 0.1'), ('churn, many.customers, 1, 0.05, 30, -1'), ('churn, many.customers, 1, 0.05, 30, ''infinity'''), ('churn, many.customers, 1, 0.05, 30, 0.1, 0'),
    ('churn, many.customers, 1, 0.05, 30, 0.1, 1, 0'), ('churn, many.customers, 1, 0.05, 30, 0.1, 1, 2.5'), ('churn, many.customers, 1, 0.05, 30, 0.1, n_customers => 0'), ('churn, many.customers, 1, 0.05, 30, 0.1, n_customers => ''infinity'''),
    ('churn, many.customers, 1, 0.05, 30, 0.1, cost => -1'), ('churn, many.customers, 1, 0.05, 30, 0.1, cost => ''NaN'''), ('churn, many.customers, 1, 0.05, 30, 0.1, low => 0, high => 0'), ('churn, many.customers, 1, 0.05, 30, 0.1, high => ''NaN'''),
    ('churn, many.customers, 1, 0.05, 30, 0.1, margin_share => ''NaN'''), ('churn, many.customers, 1, 0.05, 30, 0.1, conf => 95'), ('churn, many.customers, 1, 0.05, 30, 0.1, covariance => ''{1,0,0}'''),
    ('churn, many.customers, 1, 0.05, 30, 0.1, covariance => ''{{1,0},{0,1}}'''), ('c.logistic, c.customers, 1, 0.05, 30, 0.1, covariance => ''{{1,null},{0,1}}'''), ('c.logistic, c.customers, 1, 0.05, 30, 0.1, covariance => ''{{1,2},{2,1}}'''),
    ('c.logistic, c.customers, 1, 0.05, 30, 0.1, covariance => ''{{1,0},{0.5,1}}'''), ('c.logistic, c.customers, 1, 0.05, 30, 0.1, covariance => ''{{1,0},{0,-1}}'''), ('c.logistic, c.customers, 1, 0.05, 30, 0.1, covariance => ''{{NaN,0},{0,1}}'''),
    ('''lm{intercept=0.1,x1=-0.2}'', c.customers, 1, 0.5, 30, 0'), ('c.logistic, c.customers, 1, 0.05, 1e308, 0.1')) AS v (arguments);
