-- Cox regression and the discrete-time hazard.
\set VERBOSITY terse
-- SQLSTATE, message, detail and hint of a statement that must fail
CREATE FUNCTION cox_failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN format('%s: %s | %s | %s', SQLSTATE, SQLERRM, detail, hint);
END $$;

-- Freireich et al. 1963: weeks of remission of leukemia under placebo (0) and 6-MP (1) ---------------------------------
CREATE TABLE freireich AS
SELECT treated, abs(weeks)::float8 AS weeks, weeks > 0 AS relapsed
FROM (SELECT 0 AS treated, unnest('{1,22,3,12,8,17,2,11,8,12,2,5,4,15,8,23,5,11,4,1,8}'::int[]) AS weeks
      UNION ALL SELECT 1, unnest('{10,7,-32,23,22,6,16,-34,-32,-25,-11,-20,-19,6,-17,-35,6,13,-9,-6,-10}'::int[])) AS t;
SELECT ties, abs(estimate / golden[1] - 1) < 1e-9 AS coef, abs(std_error / golden[2] - 1) < 1e-9 AS se, abs(log_likelihood / golden[3] - 1) < 1e-9 AS loglik,
       abs(g.statistic / golden[4] - 1) < 1e-9 AS lr_chi2, abs(t.statistic / golden[5] - 1) < 1e-9 AS wald_z, abs(t.p_value / golden[6] - 1) < 1e-9 AS p,
       abs(predict(model, '{1}') / golden[7] - 1) < 1e-9 AS hr
FROM (VALUES ('efron', '{-1.5721251488290670,0.41239671770945558,-85.008424577371627,16.351690838952249,-3.8121669773731586,0.00013775376198676474,0.20760352484153726}'::float8[]),
             ('breslow', '{-1.5091914125858785,0.40956440636674131,-86.379622071145559,15.210856814199240,-3.6848695568395770,0.00022881979907346725,0.22108867522365321}')) AS v (ties, golden),
     (SELECT survival_sample(weeks, relapsed, ARRAY[treated]) AS sample FROM freireich) AS f,
     LATERAL cox_fit(sample, ties) AS model, LATERAL tidy(model) AS t, LATERAL glance(model) AS g;
SELECT kind, n, n_distinct, errors, clusters, df, sigma, r_squared, converged FROM (SELECT cox_fit(weeks, relapsed, ARRAY[treated]) AS model FROM freireich) AS f, glance(model);
-- the aggregate is the function of the sample
SELECT cox_fit(weeks, relapsed, ARRAY[treated]) = cox_fit(survival_sample(weeks, relapsed, ARRAY[treated])) AS cox,
       cox_fit(weeks, relapsed, ARRAY[treated], 0) = cox_fit(survival_sample(weeks, relapsed, ARRAY[treated]), 'efron', 'model') AS cox_entry,
       hazard_fit(weeks, relapsed, ARRAY[treated]) = hazard_fit(survival_sample(weeks, relapsed, ARRAY[treated])) AS hazard,
       hazard_fit(weeks, relapsed, ARRAY[treated], 0) = hazard_fit(survival_sample(weeks, relapsed, ARRAY[treated]), 'model') AS hazard_entry
FROM freireich;

-- Planted effects, without random numbers ------------------------------------------------------------------------------
-- four rows a customer, of an x that changes every quarter; customers leave for good
CREATE TABLE quarters AS
SELECT id, q, entry, least(entry + 6, left_in) AS tenure, left_in <= entry + 6 AS has_left, x, vip
FROM (SELECT id, q, 6 * (q - 1) AS entry, hashint8extended(id, q) / 2.0 ^ 64 AS x, id % 3 = 0 AS vip,
             1 + id * 7919 % 31 + 9 * (id % 3 = 0)::int AS left_in
      FROM generate_series(1, 400) AS id, generate_series(1, 4) AS q) AS r
