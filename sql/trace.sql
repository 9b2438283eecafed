-- Readers of evaluation results: conventions, ids and where they are found, targets, encodings, what is skipped.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';

-- Documents are put together from short pieces: attributes from plain JSON, ids from their last digits.
CREATE FUNCTION any_value(v jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT CASE jsonb_typeof(v) WHEN 'string' THEN jsonb_build_object('stringValue', v) WHEN 'number' THEN jsonb_build_object('doubleValue', v)
        WHEN 'boolean' THEN jsonb_build_object('boolValue', v)
        WHEN 'array' THEN jsonb_build_object('arrayValue', jsonb_build_object('values', (SELECT jsonb_agg(jsonb_build_object('stringValue', e)) FROM jsonb_array_elements(v) AS e)))
        ELSE v END $$;
CREATE FUNCTION attributes(object jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('key', key, 'value', any_value(value)) ORDER BY key COLLATE "C"), '[]') FROM jsonb_each(object) $$;
CREATE FUNCTION ids(trace text, span text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('traceId', lpad(trace, 32, '0'), 'spanId', lpad(span, 16, '0')) $$;
CREATE FUNCTION span(trace text, id text, facts jsonb DEFAULT '{}', more jsonb DEFAULT '{}', parent text DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$
    SELECT ids(trace, id) || jsonb_build_object('name', 'span ' || id, 'endTimeUnixNano', '1767225600000000001', 'attributes', attributes(facts))
        || coalesce(jsonb_build_object('parentSpanId', lpad(parent, 16, '0')), '{}') || more $$;
CREATE FUNCTION result(name text, facts jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('gen_ai.evaluation.name', name) || facts $$;
CREATE FUNCTION event(facts jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('name', 'gen_ai.evaluation.result', 'timeUnixNano', '1767225601123456789', 'attributes', attributes(facts)) $$;
CREATE FUNCTION events(VARIADIC list jsonb[]) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object('events', to_jsonb(list)) $$;
CREATE FUNCTION links(VARIADIC list jsonb[]) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object('links', to_jsonb(list)) $$;
CREATE FUNCTION traces(resource jsonb, VARIADIC spans jsonb[]) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('resourceSpans', jsonb_build_array(jsonb_build_object('resource', jsonb_build_object('attributes', attributes(resource)),
        'scopeSpans', jsonb_build_array(jsonb_build_object('scope', '{"name": "s"}'::jsonb, 'spans', to_jsonb(spans)))))) $$;
CREATE FUNCTION logs(VARIADIC records jsonb[]) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('resourceLogs', jsonb_build_array(jsonb_build_object('scopeLogs', jsonb_build_array(jsonb_build_object('logRecords', to_jsonb(records)))))) $$;
CREATE FUNCTION log_record(facts jsonb, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('eventName', 'gen_ai.evaluation.result', 'timeUnixNano', 1767225602000000002, 'attributes', attributes(facts)) || more $$;

-- ---- conventions ----
CREATE TABLE conventions AS SELECT jsonb_build_array(
    traces('{"service.name": "agent"}',
        span('a', '1', '{"session.id": "S", "customer.id": "C", "gen_ai.operation.name": "chat", "gen_ai.response.id": "r-1"}'
                || result('in_attributes', '{"gen_ai.evaluation.score.value": 0.25, "gen_ai.evaluation.explanation": "because"}'),
            events(event(result('in_event', '{"gen_ai.evaluation.score.value": 4, "gen_ai.evaluation.score.label": "good", "evaluation.annotator_kind": "LLM"}')),
                   '{"name": "exception", "attributes": []}'), 'ff'),
        span('a', '2', '{"annotations.0.annotation.name": "correct", "annotations.0.annotation.score": 1, "annotations.0.annotation.annotator_kind": "CODE",
                "annotations.0.annotation.identifier": "v2", "annotations.10.annotation.name": "toxic", "annotations.10.annotation.label": "no",
                "evaluations.0.evaluation.name": "helpful", "evaluations.0.evaluation.explanation": "only words",
                "trace.annotations.0.annotation.name": "of_trace", "trace.annotations.0.annotation.score": 0.5,
                "session.evaluations.0.evaluation.name": "of_session", "session.evaluations.0.evaluation.label": "coherent",
                "annotations.x.annotation.name": "no number", "annotations.1.evaluation.name": "mixed forms", "annotations.2.annotation": "no field"}', parent => '1')),
    logs(log_record(result('in_log', '{"gen_ai.evaluation.score.value": -1, "gen_ai.response.id": "r-9"}'), ids('a', '1')),
         log_record(result('by_attribute', '{"gen_ai.evaluation.score.value": 2, "event.name": "gen_ai.evaluation.result"}'), '{"eventName": null}'),
         log_record(result('another event', '{"gen_ai.evaluation.score.value": 2}'), '{"eventName": "something else"}'))) AS document;
SELECT source, name, score, label, explanation, annotator, scope, ltrim(span_id, '0') AS span, ltrim(parent_span_id, '0') AS parent, customer_id, session_id,
       evaluated_nanos, service, simulated, response_id
FROM conventions, otlp_evaluations(document);
SELECT trace_id, span_id, evaluated_at, ended_at, started_at FROM conventions, otlp_evaluations(document) WHERE name IN ('in_event', 'in_log');
SELECT ltrim(span_id, '0') AS span, ltrim(parent_span_id, '0') AS parent, name, session_id, session_source, customer_id, customer_source, started_at, ended_at, service
FROM conventions, otlp_spans(document);

-- the same result as an event and as a log record: two rows here
SELECT source, name, score, label, ltrim(target_span_id, '0') AS target, customer_id, customer_source, response_id FROM otlp_evaluations(jsonb_build_array(
    traces('{}', span('a', '1', '{"customer.id": "C", "gen_ai.response.id": "r"}', events(event(result('tone', '{"gen_ai.evaluation.score.label": "joy"}'))))),
    logs(log_record(result('tone', '{"gen_ai.evaluation.score.label": "joy", "gen_ai.response.id": "r"}'), ids('a', '1')))));

-- ---- where ids are found: the nearest place that has one ----
CREATE TABLE judged AS SELECT events(event(result('e', '{"gen_ai.evaluation.score.value": 1}'))) AS one;
CREATE FUNCTION found(documents jsonb) RETURNS TABLE (name text, customer_id text, customer_source text, session_id text, session_source text)
    LANGUAGE sql AS $$ SELECT name, customer_id, customer_source, session_id, session_source FROM otlp_evaluations(documents) $$;
-- event
SELECT * FROM found(traces('{"customer.id": "R", "session.id": "RS"}', span('a', '1', '{"customer.id": "S"}',
    events(event(result('e', '{"gen_ai.evaluation.score.value": 1, "customer.id": "E", "session.id": "ES"}'))))));
-- span, ancestor (the nearest one, over spans without), trace (a span beside), resource
SELECT ltrim(span_id, '0') AS span, customer_id, customer_source, session_id, session_source FROM judged, otlp_evaluations(traces('{"customer.id": "R", "session.id": "RS"}',
    span('a', '1', '{"customer.id": "top", "session.id": "top"}', one), span('a', '2', '{"customer.id": "C"}', one, '1'),
    span('a', '3', '{}', one, '2'), span('a', '4', '{}', one, '3'),
    span('b', '5', '{"customer.id": "B"}'), span('b', '6', '{}', one, '99'), span('c', '7', '{}', one)));
-- link: the linked span, its ancestors, its trace, though it is not in the document itself
SELECT name, customer_id, customer_source, session_id, session_source, ltrim(target_trace_id, '0') AS trace, ltrim(target_span_id, '0') AS target, target_by
FROM judged, otlp_evaluations(traces('{"customer.id": "R"}', span('a', '1', '{"customer.id": "C", "session.id": "S"}'), span('a', '2', '{}', '{}', '1'),
    span('b', '3', result('linked', '{"gen_ai.evaluation.score.value": 1}'), links(ids('a', '1'))),
    span('b', '4', result('linked child', '{"gen_ai.evaluation.score.value": 1}'), links(ids('a', '2'))),
    span('b', '5', result('linked trace', '{"gen_ai.evaluation.score.value": 1}'), links(ids('a', '99'))),
    span('b', '6', result('unknown', '{"gen_ai.evaluation.score.value": 1}'), links(ids('c', '1'))),
    span('b', '7', result('own id', '{"gen_ai.evaluation.score.value": 1, "customer.id": "own", "session.id": "own"}'), links(ids('a', '1')))));
-- a trace that judges others tells nothing about them: 6 above is not of the customer of 7, nor 8 and 10 here in the session of 9
SELECT ltrim(span_id, '0') AS span, customer_id, customer_source, session_id, session_source FROM judged, otlp_spans(traces('{}', span('a', '1', '{"session.id": "S"}'),
    span('b', '8', result('e', '{"gen_ai.evaluation.score.value": 1, "customer.id": "8"}'), links(ids('c', '1'))),
    span('b', '9', result('e', '{"gen_ai.evaluation.score.value": 1, "session.id": "S"}'), links(ids('d', '1'))),
    span('b', '10', '{}', links(ids('d', '1')))));
-- session: another trace of the session knows the customer
SELECT ltrim(trace_id, '0') AS trace, customer_id, customer_source, session_id, session_source FROM judged, otlp_evaluations(traces('{}',
    span('a', '1', '{"session.id": "S"}'), span('a', '2', '{"user.id": "U"}', '{}', '1'), span('b', '3', '{"gen_ai.conversation.id": "S"}', one),
    span('c', '4', '{"session.id": "other"}', one)));
-- the same from log records
SELECT name, customer_id, customer_source, session_id, session_source FROM otlp_evaluations(logs(
    log_record(result('first', '{"gen_ai.evaluation.score.value": 1, "session.id": "S", "customer.id": "C"}')),
    log_record(result('second', '{"gen_ai.evaluation.score.value": 2, "session.id": "S"}'))));
-- a log record and its span
SELECT name, customer_id, customer_source, session_id, session_source, ltrim(parent_span_id, '0') AS parent, ended_at FROM otlp_evaluations(jsonb_build_array(
    logs(log_record(result('e', '{"gen_ai.evaluation.score.value": 1}'), ids('a', '2'))),
    traces('{}', span('a', '1', '{"customer.id": "C"}'), span('a', '2', '{"session.id": "S"}', '{}', '1'))));

-- ambiguous where values of the same rank disagree at a place; the nearer place still wins
SELECT ltrim(span_id, '0') AS span, customer_id, customer_source, session_id, session_source FROM judged, otlp_evaluations(traces('{"customer.id": "R"}',
    span('a', '1', '{"customer.id": "C1", "session.id": "S"}'), span('a', '2', '{"customer.id": "C2", "session.id": "S"}'),
    span('a', '3', '{}', one), span('a', '4', '{"customer.id": "C3"}', one), span('a', '5', '{}', one, '1'),
    span('b', '6', '{"session.id": "S"}', one)));
-- the first key wins at a place, also for a trace, whatever the others say
SELECT ltrim(span_id, '0') AS span, customer_id, customer_source FROM judged, otlp_evaluations(traces('{}',
    span('a', '1', '{"customer.id": "C", "user.id": "U1"}'), span('a', '2', '{"user.id": "U2"}'), span('a', '3', '{}', one), span('a', '4', '{"user.id": "U4", "enduser.id": "E4"}', one)));
-- keys of one's own
SELECT customer_id, customer_source, session_id FROM judged, otlp_evaluations(traces('{}', span('a', '1', '{"crm.id": 17, "user.id": "U", "call": true}', one)), ARRAY['x', 'crm.id'], ARRAY['call']);
SELECT customer_id, customer_source, session_id FROM judged, otlp_evaluations(traces('{}', span('a', '1', '{"user.id": "U", "session.id": ""}', one)), '{}', '{session.id}');
SELECT count(*) FROM otlp_evaluations('{}', NULL);
SELECT count(*) FROM otlp_evaluations('{}', ARRAY['customer.id', NULL]);
SELECT count(*) FROM otlp_spans('{}', '{}', ARRAY[NULL::text]);

-- parents that go round in circles, parents of themselves, the same span twice
SELECT ltrim(span_id, '0') AS span, customer_id, customer_source FROM judged, otlp_evaluations(traces('{}',
    span('a', '1', '{}', one, '2'), span('a', '2', '{}', one, '3'), span('a', '3', '{}', one, '1'), span('b', '4', '{}', one, '4'),
    span('c', '5', '{}', one, '6'), span('c', '6', '{"customer.id": "C"}', one, '5'), span('c', '6', '{"customer.id": "D"}', one, '5')));
-- a span that is there twice knows what either copy says, by the first key; copies that agree are not ambiguous
SELECT ltrim(span_id, '0') AS span, customer_id, customer_source, session_id, session_source FROM judged, otlp_evaluations(traces('{}',
    span('a', '1', '{"session.id": "S"}', one), span('a', '1', '{"customer.id": "C"}', one), span('a', '2', '{}', one, '1'),
    span('b', '3', '{"user.id": "U"}'), span('b', '3', '{"customer.id": "C"}'), span('b', '4', '{}', one, '3'),
    span('c', '5', '{"customer.id": "C"}'), span('c', '5', '{"customer.id": "C"}'), span('c', '6', '{}', one, '5'),
    span('d', '7', result('linked', '{"gen_ai.evaluation.score.value": 1}'), links(ids('c', '5')))));

-- ---- what is judged ----
SELECT name, ltrim(target_trace_id, '0') AS trace, ltrim(target_span_id, '0') AS target, target_by, customer_id, customer_source, scope
FROM otlp_evaluations(jsonb_build_array(traces('{}',
    span('a', '1', '{"customer.id": "C1"}'), span('a', '2', '{"customer.id": "C2"}', '{}', '1'),
    span('b', '10', result('by attribute', '{"gen_ai.evaluation.score.value": 1, "gen_ai.evaluation.target_span_id": "0000000000000001", "gen_ai.evaluation.target_trace_id": "0000000000000000000000000000000A"}')),
    span('b', '11', result('attribute and link', '{"gen_ai.evaluation.score.value": 1, "gen_ai.evaluation.target_span_id": "0000000000000002"}'), links(ids('a', '2'))),
    span('b', '12', result('attribute of this trace', '{"gen_ai.evaluation.score.value": 1, "gen_ai.evaluation.target_span_id": "0000000000000010"}')),
    span('b', '13', '{"gen_ai.evaluation.target_span_id": "0000000000000010", "openinference.span.kind": "EVALUATOR"}', events(event(result('attribute of the span', '{"gen_ai.evaluation.score.value": 1}')))),
    span('b', '14', result('two links', '{"gen_ai.evaluation.score.value": 1}'), links(ids('a', '1'), ids('a', '2'))),
    span('b', '15', result('the same link twice', '{"gen_ai.evaluation.score.value": 1}'), links(ids('a', '1'), ids('a', '1'))),
    span('b', '16', result('links of work are causes', '{"gen_ai.evaluation.score.value": 1, "gen_ai.operation.name": "chat"}'), links(ids('a', '1'))),
    span('b', '17', result('an evaluator works, too', '{"gen_ai.evaluation.score.value": 1, "gen_ai.operation.name": "chat", "gen_ai.span.kind": "Evaluator"}'), links(ids('a', '1'))),
    span('a', '18', result('by parent', '{"gen_ai.evaluation.score.value": 1, "openinference.span.kind": "EVALUATOR"}'), '{}', '2'),
    span('a', '19', result('by parent and name', '{"gen_ai.evaluation.score.value": 1}'), '{"name": "gen_ai.evaluation.result"}', '2'),
    span('a', '20', '{"openinference.span.kind": "EVALUATOR", "annotations.0.annotation.name": "parents do not count", "annotations.0.annotation.score": 1}', '{}', '2'),
    span('b', '21', '{"trace.annotations.0.annotation.name": "of the linked trace", "trace.annotations.0.annotation.score": 1}', links(ids('a', '1'))),
    span('b', '22', result('zeros are no span', '{"gen_ai.evaluation.score.value": 1, "gen_ai.evaluation.target_span_id": "0000000000000000"}'), links(ids('a', '1'))),
    span('b', '23', result('zeros are no trace', '{"gen_ai.evaluation.score.value": 1, "gen_ai.evaluation.target_span_id": "0000000000000010", "gen_ai.evaluation.target_trace_id": "00000000000000000000000000000000"}'))),
  logs(log_record(result('log without span', '{"gen_ai.evaluation.score.value": 1}'), '{"traceId": "0000000000000000000000000000000a"}'),
    log_record(result('log of a session', '{"gen_ai.evaluation.score.value": 1, "session.id": "S"}')),
    log_record(result('log of nothing', '{"gen_ai.evaluation.score.value": 1}'), '{"traceId": "", "spanId": "0000000000000000"}'),
    log_record(result('log in an evaluator', '{"gen_ai.evaluation.score.value": 1}'), ids('b', '17')))));

-- ---- encodings ----
-- ids of any case, in base64 (padded, unpadded, URL-safe), names in snake_case, numbers as strings and strings as numbers
SELECT trace_id, span_id, parent_span_id, target_span_id, score, evaluated_nanos, evaluated_at, customer_id FROM otlp_evaluations('{"resource_spans": [{"resource": {"attributes": []},
  "scope_spans": [{"spans": [{"trace_id": "W47/95gDgQPSabYzgT/GDA==", "span_id": "7uGbfsPBsXM=", "parent_span_id": "-_-_-_-_-_8", "start_time_unix_nano": 1767225600000000001,
    "attributes": [{"key": "customer.id", "value": {"int_value": "9223372036854775807"}}], "links": [{"trace_id": "5B8EFFF798038103D269B633813FC60C", "span_id": "EEE19B7EC3C1B174"}],
    "events": [{"time_unix_nano": 1767225600000000999, "name": "gen_ai.evaluation.result", "attributes": [{"key": "gen_ai.evaluation.name", "value": {"string_value": "e"}},
      {"key": "gen_ai.evaluation.score.value", "value": {"int_value": 3}}]}]}]}]}]}');
SELECT score, pg_typeof(score) FROM jsonb_array_elements('[{"intValue": "92"}, {"intValue": 92}, {"doubleValue": 0.1}, {"doubleValue": "0.1"}, {"doubleValue": 1e-7}, {"boolValue": true},
    {"stringValue": "4.5"}, {"intValue": "-9223372036854775808"}, {"doubleValue": -0.0}]') WITH ORDINALITY AS v(v, n),
    otlp_evaluations(traces('{}', span('a', '1', '{}', events(jsonb_set(event(result('e', '{"gen_ai.evaluation.score.value": 0}')), '{attributes,1,value}', v))))) ORDER BY n;
-- times: the event's, else the span's; of a log record, else when it was observed; 0 is unknown
SELECT evaluated_nanos, evaluated_at FROM otlp_evaluations(jsonb_build_array(
    traces('{}', span('a', '1', '{}', events(event(result('e', '{"gen_ai.evaluation.score.value": 0}')) - 'timeUnixNano')),
        span('a', '2', result('e', '{"gen_ai.evaluation.score.value": 0}'), '{"endTimeUnixNano": 0, "startTimeUnixNano": "999"}')),
    logs(log_record(result('e', '{"gen_ai.evaluation.score.value": 0}'), '{"timeUnixNano": "0", "observedTimeUnixNano": "9223372036854775807"}'),
        log_record(result('e', '{"gen_ai.evaluation.score.value": 0}'), '{"timeUnixNano": null}'))));
-- a time that is malformed is NULL, and no other stands in for it
SELECT source, evaluated_nanos, evaluated_at, ltrim(span_id, '0') AS span FROM otlp_evaluations(jsonb_build_array(
    traces('{}', span('a', '1', '{}', events(event(result('e', '{"gen_ai.evaluation.score.value": 0}')) || '{"timeUnixNano": "soon"}', event(result('e', '{"gen_ai.evaluation.score.value": 0}')) || '{"timeUnixNano": "0"}')),
        span('a', '2', result('e', '{"gen_ai.evaluation.score.value": 0}'), '{"endTimeUnixNano": -1, "startTimeUnixNano": "999"}'),
        span('a', '3', result('e', '{"gen_ai.evaluation.score.value": 0}'), '{"endTimeUnixNano": null, "startTimeUnixNano": "x"}')),
    logs(log_record(result('e', '{"gen_ai.evaluation.score.value": 0}'), '{"timeUnixNano": "now", "observedTimeUnixNano": "9"}'))));
-- labels: as given, and what is in them
SELECT label, labels, cardinality(labels) AS labels_n FROM jsonb_array_elements('["joy", ["joy", "anger"], ["joy"], "[\"joy\", \"anger\"]", "[''joy'', ''it\\''s'']", "[ ]", "good, but slow",
    "[joy]", "[\"joy\"", "[\"joy\" \"anger\"]", "[\"\\u006a\"]", "[1, 2]", "[", " [\"a, b\"] ", true, 4, ["quote \" and \\", "b"]]') WITH ORDINALITY AS v(v, n),
    otlp_evaluations(traces('{}', span('a', '1', '{}', events(event(result('e', jsonb_build_object('gen_ai.evaluation.score.value', 0, 'gen_ai.evaluation.score.label', v))))))) ORDER BY n;
-- lists with escapes, as JSON and Python write them; what is no escape, or no character, leaves one label (others than ASCII: t/006_trace.pl)
SELECT label, to_jsonb(labels) AS labels FROM jsonb_array_elements('["[\"anger\", \"\\u006Aoy\"]", "[\"a\\nb\\tc\\rd\\be\\f\", \"\\/\\\"\"]", "[''\\u006aoy'', ''it\\''s'']",
    "[\"\\ud83d\"]", "[\"\\ude00\"]", "[\"\\ud83d\\u0041\"]", "[\"\\ud83d\\ud83d\"]", "[\"\\u0000\"]", "[\"\\u00e\"]", "[\"\\u", "[\"\\", "[\"\\x41\"]"]') WITH ORDINALITY AS v(v, n),
    evaluation_scores(jsonb_build_object('Tone', v)) ORDER BY n;
SELECT is_frustrated(labels) AS of_labels, is_frustrated_label(label) AS of_label FROM evaluation_scores('{"Tone": "[\"anger\", \"joy\\u0021\"]"}');
-- an empty list, in either form, is scored and nothing found; what is no text is no label, and counted
CREATE TABLE odd_labels AS SELECT n, traces('{}', span('a', '1', '{}', events(jsonb_set(event(result('e', '{"gen_ai.evaluation.score.value": 0, "gen_ai.evaluation.score.label": 0}')), '{attributes,1,value}', v)))) AS document
    FROM jsonb_array_elements('[{"arrayValue": {}}, {"arrayValue": {"values": []}}, {"arrayValue": {"values": null}}, {"kvlistValue": {"values": [{"key": "joy", "value": {"boolValue": true}}]}}, {"kvlistValue": {}},
        {"arrayValue": {"values": [{"arrayValue": {"values": [{"stringValue": "joy"}]}}]}}, {"arrayValue": {"values": [{"stringValue": "joy"}, {}, null, {"kvlistValue": {}}]}}, {"arrayValue": {"values": "joy"}}, {"arrayValue": 3},
        {"stringValue": {"stringValue": "joy"}}, {"arrayValue": {"values": [{"stringValue": ""}]}}, {"stringValue": "[\"\", \"joy\"]"}, {"arrayValue": {"values": [{"intValue": 3}, {"boolValue": true}]}}]') WITH ORDINALITY AS v(v, n);
SET client_min_messages = error;
SELECT n, score, label, labels, (SELECT string_agg(problem || ': ' || s.n, ', ') FROM otlp_skipped(document) AS s) AS skipped FROM odd_labels, otlp_evaluations(document) ORDER BY n;
RESET client_min_messages;
-- a result with an error has no score, and is none of 0
SELECT name, score, label, error FROM otlp_evaluations(traces('{}', span('a', '1', '{}', events(
    event(result('failed', '{"error.type": "timeout"}')), event(result('failed, with a score', '{"error.type": "partial", "gen_ai.evaluation.score.value": 0.5}')),
    event(result('zero', '{"gen_ai.evaluation.score.value": 0}'))))));

-- simulated: by flag, by the id of a simulator's run, by synthetic agent; on the result, its span, trace, resource, or the target's trace
SELECT what, simulated FROM judged, LATERAL (VALUES
    (1, 'flag', traces('{}', span('a', '1', '{"gen_ai.simulator.is_simulator_trace": true}', one))),
    (2, 'flag that says no', traces('{}', span('a', '1', '{"gen_ai.simulator.is_simulator_trace": false, "simulated": "false"}', one))),
    (3, 'run', traces('{}', span('a', '1', '{"gen_ai.simulator.run_test_id": "7"}', one))),
    (4, 'bot', traces('{}', span('a', '1', '{"user_agent.synthetic.type": "bot"}', one))),
    (5, 'by hand', traces('{}', span('a', '1', '{"simulated": true}', one))),
    (6, 'event', traces('{}', span('a', '1', '{}', events(event(result('e', '{"gen_ai.evaluation.score.value": 0, "simulated": true}')))))),
    (7, 'trace', traces('{}', span('a', '2', '{"simulated": true}'), span('a', '1', '{}', one))),
    (8, 'resource', traces('{"simulated": true}', span('a', '1', '{}', one))),
    (9, 'target', traces('{}', span('b', '2', '{"simulated": true}'), span('a', '1', result('e', '{"gen_ai.evaluation.score.value": 0}'), links(ids('b', '3'))))),
    (10, 'another trace', traces('{}', span('b', '2', '{"simulated": true}'), span('a', '1', '{}', one)))) AS v(n, what, document), otlp_evaluations(document) ORDER BY n;

-- ---- documents ----
SELECT n, name FROM judged, LATERAL (VALUES (1, traces('{}', span('a', '1', '{}', one))), (2, jsonb_build_array(traces('{}', span('a', '1', '{}', one)), traces('{}', span('a', '1', '{}', one)))),
    (3, '[]'), (4, '{}'), (5, '{"resourceMetrics": []}'), (6, '{"resourceSpans": [{}]}'), (7, NULL)) AS v(n, document), otlp_evaluations(document) ORDER BY n;

-- names from before OTLP 1.0
SELECT name, source, ltrim(span_id, '0') AS span FROM judged, otlp_evaluations(jsonb_build_array(
    replace(traces('{}', span('a', '1', '{}', one))::text, '"scopeSpans"', '"instrumentationLibrarySpans"')::jsonb,
    replace(traces('{}', span('a', '2', '{}', one))::text, '"scopeSpans"', '"instrumentation_library_spans"')::jsonb,
    replace(replace(logs(log_record(result('e', '{"gen_ai.evaluation.score.value": 0}')))::text, '"scopeLogs"', '"instrumentationLibraryLogs"'), '"logRecords"', '"logs"')::jsonb));

-- ---- what is malformed is skipped and counted, and the rest is read ----
CREATE TABLE malformed AS SELECT n, document FROM judged, LATERAL (VALUES
    (1, '7'), (2, 'null'), (3, '"text"'), (4, '{"spans": []}'), (5, '[[], null, {"resourceSpans": 1}]'), (6, '{"resourceSpans": [1, {"scopeSpans": [null, {"spans": [1, {}, "x"]}]}]}'),
    (7, traces('{}', span('a', '1', '{}', one) || '{"traceId": "abc"}', span('a', '1', '{}', one) || '{"spanId": "zzzzzzzzzzzzzzzz"}', span('a', '1', '{}', one) || '{"spanId": 1234567812345678}',
        span('a', '1', '{}', one) || '{"traceId": "00000000000000000000000000000000"}', span('a', '3', '{}', one) || '{"parentSpanId": "none"}')),
    (8, traces('{}', span('a', '1', '{}', one) || '{"endTimeUnixNano": "soon", "startTimeUnixNano": -1}', span('a', '2', '{}', one) || '{"endTimeUnixNano": "99999999999999999999"}')),
    (9, traces('{}', span('a', '1', '{}', events(event(result('a', '{"gen_ai.evaluation.score.value": "good"}')), event(result('b', '{"gen_ai.evaluation.score.value": "NaN", "gen_ai.evaluation.score.label": "x"}')),
        event(result('c', '{}')), event('{"gen_ai.evaluation.score.value": 1}'), event(result('e', '{"gen_ai.evaluation.score.value": [1]}')), '5', '"x"', '{"name": "gen_ai.evaluation.result"}')))),
    (10, traces('{}', span('a', '1', result('linked', '{"gen_ai.evaluation.score.value": 1, "gen_ai.evaluation.target_span_id": "?"}'), links('3', '{"traceId": "x"}')))),
    (11, traces('{}', span('a', '1', '{}', one) || '{"attributes": {}, "links": 3}', span('a', '2', '{}', '{"events": {}, "attributes": [1, {"key": 3}, {"value": 4}, {"key": "user.id"}, {"key": "user.id", "value": {}}]}'))),
    (12, traces('{}', span('a', '1', '{}', one))), (13, jsonb_set(traces('{}', span('a', '1', '{}', events(event(result('huge', '{"gen_ai.evaluation.score.value": 0}'))))),
        '{resourceSpans,0,scopeSpans,0,spans,0,events,0,attributes,1,value,doubleValue}', ('1' || repeat('0', 400))::jsonb)),
    (14, traces('{}', span('a', '1', result('target', '{"gen_ai.evaluation.score.value": 1, "gen_ai.evaluation.target_span_id": "0000000000000002", "gen_ai.evaluation.target_trace_id": "5b8efff7-9803-8103-d269-b633813fc60c"}')))),
    (15, traces('{}', span('a', '1', '{"gen_ai.evaluation.target_span_id": ["0000000000000002"], "gen_ai.evaluation.target_trace_id": "a"}', one))),
    (16, traces('{}', span('a', '1', '{}', one) || '{"attributes": {"customer.id": "C"}}', span('a', '2', '{}', jsonb_set(one, '{events,0,attributes}', '{"gen_ai.evaluation.name": "e"}')), span('a', '3', '{}', '{"events": {"name": "e"}}'),
        span('a', '4', result('a map of links', '{"gen_ai.evaluation.score.value": 1}'), '{"links": {"traceId": "b"}}')) || logs(log_record('{}', '{"attributes": "x"}'))),
    (17, '{"resourceSpans": [{"resource": {"attributes": {"customer.id": "C"}}, "scopeSpans": {"spans": []}}]}')) AS v(n, document);
SELECT m.n, problem, s.n AS parts FROM malformed AS m, otlp_skipped(document) AS s ORDER BY m.n, problem COLLATE "C";
SET client_min_messages = error;
SELECT n, name, score, label, ltrim(span_id, '0') AS span, target_by, evaluated_nanos FROM malformed, otlp_evaluations(document) ORDER BY n, name;
RESET client_min_messages;
-- one warning a query, with the counts of the first document
SELECT count(*) FROM (SELECT document FROM malformed WHERE n IN (6, 9) ORDER BY n) AS m, otlp_evaluations(document);
SELECT count(*) FROM otlp_spans('[1, 2]');

-- ---- Langfuse ----
-- one object, an array, a page
SELECT * FROM langfuse_scores('{"id": "s-1", "traceId": "5B8EFFF798038103D269B633813FC60C", "observationId": "EEE19B7EC3C1B173", "name": "helpful", "value": 0.75, "dataType": "NUMERIC", "source": "EVAL",
    "comment": "To the point.", "timestamp": "2026-01-02T03:04:05.678Z", "createdAt": "2026-02-02T00:00:00Z", "environment": "production", "authorUserId": "colleague", "trace": {"userId": "C-1", "sessionId": "S-1"}}');
SELECT id, trace_id, observation_id, session_id, customer_id, name, score, label, labels, data_type FROM langfuse_scores('{"meta": {"page": 1}, "data": [
    {"id": "true", "traceId": "t", "name": "resolved", "value": 1, "stringValue": "True", "dataType": "BOOLEAN"}, {"id": "false", "name": "resolved", "value": 0, "stringValue": "False", "dataType": "BOOLEAN"},
    {"id": "category", "name": "tone", "value": 0, "stringValue": "anger", "dataType": "CATEGORICAL", "configId": null},
    {"id": "mapped", "name": "tone", "value": 0, "stringValue": "bad", "dataType": "CATEGORICAL", "configId": "c"},
    {"id": "text", "name": "note", "value": 0, "stringValue": "long text", "dataType": "TEXT"}, {"id": "correction", "name": "output", "value": 0, "dataType": "CORRECTION", "comment": "was wrong"},
    {"id": "old", "name": "untyped", "value": 3}, {"id": "session", "sessionId": "S", "name": "whole", "value": 5, "dataType": "NUMERIC"},
    {"id": "v3", "name": "flag", "value": false, "dataType": "BOOLEAN", "subject": {"kind": "observation", "id": "o", "traceId": "t3"}},
    {"id": "v3", "name": "kind", "value": "red", "dataType": "CATEGORICAL", "subject": {"kind": "session", "id": "S3"}}, {"id": "v3", "name": "n", "value": 2, "dataType": "NUMERIC", "subject": {"kind": "trace", "id": "t4"}}]}');
SELECT t, evaluated_at FROM unnest('{2026-01-02T03:04:05Z, 2026-01-02 03:04, 2026-01-02T03:04:05.1234567+02:00, 2026-01-02T03:04:05-0330, 2024-02-29T00:00:00+05, 2023-02-29T00:00:00Z, 2026-13-01T00:00:00Z,
    2026-01-02, 2026-01-02T25:00:00Z, 2026-01-02T03:04:05+99:00, 2026-01-02T03:04:05 CET, yesterday, 0000-01-01T00:00:00Z, 9999-12-31T23:59:59.999999Z,
    2026-01-02T03:04:05Z+02:00, 2026-01-02T03:04:05+02:}'::text[] || ('2026-01-02T03:04:05.' || repeat('1', 60) || '+02:00')) WITH ORDINALITY AS t(t, n),
    langfuse_scores(jsonb_build_array(jsonb_build_object('name', 'x', 'value', 1, 'timestamp', t))) ORDER BY n;
SELECT name, score FROM langfuse_scores('[1, {"name": "no value"}, {"value": 1}, {"name": "text", "value": "x", "dataType": "NUMERIC"}, {"name": "good", "value": 1}]');
SELECT evaluated_at FROM langfuse_scores('[{"name": "x", "value": 1, "timestamp": "2026-01-02T03:04:59Z"}, {"name": "x", "value": 1, "timestamp": "2026-01-02T03:04:60Z"}]');
SELECT count(*) FROM langfuse_scores('3');

-- ---- flat shapes ----
SELECT * FROM evaluation_scores('{"Quality": 0.8, "Resolved": true, "Open": false, "Tone": "anger", "Number": "4", "None": null, "Tones": ["joy", "love"], "List": "[\"joy\", \"love\"]",
    "Object": {"score": 3, "label": "ok", "explanation": "fine"}, "Reason": {"score": "0.5", "reason": "half"}, "Value": {"value": "yes"}, "Labels": {"labels": ["a", "b"]}, "Words": {"rationale": "only"}}') ORDER BY name COLLATE "C";
SELECT * FROM evaluation_scores('[{"name": "Quality", "score": 0.8}, {"metric": "Tone", "label": "anger", "reasoning": "loud"}, {"evaluator": "Resolved", "value": true}, {"name": "Both", "score": 1, "labels": ["a", "b"]}]');
SELECT * FROM evaluation_scores('{"name": "Quality", "score": 0.8, "comment": "a record"}');
SELECT * FROM evaluation_scores('{"name": 1, "score": 0.8}') ORDER BY name COLLATE "C";
-- a record whose score or name is null is not scored, as it is in an array
SELECT * FROM evaluation_scores('{"name": "Q", "score": null}');
SELECT * FROM evaluation_scores('{"name": null, "score": 0.8}');
SELECT * FROM evaluation_scores('[{"name": "Q", "score": null}]');
SELECT * FROM evaluation_scores('{"name": "Q", "score": null, "label": null, "value": 3}');
SELECT * FROM evaluation_scores('{"": 0.8, "good": 1}');
SELECT * FROM evaluation_scores('{}');
SELECT * FROM evaluation_scores('[]');
SELECT * FROM evaluation_scores('[1, {"score": 1}, {"name": "x"}, {"name": "y", "score": "high", "label": "z"}, {"name": "good", "score": 1}]');
-- labels that are none: evaluations in a list under a name are not read, but counted
SELECT * FROM evaluation_scores('{"results": [{"name": "a", "score": 1}], "Tone": {"label": {"joy": true}}, "Both": {"score": 1, "label": [["joy"]]}, "None": []}') ORDER BY name COLLATE "C";
SELECT name, score, label, labels FROM langfuse_scores('{"name": "x", "value": 1, "stringValue": {"a": 1}}');
-- scores too small for float8 are none, as those that are too large; 0 is 0 however it is written
SELECT * FROM evaluation_scores('[{"name": "a", "score": "1e-400", "label": "x"}, {"name": "b", "score": 1e-400}, {"name": "c", "score": "1e400", "label": "x"}, {"name": "d", "score": "0.00e5"}, {"name": "e", "score": "-0e-400"},
    {"name": "f", "score": "5e-324"}]');
SELECT name, score, length(label) FROM evaluation_scores('{"a": 1e400, "b": 1e-400, "c": "1e-400", "d": 0}') ORDER BY name COLLATE "C";
SELECT * FROM evaluation_scores('"text"');
SELECT * FROM evaluation_scores(NULL);

-- ---- documents that are damaged at random: never an error ----
-- Each has one to three of its values replaced; the choice follows from the number.
SET client_min_messages = error;
CREATE FUNCTION paths(document jsonb) RETURNS TABLE (path text[]) LANGUAGE sql AS $$
    WITH RECURSIVE p(path, value) AS (
        SELECT '{}'::text[], document
        UNION ALL
        SELECT path || m.key, m.value FROM p, LATERAL (
            SELECT key, o.value FROM jsonb_each(CASE jsonb_typeof(p.value) WHEN 'object' THEN p.value END) AS o
            UNION ALL
            SELECT (n - 1)::text, a.value FROM jsonb_array_elements(CASE jsonb_typeof(p.value) WHEN 'array' THEN p.value END) WITH ORDINALITY AS a(value, n)) AS m)
    SELECT path FROM p WHERE path <> '{}' $$;
CREATE TABLE whole AS SELECT row_number() OVER () AS id, document FROM (
    SELECT document FROM conventions
    UNION ALL SELECT traces('{"service.name": "x"}', span('b', '2', result('linked', '{"gen_ai.evaluation.score.value": 1, "gen_ai.evaluation.score.label": ["a", "b"], "gen_ai.evaluation.target_span_id": "0000000000000001"}'),
        links(ids('a', '1'), ids('a', '2')), '3'))
    UNION ALL SELECT '[{"id": "1", "name": "n", "value": 0, "stringValue": "s", "dataType": "CATEGORICAL", "timestamp": "2026-01-02T03:04:05.678Z", "trace": {"userId": "u"}, "subject": {"kind": "trace", "id": "x"}}]'
    UNION ALL SELECT '{"Q": 1, "T": {"score": 1, "label": ["a"], "reason": "r"}, "L": ["x", "y"]}') AS d;
CREATE TABLE places AS SELECT id, row_number() OVER (PARTITION BY id ORDER BY path COLLATE "C") - 1 AS n, count(*) OVER (PARTITION BY id) AS total, path FROM whole, paths(document);
CREATE TABLE wrong AS SELECT n, value FROM unnest(ARRAY['null', '{}', '[]', '""', 'true', '-1', '1e400', '0.5', '"x"', '"00000000000000000000000000000000"', '"7uGbfsPBsXM="', '"[\"a\", \"b"',
    '{"stringValue": {"stringValue": 1}}', '{"arrayValue": {"values": [{}, 1, null, {"arrayValue": {}}]}}', '[[[[[[]]]]]]', '{"kvlistValue": {"values": [{"key": "k"}]}}', '"99999999999999999999999"',
    '"2026-99-99T00:00:00"', '[null, {"key": "customer.id", "value": {"stringValue": "C"}}]']::jsonb[]) WITH ORDINALITY AS w(value, n);
-- 2654435761 scatters consecutive numbers
CREATE FUNCTION pick(i bigint, salt int, n bigint) RETURNS bigint IMMUTABLE LANGUAGE sql RETURN ((i * 2654435761 + salt * 40503) % 4294967296) / 7 % n;
CREATE FUNCTION damaged(document jsonb, id bigint, i bigint, times int) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    FOR salt IN 1..times LOOP
        BEGIN
            document := jsonb_set(document, (SELECT path FROM places AS p WHERE p.id = damaged.id AND n = pick(i, salt, total)), (SELECT value FROM wrong WHERE n = 1 + pick(i, salt + 10, 19)), false);
        EXCEPTION WHEN invalid_text_representation THEN     -- there is an array now where the path names a member
        END;
    END LOOP;
    RETURN document;
END $$;
CREATE TABLE damage AS SELECT damaged(document, id, i, 1 + (i % 3)::int) AS document FROM whole, generate_series(1, 600) AS i;
SELECT count(*), count(DISTINCT document) > 1500 AS differ,
       count(*) FILTER (WHERE (SELECT count(*) FROM otlp_evaluations(document)) IS NOT NULL) AS evaluations, count(*) FILTER (WHERE (SELECT count(*) FROM otlp_spans(document)) IS NOT NULL) AS spans,
       count(*) FILTER (WHERE (SELECT count(*) FROM otlp_skipped(document)) IS NOT NULL) AS skipped, count(*) FILTER (WHERE (SELECT count(*) FROM langfuse_scores(document)) IS NOT NULL) AS langfuse,
       count(*) FILTER (WHERE (SELECT count(*) FROM evaluation_scores(document)) IS NOT NULL) AS flat FROM damage;
-- no id that is no id, no result that says nothing, a source with every value, no value that is ambiguous
SELECT count(*) > 4000 AS many, count(*) FILTER (WHERE trace_id !~ '^[0-9a-f]{32}$' OR span_id !~ '^[0-9a-f]{16}$' OR parent_span_id !~ '^[0-9a-f]{16}$' OR target_span_id !~ '^[0-9a-f]{16}$' OR target_trace_id !~ '^[0-9a-f]{32}$') AS bad_ids,
       count(*) FILTER (WHERE name IS NULL OR coalesce(score::text, label, explanation, error) IS NULL) AS empty, count(*) FILTER (WHERE (label IS NULL) <> (labels IS NULL)) AS labels,
       count(*) FILTER (WHERE (customer_id IS NULL) <> (customer_source IS NULL OR customer_source = 'ambiguous') OR (session_id IS NULL) <> (session_source IS NULL OR session_source = 'ambiguous')) AS sources,
       count(*) FILTER (WHERE (evaluated_at IS NULL) <> (evaluated_nanos IS NULL)) AS times FROM damage, otlp_evaluations(document);
RESET client_min_messages;

-- ---- the time is linear in the document ----
-- a chain of 50,000 spans, a span with 20,000 events and links, a result with 50,000 labels
CREATE TEMP TABLE large AS SELECT 'chain' AS what, traces('{}', VARIADIC array_agg(ids('a', to_hex(i)) || jsonb_build_object('parentSpanId', lpad(to_hex(i - 1), 16, '0'), 'attributes',
        CASE i WHEN 1 THEN attributes('{"customer.id": "C"}') ELSE '[]' END) ORDER BY i)) AS document FROM generate_series(1, 50000) AS i
    UNION ALL SELECT 'star', traces('{}', span('a', '1', '{}', events(VARIADIC array_agg(event('{"gen_ai.evaluation.name": "e", "gen_ai.evaluation.score.value": 1}'))) || links(VARIADIC array_agg(ids('b', to_hex(i)))))) FROM generate_series(1, 20000) AS i
    UNION ALL SELECT 'labels', traces('{}', span('a', '1', result('e', jsonb_build_object('gen_ai.evaluation.score.label', (SELECT jsonb_agg('x' || i) FROM generate_series(1, 50000) AS i)::text))));
SET statement_timeout = '20s';
SELECT what, count(*), count(DISTINCT customer_source), min(customer_id) FROM large, otlp_spans(document) GROUP BY what ORDER BY what COLLATE "C";
SELECT what, count(*), min(target_by), max(cardinality(labels)) FROM large, otlp_evaluations(document) GROUP BY what ORDER BY what COLLATE "C";
RESET statement_timeout;
