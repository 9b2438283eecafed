# A mart in the hands of a DBA: where its objects are and whose, dump and restore, moves of the extension, roles and row
# level security, names that try to get out of their quotes, and refreshes that are misused, fail, are cancelled or killed,
# while others read.
use strict;
use warnings;
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->append_conf('postgresql.conf', "jit = off\n");
$node->start;

# ---- helpers ----

sub sql
{
	my ($dbname, $sql, $user) = @_;
	return $node->safe_psql($dbname, $sql, $user ? (extra_params => [ '--username' => $user ]) : ());
}

# SQLSTATE and messages of statements that should fail, each sent by itself as a client does
sub errors
{
	my ($dbname, $user, @statements) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run(
		[ 'psql', '--no-psqlrc', '--quiet', '--no-align', '--tuples-only', '--set' => 'VERBOSITY=verbose', '--dbname' => $node->connstr($dbname) . " user=$user",
			map { ('--command' => $_) } @statements ],
		'<', \'', '>', \$out, '2>', \$err);
	return $err;
}

# What is left of that when warnings and progress are taken out.
sub only_errors
{
	my ($messages) = @_;
	$messages =~ s/^(?:NOTICE|WARNING):.*\n(?:(?:DETAIL|HINT|CONTEXT|LOCATION):.*\n)*//gm;
	return $messages;
}

# A psql that runs on by itself; options of the session come first. Returns the run, and what it prints.
sub in_background
{
	my ($dbname, @statements) = @_;
	my ($out, $err) = ('', '');
	my $run = IPC::Run::start(
		[ 'psql', '--no-psqlrc', '--quiet', '--no-align', '--tuples-only', '--set' => 'VERBOSITY=verbose', '--dbname' => $node->connstr($dbname),
			map { ('--command' => $_) } @statements ],
		'<', \'', '>', \$out, '2>', \$err);
	return { run => $run, out => \$out, err => \$err };
}

my $superuser = sql('postgres', 'SELECT current_user');
my $refreshing = q{SELECT pid FROM pg_stat_activity WHERE query LIKE 'CALL mart.refresh%' AND wait_event = 'PgSleep'};

# pid of the refresh in the background, once it waits for the sources
sub pid_of_refresh
{
	my ($dbname) = @_;
	$node->poll_query_until($dbname, "SELECT count(*) = 1 FROM ($refreshing) AS r") or die 'no refresh has begun';
	return sql($dbname, $refreshing);
}

# Everything the views of a mart show: name, number of rows and a fingerprint of each, the number of the models left out. Sums
# of float8 depend on the order of the rows in their last digits, so nine count.
my $shown = q{
	CREATE FUNCTION pg_temp.shown(mart text, but text[] DEFAULT '{}') RETURNS TABLE (view text, n bigint, fingerprint text) LANGUAGE plpgsql AS $$
	DECLARE
		columns text;
	BEGIN
		FOR view, columns IN
			SELECT c.relname, string_agg(CASE WHEN a.atttypid = 'float8'::regtype THEN format('to_char(v.%I, ''9.99999999EEEE'')', attname) ELSE format('v.%I', attname) END, ', ' ORDER BY attnum)
			FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
			WHERE c.relnamespace = quote_ident(mart)::regnamespace AND c.relkind = 'v' AND c.relname <> ALL (but) AND a.attnum > 0 AND attname NOT IN ('model_id', 'refreshed_at')
			GROUP BY 1 ORDER BY 1
		LOOP
			RETURN QUERY EXECUTE format('SELECT %L, count(*), md5(string_agg(row, E''\n'' ORDER BY row)) FROM (SELECT ROW(%s)::text COLLATE "C" AS row FROM %I.%I AS v) AS rows',
				view, columns, mart, view);
		END LOOP;
	END $$;
};

