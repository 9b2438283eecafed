-- contact_centre.sql - a made-up contact centre, in which better resolution keeps customers, by a known amount.
--
-- psql variables: runs (independent copies, numbered 1, 2, ...) and customers (in each). Same variables, same numbers, on
-- every machine. The landmark is 2024-12-31, outcomes are those of 2025. Makes, each with a column run:
--
--   customers (customer_id, channel, acquired_on, churned_on)    churned_on is NULL for who stayed
--   orders (customer_id, ordered_on, amount)
--   evaluations (customer_id, evaluated_at, name, score)     'resolution' and 'tone' of each scored contact, 0 to 1
--   truth (effect)      change of the probability to leave in 2025 by +0.05 resolution, mean over customers with scores
--
-- What goes on: who has been a customer for long, or came through some channels, is served by better agents (higher
-- resolution) and leaves less often anyway: tenure and channel confound. Resolution makes the tone of a contact friendlier,
-- and both keep customers: tone mediates. Resolution itself does keep customers, in truth. 30 % of the customers, more
-- of the new ones, have no scores.

CREATE FUNCTION pg_temp.uniform(run int, customer int, draw int, what text) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT ((hashtextextended(what, (run * 1000003::bigint + customer) * 1009 + draw) >> 11 & ((1::bigint << 52) - 1)) + 0.5) / (1::bigint << 52)::float8 $$;
CREATE FUNCTION pg_temp.normal(run int, customer int, what text) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT sqrt(-2 * ln(pg_temp.uniform(run, customer, 1, what))) * cos(2 * pi() * pg_temp.uniform(run, customer, 2, what)) $$;
CREATE FUNCTION pg_temp.logistic(eta float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$ SELECT 1 / (1 + exp(-eta)) $$;

-- channel 0 to 3; years as a customer at the landmark; how well the agents resolve what the customer brings
CREATE TEMP TABLE person AS
SELECT run, customer_id, channel, tenure,
       pg_temp.logistic(-0.2 + 0.7 * (tenure - 1.5) + 0.5 * (channel - 1.5) + 0.7 * pg_temp.normal(run, customer_id, 'service')) AS service,
       1 + floor(6 * pg_temp.uniform(run, customer_id, 0, 'contacts'))::int AS contacts,
       pg_temp.uniform(run, customer_id, 0, 'scored') > pg_temp.logistic(-0.1 - 0.5 * tenure) AS scored
FROM (SELECT run, customer_id, floor(4 * pg_temp.uniform(run, customer_id, 0, 'channel'))::int AS channel,
             (100 + floor(900 * pg_temp.uniform(run, customer_id, 0, 'tenure'))) / 365.25 AS tenure
      FROM generate_series(1, :runs) AS run, generate_series(1, :customers) AS customer_id) AS c;

CREATE TEMP TABLE contact AS
SELECT run, customer_id, scored, draw, resolution, 0.1 + 0.5 * resolution + 0.4 * pg_temp.uniform(run, customer_id, draw, 'tone') AS tone
FROM (SELECT run, customer_id, scored, draw, 0.7 * service + 0.3 * pg_temp.uniform(run, customer_id, draw, 'resolution') AS resolution
      FROM person, generate_series(1, contacts) AS draw) AS c;

-- the log odds of leaving in 2025; tone follows resolution by 0.5
CREATE TEMP TABLE outcome AS
SELECT p.*, 2.2 - 2.0 * c.resolution - 2.0 * c.tone - 0.5 * tenure - 0.3 * (channel - 1.5) AS eta, c.resolution AS mean_resolution
FROM person AS p JOIN (SELECT run, customer_id, avg(resolution) AS resolution, avg(tone) AS tone FROM contact GROUP BY 1, 2) AS c USING (run, customer_id);

CREATE TABLE truth AS
SELECT run, avg(pg_temp.logistic(eta - 2.0 * 0.05 - 2.0 * 0.5 * 0.05) - pg_temp.logistic(eta)) AS effect
FROM outcome WHERE scored GROUP BY run;

CREATE TABLE customers AS
SELECT run, customer_id, (ARRAY['web', 'phone', 'store', 'partner'])[channel + 1] AS channel,
       date '2024-12-31' - round(tenure * 365.25)::int AS acquired_on,
       CASE WHEN pg_temp.uniform(run, customer_id, 0, 'leaves') < pg_temp.logistic(eta)
            THEN date '2025-01-01' + floor(365 * pg_temp.uniform(run, customer_id, 0, 'when'))::int END AS churned_on
FROM outcome;

-- an order every two months in the mean, from the day of acquisition to the end of 2025 or the day of leaving
CREATE TABLE orders AS
SELECT run, customer_id, ordered_on, round((20 + 60 * pg_temp.uniform(run, customer_id, draw, 'amount'))::numeric, 2) AS amount
FROM (SELECT run, customer_id, acquired_on, coalesce(churned_on, '2026-01-01') AS ends_on, draw,
             CASE draw WHEN 0 THEN acquired_on
                  ELSE acquired_on + 60 * draw - floor(60 * pg_temp.uniform(run, customer_id, draw, 'day'))::int + 1 END AS ordered_on
      FROM customers, generate_series(0, (coalesce(churned_on, '2026-01-01') - acquired_on) / 60 + 1) AS draw) AS o
WHERE ordered_on < ends_on;

-- contacts are on the days before the landmark
CREATE TABLE evaluations AS
SELECT run, customer_id, timestamptz '2024-12-31 12:00Z' - floor(99 * pg_temp.uniform(run, customer_id, draw, 'at')) * interval '24 hours' AS evaluated_at,
       s.name, s.score
FROM contact, LATERAL (VALUES ('resolution', resolution), ('tone', tone)) AS s (name, score)
WHERE scored;

DROP TABLE person, contact, outcome;
