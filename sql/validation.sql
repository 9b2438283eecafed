-- Validation: samples of a holdout and of a calendar, backtests, classes, tracking.
\set VERBOSITY terse
CREATE SCHEMA validation;
SET search_path = validation, public;
CREATE FUNCTION near(actual float8, expected float8, tolerance float8 DEFAULT 1e-12) RETURNS boolean LANGUAGE sql IMMUTABLE
    RETURN abs(actual - expected) <= tolerance * greatest(abs(expected), 1e-300);

-- Holdout samples ---------------------------------------------------------------------------------------------------
-- calibration 2024-01-31, until 2024-02-29:
--   ann   01-01, 01-08, 01-22 (10, 20, 30): x 2, t_x 21, t_cal 30, mean of the repeats 25; then 02-05 (40), a refund of 5 on
--         02-10, 02-29 (15): 2 purchases, spend 50; 03-10 is after until
--   bob   01-10: x 0, t_cal 21; nothing after it
--   cid   first order on 02-03: not a customer by calibration, skipped
--   dora  01-01 and a repeat at zero dollars on 01-15: mean 0; 02-20 (8)
--   eve   as bob, but 02-01 (12)
--   fay   01-31, the day of calibration: t_cal 0; a refund of 3 on 02-02: no purchase, spend -3
CREATE TABLE orders (customer text, at date, amount numeric);
INSERT INTO orders VALUES ('ann', '2024-01-01', 10), ('ann', '2024-01-08', 20), ('ann', '2024-01-22', 30), ('ann', '2024-02-05', 40),
    ('ann', '2024-02-10', -5), ('ann', '2024-02-29', 15), ('ann', '2024-03-10', 99), ('bob', '2024-01-10', 5), ('cid', '2024-02-03', 7),
    ('dora', '2024-01-01', 10), ('dora', '2024-01-15', 0), ('dora', '2024-02-20', 8), ('eve', '2024-01-10', 7), ('eve', '2024-02-01', 12),
    ('fay', '2024-01-31', 3), ('fay', '2024-02-02', -3);
CREATE TABLE histories AS SELECT customer, purchase_history(at, amount) AS h FROM orders GROUP BY customer;
SELECT holdout_sample(h, date '2024-01-31', date '2024-02-29') FROM histories;
-- the readers of a history say the same
SELECT customer, repeat_purchases(h, '2024-01-31') AS x, purchase_span(h, '2024-01-31') AS t_x, tenure(h, '2024-01-31') AS t_cal,
       monetary_value(h, '2024-01-31'), purchases_within(h, '2024-01-31', '2024-02-29') AS purchases, spend_within(h, '2024-01-31', '2024-02-29') AS spend
FROM histories ORDER BY 2, 4, 6;
SELECT holdout_sample(h, date '2024-01-29', date '2024-02-29', 'week') FROM histories WHERE customer IN ('ann', 'dora');
-- without amounts the same times, and no money
SELECT holdout_sample(h, date '2024-01-31', date '2024-02-29') FROM (SELECT purchase_history(at) AS h FROM orders WHERE amount > 0 GROUP BY customer) n;
-- timestamptz: the day in the session's zone; literals without a type are timestamptz
SET timezone = 'Europe/Vienna';
SELECT holdout_sample(h, timestamptz '2024-01-30 23:30+00', timestamptz '2024-02-29 12:00+01') = holdout_sample(h, date '2024-01-31', date '2024-02-29') AS day_in_zone,
       holdout_sample(h, '2024-01-31', '2024-02-29', 'week') = holdout_sample(h, date '2024-01-31', date '2024-02-29', 'week') AS week FROM histories;
RESET timezone;
-- NULLs are skipped; without rows NULL; nobody is a customer yet: a sample of nobody
SELECT holdout_sample(h, calibration, until, unit) = holdout_sample(h, date '2024-01-31', date '2024-02-29', 'day') FILTER (WHERE h IS NOT NULL AND n = 1) AS same
FROM (SELECT h FROM histories UNION ALL SELECT NULL) h,
     (VALUES (1, date '2024-01-31', date '2024-02-29', 'day'), (2, NULL, '2024-02-29', 'day'), (3, '2024-01-31', NULL, 'day'), (4, '2024-01-31', '2024-02-29', NULL)) v (n, calibration, until, unit);
