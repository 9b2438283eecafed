-- Type clv_moments: rows and triangles, merging, moments within groups, correlations.
-- Longley's data and figures are NIST's; other expected numbers are by test/reference/make_moments, or by hand.

-- SQLSTATE, message, detail and hint of a failing query
CREATE FUNCTION pg_temp.fails(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
    result text;
BEGIN
    EXECUTE 'SELECT (' || query || ')::text' INTO result;
    RETURN 'no error: ' || coalesce(result, 'NULL');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;

CREATE TABLE longley (employed float8, deflator float8, gnp float8, unemployed float8, armed float8, population float8, year float8);
INSERT INTO longley VALUES
    (60323, 83.0, 234289, 2356, 1590, 107608, 1947), (61122, 88.5, 259426, 2325, 1456, 108632, 1948), (60171, 88.2, 258054, 3682, 1616, 109773, 1949), (61187, 89.5, 284599, 3351, 1650, 110929, 1950),
    (63221, 96.2, 328975, 2099, 3099, 112075, 1951), (63639, 98.1, 346999, 1932, 3594, 113270, 1952), (64989, 99.0, 365385, 1870, 3547, 115094, 1953), (63761, 100.0, 363112, 3578, 3350, 116219, 1954),
    (66019, 101.2, 397469, 2904, 3048, 117388, 1955), (67857, 104.6, 419180, 2822, 2857, 118734, 1956), (68169, 108.4, 442769, 2936, 2798, 120445, 1957), (66513, 110.8, 444546, 4681, 2637, 121950, 1958),
    (68655, 112.6, 482704, 3813, 2552, 123366, 1959), (69564, 114.2, 502601, 3931, 2514, 125368, 1960), (69331, 115.7, 518173, 4806, 2572, 127852, 1961), (70551, 116.9, 554894, 4007, 2827, 130081, 1962);
CREATE VIEW longley_rows AS SELECT employed AS y, ARRAY[deflator, gnp, unemployed, armed, population, year] AS x, year::int AS year FROM longley;

-- ---- rows ----------------------------------------------------------------------------------------

-- rows are sorted: the value does not depend on their order; weight, x1, ..., y
SELECT clv_moments(y, ARRAY[a, b]) FROM (VALUES (3, 2, 0.5), (1, -2, 7), (1, -2, 7)) AS v(y, a, b);
SELECT count(DISTINCT m) AS values FROM (SELECT clv_moments(y, x ORDER BY y * sign, x) AS m FROM (VALUES (1), (-1)) AS s(sign), (VALUES (1.0, '{2,3}'::float8[]), (7, '{2,-3}'), (7, '{1,-3}')) AS v(y, x) GROUP BY sign) AS m;
-- integers, -0, weights; a weight of 0 and every NULL drop the row
SELECT clv_moments(y, x, w) FROM (VALUES (1, '{-0,2}'::float8[], 2), (1, '{3,4}', 0), (NULL, '{3,4}', 1), (1, NULL, 1), (1, '{NULL,4}', 1), (1, '{3,4}', NULL)) AS v(y, x, w);
-- nothing but dropped rows, in any order with others; no rows
SELECT clv_moments(y, x) FROM (VALUES (NULL::float8, '{1}'::float8[]), (1, NULL)) AS v(y, x);
SELECT clv_moments(y, x ORDER BY y NULLS FIRST), clv_moments(y, x ORDER BY y NULLS FIRST) = clv_moments(y, x ORDER BY y NULLS LAST) AS same FROM (VALUES (NULL::float8, NULL::float8[]), (1, '{1}'), (NULL, '{1,2,3}')) AS v(y, x);
SELECT clv_moments(1, '{1}'::float8[]) FILTER (WHERE false) IS NULL AS no_rows, clv_moments(1, '{1}'::float8[], 1) FILTER (WHERE false) IS NULL AS no_weighted, clv_moments(NULL::clv_moments) IS NULL AS no_moments, within_moments(NULL::clv_moments) IS NULL AS no_groups;
-- rows are kept while they take no more room than a triangle: with two regressors three, with ten seven
SELECT k, min(n) - 1 AS rows_kept, min(pg_column_size(m)) AS bytes, count(DISTINCT pg_column_size(m)) AS sizes FROM (SELECT k, n, (SELECT clv_moments(sin(i * i), (SELECT array_agg(cos(i * j)) FROM generate_series(1, k) AS j)) FROM generate_series(1, n) AS i) AS m FROM unnest(ARRAY[1, 2, 10, 32]) AS k, generate_series(1, 25) AS n) AS v
WHERE m::text ~ '^triangle' GROUP BY k ORDER BY k;

SELECT q, pg_temp.fails('(SELECT clv_moments(' || q || '))') FROM (VALUES ('''NaN''::float8, ''{1}''::float8[]'), ('''-Infinity''::float8, ''{1}''::float8[]'), ('1, ''{1,NaN}''::float8[]'), ('1, ''{Infinity,1}''::float8[]'), ('1, ''{}''::float8[]'), ('1, ''{{1,2},{3,4}}''::float8[]'),
    ('1, array_fill(1, ARRAY[33])::float8[]'), ('1e101, ''{1}''::float8[]'), ('1, ''{1,-2e-101}''::float8[]'), ('1, ''{1}''::float8[], -1'), ('1, ''{1}''::float8[], ''NaN'''), ('1, ''{1}''::float8[], ''Infinity'''), ('1, ''{1}''::float8[], 1e51'), ('1, ''{1}''::float8[], 1e-51')) AS v(q);
SELECT pg_temp.fails('(SELECT clv_moments(y, x) FROM (VALUES (1.0, ''{1,2}''::float8[]), (2, ''{3}'')) AS v(y, x))');
SELECT pg_temp.fails('(SELECT clv_moments(i, CASE WHEN i < 50 THEN ARRAY[i, i] ELSE ARRAY[i] END) FROM generate_series(1.0, 50) AS i)');

-- ---- summary and correlation ---------------------------------------------------------------------

SELECT n, n_dropped, groups, sum_weights, columns FROM (SELECT clv_moments(y, x) AS m FROM longley_rows) AS v, moments_summary(m);
SELECT i, abs(means[i] / mean - 1) < 1e-15 AS mean, abs(std_devs[i] / std_dev - 1) < 1e-14 AS std_dev
FROM (SELECT clv_moments(y, x) AS m FROM longley_rows) AS v, moments_summary(m), LATERAL (SELECT i, avg(value) AS mean, stddev_samp(value) AS std_dev FROM (SELECT i, value FROM longley_rows, unnest(x || y) WITH ORDINALITY AS u(value, i)) AS u GROUP BY i) AS plain ORDER BY i;
-- few rows; two of weights 1 and 3: mean 3/2, sum of squares 3/4 * 4 over 4 * 1/2
SELECT s.* FROM (VALUES ('rows(dropped=3){}'::clv_moments), ('rows(x=1){2:5:7}'), ('rows(x=1){1:0:5,3:2:5}'), (NULL)) AS v(m), moments_summary(m) AS s;
SELECT std_devs[1] = sqrt(3 / 4.0 * 4 / 4 * 2) AS weighted FROM moments_summary('rows(x=1){1:0:5,3:2:5}');

-- simple correlations; of the partial ones the p-values are those of NIST's t
SELECT i, c.n, c.df, abs(c.estimate / r - 1) < 1e-9 AS estimate, abs(c.conf_low / low - 1) < 1e-9 AS low, abs(c.conf_high / high - 1) < 1e-9 AS high, abs(c.p_value / p - 1) < 1e-9 AS p
FROM (SELECT clv_moments(y, x) AS m FROM longley_rows) AS v, (VALUES (1, 0.97089852506105582, 0.91608730068102305, 0.99009253960721961, 4.3890467024468304e-10::float8), (2, 0.98355161117966931, 0.95199135900048482, 0.9944238345515605, 8.3634787878654121e-12), (3, 0.50249808387599413, 0.0090460413406798673, 0.79914388219776546, 0.047289409779030556),
    (4, 0.45730739997648176, -0.049653975407399906, 0.77689795367978445, 0.074917804964241503), (5, 0.9603905715943755, 0.88692360589434046, 0.98646757008679647, 3.6932450851707213e-9), (6, 0.97132945919211872, 0.9172958197212667, 0.99024065650877931, 3.9583431538070252e-10)) AS e(i, r, low, high, p), correlation(m, i) AS c ORDER BY i;
SELECT i, c.n, c.df, abs(c.estimate / r - 1) < 1e-9 AS estimate, abs(c.conf_low / low - 1) < 1e-9 AS low, abs(c.conf_high / high - 1) < 1e-9 AS high, abs(c.p_value / p - 1) < 1e-9 AS p
FROM (SELECT clv_moments(y, x) AS m FROM longley_rows) AS v, (VALUES (1, 0.059022267544403301, -0.56070506018180299, 0.63636611300990526, 0.86314083280921453), (2, -0.33580385785247366, -0.77879761261370562, 0.3306843185561298, 0.31268106109271112), (3, -0.80950904495888049, -0.94869414864002602, -0.40753453173216442, 0.0025350917341112787),
    (4, -0.84908396418746271, -0.95999237642706444, -0.5079099815106668, 0.00094436676416179346), (5, -0.07513738046364059, -0.64589973147808254, 0.54950551563560264, 0.82621179576364699), (6, 0.8011397162372053, 0.38748245277476289, 0.94625837874866887, 0.0030368033416302891)) AS e(i, r, low, high, p), partial_correlation(m, i) AS c ORDER BY i;
-- the years a million years later: the same digits
SELECT max(abs(f.p_value / c.p_value - 1)) < 1e-10 AS same FROM (SELECT clv_moments(y, x) AS m, clv_moments(y, x[1:5] || x[6] + 1e6) AS far FROM longley_rows) AS v, generate_series(1, 6) AS i, partial_correlation(m, i) AS c, partial_correlation(far, i) AS f;
-- any confidence
SELECT round(conf_low::numeric, 6) AS low, round(conf_high::numeric, 6) AS high, estimate BETWEEN conf_low AND conf_high AS within FROM (SELECT clv_moments(y, x) AS m FROM longley_rows) AS v, unnest(ARRAY[0.5, 0.8, 0.99]) AS conf, correlation(m, 4, conf);
-- NULL where it is not defined, with one warning: a constant, a combination of the others, too few rows, no row; no interval and no p-value at 1
SELECT i, c.* FROM (SELECT clv_moments(a + 0.1, ARRAY[a, 5, 2 * a + 5, a * a]) AS m FROM generate_series(1, 9) AS a) AS v, generate_series(1, 4) AS i, LATERAL (SELECT n, df, round(estimate::numeric, 9) AS estimate, conf_low IS NULL AS no_interval, round(p_value::numeric, 9) AS p_value FROM correlation(m, i)) AS c ORDER BY i;
SELECT i, c.* FROM (SELECT clv_moments(a * a, ARRAY[a, 5, 2 * a + 5, sin(a)]) AS m FROM generate_series(1, 9) AS a) AS v, generate_series(1, 4) AS i, LATERAL (SELECT n, df, round(estimate::numeric, 9) AS estimate, round(p_value::numeric, 9) AS p_value FROM partial_correlation(m, i)) AS c ORDER BY i;
SELECT c.* FROM correlation('rows(dropped=2){}', 1) AS c;
SELECT c.n, c.df, c.estimate IS NOT NULL AS estimate, c.conf_low IS NOT NULL AS interval, c.p_value IS NOT NULL AS p FROM generate_series(1, 5) AS rows, LATERAL (SELECT clv_moments(sin(i), ARRAY[cos(i)]) AS m FROM generate_series(1, rows) AS i) AS v, correlation(m, 1) AS c ORDER BY c.n;
SELECT count(*) FROM (VALUES (NULL::clv_moments, 1, 0.95), ('rows(x=1){1:0:5,3:2:5}', NULL, 0.95), ('rows(x=1){1:0:5,3:2:5}', 1, NULL)) AS v(m, i, conf), correlation(m, i, conf);
SELECT q, pg_temp.fails('(SELECT estimate FROM ' || q || ')') FROM (VALUES ('correlation(''rows(x=1){1:0:5,3:2:5}'', 0)'), ('partial_correlation(''rows(x=1){1:0:5,3:2:5}'', 2)'), ('correlation(''rows(x=1){1:0:5,3:2:5}'', 1, 1)'), ('correlation(''clusters(x=1){rows{1:0:5}}'', 1)'), ('correlation(''clusters{}'', 1)')) AS v(q);

-- ---- within groups -------------------------------------------------------------------------------

-- two groups of two rows, deviations (-1, -2), (1, 2) and (-2, 1), (2, -1): sums of squares 10, products 0, y 10
SELECT within_moments(m) FROM (SELECT clv_moments(y, ARRAY[x]) AS m FROM (VALUES (0, 1.0, 10.0), (0, 3, 14), (1, 102, -5), (1, 106, -7)) AS v(g, x, y) GROUP BY g) AS g;
SELECT c.* FROM (SELECT within_moments(m) AS w FROM (SELECT clv_moments(y, ARRAY[x]) AS m FROM (VALUES (0, 1.0, 10.0), (0, 3, 14), (1, 102, -5), (1, 106, -7)) AS v(g, x, y) GROUP BY g) AS g) AS w, correlation(w, 1) AS c;
-- planted: no correlation within, and a strong one of the whole
SELECT round(p.estimate::numeric, 3) AS pooled, round(w.estimate::numeric, 3) AS within, p.df AS pooled_df, w.df AS within_df
FROM (SELECT clv_moments(m) AS m, within_moments(m) AS w FROM (SELECT clv_moments(g + sin(i), ARRAY[g + cos(i)]) AS m FROM generate_series(1, 4) AS g, generate_series(1, 44) AS i GROUP BY g) AS g) AS v, correlation(m, 1) AS p, correlation(w, 1) AS w;
-- Longley's first five, next five and last six years
CREATE TEMP TABLE eras AS SELECT least((year - 1947) / 5, 2) AS era, clv_moments(y, x[3:4]) AS m FROM longley_rows GROUP BY 1;
SELECT kind, i, c.n, c.df, abs(c.estimate / r - 1) < 1e-9 AS estimate, abs(c.conf_low / low - 1) < 1e-9 AS low, abs(c.conf_high / high - 1) < 1e-9 AS high, abs(c.p_value / p - 1) < 1e-9 AS p
FROM (SELECT within_moments(m) AS w FROM eras) AS v, (VALUES ('simple', 1, -0.13203263848244558, -0.61923254119291366, 0.42856981298520349, 0.65275348131641417), ('simple', 2, 0.14551138195499076, -0.4172847375442962, 0.62763416492145067, 0.61964882965597957),
    ('partial', 1, -0.08034816972725958, -0.60456881114152468, 0.49243767340252221, 0.79414656830510022), ('partial', 2, 0.10118579514536895, -0.47635732619324684, 0.6177314063048217, 0.74221960467866573)) AS e(kind, i, r, low, high, p),
    LATERAL (SELECT * FROM correlation(w, i) WHERE kind = 'simple' UNION ALL SELECT * FROM partial_correlation(w, i) WHERE kind = 'partial') AS c ORDER BY kind DESC, i;
-- means are those of all rows, deviations those within; groups of one row, and of none
SELECT s.n, s.n_dropped, s.groups, s.means[1] = avg_x AS mean, abs(s.std_devs[1] / sqrt(ss / (16 - 3)) - 1) < 1e-14 AS std_dev FROM (SELECT within_moments(m) AS w FROM eras) AS v, moments_summary(w) AS s,
    (SELECT avg(unemployed) AS avg_x FROM longley) AS a, (SELECT sum(ss) AS ss FROM (SELECT var_samp(x[3]) * (count(*) - 1) AS ss FROM longley_rows GROUP BY least((year - 1947) / 5, 2)) AS g) AS b;
SELECT within_moments(m) FROM (VALUES ('rows(x=1){1:2:3}'::clv_moments), ('rows(x=1,dropped=1){1:4:5}'), ('rows(dropped=2){}'), (NULL)) AS v(m);
SELECT within_moments(m) FROM (VALUES ('rows(dropped=2){}'::clv_moments)) AS v(m);
-- groups add up, in every roll-up; what is within and what is not do not mix in one
SELECT w = clv_moments(part) AS rolled_up, w = within_moments(part) AS pooled FROM (SELECT within_moments(m ORDER BY era) AS w FROM eras) AS w, (SELECT within_moments(m) AS part FROM eras GROUP BY era ORDER BY era) AS p GROUP BY w;
SELECT pg_temp.fails('(SELECT clv_moments(m) FROM (VALUES (''rows(x=1){1:2:3}''::clv_moments), (''within(x=1,n=1,groups=1){1:2:3:0:0:0:0:0}'')) AS v(m))');
SELECT pg_temp.fails('(SELECT within_moments(m) FROM (VALUES (''rows(x=1){1:2:3}''::clv_moments), (''rows(x=2){1:2:3:4}'')) AS v(m))');
SELECT pg_temp.fails('(SELECT clv_moments(m) FROM (VALUES (''rows(x=1){1:2:3}''::clv_moments), (''clusters(x=1){rows{1:2:3}}'')) AS v(m))');
SELECT pg_temp.fails('(SELECT within_moments(''clusters(x=1){rows{1:2:3}}''::clv_moments))');

-- ---- merging ---------------------------------------------------------------------------------------

SELECT 'rows(x=1,dropped=1){1:2:3}' + 'rows(x=1){1:1:1}'::clv_moments AS merged, merge_moments('rows(dropped=1){}', 'rows(x=1){1:1:1}'), 'rows(x=1){1:1:1}'::clv_moments + 'rows(dropped=1){}', 'rows{}'::clv_moments + 'rows{}', 'rows{}'::clv_moments + 'within{}', merge_moments(NULL, 'rows{}') IS NULL AS strict;
SELECT 'clusters(x=1){rows{1:2:3}}'::clv_moments + 'clusters(x=1,dropped=2){rows{1:2:0},rows{1:2:3,1:3:0}}';
SELECT pg_temp.fails(q) FROM (VALUES ('''rows(x=1){1:2:3}''::clv_moments + ''rows(x=2){1:2:3:4}'''), ('''rows(x=1){1:2:3}''::clv_moments + ''clusters(x=1){rows{1:2:3}}'''), ('''clusters(x=1){rows{1:2:3}}''::clv_moments + ''clusters(x=2){rows{1:2:3:4}}''')) AS v(q);
-- arguments and states are left alone
SELECT m::text = before AS untouched, (twice, combined, added, grouped) IS NOT NULL AS made FROM (SELECT m, m::text AS before, m + m AS twice, clv_moments_combine(m, m) AS combined, clv_moments_add(m, 1, '{1,2,3,4,5,6}') AS added, clv_moments_add_group(NULL, m) AS grouped FROM (SELECT clv_moments(y, x) AS m FROM longley_rows) AS v OFFSET 0) AS v;
SELECT clv_moments_combine(NULL, 'rows(x=1){1:2:3}'), clv_moments_combine('rows(x=1){1:2:3}', NULL), clv_moments_combine(NULL, NULL) IS NULL AS both;
-- anybody may call a transition function, with any moments as its state: before, they were read and written beyond their end
SELECT q, pg_temp.fails(q) FROM (VALUES ('clv_moments_add_group(''rows(x=1){1:1:1}'', ''rows(x=1){1:2:1}'')'), ('clv_moments_add_group(''clusters(x=1){rows{1:1:1}}'', ''rows(x=1){1:2:1}'')'), ('clv_moments_add(''clusters(x=1){rows{1:1:1}}'', 1, ''{1}'')'), ('clv_moments_add(''within{}'', 1, ''{1}'')'),
    ('clv_moments_add(''within{}'', true, ''{NULL}'')'), ('clv_lm_add_cluster(''within(x=1,n=1,groups=1){1:2:3:0:0:0:0:0}'', ''rows(x=1){1:2:1}'')'), ('clv_lm_add_cluster(''rows{}'', ''rows{}'')'),
    ('clv_moments_add(''rows(dropped=9007199254740992){}'', NULL::float8, ''{1}'')')) AS v (q);
-- running totals: every value is one of its own
SELECT count(DISTINCT m) AS values, bool_and(s.n = v.n) AS counted FROM (SELECT row_number() OVER w AS n, clv_moments(y, x[1:2]) OVER w AS m FROM longley_rows WINDOW w AS (ORDER BY year)) AS v, moments_summary(m) AS s;

-- two moments are near when all they say is: to so many parts of a standard deviation
CREATE FUNCTION pg_temp.near(a clv_moments, b clv_moments, most float8) RETURNS boolean LANGUAGE sql AS $$
    SELECT s.n = t.n AND s.n_dropped = t.n_dropped AND s.groups = t.groups AND s.columns = t.columns AND abs(s.sum_weights / t.sum_weights - 1) < most
        AND (SELECT bool_and(abs(s.means[i] - t.means[i]) <= most * t.std_devs[i] AND abs(s.std_devs[i] - t.std_devs[i]) <= most * t.std_devs[i]) FROM generate_subscripts(t.means, 1) AS i)
        AND (SELECT bool_and(coalesce(abs(c.estimate - d.estimate) < most, c.estimate IS NULL AND d.estimate IS NULL)) FROM generate_series(1, t.columns) AS i, partial_correlation(a, i) AS c, partial_correlation(b, i) AS d)
    FROM moments_summary(a) AS s, moments_summary(b) AS t $$;
-- Longley in any order, from single rows, from parts
SELECT bool_and(pg_temp.near(m, whole, 1e-10)) AS near, count(*) FROM (SELECT clv_moments(y, x) AS whole FROM longley_rows) AS w, generate_series(1, 20) AS seed,
    LATERAL (SELECT clv_moments(y, x ORDER BY md5(seed || y::text)) AS m FROM longley_rows UNION ALL SELECT clv_moments(single ORDER BY md5(seed || y::text)) FROM (SELECT y, clv_moments(y, x) AS single FROM longley_rows GROUP BY y) AS s
        UNION ALL SELECT clv_moments(part) FROM (SELECT clv_moments(y, x) AS part FROM longley_rows GROUP BY length(md5(seed || y::text || 'part')) + ascii(md5(seed || y::text)) % 3) AS p) AS m;

-- serial, parallel and sorted; partial states of one row, under 127 bytes
CREATE TABLE scored AS SELECT i, i % 600 AS g, CASE WHEN i % 41 > 0 THEN round((sin(i * i) * 10 + i % 7)::numeric, 2)::float8 END AS y, ARRAY[i % 7, round(cos(i * 3)::numeric, 3), CASE WHEN i % 53 > 0 THEN 2000 + i % 11 END]::float8[] AS x, 1 + i % 3 AS w FROM generate_series(1, 7000) AS i;
CREATE FUNCTION pg_temp.plan_has(query text, node text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (VERBOSE, FORMAT json) ' || query INTO plan;
    RETURN plan::text LIKE '%' || node || '%';
END $$;
CREATE FUNCTION pg_temp.result(query text) RETURNS TABLE (g int, m clv_moments, weighted clv_moments) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE query;
END $$;
\set grouped '''SELECT g, clv_moments(y, x), clv_moments(y, x[1:1], w) FROM scored GROUP BY g'''
\set plain '''SELECT 0, clv_moments(y, x), clv_moments(y, x, w) FROM scored'''
\set rollup '''SELECT g, clv_moments(m), clv_moments(weighted) FROM single GROUP BY g'''
\set within '''SELECT 0, within_moments(m), within_moments(weighted) FROM serial WHERE kind = ''''grouped'''''''
SET max_parallel_workers_per_gather = 0;
CREATE TABLE serial AS SELECT 'grouped' AS kind, * FROM pg_temp.result(:grouped) UNION ALL SELECT 'plain', * FROM pg_temp.result(:plain);
INSERT INTO serial SELECT 'within', * FROM pg_temp.result(:within);
CREATE TABLE single AS SELECT g, clv_moments(y, x) AS m, clv_moments(y, x[1:1], w) AS weighted FROM scored GROUP BY g, i;
SELECT kind, count(*), sum(s.n) AS n, sum(s.n_dropped) AS dropped, sum(s.groups) AS groups FROM serial, moments_summary(m) AS s GROUP BY kind ORDER BY kind;
SET max_parallel_workers_per_gather = 3; SET min_parallel_table_scan_size = 0; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET parallel_leader_participation = off;
ALTER TABLE scored SET (parallel_workers = 3); ALTER TABLE single SET (parallel_workers = 3); ALTER TABLE serial SET (parallel_workers = 3);
SET client_min_messages = error;
CREATE FUNCTION pg_temp.different(which text, query text, most float8) RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FILTER (WHERE NOT coalesce(pg_temp.near(r.m, s.m, most) AND pg_temp.near(r.weighted, s.weighted, most), false)) + abs(count(*) - (SELECT count(*) FROM serial WHERE kind = which))
    FROM pg_temp.result(query) AS r JOIN serial AS s ON s.kind = which AND s.g = r.g $$;
SELECT pg_temp.plan_has(q, 'Partial') AS parallel, pg_temp.plan_has(q, 'Hashed') AS hashed, pg_temp.different(kind, q, 1e-10) AS different FROM (VALUES ('grouped', :grouped), ('plain', :plain), ('grouped', :rollup), ('within', :within)) AS v(kind, q);
SET enable_hashagg = off;
SELECT pg_temp.plan_has(q, 'Partial') AS parallel, pg_temp.plan_has(q, 'Hashed') AS hashed, pg_temp.different(kind, q, 1e-10) AS different FROM (VALUES ('grouped', :grouped), ('grouped', :rollup)) AS v(kind, q);
RESET enable_hashagg; RESET client_min_messages;
-- groups of ten rows of three regressors: kept rows are equal bytes, however they were merged (three rows and fewer)
SELECT count(*) AS groups, count(*) FILTER (WHERE a.m <> b.m) AS different FROM (SELECT i / 3 AS g, clv_moments(y, x) AS m FROM scored GROUP BY 1) AS a JOIN (SELECT i / 3 AS g, clv_moments(m ORDER BY i DESC) AS m FROM (SELECT i, clv_moments(y, x) AS m FROM scored GROUP BY i) AS s GROUP BY 1) AS b USING (g);
RESET max_parallel_workers_per_gather; RESET min_parallel_table_scan_size; RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET parallel_leader_participation;

-- ---- comparison ----------------------------------------------------------------------------------

CREATE TEMP TABLE many (m clv_moments);
INSERT INTO many VALUES ('rows{}'), ('rows(dropped=1){}'), ('rows(x=1){1:2:3}'), ('rows(x=1){1.0:2e0:3}'), ('rows(x=1){1:2:-0}'), ('rows(x=1){1:2:0}'), ('rows(x=1){1:2:3,1:2:3}'), ('within(x=1,n=1,groups=1){1:2:3:0:0:0:0:0}'), ('clusters(x=1){rows{1:2:3}}'), ('rows{}'), (NULL), (NULL);
INSERT INTO many SELECT clv_moments(y, x) FROM longley_rows;
-- nine different values: two empty ones, one row, one of 0, twice, within, cluster, a triangle, NULL
SELECT count(*) FROM (SELECT DISTINCT m FROM many) AS d;
SET enable_hashagg = off;
SELECT count(*) FROM (SELECT DISTINCT m FROM many) AS d;
RESET enable_hashagg;
-- self join: empty 2 x 2, one row 2 x 2, of 0 2 x 2, five others
SELECT count(*) FROM many AS a JOIN many AS b USING (m);
SET enable_hashjoin = off;
SELECT count(*) FROM many AS a JOIN many AS b USING (m);
RESET enable_hashjoin;
SELECT count(*) FILTER (WHERE (a.m < b.m)::int + (a.m = b.m)::int + (a.m > b.m)::int <> 1) AS not_total,
    count(*) FILTER (WHERE (a.m <= b.m) <> NOT (a.m > b.m) OR (a.m >= b.m) <> NOT (a.m < b.m) OR (a.m <> b.m) <> NOT (a.m = b.m) OR (a.m < b.m) <> (b.m > a.m)) AS inconsistent,
    count(*) FILTER (WHERE clv_moments_cmp(a.m, b.m) <> (a.m > b.m)::int - (a.m < b.m)::int) AS cmp_differs,
    count(*) FILTER (WHERE a.m = b.m AND (clv_moments_hash(a.m) <> clv_moments_hash(b.m) OR clv_moments_hash_extended(a.m, 7) <> clv_moments_hash_extended(b.m, 7))) AS hash_differs
FROM many AS a, many AS b;
SELECT amname, amvalidate(c.oid) FROM pg_opclass AS c JOIN pg_am AS a ON a.oid = opcmethod WHERE opcintype = 'clv_moments'::regtype ORDER BY amname;

-- ---- hostile text --------------------------------------------------------------------------------

SELECT q, pg_temp.fails(format('%L::clv_moments', q)) FROM (VALUES (''), ('rows'), ('columns{}'), ('rows{'), ('rows{}}'), ('rows(){}'), ('rows(x=1){}'), ('rows(x=0){}'), ('rows(x=33){}'), ('rows(x=4294967297){}'), ('rows(dropped=0){}'), ('rows(dropped=-1){}'), ('rows(dropped=9007199254740993){}'), ('rows(dropped=1,x=1){1:2:3}'), ('rows(n=1,x=1){1:2:3}'), ('rows(x=1,){1:2:3}'),
    ('rows(x=1,n=2){1:2:3}'), ('rows(x=1,groups=1){1:2:3}'), ('rows(x=1){1:2}'), ('rows(x=1){1:2:3:4}'), ('rows(x=1){1:2:NaN}'), ('rows(x=1){1:2:1e999}'), ('rows(x=1){1:2:1e101}'), ('rows(x=1){1:1e-101:1}'), ('rows(x=1){0:2:3}'), ('rows(x=1){-1:2:3}'), ('rows(x=1){1e51:2:3}'), ('rows(x=1){1:3:3,1:2:3}'), ('rows(x=1){1:2:3,1:2:3,1:2:3}'),
    ('triangle{}'), ('triangle(x=1){}'), ('triangle(x=1,n=2){2:2:3:0:0:1:0:1}'), ('triangle(x=1,n=3){3:2:3:0:0:1:0}'), ('triangle(x=1,n=3){3:2:3:0:0:1:0:1:1}'), ('triangle(x=1,n=3){3:2:3:0:0:-1:0:1}'), ('triangle(x=1,n=3){3:2:3:0:0:0:1:1}'), ('triangle(x=1,n=3){3:2:3:0.5:0:1:0:1}'), ('triangle(x=1,n=3){0:2:3:0:0:1:0:1}'), ('triangle(x=1,n=3){3:2e100:3:0:0:1:0:1}'),
    ('triangle(x=1,n=3,groups=1){3:2:3:0:0:1:0:1}'), ('triangle(x=1,n=9007199254740993){3:2:3:0:0:1:0:1}'), ('within(x=1,n=3){3:2:3:0:0:1:0:1}'), ('within(x=1,n=3,groups=4){3:2:3:0:0:1:0:1}'), ('within(x=1,n=3,groups=2){3:2:3:0:0:1:0:1}'), ('within(groups=1){}'),
    ('clusters(x=1){}'), ('clusters(n=1){}'), ('clusters(x=1){rows{}}'), ('clusters(x=1){rows{1:2:3}'), ('clusters(x=1){within(n=1){}}'), ('clusters(x=1){rows{1:2:3},rows{1:2:1}}'), ('clusters(x=1,n=1){rows{1:2:3}}'), ('clusters(x=1){triangle(n=2){2:2:3:0:0:1:0:1}}'), ('clusters(x=1){triangle(n=3){3:2:3:0:0:-1:0:1}}')) AS v(q);
-- the same numbers where they can be
SELECT q::clv_moments::text = q AS same FROM (VALUES ('triangle(x=1,n=3){3:2:3:0:0:1:0:1}'), ('within(x=1,dropped=2,n=3,groups=1){3:2:3:0:0:1:0:1}'), ('clusters(x=1,dropped=2){triangle(n=3){3:2:3:0:0:1:-0.5:1},rows{1:2:1},rows{1:2:3}}')) AS v(q);
-- numbers that no rows have, and sums of those that come near: an error, never a wrong number
SELECT pg_temp.fails(format('''triangle(x=1,n=3){%s}''::clv_moments + ''triangle(x=1,n=3){%s}''', a, b)) FROM (VALUES ('3:2:3:0:0:1e308:0:1', '3:2:3:0:0:1e308:0:1'), ('3:2:3:0:0:1:1e300:1', '3:1e99:3:0:0:1:0:1'), ('3:2:3:0:0:1e100:-1e308:1', '3:2:3:0:0:1:0:1'),
    ('3:1e100:3:0:0:1.1e201:0:1', '3:-1e100:3:0:0:1.1e201:0:1'), ('3:1e100:3:0:0:1e200:0:1', '3:-1e100:3:0:0:1e200:0:1')) AS v (a, b);

-- ---- binary --------------------------------------------------------------------------------------

-- version 1, form 0, one regressor, n 1, dropped 2, no groups, then 1, 2, 0.5
SELECT encode(clv_moments_send('rows(x=1,dropped=2){1:2:0.5}'), 'hex');
-- pass bytes to the receive function: COPY takes them from printf, written in octal
CREATE TEMP TABLE received (m clv_moments);
CREATE FUNCTION pg_temp.receive(value bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    copy bytea := '\x5047434f50590aff0d0a000000000000000000'::bytea || '\x0001'::bytea || int4send(length(value)) || value || '\xffff'::bytea;
    octal text;
    problem text;
BEGIN
    SELECT string_agg('\' || lpad((get_byte(copy, i) / 64)::text || (get_byte(copy, i) / 8 % 8)::text || (get_byte(copy, i) % 8)::text, 3, '0'), '' ORDER BY i) INTO octal FROM generate_series(0, length(copy) - 1) AS i;
    DELETE FROM received;
    EXECUTE format('COPY received FROM PROGRAM %L (FORMAT binary)', format('printf ''%s''', octal));
    RETURN (SELECT m::text FROM received);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS problem = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(problem, ''));
END $$;
SELECT bool_and(pg_temp.receive(clv_moments_send(m)) = m::text) AS same, count(*) FROM (SELECT m FROM many WHERE m IS NOT NULL UNION ALL SELECT 'clusters(x=1,dropped=2){triangle(n=3){3:2:3:0:0:1:-0.5:1},rows{1:2:1},rows{1:2:3}}') AS v;
SELECT what, pg_temp.receive(value) FROM (VALUES
    ('version 2', '\x00020000000000000000000000000000000000000000000000000000'::bytea), ('building', '\x00018000000000000000000000000000000000000000000000000000'), ('form 4', '\x00010400000000000000000000000000000000000000000000000000'), ('no header', '\x000100'), ('nothing', '\x'),
    ('33 regressors', '\x00010021000000000000000000000000000000000000000000000000'), ('negative n', '\x00010001ffffffffffffffff00000000000000000000000000000000'), ('n beyond the data', '\x00010001000000000000000100000000000000000000000000000000'), ('huge n', '\x000100017fffffffffffffff00000000000000000000000000000000'),
    ('negative dropped', '\x000100000000000000000000ffffffffffffffff0000000000000000'), ('negative groups', '\x0001020000000000000000000000000000000000ffffffffffffffff'), ('trailing byte', '\x0001000000000000000000000000000000000000000000000000000000'), ('trailing double', '\x000100000000000000000000000000000000000000000000000000000000000000000000'),
    ('NaN', '\x000100010000000000000001000000000000000000000000000000003ff000000000000040000000000000007ff8000000000000'), ('negative zero', '\x000100010000000000000001000000000000000000000000000000003ff000000000000040000000000000008000000000000000'),
    ('clusters of no size', '\x00010300000000000000000000000000000000000000000000000000'), ('clusters of a wrong size', '\x000103000000000000000000000000000000000000000000000000004000000000000000'), ('clusters of a NaN', '\x0001030100000000000000010000000000000000000000000000000140000000000000007ff8000000000000')) AS v(what, value);
-- every prefix is refused; a flipped bit gives an error or another value in stored form, whose bytes are those sent
SELECT what, (SELECT count(*) FILTER (WHERE pg_temp.receive(substr(b, 1, n)) !~ '^(22|08)') FROM generate_series(0, length(b) - 1, 7) AS n) AS prefixes_read, count(*) AS flips,
    count(*) FILTER (WHERE CASE WHEN r ~ '{' THEN clv_moments_send(r::clv_moments) <> s ELSE r !~ '^(22|08)' END) AS wrong, count(*) FILTER (WHERE r ~ '^22P03') > 20 AS some_refused, count(*) FILTER (WHERE r ~ '{') > 20 AS some_read
FROM (VALUES ('rows', 'rows(x=1,dropped=2){1:2:0.5,1:3:4}'::clv_moments), ('triangle', 'triangle(x=1,n=3){3:2:3:0:0:1:-0.5:1}'), ('clusters', 'clusters(x=1){triangle(n=3){3:2:3:0:0:1:-0.5:1},rows{1:2:3}}')) AS v(what, m), clv_moments_send(m) AS b,
    generate_series(0, length(b) - 1, 3) AS n, generate_series(0, 7, 2) AS bit, LATERAL (SELECT set_byte(b, n, get_byte(b, n) # (1 << (bit + n % 2))) AS s) AS flipped, LATERAL (SELECT pg_temp.receive(s) AS r OFFSET 0) AS result GROUP BY what, b ORDER BY what;

-- ---- settings ------------------------------------------------------------------------------------

SET extra_float_digits = -15;
SELECT clv_moments(0.1234567890123456, ARRAY[1e-07, 1 / 3.0::float8]);
RESET extra_float_digits;
-- nothing is looked up by name when functions run
SELECT nspname AS schema FROM pg_extension JOIN pg_namespace AS n ON n.oid = extnamespace WHERE extname = 'clv' \gset
SET search_path = '';
SELECT c.n, pg_catalog.round(c.estimate::pg_catalog.numeric, 6) AS estimate FROM (SELECT :"schema".within_moments(m) AS w FROM (SELECT :"schema".clv_moments(y, x[3:4]) AS m FROM public.longley_rows GROUP BY year OPERATOR(pg_catalog.%) 3) AS g) AS v, :"schema".correlation(w, 2) AS c;
RESET search_path;
DROP VIEW longley_rows;
DROP TABLE longley, scored, serial, single;
