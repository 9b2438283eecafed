-- Landmark, driver table and roles, drift of a relation and of its inputs, sensitivity.
\set VERBOSITY terse
SET timezone = 'UTC';
SET datestyle = 'ISO';
-- SQLSTATE, message, detail and hint of a statement that must fail
CREATE FUNCTION impact_failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN format('%s: %s | %s | %s', SQLSTATE, SQLERRM, detail, hint);
END $$;

-- Landmark -------------------------------------------------------------------------------------------------------------
-- By hand, landmark 2025-12-31, until 2026-12-31, data complete up to then:
--   ann  two purchases and a refund before, two days after, of which 12-31 is the last of the window; 2027-01-01 lies behind it
--   bob  bought on the landmark itself; silent afterwards: churned
--   cid  bought only afterwards: not at risk
--   dora left on the landmark, eve on the day after, fay on the last day of the window, guy the day after it
--   hal  no purchases at all; ida: a history without amounts
CREATE TABLE customers (customer text, history purchase_history, scores interaction_history, churned_at date);
INSERT INTO customers VALUES
    ('ann', '{2025-01-05:10,2025-06-01:20.5,2025-06-03:-5,2026-03-03:7,2026-05-05:-2,2026-12-31:1.25,2027-01-01:99}',
     '{2025-12-30T10:00:00Z=0.25,2025-12-31T23:59:59.999999Z=0.75,2026-01-01T00:00:00Z=1}', NULL),
    ('bob', '{2025-12-31:10}', '{2026-01-01T00:00:00Z=1}', NULL), ('cid', '{2026-01-01:10}', NULL, NULL),
    ('dora', '{2025-01-05:10,2026-01-05:10}', '{}', '2025-12-31'), ('eve', '{2025-01-05:10,2026-01-05:10}', NULL, '2026-01-01'),
    ('fay', '{2025-01-05:10,2026-01-05:10}', NULL, '2026-12-31'), ('guy', '{2025-01-05:10,2026-01-05:10}', NULL, '2027-01-01'),
    ('hal', NULL, '{2025-06-01T00:00:00Z=0.5}', 'infinity'), ('ida', '{2025-01-05,2026-01-05}', NULL, 'infinity'), ('joe', '{}', NULL, '-infinity');
SELECT customer, l.* FROM customers, landmark(history, scores, date '2025-12-31', date '2026-12-31', date '2026-12-31', churned_at) AS l ORDER BY customer;
-- one day of the window is missing: no outcome of anybody, also not of those who are known to have left
SELECT customer, purchases, n_scores, purchases_after, spend_after, churned, censored, at_risk
FROM customers, landmark(history, scores, date '2025-12-31', date '2026-12-31', date '2026-12-30', churned_at) ORDER BY customer;
-- what was known is what the readers of that name say, and nothing that came later changes it
SELECT count(*) AS customers, count(*) FILTER (WHERE (l.purchases, l.days_since_last, l.total_spend, l.average_purchase, l.tenure) IS DISTINCT FROM
           (coalesce(purchases(history, day), 0), days_since_last(history, day), total_spend(history, day), average_purchase(history, day), tenure(history, day))) AS known,
       count(*) FILTER (WHERE (l.n_scores, l.last_score_at) IS DISTINCT FROM (coalesce(interaction_count(scores, day + interval '1 day' - interval '1 us'), 0), last_interaction(scores, day + interval '1 day' - interval '1 us'))) AS scores,
       count(*) FILTER (WHERE at_risk AND (purchases_after, spend_after) IS DISTINCT FROM (purchases_within(history, day, day + 100), spend_within(history, day, day + 100))) AS outcomes,
       count(*) FILTER (WHERE (k.purchases, k.days_since_last, k.total_spend, k.average_purchase, k.tenure, k.n_scores, k.mean_score, k.last_score_at)
                  IS DISTINCT FROM (l.purchases, l.days_since_last, l.total_spend, l.average_purchase, l.tenure, l.n_scores, l.mean_score, l.last_score_at)) AS leaks
