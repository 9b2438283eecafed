# A running fit can be cancelled and timed out within 100 ms, and the session goes on.
#
# The fit must be long for this to be a test: a sample of some million distinct rows, fitted over and over in one query.
# A single late answer may be the machine's, so the median of several counts.
use strict;
use warnings;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $limit = 100;    # ms
my $tries = 3;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "max_parallel_workers_per_gather = 0\njit = off\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION clv');

# The rows follow no model, which is fine: it takes as long. The sample is stored uncompressed and once.
$node->safe_psql('postgres', q{
	CREATE TABLE timing (s clv_sample);
	ALTER TABLE timing ALTER s SET STORAGE EXTERNAL;
	INSERT INTO timing
	SELECT clv_sample(x, t_x, t_x + 1 + 20 * r, x * ln(t_x / x) - 0.5 * x) FROM (
		SELECT floor(1 + 10 * sqrt(i % 1000 / 1000::float8)) AS x, 1 + 70 * (i * 7919 % 1000003 / 1000003::float8) AS t_x,
			   (i * 104729 % 1000033) / 1000033::float8 AS r
		FROM generate_series(1::bigint, 1500000) AS i) AS rows;
	CREATE TABLE described (s clv_sample);
	ALTER TABLE described ALTER s SET STORAGE EXTERNAL;
	INSERT INTO described
	SELECT clv_sample(1 + i % 9, 1 + i % 71, 80 + i % 13, ARRAY[(i * 7919 % 1000003) / 1000003::float8, i % 2])
	FROM generate_series(1::bigint, 300000) AS i;
	CREATE TABLE spend (s clv_sample);
	ALTER TABLE spend ALTER s SET STORAGE EXTERNAL;
	INSERT INTO spend
	SELECT clv_sample(1 + i % 20, 5 + exp(4 * (i * 7919 % 1000003 / 1000003::float8))) FROM generate_series(1::bigint, 1500000) AS i;
	CREATE TABLE holdout (s clv_sample);
	ALTER TABLE holdout ALTER s SET STORAGE EXTERNAL;
	INSERT INTO holdout
	SELECT ('holdout(unit=day,as_of=2024-01-31,until=2024-03-01){' ||
			string_agg(format('%s:%s:200:%s:%s:%s', 1 + i / 100000, i % 100000 / 1000.0, 10 + i % 7, i % 3, i % 3 * 11), ',' ORDER BY i) || '}')::clv_sample
	FROM generate_series(0, 1499999) AS i;
	CREATE TABLE calendar AS
	SELECT calendar_sample(h) AS s FROM (SELECT purchase_history(date '2024-01-01' + i) AS h FROM generate_series(1, 1000) AS i GROUP BY i) AS histories;
	CREATE TABLE response AS
	SELECT i / 3 AS customer, y, 1 + floor(40 * r) AS tenure, y > 0.2 + 0.7 * r AS event, floor(10 * r * y) AS entry, y > r AS treated,
		   ARRAY[y + r, i % 2, (i * 65537 % 1000003) / 1000003::float8, r * r, i % 7] AS x
	FROM (SELECT i, (i * 7919 % 1000003) / 1000003::float8 AS y, (i * 104729 % 1000033) / 1000033::float8 AS r FROM generate_series(1::bigint, 300000) AS i) AS u;
	CREATE TABLE kept AS
	SELECT regression_sample(event, x) AS rows, regression_sample(event, x, customer) AS clustered, survival_sample(tenure + y, event, x, entry, customer) AS times,
		   survival_sample(tenure, event, x, entry) AS months, prediction_sample(y, event) AS predictions, effect_sample(y, treated, x, customer) AS effect,
		   pair_sample(y, tenure + x[1]) AS pairs
	FROM response;
	ALTER TABLE kept ALTER rows SET STORAGE EXTERNAL, ALTER clustered SET STORAGE EXTERNAL, ALTER times SET STORAGE EXTERNAL, ALTER months SET STORAGE EXTERNAL,
		ALTER predictions SET STORAGE EXTERNAL, ALTER effect SET STORAGE EXTERNAL, ALTER pairs SET STORAGE EXTERNAL;
	CREATE TABLE regression AS SELECT logit_fit(rows) AS logit, lm_fit(rows) AS lm FROM kept;
	CREATE TABLE customers AS SELECT 1 + i % 40 AS x, 30 + i % 7 AS t_x, 40 + i % 97 / 7::float8 AS t FROM generate_series(1, 3000000) AS i;
});

