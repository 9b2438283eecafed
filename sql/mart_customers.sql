-- Customers in a mart: the numbers of its views beside direct calls on the sources, and beside sums done by hand.
SET client_min_messages = error;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';

-- Orders alone: one cohort, one model ----------------------------------------------------------------------------------
CREATE SCHEMA shop;
CREATE TABLE shop.orders AS
SELECT customer AS customer_id, date '2024-01-01' + customer % 85 + day AS ordered_at, round(amount::numeric, 2) AS amount
FROM simulate_purchases(pareto_nbd_model(1, 8, 0.8, 16, 'week'), 400, 700, 7, gamma_gamma_model(3, 4, 40))
WHERE date '2024-01-01' + customer % 85 + day <= '2025-06-30';
-- two orders on the last day of the data; one that came back in part; one that came back with no order before it
INSERT INTO shop.orders VALUES (1, '2025-06-30', 10), (1, '2025-06-30', 5.55), (2, '2025-06-28', 80), (2, '2025-06-29', -30.01), (9999, '2025-06-01', -12.34);
SELECT view_name FROM clv_create_mart('shop', 'mart', margin => 0.4, time_zone => 'UTC') ORDER BY view_name;

CREATE VIEW history AS
SELECT customer_id, purchase_history(ordered_at, amount) AS h, date '2025-06-30' AS a, date '2026-06-30' AS u FROM shop.orders GROUP BY customer_id;
CREATE TABLE direct AS SELECT pareto_nbd_fit(h, a, 'week') AS model, gamma_gamma_fit(h, a) AS spend FROM history WHERE first_purchase(h) IS NOT NULL;
-- models are what fits of the orders are, and the cohort is everybody
SELECT m.role, m.cohort, m.scope, m.own_weight, m.customers, m.note, m.as_of, m.model = CASE m.role WHEN 'purchase' THEN d.model ELSE d.spend END AS same
FROM mart_store.model_history AS m, direct AS d ORDER BY m.role, m.cohort NULLS FIRST;
-- each column is what its function says
SELECT count(DISTINCT key) AS columns, count(*) AS compared,
       array_agg(DISTINCT key) FILTER (WHERE k.value IS DISTINCT FROM e.expected AND (k.value IS NULL OR e.expected IS NULL OR NOT is_rounded OR abs(k.value::numeric - e.expected::numeric) > 0.011)) AS other
FROM mart.customer_value AS v JOIN history AS h USING (customer_id), direct AS d,
     rfm_score((SELECT rfm_breaks(h, a) FROM history), h.h, h.a) AS score, clv_ci(d.model, d.spend, h.h, h.a, h.u, 0.10, 0.4) AS c,
     LATERAL jsonb_each_text(to_jsonb(v)) AS k JOIN LATERAL jsonb_each_text(jsonb_build_object(
         'first_purchase', first_purchase(h.h), 'last_purchase', last_purchase(h.h, h.a), 'purchase_days', coalesce(purchases(h.h, h.a), 0),
         'total_spend', coalesce(total_spend(h.h, h.a), 0.00), 'days_since_last_purchase', days_since_last(h.h, h.a), 'rfm_score', score,
         'r', left(score, 1), 'f', substr(score, 2, 1), 'm', right(score, 1), 'segment', coalesce(rfm_segment(score), 'prospect'),
         'alive_probability', p_alive(d.model, h.h, h.a), 'churn_risk', churn_risk(d.model, h.h, h.a, h.u), 'expected_purchases', expected_purchases(d.model, h.h, h.a, h.u),
         'predicted_value', c.estimate::numeric(16,2), 'predicted_value_low', c.conf_low::numeric(16,2), 'predicted_value_high', c.conf_high::numeric(16,2),
         'margin_to_date', (0.4 * coalesce(total_spend(h.h, h.a), 0))::numeric(16,2), 'residual_value', c.estimate::numeric(16,2),
         'lifetime_value', (0.4 * coalesce(total_spend(h.h, h.a), 0))::numeric(16,2) + coalesce(c.estimate::numeric(16,2), 0.00),
         'cohort', CASE WHEN first_purchase(h.h) IS NULL THEN 'none' ELSE '2024 Q1' END, 'as_of', h.a, 'predicted_until', h.u)) AS e (key, expected) USING (key),
     LATERAL (SELECT key ~ '^(predicted_value|residual|lifetime|margin)' AS is_rounded) AS r;
