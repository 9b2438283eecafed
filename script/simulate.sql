-- simulate.sql - a made-up shop, for a demo without a file: 20,000 customers who first buy within two years.
--
-- Purchases are drawn from the Pareto/NBD model and their amounts from the gamma-gamma model by simulate_purchases().
-- On top, as in real tables: on 3 % of the days the amount comes in two orders, 2 % of the days are refunded in whole or
-- in part, some of them on the same day, and a few rows lack an amount, a date or a customer. Same seed, same shop.
-- Makes orders (customer_id, ordered_at, amount) and truth (term, value).

CREATE TABLE simulated AS
SELECT pareto_nbd_model(r => 0.9, alpha => 10, s => 0.8, beta => 16, unit => 'week') AS purchases,
       gamma_gamma_model(p => 6, q => 4, v => 40) AS spend;     -- 80 per purchase in the mean

CREATE TABLE truth AS
SELECT term, estimate AS value FROM simulated, tidy(purchases)
UNION ALL
SELECT term, estimate FROM simulated, tidy(spend);

SELECT setseed(0.42) \gset

-- Days count from a customer's first purchase, which is somewhere in the two years.
CREATE TABLE bought AS
SELECT 'C' || to_char(customer, 'FM00000') AS customer_id,
       timestamp '2024-01-01' + (first_day + day + random()) * interval '1 day' AS ordered_at,
       round(amount::numeric, 2) AS amount,
       CASE WHEN random() < 0.03 THEN round((amount * random())::numeric, 2) END AS second_amount,
       CASE WHEN random() < 0.02 THEN round((amount * least(1, 2 * random()))::numeric, 2) END AS refund,
       floor(random() * 15) * interval '1 day' AS refunded_after
FROM (SELECT customer, day, amount, abs(hashint4extended(customer, 42) % 731)::int AS first_day
      FROM simulated, simulate_purchases(purchases, 20000, 730, 2026, spend)) AS s
WHERE first_day + day <= 730;

CREATE TABLE orders AS
SELECT CASE WHEN random() < 0.0002 THEN NULL ELSE customer_id END AS customer_id,
       CASE WHEN random() < 0.0002 THEN NULL ELSE date_trunc('second', ordered_at) END AS ordered_at,
       CASE WHEN random() < 0.0005 THEN NULL ELSE amount END AS amount
FROM (SELECT customer_id, ordered_at, amount - coalesce(second_amount, 0) AS amount FROM bought
      UNION ALL
      SELECT customer_id, date_trunc('day', ordered_at) + interval '23 hours', second_amount FROM bought WHERE second_amount > 0
      UNION ALL
      SELECT customer_id, ordered_at + refunded_after, -refund FROM bought
      WHERE refund > 0 AND ordered_at + refunded_after < '2026-01-01') AS lines;

CREATE TABLE loaded AS SELECT count(*) AS rows_in_file, 0::bigint AS rows_unreadable FROM orders;
DROP TABLE bought;
