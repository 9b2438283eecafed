-- The nightly load of stored histories, late orders included: the days after a cut are taken off each stored history
-- and read from the orders again, slice(h, '-infinity', cut) + history of the orders after the cut. Loading a night
-- twice changes nothing, and orders, refunds, corrections and deletions of days after the cut come in, however late.
-- What is expected is said in the comment above each query.

SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';

CREATE TEMP TABLE orders (order_id int PRIMARY KEY, customer_id int, ordered_on date, amount numeric);
CREATE TEMP TABLE customer_history (customer_id int PRIMARY KEY, history purchase_history NOT NULL);

-- The load: one statement. It writes the rows that change and no others; the result is their number. A customer whose
-- last order was deleted leaves. `window_days` is how late an order may be.
CREATE FUNCTION pg_temp.load_night(night date, window_days int DEFAULT 7) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    cut date := night - window_days;
    written bigint;
BEGIN
    MERGE INTO customer_history AS stored
    USING (
        SELECT customer_id,
               coalesce(kept + added, kept, added) AS history
        FROM (SELECT h.customer_id, slice(h.history, '-infinity', cut) AS kept FROM customer_history AS h) AS k
        FULL JOIN (
            SELECT customer_id, purchase_history(ordered_on, amount) AS added
            FROM orders
            WHERE customer_id IS NOT NULL AND ordered_on > cut AND ordered_on <= night
            GROUP BY customer_id
        ) AS n USING (customer_id)
    ) AS loaded ON stored.customer_id = loaded.customer_id
    WHEN MATCHED AND loaded.history = '{}' THEN DELETE
    WHEN MATCHED AND loaded.history <> stored.history THEN UPDATE SET history = loaded.history
    WHEN NOT MATCHED AND loaded.history IS NOT NULL THEN INSERT VALUES (loaded.customer_id, loaded.history);
    GET DIAGNOSTICS written = ROW_COUNT;
    RETURN written;
END $$;

-- what a rebuild from all orders up to a night has and the store has not (+), and the other way round (-)
CREATE FUNCTION pg_temp.differences(night date) RETURNS TABLE (side text, customer_id int, history purchase_history)
LANGUAGE sql AS $$
    WITH rebuilt AS (
        SELECT o.customer_id, purchase_history(o.ordered_on, o.amount) AS history
        FROM orders AS o
        WHERE o.customer_id IS NOT NULL AND o.ordered_on <= night
        GROUP BY o.customer_id
        HAVING purchase_history(o.ordered_on, o.amount) IS NOT NULL
    )
    SELECT '+', r.* FROM (SELECT * FROM rebuilt EXCEPT SELECT * FROM customer_history) AS r
    UNION ALL
    SELECT '-', s.* FROM (SELECT * FROM customer_history EXCEPT SELECT * FROM rebuilt) AS s
    ORDER BY 1, 2
$$;

-- ---- the first night ------------------------------------------------------------------------------------------------

-- customer 3 has an order of which the amount is not known yet, and no history; customer 4 buys tomorrow
INSERT INTO orders VALUES
    (1, 1, '2026-01-02', 10), (2, 1, '2026-01-20', 20), (3, 2, '2026-01-18', 5),
    (4, 3, '2026-01-19', NULL), (5, 4, '2026-01-21', 8);

-- an empty store takes its first load with all days: the window of a full rebuild reaches back to the first order
SELECT pg_temp.load_night('2026-01-20', 365) AS written;
SELECT * FROM customer_history ORDER BY customer_id;

-- the same night again
SELECT pg_temp.load_night('2026-01-20', 365) AS written, pg_temp.load_night('2026-01-20') AS with_its_window;
SELECT * FROM pg_temp.differences('2026-01-20');

-- ---- late orders and refunds ----------------------------------------------------------------------------------------

-- The night of the 21st: customer 4's order; one of the 19th for customer 1, two days late; the amount of order 4; a
-- refund of order 3, dated to the order (the day is cancelled); part of order 2 came back today.
INSERT INTO orders VALUES (6, 1, '2026-01-19', 7.5), (7, 2, '2026-01-18', -5), (8, 1, '2026-01-21', -4);
UPDATE orders SET amount = 12 WHERE order_id = 4;
SELECT pg_temp.load_night('2026-01-21') AS written;
SELECT * FROM customer_history ORDER BY customer_id;
SELECT pg_temp.load_night('2026-01-21') AS again;
SELECT * FROM pg_temp.differences('2026-01-21');