SELECT holdout_sample(h, date '2024-01-31', date '2024-02-29') IS NULL AS nothing FROM histories WHERE false;
SELECT holdout_sample(h, date '2023-01-31', date '2024-02-29') FROM histories;

-- A backtest worked by hand --------------------------------------------------------------------------------------------
-- BG/NBD with r 1, alpha 10, a 2, b 1 per day; all customers at t_cal 20, holdout of 30 days, so that A = t = 30:
--   x = 0:            E = 2 (1 - (A/t) ln(1 + t/A)) = 2 (1 - ln 2)
--   x = 1, t_x = 20:  P(alive) = 1 / (1 + 2 (30/30)^2) = 1/3; E = 1/3 * 3 (2 ln 2 - 1) = 2 ln 2 - 1
-- gamma-gamma with p 1, q 2, v 10: mean of the population 10, after one repeat of 30: (30 + 10) / (1 + 1) = 20
--   one    01-11;                     nothing:        0 purchases for 2 - 2 ln 2,  spend  0 for 20 - 20 ln 2
--   two    01-11;                     02-20 (12):     1 purchase  for 2 - 2 ln 2,  spend 12 for 20 - 20 ln 2
--   three  01-11, 01-31 (30);         02-01 (20), 03-01 (30): 2   for 2 ln 2 - 1,  spend 50 for 40 ln 2 - 20
-- predicted 3 - 2 ln 2; errors 2 - 2 ln 2, 1 - 2 ln 2 (negative), 2 ln 2 - 3 (negative): MAE (4 - 2 ln 2) / 3, bias -2 ln 2 / 3
-- predicted spend 20; errors 20 - 20 ln 2, 8 - 20 ln 2 (negative), 40 ln 2 - 70 (negative): MAE (82 - 40 ln 2) / 3, bias -42 / 3
-- the tenth of 3 customers are 0.3: of three, for whom 40 ln 2 - 20 = 7.73 is the most, 15 of 62
CREATE TABLE three AS
SELECT customer, purchase_history(at, amount) AS h
FROM (VALUES ('one', date '2024-01-11', 9), ('two', '2024-01-11', 8), ('two', '2024-02-20', 12), ('three', '2024-01-11', 7), ('three', '2024-01-31', 30),
             ('three', '2024-02-01', 20), ('three', '2024-03-01', 30)) o (customer, at, amount)
GROUP BY customer;
CREATE TABLE hand AS
SELECT holdout_sample(h, date '2024-01-31', date '2024-03-01') AS s, bgnbd_model(1, 10, 2, 1, 'day') AS m, gamma_gamma_model(1, 2, 10) AS gg, ln(2::float8) AS ln2 FROM three;
SELECT s FROM hand;
SELECT kind, customers, actual_purchases, near(predicted_purchases, 3 - 2 * ln2) AS predicted, actual_spend, near(predicted_spend, 20) AS predicted_spend,
       near(mae, (4 - 2 * ln2) / 3) AS mae, near(rmse, sqrt(((2 - 2 * ln2) ^ 2 + (1 - 2 * ln2) ^ 2 + (2 * ln2 - 3) ^ 2) / 3)) AS rmse, near(bias, -2 * ln2 / 3) AS bias
FROM hand, backtest(s, m, gg);
SELECT near(spend_mae, (82 - 40 * ln2) / 3) AS mae, near(spend_rmse, sqrt(((20 - 20 * ln2) ^ 2 + (8 - 20 * ln2) ^ 2 + (40 * ln2 - 70) ^ 2) / 3)) AS rmse, near(spend_bias, -14) AS bias,
       near(top_decile_share, 15 / 62.0) AS share, near(top_decile_possible, 15 / 62.0) AS possible, converged
