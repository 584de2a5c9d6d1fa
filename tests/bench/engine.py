"""engine.py [--quick] [--rounds=N] [--only=PROGRAM,...] [CASE...]: what the engine costs beside other programs.

Cases: m (2,000 messages of 48 KB), l (20,000 of 8 KB), delay (m with 20 ms more round trip on each side),
second (a second pass over l, nothing new), million (1,000,000 small messages, --dry: the engine's memory).
Programs: engine, imapsync, mbsync, doveadm, copier; those that are missing are left out.
--quick: a tenth of the messages, one round.  Otherwise five rounds; in each every program once, in turn.

Dovecot to Dovecot on loopback with TLS, maildir with its default fsync, an empty destination before each run.
MCV_BUILDDIR is an optimised build with the engine, tests/bench/copier and tests/bench/delay
(make tests/bench/copier tests/bench/delay).
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [os.path.join(TESTS, "engine")]

import dovecot  # noqa: E402
import mailboxes  # noqa: E402

BUILD = os.environ.get("MCV_BUILDDIR", os.path.dirname(TESTS))
PASSWORD = "pass word%1"
DELAY_MS = 10  # each way: 20 ms a round trip
ROUNDS = 5
SIZES = {"m": (2000, 48 * 1024), "l": (20000, 8 * 1024)}

# (case, other program, figure) -> bound, from issue 4: what the other's median must be at least, over ours.
BOUNDS = {
    ("m", "imapsync", "time"): 6, ("m", "imapsync", "CPU"): 20, ("m", "mbsync", "time"): 1.7, ("m", "doveadm", "time"): 0.9,
    ("m", "copier", "time"): 1.0, ("l", "imapsync", "time"): 9, ("l", "copier", "time"): 1.0,
    ("delay", "imapsync", "time"): 45, ("second", "imapsync", "time"): 10,
}


def built(path):
    path = os.path.join(BUILD, path)
    return path if os.access(path, os.X_OK) else None


class Run:
    """One finished run: wall and CPU seconds, peak resident MB of the program itself."""

    def __init__(self, words, log, directory, stdin=None):
        env = {"PATH": os.environ["PATH"] + ":/usr/sbin", "HOME": directory, "TMPDIR": directory, "LC_ALL": "C.UTF-8",
               "TZ": "UTC"}
        began = time.monotonic()
        child = subprocess.Popen(words, stdin=stdin or subprocess.DEVNULL, stdout=log, stderr=log, env=env, cwd=directory)
        self.peak_mb = 0.0
        while True:
            # The kernel's own peak, but of this program alone: wait4's would count this script, which forked it.
            self.peak_mb = max(self.peak_mb, peak_mb(child.pid))
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            time.sleep(0.01)
        self.wall_s = time.monotonic() - began
        self.cpu_s = usage.ru_utime + usage.ru_stime
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            log.seek(0)
            raise RuntimeError("%s ended with %d:\n%s" % (words[0], child.returncode,
                                                          log.read().decode(errors="replace")[-3000:]))


def peak_mb(pid):
    try:
        with open("/proc/%d/status" % pid, encoding="ascii", errors="replace") as f:
            for line in f:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


class Place:
    """Both servers; ports are those of the delaying proxies where there is a delay."""

    def __init__(self, directory):
        self.directory = directory
        self.authority = dovecot.Authority(os.path.join(directory, "ca"))
        users = {name: PASSWORD for name in ("m", "l", "million")}
        users.update({"d%d" % n: PASSWORD for n in range(1, 500)})
        self.users = users
        self.source, self.destination = self.server("source"), self.server("destination")
        self.used = 0
        self.proxies = []
        self.passfile = os.path.join(directory, "password")
        with open(self.passfile, "w", encoding="utf-8") as f:
            f.write(PASSWORD + "\n")
        self.ports = ()

    def server(self, name, location=None):
        return dovecot.Dovecot(os.path.join(self.directory, name), self.authority, self.users, separator=".",
                               location=location)

    def mbox_server(self):
        return self.server("mbox", "mbox:~/mail:INBOX=~/inbox")

    def __enter__(self):
        self.source.start()
        self.destination.start()
        self.ports = (self.source.tls_port, self.destination.tls_port)
        return self

    def __exit__(self, *what):
        for proxy in self.proxies:
            proxy.stdin.close()
            proxy.wait()
        self.source.stop()
        self.destination.stop()

    def delayed_ports(self):
        if not self.proxies:
            for port in self.ports:
                self.proxies.append(subprocess.Popen([built("tests/bench/delay"), str(port), str(DELAY_MS)],
                                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        if not hasattr(self, "delayed"):
            self.delayed = tuple(int(proxy.stdout.readline()) for proxy in self.proxies)
        return self.delayed

    def fresh(self):
        self.used += 1
        return "d%d" % self.used

    def empty(self, user):
        shutil.rmtree(os.path.join(self.destination.directory, "mail", user), ignore_errors=True)


def sync_words(program, place, ports, user1, user2, *more):
    words = [program]
    for side, port, user in ((1, ports[0], user1), (2, ports[1], user2)):
        words += ["--host%d=localhost" % side, "--port%d=%d" % (side, port), "--user%d=%s" % (side, user), "--ssl%d" % side,
                  "--passfile%d=%s" % (side, place.passfile), "--sslargs%d=SSL_verify_mode=1" % side,
                  "--sslargs%d=SSL_ca_file=%s" % (side, place.authority.ca_file)]
    return words + ["--notrylogin", "--automap", "--addheader", "--nolog", "--noreleasecheck", "--no-modulesversion",
                    "--nodockercontext", "--tmpdir=" + place.directory,
                    "--pidfile=" + os.path.join(place.directory, "pid"), *more]


MBSYNC = """
IMAPAccount {side}
Host localhost
Port {port}
User {user}
Pass "{password}"
SSLType IMAPS
CertificateFile {ca}
AuthMechs LOGIN

