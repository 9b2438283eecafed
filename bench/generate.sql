-- generate.sql - data for bench/run. psql variables: customers, orders, buyers (numbers of rows to make).
--
-- folded, unfolded: (id, x, t_x, t), customers of a known BG/NBD model (r .24, alpha 4.41, a .79, b 2.43), times in
--   weeks. In folded they are daily dates, and a million rows fold to some 190,000 distinct
--   ones; in unfolded they are finer and longer, and fold to some 420,000.
-- orders: (customer_id, ordered_at, amount) in the order of time, as a shop writes them.

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

-- Customers who first buy within `spread` days and are seen until day `days`; times are cut to 1/per_day of a day.
CREATE FUNCTION pg_temp.cohort(customers int, spread int, days int, per_day int)
RETURNS TABLE (id int, x float8, t_x float8, t float8) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    rate float8;        -- purchases a day
    dropout float8;
    g float8;
    at float8;          -- days
    first_slot int;     -- of the first purchase, in 1/per_day of a day
    slot int;           -- of the latest purchase
    next_slot int;
BEGIN
    FOR i IN 1 .. customers LOOP
        rate := pg_temp.gamma_draw(0.24) / 4.41 / 7 + 1e-300;
        g := pg_temp.gamma_draw(0.79);
        dropout := g / (g + pg_temp.gamma_draw(2.43));
        at := spread * random();
        first_slot := floor(at * per_day);
        slot := first_slot;
        x := 0;
        LOOP
            at := at - ln(1 - random()) / rate;
            EXIT WHEN at >= days;
            next_slot := floor(at * per_day);
            IF next_slot > slot THEN
                x := x + 1;
                slot := next_slot;
                EXIT WHEN random() < dropout;
            END IF;
        END LOOP;
        id := i;
        t_x := (slot - first_slot) / (7.0::float8 * per_day);
        t := (days * per_day - 1 - first_slot) / (7.0::float8 * per_day);
        RETURN NEXT;
    END LOOP;
END $$;

SELECT setseed(0.1) \gset
CREATE UNLOGGED TABLE folded AS SELECT * FROM pg_temp.cohort(:customers, 84, 470, 1);
CREATE UNLOGGED TABLE unfolded AS SELECT * FROM pg_temp.cohort(:customers, 160, 520, 3);

CREATE UNLOGGED TABLE orders AS
SELECT CASE WHEN newest > floor((i - 1) * :buyers::float8 / :orders) THEN newest
            ELSE 1 + floor(random() ^ 1.5 * newest) END::int AS customer_id,
       timestamp '2023-01-01' + i * (interval '3 years' / :orders) AS ordered_at,
       round((5 + 200 * random() ^ 3)::numeric, 2) AS amount
FROM (SELECT i, floor(i * :buyers::float8 / :orders) AS newest FROM generate_series(1, :orders) AS i OFFSET 0) AS s;

VACUUM (ANALYZE, FREEZE) folded;
VACUUM (ANALYZE, FREEZE) unfolded;
VACUUM (ANALYZE, FREEZE) orders;
