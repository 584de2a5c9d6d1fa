#!/usr/bin/python3
"""A lease is kept, lost or given up, but never held by two: databases that stop, workers that freeze, stops."""

import os
import select
import signal
import socket
import threading
import time

import harness
from harness import wait_for


def world():
    return harness.World(lease_s=24, renew_s=1, fence_s=12, kill_grace_s=2)  # a machine may stand still for some seconds


def running(w, user="wait", **settings):
    worker = w.worker(**settings)
    job, = w.add_jobs(user)
    wait_for("it runs", lambda: w.try_log(job))
    return worker, job


def programs(w):
    return [s for s in w.survivors() if b"--keeper" not in s[1]]


def a_lease_is_renewed_for_as_long_as_the_run_takes(w):
    worker, job = running(w, "drip-28")  # longer than the lease
    w.wait_ended([job], 180)
    assert w.job(job) == ("done", "ok")
    w.stop(worker)


def a_database_that_is_restarted_is_survived(w):
    worker, job = running(w, "drip-4")
    w.db.kill(signal.SIGKILL)
    w.db.start()
    w.wait_ended([job], 180)
    assert w.job(job) == ("done", "ok"), w.job(job)
    log = w.whole_log(job)
    drips = log[:log.index(b"++++")]
    assert drips == b"".join(b"drip %06d\n" % n for n in range(drips.count(b"\n")))
    w.check_invariants()
    w.stop(worker)


def a_frozen_database_ends_the_run_before_its_lease(w):
    worker, job = running(w)
    lease = float(w.job(job, "UNIX_TIMESTAMP(lease_until)")[0])
    w.db.process.send_signal(signal.SIGSTOP)
    try:
        wait_for("the program is gone", lambda: not programs(w))
        gone_at = time.time()
        # the lease read above may have been renewed once more before the database froze
        assert gone_at < lease + 1, "gone %.1f s after the lease" % (gone_at - lease)
        print("# gone %.1f s before the end of the lease" % (lease - gone_at))
    finally:
        w.db.process.send_signal(signal.SIGCONT)
    w.wait_ended([job], 180)
    assert w.job(job)[0] == "interrupted" and w.job(job)[1] in ("fenced", "worker_died"), w.job(job)
    wait_for("the worker goes on", lambda: w.db.try_sql("SELECT 1") == "1")
    again, = w.add_jobs("ok")
    w.wait_ended([again], 180)
    assert w.job(again) == ("done", "ok")
    w.check_invariants()
    w.stop(worker)


def a_frozen_worker_cannot_finish_what_it_lost(w):
    frozen, job = running(w, "wait-2")  # it would end well, if it were let
    frozen.send_signal(signal.SIGSTOP)
    wait_for("its program is gone though it is frozen", lambda: not programs(w))
    other = w.worker()
    w.wait_state(job, "interrupted", seconds=180)
    before = w.job(job, "state, reason, finished_at, exit_code, updated_at, log_bytes")
    events = w.db.sql("SELECT COUNT(*) FROM job_event WHERE job_id = %d" % job)
    frozen.send_signal(signal.SIGCONT)
    wait_for(lambda: w.log_of(frozen)[-500:], lambda: "ended: another worker has it" in w.log_of(frozen) or
             "ended by somebody else" in w.log_of(frozen))
    w.stop(frozen)
    assert w.job(job, "state, reason, finished_at, exit_code, updated_at, log_bytes") == before
    assert w.db.sql("SELECT COUNT(*) FROM job_event WHERE job_id = %d" % job) == events
    w.check_invariants()
    w.stop(other)


def another_worker_rescues_what_a_dead_one_left(w):
    dead, job = running(w)
    # as if it had run on another host
    w.db.sql("UPDATE worker SET host = 'elsewhere.example.org' WHERE state = 'running'")
    dead.kill()
    dead.wait()
    other = w.worker()
    w.wait_state(job, "interrupted", seconds=180)
    assert w.job(job) == ("interrupted", "worker_died")
    w.check_invariants()
    w.stop(other)


def a_stopped_worker_ends_its_runs_and_says_so(w):
    worker = w.worker()
    ids = w.add_jobs("stubborn", "wait", "wait")
    wait_for("two run", lambda: w.db.sql("SELECT COUNT(*) FROM job WHERE state = 'running' AND log_bytes > 0") == "2")
    for _ in range(4):
        worker.send_signal(signal.SIGTERM)
    took = w.stop(worker)
    assert took < 60, took
    assert worker.returncode == 0, worker.returncode
    assert [w.job(i) for i in ids] == [("interrupted", "worker_stopped")] * 2 + [("queued", "NULL")]
    assert w.db.sql("SELECT state FROM worker ORDER BY id DESC LIMIT 1") == "stopped"
    assert not w.survivors()
    w.check_invariants()
    w.db.sql("DELETE FROM job WHERE state = 'queued'")


