-- clv(), npv_clv() and xnpv_clv(): numbers worked by hand beside each call
\pset null (null)
SET extra_float_digits = 1;

-- SQLSTATE, message, detail and hint of the error a query raises
CREATE FUNCTION error_of(query text) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE query;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n', SQLSTATE || ' ' || message, NULLIF(detail, ''), 'hint: ' || NULLIF(hint, ''));
END
$$;

-- ---- clv() ----

-- 25 x 4 x 3 = 300; (25 x 4 x 0.3 - 5) x 3 - 20 = 75 - 20 = 55
SELECT clv(25, 4, 3), clv(25, 4, 3, 0.3, 5, 20);
SELECT clv(25.0::float8, 4, 3), clv(25.0::float8, 4, 3, 0.3, 5, 20);

-- a loss is a value: (10 x 1 x 0.1 - 2) x 5 - 1 = -6
SELECT clv(10, 1, 5, 0.1, 2, 1);

-- numeric is exact where float8 is not: 0.1 x 3, and 31 digits
SELECT clv(0.1, 3, 1) = 0.3 AS exact, clv(0.1::float8, 3, 1) = 0.3::float8 AS float8_exact,
	   clv(1234567890123456.78, 3, 1, acquisition_cost => 0.00000000000001);

-- whole numbers of every kind, alone and mixed with others, give numeric; any float8 gives float8
CREATE TABLE typed (i2 smallint, i4 integer, i8 bigint, n numeric, f4 real, f8 float8);
INSERT INTO typed VALUES (4, 4, 4, 4, 4, 4);
SELECT call, type FROM typed, LATERAL (VALUES
	('integers', pg_typeof(clv(25, 4, 3))),
	('bigint first', pg_typeof(clv(25::bigint, 4, 3))),
	('smallint', pg_typeof(clv(25::smallint, 4::smallint, 3::smallint))),
	('smallint, bigint', pg_typeof(clv(i2, i8, 3))),
	('decimal first', pg_typeof(clv(25.5, 4, 3))),
	('decimal second', pg_typeof(clv(25, 4.5, 3))),
	('integer columns, decimal margin', pg_typeof(clv(i4, i4, i4, 0.3))),
	('integer columns, numeric column', pg_typeof(clv(i4, i4, i4, margin => n / 10))),
	('integers, integer costs', pg_typeof(clv(i4, i4, i4, 1, i4, i8))),
	('float8 first', pg_typeof(clv(f8, 4, 3))),
	('float8 third', pg_typeof(clv(25, 4.5, f8))),
	('float8 margin', pg_typeof(clv(25, 4, 3, 0.3::float8))),
	('float8 cost', pg_typeof(clv(25, 4, 3, acquisition_cost => f8))),
	('real', pg_typeof(clv(f4, 4, 3)))) AS c(call, type);

-- names and defaults in every form: (25 x 4 x 0.5) x 3 - 20 = 130
SELECT clv(avg_purchase_value => 25, purchase_frequency => 4, customer_lifespan => 3, margin => 0.5, acquisition_cost => 20),
	   clv(25::bigint, 4, customer_lifespan => 3, margin => 0.5, acquisition_cost => 20),
	   clv(25::smallint, 4::smallint, 3::smallint, acquisition_cost => 20, margin => 0.5),
	   clv(25.0, 4, 3, margin => 0.5, acquisition_cost => 20),
	   clv(25::float8, 4, 3, margin => 0.5, acquisition_cost => 20);

-- the integer forms are inlined: one C call a row
EXPLAIN (VERBOSE, COSTS OFF) SELECT clv(i4, i4, i4, 0.3) FROM typed;

SELECT clv(NULL, 4, 3), clv(25, NULL::numeric, 3), clv(25, 4, 3, NULL), clv(25::float8, 4, 3, 1, NULL, 0);
SELECT clv(0, 0, 0), clv(25, 4, 3, 0), clv(25, 4, 3, 1), clv(25::float8, 4, 0, 1, 0, 20);

