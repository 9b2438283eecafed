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

-- Sums of log gaps -------------------------------------------------------------------------------------------
-- the numbers of the readers make the same sample as the histories, but for the days
SELECT regexp_replace(clv_sample(h, date '2024-01-31', 'week')::text, 'unit.*log', 'log') AS histories FROM histories;
SELECT clv_sample(x, t_x, t_cal, log_gaps(h, date '2024-01-31', 'week')) AS numbers FROM histories, purchase_summary(h, date '2024-01-31', 'week');
-- without log_gaps the sum is not known; a NULL skips the row
SELECT clv_sample(x, t_x, t, g) FROM (VALUES (2, 4.0, 9, 1.25::float8), (0, 0, 9, 0), (1, 2, 9, NULL), (3, 3, 9, -0.5)) v (x, t_x, t, g);
SELECT clv_sample(x, t_x, t, g) FROM (VALUES (1, 2, 9, 'NaN'::float8)) v (x, t_x, t, g);
SELECT clv_sample(x, t_x, t, g) FROM (VALUES (1, 2, 9, '-infinity'::float8)) v (x, t_x, t, g);
SELECT clv_sample(x, t_x, t, g) FROM (VALUES (0, 0, 9, 0.5)) v (x, t_x, t, g);
SELECT clv_sample(x, t_x, t, g) FROM (VALUES (2, 4, 9, 1.5)) v (x, t_x, t, g);
SELECT clv_sample(x, t_x, t, g) FROM (VALUES (1, 0, 9, 0)) v (x, t_x, t, g);
SELECT clv_sample(x, t_x, t, g) FROM (VALUES (1, 5, 4, 0)) v (x, t_x, t, g);
-- a state with a known sum that meets a row without one
SELECT clv_sample_add_timing('timing(log_gaps=1){1:4:9}', 1, 4, 9);

-- Covariates --------------------------------------------------------------------------------------------------
SELECT clv_sample(x, t_x, t, z) FROM (VALUES (1, 2, 9, ARRAY[1, 0.5]), (0, 0, 9, ARRAY[0, -0.0::float8]), (1, 2, 9, '{1,0.5}'), (1, 2, 9, NULL), (1, 2, 9, '{1,NULL}'),
    (1, NULL, 9, '{1,0.5}')) v (x, t_x, t, z);
SELECT clv_sample(1, 2, 9, '[5:6]={7,8}'::float8[]) AS any_lower_bound, clv_sample(1, 2, 9, ARRAY[1, 2]) AS integers, clv_sample(1, 2, 9, array_fill(0::float8, ARRAY[16])) AS most;
SELECT clv_sample(h, date '2024-01-31', 'week', ARRAY[length(customer), 1]) FROM histories;
SELECT clv_sample(h, timestamptz '2024-01-31', 'week', ARRAY[length(customer), 1]) = clv_sample(h, date '2024-01-31', 'week', ARRAY[length(customer), 1]) AS same FROM histories;
SELECT clv_sample(h, date '2024-01-31', 'week', z) FROM histories, (VALUES ('{1}'::float8[]), (NULL), ('{NULL}')) v (z) WHERE customer = 'ann';
SELECT clv_sample(h, date '2024-01-31', 'week', '{NULL}'::float8[]) IS NULL AS nothing FROM histories;
\set VERBOSITY default
SELECT clv_sample(1, 2, 9, '{}'::float8[]);
SELECT clv_sample(1, 2, 9, '{{1,2},{3,4}}'::float8[]);
SELECT clv_sample(1, 2, 9, array_fill(0::float8, ARRAY[17]));
SELECT clv_sample(1, 2, 9, '{1,NaN}'::float8[]);
SELECT clv_sample(1, 2, 1, '{1}'::float8[]);
SELECT clv_sample(1, 2, 9, z) FROM (VALUES ('{1}'::float8[]), ('{1,2}')) v (z);
SELECT clv_sample(h, date '2024-01-31', 'week', '{}'::float8[]) FROM histories;
\set VERBOSITY terse

