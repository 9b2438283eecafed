-- clv_model: typed-in models, text and binary form, the readers tidy, glance, coef, vcov, and the cast to jsonb.

-- Typed-in models -------------------------------------------------------------------------------------------
SELECT bgnbd_model(0.2426, 4.4136, 0.7929, 2.4259), bgnbd_model(0.2426, 4.4136, 0.7929, 2.4259, 'week'), gamma_gamma_model(6.25, 3.74, 15.44);
SELECT bgnbd_model(1, 2, 3, 4)::jsonb, bgnbd_model(1, 2, 3, 4, 'month')::jsonb;
SELECT (bgnbd_model(r => 1, alpha => 2, a => 3, b => 4, unit => NULL)) IS NULL AS strict;
SELECT bgnbd_model(0, 2, 3, 4);
SELECT bgnbd_model(1, 'infinity', 3, 4);
SELECT gamma_gamma_model(1, 'NaN', 3);
SELECT bgnbd_model(1, 2, 3, 4, 'hour');
SELECT * FROM tidy(bgnbd_model(1, 2, 3, 4));
SELECT * FROM glance(bgnbd_model(1, 2, 3, 5, 'week')) \gx
SELECT vcov(bgnbd_model(1, 2, 3, 4)) IS NULL AS no_covariance;
SELECT coef(bgnbd_model(1, 2, 3, 4), 'alpha') AS alpha;
SELECT coef(bgnbd_model(1, 2, 3, 4), 'beta');

-- The whole family: every parameter under its name; k counts phases
SELECT pareto_nbd_model(0.55, 10.6, 0.61, 11.7), mbgnbd_model(0.52, 6.2, 0.89, 1.6), bgcnbd_model(1, 2, 3, 4, 2);
SELECT mbgcnbd_model(1, 2, 3, 4, 3, 'day'), bgbb_model(1.2, 0.75, 0.66, 2.78, 'year'), sbg_model(0.7, 1.2), bdw_model(0.7, 1.2, 1.1, 'month');
SELECT sbg_model(0.7, 1.2, 'year'), pareto_nbd_model(1, 2, 3, 4, 'week') = pareto_nbd_model(1, 2, 3, 4, 'day') AS unit_tells_apart;
-- mean rates r / alpha, of k phases r / (k alpha), of opportunities alpha / (alpha + beta); mean dropout s / beta, a / (a + b), gamma / (gamma + delta), alpha / (alpha + beta)
SELECT kind, unit, round(mean_rate::numeric, 6) AS mean_rate, round(mean_dropout::numeric, 6) AS mean_dropout, covariates, own_weight
FROM glance(array[pareto_nbd_model(3, 4, 1, 2), mbgnbd_model(3, 4, 1, 2), bgcnbd_model(3, 4, 1, 2, 2), bgbb_model(3, 1, 1, 3), NULL, sbg_model(1, 3), bdw_model(1, 3, 2)]);
SELECT * FROM glance(array[array[sbg_model(1, 3)], array[sbg_model(1, 3)]]);
SELECT count(*) AS none FROM glance('{}'::clv_model[]);
SELECT bgcnbd_model(1, 2, 3, 4, 1.5);
SELECT mbgcnbd_model(1, 2, 3, 4, 0);
SELECT bgcnbd_model(1, 2, 3, 4, 21);
SELECT bgcnbd_model(1, 2, 3, 4, 'NaN');
SELECT sbg_model(-0.7, 1.2);
SELECT bdw_model(0.7, 1.2, 1.1, 'hour');

