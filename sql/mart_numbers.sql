-- Numbers of the mart, held against plain SQL over the sources that shares no line with its views. Every query counts
-- what differs, so every count of a difference is 0.
SET client_min_messages = error;
SET jit = off;          -- costs more than the queries
CREATE SCHEMA numbers;

CREATE FUNCTION numbers.draw(of text) RETURNS float8 IMMUTABLE LANGUAGE sql     -- between 0 and 1
    RETURN ('x' || left(md5(of), 7))::bit(28)::int / 268435456.0::float8;

-- Orders at every minute of the day in UTC, which are days of New York, and a few on its very midnight; refunds of the
-- same day, of later days and before any purchase; orders of nothing; what is NULL, and what lies in the future.
CREATE TABLE numbers.orders AS
WITH raw AS (
    SELECT customer::bigint AS customer_id, date '2024-01-01' + customer * 7 % 200 + day AS day, round(amount::numeric, 2) AS amount,
           customer || ' ' || day AS name, customer + day AS n
    FROM simulate_purchases(pareto_nbd_model(1, 10, 0.8, 14, 'week'), 160, 700, 11, gamma_gamma_model(3, 4, 40))
    WHERE date '2024-01-01' + customer * 7 % 200 + day <= '2025-11-30'
)
SELECT customer_id, (day + floor(1440 * numbers.draw(name)) * interval '1 minute') AT TIME ZONE 'UTC' AS ordered_at, amount FROM raw
UNION ALL SELECT customer_id, (day + time '23:59:59.999999') AT TIME ZONE 'America/New_York', 5.01 FROM raw WHERE n % 13 = 0
UNION ALL SELECT customer_id, day::timestamp AT TIME ZONE 'America/New_York', 0 FROM raw WHERE n % 17 = 0
UNION ALL SELECT customer_id, (day + time '15:00') AT TIME ZONE 'UTC', -amount FROM raw WHERE n % 11 = 0
UNION ALL SELECT customer_id, (day + time '12:00') AT TIME ZONE 'UTC' + interval '30 hours', -round(amount / 2, 2) FROM raw WHERE n % 19 = 0
UNION ALL SELECT customer_id, timestamptz '2023-12-01 12:00+00', -3.33 FROM raw WHERE customer_id % 41 = 0
UNION ALL SELECT 900 + g, timestamptz '2025-03-09 06:59:59+00' + g * interval '1 second', -5.5 FROM generate_series(1, 3) AS g
UNION ALL SELECT 950 + g, timestamptz '2025-12-01 03:00+00' + g * interval '1 hour', 20 * g FROM generate_series(0, 4) AS g
UNION ALL VALUES (NULL, timestamptz '2025-01-01 12:00+00', 77.77), (3, NULL, 12.34), (4, timestamptz '2025-03-03 12:00+00', NULL),
                 (5, timestamptz '2099-01-01 12:00+00', 55);

-- Contracts of month ends, ended on the day they began, several of one customer, at no price, ended before as_of or never.
CREATE TABLE numbers.subscriptions AS
SELECT g::bigint AS customer_id, day AS started_at,
       CASE WHEN numbers.draw('ends' || g) < 0.6 THEN (day + (1 + floor(9 * numbers.draw('when' || g))) * interval '1 month')::date END AS ended_at,
       CASE WHEN g % 15 = 0 THEN 0 ELSE 9.99 + g % 4 END AS monthly_amount
FROM generate_series(100, 220) AS g,
     LATERAL (SELECT CASE g % 4 WHEN 0 THEN date '2024-01-31' WHEN 1 THEN date '2024-02-29' WHEN 2 THEN date '2024-08-31' ELSE date '2023-10-30' + g % 150 END) AS d (day)