FROM hand, backtest(s, m, gg);
-- without a spend model value is purchases: one and two are predicted the most, 0.3 of the two bought 0.15; at best 0.3 of 2; of 3
SELECT actual_spend, predicted_spend, spend_mae, spend_rmse, spend_bias, near(top_decile_share, 0.15 / 3) AS share, near(top_decile_possible, 0.6 / 3) AS possible
FROM hand, backtest(s, m);
-- in weeks, the model's and the sample's
SELECT near(w.predicted_purchases, d.predicted_purchases) AS model_in_weeks, near(w.rmse, d.rmse) AS rmse
FROM hand, backtest(s, bgnbd_model(1, 10 / 7.0::float8, 2, 1, 'week')) w, backtest(s, m) d;
SELECT near(w.predicted_purchases, 3 - 2 * ln2) AS sample_in_weeks, near(w.spend_mae, (82 - 40 * ln2) / 3) AS spend
FROM hand, (SELECT holdout_sample(h, date '2024-01-31', date '2024-03-01', 'week') AS weeks FROM three) x, backtest(weeks, m, gg) w;
-- classes: one and two have x = 0, three has x = 1
SELECT class, customers, actual_purchases, round(predicted_purchases::numeric, 10) AS predicted, actual_per_customer, round(predicted_per_customer::numeric, 10) AS predicted_per_customer
FROM hand, backtest_classes(s, m);
SELECT round(2 * (2 - 2 * ln(2::numeric)), 10) AS class_0, round(2 * ln(2::numeric) - 1, 10) AS class_1;

-- The tenth, with ties: 25 customers, so 2.5 of them. The model ranks by x: the one of x = 9 with 4 purchases, then 1.5 of the four of x = 3
-- with 6 each: 4 + 9 = 13 of 4 + 24 + 20 = 48. At best 2.5 of those with 6: 15 of 48.
-- The four of x = 3 as two with 5 and two with 7: the same share, as 1.5 of them are taken evenly; at best 7 + 7 + 5 / 2 = 16.5.
SELECT near(top_decile_share, 13 / 48.0) AS share, near(top_decile_possible, possible / 48.0) AS possible
FROM (VALUES ('holdout(unit=day,as_of=2024-01-31,until=2024-03-01){0:0:100:0:1:0*20,3:99:100:0:6:0*4,9:99:100:0:4:0}'::clv_sample, 15.0),
             ('holdout(unit=day,as_of=2024-01-31,until=2024-03-01){0:0:100:0:1:0*20,3:99:100:0:5:0*2,3:99:100:0:7:0*2,9:99:100:0:4:0}', 16.5)) v (s, possible),
     backtest(s, bgnbd_model(1, 10, 2, 1, 'day'));
-- everything in the seventh and last class; classes hold the counts
SELECT class, customers, actual_purchases, actual_per_customer
FROM backtest_classes('holdout(unit=day,as_of=2024-01-31,until=2024-03-01){6:99:100:0:1:0*3,7:99:100:0:2:0*2,400:99:100:0:90:0}', bgnbd_model(1, 10, 2, 1, 'day')) WHERE customers > 0;
-- nobody bought in the holdout: no share of nothing
SELECT actual_purchases, mae = bias AS all_too_high, top_decile_share, top_decile_possible
FROM backtest('holdout(unit=day,as_of=2024-01-31,until=2024-03-01){0:0:20:0:0:0*3,1:20:20:0:0:0}', bgnbd_model(1, 10, 2, 1, 'day'));

-- Fits at the calibration date: against the fits of the histories, predictions one by one, and plain SQL ------------------
CREATE FUNCTION uniform(i int, j int, what text) RETURNS float8 LANGUAGE sql IMMUTABLE
    RETURN (('x' || left(md5(concat_ws(' ', i, j, what)), 8))::bit(32)::bigint + 0.5) / 4294967296;
CREATE TABLE many AS
WITH customers AS (
    SELECT i, date '2024-01-01' + i % 200 AS first_day, -ln(uniform(i, 0, 'rate')) / 60 AS rate, uniform(i, 0, 'stay') ^ (1 / 3.0) AS stays, 10 + 40 * uniform(i, 0, 'spend') AS spend
    FROM generate_series(1, 597) i)
