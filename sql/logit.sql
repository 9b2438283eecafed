-- Logistic regression: fits, errors, separation, marginal effects, predicted changes.
\set VERBOSITY terse
-- SQLSTATE, message, detail and hint of a statement that must fail
CREATE FUNCTION logit_failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN format('%s: %s | %s | %s', SQLSTATE, SQLERRM, detail, hint);
END $$;

-- Spector and Mazzeo 1980: whether the grade improved, by grade point average, test score, and a program --------------------
CREATE TABLE spector (improved float8, gpa float8, tuce float8, psi float8);
INSERT INTO spector VALUES (0,2.66,20,0), (0,2.89,22,0), (0,3.28,24,0), (0,2.92,12,0), (1,4,21,0), (0,2.86,17,0), (0,2.76,17,0), (0,2.87,21,0), (0,3.03,25,0),
    (1,3.92,29,0), (0,2.63,20,0), (0,3.32,23,0), (0,3.57,23,0), (1,3.26,25,0), (0,3.53,26,0), (0,2.74,19,0), (0,2.75,25,0), (0,2.83,19,0), (0,3.12,23,1),
    (1,3.16,25,1), (0,2.06,22,1), (1,3.62,28,1), (0,2.89,14,1), (0,3.51,26,1), (1,3.54,24,1), (1,2.83,27,1), (1,3.39,17,1), (0,2.67,24,1), (1,3.65,21,1),
    (1,4,23,1), (0,3.1,21,1), (1,2.39,19,1);
CREATE TABLE fitted AS
SELECT logit_fit(improved, ARRAY[gpa, tuce, psi]) AS m, regression_sample(improved, ARRAY[gpa, tuce, psi]) AS s FROM spector;
-- published, and the same to 40 digits: statsmodels' and Greene's numbers
SELECT term, round(estimate::numeric, 4) AS estimate, round(std_error::numeric, 3) AS std_error, round(statistic::numeric, 3) AS z, round(p_value::numeric, 4) AS p,
       round(conf_low::numeric, 4) AS conf_low, round(conf_high::numeric, 4) AS conf_high
FROM fitted, tidy(m);
SELECT term, abs(estimate / coef - 1) < 1e-9 AS coef, abs(t.std_error / se - 1) < 1e-9 AS se, abs(statistic / z - 1) < 1e-9 AS z, abs(p_value / p - 1) < 1e-9 AS p
FROM fitted, tidy(m) AS t JOIN (VALUES ('intercept', -13.021346858115689, 4.9313242136027581, -2.6405375704556385, 0.0082774614354882522),
    ('x1', 2.8261125948893209, 1.2629410756290923, 2.2377232393693319, 0.025239108802564271), ('x2', 0.095157661317909287, 0.14155420567369474, 0.67223478712644564, 0.50143423808192258),
    ('x3', 2.3786876550933545, 1.0645642544971330, 2.2344237513563449, 0.025455204361278386)) AS g (term, coef, se, z, p) USING (term);
SELECT kind, n, n_distinct, n_skipped, converged, covariates, errors, clusters, df, sigma, abs(log_likelihood / -12.889634222131415 - 1) < 1e-9 AS log_likelihood,
       abs(aic / 33.779268444262830 - 1) < 1e-9 AS aic, abs(r_squared / 0.37403829537210457 - 1) < 1e-9 AS mcfadden, abs(statistic / 15.404190948971751 - 1) < 1e-9 AS lr,
       abs(p_value / 0.0015018786820605133 - 1) < 1e-9 AS p, gradient_norm < 1e-9 AS gradient, abs(log_likelihood / (1 - r_squared) / -20.591729696617291 - 1) < 1e-9 AS null_model