# All sources: a shop of 300 customers, some with contracts, who are served; what they say is scored. Everything waits for
# as long as shop.pause says.
my $sources = q{
	CREATE SCHEMA raw;
	CREATE SCHEMA shop;
	CREATE TABLE raw.pause (seconds float8);
	INSERT INTO raw.pause VALUES (0);
	CREATE TABLE raw.orders AS
	SELECT customer AS customer_id, (date '2024-01-01' + customer % 366 + day + time '12:00') AT TIME ZONE 'UTC' AS ordered_at, round(amount::numeric, 2) AS amount
	FROM simulate_purchases(pareto_nbd_model(1, 12, 0.8, 16, 'week'), 300, 730, 7, gamma_gamma_model(3, 4, 40))
	WHERE date '2024-01-01' + customer % 366 + day <= '2025-12-31';
	INSERT INTO raw.orders VALUES (1, '2025-12-31 23:59:59Z', 10), (2, '2025-12-30 12:00Z', -5), (3, NULL, 1), (NULL, '2025-12-30', 1), (4, '2025-12-30', NULL);
	CREATE VIEW shop.orders AS SELECT customer_id, ordered_at, amount FROM raw.orders WHERE (SELECT pg_sleep(seconds) IS NOT NULL FROM raw.pause);
	CREATE TABLE shop.customers AS
	SELECT i AS customer_id, (ARRAY['web', 'O''Neill "x"; DROP SCHEMA mart; --', 'Müller & Söhne', NULL])[1 + i % 4] AS channel,
		   (ARRAY['a ''quoted'' "cohort"', E'back\\slash $$ $body$', 'plain'])[1 + i % 3] AS cohort,
		   date '2024-01-01' + i % 366 AS acquired_at, 5 + i % 7 AS acquisition_cost,
		   CASE WHEN i % 5 = 0 THEN date '2025-06-30' + i % 100 END AS churned_at
	FROM generate_series(1, 310) AS i;
	CREATE TABLE shop.subscriptions AS
	SELECT i AS customer_id, date '2024-01-01' + i % 366 AS started_at, CASE WHEN i % 5 = 0 THEN date '2025-06-30' + i % 100 END AS ended_at, 9.99 AS monthly_amount
	FROM generate_series(1, 100) AS i;
	CREATE TABLE shop.interactions AS
	SELECT 'i' || i || '/' || k AS interaction_id, i AS customer_id, timestamptz '2024-06-01 08:00Z' + (i * 37 + k * 61) % 570 * interval '24 hours' AS started_at,
		   (ARRAY['chat', 'phone "red"'])[1 + k % 2] AS channel, 'topic ''' || i % 3 AS topic, (ARRAY['sales', 'service'])[1 + i % 2] AS stage,
		   (i * 7919 + k * 104729) % 11 > 3 AS resolved, (i + k) % 9 = 0 AS escalated, 1.5 + k AS service_cost
	FROM generate_series(1, 300) AS i, generate_series(1, 1 + i % 5) AS k;
	CREATE TABLE shop.evaluations AS
	SELECT interaction_id, started_at + interval '1 minute' AS evaluated_at, e.name, e.score, e.label
	FROM shop.interactions,
		 LATERAL (VALUES ('Resolution', (CASE WHEN resolved THEN 0.8 ELSE 0.3 END + length(interaction_id) / 100.0), NULL),
						 ('tone "of" voice''s', 0.5 + 0.04 * (customer_id % 11), CASE WHEN customer_id % 7 = 0 THEN 'anger' END)) AS e (name, score, label);
};

sub make_shop
{
	my ($dbname) = @_;
	sql('postgres', "CREATE DATABASE $dbname");
	sql($dbname, "CREATE SCHEMA crm_clv; CREATE EXTENSION clv SCHEMA crm_clv; SET search_path = crm_clv; $sources");
	return;
}

# ---- nothing is left behind, and nothing was there in the first place ----

make_shop('crm');

my $catalogs = join ' UNION ALL ', map { "SELECT '$_', count(*) FROM $_" }
	qw(pg_class pg_attribute pg_proc pg_type pg_rewrite pg_constraint pg_index pg_depend pg_description pg_default_acl
	pg_init_privs pg_sequence pg_trigger pg_event_trigger pg_cast pg_operator pg_statistic_ext pg_policy);
$catalogs .= q{ UNION ALL SELECT 'pg_namespace', count(*) FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_' UNION ALL SELECT 'advisory locks', count(*) FROM pg_locks WHERE locktype = 'advisory'
	UNION ALL SELECT 'of this database', count(*) FROM pg_shdepend WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())};
# rows of UNION ALL come in any order
sub count_objects
{
	my ($dbname, $query) = @_;
	return join "\n", sort split /\n/, sql($dbname, $query);
}
my $before = count_objects('crm', $catalogs);
sql('crm', q{SELECT crm_clv.clv_create_mart('shop', 'mart', time_zone => 'Europe/Vienna')});
isnt(count_objects('crm', $catalogs), $before, 'a mart is a number of objects');
sql('crm', 'CALL mart.refresh(refit => true)');
sql('crm', 'DROP SCHEMA mart, mart_store CASCADE');
is(count_objects('crm', $catalogs), $before, 'dropping its two schemas leaves nothing behind');

sql('crm', q{SELECT crm_clv.clv_create_mart('shop', 'mart', time_zone => 'Europe/Vienna')});
is( sql('crm', q{
		SELECT count(*) FROM pg_depend AS d
		WHERE d.deptype IN ('e', 'x') AND d.refclassid = 'pg_extension'::regclass
		  AND ((d.classid, d.objid) IN (SELECT 'pg_class'::regclass, oid FROM pg_class WHERE relnamespace IN ('mart'::regnamespace, 'mart_store'::regnamespace))
			   OR (d.classid, d.objid) IN (SELECT 'pg_proc'::regclass, oid FROM pg_proc WHERE pronamespace IN ('mart'::regnamespace, 'mart_store'::regnamespace))
			   OR d.classid = 'pg_namespace'::regclass AND d.objid IN ('mart'::regnamespace, 'mart_store'::regnamespace))}),
	'0', 'no object of a mart is a member of the extension');
