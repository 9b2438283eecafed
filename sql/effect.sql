-- Effects of a treatment or a score: effect_sample, aipw_effect, partial_effect.
\set VERBOSITY terse
-- SQLSTATE, message, detail and hint of a statement that must fail
CREATE FUNCTION effect_failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN format('%s: %s | %s | %s', SQLSTATE, SQLERRM, detail, hint);
END $$;

-- Samples --------------------------------------------------------------------------------------------------------------
SELECT effect_sample(y, treatment, ARRAY[x], unit) AS sample FROM (VALUES (1.5::float8, true, 0.5::float8, 7::bigint), (2, false, 1, 3), (1.5, true, 0.5, 7), (0, true, -0.0, 3), (NULL, true, 1, 3), (1, NULL, 1, 3), (1, true, NULL, 3), (1, true, 1, NULL)) AS v (y, treatment, x, unit);
-- all types of y, treatment and unit; the unit of a text is a hash of it
SELECT effect_sample(true, 0.5, '{1,2}', 1::bigint) AS a, effect_sample(0, true, '{1,2}', 1) AS b, effect_sample(true, false, '{1,2}', 1) AS c, effect_sample(2.5, 3, '{1,2}', 1::bigint) AS d;
SELECT effect_sample(true, 0.5, '{1}', 'a'::text) = effect_sample(1, 0.5, '{1}', 'a'::text) AS same, effect_sample(true, true, '{1}', 'a'::text) = effect_sample(1, 1, '{1}', 'b'::text) AS other,
       effect_sample(true, true, '{1}', 'a'::text) = effect_sample(1, true, '{1}', 'a'::text) AS boolean;
