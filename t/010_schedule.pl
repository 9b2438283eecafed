# The refresh of a mart where it runs in earnest: started by pg_cron, by both of its ways to run a job, and called through
# PgBouncer in transaction mode, where the next statement of a client may meet another session, and the next client the
# session that somebody else's refresh was cancelled in.
#
# Debian: postgresql-NN-cron and pgbouncer. Where one is absent its tests are skipped.
use strict;
use warnings;
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

sub pg_config
{
	my ($option) = @_;
	my $out = `pg_config --$option`;
	chomp $out;
	return $out;
}

my ($pgbouncer) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin', '/usr/local/sbin';
my $has_cron = -e pg_config('sharedir') . '/extension/pg_cron.control' && -e pg_config('pkglibdir') . '/pg_cron.so';
plan skip_all => 'neither pg_cron nor PgBouncer is installed' unless $has_cron || $pgbouncer;

# A database with a shop, in a schema of which every reader waits for as long as shop.pause says, and its mart. What the
# job may do it may as a member of the owner: crm_owner owns the mart, crm_job runs it.
sub make_shop
{
	my ($node, $dbname) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $dbname OWNER crm_owner") unless $dbname eq 'postgres';
	$node->safe_psql($dbname, q{
		CREATE SCHEMA crm_clv;
		CREATE EXTENSION clv SCHEMA crm_clv;
		GRANT USAGE ON SCHEMA crm_clv TO crm_owner;
		SET search_path = crm_clv;
		CREATE SCHEMA raw AUTHORIZATION crm_owner;
		CREATE SCHEMA shop AUTHORIZATION crm_owner;
		CREATE TABLE raw.orders AS
		SELECT customer AS customer_id, date '2024-01-01' + customer % 366 + day AS ordered_at, round(amount::numeric, 2) AS amount
		FROM simulate_purchases(pareto_nbd_model(1, 12, 0.8, 16, 'week'), 200, 730, 7, gamma_gamma_model(3, 4, 40))
		WHERE date '2024-01-01' + customer % 366 + day <= '2025-12-31';
		CREATE TABLE raw.pause (seconds float8);
		INSERT INTO raw.pause VALUES (0);
		ALTER TABLE raw.orders OWNER TO crm_owner;
		ALTER TABLE raw.pause OWNER TO crm_owner;
		CREATE VIEW shop.orders AS
		SELECT customer_id, ordered_at, amount FROM raw.orders WHERE (SELECT pg_sleep(seconds) IS NOT NULL FROM raw.pause);
		ALTER VIEW shop.orders OWNER TO crm_owner;
	});
	$node->safe_psql('postgres', "GRANT CREATE ON DATABASE $dbname TO crm_owner");
	$node->safe_psql($dbname, q{SELECT crm_clv.clv_create_mart('shop', 'mart', build => false)}, extra_params => [ '--username' => 'crm_owner' ]);
	return;
}

sub make_roles
{
	my ($node) = @_;
	$node->safe_psql('postgres', q{
		CREATE ROLE crm_owner LOGIN;
		CREATE ROLE crm_job LOGIN IN ROLE crm_owner;
		ALTER ROLE crm_job SET statement_timeout = 0;
	});
	return;
}

my $runs = q{SELECT count(DISTINCT run_id), count(error) FROM mart.refresh_log};
my $locks = q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'};

# ---- pg_cron: the jobs are entered first, since a schedule of minutes is all that versions before 1.5 know ----

my @cron;
if ($has_cron)
{
	foreach my $workers ('off', 'on')
	{
		my $node = PostgreSQL::Test::Cluster->new("cron_$workers");
		my $host = $node->host;
		$node->init;
		$node->append_conf('postgresql.conf', <<"CONF");
shared_preload_libraries = 'pg_cron'
cron.database_name = 'postgres'
cron.host = '$host'
cron.use_background_workers = $workers
max_worker_processes = 20
CONF
		$node->start;
		make_roles($node);
		make_shop($node, 'postgres');
		make_shop($node, 'broken');
		$node->safe_psql('broken', q{
			CREATE OR REPLACE VIEW shop.orders AS
			SELECT customer_id, ordered_at, amount / (customer_id - customer_id) AS amount FROM raw.orders});
		$node->safe_psql('postgres', 'CREATE EXTENSION pg_cron; GRANT USAGE ON SCHEMA cron TO crm_job');
		my $version = $node->safe_psql('postgres', q{SELECT extversion FROM pg_extension WHERE extname = 'pg_cron'});
		my ($major, $minor) = $version =~ /^(\d+)\.(\d+)/;
		my $schedule = $major > 1 || $minor >= 5 ? '5 seconds' : '* * * * *';
		note("pg_cron $version, '$schedule', cron.use_background_workers = $workers");
		$node->safe_psql('postgres', "SELECT cron.schedule('refresh', '$schedule', 'CALL mart.refresh()')",
			extra_params => [ '--username' => 'crm_job' ]);
		# only a superuser may name another database
		$node->safe_psql('postgres', "SELECT cron.schedule_in_database('broken', '$schedule', 'CALL mart.refresh()', 'broken', 'crm_job')");
		push @cron, [ $workers, $node ];
	}
}

