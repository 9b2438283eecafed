-- Type purchase_history: input and output, building, merging, reading.
-- Expected numbers are worked out by hand in the comment above each query.

SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';

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

-- ---- text ----------------------------------------------------------------------------------------

SELECT '{2024-01-01:12.5,2024-01-08:20}'::purchase_history;
SELECT '{2024-01-01,2024-01-08}'::purchase_history;
SELECT '{2024-01-01:cancelled,2024-01-08:-3.000001,2024-01-09:0}'::purchase_history;
SELECT '{}'::purchase_history, ' { } '::purchase_history;

-- white space around tokens, leading zeros and -0 are read and not kept
SELECT E' {\n2024-01-01 :\t012.500000 , 2024-01-08: -0 ,2024-01-09 : cancelled } '::purchase_history;

-- the largest amounts, the smallest, the first and the last day
SELECT '{0001-01-01:9223372036854.775807,2024-02-29:0.000001,9999-12-31:-9223372036854.775807}'::purchase_history;

-- text -> value -> text -> value is a fixed point
SELECT t, t::purchase_history::text = t AS same_text, t::purchase_history::text::purchase_history = t::purchase_history AS same_value
FROM (VALUES ('{}'), ('{2024-01-01}'), ('{2024-01-01:0}'), ('{2024-01-01:cancelled}'), ('{1999-12-31:-0.1,2000-01-01:1234567.89}')) AS v(t);

SELECT t, pg_temp.fails(format('%L::purchase_history', t))
FROM (VALUES
    (''), (' '), ('{'), ('}'), ('{{}'), ('{} x'), ('{}}'), ('2024-01-01:1'), ('{2024-01-01:1'), ('{2024-01-01:1,}'), ('{,}'),
    ('{2024-01-01:}'), ('{2024-01-01:1:2}'), ('{2024-01-01 1}'), ('{2024-01-01:1;2024-01-02:1}'),
    -- dates: ISO only, existing, in bounds
    ('{2024-02-30:1}'), ('{2023-02-29:1}'), ('{2024-13-01:1}'), ('{2024-00-01:1}'), ('{2024-01-00:1}'), ('{0000-01-01:1}'),
    ('{10000-01-01:1}'), ('{-2024-01-01:1}'), ('{2024-1-1:1}'), ('{20240101:1}'), ('{01/02/2024:1}'), ('{infinity:1}'), ('{today:1}'),
    -- amounts: plain decimals only
    ('{2024-01-01:1e3}'), ('{2024-01-01:NaN}'), ('{2024-01-01:Infinity}'), ('{2024-01-01:+1}'), ('{2024-01-01:--1}'), ('{2024-01-01:- 1}'),
    ('{2024-01-01:.5}'), ('{2024-01-01:5.}'), ('{2024-01-01:1.2.3}'), ('{2024-01-01:0x10}'), ('{2024-01-01:1,5}'), ('{2024-01-01:1.0000001}'),
    ('{2024-01-01:Cancelled}'), ('{2024-01-01:cancelledx}'), ('{2024-01-01:-cancelled}'),
    ('{2024-01-01:9223372036854.775808}'), ('{2024-01-01:-9223372036854.775808}'), ('{2024-01-01:9223372036855}'), ('{2024-01-01:99999999999999999999999999}'),
    -- the stored form only: ascending days of one kind
    ('{2024-01-08:1,2024-01-01:1}'), ('{2024-01-01:1,2024-01-01:1}'), ('{2024-01-01,2024-01-01}'),
    ('{2024-01-01:1,2024-01-02}'), ('{2024-01-01,2024-01-02:1}'), ('{2024-01-01,2024-01-02:cancelled}')) AS v(t);

-- from 16 on a bad value can be asked for without an error
SELECT CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'SELECT false AS valid'
    ELSE $$SELECT bool_or(pg_input_is_valid(t, 'purchase_history')) AS valid FROM (VALUES ('{'), ('{2024-01-01:99999999999999}'), ('{2024-01-01:1e3}'), ('{2024-01-02,2024-01-01}')) AS v(t)$$ END AS query \gset
:query;

-- ---- building ------------------------------------------------------------------------------------

CREATE TEMP TABLE lines (customer_id int, ordered_at date, amount numeric);
INSERT INTO lines VALUES
    -- 1: unsorted; several orders a day, a zero-dollar order, an order cancelled the same day, a refund later,
    -- and a day on which more was returned than bought
    (1, '2024-02-01', 10.5), (1, '2024-01-20', -15), (1, '2024-01-01', 20), (1, '2024-01-10', 30), (1, '2024-01-15', 40),
    (1, '2024-01-01', 5), (1, '2024-02-03', 8), (1, '2024-01-10', -30), (1, '2024-01-05', 0), (1, '2024-02-03', -8.5),
    -- 2: rows with a NULL are skipped
    (2, NULL, 10), (2, '2024-03-01', NULL), (2, NULL, NULL), (2, '2024-03-02', 7), (2, NULL, 1),
    -- 3: nothing usable
    (3, NULL, 10), (3, '2024-03-01', NULL),
    -- 4: a refund before the first purchase
    (4, '2024-01-01', -5), (4, '2024-01-08', 20),
    -- 5: refunds only
    (5, '2024-01-01', -5), (5, '2024-01-08', 3), (5, '2024-01-08', -3);

-- 1: Jan 1 is 20 + 5, Jan 10 is 30 - 30, Feb 3 is 8 - 8.5
SELECT customer_id, purchase_history(ordered_at, amount) FROM lines GROUP BY customer_id ORDER BY customer_id;
SELECT customer_id, purchase_history(ordered_at) FROM lines GROUP BY customer_id ORDER BY customer_id;
SELECT purchase_history(ordered_at, amount) FROM lines WHERE false;

-- every pair of types gives the same history
SELECT purchase_history(ordered_at, amount) = ALL (ARRAY[
    purchase_history(ordered_at, amount::float8),
    purchase_history(ordered_at + time '23:59:59.999999', amount),
    purchase_history(ordered_at + time '23:59:59.999999', amount::float8),
    purchase_history((ordered_at + time '23:59:59.999999') AT TIME ZONE 'UTC', amount),
    purchase_history((ordered_at + time '23:59:59.999999') AT TIME ZONE 'UTC', amount::float8)]) AS with_amounts,
    purchase_history(ordered_at) = ALL (ARRAY[
    purchase_history(ordered_at + time '00:00'),
    purchase_history((ordered_at + time '00:00') AT TIME ZONE 'UTC')]) AS days_only
FROM lines WHERE customer_id = 1;

-- timestamps before 2000-01-01, where whole days count down
SELECT purchase_history(t) FROM (VALUES (timestamp '1999-12-31 23:59:59.999999'), ('1999-12-30 00:00'), ('0001-01-01 00:00'), ('9999-12-31 23:59:59')) AS v(t);