WHERE entry < left_in;
SELECT count(*), count(DISTINCT id), sum(has_left::int), min(tenure - entry), max(tenure) FROM quarters;
-- errors by cluster, by name or by number of the cluster; rows cut further are the same model
CREATE TABLE fits AS
SELECT cox_fit(tenure, has_left, ARRAY[x, vip::int], entry) AS cox,
       cox_fit(tenure, has_left, ARRAY[x, vip::int], entry, id) AS cox_cluster,
       cox_fit(tenure, has_left, ARRAY[x, vip::int], entry, 'c' || id) AS cox_name,
       cox_fit(survival_sample(tenure, has_left, ARRAY[x, vip::int], entry), errors => 'HC0') AS cox_hc0,
       hazard_fit(tenure, has_left, ARRAY[x, vip::int], entry) AS hazard,
       hazard_fit(tenure, has_left, ARRAY[x, vip::int], entry, id) AS hazard_cluster,
       hazard_fit(tenure, has_left, ARRAY[x, vip::int], entry, 'c' || id) AS hazard_name,
       hazard_fit(survival_sample(tenure, has_left, ARRAY[x, vip::int], entry), 'HC0') AS hazard_hc0
FROM quarters;
SELECT name, term, round(estimate::numeric, 6) AS estimate, round(std_error::numeric, 6) AS std_error, round(t.statistic::numeric, 4) AS statistic, round(t.p_value::numeric, 6) AS p_value,
       round(conf_low::numeric, 5) AS conf_low, round(conf_high::numeric, 5) AS conf_high
FROM fits, LATERAL (VALUES (1, 'cox', cox), (2, 'cox by cluster', cox_cluster), (3, 'cox HC0', cox_hc0), (4, 'hazard', hazard), (5, 'hazard by cluster', hazard_cluster), (6, 'hazard HC0', hazard_hc0)) AS v (i, name, model),
     LATERAL tidy(model) AS t ORDER BY i, term;
SELECT name, kind, n, errors, clusters, df, round(statistic::numeric, 4) AS statistic, round(p_value::numeric, 6) AS p_value, round(log_likelihood::numeric, 5) AS log_likelihood, converged
FROM fits, LATERAL (VALUES (1, 'cox', cox), (2, 'cox by cluster', cox_cluster), (3, 'cox by name', cox_name), (4, 'hazard', hazard), (5, 'hazard by cluster', hazard_cluster), (6, 'hazard by name', hazard_name)) AS v (i, name, model),
     LATERAL glance(model) ORDER BY i;
-- every row cut into its months: another sample, the same models
SELECT v.name, bool_and(abs(a.estimate - b.estimate) < 1e-9 AND abs(a.std_error / b.std_error - 1) < 1e-9) AS same
FROM fits, (SELECT cox_fit(m, m = tenure AND has_left, ARRAY[x, vip::int], m - 1, id) AS cox, hazard_fit(m, m = tenure AND has_left, ARRAY[x, vip::int], m - 1, id) AS hazard
            FROM quarters, generate_series(entry + 1, tenure) AS m) AS months,
     LATERAL (VALUES ('cox', cox_cluster, months.cox), ('hazard', hazard_cluster, months.hazard)) AS v (name, whole, cut), LATERAL tidy(whole) AS a JOIN LATERAL tidy(cut) AS b USING (term)
GROUP BY v.name ORDER BY v.name;

-- the hazard is the logistic regression of all person-months
SELECT bool_and(abs(h.estimate - l.estimate) < 1e-9) AS estimate, bool_and(abs(h.std_error / l.std_error - 1) < 1e-9) AS std_error, bool_and(abs(h.p_value - l.p_value) < 1e-9) AS p_value
FROM fits, (SELECT logit_fit(m = tenure AND has_left, ARRAY[ln(m), ln(m) ^ 2, x, vip::int], id) AS logit FROM quarters, generate_series(entry + 1, tenure) AS m) AS months,
     LATERAL tidy(hazard_cluster) WITH ORDINALITY AS h (term, estimate, std_error, statistic, p_value, conf_low, conf_high, i)
     JOIN LATERAL tidy(logit) WITH ORDINALITY AS l (term, estimate, std_error, statistic, p_value, conf_low, conf_high, i) USING (i);

