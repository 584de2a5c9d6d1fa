#!/usr/bin/python3
"""Who runs when: never more than two, first come first served, however many workers."""

import os

import harness
from harness import wait_for


def world():
    return harness.World()


def most_at_once(ledger):
    """The greatest number of runs between their begin and end."""
    now = most = 0
    for event in sorted(ledger, key=lambda e: float(e[3])):
        now += {"begin": 1, "end": -1}.get(event[0], 0)
        most = max(most, now)
    return most


def eight_jobs_by(w, workers):
    if os.path.exists(w.ledger_path):
        os.unlink(w.ledger_path)
    ids = w.add_jobs(*["ok-0.4"] * 8)
    started = [w.worker() for _ in range(workers)]
    in_table = in_processes = 0
    while w.db.sql("SELECT COUNT(*) FROM job WHERE state IN ('queued', 'running')") != "0":
        running, slots = w.db.sql(
            "SELECT (SELECT COUNT(*) FROM job WHERE state = 'running'), COUNT(job_id) FROM run_slot").split("\t")
        in_table = max(in_table, int(running), int(slots))
        in_processes = max(in_processes, sum(
            b"--user1=ok" in words and b"--keeper" not in words for _, words in long_survivors(w)))
    assert all(w.job(i) == ("done", "ok") for i in ids)
    assert in_table == 2, in_table
    assert in_processes <= 2, in_processes
    assert most_at_once(w.ledger()) == 2, w.ledger()
    runs = [e[1].split("-")[0] for e in w.ledger() if e[0] == "begin"]
    assert sorted(runs) == sorted(map(str, ids)), "each ran once: %s" % runs
    for worker in started:
        w.stop(worker)
    w.check_invariants()
    return runs


def long_survivors(w):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as f:
                words = f.read()
        except OSError:
            continue
        if w.root.encode() in words:
            found.append((int(pid), words))
    return found


def one_worker_runs_two_at_once_in_order(w):
    runs = eight_jobs_by(w, 1)
    first = [int(r) for r in runs]
    # two start together, so neighbours may change places, but nobody else
    assert all(abs(place - (job - min(first))) <= 1 for place, job in enumerate(first)), first


def two_workers_run_two_at_once(w):
    eight_jobs_by(w, 2)


def three_workers_run_two_at_once(w):
    eight_jobs_by(w, 3)


def work_is_begun_as_soon_as_a_slot_is_free(w):
    worker = w.worker(poll_ms=60000)
    wait_for("ready", lambda: "ready" in w.log_of(worker))
    ids = w.add_jobs(*["ok"] * 6)
    w.wait_ended(ids, seconds=115)  # three rounds, yet no time for two polls
    w.stop(worker)


def a_suspended_account_waits(w):
    worker = w.worker()
    w.db.sql("UPDATE account SET suspended_at = UTC_TIMESTAMP(6)")
    job, = w.add_jobs("ok")
    other = w.db.sql("SELECT COUNT(*) FROM worker")
    wait_for("a worker polls", lambda: w.db.sql("SELECT COUNT(*) FROM worker WHERE state = 'running'") != "0")
    assert w.job(job)[0] == "queued" and other
    w.db.sql("UPDATE account SET suspended_at = NULL")
    w.wait_ended([job])
    w.stop(worker)


def a_members_own_server_in_a_denied_network_is_not_connected_to(w):
    w.db.sql("INSERT INTO user (id, account_id, email, password_hash, role, created_at) VALUES "
             "(71, 1, 'member@example.org', '*', 'member', UTC_TIMESTAMP(6)), "
             "(72, 1, 'admin@example.org', '*', 'admin', UTC_TIMESTAMP(6)); "
             "INSERT INTO server (id, account_id, name, host, port, security, verify, created_at, updated_at) VALUES "
             "(71, 1, 'Own', '127.0.0.1', 993, 'tls', 1, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6)), "
             "(72, NULL, 'Shared', '127.0.0.1', 993, 'tls', 1, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))")
    ids = w.add_jobs(*["ok"] * 4)
    for job, owner, source, target in zip(ids, (71, 71, 71, 72), (71, 72, 72, 71), (72, 71, 72, 71)):
        w.db.sql("UPDATE job SET owner_user_id = %d, src_server_id = %d, dst_server_id = %d WHERE id = %d"
                 % (owner, source, target, job))
    began = len([e for e in w.ledger() if e[0] == "begin"])
    worker = w.worker()
    assert w.wait_ended(ids) == [("failed", "denied_source"), ("failed", "denied_destination"), ("done", "ok"),
                                 ("done", "ok")]
    assert len([e for e in w.ledger() if e[0] == "begin"]) - began == 2
    w.check_invariants()
    w.stop(worker)


