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
       count(*) FILTER (WHERE l.at_risk AND (l.purchases_after, l.spend_after) IS DISTINCT FROM (purchases_within(history, day, day + 100), spend_within(history, day, day + 100))) AS outcomes,
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
    'clv', 'lifetime value', 'stone', 'planet', '', NULL]);
-- every evaluator that has a scale has a role, and none is an outcome
SELECT role, count(*) FROM driver_roles((SELECT array_agg(evaluator) FROM evaluator_scales())) GROUP BY role ORDER BY role;
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
SELECT e_value(1) AS none, e_value(1.3, 0.9) AS crosses, e_value(0.8, 1.1) AS crosses_too, abs(e_value(0.8, 0.9) / e_value(1 / 0.9::float8) - 1) < 1e-12 AS inverted, e_value(NULL) AS unknown, e_value(2, NULL) AS unknown_limit,
       risk_ratio_of_odds_ratio(4) AS common, round(risk_ratio_of_odds_ratio(12.0 / 7, 0.2)::numeric, 12) AS known_risk, round(risk_ratio_of_hazard_ratio(2.5)::numeric, 12) AS hazard,
       round(risk_ratio_of_difference(0.3)::numeric, 12) AS difference;
SELECT robustness_value(0, 10) AS none, robustness_value(1.9, 783, alpha => 0.05) AS not_significant, robustness_value(4, 783, 0.5) > robustness_value(2, 783) - 1e-15 AS half, robustness_value(NULL, 10) AS unknown,
       robustness_value(-4, 783) = robustness_value(4, 783) AS sign, robustness_value(3, 1e308, 1, 0.05) BETWEEN 1e-160 AND 1e-150 AS many_rows, robustness_value(30, 1.0000001, 1, 0.05) AS few_rows, partial_r2(0, 10) AS nothing;
SELECT impact_failure('SELECT ' || call) FROM (VALUES ('e_value(0)'), ('e_value(-1)'), ('e_value(''NaN'')'), ('e_value(''infinity'')'), ('e_value(1.7e308)'), ('e_value(2, 0)'), ('e_value(2, 2.5)'), ('e_value(0.5, 0.4)'),
    ('risk_ratio_of_odds_ratio(-1)'), ('risk_ratio_of_odds_ratio(2, 1)'), ('risk_ratio_of_odds_ratio(2, ''NaN'')'), ('risk_ratio_of_hazard_ratio(0)'), ('risk_ratio_of_difference(''NaN'')'),
    ('risk_ratio_of_difference(1000)'), ('partial_r2(2, 0)'), ('partial_r2(''NaN'', 5)'), ('robustness_value(2, ''infinity'')'), ('robustness_value(''infinity'', 5)'), ('robustness_value(2, 10, 0)'), ('robustness_value(2, 10, ''NaN'')'),
    ('robustness_value(2, 1, 1, 0.05)'), ('robustness_value(2, 10, 1, 5)'), ('robustness_value(2, 10, 1, ''NaN'')')) AS v (call);

-- Inputs: golden numbers, of shares .1 .2 .3 .4 and .15 .25 .25 .35 of 1000 and 800 customers
SELECT abs(psi / 0.047223080442042569 - 1) < 1e-9 AS psi, abs(null_mean / 0.0067500000000000000 - 1) < 1e-9 AS null_mean, abs(p_value / 0.00010588020102088365 - 1) < 1e-9 AS p_value, n_expected, n_actual, bins
FROM psi('{100,200,300,400}', '{120,200,200,280}');
SELECT psi, p_value FROM psi('{7,9}', '{70,90}');
SELECT count(*) AS none FROM psi(NULL, '{1,2}');
SELECT impact_failure(format('SELECT * FROM psi(%s)', arguments)) FROM (VALUES ('''{1,2,0}'', ''{1,2,3}'''), ('''{1,2,3}'', ''{1,0,3}'''), ('''{1,2}'', ''{1,2,3}'''), ('''{}'', ''{}'''), ('''{5}'', ''{5}'''), ('''{1,NULL}'', ''{1,2}'''),
    ('''{1,2}'', ''{1,-2}'''), ('''{{1,2},{3,4}}'', ''{1,2,3,4}'''), ('''{9223372036854775807,1}'', ''{1,2}'''), ('''{9007199254740992,9007199254740992}'', ''{1,2}''')) AS v (arguments);

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