-- Parts: however the rows are divided and merged, the model is the same ------------------------------------------------
SELECT count(DISTINCT cox_fit(sample)) AS cox, count(DISTINCT hazard_fit(sample)) AS hazard
FROM (SELECT survival_sample(tenure, has_left, ARRAY[x, vip::int], entry, id) AS sample FROM quarters
      UNION ALL SELECT survival_sample(tenure, has_left, ARRAY[x, vip::int], entry, id ORDER BY x) FROM quarters
      UNION ALL SELECT clv_sample(s) FROM (SELECT survival_sample(tenure, has_left, ARRAY[x, vip::int], entry, id) AS s FROM quarters GROUP BY id % 7) AS p
      UNION ALL SELECT clv_sample(s ORDER BY k DESC) FROM (SELECT id AS k, survival_sample(tenure, has_left, ARRAY[x, vip::int], entry, id) AS s FROM quarters GROUP BY id, q) AS p) AS v;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
ALTER TABLE quarters SET (parallel_workers = 2);
EXPLAIN (COSTS off) SELECT cox_fit(tenure, has_left, ARRAY[x, vip::int], entry) FROM quarters;
SELECT cox_fit(tenure, has_left, ARRAY[x, vip::int], entry) = cox AS cox, hazard_fit(tenure, has_left, ARRAY[x, vip::int], entry, id) = hazard_cluster AS hazard
FROM quarters, fits GROUP BY cox, hazard_cluster;
SELECT a = b AS parallel FROM (SELECT cox_fit(tenure, has_left, ARRAY[x, vip::int], entry, id) AS a FROM quarters) AS p, (SELECT cox_cluster AS b FROM fits) AS s;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather;

-- NULLs and empty input ------------------------------------------------------------------------------------------------
SELECT cox_fit(1, true, '{1}') IS NULL AS cox, hazard_fit(1, true, '{1}') IS NULL AS hazard, cox_fit(1, true, '{1}', 0, 1) IS NULL AS cox_cluster, hazard_fit(1, true, '{1}', 0, 'a') IS NULL AS hazard_cluster FROM generate_series(1, 0);
SELECT cox_fit(weeks, relapsed, CASE WHEN weeks < 0 THEN ARRAY[1.0] END) IS NULL AS cox, hazard_fit(NULL, relapsed, '{1}') IS NULL AS hazard FROM freireich;
SELECT cox_fit(NULL) IS NULL AS no_sample, cox_fit(survival_sample(weeks, relapsed, ARRAY[treated]), NULL) IS NULL AS no_ties, hazard_fit(NULL::clv_sample) IS NULL AS no_hazard FROM freireich;
SELECT n, n_skipped FROM (SELECT cox_fit(weeks, relapsed, CASE WHEN weeks < 30 THEN ARRAY[treated, nullif(weeks, 22)::int % 3] END) AS m FROM freireich) AS f, glance(m);

-- What cannot be told --------------------------------------------------------------------------------------------------
\set VERBOSITY default
SELECT term, estimate IS NULL AS no_estimate, std_error IS NULL AS no_error, statistic IS NULL AS no_statistic, p_value IS NULL AS no_p
FROM (SELECT cox_fit(weeks, relapsed, ARRAY[7, treated, 2 * treated + 7]) AS m FROM freireich) AS f, tidy(m);
SELECT term, estimate IS NULL AS no_estimate, std_error IS NULL AS no_error FROM (SELECT hazard_fit(5 + weeks::int % 2, relapsed, ARRAY[treated], 4) AS m FROM freireich) AS f, tidy(m);
SELECT cox_fit(weeks, false, ARRAY[treated]) IS NULL AS no_event FROM freireich;
SELECT hazard_fit(weeks, false, ARRAY[treated]) IS NULL AS no_event FROM freireich;
SELECT hazard_fit(weeks, true, ARRAY[treated], weeks - 1) IS NULL AS only_events FROM freireich;
SELECT cox_fit(weeks, relapsed, ARRAY[3]) IS NULL AS constant FROM freireich;
SELECT cox_fit(weeks, relapsed AND treated = 0, ARRAY[weeks::int % 3, treated]) IS NULL AS infinite FROM freireich;
SELECT hazard_fit(weeks, relapsed AND treated = 0, ARRAY[weeks::int % 3, treated]) IS NULL AS infinite FROM freireich;
SELECT hazard_fit(weeks, weeks = 1, ARRAY[treated]) IS NULL AS infinite FROM freireich WHERE treated = 0 OR weeks > 1;
SELECT cox_fit(weeks, relapsed, ARRAY[treated], 0, 1) IS NULL AS one_cluster FROM freireich;
SELECT hazard_fit(weeks, relapsed, ARRAY[treated], 0, 'a') IS NULL AS one_cluster FROM freireich;
\set VERBOSITY terse