SELECT query, error_of('SELECT ' || query) FROM (VALUES
	('clv(-25, 4, 3)'), ('clv(-25::float8, 4, 3)'),
	('clv(25, -4, 3)'), ('clv(25, 4, -3)'), ('clv(25::float8, 4, -0.5)'),
	('clv(25, 4, 3, 30)'), ('clv(25::float8, 4, 3, 30)'), ('clv(25, 4, 3, -0.1)'),
	('clv(25, 4, 3, 1.00000000000000000001)'),
	('clv(25, 4, 3, 1, -5)'), ('clv(25, 4, 3, 1, 0, -20)'),
	($$clv('NaN'::numeric, 4, 3)$$), ($$clv('NaN'::float8, 4, 3)$$),
	($$clv(25, 4, 'infinity'::numeric)$$), ($$clv(25, 4, 'infinity'::float8)$$), ($$clv(25, 4, '-infinity'::float8)$$),
	('clv(1e300::float8, 1e10, 3)')) AS q(query);

-- ---- npv_clv() of a margin per period ----

-- no end: 100 x 1.1 / (1.1 - 0.6) = 220 with a margin at once, 100 x 0.6 / 0.5 = 120 without; 20 to acquire
SELECT npv_clv(100, 0.6, 0.1), npv_clv(100, 0.6, 0.1, first_margin => 1), npv_clv(100, 0.6, 0.1, acquisition_cost => 20);

-- Gupta & Lehmann 2003: retention 80 %, discount 12 % multiply the margin by 0.8 / 0.32 = 2.5
SELECT npv_clv(1, 0.8, 0.12, first_margin => 1);

-- three periods at q = 0.5 / 1.25 = 0.4: 100 + 40 + 16 = 156, and 40 + 16 + 6.4 = 62.4 from time 1
SELECT npv_clv(100, 0.5, 0.25, 3), npv_clv(100, 0.5, 0.25, 3, 0, 1),
	   round(npv_clv(100::float8, 0.5, 0.25, 3)::numeric, 12), round(npv_clv(100::float8, 0.5, 0.25, 3, 0, 1)::numeric, 12);

-- nobody leaves, nothing is discounted, or both rates cancel: as many margins as periods
SELECT npv_clv(100, 1.0, 0, 12), npv_clv(100::float8, 1, 0, 12), npv_clv(100, 0.9, -0.1, 12), npv_clv(100, 0.75::float8, -0.25, 12, 0, 1);

-- everybody leaves: only the margin at once; no period: nothing
SELECT npv_clv(100, 0, 0.1), npv_clv(100::float8, 0, 0.1), npv_clv(100, 0, 0.1, first_margin => 1), npv_clv(100::float8, 0, 0.1, 5, 0, 1),
	   npv_clv(100, 0.8, 0.1, 0, 20), npv_clv(100::float8, 0.8, 0.1, 0, 20);

-- one period is one margin; a period that costs money; money lent at a loss: 100 x (1 + 2 + 4) = 700
SELECT npv_clv(100, 0.8, 0.1, 1), round(npv_clv(100::float8, 0.8, 0.1, 1)::numeric, 12), npv_clv(-100, 0.6, 0.1),
	   npv_clv(100, 1, -0.5, 3), round(npv_clv(100::float8, 1, -0.5, 3)::numeric, 11);

-- 1,000 / 11 = 90.909...: a decimal without end has 20 decimals more than margin and retention; 100.5 x 1.1 / 0.3 = 368.5
SELECT npv_clv(100, 1, 0.1, 1, 0, 1), npv_clv(100.50, 1.0, 0.1, 1, 0, 1), npv_clv(100.50, 0.8, 0.1);

