# A planted effect is found: 200 simulated contact centres of 800 customers (script/contact_centre.sql), in which resolution
# keeps customers by a known amount, tenure and channel confound, tone mediates, and 30 % have no scores.
#
# The pipeline is that of docs/lift.md: histories, landmark, logistic regression on what was known at the landmark, change
# of the probability by +0.05 resolution. Its 95 % interval must cover the truth in 182 to 199 of the 200; that of the pooled
# relation, and of a model that holds the mediator constant, must not, and what the room says of the columns must say why.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('impact');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nwork_mem = '64MB'");
$node->start;

sub sql { return $node->safe_psql('postgres', $_[0]) }

my $folder = abs_path(dirname(__FILE__) . '/../script');
$node->command_ok(
	[ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-v', 'runs=200', '-v', 'customers=800', '-f', "$folder/contact_centre.sql" ],
	'200 contact centres');

sql(q{CREATE EXTENSION clv;
	CREATE TABLE history AS SELECT run, customer_id, purchase_history(ordered_on, amount) AS orders FROM orders GROUP BY 1, 2;
	CREATE TABLE score AS
		SELECT run, customer_id, interaction_history(evaluated_at, score) FILTER (WHERE name = 'resolution') AS resolution,
			   interaction_history(evaluated_at, score) FILTER (WHERE name = 'tone') AS tone
		FROM evaluations GROUP BY 1, 2;
	CREATE TABLE seen AS
		SELECT c.run, c.customer_id, channel, r.churned, r.tenure / 365.25 AS tenure, r.mean_score AS resolution, t.mean_score AS tone,
			   ARRAY[r.mean_score, r.tenure / 365.25, (channel = 'phone')::int, (channel = 'store')::int, (channel = 'partner')::int] AS x
		FROM customers AS c JOIN history AS h USING (run, customer_id) LEFT JOIN score AS s USING (run, customer_id),
			LATERAL landmark(h.orders, s.resolution, '2024-12-31', '2025-12-31', '2025-12-31', churned_on) AS r,
			LATERAL landmark(h.orders, s.tone, '2024-12-31', '2025-12-31', '2025-12-31', churned_on) AS t});

is(sql('SELECT count(*), bool_and((churned IS TRUE) = (churned_on IS NOT NULL)) FROM seen JOIN customers USING (run, customer_id)'),
	'160000|t', 'the landmark view has the outcome of every customer');
my $without = sql('SELECT avg((resolution IS NULL)::int) FROM seen');
ok($without > .28 && $without < .33, 'three in ten customers have no scores') or diag($without);

sql(q{CREATE TABLE fit AS
		SELECT run, logit_fit(churned, x) AS total, regression_sample(churned, x) AS rows,
			   logit_fit(churned, x || tone) AS held, regression_sample(churned, x || tone) AS held_rows,
			   lm_fit(churned::int, ARRAY[resolution]) AS pooled
		FROM seen GROUP BY run});
is(sql('SELECT bool_and(n_skipped > 0 AND n + n_skipped = 800 AND converged) FROM fit, glance(total)'), 't',
	'customers without scores are dropped, and counted');

sub covers
{
	my ($effect, $from) = @_;
	return split /\|/, sql("SELECT count(*) FILTER (WHERE t.effect BETWEEN e.conf_low AND e.conf_high), avg($effect), avg(t.effect)
		FROM fit JOIN truth AS t USING (run), LATERAL $from AS e");
}

my ($found, $mean, $truth) = covers('e.change', 'predicted_change(total, rows, 1, 0.05)');
note("covered $found of 200, mean $mean, truth $truth");
ok($found >= 182 && $found <= 199, 'the interval of the pipeline covers the planted effect in at least 91 % of the runs') or diag($found);
ok(abs($mean / $truth - 1) < .05, 'and it is right in the mean') or diag("$mean, $truth");

($found) = covers('e.estimate', 'lift_projection(total, rows, 1, 0.05, 120, 0.10)');
my ($projected) = split /\|/, sql(q{SELECT count(*) FILTER (WHERE t.effect BETWEEN e.conf_low AND e.conf_high)
	FROM fit JOIN truth AS t USING (run), lift_projection(total, rows, 1, 0.05, 120, 0.10) AS e WHERE quantity = 'churn_change'});
ok($projected >= 182, 'so does the churn that a projection of value begins with') or diag($projected);

($found, $mean) = covers('e.estimate', q{(SELECT 0.05 * estimate AS estimate, 0.05 * conf_low AS conf_low, 0.05 * conf_high AS conf_high FROM tidy(pooled) WHERE term = 'x1')});
note("pooled: covered $found of 200, mean $mean");
ok($found < 40, 'the pooled relation hardly ever does') or diag($found);
ok($mean / $truth > 1.5, 'because tenure and channel are in it') or diag($mean);

($found, $mean) = covers('e.change', 'predicted_change(held, held_rows, 1, 0.05)');
note("tone held: covered $found of 200, mean $mean");
ok($mean / $truth < .75, 'a model that holds tone constant finds the direct part only') or diag($mean);
like(sql(q{SELECT string_agg(warning, E'\n') FROM driver_warnings(ARRAY['resolution', 'tone', 'tenure', 'channel'])}),
	qr/tone stands between resolution and churn/, 'and the warning says why');

# the driver table of one centre: what is pooled shrinks within channels and given tenure
my ($pooled_r, $partial_r, $note) = split /\|/, sql(q{
	CREATE VIEW long AS SELECT customer_id, 'resolution' AS evaluator, resolution AS score, churned::int AS churned, channel, tenure FROM seen WHERE run = 1;
	SELECT pooled_r, partial_r, note FROM driver_table('long', 'churned', 'evaluator', 'score', 'channel', ARRAY['tenure'])});
note("pooled $pooled_r, partial $partial_r: $note");
ok($pooled_r < 1.5 * $partial_r && $partial_r < 0, 'the driver table shows the pooled correlation shrink') or diag("$pooled_r $partial_r");

done_testing();