-- no column is NULL for all who bought, and no money is lost
SELECT k.key AS null_for_all FROM mart.customer_value AS v, jsonb_each(to_jsonb(v)) AS k WHERE segment <> 'prospect' GROUP BY k.key HAVING bool_and(k.value = 'null');
SELECT customer_id, orders, purchase_days, total_spend, average_order_value, last_purchase FROM mart.customer_value WHERE customer_id IN (2, 9999) ORDER BY customer_id;
SELECT v.customer_id, v.orders = (SELECT count(*) FROM shop.orders AS o WHERE o.customer_id = 1) AS orders, v.orders - v.purchase_days AS same_day, average_order_value = round(total_spend / orders, 2) AS average
FROM mart.customer_value AS v WHERE customer_id = 1;
SELECT customer_id, segment, tier, model_scope, churn_risk, predicted_value, residual_value, lifetime_value, acquisition_cap FROM mart.customer_value WHERE segment = 'prospect';
SELECT item, verdict, row_count - (SELECT count(*) FROM shop.orders) AS rows, amount - (SELECT sum(amount) FROM shop.orders) AS amount
FROM mart.reconciliation WHERE item IN ('orders', 'orders counted') ORDER BY position;
SELECT item, row_count, amount, verdict FROM mart.reconciliation WHERE item !~ '^(orders|orders counted|histories|sources less histories|customer_value less histories)$' ORDER BY position;
SELECT item, amount, verdict FROM mart.reconciliation WHERE item LIKE '%less%' ORDER BY position;
SELECT tier, count(*) > 0 AS any, bool_and(CASE tier WHEN 'at risk' THEN churn_risk >= 0.5 ELSE churn_risk < 0.5 END) AS by_risk,
       bool_and(predicted_value >= (SELECT percentile_cont(0.8) WITHIN GROUP (ORDER BY predicted_value::float8)::numeric - 0.01 FROM mart.customer_value)) AS best_fifth
FROM mart.customer_value WHERE tier <> 'prospect' GROUP BY tier ORDER BY tier;

-- the small views add up to the large one
SELECT c.customers = v.n AND c.total_spend = v.spend AND c.total_value = v.value AND c.total_value_low = v.low AND c.total_value_high = v.high AND c.lifetime_value = v.lifetime AS cohorts,
       s.customers = v.n AND s.total_spend = v.spend AND s.total_value = v.value AND abs(s.share - 1) < 1e-12 AND abs(s.share_of_value - 1) < 1e-12 AND abs(s.budget_share - 1) < 1e-12 AS segments,
       k.customers = v.n AND k.total_spend = v.spend AND k.total_value = v.value AND k.lifetime_value = v.lifetime AS channels
FROM (SELECT count(*) AS n, sum(total_spend) AS spend, sum(predicted_value) AS value, sum(predicted_value_low) AS low, sum(predicted_value_high) AS high, sum(lifetime_value) AS lifetime FROM mart.customer_value) AS v,
     (SELECT sum(customers) AS customers, sum(total_spend) AS total_spend, sum(total_value) AS total_value, sum(total_value_low) AS total_value_low, sum(total_value_high) AS total_value_high, sum(lifetime_value) AS lifetime_value FROM mart.cohort_value) AS c,
     (SELECT sum(customers) AS customers, sum(total_spend) AS total_spend, sum(total_value) AS total_value, sum(share) AS share, sum(share_of_value) AS share_of_value, sum(budget_share) AS budget_share FROM mart.segment_value) AS s,
     mart.channel_value AS k;
SELECT cohort, customers, prospects, buyers, mean_value = round(total_value / nullif(buyers, 0), 2) AS mean_of_buyers, model_scope, model_weight FROM mart.cohort_value ORDER BY cohort;
SELECT count(*) AS segments, bool_and(abs(budget_share - at_risk / total) < 1e-12) AS by_value_at_risk, bool_and(action <> '') AS actions
FROM mart.segment_value JOIN (SELECT segment, coalesce(sum(churn_risk * predicted_value), 0) AS at_risk, sum(sum(churn_risk * predicted_value)) OVER () AS total
                              FROM mart.customer_value GROUP BY segment) AS v USING (segment);
-- the curve is what spend_by_age() says; everybody is seen in the first month, nobody in one that is not over
SELECT count(*) AS months, bool_and(r.customers = d.customers AND r.active = d.active AND r.spend = d.spend AND abs(r.active_share - d.active / d.customers::float8) < 1e-12) AS same,
       max(r.observed_share) = 1 AS all_seen, min(r.observed_share) < 1 AS some_too_young, bool_and(r.active_share = 1) FILTER (WHERE r.period = 0) AS begins_with_a_purchase