-- A fitted model, written by hand: variances of the logarithms 0.04 and 0.01, covariance 0.01 -------------------------
--   r = 2: standard error 2 * 0.2 = 0.4, interval 2 * exp(-+1.959964 * 0.2) = 1.351418 .. 2.959854; alpha = 10: 10 * 0.1 = 1
--   covariance of r and alpha: 0.01 * 2 * 10 = 0.2
CREATE TABLE models AS SELECT clv_model 'bgnbd(unit=week,as_of=2026-01-01,first=2025-01-01,last=2025-12-30,skipped=3,n=1000,distinct=400,rows=00000000000003e8,log_likelihood=-2500.5,gradient=1e-09,iterations=6,converged=true,clv=10000){r=2,alpha=10,a=0.5,b=1.5}{0.04,0.01,0,0,0.01,0.01,0,0,0,0,0.09,0,0,0,0,0.16}' AS m;
SELECT term, estimate, round(std_error::numeric, 6) AS std_error, statistic, p_value, round(conf_low::numeric, 6) AS conf_low,
       round(conf_high::numeric, 6) AS conf_high FROM models, tidy(m);
SELECT term, round(conf_low::numeric, 6) AS conf_low, round(conf_high::numeric, 6) AS conf_high FROM models, tidy(m, conf => 0.5);
SELECT * FROM models, tidy(m, 95);
SELECT * FROM models, tidy(m, conf => 'NaN');
-- AIC = 5001 + 8, BIC = 5001 + 4 ln 1000 = 5028.631021; mean rate 2 / 10 a week, mean dropout 0.5 / 2
SELECT kind, unit, as_of, first_day, last_day, n, n_distinct, n_skipped, log_likelihood, aic, round(bic::numeric, 6) AS bic, converged,
       iterations, gradient_norm, mean_rate, mean_dropout, covariates, own_weight, fitted_by FROM models, glance(m) \gx
SELECT vcov(m) FROM models;
SELECT jsonb_pretty(m::jsonb - 'covariance_of_logs') FROM models;
SELECT m::jsonb -> 'covariance_of_logs' FROM models;

-- What a double cannot hold is NULL, and an error in the matrix that has no place for one
CREATE TABLE extreme AS SELECT clv_model 'bgnbd(n=2,distinct=2,rows=0123456789abcdef,log_likelihood=-1.7e308,gradient=0,iterations=1,converged=true,clv=10000){r=1e300,alpha=1e-300,a=1,b=2}{1e6,0,0,0,0,1,0,0,0,0,0,0,0,0,0,1e300}' AS m;
SELECT term, estimate, std_error, conf_high IS NULL AS open FROM extreme, tidy(m);
-- 0.5 + conf / 2 rounds to 1, whose quantile is infinite
SELECT term, conf_low, conf_high FROM extreme, tidy(m, 0.9999999999999999);
SELECT log_likelihood, aic, bic, mean_rate, round(mean_dropout::numeric, 6) AS mean_dropout FROM extreme, glance(m);
SELECT vcov(m) FROM extreme;
-- 1e300 * 1e300 * 0 is 0
SELECT vcov('bgnbd(n=2,distinct=2,rows=0123456789abcdef,log_likelihood=-1,gradient=0,iterations=1,converged=true,clv=10000){r=1e300,alpha=1e300,a=1,b=1}{0,0,0,0,0,0,0,0,0,0,1,0,0,0,0,1}');

-- Effects of covariates: on their own scale, so with a symmetric interval and a test. purchase_1 = 0.4 with variance 0.04 is 2 standard
-- errors from 0: p = 0.0455003; interval 0.4 -+ 1.959964 * 0.2. vcov of r and purchase_1 is r times theirs: 2 * 0.01; of the two effects 0.02.
CREATE TABLE effects AS SELECT clv_model 'bgnbd(n=1000,distinct=400,rows=00000000000003e8,log_likelihood=-2500.5,gradient=1e-09,iterations=6,converged=true,clv=10000){r=2,alpha=10,a=0.5,b=1.5,purchase_1=0.4,dropout_1=-0.1}{0.04,0,0,0,0.01,0,0,0.01,0,0,0,0,0,0,0.09,0,0,0,0,0,0,0.16,0,0,0.01,0,0,0,0.04,0.02,0,0,0,0,0.02,0.04}' AS m;
SELECT term, estimate, round(std_error::numeric, 6) AS std_error, round(statistic::numeric, 6) AS statistic, round(p_value::numeric, 7) AS p_value,
       round(conf_low::numeric, 6) AS conf_low, round(conf_high::numeric, 6) AS conf_high FROM effects, tidy(m);
