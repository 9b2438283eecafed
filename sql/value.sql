-- clv(), npv_clv(), xnpv_clv(), the scenarios and the acquisition costs they bear: numbers worked by hand beside each call
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

-- ---- worked examples of others ----

-- 1,000 a year over seven years is 7,000, and 6,300 where service costs 100 a year
SELECT clv(1000, 1, 7) AS before_service, clv(1000, 1, 7, service_cost => 100) AS after_service;
-- 12 of profit a purchase, 3 purchases a year, 5 years: 180 (Romain Berg, glossary, "CLV or Customer Lifetime Value")
SELECT clv(12, 3, 5);
-- 1,000 of profit a year over 5 years less 2,000 to acquire: 3,000 (VCABC, "Lifetime value")
SELECT clv(1000, 1, 5, acquisition_cost => 2000);

-- Gupta & Lehmann 2003, table of the margin multiple r / (1 + d - r): the first margin at the end of the first period. As printed:
-- 60 %: 1.20 1.15 1.11 1.07; 70 %: 1.75 1.67 1.59 1.52; 80 %: 2.67 2.50 2.35 2.22; 90 %: 4.50 4.09 3.75 3.46
SELECT r AS retention, round(npv_clv(1, r, 0.10, first_margin => 1), 2) AS "10 %", round(npv_clv(1, r, 0.12, first_margin => 1), 2) AS "12 %",
	   round(npv_clv(1, r, 0.14, first_margin => 1), 2) AS "14 %", round(npv_clv(1, r, 0.16, first_margin => 1), 2) AS "16 %"
FROM unnest(ARRAY[0.60, 0.70, 0.80, 0.90]) AS r;
-- the first margin at once, (1 + d) / (1 + d - r), is one margin more: 1 + r / (1 + d - r)
SELECT r AS retention, round(npv_clv(1, r, 0.10), 2) AS "10 %", round(npv_clv(1, r, 0.12), 2) AS "12 %",
	   round(npv_clv(1, r, 0.14), 2) AS "14 %", round(npv_clv(1, r, 0.16), 2) AS "16 %"
FROM unnest(ARRAY[0.60, 0.70, 0.80, 0.90]) AS r;
SELECT count(*), bool_and(abs(npv_clv(1, r, d) - 1 - npv_clv(1, r, d, first_margin => 1)) < 1e-19) AS one_more,
	   bool_and(abs(npv_clv(1, r, d) - (1 + d) / (1 + d - r)) < 1e-15) AS formula
FROM unnest(ARRAY[0.60, 0.70, 0.80, 0.90]) AS r, unnest(ARRAY[0.10, 0.12, 0.14, 0.16]) AS d;

-- 500 to acquire, 75 a month: 6.7 months, so that the seventh pays it back; 1,000 and 100 at a margin of 80 %: 12.5 months
-- (ShowMath, "LTV:CAC ratio + payback period")
SELECT payback_periods(500, 75), payback_periods(1000, 100 * 0.80);
-- 2,500 of value at a cost of 500 is a ratio of 5 there; at a ratio of 3 it bears 833.33
SELECT max_acquisition_cost(2500, 5), round(max_acquisition_cost(2500, 3), 2);

-- XNPV to the cent: Microsoft's documentation 2086.65 (above); LibreOffice Help, XNPV of the payments under XIRR at 6 %: 323.02
SELECT round(xnpv_clv(amount, paid_on, '2001-01-01', 0.06)::numeric, 2) AS libreoffice
FROM (VALUES (-10000, date '2001-01-01'), (2000, '2001-02-01'), (2500, '2001-03-15'), (5000, '2001-05-12'), (1000, '2001-08-10')) AS p(amount, paid_on);
-- OpenOffice's documentation, as Calcapp's manual has it, at 5 %: -12.65 with the 1,000 paid, 987.35 without
SELECT round(xnpv_clv(amount, paid_on, '2008-01-01', 0.05)::numeric, 2) AS bought,
	   round(xnpv_clv(amount, paid_on, '2008-01-01', 0.05) FILTER (WHERE amount > 0)::numeric, 2) AS worth
