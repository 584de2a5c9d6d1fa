"""A private MariaDB, real workers and programs that misbehave, for the tests in this directory.

Everything lives below one temporary directory and ends with the test.  Tests are functions named as promises;
run() prints TAP.
"""

import atexit
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import zlib

SRC = os.environ.get("MCV_SRCDIR") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("MCV_BUILDDIR", SRC)
WORKER = os.path.join(BUILD, "worker", "mailconvoy-worker")
HELPER = os.path.join(BUILD, "tests", "worker", "helper")
STUB = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stub.py")
PASSWORD_SOURCE = "s0urce-Passw0rd-%canary%"
PASSWORD_DESTINATION = "d3stination-Passw0rd-&canary&"


class Skip(Exception):
    pass


def need(*programs):
    for program in programs:
        if shutil.which(program) is None and not os.access(program, os.X_OK):
            raise Skip("%s is not here" % program)


def wait_for(what, condition, seconds=120):
    """Poll until condition() is true and return its value; fail with what otherwise."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError("not within %d s: %s" % (seconds, what() if callable(what) else what))
        time.sleep(0.02)


class Database:
    def __init__(self, root):
        self.dir = os.path.join(root, "db")
        self.socket = os.path.join(root, "db.sock")
        self.log = os.path.join(root, "db.log")
        self.process = None
        # mariadbd removes left-over temporary tables where it keeps its own: not those of other servers.
        self.env = dict(os.environ, TMPDIR=root)
        me = subprocess.check_output(["id", "-un"], text=True).strip()
        subprocess.run(
            ["mariadb-install-db", "--no-defaults", "--user=" + me, "--datadir=" + self.dir, "--skip-test-db",
             "--auth-root-authentication-method=socket", "--auth-root-socket-user=" + me],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.env)
        self.me = me
        self.start()

    def start(self):
        out = open(self.log, "ab")
        self.process = subprocess.Popen(
            ["mariadbd", "--no-defaults", "--user=" + self.me, "--datadir=" + self.dir, "--socket=" + self.socket,
             "--skip-networking", "--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=2",
             "--max-allowed-packet=1M", "--skip-log-bin", "--plugin-load-add=auth_socket",
             "--pid-file=" + self.dir + "/pid"],
            stdout=out, stderr=out, env=self.env)
        out.close()
        wait_for("mariadbd answers", lambda: self.try_sql("SELECT 1") == "1")

    def kill(self, sig=signal.SIGKILL):
        self.process.send_signal(sig)
        if sig in (signal.SIGKILL, signal.SIGTERM):
            self.process.wait()

    def try_sql(self, sql, database=""):
        done = subprocess.run(
            ["mariadb", "--no-defaults", "--socket=" + self.socket, "-N", "-B", "--raw", database or "mysql"],
            input=sql.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.error = done.stderr.decode(errors="replace")
        return done.stdout.decode(errors="replace").rstrip("\n") if done.returncode == 0 else None

    def sql(self, sql):
        out = self.try_sql(sql, "mailconvoy")
        if out is None:
            raise AssertionError("SQL failed: %s: %s" % (sql[:200], self.error))
        return out


class World:
    """One database and everything that runs on it."""

    def __init__(self, **settings):
        need("mariadbd", "mariadb", "mariadb-install-db", WORKER, HELPER)
        self.root = tempfile.mkdtemp(prefix="mcv-worker-")
        os.chmod(self.root, 0o700)
        atexit.register(self.close)
        self.workers = []
        self.boxes = 1
        self.db = Database(self.root)
        self.db.try_sql("CREATE DATABASE mailconvoy CHARACTER SET utf8mb4")
        subprocess.run([HELPER, "migrate", self.db.socket, "mailconvoy", os.path.join(SRC, "sql")], check=True)
        self.private = os.path.join(self.root, "sealing.key")
        self.public = os.path.join(self.root, "sealing.pub")
        subprocess.run([HELPER, "keygen", self.private, self.public], check=True)
        self.program = os.path.join(self.root, "bin", "stub.py")
        os.makedirs(os.path.join(self.root, "bin"))
        os.makedirs(os.path.join(self.root, "state"), mode=0o700)
        shutil.copy(STUB, self.program)
        os.chmod(self.program, 0o755)
        self.ledger_path = os.path.join(self.root, "bin", "ledger")
        self.db.sql("INSERT INTO account (id, name, created_at) VALUES (1, 'Example', UTC_TIMESTAMP(6)); "
                    "INSERT INTO user (id, account_id, email, password_hash, role, created_at) VALUES "
                    "(1, 1, 'owner@example.org', '*', 'admin', UTC_TIMESTAMP(6))")
        self.sealed = [self.seal(PASSWORD_SOURCE, "source"), self.seal(PASSWORD_DESTINATION, "destination")]
        self.settings = dict(
            database_socket=self.db.socket, database_name="mailconvoy", private_key_file=self.private,
            public_key_file=self.public, state_dir=os.path.join(self.root, "state"), sync_program=self.program,
            engine_program="/nonexistent", verify="off", poll_ms=50, lease_s=60, renew_s=10, fence_s=40, kill_grace_s=2)
        self.settings.update(settings)

    def seal(self, password, side):
        return subprocess.run([HELPER, "seal", self.public, "1", side], input=password.encode(),
                              stdout=subprocess.PIPE, check=True).stdout.decode()

    def conf(self, **settings):
        path = os.path.join(self.root, "worker-%d.conf" % len(self.workers))
        with open(path, "w") as out:
            for key, value in {**self.settings, **settings}.items():
                if isinstance(value, list):
                    value = "{%s}" % ", ".join(map(json.dumps, value))
                elif isinstance(value, str):
                    value = json.dumps(value)
                out.write("%s = %s\n" % (key, value))
        return path

    def worker(self, env=None, **settings):
        log = open(os.path.join(self.root, "worker-%d.log" % len(self.workers)), "wb")
        w = subprocess.Popen([WORKER, "-f", "-c", self.conf(**settings)], stderr=log, stdin=subprocess.DEVNULL,
                             env={**os.environ, "SERVER_SOFTWARE": "must not reach the child", **(env or {})})
        w.log_path = log.name
        log.close()
        self.workers.append(w)
        return w

    def log_of(self, worker):
        with open(worker.log_path, errors="replace") as log:
            return log.read()

    def stop(self, worker, seconds=90):
        """SIGTERM; returns how long it took."""
        began = time.monotonic()
        worker.send_signal(signal.SIGTERM)
        worker.wait(seconds)
        return time.monotonic() - began

    def add_jobs(self, *users, dry_run=0, sealed=None, destination=None,
                 source=("old.example.org", 993, "tls", 1), target=("new.example.org", 993, "tls", 1)):
        """Jobs whose source user tells the stub how to behave, each to a mailbox of its own; returns their ids."""
        src, dst = sealed or self.sealed
        rows = ",".join(
            "(1, 1, %d, 'Old', '%s', %d, '%s', %d, '%s', x'%s', 'New', '%s', %d, '%s', %d, "
            "'%s', x'%s', 'queued', UTC_TIMESTAMP(6) + INTERVAL %d MICROSECOND, UTC_TIMESTAMP(6))"
            % (dry_run, *source, user, src, *target,
               destination or "box%d" % (self.boxes + i), dst, i) for i, user in enumerate(users))
        self.boxes += len(users)
        last = self.db.sql(
            "INSERT INTO job (account_id, owner_user_id, dry_run, src_server_name, src_host, src_port, src_security, src_verify, "
            "src_user, src_sealed, dst_server_name, dst_host, dst_port, dst_security, dst_verify, dst_user, "
            "dst_sealed, state, queued_at, updated_at) VALUES %s; SELECT LAST_INSERT_ID()" % rows)
        return list(range(int(last), int(last) + len(users)))

    def job(self, job_id, columns="state, reason"):
        row = self.db.sql("SELECT %s FROM job WHERE id = %d" % (columns, job_id))
        return tuple(row.split("\t"))

    def wait_state(self, job_id, *states, seconds=120):
        wait_for(lambda: "job %d: %s" % (job_id, self.job(job_id)), lambda: self.job(job_id)[0] in states, seconds)

    def wait_ended(self, ids, seconds=180):
        wait_for(lambda: self.db.sql("SELECT id, state, reason FROM job WHERE state IN ('queued', 'running')"),
                 lambda: self.db.try_sql("SELECT COUNT(*) FROM job WHERE state IN ('queued', 'running')",
                                         "mailconvoy") == "0", seconds)
        return [self.job(i) for i in ids]

    def log_bytes(self, job_id):
        """What job_log holds, with the places: [(start, bytes)]."""
        out = self.db.sql("SELECT start, length, encoding, HEX(bytes) FROM job_log WHERE job_id = %d ORDER BY start"
                          % job_id)
        chunks = []
        for line in out.split("\n") if out else []:
            start, length, encoding, data = line.split("\t")
            raw = bytes.fromhex(data)
            raw = zlib.decompress(raw) if encoding == "1" else raw
            assert len(raw) == int(length)
            chunks.append((int(start), raw))
        return chunks

    def whole_log(self, job_id):
        chunks = self.log_bytes(job_id)
        at = 0
        for start, raw in chunks:
            assert start == at, "gap in the log at %d" % at
            at += len(raw)
        return b"".join(raw for _, raw in chunks)

    def ledger(self):
        """What the stubs noted of themselves: [(event, run directory, pid)]."""
        try:
            with open(self.ledger_path) as ledger:
                return [tuple(line.split()) for line in ledger]
        except FileNotFoundError:
            return []

    def survivors(self):
        """Processes of ours that are programs or keepers."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cmdline" % pid, "rb") as f:
                    words = f.read().split(b"\0")
            except OSError:
                continue
            if any(self.root.encode() in word for word in words) and int(pid) != self.db.process.pid and \
                    int(pid) not in [w.pid for w in self.workers]:
                found.append((int(pid), b" ".join(words)[:120]))
        return found

    def check_invariants(self):
        """Running, slot, lease and token go together, and no log has a gap."""
        assert self.db.sql("SELECT COUNT(*) FROM run_slot s LEFT JOIN job j ON j.id = s.job_id "
                           "AND j.claim_token = s.claim_token AND j.state = 'running' "
                           "WHERE s.job_id IS NOT NULL AND j.id IS NULL") == "0", "a slot without a running job"
        assert self.db.sql("SELECT COUNT(*) FROM job j LEFT JOIN run_slot s ON s.job_id = j.id "
                           "WHERE j.state = 'running' AND s.job_id IS NULL") == "0", "a running job without a slot"
        assert self.db.sql("SELECT COUNT(*) FROM (SELECT j.id FROM job j LEFT JOIN job_log l ON l.job_id = j.id "
                           "GROUP BY j.id, j.log_bytes, j.log_cut_bytes "
                           "HAVING COALESCE(SUM(l.length), 0) <> j.log_bytes - j.log_cut_bytes) x") == "0", "log gaps"

    def close(self):
        if self.root is None:
            return
        for w in self.workers:
            if w.poll() is None:
                w.send_signal(signal.SIGCONT)
                w.kill()
                w.wait()
        wait_end = time.monotonic() + 10
        while self.survivors() and time.monotonic() < wait_end:
            time.sleep(0.05)
        if self.db.process is not None and self.db.process.poll() is None:
            self.db.process.send_signal(signal.SIGCONT)
            self.db.process.kill()
            self.db.process.wait()
        if os.environ.get("MCV_KEEP"):
            print("# kept: " + self.root)
        else:
            shutil.rmtree(self.root, ignore_errors=True)
        self.root = None


