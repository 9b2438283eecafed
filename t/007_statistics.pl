# Every number of golden/statistics.csv through SQL: certified by NIST, published, or computed with 50 digits.
#
# Each check is a query over the data_*.csv beside it that returns rows (quantity, number); a line of statistics.csv that
# no check covers fails, as does a number that stands in no line. Where the functions show a number only in another
# form, the query says how it follows from what they show. The notes of the Kaplan-Meier curves hold numbers, too.
use strict;
use warnings;
use Cwd qw(abs_path);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $golden = $ENV{CLV_GOLDEN} // '../shared/golden';
plan skip_all => "no data: $golden/statistics.csv (set CLV_GOLDEN)" unless -r "$golden/statistics.csv";
my $folder = abs_path($golden);

my $node = PostgreSQL::Test::Cluster->new('statistics');
$node->init;
$node->start;

sub sql { return $node->safe_psql('postgres', $_[0]) }

sub load
{
	my ($table, $columns) = @_;
	sql("CREATE TABLE $table ($columns)");
	sql("\\copy $table from '$folder/" . ($table eq 'statistics' ? $table : "data_$table") . ".csv' csv header");
	return;
}

sql('CREATE EXTENSION clv');
load('statistics', 'file text, quantity text, value text, note text');
load('longley', 'totemp float8, gnpdefl float8, gnp float8, unemp float8, armed float8, pop float8, year float8');
load('co2', 'plant text, type text, treatment text, conc float8, uptake float8');
load('spector', 'grade float8, gpa float8, tuce float8, psi float8');
load('freireich', 'pair int, time float8, event int, treat text');

# the golden numbers, and those of the notes of survival curves under the name of their line
my %golden;
foreach (split /\n/, sql(q{SELECT file, quantity, value, replace(note, E'\n', ' ') FROM statistics}))
{
	my ($file, $quantity, $value, $note) = split /\|/, $_, 4;
	fail("$file $quantity stands twice") if exists $golden{$file}{$quantity};
	$golden{$file}{$quantity} = $value;
	next unless $file =~ /^04a_/;
	$golden{$file}{"$quantity $1"} = $2 while $note =~ /\b(n|d|greenwood_se|NA_H)=([-\d.]+)/g;
	@{ $golden{$file} }{ "$quantity low", "$quantity high" } = ($1, $2) if $note =~ /loglog95=\[([\d.]+),([\d.]+)\]/;
}