-- Opportunities ------------------------------------------------------------------------------------------------
SELECT opportunity_sample(x, t_x, n) FROM (VALUES (2, 4, 6), (0, 0, 6), (2, 4, 6), (1, 1, NULL)) v (x, t_x, n);
-- whole weeks from the first purchase to 2024-01-31: ann 4, taken the 1st (01-08) and the 3rd (01-22); bob 3; dora 4, taken the 2nd
SELECT opportunity_sample(h, date '2024-01-31', 'week') FROM histories;
SELECT opportunity_sample(h, timestamptz '2024-01-31 12:00', 'week') = opportunity_sample(h, date '2024-01-31', 'week') AS same FROM histories;
-- two purchases in one period count once, the day after a period's end belongs to the next, the period as_of is in does not count
SELECT h, opportunity_sample(h, date '2024-01-31', 'week') FROM (VALUES ('{2024-01-01,2024-01-02,2024-01-08}'::purchase_history), ('{2024-01-01,2024-01-09}'), ('{2024-01-01,2024-01-29}'),
    ('{2024-01-01,2024-01-30}'), ('{2024-01-30,2024-01-31}')) v (h) GROUP BY h ORDER BY h::text;
SELECT opportunity_sample(h, date '2024-01-31', 'day') FROM (VALUES ('{2024-01-01,2024-01-31}'::purchase_history)) v (h);
-- against a count of the periods, in units whose length is no whole number of days
CREATE TABLE visits AS SELECT c, purchase_history(d) AS h, min(d) AS first, array_agg(d) AS days
FROM (SELECT c, date '2020-01-01' + (hashint8extended(c, 1) % 400 + 400)::int + (hashint8extended(c * 100 + i, 2) % 600 + 600)::int AS d
      FROM generate_series(1, 200) c, generate_series(1, 12) i) o GROUP BY c;
SELECT unit, count(*) AS customers, sum(x) > 20 AS taken, count(*) FILTER (WHERE opportunities <> format('opportunities(unit=%s,as_of=2022-06-30,first=%s,last=%s){%s:%s:%s}', unit, to_char(first, 'YYYY-MM-DD'), last, x, t_x, n)::clv_sample) AS wrong
FROM (VALUES ('day', 1), ('week', 7), ('month', 30.4375), ('year', 365.25)) u (unit, days_of), visits,
    LATERAL (SELECT floor((date '2022-06-30' - first) / days_of) AS n, to_char(last_purchase(h, date '2022-06-30'), 'YYYY-MM-DD') AS last) o,
    LATERAL (SELECT count(DISTINCT period) AS x, coalesce(max(period), 0) AS t_x FROM (SELECT ceil((d - first) / days_of) AS period FROM unnest(days) d) p WHERE period BETWEEN 1 AND o.n) t,
    LATERAL (SELECT opportunity_sample(v.h, date '2022-06-30', v.unit) AS opportunities FROM (VALUES (h, unit)) v (h, unit)) s
WHERE first <= date '2022-06-30' GROUP BY unit ORDER BY unit;
\set VERBOSITY default
SELECT opportunity_sample(3, 2, 6);
SELECT opportunity_sample(1, 7, 6);
SELECT opportunity_sample(0, 2, 6);
SELECT opportunity_sample(1.5, 2, 6);
SELECT opportunity_sample(0, 0, 1000000);
SELECT opportunity_sample(0, 0, 1000001);
SELECT opportunity_sample('{0001-01-01}'::purchase_history, date '9999-12-31', 'day');
\set VERBOSITY terse

-- Renewals -------------------------------------------------------------------------------------------------------
SELECT renewal_sample(tenure, churned) FROM (VALUES (1, true), (3, false), (3, true), (3, false), (NULL, true), (2, NULL)) v (tenure, churned);
SELECT renewal_sample(tenure, churned, entry) FROM (VALUES (1, true, 0), (3, false, 3), (3, true, 2), (3, true, NULL)) v (tenure, churned, entry);
-- as of 2024-06-30: a month that began on the 31st ends on the last of the month; what ends on a renewal day was not renewed
SELECT started, ended, renewal_sample(started, ended, '2024-06-30', 'month') FROM (VALUES (date '2024-01-31', NULL::date), ('2024-01-31', '2024-02-29'), ('2024-01-31', '2024-03-01'), ('2024-01-31', '2024-01-31'),
    ('2024-06-30', NULL), ('2024-05-31', NULL), ('2024-05-30', 'infinity'), ('2024-05-30', '2024-07-01'), ('2024-05-30', '2024-06-30'), ('2024-07-01', NULL), ('2024-07-01', '2024-07-02')) v (started, ended)