FROM mart.retention_curve AS r FULL JOIN (SELECT age_period AS period, count(*) AS customers, count(*) FILTER (WHERE active) AS active, sum(spend) AS spend
                                          FROM history, spend_by_age(h, a, 'month') GROUP BY 1) AS d USING (period);

-- Where a model cannot be had ------------------------------------------------------------------------------------------
CREATE FUNCTION models(mart text) RETURNS TABLE (role text, cohort text, kind text, scope text, own boolean, customers bigint, note text) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT m.role, m.cohort, g.kind, m.scope, m.own_weight > 0, m.customers, m.note FROM %I.model_history AS m LEFT JOIN glance(m.model) AS g ON true
                                 ORDER BY m.role, m.cohort NULLS FIRST', mart || '_store');
END $$;
-- nobody has come back
CREATE SCHEMA fresh;
CREATE TABLE fresh.orders AS SELECT i AS customer_id, date '2025-01-01' + i AS ordered_at, 10.00 + i AS amount FROM generate_series(1, 20) AS i;
SELECT count(*) FROM clv_create_mart('fresh', 'fresh_mart', time_zone => 'UTC');
SELECT * FROM models('fresh_mart');
SELECT count(*) AS customers, sum(orders) AS orders, sum(total_spend) AS spend, count(predicted_value) AS predicted, count(lifetime_value) AS lifetime, count(segment) AS segments, count(tier) AS tiers FROM fresh_mart.customer_value;
-- all pay the same: there is no distribution of spend, but there is a mean
CREATE SCHEMA price;
CREATE TABLE price.orders AS
SELECT customer AS customer_id, date '2024-01-01' + customer % 85 + day AS ordered_at, 25.00 AS amount
FROM simulate_purchases(pareto_nbd_model(1, 8, 0.8, 16, 'week'), 400, 700, 7) WHERE date '2024-01-01' + customer % 85 + day <= '2025-06-30';
SELECT count(*) FROM clv_create_mart('price', 'price_mart', time_zone => 'UTC');
SELECT * FROM models('price_mart');
SELECT count(*) AS customers, count(predicted_value) AS predicted, bool_and(abs(predicted_value - 25 * d.purchases::numeric) < 0.02) AS purchases_times_price, count(predicted_value_low) AS intervals
FROM price_mart.customer_value AS v JOIN (SELECT customer_id, purchase_history(ordered_at, amount) AS h FROM price.orders GROUP BY 1) AS h USING (customer_id)
     JOIN price_mart_store.model_history AS m ON m.role = 'purchase' AND m.cohort IS NULL,
     purchase_summary(h, v.as_of, 'week') AS s, LATERAL discounted_purchases(m.model, s.x, s.t_x, s.t_cal, 7 * ln(1.10) / 365, 365 / 7.0) AS d (purchases);
-- silence for months, then one order: Pareto/NBD runs off, MBG/NBD does not
CREATE SCHEMA odd;
CREATE VIEW odd.orders AS SELECT * FROM shop.orders UNION ALL SELECT 1, '2026-02-10', 30;
SELECT count(*) FROM clv_create_mart('odd', 'odd_mart', time_zone => 'UTC');
SELECT * FROM models('odd_mart');
SELECT count(*) FROM clv_create_mart('shop', 'best_mart', purchase_model => 'best', time_zone => 'UTC');
SELECT m.*, c.kind AS lower_aic
FROM models('best_mart') AS m, (SELECT c.kind FROM (SELECT clv_sample(h, a, 'week') AS sample FROM history) AS s, compare_models(sample) AS c
                                WHERE c.kind IN ('pareto_nbd', 'mbgnbd') ORDER BY c.aic LIMIT 1) AS c WHERE role = 'purchase';