-- Drift of a term: the models of two periods -------------------------------------------------------------------------------
SELECT setseed(0.6);
CREATE TABLE scored AS
SELECT i AS customer, 'Q' || 1 + i % 4 AS period, x1, x2, 1 + x1 * CASE WHEN i % 4 < 2 THEN 0.5 ELSE 1.5 END + 0.3 * x2 + 0.4 * (1 + x1 * x1) * e AS y
FROM (SELECT i, random() - 0.5 AS x1, random() AS x2, sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) AS e FROM generate_series(1, 2000) AS i) AS s;
CREATE TABLE fits AS SELECT period, clv_moments(y, ARRAY[x1, x2]) AS moments, lm_fit(y, ARRAY[x1, x2]) AS model, lm_fit(regression_sample(y, ARRAY[x1, x2]), 'HC3') AS robust, lm_fit(y, ARRAY[x1]) AS short FROM scored GROUP BY period;
-- against the definition, of the model's own errors and of robust ones
SELECT kind, bool_and(d.before = a.estimate AND d.after = b.estimate AND d.difference = b.estimate - a.estimate AND abs(d.std_error / sqrt(a.std_error ^ 2 + b.std_error ^ 2) - 1) < 1e-12
           AND abs(d.statistic / (d.difference / d.std_error) - 1) < 1e-12 AND abs(d.df / ((a.std_error ^ 2 + b.std_error ^ 2) ^ 2 / ((a.std_error ^ 4 + b.std_error ^ 4) / 497)) - 1) < 1e-12) AS right,
       bool_and((d.p_value < 0.05) = (d.conf_low > 0 OR d.conf_high < 0)) AS agrees
FROM (SELECT 'model' AS kind, f.model AS a, g.model AS b FROM fits AS f, fits AS g WHERE f.period < g.period UNION ALL SELECT 'robust', f.robust, g.robust FROM fits AS f, fits AS g WHERE f.period < g.period) AS m,
     (VALUES ('intercept'), ('x1'), ('x2')) AS t (term), coefficient_drift(m.a, m.b, t.term) AS d, tidy(m.a) AS a, tidy(m.b) AS b
WHERE a.term = t.term AND b.term = t.term GROUP BY kind ORDER BY kind;
-- planted: from Q1 to Q3 the effect of x1 grew from 0.5 to 1.5, and nothing else did
SELECT term, round(difference::numeric, 3) AS difference, round(std_error::numeric, 3) AS std_error, round(df::numeric, 1) AS df, p_value < 0.001 AS is_shift
FROM fits AS a, fits AS b, (VALUES ('intercept'), ('x1'), ('x2')) AS t (term), coefficient_drift(a.robust, b.robust, term) WHERE a.period = 'Q1' AND b.period = 'Q3';
-- no estimate, other terms, other kinds, what is no regression
SELECT d.* FROM fits AS a, (SELECT lm_fit(y, ARRAY[x1, x1]) AS twice FROM scored) AS s, coefficient_drift(twice, a.model, 'x2') AS d WHERE period = 'Q1';
SELECT impact_failure(format('SELECT d.* FROM fits, coefficient_drift(%s) AS d WHERE period = ''Q1''', arguments)) FROM (VALUES ('model, short, ''x1'''), ('model, model, ''x3'''), ('model, model, ''x1'', 95'),
    ('model, bgnbd_model(1, 1, 1, 1), ''x1'''), ('model, model, ''"x1"''')) AS v (arguments);
