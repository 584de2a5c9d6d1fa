#!/usr/bin/python3
"""A disk that is full takes no job away, doubles none, and is told to whoever asks for more (promise R24)."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import time

import harness
from harness import BUILD, SRC, STUB, Skip, wait_for

sys.path += [os.path.join(SRC, "tests", "stack")]

import panel  # noqa: E402
import stack  # noqa: E402

DATABASE_MB, STATE_MB, LOG_MB = 320, 8, 2
SPARE_MB = 32
# One in a minute tells that a disk is full; a worker that told each attempt would write hundreds.
LINES_MAX = 8


class Disk:
    """An ext4 of its own on a file, mounted at path."""

    def __init__(self, path, megabytes):
        self.path = path
        self.image = path + ".img"
        self.filler = os.path.join(path, "filler")
        os.makedirs(path)
        with open(self.image, "wb") as image:
            image.truncate(megabytes << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", self.image], check=True)
        done = subprocess.run(["mount", "-o", "loop", self.image, path], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            os.unlink(self.image)
            raise Skip("no image can be mounted here: " + done.stdout.strip().replace("\n", " "))

    def fill(self, spare_mb=0):
        """To the last block, but for spare_mb: what needs one more after this is refused."""
        with open(self.filler, "ab", buffering=0) as out:
            if spare_mb > 0:
                room = os.statvfs(self.path)
                out.write(bytes(max(0, room.f_bavail * room.f_frsize - (spare_mb << 20))))
                return
            for size in (1 << 20, 4096, 1):
                try:
                    while True:
                        out.write(bytes(size))
                except OSError:
                    continue

    def free(self):
        if os.path.exists(self.filler):
            os.unlink(self.filler)

    def remove(self):
        subprocess.run(["umount", "-l", self.path], check=False)
        os.unlink(self.image)


class World:
    """The whole of it: its database on a disk of its own, what the worker writes on another, what it logs on a third."""

    def __init__(self):
        harness.need("mkfs.ext4", "mount", harness.WORKER)
        if os.geteuid() != 0:
            raise Skip("only root may mount")
        self.root = tempfile.mkdtemp(prefix="mcv-full-")
        self.workers, self.disks, self.stack, self.boxes = [], [], None, 0
        atexit.register(self.close)
        self.database_disk = self.disk("mariadb", DATABASE_MB)
        self.state_disk = self.disk("state", STATE_MB)
        self.log_disk = self.disk("log", LOG_MB)
        os.makedirs(os.path.join(self.root, "bin"))
        self.program = shutil.copy(STUB, os.path.join(self.root, "bin"))
        os.chmod(self.program, 0o755)
        s = stack.Stack(self.root, BUILD, port=0, parts=("mariadb", "web", "worker"), settings=dict(
            sync_program=self.program, engine_program="/nonexistent", verify="off", poll_ms=50, kill_grace_s=2,
            api_max_per_minute=100000))
        try:
            s.check_prerequisites()
        except RuntimeError as why:
            raise Skip(str(why)) from why
        self.stack = s
        s.start()
        self.panel = panel.Panel(s.env["URL"])
        self.panel.sign_in(s.env["ADMIN_EMAIL"], s.env["ADMIN_PASSWORD"])
        self.server = self.panel.add_server("Server", "imap.example.org", 993)["id"]

    def disk(self, name, megabytes):
        made = Disk(os.path.join(self.root, name), megabytes)
        self.disks.append(made)
        return made

    def add(self, user, dry_run=False):
        """A job whose source user tells the stub how to behave."""
        self.boxes += 1
        return self.panel.add_job(self.server, user, "a", self.server, "box%d" % self.boxes, "b", dry_run)["id"]

    def sql(self, text):
        out = self.stack.db.sql(text, "mailconvoy")
        assert out is not None, text
        return out.rstrip("\n")

    def job(self, job_id):
        return tuple(self.sql("SELECT state, reason FROM job WHERE id = %d" % job_id).split("\t"))

    def wait_job(self, job_id, *states, seconds=240):
        wait_for(lambda: "job %d: %s" % (job_id, self.job(job_id)), lambda: self.job(job_id)[0] in states, seconds)

    def begun(self, job_id):
        """How often the stub was started for that job."""
        with open(os.path.join(self.root, "bin", "ledger"), encoding="ascii") as ledger:
            return sum(line.startswith("begin %d-" % job_id) for line in ledger)

    def prepare_exhaust(self, job_id):
        """Copies of an ended job where exhaust() takes them from: on a full disk nothing could be sorted or gathered."""
        columns = ", ".join(self.sql(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'mailconvoy' AND table_name = 'job' "
            "AND column_name NOT IN ('id', 'log_bytes', 'request_key') AND is_generated = 'NEVER'").split("\n"))
        self.sql("CREATE DATABASE spare; CREATE TABLE spare.job AS SELECT %s FROM job, seq_1_to_256 WHERE job.id = %d"
                 % (columns, job_id))
        self.copy = "INSERT INTO job (%s, log_bytes) SELECT %s, 0 FROM spare.job LIMIT" % (columns, columns)

    def exhaust(self):
        """Use up what the database's files hold in reserve for jobs, once the disk is full."""
        rows = self.sql("SELECT COUNT(*) FROM job")
        for count in (256, 16, 1):
            while self.stack.db.sql("%s %d" % (self.copy, count), "mailconvoy") is not None:
                continue
        assert rows != self.sql("SELECT COUNT(*) FROM job"), "no job could be copied"

    def told(self):
        with open(os.path.join(self.root, "worker.log"), errors="replace", encoding="utf-8") as log:
            return [line for line in log if "full" in line]

    def log_of(self, worker):
        """For the harness."""
        del worker
        with open(os.path.join(self.root, "worker.log"), errors="replace", encoding="utf-8") as log:
            return log.read()

    def close(self):
        if self.root is None:
            return
        if self.stack is not None:
            self.stack.stop()
        for disk in self.disks:
            disk.remove()
        shutil.rmtree(self.root, ignore_errors=True)
        self.root = None


