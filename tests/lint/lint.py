"""What the lints share: the list of source files, C without its comments, and TAP.

A lint is a list of rules.  A rule is a function of (path, text) that yields (line number, what is wrong), with
a sample it must refuse: a rule that does not refuse its own sample fails before it looks at the tree.
"""
import os
import re
import subprocess
import sys

TOP = os.environ.get("MCV_SRCDIR") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROOMS = ("lib", "imap", "sql", "fcgi", "worker", "engine", "ctl")
# Made by autoreconf, configure or make; there when the tree is a tarball.
MADE = re.compile(r"^(build|m4|autom4te\.cache|\.git|node_modules|.*__pycache__)(-[^/]*)?/|"
                  r"^(configure~?|aclocal\.m4|config\.h\.in~?|.*Makefile\.in|INSTALL)$")


def files():
    """The paths of every source file, from the top of the tree, sorted."""
    try:
        found = subprocess.run(["git", "-C", TOP, "ls-files", "-co", "--exclude-standard", "-z"],
                               capture_output=True, check=False)
    except FileNotFoundError:
        found = None
    if found is not None and found.returncode == 0:
        names = [n.decode() for n in found.stdout.split(b"\0") if n]
    else:
        names = [os.path.relpath(os.path.join(d, f), TOP) for d, _, fs in os.walk(TOP) for f in fs]
    return sorted(n for n in names if not MADE.match(n) and os.path.isfile(os.path.join(TOP, n)))


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8", errors="surrogateescape", newline="") as f:
        return f.read()


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def blank(match):
    """As many lines of nothing."""
    return re.sub(r"[^\n]", " ", match.group(0))


C_TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def c_code(text):
    """C with comments blanked and string literals kept empty."""
    return C_TOKEN.sub(lambda m: '"' + " " * (len(m.group(0)) - 2) + '"' if m.group(0)[0] == '"' else blank(m), text)


def c_strings(text):
    """(offset, contents) of string literals; neighbours are joined."""
    joined, end = [], None
    for m in C_TOKEN.finditer(text):
        if m.group(0)[0] != '"':
            continue
        if end is not None and text[end:m.start()].strip() == "":
            joined[-1] = (joined[-1][0], joined[-1][1] + m.group(0)[1:-1])
        else:
            joined.append((m.start(), m.group(0)[1:-1]))
        end = m.end()
    return joined


class Rule:
    """name: the promise.  applies(path): which files.  find(path, text): see above.  sample: (path, text)."""

    def __init__(self, name, applies, find, sample):
        self.name, self.applies, self.find, self.sample = name, applies, find, sample


def problems_of(rule, paths):
    if not list(rule.find(*rule.sample)):
        return ["the rule does not refuse its own sample: %r" % (rule.sample,)]
    return ["%s:%d: %s" % (p, line, what)
            for p in paths if rule.applies(p) for line, what in rule.find(p, read(p))]


def report(results):
    """results: (name, problems or None, reason of a skip).  Prints TAP and exits."""
    failed = 0
    print("1..%d" % len(results))
    for number, (name, problems, skip) in enumerate(results, 1):
        if problems is None:
            print("ok %d - %s # SKIP %s" % (number, name, skip))
            continue
        print("%sok %d - %s" % ("not " if problems else "", number, name))
        for p in problems[:100]:
            print("# " + p.encode("utf-8", "backslashreplace").decode())
        failed += bool(problems)
    sys.exit(1 if failed else 0)


def run(rules):
    paths = files()
    wanted = sys.argv[1:]
    report([(r.name, problems_of(r, paths), "") for r in rules if not wanted or r.name in wanted])