-- Cohorts of all sizes ---------------------------------------------------------------------------------------------------
CREATE SCHEMA sizes;
CREATE TABLE sizes.orders AS
SELECT customer AS customer_id, date '2024-01-01' + customer % 85 + day AS ordered_at, round(amount::numeric, 2) AS amount
FROM simulate_purchases(pareto_nbd_model(1, 8, 0.8, 16, 'week'), 800, 700, 7, gamma_gamma_model(3, 4, 40))
WHERE date '2024-01-01' + customer % 85 + day <= '2025-06-30';
-- three of 200, one of 90, one of 30, one of 1, one of two people who have never bought; 79 are known for their orders only
CREATE TABLE sizes.customers AS
SELECT i AS customer_id, CASE WHEN i <= 600 THEN (ARRAY['north', 'south', 'east'])[1 + i % 3] WHEN i <= 690 THEN 'west' WHEN i <= 720 THEN 'web' WHEN i = 721 THEN 'own' ELSE 'fair' END AS cohort
FROM generate_series(1, 721) AS i UNION ALL VALUES (5001, 'fair'), (5002, 'fair');
SELECT count(*) FROM clv_create_mart('sizes', 'sizes_mart', min_cohort_size => 150, time_zone => 'UTC');
SELECT * FROM models('sizes_mart');
-- models of large cohorts are those of their own orders; of small ones, drawn towards the prior of those with a quarter of the size
CREATE TABLE cohort_sample AS
SELECT cohort, clv_sample(h, date '2025-06-30', 'week') AS sample, count(*) AS n
FROM (SELECT customer_id, purchase_history(ordered_at, amount) AS h FROM sizes.orders GROUP BY 1) AS h LEFT JOIN sizes.customers USING (customer_id), LATERAL (SELECT coalesce(cohort, '2024 Q1')) AS c (name) GROUP BY cohort;
SELECT m.cohort, m.scope, m.model = CASE WHEN s.n >= 150 THEN pareto_nbd_fit(s.sample) ELSE shrunk_fit(s.sample, p.prior) END AS same, round((glance(m.model)).own_weight::numeric, 6) = round(m.own_weight::numeric, 6) AS weight
FROM sizes_mart_store.model_history AS m JOIN cohort_sample AS s ON coalesce(s.cohort, '2024 Q1') = m.cohort,
     (SELECT cohort_prior(array_agg(pareto_nbd_fit(sample) ORDER BY coalesce(cohort, '2024 Q1')) FILTER (WHERE n >= 37.5), pareto_nbd_fit(clv_sample(sample))) AS prior FROM cohort_sample) AS p
WHERE m.role = 'purchase' ORDER BY m.cohort;
-- a customer's numbers are those of his cohort's model; one who comes after the models were fitted has that of all
SELECT v.model_scope, count(*), bool_and(v.alive_probability = p_alive(m.model, h.h, v.as_of) AND v.model_weight = m.own_weight) AS of_the_cohort
FROM sizes_mart.customer_value AS v JOIN (SELECT customer_id, purchase_history(ordered_at, amount) AS h FROM sizes.orders GROUP BY 1) AS h USING (customer_id)
     JOIN sizes_mart_store.model_history AS m ON m.role = 'purchase' AND m.cohort = v.cohort GROUP BY 1 ORDER BY 1;
INSERT INTO sizes.orders VALUES (6001, '2025-06-20', 40);
INSERT INTO sizes.customers VALUES (6001, 'late');
CALL sizes_mart.refresh(in_transaction => true);
SELECT v.cohort, v.model_scope, v.model_weight, v.alive_probability = p_alive(m.model, '{2025-06-20:40}', v.as_of) AS of_all
FROM sizes_mart.customer_value AS v, sizes_mart_store.model_history AS m WHERE customer_id = 6001 AND m.role = 'purchase' AND m.cohort IS NULL;

-- Contracts ------------------------------------------------------------------------------------------------------------
CREATE SCHEMA club;
CREATE TABLE club.subscriptions AS
SELECT customer AS customer_id, started AS started_at, CASE WHEN ended <= '2025-06-30' THEN ended END AS ended_at, 20.00 AS monthly_amount
FROM (SELECT customer, date '2022-01-01' + 11 * (customer % 90) AS started, count(*)::int AS periods FROM simulate_purchases(sbg_model(0.8, 6), 1000, 120, 1) GROUP BY customer) AS c,
     LATERAL (SELECT (started + make_interval(months => periods))::date AS ended) AS e;
-- one of 31 January, two contracts of one customer, two that ended on their first day, and two whose ends, in 2099 and in
-- 2200, are announced
INSERT INTO club.subscriptions VALUES (5001, '2024-01-31', NULL, 10), (5002, '2024-01-10', NULL, 10), (5002, '2024-11-20', NULL, 5), (5003, '2024-05-05', '2024-05-05', 99),
    (5004, '2025-01-15', '2099-12-01', 10), (5005, '2025-01-15', '2200-01-01', 10), (5006, '2025-06-30', '2025-06-30', 99);