SELECT i, purchase_history(at, amount) AS h
FROM (SELECT i, first_day AS at, round(spend::numeric, 2) AS amount FROM customers
      UNION ALL
      SELECT i, first_day + ceil(sum(-ln(uniform(i, j, 'gap')) / rate) OVER (PARTITION BY i ORDER BY j))::int, round((spend * (0.5 + uniform(i, j, 'amount')))::numeric, 2)
      FROM customers, generate_series(1, least(ceil(ln(uniform(i, 0, 'life')) / ln(stays)), 100)::int) j) orders
WHERE at <= '2025-06-30' GROUP BY i;
CREATE TABLE fitted AS
SELECT holdout_sample(h, date '2024-12-31', date '2025-06-30', 'week') AS s, bgnbd_fit(h, date '2024-12-31', 'week') AS m, gamma_gamma_fit(h, date '2024-12-31') AS gg FROM many;
CREATE TABLE predicted AS
SELECT i, least(repeat_purchases(h, '2024-12-31'), 7) AS class, purchases_within(h, '2024-12-31', '2025-06-30') AS actual, spend_within(h, '2024-12-31', '2025-06-30')::float8 AS spend,
       expected_purchases(m, h, '2024-12-31', '2025-06-30') AS expected, expected_purchases(m, h, '2024-12-31', '2025-06-30') * expected_spend(gg, h, '2024-12-31') AS value
FROM many, fitted;
SELECT b.customers, b.actual_purchases, b.actual_purchases = p.actual AS purchases, b.actual_spend = p.spend AS spend, b.converged,
       near(b.predicted_purchases, p.expected) AS predicted, near(b.predicted_spend, p.value) AS predicted_spend,
       near(b.mae, p.mae) AS mae, near(b.rmse, p.rmse) AS rmse, near(b.bias, p.bias) AS bias, near(b.spend_mae, p.spend_mae) AS spend_mae, near(b.spend_rmse, p.spend_rmse) AS spend_rmse, near(b.spend_bias, p.spend_bias) AS spend_bias
FROM fitted, backtest(s, 'bgnbd') b,
     (SELECT sum(actual) AS actual, sum(spend::numeric) AS spend, sum(expected) AS expected, sum(value) AS value, avg(abs(expected - actual)) AS mae, sqrt(avg((expected - actual) ^ 2)) AS rmse, avg(expected - actual) AS bias,
             avg(abs(value - spend)) AS spend_mae, sqrt(avg((value - spend) ^ 2)) AS spend_rmse, avg(value - spend) AS spend_bias FROM predicted) p;
-- the tenth of 597 customers are 59.7: number 60 of the ranking counts with 0.7; customers of equal prediction share
SELECT near(b.top_decile_share, t.share) AS share, near(b.top_decile_possible, t.possible) AS possible, b.top_decile_share < b.top_decile_possible AS less
FROM fitted, backtest(s, 'bgnbd') b,
     (SELECT sum(mean_spend * greatest(0, least(1, 59.7 - (rank - 1)))) / sum(spend) AS share, sum(spend * greatest(0, least(1, 59.7 - (best - 1)))) / sum(spend) AS possible
      FROM (SELECT spend, avg(spend) OVER (PARTITION BY value) AS mean_spend, row_number() OVER (ORDER BY value DESC) AS rank, row_number() OVER (ORDER BY spend DESC) AS best FROM predicted) r) t;
SELECT c.class, c.customers = p.customers AS customers, c.actual_purchases = p.actual AS actual, near(c.predicted_purchases, p.expected) AS predicted,
       near(c.actual_per_customer, p.actual / p.customers::float8) AS actual_mean, near(c.predicted_per_customer, p.expected / p.customers) AS predicted_mean
