-- Linear regression, its errors, joint tests, several tests, rank correlation.
\set VERBOSITY terse
-- SQLSTATE, message, detail and hint of a statement that must fail
CREATE FUNCTION lm_failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN format('%s: %s | %s | %s', SQLSTATE, SQLERRM, detail, hint);
END $$;
-- the largest relative difference of estimates and standard errors
CREATE FUNCTION lm_difference(a clv_model, b clv_model) RETURNS float8 LANGUAGE sql AS $$
    SELECT max(greatest(abs(s.estimate / t.estimate - 1), abs(s.std_error / t.std_error - 1))) FROM tidy(a) AS s FULL JOIN tidy(b) AS t USING (term)
$$;

-- Samples --------------------------------------------------------------------------------------------------------------
SELECT regression_sample(y, x) FROM (VALUES (1::float8, '{1,2}'::float8[]), (2, '{1,NULL}'), (NULL, '{1,2}'), (3, NULL), (1, '{1,2}'), ('-0', '{-0,2}')) AS v (y, x);
SELECT regression_sample(y, x) AS float8, regression_sample(y > 0, x) AS boolean, regression_sample(y, x, 7 - y::int) AS bigint, regression_sample(y > 0, x, 7 - y::int) AS boolean_bigint
FROM (VALUES (1::float8, '{1,2}'::float8[]), (-1, '{1,3}'), (NULL, '{1,2}')) AS v (y, x);
-- a text is kept as a number: the same for the same text, that of a varchar too
SELECT i.kind, i.n, i.n_distinct, i.n_skipped, i.covariates, s = t AS same, s = u AS of_boolean
FROM (SELECT regression_sample(y, x, c) AS s, regression_sample(y, x, c::varchar) AS t, regression_sample(y = 1, x, c) AS u
      FROM (VALUES (1, '{5}'::float8[], 'ann'), (0, '{5}', 'bob'), (1, '{5}', 'ann'), (1, '{5}', NULL)) AS v (y, x, c)) AS s, sample_info(s) AS i;
SELECT lm_failure(format('SELECT regression_sample(%s) FROM (VALUES (1, ''{1,2}''::float8[]), (2, ''{1}'')) AS v (y, x)', arguments)) FROM (VALUES ('y, x'), ('y, ''{}'''), ('y, ''{{1,2},{3,4}}'''),
    ('y, array_fill(1::float8, ARRAY[33])'), ('y, ''{NaN}'''), ('''infinity''::float8, ''{1}'''), ('y, ''{1}'', 9007199254740993'), ('true, ''{infinity}'', ''a''')) AS v (arguments);

-- Longley: certified by NIST, HC0 to HC3 at 50 digits ------------------------------------------------------------------
CREATE TABLE longley (y float8, gnpdefl float8, gnp float8, unemp float8, armed float8, pop float8, year float8);
INSERT INTO longley VALUES
    (60323, 83.0, 234289, 2356, 1590, 107608, 1947), (61122, 88.5, 259426, 2325, 1456, 108632, 1948),
    (60171, 88.2, 258054, 3682, 1616, 109773, 1949), (61187, 89.5, 284599, 3351, 1650, 110929, 1950),
    (63221, 96.2, 328975, 2099, 3099, 112075, 1951), (63639, 98.1, 346999, 1932, 3594, 113270, 1952),
    (64989, 99.0, 365385, 1870, 3547, 115094, 1953), (63761, 100.0, 363112, 3578, 3350, 116219, 1954),
    (66019, 101.2, 397469, 2904, 3048, 117388, 1955), (67857, 104.6, 419180, 2822, 2857, 118734, 1956),
    (68169, 108.4, 442769, 2936, 2798, 120445, 1957), (66513, 110.8, 444546, 4681, 2637, 121950, 1958),
    (68655, 112.6, 482704, 3813, 2552, 123366, 1959), (69564, 114.2, 502601, 3931, 2514, 125368, 1960),
    (69331, 115.7, 518173, 4806, 2572, 127852, 1961), (70551, 116.9, 554894, 4007, 2827, 130081, 1962);
CREATE TABLE fits AS
SELECT 'model' AS errors, lm_fit(y, ARRAY[gnpdefl, gnp, unemp, armed, pop, year]) AS model FROM longley
UNION ALL SELECT e, lm_fit(s, e) FROM (SELECT regression_sample(y, ARRAY[gnpdefl, gnp, unemp, armed, pop, year]) AS s FROM longley) AS s, unnest(ARRAY['HC0', 'HC1', 'HC2', 'HC3']) AS e;
SELECT f.errors, bool_and(abs(t.estimate / g.estimate - 1) < 1e-9) AS estimates, bool_and(abs(t.std_error / g.std_error - 1) < 1e-9) AS std_errors,
       bool_and(abs(t.statistic / g.statistic - 1) < 1e-9) AS t, bool_and(abs(t.p_value / g.p_value - 1) < 1e-9) AS p, count(*) AS terms
