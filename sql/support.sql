-- Tone, scales and names of evaluators, first contact resolution, survey scores, agreement.
\set VERBOSITY terse
SET timezone = 'UTC';
SET datestyle = 'ISO';
-- SQLSTATE, message, detail and hint of a statement that must fail
CREATE FUNCTION support_failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN format('%s: %s | %s | %s', SQLSTATE, SQLERRM, detail, hint);
END $$;

-- Tone -----------------------------------------------------------------------------------------------------------------
SELECT labels, is_frustrated(labels) FROM (VALUES ('{joy,annoyance}'::text[]), ('{ANGER}'), ('{"  Frustrated "}'), (E'{"\tfrustration\n"}'),
    ('{joy,love}'), ('{angers}'), ('{ange}'), ('{}'), ('{NULL}'), ('{NULL,anger}'), ('{""}'), (NULL), ('{{joy,love},{fear,anger}}')) AS v (labels);
SELECT label, is_frustrated_label(label) FROM (VALUES ('Annoyance '), ('confusion'), (''), (NULL), ('annoyance anger')) AS v (label);
-- a set of one's own, which may differ from row to row; letters beyond ASCII have case too
SELECT is_frustrated('{sadness}', '{Sadness,fear}') AS mine, is_frustrated('{anger}', bad => '{sadness}') AS only_mine, is_frustrated('{anger}', '{}') AS nothing_is_bad,
       is_frustrated('{anger}', '{NULL}') AS nulls_are_nothing, is_frustrated('{anger}', NULL) AS unknown, is_frustrated_label('AERGER', '{aerger}') AS case_of_mine;
SELECT bad, is_frustrated('{joy}', bad), is_frustrated_label('joy', bad) FROM (VALUES ('{joy}'::text[]), ('{love}'), (NULL), ('{love,JOY}')) AS v (bad);
PREPARE frustrated (text[]) AS SELECT count(*) FILTER (WHERE is_frustrated(ARRAY[label], $1)) AS n FROM (VALUES ('joy'), ('anger'), ('fear')) AS v (label);
EXECUTE frustrated ('{joy,fear}');
EXECUTE frustrated ('{Anger}');
DO $$
DECLARE
    bad text[]; answer text = '';
BEGIN
    FOREACH bad SLICE 1 IN ARRAY ARRAY[['joy', 'love'], ['anger', 'fear'], ['fear', 'JOY']] LOOP
        answer := answer || CASE WHEN is_frustrated('{joy}', bad) THEN ' bad' ELSE ' good' END;
    END LOOP;
    RAISE NOTICE 'joy is%', answer;
END $$;

-- Names ----------------------------------------------------------------------------------------------------------------
SELECT name, evaluator_key(name) FROM (VALUES ('CustomerAgentConversationQuality'), ('customer_agent_conversation_quality'), ('customer-agent-conversation-quality'),
    ('Customer Agent:  Conversation Quality'), ('customerAgentConversationQuality'), ('CUSTOMER_AGENT_CONVERSATION_QUALITY'), ('LLMJudge'), ('JudgeLLM'), ('LLM'),
    ('XMLHttpRequest'), ('GPT4Judge'), ('F1Score'), ('f1_score'), ('Top2Box'), ('A'), ('aB'), ('AB'), ('ABc'), ('__tone__'), ('gen_ai.evaluation.tone'), ('tone2'), ('2tone'),
    ('ueberMass'), ('--'), (''), (NULL)) AS v (name);
-- the key of a key is itself
SELECT count(*) FILTER (WHERE evaluator_key(evaluator) <> evaluator OR evaluator_key(initcap(replace(evaluator, '_', ' '))) <> evaluator
                           OR evaluator_key(replace(initcap(replace(evaluator, '_', ' ')), ' ', '')) <> evaluator) AS wrong, count(*) - count(DISTINCT evaluator) AS double
FROM evaluator_scales();

