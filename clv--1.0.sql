\echo Use "CREATE EXTENSION clv" to load this file. \quit

-- One section per room, in the order in which data flows. Every object is commented: what, units, NULLs, errors, source.

-- ---- value ------------------------------------------------------------------------------------------------------

-- ---- history: type purchase_history -----------------------------------------------------------------------------

CREATE TYPE purchase_history;

CREATE FUNCTION purchase_history_in(cstring) RETURNS purchase_history
    AS 'MODULE_PATHNAME', 'clv_history_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION purchase_history_out(purchase_history) RETURNS cstring
    AS 'MODULE_PATHNAME', 'clv_history_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION purchase_history_recv(internal) RETURNS purchase_history
    AS 'MODULE_PATHNAME', 'clv_history_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION purchase_history_send(purchase_history) RETURNS bytea
    AS 'MODULE_PATHNAME', 'clv_history_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;

CREATE TYPE purchase_history (
    INPUT = purchase_history_in, OUTPUT = purchase_history_out,
    RECEIVE = purchase_history_recv, SEND = purchase_history_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended
);
COMMENT ON TYPE purchase_history IS
'One customer''s days with the exact net amount of each, sorted: {2024-01-01:12.5,2024-01-08:20}. A day whose lines cancel out is written {2024-01-01:cancelled}; a history without money {2024-01-01,2024-01-08}; none {}. A day is a purchase if its net is positive, or zero without a negative line. Amounts are kept to 1e-6 of the currency unit. Built by the aggregate purchase_history().';

COMMENT ON FUNCTION purchase_history_in(cstring) IS
'Text input: the form that text output writes, days in ascending order, at most six decimals; white space around tokens is skipped. Anything else is an error.';
COMMENT ON FUNCTION purchase_history_out(purchase_history) IS
'Text output: ISO dates and exact decimals, whatever the settings of the session.';
COMMENT ON FUNCTION purchase_history_recv(internal) IS
'Binary input; everything is checked, and anything that binary output would not write is an error.';
COMMENT ON FUNCTION purchase_history_send(purchase_history) IS
'Binary output: version, flags, number of days, then day, cancellation mark and amount in micro-units of each. Equal histories have equal bytes.';

-- building

CREATE FUNCTION purchase_history_add(state purchase_history, ordered_at date, amount numeric) RETURNS purchase_history
    AS 'MODULE_PATHNAME', 'clv_history_add_date_numeric' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 2;
CREATE FUNCTION purchase_history_add(state purchase_history, ordered_at date, amount float8) RETURNS purchase_history
    AS 'MODULE_PATHNAME', 'clv_history_add_date_float8' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 2;
CREATE FUNCTION purchase_history_add_day(state purchase_history, ordered_at date) RETURNS purchase_history
    AS 'MODULE_PATHNAME', 'clv_history_add_date' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 2;
CREATE FUNCTION purchase_history_add(state purchase_history, ordered_at timestamp, amount numeric) RETURNS purchase_history
    AS 'MODULE_PATHNAME', 'clv_history_add_timestamp_numeric' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 2;
CREATE FUNCTION purchase_history_add(state purchase_history, ordered_at timestamp, amount float8) RETURNS purchase_history
    AS 'MODULE_PATHNAME', 'clv_history_add_timestamp_float8' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 2;
CREATE FUNCTION purchase_history_add_day(state purchase_history, ordered_at timestamp) RETURNS purchase_history
    AS 'MODULE_PATHNAME', 'clv_history_add_timestamp' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 2;
CREATE FUNCTION purchase_history_add(state purchase_history, ordered_at timestamptz, amount numeric) RETURNS purchase_history
    AS 'MODULE_PATHNAME', 'clv_history_add_timestamptz_numeric' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 2;
CREATE FUNCTION purchase_history_add(state purchase_history, ordered_at timestamptz, amount float8) RETURNS purchase_history
    AS 'MODULE_PATHNAME', 'clv_history_add_timestamptz_float8' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 2;
CREATE FUNCTION purchase_history_add_day(state purchase_history, ordered_at timestamptz) RETURNS purchase_history
    AS 'MODULE_PATHNAME', 'clv_history_add_timestamptz' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 2;
