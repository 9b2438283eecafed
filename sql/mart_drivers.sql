-- Drivers, lift, quality of models, drift and coverage in a mart: the numbers of its views beside direct calls on the
-- sources, planted effects within their intervals, and data too thin for any of it.
SET client_min_messages = error;     -- fits to made-up purchases say where they do not converge
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET jit = off;

-- ---- a contact centre ------------------------------------------------------------------------------------------

-- 1,500 customers at the end of 2025, scored contacts from September 2024 on. Two windows of 180 days: after 5 January
-- 2025 a point of resolution takes 4 from the log odds of leaving, after 4 July 1.5; tenure and channel go with both;
-- three in ten are not scored; who leaves does so by contract.
CREATE SCHEMA centre;
CREATE FUNCTION centre.u(of text) RETURNS float8 IMMUTABLE LANGUAGE sql
    RETURN ('x' || left(md5(of), 8))::bit(32)::bigint / 4294967296.0::float8;
CREATE FUNCTION centre.logistic(eta float8) RETURNS float8 IMMUTABLE LANGUAGE sql RETURN 1 / (1 + exp(-eta));
CREATE TABLE centre.person AS
SELECT id, channel, acquired_on, years, centre.logistic(years - 1.5 + 0.5 * (channel - 1) + 4 * (centre.u('service' || id) - 0.5)) AS service,
       centre.u('scored' || id) < 0.7 AS scored
FROM (SELECT id, floor(3 * centre.u('channel' || id))::int AS channel, date '2022-06-01' + floor(730 * centre.u('first' || id))::int AS acquired_on,
             (date '2025-01-05' - (date '2022-06-01' + floor(730 * centre.u('first' || id))::int)) / 365.0::float8 AS years
      FROM generate_series(1, 1500) AS id) AS p;
CREATE TABLE centre.contact AS
SELECT p.id, i, timestamptz '2024-09-01 12:00Z' + (floor(480 * centre.u(concat('at', p.id, ' ', i)))) * interval '24 hours' AS at, p.scored,
       round((0.7 * service + 0.3 * centre.u(concat('resolution', p.id, ' ', i)))::numeric, 3)::float8 AS resolution, years, channel
FROM centre.person AS p, generate_series(1, 8) AS i;
CREATE TABLE centre.fate AS
SELECT *, CASE WHEN centre.u('leaves 1' || id) < centre.logistic(eta_1) THEN date '2025-01-06' + floor(170 * centre.u('when 1' || id))::int
               WHEN centre.u('leaves 2' || id) < centre.logistic(eta_2) THEN date '2025-07-05' + floor(170 * centre.u('when 2' || id))::int END AS left_on
FROM (SELECT id, acquired_on, channel, 1.6 - 4 * coalesce(before, 0.5) - 0.2 * years - 0.2 * channel AS eta_1,
             0.4 - 1.5 * coalesce(now, 0.5) - 0.2 * years - 0.2 * channel AS eta_2
      FROM centre.person LEFT JOIN (SELECT id, avg(resolution) FILTER (WHERE at < '2025-01-06') AS before, avg(resolution) FILTER (WHERE at < '2025-07-05') AS now
                                    FROM centre.contact GROUP BY id) AS c USING (id)) AS f;

CREATE SCHEMA crm;
CREATE TABLE crm.customers AS
SELECT 'C' || id AS customer_id, extract(year FROM acquired_on)::text AS cohort, (ARRAY['web', 'phone', 'store'])[channel + 1] AS channel,
       acquired_on AS acquired_at, left_on AS churned_at FROM centre.fate;
CREATE TABLE crm.orders AS      -- one in every 12 to 36 days in the mean, at random
SELECT 'C' || id AS customer_id, ordered_at, round((spend * (0.5 + centre.u(concat('amount', id, ' ', i))))::numeric, 2) AS amount
FROM (SELECT id, left_on, i, 15 - 15 * ln(0.001 + centre.u('spend' || id)) AS spend,
             acquired_on + coalesce(ceil(sum((12 + 24 * centre.u('gap' || id)) * -ln(centre.u(concat('day', id, ' ', i)) + 1e-9)) FILTER (WHERE i > 0)
                                         OVER (PARTITION BY id ORDER BY i)), 0)::int AS ordered_at
      FROM centre.fate, generate_series(0, 90) AS i) AS o
