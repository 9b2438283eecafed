-- Type interaction_history, signals over the latest scored interactions, first contact resolution of a history, shrinkage.
-- Expected numbers are worked out by hand in the comment above each query.

SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';

-- SQLSTATE, message, detail and hint of a failing query
CREATE FUNCTION pg_temp.fails(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
    result text;
BEGIN
    EXECUTE 'SELECT (' || query || ')::text' INTO result;
    RETURN 'no error: ' || coalesce(result, 'NULL');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;

-- ---- text ----------------------------------------------------------------------------------------

SELECT '{2026-01-05T10:00:00Z=0.8,2026-01-07T09:30:00.25Z=1}'::interaction_history;
SELECT '(latest=6){2026-01-05T10:00:00Z=-2.5e-07}'::interaction_history, '{}'::interaction_history, '(latest=1000){}'::interaction_history;
-- white space around tokens, further decimals of zeros and -0 are read and not kept; the same interaction twice is two
SELECT E' ( latest=3 )\t{\n2026-01-05T10:00:00.250000Z = -0 , 2026-01-05T10:00:00.25Z=0.0,2026-01-05T10:00:00.3Z=1e2 } '::interaction_history;
-- the first and the last time, both sides of 2000, the largest and smallest scores
SELECT '{0001-01-01T00:00:00Z=-1.7976931348623157e+308,1999-12-31T23:59:59.999999Z=5e-324,2000-01-01T00:00:00Z=0.1,9999-12-31T23:59:59.999999Z=1}'::interaction_history;
SELECT at, score FROM interactions('{1999-12-31T23:59:59.999999Z=1,2000-01-01T00:00:00.000001Z=2,2024-02-29T12:34:56Z=3}');

SELECT t, pg_temp.fails(format('%L::interaction_history', t))
FROM (VALUES
    (''), (' '), ('{'), ('}'), ('{{}'), ('{} x'), ('{}}'), ('2026-01-05T10:00:00Z=1'), ('{2026-01-05T10:00:00Z=1'), ('{2026-01-05T10:00:00Z=1,}'), ('{,}'),
    ('{2026-01-05T10:00:00Z}'), ('{2026-01-05T10:00:00Z=}'), ('{2026-01-05T10:00:00Z:1}'), ('{2026-01-05T10:00:00Z=1;2026-01-06T10:00:00Z=1}'),
    -- times: as output writes them, existing, in bounds
    ('{2026-01-05=1}'), ('{2026-01-05 10:00:00Z=1}'), ('{2026-01-05T10:00Z=1}'), ('{2026-01-05T10:00:00=1}'), ('{2026-01-05T10:00:00+01=1}'), ('{2026-01-05T24:00:00Z=1}'),
    ('{2026-01-05T10:60:00Z=1}'), ('{2026-01-05T10:00:60Z=1}'), ('{2026-01-05T1:00:00Z=1}'), ('{2026-01-05T10:00:00.Z=1}'), ('{2026-01-05T10:00:00.1234567Z=1}'),
    ('{2026-02-29T10:00:00Z=1}'), ('{0000-01-05T10:00:00Z=1}'), ('{10000-01-05T10:00:00Z=1}'), ('{infinity=1}'), ('{now=1}'),
    -- scores: finite decimals
    ('{2026-01-05T10:00:00Z=NaN}'), ('{2026-01-05T10:00:00Z=inf}'), ('{2026-01-05T10:00:00Z=-Infinity}'), ('{2026-01-05T10:00:00Z=1e999}'), ('{2026-01-05T10:00:00Z=0x10}'),
    ('{2026-01-05T10:00:00Z=.5}'), ('{2026-01-05T10:00:00Z=+1}'), ('{2026-01-05T10:00:00Z=true}'), ('{2026-01-05T10:00:00Z=1 2}'),
    -- the stored form only: ascending by time and score, no more than are kept
    ('{2026-01-06T10:00:00Z=1,2026-01-05T10:00:00Z=1}'), ('{2026-01-05T10:00:00Z=1,2026-01-05T10:00:00Z=0.5}'),
    ('(latest=0){}'), ('(latest=1001){}'), ('(latest=-1){}'), ('(latest=6){'), ('(latest=6)'), ('(latest){}'), ('latest=6{}'), ('(LATEST=6){}'), ('(latest=99999999999999999999){}'),
    ('(latest=1){2026-01-05T10:00:00Z=1,2026-01-05T10:00:00Z=1}')) AS v(t);
-- from 16 on a bad value can be asked for without an error
SELECT CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'SELECT false AS valid'
    ELSE $$SELECT bool_or(pg_input_is_valid(t, 'interaction_history')) AS valid FROM (VALUES ('{'), ('{2026-01-05T10:00:00Z=NaN}'), ('(latest=0){}'), ('{2026-01-06T10:00:00Z=1,2026-01-05T10:00:00Z=1}')) AS v(t)$$ END AS query \gset
:query;

-- ---- building ------------------------------------------------------------------------------------

CREATE TEMP TABLE contacts (customer_id int, at timestamptz, score float8, resolved boolean);
INSERT INTO contacts VALUES
    -- 1: unsorted; three at one time; interactions without a score or a time
    (1, '2026-01-04 12:00', 0.5, true), (1, '2026-01-02 12:00', 1, false), (1, '2026-01-05 12:00', NULL, NULL), (1, '2026-01-03 12:00', 0.25, true),
    (1, '2026-01-04 12:00', 0.75, false), (1, NULL, 9, true), (1, '2026-01-04 12:00', -0.0, NULL), (1, '2026-01-01 12:00', 0, true),
    -- 2: one; 3: none that is scored
    (2, '2026-01-09 12:00', 0.125, false), (3, '2026-01-09 12:00', NULL, NULL);

SELECT customer_id, interaction_history(at, score) FROM contacts GROUP BY customer_id ORDER BY customer_id;
SELECT interaction_history(at, score) FROM contacts WHERE false;
-- the latest by (time, score): of the three on January 4 the larger scores
SELECT keep, interaction_history(at, score, keep) FROM contacts, generate_series(1, 4) AS keep WHERE customer_id = 1 GROUP BY keep ORDER BY keep;
-- customer 1: n = 1: 0.75; 2: 1.25 / 2; 3: 1.25 / 3; 4: 1.5 / 4; 5: 2.5 / 5; 6 and more: 2.5 / 6
SELECT customer_id, n, rolling_mean(score, at, n), rolling_count(score, at, n), rolling_resolution(score, at, n) = rolling_mean(score, at, n) AS same
FROM contacts, unnest(ARRAY[1, 2, 3, 4, 5, 6, 1000]) AS n GROUP BY customer_id, n ORDER BY customer_id, n;
SELECT customer_id, rolling_resolution(score, at) AS of_six, rolling_resolution(resolved, at) AS share_of_six FROM contacts GROUP BY customer_id ORDER BY customer_id;
-- flags of customer 1, true first where times are equal: n = 1: true (Jan 4); 2: true, false; 3: and true (Jan 3): 2/3; 4: and false (Jan 2): 2/4; 5: and true: 3/5
SELECT n, rolling_resolution(resolved, at, n), rolling_share(resolved, at, n), rolling_count(resolved, at, n), rolling_share(NOT resolved, at, n) AS others
FROM contacts, generate_series(1, 6) AS n WHERE customer_id = 1 GROUP BY n ORDER BY n;
-- dates and timestamps arrive as timestamptz, whole numbers and numeric as float8
SELECT rolling_mean(v, d, 2), rolling_mean(v::numeric, d::timestamp, 2), rolling_count(v, d, 2), interaction_history(d, v) FROM (VALUES (date '2026-01-01', 1), ('2026-01-02', 4), ('2026-01-03', 5)) AS t(d, v);
-- a mean of scores whose sum is out of range
SELECT rolling_mean(v, now(), 3) FROM (VALUES (1.7e308), (1.6e308), (1.5e308)) AS t(v);

-- what cannot be true
SELECT q, pg_temp.fails(format('(SELECT %s FROM (VALUES (1::float8, timestamptz ''2026-01-01'', true), (2, ''2026-01-02'', false)) AS t(v, at, flag))', q))
FROM (VALUES ('rolling_mean(v, at, 0)'), ('rolling_mean(v, at, -1)'), ('rolling_mean(v, at, 1001)'), ('rolling_mean(v, at, v::int)'), ('rolling_count(v, at, 0)'), ('rolling_share(flag, at, 0)'),
    ('rolling_resolution(flag, at, 1001)'), ('rolling_resolution(v, at, v::int)'), ('interaction_history(at, v, 0)'), ('interaction_history(at, v, v::int)'), ('rolling_mean(v, at, NULL)'),
    ('rolling_mean(''NaN''::float8, at, 6)'), ('rolling_count(''Infinity''::float8, at, 6)'), ('rolling_resolution(''-Infinity''::float8, at)'), ('interaction_history(at, ''NaN'')'),
    ('rolling_mean(v, ''infinity'', 6)'), ('rolling_share(flag, ''-infinity'', 6)'), ('interaction_history(''infinity'', v)'), ('interaction_history(timestamptz ''0001-12-31 BC'', v)'),
    ('interaction_history(timestamptz ''10000-01-01 00:00+00'', v)'), ('interaction_history(timestamptz ''9999-12-31 23:59:59.999999+00'', v)')) AS t(q);

-- ---- against the window-frame SQL ----------------------------------------------------------------

-- 500 customers with 0 to 40 interactions at 200 different times, every seventh without a score; scores are eighths, so
-- that sums are exact in any order
CREATE TABLE scored AS
SELECT n AS id, (n * 7919) % 500 AS customer_id, timestamptz '2026-01-01 00:00+00' + ((hashint8extended(n, 1) & 65535) % 200) * interval '7 hours' AS at,
    CASE WHEN n % 7 = 0 THEN NULL ELSE ((hashint8extended(n, 2) & 65535) % 9) / 8.0::float8 END AS score,
    CASE WHEN n % 5 = 0 THEN NULL ELSE (hashint8extended(n, 3) & 3) > 0 END AS flag
FROM generate_series(1, 10000) AS n WHERE n % 500 > n / 500;
ANALYZE scored;
SELECT n, count(*) AS customers, count(*) FILTER (WHERE (r.mean, r.count, r.share) IS DISTINCT FROM (s.mean, coalesce(s.count, 0), f.share)) AS wrong
FROM generate_series(1, 30, 7) AS n,
    LATERAL (SELECT customer_id, rolling_mean(score, at, n) AS mean, rolling_count(score, at, n) AS count, rolling_share(flag, at, n) AS share FROM scored GROUP BY customer_id) AS r
    LEFT JOIN LATERAL (SELECT customer_id, avg(score) FILTER (WHERE row <= n) AS mean, count(*) FILTER (WHERE row <= n) AS count
        FROM (SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY at DESC, score DESC) AS row FROM scored WHERE score IS NOT NULL) AS x GROUP BY customer_id) AS s USING (customer_id)
    LEFT JOIN LATERAL (SELECT customer_id, avg(flag::int::float8) FILTER (WHERE row <= n) AS share
        FROM (SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY at DESC, flag DESC) AS row FROM scored WHERE flag IS NOT NULL) AS x GROUP BY customer_id) AS f USING (customer_id)
