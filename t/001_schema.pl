# Where the extension lives and who uses it: a schema of its own with an empty search_path, an ordinary user,
# pg_dump and restore, parallel workers.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "max_parallel_workers_per_gather = 2\nmax_worker_processes = 8\n");
$node->start;

# ---- in a schema, with an empty search_path ----

$node->safe_psql('postgres', 'CREATE SCHEMA crm; CREATE EXTENSION clv SCHEMA crm');
$node->safe_psql('postgres', q{
	CREATE TABLE public.orders AS
	SELECT 1 + i % 2000 AS customer_id,
		   date '2024-01-01' + (i % 2000) % 90 + (i * 7919 % 500) * (i / 2000) / 6 AS ordered_on,
		   5 + i * 31 % 997 / 10.0 AS amount
	FROM generate_series(0, 9999) AS i;
});

is( $node->safe_psql('postgres', q{
		SET search_path = '';
		CREATE TABLE public.histories AS
		SELECT customer_id, crm.purchase_history(ordered_on, amount) AS history FROM public.orders GROUP BY customer_id;
		CREATE TABLE public.models AS
		SELECT crm.clv_sample(history, date '2025-06-30', 'week') AS sample,
			   crm.bgnbd_fit(history, date '2025-06-30', 'week') AS model,
			   crm.gamma_gamma_fit(history, date '2025-06-30') AS spend
		FROM public.histories;
		SELECT count(*), bool_and(crm.clv(model, spend, history, '2025-06-30', '2026-06-30', 0.1) > 0),
			   bool_and(crm.churn_risk(model, history, '2025-06-30', '2026-06-30') BETWEEN 0 AND 1)
		FROM public.histories, public.models;
	}),
	'2000|t|t', 'histories, fits and values with an empty search_path');

is( $node->safe_psql('postgres', q{
		SET search_path = '';
		SELECT count(*) FROM public.models, crm.tidy(model) UNION ALL SELECT count(*) FROM public.models, crm.tidy(spend);
		SELECT count(DISTINCT history) > 1, count(*) FROM public.histories;
	}),
	"4\n3\nt|2000", 'DISTINCT finds the operator classes without the search_path');

is( $node->safe_psql('postgres', q{
		SELECT string_agg(proname, ', ') FROM pg_proc, pg_depend, pg_extension
		WHERE pg_depend.objid = pg_proc.oid AND refobjid = pg_extension.oid AND extname = 'clv' AND proparallel <> 's'
		  AND 'regclass'::regtype <> ALL (proargtypes::oid[]) AND proname !~ '^clv_(mart|create_mart|upgrade_mart|check_sources|run_statements)'
	}),
	'', 'every function is parallel safe, but those that read relations by name, and those of the mart');

# ---- moved to another schema ----

$node->safe_psql('postgres', 'CREATE SCHEMA other; ALTER EXTENSION clv SET SCHEMA other');
is( $node->safe_psql('postgres', q{SELECT other.coef(model, 'r') > 0 FROM models}),
	't', 'relocated');

# ---- dump and restore ----

my $dump = $node->basedir . '/dump.sql';
$node->command_ok([ 'pg_dump', '--no-sync', '--file' => $dump, '--dbname' => $node->connstr('postgres') ], 'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE copy');
$node->command_ok(
	[ 'psql', '--no-psqlrc', '--quiet', '--set' => 'ON_ERROR_STOP=1', '--file' => $dump, '--dbname' => $node->connstr('copy') ],
	'restore');
my $fingerprint = q{
	SELECT md5(string_agg(other.purchase_history_send(history)::text, ',' ORDER BY customer_id)) FROM histories
	UNION ALL
	SELECT md5(other.clv_sample_send(sample)::text || other.clv_model_send(model)::text || other.clv_model_send(spend)::text)
	FROM models};
is( $node->safe_psql('copy', $fingerprint),
	$node->safe_psql('postgres', $fingerprint),
	'histories, samples and models come back to the byte');

# ---- an ordinary user ----

$node->safe_psql('postgres', 'CREATE ROLE analyst LOGIN; CREATE DATABASE theirs OWNER analyst');
is( $node->safe_psql('theirs', q{
		CREATE EXTENSION clv;
		SELECT round(p_alive(bgnbd_model(.2426, 4.4136, .7929, 2.4259), 2, 30.43, 38.86)::numeric, 4);
	}, extra_params => [ '--username' => 'analyst' ]),
	'0.7266', 'a user who is no superuser creates the extension in his database and uses it');
$node->safe_psql('theirs', 'CREATE ROLE reader LOGIN');
is( $node->safe_psql('theirs', q{SELECT purchases(purchase_history(d, 1.5), '2024-12-31') FROM (VALUES (date '2024-01-01'), ('2024-02-01')) AS o (d)},
		extra_params => [ '--username' => 'reader' ]),
	'2', 'another user may call its functions');

# ---- parallel workers ----

my $parallel = q{
	SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
	SET parallel_leader_participation = off; SET search_path = public, other;
};
my $serial = q{SET max_parallel_workers_per_gather = 0; SET search_path = public, other;};
my %queries = (
	'histories' => q{SELECT md5(string_agg(h::text, ',' ORDER BY customer_id)) FROM
		(SELECT customer_id, purchase_history(ordered_on, amount) AS h FROM orders GROUP BY customer_id) AS s},
	'a sample' => q{SELECT md5(clv_sample(history, date '2025-06-30', 'week')::text) FROM histories},
	'a model' => q{SELECT bgnbd_fit(history, date '2025-06-30', 'week')::text FROM histories});
foreach my $what (sort keys %queries)
{
	my $plan = $node->safe_psql('postgres', "$parallel EXPLAIN (COSTS OFF) $queries{$what}");
	like($plan, qr/Partial.*Aggregate.*Parallel Seq Scan/s, "$what: the plan is parallel");
	is( $node->safe_psql('postgres', "$parallel $queries{$what}"),
		$node->safe_psql('postgres', "$serial $queries{$what}"),
		"$what: workers find the same");
}

$node->stop;
done_testing();
