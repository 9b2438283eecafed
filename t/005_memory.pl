# Memory of a session: what is detoasted for a comparison must not live until the sort ends, nor what a row's
# intervals need until the query ends.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'needs /proc/self/status' unless -r '/proc/self/status';

my $node = PostgreSQL::Test::Cluster->new('memory');
$node->init;
$node->start;

# peak resident memory in MB of a fresh session that runs the query; its buffers are read in and counted, too
sub peak
{
	my ($query) = @_;
	my $status = $node->safe_psql('postgres', "SET work_mem = '4MB'; SET maintenance_work_mem = '16MB'; SET jit = off;
		SET max_parallel_workers_per_gather = 0; SET max_parallel_maintenance_workers = 0; $query;
		SELECT pg_read_file('/proc/self/status', 0, 10000)");
	return $status =~ /VmHWM:\s+(\d+) kB/ ? $1 / 1024 : die "no VmHWM in $status";
}

$node->safe_psql('postgres', q{CREATE EXTENSION clv;
	CREATE TABLE short AS SELECT purchase_history(date '2024-01-01' + (i * 7919) % 977 + j, i) AS value, md5(i::text) AS plain
	FROM generate_series(1, 100000) i, generate_series(1, 4) j GROUP BY i;
	CREATE TABLE long AS SELECT i, purchase_history(date '2000-01-01' + j * (1 + i % 2), (i * 7919) % 977) AS value, md5(i::text) AS plain
	FROM generate_series(1, 100) i, generate_series(1, 4000) j GROUP BY i;
	VACUUM (ANALYZE) short; VACUUM (ANALYZE) long});

foreach my $table (qw(short long))
{
	my $control = peak("SELECT count(*) FROM (SELECT value FROM $table ORDER BY plain OFFSET 0) s");
	my $sorted = peak("SELECT count(*) FROM (SELECT value FROM $table ORDER BY value OFFSET 0) s");
	cmp_ok($sorted, '<', $control + 40, "ORDER BY of $table histories takes no more memory than of text")
	  or diag("$sorted MB, the control $control MB");
}
my $index = peak('CREATE INDEX short_value ON short (value)');
cmp_ok($index, '<', 120, 'CREATE INDEX') or diag("$index MB");

# ---- 100,000 rows take no more than 1,000 ----

$node->safe_psql('postgres', q{
	CREATE TABLE model AS SELECT p.m, g.gg, 'pareto_nbd(unit=day){r=0.55,alpha=74,s=0.61,beta=82,purchase_1=0.4,dropout_1=-0.3}'::clv_model AS described
	FROM (SELECT pareto_nbd_fit(h, '2024-12-31') AS m FROM (
			SELECT purchase_history(date '2024-01-01' + first_day + day, 1) AS h
			FROM (SELECT customer, day, customer % 60 AS first_day
				  FROM simulate_purchases(pareto_nbd_model(1, 30, 1, 60, 'day'), 2000, 300, 1)) AS s GROUP BY customer) AS histories) AS p,
		(SELECT gamma_gamma_fit(1 + i % 5, 10 + i % 37 + i % 7 * 3) AS gg FROM generate_series(1, 2000) AS i) AS g;
	CREATE TABLE kept AS
	SELECT regression_sample(event, ARRAY[y, r]) AS rows, clv_moments(y, ARRAY[r, y * r]) AS moments, survival_sample(1 + floor(5 * r), event, ARRAY[y, i % 2], 0, i % 9) AS times,
		   prediction_sample(y, event) AS predictions, effect_sample(y, event, ARRAY[r], i) AS effect
	FROM (SELECT i, y, r, y > 0.2 + 0.6 * r AS event
		  FROM (SELECT i, i * 37 % 41 / 41.0 AS y, i * 23 % 43 / 43.0 AS r FROM generate_series(1, 60) AS i) AS n) AS u;
	CREATE TABLE fitted AS SELECT logit_fit(rows) AS logit FROM kept;
	CREATE TABLE customers AS SELECT i, purchase_history(date '2024-01-01' + (i * 7919) % 177 + j * 40, 10 + i % 30) AS h
	FROM generate_series(1, 100000) AS i, generate_series(0, 2) AS j GROUP BY i;
	VACUUM (ANALYZE) customers});

my %per_row = (
	clv_ci => "clv_ci(m, gg, h, date '2024-12-31', date '2025-12-31', 0.1)",
	purchase_count_interval => "purchase_count_interval(m, h, date '2024-12-31', date '2025-06-30')",
	clv_explain => "(SELECT count(value) FROM clv_explain(m, gg, h, date '2024-12-31' + i % 5, date '2025-12-31', 0.1))",
	clv_sensitivity => "(SELECT count(value) FROM clv_sensitivity(i::float8, 4, 3, 0.5))",
	predict => 'predict(logit, ARRAY[i, 1])',
	tidy => '(SELECT count(term) FROM tidy(logit, 0.9 + 1e-7 * i))',
	wald_test => "(SELECT w.p_value FROM wald_test(logit, CASE WHEN i > 0 THEN ARRAY['x1', 'x2'] END) AS w)",
	marginal_effects => '(SELECT count(term) FROM marginal_effects(logit, rows, i > 0))',
	logit_fit => "logit_fit(rows, CASE WHEN i > 0 THEN 'ml' END)",
	lm_fit => "lm_fit(rows, CASE WHEN i > 0 THEN 'HC3' END)",
	correlation => '(SELECT c.estimate FROM correlation(moments, 1 + i % 2) AS c)',
	cox_fit => "cox_fit(times, CASE WHEN i > 0 THEN 'efron' END)",
	hazard_fit => "hazard_fit(times, CASE WHEN i > 0 THEN 'model' END)",
	survival_points => '(SELECT count(at) FROM survival_points(times, 0.9 + 1e-7 * i))',
	log_rank_test => '(SELECT l.p_value FROM log_rank_test(CASE WHEN i > 0 THEN ARRAY[times, times] END) AS l)',
	landmark => "(SELECT l.churned FROM landmark(h, NULL, '2024-06-30', date '2024-07-31' + i % 60, '2025-12-31') AS l)",
	prediction_quality => '(SELECT count(measure) FROM prediction_quality(predictions, 2 + i % 3))',
	lift_projection => '(SELECT count(quantity) FROM lift_projection(logit, rows, 2, 1e-6 * i, 100, 0.1))',
	aipw_effect => '(SELECT a.n FROM aipw_effect(effect, 2 + i % 2, 1) AS a)',
	coefficient_drift => "(SELECT c.p_value FROM coefficient_drift(logit, logit, 'x1', 0.9 + 1e-7 * i) AS c)",
	psi => '(SELECT p.psi FROM psi(ARRAY[10, 20, i], ARRAY[11, 19, 40]) AS p)',
	with_covariates => "p_alive(with_covariates(described, ARRAY[i % 3]), h, date '2024-12-31')");
my %slow = map { $_ => 1 } qw(logit_fit lm_fit cox_fit hazard_fit aipw_effect prediction_quality);
foreach my $what (sort keys %per_row)
{
	my $rows = $slow{$what} ? 10000 : 100000;
	my ($few, $many) = map { peak("SELECT count(v) FROM (SELECT $per_row{$what} AS v FROM customers, model, kept, fitted WHERE i <= $_ OFFSET 0) AS s") } (1000, $rows);
	cmp_ok($many, '<', $few + 8, "$what: $rows rows take no more memory than 1000")
	  or diag("$many MB, 1,000 rows $few MB");
}

# ---- the scores of a partition: two work_mem for the rows of the window and the sorts, however many rows ----

foreach my $score (
	[ 'c, 1 + c % 7, c % 1000', 'generate_series(1, 100000 * %d) AS c' ],
	[ "value, date '2024-12-31'", 'long, generate_series(1, 10 * %d)' ])
{
	my ($columns, $from) = @$score;
	my ($few, $many) = map { peak("SELECT count(score) FROM (SELECT rfm_score($columns) OVER () AS score FROM " . sprintf($from, $_) . ") AS s") } (1, 10);
	cmp_ok($many, '<', $few + 16, "rfm_score($columns): ten times the rows take no more memory")
	  or diag("$many MB, a tenth of the rows $few MB");
}

$node->stop;
done_testing();
