-- clv_sample: distinct rows with counts. What a value looks like, what is folded, what is refused.
\set VERBOSITY terse

-- Text form ------------------------------------------------------------------------------------------------
-- 5 rows, 3 distinct, sorted by x, t_x, t_cal; a count of 1 is not written; -0 is 0
SELECT clv_sample(x, t_x, t) FROM (VALUES (1, 2.5, 10), (0, 0, 12), (1, 2.5, 10), (0, -0.0::float8, 12), (1, 2.5, 9)) v (x, t_x, t);
SELECT clv_sample(x, m) FROM (VALUES (1, 20), (3, 12.25), (1, 20), (0, NULL), (0, 0), (2, 0)) v (x, m);
-- integers of any width work too
SELECT clv_sample(x::smallint, t_x::bigint, t::numeric) FROM (VALUES (1, 2, 10)) v (x, t_x, t);
-- NULLs are skipped; without rows the result is NULL
SELECT clv_sample(x, t_x, t) FROM (VALUES (1, 2, 10), (NULL, 2, 10), (1, NULL, 10), (1, 2, NULL)) v (x, t_x, t);
SELECT clv_sample(x, t_x, t) IS NULL AS nothing FROM (VALUES (NULL::float8, 2, 10)) v (x, t_x, t);
SELECT clv_sample(1, 2, 3) IS NULL AS nothing WHERE false;

-- From histories --------------------------------------------------------------------------------------------
-- as of 2024-01-31:
--   ann   01-01, 01-08, 01-22 (10, 20, 30): x 2, t_x 21 days, t_cal 30 days, mean of the repeats 25
--   bob   01-10: x 0, t_cal 21
--   cid   first order in February: not a customer yet, skipped
--   dora  01-01 and a repeat at zero dollars on 01-15: x 1, t_x 14, t_cal 30, but no spend row
CREATE TABLE orders (customer text, at date, amount numeric);
INSERT INTO orders VALUES ('ann', '2024-01-01', 10), ('ann', '2024-01-08', 20), ('ann', '2024-01-22', 30), ('bob', '2024-01-10', 5),
    ('cid', '2024-02-03', 7), ('dora', '2024-01-01', 10), ('dora', '2024-01-15', 0);
CREATE TABLE histories AS SELECT customer, purchase_history(at, amount) AS h FROM orders GROUP BY customer;
SELECT clv_sample(h, date '2024-01-31') FROM histories;
SELECT clv_sample(h, date '2024-01-31', 'week') FROM histories;
SELECT clv_sample(h, timestamptz '2024-01-31 23:59', 'week') = clv_sample(h, date '2024-01-31', 'week') AS same FROM histories;
SELECT clv_sample(h, timestamptz '2024-01-31') = clv_sample(h, date '2024-01-31') AS same FROM histories;
SELECT spend_sample(h, date '2024-01-31') FROM histories;
SELECT spend_sample(h, timestamptz '2024-01-31') = spend_sample(h, date '2024-01-31') AS same FROM histories;
-- at the end of the day in the session's zone: 2024-01-31 23:30 UTC is 1 February in Vienna
SET timezone = 'Europe/Vienna';
SELECT clv_sample(h, timestamptz '2024-01-31 23:30+00') FROM histories;
RESET timezone;
-- everybody before the first purchase: a sample of nobody
SELECT clv_sample(h, date '2023-01-01') FROM histories;
-- a NULL history, date or unit skips the row
SELECT clv_sample(h, at, unit) FROM histories, (VALUES (date '2024-01-31', 'week'), (NULL, 'week'), ('2024-01-31', NULL)) v (at, unit)
WHERE customer = 'ann';