GROUP BY started, ended ORDER BY started, ended;
SELECT renewal_sample(started, ended, timestamptz '2024-06-30 12:00', 'month') FROM (VALUES (timestamptz '2024-01-31 23:00', NULL::timestamptz), ('2024-01-31', '2024-02-29 23:59'), ('2024-05-30', 'infinity'), ('2024-07-01', NULL)) v (started, ended);
-- 29 February renews on the 28th
SELECT renewal_sample(date '2020-02-29', NULL, as_of, 'year') FROM (VALUES (date '2021-02-27'), ('2021-02-28'), ('2024-02-28'), ('2024-02-29')) v (as_of) GROUP BY as_of ORDER BY as_of;
-- any other NULL skips the row
SELECT renewal_sample(started, NULL, as_of, unit) IS NULL AS nothing FROM (VALUES (NULL::date, date '2024-06-30', 'month'), ('2024-01-01', NULL, 'month'), ('2024-01-01', '2024-06-30', NULL)) v (started, as_of, unit);
SELECT renewal_sample(date '2024-01-01', NULL, date '2024-06-30', 'month', NULL) IS NULL AS nothing;
-- data that begin on 2024-03-15: renewals made by then lie behind; who left by then is not in them
SELECT started, ended, renewal_sample(started, ended, '2024-06-30', 'month', '2024-03-15') FROM (VALUES (date '2024-01-15', NULL::date), ('2024-01-16', NULL), ('2024-03-15', NULL), ('2024-04-01', '2024-04-02'), ('2024-01-15', '2024-03-15'),
    ('2024-01-15', '2024-03-16'), ('2024-01-15', '2024-02-01'), ('2024-03-15', '2024-03-15'), ('2024-07-01', NULL)) v (started, ended)
GROUP BY started, ended ORDER BY started, ended;
SELECT renewal_sample(timestamptz '2024-01-15', NULL, timestamptz '2024-06-30', 'month', timestamptz '2024-03-15');
-- against the dates that PostgreSQL's intervals give, for every unit and 400 contracts
CREATE TABLE contracts AS SELECT i, date '2019-12-25' + (i * 7919) % 800 AS started, date '2019-12-25' + (i * 7919) % 800 + (i * 104729) % 1500 AS ended, date '2020-01-01' + (i * 31) % 900 AS data_begin FROM generate_series(1, 400) i;
SELECT unit, count(*) AS contracts, count(*) FILTER (WHERE skipped) > 10 AS some_skipped, count(*) FILTER (WHERE churned) > 100 AS some_churned, count(DISTINCT entry) > 2 AS entries,
    count(*) FILTER (WHERE s <> CASE WHEN skipped THEN format('renewals(unit=%s,as_of=2023-06-30,skipped=1){}', unit) ELSE format('renewals(unit=%s,as_of=2023-06-30){%s:%s:%s}', unit, entry, tenure, churned::int) END::clv_sample) AS wrong
FROM (VALUES ('day'), ('week'), ('month'), ('year')) u (unit), contracts c,
    LATERAL (SELECT ended <= date '2023-06-30' AS churned, started < data_begin AND ended <= data_begin AS skipped) k,
    LATERAL (SELECT count(*) FILTER (WHERE day <= data_begin) AS entry, CASE WHEN churned THEN 1 + count(*) FILTER (WHERE day < ended) ELSE count(*) FILTER (WHERE day <= date '2023-06-30') END AS tenure
        FROM generate_series(1, 1500 / CASE unit WHEN 'day' THEN 1 WHEN 'week' THEN 7 ELSE 28 END) n, LATERAL (SELECT (started + n * ('1 ' || unit)::interval)::date AS day) d) r,
    LATERAL (SELECT renewal_sample(v.started, v.ended, '2023-06-30', v.unit, v.data_begin) AS s FROM (VALUES (started, ended, unit, data_begin)) v (started, ended, unit, data_begin)) a
GROUP BY unit ORDER BY unit;
\set VERBOSITY default
SELECT renewal_sample(0, true);
SELECT renewal_sample(1.5, false);
SELECT renewal_sample(3, true, 3);
SELECT renewal_sample(3, false, 4);
SELECT renewal_sample(date '2024-02-01', date '2024-01-31', date '2024-06-30', 'month');
SELECT renewal_sample(date '2024-02-01', NULL, date '2024-06-30', 'month', date '2024-07-01');
SELECT renewal_sample(date '2024-02-01', date '-infinity', date '2024-06-30', 'month');
SELECT renewal_sample(date '-infinity', NULL, date '2024-06-30', 'month');
SELECT renewal_sample(date '2024-02-01', NULL, date 'infinity', 'month');
SELECT renewal_sample(date '2024-02-01', NULL, date '2024-06-30', 'quarter');
SELECT renewal_sample(date '2024-02-01', NULL, as_of, 'month') FROM (VALUES (date '2024-06-30'), ('2024-07-01')) v (as_of);
\set VERBOSITY terse

