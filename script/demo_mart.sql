-- demo_mart.sql - the end of the demo: one call builds a mart, the views that reports read.
--
-- psql variables: simulated (true: of the contact centre of script/crm.sql, in the schemas crm and planted, and what
-- was planted stands beside what is found; false: of the table orders alone), as_of (a date, or empty for the last
-- order's), unit ('week'). To use it on your own tables, write views as the contract wants them, which
-- clv_check_sources() tells, and copy the calls of clv_create_mart() and refresh().

\pset footer off
\pset numericlocale on
\pset null '-'

\echo
\if :simulated
\echo '8  A MART, OF A SIMULATED CONTACT CENTRE'
\echo
\echo 'Another company, with more to read than orders: customers and how they were won, their contacts, and scores of'
\echo 'these. Resolution keeps customers, by an amount that is known here.'
\else
\echo '8  A MART OF THESE ORDERS'
CREATE SCHEMA crm;
CREATE VIEW crm.orders AS SELECT customer_id, ordered_at, amount FROM public.orders;
\endif
\echo
\echo 'What is there to build a mart of, clv_check_sources(''crm''):'
\echo
SELECT relation, item, status, detail
FROM clv_check_sources('crm')
WHERE item <> 'relation' AND (relation, item) NOT IN (SELECT relation, "column" FROM clv_mart_contract())
   OR status IN ('missing', 'wrong');

\if :simulated
SELECT count(*) AS views
FROM clv_create_mart('crm', 'mart', margin => 0.4, unit => :'unit', time_zone => 'UTC', build => false) \gset
CALL mart.refresh();
\else
SELECT count(*) AS views FROM clv_create_mart('crm', 'mart', unit => :'unit', build => false) \gset
-- the day above, but no later than the orders go
SELECT least(coalesce(nullif(:'as_of', '')::date, max(ordered_at)::date), min(e.as_of)) AS day
FROM orders, mart_store.data_end AS e WHERE customer_id IS NOT NULL \gset
CALL mart.refresh(as_of => :'day');
\endif

\echo 'The views of the mart, clv_create_mart(''crm'', ''mart'', ...). BI tools find them as they find tables, with a'
\echo 'comment on each column:'
\echo
SELECT c.relname AS view, count(a.*) AS columns, obj_description(c.oid) AS about
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = 'mart'::regnamespace GROUP BY c.oid ORDER BY c.relname;

\if :simulated
\echo 'mart.cohort_value, value being the margin expected in the next 12 months, with a 95 % interval, and at the end what'
\echo 'a customer is worth more with +0.05 resolution:'
\echo
SELECT cohort, customers, prospects, total_spend AS "spent so far", mean_value AS "value each",
       mean_value_low AS "95 % from", mean_value_high AS "to", total_value AS "value of all",
       round((100 * churn_risk)::numeric, 1) AS "churn risk %", round(value_to_cost::numeric, 1) AS "LTV : cost",
       round(rolling_resolution::numeric, 3) AS resolution,
       round((100 * frustrated_share)::numeric, 1) AS "frustrated %", value_response AS "+0.05 brings"
FROM mart.cohort_value ORDER BY cohort;
\else
\echo 'mart.cohort_value, value being the revenue expected in the next 12 months, with a 95 % interval:'
\echo
SELECT cohort, customers, total_spend AS "spent so far", mean_value AS "value each", mean_value_low AS "95 % from",
       mean_value_high AS "to", total_value AS "value of all", round((100 * churn_risk)::numeric, 1) AS "churn risk %",
       model_scope AS "models of", round(model_weight::numeric, 2) AS "own weight"
FROM mart.cohort_value ORDER BY cohort;
\endif

\echo 'mart.segment_value, with the share of a budget for keeping customers that each deserves by its value at risk:'
\echo
SELECT segment, customers, total_spend AS "spent so far", total_value AS value,
       round((100 * share_of_value)::numeric, 1) AS "of all %", round((100 * churn_risk)::numeric, 1) AS "churn risk %",
       round((100 * budget_share)::numeric, 1) AS "budget %", action AS "what to do next"
FROM mart.segment_value ORDER BY position;

\if :simulated
\echo 'mart.driver: which scores of 2024 go with leaving in 2025? Pooled, within cohorts, and within cohorts given what'
\echo 'else was known. Beside it what is true: by how much +0.05 of the score changes the probability to leave.'
\echo
SELECT driver, role, d.customers, round(pooled_r::numeric, 3) AS pooled, round(within_r::numeric, 3) AS within,
       round(partial_r::numeric, 3) AS partial, round(conf_low::numeric, 3) AS "95 % from",
       round(conf_high::numeric, 3) AS "to", round(value::numeric, 4) AS "planted change", note
FROM mart.driver AS d LEFT JOIN (SELECT * FROM planted.truth WHERE quantity = 'churn_change') AS t USING (driver)
ORDER BY driver;

\echo 'mart.lift: what becomes of churn if all scores rise by 0.05, and by how much the customers with scores are worth'
\echo 'more then.'
\echo 'Tone has no row: it is a consequence. resolved, yes or no of each contact, has no planted truth of its own.'
\echo
SELECT driver, lift, round(churn_before::numeric, 4) AS churn, round(churn_change::numeric, 4) AS change,
       round(churn_change_low::numeric, 4) AS "95 % from", round(churn_change_high::numeric, 4) AS "to",
       round(value::numeric, 4) AS planted,
       CASE WHEN value BETWEEN churn_change_low AND churn_change_high THEN 'yes' WHEN value IS NOT NULL THEN 'NO' END
           AS "within it",
       value_change AS "value each", total_change AS "value in all", total_change_low AS "95 % from",
       total_change_high AS "to"
FROM mart.lift LEFT JOIN (SELECT * FROM planted.truth WHERE quantity = 'churn_change') AS t USING (driver)
WHERE cohort IS NULL
ORDER BY driver;

SELECT format('churn %s points (planted: %s), value of %s customers +%s (95 %%: %s to %s)',
              round(100 * churn_change::numeric, 2), round(100 * value::numeric, 2),
              to_char(customers, 'FM999,999,990'), to_char(total_change, 'FM999,999,990'),
              to_char(total_change_low, 'FM999,999,990'), to_char(total_change_high, 'FM999,999,990')) AS worth
FROM mart.lift JOIN planted.truth USING (driver)
WHERE cohort IS NULL AND driver = 'resolution' AND quantity = 'churn_change' \gset
\echo '+0.05 resolution:' :worth
\echo
\echo 'mart.coverage: for whom do contacts and scores speak? The share of customers who have them, and by how many'
\echo 'standard deviations those with scores of resolution differ from those without:'
\echo
SELECT evaluator AS "with", CASE dimension WHEN 'all' THEN 'all' ELSE dimension || ' ' || item END AS "of",
       n AS customers, covered, round(100 * share::numeric, 1) AS "%"
FROM mart.coverage
WHERE part = 'customers' AND evaluator IN ('any contact', 'resolution') AND dimension IN ('all', 'cohort')
ORDER BY evaluator, dimension, item;
SELECT dimension AS "known of the customer", item AS "in", round(covered_mean::numeric, 1) AS "mean with",
       round(uncovered_mean::numeric, 1) AS "without", round(difference::numeric, 2) AS "differ by"
FROM mart.coverage WHERE part = 'balance' AND evaluator = 'resolution' ORDER BY dimension;
\endif

\echo 'mart.reconciliation: what the sources hold, and what the mart has counted:'
\echo
SELECT item, row_count AS rows, amount, verdict FROM mart.reconciliation WHERE row_count > 0 ORDER BY position;

\echo 'mart.refresh_log: CALL mart.refresh() brings the mart up to date, each night; readers do not wait for it.'
\echo
SELECT step, status, rows, round(seconds::numeric, 2) AS seconds FROM mart.refresh_log ORDER BY run_id, started_at;