def stored_log(w, job_id):
    return w.panel.log(job_id)


def drips(log):
    """The numbered lines of a log, which must be there without a gap."""
    lines = log[:log.index(b"++++")]
    assert lines == b"".join(b"drip %06d\n" % n for n in range(lines.count(b"\n"))), lines[-200:]
    return lines.count(b"\n")


def a_full_database_disk_loses_no_run_and_no_line(w):
    first = w.add("ok")
    w.wait_job(first, "done")
    w.prepare_exhaust(first)
    # what the loud one has written by then is a small part of what is freed below, however fast this machine is
    w.database_disk.fill(SPARE_MB)
    quiet, loud = w.add("drip-6"), w.add("flood-200000000")
    wait_for("both run", lambda: w.sql("SELECT COUNT(*) FROM job WHERE state = 'running' AND log_bytes > 0") == "2")
    try:
        later = full(w, quiet, loud)
    finally:
        w.database_disk.free()
    w.wait_job(quiet, "done", "failed", "interrupted")
    w.wait_job(loud, "done", "failed", "interrupted")
    later += [w.add("ok"), w.add("ok")]
    for job in later:
        w.wait_job(job, "done", "failed", "interrupted")
    assert w.job(quiet) == ("done", "ok"), w.job(quiet)
    assert w.job(loud) == ("failed", "log_storage_full"), w.job(loud)
    assert [w.job(j) for j in later] == [("done", "ok")] * len(later)
    assert drips(stored_log(w, quiet)) > 50
    log = stored_log(w, loud)
    assert len(log) > 1 << 16 and len(log) == int(w.sql("SELECT log_bytes FROM job WHERE id = %d" % loud))
    assert [w.begun(j) for j in (first, quiet, loud, *later)] == [1] * (3 + len(later))
    assert len(w.told()) <= LINES_MAX, w.told()
    check(w)


