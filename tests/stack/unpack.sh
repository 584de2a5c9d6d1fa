#!/bin/sh
# unpack.sh DIR: fetch the Debian packages of kind "unpack" and what they need beyond what is installed, and unpack them below
# DIR, nothing being installed: Debian lets only one IMAP server be installed, the tests run three.
# Needs no root.  Does nothing when DIR holds them already.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
dir=$(cd "$1" && pwd)
packages=$(awk '$1 == "unpack" { print $2 }' "$here/packages")

if [ -f "$dir/complete" ] && [ "$(cat "$dir/complete")" = "$packages" ]; then
	exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
	echo "there is no apt-get here" >&2
	exit 1
fi

rm -rf "$dir/complete" "$dir/root" "$dir/debs"
mkdir -p "$dir/debs/partial" "$dir/root"

# What apt is told to be installed: what is, without any IMAP server, and something that takes mail.
awk -v RS= -v ORS='\n\n' '!/\nProvides:[^\n]*imap-server/' /var/lib/dpkg/status >"$dir/status"
cat >>"$dir/status" <<END
Package: no-mail-here
Status: install ok installed
Architecture: all
Version: 1
Maintainer: none
Provides: default-mta, mail-transport-agent
Description: takes no mail

END

apt_get() {
	apt-get -q -y -o Debug::NoLocking=1 -o Dir::State::status="$dir/status" -o Dir::Cache::archives="$dir/debs" \
		-o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User= "$@" >"$dir/log" 2>&1
}
fetch() {
	for package in $packages; do
		apt_get "$@" --no-install-recommends --download-only install "$package" || return 1
	done
}
# The machine's package lists may be missing or too old: then with lists of our own.
if ! fetch; then
	lists=$dir/lists
	mkdir -p "$lists/partial"
	if ! apt_get -o Dir::State::lists="$lists" update || ! fetch -o Dir::State::lists="$lists"; then
		tail -n 5 "$dir/log" >&2
		exit 1
	fi
fi
for deb in "$dir"/debs/*.deb; do
	dpkg-deb -x "$deb" "$dir/root"
done
rm -rf "$dir/debs" "$dir/lists" "$dir/status" "$dir/log"
echo "$packages" >"$dir/complete"
