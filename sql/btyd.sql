-- Fits and predictions of purchase and spend models.

-- Golden predictions ------------------------------------------------------------------------------------------
-- CDNOW, 2-decimal data, BG/NBD (parameters and values as lifetimes gives them; horizon 39 weeks), to 1e-7
CREATE FUNCTION near(actual float8, expected float8, tolerance float8 DEFAULT 1e-7) RETURNS boolean LANGUAGE sql IMMUTABLE
    RETURN abs(actual - expected) <= tolerance * greatest(abs(expected), 1e-300);
CREATE TABLE golden (id int, x float8, t_x float8, t_cal float8, p_alive float8, expected float8);
INSERT INTO golden VALUES (1, 2, 30.43, 38.86, .72660915, 1.22591045), (2, 1, 1.71, 38.86, .21222741, .20325064), (3, 0, 0, 38.86, 1, .19478085),
    (1000, 4, 24.43, 33.57, .68035134, 2.35295507), (1516, 26, 30.86, 31, .96891971, 20.75056949);
CREATE TABLE cdnow AS SELECT bgnbd_model(.24259291, 4.41353156, .79288615, 2.42575345) AS m;
SELECT id, near(p_alive(m, x, t_x, t_cal), p_alive) AS p_alive, near(expected_purchases(m, x, t_x, t_cal, 39), expected) AS expected_purchases
FROM golden, cdnow ORDER BY id;
SELECT t, near(expected_purchases(m, t), expected) AS new_customer
FROM cdnow, (VALUES (1, .05318474), (10, .43176102), (39, 1.1950163), (52, 1.44402084), (78, 1.85797178)) v (t, expected);
-- half a unit of the last printed place
SELECT n, abs(purchase_probability(m, n, 39) - expected) <= 5e-9 AS probability
FROM cdnow, (VALUES (0, .57430729), (1, .19919304), (2, .08532241), (3, .04579719), (4, .02763122), (5, .01793839)) v (n, expected);
-- gamma-gamma with the paper's rounded parameters; x = 0 gives the population mean p v / (q - 1)
SELECT near(expected_spend(gamma_gamma_model(6.25, 3.74, 15.44), 2, 22.35), 24.66371391) AS customer_1,
       near(expected_spend(gamma_gamma_model(6.25, 3.74, 15.44), 0, NULL), 6.25 * 15.44 / 2.74, 1e-15) AS population,
       expected_spend(gamma_gamma_model(6.25, 3.74, 15.44), 2, NULL) IS NULL AS unknown_mean;

-- Identities: what must hold whatever the parameters -----------------------------------------------------------------
SELECT near(churn_risk(m, 0, 0, 0, 39), purchase_probability(m, 0, 39), 1e-12) AS silence_of_a_new_customer,
       near(expected_purchases(m, 0, 0, 0, 39), expected_purchases(m, 39), 1e-15) AS new_is_zero_zero_zero,
       churn_risk(m, 3, 20, 39, 0) AS "no time, surely silent", expected_purchases(m, 3, 20, 39, 0) AS "no time, no purchase",
       near(discounted_purchases(m, 3, 20, 39, 0, 52), expected_purchases(m, 3, 20, 39, 52), 1e-11) AS no_discount,
       near(discounted_purchases(m, 3, 20, 39, 0.001), discounted_purchases(m, 3, 20, 39, 0.001, 'infinity'), 1e-15) AS no_end
FROM cdnow;
SELECT near(sum(purchase_probability(m, n, 39)), 1, 1e-9) AS sum_to_one,
       near(sum(n * purchase_probability(m, n, 39)), expected_purchases(m, 39), 1e-6) AS mean FROM cdnow, generate_series(0, 2000) n GROUP BY m;
-- int columns work; x = 0 is alive for sure under BG/NBD, but may be silent
SELECT p_alive(m, 0, 0, 39) AS p_alive, churn_risk(m, 0, 0, 39, 52) > 0.8 AS silent FROM cdnow;
-- the same customer in another unit: rates per day, times in days
SELECT near(p_alive(bgnbd_model(.2426, 7 * 4.4136, .7929, 2.4259), 2, 7 * 30, 7 * 39), p_alive(bgnbd_model(.2426, 4.4136, .7929, 2.4259), 2, 30, 39), 1e-14) AS p_alive,
       near(expected_purchases(bgnbd_model(.2426, 7 * 4.4136, .7929, 2.4259), 2, 7 * 30, 7 * 39, 7 * 52), expected_purchases(bgnbd_model(.2426, 4.4136, .7929, 2.4259), 2, 30, 39, 52), 1e-13) AS expected;