-- Roll-up, combine: by bytes the same however the rows were divided --------------------------------------------
CREATE TABLE numbers AS
SELECT i, (i * 7919) % 5 AS x, CASE WHEN (i * 7919) % 5 = 0 THEN 0 ELSE (i % 13) + 1 END AS t_x, 20 + i % 17 AS t FROM generate_series(1, 3000) i;
CREATE TABLE whole AS SELECT clv_sample(x, t_x, t) AS s FROM numbers;
SELECT length(s::text) > 100 AS filled, s::text::clv_sample = s AS text_round_trip FROM whole;
SELECT clv_sample(part) = s AS rolled_up FROM (SELECT clv_sample(x, t_x, t) AS part FROM numbers GROUP BY i % 7) p, whole GROUP BY s;
SELECT clv_sample_send(clv_sample(part ORDER BY n DESC)) = clv_sample_send(s) AS any_order
FROM (SELECT i % 50 AS n, clv_sample(x, t_x, t) AS part FROM numbers GROUP BY i % 50) p, whole GROUP BY s;
SELECT clv_sample_send(clv_sample(x, t_x, t ORDER BY random())) = clv_sample_send(s) AS any_order FROM numbers, whole GROUP BY s;
-- a stored value as the state, on either side, with NULL and with nobody
SELECT clv_sample_final(clv_sample_combine(s, NULL)) = s AS right_null, clv_sample_final(clv_sample_combine(NULL, s)) = s AS left_null,
       clv_sample_combine(NULL, NULL) IS NULL AS both_null,
       clv_sample_final(clv_sample_combine('timing{}', s)) = s AS left_empty, clv_sample_final(clv_sample_combine(s, 'timing{}')) = s AS right_empty,
       clv_sample_final(clv_sample_combine('timing{}', 'timing{}')) AS both_empty
FROM whole;
-- the days covered are those of both
SELECT clv_sample(s) FROM (VALUES ('timing(unit=day,as_of=2024-03-01,first=2024-01-05,last=2024-01-06,skipped=2){0:0:12}'::clv_sample),
    ('timing(unit=day,as_of=2024-03-01,first=2024-01-01,last=2024-02-06,skipped=1){0:0:12}'), ('timing(unit=day,as_of=2024-03-01){}')) v (s);
-- sums of log gaps are exact, of both signs, and unknown where one of them is
SELECT clv_sample(s) FROM (VALUES ('timing(log_gaps=0.1){1:2:3}'::clv_sample), ('timing(log_gaps=-0.3){1:2:3}'), ('timing(log_gaps=-0.000000000001){0:0:3}')) v (s);
SELECT clv_sample(s) FROM (VALUES ('timing(log_gaps=0.75){1:2:3}'::clv_sample), ('timing(log_gaps=0.25){1:2:3}')) v (s);
SELECT clv_sample(s) FROM (VALUES ('timing(log_gaps=0.75){1:2:3}'::clv_sample), ('timing{1:2:3}')) v (s);
SELECT clv_sample(s) FROM (VALUES ('timing{1:2:3}'::clv_sample), ('timing(log_gaps=0.75){1:2:3}')) v (s);
-- rows of any number of columns fold and sort: covariates, then those of the kind
SELECT clv_sample(s) FROM (VALUES ('timing(covariates=2){1:0:1:2:3,1:2:0:0:3}'::clv_sample), ('timing(covariates=2){-1:5:0:0:3,1:0:1:2:3*2}')) v (s);
SELECT clv_sample(s) FROM (VALUES ('holdout{1:2:3:0:4:5}'::clv_sample), ('holdout{1:2:3:0:1:5,1:2:3:0:4:5}')) v (s);
-- combine leaves its arguments alone
SELECT s = t AS untouched FROM (SELECT s, s::text::clv_sample AS t, clv_sample_combine(s, s) AS merged FROM whole OFFSET 0) x;
-- a final function hands out a copy: the same state serves two aggregates
SELECT clv_sample(x, t_x, t) = s AS first, clv_sample(x, t_x, t) = s AS second FROM numbers, whole GROUP BY s;
-- building states are shown, compared and sent in stored form
SELECT clv_sample_add_timing(NULL, 1, 2, 3), clv_sample_add_timing(clv_sample_add_timing(NULL, 1, 2, 3), 1, 2, 3) = 'timing{1:2:3*2}' AS equal;