-- Predictions of the discrete-time hazard ------------------------------------------------------------------------------
CREATE TABLE curve AS
SELECT j, hazard(hazard, '{0.25,1}', j) AS h, survival(hazard, '{0.25,1}', j) AS s, 1 / (1 + exp(-(b[1] + b[2] * ln(j) + b[3] * ln(j) ^ 2 + 0.25 * b[4] + b[5]))) AS by_hand
FROM fits, LATERAL (SELECT array_agg(estimate ORDER BY term) AS b FROM tidy(hazard)) AS t, generate_series(1, 24) AS j;
SELECT bool_and(abs(h / by_hand - 1) < 1e-12) AS hazard, bool_and(abs(s / (SELECT exp(sum(ln(1 - h))) FROM curve AS e WHERE e.j <= curve.j) - 1) < 1e-12) AS survival FROM curve;
SELECT survival(hazard, '{0.25,1}', 0) = 1 AS begins, churn_risk(hazard, '{0.25,1}', 5, 0) = 0 AS no_time,
       abs(churn_risk(hazard, '{0.25,1}', 5, 7) / (1 - survival(hazard, '{0.25,1}', 12) / survival(hazard, '{0.25,1}', 5)) - 1) < 1e-12 AS risk,
       abs(expected_lifetime(hazard, '{0.25,1}', 0.01, 24) / (SELECT sum(survival(hazard, '{0.25,1}', j) / 1.01 ^ j) FROM generate_series(0, 23) AS j) - 1) < 1e-12 AS lifetime,
       hazard(hazard, '{0.25,NULL}', 1) IS NULL AND survival(hazard, '{NULL,1}', 1) IS NULL AND churn_risk(hazard, '{NULL,1}', 1, 1) IS NULL AND expected_lifetime(hazard, '{NULL,1}', 0, 1) IS NULL AS unknown,
       hazard(hazard, NULL, 1) IS NULL AND survival(hazard, '{0.25,1}', NULL) IS NULL AS unknown_too
FROM fits;
-- beside the forms for models of renewals
SELECT survival(m, 2) = survival(m, 2.0) AS survival, churn_risk(m, 1, 2) > 0 AS churn_risk, expected_lifetime(m, 0.1) > 1 AS lifetime, expected_lifetime(m, 0.1, 2) > 1 AS later FROM sbg_model(1, 2) AS m;
-- hazards of 0 and 1
SELECT hazard(hazard, '{-1e6,1}', 1) AS low, hazard(hazard, '{1e6,1}', 1) AS high, survival(hazard, '{1e6,1}', 1000000) AS s FROM fits WHERE coef(hazard, 'x1') > 0
UNION ALL SELECT hazard(hazard, '{1e6,1}', 1), hazard(hazard, '{-1e6,1}', 1), survival(hazard, '{-1e6,1}', 1000000) FROM fits WHERE coef(hazard, 'x1') < 0;