-- corners: a = 1 exactly and nearly, many purchases, long horizons; finite everywhere
SELECT bool_and(p_alive(m, x, t_x, 39) BETWEEN 0 AND 1 AND expected_purchases(m, x, t_x, 39, t) BETWEEN 0 AND 1e9 AND churn_risk(m, x, t_x, 39, t) BETWEEN 0 AND 1
                AND discounted_purchases(m, x, t_x, 39, 0.002, t) BETWEEN 0 AND expected_purchases(m, x, t_x, 39, t)) AS finite
FROM (SELECT bgnbd_model(.25, 4.4, a, b) AS m FROM unnest('{0.01,0.999999999999,1,1.00000000000001,2,2000}'::float8[]) a, unnest('{0.01,2.4,5000}'::float8[]) b OFFSET 0) models,
     (VALUES (0, 0), (1, 0.5), (1, 39), (81, 38), (400, 38), (3000, 39)) c (x, t_x), unnest('{0.142857142857,52,2609}'::float8[]) t;

-- Histories and dates ----------------------------------------------------------------------------------------------
-- 3 purchases: first 2024-01-01, last 2024-07-29 (30 weeks), seen on 2024-09-30 (39 weeks); repeats of 20 and 30: mean 25
CREATE TABLE customers AS
SELECT purchase_history(at, amount) AS h FROM (VALUES (date '2024-01-01', 10), ('2024-03-04', 20), ('2024-07-29', 30)) o (at, amount);
CREATE TABLE weekly AS SELECT bgnbd_model(.2426, 4.4136, .7929, 2.4259, 'week') AS m, gamma_gamma_model(6.25, 3.74, 15.44) AS gg;
SELECT p_alive(m, h, '2024-09-30') = p_alive(m, 2, 30, 39) AS p_alive,
       expected_purchases(m, h, '2024-09-30', '2025-09-29') = expected_purchases(m, 2, 30, 39, 52) AS expected_purchases,
       churn_risk(m, h, '2024-09-30', '2025-09-29') = churn_risk(m, 2, 30, 39, 52) AS churn_risk,
       expected_spend(gg, h, '2024-09-30') = expected_spend(gg, 2, 25) AS expected_spend
FROM customers, weekly;
-- being alive later is less likely, and being silent longer too
SELECT p_alive(m, h, '2024-09-30', '2024-10-30') < p_alive(m, h, '2024-09-30') AS alive, churn_risk(m, h, '2024-09-30', '2025-09-29') < churn_risk(m, h, '2024-09-30', '2024-10-30') AS silent
FROM customers, weekly;
-- no end: silent for ever is dead; purchases without end are infinite where a <= 1, else P(alive) (1 + (b + x) / (a - 1))
SELECT near(churn_risk(m, h, '2024-09-30', 'infinity'), 1 - p_alive(m, h, '2024-09-30'), 1e-14) AS churn_risk,
       p_alive(m, h, '2024-09-30', 'infinity') AS p_alive,
       near(expected_purchases(bgnbd_model(.24, 4.4, 3, 2, 'week'), h, '2024-09-30', 'infinity'),
            p_alive(bgnbd_model(.24, 4.4, 3, 2), 2, 30, 39) * (1 + 4 / 2.0), 1e-14) AS purchases,
       near(expected_purchases(bgnbd_model(.24, 4.4, 3, 2), 2, 30, 39, 'infinity'), p_alive(bgnbd_model(.24, 4.4, 3, 2), 2, 30, 39) * 3, 1e-14) AS numbers
FROM customers, weekly;
-- clv = (margin * spend - cost) * discounted purchases; 10 percent a year is ln(1.1) / 365 a day
SELECT near(clv(m, gg, h, '2024-09-30', '2025-09-29', 0.10), expected_spend(gg, 2, 25) * discounted_purchases(m, 2, 30, 39, 7 * ln(1.1) / 365, 52), 1e-13) AS plain,
       near(clv(m, gg, h, '2024-09-30', '2025-09-29', 0.10, 0.4, 3), (0.4 * expected_spend(gg, 2, 25) - 3) * discounted_purchases(m, 2, 30, 39, 7 * ln(1.1) / 365, 52), 1e-13) AS margin_and_cost,
       near(clv(m, gg, h, '2024-09-30', 'infinity', 0.10, margin => 0.4), 0.4 * expected_spend(gg, 2, 25) * discounted_purchases(m, 2, 30, 39, 7 * ln(1.1) / 365), 1e-13) AS for_ever,
       near(clv(m, gg, h, '2024-09-30', '2025-09-29', 0), expected_spend(gg, 2, 25) * expected_purchases(m, 2, 30, 39, 52), 1e-11) AS undiscounted,
       near(clv_new_customer(m, gg, 364, 0.10, 0.4), 0.4 * 6.25 * 15.44 / 2.74 * (1 + discounted_purchases(m, 0, 0, 0, 7 * ln(1.1) / 365, 52)), 1e-13) AS new_customer,
       near(clv_new_customer(m, gg, 'infinity', 0.10), 6.25 * 15.44 / 2.74 * (1 + discounted_purchases(m, 0, 0, 0, 7 * ln(1.1) / 365)), 1e-13) AS new_for_ever
