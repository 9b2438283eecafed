-- What comes next of a customer, and why: next_purchase(), customer_forecast(), clv_explain().
SET datestyle = 'ISO, YMD';
CREATE FUNCTION near(actual float8, expected float8, tolerance float8) RETURNS boolean LANGUAGE sql IMMUTABLE
    RETURN coalesce(abs(actual - expected) <= tolerance * greatest(abs(expected), 1e-300), false);
-- SQLSTATE, message, detail and hint of a failing query
CREATE FUNCTION fails(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
    result text;
BEGIN
    EXECUTE query INTO result;
    RETURN 'no error: ' || coalesce(result, 'NULL');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', SQLSTATE || ' ' || SQLERRM, detail, 'hint: ' || hint);
END $$;

-- Every model of purchases, one of them that of a customer with covariates; customers of all sorts, seen on 2024-09-30
CREATE TABLE models AS SELECT kind, m FROM (VALUES
    ('pareto_nbd', pareto_nbd_model(.5533, 10.5777, .6062, 11.6687, 'week')), ('bgnbd', bgnbd_model(.2426, 4.4136, .7929, 2.4259, 'week')),
    ('mbgnbd', mbgnbd_model(.5248, 6.1831, .8914, 1.6140, 'month')), ('bgcnbd', bgcnbd_model(1.9, 3.7, .67, 4.6, 3, 'week')),
    ('mbgcnbd', mbgcnbd_model(1.9, 26, .67, 4.6, 4, 'day')), ('bgbb', bgbb_model(1.20, .75, .66, 2.78, 'month')),
    ('with_covariates', with_covariates('pareto_nbd(unit=week){r=0.8,alpha=12,s=0.7,beta=14,purchase_1=0.5,dropout_1=-0.4}', '{1}'))) v (kind, m);
CREATE TABLE gg AS SELECT gamma_gamma_model(6.25, 3.74, 15.44) AS gg;
CREATE TABLE customers AS SELECT id, h::purchase_history AS h FROM (VALUES
    ('new', '{2024-09-30:25}'), ('one', '{2024-01-01:25}'), ('two', '{2024-01-01:10,2024-02-12:40.5}'),
    ('regular', '{2024-01-01:10,2024-03-04:20,2024-05-06:25,2024-07-08:30,2024-09-09:15.5}'),
    ('refunds', '{2023-12-01:-3,2024-01-01:10,2024-03-04:20,2024-03-05:-20,2024-07-29:30,2024-08-01:cancelled,2024-12-01:70}'),
    ('free', '{2024-01-01:0,2024-06-03:0}'),
    ('gone', '{2022-01-03:10,2022-01-10:11,2022-01-17:9,2022-01-24:10,2022-01-31:12,2022-02-07:10,2022-02-14:10,2022-02-21:8,2022-02-28:10,2022-03-07:10}')) v (id, h);

-- next_purchase() ------------------------------------------------------------------------------------------------
-- It is the day of its definition: half of the chance of the interval is reached on that day and not on the day before. NULL for 'gone', whose
-- chance is not one in a thousand million under some models.
SELECT kind, count(*) AS asked, count(day) AS answered, count(*) FILTER (WHERE day <= as_of OR day > until OR 1 - churn_risk(m, h, as_of, day) < half OR 1 - churn_risk(m, h, as_of, day - 1) >= half) AS wrong,
       count(*) FILTER (WHERE day IS NULL AND 2 * half >= 1e-9) AS missing, count(*) FILTER (WHERE day IS NOT NULL AND 2 * half < 1e-9) AS unlikely
FROM (SELECT kind, m, h, date '2024-09-30' AS as_of, until, next_purchase(m, h, '2024-09-30', until) AS day, (1 - churn_risk(m, h, '2024-09-30', until)) / 2 AS half
      FROM models, customers, unnest('{2024-10-01,2024-10-31,2025-09-30,2034-09-30,infinity}'::date[]) AS until) d
GROUP BY kind ORDER BY kind;
-- all buy at .2 a week and nobody leaves: -ln(1 - (1 - exp(-.2 t)) / 2) / .2 weeks; 21.48 days within 10 weeks, ln(2) / .2 = 24.26 without end
SELECT until, next_purchase(m, h, date '2024-09-30', until), date '2024-09-30' + ceil(-7 * ln(1 - (1 - exp(-.2 * least((until - date '2024-09-30')::float8 / 7, 1e9))) / 2) / .2)::int AS expected
FROM customers, pareto_nbd_model(2e9, 1e10, 1, 1e15, 'week') AS m, unnest('{2024-10-01,2024-10-07,2024-12-09,2025-09-30}'::date[]) AS until WHERE id = 'one';
SELECT next_purchase(m, h, date '2024-09-30', 'infinity') - date '2024-09-30' AS days FROM customers, pareto_nbd_model(2e9, 1e10, 1, 1e15, 'week') AS m WHERE id = 'one';
-- who may have left, and who has not, order on the same day if they do: dropout at purchases alone
SELECT next_purchase(bgnbd_model(2e9, 1e10, 1, 9, 'week'), h, date '2024-09-30', date '2025-09-30') - date '2024-09-30' AS days, p_alive(bgnbd_model(2e9, 1e10, 1, 9, 'week'), h, date '2024-09-30') < 0.1 AS gone
FROM customers WHERE id IN ('one', 'two') ORDER BY id;
-- opportunities, each taken with probability .1, months from January 1 on: eight are over, of the twelve to come ln(1 - (1 - .9 ^ 12) / 2) / ln(.9) = 4.2
-- give the fifth, which ends with 13 x 30.4375 = 395.7 days
SELECT next_purchase(m, h, date '2024-09-30', date '2025-09-30') AS day, floor((next_purchase(m, h, date '2024-09-30', date '2025-09-30') - date '2024-01-01') / 30.4375) - floor((date '2024-09-30' - date '2024-01-01') / 30.4375) AS opportunities
FROM customers, bgbb_model(1e14, 9e14, 1e-3, 1e15, 'month') AS m WHERE id = 'one';
-- a timestamp is its day in the session's zone
SET timezone = 'Europe/Vienna';
SELECT next_purchase(m, h, timestamptz '2024-09-29 22:30+00', timestamptz '2025-09-29 22:30+00') = next_purchase(m, h, date '2024-09-30', date '2025-09-30') AS day_in_zone,
       next_purchase(m, h, now(), now() + interval '1 year') BETWEEN current_date AND current_date + 366 AS from_now, pg_typeof(next_purchase(m, h, '2024-09-30', '2025-09-30'))
FROM models, customers WHERE kind = 'pareto_nbd' AND id = 'regular';
RESET timezone;
-- none: before the first purchase, in no time, behind the calendar, of a model that is NULL
SELECT next_purchase(m, h, date '2023-12-31', date '2025-01-01') AS before, next_purchase(m, h, date '2024-09-30', date '2024-09-30') AS no_time,
       next_purchase(far, h, date '2024-09-30', 'infinity') AS far, churn_risk(far, h, date '2024-09-30', 'infinity') < 1 - 1e-6 AS not_unlikely, next_purchase(NULL, h, date '2024-09-30', date '2025-09-30') AS no_model
FROM models, customers, pareto_nbd_model(1e-6, 1e12, 1, 1e30, 'week') AS far WHERE kind = 'pareto_nbd' AND id = 'one';
SELECT q, fails(q) FROM (VALUES
    ('SELECT next_purchase(m, h, date ''2024-09-30'', date ''2024-09-29'') FROM models, customers LIMIT 1'), ('SELECT next_purchase(m, h, date ''infinity'', date ''infinity'') FROM models, customers LIMIT 1'),
    ('SELECT next_purchase(m, h, date ''2024-09-30'', date ''-infinity'') FROM models, customers LIMIT 1'), ('SELECT next_purchase(gg, h, date ''2024-09-30'', date ''2025-09-30'') FROM gg, customers LIMIT 1'),
    ('SELECT next_purchase(bgnbd_model(1, 1, 1, 1), h, date ''2024-09-30'', date ''2025-09-30'') FROM customers LIMIT 1'),
    ('SELECT next_purchase(''pareto_nbd(unit=week){r=0.8,alpha=12,s=0.7,beta=14,purchase_1=0.5,dropout_1=-0.4}'', h, date ''2024-09-30'', date ''2025-09-30'') FROM customers LIMIT 1'),
    ('SELECT next_purchase(sbg_model(1, 1), h, date ''2024-09-30'', date ''2025-09-30'') FROM customers LIMIT 1')) v (q);

-- customer_forecast() ----------------------------------------------------------------------------------------------
SELECT id, f.historic_value, round(f.predicted_value::numeric, 4) AS predicted_value, round(f.total_value::numeric, 4) AS total_value, round(f.predicted_orders::numeric, 4) AS predicted_orders,
       f.average_order_value, f.average_days_between_orders, f.next_order, round(f.churn_risk::numeric, 4) AS churn_risk
FROM models, gg, customers, customer_forecast(m, gg, h, date '2024-09-30') f WHERE kind = 'pareto_nbd' ORDER BY id;
-- its columns are the functions that they are named after, under every model, for a year and for 40 days
SELECT kind, count(*), bool_and(f.historic_value = total_spend(h, as_of) AND f.average_order_value = average_purchase(h, as_of) AND f.predicted_orders = expected_purchases(m, h, as_of, as_of + days)
           AND f.next_order IS NOT DISTINCT FROM next_purchase(m, h, as_of, as_of + days) AND f.churn_risk = churn_risk(m, h, as_of, as_of + days)) AS same,
       bool_and(near(f.predicted_value, clv(m, gg, h, as_of, as_of + days, 0), 1e-11) AND near(f.predicted_value, f.predicted_orders * expected_spend(gg, h, as_of), 1e-15)
           AND near(f.total_value, f.historic_value::float8 + f.predicted_value, 1e-15)) AS value,
       bool_and(f.average_days_between_orders IS NOT DISTINCT FROM purchase_span(h, as_of)::float8 / nullif(repeat_purchases(h, as_of), 0)) AS average_days
FROM models, gg, customers, LATERAL (VALUES (date '2024-09-30', 365), ('2024-09-30', 40)) d (as_of, days), customer_forecast(m, gg, h, as_of, days) f GROUP BY kind ORDER BY kind;
SELECT count(*) FILTER (WHERE a IS DISTINCT FROM b) AS not_365, count(*) FILTER (WHERE a IS DISTINCT FROM c) AS not_the_day
FROM models, gg, customers, customer_forecast(m, gg, h, date '2024-09-30') a, customer_forecast(m, gg, h, date '2024-09-30', days => 365) b, customer_forecast(m, gg, h, timestamptz '2024-09-30 12:00') c;
SELECT pg_typeof(f.historic_value), pg_typeof(f.predicted_value), pg_typeof(f.next_order) FROM models, gg, customers, customer_forecast(m, gg, h, '2024-09-30') f LIMIT 1;
-- one row whatever is missing: a customer before the first purchase, a cohort whose model could not be fitted, no history, no date
SELECT what, f.* FROM gg, (SELECT m FROM models WHERE kind = 'bgnbd') n, (SELECT h FROM customers WHERE id = 'one') c,
    LATERAL (VALUES ('too early', m, gg, h, date '2023-12-31', 365), ('never', m, gg, '{}', '2024-09-30', 365), ('no model', NULL, gg, h, '2024-09-30', 365), ('no spend model', m, NULL, h, '2024-09-30', 365),
        ('no history', m, gg, NULL, '2024-09-30', 365), ('no date', m, gg, h, NULL, 365), ('no days', m, gg, h, '2024-09-30', NULL)) v (what, m2, gg2, h2, as_of, days), customer_forecast(m2, gg2, h2, as_of, days) f;
SELECT count(*) AS rows, count(f.churn_risk) AS known FROM customers LEFT JOIN models ON kind = 'bgnbd' AND id <> 'one' LEFT JOIN gg ON true, customer_forecast(m, gg, h, timestamptz '2024-09-30') f;
-- a population without a mean: orders are known, their value is not; one WARNING a query
SELECT id, f.historic_value, f.predicted_value IS NULL AS no_value, f.total_value IS NULL AS no_total, f.predicted_orders > 0 AS orders, f.churn_risk < 1 AS risk
FROM models, customers, customer_forecast(m, gamma_gamma_model(6, 0.9, 15), h, date '2024-09-30') f WHERE kind = 'pareto_nbd' AND id IN ('new', 'one', 'two') ORDER BY id;
SELECT q, fails(q) FROM (VALUES
    ('SELECT f FROM models, gg, customers, customer_forecast(m, gg, h, date ''2024-09-30'', 0) f LIMIT 1'), ('SELECT f FROM models, gg, customers, customer_forecast(m, gg, h, date ''2024-09-30'', days => -365) f LIMIT 1'),
    ('SELECT f FROM models, gg, customers, customer_forecast(m, gg, h, date ''2024-09-30'', 2147483647) f LIMIT 1'), ('SELECT f FROM models, gg, customers, customer_forecast(m, gg, h, date ''9999-12-31'', 1) f LIMIT 1'),
    ('SELECT f FROM models, gg, customers, customer_forecast(m, gg, h, date ''2024-09-30'', 30.5) f LIMIT 1'), ('SELECT f FROM models, gg, customers, customer_forecast(m, gg, h, date ''2024-09-30'', ''NaN'') f LIMIT 1'),
    ('SELECT f FROM models, gg, customers, customer_forecast(m, gg, h, date ''2024-09-30'', ''infinity'') f LIMIT 1'),
    ('SELECT f FROM models, gg, customers, customer_forecast(m, gg, h, date ''infinity'') f LIMIT 1'), ('SELECT f FROM models, gg, customers, customer_forecast(gg, m, h, date ''2024-09-30'') f LIMIT 1'),
    ('SELECT f FROM models, gg, customers, customer_forecast(m, m, h, date ''2024-09-30'') f LIMIT 1'), ('SELECT f FROM models, gg, customer_forecast(m, gg, ''{2024-01-01}'', date ''2024-09-30'') f LIMIT 1'),
    ('SELECT f FROM gg, customers, customer_forecast(bgnbd_model(1, 1, 1, 1), gg, h, date ''2024-09-30'') f LIMIT 1')) v (q);

-- clv_explain() ----------------------------------------------------------------------------------------------------
SELECT e.step, e.quantity, round(e.value::numeric, 6) AS value, e.note FROM models, gg, customers, clv_explain(m, gg, h, date '2024-09-30', date '2025-09-30', 0.10, 0.4, 3) e WHERE kind = 'pareto_nbd' AND id = 'refunds';
SELECT e.step, e.quantity, round(e.value::numeric, 6) AS value, e.note FROM models, gg, customers, clv_explain(m, gg, h, date '2024-09-30', 'infinity', 0.10) e WHERE kind = 'bgnbd' AND id = 'one';
SELECT e.step, e.quantity, round(e.value::numeric, 6) AS value, e.note FROM models, gg, customers, clv_explain(m, gg, h, date '2024-09-30', date '2025-09-30', 0.10) e WHERE kind = 'bgbb' AND id = 'regular' AND step <= 6;
-- One row of the 15 values, for every model, customer and end that has a value, with and without margin and cost
CREATE TABLE explained AS
SELECT kind, m, gg, id, h, as_of, until, rate, margin, cost, e.* FROM models, gg, customers, LATERAL (VALUES (date '2024-09-30', date '2025-09-30', 0.10, 1, 0), ('2024-09-30', '2024-11-15', -0.05, 0.4, 0),
    ('2024-09-30', 'infinity', 0.10, 0.4, 3), ('2024-09-30', '2034-09-30', 0, 0.25, 20)) a (as_of, until, rate, margin, cost),
LATERAL (SELECT count(*) AS steps, max(value) FILTER (WHERE step = 1) AS x, max(value) FILTER (WHERE step = 2) AS t_x, max(value) FILTER (WHERE step = 3) AS t_cal, max(value) FILTER (WHERE quantity = 'P(alive)') AS alive,
    max(value) FILTER (WHERE quantity = 'expected purchases') AS expected, max(value) FILTER (WHERE quantity = 'own mean') AS own, max(value) FILTER (WHERE quantity = 'population mean') AS population,
    max(value) FILTER (WHERE quantity = 'weight of own mean') AS weight, max(value) FILTER (WHERE quantity = 'expected spend') AS spend, max(value) FILTER (WHERE quantity = 'discount') AS discount,
    max(value) FILTER (WHERE quantity = 'discounted purchases') AS discounted, max(value) FILTER (WHERE quantity = 'margin') AS kept, max(value) FILTER (WHERE quantity = 'service cost') AS service,
    max(value) FILTER (WHERE quantity = 'contribution') AS contribution, max(value) FILTER (WHERE quantity = 'value') AS value FROM clv_explain(m, gg, h, as_of, until, rate, margin, cost)) e;
-- the steps are what the other functions say of the same numbers ...
SELECT kind, count(*), bool_and(steps = 15) AS steps, bool_and(near(value, clv(m, gg, h, as_of, until, rate, margin, cost), 1e-12)) AS value, bool_and(near(alive, p_alive(m, h, as_of), 1e-12)) AS alive,
    bool_and(near(alive, p_alive(m, x, t_x, t_cal), 1e-12)) AS numbers, bool_and(expected IS NULL OR near(expected, expected_purchases(m, h, as_of, until), 1e-12)) AS expected, bool_and(near(spend, expected_spend(gg, h, as_of), 1e-12)) AS spend,
    bool_and(own IS NOT DISTINCT FROM monetary_value(h, as_of)) AS own, bool_and(near(population, expected_spend(gg, 0, NULL), 1e-15)) AS population, bool_and(kept = margin AND service = cost) AS given
FROM explained GROUP BY kind ORDER BY kind;
-- ... and they multiply to the value; expected purchases are infinite where s or gamma is at most 1, or a is, and there is no end: then there is no discount either
SELECT kind, bool_and(near(spend, coalesce(weight * own, 0) + (1 - weight) * population, 1e-12)) AS weighted, bool_and((own IS NULL) = (weight = 0)) AS weight_of_nothing, bool_and(near(contribution, kept * spend - service, 1e-12)) AS contribution,
    bool_and(near(value, discounted * contribution, 1e-12)) AS discounted, count(expected) AS finite, count(expected) = count(discount) AS both, bool_and(expected IS NULL OR near(value, expected * discount * contribution, 1e-12)) AS product,
    bool_and(expected IS NULL OR service > 0 OR near(value, expected * discount * spend * kept, 1e-12)) AS without_cost, count(*) FILTER (WHERE until = 'infinity' AND expected IS NOT NULL) AS finite_for_ever FROM explained GROUP BY kind ORDER BY kind;
SELECT bool_and(near(discount, 1, 1e-11)) FILTER (WHERE rate = 0) AS no_rate, bool_and(discount < 1) FILTER (WHERE rate > 0) AS later_is_less, bool_and(discount > 1) FILTER (WHERE rate < 0) AS later_is_more, bool_or(value < 0) AS may_be_negative FROM explained;
-- with a > 1 the purchases of all time can be counted: only the own mean is missing
SELECT e.quantity, e.value IS NULL AS missing, e.note FROM gg, customers, clv_explain(bgnbd_model(.24, 4.4, 3, 2, 'week'), gg, h, date '2024-09-30', 'infinity', 0.10) e WHERE id = 'one' AND (value IS NULL OR quantity IN ('expected purchases', 'discount'));
-- P(alive) of 1 without a repeat purchase is explained; a new customer's is not, and not that of a model in which customers leave at any time
SELECT kind, id, e.value, e.note FROM models, gg, customers, clv_explain(m, gg, h, date '2024-09-30', date '2025-09-30', 0.10) e
WHERE kind IN ('pareto_nbd', 'bgnbd', 'bgcnbd') AND id IN ('new', 'one') AND quantity = 'P(alive)' AND (id = 'one' OR value = 1) AND (kind <> 'pareto_nbd' OR id = 'new') ORDER BY kind, id;
-- no time: nothing to expect, nothing to discount
SELECT e.quantity, e.value, e.note FROM models, gg, customers, clv_explain(m, gg, h, date '2024-09-30', date '2024-09-30', 0.10) e WHERE kind = 'bgnbd' AND id = 'one' AND step IN (5, 10, 11, 15);
-- a population without a mean (q = .9): nothing can be expected of who has not come back; who has is expected to spend (6 * 1 * 40.5 + 6 * 15) / (6 * 1 + .9 - 1) = 56.44
SELECT id, e.quantity, round(e.value::numeric, 4) AS value, e.note FROM models, customers, clv_explain(m, gamma_gamma_model(6, 0.9, 15), h, date '2024-09-30', date '2025-09-30', 0.10) e
WHERE kind = 'pareto_nbd' AND id IN ('one', 'two') AND step NOT IN (1, 2, 3, 4, 5, 10, 12, 13) ORDER BY id DESC, step;
-- no rows: before the first purchase, of a model that is NULL, without a date; a LEFT JOIN keeps the customer
SELECT count(e) AS early, count(*) AS rows FROM models CROSS JOIN gg CROSS JOIN customers LEFT JOIN LATERAL clv_explain(m, gg, h, date '2021-12-31', date '2025-09-30', 0.10) e ON true WHERE kind = 'bgnbd';
SELECT count(*) AS none FROM gg, customers, LATERAL (SELECT * FROM clv_explain(NULL, gg, h, date '2024-09-30', date '2025-09-30', 0.10) UNION ALL SELECT * FROM clv_explain(NULL, gg, h, timestamptz '2024-09-30', timestamptz '2025-09-30', 0.10)
    UNION ALL SELECT * FROM clv_explain(bgnbd_model(1, 1, 1, 1, 'week'), NULL, h, date '2024-09-30', date '2025-09-30', 0.10)) e;
-- a timestamp is its day
SELECT count(*) AS rows, count(*) FILTER (WHERE d IS DISTINCT FROM t) AS different FROM models, gg, customers, clv_explain(m, gg, h, date '2024-09-30', date '2025-09-30', 0.10, 0.4, 3) d,
    clv_explain(m, gg, h, timestamptz '2024-09-30 11:00', timestamptz '2025-09-30 11:00', 0.10, 0.4, 3) t WHERE d.step = t.step;
SELECT q, fails(q) FROM (VALUES
    ('SELECT count(e) FROM models, gg, customers, clv_explain(m, gg, h, date ''2024-09-30'', date ''2024-09-29'', 0.1) e'), ('SELECT count(e) FROM models, gg, customers, clv_explain(m, gg, h, date ''2024-09-30'', date ''2025-09-30'', -1) e'),
    ('SELECT count(e) FROM models, gg, customers, clv_explain(m, gg, h, date ''2024-09-30'', date ''2025-09-30'', 0.1, 30) e'), ('SELECT count(e) FROM models, gg, customers, clv_explain(m, gg, h, date ''2024-09-30'', date ''2025-09-30'', 0.1, 1, -3) e'),
    ('SELECT count(e) FROM models, gg, customers, clv_explain(m, gg, h, date ''2024-09-30'', date ''infinity'', 0) e'), ('SELECT count(e) FROM models, gg, customers, clv_explain(gg, gg, h, date ''2024-09-30'', date ''2025-09-30'', 0.1) e'),
    ('SELECT count(e) FROM models, gg, clv_explain(m, gg, ''{2024-01-01}'', date ''2024-09-30'', date ''2025-09-30'', 0.1) e')) v (q);
DROP TABLE models, gg, customers, explained; DROP FUNCTION near(float8, float8, float8), fails(text);