GROUP BY n ORDER BY n;
-- scores that are not exact in binary: the same sum where plain SQL adds in the same order
SELECT count(*) AS customers, count(*) FILTER (WHERE r.mean <> s.mean) AS wrong
FROM (SELECT customer_id, rolling_mean(score / 3, at, 6) AS mean FROM scored GROUP BY customer_id) AS r
JOIN (SELECT customer_id, avg(score / 3 ORDER BY at, score) AS mean FROM (SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY at DESC, score DESC) AS row FROM scored WHERE score IS NOT NULL) AS x
      WHERE row <= 6 GROUP BY customer_id) AS s USING (customer_id);

-- OVER: at each interaction what was known by then, those of the same time included
SELECT count(*) AS rows, count(*) FILTER (WHERE (w.mean, w.count, w.resolution) IS DISTINCT FROM (s.mean, s.count, s.mean6)) AS wrong
FROM (SELECT customer_id, at, rolling_mean(score, at, 4) OVER known AS mean, rolling_count(score, at, 4) OVER known AS count, rolling_resolution(score, at) OVER known AS resolution
      FROM scored WHERE customer_id < 60 WINDOW known AS (PARTITION BY customer_id ORDER BY at)) AS w,
    LATERAL (SELECT avg(score) FILTER (WHERE row <= 4) AS mean, count(*) FILTER (WHERE row <= 4) AS count, avg(score) FILTER (WHERE row <= 6) AS mean6
        FROM (SELECT score, row_number() OVER (ORDER BY i.at DESC, score DESC) AS row FROM scored AS i WHERE i.customer_id = w.customer_id AND i.at <= w.at AND score IS NOT NULL) AS x) AS s;