FROM fitted, backtest_classes(s, kind => 'bgnbd') c, (SELECT class, count(*) AS customers, sum(actual) AS actual, sum(expected) AS expected FROM predicted GROUP BY class) p
WHERE p.class = left(c.class, 1)::int ORDER BY 1;
-- given models are the fitted ones: the same to the bit
SELECT a = b AS same, (SELECT array_agg(c) FROM backtest_classes(s, 'bgnbd') c) = (SELECT array_agg(c) FROM backtest_classes(s, m) c) AS same_classes
FROM fitted, backtest(s, 'bgnbd') a, backtest(s, m, gg) b;
-- Pareto/NBD where nothing is said (these customers were not made that way, which the fit says)
SET client_min_messages = error;
SELECT a.kind, a = b AS same FROM fitted, backtest(s) a, backtest(s, 'pareto_nbd') b;
SELECT count(*), bool_and(a = b) AS same FROM fitted, backtest_classes(s) WITH ORDINALITY a (class, customers, actual, predicted, actual_mean, predicted_mean, n)
JOIN backtest_classes((SELECT s FROM fitted), 'pareto_nbd') WITH ORDINALITY b (class, customers, actual, predicted, actual_mean, predicted_mean, n) USING (n);
RESET client_min_messages;
-- regular buyers, every ten days or so: the sample knows the times between purchases up to the calibration, and no more
CREATE TABLE regular AS
SELECT i, purchase_history(date '2024-01-01' + i % 100 + 10 * j + (9 * uniform(i, j, 'late'))::int) AS h
FROM generate_series(1, 200) i, generate_series(0, (-ln(uniform(i, 0, 'orders')) * 12)::int) j GROUP BY i;
SELECT coef(m, 'k') > 1 AS regular, a = b AS same, near((regexp_match(s::text, 'log_gaps=([-0-9.]+)'))[1]::float8, whole) AS log_gaps
FROM (SELECT holdout_sample(h, date '2024-05-31', date '2024-09-30', 'week') AS s, bgcnbd_fit(h, date '2024-05-31', 'week') AS m, sum(log_gaps(h, '2024-05-31', 'week')) AS whole FROM regular) r,
     backtest(s, 'bgcnbd') a, backtest(s, m) b;
-- one sample, many models; a backtest per cohort in one GROUP BY
SELECT cohort, b.customers, b.converged FROM (SELECT i % 2 AS cohort, holdout_sample(h, date '2024-12-31', date '2025-06-30', 'week') AS s FROM many GROUP BY 1) c, backtest(s, 'bgnbd') b ORDER BY 1;