my %queries = (
	'fit of BG/NBD' => 'SELECT count(bgnbd_fit(s)) FROM timing, generate_series(1, 100000) AS n WHERE n > 0',
	'fit of Pareto/NBD' => 'SELECT count(pareto_nbd_fit(s)) FROM timing, generate_series(1, 100000) AS n WHERE n > 0',
	'fit of BG/CNBD-k' => 'SELECT count(bgcnbd_fit(s)) FROM timing, generate_series(1, 100000) AS n WHERE n > 0',
	'fit with covariates' => 'SELECT count(pareto_nbd_fit(s)) FROM described, generate_series(1, 100000) AS n WHERE n > 0',
	'interval of a count' => 'SELECT purchase_count_interval(pareto_nbd_model(2, .001, 1e-4, 1000), 0, 0, 1, 1e9)',
	'fit of gamma-gamma' => 'SELECT count(gamma_gamma_fit(s)) FROM spend, generate_series(1, 100000) AS n WHERE n > 0',
	'fit from rows' => 'SELECT bgnbd_fit(x + n, t_x, t) FROM customers, generate_series(1, 100) AS n',
	'comparison of models' => 'SELECT count(*) FROM timing, generate_series(1, 1000) AS n, compare_models(s)',
	'simulation' => 'SELECT count(*) FROM simulate_purchases(pareto_nbd_model(.55, 10.6, .61, 11.7), 2000000000, 100, 1)',
	'simulation of a long life' => q{SELECT count(*) FROM simulate_purchases(pareto_nbd_model(1e5, 1e-5, .8, 1e12, 'week'), 1000, 3652058, 1)},
	'simulation of one customer' => 'SELECT count(*) FROM simulate_purchases(pareto_nbd_model(1e9, 1, 1, 1e9), 1, 1000, 1, gamma_gamma_model(6, 4, 15))',
	'backtest' => 'SELECT count(b.mae) FROM holdout, generate_series(1, 1000) AS n, backtest(s, bgnbd_model(.25, 4.4 + n, .8, 2.4, \'day\'), gamma_gamma_model(6, 4, 15)) AS b',
	'backtest by class' => 'SELECT count(*) FROM holdout, generate_series(1, 1000) AS n, backtest_classes(s, bgnbd_model(.25, 4.4 + n, .8, 2.4, \'day\'))',
	'backtest with fits' => 'SELECT count(b.mae) FROM holdout, generate_series(1, 1000) AS n, backtest(s, CASE WHEN n > 0 THEN \'bgnbd\' END) AS b',
	'tracking' => q{SELECT count(*) FROM calendar, generate_series(1, 1000) AS n, tracking(s, bgnbd_model(.25, 4.4 + n, .8, 2.4, 'day'), 'day', date '9999-12-31')},
	'scores of a partition' => q{SELECT count(r) FROM (SELECT rfm_score(t_x, x, t) OVER () AS r FROM customers, generate_series(1, 10)) AS s},
	'breaks between scores' => 'SELECT rfm_breaks(t_x, x, t + n / 97.0) FROM customers, generate_series(1, 10) AS n',
	'linear regression' => q{SELECT count(lm_fit(rows, CASE WHEN n > 0 THEN 'HC3' END)) FROM kept, generate_series(1, 100000) AS n},
	'errors by cluster' => q{SELECT count(lm_fit(clustered, CASE WHEN n > 0 THEN 'CR1' END)) FROM kept, generate_series(1, 100000) AS n},
	'moments of clusters' => q{SELECT lm_cluster_fit(m) FROM (SELECT customer, clv_moments(y + n, x) AS m FROM response, generate_series(1, 100) AS n GROUP BY customer) AS c},
	'logistic regression' => q{SELECT count(logit_fit(clustered, CASE WHEN n > 0 THEN 'ml' END)) FROM kept, generate_series(1, 100000) AS n},
	'Firth' => q{SELECT count(logit_fit(rows, CASE WHEN n > 0 THEN 'firth' END)) FROM kept, generate_series(1, 100000) AS n},
	'marginal effects' => q{SELECT count(*) FROM kept, regression, generate_series(1, 100000) AS n, marginal_effects(logit, rows, n > 0)},
	'Cox regression' => q{SELECT count(cox_fit(times, CASE WHEN n > 0 THEN 'efron' END)) FROM kept, generate_series(1, 100000) AS n},
	'hazard' => q{SELECT count(hazard_fit(months, CASE WHEN n > 0 THEN 'model' END)) FROM kept, generate_series(1, 100000) AS n},
	'Kaplan-Meier' => q{SELECT count(k.estimate) FROM kept, generate_series(1, 100000) AS n, km_mean(times, 20 + 1e-4 * n) AS k},
	'log-rank test' => q{SELECT count(l.df) FROM kept, generate_series(1, 100000) AS n, log_rank_test(CASE WHEN n > 0 THEN ARRAY[times, months, times] END) AS l},
	'quality of predictions' => q{SELECT count(*) FROM kept, generate_series(1, 100000) AS n, prediction_quality(predictions, 5 + n % 10)},
	'rank correlation' => q{SELECT count(r.n) FROM kept, generate_series(1, 100000) AS n, rank_correlation(pairs, 0.9 + 1e-7 * n) AS r},
	'lift projection' => q{SELECT count(*) FROM kept, regression, generate_series(1, 100000) AS n, lift_projection(logit, rows, 3, 1e-6 * n, 100, 0.1)},
	'doubly robust effect' => q{SELECT count(a.n) FROM kept, generate_series(1, 100000) AS n, aipw_effect(effect, 2 + n % 3) AS a},
	'partially linear effect' => q{SELECT count(a.n) FROM kept, generate_series(1, 100000) AS n, partial_effect(effect, 2 + n % 3) AS a},
	'predictions' => q{SELECT sum(expected_purchases(m, x, t_x, t, 52 + n)) FROM customers, generate_series(1, 100) AS n,
		(SELECT bgnbd_model(.25, 4.4, .8, 2.4) AS m OFFSET 0) AS model});

