# tests/bench: figures, by hand: python3 tests/bench/bench.py with MCV_BUILDDIR naming an optimised build
EXTRA_DIST += %D%/bench.py
# the engine's figures, by hand: python3 tests/bench/engine.py
EXTRA_DIST += %D%/engine.py %D%/mailboxes.py
check_PROGRAMS += tests/bench/copier tests/bench/delay
tests_bench_copier_SOURCES = %D%/copier.c
tests_bench_copier_LDADD = $(OPENSSL_LIBS)
tests_bench_delay_SOURCES = %D%/delay.c
tests_bench_delay_LDADD =