-- q next to 1: the sum of n (1 + d)^-t is n - d n (n - 1) / 2 + d^2 (n - 1) n (n + 1) / 6 - ..., here 10^12 - (10^24 - 10^12) / 2 x 10^-30
-- + 1.67 x 10^-25, and in float8 2^20 - (2^40 - 2^20) / 2 x 2^-40 + 2^60 / 6 x 2^-80 = 1048575.50000064
SELECT npv_clv(1, 1, 1e-30, 1000000000000), round(npv_clv(1::float8, 1, 2::float8 ^ -40, 1048576)::numeric, 8);

-- numeric and float8 agree where both are given the same numbers, and with the sum of the margins one by one
CREATE VIEW grid AS
	SELECT r / 64.0 AS r, d / 64.0 AS d, n, f
	FROM generate_series(0, 64, 4) AS r, generate_series(-32, 64, 8) AS d,
		 unnest(ARRAY[1, 2, 7, 60]) AS n, unnest(ARRAY[0, 1]) AS f;
SELECT count(*), count(DISTINCT num), bool_and(abs(f8 - num) <= 1e-14 * num) AS agree
FROM (SELECT npv_clv(100, r, d, n, 0, f) AS num, npv_clv(100::float8, r, d, n, 0, f) AS f8 FROM grid) AS v;
SELECT count(*), max(abs(whole - one_by_one) / greatest(one_by_one, 1)) < 1e-20 AS agree
FROM (SELECT npv_clv(100, r, d, n, 0, f) AS whole,
			 (WITH RECURSIVE margin(t, amount) AS
				  (SELECT 0, 100::numeric UNION ALL SELECT t + 1, amount * r FROM margin WHERE t < n)
			  SELECT npv_clv(array_agg(CASE WHEN t BETWEEN f AND n - 1 + f THEN amount ELSE 0 END ORDER BY t), d) FROM margin) AS one_by_one
	  FROM grid WHERE r IN (0, 0.5, 0.9375, 1)) AS v;

-- the endless sum is the limit of the finite ones, and a margin at once is worth (1 + d) / r of a margin at time 1
SELECT bool_and(abs(npv_clv(100, r, d) - npv_clv(100, r, d, 100000)) < 1e-19) AS limit_of_finite,
	   bool_and(abs(npv_clv(100::float8, r, d) / npv_clv(100::float8, r, d, 100000) - 1) < 1e-15) AS limit_of_finite_float8,
	   bool_and(abs(npv_clv(100, r, d) * r - npv_clv(100, r, d, first_margin => 1) * (1 + d)) < 1e-18) AS shifted,
	   count(*)
FROM (SELECT DISTINCT r, d FROM grid WHERE r < 1 + d) AS rates;

SELECT npv_clv(NULL, 0.8, 0.1), npv_clv(100, NULL, 0.1), npv_clv(100, 0.8, 0.1, NULL), npv_clv(100::float8, 0.8, 0.1, first_margin => NULL);

SELECT query, error_of('SELECT ' || query) FROM (VALUES
	('npv_clv(100, 80, 0.1)'), ('npv_clv(100::float8, 80, 10)'), ('npv_clv(100, -0.8, 0.1)'),
	('npv_clv(100, 0.8, -1)'), ('npv_clv(100::float8, 0.8, -1)'), ($$npv_clv(100, 0.8, 'infinity'::float8)$$),
	($$npv_clv(100, 0.8, 'NaN'::numeric)$$), ($$npv_clv('infinity'::numeric, 0.8, 0.1)$$),
	('npv_clv(100, 0.8, 0.1, 2.5)'), ('npv_clv(100, 0.8, 0.1, 2.5::float8)'), ('npv_clv(100, 0.8, 0.1, -1)'),
	($$npv_clv(100, 0.8, 0.1, '-infinity')$$), ($$npv_clv(100, 0.8, 0.1, 'NaN'::float8)$$), ($$npv_clv(100, 0.8, 0.1, 'NaN')$$),
	('npv_clv(100, 0.8, 0.1, 1e19)'),
	('npv_clv(100, 0.8, 0.1, 12, -20)'), ('npv_clv(100, 0.8, 0.1, first_margin => 2)'), ('npv_clv(100::float8, 0.8, 0.1, 12, 0, -1)'),
	('npv_clv(100, 1.0, 0)'), ('npv_clv(100::float8, 1, 0)'), ('npv_clv(100, 0.9, -0.2)'), ('npv_clv(100, 0.9::float8, -0.2)'),
	('npv_clv(100, 1.0, -0.9, 10000)'), ('npv_clv(100, 1::float8, -0.9, 10000)'),
	('npv_clv(100, 0.8, 1e-301)')) AS q(query);