SELECT count(*) AS none FROM coefficient_drift(NULL, NULL, 'x1');
-- models without degrees of freedom: the normal distribution
SELECT d.df, abs(d.p_value / erfc_p - 1) < 1e-9 AS normal
FROM (SELECT logit_fit(y > 1, ARRAY[x1]) FILTER (WHERE period = 'Q1') AS a, logit_fit(y > 1, ARRAY[x1]) FILTER (WHERE period = 'Q2') AS b FROM scored) AS f, coefficient_drift(a, b, 'x1') AS d,
     -- p of a normal statistic is that of its square's chi-square, which Cochran's Q of the two has
     LATERAL (SELECT q.p_value AS erfc_p FROM tidy(a) AS s, tidy(b) AS t, cochran_q(ARRAY[s.estimate, t.estimate], ARRAY[s.std_error, t.std_error]) AS q WHERE s.term = 'x1' AND t.term = 'x1') AS q;

-- Chow's test against its definition, by the sums of squares of regr_*
SELECT abs(c.statistic / (((ab - a - b) / 2) / ((a + b) / (n - 4))) - 1) < 1e-9 AS statistic, df1, df2 = n - 4 AS df2, p_value < 1e-3 AS is_shift
FROM (SELECT regr_syy(y, x1) - regr_sxy(y, x1) ^ 2 / regr_sxx(y, x1) AS ab, count(*) AS n FROM scored WHERE period IN ('Q1', 'Q3')) AS w,
     (SELECT regr_syy(y, x1) - regr_sxy(y, x1) ^ 2 / regr_sxx(y, x1) AS a, clv_moments(y, ARRAY[x1]) AS m_a FROM scored WHERE period = 'Q1') AS a,
     (SELECT regr_syy(y, x1) - regr_sxy(y, x1) ^ 2 / regr_sxx(y, x1) AS b, clv_moments(y, ARRAY[x1]) AS m_b FROM scored WHERE period = 'Q3') AS b, chow_test(m_a, m_b) AS c;
SELECT b.period, round(statistic::numeric, 2) AS statistic, df1, df2, round(p_value::numeric, 6) AS p_value FROM fits AS a, fits AS b, chow_test(a.moments, b.moments) WHERE a.period = 'Q1' ORDER BY b.period;
-- a sample too small for a fit of its own; within groups; other regressors
SELECT c.* FROM fits, (SELECT clv_moments(1, '{1,2}') AS tiny) AS t, chow_test(moments, tiny) AS c WHERE period = 'Q1';
SELECT df1, df2 FROM (SELECT within_moments(m) FILTER (WHERE period = 'Q1') AS a, within_moments(m) FILTER (WHERE period = 'Q2') AS b FROM (SELECT period, customer % 5, clv_moments(y, ARRAY[x1, x2]) AS m FROM scored GROUP BY 1, 2) AS g) AS w, chow_test(a, b);
SELECT impact_failure('SELECT * FROM fits, (SELECT clv_moments(y, ARRAY[x1]) AS other FROM scored) AS s, chow_test(moments, other)');
SELECT count(*) AS none FROM chow_test(NULL, NULL);