UNION ALL SELECT g, '2025-02-28', CASE WHEN g % 2 = 0 THEN 'infinity'::date END, 4.5 FROM generate_series(170, 180) AS g
UNION ALL SELECT g, '2024-10-31', '2024-10-31', 7 FROM generate_series(181, 185) AS g
UNION ALL SELECT g, '2025-01-31', '2025-02-28', 7 FROM generate_series(230, 233) AS g
UNION ALL SELECT NULL, '2025-01-01', NULL, 3;

CREATE TABLE numbers.customers AS
SELECT g::bigint AS customer_id, CASE WHEN g % 7 > 0 THEN (ARRAY['a', 'b "x"'])[1 + g % 2] END AS cohort,
       (date '2023-12-31' + g % 100 + time '23:30') AT TIME ZONE 'America/New_York' AS acquired_at,
       CASE WHEN g % 9 > 0 THEN round((5 + g % 20)::numeric / 3, 2) END AS acquisition_cost
FROM generate_series(1, 230) AS g WHERE g % 37 > 0;

-- 1001, 1011, ... are customers 1, 11, ..., whose orders of even days went to them
CREATE TABLE numbers.customer_map AS SELECT 1000 + g AS customer_id, g::bigint AS master_id FROM generate_series(1, 160, 10) AS g;
UPDATE numbers.orders SET customer_id = customer_id + 1000 WHERE customer_id <= 160 AND customer_id % 10 = 1 AND extract(day FROM ordered_at)::int % 2 = 0;

SELECT count(*) FROM clv_create_mart('numbers', 'm', margin => 0.3, time_zone => 'America/New_York', min_cohort_size => 30, horizon_days => 200,
                                     annual_discount_rate => 0.15, build => false);
CALL m.refresh(as_of => '2025-11-30');

-- The sources, by hand.
CREATE TABLE numbers.sale AS
SELECT coalesce(c.master_id, o.customer_id) AS customer_id, (o.ordered_at AT TIME ZONE 'America/New_York')::date AS day, o.amount
FROM numbers.orders AS o LEFT JOIN numbers.customer_map AS c USING (customer_id)
WHERE o.customer_id IS NOT NULL AND o.amount IS NOT NULL AND o.ordered_at < timestamp '2025-12-01' AT TIME ZONE 'America/New_York';

CREATE TABLE numbers.payment AS         -- those to come, too
SELECT contract, customer_id, started_at, monthly_amount AS amount, k, day
FROM (SELECT row_number() OVER () AS contract, customer_id, started_at, monthly_amount,
             CASE WHEN ended_at <= '2025-11-30' THEN ended_at ELSE 'infinity' END AS ended_on
      FROM numbers.subscriptions WHERE customer_id IS NOT NULL) AS s,
     generate_series(0, 40) AS k, LATERAL (SELECT (started_at + k * interval '1 month')::date) AS d (day)
WHERE day < ended_on;

CREATE TABLE numbers.day AS
SELECT customer_id, day, sum(amount) AS net, sum(amount) > 0 OR sum(amount) = 0 AND min(amount) = 0 AS bought
FROM (SELECT customer_id, day, amount FROM numbers.sale UNION ALL
      SELECT customer_id, day, amount FROM numbers.payment WHERE day <= '2025-11-30') AS money GROUP BY customer_id, day;

CREATE TABLE numbers.person AS
SELECT customer_id, first_day, last_day, coalesce(days, 0) AS days, CASE WHEN first_day IS NULL THEN 0 ELSE spend END AS spend, orders, order_spend,
       coalesce(c.cohort, to_char(c.acquired_at AT TIME ZONE 'America/New_York', 'YYYY "Q"Q'), to_char(first_day, 'YYYY "Q"Q'), 'none') AS cohort,
       c.acquisition_cost, history