CREATE FUNCTION purchase_history_combine(state purchase_history, other purchase_history) RETURNS purchase_history
    AS 'MODULE_PATHNAME', 'clv_history_combine' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 5;
CREATE FUNCTION purchase_history_final(state purchase_history) RETURNS purchase_history
    AS 'MODULE_PATHNAME', 'clv_history_final' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;

COMMENT ON FUNCTION purchase_history_add(purchase_history, date, numeric) IS
'Transition function of the aggregate purchase_history(date, numeric). A NULL state starts a history; a row with a NULL leaves the state as it is.';
COMMENT ON FUNCTION purchase_history_add(purchase_history, date, float8) IS
'Transition function of the aggregate purchase_history(date, float8). A NULL state starts a history; a row with a NULL leaves the state as it is.';
COMMENT ON FUNCTION purchase_history_add_day(purchase_history, date) IS
'Transition function of the aggregate purchase_history(date). A NULL state starts a history; a row with a NULL leaves the state as it is.';
COMMENT ON FUNCTION purchase_history_add(purchase_history, timestamp, numeric) IS
'Transition function of the aggregate purchase_history(timestamp, numeric). A NULL state starts a history; a row with a NULL leaves the state as it is.';
COMMENT ON FUNCTION purchase_history_add(purchase_history, timestamp, float8) IS
'Transition function of the aggregate purchase_history(timestamp, float8). A NULL state starts a history; a row with a NULL leaves the state as it is.';
COMMENT ON FUNCTION purchase_history_add_day(purchase_history, timestamp) IS
'Transition function of the aggregate purchase_history(timestamp). A NULL state starts a history; a row with a NULL leaves the state as it is.';
COMMENT ON FUNCTION purchase_history_add(purchase_history, timestamptz, numeric) IS
'Transition function of the aggregate purchase_history(timestamptz, numeric). A NULL state starts a history; a row with a NULL leaves the state as it is.';
COMMENT ON FUNCTION purchase_history_add(purchase_history, timestamptz, float8) IS
'Transition function of the aggregate purchase_history(timestamptz, float8). A NULL state starts a history; a row with a NULL leaves the state as it is.';
COMMENT ON FUNCTION purchase_history_add_day(purchase_history, timestamptz) IS
'Transition function of the aggregate purchase_history(timestamptz). A NULL state starts a history; a row with a NULL leaves the state as it is.';
COMMENT ON FUNCTION purchase_history_combine(purchase_history, purchase_history) IS
'Combine function of the purchase_history() aggregates: the lines of both states; NULL where both are NULL.';
COMMENT ON FUNCTION purchase_history_final(purchase_history) IS
'Final function of the purchase_history() aggregates: the state in the form that is stored.';