FROM (VALUES (-1000, date '2008-01-01'), (500, '2009-01-01'), (550, '2009-07-01')) AS p(amount, paid_on);

-- Reichheld & Sasser 1990: who loses 10 % of the customers a year keeps one for 10 years on average, who loses 5 % for 20. Margins that do not
-- change with the years and no discount double with it; discounted by 10 % they gain a third. Their own profit curves are not the subject here.
SELECT npv_clv(1, 0.90, 0) AS years_of_90, npv_clv(1, 0.95, 0) AS years_of_95,
	   round(npv_clv(1, 0.95, 0.10) / npv_clv(1, 0.90, 0.10) - 1, 4) AS discounted_gain;

-- ---- clv_sensitivity(), npv_clv_sensitivity() ----

-- (25 x 4 x 0.3 - 5) x 3 - 20 = 55. 5 % more of a factor of the 90 of revenue: 4.50; of lifespan: 5 % of 75; of the costs: 5 % of 15 and of 20
SELECT driver, current, change, changed, value, new_value, difference, round(elasticity, 6) AS elasticity FROM clv_sensitivity(25, 4, 3, 0.3, 5, 20);
SELECT driver, controllable, lever FROM clv_sensitivity(25, 4, 3, 0.3, 5, 20);
SELECT driver, difference FROM clv_sensitivity(25::float8, 4, 3, 0.25, 5, 20, -0.5);

