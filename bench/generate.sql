-- generate.sql - data for bench/run. psql variables: customers, orders, buyers (numbers of rows to make).
--
-- Customers come from simulate_purchases(), times in weeks:
-- folded, unfolded: (id, x, t_x, t) of a known BG/NBD model (r .24, alpha 4.41, a .79, b 2.43). In folded they are daily
--   dates, and a million rows fold to some 190,000 distinct ones; in unfolded they are finer and longer, and fold to
--   some 420,000.
-- described: (x, t_x, t, member, shop, score) of a Pareto/NBD model in which the first two of the covariates, which are
--   0 or 1, have effects, and the third, which differs between all customers, has none.
-- history: (id, history), purchases of a Pareto/NBD and amounts of a gamma-gamma model.
-- scored: (id, days, orders, spend), what is known of these customers on 2026-03-31.
-- orders: (customer_id, ordered_at, amount) in the order of time, as a shop writes them.

SET work_mem = '256MB';

-- A whole number from 0 to n - 1 that belongs to a customer.
CREATE FUNCTION pg_temp.part(customer int, n int) RETURNS int LANGUAGE sql IMMUTABLE
    RETURN abs(hashint4extended(customer, 1) % n)::int;

CREATE UNLOGGED TABLE folded AS
SELECT customer AS id, count(*)::float8 - 1 AS x, max(day) / 7.0::float8 AS t_x, (469 - pg_temp.part(customer, 84)) / 7.0::float8 AS t
FROM simulate_purchases(bgnbd_model(0.24, 4.41, 0.79, 2.43, 'week'), :customers, 469, 1)
WHERE day <= 469 - pg_temp.part(customer, 84)
GROUP BY customer;

-- The model without a unit counts thirds of a day.
CREATE UNLOGGED TABLE unfolded AS
SELECT customer AS id, count(*)::float8 - 1 AS x, max(day) / 21.0::float8 AS t_x, (1559 - pg_temp.part(customer, 480)) / 21.0::float8 AS t
FROM simulate_purchases(bgnbd_model(0.24, 4.41 * 21, 0.79, 2.43), :customers, 1559, 2)
WHERE day <= 1559 - pg_temp.part(customer, 480)
GROUP BY customer;

CREATE UNLOGGED TABLE described AS
SELECT customer AS id, count(*)::float8 - 1 AS x, max(day) / 7.0::float8 AS t_x, (469 - pg_temp.part(customer, 84)) / 7.0::float8 AS t,
       member::float8, shop::float8, pg_temp.part(customer + 4000000 * (2 * member + shop), 1 << 30) / (1 << 30)::float8 AS score
FROM generate_series(0, 1) AS member, generate_series(0, 1) AS shop,
     simulate_purchases(with_covariates(
         'pareto_nbd(unit=week){r=0.55,alpha=10.6,s=0.61,beta=11.7,purchase_1=0.4,purchase_2=-0.2,dropout_1=-0.3,dropout_2=0.2}',
         ARRAY[member, shop]), :customers / 4, 469, 3 + 2 * member + shop)
WHERE day <= 469 - pg_temp.part(customer, 84)
GROUP BY customer, member, shop;

CREATE UNLOGGED TABLE history AS
SELECT customer AS id, purchase_history(date '2024-01-01' + pg_temp.part(customer, 84) + day, round(amount::numeric, 2)) AS history
FROM simulate_purchases(pareto_nbd_model(0.55, 10.6, 0.61, 11.7, 'week'), :customers, 820, 4, gamma_gamma_model(6.25, 3.74, 15.44))
GROUP BY customer;

CREATE UNLOGGED TABLE scored AS
SELECT id, days_since_last(history, date '2026-03-31') AS days, purchases(history, date '2026-03-31') AS orders,
       total_spend(history, date '2026-03-31') AS spend
FROM history;

SELECT setseed(0.1) \gset
CREATE UNLOGGED TABLE orders AS
SELECT CASE WHEN newest > floor((i - 1) * :buyers::float8 / :orders) THEN newest
            ELSE 1 + floor(random() ^ 1.5 * newest) END::int AS customer_id,
       timestamp '2023-01-01' + i * (interval '3 years' / :orders) AS ordered_at,
       round((5 + 200 * random() ^ 3)::numeric, 2) AS amount
FROM (SELECT i, floor(i * :buyers::float8 / :orders) AS newest FROM generate_series(1, :orders) AS i OFFSET 0) AS s;

VACUUM (ANALYZE, FREEZE) folded;
VACUUM (ANALYZE, FREEZE) unfolded;
VACUUM (ANALYZE, FREEZE) described;
VACUUM (ANALYZE, FREEZE) history;
VACUUM (ANALYZE, FREEZE) scored;
VACUUM (ANALYZE, FREEZE) orders;
RESET work_mem;