-- Scales ---------------------------------------------------------------------------------------------------------------
SELECT evaluator, kind, low, high, higher_is_better, labels FROM evaluator_scales();
-- every row can be used as it is
SELECT count(*) FILTER (WHERE kind IN ('score', 'boolean') AND NOT (normalize_score(low, low, high, higher_is_better) = 1 - higher_is_better::int AND normalize_score(high, low, high, higher_is_better) = higher_is_better::int)) AS no_scale,
       count(*) FILTER (WHERE kind = 'label' AND (labels IS NULL OR low IS NOT NULL)) AS no_labels, count(*) FILTER (WHERE kind NOT IN ('score', 'label', 'boolean') OR note IS NULL) AS no_kind
FROM evaluator_scales();
SELECT score, normalize_score(score, 1, 5) AS up, normalize_score(score, 1, 5, higher_is_better => false) AS down, score_in_range(score, 1, 5)
FROM (VALUES (1::float8), (2), (4.5), (5), (0), (5.0000001), ('NaN'), ('infinity'), ('-infinity'), (NULL)) AS v (score);
SELECT normalize_score(92, 0, 100) AS percent, normalize_score(-1, -2, 2) AS negative, normalize_score(3::numeric, 1::bigint, 5::smallint) AS any_number, normalize_score(1, NULL, 5) AS unknown,
       normalize_score(1, 1, 5, NULL) AS unknown_direction, score_in_range(NULL, 1, 5) AS no_score;
SELECT support_failure(format('SELECT %s', call)) FROM (VALUES ('normalize_score(3, 5, 1)'), ('normalize_score(1, 1, 1)'), ('normalize_score(1, ''NaN'', 5)'), ('normalize_score(1, 1, ''infinity'')'),
    ('normalize_score(0, -1.7e308, 1.7e308)'), ('score_in_range(3, 5, 1)'), ('normalize_score(NULL, 5, 1)')) AS v (call);

-- Wilson's interval ----------------------------------------------------------------------------------------------------
-- Newcombe 1998, method 3, prints .2553-.3662, .0624-.1605, .0000-.1611, .0061-.1718; here to 17 digits
SELECT successes, n, abs(conf_low - low) <= 1e-12 AND abs(conf_high - high) <= 1e-12 AND estimate = successes::float8 / n AS right
FROM (VALUES (81, 263, 0.25528851987827423, 0.36620957698280007), (15, 148, 0.062386399530736280, 0.16048724172330804), (0, 20, 0.0, 0.16112515805281939),
    (1, 29, 0.0061132142927626605, 0.17175521879320288)) AS v (successes, n, low, high), wilson_interval(successes, n);
