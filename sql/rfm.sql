-- Scores, breaks, segments and tiers.
\set VERBOSITY terse
CREATE SCHEMA rfm;
SET search_path = rfm, public;
-- SQLSTATE, message, detail and hint of a statement that must fail
CREATE FUNCTION failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN format('%s: %s | %s | %s', SQLSTATE, SQLERRM, detail, hint);
END $$;

-- Ten customers by hand -----------------------------------------------------------------------------------------------
-- With 10 customers and 5 bins a rank from the worst scores 1 + 5 * (rank - 1) / 9 in integers, at most 5:
--   rank   1  2  3  4  5  6  7  8  9  10
--   score  1  1  2  2  3  3  4  4  5   5
-- R: jon 400 days is the worst, then ida, hal, gus, fay, eve, dora, cid, bob, ann: in pairs 1 1 2 2 3 3 4 4 5 5
-- F: ida and jon share rank 1: 1; gus has rank 3: 2; the four with 3 purchases share rank 4: 2; hal rank 8: 4; bob 9, ann 10: 5
-- M: ida 20, gus 40: 1; fay 60, dora 80: 2; cid 120, bob 250: 3; eve 300, hal 500: 4; ann 900, jon 1000: 5
-- FM = (F + M + 1) / 2: ann 5, bob 4, cid 3, dora 2, eve 3, fay 2, gus 2, hal 4, ida 1, jon 3
CREATE TABLE ten (name text, days int, frequency bigint, monetary numeric, expected text, segment text);
INSERT INTO ten VALUES
    ('ann', 5, 9, 900, '555', 'Champions'), ('bob', 10, 7, 250, '553', 'Champions'), ('cid', 15, 3, 120, '423', 'Potential Loyalist'),
    ('dora', 20, 3, 80, '422', 'Potential Loyalist'), ('eve', 30, 3, 300, '324', 'Need Attention'), ('fay', 45, 3, 60, '322', 'About To Sleep'),
    ('gus', 60, 2, 40, '221', 'Hibernating'), ('hal', 90, 5, 500, '244', 'At Risk'), ('ida', 200, 1, 20, '111', 'Hibernating'),
    ('jon', 400, 1, 1000, '115', 'At Risk');
SELECT name, days, frequency, monetary, score, expected, rfm_segment(score) AS segment, score = expected AND rfm_segment(score) = segment AS right
FROM (SELECT *, rfm_score(days, frequency, monetary) OVER () AS score FROM ten) AS s ORDER BY name;
-- four bins: 1 + 4 * (rank - 1) / 9, so ranks 1-3, 4-5, 6-7, 8-10
SELECT name, rfm_score(days, frequency, monetary, 4) OVER () AS four, rfm_score(days, frequency, monetary, bins => 2) OVER () AS two,
       rfm_score(days_since_last => days, frequency => frequency, monetary => monetary, bins => 9) OVER () AS nine