FROM (VALUES
    ('intercept', 'model', -3482258.6345958183::float8, 890420.38360737255::float8, -3.9108029181543388::float8, 0.0035604036637262307::float8),
    ('x1', 'model', 15.061872271373295::float8, 84.914925774766945::float8, 0.17737602822999857::float8, 0.86314083280921453::float8),
    ('x2', 'model', -0.035819179292591017::float8, 0.033491007772243189::float8, -1.0695163172210476::float8, 0.31268106109271112::float8),
    ('x3', 'model', -2.0202298038168251::float8, 0.48839968165169946::float8, -4.1364273559407128::float8, 0.0025350917341112787::float8),
    ('x4', 'model', -1.0332268671735920::float8, 0.21427416316167526::float8, -4.8219853104454606::float8, 0.00094436676416179346::float8),
    ('x5', 'model', -0.051104105653580714::float8, 0.22607320006937036::float8, -0.22605114466420374::float8, 0.82621179576364699::float8),
    ('x6', 'model', 1829.1514646135518::float8, 455.47849914221199::float8, 4.0158898127097853::float8, 0.0030368033416302891::float8),
    ('intercept', 'HC0', -3482258.6345958183, 832211.58058032674, NULL, NULL),
    ('x1', 'HC0', 15.061872271373295, 51.220347445663919, NULL, NULL),
    ('x2', 'HC0', -0.035819179292591017, 0.024575997582644729, NULL, NULL),
    ('x3', 'HC0', -2.0202298038168251, 0.38323911092599479, NULL, NULL),
    ('x4', 'HC0', -1.0332268671735920, 0.14624500114098425, NULL, NULL),
    ('x5', 'HC0', -0.051104105653580714, 0.15820849621992394, NULL, NULL),
    ('x6', 'HC0', 1829.1514646135518, 428.38437553509803, NULL, NULL),
    ('intercept', 'HC1', -3482258.6345958183, 1109615.4407737690, NULL, NULL),
    ('x1', 'HC1', 15.061872271373295, 68.293796594218559, NULL, NULL),
    ('x2', 'HC1', -0.035819179292591017, 0.032767996776859639, NULL, NULL),
    ('x3', 'HC1', -2.0202298038168251, 0.51098548123465973, NULL, NULL),
    ('x4', 'HC1', -1.0332268671735920, 0.19499333485464566, NULL, NULL),
    ('x5', 'HC1', -0.051104105653580714, 0.21094466162656525, NULL, NULL),
    ('x6', 'HC1', 1829.1514646135518, 571.17916738013071, NULL, NULL),
    ('intercept', 'HC2', -3482258.6345958183, 1202369.5126009077, NULL, NULL),
    ('x1', 'HC2', 15.061872271373295, 67.492082149754076, NULL, NULL),
    ('x2', 'HC2', -0.035819179292591017, 0.036534050255994737, NULL, NULL),
    ('x3', 'HC2', -2.0202298038168251, 0.55333671464879002, NULL, NULL),
    ('x4', 'HC2', -1.0332268671735920, 0.20522087372013977, NULL, NULL),
    ('x5', 'HC2', -0.051104105653580714, 0.22323671795804073, NULL, NULL),
    ('x6', 'HC2', 1829.1514646135518, 617.59295508376544, NULL, NULL),
    ('intercept', 'HC3', -3482258.6345958183, 1799477.2306618162, NULL, NULL),
    ('x1', 'HC3', 15.061872271373295, 91.119386601139273, NULL, NULL),
    ('x2', 'HC3', -0.035819179292591017, 0.055623988388393588, NULL, NULL),
    ('x3', 'HC3', -2.0202298038168251, 0.82213350201658000, NULL, NULL),
    ('x4', 'HC3', -1.0332268671735920, 0.29878925759054153, NULL, NULL),
    ('x5', 'HC3', -0.051104105653580714, 0.32490582113601661, NULL, NULL),
    ('x6', 'HC3', 1829.1514646135518, 922.80784171540403, NULL, NULL)) AS g (term, errors, estimate, std_error, statistic, p_value)
JOIN fits AS f USING (errors) JOIN LATERAL tidy(model) AS t USING (term) GROUP BY f.errors ORDER BY f.errors;
SELECT f.errors, n, n_skipped, covariates, g.errors, clusters, df, abs(sigma / 304.85407356196480 - 1) < 1e-9 AS sigma, abs(r_squared / 0.99547900457729560 - 1) < 1e-9 AS r_squared,
       abs(statistic / 330.28533923458830 - 1) < 1e-9 AS f, round(log_likelihood::numeric, 4) AS log_likelihood, round(aic::numeric, 4) AS aic, converged FROM fits AS f, glance(model) AS g ORDER BY f.errors;
-- the same from moments, from a sample with the model's errors, and of years from 1947 on
SELECT lm_difference(a.model, lm_fit(m)) < 1e-12 AS moments, lm_difference(a.model, lm_fit(s)) < 1e-12 AS sample, lm_fit(s) = lm_fit(s, 'model') AS by_default, lm_fit(s, NULL) = lm_fit(s) AS of_null
FROM fits AS a, (SELECT clv_moments(y, ARRAY[gnpdefl, gnp, unemp, armed, pop, year]) AS m, regression_sample(y, ARRAY[gnpdefl, gnp, unemp, armed, pop, year]) AS s FROM longley) AS l WHERE errors = 'model';
SELECT round(predict(model, '{100,400000,3000,2500,120000,1956}')::numeric, 4) AS predicted FROM fits WHERE errors = 'HC3';

-- Uptake of CO2 by 12 plants (Potvin, Lechowicz and Tardif 1990), errors within plants ----------------------------------
CREATE TABLE co2 AS
SELECT plant, chilled::int, concentration, uptake FROM (VALUES
    ('Qn1', false, '{16,30.4,34.8,37.2,35.3,39.2,39.7}'::float8[]), ('Qn2', false, '{13.6,27.3,37.1,41.8,40.6,41.4,44.3}'),
    ('Qn3', false, '{16.2,32.4,40.3,42.1,42.9,43.9,45.5}'), ('Qc1', true, '{14.2,24.1,30.3,34.6,32.5,35.4,38.7}'),
    ('Qc2', true, '{9.3,27.3,35,38.8,38.6,37.5,42.4}'), ('Qc3', true, '{15.1,21,38.1,34,38.9,39.6,41.4}'),
    ('Mn1', false, '{10.6,19.2,26.2,30,30.9,32.4,35.5}'), ('Mn2', false, '{12,22,30.6,31.8,32.4,31.1,31.5}'),
    ('Mn3', false, '{11.3,19.4,25.8,27.9,28.5,28.1,27.8}'), ('Mc1', true, '{10.5,14.9,18.1,18.9,19.5,22.2,21.9}'),
    ('Mc2', true, '{7.7,11.4,12.3,13,12.5,13.7,14.4}'), ('Mc3', true, '{10.6,18,17.9,17.9,17.9,18.9,19.9}')) AS v (plant, chilled, uptakes),
    unnest('{95,175,250,350,500,675,1000}'::float8[], uptakes) AS u (concentration, uptake);