SELECT vcov(m), coef(m, 'dropout_1') FROM effects;
SELECT coef(m, 'purchase_2') FROM effects;
-- AIC = 5001 + 2 * 6
SELECT aic, covariates, own_weight FROM effects, glance(m);
SELECT m::jsonb -> 'parameters' AS parameters, m::jsonb -> 'rows' AS rows, m::jsonb -> 'own_weight' AS own_weight FROM effects;
SELECT m::text::clv_model = m AS text_round_trip FROM effects;
-- a count of phases has no standard error, and its row of the covariance is zero
SELECT term, estimate, round(std_error::numeric, 6) AS std_error FROM tidy('bgcnbd{r=1,alpha=2,a=3,b=4,k=2}{0.04,0,0,0,0,0,0.04,0,0,0,0,0,0.04,0,0,0,0,0,0.04,0,0,0,0,0,0}');
SELECT 'bgcnbd{r=1,alpha=2,a=3,b=4,k=2}{0.04,0,0,0,0,0,0.04,0,0,0,0,0,0.04,0,0,0,0,0,0.04,0,0,0,0,0,0.01}'::clv_model;
-- a model drawn towards a prior shows it, and has neither AIC nor BIC
SELECT own_weight, log_likelihood, aic, bic FROM glance('gamma_gamma(n=2,distinct=2,rows=0123456789abcdef,log_likelihood=-1,gradient=0,iterations=1,converged=true,weight=0.25,clv=1){p=1,q=2,v=3}'::clv_model);
-- a prior: how the parameters of so many cohorts vary; a model typed in with its covariance
SELECT kind, unit, n, log_likelihood, converged, own_weight FROM glance('bgnbd(unit=week,prior=12){r=0.24,alpha=4.41,a=0.79,b=2.43}{0.04,0,0,0,0,0.04,0,0,0,0,0,0,0,0,0,0.01}'::clv_model);
SELECT jsonb_pretty('gamma_gamma(prior=3){p=1,q=2,v=3}{1,0,0,0,1,0,0,0,1}'::clv_model::jsonb);
SELECT term, std_error FROM tidy('gamma_gamma{p=1,q=2,v=3}{1,0,0,0,1,0,0,0,0}');