FROM fitted, glance(m);
SELECT e.errors, term, abs(t.std_error / se - 1) < 1e-9 AS se, glance.errors
FROM (VALUES ('HC0', ARRAY[5.1975854102994253, 1.2675459820157457, 0.11792226774939170, 0.96441920965288168]),
    ('HC1', ARRAY[5.5564525268100890, 1.3550636533385269, 0.12606420691132742, 1.0310075027841118])) AS e (errors, golden),
    fitted, LATERAL logit_fit(s, errors => e.errors) AS h, glance(h), tidy(h) WITH ORDINALITY AS t (term, estimate, std_error, statistic, p_value, conf_low, conf_high, i), LATERAL (SELECT golden[i]) AS g (se);
SELECT logit_fit(s) = m AS of_sample, logit_fit(s, 'ml', 'model') = m AS spelled, logit_fit(s, NULL) IS NULL AND logit_fit(NULL::clv_sample) IS NULL AS null_in FROM fitted;

-- average marginal effects, derivatives and differences
SELECT term, abs(estimate / effect - 1) < 1e-9 AS effect, abs(std_error / se - 1) < 1e-9 AS se, abs(statistic - estimate / std_error) < 1e-12 AS z, round(p_value::numeric, 4) AS p,
       round(conf_low::numeric, 4) AS conf_low, round(conf_high::numeric, 4) AS conf_high
FROM fitted, marginal_effects(m, s) JOIN (VALUES ('x1', 0.36258083160146126, 0.10944115267902837), ('x2', 0.012208410958675540, 0.017794160669875090),
    ('x3', 0.30517770228388764, 0.092379569358924844)) AS g (term, effect, se) USING (term);
SELECT term, abs(estimate / 0.35751516362183437 - 1) < 1e-9 AS effect, abs(std_error / 0.14200339068867649 - 1) < 1e-9 AS se FROM fitted, marginal_effects(m, s, true) WHERE term = 'x3';
SELECT d.estimate = e.estimate AS same FROM fitted, marginal_effects(m, s) AS e JOIN LATERAL marginal_effects(m, s, true, 0.5) AS d USING (term) WHERE term <> 'x3';
-- a lift of 0.1 in gpa; and one that the end of the scale clips in some rows
SELECT abs(change / 0.036778369422793234 - 1) < 1e-9 AS change, abs(std_error / 0.011157872211904816 - 1) < 1e-9 AS se, abs(before - 11.0 / 32) < 1e-12 AS before,
       abs(after - before - change) < 1e-15 AS after, abs(relative_change - change / before) < 1e-15 AS relative, clipped_share,
       abs(conf_high - change - 1.959963984540054 * std_error) < 1e-12 AND abs(conf_low - change + 1.959963984540054 * std_error) < 1e-12 AS interval
FROM fitted, predicted_change(m, s, 1, 0.1);
SELECT c.change < free.change AS smaller, c.clipped_share = 3 / 32.0 AS clipped FROM fitted, predicted_change(m, s, 1, 0.1, low => 0, high => 4) AS c, predicted_change(m, s, 1, 0.1) AS free;
SELECT abs(p - 0.026577993870354647) < 1e-12 AS first_row, p = predict(m, ARRAY[2.66, 20, 0]) AS same, churn_risk(m, ARRAY[2.66, NULL, 0]) IS NULL AS unknown
FROM fitted, LATERAL (SELECT churn_risk(m, ARRAY[2.66, 20, 0])) AS r (p);
-- a derivative and a difference from their definition
SELECT abs(e.estimate - avg((churn_risk(m, ARRAY[gpa + 1e-5, tuce, psi]) - churn_risk(m, ARRAY[gpa - 1e-5, tuce, psi])) / 2e-5)) < 1e-9 AS derivative
FROM fitted, spector, marginal_effects(m, s) AS e WHERE e.term = 'x1' GROUP BY e.estimate;
SELECT abs(e.estimate - avg(churn_risk(m, ARRAY[gpa, tuce, 1]) - churn_risk(m, ARRAY[gpa, tuce, 0]))) < 1e-14 AS difference
FROM fitted, spector, marginal_effects(m, s, true) AS e WHERE e.term = 'x3' GROUP BY e.estimate;