SELECT count(*) FROM clv_create_mart('club', 'club_mart', margin => 0.5, horizon_days => 365, time_zone => 'UTC', min_cohort_size => 1000000);
SELECT * FROM models('club_mart') WHERE cohort IS NULL OR cohort = '2024 Q1';
SELECT m.model = sbg_fit(started_at, ended_at, date '2025-06-30', 'month') AS same FROM club_mart_store.model_history AS m, club.subscriptions WHERE m.cohort IS NULL AND ended_at IS DISTINCT FROM started_at GROUP BY m.model;
-- days of the payments to come, the chance that each is made, and what they are worth, by hand
CREATE FUNCTION contract(model clv_model, started date, a date, u date) RETURNS TABLE (payments float8, value float8, low float8, high float8, risk float8) STABLE LANGUAGE sql AS $$
    SELECT sum(1 - r.estimate), sum((1 - r.estimate) * d), sum((1 - r.conf_high) * d), sum((1 - r.conf_low) * d), max(r.estimate)
    FROM generate_series(1, 1200) AS k, LATERAL (SELECT (started + make_interval(months => k))::date AS due) AS t,
         LATERAL (SELECT count(*)::int AS made FROM generate_series(1, 1200) AS i WHERE (started + make_interval(months => i))::date <= a) AS m,
         LATERAL churn_risk_ci(model, m.made, k - m.made) AS r, LATERAL (SELECT 1.10 ^ (-(due - a) / 365.0) AS d) AS w
    WHERE due > a AND due <= u $$;
SELECT v.customer_id, v.alive_probability AS alive, abs(v.churn_risk - c.risk) < 1e-12 AS risk, abs(v.expected_purchases - c.payments) < 1e-9 AS payments,
       v.predicted_value = (5 * c.value)::numeric(16,2) AS value, v.predicted_value_low = (5 * c.low)::numeric(16,2) AS low, v.predicted_value_high = (5 * c.high)::numeric(16,2) AS high,
       predicted_value_low < predicted_value AND predicted_value < predicted_value_high AS within
FROM club_mart.customer_value AS v JOIN club.subscriptions AS s USING (customer_id) JOIN club_mart_store.model_history AS m ON m.cohort = v.cohort,
     contract(m.model, started_at, v.as_of, v.predicted_until) AS c WHERE customer_id IN (5001, 5004, 5005) ORDER BY customer_id;
-- two contracts: money adds up, and the customer stays as long as one of them does
SELECT round(v.expected_purchases::numeric, 6) = round(sum(c.payments)::numeric, 6) AS payments, abs(v.churn_risk - min(c.risk)) < 1e-12 AS risk, abs(v.predicted_value - 0.5 * sum(monthly_amount * c.value::numeric)) < 0.01 AS value
FROM club_mart.customer_value AS v JOIN club.subscriptions AS s USING (customer_id) JOIN club_mart_store.model_history AS m ON m.cohort = v.cohort,
     contract(m.model, started_at, v.as_of, v.predicted_until) AS c WHERE customer_id = 5002 GROUP BY v.expected_purchases, v.churn_risk, v.predicted_value;
-- who has left is worth what was paid; who left before paying is nobody
SELECT alive_probability AS alive, churn_risk AS risk, predicted_value AS value, predicted_value_low AS low, predicted_value_high AS high, expected_purchases AS payments, lifetime_value = 0.5 * total_spend AS paid, count(*) > 100 AS many
FROM club_mart.customer_value WHERE customer_id <= 1000 AND NOT EXISTS (SELECT FROM club.subscriptions AS s WHERE s.customer_id = customer_value.customer_id AND ended_at IS NULL) GROUP BY 1, 2, 3, 4, 5, 6, 7;
SELECT customer_id, purchase_days, total_spend, days_since_last_purchase AS days, rfm_score IS NOT NULL AS scored FROM club_mart.customer_value WHERE customer_id > 5000 ORDER BY customer_id;
SELECT item, verdict, amount - (SELECT sum(total_spend) FROM club_mart.customer_value) AS difference FROM club_mart.reconciliation WHERE item IN ('payments counted', 'histories') ORDER BY position;
SELECT item, amount, verdict FROM club_mart.reconciliation WHERE item LIKE '%less%' ORDER BY position;
SELECT k.key AS null_for_all FROM club_mart.customer_value AS v, jsonb_each(to_jsonb(v)) AS k GROUP BY k.key HAVING bool_and(k.value = 'null');
SELECT attname AS columns_of_orders FROM pg_attribute WHERE attrelid = 'club_mart.customer_value'::regclass AND attname IN ('orders', 'average_order_value');
-- a payment is sure up to an announced end within the horizon; one beyond it says nothing
UPDATE club_mart_store.setting SET horizon_days = 27500;
CALL club_mart.refresh(in_transaction => true);
SELECT customer_id, churn_risk, expected_purchases, predicted_value = (0.5 * 10 * d.value)::numeric(16,2) AS value, predicted_value_low = predicted_value AND predicted_value_high = predicted_value AS certain
FROM club_mart.customer_value, (SELECT count(*) AS n, sum(1.10 ^ (-(day - date '2025-06-30') / 365.0)) AS value FROM generate_series(1, 894) AS k, LATERAL (SELECT (date '2025-06-15' + make_interval(months => k))::date AS day) AS t WHERE day < '2099-12-01') AS d
WHERE customer_id = 5004;
SELECT customer_id, churn_risk BETWEEN 0.5 AND 0.999999 AS uncertain, predicted_value_low < predicted_value_high AS interval FROM club_mart.customer_value WHERE customer_id = 5005;

