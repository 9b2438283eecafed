\echo Use "CREATE EXTENSION clv" to load this file. \quit

-- One section per room, in the order in which data flows. Every object is commented: what, units, NULLs, errors, source.

-- ---- value ------------------------------------------------------------------------------------------------------

CREATE FUNCTION clv(
    avg_purchase_value float8, purchase_frequency float8, customer_lifespan float8,
    margin float8 DEFAULT 1, service_cost float8 DEFAULT 0, acquisition_cost float8 DEFAULT 0) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_value_clv_float8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv(float8, float8, float8, float8, float8, float8) IS
    'customer lifetime value (avg_purchase_value * purchase_frequency * margin - service_cost) * customer_lifespan - acquisition_cost: money, purchases per period, periods, fraction of 0 to 1, money per period, money; undiscounted. NULL if any argument is NULL; ERROR for negative, infinite or NaN arguments';

CREATE FUNCTION clv(
    avg_purchase_value numeric, purchase_frequency numeric, customer_lifespan numeric,
    margin numeric DEFAULT 1, service_cost numeric DEFAULT 0, acquisition_cost numeric DEFAULT 0) RETURNS numeric
    AS 'MODULE_PATHNAME', 'clv_value_clv_numeric' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION clv(numeric, numeric, numeric, numeric, numeric, numeric) IS
    'customer lifetime value (avg_purchase_value * purchase_frequency * margin - service_cost) * customer_lifespan - acquisition_cost in exact decimals; units, NULLs and errors as for float8';

-- Without these, three integers would resolve to float8, the preferred type among numbers. They are inlined.
CREATE FUNCTION clv(
    avg_purchase_value smallint, purchase_frequency smallint, customer_lifespan smallint,
    margin numeric DEFAULT 1, service_cost numeric DEFAULT 0, acquisition_cost numeric DEFAULT 0) RETURNS numeric
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 5
    RETURN clv(avg_purchase_value::numeric, purchase_frequency::numeric, customer_lifespan::numeric,
               margin, service_cost, acquisition_cost);
COMMENT ON FUNCTION clv(smallint, smallint, smallint, numeric, numeric, numeric) IS
    'customer lifetime value of whole numbers: the numeric clv(), exact; units, NULLs and errors as there';

CREATE FUNCTION clv(
    avg_purchase_value integer, purchase_frequency integer, customer_lifespan integer,
    margin numeric DEFAULT 1, service_cost numeric DEFAULT 0, acquisition_cost numeric DEFAULT 0) RETURNS numeric
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 5
    RETURN clv(avg_purchase_value::numeric, purchase_frequency::numeric, customer_lifespan::numeric,
               margin, service_cost, acquisition_cost);
COMMENT ON FUNCTION clv(integer, integer, integer, numeric, numeric, numeric) IS
    'customer lifetime value of whole numbers: the numeric clv(), exact; units, NULLs and errors as there';

CREATE FUNCTION clv(
    avg_purchase_value bigint, purchase_frequency bigint, customer_lifespan bigint,
    margin numeric DEFAULT 1, service_cost numeric DEFAULT 0, acquisition_cost numeric DEFAULT 0) RETURNS numeric
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 5
    RETURN clv(avg_purchase_value::numeric, purchase_frequency::numeric, customer_lifespan::numeric,
               margin, service_cost, acquisition_cost);
COMMENT ON FUNCTION clv(bigint, bigint, bigint, numeric, numeric, numeric) IS
    'customer lifetime value of whole numbers: the numeric clv(), exact; units, NULLs and errors as there';

CREATE FUNCTION npv_clv(
    margin_per_period float8, retention_rate float8, discount_rate float8,
    periods float8 DEFAULT 'infinity', acquisition_cost float8 DEFAULT 0, first_margin integer DEFAULT 0) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_value_npv_float8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 3;
COMMENT ON FUNCTION npv_clv(float8, float8, float8, float8, float8, integer) IS
    'present value of a margin per period from a customer who stays each period with probability retention_rate: sum of margin_per_period * (retention_rate / (1 + discount_rate))^t less acquisition_cost, t = 0 .. periods - 1 with first_margin 0, t = 1 .. periods with first_margin 1; both rates per period, as fractions; periods a whole number or infinity (Gupta and Lehmann 2003). NULL if any argument is NULL; ERROR for rates out of range and for an endless sum with retention_rate >= 1 + discount_rate';

CREATE FUNCTION npv_clv(
    margin_per_period numeric, retention_rate numeric, discount_rate numeric,
    periods numeric DEFAULT 'infinity', acquisition_cost numeric DEFAULT 0, first_margin integer DEFAULT 0) RETURNS numeric
    AS 'MODULE_PATHNAME', 'clv_value_npv_numeric' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION npv_clv(numeric, numeric, numeric, numeric, numeric, integer) IS
    'present value of a margin per period in decimals, right to at least 20 significant digits; meaning, units, NULLs and errors as for float8';

CREATE FUNCTION npv_clv(cash_flows float8[], discount_rate float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_value_flows_float8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION npv_clv(float8[], float8) IS
    'present value of cash flows one period apart, the first at time 0: sum of cash_flows[1 + t] / (1 + discount_rate)^t; money, and a fraction per period. 0 for no flows, NULL if an argument is NULL; ERROR for a NULL, NaN or infinite flow, for an array of several dimensions and for a rate of -1 or less';

CREATE FUNCTION npv_clv(cash_flows numeric[], discount_rate numeric) RETURNS numeric
    AS 'MODULE_PATHNAME', 'clv_value_flows_numeric' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION npv_clv(numeric[], numeric) IS
    'present value of cash flows one period apart, the first at time 0, in decimals: right to 20 decimals more than the flows have (with a rate below 0 fewer, where the value needs more than 1,000 decimals on the way); NULLs and errors as for float8';

-- sensitivity. change is INOUT so that the rows can have a column of the argument's name. Two names, as three
-- positional numbers would fit either list of arguments under one, which PostgreSQL calls "not unique".

CREATE FUNCTION clv_sensitivity(
    avg_purchase_value float8, purchase_frequency float8, customer_lifespan float8,
    margin float8 DEFAULT 1, service_cost float8 DEFAULT 0, acquisition_cost float8 DEFAULT 0,
    OUT driver text, OUT current float8, INOUT change float8 DEFAULT 0.05, OUT changed float8, OUT value float8, OUT new_value float8,
    OUT difference float8, OUT elasticity float8, OUT controllable boolean, OUT lever text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'clv_value_clv_sensitivity_float8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20 ROWS 6;
COMMENT ON FUNCTION clv_sensitivity(float8, float8, float8, float8, float8, float8, float8) IS
    'lifetime value under other circumstances: one row for each of the six drivers of clv(), with value = clv() as it is and new_value = clv() where that driver alone is changed = current * (1 + change). change is a fraction above -1 (0.05 is 5 percent more); difference = new_value - value; elasticity = (difference / value) / change, percent of value per percent of the driver, NULL where value is not positive or change is 0; controllable: whether the business sets the driver; lever: what moves it. A change that takes the driver out of its range (a margin above 1) leaves new_value, difference and elasticity NULL with a WARNING. No rows if an argument is NULL; ERROR as clv(), and for a change of -1 or less';

CREATE FUNCTION clv_sensitivity(
    avg_purchase_value numeric, purchase_frequency numeric, customer_lifespan numeric,
    margin numeric DEFAULT 1, service_cost numeric DEFAULT 0, acquisition_cost numeric DEFAULT 0,
    OUT driver text, OUT current numeric, INOUT change numeric DEFAULT 0.05, OUT changed numeric, OUT value numeric, OUT new_value numeric,
    OUT difference numeric, OUT elasticity numeric, OUT controllable boolean, OUT lever text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'clv_value_clv_sensitivity_numeric' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50 ROWS 6;
COMMENT ON FUNCTION clv_sensitivity(numeric, numeric, numeric, numeric, numeric, numeric, numeric) IS
    'lifetime value under other circumstances in exact decimals; elasticity rounded to 10; columns, units, NULLs and errors as for float8';

-- Without these, three integers would resolve to float8, as with clv(). Not STRICT, as PostgreSQL inlines no strict
-- function in FROM; the one inside is. $7 is change: 15 does not find an INOUT argument behind OUT ones by its name.
CREATE FUNCTION clv_sensitivity(
    avg_purchase_value smallint, purchase_frequency smallint, customer_lifespan smallint,
    margin numeric DEFAULT 1, service_cost numeric DEFAULT 0, acquisition_cost numeric DEFAULT 0,
    OUT driver text, OUT current numeric, INOUT change numeric DEFAULT 0.05, OUT changed numeric, OUT value numeric, OUT new_value numeric,
    OUT difference numeric, OUT elasticity numeric, OUT controllable boolean, OUT lever text) RETURNS SETOF record
    LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 50 ROWS 6
BEGIN ATOMIC
    SELECT s.* FROM clv_sensitivity(avg_purchase_value::numeric, purchase_frequency::numeric, customer_lifespan::numeric,
                                    margin, service_cost, acquisition_cost, $7) AS s;
END;
COMMENT ON FUNCTION clv_sensitivity(smallint, smallint, smallint, numeric, numeric, numeric, numeric) IS
    'lifetime value of whole numbers under other circumstances: the numeric clv_sensitivity(), exact; columns, units, NULLs and errors as there';

CREATE FUNCTION clv_sensitivity(
    avg_purchase_value integer, purchase_frequency integer, customer_lifespan integer,
    margin numeric DEFAULT 1, service_cost numeric DEFAULT 0, acquisition_cost numeric DEFAULT 0,
    OUT driver text, OUT current numeric, INOUT change numeric DEFAULT 0.05, OUT changed numeric, OUT value numeric, OUT new_value numeric,
    OUT difference numeric, OUT elasticity numeric, OUT controllable boolean, OUT lever text) RETURNS SETOF record
    LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 50 ROWS 6
BEGIN ATOMIC
    SELECT s.* FROM clv_sensitivity(avg_purchase_value::numeric, purchase_frequency::numeric, customer_lifespan::numeric,
                                    margin, service_cost, acquisition_cost, $7) AS s;
END;
COMMENT ON FUNCTION clv_sensitivity(integer, integer, integer, numeric, numeric, numeric, numeric) IS
    'lifetime value of whole numbers under other circumstances: the numeric clv_sensitivity(), exact; columns, units, NULLs and errors as there';

CREATE FUNCTION clv_sensitivity(
    avg_purchase_value bigint, purchase_frequency bigint, customer_lifespan bigint,
    margin numeric DEFAULT 1, service_cost numeric DEFAULT 0, acquisition_cost numeric DEFAULT 0,
    OUT driver text, OUT current numeric, INOUT change numeric DEFAULT 0.05, OUT changed numeric, OUT value numeric, OUT new_value numeric,
    OUT difference numeric, OUT elasticity numeric, OUT controllable boolean, OUT lever text) RETURNS SETOF record
    LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 50 ROWS 6
BEGIN ATOMIC
    SELECT s.* FROM clv_sensitivity(avg_purchase_value::numeric, purchase_frequency::numeric, customer_lifespan::numeric,
                                    margin, service_cost, acquisition_cost, $7) AS s;
END;
COMMENT ON FUNCTION clv_sensitivity(bigint, bigint, bigint, numeric, numeric, numeric, numeric) IS
    'lifetime value of whole numbers under other circumstances: the numeric clv_sensitivity(), exact; columns, units, NULLs and errors as there';

CREATE FUNCTION npv_clv_sensitivity(
    margin_per_period float8, retention_rate float8, discount_rate float8,
    periods float8 DEFAULT 'infinity', acquisition_cost float8 DEFAULT 0, first_margin integer DEFAULT 0,
    OUT driver text, OUT current float8, INOUT change float8 DEFAULT 0.05, OUT changed float8, OUT value float8, OUT new_value float8,
    OUT difference float8, OUT elasticity float8, OUT controllable boolean, OUT lever text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'clv_value_npv_sensitivity_float8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20 ROWS 4;
COMMENT ON FUNCTION npv_clv_sensitivity(float8, float8, float8, float8, float8, integer, float8) IS
    'present value of a margin per period under other circumstances: one row for each of margin_per_period, retention_rate, discount_rate and acquisition_cost, as clv_sensitivity() does for clv(): value = npv_clv() as it is, new_value = npv_clv() where that driver alone is current * (1 + change). The change is relative: 5 percent of a retention_rate of 0.80 make it 0.84. The discount rate is not controllable. A change that takes a rate out of its range, or an endless sum to infinity, leaves new_value, difference and elasticity NULL with a WARNING. No rows if an argument is NULL; ERROR as npv_clv(), and for a change of -1 or less';

CREATE FUNCTION npv_clv_sensitivity(
    margin_per_period numeric, retention_rate numeric, discount_rate numeric,
    periods numeric DEFAULT 'infinity', acquisition_cost numeric DEFAULT 0, first_margin integer DEFAULT 0,
    OUT driver text, OUT current numeric, INOUT change numeric DEFAULT 0.05, OUT changed numeric, OUT value numeric, OUT new_value numeric,
    OUT difference numeric, OUT elasticity numeric, OUT controllable boolean, OUT lever text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'clv_value_npv_sensitivity_numeric' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 4;
COMMENT ON FUNCTION npv_clv_sensitivity(numeric, numeric, numeric, numeric, numeric, integer, numeric) IS
    'present value of a margin per period under other circumstances in decimals, with those of npv_clv(), elasticity rounded to 10; columns, units, NULLs and errors as for float8';

-- acquisition cost

CREATE FUNCTION max_acquisition_cost(clv float8, target_ratio float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_value_max_cost_float8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION max_acquisition_cost(float8, float8) IS
    'the most that may be spent to win a customer so that his value before acquisition cost is at least target_ratio times that cost: clv / target_ratio; money, a number above 0 (3 is customary). 0 for a value of 0; NULL for a value below 0, as no cost reaches the ratio, and if an argument is NULL; ERROR for NaN, infinity and a ratio of 0 or less';
CREATE FUNCTION max_acquisition_cost(clv numeric, target_ratio numeric) RETURNS numeric
    AS 'MODULE_PATHNAME', 'clv_value_max_cost_numeric' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION max_acquisition_cost(numeric, numeric) IS
    'the most that may be spent to win a customer, in decimals: exact where they end within 20 more than clv has (and one more for each digit of target_ratio before the point but the first), rounded to that many otherwise; meaning, units, NULLs and errors as for float8';
CREATE FUNCTION max_acquisition_cost(clv smallint, target_ratio smallint) RETURNS numeric
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 5
    RETURN max_acquisition_cost(clv::numeric, target_ratio::numeric);
COMMENT ON FUNCTION max_acquisition_cost(smallint, smallint) IS
    'the most that may be spent to win a customer, of whole numbers: the numeric max_acquisition_cost(); meaning, units, NULLs and errors as there';
CREATE FUNCTION max_acquisition_cost(clv integer, target_ratio integer) RETURNS numeric
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 5
    RETURN max_acquisition_cost(clv::numeric, target_ratio::numeric);
COMMENT ON FUNCTION max_acquisition_cost(integer, integer) IS
    'the most that may be spent to win a customer, of whole numbers: the numeric max_acquisition_cost(); meaning, units, NULLs and errors as there';
CREATE FUNCTION max_acquisition_cost(clv bigint, target_ratio bigint) RETURNS numeric
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 5
    RETURN max_acquisition_cost(clv::numeric, target_ratio::numeric);
COMMENT ON FUNCTION max_acquisition_cost(bigint, bigint) IS
    'the most that may be spent to win a customer, of whole numbers: the numeric max_acquisition_cost(); meaning, units, NULLs and errors as there';

CREATE FUNCTION payback_periods(
    acquisition_cost float8, margin_per_period float8, retention_rate float8 DEFAULT 1, discount_rate float8 DEFAULT 0,
    first_margin integer DEFAULT 0) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_value_payback_float8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION payback_periods(float8, float8, float8, float8, integer) IS
    'after how many margins a customer has paid back the acquisition cost: the least whole number n for which npv_clv(margin_per_period, retention_rate, discount_rate, n, first_margin => first_margin) is at least acquisition_cost; 0 for no cost, infinity where the margins never add up to it; units as for npv_clv(). NULL if any argument is NULL; ERROR for negative cost, rates out of range, NaN and infinity';
CREATE FUNCTION payback_periods(
    acquisition_cost numeric, margin_per_period numeric, retention_rate numeric DEFAULT 1, discount_rate numeric DEFAULT 0,
    first_margin integer DEFAULT 0) RETURNS numeric
    AS 'MODULE_PATHNAME', 'clv_value_payback_numeric' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION payback_periods(numeric, numeric, numeric, numeric, integer) IS
    'after how many margins a customer has paid back the acquisition cost, in decimals: a sum that equals the cost pays it back, a cost that equals the endless sum is never paid back; at most 2^53 periods, beyond them ERROR; meaning, units, NULLs and errors as for float8';
CREATE FUNCTION payback_periods(
    acquisition_cost smallint, margin_per_period smallint, retention_rate numeric DEFAULT 1, discount_rate numeric DEFAULT 0,
    first_margin integer DEFAULT 0) RETURNS numeric
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 100
    RETURN payback_periods(acquisition_cost::numeric, margin_per_period::numeric, retention_rate, discount_rate, first_margin);
COMMENT ON FUNCTION payback_periods(smallint, smallint, numeric, numeric, integer) IS
    'after how many margins a customer has paid back the acquisition cost, of whole amounts: the numeric payback_periods(); meaning, units, NULLs and errors as there';
CREATE FUNCTION payback_periods(
    acquisition_cost integer, margin_per_period integer, retention_rate numeric DEFAULT 1, discount_rate numeric DEFAULT 0,
    first_margin integer DEFAULT 0) RETURNS numeric
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 100
    RETURN payback_periods(acquisition_cost::numeric, margin_per_period::numeric, retention_rate, discount_rate, first_margin);
COMMENT ON FUNCTION payback_periods(integer, integer, numeric, numeric, integer) IS
    'after how many margins a customer has paid back the acquisition cost, of whole amounts: the numeric payback_periods(); meaning, units, NULLs and errors as there';
CREATE FUNCTION payback_periods(
    acquisition_cost bigint, margin_per_period bigint, retention_rate numeric DEFAULT 1, discount_rate numeric DEFAULT 0,
    first_margin integer DEFAULT 0) RETURNS numeric
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 100
    RETURN payback_periods(acquisition_cost::numeric, margin_per_period::numeric, retention_rate, discount_rate, first_margin);
COMMENT ON FUNCTION payback_periods(bigint, bigint, numeric, numeric, integer) IS
    'after how many margins a customer has paid back the acquisition cost, of whole amounts: the numeric payback_periods(); meaning, units, NULLs and errors as there';

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
    AS 'MODULE_PATHNAME', 'clv_history_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION purchase_history_ne(purchase_history, purchase_history) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_history_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION purchase_history_lt(purchase_history, purchase_history) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_history_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION purchase_history_le(purchase_history, purchase_history) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_history_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION purchase_history_gt(purchase_history, purchase_history) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_history_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION purchase_history_ge(purchase_history, purchase_history) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_history_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION purchase_history_cmp(purchase_history, purchase_history) RETURNS integer
    AS 'MODULE_PATHNAME', 'clv_history_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION purchase_history_hash(purchase_history) RETURNS integer
    AS 'MODULE_PATHNAME', 'clv_history_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION purchase_history_hash_extended(purchase_history, bigint) RETURNS bigint
    AS 'MODULE_PATHNAME', 'clv_history_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;

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

CREATE FUNCTION log_gaps(history purchase_history, as_of date, unit text DEFAULT 'day') RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_history_log_gaps' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 3;
CREATE FUNCTION log_gaps(history purchase_history, as_of timestamptz, unit text DEFAULT 'day') RETURNS float8
    LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 3
    RETURN log_gaps(history, as_of::date, unit);
COMMENT ON FUNCTION log_gaps(purchase_history, date, text) IS
'The sum of the natural logarithms of the times between successive purchase days up to as_of, in days or in unit (day, week, month = 30.4375 days, year = 365.25 days): what a model of regular purchases needs beside x, t_x and t_cal. 0 without a repeat purchase; may be negative in units longer than the gaps. NULL before the first purchase. Error: unknown unit, as_of infinite. Source: Reutterer, Platzer and Schroeder 2021.';
COMMENT ON FUNCTION log_gaps(purchase_history, timestamptz, text) IS
'As log_gaps(history, date, unit), with the day of as_of in the session''s time zone.';

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

-- Like purchase_summary() below, the form for timestamptz is not strict, so that the planner can put the form for a date
-- in its place.
CREATE FUNCTION spend_by_age(history purchase_history, as_of date, step text DEFAULT 'month')
    RETURNS TABLE (age_period integer, spend numeric, active boolean)
    AS 'MODULE_PATHNAME', 'clv_history_spend_by_age' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20 ROWS 24;
CREATE FUNCTION spend_by_age(history purchase_history, as_of timestamptz, step text DEFAULT 'month')
    RETURNS TABLE (age_period integer, spend numeric, active boolean)
    LANGUAGE SQL STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 20 ROWS 24
BEGIN ATOMIC
    SELECT s.age_period, s.spend, s.active FROM spend_by_age(history, as_of::date, step) AS s;
END;
COMMENT ON FUNCTION spend_by_age(purchase_history, date, text) IS
'Spend over the relationship: one row for each period k = 0, 1, ... since the first purchase, whose day is day 0: spend is the sum of the nets of the days from k steps to before k + 1 steps after it, later refunds included, exact, NULL in a history without money; active is whether one of them is a purchase. step is day, week, month or year, the last two by the calendar: they end on the day of the month of the first purchase, or on the last of a shorter month, so that regular payments fall one into each. Only periods whose last day is as_of or before are there, so that avg(spend) GROUP BY age_period is over the customers who were seen for all of the period. No rows before the first purchase and for a NULL argument. Error: unknown step, as_of infinite, a sum beyond 9223372036854.775807.';
COMMENT ON FUNCTION spend_by_age(purchase_history, timestamptz, text) IS
'As spend_by_age(history, date, step), with the day of as_of in the session''s time zone.';

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

CREATE TYPE clv_sample;

CREATE FUNCTION clv_sample_in(cstring) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_sample_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION clv_sample_out(clv_sample) RETURNS cstring
    AS 'MODULE_PATHNAME', 'clv_sample_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION clv_sample_recv(internal) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_sample_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION clv_sample_send(clv_sample) RETURNS bytea
    AS 'MODULE_PATHNAME', 'clv_sample_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION clv_sample_in(cstring) IS 'text input of clv_sample: rows distinct and sorted, as the output writes them; errors with SQLSTATE 22P02';
COMMENT ON FUNCTION clv_sample_out(clv_sample) IS 'text output of clv_sample; does not depend on settings';
COMMENT ON FUNCTION clv_sample_recv(internal) IS 'binary input of clv_sample; errors with SQLSTATE 22P03';
COMMENT ON FUNCTION clv_sample_send(clv_sample) IS 'binary output of clv_sample';

CREATE TYPE clv_sample (
    INPUT = clv_sample_in, OUTPUT = clv_sample_out, RECEIVE = clv_sample_recv, SEND = clv_sample_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended
);
COMMENT ON TYPE clv_sample IS 'distinct rows with counts: what every fit reads. Daily data of millions of customers fold into few rows. Built by the aggregates clv_sample(), spend_sample(), opportunity_sample() and renewal_sample(); knows its kind of rows, time unit and as_of, and refuses to mix them. Not a random sample.';

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

-- Transition, combine and final functions: not for direct use. NULL arguments leave the state as it is, but for the
-- end of a contract that goes on.
CREATE FUNCTION clv_sample_add_timing(clv_sample, float8, float8, float8) RETURNS clv_sample
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_sample_add_spend(clv_sample, float8, float8) RETURNS clv_sample
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_sample_add_history(clv_sample, purchase_history, date) RETURNS clv_sample
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_sample_add_history(clv_sample, purchase_history, timestamptz) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_sample_add_history_tz' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_sample_add_history(clv_sample, purchase_history, date, text) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_sample_add_history_unit' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_sample_add_history(clv_sample, purchase_history, timestamptz, text) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_sample_add_history_unit_tz' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_sample_add_history_spend(clv_sample, purchase_history, date) RETURNS clv_sample
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_sample_add_history_spend(clv_sample, purchase_history, timestamptz) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_sample_add_history_spend_tz' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_sample_add_timing(clv_sample, float8, float8, float8, float8) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_sample_add_timing_gaps' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_sample_add_timing(clv_sample, float8, float8, float8, float8[]) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_sample_add_timing_covariates' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 8;
CREATE FUNCTION clv_sample_add_history(clv_sample, purchase_history, date, text, float8[]) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_sample_add_history_covariates' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 12;
CREATE FUNCTION clv_sample_add_history(clv_sample, purchase_history, timestamptz, text, float8[]) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_sample_add_history_covariates_tz' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 12;
CREATE FUNCTION clv_sample_add_opportunities(clv_sample, float8, float8, float8) RETURNS clv_sample
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_sample_add_history_opportunities(clv_sample, purchase_history, date, text) RETURNS clv_sample
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_sample_add_history_opportunities(clv_sample, purchase_history, timestamptz, text) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_sample_add_history_opportunities_tz' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_sample_add_renewals(clv_sample, float8, boolean) RETURNS clv_sample
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_sample_add_renewals(clv_sample, float8, boolean, float8) RETURNS clv_sample
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_sample_add_contract(clv_sample, date, date, date, text) RETURNS clv_sample
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_sample_add_contract(clv_sample, date, date, date, text, date) RETURNS clv_sample
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_sample_add_contract(clv_sample, timestamptz, timestamptz, timestamptz, text) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_sample_add_contract_tz' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_sample_add_contract(clv_sample, timestamptz, timestamptz, timestamptz, text, timestamptz) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_sample_add_contract_tz' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_sample_combine(clv_sample, clv_sample) RETURNS clv_sample
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100;
CREATE FUNCTION clv_sample_final(clv_sample) RETURNS clv_sample
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION clv_sample_add_timing(clv_sample, float8, float8, float8) IS 'transition: count one row (x, t_x, t_cal)';
COMMENT ON FUNCTION clv_sample_add_spend(clv_sample, float8, float8) IS 'transition: count one row (x, monetary_value)';
COMMENT ON FUNCTION clv_sample_add_history(clv_sample, purchase_history, date) IS 'transition: count one customer as (x, t_x, t_cal) in days';
COMMENT ON FUNCTION clv_sample_add_history(clv_sample, purchase_history, timestamptz) IS 'transition: count one customer as (x, t_x, t_cal) in days';
COMMENT ON FUNCTION clv_sample_add_history(clv_sample, purchase_history, date, text) IS 'transition: count one customer as (x, t_x, t_cal) in a unit';
COMMENT ON FUNCTION clv_sample_add_history(clv_sample, purchase_history, timestamptz, text) IS 'transition: count one customer as (x, t_x, t_cal) in a unit';
COMMENT ON FUNCTION clv_sample_add_history_spend(clv_sample, purchase_history, date) IS 'transition: count one customer as (x, monetary_value)';
COMMENT ON FUNCTION clv_sample_add_history_spend(clv_sample, purchase_history, timestamptz) IS 'transition: count one customer as (x, monetary_value)';
COMMENT ON FUNCTION clv_sample_add_timing(clv_sample, float8, float8, float8, float8) IS 'transition: count one row (x, t_x, t_cal) and add its log_gaps';
COMMENT ON FUNCTION clv_sample_add_timing(clv_sample, float8, float8, float8, float8[]) IS 'transition: count one row (covariates, x, t_x, t_cal)';
COMMENT ON FUNCTION clv_sample_add_history(clv_sample, purchase_history, date, text, float8[]) IS 'transition: count one customer as (covariates, x, t_x, t_cal) in a unit';
COMMENT ON FUNCTION clv_sample_add_history(clv_sample, purchase_history, timestamptz, text, float8[]) IS 'transition: count one customer as (covariates, x, t_x, t_cal) in a unit';
COMMENT ON FUNCTION clv_sample_add_opportunities(clv_sample, float8, float8, float8) IS 'transition: count one row (x, t_x, n)';
COMMENT ON FUNCTION clv_sample_add_history_opportunities(clv_sample, purchase_history, date, text) IS 'transition: count one customer as (x, t_x, n) in periods of a unit';
COMMENT ON FUNCTION clv_sample_add_history_opportunities(clv_sample, purchase_history, timestamptz, text) IS 'transition: count one customer as (x, t_x, n) in periods of a unit';
COMMENT ON FUNCTION clv_sample_add_renewals(clv_sample, float8, boolean) IS 'transition: count one row (tenure, churned)';
COMMENT ON FUNCTION clv_sample_add_renewals(clv_sample, float8, boolean, float8) IS 'transition: count one row (tenure, churned, entry)';
COMMENT ON FUNCTION clv_sample_add_contract(clv_sample, date, date, date, text) IS 'transition: count one contract (started, ended, as_of, unit); ended may be NULL';
COMMENT ON FUNCTION clv_sample_add_contract(clv_sample, date, date, date, text, date) IS 'transition: count one contract (started, ended, as_of, unit, data_begin); ended may be NULL';
COMMENT ON FUNCTION clv_sample_add_contract(clv_sample, timestamptz, timestamptz, timestamptz, text) IS 'transition: count one contract (started, ended, as_of, unit); ended may be NULL';
COMMENT ON FUNCTION clv_sample_add_contract(clv_sample, timestamptz, timestamptz, timestamptz, text, timestamptz) IS 'transition: count one contract (started, ended, as_of, unit, data_begin); ended may be NULL';
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
COMMENT ON AGGREGATE spend_sample(purchase_history, timestamptz) IS 'rows (x, monetary_value) of customers at a date (of a timestamptz the day in the session''s time zone), for the fit of spend models. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). Customers without a repeat purchase, or whose repeat purchases cost nothing, are counted as n_skipped.';

CREATE AGGREGATE clv_sample(x float8, t_x float8, t_cal float8, log_gaps float8) (
    SFUNC = clv_sample_add_timing, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_sample(float8, float8, float8, float8) IS 'rows (x, t_x, t_cal) with counts for the fit of purchase models, with the sum of log_gaps that models of regular purchases need: per customer the sum of ln(time since the purchase before) over the x repeat purchases, in the unit of t_x, 0 if x = 0. Rows with a NULL are skipped; NULL without rows. Error 22023: impossible rows; log_gaps infinite, other than 0 for x = 0, or above x ln(t_x / x), beyond which x gaps within t_x cannot go (1 percent a gap is left for rounding).';

CREATE AGGREGATE clv_sample(x float8, t_x float8, t_cal float8, covariates float8[]) (
    SFUNC = clv_sample_add_timing, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_sample(float8, float8, float8, float8[]) IS 'rows (covariates, x, t_x, t_cal) with counts for the fit of purchase models with static covariates, as they were known at the first purchase: 1 to 16 numbers, of every customer the same in the same order. Rows with a NULL, also within covariates, are skipped; NULL without rows. Error 22023: impossible rows, other numbers of covariates, covariates that are not finite.';

CREATE AGGREGATE clv_sample(history purchase_history, as_of date, unit text, covariates float8[]) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_sample(purchase_history, date, text, float8[]) IS 'rows (covariates, x, t_x, t_cal) of customers at a date, in the unit day, week, month or year, for the fit of purchase models with static covariates, as they were known at the first purchase: 1 to 16 numbers, of every customer the same in the same order. Rows with a NULL, also within covariates, are skipped, as are customers without a purchase by as_of (counted as n_skipped).';

CREATE AGGREGATE clv_sample(history purchase_history, as_of timestamptz, unit text, covariates float8[]) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_sample(purchase_history, timestamptz, text, float8[]) IS 'rows (covariates, x, t_x, t_cal) of customers at a date, in the unit day, week, month or year, as_of as the day in the session''s time zone, for the fit of purchase models with static covariates, as they were known at the first purchase: 1 to 16 numbers, of every customer the same in the same order. Rows with a NULL, also within covariates, are skipped, as are customers without a purchase by as_of (counted as n_skipped).';

CREATE AGGREGATE opportunity_sample(x float8, t_x float8, n float8) (
    SFUNC = clv_sample_add_opportunities, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE opportunity_sample(float8, float8, float8) IS 'rows (x, t_x, n) with counts for the fit of bgbb: of n opportunities to buy the customer took x, the last of them being number t_x (0 if none). Rows with a NULL are skipped; NULL without rows. Error 22023: numbers that are not whole, x above t_x, t_x above n, n above 1 million. Source: Fader, Hardie and Shang 2010.';

CREATE AGGREGATE opportunity_sample(history purchase_history, as_of date, unit text) (
    SFUNC = clv_sample_add_history_opportunities, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE opportunity_sample(purchase_history, date, text) IS 'rows (x, t_x, n) of customers at a date: n whole periods of the unit day, week, month (30.4375 days) or year (365.25 days) lie between the first purchase and as_of, x of them saw a purchase, the last one was number t_x. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped).';

CREATE AGGREGATE opportunity_sample(history purchase_history, as_of timestamptz, unit text) (
    SFUNC = clv_sample_add_history_opportunities, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE opportunity_sample(purchase_history, timestamptz, text) IS 'rows (x, t_x, n) of customers at a date, as_of as the day in the session''s time zone: n whole periods of the unit day, week, month (30.4375 days) or year (365.25 days) lie between the first purchase and as_of, x of them saw a purchase, the last one was number t_x. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped).';

CREATE AGGREGATE renewal_sample(tenure float8, churned boolean) (
    SFUNC = clv_sample_add_renewals, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE renewal_sample(float8, boolean) IS 'rows (0, tenure, churned) with counts for the fit of contract models (sbg, bdw): churned customers left in period tenure = 1, 2, ..., the others are still customers after tenure = 0, 1, ... renewals. Rows with a NULL are skipped; NULL without rows. Error 22023: tenure not whole, negative, or 0 for a churned customer. Source: Fader and Hardie 2007.';

CREATE AGGREGATE renewal_sample(tenure float8, churned boolean, entry float8) (
    SFUNC = clv_sample_add_renewals, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE renewal_sample(float8, boolean, float8) IS 'rows (entry, tenure, churned) with counts: as renewal_sample(tenure, churned), for customers of whom entry renewals lay behind them when observation began (left truncation). Rows with a NULL are skipped. Error 22023 also: entry not whole, not below the tenure of a churned customer, above that of another.';

CREATE AGGREGATE renewal_sample(started date, ended date, as_of date, unit text) (
    SFUNC = clv_sample_add_contract, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE renewal_sample(date, date, date, text) IS 'rows (0, tenure, churned) from dates of contracts at as_of, in periods of the calendar: a month or year ends on the day of the month on which the contract began, or on the last of the month. ended NULL, infinity or after as_of: still a customer. A contract that ends on a renewal day was not renewed, so tenure counts the periods begun before ended; a renewal on as_of is made. Started after as_of: counted as n_skipped. Rows with another NULL are skipped. Error 22023: ended before started.';

CREATE AGGREGATE renewal_sample(started date, ended date, as_of date, unit text, data_begin date) (
    SFUNC = clv_sample_add_contract, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE renewal_sample(date, date, date, text, date) IS 'rows (entry, tenure, churned) as renewal_sample(started, ended, as_of, unit), for data that hold nobody who had left by data_begin: entry is the number of renewals up to data_begin of those who started before it. Who ended on or before it and had started before it is counted as n_skipped. Error 22023 also: data_begin after as_of.';

CREATE AGGREGATE renewal_sample(started timestamptz, ended timestamptz, as_of timestamptz, unit text) (
    SFUNC = clv_sample_add_contract, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE renewal_sample(timestamptz, timestamptz, timestamptz, text) IS 'rows (0, tenure, churned) from dates of contracts at as_of, in periods of the calendar, the days being those of the session''s time zone: a month or year ends on the day of the month on which the contract began, or on the last of the month. ended NULL, infinity or after as_of: still a customer. A contract that ends on a renewal day was not renewed, so tenure counts the periods begun before ended; a renewal on as_of is made. Started after as_of: counted as n_skipped. Rows with another NULL are skipped. Error 22023: ended before started.';

CREATE AGGREGATE renewal_sample(started timestamptz, ended timestamptz, as_of timestamptz, unit text, data_begin timestamptz) (
    SFUNC = clv_sample_add_contract, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE renewal_sample(timestamptz, timestamptz, timestamptz, text, timestamptz) IS 'rows (entry, tenure, churned) as renewal_sample(started, ended, as_of, unit), the days being those of the session''s time zone, for data that hold nobody who had left by data_begin: entry is the number of renewals up to data_begin of those who started before it. Who ended on or before it and had started before it is counted as n_skipped. Error 22023 also: data_begin after as_of.';

CREATE AGGREGATE clv_sample(sample clv_sample) (
    SFUNC = clv_sample_combine, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_sample(clv_sample) IS 'roll-up: the sample of all customers of several samples. NULLs are skipped; samples of different kind, unit, as_of or number of covariates are an error 22023. The sum of log gaps is known where it is known of all.';

CREATE FUNCTION sample_info(sample clv_sample)
    RETURNS TABLE (kind text, unit text, as_of date, until date, first_day date, last_day date, n bigint, n_distinct bigint, n_skipped bigint, covariates integer)
    AS 'MODULE_PATHNAME', 'clv_sample_info' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20 ROWS 1;
COMMENT ON FUNCTION sample_info(clv_sample) IS 'what a sample holds, in one row: kind of rows, time unit and as_of (NULL for raw numbers), until (the end of a holdout), first and last purchase day, n customers in n_distinct rows, n_skipped who were of no use, the number of covariates';

-- ---- value of dated payments, whose state is a clv_sample --------------------------------------------------------

-- Transition and final functions: not for direct use. NULL arguments leave the state as it is.
CREATE FUNCTION clv_value_xnpv_add(clv_sample, float8, date, date, float8) RETURNS clv_sample
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_value_xnpv_add(clv_sample, float8, timestamptz, timestamptz, float8) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_value_xnpv_add_tz' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_value_xnpv_final(clv_sample) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION clv_value_xnpv_add(clv_sample, float8, date, date, float8) IS 'transition: count one payment (days after as_of, amount, annual_discount_rate)';
COMMENT ON FUNCTION clv_value_xnpv_add(clv_sample, float8, timestamptz, timestamptz, float8) IS 'transition: count one payment (days after as_of, amount, annual_discount_rate), days in the session''s time zone';
COMMENT ON FUNCTION clv_value_xnpv_final(clv_sample) IS 'final: present value of the payments';

CREATE AGGREGATE xnpv_clv(amount float8, paid_on date, as_of date, annual_discount_rate float8) (
    SFUNC = clv_value_xnpv_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_value_xnpv_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE xnpv_clv(float8, date, date, float8) IS 'present value at as_of of dated payments: sum of amount / (1 + annual_discount_rate)^((paid_on - as_of) / 365), as XNPV in spreadsheets; money, and a fraction per year. Payments before as_of are compounded. The order of the rows does not matter. Rows with a NULL are skipped, NULL without rows; ERROR for a NaN or infinite amount or date and for a rate of -1 or less, WARNING for a rate above 1.';

CREATE AGGREGATE xnpv_clv(amount float8, paid_on timestamptz, as_of timestamptz, annual_discount_rate float8) (
    SFUNC = clv_value_xnpv_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_value_xnpv_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE xnpv_clv(float8, timestamptz, timestamptz, float8) IS 'present value at as_of of dated payments as for dates, with the days of both in the session''s time zone';

-- ---- rfm: scores, segments, tiers -------------------------------------------------------------------------------

CREATE FUNCTION rfm_score(days_since_last float8, frequency float8, monetary float8, bins integer DEFAULT 5) RETURNS text
    AS 'MODULE_PATHNAME', 'clv_rfm_score_numbers' LANGUAGE C WINDOW IMMUTABLE STRICT PARALLEL SAFE COST 20;
CREATE FUNCTION rfm_score(days_since_last interval, frequency float8, monetary float8, bins integer DEFAULT 5) RETURNS text
    AS 'MODULE_PATHNAME', 'clv_rfm_score_interval' LANGUAGE C WINDOW IMMUTABLE STRICT PARALLEL SAFE COST 20;
CREATE FUNCTION rfm_score(history purchase_history, as_of date, bins integer DEFAULT 5) RETURNS text
    AS 'MODULE_PATHNAME', 'clv_rfm_score_history' LANGUAGE C WINDOW IMMUTABLE STRICT PARALLEL SAFE COST 20;
CREATE FUNCTION rfm_score(history purchase_history, as_of timestamptz, bins integer DEFAULT 5) RETURNS text
    AS 'MODULE_PATHNAME', 'clv_rfm_score_history_tz' LANGUAGE C WINDOW STABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION rfm_score(float8, float8, float8, integer) IS 'window function: a score such as 543, R F M, of the customer among those of the partition, 5 the best: few days_since_last, many purchases (frequency), much money (monetary). Each digit is 1 + bins * (rank - 1) / (n - 1) in integers, at most bins (2 to 9), where rank counts from the worst and customers with equal values share the lower one; the frame and ORDER BY of the window make no difference. bins is the same in all rows of a partition. A row with a NULL gets NULL and does not count; NULL where fewer than two rows can be compared. Columns are evaluated twice per row, so none may be volatile. Error 22023: days_since_last or frequency negative, a NaN or infinite value, bins out of range or different. Memory: work_mem, then temporary files.';
COMMENT ON FUNCTION rfm_score(interval, float8, float8, integer) IS 'rfm_score() with the recency as an interval, such as now() - last_order_at; a month counts 30 days, a day 24 hours';
COMMENT ON FUNCTION rfm_score(purchase_history, date, integer) IS 'rfm_score() of histories, with days_since_last, purchases and total_spend as known on as_of. NULL before the first purchase. Error also: histories without amounts, different as_of in a partition, as_of infinite.';
COMMENT ON FUNCTION rfm_score(purchase_history, timestamptz, integer) IS 'rfm_score() of histories with the day of as_of in the session''s time zone';

-- Breaks between the scores as a value, so that scores of different dates or groups can be compared.

-- Transition and final functions: not for direct use. NULL arguments leave the state as it is.
CREATE FUNCTION clv_rfm_add(clv_sample, float8, float8, float8) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_rfm_add_numbers' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_rfm_add(clv_sample, float8, float8, float8, integer) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_rfm_add_numbers' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_rfm_add(clv_sample, interval, float8, float8) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_rfm_add_interval' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_rfm_add(clv_sample, interval, float8, float8, integer) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_rfm_add_interval' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_rfm_add(clv_sample, purchase_history, date) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_rfm_add_history' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_rfm_add(clv_sample, purchase_history, date, integer) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_rfm_add_history' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_rfm_add(clv_sample, purchase_history, timestamptz) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_rfm_add_history_tz' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_rfm_add(clv_sample, purchase_history, timestamptz, integer) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_rfm_add_history_tz' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_rfm_breaks(clv_sample) RETURNS float8[]
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION clv_rfm_add(clv_sample, float8, float8, float8) IS 'transition: count one customer, for 5 bins';
COMMENT ON FUNCTION clv_rfm_add(clv_sample, float8, float8, float8, integer) IS 'transition: count one customer';
COMMENT ON FUNCTION clv_rfm_add(clv_sample, interval, float8, float8) IS 'transition: count one customer, for 5 bins';
COMMENT ON FUNCTION clv_rfm_add(clv_sample, interval, float8, float8, integer) IS 'transition: count one customer';
COMMENT ON FUNCTION clv_rfm_add(clv_sample, purchase_history, date) IS 'transition: count one customer, for 5 bins';
COMMENT ON FUNCTION clv_rfm_add(clv_sample, purchase_history, date, integer) IS 'transition: count one customer';
COMMENT ON FUNCTION clv_rfm_add(clv_sample, purchase_history, timestamptz) IS 'transition: count one customer, for 5 bins';
COMMENT ON FUNCTION clv_rfm_add(clv_sample, purchase_history, timestamptz, integer) IS 'transition: count one customer';
COMMENT ON FUNCTION clv_rfm_breaks(clv_sample) IS 'final: the breaks between the scores';

CREATE AGGREGATE rfm_breaks(days_since_last float8, frequency float8, monetary float8) (
    SFUNC = clv_rfm_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_rfm_breaks, PARALLEL = SAFE
);
COMMENT ON AGGREGATE rfm_breaks(float8, float8, float8) IS 'the breaks between the scores that rfm_score() gives to these customers, to be stored and applied to others with rfm_score(breaks, ...): float8[3][bins - 1], a row of days_since_last from many to few, then frequency and monetary from little to much. 5 bins unless given (2 to 9, the same in all rows). A customer scores 1, and one more for each break that days_since_last stays below, or that frequency or monetary exceeds. Rows with a NULL are skipped; NULL without rows, and after a WARNING with one. Errors as rfm_score().';

CREATE AGGREGATE rfm_breaks(days_since_last float8, frequency float8, monetary float8, bins integer) (
    SFUNC = clv_rfm_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_rfm_breaks, PARALLEL = SAFE
);
COMMENT ON AGGREGATE rfm_breaks(float8, float8, float8, integer) IS 'rfm_breaks() for a number of bins, 2 to 9, the same in all rows';

CREATE AGGREGATE rfm_breaks(days_since_last interval, frequency float8, monetary float8) (
    SFUNC = clv_rfm_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_rfm_breaks, PARALLEL = SAFE
);
COMMENT ON AGGREGATE rfm_breaks(interval, float8, float8) IS 'rfm_breaks() with the recency as an interval; a month counts 30 days, a day 24 hours';

CREATE AGGREGATE rfm_breaks(days_since_last interval, frequency float8, monetary float8, bins integer) (
    SFUNC = clv_rfm_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_rfm_breaks, PARALLEL = SAFE
);
COMMENT ON AGGREGATE rfm_breaks(interval, float8, float8, integer) IS 'rfm_breaks() for a number of bins, with the recency as an interval; a month counts 30 days, a day 24 hours';

CREATE AGGREGATE rfm_breaks(history purchase_history, as_of date) (
    SFUNC = clv_rfm_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_rfm_breaks, PARALLEL = SAFE
);
COMMENT ON AGGREGATE rfm_breaks(purchase_history, date) IS 'rfm_breaks() of histories, with days_since_last, purchases and total_spend as known on as_of; customers without a purchase by then are skipped. Error 22023 also: histories without amounts, different as_of in one group.';

CREATE AGGREGATE rfm_breaks(history purchase_history, as_of date, bins integer) (
    SFUNC = clv_rfm_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_rfm_breaks, PARALLEL = SAFE
);
COMMENT ON AGGREGATE rfm_breaks(purchase_history, date, integer) IS 'rfm_breaks() for a number of bins, of histories, with days_since_last, purchases and total_spend as known on as_of; customers without a purchase by then are skipped. Error 22023 also: histories without amounts, different as_of in one group.';

CREATE AGGREGATE rfm_breaks(history purchase_history, as_of timestamptz) (
    SFUNC = clv_rfm_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_rfm_breaks, PARALLEL = SAFE
);
COMMENT ON AGGREGATE rfm_breaks(purchase_history, timestamptz) IS 'rfm_breaks() of histories with the day of as_of in the session''s time zone';

CREATE AGGREGATE rfm_breaks(history purchase_history, as_of timestamptz, bins integer) (
    SFUNC = clv_rfm_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_rfm_breaks, PARALLEL = SAFE
);
COMMENT ON AGGREGATE rfm_breaks(purchase_history, timestamptz, integer) IS 'rfm_breaks() for a number of bins, of histories with the day of as_of in the session''s time zone';

CREATE FUNCTION rfm_score(breaks float8[], days_since_last float8, frequency float8, monetary float8) RETURNS text
    AS 'MODULE_PATHNAME', 'clv_rfm_score_with_numbers' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION rfm_score(breaks float8[], days_since_last interval, frequency float8, monetary float8) RETURNS text
    AS 'MODULE_PATHNAME', 'clv_rfm_score_with_interval' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION rfm_score(breaks float8[], history purchase_history, as_of date) RETURNS text
    AS 'MODULE_PATHNAME', 'clv_rfm_score_with_history' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION rfm_score(breaks float8[], history purchase_history, as_of timestamptz) RETURNS text
    LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 5
    RETURN rfm_score(breaks, history, as_of::date);
COMMENT ON FUNCTION rfm_score(float8[], float8, float8, float8) IS 'the score of one customer by stored breaks, see rfm_breaks(): 1, and one more for each break that days_since_last stays below, or that frequency or monetary exceeds. Error 22023: breaks that are no three rows of 1 to 8 finite numbers, or out of order; days_since_last or frequency negative, a NaN or infinite value.';
COMMENT ON FUNCTION rfm_score(float8[], interval, float8, float8) IS 'the score of one customer by stored breaks, with the recency as an interval';
COMMENT ON FUNCTION rfm_score(float8[], purchase_history, date) IS 'the score of a history by stored breaks, with days_since_last, purchases and total_spend as known on as_of; NULL before the first purchase';
COMMENT ON FUNCTION rfm_score(float8[], purchase_history, timestamptz) IS 'the score of a history by stored breaks, with the day of as_of in the session''s time zone';

CREATE FUNCTION rfm_segment(score text) RETURNS text
    AS 'MODULE_PATHNAME', 'clv_rfm_segment' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION rfm_segment(text) IS 'the segment of a score of five bins, by its recency R and FM = (F + M + 1) / 2 in integers: one of the ten of rfm_segments(). NULL for NULL. Error 22023: anything but three digits of 1 to 5.';

CREATE FUNCTION rfm_segments()
    RETURNS TABLE (segment text, r_min integer, r_max integer, fm_min integer, fm_max integer, action text)
    AS 'MODULE_PATHNAME', 'clv_rfm_segments' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 10;
COMMENT ON FUNCTION rfm_segments() IS 'the rules of rfm_segment(), best customers first: each pair of R and FM = (F + M + 1) / 2, 1 to 5, lies in the ranges of exactly one. action is a suggestion of what to do next. Copy it into a table, edit and join that for rules of your own.';

CREATE FUNCTION value_tier(clv float8, churn_risk float8, high_value float8, high_risk float8 DEFAULT 0.5) RETURNS text
    AS 'MODULE_PATHNAME', 'clv_rfm_value_tier' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION value_tier(float8, float8, float8, float8) IS 'one of three tiers: at risk where churn_risk is high_risk or more, else high value where clv is high_value or more, else growth potential. Money, probability, money, probability. NULL if any argument is NULL. Error 22023: NaN, a probability outside 0 to 1.';

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

COMMENT ON FUNCTION clv_model_in(cstring) IS 'text input of clv_model: all fields, in the order in which the output writes them; errors with SQLSTATE 22P02';
COMMENT ON FUNCTION clv_model_out(clv_model) IS 'text output of clv_model; does not depend on settings';
COMMENT ON FUNCTION clv_model_recv(internal) IS 'binary input of clv_model; errors with SQLSTATE 22P03';
COMMENT ON FUNCTION clv_model_send(clv_model) IS 'binary output of clv_model';

CREATE TYPE clv_model (
    INPUT = clv_model_in, OUTPUT = clv_model_out, RECEIVE = clv_model_recv, SEND = clv_model_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended
);
COMMENT ON TYPE clv_model IS 'one fitted or typed-in model: kind, time unit, as_of, days covered, parameters, covariance of their logarithms (of effects of covariates as they are), number and fingerprint of the rows, log-likelihood, convergence, version that fitted it; or a prior, see cohort_prior()';

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

CREATE FUNCTION pareto_nbd_model(r float8, alpha float8, s float8, beta float8) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_pareto_nbd_model' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION pareto_nbd_model(r float8, alpha float8, s float8, beta float8, unit text) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_pareto_nbd_model' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION pareto_nbd_model(float8, float8, float8, float8) IS 'Pareto/NBD model from typed-in parameters, for raw numbers in the unit of alpha and beta: purchase rates are gamma(r, alpha), dropout rates gamma(s, beta). Parameters must be positive: error 22023. Source: Schmittlein, Morrison and Colombo 1987.';
COMMENT ON FUNCTION pareto_nbd_model(float8, float8, float8, float8, text) IS 'Pareto/NBD model from typed-in parameters with the time unit of alpha and beta (day, week, month, year), so that it can be used with histories and dates. Parameters must be positive and the unit one of these: error 22023. Source: Schmittlein, Morrison and Colombo 1987.';

CREATE FUNCTION bgnbd_model(r float8, alpha float8, a float8, b float8) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_bgnbd_model' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION bgnbd_model(r float8, alpha float8, a float8, b float8, unit text) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_bgnbd_model' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION bgnbd_model(float8, float8, float8, float8) IS 'BG/NBD model from typed-in parameters, for raw numbers in the unit of alpha: purchase rates are gamma(r, alpha), dropout probabilities after a purchase beta(a, b). P(alive) is 1 without a repeat purchase: rank by churn_risk(). Parameters must be positive: error 22023. Source: Fader, Hardie and Lee 2005.';
COMMENT ON FUNCTION bgnbd_model(float8, float8, float8, float8, text) IS 'BG/NBD model from typed-in parameters with the time unit of alpha (day, week, month, year), so that it can be used with histories and dates. Parameters must be positive and the unit one of these: error 22023. Source: Fader, Hardie and Lee 2005.';

CREATE FUNCTION mbgnbd_model(r float8, alpha float8, a float8, b float8) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_mbgnbd_model' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION mbgnbd_model(r float8, alpha float8, a float8, b float8, unit text) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_mbgnbd_model' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION mbgnbd_model(float8, float8, float8, float8) IS 'MBG/NBD model from typed-in parameters, for raw numbers in the unit of alpha: purchase rates are gamma(r, alpha), dropout probabilities after a purchase, the first included, beta(a, b). Parameters must be positive: error 22023. Source: Batislam, Denizel and Filiztekin 2007.';
COMMENT ON FUNCTION mbgnbd_model(float8, float8, float8, float8, text) IS 'MBG/NBD model from typed-in parameters with the time unit of alpha (day, week, month, year), so that it can be used with histories and dates. Parameters must be positive and the unit one of these: error 22023. Source: Batislam, Denizel and Filiztekin 2007.';

CREATE FUNCTION bgcnbd_model(r float8, alpha float8, a float8, b float8, k float8) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_bgcnbd_model' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION bgcnbd_model(r float8, alpha float8, a float8, b float8, k float8, unit text) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_bgcnbd_model' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION bgcnbd_model(float8, float8, float8, float8, float8) IS 'BG/CNBD-k model from typed-in parameters, for raw numbers in the unit of alpha: times between purchases have k phases at a gamma(r, alpha) rate, k a whole number from 1 (random) to 20 (regular); dropout probabilities after a purchase are beta(a, b). P(alive) is 1 without a repeat purchase: rank by churn_risk(). Parameters must be positive: error 22023. Source: Reutterer, Platzer and Schroeder 2021.';
COMMENT ON FUNCTION bgcnbd_model(float8, float8, float8, float8, float8, text) IS 'BG/CNBD-k model from typed-in parameters with the time unit of alpha (day, week, month, year), so that it can be used with histories and dates. Parameters must be positive and the unit one of these: error 22023. Source: Reutterer, Platzer and Schroeder 2021.';

CREATE FUNCTION mbgcnbd_model(r float8, alpha float8, a float8, b float8, k float8) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_mbgcnbd_model' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION mbgcnbd_model(r float8, alpha float8, a float8, b float8, k float8, unit text) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_mbgcnbd_model' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION mbgcnbd_model(float8, float8, float8, float8, float8) IS 'MBG/CNBD-k model from typed-in parameters, for raw numbers in the unit of alpha: times between purchases have k phases at a gamma(r, alpha) rate, k a whole number from 1 (random) to 20 (regular); dropout probabilities after a purchase, the first included, are beta(a, b). Parameters must be positive: error 22023. Source: Reutterer, Platzer and Schroeder 2021.';
COMMENT ON FUNCTION mbgcnbd_model(float8, float8, float8, float8, float8, text) IS 'MBG/CNBD-k model from typed-in parameters with the time unit of alpha (day, week, month, year), so that it can be used with histories and dates. Parameters must be positive and the unit one of these: error 22023. Source: Reutterer, Platzer and Schroeder 2021.';

CREATE FUNCTION bgbb_model(alpha float8, beta float8, gamma float8, delta float8) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_bgbb_model' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION bgbb_model(alpha float8, beta float8, gamma float8, delta float8, unit text) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_bgbb_model' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION bgbb_model(float8, float8, float8, float8) IS 'BG/BB model from typed-in parameters, for counts of opportunities: at each opportunity a customer buys with a beta(alpha, beta) probability, and before each is lost with a beta(gamma, delta) probability. Parameters must be positive: error 22023. Source: Fader, Hardie and Shang 2010.';
COMMENT ON FUNCTION bgbb_model(float8, float8, float8, float8, text) IS 'BG/BB model from typed-in parameters with the time between two opportunities (day, week, month, year), so that it can be used with histories and dates. Parameters must be positive and the unit one of these: error 22023. Source: Fader, Hardie and Shang 2010.';

CREATE FUNCTION sbg_model(alpha float8, beta float8) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_sbg_model' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION sbg_model(alpha float8, beta float8, unit text) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_sbg_model' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION sbg_model(float8, float8) IS 'sBG model from typed-in parameters, for counts of periods: a contract is ended at each renewal with a beta(alpha, beta) probability that is the customer''s own. Parameters must be positive: error 22023. Source: Fader and Hardie 2007.';
COMMENT ON FUNCTION sbg_model(float8, float8, text) IS 'sBG model from typed-in parameters with the length of a period (day, week, month, year), which simulations use. Parameters must be positive and the unit one of these: error 22023. Source: Fader and Hardie 2007.';

CREATE FUNCTION bdw_model(alpha float8, beta float8, c float8) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_bdw_model' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION bdw_model(alpha float8, beta float8, c float8, unit text) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_bdw_model' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION bdw_model(float8, float8, float8) IS 'BdW model from typed-in parameters, for counts of periods: as the sBG model, but the probability of leaving changes over a customer''s time: it falls for c < 1, rises for c > 1. Parameters must be positive: error 22023. Source: Fader, Hardie, Liu, Davin and Steenburgh 2018.';
COMMENT ON FUNCTION bdw_model(float8, float8, float8, text) IS 'BdW model from typed-in parameters with the length of a period (day, week, month, year), which simulations use. Parameters must be positive and the unit one of these: error 22023. Source: Fader, Hardie, Liu, Davin and Steenburgh 2018.';

CREATE FUNCTION gamma_gamma_model(p float8, q float8, v float8) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_gamma_gamma_model' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION gamma_gamma_model(float8, float8, float8) IS 'gamma-gamma spend model from typed-in parameters; v is in units of money. Parameters must be positive: error 22023. Source: Fader and Hardie 2013.';

CREATE FUNCTION tidy(model clv_model, conf float8 DEFAULT 0.95,
        OUT term text, OUT estimate float8, OUT std_error float8, OUT statistic float8, OUT p_value float8,
        OUT conf_low float8, OUT conf_high float8)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'clv_model_tidy' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50 ROWS 4;
COMMENT ON FUNCTION tidy(clv_model, float8) IS 'parameters of a model, one row each, on their natural scale: estimate, standard error, interval at confidence conf. Positive parameters have an interval from the log scale, and statistic and p_value are NULL, as no test of "= 0" exists. Effects of covariates (purchase_1 and so on: on the logarithm of the purchase rate; dropout_1: on the logarithm of the dropout rate, or with BG models the log odds of dropout; positive is more) have a symmetric interval and Wald''s test. A count of phases (k) has an estimate alone. Effects of a regression (x1 and so on, in the order of x) have a symmetric interval and test, by Student''s t where the model has degrees of freedom, see glance(); a column whose effect cannot be told has an estimate of NULL. std_error and interval are NULL without a covariance, and where a double cannot hold them. Of a prior they describe how cohorts vary. Error 22023 unless 0 < conf < 1.';

CREATE FUNCTION glance(model clv_model,
        OUT kind text, OUT unit text, OUT as_of date, OUT first_day date, OUT last_day date,
        OUT n bigint, OUT n_distinct bigint, OUT n_skipped bigint, OUT log_likelihood float8, OUT aic float8, OUT bic float8,
        OUT converged boolean, OUT iterations integer, OUT gradient_norm float8, OUT mean_rate float8, OUT mean_dropout float8,
        OUT covariates integer, OUT own_weight float8, OUT fitted_by text, OUT errors text, OUT clusters bigint,
        OUT df float8, OUT sigma float8, OUT r_squared float8, OUT statistic float8, OUT p_value float8)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'clv_model_glance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50 ROWS 1;
COMMENT ON FUNCTION glance(clv_model) IS 'one row about a model: kind, time unit, dates of the data, rows used (n; of a prior the cohorts it comes from), distinct and skipped, log-likelihood (density of purchase times), AIC, BIC (over all parameters and n rows; NULL for a model drawn towards a prior), whether the fit converged, iterations, gradient_norm (distance to the maximum in standard errors), mean purchase rate per unit while alive, mean dropout probability after a purchase or per period, or rate per unit (Pareto/NBD), both of a customer whose covariates are 0, number of covariates, own_weight (share of the cohort''s own data in the parameters: 1 unless shrunk), version that fitted it. NULL where a typed-in model has none. Of a regression also: errors (what the standard errors stand on: model, HC0 to HC3, or CR1, robust against dependence within clusters), clusters, df (degrees of freedom of t; NULL: normal), sigma (residual standard deviation), r_squared (McFadden''s of a logistic one), and the test that no regressor has an effect: statistic (F where there is a df, else chi-square: of the likelihood ratio, or with robust errors Wald''s) and p_value; covariates is the number of regressors, and the residual variance of a linear one counts as a parameter. Compare log-likelihoods only for the same rows, as_of and unit.';

CREATE FUNCTION glance(models clv_model[],
        OUT kind text, OUT unit text, OUT as_of date, OUT first_day date, OUT last_day date,
        OUT n bigint, OUT n_distinct bigint, OUT n_skipped bigint, OUT log_likelihood float8, OUT aic float8, OUT bic float8,
        OUT converged boolean, OUT iterations integer, OUT gradient_norm float8, OUT mean_rate float8, OUT mean_dropout float8,
        OUT covariates integer, OUT own_weight float8, OUT fitted_by text, OUT errors text, OUT clusters bigint,
        OUT df float8, OUT sigma float8, OUT r_squared float8, OUT statistic float8, OUT p_value float8)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'clv_model_glance_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200 ROWS 4;
COMMENT ON FUNCTION glance(clv_model[]) IS 'glance() of several models side by side: one row for each, in order; a NULL among them, such as a model that could not be fitted, has a row of NULLs. An array of more dimensions is an error.';

CREATE FUNCTION coef(model clv_model, term text) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_model_coef' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION coef(clv_model, text) IS 'one parameter of a model on its natural scale, by name; NULL where the effect of a column cannot be told; an unknown name is an error 22023 that lists the names';

CREATE FUNCTION vcov(model clv_model) RETURNS float8[]
    AS 'MODULE_PATHNAME', 'clv_model_vcov' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION vcov(clv_model) IS 'covariance matrix of the parameters on their natural scale, rows and columns in the order of tidy(), NULL for columns whose effect cannot be told; NULL without one (typed-in, or not converged). Error 22003 where a cell is out of range.';

CREATE FUNCTION clv_model_to_jsonb(model clv_model) RETURNS jsonb
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_model_to_jsonb(clv_model) IS 'the model as a JSON object: kind, unit, parameters and, if fitted, dates, counts, rows (a fingerprint of the rows fitted, in hexadecimal), log-likelihood, convergence, own_weight, covariance_of_logs (rows and columns in the order of tidy(); effects of covariates on their own scale). A prior has the number of its cohorts.';
CREATE CAST (clv_model AS jsonb) WITH FUNCTION clv_model_to_jsonb(clv_model);
COMMENT ON CAST (clv_model AS jsonb) IS 'see clv_model_to_jsonb()';

-- ---- btyd: fits and predictions ---------------------------------------------------------------------------------

CREATE FUNCTION pareto_nbd_fit(sample clv_sample) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_pareto_nbd_fit' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 3000000;
COMMENT ON FUNCTION pareto_nbd_fit(clv_sample) IS 'Pareto/NBD model by maximum likelihood from a stored sample of (x, t_x, t_cal), with covariates if it has them. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Source: Schmittlein, Morrison and Colombo 1987; Fader and Hardie 2005';

CREATE AGGREGATE pareto_nbd_fit(x float8, t_x float8, t_cal float8) (
    SFUNC = clv_sample_add_timing, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = pareto_nbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE pareto_nbd_fit(float8, float8, float8) IS 'Pareto/NBD model by maximum likelihood over rows of raw numbers, in their unit. Rows with a NULL are skipped. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. Source: Schmittlein, Morrison and Colombo 1987; Fader and Hardie 2005';

CREATE AGGREGATE pareto_nbd_fit(history purchase_history, as_of date) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = pareto_nbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE pareto_nbd_fit(purchase_history, date) IS 'Pareto/NBD model by maximum likelihood over customers at a date, in days. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. Source: Schmittlein, Morrison and Colombo 1987; Fader and Hardie 2005';

CREATE AGGREGATE pareto_nbd_fit(history purchase_history, as_of timestamptz) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = pareto_nbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE pareto_nbd_fit(purchase_history, timestamptz) IS 'Pareto/NBD model by maximum likelihood over customers at a date, in days, as_of as the day in the session''s time zone. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. Source: Schmittlein, Morrison and Colombo 1987; Fader and Hardie 2005';

CREATE AGGREGATE pareto_nbd_fit(history purchase_history, as_of date, unit text) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = pareto_nbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE pareto_nbd_fit(purchase_history, date, text) IS 'Pareto/NBD model by maximum likelihood over customers at a date, in the unit day, week, month or year. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. Source: Schmittlein, Morrison and Colombo 1987; Fader and Hardie 2005';

CREATE AGGREGATE pareto_nbd_fit(history purchase_history, as_of timestamptz, unit text) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = pareto_nbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE pareto_nbd_fit(purchase_history, timestamptz, text) IS 'Pareto/NBD model by maximum likelihood over customers at a date, in the unit day, week, month or year, as_of as the day in the session''s time zone. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. Source: Schmittlein, Morrison and Colombo 1987; Fader and Hardie 2005';

CREATE AGGREGATE pareto_nbd_fit(x float8, t_x float8, t_cal float8, covariates float8[]) (
    SFUNC = clv_sample_add_timing, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = pareto_nbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE pareto_nbd_fit(float8, float8, float8, float8[]) IS 'Pareto/NBD model with static covariates by maximum likelihood over rows of raw numbers, in their unit. covariates: 1 to 16 numbers of each customer, in the same order, as they were known at the first purchase, or the clock starts at a landmark (what was collected while the customer was alive is reverse causation). tidy() names the effects purchase_1, ... on the logarithm of the purchase rate, and dropout_1, ... on the logarithm of the dropout rate; positive is more. Predictions take with_covariates(model, covariates). Rows with a NULL, also within covariates, are skipped. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. Source: Schmittlein, Morrison and Colombo 1987; Fader and Hardie 2005; Fader and Hardie 2007.';

CREATE AGGREGATE pareto_nbd_fit(history purchase_history, as_of date, unit text, covariates float8[]) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = pareto_nbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE pareto_nbd_fit(purchase_history, date, text, float8[]) IS 'Pareto/NBD model with static covariates by maximum likelihood over customers at a date, in the unit day, week, month or year. covariates: 1 to 16 numbers of each customer, in the same order, as they were known at the first purchase, or the clock starts at a landmark (what was collected while the customer was alive is reverse causation). tidy() names the effects purchase_1, ... on the logarithm of the purchase rate, and dropout_1, ... on the logarithm of the dropout rate; positive is more. Predictions take with_covariates(model, covariates). Rows with a NULL, also within covariates, are skipped, as are customers without a purchase by as_of (counted as n_skipped). NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. Source: Schmittlein, Morrison and Colombo 1987; Fader and Hardie 2005; Fader and Hardie 2007.';

CREATE AGGREGATE pareto_nbd_fit(history purchase_history, as_of timestamptz, unit text, covariates float8[]) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = pareto_nbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE pareto_nbd_fit(purchase_history, timestamptz, text, float8[]) IS 'Pareto/NBD model with static covariates by maximum likelihood over customers at a date, in the unit day, week, month or year, as_of as the day in the session''s time zone. covariates: 1 to 16 numbers of each customer, in the same order, as they were known at the first purchase, or the clock starts at a landmark (what was collected while the customer was alive is reverse causation). tidy() names the effects purchase_1, ... on the logarithm of the purchase rate, and dropout_1, ... on the logarithm of the dropout rate; positive is more. Predictions take with_covariates(model, covariates). Rows with a NULL, also within covariates, are skipped, as are customers without a purchase by as_of (counted as n_skipped). NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. Source: Schmittlein, Morrison and Colombo 1987; Fader and Hardie 2005; Fader and Hardie 2007.';

CREATE FUNCTION bgnbd_fit(sample clv_sample) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_bgnbd_fit' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000000;
COMMENT ON FUNCTION bgnbd_fit(clv_sample) IS 'BG/NBD model by maximum likelihood from a stored sample of (x, t_x, t_cal), with covariates if it has them. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. It gives P(alive) = 1 to every customer without a repeat purchase: rank by churn_risk(). Source: Fader, Hardie and Lee 2005';

CREATE AGGREGATE bgnbd_fit(x float8, t_x float8, t_cal float8) (
    SFUNC = clv_sample_add_timing, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = bgnbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE bgnbd_fit(float8, float8, float8) IS 'BG/NBD model by maximum likelihood over rows of raw numbers, in their unit. Rows with a NULL are skipped. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. It gives P(alive) = 1 to every customer without a repeat purchase: rank by churn_risk(). Source: Fader, Hardie and Lee 2005';

CREATE AGGREGATE bgnbd_fit(history purchase_history, as_of date) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = bgnbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE bgnbd_fit(purchase_history, date) IS 'BG/NBD model by maximum likelihood over customers at a date, in days. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. It gives P(alive) = 1 to every customer without a repeat purchase: rank by churn_risk(). Source: Fader, Hardie and Lee 2005';

CREATE AGGREGATE bgnbd_fit(history purchase_history, as_of timestamptz) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = bgnbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE bgnbd_fit(purchase_history, timestamptz) IS 'BG/NBD model by maximum likelihood over customers at a date, in days, as_of as the day in the session''s time zone. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. It gives P(alive) = 1 to every customer without a repeat purchase: rank by churn_risk(). Source: Fader, Hardie and Lee 2005';

CREATE AGGREGATE bgnbd_fit(history purchase_history, as_of date, unit text) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = bgnbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE bgnbd_fit(purchase_history, date, text) IS 'BG/NBD model by maximum likelihood over customers at a date, in the unit day, week, month or year. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. It gives P(alive) = 1 to every customer without a repeat purchase: rank by churn_risk(). Source: Fader, Hardie and Lee 2005';

CREATE AGGREGATE bgnbd_fit(history purchase_history, as_of timestamptz, unit text) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = bgnbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE bgnbd_fit(purchase_history, timestamptz, text) IS 'BG/NBD model by maximum likelihood over customers at a date, in the unit day, week, month or year, as_of as the day in the session''s time zone. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. It gives P(alive) = 1 to every customer without a repeat purchase: rank by churn_risk(). Source: Fader, Hardie and Lee 2005';

CREATE AGGREGATE bgnbd_fit(x float8, t_x float8, t_cal float8, covariates float8[]) (
    SFUNC = clv_sample_add_timing, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = bgnbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE bgnbd_fit(float8, float8, float8, float8[]) IS 'BG/NBD model with static covariates by maximum likelihood over rows of raw numbers, in their unit. covariates: 1 to 16 numbers of each customer, in the same order, as they were known at the first purchase, or the clock starts at a landmark (what was collected while the customer was alive is reverse causation). tidy() names the effects purchase_1, ... on the logarithm of the purchase rate, and dropout_1, ... on the log odds of the mean dropout probability a / (a + b), while a + b stays; positive is more. Predictions take with_covariates(model, covariates). Rows with a NULL, also within covariates, are skipped. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. It gives P(alive) = 1 to every customer without a repeat purchase: rank by churn_risk(). Source: Fader, Hardie and Lee 2005; Fader and Hardie 2007.';

CREATE AGGREGATE bgnbd_fit(history purchase_history, as_of date, unit text, covariates float8[]) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = bgnbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE bgnbd_fit(purchase_history, date, text, float8[]) IS 'BG/NBD model with static covariates by maximum likelihood over customers at a date, in the unit day, week, month or year. covariates: 1 to 16 numbers of each customer, in the same order, as they were known at the first purchase, or the clock starts at a landmark (what was collected while the customer was alive is reverse causation). tidy() names the effects purchase_1, ... on the logarithm of the purchase rate, and dropout_1, ... on the log odds of the mean dropout probability a / (a + b), while a + b stays; positive is more. Predictions take with_covariates(model, covariates). Rows with a NULL, also within covariates, are skipped, as are customers without a purchase by as_of (counted as n_skipped). NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. It gives P(alive) = 1 to every customer without a repeat purchase: rank by churn_risk(). Source: Fader, Hardie and Lee 2005; Fader and Hardie 2007.';

CREATE AGGREGATE bgnbd_fit(history purchase_history, as_of timestamptz, unit text, covariates float8[]) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = bgnbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE bgnbd_fit(purchase_history, timestamptz, text, float8[]) IS 'BG/NBD model with static covariates by maximum likelihood over customers at a date, in the unit day, week, month or year, as_of as the day in the session''s time zone. covariates: 1 to 16 numbers of each customer, in the same order, as they were known at the first purchase, or the clock starts at a landmark (what was collected while the customer was alive is reverse causation). tidy() names the effects purchase_1, ... on the logarithm of the purchase rate, and dropout_1, ... on the log odds of the mean dropout probability a / (a + b), while a + b stays; positive is more. Predictions take with_covariates(model, covariates). Rows with a NULL, also within covariates, are skipped, as are customers without a purchase by as_of (counted as n_skipped). NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. It gives P(alive) = 1 to every customer without a repeat purchase: rank by churn_risk(). Source: Fader, Hardie and Lee 2005; Fader and Hardie 2007.';

CREATE FUNCTION mbgnbd_fit(sample clv_sample) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_mbgnbd_fit' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000000;
COMMENT ON FUNCTION mbgnbd_fit(clv_sample) IS 'MBG/NBD model by maximum likelihood from a stored sample of (x, t_x, t_cal), with covariates if it has them. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Source: Batislam, Denizel and Filiztekin 2007';

CREATE AGGREGATE mbgnbd_fit(x float8, t_x float8, t_cal float8) (
    SFUNC = clv_sample_add_timing, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = mbgnbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE mbgnbd_fit(float8, float8, float8) IS 'MBG/NBD model by maximum likelihood over rows of raw numbers, in their unit. Rows with a NULL are skipped. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. Source: Batislam, Denizel and Filiztekin 2007';

CREATE AGGREGATE mbgnbd_fit(history purchase_history, as_of date) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = mbgnbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE mbgnbd_fit(purchase_history, date) IS 'MBG/NBD model by maximum likelihood over customers at a date, in days. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. Source: Batislam, Denizel and Filiztekin 2007';

CREATE AGGREGATE mbgnbd_fit(history purchase_history, as_of timestamptz) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = mbgnbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE mbgnbd_fit(purchase_history, timestamptz) IS 'MBG/NBD model by maximum likelihood over customers at a date, in days, as_of as the day in the session''s time zone. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. Source: Batislam, Denizel and Filiztekin 2007';

CREATE AGGREGATE mbgnbd_fit(history purchase_history, as_of date, unit text) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = mbgnbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE mbgnbd_fit(purchase_history, date, text) IS 'MBG/NBD model by maximum likelihood over customers at a date, in the unit day, week, month or year. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. Source: Batislam, Denizel and Filiztekin 2007';

CREATE AGGREGATE mbgnbd_fit(history purchase_history, as_of timestamptz, unit text) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = mbgnbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE mbgnbd_fit(purchase_history, timestamptz, text) IS 'MBG/NBD model by maximum likelihood over customers at a date, in the unit day, week, month or year, as_of as the day in the session''s time zone. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. Source: Batislam, Denizel and Filiztekin 2007';

CREATE AGGREGATE mbgnbd_fit(x float8, t_x float8, t_cal float8, covariates float8[]) (
    SFUNC = clv_sample_add_timing, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = mbgnbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE mbgnbd_fit(float8, float8, float8, float8[]) IS 'MBG/NBD model with static covariates by maximum likelihood over rows of raw numbers, in their unit. covariates: 1 to 16 numbers of each customer, in the same order, as they were known at the first purchase, or the clock starts at a landmark (what was collected while the customer was alive is reverse causation). tidy() names the effects purchase_1, ... on the logarithm of the purchase rate, and dropout_1, ... on the log odds of the mean dropout probability a / (a + b), while a + b stays; positive is more. Predictions take with_covariates(model, covariates). Rows with a NULL, also within covariates, are skipped. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. Source: Batislam, Denizel and Filiztekin 2007; Fader and Hardie 2007.';

CREATE AGGREGATE mbgnbd_fit(history purchase_history, as_of date, unit text, covariates float8[]) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = mbgnbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE mbgnbd_fit(purchase_history, date, text, float8[]) IS 'MBG/NBD model with static covariates by maximum likelihood over customers at a date, in the unit day, week, month or year. covariates: 1 to 16 numbers of each customer, in the same order, as they were known at the first purchase, or the clock starts at a landmark (what was collected while the customer was alive is reverse causation). tidy() names the effects purchase_1, ... on the logarithm of the purchase rate, and dropout_1, ... on the log odds of the mean dropout probability a / (a + b), while a + b stays; positive is more. Predictions take with_covariates(model, covariates). Rows with a NULL, also within covariates, are skipped, as are customers without a purchase by as_of (counted as n_skipped). NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. Source: Batislam, Denizel and Filiztekin 2007; Fader and Hardie 2007.';

CREATE AGGREGATE mbgnbd_fit(history purchase_history, as_of timestamptz, unit text, covariates float8[]) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = mbgnbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE mbgnbd_fit(purchase_history, timestamptz, text, float8[]) IS 'MBG/NBD model with static covariates by maximum likelihood over customers at a date, in the unit day, week, month or year, as_of as the day in the session''s time zone. covariates: 1 to 16 numbers of each customer, in the same order, as they were known at the first purchase, or the clock starts at a landmark (what was collected while the customer was alive is reverse causation). tidy() names the effects purchase_1, ... on the logarithm of the purchase rate, and dropout_1, ... on the log odds of the mean dropout probability a / (a + b), while a + b stays; positive is more. Predictions take with_covariates(model, covariates). Rows with a NULL, also within covariates, are skipped, as are customers without a purchase by as_of (counted as n_skipped). NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. Source: Batislam, Denizel and Filiztekin 2007; Fader and Hardie 2007.';

CREATE FUNCTION bgcnbd_fit(sample clv_sample) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_bgcnbd_fit' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5000000;
COMMENT ON FUNCTION bgcnbd_fit(clv_sample) IS 'BG/CNBD-k model by maximum likelihood from a stored sample of (x, t_x, t_cal), which knows the times between purchases. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. It gives P(alive) = 1 to every customer without a repeat purchase: rank by churn_risk(). Source: Reutterer, Platzer and Schroeder 2021';

CREATE AGGREGATE bgcnbd_fit(x float8, t_x float8, t_cal float8, log_gaps float8) (
    SFUNC = clv_sample_add_timing, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = bgcnbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE bgcnbd_fit(float8, float8, float8, float8) IS 'BG/CNBD-k model by maximum likelihood over rows of raw numbers, in their unit; log_gaps is the sum of the logarithms of the times between the customer''s purchases, see log_gaps(). The number of phases k is chosen by likelihood. Rows with a NULL are skipped. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. It gives P(alive) = 1 to every customer without a repeat purchase: rank by churn_risk(). Source: Reutterer, Platzer and Schroeder 2021';

CREATE AGGREGATE bgcnbd_fit(history purchase_history, as_of date) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = bgcnbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE bgcnbd_fit(purchase_history, date) IS 'BG/CNBD-k model by maximum likelihood over customers at a date, in days. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). The number of phases k is chosen by likelihood. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. It gives P(alive) = 1 to every customer without a repeat purchase: rank by churn_risk(). Source: Reutterer, Platzer and Schroeder 2021';

CREATE AGGREGATE bgcnbd_fit(history purchase_history, as_of timestamptz) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = bgcnbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE bgcnbd_fit(purchase_history, timestamptz) IS 'BG/CNBD-k model by maximum likelihood over customers at a date, in days, as_of as the day in the session''s time zone. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). The number of phases k is chosen by likelihood. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. It gives P(alive) = 1 to every customer without a repeat purchase: rank by churn_risk(). Source: Reutterer, Platzer and Schroeder 2021';

CREATE AGGREGATE bgcnbd_fit(history purchase_history, as_of date, unit text) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = bgcnbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE bgcnbd_fit(purchase_history, date, text) IS 'BG/CNBD-k model by maximum likelihood over customers at a date, in the unit day, week, month or year. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). The number of phases k is chosen by likelihood. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. It gives P(alive) = 1 to every customer without a repeat purchase: rank by churn_risk(). Source: Reutterer, Platzer and Schroeder 2021';

CREATE AGGREGATE bgcnbd_fit(history purchase_history, as_of timestamptz, unit text) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = bgcnbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE bgcnbd_fit(purchase_history, timestamptz, text) IS 'BG/CNBD-k model by maximum likelihood over customers at a date, in the unit day, week, month or year, as_of as the day in the session''s time zone. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). The number of phases k is chosen by likelihood. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. It gives P(alive) = 1 to every customer without a repeat purchase: rank by churn_risk(). Source: Reutterer, Platzer and Schroeder 2021';

CREATE FUNCTION mbgcnbd_fit(sample clv_sample) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_mbgcnbd_fit' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5000000;
COMMENT ON FUNCTION mbgcnbd_fit(clv_sample) IS 'MBG/CNBD-k model by maximum likelihood from a stored sample of (x, t_x, t_cal), which knows the times between purchases. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Source: Reutterer, Platzer and Schroeder 2021';

CREATE AGGREGATE mbgcnbd_fit(x float8, t_x float8, t_cal float8, log_gaps float8) (
    SFUNC = clv_sample_add_timing, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = mbgcnbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE mbgcnbd_fit(float8, float8, float8, float8) IS 'MBG/CNBD-k model by maximum likelihood over rows of raw numbers, in their unit; log_gaps is the sum of the logarithms of the times between the customer''s purchases, see log_gaps(). The number of phases k is chosen by likelihood. Rows with a NULL are skipped. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. Source: Reutterer, Platzer and Schroeder 2021';

CREATE AGGREGATE mbgcnbd_fit(history purchase_history, as_of date) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = mbgcnbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE mbgcnbd_fit(purchase_history, date) IS 'MBG/CNBD-k model by maximum likelihood over customers at a date, in days. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). The number of phases k is chosen by likelihood. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. Source: Reutterer, Platzer and Schroeder 2021';

CREATE AGGREGATE mbgcnbd_fit(history purchase_history, as_of timestamptz) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = mbgcnbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE mbgcnbd_fit(purchase_history, timestamptz) IS 'MBG/CNBD-k model by maximum likelihood over customers at a date, in days, as_of as the day in the session''s time zone. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). The number of phases k is chosen by likelihood. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. Source: Reutterer, Platzer and Schroeder 2021';

CREATE AGGREGATE mbgcnbd_fit(history purchase_history, as_of date, unit text) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = mbgcnbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE mbgcnbd_fit(purchase_history, date, text) IS 'MBG/CNBD-k model by maximum likelihood over customers at a date, in the unit day, week, month or year. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). The number of phases k is chosen by likelihood. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. Source: Reutterer, Platzer and Schroeder 2021';

CREATE AGGREGATE mbgcnbd_fit(history purchase_history, as_of timestamptz, unit text) (
    SFUNC = clv_sample_add_history, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = mbgcnbd_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE mbgcnbd_fit(purchase_history, timestamptz, text) IS 'MBG/CNBD-k model by maximum likelihood over customers at a date, in the unit day, week, month or year, as_of as the day in the session''s time zone. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). The number of phases k is chosen by likelihood. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. Source: Reutterer, Platzer and Schroeder 2021';

CREATE FUNCTION bgbb_fit(sample clv_sample) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_bgbb_fit' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000000;
COMMENT ON FUNCTION bgbb_fit(clv_sample) IS 'BG/BB model by maximum likelihood from a stored sample of (x, t_x, n), opportunities taken out of n. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Source: Fader, Hardie and Shang 2010.';

CREATE AGGREGATE bgbb_fit(x float8, t_x float8, n float8) (
    SFUNC = clv_sample_add_opportunities, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = bgbb_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE bgbb_fit(float8, float8, float8) IS 'BG/BB model by maximum likelihood over rows of raw numbers: of n opportunities to buy the customer took x, the last of them number t_x. Rows with a NULL are skipped. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. Source: Fader, Hardie and Shang 2010.';

CREATE AGGREGATE bgbb_fit(history purchase_history, as_of date, unit text) (
    SFUNC = clv_sample_add_history_opportunities, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = bgbb_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE bgbb_fit(purchase_history, date, text) IS 'BG/BB model by maximum likelihood over customers at a date: an opportunity is a whole period of the unit day, week, month (30.4375 days) or year (365.25 days) after the first purchase, and taken if it saw a purchase. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. Source: Fader, Hardie and Shang 2010.';

CREATE AGGREGATE bgbb_fit(history purchase_history, as_of timestamptz, unit text) (
    SFUNC = clv_sample_add_history_opportunities, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = bgbb_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE bgbb_fit(purchase_history, timestamptz, text) IS 'BG/BB model by maximum likelihood over customers at a date, as_of as the day in the session''s time zone: an opportunity is a whole period of the unit day, week, month (30.4375 days) or year (365.25 days) after the first purchase, and taken if it saw a purchase. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. Source: Fader, Hardie and Shang 2010.';

CREATE FUNCTION sbg_fit(sample clv_sample) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_sbg_fit' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 300000;
COMMENT ON FUNCTION sbg_fit(clv_sample) IS 'sBG model by maximum likelihood from a stored sample of renewals. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Source: Fader and Hardie 2007.';

CREATE AGGREGATE sbg_fit(tenure float8, churned boolean) (
    SFUNC = clv_sample_add_renewals, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = sbg_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE sbg_fit(float8, boolean) IS 'sBG model of contractual retention by maximum likelihood: a customer churned in period tenure = 1, 2, ..., or still is one after tenure = 0, 1, ... renewals. Rows with a NULL are skipped. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. Source: Fader and Hardie 2007.';

CREATE AGGREGATE sbg_fit(tenure float8, churned boolean, entry float8) (
    SFUNC = clv_sample_add_renewals, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = sbg_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE sbg_fit(float8, boolean, float8) IS 'sBG model as sbg_fit(tenure, churned), with left truncation: entry renewals lay behind the customer when observation began. Rows with a NULL are skipped. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. Source: Fader and Hardie 2007.';

CREATE AGGREGATE sbg_fit(started date, ended date, as_of date, unit text) (
    SFUNC = clv_sample_add_contract, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = sbg_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE sbg_fit(date, date, date, text) IS 'sBG model from dates of contracts at as_of, in periods of the unit day, week, month or year; ended NULL is a customer still. See renewal_sample(started, ended, as_of, unit). Rows with another NULL are skipped. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Error 22023: ended before started. Source: Fader and Hardie 2007.';

CREATE AGGREGATE sbg_fit(started timestamptz, ended timestamptz, as_of timestamptz, unit text) (
    SFUNC = clv_sample_add_contract, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = sbg_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE sbg_fit(timestamptz, timestamptz, timestamptz, text) IS 'sBG model from dates of contracts at as_of, the days being those of the session''s time zone, in periods of the unit day, week, month or year; ended NULL is a customer still. See renewal_sample(started, ended, as_of, unit). Rows with another NULL are skipped. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Error 22023: ended before started. Source: Fader and Hardie 2007.';

CREATE AGGREGATE sbg_fit(started date, ended date, as_of date, unit text, data_begin date) (
    SFUNC = clv_sample_add_contract, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = sbg_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE sbg_fit(date, date, date, text, date) IS 'sBG model from dates of contracts as sbg_fit(started, ended, as_of, unit), for data that hold nobody who had left by data_begin (left truncation). Rows with a NULL but that of ended are skipped. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Error 22023: ended before started, data_begin after as_of. Source: Fader and Hardie 2007.';

CREATE AGGREGATE sbg_fit(started timestamptz, ended timestamptz, as_of timestamptz, unit text, data_begin timestamptz) (
    SFUNC = clv_sample_add_contract, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = sbg_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE sbg_fit(timestamptz, timestamptz, timestamptz, text, timestamptz) IS 'sBG model from dates of contracts as sbg_fit(started, ended, as_of, unit), the days being those of the session''s time zone, for data that hold nobody who had left by data_begin (left truncation). Rows with a NULL but that of ended are skipped. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Error 22023: ended before started, data_begin after as_of. Source: Fader and Hardie 2007.';

CREATE FUNCTION bdw_fit(sample clv_sample) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_bdw_fit' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 300000;
COMMENT ON FUNCTION bdw_fit(clv_sample) IS 'BdW (beta-discrete-Weibull) model by maximum likelihood from a stored sample of renewals. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Source: Fader, Hardie, Liu, Davin and Steenburgh 2018.';

CREATE AGGREGATE bdw_fit(tenure float8, churned boolean) (
    SFUNC = clv_sample_add_renewals, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = bdw_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE bdw_fit(float8, boolean) IS 'BdW (beta-discrete-Weibull) model of contractual retention by maximum likelihood: a customer churned in period tenure = 1, 2, ..., or still is one after tenure = 0, 1, ... renewals. Rows with a NULL are skipped. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. Source: Fader, Hardie, Liu, Davin and Steenburgh 2018.';

CREATE AGGREGATE bdw_fit(tenure float8, churned boolean, entry float8) (
    SFUNC = clv_sample_add_renewals, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = bdw_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE bdw_fit(float8, boolean, float8) IS 'BdW (beta-discrete-Weibull) model as bdw_fit(tenure, churned), with left truncation: entry renewals lay behind the customer when observation began. Rows with a NULL are skipped. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Rows that cannot be true are an error 22023. Source: Fader, Hardie, Liu, Davin and Steenburgh 2018.';

CREATE AGGREGATE bdw_fit(started date, ended date, as_of date, unit text) (
    SFUNC = clv_sample_add_contract, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = bdw_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE bdw_fit(date, date, date, text) IS 'BdW (beta-discrete-Weibull) model from dates of contracts at as_of, in periods of the unit day, week, month or year; ended NULL is a customer still. See renewal_sample(started, ended, as_of, unit). Rows with another NULL are skipped. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Error 22023: ended before started. Source: Fader, Hardie, Liu, Davin and Steenburgh 2018.';

CREATE AGGREGATE bdw_fit(started timestamptz, ended timestamptz, as_of timestamptz, unit text) (
    SFUNC = clv_sample_add_contract, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = bdw_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE bdw_fit(timestamptz, timestamptz, timestamptz, text) IS 'BdW (beta-discrete-Weibull) model from dates of contracts at as_of, the days being those of the session''s time zone, in periods of the unit day, week, month or year; ended NULL is a customer still. See renewal_sample(started, ended, as_of, unit). Rows with another NULL are skipped. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Error 22023: ended before started. Source: Fader, Hardie, Liu, Davin and Steenburgh 2018.';

CREATE AGGREGATE bdw_fit(started date, ended date, as_of date, unit text, data_begin date) (
    SFUNC = clv_sample_add_contract, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = bdw_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE bdw_fit(date, date, date, text, date) IS 'BdW (beta-discrete-Weibull) model from dates of contracts as bdw_fit(started, ended, as_of, unit), for data that hold nobody who had left by data_begin (left truncation). Rows with a NULL but that of ended are skipped. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Error 22023: ended before started, data_begin after as_of. Source: Fader, Hardie, Liu, Davin and Steenburgh 2018.';

CREATE AGGREGATE bdw_fit(started timestamptz, ended timestamptz, as_of timestamptz, unit text, data_begin timestamptz) (
    SFUNC = clv_sample_add_contract, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = bdw_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE bdw_fit(timestamptz, timestamptz, timestamptz, text, timestamptz) IS 'BdW (beta-discrete-Weibull) model from dates of contracts as bdw_fit(started, ended, as_of, unit), the days being those of the session''s time zone, for data that hold nobody who had left by data_begin (left truncation). Rows with a NULL but that of ended are skipped. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. Error 22023: ended before started, data_begin after as_of. Source: Fader, Hardie, Liu, Davin and Steenburgh 2018.';

CREATE FUNCTION gamma_gamma_fit(sample clv_sample) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_gamma_gamma_fit' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION gamma_gamma_fit(clv_sample) IS 'gamma-gamma spend model by maximum likelihood from a stored sample of (x, monetary_value). NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. WARNING where spend goes with frequency (correlation above 0.2, significant at 1 percent), which the model takes not to be so. Source: Fader and Hardie 2013.';

CREATE AGGREGATE gamma_gamma_fit(x float8, monetary_value float8) (
    SFUNC = clv_sample_add_spend, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = gamma_gamma_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE gamma_gamma_fit(float8, float8) IS 'gamma-gamma spend model by maximum likelihood over rows of raw numbers, in their unit. Rows with a NULL are skipped. NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. WARNING where spend goes with frequency (correlation above 0.2, significant at 1 percent), which the model takes not to be so. Rows that cannot be true are an error 22023. Source: Fader and Hardie 2013.';

CREATE AGGREGATE gamma_gamma_fit(history purchase_history, as_of date) (
    SFUNC = clv_sample_add_history_spend, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = gamma_gamma_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE gamma_gamma_fit(purchase_history, date) IS 'gamma-gamma spend model by maximum likelihood over customers at a date. Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. WARNING where spend goes with frequency (correlation above 0.2, significant at 1 percent), which the model takes not to be so. Rows that cannot be true are an error 22023. Source: Fader and Hardie 2013.';

CREATE AGGREGATE gamma_gamma_fit(history purchase_history, as_of timestamptz) (
    SFUNC = clv_sample_add_history_spend, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = gamma_gamma_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE gamma_gamma_fit(purchase_history, timestamptz) IS 'gamma-gamma spend model by maximum likelihood over customers at a date (of a timestamptz the day in the session''s time zone). Rows with a NULL are skipped, as are customers without a purchase by as_of (counted as n_skipped). NULL with a WARNING where the data cannot determine the model; converged = false with a WARNING where no maximum was reached. WARNING where spend goes with frequency (correlation above 0.2, significant at 1 percent), which the model takes not to be so. Rows that cannot be true are an error 22023. Source: Fader and Hardie 2013.';

-- Predictions for raw numbers, in the model's unit; for a history and dates; for a new customer. BG/BB counts
-- opportunities: t_cal is the number n there were, t the number to come.

CREATE FUNCTION p_alive(model clv_model, x float8, t_x float8, t_cal float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_p_alive' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION p_alive(clv_model, float8, float8, float8) IS 'probability that a customer with x repeat purchases, the last at t_x, is still alive at t_cal; of BG/BB, at the opportunity after the n = t_cal there were, as the papers print it. BG/NBD gives 1 to everyone without a repeat purchase (x = 0): rank customers by churn_risk() instead. Error 22023 for arguments that cannot be true. Source: the paper of the model, see its fit.';

CREATE FUNCTION p_alive(model clv_model, history purchase_history, as_of date) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_p_alive_history' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION p_alive(model clv_model, history purchase_history, as_of timestamptz) RETURNS float8
    LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 10
    RETURN p_alive(model, history, as_of::date);
COMMENT ON FUNCTION p_alive(clv_model, purchase_history, date) IS 'probability that the customer is alive on as_of (of BG/BB, at the next opportunity); NULL before the first purchase. BG/NBD gives 1 to everyone without a repeat purchase: rank by churn_risk(). Error 22023 for arguments that cannot be true and for a model without time unit. Source: the paper of the model, see its fit.';
COMMENT ON FUNCTION p_alive(clv_model, purchase_history, timestamptz) IS 'p_alive() with the days of timestamps in the session''s time zone';

CREATE FUNCTION p_alive(model clv_model, history purchase_history, as_of date, until date) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_p_alive_history' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 30;
CREATE FUNCTION p_alive(model clv_model, history purchase_history, as_of timestamptz, until timestamptz) RETURNS float8
    LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 30
    RETURN p_alive(model, history, as_of::date, until::date);
COMMENT ON FUNCTION p_alive(clv_model, purchase_history, date, date) IS 'probability that the customer is still alive on until (of BG/BB, at the next opportunity from there), seen from as_of; NULL before the first purchase. Error 22023 for arguments that cannot be true and for a model without time unit. Source: the paper of the model, see its fit.';
COMMENT ON FUNCTION p_alive(clv_model, purchase_history, timestamptz, timestamptz) IS 'p_alive() with the days of timestamps in the session''s time zone';

CREATE FUNCTION expected_purchases(model clv_model, x float8, t_x float8, t_cal float8, t float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_expected_purchases' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 30;
COMMENT ON FUNCTION expected_purchases(clv_model, float8, float8, float8, float8) IS 'expected number of purchases in (t_cal, t_cal + t] of a customer with x repeat purchases, the last at t_x; all times in the model''s unit. Error 22023 for arguments that cannot be true, 22003 where the value is infinite. Source: the paper of the model, see its fit.';

CREATE FUNCTION expected_purchases(model clv_model, history purchase_history, as_of date, until date) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_expected_purchases_history' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 35;
CREATE FUNCTION expected_purchases(model clv_model, history purchase_history, as_of timestamptz, until timestamptz) RETURNS float8
    LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 35
    RETURN expected_purchases(model, history, as_of::date, until::date);
COMMENT ON FUNCTION expected_purchases(clv_model, purchase_history, date, date) IS 'expected number of purchases in (as_of, until]; of BG/BB, over the opportunities of the customer that end in it. NULL before the first purchase. Error 22023 where until lies before as_of or the model has no time unit, 22003 where the value is infinite. Source: the paper of the model, see its fit.';
COMMENT ON FUNCTION expected_purchases(clv_model, purchase_history, timestamptz, timestamptz) IS 'expected_purchases() with the days of timestamps in the session''s time zone';

CREATE FUNCTION expected_purchases(model clv_model, t float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_expected_purchases_new' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 30;
COMMENT ON FUNCTION expected_purchases(clv_model, float8) IS 'expected number of repeat purchases of a new customer within time t (in the model''s unit) of the first purchase, which is not counted. Error 22023 for arguments that cannot be true, 22003 where the value is infinite. Source: the paper of the model, see its fit.';

CREATE FUNCTION purchase_probability(model clv_model, n integer, t float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_purchase_probability' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION purchase_probability(clv_model, integer, float8) IS 'probability that a new customer makes exactly n repeat purchases within time t (in the model''s unit) of the first purchase. Error 22023 for arguments that cannot be true. Source: the paper of the model, see its fit.';

CREATE FUNCTION purchase_probability(model clv_model, x float8, t_x float8, t_cal float8, n integer, t float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_purchase_probability_given' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION purchase_probability(clv_model, float8, float8, float8, integer, float8) IS 'probability that a customer with x repeat purchases, the last at t_x, makes exactly n more in (t_cal, t_cal + t]; all times in the model''s unit. Error 22023 for arguments that cannot be true. Source: the paper of the model, see its fit.';

CREATE FUNCTION purchase_probability(model clv_model, history purchase_history, as_of date, n integer, until date) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_purchase_probability_history' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 60;
CREATE FUNCTION purchase_probability(model clv_model, history purchase_history, as_of timestamptz, n integer, until timestamptz) RETURNS float8
    LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 60
    RETURN purchase_probability(model, history, as_of::date, n, until::date);
COMMENT ON FUNCTION purchase_probability(clv_model, purchase_history, date, integer, date) IS 'probability of exactly n purchases in (as_of, until]; NULL before the first purchase. Error 22023 for arguments that cannot be true and for a model without time unit. Source: the paper of the model, see its fit.';
COMMENT ON FUNCTION purchase_probability(clv_model, purchase_history, timestamptz, integer, timestamptz) IS 'purchase_probability() with the days of timestamps in the session''s time zone';

CREATE FUNCTION churn_risk(model clv_model, x float8, t_x float8, t_cal float8, t float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_churn_risk' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 8;
COMMENT ON FUNCTION churn_risk(clv_model, float8, float8, float8, float8) IS 'probability of no purchase in (t_cal, t_cal + t]: of silence in that time, which is not the same as having left. All times in the model''s unit. Error 22023 for arguments that cannot be true. Source: the paper of the model, see its fit.';

CREATE FUNCTION churn_risk(model clv_model, history purchase_history, as_of date, until date) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_churn_risk_history' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 12;
CREATE FUNCTION churn_risk(model clv_model, history purchase_history, as_of timestamptz, until timestamptz) RETURNS float8
    LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 12
    RETURN churn_risk(model, history, as_of::date, until::date);
COMMENT ON FUNCTION churn_risk(clv_model, purchase_history, date, date) IS 'probability of no purchase in (as_of, until]: of silence in that time, which is not the same as having left; NULL before the first purchase. Error 22023 for arguments that cannot be true and for a model without time unit. Source: the paper of the model, see its fit.';
COMMENT ON FUNCTION churn_risk(clv_model, purchase_history, timestamptz, timestamptz) IS 'churn_risk() with the days of timestamps in the session''s time zone';

CREATE FUNCTION discounted_purchases(model clv_model, x float8, t_x float8, t_cal float8, continuous_rate_per_unit float8, t float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_discounted_purchases' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
CREATE FUNCTION discounted_purchases(model clv_model, x float8, t_x float8, t_cal float8, continuous_rate_per_unit float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_discounted_purchases' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION discounted_purchases(clv_model, float8, float8, float8, float8, float8) IS 'expected purchases in (t_cal, t_cal + t], each discounted continuously to t_cal (of BG/BB, the next opportunity by one unit); t may be infinity. The rate is ln(1 + annual rate) per year, in the model''s unit. Error 22023 for arguments that cannot be true, 22003 where the value is infinite. Source: Fader, Hardie and Lee 2005.';
COMMENT ON FUNCTION discounted_purchases(clv_model, float8, float8, float8, float8) IS 'discounted expected residual transactions (DERT): discounted_purchases() without end. Error 22023 for arguments that cannot be true, 22003 where the value is infinite. Source: Fader, Hardie and Lee 2005.';

-- Models of renewals.

CREATE FUNCTION survival(model clv_model, t float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_survival' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION survival(clv_model, float8) IS 'probability that a new customer of a model of renewals is still one after t = 0, 1, ... renewals. Error 22023 where t is no such number, or the model one of purchases. Source: Fader and Hardie 2007.';

CREATE FUNCTION retention_rate(model clv_model, t float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_retention_rate' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION retention_rate(clv_model, float8) IS 'share of the customers of t - 1 renewals who renew for the time t = 1, 2, ...: survival(t) / survival(t - 1), which rises with t in the sBG model, as those likely to leave have left; in the BdW model with c > 1 it may fall. Error 22023 where t is no such number, or the model one of purchases. Source: Fader and Hardie 2007.';

CREATE FUNCTION churn_risk(model clv_model, tenure float8, periods float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_churn_risk_renewal' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION churn_risk(clv_model, float8, float8) IS 'probability that a customer after tenure = 0, 1, ... renewals leaves within the next periods renewals: 1 - survival(tenure + periods) / survival(tenure). Error 22023 where an argument is no whole number of 0 or more, or the model one of purchases. Source: Fader and Hardie 2007.';

CREATE FUNCTION expected_lifetime(model clv_model, discount_rate float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_expected_lifetime' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION expected_lifetime(model clv_model, discount_rate float8, tenure float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_expected_lifetime' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION expected_lifetime(clv_model, float8) IS 'expected number of payments of a new customer of a model of renewals, the first one now and certain, each discounted by 1 + discount_rate a period (a fraction: 0.10 is 10 percent; 0 for none). Error 22003 where it is infinite, which undiscounted it may be; 22023 for a rate that cannot be true. Source: Fader and Hardie 2010.';
COMMENT ON FUNCTION expected_lifetime(clv_model, float8, float8) IS 'expected number of payments to come of a customer who has paid for tenure = 1, 2, ... periods, just before the next renewal, which is now and not certain, each discounted by 1 + discount_rate a period; tenure 0 is a new customer. Error 22003 where it is infinite, 22023 for arguments that cannot be true. Source: Fader and Hardie 2010.';

-- Spend and value.

CREATE FUNCTION expected_spend(spend_model clv_model, x float8, monetary_value float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_expected_spend' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION expected_spend(clv_model, float8, float8) IS 'expected amount per purchase of a customer with x repeat purchases of mean monetary_value: a weighted mean of that and the population mean. x = 0: the population mean, monetary_value may be NULL. NULL with a WARNING where the population has no mean (q <= 1), error 22003 where the amount is out of range. Source: Fader and Hardie 2013.';

CREATE FUNCTION expected_spend(spend_model clv_model, history purchase_history, as_of date) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_expected_spend_history' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION expected_spend(spend_model clv_model, history purchase_history, as_of timestamptz) RETURNS float8
    LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 10
    RETURN expected_spend(spend_model, history, as_of::date);
COMMENT ON FUNCTION expected_spend(clv_model, purchase_history, date) IS 'expected amount per purchase of the customer as known on as_of; the population mean without a repeat purchase, NULL before the first purchase. Error 22023 for arguments that cannot be true. Source: Fader and Hardie 2013.';
COMMENT ON FUNCTION expected_spend(clv_model, purchase_history, timestamptz) IS 'expected_spend() with the days of timestamps in the session''s time zone';

CREATE FUNCTION clv(model clv_model, spend_model clv_model, history purchase_history, as_of date, until date, annual_discount_rate float8, margin float8 DEFAULT 1, service_cost_per_purchase float8 DEFAULT 0) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_residual_value' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION clv(model clv_model, spend_model clv_model, history purchase_history, as_of timestamptz, until timestamptz, annual_discount_rate float8, margin float8 DEFAULT 1, service_cost_per_purchase float8 DEFAULT 0) RETURNS float8
    LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 100
    RETURN clv(model, spend_model, history, as_of::date, until::date, annual_discount_rate, margin, service_cost_per_purchase);
COMMENT ON FUNCTION clv(clv_model, clv_model, purchase_history, date, date, float8, float8, float8) IS 'residual lifetime value: (margin x expected spend - service cost per purchase) x expected purchases in (as_of, until], each discounted continuously to as_of by ln(1 + annual_discount_rate) / 365 a day (of BG/BB, opportunity by opportunity). model is any of purchases; until may be infinity. Without a repeat purchase the population''s mean spend is expected; NULL before the first purchase. Error 22023 for arguments that cannot be true, 22003 where the value is infinite. Source: Fader, Hardie and Lee 2005; Fader and Hardie 2013.';
COMMENT ON FUNCTION clv(clv_model, clv_model, purchase_history, timestamptz, timestamptz, float8, float8, float8) IS 'clv() with the days of timestamps in the session''s time zone';

CREATE FUNCTION clv_new_customer(model clv_model, spend_model clv_model, days float8, annual_discount_rate float8, margin float8 DEFAULT 1, service_cost_per_purchase float8 DEFAULT 0) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_new_customer_value' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_new_customer(clv_model, clv_model, float8, float8, float8, float8) IS 'lifetime value of a customer about to make the first purchase, that purchase included: (margin x population mean spend - service cost per purchase) x (1 + expected discounted repeat purchases within so many days); days may be infinity. NULL with a WARNING where the population has no mean spend. Error 22023 for arguments that cannot be true, 22003 where the value is infinite. Source: Fader, Hardie and Lee 2005.';

-- What comes next of one customer, and why. The forms for timestamptz of the two that return rows are not strict, so that
-- the planner can put the forms for a date in their place.

CREATE FUNCTION next_purchase(model clv_model, history purchase_history, as_of date, until date) RETURNS date
    AS 'MODULE_PATHNAME', 'clv_next_purchase' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 300;
CREATE FUNCTION next_purchase(model clv_model, history purchase_history, as_of timestamptz, until timestamptz) RETURNS date
    LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 300
    RETURN next_purchase(model, history, as_of::date, until::date);
COMMENT ON FUNCTION next_purchase(clv_model, purchase_history, date, date) IS 'the day by which the customer has bought with probability one half, given that he buys in (as_of, until]: the first day d with 1 - churn_risk(model, history, as_of, d) >= (1 - churn_risk(model, history, as_of, until)) / 2. How likely it is that he buys at all, 1 - churn_risk() says. until may be infinity; of BG/BB, d is the day at which an opportunity of the customer ends. NULL before the first purchase, where a purchase is less likely than 1e-9, and where d would lie behind the year 9999. Error 22023 where until lies before as_of or the model has no time unit.';
COMMENT ON FUNCTION next_purchase(clv_model, purchase_history, timestamptz, timestamptz) IS 'next_purchase() with the days of timestamps in the session''s time zone';

CREATE FUNCTION customer_forecast(model clv_model, spend_model clv_model, history purchase_history, as_of date, days float8 DEFAULT 365)
    RETURNS TABLE (historic_value numeric, predicted_value float8, total_value float8, predicted_orders float8, average_order_value float8,
                   average_days_between_orders float8, next_order date, churn_risk float8)
    AS 'MODULE_PATHNAME', 'clv_customer_forecast'
    LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 400 ROWS 1;
CREATE FUNCTION customer_forecast(model clv_model, spend_model clv_model, history purchase_history, as_of timestamptz, days float8 DEFAULT 365)
    RETURNS TABLE (historic_value numeric, predicted_value float8, total_value float8, predicted_orders float8, average_order_value float8,
                   average_days_between_orders float8, next_order date, churn_risk float8)
    LANGUAGE SQL STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 400 ROWS 1
BEGIN ATOMIC
    SELECT f.historic_value, f.predicted_value, f.total_value, f.predicted_orders, f.average_order_value,
           f.average_days_between_orders, f.next_order, f.churn_risk
    FROM customer_forecast(model, spend_model, history, as_of::date, days) AS f;
END;
COMMENT ON FUNCTION customer_forecast(clv_model, clv_model, purchase_history, date, float8) IS 'what CRM products show of a customer, in one row. Up to as_of: historic_value, the sum of all nets (total_spend); average_order_value (average_purchase); average_days_between_orders, from the first to the last purchase, by the repeat purchases, NULL without one. In the given number of days after as_of: predicted_orders (expected_purchases); predicted_value, these times expected_spend: revenue, not discounted; next_order (next_purchase), the day by which the customer has ordered with probability one half if he orders at all, NULL where that is less likely than 1e-9; churn_risk, the probability of no order. total_value is historic_value + predicted_value; both are NULL with a WARNING where the population has no mean spend. Always one row, so that a lateral join keeps every customer: all NULL before the first purchase or if an argument is NULL. Error 22023 for days that are not a whole number from 1 on or lead beyond the year 9999, a history without amounts, a model without time unit.';
COMMENT ON FUNCTION customer_forecast(clv_model, clv_model, purchase_history, timestamptz, float8) IS 'customer_forecast() with the day of a timestamp in the session''s time zone';

CREATE FUNCTION clv_explain(model clv_model, spend_model clv_model, history purchase_history, as_of date, until date, annual_discount_rate float8, margin float8 DEFAULT 1, service_cost_per_purchase float8 DEFAULT 0)
    RETURNS TABLE (step integer, quantity text, value float8, note text)
    AS 'MODULE_PATHNAME', 'clv_explain' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 250 ROWS 15;
CREATE FUNCTION clv_explain(model clv_model, spend_model clv_model, history purchase_history, as_of timestamptz, until timestamptz, annual_discount_rate float8, margin float8 DEFAULT 1, service_cost_per_purchase float8 DEFAULT 0)
    RETURNS TABLE (step integer, quantity text, value float8, note text)
    LANGUAGE SQL STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 250 ROWS 15
BEGIN ATOMIC
    SELECT e.step, e.quantity, e.value, e.note
    FROM clv_explain(model, spend_model, history, as_of::date, until::date, annual_discount_rate, margin, service_cost_per_purchase) AS e;
END;
COMMENT ON FUNCTION clv_explain(clv_model, clv_model, purchase_history, date, date, float8, float8, float8) IS 'clv() of one customer step by step, always the same 15: 1 repeat purchases, 2 last purchase and 3 age (times in the model''s unit from the first purchase; of BG/BB opportunities), 4 P(alive), 5 expected purchases in (as_of, until], 6 own mean of the repeat purchases, 7 population mean, 8 weight of own mean, 9 expected spend = weight x own mean + (1 - weight) x population mean, 10 discount = discounted purchases / expected purchases, 11 discounted purchases, 12 margin, 13 service cost per purchase, 14 contribution of a purchase = margin x expected spend - service cost, 15 value = discounted purchases x contribution. note says where each comes from. value is NULL where there is none: own mean without a repeat purchase; expected purchases that are infinite, and their discount; whatever needs the mean of a population that has none (after a WARNING). No rows before the first purchase and for a NULL argument. Errors are those of clv().';
COMMENT ON FUNCTION clv_explain(clv_model, clv_model, purchase_history, timestamptz, timestamptz, float8, float8, float8) IS 'clv_explain() with the days of timestamps in the session''s time zone';

-- Intervals. They are about the parameters, but for that of a count, which is about the customer.

CREATE FUNCTION p_alive_ci(model clv_model, x float8, t_x float8, t_cal float8, conf float8 DEFAULT 0.95, OUT estimate float8, OUT std_error float8, OUT conf_low float8, OUT conf_high float8) RETURNS record
    AS 'MODULE_PATHNAME', 'clv_p_alive_ci' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION p_alive_ci(clv_model, float8, float8, float8, float8) IS 'p_alive() with its standard error and interval at confidence conf, by the delta method on the logit scale. It is the uncertainty of the parameters of the fit, not the spread of one customer''s outcome. The estimate alone for a model without a covariance. Error 22023 as p_alive(), and unless 0 < conf < 1.';

CREATE FUNCTION p_alive_ci(model clv_model, history purchase_history, as_of date, conf float8 DEFAULT 0.95, OUT estimate float8, OUT std_error float8, OUT conf_low float8, OUT conf_high float8) RETURNS record
    AS 'MODULE_PATHNAME', 'clv_p_alive_ci_history' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION p_alive_ci(model clv_model, history purchase_history, as_of timestamptz, conf float8 DEFAULT 0.95, OUT estimate float8, OUT std_error float8, OUT conf_low float8, OUT conf_high float8) RETURNS record
    LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 100
BEGIN ATOMIC
    SELECT r.estimate, r.std_error, r.conf_low, r.conf_high FROM p_alive_ci(model, history, as_of::date, conf) AS r;
END;
COMMENT ON FUNCTION p_alive_ci(clv_model, purchase_history, date, float8) IS 'p_alive() with its standard error and interval at confidence conf, by the delta method on the logit scale. It is the uncertainty of the parameters of the fit, not the spread of one customer''s outcome. The estimate alone for a model without a covariance. Error 22023 as p_alive(), and unless 0 < conf < 1. A row of NULLs before the first purchase.';
COMMENT ON FUNCTION p_alive_ci(clv_model, purchase_history, timestamptz, float8) IS 'p_alive_ci() with the days of timestamps in the session''s time zone';

CREATE FUNCTION expected_purchases_ci(model clv_model, x float8, t_x float8, t_cal float8, t float8, conf float8 DEFAULT 0.95, OUT estimate float8, OUT std_error float8, OUT conf_low float8, OUT conf_high float8) RETURNS record
    AS 'MODULE_PATHNAME', 'clv_expected_purchases_ci' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 600;
COMMENT ON FUNCTION expected_purchases_ci(clv_model, float8, float8, float8, float8, float8) IS 'expected_purchases() with its standard error and interval at confidence conf, by the delta method on the log scale. It is the uncertainty of the parameters of the fit, not the spread of one customer''s outcome. The estimate alone for a model without a covariance. Error 22023 as expected_purchases(), and unless 0 < conf < 1.';

CREATE FUNCTION expected_purchases_ci(model clv_model, history purchase_history, as_of date, until date, conf float8 DEFAULT 0.95, OUT estimate float8, OUT std_error float8, OUT conf_low float8, OUT conf_high float8) RETURNS record
    AS 'MODULE_PATHNAME', 'clv_expected_purchases_ci_history' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 600;
CREATE FUNCTION expected_purchases_ci(model clv_model, history purchase_history, as_of timestamptz, until timestamptz, conf float8 DEFAULT 0.95, OUT estimate float8, OUT std_error float8, OUT conf_low float8, OUT conf_high float8) RETURNS record
    LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 600
BEGIN ATOMIC
    SELECT r.estimate, r.std_error, r.conf_low, r.conf_high FROM expected_purchases_ci(model, history, as_of::date, until::date, conf) AS r;
END;
COMMENT ON FUNCTION expected_purchases_ci(clv_model, purchase_history, date, date, float8) IS 'expected_purchases() with its standard error and interval at confidence conf, by the delta method on the log scale. It is the uncertainty of the parameters of the fit, not the spread of one customer''s outcome. The estimate alone for a model without a covariance. Error 22023 as expected_purchases(), and unless 0 < conf < 1. A row of NULLs before the first purchase.';
COMMENT ON FUNCTION expected_purchases_ci(clv_model, purchase_history, timestamptz, timestamptz, float8) IS 'expected_purchases_ci() with the days of timestamps in the session''s time zone';

CREATE FUNCTION churn_risk_ci(model clv_model, x float8, t_x float8, t_cal float8, t float8, conf float8 DEFAULT 0.95, OUT estimate float8, OUT std_error float8, OUT conf_low float8, OUT conf_high float8) RETURNS record
    AS 'MODULE_PATHNAME', 'clv_churn_risk_ci' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION churn_risk_ci(clv_model, float8, float8, float8, float8, float8) IS 'churn_risk() with its standard error and interval at confidence conf, by the delta method on the logit scale. It is the uncertainty of the parameters of the fit, not the spread of one customer''s outcome. The estimate alone for a model without a covariance. Error 22023 as churn_risk(), and unless 0 < conf < 1.';

CREATE FUNCTION churn_risk_ci(model clv_model, history purchase_history, as_of date, until date, conf float8 DEFAULT 0.95, OUT estimate float8, OUT std_error float8, OUT conf_low float8, OUT conf_high float8) RETURNS record
    AS 'MODULE_PATHNAME', 'clv_churn_risk_ci_history' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
CREATE FUNCTION churn_risk_ci(model clv_model, history purchase_history, as_of timestamptz, until timestamptz, conf float8 DEFAULT 0.95, OUT estimate float8, OUT std_error float8, OUT conf_low float8, OUT conf_high float8) RETURNS record
    LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 200
BEGIN ATOMIC
    SELECT r.estimate, r.std_error, r.conf_low, r.conf_high FROM churn_risk_ci(model, history, as_of::date, until::date, conf) AS r;
END;
COMMENT ON FUNCTION churn_risk_ci(clv_model, purchase_history, date, date, float8) IS 'churn_risk() with its standard error and interval at confidence conf, by the delta method on the logit scale. It is the uncertainty of the parameters of the fit, not the spread of one customer''s outcome. The estimate alone for a model without a covariance. Error 22023 as churn_risk(), and unless 0 < conf < 1. A row of NULLs before the first purchase.';
COMMENT ON FUNCTION churn_risk_ci(clv_model, purchase_history, timestamptz, timestamptz, float8) IS 'churn_risk_ci() with the days of timestamps in the session''s time zone';

CREATE FUNCTION churn_risk_ci(model clv_model, tenure float8, periods float8, conf float8 DEFAULT 0.95, OUT estimate float8, OUT std_error float8, OUT conf_low float8, OUT conf_high float8) RETURNS record
    AS 'MODULE_PATHNAME', 'clv_churn_risk_ci_renewal' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION churn_risk_ci(clv_model, float8, float8, float8) IS 'churn_risk() of a model of renewals with its standard error and interval at confidence conf, by the delta method on the logit scale. It is the uncertainty of the parameters of the fit, not the spread of one customer''s outcome. The estimate alone for a model without a covariance. Error 22023 as churn_risk(), and unless 0 < conf < 1.';

CREATE FUNCTION clv_ci(model clv_model, spend_model clv_model, history purchase_history, as_of date, until date, annual_discount_rate float8, margin float8 DEFAULT 1, service_cost_per_purchase float8 DEFAULT 0, conf float8 DEFAULT 0.95, OUT estimate float8, OUT std_error float8, OUT conf_low float8, OUT conf_high float8) RETURNS record
    AS 'MODULE_PATHNAME', 'clv_residual_value_ci' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;
CREATE FUNCTION clv_ci(model clv_model, spend_model clv_model, history purchase_history, as_of timestamptz, until timestamptz, annual_discount_rate float8, margin float8 DEFAULT 1, service_cost_per_purchase float8 DEFAULT 0, conf float8 DEFAULT 0.95, OUT estimate float8, OUT std_error float8, OUT conf_low float8, OUT conf_high float8) RETURNS record
    LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 10000
BEGIN ATOMIC
    SELECT r.estimate, r.std_error, r.conf_low, r.conf_high FROM clv_ci(model, spend_model, history, as_of::date, until::date, annual_discount_rate, margin, service_cost_per_purchase, conf) AS r;
END;
COMMENT ON FUNCTION clv_ci(clv_model, clv_model, purchase_history, date, date, float8, float8, float8, float8) IS 'clv() with its standard error and interval at confidence conf, by the delta method on the log scale over the parameters of both models. It is the uncertainty of the parameters of the fits, not the spread of one customer''s outcome. The estimate alone where either model has no covariance; a row of NULLs before the first purchase. Error 22023 as clv(), and unless 0 < conf < 1.';
COMMENT ON FUNCTION clv_ci(clv_model, clv_model, purchase_history, timestamptz, timestamptz, float8, float8, float8, float8) IS 'clv_ci() with the days of timestamps in the session''s time zone';

CREATE FUNCTION purchase_count_interval(model clv_model, x float8, t_x float8, t_cal float8, t float8, conf float8 DEFAULT 0.95, OUT low integer, OUT high integer) RETURNS record
    AS 'MODULE_PATHNAME', 'clv_purchase_count_interval' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION purchase_count_interval(clv_model, float8, float8, float8, float8, float8) IS 'the smallest interval of numbers of purchases in (t_cal, t_cal + t] with at most (1 - conf) / 2 of the probability on either side: what one customer may do if the model is right. As counts are whole, it holds with conf or more. Error 22023 for arguments that cannot be true, unless 0 < conf < 1 and for a horizon without end; 22003 beyond 10 million purchases.';

CREATE FUNCTION purchase_count_interval(model clv_model, history purchase_history, as_of date, until date, conf float8 DEFAULT 0.95, OUT low integer, OUT high integer) RETURNS record
    AS 'MODULE_PATHNAME', 'clv_purchase_count_interval_history' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
CREATE FUNCTION purchase_count_interval(model clv_model, history purchase_history, as_of timestamptz, until timestamptz, conf float8 DEFAULT 0.95, OUT low integer, OUT high integer) RETURNS record
    LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 500
BEGIN ATOMIC
    SELECT r.low, r.high FROM purchase_count_interval(model, history, as_of::date, until::date, conf) AS r;
END;
COMMENT ON FUNCTION purchase_count_interval(clv_model, purchase_history, date, date, float8) IS 'the smallest interval of numbers of purchases in (as_of, until] with at most (1 - conf) / 2 of the probability on either side: what one customer may do if the model is right. As counts are whole, it holds with conf or more. A row of NULLs before the first purchase. Error 22023 for arguments that cannot be true, unless 0 < conf < 1 and for a horizon without end; 22003 beyond 10 million purchases.';
COMMENT ON FUNCTION purchase_count_interval(clv_model, purchase_history, timestamptz, timestamptz, float8) IS 'purchase_count_interval() with the days of timestamps in the session''s time zone';

-- Covariates, cohorts, choosing, simulating.

CREATE FUNCTION with_covariates(model clv_model, covariates float8[]) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_with_covariates' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION with_covariates(clv_model, float8[]) IS 'the model of a customer with these covariates, in the order of the fit: their effects are in its parameters, and their uncertainty in its covariance, so that every prediction and interval takes it. It knows nothing more of the fit. NULL where one of them is. Error 22023 for another number of covariates than the model''s and values that are not finite, 22003 where a parameter leaves the range of numbers. Source: Fader and Hardie 2007.';

CREATE FUNCTION lr_test(restricted clv_model, larger clv_model, OUT statistic float8, OUT df integer, OUT p_value float8) RETURNS record
    AS 'MODULE_PATHNAME', 'clv_lr_test' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION lr_test(clv_model, clv_model) IS 'likelihood-ratio test of a model against a larger one of the same customers that contains it: the same kind with covariates (of which the smaller one has fewer, and none of its own), or a kind of which the first is a special case, such as sbg in bdw. p_value is the chance of a statistic as large if the restricted model is true (chi-square of df degrees of freedom). Error 22023 where the models are not nested (compare AIC instead), did not converge, were drawn towards a prior, or differ in customers, unit or as_of.';

CREATE FUNCTION lr_test(pooled clv_model, cohorts clv_model[], OUT statistic float8, OUT df integer, OUT p_value float8) RETURNS record
    AS 'MODULE_PATHNAME', 'clv_lr_test_cohorts' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION lr_test(clv_model, clv_model[]) IS 'likelihood-ratio test of one model of all customers against a model for each cohort. p_value is the chance of a statistic as large if the cohorts do not differ. Error 22023 unless the cohorts together are the customers of the pooled model, all converged, of one kind, unit and as_of; for a NULL among them; for models that were drawn towards a prior.';

CREATE FUNCTION compare_models(sample clv_sample)
    RETURNS TABLE (kind text, parameters integer, log_likelihood float8, aic float8, delta_aic float8, aic_weight float8, converged boolean, model clv_model)
    AS 'MODULE_PATHNAME', 'clv_compare_models' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000000 ROWS 5;
COMMENT ON FUNCTION compare_models(clv_sample) IS 'every model that is fitted to such a sample, the best AIC first: with the same rows, log-likelihoods compare. delta_aic is the distance to the best, aic_weight its share of exp(-delta_aic / 2) over the models that converged; the others come last, without AIC. What cannot be fitted has NULLs, after its WARNING. Models that need the times between purchases are left out where the sample does not know them, those without covariates where it has some. Error 22023 for a sample of rows that no model is fitted to. Source: Burnham and Anderson 2002.';

CREATE FUNCTION spend_frequency_correlation(sample clv_sample, conf float8 DEFAULT 0.95, OUT correlation float8, OUT conf_low float8, OUT conf_high float8, OUT n bigint) RETURNS record
    AS 'MODULE_PATHNAME', 'clv_spend_frequency_correlation' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION spend_frequency_correlation(clv_sample, float8) IS 'Pearson''s correlation of x and monetary_value over the customers of a spend sample, with Fisher''s interval at confidence conf: the gamma-gamma model takes it to be 0. NULL where one of them is the same for all customers, the interval also for fewer than 4. Error 22023 for a sample of other rows, and unless 0 < conf < 1.';

CREATE FUNCTION cohort_prior(models clv_model[], pooled clv_model) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_cohort_prior' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION cohort_prior(clv_model[], clv_model) IS 'how the parameters of cohorts vary, for shrink() and shrunk_fit(): a prior, which is no model of customers, around the parameters of the pooled model, with the covariance between cohorts of their logarithms (effects of covariates as they are) by the method of DerSimonian and Laird. Models that are NULL, did not converge, have no invertible covariance or another number of phases than the pooled one are left out; glance(prior).n counts the others. NULL with a WARNING for fewer than 3. Error 22023 for models of different kinds or units, or already drawn towards a prior. Source: Jackson, White and Riley 2013.';

CREATE FUNCTION shrink(model clv_model, prior clv_model) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_shrink' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION shrink(clv_model, clv_model) IS 'the model of a cohort drawn towards the pooled one, the more the less its data say, parameters and covariance being those of the posterior. glance(model).own_weight is the weight of its own data; n, log-likelihood and gradient_norm stay those of the cohort''s own fit. Error 22023 where the model has no covariance (see shrunk_fit()), or prior is none of its kind and unit. Source: DerSimonian and Laird 1986.';

CREATE FUNCTION shrunk_fit(sample clv_sample, prior clv_model) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_shrunk_fit' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000000;
COMMENT ON FUNCTION shrunk_fit(clv_sample, clv_model) IS 'the model of a cohort, of the kind of the prior, by the maximum of log-likelihood + log density of the prior: defined also where the cohort cannot be fitted alone. glance(model).own_weight is the weight of its own data. converged = false with a WARNING where no maximum was reached, NULL with a WARNING for an empty sample. Error 22023 where prior is none, or of other rows, covariates or unit than the sample.';

CREATE FUNCTION simulate_purchases(model clv_model, customers integer, days integer, seed bigint, spend_model clv_model DEFAULT NULL)
    RETURNS TABLE (customer integer, day integer, amount float8)
    AS 'MODULE_PATHNAME', 'clv_simulate_purchases' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10000 ROWS 10000;
COMMENT ON FUNCTION simulate_purchases(clv_model, integer, integer, bigint, clv_model) IS 'customers 1, 2, ... drawn from a model, one row for each day with a purchase: day 0 is that of the first purchase, one within (day - 1, day] after it falls on day, up to days. A unit of the model has its length in days (1 without a unit); an opportunity or renewal i lies on day ceil(i x unit). amount is the sum of the day, drawn from spend_model, NULL without one. The same for a seed wherever the C library computes logarithms alike; a customer does not depend on how many there are, nor on spend_model. No rows where one of the first four arguments is NULL. Error 22023 for negative numbers and models with effects of covariates (see with_covariates()), 22003 for amounts out of range.';

-- ---- validation: models beside what happened -----------------------------------------------------------------------

-- Transition functions: not for direct use. NULL arguments leave the state as it is.
CREATE FUNCTION clv_validation_add_holdout(clv_sample, purchase_history, date, date) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_validation_add_holdout' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 12;
CREATE FUNCTION clv_validation_add_holdout(clv_sample, purchase_history, timestamptz, timestamptz) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_validation_add_holdout_tz' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 12;
CREATE FUNCTION clv_validation_add_holdout(clv_sample, purchase_history, date, date, text) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_validation_add_holdout_unit' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 12;
CREATE FUNCTION clv_validation_add_holdout(clv_sample, purchase_history, timestamptz, timestamptz, text) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_validation_add_holdout_unit_tz' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 12;
CREATE FUNCTION clv_validation_add_calendar(clv_sample, purchase_history) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_validation_add_calendar' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 12;

COMMENT ON FUNCTION clv_validation_add_holdout(clv_sample, purchase_history, date, date) IS 'transition: count one customer as (x, t_x, t_cal, monetary_value, purchases, spend) in days';
COMMENT ON FUNCTION clv_validation_add_holdout(clv_sample, purchase_history, timestamptz, timestamptz) IS 'transition: count one customer as (x, t_x, t_cal, monetary_value, purchases, spend) in days';
COMMENT ON FUNCTION clv_validation_add_holdout(clv_sample, purchase_history, date, date, text) IS 'transition: count one customer as (x, t_x, t_cal, monetary_value, purchases, spend) in a unit';
COMMENT ON FUNCTION clv_validation_add_holdout(clv_sample, purchase_history, timestamptz, timestamptz, text) IS 'transition: count one customer as (x, t_x, t_cal, monetary_value, purchases, spend) in a unit';
COMMENT ON FUNCTION clv_validation_add_calendar(clv_sample, purchase_history) IS 'transition: count the purchases of one customer as (day, repeat)';

CREATE AGGREGATE holdout_sample(history purchase_history, calibration date, until date) (
    SFUNC = clv_validation_add_holdout, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE holdout_sample(purchase_history, date, date) IS 'what was known of customers at the calibration date, and what they did in (calibration, until]: rows (x, t_x, t_cal, monetary_value, purchases, spend) with counts, times in days, for backtest() and backtest_classes(). spend is the net amount, refunds included; monetary_value is 0 without a repeat purchase, both are 0 without amounts. Rows with a NULL are skipped, as are customers without a purchase by calibration (counted as n_skipped). Error 22023 where until is not after calibration.';

CREATE AGGREGATE holdout_sample(history purchase_history, calibration timestamptz, until timestamptz) (
    SFUNC = clv_validation_add_holdout, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE holdout_sample(purchase_history, timestamptz, timestamptz) IS 'holdout_sample() in days, with the days of timestamps in the session''s time zone';

CREATE AGGREGATE holdout_sample(history purchase_history, calibration date, until date, unit text) (
    SFUNC = clv_validation_add_holdout, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE holdout_sample(purchase_history, date, date, text) IS 'what was known of customers at the calibration date, and what they did in (calibration, until]: rows (x, t_x, t_cal, monetary_value, purchases, spend) with counts, times in the unit day, week, month or year, for backtest() and backtest_classes(). spend is the net amount, refunds included; monetary_value is 0 without a repeat purchase, both are 0 without amounts. Rows with a NULL are skipped, as are customers without a purchase by calibration (counted as n_skipped). Error 22023 where until is not after calibration.';

CREATE AGGREGATE holdout_sample(history purchase_history, calibration timestamptz, until timestamptz, unit text) (
    SFUNC = clv_validation_add_holdout, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE holdout_sample(purchase_history, timestamptz, timestamptz, text) IS 'holdout_sample() in the unit day, week, month or year, with the days of timestamps in the session''s time zone';

CREATE AGGREGATE calendar_sample(history purchase_history) (
    SFUNC = clv_validation_add_calendar, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE calendar_sample(purchase_history) IS 'how many purchases there were on which day: rows (day, repeat) with counts, day as days since 2000-01-01, repeat 0 for the first purchase of a customer and 1 for later ones; for tracking(). NULLs are skipped, as are customers without a purchase (counted as n_skipped).';

CREATE FUNCTION backtest(sample clv_sample, kind text DEFAULT 'pareto_nbd',
        OUT kind text, OUT customers bigint, OUT actual_purchases bigint, OUT predicted_purchases float8,
        OUT actual_spend float8, OUT predicted_spend float8, OUT mae float8, OUT rmse float8, OUT bias float8,
        OUT spend_mae float8, OUT spend_rmse float8, OUT spend_bias float8,
        OUT top_decile_share float8, OUT top_decile_possible float8, OUT converged boolean)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'clv_validation_backtest_kind' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000000 ROWS 1;
COMMENT ON FUNCTION backtest(clv_sample, text) IS 'fits a model of the kind (as glance() names it), and the gamma-gamma spend model where there are amounts, to what a holdout_sample() knows at its calibration date, and compares their predictions with the holdout: one row per model and holdout: kind, customers, actual and predicted purchases and spend in the holdout, mean absolute error, root mean square error and bias (predicted less actual) per customer of purchases and of spend, the share of the actual value caught by the tenth of customers with the highest predicted value, the largest share any ranking could catch, and whether the fits converged. Value is spend where spend is predicted, else purchases; customers of equal prediction at the boundary count in part. Predictions are NULL with a WARNING where the data cannot determine a model, spend also where the spend model has no population mean, and without amounts. Error 22023 for another sample or an unknown kind.';

CREATE FUNCTION backtest(sample clv_sample, model clv_model, spend_model clv_model DEFAULT NULL,
        OUT kind text, OUT customers bigint, OUT actual_purchases bigint, OUT predicted_purchases float8,
        OUT actual_spend float8, OUT predicted_spend float8, OUT mae float8, OUT rmse float8, OUT bias float8,
        OUT spend_mae float8, OUT spend_rmse float8, OUT spend_bias float8,
        OUT top_decile_share float8, OUT top_decile_possible float8, OUT converged boolean)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'clv_validation_backtest_models' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100000 ROWS 1;
COMMENT ON FUNCTION backtest(clv_sample, clv_model, clv_model) IS 'compares the predictions of given models with the holdout of a holdout_sample(): one row per model and holdout: kind, customers, actual and predicted purchases and spend in the holdout, mean absolute error, root mean square error and bias (predicted less actual) per customer of purchases and of spend, the share of the actual value caught by the tenth of customers with the highest predicted value, the largest share any ranking could catch, and whether the fits converged. Value is spend where spend is predicted, else purchases; customers of equal prediction at the boundary count in part. converged is NULL for typed-in models. Without a spend model (NULL) no spend is predicted; no row where the sample or the model is NULL. Units are converted. WARNING where a model was fitted to data after the calibration date, error 22023 for another sample, another model, or a model without a time unit.';

CREATE FUNCTION backtest_classes(sample clv_sample, kind text DEFAULT 'pareto_nbd',
        OUT class text, OUT customers bigint, OUT actual_purchases bigint, OUT predicted_purchases float8,
        OUT actual_per_customer float8, OUT predicted_per_customer float8)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'clv_validation_classes_kind' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000000 ROWS 8;
CREATE FUNCTION backtest_classes(sample clv_sample, model clv_model,
        OUT class text, OUT customers bigint, OUT actual_purchases bigint, OUT predicted_purchases float8,
        OUT actual_per_customer float8, OUT predicted_per_customer float8)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'clv_validation_classes_model' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000 ROWS 8;
COMMENT ON FUNCTION backtest_classes(clv_sample, text) IS 'actual and predicted purchases in the holdout of a holdout_sample() for customers with 0, 1, ..., 6, 7+ repeat purchases at the calibration date, the model of the kind fitted to what was known then. Means are NULL in a class of nobody; no row, with a WARNING, where the data cannot determine the model. Error 22023 for another sample or an unknown kind.';
COMMENT ON FUNCTION backtest_classes(clv_sample, clv_model) IS 'backtest_classes() of a given model. WARNING where it was fitted to data after the calibration date, error 22023 for another sample, another model, or a model without a time unit.';

CREATE FUNCTION tracking(sample clv_sample, model clv_model, step text DEFAULT 'week', until date DEFAULT NULL,
        OUT period_start date, OUT period_end date, OUT actual bigint, OUT expected float8,
        OUT actual_cumulative bigint, OUT expected_cumulative float8)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'clv_validation_tracking' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100000 ROWS 100;
CREATE FUNCTION tracking(sample clv_sample, model clv_model, step text, until timestamptz,
        OUT period_start date, OUT period_end date, OUT actual bigint, OUT expected float8,
        OUT actual_cumulative bigint, OUT expected_cumulative float8)
    RETURNS SETOF record
    LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100000 ROWS 100
    BEGIN ATOMIC
        SELECT * FROM tracking(sample, model, step, until::date);
    END;
COMMENT ON FUNCTION tracking(clv_sample, clv_model, text, date) IS 'repeat purchases per period beside those the model expects, from a calendar_sample(): one row per day, week (7 days from the first purchase of all), calendar month or calendar year, from the first day of the sample to until (NULL: to its last day), where the last period ends; both also added up from the beginning. Expected is the sum of E[X(age)] over the customers who have bought by then. No row where the sample, the model or step is NULL, or until lies before the first day. Error 22023 for another sample, another model, or a model without a time unit, 22003 where the expectation is out of range.';
COMMENT ON FUNCTION tracking(clv_sample, clv_model, text, timestamptz) IS 'tracking() with until as the day of a timestamp in the session''s time zone';

-- ---- validation: predictions of events -----------------------------------------------------------------------------

-- Transition functions: not for direct use. Rows with a NULL are counted as skipped.
CREATE FUNCTION clv_validation_add_prediction(clv_sample, float8, boolean) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_validation_add_prediction_boolean' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_validation_add_prediction(clv_sample, float8, float8) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_validation_add_prediction_float8' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_validation_auc_final(clv_sample) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_validation_auc_final' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
CREATE FUNCTION clv_validation_brier_score_final(clv_sample) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_validation_brier_score_final' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
CREATE FUNCTION clv_validation_log_loss_final(clv_sample) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_validation_log_loss_final' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION clv_validation_add_prediction(clv_sample, float8, boolean) IS 'transition: count one prediction and whether it came true';
COMMENT ON FUNCTION clv_validation_add_prediction(clv_sample, float8, float8) IS 'transition: count one prediction and whether it came true, 1 or 0';
COMMENT ON FUNCTION clv_validation_auc_final(clv_sample) IS 'final: the area under the ROC curve';
COMMENT ON FUNCTION clv_validation_brier_score_final(clv_sample) IS 'final: the Brier score';
COMMENT ON FUNCTION clv_validation_log_loss_final(clv_sample) IS 'final: the log loss';

CREATE AGGREGATE prediction_sample(predicted float8, happened boolean) (
    SFUNC = clv_validation_add_prediction, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
CREATE AGGREGATE prediction_sample(predicted float8, happened float8) (
    SFUNC = clv_validation_add_prediction, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE prediction_sample(float8, boolean) IS 'predicted probabilities of an event and whether it happened: rows (predicted, happened), 1 for true, with counts, for prediction_quality(), calibration_table() and lift_table(); merged by clv_sample(). Rows with a NULL are left out and counted as n_skipped. Error 22023: predicted outside 0 to 1, or NaN.';
COMMENT ON AGGREGATE prediction_sample(float8, float8) IS 'prediction_sample() with happened as 1 or 0. Error 22023: predicted outside 0 to 1, or NaN; happened another number.';

CREATE AGGREGATE auc(predicted float8, happened boolean) (
    SFUNC = clv_validation_add_prediction, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_validation_auc_final, PARALLEL = SAFE
);
CREATE AGGREGATE auc(predicted float8, happened float8) (
    SFUNC = clv_validation_add_prediction, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_validation_auc_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE auc(float8, boolean) IS 'area under the ROC curve: the probability that of a row in which it happened and another the former has the higher prediction, equal ones counting a half; 0.5 is chance. prediction_quality() adds the standard error. Rows with a NULL are skipped; NULL without rows, and after a WARNING where it happened in all or in none. Error 22023: predicted outside 0 to 1, or NaN.';
COMMENT ON AGGREGATE auc(float8, float8) IS 'auc() with happened as 1 or 0. Error 22023: predicted outside 0 to 1, or NaN; happened another number.';

CREATE AGGREGATE brier_score(predicted float8, happened boolean) (
    SFUNC = clv_validation_add_prediction, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_validation_brier_score_final, PARALLEL = SAFE
);
CREATE AGGREGATE brier_score(predicted float8, happened float8) (
    SFUNC = clv_validation_add_prediction, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_validation_brier_score_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE brier_score(float8, boolean) IS 'Brier score: the mean of (predicted - happened)^2, 0 to 1, less is better (G. W. Brier 1950). prediction_quality() adds the standard error and the parts. Rows with a NULL are skipped; NULL without rows. Error 22023: predicted outside 0 to 1, or NaN.';
COMMENT ON AGGREGATE brier_score(float8, float8) IS 'brier_score() with happened as 1 or 0. Error 22023: predicted outside 0 to 1, or NaN; happened another number.';

CREATE AGGREGATE log_loss(predicted float8, happened boolean) (
    SFUNC = clv_validation_add_prediction, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_validation_log_loss_final, PARALLEL = SAFE
);
CREATE AGGREGATE log_loss(predicted float8, happened float8) (
    SFUNC = clv_validation_add_prediction, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_validation_log_loss_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE log_loss(float8, boolean) IS 'log loss: the mean of -ln(probability predicted for what came), in nats, less is better; nothing is clamped. prediction_quality() adds the standard error. Rows with a NULL are skipped; NULL without rows, and after a WARNING that says how many where predictions of exactly 0 or 1 came otherwise, which would make it infinite. Error 22023: predicted outside 0 to 1, or NaN.';
COMMENT ON AGGREGATE log_loss(float8, float8) IS 'log_loss() with happened as 1 or 0. Error 22023: predicted outside 0 to 1, or NaN; happened another number.';

CREATE FUNCTION prediction_quality(sample clv_sample, bins integer DEFAULT 10, conf float8 DEFAULT 0.95)
    RETURNS TABLE (measure text, estimate float8, std_error float8, conf_low float8, conf_high float8, binning text)
    AS 'MODULE_PATHNAME', 'clv_validation_prediction_quality' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000 ROWS 17;
COMMENT ON FUNCTION prediction_quality(clv_sample, integer, float8) IS 'how good the predictions of a prediction_sample() are, one row per measure, always the same ones: n, events, mean_predicted, mean_happened (Wilson''s interval), brier, brier_skill (1 - brier / brier of the base rate), its parts reliability, resolution, uncertainty, within_bin_variance and within_bin_covariance (brier = reliability - resolution + uncertainty + within_bin_variance - within_bin_covariance: Murphy 1973; Stephenson, Coelho and Jolliffe 2008), log_loss, auc (DeLong''s standard error of 1988, interval on the logit scale), calibration_slope and calibration_intercept (logistic regression on the logit of the prediction, Cox 1958: 1 and 0 where calibrated), calibration_in_the_large (the intercept with slope 1: 0), expected_calibration_error. What depends on bins says in binning which: bins of equal count, in which equal predictions are never split, or distinct predictions where there are no more of them than bins. Errors take the rows to be independent. NULL where a measure has no standard error or interval, and, with a WARNING that says why, where the rows do not determine it; all but n and events are NULL for an empty sample, no row for NULL. Error 22023: another sample, bins outside 1 to 1000, conf outside 0 to 1.';

CREATE FUNCTION calibration_table(sample clv_sample, bins integer DEFAULT 10, conf float8 DEFAULT 0.95)
    RETURNS TABLE (bin integer, lowest float8, highest float8, n bigint, mean_predicted float8, happened_share float8, conf_low float8, conf_high float8, events bigint)
    AS 'MODULE_PATHNAME', 'clv_validation_calibration_table' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION calibration_table(clv_sample, integer, float8) IS 'mean prediction beside the share in which it happened, with Wilson''s interval, in bins of equal count from the lowest prediction to the highest. Equal predictions are never split: a bin is that of the middle of their ranks, so that there may be fewer bins than asked for; where there are no more distinct predictions than bins, each has its own. No row for an empty sample or NULL. Error 22023: another sample than prediction_sample(), bins outside 1 to 1000, conf outside 0 to 1.';

CREATE FUNCTION lift_table(sample clv_sample, bins integer DEFAULT 10)
    RETURNS TABLE (bin integer, n float8, events float8, share float8, lift float8, cumulative_n float8, cumulative_events float8, cumulative_capture float8, cumulative_lift float8)
    AS 'MODULE_PATHNAME', 'clv_validation_lift_table' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION lift_table(clv_sample, integer) IS 'what a ranking by prediction finds: bins of n / bins rows each, bin 1 with the highest predictions; events in it, their share, lift = share / share of all rows; the same of all bins up to this one, and cumulative_capture, the share of all events in them. n and events are fractions: rows of equal prediction at a boundary count in part, in equal parts, as in backtest(). Lift and capture are NULL, with a WARNING, where it never happened; no row for an empty sample or NULL. Error 22023: another sample than prediction_sample(), bins outside 1 to 1000.';

-- ---- rolling: scored interactions of a customer ---------------------------------------------------------------------

CREATE TYPE interaction_history;

CREATE FUNCTION interaction_history_in(cstring) RETURNS interaction_history
    AS 'MODULE_PATHNAME', 'clv_rolling_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION interaction_history_out(interaction_history) RETURNS cstring
    AS 'MODULE_PATHNAME', 'clv_rolling_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION interaction_history_recv(internal) RETURNS interaction_history
    AS 'MODULE_PATHNAME', 'clv_rolling_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION interaction_history_send(interaction_history) RETURNS bytea
    AS 'MODULE_PATHNAME', 'clv_rolling_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;

CREATE TYPE interaction_history (
    INPUT = interaction_history_in, OUTPUT = interaction_history_out,
    RECEIVE = interaction_history_recv, SEND = interaction_history_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended
);
COMMENT ON TYPE interaction_history IS
'One customer''s scored interactions, sorted by time and, where times are equal, by score: {2026-01-05T10:00:00Z=0.8,2026-01-07T09:30:00.25Z=1}, times in UTC; none {}. One that keeps only the latest six begins (latest=6){; what such a history cannot know any more is an error when it is asked for. 16 bytes each and 16 more. Built by the aggregate interaction_history().';

COMMENT ON FUNCTION interaction_history_in(cstring) IS
'Text input: the form that text output writes, interactions in ascending order; white space around tokens is skipped. Anything else is an error.';
COMMENT ON FUNCTION interaction_history_out(interaction_history) IS
'Text output: ISO 8601 times in UTC and shortest exact decimals, whatever the settings of the session.';
COMMENT ON FUNCTION interaction_history_recv(internal) IS
'Binary input; everything is checked, and anything that binary output would not write is an error.';
COMMENT ON FUNCTION interaction_history_send(interaction_history) IS
'Binary output: version, flags, how many of the latest are kept (0: all), number of interactions, then the microseconds since 2000-01-01 UTC and the score of each. Equal histories have equal bytes.';

-- building

-- Transition, combine and final functions: not for direct use. NULL arguments leave the state as it is.
CREATE FUNCTION clv_rolling_add(state interaction_history, at timestamptz, score float8) RETURNS interaction_history
    AS 'MODULE_PATHNAME', 'clv_rolling_add' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 2;
CREATE FUNCTION clv_rolling_add(state interaction_history, at timestamptz, score float8, keep integer) RETURNS interaction_history
    AS 'MODULE_PATHNAME', 'clv_rolling_add_keep' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 2;
CREATE FUNCTION clv_rolling_add(state interaction_history, value float8, at timestamptz) RETURNS interaction_history
    AS 'MODULE_PATHNAME', 'clv_rolling_add_score' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 2;
CREATE FUNCTION clv_rolling_add(state interaction_history, value float8, at timestamptz, n integer) RETURNS interaction_history
    AS 'MODULE_PATHNAME', 'clv_rolling_add_score_n' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 2;
CREATE FUNCTION clv_rolling_add(state interaction_history, flag boolean, at timestamptz) RETURNS interaction_history
    AS 'MODULE_PATHNAME', 'clv_rolling_add_flag' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 2;
CREATE FUNCTION clv_rolling_add(state interaction_history, flag boolean, at timestamptz, n integer) RETURNS interaction_history
    AS 'MODULE_PATHNAME', 'clv_rolling_add_flag_n' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 2;
CREATE FUNCTION clv_rolling_combine(state interaction_history, other interaction_history) RETURNS interaction_history
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_rolling_final(state interaction_history) RETURNS interaction_history
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION clv_rolling_final_mean(state interaction_history) RETURNS float8
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION clv_rolling_final_count(state interaction_history) RETURNS integer
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 2;

COMMENT ON FUNCTION clv_rolling_add(interaction_history, timestamptz, float8) IS 'transition: add one interaction to a history of all';
COMMENT ON FUNCTION clv_rolling_add(interaction_history, timestamptz, float8, integer) IS 'transition: add one interaction to a history of the latest';
COMMENT ON FUNCTION clv_rolling_add(interaction_history, float8, timestamptz) IS 'transition: add one score to the latest six';
COMMENT ON FUNCTION clv_rolling_add(interaction_history, float8, timestamptz, integer) IS 'transition: add one score to the latest n';
COMMENT ON FUNCTION clv_rolling_add(interaction_history, boolean, timestamptz) IS 'transition: add one flag, as 0 or 1, to the latest six';
COMMENT ON FUNCTION clv_rolling_add(interaction_history, boolean, timestamptz, integer) IS 'transition: add one flag, as 0 or 1, to the latest n';
COMMENT ON FUNCTION clv_rolling_combine(interaction_history, interaction_history) IS 'combine: the interactions of both states, or the latest of them; NULL where both are NULL';
COMMENT ON FUNCTION clv_rolling_final(interaction_history) IS 'final: the state in the form that is stored';
COMMENT ON FUNCTION clv_rolling_final_mean(interaction_history) IS 'final: the mean of the latest scores';
COMMENT ON FUNCTION clv_rolling_final_count(interaction_history) IS 'final: the number of the latest scores, 0 without a state';

CREATE AGGREGATE interaction_history(at timestamptz, score float8) (
    SFUNC = clv_rolling_add, STYPE = interaction_history, SSPACE = 128,
    COMBINEFUNC = clv_rolling_combine, FINALFUNC = clv_rolling_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE interaction_history(timestamptz, float8) IS
'A customer''s scored interactions from rows in any order. Rows with a NULL are skipped: only scored interactions count. NULL without rows. Error: times outside 0001-01-01 to 9999-12-31, NaN and infinite scores, more than 67 million interactions in one history.';

CREATE AGGREGATE interaction_history(at timestamptz, score float8, keep integer) (
    SFUNC = clv_rolling_add, STYPE = interaction_history, SSPACE = 144,
    COMBINEFUNC = clv_rolling_combine, FINALFUNC = clv_rolling_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE interaction_history(timestamptz, float8, integer) IS
'The latest keep (1 to 1000) scored interactions of a customer, from rows in any order: of those with equal times the ones with larger scores. Takes 16 + 16 keep bytes at most. Rows with a NULL are skipped: only scored interactions count. NULL without rows. Error: times outside 0001-01-01 to 9999-12-31, NaN and infinite scores; keep out of range, or not the same in all rows.';

CREATE AGGREGATE interaction_history(history interaction_history) (
    SFUNC = clv_rolling_combine, STYPE = interaction_history, SSPACE = 128,
    COMBINEFUNC = clv_rolling_combine, FINALFUNC = clv_rolling_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE interaction_history(interaction_history) IS
'The roll-up: the interactions of several histories as one, equal to the history of all their rows. NULLs are skipped; NULL without rows. Error: histories that keep different numbers of interactions mixed (an empty one that keeps all goes with every other).';

CREATE AGGREGATE rolling_mean(value float8, at timestamptz, n integer) (
    SFUNC = clv_rolling_add, STYPE = interaction_history, SSPACE = 144,
    COMBINEFUNC = clv_rolling_combine, FINALFUNC = clv_rolling_final_mean, PARALLEL = SAFE
);
COMMENT ON AGGREGATE rolling_mean(float8, timestamptz, integer) IS
'The mean of the latest n scored interactions, or of all where there are fewer. The latest are those with the largest (time, value), so ties in time are resolved by the value, and the result depends neither on the order of rows nor on how parts were merged. For GROUP BY and, with ORDER BY the time, for OVER. n is 1 to 1000, the same in all rows. Rows with a NULL are skipped; NULL without a scored interaction. Error: times outside 0001-01-01 to 9999-12-31, NaN and infinite scores, n out of range or changing.';

CREATE AGGREGATE rolling_count(value float8, at timestamptz, n integer) (
    SFUNC = clv_rolling_add, STYPE = interaction_history, SSPACE = 144,
    COMBINEFUNC = clv_rolling_combine, FINALFUNC = clv_rolling_final_count, PARALLEL = SAFE
);
COMMENT ON AGGREGATE rolling_count(float8, timestamptz, integer) IS
'How many scored interactions stand behind rolling_mean(value, at, n) and rolling_resolution(value, at, n): n, or all where there are fewer; 0 without one. Shares their state: both in one query cost one pass. n is 1 to 1000, the same in all rows. Rows with a NULL are skipped. Error: times outside 0001-01-01 to 9999-12-31, NaN and infinite scores, n out of range or changing.';

CREATE AGGREGATE rolling_count(flag boolean, at timestamptz, n integer) (
    SFUNC = clv_rolling_add, STYPE = interaction_history, SSPACE = 144,
    COMBINEFUNC = clv_rolling_combine, FINALFUNC = clv_rolling_final_count, PARALLEL = SAFE
);
COMMENT ON AGGREGATE rolling_count(boolean, timestamptz, integer) IS
'How many flags stand behind rolling_share(flag, at, n) and rolling_resolution(flag, at, n): n, or all where there are fewer; 0 without one. Shares their state: both in one query cost one pass. n is 1 to 1000, the same in all rows. Rows with a NULL are skipped. Error: times outside 0001-01-01 to 9999-12-31, n out of range or changing.';

CREATE AGGREGATE rolling_resolution(resolved boolean, at timestamptz) (
    SFUNC = clv_rolling_add, STYPE = interaction_history, SSPACE = 144,
    COMBINEFUNC = clv_rolling_combine, FINALFUNC = clv_rolling_final_mean, PARALLEL = SAFE
);
COMMENT ON AGGREGATE rolling_resolution(boolean, timestamptz) IS
'The share of resolved ones, 0 to 1, among a customer''s latest six interactions that were judged (resolved is not NULL), or among all where there are fewer. The latest are those with the largest (time, value), so ties in time are resolved by the value, and the result depends neither on the order of rows nor on how parts were merged. For GROUP BY and, with ORDER BY the time, for OVER. NULL without a judged interaction. Error: times outside 0001-01-01 to 9999-12-31.';

CREATE AGGREGATE rolling_resolution(resolved boolean, at timestamptz, n integer) (
    SFUNC = clv_rolling_add, STYPE = interaction_history, SSPACE = 144,
    COMBINEFUNC = clv_rolling_combine, FINALFUNC = clv_rolling_final_mean, PARALLEL = SAFE
);
COMMENT ON AGGREGATE rolling_resolution(boolean, timestamptz, integer) IS
'rolling_resolution(resolved, at) over the latest n instead of six. n is 1 to 1000, the same in all rows. Error: times outside 0001-01-01 to 9999-12-31, n out of range or changing.';

CREATE AGGREGATE rolling_resolution(score float8, at timestamptz) (
    SFUNC = clv_rolling_add, STYPE = interaction_history, SSPACE = 144,
    COMBINEFUNC = clv_rolling_combine, FINALFUNC = clv_rolling_final_mean, PARALLEL = SAFE
);
COMMENT ON AGGREGATE rolling_resolution(float8, timestamptz) IS
'The mean resolution score of a customer''s latest six scored interactions (score is not NULL), or of all where there are fewer; in the units of the score. The latest are those with the largest (time, value), so ties in time are resolved by the value, and the result depends neither on the order of rows nor on how parts were merged. For GROUP BY and, with ORDER BY the time, for OVER. NULL without a scored interaction. Error: times outside 0001-01-01 to 9999-12-31, NaN and infinite scores.';

CREATE AGGREGATE rolling_resolution(score float8, at timestamptz, n integer) (
    SFUNC = clv_rolling_add, STYPE = interaction_history, SSPACE = 144,
    COMBINEFUNC = clv_rolling_combine, FINALFUNC = clv_rolling_final_mean, PARALLEL = SAFE
);
COMMENT ON AGGREGATE rolling_resolution(float8, timestamptz, integer) IS
'rolling_resolution(score, at) over the latest n instead of six. n is 1 to 1000, the same in all rows. Error: times outside 0001-01-01 to 9999-12-31, NaN and infinite scores, n out of range or changing.';

CREATE AGGREGATE rolling_share(flag boolean, at timestamptz, n integer) (
    SFUNC = clv_rolling_add, STYPE = interaction_history, SSPACE = 144,
    COMBINEFUNC = clv_rolling_combine, FINALFUNC = clv_rolling_final_mean, PARALLEL = SAFE
);
COMMENT ON AGGREGATE rolling_share(boolean, timestamptz, integer) IS
'The share, 0 to 1, of those whose flag is true among the latest n interactions with a flag (not NULL), or among all where there are fewer. The latest are those with the largest (time, value), so ties in time are resolved by the value, and the result depends neither on the order of rows nor on how parts were merged. For GROUP BY and, with ORDER BY the time, for OVER. n is 1 to 1000, the same in all rows. NULL without one. Error: times outside 0001-01-01 to 9999-12-31, n out of range or changing.';

CREATE FUNCTION merge_interactions(a interaction_history, b interaction_history) RETURNS interaction_history
    AS 'MODULE_PATHNAME', 'clv_rolling_merge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION merge_interactions(interaction_history, interaction_history) IS
'The interactions of both histories as one history, or the latest of them where both keep the same number. An interaction that is in both counts twice. NULL if either is NULL. Error: they keep different numbers (an empty one that keeps all goes with every other).';

CREATE OPERATOR + (
    LEFTARG = interaction_history, RIGHTARG = interaction_history, FUNCTION = merge_interactions, COMMUTATOR = +
);
COMMENT ON OPERATOR + (interaction_history, interaction_history) IS 'The interactions of both histories as one, as merge_interactions().';

-- comparison: a total order without a meaning of its own, for =, DISTINCT, GROUP BY, UNION and merge joins

CREATE FUNCTION interaction_history_eq(a interaction_history, b interaction_history) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_rolling_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION interaction_history_ne(a interaction_history, b interaction_history) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_rolling_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION interaction_history_lt(a interaction_history, b interaction_history) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_rolling_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION interaction_history_le(a interaction_history, b interaction_history) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_rolling_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION interaction_history_gt(a interaction_history, b interaction_history) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_rolling_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION interaction_history_ge(a interaction_history, b interaction_history) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_rolling_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION interaction_history_cmp(a interaction_history, b interaction_history) RETURNS integer
    AS 'MODULE_PATHNAME', 'clv_rolling_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION interaction_history_hash(interaction_history) RETURNS integer
    AS 'MODULE_PATHNAME', 'clv_rolling_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION interaction_history_hash_extended(interaction_history, seed bigint) RETURNS bigint
    AS 'MODULE_PATHNAME', 'clv_rolling_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;

COMMENT ON FUNCTION interaction_history_eq(interaction_history, interaction_history) IS 'Implementation of the = operator.';
COMMENT ON FUNCTION interaction_history_ne(interaction_history, interaction_history) IS 'Implementation of the <> operator.';
COMMENT ON FUNCTION interaction_history_lt(interaction_history, interaction_history) IS 'Implementation of the < operator.';
COMMENT ON FUNCTION interaction_history_le(interaction_history, interaction_history) IS 'Implementation of the <= operator.';
COMMENT ON FUNCTION interaction_history_gt(interaction_history, interaction_history) IS 'Implementation of the > operator.';
COMMENT ON FUNCTION interaction_history_ge(interaction_history, interaction_history) IS 'Implementation of the >= operator.';
COMMENT ON FUNCTION interaction_history_cmp(interaction_history, interaction_history) IS '-1, 0 or 1: the order of the canonical bytes, without further meaning.';
COMMENT ON FUNCTION interaction_history_hash(interaction_history) IS 'Hash of a history; equal histories have equal hashes.';
COMMENT ON FUNCTION interaction_history_hash_extended(interaction_history, bigint) IS 'Hash of a history with a seed.';

CREATE OPERATOR = (
    LEFTARG = interaction_history, RIGHTARG = interaction_history, FUNCTION = interaction_history_eq,
    COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR <> (
    LEFTARG = interaction_history, RIGHTARG = interaction_history, FUNCTION = interaction_history_ne,
    COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR < (
    LEFTARG = interaction_history, RIGHTARG = interaction_history, FUNCTION = interaction_history_lt,
    COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR <= (
    LEFTARG = interaction_history, RIGHTARG = interaction_history, FUNCTION = interaction_history_le,
    COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR > (
    LEFTARG = interaction_history, RIGHTARG = interaction_history, FUNCTION = interaction_history_gt,
    COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR >= (
    LEFTARG = interaction_history, RIGHTARG = interaction_history, FUNCTION = interaction_history_ge,
    COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);

COMMENT ON OPERATOR = (interaction_history, interaction_history) IS 'Equal: the same interactions, and as many of the latest kept.';
COMMENT ON OPERATOR <> (interaction_history, interaction_history) IS 'Not equal.';
COMMENT ON OPERATOR < (interaction_history, interaction_history) IS 'Less than, in the order of the canonical bytes.';
COMMENT ON OPERATOR <= (interaction_history, interaction_history) IS 'Less than or equal, in the order of the canonical bytes.';
COMMENT ON OPERATOR > (interaction_history, interaction_history) IS 'Greater than, in the order of the canonical bytes.';
COMMENT ON OPERATOR >= (interaction_history, interaction_history) IS 'Greater than or equal, in the order of the canonical bytes.';

CREATE OPERATOR CLASS interaction_history_ops DEFAULT FOR TYPE interaction_history USING btree AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
    FUNCTION 1 interaction_history_cmp(interaction_history, interaction_history);
CREATE OPERATOR CLASS interaction_history_ops DEFAULT FOR TYPE interaction_history USING hash AS
    OPERATOR 1 =, FUNCTION 1 interaction_history_hash(interaction_history), FUNCTION 2 interaction_history_hash_extended(interaction_history, bigint);
COMMENT ON OPERATOR CLASS interaction_history_ops USING btree IS 'Order of the canonical bytes, for DISTINCT, GROUP BY, UNION and merge joins.';
COMMENT ON OPERATOR CLASS interaction_history_ops USING hash IS 'Equality of the canonical bytes, for DISTINCT, GROUP BY, UNION and hash joins.';

-- reading: what is known up to and including a time. No form depends on the session's time zone.

CREATE FUNCTION rolling_mean(history interaction_history, as_of timestamptz, n integer) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_rolling_mean' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION rolling_mean(interaction_history, timestamptz, integer) IS
'The mean of the latest n (1 to 1000) scored interactions up to and including as_of, or of all where there are fewer. NULL without one by then. Error 22023: n out of range or more than the history keeps; a history that keeps too few to know what the latest n by as_of were. Error 22008: as_of infinite.';
CREATE FUNCTION rolling_count(history interaction_history, as_of timestamptz, n integer) RETURNS integer
    AS 'MODULE_PATHNAME', 'clv_rolling_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION rolling_count(interaction_history, timestamptz, integer) IS
'How many scored interactions stand behind rolling_mean(history, as_of, n): n, or all where there were fewer by as_of; 0 without one. Errors as there.';
CREATE FUNCTION interaction_count(history interaction_history, as_of timestamptz) RETURNS integer
    AS 'MODULE_PATHNAME', 'clv_rolling_interaction_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION interaction_count(interaction_history, timestamptz) IS
'The number of scored interactions up to and including as_of; 0 without one. Error 22023: a history that keeps the latest n and has n, which may have forgotten others. Error 22008: as_of infinite.';
CREATE FUNCTION last_interaction(history interaction_history, as_of timestamptz) RETURNS timestamptz
    AS 'MODULE_PATHNAME', 'clv_rolling_last_interaction' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION last_interaction(interaction_history, timestamptz) IS
'The time of the last scored interaction up to and including as_of; NULL without one. Error 22023: all that the history keeps is later. Error 22008: as_of infinite.';
CREATE FUNCTION slice(history interaction_history, after timestamptz, until timestamptz) RETURNS interaction_history
    AS 'MODULE_PATHNAME', 'clv_rolling_slice' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION slice(interaction_history, timestamptz, timestamptz) IS
'The scored interactions in (after, until], each of which may be infinite, as a history; of a history that keeps the latest n, the latest n of them. Error 22023: until before after; a history that keeps the latest n and may have forgotten some of them.';
CREATE FUNCTION interactions(history interaction_history) RETURNS TABLE (at timestamptz, score float8)
    AS 'MODULE_PATHNAME', 'clv_rolling_interactions' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 20;
COMMENT ON FUNCTION interactions(interaction_history) IS
'The interactions that a history holds, one row each, by time and, where times are equal, by score.';

CREATE FUNCTION first_contact_resolution(history interaction_history, data_until timestamptz, repeat_within interval DEFAULT '7 days')
    RETURNS TABLE (contacts bigint, judged bigint, resolved bigint, rate float8)
    AS 'MODULE_PATHNAME', 'clv_rolling_first_contact' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10 ROWS 1;
COMMENT ON FUNCTION first_contact_resolution(interaction_history, timestamptz, interval) IS
'First contact resolution of one customer (and topic) from a history of contacts that the customer initiated: interaction_history(at, 1) FILTER (WHERE customer_initiated). Always one row: contacts up to and including data_until, the time up to which the data are complete; how many of them could be judged; how many of these were resolved, because no further contact came within repeat_within (up to and including its end); and resolved / judged. A contact whose window ends after data_until is not judged, even where the customer has come back already: of such contacts only the returns are known, and they alone would make the rate too low. Rates of many customers pool as sum(resolved) / sum(judged). rate is NULL without a judged contact, all columns are where an argument is NULL. A day of repeat_within is 24 hours. Error 22023: repeat_within not positive, infinite or with months or years; a history that keeps the latest n and may have forgotten contacts. Error 22008: data_until infinite.';

-- how far customers differ in a score, and a customer's mean drawn towards that of all

CREATE FUNCTION clv_rolling_add_signal(clv_sample, interaction_history) RETURNS clv_sample
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_rolling_add_signal(clv_sample, interaction_history) IS 'transition: count one customer as (n, mean, within)';

CREATE AGGREGATE signal_sample(history interaction_history) (
    SFUNC = clv_rolling_add_signal, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE signal_sample(interaction_history) IS
'Customers by the scores in their histories: rows (n, mean, within), the number of scores, their mean and sum of squared deviations from it, with counts, for signal_reliability(). NULLs are skipped, as are empty histories (counted as n_skipped); NULL without rows. Error 22023: scores whose squares leave the range of float8.';

CREATE FUNCTION signal_reliability(sample clv_sample)
    RETURNS TABLE (customers bigint, interactions bigint, n0 float8, mean float8, population_mean float8,
                   variance_between float8, variance_within float8, icc_estimate float8, conf_low float8, conf_high float8,
                   statistic float8, p_value float8, icc float8, reliability float8)
    AS 'MODULE_PATHNAME', 'clv_rolling_signal_reliability' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000 ROWS 1;
COMMENT ON FUNCTION signal_reliability(clv_sample) IS
'How far customers differ in a score beside how much one customer''s scores scatter, from a signal_sample(): one-way random effects by analysis of variance for unequal numbers of interactions (Donner 1986; ICC(1,1) of Shrout and Fleiss 1979). One row: customers k, interactions N, n0 = (N - sum n_i^2 / N) / (k - 1), mean of all interactions, population_mean (customers'' means weighted by their precision, for shrunk_mean()), variance_between customers = (MSB - MSW) / n0, variance_within = MSW, icc_estimate = between / (between + within), which comes out negative where customers differ less than chance would make them, its 95 percent limits by the F distribution (Searle 1971; approximate for unequal numbers), statistic F = MSB / MSW and its p_value, icc = icc_estimate or 0 where that is negative (the reliability of one interaction), and the reliability of the mean of n0 interactions. NULL with a WARNING where something is not defined: with one customer, without a customer with two interactions, where all scores are the same. NULL, without one, are the limits and F where no customer''s scores differ. Error 22023 for another sample.';

CREATE FUNCTION shrunk_mean(mean float8, n float8, population_mean float8, icc float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_rolling_shrunk_mean' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION shrunk_mean(float8, float8, float8, float8) IS
'A customer''s mean of n scores drawn towards the population''s: w mean + (1 - w) population_mean, w = n icc / (1 + (n - 1) icc), the reliability of the mean (Spearman and Brown 1910), which makes it the best linear prediction of the customer''s true mean (empirical Bayes: Raudenbush and Bryk 2002; Snijders and Bosker 2012). population_mean and icc come from signal_reliability(). With n = 0, when the mean is NULL, it is population_mean; otherwise NULL if any argument is NULL. Error 22023: icc outside 0 to 1, n negative, NaN or infinite values.';
CREATE FUNCTION shrunk_mean(history interaction_history, population_mean float8, icc float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_rolling_shrunk_mean_history' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION shrunk_mean(interaction_history, float8, float8) IS
'shrunk_mean() of all scores that a history holds; a NULL history is one without a score, and gives population_mean. NULL if another argument is NULL. Error 22023: icc outside 0 to 1, NaN or infinite values.';

-- ---- rolling: tone, scales, first contact, surveys ------------------------------------------------------------------

CREATE FUNCTION is_frustrated(labels text[], bad text[] DEFAULT '{frustrated,frustration,annoyance,anger}') RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_rolling_is_frustrated' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION is_frustrated(text[], text[]) IS 'whether one of the labels of tone of a customer''s turn is a bad one. Labels are compared without white space around them and without case. false for an empty array; a label that is NULL is ignored; NULL for NULL: not scored.';

CREATE FUNCTION is_frustrated_label(label text, bad text[] DEFAULT '{frustrated,frustration,annoyance,anger}') RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_rolling_is_frustrated_label' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 3;
COMMENT ON FUNCTION is_frustrated_label(text, text[]) IS 'is_frustrated() of one label';

CREATE FUNCTION evaluator_key(name text) RETURNS text
    AS 'MODULE_PATHNAME', 'clv_rolling_evaluator_key' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION evaluator_key(text) IS 'the name of an evaluator in snake_case, so that ConversationResolution, conversation-resolution and conversation_resolution are one: what is no letter or digit separates words, as does the beginning of a capitalised word; of several capitals before a small letter the last begins a word (LLMJudge: llm_judge). Digits belong to the word before them. NULL for NULL, and where there is no letter or digit.';

CREATE FUNCTION normalize_score(score float8, low float8, high float8, higher_is_better boolean DEFAULT true) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_rolling_normalize_score' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION normalize_score(float8, float8, float8, boolean) IS 'a score on the scale from low to high as a number from 0, the worst, to 1, the best: (score - low) / (high - low), or (high - score) / (high - low) where less is better. NULL for a score that is not on the scale or NaN; it is never moved onto it: count such scores with score_in_range(). NULL if any argument is NULL. Error 22023: low not below high, or an end that is not finite.';

CREATE FUNCTION score_in_range(score float8, low float8, high float8) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_rolling_score_in_range' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION score_in_range(float8, float8, float8) IS 'whether a score is on the scale from low to high, ends included; false for NaN, NULL if any argument is NULL. Error 22023 as normalize_score().';

CREATE FUNCTION evaluator_scales()
    RETURNS TABLE (evaluator text, kind text, low float8, high float8, higher_is_better boolean, labels text[], note text)
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 16
    BEGIN ATOMIC
        SELECT * FROM (VALUES
            ('customer_agent_conversation_quality', 'score', 1::float8, 5::float8, true, NULL::text[], 'Future AGI, customer agents: 1 very poor, 5 excellent'),
            ('customer_agent_context_retention', 'score', 0, 100, true, NULL, 'Future AGI, customer agents'),
            ('conversation_resolution', 'score', 0, 1, true, NULL, 'Future AGI, conversations'),
            ('tone', 'label', NULL, NULL, NULL, '{neutral,joy,love,fear,surprise,sadness,anger,annoyance,confusion}', 'Future AGI: several labels at a time; see is_frustrated()'),
            ('customer_agent_query_handling', 'label', NULL, NULL, NULL, '{never,occasionally,frequently,always}', 'Future AGI, customer agents: how often queries are handled well; always is best'),
            ('customer_agent_loop_detection', 'label', NULL, NULL, NULL, '{never,occasionally,frequently,always}', 'Future AGI, customer agents: how often the agent repeats itself; never is best'),
            ('customer_agent_human_escalation', 'boolean', 0, 1, true, '{Fail,Pass}', 'Future AGI, customer agents: 1 where handing over to a human was handled well'),
            ('coherence', 'score', 1, 5, true, NULL, 'Microsoft.Extensions.AI.Evaluation'),
            ('relevance', 'score', 1, 5, true, NULL, 'Azure AI Evaluation'),
            ('intent_resolution', 'score', 1, 5, true, NULL, 'Microsoft.Extensions.AI.Evaluation'),
            ('task_adherence', 'score', 1, 5, true, NULL, 'Microsoft.Extensions.AI.Evaluation'),
            ('hate_and_unfairness', 'score', 0, 7, false, NULL, 'Microsoft.Extensions.AI.Evaluation: severity'),
            ('violence', 'score', 0, 7, false, NULL, 'Azure AI Evaluation, Microsoft.Extensions.AI.Evaluation: severity'),
            ('faithfulness', 'score', 0, 1, true, NULL, 'Ragas, DeepEval'),
            ('conversation_completeness', 'score', 0, 1, true, NULL, 'DeepEval, conversations'),
            ('knowledge_retention', 'score', 0, 1, true, NULL, 'DeepEval, conversations')
        ) AS s (evaluator, kind, low, high, higher_is_better, labels, note);
    END;
COMMENT ON FUNCTION evaluator_scales() IS 'evaluators whose scales are known, to be copied into a table and edited: evaluator, as evaluator_key() writes it; kind, one of score, label, boolean (a score of 0 or 1); the ends of the scale, NULL for labels; whether more is better; labels, NULL for scores; and whose evaluator it is. The same name may mean another scale elsewhere: check it against your own scores.';

CREATE FUNCTION wilson_interval(successes bigint, n bigint, conf float8 DEFAULT 0.95)
    RETURNS TABLE (estimate float8, conf_low float8, conf_high float8)
    AS 'MODULE_PATHNAME', 'clv_rolling_wilson_interval' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 1;
COMMENT ON FUNCTION wilson_interval(bigint, bigint, float8) IS 'the share successes / n with Wilson''s score interval, without correction for continuity (Wilson 1927; Newcombe 1998, method 3), in one row: fractions of 0 to 1. NULLs where n is 0; no row for NULL. Error 22023: successes negative or above n, conf outside 0 to 1.';

CREATE FUNCTION share_difference(successes_1 bigint, n_1 bigint, successes_2 bigint, n_2 bigint, conf float8 DEFAULT 0.95)
    RETURNS TABLE (difference float8, conf_low float8, conf_high float8)
    AS 'MODULE_PATHNAME', 'clv_rolling_share_difference' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 1;
COMMENT ON FUNCTION share_difference(bigint, bigint, bigint, bigint, float8) IS 'the difference of two independent shares, successes_1 / n_1 - successes_2 / n_2, with an interval from Wilson''s of both (Newcombe 1998, method 10), in one row: fractions of -1 to 1, which times 100 are percentage points. NULLs where an n is 0; no row for NULL. Error 22023: successes negative or above their n, conf outside 0 to 1.';

CREATE FUNCTION first_contact_resolved(at timestamptz, data_until timestamptz, customer_initiated boolean DEFAULT true, repeat_within interval DEFAULT '7 days') RETURNS boolean
    AS 'MODULE_PATHNAME', 'clv_rolling_first_contact_resolved' LANGUAGE C WINDOW IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION first_contact_resolved(timestamptz, timestamptz, boolean, interval) IS 'window function, OVER (PARTITION BY customer [, topic] ORDER BY at): whether a contact settled the matter. NULL where the data, complete up to and including data_until, end before at + repeat_within, even if the customer has come back already: of such contacts only the returns are known, and they alone would make the rate too low. Otherwise false where a later contact that the customer initiated follows in the partition no later than at + repeat_within, true where none does. NULL also for contacts that the customer did not initiate, which are no returns either, for those after data_until, and where an argument is NULL. Of contacts at the same time the later row is a return to the earlier. A day of repeat_within has 24 hours. The frame of the window makes no difference. Error 22023: a partition not in order of time, repeat_within not positive or with months; 22008: an infinite time.';

-- Transition and final functions: not for direct use. NULL arguments leave the state as it is.
CREATE FUNCTION clv_rolling_add_rating(clv_sample, float8) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_rolling_add_rating' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_rolling_add_agreement(clv_sample, boolean, boolean) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_rolling_add_agreement_boolean' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_rolling_add_agreement(clv_sample, integer, integer) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_rolling_add_agreement_integer' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_rolling_nps_final(clv_sample) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_rolling_nps_final' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION clv_rolling_csat_final(clv_sample) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_rolling_csat_final' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION clv_rolling_ces_final(clv_sample) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_rolling_ces_final' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION clv_rolling_cohen_kappa_final(clv_sample) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_rolling_cohen_kappa_final' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION clv_rolling_add_rating(clv_sample, float8) IS 'transition: count one answer to a survey';
COMMENT ON FUNCTION clv_rolling_add_agreement(clv_sample, boolean, boolean) IS 'transition: count one pair of judgements';
COMMENT ON FUNCTION clv_rolling_add_agreement(clv_sample, integer, integer) IS 'transition: count one pair of categories';
COMMENT ON FUNCTION clv_rolling_nps_final(clv_sample) IS 'final: the net promoter score';
COMMENT ON FUNCTION clv_rolling_csat_final(clv_sample) IS 'final: the share of satisfied answers';
COMMENT ON FUNCTION clv_rolling_ces_final(clv_sample) IS 'final: the share of easy answers';
COMMENT ON FUNCTION clv_rolling_cohen_kappa_final(clv_sample) IS 'final: Cohen''s kappa';

CREATE AGGREGATE survey_sample(score float8) (
    SFUNC = clv_rolling_add_rating, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE survey_sample(float8) IS 'answers to a question of a survey: rows (score) with counts, for nps(), csat() and ces(); merged by clv_sample(). NULLs are skipped: not answered. Error 22023: a NaN or infinite score.';

CREATE AGGREGATE nps(score float8) (
    SFUNC = clv_rolling_add_rating, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_rolling_nps_final, PARALLEL = SAFE
);
CREATE AGGREGATE csat(score float8) (
    SFUNC = clv_rolling_add_rating, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_rolling_csat_final, PARALLEL = SAFE
);
CREATE AGGREGATE ces(score float8) (
    SFUNC = clv_rolling_add_rating, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_rolling_ces_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE nps(float8) IS 'net promoter score of answers from 0 to 10: 100 (share of promoters, 9 and 10, - share of detractors, 0 to 6), points of -100 to 100. NULLs are skipped, NULL without answers. Error 22023: a score that is no whole number from 0 to 10.';
COMMENT ON AGGREGATE csat(float8) IS 'customer satisfaction of answers from 1 to 5: the share of the top two, 4 and 5, a fraction of 0 to 1. NULLs are skipped, NULL without answers. Error 22023: a score that is no whole number from 1 to 5.';
COMMENT ON AGGREGATE ces(float8) IS 'customer effort score of answers from 1 (hard) to 7 (easy): the share of the top three, 5 to 7, a fraction of 0 to 1. NULLs are skipped, NULL without answers. Error 22023: a score that is no whole number from 1 to 7.';

CREATE FUNCTION nps(sample clv_sample, conf float8 DEFAULT 0.95)
    RETURNS TABLE (n bigint, estimate float8, std_error float8, conf_low float8, conf_high float8)
    AS 'MODULE_PATHNAME', 'clv_rolling_nps' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 1;
CREATE FUNCTION csat(sample clv_sample, conf float8 DEFAULT 0.95)
    RETURNS TABLE (n bigint, estimate float8, std_error float8, conf_low float8, conf_high float8)
    AS 'MODULE_PATHNAME', 'clv_rolling_csat' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 1;
CREATE FUNCTION ces(sample clv_sample, conf float8 DEFAULT 0.95)
    RETURNS TABLE (n bigint, estimate float8, std_error float8, conf_low float8, conf_high float8)
    AS 'MODULE_PATHNAME', 'clv_rolling_ces' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 1;
COMMENT ON FUNCTION nps(clv_sample, float8) IS 'net promoter score of a survey_sample() in one row: n answers, estimate in points of -100 to 100, std_error 100 sqrt((p + d - (p - d)^2) / n) for shares p of promoters and d of detractors, interval estimate -+ z std_error, which may reach beyond the possible points and has no width where all answers are of one group. NULLs where the sample has no answers, no row for NULL. Error 22023: a score that is no whole number from 0 to 10, another sample, conf outside 0 to 1.';
COMMENT ON FUNCTION csat(clv_sample, float8) IS 'customer satisfaction of a survey_sample() in one row: n answers of 1 to 5, the share of 4 and 5, its binomial standard error, and Wilson''s interval. NULLs where the sample has no answers, no row for NULL. Error 22023: a score that is no whole number from 1 to 5, another sample, conf outside 0 to 1.';
COMMENT ON FUNCTION ces(clv_sample, float8) IS 'customer effort score of a survey_sample() in one row: n answers of 1 (hard) to 7 (easy), the share of 5 to 7, its binomial standard error, and Wilson''s interval. NULLs where the sample has no answers, no row for NULL. Error 22023: a score that is no whole number from 1 to 7, another sample, conf outside 0 to 1.';

CREATE AGGREGATE agreement_sample(a boolean, b boolean) (
    SFUNC = clv_rolling_add_agreement, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
CREATE AGGREGATE agreement_sample(a integer, b integer) (
    SFUNC = clv_rolling_add_agreement, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE agreement_sample(boolean, boolean) IS 'judgements of the same things by two raters: rows (a, b), 1 for true, with counts, for cohen_kappa(); merged by clv_sample(). Rows with a NULL are skipped.';
COMMENT ON AGGREGATE agreement_sample(integer, integer) IS 'categories of the same things chosen by two raters: rows (a, b) with counts, for cohen_kappa(); merged by clv_sample(). Rows with a NULL are skipped.';

CREATE AGGREGATE cohen_kappa(a boolean, b boolean) (
    SFUNC = clv_rolling_add_agreement, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_rolling_cohen_kappa_final, PARALLEL = SAFE
);
CREATE AGGREGATE cohen_kappa(a integer, b integer) (
    SFUNC = clv_rolling_add_agreement, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_rolling_cohen_kappa_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE cohen_kappa(boolean, boolean) IS 'Cohen''s kappa, the agreement of two raters beyond chance: (observed - expected) / (1 - expected); 1 is full agreement, 0 what chance would give. Rows with a NULL are skipped; NULL without rows, and after a WARNING where all are of one category.';
COMMENT ON AGGREGATE cohen_kappa(integer, integer) IS 'Cohen''s kappa of categories that are only the same or not; their order does not count. Rows with a NULL are skipped; NULL without rows, and after a WARNING where all are of one category. Error 22023: more than 1000 categories.';

CREATE FUNCTION cohen_kappa(sample clv_sample, conf float8 DEFAULT 0.95)
    RETURNS TABLE (n bigint, observed float8, expected float8, kappa float8, std_error float8, conf_low float8, conf_high float8)
    AS 'MODULE_PATHNAME', 'clv_rolling_cohen_kappa' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 1;
COMMENT ON FUNCTION cohen_kappa(clv_sample, float8) IS 'Cohen''s kappa of an agreement_sample() in one row: n pairs, the share in which both agree, the share expected by chance from how often each chose each category, kappa = (observed - expected) / (1 - expected), its large-sample standard error (Fleiss, Cohen and Everitt 1969) and the interval kappa -+ z std_error. kappa and what follows are NULL, after a WARNING, where all pairs are of one category; all but n are NULL where there are none; no row for NULL. Error 22023: another sample, more than 1000 categories, conf outside 0 to 1.';

-- ---- trace: evaluation results in traces, logs and tables -------------------------------------------------------

CREATE FUNCTION otlp_evaluations(document jsonb, customer_keys text[] DEFAULT '{customer.id,enduser.id,user.id}',
        session_keys text[] DEFAULT '{session.id,gen_ai.conversation.id,conversation.id}')
    RETURNS TABLE (trace_id text, span_id text, parent_span_id text, target_trace_id text, target_span_id text, target_by text,
        session_id text, session_source text, customer_id text, customer_source text,
        name text, score float8, label text, labels text[], explanation text, annotator text, error text, scope text,
        evaluated_at timestamptz, evaluated_nanos bigint, started_at timestamptz, ended_at timestamptz,
        service text, simulated boolean, source text, response_id text)
    AS 'MODULE_PATHNAME', 'clv_trace_otlp_evaluations' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5000 ROWS 20;
COMMENT ON FUNCTION otlp_evaluations(jsonb, text[], text[]) IS 'evaluation results in an OTLP/JSON document of traces or logs, or an array of such: one row per result, in order. Results are span events and log records named gen_ai.evaluation.result (source event, log), attributes gen_ai.evaluation.* of a span (attributes), and annotations.N.annotation.* / evaluations.N.evaluation.* of OpenInference (annotations, evaluations) in scope span, trace or session. trace_id, span_id, parent_span_id, started_at, ended_at, service: the span that carries the result; target_*: the span it is about, by attribute gen_ai.evaluation.target_span_id, link, parent (of an evaluator, results of OpenTelemetry only), or itself (span); NULL where several links make it ambiguous; a target id of zeros is none, one that is malformed is skipped. session_id and customer_id: the first of the keys that is found at the nearest of: event, span, link, ancestor, trace, session, resource (session_source, customer_source); NULL with source ambiguous where values there disagree, both NULL where there is none; copies of a span in the document share their ids. score: NULL without one, also for results with an error; label as given, labels what is in it (several in a list, also one in a string as JSON or Python writes it; none in an empty one); NULL where it is no text. evaluated_nanos: nanoseconds since 1970, whole; evaluated_at the same in microseconds: time of the event or log record, where it has none the end of the span; NULL where it is malformed. simulated: marked as traffic of a simulator or synthetic agent. Ids are lower-case hexadecimal digits; base64 is converted. What is malformed is skipped: one WARNING a query, counted by otlp_skipped(). Error 22023 only for NULL among the keys. Sources: OTLP, OpenTelemetry semantic conventions for generative AI, OpenInference.';

CREATE FUNCTION otlp_spans(document jsonb, customer_keys text[] DEFAULT '{customer.id,enduser.id,user.id}',
        session_keys text[] DEFAULT '{session.id,gen_ai.conversation.id,conversation.id}')
    RETURNS TABLE (trace_id text, span_id text, parent_span_id text, name text, session_id text, session_source text,
        customer_id text, customer_source text, started_at timestamptz, ended_at timestamptz, service text)
    AS 'MODULE_PATHNAME', 'clv_trace_otlp_spans' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5000 ROWS 50;
COMMENT ON FUNCTION otlp_spans(jsonb, text[], text[]) IS 'every span of an OTLP/JSON document of traces, or an array of such, with session and customer as otlp_evaluations() finds them within the document: to join results and spans whose trace is split over documents. Documents of logs have no rows. Malformed spans are skipped with one WARNING a query. Error 22023 for NULL among the keys.';

CREATE FUNCTION otlp_skipped(document jsonb) RETURNS TABLE (problem text, n bigint)
    AS 'MODULE_PATHNAME', 'clv_trace_otlp_skipped' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5000 ROWS 1;
COMMENT ON FUNCTION otlp_skipped(jsonb) IS 'what otlp_evaluations() skips in a document, one row per problem with the number of parts that have it: not a document of this kind, not an object, not a list, not an id, not a time, score is no number, label is no text, no name or no result. No row where nothing is skipped.';

CREATE FUNCTION langfuse_scores(document jsonb)
    RETURNS TABLE (id text, trace_id text, observation_id text, session_id text, customer_id text,
        name text, score float8, label text, labels text[], explanation text, annotator text, data_type text,
        evaluated_at timestamptz, environment text)
    AS 'MODULE_PATHNAME', 'clv_trace_langfuse_scores' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 20;
COMMENT ON FUNCTION langfuse_scores(jsonb) IS 'scores as the Langfuse API returns them (versions 1 to 3): one object, an array, or an object with an array "data"; one row each. Columns as in otlp_evaluations() where the meaning is the same; observation_id is the span, customer_id the user of the trace (not the author of the score), annotator the source (API, EVAL, ANNOTATION), evaluated_at the timestamp, else createdAt, a date and time of ISO 8601 of at most 64 bytes, in UTC unless it has an offset; NULL, with the WARNING, for anything else. score: numbers, booleans as 0 or 1; NULL for a CATEGORICAL score without configuration, for which the API writes 0, and for TEXT and CORRECTION. label: the string value. Malformed scores are skipped with one WARNING a query.';

CREATE FUNCTION evaluation_scores(document jsonb)
    RETURNS TABLE (name text, score float8, label text, labels text[], explanation text)
    AS 'MODULE_PATHNAME', 'clv_trace_evaluation_scores' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 5;
COMMENT ON FUNCTION evaluation_scores(jsonb) IS 'evaluations in the flat shapes of tables of one''s own: {"Name": 0.8}, {"Name": {"score": .., "label": .., "explanation": ..}}, {"name": .., "score": ..} or an array of the latter; one row each. A number is a score, also in a string; another string or a list is a label, a boolean both (score 0 or 1); null is no evaluation. value stands for score, labels for label, reason, reasoning, comment and rationale for explanation, metric and evaluator for name. What says nothing (a record with score null), or has no name or an empty one, is skipped with one WARNING a query.';

-- ---- trace: resolver, coverage ----------------------------------------------------------------------------------

-- Functions that read a relation named by the caller are PARALLEL RESTRICTED: a worker cannot read temporary tables, and
-- a view may hold functions that are not safe.

-- What the functions below share; not for direct use.
CREATE FUNCTION clv_require_columns(relation regclass, columns text[], key text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED COST 100
    AS $$
DECLARE
    missing text;
    without bigint;
    repeated bigint;
    example text;
BEGIN
    IF relation IS NULL OR array_position(columns, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'a table or view, or the name of a column, is not given' USING ERRCODE = 'null_value_not_allowed',
            HINT = 'to_regclass() returns NULL where there is no relation of that name.';
    END IF;
    SELECT string_agg(quote_ident(c.name), ', ' ORDER BY c.position) INTO missing
    FROM unnest(columns) WITH ORDINALITY AS c (name, position)
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
                      WHERE a.attrelid = relation AND a.attname = c.name AND a.attnum > 0 AND NOT a.attisdropped);
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION '% lacks columns that are needed', relation USING ERRCODE = 'undefined_column',
            DETAIL = format('Missing: %s.', missing),
            HINT = 'Give the columns these names in a view, and NULL for what there is not.';
    END IF;
    IF key IS NOT NULL THEN
        EXECUTE format('SELECT coalesce(sum(n) FILTER (WHERE key IS NULL), 0), count(*) FILTER (WHERE n > 1 AND key IS NOT NULL),
                               min(key) FILTER (WHERE n > 1)
                        FROM (SELECT %I::text AS key, count(*) AS n FROM %s GROUP BY 1) AS s', key, relation)
            INTO without, repeated, example;
        IF without > 0 OR repeated > 0 THEN
            RAISE EXCEPTION 'column % of % does not identify the rows', quote_ident(key), relation
                USING ERRCODE = 'invalid_parameter_value',
                DETAIL = format('Rows where it is NULL: %s. Values in several rows: %s%s.', without, repeated,
                                ', such as ' || quote_literal(example)),
                HINT = 'Name a column that is different in every row.';
        END IF;
    END IF;
END $$;
COMMENT ON FUNCTION clv_require_columns(regclass, text[], text) IS 'internal: error 42703 that names all the columns a relation lacks, 22023 where the key, if given, is NULL or the same in several rows, 22004 without a relation';

CREATE FUNCTION clv_read_columns(relation regclass, columns text[], key text DEFAULT NULL) RETURNS SETOF text[]
    LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED COST 1000 ROWS 20000
    AS $$
DECLARE
    schema name := (SELECT n.nspname FROM pg_catalog.pg_extension AS e JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
                    WHERE e.extname = 'clv');
BEGIN
    EXECUTE format('SELECT %I.clv_require_columns($1, $2, $3)', schema) USING relation, columns, key;
    RETURN QUERY EXECUTE format('SELECT ARRAY[%s] FROM %s',
        (SELECT string_agg(format('%I::text', c.name), ', ' ORDER BY c.position)
         FROM unnest(columns) WITH ORDINALITY AS c (name, position)), relation);
END $$;
COMMENT ON FUNCTION clv_read_columns(regclass, text[], text) IS 'internal: the columns of each row of a relation as text; errors as clv_require_columns()';

CREATE FUNCTION clv_nearest_known(parents integer[], known boolean[]) RETURNS integer[]
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000
    AS $$
DECLARE
    n integer := cardinality(parents);
    nearest integer[] := array_fill(NULL::integer, ARRAY[n]);
    here integer;
    found integer;
BEGIN
    FOR i IN 1 .. n LOOP
        -- up to a place of which the answer is known; -1 marks the way, which a cycle comes back to
        here := i;
        WHILE here BETWEEN 1 AND n AND nearest[here] IS NULL LOOP
            nearest[here] := CASE WHEN known[here] THEN here ELSE -1 END;
            EXIT WHEN known[here];
            here := parents[here];
        END LOOP;
        found := CASE WHEN here BETWEEN 1 AND n THEN greatest(nearest[here], 0) ELSE 0 END;
        -- and once more to write it down: each place is passed twice in all
        here := i;
        WHILE here BETWEEN 1 AND n AND nearest[here] = -1 LOOP
            nearest[here] := found;
            here := parents[here];
        END LOOP;
    END LOOP;
    RETURN nearest;
END $$;
COMMENT ON FUNCTION clv_nearest_known(integer[], boolean[]) IS 'internal: for each element of a forest, given by the positions of the parents (NULL: none), the position of the element itself if it is known, otherwise of its nearest known ancestor; 0 where there is none. Takes time in proportion to the elements; cycles end.';

-- Duplicates: the same result as span event, as log record, or in a document that was sent twice.
CREATE FUNCTION evaluation_dedup_key(name text, scope text, trace_id text, span_id text, session_id text DEFAULT NULL,
        response_id text DEFAULT NULL, annotator text DEFAULT NULL)
    RETURNS text
    LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 20
    BEGIN ATOMIC
        SELECT evaluator_key(name) ||
               CASE WHEN scope = 'session' AND session_id IS NOT NULL THEN ' of session ' || quote_literal(session_id)
                    WHEN scope = 'trace' AND trace_id IS NOT NULL THEN
                        ' of trace ' || CASE WHEN trace_id COLLATE "C" ~ '^[0-9A-Za-z_.:-]*$' THEN trace_id ELSE quote_literal(trace_id) END
                    WHEN trace_id IS NOT NULL AND span_id IS NOT NULL THEN
                        ' of span ' || CASE WHEN trace_id || span_id COLLATE "C" ~ '^[0-9A-Za-z_.:-]*$' THEN trace_id || '/' || span_id
                                            ELSE quote_literal(trace_id) || '/' || quote_literal(span_id) END
                    WHEN response_id IS NOT NULL THEN ' of response ' || quote_literal(response_id)
                    WHEN trace_id IS NOT NULL THEN
                        ' of trace ' || CASE WHEN trace_id COLLATE "C" ~ '^[0-9A-Za-z_.:-]*$' THEN trace_id ELSE quote_literal(trace_id) END
                    WHEN session_id IS NOT NULL THEN ' of session ' || quote_literal(session_id) END ||
               coalesce(' by ' || quote_literal(annotator), '');
    END;
COMMENT ON FUNCTION evaluation_dedup_key(text, text, text, text, text, text, text) IS 'what an evaluation result is about, as text that is equal for all copies of the result: evaluator_key() of its name, its target (the session in the scope ''session'', the trace in the scope ''trace'', otherwise the span; the response, the trace or the session where no span is known) and its annotator. trace_id and span_id are those of the target, written as literals where they have other characters than letters A to Z, digits and _.:-. Different targets have different keys. NULL where name or target is unknown: such a result is like no other.';

CREATE FUNCTION clv_pair_copies(sources text[], nanos bigint[], times timestamptz[], scores float8[], labels text[], errors text[])
    RETURNS integer[]
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000
    AS $$
DECLARE
    n integer := cardinality(sources);
    result integer[] := array_fill(0, ARRAY[n]);
    first integer[] := '{}';        -- of each result the copy that was there first
    score float8[] := '{}';         -- and what its copies know
    label text[] := '{}';
    failed boolean[] := '{}';
    used text[] := '{}';            -- the source of the last copy
    low integer := 1;
    high integer;
    known integer;
    f integer;
    is_same boolean;
    is_at_once boolean;
BEGIN
    WHILE low <= n LOOP
        high := low;
        WHILE high < n AND sources[high + 1] = sources[low] LOOP
            high := high + 1;
        END LOOP;
        known := cardinality(first);
        -- time, score and label; time; score and label; the order
        FOR pass IN 1 .. 4 LOOP
            EXIT WHEN known = 0;
            FOR i IN low .. high LOOP
                CONTINUE WHEN result[i] > 0;
                FOR r IN 1 .. known LOOP
                    CONTINUE WHEN used[r] = sources[low] OR scores[i] <> score[r] OR labels[i] <> label[r]
                        OR errors[i] IS NOT NULL AND scores[i] IS NULL AND score[r] IS NOT NULL OR failed[r] AND scores[i] IS NOT NULL;
                    f := first[r];
                    is_at_once := coalesce(nanos[i] = nanos[f], times[i] = times[f], false);
                    is_same := num_nonnulls(scores[i], labels[i]) > 0 AND scores[i] IS NOT DISTINCT FROM score[r] AND labels[i] IS NOT DISTINCT FROM label[r];
                    CONTINUE WHEN pass <= 2 AND NOT is_at_once OR pass IN (1, 3) AND NOT is_same;
                    result[i] := r;
                    used[r] := sources[low];
                    score[r] := coalesce(score[r], scores[i]);
                    label[r] := coalesce(label[r], labels[i]);
                    failed[r] := failed[r] OR errors[i] IS NOT NULL AND scores[i] IS NULL;
                    EXIT;
                END LOOP;
            END LOOP;
        END LOOP;
        FOR i IN low .. high LOOP
            CONTINUE WHEN result[i] > 0;
            first := first || i;
            score := score || scores[i];
            label := label || labels[i];
            failed := failed || (errors[i] IS NOT NULL AND scores[i] IS NULL);
            used := used || sources[low];
            result[i] := cardinality(first);
        END LOOP;
        low := high + 1;
    END LOOP;
    RETURN result;
END $$;
COMMENT ON FUNCTION clv_pair_copies(text[], bigint[], timestamptz[], float8[], text[], text[]) IS 'internal: which of the results of one key, sorted by source and time, are copies of each other: the number of the result for each. Copies come from different sources and do not contradict each other; those that agree in time, score and label are found first, then those that agree in time, then in score and label, then the first that is left. Takes time in proportion to the product of the results of two sources.';

CREATE FUNCTION deduplicate_evaluations(evaluations regclass)
    RETURNS TABLE (evaluation_id text, trace_id text, span_id text, parent_span_id text, target_trace_id text, target_span_id text,
                   target_by text, session_id text, session_source text, customer_id text, customer_source text, name text,
                   score float8, label text, labels text[], explanation text, annotator text, error text, scope text,
                   evaluated_at timestamptz, evaluated_nanos bigint, started_at timestamptz, ended_at timestamptz, service text,
                   simulated boolean, source text, response_id text, sources text[], copies bigint)
    LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED COST 100000 ROWS 100000
    AS $$
DECLARE
    schema name := (SELECT n.nspname FROM pg_catalog.pg_extension AS e JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
                    WHERE e.extname = 'clv');
    needed text[];
    typed text;
    merged text;
    answered text;
BEGIN
    -- every field is the first that is known among the copies; those with a lead are taken from the first row that knows it
    SELECT array_agg(f.name ORDER BY position), string_agg(format('%I::%s', f.name, f.type), ', ' ORDER BY position),
           string_agg(format(CASE WHEN f.type = 'boolean' THEN 'bool_or(%1$I) AS %1$I'
                                  ELSE '(array_agg(%1$I%4$s ORDER BY %3$s) FILTER (WHERE %2$s IS NOT NULL))[1]%5$s AS %1$I' END,
                             f.name, coalesce(f.lead, f.name),
                             CASE WHEN f.name LIKE 'customer%' THEN 'nearness, choice' ELSE 'choice' END,
                             CASE WHEN f.type = 'text[]' THEN '::text' END, CASE WHEN f.type = 'text[]' THEN '::text[]' END),
                      ', ' ORDER BY position),
           string_agg(CASE f.name WHEN 'customer_id' THEN 'CASE WHEN contested IS NOT TRUE THEN customer_id END'
                                  WHEN 'customer_source' THEN 'CASE WHEN contested THEN ''ambiguous'' ELSE customer_source END'
                                  ELSE quote_ident(f.name) END, ', ' ORDER BY position)
        INTO needed, typed, merged, answered
    FROM (VALUES (1, 'trace_id', 'text', NULL), (2, 'span_id', 'text', 'trace_id'), (3, 'parent_span_id', 'text', NULL),
                 (4, 'target_trace_id', 'text', 'target_by'), (5, 'target_span_id', 'text', 'target_by'), (6, 'target_by', 'text', NULL),
                 (7, 'session_id', 'text', NULL), (8, 'session_source', 'text', 'session_id'),
                 (9, 'customer_id', 'text', 'coalesce(customer_id, customer_source)'),
                 (10, 'customer_source', 'text', 'coalesce(customer_id, customer_source)'),
                 (11, 'name', 'text', NULL), (12, 'score', 'float8', NULL), (13, 'label', 'text', NULL), (14, 'labels', 'text[]', NULL),
                 (15, 'explanation', 'text', NULL), (16, 'annotator', 'text', NULL), (17, 'error', 'text', NULL),
                 (18, 'scope', 'text', NULL), (19, 'evaluated_at', 'timestamptz', 'coalesce(evaluated_nanos::text, evaluated_at::text)'),
                 (20, 'evaluated_nanos', 'bigint', 'coalesce(evaluated_nanos::text, evaluated_at::text)'),
                 (21, 'started_at', 'timestamptz', NULL), (22, 'ended_at', 'timestamptz', NULL), (23, 'service', 'text', NULL),
                 (24, 'simulated', 'boolean', NULL), (25, 'source', 'text', NULL), (26, 'response_id', 'text', NULL))
        AS f (position, name, type, lead);
    EXECUTE format('SELECT %I.clv_require_columns($1, $2)', schema) USING evaluations, needed;
    RETURN QUERY EXECUTE format($query$
        WITH keyed AS (
            SELECT *, %1$I.evaluation_dedup_key(name, scope, coalesce(target_trace_id, trace_id),
                                                CASE WHEN num_nulls(target_trace_id, target_span_id) = 2 THEN span_id ELSE target_span_id END,
                                                session_id, response_id, annotator) AS key,
                   -- a list is the same list however it is written
                   CASE WHEN num_nonnulls(labels, label) > 0 THEN coalesce(labels, ARRAY[label])::text END AS said
            FROM (SELECT %2$s FROM %3$s) AS e
        ), ranked AS (
            SELECT *, CASE WHEN key IS NULL THEN row_number() OVER one_source ELSE dense_rank() OVER one_source END AS place
            FROM keyed WINDOW one_source AS (PARTITION BY key, source ORDER BY evaluated_nanos, evaluated_at, score, said, error)
        ), several AS (
            -- only where a source has several results of a key it is a question which are copies
            SELECT key, array_agg(source ORDER BY source, place) AS sources, array_agg(place ORDER BY source, place) AS places,
                   %1$I.clv_pair_copies(array_agg(source ORDER BY source, place), array_agg(evaluated_nanos ORDER BY source, place),
                                        array_agg(evaluated_at ORDER BY source, place), array_agg(score ORDER BY source, place),
                                        array_agg(said ORDER BY source, place), array_agg(error ORDER BY source, place)) AS results
            FROM (SELECT DISTINCT key, coalesce(source, '') AS source, place, evaluated_nanos, evaluated_at, score, said, error FROM ranked WHERE key IS NOT NULL) AS r
            GROUP BY key HAVING max(place) > 1 AND min(source) <> max(source)
        ), numbered AS (
            SELECT r.*, coalesce(p.result, r.place) AS occurrence
            FROM ranked AS r
            LEFT JOIN (SELECT key, u.* FROM several, unnest(sources, places, results) AS u (source, place, result)) AS p
                ON p.key = r.key AND p.source = coalesce(r.source, '') AND p.place = r.place
        ), judged AS (
            SELECT *, CASE WHEN key IS NULL OR min(score) OVER copies <> max(score) OVER copies OR min(said) OVER copies <> max(said) OVER copies
                             OR bool_or(score IS NULL AND error IS NOT NULL) OVER copies AND count(score) OVER copies > 0
                           THEN source END AS apart,
                   CASE WHEN customer_id IS NULL THEN 9
                        ELSE coalesce(array_position(ARRAY['event', 'span', 'link', 'ancestor', 'trace', 'session', 'resource'], customer_source), 0)
                   END AS nearness
            FROM numbered WINDOW copies AS (PARTITION BY key, occurrence)
        ), chosen AS (
            SELECT *, row_number() OVER (PARTITION BY key, occurrence, apart
                                         ORDER BY score IS NULL, nearness, array_position(ARRAY['log', 'event', 'attributes'], source),
                                                  evaluated_nanos, source, span_id, judged::text) AS choice,
                   nearness = min(nearness) OVER (PARTITION BY key, occurrence, apart) AS is_nearest
            FROM judged
        ), merged AS (
            SELECT key, %4$s, array_agg(DISTINCT source ORDER BY source) AS sources, count(*) AS copies,
                   min(customer_id) FILTER (WHERE is_nearest) <> max(customer_id) FILTER (WHERE is_nearest) AS contested
            FROM chosen GROUP BY key, occurrence, apart
        )
        SELECT coalesce(key, 'unknown') || coalesce(' #' || nullif(row_number() OVER of_key, 1), ''), %5$s, sources, copies
        FROM merged
        WINDOW of_key AS (PARTITION BY key ORDER BY evaluated_nanos, evaluated_at, score, label, source, error, merged::text)$query$, schema, typed, evaluations, merged, answered);
END $$;
COMMENT ON FUNCTION deduplicate_evaluations(regclass) IS 'the evaluations of a relation with the columns of otlp_evaluations(), each once. Rows of one evaluation_dedup_key() are copies of one result when they come from different sources (event, log, ...) or agree in time, score, label and error; where a source holds several results of one key, those belong together that agree in time, then those that agree in score and label, then the first by time that are left, the second, ... Rows that contradict each other in score or label, or of which one has failed and another has a score, are no copies. Of the copies the row with a score is kept, among these the one with the nearest customer, then the log record before the event; fields that it lacks come from the next, the customer from whichever knows it from nearest: NULL and ''ambiguous'' where the nearest place names several. simulated where any copy says so. The order of the rows makes no difference. evaluation_id is the key, with a number from the second result on, and identifies the rows; sources are those of the copies, of which there were as many as copies says. Error 42703 names missing columns.';

CREATE FUNCTION resolve_customers(spans regclass, evaluations regclass, key text DEFAULT 'evaluation_id')
    RETURNS TABLE (evaluation_id text, customer_id text, customer_source text, candidates integer)
    LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED COST 100000 ROWS 20000
    BEGIN ATOMIC
        -- what a reader inherited within one document is left out: it is found again, among all documents
        WITH span AS MATERIALIZED (
            SELECT r[1] AS trace, r[2] AS span, r[3] AS parent, r[4] AS session, r[5] AS session_source, r[6] AS customer,
                   CASE WHEN r[7] IN ('link', 'ancestor', 'trace', 'session', 'resource') THEN r[7] ELSE 'span' END AS source
            FROM clv_read_columns(spans, ARRAY['trace_id', 'span_id', 'parent_span_id', 'session_id', 'session_source',
                                               'customer_id', 'customer_source']) AS t (r)
        ), evaluation AS MATERIALIZED (
            -- one of several linked spans is no span of this trace, whichever it is
            SELECT r[1] AS id, r[2] AS trace, r[3] AS span, r[7] AS session, r[8] AS customer, r[9] AS source, r[6] AS target_by,
                   CASE WHEN r[6] IS DISTINCT FROM 'ambiguous' THEN coalesce(r[4], r[2]) END AS target_trace, r[5] AS target_span,
                   CASE WHEN r[6] IN ('link', 'attribute', 'ambiguous') THEN true WHEN r[6] = 'parent' THEN false
                        ELSE num_nulls(r[4], r[5]) < 2 AND (coalesce(r[4], r[2]), r[5]) IS DISTINCT FROM (r[2], r[3]) END AS is_linked,
                   r[8] IS NOT NULL AND coalesce(r[9] NOT IN ('span', 'link', 'ancestor', 'trace', 'session', 'resource'), true) AS is_own
            FROM clv_read_columns(evaluations, ARRAY[key, 'trace_id', 'span_id', 'target_trace_id', 'target_span_id', 'target_by',
                                                     'session_id', 'customer_id', 'customer_source'], key) AS t (r)
        ),
        -- spans that judge what they link to: whom they name is no customer of their trace
        judge AS MATERIALIZED (
            SELECT trace, span FROM evaluation WHERE target_by IN ('link', 'ambiguous') AND trace IS NOT NULL AND span IS NOT NULL
            UNION SELECT trace, span FROM span WHERE 'link' IN (source, session_source) AND trace IS NOT NULL AND span IS NOT NULL
        ), worker AS MATERIALIZED (
            SELECT * FROM span AS s WHERE NOT EXISTS (SELECT FROM judge AS j WHERE j.trace = s.trace AND j.span = s.span)
        ),
        -- the customers of a span, of a trace, of a session: how many, and one of them
        of_span AS MATERIALIZED (
            SELECT trace, span, count(DISTINCT customer)::integer AS n, min(customer) AS customer
            FROM (SELECT trace, span, customer FROM span WHERE source = 'span'
                  UNION ALL SELECT trace, span, customer FROM evaluation WHERE source = 'span') AS known
            WHERE trace IS NOT NULL AND span IS NOT NULL AND customer IS NOT NULL
            GROUP BY trace, span
        ), in_trace AS MATERIALIZED (
            SELECT DISTINCT trace, customer
            FROM (SELECT trace, customer FROM worker WHERE source = 'span'
                  UNION ALL SELECT trace, customer FROM evaluation WHERE source = 'trace'
                  UNION ALL SELECT trace, customer FROM evaluation
                            WHERE source IN ('span', 'ancestor') AND trace NOT IN (SELECT trace FROM judge)
                  UNION ALL SELECT target_trace, customer FROM evaluation WHERE is_own) AS known
            WHERE trace IS NOT NULL AND customer IS NOT NULL
        ), of_trace AS MATERIALIZED (
            SELECT trace, count(*)::integer AS n, min(customer) AS customer FROM in_trace GROUP BY trace
        ), session_of_trace AS MATERIALIZED (
            SELECT trace, CASE WHEN min(session) FILTER (WHERE is_here) = max(session) FILTER (WHERE is_here)
                               THEN min(session) FILTER (WHERE is_here) END AS session, min(session) = max(session) AS is_alone
            FROM worker, LATERAL (SELECT coalesce(session_source NOT IN ('ancestor', 'resource'), true)) AS u (is_here)
            WHERE trace IS NOT NULL GROUP BY trace
        ), of_session AS (
            SELECT session, count(DISTINCT customer)::integer AS n, min(customer) AS customer
            FROM (SELECT session, customer FROM span WHERE source = 'span' AND session_source IS DISTINCT FROM 'link'
                  UNION ALL SELECT session, customer FROM evaluation WHERE is_own OR source = 'session'
                  UNION ALL SELECT session, customer FROM session_of_trace JOIN in_trace USING (trace) WHERE is_alone) AS known
            WHERE session IS NOT NULL AND customer IS NOT NULL
            GROUP BY session
        ), of_resource AS (
            SELECT trace, span, count(DISTINCT customer)::integer AS n, min(customer) AS customer
            FROM span WHERE source = 'resource' AND trace IS NOT NULL AND span IS NOT NULL AND customer IS NOT NULL
            GROUP BY trace, span
        ),
        -- for each span the nearest one that knows: itself or an ancestor, in the traces where somebody asks
        asked AS (
            SELECT trace FROM evaluation WHERE NOT is_own UNION ALL SELECT target_trace FROM evaluation WHERE is_linked
        ), node AS MATERIALIZED (
            SELECT trace, span, parent, n, customer, row_number() OVER (ORDER BY trace, span COLLATE "C") AS number,
                   row_number() OVER (PARTITION BY trace ORDER BY span COLLATE "C")::integer AS position
            FROM (SELECT trace, span, max(parent) AS parent FROM span
                  WHERE span IS NOT NULL AND trace IN (SELECT trace FROM asked INTERSECT SELECT trace FROM of_span)
                  GROUP BY trace, span) AS s
            LEFT JOIN of_span USING (trace, span)
        ), forest AS (
            SELECT min(c.number - c.position) AS before,
                   clv_nearest_known(array_agg(p.position ORDER BY c.position), array_agg(c.n IS NOT NULL ORDER BY c.position)) AS nearest
            FROM node AS c LEFT JOIN node AS p ON p.trace = c.trace AND p.span = c.parent
            GROUP BY c.trace
        ), near_span AS MATERIALIZED (
            SELECT node.trace, node.span, known.n, known.customer
            FROM forest CROSS JOIN unnest(nearest) WITH ORDINALITY AS u (known_position, position)
            JOIN node ON node.number = before + u.position
            JOIN node AS known ON known.number = before + u.known_position
            WHERE u.known_position > 0
        )
        SELECT e.id, CASE WHEN answer.n = 1 THEN answer.customer END,
               CASE WHEN answer.n = 1 THEN answer.source WHEN answer.n > 1 OR e.source = 'ambiguous' THEN 'ambiguous' ELSE 'unknown' END,
               CASE WHEN answer.n IS NOT NULL OR e.source IS DISTINCT FROM 'ambiguous' THEN coalesce(answer.n, 0) END
        FROM evaluation AS e
        LEFT JOIN of_span ON of_span.trace = e.trace AND of_span.span = e.span
        LEFT JOIN near_span AS near_target ON e.is_linked AND near_target.trace = e.target_trace AND near_target.span = e.target_span
        LEFT JOIN of_trace AS of_target ON e.is_linked AND of_target.trace = e.target_trace
        LEFT JOIN near_span ON near_span.trace = e.trace AND near_span.span = e.span
        LEFT JOIN of_trace ON NOT e.is_linked AND of_trace.trace = e.trace
        LEFT JOIN session_of_trace ON session_of_trace.trace = e.target_trace
        LEFT JOIN of_session ON of_session.session = coalesce(e.session, session_of_trace.session)
        LEFT JOIN of_resource ON of_resource.trace = e.trace AND of_resource.span = e.span
        CROSS JOIN LATERAL (
            SELECT CASE WHEN e.is_own THEN 1 WHEN of_span.n > 0 THEN 2
                        WHEN near_target.n > 0 THEN 3 WHEN of_target.n > 0 THEN 4
                        WHEN e.source = 'link' AND e.customer IS NOT NULL THEN 5
                        WHEN e.source = 'ambiguous' AND e.target_by = 'ambiguous' THEN NULL
                        WHEN near_span.n > 0 THEN 6 WHEN e.source = 'ancestor' AND e.customer IS NOT NULL THEN 7
                        WHEN of_trace.n > 0 THEN 8 WHEN of_session.n > 0 THEN 9
                        WHEN e.source = 'resource' AND e.customer IS NOT NULL THEN 10 WHEN of_resource.n > 0 THEN 11 END) AS nearest (level)
        -- the position in these arrays is the level: keep all three in its order. One VALUES list of (level, n, customer, source)
        -- would say so by itself, but costs a quarter more time: it is sorted anew for every evaluation.
        CROSS JOIN LATERAL (
            SELECT (ARRAY[1, of_span.n, near_target.n, of_target.n, 1, near_span.n, 1, of_trace.n, of_session.n, 1, of_resource.n])[level],
                   (ARRAY[e.customer, of_span.customer, near_target.customer, of_target.customer, e.customer, near_span.customer,
                          e.customer, of_trace.customer, of_session.customer, e.customer, of_resource.customer])[level],
                   (ARRAY[coalesce(e.source, 'event'), 'span', 'link', 'link', 'link', 'ancestor',
                          'ancestor', 'trace', 'session', 'resource', 'resource'])[level]) AS answer (n, customer, source);
    END;
COMMENT ON FUNCTION resolve_customers(regclass, regclass, text) IS 'the customer of every evaluation, found in a relation of spans (columns of otlp_spans()) and one of evaluations (columns of otlp_evaluations(), and a key): evaluation_id is the key as text, customer_id the customer, customer_source the nearest place that knows one: event (the result itself, or what else the reader says), span (that carries it), link (another span that it is about, its ancestors or trace), ancestor (the nearest one), trace (its spans and evaluations, but for spans that judge what they link to; not asked for results about another span, by link or attribute), session (its spans and evaluations, and the traces that are of this session alone), resource (of the span that carries it). candidates is how many customers that place knows; if several, the source is ''ambiguous'' and customer_id NULL. ''unknown'' and 0 where no place knows any; ''ambiguous'' and NULL where only the reader knew that there are several. Error 42703 names missing columns, 22023 where the key is NULL or the same in several rows. Takes time in proportion to the rows.';

-- Coverage: who is evaluated at all.
CREATE FUNCTION standardized_difference(mean_1 float8, variance_1 float8, mean_0 float8, variance_0 float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_rolling_standardized_difference' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION standardized_difference(float8, float8, float8, float8) IS 'standardized difference of two means (Austin 2009): (mean_1 - mean_0) / sqrt((variance_1 + variance_0) / 2), with sample variances; in standard deviations, whatever the unit and the numbers of rows. Beyond 0.1 in either direction two groups are commonly taken to differ. 0 where the means are equal; infinite where they differ and nothing varies. NULL where an argument is (var_samp() of a single row is). Error 22023: a negative variance, a NaN or infinite argument; 22003: a result out of range.';

CREATE FUNCTION evaluation_coverage(evaluations regclass, customers regclass, customer_key text DEFAULT 'customer_id')
    RETURNS TABLE (part text, item text, n bigint, share float8, matched bigint)
    LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED COST 100000 ROWS 20
    BEGIN ATOMIC
        WITH customer AS MATERIALIZED (
            SELECT r[1] AS id FROM clv_read_columns(customers, ARRAY[customer_key], customer_key) AS t (r)
        ), evaluation AS MATERIALIZED (
            SELECT CASE WHEN r[2] IS DISTINCT FROM 'ambiguous' THEN r[1] END AS id, r[2] AS source, customer.id IS NOT NULL AS is_matched
            FROM clv_read_columns(evaluations, ARRAY['customer_id', 'customer_source']) AS t (r)
            LEFT JOIN customer ON customer.id = r[1] AND r[2] IS DISTINCT FROM 'ambiguous'
        ), counted AS MATERIALIZED (
            SELECT count(*) AS n, count(id) AS known, count(*) FILTER (WHERE is_matched) AS matched,
                   count(*) FILTER (WHERE id IS NULL AND source = 'ambiguous') AS ambiguous,
                   count(DISTINCT id) FILTER (WHERE is_matched) AS covered
            FROM evaluation
        ), by_source AS (
            SELECT source, array_position(ARRAY['event', 'span', 'link', 'ancestor', 'trace', 'session', 'resource'], source) AS nearness,
                   count(*) AS n, count(*) FILTER (WHERE is_matched) AS matched
            FROM evaluation WHERE id IS NOT NULL GROUP BY source
        ), line (section, position, name, part, item, n, whole, matched) AS (
            SELECT 1, v.position, NULL, 'evaluations', v.item, v.n, c.n, v.matched
            FROM counted AS c, LATERAL (VALUES
                (1, 'all', c.n, c.matched), (2, 'with a customer id', c.known, c.matched), (3, 'matched to a customer', c.matched, c.matched),
                (4, 'with the id of no customer', c.known - c.matched, 0), (5, 'ambiguous', c.ambiguous, 0),
                (6, 'without a customer id', c.n - c.known - c.ambiguous, 0)) AS v (position, item, n, matched)
            UNION ALL
            SELECT 2, nearness, source, 'customer id found in', coalesce(source, 'unknown place'), by_source.n, c.n, by_source.matched
            FROM by_source, counted AS c
            UNION ALL
            SELECT 3, v.position, NULL, 'customers', v.item, v.n, k.n, NULL
            FROM counted AS c, (SELECT count(*) AS n FROM customer) AS k, LATERAL (VALUES
                (1, 'all', k.n), (2, 'with an evaluation', c.covered), (3, 'without any evaluation', k.n - c.covered)) AS v (position, item, n)
        )
        SELECT part, item, n, n::float8 / nullif(whole, 0), matched FROM line ORDER BY section, position, name;
    END;
COMMENT ON FUNCTION evaluation_coverage(regclass, regclass, text) IS 'how much of the evaluations can be joined to customers: n, share of the whole, and how many of n were matched, for the evaluations (all, with a customer id, matched to a customer, with the id of no customer, ambiguous (whatever the id), without an id), for the places where the ids were found, and for the customers (all, with and without an evaluation; matched is NULL). evaluations is a relation with customer_id and customer_source, as resolve_customers() and otlp_evaluations() have them, customers one with a row for each customer, identified by the column customer_key; ids are compared as text. Error 42703 names missing columns, 22023 where the key is NULL or the same in several rows.';

CREATE FUNCTION clv_numeric_columns(relation regclass, columns text[], key text) RETURNS text[]
    LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED COST 100
    AS $$
DECLARE
    numbers text[];
    others text;
BEGIN
    SELECT array_agg(a.attname::text ORDER BY coalesce(array_position(columns, a.attname::text), a.attnum)) FILTER (WHERE t.is_number),
           string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE NOT t.is_number)
        INTO numbers, others
    FROM pg_catalog.pg_attribute AS a,
         -- a domain is a number where the type at the bottom of it is
         LATERAL (WITH RECURSIVE base AS (
                      SELECT a.atttypid AS type
                      UNION ALL
                      SELECT t.typbasetype FROM base JOIN pg_catalog.pg_type AS t ON t.oid = base.type WHERE t.typbasetype <> 0)
                  SELECT bool_or(type IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'float4'::regtype, 'float8'::regtype,
                                          'numeric'::regtype)) FROM base) AS t (is_number)
    WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
      AND CASE WHEN columns IS NULL THEN a.attname <> key AND t.is_number ELSE a.attname = ANY (columns) END;
    IF others IS NOT NULL OR numbers IS NULL THEN
        RAISE EXCEPTION 'there are no numbers to compare in %', concat_ws(' of ', others, relation) USING ERRCODE = 'datatype_mismatch',
            HINT = 'Numbers are integer, numeric and float; cast others in a view, such as is_member::int.';
    END IF;
    RETURN numbers;
END $$;
COMMENT ON FUNCTION clv_numeric_columns(regclass, text[], text) IS 'internal: those of the columns that are numbers or domains over them, or all such columns but the key where columns is NULL; error 42804 where one is not, or none is';

CREATE FUNCTION coverage_balance(evaluations regclass, customers regclass, columns text[] DEFAULT NULL,
        customer_key text DEFAULT 'customer_id', threshold float8 DEFAULT 0.1)
    RETURNS TABLE (column_name text, covered bigint, uncovered bigint, covered_missing bigint, uncovered_missing bigint,
                   covered_mean float8, uncovered_mean float8, covered_sd float8, uncovered_sd float8,
                   difference float8, flagged boolean)
    LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED COST 100000 ROWS 10
    AS $$
DECLARE
    schema name := (SELECT n.nspname FROM pg_catalog.pg_extension AS e JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
                    WHERE e.extname = 'clv');
    numbers text[];
    large text;
BEGIN
    IF NOT coalesce(threshold >= 0 AND threshold < 'Infinity', false) THEN
        RAISE EXCEPTION 'threshold must be a finite number and not negative' USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('Got %s.', coalesce(threshold::text, 'NULL')), HINT = '0.1 is usual.';
    END IF;
    EXECUTE format('SELECT %I.clv_require_columns($1, ''{customer_id}'')', schema) USING evaluations;
    EXECUTE format('SELECT %I.clv_require_columns($1, $2, $3)', schema) USING customers, customer_key || columns, customer_key;
    EXECUTE format('SELECT %I.clv_numeric_columns($1, $2, $3)', schema) INTO numbers USING customers, columns, customer_key;
    -- var_samp() squares sums of up to twice as many values as there are rows; what fails there would not name the column
    EXECUTE format('SELECT format(''The largest is about %%s, in column %%s.'', trim(to_char(number, ''9.9EEEE'')), name)
                    FROM (SELECT unnest($1) AS name, unnest(ARRAY[%s]) AS number, count(*) OVER () AS n FROM %s) AS v
                    WHERE number < ''Infinity'' AND 2 * n * number > 1e154 ORDER BY number DESC, name LIMIT 1',
                   (SELECT string_agg(format('abs(%I::numeric)', number), ', ' ORDER BY position)
                    FROM unnest(numbers) WITH ORDINALITY AS u (number, position)), customers)
        INTO large USING (SELECT array_agg(quote_ident(number) ORDER BY position) FROM unnest(numbers) WITH ORDINALITY AS u (number, position));
    IF large IS NOT NULL THEN
        RAISE EXCEPTION 'numbers of % are too large to compare', customers USING ERRCODE = 'numeric_value_out_of_range',
            DETAIL = large, HINT = 'Sums of their squares must be in the range of double precision: give the column another unit in a view.';
    END IF;
    RETURN QUERY EXECUTE format($query$
        SELECT name, n_1, n_0, missing_1, missing_0, mean_1, mean_0, sqrt(variance_1), sqrt(variance_0), d, abs(d) > $2
        FROM (SELECT v.position, v.name,
                     count(x) FILTER (WHERE is_covered) AS n_1, count(x) FILTER (WHERE NOT is_covered) AS n_0,
                     count(*) FILTER (WHERE is_covered AND x IS NULL) AS missing_1, count(*) FILTER (WHERE NOT is_covered AND x IS NULL) AS missing_0,
                     avg(x) FILTER (WHERE is_covered) AS mean_1, avg(x) FILTER (WHERE NOT is_covered) AS mean_0,
                     var_samp(x) FILTER (WHERE is_covered) AS variance_1, var_samp(x) FILTER (WHERE NOT is_covered) AS variance_0
              FROM (SELECT %2$I::text AS id, ARRAY[%3$s] AS numbers FROM %4$s) AS c
              LEFT JOIN (SELECT DISTINCT customer_id::text AS id FROM %5$s WHERE customer_id IS NOT NULL) AS e USING (id)
              CROSS JOIN LATERAL unnest($1, c.numbers) WITH ORDINALITY AS v (name, number, position)
              CROSS JOIN LATERAL (SELECT CASE WHEN number > '-Infinity' AND number < 'Infinity' THEN number END, e.id IS NOT NULL) AS u (x, is_covered)
              GROUP BY 1, 2) AS s
        CROSS JOIN LATERAL %1$I.standardized_difference(mean_1, variance_1, mean_0, variance_0) AS d
        ORDER BY position$query$,
        schema, customer_key, (SELECT string_agg(format('%I::float8', number), ', ' ORDER BY position)
                               FROM unnest(numbers) WITH ORDINALITY AS u (number, position)), customers, evaluations)
        USING numbers, threshold;
END $$;
COMMENT ON FUNCTION coverage_balance(regclass, regclass, text[], text, float8) IS 'whether customers with an evaluation differ from those without: for each column of numbers of customers (all but the key unless columns names some) the numbers of covered and uncovered customers with a value, and without one (NULL, NaN, infinite), means, standard deviations, standardized_difference() of covered less uncovered, and whether it lies beyond the threshold in either direction. Statistics are NULL where a group is too small for them. evaluations is a relation with customer_id, customers one with a row for each customer, identified by customer_key; ids are compared as text. Error 42703 names missing columns, 42804 where one is no number, 22023: the key NULL or the same in several rows, a threshold below 0 or not finite; 22003: numbers whose sums of squares would be beyond double precision.';

-- ---- regression: samples --------------------------------------------------------------------------------------------

-- Transition functions: not for direct use. Rows with a NULL are counted as skipped.
CREATE FUNCTION clv_regression_add(clv_sample, float8, float8[]) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_regression_add_float8' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_regression_add(clv_sample, boolean, float8[]) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_regression_add_boolean' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_regression_add(clv_sample, float8, float8[], bigint) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_regression_add_float8_of_bigint' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_regression_add(clv_sample, float8, float8[], text) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_regression_add_float8_of_text' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_regression_add(clv_sample, boolean, float8[], bigint) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_regression_add_boolean_of_bigint' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_regression_add(clv_sample, boolean, float8[], text) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_regression_add_boolean_of_text' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;

COMMENT ON FUNCTION clv_regression_add(clv_sample, float8, float8[]) IS 'transition: count one row of a regression';
COMMENT ON FUNCTION clv_regression_add(clv_sample, boolean, float8[]) IS 'transition: count one row of a regression';
COMMENT ON FUNCTION clv_regression_add(clv_sample, float8, float8[], bigint) IS 'transition: count one row of a regression';
COMMENT ON FUNCTION clv_regression_add(clv_sample, float8, float8[], text) IS 'transition: count one row of a regression';
COMMENT ON FUNCTION clv_regression_add(clv_sample, boolean, float8[], bigint) IS 'transition: count one row of a regression';
COMMENT ON FUNCTION clv_regression_add(clv_sample, boolean, float8[], text) IS 'transition: count one row of a regression';

CREATE AGGREGATE regression_sample(y float8, x float8[]) (
    SFUNC = clv_regression_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
CREATE AGGREGATE regression_sample(y boolean, x float8[]) (
    SFUNC = clv_regression_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
CREATE AGGREGATE regression_sample(y float8, x float8[], cluster bigint) (
    SFUNC = clv_regression_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
CREATE AGGREGATE regression_sample(y float8, x float8[], cluster text) (
    SFUNC = clv_regression_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
CREATE AGGREGATE regression_sample(y boolean, x float8[], cluster bigint) (
    SFUNC = clv_regression_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
CREATE AGGREGATE regression_sample(y boolean, x float8[], cluster text) (
    SFUNC = clv_regression_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE regression_sample(float8, float8[]) IS 'the rows of a regression: a response y and 1 to 32 regressors x, the same in the same order in all rows; distinct rows with counts, for lm_fit() and logit_fit(). Merged by clv_sample(). Rows with a NULL, also within x, are dropped and counted (sample_info(), glance()). Error 22023: an x that is empty, longer, of another length than before or no list, a NaN or infinite number.';
COMMENT ON AGGREGATE regression_sample(boolean, float8[]) IS 'the rows of a regression: a response y and 1 to 32 regressors x, the same in the same order in all rows; distinct rows with counts, for logit_fit(), or a linear model of the probability by lm_fit(): true is 1, false 0. Merged by clv_sample(). Rows with a NULL, also within x, are dropped and counted (sample_info(), glance()). Error 22023: an x that is empty, longer, of another length than before or no list, a NaN or infinite number.';
COMMENT ON AGGREGATE regression_sample(float8, float8[], bigint) IS 'the rows of a regression: a cluster, a response y and 1 to 32 regressors x, the same in the same order in all rows; distinct rows with counts, for lm_fit() and logit_fit(). Errors of the fits then allow for dependence within clusters, such as the interactions of a customer; the bigint must be one that a double can hold. Merged by clv_sample(). Rows with a NULL, also within x, are dropped and counted (sample_info(), glance()). Error 22023: an x that is empty, longer, of another length than before or no list, a NaN or infinite number.';
COMMENT ON AGGREGATE regression_sample(float8, float8[], text) IS 'the rows of a regression: a cluster, a response y and 1 to 32 regressors x, the same in the same order in all rows; distinct rows with counts, for lm_fit() and logit_fit(). Errors of the fits then allow for dependence within clusters, such as the interactions of a customer; of the text 53 bits of its hash are kept. Merged by clv_sample(). Rows with a NULL, also within x, are dropped and counted (sample_info(), glance()). Error 22023: an x that is empty, longer, of another length than before or no list, a NaN or infinite number.';
COMMENT ON AGGREGATE regression_sample(boolean, float8[], bigint) IS 'the rows of a regression: a cluster, a response y and 1 to 32 regressors x, the same in the same order in all rows; distinct rows with counts, for logit_fit(), or a linear model of the probability by lm_fit(): true is 1, false 0. Errors of the fits then allow for dependence within clusters, such as the interactions of a customer; the bigint must be one that a double can hold. Merged by clv_sample(). Rows with a NULL, also within x, are dropped and counted (sample_info(), glance()). Error 22023: an x that is empty, longer, of another length than before or no list, a NaN or infinite number.';
COMMENT ON AGGREGATE regression_sample(boolean, float8[], text) IS 'the rows of a regression: a cluster, a response y and 1 to 32 regressors x, the same in the same order in all rows; distinct rows with counts, for logit_fit(), or a linear model of the probability by lm_fit(): true is 1, false 0. Errors of the fits then allow for dependence within clusters, such as the interactions of a customer; of the text 53 bits of its hash are kept. Merged by clv_sample(). Rows with a NULL, also within x, are dropped and counted (sample_info(), glance()). Error 22023: an x that is empty, longer, of another length than before or no list, a NaN or infinite number.';

-- ---- regression: moments --------------------------------------------------------------------------------------------

CREATE TYPE clv_moments;

CREATE FUNCTION clv_moments_in(cstring) RETURNS clv_moments
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_moments_out(clv_moments) RETURNS cstring
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_moments_recv(internal) RETURNS clv_moments
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_moments_send(clv_moments) RETURNS bytea
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;

CREATE TYPE clv_moments (
    INPUT = clv_moments_in, OUTPUT = clv_moments_out,
    RECEIVE = clv_moments_recv, SEND = clv_moments_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended
);
COMMENT ON TYPE clv_moments IS
'what least squares need of rows (y, x1, ..., xk) with weights: the rows themselves while they take no more room than what follows, then their number, weights, means, and a triangle of their deviations from the means (Gentleman 1973, Miller 1992), 32 bytes and 8 for each of 1 + 2 (k + 1) + (k + 1)(k + 2) / 2 numbers: 744 bytes for ten regressors, whatever the number of rows. Built by clv_moments(y, x); merged by clv_moments(moments) and by +, without loss; within_moments() takes the means of groups out. Read by lm_fit(), lm_cluster_fit(), correlation(), partial_correlation() and moments_summary(). Text: rows(x=2){weight:x1:x2:y,...}, triangle(x=2,n=100){...}, within(...), clusters(...).';

COMMENT ON FUNCTION clv_moments_in(cstring) IS
'Text input: the form that text output writes. Anything else is an error, as are numbers that no rows can have.';
COMMENT ON FUNCTION clv_moments_out(clv_moments) IS
'Text output: what is counted, and all numbers as shortest exact decimals, whatever the settings of the session.';
COMMENT ON FUNCTION clv_moments_recv(internal) IS
'Binary input; everything is checked, and anything that binary output would not write is an error.';
COMMENT ON FUNCTION clv_moments_send(clv_moments) IS
'Binary output: version, form, number of regressors, rows, dropped rows, groups, then the numbers as float8. Equal moments have equal bytes.';

-- building

-- Transition, combine and final functions: not for direct use. Rows with a NULL are counted as dropped.
CREATE FUNCTION clv_moments_add(state clv_moments, y float8, x float8[]) RETURNS clv_moments
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_moments_add(state clv_moments, y float8, x float8[], weight float8) RETURNS clv_moments
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_moments_add(state clv_moments, y boolean, x float8[]) RETURNS clv_moments
    AS 'MODULE_PATHNAME', 'clv_moments_add_boolean' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_moments_add(state clv_moments, y boolean, x float8[], weight float8) RETURNS clv_moments
    AS 'MODULE_PATHNAME', 'clv_moments_add_boolean' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_moments_combine(state clv_moments, other clv_moments) RETURNS clv_moments
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 50;
CREATE FUNCTION clv_moments_add_group(state clv_moments, "group" clv_moments) RETURNS clv_moments
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 50;
CREATE FUNCTION clv_moments_final(state clv_moments) RETURNS clv_moments
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;

COMMENT ON FUNCTION clv_moments_add(clv_moments, float8, float8[]) IS 'transition: rotate one row of weight 1 in';
COMMENT ON FUNCTION clv_moments_add(clv_moments, float8, float8[], float8) IS 'transition: rotate one row with its weight in';
COMMENT ON FUNCTION clv_moments_add(clv_moments, boolean, float8[]) IS 'transition: rotate one row of weight 1 in, y true as 1 and false as 0';
COMMENT ON FUNCTION clv_moments_add(clv_moments, boolean, float8[], float8) IS 'transition: rotate one row with its weight in, y true as 1 and false as 0';
COMMENT ON FUNCTION clv_moments_combine(clv_moments, clv_moments) IS 'combine: the moments of the rows of both states; NULL where both are NULL';
COMMENT ON FUNCTION clv_moments_add_group(clv_moments, clv_moments) IS 'transition: add what is left of one group without its means';
COMMENT ON FUNCTION clv_moments_final(clv_moments) IS 'final: the state in the form that is stored';

CREATE AGGREGATE clv_moments(y float8, x float8[]) (
    SFUNC = clv_moments_add, STYPE = clv_moments, SSPACE = 744,
    COMBINEFUNC = clv_moments_combine, FINALFUNC = clv_moments_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_moments(float8, float8[]) IS
'what least squares need of rows: a response y and 1 to 32 regressors x, the same in the same order in all rows; in one pass, mergeable, and without loss of digits however far the columns are from zero. Rows with a NULL, also within x, are dropped and counted. NULL without rows. Error 22023: an x that is empty, longer, of another length than before or no list, a NaN or infinite number. Error 22003: numbers other than 0 outside 1e-100 to 1e100. Source: Gentleman 1973, Miller 1992.';

CREATE AGGREGATE clv_moments(y boolean, x float8[]) (
    SFUNC = clv_moments_add, STYPE = clv_moments, SSPACE = 744,
    COMBINEFUNC = clv_moments_combine, FINALFUNC = clv_moments_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_moments(boolean, float8[]) IS 'clv_moments(y, x) of a y that is true (1) or false (0): least squares then explain the share of true.';

CREATE AGGREGATE clv_moments(y float8, x float8[], w float8) (
    SFUNC = clv_moments_add, STYPE = clv_moments, SSPACE = 744,
    COMBINEFUNC = clv_moments_combine, FINALFUNC = clv_moments_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_moments(float8, float8[], float8) IS
'clv_moments(y, x) of weighted rows: weights such as 1 / variance of y. Means, correlations and effects are weighted; the number of rows, which degrees of freedom come from, is not: of weights only the ratios count. A weight of 0 drops the row, and it is counted as dropped. Error 22023 also: a negative, NaN or infinite weight; 22003 also: a weight outside 1e-50 to 1e50.';

CREATE AGGREGATE clv_moments(y boolean, x float8[], w float8) (
    SFUNC = clv_moments_add, STYPE = clv_moments, SSPACE = 744,
    COMBINEFUNC = clv_moments_combine, FINALFUNC = clv_moments_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_moments(boolean, float8[], float8) IS 'clv_moments(y, x, w) of a y that is true (1) or false (0): least squares then explain the weighted share of true.';

CREATE AGGREGATE clv_moments(moments clv_moments) (
    SFUNC = clv_moments_combine, STYPE = clv_moments, SSPACE = 744,
    COMBINEFUNC = clv_moments_combine, FINALFUNC = clv_moments_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_moments(clv_moments) IS
'the moments of all rows from the moments of parts, such as days or customers, as if the rows themselves were read. NULLs are skipped; NULL without a value. Of moments within groups the groups add up. Error 22023: different numbers of regressors; moments of rows beside moments within groups.';

CREATE AGGREGATE within_moments(moments clv_moments) (
    SFUNC = clv_moments_add_group, STYPE = clv_moments, SSPACE = 744,
    COMBINEFUNC = clv_moments_combine, FINALFUNC = clv_moments_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE within_moments(clv_moments) IS
'moments within groups (fixed effects): GROUP BY cohort first, and each input''s means are taken out, so that differences between the groups say nothing any more; correlation(), partial_correlation() and lm_fit() of it count one degree of freedom for each group with a row. A column that is constant within every group is left with nothing. An input that is within groups already is added as it is. NULLs are skipped; NULL without a value. Error 22023: different numbers of regressors.';

CREATE FUNCTION merge_moments(a clv_moments, b clv_moments) RETURNS clv_moments
    AS 'MODULE_PATHNAME', 'clv_moments_merge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION merge_moments(clv_moments, clv_moments) IS
'the moments of the rows of both, or of the groups of both. Rows that are in both count twice. NULL if either is NULL. Error 22023: different numbers of regressors; moments of rows beside moments within groups.';

CREATE OPERATOR + (
    LEFTARG = clv_moments, RIGHTARG = clv_moments, FUNCTION = merge_moments, COMMUTATOR = +
);
COMMENT ON OPERATOR + (clv_moments, clv_moments) IS 'the moments of the rows of both, as merge_moments().';

-- reading

CREATE FUNCTION moments_summary(moments clv_moments)
    RETURNS TABLE (n bigint, n_dropped bigint, groups bigint, sum_weights float8, columns integer, means float8[], std_devs float8[])
    AS 'MODULE_PATHNAME', 'clv_moments_summary' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50 ROWS 1;
COMMENT ON FUNCTION moments_summary(clv_moments) IS
'one row: rows that were of use, rows that were dropped, groups whose means were taken out (0: none), the sum of weights, the number of regressors, and the weighted means and standard deviations of x1, ..., xk, y in this order. Within groups the means are those of all rows, the standard deviations those within. With weights w the standard deviation is sqrt(sum of w (x - mean)^2 / sum of w * n / (n - 1)). Without a row of use sum_weights and what follows are NULL; standard deviations are NULL without a degree of freedom (n - 1, within n - groups).';

CREATE FUNCTION correlation(moments clv_moments, i integer, conf float8 DEFAULT 0.95)
    RETURNS TABLE (n bigint, df float8, estimate float8, conf_low float8, conf_high float8, p_value float8)
    AS 'MODULE_PATHNAME', 'clv_moments_correlation' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 1;
COMMENT ON FUNCTION correlation(clv_moments, integer, float8) IS
'Pearson''s correlation of y with x[i], i from 1 on; of moments within groups, that within groups. df: n - 2, within n - groups - 1. p_value: two-sided, by Student''s t with df degrees of freedom. The interval is Fisher''s, symmetric in artanh(estimate) with variance 1 / (df - 1), which is 1 / (n - 3) without groups. Weighted where the rows are; n counts rows. estimate is NULL, with a WARNING, where a column is constant; the interval is NULL for df < 2, p_value for df < 1, and both where the estimate is exactly -1 or 1. Rows are taken to be independent: repeated rows of a customer make the interval too narrow. Error 22023: no such i, conf not between 0 and 1. Source: Fisher 1921.';

CREATE FUNCTION partial_correlation(moments clv_moments, i integer, conf float8 DEFAULT 0.95)
    RETURNS TABLE (n bigint, df float8, estimate float8, conf_low float8, conf_high float8, p_value float8)
    AS 'MODULE_PATHNAME', 'clv_moments_partial_correlation' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 1;
COMMENT ON FUNCTION partial_correlation(clv_moments, integer, float8) IS
'the correlation of y with x[i], i from 1 on, given all other x: of what is left of both when the others have explained what they can. df: that of correlation() less the number of other x (those that are combinations of others do not count); interval and p_value as there with this df. p_value is that of the effect of x[i] in lm_fit(). estimate is NULL, with a WARNING, where the other x leave nothing of x[i] or of y. Error 22023: no such i, conf not between 0 and 1. Source: Fisher 1924.';

-- comparison: a total order without a meaning of its own, for =, DISTINCT, GROUP BY, UNION and merge joins

CREATE FUNCTION clv_moments_eq(a clv_moments, b clv_moments) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION clv_moments_ne(a clv_moments, b clv_moments) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION clv_moments_lt(a clv_moments, b clv_moments) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION clv_moments_le(a clv_moments, b clv_moments) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION clv_moments_gt(a clv_moments, b clv_moments) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION clv_moments_ge(a clv_moments, b clv_moments) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION clv_moments_cmp(a clv_moments, b clv_moments) RETURNS integer
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION clv_moments_hash(clv_moments) RETURNS integer
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION clv_moments_hash_extended(clv_moments, seed bigint) RETURNS bigint
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;

COMMENT ON FUNCTION clv_moments_eq(clv_moments, clv_moments) IS 'Implementation of the = operator.';
COMMENT ON FUNCTION clv_moments_ne(clv_moments, clv_moments) IS 'Implementation of the <> operator.';
COMMENT ON FUNCTION clv_moments_lt(clv_moments, clv_moments) IS 'Implementation of the < operator.';
COMMENT ON FUNCTION clv_moments_le(clv_moments, clv_moments) IS 'Implementation of the <= operator.';
COMMENT ON FUNCTION clv_moments_gt(clv_moments, clv_moments) IS 'Implementation of the > operator.';
COMMENT ON FUNCTION clv_moments_ge(clv_moments, clv_moments) IS 'Implementation of the >= operator.';
COMMENT ON FUNCTION clv_moments_cmp(clv_moments, clv_moments) IS '-1, 0 or 1: the order of the canonical bytes, without further meaning.';
COMMENT ON FUNCTION clv_moments_hash(clv_moments) IS 'Hash of moments; equal moments have equal hashes.';
COMMENT ON FUNCTION clv_moments_hash_extended(clv_moments, bigint) IS 'Hash of moments with a seed.';

CREATE OPERATOR = (
    LEFTARG = clv_moments, RIGHTARG = clv_moments, FUNCTION = clv_moments_eq,
    COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR <> (
    LEFTARG = clv_moments, RIGHTARG = clv_moments, FUNCTION = clv_moments_ne,
    COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR < (
    LEFTARG = clv_moments, RIGHTARG = clv_moments, FUNCTION = clv_moments_lt,
    COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR <= (
    LEFTARG = clv_moments, RIGHTARG = clv_moments, FUNCTION = clv_moments_le,
    COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR > (
    LEFTARG = clv_moments, RIGHTARG = clv_moments, FUNCTION = clv_moments_gt,
    COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR >= (
    LEFTARG = clv_moments, RIGHTARG = clv_moments, FUNCTION = clv_moments_ge,
    COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);

COMMENT ON OPERATOR = (clv_moments, clv_moments) IS 'Equal bytes: the same rows, or the same triangle. Triangles of the same rows that came in another order may differ in their last digits.';
COMMENT ON OPERATOR <> (clv_moments, clv_moments) IS 'Not equal.';
COMMENT ON OPERATOR < (clv_moments, clv_moments) IS 'Less than, in the order of the canonical bytes.';
COMMENT ON OPERATOR <= (clv_moments, clv_moments) IS 'Less than or equal, in the order of the canonical bytes.';
COMMENT ON OPERATOR > (clv_moments, clv_moments) IS 'Greater than, in the order of the canonical bytes.';
COMMENT ON OPERATOR >= (clv_moments, clv_moments) IS 'Greater than or equal, in the order of the canonical bytes.';

CREATE OPERATOR CLASS clv_moments_ops DEFAULT FOR TYPE clv_moments USING btree AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
    FUNCTION 1 clv_moments_cmp(clv_moments, clv_moments);
CREATE OPERATOR CLASS clv_moments_ops DEFAULT FOR TYPE clv_moments USING hash AS
    OPERATOR 1 =, FUNCTION 1 clv_moments_hash(clv_moments), FUNCTION 2 clv_moments_hash_extended(clv_moments, bigint);
COMMENT ON OPERATOR CLASS clv_moments_ops USING btree IS 'Order of the canonical bytes, for DISTINCT, GROUP BY, UNION and merge joins.';
COMMENT ON OPERATOR CLASS clv_moments_ops USING hash IS 'Equality of the canonical bytes, for DISTINCT, GROUP BY, UNION and hash joins.';

-- ---- regression: linear ---------------------------------------------------------------------------------------------

-- Transition, combine and final functions: not for direct use.
CREATE FUNCTION clv_lm_add_cluster(clv_moments, clv_moments) RETURNS clv_moments
    AS 'MODULE_PATHNAME', 'clv_lm_add_cluster' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_lm_cluster_final(clv_moments) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_lm_cluster_fit' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000;
CREATE FUNCTION clv_lm_add_score(bytea, clv_model, float8, float8[], bigint) RETURNS bytea
    AS 'MODULE_PATHNAME', 'clv_lm_add_score_of_bigint' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 20;
CREATE FUNCTION clv_lm_add_score(bytea, clv_model, float8, float8[], text) RETURNS bytea
    AS 'MODULE_PATHNAME', 'clv_lm_add_score_of_text' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 20;
CREATE FUNCTION clv_lm_add_score(bytea, clv_model, boolean, float8[], bigint) RETURNS bytea
    AS 'MODULE_PATHNAME', 'clv_lm_add_score_boolean_of_bigint' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 20;
CREATE FUNCTION clv_lm_add_score(bytea, clv_model, boolean, float8[], text) RETURNS bytea
    AS 'MODULE_PATHNAME', 'clv_lm_add_score_boolean_of_text' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 20;
CREATE FUNCTION clv_lm_combine_scores(bytea, bytea) RETURNS bytea
    AS 'MODULE_PATHNAME', 'clv_lm_combine_scores' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000;
CREATE FUNCTION clv_lm_vcov_final(bytea) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_lm_cluster_vcov' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;

COMMENT ON FUNCTION clv_lm_add_cluster(clv_moments, clv_moments) IS 'transition: keep the moments of one cluster';
COMMENT ON FUNCTION clv_lm_cluster_final(clv_moments) IS 'final: the linear model of the clusters that were kept';
COMMENT ON FUNCTION clv_lm_add_score(bytea, clv_model, float8, float8[], bigint) IS 'transition: add one row to the score of its cluster';
COMMENT ON FUNCTION clv_lm_add_score(bytea, clv_model, float8, float8[], text) IS 'transition: add one row to the score of its cluster';
COMMENT ON FUNCTION clv_lm_add_score(bytea, clv_model, boolean, float8[], bigint) IS 'transition: add one row, y true as 1 and false as 0, to the score of its cluster';
COMMENT ON FUNCTION clv_lm_add_score(bytea, clv_model, boolean, float8[], text) IS 'transition: add one row, y true as 1 and false as 0, to the score of its cluster';
COMMENT ON FUNCTION clv_lm_combine_scores(bytea, bytea) IS 'combine: the scores of the clusters of both states';
COMMENT ON FUNCTION clv_lm_vcov_final(bytea) IS 'final: the model with the errors of the scores';

CREATE FUNCTION lm_fit(moments clv_moments) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_lm_fit_moments' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION lm_fit(clv_moments) IS 'linear regression of y on x by least squares, from clv_moments(y, x [, w]): in one pass over the rows, and again of any union of groups. Errors are the model''s own: equal variance, or variance in proportion to 1 / w, and rows that do not depend on each other; use regression_sample() for errors HC0 to HC3, lm_cluster_fit() for rows of clusters. tidy() names the terms intercept, x1, x2, ..., with Student''s t; glance() has n, n_skipped, df, sigma, r_squared and F. Of within_moments() the effects are those within groups: the intercept is NULL, each group costs a degree of freedom, r_squared is the share of what varies within groups. log_likelihood is that of normal residuals, with weights scaled to a mean of 1. A column that is constant, or a linear combination of those before it, has estimate NULL, after a WARNING that names it. NULL with a WARNING where there are no more rows than parameters, and where y is a linear function of x without any residual, because nothing then tells how sure the effects are.';

CREATE AGGREGATE lm_fit(y float8, x float8[]) (
    SFUNC = clv_moments_add, STYPE = clv_moments, SSPACE = 744,
    COMBINEFUNC = clv_moments_combine, FINALFUNC = lm_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE lm_fit(float8, float8[]) IS 'linear regression of y on x by least squares: lm_fit(clv_moments(y, x)) in one pass, with the model''s own errors, which take rows to be independent and of equal variance. x is 1 to 32 numbers, the same in the same order in all rows. Rows with a NULL, also within x, are dropped and counted. tidy() names the terms intercept, x1, x2, ..., with Student''s t; glance() has n, n_skipped, df, sigma, r_squared and F. A column that is constant, or a linear combination of those before it, has estimate NULL, after a WARNING that names it. NULL with a WARNING where there are no more rows than parameters, and where y is a linear function of x without any residual, because nothing then tells how sure the effects are. Errors as clv_moments(y, x).';

CREATE AGGREGATE lm_fit(y boolean, x float8[]) (
    SFUNC = clv_moments_add, STYPE = clv_moments, SSPACE = 744,
    COMBINEFUNC = clv_moments_combine, FINALFUNC = lm_fit, PARALLEL = SAFE
);
COMMENT ON AGGREGATE lm_fit(boolean, float8[]) IS 'lm_fit(y, x) of a y that is true (1) or false (0), the linear probability model: the effect of x in points of probability. Its residuals are never of equal variance, which the errors of this fit take them to be: see lm_fit(regression_sample(y, x), ''HC1''), and logit_fit() for probabilities that stay between 0 and 1.';

CREATE FUNCTION lm_fit(sample clv_sample, errors text DEFAULT NULL) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_lm_fit_sample' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION lm_fit(clv_sample, text) IS 'linear regression of y on x by least squares, from regression_sample(y, x [, cluster]), in one pass over its rows, and another for robust errors. errors: ''model'' (equal variance; the default without clusters), ''HC0'' to ''HC3'' (robust against unequal variance: White 1980; MacKinnon and White 1985; HC3 is the one for few rows), ''CR1'' (robust against dependence within clusters: Liang and Zeger 1986, with the factor G / (G - 1) (N - 1) / (N - K) and Student''s t of G - 1 degrees of freedom; the default with clusters). The F of glance() is then that of Wald''s test, NULL for more effects than clusters less 1. tidy() names the terms intercept, x1, x2, ..., with Student''s t; glance() has n, n_skipped, df, sigma, r_squared and F. A column that is constant, or a linear combination of those before it, has estimate NULL, after a WARNING that names it. NULL with a WARNING where there are no more rows than parameters, and where y is a linear function of x without any residual, because nothing then tells how sure the effects are. NULL with a WARNING also for fewer than two clusters; errors are NULL, with a WARNING, for HC2 and HC3 where a row has leverage 1, and where a robust error would be 0. Error 22023: another sample, unknown errors, CR1 without clusters. NULL for NULL; errors NULL is the default.';

CREATE AGGREGATE lm_cluster_fit(moments clv_moments) (
    SFUNC = clv_lm_add_cluster, STYPE = clv_moments, SSPACE = 65536,
    COMBINEFUNC = clv_moments_combine, FINALFUNC = clv_lm_cluster_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE lm_cluster_fit(clv_moments) IS 'linear regression of y on x by least squares with errors robust against dependence within clusters (CR1, Liang and Zeger 1986; G / (G - 1) (N - 1) / (N - K), Student''s t of G - 1 degrees of freedom), in one pass over the rows: each value is the clv_moments(y, x [, w]) of all rows of one cluster, such as GROUP BY customer, and is kept until the end. Memory: 8 bytes for each number of a cluster of few rows, or (k + 3) (k + 4) / 2 numbers for k regressors. tidy() names the terms intercept, x1, x2, ..., with Student''s t; glance() has n, n_skipped, df, sigma, r_squared and F. A column that is constant, or a linear combination of those before it, has estimate NULL, after a WARNING that names it. NULL with a WARNING where there are no more rows than parameters, and where y is a linear function of x without any residual, because nothing then tells how sure the effects are. NULL with a WARNING also for fewer than two clusters. NULLs are skipped. Error 54000 where the state would pass 1 GB: see lm_cluster_vcov(); 22023 for moments within groups.';

CREATE AGGREGATE lm_cluster_vcov(model clv_model, y float8, x float8[], cluster bigint) (
    SFUNC = clv_lm_add_score, STYPE = bytea, SSPACE = 65536,
    COMBINEFUNC = clv_lm_combine_scores, FINALFUNC = clv_lm_vcov_final, PARALLEL = SAFE
);
CREATE AGGREGATE lm_cluster_vcov(model clv_model, y float8, x float8[], cluster text) (
    SFUNC = clv_lm_add_score, STYPE = bytea, SSPACE = 65536,
    COMBINEFUNC = clv_lm_combine_scores, FINALFUNC = clv_lm_vcov_final, PARALLEL = SAFE
);
CREATE AGGREGATE lm_cluster_vcov(model clv_model, y boolean, x float8[], cluster bigint) (
    SFUNC = clv_lm_add_score, STYPE = bytea, SSPACE = 65536,
    COMBINEFUNC = clv_lm_combine_scores, FINALFUNC = clv_lm_vcov_final, PARALLEL = SAFE
);
CREATE AGGREGATE lm_cluster_vcov(model clv_model, y boolean, x float8[], cluster text) (
    SFUNC = clv_lm_add_score, STYPE = bytea, SSPACE = 65536,
    COMBINEFUNC = clv_lm_combine_scores, FINALFUNC = clv_lm_vcov_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE lm_cluster_vcov(clv_model, float8, float8[], bigint) IS 'the linear model with other errors: those of lm_cluster_fit(), robust against dependence within clusters (CR1), in a second pass over the rows that it was fitted to, in any order. For more clusters than lm_cluster_fit() can keep: memory is 8 (k + 3) bytes for each cluster and k regressors, and as much for room to grow. The model is the same in all rows. Rows with a NULL in y, x or cluster, or without a model, are dropped. NULL with a WARNING for fewer than two clusters; a WARNING where the rows are not those of the model. Error 22023: two different models, a model that is no linear fit or was fitted within groups, an x of another length; 22003: numbers beyond 1e-100 to 1e100; 54000 where the state would pass 1 GB. The bigint must be one that a double can hold.';
COMMENT ON AGGREGATE lm_cluster_vcov(clv_model, float8, float8[], text) IS 'the linear model with other errors: those of lm_cluster_fit(), robust against dependence within clusters (CR1), in a second pass over the rows that it was fitted to, in any order. For more clusters than lm_cluster_fit() can keep: memory is 8 (k + 3) bytes for each cluster and k regressors, and as much for room to grow. The model is the same in all rows. Rows with a NULL in y, x or cluster, or without a model, are dropped. NULL with a WARNING for fewer than two clusters; a WARNING where the rows are not those of the model. Error 22023: two different models, a model that is no linear fit or was fitted within groups, an x of another length; 22003: numbers beyond 1e-100 to 1e100; 54000 where the state would pass 1 GB. Of the text 53 bits of its hash are kept.';
COMMENT ON AGGREGATE lm_cluster_vcov(clv_model, boolean, float8[], bigint) IS 'lm_cluster_vcov(model, y, x, cluster) of a y that is true (1) or false (0), as lm_fit(boolean, x) takes it.';
COMMENT ON AGGREGATE lm_cluster_vcov(clv_model, boolean, float8[], text) IS 'lm_cluster_vcov(model, y, x, cluster) of a y that is true (1) or false (0), as lm_fit(boolean, x) takes it.';

-- ---- regression: logistic -------------------------------------------------------------------------------------------

CREATE FUNCTION logit_fit(sample clv_sample, method text DEFAULT 'ml', errors text DEFAULT NULL) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_logit_fit' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 300000;   -- errors NULL: those that the sample calls for
COMMENT ON FUNCTION logit_fit(clv_sample, text, text) IS 'logistic regression of a sample of regression_sample(y, x [, cluster]), y true or false, or 1 or 0: the log odds of y are intercept + x1 times x[1] + ... . method ''ml'' is maximum likelihood, ''firth'' Firth''s penalised likelihood, which has finite effects also where events are separated, with errors ''model'' only. errors: ''model'' (inverse information), ''HC0'', ''HC1'' (factor n / (n - parameters)), ''CR1'' (robust against dependence within clusters: factor G / (G - 1), t with G - 1 degrees of freedom); NULL: ''CR1'' with clusters, else ''model''. A column that is constant or follows from those before it has an estimate of NULL, with a WARNING. NULL with a WARNING where y is the same in all rows, and where it is separated: some regressors, which are named, settle y, and their effects run off to infinity. Error 22023: a y that is neither 0 nor 1, another kind of sample, an unknown method or kind of errors. Sources: Firth 1993; Heinze and Schemper 2002; White 1982; Liang and Zeger 1986.';

CREATE FUNCTION clv_logit_fit_final(clv_sample) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_logit_fit_final' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 300000;
COMMENT ON FUNCTION clv_logit_fit_final(clv_sample) IS 'final: the logistic regression of the rows';

CREATE AGGREGATE logit_fit(y boolean, x float8[]) (
    SFUNC = clv_regression_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_logit_fit_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE logit_fit(boolean, float8[]) IS 'logistic regression by maximum likelihood: the log odds of y are intercept + x1 times x[1] + ..., x 1 to 32 numbers, the same in the same order in all rows. y is whether the event happened. Standard errors are those of the model, for rows that are independent of each other. Rows with a NULL, also within x, are dropped and counted, see glance(). A column that is constant or follows from those before it has an estimate of NULL, with a WARNING. NULL with a WARNING where y is the same in all rows, and where some regressors, which are named, settle y (separation): see logit_fit(sample, ''firth''). Error 22023: an x that is empty, longer, of another length than before or no list, a NaN or infinite number. Other methods and errors: logit_fit(sample, method, errors) of a regression_sample().';

CREATE AGGREGATE logit_fit(y float8, x float8[]) (
    SFUNC = clv_regression_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_logit_fit_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE logit_fit(float8, float8[]) IS 'logistic regression by maximum likelihood: the log odds of y are intercept + x1 times x[1] + ..., x 1 to 32 numbers, the same in the same order in all rows. y is 1 where the event happened, else 0. Standard errors are those of the model, for rows that are independent of each other. Rows with a NULL, also within x, are dropped and counted, see glance(). A column that is constant or follows from those before it has an estimate of NULL, with a WARNING. NULL with a WARNING where y is the same in all rows, and where some regressors, which are named, settle y (separation): see logit_fit(sample, ''firth''). Error 22023: a y that is neither 0 nor 1, an x that is empty, longer, of another length than before or no list, a NaN or infinite number. Other methods and errors: logit_fit(sample, method, errors) of a regression_sample().';

CREATE AGGREGATE logit_fit(y boolean, x float8[], cluster bigint) (
    SFUNC = clv_regression_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_logit_fit_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE logit_fit(boolean, float8[], bigint) IS 'logistic regression by maximum likelihood: the log odds of y are intercept + x1 times x[1] + ..., x 1 to 32 numbers, the same in the same order in all rows. y is whether the event happened. Standard errors are robust against dependence within clusters (CR1: factor G / (G - 1), t with G - 1 degrees of freedom), such as the interactions of a customer; the bigint must be one that a double can hold. Rows with a NULL, also within x, are dropped and counted, see glance(). A column that is constant or follows from those before it has an estimate of NULL, with a WARNING. NULL with a WARNING where y is the same in all rows, and where some regressors, which are named, settle y (separation): see logit_fit(sample, ''firth''). Error 22023: an x that is empty, longer, of another length than before or no list, a NaN or infinite number. Other methods and errors: logit_fit(sample, method, errors) of a regression_sample().';

CREATE AGGREGATE logit_fit(y float8, x float8[], cluster bigint) (
    SFUNC = clv_regression_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_logit_fit_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE logit_fit(float8, float8[], bigint) IS 'logistic regression by maximum likelihood: the log odds of y are intercept + x1 times x[1] + ..., x 1 to 32 numbers, the same in the same order in all rows. y is 1 where the event happened, else 0. Standard errors are robust against dependence within clusters (CR1: factor G / (G - 1), t with G - 1 degrees of freedom), such as the interactions of a customer; the bigint must be one that a double can hold. Rows with a NULL, also within x, are dropped and counted, see glance(). A column that is constant or follows from those before it has an estimate of NULL, with a WARNING. NULL with a WARNING where y is the same in all rows, and where some regressors, which are named, settle y (separation): see logit_fit(sample, ''firth''). Error 22023: a y that is neither 0 nor 1, an x that is empty, longer, of another length than before or no list, a NaN or infinite number. Other methods and errors: logit_fit(sample, method, errors) of a regression_sample().';

CREATE AGGREGATE logit_fit(y boolean, x float8[], cluster text) (
    SFUNC = clv_regression_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_logit_fit_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE logit_fit(boolean, float8[], text) IS 'logistic regression by maximum likelihood: the log odds of y are intercept + x1 times x[1] + ..., x 1 to 32 numbers, the same in the same order in all rows. y is whether the event happened. Standard errors are robust against dependence within clusters (CR1: factor G / (G - 1), t with G - 1 degrees of freedom), such as the interactions of a customer; of the text 53 bits of its hash are kept. Rows with a NULL, also within x, are dropped and counted, see glance(). A column that is constant or follows from those before it has an estimate of NULL, with a WARNING. NULL with a WARNING where y is the same in all rows, and where some regressors, which are named, settle y (separation): see logit_fit(sample, ''firth''). Error 22023: an x that is empty, longer, of another length than before or no list, a NaN or infinite number. Other methods and errors: logit_fit(sample, method, errors) of a regression_sample().';

CREATE AGGREGATE logit_fit(y float8, x float8[], cluster text) (
    SFUNC = clv_regression_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_logit_fit_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE logit_fit(float8, float8[], text) IS 'logistic regression by maximum likelihood: the log odds of y are intercept + x1 times x[1] + ..., x 1 to 32 numbers, the same in the same order in all rows. y is 1 where the event happened, else 0. Standard errors are robust against dependence within clusters (CR1: factor G / (G - 1), t with G - 1 degrees of freedom), such as the interactions of a customer; of the text 53 bits of its hash are kept. Rows with a NULL, also within x, are dropped and counted, see glance(). A column that is constant or follows from those before it has an estimate of NULL, with a WARNING. NULL with a WARNING where y is the same in all rows, and where some regressors, which are named, settle y (separation): see logit_fit(sample, ''firth''). Error 22023: a y that is neither 0 nor 1, an x that is empty, longer, of another length than before or no list, a NaN or infinite number. Other methods and errors: logit_fit(sample, method, errors) of a regression_sample().';

CREATE FUNCTION churn_risk(model clv_model, x float8[]) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_logit_churn_risk' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION churn_risk(clv_model, float8[]) IS 'probability at x of the event that a logistic model was fitted to: of churn where y was whether the customer churned, within the time that y looked ahead. The same as predict(model, x), but an error 22023 for models that are not logistic. A column whose effect could not be told adds nothing. NULL where a number of x is. Error 22023 for another number of regressors; 22003 where the prediction is no finite number.';

-- ---- regression: marginal effects -----------------------------------------------------------------------------------

CREATE FUNCTION marginal_effects(model clv_model, sample clv_sample, discrete boolean DEFAULT false, conf float8 DEFAULT 0.95)
    RETURNS TABLE (term text, estimate float8, std_error float8, statistic float8, p_value float8, conf_low float8, conf_high float8)
    AS 'MODULE_PATHNAME', 'clv_regression_marginal_effects' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000 ROWS 10;
COMMENT ON FUNCTION marginal_effects(clv_model, clv_sample, boolean, float8) IS 'average marginal effects of a logistic or linear model over the rows of a regression_sample(), such as the one that was fitted: for each regressor the mean of the derivative of the probability (lm: of y) by it, per unit of the regressor. discrete = true: of columns that hold only 0 and 1 the mean difference between 1 and 0. Standard errors by the delta method from the model''s covariance, whatever its errors are; the x are taken as given. t where the model has degrees of freedom, else normal. NULL for a column whose effect could not be told, and standard errors of a model without a covariance. Error 22023: another model or sample, another number of regressors, conf not between 0 and 1. Source: Greene, Econometric Analysis; Bartus 2005.';

CREATE FUNCTION predicted_change(model clv_model, sample clv_sample, i integer, lift float8, conf float8 DEFAULT 0.95, low float8 DEFAULT '-infinity', high float8 DEFAULT 'infinity')
    RETURNS TABLE (before float8, after float8, change float8, std_error float8, conf_low float8, conf_high float8, relative_change float8, clipped_share float8)
    AS 'MODULE_PATHNAME', 'clv_regression_predicted_change' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000 ROWS 1;
COMMENT ON FUNCTION predicted_change(clv_model, clv_sample, integer, float8, float8, float8, float8) IS 'what a logistic or linear model predicts if x[i] rises by lift in every row of a regression_sample(), all else as it is (g-computation): the mean probability (lm: mean y) before and after, the absolute change with standard error and interval by the delta method, and relative_change = change / before. low and high are the ends of the scale of x[i]: no row is taken past them, and clipped_share is the share of rows that the full lift would have. It is the effect of a change only if the model holds all that drives both. std_error is NULL without a covariance and where no row can change. NULL with a WARNING where the effect of x[i] could not be told, or without rows. Error 22023: another model or sample, no such i, a lift of 0 or not finite, low not below high, a row outside of them. Source: Robins 1986.';

-- ---- regression: tests ----------------------------------------------------------------------------------------------

CREATE FUNCTION wald_test(model clv_model, terms text[])
    RETURNS TABLE (statistic float8, df integer, df_residual float8, p_value float8)
    AS 'MODULE_PATHNAME', 'clv_regression_wald_test' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 1;
CREATE FUNCTION wald_test(model clv_model, terms text[], "values" float8[])
    RETURNS TABLE (statistic float8, df integer, df_residual float8, p_value float8)
    AS 'MODULE_PATHNAME', 'clv_regression_wald_test' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 1;
COMMENT ON FUNCTION wald_test(clv_model, text[]) IS 'joint test that all the named terms of a regression, by Wald''s test with the covariance of the model, robust where that is: in one row statistic, df (the number of terms), df_residual and p_value. Where the model has degrees of freedom (linear models, errors within clusters) statistic is F, chi-square over df; otherwise chi-square, and df_residual NULL. terms are as tidy() names them. statistic and p_value are NULL, after a WARNING, for more terms than clusters less 1 and where the terms cannot be told apart. Error 22023: a model that is no regression or has no covariance, unknown terms, one that is named twice or has no estimate.';
COMMENT ON FUNCTION wald_test(clv_model, text[], float8[]) IS 'joint test that the named terms have these values, in the same order, of a regression, by Wald''s test with the covariance of the model, robust where that is: in one row statistic, df (the number of terms), df_residual and p_value. Where the model has degrees of freedom (linear models, errors within clusters) statistic is F, chi-square over df; otherwise chi-square, and df_residual NULL. terms are as tidy() names them. statistic and p_value are NULL, after a WARNING, for more terms than clusters less 1 and where the terms cannot be told apart. Error 22023: a model that is no regression or has no covariance, unknown terms, one that is named twice or has no estimate, values not as many as terms or not finite.';

CREATE FUNCTION benjamini_hochberg(p float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_regression_benjamini_hochberg' LANGUAGE C WINDOW IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION holm(p float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_regression_holm' LANGUAGE C WINDOW IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION benjamini_hochberg(float8) IS 'window function: p-values adjusted for several tests, so that of the tests found with an adjusted p of at most q an expected share of at most q is false (false discovery rate; Benjamini and Hochberg 1995, for tests that are independent or positively dependent), over all rows of the partition, whatever the frame and the order; equal ones stay equal. A NULL stays NULL and does not count as a test. Memory: 24 bytes a row. Error 22023: p below 0, above 1 or NaN.';
COMMENT ON FUNCTION holm(float8) IS 'window function: p-values adjusted for several tests, so that the probability of any false one among those found at most q is at most q, however the tests depend on each other (Holm 1979), over all rows of the partition, whatever the frame and the order; equal ones stay equal. A NULL stays NULL and does not count as a test. Memory: 24 bytes a row. Error 22023: p below 0, above 1 or NaN.';

-- Transition and final functions: not for direct use. Rows with a NULL are counted as skipped.
CREATE FUNCTION clv_regression_add_pair(clv_sample, float8, float8) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_regression_add_pair' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_regression_spearman_final(clv_sample) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_regression_spearman_final' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;

COMMENT ON FUNCTION clv_regression_add_pair(clv_sample, float8, float8) IS 'transition: count one pair of measurements';
COMMENT ON FUNCTION clv_regression_spearman_final(clv_sample) IS 'final: Spearman''s correlation';

CREATE AGGREGATE pair_sample(a float8, b float8) (
    SFUNC = clv_regression_add_pair, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE pair_sample(float8, float8) IS 'pairs of two measurements (a, b) with counts, for rank_correlation(); merged by clv_sample(). Rows with a NULL are dropped and counted. Error 22023: a NaN or infinite number.';

CREATE AGGREGATE spearman(a float8, b float8) (
    SFUNC = clv_regression_add_pair, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_regression_spearman_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE spearman(float8, float8) IS 'Spearman''s rank correlation of a and b, -1 to 1: Pearson''s of their ranks, equal values sharing the mean of theirs. It asks whether b goes up with a, not how much. Rows with a NULL are dropped; NULL without rows, and after a WARNING where a column does not vary. Error 22023: a NaN or infinite number.';

CREATE FUNCTION rank_correlation(sample clv_sample, conf float8 DEFAULT 0.95)
    RETURNS TABLE (n bigint, estimate float8, std_error float8, conf_low float8, conf_high float8, p_value float8)
    AS 'MODULE_PATHNAME', 'clv_regression_rank_correlation' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000 ROWS 1;
COMMENT ON FUNCTION rank_correlation(clv_sample, float8) IS 'Spearman''s rank correlation of a pair_sample(a, b) in one row: n pairs, estimate, its standard error by the delta method, the interval by Fisher''s z with variance (1 + estimate^2 / 2) / (n - 3) (Bonett and Wright 2000), and the two-sided p_value by Student''s t with n - 2 degrees of freedom. Interval and error are NULL for fewer than 4 pairs, p_value for fewer than 3; all of them, after a WARNING, where the estimate is -1 or 1, and the estimate too where a column does not vary. Error 22023: another sample, conf outside 0 to 1.';

-- ---- regression: predictions ----------------------------------------------------------------------------------------

CREATE FUNCTION tidy(model clv_model, names text[], conf float8 DEFAULT 0.95,
        OUT term text, OUT estimate float8, OUT std_error float8, OUT statistic float8, OUT p_value float8,
        OUT conf_low float8, OUT conf_high float8)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'clv_regression_tidy' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50 ROWS 4;
COMMENT ON FUNCTION tidy(clv_model, text[], float8) IS 'tidy(model, conf) of a regression with the terms x1, x2, ... by names of your own, such as those of the columns: one for each regressor, in the order of x. The intercept, and the baseline of hazard_fit(), keep their names. coef(), wald_test() and others know the terms as x1, x2, .... NULL for NULL. Error 22023: a model that is no regression, more or fewer names than regressors, a name that is NULL, or not 0 < conf < 1.';

CREATE FUNCTION predict(model clv_model, x float8[]) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_regression_predict' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION predict(clv_model, float8[]) IS 'what a regression expects at x, the numbers in the order of the fit: the mean of y (lm), the probability of the event (logit), the hazard relative to that at x = 0 (Cox). A column whose effect could not be told adds nothing. NULL where a number of x is. Error 22023 for another number of regressors, for models that need a period (see hazard()) and for models within groups, which have no level; 22003 where the prediction is no finite number.';

-- ---- survival: Kaplan-Meier, log-rank -------------------------------------------------------------------------------

-- Transition functions: not for direct use. A row with a NULL is counted as skipped.
CREATE FUNCTION clv_survival_add(clv_sample, float8, boolean) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_survival_add' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_survival_add(clv_sample, float8, boolean, float8) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_survival_add' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 5;
CREATE FUNCTION clv_survival_add(clv_sample, float8, boolean, float8[]) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_survival_add_regressors' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_survival_add(clv_sample, float8, boolean, float8[], float8) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_survival_add_regressors' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_survival_add(clv_sample, float8, boolean, float8[], float8, bigint) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_survival_add_bigint_cluster' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_survival_add(clv_sample, float8, boolean, float8[], float8, text) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_survival_add_text_cluster' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;

COMMENT ON FUNCTION clv_survival_add(clv_sample, float8, boolean) IS 'transition: count one row (tenure, event)';
COMMENT ON FUNCTION clv_survival_add(clv_sample, float8, boolean, float8) IS 'transition: count one row (tenure, event, entry)';
COMMENT ON FUNCTION clv_survival_add(clv_sample, float8, boolean, float8[]) IS 'transition: count one row (tenure, event, x)';
COMMENT ON FUNCTION clv_survival_add(clv_sample, float8, boolean, float8[], float8) IS 'transition: count one row (tenure, event, x, entry)';
COMMENT ON FUNCTION clv_survival_add(clv_sample, float8, boolean, float8[], float8, bigint) IS 'transition: count one row (tenure, event, x, entry, cluster)';
COMMENT ON FUNCTION clv_survival_add(clv_sample, float8, boolean, float8[], float8, text) IS 'transition: count one row (tenure, event, x, entry, cluster)';

CREATE AGGREGATE survival_sample(tenure float8, event boolean) (
    SFUNC = clv_survival_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE survival_sample(float8, boolean) IS 'times to an event, with counts: tenure is the time from the start to the event, or without one (event false: censored) to the end of observation. One unit for all, such as months. For survival_points(), km_survival(), log_rank_test() and their like; merged by clv_sample(). Rows with a NULL are dropped and counted as n_skipped, as are rows without an event whose tenure is entry, which were observed for no time; NULL without rows. Error 22023: tenure negative or not finite; an event at tenure 0, before which nobody was at risk.';

CREATE AGGREGATE survival_sample(tenure float8, event boolean, entry float8) (
    SFUNC = clv_survival_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE survival_sample(float8, boolean, float8) IS 'as survival_sample(tenure, event), of customers who came under observation at entry (left truncation, delayed entry): those whose event came before are not in the data. At risk in (entry, tenure]. Rows with a NULL are dropped and counted as n_skipped, as are rows without an event whose tenure is entry, which were observed for no time; NULL without rows. Error 22023 also: entry negative, not finite or above tenure; an event at entry.';

CREATE AGGREGATE survival_sample(tenure float8, event boolean, x float8[]) (
    SFUNC = clv_survival_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE survival_sample(float8, boolean, float8[]) IS 'as survival_sample(tenure, event), with 1 to 32 regressors x of each customer, for regressions of survival. Rows with a NULL are dropped and counted as n_skipped, as are rows without an event whose tenure is entry, which were observed for no time; NULL without rows. A NULL within x is one. Error 22023 also: other numbers of x, x not finite.';

CREATE AGGREGATE survival_sample(tenure float8, event boolean, x float8[], entry float8) (
    SFUNC = clv_survival_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE survival_sample(float8, boolean, float8[], float8) IS 'as survival_sample(tenure, event, x), of customers who came under observation at entry. Rows with a NULL are dropped and counted as n_skipped, as are rows without an event whose tenure is entry, which were observed for no time; NULL without rows. A NULL within x is one. Error 22023 also: entry negative, not finite or above tenure; an event at entry.';

CREATE AGGREGATE survival_sample(tenure float8, event boolean, x float8[], entry float8, cluster bigint) (
    SFUNC = clv_survival_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE survival_sample(float8, boolean, float8[], float8, bigint) IS 'as survival_sample(tenure, event, x, entry), of rows that belong to clusters, such as several rows of one customer, for cluster-robust errors. The cluster is a whole number of at most 2^53. Rows with a NULL are dropped and counted as n_skipped, as are rows without an event whose tenure is entry, which were observed for no time; NULL without rows. A NULL within x is one.';

CREATE AGGREGATE survival_sample(tenure float8, event boolean, x float8[], entry float8, cluster text) (
    SFUNC = clv_survival_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE survival_sample(float8, boolean, float8[], float8, text) IS 'as survival_sample(tenure, event, x, entry, cluster), the cluster being a name, of which 53 bits of its hash are kept. Rows with a NULL are dropped and counted as n_skipped, as are rows without an event whose tenure is entry, which were observed for no time; NULL without rows. A NULL within x is one.';

CREATE FUNCTION survival_points(sample clv_sample, conf float8 DEFAULT 0.95)
    RETURNS TABLE (at float8, n_risk bigint, n_events bigint, n_censored bigint, survival float8, std_error float8, conf_low float8, conf_high float8, cumulative_hazard float8)
    AS 'MODULE_PATHNAME', 'clv_survival_points' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 50;
COMMENT ON FUNCTION survival_points(clv_sample, float8) IS 'the Kaplan-Meier curve of a survival_sample(): one row for each distinct time at which an event happened, in order; before the first, survival is 1. n_risk were under observation without an event just before (entry < at <= tenure; who leaves at the same time still counts), n_events had the event then, n_censored left without one from then on before the next row. survival is the probability of no event up to and including at (Kaplan and Meier 1958), std_error Greenwood''s (1926), the interval that of log(-log survival) at confidence conf (Kalbfleisch and Prentice 1980), cumulative_hazard the sum of n_events / n_risk (Nelson 1969, Aalen 1978). Where survival is 0, std_error and interval are NULL. Regressors and clusters of the sample are ignored. With entries, all is conditional on lasting until the first of them; where everybody at risk is gone before others enter, survival and what follows from it are NULL from there on, after a WARNING. No row for NULL. Error 22023: a sample of other rows; conf not between 0 and 1.';

CREATE FUNCTION km_survival(sample clv_sample, t float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_survival_at' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION km_survival(clv_sample, float8) IS 'Kaplan-Meier estimate of the probability that no event has happened up to and including time t since the start, in the unit of tenure: the share of customers still there, those who are still under observation counted for as long as they were. NULL beyond the longest tenure if that was without an event, and before the first entry: nobody has seen it. With entries it is conditional on lasting until the first of them; NULL, after a WARNING once a query, where everybody at risk was gone before others entered. NULL, after a WARNING, for a sample without rows. Error 22023: t negative; a sample of other rows. Source: Kaplan and Meier 1958.';

CREATE FUNCTION km_survival_ci(sample clv_sample, t float8, conf float8 DEFAULT 0.95)
    RETURNS TABLE (estimate float8, std_error float8, conf_low float8, conf_high float8)
    AS 'MODULE_PATHNAME', 'clv_survival_at_ci' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500 ROWS 1;
COMMENT ON FUNCTION km_survival_ci(clv_sample, float8, float8) IS 'km_survival() with Greenwood''s standard error and the interval of log(-log survival) at confidence conf, in one row. These are NULL where survival is 1 or 0: no event yet, or nobody left, says nothing about the spread. Error 22023 as km_survival(), and unless 0 < conf < 1. Sources: Greenwood 1926, Kalbfleisch and Prentice 1980.';

CREATE FUNCTION km_quantile(sample clv_sample, p float8, conf float8 DEFAULT 0.95)
    RETURNS TABLE (estimate float8, conf_low float8, conf_high float8)
    AS 'MODULE_PATHNAME', 'clv_survival_quantile' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500 ROWS 1;
COMMENT ON FUNCTION km_quantile(clv_sample, float8, float8) IS 'the time by which a share p of customers has had the event, in one row: the first time at which Kaplan-Meier survival is at most 1 - p (where it is exactly that for a while, other software may print the middle of the while). The ends of the interval are the first times at which those of survival are at most 1 - p (Brookmeyer and Crowley 1982, on the log-log scale). NULL where that is not reached: of the estimate, more than 1 - p were still there at the end; of conf_high, that may be so. A WARNING where it is for want of anybody at risk, see survival_points(). Error 22023: p or conf not between 0 and 1; a sample of other rows.';

CREATE FUNCTION km_median(sample clv_sample) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_survival_median' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION km_median(clv_sample) IS 'the median lifetime: the estimate of km_quantile(sample, 0.5), in the unit of tenure. NULL where more than half were still there at the end.';

CREATE FUNCTION km_mean(sample clv_sample, until float8, conf float8 DEFAULT 0.95)
    RETURNS TABLE (estimate float8, std_error float8, conf_low float8, conf_high float8)
    AS 'MODULE_PATHNAME', 'clv_survival_mean' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 800 ROWS 1;
COMMENT ON FUNCTION km_mean(clv_sample, float8, float8) IS 'restricted mean survival time in one row: the mean time that customers stay out of the first `until`, the area below the Kaplan-Meier curve, in the unit of tenure. std_error is of Greenwood''s kind: the sum over the times of events of (area beyond)^2 n_events / (n_risk (n_risk - n_events)) (Meier 1975), the interval estimate -+ z std_error; NULL without an event before until. until may be infinity where the longest tenure is that of an event. NULLs, after a WARNING, where the curve does not reach until: beyond the longest tenure without an event, or see survival_points(). Error 22023: until not positive, conf not between 0 and 1, a sample of other rows.';

CREATE FUNCTION log_rank_test(samples clv_sample[])
    RETURNS TABLE (chi_square float8, df integer, p_value float8)
    AS 'MODULE_PATHNAME', 'clv_survival_log_rank' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2000 ROWS 1;
COMMENT ON FUNCTION log_rank_test(clv_sample[]) IS 'whether groups, one survival_sample() each, such as of array_agg(sample ORDER BY cohort), differ in how soon events come: chi-square of observed and expected events with their hypergeometric covariance, degrees of freedom and p-value, in one row (Mantel 1966; Peto and Peto 1972). Samples that are NULL are left out, regressors and clusters ignored. df is the number of groups less 1; less where a group was never at risk when events happened, or groups never together. NULLs, after a WARNING, where nothing can be compared. Error 22023: more than 200 groups, a sample of other rows; 2202E: an array of several dimensions.';

CREATE FUNCTION log_rank_groups(samples clv_sample[])
    RETURNS TABLE (group_number integer, n bigint, observed float8, expected float8, variance float8)
    AS 'MODULE_PATHNAME', 'clv_survival_log_rank_groups' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2000 ROWS 5;
COMMENT ON FUNCTION log_rank_groups(clv_sample[]) IS 'what log_rank_test() compares: of each group that is not NULL its place in the array, from 1, its n rows, the events observed, those expected if all groups were alike, and the hypergeometric variance of their difference. observed / expected above 1: events come sooner than in the others. Errors as log_rank_test().';

-- ---- survival: Cox, discrete-time hazard ----------------------------------------------------------------------------

-- Final functions: not for direct use
CREATE FUNCTION clv_cox_final(clv_sample) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_survival_cox_final' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION clv_cox_final(clv_sample) IS 'final function of cox_fit()';
CREATE FUNCTION clv_hazard_final(clv_sample) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_survival_hazard_final' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION clv_hazard_final(clv_sample) IS 'final function of hazard_fit()';

-- errors: NULL means the kind of errors that the rows allow
CREATE FUNCTION cox_fit(sample clv_sample, ties text DEFAULT 'efron', errors text DEFAULT NULL) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_survival_cox_fit' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION cox_fit(clv_sample, text, text) IS 'Cox regression (proportional hazards) by partial likelihood, of a stored survival_sample(tenure, event, x [, entry [, cluster]]): tidy() shows the effect of each x on the logarithm of the rate at which the event happens, exp(estimate) is the hazard ratio per unit of x; predict(model, x) is the hazard relative to x = 0. At risk in (entry, tenure]. ties: ''efron'' or ''breslow''. errors: ''model'' (inverse information), ''HC0'' (robust, each row by itself), ''CR1'' (robust, by cluster: score residuals summed by cluster, G / (G - 1), t with G - 1 degrees of freedom); NULL is CR1 for rows with clusters, else model. An x that is a linear combination of those before it has a NULL estimate, with a WARNING. NULL with a WARNING without an event, where x does not differ among those at risk, and where an effect is infinite, which is named. Effects are causes only of what was known before the time at risk began: see docs/hazards.md. NULL if sample or ties is NULL. Error 22023 for a sample without regressors and unknown options. Source: Cox 1972; Efron 1977; Breslow 1974; Lin and Wei 1989.';

CREATE AGGREGATE cox_fit(tenure float8, event boolean, x float8[]) (
    SFUNC = clv_survival_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_cox_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE cox_fit(float8, boolean, float8[]) IS 'Cox regression (proportional hazards) by partial likelihood with Efron''s ties: tenure is the time to the event, or without one (event false) to the end of observation; x are 1 to 32 numbers that were known when the time at risk began. tidy() shows the effect of each x on the logarithm of the hazard. Rows with a NULL, also within x, are dropped and counted as n_skipped. NULL without rows; NULL with a WARNING without an event, where x does not differ among those at risk, and where an effect is infinite. Other ties and errors: cox_fit(survival_sample(...), ties, errors). Error 22023: rows that cannot be true. Source: Cox 1972; Efron 1977.';

CREATE AGGREGATE cox_fit(tenure float8, event boolean, x float8[], entry float8) (
    SFUNC = clv_survival_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_cox_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE cox_fit(float8, boolean, float8[], float8) IS 'as cox_fit(tenure, event, x), of rows at risk from entry on (left truncation, delayed entry): customers who came under observation late, or a customer''s time cut into rows (entry, tenure] of an x each, where x changes. Source: Cox 1972; Efron 1977.';

CREATE AGGREGATE cox_fit(tenure float8, event boolean, x float8[], entry float8, cluster bigint) (
    SFUNC = clv_survival_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_cox_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE cox_fit(float8, boolean, float8[], float8, bigint) IS 'as cox_fit(tenure, event, x, entry), with errors robust against dependence within clusters, such as the rows of a customer or the customers of an account: t with clusters - 1 degrees of freedom. The cluster is a whole number of at most 2^53. NULL with a WARNING for a single cluster. Source: Lin and Wei 1989.';

CREATE AGGREGATE cox_fit(tenure float8, event boolean, x float8[], entry float8, cluster text) (
    SFUNC = clv_survival_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_cox_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE cox_fit(float8, boolean, float8[], float8, text) IS 'as cox_fit(tenure, event, x, entry, cluster), the cluster being a name, of which 53 bits of its hash are kept. Source: Lin and Wei 1989.';

-- errors: NULL means the kind of errors that the rows allow
CREATE FUNCTION hazard_fit(sample clv_sample, errors text DEFAULT NULL) RETURNS clv_model
    AS 'MODULE_PATHNAME', 'clv_survival_hazard_fit' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION hazard_fit(clv_sample, text) IS 'discrete-time hazard by maximum likelihood, of a stored survival_sample(tenure, event, x [, entry [, cluster]]): the probability of the event in period j = 1, 2, ... of who is still there has the log odds intercept + log_period ln(j) + log_period_squared ln(j)^2 + effects of x; exp(estimate) of an x is the odds ratio per unit. The logistic regression of the person-periods entry + 1 to tenure, without making rows of them; its cost grows with their number. errors as cox_fit(): HC0 takes the periods of a row together. With fewer than three different periods log_period_squared (and log_period) have a NULL estimate, with a WARNING, as has an x that is a linear combination of those before it. NULL with a WARNING without an event, where every period has one, and where an effect is infinite, which is named. For hazard(), survival(), churn_risk() and expected_lifetime(). NULL if sample is NULL. Error 22023: entry or tenure no whole number of at most 10000 periods, a sample without regressors, unknown errors. Source: Allison 1982; Singer and Willett 1993.';

CREATE AGGREGATE hazard_fit(tenure float8, event boolean, x float8[]) (
    SFUNC = clv_survival_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_hazard_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE hazard_fit(float8, boolean, float8[]) IS 'discrete-time hazard as hazard_fit(clv_sample): the event happened in period tenure = 1, 2, ..., or (event false) the customer is still there after tenure periods; x are 1 to 32 numbers that were known when the time at risk began. Rows with a NULL, also within x, are dropped and counted as n_skipped; NULL without rows. Error 22023: rows that cannot be true, tenure no whole number of at most 10000 periods. Source: Allison 1982; Singer and Willett 1993.';

CREATE AGGREGATE hazard_fit(tenure float8, event boolean, x float8[], entry float8) (
    SFUNC = clv_survival_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_hazard_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE hazard_fit(float8, boolean, float8[], float8) IS 'as hazard_fit(tenure, event, x), of rows that stand for the periods entry + 1 to tenure: customers who came under observation after entry periods (left truncation), or a customer''s periods cut into rows of an x each, where x changes. Source: Allison 1982; Singer and Willett 1993.';

CREATE AGGREGATE hazard_fit(tenure float8, event boolean, x float8[], entry float8, cluster bigint) (
    SFUNC = clv_survival_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_hazard_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE hazard_fit(float8, boolean, float8[], float8, bigint) IS 'as hazard_fit(tenure, event, x, entry), with errors robust against dependence within clusters: the sandwich of scores summed by cluster, G / (G - 1), t with G - 1 degrees of freedom. The cluster is a whole number of at most 2^53. NULL with a WARNING for a single cluster. Source: Liang and Zeger 1986.';

CREATE AGGREGATE hazard_fit(tenure float8, event boolean, x float8[], entry float8, cluster text) (
    SFUNC = clv_survival_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_hazard_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE hazard_fit(float8, boolean, float8[], float8, text) IS 'as hazard_fit(tenure, event, x, entry, cluster), the cluster being a name, of which 53 bits of its hash are kept. Source: Liang and Zeger 1986.';

CREATE FUNCTION hazard(model clv_model, x float8[], period float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_survival_hazard' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION hazard(clv_model, float8[], float8) IS 'probability that a customer with regressors x who is there when period = 1, 2, ... begins leaves in it, by a model of hazard_fit(). Beyond the periods of the fit it continues the curve of the model. NULL where an argument or a number of x is. Error 22023: another model, another number of x, a period that is no whole number from 1 to 1000000; 22003 where the prediction is no finite number.';

CREATE FUNCTION survival(model clv_model, x float8[], periods float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_survival_of_x' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION survival(clv_model, float8[], float8) IS 'probability that a new customer with regressors x is still there after periods = 0, 1, ...: the product of 1 - hazard(model, x, 1 .. periods), by a model of hazard_fit(). Beyond the periods of the fit it continues the curve of the model. NULL where an argument or a number of x is. Error 22023: another model, another number of x, periods no whole number from 0 to 1000000; 22003 where the prediction is no finite number.';

CREATE FUNCTION churn_risk(model clv_model, x float8[], tenure float8, periods float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_survival_churn_risk' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION churn_risk(clv_model, float8[], float8, float8) IS 'probability that a customer with regressors x who is there after tenure = 0, 1, ... periods leaves within the next periods: 1 - survival(x, tenure + periods) / survival(x, tenure), by a model of hazard_fit(). NULL where an argument or a number of x is. Error 22023: another model, another number of x, tenure or periods no whole number from 0 to 1000000; 22003 where the prediction is no finite number.';

CREATE FUNCTION expected_lifetime(model clv_model, x float8[], discount_rate float8, periods float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_survival_expected_lifetime' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION expected_lifetime(clv_model, float8[], float8, float8) IS 'expected number of payments of a new customer with regressors x within periods = 1, 2, ..., the first one now and certain, each later one if the customer has not left before, discounted by 1 + discount_rate a period (a fraction: 0.10 is 10 percent; 0 for none), by a model of hazard_fit(): the sum of survival(model, x, j) / (1 + discount_rate)^j over j = 0 .. periods - 1. With a finite number of periods it is always finite. NULL where an argument or a number of x is. Error 22023: another model, another number of x, a rate that is negative, periods no whole number from 1 to 1000000; 22003 where the prediction is no finite number.';

-- ---- impact: landmark, drivers --------------------------------------------------------------------------------------

CREATE FUNCTION landmark(history purchase_history, interactions interaction_history, landmark date, until date, data_end date,
        churned_at date DEFAULT NULL)
    RETURNS TABLE (purchases integer, days_since_last integer, total_spend numeric, average_purchase float8, tenure integer,
                   n_scores integer, mean_score float8, last_score_at timestamptz,
                   purchases_after integer, spend_after numeric, churned boolean, censored boolean, at_risk boolean)
    AS 'MODULE_PATHNAME', 'clv_impact_landmark' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10 ROWS 1;
CREATE FUNCTION landmark(history purchase_history, interactions interaction_history, landmark timestamptz, until timestamptz,
        data_end timestamptz, churned_at timestamptz DEFAULT NULL)
    RETURNS TABLE (purchases integer, days_since_last integer, total_spend numeric, average_purchase float8, tenure integer,
                   n_scores integer, mean_score float8, last_score_at timestamptz,
                   purchases_after integer, spend_after numeric, churned boolean, censored boolean, at_risk boolean)
    AS 'MODULE_PATHNAME', 'clv_impact_landmark_tz' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10 ROWS 1;
COMMENT ON FUNCTION landmark(purchase_history, interaction_history, date, date, date, date) IS
'One row for a customer: what was known at the end of the day landmark, and the outcome in (landmark, until], so that exposure ends before the outcome begins. Known: purchases (0 without one), days_since_last, total_spend, average_purchase and tenure in days as the readers of that name have them; n_scores (0 without one), mean_score and last_score_at of all scores up to the end of the day in UTC (the form for timestamptz: in the session''s zone). Outcome: purchases_after, spend_after, and churned: no purchase in (landmark, until], or churned_at, the day a customer left by contract, in it (NULL and infinity: did not leave). censored: data_end, the day up to which the data are complete, is before until. at_risk: had bought by the landmark, and had not left by it. Purchases, spend and churn are NULL where censored or not at risk: a customer of whom only a part of the window was seen has no outcome. history NULL: a customer without purchases; interactions NULL: one without scores. All columns are NULL where a day but churned_at is. Error 22023: until not after landmark, data_end before it, a history of scores that keeps the latest n and may have forgotten others. Error 22008: an infinite day but churned_at. Landmark analysis: Anderson, Cain and Gelber 1983.';
COMMENT ON FUNCTION landmark(purchase_history, interaction_history, timestamptz, timestamptz, timestamptz, timestamptz) IS
'landmark() of the days in the session''s time zone; the end of the day up to which scores are known is that of this zone, too.';

CREATE FUNCTION customers_needed(correlation float8, power float8 DEFAULT 0.80, conf float8 DEFAULT 0.95, controls integer DEFAULT 0)
    RETURNS bigint
    AS 'MODULE_PATHNAME', 'clv_impact_customers_needed' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION customers_needed(float8, float8, float8, integer) IS
'How many customers it takes to find a correlation of that size, in either direction, with probability power by a two-sided test at 1 - conf, given so many other regressors (and cohorts less one): ((z_conf + z_power) / artanh(correlation))^2 + 3 + controls, rounded up (Fisher 1921). At an estimate it says what a next study needs, not how good this one was. NULL where a correlation of (nearly) 0 takes more than 9e15, and if an argument is. Error 22023: a correlation outside -1 to 1, power or conf not between 0 and 1, controls negative.';

-- roles: what a column is to the question

CREATE FUNCTION clv_checked_roles(names text[], roles text[]) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10
    AS $$
DECLARE
    wrong text := (SELECT string_agg(DISTINCT quote_literal(role), ', ') FROM unnest(roles) AS role
                   WHERE role NOT IN ('lever', 'mediator', 'confounder', 'outcome'));
BEGIN
    IF roles IS NOT NULL AND (array_ndims(names) > 1 OR array_ndims(roles) > 1 OR cardinality(names) <> cardinality(roles)) THEN
        RAISE EXCEPTION 'there must be as many roles as names' USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('There are %s names and %s roles.', cardinality(names), cardinality(roles)),
            HINT = 'Write NULL for a role that the name is to tell.';
    END IF;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'there is no such role' USING ERRCODE = 'invalid_parameter_value', DETAIL = format('Got %s.', wrong),
            HINT = 'The roles are lever, mediator, confounder and outcome.';
    END IF;
    RETURN roles;
END $$;
COMMENT ON FUNCTION clv_checked_roles(text[], text[]) IS 'internal: the roles; error 22023 where one does not exist, or they are not as many as the names';

CREATE FUNCTION driver_roles(names text[], roles text[] DEFAULT NULL) RETURNS TABLE (name text, role text, why text)
    LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000 ROWS 10
    BEGIN ATOMIC
        SELECT u.name, coalesce(u.given, known.role),
               CASE WHEN u.given IS NOT NULL THEN 'as given' ELSE coalesce(known.why, 'no word of the name is known') END
        FROM unnest(names, clv_checked_roles(names, roles)) WITH ORDINALITY AS u (name, given, position)
        LEFT JOIN LATERAL (
            SELECT w.role, w.why
            FROM (VALUES
                -- not the retention of customers
                (0, 'lever', 'what the company does, and can change', '(context|knowledge|memory)_retention'),
                (1, 'outcome', 'what is to be explained: known only after the landmark',
                 'churn|churned|attrition|cancel|cancell?ed|cancellations?|left|retained|retention|renewed|renewals?|reactivated|'
                 '(purchases|orders|spend|revenue|value|amount)_(after|next|later)|(next|future)_(purchases|orders|spend|revenue|value)|'
                 'clv|ltv|cltv|lifetime_value'),
                (2, 'mediator', 'a consequence of how contacts went, on the way to the outcome',
                 'tone|sentiment|emotions?|mood|frustration|frustrated|anger|angry|annoyance|annoyed|csat|nps|ces|satisfaction|satisfied|'
                 'dissatisfaction|dissatisfied|effort|loyalty|trust|recommend|promoter|detractor|complaints?|complained'),
                (3, 'lever', 'what the company does, and can change',
                 'resolution|resolved|resolve|solved|fcr|quality|(response|reply|wait|waiting|hold|handle|handling|resolution)_time|'
                 'latency|wait|speed|accuracy|accurate|correctness|correct|completeness|complete|helpfulness|helpful|relevance|relevant|'
                 'groundedness|grounded|faithfulness|faithful|hallucinations?|hallucinated|adherence|completion|escalations?|escalated|'
                 'transfers?|transferred|handoffs?|empathy|politeness|polite|professionalism|coherence|coherent|fluency|clarity|'
                 'conciseness|handling|loops?|conformance|unfairness|violence|toxicity|safety|repeat_contacts?|follow_ups?|compliance|coaching'),
                (4, 'confounder', 'there before the contacts, and may move both scores and outcome',
                 'tenure|age|rfm|recency|frequency|monetary|segment|tier|spend|revenue|purchases|orders|average_purchase|cohort|plan|'
                 'contract|topics?|difficulty|difficult|complexity|complex|severity|priority|category|intent|channel|region|country|'
                 'language|product|industry|size|seats|acquisition|source|days_since_last|history|prior|previous|before|contacts|'
                 'interactions|volume|n_scores|since|sign_?up|joined')) AS w (position, role, why, words)
            WHERE '_' || evaluator_key(u.name) || '_' ~ ('_(' || w.words || ')_')
            ORDER BY w.position LIMIT 1) AS known ON true
        ORDER BY u.position;
    END;
COMMENT ON FUNCTION driver_roles(text[], text[]) IS
'What columns or evaluators are to the question what moves customers, one row for each name in its order: lever (what the company does: resolution, quality, response time, first contact resolution), mediator (a consequence on the way to the outcome: tone, sentiment, frustration, csat, nps, ces), confounder (there before: tenure, rfm, segment, spend, cohort, plan, difficulty of the topic), outcome (churn, purchases after, lifetime value); role NULL where no word is known. A guess by the words of the name, as evaluator_key() splits it, whatever the case; where words of several roles occur, outcome comes before mediator, lever, confounder. roles, if given, holds what is known better: one for each name, NULL for a guess. What a column is follows from when it is measured and what causes it, which no name can tell. No rows without names. Error 22023: another number of roles than names, an unknown role.';

CREATE FUNCTION driver_warnings(names text[], roles text[] DEFAULT NULL, outcome text DEFAULT 'churn')
    RETURNS TABLE (kind text, name text, warning text)
    LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 2000 ROWS 3
    BEGIN ATOMIC
        WITH driver AS MATERIALIZED (
            SELECT r.name, r.role, row_number() OVER () AS position FROM driver_roles(names, roles) AS r
        ), lever AS (
            SELECT string_agg(d.name, ' and ' ORDER BY d.position) AS names, count(*) AS n FROM driver AS d WHERE d.role = 'lever'
        ), line (section, position, kind, name, warning) AS (
            SELECT 1, d.position, 'mediator', d.name,
                   format('%s stands between %s and %s: its column takes part of %s effect; leave it out for the total effect', d.name,
                          lever.names, outcome, CASE WHEN lever.n = 1 THEN lever.names || '''s' ELSE 'their' END)
            FROM driver AS d, lever WHERE d.role = 'mediator' AND lever.n > 0
            UNION ALL
            SELECT 2, d.position, 'outcome', d.name,
                   format('%s is an outcome, known only after the landmark: it must not explain %s', d.name, outcome)
            FROM driver AS d WHERE d.role = 'outcome'
            UNION ALL
            SELECT 3, 0, 'confounder', NULL,
                   format('nothing stands for what customers were before, such as tenure, segment or spend: '
                          'what moves both scores and %s passes for an effect', outcome)
            FROM driver AS d HAVING bool_or(d.role IN ('lever', 'mediator')) AND NOT coalesce(bool_or(d.role = 'confounder'), false)
            UNION ALL
            SELECT 4, d.position, 'unknown', d.name, format('the role of %s is not known: pass it in roles', d.name)
            FROM driver AS d WHERE d.role IS NULL AND d.name IS NOT NULL
        )
        SELECT line.kind, line.name, line.warning FROM line ORDER BY section, position;
    END;
COMMENT ON FUNCTION driver_warnings(text[], text[], text) IS
'What is wrong with these columns as the regressors of one model of the outcome, by the roles of driver_roles(names, roles): kind mediator (a lever and its consequence in one model: the lever''s column shows what is left of its effect beside the consequence, not the total effect), outcome (an outcome among the regressors), confounder (levers or mediators without any confounder), unknown (no role known), the name it is about, and the warning in words. No rows where nothing is wrong. outcome is its name in the words. Errors as driver_roles().';

CREATE FUNCTION clv_number_expressions(relation regclass, columns text[]) RETURNS text[]
    LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED COST 100
    AS $$
DECLARE
    expressions text[];
    others text;
BEGIN
    SELECT array_agg(format(CASE WHEN t.is_flag THEN '%I::int::float8' ELSE '%I::float8' END, c.name) ORDER BY c.position),
           string_agg(quote_ident(c.name), ', ' ORDER BY c.position) FILTER (WHERE NOT t.is_number AND NOT t.is_flag)
        INTO expressions, others
    FROM unnest(columns) WITH ORDINALITY AS c (name, position)
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = relation AND a.attname = c.name AND a.attnum > 0 AND NOT a.attisdropped,
         -- a domain is a number where the type at the bottom of it is
         LATERAL (WITH RECURSIVE base AS (
                      SELECT a.atttypid AS type
                      UNION ALL
                      SELECT t.typbasetype FROM base JOIN pg_catalog.pg_type AS t ON t.oid = base.type WHERE t.typbasetype <> 0)
                  SELECT bool_or(type IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'float4'::regtype, 'float8'::regtype,
                                          'numeric'::regtype)), bool_or(type = 'bool'::regtype) FROM base) AS t (is_number, is_flag);
    IF others IS NOT NULL THEN
        RAISE EXCEPTION 'columns of % are neither numbers nor flags', relation USING ERRCODE = 'datatype_mismatch',
            DETAIL = format('They are %s.', others),
            HINT = 'Numbers are integer, numeric and float, flags boolean; cast others in a view.';
    END IF;
    RETURN expressions;
END $$;
COMMENT ON FUNCTION clv_number_expressions(regclass, text[]) IS 'internal: expressions that read columns as float8, flags as 0 and 1, in their order; error 42804 that names those that are neither';

CREATE FUNCTION clv_driver_correlations(pooled clv_moments, within clv_moments, conf float8, driver text, outcome text, score text, has_cohorts boolean)
    RETURNS TABLE (pooled_r float8, pooled_low float8, pooled_high float8, within_r float8, within_low float8, within_high float8,
                   partial_r float8, conf_low float8, conf_high float8, p_value float8, df float8, reason text)
    AS 'MODULE_PATHNAME', 'clv_impact_driver_correlations' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 50 ROWS 1;
COMMENT ON FUNCTION clv_driver_correlations(clv_moments, clv_moments, float8, text, text, text, boolean) IS 'internal: a row''s correlations of score (x[1]) and outcome (y), and why there are none, with a WARNING that names driver, outcome and score; the moments may be NULL; NULL if another argument is';

CREATE FUNCTION driver_table(relation regclass, outcome_column text, evaluator_column text, score_column text, cohort_column text,
        control_columns text[] DEFAULT '{}', segment_column text DEFAULT NULL, stage_column text DEFAULT NULL,
        reliability_column text DEFAULT NULL, customer_column text DEFAULT NULL, conf float8 DEFAULT 0.95, power float8 DEFAULT 0.80)
    RETURNS TABLE (evaluator text, segment text, stage text, n bigint, n_dropped bigint, pooled_r float8, within_r float8,
                   partial_r float8, conf_low float8, conf_high float8, p_value float8, adjusted_p float8, sign_flip boolean,
                   reliability float8, disattenuated_r float8, n_needed bigint, note text)
    LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED COST 100000 ROWS 20
    AS $$
DECLARE
    schema name := (SELECT e.nspname FROM (SELECT x.extname, s.nspname FROM pg_catalog.pg_extension AS x
                                           JOIN pg_catalog.pg_namespace AS s ON s.oid = x.extnamespace) AS e WHERE e.extname = 'clv');
    controls text[] := coalesce(control_columns, '{}');
    optional text[] := array_remove(ARRAY[cohort_column, segment_column, stage_column, reliability_column, customer_column], NULL);
    cohort text := coalesce(quote_ident(cohort_column), quote_literal('all'));
    numbers text[];
    used text[];        -- those numbers without which a row is dropped
    customer_key text := customer_column;
    twice text;
    worst text;
    customers bigint;
BEGIN
    IF NOT coalesce(conf > 0 AND conf < 1 AND power > 0 AND power < 1, false) THEN
        RAISE EXCEPTION 'conf and power must be between 0 and 1' USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('Got conf %s, power %s.', coalesce(conf::text, 'NULL'), coalesce(power::text, 'NULL')),
            HINT = 'Write 95 percent as 0.95.';
    END IF;
    IF array_ndims(controls) > 1 THEN
        RAISE EXCEPTION 'control_columns must be a list' USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('It is an array of %s dimensions.', array_ndims(controls)), HINT = 'Write array[''tenure'', ''plan''].';
    END IF;
    EXECUTE format('SELECT %I.clv_require_columns($1, $2)', schema)
        USING relation, ARRAY[outcome_column, evaluator_column, score_column] || controls || optional;
    twice := CASE WHEN outcome_column = ANY (controls) THEN 'outcome' WHEN score_column = ANY (controls) THEN 'score' END;
    IF twice IS NOT NULL THEN
        RAISE EXCEPTION 'the % is one of the controls', twice USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('It is column %I; the controls are %s.', CASE twice WHEN 'outcome' THEN outcome_column ELSE score_column END,
                            (SELECT string_agg(quote_ident(control), ', ') FROM unnest(controls) AS control)),
            HINT = 'Controls are what was there before the scores: given itself, nothing is left to correlate.';
    END IF;
    EXECUTE format('SELECT %I.clv_number_expressions($1, $2)', schema) INTO numbers
        USING relation, ARRAY[outcome_column, score_column] || controls || array_remove(ARRAY[reliability_column], NULL);
    used := numbers[: 2 + cardinality(controls)];
    IF reliability_column IS NOT NULL THEN
        EXECUTE format('SELECT max(r)::text FROM (SELECT %s AS r FROM %s) AS s WHERE r < 0 OR r > 1', numbers[cardinality(numbers)], relation)
            INTO worst;
        IF worst IS NOT NULL THEN
            RAISE EXCEPTION 'a reliability is between 0 and 1' USING ERRCODE = 'invalid_parameter_value',
                DETAIL = format('Column %I of %s holds %s.', reliability_column, relation, worst),
                HINT = 'signal_reliability() estimates it; write NULL where it is not known.';
        END IF;
    END IF;
    IF customer_key IS NULL THEN
        customer_key := (SELECT a.attname FROM pg_catalog.pg_attribute AS a
                         WHERE a.attrelid = relation AND a.attname = 'customer_id' AND a.attnum > 0 AND NOT a.attisdropped);
    END IF;
    IF customer_key IS NOT NULL THEN
        EXECUTE format('SELECT count(DISTINCT customer) FROM (SELECT %1$I AS customer FROM %2$s WHERE %1$I IS NOT NULL GROUP BY %3$s
                                                              HAVING count(*) > 1) AS s', customer_key, relation,
                       (SELECT string_agg(quote_ident(key), ', ')
                        FROM unnest(ARRAY[customer_key, evaluator_column, segment_column, stage_column]) AS key)) INTO customers;
        IF customers > 0 THEN
            RAISE WARNING 'customers have several rows of one evaluator' USING
                DETAIL = format('%s customers of %s have, by column %I.', customers, relation, customer_key),
                HINT = 'Make one row for each customer and evaluator, as landmark() does. Rows of one customer are not independent: with rolling averages as rows, a test at 5 percent finds something in 49 percent of the cases where there is nothing.';
        END IF;
    END IF;
    RETURN QUERY EXECUTE format($query$
        WITH cell AS (
            SELECT evaluator, segment, stage, cohort, count(*) AS n_all, count(*) FILTER (WHERE usable) AS n,
                   sum(reliability) FILTER (WHERE usable) AS reliability_sum, count(reliability) FILTER (WHERE usable) AS reliability_n,
                   %1$I.clv_moments(y, x) FILTER (WHERE usable) AS m
            FROM (SELECT %2$I::text AS evaluator, %3$s::text AS segment, %4$s::text AS stage, %5$s::text AS cohort, %6$s AS y,
                         ARRAY[%7$s] AS x, %8$s AS reliability, coalesce(%9$s, false) AS usable
                  FROM %10$s) AS r
            WHERE evaluator IS NOT NULL
            GROUP BY 1, 2, 3, 4
        ), entry AS (
            SELECT evaluator, segment, stage, sum(n)::bigint AS n, sum(n_all - n)::bigint AS n_dropped, count(*) FILTER (WHERE n > 0) AS cohorts,
                   sum(reliability_sum) / nullif(sum(reliability_n), 0)::float8 AS reliability,
                   %1$I.clv_moments(m) AS pooled, %1$I.within_moments(m) AS within
            FROM cell GROUP BY 1, 2, 3
        ), measured AS (
            SELECT e.*, c.*, %1$I.benjamini_hochberg(c.p_value) OVER () AS adjusted_p, c.partial_r / sqrt(nullif(e.reliability, 0)) AS corrected_r
            FROM entry AS e,
                 %1$I.clv_driver_correlations(e.pooled, e.within, $1, concat_ws(', ', e.evaluator, e.segment, e.stage), $4, $5, $6) AS c
        ), flagged AS (
            SELECT *, CASE WHEN conf_low IS NULL THEN NULL
                           WHEN pooled_low > 0 THEN least(within_high, conf_high) < 0
                           WHEN pooled_high < 0 THEN greatest(within_low, conf_low) > 0
                           WHEN pooled_low IS NOT NULL THEN false END AS sign_flip
            FROM measured
        )
        SELECT f.evaluator, f.segment, f.stage, f.n, f.n_dropped, f.pooled_r, f.within_r, f.partial_r, f.conf_low, f.conf_high, f.p_value,
               f.adjusted_p, f.sign_flip, f.reliability, CASE WHEN abs(f.corrected_r) <= 1 THEN f.corrected_r END,
               CASE WHEN f.conf_low IS NOT NULL THEN %1$I.customers_needed(f.partial_r, $2, $1, greatest(f.n - f.df - 2, 0)::int) END,
               nullif(concat_ws('; ',
                   (SELECT string_agg(w.warning, '; ') FROM %1$I.driver_warnings(f.evaluator || $3, NULL, $4) AS w WHERE w.name = ANY ($3) AND w.kind = 'outcome'),
                   CASE WHEN f.partial_r IS NULL THEN 'no correlation: ' || f.reason
                        WHEN abs(f.partial_r) = 1 AND f.df >= 2 THEN format('%%s and %%s follow from each other: is one computed from the other?', $5, $4)
                        WHEN f.conf_low IS NULL THEN 'too few customers for an interval' END,
                   CASE WHEN $6 AND f.cohorts > 1 AND 5 * f.cohorts > f.n
                        THEN format('%%s cohorts of %%s customers: within ones so small little is left to compare; choose wider ones, such as years', f.cohorts, f.n) END,
                   CASE WHEN f.sign_flip THEN 'within cohorts the sign is opposite to the pooled one'
                        WHEN (f.pooled_low > 0 OR f.pooled_high < 0) AND f.conf_low <= 0 AND f.conf_high >= 0
                        THEN 'pooled only: not seen within cohorts, given the controls'
                        WHEN (f.pooled_low > 0 OR f.pooled_high < 0) AND abs(f.partial_r) < 0.75 * abs(f.pooled_r)
                        THEN round(100 * (1 - f.partial_r / f.pooled_r)) || ' %% of the pooled correlation goes with cohorts and controls' END,
                   CASE WHEN f.reliability = 0 THEN 'reliability 0: the score does not tell customers apart'
                        WHEN abs(f.corrected_r) > 1 THEN 'disattenuated beyond 1: the reliability is too low for this correlation' END,
                   CASE WHEN d.role = 'mediator' THEN 'a mediator: a consequence of levers, none itself' END,
                   (SELECT string_agg(w.warning, '; ') FROM %1$I.driver_warnings(f.evaluator || $3, NULL, $4) AS w
                    WHERE w.name = ANY ($3) AND w.kind = 'mediator' AND d.role = 'lever')), '')
        FROM flagged AS f LEFT JOIN LATERAL %1$I.driver_roles(ARRAY[f.evaluator]) AS d ON true
        ORDER BY f.evaluator, f.segment, f.stage$query$,
        schema, evaluator_column, coalesce(quote_ident(segment_column), 'NULL'), coalesce(quote_ident(stage_column), 'NULL'), cohort,
        used[1], array_to_string(used[2 :], ', '),
        CASE WHEN reliability_column IS NULL THEN 'NULL::float8' ELSE numbers[cardinality(numbers)] END,
        (SELECT string_agg(format('%1$s > ''-Infinity'' AND %1$s < ''Infinity'' AND ', number), '') FROM unnest(used) AS number)
            || cohort || ' IS NOT NULL', relation)
        USING conf, power, controls, outcome_column, score_column, cohort_column IS NOT NULL;
END $$;
COMMENT ON FUNCTION driver_table(regclass, text, text, text, text, text[], text, text, text, text, float8, float8) IS
'Which scores go with the outcome, one row for each evaluator (and segment and stage, where columns are named) of a relation with one row for each customer and evaluator, such as a view over landmark(): outcome, score and controls are columns of numbers or of flags, which count as 0 and 1. n rows used; n_dropped: those with a NULL, NaN or infinite number, or without a cohort (rows without an evaluator are left out). pooled_r: correlation of score and outcome over all; within_r: within cohorts; partial_r: within cohorts given the controls, with its interval at confidence conf (Fisher 1921), p_value, and adjusted_p over all rows of the table (Benjamini and Hochberg 1995). sign_flip: the pooled interval lies on one side of 0, that of within_r or partial_r on the other. reliability: mean of the column; disattenuated_r = partial_r / sqrt(reliability) (Spearman 1904), NULL beyond 1; cautious where controls explain part of the score. n_needed: customers_needed() at partial_r and power; NULL, as sign_flip, without an interval. note: in words, with the warnings of driver_warnings() and of cohorts of fewer than 5 customers on average. cohort_column NULL: all are one cohort. Correlations are NULL with a WARNING, which names evaluator and column, where nothing varies. WARNING where customers, by customer_column or, where that is NULL, by a column customer_id if there is one, have several rows of one evaluator. Error 42703 names missing columns, 42804 those that are no numbers, 22004 without a relation or a name; 22023: conf or power not between 0 and 1, a reliability not between 0 and 1, outcome or score among the controls, more than 31 controls; 22003: a number beyond 1e100.';

-- ---- impact: drift, sensitivity -------------------------------------------------------------------------------------

CREATE FUNCTION coefficient_drift(model_a clv_model, model_b clv_model, term text, conf float8 DEFAULT 0.95)
    RETURNS TABLE (before float8, after float8, difference float8, std_error float8, statistic float8, df float8, p_value float8,
                   conf_low float8, conf_high float8)
    AS 'MODULE_PATHNAME', 'clv_impact_coefficient_drift' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50 ROWS 1;
COMMENT ON FUNCTION coefficient_drift(clv_model, clv_model, text, float8) IS
'Whether the effect of a term (intercept, x1, ...) is the same in two regressions of one kind with the same regressors, fitted to independent samples such as different customers: the estimates before (model_a) and after, their difference, its standard error, Wald''s statistic, degrees of freedom, p_value and interval at confidence conf. It is as robust as the models: with errors HC0 to HC3, or clusters, it takes no variance to be equal. Where models have degrees of freedom, t with Satterthwaite''s (1946), otherwise df is NULL and the normal distribution holds. The same customers in both periods are no independent samples: their models'' estimates go together, and the standard error is mostly too large. NULL with a WARNING where a model has no estimate or no standard error of the term. Error 22023: no regressions, other regressors or kinds, an unknown term, conf not between 0 and 1.';

CREATE FUNCTION clv_chow_test(a clv_model, b clv_model, pooled clv_model)
    RETURNS TABLE (statistic float8, df1 float8, df2 float8, p_value float8)
    AS 'MODULE_PATHNAME', 'clv_impact_chow_test' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20 ROWS 1;
COMMENT ON FUNCTION clv_chow_test(clv_model, clv_model, clv_model) IS 'internal: Chow''s test from the least-squares fits of two samples and of both';

CREATE FUNCTION chow_test(a clv_moments, b clv_moments)
    RETURNS TABLE (statistic float8, df1 float8, df2 float8, p_value float8)
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 500 ROWS 1
    BEGIN ATOMIC
        SELECT c.* FROM (SELECT) AS one
        LEFT JOIN LATERAL clv_chow_test(lm_fit(a), lm_fit(b), (SELECT lm_fit(clv_moments(m)) FROM unnest(ARRAY[a, b]) AS m)) AS c ON true;
    END;
COMMENT ON FUNCTION chow_test(clv_moments, clv_moments) IS
'Chow''s test (1960) of "one least-squares relation, intercept included, holds in both samples": F with df1 = number of coefficients, df2 = rows less coefficients of both fits, and its p_value. Classical: it takes the residual variance to be the same in both, and rows to be independent; where they are not, coefficient_drift() of models with robust errors is right. Moments within groups: of one relation given intercepts of their own. NULL with a WARNING where one of the three fits does not exist, or they leave no residuals. No row if an argument is NULL. Error 22023: different numbers of regressors.';

CREATE FUNCTION cochran_q(estimates float8[], std_errors float8[])
    RETURNS TABLE (q float8, df float8, p_value float8, i_squared float8, tau_squared float8, pooled float8, pooled_std_error float8)
    AS 'MODULE_PATHNAME', 'clv_impact_cochran_q' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20 ROWS 1;
COMMENT ON FUNCTION cochran_q(float8[], float8[]) IS
'Whether estimates of several independent periods or cohorts differ beyond their noise: Cochran''s Q (1954) with df = estimates - 1 and p_value; i_squared, the share of their variation that is not noise (Higgins and Thompson 2002), 0 to 1; tau_squared, the variance of the true values (DerSimonian and Laird 1986); pooled, the mean of the true values with weights 1 / (std_error^2 + tau_squared), which are those of a common value where tau_squared is 0, and its standard error. p_value and i_squared are NULL for a single estimate; all columns, with a WARNING, without any. Error 22023: lists of different length or dimension, NULL, NaN or infinite elements, a standard error not above 0; 22003: squares out of range.';

CREATE FUNCTION psi(expected bigint[], actual bigint[])
    RETURNS TABLE (psi float8, p_value float8, null_mean float8, n_expected bigint, n_actual bigint, bins integer)
    AS 'MODULE_PATHNAME', 'clv_impact_psi' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20 ROWS 1;
COMMENT ON FUNCTION psi(bigint[], bigint[]) IS
'Population stability index of two samples counted in the same bins: the sum of (a - e) ln(a / e) over the shares of the bins, expected (the reference period) and actual. Its null distribution is (1 / n_expected + 1 / n_actual) chi-square(bins - 1) (Yurdakul 2018): null_mean is what chance alone makes of it, p_value the probability of as much where both are of one distribution. The usual bounds 0.1 and 0.25 know neither: of small samples they find shifts that are none, of large ones they miss what is there. Error 22023: lists of different length or dimension, NULL, fewer than two bins, a negative count, an empty bin (merge it with one beside it in both lists); 22003: more than 2^53 rows.';

CREATE FUNCTION clv_drift_steps(models clv_model[], periods text[], term text, versions text[], conf float8)
    RETURNS TABLE (number integer, period text, version text, estimate float8, std_error float8, compared_with integer, change float8,
                   p_value float8)
    AS 'MODULE_PATHNAME', 'clv_impact_drift_steps' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 200 ROWS 10;
COMMENT ON FUNCTION clv_drift_steps(clv_model[], text[], text, text[], float8) IS 'internal: the estimates of a term period by period, each compared with the last period before that has one; versions may be NULL';

CREATE FUNCTION relation_drift(models clv_model[], periods text[], term text, versions text[] DEFAULT NULL, conf float8 DEFAULT 0.95)
    RETURNS TABLE (period text, version text, estimate float8, std_error float8, change float8, p_value float8, adjusted_p float8,
                   verdict text)
    LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 2000 ROWS 10
    BEGIN ATOMIC
        WITH step AS MATERIALIZED (
            SELECT s.*, holm(s.p_value) OVER () AS adjusted_p FROM clv_drift_steps(models, periods, term, versions, conf) AS s
        ), judged AS (
            SELECT s.*, b.version AS version_before, b.period AS period_before, s.compared_with IS NOT NULL AND s.version IS DISTINCT FROM b.version AS is_other,
                   s.adjusted_p < 1 - conf AS is_shift
            FROM step AS s LEFT JOIN step AS b ON b.number = s.compared_with
        ), whole AS (
            SELECT q.*, (SELECT count(*) FROM judged WHERE is_other AND std_error IS NOT NULL) AS changes_of_version,
                   EXISTS (SELECT FROM judged WHERE version IS NULL AND std_error IS NOT NULL) AS is_unknown
            FROM (SELECT CASE WHEN num_nulls(models, periods, term, conf) = 0 THEN '{}'::float8[] END) AS list (none),
                 cochran_q((SELECT coalesce(array_agg(s.estimate ORDER BY s.number), list.none) FROM step AS s WHERE s.std_error IS NOT NULL),
                           (SELECT coalesce(array_agg(s.std_error ORDER BY s.number), list.none) FROM step AS s WHERE s.std_error IS NOT NULL)) AS q
        ), line (number, period, version, estimate, std_error, change, p_value, adjusted_p, verdict) AS (
            SELECT j.number, j.period, j.version, j.estimate, j.std_error, j.change, j.p_value, j.adjusted_p,
                   CASE WHEN j.std_error IS NULL THEN 'no estimate'
                        WHEN j.compared_with IS NULL THEN 'first period'
                        WHEN j.is_shift THEN CASE WHEN j.change > 0 THEN 'up' ELSE 'down' END
                        ELSE 'no change beyond noise' END
                   || CASE WHEN j.compared_with < j.number - 1 AND j.std_error IS NOT NULL
                           THEN format(' since %s', coalesce(j.period_before, 'period ' || j.compared_with)) ELSE '' END
                   || CASE WHEN j.is_other AND j.std_error IS NOT NULL
                           THEN format('; the evaluator changed from %s to %s: a shift cannot be told from a change of the customers',
                                       coalesce(j.version_before, 'an unknown version'), coalesce(j.version, 'an unknown version')) ELSE '' END
            FROM judged AS j
            UNION ALL
            SELECT NULL, 'all periods', CASE WHEN w.changes_of_version = 0 THEN (SELECT min(s.version) FROM step AS s) END, w.pooled, w.pooled_std_error,
                   NULL, w.p_value, NULL,
                   CASE WHEN w.p_value IS NULL THEN 'one period: nothing to compare'
                        ELSE format('Cochran''s Q %s on %s degrees of freedom: ', round(w.q::numeric, 2), w.df)
                             || CASE WHEN w.p_value < 1 - conf THEN format('periods differ, and %s percent of that is more than noise', round(100 * w.i_squared::numeric))
                                     ELSE 'no difference between periods beyond noise' END
                             || CASE WHEN w.changes_of_version > 0
                                     THEN '; the evaluator changed between them: differences cannot be told from a change of the customers'
                                     WHEN w.is_unknown AND w.p_value < 1 - conf THEN '; versions of the evaluator are not known: it may be what changed'
                                     ELSE '' END END
            FROM whole AS w WHERE w.q IS NOT NULL
        )
        SELECT l.period, l.version, l.estimate, l.std_error, l.change, l.p_value, l.adjusted_p, l.verdict FROM line AS l ORDER BY l.number NULLS LAST;
    END;
COMMENT ON FUNCTION relation_drift(clv_model[], text[], text, text[], float8) IS
'The effect of a term period by period, one row each: name of the period, version of the evaluator in it, estimate, std_error, change since the last period that has an estimate, p_value of no change by coefficient_drift(), adjusted_p over all changes (Holm 1979), and a verdict in words, which calls a change one where adjusted_p is below 1 - conf. Where the version of the evaluator is another (or unknown in one of them) the verdict says so, since what shifted then may be the evaluator. The last row, all periods, has the pooled estimate and Cochran''s Q with its p_value, as cochran_q(). models, periods and versions are lists in the order of time, such as array_agg(model ORDER BY quarter); a NULL model is a period that could not be fitted, versions NULL, the default, says that none is known. No rows if another argument is NULL. Independent samples are assumed, as there. Error 22023: lists of different length or dimension, models of other kinds or regressors, an unknown term, conf not between 0 and 1.';

-- sensitivity: what it would take to explain an effect away

CREATE FUNCTION e_value(risk_ratio float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_impact_e_value' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION e_value(float8) IS
'E-value of a risk ratio (VanderWeele and Ding 2017): an unmeasured confounder would have to go with both exposure and outcome by risk ratios of at least this each, given what is adjusted for, to explain the ratio away; weaker ones could not. r + sqrt(r (r - 1)), of a ratio below 1 that of its inverse; 1 for 1. NULL for NULL. Error 22023 for a ratio not above 0, NaN or infinite; 22003 where the result is out of range.';
CREATE FUNCTION e_value(risk_ratio float8, conf_limit float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_impact_e_value_of_limit' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION e_value(float8, float8) IS
'E-value of the confidence limit of a risk ratio that is nearer to 1: what a confounder must be to take 1 into the interval; 1 where the interval contains 1 as it is. Errors as e_value(risk_ratio), and 22023 for the other limit.';
CREATE FUNCTION risk_ratio_of_odds_ratio(odds_ratio float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_impact_risk_ratio_of_odds_ratio' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION risk_ratio_of_odds_ratio(float8) IS
'Risk ratio that an odds ratio stands for where the outcome is common (above 15 percent), approximately: its square root (VanderWeele 2017). Of a rare outcome the odds ratio is about the risk ratio as it is. For e_value(). NULL for NULL. Error 22023 for a ratio not above 0, NaN or infinite.';
CREATE FUNCTION risk_ratio_of_odds_ratio(odds_ratio float8, baseline_risk float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_impact_risk_ratio_at_baseline' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION risk_ratio_of_odds_ratio(float8, float8) IS
'Risk ratio of an odds ratio at a known risk without the exposure, exactly: odds_ratio / (1 - baseline_risk + baseline_risk odds_ratio) (Zhang and Yu 1998). NULL if an argument is. Error 22023 for a ratio not above 0, NaN or infinite, a risk outside 0 to 1 or 1.';
CREATE FUNCTION risk_ratio_of_hazard_ratio(hazard_ratio float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_impact_risk_ratio_of_hazard_ratio' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION risk_ratio_of_hazard_ratio(float8) IS
'Risk ratio that a hazard ratio h stands for where the outcome is common at the end of follow-up (above 15 percent), approximately: (1 - 0.5^sqrt(h)) / (1 - 0.5^sqrt(1 / h)) (VanderWeele 2017). Of a rare outcome the hazard ratio is about the risk ratio as it is. For e_value(). NULL for NULL. Error 22023 for a ratio not above 0, NaN or infinite; 22003 where the result is out of range.';
CREATE FUNCTION risk_ratio_of_difference(difference float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_impact_risk_ratio_of_difference' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION risk_ratio_of_difference(float8) IS
'Risk ratio that a difference of means in standard deviations of the outcome stands for, approximately: exp(0.91 difference) (VanderWeele and Ding 2017, after Chinn 2000). For e_value() of a continuous outcome such as spend. NULL for NULL. Error 22023 for a NaN or infinite difference; 22003 where the result is out of range.';

CREATE FUNCTION partial_r2(t_statistic float8, df float8) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_impact_partial_r2' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION partial_r2(float8, float8) IS
'Share of the variance left by the other regressors that a term of a least-squares fit explains: t^2 / (t^2 + df), df the residual degrees of freedom; 0 to 1. t is that of the model''s own errors. NULL if an argument is. Error 22023: t not finite, df not above 0.';
CREATE FUNCTION robustness_value(t_statistic float8, df float8, q float8 DEFAULT 1, alpha float8 DEFAULT NULL) RETURNS float8
    AS 'MODULE_PATHNAME', 'clv_impact_robustness_value' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION robustness_value(float8, float8, float8, float8) IS
'Robustness value of a term of a least-squares fit (Cinelli and Hazlett 2020): an unmeasured confounder would have to explain at least this share of what is left of both the regressor and the outcome to take away the share q of the effect (1: all of it); with alpha, to take the rest into the interval of confidence 1 - alpha about 0. 0 (where it is there as it is) to 1. NULL if t_statistic, df or q is. Error 22023: t not finite, df not above 0 (1 with alpha), q not above 0, alpha not between 0 and 1.';
CREATE FUNCTION robustness(model clv_model, term text, q float8 DEFAULT 1, conf float8 DEFAULT 0.95)
    RETURNS TABLE (partial_r2 float8, robustness_value float8, robustness_value_alpha float8)
    AS 'MODULE_PATHNAME', 'clv_impact_robustness' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20 ROWS 1;
COMMENT ON FUNCTION robustness(clv_model, text, float8, float8) IS
'partial_r2() and robustness_value() of a term of a least-squares fit, without alpha and with alpha = 1 - conf. They are made of the t of the model''s own errors: a model with robust errors is an error; lm_fit(y, x), lm_fit(moments) and lm_fit(sample, ''model'') have it. NULL with a WARNING where the model has no estimate or standard error of the term. Error 22023: no least-squares fit, an unknown term, q not above 0, conf not between 0 and 1.';

-- ---- impact: projection ---------------------------------------------------------------------------------------------

CREATE FUNCTION lift_projection(churn_model clv_model, customers clv_sample, driver integer, lift float8, margin float8,
        annual_discount_rate float8, period_years float8 DEFAULT 1, horizon float8 DEFAULT 'infinity',
        n_customers float8 DEFAULT NULL, cost float8 DEFAULT 0, low float8 DEFAULT 0, high float8 DEFAULT 1,
        margin_model clv_model DEFAULT NULL, margin_share float8 DEFAULT 1, covariance float8[] DEFAULT NULL,
        conf float8 DEFAULT 0.95)
    RETURNS TABLE (quantity text, estimate float8, std_error float8, conf_low float8, conf_high float8)
    AS 'MODULE_PATHNAME', 'clv_impact_lift_projection' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100000 ROWS 15;
COMMENT ON FUNCTION lift_projection(clv_model, clv_sample, integer, float8, float8, float8, float8, float8, float8, float8, float8, float8, clv_model, float8, float8[], float8) IS 'what a lift of x[driver] is worth, computed for every customer of the sample and averaged. churn_model: logit_fit() or lm_fit() of churn within a period on x; customers: regression_sample() of those it is about, with the same x (y is not read); lift: added to x[driver], up to the ends of its scale, low and high, which may be infinite (below 0: down); margin: money per customer and period, the first at once; annual_discount_rate: fraction a year (0.10), period_years: length of a period; horizon: whole periods, no end by default; n_customers: for the return, those of the sample by default; cost: of the lift, money. With margin_model, lm_fit() of the margin or spend per period of customers who stayed on the same x, margin must be NULL, and margin_share says what part of that is margin. covariance: of churn_model, in place of its own, as vcov() has it. Fifteen rows in fixed order: churn_before, churn_after, churn_change (absolute), churn_change_relative; value_before, value_after, value_change, of which value_by_retention (at margins as they were) and value_by_expansion (the rest; NULL without margin_model); return (value_change times customers), net (less cost), roi (net / cost), probability_of_break_even, required_lift (whose return is the cost; NULL if none on the scale is; its interval, which is not symmetric, ends at the lifts at which the upper and the lower end of net are 0, and has no end, NULL, where no lift on the scale pays so surely), clipped_share (of customers at the end of the scale before the lift is used up). Standard errors by the delta method; NULL where nothing depends on the parameters or they have no covariance. Both models are taken as independent. Normal intervals, or t where models have degrees of freedom: of churn by those of churn_model, of money by the fewer of both. No rows if a necessary argument is NULL. WARNING and NULL: a driver without effect in the model; WARNING: a linear model of churn beyond 0 or 1, which is cut off there, so that intervals are not to be trusted, a lift beyond the end of the scale for all. Error 22023: neither margin nor margin_model, other models, numbers that cannot be, customers outside the scale; 22003: a value without end. Source: Gupta and Lehmann 2003, Fieller 1954; docs/projection.md.';

-- ---- impact: effects ------------------------------------------------------------------------------------------------

-- Transition functions: not for direct use. Rows with a NULL are counted as skipped.
CREATE FUNCTION clv_effect_add(clv_sample, float8, float8, float8[], bigint) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_impact_add_effect_float8_float8_bigint' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_effect_add(clv_sample, float8, float8, float8[], text) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_impact_add_effect_float8_float8_text' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_effect_add(clv_sample, float8, boolean, float8[], bigint) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_impact_add_effect_float8_boolean_bigint' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_effect_add(clv_sample, float8, boolean, float8[], text) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_impact_add_effect_float8_boolean_text' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_effect_add(clv_sample, boolean, float8, float8[], bigint) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_impact_add_effect_boolean_float8_bigint' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_effect_add(clv_sample, boolean, float8, float8[], text) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_impact_add_effect_boolean_float8_text' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_effect_add(clv_sample, boolean, boolean, float8[], bigint) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_impact_add_effect_boolean_boolean_bigint' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_effect_add(clv_sample, boolean, boolean, float8[], text) RETURNS clv_sample
    AS 'MODULE_PATHNAME', 'clv_impact_add_effect_boolean_boolean_text' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;

COMMENT ON FUNCTION clv_effect_add(clv_sample, float8, float8, float8[], bigint) IS 'transition: count one row of a treatment and an outcome';
COMMENT ON FUNCTION clv_effect_add(clv_sample, float8, float8, float8[], text) IS 'transition: count one row of a treatment and an outcome';
COMMENT ON FUNCTION clv_effect_add(clv_sample, float8, boolean, float8[], bigint) IS 'transition: count one row of a treatment and an outcome';
COMMENT ON FUNCTION clv_effect_add(clv_sample, float8, boolean, float8[], text) IS 'transition: count one row of a treatment and an outcome';
COMMENT ON FUNCTION clv_effect_add(clv_sample, boolean, float8, float8[], bigint) IS 'transition: count one row of a treatment and an outcome';
COMMENT ON FUNCTION clv_effect_add(clv_sample, boolean, float8, float8[], text) IS 'transition: count one row of a treatment and an outcome';
COMMENT ON FUNCTION clv_effect_add(clv_sample, boolean, boolean, float8[], bigint) IS 'transition: count one row of a treatment and an outcome';
COMMENT ON FUNCTION clv_effect_add(clv_sample, boolean, boolean, float8[], text) IS 'transition: count one row of a treatment and an outcome';

CREATE AGGREGATE effect_sample(y float8, treatment float8, x float8[], unit bigint) (
    SFUNC = clv_effect_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
CREATE AGGREGATE effect_sample(y float8, treatment float8, x float8[], unit text) (
    SFUNC = clv_effect_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
CREATE AGGREGATE effect_sample(y float8, treatment boolean, x float8[], unit bigint) (
    SFUNC = clv_effect_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
CREATE AGGREGATE effect_sample(y float8, treatment boolean, x float8[], unit text) (
    SFUNC = clv_effect_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
CREATE AGGREGATE effect_sample(y boolean, treatment float8, x float8[], unit bigint) (
    SFUNC = clv_effect_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
CREATE AGGREGATE effect_sample(y boolean, treatment float8, x float8[], unit text) (
    SFUNC = clv_effect_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
CREATE AGGREGATE effect_sample(y boolean, treatment boolean, x float8[], unit bigint) (
    SFUNC = clv_effect_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
CREATE AGGREGATE effect_sample(y boolean, treatment boolean, x float8[], unit text) (
    SFUNC = clv_effect_add, STYPE = clv_sample, SSPACE = 16384,
    COMBINEFUNC = clv_sample_combine, FINALFUNC = clv_sample_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE effect_sample(float8, float8, float8[], bigint) IS 'rows of a treatment and an outcome for aipw_effect() and partial_effect(): outcome y, treatment (0 and 1 or boolean, or for partial_effect() any number), 1 to 32 numbers x that may drive both, the same in the same order in all rows, and the unit, such as the customer, whose rows depend on each other. Rows with a NULL, also within x, are counted as skipped; NULL without rows. Error 22023: numbers that are not finite, x of another length, units beyond 2^53.';
COMMENT ON AGGREGATE effect_sample(float8, float8, float8[], text) IS 'rows of a treatment and an outcome for aipw_effect() and partial_effect(): outcome y, treatment (0 and 1 or boolean, or for partial_effect() any number), 1 to 32 numbers x that may drive both, the same in the same order in all rows, and the unit, such as the customer, whose rows depend on each other. Rows with a NULL, also within x, are counted as skipped; NULL without rows. Error 22023: numbers that are not finite, x of another length.';
COMMENT ON AGGREGATE effect_sample(float8, boolean, float8[], bigint) IS 'rows of a treatment and an outcome for aipw_effect() and partial_effect(): outcome y, treatment (0 and 1 or boolean, or for partial_effect() any number), 1 to 32 numbers x that may drive both, the same in the same order in all rows, and the unit, such as the customer, whose rows depend on each other. Rows with a NULL, also within x, are counted as skipped; NULL without rows. Error 22023: numbers that are not finite, x of another length, units beyond 2^53.';
COMMENT ON AGGREGATE effect_sample(float8, boolean, float8[], text) IS 'rows of a treatment and an outcome for aipw_effect() and partial_effect(): outcome y, treatment (0 and 1 or boolean, or for partial_effect() any number), 1 to 32 numbers x that may drive both, the same in the same order in all rows, and the unit, such as the customer, whose rows depend on each other. Rows with a NULL, also within x, are counted as skipped; NULL without rows. Error 22023: numbers that are not finite, x of another length.';
COMMENT ON AGGREGATE effect_sample(boolean, float8, float8[], bigint) IS 'rows of a treatment and an outcome for aipw_effect() and partial_effect(): outcome y, treatment (0 and 1 or boolean, or for partial_effect() any number), 1 to 32 numbers x that may drive both, the same in the same order in all rows, and the unit, such as the customer, whose rows depend on each other. Rows with a NULL, also within x, are counted as skipped; NULL without rows. Error 22023: numbers that are not finite, x of another length, units beyond 2^53.';
COMMENT ON AGGREGATE effect_sample(boolean, float8, float8[], text) IS 'rows of a treatment and an outcome for aipw_effect() and partial_effect(): outcome y, treatment (0 and 1 or boolean, or for partial_effect() any number), 1 to 32 numbers x that may drive both, the same in the same order in all rows, and the unit, such as the customer, whose rows depend on each other. Rows with a NULL, also within x, are counted as skipped; NULL without rows. Error 22023: numbers that are not finite, x of another length.';
COMMENT ON AGGREGATE effect_sample(boolean, boolean, float8[], bigint) IS 'rows of a treatment and an outcome for aipw_effect() and partial_effect(): outcome y, treatment (0 and 1 or boolean, or for partial_effect() any number), 1 to 32 numbers x that may drive both, the same in the same order in all rows, and the unit, such as the customer, whose rows depend on each other. Rows with a NULL, also within x, are counted as skipped; NULL without rows. Error 22023: numbers that are not finite, x of another length, units beyond 2^53.';
COMMENT ON AGGREGATE effect_sample(boolean, boolean, float8[], text) IS 'rows of a treatment and an outcome for aipw_effect() and partial_effect(): outcome y, treatment (0 and 1 or boolean, or for partial_effect() any number), 1 to 32 numbers x that may drive both, the same in the same order in all rows, and the unit, such as the customer, whose rows depend on each other. Rows with a NULL, also within x, are counted as skipped; NULL without rows. Error 22023: numbers that are not finite, x of another length.';

CREATE FUNCTION aipw_effect(sample clv_sample, folds integer DEFAULT 5, repetitions integer DEFAULT 5, conf float8 DEFAULT 0.95)
    RETURNS TABLE (estimate float8, std_error float8, statistic float8, p_value float8, conf_low float8, conf_high float8,
                   n bigint, treated bigint, trimmed_share float8, lowest_propensity float8, highest_propensity float8)
    AS 'MODULE_PATHNAME', 'clv_impact_aipw_effect' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000 ROWS 1;
COMMENT ON FUNCTION aipw_effect(clv_sample, integer, integer, float8) IS 'the mean effect of a treatment of 0 or 1 on y, in units of y (of a y of 0 or 1: a difference of probabilities), by augmented inverse probability weighting: right where either the logistic model of the treatment or the model of y in each group (logistic where all y are 0 or 1, else linear), both on x, is right, and x holds all that drives both. Folds are drawn by a hash of the unit, so that the result is the same each time and the rows of a unit share a fold; what is said about a fold is fitted to the others. Of several repetitions with other folds the median counts, and their spread adds to the variance (Chernozhukov et al. 2018). Standard errors are by unit, with t of units - 1 degrees of freedom, of units that have rows left. Rows with a propensity, the probability of treatment given x, below 0.01 or above 0.99 are left out, so that the effect is that of the others: trimmed_share, a WARNING above 10 percent, and NULL above 50; lowest_propensity and highest_propensity are of all rows. Where x separates treated from untreated, or events from others, Firth''s logistic model takes the place of maximum likelihood. WARNING and NULL where the rows cannot tell, such as fewer than two units for each fold; error 22023: a treatment other than 0 and 1, folds not 2 to 50, repetitions not 1 to 101, another sample. Source: Robins, Rotnitzky and Zhao 1994; docs/effects.md.';

CREATE FUNCTION partial_effect(sample clv_sample, folds integer DEFAULT 5, repetitions integer DEFAULT 5, conf float8 DEFAULT 0.95)
    RETURNS TABLE (estimate float8, std_error float8, statistic float8, p_value float8, conf_low float8, conf_high float8,
                   n bigint)
    AS 'MODULE_PATHNAME', 'clv_impact_partial_effect' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000 ROWS 1;
COMMENT ON FUNCTION partial_effect(clv_sample, integer, integer, float8) IS 'the effect on y of one unit more of a treatment, any number such as a score, in a partially linear model: regression of what x does not explain of y on what it does not explain of the treatment, both by linear models on x; pass squares or classes in x where it is not linear. Of an effect that varies it is a mean, with more weight where the treatment varies more. Folds are drawn by a hash of the unit, so that the result is the same each time and the rows of a unit share a fold; what is said about a fold is fitted to the others. Of several repetitions with other folds the median counts, and their spread adds to the variance (Chernozhukov et al. 2018). Standard errors are by unit, with t of units - 1 degrees of freedom. There is no overlap to judge as of a treatment of 0 and 1: a score that x explains but for little shows in std_error. WARNING and NULL where the rows cannot tell, such as fewer than two units for each fold; error 22023: folds not 2 to 50, repetitions not 1 to 101, another sample. Source: Robinson 1988; docs/effects.md.';

-- ---- mart: contract of sources --------------------------------------------------------------------------------------

CREATE FUNCTION clv_mart_contract()
    RETURNS TABLE (relation text, "column" text, required boolean, accepts text[], about text)
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 31
    BEGIN ATOMIC
        SELECT c.* FROM (VALUES
            ('orders', 'customer_id', true, '{any}'::text[], 'who bought'),
            ('orders', 'ordered_at', true, '{date,timestamp,timestamptz}', 'when'),
            ('orders', 'amount', true, '{numeric,bigint,integer,smallint,double precision,real}',
             'the money of the order or of a line of it; a refund is negative'),
            ('orders', 'currency', false, '{text,enum}', 'the same in all rows'),
            ('subscriptions', 'customer_id', true, '{any}', 'whose contract'),
            ('subscriptions', 'started_at', true, '{date,timestamp,timestamptz}', 'first day'),
            ('subscriptions', 'ended_at', true, '{date,timestamp,timestamptz}',
             'the day from which it is over; NULL while it runs'),
            ('subscriptions', 'monthly_amount', true, '{numeric,bigint,integer,smallint,double precision,real}',
             'the charge of each month that begins'),
            ('customers', 'customer_id', true, '{any}', 'one row for each'),
            ('customers', 'cohort', false, '{any}', 'the group that is modelled together'),
            ('customers', 'channel', false, '{text,enum}', 'how the customer was won'),
            ('customers', 'acquired_at', false, '{date,timestamp,timestamptz}', 'when the customer was won'),
            ('customers', 'acquisition_cost', false, '{numeric,bigint,integer,smallint,double precision,real}',
             'what that cost'),
            ('customers', 'churned_at', false, '{date,timestamp,timestamptz}',
             'when the customer left; NULL or infinity while not known to have'),
            ('interactions', 'interaction_id', true, '{any}', 'one row for each'),
            ('interactions', 'customer_id', true, '{any}', 'who was served; NULL where unknown'),
            ('interactions', 'started_at', true, '{date,timestamp,timestamptz}', 'when'),
            ('interactions', 'channel', false, '{text,enum}', 'chat, telephone, ...'),
            ('interactions', 'topic', false, '{text,enum}', 'what it was about'),
            ('interactions', 'stage', false, '{text,enum}', 'where the customer stood: sales, service, renewal, ...'),
            ('interactions', 'resolved', false, '{boolean}', 'whether the matter was settled; NULL where not judged'),
            ('interactions', 'escalated', false, '{boolean}', 'whether somebody else had to be called in'),
            ('interactions', 'service_cost', false, '{numeric,bigint,integer,smallint,double precision,real}',
             'what serving it cost'),
            ('evaluations', 'interaction_id', false, '{any}', 'what was judged; this or customer_id, or both'),
            ('evaluations', 'customer_id', false, '{any}', 'who was served; this or interaction_id, or both'),
            ('evaluations', 'evaluated_at', true, '{date,timestamp,timestamptz}',
             'when the interaction was, rather than when the judge ran'),
            ('evaluations', 'name', true, '{text,enum}', 'the evaluator; read as evaluator_key() writes it'),
            ('evaluations', 'score', true, '{numeric,bigint,integer,smallint,double precision,real,boolean}',
             'from 0, the worst, to 1, the best; NULL where there is a label only'),
            ('evaluations', 'label', false, '{text,enum}', 'the word of the judge, such as a tone'),
            ('customer_map', 'customer_id', true, '{any}', 'an id that is merged into another; one row for each'),
            ('customer_map', 'master_id', true, '{any}',
             'the id that stands for it')) AS c (relation, "column", required, accepts, about);
    END;
COMMENT ON FUNCTION clv_mart_contract() IS 'What a mart reads: the relations of the schema of sources and their columns, in order. required: of the relation, if it is there; of the relations themselves, orders or subscriptions is required and the rest optional. accepts: names of types, and the words any (every type with equality and ordering), text (every string type) and enum; domains count as what they are made of. Columns that are not in the contract are not read.';

-- One row for each column of the contract: what the catalogs say is there.
CREATE FUNCTION clv_mart_found(source text)
    RETURNS TABLE (relation text, relid oid, kind "char", "column" text, required boolean,
                   accepts text[], type oid, type_name text,
                   fits boolean, readable boolean)
    LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED COST 1000 ROWS 31
    BEGIN ATOMIC
        WITH RECURSIVE found AS (
            SELECT c.ordinality, c.relation, r.oid AS relid, r.relkind, c."column", c.required, c.accepts, a.atttypid,
                   has_table_privilege(r.oid, 'SELECT') OR has_column_privilege(r.oid, a.attnum, 'SELECT') AS readable
            FROM clv_mart_contract() WITH ORDINALITY AS c (relation, "column", required, accepts, about, ordinality)
            LEFT JOIN (pg_class AS r JOIN pg_namespace AS n ON n.oid = r.relnamespace AND n.nspname = source)
                ON r.relname = c.relation AND r.relkind IN ('r', 'p', 'v', 'm', 'f')
            LEFT JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attname = c."column"
                AND a.attnum > 0 AND NOT a.attisdropped
        ), base AS (
            SELECT f.ordinality, t.oid, t.typtype, t.typbasetype FROM found AS f JOIN pg_type AS t ON t.oid = f.atttypid
            UNION ALL
            SELECT b.ordinality, t.oid, t.typtype, t.typbasetype
            FROM base AS b JOIN pg_type AS t ON t.oid = b.typbasetype
        )
        SELECT f.relation, f.relid, f.relkind, f."column", f.required, f.accepts, t.oid, format_type(f.atttypid, NULL),
               CASE WHEN t.oid IS NULL THEN NULL
                    WHEN 'any' = ANY (f.accepts) THEN EXISTS (
                        SELECT FROM pg_opclass AS o JOIN pg_am AS m ON m.oid = o.opcmethod AND m.amname = 'btree'
                        WHERE o.opcdefault
                          AND (o.opcintype = t.oid OR o.opcintype = 'anyarray'::regtype AND t.typcategory = 'A'
                               OR o.opcintype = CASE t.typtype WHEN 'e' THEN 'anyenum'::regtype WHEN 'r' THEN 'anyrange'
                                                               WHEN 'm' THEN 'anymultirange' WHEN 'c' THEN 'record' END
                               OR EXISTS (SELECT FROM pg_cast AS k
                                          WHERE k.castsource = t.oid AND k.casttarget = o.opcintype
                                            AND k.castmethod = 'b'
                                            AND k.castcontext = 'i')))
                    WHEN t.typcategory = 'S' THEN 'text' = ANY (f.accepts)
                    WHEN t.typtype = 'e' THEN 'enum' = ANY (f.accepts)
                    ELSE ARRAY[t.typname::text, format_type(t.oid, NULL)] && f.accepts
                         AND t.typnamespace = 'pg_catalog'::regnamespace END,
               f.readable
        FROM found AS f LEFT JOIN base AS b ON b.ordinality = f.ordinality AND b.typtype <> 'd'
             LEFT JOIN pg_type AS t ON t.oid = b.oid
        ORDER BY f.ordinality;
    END;
COMMENT ON FUNCTION clv_mart_found(text) IS 'internal: the contract of sources beside the catalogs: the relation, the column''s type (below domains), whether the contract accepts it and whether the user may read it';

CREATE FUNCTION clv_mart_usable(source text) RETURNS SETOF text
    LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED COST 1000 ROWS 6
    BEGIN ATOMIC
        WITH sound AS (
            SELECT relation, array_agg("column") FILTER (WHERE fits) AS columns
            FROM clv_mart_found(source)
            GROUP BY relation
            HAVING bool_and(coalesce(fits AND readable, type IS NULL AND relid IS NOT NULL AND NOT required))
        )
        SELECT relation FROM sound AS s
        WHERE has_schema_privilege((SELECT oid FROM pg_namespace WHERE nspname = source), 'USAGE')
          AND CASE relation
                  WHEN 'evaluations' THEN 'customer_id' = ANY (columns) OR 'interaction_id' = ANY (columns)
                       AND EXISTS (SELECT FROM sound AS i WHERE i.relation = 'interactions')
                  ELSE true END;
    END;
COMMENT ON FUNCTION clv_mart_usable(text) IS 'internal: the relations of the contract that are there with all their columns as the contract wants them, and may be read';

CREATE FUNCTION clv_mart_flags(source text) RETURNS text[]
    LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED COST 2000
    BEGIN ATOMIC
        WITH usable AS (
            SELECT f.relation, f."column", f.required, f.accepts, f.type_name, format_type(f.type, NULL) AS base_name
            FROM clv_mart_found(source) AS f WHERE f.relation IN (SELECT clv_mart_usable(source)) AND f.type IS NOT NULL
        ), flag AS (
            SELECT relation AS name FROM usable
            UNION
            -- interactions that are not there tell nothing of evaluations that name one
            SELECT relation || '.' || "column" FROM usable AS u
            WHERE NOT required AND (relation <> 'evaluations' OR "column" <> 'interaction_id'
                                    OR EXISTS (SELECT FROM usable AS i WHERE i.relation = 'interactions'))
            UNION
            SELECT relation || '.' || "column" || ':'
                   || CASE base_name WHEN 'timestamp with time zone' THEN 'timestamptz'
                                     WHEN 'timestamp without time zone' THEN 'timestamp'
                                     ELSE base_name END
            FROM usable WHERE 'timestamptz' = ANY (accepts)
            UNION
            SELECT 'scores' FROM usable
            WHERE relation = 'evaluations' OR relation = 'interactions' AND "column" = 'resolved'
            UNION
            SELECT 'contacts' FROM usable WHERE relation = 'interactions'
        )
        SELECT coalesce(array_agg(name ORDER BY name COLLATE "C"), '{}') FROM flag;
    END;
COMMENT ON FUNCTION clv_mart_flags(text) IS 'internal: what the templates of a mart may rely on: relations that are usable, relation.column for their optional columns that are there, relation.column:date, :timestamp or :timestamptz for all their columns of time, scores (evaluations or interactions.resolved), contacts (interactions)';

CREATE FUNCTION clv_mart_check_structure(source text)
    RETURNS TABLE (relation text, item text, status text, detail text, hint text)
    LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 10000 ROWS 40
    AS $$
DECLARE
    schema name := (SELECT n.nspname FROM pg_catalog.pg_extension AS e
                    JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
                    WHERE e.extname = 'clv');
    source_oid oid := (SELECT n.oid FROM pg_catalog.pg_namespace AS n WHERE n.nspname = source);
    found record;
    alike text;
    other "char";
BEGIN
    IF source IS NULL THEN
        RAISE EXCEPTION 'the schema of the sources is not given' USING ERRCODE = 'null_value_not_allowed',
            HINT = 'Name the schema that holds orders or subscriptions; clv_mart_contract() lists what a mart reads.';
    ELSIF source_oid IS NULL THEN
        alike := (SELECT min(n.nspname) FROM pg_catalog.pg_namespace AS n
                  WHERE lower(n.nspname) = lower(source)
                     OR source IN (quote_ident(n.nspname), '"' || n.nspname || '"'));
        RAISE EXCEPTION 'schema % does not exist', quote_ident(source) USING ERRCODE = 'invalid_schema_name',
            HINT = CASE WHEN alike IS NOT NULL
                        THEN format('There is %L: write it so, without quotation marks of its own.', alike)
                        ELSE format('CREATE SCHEMA %I; and in it views orders or subscriptions, as clv_mart_contract() lists them.', source) END;
    END IF;
    IF NOT pg_catalog.has_schema_privilege(source_oid, 'USAGE') THEN
        relation := '';
        item := 'schema';
        status := 'wrong';
        detail := format('%s may not use the schema', current_user);
        hint := format('GRANT USAGE ON SCHEMA %I TO %I;', source, current_user);
        RETURN NEXT;
        -- the catalogs tell the rest all the same
    END IF;
    FOR found IN EXECUTE format($query$
        SELECT f.relation, f.relid, f.kind, bool_and(f.readable) AS readable,
               array_agg(f."column") AS columns,
               string_agg(quote_ident(f."column"), ', ') FILTER (WHERE f.type IS NOT NULL) AS present,
               string_agg('... AS ' || f."column", ', ') FILTER (WHERE f.required) AS must,
               string_agg('... AS ' || f."column", ', ') FILTER (WHERE NOT f.required) AS may
        FROM %1$I.clv_mart_found($1) WITH ORDINALITY
             AS f (relation, relid, kind, "column", required, accepts, type, type_name, fits, readable, n)
        GROUP BY f.relation, f.relid, f.kind ORDER BY min(f.n)$query$, schema) USING source
    LOOP
        relation := found.relation;
        item := 'relation';
        hint := NULL;
        IF found.relid IS NULL THEN
            SELECT min(c.relname) FILTER (WHERE c.relname <> found.relation),
                   min(c.relkind) FILTER (WHERE c.relname = found.relation)
            INTO alike, other
            FROM pg_catalog.pg_class AS c
            WHERE c.relnamespace = source_oid AND lower(c.relname) = found.relation
              AND (c.relname = found.relation OR c.relkind IN ('r', 'p', 'v', 'm', 'f'));
            -- whoever wrote "Orders" meant them
            status := CASE WHEN other IS NOT NULL OR alike IS NOT NULL THEN 'wrong'
                           WHEN found.relation IN ('orders', 'subscriptions')
                            AND NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c
                                            WHERE c.relnamespace = source_oid
                                              AND c.relname IN ('orders', 'subscriptions')
                                              AND c.relkind IN ('r', 'p', 'v', 'm', 'f')) THEN 'missing'
                           ELSE 'optional' END;
            detail := CASE WHEN other IS NOT NULL THEN 'the name is that of something that is no table or view'
                           WHEN alike IS NOT NULL THEN format('%I is there, which is another name', alike)
                           WHEN status = 'missing' THEN 'not there; orders or subscriptions must be'
                           ELSE 'not there' END;
            hint := CASE WHEN alike IS NOT NULL
                         THEN format('CREATE VIEW %I.%I AS SELECT * FROM %1$I.%3$I;', source, found.relation, alike)
                         WHEN found.relation = 'evaluations'
                         THEN format('CREATE VIEW %I.%I AS SELECT ... AS interaction_id, %s FROM ...; -- or customer_id; if there is: ... AS label',
                                     source, found.relation, found.must)
                         ELSE format('CREATE VIEW %I.%I AS SELECT %s FROM ...;%s', source, found.relation, found.must,
                                     ' -- if there are: ' || found.may) END;
            RETURN NEXT;
            CONTINUE;
        END IF;
        IF found.readable IS FALSE THEN
            status := 'wrong';
            detail := format('%s may not read it', current_user);
            hint := format('GRANT SELECT ON %I.%I TO %I;', source, found.relation, current_user);
        ELSE
            status := 'ok';
            detail := CASE found.kind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view'
                                      WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END
                      || CASE WHEN pg_catalog.row_security_active(found.relid)
                              THEN format('; by its policies %s sees some of the rows', current_user) ELSE '' END;
        END IF;
        RETURN NEXT;
        RETURN QUERY EXECUTE format($query$
            SELECT f.relation, f."column",
                   CASE WHEN f.fits THEN 'ok' WHEN f.fits IS FALSE THEN 'wrong' WHEN f.required THEN 'missing'
                        WHEN a.name IS NOT NULL THEN 'wrong' ELSE 'optional' END,
                   CASE WHEN f.fits THEN f.type_name
                        WHEN 'any' = ANY (f.accepts) AND f.fits IS FALSE
                        THEN format('%%s, a type without ordering', f.type_name)
                        WHEN f.fits IS FALSE
                        THEN format('%%s, not %%s', f.type_name,
                                    (SELECT string_agg(t, ', ') FROM unnest(f.accepts) AS t))
                        ELSE 'not there'
                             || coalesce('; ' || quote_ident(a.name) || ' is, which is another name', '') END,
                   CASE WHEN f.fits THEN NULL
                        WHEN f.fits IS FALSE
                        THEN format('Give it another type, or write a view with %%s AS %%I.',
                                    format(CASE WHEN f.accepts[1] IN ('date', 'boolean') AND t.typcategory = 'N'
                                                THEN CASE f.accepts[1] WHEN 'date' THEN 'to_timestamp(%%1$I)'
                                                          ELSE '%%1$I <> 0' END
                                                ELSE '%%1$I::%%2$s' END, f."column",
                                           CASE f.accepts[1] WHEN 'any' THEN 'text' WHEN 'date' THEN 'timestamp'
                                                             ELSE f.accepts[1] END), f."column")
                        WHEN a.name IS NOT NULL
                        THEN format('Rename it, or write a view with %%I AS %%I.', a.name, f."column")
                        WHEN f.required THEN format('Write a view with ... AS %%I.', f."column") END
            FROM %1$I.clv_mart_found($1) AS f LEFT JOIN pg_catalog.pg_type AS t ON t.oid = f.type
            LEFT JOIN LATERAL (SELECT min(a.attname) FROM pg_catalog.pg_attribute AS a
                               WHERE f.type IS NULL AND a.attrelid = f.relid AND a.attnum > 0 AND NOT a.attisdropped
                                 AND regexp_replace(lower(a.attname), '[^[:alnum:]]', '', 'g')
                                     = replace(f."column", '_', '')) AS a (name) ON true
            WHERE f.relation = $2$query$, schema) USING source, found.relation;
    END LOOP;
    -- evaluations lead to a customer by themselves or by their interaction
    relation := 'evaluations';
    EXECUTE format('SELECT array_agg("column" ORDER BY "column") FILTER (WHERE type IS NOT NULL) AS columns, '
                   'min(relid) AS relid '
                   'FROM %I.clv_mart_found($1) WHERE relation = $2 AND NOT required AND "column" <> ''label''', schema)
        INTO found USING source, relation;
    IF found.relid IS NOT NULL AND found.columns IS NULL THEN
        item := 'interaction_id or customer_id';
        status := 'missing';
        detail := 'neither is there; one must be';
        hint := 'Write a view with ... AS interaction_id or ... AS customer_id.';
        RETURN NEXT;
    ELSIF found.columns = '{interaction_id}' AND NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c
                                                             WHERE c.relnamespace = source_oid
                                                               AND c.relname = 'interactions'
                                                               AND c.relkind IN ('r', 'p', 'v', 'm', 'f')) THEN
        item := 'interaction_id';
        status := 'wrong';
        detail := 'there are no interactions that say whose these are';
        hint := 'Write a view interactions, or a view of the evaluations with ... AS customer_id.';
        RETURN NEXT;
    END IF;
    -- ids of customers must meet in all relations; interactions are compared as text
    FOR found IN EXECUTE format($query$
        SELECT f.relation, f."column", f.type_name, first_value(f.relation) OVER w AS first_relation,
               first_value(f."column") OVER w AS first_column, first_value(f.type_name) OVER w AS first_type,
               format_type(f.type, NULL) AS base, format_type(first_value(f.type) OVER w, NULL) AS first_base
        FROM %I.clv_mart_found($1) WITH ORDINALITY
             AS f (relation, relid, kind, "column", required, accepts, type, type_name, fits, readable, n)
        WHERE f.fits AND f."column" IN ('customer_id', 'master_id')
        WINDOW w AS (ORDER BY f.n) ORDER BY f.n$query$, schema) USING source
    LOOP
        BEGIN
            -- compared, and put in one column
            EXECUTE format('SELECT a = b FROM (SELECT NULL::%1$s AS a, NULL::%2$s AS b) AS s
                            UNION ALL SELECT c IS NULL FROM (SELECT NULL::%1$s UNION ALL SELECT NULL::%2$s) AS u (c)',
                           found.first_base, found.base);
        EXCEPTION WHEN insufficient_privilege THEN
            relation := found.relation;
            item := found."column";
            status := 'wrong';
            detail := format('%s, compared with %s.%s, %s: %s', found.type_name, found.first_relation,
                             found.first_column, found.first_type, SQLERRM);
            hint := format('GRANT USAGE ON SCHEMA ... TO %I;', current_user);
            RETURN NEXT;
        WHEN undefined_function OR ambiguous_function OR datatype_mismatch OR cannot_coerce
            OR indeterminate_collation THEN
            relation := found.relation;
            item := found."column";
            status := 'wrong';
            detail := format('%s, which does not compare with %s.%s, %s', found.type_name, found.first_relation,
                             found.first_column, found.first_type);
            hint := format('Write a view with %I::%s AS %1$I, or ::text in both.', found."column", found.first_base);
            RETURN NEXT;
        END;
    END LOOP;
END $$;
COMMENT ON FUNCTION clv_mart_check_structure(text) IS 'internal: clv_check_sources() as far as the catalogs tell it; error 3F000 where there is no such schema, 22004 without one';

CREATE FUNCTION clv_mart_check_content(source text)
    RETURNS TABLE (relation text, item text, status text, detail text, hint text)
    LANGUAGE plpgsql STABLE STRICT PARALLEL UNSAFE COST 100000 ROWS 4
    AS $$
DECLARE
    schema name := (SELECT n.nspname FROM pg_catalog.pg_extension AS e
                    JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
                    WHERE e.extname = 'clv');
    flags text[];
    currencies text[];
    shown text;
    without bigint;
    one_when_trimmed boolean;
    n bigint;
    example text;
    pair text[];
BEGIN
    EXECUTE format('SELECT %I.clv_mart_flags($1)', schema) INTO flags USING source;
    IF 'orders.currency' = ANY (flags) THEN
        relation := 'orders';
        item := 'currency';
        hint := NULL;
        BEGIN
            EXECUTE format($query$
                SELECT array_agg(currency ORDER BY orders DESC, currency COLLATE "C")
                           FILTER (WHERE currency IS NOT NULL),
                       string_agg(format('%%L in %%s', currency, orders), ', '
                                  ORDER BY orders DESC, currency COLLATE "C")
                           FILTER (WHERE currency IS NOT NULL),
                       coalesce(sum(orders) FILTER (WHERE currency IS NULL), 0),
                       count(DISTINCT upper(btrim(currency))) = 1
                FROM (SELECT currency::text, count(*) AS orders FROM %I.orders GROUP BY 1) AS s$query$, source)
                INTO currencies, shown, without, one_when_trimmed;
            IF cardinality(currencies) > 1 THEN
                status := 'wrong';
                detail := format('%s currencies: %s', cardinality(currencies), shown);
                -- a view cannot have the name of what it reads: it stands in another schema
                hint := CASE WHEN one_when_trimmed
                             THEN format('CREATE VIEW mapped.orders AS SELECT customer_id, ordered_at, amount, upper(btrim(currency)) AS currency FROM %I.orders;', source)
                             ELSE format('One mart for each: CREATE VIEW mapped.orders AS SELECT * FROM %I.orders WHERE currency = %L; or converted: CREATE VIEW mapped.orders AS SELECT customer_id, ordered_at, amount * CASE currency WHEN %2$L THEN 1%s END AS amount, %2$L AS currency FROM %1$I.orders; with views of the other relations in that schema.',
                                         source, currencies[1],
                                         (SELECT string_agg(format(' WHEN %L THEN ...', c), '')
                                          FROM unnest(currencies[2:]) AS c)) END;
                RETURN NEXT;
            END IF;
            IF without > 0 THEN
                status := 'note';
                detail := format('NULL%s: %s', coalesce(', taken as ' || quote_literal(currencies[1]), ''), without);
                hint := NULL;
                RETURN NEXT;
            END IF;
        EXCEPTION WHEN OTHERS THEN
            status := 'wrong';
            detail := format('reading it fails: %s (%s)', SQLERRM, SQLSTATE);
            hint := CASE WHEN SQLSTATE = '42501'
                         THEN 'The owner of the view needs the right to read what it reads.' END;
            RETURN NEXT;
        END;
    END IF;
    IF 'customer_map' = ANY (flags) THEN
        relation := 'customer_map';
        BEGIN
            item := 'customer_id';
            EXECUTE format('SELECT count(*), min(id) FROM (SELECT customer_id::text AS id FROM %I.customer_map
                                                           WHERE customer_id IS NOT NULL AND master_id IS NOT NULL
                                                           GROUP BY customer_id HAVING count(*) > 1) AS s', source)
                INTO n, example;
            IF n > 0 THEN
                status := 'wrong';
                detail := format('ids in several rows: %s, such as %L', n, example);
                hint := format('CREATE VIEW mapped.customer_map AS SELECT DISTINCT ON (customer_id) customer_id, master_id FROM %I.customer_map ORDER BY customer_id, master_id; with views of the other relations in that schema; or delete the rows that are wrong.', source);
                RETURN NEXT;
            END IF;
            item := 'master_id';
            EXECUTE format('SELECT count(DISTINCT m.master_id), min(ARRAY[m.customer_id::text, m.master_id::text])
                            FROM %1$I.customer_map AS m JOIN %1$I.customer_map AS next ON next.customer_id = m.master_id
                            WHERE m.customer_id <> m.master_id AND next.master_id <> next.customer_id', source)
                INTO n, pair;
            IF n > 0 THEN
                status := 'wrong';
                detail := format('masters that are merged themselves: %s, such as %L, the master of %L',
                                 n, pair[2], pair[1]);
                hint := format('Name the last of the chain: CREATE VIEW mapped.customer_map AS WITH RECURSIVE chain AS (SELECT customer_id, master_id FROM %1$I.customer_map UNION SELECT c.customer_id, m.master_id FROM chain AS c JOIN %1$I.customer_map AS m ON m.customer_id = c.master_id) SELECT c.customer_id, c.master_id FROM chain AS c WHERE NOT EXISTS (SELECT FROM %1$I.customer_map AS m WHERE m.customer_id = c.master_id AND m.master_id <> c.master_id); with views of the other relations in that schema. It leaves out those that lead round in a circle.', source);
                RETURN NEXT;
            END IF;
            EXECUTE format('SELECT count(*) FROM %I.customer_map WHERE customer_id IS NULL OR master_id IS NULL',
                           source)
                INTO n;
            IF n > 0 THEN
                item := 'rows';
                status := 'note';
                detail := format('with a NULL, which merge nothing: %s', n);
                hint := NULL;
                RETURN NEXT;
            END IF;
        EXCEPTION WHEN undefined_function THEN
            NULL;   -- types that do not compare: clv_mart_check_structure() tells
        WHEN OTHERS THEN
            status := 'wrong';
            detail := format('reading it fails: %s (%s)', SQLERRM, SQLSTATE);
            hint := CASE WHEN SQLSTATE = '42501'
                         THEN 'The owner of the view needs the right to read what it reads.' END;
            RETURN NEXT;
        END;
    END IF;
END $$;
COMMENT ON FUNCTION clv_mart_check_content(text) IS 'internal: what of the sources'' rows stops a mart: several currencies, merged ids that lead to several masters or to merged ones';

CREATE FUNCTION clv_mart_problems(source text) RETURNS text
    LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 100000
    AS $$
DECLARE
    schema name := (SELECT n.nspname FROM pg_catalog.pg_extension AS e
                    JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
                    WHERE e.extname = 'clv');
    problems text;
BEGIN
    EXECUTE format($query$
        SELECT string_agg(concat_ws('.', nullif(p.relation, ''), CASE WHEN p.item <> 'relation' THEN p.item END)
                          || ': ' || p.detail || coalesce('. ' || p.hint, ''), E'\n')
        FROM (SELECT * FROM %1$I.clv_mart_check_structure($1)
              UNION ALL SELECT * FROM %1$I.clv_mart_check_content($1)) AS p
        WHERE p.status IN ('missing', 'wrong')$query$, schema) INTO problems USING source;
    RETURN problems;
END $$;
COMMENT ON FUNCTION clv_mart_problems(text) IS 'internal: everything that stops a mart, a line for each, or NULL; errors as clv_check_sources()';

CREATE FUNCTION clv_mart_left_out(flags text[]) RETURNS TABLE (name text, left_out text)
    LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED COST 100000 ROWS 20
    AS $$
-- What a template says with a relation or column and not without it. A relation brings all its columns.
DECLARE
    schema name := (SELECT n.nspname FROM pg_catalog.pg_extension AS e
                    JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
                    WHERE e.extname = 'clv');
BEGIN
    RETURN QUERY EXECUTE format($query$
        WITH line AS (
            SELECT t.part, t.number, t.name AS view, c.name AS "column", t.needs, c.number AS place,
                   coalesce(regexp_split_to_array(substring(l.line FROM '--\?\s*(.*?)\s*$'), '\s+'), '{}') AS wants
            FROM (SELECT 1 AS part, row_number() OVER () AS number, name, kind, needs, definition
                  FROM %1$I.clv_mart_customers()
                  UNION ALL SELECT 2, row_number() OVER (), name, kind, needs, definition FROM %1$I.clv_mart_drivers()
                  UNION ALL SELECT 3, row_number() OVER (), name, kind, needs, definition
                  FROM %1$I.clv_mart_routines()) AS t,
                 LATERAL %1$I.clv_mart_columns(t.definition) AS c
                 JOIN LATERAL regexp_split_to_table(t.definition, E'\n') WITH ORDINALITY AS l (line, number)
                     ON l.number = c.number
            WHERE t.kind IN ('generation', 'published', 'vintage')
        ), absent AS (
            SELECT c.relation AS name,
                   array_agg(c.relation || '.' || c."column")
                   || array_agg(CASE c.relation WHEN 'interactions' THEN 'contacts' ELSE c.relation END)
                   || c.relation
                   || CASE WHEN c.relation IN ('interactions', 'evaluations') THEN ARRAY['scores']
                           ELSE '{}' END AS brings
            FROM %1$I.clv_mart_contract() AS c WHERE c.relation <> ALL ($1) GROUP BY 1
            UNION ALL
            SELECT c.relation || '.' || c."column",
                   (c.relation || '.' || c."column")
                   || CASE c."column" WHEN 'resolved' THEN ARRAY['scores'] ELSE '{}' END
            FROM %1$I.clv_mart_contract() AS c
            WHERE c.relation = ANY ($1) AND NOT c.required AND c.relation || '.' || c."column" <> ALL ($1)
        ), shown AS (
            SELECT a.name, l.part, l.number, l.view, l."column", min(l.place) AS place,
                   bool_or(%1$I.clv_mart_line_kept(l.needs || l.wants, $1 || a.brings)) AS with_it,
                   bool_or(%1$I.clv_mart_line_kept(l.needs || l.wants, $1)) AS without_it
            FROM absent AS a,
                 (SELECT part, number, view, "column", place, wants, string_to_array(needs, ' ') AS needs
                  FROM line) AS l
            GROUP BY 1, 2, 3, 4, 5
        )
        SELECT name, string_agg(view || coalesce(' (' || columns || ')', ''), '; ' ORDER BY part, number)
        FROM (SELECT name, part, number, view,
                     CASE WHEN bool_or(without_it)
                          THEN string_agg("column", ', ' ORDER BY place)
                                   FILTER (WHERE with_it AND NOT without_it) END AS columns
              FROM shown GROUP BY 1, 2, 3, 4 HAVING bool_or(with_it AND NOT without_it)) AS v
        GROUP BY 1$query$, schema) USING flags;
END $$;
COMMENT ON FUNCTION clv_mart_left_out(text[]) IS 'internal: for each relation and optional column that the sources do not have, the views and columns of a mart that would be there with it';

CREATE FUNCTION clv_mart_line_kept(wants text[], flags text[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10
    RETURN (SELECT coalesce(bool_and((ltrim(flag, '!') = ANY (flags)) <> (flag LIKE '!%')), true)
            FROM unnest(wants) AS flag);
COMMENT ON FUNCTION clv_mart_line_kept(text[], text[]) IS 'internal: whether a line of a template that ends in these flags stays';

-- Each query counts in one row, c, and makes of it the rows that apply.
CREATE FUNCTION clv_mart_check_rows(given text, source text, id text, joined text, buyers text, flags text[])
    RETURNS TABLE (item text, status text, detail text, hint text)
    LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000 ROWS 8
    AS $$
DECLARE
    schema name := (SELECT n.nspname FROM pg_catalog.pg_extension AS e
                    JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
                    WHERE e.extname = 'clv');
    -- measured on samples of one shop: of fewer, predictions differ by more than a sixth from sample to sample
    enough constant text := '100';
    no_number constant text := '(''NaN'', ''Infinity'', ''-Infinity'')';
    who text := id;
    boolean_score text;
    -- joined, as IN (...) takes hours where the customers do not fit into work_mem
    bought constant text := CASE WHEN buyers IS NULL THEN 'false' ELSE 'b.id IS NOT NULL' END;
    join_buyers constant text := CASE WHEN buyers IS NULL THEN ''
                                      ELSE format(' LEFT JOIN (SELECT DISTINCT id FROM (%s) AS b) AS b ON b.id = ',
                                                  buyers) END;
BEGIN
    CASE given
    WHEN 'orders' THEN
        RETURN QUERY EXECUTE format($query$
            WITH r AS NOT MATERIALIZED (
                SELECT %2$s AS id, r.ordered_at AS at, r.ordered_at::date AS day, r.amount::numeric AS amount
                FROM %3$I.orders AS r%4$s
            ), c AS (
                SELECT count(*) AS n, min(day) FILTER (WHERE counts) AS first, max(day) FILTER (WHERE counts) AS last,
                       count(*) FILTER (WHERE id IS NULL) AS no_id, count(*) FILTER (WHERE at IS NULL) AS no_time,
                       count(*) FILTER (WHERE amount IS NULL) AS no_amount,
                       count(*) FILTER (WHERE NOT isfinite(at)) AS endless,
                       count(*) FILTER (WHERE amount IN %5$s) AS no_number,
                       count(*) FILTER (WHERE amount < 0 AND counts) AS refunds,
                       sum(amount) FILTER (WHERE amount < 0 AND counts) AS refunded,
                       count(*) FILTER (WHERE day > current_date AND isfinite(day)) AS future,
                       count(*) FILTER (WHERE day < '1970-01-01' AND isfinite(day)) AS ancient,
                       max(day) FILTER (WHERE isfinite(day)) AS latest
                FROM (SELECT *, coalesce(id IS NOT NULL AND isfinite(at) AND day <= current_date
                                         AND amount NOT IN %5$s, false) AS counts
                      FROM r) AS s
            ), b AS (
                SELECT count(*) FILTER (WHERE days > 0) AS buyers, count(*) FILTER (WHERE days >= 3) AS loyal
                FROM (SELECT %1$I.purchases(%1$I.purchase_history(day, amount), current_date) AS days
                      FROM r WHERE id IS NOT NULL AND isfinite(at) AND day <= current_date AND amount NOT IN %5$s
                      GROUP BY id) AS s
            )
            SELECT v.item, v.status, v.detail, v.hint
            FROM c, b, LATERAL (VALUES
                (true, 'rows', CASE WHEN last IS NULL THEN %7$L ELSE 'ok' END,
                 n || ' orders'
                 || coalesce(', from ' || to_char(first, 'YYYY-MM-DD') || ' to ' || to_char(last, 'YYYY-MM-DD')
                             || ', ' || last - first || ' days', ''), NULL),
                (true, 'customers', 'ok',
                 buyers || ' with a purchase, ' || loyal || ' with three or more purchase days', NULL),
                (no_id + no_time + no_amount > 0, 'NULL', 'note',
                 'not counted: ' || concat_ws(', ', nullif(no_id, 0) || ' without customer_id',
                                              nullif(no_time, 0) || ' without ordered_at',
                                              nullif(no_amount, 0) || ' without amount'), NULL),
                (refunds > 0, 'refunds', 'note',
                 'negative, taken as refunds: ' || refunds || ', in all ' || refunded, NULL),
                (future > 0, 'future', 'note',
                 'after today, not counted before their day: ' || future
                 || ', the last on ' || to_char(latest, 'YYYY-MM-DD'), NULL),
                (ancient > 0, 'ordered_at', 'note', 'before 1970: ' || ancient,
                 'Are these placeholders? Leave them out in a view.'),
                (endless > 0, 'ordered_at', 'wrong', 'infinite: ' || endless,
                 'Leave them out in a view, or correct them.'),
                (no_number > 0, 'amount', 'wrong', 'NaN or infinite: ' || no_number,
                 'Write a view with NULL or the right amount.'),
                (loyal >= %6$s, 'sufficiency', 'ok',
                 'enough for a model: ' || loyal || ' customers with three or more purchase days',
                 CASE WHEN last - first < 365
                      THEN 'The history reaches back ' || last - first || ' days: predict no further ahead.' END),
                (loyal < %6$s, 'sufficiency', 'note',
                 'too little for a model to rely on: ' || loyal
                 || ' customers with three or more purchase days, where %6$s are enough', NULL)
            ) AS v (shown, item, status, detail, hint)
            WHERE shown$query$, schema, id, source, joined, no_number, enough,
            CASE WHEN 'subscriptions' = ANY (flags) THEN 'note' ELSE 'wrong' END);
    WHEN 'subscriptions' THEN
        RETURN QUERY EXECUTE format($query$
            WITH c AS (
                SELECT count(*) AS n, count(DISTINCT id) AS customers,
                       count(*) FILTER (WHERE ended <= current_date) AS ended,
                       count(*) FILTER (WHERE coalesce(ended > current_date, started IS NOT NULL)
                                        AND started <= current_date) AS active,
                       count(*) FILTER (WHERE ended < started) AS backwards,
                       count(*) FILTER (WHERE id IS NULL) AS no_id,
                       count(*) FILTER (WHERE started IS NULL) AS no_time,
                       count(*) FILTER (WHERE amount IS NULL) AS no_amount,
                       count(*) FILTER (WHERE NOT isfinite(started)) AS endless,
                       count(*) FILTER (WHERE amount IN %4$s) AS no_number,
                       count(*) FILTER (WHERE amount < 0) AS negative,
                       count(*) FILTER (WHERE started > current_date AND isfinite(started)) AS future,
                       count(*) FILTER (WHERE started < '1970-01-01' AND isfinite(started)) AS ancient,
                       min(started) FILTER (WHERE isfinite(started)) AS first
                FROM (SELECT %1$s AS id, r.started_at::date AS started, r.ended_at::date AS ended,
                             r.monthly_amount::numeric AS amount
                      FROM %2$I.subscriptions AS r%3$s) AS s
            )
            SELECT v.item, v.status, v.detail, v.hint
            FROM c, LATERAL (VALUES
                (true, 'rows', CASE WHEN active + ended = 0 THEN %6$L ELSE 'ok' END,
                 n || ' contracts of ' || customers || ' customers'
                 || coalesce(', the first of ' || to_char(first, 'YYYY-MM-DD'), '')
                 || ': ' || active || ' active, ' || ended || ' ended', NULL),
                (no_id + no_time + no_amount > 0, 'NULL', 'note',
                 'not counted: ' || concat_ws(', ', nullif(no_id, 0) || ' without customer_id',
                                              nullif(no_time, 0) || ' without started_at',
                                              nullif(no_amount, 0) || ' without monthly_amount'), NULL),
                (future > 0, 'future', 'note', 'after today: ' || future, NULL),
                (negative > 0, 'monthly_amount', 'note', 'negative: ' || negative,
                 'A contract costs the customer something: are these credits?'),
                (backwards > 0, 'ended_at', 'note',
                 'before started_at, so that nothing is charged: ' || backwards, NULL),
                (ancient > 0, 'started_at', 'note', 'before 1970: ' || ancient,
                 'Are these placeholders? Each month since then is charged.'),
                (endless > 0, 'started_at', 'wrong', 'infinite: ' || endless,
                 'Leave them out in a view, or correct them.'),
                (no_number > 0, 'monthly_amount', 'wrong', 'NaN or infinite: ' || no_number,
                 'Write a view with NULL or the right amount.'),
                (ended >= %5$s, 'sufficiency', 'ok', 'enough for a model: ' || ended || ' contracts have ended', NULL),
                (ended BETWEEN 1 AND %5$s - 1, 'sufficiency', 'note',
                 'too little for a model to rely on: ' || ended
                 || ' contracts have ended, which tells the churn to within '
                 || round(100 / sqrt(nullif(ended, 0))) || ' percent of itself; %5$s tell it to 10', NULL),
                (ended = 0, 'sufficiency', 'note', 'too little for a model: no contract has ended', NULL)
            ) AS v (shown, item, status, detail, hint)
            WHERE shown$query$, id, source, joined, no_number, enough,
            CASE WHEN 'orders' = ANY (flags) THEN 'note' ELSE 'wrong' END);
    WHEN 'customers' THEN
        RETURN QUERY EXECUTE format($query$
            WITH c AS (
                SELECT count(*) AS n, count(DISTINCT r.customer_id) AS ids,
                       count(*) FILTER (WHERE r.customer_id IS NULL) AS no_id,
                       count(DISTINCT %1$s) AS persons, count(DISTINCT %1$s) FILTER (WHERE %5$s) AS buying,
                       %6$s AS backwards, %7$s AS no_cohort, %8$s AS no_number
                FROM %2$I.customers AS r%3$s
            )
            SELECT v.item, v.status, v.detail, v.hint
            FROM c, LATERAL (VALUES
                (true, 'rows', 'ok', persons || ' customers'
                                     || CASE WHEN ids > persons THEN ' in ' || ids || ' accounts' ELSE '' END
                                     || coalesce(', of whom ' || buying || ' have bought', ''), NULL),
                (persons > 0 AND buying = 0, 'customer_id', 'note', 'no customer has bought',
                 'Is it another kind of id than that of the orders?'),
                (no_id > 0, 'NULL', 'note', 'not counted: ' || no_id || ' without customer_id', NULL),
                (n - no_id > ids, 'customer_id', 'note',
                 'rows of a customer who has another: ' || n - no_id - ids || ', their costs are added up',
                 'If that is wrong: a view with SELECT DISTINCT ON (customer_id) ... ORDER BY customer_id, ...'),
                (no_cohort > 0, 'cohort', 'note', 'NULL: ' || no_cohort, NULL),
                (no_number > 0, 'acquisition_cost', 'wrong', 'NaN or infinite: ' || no_number,
                 'Write a view with NULL or the right cost.'),
                (backwards > 0, 'churned_at', 'note', 'before acquired_at: ' || backwards, NULL)
            ) AS v (shown, item, status, detail, hint)
            WHERE shown$query$, id, source, joined || coalesce(nullif(join_buyers, '') || id, ''), NULL,
            CASE WHEN buyers IS NULL THEN 'NULL' ELSE bought END,
            CASE WHEN flags @> '{customers.churned_at,customers.acquired_at}'
                 THEN 'count(*) FILTER (WHERE r.churned_at < r.acquired_at)' ELSE '0' END,
            CASE WHEN flags @> '{customers.cohort}' THEN 'count(*) FILTER (WHERE r.cohort IS NULL)' ELSE '0' END,
            CASE WHEN flags @> '{customers.acquisition_cost}'
                 THEN format('count(*) FILTER (WHERE r.acquisition_cost::numeric IN %s)', no_number)
                 ELSE '0' END);
    WHEN 'interactions' THEN
        RETURN QUERY EXECUTE format($query$
            WITH c AS (
                SELECT count(*) AS n, count(DISTINCT %1$s) AS persons, count(*) FILTER (WHERE %4$s) AS matched,
                       count(*) FILTER (WHERE r.customer_id IS NULL) AS no_id,
                       count(*) FILTER (WHERE r.started_at IS NULL) AS no_time,
                       count(r.interaction_id) - count(DISTINCT r.interaction_id) AS repeated,
                       count(*) FILTER (WHERE NOT isfinite(r.started_at)) AS endless,
                       count(*) FILTER (WHERE r.started_at::date > current_date AND isfinite(r.started_at)) AS future,
                       min(r.started_at::date) FILTER (WHERE isfinite(r.started_at)) AS first,
                       max(r.started_at::date) FILTER (WHERE r.started_at::date <= current_date) AS last,
                       %5$s AS judged, %6$s AS no_number
                FROM %2$I.interactions AS r%3$s
            )
            SELECT v.item, v.status, v.detail, v.hint
            FROM c, LATERAL (VALUES
                (true, 'rows', 'ok', n || ' interactions of ' || persons || ' customers'
                                     || coalesce(', from ' || to_char(first, 'YYYY-MM-DD')
                                                 || ' to ' || to_char(last, 'YYYY-MM-DD'), '')
                                     || coalesce(', ' || judged || ' of them judged resolved or not', ''), NULL),
                (n > 0, 'matched', CASE WHEN matched = 0 THEN 'note' ELSE 'ok' END,
                 'of customers who have bought: ' || matched,
                 CASE WHEN matched = 0 THEN 'Is it another kind of id than that of the orders?' END),
                (no_id + no_time > 0, 'NULL', 'note', concat_ws(', ', nullif(no_id, 0) || ' without customer_id',
                                                                nullif(no_time, 0) || ' without started_at'), NULL),
                (repeated > 0, 'interaction_id', 'wrong', 'rows of an interaction that has another: ' || repeated,
                 'One row for each interaction: write a view with SELECT DISTINCT ON (interaction_id) ... ORDER BY interaction_id, ...'),
                (future > 0, 'future', 'note', 'after today: ' || future, NULL),
                (endless > 0, 'started_at', 'wrong', 'infinite: ' || endless,
                 'Leave them out in a view, or correct them.'),
                (no_number > 0, 'service_cost', 'wrong', 'NaN or infinite: ' || no_number,
                 'Write a view with NULL or the right cost.')
            ) AS v (shown, item, status, detail, hint)
            WHERE shown$query$, id, source, joined || coalesce(nullif(join_buyers, '') || id, ''), bought,
            CASE WHEN flags @> '{interactions.resolved}' THEN 'count(r.resolved)' ELSE 'NULL::bigint' END,
            CASE WHEN flags @> '{interactions.service_cost}'
                 THEN format('count(*) FILTER (WHERE r.service_cost::numeric IN %s)', no_number)
                 ELSE '0' END);
    WHEN 'evaluations' THEN
        EXECUTE format('SELECT ''::integer'' FROM %I.clv_mart_found($1) '
                       'WHERE relation = $2 AND "column" = ''score'' AND type = ''boolean''::regtype', schema)
            INTO boolean_score USING source, given;
        IF flags @> '{interactions,evaluations.interaction_id}' THEN
            who := CASE WHEN flags @> '{evaluations.customer_id}' THEN 'coalesce(e.customer_id, i.customer_id)'
                        ELSE 'i.customer_id' END;
        ELSE
            who := 'e.customer_id';
        END IF;
        RETURN QUERY EXECUTE format($query$
            WITH c AS (
                SELECT coalesce(%1$I.evaluator_key(name), '') AS name, min(name) AS written, count(*) AS n,
                       count(score) AS scores, min(score) AS low, max(score) AS high,
                       count(*) FILTER (WHERE score < 0 OR score > 1) AS outside,
                       count(*) FILTER (WHERE s.id IS NULL) AS unmatched,
                       count(*) FILTER (WHERE at IS NULL OR NOT isfinite(at)) AS no_time,
                       count(DISTINCT s.id) FILTER (WHERE score IS NOT NULL AND %4$s) AS persons
                FROM (SELECT %3$s AS id, r.name, r.score, r.at
                      FROM (SELECT %5$s AS customer_id, e.name::text, e.score%9$s::float8 AS score, e.evaluated_at AS at
                            FROM %2$I.evaluations AS e%6$s) AS r%7$s) AS s%10$s
                GROUP BY 1
            ), total AS (
                SELECT max(persons) AS persons, (array_agg(name ORDER BY persons DESC, name COLLATE "C"))[1] AS name
                FROM c
            )
            SELECT v.item, v.status, v.detail, v.hint
            FROM (SELECT 0 AS part, c.name, true AS shown, 'name ' || c.name AS item, 'ok' AS status,
                         n || ' rows, ' || scores || ' scores'
                         || coalesce(' from ' || low::numeric || ' to ' || high::numeric, '') || ', of '
                         || persons || ' customers who have bought' AS detail, NULL AS hint FROM c WHERE c.name <> ''
                  UNION ALL
                  SELECT 1, c.name, outside > 0, 'score', 'wrong', c.name || ', not between 0 and 1: ' || outside,
                         'Write a view with ' || format('CASE name WHEN %%L THEN normalize_score(score, ', written)
                         || coalesce((SELECT s.low || ', ' || s.high
                                             || CASE WHEN s.higher_is_better THEN '' ELSE ', false' END
                                      FROM %1$I.evaluator_scales() AS s
                                      WHERE s.evaluator = c.name AND s.low < s.high AND (s.low, s.high) <> (0, 1)
                                        AND c.low >= s.low AND c.high <= s.high), 'low, high')
                         || ') ELSE score END AS score.' FROM c
                  UNION ALL
                  SELECT 2, c.name, unmatched > 0, 'matched', 'note', c.name || ', of no customer: ' || unmatched,
                         'Is the id of another kind, or are interactions missing?' FROM c
                  UNION ALL
                  SELECT 3, c.name, no_time > 0, 'evaluated_at', 'note',
                         c.name || ', without a time, not counted: ' || no_time, NULL FROM c
                  UNION ALL
                  SELECT 4, c.name, c.name = '', 'name', 'note', 'NULL or empty, not counted: ' || n, NULL FROM c
                  UNION ALL
                  SELECT 5, '', true, 'sufficiency', CASE WHEN persons >= %8$s THEN 'ok' ELSE 'note' END,
                         CASE WHEN persons >= %8$s
                              THEN 'enough to see a correlation of '
                                   || round(tanh(2.8016 / sqrt(persons - 3))::numeric, 2) || ' and more: '
                              ELSE 'too little to see what goes with scores: ' END
                         || coalesce(persons, 0) || ' customers who have bought have scores'
                         || coalesce(' of ' || nullif(name, ''), ''), NULL FROM total
                 ) AS v
            WHERE shown ORDER BY part, name COLLATE "C"$query$, schema, source, id, bought, who,
            CASE WHEN who <> 'e.customer_id'
                 THEN format(' LEFT JOIN %I.interactions AS i ON i.interaction_id::text = e.interaction_id::text',
                             source)
                 ELSE '' END,
            joined, enough, boolean_score, coalesce(nullif(join_buyers, '') || 's.id', ''));
    WHEN 'customer_map' THEN
        RETURN QUERY EXECUTE format($query$
            SELECT 'rows', 'ok', 'ids: ' || count(*) FILTER (WHERE customer_id <> master_id) || ', merged into others: '
                                 || count(DISTINCT master_id) FILTER (WHERE customer_id <> master_id), NULL
            FROM %I.customer_map$query$, source);
    END CASE;
END $$;
COMMENT ON FUNCTION clv_mart_check_rows(text, text, text, text, text, text[]) IS 'internal: the rows of clv_check_sources() that count what is in one relation; id and joined: how a row r leads to its customer, buyers: the query of all who have bought';

CREATE FUNCTION clv_check_sources(source text)
    RETURNS TABLE (relation text, item text, status text, detail text, hint text)
    LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000 ROWS 60
    AS $$
DECLARE
    schema name := (SELECT n.nspname FROM pg_catalog.pg_extension AS e
                    JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
                    WHERE e.extname = 'clv');
    path text := pg_catalog.current_setting('search_path');
    flags text[];
    found jsonb := '[]';
    one record;
    usable text[];
    id text;
    joined text := '';
    buyers text;
    given text;
    without jsonb;
BEGIN
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);     -- nothing of the caller's is called
    FOR one IN EXECUTE format('SELECT * FROM %1$I.clv_mart_check_structure($1) '
                              'UNION ALL SELECT * FROM %1$I.clv_mart_check_content($1)',
                              schema) USING source
    LOOP
        found := found || to_jsonb(one);
    END LOOP;
    EXECUTE format('SELECT %I.clv_mart_flags($1)', schema) INTO flags USING source;
    EXECUTE format('SELECT jsonb_object_agg(name, left_out) FROM %I.clv_mart_left_out($1)', schema)
        INTO without USING flags;
    -- rows are read where nothing about the relation itself is wrong: a currency may be
    usable := ARRAY(SELECT f.name FROM unnest(flags) AS f (name)
                    WHERE NOT EXISTS (SELECT FROM jsonb_array_elements(found) AS j
                                      WHERE j ->> 'relation' = f.name
                                        AND j ->> 'status' IN ('wrong', 'missing') AND j ->> 'item' <> 'currency'));
    IF 'customer_map' = ANY (usable) THEN
        id := 'coalesce(m.master_id, r.customer_id)';
        joined := format(' LEFT JOIN %I.customer_map AS m ON m.customer_id = r.customer_id', source);
    ELSE
        id := 'r.customer_id';
    END IF;
    buyers := (SELECT string_agg(format('SELECT %s AS id FROM %I.%I AS r%s', id, source, name, joined), ' UNION ')
               FROM unnest(usable) AS u (name) WHERE name IN ('orders', 'subscriptions'));
    FOR relation IN EXECUTE format('SELECT c.relation FROM %I.clv_mart_contract() '
                                   'WITH ORDINALITY AS c (relation, "column", required, accepts, about, n) '
                                   'GROUP BY 1 ORDER BY min(c.n)', schema)
    LOOP
        given := relation;
        RETURN QUERY SELECT j ->> 'relation', j ->> 'item', j ->> 'status',
                            concat_ws('; left out: ', j ->> 'detail',
                                      CASE WHEN j ->> 'status' = 'optional'
                                           THEN without ->> CASE j ->> 'item' WHEN 'relation' THEN given
                                                            ELSE given || '.' || (j ->> 'item') END END),
                            j ->> 'hint'
                     FROM jsonb_array_elements(found) WITH ORDINALITY AS e (j, n)
                     -- the schema itself belongs to no relation and comes first
                     WHERE j ->> 'relation' IN (given, CASE WHEN given = 'orders' THEN '' END) ORDER BY n;
        CONTINUE WHEN given <> ALL (usable);
        BEGIN
            RETURN QUERY EXECUTE format('SELECT $1, d.* FROM %I.clv_mart_check_rows($1, $2, $3, $4, $5, $6) AS d',
                                        schema)
                USING given, source, id, joined, buyers,
                      ARRAY(SELECT f FROM unnest(flags) AS f WHERE split_part(f, '.', 1) = ANY (usable));
        EXCEPTION WHEN OTHERS THEN
            relation := given;
            item := 'rows';
            status := 'wrong';
            detail := format('reading them fails: %s (%s)', SQLERRM, SQLSTATE);
            hint := CASE WHEN SQLSTATE = '42501'
                         THEN 'The owner of the view needs the right to read what it reads.' END;
            RETURN NEXT;
        END;
    END LOOP;
    PERFORM set_config('search_path', path, true);
END $$;
COMMENT ON FUNCTION clv_check_sources(text) IS
'What a mart would find in the schema of sources, by its plain name, all at once: for each relation of clv_mart_contract() a row for itself, one for each column, and what its rows say. status: ok; missing, wrong: no mart can be made, or its numbers would be wrong; optional: not there, and what needs it is left out of the mart; note: the mart works, but look at it. detail says what there is, hint what to write: the view, the GRANT. The rows say how many there are, of how many customers, which are not counted, whether they suffice for models and to whom they lead, by customer_map where there is one. Moments are days of the session''s time zone. Reads every relation, once or twice; what cannot be read is a row, not an error. Error 3F000: no such schema; 22004: no name.';

-- ---- mart: templates ------------------------------------------------------------------------------------------------
--
-- A mart is made of templates: rows (name, kind, keys, needs, about, definition) of clv_mart_storage(), _sources(),
-- _customers(), _drivers() and _routines(). clv_mart_fill() makes SQL of a definition for the sources at hand:
--
--   {name}       a value of clv_mart_names(): schemas, the time zone, expressions that depend on the type of a column
--   --? flags    at the end of a line: the line stays where the sources have all of these (see clv_mart_flags()), !x: not x
--   --: text     behind a column of a published relation: its comment
--
-- What kinds there are, and what is made of each, is in clv_mart_relation(). All that computes is a view: views keep
-- track of the extension when it moves to another schema, and DROP EXTENSION refuses while they are there.

CREATE FUNCTION clv_mart_fill(definition text, flags text[], names jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 1000
    BEGIN ATOMIC
        -- names are put in in one pass, so that a schema whose name looks like a placeholder stays as it is
        SELECT left(string_agg(p.part[1] || coalesce(names ->> p.part[2], '{' || p.part[2] || '}'), ''
                               ORDER BY p.number), -2)
        FROM (SELECT string_agg(regexp_replace(l.line, '\s*--\?.*$', ''), E'\n' ORDER BY l.number) AS kept
              FROM regexp_split_to_table(definition, E'\n') WITH ORDINALITY AS l (line, number)
              WHERE coalesce(clv_mart_line_kept(regexp_split_to_array(substring(l.line FROM '--\?\s*(.*?)\s*$'), '\s+'),
                                                flags), true)) AS k,
             regexp_matches(k.kept || '{}', '(.*?)\{([a-z_]*(?::[a-z._]+)?)\}', 'g') WITH ORDINALITY AS p (part, number);
    END;
COMMENT ON FUNCTION clv_mart_fill(text, text[], jsonb) IS
'internal: a template of the mart as SQL: lines whose flags the sources do not have are left out, names put in';

CREATE FUNCTION clv_mart_columns(definition text) RETURNS TABLE (number bigint, name text, about text)
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 30
    BEGIN ATOMIC
        SELECT l.number, c.part[1], c.part[2]
        FROM regexp_split_to_table(definition, E'\n') WITH ORDINALITY AS l (line, number),
             regexp_match(l.line, '(\w+)\s*,?\s*--:\s*(.*?)\s*$') AS c (part)
        WHERE c.part IS NOT NULL;
    END;
COMMENT ON FUNCTION clv_mart_columns(text) IS
'internal: the columns of a published relation with their comments, as its template tells them';

CREATE FUNCTION clv_mart_names(source text, mart text, time_zone text, flags text[]) RETURNS jsonb
    LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED COST 10000
    AS $$
DECLARE
    zone text := quote_literal(time_zone);
    types jsonb;    -- of the columns, "orders.amount": "numeric"
    id text;
BEGIN
    -- the search_path is that of clv_mart_sql(), so that all types come with their schemas
    EXECUTE format('SELECT jsonb_object_agg(relation || ''.'' || "column", format_type(type, NULL)) '
                   'FROM %I.clv_mart_found($1) WHERE type IS NOT NULL',
                   (SELECT n.nspname FROM pg_catalog.pg_extension AS e
                    JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace WHERE e.extname = 'clv'))
        INTO types USING source;
    id := coalesce(types ->> CASE WHEN 'orders' = ANY (flags) THEN 'orders.customer_id'
                                  ELSE 'subscriptions.customer_id' END, 'text');
    id := CASE WHEN id IN ('smallint', 'integer', 'bigint') THEN 'bigint'
               WHEN id IN ('text', 'character varying', 'character', 'name', 'citext') THEN 'text' ELSE id END;
    RETURN jsonb_build_object(
            'clv', (SELECT quote_ident(s.nspname) FROM pg_catalog.pg_extension AS x
                    JOIN pg_catalog.pg_namespace AS s ON s.oid = x.extnamespace
                    WHERE x.extname = 'clv'),
            'source', quote_ident(source), 'mart', quote_ident(mart), 'store', quote_ident(mart || '_store'),
            'store_name', quote_literal(mart || '_store'), 'source_name', quote_literal(source),
            'mart_name', quote_literal(mart), 'zone', zone, 'id', id,
            'published_id', CASE WHEN id = 'bigint' THEN id ELSE 'text' END,
            'text_is_stable', (SELECT o.provolatile = 'i' FROM pg_catalog.pg_type AS t
                               JOIN pg_catalog.pg_proc AS o ON o.oid = t.typoutput WHERE t.oid = to_regtype(id)),
            'g', '1',
            'customer', format('%s::%s',
                               CASE WHEN 'customer_map' = ANY (flags) THEN 'coalesce(m.master_id, r.customer_id)'
                                    ELSE 'r.customer_id' END, id),
            'map', CASE WHEN 'customer_map' = ANY (flags)
                        THEN format('LEFT JOIN %I.customer_map AS m ON m.customer_id = r.customer_id', source)
                        ELSE '' END)
        || (SELECT coalesce(jsonb_object_agg(e.name || ':' || key, e.expression), '{}')
            FROM jsonb_each_text(types) AS c (key, type),
                 LATERAL (SELECT 'r.' || quote_ident(split_part(key, '.', 2)),
                                 format('((SELECT cut FROM %I.build) + 1)', mart || '_store'),
                                 format('(now() AT TIME ZONE %s)::date', zone)) AS x (r, day, today),
                 LATERAL (VALUES
                     ('day', CASE WHEN type LIKE '%with time zone' THEN format('(%s AT TIME ZONE %s)::date', r, zone)
                                  ELSE r || '::date' END),
                     ('moment', CASE WHEN type LIKE '%with time zone' THEN r
                                     ELSE format('%s::timestamp AT TIME ZONE %s', r, zone) END),
                     ('first', CASE WHEN type LIKE '%with time zone'
                                    THEN format('%s::timestamp AT TIME ZONE %s', day, zone) ELSE day END),
                     ('today', CASE WHEN type LIKE '%with time zone'
                                    THEN format('%s::timestamp AT TIME ZONE %s', today, zone) ELSE today END),
                     ('number', r || CASE type WHEN 'boolean' THEN '::integer::float8'
                                          ELSE '::float8' END)) AS e (name, expression));
END $$;
COMMENT ON FUNCTION clv_mart_names(text, text, text, text[]) IS
'internal: what the placeholders of templates stand for. {day:orders.ordered_at} is the day of that column in the time zone of the mart, {moment:...} the timestamptz, {first:...} the first moment behind the days that a refresh leaves alone, {today:...} that of today, {number:...} a float8; r is the relation, m the map of customers';

CREATE FUNCTION clv_mart_relation(kind text, name text, keys text, about text, definitions text[], told text,
        names jsonb)
    RETURNS SETOF text
    LANGUAGE plpgsql IMMUTABLE CALLED ON NULL INPUT PARALLEL RESTRICTED COST 10000 ROWS 10
    AS $$
-- source, view: a view of the store; work: a materialized view of the store, empty but in a refresh; statement: as it
-- stands; published: a view of the mart; vintage: rows kept for every model, of which the mart shows those of the model
-- in use; generation: two materialized views, of which the mart shows the one that is not being refreshed. definitions:
-- for generations 1 and 2; told: with the comments of columns, but not the names of the user, who may have thought
-- of --:
#variable_conflict use_variable
DECLARE
    store text := names ->> 'store';
    published text := format('%s.%I', names ->> 'mart', name);
    schema text := names ->> 'clv';
    columns text;
    body text := definitions[1];
    g integer;
BEGIN
    EXECUTE format($query$SELECT string_agg(CASE name WHEN 'customer_id'
                                                      THEN format('q.customer_id::%%s AS customer_id', $2)
                                                      ELSE format('q.%%I', name) END, ', ' ORDER BY number)
                          FROM %s.clv_mart_columns($1)$query$, schema)
        INTO columns USING told, names ->> 'published_id';
    CASE kind
    WHEN 'statement' THEN
        RETURN NEXT ltrim(body, E'\n');
    WHEN 'source', 'view' THEN
        RETURN NEXT format('CREATE VIEW %s.%I %sAS%s', store, name,
                           CASE kind WHEN 'source' THEN 'WITH (security_invoker = true) ' ELSE '' END, body);
        RETURN NEXT format('COMMENT ON VIEW %s.%I IS %L', store, name, about);
    WHEN 'work' THEN
        RETURN NEXT format('CREATE MATERIALIZED VIEW %s.%I AS%s WITH NO DATA', store, name, body);
        RETURN NEXT format('COMMENT ON MATERIALIZED VIEW %s.%I IS %L', store, name, about);
        RETURN NEXT format('INSERT INTO %s.step (name, action) VALUES (%L, %L)', store, name, kind);
    WHEN 'vintage' THEN
        RETURN NEXT format('CREATE VIEW %s.%I AS%s', store, 'fitted_' || name, body);
        RETURN NEXT format('COMMENT ON VIEW %s.%I IS %L', store, 'fitted_' || name, about);
        RETURN NEXT format('CREATE TABLE IF NOT EXISTS %1$s.%2$I AS SELECT * FROM %1$s.%3$I WITH NO DATA',
                           store, name || '_history', 'fitted_' || name);
        RETURN NEXT format('SELECT %s.clv_add_columns(%L, %L)', schema,
                           format('%s.%I', store, name || '_history'), format('%s.%I', store, 'fitted_' || name));
        RETURN NEXT format('CREATE INDEX IF NOT EXISTS %I ON %s.%I (model_id)',
                           name || '_history_model_id', store, name || '_history');
        RETURN NEXT format('COMMENT ON TABLE %s.%I IS %L', store, name || '_history',
                           about || ': rows of every model_id, never changed');
        RETURN NEXT format('INSERT INTO %s.step (name, action) VALUES (%L, %L)', store, name, kind);
        body := format(E'\nSELECT %s FROM %s.%I AS q\nWHERE q.model_id = '
                       '(SELECT g.model_id FROM %2$s.generation AS g JOIN %2$s.setting ON current = g.generation)',
                       columns, store, name || '_history');
    WHEN 'generation' THEN
        FOR g IN 1 .. 2 LOOP
            RETURN NEXT format(E'CREATE MATERIALIZED VIEW %1$s.%2$I AS\nSELECT * FROM (%3$s\n) AS q\n'
                               'WHERE (SELECT filled FROM %1$s.generation WHERE generation = %4$s)',
                               store, name || '_' || g, definitions[g], g);
            RETURN NEXT format('CREATE UNIQUE INDEX %I ON %s.%I (%s)',
                               name || '_' || g || '_key', store, name || '_' || g, keys);
            -- what a report asks for is the text; that of a date, say, depends on settings and has no index
            IF columns LIKE '%q.customer_id%' AND names ->> 'published_id' <> names ->> 'id'
                AND (names ->> 'text_is_stable')::boolean THEN
                RETURN NEXT format('CREATE INDEX %I ON %s.%I ((customer_id::text))',
                                   name || '_' || g || '_text', store, name || '_' || g);
            END IF;
            RETURN NEXT format('COMMENT ON MATERIALIZED VIEW %s.%I IS %L', store, name || '_' || g,
                               format('generation %s of what the view %s of the mart shows', g, name));
        END LOOP;
        RETURN NEXT format('INSERT INTO %s.step (name, action) VALUES (%L, %L)', store, name, kind);
        body := format(E'\nSELECT %1$s FROM %2$s.%3$I AS q WHERE (SELECT current FROM %2$s.setting) = 1'
                       '\nUNION ALL\nSELECT %1$s FROM %2$s.%4$I AS q WHERE (SELECT current FROM %2$s.setting) = 2',
                       columns, store, name || '_1', name || '_2');
    WHEN 'published' THEN
    END CASE;
    IF kind IN ('published', 'vintage', 'generation') AND name NOT LIKE '%model' THEN     -- no type for a report
        RETURN NEXT format('CREATE VIEW %s AS%s', published, body);
        RETURN NEXT format('COMMENT ON VIEW %s IS %L', published, about);
        RETURN QUERY EXECUTE format('SELECT format(''COMMENT ON COLUMN %%s.%%I IS %%L'', $1, name, about) '
                                    'FROM %s.clv_mart_columns($2) ORDER BY number', schema)
            USING published, told;
    END IF;
END $$;
COMMENT ON FUNCTION clv_mart_relation(text, text, text, text, text[], text, jsonb) IS
'internal: the statements that make one relation of a mart of its filled template; see the kinds in its body';

-- ---- mart: storage --------------------------------------------------------------------------------------------------

CREATE FUNCTION clv_mart_storage()
    RETURNS TABLE (name text, kind text, keys text, needs text, about text, definition text)
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 10
    AS $storage$
VALUES
('mart', 'statement', '', 'new.mart', '', $$CREATE SCHEMA {mart}$$),
('store', 'statement', '', 'new.store', '', $$CREATE SCHEMA {store}$$),
('setting', 'statement', '', '', '', $$CREATE TABLE IF NOT EXISTS {store}.setting (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    source text NOT NULL, mart text NOT NULL, clv_version text NOT NULL, time_zone text NOT NULL, currency text,
    horizon_days integer NOT NULL CHECK (horizon_days BETWEEN 1 AND 36525),
    annual_discount_rate float8 NOT NULL CHECK (annual_discount_rate > -1 AND annual_discount_rate < 'Infinity'),
    margin float8 NOT NULL CHECK (margin BETWEEN 0 AND 1),
    unit text NOT NULL CHECK (unit IN ('day', 'week', 'month', 'year')),
    purchase_model text NOT NULL CHECK (purchase_model IN ('pareto_nbd', 'mbgnbd', 'bgnbd', 'best')),
    min_cohort_size integer NOT NULL CHECK (min_cohort_size >= 1),
    lift float8 NOT NULL CHECK (lift > 0 AND lift <= 1), lift_name text NOT NULL,
    target_ratio float8 NOT NULL CHECK (target_ratio BETWEEN 0.001 AND 1000),
    late_days integer CHECK (late_days BETWEEN 0 AND 36525),
    current smallint CHECK (current IN (1, 2)), building smallint CHECK (building IN (1, 2)))$$),
('setting', 'statement', '', '', '', $$COMMENT ON TABLE {store}.setting IS 'one row: the options of the mart, to be changed by UPDATE and in force from the next refresh on; the generation that is shown (current) and the one that is being built'$$),
('generation', 'statement', '', '', '', $$CREATE TABLE IF NOT EXISTS {store}.generation (
    generation smallint PRIMARY KEY CHECK (generation IN (1, 2)), filled boolean NOT NULL DEFAULT false,
    as_of date, until date, cut date, built_on date, model_id bigint, refreshed_at timestamptz,
    currency text, resolution_name text,
    horizon_days integer, annual_discount_rate float8, margin float8, unit text,
    purchase_model text, min_cohort_size integer,
    lift float8, lift_name text, target_ratio float8)$$),
('generation', 'statement', '', '', '', $$COMMENT ON TABLE {store}.generation IS 'what each of the two generations was made with: the day, the model, the options of that refresh'$$),
('generation', 'statement', '', '', '',
 $$INSERT INTO {store}.generation (generation) VALUES (1), (2) ON CONFLICT DO NOTHING$$),
('build', 'view', '', '', 'the generation that is being built; no row between refreshes', $$
SELECT g.* FROM {store}.generation AS g JOIN {store}.setting AS s ON s.building = g.generation$$),
('run', 'statement', '', '', '', $$CREATE TABLE IF NOT EXISTS {store}.run (
    run_id bigint PRIMARY KEY, status text NOT NULL CHECK (status IN ('running', 'done', 'failed', 'aborted')),
    started_at timestamptz NOT NULL, finished_at timestamptz, generation smallint NOT NULL,
    as_of date NOT NULL, refit boolean NOT NULL,
    model_id bigint NOT NULL, pid integer NOT NULL, backend_start timestamptz)$$),
('run', 'statement', '', '', '', $$COMMENT ON TABLE {store}.run IS 'refreshes; pid and backend_start tell whether the session of a running one is still there; after SET ROLE a session may not see its own backend_start, which is NULL then'$$),
('run_step', 'statement', '', '', '', $$CREATE TABLE IF NOT EXISTS {store}.run_step (
    run_id bigint NOT NULL REFERENCES {store}.run, step text NOT NULL,
    started_at timestamptz NOT NULL, seconds float8 NOT NULL,
    rows bigint, status text NOT NULL CHECK (status IN ('done', 'failed')), error text)$$),
('run_step', 'statement', '', '', '',
 $$COMMENT ON TABLE {store}.run_step IS 'steps of refreshes that ended, well or not'$$),
('step', 'statement', '', '', '', $$CREATE TABLE {store}.step (
    number smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, action text NOT NULL)$$),
('step', 'statement', '', '', '', $$COMMENT ON TABLE {store}.step IS 'what a refresh does, in this order'$$),
('step', 'statement', '', '', '', $$INSERT INTO {store}.step (name, action) VALUES ('histories', 'histories')$$),
('customer_history', 'statement', '', '', '', $$CREATE TABLE IF NOT EXISTS {store}.customer_history (
    customer_id {id} PRIMARY KEY, purchases {clv}.purchase_history,
    order_counts {clv}.purchase_history, charges {clv}.purchase_history)$$),
('customer_history', 'statement', '', '', '', $$COMMENT ON TABLE {store}.customer_history IS 'one row for each customer with an order or a charge: amounts of orders, numbers of orders (days with the number in the place of the amount), charges of subscriptions'$$)
$storage$;
COMMENT ON FUNCTION clv_mart_storage() IS 'internal: templates of the tables of a mart';

-- ---- mart: sources --------------------------------------------------------------------------------------------------

CREATE FUNCTION clv_mart_sources()
    RETURNS TABLE (name text, kind text, keys text, needs text, about text, definition text)
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 10
    AS $sources$
VALUES
('source_order', 'source', '', 'orders',
 'orders by the day in the time zone of the mart, of the customer in whom others were merged', $$
SELECT {customer} AS customer_id, {day:orders.ordered_at} AS ordered_on, r.amount::numeric AS amount
FROM {source}.orders AS r {map}$$),
('source_contract', 'source', '', 'subscriptions', 'contracts; ended_on is NULL for those without an end', $$
SELECT {customer} AS customer_id, {day:subscriptions.started_at} AS started_on,
       nullif({day:subscriptions.ended_at}, 'infinity') AS ended_on, r.monthly_amount::numeric AS monthly_amount
FROM {source}.subscriptions AS r {map}
WHERE isfinite({day:subscriptions.started_at}) IS NOT FALSE$$),
('source_charge', 'source', '', 'subscriptions',
 'what contracts have brought: the monthly amount on the day of the start and each month after it, before the end, up to the day of the refresh', $$
SELECT c.customer_id, d.charged_on, c.monthly_amount AS amount
FROM {store}.source_contract AS c CROSS JOIN {store}.build AS s
     CROSS JOIN LATERAL (SELECT least(c.ended_on - 1, s.as_of) AS last_day) AS l
     CROSS JOIN LATERAL generate_series(0, (12 * (extract(year FROM l.last_day) - extract(year FROM c.started_on))
                                            + extract(month FROM l.last_day)
                                            - extract(month FROM c.started_on))::integer) AS months
     CROSS JOIN LATERAL (SELECT (c.started_on + make_interval(months => months))::date AS charged_on) AS d
WHERE d.charged_on <= l.last_day$$),
('source_customer', 'source', '', 'customers',
 'one row for each customer: the first of several that were merged, their costs added up', $$
SELECT {customer} AS customer_id,
       min(nullif(r.cohort::text, '')) AS cohort,  --? customers.cohort
       NULL::text AS cohort,  --? !customers.cohort
       min(nullif(r.channel::text, '')) AS channel,  --? customers.channel
       NULL::text AS channel,  --? !customers.channel
       min({day:customers.acquired_at}) AS acquired_on,  --? customers.acquired_at
       NULL::date AS acquired_on,  --? !customers.acquired_at
       sum(nullif(r.acquisition_cost::numeric, 'NaN')) AS acquisition_cost,  --? customers.acquisition_cost
       NULL::numeric AS acquisition_cost,  --? !customers.acquisition_cost
       CASE WHEN count({day:customers.churned_at}) = count(*) THEN nullif(max({day:customers.churned_at}), 'infinity') END AS churned_on  --? customers.churned_at
       NULL::date AS churned_on  --? !customers.churned_at
FROM {source}.customers AS r {map}
WHERE r.customer_id IS NOT NULL
GROUP BY 1$$),
('source_interaction', 'source', '', 'interactions', 'contacts with customers', $$
SELECT r.interaction_id::text AS interaction_id, {customer} AS customer_id,
       {moment:interactions.started_at} AS started_at,
       r.channel::text AS channel,  --? interactions.channel
       NULL::text AS channel,  --? !interactions.channel
       r.topic::text AS topic,  --? interactions.topic
       NULL::text AS topic,  --? !interactions.topic
       r.stage::text AS stage,  --? interactions.stage
       NULL::text AS stage,  --? !interactions.stage
       r.resolved AS resolved,  --? interactions.resolved
       NULL::boolean AS resolved,  --? !interactions.resolved
       r.escalated AS escalated,  --? interactions.escalated
       NULL::boolean AS escalated,  --? !interactions.escalated
       nullif(r.service_cost::numeric, 'NaN') AS service_cost  --? interactions.service_cost
       NULL::numeric AS service_cost  --? !interactions.service_cost
FROM {source}.interactions AS r {map}$$),
('source_score', 'source', '', 'scores',
 'scores of contacts and customers; without a customer_id: of nobody who is known', $$
SELECT customer_id, started_at AS evaluated_at, 'resolved' AS name, resolved::integer::float8 AS score, NULL::text AS label  --? interactions.resolved
FROM {store}.source_interaction  --? interactions.resolved
WHERE resolved IS NOT NULL  --? interactions.resolved
UNION ALL  --? interactions.resolved evaluations
SELECT {customer} AS customer_id,  --? evaluations.customer_id !evaluations.interaction_id
SELECT i.customer_id AS customer_id,  --? evaluations.interaction_id !evaluations.customer_id
SELECT coalesce({customer}, i.customer_id) AS customer_id,  --? evaluations.interaction_id evaluations.customer_id
       {moment:evaluations.evaluated_at} AS evaluated_at, {clv}.evaluator_key(r.name::text) AS name, {number:evaluations.score} AS score,  --? evaluations
       r.label::text AS label  --? evaluations.label
       NULL::text AS label  --? evaluations !evaluations.label
FROM {source}.evaluations AS r  --? evaluations
     {map}  --? evaluations.customer_id
     LEFT JOIN {store}.source_interaction AS i ON i.interaction_id = r.interaction_id::text  --? evaluations.interaction_id interactions$$),
('data_end', 'source', '', '', 'the last complete day of the data, and their currency', $$
SELECT coalesce(
           o.as_of,  --? orders
           c.as_of,  --? subscriptions
           '-infinity') AS as_of,
       m.lowest AS currency, nullif(m.highest, m.lowest) AS other_currency  --? orders.currency
       NULL::text AS currency, NULL::text AS other_currency  --? !orders.currency
FROM (VALUES (true)) AS one (one)
LEFT JOIN (SELECT {day:orders.ordered_at} AS as_of FROM (SELECT max(ordered_at) AS ordered_at FROM {source}.orders WHERE ordered_at < {today:orders.ordered_at}) AS r) AS o ON true  --? orders
LEFT JOIN (SELECT min(currency)::text AS lowest, max(currency)::text AS highest FROM {source}.orders) AS m ON true  --? orders.currency
LEFT JOIN (SELECT max(greatest(CASE WHEN started_on <= t.today THEN started_on END, CASE WHEN ended_on <= t.today THEN ended_on END)) AS as_of  --? subscriptions
           FROM {store}.source_contract, (SELECT (now() AT TIME ZONE {zone})::date - 1 AS today) AS t) AS c ON true  --? subscriptions$$),
('changed_history', 'source', '', '',
 'customers whose orders or charges are not those of customer_history, with those of now: what happened up to the cut of the refresh is taken from there, what happened after it from the sources', $$
SELECT customer_id, n.purchases, n.order_counts, n.charges, num_nonnulls(n.purchases, n.charges) = 0 AS gone
FROM {store}.customer_history AS h
     FULL JOIN (SELECT {customer} AS customer_id, {clv}.purchase_history({day:orders.ordered_at}, r.amount::numeric) AS purchases,  --? orders
                       {clv}.purchase_history({day:orders.ordered_at}, 1::numeric) FILTER (WHERE r.amount >= 0) AS order_counts  --? orders
                FROM {source}.orders AS r {map}  --? orders
                WHERE r.ordered_at >= {first:orders.ordered_at} AND r.customer_id IS NOT NULL  --? orders
                GROUP BY 1) AS o USING (customer_id)  --? orders
     FULL JOIN (SELECT customer_id, {clv}.purchase_history(charged_on, amount) AS charges FROM {store}.source_charge  --? subscriptions
                WHERE customer_id IS NOT NULL GROUP BY 1) AS c USING (customer_id)  --? subscriptions
     CROSS JOIN {store}.build AS s
     CROSS JOIN LATERAL (SELECT
         {clv}.slice(h.purchases, '-infinity', s.cut) AS purchases,
         {clv}.slice(h.order_counts, '-infinity', s.cut) AS order_counts OFFSET 0) AS k
     CROSS JOIN LATERAL (SELECT
         coalesce({clv}.merge_history(k.purchases, o.purchases), k.purchases, o.purchases) AS purchases,  --? orders
         coalesce({clv}.merge_history(k.order_counts, o.order_counts), k.order_counts, o.order_counts) AS order_counts,  --? orders
         NULL::{clv}.purchase_history AS purchases, NULL::{clv}.purchase_history AS order_counts,  --? !orders
         c.charges AS charges  --? subscriptions
         NULL::{clv}.purchase_history AS charges  --? !subscriptions
         OFFSET 0) AS m      -- computed once, not wherever it is named
     CROSS JOIN LATERAL (SELECT
         CASE WHEN NOT {clv}.purchase_history_eq(m.purchases, '{}') THEN m.purchases END AS purchases,
         CASE WHEN NOT {clv}.purchase_history_eq(m.order_counts, '{}') THEN m.order_counts END AS order_counts,
         m.charges OFFSET 0) AS n
WHERE NOT (coalesce({clv}.purchase_history_eq(h.purchases, n.purchases), num_nonnulls(h.purchases, n.purchases) = 0)
           AND coalesce({clv}.purchase_history_eq(h.order_counts, n.order_counts),
                        num_nonnulls(h.order_counts, n.order_counts) = 0)
           AND coalesce({clv}.purchase_history_eq(h.charges, n.charges), num_nonnulls(h.charges, n.charges) = 0))$$),
('merged_history', 'source', '', 'customer_map',
 'customers who have been merged since their histories were stored: those of the ones they were merged into, and themselves, gone', $$
WITH moved AS (
    SELECT h.customer_id, m.master_id::{id} AS master_id
    FROM {store}.customer_history AS h JOIN {source}.customer_map AS m ON m.customer_id::{id} = h.customer_id
    WHERE m.master_id::{id} <> h.customer_id
)
SELECT a.master_id AS customer_id, {clv}.purchase_history(h.purchases) AS purchases,
       {clv}.purchase_history(h.order_counts) AS order_counts,
       {clv}.purchase_history(h.charges) AS charges, false AS gone
FROM (SELECT customer_id, master_id FROM moved UNION SELECT master_id, master_id FROM moved) AS a
     JOIN {store}.customer_history AS h ON h.customer_id = a.customer_id
GROUP BY a.master_id
UNION ALL
SELECT customer_id, NULL, NULL, NULL, true FROM moved$$),
('person', 'source', '', '', 'every customer: what was paid, and what the sources tell of the customer', $$
SELECT h.customer_id,
       coalesce(c.cohort, to_char(coalesce(c.acquired_on, {clv}.first_purchase(h.history))::timestamp, 'YYYY "Q"Q'), 'none') AS cohort,  --? customers
       c.channel, c.acquired_on, c.acquisition_cost, c.churned_on,  --? customers
       coalesce(to_char({clv}.first_purchase(h.history)::timestamp, 'YYYY "Q"Q'), 'none') AS cohort,  --? !customers
       NULL::text AS channel, NULL::date AS acquired_on, NULL::numeric AS acquisition_cost, NULL::date AS churned_on,  --? !customers
       h.history, h.purchases, h.order_counts
FROM (SELECT customer_id, purchases, order_counts,
             coalesce({clv}.merge_history(purchases, charges), purchases, charges) AS history  --? orders subscriptions
             purchases AS history  --? orders !subscriptions
             charges AS history  --? subscriptions !orders
      FROM {store}.customer_history) AS h
     LEFT JOIN {store}.source_customer AS c ON c.customer_id = h.customer_id  --? customers
-- who has bought nothing; not by a full join, in which parallel workers take no part before PostgreSQL 16  --? customers
UNION ALL  --? customers
SELECT c.customer_id, coalesce(c.cohort, to_char(c.acquired_on::timestamp, 'YYYY "Q"Q'), 'none'),  --? customers
       c.channel, c.acquired_on, c.acquisition_cost, c.churned_on, NULL, NULL, NULL  --? customers
FROM {store}.source_customer AS c  --? customers
WHERE NOT EXISTS (SELECT FROM {store}.customer_history AS h WHERE h.customer_id = c.customer_id)  --? customers$$)
$sources$;
COMMENT ON FUNCTION clv_mart_sources() IS
'internal: templates of the views that bring what the sources hold into one shape, whatever types and optional columns they have';

-- ---- mart: customers and what they are worth ------------------------------------------------------------------------

CREATE FUNCTION clv_mart_customers()
    RETURNS TABLE (name text, kind text, keys text, needs text, about text, definition text)
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 7 AS
$templates$
VALUES
-- Purchases, spend and contracts are fitted alike. The sample of all customers decides on the kind of model; then come
-- the cohorts. One that is small, or whose own fit does not converge, is drawn towards the others; where that cannot be
-- done, the model of all customers is its model. How far cohorts differ is told by those of a quarter of the smallest
-- size or more. The customers are read once: a fit needs no more than their sample.
('model', 'vintage', 'model_id, role, cohort', '',
 'fitted models of purchases, spend and contracts: one for each cohort, and one for all customers, whose cohort is NULL', $$
WITH option AS MATERIALIZED (
    SELECT b.model_id, b.as_of, b.unit, b.purchase_model, b.min_cohort_size FROM {store}.build AS b
),
bought AS MATERIALIZED (  --? orders
    SELECT p.cohort, count(*) FILTER (WHERE {clv}.purchases(p.purchases, s.as_of) > 0) AS customers,  --? orders
           {clv}.clv_sample(p.purchases, s.as_of, s.unit) AS timing,  --? orders
           {clv}.spend_sample(p.purchases, s.as_of) AS spend,  --? orders
           sum({clv}.average_purchase(p.purchases, s.as_of) * {clv}.purchases(p.purchases, s.as_of)) AS spent,  --? orders
           sum({clv}.purchases(p.purchases, s.as_of)) AS purchases  --? orders
    FROM {store}.person AS p CROSS JOIN option AS s GROUP BY p.cohort  --? orders
),  --? orders
contracted AS MATERIALIZED (  --? subscriptions
    SELECT p.cohort, count(*) AS customers,  --? subscriptions
           {clv}.renewal_sample(c.started_on, c.ended_on, s.as_of, 'month') AS renewals  --? subscriptions
    FROM {store}.source_contract AS c JOIN {store}.person AS p ON p.customer_id = c.customer_id  --? subscriptions
         JOIN option AS s ON c.started_on <= s.as_of  --? subscriptions
    WHERE c.ended_on IS NULL OR c.ended_on > c.started_on GROUP BY p.cohort  --? subscriptions
),  --? subscriptions
sample AS MATERIALIZED (
    SELECT 'purchase' AS role, b.cohort, b.customers, b.timing AS sample FROM bought AS b  --? orders
    UNION ALL SELECT 'spend', b.cohort, b.customers, b.spend FROM bought AS b  --? orders
    UNION ALL  --? orders subscriptions
    SELECT 'contract' AS role, c.cohort, c.customers, c.renewals AS sample FROM contracted AS c  --? subscriptions
),
first_try AS MATERIALIZED (
    SELECT p.role, p.customers, p.sample,
           CASE WHEN p.role = 'spend' THEN {clv}.gamma_gamma_fit(p.sample)
                WHEN p.role = 'contract' THEN {clv}.sbg_fit(p.sample)
                WHEN s.purchase_model = 'mbgnbd' THEN {clv}.mbgnbd_fit(p.sample)
                WHEN s.purchase_model = 'bgnbd' THEN {clv}.bgnbd_fit(p.sample)
                ELSE {clv}.pareto_nbd_fit(p.sample) END AS model
    FROM (SELECT a.role, sum(a.customers)::bigint AS customers, {clv}.clv_sample(a.sample) AS sample
          FROM sample AS a WHERE a.customers > 0 GROUP BY a.role) AS p CROSS JOIN option AS s
),
second_try AS MATERIALIZED (
    SELECT f.role, f.customers, f.model AS first, coalesce(g.converged, false) AS converged, g.aic, s.purchase_model,
           CASE WHEN f.role = 'purchase'
                     AND (s.purchase_model = 'best' OR s.purchase_model = 'pareto_nbd' AND g.converged IS NOT TRUE)
                THEN {clv}.mbgnbd_fit(f.sample) END AS second
    FROM first_try AS f CROSS JOIN option AS s LEFT JOIN LATERAL {clv}.glance(f.model) AS g ON true
),
pooled AS MATERIALIZED (
    SELECT t.role, t.customers, c.model, g.kind, coalesce(g.converged, false) AS converged, g.n,
           CASE WHEN t.role = 'spend' AND c.model IS NOT NULL AND g.n IS NULL
                THEN 'gamma-gamma has no mean: the mean of all purchases'
                WHEN c.model IS NULL THEN 'cannot be fitted'
                WHEN c.is_second AND t.purchase_model = 'best' AND t.converged THEN 'lower AIC: MBG/NBD'
                WHEN c.is_second THEN 'Pareto/NBD did not converge: MBG/NBD'
                WHEN g.converged IS NOT TRUE THEN 'did not converge: no standard errors'
                WHEN t.purchase_model = 'best' AND t.role = 'purchase' THEN 'lower AIC: Pareto/NBD' END AS note
    FROM second_try AS t LEFT JOIN LATERAL {clv}.glance(t.second) AS h ON true
         CROSS JOIN LATERAL (SELECT t.first IS NULL
                                    OR coalesce(h.converged AND (NOT t.converged OR h.aic < t.aic),
                                                false) AS is_second) AS w
         -- what nobody has bought twice, or at prices that do not vary, has no distribution of spend, but it has a mean  --? orders
         CROSS JOIN (SELECT sum(b.spent) / nullif(sum(b.purchases), 0) AS mean FROM bought AS b) AS b  --? orders
         CROSS JOIN LATERAL (
             SELECT w.is_second,
                    CASE WHEN t.role = 'spend' THEN CASE WHEN {clv}.coef(t.first, 'q') > 1 THEN t.first  --? orders
                         ELSE {clv}.gamma_gamma_model(1, 1e6 + 1, 1e6 * nullif(b.mean, 0)) END ELSE  --? orders
                    CASE WHEN w.is_second THEN t.second ELSE t.first END
                    END  --? orders
                    AS model) AS c
         LEFT JOIN LATERAL {clv}.glance(c.model) AS g ON true
),
own AS MATERIALIZED (
    SELECT c.role, c.cohort, c.customers, c.sample, a.kind, c.customers = a.customers AS is_all,
           c.customers >= s.min_cohort_size AS is_large, s.min_cohort_size,
           CASE WHEN c.customers = a.customers THEN a.model
                WHEN c.customers < s.min_cohort_size / 4.0 OR c.customers = 0 THEN NULL
                WHEN a.kind = 'gamma_gamma' THEN {clv}.gamma_gamma_fit(c.sample)
                WHEN a.kind = 'sbg' THEN {clv}.sbg_fit(c.sample)
                WHEN a.kind = 'mbgnbd' THEN {clv}.mbgnbd_fit(c.sample)
                WHEN a.kind = 'bgnbd' THEN {clv}.bgnbd_fit(c.sample)
                WHEN a.kind = 'pareto_nbd' THEN {clv}.pareto_nbd_fit(c.sample) END AS model
    FROM sample AS c JOIN pooled AS a ON a.role = c.role CROSS JOIN option AS s
),
judged AS MATERIALIZED (
    SELECT o.role, o.cohort, o.customers, o.sample, o.kind, o.is_all, o.is_large, o.min_cohort_size, o.model,
           CASE WHEN o.is_all THEN o.model IS NOT NULL
                WHEN o.role = 'spend' THEN coalesce(g.converged AND {clv}.coef(o.model, 'q') > 1, false)
                ELSE coalesce(g.converged, false) END AS usable
    FROM own AS o LEFT JOIN LATERAL {clv}.glance(o.model) AS g ON true
),
prior AS MATERIALIZED (
    SELECT a.role, {clv}.cohort_prior(c.models, a.model) AS model
    FROM pooled AS a
         JOIN (SELECT j.role, array_agg(j.model ORDER BY j.cohort) AS models FROM judged AS j WHERE j.usable
               GROUP BY j.role HAVING count(*) >= 3) AS c ON c.role = a.role
    WHERE a.converged
),
other_try AS MATERIALIZED (
    SELECT j.role, j.cohort, j.customers, j.usable, j.is_all, j.is_large, j.min_cohort_size, j.model AS own,
           CASE WHEN j.is_large AND NOT j.usable AND j.kind = 'pareto_nbd'
                THEN {clv}.mbgnbd_fit(j.sample) END AS second,
           CASE WHEN j.customers > 0 AND NOT (j.usable AND (j.is_large OR j.is_all))
                THEN {clv}.shrunk_fit(j.sample, p.model) END AS shrunk
    FROM judged AS j LEFT JOIN prior AS p ON p.role = j.role
)
-- scope: whose data decide; own_weight: how much those of the cohort do, from 0 to 1; note: why it is another model
-- than asked for
SELECT s.model_id, m.role, m.cohort, s.as_of, now() AS fitted_at, m.scope, m.own_weight, m.customers, m.note, m.model
FROM (SELECT a.role, NULL AS cohort, 'all customers' AS scope, 1::float8 AS own_weight, a.customers, a.note, a.model
      FROM pooled AS a
      UNION ALL
      SELECT t.role, t.cohort, w.scope,
             CASE w.scope WHEN 'cohort' THEN 1 WHEN 'all customers' THEN 0 ELSE h.own_weight END,
             t.customers,
             CASE WHEN w.scope = 'cohort' AND NOT t.usable THEN 'Pareto/NBD did not converge: MBG/NBD'
                  WHEN w.scope = 'cohort' THEN CASE WHEN a.converged OR t.is_all THEN a.note END
                  ELSE concat_ws('; ', CASE WHEN t.customers = 0 THEN 'nobody has bought yet'
                                            WHEN NOT t.is_large
                                            THEN format('fewer than %s customers', t.min_cohort_size)
                                            WHEN t.own IS NULL THEN 'cannot be fitted alone'
                                            ELSE 'did not converge alone' END
                                       || CASE w.scope WHEN 'all customers' THEN ': all customers'
                                               ELSE ': drawn towards the other cohorts' END,
                                 a.note) END,
             CASE w.scope WHEN 'all customers' THEN a.model
                  WHEN 'cohort' THEN CASE WHEN t.usable THEN t.own ELSE t.second END
                  ELSE t.shrunk END
      FROM other_try AS t JOIN pooled AS a ON a.role = t.role
           LEFT JOIN LATERAL {clv}.glance(t.second) AS g ON true LEFT JOIN LATERAL {clv}.glance(t.shrunk) AS h ON true
           CROSS JOIN LATERAL (SELECT CASE WHEN t.usable AND (t.is_large OR t.is_all) OR g.converged THEN 'cohort'
                                           WHEN h.converged
                                                AND CASE t.role WHEN 'spend' THEN {clv}.coef(t.shrunk, 'q') > 1
                                                    ELSE true END
                                           THEN 'cohort, shrunk' ELSE 'all customers' END AS scope) AS w) AS m
     CROSS JOIN option AS s
$$),

-- One row per customer. What takes time for each of them, the predictions, stands in a subquery of its own behind
-- OFFSET 0, so that parallel workers compute it; the one row of the generation and that of all customers are joined by
-- an equation or read by a subquery, as workers take no part in a join without one. What a contract is worth is
-- computed once for all contracts of a cohort that began on the same day.
('customer_value', 'generation', 'customer_id', '',
 'one row per customer, those without a purchase too: what he bought, how likely he is to stay and what he is worth', $$
WITH fitted AS NOT MATERIALIZED (
    SELECT m.cohort, m.cohort IS NULL AS is_all, (array_agg(m.model) FILTER (WHERE m.role = 'purchase'))[1] AS purchase,
           (array_agg(m.model) FILTER (WHERE m.role = 'spend'))[1] AS spend,
           (array_agg(m.model) FILTER (WHERE m.role = 'contract'))[1] AS contract,
           max(m.scope) FILTER (WHERE m.role = 'purchase') AS purchase_scope,
           max(m.scope) FILTER (WHERE m.role = 'contract') AS contract_scope,
           max(m.own_weight) FILTER (WHERE m.role = 'purchase') AS purchase_weight,
           max(m.own_weight) FILTER (WHERE m.role = 'contract') AS contract_weight
    FROM {store}.model_history AS m JOIN {store}.generation AS s ON s.model_id = m.model_id
    WHERE s.generation = {g} GROUP BY m.cohort
),
-- contracts that run: the model says who stays, but for those whose end within the horizon is announced; an end that has  --? subscriptions
-- come since is none, so that an earlier day is seen as it was seen then  --? subscriptions
running AS MATERIALIZED (  --? subscriptions
    SELECT c.customer_id, p.cohort, c.started_on, c.monthly_amount,  --? subscriptions
           CASE WHEN c.ended_on <= s.until AND c.ended_on >= s.built_on THEN c.ended_on ELSE 'infinity' END AS ends_on  --? subscriptions
    FROM {store}.source_contract AS c JOIN {store}.person AS p ON p.customer_id = c.customer_id  --? subscriptions
         JOIN {store}.generation AS s ON s.generation = {g}  --? subscriptions
    WHERE c.started_on <= s.as_of AND (c.ended_on IS NULL OR c.ended_on > s.as_of) AND c.monthly_amount IS NOT NULL  --? subscriptions
),  --? subscriptions
-- of 1 a month, paid on the day of the start and each month after it  --? subscriptions
factor AS MATERIALIZED (  --? subscriptions
    SELECT d.cohort, d.started_on, d.ends_on, y.payments, y.value, y.low, y.high,  --? subscriptions
           CASE WHEN d.ends_on < 'infinity' THEN 1 ELSE y.risk END AS risk  --? subscriptions
    FROM (SELECT DISTINCT r.cohort, r.started_on, r.ends_on FROM running AS r) AS d  --? subscriptions
         JOIN {store}.generation AS s ON s.generation = {g}  --? subscriptions
         LEFT JOIN fitted AS f ON f.cohort = d.cohort LEFT JOIN fitted AS a ON a.cohort IS NULL  --? subscriptions
         CROSS JOIN LATERAL (SELECT 12 * (extract(year FROM s.as_of) - extract(year FROM d.started_on))::int  --? subscriptions
                                    + (extract(month FROM s.as_of) - extract(month FROM d.started_on))::int AS months) AS e  --? subscriptions
         CROSS JOIN LATERAL (SELECT e.months - ((d.started_on + make_interval(months => e.months))::date > s.as_of)::int AS renewals) AS k  --? subscriptions
         CROSS JOIN LATERAL (  --? subscriptions
             SELECT CASE WHEN count(*) = 0 THEN 0 ELSE sum(w.stays) END AS payments,  --? subscriptions
                    CASE WHEN count(*) = 0 THEN 0 ELSE max(r.estimate) END AS risk,  --? subscriptions
                    CASE WHEN count(*) = 0 THEN 0 ELSE sum(w.stays * w.discount) END AS value,  --? subscriptions
                    CASE WHEN count(*) = 0 THEN 0 ELSE sum(w.low * w.discount) END AS low,  --? subscriptions
                    CASE WHEN count(*) = 0 THEN 0 ELSE sum(w.high * w.discount) END AS high  --? subscriptions
             FROM generate_series(1, s.horizon_days / 28 + 1) AS j  --? subscriptions
                  CROSS JOIN LATERAL (SELECT (d.started_on + make_interval(months => k.renewals + j))::date AS due_on) AS t  --? subscriptions
                  CROSS JOIN LATERAL {clv}.churn_risk_ci(coalesce(f.contract, a.contract), k.renewals, j) AS r  --? subscriptions
                  CROSS JOIN LATERAL (SELECT CASE WHEN d.ends_on < 'infinity' THEN 1 ELSE 1 - r.estimate END AS stays,  --? subscriptions
                                             CASE WHEN d.ends_on < 'infinity' THEN 1 ELSE 1 - r.conf_high END AS low,  --? subscriptions
                                             CASE WHEN d.ends_on < 'infinity' THEN 1 ELSE 1 - r.conf_low END AS high,  --? subscriptions
                                             exp(-ln(1 + s.annual_discount_rate) / 365 * (t.due_on - s.as_of)) AS discount) AS w  --? subscriptions
             WHERE t.due_on <= s.until AND t.due_on < d.ends_on) AS y  --? subscriptions
),  --? subscriptions
contract AS (  --? subscriptions
    SELECT r.customer_id, sum(f.payments) AS payments, min(f.risk) AS risk, sum(r.monthly_amount * f.value) AS value,  --? subscriptions
           sum(r.monthly_amount * f.low) AS low, sum(r.monthly_amount * f.high) AS high  --? subscriptions
    FROM running AS r JOIN factor AS f ON f.cohort = r.cohort AND f.started_on = r.started_on AND f.ends_on = r.ends_on  --? subscriptions
    GROUP BY r.customer_id  --? subscriptions
),  --? subscriptions
contact AS (  --? interactions
    SELECT t.customer_id, max(t.last_contact) AS last_contact, sum(f.resolved)::float8 / nullif(sum(f.judged), 0) AS resolved  --? interactions
           , substr(max(t.last_channel), 21) AS last_channel  --? interactions.channel
           , sum(t.service_cost) AS service_cost, sum(t.recent_cost) AS recent_cost  --? interactions.service_cost
    FROM (SELECT i.customer_id, max(i.started_at) AS last_contact, {clv}.interaction_history(i.started_at, 1) AS history  --? interactions
                 -- the channel of the latest contact: times of fixed width sort as text  --? interactions.channel
                 , max((to_char(i.started_at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS') || i.channel) COLLATE "C") AS last_channel  --? interactions.channel
                 , sum(i.service_cost) AS service_cost  --? interactions.service_cost
                 , sum(i.service_cost) FILTER (WHERE i.started_at >= (  --? interactions.service_cost
                       SELECT (s.as_of - 364)::timestamp AT TIME ZONE {zone} FROM {store}.generation AS s WHERE s.generation = {g})) AS recent_cost  --? interactions.service_cost
          FROM {store}.source_interaction AS i  --? interactions
          WHERE i.customer_id IS NOT NULL AND isfinite(i.started_at) AND i.started_at < (  --? interactions
                SELECT (s.as_of + 1)::timestamp AT TIME ZONE {zone} FROM {store}.generation AS s WHERE s.generation = {g})  --? interactions
          GROUP BY i.customer_id, i.topic) AS t  --? interactions interactions.topic
          GROUP BY i.customer_id) AS t  --? interactions !interactions.topic
         CROSS JOIN LATERAL {clv}.first_contact_resolution(t.history, (  --? interactions
             SELECT (s.as_of + 1)::timestamp AT TIME ZONE {zone} FROM {store}.generation AS s WHERE s.generation = {g})) AS f  --? interactions
    GROUP BY t.customer_id  --? interactions
),  --? interactions
signal AS (  --? scores
    SELECT e.customer_id,  --? scores
           -- a score beyond all scales, or none at all, is not counted  --? scores
           {clv}.rolling_mean(e.score, e.evaluated_at, 6) FILTER (WHERE e.score BETWEEN -1e15 AND 1e15 AND e.name = (  --? scores
               SELECT s.resolution_name FROM {store}.generation AS s WHERE s.generation = {g})) AS resolution  --? scores
           , {clv}.rolling_mean(e.score, e.evaluated_at, 6) FILTER (WHERE e.score BETWEEN -1e15 AND 1e15 AND e.name LIKE '%quality') AS quality  --? evaluations
           , (count(*) FILTER (WHERE e.name LIKE '%tone' AND {clv}.is_frustrated_label(e.label)))::float8  --? evaluations evaluations.label
             / nullif(count(*) FILTER (WHERE e.name LIKE '%tone' AND e.label IS NOT NULL), 0) AS frustrated  --? evaluations evaluations.label
    FROM {store}.source_score AS e  --? scores
    WHERE e.customer_id IS NOT NULL AND isfinite(e.evaluated_at) AND e.evaluated_at < (  --? scores
          SELECT (s.as_of + 1)::timestamp AT TIME ZONE {zone} FROM {store}.generation AS s WHERE s.generation = {g})  --? scores
          AND (e.name = (SELECT s.resolution_name FROM {store}.generation AS s WHERE s.generation = {g})  --? scores
               OR e.name LIKE '%quality'  --? evaluations
               OR e.name LIKE '%tone'  --? evaluations evaluations.label
              )  --? scores
    GROUP BY e.customer_id  --? scores
),  --? scores
known AS MATERIALIZED (
    SELECT p.customer_id, p.as_of, p.until, p.margin, p.target_ratio, p.cohort, p.channel,
           p.acquisition_cost, b.is_customer,
           p.first_on, p.last_on, p.days_since_last, p.purchase_days, p.spend, p.orders, p.order_spend, p.recent_spend,
           w.scope, w.own_weight, w.alive, w.risk, w.purchases, w.value, w.low, w.high
           , c.last_contact, c.resolved  --? interactions
           , c.last_channel  --? interactions.channel
           , c.service_cost, c.recent_cost  --? interactions.service_cost
           , e.resolution  --? scores
           , e.quality  --? evaluations
           , e.frustrated  --? evaluations evaluations.label
    FROM (SELECT p.customer_id, s.as_of, s.until, s.margin, s.target_ratio, p.cohort, p.channel, p.acquisition_cost,
                 {clv}.purchases(p.history, s.as_of) IS NOT NULL AS is_customer,
                 {clv}.purchases(p.purchases, s.as_of) IS NOT NULL AS is_buyer,
                 CASE WHEN {clv}.first_purchase(p.history) <= s.as_of
                      THEN {clv}.first_purchase(p.history) END AS first_on,
                 {clv}.last_purchase(p.history, s.as_of) AS last_on,
                 {clv}.days_since_last(p.history, s.as_of) AS days_since_last,
                 {clv}.purchases(p.history, s.as_of) AS purchase_days, {clv}.total_spend(p.history, s.as_of) AS spend,
                 {clv}.spend_within(p.history, s.as_of - 365, s.as_of) AS recent_spend,
                 {clv}.total_spend(p.order_counts, s.as_of) AS orders,
                 {clv}.total_spend(p.purchases, s.as_of) AS order_spend,
                 coalesce(p.churned_on <= s.as_of AND {clv}.last_purchase(p.history, s.as_of) <= p.churned_on,
                          false) AS is_gone,
                 coalesce(f.purchase_scope, a.purchase_scope) AS purchase_scope,
                 coalesce(f.contract_scope, a.contract_scope) AS contract_scope,
                 CASE WHEN f.purchase_scope IS NULL THEN a.purchase_weight * 0
                      ELSE f.purchase_weight END AS purchase_weight,
                 CASE WHEN f.contract_scope IS NULL THEN a.contract_weight * 0
                      ELSE f.contract_weight END AS contract_weight,
                 {clv}.p_alive(coalesce(f.purchase, a.purchase), p.purchases, s.as_of) AS alive,
                 {clv}.churn_risk(coalesce(f.purchase, a.purchase), p.purchases, s.as_of, s.until) AS risk,
                 {clv}.expected_purchases(coalesce(f.purchase, a.purchase), p.purchases, s.as_of, s.until) AS expected,
                 {clv}.clv_ci(coalesce(f.purchase, a.purchase), coalesce(f.spend, a.spend),
                              p.purchases, s.as_of, s.until,
                              s.annual_discount_rate) AS value
          FROM {store}.person AS p
               JOIN {store}.generation AS s ON s.generation = CASE WHEN p.cohort IS NOT NULL THEN {g} END
               LEFT JOIN fitted AS f ON f.cohort = p.cohort LEFT JOIN fitted AS a ON a.is_all = (p.cohort IS NOT NULL)
          WHERE (least(p.acquired_on, {clv}.first_purchase(p.history))
                 <= s.as_of) IS NOT FALSE     -- who came later is not there yet
          OFFSET 0) AS p
         LEFT JOIN contract AS t ON t.customer_id = p.customer_id  --? subscriptions
         CROSS JOIN LATERAL (SELECT t.customer_id IS NOT NULL AS runs, t.risk,  --? subscriptions
                                    CASE WHEN t.customer_id IS NULL THEN 0 ELSE t.payments END AS payments,  --? subscriptions
                                    CASE WHEN t.customer_id IS NULL THEN 0 ELSE t.value END AS value,  --? subscriptions
                                    CASE WHEN t.customer_id IS NULL THEN 0 ELSE t.low END AS low,  --? subscriptions
                                    CASE WHEN t.customer_id IS NULL THEN 0 ELSE t.high END AS high) AS k  --? subscriptions
         CROSS JOIN (SELECT false AS runs, 0 AS risk, 0 AS payments, 0 AS value, 0 AS low, 0 AS high) AS k  --? !subscriptions
         -- orders are expected of those who have ordered, and are not known to be gone
         CROSS JOIN LATERAL (SELECT p.is_customer OR k.runs AS is_customer, p.is_buyer AND NOT p.is_gone AS buys) AS b
         LEFT JOIN LATERAL (
             SELECT CASE WHEN k.runs OR NOT p.is_buyer THEN p.contract_scope ELSE p.purchase_scope END AS scope,
                    CASE WHEN k.runs OR NOT p.is_buyer THEN p.contract_weight ELSE p.purchase_weight END AS own_weight,
                    CASE WHEN k.runs THEN 1 WHEN b.buys THEN p.alive ELSE 0 END AS alive,
                    CASE WHEN k.runs THEN k.risk WHEN b.buys THEN p.risk ELSE 1 END AS risk,
                    k.payments + CASE WHEN b.buys THEN p.expected ELSE 0 END AS purchases,
                    k.value + CASE WHEN b.buys THEN (p.value).estimate ELSE 0 END AS value,
                    k.low + CASE WHEN b.buys THEN (p.value).conf_low ELSE 0 END AS low,
                    k.high + CASE WHEN b.buys THEN (p.value).conf_high ELSE 0 END AS high
             WHERE b.is_customer) AS w ON true
         LEFT JOIN contact AS c ON c.customer_id = p.customer_id  --? interactions
         LEFT JOIN signal AS e ON e.customer_id = p.customer_id  --? scores
),
-- what all customers are needed for: the ranks of RFM, the best fifth, and what service costs per unit of spend
scale AS (
    SELECT {clv}.rfm_breaks(v.days_since_last, v.purchase_days, v.spend::float8) AS breaks,
           percentile_cont(0.8) WITHIN GROUP (ORDER BY v.value) AS high_value
           , coalesce(sum(v.recent_cost) / nullif(sum(v.recent_spend), 0), 0)::float8 AS cost_share  --? interactions.service_cost
    FROM known AS v WHERE v.is_customer
)
SELECT v.customer_id AS customer_id,  --: the customer, as in the source
       v.as_of AS as_of,  --: last day of the data that are counted; predictions begin on the day after it
       v.cohort AS cohort,  --: cohort: that of the source, else the quarter of acquisition or of the first purchase
       v.scope AS model_scope,  --: whose data the model of this customer is from: cohort; cohort, shrunk (drawn towards the other cohorts); all customers; NULL for prospects
       v.own_weight AS model_weight,  --: weight of the cohort's own data in that model, from 0 (all customers) to 1 (the cohort alone)
       v.first_on AS first_purchase,  --: day of the first purchase, or payment of a contract
       v.last_on AS last_purchase,  --: day of the last purchase, or payment of a contract, up to as_of
       coalesce(v.orders, 0)::bigint AS orders,  --: count of orders up to as_of, refunds not counted  --? orders
       coalesce(v.purchase_days, 0)::bigint AS purchase_days,  --: count of days with a purchase, or payment of a contract, up to as_of
       v.total_spend AS total_spend,  --: currency: spent up to as_of, refunds subtracted
       (v.order_spend / nullif(v.orders, 0))::numeric(16,2) AS average_order_value,  --: currency: spent in orders, refunds subtracted, per order  --? orders
       v.days_since_last::bigint AS days_since_last_purchase,  --: days from the last purchase to as_of
       substr(v.score, 1, 1)::smallint AS r,  --: recency score from 1 to 5 (the latest fifth of the customers)
       substr(v.score, 2, 1)::smallint AS f,  --: frequency score from 1 to 5 (most purchase days)
       substr(v.score, 3, 1)::smallint AS m,  --: monetary score from 1 to 5 (highest total spend)
       v.score AS rfm_score,  --: r, f and m as three digits, ranked among all customers with a purchase
       CASE WHEN NOT v.is_customer THEN 'prospect' ELSE coalesce({clv}.rfm_segment(v.score), 'not scored') END AS segment,  --: one of ten segments of r and of f and m; prospect: no purchase yet
       CASE WHEN NOT v.is_customer THEN 'prospect' ELSE coalesce({clv}.value_tier(v.value, v.risk, v.high_value), 'not scored') END AS tier,  --: at risk (churn risk of one half or more), else high value (the best fifth by predicted value), else growth potential; not scored where there is no model; prospect
       v.alive AS alive_probability,  --: probability from 0 to 1 to be a customer still; 1 where a contract runs, 0 where the last one ended and there are no orders, or the customer is known to have left
       v.risk AS churn_risk,  --: probability from 0 to 1 of no purchase within the horizon, or that the contract ends within it
       v.purchases AS expected_purchases,  --: count expected within the horizon: days with a purchase, and payments of contracts
       v.predicted_value AS predicted_value,  --: currency: margin of the purchases and payments expected within the horizon, discounted to as_of
       (v.margin * v.low)::numeric(16,2) AS predicted_value_low,  --: currency: lower end of the 95 percent interval of predicted_value (parameters of the models, not one customer's luck); somewhat narrow for model_scope 'cohort, shrunk', which takes the model of all as known
       (v.margin * v.high)::numeric(16,2) AS predicted_value_high,  --: currency: upper end of the 95 percent interval of predicted_value
       v.margin_to_date AS margin_to_date,  --: currency: total spend times margin
       v.service_cost_to_date AS service_cost_to_date,  --: currency: cost of the interactions up to as_of  --? interactions.service_cost
       v.acquisition_cost::numeric(16,2) AS acquisition_cost,  --: currency: what it cost to win the customer  --? customers.acquisition_cost
       v.residual_value AS residual_value,  --: currency: predicted value less the service that the purchases will cost, at the cost per unit of spend of all buyers in the 365 days up to as_of  --? interactions.service_cost
       v.residual_value AS residual_value,  --: currency: predicted value, as no cost of service is known  --? !interactions.service_cost
       (x.worth - coalesce(v.acquisition_cost::numeric(16,2), 0))::numeric(16,2) AS lifetime_value,  --: currency: margin to date + residual value - service cost to date - acquisition cost  --? interactions.service_cost customers.acquisition_cost
       (x.worth - coalesce(v.acquisition_cost::numeric(16,2), 0))::numeric(16,2) AS lifetime_value,  --: currency: margin to date + residual value - acquisition cost  --? !interactions.service_cost customers.acquisition_cost
       x.worth AS lifetime_value,  --: currency: margin to date + residual value - service cost to date  --? interactions.service_cost !customers.acquisition_cost
       x.worth AS lifetime_value,  --: currency: margin to date + residual value  --? !interactions.service_cost !customers.acquisition_cost
       {clv}.max_acquisition_cost(x.worth, v.target_ratio::numeric)::numeric(16,2) AS acquisition_cap,  --: currency: the most that winning such a customer may cost: lifetime value before acquisition cost, divided by the target ratio; NULL where that value is negative
       v.resolution AS rolling_resolution,  --: share or score from 0 to 1: mean of the latest six scores of resolution  --? scores
       v.quality AS rolling_quality,  --: score on the evaluator's scale: mean of the latest six scores of evaluators whose name ends in quality  --? evaluations
       v.frustrated AS frustrated_share,  --: share from 0 to 1 of the scores of evaluators whose name ends in tone whose label is frustrated, frustration, annoyance or anger  --? evaluations evaluations.label
       v.resolved AS first_contact_resolution,  --: share from 0 to 1 of the contacts after which the customer did not come back within 7 days, on the same topic where topics are known; those of the last 7 days are not judged  --? interactions
       v.last_contact AS last_contact,  --: time of the latest interaction up to as_of  --? interactions
       v.last_channel COLLATE "default" AS last_contact_channel,  --: channel of the latest interaction that has one  --? interactions.channel
       v.channel AS acquisition_channel,  --: channel through which the customer came  --? customers.channel
       v.until AS predicted_until  --: last day of the horizon of all predictions
FROM (SELECT v.*, c.high_value, {clv}.rfm_score(c.breaks, v.days_since_last, v.purchase_days, v.spend::float8) AS score,
             coalesce(v.spend, 0)::numeric(16,2) AS total_spend, (v.margin * v.value)::numeric(16,2) AS predicted_value,
             (v.margin::numeric * coalesce(v.spend, 0))::numeric(16,2) AS margin_to_date,
             coalesce(v.service_cost, 0)::numeric(16,2) AS service_cost_to_date,  --? interactions.service_cost
             ((v.margin * v.value)::numeric(16,2)
              - (c.cost_share * v.value)::numeric(16,2)  --? interactions.service_cost
             )::numeric(16,2) AS residual_value
      FROM known AS v CROSS JOIN scale AS c
      -- each number is computed once
      OFFSET 0) AS v
     CROSS JOIN LATERAL (
         SELECT (v.margin_to_date + CASE WHEN v.is_customer THEN v.residual_value ELSE 0 END
                 - v.service_cost_to_date  --? interactions.service_cost
                )::numeric(16,2) AS worth) AS x
$$),

-- Errors of the parameters are common to all customers of a model, so that they add up over customers, and do not
-- average out: the ends of the interval of a sum are the sums of the ends.
('cohort_value', 'generation', 'cohort', '',
 'one row per cohort: how many customers it has, what they are worth, what they cost, how they are served', $$
SELECT v.cohort AS cohort,  --: the cohort
       v.as_of AS as_of,  --: last day of the data that are counted
       count(*) AS customers,  --: count of customers, prospects included
       count(*) FILTER (WHERE v.segment = 'prospect') AS prospects,  --: count of customers without a purchase up to as_of
       count(*) FILTER (WHERE v.segment <> 'prospect') AS buyers,  --: count of customers with a purchase up to as_of; means are over them
       avg(v.predicted_value)::numeric(16,2) AS mean_value,  --: currency: mean predicted value of a buyer
       (CASE WHEN count(v.predicted_value_low) = count(v.predicted_value) THEN avg(v.predicted_value_low) END)::numeric(16,2) AS mean_value_low,  --: currency: lower end of its 95 percent interval; NULL where a model of its customers has no standard errors
       (CASE WHEN count(v.predicted_value_high) = count(v.predicted_value) THEN avg(v.predicted_value_high) END)::numeric(16,2) AS mean_value_high,  --: currency: upper end of its 95 percent interval
       coalesce(sum(v.predicted_value), 0)::numeric(16,2) AS total_value,  --: currency: sum of the predicted values
       (CASE WHEN count(v.predicted_value_low) = count(v.predicted_value) THEN sum(v.predicted_value_low) END)::numeric(16,2) AS total_value_low,  --: currency: lower end of its 95 percent interval; errors of a model are common to its customers, so the ends add up
       (CASE WHEN count(v.predicted_value_high) = count(v.predicted_value) THEN sum(v.predicted_value_high) END)::numeric(16,2) AS total_value_high,  --: currency: upper end of its 95 percent interval
       avg(v.churn_risk) AS churn_risk,  --: probability from 0 to 1: mean churn risk of the buyers
       avg(v.alive_probability) AS alive_share,  --: share from 0 to 1 of the buyers who are expected to be customers still
       sum(v.total_spend)::numeric(16,2) AS total_spend,  --: currency: spent up to as_of
       sum(v.margin_to_date)::numeric(16,2) AS margin_to_date,  --: currency: margin of that spend
       sum(v.service_cost_to_date)::numeric(16,2) AS service_cost_to_date,  --: currency: cost of interactions up to as_of  --? interactions.service_cost
       coalesce(sum(v.acquisition_cost), 0)::numeric(16,2) AS acquisition_cost,  --: currency: what the customers cost to win, as far as known  --? customers.acquisition_cost
       coalesce(sum(v.residual_value), 0)::numeric(16,2) AS residual_value,  --: currency: predicted value less the service expected with it
       sum(v.lifetime_value)::numeric(16,2) AS lifetime_value,  --: currency: sum of the lifetime values
       (sum(v.lifetime_value + v.acquisition_cost) / nullif(sum(v.acquisition_cost), 0))::float8 AS value_to_cost,  --: ratio of the lifetime value before acquisition cost to the acquisition cost, of customers whose cost is known  --? customers.acquisition_cost
       avg(v.rolling_resolution) AS rolling_resolution,  --: mean over the customers who have one  --? scores
       avg(v.rolling_quality) AS rolling_quality,  --: mean over the customers who have one, on the evaluator's scale  --? evaluations
       avg(v.frustrated_share) AS frustrated_share,  --: share from 0 to 1: mean over the customers who have one  --? evaluations evaluations.label
       avg(v.first_contact_resolution) AS first_contact_resolution,  --: share from 0 to 1: mean over the customers who have one  --? interactions
       r.driver AS response_driver,  --: the score whose rise the following is about: that of the option lift_name, else the one with the largest value_response  --? scores
       r.lift AS response_lift,  --: by how much it rises (points of the score)  --? scores
       r.value_change AS value_response,  --: currency: change of the value of a customer by that rise; see the view lift  --? scores
       r.value_change_low AS value_response_low,  --: currency: lower end of its 95 percent interval  --? scores
       r.value_change_high AS value_response_high,  --: currency: upper end of its 95 percent interval  --? scores
       CASE WHEN r.is_own THEN 'cohort' WHEN r.driver IS NOT NULL THEN 'all customers' END AS response_scope,  --: whose customers were lifted: the cohort, or all customers where it is too small  --? scores
       string_agg(DISTINCT v.model_scope, '; ' ORDER BY v.model_scope) AS model_scope,  --: whose data the models of the cohort are from
       avg(v.model_weight) AS model_weight  --: weight of the cohort's own data in its models, from 0 to 1
FROM {store}.customer_value_{g} AS v
     LEFT JOIN (SELECT DISTINCT ON (c.cohort) c.cohort, h.cohort IS NOT NULL AS is_own, h.driver, h.lift,  --? scores
                       h.value_change, h.value_change_low, h.value_change_high  --? scores
                FROM (SELECT DISTINCT v.cohort FROM {store}.customer_value_{g} AS v) AS c  --? scores
                     JOIN {store}.generation AS s ON s.generation = {g}  --? scores
                     JOIN {store}.lift_history AS h ON h.model_id = s.model_id AND (h.cohort = c.cohort OR h.cohort IS NULL)  --? scores
                ORDER BY c.cohort, h.driver = {clv}.evaluator_key(s.lift_name) DESC, h.cohort IS NULL, h.value_change DESC NULLS LAST  --? scores
               ) AS r ON r.cohort = v.cohort  --? scores
GROUP BY v.cohort, v.as_of
         , r.driver, r.lift, r.value_change, r.value_change_low, r.value_change_high, r.is_own  --? scores
$$),

('segment_value', 'generation', 'segment', '',
 'one row per segment: how many customers and how much value it holds, and the share of a retention budget it deserves',
 $$
SELECT v.segment AS segment,  --: one of the ten RFM segments; not scored; prospect: no purchase yet
       coalesce(g.position, CASE v.segment WHEN 'prospect' THEN 12 ELSE 11 END)::smallint AS position,  --: 1 (best) to 12, to sort by
       count(*) AS customers,  --: count of customers
       count(*) / sum(count(*)) OVER ()::float8 AS share,  --: share from 0 to 1 of all customers
       sum(v.total_spend)::numeric(16,2) AS total_spend,  --: currency: spent up to as_of
       coalesce(sum(v.predicted_value), 0)::numeric(16,2) AS total_value,  --: currency: sum of the predicted values
       avg(v.predicted_value)::numeric(16,2) AS mean_value,  --: currency: mean predicted value
       coalesce((sum(v.predicted_value) / nullif(sum(sum(v.predicted_value)) OVER (), 0))::float8, 0) AS share_of_value,  --: share from 0 to 1 of all predicted value
       avg(v.churn_risk) AS churn_risk,  --: probability from 0 to 1: mean churn risk
       coalesce(sum(v.churn_risk * v.predicted_value), 0)::numeric(16,2) AS value_at_risk,  --: currency: sum of churn risk times predicted value
       coalesce(sum(v.churn_risk * v.predicted_value) / nullif(sum(sum(v.churn_risk * v.predicted_value)) OVER (), 0), 0) AS budget_share,  --: share from 0 to 1 of a retention budget, in proportion to the value at risk
       coalesce(g.action, CASE v.segment WHEN 'prospect' THEN 'Invite them to a first purchase.' ELSE 'Wait for more customers to compare with.' END) AS action  --: a suggestion of what to do next
FROM {store}.customer_value_{g} AS v
     LEFT JOIN {clv}.rfm_segments() WITH ORDINALITY AS g (segment, r_min, r_max, fm_min, fm_max, action, position)
         ON g.segment = v.segment
GROUP BY v.segment, g.position, g.action
$$),

('channel_value', 'generation', 'kind, channel', '',
 'value by the channel through which customers came and by that of their latest contact; one row for all', $$
SELECT k.kind AS kind,  --: which channel: acquisition, contact (the latest one), or all
       k.channel AS channel,  --: the channel; unknown where the source has none; none where there was no contact
       count(*) AS customers,  --: count of customers, prospects included
       count(*) FILTER (WHERE v.segment <> 'prospect') AS buyers,  --: count of customers with a purchase up to as_of
       sum(v.total_spend)::numeric(16,2) AS total_spend,  --: currency: spent up to as_of
       coalesce(sum(v.predicted_value), 0)::numeric(16,2) AS total_value,  --: currency: sum of the predicted values
       avg(v.predicted_value)::numeric(16,2) AS mean_value,  --: currency: mean predicted value of a buyer
       avg(v.churn_risk) AS churn_risk,  --: probability from 0 to 1: mean churn risk of the buyers
       sum(v.service_cost_to_date)::numeric(16,2) AS service_cost_to_date,  --: currency: cost of interactions up to as_of  --? interactions.service_cost
       coalesce(sum(v.acquisition_cost), 0)::numeric(16,2) AS acquisition_cost,  --: currency: what the customers cost to win, as far as known  --? customers.acquisition_cost
       (sum(v.lifetime_value + v.acquisition_cost) / nullif(sum(v.acquisition_cost), 0))::float8 AS value_to_cost,  --: ratio of the lifetime value before acquisition cost to the acquisition cost, of customers whose cost is known  --? customers.acquisition_cost
       avg(v.rolling_resolution) AS rolling_resolution,  --: mean over the customers who have one  --? scores
       sum(v.lifetime_value)::numeric(16,2) AS lifetime_value  --: currency: sum of the lifetime values
FROM {store}.customer_value_{g} AS v
     CROSS JOIN LATERAL (
         SELECT 'all' AS kind, 'all' AS channel
         UNION ALL SELECT 'acquisition', coalesce(v.acquisition_channel, 'unknown')  --? customers.channel
         UNION ALL SELECT 'contact', coalesce(v.last_contact_channel, CASE WHEN v.last_contact IS NULL THEN 'none' ELSE 'unknown' END)  --? interactions.channel
         ) AS k
GROUP BY k.kind, k.channel
$$),

-- A month of a customer is there once it lies behind him: one that is not over yet would look like silence.
('retention_curve', 'generation', 'cohort, period', '',
 'one row per cohort and month since the first purchase: who came back or still pays, and what was spent', $$
SELECT a.cohort AS cohort,  --: the cohort
       a.period AS period,  --: months since the first purchase, by the calendar: 0 begins with it
       a.customers AS customers,  --: count of customers whose month lies behind them up to as_of; the shares are of these
       a.customers / c.customers::float8 AS observed_share,  --: share from 0 to 1 of the cohort's customers with a purchase that they are; below 1 the others are too young to tell
       a.active AS active,  --: count of those with a purchase or payment in the month
       a.active / a.customers::float8 AS active_share,  --: share from 0 to 1 of customers with a purchase or payment in the month
       a.spend::numeric(16,2) AS spend,  --: currency: spent by them in the month, refunds subtracted
       (a.spend / a.customers)::numeric(16,2) AS spend_per_customer  --: currency: spent in the month per customer, active or not
FROM (SELECT p.cohort, a.age_period::smallint AS period, count(*) AS customers,
             count(*) FILTER (WHERE a.active) AS active,
             sum(a.spend) AS spend
      FROM (SELECT cohort, history FROM {store}.person OFFSET 0) AS p     -- else both are computed anew for each month
           CROSS JOIN LATERAL {clv}.spend_by_age(p.history, (SELECT s.as_of FROM {store}.generation AS s
                                                             WHERE s.generation = {g}), 'month') AS a
      GROUP BY p.cohort, a.age_period) AS a
     JOIN (SELECT p.cohort, count(*) AS customers
           FROM {store}.person AS p
           WHERE {clv}.purchases(p.history,
                                 (SELECT s.as_of FROM {store}.generation AS s WHERE s.generation = {g})) IS NOT NULL
           GROUP BY p.cohort) AS c ON c.cohort = a.cohort
$$),

('reconciliation', 'generation', 'item', '',
 'one row per figure: what the sources hold beside what the mart has counted, and what was left out', $$
WITH history AS MATERIALIZED (
    SELECT count(*) AS customers, count(h.spend) AS buyers, sum(h.spend) AS spend, sum(r.refunds) AS refunds,
           count(*) FILTER (WHERE r.refunds < 0) AS refunded
    FROM (SELECT {clv}.total_spend(p.history,
                                   (SELECT s.as_of FROM {store}.generation AS s WHERE s.generation = {g})) AS spend,
                 p.history FROM {store}.person AS p
          WHERE (least(p.acquired_on, {clv}.first_purchase(p.history))
                 <= (SELECT s.as_of FROM {store}.generation AS s WHERE s.generation = {g})) IS NOT FALSE) AS h
         -- total_spend() begins with the first purchase: refunds of customers who have none stand apart
         CROSS JOIN LATERAL (SELECT CASE WHEN h.spend IS NULL THEN (
             SELECT sum(d.amount) FROM {clv}.purchase_days(h.history) AS d
             WHERE d.day <= (SELECT s.as_of FROM {store}.generation AS s WHERE s.generation = {g})) END AS refunds) AS r
),
mart AS MATERIALIZED (
    SELECT count(*) AS customers, coalesce(sum(v.total_spend), 0) AS spend FROM {store}.customer_value_{g} AS v
),
line AS MATERIALIZED (
    SELECT 'orders' AS source, r.reason, count(*) AS n, sum(o.amount) AS amount,  --? orders
           count(*) FILTER (WHERE o.amount < 0) AS refunds, sum(o.amount) FILTER (WHERE o.amount < 0) AS refunded  --? orders
    FROM {store}.source_order AS o JOIN {store}.generation AS s ON s.generation = {g}  --? orders
         CROSS JOIN LATERAL (SELECT CASE WHEN o.customer_id IS NULL THEN 'without a customer' WHEN o.ordered_on IS NULL THEN 'without a day'  --? orders
                                         WHEN o.amount IS NULL THEN 'without an amount' WHEN o.ordered_on > s.as_of THEN 'after as_of'  --? orders
                                         ELSE 'counted' END AS reason) AS r  --? orders
    GROUP BY r.reason  --? orders
    UNION ALL  --? orders subscriptions
    -- what contracts should have brought: a payment on the day of the start and on each month's day after it  --? subscriptions
    SELECT 'payments' AS source, r.reason, sum(r.payments) AS n, sum(r.payments * c.monthly_amount) AS amount,  --? subscriptions
           sum(r.payments) FILTER (WHERE c.monthly_amount < 0) AS refunds,  --? subscriptions
           sum(r.payments * c.monthly_amount) FILTER (WHERE c.monthly_amount < 0) AS refunded  --? subscriptions
    FROM {store}.source_contract AS c JOIN {store}.generation AS s ON s.generation = {g}  --? subscriptions
         CROSS JOIN LATERAL (SELECT least(c.ended_on - 1, s.as_of) AS day) AS l  --? subscriptions
         CROSS JOIN LATERAL (SELECT 12 * (extract(year FROM l.day) - extract(year FROM c.started_on))::int  --? subscriptions
                                    + (extract(month FROM l.day) - extract(month FROM c.started_on))::int AS months) AS e  --? subscriptions
         CROSS JOIN LATERAL (SELECT CASE WHEN c.customer_id IS NULL THEN 'without a customer' WHEN c.started_on IS NULL THEN 'without a day'  --? subscriptions
                                         WHEN c.monthly_amount IS NULL THEN 'without an amount' WHEN c.started_on > s.as_of THEN 'after as_of'  --? subscriptions
                                         ELSE 'counted' END AS reason,  --? subscriptions
                                    CASE WHEN c.started_on IS NULL OR c.started_on > s.as_of THEN 1 WHEN c.started_on > l.day THEN 0  --? subscriptions
                                         ELSE e.months + ((c.started_on + make_interval(months => e.months))::date <= l.day)::int END AS payments) AS r  --? subscriptions
    GROUP BY r.reason  --? subscriptions
),
figure AS (
    SELECT q.first + r.position AS position, concat_ws(' ', q.source, r.reason) AS item,
           coalesce(sum(l.n), 0) AS n, coalesce(sum(l.amount), 0) AS amount,
           CASE WHEN r.reason IS NULL THEN 'read' WHEN r.reason = 'counted' THEN 'counted'
                WHEN coalesce(sum(l.n), 0) = 0 THEN 'none' ELSE 'left out' END AS verdict
    FROM (VALUES
          ('orders', 10)  --? orders
          ,  --? orders subscriptions
          ('payments', 20)  --? subscriptions
         ) AS q (source, first)
         CROSS JOIN (VALUES (0, NULL), (1, 'without a customer'), (2, 'without a day'), (3, 'without an amount'),
                            (4, 'after as_of'), (5, 'counted')) AS r (position, reason)
         LEFT JOIN line AS l ON l.source = q.source AND (l.reason = r.reason OR r.reason IS NULL)
    GROUP BY q.first, q.source, r.position, r.reason
    UNION ALL
    SELECT 30, 'refunds counted', coalesce(sum(l.refunds), 0), coalesce(sum(l.refunded), 0),
           CASE WHEN sum(l.refunds) > 0 THEN 'subtracted' ELSE 'none' END
    FROM line AS l WHERE l.reason = 'counted'
    UNION ALL
    SELECT 31, 'histories', h.buyers, coalesce(h.spend, 0), 'counted' FROM history AS h
    UNION ALL
    SELECT 32, 'refunds without a purchase', h.refunded, coalesce(h.refunds, 0),
           CASE WHEN h.refunded = 0 THEN 'none' ELSE 'left out until the first purchase' END FROM history AS h
    UNION ALL
    SELECT 33, 'sources less histories', c.n, c.amount - coalesce(h.spend, 0) - coalesce(h.refunds, 0),
           CASE WHEN round(c.amount - coalesce(h.spend, 0) - coalesce(h.refunds, 0), 2) = 0 THEN 'equal to the cent'
                ELSE 'differs' END
    FROM history AS h CROSS JOIN (SELECT coalesce(sum(l.n), 0) AS n, coalesce(sum(l.amount), 0) AS amount
                                  FROM line AS l WHERE l.reason = 'counted') AS c
    UNION ALL
    SELECT 34, 'customer_value less histories', v.customers, v.spend - coalesce(h.spend, 0),
           CASE WHEN v.customers <> h.customers THEN 'differs'
                WHEN round(v.spend - coalesce(h.spend, 0), 2) = 0 THEN 'equal to the cent'
                WHEN abs(v.spend - h.spend) <= 0.005 * v.customers THEN 'equal but for cents rounded per customer'
                ELSE 'differs' END
    FROM history AS h CROSS JOIN mart AS v
)
SELECT f.item AS item,  --: what is counted
       f.position AS position,  --: order of the rows: sources, then histories and the mart, then the differences
       f.n::bigint AS row_count,  --: count of rows of the source, or of customers
       f.amount::numeric(16,2) AS amount,  --: currency: sum of the amounts
       f.verdict AS verdict  --: what became of them: read, counted, left out, none, subtracted; for the differences: equal to the cent, or differs
FROM figure AS f
$$)
$templates$;
COMMENT ON FUNCTION clv_mart_customers() IS
'internal: relations of a mart about customers, as templates: fitted models, value per customer, cohort, segment and channel, retention, reconciliation';

-- ---- mart: drivers, lift and the quality of models ------------------------------------------------------------------

-- Exposure ends at the landmark, outcomes begin after it: as_of less a window, which is the horizon, or what fits into
-- the data. Work relations hold customers at the landmark and, where the data go back far enough, at one a window
-- earlier; all models of churn are made from them. Their x is the score first, then what was there before it: years as
-- a customer, the log of purchases, channels, cohorts of the customers' own. Mediators are never among them.
CREATE FUNCTION clv_mart_drivers() RETURNS TABLE (name text, kind text, keys text, needs text, about text,
                                                  definition text)
    LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100 ROWS 20
    AS $mart$
SELECT t.name, t.kind, t.keys, n.needs, t.about, t.definition
FROM (VALUES
('exposure_score', 'work', '', 'scores', 'histories of scores, by customer and evaluator', $$
-- read once; moments are shifted by the zone, so that days of UTC, which landmark() reads, are days of the zone
SELECT e.customer_id, e.name AS evaluator,
       {clv}.interaction_history((e.evaluated_at AT TIME ZONE {zone}) AT TIME ZONE 'UTC', e.score) AS scores
FROM {store}.build AS s CROSS JOIN {store}.source_score AS e
WHERE e.customer_id IS NOT NULL AND e.name IS NOT NULL AND e.score BETWEEN -1e15 AND 1e15
    AND isfinite(e.evaluated_at) AND e.evaluated_at < (s.as_of + 1)::timestamp AT TIME ZONE {zone}
GROUP BY e.customer_id, e.name
$$),
('exposure_day', 'work', '', 'scores', 'scores by evaluator and day', $$
SELECT e.evaluator, (i.at AT TIME ZONE 'UTC')::date AS day, count(*) AS scores, min(i.score) AS lowest,
       max(i.score) AS highest
FROM {store}.exposure_score AS e CROSS JOIN LATERAL {clv}.interactions(e.scores) AS i
GROUP BY 1, 2
$$),
('exposure_window', 'work', '', 'scores', 'the landmark and the window after it', $$
-- a quarter of the scores at least is to be known at the landmark, and half of the span of the data is to lie before it
SELECT s.as_of - w.days AS landmark_on, s.as_of AS until_on, w.days AS window_days,
       CASE WHEN s.as_of - 2 * w.days > f.first_on THEN s.as_of - 2 * w.days END AS earlier_on
FROM {store}.build AS s
CROSS JOIN (
    SELECT min(o.day) AS first_on
    FROM (
        SELECT NULL::date AS day
        UNION ALL SELECT min(ordered_on) FROM {store}.source_order WHERE isfinite(ordered_on) --? orders
        UNION ALL SELECT min(started_on) FROM {store}.source_contract WHERE isfinite(started_on) --? subscriptions
    ) AS o
) AS f
CROSS JOIN (
    SELECT min(d.day) AS quarter_on
    FROM (SELECT e.day, sum(sum(e.scores)) OVER (ORDER BY e.day) AS so_far, sum(sum(e.scores)) OVER () AS in_all
          FROM {store}.exposure_day AS e GROUP BY e.day) AS d
    WHERE 4 * d.so_far >= d.in_all
) AS q
CROSS JOIN LATERAL (SELECT least(s.horizon_days, (s.as_of - f.first_on) / 2, s.as_of - q.quarter_on)) AS w (days)
WHERE w.days >= 1 AND f.first_on IS NOT NULL AND q.quarter_on IS NOT NULL
$$),
('exposure_evaluator', 'work', '', 'scores', 'evaluators: role, scale, lift, reliability', $$
-- a lever by its name, or the score that the option lift_name names; the scale is 0 to 1 where scores are within it,
-- else from the lowest to the highest; a lift is a part of the scale, and goes down where less is better
SELECT v.evaluator, r.role, r.why,
       coalesce(r.role = 'lever' OR r.role IS DISTINCT FROM 'outcome'
                AND v.evaluator = {clv}.evaluator_key(s.lift_name),
                false) AS is_lever,
       v.scores, v.lowest, v.highest, k.low, k.high, k.less_is_better,
       s.lift * (k.high - k.low) * CASE WHEN k.less_is_better THEN -1 ELSE 1 END AS lift, g.reliability
FROM {store}.build AS s
CROSS JOIN (SELECT evaluator, sum(scores)::bigint AS scores, min(lowest) AS lowest, max(highest) AS highest
            FROM {store}.exposure_day GROUP BY evaluator) AS v
CROSS JOIN LATERAL {clv}.driver_roles(ARRAY[v.evaluator]) AS r
CROSS JOIN LATERAL (
    SELECT CASE WHEN v.lowest >= 0 AND v.highest <= 1 THEN 0 ELSE v.lowest END,
           CASE WHEN v.lowest >= 0 AND v.highest <= 1 THEN 1 ELSE v.highest END,
           '_' || v.evaluator || '_' ~ (
               '_(time|latency|wait|waiting|duration|hallucinations?|hallucinated|toxicity|violence|unfairness|'
               'escalations?|escalated|transfers?|transferred|handoffs?|loops?|repeat_contacts?|follow_ups?)_')
) AS k (low, high, less_is_better)
CROSS JOIN LATERAL (
    SELECT CASE WHEN v.lowest < v.highest AND count(*) > 1 AND count(*) < v.scores
               THEN {clv}.signal_sample(x.scores) END AS sample
    FROM {store}.exposure_score AS x WHERE x.evaluator = v.evaluator
) AS i
LEFT JOIN LATERAL {clv}.signal_reliability(i.sample) AS g ON true
$$),
('exposure_customer', 'work', '', 'scores', 'customers at risk at the landmark (period 2) and at the one before (1)', $$
-- who left by contract left when the last of the contracts ended; who bought after that had not left, and for the days
-- up to the landmark only purchases up to it decide, else who is at risk would follow from the outcome; lot is drawn by
-- a hash
SELECT t.period, p.customer_id, p.cohort, p.channel, (hashtextextended(p.customer_id::text, 0) & 65535)::int AS lot,
       l.purchases, l.days_since_last, l.total_spend, l.average_purchase, l.tenure, l.purchases_after, l.spend_after,
       l.churned
FROM {store}.person AS p
CROSS JOIN (
    SELECT 2 AS period, w.landmark_on, w.until_on FROM {store}.exposure_window AS w
    UNION ALL SELECT 1, w.earlier_on, w.landmark_on FROM {store}.exposure_window AS w WHERE w.earlier_on IS NOT NULL
) AS t
LEFT JOIN ( --? subscriptions
    SELECT customer_id, --? subscriptions
           CASE WHEN count(nullif(ended_on, 'infinity')) = count(*) THEN max(ended_on) END AS left_on --? subscriptions
    FROM {store}.source_contract GROUP BY customer_id --? subscriptions
) AS c ON c.customer_id = p.customer_id --? subscriptions
CROSS JOIN LATERAL (
    SELECT min(d.left_on) AS left_on
    FROM (VALUES (p.churned_on)
              , (c.left_on) --? subscriptions
         ) AS d (left_on)
    WHERE {clv}.last_purchase(p.history,
                              CASE WHEN d.left_on <= t.landmark_on THEN t.landmark_on ELSE t.until_on END) <= d.left_on
) AS g
CROSS JOIN LATERAL {clv}.landmark(p.history, NULL::{clv}.interaction_history, t.landmark_on, t.until_on,
    data_end => t.until_on, churned_at => g.left_on) AS l
WHERE l.at_risk AND NOT l.censored
$$),
('exposure_control', 'work', '', 'scores',
    'customers at the landmark, channels and cohorts large enough for a column of a model', $$
-- with ten who left and ten who stayed a level gets a column; the largest is what others are compared with
WITH part AS MATERIALIZED (
    SELECT cohort, channel, count(*) AS customers, count(*) FILTER (WHERE churned) AS churned
    FROM {store}.exposure_customer WHERE period = 2 GROUP BY cohort, channel
)
SELECT a.customers, a.churned, l.channels, l.cohorts,
       ARRAY['score', 'years as a customer', 'log of purchases']
           || ARRAY(SELECT 'channel ' || c FROM unnest(l.channels) AS c)
           || ARRAY(SELECT 'cohort ' || c FROM unnest(l.cohorts) AS c) AS terms
FROM (SELECT coalesce(sum(customers), 0)::bigint AS customers, coalesce(sum(churned), 0)::bigint AS churned
      FROM part) AS a
CROSS JOIN (
    SELECT ARRAY(SELECT channel FROM part WHERE channel IS NOT NULL GROUP BY channel
                 HAVING sum(churned) >= 10 AND sum(customers - churned) >= 10
                 ORDER BY sum(customers) DESC, channel OFFSET 1 LIMIT 4) AS channels,
           '{}'::text[] AS cohorts --? !customers.cohort
           ARRAY(SELECT cohort FROM part GROUP BY cohort --? customers.cohort
                 HAVING sum(churned) >= 10 AND sum(customers - churned) >= 10 --? customers.cohort
                 ORDER BY sum(customers) DESC, cohort OFFSET 1 LIMIT 8) AS cohorts --? customers.cohort
) AS l
$$),
('exposure', 'work', '', 'scores', 'customers with scores at the landmark, a row for each evaluator', $$
SELECT c.customer_id, c.cohort, c.channel, v.evaluator, c.lot, c.purchases, c.days_since_last, c.total_spend,
       c.average_purchase,
       c.tenure, ln(c.purchases) AS log_purchases, l.n_scores, l.mean_score,
       (l.last_score_at AT TIME ZONE 'UTC') AT TIME ZONE {zone} AS last_score_at, c.purchases_after, c.spend_after,
       c.churned,
       v.reliability, coalesce(d.columns[1], 0) AS channel_1, coalesce(d.columns[2], 0) AS channel_2,
       coalesce(d.columns[3], 0) AS channel_3, coalesce(d.columns[4], 0) AS channel_4,
       -- a mean may leave the scale by the last digit
       ARRAY[greatest(v.lowest, least(v.highest, l.mean_score)), c.tenure / 365.25, ln(c.purchases)] || d.columns
           || ARRAY(SELECT coalesce((c.cohort = o)::int, 0)::float8 FROM unnest(k.cohorts) AS o) AS x
FROM {store}.exposure_window AS w CROSS JOIN {store}.exposure_control AS k CROSS JOIN {store}.exposure_customer AS c
JOIN {store}.exposure_score AS e ON e.customer_id = c.customer_id
JOIN {store}.exposure_evaluator AS v ON v.evaluator = e.evaluator
CROSS JOIN LATERAL {clv}.landmark(NULL::{clv}.purchase_history, e.scores, w.landmark_on, w.until_on,
                                  data_end => w.until_on) AS l
CROSS JOIN LATERAL (SELECT ARRAY(SELECT coalesce((c.channel = o)::int, 0)::float8
                                 FROM unnest(k.channels) AS o) OFFSET 0) AS d (columns)
WHERE c.period = 2 AND l.n_scores > 0 AND v.lowest < v.highest
$$),
('exposure_before', 'work', '', 'scores', 'the same at the landmark before, where the data go back so far', $$
SELECT c.customer_id, e.evaluator, c.lot, c.churned,
       ARRAY[greatest(v.lowest, least(v.highest, l.mean_score)), c.tenure / 365.25, ln(c.purchases)]
           || ARRAY(SELECT coalesce((c.channel = o)::int, 0)::float8 FROM unnest(k.channels) AS o) AS x
FROM {store}.exposure_window AS w CROSS JOIN {store}.exposure_control AS k CROSS JOIN {store}.exposure_customer AS c
JOIN {store}.exposure_score AS e ON e.customer_id = c.customer_id
JOIN {store}.exposure_evaluator AS v ON v.evaluator = e.evaluator
CROSS JOIN LATERAL {clv}.landmark(NULL::{clv}.purchase_history, e.scores, w.earlier_on, w.landmark_on,
                                  data_end => w.landmark_on) AS l
WHERE c.period = 1 AND l.n_scores > 0 AND v.lowest < v.highest
$$),
('driver', 'vintage', 'driver', 'scores', 'which scores go with leaving, one row for each evaluator', $$
SELECT s.model_id AS model_id,  --: number of the models of which this was found
       v.evaluator AS driver,  --: the evaluator whose scores are compared with who left, as evaluator_key() writes its name
       v.role AS role,  --: lever (what the company does), mediator (a consequence of levers), confounder (there before), outcome; by its name
       v.why AS role_reason,  --: why it has this role
       w.landmark_on AS landmark_on,  --: last day on which scores and orders count as known (date)
       w.window_days::bigint AS window_days,  --: days after the landmark in which customers left or stayed: the horizon, or what the data have room for
       coalesce(e.customers, 0) AS customers,  --: customers at risk at the landmark who had a score by then (count)
       k.customers - coalesce(e.customers, 0) AS without_scores,  --: customers at risk at the landmark without one (count)
       e.churn_rate AS churn_rate,  --: of those with a score, the share who left or did not buy within the window (0 to 1)
       e.mean_score AS mean_score,  --: mean over these customers of the mean of their scores (points of the score)
       d.pooled_r AS pooled_r,  --: correlation of mean score and leaving over all customers (-1 to 1)
       d.within_r AS within_r,  --: the same within cohorts (-1 to 1)
       d.partial_r AS partial_r,  --: within cohorts, given tenure, purchases and channel (-1 to 1); below 0: higher scores, fewer leave
       d.conf_low AS conf_low,  --: lower end of the 95 percent interval of partial_r
       d.conf_high AS conf_high,  --: upper end of the 95 percent interval of partial_r
       d.p_value AS p_value,  --: probability of as much by chance (0 to 1)
       d.adjusted_p AS adjusted_p,  --: the same allowing for the number of evaluators (Benjamini and Hochberg); call drivers what is below 0.05
       d.sign_flip AS sign_flip,  --: whether the sign within cohorts is opposite to that over all
       d.reliability AS reliability,  --: share of the differences between customers' scores that is no noise (0 to 1)
       d.disattenuated_r AS disattenuated_r,  --: partial_r as scores without noise would show it (-1 to 1)
       d.n_needed AS customers_needed,  --: customers that the next study needs to see as much again (count)
       coalesce(d.note, CASE WHEN v.lowest = v.highest THEN 'no correlation: all scores are the same'
                             WHEN e.customers IS NULL THEN 'no correlation: nobody at risk had a score by the landmark'
                             WHEN e.churn_rate = 0 THEN 'no correlation: nobody left'
                             WHEN e.churn_rate = 1 THEN 'no correlation: everybody left' END) AS note  --: what to think of, in words
FROM {store}.build AS s CROSS JOIN {store}.exposure_window AS w CROSS JOIN {store}.exposure_control AS k
CROSS JOIN {store}.exposure_evaluator AS v
LEFT JOIN (SELECT evaluator, count(*) AS customers, avg(churned::int)::float8 AS churn_rate,
                  avg(mean_score) AS mean_score
           FROM {store}.exposure GROUP BY evaluator) AS e ON e.evaluator = v.evaluator
LEFT JOIN (
    SELECT t.*
    -- the relation by its own number: a name would not follow when it is renamed
    FROM (SELECT min(x.tableoid)::regclass AS relation FROM {store}.exposure AS x
          HAVING bool_or(x.churned) AND NOT bool_and(x.churned)) AS r
    CROSS JOIN LATERAL {clv}.driver_table(r.relation, 'churned', 'evaluator', 'mean_score', 'cohort',
        ARRAY['tenure', 'log_purchases', 'channel_1', 'channel_2', 'channel_3', 'channel_4'],
        reliability_column => 'reliability',
        customer_column => 'customer_id') AS t
) AS d ON d.evaluator = v.evaluator
WHERE k.customers > 0
$$),
('churn_model', 'vintage', 'driver', 'scores', 'models of leaving, one for each evaluator', $$
-- with ten who left and ten who stayed; Firth's likelihood where a column settles who leaves; of more than a million
-- customers as many as that by lot
SELECT s.model_id, 'churn'::text AS role, NULL::text AS cohort, f.evaluator AS driver, s.as_of, now() AS fitted_at,
       'all customers'::text AS scope, NULL::float8 AS own_weight, f.customers, f.note, f.landmark_on, f.window_days,
       f.terms, f.model
FROM {store}.build AS s
CROSS JOIN (
    SELECT m.evaluator, m.customers, m.landmark_on, m.window_days, m.terms, coalesce(m.likely, m.penalised) AS model,
           CASE WHEN m.likely IS NULL
               THEN 'Firth''s penalised likelihood: one of the columns settles in some rows who leaves' END AS note
    FROM (
        SELECT g.*, CASE WHEN g.likely IS NULL THEN {clv}.logit_fit(g.sample, 'firth') END AS penalised
        FROM (
            SELECT v.evaluator, w.landmark_on, w.window_days, k.terms, n.customers, n.sample,
                   {clv}.logit_fit(n.sample) AS likely
            FROM {store}.exposure_window AS w CROSS JOIN {store}.exposure_control AS k
            CROSS JOIN {store}.exposure_evaluator AS v
            CROSS JOIN LATERAL (
                SELECT count(*) AS customers, count(*) FILTER (WHERE x.churned) AS churned, min(x.x[1]) AS lowest,
                       max(x.x[1]) AS highest,
                       {clv}.regression_sample(x.churned, x.x)
                           FILTER (WHERE x.lot >> 1 < 32768 * (1e6 / greatest(k.customers, 1e6))) AS sample
                FROM {store}.exposure AS x WHERE x.evaluator = v.evaluator
            ) AS n
            WHERE n.churned >= 10 AND n.customers - n.churned >= 10 AND n.lowest < n.highest
                AND v.role IS DISTINCT FROM 'outcome'
            OFFSET 0
        ) AS g
        OFFSET 0
    ) AS m
) AS f
WHERE f.model IS NOT NULL
$$),
('lift', 'vintage', 'cohort, driver', 'scores',
    'what a lift of each lever is worth, for all customers and by cohort', $$
-- one model of all customers, with the cohort's customers in it; twice, as the second cost is a share of the value of
-- the first
SELECT p.model_id AS model_id,  --: number of the models of which this was found
       p.cohort AS cohort,  --: cohort whose customers it is about; NULL: all customers. Cohorts below the smallest size have no row
       p.driver AS driver,  --: the lever that is lifted
       p.landmark_on AS landmark_on,  --: last day of what the model of churn knows (date)
       p.window_days::bigint AS window_days,  --: length of a period of churn (days)
       p.lift AS lift,  --: by how much the score changes (points of the score); below 0 where less is better
       p.mean_score AS mean_score,  --: mean score of these customers (points of the score)
       p.customers AS customers,  --: customers with scores at the landmark, whom totals are about (count)
       p.churn_before AS churn_before,  --: mean probability to leave within the window as customers are (0 to 1)
       p.churn_after AS churn_after,  --: the same after the lift (0 to 1)
       p.churn_change AS churn_change,  --: churn_after less churn_before; -0.01 is one customer in a hundred
       p.churn_change_low AS churn_change_low,  --: lower end of its 95 percent interval
       p.churn_change_high AS churn_change_high,  --: upper end of its 95 percent interval
       p.churn_change_relative AS churn_change_relative,  --: churn_change as a share of churn_before
       p.margin_per_window::numeric(16, 2) AS margin_per_window,  --: mean margin of a customer who stayed, within the window (currency)
       p.value_years AS value_years,  --: years whose margins count as value, some five in whole windows; the model's churn holds in each of them
       p.value_before::numeric(16, 2) AS value_before,  --: mean value of a customer as they are, discounted (currency)
       p.value_change::numeric(16, 2) AS value_change,  --: by how much the lift changes it, per customer (currency)
       p.value_change_low::numeric(16, 2) AS value_change_low,  --: lower end of its 95 percent interval (currency)
       p.value_change_high::numeric(16, 2) AS value_change_high,  --: upper end of its 95 percent interval (currency)
       p.total_change::numeric(16, 2) AS total_change,  --: value_change times customers: what the lift may cost at most (currency)
       p.total_change_low::numeric(16, 2) AS total_change_low,  --: lower end of its 95 percent interval (currency)
       p.total_change_high::numeric(16, 2) AS total_change_high,  --: upper end of its 95 percent interval (currency)
       p.required_lift AS required_lift,  --: lift that makes customers worth 1 percent more (points of the score); NULL: none on the scale does
       p.required_lift_low AS required_lift_low,  --: lift with which they may be
       p.required_lift_high AS required_lift_high,  --: lift with which they surely are; NULL: none on the scale is enough
       p.clipped_share AS clipped_share,  --: share of customers who reach the end of the scale before the lift is used up (0 to 1)
       p.robustness AS robustness,  --: share of what is left of both score and leaving that a cause nobody measured must explain to account for the effect (0 to 1)
       p.note AS note  --: what to think of, in words
FROM (
    SELECT s.model_id, c.cohort, m.driver, m.landmark_on, m.window_days, v.lift, c.mean_score, c.customers, one.*,
           c.margin_per_window,
           greatest(1, round(5 * 365.25 / m.window_days)) * m.window_days / 365.25::float8 AS value_years,
           two.*, r.robustness_value AS robustness,
           nullif(concat_ws('; ',
               CASE WHEN one.churn_change_low <= 0 AND one.churn_change_high >= 0
                   THEN 'not beyond noise: the interval holds 0' END,
               CASE WHEN one.churn_change_low > 0 THEN 'customers leave more often with it: what is behind that?' END,
               CASE WHEN v.role = 'mediator' THEN 'a mediator: who lifts its levers lifts it, too' END,
               CASE WHEN v.less_is_better THEN 'less of it counts as better' END,
               CASE WHEN v.low <> 0 OR v.high <> 1
                    THEN format('scores go from %s to %s; the lift is %s percent of that', v.lowest::float4,
                                v.highest::float4, round((100 * s.lift)::numeric, 1)) END,
               CASE WHEN one.clipped_share > 0.25
                   THEN format('%s percent of the customers are near the end of the scale',
                               round(100 * one.clipped_share)) END,
               CASE WHEN m.window_days < s.horizon_days THEN format('the data have room for %s days, not %s',
                                                                    m.window_days, s.horizon_days) END,
               m.note), '') AS note
    FROM {store}.build AS s
    JOIN {store}.churn_model_history AS m ON m.model_id = s.model_id
    JOIN {store}.exposure_evaluator AS v ON v.evaluator = m.driver AND v.is_lever
    CROSS JOIN {store}.exposure_control AS k
    CROSS JOIN LATERAL (
        WITH part AS MATERIALIZED (
            SELECT x.cohort, count(*) AS customers, sum(x.mean_score) AS scores, sum(x.spend_after)
                       FILTER (WHERE NOT x.churned) AS spend,
                   count(*) FILTER (WHERE NOT x.churned) AS stayed,
                   {clv}.regression_sample(x.churned, x.x)
                       FILTER (WHERE x.lot >> 1 < 32768 * (1e6 / greatest(k.customers, 1e6))) AS sample
            FROM {store}.exposure AS x WHERE x.evaluator = m.driver GROUP BY x.cohort
        ), whole AS MATERIALIZED (
            SELECT sum(p.customers)::bigint AS customers, sum(p.scores) AS scores,
                   (sum(p.spend) / sum(p.stayed))::float8 AS spend,
                   {clv}.clv_sample(p.sample) AS sample FROM part AS p
        )
        SELECT NULL::text AS cohort, h.customers, h.scores / h.customers AS mean_score,
               s.margin * h.spend AS margin_per_window, h.sample,
               {clv}.lm_fit(h.sample) AS line FROM whole AS h
        UNION ALL
        SELECT p.cohort, p.customers, p.scores / p.customers,
               s.margin * coalesce((p.spend / nullif(p.stayed, 0))::float8, h.spend), p.sample, NULL
        FROM part AS p CROSS JOIN whole AS h WHERE p.customers >= s.min_cohort_size
    ) AS c
    CROSS JOIN LATERAL (
        SELECT max(estimate) FILTER (WHERE quantity = 'churn_before') AS churn_before,
               max(estimate) FILTER (WHERE quantity = 'churn_after') AS churn_after,
               max(estimate) FILTER (WHERE quantity = 'churn_change') AS churn_change,
               max(conf_low) FILTER (WHERE quantity = 'churn_change') AS churn_change_low,
               max(conf_high) FILTER (WHERE quantity = 'churn_change') AS churn_change_high,
               max(estimate) FILTER (WHERE quantity = 'churn_change_relative') AS churn_change_relative,
               max(estimate) FILTER (WHERE quantity = 'value_before') AS value_before,
               max(estimate) FILTER (WHERE quantity = 'value_change') AS value_change,
               max(conf_low) FILTER (WHERE quantity = 'value_change') AS value_change_low,
               max(conf_high) FILTER (WHERE quantity = 'value_change') AS value_change_high,
               max(estimate) FILTER (WHERE quantity = 'return') AS total_change,
               max(conf_low) FILTER (WHERE quantity = 'return') AS total_change_low,
               max(conf_high) FILTER (WHERE quantity = 'return') AS total_change_high,
               max(estimate) FILTER (WHERE quantity = 'clipped_share') AS clipped_share
        FROM {clv}.lift_projection(m.model, c.sample, 1, v.lift, c.margin_per_window, s.annual_discount_rate,
            period_years => m.window_days / 365::float8, horizon => greatest(1, round(5 * 365.25 / m.window_days)),
            n_customers => c.customers, low => v.low, high => v.high)
    ) AS one
    CROSS JOIN LATERAL (
        SELECT max(estimate) AS required_lift, max(conf_low) AS required_lift_low, max(conf_high) AS required_lift_high
        FROM {clv}.lift_projection(m.model, c.sample, 1, v.lift, c.margin_per_window, s.annual_discount_rate,
            period_years => m.window_days / 365::float8, horizon => greatest(1, round(5 * 365.25 / m.window_days)),
            n_customers => 1, cost => greatest(0.01 * one.value_before, 0), low => v.low, high => v.high)
        WHERE quantity = 'required_lift'
    ) AS two
    LEFT JOIN LATERAL {clv}.robustness(c.line, 'x1') AS r ON true
    WHERE v.lift <> 0 AND one.churn_before IS NOT NULL
) AS p
$$),
('model_quality', 'vintage', 'model_role, driver, cohort, metric, bin', '',
    'how good the models are on what they have not seen, one row for each measure', $$
SELECT s.model_id AS model_id,  --: number of the models whose kinds were measured
       q.model_role AS model_role,  --: purchase, contract or churn
       q.kind AS kind,  --: kind of model, as glance() names it
       q.method AS method,  --: how it was measured: holdout (days after those it was fitted to), fitted a window earlier, fitted to other customers
       q.driver AS driver,  --: evaluator whose scores the model of churn reads; NULL for other models
       q.cohort AS cohort,  --: cohort whose customers were predicted; NULL: all customers
       q.metric AS metric,  --: what was measured; the page on the mart explains each
       q.bin AS bin,  --: number of the class, period or bin, from 1; NULL where there is one value only
       q.bin_label AS bin_label,  --: repeat purchases of the class, last day of the period, or predictions in the bin
       q.value AS value,  --: its value: counts, shares (0 to 1), errors as shares (0.05 is 5 percent too much), spend in currency
       q.conf_low AS conf_low,  --: lower end of its 95 percent interval, where there is one
       q.conf_high AS conf_high,  --: upper end of its 95 percent interval, where there is one
       q.n AS n,  --: customers, contracts or purchases it was measured on (count)
       q.verdict AS verdict  --: what to think of it, in words
FROM {store}.build AS s
CROSS JOIN (
    SELECT NULL::text AS model_role, NULL::text AS kind, NULL::text AS method, NULL::text AS driver,
           NULL::text AS cohort, NULL::text AS metric, NULL::bigint AS bin,
           NULL::text AS bin_label, NULL::float8 AS value, NULL::float8 AS conf_low, NULL::float8 AS conf_high,
           NULL::bigint AS n, NULL::text AS verdict WHERE false
$$ || regexp_replace($$
    UNION ALL (
        -- the kind of model in use, fitted to the days before the holdout, which is the horizon or a third of the span
        WITH cut AS MATERIALIZED (
            SELECT s.model_id, s.unit, s.as_of, s.as_of - d.days AS calibration, d.days, s.min_cohort_size, m.kind
            FROM {store}.build AS s
            CROSS JOIN (SELECT min(ordered_on) AS first_on FROM {store}.source_order WHERE isfinite(ordered_on)) AS o
            CROSS JOIN LATERAL (SELECT least(s.horizon_days, (s.as_of - o.first_on) / 3)) AS d (days)
            CROSS JOIN LATERAL (SELECT g.kind FROM {store}.model_history AS h
                                CROSS JOIN LATERAL {clv}.glance(h.model) AS g
                                WHERE h.model_id = s.model_id AND h.role = 'purchase' AND h.cohort IS NULL LIMIT 1) AS m
            WHERE d.days >= 7
        ), part AS MATERIALIZED (
            SELECT p.cohort, {clv}.holdout_sample(p.purchases, c.calibration, c.as_of, c.unit) AS holdout,
                   {clv}.clv_sample(p.purchases, c.calibration, c.unit) AS times,
                   {clv}.spend_sample(p.purchases, c.calibration) AS spends,
                   {clv}.calendar_sample(p.purchases) AS calendar,
                   count(*) FILTER (WHERE {clv}.tenure(p.purchases, c.calibration) >= 0) AS customers,
                   count(*) FILTER (WHERE {clv}.repeat_purchases(p.purchases, c.calibration) > 0) AS repeaters
            FROM {store}.person AS p CROSS JOIN cut AS c GROUP BY p.cohort
        ), whole AS MATERIALIZED (
            SELECT {clv}.clv_sample(p.holdout) AS holdout, {clv}.clv_sample(p.times) AS times,
                   {clv}.clv_sample(p.spends) AS spends,
                   {clv}.clv_sample(p.calendar) AS calendar
            FROM part AS p HAVING sum(p.repeaters) >= 10
        ), fit AS MATERIALIZED (
            SELECT CASE c.kind WHEN 'pareto_nbd' THEN {clv}.pareto_nbd_fit(w.times)
                               WHEN 'mbgnbd' THEN {clv}.mbgnbd_fit(w.times)
                               WHEN 'bgnbd' THEN {clv}.bgnbd_fit(w.times) END AS model,
                   {clv}.gamma_gamma_fit(w.spends) AS spend
            FROM whole AS w CROSS JOIN cut AS c
        ), test AS MATERIALIZED (
            SELECT h.cohort, b.*
            FROM fit AS f
            -- a spend model without a mean predicts nothing, and each call would say so
            CROSS JOIN LATERAL (SELECT CASE WHEN {clv}.coef(f.spend, 'q') > 1 THEN f.spend END AS spend) AS g
            CROSS JOIN (SELECT NULL::text AS cohort, w.holdout FROM whole AS w
                        UNION ALL SELECT p.cohort, p.holdout FROM part AS p CROSS JOIN cut AS c
                            WHERE p.customers >= c.min_cohort_size) AS h
            CROSS JOIN LATERAL {clv}.backtest(h.holdout, f.model, g.spend) AS b
        ), track AS MATERIALIZED (
            SELECT t.period_end, row_number() OVER (ORDER BY t.period_start) AS bin,
                   sum(t.actual) OVER (ORDER BY t.period_start) AS actual,
                   sum(t.expected) OVER (ORDER BY t.period_start) AS expected
            FROM cut AS c CROSS JOIN whole AS w CROSS JOIN fit AS f
            CROSS JOIN LATERAL {clv}.tracking(w.calendar, f.model, CASE WHEN c.days > 120 THEN 'month' ELSE 'week' END,
                                              c.as_of) AS t
            WHERE t.period_start > c.calibration
        ), line (cohort, metric, bin, bin_label, value, n, is_error, is_spend) AS (
            SELECT t.cohort, l.metric, NULL::bigint, NULL::text, l.value, t.customers, l.is_error, l.is_spend
            FROM test AS t
            CROSS JOIN LATERAL (VALUES
                ('actual_purchases', t.actual_purchases::float8, false, false),
                ('predicted_purchases', t.predicted_purchases, false, false),
                ('purchase_error', t.predicted_purchases / nullif(t.actual_purchases, 0) - 1, true, false),
                ('mae', t.mae, false, false),
                ('rmse', t.rmse, false, false), ('actual_spend', t.actual_spend, false, true),
                ('predicted_spend', t.predicted_spend, false, true),
                ('spend_error', t.predicted_spend / nullif(t.actual_spend, 0) - 1, true, true),
                ('top_decile_share', t.top_decile_share, false, false),
                ('top_decile_possible', t.top_decile_possible, false, false)
            ) AS l (metric, value, is_error, is_spend)
            UNION ALL
            SELECT NULL, l.metric, c.bin, c.class, l.value, c.customers, false, false
            FROM whole AS w CROSS JOIN fit AS f
            CROSS JOIN LATERAL (SELECT row_number() OVER () AS bin, k.*
                                FROM {clv}.backtest_classes(w.holdout, f.model) AS k) AS c
            CROSS JOIN LATERAL (VALUES ('class_actual', c.actual_per_customer),
                                ('class_predicted', c.predicted_per_customer)) AS l (metric, value)
            UNION ALL
            SELECT NULL, l.metric, t.bin, t.period_end::text, l.value, t.actual::bigint, false, false
            FROM track AS t CROSS JOIN LATERAL (VALUES ('tracking_actual', t.actual::float8),
                                                ('tracking_expected', t.expected)) AS l (metric, value)
            UNION ALL
            (SELECT NULL, 'tracking_error', NULL, t.period_end::text, t.expected / nullif(t.actual::float8, 0) - 1,
                    t.actual::bigint, true, false
             FROM track AS t ORDER BY t.bin DESC LIMIT 1)
        )
        SELECT 'purchase'::text AS model_role, c.kind, 'holdout'::text AS method, NULL::text AS driver, l.cohort,
               l.metric, l.bin, l.bin_label,
               l.value, NULL::float8 AS conf_low, NULL::float8 AS conf_high, l.n,
               CASE WHEN l.is_error THEN
                   CASE WHEN abs(l.value) < 0.005 THEN 'as it came'
                        ELSE format('%s percent too %s predicted', round(100 * abs(l.value)),
                                    CASE WHEN l.is_spend THEN CASE WHEN l.value > 0 THEN 'much' ELSE 'little' END
                                         WHEN l.value > 0 THEN 'many' ELSE 'few' END) END
                   || CASE WHEN abs(l.value) <= 0.1 THEN '' WHEN abs(l.value) <= 0.25 THEN ': budget with care'
                       ELSE ': do not budget with it' END
               END AS verdict
        FROM line AS l CROSS JOIN cut AS c WHERE l.value IS NOT NULL
    )
$$, '$', ' --? orders', 'gn') || regexp_replace($$
    UNION ALL (
        -- of the contracts open at the beginning of the holdout, how many were renewed k times more
        WITH cut AS MATERIALIZED (
            SELECT s.as_of, s.as_of - d.days AS calibration, m.kind, m.unit,
                   CASE m.unit WHEN 'day' THEN interval '1 day' WHEN 'week' THEN interval '7 days'
                               WHEN 'year' THEN interval '1 year' ELSE interval '1 month' END AS step
            FROM {store}.build AS s
            CROSS JOIN (SELECT min(started_on) AS first_on FROM {store}.source_contract WHERE isfinite(started_on)) AS o
            CROSS JOIN LATERAL (SELECT least(s.horizon_days, (s.as_of - o.first_on) / 3)) AS d (days)
            CROSS JOIN LATERAL (SELECT g.kind, coalesce(g.unit, 'month') AS unit FROM {store}.model_history AS h
                                CROSS JOIN LATERAL {clv}.glance(h.model) AS g
                                WHERE h.model_id = s.model_id AND h.role = 'contract' AND h.cohort IS NULL LIMIT 1) AS m
            WHERE d.days >= 7
        ), contract AS MATERIALIZED (
            SELECT t.started_on, t.ended_on FROM {store}.source_contract AS t CROSS JOIN cut AS c
            WHERE t.started_on <= c.calibration AND isfinite(t.started_on)
                AND (t.ended_on IS NULL OR t.ended_on > t.started_on)
        ), fit AS MATERIALIZED (
            SELECT CASE c.kind WHEN 'sbg' THEN {clv}.sbg_fit(r.sample)
                        WHEN 'bdw' THEN {clv}.bdw_fit(r.sample) END AS model
            FROM cut AS c CROSS JOIN (
                SELECT {clv}.renewal_sample(t.started_on, t.ended_on, c.calibration, c.unit) AS sample,
                       count(*) FILTER (WHERE t.ended_on <= c.calibration) AS ended, count(*) AS contracts
                FROM contract AS t CROSS JOIN cut AS c
            ) AS r
            WHERE r.ended >= 10 AND r.contracts - r.ended >= 10
        ), open AS MATERIALIZED (
            SELECT t.started_on, t.ended_on,
                   -- a contract of 31 January renews on the last day of February, which age() does not see
                   CASE c.unit WHEN 'day' THEN c.calibration - t.started_on
                               WHEN 'week' THEN (c.calibration - t.started_on) / 7
                               ELSE n + (t.started_on + (n + 1) * c.step <= c.calibration)::int END AS tenure
            FROM contract AS t CROSS JOIN cut AS c
            CROSS JOIN LATERAL (SELECT age(c.calibration, t.started_on)) AS a (age)
            CROSS JOIN LATERAL (
                SELECT CASE c.unit WHEN 'year' THEN extract(year FROM a.age)
                                   ELSE 12 * extract(year FROM a.age) + extract(month FROM a.age) END::int
            ) AS w (n)
            WHERE t.ended_on IS NULL OR t.ended_on > c.calibration
        ), period AS (
            SELECT k, (c.calibration + k * c.step)::date AS day
            FROM cut AS c CROSS JOIN generate_series(1, 24) AS k WHERE c.calibration + k * c.step <= c.as_of
        ), left_after AS MATERIALIZED (
            SELECT o.tenure, p.k, p.day, count(*) AS n,
                   count(*) FILTER (WHERE coalesce(o.ended_on > o.started_on + (o.tenure + p.k) * c.step,
                                                   true)) AS there
            FROM open AS o CROSS JOIN period AS p CROSS JOIN cut AS c GROUP BY o.tenure, p.k, p.day
        ), at AS (
            SELECT l.k, l.day, sum(l.n)::bigint AS n, sum(l.there)::bigint AS there,
                   sum(l.n * (1 - {clv}.churn_risk(f.model, l.tenure, l.k)))::float8 / sum(l.n)::float8 AS predicted
            FROM left_after AS l CROSS JOIN fit AS f WHERE f.model IS NOT NULL GROUP BY l.k, l.day
        )
        SELECT 'contract'::text AS model_role, c.kind, 'holdout'::text AS method, NULL::text AS driver,
               NULL::text AS cohort, m.metric, a.k::bigint AS bin,
               to_char(a.day, 'YYYY-MM-DD') AS bin_label, m.value, m.conf_low,
               m.conf_high, a.n,
               CASE WHEN m.metric = 'survival_actual' THEN NULL
                    WHEN a.predicted > w.conf_high THEN 'more renewals predicted than came'
                    WHEN a.predicted < w.conf_low THEN 'fewer renewals predicted than came'
                    ELSE 'as it came, within chance' END AS verdict
        FROM at AS a CROSS JOIN cut AS c CROSS JOIN LATERAL {clv}.wilson_interval(a.there, a.n) AS w
        CROSS JOIN LATERAL (VALUES
            ('survival_actual', w.estimate, w.conf_low, w.conf_high), ('survival_predicted', a.predicted, NULL, NULL)
        ) AS m (metric, value, conf_low, conf_high)
    )
$$, '$', ' --? subscriptions', 'gn') || regexp_replace($$
    UNION ALL (
        -- fitted to the landmark before where there is one, else to one half of the customers and measured on the other
        WITH plan AS MATERIALIZED (
            SELECT m.driver, k.customers, b.enough AS in_time,
                   CASE WHEN b.enough THEN 3 + cardinality(k.channels) ELSE cardinality(k.terms) END AS columns
            FROM {store}.build AS s JOIN {store}.churn_model_history AS m ON m.model_id = s.model_id
            CROSS JOIN {store}.exposure_control AS k
            CROSS JOIN LATERAL (
                SELECT count(*) FILTER (WHERE x.churned) >= 10 AND count(*) FILTER (WHERE NOT x.churned) >= 10
                           AND min(x.x[1]) < max(x.x[1]) AND count(*) >= 200
                FROM {store}.exposure_before AS x WHERE x.evaluator = m.driver
            ) AS b (enough)
        ), fit AS MATERIALIZED (
            SELECT p.*, {clv}.logit_fit(t.sample) AS model
            FROM plan AS p
            CROSS JOIN LATERAL (
                SELECT {clv}.regression_sample(x.churned, x.x) AS sample FROM {store}.exposure_before AS x
                WHERE p.in_time AND x.evaluator = p.driver AND x.lot >> 1 < 32768 * (1e6 / greatest(p.customers, 1e6))
                UNION ALL
                SELECT CASE WHEN count(*) FILTER (WHERE x.churned) >= 10 AND count(*) FILTER (WHERE NOT x.churned) >= 10
                            THEN {clv}.regression_sample(x.churned, x.x) END FROM {store}.exposure AS x
                WHERE NOT p.in_time AND x.evaluator = p.driver AND x.lot & 1 = 0
                    AND x.lot >> 1 < 32768 * (1e6 / greatest(p.customers, 1e6))
            ) AS t
            WHERE t.sample IS NOT NULL
        ), seen AS MATERIALIZED (
            SELECT f.driver, f.in_time, h.sample
            FROM fit AS f
            CROSS JOIN LATERAL (
                SELECT {clv}.prediction_sample({clv}.predict(f.model, x.x[:f.columns]), x.churned) AS sample,
                       count(*) FILTER (WHERE x.churned) AS churned,
                       count(*) FILTER (WHERE NOT x.churned) AS stayed
                FROM {store}.exposure AS x WHERE x.evaluator = f.driver AND (f.in_time OR x.lot & 1 = 1)
            ) AS h
            WHERE f.model IS NOT NULL AND h.churned >= 10 AND h.stayed >= 10
        ), line AS (
            SELECT s.driver, s.in_time,
                   CASE q.measure WHEN 'mean_predicted' THEN 'predicted_share' WHEN 'mean_happened' THEN 'actual_share'
                                  ELSE q.measure END AS metric,
                   NULL::bigint AS bin, NULL::text AS bin_label, q.estimate AS value, q.conf_low, q.conf_high,
                   q.n::bigint AS n,
                   CASE WHEN q.measure = 'auc' AND q.conf_low <= 0.5 THEN 'no ranking beyond chance'
                        WHEN q.measure = 'auc' AND q.estimate < 0.7
                        THEN 'a weak ranking: do not choose by it whom to call'
                        WHEN q.measure = 'auc' AND q.estimate < 0.8 THEN 'a fair ranking'
                        WHEN q.measure = 'auc' THEN 'a good ranking'
                        WHEN q.measure = 'mean_predicted' AND q.estimate > q.high
                        THEN 'more predicted to leave than left'
                        WHEN q.measure = 'mean_predicted' AND q.estimate < q.low
                        THEN 'fewer predicted to leave than left'
                        WHEN q.measure = 'mean_predicted' THEN 'as many as left, within chance'
                        WHEN q.measure = 'brier_skill' AND q.estimate <= 0
                        THEN 'no better than the same probability for everybody'
                        WHEN q.measure = 'calibration_slope' AND q.conf_high < 1 THEN 'predictions are too extreme'
                        WHEN q.measure = 'calibration_slope' AND q.conf_low > 1 THEN 'predictions are too timid'
                        WHEN q.measure = 'calibration_slope' AND q.conf_low IS NOT NULL
                        THEN 'neither too extreme nor too timid, within chance' END AS verdict
            FROM seen AS s
            CROSS JOIN LATERAL (
                SELECT p.*, max(p.estimate) FILTER (WHERE p.measure = 'n') OVER () AS n,
                       max(p.conf_low) FILTER (WHERE p.measure = 'mean_happened') OVER () AS low,
                       max(p.conf_high) FILTER (WHERE p.measure = 'mean_happened') OVER () AS high
                FROM {clv}.prediction_quality(s.sample) AS p
            ) AS q
            WHERE q.measure IN ('mean_predicted', 'mean_happened', 'auc', 'brier', 'brier_skill', 'log_loss',
                                'calibration_slope', 'calibration_in_the_large', 'expected_calibration_error')
            UNION ALL
            SELECT s.driver, s.in_time, m.metric, c.bin,
                   format('%s to %s', round(c.lowest::numeric, 3), round(c.highest::numeric, 3)), m.value, m.conf_low,
                   m.conf_high, c.n, m.verdict
            FROM seen AS s CROSS JOIN LATERAL {clv}.calibration_table(s.sample) AS c
            CROSS JOIN LATERAL (VALUES
                ('calibration_predicted', c.mean_predicted, NULL, NULL,
                 CASE WHEN c.mean_predicted > c.conf_high THEN 'more predicted to leave than left'
                      WHEN c.mean_predicted < c.conf_low THEN 'fewer predicted to leave than left'
                      ELSE 'as many as left, within chance' END),
                ('calibration_actual', c.happened_share, c.conf_low, c.conf_high, NULL)
            ) AS m (metric, value, conf_low, conf_high, verdict)
        )
        SELECT 'churn'::text AS model_role, 'logit'::text AS kind,
               CASE WHEN l.in_time THEN 'fitted a window earlier' ELSE 'fitted to other customers' END AS method,
               l.driver, NULL::text AS cohort, l.metric, l.bin, l.bin_label, l.value, l.conf_low, l.conf_high, l.n,
               l.verdict
        FROM line AS l WHERE l.value IS NOT NULL
    )
$$, '$', ' --? scores', 'gn') || $$
) AS q
$$),
('relation_drift', 'vintage', 'driver', 'scores',
    'whether scores and leaving still go together as they did a window earlier', $$
-- straight lines, whose slopes can be compared where those of logits cannot; who is there both times is drawn into one
-- of them
SELECT d.model_id AS model_id,  --: number of the models of which this was found
       d.driver AS driver,  --: the evaluator
       d.earlier_on AS earlier_on,  --: landmark of the earlier period (date)
       d.landmark_on AS landmark_on,  --: landmark of the later period (date)
       d.window_days::bigint AS window_days,  --: days after each landmark in which customers left or stayed
       d.customers_before AS customers_before,  --: customers of the earlier period; a customer counts in one of the two (count)
       d.customers_now AS customers_now,  --: customers of the later period (count)
       d.before AS effect_before,  --: change of the probability to leave by one point of the score, given tenure, purchases and channel, in the earlier period
       d.after AS effect_now,  --: the same in the later period
       d.difference AS effect_change,  --: effect_now less effect_before
       d.conf_low AS conf_low,  --: lower end of its 95 percent interval
       d.conf_high AS conf_high,  --: upper end of its 95 percent interval
       d.p_value AS p_value,  --: probability of as much by chance if nothing changed (0 to 1)
       d.adjusted_p AS adjusted_p,  --: the same allowing for the number of evaluators (Holm)
       d.psi AS psi,  --: stability index of the scores by the landmark and since: below 0.1 is stable, above 0.25 a shift
       d.psi_p_value AS psi_p_value,  --: probability of as large an index by chance (0 to 1)
       concat_ws('; ',
           CASE WHEN d.adjusted_p IS NULL THEN 'effects cannot be compared'
                WHEN d.adjusted_p >= 0.05 THEN 'no change of the effect beyond noise'
                WHEN d.before * d.after < 0 THEN 'the effect changed its sign'
                WHEN abs(d.after) < abs(d.before) THEN 'the effect is weaker than it was'
                ELSE 'the effect is stronger than it was' END,
           CASE WHEN d.psi >= 0.1 AND d.psi_p_value < 0.05
                THEN 'scores are distributed otherwise: other customers or contacts, or another version of the evaluator' END)
           AS verdict  --: what to think of it, in words
FROM (
    SELECT s.model_id, v.evaluator AS driver, w.earlier_on, w.landmark_on, w.window_days,
           b.customers AS customers_before, a.customers AS customers_now, c.*,
           {clv}.holm(c.p_value) OVER () AS adjusted_p, i.psi, i.p_value AS psi_p_value
    FROM {store}.build AS s CROSS JOIN {store}.exposure_window AS w CROSS JOIN {store}.exposure_control AS k
    CROSS JOIN {store}.exposure_evaluator AS v
    CROSS JOIN LATERAL (
        SELECT count(*) AS customers, count(*) FILTER (WHERE x.churned) AS churned, min(x.x[1]) AS lowest,
               max(x.x[1]) AS highest,
               {clv}.regression_sample(x.churned, x.x)
                   FILTER (WHERE x.lot >> 1 < 32768 * (1e6 / greatest(k.customers, 1e6))) AS sample
        FROM {store}.exposure_before AS x
        LEFT JOIN {store}.exposure AS y ON y.customer_id = x.customer_id AND y.evaluator = x.evaluator
        WHERE x.evaluator = v.evaluator AND (x.lot & 1 = 0 OR y.lot IS NULL)
    ) AS b
    CROSS JOIN LATERAL (
        SELECT count(*) AS customers, count(*) FILTER (WHERE x.churned) AS churned, min(x.x[1]) AS lowest,
               max(x.x[1]) AS highest,
               {clv}.regression_sample(x.churned, x.x[:3 + cardinality(k.channels)])
                   FILTER (WHERE x.lot >> 1 < 32768 * (1e6 / greatest(k.customers, 1e6))) AS sample
        FROM {store}.exposure AS x
        LEFT JOIN {store}.exposure_before AS y ON y.customer_id = x.customer_id AND y.evaluator = x.evaluator
        WHERE x.evaluator = v.evaluator AND (x.lot & 1 = 1 OR y.lot IS NULL)
    ) AS a
    CROSS JOIN LATERAL (
        SELECT CASE WHEN e.enough THEN {clv}.lm_fit(b.sample, 'HC3') END AS before,
               CASE WHEN e.enough THEN {clv}.lm_fit(a.sample, 'HC3') END AS after
        FROM (SELECT least(b.churned, b.customers - b.churned, a.churned, a.customers - a.churned) >= 10 AND
                     least(b.customers, a.customers) >= 50 AND b.lowest < b.highest AND a.lowest < a.highest
             ) AS e (enough)
        OFFSET 0
    ) AS f
    CROSS JOIN LATERAL {clv}.coefficient_drift(f.before, f.after, 'x1') AS c
    -- ten bins of the scale; one that is empty by the landmark or since joins the one below
    LEFT JOIN LATERAL (
        SELECT array_agg(m.before ORDER BY m.bin) AS before, array_agg(m.since ORDER BY m.bin) AS since
        FROM (
            SELECT n.bin, sum(n.before)::bigint AS before, sum(n.since)::bigint AS since
            FROM (SELECT greatest(1, count(*) FILTER (WHERE o.before > 0 AND o.since > 0) OVER (ORDER BY o.bin)) AS bin,
                         o.before, o.since
                  FROM (SELECT least(width_bucket(e.score, v.lowest, v.highest, 10), 10) AS bin,
                               count(*) FILTER (WHERE (e.at AT TIME ZONE 'UTC')::date <= w.landmark_on) AS before,
                               count(*) FILTER (WHERE (e.at AT TIME ZONE 'UTC')::date > w.landmark_on) AS since
                        FROM {store}.exposure_score AS h CROSS JOIN LATERAL {clv}.interactions(h.scores) AS e
                        WHERE h.evaluator = v.evaluator GROUP BY 1) AS o) AS n
            GROUP BY n.bin
        ) AS m
        HAVING count(*) > 1 AND min(m.before) > 0 AND min(m.since) > 0
    ) AS t ON true
    LEFT JOIN LATERAL {clv}.psi(t.before, t.since) AS i ON true
    WHERE w.earlier_on IS NOT NULL AND v.role IS DISTINCT FROM 'outcome' AND v.lowest < v.highest
) AS d
$$),
('coverage', 'generation', 'part, evaluator, dimension, item', 'scores | contacts !scores',
    'for whom scores and contacts speak', $$
-- scores, contacts and customers are read once each and meet as one row for each customer; who is not covered is
-- everybody less those who are
WITH fact AS MATERIALIZED (
    SELECT p.customer_id, p.cohort, coalesce(p.channel, 'not known') AS channel,
           {clv}.tenure(p.history, s.as_of)::float8 AS tenure,
           {clv}.purchases(p.history, s.as_of)::float8 AS purchases,
           {clv}.total_spend(p.history, s.as_of)::float8 AS spend,
           {clv}.days_since_last(p.history, s.as_of)::float8 AS days_since_last
    FROM {store}.generation AS s CROSS JOIN {store}.person AS p WHERE s.generation = {g}
),
score AS ( --? scores
    SELECT n.customer_id, array_agg(n.evaluator) || 'any score'::text AS evaluators, --? scores
           array_agg(n.n) || sum(n.n)::bigint AS counts --? scores
    FROM (SELECT e.customer_id, e.name AS evaluator, count(*) AS n --? scores
          FROM {store}.generation AS s CROSS JOIN {store}.source_score AS e --? scores
          WHERE s.generation = {g} AND e.name IS NOT NULL AND e.score IS NOT NULL --? scores
              AND e.evaluated_at < (s.as_of + 1)::timestamp AT TIME ZONE {zone} --? scores
          GROUP BY e.customer_id, e.name) AS n --? scores
    GROUP BY n.customer_id --? scores
), --? scores
contact AS ( --? contacts
    SELECT n.customer_id, array_agg(n.channel) AS channels, array_agg(n.n) AS counts, --? contacts
           array_agg(n.resolved) AS resolved, sum(n.n)::bigint AS total --? contacts
    FROM (SELECT i.customer_id, coalesce(i.channel, 'not known') AS channel, --? contacts
                 count(*) AS n, count(i.resolved) AS resolved --? contacts
          FROM {store}.generation AS s CROSS JOIN {store}.source_interaction AS i --? contacts
          WHERE s.generation = {g} AND i.started_at < (s.as_of + 1)::timestamp AT TIME ZONE {zone} --? contacts
          GROUP BY 1, 2) AS n --? contacts
    GROUP BY n.customer_id --? contacts
), --? contacts
seen AS MATERIALIZED (
    SELECT f.customer_id IS NOT NULL AS is_known, f.cohort, f.channel, f.tenure, f.purchases, f.spend,
           f.days_since_last,
           c.channels, c.counts, c.resolved, --? contacts
           '{}'::text[] || e.evaluators --? scores
           '{}'::text[] --? !scores
               || CASE WHEN c.total > 0 THEN ARRAY['any contact'] END --? contacts
               AS evaluators,
           '{}'::bigint[] || e.counts --? scores
           '{}'::bigint[] --? !scores
               || CASE WHEN c.total > 0 THEN ARRAY[c.total] END --? contacts
               AS totals
    FROM fact AS f
    FULL JOIN score AS e ON e.customer_id = f.customer_id --? scores
    FULL JOIN contact AS c ON c.customer_id = coalesce(f.customer_id, e.customer_id) --? scores contacts
    FULL JOIN contact AS c ON c.customer_id = f.customer_id --? contacts !scores
),
-- customers by evaluator; those without one are everybody: how many, and of four columns how many are known, sum and
-- sum of squares
part AS MATERIALIZED (
    SELECT u.evaluator, n.cohort, n.channel, count(*) AS customers, sum(u.total) AS scores,
           ARRAY[count(n.tenure), count(n.purchases), count(n.spend), count(n.days_since_last)]::float8[] AS known,
           ARRAY[sum(n.tenure), sum(n.purchases), sum(n.spend), sum(n.days_since_last)] AS sums,
           ARRAY[sum(n.tenure * n.tenure), sum(n.purchases * n.purchases), sum(n.spend * n.spend),
                 sum(n.days_since_last * n.days_since_last)] AS squares
    FROM seen AS n
    CROSS JOIN LATERAL (SELECT NULL, 0 UNION ALL SELECT * FROM unnest(n.evaluators, n.totals)) AS u (evaluator, total)
    WHERE n.is_known GROUP BY 1, 2, 3
),
given AS MATERIALIZED (
    SELECT e.evaluator, sum(e.total)::bigint AS n
    FROM (SELECT u.evaluator, u.total
          FROM seen AS n CROSS JOIN LATERAL unnest(n.evaluators, n.totals) AS u (evaluator, total)
          UNION ALL SELECT 'any score', 0 --? scores
          UNION ALL SELECT 'any contact', 0 --? contacts
    ) AS e GROUP BY e.evaluator
),
channel AS MATERIALIZED ( --? contacts
    SELECT u.channel, coalesce(sum(u.n), 0)::bigint AS n, coalesce(sum(u.resolved), 0)::bigint AS resolved, --? contacts
           coalesce(sum(u.n) FILTER (WHERE s.is_known), 0)::bigint AS known --? contacts
    FROM seen AS s CROSS JOIN LATERAL unnest(s.channels, s.counts, s.resolved) AS u (channel, n, resolved) --? contacts
    GROUP BY ROLLUP (u.channel) --? contacts
), --? contacts
moment AS (
    SELECT m.evaluator, m.name, m.position, m.n, m.total, m.total / nullif(m.n, 0) AS mean, m.squares
    FROM (SELECT p.evaluator, c.name, c.position, sum(p.known[c.position]) AS n,
                 sum(coalesce(p.sums[c.position], 0)) AS total, sum(coalesce(p.squares[c.position], 0)) AS squares
          FROM part AS p CROSS JOIN (VALUES ('tenure', 1), ('purchases', 2), ('total_spend', 3), ('days_since_last', 4))
              AS c (name, position)
          GROUP BY 1, 2, 3) AS m
)
SELECT c.part AS part,  --: customers (who has a score or contact), matching (scores and contacts of known customers), contacts (those with a resolution), balance (are covered customers like the others)
       c.evaluator AS evaluator,  --: whose scores: an evaluator, any score, or any contact
       c.dimension AS dimension,  --: by what the row is one of several: all, cohort, channel; of balance: what is compared
       c.item AS item,  --: which cohort or channel; of balance the unit of the means
       c.n AS n,  --: customers, scores or contacts up to as_of (count)
       c.covered AS covered,  --: of these, how many have a score, a contact or a known customer, as part says (count)
       c.covered::float8 / nullif(c.n, 0) AS share,  --: covered as a share of n (0 to 1)
       c.covered_mean AS covered_mean,  --: of balance: mean of the customers who are covered, in the unit of item
       c.uncovered_mean AS uncovered_mean,  --: of balance: mean of those who are not
       c.difference AS difference,  --: of balance: covered_mean less uncovered_mean, in standard deviations
       abs(c.difference) > 0.1 AS flagged  --: of balance: whether that is more than 0.1 in either direction
FROM (
    SELECT 'customers'::text AS part, g.evaluator, d.dimension, d.item,
           sum(p.customers) FILTER (WHERE p.evaluator IS NULL)::bigint AS n,
           coalesce(sum(p.customers) FILTER (WHERE p.evaluator = g.evaluator), 0)::bigint AS covered,
           NULL::float8 AS covered_mean, NULL::float8 AS uncovered_mean, NULL::float8 AS difference
    FROM given AS g JOIN part AS p ON p.evaluator = g.evaluator OR p.evaluator IS NULL
    CROSS JOIN LATERAL (
        SELECT 'all'::text, 'all'::text
        UNION ALL SELECT 'cohort', p.cohort
        UNION ALL SELECT 'channel', p.channel --? customers.channel
    ) AS d (dimension, item)
    GROUP BY 1, 2, 3, 4
    UNION ALL
    SELECT 'matching', g.evaluator, 'all', 'all', g.n, coalesce(sum(p.scores), 0)::bigint, NULL, NULL, NULL
    FROM given AS g LEFT JOIN part AS p ON p.evaluator = g.evaluator GROUP BY g.evaluator, g.n
    UNION ALL --? interactions.channel
    SELECT 'matching', 'any contact', 'channel', c.channel, c.n, c.known, NULL, NULL, NULL --? interactions.channel
    FROM channel AS c WHERE c.channel IS NOT NULL --? interactions.channel
    UNION ALL --? interactions.resolved
    SELECT 'contacts', 'resolved', CASE WHEN c.channel IS NULL THEN 'all' ELSE 'channel' END, --? interactions.resolved
           coalesce(c.channel, 'all'), c.n, c.resolved, NULL, NULL, NULL --? interactions.resolved
    FROM channel AS c --? interactions.resolved
    WHERE c.channel IS NULL --? interactions.resolved !interactions.channel
    UNION ALL
    SELECT 'balance', y.evaluator, y.name,
           CASE y.name WHEN 'purchases' THEN 'count' WHEN 'total_spend' THEN 'currency' ELSE 'days' END,
           a.n::bigint, y.n::bigint, y.mean, z.mean,
           {clv}.standardized_difference(
               y.mean, CASE WHEN y.n > 1 THEN greatest(0, y.squares - y.n * y.mean ^ 2) / (y.n - 1) END,
               z.mean, CASE WHEN z.n > 1 THEN greatest(0, z.squares - z.n * z.mean ^ 2) / (z.n - 1) END)
    FROM moment AS y JOIN moment AS a ON a.evaluator IS NULL AND a.position = y.position
    CROSS JOIN LATERAL (SELECT a.n - y.n AS n, (a.total - y.total) / nullif(a.n - y.n, 0) AS mean,
                               a.squares - y.squares AS squares) AS z
    WHERE y.evaluator IS NOT NULL
) AS c
$$)) AS t (name, kind, keys, needs, about, definition)
CROSS JOIN LATERAL regexp_split_to_table(t.needs, ' \| ') AS n (needs)       -- one or the other
$mart$;
COMMENT ON FUNCTION clv_mart_drivers() IS
'internal: templates of the relations of a mart about drivers, lift, quality of models, coverage and drift';

-- ---- mart: refresh --------------------------------------------------------------------------------------------------
--
-- None of these names an object of the extension, which may move to another schema: what computes is in the views.
-- The procedure commits between steps, so it can have no SET clause; the functions have one, so that nothing in the
-- caller's search_path takes the place of what they call.

CREATE FUNCTION clv_mart_routines()
    RETURNS TABLE (name text, kind text, keys text, needs text, about text, definition text)
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 10
    AS $routines$
VALUES
('refuse_beside', 'statement', '', '', '', $$CREATE FUNCTION {store}.refuse_beside(by_whom text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    RAISE EXCEPTION 'the mart % is being refreshed', quote_ident({mart_name}) USING ERRCODE = 'lock_not_available',
        DETAIL = by_whom,
        HINT = 'Wait until it is done, see refresh_log and pg_stat_activity, or stop it by pg_cancel_backend().';
END $body$ $$),
('lock_mart', 'statement', '', '', '', $$CREATE FUNCTION {store}.lock_mart(wait boolean) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
-- Until the end of the transaction. Not a lock of the session: a statement_timeout would leave it behind.
DECLARE
    key bigint := (7105654::bigint << 32) | to_regnamespace(quote_ident({store_name}))::oid::bigint;
    owner integer;
BEGIN
    IF wait THEN
        PERFORM pg_advisory_xact_lock(key);
    ELSIF NOT pg_try_advisory_xact_lock(key) THEN
        SELECT l.pid INTO owner FROM pg_locks AS l
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
          AND (l.classid::bigint << 32) | l.objid::bigint = key
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database());
        PERFORM {store}.refuse_beside(format('By the process %s.', coalesce(owner::text, 'that has just ended')));
    END IF;
END $body$ $$),
('check_caller', 'statement', '', '', '', $$CREATE FUNCTION {store}.check_caller() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
-- Sources are read with the rights of the caller. Row-level security does not hold for a superuser, who would bring
-- into the mart what its owner must not see.
DECLARE
    owner text := (SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = {store_name});
BEGIN
    IF current_user <> owner AND (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user) THEN
        RAISE EXCEPTION 'the mart % belongs to another role', quote_ident({mart_name})
            USING ERRCODE = 'insufficient_privilege',
            DETAIL = format('It is %s; %s sees rows that row-level security may hide from it.',
                            quote_ident(owner), quote_ident(current_user)),
            HINT = format('SET ROLE %I; before.', owner);
    END IF;
END $body$ $$),
('last_run', 'statement', '', '', '', $$CREATE FUNCTION {store}.last_run() RETURNS {store}.run
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
-- The run before this one, which did not end if its session is gone, or does something else now: an error if it does
-- not.
DECLARE
    last {store}.run;
BEGIN
    SELECT * INTO last FROM {store}.run ORDER BY run_id DESC LIMIT 1;
    IF last.status = 'running' THEN
        IF last.pid <> pg_backend_pid() AND EXISTS (
            SELECT FROM pg_stat_activity AS a
            WHERE a.pid = last.pid AND coalesce(a.backend_start = last.backend_start, true)
                -- the state of others may be hidden, that they are in a transaction is not
                AND coalesce(a.state NOT LIKE 'idle%',
                             EXISTS (SELECT FROM pg_locks AS l WHERE l.pid = a.pid AND l.locktype = 'virtualxid'))) THEN
            PERFORM {store}.refuse_beside(format('By the process %s, since %s.', last.pid, last.started_at));
        END IF;
        UPDATE {store}.run SET status = 'aborted', finished_at = clock_timestamp()
        WHERE run_id = last.run_id RETURNING * INTO last;
    END IF;
    RETURN last;
END $body$ $$),
('day_to_build', 'statement', '', '', '', $$
CREATE FUNCTION {store}.day_to_build(wanted_day date, OUT day date, OUT currency text)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
-- The day that is asked for, or the last complete one of the data, and their currency.
DECLARE
    there {store}.data_end;
BEGIN
    SELECT * INTO there FROM {store}.data_end;
    IF there.other_currency IS NOT NULL THEN
        RAISE EXCEPTION 'orders are in several currencies' USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('There are %s and %s.', there.currency, there.other_currency),
            HINT = 'Make the source orders a view that converts amounts to one currency, or shows the orders of one.';
    END IF;
    IF there.as_of = '-infinity' THEN
        RAISE EXCEPTION 'the sources hold nothing up to yesterday' USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Fill them first; with build => false a mart can be made before.';
    END IF;
    day := coalesce(wanted_day, there.as_of);
    -- after the last order, too: one may know that nobody bought, and of contracts there is not one every day
    IF day > (now() AT TIME ZONE {zone})::date - 1
        OR NOT (false
                OR EXISTS (SELECT FROM {store}.source_order WHERE ordered_on <= day)  --? orders
                OR EXISTS (SELECT FROM {store}.source_contract WHERE started_on <= day)  --? subscriptions
        ) THEN
        RAISE EXCEPTION 'there are no data of that day' USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('as_of is %s; the last complete day of the data is %s.', day, there.as_of),
            HINT = 'Name a day up to yesterday, but not before the first order. See clv_check_sources() for what the sources hold.';
    END IF;
    currency := there.currency;
END $body$ $$),
('begin_run', 'statement', '', '', '', $$
CREATE FUNCTION {store}.begin_run(wanted_refit boolean, wanted_model bigint, wanted_day date) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
-- A new run, or the last one again if it did not end and was about the same day.
DECLARE
    s {store}.setting;
    last {store}.run;
    there record;
    installed text := (SELECT extversion FROM pg_extension WHERE extname = 'clv');
    newest bigint := (SELECT max(model_id) FROM {store}.run
                      WHERE refit AND status = 'done');     -- a refit that did not end left half a vintage
    this bigint;
BEGIN
    PERFORM {store}.check_caller();
    PERFORM {store}.lock_mart(false);
    SELECT * INTO s FROM {store}.setting;
    IF installed <> s.clv_version THEN
        RAISE EXCEPTION 'the mart % was made by clv %, and clv % is installed',
            quote_ident({mart_name}), s.clv_version, installed
            USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = format('SELECT clv_upgrade_mart(%L);', {mart_name});
    END IF;
    IF wanted_model IS NOT NULL
        AND (wanted_refit OR NOT EXISTS (SELECT FROM {store}.run
                                         WHERE refit AND status = 'done' AND model_id = wanted_model)) THEN
        RAISE EXCEPTION 'a refresh takes a model that was fitted before, or fits one'
            USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('Got model_id %s; the newest is %s.', wanted_model, coalesce(newest::text, 'none')),
            HINT = 'See model_id in the view model_quality.';
    END IF;
    last := {store}.last_run();
    SELECT * INTO there FROM {store}.day_to_build(wanted_day);
    wanted_day := there.day;
    IF last.status IN ('failed', 'aborted') AND last.as_of = wanted_day AND last.generation = s.building
        AND (last.refit OR NOT wanted_refit) AND (wanted_model IS NULL OR wanted_model = last.model_id) THEN
        UPDATE {store}.run SET status = 'running', finished_at = NULL, pid = pg_backend_pid(),
            backend_start = (SELECT a.backend_start FROM pg_stat_activity AS a WHERE a.pid = pg_backend_pid())
        WHERE run_id = last.run_id;
        RAISE NOTICE 'going on with run %, which did not end', last.run_id;
        RETURN last.run_id;
    END IF;
    wanted_refit := wanted_refit OR newest IS NULL;
    UPDATE {store}.setting SET building = CASE current WHEN 1 THEN 2 ELSE 1 END RETURNING * INTO s;
    UPDATE {store}.generation AS g SET filled = false, as_of = wanted_day,
        until = wanted_day + s.horizon_days, built_on = (now() AT TIME ZONE {zone})::date,
        -- a refit reads everything again: it may be months since the last one, and rows may have changed that are older
        -- than late_days
        cut = CASE WHEN wanted_refit OR s.late_days IS NULL OR s.current IS NULL THEN '-infinity'
                   ELSE least(wanted_day, (SELECT p.as_of FROM {store}.generation AS p WHERE p.generation = s.current))
                        - s.late_days - 1 END,
        model_id = CASE WHEN wanted_refit THEN coalesce((SELECT max(model_id) FROM {store}.run WHERE refit), 0) + 1
                        ELSE coalesce(wanted_model, newest) END,
        refreshed_at = NULL, currency = coalesce(there.currency, s.currency),
        resolution_name = 'resolution',  --? evaluations !interactions.resolved
        resolution_name = 'resolved',  --? interactions.resolved !evaluations
        resolution_name = CASE WHEN EXISTS (SELECT FROM {store}.source_score WHERE name = 'resolution') THEN 'resolution' ELSE 'resolved' END,  --? evaluations interactions.resolved
        horizon_days = s.horizon_days, annual_discount_rate = s.annual_discount_rate, margin = s.margin, unit = s.unit,
        purchase_model = s.purchase_model, min_cohort_size = s.min_cohort_size,
        lift = s.lift, lift_name = s.lift_name, target_ratio = s.target_ratio
    WHERE g.generation = s.building;
    -- no sequence: one that was made in a transaction that a crash follows may go back
    INSERT INTO {store}.run (run_id, status, started_at, generation, as_of, refit, model_id, pid, backend_start)
    SELECT coalesce((SELECT max(run_id) FROM {store}.run), 0) + 1, 'running', clock_timestamp(), g.generation, g.as_of,
           wanted_refit, g.model_id, pg_backend_pid(), a.backend_start
    FROM {store}.build AS g, pg_stat_activity AS a WHERE a.pid = pg_backend_pid() RETURNING run_id INTO this;
    -- one row each, which the planner would take for hundreds, and everything that joins them for as many times its
    -- size
    ANALYZE {store}.setting, {store}.generation;
    RETURN this;
END $body$ $$),
('clear_relation', 'statement', '', '', '', $$CREATE FUNCTION {store}.clear_relation(relation text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off SET quote_all_identifiers = off
    SET lock_timeout = '5ms' AS $body$
-- Empties what the idle generation still holds, so that the refresh has nothing to compare with. This takes a lock that
-- readers wait for, but for a moment: it is given up at once if somebody has it, and then the refresh compares.
BEGIN
    EXECUTE format('REFRESH MATERIALIZED VIEW %I.%I', {store_name},
                   relation || '_' || (SELECT building FROM {store}.setting));
EXCEPTION WHEN OTHERS THEN
    NULL;   -- a cancel is none of them
END $body$ $$),
('fill_relation', 'statement', '', '', '', $$CREATE FUNCTION {store}.fill_relation(relation text) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
-- CONCURRENTLY, as readers of the mart lock both generations, whichever they read. Nobody reads a mart that was never
-- filled.
DECLARE
    s {store}.setting;
    target text;
    n bigint;
BEGIN
    SELECT * INTO s FROM {store}.setting;
    target := format('%I.%I', {store_name}, relation || '_' || s.building);
    EXECUTE format('REFRESH MATERIALIZED VIEW %s %s', CASE WHEN s.current IS NULL THEN '' ELSE 'CONCURRENTLY' END,
                   target);
    EXECUTE format('ANALYZE %s', target);
    EXECUTE format('SELECT count(*) FROM %s', target) INTO n;
    RETURN n;
END $body$ $$),
('append_rows', 'statement', '', '', '', $$
CREATE FUNCTION {store}.append_rows(source text, target text) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
-- By the names of columns: those that an upgrade added stand at the end of the table.
DECLARE
    n bigint;
BEGIN
    EXECUTE (SELECT format('INSERT INTO %1$I.%2$I (%4$s) SELECT %4$s FROM %1$I.%3$I',
                           {store_name}, target, source, string_agg(quote_ident(a.attname), ', '))
             FROM pg_attribute AS a
             WHERE a.attrelid = format('%I.%I', {store_name}, source)::regclass AND a.attnum > 0);
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $body$ $$),
('store_histories', 'statement', '', '', '', $$CREATE FUNCTION {store}.store_histories(source text) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    n bigint;
BEGIN
    EXECUTE format('
        WITH changed AS MATERIALIZED (
            SELECT * FROM %1$I.%2$I
        ), gone AS (
            DELETE FROM %1$I.customer_history AS h USING changed AS c WHERE c.gone AND h.customer_id = c.customer_id
        )
        INSERT INTO %1$I.customer_history AS h (customer_id, purchases, order_counts, charges)
        SELECT customer_id, purchases, order_counts, charges FROM changed WHERE NOT gone
        ON CONFLICT (customer_id) DO UPDATE SET purchases = excluded.purchases, order_counts = excluded.order_counts, charges = excluded.charges',
        {store_name}, source);
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $body$ $$),
('empty_work', 'statement', '', '', '', $$CREATE FUNCTION {store}.empty_work() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
-- What a refit reads of single customers is not kept.
DECLARE
    relation text;
BEGIN
    FOR relation IN SELECT name FROM {store}.step WHERE action = 'work' LOOP
        EXECUTE format('REFRESH MATERIALIZED VIEW %I.%I WITH NO DATA', {store_name}, relation);
    END LOOP;
END $body$ $$),
('do_step', 'statement', '', '', '', $$CREATE FUNCTION {store}.do_step(step {store}.step) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off SET quote_all_identifiers = off
    SET client_min_messages = error AS $body$
-- Warnings of fits, one for each cohort, are in the log of the server; model_history.note says what was done about
-- them. Compiling large queries takes seconds each time, and gains nothing where the time goes into functions in C.
DECLARE
    n bigint;
BEGIN
    CASE step.action
    WHEN 'histories' THEN
        n := {store}.store_histories('merged_history');  --? customer_map
        n := {store}.store_histories('changed_history');
        ANALYZE {store}.customer_history;
        UPDATE {store}.generation SET filled = true WHERE generation = (SELECT building FROM {store}.setting);
    WHEN 'work' THEN
        EXECUTE format('REFRESH MATERIALIZED VIEW %I.%I', {store_name}, step.name);
        EXECUTE format('ANALYZE %I.%I', {store_name}, step.name);
        EXECUTE format('SELECT count(*) FROM %I.%I', {store_name}, step.name) INTO n;
    WHEN 'vintage' THEN
        n := {store}.append_rows('fitted_' || step.name, step.name || '_history');
        EXECUTE format('ANALYZE %I.%I', {store_name}, step.name || '_history');
    WHEN 'generation' THEN
        n := {store}.fill_relation(step.name);
    WHEN 'publish' THEN
        DELETE FROM {store}.cohort_value_history WHERE as_of = (SELECT as_of FROM {store}.build);
        n := {store}.append_rows('cohort_value_' || (SELECT building FROM {store}.setting), 'cohort_value_history');
        UPDATE {store}.generation SET refreshed_at = clock_timestamp()
        WHERE generation = (SELECT building FROM {store}.setting);
        UPDATE {store}.setting SET current = building, building = NULL;
        -- a dump restores materialized views by computing them: the one that nobody reads shall take no time
        UPDATE {store}.generation SET filled = false WHERE generation <> (SELECT current FROM {store}.setting);
        PERFORM {store}.empty_work();
    END CASE;
    RETURN n;
END $body$ $$),
('run_step', 'statement', '', '', '', $$
CREATE FUNCTION {store}.run_step(this bigint, in_transaction boolean, OUT step text,
                                 OUT rows bigint, OUT seconds float8, OUT problem text, OUT advice text)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
-- The next step of a run that is not done yet, with its entry in the log; all NULL if there is none. An error is
-- returned, as the entry would be lost with it, and not within one transaction, where the caller needs the error
-- itself.
DECLARE
    r {store}.run;
    next {store}.step;
    began timestamptz := clock_timestamp();
BEGIN
    PERFORM {store}.lock_mart(true);
    SELECT * INTO r FROM {store}.run WHERE run_id = this FOR UPDATE;
    IF r.status <> 'running' OR r.pid <> pg_backend_pid() THEN
        RAISE EXCEPTION 'run % was taken over by another refresh', this USING ERRCODE = 'object_in_use';
    END IF;
    SELECT s.* INTO next FROM {store}.step AS s
    WHERE NOT EXISTS (SELECT FROM {store}.run_step AS d WHERE d.run_id = this AND d.step = s.name AND d.status = 'done')
        AND (s.action NOT IN ('work', 'vintage') OR r.refit)
    ORDER BY s.number LIMIT 1;
    IF NOT FOUND THEN
        UPDATE {store}.run SET status = 'done', finished_at = clock_timestamp() WHERE run_id = this;
        RETURN;
    END IF;
    step := next.name;
    IF in_transaction THEN
        rows := {store}.do_step(next);
    ELSE
        BEGIN
            rows := {store}.do_step(next);
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS problem = MESSAGE_TEXT, advice = PG_EXCEPTION_DETAIL;
            UPDATE {store}.run SET status = 'failed', finished_at = clock_timestamp() WHERE run_id = this;
        END;
    END IF;
    seconds := extract(epoch FROM clock_timestamp() - began);
    INSERT INTO {store}.run_step VALUES (this, step, began, seconds, rows,
                                         CASE WHEN problem IS NULL THEN 'done' ELSE 'failed' END, problem);
END $body$ $$),
('refresh', 'statement', '', '', '', $$
CREATE PROCEDURE {mart}.refresh(refit boolean DEFAULT false, model_id bigint DEFAULT NULL,
                                as_of date DEFAULT NULL, in_transaction boolean DEFAULT false)
    LANGUAGE plpgsql AS $body$
DECLARE
    this bigint;
    relation text;
    s record;
BEGIN
    IF in_transaction IS NOT TRUE THEN
        COMMIT;     -- fails here, before any work, within a transaction
    END IF;
    this := {store}.begin_run(coalesce(refit, false), model_id, as_of);
    IF in_transaction IS NOT TRUE THEN
        COMMIT;
        FOREACH relation IN ARRAY ARRAY(SELECT t.name FROM {store}.step AS t
                                        WHERE t.action OPERATOR(pg_catalog.=) 'generation'
                                        AND NOT EXISTS (SELECT FROM {store}.run_step AS d
                                                        WHERE d.run_id OPERATOR(pg_catalog.=) this)) LOOP
            PERFORM {store}.clear_relation(relation);
            COMMIT;
        END LOOP;
    END IF;
    LOOP
        SELECT * INTO s FROM {store}.run_step(this, coalesce(in_transaction, false));
        IF in_transaction IS NOT TRUE THEN
            COMMIT;
        END IF;
        IF s.problem IS NOT NULL THEN
            RAISE EXCEPTION 'step % of the refresh failed: %', s.step, s.problem USING DETAIL = s.advice,
                HINT =
                    'The mart shows what it showed before. See refresh_log; the next refresh goes on with this step.';
        END IF;
        EXIT WHEN s.step IS NULL;
        RAISE NOTICE '%: % rows, % s', s.step, coalesce(s.rows::text, 'no'), pg_catalog.round(s.seconds::numeric, 1);
    END LOOP;
END $body$ $$),
('refresh', 'statement', '', '', '', $$COMMENT ON PROCEDURE {mart}.refresh(boolean, bigint, date, boolean) IS 'brings the mart up to date: histories, what is computed of them, and with refit => true (or where there is none yet) new models. model_id: an earlier model instead of the newest. as_of: the day, the last complete one of the data if not given. Commits between steps, so that it cannot be called within a transaction but with in_transaction => true, which then commits nothing itself. A refresh that stopped is gone on with by the next. Readers see the old state until all is done, and do not wait.'$$),
('forget', 'statement', '', '', '', $$CREATE FUNCTION {mart}.forget(VARIADIC customer_ids {id}[]) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off SET quote_all_identifiers = off AS $body$
DECLARE
    n bigint;
    left_in text;
BEGIN
    PERFORM {store}.lock_mart(false);
    PERFORM {store}.last_run();     -- an error between two steps of a refresh, too
    SELECT string_agg(DISTINCT r.relation, ', ') INTO left_in FROM (
        SELECT customer_id, 'orders' AS relation FROM {store}.source_order UNION ALL  --? orders
        SELECT customer_id, 'subscriptions' FROM {store}.source_contract UNION ALL  --? subscriptions
        SELECT customer_id, 'customers' FROM {store}.source_customer UNION ALL  --? customers
        SELECT customer_id, 'interactions' FROM {store}.source_interaction UNION ALL  --? interactions
        SELECT customer_id, 'evaluations' FROM {store}.source_score UNION ALL  --? evaluations.customer_id
        SELECT NULL, NULL WHERE false) AS r WHERE r.customer_id = ANY (customer_ids);
    IF left_in IS NOT NULL THEN
        RAISE EXCEPTION 'the sources still hold rows of such customers'
            USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = format('There are some in: %s.', left_in),
            HINT = 'Delete them there first, else the next refresh brings them back.';
    END IF;
    DELETE FROM {store}.customer_history WHERE customer_id = ANY (customer_ids);
    GET DIAGNOSTICS n = ROW_COUNT;
    -- a refit that stopped half-way holds scores of customers, and is not gone on with
    UPDATE {store}.setting SET building = NULL;
    PERFORM {store}.empty_work();
    UPDATE {store}.generation SET filled = false
    WHERE generation IS DISTINCT FROM (SELECT current FROM {store}.setting);
    -- computed again without these customers; the idle generation has filled = false and becomes empty
    REFRESH MATERIALIZED VIEW CONCURRENTLY {store}.customer_value_1;
    REFRESH MATERIALIZED VIEW CONCURRENTLY {store}.customer_value_2;
    RETURN n;
END $body$ $$),
('forget', 'statement', '', '', '', $$COMMENT ON FUNCTION {mart}.forget({id}[]) IS 'removes customers from everything the mart stores, and returns how many had a history. They must have been deleted in the sources first. What remains are numbers of many: parameters of models, totals of cohorts.'$$),
('step', 'statement', '', '', '', $$INSERT INTO {store}.step (name, action) VALUES ('publish', 'publish')$$),
('cohort_value_history', 'statement', '', '', '',
 $$CREATE TABLE IF NOT EXISTS {store}.cohort_value_history AS SELECT * FROM {store}.cohort_value_1 WITH NO DATA$$),
('cohort_value_history', 'statement', '', '', '',
 $$SELECT {clv}.clv_add_columns(format('%I.cohort_value_history', {store_name})::regclass,
                                format('%I.cohort_value_1', {store_name})::regclass)$$),
('cohort_value_history', 'statement', '', '', '',
 $$CREATE UNIQUE INDEX IF NOT EXISTS cohort_value_history_key ON {store}.cohort_value_history (as_of, cohort)$$),
('cohort_value_history', 'statement', '', '', '',
 $$COMMENT ON TABLE {store}.cohort_value_history IS 'cohort_value of every day of which there was a refresh'$$),
('cohort_value_history', 'statement', '', '', '',
 $$CREATE VIEW {mart}.cohort_value_history AS SELECT * FROM {store}.cohort_value_history$$),
('cohort_value_history', 'statement', '', '', '', $$COMMENT ON VIEW {mart}.cohort_value_history IS 'cohort_value of every day of which there was a refresh: value over time'$$),
('cohort_value_history', 'statement', '', '', '',
 $$SELECT {clv}.clv_copy_comments(format('%I.cohort_value', {mart_name})::regclass,
                                  format('%I.cohort_value_history', {mart_name})::regclass)$$),
('settings', 'published', '', '', 'one row: what the mart shows, and how it was computed', $$
SELECT g.as_of,  --: the day that everything is known up to
       g.until AS horizon_end,  --: the day up to which purchases and value are predicted
       g.horizon_days,  --: days from as_of to horizon_end
       coalesce(g.currency, s.currency) AS currency,  --: currency of all money; NULL if the sources do not tell
       {zone}::text AS time_zone,  --: time zone whose days are counted
       g.annual_discount_rate,  --: value of a year later is divided by 1 + this
       g.margin,  --: share of revenue that is margin, from 0 to 1
       g.unit,  --: time unit of the parameters of the models
       g.purchase_model,  --: model of purchases that was asked for
       g.min_cohort_size,  --: cohorts with fewer customers are drawn towards the others
       g.lift,  --: rise of a score whose value is in the view lift, from 0 to 1
       g.lift_name,  --: the score that cohort_value tells the value of
       g.target_ratio,  --: lifetime value that is wanted for each unit of acquisition cost
       s.late_days,  --: days behind the last refresh that are read again for late orders; NULL: all
       g.model_id,  --: number of the models in use
       g.refreshed_at,  --: moment of the last refresh
       {source_name}::text AS source_schema,  --: schema with the relations that are read
       s.clv_version  --: version of clv that made the mart
FROM {store}.setting AS s LEFT JOIN {store}.generation AS g ON g.generation = s.current$$),
('refresh_log', 'published', '', '', 'what refreshes did: one row for each step, and one for a run without steps', $$
SELECT r.run_id,  --: number of the refresh
       r.as_of,  --: the day it was about
       r.model_id,  --: number of its models
       r.refit,  --: whether models were fitted
       r.status AS run_status,  --: running, done, failed, or aborted: cancelled, or the connection was lost
       d.step,  --: what was done; NULL where no step ended
       d.started_at,  --: begin of the step
       d.seconds,  --: duration in seconds
       d.rows,  --: rows written
       d.status,  --: done or failed
       d.error  --: message of the error
FROM {store}.run AS r LEFT JOIN {store}.run_step AS d USING (run_id)$$),
('made', 'statement', '', '', '', $$CREATE TABLE {store}.made AS SELECT * FROM {clv}.clv_mart_objects({mart_name})$$),
('made', 'statement', '', '', '', $$COMMENT ON TABLE {store}.made IS 'views, materialized views and routines that are the mart''s own, which an upgrade makes anew'$$),
('privileges', 'statement', '', '', '', $$REVOKE ALL ON ALL ROUTINES IN SCHEMA {mart}, {store} FROM PUBLIC$$),
('privileges', 'statement', '', '', '', $$REVOKE ALL ON ALL TABLES IN SCHEMA {mart}, {store} FROM PUBLIC$$)
$routines$;
COMMENT ON FUNCTION clv_mart_routines() IS
'internal: templates of the procedure refresh, the function forget, what they call, and of the views settings and refresh_log';

-- ---- mart: create, upgrade ------------------------------------------------------------------------------------------

CREATE FUNCTION clv_mart_check(source text, mart text, options jsonb) RETURNS void
    LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 10000
    AS $$
DECLARE
    schema name := (SELECT e.nspname FROM (SELECT x.extname, s.nspname FROM pg_catalog.pg_extension AS x
                                           JOIN pg_catalog.pg_namespace AS s ON s.oid = x.extnamespace) AS e
                    WHERE e.extname = 'clv');
    wrong record;
    problems text;
BEGIN
    SELECT o.* INTO wrong
    FROM (VALUES
        ('source', source IS NOT NULL, 'Name the schema with the relations orders, customers, ...'),
        ('mart', mart <> '' AND octet_length(mart) <= 56 AND mart NOT LIKE 'pg\_%' AND mart NOT LIKE '%$body$%'
                 AND source NOT IN (mart, mart || '_store'),
         'Name a schema for the mart, of at most 56 bytes; that of the sources is another.'),
        ('horizon_days', (options ->> 'horizon_days')::integer BETWEEN 1 AND 36525,
         'Days from 1 to 36525, such as 365.'),
        ('annual_discount_rate',
         (options ->> 'annual_discount_rate')::float8 > -1 AND (options ->> 'annual_discount_rate')::float8 <= 10,
         'Write 10 percent as 0.10.'),
        ('margin', (options ->> 'margin')::float8 BETWEEN 0 AND 1, 'Write 30 percent as 0.30.'),
        ('unit', options ->> 'unit' IN ('day', 'week', 'month', 'year'), 'The units are day, week, month, and year.'),
        ('time_zone', EXISTS (SELECT FROM pg_catalog.pg_timezone_names AS z
                              WHERE lower(z.name) = lower(options ->> 'time_zone')),
         'See pg_timezone_names, for example Europe/Vienna.'),
        ('purchase_model', options ->> 'purchase_model' IN ('pareto_nbd', 'mbgnbd', 'bgnbd', 'best'),
         'The models are pareto_nbd, mbgnbd, bgnbd, and best.'),
        ('min_cohort_size', (options ->> 'min_cohort_size')::integer >= 1, 'A number of customers, such as 200.'),
        ('lift', (options ->> 'lift')::float8 > 0 AND (options ->> 'lift')::float8 <= 1,
         'A rise of a score from 0 to 1, such as 0.05.'),
        ('lift_name', options ->> 'lift_name' <> '', 'The name of an evaluator, such as resolution.'),
        ('target_ratio', (options ->> 'target_ratio')::float8 BETWEEN 0.001 AND 1000,
         'Lifetime value for each unit of acquisition cost, such as 3.'),
        ('late_days', coalesce((options ->> 'late_days')::integer BETWEEN 0 AND 36525, true),
         'Days from 0 to 36525, or NULL to read all orders each time.')) AS o (name, right_so, hint)
    WHERE right_so IS NOT TRUE LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the option % of a mart is wrong', wrong.name USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('Got %s.',
                            coalesce(quote_literal(CASE wrong.name WHEN 'source' THEN source WHEN 'mart' THEN mart
                                                   ELSE options ->> wrong.name END), 'NULL')),
            HINT = wrong.hint;
    END IF;
    EXECUTE format('SELECT %I.clv_mart_problems($1)', schema) INTO problems USING source;
    IF problems IS NOT NULL THEN
        RAISE EXCEPTION 'no mart can be made of the schema %', quote_ident(source)
            USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = problems,
            HINT = format('SELECT * FROM clv_check_sources(%L) tells what is there, and what to write.', source);
    END IF;
END $$;
COMMENT ON FUNCTION clv_mart_check(text, text, jsonb) IS 'internal: an error if no mart can be made of the sources, or with such options';

CREATE FUNCTION clv_mart_sql(source text, mart text, horizon_days integer DEFAULT 365,
        annual_discount_rate float8 DEFAULT 0.10,
        margin float8 DEFAULT 1, unit text DEFAULT 'week', time_zone text DEFAULT current_setting('TimeZone'),
        purchase_model text DEFAULT 'pareto_nbd', min_cohort_size integer DEFAULT 200, lift float8 DEFAULT 0.05,
        lift_name text DEFAULT 'resolution', target_ratio float8 DEFAULT 3,
        late_days integer DEFAULT 35, currency text DEFAULT NULL)
    RETURNS SETOF text
    LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000 ROWS 300
    AS $$
DECLARE
    schema name := (SELECT e.nspname FROM (SELECT x.extname, s.nspname FROM pg_catalog.pg_extension AS x
                                           JOIN pg_catalog.pg_namespace AS s ON s.oid = x.extnamespace) AS e
                    WHERE e.extname = 'clv');
    version text := (SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'clv');
    path text := pg_catalog.current_setting('search_path');
    flags text[];
    names jsonb;
BEGIN
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);     -- nothing of the caller's is called
    EXECUTE format('SELECT %I.clv_mart_check($1, $2, $3)', schema) USING source, mart, jsonb_build_object(
        'horizon_days', horizon_days, 'annual_discount_rate', annual_discount_rate::text,
        'margin', margin::text, 'unit', unit, 'time_zone', time_zone,
        'purchase_model', purchase_model, 'min_cohort_size', min_cohort_size,
        'lift', lift::text, 'lift_name', lift_name,
        'target_ratio', target_ratio::text, 'late_days', late_days);
    EXECUTE format('SELECT %I.clv_mart_flags($1)', schema) INTO flags USING source;
    flags := flags || ARRAY(SELECT 'new.' || s.part
                            FROM (VALUES ('mart', mart), ('store', mart || '_store')) AS s (part, name)
                            WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_namespace AS n WHERE n.nspname = s.name));
    EXECUTE format('SELECT %I.clv_mart_names($1, $2, $3, $4)', schema) INTO names USING source, mart, time_zone, flags;
    RETURN QUERY EXECUTE format($query$
        SELECT statement || ';'
        FROM (SELECT 1 AS part, row_number() OVER () AS number, * FROM %1$I.clv_mart_storage()
              UNION ALL SELECT 2, row_number() OVER (), * FROM %1$I.clv_mart_sources()
              UNION ALL SELECT 3, row_number() OVER (), * FROM %1$I.clv_mart_customers()
              UNION ALL SELECT 4, row_number() OVER (), * FROM %1$I.clv_mart_drivers()
              UNION ALL SELECT 5, row_number() OVER (), * FROM %1$I.clv_mart_routines()) AS t,
             LATERAL %1$I.clv_mart_fill(definition, $1, $2) AS first,
             LATERAL %1$I.clv_mart_fill(definition, $1, $2 || '{"g": "2"}') AS second,
             LATERAL %1$I.clv_mart_fill(definition, $1, $3) AS told,
             LATERAL %1$I.clv_mart_relation(kind, name, keys, about, ARRAY[first, second], told, $2)
                 WITH ORDINALITY AS r (statement, line)
        WHERE %1$I.clv_mart_line_kept(string_to_array(needs, ' '), $1)
        ORDER BY CASE WHEN part = 5 THEN 9 WHEN part <= 2 THEN part WHEN kind = 'work' THEN 3
                      WHEN kind = 'vintage' THEN 4 WHEN kind = 'view' THEN 5 ELSE 6 END,
                 part, number, line$query$, schema)
        USING flags, names, (SELECT jsonb_object_agg(key, '') FROM jsonb_object_keys(names) AS key);
    RETURN NEXT format('INSERT INTO %s.setting (source, mart, clv_version, time_zone, currency, horizon_days, '
                       'annual_discount_rate, margin, unit, '
                       'purchase_model, min_cohort_size, lift, lift_name, target_ratio, late_days) '
                       'VALUES (%L, %L, %L, %L, %L, %L, %L, %L, %L, %L, %L, %L, %L, %L, %L) '
                       'ON CONFLICT (one) DO UPDATE SET clv_version = excluded.clv_version;',
                       names ->> 'store', source, mart, version, time_zone, currency,
                       horizon_days, annual_discount_rate, margin, unit,
                       purchase_model, min_cohort_size, lift, lift_name, target_ratio, late_days);
    PERFORM set_config('search_path', path, true);
END $$;
COMMENT ON FUNCTION clv_mart_sql(text, text, integer, float8, float8, text, text, text, integer, float8, text, float8, integer, text) IS
'the statements that clv_create_mart() would run, one in a row, to be read, kept in version control, or run by another tool. Arguments, NULLs and errors as there.';

CREATE FUNCTION clv_run_statements(statements text[]) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE COST 1000000
    AS $$
DECLARE
    messages text := current_setting('client_min_messages');
    strings text := current_setting('standard_conforming_strings');
    jit text := current_setting('jit');
    statement text;
BEGIN
    PERFORM set_config('client_min_messages', 'warning', true),
            set_config('standard_conforming_strings', 'on', true), set_config('jit', 'off', true);
    FOREACH statement IN ARRAY statements LOOP
        EXECUTE statement;
    END LOOP;
    PERFORM set_config('client_min_messages', messages, true),
            set_config('standard_conforming_strings', strings, true), set_config('jit', jit, true);
END $$;
COMMENT ON FUNCTION clv_run_statements(text[]) IS 'internal: runs statements one after the other; the search_path is the caller''s, who has emptied it, so that nothing takes the place of what views name without a schema';

CREATE FUNCTION clv_create_mart(source text, mart text, horizon_days integer DEFAULT 365,
        annual_discount_rate float8 DEFAULT 0.10,
        margin float8 DEFAULT 1, unit text DEFAULT 'week', time_zone text DEFAULT current_setting('TimeZone'),
        purchase_model text DEFAULT 'pareto_nbd', min_cohort_size integer DEFAULT 200, lift float8 DEFAULT 0.05,
        lift_name text DEFAULT 'resolution', target_ratio float8 DEFAULT 3,
        late_days integer DEFAULT 35, currency text DEFAULT NULL,
        build boolean DEFAULT true)
    RETURNS TABLE (view_name text, row_count bigint, about text)
    LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000 ROWS 15
    AS $$
DECLARE
    schema name := (SELECT e.nspname FROM (SELECT x.extname, s.nspname FROM pg_catalog.pg_extension AS x
                                           JOIN pg_catalog.pg_namespace AS s ON s.oid = x.extnamespace) AS e
                    WHERE e.extname = 'clv');
    path text := pg_catalog.current_setting('search_path');
    taken text;
BEGIN
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);     -- nothing of the caller's is called
    taken := (SELECT string_agg(DISTINCT quote_ident(n.nspname), ' and ') FROM pg_catalog.pg_namespace AS n
                   WHERE n.nspname IN (mart, mart || '_store')
                     AND (EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.relnamespace = n.oid)
                          OR EXISTS (SELECT FROM pg_catalog.pg_proc AS p WHERE p.pronamespace = n.oid)));
    IF taken IS NOT NULL THEN
        RAISE EXCEPTION 'a mart needs schemas of its own' USING ERRCODE = 'duplicate_object',
            DETAIL = format('There are relations or routines in %s.', taken),
            HINT = CASE WHEN to_regclass(format('%I.setting', mart || '_store')) IS NULL
                        THEN 'Name another schema, a new one or an empty one.'
                        ELSE format('It is a mart. To take in other sources or a new version: SELECT clv_upgrade_mart(%L); to begin anew: DROP SCHEMA %I, %I CASCADE;',
                                    mart, mart, mart || '_store') END;
    END IF;
    EXECUTE format('SELECT %1$I.clv_run_statements(ARRAY(SELECT * FROM '
                   '%1$I.clv_mart_sql($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)))', schema)
        USING source, mart, horizon_days, annual_discount_rate, margin, unit, time_zone, purchase_model,
              min_cohort_size, lift, lift_name, target_ratio, late_days, currency;
    IF build THEN
        EXECUTE format('CALL %I.refresh(in_transaction => true)', mart);
    END IF;
    RETURN QUERY EXECUTE format('SELECT * FROM %I.clv_mart_views($1)', schema) USING mart;
    PERFORM set_config('search_path', path, true);
END $$;
COMMENT ON FUNCTION clv_create_mart(text, text, integer, float8, float8, text, text, text, integer, float8, text, float8, integer, text, boolean) IS
'builds a mart: in the schema mart views for reports, with the procedure refresh() and the function forget(), in the schema of that name with _store behind it what they read. Both belong to the caller, hold nothing that was there before, and grant nothing to PUBLIC. source: the schema of the relations orders, customers, ... that clv_check_sources() describes. horizon_days: how far is predicted. annual_discount_rate: 0.10 for 10 percent. margin: share of revenue that is margin, from 0 to 1. unit: time unit of the parameters of models, day, week, month or year. time_zone: whose days are counted, now and in every refresh; that of the session if not given. purchase_model: pareto_nbd (MBG/NBD where it cannot be fitted), mbgnbd, bgnbd, or best, the lower AIC of the first two. min_cohort_size: cohorts with fewer customers are drawn towards the others. lift: the rise of a score, from 0 to 1, whose value the view lift tells; lift_name: the score of which cohort_value tells it. target_ratio: lifetime value wanted for a unit of acquisition cost. late_days: how far back a refresh looks for late orders; NULL for all. currency: where orders do not tell. build: whether the first refresh is done at once, in this transaction. The views with their numbers of rows, none filled without build. Errors: 55000 sources of which no mart can be made, all that is wrong with them in the detail; 22023 an option; 42710 a schema that is not empty.';

CREATE FUNCTION clv_mart_views(mart text) RETURNS TABLE (view_name text, row_count bigint, about text)
    LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED COST 100000 ROWS 15
    AS $$
BEGIN
    FOR view_name, about IN
        SELECT c.relname, pg_catalog.obj_description(c.oid)
        FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = mart AND c.relkind = 'v' ORDER BY c.oid LOOP
        EXECUTE format('SELECT count(*) FROM %I.%I', mart, view_name) INTO row_count;
        RETURN NEXT;
    END LOOP;
END $$;
COMMENT ON FUNCTION clv_mart_views(text) IS 'internal: the views of a mart with the numbers of their rows';

CREATE FUNCTION clv_upgrade_mart(mart text, build boolean DEFAULT true)
    RETURNS TABLE (view_name text, row_count bigint, about text)
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE COST 1000000 ROWS 15
    AS $$
DECLARE
    schema name := (SELECT e.nspname FROM (SELECT x.extname, s.nspname FROM pg_catalog.pg_extension AS x
                                           JOIN pg_catalog.pg_namespace AS s ON s.oid = x.extnamespace) AS e
                    WHERE e.extname = 'clv');
    store name := mart || '_store';
    path text := pg_catalog.current_setting('search_path');
    statements text[];
    grants text[];
    others text;
BEGIN
    -- nothing of the caller's is called, and all names come with their schemas
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    IF to_regclass(format('%I.setting', store)) IS NULL OR to_regprocedure(format('%I.last_run()', store)) IS NULL THEN
        RAISE EXCEPTION 'there is no mart %', quote_ident(mart) USING ERRCODE = 'undefined_object',
            HINT = 'clv_create_mart() makes one.';
    END IF;
    IF current_user <> (SELECT pg_get_userbyid(n.nspowner) FROM pg_catalog.pg_namespace AS n
                        WHERE n.nspname = store) THEN
        RAISE EXCEPTION 'only its owner can upgrade the mart %', quote_ident(mart)
            USING ERRCODE = 'insufficient_privilege',
            DETAIL = 'What is made anew belongs to who makes it.',
            HINT = format('SET ROLE %I; before.',
                          (SELECT pg_get_userbyid(n.nspowner) FROM pg_catalog.pg_namespace AS n
                           WHERE n.nspname = store));
    END IF;
    EXECUTE format('SELECT string_agg(format(''%%I.%%s'', o.schema_name, o.name), '', '' ORDER BY o) '
                   'FROM (SELECT * FROM %I.clv_mart_objects($1) EXCEPT TABLE %I.made) AS o', schema, store)
        INTO others USING mart;
    IF others IS NOT NULL THEN
        RAISE EXCEPTION 'there is something else in the schemas of the mart %', quote_ident(mart)
            USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = format('Not the mart''s own: %s.', others),
            HINT = 'An upgrade makes all views and routines in there anew. Move others to another schema: ALTER ... SET SCHEMA.';
    END IF;
    EXECUTE format('SELECT %1$I.lock_mart(false), %1$I.last_run()', store);
    EXECUTE format('SELECT %1$I.clv_mart_drop($1), %1$I.clv_mart_grants($1)', schema)
        INTO statements, grants USING mart;
    EXECUTE format('SELECT %I.clv_run_statements($1)', schema) USING statements;
    EXECUTE format('UPDATE %I.setting SET current = NULL, building = NULL', store);
    EXECUTE format('UPDATE %I.generation SET filled = false', store);
    EXECUTE format('SELECT ARRAY(SELECT m.* FROM %I.setting AS s, '
                   '%I.clv_mart_sql(s.source, s.mart, s.horizon_days, s.annual_discount_rate, s.margin, s.unit, '
                   's.time_zone, s.purchase_model, s.min_cohort_size, s.lift, s.lift_name, '
                   's.target_ratio, s.late_days, s.currency) AS m)', store, schema)
        INTO statements;
    EXECUTE format('SELECT %I.clv_run_statements($1)', schema) USING statements;
    EXECUTE format('SELECT %I.clv_run_statements($1)', schema) USING grants;
    IF build THEN
        EXECUTE format('CALL %I.refresh(in_transaction => true)', mart);
    END IF;
    RETURN QUERY EXECUTE format('SELECT * FROM %I.clv_mart_views($1)', schema) USING mart;
    PERFORM set_config('search_path', path, true);
END $$;
COMMENT ON FUNCTION clv_upgrade_mart(text, boolean) IS
'makes the views, materialized views and routines of a mart anew, as this version of clv makes them and for the sources that are there now; tables with histories, models and settings stay, and so do grants. build: whether it is refreshed at once, in this transaction. The views with their numbers of rows. Errors: 42704 no such mart; 42501 it is somebody else''s; 55P03 it is being refreshed; 55000 there is something of somebody else''s in its schemas; 2BP01 views of others read its views, named in the detail.';

CREATE FUNCTION clv_mart_objects(mart text) RETURNS TABLE (schema_name text, name text)
    LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED COST 1000 ROWS 80
    BEGIN ATOMIC
        SELECT n.nspname::text, o.name
        FROM pg_catalog.pg_namespace AS n,
             LATERAL (SELECT c.relname::text AS name FROM pg_catalog.pg_class AS c
                      WHERE c.relnamespace = n.oid AND c.relkind IN ('v', 'm')
                      UNION ALL
                      SELECT format('%I(%s)', p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid))
                      FROM pg_catalog.pg_proc AS p WHERE p.pronamespace = n.oid) AS o
        WHERE n.nspname IN (mart, mart || '_store');
    END;
COMMENT ON FUNCTION clv_mart_objects(text) IS 'internal: the views, materialized views and routines in the two schemas of a mart';

CREATE FUNCTION clv_mart_drop(mart text) RETURNS text[]
    LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED COST 10000
    BEGIN ATOMIC
        -- what reads others goes first: views of the mart, generations, fitted_ views, work relations, and the rest
        SELECT array_agg(d.statement ORDER BY d.part) FROM (
            SELECT r.part, format(CASE c.relkind WHEN 'v' THEN 'DROP VIEW %s' ELSE 'DROP MATERIALIZED VIEW %s' END,
                                  string_agg(format('%I.%I', n.nspname, c.relname), ', ')) AS statement
            FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace,
                 LATERAL (SELECT CASE WHEN n.nspname = mart THEN 1 WHEN c.relkind = 'm' AND c.relname ~ '_[12]$' THEN 2
                                      WHEN c.relname LIKE 'fitted\_%' THEN 3
                                      WHEN c.relkind = 'm' THEN 4 ELSE 5 END AS part) AS r
            WHERE n.nspname IN (mart, mart || '_store') AND c.relkind IN ('v', 'm') GROUP BY r.part, c.relkind
            UNION ALL
            SELECT 6, format('DROP ROUTINE %s', string_agg(p.oid::pg_catalog.regprocedure::text, ', '))
            FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
            WHERE n.nspname IN (mart, mart || '_store')
            HAVING count(*) > 0
            UNION ALL SELECT 7, format('DROP TABLE %1$I.step, %1$I.made', mart || '_store')) AS d;
    END;
COMMENT ON FUNCTION clv_mart_drop(text) IS 'internal: the statements that drop all of a mart but its tables';

CREATE FUNCTION clv_mart_grants(mart text) RETURNS text[]
    LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED COST 10000
    BEGIN ATOMIC
        SELECT ARRAY(
            SELECT format('GRANT %s%s ON %s %s TO %s%s', x.privilege_type,
                          coalesce(' (' || quote_ident(o.column_name) || ')', ''), o.kind, o.name,
                          CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE x.grantee::pg_catalog.regrole::text END,
                          CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
            FROM (SELECT c.relacl AS acl, c.relowner AS owner, 'TABLE' AS kind,
                         format('%I.%I', n.nspname, c.relname) AS name, NULL::name AS column_name
                  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                  WHERE n.nspname IN (mart, mart || '_store') AND c.relkind IN ('v', 'm')
                  UNION ALL
                  SELECT a.attacl, c.relowner, 'TABLE', format('%I.%I', n.nspname, c.relname), a.attname
                  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                       JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
                  WHERE n.nspname IN (mart, mart || '_store') AND c.relkind IN ('v', 'm') AND a.attacl IS NOT NULL
                  UNION ALL
                  SELECT p.proacl, p.proowner, 'ROUTINE', p.oid::pg_catalog.regprocedure::text, NULL
                  FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
                  WHERE n.nspname IN (mart, mart || '_store')) AS o,
                 LATERAL pg_catalog.aclexplode(o.acl) AS x
            WHERE x.grantee <> o.owner);
    END;
COMMENT ON FUNCTION clv_mart_grants(text) IS 'internal: the GRANTs of what clv_mart_drop() drops';

CREATE FUNCTION clv_add_columns(target regclass, model regclass) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE COST 1000
    AS $$
DECLARE
    added text;
BEGIN
    FOR added IN
        SELECT format('ALTER TABLE %s ADD COLUMN %I %s', target, m.attname, format_type(m.atttypid, m.atttypmod))
        FROM pg_catalog.pg_attribute AS m
        WHERE m.attrelid = model AND m.attnum > 0
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS t
                            WHERE t.attrelid = target AND t.attname = m.attname AND NOT t.attisdropped)
        ORDER BY m.attnum LOOP
        EXECUTE added;
    END LOOP;
END $$;
COMMENT ON FUNCTION clv_add_columns(regclass, regclass) IS
'internal: adds to a table of a mart the columns that the view it is filled from has and it has not, after an upgrade';

CREATE FUNCTION clv_copy_comments(source regclass, target regclass) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE COST 1000
    AS $$
DECLARE
    copied text;
BEGIN
    FOR copied IN
        SELECT format('COMMENT ON COLUMN %s.%I IS %L', target, t.attname, pg_catalog.col_description(source, s.attnum))
        FROM pg_catalog.pg_attribute AS t
             JOIN pg_catalog.pg_attribute AS s ON s.attrelid = source AND s.attname = t.attname
        WHERE t.attrelid = target AND t.attnum > 0 AND NOT t.attisdropped LOOP
        EXECUTE copied;
    END LOOP;
END $$;
COMMENT ON FUNCTION clv_copy_comments(regclass, regclass) IS 'internal: gives the columns of a view the comments of those of that name of another';