WHERE ordered_at <= least(left_on, '2025-12-31');
INSERT INTO crm.orders SELECT customer_id, '2025-12-31', 30 FROM crm.customers WHERE churned_at IS NULL ORDER BY customer_id LIMIT 1;
CREATE TABLE crm.interactions AS
SELECT concat(id, '-', i) AS interaction_id, CASE WHEN id % 50 = 0 AND i = 1 THEN NULL WHEN id % 50 = 1 AND i = 1 THEN 'nobody' ELSE 'C' || id END AS customer_id,
       at AS started_at, CASE WHEN i % 2 = 0 THEN 'chat' ELSE 'call' END AS channel
FROM centre.contact WHERE at::date <= coalesce((SELECT left_on FROM centre.fate AS f WHERE f.id = contact.id), '2025-12-31');
CREATE TABLE crm.evaluations AS
SELECT concat(id, '-', i) AS interaction_id, at AS evaluated_at, name, score
FROM centre.contact, LATERAL (VALUES ('Resolution', resolution), ('tone', round((0.3 + 0.4 * resolution + 0.3 * centre.u(concat('tone', id, ' ', i)))::numeric, 3)::float8),
                                     ('politeness', round((0.2 * least(years, 2) + 0.5 * centre.u(concat('politeness', id, ' ', i)))::numeric, 3)::float8)) AS e (name, score)
WHERE scored AND EXISTS (SELECT FROM crm.interactions AS n WHERE n.interaction_id = concat(id, '-', i));

SELECT view_name, row_count FROM clv_create_mart('crm', 'mart', horizon_days => 180, margin => 0.3, time_zone => 'UTC')
WHERE view_name IN ('driver', 'lift', 'model_quality', 'relation_drift', 'coverage');
-- work relations are empty between refreshes, models are not for reports, and every column has a comment
SELECT relname FROM pg_class WHERE relnamespace = 'mart_store'::regnamespace AND relname LIKE 'exposure%' AND relispopulated;
SELECT to_regclass('mart.churn_model') AS churn_model;
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) AS type
FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
WHERE c.relnamespace = 'mart'::regnamespace AND c.relname IN ('driver', 'lift', 'model_quality', 'relation_drift', 'coverage') AND a.attnum > 0
    AND (col_description(c.oid, a.attnum) IS NULL
         OR format_type(a.atttypid, a.atttypmod) NOT IN ('text', 'date', 'bigint', 'boolean', 'double precision', 'numeric(16,2)'));

-- ---- what the sources say, by hand -----------------------------------------------------------------------------

CREATE TABLE outlook AS
SELECT w.period, c.customer_id, c.cohort, s.name AS evaluator, l.*, ln(l.purchases) AS log_purchases, (c.channel = 'phone')::int AS phone, (c.channel = 'store')::int AS store
FROM crm.customers AS c JOIN (SELECT customer_id, purchase_history(ordered_at, amount) AS history FROM crm.orders GROUP BY customer_id) AS o USING (customer_id)
JOIN (SELECT i.customer_id, evaluator_key(e.name) AS name, interaction_history(e.evaluated_at, e.score) AS scores
      FROM crm.evaluations AS e JOIN crm.interactions AS i USING (interaction_id) GROUP BY 1, 2) AS s USING (customer_id),
     (VALUES (1, date '2025-01-05', date '2025-07-04'), (2, '2025-07-04', '2025-12-31')) AS w (period, landmark_on, until),
     LATERAL landmark(history, scores, w.landmark_on, w.until, data_end => date '2025-12-31', churned_at => c.churned_at) AS l
WHERE l.at_risk AND NOT l.censored AND l.n_scores > 0;
CREATE VIEW outlook_now AS SELECT * FROM outlook WHERE period = 2;