-- Several periods ------------------------------------------------------------------------------------------------------
CREATE VIEW periods AS SELECT array_agg(robust ORDER BY period DESC) AS models, array_agg(period ORDER BY period DESC) AS names FROM fits;
SELECT period, version, round(estimate::numeric, 3) AS estimate, round(std_error::numeric, 3) AS std_error, round(change::numeric, 3) AS change, round(p_value::numeric, 4) AS p_value, round(adjusted_p::numeric, 4) AS adjusted_p, verdict
FROM periods, relation_drift(models, names, 'x1', '{v1,v1,v1,v1}', conf => 0.99);
SELECT period, version, round(change::numeric, 3) AS change, round(adjusted_p::numeric, 4) AS adjusted_p, verdict FROM periods, relation_drift(models, names, 'x1', '{v1,v1,v2,NULL}', 0.99);
SELECT period, round(adjusted_p::numeric, 4) AS adjusted_p, verdict FROM periods, relation_drift(models, names, 'x2', '{v1,v1,v1,v1}');
-- a period without a model is passed over; one alone; none
SELECT period, round(change::numeric, 3) AS change, verdict FROM periods, relation_drift(ARRAY[NULL, models[1], NULL, models[2], models[3]], '{a,b,c,d,e}', 'x1', '{v1,v1,v2,v1,v1}');
SELECT period, change, p_value, verdict FROM periods, relation_drift(models[1:1], '{only}', 'x1', '{v1}');
SELECT * FROM relation_drift('{}', '{}', 'x1');
-- who keeps no versions passes none: unknown, which is said where periods differ
SELECT period, version, round(change::numeric, 3) AS change, verdict FROM periods, relation_drift(models, names, 'x1');
SELECT verdict FROM periods, relation_drift(models, names, 'x2', NULL) WHERE period = 'all periods';
SELECT count(*) AS none FROM periods, LATERAL (SELECT FROM relation_drift(NULL, names, 'x1') UNION ALL SELECT FROM relation_drift(models, NULL, 'x1') UNION ALL SELECT FROM relation_drift(models, names, NULL)
    UNION ALL SELECT FROM relation_drift(models, names, 'x1', conf => NULL)) AS r;
-- the same numbers as one by one, and Holm's
SELECT bool_and(r.change = d.difference AND r.p_value = d.p_value) AS right, min(r.adjusted_p) = 3 * min(r.p_value) AS holm
FROM (SELECT r.*, row_number() OVER () AS i FROM periods, relation_drift(models, names, 'x1', names) AS r) AS r, periods, coefficient_drift(models[i - 1], models[i], 'x1') AS d WHERE i BETWEEN 2 AND 4;
SELECT impact_failure(format('SELECT r.* FROM periods, fits, relation_drift(%s) AS r WHERE fits.period = ''Q1''', arguments)) FROM (VALUES ('models, ''{a,b}'', ''x1'', names'), ('models, names, ''x1'', ''{a}'''), ('models, names, ''x9'', names'),
    ('ARRAY[model, short], ''{a,b}'', ''x1'', ''{a,b}'''), ('models, ''{{a,b},{c,d}}'', ''x1'', names'), ('ARRAY[[model, model], [model, model]], names, ''x1'', names'), ('models, names, ''x1'', conf => 95'),
    ('ARRAY[''lm{intercept=1,x1=2}'', ''logit{intercept=1,x1=2}'']::clv_model[], ''{a,b}'', ''x1'''), ('ARRAY[NULL, model, ''lm{intercept=1,x1=2}''], ''{a,b,c}'', ''x1''')) AS v (arguments);

-- Robustness of a term
SELECT bool_and(abs(r.partial_r2 - partial_r2(t.statistic, 497)) < 1e-12 AND abs(r.robustness_value - robustness_value(t.statistic, 497)) < 1e-12
                AND abs(r.robustness_value_alpha - robustness_value(t.statistic, 497, alpha => 0.05)) < 1e-12) AS right FROM fits, tidy(model) AS t, robustness(model, t.term) AS r;
SELECT round(robustness_value::numeric, 3) AS rv, round(robustness_value_alpha::numeric, 3) AS rv_alpha FROM fits, robustness(model, 'x1', q => 0.5, conf => 0.99) WHERE period = 'Q4';
SELECT r.* FROM (SELECT lm_fit(y, ARRAY[x1, x1]) AS twice FROM scored) AS s, robustness(twice, 'x2') AS r;
SELECT impact_failure(format('SELECT r.* FROM fits, robustness(%s) AS r WHERE period = ''Q1''', arguments)) FROM (VALUES ('robust, ''x1'''), ('model, ''x9'''), ('model, ''x1'', 0'), ('model, ''x1'', 1, 95'), ('bgnbd_model(1, 1, 1, 1), ''r''')) AS v (arguments);

