"""
Claims on a Galera cluster, for ./check --long alone: workers at different nodes run each job once, never more than there
are slots, and go on when a node is killed.
"""
import os
import subprocess
import sys
import tempfile
import time

SRC = os.environ.get("MCV_SRCDIR") or os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("MCV_BUILDDIR") or SRC
sys.path += [os.path.join(SRC, "tests", name) for name in ("stack", "http")]

import galera  # noqa: E402
import mariadb  # noqa: E402
import tap  # noqa: E402
from tap import same  # noqa: E402

CLAIMER = os.path.join(BUILD, "tests", "store", "test_claims")  # claims and ends jobs until none waits
HELPER = os.path.join(BUILD, "tests", "worker", "helper")
JOBS = 600


def give_up(why):
    print("1..0 # SKIP " + why)
    sys.exit(77)


if mariadb.missing() or galera.provider() is None:
    give_up(mariadb.missing() or "galera-4 is not installed")
for program in (CLAIMER, HELPER):
    if not os.path.exists(program):
        give_up("%s is not built (make check builds it)" % program)

root = tempfile.TemporaryDirectory(prefix="mcv-galera-", dir="/tmp")
cluster = galera.Cluster(root.name, 3)
nodes = cluster.nodes
nodes[0].sql("CREATE DATABASE mcv CHARACTER SET utf8mb4")
subprocess.run([HELPER, "migrate", nodes[0].socket, "mcv", os.path.join(SRC, "sql")], check=True)


def sql(text, node=0):
    out = nodes[node].sql("SET SESSION wsrep_sync_wait = 1; " + text, "mcv")
    if out is None:
        raise AssertionError("%s: %s" % (text[:200], nodes[node].error))
    return [line.split("\t") for line in out.splitlines()]


def number(text):
    return int(sql(text)[0][0])


def queue_up(slots):
    """Jobs of three accounts, each of its own mailboxes."""
    sql("DELETE FROM job_event; DELETE FROM job; DELETE FROM run_slot; INSERT INTO run_slot (kind, owner, n) "
        "SELECT 'global', 0, seq FROM seq_1_to_%d; "
        "INSERT IGNORE INTO account (name, created_at) VALUES ('A', UTC_TIMESTAMP(6)), ('B', UTC_TIMESTAMP(6)), "
        "('C', UTC_TIMESTAMP(6)); "
        "INSERT INTO job (account_id, dry_run, src_server_name, src_host, src_port, src_security, src_verify, src_user, "
        "src_sealed, dst_server_name, dst_host, dst_port, dst_security, dst_verify, dst_user, dst_sealed, state, queued_at, "
        "updated_at) SELECT a.id, 1, 's', 'h', 993, 'tls', 1, CONCAT(a.name, seq), 's', 'd', 'h', 993, 'tls', 1, 'u', 'd', "
        "'queued', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) FROM account a, seq_1_to_%d" % (slots, JOBS // 3))


def claimers(each):
    """So many at each node: their ids say at which."""
    return {10 * n + i: subprocess.Popen([CLAIMER, "--work", node.socket, str(10 * n + i)], stderr=None)
            for n, node in enumerate(nodes, 1) for i in range(each)}


def wait_for(processes, seconds):
    end = time.monotonic() + seconds
    for process in processes:
        process.wait(max(1, end - time.monotonic()))


def most_at_once():
    """By the moments the events were written: a claim's after its slot was taken, an end's before it was given back."""
    running = most = 0
    for kind, _ in sql("SELECT kind, at FROM job_event WHERE kind IN ('claimed', 'finished') ORDER BY at, kind DESC"):
        running += 1 if kind == "claimed" else -1
        most = max(most, running)
    return most


def conflicts():
    return sum(int(node.sql("SHOW STATUS LIKE 'wsrep_local_cert_failures'").split("\t")[1])
               + int(node.sql("SHOW STATUS LIKE 'wsrep_local_bf_aborts'").split("\t")[1])
               for node in nodes if node.process.poll() is None)


def each_claimed_once():
    same(sql("SELECT job_id, COUNT(*) FROM job_event WHERE kind = 'claimed' GROUP BY job_id HAVING COUNT(*) > 1"), [])


def test_workers_at_three_nodes_run_each_job_once_and_two_at_a_time():
    queue_up(2)
    before, began = conflicts(), time.monotonic()
    working = claimers(2)
    wait_for(working.values(), 300)
    print("# %d jobs in %.1f s, %d conflicts" % (JOBS, time.monotonic() - began, conflicts() - before))
    same({worker: process.returncode for worker, process in working.items()}, dict.fromkeys(working, 0))
    each_claimed_once()
    same(number("SELECT COUNT(*) FROM job WHERE state = 'done'"), JOBS)
    same(number("SELECT COUNT(*) FROM job_event WHERE kind = 'claimed'"), JOBS)
    same(number("SELECT COUNT(*) FROM job_event WHERE kind = 'finished'"), JOBS)
    same(number("SELECT COUNT(*) FROM run_slot WHERE job_id IS NOT NULL"), 0)
    same(most_at_once(), 2)
    same(number("SELECT COUNT(DISTINCT worker_id DIV 10) FROM job"), 3)


def test_a_node_that_is_killed_takes_no_job_with_it_and_makes_none_run_twice():
    queue_up(6)
    working = claimers(2)
    while number("SELECT COUNT(*) FROM job WHERE state = 'done'") < JOBS // 4:
        pass
    nodes[2].kill()
    wait_for(working.values(), 300)
    held = number("SELECT COUNT(*) FROM job WHERE state = 'running'")
    print("# %d jobs were left to their leases" % held)
    same([process.returncode for worker, process in working.items() if worker < 30], [0] * 4)
    each_claimed_once()
    assert held <= 2, held
    same(number("SELECT COUNT(*) FROM job WHERE state = 'done'"), JOBS - held)
    same(number("SELECT COUNT(*) FROM job WHERE state = 'running' AND worker_id < 30"), 0)
    same(number("SELECT COUNT(*) FROM run_slot WHERE job_id IS NOT NULL"), held)
    same(sql("SELECT COUNT(*) FROM job", 1), [[str(JOBS)]])


try:
    tap.run(globals())
finally:
    cluster.stop()