-- Separation: 6 of 20 left, and 0 of 20. Firth's estimates are those of the cells with 1/2 added to each --------------------------
\set VERBOSITY default
CREATE TABLE cells (x float8, churned boolean, n int);
INSERT INTO cells VALUES (0, true, 6), (0, false, 14), (1, false, 20);
SELECT logit_fit(churned, ARRAY[x]) IS NULL AS nothing FROM cells, generate_series(1, n);
SELECT term, abs(estimate / golden - 1) < 1e-9 AS estimate, round(std_error::numeric, 6) AS std_error, round(p_value::numeric, 4) AS p
FROM (SELECT logit_fit(regression_sample(churned, ARRAY[x]), 'firth') AS m FROM cells, generate_series(1, n)) AS f, tidy(m)
JOIN (VALUES ('intercept', -0.80234647252493729), ('x1', -2.9112255941793705)) AS g (term, golden) USING (term);
SELECT errors, df, converged, round(r_squared::numeric, 4) AS r_squared, round(statistic::numeric, 4) AS statistic, round(p_value::numeric, 4) AS p
FROM (SELECT logit_fit(regression_sample(churned, ARRAY[x]), 'firth') AS m FROM cells, generate_series(1, n)) AS f, glance(m);
-- a combination settles all; clusters call for other errors, which Firth's method does not have
SELECT logit_fit(i + j > 7, ARRAY[i, j, i * j % 5]) IS NULL AS nothing FROM generate_series(1, 6) AS i, generate_series(1, 7) AS j;
SELECT logit_fit(x = 1 OR i % 3 = 0, ARRAY[i % 4, x], i % 5) IS NULL AS nothing FROM generate_series(0, 1) AS x, generate_series(1, 30) AS i;
-- what else cannot be fitted
SELECT logit_fit(false, ARRAY[i]) IS NULL AS nothing FROM generate_series(1, 9) AS i;
-- a column with long tails: the penalised likelihood has a second maximum near no effect, with effects a hundredth or a tenth of these
SELECT seed, round((coef(firth, 'x1') / coef(ml, 'x1'))::numeric, 4) AS of_ml, round(coef(firth, 'x1')::numeric, 6) AS x1, round(g.statistic::numeric, 4) AS statistic
FROM (SELECT seed, logit_fit(regression_sample(y, x), 'firth') AS firth, logit_fit(y, x) AS ml
      FROM (SELECT seed, c < 1 / (1 + exp(3.2 - spread * z - 0.5 * (i % 4))) AS y, ARRAY[exp(2 * z), i % 4] AS x
            FROM (VALUES (75, 2.0::float8), (93, 1.0), (507, 2.0)) AS s (seed, spread), generate_series(1::bigint, 400) AS i,
                 LATERAL (SELECT 0.5 / 65521 + ((i * 48271 + seed * 9973 * i * i + seed * 7919) % 65521) / 65521.0::float8, ((i * 69621 + seed * 40013 * i + 17 * i * i) % 65519) / 65519.0::float8, ((i * 271 * seed + i * i * 521 + seed * 77) % 65537) / 65537.0::float8) AS u (a, b, c),
                 LATERAL (SELECT sqrt(-2 * ln(a)) * cos(6.283185307 * b)) AS n (z)) AS r GROUP BY seed) AS f, glance(firth) AS g ORDER BY seed;
