#!/usr/bin/python3
"""A thousand short jobs leave the worker as it was: no descriptor, zombie or memory more."""

import os

import harness
from harness import wait_for


def world():
    w = harness.World(poll_ms=50)
    w.program = os.path.join(w.root, "bin", "short")
    with open(w.program, "w") as f:
        f.write("#!/bin/sh\necho '++++ Statistics'\necho 'Messages transferred : 1'\n")
    os.chmod(w.program, 0o755)
    w.settings["sync_program"] = w.program
    return w


def look(worker):
    """Open descriptors, zombies among the children, resident KiB."""
    with open("/proc/%d/status" % worker.pid) as f:
        memory = next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))
    children, zombies = open("/proc/%d/task/%d/children" % (worker.pid, worker.pid)).read().split(), 0
    for pid in children:
        try:
            with open("/proc/%s/stat" % pid) as f:
                zombies += f.read().rsplit(")", 1)[1].split()[0] == "Z"
        except OSError:
            pass
    return len(os.listdir("/proc/%d/fd" % worker.pid)), zombies, memory


def a_thousand_jobs_leave_no_trace_in_the_worker(w):
    count = int(os.environ.get("MCV_JOBS", "1000"))
    w.db.sql("DELETE FROM run_slot; INSERT INTO run_slot (kind, owner, n) VALUES "
             "('global', 0, 1), ('global', 0, 2), ('global', 0, 3), ('global', 0, 4)")
    # AddressSanitizer keeps freed memory aside, 256 MB of it unless told otherwise: that is not growth of ours.
    worker = w.worker(env={"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"})
    warm = w.add_jobs(*["ok"] * 100)
    w.wait_ended(warm, 120)
    before = look(worker)
    ids = w.add_jobs(*["ok"] * count)
    w.wait_ended(ids, 600)
    wait_for(lambda: "before %r, after %r" % (before, look(worker)),
             lambda: look(worker)[0] <= before[0] and look(worker)[1] == 0)
    after = look(worker)
    print("# descriptors %d -> %d, memory %d -> %d KiB" % (before[0], after[0], before[2], after[2]))
    assert w.db.sql("SELECT COUNT(*) FROM job WHERE state <> 'done' OR reason <> 'ok'") == "0"
    assert after[2] - before[2] < 8192 + before[2] // 4, "memory grew"
    w.check_invariants()
    w.stop(worker)


harness.run(world, [a_thousand_jobs_leave_no_trace_in_the_worker])
