"""TAP for tests/http: a test is a function; its name is the promise."""
import os
import sys
import traceback


class Skip(Exception):
    """The test cannot be run here; the text says why."""


def run(module_globals):
    """Run every function whose name begins with "test_" in order of definition, and exit."""
    tests = [(n, f) for n, f in module_globals.items() if n.startswith("test_") and callable(f)]
    wanted = sys.argv[1:]
    if wanted:
        tests = [(n, f) for n, f in tests if n in wanted or n[5:] in wanted]
    failed = 0
    print("1..%d" % len(tests))
    for i, (name, func) in enumerate(tests, 1):
        try:
            func()
            print("ok %d - %s" % (i, name[5:]))
        except Skip as why:
            print("ok %d - %s # SKIP %s" % (i, name[5:], why))
        except Exception:
            failed += 1
            print("not ok %d - %s" % (i, name[5:]))
            for line in traceback.format_exc().splitlines():
                print("# " + line)
        sys.stdout.flush()
    sys.exit(1 if failed else 0)


def skip_all(why):
    print("1..0 # SKIP " + why)
    sys.exit(0)


def same(got, want, what=""):
    if got != want:
        raise AssertionError("%s: got %r, want %r" % (what or "values differ", got, want))


def has(text, part, what=""):
    if part not in text:
        raise AssertionError("%s: %r is not in %r" % (what or "text", part, text[:2000]))


def lacks(text, part, what=""):
    if part in text:
        raise AssertionError("%s: %r is in the text" % (what or "text", part))