-- Text and binary -----------------------------------------------------------------------------------------------
SELECT m::text::clv_model = m AS text_round_trip FROM models;
SET extra_float_digits = -15; SET DateStyle = 'German, DMY';
SELECT m::text::clv_model = m AS settings_do_not_matter, bgnbd_model(1 / 3.0::float8, 2, 3, 4) AS shortest_exact FROM models;
RESET extra_float_digits; RESET DateStyle;
SELECT count(*) AS distinct_models FROM (SELECT m FROM models UNION SELECT m FROM models UNION SELECT bgnbd_model(1, 2, 3, 4)) u;
SELECT count(*) FROM (SELECT bgnbd_model(1 + i % 3, 2, 3, 4) AS m FROM generate_series(1, 30) i) x GROUP BY m;
SELECT (bgnbd_model(1, 2, 3, 4) < bgnbd_model(1, 2, 3, 5)) <> (bgnbd_model(1, 2, 3, 4) > bgnbd_model(1, 2, 3, 5)) AS ordered;
\set VERBOSITY terse
SELECT ''::clv_model;
SELECT 'nonsense'::clv_model;
SELECT 'bgnbd'::clv_model;
SELECT 'bgnbd{}'::clv_model;
SELECT 'bgnbd{r=1,alpha=2,a=3}'::clv_model;
SELECT 'bgnbd{r=1,alpha=2,a=3,b=4,c=5}'::clv_model;
SELECT 'bgnbd{alpha=2,r=1,a=3,b=4}'::clv_model;
SELECT 'bgnbd{r=1,alpha=2,a=3,b=nan}'::clv_model;
SELECT 'bgnbd{r=1,alpha=2,a=3,b=1e999}'::clv_model;
SELECT 'bgnbd{r=1,alpha=2,a=3,b=4} '::clv_model;
SELECT 'bgnbd{r=1,alpha=2,a=3,b=4}{1}'::clv_model;
SELECT 'bgnbd{r=1,alpha=2,a=3,b=4,purchase_1=1}'::clv_model;
SELECT 'bgnbd{r=1,alpha=2,a=3,b=4,purchase_1=1,purchase_2=1,dropout_1=1}'::clv_model;
SELECT 'bgnbd{r=1,alpha=2,a=3,b=4,purchase_2=1,dropout_2=1}'::clv_model;
SELECT 'gamma_gamma{p=1,q=2,v=3,purchase_1=1,dropout_1=1}'::clv_model;
SELECT ('bgnbd{r=1,alpha=2,a=3,b=4' || (SELECT string_agg(format(',purchase_%s=0', i), '') FROM generate_series(1, 17) i) || '}')::clv_model;
SELECT 'bgnbd(n=2,distinct=2,rows=0123456789ABCDEF,log_likelihood=-1,gradient=0,iterations=1,converged=true,clv=1){r=1,alpha=2,a=3,b=4}'::clv_model;
SELECT 'bgnbd(n=2,distinct=2,rows=01234567,log_likelihood=-1,gradient=0,iterations=1,converged=true,clv=1){r=1,alpha=2,a=3,b=4}'::clv_model;
SELECT 'bgnbd(prior=){r=1,alpha=2,a=3,b=4}'::clv_model;
SELECT ('bgnbd{' || repeat('r=1,', 100000) || '}')::clv_model;
SELECT (repeat('bgnbd', 100000))::clv_model;
\set VERBOSITY default
SELECT 'bgnbd{r=0,alpha=2,a=3,b=4}'::clv_model;
SELECT 'bgnbd{r=1,alpha=2,a=3,b=4}{1,0,0,0,0,1,0,0,0,0,1,0,0,0,0,1}'::clv_model;
SELECT 'bgnbd(as_of=2026-01-01){r=1,alpha=2,a=3,b=4}'::clv_model;
SELECT 'bgnbd(n=0,distinct=0,rows=0123456789abcdef,log_likelihood=-1,gradient=0,iterations=1,converged=true,clv=1){r=1,alpha=2,a=3,b=4}'::clv_model;
SELECT 'bgnbd(n=1,distinct=2,rows=0123456789abcdef,log_likelihood=-1,gradient=0,iterations=1,converged=true,clv=1){r=1,alpha=2,a=3,b=4}'::clv_model;
SELECT 'bgnbd(n=2,distinct=2,rows=0123456789abcdef,log_likelihood=-1,gradient=-1,iterations=1,converged=true,clv=1){r=1,alpha=2,a=3,b=4}'::clv_model;
SELECT 'bgnbd(n=2,distinct=2,rows=0123456789abcdef,log_likelihood=-1,gradient=0,iterations=-1,converged=true,clv=1){r=1,alpha=2,a=3,b=4}'::clv_model;
SELECT 'bgnbd(n=2,distinct=2,rows=0123456789abcdef,log_likelihood=-1,gradient=0,iterations=1,converged=yes,clv=1){r=1,alpha=2,a=3,b=4}'::clv_model;
SELECT 'bgnbd(n=2,distinct=2,rows=0123456789abcdef,log_likelihood=-1,gradient=0,iterations=99999999999,converged=true,clv=1){r=1,alpha=2,a=3,b=4}'::clv_model;
SELECT 'gamma_gamma(n=2,distinct=2,rows=0123456789abcdef,log_likelihood=-1,gradient=0,iterations=1,converged=true,clv=1){p=1,q=2,v=3}{1,2,0,0,1,0,0,0,1}'::clv_model;
SELECT 'gamma_gamma(n=2,distinct=2,rows=0123456789abcdef,log_likelihood=-1,gradient=0,iterations=1,converged=true,clv=1){p=1,q=2,v=3}{-1,0,0,0,1,0,0,0,1}'::clv_model;

