\echo Use "CREATE EXTENSION clv" to load this file. \quit

-- One section per room, in the order in which data flows. Every object is commented: what, units, NULLs, errors, source.

-- ---- value ------------------------------------------------------------------------------------------------------

CREATE FUNCTION clv(
	avg_purchase_value float8, purchase_frequency float8, customer_lifespan float8,
	margin float8 DEFAULT 1, service_cost float8 DEFAULT 0, acquisition_cost float8 DEFAULT 0) RETURNS float8
	AS 'MODULE_PATHNAME', 'clv_value_clv_float8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
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
	'present value of cash flows one period apart, the first at time 0, in decimals: right to 20 decimals more than the flows have; NULLs and errors as for float8';

-- ---- history: type purchase_history -----------------------------------------------------------------------------

-- ---- sample: type clv_sample ------------------------------------------------------------------------------------

-- ---- model: type clv_model --------------------------------------------------------------------------------------

-- ---- btyd: fits and predictions ---------------------------------------------------------------------------------

