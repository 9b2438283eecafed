-- What the extension puts into the catalog. A change of this file's expected output is a change of the API: deliberate, or wrong.
\pset format unaligned
\pset tuples_only on
CREATE TEMP VIEW members AS
SELECT d.classid, d.objid, i.type, i.identity COLLATE "C" AS identity FROM pg_depend d, LATERAL pg_identify_object(d.classid, d.objid, 0) i
WHERE d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'clv')
    AND i.identity NOT LIKE '%[]';      -- array types come by themselves, and are members from 17 on
CREATE TEMP VIEW functions AS
SELECT p.*, p.oid::regprocedure::text COLLATE "C" AS signature, p.proname::text COLLATE "C" AS name, a.aggfnoid IS NOT NULL AS is_aggregate, l.lanname = 'c' AS is_c,
       -- interactions are moments, and stay so; anything else is counted in days
       'timestamptz'::regtype = ANY (p.proargtypes::oid[])
           AND ('interaction_history'::regtype <> ALL (p.proargtypes::oid[]) OR 'purchase_history'::regtype = ANY (p.proargtypes::oid[]))
           AND p.proname <> 'first_contact_resolved' AS reads_zone,
       'regclass'::regtype = ANY (p.proargtypes::oid[]) AS reads_tables,
       p.proname ~ '^clv_(mart|create_mart|upgrade_mart|check_sources|run_statements|add_columns|copy_comments)' AS of_mart,
       EXISTS (SELECT FROM pg_aggregate t WHERE p.oid IN (t.aggtransfn, t.aggcombinefn)) AS is_transition
FROM pg_proc p JOIN members m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid JOIN pg_language l ON l.oid = p.prolang
LEFT JOIN pg_aggregate a ON a.aggfnoid = p.oid;

-- Rules: each query lists what breaks one, so none of them has a row
-- a comment on everything a user can name (operator families come by themselves)
SELECT 'no comment: ' || type || ' ' || identity FROM members
WHERE obj_description(objid, classid::regclass::name) IS NULL AND type <> 'operator family' ORDER BY 1;
-- everything runs in parallel workers, but what reads a relation by its name, which may be temporary or a view over
-- anything; and nothing with the rights of its owner or with settings of its own
SELECT 'parallel ' || proparallel::text || ': ' || signature FROM functions
WHERE NOT of_mart AND proparallel <> CASE WHEN reads_tables THEN 'r' ELSE 's' END ORDER BY 1;
SELECT 'security definer or settings: ' || signature FROM functions WHERE prosecdef OR proconfig IS NOT NULL ORDER BY 1;
-- STABLE where the session's time zone decides or tables are read, IMMUTABLE otherwise
SELECT 'volatility ' || provolatile::text || ': ' || signature FROM functions
WHERE NOT of_mart AND provolatile <> CASE WHEN (reads_zone AND NOT is_aggregate) OR reads_tables THEN 's' ELSE 'i' END ORDER BY 1;
-- those of the mart read the catalog or templates, and a few of them write: volatility and parallel safety of each
SELECT name || ' ' || provolatile::text || proparallel::text FROM functions WHERE of_mart ORDER BY 1;
-- work in C has a price
SELECT 'cost ' || procost || ': ' || signature FROM functions WHERE is_c AND procost <= 1 ORDER BY 1;
-- no polymorphic arguments
SELECT 'polymorphic: ' || signature FROM functions
WHERE EXISTS (SELECT FROM unnest(proargtypes) t WHERE t::regtype::text LIKE 'any%') ORDER BY 1;
-- a state is a value of one of our types, with its size told, merged by a combine function, and never moved; that of
-- lm_cluster_vcov() is a model and a sum for each cluster, and no type of its own, as nobody stores it
SELECT 'state: ' || f.signature FROM functions f JOIN pg_aggregate a ON a.aggfnoid = f.oid
WHERE a.aggtranstype NOT IN (SELECT objid FROM members WHERE classid = 'pg_type'::regclass) AND NOT (f.name = 'lm_cluster_vcov' AND a.aggtranstype = 'bytea'::regtype)
   OR a.aggcombinefn = 0 OR a.aggserialfn <> 0
   OR a.aggtransspace = 0 OR a.aggfinalmodify <> 'r' OR a.aggfinalextra ORDER BY 1;
-- types of variable length, aligned for doubles, toastable, in binary too, hashable and sortable
SELECT 'type: ' || t.typname FROM pg_type t JOIN members m ON m.classid = 'pg_type'::regclass AND m.objid = t.oid
WHERE t.typlen <> -1 OR t.typalign <> 'd' OR t.typstorage <> 'x' OR t.typreceive = 0 OR t.typsend = 0
   OR (SELECT count(*) FROM pg_opclass c WHERE c.opcintype = t.oid AND c.opcdefault) <> 2 ORDER BY 1;
-- date and timestamptz come in pairs; no interval and no timestamp beside them, except where orders are read and where
-- a length of time is asked for: a recency, the days within which a customer comes back
SELECT 'no timestamptz form: ' || f.signature FROM functions f
WHERE 'date'::regtype = ANY (f.proargtypes::oid[]) AND NOT EXISTS (
    SELECT FROM functions g WHERE g.proname = f.proname AND g.signature = replace(f.signature, 'date', 'timestamp with time zone'))
ORDER BY 1;
SELECT 'timestamp or interval: ' || signature FROM functions
WHERE proargtypes::oid[] && ARRAY['timestamp'::regtype, 'interval'::regtype]::oid[] AND name NOT LIKE 'purchase\_history%' AND name !~ '^(clv_)?(rfm|first_contact)_' ORDER BY 1;
-- readers and predictions at a timestamptz are SQL over the form for a date, which the planner puts in their place; a
-- window function cannot be SQL, and a landmark is days for orders, a moment of the session's zone for scores
SELECT 'timestamptz in C: ' || signature FROM functions
WHERE reads_zone AND is_c AND NOT is_transition AND prokind <> 'w' AND name <> 'landmark' ORDER BY 1;
-- names of built-in aggregates are theirs
SELECT 'built-in name: ' || f.signature FROM functions f JOIN pg_proc p ON p.proname = f.proname AND p.pronamespace = 'pg_catalog'::regnamespace
WHERE f.is_aggregate ORDER BY 1;
-- relocatable: nothing is made in a schema by name
SELECT 'elsewhere: ' || type || ' ' || identity FROM members WHERE identity NOT LIKE 'public.%' AND identity NOT LIKE '%public.%' ORDER BY 1;

-- Called on NULL: those where a NULL has a meaning, and transition and combine functions, which skip rows with one
SELECT CASE WHEN is_transition THEN 'transition ' ELSE '' END || signature FROM functions WHERE NOT proisstrict AND NOT is_aggregate ORDER BY 1;

-- Every object but the functions, which follow
SELECT type || ' ' || replace(identity, 'public.', '') FROM members WHERE type NOT IN ('function', 'aggregate') ORDER BY 1;

-- Functions
SELECT CASE WHEN is_aggregate THEN 'aggregate ' ELSE '' END || name || '(' || pg_get_function_arguments(oid) || ') -> ' || pg_get_function_result(oid)
FROM functions ORDER BY is_aggregate, signature;