SELECT 'gamma_gamma{p=1,q=2,v=3}{1,2,0,2,1,0,0,0,1}'::clv_model;
SELECT 'gamma_gamma{p=1,q=2,v=3}{1,0.9,0.9,0.9,1,-0.9,0.9,-0.9,1}'::clv_model;
SELECT 'gamma_gamma{p=1,q=2,v=3}{0,0.1,0,0.1,1,0,0,0,1}'::clv_model;
SELECT 'gamma_gamma(prior=3){p=1,q=2,v=3}'::clv_model;
SELECT 'gamma_gamma(prior=0){p=1,q=2,v=3}{1,0,0,0,1,0,0,0,1}'::clv_model;
SELECT 'gamma_gamma(as_of=2026-01-01,prior=3){p=1,q=2,v=3}{1,0,0,0,1,0,0,0,1}'::clv_model;
SELECT 'gamma_gamma(n=2,distinct=2,rows=0123456789abcdef,log_likelihood=-1,gradient=0,iterations=1,converged=true,weight=1.5,clv=1){p=1,q=2,v=3}'::clv_model;
SELECT 'gamma_gamma(as_of=2026-01-01,until=2026-02-01,n=2,distinct=2,rows=0123456789abcdef,log_likelihood=-1,gradient=0,iterations=1,converged=true,clv=1){p=1,q=2,v=3}'::clv_model;
SELECT 'bgcnbd{r=1,alpha=2,a=3,b=4,k=2.5}'::clv_model;
SELECT 'bgnbd{r=1,alpha=2,a=3,b=4,purchase_1=-5,dropout_1=0}'::clv_model;