sub median
{
	my @sorted = sort { $a <=> $b } @_;
	return $sorted[ @sorted / 2 ];
}

# ---- one fit takes longer than the limit, or the rest shows nothing ----

foreach my $fit (
	'SELECT bgnbd_fit(s) IS NULL FROM timing',
	'SELECT pareto_nbd_fit(s) IS NULL FROM timing',
	'SELECT bgcnbd_fit(s) IS NULL FROM timing',
	'SELECT pareto_nbd_fit(s) IS NULL FROM described',
	'SELECT gamma_gamma_fit(s) IS NULL FROM spend')
{
	my ($code, $out, $err) = $node->psql('postgres', "SET statement_timeout = " . 3 * $limit . "; $fit;");
	like($err, qr/canceling statement due to statement timeout/, "$fit: one call takes longer than " . 3 * $limit . ' ms');
}

# ---- statement_timeout ----

foreach my $what (sort keys %queries)
{
	my @late;
	my $timeout = 400;
	foreach my $try (1 .. $tries)
	{
		my $after = $timeout + 37 * $try;
		my ($code, $out, $err) = $node->psql('postgres',
			"SET client_min_messages = error; SET statement_timeout = $after;\n\\timing on\n$queries{$what};\n\\timing off\nRESET statement_timeout; SELECT 'goes on';",
			on_error_stop => 0);
		like($err, qr/canceling statement due to statement timeout/, "$what: times out");
		like($out, qr/goes on/, "$what: the session goes on");
		push @late, $1 - $after if $out =~ /^Time: ([\d.]+) ms/m;
	}
	is(scalar @late, $tries, "$what: timeouts measured");
	cmp_ok(median(@late), '<', $limit, sprintf('%s: times out within %d ms (%s)', $what, $limit, join(', ', map { sprintf '%.0f', $_ } @late)));
}