def full(w, quiet, loud):
    """While two jobs run the disk fills up; the one that was added then."""
    w.database_disk.fill()
    wait_for("the loud one's output is refused", w.told)
    later = [w.add("ok")]
    w.exhaust()
    # both programs have ended: the quiet one by itself, the loud one since nothing took what it said
    with open(os.path.join(w.root, "bin", "ledger"), encoding="ascii") as ledger:
        wait_for("the quiet one has ended", lambda: ledger.seek(0) == 0 and "end %d-" % quiet in ledger.read(), 60)
    wait_for("the loud one is ended", lambda: "job %d: ended: its log cannot be stored" % loud in w.log_of(None), 60)
    jobs = int(w.sql("SELECT COUNT(*) FROM job"))

    later += a_write_is_refused_in_words_and_reads_go_on(w)

    assert int(w.sql("SELECT COUNT(*) FROM job")) == jobs + len(later) - 1, "a refused job is there"
    assert [w.job(j) for j in later] == [("queued", "NULL")] * len(later), "begun though no log could be stored"
    assert sum(map(w.begun, later)) == 0
    return later


def a_write_is_refused_in_words_and_reads_go_on(w):
    made = []
    try:
        while len(made) < 500:  # the room that is left in the pages there are
            made.append(w.add("ok"))
    except panel.Refused as refused:
        assert refused.status == 503 and "urn:mailconvoy:storage_full" in refused.body, refused
    assert len(made) < 500
    form = "name=Other&host=imap.example.org&port=993&security=tls&csrf=" + w.panel.csrf
    for _ in range(2000):
        status, _, page = w.panel.raw("POST", "/migration/servers", form.replace("Other", "Other %d" % time.time_ns()),
                                      {"Content-Type": "application/x-www-form-urlencoded"})
        if status != 303:
            break
    assert status == 503 and b"make room on that disk" in page, (status, page[:500])
    for path in ("/migration/jobs", "/migration/servers", "/migration/jobs/1", "/migration/jobs/1/log", "/session"):
        assert w.panel.raw("GET", path)[0] == 200, path
    return made


def a_full_disk_of_the_worker_fails_no_job(w):
    told = len(w.told())
    w.state_disk.fill()
    try:
        jobs = [w.add("ok") for _ in range(3)]
        wait_for("it is told", lambda: len(w.told()) > told)
        assert [w.job(j) for j in jobs] == [("queued", "NULL")] * 3, [w.job(j) for j in jobs]
    finally:
        w.state_disk.free()
    for job in jobs:
        w.wait_job(job, "done", "failed")
    assert [w.job(j) for j in jobs] == [("done", "ok")] * 3, [w.job(j) for j in jobs]
    assert len(w.told()) == told + 1, w.told()
    check(w)


def a_worker_that_cannot_write_its_log_works_on(w):
    w.stack.worker.stop()
    w.log_disk.fill()
    log = os.path.join(w.log_disk.path, "worker.log")
    w.stack.worker = stack.Process("mailconvoy-worker", [harness.WORKER, "-f", "-c", w.stack.conf], log)
    w.stack.running.append(w.stack.worker)
    job = w.add("drip-1")
    w.wait_job(job, "done", "failed")
    assert w.job(job) == ("done", "ok") and drips(stored_log(w, job)) > 10
    assert os.path.getsize(log) == 0, "the disk was not full"
    check(w)


def check(w):
    assert w.stack.run_ctl("check") == "Jobs, slots, leases and logs agree.\n"


harness.run(World, [
    a_full_database_disk_loses_no_run_and_no_line,
    a_full_disk_of_the_worker_fails_no_job,
    a_worker_that_cannot_write_its_log_works_on,
])