like(errors('crm', $superuser, 'DROP EXTENSION clv'),
	qr/2BP01: cannot drop extension clv because other objects depend on it/, 'the extension is not dropped from under a mart');

# ---- in the mart there is what reporting tools know ----

is( sql('crm', q{SELECT string_agg(DISTINCT relkind::text, '') FROM pg_class WHERE relnamespace = 'mart'::regnamespace}), 'v', 'the mart schema has plain views only');
is( sql('crm', q{
		SELECT string_agg(DISTINCT format_type(atttypid, atttypmod), ', ') FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
		WHERE relnamespace = 'mart'::regnamespace
		  AND format_type(atttypid, atttypmod) NOT IN ('text', 'date', 'bigint', 'integer', 'smallint', 'boolean', 'numeric(16,2)', 'double precision', 'timestamp with time zone')}),
	'', 'with columns of ordinary types');
is( sql('crm', q{
		SELECT string_agg(format('%s.%s', relname, attname), ', ') FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
		WHERE relnamespace = 'mart'::regnamespace AND attnum > 0 AND coalesce(col_description(c.oid, attnum), '') = ''}),
	'', 'and a comment on every column');
is( sql('crm', q{SELECT string_agg(relname, ', ') FROM pg_class WHERE relnamespace IN ('mart'::regnamespace, 'mart_store'::regnamespace)
		AND relkind IN ('v', 'm', 'r') AND obj_description(oid, 'pg_class') IS NULL}),
	'', 'and on every relation');
is( sql('crm', q{SELECT count(*) FROM information_schema.views WHERE table_schema = 'mart'}), sql('crm', q{SELECT count(*) FROM pg_class WHERE relnamespace = 'mart'::regnamespace}),
	'information_schema shows all of them');
is( sql('crm', q{SELECT count(DISTINCT cohort), bool_or(cohort = E'back\\slash $$ $body$'), bool_or(cohort = 'a ''quoted'' "cohort"') FROM mart.customer_value}),
	'3|t|t', 'values with quotes and backslashes arrive');
is( sql('crm', q{SELECT sum(total_spend) FROM mart.customer_value}),
	sql('crm', q{SELECT sum(amount) FILTER (WHERE customer_id IS NOT NULL AND ordered_at IS NOT NULL) + (
		SELECT sum(9.99 * (SELECT count(*) FROM generate_series(0, 30) AS k WHERE (started_at + k * interval '1 month')::date < coalesce(ended_at, 'infinity')
			AND (started_at + k * interval '1 month')::date <= s.as_of)) FROM shop.subscriptions, mart.settings AS s) FROM raw.orders, (SELECT as_of FROM mart.settings) AS s
		WHERE (ordered_at AT TIME ZONE 'Europe/Vienna')::date <= s.as_of}), 'the money is that of the sources, to the cent');

# ---- nothing for PUBLIC ----

is( sql('crm', q{
		SELECT string_agg(DISTINCT what, ', ') FROM (
			SELECT format('%s %s.%s', c.relkind, n.nspname, c.relname), coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))
			FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname IN ('mart', 'mart_store') AND c.relkind <> 'i'
			UNION ALL
			SELECT format('%s %s.%s', p.prokind, n.nspname, p.proname), coalesce(p.proacl, acldefault('f', p.proowner))
			FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname IN ('mart', 'mart_store')
			UNION ALL
			SELECT nspname, coalesce(nspacl, acldefault('n', nspowner)) FROM pg_namespace WHERE nspname IN ('mart', 'mart_store')) AS o (what, acl),
			LATERAL aclexplode(acl) AS a
		WHERE a.grantee = 0}),
	'', 'nothing is granted to PUBLIC');
is( sql('crm', q{SELECT count(*), count(*) FILTER (WHERE prosecdef) FROM pg_proc WHERE pronamespace IN ('mart'::regnamespace, 'mart_store'::regnamespace) HAVING count(*) > 0}) =~ /\|0$/ ? 'none' : 'some',
	'none', 'no function runs with the rights of its owner');
# A view that reads the sources, directly or by way of others, does so with the rights of whoever asks.
is( sql('crm', q{
		WITH RECURSIVE reads AS (
			SELECT DISTINCT r.ev_class, d.refobjid FROM pg_rewrite AS r JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
			WHERE d.refclassid = 'pg_class'::regclass AND r.ev_class <> d.refobjid
		), live AS (
			SELECT ev_class FROM reads WHERE refobjid IN (SELECT oid FROM pg_class WHERE relnamespace = 'shop'::regnamespace)
			UNION
			SELECT r.ev_class FROM live AS l JOIN reads AS r ON r.refobjid = l.ev_class JOIN pg_class AS c ON c.oid = l.ev_class AND c.relkind = 'v'
		)
		SELECT count(*) > 0, string_agg(c.oid::regclass::text, ', ') FILTER (WHERE NOT coalesce(reloptions @> '{security_invoker=true}', false) AND relname NOT LIKE 'fitted\_%')
		FROM pg_class AS c WHERE oid IN (SELECT ev_class FROM live) AND relkind = 'v' AND relnamespace IN ('mart'::regnamespace, 'mart_store'::regnamespace)}),
	't|', 'views that read the sources are security_invoker');

