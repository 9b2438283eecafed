-- Marts: what is made, of which sources, under which names; options; upgrade; forget; the same day again.
SET client_min_messages = warning;
CREATE FUNCTION mart_failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message text; detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE || ': ' || message, nullif(detail, ''), nullif(hint, ''));
END $$;

-- Orders alone, with ids of every kind -----------------------------------------------------------------------------------
CREATE SCHEMA shop;
CREATE TABLE shop.all_orders AS
SELECT 1 + customer AS number, (date '2024-01-01' + customer % 200 + day) + time '10:00' AS ordered_at, round(amount::numeric, 2) AS amount
FROM simulate_purchases(pareto_nbd_model(1, 8, 0.8, 16, 'week'), 600, 500, 7, gamma_gamma_model(3, 4, 40))
WHERE date '2024-01-01' + customer % 200 + day <= '2025-03-31';
CREATE VIEW shop.orders AS SELECT number AS customer_id, ordered_at, amount FROM shop.all_orders;
SELECT view_name, row_count FROM clv_create_mart('shop', 'mart');
SELECT count(*) AS customers, sum(orders) AS orders, sum(total_spend) = (SELECT sum(amount) FROM shop.orders) AS to_the_cent, bool_and(predicted_value BETWEEN predicted_value_low AND predicted_value_high) AS within
FROM mart.customer_value;
-- not a column of NULL in any view but those that say what is wrong, if anything is
CREATE FUNCTION null_columns(schema text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    c record; filled boolean;
BEGIN
    FOR c IN SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = schema ORDER BY table_name, ordinal_position LOOP
        EXECUTE format('SELECT count(*) = 0 OR count(%I) > 0 FROM %I.%I', c.column_name, schema, c.table_name) INTO filled;
        IF NOT filled THEN RETURN NEXT c.table_name || '.' || c.column_name; END IF;
    END LOOP;
END $$;
SELECT null_columns('mart');
-- types that every tool knows, and a comment on every column
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
WHERE c.relnamespace = 'mart'::regnamespace AND (format_type(a.atttypid, a.atttypmod) NOT IN ('text', 'date', 'bigint', 'smallint', 'integer', 'boolean', 'double precision', 'timestamp with time zone', 'numeric(16,2)')
                                                 OR col_description(c.oid, a.attnum) IS NULL);
-- nothing but views and routines; nothing for PUBLIC; all of it the caller's
SELECT DISTINCT relkind FROM pg_class WHERE relnamespace = 'mart'::regnamespace;
SELECT n.nspname, o.name FROM pg_namespace AS n, LATERAL (
    SELECT relname, relacl, relowner FROM pg_class WHERE relnamespace = n.oid UNION ALL SELECT proname, coalesce(proacl, '{=X/postgres}'), proowner FROM pg_proc WHERE pronamespace = n.oid
    UNION ALL SELECT '', nspacl, nspowner) AS o (name, acl, owner)
WHERE nspname IN ('mart', 'mart_store') AND (EXISTS (SELECT FROM aclexplode(acl) WHERE grantee = 0) OR owner <> (SELECT oid FROM pg_roles WHERE rolname = current_user));

-- The same day again changes nothing; a late order comes in, one older than late_days does with a refit --------------------
CREATE TABLE before AS SELECT * FROM mart.customer_value;
CALL mart.refresh();
SELECT count(*) FROM (SELECT * FROM mart.customer_value EXCEPT SELECT * FROM before) AS changed;
INSERT INTO shop.all_orders VALUES (10, '2025-03-01 10:00', 100), (20, '2024-08-01 10:00', 200);
DELETE FROM shop.all_orders WHERE ordered_at > '2025-02-28' AND number = (SELECT max(number) FROM shop.all_orders WHERE ordered_at > '2025-02-28' AND number NOT IN (10, 20));
CALL mart.refresh();
SELECT b.customer_id, a.total_spend - b.total_spend AS more FROM mart.customer_value AS a JOIN before AS b USING (customer_id) WHERE a.total_spend <> b.total_spend ORDER BY 1;
SELECT amount, verdict FROM mart.reconciliation WHERE item = 'sources less histories';
CALL mart.refresh(refit => true);
SELECT b.customer_id, a.total_spend - b.total_spend AS more FROM mart.customer_value AS a JOIN before AS b USING (customer_id) WHERE a.total_spend <> b.total_spend ORDER BY 1;
SELECT amount, verdict FROM mart.reconciliation WHERE item = 'sources less histories';
SELECT model_id, count(*) FROM mart_store.model_history GROUP BY 1 ORDER BY 1;
CALL mart.refresh(model_id => 1);
SELECT as_of, model_id FROM mart.settings;
SELECT count(*) = count(DISTINCT (as_of, cohort)) AS one_row_each, count(DISTINCT as_of) AS days FROM mart_store.cohort_value_history;
-- an earlier day: what was known then
CALL mart.refresh(as_of => '2024-12-31');
SELECT as_of, sum(total_spend) = (SELECT sum(amount) FROM shop.orders WHERE ordered_at < '2025-01-01') AS as_known_then FROM mart.customer_value GROUP BY as_of;
CALL mart.refresh(as_of => '2024-03-01');
SELECT count(*) = (SELECT count(DISTINCT customer_id) FROM shop.orders WHERE ordered_at < '2024-03-02') AS who_was_there FROM mart.customer_value;
SELECT verdict FROM mart.reconciliation WHERE item LIKE '%less%';
SELECT mart_failure(format('CALL mart.refresh(%s, in_transaction => true)', arguments)) FROM (VALUES ('model_id => 7'), ('refit => true, model_id => 1'), ('as_of => ''2030-01-01'''), ('as_of => ''-infinity''')) AS a (arguments);

-- Options ---------------------------------------------------------------------------------------------------------------
SELECT options, mart_failure(format('SELECT clv_create_mart(''shop'', %s)', options)) FROM unnest(ARRAY[
    '''mart''', '''shop''', '''''', '''pg_mart''', quote_literal(repeat('x', 57)), 'NULL', '''m'', horizon_days => 0', '''m'', annual_discount_rate => 10.5', '''m'', annual_discount_rate => ''NaN''',
    '''m'', margin => 30', '''m'', unit => ''fortnight''', '''m'', time_zone => ''Vienna''', '''m'', purchase_model => ''gut feeling''', '''m'', min_cohort_size => 0', '''m'', lift => 0', '''m'', lift => ''NaN''',
    '''m'', target_ratio => 0', '''m'', late_days => -1', '''m'', horizon_days => NULL']) AS options;
SELECT mart_failure('SELECT clv_create_mart(''nowhere'', ''m'')');
SELECT mart_failure('SELECT clv_upgrade_mart(''shop'')');
SELECT count(*) AS made FROM pg_namespace WHERE nspname ~ '^(m|m_store|x+)$';
SELECT mart_failure('UPDATE mart_store.setting SET margin = 2');

-- clv_mart_sql() is what is run -------------------------------------------------------------------------------------------
SELECT count(*) > 100 AS many, bool_and(statement LIKE '%;') AS ended, count(*) FILTER (WHERE statement LIKE 'CREATE PROCEDURE%') AS procedures, bool_or(statement ~ '--\?|\{[a-z]+\}') AS templates_left
FROM clv_mart_sql('shop', 'by_hand', time_zone => 'Europe/Vienna') AS statement;
DO $$ DECLARE s text; BEGIN FOR s IN SELECT clv_mart_sql('shop', 'by_hand') LOOP EXECUTE s; END LOOP; END $$;
CALL by_hand.refresh();
SELECT count(*) FROM by_hand.customer_value;
DROP SCHEMA by_hand, by_hand_store CASCADE;

-- Sources are added later: columns and views come, tables and grants stay --------------------------------------------------
CREATE ROLE mart_test_reader;
GRANT USAGE ON SCHEMA mart TO mart_test_reader;
GRANT SELECT ON mart.customer_value, mart.settings TO mart_test_reader;
CREATE TABLE shop.interactions AS
SELECT i AS interaction_id, 1 + i * 7 % 600 AS customer_id, timestamptz '2024-06-01 12:00+00' + i % 300 * interval '24 hours' AS started_at, i % 3 > 0 AS resolved, 2.50 AS service_cost FROM generate_series(1, 900) AS i;
SELECT view_name FROM clv_upgrade_mart('mart');
SELECT sum(service_cost_to_date) AS service_cost, count(rolling_resolution) AS with_scores, min(as_of) AS as_of FROM mart.customer_value;
SELECT relname, has_table_privilege('mart_test_reader', oid, 'SELECT') AS granted FROM pg_class WHERE relnamespace = 'mart'::regnamespace AND relname IN ('customer_value', 'settings', 'cohort_value') ORDER BY 1;
SELECT count(DISTINCT model_id) AS vintages FROM mart_store.model_history;
-- and taken away again
DROP TABLE shop.interactions CASCADE;
SELECT view_name FROM clv_upgrade_mart('mart');
-- a view of somebody else's is in the way
CREATE VIEW shop.mine AS SELECT customer_id FROM mart.customer_value;
SELECT mart_failure('SELECT clv_upgrade_mart(''mart'')');
DROP VIEW shop.mine;
CREATE VIEW mart.mine AS SELECT 1 AS one;
SELECT mart_failure('SELECT clv_upgrade_mart(''mart'')');
DROP VIEW mart.mine;
-- another version
UPDATE mart_store.setting SET clv_version = '0.9';
SELECT regexp_replace(mart_failure('CALL mart.refresh(in_transaction => true)'), 'clv \d[\d.]* is', 'clv x is');
SELECT count(*) > 5 AS upgraded FROM clv_upgrade_mart('mart');
CALL mart.refresh();

-- Forgetting --------------------------------------------------------------------------------------------------------------
SELECT mart_failure('SELECT mart.forget(4, 5)');
DELETE FROM shop.all_orders WHERE number IN (4, 5);
SELECT mart.forget(4, 5, 100000);
SELECT count(*) FROM mart.customer_value WHERE customer_id IN (4, 5);
SELECT count(*) FROM mart_store.customer_history WHERE customer_id IN (4, 5);
DROP SCHEMA mart, mart_store CASCADE;
DROP ROLE mart_test_reader;

-- Names and ids that are hard on whoever does not quote --------------------------------------------------------------------
CREATE SCHEMA "Sh'op ""1"" {store}";
CREATE VIEW "Sh'op ""1"" {store}".orders AS SELECT md5(number::text)::uuid AS customer_id, ordered_at::timestamptz AS ordered_at, amount::float8 AS amount FROM shop.all_orders;
CREATE TABLE "Sh'op ""1"" {store}".customers AS SELECT md5(i::text)::uuid AS customer_id, 'co''hort "' || i % 2 AS cohort, NULL::text AS channel FROM generate_series(1, 650) AS i;
SELECT count(*) AS views FROM clv_create_mart('Sh''op "1" {store}', 'Ma%rt $$ ''x'' {g}; --', time_zone => 'Asia/Kolkata');
CALL "Ma%rt $$ 'x' {g}; --".refresh();
SELECT pg_typeof(customer_id), count(*), count(*) FILTER (WHERE segment = 'prospect') AS prospects FROM "Ma%rt $$ 'x' {g}; --".customer_value GROUP BY 1;
SELECT cohort, customers FROM "Ma%rt $$ 'x' {g}; --".cohort_value ORDER BY cohort COLLATE "C";
SELECT time_zone, source_schema FROM "Ma%rt $$ 'x' {g}; --".settings;
SELECT count(*) > 5 AS upgraded FROM clv_upgrade_mart('Ma%rt $$ ''x'' {g}; --');
DROP SCHEMA "Ma%rt $$ 'x' {g}; --", "Ma%rt $$ 'x' {g}; --_store" CASCADE;
CREATE OR REPLACE VIEW shop.orders AS SELECT number AS customer_id, ordered_at, amount FROM shop.all_orders;
CREATE TABLE shop.customer_map AS SELECT i AS customer_id, i - 1 AS master_id FROM generate_series(2, 600, 2) AS i;
SELECT count(*) > 5 AS made FROM clv_create_mart('shop', 'mart');
SELECT count(*) AS customers, sum(total_spend) = (SELECT sum(amount) FROM shop.orders) AS to_the_cent FROM mart.customer_value;
-- merged since
INSERT INTO shop.customer_map VALUES (7, 9), (8, 9);
UPDATE shop.customer_map SET master_id = 9 WHERE customer_id = 8 AND master_id = 7;
DELETE FROM shop.customer_map WHERE customer_id = 8 AND ctid <> (SELECT min(ctid) FROM shop.customer_map WHERE customer_id = 8);
CALL mart.refresh();
SELECT count(*) AS customers, sum(total_spend) = (SELECT sum(amount) FROM shop.orders) AS to_the_cent, sum(total_spend) FILTER (WHERE customer_id = 9) = (SELECT sum(amount) FROM shop.orders WHERE customer_id BETWEEN 7 AND 10) AS merged
FROM mart.customer_value;
DROP SCHEMA mart, mart_store CASCADE;

-- Subscriptions alone, and beside orders -----------------------------------------------------------------------------------
CREATE SCHEMA saas;
CREATE TABLE saas.subscriptions AS
SELECT 'S' || customer AS customer_id, date '2022-01-31' + 3 * customer AS started_at,
       CASE WHEN count(*) < 60 THEN (date '2022-01-31' + 3 * customer + make_interval(months => count(*)::int))::date END AS ended_at, 10 + customer % 3 AS monthly_amount
FROM simulate_purchases(sbg_model(0.8, 6), 400, 60, 1) GROUP BY customer;
UPDATE saas.subscriptions SET ended_at = NULL WHERE ended_at > '2025-06-30';
DELETE FROM saas.subscriptions WHERE started_at > '2025-06-30';
SELECT view_name, row_count > 0 AS filled FROM clv_create_mart('saas', 'mart', margin => 0.8);
SELECT null_columns('mart');
SELECT count(*) AS customers, sum(total_spend) AS spent, bool_and(alive_probability IN (0, 1)) AS known, bool_and(predicted_value BETWEEN predicted_value_low AND predicted_value_high) AS within FROM mart.customer_value;
-- the same sum by hand: a payment on the day of the start and each month after it, before the end
SELECT sum(monthly_amount) AS spent FROM saas.subscriptions, (SELECT as_of FROM mart.settings) AS s, generate_series(0, 60) AS i
WHERE (started_at + make_interval(months => i))::date < coalesce(ended_at, 'infinity') AND (started_at + make_interval(months => i))::date <= as_of;
SELECT item, amount, verdict FROM mart.reconciliation WHERE item LIKE '%less%';
CREATE TABLE saas.orders AS SELECT 'S' || number AS customer_id, ordered_at, amount FROM shop.all_orders;
SELECT count(*) > 5 AS upgraded FROM clv_upgrade_mart('mart');
CALL mart.refresh(refit => true);
SELECT sum(total_spend) - (SELECT sum(amount) FROM saas.orders) AS spent FROM mart.customer_value;
SELECT item, amount, verdict FROM mart.reconciliation WHERE item LIKE '%less%';
DROP SCHEMA mart, mart_store CASCADE;

DROP SCHEMA shop, saas, "Sh'op ""1"" {store}" CASCADE;
DROP TABLE before;
DROP FUNCTION mart_failure(text), null_columns(text);