-- Adding the orders that are new instead: the same once, and wrong when the night is loaded a second time.
SELECT h.customer_id, h.history + n.history AS loaded_twice
FROM customer_history AS h
JOIN (
    SELECT customer_id, purchase_history(ordered_on, amount) AS history
    FROM orders
    WHERE order_id IN (6, 8)
    GROUP BY customer_id
) AS n USING (customer_id);

-- ---- deletions and corrections --------------------------------------------------------------------------------------

-- The night of the 22nd: order 3 and its refund are gone, with them customer 2; order 2 was of 25, and of customer 4.
DELETE FROM orders WHERE order_id IN (3, 7);
UPDATE orders SET customer_id = 4, amount = 25 WHERE order_id = 2;
SELECT pg_temp.load_night('2026-01-22') AS written, pg_temp.load_night('2026-01-22') AS again;
SELECT * FROM customer_history ORDER BY customer_id;
SELECT * FROM pg_temp.differences('2026-01-22');

-- ---- later than the window ------------------------------------------------------------------------------------------

-- With seven days the night of the 22nd reads from the 16th on. An order of the 15th is not seen, nor is it that
-- order 1 was deleted; the rebuild has both. A load with a longer window mends it.
INSERT INTO orders VALUES (9, 3, '2026-01-15', 1), (10, 3, '2026-01-16', 2);
DELETE FROM orders WHERE order_id = 1;
SELECT pg_temp.load_night('2026-01-22') AS written;
SELECT * FROM pg_temp.differences('2026-01-22');
SELECT pg_temp.load_night('2026-01-22', 21) AS written;
SELECT * FROM pg_temp.differences('2026-01-22');

-- A night that was left out does no harm while the window reaches over it: the 28th still reads the 22nd.
INSERT INTO orders VALUES (11, 1, '2026-01-22', 3), (12, 1, '2026-01-28', 4);
SELECT pg_temp.load_night('2026-01-28') AS written;
SELECT * FROM pg_temp.differences('2026-01-28');

-- Loading an earlier night once more takes the later days off, as if they had not come yet.
SELECT pg_temp.load_night('2026-01-27') AS written;
SELECT * FROM pg_temp.differences('2026-01-27');

-- ---- histories without money, and of interactions -------------------------------------------------------------------

-- days alone are cut and read again in the same way
SELECT slice(stored, '-infinity', '2026-01-16') + again AS loaded,
       slice(stored, '-infinity', '2026-01-16') + again = rebuilt AS equal
FROM (SELECT purchase_history(day) AS stored FROM (VALUES (date '2026-01-02'), ('2026-01-17')) AS s (day)) AS s,
     (SELECT purchase_history(day) AS again FROM (VALUES (date '2026-01-18'), ('2026-01-20')) AS a (day)) AS a,
     (SELECT purchase_history(day) AS rebuilt
      FROM (VALUES (date '2026-01-02'), ('2026-01-18'), ('2026-01-20')) AS r (day)) AS r;

-- Interactions are cut at a moment, which belongs to the part before it. A score that was corrected, and one more.
SELECT slice(stored, '-infinity', cut) + again AS loaded, slice(stored, '-infinity', cut) + again = rebuilt AS equal
FROM (VALUES (timestamptz '2026-01-16 12:00')) AS c (cut),
     (SELECT interaction_history(at, score) AS stored
      FROM (VALUES (timestamptz '2026-01-16 12:00', 0.5), ('2026-01-16 12:00:01', 0.25)) AS s (at, score)) AS s,
     (SELECT interaction_history(at, score) AS again
      FROM (VALUES (timestamptz '2026-01-16 12:00:01', 0.75), ('2026-01-17 09:00', 1)) AS a (at, score)) AS a,
     (SELECT interaction_history(at, score) AS rebuilt
      FROM (VALUES (timestamptz '2026-01-16 12:00', 0.5), ('2026-01-16 12:00:01', 0.75),
                   ('2026-01-17 09:00', 1)) AS r (at, score)) AS r;

-- ---- 200 nights -----------------------------------------------------------------------------------------------------

-- Every night some orders of 60 customers come in, up to six days late, among them free orders, refunds dated to the
-- day of the order and to their own, and rows with NULLs; others are corrected, moved to another customer or day, or
-- deleted, up to six days after their day. Each night is loaded twice, and every tenth is left out altogether.
TRUNCATE orders, customer_history;

-- a number from 0 to below n that looks random
CREATE FUNCTION pg_temp.dice(n int, variadic key text[]) RETURNS int LANGUAGE sql IMMUTABLE
    RETURN ('x' || substr(md5(key::text), 1, 7))::bit(28)::int % n;

CREATE FUNCTION pg_temp.nights(first_night date, n int)
RETURNS TABLE (loaded bigint, came bigint, changed bigint, deleted bigint, rows_written bigint, written_again bigint,
               wrong bigint, late bigint, wrong_if_only_added bigint)