FROM (SELECT customer_id FROM numbers.day UNION SELECT customer_id FROM numbers.customers) AS i
     LEFT JOIN (SELECT customer_id, min(day) FILTER (WHERE bought) AS first_day, max(day) FILTER (WHERE bought) AS last_day,
                       count(*) FILTER (WHERE bought) AS days, sum(net) AS spend FROM numbers.day GROUP BY customer_id) AS d USING (customer_id)
     LEFT JOIN (SELECT customer_id, count(*) FILTER (WHERE amount >= 0) AS orders, sum(amount) AS order_spend, purchase_history(day, amount) AS history
                FROM numbers.sale GROUP BY customer_id) AS o USING (customer_id)
     LEFT JOIN numbers.customers AS c USING (customer_id);

CREATE TABLE numbers.score AS
SELECT customer_id, least(5, 1 + 5 * (rank() OVER (ORDER BY last_day) - 1) / (count(*) OVER () - 1)) AS r,
       least(5, 1 + 5 * (rank() OVER (ORDER BY days) - 1) / (count(*) OVER () - 1)) AS f,
       least(5, 1 + 5 * (rank() OVER (ORDER BY spend) - 1) / (count(*) OVER () - 1)) AS m
FROM numbers.person WHERE first_day IS NOT NULL;

-- What has been
SELECT count(*) AS customers, count(*) FILTER (WHERE v.customer_id IS NULL OR p.customer_id IS NULL) AS in_one_only,
       count(*) FILTER (WHERE v.cohort IS DISTINCT FROM p.cohort) AS cohort,
       count(*) FILTER (WHERE (v.first_purchase, v.last_purchase) IS DISTINCT FROM (p.first_day, p.last_day)) AS first_last,
       count(*) FILTER (WHERE v.orders IS DISTINCT FROM coalesce(p.orders, 0)) AS orders, count(*) FILTER (WHERE v.purchase_days IS DISTINCT FROM p.days) AS days,
       count(*) FILTER (WHERE v.total_spend IS DISTINCT FROM round(p.spend, 2)) AS spend,
       count(*) FILTER (WHERE v.average_order_value IS DISTINCT FROM round(p.order_spend / nullif(p.orders, 0), 2) AND first_purchase(p.history) IS NOT NULL) AS average,
       count(*) FILTER (WHERE v.days_since_last_purchase IS DISTINCT FROM '2025-11-30' - p.last_day) AS since,
       count(*) FILTER (WHERE (v.r, v.f, v.m) IS DISTINCT FROM (s.r, s.f, s.m) OR v.rfm_score IS DISTINCT FROM s.r || '' || s.f || s.m) AS rfm,
       count(*) FILTER (WHERE v.segment IS DISTINCT FROM coalesce(rfm_segment(s.r || '' || s.f || s.m), 'prospect')) AS segment,
       count(*) FILTER (WHERE v.margin_to_date IS DISTINCT FROM round(p.spend * 0.3, 2)) AS margin,
       count(*) FILTER (WHERE v.acquisition_cost IS DISTINCT FROM p.acquisition_cost) AS cost,
       count(*) FILTER (WHERE v.lifetime_value IS DISTINCT FROM v.margin_to_date + coalesce(v.residual_value, 0) - coalesce(v.acquisition_cost, 0)) AS lifetime
FROM m.customer_value AS v FULL JOIN numbers.person AS p USING (customer_id) LEFT JOIN numbers.score AS s USING (customer_id) \gx

-- What is to come: orders by the documented functions, contracts by sums of survival over the payments to come
CREATE TABLE numbers.model AS SELECT role, cohort, model FROM m_store.model_history JOIN m.settings USING (model_id);

CREATE TABLE numbers.contract AS
SELECT contract, customer_id, min(churn) AS churn, sum(alive * due) AS payments, sum(alive * amount * 0.3 * 1.15 ^ -((day - date '2025-11-30') / 365.0) * due) AS value
FROM (SELECT p.contract, p.customer_id, p.day, p.amount, (p.day > '2025-11-30')::int AS due, survival(m.model, greatest(p.k, l.renewals)) / survival(m.model, l.renewals) AS alive,
             churn_risk(m.model, l.renewals, sum((p.day > '2025-11-30')::int) OVER (PARTITION BY p.contract)) AS churn
      FROM numbers.payment AS p JOIN (SELECT contract, max(k) AS renewals FROM numbers.payment WHERE day <= '2025-11-30' GROUP BY contract) AS l USING (contract)
           JOIN numbers.person AS o USING (customer_id) JOIN numbers.model AS m ON m.role = 'contract' AND m.cohort = o.cohort
      WHERE p.day <= '2026-06-18'
        AND EXISTS (SELECT FROM numbers.payment AS q WHERE q.contract = p.contract AND q.day > '2025-11-30')) AS t      -- it runs
