#!/usr/bin/python3
"""A worker that dies loses no job, doubles none and leaves no process, wherever it dies."""

import os
import random
import signal
import time

import harness
from harness import wait_for


def world():
    return harness.World(kill_grace_s=1)


def nothing_survives(w, seconds=90):
    wait_for(lambda: "survivors: %r" % w.survivors(), lambda: not w.survivors(), seconds)


def runs_by_job(w):
    runs = {}
    for event in w.ledger():
        if event[0] == "begin":
            runs.setdefault(int(event[1].split("-")[0]), []).append(event)
    return runs


def killed_at_random_fifty_times(w):
    rounds = int(os.environ.get("MCV_KILLS", "50"))
    seed = int(os.environ.get("MCV_SEED", time.time()))
    print("# seed %d" % seed)
    dice = random.Random(seed)
    ids = []
    for _ in range(rounds):
        ids += w.add_jobs(*["ok-%.2f" % dice.choice([0, 0.05, 0.2])] * 2)
        worker = w.worker()
        time.sleep(dice.uniform(0.02, 0.45))  # the moment of death is what is tested
        worker.kill()
        worker.wait()
    last = w.worker()
    w.wait_ended(ids, 240)
    w.stop(last)
    nothing_survives(w)
    w.check_invariants()
    states = [w.job(i) for i in ids]
    assert all(s in (("done", "ok"), ("interrupted", "worker_died")) for s in states), set(states)
    runs = runs_by_job(w)
    assert all(len(r) == 1 for r in runs.values()), "a job ran twice"
    ended = {int(e[1].split("-")[0]) for e in w.ledger() if e[0] == "end"}
    lying = [i for i, s in zip(ids, states) if s[0] == "done" and i not in ended]
    assert not lying, "done, but never ended: %r" % lying
    print("# %d done, %d interrupted" % (sum(s[0] == "done" for s in states),
                                         sum(s[0] == "interrupted" for s in states)))


def children_and_grandchildren_die_with_the_worker(w):
    worker = w.worker()
    job, = w.add_jobs("stubborn")
    wait_for("grandchildren", lambda: sum(e[0] == "grandchild" for e in w.ledger()) >= 2)
    worker.kill()
    worker.wait()
    began = time.monotonic()
    nothing_survives(w)
    print("# gone after %.1f s" % (time.monotonic() - began))
    again = w.worker()
    w.wait_ended([job])
    assert w.job(job) == ("interrupted", "worker_died")
    w.stop(again)


def a_worker_elsewhere_with_our_host_name_is_left_alone(w):
    worker = w.worker()
    job, = w.add_jobs("wait")
    wait_for("it runs", lambda: w.db.sql("SELECT log_bytes FROM job WHERE id = %d" % job) != "0")
    w.db.sql("UPDATE worker SET boot_id = 'of a cloned machine' WHERE state = 'running'")
    other = w.worker()
    wait_for("the other is ready", lambda: "is ready" in w.log_of(other))
    assert w.job(job)[0] == "running", w.job(job)
    assert w.db.sql("SELECT COUNT(*) FROM worker WHERE state = 'running'") == "2"
    w.stop(other)
    w.stop(worker)
    w.check_invariants()


def a_silent_worker_of_an_earlier_boot_is_buried(w):
    worker = w.worker()
    job, = w.add_jobs("wait")
    wait_for("it runs", lambda: w.db.sql("SELECT log_bytes FROM job WHERE id = %d" % job) != "0")
    worker.kill()
    worker.wait()
    w.db.sql("UPDATE worker SET boot_id = 'of an earlier boot', heartbeat_at = heartbeat_at - INTERVAL 51 SECOND "
             "WHERE state = 'running'")
    other = w.worker()
    wait_for("the other is ready", lambda: "is ready" in w.log_of(other))
    assert w.job(job) == ("interrupted", "worker_died"), w.job(job)
    assert w.db.sql("SELECT COUNT(*) FROM worker WHERE state = 'running'") == "1"
    w.stop(other)


def crash_at(w, point, user, states, runs):
    """A worker that dies at point each time; then one that does not."""
    first = w.worker(env={"MAILCONVOY_CRASH_AT": point})
    wait_for("worker is ready", lambda: "ready" in w.log_of(first) or first.poll() is not None)
    job, = w.add_jobs(user)
    if first.wait(120) != -signal.SIGKILL:
        raise harness.Skip("built without crash points")
    nothing_survives(w)
    before = sum(1 for r in runs_by_job(w).get(job, []))
    second = w.worker()
    w.wait_ended([job])
    w.stop(second)
    w.check_invariants()
    assert w.job(job) in states, w.job(job)
    assert len(runs_by_job(w).get(job, [])) == before and before in runs, runs_by_job(w)


def it_dies_right_after_the_claim(w):
    crash_at(w, "after_claim", "ok", [("interrupted", "worker_died")], (0,))


def it_dies_right_after_the_fork(w):
    crash_at(w, "after_fork", "wait", [("interrupted", "worker_died")], (0, 1))


def it_dies_while_it_stores_the_log(w):
    crash_at(w, "mid_log", "drip-5", [("interrupted", "worker_died")], (1,))


def it_dies_before_it_finishes(w):
    crash_at(w, "before_finish", "ok", [("interrupted", "worker_died")], (1,))


def it_dies_after_the_commit(w):
    crash_at(w, "after_commit", "ok", [("done", "ok")], (1,))


def the_log_so_far_is_kept(w):
    worker = w.worker()
    job, = w.add_jobs("drip-100")
    wait_for("some log", lambda: len(w.log_bytes(job)) >= 2)
    worker.kill()
    worker.wait()
    second = w.worker()
    w.wait_ended([job])
    log = w.whole_log(job)
    assert log and log == b"".join(b"drip %06d\n" % n for n in range(log.count(b"\n"))) + log[log.rfind(b"\n") + 1:]
    w.stop(second)


harness.run(world, [
    children_and_grandchildren_die_with_the_worker,
    a_worker_elsewhere_with_our_host_name_is_left_alone,
    a_silent_worker_of_an_earlier_boot_is_buried,
    it_dies_right_after_the_claim,
    it_dies_right_after_the_fork,
    it_dies_while_it_stores_the_log,
    it_dies_before_it_finishes,
    it_dies_after_the_commit,
    the_log_so_far_is_kept,
    killed_at_random_fifty_times,
])
