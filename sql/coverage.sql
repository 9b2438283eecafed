-- Copies of evaluation results, the customers of evaluations, and how many customers are evaluated.
\set VERBOSITY terse
CREATE SCHEMA coverage;
SET search_path = coverage, public;
SET timezone = 'UTC';
SET datestyle = 'ISO';

-- Relations with the columns of the readers ---------------------------------------------------------------------------
CREATE TABLE reader_evaluation (
    trace_id text, span_id text, parent_span_id text, target_trace_id text, target_span_id text, target_by text, session_id text,
    session_source text, customer_id text, customer_source text, name text, score float8, label text, labels text[], explanation text,
    annotator text, error text, scope text, evaluated_at timestamptz, evaluated_nanos bigint, started_at timestamptz, ended_at timestamptz,
    service text, simulated boolean, source text, response_id text);
CREATE TABLE reader_span (
    trace_id text, span_id text, parent_span_id text, name text, session_id text, session_source text, customer_id text,
    customer_source text, started_at timestamptz, ended_at timestamptz, service text);

-- The key of copies ---------------------------------------------------------------------------------------------------
SELECT n, evaluation_dedup_key(name, scope, trace, span, session, response, annotator)
FROM (VALUES (1, 'tone', 'span', 't1', 's1', 'conv', 'r1', NULL), (2, 'Tone', NULL, 't1', 's1', NULL, NULL, NULL),
             (3, 'ConversationResolution', 'session', 't1', 's1', 'conv', NULL, 'qa-7'), (4, 'conversation_resolution', 'trace', 't1', 's1', 'conv', NULL, NULL),
             (5, 'tone', 'span', NULL, NULL, NULL, 'r1', NULL), (6, 'tone', 'span', 't1', NULL, NULL, NULL, NULL), (7, 'tone', NULL, NULL, NULL, 'conv', NULL, NULL),
             (8, 'tone', 'span', 't1', NULL, 'conv', 'r1', NULL), (9, 'tone', 'session', 't1', 's1', NULL, NULL, NULL),
             (10, 'tone', 'span', NULL, 's1', NULL, NULL, 'qa-7'), (11, NULL, 'span', 't1', 's1', NULL, NULL, NULL), (12, '??', 'span', 't1', 's1', NULL, NULL, NULL))
     AS v (n, name, scope, trace, span, session, response, annotator) ORDER BY n;
