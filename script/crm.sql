-- crm.sql - a made-up company with a contact centre, as the mart reads it: better resolution keeps customers, by a
-- known amount.
--
-- psql variables: source and truth (schemas to make), customers (how many), seed (a number: another one, another
-- company). Same variables, same numbers, on every machine: they are drawn by a hash. Makes
--
--   SOURCE.customers     (customer_id, cohort, channel, acquired_at, acquisition_cost, churned_at), ids like 'C00001'
--   SOURCE.orders        (customer_id, ordered_at, amount, currency)
--   SOURCE.interactions  (interaction_id, customer_id, started_at, channel, topic, stage, resolved, escalated,
--                         service_cost)
--   SOURCE.evaluations   (interaction_id, evaluated_at, name, score, label), name 'resolution', 'quality' or 'tone'
--   TRUTH.truth          (quantity, driver, value, about)    what was planted; driver is NULL where it is of all data
--
-- For each customer there are some 10 orders, 5 interactions and 9 evaluations.
--
-- The data go from 2022 to the end of 2025; the landmark is 2024-12-31, outcomes are those of 2025. Interactions are
-- kept and scored from 2024 on. What goes on: who has been a customer for long, or came through some channels, is
-- served by better agents (higher resolution) and leaves less often anyway: tenure and channel confound. A resolved
-- contact ends in a friendlier tone, and both keep customers: tone mediates. Quality goes with tenure, does nothing.
-- Who leaves calls once more, and that call goes badly. 4 % have never ordered (prospects), one customer in eight does
-- not call within a year, and a third of the others, more of the new ones, have no scores. Who stays buys in 2025, and
-- who leaves does so on churned_at: the outcome of landmark() is the one drawn here. Of 40 companies of 8,000
-- customers, the interval of a logistic model with tenure and channel (docs/lift.md) held the planted effect in 38; of
-- 24 of 6,000 customers, that of the view lift of a mart in 23.
--
-- Moments are between 8 and 14 o'clock UTC, so that most time zones agree on the day, and the last days of a year
-- decide nothing: the day after which the data are taken to be incomplete may be 31 December or the one before it.

\set before_landmark '''2024-12-20'''
CREATE SCHEMA :"source";
CREATE SCHEMA :"truth";

-- a number between 0 and 1, of 52 bits of a hash; draw < 1009 is the number of an order or a call
CREATE FUNCTION pg_temp.u(customer int, draw int, what text) RETURNS float8 LANGUAGE sql IMMUTABLE
    RETURN ((hashtextextended(what, (:seed * 100000007::bigint + customer) * 1009 + draw) >> 11
             & 4503599627370495)::float8 + 0.5::float8) / 4503599627370496::float8;
CREATE FUNCTION pg_temp.normal(customer int, what text) RETURNS float8 LANGUAGE sql IMMUTABLE
    RETURN sqrt(-2 * ln(pg_temp.u(customer, 1, what))) * cos(2 * pi() * pg_temp.u(customer, 2, what));
CREATE FUNCTION pg_temp.logistic(eta float8) RETURNS float8 LANGUAGE sql IMMUTABLE RETURN 1 / (1 + exp(-eta));
CREATE FUNCTION pg_temp.id(customer int) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN 'C' || lpad(customer::text, greatest(5, length((:customers)::text)), '0');
CREATE FUNCTION pg_temp.moment(day date, customer int, draw int, what text) RETURNS timestamptz LANGUAGE sql IMMUTABLE
    RETURN (day + time '08:00' + floor(21600 * pg_temp.u(customer, draw, what)) * interval '1 second')
           AT TIME ZONE 'UTC';
CREATE FUNCTION pg_temp.resolution(customer int, draw int, service float8) RETURNS float8 LANGUAGE sql IMMUTABLE
    RETURN 0.7 * service + 0.3 * pg_temp.u(customer, draw, 'resolution');
CREATE FUNCTION pg_temp.tone(customer int, draw int, resolution float8) RETURNS float8 LANGUAGE sql IMMUTABLE
    RETURN 0.1 + 0.5 * resolution + 0.4 * pg_temp.u(customer, draw, 'tone');

-- ---- who there is -----------------------------------------------------------------------------------------------

