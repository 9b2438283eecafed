# Evaluation results from files: \copy, the golden documents, memory and cancelling of a load.
#
# The golden rows are worked out by hand. traces.jsonl: a conversation of customer C-1001 with three results as span
# events (4 with the label "4"; 0.85; 92, written as an int64 in a string), its turn 3 with a label and no score, whose
# customer and session are those of its parent, and an evaluator in another trace with a result about the whole session,
# linked to the conversation. logs.jsonl: the result of turn 3 once more as a log record, with ids in upper case, a
# score of 0 and the customer on the record. traces_pretty.json is traces.jsonl over many lines.
use strict;
use warnings;
use Cwd qw(abs_path);
use Time::HiRes qw(time);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('trace');
$node->init;
$node->start;

sub sql { return $node->safe_psql('postgres', "SET TimeZone = 'UTC'; " . $_[0]) }

sql('CREATE EXTENSION clv; CREATE TABLE documents (id int GENERATED ALWAYS AS IDENTITY, document jsonb);
	CREATE TABLE lines (n int GENERATED ALWAYS AS IDENTITY, line text)');

# neither of the two characters occurs in JSON, so that COPY takes a line as it is
my $format = q{with (format csv, quote e'\x01', delimiter e'\x02')};

my $golden = ($ENV{CLV_GOLDEN} // '../shared/golden') . '/otlp';
SKIP:
{
	skip "no data: $golden (set CLV_GOLDEN)", 4 unless -r "$golden/traces.jsonl";
	my $folder = abs_path($golden);
	sql("\\copy documents(document) from '$folder/traces.jsonl' $format");
	sql("\\copy documents(document) from '$folder/logs.jsonl' $format");
	sql("\\copy lines(line) from '$folder/traces_pretty.json' $format");

	my ($trace, $eval) = qw(5b8efff798038103d269b633813fc60c 0af7651916cd43dd8448eb211c80319c);
	my ($root, $turn) = qw(eee19b7ec3c1b173 eee19b7ec3c1b174);
	is( sql(q{SELECT name, score, label, explanation, annotator, error, scope, source FROM documents, otlp_evaluations(document) ORDER BY id}),
		"customer_agent_conversation_quality|4|4|Clear and polite.|||span|event\n"
		  . "conversation_resolution|0.85|||||span|event\n"
		  . "customer_agent_context_retention|92|||||span|event\n"
		  . "tone||annoyance||||span|event\n"
		  . "conversation_resolution|1|resolved||HUMAN||session|evaluations\n"
		  . "tone|0|annoyance||||span|log",
		'golden: results');
	is( sql(q{SELECT trace_id, span_id, parent_span_id, target_trace_id, target_span_id, target_by, session_id, session_source, customer_id, customer_source
			FROM documents, otlp_evaluations(document) ORDER BY id}),
		"$trace|$root||$trace|$root|span|conv-42|span|C-1001|span\n" x 3
		  . "$trace|$turn|$root|$trace|$turn|span|conv-42|ancestor|C-1001|ancestor\n"
		  . "$eval|b7ad6b7169203331||$trace|$root|link|conv-42|span|C-1001|link\n"
		  . "$trace|$turn||$trace|$turn|span|||C-1001|event",
		'golden: ids');
	is( sql(q{SELECT evaluated_at, evaluated_nanos, started_at, ended_at, service, simulated, response_id FROM documents, otlp_evaluations(document) ORDER BY id}),
		"2026-01-01 00:05:01+00|1767225901000000000|2026-01-01 00:00:00+00|2026-01-01 00:05:00.123456+00|support-voice-agent|f|\n" x 3
		  . "2026-01-01 00:01:13+00|1767225673000000000|2026-01-01 00:01:00+00|2026-01-01 00:01:12+00|support-voice-agent|f|chatcmpl-123\n"
		  . "2026-01-01 01:00:01+00|1767229201000000000|2026-01-01 01:00:00+00|2026-01-01 01:00:01+00|support-voice-agent|f|\n"
		  . '2026-01-01 00:01:13+00|1767225673000000000|||support-voice-agent|f|chatcmpl-123',
		'golden: times and origin');
	is( sql(q{WITH pretty AS (SELECT string_agg(line, E'\n' ORDER BY n)::jsonb AS document FROM lines)
			SELECT count(*), count(*) FILTER (WHERE e = p) FROM (SELECT e, row_number() OVER () AS n FROM documents, otlp_evaluations(document) AS e WHERE id = 1) AS e
			JOIN (SELECT p, row_number() OVER () AS n FROM pretty, otlp_evaluations(document) AS p) AS p USING (n)}),
		'5|5', 'golden: a document over many lines');
}

# ---- a load with lines that are no documents: what is JSON is loaded, what is malformed is counted ----

my $file = $node->basedir . '/load.jsonl';
PostgreSQL::Test::Utils::append_to_file($file, <<'LINES');
{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0000000000000000000000000000000a","spanId":"0000000000000001","attributes":[{"key":"customer.id","value":{"stringValue":"a\tb\\c \"d\""}}],"events":[{"name":"gen_ai.evaluation.result","attributes":[{"key":"gen_ai.evaluation.name","value":{"stringValue":"e"}},{"key":"gen_ai.evaluation.score.value","value":{"doubleValue":1}}]}]}]}]}]}
{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"a","spanId":"1"}, 3]}]}]}
{"message": "not a trace"}
LINES
sql('TRUNCATE documents');
sql("\\copy documents(document) from '$file' $format");
is(sql('SELECT customer_id, score FROM documents, otlp_evaluations(document)'), "a\tb\\c \"d\"|1", 'the good line');
is( sql(q{SELECT problem, sum(n) FROM documents, otlp_skipped(document) GROUP BY problem ORDER BY problem COLLATE "C"}),
	"not a document of this kind|1\nnot an id|1\nnot an object|1", 'what the others are');