-- Orders and contracts --------------------------------------------------------------------------------------------------
CREATE SCHEMA bond;
CREATE VIEW bond.subscriptions AS SELECT * FROM club.subscriptions WHERE customer_id BETWEEN 201 AND 1000;
CREATE VIEW bond.orders AS SELECT * FROM sizes.orders WHERE customer_id <= 400;
SELECT count(*) FROM clv_create_mart('bond', 'bond_mart', horizon_days => 365, time_zone => 'UTC', min_cohort_size => 1000000);
WITH part AS (
    SELECT v.*, runs, bought, ended, o.estimate AS order_value, o.conf_low, churn_risk(p.model, h, v.as_of, v.predicted_until) AS order_risk, p_alive(p.model, h, v.as_of) AS order_alive,
           k.value AS contract_value, k.low AS contract_low, k.risk AS contract_risk, p.scope AS order_scope, c.scope AS contract_scope
    FROM bond_mart.customer_value AS v
    LEFT JOIN (SELECT customer_id, purchase_history(ordered_at, amount) AS h, true AS bought FROM bond.orders GROUP BY 1) AS h USING (customer_id)
    LEFT JOIN (SELECT customer_id, started_at, ended_at IS NULL AS runs, ended_at IS NOT NULL AS ended FROM bond.subscriptions) AS s USING (customer_id)
    JOIN bond_mart_store.model_history AS p ON p.role = 'purchase' AND p.cohort = v.cohort JOIN bond_mart_store.model_history AS g ON g.role = 'spend' AND g.cohort = v.cohort
    LEFT JOIN bond_mart_store.model_history AS c ON c.role = 'contract' AND c.cohort = v.cohort
    LEFT JOIN LATERAL clv_ci(p.model, g.model, h, v.as_of, v.predicted_until, 0.10) AS o ON true
    LEFT JOIN LATERAL contract(c.model, started_at, v.as_of, v.predicted_until) AS k ON runs
)
SELECT CASE WHEN runs THEN 'runs' WHEN ended THEN 'ended' ELSE 'none' END AS contract, bought IS NOT NULL AS orders, count(*) > 20 AS many,
       bool_and(abs(predicted_value - (coalesce(order_value, 0) + coalesce(20 * contract_value, 0))::numeric) < 0.01) AS value_adds_up,
       bool_and(abs(predicted_value_low - (coalesce(conf_low, 0) + coalesce(20 * contract_low, 0))::numeric) < 0.01) AS low_adds_up,
       bool_and(abs(churn_risk - CASE WHEN runs THEN contract_risk WHEN bought THEN order_risk ELSE 1 END) < 1e-12) AS risk, bool_and(alive_probability = CASE WHEN runs THEN 1 WHEN bought THEN order_alive ELSE 0 END) AS alive,
       bool_and(model_scope = CASE WHEN bought AND runs IS NOT TRUE THEN order_scope ELSE contract_scope END) AS scope
FROM part GROUP BY 1, 2 ORDER BY 1, 2;
SELECT item, amount, verdict FROM bond_mart.reconciliation WHERE item LIKE '%less%' ORDER BY position;

