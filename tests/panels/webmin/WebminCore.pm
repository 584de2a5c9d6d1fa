# The part of Webmin's interface that our module uses, for machines without Webmin.  Its tests run against the real one
# where MCV_WEBMIN says where that is.
package WebminCore;
use strict;
use warnings;
use Exporter 'import';
use POSIX ();
our @EXPORT = qw(init_config ReadParse error text html_escape redirect ui_print_header ui_print_footer
	switch_to_unix_user %config %text %in $remote_user $module_name);
our (%config, %text, %in, $remote_user, $module_name);

sub read_pairs
{
my ($path, $into) = @_;
open(my $f, '<', $path) || die "$path: $!";
while (my $line = <$f>) {
	$into->{$1} = $2 if ($line =~ /^([^#=]+)=(.*)$/);
	}
}

sub init_config
{
$module_name = 'mailconvoy';
$remote_user = $ENV{'REMOTE_USER'};
read_pairs('config', \%config);
read_pairs('lang/en', \%text);
}

sub ReadParse
{
for my $pair (split(/&/, $ENV{'QUERY_STRING'} // '')) {
	my ($name, $value) = split(/=/, $pair, 2);
	$in{$name} = $value;
	}
}

sub text
{
my ($name, @values) = @_;
my $s = $text{$name};
$s =~ s/\$(\d)/$values[$1 - 1]/g;
return $s;
}

sub html_escape { my ($s) = @_; $s =~ s/([&<>"'])/sprintf('&#%d;', ord($1))/ge; return $s; }
sub error { print "Content-type: text/html\n\n<h1>Error</h1><p>$_[0]</p>\n"; exit(0); }
sub redirect { print "Status: 302 Moved Temporarily\nLocation: $_[0]\n\n"; }
sub ui_print_header { print "Content-type: text/html\n\n<h1>$_[1]</h1>\n"; }
sub ui_print_footer { print "<p>end</p>\n"; }

sub switch_to_unix_user
{
my ($user) = @_;
$( = $user->[3];
$) = "$user->[3] $user->[3]";
POSIX::setuid($user->[2]);
}

1;