SELECT logit_fit(regression_sample(1, ARRAY[i]), 'firth') IS NULL AS nothing FROM generate_series(1, 9) AS i;
SELECT logit_fit(true, ARRAY[1]) IS NULL AS one_row;
SELECT logit_fit(i % 2 = 0, ARRAY[i % 3], 7) IS NULL AS one_cluster FROM generate_series(1, 20) AS i;
SELECT logit_fit(i % 2 = 0, ARRAY[i % 3, 1e300 * (i % 5)]) IS NULL AS out_of_range FROM generate_series(1, 20) AS i;
SELECT logit_fit(NULL::boolean, ARRAY[i]) IS NULL AS all_null, logit_fit(i > 2, NULL) IS NULL AS all_null_2 FROM generate_series(1, 3) AS i;
SELECT logit_fit(i > 3, ARRAY[i]) FROM generate_series(1, 0) AS i;
-- columns that cannot be told: constant, twice another, the sum of two
CREATE TABLE dropping AS
SELECT logit_fit(y, x) AS m, regression_sample(y, x) AS s
FROM (SELECT i * i % 7 < 3 AS y, ARRAY[5, i % 11, 2 * (i % 11), i * i % 5, i % 11 + i * i % 5] AS x FROM generate_series(1, 60) AS i) AS d;
SELECT term, round(estimate::numeric, 6) AS estimate, round(std_error::numeric, 6) AS std_error FROM dropping, tidy(m);
SELECT term, round(estimate::numeric, 6) AS estimate, round(std_error::numeric, 6) AS std_error FROM dropping, marginal_effects(m, s);
SELECT round(e.estimate::numeric, 6) AS alone FROM (SELECT logit_fit(i * i % 7 < 3, ARRAY[i % 11, i * i % 5]) AS m FROM generate_series(1, 60) AS i) AS d, tidy(m) AS e;
SELECT before IS NOT NULL AS before, after, change, std_error, clipped_share FROM dropping, predicted_change(m, s, 3, 1);
-- all equal x: the log odds alone
SELECT abs(e.estimate - ln(2)) < 1e-12 AS log_odds FROM (SELECT logit_fit(i % 3 > 0, ARRAY[4.5]) AS m FROM generate_series(1, 30) AS i) AS d, tidy(m) AS e WHERE term = 'intercept';
\set VERBOSITY terse

-- Clusters -----------------------------------------------------------------------------------------------------------------
CREATE TABLE visits AS
SELECT i % 23 AS customer_id, ARRAY[i * 37 % 101 / 64.0, i * i * 7 % 59 / 32.0]::float8[] AS x, (i * i * 13 + 5 * i) % 17 < 6 + 4 * (i * 37 % 101 > 60)::int AS churned FROM generate_series(1, 400) AS i;
CREATE TABLE by_customer AS SELECT logit_fit(churned, x, customer_id) AS m, regression_sample(churned, x, customer_id) AS s FROM visits;
SELECT errors, clusters, df, n, round(statistic::numeric, 6) AS f, round(p_value::numeric, 6) AS p FROM by_customer, glance(m);
-- the definition: inverse information, scores summed by cluster, G / (G - 1); t with G - 1
CREATE TABLE scores AS
SELECT customer_id, p, churned::int - p AS r, ARRAY[1] || x AS z FROM by_customer, visits, LATERAL (SELECT churn_risk(m, x)) AS c (p);
CREATE FUNCTION quadratic(a float8[], m float8[], b float8[]) RETURNS float8 LANGUAGE sql IMMUTABLE AS
    'SELECT sum(a[i] * m[i][j] * b[j]) FROM generate_series(1, 3) AS i, generate_series(1, 3) AS j';
SELECT term, abs(t.std_error / sqrt(23 / 22.0 * sum(h ^ 2)) - 1) < 1e-10 AS std_error
FROM (SELECT logit_fit(s, errors => 'model') AS plain FROM by_customer) AS p,
     LATERAL (SELECT customer_id, i, sum(r * quadratic((SELECT array_agg((i = k)::int::float8 ORDER BY k) FROM generate_series(1, 3) AS k), vcov(plain), z)) AS h
              FROM scores, generate_series(1, 3) AS i GROUP BY 1, 2) AS g,
     by_customer, tidy(m) WITH ORDINALITY AS t (term, estimate, std_error, statistic, p_value, conf_low, conf_high, j) WHERE i = j GROUP BY term, t.std_error ORDER BY term;