-- Contacts, scores, costs, channels, departures ---------------------------------------------------------------------------
CREATE SCHEMA desk;
CREATE TABLE desk.orders AS SELECT * FROM shop.orders WHERE customer_id BETWEEN 1 AND 400;
CREATE TABLE desk.customers AS
SELECT i AS customer_id, (ARRAY['web', 'store'])[1 + i % 2] AS channel, 10.00 AS acquisition_cost, NULL::date AS churned_at FROM generate_series(1, 400) AS i
UNION ALL VALUES (5001, NULL, 7.50, NULL::date);
-- 11 said farewell after the last order; 12 did, but has ordered since; 13 will
UPDATE desk.customers SET churned_at = CASE customer_id WHEN 11 THEN date '2025-06-30' WHEN 12 THEN '2024-01-20' WHEN 13 THEN '2025-07-05' END WHERE customer_id IN (11, 12, 13);
CREATE TABLE desk.interactions (interaction_id text, customer_id int, started_at timestamptz, channel text, topic text, resolved boolean, service_cost numeric);
-- in Vienna, where a day ends at 22:00 or 23:00 UTC
INSERT INTO desk.interactions VALUES
    ('a1', 1, '2024-05-01 10:00Z', 'chat', 'bill', true, 4), ('a2', 1, '2024-05-08 10:00Z', 'chat', 'bill', false, 4), ('a3', 1, '2024-05-10 10:00Z', 'phone', 'move', true, 6.5),
    ('a4', 1, '2025-06-25 10:00Z', 'email', 'bill', false, 2), ('a5', 1, '2025-06-30 21:59Z', 'phone', 'move', NULL, 6), ('a6', 1, '2025-06-30 22:00Z', 'letter', 'bill', true, 99),
    ('b1', 2, '2025-03-01 10:00Z', 'chat', NULL, true, NULL), ('b2', 2, '2025-03-01 10:00Z', 'email', NULL, true, 3), ('b3', 2, '2025-03-20 10:00Z', NULL, NULL, true, 3),
    ('p1', 5001, '2025-06-01 10:00Z', 'chat', 'offer', true, 5), ('n1', NULL, '2025-06-01 10:00Z', 'chat', 'offer', true, 1000), ('x1', 1, '-infinity', 'fax', 'bill', NULL, 1000);
CREATE TABLE desk.evaluations (interaction_id text, evaluated_at timestamptz, name text, score float8, label text);
INSERT INTO desk.evaluations
SELECT 'a1', timestamptz '2024-05-01 10:00Z' + i * interval '1 day', 'Resolution', i / 10.0, NULL FROM generate_series(1, 8) AS i
UNION ALL VALUES ('a4', timestamptz '2025-06-30 21:59Z', 'Resolution', 0.95::float8, NULL), ('a4', '2025-06-30 22:00Z', 'Resolution', 0, NULL), ('a1', '2024-05-01 11:00Z', 'CustomerAgentConversationQuality', 4, NULL),
    ('a4', '2025-06-25 11:00Z', 'quality', 5, NULL), ('a1', '2024-05-01 11:00Z', 'tone', NULL, 'Frustrated'), ('a2', '2024-05-08 11:00Z', 'tone', NULL, 'neutral'), ('a3', '2024-05-10 11:00Z', 'tone', NULL, 'joy'),
    ('a4', '2025-06-25 11:00Z', 'tone', NULL, 'anger'), ('a4', '2025-07-02 11:00Z', 'tone', NULL, 'anger'), ('b3', '2025-03-20 11:00Z', 'tone', 0.5, NULL), ('n1', '2025-06-01 11:00Z', 'Resolution', 0, NULL),
    ('a4', '2025-06-29 11:00Z', 'Resolution', 'NaN', NULL), ('a4', '-infinity', 'Resolution', 0, NULL);
SELECT count(*) FROM clv_create_mart('desk', 'desk_mart', margin => 0.4, target_ratio => 2, time_zone => 'Europe/Vienna', build => false);
CALL desk_mart.refresh(as_of => '2025-06-30', in_transaction => true);
-- of customer 1: the six latest scores of nine, two labels of four; bills apart from moves, and contacts from 24 June on not judged
SELECT customer_id, segment = 'prospect' AS prospect, service_cost_to_date AS cost, acquisition_cost, round(rolling_resolution::numeric, 6) AS resolution, rolling_quality AS quality, frustrated_share AS frustrated,
       round(first_contact_resolution::numeric, 6) AS first_contact, last_contact, last_contact_channel, acquisition_channel