-- drivers: as driver_table() has them, without scores the rest of those at risk
SELECT driver, role, landmark_on, window_days, customers, without_scores, round(churn_rate::numeric, 3) AS churn_rate, round(pooled_r::numeric, 3) AS pooled_r,
       round(partial_r::numeric, 3) AS partial_r, round(conf_low::numeric, 3) AS conf_low, round(conf_high::numeric, 3) AS conf_high, round(adjusted_p::numeric, 4) AS adjusted_p
FROM mart.driver ORDER BY driver;
SELECT driver, note FROM mart.driver ORDER BY driver;
SELECT count(*) AS same
FROM mart.driver AS d JOIN driver_table('outlook_now', 'churned', 'evaluator', 'mean_score', 'cohort', '{tenure,log_purchases,phone,store}') AS t ON t.evaluator = d.driver
WHERE d.customers = t.n AND abs(d.pooled_r - t.pooled_r) + abs(d.within_r - t.within_r) + abs(d.partial_r - t.partial_r) + abs(d.adjusted_p - t.adjusted_p) < 1e-9
    AND d.without_scores = (SELECT count(*) FROM crm.customers WHERE coalesce(churned_at, '2026-01-01') > '2025-07-04') - t.n;
SELECT d.driver, round(d.reliability::numeric, 6) = round(r.reliability::numeric, 6) AS same_reliability
FROM mart.driver AS d JOIN (
    SELECT name, signal_sample(scores) AS sample
    FROM (SELECT i.customer_id, evaluator_key(e.name) AS name, interaction_history(e.evaluated_at, e.score) AS scores
          FROM crm.evaluations AS e JOIN crm.interactions AS i USING (interaction_id) WHERE i.customer_id IS NOT NULL GROUP BY 1, 2) AS s GROUP BY name) AS g ON g.name = d.driver,
     signal_reliability(g.sample) AS r ORDER BY driver;

-- lift: as lift_projection() has it, for all and for a cohort; mediators have none; the planted effect is held
SELECT driver, cohort, lift, customers, round(churn_before::numeric, 4) AS churn_before, round(churn_change::numeric, 4) AS churn_change, round(churn_change_low::numeric, 4) AS low,
       round(churn_change_high::numeric, 4) AS high, value_change, total_change, round(required_lift::numeric, 3) AS required_lift, round(robustness::numeric, 3) AS robustness, note
FROM mart.lift ORDER BY driver, cohort NULLS FIRST;
CREATE TABLE by_hand AS
SELECT cohort, spend, customers, model, sample
FROM (SELECT logit_fit(regression_sample(churned, x)) AS model
      FROM (SELECT churned, ARRAY[mean_score, tenure / 365.25, log_purchases, phone, store, (cohort = '2022')::int, (cohort = '2023')::int] AS x
            FROM outlook_now WHERE evaluator = 'resolution') AS r) AS m,
     (SELECT cohort, avg(spend_after) FILTER (WHERE NOT churned) AS spend, count(*) AS customers,
             regression_sample(churned, ARRAY[mean_score, tenure / 365.25, log_purchases, phone, store, (cohort = '2022')::int, (cohort = '2023')::int]) AS sample
      FROM outlook_now WHERE evaluator = 'resolution' GROUP BY ROLLUP (cohort)) AS c;
SELECT coalesce(l.cohort, 'all') AS cohort, l.customers = h.customers AS customers,
       bool_and(abs(p.estimate - CASE p.quantity WHEN 'churn_before' THEN l.churn_before WHEN 'churn_after' THEN l.churn_after WHEN 'churn_change' THEN l.churn_change
                                                 WHEN 'value_before' THEN l.value_before WHEN 'value_change' THEN l.value_change WHEN 'return' THEN l.total_change
                                                 WHEN 'clipped_share' THEN l.clipped_share END) <= CASE WHEN p.quantity ~ 'value|return' THEN 0.005 + 1e-6 ELSE 1e-7 END) AS same,
       bool_and(abs(p.conf_low - l.total_change_low) <= 0.005 + 1e-5 * abs(p.conf_low)) FILTER (WHERE p.quantity = 'return') AS same_interval,
       bool_and(abs(p.estimate - l.required_lift) < 1e-6) FILTER (WHERE p.quantity = 'required_lift') AS same_required