# ---- PgBouncer in transaction mode ----

SKIP:
{
	skip 'PgBouncer is not installed', 1 unless $pgbouncer;

	my $node = PostgreSQL::Test::Cluster->new('pooled');
	$node->init;
	$node->start;
	make_roles($node);
	make_shop($node, 'pooled');

	my $dir = PostgreSQL::Test::Utils::tempdir_short();
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $target = 'host=' . $node->host . ' port=' . $node->port . ' dbname=pooled';
	append_to_file("$dir/users.txt", qq{"crm_job" ""\n"crm_owner" ""\n});
	append_to_file("$dir/pgbouncer.ini", <<"INI");
[databases]
pooled = $target pool_size=3
single = $target pool_size=1
[pgbouncer]
listen_addr =
listen_port = $port
unix_socket_dir = $dir
auth_type = trust
auth_file = $dir/users.txt
pool_mode = transaction
logfile = $dir/pgbouncer.log
pidfile =
ignore_startup_parameters = extra_float_digits
INI
	my $bouncer = IPC::Run::start([ $pgbouncer, '--quiet', "$dir/pgbouncer.ini" ], '<', \'', '>', "$dir/out", '2>&1');

	# what psql prints, and its errors, through the pooler
	my $through = sub {
		my ($dbname, @commands) = @_;
		my ($out, $err) = ('', '');
		IPC::Run::run(
			[ 'psql', '--no-psqlrc', '--quiet', '--no-align', '--tuples-only', '--dbname' => "host=$dir port=$port dbname=$dbname user=crm_job",
				map { ('--command' => $_) } @commands ],
			'<', \'', '>', \$out, '2>', \$err);
		chomp $out;
		return ($out, $err);
	};
	# a refresh in the background, when it is under way: its client, what this has said on stderr, the process of the server
	my $start_refresh = sub {
		my ($dbname, $test) = @_;
		my ($out, $err) = ('', '');
		my $client = IPC::Run::start(
			[ 'psql', '--no-psqlrc', '--quiet', '--dbname' => "host=$dir port=$port dbname=$dbname user=crm_job", '--command' => 'CALL mart.refresh()' ],
			'<', \'', '>', \$out, '2>', \$err);
		ok( $node->poll_query_until('pooled', q{SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'CALL mart.refresh%' AND wait_event = 'PgSleep')}), $test);
		return ($client, \$err, $node->safe_psql('pooled', q{SELECT pid FROM pg_stat_activity WHERE query LIKE 'CALL mart.refresh%' AND state = 'active'}));
	};
	my ($out, $err);
	foreach my $try (1 .. 100)
	{
		($out, $err) = $through->('pooled', 'SELECT 1');
		last if $out eq '1';
		sleep 0.1;
	}
	is($out, '1', 'PgBouncer answers') or diag($err . slurp_file("$dir/pgbouncer.log"));

	($out, $err) = $through->('pooled', 'CALL mart.refresh()');
	unlike($err, qr/ERROR/, 'refreshed through PgBouncer');
	my $customers = $node->safe_psql('pooled', 'SELECT count(*) FROM mart.customer_value');
	cmp_ok($customers, '>', 100, "the mart has $customers customers");

	# Other clients hold sessions of the pool in turn, so that the second refresh need not meet the first one's.
	my @others = map {
		IPC::Run::start([ 'psql', '--no-psqlrc', '--quiet', '--dbname' => "host=$dir port=$port dbname=pooled user=crm_job",
				'--command' => 'BEGIN', '--command' => 'SELECT pg_sleep(0.5)', '--command' => 'COMMIT' ], '<', \'', '>', "$dir/other$_", '2>&1')
	} 1 .. 2;
	$node->poll_query_until('pooled', q{SELECT count(*) = 2 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(0.5)' AND state = 'active'});
	($out, $err) = $through->('pooled', 'CALL mart.refresh()', 'SELECT count(*) FROM mart.customer_value', 'CALL mart.refresh()');
	unlike($err, qr/ERROR/, 'refreshed twice more, other clients in between');
	is($out, $customers, 'the client reads the mart between its refreshes');
	$_->finish foreach @others;
	is($node->safe_psql('pooled', $runs), '3|0', 'three runs are logged, without an error');

	# the protocol of drivers that prepare their statements
	append_to_file("$dir/refresh.sql", "CALL mart.refresh();\nSELECT count(*) FROM mart.customer_value;\n");
	$node->command_ok(
		[ 'pgbench', '--no-vacuum', '--protocol=extended', '--transactions=2', "--file=$dir/refresh.sql", '--host' => $dir, '--port' => $port, '--username' => 'crm_job', 'pooled' ],
		'refreshed through PgBouncer in the extended protocol');
	is($node->safe_psql('pooled', $runs), '5|0', 'five runs are logged');

	# Two at once. The pooler gives each a session of its own.
	$node->safe_psql('pooled', 'UPDATE raw.pause SET seconds = 1.5');
	my ($first, $first_err, $pid) = $start_refresh->('pooled', 'a refresh is under way');
	($out, $err) = $through->('pooled', 'CALL mart.refresh()');
	like($err, qr/ERROR.*\b$pid\b/s, 'the second is refused and told who runs the first');
	($out, $err) = $through->('pooled', q{SET statement_timeout = '10s'; SELECT count(*) FROM mart.customer_value});
	is($out, $customers, 'a client reads the mart meanwhile');
	$node->safe_psql('pooled', 'UPDATE raw.pause SET seconds = 0');
	$first->finish;
	unlike($$first_err, qr/ERROR/, 'the first goes on to its end');

	# Cancelled in the only session of a pool, which the next client gets.
	$node->safe_psql('pooled', 'UPDATE raw.pause SET seconds = 20');
	(my $cancelled, my $cancelled_err, $pid) = $start_refresh->('single', 'a refresh in a pool of one session is under way');
	$cancelled->signal('INT');
	$cancelled->finish;
	like($$cancelled_err, qr/canceling statement due to user request/, 'it is cancelled by its client');
	$node->safe_psql('pooled', 'UPDATE raw.pause SET seconds = 0');
	is($node->safe_psql('pooled', $locks), '0', 'nothing is locked');
	($out, $err) = $through->('single', 'SELECT pg_backend_pid()', 'CALL mart.refresh()');
	is($out, $pid, 'the next client meets the same session');
	unlike($err, qr/ERROR/, 'and refreshes in it');
	is($node->safe_psql('pooled', 'SELECT count(*) FROM mart.customer_value'), $customers, 'the mart is whole');
	is($node->safe_psql('pooled', $locks), '0', 'nothing is locked in any session of the pools');

	$bouncer->kill_kill;
	$node->stop;
}

# ---- pg_cron: what became of the jobs ----

SKIP:
{
	skip 'pg_cron is not installed', 1 unless $has_cron;

	foreach (@cron)
	{
		my ($workers, $node) = @$_;
		my $how = $workers eq 'on' ? 'in a background worker' : 'in a connection';
		my $done = q{SELECT count(*) >= 2 FROM (SELECT DISTINCT command, database FROM cron.job_run_details WHERE end_time IS NOT NULL) AS ended};
		ok($node->poll_query_until('postgres', $done), "pg_cron has run both jobs $how");
		$node->safe_psql('postgres', 'SELECT cron.unschedule(jobid) FROM cron.job');
		is( $node->safe_psql('postgres', q{
				SELECT DISTINCT d.status, d.username, d.command FROM cron.job_run_details AS d WHERE d.database = 'postgres' AND d.end_time IS NOT NULL}),
			'succeeded|crm_job|CALL mart.refresh()', "$how: the refresh has succeeded");
		like($node->safe_psql('postgres', $runs), qr/^[1-9]\d*\|0$/, "$how: it is in the log of the mart");
		cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM mart.customer_value'), '>', 100, "$how: the mart is filled");
		is($node->safe_psql('postgres', $locks), '0', "$how: nothing is locked");
		is( $node->safe_psql('postgres', q{
				SELECT DISTINCT status, return_message LIKE '%division by zero%' FROM cron.job_run_details WHERE database = 'broken' AND end_time IS NOT NULL}),
			'failed|t', "$how: a refresh that fails is a job that fails, with its error");
		like($node->safe_psql('broken', q{SELECT DISTINCT error FROM mart.refresh_log WHERE error IS NOT NULL}),
			qr/division by zero/, "$how: which is in the log of the mart, too");
		$node->stop;
	}
}

done_testing();
