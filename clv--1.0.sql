\echo Use "CREATE EXTENSION clv" to load this file. \quit

-- One section per room, in the order in which data flows. Every object is commented: what, units, NULLs, errors, source.

-- ---- value ------------------------------------------------------------------------------------------------------

-- ---- history: type purchase_history -----------------------------------------------------------------------------

-- ---- sample: type clv_sample ------------------------------------------------------------------------------------

CREATE TYPE clv_sample;

CREATE FUNCTION clv_sample_in(cstring) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_sample_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION clv_sample_out(clv_sample) RETURNS cstring
    AS 'MODULE_PATHNAME', 'clv_sample_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION clv_sample_recv(internal) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_sample_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION clv_sample_send(clv_sample) RETURNS bytea
    AS 'MODULE_PATHNAME', 'clv_sample_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION clv_sample_in(cstring) IS 'text input of clv_sample: canonical form only, errors with SQLSTATE 22P02';
COMMENT ON FUNCTION clv_sample_out(clv_sample) IS 'text output of clv_sample; does not depend on settings';
COMMENT ON FUNCTION clv_sample_recv(internal) IS 'binary input of clv_sample; errors with SQLSTATE 22P03';
COMMENT ON FUNCTION clv_sample_send(clv_sample) IS 'binary output of clv_sample';

CREATE TYPE clv_sample (
    INPUT = clv_sample_in, OUTPUT = clv_sample_out, RECEIVE = clv_sample_recv, SEND = clv_sample_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended
);
COMMENT ON TYPE clv_sample IS 'distinct rows with counts: what every fit reads. Daily data of millions of customers fold into few rows. Built by the aggregates clv_sample() and spend_sample(); knows its kind of rows, time unit and as_of, and refuses to mix them. Not a random sample.';

CREATE FUNCTION clv_sample_eq(clv_sample, clv_sample) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_sample_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_sample_ne(clv_sample, clv_sample) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_sample_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_sample_lt(clv_sample, clv_sample) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_sample_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_sample_le(clv_sample, clv_sample) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_sample_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_sample_gt(clv_sample, clv_sample) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_sample_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_sample_ge(clv_sample, clv_sample) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_sample_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_sample_cmp(clv_sample, clv_sample) RETURNS integer
    AS 'MODULE_PATHNAME', 'clv_sample_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_sample_hash(clv_sample) RETURNS integer
    AS 'MODULE_PATHNAME', 'clv_sample_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_sample_hash_extended(clv_sample, bigint) RETURNS bigint
    AS 'MODULE_PATHNAME', 'clv_sample_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;

COMMENT ON FUNCTION clv_sample_eq(clv_sample, clv_sample) IS 'implementation of the = operator';
COMMENT ON FUNCTION clv_sample_ne(clv_sample, clv_sample) IS 'implementation of the <> operator';
COMMENT ON FUNCTION clv_sample_lt(clv_sample, clv_sample) IS 'implementation of the < operator';
COMMENT ON FUNCTION clv_sample_le(clv_sample, clv_sample) IS 'implementation of the <= operator';
COMMENT ON FUNCTION clv_sample_gt(clv_sample, clv_sample) IS 'implementation of the > operator';
COMMENT ON FUNCTION clv_sample_ge(clv_sample, clv_sample) IS 'implementation of the >= operator';
COMMENT ON FUNCTION clv_sample_cmp(clv_sample, clv_sample) IS 'less-equal-greater: a total order of the canonical bytes, without further meaning';
COMMENT ON FUNCTION clv_sample_hash(clv_sample) IS 'hash';
COMMENT ON FUNCTION clv_sample_hash_extended(clv_sample, bigint) IS 'hash with a seed';