-- Parallel plans, states under 127 bytes included
CREATE FUNCTION plan_has(what text, query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
        IF line LIKE '%' || what || '%' THEN RETURN true; END IF;
    END LOOP;
    RETURN false;
END $$;
CREATE TABLE many AS SELECT i % 700 AS g, (i / 700) % 3 AS x, CASE WHEN (i / 700) % 3 = 0 THEN 0 ELSE 4 END AS t_x, 9 AS t FROM generate_series(0, 69999) i;
ANALYZE many;
CREATE TABLE serial AS SELECT g, clv_sample(x, t_x, t) AS s FROM many GROUP BY g;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 3;
SET parallel_leader_participation = off; ALTER TABLE many SET (parallel_workers = 3);
SELECT plan_has('Partial', 'SELECT g, clv_sample(x, t_x, t) FROM many GROUP BY g');
SELECT count(*), bool_and(clv_sample_send(p.s) = clv_sample_send(serial.s)) AS same
FROM (SELECT g, clv_sample(x, t_x, t) AS s FROM many GROUP BY g) p JOIN serial USING (g);
SET enable_hashagg = off;
SELECT plan_has('Partial', 'SELECT g, clv_sample(x, t_x, t) FROM many GROUP BY g');
SELECT count(*), bool_and(clv_sample_send(p.s) = clv_sample_send(serial.s)) AS same
FROM (SELECT g, clv_sample(x, t_x, t) AS s FROM many GROUP BY g) p JOIN serial USING (g);
RESET ALL;
SELECT DISTINCT s FROM serial ORDER BY s LIMIT 3;

-- Where rows hardly repeat the hash is given up, and the result is the same: 200,000 distinct rows, then each of them again
SELECT n = 400000 AND n_distinct = 200000 AS folded, n, n_distinct
FROM (SELECT bgnbd_fit(clv_sample) AS m FROM
        (SELECT clv_sample(j % 3, CASE WHEN j % 3 = 0 THEN 0 ELSE 1 + j % 20 END, 30 + j / 7.0) FROM (SELECT i % 200000 AS j FROM generate_series(0, 399999) i) i) s) f, glance(m);

-- What is refused ---------------------------------------------------------------------------------------------
\set VERBOSITY default
SELECT clv_sample(x, t_x, t) FROM (VALUES (1.5, 2, 3)) v (x, t_x, t);
SELECT clv_sample(x, t_x, t) FROM (VALUES (1, 4, 3)) v (x, t_x, t);
SELECT clv_sample(x, t_x, t) FROM (VALUES (0, 2, 3)) v (x, t_x, t);
SELECT clv_sample(x, t_x, t) FROM (VALUES (-1, 2, 3)) v (x, t_x, t);
SELECT clv_sample(x, t_x, t) FROM (VALUES (1, 'NaN'::float8, 3)) v (x, t_x, t);
SELECT clv_sample(x, t_x, t) FROM (VALUES (1, 2, 'infinity'::float8)) v (x, t_x, t);
SELECT clv_sample(x, m) FROM (VALUES (1, -2)) v (x, m);
SELECT clv_sample(h, at) FROM histories, (VALUES (date '2024-01-31'), ('2024-02-01')) v (at);
SELECT clv_sample(h, date '2024-01-31', unit) FROM histories, (VALUES ('day'), ('week')) v (unit);
SELECT clv_sample(h, date '2024-01-31', 'fortnight') FROM histories;
SELECT clv_sample(h, date 'infinity') FROM histories;
SELECT clv_sample(s) FROM (VALUES ('timing{}'::clv_sample), ('spend{}')) v (s);
SELECT clv_sample(s) FROM (VALUES ('timing{}'::clv_sample), ('timing(covariates=1){}')) v (s);
SELECT clv_sample(s) FROM (VALUES ('holdout(as_of=2024-01-31,until=2024-06-30){}'::clv_sample), ('holdout(as_of=2024-01-31,until=2024-07-31){}')) v (s);
SELECT clv_sample(s) FROM (VALUES ('timing(log_gaps=9007199254740992){}'::clv_sample), ('timing(log_gaps=1){}')) v (s);
SELECT spend_sample(h, date '2024-01-31') FROM (SELECT purchase_history(at) AS h FROM orders) n;
SELECT gamma_gamma_fit(s) FROM whole;
-- counts end at 2^53: up to there they are exact, and the type's input takes them back
SELECT clv_sample(s) FROM (VALUES ('timing{1:2:3*9007199254740991}'::clv_sample), ('timing{1:2:3}')) v (s);
SELECT clv_sample(s) FROM (VALUES ('timing{1:2:3*9007199254740992}'::clv_sample), ('timing{1:2:4}')) v (s);
SELECT clv_sample(s) FROM (VALUES ('timing(skipped=9007199254740992){}'::clv_sample), ('timing(skipped=1){}')) v (s);
SELECT clv_sample_add_spend('spend(skipped=9007199254740992){}', 0, 0);
-- Text
\set VERBOSITY terse
SELECT 'sample'::clv_sample;
SELECT ''::clv_sample;
SELECT 'timing'::clv_sample;
SELECT 'timing{'::clv_sample;
SELECT 'timing{1:2:3'::clv_sample;
SELECT 'timing{1:2}'::clv_sample;
SELECT 'timing{1:2:3:4}'::clv_sample;
SELECT 'timing{1:2:3}x'::clv_sample;
SELECT 'timing{1:2:nan}'::clv_sample;
SELECT 'timing{1:2:1e999}'::clv_sample;
SELECT 'timing{1:2:0x10}'::clv_sample;
SELECT 'timing{1:2:3*0}'::clv_sample;
SELECT 'timing{1:2:3*1.5}'::clv_sample;
SELECT 'timing{1:2:3*99999999999999999999}'::clv_sample;
SELECT 'timing{1:2:3*9007199254740993}'::clv_sample;
SELECT 'timing{1:2:3*9007199254740992,1:2:4}'::clv_sample;
SELECT 'timing{1:2:3,1:2:3}'::clv_sample;
SELECT 'timing{1:2:3,0:0:3}'::clv_sample;
SELECT 'timing{1:4:3}'::clv_sample;
SELECT 'spend{0:4}'::clv_sample;
SELECT 'timing(unit=fortnight){}'::clv_sample;
SELECT 'timing(as_of=2024-02-30){}'::clv_sample;
SELECT 'timing(first=2024-02-01,last=2024-02-02){}'::clv_sample;
SELECT 'timing(as_of=2024-02-01,first=2024-02-01){}'::clv_sample;
SELECT 'timing(as_of=2024-02-01,first=2024-01-09,last=2024-01-08){}'::clv_sample;
SELECT 'timing(skipped=-1){}'::clv_sample;
SELECT 'timing(skipped=1,unit=week){}'::clv_sample;
-- every kind of rows: what its text looks like, and what cannot be
SELECT s FROM (VALUES ('timing(unit=week,as_of=2024-02-01,covariates=2,log_gaps=-0.25){-1:0:0:0:9*2,0.5:1:1:2:3}'::clv_sample),
    ('opportunities(unit=month,as_of=2024-02-01,first=2024-01-01,last=2024-01-31){0:0:6*3,1:6:6,2:2:6}'),
    ('renewals(unit=year,as_of=2024-02-01,skipped=3){0:0:0*4,0:3:0,0:3:1,2:3:1,3:3:0}'),
    ('holdout(unit=day,as_of=2024-02-01,until=2024-06-30,first=2024-01-01,last=2024-01-31){0:0:9:0:0:-3.5,1:2:9:20:3:61.25}'),
    ('calendar(as_of=2024-02-01){8766:0*2,8767:1}')) v (s);
SELECT 'timing(covariates=0){1:2:3}'::clv_sample;
SELECT 'timing(covariates=17){}'::clv_sample;
SELECT 'timing(covariates=2){1:1:2:3}'::clv_sample;
SELECT 'timing(covariates=1){nan:1:2:3}'::clv_sample;
SELECT 'timing(covariates=1){1:1:2:3,0:1:2:3}'::clv_sample;
SELECT 'timing(covariates=1){0:1:4:3}'::clv_sample;
SELECT 'spend(covariates=1){0:1:4}'::clv_sample;
SELECT 'timing(log_gaps=nan){}'::clv_sample;
SELECT 'timing(log_gaps=){}'::clv_sample;
SELECT 'timing(log_gaps=1e3){}'::clv_sample;
SELECT 'timing(log_gaps=0.1234567890123){}'::clv_sample;
SELECT 'timing(log_gaps=9007199254740993){}'::clv_sample;
SELECT 'timing(log_gaps=-9007199254740992.5){}'::clv_sample;
SELECT 'spend(log_gaps=1){}'::clv_sample;
SELECT 'opportunities{1:0:3}'::clv_sample;
SELECT 'opportunities{0:1:3}'::clv_sample;
SELECT 'opportunities{1:4:3}'::clv_sample;
SELECT 'opportunities{1:1.5:3}'::clv_sample;
SELECT 'renewals{0:0:1}'::clv_sample;
SELECT 'renewals{3:3:1}'::clv_sample;
SELECT 'renewals{4:3:0}'::clv_sample;
SELECT 'renewals{0:1:2}'::clv_sample;
SELECT 'renewals{0:1.5:0}'::clv_sample;
SELECT 'holdout{1:4:3:0:0:0}'::clv_sample;
SELECT 'holdout{1:2:3:-1:0:0}'::clv_sample;
SELECT 'holdout{1:2:3:0:0.5:0}'::clv_sample;
SELECT 'holdout{1:2:3:0:0:1e999}'::clv_sample;
SELECT 'holdout(until=2024-06-30){}'::clv_sample;
SELECT 'holdout(as_of=2024-06-30,until=2024-06-30){}'::clv_sample;
SELECT 'calendar{1.5:0}'::clv_sample;
SELECT 'calendar{9999999:0}'::clv_sample;
SELECT 'calendar{1:2}'::clv_sample;
SELECT ('timing{' || repeat('1:2:3,', 100000) || '1:2:3}')::clv_sample;
-- a message shows whole characters of what it could not read
\set VERBOSITY default
SELECT ('timing(' || repeat(U&'\00e4', 30))::clv_sample;
\set VERBOSITY terse
-- settings do not change the text
SET extra_float_digits = -15; SET DateStyle = 'German, DMY';
SELECT clv_sample(h, date '2024-01-31', 'month') FROM histories;
RESET ALL;

-- Binary: what was sent comes back; a byte more, a byte less or a wrong count does not
CREATE FUNCTION receive(b bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    path text := current_setting('data_directory') || '/clv_receive';
    result text;
BEGIN
    SET LOCAL client_min_messages = warning;
    -- COPY BINARY of one column: signature, flags, no extension, one field of that length, end
    PERFORM lo_unlink(oid) FROM pg_largeobject_metadata WHERE oid = 424242;
    PERFORM lo_from_bytea(424242, '\x5047434f50590aff0d0a000000000000000000'::bytea || '\x0001'::bytea || int4send(length(b)) || b || '\xffff'::bytea);
    PERFORM lo_export(424242, path);
    DROP TABLE IF EXISTS received;
    CREATE TEMP TABLE received (s clv_sample);
    EXECUTE format('COPY received FROM %L (FORMAT binary)', path);
    SELECT s::text INTO result FROM received;
    RETURN result;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT receive(b) = s::text AS round_trip, receive(b || '\x00'::bytea) AS longer, receive(substr(b, 1, length(b) - 1)) AS shorter,
       receive(set_byte(b, 1, 9)) AS version, receive(set_byte(b, 3, 9)) AS kind, receive(set_byte(b, 61, 255)) AS rows,
       receive('') AS nothing
FROM (SELECT s, clv_sample_send(s) AS b FROM whole) w \gx
SELECT receive(set_byte(clv_sample_send('timing{1:2:3}'), 8 + 8 + 7, 1)) AS n_skipped;
SELECT receive(clv_sample_send('timing{1:2:3}') || float8send('NaN') || float8send(1) || float8send(2) || float8send(1)) AS count_of_rows;
SELECT receive(overlay(clv_sample_send('timing{1:2:3}') PLACING float8send('NaN') FROM 65)) AS nan;
DROP TABLE orders, histories, numbers, whole, many, serial; DROP FUNCTION receive(bytea), plan_has(text, text);
SELECT lo_unlink(424242);