def a_members_own_server_on_another_port_is_not_connected_to(w):
    w.db.sql("INSERT INTO user (id, account_id, email, password_hash, role, created_at) VALUES "
             "(81, 1, 'member-81@example.org', '*', 'member', UTC_TIMESTAMP(6)); "
             "INSERT INTO server (id, account_id, name, host, port, security, verify, created_at, updated_at) VALUES "
             "(81, 1, 'Own on 25', 'localhost', 25, 'none', 1, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6)), "
             "(82, NULL, 'Shared on 25', 'localhost', 25, 'none', 1, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))")
    ids = w.add_jobs(*["ok"] * 3)
    for job, source, target in zip(ids, (81, 82, 82), (82, 81, 82)):
        w.db.sql("UPDATE job SET owner_user_id = 81, src_server_id = %d, dst_server_id = %d, src_port = 25, dst_port = 25 "
                 "WHERE id = %d" % (source, target, job))
    worker = w.worker(deny_networks=[])
    assert w.wait_ended(ids) == [("failed", "denied_source"), ("failed", "denied_destination"), ("done", "ok")]
    w.check_invariants()
    w.stop(worker)


def a_destination_the_account_may_no_longer_copy_to_is_not_connected_to(w):
    w.db.sql("INSERT INTO account_host (account_id, host) SELECT id, '*.example.com' FROM account")
    job, = w.add_jobs("ok")
    worker = w.worker()
    assert w.wait_ended([job]) == [("failed", "not_allowed")]
    host = w.db.sql("SELECT dst_host FROM job WHERE id = %d" % job)
    w.db.sql("UPDATE account_host SET host = '%s'" % host)
    job, = w.add_jobs("ok")
    assert w.wait_ended([job]) == [("done", "ok")]
    w.db.sql("DELETE FROM account_host")
    w.check_invariants()
    w.stop(worker)


def a_job_that_cannot_be_read_is_not_claimed(w):
    w.db.sql("RENAME TABLE user TO user_away")
    job, = w.add_jobs("ok")
    worker = w.worker()
    wait_for("the worker says so", lambda: "no job is started" in w.log_of(worker))
    assert w.job(job, "state, attempts") == ("queued", "0")
    assert w.db.sql("SELECT COUNT(*) FROM run_slot WHERE job_id IS NOT NULL") == "0"
    w.db.sql("RENAME TABLE user_away TO user")
    assert w.wait_ended([job]) == [("done", "ok")]
    w.check_invariants()
    w.stop(worker)


def a_worker_waits_for_the_schema_it_was_built_for(w):
    w.db.sql("INSERT INTO schema_migration SELECT 9999, 'future', sha256, applied_at FROM schema_migration LIMIT 1")
    job, = w.add_jobs("ok")
    worker = w.worker()
    wait_for("the worker says so", lambda: "no job is started: the database" in w.log_of(worker))
    assert w.job(job, "state") == ("queued",) and worker.poll() is None
    w.db.sql("DELETE FROM schema_migration WHERE version = 9999")
    assert w.wait_ended([job]) == [("done", "ok")]
    w.stop(worker)


harness.run(world, [
    one_worker_runs_two_at_once_in_order,
    two_workers_run_two_at_once,
    three_workers_run_two_at_once,
    work_is_begun_as_soon_as_a_slot_is_free,
    a_suspended_account_waits,
    a_members_own_server_in_a_denied_network_is_not_connected_to,
    a_members_own_server_on_another_port_is_not_connected_to,
    a_destination_the_account_may_no_longer_copy_to_is_not_connected_to,
    a_job_that_cannot_be_read_is_not_claimed,
    a_worker_waits_for_the_schema_it_was_built_for,
])
