-- demo.sql - from orders to customer lifetime value, step by step.
--
-- Reads orders (customer_id, ordered_at, amount). psql variables: as_of (a date, or empty for the last order's),
-- unit ('week'), source (the file's name, empty for the simulated shop). To use it on your own table, copy the
-- statements that begin with CREATE TABLE and read the rest as examples.

\pset footer off
\pset numericlocale on
\pset null '-'

SELECT coalesce(nullif(:'as_of', '')::date, max(ordered_at)::date) AS as_of FROM orders WHERE customer_id IS NOT NULL \gset
SELECT (:'as_of'::date + interval '1 year')::date AS until, :'source' = '' AS simulated \gset

-- One pass over the orders: a purchase history per customer. Everything below reads these, not the orders.
CREATE TABLE customer_history AS
SELECT customer_id, purchase_history(ordered_at, amount) AS history
FROM orders
WHERE customer_id IS NOT NULL
GROUP BY customer_id;

-- Those who have bought by the day we look at.
CREATE VIEW customer AS
SELECT customer_id, history FROM customer_history WHERE first_purchase(history) <= :'as_of';

-- ---- what there is ----------------------------------------------------------------------------------------------

\echo
\if :simulated
\echo '1  THE ORDERS (a simulated shop: no file was given)'
\else
\echo '1  THE ORDERS IN' :source
\endif
\echo
\pset expanded on
\pset tuples_only on
SELECT count(*) AS "customers who have bought",
       sum(purchases(history, :'as_of')) AS "days with a purchase, over all customers",
       sum(repeat_purchases(history, :'as_of')) AS "of these, repeat purchases",
       round(avg(purchases(history, :'as_of')), 2) AS "purchase days per customer",
       round(sum(total_spend(history, :'as_of')) / nullif(sum(purchases(history, :'as_of')), 0), 2) AS "spend per purchase day",
       min(first_purchase(history)) AS "first purchase",
       max(last_purchase(history, :'as_of')) AS "last purchase",
       :'as_of'::date AS "seen on (as_of)"
FROM customer;
\pset expanded off
\pset tuples_only off

\echo
\echo 'How often customers have bought (several orders on one day are one purchase):'
\echo
SELECT CASE WHEN n <= 3 THEN n::text WHEN n <= 5 THEN '4-5' WHEN n <= 10 THEN '6-10' ELSE 'over 10' END AS "purchases",
       count(*) AS "customers",
       round(100.0 * count(*) / sum(count(*)) OVER (), 1) AS "% of customers",
       round(sum(spend), 2) AS "revenue",
       round(100 * sum(spend) / nullif(sum(sum(spend)) OVER (), 0), 1) AS "% of revenue"
FROM customer, LATERAL (SELECT purchases(history, :'as_of'), total_spend(history, :'as_of')) AS s (n, spend)
GROUP BY 1
ORDER BY min(n);

-- ---- does it add up? --------------------------------------------------------------------------------------------

\echo
\echo '2  RECONCILIATION'
\echo
CREATE TABLE reconciliation AS
SELECT (SELECT rows_in_file FROM loaded) AS rows_in_file,
       (SELECT rows_unreadable FROM loaded) AS rows_unreadable,
       count(*) FILTER (WHERE customer_id IS NULL) AS without_customer,
       count(*) FILTER (WHERE customer_id IS NOT NULL AND ordered_at IS NULL) AS without_time,
       count(*) FILTER (WHERE customer_id IS NOT NULL AND ordered_at IS NOT NULL AND amount IS NULL) AS without_amount,
       count(*) FILTER (WHERE num_nulls(customer_id, ordered_at, amount) = 0 AND ordered_at::date > :'as_of') AS later,
       count(*) FILTER (WHERE counts) AS counted,
       count(*) FILTER (WHERE counts AND amount < 0) AS refunds,
       sum(amount) FILTER (WHERE counts AND amount < 0) AS refunded,
       count(*) FILTER (WHERE counts AND amount = 0) AS free_of_charge,
       -- clv keeps money to the millionth
       coalesce(sum(round(amount, 6)) FILTER (WHERE counts), 0) AS amount,
       (SELECT coalesce(sum(total_spend(history, :'as_of')), 0) FROM customer) AS total_spend
FROM (SELECT *, num_nulls(customer_id, ordered_at, amount) = 0 AND ordered_at::date <= :'as_of' AS counts FROM orders) AS o;

-- Customers with nothing but refunds have no first purchase, hence no total_spend.
ALTER TABLE reconciliation ADD COLUMN never_bought numeric;
UPDATE reconciliation SET never_bought = (
    SELECT coalesce(sum(round(amount, 6)), 0)
    FROM orders
    WHERE ordered_at::date <= :'as_of' AND customer_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM customer WHERE customer.customer_id = orders.customer_id));

\pset expanded on
\pset tuples_only on
SELECT rows_in_file AS "rows read",
       rows_unreadable AS "  left out: time or amount unreadable",
       without_customer AS "  skipped: no customer",
       without_time AS "  skipped: no time",
       without_amount AS "  skipped: no amount",
       later AS "  not counted: after as_of",
       counted AS "rows counted",
       refunds AS "  of these, refunds (negative)",
       trim_scale(coalesce(refunded, 0)) AS "  refunded",
       free_of_charge AS "  of these, with amount zero"
FROM reconciliation;
SELECT trim_scale(amount) AS "sum of the amounts counted",
       trim_scale(never_bought) AS "  of this, customers with refunds only",
       trim_scale(total_spend) AS "sum of total_spend(history, as_of)",
       trim_scale(amount - never_bought - total_spend) AS "difference",
       CASE WHEN amount - never_bought = total_spend THEN 'exact: not one cent was lost' ELSE 'THERE IS A DIFFERENCE' END AS "verdict"
FROM reconciliation;
\pset expanded off
\pset tuples_only off

-- ---- segments ---------------------------------------------------------------------------------------------------

\echo
\echo '3  SEGMENTS BY WHAT CUSTOMERS DID SO FAR'
\echo
CREATE TABLE customer_score AS
SELECT customer_id, rfm_score(history, :'as_of'::date) OVER () AS score FROM customer;

SELECT r.segment, count(*) AS customers, round(avg(days_since_last(history, :'as_of'))) AS "days since last",
       round(avg(purchases(history, :'as_of')), 1) AS "bought", round(sum(total_spend(history, :'as_of')), 2) AS "spent so far",
       round(100 * sum(total_spend(history, :'as_of')) / nullif(sum(sum(total_spend(history, :'as_of'))) OVER (), 0), 1) AS "of all %",
       r.action AS "what to do next"
FROM customer JOIN customer_score USING (customer_id) JOIN rfm_segments() AS r ON r.segment = rfm_segment(score)
GROUP BY r.segment, r.action
ORDER BY "spent so far" DESC, r.segment;

\echo 'Each customer has three scores of 1 to 5, by recency, frequency and money, and customers who are alike share them.'
\echo 'The segments follow from the scores; rfm_segments() has the rules.'

-- ---- the models -------------------------------------------------------------------------------------------------

-- What a fit reads, kept: any number of models can be fitted to it, without another look at the histories.
CREATE TABLE sample AS
SELECT clv_sample(history, :'as_of'::date, :'unit') AS timing, spend_sample(history, :'as_of'::date) AS spend FROM customer;

-- Pareto/NBD, unless the orders do not determine it: then MBG/NBD, which asks less of them.
CREATE TABLE model AS
SELECT CASE WHEN converged THEN pareto ELSE mbgnbd_fit(timing) END AS purchases, gamma_gamma_fit(spend) AS spend,
       CASE WHEN converged THEN 'pareto_nbd' ELSE 'mbgnbd' END AS kind
FROM (SELECT *, pareto_nbd_fit(timing) AS pareto FROM sample OFFSET 0) AS s LEFT JOIN LATERAL glance(pareto) ON true;

SELECT kind, kind = 'pareto_nbd' AS is_default, CASE kind WHEN 'pareto_nbd' THEN 'Pareto/NBD' ELSE 'MBG/NBD' END AS title FROM model \gset

\echo
\echo '4  THE MODELS'
\echo
\if :is_default
\echo 'Pareto/NBD for the purchases: customers differ in the rate at which they buy (r, alpha) and in the rate at which'
\echo 'they drop out for good (s, beta), whenever that is.'
\else
\echo 'These orders do not determine the Pareto/NBD model, the default; the notes at the end say why. MBG/NBD stands in:'
\echo 'customers differ in the rate at which they buy (r, alpha) and in the probability with which they drop out (a, b)'
\echo 'after a purchase, the first one included.'
\endif
\echo 'Gamma-gamma for the mean spend (p, q, v). Time unit:' :unit
\echo

SET extra_float_digits = -9;        -- six digits are enough to look at
\if :simulated
SELECT m.model, term, estimate, std_error AS "std. error", conf_low AS "95 % from", conf_high AS "to", value AS "simulated with"
FROM (SELECT 1, :'title', t.* FROM model, tidy(purchases) AS t
      UNION ALL SELECT 2, 'gamma-gamma', t.* FROM model, tidy(spend) AS t)
     AS m (place, model, term, estimate, std_error, statistic, p_value, conf_low, conf_high)
LEFT JOIN truth USING (term)
ORDER BY place, array_position('{r,alpha,s,beta,a,b,p,q,v}', term);
\echo 'Purchases on one day count as one, so the fitted rate r / alpha comes out a little low.'
\echo
\else
SELECT model, term, estimate, std_error AS "std. error", conf_low AS "95 % from", conf_high AS "to"
FROM (SELECT 1, :'title', t.* FROM model, tidy(purchases) AS t
      UNION ALL SELECT 2, 'gamma-gamma', t.* FROM model, tidy(spend) AS t)
     AS m (place, model, term, estimate, std_error, statistic, p_value, conf_low, conf_high)
ORDER BY place, array_position('{r,alpha,s,beta,a,b,p,q,v}', term);
\endif
RESET extra_float_digits;

SELECT kind AS model, n AS customers, n_distinct AS "distinct", round(log_likelihood::numeric, 3) AS "log-likelihood",
       CASE WHEN converged THEN 'yes' ELSE 'no' END AS converged, iterations AS steps,
       round(mean_rate::numeric, 5) AS "mean rate", round(mean_dropout::numeric, 4) AS "mean dropout"
FROM (SELECT 1, g.* FROM model, glance(purchases) AS g UNION ALL SELECT 2, g.* FROM model, glance(spend) AS g) AS g (place)
ORDER BY place;

\echo 'All models of purchases on the same sample, the best AIC first. Differences of a few points mean little; a model'
\echo 'of regular buyers (k above 1) that wins by far means that customers come back after about the same time.'
\echo
SELECT c.kind AS model, parameters, CASE WHEN c.kind LIKE '%cnbd' THEN coef(c.model, 'k') END AS k, round(log_likelihood::numeric, 2) AS "log-likelihood",
       round(delta_aic::numeric, 1) AS "AIC above the best", CASE WHEN converged THEN 'yes' ELSE 'no' END AS converged
FROM sample, compare_models(timing) AS c;

-- ---- would it have worked? --------------------------------------------------------------------------------------

-- Fit on the first half of the time, predict the second half, compare with what has happened.
SELECT min(first_purchase(history)) + (:'as_of'::date - min(first_purchase(history))) / 2 AS calibration FROM customer \gset

\echo
\echo '5  BACKTEST: FITTED ON THE ORDERS UP TO' :calibration', COMPARED WITH THE PURCHASES AFTER IT'
\echo
CREATE TABLE holdout AS
SELECT holdout_sample(history, :'calibration'::date, :'as_of'::date, :'unit') AS sample FROM customer;

SELECT k.kind AS model, customers, actual_purchases AS purchases, round(predicted_purchases::numeric, 1) AS predicted,
       round(mae::numeric, 3) AS "mean error", round(actual_spend::numeric, 2) AS spend,
       round(predicted_spend::numeric, 2) AS "predicted spend", round((100 * top_decile_share)::numeric, 1) AS "caught %",
       round((100 * top_decile_possible)::numeric, 1) AS "possible %"
FROM holdout, unnest('{pareto_nbd,mbgnbd,bgnbd}'::text[]) WITH ORDINALITY AS k (kind, place)
LEFT JOIN LATERAL backtest(sample, k.kind) ON true
ORDER BY place;
\echo 'Mean error: of the number of purchases of one customer. Caught: the share of the money spent after' :calibration
\echo 'by the tenth of customers whom the model had ranked first; possible, by the tenth who did spend most.'
\echo
\echo :title 'by the repeat purchases that customers had made by then:'
\echo
SELECT class AS "repeats then", customers, actual_purchases AS "actual purchases",
       round(predicted_purchases::numeric, 1) AS predicted, round(actual_per_customer::numeric, 3) AS "actual per customer",
       round(predicted_per_customer::numeric, 3) AS "predicted per customer"
FROM holdout, backtest_classes(sample, :'kind');

-- ---- the customers ----------------------------------------------------------------------------------------------

-- One row per customer: what a CRM would store. Value: expected revenue of the next 12 months, discounted at 10 percent
-- a year; give clv() a margin to have profit instead.
CREATE TABLE customer_value AS
SELECT customer_id,
       purchases(history, :'as_of') AS purchases,
       first_purchase(history) AS first_purchase,
       last_purchase(history, :'as_of') AS last_purchase,
       total_spend(history, :'as_of') AS total_spend,
       p_alive(m.purchases, history, :'as_of') AS p_alive,
       churn_risk(m.purchases, history, :'as_of', :'until') AS churn_risk,
       expected_purchases(m.purchases, history, :'as_of', :'until') AS expected_purchases,
       clv(m.purchases, m.spend, history, :'as_of', :'until', 0.10) AS value_12_months
FROM customer, model AS m;

\echo
\echo '6  THE TEN MOST VALUABLE CUSTOMERS OF THE NEXT 12 MONTHS (':as_of' TO ':until')'
\echo
\echo 'P(alive): probability of not having dropped out for good. Churn risk: probability that no purchase comes within'
\echo 'these 12 months (silence, not a farewell). Expected: purchases, and how many 95 % of such customers make.'
\echo 'Value: expected revenue, discounted at 10 % a year, with the interval that the fit leaves open (its standard'
\echo 'errors); what a single customer will do varies more.'
\echo
SELECT customer_id AS customer, v.purchases AS bought, last_purchase AS "last one", round(total_spend, 2) AS "spent so far",
       round((100 * p_alive)::numeric, 1) AS "P(alive) %", round((100 * churn_risk)::numeric, 1) AS "churn risk %",
       round(expected_purchases::numeric, 2) AS expected, i.low || '-' || i.high AS "of 95 %",
       round(value_12_months::numeric, 2) AS value, round(c.conf_low::numeric, 2) AS "95 % from",
       round(c.conf_high::numeric, 2) AS "to"
FROM (SELECT * FROM customer_value ORDER BY value_12_months DESC NULLS LAST, customer_id LIMIT 10) AS v
JOIN customer USING (customer_id) CROSS JOIN model AS m,
     purchase_count_interval(m.purchases, history, :'as_of'::date, :'until'::date) AS i,
     clv_ci(m.purchases, m.spend, history, :'as_of'::date, :'until'::date, 0.10) AS c
ORDER BY value_12_months DESC NULLS LAST, customer_id;

\echo 'Worth a call: more likely than not to stay silent, but with the most value still to lose.'
\echo
SELECT customer_id AS customer, purchases, last_purchase AS "last one", round(total_spend, 2) AS "spent so far",
       round((100 * p_alive)::numeric, 1) AS "P(alive) %", round((100 * churn_risk)::numeric, 1) AS "churn risk %",
       round(value_12_months::numeric, 2) AS "value 12 months"
FROM customer_value
WHERE churn_risk > 0.5
ORDER BY value_12_months DESC NULLS LAST, customer_id
LIMIT 10;

\echo 'Note: who buys seldom is likely to be silent for a year although alive. So rank by churn_risk, or by value, and'
\echo 'read P(alive) only beside them.'

-- ---- one customer explained --------------------------------------------------------------------------------------

SELECT customer_id AS first_customer FROM customer_value ORDER BY value_12_months DESC NULLS LAST, customer_id LIMIT 1 \gset
\echo
\echo 'Where the value of the first of them,' :first_customer', comes from:'
\echo
SELECT e.quantity, round(e.value::numeric, 4) AS value, e.note
FROM customer CROSS JOIN model AS m, clv_explain(m.purchases, m.spend, history, :'as_of'::date, :'until'::date, 0.10) AS e
WHERE customer_id = :'first_customer' AND e.quantity <> 'service cost'
ORDER BY e.step;

-- ---- the cohorts ------------------------------------------------------------------------------------------------

\echo
\echo '7  VALUE BY MONTH OF FIRST PURCHASE'
\echo
SELECT CASE WHEN grouping(date_trunc('month', first_purchase)) = 1 THEN 'all'
            ELSE to_char(date_trunc('month', first_purchase), 'YYYY-MM') END AS "first bought",
       count(*) AS customers,
       round(sum(total_spend), 2) AS "spent so far",
       round(sum(expected_purchases)::numeric, 1) AS "exp. purchases",
       round(sum(value_12_months)::numeric, 2) AS "value 12 months",
       round(avg(value_12_months)::numeric, 2) AS "per head",
       round((100 * avg(churn_risk))::numeric, 1) AS "churn risk %"
FROM customer_value
GROUP BY ROLLUP (date_trunc('month', first_purchase))
ORDER BY grouping(date_trunc('month', first_purchase)), date_trunc('month', first_purchase);