FROM customers, generate_series(0, 800, 7) AS i, LATERAL (SELECT date '2024-12-01' + i) AS d (day),
     landmark(history, scores, day, day + 100, day + 100) AS l,
     landmark(slice(history, '-infinity', day), slice(scores, '-infinity', day + interval '1 day' - interval '1 us'), day, day + 100, day + 100) AS k;
-- days of the session's zone: midnight of Vienna is 23:00 UTC, and of New York 05:00
SET timezone = 'Europe/Vienna';
SELECT n_scores, last_score_at FROM landmark('{2025-01-05:1}', '{2025-12-31T22:59:59.999999Z=1,2025-12-31T23:00:00Z=0}', timestamptz '2025-12-31 12:00', timestamptz '2026-12-31 00:00', timestamptz '2026-12-31 23:59');
SELECT n_scores, last_score_at FROM landmark('{2025-01-05:1}', '{2025-12-31T22:59:59.999999Z=1,2025-12-31T23:00:00Z=0}', date '2025-12-31', date '2026-12-31', date '2026-12-31');
SET timezone = 'America/New_York';
SELECT n_scores, last_score_at, at_risk, churned FROM landmark('{2025-01-05:1}', '{2026-01-01T04:59:59.999999Z=1,2026-01-01T05:00:00Z=0}', timestamptz '2025-12-31', '2025-12-31'::timestamptz + interval '12 months', now() + interval '100 years', timestamptz 'infinity');
SELECT at_risk FROM landmark('{2025-01-05:1}', NULL, timestamptz '2025-12-31', '2026-12-31', '2026-12-31', '-infinity');
SET timezone = 'UTC';
-- a mean of scores 0, 0.1, ..., and an unknown day
SELECT n_scores, round(mean_score::numeric, 12) AS mean_score FROM (SELECT interaction_history(timestamptz '2025-01-01' + i * interval '1 hour', (i % 10) / 10.0) AS h FROM generate_series(0, 9999) AS i) AS s, landmark('{2025-01-01:1}', h, date '2025-12-31', date '2026-12-31', date '2026-12-31');
SELECT l.* FROM landmark('{2025-01-05:1}', NULL, NULL::date, date '2026-12-31', date '2026-12-31') AS l;
SELECT impact_failure(format('SELECT * FROM landmark(%s)', arguments)) FROM (VALUES
    ('''{}'', NULL, date ''2026-01-01'', date ''2026-01-01'', date ''2026-06-01'''), ('''{}'', NULL, date ''2026-01-01'', date ''2025-01-01'', date ''2026-06-01'''),
    ('''{}'', NULL, date ''2026-01-01'', date ''2027-01-01'', date ''2025-12-31'''), ('''{}'', NULL, ''infinity'', date ''2027-01-01'', date ''2025-12-31'''),
    ('''{}'', NULL, date ''2026-01-01'', date ''infinity'', date ''2025-12-31'''), ('''{}'', NULL, date ''2026-01-01'', timestamptz ''2027-01-01'', timestamptz ''infinity'''),
    ('''{}'', ''(latest=2){2025-01-01T00:00:00Z=1,2025-01-02T00:00:00Z=1}'', date ''2026-01-01'', date ''2027-01-01'', date ''2027-01-01''')) AS v (arguments);
-- one that keeps more than it has got knows all
SELECT n_scores FROM landmark('{}', '(latest=3){2025-01-01T00:00:00Z=1,2025-01-02T00:00:00Z=1}', date '2026-01-01', date '2027-01-01', date '2027-01-01');

-- Roles ----------------------------------------------------------------------------------------------------------------
SELECT name, role FROM driver_roles(ARRAY['resolution', 'Resolved', 'CustomerAgentConversationQuality', 'response_time', 'FIRST CONTACT RESOLUTION', 'fcr', 'tone', 'customer_agent_tone',
    'Sentiment', 'is_frustrated', 'csat', 'NPS', 'ces', 'tenure', 'rfmScore', 'segment', 'total-spend', 'cohort', 'plan', 'topicDifficulty', 'churned', 'purchasesAfter', 'spend_after',
    'clv', 'lifetime value', 'stone', 'planet', 'shoe size', '', NULL]);