-- Driver table ---------------------------------------------------------------------------------------------------------
-- Planted: resolution raises what customers buy; tone is its echo; politeness goes with the cohort alone; effort goes up with the cohort and, within one, down with what they buy; speed is nothing
CREATE TABLE driver AS
SELECT c.i AS "customer id", e.evaluator AS "the ""evaluator""", CASE WHEN c.i % 3 = 0 THEN 'phone' ELSE 'chat' END AS segment, 'c' || cohort AS cohort, tenure, buys, churned, e.reliability,
       CASE WHEN c.i % 10 < 7 OR e.evaluator = 'effort' THEN e.score END AS score
FROM (SELECT *, 2 * cohort + tenure + 0.5 * resolution + n4 AS buys, 0.5 * resolution + n4 < -0.6 AS churned
      FROM (SELECT i, i % 4 AS cohort, random() AS tenure, n1 + 0.5 * random() AS resolution, n2, n3, n4
            FROM (SELECT i, sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) AS n1, sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) AS n2,
                         sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) AS n3, sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) AS n4 FROM generate_series(1, 3000) AS i) AS n) AS s) AS c,
     LATERAL (VALUES ('resolution', resolution, 0.8::float8), ('tone', resolution + n2, 0.5), ('politeness', cohort + n2, 0.01), ('effort', 2 * cohort - 0.5 * n4 + n2, 0), ('speed', n3, NULL)) AS e (evaluator, score, reliability);
SELECT evaluator, n, n_dropped, round(pooled_r::numeric, 3) AS pooled_r, round(within_r::numeric, 3) AS within_r, round(partial_r::numeric, 3) AS partial_r, round(conf_low::numeric, 3) AS conf_low, round(conf_high::numeric, 3) AS conf_high,
       p_value < 0.001 AS sure, sign_flip, round(reliability::numeric, 6) AS reliability, round(disattenuated_r::numeric, 3) AS disattenuated_r, n_needed, note
FROM driver_table('driver', 'buys', 'the "evaluator"', 'score', 'cohort', '{tenure}', reliability_column => 'reliability', customer_column => 'customer id');
-- against corr() and what is left of it within cohorts
SELECT count(*) AS rows, bool_and(abs(d.pooled_r - s.pooled) < 1e-9) AS pooled, bool_and(abs(d.within_r - s.within) < 1e-9) AS within, bool_and(abs(d.partial_r - s.partial) < 1e-9) AS partial, bool_and(d.n = s.n) AS n
FROM driver_table('driver', 'churned', 'the "evaluator"', 'score', 'cohort', '{tenure}', 'segment') AS d JOIN (
    SELECT evaluator, segment, count(*) AS n, corr(y, score) AS pooled, corr(y0, s0) AS within, (corr(y0, s0) - corr(y0, t0) * corr(s0, t0)) / sqrt((1 - corr(y0, t0) ^ 2) * (1 - corr(s0, t0) ^ 2)) AS partial
    FROM (SELECT "the ""evaluator""" AS evaluator, segment, churned::int AS y, score, churned::int - avg(churned::int) OVER w AS y0, score - avg(score) OVER w AS s0, tenure - avg(tenure) OVER w AS t0 FROM driver WHERE score IS NOT NULL
          WINDOW w AS (PARTITION BY "the ""evaluator""", segment, cohort)) AS r GROUP BY 1, 2) AS s USING (evaluator, segment);