-- ---- npv_clv() of cash flows ----

-- -1000 + 1100 / 1.1 = 0; 100 + 100 / 2 + 100 / 4 = 175; nothing discounted: the plain sum, exact in numeric
SELECT npv_clv(ARRAY[-1000, 1100], 0.1), npv_clv(ARRAY[100, 100, 100], 1.0), npv_clv(ARRAY[100, 100, 100]::float8[], 1), npv_clv(ARRAY[0.1, 0.2], 0.0);

-- whole numbers of money with a decimal rate are numeric, float8 anywhere is float8; bounds of an array do not matter
SELECT pg_typeof(npv_clv(ARRAY[-1000, 1100], 0.1)), pg_typeof(npv_clv(ARRAY[-1000, 1100], 0.1::float8)), pg_typeof(npv_clv(ARRAY[-1000::float8], 0.1)),
	   npv_clv('[0:1]={100,100}'::numeric[], 1), npv_clv('[5:6]={100,100}'::float8[], 1);

SELECT npv_clv('{}'::numeric[], 0.1), npv_clv('{}'::float8[], 0.1), npv_clv(NULL::numeric[], 0.1), npv_clv(ARRAY[1, 2], NULL::numeric);

-- equal margins are the closed form with retention 1, more flows than are added at once included
SELECT abs(npv_clv(array_fill(100::float8, ARRAY[360]), 0.01) / npv_clv(100::float8, 1, 0.01, 360) - 1) < 1e-14 AS agree,
	   npv_clv(array_fill(100::numeric, ARRAY[360]), 0.01) = npv_clv(100, 1.0, 0.01, 360) AS equal_numeric,
	   abs(npv_clv(array_fill(1::float8, ARRAY[200000]), 0.00001) / npv_clv(1::float8, 1, 0.00001, 200000) - 1) < 1e-14 AS agree_long;

-- what large flows of opposite sign leave is not lost to rounding: 10^16 + 1 - 10^16 = 1
SELECT npv_clv('{1e16,1,-1e16}'::float8[], 0);

SELECT query, error_of('SELECT ' || query) FROM (VALUES
	('npv_clv(ARRAY[1, NULL, 2], 0.1)'), ('npv_clv(ARRAY[1::float8, NULL], 0.1)'),
	('npv_clv(ARRAY[[1, 2], [3, 4]], 0.1)'), ('npv_clv(ARRAY[[1::float8, 2]], 0.1)'),
	($$npv_clv('{1,NaN}'::float8[], 0.1)$$), ($$npv_clv('{1,infinity}'::numeric[], 0.1)$$),
	('npv_clv(ARRAY[1, 2], -1)'), ('npv_clv(ARRAY[1, 2], -1.5)'), ($$npv_clv(ARRAY[1, 2], 'NaN'::float8)$$),
	($$npv_clv('{1e308,1e308}'::float8[], 0)$$), ($$npv_clv('{}'::float8[], -10)$$)) AS q(query);

-- ---- xnpv_clv() ----

-- the example of the spreadsheets' manuals: 2086.65
CREATE TABLE payment (id integer, paid_on date, amount numeric);
INSERT INTO payment VALUES (1, '2008-01-01', -10000), (2, '2008-03-01', 2750), (3, '2008-10-30', 4250), (4, '2009-02-15', 3250), (5, '2009-04-01', 2750);
SELECT round(xnpv_clv(amount, paid_on, '2008-01-01', 0.09)::numeric, 6) FROM payment;