-- each line is rounded half away from zero to 1e-6, then summed: 3 * 0.0000005 is 0.000003, not 0.000002;
-- a line that rounds to zero is zero, so -0.0000004 does not cancel
SELECT purchase_history(date '2024-01-01', a) FROM (VALUES (0.0000005), (0.0000005), (0.0000005)) AS v(a);
SELECT purchase_history(date '2024-01-01', a) FROM (VALUES (-0.0000005), (-0.0000005), (-0.0000005)) AS v(a);
SELECT purchase_history(date '2024-01-01', -0.0000004), purchase_history(date '2024-01-01', '-0'::float8), purchase_history(date '2024-01-01', -4e-7::float8);
-- ten times 0.1 minus 1 is 0 exactly, in float8 as well: cancelled
SELECT purchase_history(date '2024-01-01', a) FROM (SELECT 0.1::float8 AS a FROM generate_series(1, 10) UNION ALL SELECT -1) AS v;
-- integers arrive as float8; 9007199254741.123456 is beyond 2^53 micro-units and its whole part stays exact
SELECT purchase_history(date '2024-01-01', 9007199254741), purchase_history(date '2024-01-01', 9007199254741.123456);

-- a numeric's stored digits give round(x, 6), whatever their number, scale and sign
CREATE TEMP TABLE amounts AS
    SELECT sign * mantissa * 10::numeric ^ exponent AS amount
    FROM generate_series(-30, 12) AS exponent, (VALUES (1), (-1)) AS s(sign),
         (VALUES (0), (1), (4.9999999999999), (5), (5.0000000000001), (9.2233720368547), (1.2345678901234567890123456789)) AS m(mantissa)
    UNION ALL SELECT ('-7.' || repeat('1234', n))::numeric FROM generate_series(1, 3001, 500) AS n
    UNION ALL SELECT n * 0.0000005 FROM generate_series(-2001, 2001) AS n
    UNION ALL SELECT (n * 9999.9999995)::numeric(30, 20) FROM generate_series(-100, 100) AS n
    UNION ALL SELECT 10000::numeric ^ e + d FROM generate_series(0, 3) AS e, (VALUES (-0.000001), (-0.0000005), (-0.0000004), (0), (0.0000005)) AS v(d)
    UNION ALL SELECT ('0.' || repeat('0', n) || '5' || repeat('0', 500))::numeric FROM generate_series(0, 300) AS n
    UNION ALL SELECT ('1.' || repeat('0', n) || '5')::numeric(1000, 400) FROM generate_series(0, 300) AS n
    UNION ALL SELECT ((hashint8extended(n, 1) / 1e6) / (10::numeric ^ (n % 14)))::numeric(40, 12) FROM generate_series(1, 20000) AS n;
DELETE FROM amounts WHERE abs(round(amount, 6)) > 9223372036854.775807;
SELECT count(*) > 20000 AS enough, count(*) FILTER (WHERE d.amount IS DISTINCT FROM round(a.amount, 6)) AS wrong
FROM (SELECT amount, purchase_history(date '2024-01-01', amount) AS h FROM amounts GROUP BY ctid, amount) AS a, purchase_days(a.h) AS d;
-- the same through a table, where short values have a 1-byte header and long ones are compressed
SELECT sum(round(amount, 6)) = (SELECT sum(d.amount) FROM (SELECT purchase_history(date '2024-01-01', a.amount) AS h FROM amounts AS a GROUP BY a.ctid) AS s, purchase_days(h) AS d) AS same
FROM amounts;
-- a float8 of at most 15 digits, six of them decimals, gives the same micro-units as its decimal
SELECT count(*) AS tried, count(*) FILTER (WHERE from_float8 <> exact) AS wrong
FROM (SELECT purchase_history(date '2024-01-01', f) AS from_float8, purchase_history(date '2024-01-01', f::numeric) AS exact
      FROM (SELECT n, (hashint8extended(n, 2) % 1000000000000000)::float8 / 1000000 AS f FROM generate_series(1, 5000) AS n) AS v GROUP BY n) AS h;