FROM mart.lift AS l JOIN by_hand AS h ON h.cohort IS NOT DISTINCT FROM l.cohort,
     LATERAL (SELECT * FROM lift_projection(h.model, h.sample, 1, 0.05, (0.3 * h.spend)::float8, 0.10, period_years => 180 / 365.0, horizon => 10, n_customers => h.customers)
              WHERE quantity <> 'required_lift'
              UNION ALL
              SELECT * FROM lift_projection(h.model, h.sample, 1, 0.05, (0.3 * h.spend)::float8, 0.10, period_years => 180 / 365.0, horizon => 10, n_customers => 1,
                                            cost => 0.01 * l.value_before::float8)
              WHERE quantity = 'required_lift') AS p
WHERE l.driver = 'resolution' GROUP BY l.cohort, l.customers, h.customers ORDER BY l.cohort NULLS FIRST;
SELECT round(t.effect::numeric, 4) AS planted, t.effect BETWEEN l.churn_change_low AND l.churn_change_high AS held
FROM mart.lift AS l, (SELECT avg(centre.logistic(eta_2 - 1.5 * 0.05) - centre.logistic(eta_2)) AS effect
                      FROM centre.fate JOIN outlook_now ON customer_id = 'C' || id AND evaluator = 'resolution') AS t
WHERE l.driver = 'resolution' AND l.cohort IS NULL;
SELECT role, cohort, driver, scope, customers, note, terms FROM mart_store.churn_model_history ORDER BY driver;

-- quality: models of leaving beside prediction_quality(), that of purchases beside backtest() and the orders
SELECT model_role, method, driver, metric, round(value::numeric, 3) AS value, round(conf_low::numeric, 3) AS conf_low, round(conf_high::numeric, 3) AS conf_high, n, verdict
FROM mart.model_quality WHERE bin IS NULL AND driver = 'resolution' ORDER BY metric;
CREATE TABLE held_out AS
SELECT c.cohort, holdout_sample(history, '2025-07-04', '2025-12-31', 'week') AS sample, pareto_nbd_fit(history, '2025-07-04', 'week') AS own
FROM crm.customers AS c JOIN (SELECT customer_id, purchase_history(ordered_at, amount) AS history FROM crm.orders GROUP BY customer_id) AS o USING (customer_id)
GROUP BY ROLLUP (c.cohort);
SELECT coalesce(q.cohort, 'all') AS cohort, q.kind, count(*) AS metrics,
       bool_and(abs(q.value - CASE q.metric WHEN 'actual_purchases' THEN b.actual_purchases WHEN 'predicted_purchases' THEN b.predicted_purchases
                                            WHEN 'purchase_error' THEN b.predicted_purchases / b.actual_purchases - 1 WHEN 'mae' THEN b.mae WHEN 'rmse' THEN b.rmse
                                            WHEN 'actual_spend' THEN b.actual_spend END) < 1e-6 * abs(q.value) + 1e-9) AS same
FROM mart.model_quality AS q JOIN held_out AS h ON h.cohort IS NOT DISTINCT FROM q.cohort CROSS JOIN (SELECT own FROM held_out WHERE cohort IS NULL) AS m (pooled),
     LATERAL backtest(h.sample, m.pooled) AS b
WHERE q.metric IN ('actual_purchases', 'predicted_purchases', 'purchase_error', 'mae', 'rmse', 'actual_spend') AND q.kind = b.kind GROUP BY q.cohort, q.kind ORDER BY q.cohort NULLS FIRST;
SELECT cohort, bin IS NULL AS total, string_agg(DISTINCT metric, ' ' ORDER BY metric) AS metrics, count(*) FROM mart.model_quality WHERE model_role = 'purchase'
GROUP BY 1, 2 ORDER BY 1 NULLS FIRST, 2;
SELECT abs(value - q.p / q.a + 1) < 1e-12 AS error_is_of_totals, verdict = format('%s percent too %s predicted', round(100 * abs(value)), CASE WHEN value > 0 THEN 'many' ELSE 'few' END)
           || CASE WHEN abs(value) <= 0.1 THEN '' WHEN abs(value) <= 0.25 THEN ': budget with care' ELSE ': do not budget with it' END AS verdict_is_of_error
