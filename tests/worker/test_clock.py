#!/usr/bin/python3
"""A worker whose host has another time, or changes from summer to winter time, disturbs nobody's leases."""

import glob
import os
import subprocess

import harness
from harness import Skip, wait_for


def world():
    return harness.World(lease_s=60, renew_s=1, fence_s=40, kill_grace_s=1)


def at(time, zone="UTC"):
    """The environment of a process that believes it is that time."""
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not found:
        raise Skip("libfaketime is not here")
    env = dict(LD_PRELOAD=found[0], FAKETIME=time, FAKETIME_DONT_FAKE_MONOTONIC="1", DONT_FAKE_MONOTONIC="1", TZ=zone,
               FAKETIME_NO_CACHE="1")
    true, faked = [int(subprocess.run(["date", "+%s"], stdout=subprocess.PIPE, env={**os.environ, **more}).stdout)
                   for more in ({}, env)]
    assert abs(faked - true) > 3000, "the time is not faked"
    # the sanitizers want to be loaded first, and work all the same
    options = os.environ.get("ASAN_OPTIONS", "")
    return dict(env, ASAN_OPTIONS=options + ":verify_asan_link_order=0")


def believes(worker):
    with open("/proc/%d/maps" % worker.pid) as maps:
        return "libfaketime" in maps.read()


def undisturbed(w, jobs, workers):
    """All are done by the worker that claimed them, in their leases, and nobody was declared dead."""
    w.wait_ended(jobs)
    assert [w.job(j) for j in jobs] == [("done", "ok")] * len(jobs)
    assert w.db.sql("SELECT COUNT(*) FROM job_event WHERE kind = 'rescued'") == "0"
    assert w.db.sql("SELECT COUNT(*) FROM worker WHERE state = 'dead'") == "0"
    begun = [run for event, run, *_ in w.ledger() if event == "begin"]
    assert len(begun) == len(set(begun)), "a run began twice"
    w.check_invariants()
    for worker in workers:
        assert worker.poll() is None
        w.stop(worker)


def workers_an_hour_ahead_and_behind_leave_each_other_alone(w):
    workers = [w.worker(env=at(skew)) for skew in ("+3600", "-3600")]
    wait_for("both are there", lambda: w.db.sql("SELECT COUNT(*) FROM worker WHERE state = 'running'") == "2")
    assert all(believes(worker) for worker in workers)
    jobs = w.add_jobs(*["drip-8"] * 4)
    wait_for("two run", lambda: w.db.sql("SELECT COUNT(*) FROM job WHERE state = 'running'") == "2")
    left = w.db.sql("SELECT TIMESTAMPDIFF(MICROSECOND, UTC_TIMESTAMP(6), lease_until) FROM job "
                    "WHERE state = 'running'").split("\n")
    assert all(0 < int(us) <= 60000000 for us in left), left
    undisturbed(w, jobs, workers)


def the_end_of_summer_time_during_a_run_changes_nothing(w):
    # at 03:00 it is 02:00 again
    worker = w.worker(env=at("@2026-10-25 02:59:56", "Europe/Berlin"))
    jobs = w.add_jobs("drip-8", "drip-8")
    wait_for("it runs", lambda: w.job(jobs[0], "state") == ("running",))
    assert believes(worker)
    undisturbed(w, jobs, [worker])


def a_worker_of_2031_and_one_of_2001_agree(w):
    worker = w.worker(env=at("@2031-01-01 00:00:00"))
    jobs = w.add_jobs("drip-4")
    wait_for("it runs", lambda: w.job(jobs[0], "state") == ("running",))
    other = w.worker(env=at("@2001-01-01 00:00:00"))
    undisturbed(w, jobs, [worker, other])


harness.run(world, [
    workers_an_hour_ahead_and_behind_leave_each_other_alone,
    the_end_of_summer_time_during_a_run_changes_nothing,
    a_worker_of_2031_and_one_of_2001_agree,
])