SELECT n, estimate, conf_low = 0 AS from_0, conf_high = 1 AS to_1 FROM (VALUES (0, 7), (7, 7), (0, 0)) AS v (x, n), wilson_interval(x, n);
SELECT round(conf_low::numeric, 6) AS low, round(conf_high::numeric, 6) AS high FROM wilson_interval(3, 7, conf => 0.5);
SELECT count(*) AS rows_of_null FROM wilson_interval(NULL, 7);
SELECT support_failure(format('SELECT * FROM wilson_interval(%s)', arguments)) FROM (VALUES ('-1, 5'), ('6, 5'), ('0, -1'), ('1, 5, 95'), ('1, 5, 0'), ('1, 5, 1'), ('1, 5, ''NaN''')) AS v (arguments);
-- Newcombe 1998, method 10, prints .0524 to .3339 for 56/70 - 48/80; here to 17 digits
SELECT abs(difference - 0.2) < 1e-15 AS difference, abs(conf_low / 0.052431472402364878 - 1) < 1e-9 AS low, abs(conf_high / 0.33387265403690598 - 1) < 1e-9 AS high FROM share_difference(56, 70, 48, 80);
-- and .1705 to .8090, .0582 to .8062, -.0381 to .1926, -.1611 to .2775, -.2775 to .2775, .6791 to 1, .6075 to 1
SELECT x1, n1, x2, n2, round(difference::numeric, 4) AS difference, round(conf_low::numeric, 4) AS low, round(conf_high::numeric, 4) AS high
FROM (VALUES (9, 10, 3, 10), (6, 7, 2, 7), (5, 56, 0, 29), (0, 10, 0, 20), (0, 10, 0, 10), (10, 10, 0, 20), (10, 10, 0, 10)) AS v (x1, n1, x2, n2), share_difference(x1, n1, x2, n2);
-- the other way round: the mirror image
SELECT (a.difference, a.conf_low, a.conf_high) = (-b.difference, -b.conf_high, -b.conf_low) AS mirrored, c.conf_high < a.conf_high AS narrower
FROM share_difference(30, 40, 7, 35) AS a, share_difference(7, 35, 30, 40) AS b, share_difference(30, 40, 7, 35, conf => 0.5) AS c;
SELECT s.* FROM (VALUES (0, 0, 3, 4), (3, 4, 0, 0)) AS v (x1, n1, x2, n2), share_difference(x1, n1, x2, n2) AS s;
SELECT count(*) AS rows_of_null FROM share_difference(1, 2, NULL, 4);
SELECT support_failure(format('SELECT * FROM share_difference(%s)', arguments)) FROM (VALUES ('6, 5, 1, 5'), ('1, 5, -1, 5'), ('1, 5, 6, 5'), ('1, 5, 1, 5, 95')) AS v (arguments);

-- First contact resolution ---------------------------------------------------------------------------------------------
-- By hand, window 7 days, data complete up to 2026-01-31 00:00:
--   ann   01-01 returns on 01-08 at the same hour, which is within; 01-08 has a follow-up by the agent on 01-09, which is no return: resolved;
--         01-09 was not the customer's: no result
--   bob   01-01 resolved: back one second after the week; 01-08 resolved: back 01-20; 01-20 returns on 01-22; 01-22 on 01-24;
--         the week of 01-24 00:00 ends on 01-31 00:00, just seen: resolved
--   cid   01-24 00:00:01 is one second short of a week: censored; 01-31 00:00:00.5 lies behind the data: no result, and no return
--   dora  01-30 is back on 01-31, but its week is not over: censored; 01-31 is censored
--   eve   twice at the same time: the later row is the return; an unknown initiator is no return
CREATE TABLE contacts (id int, customer text, at timestamptz, by_customer boolean, expected boolean);
INSERT INTO contacts VALUES (1, 'ann', '2026-01-01 10:00', true, false), (2, 'ann', '2026-01-08 10:00', true, true), (3, 'ann', '2026-01-09 10:00', false, NULL),
    (4, 'bob', '2026-01-01 10:00', true, true), (5, 'bob', '2026-01-08 10:00:01', true, true), (6, 'bob', '2026-01-20', true, false), (7, 'bob', '2026-01-22', true, false),
    (8, 'bob', '2026-01-24', true, true), (9, 'cid', '2026-01-24 00:00:01', true, NULL), (10, 'cid', '2026-01-31 00:00:00.5', true, NULL), (11, 'dora', '2026-01-30', true, NULL),
    (12, 'dora', '2026-01-31', true, NULL), (13, 'eve', '2026-01-05', true, false), (14, 'eve', '2026-01-05', true, true), (15, 'eve', '2026-01-06', NULL, NULL), (16, 'eve', NULL, true, NULL);
SELECT id, customer, at, by_customer, first_contact_resolved(at, '2026-01-31', by_customer) OVER w AS resolved,
       first_contact_resolved(at, '2026-01-31', by_customer) OVER w IS NOT DISTINCT FROM expected AS right