FROM mart.model_quality, (SELECT max(value) FILTER (WHERE metric = 'predicted_purchases') AS p, max(value) FILTER (WHERE metric = 'actual_purchases') AS a
                          FROM mart.model_quality WHERE cohort IS NULL) AS q WHERE metric = 'purchase_error' AND cohort IS NULL;
SELECT metric, count(*) AS bins, min(bin) AS first, max(bin) AS last, min(bin_label) AS lowest, max(bin_label) AS highest
FROM mart.model_quality WHERE metric LIKE 'calibration_%l' AND bin IS NOT NULL AND driver = 'resolution' OR metric LIKE 'tracking_actual' GROUP BY metric ORDER BY metric;
SELECT value = (SELECT count(DISTINCT (customer_id, ordered_at)) FROM crm.orders WHERE ordered_at >= '2025-08-01') AS tracked     -- whole months after the calibration
FROM mart.model_quality WHERE metric = 'tracking_actual' ORDER BY bin DESC LIMIT 1;
WITH before AS (
    SELECT evaluator, logit_fit(regression_sample(churned, ARRAY[mean_score, tenure / 365.25, log_purchases, phone, store])) AS model FROM outlook WHERE period = 1 GROUP BY evaluator
), seen AS (
    SELECT evaluator, prediction_sample(predict(model, ARRAY[mean_score, tenure / 365.25, log_purchases, phone, store]), churned) AS sample
    FROM outlook_now JOIN before USING (evaluator) GROUP BY evaluator
)
SELECT s.evaluator, count(*) AS metrics, bool_and(abs(q.value - p.estimate) < 1e-7) AS same
FROM seen AS s, prediction_quality(s.sample) AS p, mart.model_quality AS q
WHERE q.driver = s.evaluator AND q.metric = CASE p.measure WHEN 'mean_predicted' THEN 'predicted_share' WHEN 'mean_happened' THEN 'actual_share' ELSE p.measure END GROUP BY s.evaluator ORDER BY 1;

-- drift: planted, and as coefficient_drift() of different customers has it
SELECT driver, earlier_on, landmark_on, window_days, customers_before, customers_now, round(effect_before::numeric, 3) AS before, round(effect_now::numeric, 3) AS now,
       round(effect_change::numeric, 3) AS change, round(conf_low::numeric, 3) AS conf_low, round(conf_high::numeric, 3) AS conf_high, round(adjusted_p::numeric, 4) AS adjusted_p,
       round(psi::numeric, 4) AS psi, round(psi_p_value::numeric, 3) AS psi_p
FROM mart.relation_drift ORDER BY driver;
SELECT driver, verdict FROM mart.relation_drift ORDER BY driver;
WITH row_of AS (
    SELECT o.*, hashtextextended(o.customer_id, 0) & 1 AS half, count(*) OVER (PARTITION BY o.customer_id, o.evaluator) = 2 AS both_times FROM outlook AS o
), fit AS (
    SELECT evaluator, lm_fit(regression_sample(churned, x) FILTER (WHERE period = 1), 'HC3') AS before, lm_fit(regression_sample(churned, x) FILTER (WHERE period = 2), 'HC3') AS now
    FROM (SELECT *, ARRAY[mean_score, tenure / 365.25, log_purchases, phone, store] AS x FROM row_of WHERE NOT both_times OR half = period - 1) AS r GROUP BY evaluator
)
SELECT d.driver, abs(c.difference - d.effect_change) < 1e-7 AND abs(c.std_error - (d.conf_high - d.conf_low) / 2 / 1.96) < 0.01 * c.std_error AS same
FROM fit AS f JOIN mart.relation_drift AS d ON d.driver = f.evaluator, coefficient_drift(f.before, f.now, 'x1') AS c ORDER BY 1;