GROUP BY contract, customer_id;

CREATE TABLE numbers.prediction AS
SELECT p.customer_id, c.n AS contracts, p.history IS NOT NULL AS orders, p_alive(m.model, p.history, '2025-11-30') AS alive,
       churn_risk(m.model, p.history, date '2025-11-30', date '2026-06-18') AS churn, expected_purchases(m.model, p.history, date '2025-11-30', date '2026-06-18') AS purchases,
       clv(m.model, s.model, p.history, date '2025-11-30', date '2026-06-18', 0.15, 0.3) AS value, i.conf_low, i.conf_high, c.churn AS contract_churn, c.payments, c.value AS contract_value
FROM numbers.person AS p LEFT JOIN numbers.model AS m ON m.role = 'purchase' AND m.cohort = p.cohort LEFT JOIN numbers.model AS s ON s.role = 'spend' AND s.cohort = p.cohort
     LEFT JOIN LATERAL clv_ci(m.model, s.model, p.history, date '2025-11-30', date '2026-06-18', 0.15, 0.3) AS i ON true
     LEFT JOIN (SELECT customer_id, count(*) AS n, min(churn) AS churn, sum(payments) AS payments, sum(value) AS value FROM numbers.contract GROUP BY customer_id) AS c USING (customer_id);

SELECT p.orders, p.contracts, count(*) > 3 AS several,
       count(*) FILTER (WHERE v.alive_probability IS DISTINCT FROM CASE WHEN p.contracts > 0 THEN 1 ELSE coalesce(p.alive, 0) END) AS alive,
       count(*) FILTER (WHERE NOT coalesce(abs(v.churn_risk - coalesce(p.contract_churn, p.churn, 1)) < 1e-9, false)) AS churn,
       count(*) FILTER (WHERE NOT coalesce(abs(v.expected_purchases - coalesce(p.purchases, 0) - coalesce(p.payments, 0)) < 1e-9, false)) AS purchases,
       count(*) FILTER (WHERE NOT coalesce(abs(v.predicted_value - coalesce(p.value, 0) - coalesce(p.contract_value, 0)) < 0.0051, false)) AS value,
       count(*) FILTER (WHERE p.contracts IS NULL AND (v.predicted_value_low, v.predicted_value_high) IS DISTINCT FROM (round(coalesce(p.conf_low, 0)::numeric, 2), round(coalesce(p.conf_high, 0)::numeric, 2))) AS interval,
       count(*) FILTER (WHERE v.predicted_value NOT BETWEEN v.predicted_value_low AND v.predicted_value_high) AS outside
FROM m.customer_value AS v JOIN numbers.prediction AS p USING (customer_id) WHERE v.first_purchase IS NOT NULL
GROUP BY p.orders, p.contracts ORDER BY p.orders, p.contracts;

-- Cohorts and segments are sums and means of their customers, and an interval holds what it is the interval of
SELECT count(*) FILTER (WHERE (c.customers, c.prospects, c.buyers) IS DISTINCT FROM (v.n, v.prospects, v.buyers)) AS counts,
       count(*) FILTER (WHERE (c.total_value, c.total_spend, c.margin_to_date, c.residual_value, c.lifetime_value)
                              IS DISTINCT FROM (coalesce(v.value, 0), v.spend, v.margin, coalesce(v.residual, 0), v.lifetime)) AS totals,
       count(*) FILTER (WHERE c.mean_value IS DISTINCT FROM round(v.value / nullif(v.buyers, 0), 2) OR abs(c.churn_risk - v.churn) > 1e-12) AS means,
       count(*) FILTER (WHERE c.total_value NOT BETWEEN c.total_value_low AND c.total_value_high OR c.mean_value NOT BETWEEN c.mean_value_low AND c.mean_value_high) AS outside