-- Errors ---------------------------------------------------------------------------------------------------------------
CREATE TABLE stored AS SELECT survival_sample(weeks, relapsed, ARRAY[treated]) AS sample FROM freireich;
SELECT cox_failure(statement) FROM (VALUES
    ('SELECT cox_fit(sample, ''exact'') FROM stored'), ('SELECT cox_fit(sample, errors => ''hc0'') FROM stored'), ('SELECT cox_fit(sample, errors => ''CR1'') FROM stored'), ('SELECT hazard_fit(sample, ''HC3'') FROM stored'),
    ('SELECT cox_fit(survival_sample(weeks, relapsed)) FROM freireich'), ('SELECT hazard_fit(survival_sample(weeks, relapsed)) FROM freireich'), ('SELECT cox_fit(clv_sample(1, 2, 3)) FROM freireich'),
    ('SELECT hazard_fit(weeks + 0.5, relapsed, ARRAY[treated]) FROM freireich'), ('SELECT hazard_fit(weeks, relapsed, ARRAY[treated], 0.5) FROM freireich'),
    ('SELECT hazard_fit(365 * weeks, relapsed, ARRAY[treated]) FROM freireich WHERE weeks > 30'),
    ('SELECT cox_fit(weeks, relapsed, ARRAY[treated], 10) FROM freireich'), ('SELECT cox_fit(weeks, relapsed, ARRAY[1, ''NaN''::float8]) FROM freireich'), ('SELECT cox_fit(weeks, relapsed, ''{}'') FROM freireich'),
    ('SELECT hazard(cox, ''{1,1}'', 1) FROM fits'), ('SELECT survival(m, ''{1}'', 1) FROM sbg_model(1, 2) AS m'), ('SELECT survival(hazard, 1) FROM fits'), ('SELECT predict(hazard, ''{1,1}'') FROM fits'),
    ('SELECT hazard(hazard, ''{1}'', 1) FROM fits'), ('SELECT hazard(hazard, ''{1,1}'', 0) FROM fits'), ('SELECT hazard(hazard, ''{1,1}'', 1.5) FROM fits'), ('SELECT survival(hazard, ''{1,1}'', -1) FROM fits'),
    ('SELECT survival(hazard, ''{1,1}'', 1000001) FROM fits'), ('SELECT churn_risk(hazard, ''{1,1}'', ''NaN'', 1) FROM fits'), ('SELECT churn_risk(hazard, ''{1,1}'', 0, ''infinity'') FROM fits'),
    ('SELECT expected_lifetime(hazard, ''{1,1}'', -0.1, 1) FROM fits'), ('SELECT expected_lifetime(hazard, ''{1,1}'', 0.1, 0) FROM fits'), ('SELECT expected_lifetime(cox, ''{1,1}'', 0.1, 1) FROM fits')) AS v (statement);
-- what is no number is an error, and no cancel
SELECT cox_failure(format('SELECT %s FROM (SELECT ''hazard{intercept=-1e308,log_period=1e308,log_period_squared=-1e308,x1=1e308,x2=-1e308}''::clv_model AS m) AS v', call))
FROM (VALUES ('hazard(m, ''{10,10}'', 2)'), ('survival(m, ''{10,10}'', 2)'), ('churn_risk(m, ''{10,10}'', 2, 2)'), ('expected_lifetime(m, ''{10,10}'', 0.1, 5)')) AS v (call);
SELECT cox_failure('SELECT ''hazard{intercept=null,log_period=1,log_period_squared=2,x1=1}''::clv_model');
SELECT hazard('hazard{intercept=-1,log_period=null,log_period_squared=null,x1=1e308}', '{10}', 3) AS sure, survival('hazard{intercept=-1,log_period=null,log_period_squared=null,x1=1e308}', '{10}', 3) AS none;

-- Models as values -----------------------------------------------------------------------------------------------------
SELECT v.model::text::clv_model = v.model AS text, v.model IS NOT DISTINCT FROM (v.model::text)::clv_model AS same, vcov(v.model) IS NOT NULL AS vcov
FROM fits, LATERAL (VALUES (cox), (cox_cluster), (hazard), (hazard_cluster)) AS v (model);
DROP TABLE freireich, quarters, fits, curve, stored;
DROP FUNCTION cox_failure;