# Rows (quantity, number) of a query against the golden numbers of a file, relative to them.
sub check
{
	my ($file, $tolerance, $query) = @_;
	my (@wrong, $n);
	foreach (split /\n/, sql($query))
	{
		my ($quantity, $actual) = split /\|/;
		my $expected = delete $golden{$file}{$quantity};
		$n++;
		if (!defined $expected)
		{
			push @wrong, "$quantity: not a golden number, or checked twice";
		}
		elsif (!defined $actual || $actual eq '' || !(abs($actual - $expected) <= $tolerance * abs($expected)))
		{
			push @wrong, "$quantity: got " . ($actual // 'nothing') . ", expected $expected within $tolerance";
		}
	}
	ok($n && !@wrong, "$file: " . ($n // 0) . ' numbers') or diag(join "\n", @wrong);
	return;
}

# The columns of tidy() under the names of the csv: of the model m, its terms named in order.
sub terms
{
	my ($names, %columns) = @_;
	my $values = join ', ', map { "('$_.' || name, t.$columns{$_})" } sort keys %columns;
	return "tidy(m) WITH ORDINALITY AS t, LATERAL (SELECT ('{const,$names}'::text[])[t.ordinality]) AS n (name), LATERAL (VALUES $values) AS v (quantity, number)";
}

# ---- linear regression ----

my $longley = 'gnpdefl,gnp,unemp,armed,pop,year';
my %of_model = (coef => 'estimate', se => 'std_error', t => 'statistic', p => 'p_value');
check('01a_longley', 1e-8, "SELECT quantity, number FROM (SELECT lm_fit(totemp, ARRAY[$longley]) AS m FROM longley) AS f, " . terms($longley, %of_model));
check('01a_longley', 1e-8, qq{SELECT v.* FROM (SELECT lm_fit(totemp, ARRAY[$longley]) AS m FROM longley) AS f, glance(m) AS g,
	LATERAL (VALUES ('resid_sd', g.sigma), ('rss', g.sigma ^ 2 * g.df), ('r2', g.r_squared), ('F', g.statistic)) AS v});
foreach my $errors (qw(HC0 HC1 HC2 HC3))
{
	check('01a_longley', 1e-8, "SELECT quantity, number FROM (SELECT lm_fit(regression_sample(totemp, ARRAY[$longley]), '$errors') AS m FROM longley) AS f, "
		  . terms($longley, "se_$errors" => 'std_error'));
	check('02a_co2_cluster_plant', 1e-9, "SELECT quantity, number FROM (SELECT lm_fit(regression_sample(uptake, ARRAY[conc, (treatment = 'chilled')::int]), '$errors') AS m FROM co2) AS f, "
		  . terms('conc,chilled', "se_$errors" => 'std_error'));
}
sql(q{CREATE TABLE clustered AS SELECT lm_fit(regression_sample(uptake, ARRAY[conc, (treatment = 'chilled')::int], plant)) AS m FROM co2});
check('02a_co2_cluster_plant', 1e-9, "SELECT quantity, number FROM (SELECT lm_fit(uptake, ARRAY[conc, (treatment = 'chilled')::int]) AS m FROM co2) AS f, "
	  . terms('conc,chilled', coef => 'estimate', se_iid => 'std_error'));
check('02a_co2_cluster_plant', 1e-9, 'SELECT quantity, number FROM clustered, ' . terms('conc,chilled', se_CR1 => 'std_error', 'p_CR1_tG-1' => 'p_value'));
# without the factor G / (G - 1) (N - 1) / (N - K), and with its first half
check('02a_co2_cluster_plant', 1e-9, q{SELECT quantity, number / factor FROM clustered, glance(m) AS g,
	LATERAL (VALUES ('se_CR0.', sqrt(g.clusters / (g.clusters - 1.0) * (g.n - 1.0) / (g.n - 3.0))), ('se_CR1_GLM.', sqrt((g.n - 1.0) / (g.n - 3.0)))) AS f (name, factor),
	tidy(m) WITH ORDINALITY AS t, LATERAL (SELECT f.name || ('{const,conc,chilled}'::text[])[t.ordinality], t.std_error) AS v (quantity, number)});
check('02a_co2_cluster_plant', 1e-9, q{SELECT 'r2', g.r_squared FROM clustered, glance(m) AS g});
is( sql(q{SELECT bool_and(abs(a.std_error / b.std_error - 1) < 1e-9 AND abs(a.std_error / c.std_error - 1) < 1e-9) FROM clustered AS f,
		(SELECT lm_cluster_fit(s) AS m FROM (SELECT clv_moments(uptake, ARRAY[conc, (treatment = 'chilled')::int]) AS s FROM co2 GROUP BY plant) AS p) AS g,
		(SELECT lm_cluster_vcov(plain, uptake, ARRAY[conc, (treatment = 'chilled')::int], plant) AS m
		 FROM co2, (SELECT lm_fit(uptake, ARRAY[conc, (treatment = 'chilled')::int]) AS plain FROM co2) AS p) AS h,
		tidy(f.m) AS a JOIN LATERAL tidy(g.m) AS b USING (term) JOIN LATERAL tidy(h.m) AS c USING (term)}),
	't', 'clusters: the same from rows, from moments and in a second pass');

# ---- logistic regression ----

sql('CREATE TABLE grades AS SELECT regression_sample(grade, ARRAY[gpa, tuce, psi]) AS s FROM spector');
my $spector = 'gpa,tuce,psi';
check('03a_spector_logit', 1e-9, 'SELECT quantity, number FROM grades, LATERAL (SELECT logit_fit(s) AS m) AS f, '
	  . terms($spector, coef => 'estimate', se => 'std_error', z => 'statistic', p => 'p_value'));
check('03a_spector_logit', 1e-9, "SELECT quantity, number FROM grades, LATERAL (SELECT logit_fit(s, errors => '$_') AS m) AS f, " . terms($spector, "se_$_" => 'std_error'))
  foreach qw(HC0 HC1);
check('03a_spector_logit', 1e-9, q{SELECT v.* FROM grades, LATERAL (SELECT logit_fit(s) AS m) AS f, glance(m) AS g, LATERAL (VALUES
	('loglik', g.log_likelihood), ('loglik_null', g.log_likelihood - g.statistic / 2), ('mcfadden_r2', g.r_squared), ('lr_chi2', g.statistic), ('lr_p', g.p_value), ('aic', g.aic)) AS v});
check('03a_spector_logit', 1e-9, q{SELECT v.* FROM grades, LATERAL (SELECT logit_fit(s) AS m) AS f, marginal_effects(m, s) WITH ORDINALITY AS e,
	LATERAL (SELECT ('{gpa,tuce,psi}'::text[])[e.ordinality]) AS n (name), LATERAL (VALUES ('ame.' || name, e.estimate), ('ame_se.' || name, e.std_error)) AS v});
check('03a_spector_logit', 1e-9, q{SELECT v.* FROM grades, LATERAL (SELECT logit_fit(s) AS m) AS f, marginal_effects(m, s, discrete => true) WITH ORDINALITY AS e,
	LATERAL (VALUES ('ame_discrete.psi', e.estimate), ('ame_discrete_se.psi', e.std_error)) AS v WHERE e.ordinality = 3});
check('03a_spector_logit', 1e-9, q{SELECT v.* FROM grades, LATERAL (SELECT logit_fit(s) AS m) AS f, predicted_change(m, s, 1, 0.1) AS c,
	LATERAL (VALUES ('lift.gpa+0.1', c.change), ('lift_se.gpa+0.1', c.std_error)) AS v});
# not of the data, but of the arithmetic that made the numbers
my $steps = delete $golden{'03a_spector_logit'}{'iterations_newton_1e-50'};
cmp_ok(sql('SELECT g.iterations FROM grades, LATERAL (SELECT logit_fit(s) AS m) AS f, glance(m) AS g'), '<=', $steps, 'no more steps than with 50 digits');

# ---- survival ----

sql(q{CREATE TABLE arms AS SELECT name, survival_sample(time, event = 1) AS s FROM (SELECT *, CASE treat WHEN '6-MP' THEN '6mp' ELSE 'ctl' END AS name FROM freireich) AS f GROUP BY name});
check('04a_km_freireich_6mp', 1e-9, q{SELECT v.* FROM arms, survival_points(s) AS p, LATERAL (SELECT format('%s.t%s', name, p.at)) AS n (line),
	LATERAL (VALUES (line, p.survival), (line || ' n', p.n_risk), (line || ' d', p.n_events), (line || ' NA_H', p.cumulative_hazard), (line || ' greenwood_se', p.std_error), (line || ' low', p.conf_low), (line || ' high', p.conf_high)) AS v (quantity, number)
	WHERE p.survival > 0 OR quantity !~ ' (greenwood_se|low|high)$'});
check('04a_km_freireich_6mp', 1e-9, q{SELECT name || '.median', km_median(s) FROM arms});
check('04a_km_freireich_6mp', 1e-9, q{SELECT format('%s.rmst_tau_%s', name, until), m.estimate FROM arms JOIN (VALUES ('6mp', 35), ('ctl', 23), ('6mp', 20), ('ctl', 20)) AS u (name, until) USING (name), km_mean(s, until) AS m});
# two groups: chi-square is (O - E)^2 / V
check('04a_km_freireich_6mp', 1e-9, q{SELECT v.* FROM (SELECT array_agg(s ORDER BY name) AS arms FROM arms) AS a, log_rank_test(arms) AS t, log_rank_groups(arms) AS g,
	LATERAL (VALUES ('logrank.O_6mp', g.observed), ('logrank.E_6mp', g.expected), ('logrank.V', (g.observed - g.expected) ^ 2 / t.chi_square), ('logrank.chi2', t.chi_square), ('logrank.p', t.p_value)) AS v
	WHERE g.group_number = 1});
foreach my $ties (qw(breslow efron))
{
	check('04b_cox_freireich', 1e-9, qq{SELECT '$ties.' || v.quantity, v.number FROM (SELECT cox_fit(survival_sample(time, event = 1, ARRAY[(treat = '6-MP')::int]), ties => '$ties') AS m FROM freireich) AS f,
		glance(m) AS g, tidy(m) AS t, LATERAL (VALUES ('coef_6mp', t.estimate), ('se', t.std_error), ('hr', exp(t.estimate)), ('loglik', g.log_likelihood), ('loglik0', g.log_likelihood - g.statistic / 2),
			('lr_chi2', g.statistic), ('wald_z', t.statistic), ('p', t.p_value)) AS v (quantity, number)});
	# the score test needs no fit: at each time d events, of which d1 are in the arm, among those at risk; Efron's
	# averages let the events of a time leave one after the other
	my $leaving = $ties eq 'efron' ? 'l' : '0';
	check('04b_cox_freireich', 1e-9, qq{WITH at AS (SELECT p.at, p.n_risk AS n, p.n_events AS d FROM (SELECT survival_sample(time, event = 1) AS s FROM freireich) AS f, survival_points(s) AS p),
		arm AS (SELECT at.*, count(*) FILTER (WHERE time >= at.at) AS n1, count(*) FILTER (WHERE time = at.at AND event = 1) AS d1 FROM at, freireich WHERE treat = '6-MP' GROUP BY at.at, n, d),
		share AS (SELECT arm.*, (n1 - d1 * $leaving / d::float8) / (n - $leaving) AS p FROM arm, generate_series(0, d - 1) AS l)
		SELECT '$ties.score_chi2', ((SELECT sum(d1) FROM arm) - sum(p)) ^ 2 / sum(p * (1 - p)) FROM share});
}

# ---- many tests, sensitivity, drift ----

check('05b_benjamini_hochberg_1995', 1e-9, qq{SELECT prefix || p, number FROM (SELECT p, benjamini_hochberg(p::float8) OVER () AS bh, holm(p::float8) OVER () AS holm
	FROM (SELECT substr(quantity, 4) AS p FROM statistics WHERE file LIKE '05b%' AND quantity LIKE 'bh.%') AS q) AS a, LATERAL (VALUES ('bh.', bh), ('holm.', holm)) AS v (prefix, number)});
# Darfur of Cinelli and Hazlett: estimate and standard error as published
check('06c_sensitivity', 1e-9, q{SELECT v.* FROM (SELECT 0.097315819 / 0.023256537::float8) AS d (t), LATERAL (VALUES ('evalue.rr3.9', e_value(3.9)), ('evalue.rr1.8ci', e_value(3.9, 1.8)), ('evalue.rr0.80', e_value(0.8)),
	('darfur.t', t), ('darfur.partial_r2', partial_r2(t, 783)), ('darfur.rv_q1', robustness_value(t, 783)), ('darfur.rv_q1_a05', robustness_value(t, 783, alpha => 0.05))) AS v});
# shares of 1000 and 800 customers in four bins
check('08b_psi', 1e-9, q{SELECT v.* FROM psi('{100,200,300,400}', '{120,200,200,280}') AS p,
	(SELECT sum(a * ln(a / e)), sum(e * ln(e / a)) FROM unnest('{0.1,0.2,0.3,0.4}'::float8[], '{0.15,0.25,0.25,0.35}'::float8[]) AS s (e, a)) AS k (kl_a_e, kl_e_a),
	LATERAL (VALUES ('psi', p.psi), ('kl_a_e', p.psi - kl_e_a), ('kl_e_a', p.psi - kl_a_e), ('psi_null_mean', p.null_mean), ('psi_p_n1000_m800', p.p_value)) AS v});

# ---- a lift in money: 30 of 100 churned without resolution, 12 of 120 with it ----

sql(q{CREATE TABLE contacts AS SELECT regression_sample(churned, ARRAY[resolved]) AS s, regression_sample(false, ARRAY[share]) AS customers
	FROM (SELECT churned, resolved, avg(resolved) OVER () AS share FROM (VALUES (0, true, 30), (0, false, 70), (1, true, 12), (1, false, 108)) AS c (resolved, churned, times), generate_series(1, times)) AS r});
my $projection = 'lift_projection(m, customers, driver => 1, lift => 0.05, margin => 120, annual_discount_rate => 0.10, n_customers => 100000, cost => 300000)';
# the csv's interval of a difference of shares is normal: a model that is typed in has no degrees of freedom
check('07b_clv_delta_method', 1e-9, qq{SELECT v.* FROM contacts, LATERAL (SELECT lm_fit(s, 'HC0') AS fitted) AS f,
	LATERAL (SELECT format('lm{intercept=%s,x1=%s}{%s,%s,%s,%s}', coef(fitted, 'intercept'), coef(fitted, 'x1'), c[1][1], c[1][2], c[2][1], c[2][2])::clv_model AS m
			 FROM vcov(fitted) AS c) AS t, $projection AS l,
	LATERAL (VALUES ('i.delta_churn (mixture)', l.estimate), ('i.se', l.std_error), ('i.ci_lo', l.conf_low), ('i.ci_hi', l.conf_high)) AS v WHERE l.quantity = 'churn_change'});
check('07b_clv_delta_method', 1e-9, qq{SELECT n.name, CASE n.part WHEN 'estimate' THEN l.estimate WHEN 'std_error' THEN l.std_error WHEN 'conf_low' THEN l.conf_low ELSE l.conf_high END
	FROM contacts, LATERAL (SELECT logit_fit(s) AS m) AS f, $projection AS l JOIN (VALUES ('ii.churn_before', 'churn_before', 'estimate'), ('ii.churn_after', 'churn_after', 'estimate'),
		('ii.delta_churn', 'churn_change', 'estimate'), ('ii.se', 'churn_change', 'std_error'), ('clv_before', 'value_before', 'estimate'), ('clv_after', 'value_after', 'estimate'),
		('delta_clv', 'value_change', 'estimate'), ('delta_clv_se', 'value_change', 'std_error'), ('delta_clv_lo', 'value_change', 'conf_low'), ('delta_clv_hi', 'value_change', 'conf_high'),
		('return', 'return', 'estimate'), ('net', 'net', 'estimate'), ('roi', 'roi', 'estimate'), ('roi_lo', 'roi', 'conf_low'), ('roi_hi', 'roi', 'conf_high'),
		('prob_breakeven (normal)', 'probability_of_break_even', 'estimate'), ('required_lift', 'required_lift', 'estimate'), ('required_lift_se', 'required_lift', 'std_error')) AS n (name, quantity, part) USING (quantity)});

# ---- shares, separation, value ----

check('13_rates', 1e-9, q{SELECT v.* FROM (VALUES (81, 263), (15, 148), (0, 20), (1, 29)) AS x (x, n), wilson_interval(x, n) AS w, LATERAL (VALUES (format('wilson_%s/%s_lo', x, n), w.conf_low), (format('wilson_%s/%s_hi', x, n), w.conf_high)) AS v});
check('13_rates', 1e-9, q{SELECT v.* FROM share_difference(56, 70, 48, 80) AS d, LATERAL (VALUES ('newcombe_diff_56/70-48/80_lo', d.conf_low), ('newcombe_diff_hi', d.conf_high)) AS v});
check('13_rates', 1e-9, q{SELECT v.* FROM (SELECT survey_sample(score) AS s FROM (VALUES (9, 120), (6, 30), (7, 50)) AS a (score, times), generate_series(1, times)) AS a, nps(s) AS n,
	LATERAL (VALUES ('nps_120p_30d_n200', n.estimate), ('nps_se', n.std_error), ('nps_lo', n.conf_low), ('nps_hi', n.conf_high)) AS v});
# 6 of 20 churned, and none of 20
check('13_rates', 1e-9, q{SELECT 'firth_2x2.' || CASE t.term WHEN 'intercept' THEN 'const' ELSE 'x' END, t.estimate
	FROM (SELECT logit_fit(regression_sample(churned, ARRAY[x]), 'firth') AS m FROM (VALUES (0, true, 6), (0, false, 14), (1, false, 20)) AS c (x, churned, times), generate_series(1, times)) AS f, tidy(m) AS t});
# the elasticity of a change by the part h is r / (1 + d - r - r h)
check('13_rates', 1e-9, q{SELECT * FROM (VALUES ('clv_perpetuity_m100_r.80_d.10_incl', npv_clv(100, 0.80, 0.10::float8)), ('clv_perpetuity_m100_r.80_d.10_excl', npv_clv(100, 0.80, 0.10::float8, first_margin => 1)),
	('retention_elasticity_r.80_d.10', (SELECT 1 / (1 / elasticity + change) FROM npv_clv_sensitivity(100, 0.80, 0.10::float8) WHERE driver = 'retention_rate'))) AS v});

foreach my $file (sort keys %golden)
{
	is(join(', ', sort keys %{ $golden{$file} }), '', "$file: no number is left over");
}

$node->stop;
done_testing();