TRUNCATE fits;
INSERT INTO fits SELECT e, lm_fit(s, e) FROM (SELECT regression_sample(uptake, ARRAY[concentration, chilled], plant) AS s FROM co2) AS s, unnest(ARRAY['model', 'HC0', 'HC1', 'HC2', 'HC3', 'CR1']) AS e;
INSERT INTO fits SELECT 'default', lm_fit(regression_sample(uptake, ARRAY[concentration, chilled], plant)) FROM co2;
INSERT INTO fits SELECT 'one pass', lm_cluster_fit(m) FROM (SELECT clv_moments(uptake, ARRAY[concentration, chilled]) AS m FROM co2 GROUP BY plant) AS m;
INSERT INTO fits SELECT 'scores', lm_cluster_vcov(model, uptake, ARRAY[concentration, chilled], plant) FROM co2, (SELECT model FROM fits WHERE errors = 'model') AS f;
INSERT INTO fits SELECT 'scores of numbers', lm_cluster_vcov(model, uptake, ARRAY[concentration, chilled], plant) FROM (SELECT dense_rank() OVER (ORDER BY plant) AS plant, concentration, chilled, uptake FROM co2) AS c,
    (SELECT model FROM fits WHERE errors = 'HC3') AS f;
-- CR0 is CR1 without its factor; classical errors of one file, robust ones of the other: the same estimates
SELECT f.errors, bool_and(abs(t.estimate / g.estimate - 1) < 1e-9) AS estimates, bool_and(abs(t.std_error / g.std_error - 1) < 1e-9) AS std_errors,
       bool_and(abs(t.p_value / g.p_value - 1) < 1e-9) AS p, bool_and(abs(t.std_error / sqrt(12.0 / 11 * 83 / 81) / g.cr0 - 1) < 1e-9) AS cr0, count(*) AS terms
FROM (VALUES
    ('intercept', 'model', 22.930051711125262::float8, 1.9897457776398540::float8, NULL::float8, NULL::float8),
    ('x1', 'model', 0.017730587199383633, 0.0033057813699897862, NULL, NULL),
    ('x2', 'model', -6.8595238095238095, 1.9448400544385732, NULL, NULL),
    ('intercept', 'HC0', 22.930051711125262, 2.0226685693240523, NULL, NULL),
    ('x1', 'HC0', 0.017730587199383633, 0.0034256230024414402, NULL, NULL),
    ('x2', 'HC0', -6.8595238095238095, 1.9097950208671710, NULL, NULL),
    ('intercept', 'HC1', 22.930051711125262, 2.0597848499412230, NULL, NULL),
    ('x1', 'HC1', 0.017730587199383633, 0.0034884837135710654, NULL, NULL),
    ('x2', 'HC1', -6.8595238095238095, 1.9448400544385732, NULL, NULL),
    ('intercept', 'HC2', 22.930051711125262, 2.0678200989585185, NULL, NULL),
    ('x1', 'HC2', 0.017730587199383633, 0.0035243757912554104, NULL, NULL),
    ('x2', 'HC2', -6.8595238095238095, 1.9464595537708658, NULL, NULL),
    ('intercept', 'HC3', 22.930051711125262, 2.1142527841313706, NULL, NULL),
    ('x1', 'HC3', 0.017730587199383633, 0.0036264968044412077, NULL, NULL),
    ('x2', 'HC3', -6.8595238095238095, 1.9840925846329902, NULL, NULL),
    ('intercept', 'CR1', 22.930051711125262, 2.0589408657107222, 2.4959334185060436e-7, 1.9473905417084566),
    ('x1', 'CR1', 0.017730587199383633, 0.0021392116873017746, 4.6574322713395640e-6, 0.0020233124107358232),
    ('x2', 'CR1', -6.8595238095238095, 4.1454884226593016, 0.12620823264061791, 3.9208920855830251)) AS g (term, errors, estimate, std_error, p_value, cr0)
JOIN fits AS f ON g.errors = CASE WHEN f.errors IN ('default', 'one pass', 'scores', 'scores of numbers') THEN 'CR1' ELSE f.errors END
JOIN LATERAL tidy(model) AS t USING (term) GROUP BY f.errors ORDER BY f.errors;
SELECT f.errors, n, n_distinct, g.errors, clusters, df, round(sigma::numeric, 6) AS sigma, abs(r_squared / 0.33719136684692448 - 1) < 1e-9 AS r_squared, round(statistic::numeric, 6) AS f, round(p_value::numeric, 12) AS p_value
FROM fits AS f, glance(model) AS g ORDER BY f.errors;
-- F of all effects is Wald's test of them
SELECT f.errors, abs(w.statistic / g.statistic - 1) < 1e-9 AS statistic, abs(w.p_value / g.p_value - 1) < 1e-7 AS p_value, w.df, w.df_residual = g.df AS df_residual
FROM fits AS f, glance(model) AS g, wald_test(model, '{x1,x2}') AS w ORDER BY f.errors;