-- Years as a customer at the landmark (negative: came later); how well the agents resolve what the customer brings; how
-- often he calls and orders in a year. gone_on: the day on which he would have left anyhow, some soon and some never.
CREATE TEMP TABLE person AS
SELECT *,
       pg_temp.logistic(-0.2 + 0.6 * (years - 1.5) + 0.5 * (channel - 1.5) + 0.7 * pg_temp.normal(customer, 'service'))
           AS service,
       CASE WHEN pg_temp.u(customer, 0, 'calls') < 0.125 THEN 0
            ELSE 1 + floor(8 * pg_temp.u(customer, 0, 'contacts'))::int END AS contacts,
       pg_temp.u(customer, 0, 'scored') > pg_temp.logistic(-0.1 - 0.4 * greatest(years, 0)) AS scored,
       first_on + 5 + least(9999, 150 * (pg_temp.u(customer, 0, 'goes') ^ (-1 / 0.35) - 1))::int AS gone_on,
       2.9 - 3.7 * ln(pg_temp.u(customer, 0, 'rate')) AS orders_a_year,
       15 + 30 * exp(0.6 * pg_temp.normal(customer, 'money')) AS spend
FROM (SELECT *, (date '2024-12-31' - first_on) / 365.0::float8 AS years
      FROM (SELECT customer, floor(4 * pg_temp.u(customer, 0, 'channel'))::int AS channel,
                   pg_temp.u(customer, 0, 'prospect') < 0.04 AS prospect,
                   date '2022-01-12' + floor(1388 * pg_temp.u(customer, 0, 'first'))::int AS first_on
            FROM generate_series(1, :customers) AS customer OFFSET 0) AS c OFFSET 0) AS p;

-- ---- contacts of 2024, and what comes of them -------------------------------------------------------------------

CREATE TEMP TABLE contact AS
SELECT customer, draw, resolution, pg_temp.tone(customer, draw, resolution) AS tone,
       from_on + floor((until_on - from_on) * pg_temp.u(customer, draw, 'at'))::int AS day
FROM (SELECT customer, draw, pg_temp.resolution(customer, draw, service) AS resolution,
             greatest(first_on, '2024-01-02') AS from_on, least(gone_on, '2024-12-28') AS until_on
      FROM person, generate_series(1, contacts) AS draw
      WHERE NOT prospect AND first_on < :before_landmark AND gone_on > '2024-01-20' OFFSET 0) AS c;

-- The log odds of leaving in 2025, of those who are there at the landmark; tone follows resolution by 0.5. Who did not
-- call leaves as if half had been resolved.
CREATE TEMP TABLE outcome AS
SELECT customer, scored AND n > 0 AS scored, n, resolution,
       1.2 - 2.0 * coalesce(resolution, 0.5) - 2.0 * coalesce(tone, 0.55) - 0.5 * years - 0.3 * (channel - 1.5) AS eta
FROM person
LEFT JOIN (SELECT customer, count(*) AS n, avg(resolution) AS resolution, avg(tone) AS tone
           FROM contact GROUP BY customer) AS c USING (customer)
WHERE NOT prospect AND first_on < :before_landmark AND gone_on >= :before_landmark;

-- The day on which a customer leaves.
CREATE TEMP TABLE fate AS
SELECT p.*, o.eta IS NOT NULL AS at_risk,
       CASE WHEN o.eta IS NULL THEN CASE WHEN gone_on < '2025-12-20' THEN gone_on END
            WHEN pg_temp.u(customer, 0, 'leaves') < pg_temp.logistic(eta)
            THEN date '2025-01-06' + floor(345 * pg_temp.u(customer, 0, 'when'))::int END AS left_on
FROM person AS p LEFT JOIN outcome AS o USING (customer)
WHERE NOT prospect;

-- Some are there for a few days before they first order.
CREATE TABLE :"source".customers AS
SELECT pg_temp.id(customer) AS customer_id, extract(year FROM acquired_on)::text AS cohort,
       (ARRAY['web', 'phone', 'store', 'partner'])[channel + 1] AS channel,
       (acquired_on + time '08:00') AT TIME ZONE 'UTC' AS acquired_at,
       ((ARRAY[12, 25, 40, 30])[channel + 1] * (0.7 + 0.6 * pg_temp.u(customer, 0, 'cost')))::numeric(12, 2)
           AS acquisition_cost,
       (left_on + time '14:00') AT TIME ZONE 'UTC' AS churned_at
FROM (SELECT customer, p.channel, left_on,
             p.first_on - greatest(0, floor(20 * pg_temp.u(customer, 0, 'hesitates'))::int - 8) AS acquired_on
      FROM person AS p LEFT JOIN fate USING (customer) OFFSET 0) AS c;

-- ---- orders -----------------------------------------------------------------------------------------------------

-- The first one, then a Poisson process up to the end, in two windows, before 2025 and in it: a number of orders, and
-- days at random. Who stays in 2025 has one at least.
CREATE TEMP TABLE bought AS
SELECT customer, draw,
       spend * (0.25 - 0.25 * ln(pg_temp.u(customer, draw, 'a')) - 0.5 * ln(pg_temp.u(customer, draw, 'b'))) AS amount,
       CASE draw WHEN 0 THEN first_on
            ELSE from_on + floor((until_on - from_on) * pg_temp.u(customer, draw, 'day'))::int END AS day