FROM contacts WINDOW w AS (PARTITION BY customer ORDER BY at, id) ORDER BY id;
-- the rate over those that can be judged
SELECT count(*) FILTER (WHERE resolved) AS resolved, count(resolved) AS judged, count(*) FILTER (WHERE by_customer) AS contacts
FROM (SELECT by_customer, first_contact_resolved(at, '2026-01-31', by_customer) OVER (PARTITION BY customer ORDER BY at, id) AS resolved FROM contacts) AS c;
-- dora's week ends on 02-06 00:00: only then is her return counted, with those who had the same time to come back; and 01-31 a day later
SELECT until, id, first_contact_resolved(at, until, by_customer) OVER (PARTITION BY until ORDER BY at, id) AS resolved
FROM contacts, (VALUES (timestamptz '2026-02-05 23:59:59.999999'), ('2026-02-06'), ('2026-02-07')) AS v (until) WHERE customer = 'dora' ORDER BY until, id;
-- defaults and names of arguments; the frame makes no difference
SELECT count(*) FILTER (WHERE a IS DISTINCT FROM b) AS frames, count(*) FILTER (WHERE a IS DISTINCT FROM c) AS named FROM (
    SELECT first_contact_resolved(at, '2026-01-31') OVER (PARTITION BY customer ORDER BY at, id) AS a,
           first_contact_resolved(at, '2026-01-31') OVER (PARTITION BY customer ORDER BY at, id ROWS BETWEEN CURRENT ROW AND CURRENT ROW) AS b,
           first_contact_resolved(at, repeat_within => '168 hours', data_until => '2026-01-31', customer_initiated => true) OVER (PARTITION BY customer ORDER BY at, id) AS c FROM contacts) AS s;
-- a day has 24 hours, also where the clock changes
SET timezone = 'Europe/Vienna';
SELECT at, first_contact_resolved(at, '2026-05-01', repeat_within => '1 day') OVER (ORDER BY at) FROM (VALUES (timestamptz '2026-03-28 12:00'), ('2026-03-29 13:00'), ('2026-03-30 13:00:01')) AS v (at);
SET timezone = 'UTC';
-- arguments may change from row to row; a NULL gives NULL
SELECT at, until, within, first_contact_resolved(at, until, true, within) OVER (ORDER BY at)
FROM (VALUES (timestamptz '2026-01-01', timestamptz '2026-02-01', interval '1 day'), ('2026-01-02', '2026-02-01', '12 hours'), ('2026-01-03', NULL, '1 day'), ('2026-01-04', '2026-02-01', NULL),
    ('2026-01-05', '2026-01-05', '1 day')) AS v (at, until, within);
-- times before the first with a value
SELECT id, first_contact_resolved(at, '2026-01-31', by_customer) OVER (ORDER BY at NULLS FIRST, id) FROM contacts WHERE customer = 'eve' ORDER BY id;
-- random contacts, with ties, contacts of the agent's, unknown initiators and unknown times, against the definition
SELECT setseed(0.5);
CREATE TABLE many AS
SELECT id, (random() * 40)::int AS customer, (random() * 2)::int AS topic, CASE WHEN random() < 0.97 THEN timestamptz '2026-01-01' + (random() * 1000)::int * interval '3 hours' END AS at,
       CASE WHEN random() < 0.95 THEN random() < 0.7 END AS by_customer
FROM generate_series(1, 3000) AS id;
SELECT within, count(*) FILTER (WHERE c.resolved IS DISTINCT FROM d.resolved) AS wrong, count(*) FILTER (WHERE c.resolved) AS resolved, count(*) FILTER (WHERE NOT c.resolved) AS returned,
       count(*) FILTER (WHERE c.resolved IS NULL) AS not_judged
FROM (VALUES (interval '7 days'), ('30 days'), ('3 hours'), ('1 hour')) AS w (within),
LATERAL (SELECT id, first_contact_resolved(at, '2026-04-15', by_customer, within) OVER (PARTITION BY customer, topic ORDER BY at, id) AS resolved FROM many) AS c
JOIN LATERAL (
    SELECT a.id, CASE WHEN a.by_customer AND a.at + within <= '2026-04-15'
                      THEN NOT EXISTS (SELECT FROM many AS b WHERE b.customer = a.customer AND b.topic = a.topic AND b.by_customer AND (b.at, b.id) > (a.at, a.id) AND b.at <= a.at + within)
                      END AS resolved FROM many AS a) AS d USING (id)