FROM desk_mart.customer_value WHERE customer_id IN (1, 2, 3, 5001) ORDER BY customer_id;
SELECT round((0.4 + 0.5 + 0.6 + 0.7 + 0.8 + 0.95) / 6, 6) AS resolution;
-- service cost of the last 365 days over spend of the last 365 days, prospects apart: 2 + 6 + 3 + 3
SELECT bool_and(abs(v.residual_value - (v.predicted_value - c.share * v.predicted_value / 0.4)) < 0.02) AS residual, bool_and(v.lifetime_value = v.margin_to_date - v.service_cost_to_date - v.acquisition_cost + coalesce(v.residual_value, 0)) AS lifetime,
       bool_and(v.acquisition_cap IS NOT DISTINCT FROM CASE WHEN v.lifetime_value + v.acquisition_cost >= 0 THEN round((v.lifetime_value + v.acquisition_cost) / 2, 2) END) AS cap, count(*) FILTER (WHERE acquisition_cap IS NULL) AS no_cap
FROM desk_mart.customer_value AS v, (SELECT 14 / sum(amount) AS share FROM desk.orders WHERE ordered_at > '2024-06-30') AS c;
SELECT customer_id, alive_probability IN (0, 1) AS known, churn_risk = 1 AS gone, predicted_value = 0 AS worth_nothing FROM desk_mart.customer_value WHERE customer_id IN (11, 12, 13) ORDER BY customer_id;
SELECT kind, channel, customers, buyers, service_cost_to_date, acquisition_cost, abs(value_to_cost - ((lifetime_value + acquisition_cost) / acquisition_cost)::float8) < 1e-9 AS ratio, rolling_resolution IS NOT NULL AS resolution FROM desk_mart.channel_value ORDER BY kind, channel;
SELECT count(*) AS cohorts, sum(customers) AS customers, sum(prospects) AS prospects, sum(service_cost_to_date) AS service_cost, sum(acquisition_cost) AS acquisition_cost, sum(lifetime_value) = (SELECT sum(lifetime_value) FROM desk_mart.customer_value) AS lifetime,
       bool_and(value_to_cost IS NULL OR abs(value_to_cost - ((lifetime_value + acquisition_cost) / acquisition_cost)::float8) < 1e-9) AS ratio, round(max(rolling_resolution)::numeric, 6) AS resolution FROM desk_mart.cohort_value;
-- without costs, topics and channels there are no columns of them, and contacts are compared whatever they are about
CREATE SCHEMA bare;
CREATE VIEW bare.orders AS SELECT * FROM desk.orders;
CREATE VIEW bare.interactions AS SELECT interaction_id, customer_id, started_at FROM desk.interactions;
SELECT count(*) FROM clv_create_mart('bare', 'bare_mart', time_zone => 'Europe/Vienna', build => false);
CALL bare_mart.refresh(as_of => '2025-06-30', in_transaction => true);
SELECT customer_id, round(first_contact_resolution::numeric, 6) AS first_contact, last_contact, predicted_value = residual_value AS residual FROM bare_mart.customer_value WHERE customer_id IN (1, 2) ORDER BY customer_id;
SELECT attname FROM pg_attribute WHERE attrelid = 'bare_mart.customer_value'::regclass AND attnum > 30 ORDER BY attnum;
-- an earlier day is seen as it was then
CALL desk_mart.refresh(as_of => '2024-05-09', in_transaction => true);
SELECT customer_id, as_of, service_cost_to_date AS cost, rolling_resolution AS resolution, first_contact_resolution AS first_contact, last_contact_channel FROM desk_mart.customer_value WHERE customer_id = 1;
SELECT sum(total_spend) = (SELECT sum(amount) FROM desk.orders WHERE ordered_at <= '2024-05-09') AS spend, max(last_purchase) <= '2024-05-09' AS purchases FROM desk_mart.customer_value;
SELECT item, row_count = (SELECT count(*) FROM desk.orders WHERE ordered_at > '2024-05-09') AS rows, verdict FROM desk_mart.reconciliation WHERE item = 'orders after as_of';

DROP SCHEMA shop, mart, mart_store, fresh, fresh_mart, fresh_mart_store, price, price_mart, price_mart_store, odd, odd_mart, odd_mart_store, best_mart, best_mart_store,
    sizes, sizes_mart, sizes_mart_store, club, club_mart, club_mart_store, bond, bond_mart, bond_mart_store, desk, desk_mart, desk_mart_store, bare, bare_mart, bare_mart_store CASCADE;
DROP TABLE direct, cohort_sample;
DROP FUNCTION models, contract;
