# The module as a plugin of Virtualmin: a link in the menu of a virtual server, and the end of the account with its
# owner's system user.
use strict;
use warnings;
no warnings 'once';
require 'mailconvoy-lib.pl';
our (%text, %config, $module_name);

sub feature_name { return $text{'feat_name'}; }
sub feature_label { return $text{'feat_name'}; }
sub feature_losing { return $text{'feat_losing'}; }

sub feature_check
{
return -x $config{'ctl'} ? undef : "$config{'ctl'} is missing; its path is set in the module's configuration";
}

# A sub-server has its parent's owner, whose account it shares.
sub feature_suitable
{
my ($parent, $alias) = @_;
return !$parent && !$alias;
}

sub feature_clash { return undef; }
sub feature_depends { return undef; }

# The account is made when its owner opens it.
sub feature_setup
{
no strict 'refs';
&$virtual_server::first_print($text{'feat_setup'});
&$virtual_server::second_print($text{'feat_done'});
return 1;
}

sub feature_modify { return 1; }

sub feature_delete
{
my ($d) = @_;
no strict 'refs';
&$virtual_server::first_print($text{'feat_delete'});
my $user = $d->{'user'};
my ($code) = $user =~ /\A[A-Za-z0-9._][A-Za-z0-9._-]*\z/ ? run_ctl(undef, 'account', 'close', "id:$user") : (0);
# 65: never used it
my $ok = $code == 0 || $code == 65;
&$virtual_server::second_print($ok ? $text{'feat_done'} : text('feat_failed', $user));
return $ok ? 1 : 0;
}

# The owner's Webmin user may use the module.
sub feature_webmin
{
my ($d, $all) = @_;
return (grep { $_->{$module_name} } @$all) ? ( [ $module_name, { 'noconfig' => 1 } ] ) : ();
}

sub feature_links
{
return ( { 'mod' => $module_name, 'desc' => $text{'feat_name'}, 'page' => 'index.cgi', 'cat' => 'services' } );
}

1;