-- coverage: as counted by hand and as coverage_balance() has it; contacts of nobody and of unknown customers are not matched
SELECT part, evaluator, dimension, item, n, covered, round(share::numeric, 3) AS share, round(difference::numeric, 3) AS difference, flagged
FROM mart.coverage WHERE evaluator IN ('any contact', 'any score') ORDER BY 1, 2, 3, 4;
CREATE TABLE known AS
SELECT customer_id, tenure(history, '2025-12-31') AS tenure, purchases(history, '2025-12-31') AS purchases, total_spend(history, '2025-12-31') AS total_spend,
       days_since_last(history, '2025-12-31') AS days_since_last
FROM crm.customers LEFT JOIN (SELECT customer_id, purchase_history(ordered_at, amount) AS history FROM crm.orders GROUP BY customer_id) AS o USING (customer_id);
CREATE VIEW scored AS SELECT i.customer_id FROM crm.evaluations AS e JOIN crm.interactions AS i USING (interaction_id) WHERE e.name = 'tone';
SELECT c.dimension, abs(c.difference - b.difference) < 1e-9 AND abs(c.covered_mean - b.covered_mean) + abs(c.uncovered_mean - b.uncovered_mean) < 1e-6
       AND c.flagged = b.flagged AND c.covered = b.covered AND c.n - c.covered = b.uncovered AS same
FROM mart.coverage AS c JOIN coverage_balance('scored', 'known') AS b ON b.column_name = c.dimension WHERE c.part = 'balance' AND c.evaluator = 'tone' ORDER BY 1;
SELECT (SELECT n FROM mart.coverage WHERE part = 'matching' AND evaluator = 'any contact' AND dimension = 'all') = (SELECT count(*) FROM crm.interactions) AS contacts,
       (SELECT covered FROM mart.coverage WHERE part = 'matching' AND evaluator = 'any contact' AND dimension = 'all')
       = (SELECT count(*) FROM crm.interactions JOIN crm.customers USING (customer_id)) AS matched;

-- a refresh without a refit leaves vintages alone; a refit appends another
CALL mart.refresh();
SELECT model_id, count(*) FROM mart_store.lift_history GROUP BY 1;
CALL mart.refresh(refit => true);
SELECT model_id, count(*) FROM mart_store.lift_history GROUP BY 1 ORDER BY 1;
SELECT DISTINCT model_id FROM mart.lift;
DROP SCHEMA mart, mart_store CASCADE;

-- ---- contracts -------------------------------------------------------------------------------------------------

CREATE SCHEMA club;
CREATE TABLE club.subscriptions AS
SELECT 'M' || customer AS customer_id, started AS started_at, CASE WHEN ended <= '2025-12-31' THEN ended END AS ended_at, 10 AS monthly_amount
FROM (SELECT customer, date '2023-01-31' + (2 * customer % 1000) AS started, count(*)::int AS periods FROM simulate_purchases(sbg_model(0.8, 6), 2000, 60, 1) GROUP BY customer) AS c,
     LATERAL (SELECT (started + make_interval(months => periods))::date) AS e (ended);
SELECT view_name, row_count FROM clv_create_mart('club', 'mart', time_zone => 'UTC') WHERE view_name IN ('driver', 'lift', 'model_quality', 'relation_drift', 'coverage');
SELECT metric, bin, bin_label, round(value::numeric, 3) AS value, round(conf_low::numeric, 3) AS conf_low, round(conf_high::numeric, 3) AS conf_high, n, verdict
FROM mart.model_quality WHERE bin % 5 = 1 ORDER BY bin, metric;
-- of those open on the calibration day, who were there after k renewals more, and what a fit to the days before it says; a
-- contract that began on the 31st renews on the last day of the month
WITH cut AS (
    SELECT as_of, as_of - least(365, (as_of - first_on) / 3) AS day FROM mart.settings, (SELECT min(started_at) AS first_on FROM club.subscriptions) AS f
), open AS (
    SELECT s.*, c.*, (SELECT count(*) FROM generate_series(1, 60) AS k WHERE s.started_at + make_interval(months => k) <= c.day) AS tenure
    FROM club.subscriptions AS s, cut AS c WHERE s.started_at <= c.day AND coalesce(s.ended_at, '2099-01-01') > c.day
), fit AS (
    SELECT sbg_fit(started_at, ended_at, c.day, 'month') AS model FROM club.subscriptions, cut AS c WHERE started_at <= c.day
), at AS (
    SELECT k, avg((coalesce(ended_at, '2099-01-01') > started_at + make_interval(months => (tenure + k)::int))::int) AS actual, avg(1 - churn_risk(model, tenure, k)) AS predicted
    FROM open, fit, generate_series(1, 11) AS k GROUP BY k
)
SELECT count(*) AS periods, bool_and(abs(q.value - CASE q.metric WHEN 'survival_actual' THEN a.actual ELSE a.predicted END) < 1e-9) AS same
FROM at AS a JOIN mart.model_quality AS q ON q.bin = a.k;
DROP SCHEMA mart, mart_store CASCADE;