FROM customers, weekly;
-- timestamptz: the day in the session's zone; literals and now() work, and so do intervals
SET timezone = 'Europe/Vienna';
SELECT clv(m, gg, h, timestamptz '2024-09-29 22:30+00', timestamptz '2025-09-29', 0.1) = clv(m, gg, h, date '2024-09-30', date '2025-09-29', 0.1) AS day_in_zone,
       churn_risk(m, h, now(), now() + interval '1 year') BETWEEN 0 AND 1 AS from_now, expected_purchases(m, h, current_date, current_date + 365) >= 0 AS from_today
FROM customers, weekly;
RESET timezone;
-- NULL before the first purchase; without a repeat purchase the population's spend
SELECT p_alive(m, h, '2023-12-31') IS NULL AS p_alive, clv(m, gg, h, '2023-12-31', '2025-01-01', 0.1) IS NULL AS clv, expected_spend(gg, h, '2023-12-31') IS NULL AS spend,
       near(expected_spend(gg, h, '2024-01-05'), 6.25 * 15.44 / 2.74, 1e-15) AS population, clv(m, gg, h, '2024-01-05', '2025-01-01', 0.1) > 0 AS counted
FROM customers, weekly;

-- What is refused
SELECT p_alive(m, 1, 40, 39) FROM cdnow;
SELECT p_alive(m, 0.5, 4, 39) FROM cdnow;
SELECT expected_purchases(m, 1, 4, 39, -1) FROM cdnow;
SELECT expected_purchases(m, 1, 4, 39, 'infinity') FROM cdnow;
SELECT purchase_probability(m, -1, 39) FROM cdnow;
SELECT discounted_purchases(m, 1, 4, 39, 'nan') FROM cdnow;
SELECT discounted_purchases(m, 1, 4, 39, 0) FROM cdnow;
SELECT p_alive(m, h, '2024-09-30') FROM cdnow, customers;
SELECT p_alive(gg, h, '2024-09-30') FROM weekly, customers;
SELECT expected_spend(m, h, '2024-09-30') FROM weekly, customers;
SELECT churn_risk(m, h, '2024-09-30', '2024-09-29') FROM weekly, customers;
SELECT churn_risk(m, h, date 'infinity', '2024-09-29') FROM weekly, customers;
SELECT expected_purchases(m, h, '2024-09-29', date 'infinity') FROM weekly, customers;
SELECT expected_spend(gg, 0, 'NaN') FROM weekly;
SELECT clv(m, gg, h, '2024-09-30', '2025-09-29', -1) FROM weekly, customers;
SELECT clv(m, gg, h, '2024-09-30', '2025-09-29', 0.1, 40) FROM weekly, customers;
SELECT clv(m, gg, h, '2024-09-30', '2025-09-29', 0.1, 0.4, -1) FROM weekly, customers;
SELECT clv(m, gg, h, '2024-09-30', 'infinity', 0) FROM weekly, customers;
SELECT clv_new_customer(m, gg, -1, 0.1) FROM weekly;
-- a negative rate has no value without an end
SELECT clv(m, gg, h, '2024-09-30', 'infinity', -0.1) FROM weekly, customers;
SELECT clv_new_customer(m, gg, 'infinity', -0.1) FROM weekly;
SELECT discounted_purchases(m, 1, 4, 39, -0.01) FROM cdnow;
-- suspicious: one WARNING a query, not one a row
SELECT count(clv(m, gg, h, '2024-09-30', '2025-09-29', 10)) FROM weekly, customers, generate_series(1, 3);
SELECT count(*), count(expected_spend(gamma_gamma_model(6, 0.9, 15), 0, NULL)) FROM generate_series(1, 3);
-- an overflow is no missing mean
SELECT expected_spend(gamma_gamma_model(1e300, 2, 1e300), 0, NULL);
-- q <= 1: a population without a mean still has customers with one, from p x + q > 1 on: (6 * 3 * 30 + 6 * 15) / (6 * 3 + 0.9 - 1)
SELECT near(expected_spend(gamma_gamma_model(6, 0.9, 15), 3, 30), 630 / 17.9, 1e-14) AS own_mean;
-- a history without amounts has churn, but no spend
SELECT churn_risk(m, n, '2024-09-30', '2025-09-29') BETWEEN 0 AND 1 AS churn_risk FROM weekly, (SELECT purchase_history(date '2024-01-01') AS n) h;
SELECT clv(m, gg, n, '2024-09-30', '2025-09-29', 0.1) FROM weekly, (SELECT purchase_history(date '2024-01-01') AS n) h;

