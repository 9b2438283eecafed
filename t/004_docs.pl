# What README.md and docs/*.md show is what happens: their SQL is run, and its output is the one printed there.
#
# The ```sql blocks of a page run in order, in one psql session on a database of its own that has the extension. Where
# a ```text block comes next, it holds what psql prints for the block. CLV_DOCS_WRITE=folder writes the pages there
# with the text blocks as they should be. docs/README.md tells contributors the rest.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(make_path);
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = dirname(dirname(abs_path(__FILE__)));
my $marker = '-- end of block --';

# The lines of a page, and its fenced blocks: language, lines, and the index of the first of them, which is the number
# of the line with the fence when lines count from 1.
sub read_page
{
	my ($page) = @_;
	my @lines = split /\n/, slurp_file("$root/$page"), -1;
	my (@blocks, $open);

	for my $i (0 .. $#lines)
	{
		if (!$open && $lines[$i] =~ /^```\s*(.*?)\s*$/)
		{
			$open = { language => $1, first => $i + 1, lines => [] };
		}
		elsif ($open && $lines[$i] =~ /^```\s*$/)
		{
			push @blocks, $open;
			$open = undef;
		}
		elsif ($open)
		{
			push @{ $open->{lines} }, $lines[$i];
		}
	}
	die "$page: the block that begins in line $open->{first} has no end\n" if $open;

	# a text block is the output of the sql block before it when nothing but blank lines stands between
	for my $n (1 .. $#blocks)
	{
		my ($sql, $text) = @blocks[ $n - 1, $n ];
		my $end = $sql->{first} + @{ $sql->{lines} };
		next unless $sql->{language} eq 'sql' && $text->{language} eq 'text';
		$sql->{output} = $text unless grep { /\S/ } @lines[ $end + 1 .. $text->{first} - 2 ];
	}
	return { name => $page, lines => \@lines, blocks => \@blocks };
}

sub sql_blocks
{
	my ($page) = @_;
	return grep { $_->{language} eq 'sql' } @{ $page->{blocks} };
}

# Without spaces at the end of lines and blank lines at the end: editors remove them.
sub trim
{
	my ($text) = @_;
	$text =~ s/[ \t]+$//mg;
	$text =~ s/\s+\z//;
	return $text;
}

# What psql prints for each sql block, messages in their place among the rows.
sub run_page
{
	my ($node, $page) = @_;
	my $db = $page->{name} =~ s/\W/_/gr;
	my $input = join '', map { join("\n", @{ $_->{lines} }, "\\echo '$marker'", '') } sql_blocks($page);
	my $output;

	$node->safe_psql('postgres', "CREATE DATABASE \"$db\"");
	$node->safe_psql($db, 'CREATE EXTENSION clv');
	local $ENV{PGOPTIONS} =
	  '-c TimeZone=UTC -c DateStyle=ISO,MDY -c client_min_messages=notice -c extra_float_digits=1';
	IPC::Run::run(
		[ 'psql', '--no-psqlrc', '--quiet', '--dbname', $node->connstr($db) ],
		'<', \$input, '>', \$output, '2>&1',
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default)) or die "psql failed on $page->{name}: $output";
	return map { trim($_) } split /^\Q$marker\E\n/m, $output, -1;
}

sub check_block
{
	my ($page, $block, $output) = @_;
	my $place = "$page->{name}:$block->{first}";
	my ($last) = grep { /\S/ } reverse @{ $block->{lines} };

	like($last // '', qr/;\s*(--.*)?$|\\\w+\s*$/, "$place: the last statement ends");
	if ($block->{output})
	{
		is($output, trim(join "\n", @{ $block->{output}{lines} }), "$place: output as shown");
	}
	else
	{
		unlike($output, qr/^(ERROR|FATAL|WARNING|NOTICE|invalid command)/m, "$place: no message that is not shown");
	}
}

# The anchors that GitHub makes of headings.
sub anchors
{
	my ($page) = @_;
	my %anchors;

	for my $heading (grep { /^#+ / } @{ read_page($page)->{lines} })
	{
		my $anchor = lc($heading =~ s/^#+ +//r);
		$anchor =~ s/[^\w\- ]//g;
		$anchor =~ s/ /-/g;
		$anchors{$anchor} = 1;
	}
	return \%anchors;
}

sub broken_links
{
	my ($page) = @_;
	my $text = join "\n", @{ $page->{lines} };
	my @broken;

	while ($text =~ /\]\(([^)\s]+)\)/g)
	{
		my $link = $1;
		next if $link =~ /^https?:/;
		my ($path, $anchor) = $link =~ /^([^#]*)#?(.*)$/;
		my $file = $path eq '' ? $page->{name} : dirname($page->{name}) . "/$path";
		push @broken, $link
		  unless -e "$root/$file" && ($anchor eq '' || anchors($file)->{$anchor});
	}
	return join ' ', @broken;
}

sub write_page
{
	my ($page, $folder, @outputs) = @_;
	my @lines = @{ $page->{lines} };
	my @blocks = sql_blocks($page);

	# from the end, so that the line numbers before stay right
	for my $n (reverse 0 .. $#blocks)
	{
		my $text = $blocks[$n]{output} or next;
		splice @lines, $text->{first}, scalar @{ $text->{lines} }, split /\n/, $outputs[$n];
	}
	make_path(dirname("$folder/$page->{name}"));
	open my $file, '>', "$folder/$page->{name}" or die "$folder/$page->{name}: $!\n";
	print $file join("\n", @lines);
	close $file;
}

my $node = PostgreSQL::Test::Cluster->new('docs');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->start;

my @pages = map { read_page($_) } 'README.md', map { s{^\Q$root\E/}{}r } sort glob("$root/docs/*.md");
for my $page (@pages)
{
	subtest $page->{name} => sub {
		my @blocks = sql_blocks($page);
		my @outputs = run_page($node, $page);

		is(broken_links($page), '', "$page->{name}: links lead somewhere");
		check_block($page, $blocks[$_], $outputs[$_]) for 0 .. $#blocks;
		write_page($page, $ENV{CLV_DOCS_WRITE}, @outputs) if $ENV{CLV_DOCS_WRITE};
	};
}

# Every function that is not merely a part of a type, an operator or an aggregate, nor called internal by its comment, is
# in the README and on some page.
subtest 'every public function is documented' => sub {
	my $names = $node->safe_psql(
		'README_md', q{
		SELECT DISTINCT p.proname FROM pg_proc AS p
		JOIN pg_depend AS d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
		JOIN pg_extension AS e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass AND e.extname = 'clv'
		WHERE NOT EXISTS (SELECT FROM pg_type WHERE p.oid IN (typinput, typoutput, typreceive, typsend))
		  AND NOT EXISTS (SELECT FROM pg_operator WHERE oprcode = p.oid)
		  AND NOT EXISTS (SELECT FROM pg_amproc WHERE amproc = p.oid)
		  AND (p.prokind = 'a' OR NOT EXISTS (
		       SELECT FROM pg_aggregate WHERE p.oid IN (aggtransfn, aggcombinefn, aggfinalfn)))
		  AND obj_description(p.oid, 'pg_proc') NOT LIKE 'internal:%'
		ORDER BY 1});
	my ($readme, @room_pages) = map { join "\n", @{ $_->{lines} } } @pages;

	for my $name (split /\n/, $names)
	{
		like($readme, qr/\b$name\(/, "$name() is in README.md");
		ok((grep { /\b$name\(/ } @room_pages), "$name() is on a page in docs");
	}
};

$node->stop;
done_testing();
