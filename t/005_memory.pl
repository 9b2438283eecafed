# Memory of a session: what is detoasted for a comparison must not live until the sort ends.
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
	my $status = $node->safe_psql('postgres', "SET work_mem = '4MB'; SET maintenance_work_mem = '16MB';
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

$node->stop;
done_testing();
