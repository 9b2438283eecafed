-- mart.sql - what bench/run --mart measures: the mart of a contact centre, made, filled, and refreshed a day later.
--
-- Reads the schema crm that script/crm.sql makes. Every measured call is made by a session of its own, so that the peak
-- of its memory is that of the call: VmHWM of the process, of which RssShmem are pages of shared_buffers that it has
-- touched, and not its own. Sessions run with the settings of bench/run: no parallel workers, no JIT, and work_mem as
-- the server has it by default (4 MB).

\pset footer off

-- what a CRM has: keys, and an index by which the orders of the last days are found
ALTER TABLE crm.customers ADD PRIMARY KEY (customer_id);
ALTER TABLE crm.interactions ADD PRIMARY KEY (interaction_id);
CREATE INDEX ON crm.orders (ordered_at);
VACUUM (ANALYZE, FREEZE) crm.customers;
VACUUM (ANALYZE, FREEZE) crm.orders;
VACUUM (ANALYZE, FREEZE) crm.interactions;
VACUUM (ANALYZE, FREEZE) crm.evaluations;

CREATE TABLE measurement (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, what text,
    seconds float8, cpu float8,     -- by the clock, and of the processor
    wal bigint,
    peak bigint, shared bigint,     -- bytes
    run_id bigint                   -- in refresh_log
);
CREATE PROCEDURE keep_figures(what text, began timestamptz, lsn pg_lsn, run_id bigint DEFAULT NULL) LANGUAGE sql AS $$
    INSERT INTO measurement (what, seconds, cpu, wal, peak, shared, run_id)
    SELECT what, extract(epoch FROM clock_timestamp() - began),
           split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::float8 / 1e9, pg_current_wal_lsn() - lsn,
           1024 * substring(status FROM 'VmHWM:\s+(\d+)')::bigint,
           1024 * substring(status FROM 'RssShmem:\s+(\d+)')::bigint, run_id
    FROM pg_read_file('/proc/self/status') AS status
$$;

\echo 'Rows:'
SELECT "table", rows, pg_size_pretty(pg_total_relation_size('crm.' || "table")) AS size
FROM (SELECT 1, 'customers', count(*) FROM crm.customers
      UNION ALL SELECT 2, 'orders', count(*) FROM crm.orders
      UNION ALL SELECT 3, 'interactions', count(*) FROM crm.interactions
      UNION ALL SELECT 4, 'evaluations', count(*) FROM crm.evaluations) AS t (place, "table", rows)
ORDER BY place;

-- ---- the mart, made and filled ----------------------------------------------------------------------------------

\connect
SELECT clock_timestamp() AS began, pg_current_wal_lsn() AS lsn \gset
SELECT count(*) AS views FROM clv_create_mart('crm', 'mart', margin => 0.4, time_zone => 'UTC', build => false) \gset
CALL keep_figures('clv_create_mart, without build', :'began', :'lsn');

\connect
SELECT clock_timestamp() AS began, pg_current_wal_lsn() AS lsn \gset
CALL mart.refresh();
SELECT max(run_id) AS run_id FROM mart.refresh_log \gset
CALL keep_figures('first refresh, with fits', :'began', :'lsn', :run_id);
CREATE TABLE size_after_first AS
SELECT relname, pg_total_relation_size(oid) AS bytes FROM pg_class
WHERE relnamespace = 'mart_store'::regnamespace AND relkind IN ('r', 'm');

-- ---- a day later ------------------------------------------------------------------------------------------------