-- Binary: what was sent comes back; what the text form cannot show is refused
CREATE FUNCTION receive(b bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    path text := current_setting('data_directory') || '/clv_receive';
    result text;
BEGIN
    SET LOCAL client_min_messages = warning;
    PERFORM lo_unlink(oid) FROM pg_largeobject_metadata WHERE oid = 424242;
    PERFORM lo_from_bytea(424242, '\x5047434f50590aff0d0a000000000000000000'::bytea || '\x0001'::bytea || int4send(length(b)) || b || '\xffff'::bytea);
    PERFORM lo_export(424242, path);
    DROP TABLE IF EXISTS received;
    CREATE TEMP TABLE received (m clv_model);
    EXECUTE format('COPY received FROM %L (FORMAT binary)', path);
    SELECT m::text INTO result FROM received;
    RETURN result;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT receive(b) = m::text AS round_trip, receive(b || '\x00'::bytea) AS longer, receive(substr(b, 1, length(b) - 1)) AS shorter,
       receive(set_byte(b, 1, 9)) AS version, receive(set_byte(b, 3, 64)) AS flags, receive(set_byte(b, 7, 99)) AS kind
FROM (SELECT m, clv_model_send(m) AS b FROM models) w \gx
SELECT receive(b) = m::text AS effects, receive(set_byte(b, 11, 5)) AS odd_number, receive(set_byte(b, 8, 1)) AS too_many, receive(set_byte(b, 11, 0)) AS none
FROM (SELECT m, clv_model_send(m) AS b FROM effects) w \gx
SELECT receive(b) = m::text AS prior, receive(set_byte(b, 3, 13)) AS fitted_prior, receive(set_byte(b, 3, 10)) AS converged_prior
FROM (SELECT m, clv_model_send(m) AS b FROM (VALUES ('gamma_gamma(prior=3){p=1,q=2,v=3}{1,0,0,0,1,0,0,0,1}'::clv_model)) v (m)) w \gx
-- bytes 41 to 48 hold the number of rows, which a typed-in model does not have
SELECT receive(b) AS typed_in, receive(overlay(b PLACING int8send(7) FROM 41)) AS with_rows FROM (SELECT clv_model_send(bgnbd_model(1, 2, 3, 4)) AS b) t;
SELECT receive(b) = m::text AS regression, receive(set_byte(b, 3, 4 + 16 * 6)) AS errors, receive(set_byte(b, 11, 1)) AS no_regressor, receive(overlay(b PLACING float8send(-1) FROM length(b) - 39)) AS df
FROM (SELECT m, clv_model_send(m) AS b FROM (VALUES ('lm(errors=CR1,df=11,clusters=12){intercept=1,x1=2,x2=null}{1,0.5,0,0.5,4,0,0,0,0}'::clv_model)) v (m)) w \gx
DROP TABLE models, extreme, effects; DROP FUNCTION receive(bytea);
SELECT lo_unlink(424242);
-- Regressions: typed in, with effects that cannot be told, Student's t where there are degrees of freedom
SELECT model FROM (VALUES ('lm{intercept=1,x1=-0,x2=null}'::clv_model), ('lm(errors=CR1,df=11,clusters=12){intercept=1,x1=2,x2=null}{1,0.5,0,0.5,4,0,0,0,0}'),
    ('logit{intercept=-1,x1=0.5}'), ('hazard{intercept=-1,log_period=0.1,log_period_squared=0,x1=0.5}'), ('cox{x1=0.5}')) AS m (model);
CREATE TABLE regression AS SELECT 'lm(errors=CR1,df=11,clusters=12){intercept=1,x1=2,x2=null}{1,0.5,0,0.5,4,0,0,0,0}'::clv_model AS m;
-- golden: 2 (1 - T_11(1)) = .3388006961962, quantile 2.200985160082949 (tables of Student's t)
SELECT term, estimate, std_error, statistic, abs(p_value / 0.33880069619620146 - 1) < 1e-12 AS p, abs((conf_high - estimate) / std_error / 2.2009851600916397 - 1) < 1e-12 AS reach FROM regression, tidy(m);
SELECT vcov(m), coef(m, 'x1') AS x1, coef(m, 'x2') AS x2, m::jsonb - 'covariance' AS json FROM regression;
SELECT kind, errors, clusters, df, sigma, r_squared, statistic, p_value, covariates, n FROM regression, glance(m);
SELECT predict(m, '{1,7}'), predict('logit{intercept=0,x1=2}', '{0}') AS even, predict('cox{x1=2}', '{0}') AS relative, predict(m, '{1,null}') AS unknown FROM regression;
SELECT 'cox{}'::clv_model;
SELECT 'lm(errors=CR1){intercept=1,x1=2}'::clv_model;
SELECT 'lm(errors=CR1,clusters=1e300){intercept=1,x1=2}'::clv_model;
SELECT 'lm(errors=CR1,clusters=2.5){intercept=1,x1=2}'::clv_model;
SELECT 'lm(r_squared=1.5){intercept=1,x1=2}'::clv_model;
SELECT 'lm(df=0){intercept=1,x1=2}'::clv_model;
SELECT 'lm{intercept=1,x1=null}{1,0,0,1}'::clv_model;
SELECT 'lm(prior=3){intercept=1,x1=2}{1,0,0,1}'::clv_model;
SELECT predict(m, '{1}') FROM regression;
SELECT predict('hazard{intercept=-1,log_period=0.1,log_period_squared=0,x1=0.5}', '{1}');
SELECT predict('lm{intercept=null,x1=2}', '{1}');
SELECT predict('cox{x1=2000}', '{1}');
SELECT predict(bgnbd_model(1, 1, 1, 1), '{1}');
SELECT with_covariates(m, '{1}') FROM regression;
SELECT cohort_prior(array[m, m, m], m) FROM regression;
SELECT p_alive(m, 1, 1, 1) FROM regression;
DROP TABLE regression;
