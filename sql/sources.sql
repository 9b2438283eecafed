-- The contract of the sources of a mart: what is there, what is missing, what stops a mart, what the rows say.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
SET timezone = 'UTC';
SET client_min_messages = warning;
-- SQLSTATE, message and hint of a statement that must fail
CREATE FUNCTION sources_failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    hint text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RETURN format('%s: %s | %s', SQLSTATE, SQLERRM, hint);
END $$;
-- what is not as it should be
CREATE FUNCTION sources_findings(source text) RETURNS TABLE (relation text, item text, status text, detail text, hint text)
    BEGIN ATOMIC
        SELECT * FROM clv_check_sources(source) AS c WHERE c.status NOT IN ('ok', 'optional');
    END;

-- The contract ---------------------------------------------------------------------------------------------------------
SELECT relation, "column", CASE WHEN required THEN 'required' END, accepts FROM clv_mart_contract();
SELECT count(*) AS rows, count(DISTINCT (relation, "column")) AS columns, bool_and(about <> '') AS explained FROM clv_mart_contract();

-- Nothing there --------------------------------------------------------------------------------------------------------
CREATE SCHEMA source_shop;
SELECT relation, item, status, hint FROM clv_check_sources('source_shop');
SELECT clv_mart_flags('source_shop');
SELECT clv_mart_problems('source_shop');
SELECT sources_failure(format('SELECT * FROM clv_check_sources(%L)', name))
FROM unnest(ARRAY['source_none', 'SOURCE_SHOP', '"source_shop"', 'source "x', NULL]) AS name;
SELECT sources_failure('SELECT clv_mart_problems(''source_none'')');

-- Orders, or subscriptions, are enough ---------------------------------------------------------------------------------
CREATE TABLE source_shop.orders (customer_id integer, ordered_at date, amount integer, comment json);
SELECT relation, item, status FROM clv_check_sources('source_shop') WHERE status IN ('missing', 'wrong') OR item IN ('relation', 'sufficiency');
SELECT clv_mart_problems('source_shop') IS NULL AS fine, clv_mart_flags('source_shop');
DROP TABLE source_shop.orders;
CREATE VIEW source_shop.subscriptions AS SELECT 'a'::varchar(9) AS customer_id, now() AS started_at, NULL::date AS ended_at, 9.90 AS monthly_amount;
SELECT relation, item, status FROM clv_check_sources('source_shop') WHERE status IN ('missing', 'wrong') OR item IN ('relation', 'sufficiency');
SELECT clv_mart_problems('source_shop') IS NULL AS fine, clv_mart_flags('source_shop');
DROP VIEW source_shop.subscriptions;

-- Everything wrong, all at once ----------------------------------------------------------------------------------------
CREATE SEQUENCE source_shop.subscriptions;
CREATE TABLE source_shop.orders ("Customer_ID" bigint, ordered_at text, amount money, "Currency" text);
CREATE TABLE source_shop."Customers" (customer_id bigint);
CREATE TABLE source_shop.interactions (interaction_id json, customer_id uuid, started_at integer, "serviceCost" numeric, resolved integer, topic bigint);
CREATE TABLE source_shop.evaluations (evaluated_at timestamptz, "NAME" text, score text);
CREATE TABLE source_shop.customer_map (customer_id bigint, master_id text);
SELECT * FROM sources_findings('source_shop');
SELECT clv_mart_problems('source_shop');
SELECT clv_mart_flags('source_shop');
DROP SCHEMA source_shop CASCADE;