-- The day is like the one before it, of the same customers; one order in 50 of another day comes late; some customers
-- are new; some leave.
CREATE TABLE arrived AS
SELECT (SELECT count(*) FROM crm.orders) AS orders, (SELECT count(*) FROM crm.interactions) AS interactions;
INSERT INTO crm.orders
SELECT customer_id, ordered_at + interval '1 day', amount, currency FROM crm.orders
WHERE ordered_at >= '2025-12-31Z' AND ordered_at < '2026-01-01Z'
UNION ALL
SELECT customer_id, ordered_at + interval '4 days', amount, currency FROM crm.orders
WHERE ordered_at >= '2025-12-24Z' AND ordered_at < '2025-12-25Z' AND hashtext(customer_id || ordered_at) % 50 = 0
UNION ALL
SELECT 'N' || customer_id, ordered_at + interval '11 days', amount, currency FROM crm.orders
WHERE ordered_at >= '2025-12-21Z' AND ordered_at < '2025-12-22Z' AND hashtext(customer_id) % 20 = 0;
INSERT INTO crm.customers
SELECT 'N' || customer_id, '2026', channel, '2026-01-01 08:00Z', acquisition_cost, NULL FROM crm.customers
WHERE EXISTS (SELECT FROM crm.orders WHERE customer_id = 'N' || customers.customer_id AND ordered_at >= '2026-01-01Z');
UPDATE crm.customers SET churned_at = '2026-01-01 14:00Z' WHERE churned_at IS NULL AND hashtext(customer_id) % 2000 = 0;
INSERT INTO crm.interactions
SELECT 'N' || interaction_id, customer_id, started_at + interval '1 day', channel, topic, stage, resolved, escalated,
       service_cost
FROM crm.interactions WHERE started_at >= '2025-12-31Z';
INSERT INTO crm.evaluations
SELECT 'N' || interaction_id, evaluated_at + interval '1 day', name, score, label
FROM crm.evaluations WHERE evaluated_at >= '2025-12-31Z';
UPDATE arrived SET orders = (SELECT count(*) FROM crm.orders) - orders,
                   interactions = (SELECT count(*) FROM crm.interactions) - interactions;

\connect
SELECT clock_timestamp() AS began, pg_current_wal_lsn() AS lsn \gset
CALL mart.refresh();
SELECT max(run_id) AS run_id FROM mart.refresh_log \gset
CALL keep_figures('refresh a day later', :'began', :'lsn', :run_id);
\connect
SELECT clock_timestamp() AS began, pg_current_wal_lsn() AS lsn \gset
CALL mart.refresh();
SELECT max(run_id) AS run_id FROM mart.refresh_log \gset
CALL keep_figures('the same once more', :'began', :'lsn', :run_id);

-- ---- the figures ------------------------------------------------------------------------------------------------

\echo 'Arrived with the new day:'
SELECT * FROM arrived;

\echo 'Seconds, write-ahead log, and peak memory of the process:'
SELECT what, round(seconds::numeric, 2) AS seconds, round(cpu::numeric, 2) AS "by CPU", pg_size_pretty(wal) AS "WAL",
       pg_size_pretty(peak) AS peak, pg_size_pretty(shared) AS "shared, of this",
       pg_size_pretty(peak - shared) AS "its own"
FROM measurement ORDER BY id;

\echo 'Steps:'
SELECT step, s.rows,
       round(first::numeric, 2) AS "first, s", round((100 * first / sum(first) OVER ())::numeric, 1) AS "%",
       round(daily::numeric, 2) AS "day later, s", round((100 * daily / sum(daily) OVER ())::numeric, 1) AS "%"
FROM (SELECT step, min(started_at) AS started_at, max(rows) FILTER (WHERE m.id = 2) AS rows,
             max(l.seconds) FILTER (WHERE m.id = 2) AS first, max(l.seconds) FILTER (WHERE m.id = 3) AS daily
      FROM mart.refresh_log AS l JOIN measurement AS m USING (run_id) WHERE step IS NOT NULL GROUP BY step) AS s
ORDER BY started_at;

\echo 'Sizes after the first refresh, and now (in between, both generations are filled):'
SELECT coalesce(relname, 'all') AS relation, pg_size_pretty(sum(s.bytes)) AS "after the first",
       pg_size_pretty(sum(pg_total_relation_size(c.oid))) AS now
FROM pg_class AS c JOIN size_after_first AS s USING (relname) WHERE relnamespace = 'mart_store'::regnamespace
GROUP BY ROLLUP (relname) HAVING sum(s.bytes) > 1000000 ORDER BY grouping(relname), sum(s.bytes) DESC;
