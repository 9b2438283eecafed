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
-- interactions: (customer_id, at, resolved, score), as many as orders, in the order of time; one in ten is not scored.
-- documents: OTLP/JSON, one span for a hundred orders. A document has ten traces of ten spans; the ten traces of a
--   conversation are in ten documents. Two spans of each trace are evaluated, one of them as span event and as log record.
-- trace_span, trace_evaluation: what the readers find in documents.

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

SELECT setseed(0.2) \gset
CREATE UNLOGGED TABLE interactions AS
SELECT customer_id, at, CASE WHEN score IS NOT NULL THEN score >= 0.5 END AS resolved, score
FROM (SELECT 1 + floor(random() ^ 1.5 * :customers)::int AS customer_id,
             timestamptz '2023-01-01 00:00+00' + i * (interval '3 years' / :orders) AS at,
             CASE WHEN random() < 0.9 THEN round(random()::numeric, 2)::float8 END AS score
      FROM generate_series(1, :orders) AS i OFFSET 0) AS s;

-- Rows of regressions: ten regressors of which three have an effect, ten rows of a customer, a time to an event.
SELECT setseed(0.3) \gset
CREATE UNLOGGED TABLE response AS
SELECT i / 10 AS customer_id, y, y > 1 AS churned, x[1] AS x1, x[2] AS x2, x[3] AS x3, x[4] AS x4, x[5] AS x5, x[6] AS x6, x[7] AS x7,
       x[8] AS x8, x[9] AS x9, x[10] AS x10, -36 * ln(1 - random()) / exp(0.3 * x[1]) AS lifetime, 60 * random() AS observed
FROM (SELECT i, x, 0.5 * x[1] - 0.3 * x[2] + 0.001 * (x[3] - 2020) + 2 * random() AS y
      FROM (SELECT i, ARRAY[random(), random(), 2015 + floor(10 * random()), random(), random(), random(), random(), random(), random(), random()] AS x
            FROM generate_series(1, :customers) AS i OFFSET 0) AS x OFFSET 0) AS y;

-- Attributes and events as the OpenTelemetry SDKs export them.
CREATE FUNCTION pg_temp.attributes(VARIADIC pairs text[]) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_agg(jsonb_build_object('key', pairs[i], 'value', jsonb_build_object('stringValue', pairs[i + 1])) ORDER BY i)
    FROM generate_series(1, cardinality(pairs), 2) AS i
$$;
CREATE FUNCTION pg_temp.result(trace int, nanos bigint) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_build_object('timeUnixNano', nanos::text, 'attributes',
        pg_temp.attributes('gen_ai.evaluation.name', 'conversation_resolution', 'gen_ai.evaluation.score.label', 'resolved')
        || jsonb_build_object('key', 'gen_ai.evaluation.score.value', 'value', jsonb_build_object('doubleValue', trace % 11 / 10.0)))
$$;
CREATE FUNCTION pg_temp.span(trace int, n int) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_build_object('traceId', md5('trace ' || trace), 'spanId', left(md5(trace || ' ' || n), 16), 'name', 'turn ' || n, 'kind', 1,
               'startTimeUnixNano', (1767225600000000000 + trace * 1000000000::bigint)::text,
               'endTimeUnixNano', (1767225600500000000 + trace * 1000000000::bigint)::text,
               'attributes', pg_temp.attributes('gen_ai.operation.name', 'chat', 'gen_ai.request.model', 'm-1', 'gen_ai.response.id', 'r-' || trace || '-' || n)
                   || CASE WHEN n = 0 THEN pg_temp.attributes('session.id', 'conv-' || trace / 10) ELSE '[]' END
                   || CASE WHEN n = 0 AND trace % 4 > 0 THEN pg_temp.attributes('customer.id', 'C-' || trace / 10) ELSE '[]' END)
           || CASE WHEN n > 0 THEN jsonb_build_object('parentSpanId', left(md5(trace || ' ' || (n - 1) / 2), 16)) ELSE '{}' END
           || CASE WHEN n IN (5, 9) THEN jsonb_build_object('events', jsonb_build_array(
                  pg_temp.result(trace, 1767225600600000000 + trace * 1000000000::bigint) || '{"name": "gen_ai.evaluation.result"}')) ELSE '{}' END
$$;
CREATE UNLOGGED TABLE documents AS
SELECT jsonb_build_object('resourceSpans', jsonb_build_array(jsonb_build_object(
           'resource', jsonb_build_object('attributes', pg_temp.attributes('service.name', 'support')),
           'scopeSpans', jsonb_build_array(jsonb_build_object('scope', '{"name": "bench"}'::jsonb, 'spans', jsonb_agg(pg_temp.span(trace, n) ORDER BY trace, n)))))) AS document
FROM generate_series(0, :orders / 1000 - 1) AS trace, generate_series(0, 9) AS n
GROUP BY trace / 100, trace % 10
UNION ALL
SELECT jsonb_build_object('resourceLogs', jsonb_build_array(jsonb_build_object('scopeLogs', jsonb_build_array(jsonb_build_object('logRecords', jsonb_agg(
           pg_temp.result(trace, 1767225600700000000 + trace * 1000000000::bigint)
           || jsonb_build_object('eventName', 'gen_ai.evaluation.result', 'traceId', md5('trace ' || trace), 'spanId', left(md5(trace || ' 9'), 16))))))))
FROM generate_series(0, :orders / 1000 - 1) AS trace
GROUP BY trace / 10;
CREATE UNLOGGED TABLE trace_span AS SELECT s.* FROM documents, otlp_spans(document) AS s;
CREATE UNLOGGED TABLE trace_evaluation AS SELECT row_number() OVER () AS evaluation_id, e.* FROM documents, otlp_evaluations(document) AS e;

VACUUM (ANALYZE, FREEZE) folded;
VACUUM (ANALYZE, FREEZE) unfolded;
VACUUM (ANALYZE, FREEZE) described;
VACUUM (ANALYZE, FREEZE) history;
VACUUM (ANALYZE, FREEZE) scored;
VACUUM (ANALYZE, FREEZE) orders;
VACUUM (ANALYZE, FREEZE) interactions;
VACUUM (ANALYZE, FREEZE) response;
VACUUM (ANALYZE, FREEZE) documents;
VACUUM (ANALYZE, FREEZE) trace_span;
VACUUM (ANALYZE, FREEZE) trace_evaluation;
RESET work_mem;