-- p, its adjustment over the table, and the customers needed
CREATE TEMP TABLE drivers AS SELECT * FROM driver_table('driver', 'buys', 'the "evaluator"', 'score', 'cohort', '{tenure}', stage_column => 'segment', conf => 0.99, power => 0.9);
SELECT count(*) AS rows, bool_and(abs(adjusted_p / adjusted - 1) < 1e-12) AS adjusted, bool_and(n_needed = customers_needed(partial_r, 0.9, 0.99, 4)) AS n_needed, bool_and(abs(d.p_value / p.p_value - 1) < 1e-9) AS p_value
FROM (SELECT *, benjamini_hochberg(p_value) OVER () AS adjusted FROM drivers) AS d,
     LATERAL (SELECT t.p_value FROM (SELECT lm_fit(within_moments(m)) AS fit FROM (SELECT clv_moments(buys, ARRAY[score, tenure]) AS m FROM driver WHERE ("the ""evaluator""", segment) = (d.evaluator, d.stage) GROUP BY cohort) AS g) AS l,
              tidy(fit) AS t WHERE term = 'x1') AS p;
-- one cohort; a mediator and an outcome among the controls
SELECT evaluator, within_r = pooled_r AS same FROM driver_table('driver', 'buys', 'the "evaluator"', 'score', NULL);
CREATE VIEW wide AS SELECT "customer id", "the ""evaluator""" AS evaluator, score, cohort, buys AS purchases_after, churned, tenure + score * score AS tone FROM driver WHERE "the ""evaluator""" IN ('resolution', 'tone');
SELECT evaluator, note FROM driver_table('wide', 'churned', 'evaluator', 'score', 'cohort', '{tone,purchases_after}');
-- what leaves nothing to correlate, by the names of evaluator and column; cohorts of hardly more than a customer
CREATE TEMP VIEW hollow AS SELECT "customer id" AS customer_id, evaluator, score, cohort, floor((tone - score * score) * 800) AS day, tone, purchases_after, 1 AS loyal, 2 * score + 1 AS double, cohort = 'c1' AS late FROM wide;
SET enable_hashagg = off;      -- warnings in the order of the groups
SELECT evaluator, pooled_r IS NOT NULL AS pooled, within_r IS NOT NULL AS within, note FROM driver_table('hollow', 'loyal', 'evaluator', 'score', 'cohort', '{double}') UNION ALL
SELECT evaluator, pooled_r IS NOT NULL, within_r IS NOT NULL, note FROM driver_table('hollow', 'late', 'evaluator', 'score', 'cohort') UNION ALL
SELECT evaluator, pooled_r IS NOT NULL, within_r IS NOT NULL, note FROM driver_table('hollow', 'tone', 'evaluator', 'score', 'cohort', '{double}', segment_column => 'late', stage_column => 'loyal') UNION ALL
SELECT evaluator, pooled_r IS NOT NULL, within_r IS NOT NULL, note FROM driver_table('hollow', 'double', 'evaluator', 'tone', NULL, '{day,score}') UNION ALL
SELECT evaluator, pooled_r IS NOT NULL, within_r IS NOT NULL, note FROM driver_table('hollow', 'tone', 'evaluator', 'day', 'day') UNION ALL
SELECT evaluator, pooled_r IS NOT NULL, within_r IS NOT NULL, note FROM driver_table('hollow', 'purchases_after', 'evaluator', 'score', 'day') UNION ALL
SELECT evaluator, pooled_r IS NOT NULL, within_r IS NOT NULL, note FROM driver_table('hollow', 'purchases_after', 'evaluator', 'score', 'customer_id') UNION ALL
-- a score that is the outcome is not too few customers
SELECT evaluator, pooled_r IS NOT NULL, within_r IS NOT NULL, note FROM driver_table('hollow', 'double', 'evaluator', 'score', 'cohort');
RESET enable_hashagg;
-- repeated rows; and one for each segment. Without a name it is a column customer_id that tells customers, if there is one
CREATE TEMP VIEW twice AS SELECT * FROM driver UNION ALL SELECT * FROM driver WHERE "customer id" <= 3;
\set VERBOSITY default
SELECT count(*) AS rows FROM driver_table('twice', 'buys', 'the "evaluator"', 'score', 'cohort', customer_column => 'customer id');
SELECT count(*) AS rows FROM driver_table('twice', 'buys', 'the "evaluator"', 'score', 'cohort');
CREATE TEMP VIEW usual AS SELECT "customer id" AS customer_id, * FROM twice;
SELECT count(*) AS rows FROM driver_table('usual', 'buys', 'the "evaluator"', 'score', 'cohort');
SELECT count(*) AS rows FROM driver_table('usual', 'buys', 'the "evaluator"', 'score', 'cohort', '{}', NULL, NULL, NULL, 'buys', 0.95, 0.8);
\set VERBOSITY terse
SELECT count(*) AS rows FROM driver_table('driver', 'buys', 'segment', 'score', 'cohort', segment_column => 'the "evaluator"', customer_column => 'customer id');
-- nothing varies, too few, no rows; numbers that are none; evaluators and cohorts without a name
CREATE TABLE poor (e text, y numeric, s float4, c text);
SELECT count(*) AS none FROM driver_table('poor', 'y', 'e', 's', 'c');
INSERT INTO poor VALUES ('constant', 1, 5, 'a'), ('constant', 2, 5, 'a'), ('constant', 4, 5, 'a'), ('two', 1, 2, 'a'), ('two', 2, 3, 'a'), ('odd', 'NaN', 1, 'a'), ('odd', 1, 'infinity', 'a'), ('odd', NULL, 1, 'a'), ('odd', 1, 1, NULL),
    (NULL, 1, 1, 'a'), ('single', 1, 1, 'a'), ('single', 2, 3, 'b'), ('single', 2, 4, 'c');
