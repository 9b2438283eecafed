-- measure.sql - what bench/run measures: each query beside plain SQL over the same rows, in one session.
--
-- psql variable: runs. All queries take turns; the first round only warms up, a figure is the median of the others.
-- Times are those of EXPLAIN ANALYZE with TIMING OFF: execution, without planning and without sending rows.

\pset footer off
SET max_parallel_workers_per_gather = 0;
SET jit = off;
SET work_mem = '256MB';

CREATE TABLE measurement (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    what text,
    ours text,
    plain text,             -- what it is compared with
    rows bigint,            -- if given, the figure is (ours - plain) per row in microseconds, otherwise ours / plain
    target float8
);
CREATE TABLE timing (id int REFERENCES measurement, run int, ours float8, plain float8);

-- warnings about the fits of tiny groups are not what is looked at here
CREATE FUNCTION milliseconds(query text) RETURNS float8 LANGUAGE plpgsql VOLATILE SET client_min_messages = error AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ' || query INTO plan;
    RETURN plan -> 0 ->> 'Execution Time';
END $$;

CREATE TABLE model AS SELECT bgnbd_fit(x, t_x, t) AS m FROM folded;
CREATE VIEW customer AS SELECT x, t_x, t, m FROM folded, model;

INSERT INTO measurement (what, ours, plain, rows, target) VALUES
    ('bgnbd_fit, rows fold : sums',
     'SELECT bgnbd_fit(x, t_x, t) FROM folded',
     'SELECT sum(x), sum(t_x), sum(t), count(*) FROM folded', NULL, 6),
    ('bgnbd_fit, rows do not fold : sums',
     'SELECT bgnbd_fit(x, t_x, t) FROM unfolded',
     'SELECT sum(x), sum(t_x), sum(t), count(*) FROM unfolded', NULL, 12),
    ('purchase_history : count(DISTINCT day), min, max, sum',
     'SELECT customer_id, purchase_history(ordered_at, amount) FROM orders GROUP BY customer_id',
     'SELECT customer_id, count(DISTINCT ordered_at::date), min(ordered_at), max(ordered_at), sum(amount)
      FROM orders GROUP BY customer_id', NULL, 1),
    ('purchase_history : count, min, max, sum',
     'SELECT customer_id, purchase_history(ordered_at, amount) FROM orders GROUP BY customer_id',
     'SELECT customer_id, count(*), min(ordered_at), max(ordered_at), sum(amount) FROM orders GROUP BY customer_id', NULL, 2),
    ('p_alive, us a row',
     'SELECT p_alive(m, x, t_x, t) FROM customer', 'SELECT x, t_x, t, m FROM customer', (SELECT count(*) FROM folded), 1),
    ('expected_purchases (52 weeks), us a row',
     'SELECT expected_purchases(m, x, t_x, t, 52) FROM customer', 'SELECT x, t_x, t, m FROM customer',
     (SELECT count(*) FROM folded), 1),
    ('churn_risk (52 weeks), us a row',
     'SELECT churn_risk(m, x, t_x, t, 52) FROM customer', 'SELECT x, t_x, t, m FROM customer',
     (SELECT count(*) FROM folded), NULL),
    ('fit of 1 % of the rows : of all',
     'SELECT bgnbd_fit(x, t_x, t) FROM folded WHERE id % 100 = 0', 'SELECT bgnbd_fit(x, t_x, t) FROM folded', NULL, NULL),
    ('fit of 10 % of the rows : of all',
     'SELECT bgnbd_fit(x, t_x, t) FROM folded WHERE id % 10 = 0', 'SELECT bgnbd_fit(x, t_x, t) FROM folded', NULL, NULL),
    ('10 fits, GROUP BY cohort : one of all rows',
     'SELECT id % 10, bgnbd_fit(x, t_x, t) FROM folded GROUP BY 1', 'SELECT bgnbd_fit(x, t_x, t) FROM folded', NULL, NULL),
    ('1,000 fits, GROUP BY cohort : one of all rows',
     'SELECT id % 1000, bgnbd_fit(x, t_x, t) FROM folded GROUP BY 1', 'SELECT bgnbd_fit(x, t_x, t) FROM folded', NULL, NULL);

CREATE PROCEDURE measure(runs int) LANGUAGE plpgsql AS $$
DECLARE
    m measurement%ROWTYPE;
BEGIN
    FOR run IN 0 .. runs LOOP
        FOR m IN SELECT * FROM measurement ORDER BY id LOOP
            INSERT INTO timing VALUES (m.id, run, milliseconds(m.ours), milliseconds(m.plain));
        END LOOP;
        RAISE NOTICE '%', CASE run WHEN 0 THEN 'warmed up' ELSE format('run %s of %s', run, runs) END;
    END LOOP;
END $$;
CALL measure(:runs);

\echo
\echo 'Rows:'
SELECT 'folded' AS "table", count(*) AS rows, count(DISTINCT (x, t_x, t)) AS "distinct" FROM folded
UNION ALL SELECT 'unfolded', count(*), count(DISTINCT (x, t_x, t)) FROM unfolded
UNION ALL SELECT 'orders (distinct: customers)', count(*), count(DISTINCT customer_id) FROM orders;

\echo 'The fit of folded, and what was simulated:'
SELECT term, round(estimate::numeric, 4) AS estimate, round(std_error::numeric, 4) AS std_error, simulated
FROM model, tidy(m) JOIN (VALUES ('r', 0.24), ('alpha', 4.41), ('a', 0.79), ('b', 2.43)) AS s (term, simulated) USING (term);

\echo 'Median of' :runs 'runs, single process:'
SELECT what, round(median.ours::numeric, 1) AS "ours ms", round(median.plain::numeric, 1) AS "plain ms",
       round(figure::numeric, 3) AS figure, target,
       CASE WHEN figure <= target THEN 'met' WHEN figure > target THEN 'MISSED' ELSE '' END AS verdict
FROM (SELECT id, percentile_cont(0.5) WITHIN GROUP (ORDER BY t.ours) AS ours,
             percentile_cont(0.5) WITHIN GROUP (ORDER BY t.plain) AS plain,
             percentile_cont(0.5) WITHIN GROUP (
                 ORDER BY CASE WHEN rows IS NULL THEN t.ours / t.plain ELSE 1000 * (t.ours - t.plain) / rows END) AS figure
      FROM timing AS t JOIN measurement USING (id)
      WHERE run > 0
      GROUP BY id) AS median
JOIN measurement USING (id)
ORDER BY id;
