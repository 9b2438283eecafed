-- measure.sql - what bench/run measures: each query beside plain SQL over the same rows, in one session.
--
-- psql variable: runs. All queries take turns; the first round only warms up, a figure is the median of the others.
-- Times are those of EXPLAIN ANALYZE with TIMING OFF: execution, without planning and without sending rows. Beside the
-- clock's figure stands that of the processor time, which other programs on the machine disturb less. All settings
-- but the two below are the server's defaults, work_mem (4 MB) included.

\pset footer off
SET max_parallel_workers_per_gather = 0;
SET jit = off;

CREATE TABLE measurement (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    what text,
    ours text,
    plain text,             -- what it is compared with
    rows bigint,            -- if given, the figure is (ours - plain) per row in microseconds, otherwise ours / plain
    target float8
);
-- milliseconds by the clock and of the processor
CREATE TABLE timing (id int REFERENCES measurement, run int, ours float8, plain float8, ours_cpu float8, plain_cpu float8);

CREATE FUNCTION cpu_milliseconds() RETURNS float8 LANGUAGE sql VOLATILE AS $$
    SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::float8 / 1e6
$$;

-- {clock, processor}; warnings about the fits of tiny groups are not what is looked at here
CREATE FUNCTION milliseconds(query text) RETURNS float8[] LANGUAGE plpgsql VOLATILE SET client_min_messages = error AS $$
DECLARE
    plan json;
    before float8 := cpu_milliseconds();
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ' || query INTO plan;
    RETURN ARRAY[(plan -> 0 ->> 'Execution Time')::float8, cpu_milliseconds() - before];
END $$;

-- Models as they were fitted; a table, so that no query fits them once more for each row.
CREATE TABLE model AS SELECT bgnbd_fit(x, t_x, t) AS bg, pareto_nbd_fit(x, t_x, t) AS pareto FROM folded;
CREATE VIEW customer AS SELECT x, t_x, t, bg, pareto FROM folded, model;
CREATE TABLE history_model AS
SELECT pareto_nbd_fit(history, date '2026-03-31', 'week') AS m, gamma_gamma_fit(history, date '2026-03-31') AS gg FROM history;
-- one row in 50: intervals take their time
CREATE VIEW some_history AS SELECT history, m, gg FROM history, history_model WHERE id % 50 = 0;
-- uncompressed and once
CREATE TABLE sample (timing clv_sample, holdout clv_sample);
ALTER TABLE sample ALTER timing SET STORAGE EXTERNAL, ALTER holdout SET STORAGE EXTERNAL;
INSERT INTO sample SELECT clv_sample(history, date '2026-03-31', 'week'), holdout_sample(history, date '2025-03-31', date '2026-03-31', 'week') FROM history;

CREATE TABLE linear_model AS SELECT lm_fit(y, ARRAY[x1, x2, x3, x4, x5, x6, x7, x8, x9, x10]) AS model FROM response;
CREATE TABLE logistic_model AS SELECT logit_fit(churned, ARRAY[x1, x2, x3, x4, x5, x6, x7, x8, x9, x10]) AS model FROM response;
-- one customer in 20, one trace in 16
CREATE VIEW some_interaction AS SELECT * FROM interactions WHERE customer_id % 20 = 0;
CREATE VIEW some_trace_span AS SELECT * FROM trace_span WHERE left(trace_id, 1) = 'a';
CREATE VIEW some_trace_evaluation AS SELECT * FROM trace_evaluation WHERE left(trace_id, 1) = 'a';