-- ---- data too thin ---------------------------------------------------------------------------------------------

-- n customers who order every two weeks for that many days, or up to the day that leaves says; scores every 17 days
CREATE FUNCTION thin(sources text, n int, days int, leaves text, score text, evaluators text[] DEFAULT '{resolution}', scored_from int DEFAULT 0) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE SCHEMA %I', sources);
    EXECUTE format('CREATE TABLE %I.orders AS SELECT c AS customer_id, date ''2025-12-31'' - %s + d + c %% 7 AS ordered_at, 10 + centre.u(concat(c, '' '', d)) AS amount
                    FROM generate_series(1, %s) AS c, generate_series(0, %s, 14) AS d WHERE d <= (%s) AND d + c %% 7 <= %s', sources, days, n, days, leaves, days);
    EXECUTE format('CREATE TABLE %I.evaluations AS SELECT c AS customer_id, date ''2025-12-31'' - %s + d AS evaluated_at, name, (%s)::float8 AS score
                    FROM generate_series(1, %s) AS c, generate_series(%s, %s, 17) AS d, unnest(%L::text[]) AS name', sources, days, score, n, scored_from, days, evaluators);
END $$;
DO $$ BEGIN
    PERFORM thin('five customers', 5, 800, '800', 'c % 5 / 10.0'), thin('nobody left', 100, 800, '800', 'centre.u(concat(c, d))'),
        thin('everybody left', 100, 800, '425', 'centre.u(concat(c, d))'), thin('all scores the same', 100, 800, '440 + 5 * c', '0.5'),
        thin('sixty days', 100, 60, 'CASE WHEN c % 3 = 0 THEN 20 + c % 20 ELSE 60 END', 'centre.u(concat(c, d))'), thin('three days', 100, 3, '3', 'centre.u(concat(c, d))'),
        thin('scores of late', 100, 800, 'CASE WHEN c % 3 = 0 THEN 200 + 4 * c ELSE 800 END', 'centre.u(concat(c, d))', scored_from => 760),
        thin('scores tell all', 100, 800, 'CASE WHEN c % 3 = 0 THEN 425 ELSE 800 END', 'CASE WHEN c % 3 = 0 THEN 0.1 ELSE 0.8 END + 0.1 * centre.u(concat(c, d))'),
        thin('of all kinds', 100, 800, 'CASE WHEN c % 3 = 0 THEN 425 ELSE 800 END', '10 + 90 * centre.u(concat(c, d))', '{quality,response_time,weather,churned,tone}'),
        thin('no score', 100, 800, 'CASE WHEN c % 3 = 0 THEN 425 ELSE 800 END', 'NULL');
END $$;
INSERT INTO "everybody left".orders VALUES (101, '2025-12-31', 10);     -- not at risk at the landmark
CREATE TABLE thin_driver (sources text, driver text, window_days bigint, customers bigint, without_scores bigint, churn_rate numeric, partial_r numeric, note text);
CREATE TABLE thin_lift (sources text, driver text, lift float8, customers bigint, churn_change numeric, has_interval boolean, note text);
CREATE TABLE thin_rows (sources text, driver bigint, lift bigint, model_quality bigint, relation_drift bigint, coverage bigint);
DO $$
DECLARE
    sources text;
BEGIN
    FOREACH sources IN ARRAY ARRAY['five customers', 'nobody left', 'everybody left', 'all scores the same', 'sixty days', 'three days', 'scores of late', 'scores tell all',
                                   'of all kinds', 'no score'] LOOP
        INSERT INTO thin_rows
        SELECT sources, max(row_count) FILTER (WHERE view_name = 'driver'), max(row_count) FILTER (WHERE view_name = 'lift'),
               max(row_count) FILTER (WHERE view_name = 'model_quality'), max(row_count) FILTER (WHERE view_name = 'relation_drift'), max(row_count) FILTER (WHERE view_name = 'coverage')
        FROM clv_create_mart(sources, 'thin mart', time_zone => 'UTC');
        EXECUTE format('INSERT INTO thin_driver SELECT %L, driver, window_days, customers, without_scores, round(churn_rate::numeric, 3), round(partial_r::numeric, 3), note FROM "thin mart".driver', sources);
        EXECUTE format('INSERT INTO thin_lift SELECT %L, driver, round(lift::numeric, 6), customers, round(churn_change::numeric, 3), churn_change_low < churn_change AND value_change_low < value_change_high, note
                        FROM "thin mart".lift WHERE cohort IS NULL', sources);
        EXECUTE 'DROP SCHEMA "thin mart", "thin mart_store" CASCADE';
    END LOOP;
END $$;
SELECT * FROM thin_rows;
SELECT * FROM thin_driver ORDER BY sources, driver;
SELECT * FROM thin_lift ORDER BY sources, driver;

-- the score that lift_name names has a lift, whatever its role; an outcome has none
SELECT count(*) > 5 AS made FROM clv_create_mart('of all kinds', 'thin mart', time_zone => 'UTC', lift_name => 'Tone', lift => 0.1);
SELECT driver, round(lift::numeric, 6) AS lift, note FROM "thin mart".lift WHERE cohort IS NULL ORDER BY driver;
DROP SCHEMA "thin mart", "thin mart_store" CASCADE;

-- contacts without any score; names that need quotes; nothing of this without contacts
CREATE SCHEMA "so'u""rce $$ {g} --? scores";
CREATE VIEW "so'u""rce $$ {g} --? scores".orders AS SELECT * FROM "nobody left".orders;
CREATE TABLE "so'u""rce $$ {g} --? scores".interactions AS
SELECT i AS interaction_id, CASE WHEN i % 10 > 0 THEN i % 130 END AS customer_id, date '2025-06-01' + i % 100 AS started_at FROM generate_series(1, 300) AS i;
SELECT view_name, row_count FROM clv_create_mart('so''u"rce $$ {g} --? scores', 'ma''r"t $$ {x} --? scores', time_zone => 'UTC')
WHERE view_name IN ('driver', 'lift', 'model_quality', 'relation_drift', 'coverage') ORDER BY 1;
SELECT part, evaluator, dimension, item, n, covered, round(share::numeric, 3) AS share FROM "ma'r""t $$ {x} --? scores".coverage WHERE part <> 'balance' ORDER BY 1, 2, 3, 4;
ALTER TABLE "so'u""rce $$ {g} --? scores".interactions ADD resolved boolean, ADD channel text;
UPDATE "so'u""rce $$ {g} --? scores".interactions SET resolved = centre.u('r' || interaction_id) < 0.6 WHERE interaction_id % 4 > 0;
UPDATE "so'u""rce $$ {g} --? scores".interactions SET channel = CASE interaction_id % 3 WHEN 0 THEN 'chat' WHEN 1 THEN 'call' END;
SELECT view_name, row_count FROM clv_create_mart('so''u"rce $$ {g} --? scores', '2 ma''r"t $$ {x} --? scores', time_zone => 'UTC')
WHERE view_name IN ('driver', 'lift', 'model_quality', 'relation_drift', 'coverage') ORDER BY 1;
SELECT driver, customers, without_scores, note FROM "2 ma'r""t $$ {x} --? scores".driver;
SELECT part, evaluator, dimension, item, n, covered, round(share::numeric, 3) AS share FROM "2 ma'r""t $$ {x} --? scores".coverage WHERE part <> 'balance' ORDER BY 1, 2, 3, 4;
DROP VIEW "so'u""rce $$ {g} --? scores".orders CASCADE;
