"""TAP, the two programs under test, and the pair of servers they work between."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback

import dovecot

BUILDDIR = os.environ.get("MCV_BUILDDIR", os.getcwd())
ENGINE = os.path.join(BUILDDIR, "engine", "mailconvoy-sync")
IMAPSYNC = shutil.which("imapsync")


class Skip(Exception):
    pass


class Program:
    """ours: whether what imapsync is known to get wrong is asserted."""

    def __init__(self, name, path):
        self.name = name
        self.path = path
        self.ours = name == "engine"

    def __repr__(self):
        return self.name


PROGRAMS = [Program("engine", ENGINE), Program("imapsync", IMAPSYNC)]


class Result:
    def __init__(self, code, output):
        self.code = code  # as subprocess has it: -15 for killed by SIGTERM
        self.output = output

    def number(self, label):
        """The number behind a label of the statistics."""
        m = re.search(r"^%s\s*: (\d+)" % re.escape(label), self.output, re.M)
        return int(m.group(1)) if m else None

    def has(self, text):
        return text in self.output


class Bench:
    """Source and destination, started once for a test file; every test takes a user of its own."""

    def __init__(self, **options):
        why = dovecot.missing()
        if why is None and not os.access(ENGINE, os.X_OK):
            why = "engine/mailconvoy-sync is not built"
        self.why = why
        self.directory = None
        self.source = self.destination = None
        self.options = options
        self.users = {"user%d" % n: "pa ss\"w\\rd-%d" % n for n in range(1, 200)}
        self.next_user = 0

    def __enter__(self):
        if self.why:
            return self
        self.directory = tempfile.mkdtemp(prefix="mcv-engine-")
        self.authority = dovecot.Authority(os.path.join(self.directory, "ca"))
        self.source = dovecot.Dovecot(os.path.join(self.directory, "source"), self.authority, self.users,
                                      separator=".").start()
        self.destination = dovecot.Dovecot(os.path.join(self.directory, "destination"), self.authority, self.users,
                                           **self.options).start()
        return self

    def __exit__(self, *what):
        for server in (self.source, self.destination):
            if server:
                server.stop()
        if self.directory:
            shutil.rmtree(self.directory, ignore_errors=True)

    def user(self):
        self.next_user += 1
        return "user%d" % self.next_user

    def passfile(self, password, name="pw"):
        path = os.path.join(self.directory, "%s-%d" % (name, len(os.listdir(self.directory))))
        with open(path, "w", encoding="utf-8") as f:
            f.write(password + "\n")
        return path

    def words(self, program, user, *more, port1=None, port2=None, host1="127.0.0.1", host2="127.0.0.1",
              password1=None, password2=None, security1=("--nossl1", "--notls1"), security2=("--nossl2", "--notls2"),
              user2=None):
        user2 = user2 or user
        job = tempfile.mkdtemp(prefix="job-", dir=self.directory)
        words = [program.path, "--host1=" + host1, "--port1=%d" % (port1 or self.source.port), "--user1=" + user,
                 "--passfile1=" + self.passfile(password1 if password1 is not None else self.users.get(user, "x")),
                 "--host2=" + host2, "--port2=%d" % (port2 or self.destination.port), "--user2=" + user2,
                 "--passfile2=" + self.passfile(password2 if password2 is not None else self.users.get(user2, "x")),
                 *security1, *security2, "--notrylogin", "--automap", "--addheader", "--nolog", "--noreleasecheck",
                 "--no-modulesversion", "--nodockercontext", "--tmpdir=" + job, "--pidfile=%s/pid" % job]
        if program.path == ENGINE:
            # On a busy machine a near server answers as late as a far one, and a proxy's rule reads nothing compressed.
            words.append("--compress=off")
        return words + list(more), job

    def start(self, program, user, *more, **options):
        words, job = self.words(program, user, *more, **options)
        environment = {"PATH": os.environ["PATH"], "HOME": job, "TMPDIR": job, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                environment[name] = os.environ[name]
        return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                env=environment, cwd=job)

    def sync(self, program, user, *more, **options):
        process = self.start(program, user, *more, **options)
        try:
            output, _ = process.communicate(timeout=180)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            output, _ = process.communicate()
            raise AssertionError("still running after 180 s:\n" + output.decode(errors="replace")[-3000:])
        return Result(process.returncode, output.decode(errors="replace"))


class Tests:
    """@tests.test decorates functions of (bench, program), or of (bench) with programs=None."""

    def __init__(self, programs=tuple(PROGRAMS), bench=None, **options):
        self.cases = []
        self.programs = programs
        self.bench = bench or Bench(**options)

    def test(self, function):
        self.cases += [(function, p) for p in self.programs]
        return function

    def engine_only(self, function):
        self.cases.append((function, PROGRAMS[0]))
        return function

    def main(self):
        wanted = sys.argv[1:]
        cases = [c for c in self.cases if not wanted or c[0].__name__ in wanted]
        print("1..%d" % len(cases), flush=True)
        failed = 0
        with self.bench:
            for number, (function, program) in enumerate(cases, 1):
                name = "%s (%s)" % (function.__name__, program.name)
                why = self.bench.why
                if why is None and program.path is None:
                    why = "no %s on PATH" % program.name
                if why:
                    print("ok %d - %s # SKIP %s" % (number, name, why), flush=True)
                    continue
                try:
                    function(self.bench, program)
                    print("ok %d - %s" % (number, name), flush=True)
                except Skip as skip:
                    print("ok %d - %s # SKIP %s" % (number, name, skip), flush=True)
                except Exception:
                    failed += 1
                    print("not ok %d - %s" % (number, name))
                    for line in traceback.format_exc().splitlines():
                        print("# " + line)
                    sys.stdout.flush()
        sys.exit(1 if failed else 0)


def check(condition, result=None, what=""):
    if condition:
        return
    tail = "" if result is None else "\nexit %s\n%s" % (result.code, result.output[-4000:])
    raise AssertionError(what + tail)


def same(left, right, result=None, what="source and destination"):
    """Two snapshots are equal; says where they are not."""
    differences = []
    for folder in sorted(set(left) | set(right)):
        a, b = left.get(folder), right.get(folder)
        if a is None and not b and any(name.startswith(folder + "/") for name in left):
            continue  # imapsync makes folders of what only holds folders on the source
        if a != b:
            missing = (a - b) if a is not None and b is not None else a
            extra = (b - a) if a is not None and b is not None else b
            differences.append("%s: missing %s extra %s" % (folder, str(missing)[:600], str(extra)[:600]))
    check(not differences, result, what + " differ:\n" + "\n".join(differences))
