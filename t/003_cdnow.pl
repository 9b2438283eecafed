# The golden maxima and predictions on real orders: CDNOW, 2,357 customers, calibration to 1997-09-30.
# Numbers: BG/NBD and gamma-gamma by Newton iteration to a gradient below 1e-10, checked against lifetimes
# and CLVTools; origin of the data: Fader and Hardie.
use strict;
use warnings;
use Cwd qw(abs_path);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $data = $ENV{CLV_DATA} // '../shared/data';
my $orders = "$data/cdnow_sample_transactions.csv";
plan skip_all => "no data: $orders (set CLV_DATA)" unless -r $orders;

my $node = PostgreSQL::Test::Cluster->new('cdnow');
$node->init;
$node->start;

sub sql { return $node->safe_psql('postgres', $_[0]) }

# Relative where the golden number has all its digits, absolute in units of its last printed place.
sub near
{
	my ($actual, $expected, $tolerance, $name) = @_;
	ok(abs($actual - $expected) <= $tolerance * abs($expected), $name)
	  or diag("got $actual, expected $expected within $tolerance");
	return;
}

sql('CREATE EXTENSION clv;
	CREATE TABLE orders (master_id text, customer_id text, ordered_at date, cds int, amount numeric)');
sql("\\copy orders from '" . abs_path($orders) . "' csv header");
sql(q{CREATE TABLE histories AS SELECT customer_id, purchase_history(ordered_at, amount) AS h FROM orders GROUP BY customer_id;
	CREATE TABLE models AS SELECT bgnbd_fit(h, date '1997-09-30', 'week') AS m, gamma_gamma_fit(h, date '1997-09-30') AS gg FROM histories});

is(sql('SELECT count(*), (SELECT count(*) FROM histories) FROM orders'), '6919|2357', 'orders and customers');
is(sql(q{SELECT sum(total_spend(h, date 'yesterday')) = (SELECT sum(amount) FROM orders) FROM histories}), 't', 'every cent is in the histories');
is(sql(q{SELECT sum(purchases_within(h, '1997-09-30', '1998-06-30')) FROM histories}), 1882, 'purchases in the holdout');

my %golden = (
	r => [ .2425945224, .012557378 ],
	alpha => [ 4.413602019, .378224060 ],
	a => [ .7929220172, .185733822 ],
	b => [ 2.425906777, .705414260 ],
	p => [ 6.249572271, 1.190055335 ],
	q => [ 3.744224667, .290133065 ],
	v => [ 15.443520963, 4.159422750 ]);
foreach (split /\n/, sql('SELECT t.term, t.estimate, t.std_error FROM models, LATERAL (SELECT * FROM tidy(m) UNION ALL SELECT * FROM tidy(gg)) t'))
{
	my ($term, $estimate, $std_error) = split /\|/;
	near($estimate, $golden{$term}[0], 1e-6, "estimate of $term");
	near($std_error, $golden{$term}[1], 1e-4, "standard error of $term");
}
is(sql('SELECT n, converged FROM models, glance(m)'), '2357|t', 'BG/NBD: customers, converged');
is(sql('SELECT n, n_skipped, converged FROM models, glance(gg)'), '946|1411|t', 'gamma-gamma: repeat customers, converged');
my $ll = sql('SELECT log_likelihood FROM models, glance(m)');
ok(abs($ll + 9582.429206674) <= 1e-9, 'log-likelihood of BG/NBD') or diag($ll);
$ll = sql('SELECT log_likelihood FROM models, glance(gg)');
ok(abs($ll + 4055.9176948019) <= 1e-9, 'log-likelihood of gamma-gamma') or diag($ll);

# The other models of the same histories; of CNBD-k, k = 1 is BG/NBD and MBG/NBD, and the likelihood has to choose it or a better one.
my %family = (
	pareto_nbd => [ -9594.976178940, { r => .5532770469, alpha => 10.5776834633, s => .6062399891, beta => 11.6687352889 },
		{ r => .04762793, alpha => .84272253, s => .18728134, beta => 6.21111360 } ],
	mbgnbd => [ -9582.135715554, { r => .524843159, alpha => 6.183085280, a => .891359391, b => 1.614002240 }, {} ]);
foreach my $kind (sort keys %family)
{
	my ($log_likelihood, $estimates, $errors) = @{ $family{$kind} };
	sql("CREATE TABLE $kind AS SELECT ${kind}_fit(h, date '1997-09-30', 'week') AS m FROM histories");
	my $found = sql("SELECT log_likelihood FROM $kind, glance(m)");
	ok(abs($found - $log_likelihood) <= 1e-9, "log-likelihood of $kind") or diag($found);
	foreach (split /\n/, sql("SELECT t.term, t.estimate, t.std_error FROM $kind, tidy(m) AS t"))
	{
		my ($term, $estimate, $std_error) = split /\|/;
		near($estimate, $estimates->{$term}, 1e-6, "$kind: estimate of $term");
		near($std_error, $errors->{$term}, 1e-4, "$kind: standard error of $term") if $errors->{$term};
	}
}
is( sql(q{SELECT string_agg(kind, ' ' ORDER BY kind), bool_and(converged), bool_and(kind NOT LIKE '%cnbd' OR log_likelihood > -9582.5)
		FROM (SELECT clv_sample(h, date '1997-09-30', 'week') AS s FROM histories) AS s, compare_models(s)}),
	'bgcnbd bgnbd mbgcnbd mbgnbd pareto_nbd|t|t', 'all models of the sample');

is( sql(q{SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
		ALTER TABLE histories SET (parallel_workers = 2);
		SELECT bgnbd_fit(h, date '1997-09-30', 'week') = m FROM histories, models GROUP BY m}),
	't', 'the parallel fit is the serial one to the byte');

# The holdout: 39 weeks to 1998-06-30, from the same histories. Predicted as lifetimes does with the two-decimal data
# (1,653, 1,577 and 1,666), for each model of the table.
sql(q{CREATE TABLE holdout AS SELECT holdout_sample(h, date '1997-09-30', date '1998-06-30', 'week') AS s, calendar_sample(h) AS c FROM histories});
my %predicted = (bgnbd => 1653, mbgnbd => 1577, pareto_nbd => 1666);
foreach my $kind (sort keys %predicted)
{
	is(sql("SELECT kind, customers, actual_purchases, round(predicted_purchases), actual_spend, converged FROM holdout, backtest(s, '$kind')"),
		"$kind|2357|1882|$predicted{$kind}|70976.39|t", "backtest of $kind");
}
is(sql('SELECT kind, round(predicted_purchases) FROM holdout, backtest(s)'), 'pareto_nbd|1666', 'Pareto/NBD is the default');
is( sql(q{SELECT abs(b.predicted_purchases - p.purchases) < 1e-9, abs(b.predicted_spend - p.spend) < 1e-7, b.actual_spend::numeric = p.actual
		FROM holdout, models, backtest(s, m, gg) AS b, (
			SELECT sum(expected_purchases(m, h, '1997-09-30', '1998-06-30')) AS purchases, sum(spend_within(h, '1997-09-30', '1998-06-30')) AS actual,
				   sum(expected_purchases(m, h, '1997-09-30', '1998-06-30') * expected_spend(gg, h, '1997-09-30')) AS spend
			FROM histories, models) AS p}),
	't|t|t', 'the backtest is the sum of the predictions');
is(sql('SELECT sum(customers), sum(actual_purchases), count(*) FROM holdout, models, backtest_classes(s, m)'), '2357|1882|8', 'classes hold everybody');
is(sql(q{SELECT sum(actual), round(max(expected_cumulative)) FROM holdout, models, tracking(c, m, 'week', date '1998-06-30')}),
	sql(q{SELECT sum(repeat_purchases(h, '1998-06-30')), round(sum(expected_purchases(m, (date '1998-06-30' - first_purchase(h)) / 7.0))) FROM histories, models}),
	'tracking ends with the repeat purchases and the expectations of all');

# Two-decimal summary: the paper's data, as lifetimes fits and predicts it
# ---- a mart of these orders alone, as known at the end of the calibration and at that of the data ----

sql(q{CREATE SCHEMA shop;
	CREATE VIEW shop.orders AS SELECT customer_id, ordered_at, amount FROM public.orders;
	SELECT count(*) FROM clv_create_mart('shop', 'mart', horizon_days => 273, build => false);
	CALL mart.refresh(as_of => '1997-09-30')});
is(sql('SELECT count(*), sum(total_spend) = (SELECT sum(amount) FROM orders WHERE ordered_at <= \'1997-09-30\') FROM mart.customer_value'),
	'2357|t', 'mart: customers, every cent');
# one cohort, the first quarter of 1997, so that its model is that of all
is(sql(q{SELECT cohort, model_scope, customers FROM mart.cohort_value}), '1997 Q1|cohort|2357', 'mart: the cohort');
near(sql(q{SELECT coef(model, 'r') FROM mart_store.model_history WHERE role = 'purchase' AND cohort IS NULL}), .55327550, 1e-2, 'mart: its model');
near(sql('SELECT sum(expected_purchases) FROM mart.customer_value'),
	sql(q{SELECT sum(expected_purchases(m, h, '1997-09-30', '1998-06-30')) FROM histories, (SELECT pareto_nbd_fit(h, date '1997-09-30', 'week') AS m FROM histories) AS f}),
	1e-12, 'mart: purchases expected in the holdout');
sql('CALL mart.refresh(refit => true)');
is(sql('SELECT as_of, sum(total_spend) = (SELECT sum(amount) FROM orders) FROM mart.customer_value GROUP BY as_of'), '1998-06-30|t', 'mart: the last day');
is(sql(q{SELECT string_agg(verdict, ',') FROM mart.reconciliation WHERE item LIKE '%less%'}), 'equal to the cent,equal to the cent', 'mart: reconciled');
is(sql(q{SELECT string_agg(attname, ' ') FROM pg_attribute WHERE attrelid = 'mart.customer_value'::regclass AND attnum > 0
		AND NOT EXISTS (SELECT FROM mart.customer_value AS c WHERE (to_jsonb(c) -> attname) <> 'null')}),
	'', 'mart: no column of NULL');

SKIP:
{
	my $summary = "$data/cdnow_summary.csv";
	skip "no data: $summary", 11 unless -r $summary;
	sql('CREATE TABLE summary (id int, x float8, t_x float8, t_cal float8)');
	sql("\\copy summary from '" . abs_path($summary) . "' csv header");
	my %fitted = map { split /\|/ } split /\n/, sql('SELECT term, estimate FROM (SELECT bgnbd_fit(x, t_x, t_cal) AS m FROM summary) f, tidy(m)');
	my %lifetimes = (r => .24259291, alpha => 4.41353156, a => .79288615, b => 2.42575345);
	near($fitted{$_}, $lifetimes{$_}, 1e-6, "$_ of the two-decimal data") foreach sort keys %lifetimes;
	my %sums = (
		'bgnbd_model(.24259291, 4.41353156, .79288615, 2.42575345)' => [ 1917.276332, 1653.423257 ],
		'mbgnbd_model(.52483794, 6.18299166, .89135616, 1.61399943)' => [ 1057.638406, 1576.735741 ],
		'pareto_nbd_model(.55327550, 10.57761229, .60621349, 11.66790965)' => [ 1051.878942, 1665.534300 ]);
	foreach my $model (sort keys %sums)
	{
		my ($alive, $expected) = split /\|/, sql(
			"SELECT sum(p_alive(m, x, t_x, t_cal)), sum(expected_purchases(m, x, t_x, t_cal, 39)) FROM summary, $model AS m");
		near($alive, $sums{$model}[0], 1e-7, "$model: sum of P(alive)");
		near($expected, $sums{$model}[1], 1e-7, "$model: sum of expected purchases in 39 weeks");
	}
	my $pareto = sql('SELECT log_likelihood FROM (SELECT pareto_nbd_fit(x, t_x, t_cal) AS m FROM summary) f, glance(m)');
	ok(abs($pareto + 9594.973929827) <= 1e-9, 'log-likelihood of Pareto/NBD') or diag($pareto);
}

$node->stop;
done_testing();
