-- simulate.sql - a made-up shop, for a demo without a file: 20,000 customers who first buy within two years.
--
-- Each has a purchase rate and a probability to drop out after a repeat purchase (the BG/NBD model), and a mean
-- spend (the gamma-gamma model). On top: 2 % of the orders are refunded in whole or in part, some on the same day,
-- and a few rows lack an amount, a date or a customer, as in real tables. Same seed, same shop.
-- Makes orders (customer_id, ordered_at, amount) and truth (term, value).

CREATE TABLE truth (term text PRIMARY KEY, value float8);
INSERT INTO truth VALUES
    ('r', 0.55), ('alpha', 7), ('a', 0.8), ('b', 3.2),      -- purchases, in weeks
    ('p', 6), ('q', 4), ('v', 40);                          -- spend: 80 per purchase in the mean

-- One draw from a gamma distribution with scale 1 (Marsaglia and Tsang 2000).
CREATE FUNCTION pg_temp.gamma_draw(shape float8) RETURNS float8 LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    d float8 := CASE WHEN shape < 1 THEN shape + 1 ELSE shape END - 1 / 3.0;
    c float8 := 1 / sqrt(9 * d);
    z float8;
    w float8;
BEGIN
    LOOP
        z := sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random());
        w := (1 + c * z) ^ 3;
        IF w > 0 AND ln(1 - random()) < z * z / 2 + d - d * w + d * ln(w) THEN
            RETURN d * w * CASE WHEN shape < 1 THEN (1 - random()) ^ (1 / shape) ELSE 1 END;
        END IF;
    END LOOP;
END $$;

CREATE FUNCTION pg_temp.buy(customers int, from_day date, days int)
RETURNS TABLE (customer_id text, ordered_at timestamp, amount numeric) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    t jsonb := (SELECT jsonb_object_agg(term, value) FROM truth);
    rate float8;        -- purchases a day
    dropout float8;
    spend_rate float8;
    at float8;          -- days since from_day
    x int;              -- repeat purchases so far
    g float8;
BEGIN
    FOR i IN 1 .. customers LOOP
        customer_id := 'C' || to_char(i, 'FM00000');
        rate := pg_temp.gamma_draw((t ->> 'r')::float8) / (t ->> 'alpha')::float8 / 7;
        g := pg_temp.gamma_draw((t ->> 'a')::float8);
        dropout := g / (g + pg_temp.gamma_draw((t ->> 'b')::float8));
        spend_rate := pg_temp.gamma_draw((t ->> 'q')::float8) / (t ->> 'v')::float8;
        at := days * random();
        x := 0;
        LOOP
            ordered_at := date_trunc('second', from_day + at * interval '1 day');
            amount := round((pg_temp.gamma_draw((t ->> 'p')::float8) / spend_rate)::numeric, 2);
            RETURN NEXT;
            IF random() < 0.02 THEN
                amount := -CASE WHEN random() < 0.5 THEN amount ELSE round(amount * random()::numeric, 2) END;
                ordered_at := ordered_at + floor(random() * 15) * interval '1 day';
                IF ordered_at < from_day + days THEN
                    RETURN NEXT;
                END IF;
            END IF;
            EXIT WHEN x > 0 AND random() < dropout;
            x := x + 1;
            at := at - ln(1 - random()) / rate;
            EXIT WHEN at >= days;
        END LOOP;
    END LOOP;
END $$;

SELECT setseed(0.42) \gset

CREATE TABLE orders AS
SELECT CASE WHEN random() < 0.0002 THEN NULL ELSE customer_id END AS customer_id,
       CASE WHEN random() < 0.0002 THEN NULL ELSE ordered_at END AS ordered_at,
       CASE WHEN random() < 0.0005 THEN NULL ELSE amount END AS amount
FROM pg_temp.buy(20000, date '2024-01-01', 731);

CREATE TABLE loaded AS SELECT count(*) AS rows_in_file, 0::bigint AS rows_unreadable FROM orders;
