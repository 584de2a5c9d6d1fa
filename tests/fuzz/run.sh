#!/bin/sh
# run.sh SECONDS [NAME...]: build the fuzz targets with clang and run each (or those named) that long; what reads
# the tokens and the responses of IMAP servers, ten times as long.
# Inputs found on the way stay in the build directory ($MCV_FUZZ_BUILD, else build-fuzz); a crash is printed
# with the file that causes it.  Exit status 0: no target failed, 1: one did, 77: there is no clang.
set -eu

seconds=${1:?usage: run.sh SECONDS [NAME...]}
shift
src=$(cd "$(dirname "$0")/../.." && pwd)
build=${MCV_FUZZ_BUILD:-$src/build-fuzz}

command -v clang >/dev/null 2>&1 || {
	echo "skipped: clang is not installed" >&2
	exit 77
}
[ -x "$src/configure" ] || (cd "$src" && autoreconf -i)
mkdir -p "$build"
cd "$build"
[ -f Makefile ] || "$src/configure" -q CC=clang CFLAGS='-O1 -g' --enable-sanitizers --enable-fuzzers
make -s -j2 fuzzers

failed=0
for program in tests/fuzz/fuzz_*; do
	name=${program#tests/fuzz/fuzz_}
	case $name in *.*) continue ;; esac
	if [ "$#" -gt 0 ]; then
		case " $* " in *" $name "*) ;; *) continue ;; esac
	fi
	case $name in
	imap_token | imap_session) time=$((seconds * 10)) ;;
	*) time=$seconds ;;
	esac
	mkdir -p "found/$name"
	if "$program" -max_total_time="$time" -timeout=10 -rss_limit_mb=1024 -max_len=4096 -print_final_stats=1 \
		-artifact_prefix="found/$name-" "found/$name" "$src/tests/fuzz/corpus/$name" >"found/$name.log" 2>&1; then
		echo "ok $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "found/$name.log") inputs"
	else
		echo "FAILED $name: see $build/found/$name.log"
		tail -n 40 "found/$name.log"
		failed=1
	fi
done
exit "$failed"