-- Serial, parallel, merged --------------------------------------------------------------------------------------------
CREATE FUNCTION plan_has(what text, query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
        IF line LIKE '%' || what || '%' THEN RETURN true; END IF;
    END LOOP;
    RETURN false;
END $$;
CREATE TABLE whole AS SELECT holdout_sample(h, date '2024-12-31', date '2025-06-30', 'week') AS s, calendar_sample(h) AS c FROM many;
SELECT holdout_sample_parts = s AS merged_holdout, calendar_parts = c AS merged_calendar, s::text::clv_sample = s AND c::text::clv_sample = c AS text_round_trip
FROM whole, (SELECT clv_sample(s ORDER BY n DESC) AS holdout_sample_parts, clv_sample(c ORDER BY n) AS calendar_parts
             FROM (SELECT i % 23 AS n, holdout_sample(h, date '2024-12-31', date '2025-06-30', 'week') AS s, calendar_sample(h) AS c FROM many GROUP BY 1) p) m;
CREATE TABLE serial AS SELECT i % 300 AS g, holdout_sample(h, date '2024-12-31', date '2025-06-30', 'week') AS s, calendar_sample(h) AS c FROM many GROUP BY 1;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 3; SET parallel_leader_participation = off;
ALTER TABLE many SET (parallel_workers = 3);
ANALYZE many;
SELECT plan_has('Partial', 'SELECT holdout_sample(h, date ''2024-12-31'', date ''2025-06-30'', ''week''), calendar_sample(h) FROM many');
SELECT holdout_sample(h, date '2024-12-31', date '2025-06-30', 'week') = (SELECT s FROM whole) AS holdout, calendar_sample(h) = (SELECT c FROM whole) AS calendar FROM many;
SELECT count(*), bool_and(clv_sample_send(p.s) = clv_sample_send(serial.s) AND clv_sample_send(p.c) = clv_sample_send(serial.c)) AS same
FROM (SELECT i % 300 AS g, holdout_sample(h, date '2024-12-31', date '2025-06-30', 'week') AS s, calendar_sample(h) AS c FROM many GROUP BY 1) p JOIN serial USING (g);
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather; RESET parallel_leader_participation;

-- Tracking ------------------------------------------------------------------------------------------------------------
-- days since 2000-01-01: 2024-01-11 is 8776; the repeats are on 01-31, 02-01, 02-20, 03-01
SELECT calendar_sample(h) AS s FROM three;
SELECT date '2000-01-01' + 8776 AS first_day;
-- a refund is no purchase, a zero-dollar order is one; nobody who has not bought, and no NULL
SELECT calendar_sample(h) FROM (SELECT h FROM histories WHERE customer IN ('dora', 'fay') UNION ALL VALUES (NULL), (purchase_history_in('{}'))) v (h);
SELECT calendar_sample(h) IS NULL AS nothing FROM three WHERE false;
-- E[X(t)] = 2 (1 - 10/t ln(1 + t/10)) of each of the three: at the end of January (t = 20) 2 - ln 3
SELECT t.*, near(expected_cumulative, 3 * (2 - ln(3::float8))) AS by_hand FROM hand, (SELECT calendar_sample(h) AS c FROM three) x, tracking(c, m, 'month') t WHERE period_start < '2024-02-01';
-- every step against the predictions for new customers, one by one
SELECT step, count(*) AS periods, min(period_start) AS first, max(period_end) AS last, sum(actual) AS actual,
       bool_and(actual_cumulative = (SELECT sum(purchases_within(h, first_purchase(h), period_end)) FROM many WHERE first_purchase(h) <= period_end)) AS actual_cumulative,
       bool_and(near(expected_cumulative, (SELECT sum(expected_purchases(m, (period_end - first_purchase(h)) / 7.0::float8)) FROM many WHERE first_purchase(h) <= period_end))) AS expected_cumulative,
       bool_and(abs(expected - (expected_cumulative - before)) < 1e-9 AND actual = actual_cumulative - actual_before) AS incremental, bool_and(period_start = last_end + 1) AS no_gap
FROM (SELECT step, m, t.*, lag(expected_cumulative, 1, 0) OVER w AS before, lag(actual_cumulative, 1, 0) OVER w AS actual_before, lag(period_end, 1, period_start - 1) OVER w AS last_end
      FROM fitted, whole, (VALUES ('day'), ('week'), ('month'), ('year')) v (step), tracking(c, m, step, until => date '2024-05-10') t WINDOW w AS (PARTITION BY step ORDER BY period_start)) t
GROUP BY step ORDER BY 2;
-- weeks begin on the first day, months and years of the calendar end with it; the last period ends at until, or with the last purchase
SELECT period_start, period_end, period_end - period_start + 1 AS days FROM fitted, whole, tracking(c, m, until => '2024-01-20');
SELECT period_start, period_end FROM hand, (SELECT calendar_sample(h) AS c FROM three) x, tracking(c, m, 'month') t;
SELECT period_start, period_end FROM hand, (SELECT calendar_sample(h) AS c FROM three) x, tracking(c, m, 'year', '2025-06-30') t;
-- after the last purchase one goes on expecting
SELECT count(*), sum(actual), max(expected_cumulative) > 3 AS more FROM hand, (SELECT calendar_sample(h) AS c FROM three) x, tracking(c, m, 'week', date '2024-12-31') t;
SET timezone = 'Europe/Vienna';
SELECT count(*) FROM hand, (SELECT calendar_sample(h) AS c FROM three) x, tracking(c, m, 'day', timestamptz '2024-01-12 23:30+00') t;
RESET timezone;
-- nothing to track: before the first day, nobody, a NULL
SELECT count(*) FROM hand, (SELECT calendar_sample(h) AS c FROM three) x, tracking(c, m, 'day', date '2024-01-10') t;
SELECT count(*) FROM hand, tracking('calendar{}', m) t;
SELECT (SELECT count(*) FROM tracking(NULL, m)) AS no_sample, (SELECT count(*) FROM tracking('calendar{0:0}', NULL)) AS no_model, (SELECT count(*) FROM tracking('calendar{0:0}', m, NULL)) AS no_step FROM hand;

-- What cannot be said, and what is refused --------------------------------------------------------------------------------
-- histories without amounts: no spend, and no complaint
SELECT actual_purchases, actual_spend, predicted_spend, spend_mae, spend_rmse, spend_bias, top_decile_share > 0 AS share, converged
FROM (SELECT holdout_sample(h, date '2024-12-31', date '2025-06-30', 'week') AS s FROM (SELECT purchase_history(day) AS h FROM many, purchase_days(h) GROUP BY i) n) h, backtest(s, 'bgnbd');
-- nobody repeats before the calibration: no model; what happened is known all the same
SELECT * FROM (SELECT holdout_sample(h, date '2024-01-12', date '2024-02-29') AS s FROM three) h, backtest(s, 'bgnbd');
SELECT * FROM (SELECT holdout_sample(h, date '2024-01-12', date '2024-02-29') AS s FROM three) h, backtest_classes(s, 'bgnbd');
SELECT * FROM backtest('holdout(unit=day,as_of=2024-01-31,until=2024-03-01){}', bgnbd_model(1, 10, 2, 1, 'day'), gamma_gamma_model(1, 2, 10));
SELECT class, customers, actual_per_customer FROM backtest_classes('holdout(unit=day,as_of=2024-01-31,until=2024-03-01){}', bgnbd_model(1, 10, 2, 1, 'day')) WHERE class IN ('0', '7+');
SELECT (SELECT count(*) FROM backtest(NULL, m)) AS no_sample, (SELECT count(*) FROM backtest(s, NULL::clv_model)) AS no_model, (SELECT count(*) FROM backtest(s, NULL::text)) AS no_kind FROM hand;
\set VERBOSITY default
SELECT predicted_purchases > 0 AS predicted, actual_spend, predicted_spend, top_decile_share > 0 AS of_purchases FROM hand, backtest(s, m, gamma_gamma_model(1, 1, 10));
-- a model that has seen the holdout
SELECT customers FROM hand, (SELECT bgnbd_fit(h, date '2025-01-31', 'week') AS late FROM many) l, backtest(s, late);
SELECT holdout_sample(h, date '2024-01-31', date '2024-01-31') FROM histories;
SELECT holdout_sample(h, date '2024-01-31', date 'infinity') FROM histories;
SELECT holdout_sample(h, date '2024-01-31', until) FROM histories, (VALUES (date '2024-02-29'), ('2024-03-31')) v (until);
SELECT * FROM backtest('timing{1:2:3}', 'bgnbd');
SELECT * FROM backtest('holdout{1:2:3:0:0:0}', 'bgnbd');
SELECT * FROM hand, backtest(s, gg);
SELECT * FROM hand, backtest(s, m, m);
SELECT * FROM hand, backtest(s, bgbb_model(1, 1, 1, 1, 'week'));
SELECT * FROM hand, (SELECT bgnbd_fit(h, date '2024-12-31', 'week', ARRAY[i % 2]) AS m FROM many) c, backtest_classes(s, c.m);
SELECT b.actual_purchases, b.converged FROM fitted, (SELECT bgnbd_fit(h, date '2024-12-31', 'week', ARRAY[i % 2]) AS m FROM many) c, backtest(s, with_covariates(c.m, ARRAY[1])) b;
SELECT * FROM hand, backtest_classes(s, bgnbd_model(1, 10, 2, 1));
SELECT * FROM hand, tracking(s, m);
SELECT * FROM hand, tracking('calendar{0:0}', m, 'fortnight');
SELECT * FROM hand, tracking('calendar{0:0}', gg);
SELECT * FROM backtest('holdout(unit=day,as_of=2024-01-31,until=2024-03-01){0:0:20:0:0:1e308*5}', bgnbd_model(1, 10, 2, 1, 'day'));
SELECT * FROM backtest('holdout(unit=day,as_of=2024-01-31,until=2024-03-01){0:0:20:0:9007199254740992:0*5}', bgnbd_model(1, 10, 2, 1, 'day'));
\set VERBOSITY terse
SELECT * FROM hand, backtest(s, 'gamma_gamma');
SELECT * FROM hand, backtest_classes(s, 'nbd');
RESET search_path;