# ---- pg_cancel_backend ----

$node->safe_psql('postgres', q{
	CREATE FUNCTION cancel_and_wait(application text, after_seconds float8) RETURNS float8 LANGUAGE plpgsql VOLATILE AS $$
	DECLARE
		other int;
		begun timestamptz := clock_timestamp();
		sent timestamptz;
	BEGIN
		LOOP
			PERFORM pg_stat_clear_snapshot();
			SELECT pid INTO other FROM pg_stat_activity WHERE application_name = application AND state = 'active' AND query LIKE '%_fit(%';
			EXIT WHEN FOUND;
			IF clock_timestamp() > begun + interval '60 seconds' THEN
				RAISE EXCEPTION 'session % has not begun its query', application;
			END IF;
			PERFORM pg_sleep(0.01);
		END LOOP;
		PERFORM pg_sleep(after_seconds);
		sent := clock_timestamp();
		PERFORM pg_cancel_backend(other);
		LOOP
			PERFORM pg_stat_clear_snapshot();
			PERFORM FROM pg_stat_activity WHERE pid = other AND state = 'active';
			EXIT WHEN NOT FOUND OR clock_timestamp() > sent + interval '60 seconds';
			PERFORM pg_sleep(0.001);
		END LOOP;
		RETURN extract(epoch FROM clock_timestamp() - sent) * 1000;
	END $$});

my @late;
foreach my $try (1 .. $tries)
{
	my ($out, $err) = ('', '');
	my $run = IPC::Run::start(
		[
			'psql', '--no-psqlrc', '--no-align', '--tuples-only', '--dbname' => $node->connstr('postgres') . " application_name=cancelled$try",
			'--command' => $queries{'fit of BG/NBD'}, '--command' => q{SELECT coef(bgnbd_model(1, 2, 3, 4), 'alpha')}
		],
		'<', \'', '>', \$out, '2>', \$err);
	my $delay = 0.4 + 0.13 * $try;
	push @late, $node->safe_psql('postgres', "SELECT cancel_and_wait('cancelled$try', $delay)");
	$run->finish;
	like($err, qr/canceling statement due to user request/, 'cancelled');
	is($out, "2\n", 'the session goes on');
}
cmp_ok(median(@late), '<', $limit, sprintf('a fit is cancelled within %d ms (%s)', $limit, join(', ', map { sprintf '%.0f', $_ } @late)));

# ---- nothing is left behind ----

my $resident = q{substring(pg_read_file('/proc/self/status') FROM 'VmRSS:\s+(\d+)')::int / 1024};
SKIP:
{
	skip 'no /proc', 1 unless -r '/proc/self/status';
	my $round = "$queries{'fit of BG/NBD'};\n$queries{'fit of gamma-gamma'};\n";
	my ($code, $out) = $node->psql('postgres',
		"SET client_min_messages = error; SET statement_timeout = 300;\n" . $round x 2 . "RESET statement_timeout; SELECT 'at first', $resident; SET statement_timeout = 300;\n"
		  . $round x 8 . "RESET statement_timeout; SELECT 'at last', $resident;",
		on_error_stop => 0);
	my ($first) = $out =~ /at first\|(\d+)/;
	my ($last) = $out =~ /at last\|(\d+)/;
	cmp_ok($last - $first, '<', 30, "16 more cancelled fits leave no memory behind ($first MB, then $last MB)");
}

$node->stop;
done_testing();
