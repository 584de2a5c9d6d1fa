#!/bin/sh
# A user was deleted in DirectAdmin, which runs this as root with the name in $username: close the account in
# mailconvoy, so that who gets the same name next does not come upon this customer's jobs.
set -u
PATH=/usr/sbin:/usr/bin:/sbin:/bin
plugin=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd) || exit 0
ctl=/usr/sbin/mailconvoyctl
# shellcheck source=../settings
. "$plugin/settings"

case ${username:-} in
'' | *[!A-Za-z0-9._-]* | -*) exit 0 ;;
esac
env -i PATH="$PATH" "$ctl" account close "id:$username" >/dev/null 2>&1
case $? in
0) ;;
65) ;; # never used it
*) echo "mailconvoy: the account of $username is not closed; do it by: mailconvoyctl account close id:$username" >&2 ;;
esac
# the user is gone already: nothing is undone by failing here
exit 0