-- Fits ---------------------------------------------------------------------------------------------------------------
-- A simulated shop, the same on every machine: 800 customers with r = 1 (mean rate one purchase in 25 days), a = 1, b = 3, observed
-- for 260 to 273 days; amounts gamma(1) around gamma(3) customers. One model each for numbers, histories, a stored sample, a roll-up.
CREATE FUNCTION uniform(i int, j int, what text) RETURNS float8 LANGUAGE sql IMMUTABLE
    RETURN (('x' || substr(md5(i || ' ' || j || ' ' || what), 1, 8))::bit(32)::bigint + 0.5) / 4294967296;
CREATE TABLE shop AS
WITH customers AS (
    SELECT i, 260 + i % 14 AS age, -ln(uniform(i, 0, 'rate')) / 25 AS rate, 1 - uniform(i, 0, 'dropout') ^ (1 / 3.0) AS dropout,
           -20 / ln(uniform(i, 1, 'mean') * uniform(i, 2, 'mean') * uniform(i, 3, 'mean')) AS mean FROM generate_series(1, 800) i),
orders AS (
    SELECT i, age, 0.0::float8 AS at, -mean * ln(uniform(i, 0, 'amount')) AS amount FROM customers
    UNION ALL
    SELECT i, age, sum(-ln(uniform(i, j, 'gap')) / rate) OVER (PARTITION BY i ORDER BY j), -mean * ln(uniform(i, j, 'amount'))
    FROM customers, LATERAL generate_series(1, least(ceil(ln(uniform(i, 0, 'life')) / ln(1 - dropout)), 200)::int) j)
SELECT i, purchase_history(date '2024-09-30' - age + ceil(at)::int, amount) AS h FROM orders WHERE at <= age GROUP BY i;
CREATE TABLE cohort AS
SELECT i, i % 2 AS g, s.x, s.t_x, s.t_cal AS t, s.monetary_value AS m FROM shop, purchase_summary(h, date '2024-09-30') s;
CREATE TABLE fitted AS SELECT bgnbd_fit(x, t_x, t) AS m, gamma_gamma_fit(x, m) AS gg FROM cohort;
SELECT kind, unit, n, n_distinct, n_skipped, converged, gradient_norm < 1e-6 AS at_the_maximum, aic = 2 * 4 - 2 * log_likelihood AS aic,
       bic = 4 * ln(n::float8) - 2 * log_likelihood AS bic FROM fitted, glance(m) \gx
SELECT kind, n, n_skipped, converged, gradient_norm < 1e-6 AS at_the_maximum FROM fitted, glance(gg);
SELECT term, std_error > 0 AND conf_low < estimate AND estimate < conf_high AS interval FROM fitted, LATERAL (SELECT * FROM tidy(m) UNION ALL SELECT * FROM tidy(gg)) t;
SELECT bgnbd_fit(s) = m AS stored, gamma_gamma_fit(spend) = gg AS stored_spend
FROM (SELECT clv_sample(x, t_x, t) AS s, clv_sample(x, m) AS spend FROM cohort) s, fitted;
SELECT bgnbd_fit(s) = m AS rolled_up FROM (SELECT clv_sample(s) AS s FROM (SELECT clv_sample(x, t_x, t) AS s FROM cohort GROUP BY g) p) s, fitted;
-- one model per group, the same as of each group alone
SELECT g, model = alone AS same FROM (SELECT g, bgnbd_fit(x, t_x, t) AS model FROM cohort GROUP BY g) grouped
JOIN LATERAL (SELECT bgnbd_fit(x, t_x, t) AS alone FROM cohort WHERE cohort.g = grouped.g) a ON true ORDER BY g;
-- the order of the rows does not matter; a window sees the models grow
SELECT bgnbd_fit(x, t_x, t ORDER BY c.m, i DESC) = f.m AS any_order FROM cohort c, fitted f GROUP BY f.m;
SELECT i, n FROM (SELECT i, bgnbd_fit(x, t_x, t) OVER (ORDER BY i / 200) AS m FROM cohort WHERE i < 600) w, glance(m) WHERE i % 200 = 0 ORDER BY i;
-- histories in weeks: the model in days has alpha seven times as large
CREATE TABLE shop_models AS
SELECT bgnbd_fit(h, date '2024-09-30', 'week') AS weekly, bgnbd_fit(h, date '2024-09-30') AS daily, bgnbd_fit(h, timestamptz '2024-09-30', 'week') AS weekly_tz,
       bgnbd_fit(h, timestamptz '2024-09-30') AS daily_tz, gamma_gamma_fit(h, date '2024-09-30') AS spend, gamma_gamma_fit(h, timestamptz '2024-09-30') AS spend_tz FROM shop;