-- 365 days at 10 %: 110 / 1.1 = 100 after as_of, 110 x 1.1 = 121 before it, 110 on the day; half of two years' 21 % is one year
SELECT round(xnpv_clv(110, date '2026-01-01' + days, '2026-01-01', 0.10)::numeric, 10)
FROM unnest(ARRAY[365, -365, 0, 730]) AS days GROUP BY days ORDER BY days;

-- equal to the formula written out, and to npv_clv() where the years have 365 days
SELECT abs(xnpv_clv(amount, paid_on, '2008-06-30', 0.09) - sum(amount / (1.09::float8 ^ ((paid_on - date '2008-06-30') / 365.0::float8)))) < 1e-9 AS agree FROM payment;
SELECT abs(xnpv_clv(amount, date '2026-01-01' + 365 * (i::integer - 1), '2026-01-01', 0.08) - npv_clv(array_agg(amount ORDER BY i), 0.08)) < 1e-11 AS agree
FROM unnest(ARRAY[-1000, 300.5, 400, 500]::float8[]) WITH ORDINALITY AS f(amount, i);

-- any order, equal rows, groups, a rate per row
SELECT count(DISTINCT v) FROM (SELECT xnpv_clv(amount, paid_on, '2008-01-01', 0.09 ORDER BY id) FROM payment
							   UNION ALL SELECT xnpv_clv(amount, paid_on, '2008-01-01', 0.09 ORDER BY id DESC) FROM payment
							   UNION ALL SELECT xnpv_clv(amount, paid_on, '2008-01-01', 0.09 ORDER BY amount) FROM payment) AS o(v);
SELECT i, xnpv_clv(100, date '2026-01-01', '2026-01-01', 0.1 * i) FROM generate_series(1, 3) AS i, generate_series(1, i) GROUP BY i ORDER BY i;
SELECT round(xnpv_clv(121, '2027-01-01', date '2026-01-01', rate)::numeric, 10) FROM unnest(ARRAY[0.1, 0.21]) AS rate;

-- 10^16 + 1 - 10^16 = 1
SELECT xnpv_clv(amount, date '2026-01-01' + i::integer, '2026-01-01', 0) FROM unnest('{1e16,1,-1e16}'::float8[]) WITH ORDINALITY AS f(amount, i);

-- rows with a NULL are skipped; without rows there is no value
SELECT xnpv_clv(amount, paid_on, as_of, rate) FROM (VALUES
	(5::float8, date '2026-01-01', date '2026-01-01', 0.1::float8),
	(NULL, '2026-01-01', '2026-01-01', 0.1), (7, NULL, '2026-01-01', 0.1), (7, '2026-01-01', NULL, 0.1), (7, '2026-01-01', '2026-01-01', NULL)) AS p(amount, paid_on, as_of, rate);
SELECT xnpv_clv(amount, paid_on, '2008-01-01', 0.09), xnpv_clv(amount, NULL::date, '2008-01-01', 0.09) FROM payment WHERE id < 0;
SELECT xnpv_clv(amount, paid_on, '2008-01-01', NULL) FROM payment;

-- serial = parallel = merged by hand, to the last bit
CREATE TABLE payments AS
	SELECT i AS id, date '2020-01-01' + i * 7919 % 3650 AS paid_on, (i * 104729 % 20011 - 9000) / 100.0::float8 AS amount FROM generate_series(1, 20000) AS i;
ANALYZE payments;
SET max_parallel_workers_per_gather = 0;
SELECT xnpv_clv(amount, paid_on, '2024-01-01', 0.1) AS serial FROM payments \gset
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
EXPLAIN (COSTS OFF) SELECT xnpv_clv(amount, paid_on, '2024-01-01', 0.1) FROM payments;
SELECT xnpv_clv(amount, paid_on, '2024-01-01', 0.1) = :serial AS parallel_equal FROM payments;
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET parallel_leader_participation;
CREATE AGGREGATE payments_state(float8, date, date, float8) (SFUNC = clv_value_xnpv_add, STYPE = clv_sample);
SELECT clv_value_xnpv_final(clv_sample_combine(clv_sample_combine(a, NULL), b)) = :serial AS a_b,
	   clv_value_xnpv_final(clv_sample_combine(b, clv_sample_combine(NULL, a))) = :serial AS b_a,
	   clv_sample_combine(NULL, NULL) IS NULL AS both_empty