CREATE OPERATOR = (
    LEFTARG = clv_sample, RIGHTARG = clv_sample, FUNCTION = clv_sample_eq,
    COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR <> (
    LEFTARG = clv_sample, RIGHTARG = clv_sample, FUNCTION = clv_sample_ne,
    COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR < (
    LEFTARG = clv_sample, RIGHTARG = clv_sample, FUNCTION = clv_sample_lt,
    COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR <= (
    LEFTARG = clv_sample, RIGHTARG = clv_sample, FUNCTION = clv_sample_le,
    COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR > (
    LEFTARG = clv_sample, RIGHTARG = clv_sample, FUNCTION = clv_sample_gt,
    COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR >= (
    LEFTARG = clv_sample, RIGHTARG = clv_sample, FUNCTION = clv_sample_ge,
    COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);

COMMENT ON OPERATOR = (clv_sample, clv_sample) IS 'equal';
COMMENT ON OPERATOR <> (clv_sample, clv_sample) IS 'not equal';
COMMENT ON OPERATOR < (clv_sample, clv_sample) IS 'less than';
COMMENT ON OPERATOR <= (clv_sample, clv_sample) IS 'less than or equal';
COMMENT ON OPERATOR > (clv_sample, clv_sample) IS 'greater than';
COMMENT ON OPERATOR >= (clv_sample, clv_sample) IS 'greater than or equal';

CREATE OPERATOR CLASS clv_sample_ops DEFAULT FOR TYPE clv_sample USING btree AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 clv_sample_cmp(clv_sample, clv_sample);
CREATE OPERATOR CLASS clv_sample_ops DEFAULT FOR TYPE clv_sample USING hash AS
    OPERATOR 1 =, FUNCTION 1 clv_sample_hash(clv_sample), FUNCTION 2 clv_sample_hash_extended(clv_sample, bigint);
COMMENT ON OPERATOR CLASS clv_sample_ops USING btree IS 'order of the canonical bytes, for DISTINCT, UNION, GROUP BY';
COMMENT ON OPERATOR CLASS clv_sample_ops USING hash IS 'equality of the canonical bytes, for DISTINCT, UNION, GROUP BY';

-- Transition, combine and final functions: not for direct use. NULL arguments leave the state as it is.
CREATE FUNCTION clv_sample_add_timing(clv_sample, float8, float8, float8) RETURNS clv_sample
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
CREATE FUNCTION clv_sample_add_spend(clv_sample, float8, float8) RETURNS clv_sample
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
CREATE FUNCTION clv_sample_add_history(clv_sample, purchase_history, date) RETURNS clv_sample
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
CREATE FUNCTION clv_sample_add_history(clv_sample, purchase_history, timestamptz) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_sample_add_history_tz' LANGUAGE C STABLE PARALLEL SAFE COST 10;
CREATE FUNCTION clv_sample_add_history(clv_sample, purchase_history, date, text) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_sample_add_history_unit' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
CREATE FUNCTION clv_sample_add_history(clv_sample, purchase_history, timestamptz, text) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_sample_add_history_unit_tz' LANGUAGE C STABLE PARALLEL SAFE COST 10;
CREATE FUNCTION clv_sample_add_history_spend(clv_sample, purchase_history, date) RETURNS clv_sample
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
CREATE FUNCTION clv_sample_add_history_spend(clv_sample, purchase_history, timestamptz) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_sample_add_history_spend_tz' LANGUAGE C STABLE PARALLEL SAFE COST 10;
CREATE FUNCTION clv_sample_combine(clv_sample, clv_sample) RETURNS clv_sample
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
CREATE FUNCTION clv_sample_final(clv_sample) RETURNS clv_sample
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION clv_sample_add_timing(clv_sample, float8, float8, float8) IS 'transition: count one row (x, t_x, t_cal)';
COMMENT ON FUNCTION clv_sample_add_spend(clv_sample, float8, float8) IS 'transition: count one row (x, monetary_value)';
COMMENT ON FUNCTION clv_sample_add_history(clv_sample, purchase_history, date) IS 'transition: count one customer as (x, t_x, t_cal) in days';
COMMENT ON FUNCTION clv_sample_add_history(clv_sample, purchase_history, timestamptz) IS 'transition: count one customer as (x, t_x, t_cal) in days';
COMMENT ON FUNCTION clv_sample_add_history(clv_sample, purchase_history, date, text) IS 'transition: count one customer as (x, t_x, t_cal) in a unit';
COMMENT ON FUNCTION clv_sample_add_history(clv_sample, purchase_history, timestamptz, text) IS 'transition: count one customer as (x, t_x, t_cal) in a unit';
COMMENT ON FUNCTION clv_sample_add_history_spend(clv_sample, purchase_history, date) IS 'transition: count one customer as (x, monetary_value)';
COMMENT ON FUNCTION clv_sample_add_history_spend(clv_sample, purchase_history, timestamptz) IS 'transition: count one customer as (x, monetary_value)';
COMMENT ON FUNCTION clv_sample_combine(clv_sample, clv_sample) IS 'combine: add the counts of two samples of the same frame';
COMMENT ON FUNCTION clv_sample_final(clv_sample) IS 'final: sorted distinct rows';

CREATE AGGREGATE clv_sample(x float8, t_x float8, t_cal float8) (
    SFUNC = clv_sample_add_timing, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_sample(float8, float8, float8) IS 'rows (x, t_x, t_cal) with counts for the fit of purchase models: x repeat purchases, the last at t_x, observed until t_cal, both counted from the first purchase. Rows with a NULL are skipped; NULL without rows. Impossible rows (t_x > t_cal, x = 0 with t_x > 0) are an error 22023.';

CREATE AGGREGATE clv_sample(x float8, monetary_value float8) (
    SFUNC = clv_sample_add_spend, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_sample(float8, float8) IS 'rows (x, monetary_value) with counts for the fit of spend models: x repeat purchases with that mean amount. Rows with a NULL are skipped; x = 0 or a mean of 0 is counted as n_skipped.';

CREATE AGGREGATE clv_sample(history purchase_history, as_of date) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_sample(purchase_history, date) IS 'rows (x, t_x, t_cal) of customers at a date, in days. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped).';

CREATE AGGREGATE clv_sample(history purchase_history, as_of timestamptz) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_sample(purchase_history, timestamptz) IS 'rows (x, t_x, t_cal) of customers at a date, in days, as_of as the day in the session''s time zone. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped).';

CREATE AGGREGATE clv_sample(history purchase_history, as_of date, unit text) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_sample(purchase_history, date, text) IS 'rows (x, t_x, t_cal) of customers at a date, in the unit day, week, month or year. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped).';

CREATE AGGREGATE clv_sample(history purchase_history, as_of timestamptz, unit text) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_sample(purchase_history, timestamptz, text) IS 'rows (x, t_x, t_cal) of customers at a date, in the unit day, week, month or year, as_of as the day in the session''s time zone. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped).';

CREATE AGGREGATE spend_sample(history purchase_history, as_of date) (
    SFUNC = clv_sample_add_history_spend, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spend_sample(purchase_history, date) IS 'rows (x, monetary_value) of customers at a date, for the fit of spend models. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). Customers without a repeat purchase, or whose repeat purchases cost nothing, are counted as n_skipped.';

CREATE AGGREGATE spend_sample(history purchase_history, as_of timestamptz) (
    SFUNC = clv_sample_add_history_spend, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spend_sample(purchase_history, timestamptz) IS 'rows (x, monetary_value) of customers at a date, for the fit of spend models. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). Customers without a repeat purchase, or whose repeat purchases cost nothing, are counted as n_skipped.';

CREATE AGGREGATE clv_sample(sample clv_sample) (
    SFUNC = clv_sample_combine, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_sample(clv_sample) IS 'roll-up: the sample of all customers of several samples. NULLs are skipped; samples of different kind, unit or as_of are an error 22023.';

-- ---- model: type clv_model --------------------------------------------------------------------------------------

CREATE TYPE clv_model;

CREATE FUNCTION clv_model_in(cstring) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_model_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
CREATE FUNCTION clv_model_out(clv_model) RETURNS cstring
    AS 'MODULE_PATHNAME', 'clv_model_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
CREATE FUNCTION clv_model_recv(internal) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_model_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
CREATE FUNCTION clv_model_send(clv_model) RETURNS bytea
    AS 'MODULE_PATHNAME', 'clv_model_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;

COMMENT ON FUNCTION clv_model_in(cstring) IS 'text input of clv_model: canonical form only, errors with SQLSTATE 22P02';
COMMENT ON FUNCTION clv_model_out(clv_model) IS 'text output of clv_model; does not depend on settings';
COMMENT ON FUNCTION clv_model_recv(internal) IS 'binary input of clv_model; errors with SQLSTATE 22P03';
COMMENT ON FUNCTION clv_model_send(clv_model) IS 'binary output of clv_model';

CREATE TYPE clv_model (
    INPUT = clv_model_in, OUTPUT = clv_model_out, RECEIVE = clv_model_recv, SEND = clv_model_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended
);
COMMENT ON TYPE clv_model IS 'one fitted or typed-in model: kind, time unit, as_of, days covered, parameters, covariance of their logarithms, number of rows, log-likelihood, convergence, version that fitted it';

CREATE FUNCTION clv_model_eq(clv_model, clv_model) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_model_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_model_ne(clv_model, clv_model) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_model_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_model_lt(clv_model, clv_model) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_model_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_model_le(clv_model, clv_model) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_model_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_model_gt(clv_model, clv_model) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_model_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_model_ge(clv_model, clv_model) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_model_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_model_cmp(clv_model, clv_model) RETURNS integer
    AS 'MODULE_PATHNAME', 'clv_model_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_model_hash(clv_model) RETURNS integer
    AS 'MODULE_PATHNAME', 'clv_model_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_model_hash_extended(clv_model, bigint) RETURNS bigint
    AS 'MODULE_PATHNAME', 'clv_model_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;

COMMENT ON FUNCTION clv_model_eq(clv_model, clv_model) IS 'implementation of the = operator';
COMMENT ON FUNCTION clv_model_ne(clv_model, clv_model) IS 'implementation of the <> operator';
COMMENT ON FUNCTION clv_model_lt(clv_model, clv_model) IS 'implementation of the < operator';
COMMENT ON FUNCTION clv_model_le(clv_model, clv_model) IS 'implementation of the <= operator';
COMMENT ON FUNCTION clv_model_gt(clv_model, clv_model) IS 'implementation of the > operator';
COMMENT ON FUNCTION clv_model_ge(clv_model, clv_model) IS 'implementation of the >= operator';
COMMENT ON FUNCTION clv_model_cmp(clv_model, clv_model) IS 'less-equal-greater: a total order of the canonical bytes, without further meaning';
COMMENT ON FUNCTION clv_model_hash(clv_model) IS 'hash';
COMMENT ON FUNCTION clv_model_hash_extended(clv_model, bigint) IS 'hash with a seed';

CREATE OPERATOR = (
    LEFTARG = clv_model, RIGHTARG = clv_model, FUNCTION = clv_model_eq,
    COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR <> (
    LEFTARG = clv_model, RIGHTARG = clv_model, FUNCTION = clv_model_ne,
    COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR < (
    LEFTARG = clv_model, RIGHTARG = clv_model, FUNCTION = clv_model_lt,
    COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR <= (
    LEFTARG = clv_model, RIGHTARG = clv_model, FUNCTION = clv_model_le,
    COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR > (
    LEFTARG = clv_model, RIGHTARG = clv_model, FUNCTION = clv_model_gt,
    COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR >= (
    LEFTARG = clv_model, RIGHTARG = clv_model, FUNCTION = clv_model_ge,
    COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);

COMMENT ON OPERATOR = (clv_model, clv_model) IS 'equal';
COMMENT ON OPERATOR <> (clv_model, clv_model) IS 'not equal';
COMMENT ON OPERATOR < (clv_model, clv_model) IS 'less than';
COMMENT ON OPERATOR <= (clv_model, clv_model) IS 'less than or equal';
COMMENT ON OPERATOR > (clv_model, clv_model) IS 'greater than';
COMMENT ON OPERATOR >= (clv_model, clv_model) IS 'greater than or equal';

CREATE OPERATOR CLASS clv_model_ops DEFAULT FOR TYPE clv_model USING btree AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 clv_model_cmp(clv_model, clv_model);
CREATE OPERATOR CLASS clv_model_ops DEFAULT FOR TYPE clv_model USING hash AS
    OPERATOR 1 =, FUNCTION 1 clv_model_hash(clv_model), FUNCTION 2 clv_model_hash_extended(clv_model, bigint);
COMMENT ON OPERATOR CLASS clv_model_ops USING btree IS 'order of the canonical bytes, for DISTINCT, UNION, GROUP BY';
COMMENT ON OPERATOR CLASS clv_model_ops USING hash IS 'equality of the canonical bytes, for DISTINCT, UNION, GROUP BY';

CREATE FUNCTION bgnbd_model(r float8, alpha float8, a float8, b float8) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_bgnbd_model' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION bgnbd_model(r float8, alpha float8, a float8, b float8, unit text) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_bgnbd_model' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION gamma_gamma_model(p float8, q float8, v float8) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_gamma_gamma_model' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;

COMMENT ON FUNCTION bgnbd_model(float8, float8, float8, float8) IS 'BG/NBD model from typed-in parameters, for raw numbers in the unit of alpha: purchase rates are gamma(r, alpha), dropout probabilities after a purchase beta(a, b). Parameters must be positive: error 22023. Source: Fader, Hardie and Lee 2005.';
COMMENT ON FUNCTION bgnbd_model(float8, float8, float8, float8, text) IS 'BG/NBD model from typed-in parameters with the time unit of alpha (day, week, month, year), so that it can be used with histories and dates';
COMMENT ON FUNCTION gamma_gamma_model(float8, float8, float8) IS 'gamma-gamma spend model from typed-in parameters; v is in units of money. Parameters must be positive: error 22023. Source: Fader and Hardie 2013.';

CREATE FUNCTION tidy(model clv_model, conf float8 DEFAULT 0.95,
        OUT term text, OUT estimate float8, OUT std_error float8, OUT statistic float8, OUT p_value float8,
        OUT conf_low float8, OUT conf_high float8)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'clv_model_tidy' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50 ROWS 4;
COMMENT ON FUNCTION tidy(clv_model, float8) IS 'parameters of a model, one row each, on their natural scale: estimate, standard error, interval at confidence conf from the log scale (positive parameters; statistic and p_value are NULL, as no test of "= 0" exists). std_error and interval are NULL without a covariance.';

CREATE FUNCTION glance(model clv_model,
        OUT kind text, OUT unit text, OUT as_of date, OUT first_day date, OUT last_day date,
        OUT n bigint, OUT n_distinct bigint, OUT n_skipped bigint, OUT log_likelihood float8, OUT aic float8, OUT bic float8,
        OUT converged boolean, OUT iterations integer, OUT gradient_norm float8, OUT mean_rate float8, OUT mean_dropout float8,
        OUT fitted_by text)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'clv_model_glance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50 ROWS 1;
COMMENT ON FUNCTION glance(clv_model) IS 'one row about a model: kind, time unit, dates of the data, rows used (n), distinct and skipped, log-likelihood (density of purchase times), AIC, BIC, whether the fit converged, iterations, gradient_norm (distance to the maximum in standard errors), mean purchase rate per unit while alive, mean dropout probability after a purchase, version that fitted it. NULL where a typed-in model has none. Compare log-likelihoods only for the same rows, as_of and unit.';

CREATE FUNCTION coef(model clv_model, term text) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_model_coef' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION coef(clv_model, text) IS 'one parameter of a model on its natural scale, by name; an unknown name is an error 22023 that lists the names';

CREATE FUNCTION vcov(model clv_model) RETURNS float8[]
    AS 'MODULE_PATHNAME', 'clv_model_vcov' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION vcov(clv_model) IS 'covariance matrix of the parameters on their natural scale, rows and columns in the order of tidy(); NULL without one (typed-in, or not converged)';

CREATE FUNCTION clv_model_to_jsonb(model clv_model) RETURNS jsonb
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_model_to_jsonb(clv_model) IS 'the model as a JSON object: kind, unit, parameters and, if fitted, dates, counts, log-likelihood, convergence, covariance_of_logs';
CREATE CAST (clv_model AS jsonb) WITH FUNCTION clv_model_to_jsonb(clv_model);
COMMENT ON CAST (clv_model AS jsonb) IS 'see clv_model_to_jsonb()';

-- ---- btyd: fits and predictions ---------------------------------------------------------------------------------

CREATE FUNCTION bgnbd_fit(sample clv_sample) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_bgnbd_fit' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000000;
COMMENT ON FUNCTION bgnbd_fit(clv_sample) IS 'BG/NBD model by maximum likelihood from a stored sample of (x, t_x, t_cal). NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. It gives P(alive) = 1 to every customer without a repeat purchase: rank by churn_risk(). Source: Fader, Hardie and Lee 2005.';

CREATE AGGREGATE bgnbd_fit(x float8, t_x float8, t_cal float8) (
    SFUNC = clv_sample_add_timing, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = bgnbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE bgnbd_fit(float8, float8, float8) IS 'BG/NBD model by maximum likelihood over rows of raw numbers, in their unit. Rows with a NULL are skipped. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Source: Fader, Hardie and Lee 2005.';

CREATE AGGREGATE bgnbd_fit(history purchase_history, as_of date) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = bgnbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE bgnbd_fit(purchase_history, date) IS 'BG/NBD model by maximum likelihood over customers at a date, in days. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Source: Fader, Hardie and Lee 2005.';

CREATE AGGREGATE bgnbd_fit(history purchase_history, as_of timestamptz) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = bgnbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE bgnbd_fit(purchase_history, timestamptz) IS 'BG/NBD model by maximum likelihood over customers at a date, in days, as_of as the day in the session''s time zone. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Source: Fader, Hardie and Lee 2005.';

CREATE AGGREGATE bgnbd_fit(history purchase_history, as_of date, unit text) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = bgnbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE bgnbd_fit(purchase_history, date, text) IS 'BG/NBD model by maximum likelihood over customers at a date, in the unit day, week, month or year. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Source: Fader, Hardie and Lee 2005.';

CREATE AGGREGATE bgnbd_fit(history purchase_history, as_of timestamptz, unit text) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = bgnbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE bgnbd_fit(purchase_history, timestamptz, text) IS 'BG/NBD model by maximum likelihood over customers at a date, in the unit day, week, month or year, as_of as the day in the session''s time zone. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Source: Fader, Hardie and Lee 2005.';

CREATE FUNCTION gamma_gamma_fit(sample clv_sample) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_gamma_gamma_fit' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION gamma_gamma_fit(clv_sample) IS 'gamma-gamma spend model by maximum likelihood from a stored sample of (x, monetary_value). NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Source: Fader and Hardie 2013.';

CREATE AGGREGATE gamma_gamma_fit(x float8, monetary_value float8) (
    SFUNC = clv_sample_add_spend, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = gamma_gamma_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE gamma_gamma_fit(float8, float8) IS 'gamma-gamma spend model by maximum likelihood over rows of raw numbers, in their unit. Rows with a NULL are skipped. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Source: Fader and Hardie 2013.';

CREATE AGGREGATE gamma_gamma_fit(history purchase_history, as_of date) (
    SFUNC = clv_sample_add_history_spend, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = gamma_gamma_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE gamma_gamma_fit(purchase_history, date) IS 'gamma-gamma spend model by maximum likelihood over customers at a date. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Source: Fader and Hardie 2013.';

CREATE AGGREGATE gamma_gamma_fit(history purchase_history, as_of timestamptz) (
    SFUNC = clv_sample_add_history_spend, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = gamma_gamma_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE gamma_gamma_fit(purchase_history, timestamptz) IS 'gamma-gamma spend model by maximum likelihood over customers at a date. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Source: Fader and Hardie 2013.';

-- Predictions for raw numbers, in the model's unit; for a history and dates; for a new customer.

CREATE FUNCTION p_alive(model clv_model, x float8, t_x float8, t_cal float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_p_alive' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION p_alive(clv_model, float8, float8, float8) IS 'probability that a customer with x repeat purchases, the last at t_x, is still alive at t_cal. BG/NBD gives 1 to everyone without a repeat purchase (x = 0): rank customers by churn_risk() instead. Impossible numbers are an error 22023.';

CREATE FUNCTION p_alive(model clv_model, history purchase_history, as_of date) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_p_alive_history' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION p_alive(model clv_model, history purchase_history, as_of timestamptz) RETURNS float8
    LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 10
    RETURN p_alive(model, history, as_of::date);
COMMENT ON FUNCTION p_alive(clv_model, purchase_history, date) IS 'probability that the customer is alive on as_of; NULL before the first purchase. BG/NBD gives 1 to everyone without a repeat purchase: rank by churn_risk().';
COMMENT ON FUNCTION p_alive(clv_model, purchase_history, timestamptz) IS 'p_alive() with the days of timestamps in the session''s time zone';

CREATE FUNCTION p_alive(model clv_model, history purchase_history, as_of date, until date) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_p_alive_history' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 30;
CREATE FUNCTION p_alive(model clv_model, history purchase_history, as_of timestamptz, until timestamptz) RETURNS float8
    LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 30
    RETURN p_alive(model, history, as_of::date, until::date);
COMMENT ON FUNCTION p_alive(clv_model, purchase_history, date, date) IS 'probability that the customer is still alive on until, seen from as_of; NULL before the first purchase';
COMMENT ON FUNCTION p_alive(clv_model, purchase_history, timestamptz, timestamptz) IS 'p_alive() with the days of timestamps in the session''s time zone';

CREATE FUNCTION expected_purchases(model clv_model, x float8, t_x float8, t_cal float8, t float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_expected_purchases' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 30;
COMMENT ON FUNCTION expected_purchases(clv_model, float8, float8, float8, float8) IS 'expected number of purchases in (t_cal, t_cal + t] of a customer with x repeat purchases, the last at t_x; all times in the model''s unit';

CREATE FUNCTION expected_purchases(model clv_model, history purchase_history, as_of date, until date) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_expected_purchases_history' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 35;
CREATE FUNCTION expected_purchases(model clv_model, history purchase_history, as_of timestamptz, until timestamptz) RETURNS float8
    LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 35
    RETURN expected_purchases(model, history, as_of::date, until::date);
COMMENT ON FUNCTION expected_purchases(clv_model, purchase_history, date, date) IS 'expected number of purchases in (as_of, until]; NULL before the first purchase, error 22023 where until lies before as_of or the model has no time unit';
COMMENT ON FUNCTION expected_purchases(clv_model, purchase_history, timestamptz, timestamptz) IS 'expected_purchases() with the days of timestamps in the session''s time zone';

CREATE FUNCTION expected_purchases(model clv_model, t float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_expected_purchases_new' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 30;
COMMENT ON FUNCTION expected_purchases(clv_model, float8) IS 'expected number of repeat purchases of a new customer within time t (in the model''s unit) of the first purchase, which is not counted';

CREATE FUNCTION purchase_probability(model clv_model, n integer, t float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_purchase_probability' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION purchase_probability(clv_model, integer, float8) IS 'probability that a new customer makes exactly n repeat purchases within time t (in the model''s unit) of the first purchase';

CREATE FUNCTION churn_risk(model clv_model, x float8, t_x float8, t_cal float8, t float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_churn_risk' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 8;
COMMENT ON FUNCTION churn_risk(clv_model, float8, float8, float8, float8) IS 'probability of no purchase in (t_cal, t_cal + t]: of silence in that time, which is not the same as having left. All times in the model''s unit.';

CREATE FUNCTION churn_risk(model clv_model, history purchase_history, as_of date, until date) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_churn_risk_history' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 12;
CREATE FUNCTION churn_risk(model clv_model, history purchase_history, as_of timestamptz, until timestamptz) RETURNS float8
    LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 12
    RETURN churn_risk(model, history, as_of::date, until::date);
COMMENT ON FUNCTION churn_risk(clv_model, purchase_history, date, date) IS 'probability of no purchase in (as_of, until]: of silence in that time, which is not the same as having left; NULL before the first purchase';
COMMENT ON FUNCTION churn_risk(clv_model, purchase_history, timestamptz, timestamptz) IS 'churn_risk() with the days of timestamps in the session''s time zone';

CREATE FUNCTION discounted_purchases(model clv_model, x float8, t_x float8, t_cal float8, continuous_rate_per_unit float8, t float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_discounted_purchases' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
CREATE FUNCTION discounted_purchases(model clv_model, x float8, t_x float8, t_cal float8, continuous_rate_per_unit float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_discounted_purchases' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION discounted_purchases(clv_model, float8, float8, float8, float8, float8) IS 'expected purchases in (t_cal, t_cal + t], each discounted continuously to t_cal; t may be infinity. The rate is ln(1 + annual rate) per year, in the model''s unit. Error 22003 where the value is infinite.';
COMMENT ON FUNCTION discounted_purchases(clv_model, float8, float8, float8, float8) IS 'discounted expected residual transactions (DERT): discounted_purchases() without end. Source: Fader, Hardie and Lee 2005.';

CREATE FUNCTION expected_spend(spend_model clv_model, x float8, monetary_value float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_expected_spend' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION expected_spend(clv_model, float8, float8) IS 'expected amount per purchase of a customer with x repeat purchases of mean monetary_value: a weighted mean of that and the population mean. x = 0: the population mean, monetary_value may be NULL. NULL with a WARNING where the population has no mean (q <= 1). Source: Fader and Hardie 2013.';

CREATE FUNCTION expected_spend(spend_model clv_model, history purchase_history, as_of date) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_expected_spend_history' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION expected_spend(spend_model clv_model, history purchase_history, as_of timestamptz) RETURNS float8
    LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 10
    RETURN expected_spend(spend_model, history, as_of::date);
COMMENT ON FUNCTION expected_spend(clv_model, purchase_history, date) IS 'expected amount per purchase of the customer as known on as_of; the population mean without a repeat purchase, NULL before the first purchase';
COMMENT ON FUNCTION expected_spend(clv_model, purchase_history, timestamptz) IS 'expected_spend() with the days of timestamps in the session''s time zone';

CREATE FUNCTION clv(model clv_model, spend_model clv_model, history purchase_history, as_of date, until date, annual_discount_rate float8, margin float8 DEFAULT 1, service_cost_per_purchase float8 DEFAULT 0) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_residual_value' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
CREATE FUNCTION clv(model clv_model, spend_model clv_model, history purchase_history, as_of timestamptz, until timestamptz, annual_discount_rate float8, margin float8 DEFAULT 1, service_cost_per_purchase float8 DEFAULT 0) RETURNS float8
    LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 1000
    RETURN clv(model, spend_model, history, as_of::date, until::date, annual_discount_rate, margin, service_cost_per_purchase);
COMMENT ON FUNCTION clv(clv_model, clv_model, purchase_history, date, date, float8, float8, float8) IS 'residual lifetime value: (margin x expected spend - service cost per purchase) x expected purchases in (as_of, until], each discounted continuously to as_of by ln(1 + annual_discount_rate) / 365 a day. until may be infinity. Without a repeat purchase the population''s mean spend is expected; NULL before the first purchase.';
COMMENT ON FUNCTION clv(clv_model, clv_model, purchase_history, timestamptz, timestamptz, float8, float8, float8) IS 'clv() with the days of timestamps in the session''s time zone';

CREATE FUNCTION clv_new_customer(model clv_model, spend_model clv_model, days float8, annual_discount_rate float8, margin float8 DEFAULT 1) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_new_customer_value' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION clv_new_customer(clv_model, clv_model, float8, float8, float8) IS 'lifetime value of a customer about to make the first purchase, that purchase included: margin x population mean spend x (1 + expected discounted repeat purchases within so many days); days may be infinity';