-- Reading ---------------------------------------------------------------------------------------------------------
SELECT i.* FROM (VALUES ('timing(unit=week,as_of=2024-02-01,first=2024-01-01,last=2024-01-31,skipped=7,covariates=2,log_gaps=-0.25){-1:0:0:0:9*2,0.5:1:1:2:3}'::clv_sample),
    ('holdout(unit=day,as_of=2024-02-01,until=2024-06-30){}'), ('spend{1:2}')) v (s), sample_info(s) i;
SELECT count(*) AS no_row FROM sample_info(NULL);

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
-- the same for every way to build a sample: serial, parallel, in any order, and rolled up from parts of every size in any order
CREATE TABLE customers AS SELECT c, h, ARRAY[c % 3, c % 2] AS z, first, first + 300 AS ended, repeat_purchases(h, date '2022-06-30') AS x, purchase_span(h, date '2022-06-30') AS t_x,
    tenure(h, date '2022-06-30') AS t, log_gaps(h, date '2022-06-30') AS g, c % 9 AS tenure, c % 2 = 1 AND c % 9 > 0 AS churned FROM visits;
ALTER TABLE customers SET (parallel_workers = 3);
ANALYZE customers;
CREATE TABLE ways (way int, call text);
INSERT INTO ways VALUES (1, $$clv_sample(x, t_x, t, g ORDER)$$), (2, $$clv_sample(x, t_x, t, z ORDER)$$), (3, $$clv_sample(h, date '2022-06-30', 'month' ORDER)$$), (4, $$clv_sample(h, date '2022-06-30', 'week', z ORDER)$$),
    (5, $$opportunity_sample(h, date '2022-06-30', 'month' ORDER)$$), (6, $$opportunity_sample(least(x, t_x), t_x, t ORDER)$$), (7, $$renewal_sample(tenure, churned ORDER)$$),
    (8, $$renewal_sample(tenure, churned, (tenure / 2) ORDER)$$), (9, $$renewal_sample(first, ended, date '2022-06-30', 'month' ORDER)$$), (10, $$renewal_sample(first, ended, date '2022-06-30', 'week', date '2021-06-30' ORDER)$$);
CREATE FUNCTION evaluate(query text) RETURNS clv_sample LANGUAGE plpgsql AS $$
DECLARE result clv_sample;
BEGIN
    EXECUTE query INTO result;
    RETURN result;
END $$;
CREATE TABLE serial_ways AS SELECT way, evaluate('SELECT ' || replace(call, ' ORDER', '') || ' FROM customers') AS s FROM ways;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 3;
SET parallel_leader_participation = off;
SELECT way, i.kind, i.n, i.n_skipped, plan_has('Partial', 'SELECT ' || replace(call, ' ORDER', '') || ' FROM customers') AS parallel,
    clv_sample_send(evaluate('SELECT ' || replace(call, ' ORDER', '') || ' FROM customers')) = clv_sample_send(s) AS same,
    clv_sample_send(evaluate('SELECT ' || replace(call, ' ORDER', ' ORDER BY hashint4(c)') || ' FROM customers')) = clv_sample_send(s) AS any_order,
    clv_sample_send(evaluate('SELECT clv_sample(part ORDER BY hashint4(n)) FROM (SELECT c % 41 * (c % 3) AS n, ' || replace(call, ' ORDER', '') || ' AS part FROM customers GROUP BY 1) p')) = clv_sample_send(s) AS rolled_up,
    clv_sample_send(evaluate('SELECT clv_sample(part) FROM (SELECT c AS n, ' || replace(call, ' ORDER', '') || ' AS part FROM customers GROUP BY c OFFSET 0) p')) = clv_sample_send(s) AS one_by_one,
    clv_sample_final(clv_sample_combine(s, NULL)) = s AND clv_sample_final(clv_sample_combine(NULL, s)) = s AS with_null,
    clv_sample_final(clv_sample_combine(s, empty)) = s AND clv_sample_final(clv_sample_combine(empty, s)) = s AS with_empty,
    clv_sample_in(clv_sample_out(s)) = s AS text