SELECT evaluator, n, n_dropped, pooled_r, within_r, partial_r, conf_low, p_value, adjusted_p, sign_flip, n_needed, note FROM driver_table('poor', 'y', 'e', 's', 'c');
-- the function below it, called by somebody else
SELECT d.reason FROM (VALUES (0.95, NULL), (NULL, 'a'), (0.95, 'a')) AS v (conf, driver), clv_driver_correlations(NULL, NULL, conf, driver, 'b', 'c', true) AS d;
SELECT impact_failure(format('SELECT * FROM driver_table(%s)', arguments)) FROM (VALUES ('''driver'', ''buys'', ''evaluator'', ''points'', ''cohort'', ''{tenure,"no \"such\" thing"}'''), ('''driver'', ''buys'', ''segment'', ''cohort'', ''cohort'''),
    ('''driver'', ''buys'', NULL, ''score'', ''cohort'''), ('NULL, ''buys'', ''segment'', ''score'', ''cohort'''), ('''driver'', ''buys'', ''segment'', ''score'', ''cohort'', ''{NULL}'''), ('''driver'', ''buys'', ''segment'', ''score'', ''cohort'', conf => 95'),
    ('''driver'', ''buys'', ''segment'', ''score'', ''cohort'', power => ''NaN'''), ('''driver'', ''buys'', ''segment'', ''score'', ''cohort'', reliability_column => ''buys'''), ('''driver; DROP TABLE driver'', ''buys'', ''segment'', ''score'', ''cohort'''), ('''driver'', ''buys'', ''segment'', ''score'', ''cohort'', ''{tenure,buys}'''), ('''driver'', ''buys'', ''segment'', ''score'', ''cohort'', ''{tenure,score}'''), ('''driver'', ''buys'', ''segment'', ''score'', ''cohort'', ''{{tenure},{churned}}'''),
    (format('''driver'', ''buys'', ''segment'', ''score'', ''cohort'', %L', array_fill('tenure'::name, ARRAY[32])))) AS v (arguments);
DROP VIEW wide, hollow, periods, twice, usual;
DROP TABLE customers, scored, fits, driver, poor;
DROP FUNCTION impact_failure;
