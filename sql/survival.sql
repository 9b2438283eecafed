-- Times to an event: samples, Kaplan-Meier curves, lifetimes, log-rank tests.
\set VERBOSITY default
SET timezone = 'UTC';
-- SQLSTATE, message, detail and hint of a statement that must fail
CREATE FUNCTION survival_failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN format('%s: %s | %s | %s', SQLSTATE, SQLERRM, detail, hint);
END $$;

-- Published: Freireich et al. 1963, weeks of remission of 21 pairs of children; negative without an event --------------
CREATE TEMP TABLE remission AS
SELECT arm, abs(weeks) AS weeks, weeks > 0 AS relapsed FROM (VALUES
    ('6-MP', '{10,7,-32,23,22,6,16,-34,-32,-25,-11,-20,-19,6,-17,-35,6,13,-9,-6,-10}'::int[]),
    ('control', '{1,22,3,12,8,17,2,11,8,12,2,5,4,15,8,23,5,11,4,1,8}')) AS v (arm, list), unnest(list) AS weeks;
CREATE TEMP TABLE arms AS SELECT arm, survival_sample(weeks, relapsed) AS sample FROM remission GROUP BY arm;
SELECT arm, sample, i.kind, i.n, i.n_distinct, i.n_skipped, i.covariates FROM arms, sample_info(sample) AS i ORDER BY arm;
SELECT arm, at, n_risk, n_events, n_censored, round(survival::numeric, 6) AS survival, round(std_error::numeric, 6) AS std_error,
       round(conf_low::numeric, 6) AS conf_low, round(conf_high::numeric, 6) AS conf_high, round(cumulative_hazard::numeric, 6) AS cumulative_hazard
FROM arms, survival_points(sample) ORDER BY arm, at;
-- all thirteen digits of what is published
WITH golden (arm, at, n, d, survival, std_error, conf_low, conf_high, hazard) AS (VALUES
    ('6-MP', 6, 21, 3, 0.85714285714285714, 0.0763603548321213, 0.6197179552660, 0.9515517476470, 0.1428571428571),
    ('6-MP', 7, 17, 1, 0.80672268907563025, 0.0869352851800572, 0.5631465646222, 0.9228090192029, 0.2016806722689),
    ('6-MP', 10, 15, 1, 0.75294117647058824, 0.0963496529943205, 0.5031995108000, 0.8893618351693, 0.2683473389356),
    ('6-MP', 13, 12, 1, 0.69019607843137255, 0.106814707775010, 0.4316102224862, 0.8490659633495, 0.3516806722689),
    ('6-MP', 16, 11, 1, 0.62745098039215686, 0.114053865256753, 0.3675108559875, 0.8049121894718, 0.4425897631780),
    ('6-MP', 22, 7, 1, 0.53781512605042017, 0.128233751693034, 0.2677789367671, 0.7467907176354, 0.5854469060351),
    ('6-MP', 23, 6, 1, 0.44817927170868347, 0.134591456755760, 0.1880520059592, 0.6801426284952, 0.7521135727018),
    ('control', 1, 21, 2, 0.90476190476190476, 0.0640564484890047, 0.6700458822350, 0.9752941490381, 0.09523809523810),
    ('control', 2, 19, 2, 0.80952380952380952, 0.0856890867468988, 0.5689050599242, 0.9238888285593, 0.2005012531328),
    ('control', 3, 17, 1, 0.76190476190476190, 0.0929428640903365, 0.5193914153284, 0.8932571097825, 0.2593247825446),
    ('control', 4, 16, 2, 0.66666666666666667, 0.102868899974728, 0.4253504355652, 0.8250440087973, 0.3843247825446),
    ('control', 5, 14, 2, 0.57142857142857143, 0.107989849431208, 0.3379769538595, 0.7492407099432, 0.5271819254017),
    ('control', 8, 12, 4, 0.38095238095238095, 0.105971169574131, 0.1830665488204, 0.5777886777458, 0.8605152587351),
    ('control', 11, 8, 2, 0.28571428571428571, 0.0985807941917649, 0.1165613264368, 0.4818196480090, 1.110515258735),
    ('control', 12, 6, 2, 0.19047619047619048, 0.0856890867468988, 0.05948170136118, 0.3774348905852, 1.443848592068),
    ('control', 15, 4, 1, 0.14285714285714286, 0.0763603548321213, 0.03565735519067, 0.3211615746809, 1.693848592068),
    ('control', 17, 3, 1, 0.095238095238095238, 0.0640564484890047, 0.01625926021225, 0.2612499819687, 2.027181925402),
    ('control', 22, 2, 1, 0.047619047619047619, 0.0464714320451682, 0.003324463042531, 0.1970449056989, 2.527181925402),
    ('control', 23, 1, 1, 0, NULL, NULL, NULL, 3.527181925402))
