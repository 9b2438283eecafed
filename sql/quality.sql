-- Predictions of events beside what happened: samples, scores, ranking, calibration, lift.
\set VERBOSITY terse
-- SQLSTATE, message, detail and hint of a statement that must fail
CREATE FUNCTION quality_failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN format('%s: %s | %s | %s', SQLSTATE, SQLERRM, detail, hint);
END $$;
CREATE FUNCTION near(a float8, b float8) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN abs(a - b) <= 1e-11 * greatest(abs(b), 1e-3);
CREATE FUNCTION uniform(i int, what text) RETURNS float8 LANGUAGE sql IMMUTABLE
    RETURN (('x' || left(md5(concat_ws(' ', i, what)), 8))::bit(32)::bigint + 0.5) / 4294967296;

-- Samples --------------------------------------------------------------------------------------------------------------
SELECT prediction_sample(p, y) AS booleans, prediction_sample(p, y::int) AS numbers, prediction_sample(p::numeric, y) AS numeric
FROM (VALUES (0.1, true), (0.1, false), (0.1, true), (0, false), (-0.0, false), (1, true)) AS v (p, y);
-- rows with a NULL are counted; only such rows, and none
SELECT prediction_sample(p, y) AS s, auc(p, y), brier_score(p, y), log_loss(p, y) FROM (VALUES (0.5, true), (NULL, true), (0.5, NULL), (NULL, NULL)) AS v (p, y);
SELECT prediction_sample(p, y) AS s, auc(p, y), brier_score(p, y), log_loss(p, y) FROM (VALUES (NULL::float8, true)) AS v (p, y);
SELECT prediction_sample(p, y) AS s, auc(p, y), brier_score(p, y), log_loss(p, y) FROM (VALUES (0.5, true)) AS v (p, y) WHERE false;
SELECT i.kind, i.n, i.n_distinct, i.n_skipped FROM (SELECT prediction_sample(p, y) AS s FROM (VALUES (0.5, 1.0), (0.5, 0), (0.5, 1), (NULL, 1)) AS v (p, y)) AS a, sample_info(s) AS i;
SELECT s::text::clv_sample = s AS text, clv_sample_send(s::text::clv_sample) = clv_sample_send(s) AS bytes FROM (SELECT 'prediction(skipped=7){0:1,0.25:0*3,0.25:1,1:0}'::clv_sample AS s) AS v;
SELECT quality_failure(format('SELECT %s', call)) FROM (VALUES ('prediction_sample(1.5, true)'), ('prediction_sample(-0.1, true)'), ('prediction_sample(''NaN'', true)'), ('auc(''infinity'', true)'),
    ('prediction_sample(0.5, 2)'), ('prediction_sample(0.5, ''NaN''::float8)'), ('brier_score(85, 1)'), ('log_loss(0.5, 0.5)'), ('''prediction{0.5}''::clv_sample'), ('''prediction{2:1}''::clv_sample'),
    ('''prediction{0.5:0.5}''::clv_sample'), ('''prediction(covariates=1){3:0.5:1}''::clv_sample'), ('clv_sample_combine(''prediction{0.5:1}'', ''pair{0.5:1}'')')) AS v (call);

-- By hand --------------------------------------------------------------------------------------------------------------
-- 0.2: 1 of 4 happened, 0.6: 3 of 4. Brier (3 * .04 + .64 + 3 * .16 + .36) / 8 = .2, base rate 1/2; of 16 pairs 9 in order, 6 ties, 1 the wrong way round: AUC 12 / 16
CREATE TABLE hand AS SELECT 'prediction{0.2:0*3,0.2:1,0.6:0,0.6:1*3}'::clv_sample AS s;
SELECT measure, round(estimate::numeric, 6) AS estimate, round(std_error::numeric, 6) AS std_error, round(conf_low::numeric, 6) AS conf_low, round(conf_high::numeric, 6) AS conf_high, binning
FROM hand, prediction_quality(s);
-- reliability ((.2 - .25)^2 + (.6 - .75)^2) / 2, resolution .25^2; DeLong: three events are above 3.5 of 4 others, one above 1.5; the line through both shares
SELECT near(max(estimate) FILTER (WHERE measure = 'reliability'), (0.05 ^ 2 + 0.15 ^ 2) / 2) AS reliability, near(max(estimate) FILTER (WHERE measure = 'resolution'), 0.0625) AS resolution,
       near(max(estimate) FILTER (WHERE measure = 'expected_calibration_error'), 0.1) AS calibration_error,
       near(max(estimate) FILTER (WHERE measure = 'log_loss'), -(3 * ln(0.8::float8) + ln(0.2::float8) + ln(0.4::float8) + 3 * ln(0.6::float8)) / 8) AS log_loss,
       near(max(std_error) FILTER (WHERE measure = 'auc'), sqrt((3 * (0.875 - 0.75) ^ 2 + (0.375 - 0.75) ^ 2) / 3 / 4 * 2)) AS auc_error,
       near(max(estimate) FILTER (WHERE measure = 'calibration_slope'), 2 * ln(3::float8) / (ln(1.5::float8) + ln(4::float8))) AS slope,
       near(max(std_error) FILTER (WHERE measure = 'calibration_slope'), sqrt(2 * 4 / 3::float8) / (ln(1.5::float8) + ln(4::float8))) AS slope_error
FROM hand, prediction_quality(s);
SELECT bin, lowest, highest, n, mean_predicted, happened_share, (conf_low, conf_high) = (SELECT w.conf_low, w.conf_high FROM wilson_interval(c.events, c.n, 0.9) AS w) AS wilson, events FROM hand, calibration_table(s, conf => 0.9) AS c;
SELECT c.* FROM hand, calibration_table(s, 1) AS c;
-- thirds of eight rows: 2.67 of the four at 0.6, then 1.33 of these and 1.33 of those at 0.2
SELECT bin, round(n::numeric, 4) AS n, round(events::numeric, 4) AS events, round(share::numeric, 4) AS share, round(lift::numeric, 4) AS lift, round(cumulative_n::numeric, 4) AS cumulative_n,
       round(cumulative_events::numeric, 4) AS cumulative_events, round(cumulative_capture::numeric, 4) AS cumulative_capture, round(cumulative_lift::numeric, 4) AS cumulative_lift
FROM hand, lift_table(s, 3);
-- ratings of 109 images, Hanley and McNeil 1982: 0.893; Stata's roctab prints 0.8932 and 0.0307
SELECT round(estimate::numeric, 4) AS auc, round(std_error::numeric, 4) AS std_error
FROM prediction_quality('prediction{0.1:0*33,0.1:1*3,0.3:0*6,0.3:1*2,0.5:0*6,0.5:1*2,0.7:0*11,0.7:1*11,0.9:0*2,0.9:1*33}') WHERE measure = 'auc';

-- Against the definitions ------------------------------------------------------------------------------------------------
-- 700 rows: no ties, some, many
CREATE TABLE predicted AS
SELECT g, i, p, uniform(i, 'happened' || g) < 0.1 + 0.6 * p AS y
FROM (VALUES (0), (40), (7)) AS v (g), generate_series(1, 700) AS i, LATERAL (SELECT CASE WHEN g = 0 THEN uniform(i, 'p') ELSE (floor(uniform(i, 'p') * g) + 0.5) / g END AS p) AS u;
CREATE TABLE samples AS SELECT g, prediction_sample(p, y) AS s, auc(p, y), brier_score(p, y), log_loss(p, y) FROM predicted GROUP BY g;
CREATE TABLE quality AS SELECT g, bins, q.* FROM samples, unnest('{1,4,10,1000}'::int[]) AS bins, prediction_quality(s, bins) AS q;
CREATE TABLE measured AS
SELECT g, bins, jsonb_object_agg(measure, estimate) AS e, jsonb_object_agg(measure, std_error) AS se, jsonb_object_agg(measure, conf_low) AS low, jsonb_object_agg(measure, conf_high) AS high
FROM quality GROUP BY g, bins;
-- what does not depend on the bins is the same for all; what does says so
SELECT measure, count(DISTINCT (g, estimate, std_error, conf_low, conf_high)) AS values, bool_or(binning IS NOT NULL) AS binned, string_agg(DISTINCT binning, '; ' ORDER BY binning) AS binning
FROM quality GROUP BY measure ORDER BY min(CASE WHEN binning IS NULL THEN 0 ELSE 1 END), measure COLLATE "C";
SELECT g, (e->>'n')::int = 700 AS n, (e->>'events')::int = events AS events, near((e->>'mean_predicted')::float8, mean_predicted) AS mean_predicted, near((e->>'mean_happened')::float8, events / 700.0) AS mean_happened,
       near((se->>'mean_happened')::float8, sqrt(events / 700.0 * (1 - events / 700.0) / 700)) AS binomial,
       near((e->>'brier')::float8, brier) AND near(brier_score, brier) AS brier, near((se->>'brier')::float8, brier_error) AS brier_error,
       near((e->>'brier_skill')::float8, 1 - brier / (events / 700.0 * (1 - events / 700.0))) AS skill,
       near((e->>'log_loss')::float8, loss) AND near(m.log_loss, loss) AS log_loss, near((se->>'log_loss')::float8, loss_error) AS loss_error
FROM measured JOIN samples AS m USING (g) JOIN (
    SELECT g, count(*) FILTER (WHERE y) AS events, avg(p) AS mean_predicted, avg((p - y::int) ^ 2) AS brier, stddev((p - y::int) ^ 2) / sqrt(700) AS brier_error,
           avg(-ln(CASE WHEN y THEN p ELSE 1 - p END)) AS loss, stddev(-ln(CASE WHEN y THEN p ELSE 1 - p END)) / sqrt(700) AS loss_error
    FROM predicted GROUP BY g) AS d USING (g)
WHERE bins = 10 ORDER BY g;
-- AUC over all pairs, and DeLong's error from the placements of every row
SELECT g, near((e->>'auc')::float8, a.area) AND near(samples.auc, a.area) AS auc, near((se->>'auc')::float8, a.error) AS error,
       near(ln((high->>'auc')::float8 / (1 - (high->>'auc')::float8)) - ln(a.area / (1 - a.area)), 1.959963984540054 * a.error / (a.area * (1 - a.area))) AS high,
       near(ln(a.area / (1 - a.area)) - ln((low->>'auc')::float8 / (1 - (low->>'auc')::float8)), 1.959963984540054 * a.error / (a.area * (1 - a.area))) AS low
FROM measured JOIN samples USING (g) JOIN (
    SELECT g, avg(placement) FILTER (WHERE y) AS area, sqrt(var_samp(placement) FILTER (WHERE y) / count(*) FILTER (WHERE y) + var_samp(placement) FILTER (WHERE NOT y) / count(*) FILTER (WHERE NOT y)) AS error
    FROM (SELECT a.g, a.i, a.y, avg(CASE WHEN a.p = b.p THEN 0.5 WHEN a.y = (a.p > b.p) THEN 1.0 ELSE 0 END) AS placement
          FROM predicted AS a JOIN predicted AS b ON b.g = a.g AND b.y <> a.y GROUP BY a.g, a.i, a.y) AS p GROUP BY g) AS a USING (g)
WHERE bins = 10 ORDER BY g;
-- bins by the middle of the ranks of equal predictions; each prediction its own bin where there are no more than bins
CREATE TABLE binned AS
SELECT g, bins, p, y, dense_rank() OVER (PARTITION BY g, bins ORDER BY place) AS bin
FROM (SELECT g, bins, p, y, CASE WHEN n_distinct <= bins THEN p ELSE floor(bins * (rank - 1 + n / 2.0) / 700) END AS place
      FROM (SELECT g, p, y, rank() OVER (PARTITION BY g ORDER BY p) AS rank, count(*) OVER (PARTITION BY g, p) AS n FROM predicted) AS r
      JOIN (SELECT g, count(DISTINCT p) AS n_distinct FROM predicted GROUP BY g) AS d USING (g), unnest('{1,4,10,1000}'::int[]) AS bins) AS b;
SELECT g, bins, count(*) AS bins_used, bool_and(c.lowest = b.lowest AND c.highest = b.highest AND c.n = b.n AND c.events = b.events AND near(c.mean_predicted, b.mean) AND c.happened_share = b.events::float8 / b.n
       AND (c.conf_low, c.conf_high) = (SELECT w.conf_low, w.conf_high FROM wilson_interval(b.events, b.n) AS w)) AS right
FROM (SELECT g, bins, bin, min(p) AS lowest, max(p) AS highest, count(*) AS n, count(*) FILTER (WHERE y) AS events, avg(p) AS mean FROM binned GROUP BY 1, 2, 3) AS b
FULL JOIN (SELECT g, bins, c.* FROM samples, unnest('{1,4,10,1000}'::int[]) AS bins, calibration_table(s, bins) AS c) AS c USING (g, bins, bin)
GROUP BY g, bins ORDER BY g, bins;
-- the parts of the Brier score, each by its definition, and their sum
SELECT g, bins, near((e->>'reliability')::float8, avg((mean - share) ^ 2)) AS reliability, near((e->>'resolution')::float8, avg((share - base) ^ 2)) AS resolution, near((e->>'uncertainty')::float8, max(base * (1 - base))) AS uncertainty,
       near((e->>'within_bin_variance')::float8, avg((p - mean) ^ 2)) AS variance, near((e->>'within_bin_covariance')::float8, 2 * avg((p - mean) * (y::int - share))) AS covariance,
       near((e->>'expected_calibration_error')::float8, avg(abs(mean - share))) AS calibration_error,
       near((e->>'reliability')::float8 - (e->>'resolution')::float8 + (e->>'uncertainty')::float8 + (e->>'within_bin_variance')::float8 - (e->>'within_bin_covariance')::float8, (e->>'brier')::float8) AS sum
FROM measured JOIN (SELECT g, bins, p, y, avg(p) OVER bin AS mean, avg(y::int) OVER bin AS share, avg(y::int) OVER (PARTITION BY g, bins) AS base FROM binned WINDOW bin AS (PARTITION BY g, bins, bin)) AS b USING (g, bins)
GROUP BY g, bins, e ORDER BY g, bins;
-- recalibration: at the maximum the residuals have no sum, nor one weighted by the logit; errors from the inverse information
SELECT g, abs(sum(y - fitted)) < 1e-9 AS sum, abs(sum((y - fitted) * x)) < 1e-9 AS weighted, abs(sum(y - shifted)) < 1e-9 AS shift,
       near((se->>'calibration_slope')::float8, sqrt(sum(w) / (sum(w) * sum(w * x * x) - sum(w * x) ^ 2))) AS slope_error,
       near((se->>'calibration_intercept')::float8, sqrt(sum(w * x * x) / (sum(w) * sum(w * x * x) - sum(w * x) ^ 2))) AS intercept_error,
       near((se->>'calibration_in_the_large')::float8, 1 / sqrt(sum(shifted * (1 - shifted)))) AS shift_error,
       bool_and(near((high->>'calibration_slope')::float8 - (e->>'calibration_slope')::float8, 1.959963984540054 * (se->>'calibration_slope')::float8)) AS interval
FROM (SELECT g, e, se, high, x, y, fitted, fitted * (1 - fitted) AS w, 1 / (1 + exp(-x - (e->>'calibration_in_the_large')::float8)) AS shifted
      FROM (SELECT m.*, x, y::int AS y, 1 / (1 + exp(-(e->>'calibration_intercept')::float8 - (e->>'calibration_slope')::float8 * x)) AS fitted
            FROM measured AS m JOIN (SELECT g, y, ln(p / (1 - p)) AS x FROM predicted) AS p USING (g) WHERE bins = 10) AS f) AS f
GROUP BY g, se ORDER BY g;
-- lift: each row counts with the fraction of its ties that fits above the boundary
SELECT g, count(*) AS bins, bool_and(near(l.cumulative_events, d.events)) AS events, bool_and(near(l.cumulative_capture, d.events / d.total)) AS capture, bool_and(near(l.cumulative_n, 700.0 * l.bin / 10)) AS n,
       bool_and(near(l.cumulative_lift, d.events / d.total / (l.bin / 10.0))) AS cumulative_lift, near(sum(l.events), max(d.total)) AS total, near(sum(l.n), 700) AS all_rows, bool_and(near(l.lift, l.events / l.n / (d.total / 700.0)) AND near(l.share, l.events / l.n)) AS lift
FROM (SELECT g, l.* FROM samples, lift_table(s) AS l) AS l
JOIN (SELECT g, bin, sum(y::int * greatest(0, least(1, (70.0 * bin - above) / tied))) AS events, count(*) FILTER (WHERE y) AS total
      FROM (SELECT g, y, rank() OVER (PARTITION BY g ORDER BY p DESC) - 1 AS above, count(*) OVER (PARTITION BY g, p) AS tied FROM predicted) AS r, generate_series(1, 10) AS bin GROUP BY g, bin) AS d USING (g, bin)
GROUP BY g ORDER BY g;
-- the top decile of a ranking is that of backtest(): value is what happened
SELECT near(b.top_decile_share, l.cumulative_capture) AS same
FROM backtest('holdout(unit=day,as_of=2024-01-31,until=2024-03-01){0:0:100:0:0:0*13,0:0:100:0:1:0*7,3:99:100:0:0:0*2,3:99:100:0:1:0*2,9:99:100:0:1:0}'::clv_sample, bgnbd_model(1, 10, 2, 1, 'day')) AS b,
     lift_table('prediction{0.1:0*13,0.1:1*7,0.5:0*2,0.5:1*2,0.9:1}') AS l WHERE l.bin = 1;

-- What is not defined ----------------------------------------------------------------------------------------------------
\set VERBOSITY default
CREATE VIEW cases AS SELECT * FROM (VALUES ('never', 'prediction{0.2:0*3,0.6:0}'::clv_sample), ('always', 'prediction{0.2:1*3,0.6:1}'), ('refuted', 'prediction{0:0*5,0:1,0.4:0,0.4:1,1:1}'), ('certain', 'prediction{0:0*5,0.4:0,0.4:1,1:1}'),
    ('constant', 'prediction{0.4:0*5,0.4:1*2}'), ('separated', 'prediction{0.1:0*5,0.3:0,0.3:1,0.6:1*3}'), ('perfect', 'prediction{0.1:0*5,0.3:1*4}'), ('reversed', 'prediction{0.1:1*5,0.3:0*4}'), ('one event', 'prediction{0.1:0*5,0.2:1,0.3:0*4}'),
    ('one row', 'prediction{0.4:1}'), ('no spread', 'prediction{0.3:0*6,0.7:1*9}'), ('empty', 'prediction{}')) AS v (name, s);
CREATE FUNCTION show_quality(which text) RETURNS TABLE (known text, without_error text) LANGUAGE sql
    AS $$ SELECT string_agg(measure || ' ' || round(estimate::numeric, 4), ', '), string_agg(measure, ', ') FILTER (WHERE estimate IS NOT NULL AND std_error IS NULL AND measure IN ('brier', 'log_loss', 'auc'))
          FROM cases, prediction_quality(s) WHERE name = which $$;
SELECT * FROM show_quality('never');
SELECT * FROM show_quality('always');
SELECT * FROM show_quality('refuted');
SELECT * FROM show_quality('certain');
SELECT * FROM show_quality('constant');
SELECT * FROM show_quality('separated');
SELECT * FROM show_quality('perfect');
SELECT * FROM show_quality('reversed');
SELECT * FROM show_quality('one event');
SELECT * FROM show_quality('one row');
SELECT * FROM show_quality('no spread');
SELECT * FROM show_quality('empty');
SELECT auc(0.5, true), brier_score(0.5, true), log_loss(0, true) FROM generate_series(1, 2);
SELECT * FROM lift_table('prediction{0.5:0*3}', 2);
\set VERBOSITY terse
SELECT count(*) AS rows_of_nothing FROM cases, calibration_table(s) WHERE name = 'empty';
SELECT count(*) AS rows_of_nothing FROM cases, lift_table(s) WHERE name = 'empty';
SELECT (SELECT count(*) FROM prediction_quality(NULL)) AS of_null, (SELECT count(*) FROM calibration_table(NULL)) AS of_null, (SELECT count(*) FROM lift_table(NULL)) AS of_null, (SELECT count(*) FROM prediction_quality('prediction{0.5:1}', NULL)) AS of_null_bins;
-- never NaN, never infinite, never a standard error of 0
SET client_min_messages = error;
SELECT count(*) AS measures, count(*) FILTER (WHERE 'NaN' IN (estimate, std_error, conf_low, conf_high)) AS nan, count(*) FILTER (WHERE 'infinity' IN (abs(estimate), std_error, abs(conf_low), abs(conf_high))) AS infinite,
       count(*) FILTER (WHERE std_error <= 0) AS zero, count(*) FILTER (WHERE conf_low >= estimate OR conf_high <= estimate) AS outside
FROM cases, prediction_quality(s) WHERE NOT (measure = 'mean_happened' AND estimate IN (0, 1));
RESET client_min_messages;
SELECT quality_failure(format('SELECT * FROM %s', call)) FROM (VALUES ('prediction_quality(''pair{0.5:1}'')'), ('calibration_table(''rating{1}'')'), ('lift_table(''timing{0:0:1}'')'), ('prediction_quality(''prediction{0.5:1}'', 0)'),
    ('calibration_table(''prediction{0.5:1}'', 1001)'), ('lift_table(''prediction{0.5:1}'', -3)'), ('prediction_quality(''prediction{0.5:1}'', conf => 95)'), ('calibration_table(''prediction{0.5:1}'', conf => 0)')) AS v (call);
-- extremes: the smallest prediction, whose logit is -744.44, so that the slope is 2 ln(9) / 744.44 = .0059030; and counts of thousands of billions
SELECT measure, round(estimate::numeric, 8) AS estimate FROM prediction_quality('prediction{5e-324:0*9,5e-324:1,0.5:0,0.5:1*9}') WHERE measure IN ('log_loss', 'auc', 'brier') OR measure LIKE 'calibration%' ORDER BY measure COLLATE "C";
SELECT measure, round(estimate::numeric, 8) AS estimate, round((1e7 * std_error)::numeric, 8) AS std_error_1e7 FROM prediction_quality('prediction{0.2:0*4000000000000,0.2:1*1000000000000,0.6:0*2000000000000,0.6:1*3000000000000}') WHERE measure IN ('n', 'auc', 'brier') OR measure LIKE 'calibration%';

-- Merged, in parts, in any order -----------------------------------------------------------------------------------------
CREATE TABLE nulls AS SELECT i, p, y FROM predicted WHERE g = 40 UNION ALL SELECT i, CASE WHEN i % 2 = 0 THEN p END, CASE WHEN i % 3 = 0 THEN y END FROM predicted WHERE g = 40 AND i <= 60;
SELECT clv_sample(s) = (SELECT prediction_sample(p, y) FROM nulls) AS merged, count(*) AS parts, sum(i.n_skipped) AS skipped
FROM (SELECT prediction_sample(p, y ORDER BY p DESC) AS s FROM nulls GROUP BY i) AS p, sample_info(s) AS i;
SELECT clv_sample_combine(s, NULL) = s AS right, clv_sample_combine(NULL, s) = s AS left, clv_sample(s) = s AS alone FROM hand GROUP BY s;
SELECT clv_sample(s) AS with_empty FROM (VALUES ('prediction{}'::clv_sample), ('prediction(skipped=2){}'), ('prediction(skipped=1){0.5:1}'), (NULL)) AS v (s);
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
SELECT in_parallel('SELECT (prediction_sample(p, y), auc(p, y), brier_score(p, y), log_loss(p, y::int))::text FROM nulls') = (prediction_sample(p, y), auc(p, y), brier_score(p, y), log_loss(p, y::int))::text AS parallel FROM nulls;

DROP TABLE hand, predicted, samples, quality, measured, binned, nulls;
DROP VIEW cases CASCADE;
DROP FUNCTION quality_failure(text), near(float8, float8), uniform(int, text), in_parallel(text), show_quality(text);
