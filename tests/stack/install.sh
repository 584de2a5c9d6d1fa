#!/bin/sh
# install.sh KIND...: install the Debian packages of these kinds (build, run, demo, test, long) that are missing.
# Needs root only when something is missing.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
missing=

have() {
	case $1 in
	# Any node from 18 on will do, wherever it came from; the same for npm.
	nodejs) command -v node >/dev/null 2>&1 && [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 18 ] ;;
	npm) command -v npm >/dev/null 2>&1 ;;
	*) [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ] ;;
	esac
}

while read -r kind package _; do
	case " $* " in
	*" $kind "*) have "$package" || missing="$missing $package" ;;
	esac
done <"$here/packages"
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
	echo "These Debian packages are missing, and there is no apt-get here:$missing" >&2
	exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
	echo "Missing packages. Run this as root, then start again:" >&2
	echo "  apt-get update && apt-get install -y --no-install-recommends$missing" >&2
	exit 1
fi

# Private copies are started by our own scripts: nothing installed here shall start by itself.
policy=/usr/sbin/policy-rc.d
made_policy=
if [ ! -e "$policy" ]; then
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
	made_policy=1
	trap 'rm -f "$policy"' EXIT
	trap 'exit 1' INT TERM
fi
echo "Installing:$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
apt_get() {
	apt-get -q -y "$@" >"$log" 2>&1 || {
		cat "$log" >&2
		exit 1
	}
}
apt_get update
# shellcheck disable=SC2086 # one word a package
apt_get install --no-install-recommends $missing
rm -f "$log"
if [ -n "$made_policy" ]; then
	rm -f "$policy"
	trap - EXIT
fi
