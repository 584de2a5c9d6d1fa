#!/usr/bin/python3
"""How runs end: each limit, each failure and each wish with its own reason, and nothing left behind."""

import os
import signal

import harness
from harness import wait_for


def world():
    return harness.World(kill_grace_s=1, run_memory_mb=200)


def gone(w):
    wait_for(lambda: "survivors: %r" % w.survivors(), lambda: not w.survivors())
    w.check_invariants()
    jobs = os.path.join(w.root, "state", "jobs")
    wait_for("job directories removed", lambda: all(not os.listdir(os.path.join(jobs, d)) for d in os.listdir(jobs)))


def outcome(w, user, **settings):
    worker = w.worker(**settings)
    job, = w.add_jobs(user)
    w.wait_ended([job])
    gone(w)
    w.stop(worker)
    return w.job(job, "state, reason, exit_code, exit_signal")


def a_good_run_is_done_with_its_counters(w):
    assert outcome(w, "ok") == ("done", "ok", "0", "NULL"), outcome
    last = w.db.sql("SELECT MAX(id) FROM job")
    row = w.job(int(last), "messages_copied, bytes_copied, program, program_version, reason_action, log_bytes > 0")
    assert row == ("3", "300", "stub.py", "9.87", "none", "1"), row


def every_change_of_state_is_an_event(w):
    job, = w.add_jobs("ok")
    w.worker()
    w.wait_ended([job])
    events = w.db.sql("SELECT GROUP_CONCAT(to_state ORDER BY id) FROM job_event WHERE job_id = %d "
                      "AND to_state IS NOT NULL" % job)
    assert events == "running,done", events


def exit_0_without_statistics_is_a_failure(w):
    assert outcome(w, "nostatistics")[:2] == ("failed", "no_statistics")


def an_exit_code_is_recorded_with_its_reason(w):
    assert outcome(w, "exit-113") == ("failed", "quota", "113", "NULL")


def a_crash_is_recorded_with_its_signal(w):
    assert outcome(w, "crash") == ("failed", "crashed", "NULL", str(int(signal.SIGSEGV)))


def a_run_that_takes_too_long_is_ended(w):
    assert outcome(w, "drip-1000", run_wall_s=1)[:2] == ("failed", "wall_limit")


def a_run_that_says_nothing_is_ended(w):
    assert outcome(w, "silent", run_silence_s=1)[:2] == ("failed", "silence_limit")


def a_run_that_needs_too_much_memory_is_ended(w):
    assert outcome(w, "memory-300")[:2] == ("failed", "memory_limit")


def a_run_that_closes_its_output_is_still_running_until_it_ends(w):
    assert outcome(w, "closed-1")[:3] == ("failed", "by_file", "7")
    assert [e for e in w.ledger() if e[0] == "end"], "it was ended before its time"


def a_process_left_holding_the_pipe_does_not_hold_up_the_job(w):
    assert outcome(w, "holder")[:2] == ("done", "ok")


def cancel_ends_even_what_ignores_term(w):
    worker = w.worker()
    job, = w.add_jobs("stubborn")
    wait_for("grandchildren", lambda: sum(e[0] == "grandchild" for e in w.ledger()) >= 2)
    w.db.sql("UPDATE job SET cancel_requested_at = UTC_TIMESTAMP(6) WHERE id = %d" % job)
    w.wait_state(job, "cancelled")
    assert w.job(job, "reason, exit_signal") == ("cancelled", "9")
    gone(w)
    w.stop(worker)


def cancel_ends_what_obeys_at_once(w):
    worker = w.worker(kill_grace_s=200, lease_s=600, fence_s=100)  # it is not the grace that ends it
    job, = w.add_jobs("wait")
    w.wait_state(job, "running")
    wait_for("it runs", lambda: w.log_bytes(job))
    w.db.sql("UPDATE job SET cancel_requested_at = UTC_TIMESTAMP(6) WHERE id = %d" % job)
    w.wait_state(job, "cancelled")
    assert w.job(job, "exit_signal") == ("15",)
    gone(w)
    w.stop(worker)


def a_missing_program_fails_the_job_and_not_the_worker(w):
    assert outcome(w, "ok", sync_program="/nonexistent/imapsync")[:2] == ("failed", "no_program")


def a_program_that_cannot_be_executed_fails_the_job(w):
    broken = os.path.join(w.root, "bin", "broken")
    with open(broken, "w") as f:
        f.write("#!/nonexistent/interpreter\n")
    os.chmod(broken, 0o755)
    assert outcome(w, "ok", sync_program=broken)[:2] == ("failed", "exec_failed")


def a_password_sealed_for_the_other_side_is_refused(w):
    worker = w.worker()
    job, = w.add_jobs("ok", sealed=list(reversed(w.sealed)))
    w.wait_ended([job])
    assert w.job(job) == ("failed", "seal_broken")
    w.stop(worker)


def counters_are_seen_while_it_runs(w):
    worker = w.worker()
    job, = w.add_jobs("progress")
    wait_for(lambda: w.job(job, "messages_copied, messages_done, folder_current"),
             lambda: w.job(job, "messages_total, messages_done, messages_copied, bytes_copied, folders_total, "
                                "folder_current, eta_s, rate_milli_messages") ==
             ("10", "5", "5", "500", "2", "INBOX", "5", "2000"))
    w.stop(worker)
    assert w.job(job) == ("interrupted", "worker_stopped")


harness.run(world, [
    a_good_run_is_done_with_its_counters,
    every_change_of_state_is_an_event,
    exit_0_without_statistics_is_a_failure,
    an_exit_code_is_recorded_with_its_reason,
    a_crash_is_recorded_with_its_signal,
    a_run_that_takes_too_long_is_ended,
    a_run_that_says_nothing_is_ended,
    a_run_that_needs_too_much_memory_is_ended,
    a_run_that_closes_its_output_is_still_running_until_it_ends,
    a_process_left_holding_the_pipe_does_not_hold_up_the_job,
    cancel_ends_even_what_ignores_term,
    cancel_ends_what_obeys_at_once,
    a_missing_program_fails_the_job_and_not_the_worker,
    a_program_that_cannot_be_executed_fails_the_job,
    a_password_sealed_for_the_other_side_is_refused,
    counters_are_seen_while_it_runs,
])