SELECT term, round(p_value::numeric, 6) AS p, round(conf_low::numeric, 6) AS conf_low, round(conf_high::numeric, 6) AS conf_high FROM by_customer, tidy(m);
SELECT term, round(std_error::numeric, 6) AS std_error, round(p_value::numeric, 6) AS p FROM by_customer, marginal_effects(m, s);
-- what clusters are called does not matter
SELECT bool_and(abs(p.std_error / q.std_error - 1) < 1e-12) AS text_cluster, count(*)
FROM (SELECT logit_fit(churned, x, 7 * customer_id::bigint) AS a, logit_fit(churned::int, x, 'customer ' || chr(65 + customer_id)) AS b FROM visits) AS c, tidy(a) AS p JOIN LATERAL tidy(b) AS q USING (term);

-- NULLs, one pass, parallel, parts in any order --------------------------------------------------------------------------------
SELECT n, n_skipped FROM (SELECT logit_fit(CASE WHEN i % 10 > 0 THEN y END, CASE i % 7 WHEN 0 THEN NULL WHEN 1 THEN ARRAY[NULL::int] ELSE ARRAY[i] END) AS m
                          FROM (SELECT i, i * i % 13 < 5 AS y FROM generate_series(1, 70) AS i) AS d) AS f, glance(m);
CREATE TABLE many AS SELECT i % 40 AS g, i * i % 7 < 3 AS y, ARRAY[i % 11, i * i % 5, sin(i)] AS x, i % 50 AS c FROM generate_series(1, 5000) AS i;
CREATE TABLE serial_fits AS SELECT logit_fit(y, x) AS m, logit_fit(y, x, c) AS clustered, regression_sample(y, x) AS s FROM many;
SELECT DISTINCT logit_fit(s) = m AS one_by_one FROM serial_fits, (SELECT clv_sample(part) AS merged FROM (SELECT regression_sample(y, x) AS part FROM many GROUP BY ctid ORDER BY random()) AS p) AS q WHERE merged = s;
ALTER TABLE many SET (parallel_workers = 3);
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 3;
SET parallel_leader_participation = off;
EXPLAIN (COSTS OFF) SELECT logit_fit(y, x), logit_fit(y, x, c) FROM many;
SELECT p.m = s.m AND p.clustered = s.clustered AND p.s = s.s AS parallel FROM (SELECT logit_fit(y, x) AS m, logit_fit(y, x, c) AS clustered, regression_sample(y, x) AS s FROM many) AS p, serial_fits AS s;
RESET ALL;
\set VERBOSITY terse
-- each group by itself
SELECT count(DISTINCT m) AS models FROM (SELECT logit_fit(y, x) AS m FROM many GROUP BY c % 3) AS f;
-- counts of millions: the same estimates, and standard errors of a thousandth
SELECT abs(b.estimate / a.estimate - 1) < 1e-9 AS estimate, abs(1000 * b.std_error / a.std_error - 1) < 1e-9 AS std_error, g.n
FROM (SELECT m, logit_fit(regexp_replace(s::text, '([01])([,}])', '\1*1000000\2', 'g')::clv_sample) AS counted FROM (
          SELECT logit_fit(y, x) AS m, regression_sample(y, x) AS s FROM many WHERE x[3] > 0.9) AS p) AS c, tidy(m) AS a JOIN LATERAL tidy(counted) AS b USING (term), glance(counted) AS g;

