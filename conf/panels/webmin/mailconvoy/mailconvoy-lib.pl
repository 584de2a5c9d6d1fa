# What index.cgi and virtual_feature.pl share.
use strict;
use warnings;
no warnings 'once';
use POSIX ();

BEGIN { push(@INC, ".."); }
use WebminCore;
init_config();
our (%config, %text);

use constant LINK_MAX_BYTES => 4096;

# run_ctl(\@passwd_entry, word, ...)
# Run mailconvoyctl as that user (undef: as we are), without a shell, without this process's environment.  Returns its
# exit code and what it printed.
sub run_ctl
{
my ($user, @words) = @_;
pipe(my $from, my $to) || return (-1, '');
my $child = fork();
return (-1, '') if (!defined($child));
if ($child == 0) {
	close($from);
	if ($user) {
		switch_to_unix_user($user);
		# whoever is answered is who we are: never go on as somebody else
		POSIX::_exit(126) if (POSIX::getuid() != $user->[2] || POSIX::geteuid() != $user->[2]);
		}
	%ENV = ( 'PATH' => '/usr/sbin:/usr/bin:/sbin:/bin' );
	POSIX::dup2(fileno($to), 1);
	my $none = POSIX::open('/dev/null', POSIX::O_RDWR());
	POSIX::dup2($none, 0);
	POSIX::dup2($none, 2);
	{ no warnings 'exec'; exec { $config{'ctl'} } $config{'ctl'}, @words; }
	POSIX::_exit(127);
	}
close($to);
my $said = '';
while (length($said) < LINK_MAX_BYTES && sysread($from, my $more, LINK_MAX_BYTES)) {
	$said .= $more;
	}
close($from);
waitpid($child, 0);
return ($? & 127 ? -1 : $? >> 8, $said);
}

# customer_link(\@passwd_entry, embed)
# A link that works once and for a minute, for the account of that system user; undef when there is none to be had.
sub customer_link
{
my ($user, $embed) = @_;
my ($code, $url) = run_ctl($user, 'sso-link', '--local', '--return-to', '/migration/jobs'.($embed ? '?embed=1' : ''));
$url =~ s/\n\z//;
return undef if ($code != 0 || $url !~ m{\A(https://|http://(127\.0\.0\.1|localhost):)[A-Za-z0-9._~:/?=%-]+\z});
return $embed ? $url.'?embed=1' : $url;
}

1;