CREATE AGGREGATE purchase_history(ordered_at date, amount numeric) (
    SFUNC = purchase_history_add, STYPE = purchase_history, SSPACE = 128, FINALFUNC = purchase_history_final,
    COMBINEFUNC = purchase_history_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE purchase_history(date, numeric) IS
'A customer''s purchase history from order lines in any order; refunds are negative amounts. Each amount is rounded half away from zero to 1e-6 and then summed exactly. Rows with a NULL are skipped; NULL without rows. Error: NaN or infinite amounts, a net beyond 9223372036854.775807, dates outside 0001-01-01 to 9999-12-31.';
CREATE AGGREGATE purchase_history(ordered_at date, amount float8) (
    SFUNC = purchase_history_add, STYPE = purchase_history, SSPACE = 128, FINALFUNC = purchase_history_final,
    COMBINEFUNC = purchase_history_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE purchase_history(date, float8) IS
'A customer''s purchase history from order lines in any order; refunds are negative amounts. Each amount is rounded half away from zero to 1e-6 and then summed exactly, in any order. Rows with a NULL are skipped; NULL without rows. Error: NaN or infinite amounts, a net beyond 9223372036854.775807, dates outside 0001-01-01 to 9999-12-31.';
CREATE AGGREGATE purchase_history(ordered_at date) (
    SFUNC = purchase_history_add_day, STYPE = purchase_history, SSPACE = 128, FINALFUNC = purchase_history_final,
    COMBINEFUNC = purchase_history_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE purchase_history(date) IS
'A customer''s purchase history without amounts: every day with a row is a purchase. NULLs are skipped; NULL without rows. Error: dates outside 0001-01-01 to 9999-12-31.';
CREATE AGGREGATE purchase_history(ordered_at timestamp, amount numeric) (
    SFUNC = purchase_history_add, STYPE = purchase_history, SSPACE = 128, FINALFUNC = purchase_history_final,
    COMBINEFUNC = purchase_history_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE purchase_history(timestamp, numeric) IS
'A customer''s purchase history from order lines in any order; refunds are negative amounts. A day is the date part of the timestamp. Each amount is rounded half away from zero to 1e-6 and then summed exactly. Rows with a NULL are skipped; NULL without rows. Error: NaN or infinite amounts, a net beyond 9223372036854.775807, dates outside 0001-01-01 to 9999-12-31.';
CREATE AGGREGATE purchase_history(ordered_at timestamp, amount float8) (
    SFUNC = purchase_history_add, STYPE = purchase_history, SSPACE = 128, FINALFUNC = purchase_history_final,
    COMBINEFUNC = purchase_history_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE purchase_history(timestamp, float8) IS
'A customer''s purchase history from order lines in any order; refunds are negative amounts. A day is the date part of the timestamp. Each amount is rounded half away from zero to 1e-6 and then summed exactly, in any order. Rows with a NULL are skipped; NULL without rows. Error: NaN or infinite amounts, a net beyond 9223372036854.775807, dates outside 0001-01-01 to 9999-12-31.';
CREATE AGGREGATE purchase_history(ordered_at timestamp) (
    SFUNC = purchase_history_add_day, STYPE = purchase_history, SSPACE = 128, FINALFUNC = purchase_history_final,
    COMBINEFUNC = purchase_history_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE purchase_history(timestamp) IS
'A customer''s purchase history without amounts: every day with a row is a purchase. A day is the date part of the timestamp. NULLs are skipped; NULL without rows. Error: dates outside 0001-01-01 to 9999-12-31.';
CREATE AGGREGATE purchase_history(ordered_at timestamptz, amount numeric) (
    SFUNC = purchase_history_add, STYPE = purchase_history, SSPACE = 128, FINALFUNC = purchase_history_final,
    COMBINEFUNC = purchase_history_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE purchase_history(timestamptz, numeric) IS
'A customer''s purchase history from order lines in any order; refunds are negative amounts. A day is the date in the session''s time zone; write ordered_at AT TIME ZONE ''Europe/Vienna'' to fix it. Each amount is rounded half away from zero to 1e-6 and then summed exactly. Rows with a NULL are skipped; NULL without rows. Error: NaN or infinite amounts, a net beyond 9223372036854.775807, dates outside 0001-01-01 to 9999-12-31.';
CREATE AGGREGATE purchase_history(ordered_at timestamptz, amount float8) (
    SFUNC = purchase_history_add, STYPE = purchase_history, SSPACE = 128, FINALFUNC = purchase_history_final,
    COMBINEFUNC = purchase_history_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE purchase_history(timestamptz, float8) IS
'A customer''s purchase history from order lines in any order; refunds are negative amounts. A day is the date in the session''s time zone; write ordered_at AT TIME ZONE ''Europe/Vienna'' to fix it. Each amount is rounded half away from zero to 1e-6 and then summed exactly, in any order. Rows with a NULL are skipped; NULL without rows. Error: NaN or infinite amounts, a net beyond 9223372036854.775807, dates outside 0001-01-01 to 9999-12-31.';
CREATE AGGREGATE purchase_history(ordered_at timestamptz) (
    SFUNC = purchase_history_add_day, STYPE = purchase_history, SSPACE = 128, FINALFUNC = purchase_history_final,
    COMBINEFUNC = purchase_history_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE purchase_history(timestamptz) IS
'A customer''s purchase history without amounts: every day with a row is a purchase. A day is the date in the session''s time zone; write ordered_at AT TIME ZONE ''Europe/Vienna'' to fix it. NULLs are skipped; NULL without rows. Error: dates outside 0001-01-01 to 9999-12-31.';
CREATE AGGREGATE purchase_history(history purchase_history) (
    SFUNC = purchase_history_combine, STYPE = purchase_history, SSPACE = 128, FINALFUNC = purchase_history_final,
    COMBINEFUNC = purchase_history_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE purchase_history(purchase_history) IS
'The roll-up: all lines of several histories as one, equal to the history of all their orders. NULLs are skipped; NULL without rows. Error: histories with amounts and without mixed.';

CREATE FUNCTION merge_history(a purchase_history, b purchase_history) RETURNS purchase_history
    AS 'MODULE_PATHNAME', 'clv_history_merge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION merge_history(purchase_history, purchase_history) IS
'The lines of both histories as one history; nets of the same day add up. NULL if either is NULL. Error: one with amounts and one without (an empty history goes with both).';

CREATE OPERATOR + (
    LEFTARG = purchase_history, RIGHTARG = purchase_history, FUNCTION = merge_history, COMMUTATOR = +
);
COMMENT ON OPERATOR + (purchase_history, purchase_history) IS 'The lines of both histories as one, as merge_history().';

-- comparison: a total order without a meaning of its own, for =, DISTINCT, GROUP BY, UNION and merge joins

CREATE FUNCTION purchase_history_eq(purchase_history, purchase_history) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_history_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION purchase_history_ne(purchase_history, purchase_history) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_history_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION purchase_history_lt(purchase_history, purchase_history) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_history_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION purchase_history_le(purchase_history, purchase_history) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_history_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION purchase_history_gt(purchase_history, purchase_history) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_history_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION purchase_history_ge(purchase_history, purchase_history) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_history_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION purchase_history_cmp(purchase_history, purchase_history) RETURNS integer
    AS 'MODULE_PATHNAME', 'clv_history_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION purchase_history_hash(purchase_history) RETURNS integer
    AS 'MODULE_PATHNAME', 'clv_history_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION purchase_history_hash_extended(purchase_history, bigint) RETURNS bigint
    AS 'MODULE_PATHNAME', 'clv_history_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;

COMMENT ON FUNCTION purchase_history_eq(purchase_history, purchase_history) IS 'Whether both histories have the same days and amounts.';
COMMENT ON FUNCTION purchase_history_ne(purchase_history, purchase_history) IS 'Whether the histories differ in a day or an amount.';
COMMENT ON FUNCTION purchase_history_lt(purchase_history, purchase_history) IS 'Whether the first history sorts before the second, in the order of the default operator class (no meaning of its own).';
COMMENT ON FUNCTION purchase_history_le(purchase_history, purchase_history) IS 'Whether the first history sorts before the second or equals it, in the order of the default operator class (no meaning of its own).';
COMMENT ON FUNCTION purchase_history_gt(purchase_history, purchase_history) IS 'Whether the first history sorts after the second, in the order of the default operator class (no meaning of its own).';
COMMENT ON FUNCTION purchase_history_ge(purchase_history, purchase_history) IS 'Whether the first history sorts after the second or equals it, in the order of the default operator class (no meaning of its own).';
COMMENT ON FUNCTION purchase_history_cmp(purchase_history, purchase_history) IS
'-1, 0 or 1: the order of the default operator class, by bytes.';
COMMENT ON FUNCTION purchase_history_hash(purchase_history) IS 'Hash of a history, for hash joins, hashed grouping and hash indexes.';
COMMENT ON FUNCTION purchase_history_hash_extended(purchase_history, bigint) IS
'Seeded 64-bit hash of a history, for hash partitioning.';

CREATE OPERATOR = (
    LEFTARG = purchase_history, RIGHTARG = purchase_history, FUNCTION = purchase_history_eq,
    COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR <> (
    LEFTARG = purchase_history, RIGHTARG = purchase_history, FUNCTION = purchase_history_ne,
    COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR < (
    LEFTARG = purchase_history, RIGHTARG = purchase_history, FUNCTION = purchase_history_lt,
    COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR <= (
    LEFTARG = purchase_history, RIGHTARG = purchase_history, FUNCTION = purchase_history_le,
    COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR > (
    LEFTARG = purchase_history, RIGHTARG = purchase_history, FUNCTION = purchase_history_gt,
    COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR >= (
    LEFTARG = purchase_history, RIGHTARG = purchase_history, FUNCTION = purchase_history_ge,
    COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR = (purchase_history, purchase_history) IS 'same days and amounts';
COMMENT ON OPERATOR <> (purchase_history, purchase_history) IS 'different in a day or an amount';
COMMENT ON OPERATOR < (purchase_history, purchase_history) IS 'sorts before, in the order of the default operator class';
COMMENT ON OPERATOR <= (purchase_history, purchase_history) IS 'sorts before or equal, in the order of the default operator class';
COMMENT ON OPERATOR > (purchase_history, purchase_history) IS 'sorts after, in the order of the default operator class';
COMMENT ON OPERATOR >= (purchase_history, purchase_history) IS 'sorts after or equal, in the order of the default operator class';

CREATE OPERATOR CLASS purchase_history_ops DEFAULT FOR TYPE purchase_history USING btree AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
    FUNCTION 1 purchase_history_cmp(purchase_history, purchase_history);
COMMENT ON OPERATOR CLASS purchase_history_ops USING btree IS
'Sorting of histories by their bytes: no meaning of its own, but equal histories are equal.';

CREATE OPERATOR CLASS purchase_history_ops DEFAULT FOR TYPE purchase_history USING hash AS
    OPERATOR 1 =,
    FUNCTION 1 purchase_history_hash(purchase_history),
    FUNCTION 2 purchase_history_hash_extended(purchase_history, bigint);
COMMENT ON OPERATOR CLASS purchase_history_ops USING hash IS 'Hashing of histories.';

-- readers: what a history says at the end of a day

CREATE FUNCTION first_purchase(history purchase_history) RETURNS date
    AS 'MODULE_PATHNAME', 'clv_history_first_purchase' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION first_purchase(purchase_history) IS
'The first purchase day; NULL without a purchase.';

CREATE FUNCTION last_purchase(history purchase_history, as_of date) RETURNS date
    AS 'MODULE_PATHNAME', 'clv_history_last_purchase' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION last_purchase(history purchase_history, as_of timestamptz) RETURNS date
    LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 2
    RETURN last_purchase(history, as_of::date);
COMMENT ON FUNCTION last_purchase(purchase_history, date) IS
'The last purchase day up to as_of. NULL before the first purchase. Error: as_of infinite.';
COMMENT ON FUNCTION last_purchase(purchase_history, timestamptz) IS
'As last_purchase(history, date), with the day of as_of in the session''s time zone.';

CREATE FUNCTION purchases(history purchase_history, as_of date) RETURNS integer
    AS 'MODULE_PATHNAME', 'clv_history_purchases' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION purchases(history purchase_history, as_of timestamptz) RETURNS integer
    LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 2
    RETURN purchases(history, as_of::date);
COMMENT ON FUNCTION purchases(purchase_history, date) IS
'The number of purchase days up to as_of, the first included. NULL before the first purchase. Error: as_of infinite.';
COMMENT ON FUNCTION purchases(purchase_history, timestamptz) IS
'As purchases(history, date), with the day of as_of in the session''s time zone.';

CREATE FUNCTION repeat_purchases(history purchase_history, as_of date) RETURNS integer
    AS 'MODULE_PATHNAME', 'clv_history_repeat_purchases' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION repeat_purchases(history purchase_history, as_of timestamptz) RETURNS integer
    LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 2
    RETURN repeat_purchases(history, as_of::date);
COMMENT ON FUNCTION repeat_purchases(purchase_history, date) IS
'The number of purchase days up to as_of without the first: x, the "frequency" of buy-till-you-die models. NULL before the first purchase. Error: as_of infinite.';
COMMENT ON FUNCTION repeat_purchases(purchase_history, timestamptz) IS
'As repeat_purchases(history, date), with the day of as_of in the session''s time zone.';

CREATE FUNCTION purchase_span(history purchase_history, as_of date) RETURNS integer
    AS 'MODULE_PATHNAME', 'clv_history_purchase_span' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION purchase_span(history purchase_history, as_of timestamptz) RETURNS integer
    LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 2
    RETURN purchase_span(history, as_of::date);
COMMENT ON FUNCTION purchase_span(purchase_history, date) IS
'Days from the first to the last purchase up to as_of: t_x, the "recency" of buy-till-you-die models; 0 without a repeat purchase. NULL before the first purchase. Error: as_of infinite.';
COMMENT ON FUNCTION purchase_span(purchase_history, timestamptz) IS
'As purchase_span(history, date), with the day of as_of in the session''s time zone.';

CREATE FUNCTION tenure(history purchase_history, as_of date) RETURNS integer
    AS 'MODULE_PATHNAME', 'clv_history_tenure' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION tenure(history purchase_history, as_of timestamptz) RETURNS integer
    LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 2
    RETURN tenure(history, as_of::date);
COMMENT ON FUNCTION tenure(purchase_history, date) IS
'Days from the first purchase to as_of: T, the age of the customer. NULL before the first purchase. Error: as_of infinite.';
COMMENT ON FUNCTION tenure(purchase_history, timestamptz) IS
'As tenure(history, date), with the day of as_of in the session''s time zone.';

CREATE FUNCTION days_since_last(history purchase_history, as_of date) RETURNS integer
    AS 'MODULE_PATHNAME', 'clv_history_days_since_last' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION days_since_last(history purchase_history, as_of timestamptz) RETURNS integer
    LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 2
    RETURN days_since_last(history, as_of::date);
COMMENT ON FUNCTION days_since_last(purchase_history, date) IS
'Days from the last purchase up to as_of to as_of: the recency of RFM. NULL before the first purchase. Error: as_of infinite.';
COMMENT ON FUNCTION days_since_last(purchase_history, timestamptz) IS
'As days_since_last(history, date), with the day of as_of in the session''s time zone.';

CREATE FUNCTION monetary_value(history purchase_history, as_of date) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_history_monetary_value' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION monetary_value(history purchase_history, as_of timestamptz) RETURNS float8
    LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 2
    RETURN monetary_value(history, as_of::date);
COMMENT ON FUNCTION monetary_value(purchase_history, date) IS
'Mean amount of the repeat purchase days up to as_of, in currency units; the first purchase and days with a negative net are left out. NULL without a repeat purchase and in a history without money. NULL before the first purchase. Error: as_of infinite, a sum beyond 9223372036854.775807.';
COMMENT ON FUNCTION monetary_value(purchase_history, timestamptz) IS
'As monetary_value(history, date), with the day of as_of in the session''s time zone.';

CREATE FUNCTION average_purchase(history purchase_history, as_of date) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_history_average_purchase' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION average_purchase(history purchase_history, as_of timestamptz) RETURNS float8
    LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 2
    RETURN average_purchase(history, as_of::date);
COMMENT ON FUNCTION average_purchase(purchase_history, date) IS
'Mean amount of all purchase days up to as_of, in currency units; days with a negative net are left out. NULL in a history without money. NULL before the first purchase. Error: as_of infinite, a sum beyond 9223372036854.775807.';
COMMENT ON FUNCTION average_purchase(purchase_history, timestamptz) IS
'As average_purchase(history, date), with the day of as_of in the session''s time zone.';

CREATE FUNCTION total_spend(history purchase_history, as_of date) RETURNS numeric
    AS 'MODULE_PATHNAME', 'clv_history_total_spend' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION total_spend(history purchase_history, as_of timestamptz) RETURNS numeric
    LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 2
    RETURN total_spend(history, as_of::date);
COMMENT ON FUNCTION total_spend(purchase_history, date) IS
'Sum of all nets up to as_of, refunds on later days subtracted, exact: two decimals if whole hundredths, else six. NULL in a history without money. NULL before the first purchase. Error: as_of infinite, a sum beyond 9223372036854.775807.';
COMMENT ON FUNCTION total_spend(purchase_history, timestamptz) IS
'As total_spend(history, date), with the day of as_of in the session''s time zone.';

CREATE FUNCTION refund_share(history purchase_history, as_of date) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_history_refund_share' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION refund_share(history purchase_history, as_of timestamptz) RETURNS float8
    LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 2
    RETURN refund_share(history, as_of::date);
COMMENT ON FUNCTION refund_share(purchase_history, date) IS
'Sum of the negative day nets up to as_of, as a positive number, divided by the sum of the positive ones. A refund dated to the day of its order cancels the order and counts on neither side. NULL without a positive net. NULL before the first purchase. Error: as_of infinite, a sum beyond 9223372036854.775807.';
COMMENT ON FUNCTION refund_share(purchase_history, timestamptz) IS
'As refund_share(history, date), with the day of as_of in the session''s time zone.';

CREATE FUNCTION purchases_within(history purchase_history, after date, until date) RETURNS integer
    AS 'MODULE_PATHNAME', 'clv_history_purchases_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION purchases_within(history purchase_history, after timestamptz, until timestamptz) RETURNS integer
    LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 2
    RETURN purchases_within(history, after::date, until::date);
COMMENT ON FUNCTION purchases_within(purchase_history, date, date) IS
'The number of purchase days in (after, until]. NULL if there is no purchase up to until, else 0 for an interval without one. Error: until before after, an infinite date.';
COMMENT ON FUNCTION purchases_within(purchase_history, timestamptz, timestamptz) IS
'As purchases_within(history, date, date), with the days of after and until in the session''s time zone.';

CREATE FUNCTION spend_within(history purchase_history, after date, until date) RETURNS numeric
    AS 'MODULE_PATHNAME', 'clv_history_spend_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION spend_within(history purchase_history, after timestamptz, until timestamptz) RETURNS numeric
    LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 2
    RETURN spend_within(history, after::date, until::date);
COMMENT ON FUNCTION spend_within(purchase_history, date, date) IS
'Sum of the nets of the days in (after, until], refunds included, exact. NULL if there is no purchase up to until and in a history without money, else 0 for an interval without days. Error: until before after, an infinite date, a sum beyond 9223372036854.775807.';
COMMENT ON FUNCTION spend_within(purchase_history, timestamptz, timestamptz) IS
'As spend_within(history, date, date), with the days of after and until in the session''s time zone.';

CREATE FUNCTION slice(history purchase_history, after date, until date) RETURNS purchase_history
    AS 'MODULE_PATHNAME', 'clv_history_slice' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION slice(history purchase_history, after timestamptz, until timestamptz) RETURNS purchase_history
    LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 2
    RETURN slice(history, after::date, until::date);
COMMENT ON FUNCTION slice(purchase_history, date, date) IS
'The part of the history in (after, until], as a history; {} if there is none. Refunds in it whose order lies before stay negative days. Error: until before after, an infinite date.';
COMMENT ON FUNCTION slice(purchase_history, timestamptz, timestamptz) IS
'As slice(history, date, date), with the days of after and until in the session''s time zone.';

CREATE FUNCTION purchase_days(history purchase_history)
    RETURNS TABLE (day date, amount numeric, is_purchase boolean)
    AS 'MODULE_PATHNAME', 'clv_history_purchase_days' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 10;
COMMENT ON FUNCTION purchase_days(purchase_history) IS
'One row per day in ascending order: day, net amount (NULL in a history without money) and whether the day is a purchase. Days with a negative net and cancelled days are included, so that the amounts add up to total_spend.';

CREATE FUNCTION purchase_summary(history purchase_history, as_of date, unit text DEFAULT 'day')
    RETURNS TABLE (x float8, t_x float8, t_cal float8, monetary_value float8, total_spend numeric)
    AS 'MODULE_PATHNAME', 'clv_history_purchase_summary'
    LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10 ROWS 1;
CREATE FUNCTION purchase_summary(history purchase_history, as_of timestamptz, unit text DEFAULT 'day')
    RETURNS TABLE (x float8, t_x float8, t_cal float8, monetary_value float8, total_spend numeric)
    LANGUAGE SQL STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10 ROWS 1
BEGIN ATOMIC
    SELECT s.x, s.t_x, s.t_cal, s.monetary_value, s.total_spend
    FROM purchase_summary(history, as_of::date, unit) AS s;
END;
COMMENT ON FUNCTION purchase_summary(purchase_history, date, text) IS
'What a buy-till-you-die model needs, in one row: repeat purchases x, time from first to last purchase t_x, age t_cal (both in days, or in unit: day, week, month = 30.4375 days, year = 365.25 days), mean repeat purchase and total spend. Always one row, so that a lateral join keeps every customer: all NULL before the first purchase or if an argument is NULL. Error: unknown unit, as_of infinite.';
COMMENT ON FUNCTION purchase_summary(purchase_history, timestamptz, text) IS
'As purchase_summary(history, date, unit), with the day of as_of in the session''s time zone.';

-- ---- sample: type clv_sample ------------------------------------------------------------------------------------

-- ---- model: type clv_model --------------------------------------------------------------------------------------

-- ---- btyd: fits and predictions ---------------------------------------------------------------------------------