-- 100 x 1.1 / 0.3 = 366.67; retention 0.84: 110 / 0.26 = 423.08; discount 0.105: 110.5 / 0.305 = 362.30; the elasticity of retention is
-- r / (1 + d - r') = 0.8 / 0.26 = 3.0769, of the discount rate (1.105 / 0.305 / (1.1 / 0.3) - 1) / 0.05 = -0.2385
SELECT driver, current, changed, round(value, 4) AS value, round(new_value, 4) AS new_value, round(difference, 4) AS difference,
	   round(elasticity, 4) AS elasticity, controllable FROM npv_clv_sensitivity(100, 0.8, 0.1);
SELECT driver, lever FROM npv_clv_sensitivity(100, 0.8, 0.1) WHERE NOT controllable;
-- Gupta, Lehmann and Stuart 2004 found about 5 % of value per 1 % of retention, 1 % per 1 % of margin. Here, at 12 % a year and the first margin at 1:
-- 1.12 / (1.12 - 1.01 r), which is 2.71 at r = 0.7, 3.59 at 0.8, 5.31 at 0.9; and 1 for the margin
SELECT r, round(elasticity, 2) AS retention, round(1.12 / (1.12 - 1.01 * r), 2) AS by_hand
FROM unnest(ARRAY[0.7, 0.8, 0.9]) AS r, npv_clv_sensitivity(100, r, 0.12, first_margin => 1, change => 0.01) WHERE driver = 'retention_rate';

-- every row is a call of clv() or npv_clv(), in numeric to the last digit
SELECT count(*), bool_and(value = clv(25.5, 4, 3, 0.3, 5, 20)) AS value_agrees, bool_and(new_value = CASE driver
	WHEN 'avg_purchase_value' THEN clv(changed, 4, 3, 0.3, 5, 20) WHEN 'purchase_frequency' THEN clv(25.5, changed, 3, 0.3, 5, 20)
	WHEN 'customer_lifespan' THEN clv(25.5, 4, changed, 0.3, 5, 20) WHEN 'margin' THEN clv(25.5, 4, 3, changed, 5, 20)
	WHEN 'service_cost' THEN clv(25.5, 4, 3, 0.3, changed, 20) WHEN 'acquisition_cost' THEN clv(25.5, 4, 3, 0.3, 5, changed) END) AS new_value_agrees,
	bool_and(difference = new_value - value) AS difference_agrees, bool_and(changed = current * 1.2) AS changed_agrees,
	bool_and(elasticity = round(difference / (value * 0.2), 10)) AS elasticity_agrees
FROM clv_sensitivity(25.5, 4, 3, 0.3, 5, 20, 0.2);
SELECT count(*), bool_and(value = npv_clv(100, 0.7, 0.1, 12, 20, 1)) AS value_agrees, bool_and(new_value = CASE driver
	WHEN 'margin_per_period' THEN npv_clv(changed, 0.7, 0.1, 12, 20, 1) WHEN 'retention_rate' THEN npv_clv(100, changed, 0.1, 12, 20, 1)
	WHEN 'discount_rate' THEN npv_clv(100, 0.7, changed, 12, 20, 1) WHEN 'acquisition_cost' THEN npv_clv(100, 0.7, 0.1, 12, changed, 1) END) AS new_value_agrees
FROM npv_clv_sensitivity(100, 0.7, 0.1, 12, 20, 1, 0.2);
-- float8 and numeric agree, elasticities to the 10 decimals that numeric is rounded to
SELECT count(*), bool_and(abs(f.new_value - n.new_value) < 1e-11) AS value, bool_and(round(f.elasticity::numeric, 10) = n.elasticity) AS elasticity
FROM npv_clv_sensitivity(100::float8, 0.7, 0.1, 12, 20, 1, -0.1) AS f JOIN npv_clv_sensitivity(100, 0.7, 0.1, 12, 20, 1, -0.1) AS n USING (driver);

-- the elasticity of a factor is 1, however small the value and the change
SELECT elasticity FROM npv_clv_sensitivity(1, 0.8, 0.1, change => 0.01) WHERE driver = 'margin_per_period'
UNION ALL SELECT elasticity FROM npv_clv_sensitivity(20, 0.8, 0.1, change => 0.000000001) WHERE driver = 'margin_per_period'
UNION ALL SELECT elasticity FROM clv_sensitivity(1e-45, 1, 1, 0.5) WHERE driver = 'margin';
-- a value of nothing or a loss has no percentage, neither has no change: (10 x 1 x 0.1 - 2) x 5 = -5; 10 x 1 x 0.2 x 5 = 10 = acquisition
SELECT driver, value, difference, elasticity FROM clv_sensitivity(10, 1, 5, 0.1, 2);
SELECT driver, value, difference, elasticity FROM clv_sensitivity(10, 1, 5, 0.2, 0, 10) WHERE driver IN ('margin', 'acquisition_cost');
SELECT driver, new_value, difference, elasticity FROM clv_sensitivity(10, 1, 5, 0.2, change => 0) WHERE driver IN ('margin', 'service_cost');

-- a driver that would leave its range has no value, and says why, once a query: margin, retention, an endless sum
SELECT driver, changed, new_value, difference, elasticity FROM clv_sensitivity(25, 4, 3, 0.98) WHERE driver IN ('margin', 'customer_lifespan');
SELECT driver, changed, new_value FROM npv_clv_sensitivity(100::float8, 0.96, 0.25);
SELECT driver, changed, new_value FROM npv_clv_sensitivity(100, 0.9, -0.05, change => 0.1);
SELECT driver, changed, round(new_value, 2) AS new_value FROM npv_clv_sensitivity(100, 0.9, -0.05, 12, change => 0.1);
SELECT driver, changed, new_value FROM npv_clv_sensitivity(100::float8, 1, 0.25, change => -0.5) WHERE driver <> 'acquisition_cost';
SELECT driver, changed, new_value FROM npv_clv_sensitivity(100, 0.9, -0.6, 12, change => 0.7) WHERE driver = 'discount_rate';
SELECT count(*), count(new_value) FROM generate_series(1, 3) AS i, clv_sensitivity(i, 4, 3);
SELECT count(*), count(new_value) FROM generate_series(1, 3) AS i, clv_sensitivity(i::float8, 4, 3);

SELECT count(*) FROM clv_sensitivity(NULL, 4, 3);
SELECT count(*) FROM clv_sensitivity(25::bigint, 4, NULL);
SELECT count(*) FROM clv_sensitivity(25.5, 4, 3, change => NULL);
SELECT count(*) FROM npv_clv_sensitivity(100, NULL, 0.1);
SELECT count(*) FROM npv_clv_sensitivity(100::float8, 0.8, 0.1, first_margin => NULL);

-- ---- max_acquisition_cost() ----

-- 300 / 3 = 100; 100 / 3 without an end: 20 decimals more than the value has; 100.50 / 3 = 33.5
SELECT max_acquisition_cost(300, 3), max_acquisition_cost(100, 3), max_acquisition_cost(100.50, 3), max_acquisition_cost(100::float8, 8);
-- at that cost the value is target_ratio times the cost, and a cent more is too much
SELECT c AS cost, clv(25, 4, 3, 0.3, 5) >= 3 * c AS reached, clv(25, 4, 3, 0.3, 5) >= 3 * (c + 0.01) AS beyond
FROM max_acquisition_cost(clv(25, 4, 3, 0.3, 5), 3) AS c;
-- 1 / 7 x 10^-9 to 20 digits, as decimals in front of the first one are added
SELECT max_acquisition_cost(1, 7000000000.0), max_acquisition_cost(0.001, 0.7);
-- no value bears no cost; of a loss none is a third
SELECT max_acquisition_cost(0, 3), max_acquisition_cost(-1, 3), max_acquisition_cost(0::float8, 3), max_acquisition_cost(-1::float8, 3);
SELECT max_acquisition_cost(NULL, 3), max_acquisition_cost(300, NULL), max_acquisition_cost(NULL::float8, 3);

-- ---- payback_periods() ----

-- 3 x 0.1 = 0.3; 100 + 50 = 150, and 150.01 takes a third margin; 100 / 1.25 + 100 / 1.25^2 = 144 from time 1
SELECT payback_periods(0.3, 0.1), payback_periods(150, 100, 0.5), payback_periods(150.01, 100, 0.5), payback_periods(144, 100, 1, 0.25, 1),
	   payback_periods(144.01, 100, 1, 0.25, first_margin => 1);
SELECT payback_periods(0.3::float8, 0.1), payback_periods(150::float8, 100, 0.5), payback_periods(150.01::float8, 100, 0.5),
	   payback_periods(144::float8, 100, 1, 0.25, 1), payback_periods(144.01::float8, 100, 1, 0.25, 1);
-- nothing to pay back; one margin; as many margins as the cost has, 365 of them for a year of days
SELECT payback_periods(0, 100), payback_periods(0, -100), payback_periods(0::float8, 0), payback_periods(100, 100, 0.3, 0.1), payback_periods(100::float8, 100, 0.3, 0.1),
	   payback_periods(365, 1), payback_periods(365.5, 1);
-- never: no margin, a margin that costs, margins that end below the cost - 100 x 1.1 / 0.5 = 220, 100 x 0.6 / 0.5 = 120 - or at it
SELECT payback_periods(1, 0), payback_periods(1, -5, 1, -0.5), payback_periods(220.01, 100, 0.6, 0.1), payback_periods(120.01, 100, 0.6, 0.1, 1),
	   payback_periods(220, 100, 0.6, 0.1), payback_periods(101, 100, 0, 0.1), payback_periods(1, 100, 0, 0.1, 1), payback_periods(221::float8, 100, 0.6, 0.1);
-- just below the end: 220 x (1 - (6/11)^n) >= 219.99 from n = ln(22000) / ln(11/6) = 16.5
SELECT payback_periods(219.99, 100, 0.6, 0.1), payback_periods(219.99::float8, 100, 0.6, 0.1), round(ln(22000.0) / ln(11 / 6.0), 2);
-- margins that grow pay back any cost: 1 + 2 + 4 + ... + 2^9 = 1023; equal ones where both rates cancel
SELECT payback_periods(1023, 1, 1, -0.5), payback_periods(1023.5, 1, 1, -0.5), payback_periods(1023::float8, 1, 1, -0.5), payback_periods(1200, 100, 0.9, -0.1);
-- 10^15 periods, and what 10^15 costs where each margin is worth 10^-17 less: -ln(1 - 0.01) x 10^17
SELECT payback_periods(1e15, 1), payback_periods(1e15::float8, 1), payback_periods(1e15, 1, 0.99999999999999999), payback_periods(1e15::float8, 1, 1, 1e-17);

-- by definition: npv_clv() of so many margins is not below 0, of one less it is
SELECT type, count(*), bool_and(last >= 0) AS enough, bool_and(before < 0) AS not_before
FROM (SELECT 'numeric', npv_clv(100, r, d, n, cost, f)::float8, npv_clv(100, r, d, n - 1, cost, f)::float8
	  FROM (SELECT *, payback_periods(cost, 100, r, d, f) AS n FROM (SELECT DISTINCT r, d, f FROM grid) AS g, unnest(ARRAY[0.01, 99.99, 100, 187.5, 12345.67]) AS cost) AS p
	  WHERE n < 'infinity'
	  UNION ALL
	  SELECT 'float8', npv_clv(100::float8, r, d, n, cost, f), npv_clv(100::float8, r, d, n - 1, cost, f)
	  FROM (SELECT *, payback_periods(cost::float8, 100, r, d, f) AS n FROM (SELECT DISTINCT r, d, f FROM grid) AS g, unnest(ARRAY[0.01, 99.99, 100, 187.5, 12345.67]) AS cost) AS p
	  WHERE n < 'infinity') AS v(type, last, before)
GROUP BY type ORDER BY type DESC;
-- and where it is never paid back, the endless sum says so
SELECT count(*), bool_and(npv_clv(100, r, d, acquisition_cost => cost, first_margin => f) <= 0) AS never
FROM (SELECT DISTINCT r, d, f FROM grid) AS g, unnest(ARRAY[0.01, 99.99, 100, 187.5, 12345.67]) AS cost WHERE payback_periods(cost, 100, r, d, f) = 'infinity';

SELECT payback_periods(NULL, 100), payback_periods(100, NULL, 0.8), payback_periods(100, 50, NULL), payback_periods(100::float8, 50, 0.8, NULL),
	   payback_periods(100, 50, 0.8, 0.1, NULL);

-- ---- types of the calls that analysts make ----

SELECT call, type FROM typed, LATERAL (VALUES
	('npv_clv, integer and decimal literals', pg_typeof(npv_clv(100, 0.8, 0.1))),
	('npv_clv, integer column', pg_typeof(npv_clv(i4, 0.8, 0.1, i4))),
	('npv_clv, bigint column', pg_typeof(npv_clv(i8, 0.8, 0.1))),
	('npv_clv, smallint column', pg_typeof(npv_clv(i2, 0.8, 0.1))),
	('npv_clv, numeric column', pg_typeof(npv_clv(n, n / 10, n / 100))),
	('npv_clv, numeric and float8 columns', pg_typeof(npv_clv(n, 0.8, f8))),
	('npv_clv, nothing but integers', pg_typeof(npv_clv(100, 1, 1))),
	('npv_clv, integers and one decimal', pg_typeof(npv_clv(100, 1.0, 1))),
	('max_acquisition_cost, integer literals', pg_typeof(max_acquisition_cost(100, 3))),
	('max_acquisition_cost, integer column', pg_typeof(max_acquisition_cost(i4, 3))),
	('max_acquisition_cost, bigint column', pg_typeof(max_acquisition_cost(i8, 3))),
	('max_acquisition_cost, smallint columns', pg_typeof(max_acquisition_cost(i2, i2))),
	('max_acquisition_cost, smallint column', pg_typeof(max_acquisition_cost(i2, 3))),
	('max_acquisition_cost, numeric column', pg_typeof(max_acquisition_cost(n, 3))),
	('max_acquisition_cost, integer, decimal', pg_typeof(max_acquisition_cost(i4, 2.5))),
	('max_acquisition_cost, of clv() of integers', pg_typeof(max_acquisition_cost(clv(25, 4, 3), 3))),
	('max_acquisition_cost, float8 column', pg_typeof(max_acquisition_cost(f8, 3))),
	('max_acquisition_cost, numeric, float8', pg_typeof(max_acquisition_cost(n, f8))),
	('payback_periods, integer literals', pg_typeof(payback_periods(150, 100))),
	('payback_periods, integers and decimals', pg_typeof(payback_periods(150, 100, 0.8, 0.1))),
	('payback_periods, four integers', pg_typeof(payback_periods(150, 100, 1, 0))),
	('payback_periods, integer columns', pg_typeof(payback_periods(i4, i4))),
	('payback_periods, bigint and integer', pg_typeof(payback_periods(i8, i4, 0.8))),
	('payback_periods, smallint columns', pg_typeof(payback_periods(i2, i2, 0.8))),
	('payback_periods, integer and numeric', pg_typeof(payback_periods(i4, n, 0.8))),
	('payback_periods, named', pg_typeof(payback_periods(acquisition_cost => i4, margin_per_period => n, discount_rate => 0.1))),
	('payback_periods, float8 column', pg_typeof(payback_periods(i4, f8))),
	('payback_periods, float8 rate', pg_typeof(payback_periods(i4, i4, f8 / 10)))) AS c(call, type);
SELECT call, type FROM typed, LATERAL (
	SELECT 'clv_sensitivity, integer literals', pg_typeof(value) FROM clv_sensitivity(25, 4, 3, 0.3)
	UNION SELECT 'clv_sensitivity, integer columns', pg_typeof(value) FROM clv_sensitivity(i4, i4, i4, 0.3, i4, i4)
	UNION SELECT 'clv_sensitivity, smallint columns', pg_typeof(value) FROM clv_sensitivity(i2, i2, i2, 0.3)
	UNION SELECT 'clv_sensitivity, bigint and smallint', pg_typeof(value) FROM clv_sensitivity(i8, i2, 3, 0.3)
	UNION SELECT 'clv_sensitivity, numeric and integer', pg_typeof(value) FROM clv_sensitivity(n, i4, 3, 0.3)
	UNION SELECT 'clv_sensitivity, float8 column', pg_typeof(value) FROM clv_sensitivity(f8, i4, 3, 0.3)
	UNION SELECT 'clv_sensitivity, float8 margin', pg_typeof(value) FROM clv_sensitivity(25, 4, 3, 0.3::float8)
	UNION SELECT 'clv_sensitivity, named', pg_typeof(value)
		FROM clv_sensitivity(avg_purchase_value => 25, purchase_frequency => 4, customer_lifespan => 3, margin => 0.3, change => 0.1)
	UNION SELECT 'npv_clv_sensitivity, literals', pg_typeof(value) FROM npv_clv_sensitivity(100, 0.8, 0.1)
	UNION SELECT 'npv_clv_sensitivity, numeric columns', pg_typeof(value) FROM npv_clv_sensitivity(n, n / 10, n / 100)
	UNION SELECT 'npv_clv_sensitivity, bigint column', pg_typeof(value) FROM npv_clv_sensitivity(i8, 0.8, 0.1)
	UNION SELECT 'npv_clv_sensitivity, smallint column', pg_typeof(value) FROM npv_clv_sensitivity(i2, 0.8, 0.1)
	UNION SELECT 'npv_clv_sensitivity, float8 column', pg_typeof(value) FROM npv_clv_sensitivity(n, f8 / 10, 0.1)
	UNION SELECT 'npv_clv_sensitivity, named', pg_typeof(value) FROM npv_clv_sensitivity(margin_per_period => 100, retention_rate => 0.8, discount_rate => 0.1)) AS c(call, type)
ORDER BY call COLLATE "C";

-- 0.1 + 0.2 = 0.3, and a third of 0.3 is 0.1: in numeric, and not in float8
SELECT clv(0.1, 1, 1) + clv(0.2, 1, 1) = clv(0.3, 1, 1) AS clv, clv(0.1::float8, 1, 1) + clv(0.2, 1, 1) = clv(0.3::float8, 1, 1) AS clv_float8,
	   npv_clv(0.1, 0, 0.1) + npv_clv(0.2, 0, 0.1) = npv_clv(0.3, 0, 0.1) AS npv, npv_clv(0.1::float8, 0, 0.1) + npv_clv(0.2::float8, 0, 0.1) = npv_clv(0.3::float8, 0, 0.1) AS npv_float8,
	   max_acquisition_cost(clv(0.1, 1, 1) + clv(0.2, 1, 1), 3) = 0.1 AS cost, max_acquisition_cost(clv(0.1::float8, 1, 1) + clv(0.2::float8, 1, 1), 3) = 0.1::float8 AS cost_float8,
	   payback_periods(0.1 + 0.2, 0.3) AS periods, payback_periods(0.1::float8 + 0.2::float8, 0.3) AS periods_float8;
SELECT sum(clv(amount, 1, 1)) = 1000 AS exact, sum(clv(amount::float8, 1, 1)) = 1000 AS float8 FROM generate_series(1, 10000), (VALUES (0.1)) AS a(amount);
-- four drivers, each 0.1 x 0.05
SELECT sum(difference) = 0.02 AS exact FROM clv_sensitivity(0.1, 1, 1, 0.5, change => 0.1) WHERE driver NOT LIKE '%cost';

-- ---- what cannot be true ----

SELECT query, error_of('SELECT ' || query) FROM (VALUES
	('clv_sensitivity(25, 4, -3)'), ('clv_sensitivity(25, 4, 3, 30)'), ('clv_sensitivity(25::float8, 4, 3, 30)'), ('clv_sensitivity(25, 4, 3, 0.3, -5)'),
	($$clv_sensitivity('NaN'::numeric, 4, 3)$$), ($$clv_sensitivity(25, 4, 'infinity'::float8)$$),
	('clv_sensitivity(25, 4, 3, 0.3, change => -1)'), ('clv_sensitivity(25.0::float8, 4, 3, 0.3, change => -1.5)'),
	($$clv_sensitivity(25, 4, 3, 0.3, change => 'NaN')$$), ($$clv_sensitivity(25, 4, 3, 0.3::float8, change => 'infinity')$$),
	('clv_sensitivity(1e200::float8, 1e100, 1, 0.5, 0, 0, 1e9)'),
	('npv_clv_sensitivity(100, 1.2, 0.1)'), ('npv_clv_sensitivity(100, -0.2, 0.1)'), ('npv_clv_sensitivity(100, 0.8, -1)'), ('npv_clv_sensitivity(100::float8, 80, 10)'),
	('npv_clv_sensitivity(100, 1.0, 0)'), ('npv_clv_sensitivity(100, 0.8, 0.1, 2.5)'), ('npv_clv_sensitivity(100, 0.8, 0.1, first_margin => 2)'),
	('npv_clv_sensitivity(100, 0.8, 0.1, change => -2)'), ($$npv_clv_sensitivity('NaN'::float8, 0.8, 0.1)$$),
	('max_acquisition_cost(300, 0)'), ('max_acquisition_cost(300, -3)'), ('max_acquisition_cost(300::float8, 0)'), ($$max_acquisition_cost(300, 'NaN'::numeric)$$),
	($$max_acquisition_cost(300, 'infinity'::float8)$$), ($$max_acquisition_cost('infinity'::numeric, 3)$$), ($$max_acquisition_cost('NaN'::float8, 3)$$),
	('max_acquisition_cost(1e300::float8, 1e-300)'),
	('payback_periods(-100, 50)'), ('payback_periods(-100::float8, 50)'), ('payback_periods(100, 50, 80)'), ('payback_periods(100, 50, -0.1)'),
	('payback_periods(100, 50, 0.8, -1)'), ('payback_periods(100::float8, 50, 0.8, -1.5)'), ('payback_periods(100, 50, 0.8, 0.1, 2)'),
	($$payback_periods('infinity'::numeric, 50)$$), ($$payback_periods(100, 'NaN'::float8)$$), ($$payback_periods(100, 50, 'NaN'::numeric)$$),
	('payback_periods(1e20, 1)'), ('payback_periods(1e300::float8, 1e-300)'), ('payback_periods(1e600, 1, 1, -0.9)'), ('payback_periods(100, 50, 0.8, 1e-301)')) AS q(query);

DROP TABLE typed, payment, payments;
DROP VIEW grid;
DROP AGGREGATE payments_state(float8, date, date, float8);
DROP FUNCTION error_of;

-- A margin of 0 is worth 0 however fast the terms grow; a negative rate does not eat the promised decimals.
SELECT npv_clv(0::float8, 1, -0.5, 5000) AS float8, npv_clv(0::numeric, 1, -0.5, 5000) AS "numeric";
-- 60 ones at -0.7: the sum of (10/3)^t, t = 0 ... 59, by exact fractions
SELECT abs(npv_clv(array_agg(1::numeric), -0.7) - 10109924946825312244332980197533.2993047967867708829463073) < 1e-19 AS precise FROM generate_series(1, 60);