INSERT INTO measurement (what, ours, plain, rows, target) VALUES
    ('bgnbd_fit, rows fold : sums',
     'SELECT bgnbd_fit(x, t_x, t) FROM folded',
     'SELECT sum(x), sum(t_x), sum(t), count(*) FROM folded', NULL, 6),
    ('bgnbd_fit, rows do not fold : sums',
     'SELECT bgnbd_fit(x, t_x, t) FROM unfolded',
     'SELECT sum(x), sum(t_x), sum(t), count(*) FROM unfolded', NULL, 12),
    ('pareto_nbd_fit : bgnbd_fit, rows fold',
     'SELECT pareto_nbd_fit(x, t_x, t) FROM folded', 'SELECT bgnbd_fit(x, t_x, t) FROM folded', NULL, 4),
    ('pareto_nbd_fit : bgnbd_fit, rows do not fold',
     'SELECT pareto_nbd_fit(x, t_x, t) FROM unfolded', 'SELECT bgnbd_fit(x, t_x, t) FROM unfolded', NULL, NULL),
    ('mbgnbd_fit : bgnbd_fit, rows fold',
     'SELECT mbgnbd_fit(x, t_x, t) FROM folded', 'SELECT bgnbd_fit(x, t_x, t) FROM folded', NULL, NULL),
    ('bgcnbd_fit, k tried : bgnbd_fit, stored sample',
     'SELECT bgcnbd_fit(timing) FROM sample', 'SELECT bgnbd_fit(timing) FROM sample', NULL, NULL),
    ('mbgcnbd_fit, k tried : mbgnbd_fit, stored sample',
     'SELECT mbgcnbd_fit(timing) FROM sample', 'SELECT mbgnbd_fit(timing) FROM sample', NULL, NULL),
    ('pareto_nbd_fit, 1 binary covariate : none',
     'SELECT pareto_nbd_fit(x, t_x, t, ARRAY[member]) FROM described', 'SELECT pareto_nbd_fit(x, t_x, t) FROM described', NULL, NULL),
    ('pareto_nbd_fit, 2 binary covariates : none',
     'SELECT pareto_nbd_fit(x, t_x, t, ARRAY[member, shop]) FROM described', 'SELECT pareto_nbd_fit(x, t_x, t) FROM described',
     NULL, NULL),
    ('pareto_nbd_fit, 1 continuous covariate : none',
     'SELECT pareto_nbd_fit(x, t_x, t, ARRAY[score]) FROM described', 'SELECT pareto_nbd_fit(x, t_x, t) FROM described', NULL, NULL),
    ('bgnbd_fit, 1 continuous covariate : none',
     'SELECT bgnbd_fit(x, t_x, t, ARRAY[score]) FROM described', 'SELECT bgnbd_fit(x, t_x, t) FROM described', NULL, NULL),
    ('compare_models : pareto_nbd_fit, stored sample',
     'SELECT count(*) FROM sample, compare_models(timing)', 'SELECT pareto_nbd_fit(timing) FROM sample', NULL, NULL),
    ('backtest : pareto_nbd_fit, stored samples',
     'SELECT b.* FROM sample, backtest(holdout, ''pareto_nbd'') AS b', 'SELECT pareto_nbd_fit(timing) FROM sample', NULL, NULL),
    ('purchase_history : count(DISTINCT day), min, max, sum',
     'SELECT customer_id, purchase_history(ordered_at, amount) FROM orders GROUP BY customer_id',
     'SELECT customer_id, count(DISTINCT ordered_at::date), min(ordered_at), max(ordered_at), sum(amount)
      FROM orders GROUP BY customer_id', NULL, 1),
    ('purchase_history : count, min, max, sum',
     'SELECT customer_id, purchase_history(ordered_at, amount) FROM orders GROUP BY customer_id',
     'SELECT customer_id, count(*), min(ordered_at), max(ordered_at), sum(amount) FROM orders GROUP BY customer_id', NULL, 2),
    ('clv_sample of histories : sums of x, t_x, t',
     'SELECT clv_sample(history, date ''2026-03-31'', ''week'') FROM history',
     'SELECT sum(repeat_purchases(history, date ''2026-03-31'')), sum(purchase_span(history, date ''2026-03-31'')),
             sum(tenure(history, date ''2026-03-31'')) FROM history', NULL, NULL),
    ('BG/NBD: p_alive, us a row',
     'SELECT p_alive(bg, x, t_x, t) FROM customer', 'SELECT x, t_x, t, bg FROM customer', (SELECT count(*) FROM folded), 1),
    ('BG/NBD: expected_purchases (52 weeks), us a row',
     'SELECT expected_purchases(bg, x, t_x, t, 52) FROM customer', 'SELECT x, t_x, t, bg FROM customer',
     (SELECT count(*) FROM folded), 1),
    ('BG/NBD: churn_risk (52 weeks), us a row',
     'SELECT churn_risk(bg, x, t_x, t, 52) FROM customer', 'SELECT x, t_x, t, bg FROM customer',
     (SELECT count(*) FROM folded), NULL),
    ('Pareto/NBD: p_alive, us a row',
     'SELECT p_alive(pareto, x, t_x, t) FROM customer', 'SELECT x, t_x, t, pareto FROM customer', (SELECT count(*) FROM folded), 2),
    ('Pareto/NBD: expected_purchases (52 weeks), us a row',
     'SELECT expected_purchases(pareto, x, t_x, t, 52) FROM customer', 'SELECT x, t_x, t, pareto FROM customer',
     (SELECT count(*) FROM folded), 2),
    ('Pareto/NBD: churn_risk (52 weeks), us a row',
     'SELECT churn_risk(pareto, x, t_x, t, 52) FROM customer', 'SELECT x, t_x, t, pareto FROM customer',
     (SELECT count(*) FROM folded), 2),
    ('Pareto/NBD: clv (1 year), us a row',
     'SELECT clv(m, gg, history, date ''2026-03-31'', date ''2027-03-31'', 0.10) FROM some_history',
     'SELECT history, m, gg FROM some_history', (SELECT count(*) FROM some_history), NULL),
    ('Pareto/NBD: clv_ci (1 year), us a row',
     'SELECT clv_ci(m, gg, history, date ''2026-03-31'', date ''2027-03-31'', 0.10) FROM some_history',
     'SELECT history, m, gg FROM some_history', (SELECT count(*) FROM some_history), NULL),
    ('Pareto/NBD: purchase_count_interval (1 year), us a row',
     'SELECT purchase_count_interval(m, history, date ''2026-03-31'', date ''2027-03-31'') FROM some_history',
     'SELECT history, m FROM some_history', (SELECT count(*) FROM some_history), NULL),
    ('rfm_score OVER () : three ntile(5) windows',
     'SELECT rfm_score(days, orders, spend) OVER () FROM scored',
     'SELECT ntile(5) OVER (ORDER BY days DESC), ntile(5) OVER (ORDER BY orders), ntile(5) OVER (ORDER BY spend) FROM scored', NULL, 0.5),
    ('rfm_score OVER (), 1 % of the customers : of all',
     'SELECT rfm_score(days, orders, spend) OVER () FROM scored WHERE id % 100 = 0', 'SELECT rfm_score(days, orders, spend) OVER () FROM scored', NULL, NULL),
    ('rfm_score OVER (), 10 % of the customers : of all',
     'SELECT rfm_score(days, orders, spend) OVER () FROM scored WHERE id % 10 = 0', 'SELECT rfm_score(days, orders, spend) OVER () FROM scored', NULL, NULL),
    ('rfm_score : three ntile(5) windows, 10,000 partitions',
     'SELECT rfm_score(days, orders, spend) OVER (PARTITION BY id % 10000) FROM scored',
     'SELECT ntile(5) OVER (PARTITION BY id % 10000 ORDER BY days DESC), ntile(5) OVER (PARTITION BY id % 10000 ORDER BY orders),
             ntile(5) OVER (PARTITION BY id % 10000 ORDER BY spend) FROM scored', NULL, NULL),
    ('rfm_score of histories : of columns',
     'SELECT rfm_score(history, date ''2026-03-31'') OVER () FROM history', 'SELECT rfm_score(days, orders, spend) OVER () FROM scored', NULL, NULL),
    ('rfm_breaks : count(DISTINCT) of the three columns',
     'SELECT rfm_breaks(days, orders, spend) FROM scored',
     'SELECT count(DISTINCT days), count(DISTINCT orders), count(DISTINCT spend) FROM scored', NULL, NULL),
    ('rfm_score by breaks, us a row',
     'SELECT rfm_score(ARRAY[[400, 300, 200, 100], [1, 2, 4, 8], [20, 50, 100, 200]], days, orders, spend) FROM scored',
     'SELECT days, orders, spend FROM scored', (SELECT count(*) FROM scored), NULL),
    ('Pareto/NBD: fit of 1 % of the rows : of all',
     'SELECT pareto_nbd_fit(x, t_x, t) FROM folded WHERE id % 100 = 0', 'SELECT pareto_nbd_fit(x, t_x, t) FROM folded', NULL, NULL),
    ('Pareto/NBD: fit of 10 % of the rows : of all',
     'SELECT pareto_nbd_fit(x, t_x, t) FROM folded WHERE id % 10 = 0', 'SELECT pareto_nbd_fit(x, t_x, t) FROM folded', NULL, NULL),
    ('Pareto/NBD: 10 fits, GROUP BY cohort : one of all rows',
     'SELECT id % 10, pareto_nbd_fit(x, t_x, t) FROM folded GROUP BY 1', 'SELECT pareto_nbd_fit(x, t_x, t) FROM folded', NULL, NULL),
    ('Pareto/NBD: 1,000 fits, GROUP BY cohort : one of all rows',
     'SELECT id % 1000, pareto_nbd_fit(x, t_x, t) FROM folded GROUP BY 1', 'SELECT pareto_nbd_fit(x, t_x, t) FROM folded', NULL, NULL),
    ('BG/NBD: 1,000 fits, GROUP BY cohort : one of all rows',
     'SELECT id % 1000, bgnbd_fit(x, t_x, t) FROM folded GROUP BY 1', 'SELECT bgnbd_fit(x, t_x, t) FROM folded', NULL, NULL),
    ('rolling_resolution, latest 6 : avg where row_number() <= 6',
     'SELECT customer_id, rolling_resolution(resolved, at) FROM interactions GROUP BY customer_id',
     'SELECT customer_id, avg(resolved::int)
      FROM (SELECT customer_id, resolved, row_number() OVER (PARTITION BY customer_id ORDER BY at DESC, resolved DESC) AS n
            FROM interactions WHERE resolved IS NOT NULL) AS latest
      WHERE n <= 6 GROUP BY customer_id', NULL, 1),
    ('rolling_resolution OVER : avg OVER (ROWS 5 PRECEDING)',
     'SELECT rolling_resolution(resolved, at) OVER (PARTITION BY customer_id ORDER BY at) FROM some_interaction',
     'SELECT avg(resolved::int) OVER (PARTITION BY customer_id ORDER BY at ROWS 5 PRECEDING) FROM some_interaction WHERE resolved IS NOT NULL',
     NULL, NULL),
    ('otlp_evaluations, us a span',
     'SELECT e.* FROM documents, otlp_evaluations(document) AS e', 'SELECT jsonb_typeof(document) FROM documents',
     (SELECT count(*) FROM trace_span), 600),
    ('otlp_spans, us a span',
     'SELECT s.* FROM documents, otlp_spans(document) AS s', 'SELECT jsonb_typeof(document) FROM documents', (SELECT count(*) FROM trace_span), 600),
    ('deduplicate_evaluations, us a result',
     'SELECT * FROM deduplicate_evaluations(''trace_evaluation'')', 'SELECT * FROM trace_evaluation', (SELECT count(*) FROM trace_evaluation), NULL),
    ('resolve_customers, us a span',
     'SELECT * FROM resolve_customers(''trace_span'', ''trace_evaluation'')', 'SELECT * FROM trace_span', (SELECT count(*) FROM trace_span), NULL),
    ('resolve_customers, 1 of 16 traces : of all',
     'SELECT * FROM resolve_customers(''some_trace_span'', ''some_trace_evaluation'')',
     'SELECT * FROM resolve_customers(''trace_span'', ''trace_evaluation'')', NULL, NULL),
    -- regressions: a pass reads the rows and makes the array that the fit is given
    ('lm_fit, 10 regressors : ten regr_slope',
     'SELECT lm_fit(y, ARRAY[x1, x2, x3, x4, x5, x6, x7, x8, x9, x10]) FROM response',
     'SELECT regr_slope(y, x1), regr_slope(y, x2), regr_slope(y, x3), regr_slope(y, x4), regr_slope(y, x5), regr_slope(y, x6), regr_slope(y, x7), '
     'regr_slope(y, x8), regr_slope(y, x9), regr_slope(y, x10) FROM response', NULL, 3),
    ('logit_fit, 10 regressors : a pass',
     'SELECT logit_fit(churned, ARRAY[x1, x2, x3, x4, x5, x6, x7, x8, x9, x10]) FROM response', 'SELECT count(ARRAY[x1, x2, x3, x4, x5, x6, x7, x8, x9, x10]) FROM response', NULL, 10),
    ('lm_fit with HC3 of rows kept : lm_fit',
     'SELECT lm_fit(regression_sample(y, ARRAY[x1, x2, x3, x4, x5, x6, x7, x8, x9, x10]), ''HC3'') FROM response', 'SELECT lm_fit(y, ARRAY[x1, x2, x3, x4, x5, x6, x7, x8, x9, x10]) FROM response', NULL, NULL),
    ('lm_cluster_fit, clusters of 10 rows : lm_fit',
     'SELECT lm_cluster_fit(m) FROM (SELECT clv_moments(y, ARRAY[x1, x2, x3, x4, x5, x6, x7, x8, x9, x10]) AS m FROM response GROUP BY customer_id) AS c', 'SELECT lm_fit(y, ARRAY[x1, x2, x3, x4, x5, x6, x7, x8, x9, x10]) FROM response', NULL, NULL),
    ('lm_cluster_vcov, clusters of 10 rows : lm_fit',
     'SELECT lm_cluster_vcov(model, y, ARRAY[x1, x2, x3, x4, x5, x6, x7, x8, x9, x10], customer_id) FROM response, linear_model', 'SELECT lm_fit(y, ARRAY[x1, x2, x3, x4, x5, x6, x7, x8, x9, x10]) FROM response', NULL, NULL),
    ('logit_fit, clusters of 10 rows : without clusters',
     'SELECT logit_fit(churned, ARRAY[x1, x2, x3, x4, x5, x6, x7, x8, x9, x10], customer_id) FROM response', 'SELECT logit_fit(churned, ARRAY[x1, x2, x3, x4, x5, x6, x7, x8, x9, x10]) FROM response', NULL, NULL),
    ('churn_risk(model, x), us a row',
     'SELECT churn_risk(model, ARRAY[x1, x2, x3, x4, x5, x6, x7, x8, x9, x10]) FROM response, logistic_model', 'SELECT ARRAY[x1, x2, x3, x4, x5, x6, x7, x8, x9, x10] FROM response', (SELECT count(*) FROM response), NULL),
    ('spearman : corr of two rank()',
     'SELECT spearman(x1, y) FROM response', 'SELECT corr(a, b) FROM (SELECT rank() OVER (ORDER BY x1) AS a, rank() OVER (ORDER BY y) AS b FROM response) AS r', NULL, NULL),
    ('survival_points of distinct times, us a row',
     'SELECT count(*) FROM (SELECT survival_sample(least(lifetime, observed), lifetime <= observed) AS s FROM response) AS s, survival_points(s)',
     'SELECT count(least(lifetime, observed)) FROM response', (SELECT count(*) FROM response), NULL),
    ('survival_points of months, us a row',
     'SELECT count(*) FROM (SELECT survival_sample(ceil(least(lifetime, observed)), lifetime <= observed) AS s FROM response) AS s, survival_points(s)',
     'SELECT count(ceil(least(lifetime, observed))) FROM response', (SELECT count(*) FROM response), NULL),
    ('cox_fit, 5 regressors : logit_fit of them',
     'SELECT cox_fit(least(lifetime, observed), lifetime <= observed, ARRAY[x1, x2, x3, x4, x5]) FROM response',
     'SELECT logit_fit(churned, ARRAY[x1, x2, x3, x4, x5]) FROM response', NULL, NULL),
    ('prediction_quality, us a row',
     'SELECT q.* FROM (SELECT prediction_sample(x1, churned) AS s FROM response) AS s, prediction_quality(s) AS q',
     'SELECT count(x1) FROM response', (SELECT count(*) FROM response), NULL);


CREATE PROCEDURE measure(runs int) LANGUAGE plpgsql AS $$
DECLARE
    m measurement%ROWTYPE;
    ours float8[];
    plain float8[];
BEGIN
    FOR run IN 0 .. runs LOOP
        FOR m IN SELECT * FROM measurement ORDER BY id LOOP
            ours := milliseconds(m.ours);
            plain := milliseconds(m.plain);
            INSERT INTO timing VALUES (m.id, run, ours[1], plain[1], ours[2], plain[2]);
        END LOOP;
        RAISE NOTICE '%', CASE run WHEN 0 THEN 'warmed up' ELSE format('run %s of %s', run, runs) END;
    END LOOP;
END $$;
CALL measure(:runs);

\echo
\echo 'Rows:'
SELECT 'folded' AS "table", count(*) AS rows, count(DISTINCT (x, t_x, t)) AS "distinct" FROM folded
UNION ALL SELECT 'unfolded', count(*), count(DISTINCT (x, t_x, t)) FROM unfolded
UNION ALL SELECT 'described (with member and shop)', count(*), count(DISTINCT (x, t_x, t, member, shop)) FROM described
UNION ALL SELECT 'described (with score)', count(*), count(DISTINCT (x, t_x, t, score)) FROM described
UNION ALL SELECT 'history (distinct: rows of a sample)', i.n, i.n_distinct FROM sample, sample_info(timing) AS i
UNION ALL SELECT 'history (distinct: rows of a holdout)', i.n, i.n_distinct FROM sample, sample_info(holdout) AS i
UNION ALL SELECT 'scored', count(*), count(DISTINCT (days, orders, spend)) FROM scored
UNION ALL SELECT 'orders (distinct: customers)', count(*), count(DISTINCT customer_id) FROM orders
UNION ALL SELECT 'interactions (distinct: customers)', count(*), count(DISTINCT customer_id) FROM interactions
UNION ALL SELECT 'response (distinct: customers)', count(*), count(DISTINCT customer_id) FROM response
UNION ALL SELECT 'trace_span (distinct: traces)', count(*), count(DISTINCT trace_id) FROM trace_span
UNION ALL SELECT 'trace_evaluation (distinct: results)', count(*), (SELECT count(*) FROM deduplicate_evaluations('trace_evaluation')) FROM trace_evaluation;

\echo 'The BG/NBD fit of folded, and what was simulated:'
SELECT term, round(estimate::numeric, 4) AS estimate, round(std_error::numeric, 4) AS std_error, simulated
FROM model, tidy(bg) JOIN (VALUES ('r', 0.24), ('alpha', 4.41), ('a', 0.79), ('b', 2.43)) AS s (term, simulated) USING (term);

\echo 'The Pareto/NBD fit of described, and what was simulated:'
SELECT term, round(estimate::numeric, 4) AS estimate, round(std_error::numeric, 4) AS std_error, simulated
FROM (SELECT pareto_nbd_fit(x, t_x, t, ARRAY[member, shop]) AS m FROM described OFFSET 0) AS f, tidy(m)
JOIN (VALUES ('r', 0.55), ('alpha', 10.6), ('s', 0.61), ('beta', 11.7), ('purchase_1', 0.4), ('purchase_2', -0.2),
             ('dropout_1', -0.3), ('dropout_2', 0.2)) AS s (term, simulated) USING (term);

-- what is compared with a target: a ratio, or the difference per row in microseconds
CREATE FUNCTION figure(ours float8, plain float8, rows bigint) RETURNS float8 LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN rows IS NULL THEN ours / nullif(plain, 0) ELSE 1000 * (ours - plain) / rows END;

\echo 'Median of' :runs 'runs, single process:'
SELECT what, round(m.ours::numeric, 1) AS "ours ms", round(m.plain::numeric, 1) AS "plain ms",
       round(m.figure::numeric, 3) AS figure, round(m.cpu_figure::numeric, 3) AS "by CPU", target,
       CASE WHEN m.figure <= target THEN 'met' WHEN m.figure > target THEN 'MISSED' ELSE '' END AS verdict
FROM (SELECT id, percentile_cont(0.5) WITHIN GROUP (ORDER BY t.ours) AS ours,
             percentile_cont(0.5) WITHIN GROUP (ORDER BY t.plain) AS plain,
             percentile_cont(0.5) WITHIN GROUP (ORDER BY figure(t.ours, t.plain, rows)) AS figure,
             percentile_cont(0.5) WITHIN GROUP (ORDER BY figure(ours_cpu, plain_cpu, rows)) AS cpu_figure
      FROM timing AS t JOIN measurement USING (id)
      WHERE run > 0
      GROUP BY id) AS m
JOIN measurement USING (id)
ORDER BY id;