SELECT count(*) AS rows, bool_and(coalesce(p.n_risk = g.n AND p.n_events = g.d, false)) AS counts, bool_and(abs(p.survival - g.survival) <= 1e-12 * g.survival) AS survival,
       bool_and(abs(p.std_error / g.std_error - 1) < 1e-12) AS std_error, bool_and(abs(p.conf_low / g.conf_low - 1) < 1e-12 AND abs(p.conf_high / g.conf_high - 1) < 1e-12) AS interval,
       bool_and(abs(p.cumulative_hazard / g.hazard - 1) < 1e-12) AS hazard, count(p.std_error) AS known
FROM (SELECT arm, s.* FROM arms, survival_points(sample) AS s) AS p FULL JOIN golden AS g USING (arm, at);
SELECT arm, km_median(sample), m.*, km_survival(sample, 5.9) = 1 AS s5, round(km_survival(sample, 6)::numeric, 6) AS s6, round(km_survival(sample, 23)::numeric, 6) AS s23,
       km_survival(sample, 35) > 0 AS s35, km_survival(sample, 35.1) AS beyond, km_survival(sample, 'infinity') AS endless
FROM arms, km_quantile(sample, 0.5) AS m ORDER BY arm;
SELECT arm, p, q.* FROM arms, (VALUES (0.1), (0.25), (0.75), (0.9)) AS v (p), km_quantile(sample, p, conf => 0.8) AS q ORDER BY arm, p;
SELECT arm, until, abs(m.estimate / golden - 1) < 1e-12 AS mean, abs(m.std_error / error - 1) < 1e-12 AS std_error,
       abs(m.conf_high - m.estimate - 1.9599639845400542 * m.std_error) < 1e-12 AND abs(m.conf_high + m.conf_low - 2 * m.estimate) < 1e-12 AS interval
FROM arms JOIN (VALUES ('6-MP', 35::float8, 23.287394957983193, 2.8274676233714393821), ('6-MP', 20, 16.116526610644258, 1.2515601960050473433),
    ('control', 23, 8.6666666666666667, 1.3773900412645484008), ('control', 'infinity', 8.6666666666666667, 1.3773900412645484008),
    ('control', 20, 8.4285714285714286, 1.2680826825039220318)) AS g (arm, until, golden, error) USING (arm), km_mean(sample, until) AS m ORDER BY 1, 2;
-- in any unit of time, also where squares of it are no numbers
SELECT unit, abs(m.estimate / unit / 23.287394957983193 - 1) < 1e-12 AS mean, abs(m.std_error / unit / 2.8274676233714393821 - 1) < 1e-12 AS std_error, m.conf_low < m.estimate AND m.conf_high > m.estimate AND m.conf_high < 'infinity' AS interval
FROM (VALUES (1e-300::float8), (1e306)) AS u (unit), LATERAL (SELECT survival_sample(weeks * unit, relapsed) AS s FROM remission WHERE arm = '6-MP') AS p, km_mean(s, 35 * unit) AS m;
SELECT arm, round(m.estimate::numeric, 6) AS estimate, m.std_error > 0 AS has_error FROM arms, km_mean(sample, 35.5) AS m ORDER BY arm;
SELECT arm, e.estimate = p.survival AND e.std_error = p.std_error AND e.conf_low = p.conf_low AND e.conf_high = p.conf_high AS same
FROM arms, survival_points(sample, 0.9) AS p, km_survival_ci(sample, p.at, 0.9) AS e WHERE at = 13 OR at = 12;
SELECT t, e.* FROM arms, (VALUES (0), (0.5), (23), (30)) AS v (t), km_survival_ci(sample, t) AS e WHERE arm = 'control' ORDER BY t;
SELECT t.df, abs(t.chi_square / 16.792940989216533 - 1) < 1e-12 AS chi_square, abs(t.p_value / 0.000041688091093345419 - 1) < 1e-12 AS p_value
FROM (SELECT array_agg(sample ORDER BY arm) AS samples FROM arms) AS a, log_rank_test(samples) AS t;
SELECT g.group_number, g.n, g.observed, abs(g.expected / CASE group_number WHEN 1 THEN 19.250500948031130 ELSE 30 - 19.250500948031130 END - 1) < 1e-12 AS expected,
       abs(g.variance / 6.2569605736755001 - 1) < 1e-12 AS variance
