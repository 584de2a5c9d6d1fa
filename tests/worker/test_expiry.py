#!/usr/bin/python3
"""Workers remove what has had its time, one of them at a time, and touch nothing that waits or runs."""

import harness
from harness import wait_for


def world():
    return harness.World(credential_days=30, log_days=60, job_days=90)


def age(w, ids, days):
    w.db.sql("UPDATE job SET finished_at = finished_at - INTERVAL %d DAY WHERE id IN (%s)"
             % (days, ",".join(map(str, ids))))


def due(w):
    w.db.sql("UPDATE chore SET worker_id = NULL, due_at = UTC_TIMESTAMP(6)")


def is_done(w):
    return w.db.sql("SELECT COUNT(*) FROM chore WHERE worker_id IS NULL AND due_at > UTC_TIMESTAMP(6)") == "2"


def what_has_had_its_time_is_removed_and_the_trail_says_so(w):
    worker = w.worker()
    fresh, old, older, oldest = w.add_jobs("ok", "ok", "ok", "ok")
    w.wait_ended([fresh, old, older, oldest])
    w.stop(worker)
    for job, days in ((old, 31), (older, 61), (oldest, 91)):
        age(w, [job], days)
    w.db.sql("INSERT INTO job_log (job_id, start, length, encoding, bytes, at) VALUES (999, 0, 1, 0, 'x', NOW())")
    due(w)
    worker = w.worker()
    wait_for("the chores are done", lambda: is_done(w))
    assert w.db.sql("SELECT id, passwords_removed_at IS NOT NULL, src_sealed IS NULL, log_removed_at IS NOT NULL, "
                    "log_bytes > 0 FROM job ORDER BY id").split("\n") == [
        "%d\t0\t0\t0\t1" % fresh, "%d\t1\t1\t0\t1" % old, "%d\t1\t1\t1\t0" % older]
    assert w.db.sql("SELECT GROUP_CONCAT(DISTINCT job_id ORDER BY job_id) FROM job_log") == "%d,%d" % (fresh, old)
    assert w.db.sql("SELECT action, detail FROM audit") == (
        "expiry\tremoved: passwords of 3 jobs, 2 logs, 1 jobs")
    w.check_invariants()
    w.stop(worker)


def what_waits_or_runs_keeps_all_it_has(w):
    w.db.sql("DELETE FROM job; DELETE FROM job_log")
    first = w.worker()
    ids = w.add_jobs("wait", "wait", "wait")
    w.wait_state(ids[1], "running")
    w.db.sql("UPDATE job SET queued_at = queued_at - INTERVAL 1 YEAR, started_at = started_at - INTERVAL 1 YEAR")
    due(w)
    second = w.worker()
    wait_for("the chores are done", lambda: is_done(w))
    assert [w.job(i, "state, src_sealed IS NOT NULL, log_removed_at IS NULL") for i in ids] == [
        ("running", "1", "1"), ("running", "1", "1"), ("queued", "1", "1")]
    w.stop(second)
    w.stop(first)


def of_three_workers_one_does_it(w):
    w.db.sql("DELETE FROM job; DELETE FROM audit")
    worker = w.worker()
    ids = w.add_jobs(*["ok"] * 3)
    w.wait_ended(ids)
    w.stop(worker)
    w.db.sql("DELETE FROM job_log")
    w.db.sql("INSERT INTO job (account_id, dry_run, src_server_name, src_host, src_port, src_security, src_verify, src_user, "
             "src_sealed, dst_server_name, dst_host, dst_port, dst_security, dst_verify, dst_user, dst_sealed, state, "
             "queued_at, finished_at, reason, updated_at) SELECT 1, 1, 's', 'h', 993, 'tls', 1, seq, 'x', 'd', 'h', 993, "
             "'tls', 1, seq, 'x', 'done', NOW(), UTC_TIMESTAMP(6) - INTERVAL 31 DAY, 'ok', NOW() FROM seq_1_to_400")
    due(w)
    workers = [w.worker() for _ in range(3)]
    wait_for("the chores are done", lambda: is_done(w))
    assert w.db.sql("SELECT COUNT(*) FROM job WHERE src_sealed IS NULL") == "400"
    assert w.db.sql("SELECT COUNT(*), COUNT(DISTINCT job_id), COUNT(DISTINCT worker_id) FROM job_event "
                    "WHERE kind = 'passwords_removed' AND at > (SELECT MAX(started_at) FROM worker) - INTERVAL 1 MINUTE "
                    "AND job_id > %d" % ids[-1]) == "400\t400\t1"
    assert w.db.sql("SELECT COUNT(*) FROM audit") == "1"
    for worker in workers:
        w.stop(worker)


harness.run(world, [
    what_has_had_its_time_is_removed_and_the_trail_says_so,
    what_waits_or_runs_keeps_all_it_has,
    of_three_workers_one_does_it,
])
