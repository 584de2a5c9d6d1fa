#!/bin/sh
# Run by DirectAdmin's plugin manager, as root.
set -eu
plugin=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
if id diradmin >/dev/null 2>&1; then
	chown -R diradmin:diradmin "$plugin"
fi
# what runs as root is changed by root alone
if [ "$(id -u)" -eq 0 ]; then
	chown root:root "$plugin/settings" "$plugin/hooks" "$plugin"/hooks/*.sh "$plugin/scripts" "$plugin"/scripts/*.sh
fi
chmod 755 "$plugin" "$plugin/user" "$plugin/hooks" "$plugin/scripts" "$plugin/images"
chmod 755 "$plugin/user/index.html" "$plugin/user/open.raw" "$plugin"/hooks/*.sh "$plugin"/scripts/*.sh
chmod 644 "$plugin/plugin.conf" "$plugin/settings" "$plugin"/hooks/*.html "$plugin"/images/*
sed -i -e 's/^active=no$/active=yes/' -e 's/^installed=no$/installed=yes/' "$plugin/plugin.conf"
echo "Installed. In $plugin/settings stands which mailconvoyctl is used, and whether its pages are shown in a frame."
exit 0