FROM ways JOIN serial_ways USING (way), sample_info(s) i, LATERAL (SELECT regexp_replace(regexp_replace(regexp_replace(s::text, '{.*}', '{}'), ',?skipped=[0-9]+', ''), '(log_gaps=)[-0-9.]+', '\10')::clv_sample AS empty) e
ORDER BY way;
RESET ALL;
-- values of less than 127 bytes are stored with a short header
CREATE TABLE short (s clv_sample);
INSERT INTO short VALUES ('renewals{}'), ('renewals{}'), ('calendar(as_of=2024-02-01){8766:0}'), ('calendar(as_of=2024-02-01){8766:1}');
SELECT pg_column_size(s) < 127 AS short, s, s = s::text::clv_sample AS same FROM short;
SELECT clv_sample(s), count(*) FROM short GROUP BY s::text LIKE 'r%' ORDER BY 2;
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
CREATE FUNCTION refusal(input text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message text;
    detail text;
BEGIN
    RETURN 'accepted as ' || input::clv_sample;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
    RETURN SQLSTATE || ' ' || CASE WHEN detail LIKE 'Not valid: %' THEN '' ELSE message || '. ' END || detail;
END $$;
SELECT input, refusal(input) FROM (VALUES
    ('timing(covariates=0){1:2:3}'), ('timing(covariates=17){}'), ('timing(covariates=2){1:1:2:3}'),
    ('timing(covariates=1){nan:1:2:3}'), ('timing(covariates=1){1:1:2:3,0:1:2:3}'), ('timing(covariates=1){0:1:4:3}'),
    ('spend(covariates=1){0:1:4}'), ('timing(log_gaps=nan){}'), ('timing(log_gaps=){}'), ('timing(log_gaps=1e3){}'),
    ('timing(log_gaps=0.1234567890123){}'), ('timing(log_gaps=9007199254740993){}'), ('timing(log_gaps=-9007199254740992.5){}'),
    ('spend(log_gaps=1){}'), ('opportunities{1:0:3}'), ('opportunities{0:1:3}'), ('opportunities{1:4:3}'),
    ('opportunities{1:1.5:3}'), ('opportunities{0:0:1000001}'), ('renewals{0:0:1}'), ('renewals{3:3:1}'), ('renewals{4:3:0}'), ('renewals{0:1:2}'),
    ('renewals{0:1.5:0}'), ('holdout{1:4:3:0:0:0}'), ('holdout{1:2:3:-1:0:0}'), ('holdout{1:2:3:0:0.5:0}'),
    ('holdout{1:2:3:0:0:1e999}'), ('holdout(until=2024-06-30){}'), ('holdout(as_of=2024-06-30,until=2024-06-30){}'),
    ('calendar{1.5:0}'), ('calendar{9999999:0}'), ('calendar{1:2}')) v (input);
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
SELECT i.kind, receive(clv_sample_send(s)) = s::text AS round_trip FROM serial_ways, sample_info(s) i
UNION ALL SELECT 'holdout', receive(clv_sample_send(s)) = s::text FROM (VALUES ('holdout(unit=day,as_of=2024-02-01,until=2024-06-30){1:2:9:20:3:61.25}'::clv_sample)) v (s);
-- version, kind, covariates, whether the gaps are known; the frame from byte 8, the sum of gaps from byte 40
SELECT receive(set_byte(b, 5, 17)) AS covariates, receive(set_byte(b, 5, 1)) AS columns, receive(set_byte(clv_sample_send('spend{1:2}'), 5, 1)) AS spend,
       receive(set_byte(b, 7, 2)) AS gaps_known, receive(set_byte(b, 7, 0)) AS gaps_unknown, receive(set_byte(b, 40, 1)) AS gaps_large, receive(set_byte(b, 48, 1)) AS gaps_fraction,
       receive(set_byte(clv_sample_send('spend{1:2}'), 7, 1)) AS spend_gaps, receive(set_byte(b, 28, 0)) AS until
FROM (SELECT clv_sample_send('timing(log_gaps=2.5){1:2:3}') AS b) w \gx
DROP TABLE orders, histories, numbers, whole, many, serial, visits, contracts, customers, ways, serial_ways, short; DROP FUNCTION receive(bytea), plan_has(text, text), evaluate(text), refusal(text);
SELECT lo_unlink(424242);
