#!/usr/bin/perl
# The module's page; with "?open=1" the way to mailconvoy, signed in.
use strict;
use warnings;
no warnings 'once';
require './mailconvoy-lib.pl';
our (%config, %text, %in, $remote_user);
ReadParse();

my @user = getpwnam($remote_user);
my $is_root = @user && $user[2] == 0;
my $embed = $config{'embed'} ? 1 : 0;

if ($in{'open'}) {
	error(text('open_nobody', html_escape($remote_user))) if (!@user);
	error($text{'open_failed'}) if ($is_root);
	my $url = customer_link(\@user, $embed && $in{'open'} ne 'window');
	error($text{'open_failed'}) if (!defined($url));
	print "Cache-Control: no-store\n";
	redirect($url);
	exit(0);
	}

ui_print_header(undef, $text{'index_title'}, '', undef, $is_root ? 1 : 0, 1);
if ($is_root) {
	print '<p>', $text{'index_admin'}, "</p>\n";
	if ($config{'url'} =~ m{\Ahttps?://[^\s"'<>]+\z}) {
		print '<p><a href="', html_escape($config{'url'}), '" target="_blank" rel="noopener">',
		    $text{'index_admin_open'}, "</a></p>\n";
		}
	}
elsif ($embed) {
	print '<iframe title="', $text{'index_title'}, '" src="index.cgi?open=frame"',
	    ' style="border:0;width:100%;height:80vh"></iframe>', "\n";
	print '<p><a href="index.cgi?open=window" target="_blank" rel="noopener">', $text{'index_window'}, "</a></p>\n";
	}
else {
	print '<p>', $text{'index_text'}, "</p>\n";
	print '<p><a href="index.cgi?open=window" target="_blank" rel="noopener">', $text{'index_open'}, "</a></p>\n";
	}
ui_print_footer('/', 'index');