FROM (SELECT array_agg(sample ORDER BY arm) AS samples FROM arms) AS a, log_rank_groups(samples) AS g;

-- Samples: overloads, NULLs, rows that were observed for no time ---------------------------------------------------------
SELECT survival_sample(t, e) FROM (VALUES (1, true), (2, false), (2, false), (NULL, true), (3, NULL), (0, false)) AS v (t, e);
SELECT survival_sample(t, e, 1) AS whole, survival_sample(t::numeric, e, 0.5) AS numeric, survival_sample(t::bigint, e, NULL::float8) AS unknown FROM (VALUES (2, true), (3, false)) AS v (t, e);
SELECT survival_sample(t, e, ARRAY[1, 2]) AS whole, survival_sample(t, e, ARRAY[0.5, t]) AS numeric, survival_sample(t, e, '{7}'::float8[], 1) AS entry FROM (VALUES (2, true), (3, false)) AS v (t, e);
SELECT survival_sample(t, e, ARRAY[t], 0, 7) AS of_number, survival_sample(t, e, ARRAY[t], 0, 7::smallint) = survival_sample(t, e, ARRAY[t], 0, 7::bigint) AS same FROM (VALUES (2, true), (3, false)) AS v (t, e);
SELECT survival_sample(t, e, ARRAY[t], 0, 'a') = survival_sample(t, e, ARRAY[t], 0, 'a'::varchar) AS same, i.kind, i.n, i.n_skipped, i.covariates
FROM (VALUES (2, true), (3, false)) AS v (t, e), LATERAL sample_info('clustered_survival(covariates=2){}') AS i GROUP BY i.kind, i.n, i.n_skipped, i.covariates;
-- a NULL among x, or all of x, before it is known how many they are
SELECT survival_sample(t, e, x ORDER BY o) AS first, survival_sample(t, e, x ORDER BY o DESC) AS last, survival_sample(t, e, x, 0, NULL::bigint) AS all
FROM (VALUES (1, NULL::float8, true, '{1,2}'::float8[]), (2, 2, true, NULL), (3, 2, false, '{1,NULL}'), (4, 3, true, '{1,2}')) AS v (o, t, e, x);
SELECT clv_sample(s::clv_sample) FROM (VALUES ('survival(skipped=2){}'), ('survival(skipped=1,covariates=1){3:0:1:1}'), ('survival(skipped=4){}')) AS v (s);
SELECT survival_sample(1, true) FILTER (WHERE false) AS no_rows, survival_sample(NULL, true) AS skipped;
SELECT survival_failure(format('SELECT survival_sample(%s)', a)) FROM (VALUES ('-1, true'), ('0, true'), ('''NaN''::float8, true'), ('''infinity''::float8, false'), ('2, true, 2'),
    ('2, false, 3'), ('2, true, -1'), ('2, true, ''NaN''::float8'), ('''infinity''::float8, false, ''infinity''::float8'), ('2, true, ''{}''::float8[]'), ('2, true, ''{{1},{2}}''::float8[]'),
    ('2, true, ''{NaN}''::float8[]'), ('2, true, array_fill(1::float8, ''{33}'')'), ('2, true, ''{1}''::float8[], 3'), ('2, true, ''{1}''::float8[], 0, 9007199254740993'), ('2, true, NULL')) AS v (a);
SELECT survival_failure('SELECT survival_sample(2, true, x) FROM (VALUES (''{1}''::float8[]), (''{1,2}'')) AS v (x)');
SELECT survival_failure(format('SELECT %L::clv_sample', s)) FROM (VALUES ('survival{2:2:1}'), ('survival{0:1:2}'), ('survival{0:1:0,0:1:0}'), ('survival(covariates=1){0:1:0}'),
    ('clustered_survival{0:1:1}'), ('survival(covariates=33){}'), ('survival{-1:1:0}')) AS v (s);
SELECT 'clustered_survival(skipped=3,covariates=2){1:0.5:0:2:0*2,1:0.5:0:2:1}'::clv_sample;

-- The definition, by brute force: every number at risk counted anew ---------------------------------------------------
-- ties, delayed entries, censoring, three cohorts; a linear congruence takes the place of chance
CREATE TABLE survival_rows AS
SELECT i, chr(97 + i % 3) AS cohort, e AS entry, e + 1 + (u1 * u1 / 1e12 * 25)::int + CASE WHEN i % 2 = 0 THEN 0 ELSE u2 / 4e6 END AS tenure,
       u2 % 10 < 6 AS event, u1 % 7 AS x
FROM (SELECT i, (i::bigint * 7919 % 100003 * 10 + 7) % 1000003 AS u1, (i::bigint * 104729 + 31) % 1000003 AS u2, CASE WHEN i % 10 < 4 THEN i * 31 % 5 ELSE 0 END::float8 AS e
      FROM generate_series(1, 600) AS i) AS s;
SELECT count(*) AS n, count(DISTINCT tenure) AS times, count(*) FILTER (WHERE event) AS events, count(*) FILTER (WHERE entry > 0) AS delayed, max(tenure) AS longest FROM survival_rows;
CREATE TEMP VIEW brute AS
WITH times AS (SELECT DISTINCT cohort, tenure AS at FROM survival_rows WHERE event),
counts AS (
    SELECT t.cohort, t.at, lead(t.at) OVER (PARTITION BY t.cohort ORDER BY t.at) AS next,
           (SELECT count(*) FROM survival_rows AS r WHERE r.cohort = t.cohort AND r.entry < t.at AND t.at <= r.tenure) AS n,
           (SELECT count(*) FROM survival_rows AS r WHERE r.cohort = t.cohort AND r.event AND r.tenure = t.at) AS d FROM times AS t)
SELECT cohort, at, n, d, (SELECT count(*) FROM survival_rows AS r WHERE r.cohort = c.cohort AND NOT r.event AND r.tenure >= c.at AND (next IS NULL OR r.tenure < next)) AS censored,
       exp(sum(ln(1 - d::numeric / n)) OVER past)::float8 AS survival, sum(d::numeric / n / (n - d)) OVER past::float8 AS greenwood, sum(d::numeric / n) OVER past::float8 AS hazard
FROM counts AS c WHERE n > d WINDOW past AS (PARTITION BY cohort ORDER BY at);
CREATE TEMP TABLE cohorts AS SELECT cohort, survival_sample(tenure, event, entry) AS sample FROM survival_rows GROUP BY cohort;
SELECT count(*) AS rows, bool_and(coalesce(p.n_risk = b.n AND p.n_events = b.d AND p.n_censored = b.censored, false)) AS counts, bool_and(abs(p.survival / b.survival - 1) < 1e-12) AS survival,
       bool_and(abs(p.std_error / b.survival / sqrt(b.greenwood) - 1) < 1e-12) AS std_error, bool_and(abs(p.cumulative_hazard / b.hazard - 1) < 1e-12) AS hazard,
       bool_and(abs(ln(-ln(p.conf_low)) - ln(-ln(p.survival)) - 1.9599639845400542 * sqrt(b.greenwood) / -ln(b.survival)) < 1e-9) AS interval
FROM (SELECT cohort, s.* FROM cohorts, survival_points(sample) AS s WHERE s.survival > 0) AS p FULL JOIN brute AS b USING (cohort, at);
-- the area below the curve, and its variance
WITH steps AS (SELECT cohort, at, n, d, survival, lead(at, 1, 12::float8) OVER (PARTITION BY cohort ORDER BY at) - at AS width FROM brute WHERE at < 12),
areas AS (SELECT *, sum(survival * width) OVER (PARTITION BY cohort ORDER BY at DESC) AS beyond FROM steps)
SELECT cohort, abs(m.estimate / (min(at) + max(beyond)) - 1) < 1e-12 AS mean, abs(m.std_error / sqrt(sum(beyond ^ 2 * d / n / (n - d))) - 1) < 1e-12 AS std_error
FROM areas JOIN cohorts USING (cohort), km_mean(sample, 12) AS m GROUP BY cohort, m.estimate, m.std_error ORDER BY 1;
-- three groups: the sums of each, and chi-square by the inverse of the covariance of two of them
WITH counts AS (
    SELECT t.at, (SELECT array_agg(n ORDER BY cohort) FROM (SELECT cohort, count(*) FILTER (WHERE entry < t.at AND t.at <= tenure) AS n FROM survival_rows GROUP BY cohort) AS g) AS n,
           (SELECT array_agg(d ORDER BY cohort) FROM (SELECT cohort, count(*) FILTER (WHERE event AND tenure = t.at) AS d FROM survival_rows GROUP BY cohort) AS g) AS d
    FROM (SELECT DISTINCT tenure AS at FROM survival_rows WHERE event) AS t),
totals AS (SELECT n, d, (SELECT sum(v) FROM unnest(n) AS v)::numeric AS all_n, (SELECT sum(v) FROM unnest(d) AS v)::numeric AS all_d FROM counts),
shares AS (SELECT d, all_d, n[1] / all_n AS p1, n[2] / all_n AS p2, n[3] / all_n AS p3, CASE WHEN all_n > 1 THEN all_d * (all_n - all_d) / (all_n - 1) ELSE 0 END AS spread FROM totals),
sums AS (SELECT sum(d[1] - all_d * p1)::float8 AS u1, sum(d[2] - all_d * p2)::float8 AS u2, sum(spread * p1 * (1 - p1))::float8 AS v11, sum(spread * p2 * (1 - p2))::float8 AS v22,
                sum(spread * p3 * (1 - p3))::float8 AS v33, sum(-spread * p1 * p2)::float8 AS v12, sum(all_d * p3)::float8 AS e3 FROM shares)
SELECT t.df, abs(t.chi_square / ((u1 * u1 * v22 - 2 * u1 * u2 * v12 + u2 * u2 * v11) / (v11 * v22 - v12 * v12)) - 1) < 1e-10 AS chi_square,
       abs(t.p_value / exp(-t.chi_square / 2) - 1) < 1e-12 AS p_value, abs(g.expected / e3 - 1) < 1e-12 AS expected, abs(g.variance / v33 - 1) < 1e-12 AS variance
FROM sums, (SELECT array_agg(sample ORDER BY cohort) AS samples FROM cohorts) AS a, log_rank_test(samples) AS t, log_rank_groups(samples) AS g WHERE g.group_number = 3;
-- regressors and clusters are ignored: rows of the same times add up
SELECT bool_and(p = q AND q = r) AS same FROM cohorts AS c JOIN (SELECT cohort, survival_sample(tenure, event, ARRAY[x, i], entry) AS of_x, survival_sample(tenure, event, ARRAY[x], entry, i % 11) AS of_clusters
    FROM survival_rows GROUP BY cohort) AS s USING (cohort),
    LATERAL (SELECT array_agg(v) AS p FROM survival_points(sample) AS v) AS p, LATERAL (SELECT array_agg(v) AS q FROM survival_points(of_x) AS v) AS q,
    LATERAL (SELECT array_agg(v) AS r FROM survival_points(of_clusters) AS v) AS r;
SELECT bool_and(t = u) AS same FROM (SELECT array_agg(sample ORDER BY cohort) AS a FROM cohorts) AS a, log_rank_test(a) AS t,
    (SELECT array_agg(s ORDER BY cohort) AS b FROM (SELECT cohort, survival_sample(tenure, event, ARRAY[x], entry, i % 11) AS s FROM survival_rows GROUP BY cohort) AS s) AS b, log_rank_test(b) AS u;

-- One value: serial, parallel, in any order, in parts, one partial per row ------------------------------------------------
CREATE TABLE survival_parts AS SELECT i, tenure, CASE WHEN i % 17 > 0 THEN event END AS event, entry, CASE WHEN i > 9 THEN ARRAY[x, i % 3]::float8[] END AS x, i % 11 AS cluster FROM survival_rows ORDER BY i;
CREATE TEMP TABLE serial AS SELECT survival_sample(tenure, event) AS a, survival_sample(tenure, event, entry) AS b, survival_sample(tenure, event, x) AS c,
    survival_sample(tenure, event, x, entry) AS d, survival_sample(tenure, event, x, entry, cluster) AS e, survival_sample(tenure, event, x, entry, cluster::text) AS f FROM survival_parts;
SELECT i.* FROM serial, LATERAL (VALUES (a), (b), (c), (d), (e), (f)) AS v (s), sample_info(s) AS i;
CREATE TEMP VIEW backwards AS SELECT survival_sample(tenure, event ORDER BY i DESC) AS a, survival_sample(tenure, event, entry ORDER BY i DESC) AS b, survival_sample(tenure, event, x ORDER BY i DESC) AS c,
    survival_sample(tenure, event, x, entry ORDER BY i DESC) AS d, survival_sample(tenure, event, x, entry, cluster ORDER BY i DESC) AS e, survival_sample(tenure, event, x, entry, cluster::text ORDER BY i DESC) AS f FROM survival_parts;
SELECT s::text = v::text AS same FROM serial AS s, backwards AS v;
SELECT p.a = s.a AND p.b = s.b AND p.c = s.c AND p.d = s.d AND p.e = s.e AND p.f = s.f AS of_rows
FROM serial AS s, (SELECT clv_sample(a ORDER BY i) AS a, clv_sample(b ORDER BY i DESC) AS b, clv_sample(c ORDER BY i) AS c, clv_sample(d ORDER BY i DESC) AS d, clv_sample(e ORDER BY i) AS e, clv_sample(f ORDER BY i DESC) AS f
    FROM (SELECT i, survival_sample(tenure, event) AS a, survival_sample(tenure, event, entry) AS b, survival_sample(tenure, event, x) AS c, survival_sample(tenure, event, x, entry) AS d,
                 survival_sample(tenure, event, x, entry, cluster) AS e, survival_sample(tenure, event, x, entry, cluster::text) AS f FROM survival_parts GROUP BY i) AS r) AS p;
SET max_parallel_workers_per_gather = 3;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET parallel_leader_participation = off;
ALTER TABLE survival_parts SET (parallel_workers = 3);
EXPLAIN (COSTS OFF) SELECT survival_sample(tenure, event, x, entry, cluster) FROM survival_parts;
SELECT p.a = s.a AND p.b = s.b AND p.c = s.c AND p.d = s.d AND p.e = s.e AND p.f = s.f AS parallel
FROM serial AS s, (SELECT survival_sample(tenure, event) AS a, survival_sample(tenure, event, entry) AS b, survival_sample(tenure, event, x) AS c, survival_sample(tenure, event, x, entry) AS d,
    survival_sample(tenure, event, x, entry, cluster) AS e, survival_sample(tenure, event, x, entry, cluster::text) AS f FROM survival_parts) AS p;
RESET max_parallel_workers_per_gather;
RESET min_parallel_table_scan_size;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET parallel_leader_participation;
-- combined by hand: NULL and empty on either side
SELECT clv_sample_final(clv_sample_combine(NULL, b)) = b AS left_null, clv_sample_final(clv_sample_combine(b, NULL)) = b AS right_null, clv_sample_final(clv_sample_combine('survival{}', b)) = b AS left_empty,
       clv_sample_final(clv_sample_combine(b, 'survival{}')) = b AS right_empty FROM serial;
SELECT a::text::clv_sample = a AND e::text::clv_sample = e AS text_and_back FROM serial;

-- What the data do not know --------------------------------------------------------------------------------------------
-- all at risk have the event at 3, and others come after
CREATE TEMP TABLE unknown AS SELECT name, sample::clv_sample FROM (VALUES ('used up', 'survival{0:2:1,0:3:1,2:3:1,3:6:1,4:9:0}'),
    ('gap', 'survival{1:2:1,1:3:0,4:6:1,4:7:0}'), ('gap after the last', 'survival{0:2:1,0:3:0,4:7:0}'), ('no events', 'survival{0:5:0*3}'), ('one event', 'survival{0:5:1}'), ('no rows', 'survival(skipped=3){}')) AS v (name, sample);
SELECT name, p.at, p.n_risk, p.n_events, p.n_censored, round(p.survival::numeric, 4) AS survival, round(p.std_error::numeric, 4) AS std_error, round(p.cumulative_hazard::numeric, 4) AS hazard
FROM unknown LEFT JOIN LATERAL survival_points(sample) AS p ON true ORDER BY name COLLATE "C", at;
SELECT name, km_median(sample) FROM unknown ORDER BY name COLLATE "C";
SELECT name, m.estimate, round(m.std_error::numeric, 6) AS std_error, m.conf_low IS NULL AS no_interval FROM unknown, km_mean(sample, 5) AS m ORDER BY name COLLATE "C";
-- one warning a query
SELECT t, km_survival(sample, t) FROM unknown, generate_series(0, 8) AS t WHERE name = 'used up';
SELECT t, km_survival(sample, t) FROM unknown, generate_series(0, 8) AS t WHERE name = 'gap';
SELECT m.* FROM unknown, km_mean(sample, 0.5) AS m WHERE name = 'gap';
-- what the hint says: the survival of those who last until 4
SELECT p.at, p.n_risk, p.n_events, p.n_censored, p.survival, round(p.std_error::numeric, 6) AS std_error FROM survival_points((SELECT survival_sample(tenure, event, greatest(entry, 4)) FROM (VALUES (1, 2, true), (1, 3, false), (4, 6, true), (4, 7, false)) AS v (entry, tenure, event) WHERE tenure > 4)) AS p;
SELECT km_survival(NULL, 3) IS NULL AND km_survival(sample, NULL) IS NULL AND km_median(NULL) IS NULL AS nulls FROM unknown WHERE name = 'no events';
SELECT count(*) FROM survival_points(NULL);

-- Groups that are missing, empty, alone, or never at risk together ----------------------------------------------------
SELECT t.df, round(t.chi_square::numeric, 6) AS chi_square FROM (SELECT array_agg(sample ORDER BY arm) AS a FROM arms) AS a, LATERAL (VALUES (array_prepend(NULL, a)), (array_append(a, 'survival{}'::clv_sample)),
    (array_append(a, NULL)), (array_append(a, 'survival{50:60:1,50:61:0}'::clv_sample)), (a || a), ('[3:4]={NULL,NULL}'::clv_sample[] || a)) AS v (samples), log_rank_test(samples) AS t;
SELECT g.group_number, g.n, g.observed, round(g.expected::numeric, 6) AS expected, round(g.variance::numeric, 6) AS variance
FROM (SELECT array_agg(sample ORDER BY arm) AS a FROM arms) AS a, log_rank_groups(array_prepend(NULL, a || 'survival{}'::clv_sample)) AS g;
SELECT * FROM log_rank_test('{}');
SELECT * FROM log_rank_test(ARRAY['survival{0:1:1}'::clv_sample, NULL]);
SELECT * FROM log_rank_test(ARRAY['survival{0:1:1}', 'survival{1:2:1}']::clv_sample[]);
SELECT * FROM log_rank_groups(ARRAY['survival{0:1:1}', 'survival{1:2:1}']::clv_sample[]);
SELECT count(*) FROM log_rank_test(NULL);

-- Errors ---------------------------------------------------------------------------------------------------------------
SELECT survival_failure(format('SELECT %s FROM (SELECT ''survival{0:1:1,0:2:0}''::clv_sample AS s) AS v', call)) FROM (VALUES ('km_survival(s, -1)'), ('km_survival(s, ''NaN'')'), ('km_survival_ci(s, 1, 1)'),
    ('km_quantile(s, 0)'), ('km_quantile(s, 1)'), ('km_quantile(s, ''NaN'')'), ('km_quantile(s, 0.5, 95)'), ('km_mean(s, 0)'), ('km_mean(s, ''NaN'')'), ('km_mean(s, 1, 0)'), ('survival_points(s, 1.5)'),
    ('km_median(''renewals{0:1:1}'')'), ('survival_points(''timing{0:0:1}'')'), ('km_survival(''prediction{0.5:1}'', 1)'), ('log_rank_test(ARRAY[s, ''response(covariates=1){1:1}''])'),
    ('log_rank_test(ARRAY[[s, s], [s, s]])'), ('log_rank_groups(array_fill(s, ''{201}''))')) AS v (call);
-- half a million distinct times, in the order of something else
CREATE TEMP TABLE many AS SELECT survival_sample(i, i % 3 > 0, ARRAY[i::bigint * 7919 % 500009]) AS sample FROM generate_series(1, 500000) AS i;
SELECT km_median(sample), (SELECT count(*) FROM survival_points(sample)) AS points FROM many;
DROP TABLE survival_rows CASCADE;
DROP TABLE survival_parts CASCADE;
DROP FUNCTION survival_failure(text);