FROM (SELECT customer, spend, first_on, w.*, orders_a_year * (until_on - from_on) / 365.0::float8 AS expected,
             (first_draw = 400 AND left_on IS NULL AND first_on < '2025-01-01')::int AS least,
             pg_temp.normal(customer, 'orders' || first_draw) AS luck
      FROM fate, LATERAL (VALUES (1, first_on + 1, least(left_on, '2025-01-01')),
                                 (400, greatest(first_on + 1, '2025-01-01'), coalesce(left_on, '2026-01-01')))
                 AS w (first_draw, from_on, until_on) OFFSET 0) AS f,
     generate_series(CASE first_draw WHEN 1 THEN 0 ELSE first_draw END,
                     CASE WHEN until_on <= from_on THEN 0
                          ELSE first_draw - 1 + greatest(least, round(expected + sqrt(expected) * luck)::int) END)
         AS draw;

-- 3 % come back within two weeks, in part. A few amounts were never entered, and a few buyers nobody knows.
CREATE TABLE :"source".orders AS
SELECT pg_temp.id(customer) AS customer_id, pg_temp.moment(day, hashed, draw, 'second') AS ordered_at,
       amount::numeric(12, 2) AS amount, 'EUR' AS currency
FROM (SELECT customer, customer AS hashed, draw, day, amount FROM bought
      UNION ALL
      SELECT customer, customer, draw + 1, day + 2 + floor(12 * share)::int, -amount * (0.2 + 0.6 * share)
      FROM (SELECT *, pg_temp.u(customer, draw, 'comes back') / 0.03 AS share FROM bought OFFSET 0) AS b
      WHERE share < 1 AND day < '2025-12-15'
      UNION ALL
      SELECT customer, customer, draw + 2, day, NULL FROM bought WHERE pg_temp.u(customer, draw, 'not entered') < 0.0005
      UNION ALL
      SELECT NULL, customer, draw + 3, day, amount FROM bought WHERE pg_temp.u(customer, draw, 'unknown') < 0.0005) AS o
ORDER BY ordered_at;

-- ---- interactions and their scores ------------------------------------------------------------------------------

-- Contacts of 2024 and 2025, the last call of who leaves, questions of prospects.
CREATE TEMP TABLE called AS
SELECT customer, draw, day, CASE WHEN day < first_on + 60 THEN 'onboarding' ELSE 'ongoing' END AS stage, scored, years,
       resolution
FROM (SELECT customer, draw, day, first_on, scored, years, resolution FROM contact JOIN person USING (customer)
      UNION ALL
      SELECT customer, draw, from_on + floor((until_on - from_on) * pg_temp.u(customer, draw, 'at'))::int,
             first_on, scored, years, pg_temp.resolution(customer, draw, service)
      FROM (SELECT *, greatest(first_on, '2025-01-03') AS from_on, coalesce(left_on, '2026-01-01') AS until_on
            FROM fate OFFSET 0) AS f,
           generate_series(10, 9 + ceil(contacts * (until_on - from_on) / 365.0)::int) AS draw
      WHERE until_on > from_on) AS c
UNION ALL
SELECT customer, 20,
       greatest(left_on - 1 - floor(10 * pg_temp.u(customer, 20, 'at'))::int, first_on,
                CASE WHEN left_on < '2025-01-01' THEN date '2024-01-02' ELSE '2025-01-03' END),
       'cancellation', scored, years, 0.3 * pg_temp.u(customer, 20, 'resolution')
FROM fate WHERE left_on > '2024-01-12'
UNION ALL
SELECT customer, 30, first_on + 1, 'pre-sales', false, years, pg_temp.resolution(customer, 30, service)
FROM person WHERE prospect AND first_on > '2024-01-02';

-- Numbered in the order of time. One in a hundred is of a caller nobody knows, at the same second as another.
CREATE TEMP TABLE call AS
SELECT *, row_number() OVER (ORDER BY started_at, customer, draw) AS number
FROM (SELECT customer, customer AS hashed, draw, stage, scored, years, resolution,
             pg_temp.moment(day, customer, draw, 'minute') AS started_at,
             (ARRAY['chat', 'email', 'phone', 'chat', 'phone'])[1 + floor(5 * pg_temp.u(customer, draw, 'by'))::int]
                 AS channel,
             pg_temp.u(customer, draw, 'escalates') < 0.25 * (1 - resolution) AS escalated
      FROM called OFFSET 0) AS c;