FROM ten ORDER BY name;
-- the order and the frame of the window make no difference, nor do the types of the columns
SELECT count(*) AS n, count(*) FILTER (WHERE expected = ALL (ARRAY[a, b, c, d, e, f])) AS same FROM (
    SELECT expected, rfm_score(days, frequency, monetary) OVER (ORDER BY monetary) AS a,
           rfm_score(days, frequency, monetary) OVER (ORDER BY name ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS b,
           rfm_score(days::bigint, frequency::int, monetary::int) OVER () AS c,
           rfm_score(days::numeric, frequency::numeric, monetary::float8) OVER () AS d,
           rfm_score(days::float8, frequency::float4, monetary::bigint) OVER () AS e,
           rfm_score(make_interval(days => days), frequency, monetary) OVER () AS f
    FROM ten) AS s;
-- intervals: a month counts 30 days, a day 24 hours
SELECT since, rfm_score(since, 1, 1, 5) OVER () AS score
FROM (VALUES (interval '1 month'), (interval '31 days'), (interval '29 days 24:00:01'), (interval '720:00'), (interval '1 year -11 months')) AS v (since)
ORDER BY 1, 2;

-- NULLs ------------------------------------------------------------------------------------------------------------------
-- a row with a NULL gets NULL and shifts nobody
SELECT count(*) FILTER (WHERE score IS DISTINCT FROM expected) AS wrong, count(*) FILTER (WHERE score IS NULL) AS nulls FROM (
    SELECT expected, rfm_score(days, frequency, monetary) OVER () AS score FROM (
        SELECT days, frequency, monetary, expected FROM ten
        UNION ALL VALUES (NULL, 1, 1, NULL), (1, NULL, 5000, NULL), (500, 20, NULL, NULL), (NULL, NULL, NULL, NULL)) AS rows) AS s;
-- fewer than two rows cannot be compared; all alike are all at 1
SELECT rfm_score(1, 2, 3) OVER () AS one;
SELECT days, rfm_score(days, 2, 3) OVER () AS one_known FROM (VALUES (1), (NULL)) AS v (days) ORDER BY 1;
SELECT rfm_score(1, 2, 3) OVER () AS alike FROM generate_series(1, 3);
SELECT days, rfm_score(days, 2, days) OVER () AS two FROM (VALUES (1), (9)) AS v (days) ORDER BY 1;
SELECT rfm_score(1, 2, 3, NULL) OVER () AS no_bins FROM generate_series(1, 2);
-- a NULL among the bins is a NULL as any other: these are the scores of 40, 30 and 10
SELECT bins, days, rfm_score(days, 1, 1, bins) OVER () AS score FROM (VALUES (NULL, 20), (5, 40), (5, 30), (5, 10)) AS v (bins, days) ORDER BY days;
SELECT rfm_score(days, 1, 1, bins) OVER () AS no_bins FROM (VALUES (NULL::int, 20), (NULL, 40)) AS v (bins, days);

-- PARTITION BY, and the rule in plain SQL -----------------------------------------------------------------------------------
-- 4,000 customers in cohorts of 1 to some hundred, many ties, NULLs: the contract's rule by rank(), column by column
CREATE TABLE many AS
SELECT i, floor(sqrt(i))::int % 37 AS cohort, CASE WHEN i % 53 > 0 THEN (i * 7919) % 211 END AS days, 1 + (i * 104729) % 13 AS frequency,
       CASE WHEN i % 71 > 0 THEN round(((i * 15485863::bigint) % 40009) / 100.0, 1) - 50 END AS monetary
FROM generate_series(1, 4000) AS i;
CREATE FUNCTION digit(rank bigint, n bigint, bins int) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN n > 1 THEN least(1 + bins * (rank - 1) / (n - 1), bins)::text END;
CREATE VIEW ruled AS
SELECT bins, m.*, CASE WHEN known THEN digit(rank() OVER (r ORDER BY days DESC), count(*) OVER r, bins)
       || digit(rank() OVER (r ORDER BY frequency), count(*) OVER r, bins) || digit(rank() OVER (r ORDER BY monetary), count(*) OVER r, bins) END AS expected
FROM (SELECT *, days + frequency + monetary IS NOT NULL AS known FROM many) AS m, generate_series(2, 9) AS bins
WINDOW r AS (PARTITION BY cohort, bins, known);
SELECT bins, count(*) AS n, count(expected) AS scored, count(DISTINCT expected) AS scores, count(*) FILTER (WHERE score IS DISTINCT FROM expected) AS wrong
FROM (SELECT *, rfm_score(days, frequency, monetary, bins) OVER (PARTITION BY cohort, bins) AS score FROM ruled) AS s GROUP BY bins ORDER BY bins;
-- more than work_mem holds, by way of temporary files
SET work_mem = '64kB';
SELECT count(*) AS n, count(*) FILTER (WHERE score <> digit(rank, n, 5) || '3' || digit(n + 1 - rank, n, 5)) AS wrong
FROM (SELECT rfm_score(100000 - i, i * 3 % 20001, -i) OVER () AS score, rank() OVER (ORDER BY i) AS rank, count(*) OVER () AS n
      FROM generate_series(0, 20000) AS i WHERE i % 2 = 0) AS s WHERE substr(score, 2, 1) = '3';
RESET work_mem;

-- Breaks -------------------------------------------------------------------------------------------------------------------
-- of the ten customers: a score of s is reached with at least ceil((s - 1) * 9 / 5) = 2, 4, 6, 8 worse ones, so the breaks are the
-- 2nd, 4th, 6th and 8th value from the worst: days 200, 60, 30, 15; frequency 1, 3, 3, 5; monetary 40, 80, 250, 500
SELECT rfm_breaks(days, frequency, monetary) AS breaks FROM ten;
SELECT rfm_breaks(days, frequency, monetary, 2) AS two, rfm_breaks(make_interval(days => days), frequency, monetary) AS of_intervals FROM ten;
SELECT rfm_breaks(make_interval(days => days), frequency, monetary, 3) = rfm_breaks(days, frequency, monetary, 3) AS same FROM ten;
-- applied to whom they are from they give the same scores, for every number of bins and in every cohort
SELECT bins, count(score) AS scored, count(*) FILTER (WHERE score IS DISTINCT FROM expected) AS wrong
FROM (SELECT r.bins, expected, rfm_score(breaks, days, frequency, monetary) AS score
      FROM ruled AS r LEFT JOIN (SELECT cohort, bins, rfm_breaks(days, frequency, monetary, bins) AS breaks FROM ruled GROUP BY cohort, bins
                                 HAVING count(expected) > 1) AS b USING (cohort, bins)) AS s
GROUP BY bins ORDER BY bins;
-- typed in: below the break of days, above those of frequency and monetary
SELECT days, rfm_score(ARRAY[[90, 30], [1, 4.0], [50, 200]], days, frequency, monetary) AS score
FROM (VALUES (90, 1, 50.0), (89.5, 1.5, 50.01), (30, 4, 200), (29, 5, 201), (0, 0, -10)) AS v (days, frequency, monetary);
SELECT rfm_score(ARRAY[[90, 30], [1, 4], [50, 200]], interval '29 days', 5, 100) AS of_interval, rfm_score(ARRAY[[90], [1], [50]], NULL::int, 5, 100) AS nothing,
       rfm_score(NULL::float8[], 1, 5, 100) AS no_breaks;
-- order, parallel workers and parts make no difference
SELECT rfm_breaks(days, frequency, monetary ORDER BY i) = rfm_breaks(days, frequency, monetary ORDER BY i DESC) AS same FROM many;
CREATE TABLE serial AS SELECT rfm_breaks(days, frequency, monetary, 7) AS breaks FROM many;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
SELECT rfm_breaks(days, frequency, monetary, 7) = (SELECT breaks FROM serial) AS same FROM many;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather;
-- NULLs are skipped; nobody: NULL; one: NULL, and why
SELECT rfm_breaks(days, frequency, monetary) IS NULL AS nobody FROM ten WHERE false;
SELECT rfm_breaks(days, frequency, monetary, bins) AS no_bins FROM ten, (VALUES (NULL::int)) AS v (bins);
\set VERBOSITY default
SELECT rfm_breaks(days, frequency, monetary) AS one FROM ten WHERE name = 'ann';
\set VERBOSITY terse

-- Histories ------------------------------------------------------------------------------------------------------------------
-- days_since_last, purchases and total_spend as known on the day
CREATE TABLE orders AS SELECT i % 50 AS customer, date '2025-01-01' + (i * 37) % 400 AS at, ((i * 7) % 91)::numeric - 5 AS amount FROM generate_series(1, 400) AS i;
CREATE TABLE histories AS SELECT customer, purchase_history(at, amount) AS h FROM orders GROUP BY customer;
INSERT INTO histories VALUES (100, NULL), (101, '{2026-06-01:5}'), (102, '{}');
CREATE VIEW read AS SELECT customer, h, days_since_last(h, date '2025-12-31') AS days, purchases(h, date '2025-12-31') AS n, total_spend(h, date '2025-12-31') AS spend FROM histories;
SELECT count(*) AS n, count(a) AS scored, count(DISTINCT a) AS scores, count(*) FILTER (WHERE a IS DISTINCT FROM b OR a IS DISTINCT FROM c OR a IS DISTINCT FROM d) AS wrong
FROM (SELECT rfm_score(h, date '2025-12-31') OVER () AS a, rfm_score(days, n, spend) OVER () AS b,
             rfm_score((SELECT rfm_breaks(h, date '2025-12-31') FROM histories), h, date '2025-12-31') AS c,
             rfm_score((SELECT rfm_breaks(days, n, spend) FROM read), h, date '2025-12-31') AS d FROM read) AS s;
-- long histories, beside another argument that is a detoasted value's length: each is read while it is there
CREATE TABLE long_histories AS
SELECT i, purchase_history(date '1960-01-01' + j, (i * j % 17)::numeric + 1) AS h FROM generate_series(1, 4) AS i, generate_series(1, 20000) AS j WHERE j <= 800 + 20 * i GROUP BY i;
SELECT i, rfm_score(h, date '2026-01-01' + 0 * length(repeat('x', 12000 + i))) OVER () AS score, rfm_score(days_since_last(h, '2026-01-01'), purchases(h, '2026-01-01'), total_spend(h, '2026-01-01')) OVER () AS of_columns
FROM long_histories ORDER BY i;
-- timestamptz: the day in the session's zone; literals without a type are timestamptz
SET timezone = 'Europe/Vienna';
SELECT count(*) AS n, count(*) FILTER (WHERE a IS DISTINCT FROM b OR a IS DISTINCT FROM c OR a IS DISTINCT FROM d) AS wrong
FROM (SELECT rfm_score(h, date '2025-12-31', 3) OVER () AS a, rfm_score(h, timestamptz '2025-12-30 23:30+00', 3) OVER () AS b, rfm_score(h, '2025-12-31', 3) OVER () AS c,
             rfm_score((SELECT rfm_breaks(h, timestamptz '2025-12-30 23:30+00', 3) FROM histories), h, '2025-12-31') AS d FROM histories) AS s;
RESET timezone;
SELECT rfm_breaks(h, timestamptz '2025-12-31') = rfm_breaks(h, date '2025-12-31', 5) AS same FROM histories;

-- Segments --------------------------------------------------------------------------------------------------------------------
SELECT segment, r_min, r_max, fm_min, fm_max, action FROM rfm_segments();
-- each of the 25 cells in exactly one rule, and each of the 125 scores in that of its cell
SELECT count(*) AS cells, count(*) FILTER (WHERE rules = 1) AS in_one_rule FROM (
    SELECT r, fm, count(segment) AS rules FROM generate_series(1, 5) AS r CROSS JOIN generate_series(1, 5) AS fm
    LEFT JOIN rfm_segments() AS s ON r BETWEEN r_min AND r_max AND fm BETWEEN fm_min AND fm_max GROUP BY r, fm) AS c;
SELECT count(*) AS scores, count(*) FILTER (WHERE rfm_segment(format('%s%s%s', r, f, m)) = segment) AS right
FROM generate_series(1, 5) AS r, generate_series(1, 5) AS f, generate_series(1, 5) AS m, rfm_segments()
WHERE r BETWEEN r_min AND r_max AND (f + m + 1) / 2 BETWEEN fm_min AND fm_max;
-- the rules as the contract states them
SELECT r, string_agg(rfm_segment(format('%s%s%s', r, fm, fm)), ', ' ORDER BY fm) AS fm_1_to_5 FROM generate_series(1, 5) AS r, generate_series(1, 5) AS fm GROUP BY r ORDER BY r;
SELECT rfm_segment(NULL) AS nothing, rfm_segment('555'::varchar) AS varchar, rfm_segment('111'::char(3)) AS char;

-- Tiers -----------------------------------------------------------------------------------------------------------------------
SELECT clv, risk, value_tier(clv, risk, 500) AS tier, value_tier(clv, risk, high_value => 100, high_risk => 0.8) AS other
FROM (VALUES (500, 0.1), (499.99, 0.1), (500, 0.5), (100, 0.49999), (-20, 0), (1e9, 1)) AS v (clv, risk);
SELECT value_tier(NULL, 0.1, 500) AS no_value, value_tier(100, NULL, 500) AS no_risk, value_tier('infinity', 0, 500) AS endless;

-- Bad input ---------------------------------------------------------------------------------------------------------------------
SELECT failure('SELECT ' || call || ' FROM generate_series(1, 3)') FROM (VALUES
    ('rfm_score(1, 2, 3, 1) OVER ()'), ('rfm_score(1, 2, 3, 10) OVER ()'), ('rfm_score(1, 2, 3, -5) OVER ()'),
    ('rfm_score(-1, 2, 3) OVER ()'), ('rfm_score(1, -2, 3) OVER ()'), ('rfm_score(''nan''::float8, 2, 3) OVER ()'), ('rfm_score(1, ''infinity''::float8, 3) OVER ()'),
    ('rfm_score(1, 2, ''nan''::numeric) OVER ()'), ('rfm_score(1, 2, ''-infinity''::float8) OVER ()'), ('rfm_score(interval ''-1 day'', 2, 3) OVER ()'),
    ('rfm_score(1, 2, 3)'), ('rfm_score(1, 2, 3, 4 + generate_series / 3) OVER ()'),
    ('rfm_breaks(1, 2, 3, 1)'), ('rfm_breaks(1, 2, 3, 10)'), ('rfm_breaks(1, 2, 3, 5 + generate_series / 2)'), ('rfm_breaks(-1, 2, 3)'), ('rfm_breaks(1, 2, ''nan'')'),
    ('rfm_score(''{1,2,3}''::float8[], 1, 2, 3)'), ('rfm_score(''{}''::float8[], 1, 2, 3)'), ('rfm_score(''{{1},{2}}''::float8[], 1, 2, 3)'), ('rfm_score(''{{1,NULL},{2,3},{4,5}}''::float8[], 1, 2, 3)'),
    ('rfm_score(''{{1,2},{2,3},{4,5}}''::float8[], 1, 2, 3)'), ('rfm_score(''{{2,1},{3,2},{4,5}}''::float8[], 1, 2, 3)'), ('rfm_score(''{{2,1},{2,3},{5,4}}''::float8[], 1, 2, 3)'),
    ('rfm_score(''{{2,nan},{2,3},{4,5}}''::float8[], 1, 2, 3)'), ('rfm_score(''{{9,8,7,6,5,4,3,2,1},{1,2,3,4,5,6,7,8,9},{1,2,3,4,5,6,7,8,9}}''::float8[], 1, 2, 3)'),
    ('rfm_score(''{{2,1},{2,3},{4,5}}''::float8[], -1, 2, 3)'),
    ('rfm_segment(''12'')'), ('rfm_segment(''5551'')'), ('rfm_segment(''056'')'), ('rfm_segment(''a b'')'), ('rfm_segment('''')'), ('rfm_segment(''987'')'),
    ('value_tier(100, 1.5, 50)'), ('value_tier(100, 50, 50)'), ('value_tier(''nan'', 0.5, 50)'), ('value_tier(100, 0.5, ''nan'')'), ('value_tier(100, 0.5, 50, -1)')) AS v (call);
SELECT failure('SELECT ' || call || ' FROM rfm.histories') FROM (VALUES
    ('rfm_score(h, date ''infinity'') OVER ()'), ('rfm_score(h, date ''2025-12-31'' + customer) OVER ()'), ('rfm_breaks(h, date ''infinity'')'), ('rfm_breaks(h, date ''2025-12-31'' + customer)'),
    ('rfm_score(purchase_history ''{2025-01-01}'', date ''2025-12-31'') OVER ()'), ('rfm_score(''{{2,1},{2,3},{4,5}}'', purchase_history ''{2025-01-01}'', date ''2025-12-31'')')) AS v (call);
-- other states than their own
SELECT failure('SELECT clv_rfm_breaks(''timing{1:2:3}''::clv_sample)');
SELECT failure('SELECT clv_rfm_add(''timing{1:2:3}''::clv_sample, 1, 2, 3)');
-- the sample travels as text and in binary like every other
SELECT clv_rfm_add(clv_rfm_add(NULL::clv_sample, 1, 2, 3), 4, 5, 6.5, 5) AS state;
SELECT failure($$SELECT 'rfm{1:2:3:4}'::clv_sample$$);
DROP SCHEMA rfm CASCADE;