-- Errors within clusters, three ways -----------------------------------------------------------------------------------
-- a year with noise; clusters of 1 to 9 rows, many of fewer rows than columns
CREATE TABLE visits AS
SELECT i, i * i % 97 AS customer, 'k' || i * i % 97 AS key, 2026 + sin(i * 7.1) AS year, cos(i * 3.7) AS tone, i % 5 = 0 AS phone, (i % 3)::float8 AS channel,
       5 + 3 * sin(i * 7.1) - cos(i * 3.7) + 2 * sin(i * i % 97 * 1.3) + sin(i * 17.3) AS y, 1 + i % 4 AS w
FROM generate_series(1, 150) AS i;
CREATE VIEW visit AS SELECT *, ARRAY[year, tone, phone::int, channel] AS x FROM visits;
CREATE TABLE ways AS
SELECT (SELECT lm_fit(regression_sample(y, x, customer)) FROM visit) AS sample, (SELECT lm_cluster_fit(m) FROM (SELECT clv_moments(y, x) AS m FROM visit GROUP BY customer) AS c) AS moments,
       (SELECT lm_cluster_vcov(m, y, x, customer) FROM visit, (SELECT lm_fit(y, x) AS m FROM visit) AS f) AS scores, (SELECT lm_fit(y, x) FROM visit) AS plain;
SELECT lm_difference(sample, moments) < 1e-10 AS one_pass, lm_difference(sample, scores) < 1e-10 AS scores, lm_difference(sample, plain) > 0.1 AS plain, clusters, df FROM ways, glance(sample);
SELECT term, round(estimate::numeric, 8) AS estimate, round(std_error::numeric, 8) AS std_error, round(p_value::numeric, 8) AS p_value FROM ways, tidy(moments);
-- two clusters of one: errors, but no test of four effects
SELECT df, statistic IS NULL AS no_f, p_value IS NULL AS no_p, std_errors FROM (SELECT lm_fit(regression_sample(y, x, customer % 2)) AS m FROM visit) AS f, glance(m), LATERAL (SELECT count(std_error) AS std_errors FROM tidy(m)) AS t;
-- one cluster for each row is HC0 times N / (N - 1) (N - 1) / (N - K)
SELECT max(abs(a.std_error / b.std_error - 1)) < 1e-10 AS hc1 FROM (SELECT lm_fit(regression_sample(y, x, i)) AS a, lm_fit(regression_sample(y, x), 'HC1') AS b FROM visit) AS f, tidy(a) AS a JOIN tidy(b) AS b USING (term);
-- weights: a sample has counts instead, which are rows; the errors of precision within clusters do not depend on the scale of weights
SELECT lm_difference(a, b) < 1e-11 AS scale, lm_difference(a, c) > 1e-3 AS weighted, (SELECT n FROM glance(a)) AS n FROM (
    SELECT (SELECT lm_cluster_fit(m) FROM (SELECT clv_moments(y, x, w) AS m FROM visit GROUP BY customer) AS c) AS a,
           (SELECT lm_cluster_fit(m) FROM (SELECT clv_moments(y, x, w * 1e6) AS m FROM visit GROUP BY customer) AS c) AS b, (SELECT moments FROM ways) AS c) AS f;
SELECT lm_difference(a, b) < 1e-11 AS counts, (SELECT n FROM glance(b)) AS n, (SELECT n_distinct FROM glance(b)) AS n_distinct FROM (
    SELECT (SELECT lm_cluster_fit(m) FROM (SELECT clv_moments(y, x) AS m FROM visit, generate_series(1, w) GROUP BY customer) AS c) AS a, (SELECT lm_fit(regression_sample(y, x, customer)) FROM visit, generate_series(1, w)) AS b) AS f;

-- Within groups --------------------------------------------------------------------------------------------------------
-- as with a column for each group but one; no intercept, no level to predict
SELECT term, round(a.estimate::numeric, 8) AS within, round(a.std_error::numeric, 8) AS std_error, round(b.estimate::numeric, 8) AS dummies, round(b.std_error::numeric, 8) AS std_error
FROM (SELECT lm_fit(m) AS within FROM (SELECT within_moments(m) AS m FROM (SELECT clv_moments(y, ARRAY[year, tone]) AS m FROM visit GROUP BY channel) AS g) AS w) AS f,
     (SELECT lm_fit(y, ARRAY[year, tone, (channel = 1)::int, (channel = 2)::int]) AS dummies FROM visit) AS d, tidy(within) AS a JOIN tidy(dummies) AS b USING (term);
SELECT a.df, b.df AS of_dummies, a.sigma = b.sigma OR abs(a.sigma / b.sigma - 1) < 1e-12 AS sigma, a.r_squared < b.r_squared AS share_of_what_is_within, lm_failure(format('SELECT predict(%L, ''{1,2}'')', within))
FROM (SELECT lm_fit(m) AS within FROM (SELECT within_moments(m) AS m FROM (SELECT clv_moments(y, ARRAY[year, tone]) AS m FROM visit GROUP BY channel) AS g) AS w) AS f,
     (SELECT lm_fit(y, ARRAY[year, tone, (channel = 1)::int, (channel = 2)::int]) AS dummies FROM visit) AS d, glance(within) AS a, glance(dummies) AS b;