my ($status, $out, $error) = $node->psql('postgres', 'SELECT count(*) FROM documents, otlp_evaluations(document)');
is($out, 1, 'one row of three documents');
is(() = $error =~ /WARNING/g, 1, 'and one warning');

# ---- memory does not grow with the documents, and a call is cancelled at once ----

sql(q{CREATE TABLE many AS SELECT jsonb_build_object('resourceSpans', jsonb_build_array(jsonb_build_object('scopeSpans', jsonb_build_array(jsonb_build_object('spans',
		jsonb_agg(jsonb_build_object('traceId', md5(d::text), 'spanId', lpad(to_hex(s), 16, '0'), 'parentSpanId', lpad(to_hex(s / 2), 16, '0'), 'events', jsonb_build_array(jsonb_build_object(
			'name', 'gen_ai.evaluation.result', 'attributes', '[{"key": "gen_ai.evaluation.name", "value": {"stringValue": "e"}}, {"key": "gen_ai.evaluation.score.label", "value": {"stringValue": "x"}}]'::jsonb))))))))) AS document
	FROM generate_series(1, 1000) AS d, generate_series(1, 50) AS s GROUP BY d;
	CREATE TABLE one AS SELECT jsonb_agg(document) AS document FROM many});

SKIP:
{
	skip 'needs /proc/self/status', 2 unless -r '/proc/self/status';
	my @peaks = map {
		my $found = sql("SET jit = off; SELECT count(*) FROM (SELECT CASE WHEN n > 0 THEN document END AS document FROM many, generate_series(1, $_) AS n) AS d, otlp_evaluations(document);
			SELECT pg_read_file('/proc/self/status', 0, 10000)");
		$found =~ /VmHWM:\s+(\d+) kB/ ? $1 / 1024 : die "no VmHWM in $found"
	} 1, 8;
	cmp_ok($peaks[1], '<', $peaks[0] + 10, 'eight times the documents take no more memory') or diag("@peaks MB");

	# addresses, since memory that is allocated and never written is not resident
	@peaks = map {
		my $found = sql("SELECT cardinality(labels) FROM evaluation_scores(jsonb_build_object('Note', repeat('$_', 10000000)));
			SELECT pg_read_file('/proc/self/status', 0, 10000)");
		$found =~ /VmPeak:\s+(\d+) kB/ ? $1 / 1024 : die "no VmPeak in $found"
	} 'x', ',';
	cmp_ok($peaks[1], '<', $peaks[0] + 10, 'commas of a plain label take no memory') or diag("@peaks MB");
}

foreach my $reader ('otlp_evaluations', 'otlp_spans', 'otlp_skipped')
{
	my $begin = time;
	($status, $out, $error) = $node->psql('postgres',
		"SET statement_timeout = '200ms'; SELECT count(*) FROM (SELECT CASE WHEN n > 0 THEN document END AS document FROM one, generate_series(1, 1000) AS n) AS d, $reader(document)");
	like($error, qr/canceling statement due to statement timeout/, "$reader() is cancelled");
	cmp_ok(time - $begin, '<', 1.5, "$reader() is cancelled soon");
}

# Escapes in a list of labels are characters where the database has them; elsewhere the list stays one label.
my $list = q{["\u00e9moi", "\u20ac", "\ud83d\ude00!"]};
for my $case ([ 'utf8', q{U&'{\00e9moi,\20ac,\+01f600!}'}, 3 ], [ 'latin1', "ARRAY['$list']", 1 ])
{
	my ($encoding, $expected, $n) = @$case;
	sql("CREATE DATABASE $encoding ENCODING '$encoding' LOCALE 'C' TEMPLATE template0");
	$node->safe_psql($encoding, 'CREATE EXTENSION clv');
	is( $node->safe_psql($encoding, "SELECT cardinality(labels), labels = ($expected)::text[] FROM evaluation_scores(jsonb_build_object('Tone', '$list'))"),
		"$n|t", "escapes in a list of labels, $encoding");
}

$node->stop;
done_testing();