-- Types ----------------------------------------------------------------------------------------------------------------
CREATE SCHEMA source_types;
CREATE DOMAIN source_types.day AS date;
CREATE DOMAIN source_types.first_day AS source_types.day CHECK (VALUE > '1990-01-01');
CREATE TYPE source_types.coin AS ENUM ('EUR', 'USD');
CREATE TYPE source_types.pair AS (a integer, b integer);
CREATE TABLE source_types.orders (customer_id source_types.pair, ordered_at source_types.first_day, amount double precision, currency source_types.coin);
SELECT relation, item, status, detail FROM clv_check_sources('source_types') WHERE relation = 'orders' AND item IN ('customer_id', 'ordered_at', 'amount', 'currency');
CREATE FUNCTION source_types.fits(type text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE source_types.orders ALTER customer_id TYPE %s USING NULL', type);
    RETURN (SELECT status || ' ' || detail FROM clv_check_sources('source_types') WHERE relation = 'orders' AND item = 'customer_id');
END $$;
SELECT source_types.fits(type)
FROM unnest('{bigint,varchar(5),char(5),name,uuid,inet,"numeric(9,2)",bigint[],source_types.coin,source_types.pair,int4range,bytea,json,point,xml,source_types.first_day}'::text[]) AS type;
DROP TABLE source_types.orders;

-- Tables, partitioned tables, views, materialized views, foreign tables, and what cannot be read
CREATE TABLE source_types.orders (customer_id uuid, ordered_at timestamptz, amount numeric) PARTITION BY RANGE (ordered_at);
CREATE TABLE source_types.orders_2024 PARTITION OF source_types.orders FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO source_types.orders VALUES ('00000000-0000-0000-0000-00000000000a', '2024-02-03 23:30+00', 5), ('00000000-0000-0000-0000-00000000000b', '2024-05-03', 0);
CREATE MATERIALIZED VIEW source_types.customers AS SELECT customer_id, NULL::text AS cohort FROM source_types.orders;
CREATE VIEW source_types.interactions AS SELECT customer_id AS interaction_id, customer_id, ordered_at AS started_at, 1 / 0 > 1 AS resolved FROM source_types.orders;
CREATE FOREIGN DATA WRAPPER source_nowhere;
CREATE SERVER source_nowhere FOREIGN DATA WRAPPER source_nowhere;
CREATE FOREIGN TABLE source_types.customer_map (customer_id uuid, master_id uuid) SERVER source_nowhere;
SELECT * FROM clv_check_sources('source_types') WHERE status <> 'optional';
SET timezone = 'Europe/Vienna';
SELECT detail FROM clv_check_sources('source_types') WHERE (relation, item) = ('orders', 'rows');
SET timezone = 'UTC';
DROP FOREIGN DATA WRAPPER source_nowhere CASCADE;
DROP SCHEMA source_types CASCADE;

-- What the rows say ----------------------------------------------------------------------------------------------------
CREATE SCHEMA source_full;
CREATE TABLE source_full.orders (customer_id bigint, ordered_at timestamp, amount float8, currency text);
-- 120 customers with four purchase days each, 10 of them under a second id; 1 with a single purchase, 1 with a cancelled one
INSERT INTO source_full.orders SELECT id, timestamp '2024-01-01 10:00' + n * interval '1 day' * (30 + id % 7), 10 + n, 'EUR' FROM generate_series(1, 120) AS id, generate_series(0, 3) AS n;
UPDATE source_full.orders SET customer_id = customer_id + 1000 WHERE customer_id <= 10 AND ordered_at < '2024-01-15';
INSERT INTO source_full.orders VALUES (201, '2024-12-31 23:00', 5, 'EUR'), (202, '2024-06-01', 5, 'EUR'), (202, '2024-06-01', -5, 'EUR'),
    (1, '2999-12-31', 7, 'EUR'), (1, '2024-07-01', -2.5, NULL),
    (203, '1900-01-01', 1, 'EUR'), (NULL, '1999-01-01', 1, 'EUR'), (1, NULL, 1, 'EUR'), (1, '1999-01-01', NULL, 'EUR'), (1, 'infinity', 1, 'EUR'), (1, '1999-01-01', 'NaN', 'EUR'), (1, '1999-01-01', '-Infinity', 'EUR');
CREATE TABLE source_full.customer_map (customer_id integer, master_id numeric);
INSERT INTO source_full.customer_map SELECT 1000 + id, id FROM generate_series(1, 10) AS id UNION ALL VALUES (3, 3), (NULL, 4), (77, NULL), (5000, 5001);
CREATE TABLE source_full.subscriptions (customer_id bigint, started_at date, ended_at date, monthly_amount numeric);
-- 6 active: 3 without an end, one that ends later, one at infinity, one since -infinity; 43 ended, one on the first day, one before; one not begun
INSERT INTO source_full.subscriptions SELECT 300 + id, date '2023-01-01', CASE WHEN id <= 39 THEN date '2023-01-01' + id END, 9.90 FROM generate_series(1, 42) AS id;
INSERT INTO source_full.subscriptions VALUES (1, '2022-05-05', '2022-05-05', 1), (1, '2022-05-05', '2990-01-01', 1), (1, '2990-01-01', NULL, 1), (1, '2022-05-05', '2022-05-04', 1),
    (1, '-infinity', NULL, 1), (1, '1900-01-01', '2000-01-01', 1), (2, '2022-05-05', 'infinity', 'NaN'), (3, '2022-05-06', '2022-05-07', -1), (NULL, NULL, NULL, NULL);
CREATE TABLE source_full.customers (customer_id smallint, cohort integer, channel text, acquired_at date, acquisition_cost real, churned_at date);
INSERT INTO source_full.customers SELECT id, nullif(id % 5, 0), 'web', '2024-01-01', 3, CASE id WHEN 120 THEN date '2023-12-31' WHEN 119 THEN 'infinity' END FROM generate_series(101, 250) AS id;
INSERT INTO source_full.customers (customer_id, cohort) VALUES (150, 1), (150, 1), (1001, 1), (1, 1), (NULL, 1);
INSERT INTO source_full.customers (customer_id, cohort, acquisition_cost) VALUES (251, 1, 'NaN'), (252, 1, '-Infinity');
CREATE TABLE source_full.interactions (interaction_id uuid, customer_id bigint, started_at timestamptz, resolved boolean, service_cost float8);
INSERT INTO source_full.interactions SELECT format('00000000-0000-0000-0000-%s', lpad(id::text, 12, '0'))::uuid, id, timestamptz '2024-03-01' + id * interval '1 day', nullif(id % 3, 0) = 1, 2
FROM generate_series(101, 300) AS id;
INSERT INTO source_full.interactions VALUES ('00000000-0000-0000-0000-000000000101', 1, '2999-01-01', true, 'NaN'), (NULL, NULL, NULL, NULL, NULL), (NULL, 1001, '-infinity', NULL, 'Infinity');
CREATE TABLE source_full.evaluations (interaction_id text, customer_id bigint, evaluated_at timestamptz, name text, score numeric, label text);
INSERT INTO source_full.evaluations SELECT interaction_id, NULL, started_at, n, CASE n WHEN 'coherence' THEN 1 + customer_id % 5 WHEN 'resolution' THEN customer_id % 2 END, 'calm'
FROM source_full.interactions, unnest('{coherence,Resolution,tone}'::text[]) AS n WHERE service_cost = 2;
UPDATE source_full.evaluations SET score = 0.25 WHERE name = 'Resolution';
INSERT INTO source_full.evaluations VALUES ('none', NULL, '2024-03-01', 'resolution', 1), ('none', 1001, '2024-03-01', 'Resolution', 0.5), (NULL, 1, NULL, 'resolution', 1.5), (NULL, 2, 'infinity', 'resolution', 'NaN'),
    (NULL, 1, '2024-03-01', NULL, 1), (NULL, 1, '2024-03-01', '--', 1);
SELECT * FROM clv_check_sources('source_full') WHERE status <> 'optional' AND (item NOT IN (SELECT "column" FROM clv_mart_contract()) OR status <> 'ok');
-- the same counts by hand
SELECT count(*) FILTER (WHERE days > 0) AS buyers, count(*) FILTER (WHERE days >= 3) AS three FROM (
    SELECT count(DISTINCT day) FILTER (WHERE net > 0) AS days FROM (
        SELECT CASE WHEN customer_id BETWEEN 1001 AND 1010 THEN customer_id - 1000 ELSE customer_id END AS id, ordered_at::date AS day, sum(amount) AS net
        FROM source_full.orders WHERE isfinite(ordered_at) AND ordered_at < now() AND amount NOT IN ('NaN', '-Infinity') AND customer_id IS NOT NULL GROUP BY 1, 2) AS d GROUP BY id) AS c;
WITH buyer AS (SELECT customer_id FROM source_full.orders UNION SELECT customer_id FROM source_full.subscriptions)
SELECT (SELECT count(DISTINCT CASE customer_id WHEN 1001 THEN 1 ELSE customer_id END) FROM source_full.customers JOIN buyer USING (customer_id)) AS customers,
       (SELECT count(*) FROM source_full.interactions JOIN buyer USING (customer_id)) AS interactions,
       (SELECT count(DISTINCT i.customer_id) FROM source_full.evaluations AS e JOIN source_full.interactions AS i ON i.interaction_id::text = e.interaction_id
        WHERE e.name = 'coherence' AND i.customer_id IN (SELECT customer_id FROM buyer)) AS coherence;
-- what is wrong with rows does not stop the cheap check
SELECT clv_mart_problems('source_full');
SELECT clv_mart_flags('source_full');
-- scores that are boolean; evaluations of customers only, and of interactions that are not there
ALTER TABLE source_full.evaluations ALTER score TYPE boolean USING score = 1;
SELECT item, status, detail FROM clv_check_sources('source_full') WHERE relation = 'evaluations' AND item LIKE 'name %';
ALTER TABLE source_full.evaluations DROP interaction_id;
SELECT item, status, detail FROM clv_check_sources('source_full') WHERE relation = 'evaluations' AND item NOT LIKE '% %' AND status <> 'optional';
ALTER TABLE source_full.interactions RENAME TO other;
SELECT clv_mart_problems('source_full') IS NULL AS fine, clv_mart_flags('source_full') && '{scores,evaluations}' AS scores, clv_mart_flags('source_full') && '{contacts,interactions}' AS contacts;
ALTER TABLE source_full.evaluations ADD interaction_id uuid;
SELECT clv_mart_problems('source_full') IS NULL AS fine, clv_mart_flags('source_full') && '{evaluations.interaction_id}' AS leads_nowhere;
ALTER TABLE source_full.evaluations DROP customer_id;
SELECT clv_mart_problems('source_full');
ALTER TABLE source_full.evaluations DROP interaction_id;
SELECT clv_mart_problems('source_full');
SELECT clv_mart_flags('source_full') && '{scores,evaluations}' AS scores;

-- Merged customers -----------------------------------------------------------------------------------------------------
TRUNCATE source_full.customer_map;
INSERT INTO source_full.customer_map VALUES (1, 2), (1, 3), (2, 3), (5, 6), (6, 5), (7, 7), (8, 7);
SELECT relation, item, status, detail FROM clv_check_sources('source_full') WHERE relation = 'customer_map';
-- counts are then those without it
SELECT detail FROM clv_check_sources('source_full') WHERE (relation, item) = ('orders', 'customers');
-- the views of the hints do as they say
SELECT hint FROM clv_check_sources('source_full') WHERE (relation, item) = ('customer_map', 'customer_id') AND status = 'wrong' \gset
SELECT replace(replace(split_part(:'hint', ';', 1), 'mapped.customer_map', 'source_single'), 'CREATE VIEW', 'CREATE TEMPORARY VIEW') \gexec
SELECT * FROM source_single ORDER BY 1;
DELETE FROM source_full.customer_map WHERE (customer_id, master_id) = (1, 3);
SELECT hint FROM clv_check_sources('source_full') WHERE (relation, item) = ('customer_map', 'master_id') AND status = 'wrong' \gset
SELECT replace(replace(split_part(split_part(:'hint', ': ', 2), ';', 1), 'mapped.customer_map', 'source_last'), 'CREATE VIEW', 'CREATE TEMPORARY VIEW') \gexec
SELECT * FROM source_last ORDER BY 1;
DROP VIEW source_single, source_last;

-- Currencies -----------------------------------------------------------------------------------------------------------
TRUNCATE source_full.customer_map;
UPDATE source_full.orders SET currency = 'U''%D' WHERE customer_id = 201;
SELECT * FROM sources_findings('source_full') WHERE item = 'currency';
SELECT clv_mart_problems('source_full') LIKE '%currency%' AS stops;
UPDATE source_full.orders SET currency = ' eur' WHERE customer_id = 201;
SELECT * FROM sources_findings('source_full') WHERE item = 'currency';
UPDATE source_full.orders SET currency = NULL;
SELECT * FROM sources_findings('source_full') WHERE item = 'currency';
DROP SCHEMA source_full CASCADE;

-- Rights ---------------------------------------------------------------------------------------------------------------
CREATE ROLE "regress_clv ""reader";
CREATE SCHEMA source_closed;
CREATE TABLE source_closed.hidden (customer_id integer, ordered_at date, amount numeric, secret text);
CREATE VIEW source_closed.orders AS SELECT customer_id, ordered_at, amount FROM source_closed.hidden;
CREATE TABLE source_closed.customers AS SELECT 1 AS customer_id, 'x' AS cohort, 'secret' AS note;
CREATE TABLE source_closed.interactions (interaction_id integer, customer_id integer, started_at date);
ALTER TABLE source_closed.interactions ENABLE ROW LEVEL SECURITY;
GRANT SELECT (customer_id, cohort) ON source_closed.customers TO "regress_clv ""reader";
GRANT SELECT ON source_closed.interactions TO "regress_clv ""reader";
SET ROLE "regress_clv ""reader";
SELECT * FROM sources_findings('source_closed');
SELECT clv_mart_flags('source_closed');
RESET ROLE;
GRANT USAGE ON SCHEMA source_closed TO "regress_clv ""reader";
SET ROLE "regress_clv ""reader";
SELECT * FROM sources_findings('source_closed');
SELECT clv_mart_problems('source_closed');
SELECT item, status, detail FROM clv_check_sources('source_closed') WHERE item = 'relation' AND relation IN ('customers', 'interactions');
SELECT clv_mart_flags('source_closed');
RESET ROLE;
-- a view whose owner may not read what it reads
GRANT SELECT ON source_closed.orders TO "regress_clv ""reader";
ALTER VIEW source_closed.orders OWNER TO "regress_clv ""reader";
SET ROLE "regress_clv ""reader";
SELECT * FROM sources_findings('source_closed');
RESET ROLE;
-- types of others: a domain is what it is made of, an enum must be seen
CREATE SCHEMA source_theirs;
CREATE DOMAIN source_theirs.number AS bigint;
CREATE TYPE source_theirs.kind AS ENUM ('a', 'b');
DROP VIEW source_closed.orders;
CREATE TABLE source_closed.orders (customer_id source_theirs.number, ordered_at date, amount numeric);
GRANT SELECT ON ALL TABLES IN SCHEMA source_closed TO "regress_clv ""reader";
SET ROLE "regress_clv ""reader";
SELECT clv_mart_problems('source_closed') IS NULL AS fine;
RESET ROLE;
ALTER TABLE source_closed.orders ALTER customer_id TYPE source_theirs.kind USING NULL;
SET ROLE "regress_clv ""reader";
SELECT clv_mart_problems('source_closed');
RESET ROLE;
DROP SCHEMA source_closed, source_theirs CASCADE;
DROP ROLE "regress_clv ""reader";

-- Names, wherever the extension is -------------------------------------------------------------------------------------
CREATE SCHEMA "source ""%I; DROP";
CREATE SCHEMA "room ""%s";
CREATE TABLE "source ""%I; DROP".orders (customer_id text, ordered_at date, amount numeric, currency text);
INSERT INTO "source ""%I; DROP".orders VALUES ('%1$I', '2024-01-01', 1, '"'), ('it''s', '2024-01-02', 1, 'it''s %');
CREATE TABLE "source ""%I; DROP".customer_map (customer_id text, master_id text);
INSERT INTO "source ""%I; DROP".customer_map VALUES ('it''s', '"%s'), ('"%s', 'b');
ALTER EXTENSION clv SET SCHEMA "room ""%s";
SET search_path = '';
SELECT * FROM "room ""%s".clv_check_sources('source "%I; DROP') WHERE status <> 'optional';
SELECT "room ""%s".clv_mart_problems('source "%I; DROP') LIKE '%customer_map%' AS stops;
SELECT "room ""%s".clv_mart_flags('source "%I; DROP');
RESET search_path;
ALTER EXTENSION clv SET SCHEMA public;
DROP SCHEMA "source ""%I; DROP", "room ""%s" CASCADE;

-- What is left out is what a mart with it has, and one without it has not ------------------------------------------------
CREATE SCHEMA source_less;
CREATE TABLE source_less.orders (customer_id bigint, ordered_at date, amount numeric);
SELECT FROM clv_create_mart('source_less', 'mart_less', build => false);
CREATE TABLE source_told AS SELECT * FROM clv_mart_left_out(clv_mart_flags('source_less'));
-- columns that only the mart with the relation has: those the list names, and how many of both are not in the other
CREATE FUNCTION sources_difference(definition text) RETURNS TABLE (same boolean, not_told text, not_there text) LANGUAGE plpgsql AS $$
DECLARE
    flag text := split_part(split_part(definition, 'source_less.', 2), ' ', 1);
BEGIN
    EXECUTE definition;
    PERFORM FROM clv_create_mart('source_less', 'mart_more', build => false);
    RETURN QUERY
        WITH more AS (
            -- cohort_value_history is cohort_value, day by day
            SELECT c.table_name::text, c.column_name::text FROM information_schema.columns AS c WHERE table_schema = 'mart_more' AND table_name <> 'cohort_value_history'
            EXCEPT SELECT c.table_name, c.column_name FROM information_schema.columns AS c WHERE table_schema = 'mart_less'
            EXCEPT SELECT c.table_name, c.column_name FROM information_schema.columns AS c WHERE table_name = 'cohort_value_history'   -- as cohort_value
        ), told AS (
            SELECT part[1] AS table_name, c.column_name
            FROM source_told AS t, regexp_matches(t.left_out, '(\w+)(?: \(([^)]*)\))?', 'g') AS part
                 LEFT JOIN LATERAL unnest(string_to_array(part[2], ', ')) AS c (column_name) ON true WHERE t.name = flag
        ), beyond AS (
            SELECT (SELECT string_agg(m.table_name || '.' || m.column_name, ' ') FROM more AS m
                    WHERE NOT EXISTS (SELECT FROM told AS t WHERE t.table_name = m.table_name AND coalesce(t.column_name, m.column_name) = m.column_name)) AS more,
                   (SELECT string_agg(concat_ws('.', t.table_name, t.column_name), ' ') FROM told AS t
                    WHERE NOT EXISTS (SELECT FROM more AS m WHERE t.table_name = m.table_name AND coalesce(t.column_name, m.column_name) = m.column_name)) AS told
        )
        SELECT b.more IS NULL AND b.told IS NULL, b.more, b.told FROM beyond AS b;
    DROP SCHEMA mart_more, mart_more_store CASCADE;
    EXECUTE format('DROP TABLE source_less.%I', flag);
END $$;
SELECT * FROM sources_difference('CREATE TABLE source_less.customers (customer_id bigint, cohort text, channel text, acquired_at date, acquisition_cost numeric, churned_at date)');
SELECT * FROM sources_difference('CREATE TABLE source_less.subscriptions (customer_id bigint, started_at date, ended_at date, monthly_amount numeric)');
SELECT * FROM sources_difference('CREATE TABLE source_less.interactions (interaction_id text, customer_id bigint, started_at date, channel text, topic text, stage text, resolved boolean, escalated boolean, service_cost numeric)');
SELECT * FROM sources_difference('CREATE TABLE source_less.evaluations (customer_id bigint, evaluated_at date, name text, score float8, label text)');
DROP SCHEMA mart_less, mart_less_store, source_less CASCADE;
DROP TABLE source_told;
DROP FUNCTION sources_difference(text), sources_findings(text), sources_failure(text);