IMAPStore {side}
Account {side}
"""


def mbsync_words(place, ports, user1, user2):
    state = tempfile.mkdtemp(dir=place.directory)
    path = os.path.join(state, "config")
    with open(path, "w", encoding="utf-8") as f:
        for side, port, user in (("source", ports[0], user1), ("destination", ports[1], user2)):
            f.write(MBSYNC.format(side=side, port=port, user=user, password=PASSWORD, ca=place.authority.ca_file))
        f.write("\nChannel all\nFar :source:\nNear :destination:\nPatterns *\nCreate Near\nSync Pull New\n"
                "CopyArrivalDate yes\nSyncState %s/\n" % state)
    return ["mbsync", "-q", "-c", path, "all"]


def doveadm_words(place, ports, user1, user2):
    settings = {"imapc_host": "localhost", "imapc_port": ports[0], "imapc_ssl": "imaps", "imapc_user": user1,
                "imapc_password": PASSWORD, "imapc_features": "rfc822.size fetch-headers",
                "ssl_client_ca_file": place.authority.ca_file, "mail_prefetch_count": 20}
    words = ["doveadm", "-c", place.destination.config]
    for key, value in settings.items():
        words += ["-o", "%s=%s" % (key, value)]
    return words + ["backup", "-R", "-u", user2, "imapc:"]


class Programs:
    def __init__(self, only):
        found = {"engine": built("engine/mailconvoy-sync"), "imapsync": shutil.which("imapsync"),
                 "mbsync": shutil.which("mbsync"), "doveadm": shutil.which("doveadm"), "copier": built("tests/bench/copier")}
        self.paths = {name: path for name, path in found.items() if path and (not only or name in only)}
        for name in found:
            if not found[name] and (not only or name in only):
                print("# no %s here" % name)

    def run(self, name, place, ports, user1, user2, *more):
        with tempfile.TemporaryFile() as log:
            if name in ("engine", "imapsync"):
                return Run(sync_words(self.paths[name], place, ports, user1, user2, *more), log, place.directory)
            if name == "mbsync":
                return Run(mbsync_words(place, ports, user1, user2), log, place.directory)
            if name == "doveadm":
                return Run(doveadm_words(place, ports, user1, user2), log, place.directory)
            with open(place.passfile, "rb") as stdin:
                return Run([self.paths[name], str(ports[0]), str(ports[1]), user1, user2], log, place.directory, stdin)


def settle():
    """What earlier runs left to write is written before the next is measured."""
    os.sync()


def count_stored(place, user):
    top = os.path.join(place.destination.directory, "mail", user)
    return sum(len(names) for root, _, names in os.walk(top) if os.path.basename(root) in ("cur", "new"))


def measure(case, programs, names, place, ports, user, rounds, expected):
    """{program: [Run]} of copies to an empty destination."""
    runs = {name: [] for name in names}
    for n in range(rounds):
        # Whoever goes first in one round goes last in the next.
        for name in names[n % len(names):] + names[:n % len(names)]:
            to = place.fresh()
            settle()
            run = programs.run(name, place, ports, user, to)
            stored = count_stored(place, to)
            place.empty(to)
            if stored != expected:
                raise RuntimeError("%s stored %d of %d messages" % (name, stored, expected))
            runs[name].append(run)
            print("#   %-7s round %d  %-9s %7.2f s  %6.2f s CPU  %6.1f MB" % (
                case, n + 1, name, run.wall_s, run.cpu_s, run.peak_mb), flush=True)
    return runs


def median(runs, figure):
    return statistics.median(getattr(run, figure) for run in runs)


def line(text, value, unit, bound=None, at_most=False):
    good = "" if bound is None else "  ok" if (value <= bound if at_most else value >= bound) else "  MISSED"
    asked = "" if bound is None else "  (at %s %g)" % ("most" if at_most else "least", bound)
    print("%-58s %8.2f %s%s%s" % (text, value, unit, asked, good), flush=True)


def report(case, runs, quick):
    for name, each in runs.items():
        print("%-8s %-9s %7.2f s  %6.2f s CPU  %6.1f MB (medians of %d)" % (
            case, name, median(each, "wall_s"), median(each, "cpu_s"), max(run.peak_mb for run in each), len(each)))
    ours = runs.get("engine")
    if not ours:
        return
    for name, each in runs.items():
        if name == "engine":
            continue
        for figure, attribute in (("time", "wall_s"), ("CPU", "cpu_s")):
            bound = None if quick else BOUNDS.get((case, name, figure))
            line("%s: %s's %s over ours" % (case, name, figure), median(each, attribute) / median(ours, attribute), "x", bound)
    if case in ("l", "second"):
        line("%s: our peak memory" % case, max(run.peak_mb for run in ours), "MB", 20, True)


class Figures:
    def __init__(self, place, programs, rounds, quick):
        self.place, self.programs, self.rounds, self.quick = place, programs, rounds, quick
        self.filled = {}

    def mailbox(self, name):
        """The source's user, filled and once read; how many messages it holds."""
        if name not in self.filled:
            count, mean = SIZES[name]
            count = count // 10 if self.quick else count
            total = mailboxes.fill_maildir(self.place.source, name, count, mean)
            print("# %s: %d messages, %.1f MB" % (name, count, total / 1e6), flush=True)
            # Dovecot indexes what it sees for the first time: that is nobody's cost.
            warm = self.place.fresh()
            self.programs.run("copier" if "copier" in self.programs.paths else "engine", self.place, self.place.ports,
                              name, warm)
            self.programs.run("engine", self.place, self.place.ports, name, self.place.fresh(), "--dry")
            self.place.empty(warm)
            self.filled[name] = count
        return self.filled[name]

    def copies(self, case, mailbox, ports):
        count = self.mailbox(mailbox)
        names = [name for name in self.programs.paths
                 if mailbox == "m" or name in ("engine", "imapsync", "copier")]
        runs = measure(case, self.programs, names, self.place, ports, mailbox, self.rounds, count)
        report(case, runs, self.quick)
        return runs

    def m(self):
        self.copies("m", "m", self.place.ports)

    def l(self):
        self.copies("l", "l", self.place.ports)

    def delay(self):
        runs = self.copies("delay", "m", self.place.delayed_ports())
        near = measure("m", self.programs, ["engine"], self.place, self.place.ports, "m", self.rounds, self.filled["m"])
        if "engine" in runs:
            line("our time with the delay over ours without",
                 median(runs["engine"], "wall_s") / median(near["engine"], "wall_s"), "x", 1.3, True)

    def second(self):
        self.mailbox("l")
        names = [name for name in ("engine", "imapsync") if name in self.programs.paths]
        to = self.place.fresh()
        self.programs.run("engine", self.place, self.place.ports, "l", to)
        before = count_stored(self.place, to)
        runs = {name: [] for name in names}
        for _ in range(self.rounds):
            for name in names:
                settle()
                runs[name].append(self.programs.run(name, self.place, self.place.ports, "l", to))
        if count_stored(self.place, to) != before:
            raise RuntimeError("a second pass stored something")
        report("second", runs, self.quick)
        self.place.empty(to)

    def million(self):
        count = 100000 if self.quick else 1000000
        with self.place.mbox_server() as server:
            mailboxes.fill_mbox(server, "million", count)
            run = self.programs.run("engine", self.place, (server.tls_port, self.place.ports[1]), "million",
                                    self.place.fresh(), "--dry")
        print("million  engine    %7.2f s  %6.2f s CPU  %6.1f MB, %d messages, --dry" % (
            run.wall_s, run.cpu_s, run.peak_mb, count))
        line("million: our peak memory", run.peak_mb, "MB", 100, True)


def main():
    why = dovecot.missing()
    if why:
        sys.exit(why)
    quick, rounds, only, cases = False, ROUNDS, set(), []
    for word in sys.argv[1:]:
        if word == "--quick":
            quick, rounds = True, 1
        elif word.startswith("--rounds="):
            rounds = int(word[9:])
        elif word.startswith("--only="):
            only = set(word[7:].split(","))
        elif word in ("m", "l", "delay", "second", "million"):
            cases.append(word)
        else:
            sys.exit(__doc__)
    programs = Programs(only)
    directory = tempfile.mkdtemp(prefix="mcv-bench-")
    os.chmod(directory, 0o755)
    try:
        with Place(directory) as place:
            figures = Figures(place, programs, rounds, quick)
            for case in cases or ["m", "l", "delay", "second", "million"]:
                getattr(figures, case)()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
