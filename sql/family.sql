-- The family of models beside BG/NBD: golden numbers, covariates, intervals, choosing, small cohorts, simulation.
CREATE FUNCTION near(actual float8, expected float8, tolerance float8 DEFAULT 1e-7) RETURNS boolean LANGUAGE sql IMMUTABLE
    RETURN abs(actual - expected) <= tolerance * greatest(abs(expected), 1e-300);

-- Golden predictions ------------------------------------------------------------------------------------------
-- CDNOW, 2-decimal data, 39 weeks ahead: P(alive) and expected purchases as lifetimes gives them, to 1e-7
CREATE TABLE golden (id int, x float8, t_x float8, t_cal float8, mbg_alive float8, mbg_expected float8, pareto_alive float8, pareto_expected float8);
INSERT INTO golden VALUES (1, 2, 30.43, 38.86, .70612625, 1.26267079, .86911873, 1.45511300), (2, 1, 1.71, 38.86, .17081964, .18878926, .16787199, .17098054),
    (3, 0, 0, 38.86, .38971634, .15395365, .29509718, .10705980), (1000, 4, 24.43, 33.57, .65883629, 2.27349382, .79157747, 2.60163567),
    (1516, 26, 30.86, 31, .96555287, 19.44803676, .99791794, 20.11586760);
CREATE TABLE cdnow AS SELECT mbgnbd_model(.52483794, 6.18299166, .89135616, 1.61399943) AS mbg,
    pareto_nbd_model(.55327550, 10.57761229, .60621349, 11.66790965) AS pareto;
SELECT id, near(p_alive(mbg, x, t_x, t_cal), mbg_alive) AS mbg_alive, near(expected_purchases(mbg, x, t_x, t_cal, 39), mbg_expected) AS mbg_expected,
       near(p_alive(pareto, x, t_x, t_cal), pareto_alive) AS pareto_alive, near(expected_purchases(pareto, x, t_x, t_cal, 39), pareto_expected) AS pareto_expected
FROM golden, cdnow ORDER BY id;
SELECT t, near(expected_purchases(pareto, t), expected) AS new_customer
FROM cdnow, (VALUES (1, .05100654), (10, .42779405), (39, 1.21340807), (52, 1.47344142), (78, 1.90988081)) v (t, expected);
-- DERT, Pareto/NBD with the parameters of its paper (Fader, Hardie and Lee 2005b), .27 percent a week: to half a unit of the last printed place
SELECT x, t_x, abs(discounted_purchases(m, x, t_x, 77.86, .0027) - dert) <= 5e-9 AS dert
FROM pareto_nbd_model(.5629966, 12.559037, .4081095, 10.5148048) AS m, (VALUES (2, 30, 2.84353441), (15, 72, 36.25821452), (0, 0, .36475593)) v (x, t_x, dert);
-- BG/BB: alive at opportunity n + 1, as the papers print it; the next opportunity discounted once
SELECT near(p_alive(m, 3, 4, 6), .43834385, 2e-8) AS p_alive, near(expected_purchases(m, 3, 4, 6, 10), 1.8408127) AS expected_purchases,
       near(discounted_purchases(m, 3, 4, 6, ln(1.1)), 1.62137919, 5e-9) AS dert FROM bgbb_model(1.20, .75, .66, 2.78) AS m;

-- Golden fits -------------------------------------------------------------------------------------------------
-- Donations of 11,104 people at six opportunities (Fader, Hardie and Shang 2010)
CREATE TABLE donations (x int, t_x int, people int);
INSERT INTO donations VALUES (0, 0, 3464), (1, 1, 1091), (1, 2, 277), (1, 3, 129), (1, 4, 78), (1, 5, 119), (1, 6, 129), (2, 2, 613), (2, 3, 255), (2, 4, 155), (2, 5, 173),
    (2, 6, 234), (3, 3, 322), (3, 4, 181), (3, 5, 225), (3, 6, 357), (4, 4, 240), (4, 5, 284), (4, 6, 512), (5, 5, 335), (5, 6, 728), (6, 6, 1203);
CREATE TABLE donors AS SELECT bgbb_fit(x, t_x, 6) AS m FROM donations, generate_series(1, people);
SELECT term, near(estimate, golden, 1e-6) AS estimate, near(std_error, error, 1e-4) AS std_error FROM donors, tidy(m)
JOIN (VALUES ('alpha', 1.20352239, .06939136), ('beta', .74971636, .02944772), ('gamma', .65671817, .05100985), ('delta', 2.78344198, .32081894)) v (term, golden, error) USING (term);
SELECT abs(log_likelihood + 33225.581274) <= 5e-7 AS log_likelihood, n, n_distinct, converged FROM donors, glance(m);
SELECT near(sum(people * expected_purchases(m, x, t_x, 6, 5)), 12884.157, 1e-6) AS next_five FROM donations, donors;
SELECT bgbb_fit(s) = m AS stored FROM (SELECT opportunity_sample(x, t_x, 6) AS s FROM donations, generate_series(1, people)) s, donors;

-- Contracts (Fader and Hardie 2007): percent of 1,000 customers surviving after years 0 to 12; years up to 7 are fitted
CREATE TABLE survivors (segment text, year int, surviving float8);
INSERT INTO survivors SELECT segment, i - 1, s FROM (VALUES
    ('regular', '{100,63.1,46.8,38.2,32.6,28.9,26.2,24.1,22.3,20.7,19.4,18.3,17.3}'::float8[]),
    ('high end', '{100,86.9,74.3,65.3,59.3,55.1,51.7,49.1,46.8,44.5,42.7,40.9,39.4}')) v (segment, percent), unnest(percent) WITH ORDINALITY u (s, i);
CREATE TABLE contracts AS
SELECT segment, tenure, churned FROM (
    SELECT segment, year AS tenure, true AS churned, round(10 * (lag(surviving) OVER (PARTITION BY segment ORDER BY year) - surviving))::int AS n FROM survivors WHERE year <= 7
    UNION ALL SELECT segment, 7, false, round(10 * surviving)::int FROM survivors WHERE year = 7) c, generate_series(1, n);