def sanitizer_reports(world):
    return [w.log_path for w in world.workers
            if re.search(r"AddressSanitizer|runtime error:|LeakSanitizer", world.log_of(w))]


def run(make_world, tests):
    """Run tests, each given the one world of this file; TAP on standard output."""
    wanted = sys.argv[1:]
    tests = [t for t in tests if not wanted or t.__name__ in wanted]
    try:
        world = make_world()
    except Skip as why:
        print("1..0 # SKIP %s" % why)
        return
    print("1..%d" % (len(tests) + 1), flush=True)
    failed = 0
    for number, test in enumerate(tests, 1):
        began = time.monotonic()
        try:
            test(world)
            print("ok %d - %s # %.1f s" % (number, test.__name__, time.monotonic() - began), flush=True)
        except Skip as why:
            print("ok %d - %s # SKIP %s" % (number, test.__name__, why), flush=True)
        except Exception:
            failed += 1
            print("not ok %d - %s" % (number, test.__name__), flush=True)
            for line in traceback.format_exc().splitlines():
                print("# " + line, flush=True)
            for w in world.workers[-2:]:
                for line in world.log_of(w).splitlines()[-15:]:
                    print("#   " + line, flush=True)
        for w in world.workers:
            if w.poll() is None:
                w.send_signal(signal.SIGCONT)
                try:
                    world.stop(w)
                except subprocess.TimeoutExpired:
                    w.kill()
                    w.wait()
    reports = sanitizer_reports(world)
    print("%sok %d - no_sanitizer_complains" % ("not " if reports else "", len(tests) + 1), flush=True)
    for path in reports:
        with open(path, errors="replace") as log:
            for line in log.read().splitlines()[-40:]:
                print("# " + line)
    world.close()
    sys.exit(1 if failed or reports else 0)