# ---- dump, restore, and moves of the extension ----

# what the mart shows, with the log and without
my $fingerprint = "$shown SELECT * FROM pg_temp.shown('mart')";
my $numbers = "$shown SELECT * FROM pg_temp.shown('mart', ARRAY['settings', 'refresh_log'])";
my $as_it_was = sql('crm', $fingerprint);
note($as_it_was);

my $models = q{SELECT (SELECT model_id FROM mart.settings), count(*), md5(string_agg(m::text, E'\n' ORDER BY m::text COLLATE "C")) FROM mart_store.model_history AS m};

sub copy_of
{
	my ($dbname, $copy) = @_;
	my $dump = $node->basedir . "/$copy.dump";
	$node->command_ok([ 'pg_dump', '--no-sync', '--format=custom', '--file' => $dump, '--dbname' => $node->connstr($dbname) ], "$copy: pg_dump");
	sql('postgres', "CREATE DATABASE $copy");
	$node->command_ok([ 'pg_restore', '--exit-on-error', '--dbname' => $node->connstr($copy), $dump ], "$copy: pg_restore");
	is(sql($copy, $fingerprint), sql($dbname, $fingerprint), "$copy: every view of the mart shows the same rows");
	is(sql($copy, $models), sql($dbname, $models), "$copy: the models are the same to the byte");
	is(count_objects($copy, $catalogs =~ s/ UNION ALL SELECT 'of this database'.*//sr), count_objects($dbname, $catalogs =~ s/ UNION ALL SELECT 'of this database'.*//sr), "$copy: as many objects of each kind");
	is(sql($copy, 'CALL mart.refresh(); SELECT run_status FROM mart.refresh_log ORDER BY run_id DESC LIMIT 1'), 'done', "$copy: refreshed");
	is(sql($copy, $numbers), sql($dbname, $numbers), "$copy: which finds the same again");
	return;
}

copy_of('crm', 'crm_copy');
sql('crm', 'CREATE SCHEMA "other ""schema"""; ALTER EXTENSION clv SET SCHEMA "other ""schema"""');
is(sql('crm', $fingerprint), $as_it_was, 'the extension in another schema: every view shows the same rows');
sql('crm', 'CALL mart.refresh()');
my $moved = sql('crm', $numbers);
is(sql('crm_copy', $numbers), $moved, 'refreshed there: the same again');
sql('crm', q{CALL mart.refresh(refit => true)});
is(sql('crm', 'SELECT max(model_id) FROM mart_store.model_history'), 2, 'models are fitted there');
copy_of('crm', 'moved_copy');
like(errors('crm', $superuser, 'DROP EXTENSION clv'), qr/2BP01/, 'nor is the extension dropped there');
is( sql('crm', q{SELECT count(*) > 3 FROM "other ""schema""".clv_upgrade_mart('mart')}), 't', 'the mart is made anew there');
sql('crm', 'ALTER EXTENSION clv SET SCHEMA crm_clv; CALL mart.refresh()');
is( sql('crm', q{SELECT count(DISTINCT model_id) > 1 FROM mart_store.model_history}), 't', 'models of earlier refreshes are kept');
sql('postgres', "DROP DATABASE $_") foreach 'crm_copy', 'moved_copy';

# ---- roles, as the documentation grants them ----

sql('postgres', q{
	CREATE ROLE crm_owner LOGIN;
	CREATE ROLE crm_job LOGIN IN ROLE crm_owner;
	ALTER ROLE crm_job SET statement_timeout = 0;
	CREATE ROLE crm_reader LOGIN;
	CREATE ROLE tenant LOGIN;
	CREATE ROLE stranger LOGIN;
});
make_shop('roles');
sql('roles', q{
	GRANT CREATE ON DATABASE roles TO crm_owner;
	GRANT USAGE ON SCHEMA crm_clv, shop TO crm_owner;
	GRANT SELECT ON ALL TABLES IN SCHEMA shop TO crm_owner;
});
like(errors('roles', 'stranger', q{SELECT crm_clv.clv_create_mart('shop', 'mart')}), qr/42501|permission denied/, 'a stranger makes no mart');
sql('roles', q{SELECT crm_clv.clv_create_mart('shop', 'mart')}, 'crm_owner');
is(sql('roles', q{SELECT count(*) FROM pg_class WHERE relnamespace IN ('mart'::regnamespace, 'mart_store'::regnamespace) AND relowner <> 'crm_owner'::regrole}),
	'0', 'the mart belongs to whoever called for it, who is no superuser');
sql('roles', 'CALL mart.refresh(refit => true)', 'crm_job');
is(sql('roles', q{SELECT DISTINCT run_status FROM mart.refresh_log}), 'done', 'a job that is a member of the owner refreshes');
sql('roles', q{GRANT USAGE ON SCHEMA mart TO crm_reader; GRANT SELECT ON ALL TABLES IN SCHEMA mart TO crm_reader}, 'crm_owner');
is(sql('roles', $numbers, 'crm_reader'), sql('roles', $numbers), 'a reader sees what the mart shows, without a right to the schema of the extension');
foreach my $forbidden (
	'SELECT count(*) FROM mart_store.customer_history', 'SELECT count(*) FROM mart_store.source_order', 'SELECT count(*) FROM shop.orders', 'CALL mart.refresh()',
	'SELECT mart.forget(1)', 'INSERT INTO mart.customer_value (customer_id) VALUES (1)', 'DELETE FROM mart.settings', 'UPDATE mart.settings SET as_of = as_of',
	'SELECT mart_store.lock_mart(true)')
{
	like(errors('roles', 'crm_reader', $forbidden), qr/42501|55000: cannot/, "a reader is refused: $forbidden");
}
like(errors('roles', 'stranger', 'SELECT count(*) FROM mart.customer_value'), qr/42501/, 'a stranger reads nothing');

# Row level security on a source holds for whoever is granted the view that reads it.
sql('roles', q{
	ALTER TABLE shop.customers ENABLE ROW LEVEL SECURITY;
	CREATE POLICY owner ON shop.customers TO crm_owner USING (true);
	CREATE POLICY tenant ON shop.customers TO tenant USING (customer_id <= 7);
	GRANT USAGE ON SCHEMA shop TO tenant;
	GRANT SELECT ON shop.customers TO tenant;
	GRANT USAGE ON SCHEMA mart_store TO tenant;
	GRANT SELECT ON mart_store.source_customer, mart_store.source_interaction TO tenant;
});
is(sql('roles', 'SELECT count(*) FROM mart_store.source_customer', 'tenant'), '7', 'row level security holds in views that read the sources');
like(errors('roles', 'tenant', 'SELECT count(*) FROM mart_store.source_interaction'), qr/42501.*shop|42501.*interactions/s, 'and so do rights');
sql('roles', 'CALL mart.refresh()', 'crm_job');
is(sql('roles', 'SELECT count(*) FROM mart.customer_value'), '310', 'the job sees all customers');

# ---- hostile names ----

my @hostile = (
	[ 'Mart "x"; --', q{source's "s"}, 'uuid', q{('00000000-0000-4000-8000-' || lpad(i::text, 12, '0'))::uuid} ],
	[ '{g} {store} $$ $f$', 'shop.orders', 'text', q{'O''Neill "' || i || E'"; DROP TABLE x; --\\\\'} ],
	[ 'größe', 'SELECT', 'bigint', q{9007199254740993 + i} ],
	[ 'user', 'order', 'varchar(40)', q{'c' || i} ],
	[ '%I %L %s %1$s', '$1', 'int', q{i} ],
	# what templates are made of
	[ 'a<generation> --: b', '{g} --? orders', 'int', q{i} ],
);
foreach (@hostile)
{
	my ($mart, $source, $type, $id) = @$_;
	sql('crm', qq{
		CREATE SCHEMA names_made;
		CREATE TABLE names_made.orders AS
		SELECT ($id)::$type AS customer_id, date '2025-01-01' + i % 90 + k * (3 + i % 17) AS ordered_at, 10.01 + i % 13 AS amount
		FROM generate_series(1, 80) AS i, generate_series(0, i % 6) AS k;
		CREATE TABLE names_made.customers AS SELECT customer_id, 'it''s "' || max(amount) || '"' AS channel FROM names_made.orders GROUP BY 1;
	});
	sql('crm', 'ALTER SCHEMA names_made RENAME TO ' . sql('crm', 'SELECT quote_ident($q$' . $source . '$q$)'));
	my $quoted = sql('crm', 'SELECT quote_ident($q$' . $mart . '$q$)');
	my $result = sql('crm', qq{
		SELECT count(*) > 3 FROM crm_clv.clv_create_mart(source => \$q\$$source\$q\$, mart => \$q\$$mart\$q\$);
		CALL $quoted.refresh();
		SELECT count(*), sum(total_spend) = (SELECT sum(total_spend) FROM (SELECT 10.01 + i % 13 AS total_spend FROM generate_series(1, 80) AS i, generate_series(0, i % 6) AS k) AS o),
			   count(*) FILTER (WHERE customer_id::text = (SELECT (($id)::$type)::text FROM (VALUES (42)) AS v (i))) FROM $quoted.customer_value;
	});
	is($result, "t\n80|t|1", "mart $mart of $source, customers of type $type");
	my $one = sql('crm', "SELECT quote_literal((($id)::$type)::text) FROM (VALUES (42)) AS v (i)");
	like(errors('crm', $superuser, "SELECT $quoted.forget($one)"), qr/55000/, "$mart: a customer who is in the sources is not forgotten");
	my $source_quoted = sql('crm', 'SELECT quote_ident($q$' . $source . '$q$)');
	sql('crm', "DELETE FROM $source_quoted.orders WHERE customer_id = $one; DELETE FROM $source_quoted.customers WHERE customer_id = $one");
	is(sql('crm', "SELECT $quoted.forget($one); SELECT count(*), count(*) FILTER (WHERE customer_id::text = $one) FROM $quoted.customer_value"), "1\n79|0", "$mart: and when deleted there, forgotten");
	is(sql('crm', "SELECT * FROM crm_clv.clv_upgrade_mart(\$q\$$mart\$q\$) WHERE view_name = 'customer_value'") =~ s/^(\w+\|\d+).*/$1/sr, 'customer_value|79', "$mart: made anew");
	sql('crm', 'DROP SCHEMA ' . join(', ', map { sql('crm', 'SELECT quote_ident($q$' . $_ . '$q$)') } $mart, $mart . '_store', $source) . ' CASCADE');
}
is(count_objects('crm', 'DROP SCHEMA mart, mart_store, "other ""schema""" CASCADE; ' . $catalogs), $before, 'after all of them, nothing is left behind');

# ---- in a transaction ----

make_shop('runs');
sql('runs', q{SELECT crm_clv.clv_create_mart('shop', 'mart')});
my $log = 'SELECT count(*), max(run_id) FROM mart.refresh_log';
my $logged = sql('runs', $log);
like(errors('runs', $superuser, 'BEGIN', 'CALL mart.refresh()', 'COMMIT'), qr/2D000: invalid transaction termination/, 'within a transaction a refresh fails');
like(errors('runs', $superuser, 'BEGIN; CALL mart.refresh(); COMMIT'), qr/2D000/, 'and in several statements sent as one');
like(errors('runs', $superuser, 'DO $$ BEGIN BEGIN CALL mart.refresh(); EXCEPTION WHEN no_data_found THEN NULL; END; END $$'), qr/2D000/, 'and in a block with an exception handler');
is(sql('runs', $log), $logged, 'before it has done anything');

my $rows = sql('runs', $fingerprint);
sql('runs', q{INSERT INTO raw.orders VALUES (1, '2025-12-31 12:00Z', 1000)});
my $within = sql('runs', "BEGIN; CALL mart.refresh(in_transaction => true); $numbers; ROLLBACK");
isnt($within, sql('runs', $numbers), 'in_transaction => true refreshes within a transaction');
is(sql('runs', $fingerprint), $rows, 'and is rolled back with it, as if nothing had been');
sql('runs', 'BEGIN; CALL mart.refresh(in_transaction => true); COMMIT');
is(sql('runs', $numbers), $within, 'or committed with it');
sql('runs', 'CALL mart.refresh(in_transaction => true)');
is(sql('runs', $numbers), $within, 'it works outside of one, too');
sql('runs', q{DO $$ BEGIN CALL mart.refresh(); END $$});
is(sql('runs', $numbers), $within, 'and an ordinary refresh in a block that is none');

# ---- a step that fails ----

# customers are read after the histories, by what is computed of them
sql('runs', q{ALTER TABLE shop.customers RENAME TO people; CREATE VIEW shop.customers AS SELECT * FROM shop.people});
sql('runs', q{SELECT count(*) FROM crm_clv.clv_upgrade_mart('mart')});
my $good = sql('runs', q{SELECT pg_get_viewdef('shop.customers'::regclass)});
$rows = sql('runs', $numbers);
sql('runs', 'CREATE OR REPLACE VIEW shop.customers AS SELECT * FROM shop.people WHERE 1 / (customer_id - 200) < 2');
my $failed = errors('runs', $superuser, 'CALL mart.refresh()');
like($failed, qr/division by zero/, 'a refresh of which a step fails is an error with that of the step');
is(sql('runs', q{SELECT DISTINCT run_status, error FROM mart.refresh_log WHERE run_id = (SELECT max(run_id) FROM mart.refresh_log) AND error IS NOT NULL}),
	'failed|division by zero', 'and is in the log');
is(sql('runs', $numbers), $rows, 'the mart shows what it showed before');
my ($run, $done) = split /\|/, sql('runs', q{SELECT run_id, count(*) FILTER (WHERE status = 'done') FROM mart.refresh_log WHERE run_id = (SELECT max(run_id) FROM mart.refresh_log) GROUP BY 1});
cmp_ok($done, '>=', 1, "$done steps before it were done");
like(errors('runs', $superuser, 'CALL mart.refresh()'), qr/going on with run $run.*division by zero/s, 'a second refresh goes on with it, and fails likewise');
sql('runs', "CREATE OR REPLACE VIEW shop.customers AS $good");
sql('runs', 'CALL mart.refresh()');
is( sql('runs', "SELECT DISTINCT run_status, count(*) FILTER (WHERE status = 'failed'), count(*) FILTER (WHERE status = 'done' AND step = 'histories') FROM mart.refresh_log WHERE run_id = $run GROUP BY 1"),
	'done|2|1', 'the third ends it, and has not repeated the steps that were done');
is(sql('runs', $numbers), $rows, 'the mart is that of a refresh that nothing stopped');

# ---- a refit that did not end ----

# Nobody is shown the half of its models that there is: the refresh of a later day fits them again, or takes those of before
# if it is told to.
my $vintage = q{SELECT (SELECT count(*) FROM mart.driver) > 0, (SELECT count(*) FROM mart.lift) > 0, (SELECT count(*) FROM mart.model_quality) > 0, model_id FROM mart.settings};
my ($whole_id) = sql('runs', $vintage) =~ /^t\|t\|t\|(\d+)$/;
sql('runs', 'ALTER TABLE mart_store.lift_history ADD CONSTRAINT no_more CHECK (false) NOT VALID');
like(errors('runs', $superuser, 'CALL mart.refresh(refit => true)'), qr/ERROR.*violates check constraint "no_more"/, 'a refit stops at one of its last steps');
my $half_id = sql('runs', 'SELECT max(model_id) FROM mart_store.model_history');
cmp_ok($half_id, '>', $whole_id, 'with some of its models');
sql('runs', 'ALTER TABLE mart_store.lift_history DROP CONSTRAINT no_more');
like(errors('runs', $superuser, "CALL mart.refresh(model_id => $half_id, as_of => '2025-12-30')"), qr/22023/, 'they cannot be asked for');
sql('runs', "CALL mart.refresh(model_id => $whole_id)");
is(sql('runs', $vintage), "t|t|t|$whole_id", 'those of before can');
sql('runs', 'ALTER TABLE mart_store.lift_history ADD CONSTRAINT no_more CHECK (false) NOT VALID');
errors('runs', $superuser, 'CALL mart.refresh(refit => true)');
sql('runs', q{ALTER TABLE mart_store.lift_history DROP CONSTRAINT no_more; INSERT INTO raw.orders VALUES (1, '2026-01-05 12:00Z', 20)});
is(only_errors(errors('runs', $superuser, 'CALL mart.refresh()')), '', 'a refresh of a later day');
like(sql('runs', $vintage), qr/^t\|t\|t\|/, 'shows models that are whole');

# ---- cancelled, timed out, killed ----

my $locks = q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'};
sub pause
{
	my ($seconds) = @_;
	sql('runs', "UPDATE raw.pause SET seconds = $seconds");
	return;
}
my $whole = sql('runs', $numbers);

pause(20);
my $timed_out = in_background('runs', q{SET statement_timeout = '700ms'}, 'CALL mart.refresh()', 'RESET statement_timeout', 'UPDATE raw.pause SET seconds = 0', 'CALL mart.refresh()', q{SELECT 'went on'});
$timed_out->{run}->finish;
like(${ $timed_out->{err} }, qr/57014: canceling statement due to statement timeout/, 'a refresh that takes too long is cancelled');
unlike(${ $timed_out->{err} }, qr/ERROR.*ERROR/s, 'the next one on the same connection runs');
is(${ $timed_out->{out} }, "went on\n", 'and the session goes on');
is(sql('runs', $locks), '0', 'nothing is locked');
is(sql('runs', $numbers), $whole, 'the mart is whole');

foreach my $how ('cancel', 'terminate')
{
	pause(20);
	my $stopped = in_background('runs', 'CALL mart.refresh()', q{SELECT pg_sleep(0), 'still here'}, 'SELECT pg_sleep(30)');
	my $pid = pid_of_refresh('runs');
	sql('runs', "SELECT pg_${how}_backend($pid)");
	$node->poll_query_until('runs', "SELECT count(*) = 0 FROM ($refreshing) AS r WHERE pid = $pid");
	pause(0);
	is(sql('runs', $locks), '0', "$how: nothing is locked");
	is(sql('runs', $numbers), $whole, "$how: the mart shows what it showed");
	# the session that was cancelled is still there, and at work on something else
	is(only_errors(errors('runs', $superuser, 'CALL mart.refresh()')), '', "$how: another session refreshes at once")
	  or diag(sql('runs', "SELECT pid, state, query FROM pg_stat_activity WHERE pid = $pid"));
	is(sql('runs', $numbers), $whole, "$how: the mart is whole");
	is(sql('runs', q{SELECT count(*) FROM mart.refresh_log WHERE run_status = 'running'}), '0', "$how: the log knows of no refresh that is under way");
	sql('runs', "SELECT pg_terminate_backend($pid)");
	$stopped->{run}->finish;
	like(${ $stopped->{err} }, $how eq 'cancel' ? qr/57014/ : qr/57P01|server closed the connection/, "$how: the one that was stopped says so");
}

# ---- two at once, and readers ----

pause(3);
my $first = in_background('runs', 'CALL mart.refresh()');
my $pid = pid_of_refresh('runs');
my $began = time;
my $refused = errors('runs', $superuser, 'CALL mart.refresh()');
like($refused, qr/55P03.*\b$pid\b/s, 'a second refresh is refused and names the process of the first');
cmp_ok(time - $began, '<', 2, 'at once');
like(errors('runs', $superuser, 'CALL mart.refresh(in_transaction => true)'), qr/55P03.*\b$pid\b/s, 'within a transaction, too');
like(errors('runs', $superuser, 'SELECT mart.forget(1)'), qr/55P03.*\b$pid\b/s, 'and so is forgetting a customer');
like(errors('runs', $superuser, q{SELECT crm_clv.clv_upgrade_mart('mart')}), qr/55P03.*\b$pid\b/s, 'and an upgrade');
pause(0);
$first->{run}->finish;
unlike(${ $first->{err} }, qr/ERROR/, 'the first goes on to its end');

# Between two of its steps a refresh has nothing locked: the run in the store tells that it is under way.
my $between = in_background('runs', q{UPDATE mart_store.run SET status = 'running', pid = pg_backend_pid(),
	backend_start = (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()) WHERE run_id = (SELECT max(run_id) FROM mart_store.run)},
	q{SELECT pg_sleep(60) AS between_two_steps});
my $asleep = q{SELECT pid FROM pg_stat_activity WHERE query LIKE '%between_two_steps%' AND wait_event = 'PgSleep'};
$node->poll_query_until('runs', "SELECT count(*) = 1 FROM ($asleep) AS a") or die 'nobody sleeps';
$pid = sql('runs', $asleep);
foreach my $other ('CALL mart.refresh()', 'SELECT mart.forget(999)', q{SELECT crm_clv.clv_upgrade_mart('mart')})
{
	like(errors('runs', $superuser, $other), qr/55P03.*\b$pid\b/s, "between two steps: refused is $other");
}
sql('runs', "SELECT pg_terminate_backend($pid)");
$between->{run}->finish;

# A session that has read the mart in a transaction that stays open stops no refresh.
my $reader = $node->background_psql('runs');
my $counted = $reader->query_safe('BEGIN; SELECT count(*) FROM mart.customer_value');
my $views = sql('runs', q{SELECT string_agg(format('SELECT count(*) FROM mart.%I', relname), '; ' ORDER BY relname) FROM pg_class WHERE relnamespace = 'mart'::regnamespace AND relkind = 'v'});
$reader->query_safe($views);
sql('runs', q{INSERT INTO raw.orders VALUES (299, '2025-12-31 13:00Z', 5)});
is(only_errors(errors('runs', $superuser, q{SET lock_timeout = '5s'}, 'CALL mart.refresh()', 'CALL mart.refresh(refit => true)')), '',
	'two refreshes while a transaction that has read all views is open');
is($reader->query_safe('SELECT count(*) FROM mart.customer_value'), $counted, 'which can go on reading');
$reader->query_safe('COMMIT');
$reader->quit;

# Readers while refreshes run, one step after the other slowed down: none waits for a lock.
pause(0.3);
my $writer = in_background('runs', 'CALL mart.refresh(refit => true)', 'CALL mart.refresh()', 'CALL mart.refresh()');
my ($reads, $waits, $slowest) = (0, '', 0);
while ($writer->{run}->pumpable)
{
	$writer->{run}->pump_nb;
	my $start = time;
	$waits .= errors('runs', $superuser, q{SET lock_timeout = '200ms'}, 'SELECT count(*), min(total_spend) FROM mart.customer_value', 'SELECT count(*) FROM mart.cohort_value', 'SELECT as_of FROM mart.settings',
		'SELECT count(*) FROM mart.refresh_log');
	$slowest = time - $start if time - $start > $slowest;
	$reads++;
}
$writer->{run}->finish;
unlike(${ $writer->{err} }, qr/ERROR/, 'three refreshes ran');
is($waits, '', "none of $reads readers waited for them");
cmp_ok($reads, '>', 5, 'and there were some');
note(sprintf('the slowest of %d readers took %.0f ms with its connection', $reads, 1000 * $slowest));

# ---- a mart of another version ----

sql('runs', q{UPDATE mart_store.setting SET clv_version = '0.9'});
like(errors('runs', $superuser, 'CALL mart.refresh()'), qr/clv_upgrade_mart\('mart'\)/, 'a mart of another version is not refreshed, and told what to call');
sql('runs', q{SELECT count(*) FROM crm_clv.clv_upgrade_mart('mart')});
is(only_errors(errors('runs', $superuser, 'CALL mart.refresh()')), '', 'after which it is');

# ---- the server dies ----

$whole = sql('runs', $numbers);
pause(20);
my $died = in_background('runs', 'CALL mart.refresh()');
pid_of_refresh('runs');
$node->stop('immediate');
$died->{run}->finish;
$node->start;
pause(0);
is(sql('runs', $numbers), $whole, 'after a crash the mart shows what it showed');
is(only_errors(errors('runs', $superuser, 'CALL mart.refresh()', 'CALL mart.refresh(refit => true)', 'CALL mart.refresh()')), '', 'and is refreshed, more than once');
is(sql('runs', $numbers), $whole, 'and is whole');

$node->stop;
done_testing();