GROUP BY within ORDER BY within;
-- and against the form that reads a history
SELECT count(*) AS groups, count(*) FILTER (WHERE f.judged <> w.judged OR f.resolved <> w.resolved) AS wrong
FROM (SELECT customer, topic, interaction_history(at, 1) FILTER (WHERE by_customer) AS history FROM many GROUP BY customer, topic) AS h, LATERAL first_contact_resolution(history, '2026-04-15') AS f
JOIN LATERAL (
    SELECT count(resolved) AS judged, count(*) FILTER (WHERE resolved) AS resolved
    FROM (SELECT first_contact_resolved(at, '2026-04-15', by_customer) OVER (ORDER BY at) AS resolved FROM many AS m WHERE (m.customer, m.topic) = (h.customer, h.topic)) AS c) AS w ON true;
-- one long partition in which nobody comes back, and one in which all do
SELECT count(*) FILTER (WHERE resolved) AS resolved, count(resolved) AS judged FROM (
    SELECT first_contact_resolved(timestamptz '2020-01-01' + i * interval '1 minute', '2026-01-01', i % 10000 = 0, '6 days') OVER (ORDER BY i) AS resolved FROM generate_series(0, 50000) AS i) AS s;
SELECT count(*) FILTER (WHERE resolved) AS resolved, count(resolved) AS judged FROM (
    SELECT first_contact_resolved(timestamptz '2020-01-01' + i * interval '1 minute', '2026-01-01') OVER (ORDER BY i) AS resolved FROM generate_series(0, 50000) AS i) AS s;