FROM m.cohort_value AS c FULL JOIN (
    SELECT cohort, count(*) AS n, count(*) FILTER (WHERE segment = 'prospect') AS prospects, count(first_purchase) AS buyers, sum(predicted_value) AS value, sum(total_spend) AS spend,
           sum(margin_to_date) AS margin, sum(residual_value) AS residual, sum(lifetime_value) AS lifetime, avg(churn_risk) AS churn
    FROM m.customer_value GROUP BY cohort) AS v USING (cohort);

SELECT count(*) FILTER (WHERE s.customers IS DISTINCT FROM v.n OR s.total_value IS DISTINCT FROM coalesce(v.value, 0)) AS totals,
       count(*) FILTER (WHERE abs(s.budget_share - v.at_risk / v.all_at_risk) > 1e-12 OR abs(s.share - v.n / v.everybody) > 1e-12) AS shares,
       abs(sum(s.share) - 1) < 1e-12 AND abs(sum(s.share_of_value) - 1) < 1e-12 AND abs(sum(s.budget_share) - 1) < 1e-12 AS sum_to_one
FROM m.segment_value AS s FULL JOIN (
    SELECT segment, count(*) AS n, sum(predicted_value) AS value, sum(churn_risk * predicted_value::float8) AS at_risk,
           sum(sum(churn_risk * predicted_value::float8)) OVER () AS all_at_risk, sum(count(*)) OVER ()::float8 AS everybody
    FROM m.customer_value GROUP BY segment) AS v USING (segment);

-- Who came back: months of the calendar, those that lie behind a customer
WITH curve AS (
    SELECT cohort, k AS period, count(*) AS customers, count(*)::float8 / max(size) AS observed, count(*) FILTER (WHERE active) AS active, sum(spend) AS spend
    FROM (SELECT customer_id, cohort, first_day, count(*) OVER (PARTITION BY cohort) AS size FROM numbers.person WHERE first_day IS NOT NULL) AS p, generate_series(0, 30) AS k,
         LATERAL (SELECT (first_day + k * interval '1 month')::date, (first_day + (k + 1) * interval '1 month')::date) AS w (begins, ends),
         LATERAL (SELECT coalesce(bool_or(bought), false), coalesce(sum(net), 0) FROM numbers.day AS d WHERE d.customer_id = p.customer_id AND d.day >= begins AND d.day < ends) AS d (active, spend)
    WHERE ends <= '2025-12-01' GROUP BY cohort, k
)
SELECT count(*) > 50 AS several, count(*) FILTER (WHERE (r.customers, r.active, r.spend, r.spend_per_customer) IS DISTINCT FROM (c.customers, c.active, round(c.spend, 2), round(c.spend / c.customers, 2))) AS numbers,
       count(*) FILTER (WHERE abs(r.observed_share - c.observed) > 1e-12 OR abs(r.active_share - c.active::float8 / c.customers) > 1e-12) AS shares
FROM m.retention_curve AS r FULL JOIN curve AS c ON c.cohort = r.cohort AND c.period = r.period;