def a_worker_stops_in_time_though_the_database_is_frozen(w):
    worker, job = running(w)
    w.db.process.send_signal(signal.SIGSTOP)
    try:
        took = w.stop(worker)
    finally:
        w.db.process.send_signal(signal.SIGCONT)
    print("# stopped after %.1f s" % took)
    assert took < 60, took
    wait_for("nothing survives", lambda: not w.survivors())
    other = w.worker()
    w.wait_ended([job], 180)
    assert w.job(job)[0] == "interrupted"
    w.stop(other)


def a_worker_starts_before_the_database_does(w):
    w.db.kill(signal.SIGTERM)
    worker = w.worker()
    wait_for("it waits", lambda: "lost the database" in w.log_of(worker))
    w.db.start()
    job, = w.add_jobs("ok")
    w.wait_ended([job], 180)
    assert w.job(job) == ("done", "ok")
    w.stop(worker)


def a_job_that_is_taken_away_is_killed_and_left_alone(w):
    worker, job = running(w)
    w.db.sql("START TRANSACTION; UPDATE run_slot SET job_id = NULL, claim_token = NULL WHERE job_id = %d; "
             "UPDATE job SET state = 'failed', reason = 'taken', claim_token = NULL, lease_until = NULL, "
             "finished_at = UTC_TIMESTAMP(6) WHERE id = %d; COMMIT" % (job, job))
    wait_for("the program is gone", lambda: not w.survivors())
    assert w.job(job) == ("failed", "taken")
    w.stop(worker)


class LossyProxy:
    """Stands before the database; passes a COMMIT on, and then the connection breaks before its answer."""

    def __init__(self, w, lose):
        self.path = os.path.join(w.root, "proxy.sock")
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.behind = w.db.socket
        self.to_lose, self.lost, self.commits = lose, 0, 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(8)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            front, _ = self.listener.accept()
            back = socket.socket(socket.AF_UNIX)
            back.connect(self.behind)
            threading.Thread(target=self.carry, args=(front, back), daemon=True).start()

    def carry(self, front, back):
        try:
            while True:
                ready, _, _ = select.select([front, back], [], [])
                for side in ready:
                    data = side.recv(1 << 16)
                    if not data:
                        return
                    if side is front and data[4:] == b"\x03COMMIT":
                        self.commits += 1
                        if self.commits in self.to_lose:
                            back.sendall(data)
                            back.recv(1 << 16)  # it was committed, and nobody will ever hear of it
                            self.lost += 1
                            return
                    (back if side is front else front).sendall(data)
        except OSError:
            pass
        finally:
            front.close()
            back.close()


def a_commit_whose_answer_is_lost_is_asked_for_again(w):
    before = len([e for e in w.ledger() if e[0] == "begin"])
    proxy = LossyProxy(w, lose=range(1, 40))
    worker = w.worker(database_socket=proxy.path)
    ids = w.add_jobs(*["ok"] * 6)
    w.wait_ended(ids, 180)
    assert all(w.job(i) == ("done", "ok") for i in ids), [w.job(i) for i in ids]
    assert proxy.lost >= 12, "only %d answers were lost" % proxy.lost
    assert len([e for e in w.ledger() if e[0] == "begin"]) - before == 6, "each ran once"
    assert w.db.sql("SELECT COUNT(*) FROM job_event WHERE to_state = 'done' AND job_id IN (%s)"
                    % ",".join(map(str, ids))) == "6"
    print("# %d of %d answers to COMMIT were lost" % (proxy.lost, proxy.commits))
    w.check_invariants()
    w.stop(worker)


def a_log_chunk_whose_answer_is_lost_is_stored_once(w):
    # the claim's answer is one COMMIT; every third after it is lost while the program goes on printing
    proxy = LossyProxy(w, lose=range(2, 60, 3))
    worker = w.worker(database_socket=proxy.path)
    job, = w.add_jobs("drip-8")
    w.wait_ended([job], 180)
    assert w.job(job) == ("done", "ok"), w.job(job)
    assert proxy.lost >= 2, "only %d answers were lost" % proxy.lost
    log = w.whole_log(job)
    drips = log[:log.index(b"++++")]
    assert drips == b"".join(b"drip %06d\n" % n for n in range(drips.count(b"\n")))
    w.check_invariants()
    w.stop(worker)


def try_log(w, job):
    out = w.db.try_sql("SELECT log_bytes FROM job WHERE id = %d" % job, "mailconvoy")
    return out not in (None, "", "0")


harness.World.try_log = try_log

harness.run(world, [
    a_lease_is_renewed_for_as_long_as_the_run_takes,
    a_database_that_is_restarted_is_survived,
    a_frozen_database_ends_the_run_before_its_lease,
    a_frozen_worker_cannot_finish_what_it_lost,
    another_worker_rescues_what_a_dead_one_left,
    a_job_that_is_taken_away_is_killed_and_left_alone,
    a_stopped_worker_ends_its_runs_and_says_so,
    a_worker_stops_in_time_though_the_database_is_frozen,
    a_worker_starts_before_the_database_does,
    a_commit_whose_answer_is_lost_is_asked_for_again,
    a_log_chunk_whose_answer_is_lost_is_stored_once,
])