SELECT near(coef(daily, 'alpha'), 7 * coef(weekly, 'alpha'), 1e-8) AS alpha, near(coef(daily, 'a'), coef(weekly, 'a'), 1e-7) AS a,
       weekly = weekly_tz AS weekly_tz, daily = daily_tz AS daily_tz, spend = spend_tz AS spend_tz FROM shop_models;
-- LL_weeks = LL_days + (sum of x) ln 7
SELECT near(w.log_likelihood, d.log_likelihood + ln(7::float8) * (SELECT sum(repeat_purchases(h, date '2024-09-30')) FROM shop), 1e-11) AS unit_change,
       w.unit, w.as_of, w.first_day, w.last_day, w.n, d.unit FROM shop_models, glance(weekly) w, glance(daily) d;
SELECT clv(weekly, spend, h, '2024-09-30', '2025-09-30', 0.1) > 0 AS value, near(churn_risk(weekly, h, '2024-09-30', '2025-09-30'), churn_risk(daily, h, '2024-09-30', '2025-09-30'), 1e-7) AS unit_free
FROM shop, shop_models LIMIT 1;

-- What cannot be fitted is NULL with a WARNING, and the query goes on ---------------------------------------------------
SELECT bgnbd_fit(0, 0, t) IS NULL AS nobody_came_back FROM generate_series(10, 60) t;
SELECT bgnbd_fit(2, 10, 39) IS NULL AS one_customer;
SELECT bgnbd_fit(1, 10, 39) IS NULL AS constant FROM generate_series(1, 100);
SELECT bgnbd_fit(x, t_x, t) IS NULL AS nobody FROM cohort WHERE false;
SELECT bgnbd_fit(h, date '2020-01-01') IS NULL AS too_early FROM shop;
SELECT gamma_gamma_fit(x, m) IS NULL AS no_repeats FROM (VALUES (0, NULL::float8), (0, 0)) v (x, m);
SELECT gamma_gamma_fit(2, 10) IS NULL AS one_customer;
SELECT gamma_gamma_fit(2, 10) IS NULL AS constant FROM generate_series(1, 100);
SELECT g, bgnbd_fit(x, t_x, t) IS NULL AS unfit FROM (SELECT g, x, t_x, t FROM cohort UNION ALL SELECT 2, 0, 0, 30 FROM generate_series(1, 20)) c GROUP BY g ORDER BY g;
-- x in the billions, all at one moment: the distance to the maximum may overflow, which is no error either
SET client_min_messages = error;
SELECT count(*) FROM (SELECT bgnbd_fit('timing{3215428970:0:0.03326549884544153,5785286707:0:0.03326549884544153}') AS m OFFSET 0) f
WHERE m IS NULL OR NOT (m::jsonb -> 'converged')::boolean;
RESET client_min_messages;
-- nobody bought for a month: is the data complete?
SELECT converged FROM (SELECT bgnbd_fit(h, date '2025-03-01', 'week') AS m FROM shop) f, glance(m);
-- A look at the client's connection is no reason to give up a fit.
SET client_connection_check_interval = '1ms'; SET client_min_messages = error;
SELECT n, n_distinct FROM (SELECT bgnbd_fit(j % 3, CASE WHEN j % 3 = 0 THEN 0 ELSE 1 + j % 20 END, 30 + j / 7.0) AS m FROM generate_series(0, 99999) j) f, glance(m);
RESET client_connection_check_interval; RESET client_min_messages;
DROP TABLE golden, cdnow, customers, weekly, cohort, fitted, shop, shop_models; DROP FUNCTION near(float8, float8, float8), uniform(int, int, text);