-- Scales: a year, a salary, seconds since 1970 ---------------------------------------------------------------------------------
CREATE TABLE scaled AS
SELECT k, logit_fit(y, ARRAY[center + scale * x[1], x[2]]) AS m FROM many, (VALUES (0, 0::float8, 1::float8), (1, 2020, 1), (2, 0, 1e6), (3, 1.7e9, 86400), (4, 0, 1e-100)) AS s (k, center, scale) GROUP BY k;
SELECT s.k, abs(coef(s.m, 'x1') * f / coef(p.m, 'x1') - 1) < 1e-9 AS x1, abs(coef(s.m, 'x2') / coef(p.m, 'x2') - 1) < 1e-9 AS x2
FROM scaled AS s JOIN (VALUES (1, 1::float8), (2, 1e6), (3, 86400), (4, 1e-100)) AS f (k, f) ON f.k = s.k, scaled AS p WHERE p.k = 0 ORDER BY s.k;
-- 32 columns, effects of known size: the intervals cover
CREATE TABLE wide AS
SELECT 1 / (1 + exp(-eta)) > u AS y, x FROM (
    SELECT x, (SELECT sum(x[j] * (j % 5 - 2) / 5.0) FROM generate_series(1, 32) AS j) AS eta, (hashint8extended(i, 99) & 1048575) / 1048576.0 AS u
    FROM (SELECT i, array_agg((hashint8extended(i, j) & 1048575) / 524288.0 - 1 ORDER BY j) AS x FROM generate_series(1, 4000) AS i, generate_series(1, 32) AS j GROUP BY i) AS r) AS d;
SELECT count(*) AS effects, count(*) FILTER (WHERE estimate - 3.5 * std_error < truth AND truth < estimate + 3.5 * std_error) AS covered, max(std_error) < 0.1 AS precise
FROM (SELECT logit_fit(y, x) AS m FROM wide) AS f, tidy(m) WITH ORDINALITY AS t (term, estimate, std_error, a, b, c, d, k), LATERAL (SELECT ((k - 1) % 5 - 2) / 5.0 * (k > 1)::int) AS e (truth);
DROP TABLE wide;

-- Linear models: effects are the coefficients, changes are the lifts ----------------------------------------------------------------
CREATE TABLE line AS SELECT lm_fit(regression_sample(tuce, ARRAY[gpa, psi]), 'HC1') AS m, regression_sample(tuce, ARRAY[gpa, psi], length(gpa::text)) AS s FROM spector;
SELECT e.term, abs(e.estimate / t.estimate - 1) < 1e-12 AS estimate, abs(e.std_error / t.std_error - 1) < 1e-12 AS std_error, abs(e.p_value / t.p_value - 1) < 1e-9 AS p, e.conf_low = t.conf_low OR abs(e.conf_low / t.conf_low - 1) < 1e-9 AS conf_low
FROM line, marginal_effects(m, s, true) AS e JOIN LATERAL tidy(m) AS t USING (term);
SELECT abs(before - (SELECT avg(tuce) FROM spector)) < 1e-12 AS before, abs(change / (0.2 * t.estimate) - 1) < 1e-10 AS change, abs(c.std_error / (0.2 * t.std_error) - 1) < 1e-10 AS std_error
FROM line, tidy(m) AS t, predicted_change(m, s, 1, 0.2) AS c WHERE term = 'x1';
-- a model within groups predicts no level
SELECT logit_failure('SELECT e.* FROM line, (SELECT lm_fit(within_moments(m)) AS inner_fit FROM (SELECT clv_moments(tuce, ARRAY[gpa, sin(tuce)]) AS m FROM spector GROUP BY psi) AS g) AS w, predicted_change(inner_fit, s, 1, 1) AS e');