SELECT a, pg_temp.fails(format('(SELECT purchase_history(date ''2024-01-01'', %s))', a))
FROM (VALUES ('''NaN''::numeric'), ('''Infinity''::numeric'), ('''-Infinity''::numeric'), ('''NaN''::float8'), ('''Infinity''::float8'), ('''-Infinity''::float8'),
    ('9223372036854.7758075'), ('-9223372036854.7758075'), ('10000000000000'), ('1e1000::numeric'), ('-1e100::numeric'), ('9223372036855::float8'), ('-1e300::float8'),
    ('9223372036854.7758074'), ('-9223372036854.7758074'), ('1e-1000::numeric'), ('1e-300::float8'), ('9223372036854::float8')) AS v(a);
-- the sum of a day
SELECT pg_temp.fails('(SELECT purchase_history(date ''2024-01-01'', a) FROM (VALUES (9223372036854.775807), (0.000001)) AS v(a))');
SELECT pg_temp.fails('(SELECT purchase_history(date ''2024-01-01'', a) FROM (VALUES (-9223372036854.775807), (-0.000001)) AS v(a))');
SELECT pg_temp.fails('''{2024-01-01:9223372036854}''::purchase_history + ''{2024-01-01:9223372036854}''');
-- and of a period
SELECT pg_temp.fails('total_spend(''{2024-01-01:9223372036854,2024-01-02:9223372036854}'', date ''2024-02-01'')');
SELECT pg_temp.fails('spend_within(''{2024-01-01:9223372036854,2024-01-02:9223372036854}'', date ''2023-01-01'', date ''2024-02-01'')');

SELECT d, pg_temp.fails(format('(SELECT purchase_history(%s, 1))', d)), pg_temp.fails(format('(SELECT purchase_history(%s))', d))
FROM (VALUES ('date ''infinity'''), ('date ''-infinity'''), ('timestamp ''infinity'''), ('timestamptz ''-infinity'''), ('date ''0001-12-31 BC'''), ('timestamp ''10000-01-01'''), ('timestamptz ''200000-01-01 00:00+00''')) AS v(d);

-- ---- reading -------------------------------------------------------------------------------------

CREATE TEMP TABLE history AS SELECT customer_id, purchase_history(ordered_at, amount) AS h FROM lines GROUP BY customer_id;

-- Purchases of customer 1: Jan 1 (25), Jan 5 (0), Jan 15 (40), Feb 1 (10.5). Not Jan 10 (cancelled), Jan 20 (-15), Feb 3 (-0.5).
-- 2023-12-31: before the first, all NULL.     2024-01-01: one purchase, no repeat, nothing refunded.
-- 2024-01-14: x = 1 (Jan 5); monetary 0 / 1; average 25 / 2; span 4; tenure 13; since last 9.
-- 2024-01-20: x = 2; monetary (0 + 40) / 2; average 65 / 3; spend 65 - 15; refunds 15 / 65; span 14; tenure 19; since last 5.
-- 2024-02-29: x = 3; monetary 50.5 / 3; average 75.5 / 4; spend 75.5 - 15.5; refunds 15.5 / 75.5; span 31; tenure 59; since last 28.
SELECT as_of, last_purchase(h, as_of), purchases(h, as_of) AS n, repeat_purchases(h, as_of) AS x, purchase_span(h, as_of) AS t_x, tenure(h, as_of),
    days_since_last(h, as_of) AS since, monetary_value(h, as_of), average_purchase(h, as_of), total_spend(h, as_of), refund_share(h, as_of)
FROM history, (VALUES (date '2023-12-31'), ('2024-01-01'), ('2024-01-14'), ('2024-01-20'), ('2024-02-29')) AS v(as_of)
WHERE customer_id = 1 ORDER BY as_of;
SELECT abs(monetary_value(h, date '2024-02-29') - 50.5 / 3) < 1e-15 AS monetary, abs(refund_share(h, date '2024-02-29') - 15.5 / 75.5) < 1e-16 AS refunds FROM history WHERE customer_id = 1;

-- 3 has no history. 4: nothing is known before Jan 8, then spend 20 - 5 and refunds 5 / 20. 5: never a purchase.
SELECT customer_id, first_purchase(h), as_of, purchases(h, as_of) AS n, tenure(h, as_of), monetary_value(h, as_of), average_purchase(h, as_of), total_spend(h, as_of), refund_share(h, as_of)
FROM history, (VALUES (date '2024-01-07'), ('2024-01-31')) AS v(as_of)
WHERE customer_id IN (3, 4, 5) ORDER BY customer_id, as_of;

-- free orders only: spend is 0, no positive net to divide by
SELECT purchases(h, as_of), monetary_value(h, as_of), average_purchase(h, as_of), total_spend(h, as_of), refund_share(h, as_of)
FROM (SELECT '{2024-01-01:0,2024-01-02:0}'::purchase_history AS h, date '2024-01-31' AS as_of) AS v;
-- without money everything about money is NULL
SELECT first_purchase(h), last_purchase(h, as_of), purchases(h, as_of), repeat_purchases(h, as_of), purchase_span(h, as_of), tenure(h, as_of), days_since_last(h, as_of),
    monetary_value(h, as_of), average_purchase(h, as_of), total_spend(h, as_of), refund_share(h, as_of), purchases_within(h, date '2024-01-01', as_of), spend_within(h, date '2024-01-01', as_of)
FROM (SELECT '{2024-01-01,2024-01-08}'::purchase_history AS h, date '2024-01-31' AS as_of) AS v;
-- an empty history answers NULL
SELECT first_purchase(h), last_purchase(h, as_of), purchases(h, as_of), tenure(h, as_of), total_spend(h, as_of), refund_share(h, as_of), purchases_within(h, as_of, as_of), spend_within(h, as_of, as_of)
FROM (SELECT '{}'::purchase_history AS h, date '2024-01-31' AS as_of) AS v;

-- exact: two decimals if whole cents, else six; a float8 sum of these would end in ...0001
SELECT total_spend('{2024-01-01:0.1,2024-01-02:0.2}', date '2024-02-01'), total_spend('{2024-01-01:0.1,2024-01-02:0.000001}', date '2024-02-01'),
    total_spend('{2024-01-01:9223372036854.775807}', date '2024-02-01'), spend_within('{2024-01-01:1,2024-01-02:-9223372036854.775807}', date '2024-01-01', date '2024-02-01');
-- purchases and refunds are summed apart, so their order does not decide about overflow
SELECT total_spend('{2024-01-01:1,2024-01-02:-9223372036854,2024-01-03:9223372036853}', date '2024-01-03');

-- Intervals are (after, until]: Jan 1 is out of the first, Jan 5 in. Jan 10 .. Jan 20: cancelled, 40, -15.
SELECT after, until, purchases_within(h, after, until), spend_within(h, after, until), slice(h, after, until)
FROM history, (VALUES (date '2024-01-01', date '2024-01-05'), ('2023-12-31', '2024-01-01'), ('2024-01-05', '2024-01-20'), ('2024-01-15', '2024-01-20'), ('2024-01-16', '2024-01-19'),
    ('2024-01-15', '2024-01-15'), ('2023-01-01', '2023-12-31'), ('2024-02-03', '2024-12-31'), ('2023-01-01', '2024-12-31')) AS v(after, until)
WHERE customer_id = 1;
-- slices put together again are the history
SELECT bool_and(slice(h, '2023-12-31', d) + slice(h, d, '2024-12-31') = h) FROM history, generate_series(timestamp '2023-12-31', '2024-03-01', '1 day') AS t, date(t) AS d WHERE h IS NOT NULL;
-- a slice of a history without money; an empty one has no kind
SELECT slice('{2024-01-01,2024-01-08}', date '2024-01-01', date '2024-01-31'), slice('{2024-01-01,2024-01-08}', date '2024-02-01', date '2024-02-29') = '{}';

SELECT d.* FROM history, purchase_days(h) AS d WHERE customer_id = 1;
SELECT d.* FROM purchase_days('{2024-01-01,2024-01-08}') AS d;
SELECT count(*) FROM purchase_days('{}');
SELECT purchase_days('{2024-01-01:1,2024-01-08:2}');

-- 31 days are 31/7 weeks, 31/30.4375 months, 31/365.25 years
SELECT s.* FROM history, purchase_summary(h, date '2024-02-29') AS s WHERE customer_id = 1;
SELECT unit, s.x, round((s.t_x * days)::numeric, 12) AS t_x_days, round((s.t_cal * days)::numeric, 12) AS t_cal_days
FROM history, (VALUES ('day', 1), ('week', 7), ('month', 30.4375), ('year', 365.25)) AS u(unit, days), purchase_summary(h, date '2024-02-29', unit) AS s WHERE customer_id = 1;
-- always one row: NULL history (3), only refunds (5), without money, before the first purchase
SELECT customer_id, s.* FROM history, purchase_summary(h, date '2024-01-08') AS s ORDER BY customer_id;
SELECT s.* FROM purchase_summary('{2024-01-01,2024-01-08}', date '2024-01-31', 'week') AS s;

-- gaps of 7, 14 and 1 days; the refund and the cancelled day between them are no purchases, the last day lies behind as_of
SELECT abs(log_gaps(h, date '2024-01-31') - ln(7 * 14 * 1::float8)) < 1e-15 AS days, abs(log_gaps(h, date '2024-01-31', 'week') - ln(2::float8 / 7)) < 1e-15 AS weeks,
    abs(log_gaps(h, date '2024-01-31', 'year') - (ln(98::float8) - 3 * ln(365.25::float8))) < 1e-14 AS years, log_gaps(h, date '2024-01-22') = ln(98::float8) AS earlier,
    log_gaps(h, timestamptz '2024-01-31 12:00') = log_gaps(h, date '2024-01-31') AS tz, log_gaps(h, timestamptz '2024-01-31 12:00', 'week') = log_gaps(h, date '2024-01-31', 'week') AS tz_unit,
    log_gaps(h, date '2024-01-07') AS one, log_gaps(h, date '2023-12-31') AS none
FROM (SELECT '{2024-01-01:5,2024-01-08:5,2024-01-10:-2,2024-01-11:cancelled,2024-01-22:5,2024-01-23:0,2024-03-01:5}'::purchase_history AS h) AS p;
SELECT log_gaps(h, date '2024-01-31', NULL) IS NULL AS unit, log_gaps(h, NULL::date) IS NULL AS as_of, log_gaps('{}', date '2024-01-31') IS NULL AS empty, log_gaps(NULL, date '2024-01-31') IS NULL AS history
FROM (SELECT '{2024-01-01:5}'::purchase_history AS h) AS p;
-- a day of purchases after another: every gap 1 day, 1/365.25 year; products beyond a double's range are summed in parts
SELECT log_gaps(h, date '2030-01-01') AS days, abs(log_gaps(h, date '2030-01-01', 'year') / (-999 * ln(365.25::float8)) - 1) < 1e-13 AS years
FROM (SELECT purchase_history(date '2024-01-01' + i) AS h FROM generate_series(0, 999) AS i) AS p;
SELECT abs(log_gaps(h, date '9000-01-01') / (1999 * ln(1000::float8)) - 1) < 1e-13 AS long_gaps FROM (SELECT purchase_history(date '2000-01-01' + 1000 * i) AS h FROM generate_series(0, 1999) AS i) AS p;
SELECT s.* FROM purchase_summary('{2024-01-01:1}', timestamptz '2023-12-31 23:00+00') AS s;
SELECT s.* FROM purchase_summary('{2024-01-01:1}', NULL::date) AS s;
SELECT purchase_summary('{2024-01-01:1}', '2024-01-31');
-- the row type is looked up once, also when the function is called for many rows
SELECT count(*), sum(s.x), sum(s.total_spend) FROM generate_series(1, 1000) AS n, LATERAL purchase_summary(('{2024-01-01:' || n || ',2024-01-08:1}')::purchase_history, date '2024-01-31') AS s;

SELECT q, pg_temp.fails(q) FROM (VALUES
    ('purchases(''{2024-01-01}'', date ''infinity'')'), ('total_spend(''{2024-01-01:1}'', date ''-infinity'')'), ('tenure(''{2024-01-01}'', timestamptz ''infinity'')'),
    ('purchases_within(''{2024-01-01}'', date ''2024-01-02'', date ''2024-01-01'')'), ('spend_within(''{2024-01-01:1}'', date ''-infinity'', date ''2024-01-01'')'),
    ('slice(''{2024-01-01}'', date ''2024-01-01'', date ''infinity'')'), ('slice(''{2024-01-01}'', date ''2024-01-02'', date ''2024-01-01'')'),
    ('tenure(''{2024-01-01}'', date ''0001-01-01 BC'')'),
    ('log_gaps(''{2024-01-01}'', date ''2024-01-31'', ''fortnight'')'), ('log_gaps(''{2024-01-01}'', date ''infinity'')'),
    ('(SELECT s.x FROM purchase_summary(''{2024-01-01}'', date ''2024-01-31'', ''weeks'') AS s)'), ('(SELECT s.x FROM purchase_summary(''{2024-01-01}'', date ''infinity'') AS s)')) AS v(q);

-- ---- spend over the relationship -----------------------------------------------------------------

-- Months since January 1: period 0 is January, 1 February, 2 March; April has not ended on the first. 5 + 7.5; 3 - 1; 9. The refund
-- before the first purchase lies in no period.
CREATE TEMP TABLE aged AS SELECT '{2023-12-20:-4,2024-01-01:5,2024-01-31:7.5,2024-02-01:3,2024-02-10:-1,2024-03-01:cancelled,2024-03-05:9,2024-04-01:2,2024-04-02:100}'::purchase_history AS h;
SELECT s.* FROM aged, spend_by_age(h, date '2024-04-01') AS s;
-- periods that have not ended are not there: they end on January 31, February 29, March 31
SELECT as_of, count(s), sum(spend) FROM aged, unnest('{2023-12-31,2024-01-01,2024-01-30,2024-01-31,2024-02-29,2024-03-01,2024-03-31,2024-04-01}'::date[]) AS as_of LEFT JOIN LATERAL spend_by_age(h, as_of) AS s ON true GROUP BY as_of ORDER BY as_of;
-- weeks: days 0 to 6, 7 to 13, ...; a day of nothing, one of refunds alone, one of a free order
SELECT s.* FROM spend_by_age('{2024-01-01:5,2024-01-07:2,2024-01-15:-3.5,2024-01-22:0}', date '2024-01-28', 'week') AS s;
-- days, and years of the calendar
SELECT s.* FROM spend_by_age('{2024-01-01:1,2024-01-03:2}', date '2024-01-04', 'day') AS s;
SELECT s.* FROM spend_by_age('{2024-01-01:1,2024-12-31:2,2025-01-01:4,2027-01-01:8}', date '2027-12-31', 'year') AS s;
-- without amounts, at a time, in a select list, without rows
SELECT s.* FROM spend_by_age('{2024-01-01,2024-02-05}', date '2024-03-01') AS s;
SELECT count(*) AS rows, count(*) FILTER (WHERE d IS DISTINCT FROM t) AS different FROM aged, spend_by_age(h, date '2024-04-01', 'week') AS d FULL JOIN spend_by_age('{2023-12-20:-4,2024-01-01:5,2024-01-31:7.5,2024-02-01:3,2024-02-10:-1,2024-03-01:cancelled,2024-03-05:9,2024-04-01:2,2024-04-02:100}', timestamptz '2024-04-01 23:59+00', 'week') AS t USING (age_period);
SELECT spend_by_age('{2024-01-01:5}', date '2024-03-31');
SELECT count(*) AS none FROM (VALUES ('{}'::purchase_history), ('{2024-01-01:-5}'), ('{2024-01-01:cancelled}'), ('{2025-01-01:5}'), (NULL)) AS v (h), spend_by_age(h, date '2024-12-31') AS s;
SELECT count(*) AS none FROM aged, LATERAL (SELECT * FROM spend_by_age(h, NULL::date) UNION ALL SELECT * FROM spend_by_age(h, NULL::timestamptz) UNION ALL SELECT * FROM spend_by_age(h, date '2024-04-01', NULL) UNION ALL SELECT * FROM spend_by_age(h, timestamptz '2024-04-01', NULL)) AS s;
-- the first day of a period: months and years end on the day of the month of the first purchase, or on the last of a shorter month
CREATE FUNCTION pg_temp.age(first date, periods int, step text) RETURNS date LANGUAGE sql IMMUTABLE RETURN (first + periods * ('1 ' || step)::interval)::date;
-- 300 histories of up to 40 days in some years, a third of the lines refunds, so that 76 have no purchase: every period is spend_within() and purchases_within() of its days,
-- the last one ended by as_of, and the next one had not
CREATE TEMP TABLE random_aged AS
SELECT i, purchase_history(date '2020-02-10' + i % 50 + (i * 7919 + j * j * 104729) % (200 + 5 * i), ((i * 31 + j * 17) % 3000 - 1000) / 100.0) AS h FROM generate_series(1, 300) AS i, generate_series(1, 40) AS j WHERE j <= 1 + i % 40 GROUP BY i;
SELECT step, count(*) AS periods, count(*) FILTER (WHERE active) AS active, count(*) FILTER (WHERE spend < 0) AS negative,
    count(*) FILTER (WHERE spend IS DISTINCT FROM spend_within(h, pg_temp.age(first, age_period, step) - 1, pg_temp.age(first, age_period + 1, step) - 1)) AS wrong_spend,
    count(*) FILTER (WHERE active <> (purchases_within(h, pg_temp.age(first, age_period, step) - 1, pg_temp.age(first, age_period + 1, step) - 1) > 0)) AS wrong_active,
    count(*) FILTER (WHERE age_period = last AND NOT (pg_temp.age(first, age_period + 1, step) - 1 <= as_of AND pg_temp.age(first, age_period + 2, step) - 1 > as_of)) AS wrong_end
FROM (SELECT step, h, first_purchase(h) AS first, as_of, s.*, max(age_period) OVER (PARTITION BY i, step, as_of) AS last
      FROM random_aged, unnest('{day,week,month,year}'::text[]) AS step, unnest('{2020-03-11,2021-02-09,2024-03-01}'::date[]) AS as_of, spend_by_age(h, as_of, step) AS s) AS p
GROUP BY step ORDER BY periods DESC;
SELECT step, count(*) AS customers, count(*) FILTER (WHERE total IS DISTINCT FROM spend_within(h, first_purchase(h) - 1, pg_temp.age(first_purchase(h), periods, step) - 1)) AS wrong
FROM (SELECT step, h, sum(spend) AS total, count(*)::int AS periods FROM random_aged, unnest('{day,week,month,year}'::text[]) AS step, spend_by_age(h, date '2027-01-01', step) AS s GROUP BY i, h, step) AS p
GROUP BY step ORDER BY step;
-- who pays on the day of the month, or of the year, has one payment in every period, whichever day that is
SELECT step, count(*) AS payers, sum(periods) AS periods, count(*) FILTER (WHERE least <> 10 OR most <> 10) AS wrong
FROM (SELECT step, first, count(*) AS periods, min(spend) AS least, max(spend) AS most
      FROM (SELECT step, first, purchase_history(pg_temp.age(first, k, step), 10) AS h
            FROM generate_series(timestamp '2023-12-01', '2025-01-31', '1 day') AS day, LATERAL (SELECT day::date) AS d (first), unnest('{month,year}'::text[]) AS step, generate_series(0, 40) AS k GROUP BY step, first) AS paid,
           spend_by_age(h, date '2026-12-31', step) AS s
      GROUP BY step, first) AS p
GROUP BY step ORDER BY step;
-- as many periods as there are days, some seconds at most, and cancelled at once
SELECT count(*), max(age_period), sum(spend) FROM spend_by_age('{0001-01-01:1,5000-06-01:2,9999-12-31:4}', date '9999-12-31', 'day');
SET statement_timeout = '20ms';
SELECT count(*) FROM spend_by_age('{0001-01-01:1,5000-06-01:2}', date '9999-12-31', 'day');
RESET statement_timeout;
SELECT q, pg_temp.fails(q) FROM (VALUES
    ('(SELECT count(*) FROM spend_by_age(''{2024-01-01:1}'', date ''infinity''))'), ('(SELECT count(*) FROM spend_by_age(''{2024-01-01:1}'', timestamptz ''-infinity''))'),
    ('(SELECT count(*) FROM spend_by_age(''{2024-01-01:1}'', date ''2024-02-01'', ''months''))'),
    ('(SELECT count(*) FROM spend_by_age(''{2024-01-01:9223372036854.775807,2024-01-02:1}'', date ''2024-02-01''))')) AS v(q);

-- ---- days in time zones --------------------------------------------------------------------------

-- 23:30 in London is the next day in Vienna; 03:30 in London is the day before in New York
CREATE TEMP TABLE near_midnight (ordered_at timestamptz, amount numeric);
INSERT INTO near_midnight VALUES ('2024-01-01 23:30+00', 10), ('2024-01-03 03:30+00', 20), ('2024-07-01 22:30+00', 30);
SELECT purchase_history(ordered_at, amount) FROM near_midnight;
SET timezone = 'Europe/Vienna';
SELECT purchase_history(ordered_at, amount), purchase_history(ordered_at AT TIME ZONE 'UTC', amount) AS in_utc FROM near_midnight;
SET timezone = 'America/New_York';
SELECT purchase_history(ordered_at, amount), purchase_history(ordered_at AT TIME ZONE 'UTC', amount) AS in_utc FROM near_midnight;
-- as_of = Jan 2, 00:30 in London is still Jan 1 in New York: no purchase on Jan 2 yet
SELECT purchases('{2024-01-01:1,2024-01-02:1}', timestamptz '2024-01-02 00:30+00') AS on_jan_1, purchases('{2024-01-01:1,2024-01-02:1}', '2024-01-02'),
    slice('{2024-01-01:1,2024-01-02:1,2024-01-03:1}'::purchase_history, timestamptz '2024-01-02 00:30+00', timestamptz '2024-01-03 00:30+00');
SET timezone = 'UTC';

-- every timestamptz form agrees with the date form
SELECT bool_and((last_purchase(h, ts), purchases(h, ts), repeat_purchases(h, ts), purchase_span(h, ts), tenure(h, ts), days_since_last(h, ts), monetary_value(h, ts), average_purchase(h, ts), total_spend(h, ts), refund_share(h, ts))
    IS NOT DISTINCT FROM (last_purchase(h, d), purchases(h, d), repeat_purchases(h, d), purchase_span(h, d), tenure(h, d), days_since_last(h, d), monetary_value(h, d), average_purchase(h, d), total_spend(h, d), refund_share(h, d)))
    AND bool_and((purchases_within(h, t0, ts), spend_within(h, t0, ts), slice(h, t0, ts)) IS NOT DISTINCT FROM (purchases_within(h, d0, d), spend_within(h, d0, d), slice(h, d0, d)))
    AND bool_and((SELECT s FROM purchase_summary(h, ts, 'week') AS s) IS NOT DISTINCT FROM (SELECT s FROM purchase_summary(h, d, 'week') AS s)) AS same
FROM history, generate_series(timestamptz '2023-12-30 12:00+00', '2024-03-01', '1 day') AS ts, date(ts) AS d, (VALUES (timestamptz '2023-12-30 01:00+00', date '2023-12-30')) AS v(t0, d0);

-- and is inlined into it
CREATE FUNCTION pg_temp.plan_has(query text, node text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (VERBOSE, FORMAT json) ' || query INTO plan;
    RETURN plan::text LIKE '%' || node || '%';
END $$;
SELECT pg_temp.plan_has('SELECT total_spend(h, now()) FROM history', 'total_spend(h, (now())::date)') AS reader, pg_temp.plan_has('SELECT s.* FROM history, purchase_summary(h, now()) AS s', 'purchase_summary(history.h, (now())::date') AS summary;

-- hour by hour over clock changes, forwards and in disorder, in zones with and without them
CREATE FUNCTION pg_temp.wrong_days(zone text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    wrong bigint;
BEGIN
    PERFORM set_config('timezone', zone, false);
    SELECT count(*) INTO wrong
    FROM (SELECT ts, first_purchase(purchase_history(ts)) AS day FROM
            (SELECT ts FROM generate_series(timestamptz '2019-06-01 00:07+00', '2021-06-01', '1 hour') AS ts
             UNION ALL SELECT ts - n * interval '83 years 7 hours' FROM generate_series(timestamptz '2018-01-01', '2020-01-01', '5 days') AS ts, generate_series(-5, 5) AS n) AS all_ts
          GROUP BY ts) AS s
    WHERE day <> ts::date;
    RETURN wrong;
END $$;
SELECT zone, pg_temp.wrong_days(zone) FROM (VALUES ('UTC'), ('Europe/Vienna'), ('America/New_York'), ('Asia/Kolkata'), ('Pacific/Apia'), ('America/Sao_Paulo'), ('Australia/Lord_Howe'), ('Africa/Casablanca')) AS v(zone);
-- clocks went from midnight to 01:00: half a second before is still the old day, before 2000 as well
SET timezone = 'America/Sao_Paulo';
SELECT purchase_history(timestamptz '1999-10-02 23:59:59.5'), purchase_history(timestamptz '1999-10-03 01:00'), purchase_history(timestamptz '2018-11-03 23:59:59.5'), purchase_history(timestamptz '2018-11-04 01:00');
SET timezone = 'UTC';

-- ---- merging -------------------------------------------------------------------------------------

SELECT '{2024-01-01:1,2024-01-03:3}'::purchase_history + '{2024-01-02:2,2024-01-03:-3,2024-01-04:4}';
SELECT merge_history('{2024-01-05:1}', '{2024-01-01:1}'), '{2024-01-01,2024-01-03}'::purchase_history + '{2024-01-02,2024-01-03}';
-- empty goes with both kinds
SELECT '{}'::purchase_history + '{}', '{}'::purchase_history + '{2024-01-01}', '{2024-01-01:1}'::purchase_history + '{}', '{}'::purchase_history + NULL;
SELECT pg_temp.fails('''{2024-01-01:1}''::purchase_history + ''{2024-01-02}''');
SELECT pg_temp.fails('(SELECT purchase_history(h) FROM (VALUES (''{2024-01-01}''::purchase_history), (''{2024-01-02:0}'')) AS v(h))');

-- 1 and 2 are the same person: the roll-up is the history of all lines
SELECT purchase_history(h) = (SELECT purchase_history(ordered_at, amount) FROM lines) AS same, purchase_history(h) FROM history;
SELECT purchase_history(h) FROM history WHERE h IS NULL;

-- Any order of lines, cut in two anywhere, gives the same bytes. Nets, by hand:
-- a: 10 - 10 + 0, a negative line: cancelled.   b: 10 - 5 - 5: cancelled.   c: 0 + 0, no negative line.
-- d: 5 - 10 + 2.   e: 10 - 4 - 7 + 1: cancelled.   f: two days, Jan 1: 5 - 5 + 3, Jan 2: -1 + 1.
CREATE TEMP TABLE cases (name text, n int, day date, amount numeric);
INSERT INTO cases VALUES ('a', 1, '2024-01-01', 10), ('a', 2, '2024-01-01', -10), ('a', 3, '2024-01-01', 0),
    ('b', 1, '2024-01-01', 10), ('b', 2, '2024-01-01', -5), ('b', 3, '2024-01-01', -5),
    ('c', 1, '2024-01-01', 0), ('c', 2, '2024-01-01', 0),
    ('d', 1, '2024-01-01', 5), ('d', 2, '2024-01-01', -10), ('d', 3, '2024-01-01', 2),
    ('e', 1, '2024-01-01', 10), ('e', 2, '2024-01-01', -4), ('e', 3, '2024-01-01', -7), ('e', 4, '2024-01-01', 1),
    ('f', 1, '2024-01-01', 5), ('f', 2, '2024-01-01', -5), ('f', 3, '2024-01-01', 3), ('f', 4, '2024-01-02', -1), ('f', 5, '2024-01-02', 1);
WITH RECURSIVE orders(name, lines) AS (
    SELECT name, ARRAY[n] FROM cases
    UNION ALL
    SELECT o.name, lines || n FROM orders AS o JOIN cases AS c ON c.name = o.name AND n <> ALL (lines)
), complete AS (
    SELECT name, lines, row_number() OVER () AS id FROM orders AS o WHERE cardinality(lines) = (SELECT count(*) FROM cases AS c WHERE c.name = o.name)
), cut AS (
    SELECT o.name, o.id, at, purchase_history(day, amount ORDER BY place) FILTER (WHERE place <= at) AS head, purchase_history(day, amount ORDER BY place) FILTER (WHERE place > at) AS tail
    FROM complete AS o, generate_series(0, cardinality(lines)) AS at, unnest(lines) WITH ORDINALITY AS l(n, place) JOIN cases AS c USING (n)
    WHERE c.name = o.name GROUP BY o.name, o.id, at
)
SELECT name, count(*) AS ways, count(DISTINCT purchase_history_send(result)) AS results, min(result::text) AS result
FROM cut, LATERAL (VALUES (coalesce(head + tail, head, tail)), (coalesce(tail + head, tail, head)), (purchase_history_final(purchase_history_combine(head, tail))), (purchase_history_final(purchase_history_combine(tail, head)))) AS v(result)
GROUP BY name ORDER BY name;

-- combine and transition functions called directly: NULL and empty on either side, arguments unharmed
SELECT purchase_history_combine(NULL, NULL) AS none, purchase_history_combine('{2024-01-01:1}', NULL) AS left_only, purchase_history_combine(NULL, '{2024-01-01:1}') AS right_only,
    purchase_history_combine('{}', '{}') AS empty, purchase_history_combine('{}', '{2024-01-01}') AS empty_left, purchase_history_combine('{2024-01-01}', '{}') AS empty_right;
CREATE TEMP TABLE arguments AS SELECT '{2024-01-01:1,2024-01-05:2}'::purchase_history AS a, '{2024-01-01:1,2024-01-03:5}'::purchase_history AS b;
SELECT purchase_history_combine(a, b), purchase_history_combine(b, a), purchase_history_combine(a, a), purchase_history_add(a, date '2024-01-01', 9), purchase_history_add(a, date '2024-01-02', 9), a, b FROM arguments;
SELECT purchase_history_add(NULL, date '2024-01-02', 9), purchase_history_add(NULL, date '2024-01-02', NULL::numeric), purchase_history_add('{}', NULL, 9), purchase_history_add_day('{}', date '2024-01-02'), purchase_history_final('{}');
-- a working state kept as a value equals the stored one: in =, hash and bytes
SELECT s = f AS eq, purchase_history_hash(s) = purchase_history_hash(f) AS hash, purchase_history_send(s) = purchase_history_send(f) AS send, s::text = f::text AS text,
    pg_column_size(s) > pg_column_size(f) AS has_room, purchase_history_add(s, date '2024-01-09', 1) = purchase_history_add(f, date '2024-01-09', 1) AS grown
FROM (SELECT purchase_history_add('{2024-01-01:1}', date '2024-01-02', 2) AS s, '{2024-01-01:1,2024-01-02:2}'::purchase_history AS f) AS v;

-- as a window aggregate every row keeps the state of its time
SELECT n, purchase_history(date '2024-01-01' - n, n) OVER (ORDER BY n) FROM generate_series(1, 4) AS n;
SELECT n, purchase_history(h) OVER (ORDER BY n) FROM (VALUES (1, '{}'::purchase_history), (2, '{2024-01-02}'), (3, '{2024-01-01}')) AS v(n, h);

-- long histories, in three orders, kept compressed and out of line: 3,000 days with amounts 1 .. 3000, sum 4,501,500
CREATE TEMP TABLE long_histories AS
    SELECT purchase_history(date '2015-01-01' + n, n) AS h FROM generate_series(1, 3000) AS n
    UNION ALL SELECT purchase_history(date '2015-01-01' + n, n) FROM generate_series(3000, 1, -1) AS n
    UNION ALL SELECT purchase_history(date '2015-01-01' + n * 1009 % 3001, n * 1009 % 3001) FROM generate_series(1, 3000) AS n;
ALTER TABLE long_histories ALTER h SET STORAGE external;
INSERT INTO long_histories SELECT h FROM long_histories;
SELECT count(*), count(DISTINCT h), min(total_spend(h, date '2030-01-01')), max(purchases(h, date '2030-01-01')) FROM long_histories;
SELECT purchases(purchase_history(h), date '2030-01-01'), total_spend(purchase_history(h), date '2030-01-01') FROM long_histories;

-- ---- comparison ----------------------------------------------------------------------------------

CREATE TEMP TABLE many (h purchase_history);
INSERT INTO many VALUES ('{}'), ('{2024-01-01}'), ('{2024-01-01:0}'), ('{2024-01-01:cancelled}'), ('{2024-01-01:1}'), ('{2024-01-01:1.0}'), ('{ 2024-01-01 : 1 }'), ('{2024-01-01:1,2024-01-02:1}'), ('{}'), (NULL), (NULL);
-- seven different values: {}, without money, 0, cancelled, 1, two days, NULL
SELECT count(*) FROM (SELECT DISTINCT h FROM many) AS d;
SELECT h, count(*) FROM many GROUP BY h ORDER BY h::text COLLATE "C";
SELECT count(*) FROM (SELECT h FROM many UNION SELECT h FROM many) AS u;
SET enable_hashagg = off;
SELECT count(*) FROM (SELECT DISTINCT h FROM many) AS d;
RESET enable_hashagg;
-- self join on equality: {} 2 x 2, 1 three ways 3 x 3, four others
SELECT count(*) FROM many AS a JOIN many AS b USING (h);
SET enable_hashjoin = off;
SELECT count(*) FROM many AS a JOIN many AS b USING (h);
SET enable_mergejoin = off;
SELECT count(*) FROM many AS a JOIN many AS b USING (h);
RESET enable_hashjoin;
RESET enable_mergejoin;
-- the order is total and the operators agree
SELECT count(*) FILTER (WHERE (a.h < b.h)::int + (a.h = b.h)::int + (a.h > b.h)::int <> 1) AS not_total,
    count(*) FILTER (WHERE (a.h <= b.h) <> NOT (a.h > b.h) OR (a.h >= b.h) <> NOT (a.h < b.h) OR (a.h <> b.h) <> NOT (a.h = b.h) OR (a.h < b.h) <> (b.h > a.h)) AS inconsistent,
    count(*) FILTER (WHERE purchase_history_cmp(a.h, b.h) <> (a.h > b.h)::int - (a.h < b.h)::int) AS cmp_differs,
    count(*) FILTER (WHERE a.h = b.h AND (purchase_history_hash(a.h) <> purchase_history_hash(b.h) OR purchase_history_hash_extended(a.h, 7) <> purchase_history_hash_extended(b.h, 7))) AS hash_differs
FROM many AS a, many AS b;
SELECT amname, amvalidate(c.oid) FROM pg_opclass AS c JOIN pg_am AS a ON a.oid = opcmethod WHERE opcintype = 'purchase_history'::regtype ORDER BY amname;
CREATE INDEX many_btree ON many (h);
CREATE INDEX many_hash ON many USING hash (h);
SET enable_seqscan = off;
SELECT count(*) FROM many WHERE h = '{2024-01-01:1}';
DROP INDEX many_btree;
SELECT count(*) FROM many WHERE h = '{2024-01-01:1}';
RESET enable_seqscan;

-- ---- binary --------------------------------------------------------------------------------------

-- version 1, flags 0, two days: 2024-01-01 is day 8766, 12.5 is 12500000 micro-units = bebc20
SELECT encode(purchase_history_send('{2024-01-01:12.5,2024-01-02:cancelled}'), 'hex');
SELECT encode(purchase_history_send('{2024-01-01}'), 'hex'), encode(purchase_history_send('{}'), 'hex');

-- pass bytes to the receive function: COPY takes them from printf, written in octal
CREATE TEMP TABLE received (h purchase_history);
CREATE FUNCTION pg_temp.receive(value bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    copy bytea := '\x5047434f50590aff0d0a000000000000000000'::bytea || '\x0001'::bytea || int4send(length(value)) || value || '\xffff'::bytea;
    octal text;
    problem text;
BEGIN
    SELECT string_agg('\' || lpad((get_byte(copy, i) / 64)::text || (get_byte(copy, i) / 8 % 8)::text || (get_byte(copy, i) % 8)::text, 3, '0'), '' ORDER BY i) INTO octal FROM generate_series(0, length(copy) - 1) AS i;
    DELETE FROM received;
    EXECUTE format('COPY received FROM PROGRAM %L (FORMAT binary)', format('printf ''%s''', octal));
    RETURN (SELECT h::text FROM received);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS problem = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(problem, ''));
END $$;
SELECT bool_and(pg_temp.receive(purchase_history_send(h)) = h::text) AS same FROM many WHERE h IS NOT NULL;
SELECT what, pg_temp.receive(value) FROM (VALUES
    ('version 2', '\x0002000000000000'::bytea), ('building', '\x0001000100000000'), ('unknown flag', '\x0001000400000000'), ('empty without money', '\x0001000200000000'),
    ('negative count', '\x00010000ffffffff'), ('count beyond the data', '\x0001000000000001'), ('huge count', '\x000100007fffffff'), ('no header', '\x0001'), ('nothing', '\x'),
    ('trailing byte', '\x000100000000000000'), ('half a day', '\x00010000000000010000223e00000000'),
    ('not ascending', '\x00010000000000020000223e000000000000000000bebc200000223e000000000000000000bebc20'),
    ('day too early', '\x0001000000000001fff4dbf8000000000000000000000000'), ('day too late', '\x000100000000000100329613000000000000000000000000'), ('infinite day', '\x00010000000000017fffffff000000000000000000000000'),
    ('mark of 2', '\x00010000000000010000223e000000020000000000000000'), ('cancelled with amount', '\x00010000000000010000223e000000010000000000000001'),
    ('amount out of range', '\x00010000000000010000223e000000008000000000000000'), ('amount without money', '\x00010002000000010000223e000000000000000000000001'),
    ('mark without money', '\x00010002000000010000223e000000010000000000000000')) AS v(what, value);
-- every prefix is refused; a flipped bit gives an error or another value in stored form, whose bytes are those sent
SELECT count(*) FILTER (WHERE pg_temp.receive(substr(b, 1, n)) !~ '^(22|08)') AS accepted FROM purchase_history_send('{2024-01-01:12.5,2024-01-02:cancelled}') AS b, generate_series(0, 39) AS n;
SELECT count(*) AS flips, count(*) FILTER (WHERE CASE WHEN r ~ '^{' THEN purchase_history_send(r::purchase_history) <> s ELSE r !~ '^(22|08)' END) AS wrong,
    count(*) FILTER (WHERE r ~ '^22P03') > 50 AS some_refused, count(*) FILTER (WHERE r ~ '^{') > 50 AS some_read
FROM purchase_history_send('{2024-01-01:12.5,2024-01-02:cancelled}') AS b, generate_series(0, 39) AS n, generate_series(0, 7) AS bit,
    LATERAL (SELECT set_byte(b, n, get_byte(b, n) # (1 << bit)) AS s) AS flipped, LATERAL (SELECT pg_temp.receive(s) AS r OFFSET 0) AS result;

-- ---- settings ------------------------------------------------------------------------------------

SET extra_float_digits = -15;
SET datestyle = 'SQL, DMY';
SELECT '{2024-01-02:1234567.891234,2024-02-01:-0.1}'::purchase_history, total_spend('{2024-01-02:1234567.891234}', date '01/02/2024');
RESET extra_float_digits;
SET datestyle = 'ISO, YMD';

-- nothing is looked up by name when functions run
SELECT nspname AS schema FROM pg_extension JOIN pg_namespace AS n ON n.oid = extnamespace WHERE extname = 'clv' \gset
SET search_path = '';
SELECT :"schema".purchases('{2024-01-01:1,2024-01-03:2}', timestamptz '2024-01-31 00:00+00'), (:"schema".purchase_summary('{2024-01-01:1,2024-01-03:2}', timestamptz '2024-01-31 00:00+00')).t_cal,
    (SELECT :"schema".purchase_history(d, 1.5) FROM pg_catalog.generate_series(timestamptz '2024-01-01 00:00+00', timestamptz '2024-01-02 00:00+00', interval '1 day') AS d);
RESET search_path;

-- ---- serial, parallel and sorted -----------------------------------------------------------------

-- 400 customers with up to 80 lines each on up to 60 days, so that partial states are below and above 127 bytes;
-- refunds, cancelled days, zero-dollar orders and NULLs among them
CREATE TABLE history_orders AS
SELECT n % 400 AS customer_id, timestamptz '2023-01-01 00:00+00' + (hashint8extended(n, 3) % 30 + 30) * interval '1 day' * (1 + n % 400 / 200) AS ordered_at,
    CASE WHEN n % 17 = 0 THEN NULL WHEN n % 13 = 0 THEN 0 ELSE (hashint8extended(n, 4) % 20)::numeric END AS amount
FROM generate_series(1, 400 * 40) AS n WHERE n % 400 < 380 OR n < 1200;
ANALYZE history_orders;
CREATE FUNCTION pg_temp.result(query text) RETURNS TABLE (customer_id int, bytes bytea) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE query;
END $$;
\set money '\'SELECT customer_id, purchase_history_send(purchase_history(ordered_at, amount)) FROM history_orders GROUP BY customer_id\''
\set days '\'SELECT customer_id, purchase_history_send(purchase_history(ordered_at)) FROM history_orders GROUP BY customer_id\''
\set plain '\'SELECT 0, purchase_history_send(purchase_history(ordered_at, amount)) FROM history_orders\''
SET max_parallel_workers_per_gather = 0;
CREATE TEMP TABLE serial AS SELECT 'money' AS kind, * FROM pg_temp.result(:money) UNION ALL SELECT 'days', * FROM pg_temp.result(:days) UNION ALL SELECT 'plain', * FROM pg_temp.result(:plain);
-- 16 + 16 bytes a day: what the tests below pass around
SELECT kind, count(*), min(length(bytes)) < 100 AS some_short, max(length(bytes)) > 200 AS some_long FROM serial GROUP BY kind ORDER BY kind;

SET max_parallel_workers_per_gather = 4;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET parallel_leader_participation = off;
ALTER TABLE history_orders SET (parallel_workers = 3);
SET enable_sort = off;
SELECT pg_temp.plan_has(:money, 'Partial') AS parallel, pg_temp.plan_has(:money, 'Hashed') AS hashed, count(*) AS different FROM (
    (SELECT * FROM serial EXCEPT (SELECT 'money', * FROM pg_temp.result(:money) UNION ALL SELECT 'days', * FROM pg_temp.result(:days) UNION ALL SELECT 'plain', * FROM pg_temp.result(:plain)))) AS d;
RESET enable_sort;
SET enable_hashagg = off;
SELECT pg_temp.plan_has(:money, 'Partial') AS parallel, pg_temp.plan_has(:money, 'Hashed') AS hashed, count(*) AS different FROM (
    (SELECT * FROM serial EXCEPT (SELECT 'money', * FROM pg_temp.result(:money) UNION ALL SELECT 'days', * FROM pg_temp.result(:days) UNION ALL SELECT 'plain', * FROM pg_temp.result(:plain)))) AS d;
RESET enable_hashagg;
-- one line per partial state and then the roll-up of those, in parallel too
CREATE TABLE history_parts AS SELECT customer_id, purchase_history(ordered_at, amount) AS h FROM history_orders GROUP BY customer_id, ctid;
ALTER TABLE history_parts SET (parallel_workers = 3);
ANALYZE history_parts;
\set rollup '\'SELECT customer_id, purchase_history_send(purchase_history(h)) FROM history_parts GROUP BY customer_id\''
SELECT pg_temp.plan_has(:rollup, 'Partial') AS parallel, count(*) AS different FROM (SELECT customer_id, bytes FROM serial WHERE kind = 'money' EXCEPT SELECT * FROM pg_temp.result(:rollup)) AS d;
RESET max_parallel_workers_per_gather;
RESET min_parallel_table_scan_size;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET parallel_leader_participation;
-- partial states that spill: the same groups with little memory
SET work_mem = '64kB';
SET enable_sort = off;
SELECT count(*) AS different FROM (SELECT customer_id, bytes FROM serial WHERE kind = 'money' EXCEPT SELECT * FROM pg_temp.result(:money)) AS d;
RESET enable_sort;
RESET work_mem;
-- against plain SQL: net per day, sums, purchase days
SELECT count(*) AS customers, count(*) FILTER (WHERE (h.purchases, h.spend, h.first, h.last) IS DISTINCT FROM (p.purchases, p.spend, p.first, p.last)) AS wrong
FROM (SELECT customer_id, purchases(history, d) AS purchases, total_spend(history, d) AS spend, first_purchase(history) AS first, last_purchase(history, d) AS last
      FROM (SELECT customer_id, purchase_history(ordered_at, amount) AS history, date '2024-01-01' AS d FROM history_orders GROUP BY customer_id) AS x) AS h
JOIN (SELECT customer_id, nullif(count(*) FILTER (WHERE bought), 0) AS purchases, CASE WHEN bool_or(bought) THEN sum(net) END AS spend, min(day) FILTER (WHERE bought) AS first, max(day) FILTER (WHERE bought) AS last
      FROM (SELECT customer_id, ordered_at::date AS day, sum(amount) AS net, sum(amount) > 0 OR (sum(amount) = 0 AND min(amount) >= 0) AS bought
            FROM history_orders WHERE amount IS NOT NULL GROUP BY 1, 2) AS days GROUP BY 1) AS p USING (customer_id);
DROP TABLE history_orders, history_parts;

-- Sorting by the type, and an index on it (that a sort frees what it detoasts is measured in t/005_memory.pl).
CREATE TABLE short AS SELECT purchase_history(date '2024-01-01' + i % 97 + j, i) AS h FROM generate_series(1, 20000) i, generate_series(1, 4) j GROUP BY i;
SELECT count(*) AS sorted, bool_and(h >= before) AS ascending FROM (SELECT h, lag(h) OVER (ORDER BY h) AS before FROM short) s WHERE before IS NOT NULL;
CREATE INDEX ON short (h);
SET enable_seqscan = off;
SELECT count(*) FROM short WHERE h = (SELECT h FROM short WHERE purchases(h, '2025-01-01') = 4 ORDER BY h LIMIT 1);
RESET enable_seqscan;
DROP TABLE short;
