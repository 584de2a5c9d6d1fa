#!/bin/sh
# Adds mailconvoy to cPanel's Jupiter theme; as root, from this directory.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cpanel=/usr/local/cpanel
pages=$cpanel/base/frontend/jupiter/mailconvoy
hook=$cpanel/3rdparty/bin/mailconvoy-removed.php
if [ ! -x "$cpanel/scripts/install_plugin" ]; then
	echo "There is no cPanel here ($cpanel/scripts/install_plugin is missing)." >&2
	exit 1
fi
install -d -o root -g root -m 755 "$pages"
install -o root -g root -m 644 "$here/mailconvoy/mailconvoy.live.php" "$pages/"
# what was set stays
[ -e "$pages/settings.ini" ] || install -o root -g root -m 644 "$here/mailconvoy/settings.ini" "$pages/"
install -o root -g root -m 755 "$here/mailconvoy-removed.php" "$hook"
"$cpanel/scripts/install_plugin" "$here" --theme=jupiter
"$cpanel/bin/manage_hooks" add script "$hook"
echo "Installed. In $pages/settings.ini stands which mailconvoyctl is used, and whether its pages are shown in a frame."