-- Errors -----------------------------------------------------------------------------------------------------------------------
SELECT logit_failure(q) FROM (VALUES
    ('SELECT logit_fit(tuce, ARRAY[gpa]) FROM spector'),
    ('SELECT logit_fit(improved / 2, ARRAY[gpa]) FROM spector'),
    ('SELECT logit_fit(''NaN''::float8, ARRAY[gpa]) FROM spector'),
    ('SELECT logit_fit(true, ARRAY[]::float8[])'),
    ('SELECT logit_fit(i > 1, CASE i WHEN 1 THEN ARRAY[1] ELSE ARRAY[1, 2] END) FROM generate_series(1, 2) AS i'),
    ('SELECT logit_fit(true, ARRAY[1], 9007199254740993)'),
    ('SELECT logit_fit(s, ''probit'') FROM fitted'),
    ('SELECT logit_fit(s, ''ml'', ''HC3'') FROM fitted'),
    ('SELECT logit_fit(s, ''ml'', ''CR1'') FROM fitted'),
    ('SELECT logit_fit(s, ''firth'', ''HC0'') FROM fitted'),
    ('SELECT logit_fit(s, ''firth'') FROM by_customer'),
    ('SELECT logit_fit(clv_sample(1, 1, 2))'),
    ('SELECT churn_risk(''logit{intercept=1e308,x1=1e308,x2=-1e308}''::clv_model, ''{10,10}'')'),
    ('SELECT churn_risk(''logit{intercept=null,x1=1}''::clv_model, ''{1}'')'),
    ('SELECT churn_risk(m, ARRAY[1]) FROM fitted'),
    ('SELECT churn_risk(m, ARRAY[1, 2, ''NaN''::float8]) FROM fitted'),
    ('SELECT churn_risk(sbg_model(1, 2), ARRAY[1])'),
    ('SELECT e.* FROM fitted, by_customer AS b, marginal_effects(fitted.m, b.s) AS e'),
    ('SELECT e.* FROM fitted, marginal_effects(m, s, conf => 1) AS e'),
    ('SELECT e.* FROM fitted, marginal_effects(sbg_model(1, 2), s) AS e'),
    ('SELECT e.* FROM fitted, (SELECT clv_sample(1, 1, 2) AS timing) AS t, marginal_effects(m, timing) AS e'),
    ('SELECT e.* FROM fitted, predicted_change(m, s, 4, 1) AS e'),
    ('SELECT e.* FROM fitted, predicted_change(m, s, 0, 1) AS e'),
    ('SELECT e.* FROM fitted, predicted_change(m, s, 1, 0) AS e'),
    ('SELECT e.* FROM fitted, predicted_change(m, s, 1, ''Infinity'') AS e'),
    ('SELECT e.* FROM fitted, predicted_change(m, s, 1, 1, low => 4, high => 4) AS e'),
    ('SELECT e.* FROM fitted, predicted_change(m, s, 1, 1, low => 0, high => 3.9) AS e'),
    ('SELECT e.* FROM fitted, predicted_change(m, s, 1, 1, low => ''NaN'') AS e')) AS v (q);
-- the end of the scale in all rows: nothing changes, and nothing is uncertain about that
SELECT change, std_error, clipped_share FROM (SELECT regression_sample(improved, ARRAY[gpa, tuce, 1]) AS s FROM spector) AS t, fitted, predicted_change(m, t.s, 3, 0.5, low => 0, high => 1);
-- a sample of dropped rows alone
SELECT e.* FROM fitted, (SELECT regression_sample(NULL::float8, ARRAY[gpa]) AS none FROM spector) AS n, predicted_change(m, none, 1, 1) AS e;
SELECT count(*), count(estimate) FROM fitted, (SELECT regression_sample(NULL::float8, ARRAY[gpa]) AS none FROM spector) AS n, marginal_effects(m, none) AS e;
-- cancelled while it searches
CREATE TEMP TABLE long AS SELECT regression_sample(i::bigint * i % 7 < 3, ARRAY[sin(i), cos(i), ln(i), sqrt(i)]) AS s FROM generate_series(1, 100000) AS i;
SET statement_timeout = '30ms';
SELECT logit_fit(s, 'firth') FROM long;
RESET statement_timeout;

DROP TABLE long, line, spector, fitted, cells, dropping, visits, by_customer, scores, many, serial_fits, scaled;
DROP FUNCTION logit_failure(text), quadratic(float8[], float8[], float8[]);
