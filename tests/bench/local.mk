# tests/bench: figures, by hand: python3 tests/bench/bench.py with MCV_BUILDDIR naming an optimised build
EXTRA_DIST += %D%/bench.py