SELECT effect_sample(NULL::float8, true, '{1}', 1::bigint) AS skipped, (SELECT effect_sample(1, true, '{1}', 1) FROM (SELECT) AS none WHERE false) AS none;
SELECT effect_failure(format('SELECT effect_sample(%s)', arguments)) FROM (VALUES ('''NaN''::float8, true, ''{1}'', 1'), ('1, ''infinity''::float8, ''{1}'', 1'), ('1, true, ''{}'', 1'), ('1, true, ''{{1},{2}}'', 1'),
    ('1, true, ''{NaN}'', 1'), ('1, true, array_fill(1.0, ''{33}''), 1'), ('1, true, ''{1}'', 9007199254740993'), ('y, true, x, 1) FROM (VALUES (1, ''{1}''::float8[]), (2, ''{1,2}'')) AS v (y, x')) AS v (arguments);

-- A planted effect -----------------------------------------------------------------------------------------------------
-- 4000 customers with two rows each; loyal ones are resolved more often and churn less; resolution lowers churn, and raises spend by 5
SELECT setseed(0.5);
CREATE TABLE contacts AS
SELECT customer, tenure, ln(tenure) AS log_tenure, resolved, random() < 1 / (1 + exp(0.3 + 0.9 * resolved::int + 1.2 * (ln(tenure) - 1))) AS churned, 50 + 5 * resolved::int + 20 * ln(tenure) + 10 * (random() + random() + random() - 1.5) AS spend, 0.5 + score * 0.5 AS score
FROM (SELECT customer, tenure, random() < 1 / (1 + exp(1 - 1.3 * ln(tenure))) AS resolved, 0.6 * ln(tenure) + random() AS score
      FROM (SELECT customer, 0.5 + 9.5 * random() AS tenure FROM generate_series(1, 4000) AS customer) AS c, generate_series(1, 2)) AS r;
CREATE TABLE samples AS SELECT effect_sample(churned, resolved, ARRAY[log_tenure], customer) AS churn, effect_sample(spend, resolved, ARRAY[log_tenure], customer) AS spend,
       effect_sample(50 + 5 * score + 20 * log_tenure + 10 * random(), score, ARRAY[log_tenure], customer) AS score FROM contacts;
-- the difference of means says twice as much as is true
SELECT round((avg(churned::int) FILTER (WHERE resolved) - avg(churned::int) FILTER (WHERE NOT resolved))::numeric, 4) AS difference_of_means,
       round(avg(1 / (1 + exp(1.2 + 1.2 * (log_tenure - 1))) - 1 / (1 + exp(0.3 + 1.2 * (log_tenure - 1))))::numeric, 4) AS truth FROM contacts;
\set numbers 'round(estimate::numeric, 4) AS estimate, round(std_error::numeric, 4) AS std_error, round(statistic::numeric, 2) AS statistic, round(p_value::numeric, 6) AS p_value, round(conf_low::numeric, 4) AS conf_low, round(conf_high::numeric, 4) AS conf_high'
\set more 'n, treated, trimmed_share, round(lowest_propensity::numeric, 3) AS lowest, round(highest_propensity::numeric, 3) AS highest'
SELECT :numbers, :more FROM samples, aipw_effect(churn);
SELECT :numbers, :more FROM samples, aipw_effect(spend);
SELECT :numbers, n FROM samples, partial_effect(spend);
SELECT :numbers, n FROM samples, partial_effect(score);
-- what is about a treatment of 0 and 1 is none of its columns
SELECT * FROM partial_effect(NULL);
SELECT :numbers FROM samples, partial_effect(score, folds => 2, repetitions => 1, conf => 0.5);
-- statistic, p-value and interval are those of t
SELECT abs(statistic - estimate / std_error) < 1e-12 AS statistic, abs((conf_high + conf_low) / 2 - estimate) < 1e-12 AS centred, round(((conf_high - conf_low) / 2 / std_error)::numeric, 6) AS t_of_3999 FROM samples, aipw_effect(spend);
-- deterministic; whatever the order of the rows, and however many workers or partial states there are
CREATE TABLE parts AS SELECT customer % 7 AS part, effect_sample(churned, resolved, ARRAY[log_tenure], customer) AS s FROM contacts GROUP BY 1;
SELECT (SELECT clv_sample(s) FROM parts) = churn AS merged, (SELECT clv_sample(s ORDER BY part DESC) FROM parts) = churn AS backwards, (SELECT effect_sample(churned, resolved, ARRAY[log_tenure], customer ORDER BY log_tenure) FROM contacts) = churn AS ordered,
       clv_sample_final(clv_sample_combine(NULL, churn)) = churn AS left_null, clv_sample_final(clv_sample_combine(churn, NULL)) = churn AS right_null,
       clv_sample_final(clv_sample_combine('effect(covariates=2){}', churn)) = churn AS left_empty, clv_sample_final(clv_sample_combine(churn, 'effect(covariates=2){}')) = churn AS right_empty,
       (SELECT clv_sample(s) FROM (SELECT effect_sample(churned, resolved, ARRAY[log_tenure], customer) AS s FROM contacts GROUP BY customer, log_tenure, resolved, churned) AS each) = churn AS one_by_one FROM samples;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT effect_sample(churned, resolved, ARRAY[log_tenure], customer) FROM contacts;
SELECT (SELECT effect_sample(churned, resolved, ARRAY[log_tenure], customer) FROM contacts) = churn AS parallel FROM samples;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather;
SELECT count(DISTINCT a) AS answers FROM samples, generate_series(1, 3) AS i, aipw_effect(churn, repetitions => 1 + i * 0) AS a;
-- stored, dumped and read again
SELECT churn::text::clv_sample = churn AS text FROM samples;
-- copies of the rows are no evidence
SELECT round((a.std_error / b.std_error)::numeric, 6) AS ratio, round((a.estimate / b.estimate)::numeric, 6) AS same, a.n FROM (SELECT spend, (SELECT clv_sample(s) FROM (SELECT spend AS s FROM generate_series(1, 5)) AS c) AS five FROM samples) AS f, aipw_effect(five) AS a, aipw_effect(spend) AS b;
-- in other units of x and y
SELECT round((a.estimate / b.estimate)::numeric, 6) AS estimate, round((a.std_error / b.std_error)::numeric, 6) AS std_error FROM (SELECT effect_sample(spend, resolved, ARRAY[log_tenure], customer) AS one, effect_sample(1000 * spend + 7, resolved, ARRAY[2e6 + 1e4 * log_tenure], customer) AS other FROM contacts) AS s, aipw_effect(other) AS a, aipw_effect(one) AS b;

-- What the rows cannot tell --------------------------------------------------------------------------------------------
-- hardly any overlap, none, and too few units
SELECT round(trimmed_share::numeric, 2) AS trimmed_share, conf_low < 1 AND conf_high > 1 AS covers FROM (SELECT effect_sample((x > 0.5 * sin(i))::int + x + cos(i * i), x > 0.5 * sin(i), ARRAY[x], i) AS s FROM (SELECT i, sin(0.37 * i * i) AS x FROM generate_series(1, 2000) AS i) AS r) AS e, aipw_effect(s);
SELECT estimate, std_error, p_value, conf_low, trimmed_share > 0.8 AS all_but_all FROM (SELECT effect_sample((x > 0)::int + x + cos(i * i), x > 0, ARRAY[x], i) AS s FROM (SELECT i, sin(0.37 * i * i) AS x FROM generate_series(1, 2000) AS i) AS r) AS e, aipw_effect(s);
SELECT e.* FROM (SELECT effect_sample(i, i % 2, ARRAY[i % 3], i % 9) AS s FROM generate_series(1, 100) AS i) AS r, aipw_effect(s) AS e;
SELECT e.estimate, e.n, e.treated FROM (SELECT effect_sample(i, 1, ARRAY[i % 3], i) AS s FROM generate_series(1, 100) AS i) AS r, aipw_effect(s) AS e;
SELECT e.estimate, e.n, e.treated FROM (SELECT effect_sample(true, i % 2 = 0, ARRAY[i % 3], i) AS s FROM generate_series(1, 100) AS i) AS r, aipw_effect(s) AS e;
SELECT e.estimate, e.n FROM (SELECT effect_sample(i * i, 2 * i, ARRAY[i], i) AS s FROM generate_series(1, 100) AS i) AS r, partial_effect(s) AS e;
SELECT e.estimate, e.n FROM (SELECT effect_sample(3 * (i % 2) + i, i % 2, ARRAY[i], i) AS s FROM generate_series(1, 100) AS i) AS r, partial_effect(s) AS e;
SELECT e.estimate, e.n, e.treated FROM (SELECT effect_sample(1, true, NULL, 1) AS s) AS r, aipw_effect(s) AS e;
SELECT count(*) AS no_sample FROM aipw_effect(NULL);
-- a constant x explains nothing and does no harm; nor does one that nobody can tell from another
SELECT round((a.estimate / b.estimate)::numeric, 9) AS same FROM (SELECT effect_sample(spend, resolved, ARRAY[log_tenure], customer) AS one, effect_sample(spend, resolved, ARRAY[7, log_tenure, 1 - 2 * log_tenure], customer) AS more FROM contacts) AS s, aipw_effect(more) AS a, aipw_effect(one) AS b;
SELECT call, effect_failure(format('SELECT * FROM samples, %s', call)) FROM (VALUES ('aipw_effect(score)'), ('aipw_effect(''timing{0:0:1}'')'), ('aipw_effect(churn, 1)'), ('aipw_effect(churn, 51)'), ('aipw_effect(churn, repetitions => 0)'), ('partial_effect(churn, repetitions => 102)'),
    ('partial_effect(churn, conf => 95)'), ('partial_effect(''pair{1:2}'')')) AS v (call);
-- a call can be cancelled
SET statement_timeout = '50ms';
SELECT e.* FROM samples, aipw_effect(churn, 50, 101) AS e;
RESET statement_timeout;