CREATE TABLE retention AS SELECT segment, sbg_fit(tenure, churned) AS sbg, bdw_fit(tenure, churned) AS bdw FROM contracts GROUP BY segment;
SELECT segment, near(coef(sbg, 'alpha'), alpha, 1e-5) AS alpha, near(coef(sbg, 'beta'), beta, 1e-5) AS beta, abs(log_likelihood - golden) <= 5e-5 AS log_likelihood, n, converged
FROM retention JOIN (VALUES ('regular', .70408, 1.18204, -1680.2652), ('high end', .66809, 3.80609, -1611.1581)) v (segment, alpha, beta, golden) USING (segment), glance(sbg);
-- the fitted years and the years to come within 2 points of what was seen
SELECT segment, max(abs(100 * survival(sbg, year) - surviving)) FILTER (WHERE year <= 7) < 2 AS fitted, max(abs(100 * survival(sbg, year) - surviving)) FILTER (WHERE year > 7) < 2 AS to_come
FROM retention JOIN survivors USING (segment) GROUP BY segment;
-- the first payment now: 3.6949 years at 10 percent (paper's parameters); closed forms for S(1) = beta / (alpha + beta) and the retention rate
SELECT near(survival(m, 1), 3.806 / (.668 + 3.806), 1e-14) AS first_year, survival(m, 0) AS start, near(retention_rate(m, 4), (3.806 + 3) / (.668 + 3.806 + 3), 1e-13) AS fourth,
       near(churn_risk(m, 3, 1), .668 / (.668 + 3.806 + 3), 1e-13) AS hazard, near(churn_risk(m, 2, 5), 1 - survival(m, 7) / survival(m, 2), 1e-13) AS five_years,
       churn_risk(m, 2, 0) AS "no time", near(expected_lifetime(m, 0.1, 0), expected_lifetime(m, 0.1), 1e-15) AS new, near(expected_lifetime(sbg_model(3, 4), 0), 1 + 4 / 2.0, 1e-13) AS undiscounted,
       near(expected_lifetime(bdw_model(.668, 3.806, 1), 0.1, 3), expected_lifetime(m, 0.1, 3), 1e-12) AS bdw_of_one
FROM sbg_model(.668, 3.806) AS m;
SELECT near(expected_lifetime(m, 0.1), sum, 1e-9) AS lifetime, near(expected_lifetime(m, 0.1, 3), renewals, 1e-9) AS residual
FROM (SELECT m, sum(survival(m, t) / 1.1 ^ t) AS sum, sum(survival(m, t + 3) / survival(m, 2) / 1.1 ^ t) AS renewals FROM bdw_model(.7, 1.2, 1.3) AS m, generate_series(0, 400) t GROUP BY m) s;
-- dates of contracts: as the numbers they stand for; NULL is a customer still
SELECT sbg_fit(started, ended, date '2025-07-01', 'year')::jsonb -> 'parameters' = sbg_fit(tenure, churned)::jsonb -> 'parameters' AS dates,
       sbg_fit(started, ended, date '2025-07-01', 'year', date '2015-01-01')::jsonb -> 'parameters' = sbg_fit(tenure, churned, 0)::jsonb -> 'parameters' AS data_begin,
       bdw_fit(started, ended, timestamptz '2025-07-01', 'year') = bdw_fit(started, ended, date '2025-07-01', 'year') AS timestamptz
FROM (SELECT date '2018-03-01' AS started, CASE WHEN churned THEN (date '2018-03-01' + make_interval(years => tenure))::date END AS ended, tenure, churned FROM contracts WHERE segment = 'regular') c;
-- left truncation: a fit to those alone who stayed beyond two years has the parameters of all in its intervals
SELECT term, conf_low < golden AND golden < conf_high AS within FROM (SELECT sbg_fit(tenure, churned, 2) AS m FROM contracts WHERE segment = 'regular' AND tenure > 2) f, tidy(m)
JOIN (VALUES ('alpha', .70408), ('beta', 1.18204)) v (term, golden) USING (term);

-- Histories and dates ------------------------------------------------------------------------------------------
-- first 2024-01-01, then 30 weeks to the last, seen on 2024-09-30 after 39 weeks; repeats of 20 and 30: mean 25
CREATE TABLE customers AS SELECT purchase_history(at, amount) AS h FROM (VALUES (date '2024-01-01', 10), ('2024-03-04', 20), ('2024-07-29', 30)) o (at, amount);
CREATE TABLE weekly AS SELECT name, m, gamma_gamma_model(6.25, 3.74, 15.44) AS gg FROM (VALUES
    ('pareto', pareto_nbd_model(.55, 10.6, .61, 11.7, 'week'), pareto_nbd_model(.55, 10.6, .61, 11.7)), ('mbg', mbgnbd_model(.52, 6.2, .89, 1.6, 'week'), mbgnbd_model(.52, 6.2, .89, 1.6)),
    ('bgcnbd', bgcnbd_model(.52, 6.2, .89, 1.6, 2, 'week'), bgcnbd_model(.52, 6.2, .89, 1.6, 2)), ('mbgcnbd', mbgcnbd_model(.52, 6.2, .89, 1.6, 3, 'week'), mbgcnbd_model(.52, 6.2, .89, 1.6, 3))) v (name, m, raw);
SELECT name, p_alive(m, h, '2024-09-30') = p_alive(m, 2, 30, 39) AS p_alive, expected_purchases(m, h, '2024-09-30', '2025-09-29') = expected_purchases(m, 2, 30, 39, 52) AS expected,
       churn_risk(m, h, '2024-09-30', '2025-09-29') = churn_risk(m, 2, 30, 39, 52) AS churn_risk,
       purchase_probability(m, h, '2024-09-30', 3, '2025-09-29') = purchase_probability(m, 2, 30, 39, 3, 52) AS probability,
       near(clv(m, gg, h, '2024-09-30', '2025-09-29', 0.10, 0.4, 3), (0.4 * expected_spend(gg, 2, 25) - 3) * discounted_purchases(m, 2, 30, 39, 7 * ln(1.1) / 365, 52), 1e-13) AS clv,
       near(clv(m, gg, h, '2024-09-30', 'infinity', 0.10), expected_spend(gg, 2, 25) * discounted_purchases(m, 2, 30, 39, 7 * ln(1.1) / 365), 1e-13) AS for_ever,
       near(clv_new_customer(m, gg, 'infinity', 0.10, 0.4, 3), (0.4 * 6.25 * 15.44 / 2.74 - 3) * (1 + discounted_purchases(m, 0, 0, 0, 7 * ln(1.1) / 365)), 1e-13) AS new
FROM customers, weekly ORDER BY name;
-- what holds of every model: probabilities add up to 1, their mean is the expectation, none is silence
SELECT name, near(sum(purchase_probability(m, 2, 30, 39, n, 10)), 1, 1e-9) AS sum_to_one, near(sum(n * purchase_probability(m, 2, 30, 39, n, 10)), expected_purchases(m, 2, 30, 39, 10), 1e-8) AS mean,
       near(purchase_probability(m, 2, 30, 39, 0, 10), churn_risk(m, 2, 30, 39, 10), 1e-12) AS silence, near(expected_purchases(m, 0, 0, 0, 10), expected_purchases(m, 10), 1e-14) AS new
FROM weekly, generate_series(0, 300) n GROUP BY name, m ORDER BY name;
-- k = 1 is the model without phases
SELECT near(expected_purchases(bgcnbd_model(.24, 4.4, .8, 2.4, 1), 2, 30, 39, 52), expected_purchases(bgnbd_model(.24, 4.4, .8, 2.4), 2, 30, 39, 52), 1e-10) AS bg,
       near(p_alive(mbgcnbd_model(.5, 6, .9, 1.6, 1), 2, 30, 39), p_alive(mbgnbd_model(.5, 6, .9, 1.6), 2, 30, 39), 1e-12) AS mbg;
-- BG/BB: a week is an opportunity. In 2024-03-04 + 0..6 days fall purchases of period 9; seen on 2024-09-30 are 39 of them, x = 2, t_x = 30.
-- Dates between two ends of a period change nothing; the next 52 weeks hold 52 opportunities.
SELECT p_alive(m, h, '2024-09-30') = p_alive(m, 2, 30, 39) AS p_alive, expected_purchases(m, h, '2024-09-30', '2025-09-29') = expected_purchases(m, 2, 30, 39, 52) AS expected,
       expected_purchases(m, h, '2024-10-03', '2025-10-02') = expected_purchases(m, 2, 30, 39, 52) AS within_a_week, expected_purchases(m, h, '2024-09-30', '2024-10-03') AS no_opportunity,
       near(clv(m, gg, h, '2024-09-30', 'infinity', 0.10), expected_spend(gg, 2, 25) * discounted_purchases(m, 2, 30, 39, 7 * ln(1.1) / 365), 1e-13) AS clv,
       near(clv_new_customer(m, gg, 40, 0.10), 6.25 * 15.44 / 2.74 * (1 + discounted_purchases(m, 0, 0, 0, 7 * ln(1.1) / 365, 5)), 1e-13) AS new
FROM customers, bgbb_model(1.20, .75, .66, 2.78, 'week') AS m, gamma_gamma_model(6.25, 3.74, 15.44) AS gg;
SELECT expected_purchases(bgbb_model(1.20, .75, .66, 2.78), 3, 4, 6, 1.5);
-- sums over opportunities cannot be cancelled: there are bounds
SELECT expected_purchases(bgbb_model(1.20, .75, .66, 2.78), 3, 4, 6, 1000001);
SELECT p_alive(bgbb_model(1.20, .75, .66, 2.78), 0, 0, 1e15);
-- no interval, and none of no width, where the mean spend does not exist nearby: q > 1 is needed
SELECT std_error, conf_low, conf_high, estimate > 0 AS estimated
FROM clv_ci('bgnbd(unit=week){r=0.24,alpha=4.4,a=0.8,b=2.4}{0.01,0,0,0,0,0.01,0,0,0,0,0.01,0,0,0,0,0.01}',
    'gamma_gamma{p=6.25,q=1.001,v=15.44}{0.01,0,0,0,0.01,0,0,0,0.01}', '{2024-01-01:10}', '2024-09-30', '2025-09-29', .1);
SELECT p_alive(bgbb_model(1.20, .75, .66, 2.78), 3, 2, 6);
SELECT p_alive(bgbb_model(1.20, .75, .66, 2.78), h, '2024-09-30') FROM customers;
-- what would go on for minutes, or for ever
SELECT p_alive(bgbb_model(1, 1, 1e3, 0.5), 1, 1, 1e9);
SELECT purchase_probability(bgbb_model(1, 2, 1, 5), 2147483647, 'infinity');
SELECT purchase_probability(bgbb_model(1, 2, 1, 5), 100000, 'infinity') > 0 AS many_taken;
SELECT near(expected_lifetime(bdw_model(.01, 1, 150), 0.1), 2.64298503182656, 1e-13) AS steep, near(retention_rate(bdw_model(.01, 1, 150), 1000), (999 / 1000.0) ^ 1.5, 1e-13) AS renews_then,
       p_alive(pareto_nbd_model(.5, 1e300, 1e-10, 5e-324), 0, 0, 1e300) BETWEEN 0 AND 1 AS rates_far_apart;

-- Simulated customers ---------------------------------------------------------------------------------------------
-- The same on every machine, and customer by customer; amounts change nothing
SELECT customer, day, round(amount::numeric, 6) AS amount FROM simulate_purchases(pareto_nbd_model(.55, 10.6, .61, 11.7, 'week'), 4, 200, 42, gamma_gamma_model(6.25, 3.74, 15.44));
CREATE TABLE sim AS SELECT * FROM simulate_purchases(pareto_nbd_model(.55, 10.6, .61, 11.7, 'week'), 500, 273, 42, gamma_gamma_model(6.25, 3.74, 15.44));
SELECT count(*) = 0 AS same FROM (
    SELECT customer, day FROM sim WHERE customer <= 100 EXCEPT SELECT customer, day FROM simulate_purchases(pareto_nbd_model(.55, 10.6, .61, 11.7, 'week'), 100, 273, 42)) d;
SELECT count(*) > 0 AS another_seed FROM (
    SELECT customer, day FROM sim EXCEPT SELECT customer, day FROM simulate_purchases(pareto_nbd_model(.55, 10.6, .61, 11.7, 'week'), 500, 273, -42)) d;
SELECT count(DISTINCT customer), bool_and(amount > 0) AS amounts, min(day), max(day) <= 273 AS within, count(*) = count(DISTINCT (customer, day)) AS one_row_a_day,
       bool_and(has_first) AS first_purchases FROM (SELECT *, bool_or(day = 0) OVER (PARTITION BY customer) AS has_first FROM sim) s;
SELECT bool_and(amount IS NULL) AS no_amounts FROM simulate_purchases(mbgnbd_model(1, 20, 1, 3), 10, 100, 1);
-- a longer time adds days behind, and days before it are the same
SELECT count(*) = 0 AS same_start FROM (SELECT customer, day FROM sim EXCEPT SELECT customer, day FROM simulate_purchases(pareto_nbd_model(.55, 10.6, .61, 11.7, 'week'), 500, 1000, 42)) d;
-- opportunities and renewals lie on whole units; a month has 30.4375 days, so the twelfth ends on day 366
SELECT array_agg(DISTINCT day ORDER BY day) AS months FROM simulate_purchases(bgbb_model(50, 1, 1, 500, 'month'), 50, 366, 1);
SELECT array_agg(DISTINCT day ORDER BY day) AS years FROM simulate_purchases(sbg_model(1, 9, 'year'), 200, 2000, 1);
SELECT bool_and(survived) AS without_gaps FROM (SELECT day = lag(day, 1, -7) OVER (PARTITION BY customer ORDER BY day) + 7 AS survived FROM simulate_purchases(bdw_model(1, 9, 1.5, 'week'), 200, 70, 1)) s;
SELECT count(*) AS nobody FROM simulate_purchases(bgnbd_model(1, 2, 3, 4), 0, 100, 1);
SELECT * FROM simulate_purchases(bgnbd_model(1, 2, 3, 4), 2, 0, 1);
SELECT count(*) AS "null" FROM simulate_purchases(bgnbd_model(1, 2, 3, 4), 2, NULL, 1);
SELECT * FROM simulate_purchases(bgnbd_model(1, 2, 3, 4), -1, 10, 1);
SELECT * FROM simulate_purchases(bgnbd_model(1, 2, 3, 4), 1, -10, 1);
SELECT * FROM simulate_purchases(gamma_gamma_model(1, 2, 3), 1, 10, 1);
SELECT * FROM simulate_purchases(bgnbd_model(1, 2, 3, 4), 1, 10, 1, bgnbd_model(1, 2, 3, 4));
-- every model meets itself: the share without a repeat purchase within 4 standard errors
SELECT kind, abs(zeros - p) < 4 * sqrt(p * (1 - p) / 5000) AS zeros FROM (
    SELECT g.kind, avg((days = 1)::int) AS zeros, purchase_probability(m, 0, 39) AS p
    FROM (VALUES (pareto_nbd_model(.55, 10.6, .61, 11.7)), (bgnbd_model(.24, 4.4, .79, 2.4)), (mbgnbd_model(.52, 6.2, .89, 1.6)), (bgcnbd_model(.52, 6.2, .89, 1.6, 2)),
        (mbgcnbd_model(.52, 6.2, .89, 1.6, 3)), (bgbb_model(1.2, .75, .66, 2.78))) v (m), glance(m) g,
        LATERAL (SELECT customer, count(*) AS days FROM simulate_purchases(m, 5000, 39, 7) GROUP BY customer) c GROUP BY g.kind, m) s ORDER BY kind;
SELECT abs(churned - p) < 4 * sqrt(p * (1 - p) / 5000) AS churned FROM (
    SELECT avg((n <= 3)::int) AS churned, churn_risk(m, 0, 3) AS p FROM sbg_model(.7, 1.2) AS m, LATERAL (SELECT customer, count(*) AS n FROM simulate_purchases(m, 5000, 10, 7) GROUP BY customer) c GROUP BY m) s;

-- Fits of all forms -----------------------------------------------------------------------------------------------------
CREATE TABLE shop AS SELECT customer, purchase_history(date '2024-01-01' + day, amount) AS h FROM sim GROUP BY customer;
CREATE TABLE samples AS SELECT clv_sample(h, date '2024-09-30', 'week') AS timing, spend_sample(h, date '2024-09-30') AS spend, opportunity_sample(h, date '2024-09-30', 'week') AS weeks FROM shop;
SELECT pareto_nbd_fit(h, date '2024-09-30', 'week') = pareto_nbd_fit(timing) AS pareto, mbgnbd_fit(h, timestamptz '2024-09-30', 'week') = mbgnbd_fit(timing) AS mbg,
       bgcnbd_fit(h, date '2024-09-30', 'week') = bgcnbd_fit(timing) AS bgcnbd, mbgcnbd_fit(h, timestamptz '2024-09-30', 'week') = mbgcnbd_fit(timing) AS mbgcnbd,
       bgbb_fit(h, date '2024-09-30', 'week') = bgbb_fit(weeks) AS bgbb, bgbb_fit(h, timestamptz '2024-09-30', 'week') = bgbb_fit(weeks) AS bgbb_tz
FROM shop, samples GROUP BY timing, weeks;
SELECT near(coef(daily, 'alpha'), 7 * coef(pareto_nbd_fit(timing), 'alpha'), 1e-7) AS days, daily = daily_tz AS timestamptz, near(w.log_likelihood, d.log_likelihood + ln(7::float8) * x, 1e-11) AS unit_change
FROM (SELECT pareto_nbd_fit(h, date '2024-09-30') AS daily, pareto_nbd_fit(h, timestamptz '2024-09-30') AS daily_tz, sum(repeat_purchases(h, date '2024-09-30')) AS x FROM shop) f, samples, glance(daily) d, glance(pareto_nbd_fit(timing)) w;
-- raw numbers with the sums of log gaps
SELECT kind, n, converged, near(w.log_likelihood, h.log_likelihood, 1e-11) AS as_histories FROM (
    SELECT mbgcnbd_fit(s.x, s.t_x, s.t_cal, coalesce(log_gaps(h, date '2024-09-30', 'week'), 0)) AS m FROM shop, purchase_summary(h, date '2024-09-30', 'week') s) f,
    samples, glance(m) w, LATERAL (SELECT log_likelihood FROM glance(mbgcnbd_fit(timing))) h;
-- what a computation made comes back from its text form byte by byte
SELECT bool_and(m::text::clv_model = m) AS round_trip FROM samples, LATERAL (SELECT model FROM compare_models(timing) UNION ALL SELECT bgbb_fit(weeks) UNION ALL SELECT gamma_gamma_fit(spend)) f (m);
-- the truth is within 4 standard errors
SELECT term, abs(ln(estimate / truth)) < 4 * std_error / estimate AS recovered FROM samples, tidy(pareto_nbd_fit(timing)) JOIN (VALUES ('r', .55), ('alpha', 10.6), ('s', .61), ('beta', 11.7)) v (term, truth) USING (term);
-- what does not fit together
SELECT bgbb_fit(timing) FROM samples;
SELECT sbg_fit(timing) FROM samples;
SELECT pareto_nbd_fit(spend) FROM samples;
SELECT bgcnbd_fit(s) FROM (SELECT clv_sample(x, 1, 10) AS s FROM generate_series(1, 9) x) s;
SELECT bgbb_fit(0, 0, 6) IS NULL AS nobody FROM generate_series(1, 10);
SELECT sbg_fit(1, i < 40) IS NULL AS one_period FROM generate_series(1, 100) i;
SELECT bdw_fit(7, false) IS NULL AS nobody_left FROM generate_series(1, 100) i;

-- Covariates ----------------------------------------------------------------------------------------------------------
-- Half of the customers with z = 1: rates up by 0.5 in the logarithm, dropout rates by -0.7: alpha exp(-0.5), beta exp(0.7)
CREATE TABLE groups AS
SELECT z, customer, count(*) - 1 AS x, max(day) / 7.0 AS t_x, purchase_history(date '2024-01-01' + day) AS h
FROM (VALUES (0, pareto_nbd_model(1, 8, 1, 10, 'week'), 1), (1, pareto_nbd_model(1, 8 * exp(-0.5), 1, 10 * exp(0.7), 'week'), 2)) g (z, m, seed), simulate_purchases(m, 1500, 364, seed) GROUP BY z, customer;
CREATE TABLE covariate_fits AS
SELECT pareto_nbd_fit(x, t_x, 52, array[z]::float8[]) AS pareto, pareto_nbd_fit(x, t_x, 52) AS plain, bgnbd_fit(x, t_x, 52, array[z]::float8[]) AS bg, mbgnbd_fit(x, t_x, 52, array[z]::float8[]) AS mbg,
       pareto_nbd_fit(h, date '2024-12-30', 'week', array[z]::float8[]) AS dated, pareto_nbd_fit(h, timestamptz '2024-12-30', 'week', array[z]::float8[]) AS dated_tz,
       clv_sample(h, date '2024-12-30', 'week', array[z]::float8[]) AS sample, pareto_nbd_fit(x, t_x, 52, array[z, 10 * z + 3]::float8[]) IS NULL AS collinear FROM groups;
SELECT term, abs(estimate - truth) < 4 * std_error AS recovered, p_value < 1e-3 AS significant FROM covariate_fits, tidy(pareto) JOIN (VALUES ('purchase_1', .5), ('dropout_1', -.7)) v (term, truth) USING (term);
-- BG/NBD has nobody leave before the first repeat purchase, so it fits these customers worse, with or without covariates
SELECT g.kind, g.covariates, g.converged, g.aic < p.aic AS better FROM covariate_fits, glance(array[pareto, bg, mbg]) g, glance(plain) p;
SELECT dated = dated_tz AS timestamptz, pareto_nbd_fit(sample) = dated AS stored, near(d.log_likelihood, p.log_likelihood, 1e-11) AS numbers FROM covariate_fits, glance(dated) d, glance(pareto) p;
-- the model of a customer: alpha exp(-g z), beta exp(-d z), which every prediction takes
SELECT coef(m, 'r') = coef(pareto, 'r') AS r, near(coef(m, 'alpha'), coef(pareto, 'alpha') * exp(-2 * coef(pareto, 'purchase_1')), 1e-14) AS alpha,
       near(coef(m, 'beta'), coef(pareto, 'beta') * exp(-2 * coef(pareto, 'dropout_1')), 1e-14) AS beta, expected_purchases(m, 2, 30, 39, 52) > 0 AS predicts, g.converged, g.covariates
FROM covariate_fits, with_covariates(pareto, '{2}') m, glance(m) g;
-- BG: a / (a + b) moves by d in the log odds, a + b stays
SELECT near(coef(m, 'a') + coef(m, 'b'), coef(bg, 'a') + coef(bg, 'b'), 1e-13) AS sum, near(ln(coef(m, 'a') / coef(m, 'b')), ln(coef(bg, 'a') / coef(bg, 'b')) + coef(bg, 'dropout_1'), 1e-12) AS odds
FROM covariate_fits, with_covariates(bg, '{1}') m;
-- variance of log alpha exp(-g z): V(alpha, alpha) - 2 z V(alpha, g) + z^2 V(g, g)
SELECT near((c -> 1 ->> 1)::float8, (v -> 1 ->> 1)::float8 - 2 * 2 * (v -> 1 ->> 4)::float8 + 4 * (v -> 4 ->> 4)::float8, 1e-12) AS variance
FROM covariate_fits, LATERAL (SELECT pareto::jsonb -> 'covariance_of_logs' AS v, with_covariates(pareto, '{2}')::jsonb -> 'covariance_of_logs' AS c) j;
SELECT bool_and(m::text::clv_model = m) AS round_trip FROM covariate_fits, LATERAL (VALUES (pareto), (bg), (with_covariates(bg, '{-3}')), (with_covariates(mbg, '{0}'))) f (m);
SELECT with_covariates(pareto, '{NULL}') IS NULL AS unknown FROM covariate_fits;
SELECT expected_purchases(pareto, 2, 30, 39, 52) FROM covariate_fits;
SELECT * FROM simulate_purchases((SELECT pareto FROM covariate_fits), 10, 10, 1);
SELECT with_covariates(pareto, '{1,2}') FROM covariate_fits;
SELECT with_covariates(plain, '{1}') FROM covariate_fits;
SELECT with_covariates(pareto, '{}') FROM covariate_fits;
SELECT with_covariates(pareto, '{NaN}') FROM covariate_fits;
SELECT with_covariates(pareto, '{1e6}') FROM covariate_fits;
SELECT mbgcnbd_fit(sample) FROM covariate_fits;

-- Intervals -------------------------------------------------------------------------------------------------------------
-- sBG: log odds of leaving at once are ln alpha - ln beta, variance 0.04 + 0.09 - 2 * 0.01 = 0.11
SELECT near(estimate, 0.4, 1e-14) AS estimate, near(std_error, 0.4 * 0.6 * sqrt(0.11), 1e-9) AS std_error,
       near(ln(conf_low / (1 - conf_low)), ln(2 / 3.0) - 1.959963984540054 * sqrt(0.11), 1e-9) AS conf_low, near(ln(conf_high / (1 - conf_high)), ln(2 / 3.0) + 1.959963984540054 * sqrt(0.11), 1e-9) AS conf_high
FROM churn_risk_ci('sbg{alpha=2,beta=3}{0.04,0.01,0.01,0.09}', 0, 1);
-- purchases of a new customer are proportional to r, spend to p: variances of the logarithms 0.04 and 0.0225
CREATE TABLE known AS SELECT clv_model 'pareto_nbd(unit=week){r=0.55,alpha=10.6,s=0.61,beta=11.7}{0.04,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0}' AS m, clv_model 'gamma_gamma{p=6.25,q=3.74,v=15.44}{0.0225,0,0,0,0,0,0,0,0}' AS gg;
SELECT near(estimate, expected_purchases(m, 52), 1e-14) AS estimate, near(std_error, estimate * 0.2, 1e-9) AS std_error, near(conf_low, estimate * exp(-1.6448536269514722 * 0.2), 1e-9) AS conf_low,
       near(conf_high, estimate * exp(1.6448536269514722 * 0.2), 1e-9) AS conf_high FROM known, expected_purchases_ci(m, 0, 0, 0, 52, 0.90);
SELECT near(estimate, clv(m, gg, n, '2024-01-01', '2025-01-01', 0.1, 0.5), 1e-14) AS estimate, near(std_error, estimate * sqrt(0.0625), 1e-9) AS std_error, near(conf_high, estimate * exp(1.959963984540054 * 0.25), 1e-9) AS conf_high
FROM known, (SELECT purchase_history(date '2024-01-01', 10) AS n) h, clv_ci(m, gg, n, '2024-01-01', '2025-01-01', 0.1, 0.5);
-- dates are the numbers they stand for; timestamptz the days in the session's zone
SELECT p = q AS p_alive, e = f AS expected, c = d AS churn_risk, p = p_tz AND e = e_tz AND c = c_tz AND v = v_tz AS timestamptz
FROM known, customers, p_alive_ci(m, h, date '2024-09-30') p, p_alive_ci(m, 2, 30, 39) q, expected_purchases_ci(m, h, date '2024-09-30', date '2025-09-29', 0.8) e, expected_purchases_ci(m, 2, 30, 39, 52, 0.8) f,
     churn_risk_ci(m, h, date '2024-09-30', date '2025-09-29') c, churn_risk_ci(m, 2, 30, 39, 52) d, p_alive_ci(m, h, timestamptz '2024-09-30') p_tz,
     expected_purchases_ci(m, h, timestamptz '2024-09-30', timestamptz '2025-09-29', 0.8) e_tz, churn_risk_ci(m, h, timestamptz '2024-09-30', timestamptz '2025-09-29') c_tz,
     clv_ci(m, gg, h, date '2024-09-30', date 'infinity', 0.1) v, clv_ci(m, gg, h, timestamptz '2024-09-30', timestamptz 'infinity', 0.1) v_tz;
-- no covariance, no interval; before the first purchase a row of NULLs, so that a lateral join keeps the customer; strict
SELECT estimate > 0 AS estimate, std_error, conf_low, conf_high FROM expected_purchases_ci(pareto_nbd_model(.55, 10.6, .61, 11.7), 2, 30, 39, 52);
SELECT v.estimate > 0 AS estimate, v.conf_low FROM known, customers, clv_ci(m, gamma_gamma_model(6.25, 3.74, 15.44), h, '2024-09-30', '2025-09-29', 0.1) v;
SELECT e.*, v.* FROM known, customers, expected_purchases_ci(m, h, '2023-09-30', '2025-09-29') e, clv_ci(m, gg, h, '2023-09-30', '2025-09-29', 0.1) v;
SELECT c.* FROM known, churn_risk_ci(m, 2, NULL, 39, 52) c;
-- an estimate at the end of its scale has no room
SELECT * FROM p_alive_ci('bgnbd{r=1,alpha=2,a=3,b=4}{0.04,0,0,0,0,0.04,0,0,0,0,0.04,0,0,0,0,0.04}', 0, 0, 39);
SELECT * FROM known, churn_risk_ci(m, 2, 30, 39, 52, 95);
SELECT * FROM known, expected_purchases_ci(m, 2, 30, 39, 'infinity');
SELECT * FROM known, clv_ci(m, m, purchase_history '{2024-01-01:10}', '2024-01-01', '2025-01-01', 0.1);
-- the interval of a count: at most 2.5 percent on either side, and not one number less
SELECT low > 0 AS above_zero, below <= 0.025 AND below + at_low > 0.025 AND above <= 0.025 AND above + at_high > 0.025 AS smallest
FROM known, purchase_count_interval(m, 40, 38.5, 39, 52) i, LATERAL (
    SELECT sum(p) FILTER (WHERE n < low) AS below, sum(p) FILTER (WHERE n = low) AS at_low, 1 - sum(p) FILTER (WHERE n <= high) AS above, sum(p) FILTER (WHERE n = high) AS at_high
    FROM generate_series(0, 500) n, LATERAL (SELECT purchase_probability(m, 40, 38.5, 39, n, 52) AS p OFFSET 0) q) s;
SELECT i.*, j.*, k.* FROM known, customers, purchase_count_interval(m, h, '2024-09-30', '2025-09-29') i, purchase_count_interval(m, 2, 30, 39, 52) j, purchase_count_interval(m, h, '2023-09-30', '2025-09-29') k;
SELECT * FROM known, purchase_count_interval(m, 2, 30, 39, 'infinity');
SELECT * FROM purchase_count_interval(bgnbd_model(1e9, 1, 1, 1e9), 0, 0, 0, 52);

-- Choosing ----------------------------------------------------------------------------------------------------------------
-- statistic = 2 (LL - LL), two parameters more
SELECT near(t.statistic, 2 * (f.log_likelihood - r.log_likelihood), 1e-12) AS statistic, t.df, t.p_value < 1e-6 AS clear FROM covariate_fits, lr_test(plain, pareto) t, glance(plain) r, glance(pareto) f;
-- BdW with c = 1 is sBG; the tail of chi-square of one degree of freedom is twice that of the normal distribution, by the midpoint rule
SELECT segment, df, near(p_value, tail, 1e-6) AS p_value FROM retention, lr_test(sbg, bdw),
    LATERAL (SELECT sum(2 * exp(-0.5 * (sqrt(statistic) + (k + 0.5) * 0.0002) ^ 2) / sqrt(2 * pi()) * 0.0002) AS tail FROM generate_series(0, 50000) k) q ORDER BY segment;
-- groups against one model: the groups' models are those of each alone, so the test sees 2 groups of 4 parameters
SELECT near(statistic, 2 * (sum - l), 1e-9) AS statistic, df, p_value < 1e-6 AS clear
FROM (SELECT array_agg(m) AS models, sum(log_likelihood) AS sum FROM (SELECT z, pareto_nbd_fit(x, t_x, 52) AS m FROM groups GROUP BY z) g, glance(m)) c, covariate_fits, lr_test(plain, models), LATERAL (SELECT log_likelihood AS l FROM glance(plain)) p;
-- cohorts cut at random do not differ
SELECT df, p_value > 0.01 AS alike FROM (SELECT array_agg(m) AS models FROM (SELECT pareto_nbd_fit(x, t_x, 52) AS m FROM groups GROUP BY customer % 3) g) c, covariate_fits, lr_test(plain, models);
-- the fingerprint is that of the rows, in any order and however they are put together
SELECT count(DISTINCT m::jsonb ->> 'rows') AS one FROM (SELECT pareto_nbd_fit(x, t_x, 52) AS m FROM groups UNION ALL SELECT mbgnbd_fit(x, t_x, 52 ORDER BY customer) FROM groups UNION ALL SELECT bg FROM covariate_fits) f;
SELECT lr_test(pareto, plain) FROM covariate_fits;
SELECT lr_test(mbg, pareto) FROM covariate_fits;
SELECT lr_test(bdw, sbg) FROM retention LIMIT 1;
SELECT lr_test((SELECT sbg FROM retention WHERE segment = 'regular'), bdw) FROM retention WHERE segment = 'high end';
SELECT lr_test(plain, dated) FROM covariate_fits;
SELECT lr_test(pareto_nbd_model(1, 2, 3, 4), pareto) FROM covariate_fits;
SELECT lr_test(plain, array[plain, NULL]) FROM covariate_fits;
SELECT lr_test(plain, array[plain]) FROM covariate_fits;
SELECT lr_test(plain, array[plain, plain]) FROM covariate_fits;
SELECT lr_test(plain, array[bg, mbg]) FROM covariate_fits;
-- all models of a sample, the best first; what they say about AIC
SELECT kind, parameters, converged, delta_aic >= 0 AND delta_aic = aic - min(aic) OVER () AS delta, near(aic, 2 * parameters - 2 * log_likelihood, 1e-14) AS aic, near(sum(aic_weight) OVER (), 1, 1e-12) AS weights,
       (glance(model)).kind = kind AS model FROM samples, compare_models(timing) ORDER BY kind COLLATE "C";
SELECT array_agg(delta_aic) = array_agg(delta_aic ORDER BY delta_aic) AS in_order FROM samples, compare_models(timing);
SELECT kind FROM samples, compare_models(weeks);
SELECT kind, parameters FROM covariate_fits, compare_models(sample) ORDER BY kind COLLATE "C";
SELECT kind, converged FROM (SELECT renewal_sample(tenure, churned) AS s FROM contracts) s, compare_models(s) ORDER BY kind COLLATE "C";
SELECT kind, aic, model IS NULL AS unfit FROM compare_models('timing{0:0:10,0:0:20}');
SELECT * FROM compare_models('cash_flow{1:2:0.1}');

-- Spend that goes with frequency: x = 1..5 with y = 2, 4, 5, 4, 5 has 6 / sqrt(60)
SELECT near(correlation, 6 / sqrt(60), 1e-15) AS correlation, near(conf_low, tanh(atanh(6 / sqrt(60)) - 1.959963984540054 / sqrt(2)), 1e-12) AS conf_low, conf_high < 1 AS conf_high, n
FROM spend_frequency_correlation('spend{1:2,2:4,3:5,4:4,5:5}');
SELECT s.n, abs(correlation) < 0.2 AS independent, conf_low < correlation AND correlation < conf_high AS within FROM samples, spend_frequency_correlation(spend, 0.5) s;
SELECT * FROM spend_frequency_correlation('spend{1:2,2:2}');
SELECT * FROM spend_frequency_correlation('timing{0:0:1}');
SELECT * FROM spend_frequency_correlation('spend{1:2,2:2}', 1);
SELECT converged FROM (SELECT gamma_gamma_fit(x, 10 * x + i % 7) AS m FROM generate_series(1, 9) x, generate_series(1, 30) i) f, glance(m);

-- Small cohorts -----------------------------------------------------------------------------------------------------------
-- By hand: one parameter, ln 2 with variance 0.04, drawn towards ln 1 with variance 0.01: weight 0.2, 2^0.2, variance 1 / (25 + 100).
-- The other two are as sure as the prior is vague, or as vague as the prior is sure: weights 0.5.
CREATE TABLE by_hand AS SELECT clv_model 'gamma_gamma(n=50,distinct=50,rows=0123456789abcdef,log_likelihood=-100,gradient=0,iterations=5,converged=true,clv=10000){p=2,q=4,v=9}{0.04,0,0,0,0.02,0,0,0,0.09}' AS m,
    clv_model 'gamma_gamma(prior=7){p=1,q=1,v=1}{0.01,0,0,0,0.02,0,0,0,0.09}' AS prior;
SELECT term, round(estimate::numeric, 6) AS estimate, round(e::numeric, 6) AS expected, round(std_error::numeric, 6) AS std_error FROM by_hand, tidy(shrink(m, prior)) JOIN (VALUES ('p', 2 ^ 0.2), ('q', 2), ('v', 3)) v (term, e) USING (term);
-- mean of 0.2, 0.5 and 0.5
SELECT round(own_weight::numeric, 12) AS own_weight, n, log_likelihood, aic FROM by_hand, glance(shrink(m, prior));
SELECT shrink(m, m) FROM by_hand;
SELECT shrink(shrink(m, prior), prior) FROM by_hand;
SELECT shrink(gamma_gamma_model(1, 2, 3), prior) FROM by_hand;
SELECT shrink(plain, prior) FROM by_hand, covariate_fits;
SELECT shrink(dated, 'pareto_nbd(prior=3){r=1,alpha=2,s=3,beta=4,purchase_1=0,dropout_1=0}{1,0,0,0,0,0,0,1,0,0,0,0,0,0,1,0,0,0,0,0,0,1,0,0,0,0,0,0,1,0,0,0,0,0,0,1}') FROM covariate_fits;
SELECT expected_spend(prior, 1, 10) FROM by_hand;
SELECT expected_purchases('bgnbd(prior=3){r=1,alpha=2,a=3,b=4}{1,0,0,0,0,1,0,0,0,0,1,0,0,0,0,1}', 3);
-- twelve cohorts of 60 to 280 customers whose mean rates differ
CREATE TABLE cohorts AS
SELECT c, customer, count(*) - 1 AS x, max(day) / 7.0 AS t_x FROM generate_series(1, 12) c, simulate_purchases(mbgnbd_model(1, 4 + c % 4, 1, 4, 'week'), 40 + 20 * c, 364, c) GROUP BY c, customer;
CREATE TABLE cohort_models AS SELECT c, clv_sample(x, t_x, 52) AS s, mbgnbd_fit(x, t_x, 52) AS m FROM cohorts GROUP BY c;
CREATE TABLE pooled AS SELECT mbgnbd_fit(clv_sample(s)) AS m FROM (SELECT clv_sample(s) AS s FROM cohort_models) q GROUP BY s;
CREATE TABLE prior AS SELECT cohort_prior((SELECT array_agg(m ORDER BY c) FROM cohort_models), m) AS prior FROM pooled;
SELECT g.kind, g.n AS cohorts, g.converged, coef(prior, 'alpha') = coef(m, 'alpha') AS around_the_pooled FROM prior, pooled, glance(prior) g;
-- the drawn estimates lie between, weights grow with the cohort, and the fit with a prior agrees with the estimate drawn afterwards
SELECT bool_and(s.own_weight BETWEEN 0 AND 1 AND f.own_weight BETWEEN 0 AND 1) AS weights, corr(g.n, s.own_weight) > 0 AS grow, count(DISTINCT s.own_weight) = count(*) AS differ, bool_and(f.converged) AS converged,
       max(abs(ln(coef(shrink(c.m, prior), 'r') / coef(shrunk_fit(c.s, prior), 'r')))) < 0.1 AS agree
FROM cohort_models c, prior, glance(c.m) g, glance(shrink(c.m, prior)) s, glance(shrunk_fit(c.s, prior)) f;
SELECT bool_and(v::text::clv_model = v) AS round_trip FROM cohort_models, prior, LATERAL (VALUES (shrink(m, prior)), (shrunk_fit(s, prior)), (prior)) f (v) WHERE c < 4;
-- a vague prior says nothing, a sure one everything; a cohort that cannot be fitted gets what the prior says, and an empty one nothing
SELECT near(coef(shrunk_fit(s, 'mbgnbd(prior=3){r=1,alpha=5,a=1,b=4}{1e6,0,0,0,0,1e6,0,0,0,0,1e6,0,0,0,0,1e6}'), 'alpha'), coef(m, 'alpha'), 1e-3) AS vague,
       near(coef(shrunk_fit(s, 'mbgnbd(prior=3){r=1,alpha=5,a=1,b=4}{0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0}'), 'alpha'), 5, 1e-2) AS sure FROM cohort_models WHERE c = 12;
SELECT mbgnbd_fit(s) IS NULL AS alone, coef(shrunk_fit(s, prior), 'r') < coef(prior, 'r') AS drawn, g.own_weight < 0.5 AS mostly_prior FROM prior, (VALUES ('timing{0:0:30,0:0:40}'::clv_sample)) v (s), glance(shrunk_fit(s, prior)) g;
SELECT shrunk_fit('timing{}', prior) IS NULL AS empty FROM prior;
-- the number of phases is the prior's: a model with another one is not drawn, a sample is fitted with it
SELECT shrink('bgcnbd(n=9,distinct=9,rows=0123456789abcdef,log_likelihood=-1,gradient=0,iterations=1,converged=true,clv=1){r=1,alpha=2,a=3,b=4,k=2}', 'bgcnbd(prior=3){r=1,alpha=2,a=3,b=4,k=3}{1,0,0,0,0,0,1,0,0,0,0,0,1,0,0,0,0,0,1,0,0,0,0,0,0}');
SELECT term, round(e::numeric, 6) AS estimate, round(s::numeric, 6) AS std_error FROM (SELECT shrink('bgcnbd(n=9,distinct=9,rows=0123456789abcdef,log_likelihood=-1,gradient=0,iterations=1,converged=true,clv=1){r=2,alpha=2,a=3,b=4,k=2}{0.04,0,0,0,0,0,1,0,0,0,0,0,1,0,0,0,0,0,1,0,0,0,0,0,0}',
    'bgcnbd(prior=3){r=1,alpha=2,a=3,b=4,k=2}{0.01,0,0,0,0,0,1,0,0,0,0,0,1,0,0,0,0,0,1,0,0,0,0,0,0}') AS m) f, tidy(m) AS t (term, e, s, statistic, p_value, low, high);
SELECT coef(m, 'k') AS k, tidy.std_error IS NULL AS no_error, converged, own_weight BETWEEN 0 AND 1 AS weight FROM (
    SELECT shrunk_fit(timing, 'mbgcnbd(unit=week,prior=3){r=0.5,alpha=6,a=0.9,b=1.6,k=2}{0.1,0,0,0,0,0,0.1,0,0,0,0,0,0.1,0,0,0,0,0,0.1,0,0,0,0,0,0}') AS m FROM samples) f, glance(m), tidy(m) WHERE term = 'k';
SELECT cohort_prior(array[m, NULL, m], m) IS NULL AS too_few FROM pooled;
SELECT cohort_prior(array[m, sbg], m) FROM pooled, retention LIMIT 1;
SELECT cohort_prior(array[m, shrink(m, prior)], m) FROM pooled, prior;
SELECT cohort_prior(array[m, m, m], prior) FROM pooled, prior;
SELECT shrunk_fit(s, m) FROM cohort_models LIMIT 1;
SELECT shrunk_fit('timing(unit=week){0:0:30,0:0:40}', prior) FROM prior;
SELECT shrunk_fit('spend{1:2}', prior) FROM prior;
SELECT shrunk_fit('timing(covariates=1){0:0:0:30,1:0:0:40}', prior) FROM prior;

DROP TABLE golden, cdnow, donations, donors, survivors, contracts, retention, customers, weekly, sim, shop, samples, groups, covariate_fits, known, by_hand, cohorts, cohort_models, pooled, prior;
DROP FUNCTION near(float8, float8, float8);