-- where words of several roles occur
SELECT name, role, why FROM driver_roles(ARRAY['csat_after_resolution', 'tone before churn', 'tenure_quality']);
-- what the analyst knows better
SELECT * FROM driver_roles(ARRAY['tone', 'stone', 'plan'], ARRAY['lever', 'confounder', NULL]);
SELECT count(*) AS none FROM driver_roles('{}');
SELECT count(*) AS none FROM driver_roles(NULL);
SELECT * FROM driver_warnings(ARRAY['resolution', 'tone', 'tenure']);
SELECT * FROM driver_warnings(ARRAY['resolution', 'response_time', 'csat', 'purchases_after', 'stone'], outcome => 'leaving');
SELECT * FROM driver_warnings(ARRAY['resolution', 'tone'], ARRAY[NULL, 'lever']);
SELECT count(*) AS none FROM driver_warnings(ARRAY['tenure', 'segment']);
SELECT count(*) AS none FROM driver_warnings('{}');
SELECT impact_failure(format('SELECT * FROM driver_roles(%s)', arguments)) FROM (VALUES ('''{a,b}'', ''{lever}'''), ('''{a}'', ''{"le''''ver"}'''), ('''{a}'', ''{}'''), ('''{{a},{b}}'', ''{lever,lever}''')) AS v (arguments);

-- Customers needed: tables print 85 for a correlation of 0.3 at 80 percent; 0.05 at 40 digits is 3137.3
SELECT customers_needed(0.3) AS of_03, customers_needed(-0.3) AS of_minus_03, customers_needed(0.05) AS of_005, customers_needed(-0.02, 0.9, 0.99, 3) AS given_3, customers_needed(1) AS of_1, customers_needed(0) AS of_0,
       customers_needed(1e-9) AS of_nothing, customers_needed(NULL) AS unknown;
SELECT impact_failure(format('SELECT customers_needed(%s)', arguments)) FROM (VALUES ('1.1'), ('''NaN'''), ('0.3, 0'), ('0.3, 80'), ('0.3, 0.8, 95'), ('0.3, 0.8, 0.95, -1')) AS v (arguments);

-- Sensitivity: golden numbers --------------------------------------------------------------------------------------------
SELECT abs(e_value(3.9) / 7.2630343441600474 - 1) < 1e-9 AS rr_39, abs(e_value(3.9, 1.8) / 3.0 - 1) < 1e-9 AS limit_18, abs(e_value(0.80) / 1.8090169943749474 - 1) < 1e-9 AS rr_08,
       abs(partial_r2(4.1844501182613731, 783) / 0.021873094705774028 - 1) < 1e-9 AS partial_r2, abs(robustness_value(4.1844501182613731, 783) / 0.13877635798952529 - 1) < 1e-9 AS rv_q1,
       abs(robustness_value(4.1844501182613731, 783, 1, 0.05) / 0.076257969946929214 - 1) < 1e-9 AS rv_q1_a05;
SELECT e_value(1) AS none, e_value(1.3, 0.9) AS crosses, e_value(0.8, 1.1) AS crosses_too, e_value(0.8, 0.9) = e_value(1 / 0.9::float8) AS inverted, e_value(NULL) AS unknown, e_value(2, NULL) AS unknown_limit,
       risk_ratio_of_odds_ratio(4) AS common, round(risk_ratio_of_odds_ratio(12.0 / 7, 0.2)::numeric, 12) AS known_risk, round(risk_ratio_of_hazard_ratio(2.5)::numeric, 12) AS hazard,
       round(risk_ratio_of_difference(0.3)::numeric, 12) AS difference;
SELECT robustness_value(0, 10) AS none, robustness_value(1.9, 783, alpha => 0.05) AS not_significant, robustness_value(4, 783, 0.5) > robustness_value(2, 783) - 1e-15 AS half, robustness_value(NULL, 10) AS unknown,
       robustness_value(-4, 783) = robustness_value(4, 783) AS sign, partial_r2(0, 10) AS nothing;