SELECT support_failure(format('SELECT count(r) FROM (SELECT first_contact_resolved(%s) AS r FROM contacts) AS s', call)) FROM (VALUES
    ('at, ''2026-01-31'') OVER (ORDER BY id'), ('at, ''2026-01-31'') OVER (PARTITION BY customer ORDER BY at DESC'), ('at, ''2026-01-31'', false) OVER (PARTITION BY customer ORDER BY at DESC NULLS LAST'),
    ('at, ''2026-01-31'', repeat_within => ''1 month'') OVER (ORDER BY at'), ('at, ''2026-01-31'', repeat_within => ''0 days'') OVER (ORDER BY at'),
    ('at, ''2026-01-31'', repeat_within => ''-1 hour'') OVER (ORDER BY at'), ('at, ''infinity'') OVER (ORDER BY at'), ('''-infinity'', ''2026-01-31'') OVER (ORDER BY at')) AS v (call);
SELECT first_contact_resolved(at, '2026-01-31') FROM contacts;

-- Surveys --------------------------------------------------------------------------------------------------------------
-- 120 promoters, 30 detractors and 50 others: 45 points, 100 sqrt((.6 + .15 - .45^2) / 200) = 5.2321123841140874
CREATE TABLE answers AS SELECT CASE WHEN i <= 60 THEN 9 WHEN i <= 120 THEN 10 WHEN i <= 140 THEN 0 WHEN i <= 150 THEN 6 WHEN i <= 170 THEN 7 ELSE 8 END AS score FROM generate_series(1, 200) AS i;
SELECT n, estimate, abs(std_error - 5.2321123841140874) <= 1e-12 AND abs(conf_low - 34.745248164070390) <= 1e-12 * 35 AND abs(conf_high - 55.254751835929610) <= 1e-12 * 55 AS right
FROM (SELECT survey_sample(score) AS s FROM answers) AS a, nps(s);
SELECT survey_sample(score), nps(score), nps(score::numeric) AS of_numeric FROM answers;
-- the borders of the groups
SELECT score, nps(score), csat(score) FILTER (WHERE score BETWEEN 1 AND 5), ces(score) FILTER (WHERE score BETWEEN 1 AND 7) FROM generate_series(0, 10) AS score GROUP BY score ORDER BY score;
-- shares: 3 of 8 are 4 or 5; 5 of 8 are 5 to 7
SELECT n, estimate, std_error = sqrt(0.375 * 0.625 / 8) AS binomial, (SELECT (w.conf_low, w.conf_high) FROM wilson_interval(3, 8) AS w) = (conf_low, conf_high) AS wilson
FROM (SELECT survey_sample(score) AS s FROM unnest(ARRAY[1, 2, 3, 3, 1, 4, 5, 5, NULL]) AS score) AS a, csat(s);
SELECT n, estimate, round(conf_low::numeric, 4) AS low, round(conf_high::numeric, 4) AS high FROM (SELECT survey_sample(score) AS s FROM unnest(ARRAY[1, 2, 4, 5, 6, 7, 7, 7]) AS score) AS a, ces(s, 0.9);
-- NULLs are skipped; nobody answered: NULL, and no row or a row of NULLs
SELECT nps(score), csat(score), ces(score), survey_sample(score) FROM (VALUES (NULL::int)) AS v (score);
SELECT nps(score) AS of_nothing FROM answers WHERE false;
SELECT count(*) AS rows_of_null FROM nps(NULL::clv_sample);
SELECT * FROM nps('rating{}'::clv_sample), csat('rating{}'::clv_sample), ces('rating{}'::clv_sample);
-- stored, merged, in parts and in any order
SELECT clv_sample(s) = (SELECT survey_sample(score) FROM answers) AS same, count(*) AS parts FROM (SELECT survey_sample(score ORDER BY score DESC) AS s FROM answers GROUP BY score % 3) AS p;
SELECT s, i.kind, i.n, i.n_distinct FROM (SELECT survey_sample(v) AS s FROM unnest(ARRAY[-0.0::float8, 0, 4.5, 1e300]) AS v) AS a, sample_info(s) AS i;
SELECT support_failure(format('SELECT %s', call)) FROM (VALUES ('nps(11)'), ('nps(-1)'), ('nps(8.5)'), ('csat(0)'), ('csat(4.5)'), ('csat(6)'), ('ces(0)'), ('ces(8)'), ('survey_sample(''NaN''::float8)'),
    ('nps(''infinity''::float8)'), ('nps(''rating{3,11*4}''::clv_sample)'), ('csat(''agreement{0:1}''::clv_sample)'), ('nps(''rating{3}''::clv_sample, 1.5)'), ('nps(survey_sample(3), 0)')) AS v (call);

-- Agreement ------------------------------------------------------------------------------------------------------------
-- SAS/STAT prints kappa 0.4842, ASE 0.1380 and 0.2137 to 0.7547 for the first; R's statpsych 0.6756757, 0.07344761 and 0.5317210 to 0.8196303
-- for the second; Fleiss 1981 has 0.68 for the third
SELECT n, round(observed::numeric, 4) AS observed, round(expected::numeric, 4) AS expected, round(kappa::numeric, 7) AS kappa, round(std_error::numeric, 8) AS std_error, round(conf_low::numeric, 7) AS conf_low,
       round(conf_high::numeric, 7) AS conf_high
FROM (VALUES (1, 'agreement{1:2*4,1:3,2:2*8,3:2,3:3*5}'::clv_sample), (2, 'agreement{0:0*31,0:1*12,1:0*4,1:1*58}'), (3, 'agreement{1:1*75,1:2,1:3*4,2:1*5,2:2*4,2:3,3:3*10}')) AS v (i, s), cohen_kappa(s) ORDER BY i;
CREATE TABLE pairs AS SELECT a = 1 AS a, b = 1 AS b, a AS i, b AS j FROM (VALUES (0, 0, 31), (0, 1, 12), (1, 0, 4), (1, 1, 58)) AS v (a, b, times), generate_series(1, times);
INSERT INTO pairs VALUES (NULL, true, 3, NULL), (false, NULL, NULL, 4), (NULL, NULL, NULL, NULL);
SELECT cohen_kappa(a, b) = 25.0 / 37 AS booleans, cohen_kappa(i, j) = cohen_kappa(a, b) AS integers, agreement_sample(a, b) = agreement_sample(i, j) AS same_sample, agreement_sample(a, b) FROM pairs;
SELECT clv_sample(s) = (SELECT agreement_sample(a, b) FROM pairs) AS merged FROM (SELECT agreement_sample(a, b) AS s FROM pairs GROUP BY a) AS p;
-- the other way round kappa is the same; negative and distant categories
SELECT cohen_kappa(b, a) = cohen_kappa(a, b) AS symmetric FROM pairs;
SELECT cohen_kappa(i, j), agreement_sample(i, j) FROM (VALUES (-2147483648, -2147483648), (2147483647, 2147483647), (0, 5), (5, 0)) AS v (i, j);
SELECT conf_high - conf_low < 0.25 AS narrower FROM (SELECT agreement_sample(a, b) AS s FROM pairs) AS p, cohen_kappa(s, conf => 0.9);
-- no pairs; all of one category: not defined
SELECT cohen_kappa(a, b), agreement_sample(a, b) FROM pairs WHERE a IS NULL;
SELECT * FROM cohen_kappa('agreement{}'::clv_sample);
SELECT count(*) AS rows_of_null FROM cohen_kappa(NULL::clv_sample);
\set VERBOSITY default
SELECT cohen_kappa(true, true) FROM generate_series(1, 3);
SELECT * FROM cohen_kappa('agreement{7:7*3}'::clv_sample);
\set VERBOSITY terse
SELECT support_failure(format('SELECT %s', call)) FROM (VALUES ('cohen_kappa(''rating{1}''::clv_sample)'), ('cohen_kappa(''agreement{1:1}''::clv_sample, 95)'), ('cohen_kappa(i, 0) FROM generate_series(1, 1001) AS i'),
    ('''agreement{0.5:1}''::clv_sample'), ('''agreement{1e300:1}''::clv_sample'), ('''agreement{1}''::clv_sample'), ('''rating{1:1}''::clv_sample'), ('''rating(n=1){1}''::clv_sample'),
    ('clv_sample_combine(''rating{1}'', ''agreement{1:1}'')')) AS v (call);
-- serial and parallel agree
CREATE FUNCTION in_parallel(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text; line text; workers boolean := false;
BEGIN
    PERFORM set_config('parallel_setup_cost', '0', true), set_config('parallel_tuple_cost', '0', true), set_config('min_parallel_table_scan_size', '0', true),
            set_config('max_parallel_workers_per_gather', '2', true);
    FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
        workers := workers OR line LIKE '%Partial%Aggregate%';
    END LOOP;
    EXECUTE query INTO answer;
    RETURN CASE WHEN workers THEN answer ELSE 'not parallel' END;
END $$;
SELECT in_parallel('SELECT (nps(score), survey_sample(score))::text FROM answers') = (nps(score), survey_sample(score))::text AS nps FROM answers;
SELECT in_parallel('SELECT (cohen_kappa(a, b), cohen_kappa(i, j), agreement_sample(i, j))::text FROM pairs') = (cohen_kappa(a, b), cohen_kappa(i, j), agreement_sample(i, j))::text AS kappa FROM pairs;
-- text is read back as the same bytes
CREATE TABLE samples AS SELECT survey_sample(score) AS s FROM answers UNION ALL SELECT agreement_sample(i, j) FROM pairs UNION ALL SELECT 'rating{}' UNION ALL SELECT 'agreement{-3:4*2}';
SELECT count(*) FILTER (WHERE s::text::clv_sample = s) AS text, count(*) FILTER (WHERE clv_sample_send(s) = clv_sample_send(s::text::clv_sample)) AS bytes, count(*) AS samples FROM samples;

DROP TABLE contacts, many, answers, pairs, samples;
DROP FUNCTION support_failure(text), in_parallel(text);
RESET timezone;
RESET datestyle;