-- no text in one place passes for two
SELECT evaluation_dedup_key('tone', 'session', NULL, NULL, 'a'' by ''b') = evaluation_dedup_key('tone', 'session', NULL, NULL, 'a', NULL, 'b') AS mixed_up;
SELECT evaluation_dedup_key('tone', 'span', 'a/b', 'c'), evaluation_dedup_key('tone', 'span', 'a', 'b/c'), evaluation_dedup_key('tone', 'trace', 'a #2', NULL),
       evaluation_dedup_key('tone', 'span', '', '\'), evaluation_dedup_key('tone', NULL, 'it''s', NULL), evaluation_dedup_key('tone', 'span', 'run_1.a:b-C', '7');
SELECT count(*) AS targets, count(DISTINCT evaluation_dedup_key('tone', 'span', trace, span, NULL, NULL, annotator)) AS keys
FROM (VALUES ('a'), ('a/b'), ('a/'), (''), ('''a'), ('a'''), ('''a'''), ('a'' by ''b'), ('a by b'), ('E''a'''), ('a\'), ('E''a\\''')) AS t (trace),
     (VALUES ('c'), ('b/c'), ('/c'), (''), ('''c'), ('c'''), ('''c'''), ('c'' by ''b'), ('c by ''b'''), ('E''c'''), ('c\'), ('E''c\\''')) AS s (span),
     (VALUES (NULL), ('b'), ('''b''')) AS a (annotator);

-- Copies --------------------------------------------------------------------------------------------------------------
-- the conversation of the golden files: three events on its first span; a tone, without a score, on its second; the log record
-- of the same tone, with score and customer; and a judgement of the session by a colleague, made on a span of its own
INSERT INTO reader_evaluation (trace_id, span_id, parent_span_id, target_trace_id, target_span_id, target_by, session_id, session_source,
    customer_id, customer_source, name, score, label, labels, explanation, annotator, scope, evaluated_at, evaluated_nanos, source, response_id)
VALUES ('5b8e', 'e173', NULL, '5b8e', 'e173', 'span', 'conv-42', 'span', 'C-1001', 'span', 'customer_agent_conversation_quality', 4, '4', '{4}', 'Clear and polite.', NULL, 'span', '2026-01-01 00:05:01', 1767225901000000000, 'event', NULL),
       ('5b8e', 'e173', NULL, '5b8e', 'e173', 'span', 'conv-42', 'span', 'C-1001', 'span', 'conversation_resolution', 0.85, NULL, NULL, NULL, NULL, 'span', '2026-01-01 00:05:01', 1767225901000000000, 'event', NULL),
       ('5b8e', 'e173', NULL, '5b8e', 'e173', 'span', 'conv-42', 'span', 'C-1001', 'span', 'customer_agent_context_retention', 92, NULL, NULL, NULL, NULL, 'span', '2026-01-01 00:05:01', 1767225901000000000, 'event', NULL),
       ('5b8e', 'e174', 'e173', '5b8e', 'e174', 'span', 'conv-42', 'ancestor', 'C-1001', 'ancestor', 'tone', NULL, 'annoyance', '{annoyance}', NULL, NULL, 'span', '2026-01-01 00:01:13', 1767225673000000000, 'event', 'chatcmpl-123'),
       ('5b8e', 'e174', NULL, '5b8e', 'e174', 'span', NULL, NULL, 'C-1001', 'event', 'Tone', 0, 'annoyance', '{annoyance}', NULL, NULL, 'span', '2026-01-01 00:01:13', 1767225673000000000, 'log', 'chatcmpl-123'),
       ('0af7', 'b7ad', NULL, '5b8e', 'e173', 'link', 'conv-42', 'span', 'C-1001', 'link', 'conversation_resolution', 1, 'resolved', '{resolved}', NULL, 'qa-7', 'session', '2026-01-01 01:00:01', 1767229201000000000, 'evaluations', NULL);
CREATE TABLE evaluation AS SELECT * FROM deduplicate_evaluations('reader_evaluation');
SELECT evaluation_id, score, label, customer_id, customer_source, sources, copies FROM evaluation ORDER BY evaluated_nanos, evaluation_id;
-- nothing of either copy is lost
SELECT trace_id, span_id, parent_span_id, target_trace_id, target_span_id, target_by, session_id, session_source, name, labels, scope, evaluated_at, evaluated_nanos,
       source, response_id, explanation, started_at, simulated
FROM evaluation WHERE copies = 2 \gx
-- sent twice
INSERT INTO reader_evaluation SELECT * FROM reader_evaluation;
SELECT count(*) AS results, sum(copies) AS copies FROM deduplicate_evaluations('reader_evaluation');
SELECT evaluation_id, score, label, customer_id, customer_source FROM deduplicate_evaluations('reader_evaluation')
EXCEPT SELECT evaluation_id, score, label, customer_id, customer_source FROM evaluation;

-- One span each. a: judged twice, as event and as log record; b: event and log contradict each other, c: their labels do; d: failed, then judged again,
-- one source; e: failed in one source only; f: a label in one copy, a score in the other, an explanation in the third; g: different names of the evaluator;
-- h: two annotators; i: the log's own customer, not the ancestor's; without a span: no id at all, and equal
TRUNCATE reader_evaluation;
INSERT INTO reader_evaluation (span_id, name, score, label, error, annotator, evaluated_nanos, source, customer_id, customer_source, explanation, trace_id)
SELECT *, CASE WHEN span IS NOT NULL THEN 't' END
FROM (VALUES ('a', 'quality', 3, NULL, NULL, NULL, 10, 'event', 'C-1', 'span', NULL), ('a', 'quality', 3, NULL, NULL, NULL, 12, 'log', NULL, NULL, NULL),
             ('a', 'quality', 5, NULL, NULL, NULL, 20, 'event', 'C-1', 'span', NULL), ('a', 'quality', 5, NULL, NULL, NULL, 22, 'log', NULL, NULL, NULL),
             ('b', 'quality', 3, NULL, NULL, NULL, 10, 'event', NULL, NULL, NULL), ('b', 'quality', 4, NULL, NULL, NULL, 10, 'log', NULL, NULL, NULL),
             ('c', 'quality', NULL, 'good', NULL, NULL, 10, 'event', NULL, NULL, NULL), ('c', 'quality', NULL, 'bad', NULL, NULL, 10, 'log', NULL, NULL, NULL),
             ('d', 'quality', NULL, NULL, 'timeout', NULL, 10, 'event', NULL, NULL, NULL), ('d', 'quality', 5, NULL, NULL, NULL, 20, 'event', NULL, NULL, NULL),
             ('e', 'quality', NULL, NULL, 'timeout', NULL, 10, 'event', NULL, NULL, NULL), ('e', 'quality', 5, NULL, NULL, NULL, 10, 'log', NULL, NULL, NULL),
             ('f', 'quality', NULL, 'good', NULL, NULL, 10, 'log', NULL, NULL, NULL), ('f', 'quality', 5, NULL, NULL, NULL, 10, 'attributes', 'C-6', 'trace', NULL), ('f', 'quality', NULL, NULL, NULL, NULL, 10, 'event', NULL, 'ambiguous', 'because'),
             ('g', 'ToneOfVoice', 0, NULL, NULL, NULL, 10, 'event', NULL, NULL, NULL), ('g', 'tone_of_voice', 0, NULL, NULL, NULL, 10, 'log', NULL, 'ambiguous', NULL),
             ('h', 'quality', 1, NULL, NULL, 'ann', 10, 'annotations', NULL, NULL, NULL), ('h', 'quality', 1, NULL, NULL, 'bob', 10, 'annotations', NULL, NULL, NULL),
             ('i', 'quality', 1, NULL, NULL, NULL, 10, 'event', 'C-8', 'ancestor', NULL), ('i', 'quality', NULL, NULL, NULL, NULL, 10, 'log', 'C-9', 'event', NULL),
             (NULL, 'quality', 1, NULL, NULL, NULL, NULL, 'event', NULL, NULL, NULL), (NULL, 'quality', 1, NULL, NULL, NULL, NULL, 'event', NULL, NULL, NULL))
     AS v (span, name, score, label, error, annotator, nanos, source, customer, customer_source, explanation);
SELECT evaluation_id, score, label, error, explanation, customer_id, customer_source, source, sources, copies
FROM deduplicate_evaluations('reader_evaluation') ORDER BY evaluation_id COLLATE "C";
-- in any order of the rows, and through a view whose columns have other types
CREATE TABLE expected AS SELECT * FROM deduplicate_evaluations('reader_evaluation');
CREATE TABLE shuffled AS SELECT * FROM reader_evaluation ORDER BY md5(reader_evaluation::text);
CREATE VIEW other_types AS SELECT 1 AS more, name::varchar(100) AS name, score::numeric AS score, evaluated_nanos::numeric AS evaluated_nanos, trace_id, span_id,
    parent_span_id, target_trace_id, target_span_id, target_by, session_id, session_source, customer_id, customer_source, label, labels, explanation, annotator,
    error, scope, evaluated_at::timestamp AS evaluated_at, started_at, ended_at, service, simulated, source, response_id
FROM shuffled;
SELECT count(*) AS rows, (SELECT count(*) FROM (SELECT * FROM deduplicate_evaluations('shuffled') EXCEPT ALL SELECT * FROM expected) AS x) AS shuffled,
       (SELECT count(*) FROM (SELECT * FROM deduplicate_evaluations('other_types') EXCEPT ALL SELECT * FROM expected) AS x) AS other_types FROM expected;
-- Customers and marks of copies. a, b: simulated, says one of them; c: neither; d: two nearest customers; e: two customers, one of them nearer; f: two, in a
-- document that came twice; g: two, of places that have no rank; h: two, one of them nearer and twice; i: alike but for the session; j: failed in two ways
CREATE TABLE twofold (LIKE reader_evaluation);
INSERT INTO twofold (trace_id, name, evaluated_nanos, span_id, source, score, simulated, customer_id, customer_source, label, session_id, error)
SELECT 't', 'quality', 10, *
FROM (VALUES ('a', 'event', 3, true, NULL, NULL, NULL, NULL, NULL), ('a', 'log', 3, false, NULL, NULL, NULL, NULL, NULL),
             ('b', 'event', 3, false, NULL, NULL, NULL, NULL, NULL), ('b', 'log', 3, true, NULL, NULL, NULL, NULL, NULL), ('b', 'attributes', 3, NULL, NULL, NULL, NULL, NULL, NULL),
             ('c', 'event', 3, NULL, NULL, NULL, NULL, NULL, NULL), ('c', 'log', 3, false, NULL, NULL, NULL, NULL, NULL),
             ('d', 'event', 3, NULL, 'C-1', 'span', NULL, NULL, NULL), ('d', 'log', 3, NULL, 'C-2', 'span', NULL, NULL, NULL), ('d', 'attributes', 3, NULL, 'C-1', 'trace', NULL, NULL, NULL),
             ('e', 'event', 3, NULL, 'C-1', 'span', NULL, NULL, NULL), ('e', 'log', 3, NULL, 'C-2', 'ancestor', NULL, NULL, NULL), ('e', 'attributes', 3, NULL, 'C-3', 'ancestor', NULL, NULL, NULL),
             ('f', 'event', 3, NULL, 'C-1', 'event', NULL, NULL, NULL), ('f', 'event', 3, NULL, 'C-2', 'event', NULL, NULL, NULL),
             ('g', 'event', 3, NULL, 'C-1', NULL, NULL, NULL, NULL), ('g', 'log', 3, NULL, 'C-2', 'by hand', NULL, NULL, NULL),
             ('h', 'event', 3, NULL, 'C-1', 'session', NULL, NULL, NULL), ('h', 'log', 3, NULL, 'C-2', 'trace', NULL, NULL, NULL), ('h', 'attributes', 3, NULL, 'C-2', 'trace', NULL, NULL, NULL),
             ('i', 'event', 3, NULL, NULL, NULL, NULL, 's-2', NULL), ('i', 'event', 3, NULL, NULL, NULL, NULL, 's-1', NULL),
             ('j', 'event', NULL, NULL, NULL, NULL, NULL, NULL, 'timeout'), ('j', 'event', NULL, NULL, NULL, NULL, NULL, NULL, 'refused'))
     AS v (span, source, score, simulated, customer, customer_source, label, session, error);
SELECT evaluation_id, simulated, customer_id, customer_source, session_id, error, copies FROM deduplicate_evaluations('twofold') ORDER BY evaluation_id COLLATE "C";
-- in either order of the rows, where nothing but the rest of the row decides
CREATE TABLE forwards AS SELECT * FROM twofold WHERE span_id IN ('f', 'i', 'j') ORDER BY span_id, customer_id, session_id, error;
CREATE TABLE backwards AS SELECT * FROM twofold WHERE span_id IN ('f', 'i', 'j') ORDER BY span_id, customer_id DESC, session_id DESC, error DESC;
SELECT count(*) AS rows, (SELECT count(*) FROM (SELECT * FROM deduplicate_evaluations('backwards') EXCEPT ALL SELECT * FROM deduplicate_evaluations('forwards')) AS x) AS others
FROM deduplicate_evaluations('forwards');
-- a source that knows no nanoseconds: the same score three times, the second of them sent twice
CREATE VIEW no_nanos AS
SELECT e.trace_id, e.span_id, e.name, e.score, e.source, timestamptz '2026-01-01' + hour * interval '1 hour' AS evaluated_at, NULL AS evaluated_nanos,
    parent_span_id, target_trace_id, target_span_id, target_by, session_id, session_source, customer_id, customer_source, label, labels, explanation, annotator,
    error, scope, started_at, ended_at, service, simulated, response_id
FROM twofold AS e, unnest(ARRAY[3, 2, 1, 2]) AS hour WHERE span_id = 'c' AND source = 'log';
SELECT evaluation_id, evaluated_at, copies FROM deduplicate_evaluations('no_nanos') ORDER BY evaluated_at;
-- where a copy is missing, the others still find each other: by time (a); by score where the times differ (b), and a third source joins (c); by time though the
-- scores are in no order (d); a time in common, but another score (e); by order, where nothing else tells (f)
CREATE TABLE missing_copy (LIKE reader_evaluation);
INSERT INTO missing_copy (trace_id, name, span_id, source, evaluated_nanos, score, label)
SELECT 't', 'quality', *
FROM (VALUES ('a', 'event', 1000, 1, NULL), ('a', 'event', 2000, 1, NULL), ('a', 'event', 3000, 0.5, NULL), ('a', 'log', 2000, 1, NULL), ('a', 'log', 3000, 0.5, NULL),
             ('b', 'event', 1000, 1, NULL), ('b', 'event', 2000, 0, NULL), ('b', 'log', 2001, 0, NULL),
             ('c', 'attributes', 4000, 0, NULL), ('c', 'event', 1000, 1, NULL), ('c', 'event', 2000, 0, NULL), ('c', 'log', 2000, 0, NULL),
             ('d', 'event', 1000, 1, NULL), ('d', 'event', 1000, 2, NULL), ('d', 'log', 1000, 2, NULL), ('d', 'log', 1000, 3, NULL),
             ('e', 'event', 1000, 1, NULL), ('e', 'event', 2000, 2, NULL), ('e', 'log', 1000, 2, NULL),
             ('f', 'event', 1000, NULL, 'good'), ('f', 'event', 2000, NULL, 'bad'), ('f', 'log', 1001, 0.9, NULL), ('f', 'log', 2001, 0.1, NULL))
     AS v (span, source, nanos, score, label);
SELECT evaluation_id, evaluated_nanos, score, label, sources, copies FROM deduplicate_evaluations('missing_copy') ORDER BY evaluation_id COLLATE "C";
-- a list of labels is the same list however it is written (a), another list is another (b); a label is a list of one (c)
CREATE TABLE list_label (LIKE reader_evaluation);
INSERT INTO list_label (trace_id, name, evaluated_nanos, span_id, source, label, labels)
SELECT 't', 'emotion', 10, *
FROM (VALUES ('a', 'event', '["joy", "love"]', '{joy,love}'::text[]), ('a', 'log', '["joy","love"]', '{joy,love}'), ('b', 'event', '["joy"]', '{joy}'), ('b', 'log', '["joy","love"]', '{joy,love}'),
             ('c', 'event', '["joy"]', '{joy}'), ('c', 'log', 'joy', NULL)) AS v (span, source, label, labels);
SELECT evaluation_id, label, labels, copies FROM deduplicate_evaluations('list_label') ORDER BY evaluation_id COLLATE "C";
-- once more: nothing is left to merge
SELECT count(*) AS rows, max(copies) AS copies FROM deduplicate_evaluations('expected');
SELECT count(*) FROM deduplicate_evaluations(NULL);
\set VERBOSITY default
\set SHOW_CONTEXT never
SELECT count(*) FROM deduplicate_evaluations('reader_span');
\set VERBOSITY terse

-- The nearest that is known -------------------------------------------------------------------------------------------
-- 1 <- 2 <- 3 <- 4 with 1, with 1 and 3, with nobody known; 1 -> 2 -> 3 -> 4
SELECT clv_nearest_known('{NULL,1,2,3}', '{t,f,f,f}'), clv_nearest_known('{NULL,1,2,3}', '{t,f,t,f}'), clv_nearest_known('{NULL,1,2,3}', '{f,f,f,f}'),
       clv_nearest_known('{2,3,4,NULL}', '{f,f,t,t}');
-- cycles: of one; of three, with one below; the same with 2 known; parents there are not; nothing
SELECT clv_nearest_known('{1}', '{f}'), clv_nearest_known('{3,1,2,1}', '{f,f,f,f}'), clv_nearest_known('{3,1,2,1}', '{f,t,f,f}'), clv_nearest_known('{7,-1}', '{f,f}'), clv_nearest_known('{}', '{}');
-- random forests with cycles, by a recursive query
SELECT setseed(0.5) \gset
WITH RECURSIVE node AS MATERIALIZED (
    SELECT forest, i, CASE WHEN random() < 0.9 THEN 1 + floor(20 * random())::int END AS parent, random() < 0.2 AS known
    FROM generate_series(1, 100) AS forest, generate_series(1, 20) AS i
), walk AS (
    SELECT forest, i, i AS here, 0 AS steps FROM node
    UNION ALL
    SELECT w.forest, w.i, n.parent, steps + 1 FROM walk AS w JOIN node AS n ON n.forest = w.forest AND n.i = w.here
    WHERE NOT n.known AND n.parent IS NOT NULL AND steps < 20
), found AS (
    SELECT w.forest, w.i, coalesce(max(w.here) FILTER (WHERE n.known), 0) AS nearest
    FROM walk AS w JOIN node AS n ON n.forest = w.forest AND n.i = w.here GROUP BY w.forest, w.i
)
SELECT count(*) AS forests, count(*) FILTER (WHERE e.nearest = clv_nearest_known(parents, known)) AS equal
FROM (SELECT forest, array_agg(nearest ORDER BY i) AS nearest FROM found GROUP BY forest) AS e
JOIN (SELECT forest, array_agg(parent ORDER BY i) AS parents, array_agg(known ORDER BY i) AS known FROM node GROUP BY forest) AS f USING (forest);

-- Customers -----------------------------------------------------------------------------------------------------------
-- Trace a: a1 (C-1) <- a2 <- a3 <- a4 (C-2) <- a5. Trace b: b2 below a span that is lost, C-3 on b3. Trace c: two customers, c3 knows none. Traces d, e: session
-- s-d, C-4 in d only. Traces f, g, h: session s-f, two customers. Trace i: nobody knows. Trace j: a cycle of j1, j2, j3, and C-5 below it.
-- Trace k: k1 twice, with different customers. Trace l: C-7 is the resource's. Traces m, n: n judges m. Traces o, p: o is of two sessions, p of one of them.
INSERT INTO reader_span (trace_id, span_id, parent_span_id, session_id, customer_id, customer_source) VALUES
    ('a', 'a1', NULL, NULL, 'C-1', 'span'), ('a', 'a2', 'a1', NULL, 'C-1', 'ancestor'), ('a', 'a3', 'a2', NULL, NULL, NULL), ('a', 'a4', 'a3', NULL, 'C-2', 'span'), ('a', 'a5', 'a4', NULL, NULL, NULL),
    ('b', 'b1', NULL, 's-b', NULL, NULL), ('b', 'b2', 'lost', NULL, NULL, NULL), ('b', 'b3', 'b1', NULL, 'C-3', NULL),
    ('c', 'c1', NULL, 's-c', 'C-1', 'span'), ('c', 'c2', NULL, NULL, 'C-2', 'span'), ('c', 'c3', NULL, NULL, NULL, NULL),
    ('d', 'd1', NULL, 's-d', NULL, NULL), ('d', 'd2', 'd1', 's-d', 'C-4', 'span'), ('e', 'e1', NULL, 's-d', NULL, NULL), ('e', 'e2', 'e1', NULL, NULL, NULL),
    ('f', 'f1', NULL, 's-f', NULL, NULL), ('g', 'g1', NULL, 's-f', 'C-1', 'span'), ('h', 'h1', NULL, 's-f', 'C-2', 'span'),
    ('i', 'i1', NULL, NULL, NULL, NULL),
    ('j', 'j1', 'j3', NULL, NULL, NULL), ('j', 'j2', 'j1', NULL, NULL, NULL), ('j', 'j3', 'j2', NULL, NULL, NULL), ('j', 'j4', 'j1', NULL, 'C-5', 'span'),
    ('k', 'k1', NULL, NULL, 'C-5', 'span'), ('k', 'k1', NULL, NULL, 'C-6', 'span'), ('k', 'k2', 'k1', NULL, NULL, NULL),
    ('l', 'l1', NULL, NULL, 'C-7', 'resource'),
    ('m', 'm1', NULL, NULL, 'C-1', 'span'), ('m', 'm2', 'm1', NULL, NULL, NULL), ('m', 'm3', NULL, NULL, NULL, NULL), ('n', 'n1', NULL, NULL, 'C-8', 'span'), ('n', 'n2', 'n1', NULL, NULL, NULL),
    ('o', 'o1', NULL, 's-o1', 'C-1', 'span'), ('o', 'o2', NULL, 's-o2', 'C-2', 'span'), ('p', 'p1', NULL, 's-o1', NULL, NULL);
CREATE TABLE asked (id int GENERATED ALWAYS AS IDENTITY, expected text, LIKE reader_evaluation);
INSERT INTO asked (expected, trace_id, span_id, target_trace_id, target_span_id, target_by, session_id, customer_id, customer_source) VALUES
    ('event C-9', 'a', 'a4', NULL, NULL, NULL, NULL, 'C-9', 'event'), ('span C-2', 'a', 'a4', 'a', 'a4', 'span', NULL, 'C-2', 'span'), ('ancestor C-2', 'a', 'a5', NULL, NULL, NULL, NULL, NULL, NULL),
    ('ancestor C-1', 'a', 'a3', 'a', 'a3', 'span', NULL, NULL, NULL), ('trace C-3', 'b', 'b2', NULL, NULL, NULL, NULL, NULL, NULL), ('trace C-3', 'b', NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    ('ambiguous', 'c', 'c3', NULL, NULL, NULL, 's-d', NULL, NULL), ('session C-4', 'e', 'e2', NULL, NULL, NULL, NULL, NULL, NULL), ('session C-4', NULL, NULL, NULL, NULL, NULL, 's-d', NULL, NULL),
    ('session C-4', 'i', 'i1', NULL, NULL, NULL, 's-d', NULL, NULL), ('ambiguous', 'f', 'f1', NULL, NULL, NULL, NULL, NULL, NULL), ('trace C-5', 'j', 'j2', NULL, NULL, NULL, NULL, NULL, NULL),
    ('ambiguous', 'k', 'k1', NULL, NULL, NULL, NULL, NULL, NULL), ('ambiguous', 'k', 'k2', NULL, NULL, NULL, NULL, NULL, NULL), ('resource C-7', 'l', 'l1', NULL, NULL, NULL, NULL, NULL, NULL),
    ('link C-1', 'n', 'n2', 'm', 'm2', 'link', NULL, NULL, NULL), ('link C-1', 'n', 'n2', 'm', 'm3', 'attribute', NULL, NULL, NULL), ('span C-8', 'n', 'n1', 'm', 'm2', 'link', NULL, NULL, NULL),
    ('ancestor C-8', 'n', 'n2', 'q', 'q1', 'link', NULL, NULL, NULL), ('ancestor C-8', 'n', 'n2', 'n', 'n1', 'parent', NULL, NULL, NULL), ('session C-1', 'p', 'p1', NULL, NULL, NULL, NULL, NULL, NULL),
    ('unknown', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), ('unknown', 'lost', 'lost', NULL, NULL, NULL, NULL, NULL, NULL), ('unknown', 'q', 'q1', NULL, NULL, NULL, 's-none', NULL, NULL),
    -- only the reader knows: these spans were not kept
    ('trace C-1', 'gone', 'x1', NULL, NULL, NULL, NULL, 'C-1', 'trace'), ('ancestor C-1', 'gone2', 'x1', NULL, NULL, NULL, NULL, 'C-1', 'ancestor'), ('link C-1', 'gone3', 'x1', 'gone4', 'x', 'link', NULL, 'C-1', 'link'),
    ('session C-1', 'gone5', 'x1', NULL, NULL, NULL, 's-gone', 'C-1', 'session'), ('resource C-1', 'gone6', 'x1', NULL, NULL, NULL, NULL, 'C-1', 'resource'), ('ambiguous', 'gone7', 'x1', NULL, NULL, NULL, NULL, NULL, 'ambiguous'),
    ('by hand C-1', 'r', 'r1', NULL, NULL, NULL, NULL, 'C-1', 'by hand'), ('event C-1', 'gone8', NULL, NULL, NULL, NULL, NULL, 'C-1', NULL),
    -- what it knows of a trace or session is known to other results as well
    ('trace C-1', 'gone', 'x2', NULL, NULL, NULL, NULL, NULL, NULL), ('trace C-1', 'gone8', 'x2', NULL, NULL, NULL, NULL, NULL, NULL), ('session C-1', 'gone9', 'x1', NULL, NULL, NULL, 's-gone', NULL, NULL),
    -- other documents know a nearer place than the reader found, and more customers
    ('ancestor C-2', 'a', 'a5', NULL, NULL, NULL, NULL, 'C-1', 'trace'), ('trace C-5', 'j', 'j3', NULL, NULL, NULL, NULL, 'C-1', 'resource'), ('ambiguous', 'c', 'c3', NULL, NULL, NULL, NULL, 'C-1', 'trace');
SELECT a.id, expected, r.customer_source, r.customer_id, r.candidates, expected = concat_ws(' ', r.customer_source, r.customer_id) AS right
FROM asked AS a LEFT JOIN resolve_customers('reader_span', 'asked', 'id') AS r ON r.evaluation_id = a.id::text ORDER BY a.id;
-- the order of the rows makes no difference
CREATE TABLE mixed AS SELECT * FROM reader_span ORDER BY md5(reader_span::text);
SELECT * FROM resolve_customers('reader_span', 'asked', 'id') EXCEPT SELECT * FROM resolve_customers('mixed', 'asked', 'id');
-- random spans with cycles, by a recursive query
CREATE TABLE random_span AS
SELECT 't' || i / 20 AS trace_id, 's' || i AS span_id, CASE WHEN random() < 0.9 THEN 's' || i / 20 * 20 + floor(20 * random()) END AS parent_span_id, NULL::text AS session_id, NULL::text AS session_source,
       CASE WHEN random() < 0.1 THEN 'C-' || floor(5 * random()) END AS customer_id, 'span'::text AS customer_source
FROM generate_series(0, 1999) AS i;
CREATE VIEW random_asked AS
SELECT span_id AS evaluation_id, trace_id, span_id, NULL AS target_trace_id, NULL AS target_span_id, NULL AS target_by, NULL AS session_id, NULL AS customer_id, NULL AS customer_source FROM random_span;
WITH RECURSIVE walk AS (
    SELECT span_id, span_id AS here, 0 AS steps FROM random_span
    UNION ALL
    SELECT w.span_id, s.parent_span_id, steps + 1 FROM walk AS w JOIN random_span AS s ON s.span_id = w.here
    WHERE s.customer_id IS NULL AND s.parent_span_id IS NOT NULL AND steps < 20
), found AS (
    SELECT w.span_id, max(s.customer_id) AS customer_id, max(steps) AS steps FROM walk AS w JOIN random_span AS s ON s.span_id = w.here GROUP BY w.span_id
), of_trace AS (
    SELECT trace_id, count(DISTINCT customer_id)::int AS n, max(customer_id) AS customer_id FROM random_span GROUP BY trace_id
), expected AS (
    SELECT span_id, coalesce(f.customer_id, CASE WHEN n = 1 THEN t.customer_id END) AS customer_id,
           CASE WHEN f.customer_id IS NULL THEN (ARRAY['unknown', 'trace', 'ambiguous'])[1 + least(n, 2)] WHEN steps = 0 THEN 'span' ELSE 'ancestor' END AS customer_source,
           CASE WHEN f.customer_id IS NULL THEN n ELSE 1 END AS candidates
    FROM random_span JOIN found AS f USING (span_id) JOIN of_trace AS t USING (trace_id)
)
SELECT r.customer_source, count(*), count(*) FILTER (WHERE r IS NOT DISTINCT FROM e) AS right
FROM resolve_customers('random_span', 'random_asked') AS r JOIN expected AS e ON e.span_id = r.evaluation_id GROUP BY 1 ORDER BY 1;
-- whole documents: what the reader finds in one, and what is found in the rows of it. Up to 8 spans in 3 traces and 2 resources, evaluators that link to any
-- of them, results that name any of them; customers and sessions on spans and resources
CREATE FUNCTION chance(variadic what text[]) RETURNS float8 LANGUAGE sql IMMUTABLE
    RETURN (('x' || left(md5(array_to_string(what, ' ')), 8))::bit(32)::bigint + 0.5) / 4294967296;
CREATE FUNCTION attribute(key text, value text) RETURNS jsonb LANGUAGE sql IMMUTABLE
    RETURN jsonb_build_object('key', key, 'value', jsonb_build_object('stringValue', value));
CREATE TABLE drawn_span AS
SELECT d, i, i % 2 AS resource, lpad(to_hex(16 * d + trunc(3 * chance('4', d::text, i::text, 'trace'))::int), 32, '0') AS trace_id, lpad(to_hex(i), 16, '0') AS span_id
FROM generate_series(1, 200) AS d, LATERAL generate_series(1, 1 + trunc(8 * chance('4', d::text, 'spans'))::int) AS i;
CREATE TABLE whole_document AS
SELECT d, jsonb_build_object('resourceSpans', jsonb_agg(jsonb_build_object('resource', jsonb_build_object('attributes', about), 'scopeSpans',
              jsonb_build_array(jsonb_build_object('spans', spans))) ORDER BY resource)) AS document
FROM (SELECT d, resource,
             CASE WHEN chance('4', d::text, resource::text, 'R') < 0.2 THEN jsonb_build_array(attribute('customer.id', 'R-' || resource)) ELSE '[]' END ||
             CASE WHEN chance('4', d::text, resource::text, 'RS') < 0.2 THEN jsonb_build_array(attribute('session.id', 's-' || resource)) ELSE '[]' END AS about,
             jsonb_agg(jsonb_strip_nulls(jsonb_build_object('traceId', s.trace_id, 'spanId', s.span_id,
                 'parentSpanId', CASE WHEN chance('4', d::text, i::text, 'child') < 0.7 THEN p.span_id END,
                 'links', CASE WHEN kind = 'EVALUATOR' AND chance('4', d::text, i::text, 'linked') < 0.6
                     THEN jsonb_build_array(jsonb_build_object('traceId', l.trace_id, 'spanId', l.span_id)) ||
                          CASE WHEN chance('4', d::text, i::text, 'linked twice') < 0.2 THEN jsonb_build_array(jsonb_build_object('traceId', l2.trace_id, 'spanId', l2.span_id)) ELSE '[]' END END,
                 'attributes', CASE WHEN kind IS NOT NULL THEN jsonb_build_array(attribute('openinference.span.kind', kind)) ELSE '[]' END ||
                     CASE WHEN chance('4', d::text, i::text, 'C') < 0.3 THEN jsonb_build_array(attribute('customer.id', 'C-' || trunc(2 * chance('4', d::text, i::text, 'which C')))) ELSE '[]' END ||
                     CASE WHEN chance('4', d::text, i::text, 'S') < 0.3 THEN jsonb_build_array(attribute('session.id', 's-' || trunc(2 * chance('4', d::text, i::text, 'which S')))) ELSE '[]' END,
                 'events', jsonb_build_array(jsonb_build_object('name', 'gen_ai.evaluation.result', 'attributes',
                     jsonb_build_array(attribute('gen_ai.evaluation.name', 'q'), attribute('gen_ai.evaluation.score.value', '1')) ||
                     CASE WHEN kind IS DISTINCT FROM 'EVALUATOR' AND chance('4', d::text, i::text, 'target') < 0.15 THEN jsonb_build_array(attribute('gen_ai.evaluation.target_span_id', t.span_id)) ELSE '[]' END)))) ORDER BY i) AS spans
      FROM (SELECT *, CASE WHEN chance('4', d::text, i::text, 'kind') < 0.3 THEN 'EVALUATOR' WHEN chance('4', d::text, i::text, 'kind') < 0.5 THEN 'LLM' END AS kind FROM drawn_span) AS s
      CROSS JOIN LATERAL (SELECT span_id FROM drawn_span AS o WHERE (o.d, o.trace_id) = (s.d, s.trace_id) ORDER BY chance('4', d::text, s.i::text, o.i::text, 'parent') LIMIT 1) AS p
      CROSS JOIN LATERAL (SELECT trace_id, span_id FROM drawn_span AS o WHERE o.d = s.d ORDER BY chance('4', d::text, s.i::text, o.i::text, 'link') LIMIT 1) AS l
      CROSS JOIN LATERAL (SELECT trace_id, span_id FROM drawn_span AS o WHERE o.d = s.d ORDER BY chance('4', d::text, s.i::text, o.i::text, 'link 2') LIMIT 1) AS l2
      CROSS JOIN LATERAL (SELECT span_id FROM drawn_span AS o WHERE o.d = s.d ORDER BY chance('4', d::text, s.i::text, o.i::text, 'target') LIMIT 1) AS t
      GROUP BY d, resource) AS r
GROUP BY d;
CREATE TABLE whole_span AS SELECT d, trace_id, span_id, parent_span_id, d || session_id AS session_id, session_source, customer_id, customer_source FROM whole_document, otlp_spans(document);
CREATE TABLE whole_evaluation AS SELECT d, d || '/' || row_number() OVER (PARTITION BY d) AS evaluation_id, trace_id, span_id, target_trace_id, target_span_id, target_by, d || session_id AS session_id, session_source, customer_id, customer_source
FROM whole_document, otlp_evaluations(document);
SELECT e.customer_source AS reader, r.customer_source, count(*), count(*) FILTER (WHERE e.target_by <> 'span') AS about_others
FROM whole_evaluation AS e JOIN resolve_customers('whole_span', 'whole_evaluation') AS r USING (evaluation_id) GROUP BY 1, 2 ORDER BY 1, 2;
SELECT e.evaluation_id, e.customer_id, e.customer_source, r.customer_id, r.customer_source
FROM whole_evaluation AS e JOIN resolve_customers('whole_span', 'whole_evaluation') AS r USING (evaluation_id)
WHERE (e.customer_id, coalesce(e.customer_source, 'unknown')) IS DISTINCT FROM (r.customer_id, r.customer_source);
-- a job in trace u (C-1) judges v1 (nobody) by link, and one of several spans; w1 knows its resource, w2 is of another; x1 came with two resources
CREATE TABLE judged_span (LIKE reader_span);
INSERT INTO judged_span (trace_id, span_id, session_id, session_source, customer_id, customer_source) VALUES
    ('u', 'u1', 's-u', 'span', 'C-1', 'span'), ('u', 'u2', NULL, NULL, NULL, NULL), ('u', 'u3', 's-u', 'span', 'C-2', 'span'), ('v', 'v1', NULL, NULL, NULL, NULL),
    ('w', 'w1', NULL, NULL, 'R-1', 'resource'), ('w', 'w2', NULL, NULL, NULL, NULL), ('x', 'x1', NULL, NULL, 'R-1', 'resource'), ('x', 'x1', NULL, NULL, 'R-2', 'resource');
CREATE TABLE judged (evaluation_id text, expected text, trace_id text, span_id text, target_trace_id text, target_span_id text, target_by text, session_id text,
    customer_id text, customer_source text);
INSERT INTO judged VALUES
    ('1', 'unknown', 'u', 'u2', 'v', 'v1', 'link', NULL, NULL, NULL), ('2', 'unknown', 'u', 'u2', NULL, NULL, 'ambiguous', NULL, NULL, NULL),
    ('3', 'ambiguous', 'u', 'u2', NULL, NULL, 'ambiguous', NULL, NULL, 'ambiguous'), ('4', 'span C-2', 'u', 'u3', 'v', 'v1', 'link', 's-u', 'C-2', 'span'),
    ('5', 'trace C-1', 'u', 'u4', 'u', 'u4', 'span', NULL, NULL, NULL), ('6', 'unknown', 'v', 'v1', 'v', 'v1', 'span', NULL, NULL, NULL),
    ('7', 'resource R-1', 'w', 'w1', 'w', 'w1', 'span', NULL, NULL, NULL), ('8', 'unknown', 'w', 'w2', 'w', 'w2', 'span', NULL, NULL, NULL),
    ('9', 'ambiguous', 'x', 'x1', 'x', 'x1', 'span', NULL, NULL, NULL), ('10', 'resource R-2', 'x', 'x1', 'x', 'x1', 'span', NULL, 'R-2', 'resource');
SELECT e.evaluation_id, expected, concat_ws(' ', r.customer_source, r.customer_id) AS found
FROM judged AS e JOIN resolve_customers('judged_span', 'judged') AS r USING (evaluation_id)
WHERE expected <> concat_ws(' ', r.customer_source, r.customer_id);
-- one chain of 20,000 spans, all of them asked
CREATE TABLE chain AS
SELECT 't' AS trace_id, 's' || i AS span_id, 's' || i - 1 AS parent_span_id, NULL::text AS session_id, NULL::text AS session_source, CASE WHEN i = 1 THEN 1 END AS customer_id, NULL::text AS customer_source
FROM generate_series(1, 20000) AS i;
CREATE VIEW chain_asked AS SELECT span_id AS evaluation_id, NULL AS target_trace_id, NULL AS target_span_id, NULL AS target_by, trace_id, span_id, session_id, NULL AS customer_id, customer_source FROM chain;
SELECT customer_source, customer_id, count(*) FROM resolve_customers('chain', 'chain_asked') GROUP BY 1, 2 ORDER BY 1;
-- bad input
SELECT count(*) FROM resolve_customers('reader_span', 'reader_evaluation');
SELECT count(*) FROM resolve_customers(NULL, 'asked', 'id');
SELECT count(*) FROM resolve_customers('reader_span', NULL, 'id');
SELECT count(*) FROM resolve_customers('reader_span', 'asked', NULL);
SELECT count(*) FROM resolve_customers('reader_span', 'asked', 'no such "column"');
SELECT count(*) FROM resolve_customers('nowhere', 'asked', 'id');
SELECT count(*) FROM resolve_customers('asked', 'asked', 'id; DROP TABLE asked');
\set VERBOSITY default
CREATE VIEW customer_of_nobody AS SELECT trace_id, span_id FROM reader_span;
SELECT count(*) FROM resolve_customers('customer_of_nobody', 'asked', 'id');
SELECT count(*) FROM resolve_customers('reader_span', 'asked', 'trace_id');
\set VERBOSITY terse

-- Standardized difference ---------------------------------------------------------------------------------------------
-- right heart catheterization (Connors 1996), 2,583 patients without and 2,184 with: means and standard deviations as R's tableone prints them, and its SMD
SELECT what, printed, round(abs(standardized_difference(m1, s1 ^ 2, m0, s0 ^ 2))::numeric, 3) AS computed
FROM (VALUES ('APACHE III', 50.06, 18.28, 60.74, 20.27, 0.553), ('heart rate', 112.29, 40.13, 118.93, 41.47, 0.163), ('blood pressure', 85.13, 38.54, 68.20, 34.24, 0.464),
             ('PaO2/FIO2', 236.55, 113.17, 192.43, 105.54, 0.403), ('PaCO2', 40.13, 14.23, 36.79, 10.97, 0.263)) AS v (what, m0, s0, m1, s1, printed);
SELECT standardized_difference(3, 4, 1, 4), standardized_difference(1, 4, 3, 4), standardized_difference(5, 6, 1, 2), standardized_difference(2, 0, 2, 0), standardized_difference(3, 0, 2, 0), standardized_difference(1, 0, 2, 0),
       standardized_difference(1e300, 1e308, -1e300, 1.7e308) > 0 AS large, standardized_difference(1, NULL, 2, 1);
-- 2e308 and 2e308 are no numbers, 2e308 / sqrt(1e308) = 2e154 is; the smallest variance counts, too: 3e-162 / sqrt(4.94e-324) = 1.3497
SELECT abs(standardized_difference(1e308, 1e308, -1e308, 1e308) / 2e154 - 1) <= 1e-15 AS large_means, round(standardized_difference(3e-162, 5e-324, 0, 5e-324)::numeric, 4) AS small_variances,
       standardized_difference(0, 1e308, 5e-324, 1e308) AS too_small_to_see;
SELECT standardized_difference(1, -1, 2, 1);
SELECT standardized_difference(1, 1, 'NaN', 1);
SELECT standardized_difference('Infinity', 1, 2, 1);
\set VERBOSITY default
SELECT standardized_difference(1, 1, 2, 'Infinity');
SELECT standardized_difference(1e308, 1, -1e308, 1);
SELECT standardized_difference(1e300, 1e-300, 0, 0);
\set VERBOSITY terse

-- Coverage ------------------------------------------------------------------------------------------------------------
CREATE TABLE customer (customer_id int, value float8, tenure_days int, churn_risk numeric, name text, joined_on date);
INSERT INTO customer SELECT i, i ^ 1.5, 10 * (i % 4), CASE WHEN i % 3 > 0 THEN i / 10.0 END, 'customer ' || i, '2026-01-01' FROM generate_series(1, 10) AS i;
UPDATE customer SET value = 'NaN' WHERE customer_id = 1;
UPDATE customer SET value = 'Infinity' WHERE customer_id = 10;
-- 12 results: 9 with an id, of these 2 of no customer; 1 ambiguous; 2 without. Customers 1 to 5 of 10.
CREATE TABLE resolved (customer_id text, customer_source text);
INSERT INTO resolved VALUES ('1', 'event'), ('1', 'event'), ('2', 'span'), ('3', 'session'), ('3', 'event'), ('99', 'session'), ('u-77', 'span'), ('5', NULL), ('4', 'by hand'), (NULL, 'ambiguous'), (NULL, 'unknown'), (NULL, NULL);
SELECT part, item, n, round(share::numeric, 4) AS share, matched FROM evaluation_coverage('resolved', 'customer');
SELECT column_name, covered, uncovered, covered_missing, uncovered_missing, round(covered_mean::numeric, 6) AS covered_mean, round(uncovered_mean::numeric, 6) AS uncovered_mean,
       round(covered_sd::numeric, 6) AS covered_sd, round(uncovered_sd::numeric, 6) AS uncovered_sd, round(difference::numeric, 6) AS difference, flagged
FROM coverage_balance('resolved', 'customer');
-- by plain SQL
SELECT round(avg(x) FILTER (WHERE c), 6) AS covered_mean, round(stddev_samp(x) FILTER (WHERE c), 6) AS covered_sd,
       round((avg(x) FILTER (WHERE c) - avg(x) FILTER (WHERE NOT c)) / sqrt((var_samp(x) FILTER (WHERE c) + var_samp(x) FILTER (WHERE NOT c)) / 2), 6) AS difference
FROM (SELECT churn_risk AS x, customer_id <= 5 AS c FROM customer) AS s;
-- columns in the order asked for; a threshold
SELECT column_name, flagged FROM coverage_balance('resolved', 'customer', '{tenure_days,value}');
SELECT column_name, flagged FROM coverage_balance('resolved', 'customer', threshold => 2);
-- nobody covered, everybody, one; no evaluations at all
CREATE VIEW nobody AS SELECT * FROM resolved WHERE customer_id IS NULL;
CREATE VIEW everybody AS SELECT customer_id::text, 'event' AS customer_source FROM customer;
CREATE VIEW one AS SELECT * FROM resolved WHERE customer_id = '2';
CREATE VIEW nothing AS SELECT * FROM resolved WHERE false;
SELECT part, item, n, share, matched FROM evaluation_coverage('nobody', 'customer') WHERE n > 0;
SELECT column_name, covered, uncovered, covered_mean, difference, flagged FROM coverage_balance('nobody', 'customer', '{tenure_days}');
SELECT column_name, covered, uncovered, uncovered_mean, difference, flagged FROM coverage_balance('everybody', 'customer', '{tenure_days}');
SELECT column_name, covered, covered_mean, covered_sd, difference, flagged FROM coverage_balance('one', 'customer', '{tenure_days}');
SELECT item, n, share, matched FROM evaluation_coverage('nothing', 'customer');
-- an id of somebody who is ambiguous is the id of nobody
CREATE VIEW contested AS SELECT '1' AS customer_id, 'ambiguous' AS customer_source;
SELECT part, item, n, matched FROM evaluation_coverage('contested', 'customer') WHERE n > 0;
-- bad input
SELECT count(*) FROM evaluation_coverage('reader_span', 'customer', 'id');
SELECT count(*) FROM evaluation_coverage('customer', 'customer');
SELECT count(*) FROM evaluation_coverage('resolved', 'resolved');
SELECT count(*) FROM evaluation_coverage('resolved', 'customer', NULL);
SELECT count(*) FROM evaluation_coverage(NULL, 'customer');
SELECT count(*) FROM coverage_balance('resolved', 'customer', '{value,name,joined_on}');
SELECT count(*) FROM coverage_balance('resolved', 'customer', '{value,nome}');
SELECT count(*) FROM coverage_balance('resolved', 'customer', '{}');
SELECT count(*) FROM coverage_balance('resolved', 'customer', '{value,NULL}');
SELECT count(*) FROM coverage_balance('resolved', 'customer', threshold => -1);
SELECT count(*) FROM coverage_balance('resolved', 'customer', threshold => NULL);
SELECT count(*) FROM coverage_balance('resolved', 'customer', threshold => 'NaN');
SELECT count(*) FROM coverage_balance('resolved', 'customer', customer_key => 'tenure_days');
SELECT count(*) FROM coverage_balance('resolved', 'customer', customer_key => NULL);

-- numbers whose squares are none, which column it is, and one that is just small enough
CREATE TABLE large AS SELECT i AS customer_id, i * 1e200::float8 AS "Value", i * 1e150::float8 AS less, i * 10::numeric ^ 400 AS most FROM generate_series(1, 10) AS i;
\set VERBOSITY default
SELECT count(*) FROM coverage_balance('resolved', 'large', '{less,Value}');
SELECT count(*) FROM coverage_balance('resolved', 'large');
\set VERBOSITY terse
SELECT column_name, covered, round(difference::numeric, 6) AS difference FROM coverage_balance('resolved', 'large', '{less}');

-- Domains, also over domains, are what they are made of
CREATE DOMAIN amount AS numeric(12, 2);
CREATE DOMAIN price AS amount CHECK (VALUE >= 0);
CREATE DOMAIN list_price AS price;
CREATE DOMAIN remark AS text;
CREATE DOMAIN short_remark AS remark;
CREATE TABLE priced AS SELECT customer_id, tenure_days::amount AS a, tenure_days::price AS b, tenure_days::list_price AS c, name::short_remark AS d FROM customer;
SELECT column_name, round(difference::numeric, 6) AS difference FROM coverage_balance('resolved', 'priced');
SELECT count(*) FROM coverage_balance('resolved', 'priced', '{c,d}');

-- Temporary tables, which parallel workers cannot read, beside a table that they can; the workers have all the work, so that a mistake shows
CREATE TEMPORARY TABLE own_customer AS SELECT * FROM customer;
CREATE TEMPORARY TABLE own_resolved AS SELECT * FROM resolved;
CREATE TEMPORARY TABLE own_asked AS SELECT * FROM asked;
CREATE TEMPORARY TABLE own_span AS SELECT * FROM reader_span;
CREATE TABLE other AS SELECT 'tenure_days' AS name, 'customers' AS part, i::text AS id, 'tone of span t1/s1' AS evaluation_id FROM generate_series(1, 20000) AS i;
ANALYZE other;
BEGIN;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 2;
SET LOCAL parallel_leader_participation = off;
SELECT count(*) FROM other JOIN coverage_balance('own_resolved', 'own_customer') ON column_name = name;
SELECT count(*) FROM other JOIN evaluation_coverage('own_resolved', 'own_customer') AS c USING (part);
SELECT count(*) FROM other JOIN resolve_customers('own_span', 'own_asked', 'id') AS r ON r.evaluation_id = other.id;
SELECT count(*) FROM other JOIN deduplicate_evaluations('own_asked') AS d USING (evaluation_id);
ROLLBACK;
SELECT proname, proparallel FROM pg_proc
WHERE proname IN ('clv_require_columns', 'clv_read_columns', 'clv_numeric_columns', 'deduplicate_evaluations', 'resolve_customers', 'evaluation_coverage', 'coverage_balance') ORDER BY 1;

-- Odd names, an ordinary user, the extension in another schema, an empty search_path -------------------------------------
CREATE SCHEMA "The ""CRM""; --";
CREATE DOMAIN "The ""CRM""; --"."Money %I" AS numeric;
CREATE TABLE "The ""CRM""; --"."Customer's %s" AS
SELECT customer_id AS "Customer's ""Id""", value::numeric(10, 2)::"The ""CRM""; --"."Money %I" AS "$1 Value", tenure_days AS "select" FROM customer WHERE value < 'Infinity';
CREATE VIEW "The ""CRM""; --"."Evaluation" AS SELECT *, id AS "The 'Key'" FROM asked;
CREATE VIEW "The ""CRM""; --"."Span" AS SELECT * FROM reader_span;
CREATE TABLE plain AS SELECT * FROM resolve_customers('reader_span', 'asked', 'id');
CREATE SCHEMA "Other ""Place";
ALTER EXTENSION clv SET SCHEMA "Other ""Place";
CREATE ROLE regress_clv_analyst;
GRANT USAGE ON SCHEMA "The ""CRM""; --", "Other ""Place", coverage TO regress_clv_analyst;
GRANT SELECT ON ALL TABLES IN SCHEMA "The ""CRM""; --" TO regress_clv_analyst;
SET ROLE regress_clv_analyst;
SET search_path = '';
SELECT customer_source, count(*) FROM "Other ""Place".resolve_customers('"The ""CRM""; --"."Span"', '"The ""CRM""; --"."Evaluation"', 'The ''Key''') GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM "Other ""Place".deduplicate_evaluations('"The ""CRM""; --"."Evaluation"');
SELECT item, n FROM "Other ""Place".evaluation_coverage('"The ""CRM""; --"."Evaluation"', '"The ""CRM""; --"."Customer''s %s"', 'Customer''s "Id"') WHERE part = 'customers';
SELECT column_name, uncovered, uncovered_missing, round(uncovered_mean::numeric, 6) AS uncovered_mean
FROM "Other ""Place".coverage_balance('"The ""CRM""; --"."Evaluation"', '"The ""CRM""; --"."Customer''s %s"', NULL, 'Customer''s "Id"');
-- with the rights of the caller
SELECT count(*) FROM "Other ""Place".evaluation_coverage('"The ""CRM""; --"."Evaluation"', 'coverage.customer');
RESET ROLE;
SET search_path = coverage;
SELECT count(*) FROM (SELECT * FROM "Other ""Place".resolve_customers('"The ""CRM""; --"."Span"', '"The ""CRM""; --"."Evaluation"', 'The ''Key''') EXCEPT SELECT * FROM plain) AS s;
ALTER EXTENSION clv SET SCHEMA public;

SET client_min_messages = warning;
DROP OWNED BY regress_clv_analyst;
DROP ROLE regress_clv_analyst;
DROP SCHEMA coverage, "The ""CRM""; --", "Other ""Place" CASCADE;