SELECT impact_failure('SELECT ' || call) FROM (VALUES ('e_value(0)'), ('e_value(-1)'), ('e_value(''NaN'')'), ('e_value(''infinity'')'), ('e_value(1.7e308)'), ('e_value(2, 0)'), ('e_value(2, 2.5)'), ('e_value(0.5, 0.4)'),
    ('risk_ratio_of_odds_ratio(-1)'), ('risk_ratio_of_odds_ratio(2, 1)'), ('risk_ratio_of_odds_ratio(2, ''NaN'')'), ('risk_ratio_of_hazard_ratio(0)'), ('risk_ratio_of_hazard_ratio(5e-324)'), ('risk_ratio_of_difference(''NaN'')'),
    ('risk_ratio_of_difference(1000)'), ('partial_r2(2, 0)'), ('partial_r2(''NaN'', 5)'), ('robustness_value(2, ''infinity'')'), ('robustness_value(''infinity'', 5)'), ('robustness_value(2, 10, 0)'), ('robustness_value(2, 10, ''NaN'')'),
    ('robustness_value(2, 1, 1, 0.05)'), ('robustness_value(2, 10, 1, 5)'), ('robustness_value(2, 10, 1, ''NaN'')')) AS v (call);

-- Inputs: golden numbers, of shares .1 .2 .3 .4 and .15 .25 .25 .35 of 1000 and 800 customers
SELECT abs(psi / 0.047223080442042569 - 1) < 1e-9 AS psi, abs(null_mean / 0.0067500000000000000 - 1) < 1e-9 AS null_mean, abs(p_value / 0.00010588020102088365 - 1) < 1e-9 AS p_value, n_expected, n_actual, bins
FROM psi('{100,200,300,400}', '{120,200,200,280}');
SELECT psi, p_value FROM psi('{7,9}', '{70,90}');
SELECT count(*) AS none FROM psi(NULL, '{1,2}');
SELECT impact_failure(format('SELECT * FROM psi(%s)', arguments)) FROM (VALUES ('''{1,2,0}'', ''{1,2,3}'''), ('''{1,2,3}'', ''{1,0,3}'''), ('''{1,2}'', ''{1,2,3}'''), ('''{}'', ''{}'''), ('''{5}'', ''{5}'''), ('''{1,NULL}'', ''{1,2}'''),
    ('''{1,2}'', ''{1,-2}'''), ('''{{1,2},{3,4}}'', ''{1,2,3,4}'''), ('''{9223372036854775807,1}'', ''{1,2}''')) AS v (arguments);

-- Several estimates: the trials of BCG vaccine (Colditz et al. 1994); R's metafor prints 152.2330, 92.12 percent, 0.3088, -0.7141, 0.1787
SELECT round(q::numeric, 10) AS q, df, p_value < 1e-25 AS beyond_noise, round(i_squared::numeric, 10) AS i_squared, round(tau_squared::numeric, 10) AS tau_squared, round(pooled::numeric, 10) AS pooled,
       round(pooled_std_error::numeric, 10) AS pooled_std_error
FROM (SELECT array_agg(ln(a / (a + b) / (c / (c + d)))) AS estimates, array_agg(sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d))) AS std_errors
      FROM (VALUES (4::float8, 119::float8, 11::float8, 128::float8), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619), (33, 5036, 47, 5761), (180, 1361, 372, 1079), (8, 2537, 10, 619), (505, 87886, 499, 87892),
                (29, 7470, 45, 7232), (17, 1699, 65, 1600), (186, 50448, 141, 27197), (5, 2493, 3, 2338), (27, 16886, 29, 17825)) AS trial (a, b, c, d)) AS t, cochran_q(estimates, std_errors);
SELECT * FROM cochran_q('{0.3}', '{0.1}');
SELECT * FROM cochran_q('{}', '{}');
SELECT impact_failure(format('SELECT * FROM cochran_q(%s)', arguments)) FROM (VALUES ('''{1,2}'', ''{1}'''), ('''{1,NULL}'', ''{1,1}'''), ('''{1,NaN}'', ''{1,1}'''), ('''{1,2}'', ''{1,0}'''), ('''{1,2}'', ''{1,-1}'''), ('''{1,2}'', ''{1,infinity}'''),
    ('''{{1,2}}'', ''{1,2}'''), ('''{1e300,-1e300}'', ''{1,1}''')) AS v (arguments);