-- What the data cannot tell --------------------------------------------------------------------------------------------
\set VERBOSITY default
\set SHOW_CONTEXT never
-- too few rows; nothing but NULLs; no residuals; a constant y
SELECT lm_fit(y, ARRAY[i]) FROM visits WHERE i <= 2;
SELECT lm_fit(NULL::float8, ARRAY[i]) AS aggregate, lm_fit(regression_sample(NULL::float8, ARRAY[i]::float8[])) AS sample FROM visits;
SELECT lm_fit(3 * i - 7, ARRAY[i]) AS line, lm_fit(regression_sample(3 * year + tone, ARRAY[year, tone]), 'HC1') AS plane FROM visits;
SELECT lm_fit(0.1, ARRAY[i]) AS constant, lm_fit(5, ARRAY[1]) AS nothing_varies FROM visits;
-- columns that say the same: the others are fitted as without them
SELECT t.* FROM (SELECT lm_fit(y, ARRAY[tone, 0.1, 2 * tone - 3]) AS m FROM visits) AS f, LATERAL (SELECT term, round(estimate::numeric, 6) AS estimate, round(std_error::numeric, 6) AS std_error FROM tidy(m)) AS t;
SELECT g.df, g.covariates, w.df AS tested, abs(w.statistic / g.statistic - 1) < 1e-12 AS f FROM (SELECT lm_cluster_fit(m) AS m FROM (SELECT clv_moments(y, ARRAY[tone, 0.1, 2 * tone - 3]) AS m FROM visits GROUP BY customer) AS c) AS f,
    glance(m) AS g, wald_test(m, '{x1}') AS w;
SELECT count(*) AS rows, count(estimate) AS known FROM (SELECT lm_cluster_vcov(m, y, ARRAY[tone, 0.1], customer) AS v FROM visits, (SELECT lm_fit(y, ARRAY[tone, 0.1]) AS m FROM visits) AS f) AS s, tidy(v);
-- one cluster
SELECT lm_cluster_fit(m) FROM (SELECT clv_moments(y, x) AS m FROM visit) AS c;
SELECT lm_cluster_vcov(m, y, x, 1) FROM visit, (SELECT lm_fit(y, x) AS m FROM visit) AS f;
-- leverage 1; errors of 0
SELECT count(estimate) AS estimates, count(std_error) AS std_errors, count(p_value) AS p_values FROM (SELECT lm_fit(regression_sample(y, ARRAY[tone, (i = 7)::int]), 'HC3') AS m FROM visits) AS f, tidy(m);
SELECT count(std_error) AS std_errors FROM (SELECT lm_fit(regression_sample(phone::int * y, ARRAY[phone::int]), 'HC0') AS m FROM visits) AS f, tidy(m);
-- other rows than those of the model
SELECT (SELECT n FROM glance(v)) AS n, round((SELECT std_error FROM tidy(v) WHERE term = 'x2')::numeric, 6) AS std_error
FROM (SELECT lm_cluster_vcov(m, y, x, customer) AS v FROM visit, (SELECT lm_fit(y, x) AS m FROM visit WHERE i > 5) AS f) AS s;
\set VERBOSITY terse
-- numbers beyond the range of a triangle
SELECT lm_fit('response(covariates=1){1:1e200,2:3,4:4,5:1}'::clv_sample);
-- nothing in, nothing out
SELECT lm_fit(y, x) AS fit, lm_cluster_fit(NULL) AS clusters, lm_cluster_vcov(NULL, y, x, customer) AS no_model, regression_sample(y, x) AS sample FROM visit WHERE i < 0;
SELECT lm_cluster_fit(NULL) AS clusters, lm_cluster_vcov(NULL, y, x, customer) AS no_model, lm_fit(NULL::clv_moments) AS moments, lm_fit(NULL::clv_sample, 'HC0') AS sample FROM visit;
SELECT lm_failure(format('SELECT %s FROM visit, ways', call)) FROM (VALUES
    ('lm_fit(regression_sample(y, x), ''hc1'')'), ('lm_fit(regression_sample(y, x), ''CR1'')'), ('lm_fit(pair_sample(y, i))'), ('lm_fit(survival_sample(i, phone))'),
    ('lm_fit(1e101 * i, x)'),
    ('lm_cluster_fit(CASE i WHEN 1 THEN ''rows(x=1){1:1:1}'' ELSE ''rows(x=2){1:1:2:3}'' END::clv_moments)'),
    ('lm_cluster_vcov(CASE i WHEN 7 THEN plain ELSE sample END, y, x, customer)'), ('lm_cluster_vcov(plain, y, ''{1,2}'', customer)'), ('lm_cluster_vcov(plain, ''NaN''::float8, x, customer)'), ('lm_cluster_vcov(plain, y, x, 9007199254740993)'),
    ('lm_cluster_vcov(sbg_model(1, 1), y, x, customer)')) AS v (call);
SELECT lm_failure('SELECT lm_cluster_fit(m) FROM (SELECT within_moments(m) AS m FROM (SELECT clv_moments(y, x) AS m FROM visit GROUP BY customer) AS c) AS w');
SELECT lm_failure('SELECT lm_cluster_vcov(f.m, y, x, customer) FROM visit, (SELECT lm_fit(within_moments(m)) AS m FROM (SELECT clv_moments(y, x) AS m FROM visit GROUP BY channel) AS c) AS f');