INSERT INTO call
SELECT NULL, hashed, draw + 100, 'ongoing', scored, years, resolution, started_at, channel, escalated,
       number + 1000000000
FROM call WHERE pg_temp.u(customer, draw, 'nobody') < 0.01;

CREATE TABLE :"source".interactions AS
SELECT 'T' || number AS interaction_id, pg_temp.id(customer) AS customer_id, started_at, channel,
       CASE stage WHEN 'cancellation' THEN 'contract'
            ELSE (ARRAY['delivery', 'product', 'invoice', 'account'])[1 + floor(4 * pg_temp.u(hashed, draw, 'on'))::int]
       END AS topic,
       stage, CASE WHEN pg_temp.u(hashed, draw, 'closed') < 0.975 THEN resolution > 0.4 END AS resolved, escalated,
       (CASE channel WHEN 'chat' THEN 1.80 WHEN 'email' THEN 2.90 ELSE 5.40 END
        + CASE WHEN escalated THEN 6.50 ELSE 0 END
        + 2 * pg_temp.u(hashed, draw, 'minutes'))::numeric(12, 2) AS service_cost
FROM call ORDER BY started_at;

CREATE TABLE :"source".evaluations AS
SELECT 'T' || number AS interaction_id, started_at + interval '20 minutes' AS evaluated_at, name,
       round(e.score::numeric, 3)::float8 AS score, label
FROM (SELECT number, started_at, resolution, pg_temp.tone(hashed, draw, resolution) AS tone,
             0.3 + 0.12 * greatest(years, 0) + 0.25 * pg_temp.u(hashed, draw, 'quality') AS quality
      FROM call WHERE scored OFFSET 0) AS c,
     LATERAL (VALUES ('resolution', resolution, CASE WHEN resolution > 0.4 THEN 'resolved' ELSE 'unresolved' END),
                     ('quality', quality, NULL),
                     ('tone', tone, CASE WHEN tone < 0.35 THEN 'frustrated' WHEN tone < 0.6 THEN 'neutral'
                                         ELSE 'friendly' END)) AS e (name, score, label);

-- ---- the truth --------------------------------------------------------------------------------------------------

CREATE TABLE :"truth".truth AS
SELECT quantity, driver, avg(pg_temp.logistic(eta - weight * rise) - pg_temp.logistic(eta)) AS value, about
FROM (SELECT eta, least(1, resolution + 0.05) - resolution AS rise FROM outcome WHERE scored) AS o,
     (VALUES ('churn_change', 'resolution', 3.0, 'by +0.05 resolution, the tone it brings included'),
             ('churn_change_direct', 'resolution', 2.0, 'by +0.05 resolution, tone held still'),
             ('churn_change', 'tone', 2.0, 'by +0.05 tone, resolution held still'),
             ('churn_change', 'quality', 0.0, 'by +0.05 quality, which only goes with tenure'))
     AS d (quantity, driver, weight, about)
GROUP BY quantity, driver, about
UNION ALL
SELECT t.*
FROM (SELECT count(*) AS at_risk, count(*) FILTER (WHERE scored) AS scored, count(*) FILTER (WHERE n IS NULL) AS silent
      FROM outcome) AS o,
     (SELECT count(*) FILTER (WHERE left_on IS NOT NULL) AS leavers FROM fate WHERE at_risk) AS f,
     (SELECT sum(amount) AS spend, -sum(amount) FILTER (WHERE amount < 0) AS refunds
      FROM :"source".orders WHERE customer_id IS NOT NULL) AS s,
     (SELECT sum(service_cost) AS cost FROM :"source".interactions WHERE customer_id IS NOT NULL) AS i,
     LATERAL (VALUES ('customers', NULL, :customers::float8, 'prospects included'),
                     ('prospects', NULL, (SELECT count(*) FROM person WHERE prospect), 'without any order'),
                     ('at_risk', NULL, at_risk, 'customers at the landmark'),
                     ('left', NULL, leavers, 'of these, left in 2025'),
                     ('scored', NULL, scored, 'of these, with scores in 2024'),
                     ('without_contact', NULL, silent, 'of these, without a contact in 2024'),
                     ('spend', NULL, spend, 'orders of known customers, refunds taken off'),
                     ('refunds', NULL, refunds, 'of known customers'),
                     ('service_cost', NULL, cost, 'interactions of known customers')) AS t;

DROP TABLE person, contact, outcome, fate, bought, called, call;
DROP FUNCTION pg_temp.u, pg_temp.normal, pg_temp.logistic, pg_temp.id, pg_temp.moment, pg_temp.resolution, pg_temp.tone;