-- frames of rows: the latest 3 scored of the last 6 interactions, and all before the row
SELECT count(*) AS rows, count(*) FILTER (WHERE (w.moving, w.before) IS DISTINCT FROM (m.mean, b.mean)) AS wrong
FROM (SELECT customer_id, row_number() OVER (PARTITION BY customer_id ORDER BY at, id) AS number,
          rolling_mean(score, at, 3) OVER (PARTITION BY customer_id ORDER BY at, id ROWS BETWEEN 5 PRECEDING AND CURRENT ROW) AS moving,
          rolling_mean(score, at, 3) OVER (PARTITION BY customer_id ORDER BY at, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
      FROM scored WHERE customer_id < 60) AS w,
    LATERAL (SELECT array_agg(i ORDER BY at, id) AS rows FROM scored AS i WHERE i.customer_id = w.customer_id) AS c,
    LATERAL (SELECT avg(score) AS mean FROM (SELECT r.score FROM unnest(c.rows[greatest(w.number - 5, 1):w.number]) AS r WHERE r.score IS NOT NULL ORDER BY r.at DESC, r.score DESC LIMIT 3) AS x) AS m,
    LATERAL (SELECT avg(score) AS mean FROM (SELECT r.score FROM unnest(c.rows[1:w.number - 1]) AS r WHERE r.score IS NOT NULL ORDER BY r.at DESC, r.score DESC LIMIT 3) AS x) AS b;

-- ---- merging -------------------------------------------------------------------------------------

SELECT '{2026-01-05T10:00:00Z=0.8}'::interaction_history + '{2026-01-05T10:00:00Z=0.8,2026-01-06T10:00:00Z=1}' AS twice,
    '(latest=2){2026-01-05T10:00:00Z=0.8,2026-01-07T10:00:00Z=0}'::interaction_history + '(latest=2){2026-01-01T10:00:00Z=1,2026-01-06T10:00:00Z=1}' AS latest;
-- an empty history that keeps all goes with every other
SELECT '{}'::interaction_history + '{}', '{}'::interaction_history + '(latest=2){2026-01-05T10:00:00Z=0.8}', '(latest=2){2026-01-05T10:00:00Z=0.8}'::interaction_history + '{}', '{}'::interaction_history + '(latest=2){}';
SELECT merge_interactions('{}', NULL) IS NULL AND merge_interactions(NULL, '{}') IS NULL AS strict;
SELECT q, pg_temp.fails(q) FROM (VALUES ('''{2026-01-05T10:00:00Z=0.8}''::interaction_history + ''(latest=2){}'''), ('''(latest=2){}''::interaction_history + ''{2026-01-05T10:00:00Z=0.8}'''),
    ('''(latest=2){}''::interaction_history + ''(latest=3){}'''), ('(SELECT interaction_history(h) FROM (VALUES (''(latest=2){2026-01-05T10:00:00Z=0.8}''::interaction_history), (''(latest=3){2026-01-05T10:00:00Z=0.8}'')) AS v(h))')) AS v(q);
-- the roll-up: NULL and empty ones on either side
SELECT interaction_history(h) FROM (VALUES (NULL::interaction_history), ('{}'), (NULL), ('{2026-01-05T10:00:00Z=0.8}'), ('{}'), (NULL)) AS v(h);
SELECT interaction_history(h) FROM (VALUES (NULL::interaction_history), ('{}'), ('{}')) AS v(h);
SELECT interaction_history(h) FROM (VALUES (NULL::interaction_history), (NULL)) AS v(h);
-- parts in any order, of all and of the latest, equal the whole
CREATE TABLE parts AS
SELECT customer_id, part, interaction_history(at, score) AS h, interaction_history(at, score, 4) AS latest FROM (SELECT *, (hashint8extended(id, 5) & 7) AS part FROM scored) AS s GROUP BY customer_id, part;
SELECT count(*) AS customers, count(*) FILTER (WHERE (p.a, p.b, p.la, p.lb) IS DISTINCT FROM (w.h, w.h, w.latest, w.latest)) AS wrong
FROM (SELECT customer_id, interaction_history(h ORDER BY part) AS a, interaction_history(h ORDER BY part DESC) AS b, interaction_history(latest ORDER BY part) AS la, interaction_history(latest ORDER BY hashint4(part::int)) AS lb
      FROM parts GROUP BY customer_id) AS p
JOIN (SELECT customer_id, interaction_history(at, score) AS h, interaction_history(at, score, 4) AS latest FROM scored GROUP BY customer_id) AS w USING (customer_id);
SELECT count(*) FILTER (WHERE a.h + b.h IS DISTINCT FROM b.h + a.h OR a.latest + b.latest IS DISTINCT FROM b.latest + a.latest OR (a.h + b.h) + a.h IS DISTINCT FROM a.h + (b.h + a.h)) AS wrong
FROM parts AS a JOIN parts AS b USING (customer_id) WHERE customer_id < 100;
-- adding to a state that keeps the latest leaves the state alone outside an aggregate
SELECT h, clv_rolling_add(h, '2026-02-01', 1, 2), h AS unchanged FROM (VALUES ('(latest=2){2026-01-01T10:00:00Z=1,2026-01-06T10:00:00Z=1}'::interaction_history)) AS v(h);

-- ---- reading -------------------------------------------------------------------------------------

CREATE TEMP TABLE history AS SELECT customer_id, interaction_history(at, score) AS h FROM contacts GROUP BY customer_id;
-- customer 1: 0 (Jan 1), 1 (Jan 2), 0.25 (Jan 3), 0, 0.5, 0.75 (Jan 4), all at 12:00
SELECT as_of, rolling_mean(h, as_of, 2), rolling_count(h, as_of, 2), rolling_mean(h, as_of, 6) AS mean_of_six, rolling_count(h, as_of, 6), interaction_count(h, as_of), last_interaction(h, as_of)
FROM history, (VALUES (timestamptz '2026-01-01 11:59:59.999999+00'), ('2026-01-01 12:00+00'), ('2026-01-03 12:00+00'), ('2026-01-04 12:00+00'), ('2027-01-01 00:00+00')) AS v(as_of) WHERE customer_id = 1 ORDER BY as_of;
SELECT rolling_mean('{}'::interaction_history, now(), 6), rolling_count('{}'::interaction_history, now(), 6), interaction_count('{}', now()), last_interaction('{}', now()), rolling_mean(NULL::interaction_history, now(), 6);
-- a stored history read at any time is the aggregate of what happened by then
SELECT count(*) AS reads, count(*) FILTER (WHERE (r.mean, r.count, r.n, r.last) IS DISTINCT FROM (s.mean, s.count, s.n, s.last)) AS wrong
FROM (SELECT customer_id, interaction_history(at, score) AS h FROM scored WHERE customer_id < 100 GROUP BY customer_id) AS c, generate_series(timestamptz '2025-12-31 00:00+00', '2026-03-10 00:00+00', interval '133 hours') AS as_of,
    LATERAL (SELECT rolling_mean(h, as_of, 5) AS mean, rolling_count(h, as_of, 5) AS count, interaction_count(h, as_of) AS n, last_interaction(h, as_of) AS last) AS r,
    LATERAL (SELECT rolling_mean(score, at, 5) AS mean, rolling_count(score, at, 5) AS count, count(score) AS n, max(at) FILTER (WHERE score IS NOT NULL) AS last FROM scored AS i WHERE i.customer_id = c.customer_id AND i.at <= as_of) AS s;

-- (after, until]
SELECT after, until, slice(h, after, until) FROM history, (VALUES (timestamptz '2026-01-01 12:00+00', timestamptz '2026-01-03 12:00+00'), ('-infinity', '2026-01-01 12:00+00'), ('2026-01-03 12:00+00', 'infinity'), ('2026-01-02 00:00+00', '2026-01-02 00:00+00')) AS v(after, until) WHERE customer_id = 1;
SELECT bool_and(slice(h, '-infinity', t) + slice(h, t, 'infinity') = h) FROM history, generate_series(timestamptz '2025-12-31 00:00+00', '2026-01-10 00:00+00', interval '6 hours') AS t;
SELECT i.* FROM history, interactions(h) AS i WHERE customer_id = 1;
SELECT count(*) FROM interactions('{}');

-- What a history of the latest three has forgotten is an error, not another number: it kept 0, 0.5, 0.75 of January 4.
CREATE TEMP TABLE kept AS SELECT interaction_history(at, score, 3) AS h FROM contacts WHERE customer_id = 1;
SELECT rolling_mean(h, '2026-01-05', 3), rolling_mean(h, '2026-01-05', 2), rolling_count(h, '2026-01-05', 3), last_interaction(h, '2026-01-05'), slice(h, '2026-01-01', '2026-01-05'), slice(h, '2026-01-05', '2026-01-06') FROM kept;
SELECT q, pg_temp.fails(format('(SELECT %s FROM kept)', q)) FROM (VALUES ('rolling_mean(h, ''2026-01-03'', 3)'), ('rolling_count(h, ''2026-01-03'', 1)'), ('rolling_mean(h, ''2026-01-05'', 4)'), ('interaction_count(h, ''2026-01-05'')'),
    ('last_interaction(h, ''2026-01-03'')'), ('slice(h, ''-infinity'', ''2026-01-03'')'), ('(first_contact_resolution(h, ''2026-01-05'')).rate')) AS v(q);
-- with fewer than it keeps nothing was forgotten
SELECT rolling_mean(h, '2026-01-03', 3), interaction_count(h, '2026-01-05'), last_interaction(h, '2026-01-03'), slice(h, '-infinity', '2026-01-03') FROM (SELECT interaction_history(at, score, 7) AS h FROM contacts WHERE customer_id = 1) AS v;

SELECT q, pg_temp.fails(q) FROM (VALUES ('rolling_mean(''{}''::interaction_history, ''infinity'', 6)'), ('rolling_count(''{}''::interaction_history, ''-infinity'', 6)'), ('interaction_count(''{}'', ''infinity'')'), ('last_interaction(''{}'', ''infinity'')'),
    ('rolling_mean(''{}''::interaction_history, now(), 0)'), ('rolling_mean(''{}''::interaction_history, now(), 1001)'), ('slice(''{}''::interaction_history, timestamptz ''2026-01-02 00:00+00'', ''2026-01-01 00:00+00'')'),
    ('slice(''{}''::interaction_history, ''infinity'', ''-infinity'')')) AS v(q);

-- ---- first contact resolution --------------------------------------------------------------------

-- January 1 comes back on the 3rd; the 3rd on the 10th, at the last instant of its seven days; the 10th on the 17th, one
-- microsecond too late, so it was resolved; the 17th on the 20th; the 20th never. The windows end on the 8th, the 10th,
-- the 17th, the 24th (one microsecond past 9:00) and the 27th: a contact is judged from then on, whether it came back or not.
CREATE TEMP TABLE calls (customer_id int, topic text, at timestamptz, by_customer boolean);
INSERT INTO calls VALUES (1, 'bill', '2026-01-01 10:00', true), (1, 'bill', '2026-01-03 09:00', true), (1, 'bill', '2026-01-10 09:00', true), (1, 'bill', '2026-01-17 09:00:00.000001', true), (1, 'bill', '2026-01-20 09:00', true),
    (1, 'bill', '2026-01-12 09:00', false), (2, 'bill', '2026-01-05 09:00', true), (2, 'move', '2026-01-06 09:00', true), (3, 'bill', '2026-01-05 09:00', false);
CREATE TEMP TABLE call_history AS SELECT customer_id, interaction_history(at, 1) FILTER (WHERE by_customer) AS h FROM calls GROUP BY customer_id;
SELECT data_until, f.* FROM call_history, (VALUES (timestamptz '2025-12-31 00:00+00'), ('2026-01-01 10:00+00'), ('2026-01-03 09:00+00'), ('2026-01-10 08:59:59.999999+00'), ('2026-01-10 09:00+00'), ('2026-01-18 00:00+00'), ('2026-01-24 09:00+00'), ('2026-01-24 09:00:00.000001+00'), ('2026-01-27 08:59:59.999999+00'), ('2026-01-27 09:00+00'), ('2027-01-01 00:00+00')) AS v(data_until),
    first_contact_resolution(h, data_until) AS f WHERE customer_id = 1 ORDER BY data_until;
-- of other lengths: the 3rd of January came 47 hours after the 1st, within the last instant of such a window; windows of 1000 days are all open
SELECT w, f.* FROM call_history, (VALUES (interval '7 days'), ('168 hours'), ('47 hours'), ('46:59:59.999999'), ('1 microsecond'), ('1000 days')) AS v(w), first_contact_resolution(h, '2026-02-28', w) AS f WHERE customer_id = 1;
-- customers, and customers and topics: 2 came back with another topic
SELECT customer_id, f.* FROM call_history, first_contact_resolution(h, '2026-02-01') AS f ORDER BY customer_id;
SELECT customer_id, topic, f.* FROM (SELECT customer_id, topic, interaction_history(at, 1) FILTER (WHERE by_customer) AS h FROM calls GROUP BY customer_id, topic) AS c, first_contact_resolution(h, '2026-02-01') AS f ORDER BY 1, 2;
-- rates pool by their counts: (2 + 1) / (5 + 2) over customers
SELECT sum(f.resolved) / sum(f.judged) AS pooled FROM call_history, first_contact_resolution(h, '2026-02-01') AS f;
SELECT f.* FROM (VALUES (NULL::interaction_history, timestamptz '2026-02-01', interval '7 days'), ('{}', NULL, '7 days'), ('{}', '2026-02-01', NULL), ('{}', '2026-02-01', '7 days')) AS v(h, t, w), first_contact_resolution(h, t, w) AS f;
SELECT q, pg_temp.fails(format('(SELECT rate FROM first_contact_resolution(''{}'', %s))', q)) FROM (VALUES ('''infinity'''), ('''-infinity'''), ('''2026-02-01'', ''0'''), ('''2026-02-01'', ''-1 day'''), ('''2026-02-01'', ''1 month'''), ('''2026-02-01'', ''1 year'''),
    ('''2026-02-01'', ''1 day -24 hours'''), ('''2026-02-01'', ''2000000000 days''')) AS v(q);
-- a day is 24 hours, whatever the zone: clocks went forward on March 8
SET timezone = 'America/Los_Angeles';
SELECT f.* FROM (SELECT interaction_history(at, 1) AS h FROM (VALUES (timestamptz '2026-03-05 20:00+00'), ('2026-03-12 20:00+00')) AS v(at)) AS c, first_contact_resolution(h, '2026-03-12 20:00+00') AS f;
SET timezone = 'UTC';
-- against lead() on random times
SELECT hours, count(*) AS customers, count(*) FILTER (WHERE (f.contacts, f.judged, f.resolved) IS DISTINCT FROM (s.contacts, s.judged, s.resolved)) AS wrong, sum(f.resolved) AS resolved, sum(f.contacts) - sum(f.judged) AS censored
FROM unnest(ARRAY[7, 21, 168]) AS hours,
    LATERAL (SELECT customer_id, interaction_history(at, 1) AS h FROM scored GROUP BY customer_id) AS c, LATERAL first_contact_resolution(h, '2026-02-20 12:00+00', make_interval(hours => hours)) AS f,
    LATERAL (SELECT count(*) AS contacts, count(*) FILTER (WHERE ends <= '2026-02-20 12:00+00') AS judged, count(*) FILTER (WHERE NOT later AND ends <= '2026-02-20 12:00+00') AS resolved
        FROM (SELECT at + make_interval(hours => hours) AS ends, coalesce(lead(at) OVER (ORDER BY at) <= at + make_interval(hours => hours), false) AS later FROM scored AS i WHERE i.customer_id = c.customer_id AND at <= '2026-02-20 12:00+00') AS x) AS s
GROUP BY hours ORDER BY hours;

-- ---- shrinkage -----------------------------------------------------------------------------------

-- Shrout and Fleiss 1979, six targets of four ratings: MSB 11.24, MSW 6.26, ICC(1,1) .17, ICC(1,4) .44
CREATE TEMP TABLE ratings AS
SELECT target, interaction_history(timestamptz '2026-01-01 00:00+00' + judge * interval '1 day', score) AS h
FROM (VALUES (1, ARRAY[9, 2, 5, 8]), (2, ARRAY[6, 1, 3, 2]), (3, ARRAY[8, 4, 6, 8]), (4, ARRAY[7, 1, 2, 6]), (5, ARRAY[10, 5, 6, 9]), (6, ARRAY[6, 2, 4, 7])) AS v(target, scores), unnest(scores) WITH ORDINALITY AS s(score, judge) GROUP BY target;
SELECT signal_sample(h) FROM ratings;
SELECT customers, interactions, n0, round(mean::numeric, 4) AS mean, round(population_mean::numeric, 4) AS population_mean, round((n0 * variance_between + variance_within)::numeric, 2) AS msb, round(variance_within::numeric, 2) AS msw, round(icc_estimate::numeric, 2) AS estimate,
    round(conf_low::numeric, 2) AS low, round(conf_high::numeric, 2) AS high, round(statistic::numeric, 2) AS f, round(p_value::numeric, 3) AS p, icc = icc_estimate AS same, round(reliability::numeric, 2) AS reliability
FROM signal_reliability((SELECT signal_sample(h) FROM ratings));
-- unequal numbers, {4,5,6} {8,9} {13} {2,7,3,9} in exact fractions: n0 7/3, between 1821/280, within 47/8, icc 1821/3466
CREATE TEMP TABLE unequal AS SELECT g, interaction_history('2026-01-01', score) AS h FROM (VALUES (1, ARRAY[4, 5, 6]), (2, ARRAY[8, 9]), (3, ARRAY[13]), (4, ARRAY[2, 7, 3, 9])) AS v(g, scores), unnest(scores) AS score GROUP BY g;
SELECT bool_and(abs(value / expected - 1) < 1e-14) AS exact FROM signal_reliability((SELECT signal_sample(h) FROM unequal)) AS r,
    LATERAL (VALUES (n0, 7 / 3.0), (mean, 33 / 5.0), (variance_between, 1821 / 280.0), (variance_within, 47 / 8.0), (icc_estimate, 1821 / 3466.0), (icc, 1821 / 3466.0), (reliability, 607 / 842.0), (statistic, 842 / 235.0), (population_mean, 6645708620211 / 893690629103.0)) AS v(value, expected);
-- customers who differ less than by chance: the estimate is negative, icc is 0, and shrinkage is complete
SELECT icc_estimate < 0 AS negative, variance_between < 0 AS between_negative, icc, reliability, shrunk_mean(5, 3, population_mean, icc) = population_mean AS shrunk
FROM signal_reliability((SELECT signal_sample(h) FROM (VALUES ('{2026-01-01T00:00:00Z=1,2026-01-02T00:00:00Z=5,2026-01-03T00:00:00Z=9}'::interaction_history), ('{2026-01-01T00:00:00Z=2,2026-01-02T00:00:00Z=5,2026-01-03T00:00:00Z=8}'), ('{2026-01-01T00:00:00Z=3,2026-01-02T00:00:00Z=6}')) AS v(h)));
-- nothing to compare: NULL with a warning
SELECT customers, interactions, mean, icc, population_mean FROM signal_reliability((SELECT signal_sample(h) FROM (VALUES ('{2026-01-01T00:00:00Z=1,2026-01-02T00:00:00Z=5}'::interaction_history)) AS v(h)));
SELECT customers, interactions, mean, icc, population_mean FROM signal_reliability((SELECT signal_sample(h) FROM (VALUES ('{2026-01-01T00:00:00Z=1}'::interaction_history), ('{2026-01-01T00:00:00Z=5}')) AS v(h)));
SELECT customers, interactions, mean, icc, population_mean FROM signal_reliability((SELECT signal_sample(h) FROM (VALUES ('{2026-01-01T00:00:00Z=0.1,2026-01-02T00:00:00Z=0.1,2026-01-03T00:00:00Z=0.1}'::interaction_history), ('{2026-01-01T00:00:00Z=0.1}')) AS v(h)));
SELECT customers, interactions, mean, icc, population_mean FROM signal_reliability((SELECT signal_sample(h) FROM (VALUES ('{}'::interaction_history), (NULL)) AS v(h)));
SELECT signal_sample(h) FROM (VALUES (NULL::interaction_history)) AS v(h);
-- scores do not differ within customers: nothing to shrink, and no F
SELECT icc, reliability, statistic, conf_low FROM signal_reliability((SELECT signal_sample(h) FROM (VALUES ('{2026-01-01T00:00:00Z=1,2026-01-02T00:00:00Z=1}'::interaction_history), ('{2026-01-01T00:00:00Z=5,2026-01-02T00:00:00Z=5}')) AS v(h)));

-- w = n icc / (1 + (n - 1) icc): 0 of 0; 0.2 of 1; 0.6 of 6; all of them at icc 1
SELECT shrunk_mean(NULL, 0, 0.5, 0.2), shrunk_mean(1, 0, 0.5, 0.2), shrunk_mean(1, 1, 0.5, 0.2), shrunk_mean(1, 6, 0.5, 0.2), shrunk_mean(1, 6, 0.5, 0), shrunk_mean(1, 1, 0.5, 1), shrunk_mean(1, 0, 0.5, 1);
SELECT shrunk_mean(NULL, 1, 0.5, 0.2), shrunk_mean(1, NULL, 0.5, 0.2), shrunk_mean(1, 1, NULL, 0.2), shrunk_mean(1, 1, 0.5, NULL), shrunk_mean('{}', NULL, 0.2), shrunk_mean('{}', 0.5, NULL);
SELECT shrunk_mean(h, 0.5, 0.2), shrunk_mean(rolling_mean(h, '2026-02-01', 6), rolling_count(h, '2026-02-01', 6), 0.5, 0.2) FROM (VALUES (NULL::interaction_history), ('{}'), ('{2026-01-01T00:00:00Z=1}'), ('{2026-01-01T00:00:00Z=1,2026-01-02T00:00:00Z=1,2026-01-03T00:00:00Z=0}')) AS v(h);
SELECT q, pg_temp.fails(q) FROM (VALUES ('shrunk_mean(1, 1, 0.5, -0.1)'), ('shrunk_mean(1, 1, 0.5, 1.1)'), ('shrunk_mean(1, 1, 0.5, ''NaN'')'), ('shrunk_mean(1, -1, 0.5, 0.1)'), ('shrunk_mean(1, ''NaN'', 0.5, 0.1)'), ('shrunk_mean(''NaN'', 1, 0.5, 0.1)'),
    ('shrunk_mean(1, 1, ''Infinity'', 0.1)'), ('shrunk_mean(''{}'', 0.5, 2)'), ('(SELECT icc FROM signal_reliability((SELECT clv_sample(1, 2, 3))))'),
    ('(SELECT signal_sample(h) FROM (VALUES (''{2026-01-01T00:00:00Z=-1e300,2026-01-02T00:00:00Z=1e300}''::interaction_history)) AS v(h))'),
    ('''signal{0:1:0}''::clv_sample'), ('''signal{1.5:1:0}''::clv_sample'), ('''signal{1:1:2}''::clv_sample'), ('''signal{2:1:-1}''::clv_sample'), ('''signal{1:1:0*3,2:1:0.5}''::clv_sample')) AS v(q);

-- ---- comparison ----------------------------------------------------------------------------------

CREATE TEMP TABLE many (h interaction_history);
INSERT INTO many VALUES ('{}'), ('(latest=6){}'), ('{2026-01-01T00:00:00Z=1}'), ('{2026-01-01T00:00:00Z=1.0}'), ('{ 2026-01-01T00:00:00.000Z = 1 }'), ('(latest=6){2026-01-01T00:00:00Z=1}'), ('{2026-01-01T00:00:00Z=1,2026-01-01T00:00:00Z=1}'), ('{}'), (NULL), (NULL);
-- six different values: {}, empty of six, one, one of six, twice, NULL
SELECT count(*) FROM (SELECT DISTINCT h FROM many) AS d;
SET enable_hashagg = off;
SELECT count(*) FROM (SELECT DISTINCT h FROM many) AS d;
RESET enable_hashagg;
-- self join on equality: {} 2 x 2, one three ways 3 x 3, three others
SELECT count(*) FROM many AS a JOIN many AS b USING (h);
SET enable_hashjoin = off;
SELECT count(*) FROM many AS a JOIN many AS b USING (h);
RESET enable_hashjoin;
SELECT count(*) FILTER (WHERE (a.h < b.h)::int + (a.h = b.h)::int + (a.h > b.h)::int <> 1) AS not_total,
    count(*) FILTER (WHERE (a.h <= b.h) <> NOT (a.h > b.h) OR (a.h >= b.h) <> NOT (a.h < b.h) OR (a.h <> b.h) <> NOT (a.h = b.h) OR (a.h < b.h) <> (b.h > a.h)) AS inconsistent,
    count(*) FILTER (WHERE interaction_history_cmp(a.h, b.h) <> (a.h > b.h)::int - (a.h < b.h)::int) AS cmp_differs,
    count(*) FILTER (WHERE a.h = b.h AND (interaction_history_hash(a.h) <> interaction_history_hash(b.h) OR interaction_history_hash_extended(a.h, 7) <> interaction_history_hash_extended(b.h, 7))) AS hash_differs
FROM many AS a, many AS b;
SELECT amname, amvalidate(c.oid) FROM pg_opclass AS c JOIN pg_am AS a ON a.oid = opcmethod WHERE opcintype = 'interaction_history'::regtype ORDER BY amname;

-- ---- binary --------------------------------------------------------------------------------------

-- version 1, flags 0, keep 3, two entries: 2000-01-01 00:00:01 is 1000000 = f4240 microseconds, 1 is 3ff0..., 0.5 is 3fe0...
SELECT encode(interaction_history_send('(latest=3){1999-12-31T23:59:59.999999Z=0.5,2000-01-01T00:00:01Z=1}'), 'hex'), encode(interaction_history_send('{}'), 'hex');
-- pass bytes to the receive function: COPY takes them from printf, written in octal
CREATE TEMP TABLE received (h interaction_history);
CREATE FUNCTION pg_temp.receive(value bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    copy bytea := '\x5047434f50590aff0d0a000000000000000000'::bytea || '\x0001'::bytea || int4send(length(value)) || value || '\xffff'::bytea;
    octal text;
    problem text;
BEGIN
    SELECT string_agg('\' || lpad((get_byte(copy, i) / 64)::text || (get_byte(copy, i) / 8 % 8)::text || (get_byte(copy, i) % 8)::text, 3, '0'), '' ORDER BY i) INTO octal FROM generate_series(0, length(copy) - 1) AS i;
    DELETE FROM received;
    EXECUTE format('COPY received FROM PROGRAM %L (FORMAT binary)', format('printf ''%s''', octal));
    RETURN (SELECT h::text FROM received);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS problem = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(problem, ''));
END $$;
SELECT bool_and(pg_temp.receive(interaction_history_send(h)) = h::text) AS same FROM many WHERE h IS NOT NULL;
SELECT what, pg_temp.receive(value) FROM (VALUES
    ('version 2', '\x000200000000000000000000'::bytea), ('building', '\x000100010000000000000000'), ('negative keep', '\x00010000ffffffff00000000'), ('keep of 1001', '\x00010000000003e900000000'),
    ('negative count', '\x0001000000000000ffffffff'), ('count beyond the data', '\x000100000000000000000001'), ('huge count', '\x00010000000000007fffffff'), ('no header', '\x0001'), ('nothing', '\x'),
    ('trailing byte', '\x00010000000000000000000000'), ('half an interaction', '\x00010000000000000000000100000000000f4240'),
    ('more than are kept', '\x00010000000000010000000200000000000f42403ff000000000000000000000000f42403ff0000000000000'),
    ('not ascending in time', '\x00010000000000000000000200000000000f42403ff000000000000000000000000f423f3ff0000000000000'),
    ('not ascending in score', '\x00010000000000000000000200000000000f42403ff000000000000000000000000f42403fe0000000000000'),
    ('too early', '\x000100000000000000000001ff1fe2ffc59c5fff3ff0000000000000'), ('too late', '\x000100000000000000000001038147b5f0ccc0003ff0000000000000'), ('infinite time', '\x0001000000000000000000017fffffffffffffff3ff0000000000000'),
    ('NaN', '\x00010000000000000000000100000000000f42407ff8000000000000'), ('infinite score', '\x00010000000000000000000100000000000f4240fff0000000000000'), ('negative zero', '\x00010000000000000000000100000000000f42408000000000000000')) AS v(what, value);
-- every prefix is refused; a flipped bit gives an error or another value in stored form, whose bytes are those sent
SELECT count(*) FILTER (WHERE pg_temp.receive(substr(b, 1, n)) !~ '^(22|08)') AS accepted FROM interaction_history_send('(latest=3){1999-12-31T23:59:59.999999Z=0.5,2000-01-01T00:00:01Z=1}') AS b, generate_series(0, 43) AS n;
SELECT count(*) AS flips, count(*) FILTER (WHERE CASE WHEN r ~ '^[{(]' THEN interaction_history_send(r::interaction_history) <> s ELSE r !~ '^(22|08)' END) AS wrong,
    count(*) FILTER (WHERE r ~ '^22P03') > 50 AS some_refused, count(*) FILTER (WHERE r ~ '^[{(]') > 50 AS some_read
FROM interaction_history_send('(latest=3){1999-12-31T23:59:59.999999Z=0.5,2000-01-01T00:00:01Z=1}') AS b, generate_series(0, 43) AS n, generate_series(0, 7) AS bit,
    LATERAL (SELECT set_byte(b, n, get_byte(b, n) # (1 << bit)) AS s) AS flipped, LATERAL (SELECT pg_temp.receive(s) AS r OFFSET 0) AS result;

-- ---- settings ------------------------------------------------------------------------------------

SET extra_float_digits = -15;
SET datestyle = 'SQL, DMY';
SET timezone = 'Asia/Kathmandu';
SELECT '{2026-01-05T10:00:00Z=0.1234567890123456,2026-07-05T10:00:00.000001Z=1e-07}'::interaction_history, last_interaction('{2026-01-05T10:00:00Z=0.1}', timestamptz '2026-02-01 00:00+00');
SELECT encode(interaction_history_send(interaction_history(at, score)), 'hex') = encode(interaction_history_send('{2026-01-05T10:00:00Z=0.1}'), 'hex') AS same FROM (VALUES (timestamptz '2026-01-05 10:00+00', 0.1)) AS v(at, score);
RESET extra_float_digits;
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
-- nothing is looked up by name when functions run
SELECT nspname AS schema FROM pg_extension JOIN pg_namespace AS n ON n.oid = extnamespace WHERE extname = 'clv' \gset
SET search_path = '';
SELECT :"schema".rolling_mean(CAST('{2026-01-05T10:00:00Z=0.5}' AS :"schema".interaction_history), pg_catalog.now(), 6);
SELECT (:"schema".first_contact_resolution('{2026-01-05T10:00:00Z=1}', '2026-02-01 00:00+00')).rate, (SELECT :"schema".rolling_resolution(1.0::pg_catalog.float8, pg_catalog.now()));
RESET search_path;

-- ---- serial, parallel and sorted -----------------------------------------------------------------

CREATE FUNCTION pg_temp.plan_has(query text, node text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (VERBOSE, FORMAT json) ' || query INTO plan;
    RETURN plan::text LIKE '%' || node || '%';
END $$;
CREATE FUNCTION pg_temp.result(query text) RETURNS TABLE (customer_id int, h bytea, mean float8, n int, share float8, latest bytea) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE query;
END $$;
-- states of 3 are at most 64 bytes, those of all mostly above 127
\set grouped '\'SELECT customer_id, interaction_history_send(interaction_history(at, score)), rolling_mean(score / 3, at, 3), rolling_count(score / 3, at, 3), rolling_share(flag, at, 20), interaction_history_send(interaction_history(at, score, 3)) FROM scored GROUP BY customer_id\''
\set plain '\'SELECT 0, interaction_history_send(interaction_history(at, score)), rolling_mean(score / 3, at, 3), rolling_count(score / 3, at, 3), rolling_share(flag, at, 20), interaction_history_send(interaction_history(at, score, 3)) FROM scored\''
SET max_parallel_workers_per_gather = 0;
CREATE TEMP TABLE serial AS SELECT 'grouped' AS kind, * FROM pg_temp.result(:grouped) UNION ALL SELECT 'plain', * FROM pg_temp.result(:plain);
SELECT kind, count(*), max(length(latest)), min(length(h)) < 100 AS some_short, max(length(h)) > 200 AS some_long FROM serial GROUP BY kind ORDER BY kind;
SET max_parallel_workers_per_gather = 4;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET parallel_leader_participation = off;
ALTER TABLE scored SET (parallel_workers = 3);
SET enable_sort = off;
SELECT pg_temp.plan_has(:grouped, 'Partial') AS parallel, pg_temp.plan_has(:grouped, 'Hashed') AS hashed, count(*) AS different FROM (SELECT * FROM serial EXCEPT (SELECT 'grouped', * FROM pg_temp.result(:grouped) UNION ALL SELECT 'plain', * FROM pg_temp.result(:plain))) AS d;
RESET enable_sort;
SET enable_hashagg = off;
SELECT pg_temp.plan_has(:grouped, 'Partial') AS parallel, pg_temp.plan_has(:grouped, 'Hashed') AS hashed, count(*) AS different FROM (SELECT * FROM serial EXCEPT (SELECT 'grouped', * FROM pg_temp.result(:grouped) UNION ALL SELECT 'plain', * FROM pg_temp.result(:plain))) AS d;
RESET enable_hashagg;
-- one interaction per partial state and then the roll-up of those, in parallel too
CREATE TABLE single AS SELECT customer_id, interaction_history(at, score) AS h, interaction_history(at, score, 3) AS latest FROM scored GROUP BY customer_id, id;
ALTER TABLE single SET (parallel_workers = 3);
ANALYZE single;
\set rollup '\'SELECT customer_id, interaction_history_send(interaction_history(h)), 0::float8, 0, 0::float8, interaction_history_send(interaction_history(latest)) FROM single GROUP BY customer_id\''
SELECT pg_temp.plan_has(:rollup, 'Partial') AS parallel, count(*) AS different FROM (SELECT customer_id, h, latest FROM serial WHERE kind = 'grouped' EXCEPT SELECT customer_id, h, latest FROM pg_temp.result(:rollup)) AS d;
RESET max_parallel_workers_per_gather;
RESET min_parallel_table_scan_size;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET parallel_leader_participation;
-- partial states that spill: the same groups with little memory
SET work_mem = '64kB';
SET enable_sort = off;
SELECT count(*) AS different FROM (SELECT * FROM serial WHERE kind = 'grouped' EXCEPT SELECT 'grouped', * FROM pg_temp.result(:grouped)) AS d;
RESET enable_sort;
RESET work_mem;
-- the sample of customers does not depend on how it was put together
SELECT (SELECT signal_sample(h) FROM (SELECT interaction_history(at, score) AS h FROM scored GROUP BY customer_id ORDER BY customer_id) AS c) =
    (SELECT clv_sample(s) FROM (SELECT signal_sample(h) AS s FROM (SELECT customer_id, interaction_history(at, score) AS h FROM scored GROUP BY customer_id) AS c GROUP BY customer_id % 7) AS p) AS same;
-- long histories, toasted and compressed
CREATE TEMP TABLE long AS SELECT interaction_history(timestamptz '2020-01-01 00:00+00' + (n * 7919 % 20000) * interval '1 minute', n % 10) AS h FROM generate_series(1, 20000) AS n;
SELECT interaction_count(h, '2030-01-01'), rolling_count(h, '2030-01-01', 1000), pg_column_size(h) < 320016 AS compressed, interaction_count(h + h, '2030-01-01') FROM long;
DROP TABLE scored, parts, single;
