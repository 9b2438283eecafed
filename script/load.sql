-- load.sql - from the rows of a CSV file, all text, to typed orders.
--
-- Reads incoming (line, and the columns c1, c2, ... as text); the psql variables customer, time and amount name the
-- three that count, date_order is dmy, mdy or empty. Makes orders (customer_id, ordered_at, amount), unreadable
-- (line, what, value) with whatever is no time or amount, and loaded (rows_in_file, rows_unreadable).
-- An empty field becomes NULL, which clv's aggregates skip.

CREATE TABLE cleaned AS
SELECT line, nullif(btrim(:"customer"), '') AS customer_id, nullif(btrim(:"time"), '') AS at,
       nullif(replace(btrim(:"amount"), ' ', ''), '') AS amount
FROM incoming;

-- How are numbers and dates written in this file? 1.234,50 or 1,234.50; day or month first.
CREATE TABLE habits AS
SELECT coalesce(bool_or(amount ~ '^[+-]?(\d+|\d{1,3}(\.\d{3})+),(\d{1,2}|\d{4,})$')
                AND NOT bool_or(amount ~ '^[+-]?(\d+|\d{1,3}(,\d{3})+)\.(\d{1,2}|\d{4,})$'), false) AS decimal_comma,
       bool_or(at ~ '^(1[3-9]|2\d|3[01])[/-]\d{1,2}[/-]') AS first_is_day,
       bool_or(at ~ '^\d{1,2}[/-](1[3-9]|2\d|3[01])[/-]') AS second_is_day,
       bool_or(at ~ '^\d{1,2}[/-]\d{1,2}[/-]') AS has_short_form
FROM cleaned;

-- 12.500 is twelve and a half thousand here, and twelve and a half there: only other amounts of the file can tell.
DO $$
BEGIN
    IF (SELECT bool_or(amount ~ '^[+-]?\d{1,3}[.,]\d{3}$')
               AND NOT bool_or(amount ~ '[.,](\d{1,2}|\d{4,})$' OR amount ~ '[.,]\d{3}[.,]\d{3}$') FROM cleaned) THEN
        RAISE EXCEPTION 'amounts such as % can be read with a decimal or with a thousands separator',
            (SELECT amount FROM cleaned WHERE amount ~ '^[+-]?\d{1,3}[.,]\d{3}$' ORDER BY line LIMIT 1)
            USING HINT = 'Write all amounts without thousands separators, or with two decimals.';
    END IF;
END $$;

CREATE FUNCTION pg_temp.choose_date_order(wanted text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    h habits%ROWTYPE;
BEGIN
    SELECT * INTO h FROM habits;
    IF wanted = '' AND h.has_short_form AND NOT h.first_is_day AND NOT h.second_is_day THEN
        RAISE EXCEPTION 'dates such as % can be read with the day first or with the month first',
            (SELECT at FROM cleaned WHERE at ~ '^\d{1,2}[/-]\d{1,2}[/-]' ORDER BY line LIMIT 1)
            USING HINT = 'Add --date-order dmy or --date-order mdy.';
    END IF;
    RETURN CASE WHEN wanted <> '' THEN wanted WHEN h.second_is_day THEN 'mdy' ELSE 'dmy' END;
END $$;

SELECT set_config('datestyle', 'ISO, ' || pg_temp.choose_date_order(:'date_order'), false) AS datestyle \gset

-- NULL where it is none; words such as 'now' are none
CREATE FUNCTION pg_temp.to_time(at text) RETURNS timestamp LANGUAGE plpgsql AS $$
BEGIN
    IF at !~ '^(\d{8}|\d{1,4}[-/. ][\w]{1,9}[-/. ]\d{1,4}|[A-Za-z]{3,9} \d{1,2},? \d{4})([ T,].*)?$' THEN
        RETURN NULL;
    END IF;
    RETURN regexp_replace(at, '^(\d{1,2})\.(\d{1,2})\.(\d{4})', '\3-\2-\1')::timestamp;
EXCEPTION WHEN data_exception THEN
    RETURN NULL;
END $$;

CREATE FUNCTION pg_temp.to_amount(amount text, decimal_comma boolean) RETURNS numeric LANGUAGE sql AS $$
    SELECT CASE WHEN abs(number) < 1e12 THEN number END
    FROM (SELECT CASE
        WHEN decimal_comma AND amount ~ '^[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d*)?$'
            THEN replace(replace(amount, '.', ''), ',', '.')::numeric
        WHEN NOT decimal_comma AND amount ~ '^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$'
            THEN replace(amount, ',', '')::numeric
        WHEN amount ~ '^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?$' THEN amount::numeric
    END AS number) AS n
$$;

CREATE TABLE typed AS
SELECT c.*, pg_temp.to_time(at) AS ordered_at, pg_temp.to_amount(amount, decimal_comma) AS number
FROM cleaned AS c, habits;

CREATE TABLE unreadable AS
SELECT line, 'time' AS what, at AS value FROM typed WHERE at IS NOT NULL AND ordered_at IS NULL
UNION ALL
SELECT line, 'amount', amount FROM typed WHERE amount IS NOT NULL AND number IS NULL;

CREATE TABLE orders AS
SELECT customer_id, ordered_at, number AS amount FROM typed WHERE line NOT IN (SELECT line FROM unreadable);

CREATE TABLE loaded AS
SELECT (SELECT count(*) FROM incoming) AS rows_in_file, (SELECT count(DISTINCT line) FROM unreadable) AS rows_unreadable;

DROP TABLE incoming, cleaned, habits, typed CASCADE;
RESET datestyle;