FROM (SELECT payments_state(amount, paid_on, '2024-01-01', 0.1) FILTER (WHERE id % 3 = 0) AS a,
			 payments_state(amount, paid_on, '2024-01-01', 0.1) FILTER (WHERE id % 3 > 0) AS b FROM payments) AS s;
SELECT abs(:serial - sum(amount / 1.1::float8 ^ ((paid_on - date '2024-01-01') / 365.0::float8))) < 1e-7 AS agree FROM payments;

-- a moment counts on its day in the session's zone: 365 days, or 366 where it is past midnight already
SET TimeZone = 'UTC';
SELECT round(xnpv_clv(110, timestamptz '2027-01-01 23:30+00', '2026-01-01 00:00+00', 0.1)::numeric, 6);
SET TimeZone = 'Europe/Vienna';
SELECT round(xnpv_clv(110, timestamptz '2027-01-01 23:30+00', '2026-01-01 00:00+00', 0.1)::numeric, 6), round(110 / 1.1 ^ (366 / 365.0), 6);
SELECT xnpv_clv(100, now(), now(), 0.1), xnpv_clv(100, current_date, now(), 0.1), xnpv_clv(100, localtimestamp, current_date, 0.1);
RESET TimeZone;

-- an annual rate above 1 warns once, not once per group
SELECT i, xnpv_clv(100, '2026-01-01', date '2026-01-01', 9) FROM generate_series(1, 3) AS i GROUP BY i ORDER BY i;
SELECT xnpv_clv(100, '2026-01-01', date '2026-01-01', 1);

SELECT query, error_of('SELECT ' || query) FROM (VALUES
	($$xnpv_clv('NaN', '2026-01-01', date '2026-01-01', 0.1)$$), ($$xnpv_clv('-infinity', '2026-01-01', date '2026-01-01', 0.1)$$),
	($$xnpv_clv(100, 'infinity', date '2026-01-01', 0.1)$$), ($$xnpv_clv(100, '2026-01-01', date '-infinity', 0.1)$$),
	($$xnpv_clv(100, timestamptz 'infinity', '2026-01-01', 0.1)$$),
	($$xnpv_clv(100, '0044-03-15 BC', date '2026-01-01', 0.1)$$),
	($$xnpv_clv(100, '2026-01-01', date '2026-01-01', -1)$$), ($$xnpv_clv(100, '2026-01-01', date '2026-01-01', 'NaN')$$),
	($$xnpv_clv(1e308, date '2026-01-01', '2026-01-01', 0) FROM generate_series(1, 2)$$),
	($$xnpv_clv(100, date '1000-01-01', '2026-01-01', 1)$$),
	($$clv_value_xnpv_final((SELECT clv_sample(1, 1, 2)))$$)) AS q(query);

DROP TABLE typed, payment, payments;
DROP VIEW grid;
DROP AGGREGATE payments_state(float8, date, date, float8);
DROP FUNCTION error_of;

-- A margin of 0 is worth 0 however fast the terms grow; a negative rate does not eat the promised decimals.
SELECT npv_clv(0::float8, 1, -0.5, 5000) AS float8, npv_clv(0::numeric, 1, -0.5, 5000) AS "numeric";
-- 60 ones at -0.7: the sum of (10/3)^t, t = 0 ... 59, by exact fractions
SELECT abs(npv_clv(array_agg(1::numeric), -0.7) - 10109924946825312244332980197533.2993047967867708829463073) < 1e-19 AS precise FROM generate_series(1, 60);