LANGUAGE plpgsql AS $$
DECLARE
    night date;
    part bigint;
BEGIN
    loaded := 0; came := 0; changed := 0; deleted := 0; rows_written := 0; written_again := 0; wrong := 0; late := 0;
    -- the same nights by adding what has the night's date, which late orders show to be wrong
    CREATE TEMP TABLE only_added (customer_id int PRIMARY KEY, history purchase_history NOT NULL);
    FOR i IN 1 .. n LOOP
        night := first_night + i;

        INSERT INTO orders
        SELECT i * 100 + k, nullif(pg_temp.dice(61, 'customer', id), 0),
               night - CASE WHEN pg_temp.dice(3, 'late', id) = 0 THEN pg_temp.dice(7, 'days', id) ELSE 0 END,
               CASE pg_temp.dice(12, 'kind', id)
                   WHEN 0 THEN 0
                   WHEN 1 THEN NULL
                   WHEN 2 THEN -pg_temp.dice(3000, 'amount', id) / 100.0
                   ELSE pg_temp.dice(10000, 'amount', id) / 100.0
               END
        FROM generate_series(1, 1 + pg_temp.dice(20, 'orders', i::text)) AS k, format('%s %s', i, k) AS id;
        GET DIAGNOSTICS part = ROW_COUNT;
        came := came + part;

        -- a refund in full of some orders, dated to the order
        INSERT INTO orders
        SELECT order_id + 50, customer_id, ordered_on, -amount
        FROM orders
        WHERE ordered_on > night - 7 AND order_id % 100 < 50 AND amount > 0
          AND pg_temp.dice(40, 'refund', i::text, order_id::text) = 0
        ON CONFLICT DO NOTHING;
        GET DIAGNOSTICS part = ROW_COUNT;
        came := came + part;

        UPDATE orders
        SET customer_id = CASE WHEN order_id % 2 = 0 THEN 1 + pg_temp.dice(60, 'customer', i::text, order_id::text)
                               ELSE customer_id END,
            ordered_on = CASE WHEN order_id % 3 = 0 THEN night - pg_temp.dice(7, 'day', i::text, order_id::text)
                              ELSE ordered_on END,
            amount = CASE WHEN order_id % 5 = 0 THEN pg_temp.dice(5000, 'amount', i::text, order_id::text) / 100.0
                          ELSE amount END
        WHERE ordered_on > night - 7 AND pg_temp.dice(20, 'change', i::text, order_id::text) = 0;
        GET DIAGNOSTICS part = ROW_COUNT;
        changed := changed + part;

        DELETE FROM orders WHERE ordered_on > night - 7 AND pg_temp.dice(25, 'delete', i::text, order_id::text) = 0;
        GET DIAGNOSTICS part = ROW_COUNT;
        deleted := deleted + part;

        INSERT INTO only_added AS h
        SELECT customer_id, purchase_history(ordered_on, amount)
        FROM orders
        WHERE ordered_on = night AND customer_id IS NOT NULL
        GROUP BY customer_id
        HAVING purchase_history(ordered_on, amount) IS NOT NULL
        ON CONFLICT (customer_id) DO UPDATE SET history = h.history + excluded.history;

        -- the window is a day longer, for the night that was left out
        CONTINUE WHEN i % 10 = 0;
        loaded := loaded + 1;
        rows_written := rows_written + pg_temp.load_night(night, 8);
        written_again := written_again + pg_temp.load_night(night, 8);
        wrong := wrong + (SELECT count(*) FROM pg_temp.differences(night));
    END LOOP;
    late := (SELECT count(*) FROM orders WHERE ordered_on < first_night + order_id / 100);
    wrong_if_only_added := (SELECT count(*) FROM (SELECT * FROM only_added EXCEPT SELECT * FROM customer_history) AS d);
    DROP TABLE only_added;
    RETURN NEXT;
END $$;

-- 222 nights, of which 22 are left out
SELECT * FROM pg_temp.nights('2026-01-01', 222) \gx

-- The sum of the amounts is that of the histories. An order without a customer is in none of them; some days are
-- cancelled or negative.
SELECT round(sum(amount) FILTER (WHERE customer_id IS NOT NULL), 2) AS ordered,
       (SELECT sum(total_spend(history, '2026-12-31')) FROM customer_history) AS in_histories,
       round(sum(amount) FILTER (WHERE customer_id IS NULL), 2) AS without_customer,
       (SELECT count(*) FROM customer_history, purchase_days(history) AS d WHERE NOT d.is_purchase) AS days_not_bought
FROM orders;