-- Every figure of the reconciliation that is of the sources
SELECT r.item, r.row_count - h.n AS rows, r.amount - h.amount AS amount
FROM m.reconciliation AS r JOIN (
    SELECT 'orders' AS item, count(*) AS n, round(sum(amount), 2) AS amount FROM numbers.orders
    UNION ALL SELECT 'orders without a customer', count(*), sum(amount) FROM numbers.orders WHERE customer_id IS NULL
    UNION ALL SELECT 'orders without a day', count(*), sum(amount) FROM numbers.orders WHERE ordered_at IS NULL
    UNION ALL SELECT 'orders after as_of', count(*), sum(amount) FROM numbers.orders WHERE ordered_at >= timestamp '2025-12-01' AT TIME ZONE 'America/New_York'
    UNION ALL SELECT 'orders counted', count(*), round(sum(amount), 2) FROM numbers.sale
    UNION ALL SELECT 'payments counted', count(*), sum(amount) FROM numbers.payment WHERE day <= '2025-11-30'
    UNION ALL SELECT 'refunds counted', count(*), round(sum(amount), 2) FROM numbers.sale WHERE amount < 0
    UNION ALL SELECT 'histories', count(*), round(sum(spend), 2) FROM numbers.person WHERE first_day IS NOT NULL
    UNION ALL SELECT 'refunds without a purchase', count(*), sum(spend) FROM (SELECT sum(net) AS spend FROM numbers.day GROUP BY customer_id HAVING NOT bool_or(bought) AND sum(net) <> 0) AS d) AS h
    USING (item) ORDER BY r.position;
SELECT item, amount, verdict FROM m.reconciliation WHERE item LIKE '% less %' ORDER BY position;

-- A loss is found, and a refit mends it
DELETE FROM m_store.customer_history WHERE customer_id = (SELECT min(customer_id) FROM m.customer_value WHERE total_spend > 100 AND last_purchase < '2025-06-01');
CALL m.refresh(as_of => '2025-11-30');
SELECT amount > 100 AS much, verdict FROM m.reconciliation WHERE item = 'sources less histories';
CALL m.refresh(refit => true, as_of => '2025-11-30');
SELECT amount, verdict FROM m.reconciliation WHERE item = 'sources less histories';

-- Nights with orders that come late, by as much as late_days, change or go away give what a reading of everything gives,
-- under any settings
SELECT count(*) FROM clv_create_mart('numbers', 'whole', margin => 0.3, time_zone => 'America/New_York', min_cohort_size => 30, horizon_days => 200,
                                     annual_discount_rate => 0.15, late_days => NULL, build => false);
CALL whole.refresh(as_of => '2025-11-30');
INSERT INTO numbers.orders
SELECT 1 + n * 7 % 240, (date '2025-12-04' - n + time '23:59:59') AT TIME ZONE 'America/New_York', 10 + n - 30 * (n % 4 / 3) FROM generate_series(0, 39) AS n;
DELETE FROM numbers.orders WHERE ordered_at >= timestamptz '2025-10-28 12:00+00' AND customer_id % 5 = 0;
UPDATE numbers.orders SET amount = -amount WHERE ordered_at >= timestamptz '2025-10-28 12:00+00' AND customer_id % 7 = 0;
UPDATE numbers.subscriptions SET ended_at = '2025-12-02' WHERE ended_at IS NULL AND customer_id % 6 = 0;
SET TimeZone = 'Asia/Kolkata'; SET DateStyle = 'SQL, DMY'; SET extra_float_digits = 0; SET search_path = pg_catalog;
CALL m.refresh(as_of => '2025-12-04');
RESET TimeZone; RESET DateStyle; RESET extra_float_digits; RESET search_path;
CALL whole.refresh(as_of => '2025-12-04');
SELECT (SELECT count(*) FROM (SELECT * FROM m.customer_value EXCEPT SELECT * FROM whole.customer_value) AS v) AS customers,
       (SELECT count(*) FROM (SELECT * FROM whole.customer_value EXCEPT SELECT * FROM m.customer_value) AS v) AS customers_of_whole,
       (SELECT count(*) FROM (SELECT * FROM m.retention_curve EXCEPT SELECT * FROM whole.retention_curve) AS r) AS months,
       (SELECT count(*) FROM (SELECT * FROM m.reconciliation EXCEPT SELECT * FROM whole.reconciliation) AS r) AS figures;

DROP SCHEMA m, m_store, whole, whole_store, numbers CASCADE;