-- Serial, parallel, merged in any order --------------------------------------------------------------------------------
CREATE FUNCTION in_parallel(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text; line text; workers boolean := false;
BEGIN
    PERFORM set_config('parallel_setup_cost', '0', true), set_config('parallel_tuple_cost', '0', true), set_config('min_parallel_table_scan_size', '0', true),
            set_config('max_parallel_workers_per_gather', '2', true);
    FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
        workers := workers OR line LIKE '%Partial%Aggregate%';
    END LOOP;
    EXECUTE query INTO answer;
    RETURN CASE WHEN workers THEN answer ELSE 'not parallel' END;
END $$;
CREATE TABLE cells WITH (autovacuum_enabled = false, parallel_workers = 2) AS SELECT customer, clv_moments(y, x) AS m FROM visit GROUP BY customer;
ANALYZE visits;
SELECT in_parallel('SELECT regression_sample(y, x) FROM visit') = regression_sample(y, x)::text AS sample, in_parallel('SELECT regression_sample(y > 3, x, key) FROM visit') = regression_sample(y > 3, x, key)::text AS clustered,
       in_parallel('SELECT (pair_sample(y, w), spearman(y, w))::text FROM visit') = (pair_sample(y, w), spearman(y, w))::text AS pairs,
       lm_difference(in_parallel('SELECT lm_fit(y, x) FROM visit')::clv_model, lm_fit(y, x)) < 1e-11 AS fit FROM visit;
-- merging is what makes workers dear for so few rows
BEGIN;
ALTER FUNCTION clv_lm_combine_scores(bytea, bytea) COST 2;
SELECT lm_difference(in_parallel('SELECT lm_cluster_fit(m) FROM cells')::clv_model, moments) < 1e-11 AS clusters,
       lm_difference(in_parallel(format('SELECT lm_cluster_vcov(%L, y, x, key) FROM visit', plain))::clv_model, scores) < 1e-11 AS scores FROM ways;
ROLLBACK;
-- a partial for each row, merged in both orders, with empty and NULL ones between them
CREATE FUNCTION merged_scores(descending boolean) RETURNS clv_model LANGUAGE plpgsql AS $$
DECLARE
    state bytea; part bytea; r record;
BEGIN
    FOR r IN SELECT customer, y, x, plain FROM visit, ways ORDER BY CASE WHEN descending THEN -i ELSE i END LOOP
        part := clv_lm_add_score(NULL, r.plain, r.y, r.x, r.customer);
        state := clv_lm_combine_scores(clv_lm_combine_scores(state, NULL), part);
        state := clv_lm_combine_scores(state, clv_lm_add_score(NULL, r.plain, NULL::float8, r.x, r.customer));
    END LOOP;
    RETURN clv_lm_vcov_final(clv_lm_combine_scores(NULL, state));
END $$;
SELECT lm_difference(merged_scores(false), scores) < 1e-11 AS forth, lm_difference(merged_scores(true), scores) < 1e-11 AS back, clv_lm_combine_scores(NULL, NULL) IS NULL AS nothing FROM ways;
-- dropped rows come first, and from another origin
SELECT lm_difference(clv_lm_vcov_final(clv_lm_combine_scores(clv_lm_add_score(NULL, plain, NULL::float8, x, 1), state)), scores) < 1e-11 AS after_nothing
FROM ways, visit, LATERAL (SELECT string_agg(x::text, '') FROM visit) AS u,
     LATERAL (WITH RECURSIVE s AS (SELECT 0 AS i, NULL::bytea AS state UNION ALL SELECT s.i + 1, clv_lm_add_score(s.state, w.plain, v.y, v.x, v.customer) FROM s, ways AS w, visit AS v WHERE v.i = s.i + 1)
              SELECT state FROM s WHERE i = 150) AS s WHERE i = 1;
-- a state is anybody's bytes
SELECT lm_failure(format('SELECT clv_lm_vcov_final(%s)', state)) FROM (VALUES ('''\x'''), ('''\x00'''), ('decode(repeat(''00'', 4000), ''hex'')'), ('decode(''01000300'' || repeat(''ff'', 4000), ''hex'')'),
    ('substr(clv_lm_add_score(NULL, plain, y, x, 1), 1, 400)) FROM ways, visit WHERE (i = 1'), ('set_byte(clv_lm_add_score(NULL, plain, y, x, 1), 2, 5)) FROM ways, visit WHERE (i = 1'),
    ('set_byte(clv_lm_add_score(NULL, plain, y, x, 1), 36 + 8 * 30 + 4, 9)) FROM ways, visit WHERE (i = 1')) AS v (state);
-- many clusters: the table grows
SELECT abs(a.std_error / b.std_error - 1) < 1e-10 AS same, a.df FROM (
    SELECT lm_cluster_vcov(f.m, y, x, i % 30000) AS a, lm_fit(regression_sample(y, x, i % 30000)) AS b
    FROM (SELECT i, ARRAY[sin(i)] AS x, cos(i * 1.7) + sin(i % 30000) AS y FROM generate_series(1, 100000) AS i) AS r, (SELECT lm_fit(cos(i * 1.7) + sin(i % 30000), ARRAY[sin(i)]) AS m FROM generate_series(1, 100000) AS i) AS f) AS m,
    LATERAL (SELECT std_error, df FROM tidy(a), glance(a) WHERE term = 'x1') AS a, LATERAL (SELECT std_error FROM tidy(b) WHERE term = 'x1') AS b;

-- A response that is true or false is 1 or 0 --------------------------------------------------------------------------
SELECT clv_moments(good, x) = clv_moments(good::int, x) AS moments, clv_moments(good, x, w) = clv_moments(good::int, x, w) AS weighted, lm_fit(good, x) = lm_fit(good::int, x) AS fit,
       moments_summary(clv_moments(CASE WHEN i > 5 THEN good END, x)) = moments_summary(clv_moments(CASE WHEN i > 5 THEN good::int END, x)) AS dropped
FROM (SELECT *, y > 3 AS good FROM visit) AS v;
SELECT a = b AS of_bigint, c = d AS of_text FROM (
    SELECT lm_cluster_vcov(m, good, x, customer) AS a, lm_cluster_vcov(m, good::int, x, customer) AS b, lm_cluster_vcov(m, good, x, customer::text) AS c, lm_cluster_vcov(m, good::int, x, customer::text) AS d
    FROM (SELECT *, y > 3 AS good FROM visit) AS v, (SELECT lm_fit(y > 3, x) AS m FROM visit) AS f) AS s;

-- Terms by names of the columns ---------------------------------------------------------------------------------------
SELECT n.term, to_jsonb(t) - 'term' = to_jsonb(n) - 'term' AS same FROM ways, LATERAL (SELECT *, row_number() OVER () AS i FROM tidy(plain)) AS t
JOIN LATERAL (SELECT *, row_number() OVER () AS i FROM tidy(plain, '{year,tone,"wait, min",gold}'::text[])) AS n USING (i);
SELECT a = b AS positional, a = c AS named, d = e AS default_conf, a <> d AS conf, a <> f AS by_names FROM ways,
    LATERAL (SELECT array_agg(t ORDER BY term) AS a FROM tidy(plain, 0.9) AS t) AS a, LATERAL (SELECT array_agg(t ORDER BY term) AS c FROM tidy(plain, conf => 0.9) AS t) AS c,
    LATERAL (SELECT array_agg(t ORDER BY term) AS d FROM tidy(plain) AS t) AS d, LATERAL (SELECT array_agg(t ORDER BY term) AS e FROM tidy(plain, 0.95) AS t) AS e,
    LATERAL (SELECT array_agg(t ORDER BY term) AS b FROM tidy(plain, '{x1,x2,x3,x4}', 0.9) AS t) AS b, LATERAL (SELECT array_agg(t ORDER BY term) AS f FROM tidy(plain, names => '{a,b,c,d}', conf => 0.9) AS t) AS f;
-- a column without an effect has its name all the same, and so has that of a hazard, whose baseline keeps its own
SELECT term, estimate IS NULL AS no_effect FROM (SELECT lm_fit(y, ARRAY[tone, 7]) AS m FROM visits) AS f, tidy(m, ARRAY['tone', 'constant']);
SELECT string_agg(term, ', ') AS terms FROM (SELECT hazard_fit(1 + i % 5, i % 3 = 0, ARRAY[sin(i)]) AS m FROM generate_series(1, 60) AS i) AS f, tidy(m, '{sine}'::text[]);
SELECT count(*) AS rows_of_null FROM tidy(NULL, '{a}'::text[]);
SELECT lm_failure(format('SELECT tidy(%s) FROM ways', arguments)) FROM (VALUES ('plain, ''{a,b,c}''::text[]'), ('plain, ''{a,b,c,NULL}''::text[]'), ('plain, ''{}''::text[]'), ('plain, ''{{a,b},{c,d}}''::text[]'), ('plain, ''{a,b,c,d}'', 95'), ('sbg_model(1, 1), ''{a}''::text[]')) AS v (arguments);

-- Joint tests ----------------------------------------------------------------------------------------------------------
-- one term is the square of its t; F of dropping terms by sums of squares; values of their own
SELECT abs(w.statistic / power(t.statistic, 2) - 1) < 1e-12 AS square, abs(w.p_value / t.p_value - 1) < 1e-9 AS p_value, w.df, w.df_residual
FROM ways, tidy(plain) AS t, wald_test(plain, ARRAY[t.term]) AS w;
SELECT w.df, w.df_residual, abs(w.statistic / ((r.rss - f.rss) / 2 / (f.rss / f.df)) - 1) < 1e-9 AS f_of_dropping, round(w.p_value::numeric, 8) AS p_value
FROM ways, wald_test(plain, '{x3,x4}') AS w, LATERAL (SELECT sigma * sigma * df AS rss, df FROM glance(plain)) AS f,
     LATERAL (SELECT sigma * sigma * df AS rss FROM glance((SELECT lm_fit(y, ARRAY[year, tone]) FROM visit))) AS r;
SELECT round(statistic::numeric, 8) AS statistic, df, df_residual, round(p_value::numeric, 8) AS p_value FROM ways, wald_test(sample, '{x2,x1}', '{-1,3}');
SELECT statistic < 1e-20 AS at_the_estimates, p_value FROM ways, LATERAL (SELECT array_agg(term) AS terms, array_agg(estimate) AS estimates FROM tidy(sample) WHERE term <> 'intercept') AS t, wald_test(sample, terms, estimates);
SELECT w.* FROM (SELECT lm_fit(regression_sample(y, x, customer % 3)) AS m FROM visit) AS f, wald_test(m, '{x1,x2,x3}') AS w;
-- what a double cannot tell apart: the intercept at the year 0, and the effect of a year
SELECT w.* FROM (SELECT lm_fit(y, ARRAY[2026e6 + tone]) AS m FROM visit) AS f, wald_test(m, '{intercept,x1}') AS w;
SELECT count(*) AS rows_of_null FROM wald_test(NULL, '{x1}');
SELECT lm_failure(format('SELECT wald_test(%s) FROM ways', arguments)) FROM (VALUES ('plain, ''{x1,x5}'''), ('plain, ''{x1,x1}'''), ('plain, ''{}'''), ('plain, ''{NULL}'''), ('plain, ''{x1,x2}'', ''{1}'''), ('plain, ''{x1}'', ''{NaN}'''),
    ('plain, ''{x1,x2,x3,x4,intercept,x1}'''), ('sbg_model(1, 1), ''{alpha}'''),
    ('plain, ''{x1}'', ''{1e308}'''), ('''cox{x1=-1e308}{1}'', ''{x1}''')) AS v (arguments);
SELECT lm_failure($$SELECT wald_test(m, '{x2}') FROM (SELECT lm_fit(y, ARRAY[tone, 1]) AS m FROM visits) AS f$$);

-- Several tests: Benjamini and Hochberg 1995, 3.2 ----------------------------------------------------------------------
SELECT count(*) AS tests, bool_and(abs(b / bh - 1) < 1e-14) AS benjamini_hochberg, bool_and(abs(h / holm - 1) < 1e-14) AS holm, count(*) FILTER (WHERE b <= 0.05) AS found, count(*) FILTER (WHERE h <= 0.05) AS found_by_holm
FROM (SELECT *, benjamini_hochberg(p) OVER () AS b, holm(p) OVER () AS h FROM (VALUES (0.0001::float8, 0.0015000000000000000::float8, 0.0015000000000000000::float8), (0.0004, 0.0030000000000000000, 0.0056000000000000000), (0.0019, 0.0095000000000000000, 0.024700000000000000), (0.0095, 0.035625000000000000, 0.11400000000000000), (0.0201, 0.060300000000000000, 0.22110000000000000), (0.0278, 0.063857142857142857, 0.27800000000000000), (0.0298, 0.063857142857142857, 0.27800000000000000), (0.0344, 0.064500000000000000, 0.27800000000000000), (0.0459, 0.076500000000000000, 0.32130000000000000), (0.3240, 0.48600000000000000, 1.0000000000000000), (0.4262, 0.58118181818181818, 1.0000000000000000), (0.5719, 0.71487500000000000, 1.0000000000000000), (0.6528, 0.75323076923076923, 1.0000000000000000), (0.7590, 0.81321428571428571, 1.0000000000000000), (1.0000, 1.0000000000000000, 1.0000000000000000)) AS v (p, bh, holm)) AS t;
-- ties, NULLs, partitions; order and frame make no difference
SELECT g, p, round(benjamini_hochberg(p) OVER (PARTITION BY g)::numeric, 6) AS bh, round(holm(p) OVER (PARTITION BY g ORDER BY p DESC ROWS BETWEEN CURRENT ROW AND CURRENT ROW)::numeric, 6) AS holm
FROM (VALUES (1, 0.01), (1, 0.02), (1, 0.02), (1, NULL), (1, 0.9), (2, 0.9), (2, 0), (3, NULL), (4, 1), (5, 0.03)) AS v (g, p) ORDER BY g, p;
SELECT count(*) FILTER (WHERE bh < p OR holm < bh OR bh > 1 OR holm > 1) AS wrong, count(DISTINCT (p, bh, holm)) = count(DISTINCT p) AS ties FROM (
    SELECT p, benjamini_hochberg(p) OVER () AS bh, holm(p) OVER () AS holm FROM (SELECT i * i % 1009 / 1009.0 AS p FROM generate_series(1, 5000) AS i) AS s) AS t;
-- a column that is passed by reference frees the row before: the window may have other columns
SELECT sum(length(pad)) AS length, round(sum(bh)::numeric, 6) AS sum FROM (SELECT repeat('x', i) AS pad, benjamini_hochberg(length(repeat('y', i)) / 100.0) OVER () AS bh FROM generate_series(1, 100) AS i) AS s;
SELECT lm_failure(format('SELECT %s(p) OVER () FROM (VALUES (0.5::float8), (%s)) AS v (p)', f, p)) FROM (VALUES ('-0.01'), ('1.01'), ('''NaN''')) AS v (p), unnest('{benjamini_hochberg,holm}'::text[]) AS f;

-- Rank correlation -----------------------------------------------------------------------------------------------------
-- no ties: 1 - 6 * 194 / 990
SELECT n, abs(estimate / (-29.0 / 165) - 1) < 1e-12 AS estimate, round(std_error::numeric, 8) AS std_error, round(conf_low::numeric, 8) AS conf_low, round(conf_high::numeric, 8) AS conf_high, round(p_value::numeric, 8) AS p_value
FROM (SELECT pair_sample(iq, hours) AS s FROM (VALUES (106, 7), (100, 27), (86, 2), (101, 50), (99, 28), (103, 29), (97, 20), (113, 12), (112, 6), (110, 17), (NULL, 3)) AS v (iq, hours)) AS p, rank_correlation(s);
-- ties: Pearson's correlation of midranks
SELECT abs(spearman(a, b) - corr(ra, rb)) < 1e-13 AS midranks, abs(spearman(b, a) - spearman(a, b)) < 1e-14 AS symmetric, abs(spearman(exp(a), -b) + spearman(a, b)) < 1e-14 AS monotone FROM (
    SELECT a, b, rank() OVER (ORDER BY a) + (count(*) OVER (PARTITION BY a) - 1) / 2.0 AS ra, rank() OVER (ORDER BY b) + (count(*) OVER (PARTITION BY b) - 1) / 2.0 AS rb
    FROM (SELECT i * i % 23 AS a, (i * 13 % 29 + i * i % 23) % 17 AS b FROM generate_series(1, 400) AS i) AS s) AS r;
SELECT pair_sample(a, b) FROM (VALUES (1, 2), (1, 2), (NULL, 2), (0, 5)) AS v (a, b);
SELECT r.* FROM (SELECT clv_sample(s) AS s FROM (SELECT pair_sample(i, i) AS s FROM generate_series(1, 9) AS i GROUP BY i % 4) AS p) AS m, rank_correlation(s) AS r;
SELECT spearman(i, 5) AS constant, spearman(i, i) AS same, spearman(i, NULL) AS nothing FROM generate_series(1, 5) AS i;
SELECT spearman(i, i) FROM generate_series(1, 0) AS i;
SELECT n, estimate, conf_low, p_value IS NULL AS no_p FROM generate_series(1, 4) AS k, LATERAL (SELECT pair_sample(i, i * 3 % 4) AS s FROM generate_series(1, k) AS i) AS p, rank_correlation(s, 0.9) ORDER BY n;
SELECT lm_failure(format('SELECT rank_correlation(%s)', arguments)) FROM (VALUES ('''rating{1}'''), ('''pair{1:2}'', 1'), ('''pair{1:2}'', 95')) AS v (arguments);
SELECT lm_failure('SELECT spearman(1, ''infinity'')');

DROP TABLE longley, co2, fits, ways, cells;
DROP VIEW visit;
DROP TABLE visits;
DROP FUNCTION lm_failure(text), lm_difference(clv_model, clv_model), in_parallel(text), merged_scores(boolean);
