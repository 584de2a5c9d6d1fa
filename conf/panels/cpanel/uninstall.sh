#!/bin/sh
# Takes mailconvoy out of cPanel; as root, from this directory.  Accounts in mailconvoy stay.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cpanel=/usr/local/cpanel
hook=$cpanel/3rdparty/bin/mailconvoy-removed.php
"$cpanel/scripts/uninstall_plugin" "$here" --theme=jupiter
if [ -e "$hook" ]; then
	"$cpanel/bin/manage_hooks" delete script "$hook"
	rm -f -- "$hook"
fi
rm -rf -- "$cpanel/base/frontend/jupiter/mailconvoy"
