#!/usr/bin/python3
"""What a program prints is stored to the byte, passwords excepted, in bounded space and memory."""

import base64
import os
import subprocess

import harness
from harness import PASSWORD_DESTINATION, PASSWORD_SOURCE, wait_for


def world():
    return harness.World(log_head_mb=1, log_tail_mb=2)


def run_one(w, user, seconds=60, **settings):
    worker = w.worker(**settings)
    job, = w.add_jobs(user)
    w.wait_ended([job], seconds)
    w.stop(worker)
    return job


def pattern(size):
    line, done, n = [], 0, 0
    while done < size:
        text = b"%012d the quick brown fox jumps over the lazy dog\n" % n
        line.append(text)
        done += len(text)
        n += 1
    return b"".join(line)[:size]


def bytes_of_any_value_are_stored_exactly(w):
    job = run_one(w, "bytes")
    expected = bytes(range(256)) * 300 + b"\x1b[31m\xff\xfe\0<script>alert(1)</script>and this to stderr"
    assert w.whole_log(job) == expected


def stdout_and_stderr_keep_their_order(w):
    job = run_one(w, "both")
    assert w.whole_log(job) == b"".join(b"%06d\n" % n for n in range(2000))


def a_log_of_three_mebibytes_is_stored_exactly(w):
    size = 3 << 20
    job = run_one(w, "flood-%d" % size)
    assert w.whole_log(job) == pattern(1 << 20) * 3
    assert w.job(job, "log_bytes, log_cut_bytes") == (str(size), "0")


def a_flood_of_200_mb_is_cut_in_the_middle_only(w):
    size = 200 << 20
    worker = w.worker()
    job, = w.add_jobs("flood-%d" % size)
    most = 0

    def ended():
        nonlocal most
        with open("/proc/%d/status" % worker.pid) as f:
            most = max([most] + [int(line.split()[1]) for line in f if line.startswith("VmRSS")])
        return w.job(job)[0] not in ("queued", "running")

    wait_for(lambda: "job %r" % (w.job(job, "state, log_bytes"),), ended, 240)
    assert w.job(job) == ("failed", "no_statistics")
    total, cut_start, cut = map(int, w.job(job, "log_bytes, log_cut_start, log_cut_bytes"))
    chunks = w.log_bytes(job)
    head = b"".join(raw for start, raw in chunks if start < cut_start)
    tail = b"".join(raw for start, raw in chunks if start > cut_start)
    block = pattern(1 << 20)
    assert total == size
    assert len(head) >= 1 << 20 and len(tail) >= 2 << 20
    assert len(head) + len(tail) + cut == total
    assert len(head) + len(tail) < 6 << 20, "the cap holds: %d" % (len(head) + len(tail))
    assert (block * 3)[:len(head)] == head
    assert (block * 8)[-len(tail):] == tail
    w.stop(worker)
    print("# the worker's resident memory was at most %d KiB" % most)


def passwords_never_reach_the_log(w):
    job = run_one(w, "echo")
    log = w.whole_log(job)
    for password in (PASSWORD_SOURCE.encode(), PASSWORD_DESTINATION.encode()):
        assert password not in log
        assert base64.b64encode(password).rstrip(b"=")[:-2] not in log
        assert base64.b64encode(b"\0user\0" + password)[12:-4] not in log
    assert log.count(b"********") >= 8, log
    assert b"SERVER_SOFTWARE" not in log and b"HOME" in log


def passwords_are_nowhere_else(w):
    worker = w.worker()
    job, = w.add_jobs("wait")
    w.wait_state(job, "running")
    wait_for("it runs", lambda: w.log_bytes(job))
    needles = [p.encode() for p in (PASSWORD_SOURCE, PASSWORD_DESTINATION)]
    needles += [base64.b64encode(n).rstrip(b"=")[:-2] for n in needles]
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if int(pid) == os.getpid():
            continue
        for name in ("cmdline", "environ"):
            try:
                with open("/proc/%s/%s" % (pid, name), "rb") as f:
                    text = f.read()
            except OSError:
                continue
            assert not any(n in text for n in needles), (pid, name)
    w.stop(worker)
    dump = subprocess.run(["mariadb-dump", "--no-defaults", "--socket=" + w.db.socket, "--hex-blob", "mailconvoy"],
                          stdout=subprocess.PIPE, check=True).stdout
    assert not any(n in dump or n.hex().upper().encode() in dump for n in needles)
    for top, _, files in os.walk(os.path.join(w.root, "state")):
        for name in files:
            with open(os.path.join(top, name), "rb") as f:
                assert not any(n in f.read() for n in needles)
    assert not any(n in w.log_of(x).encode() for n in needles for x in w.workers)


def a_line_is_stored_a_second_after_it_was_printed(w):
    worker = w.worker()
    job, = w.add_jobs("wait")
    wait_for("the line", lambda: w.db.sql("SELECT log_bytes FROM job WHERE id = %d" % job) == "8")
    assert w.job(job)[0] == "running"
    w.stop(worker)


harness.run(world, [
    bytes_of_any_value_are_stored_exactly,
    stdout_and_stderr_keep_their_order,
    a_log_of_three_mebibytes_is_stored_exactly,
    a_flood_of_200_mb_is_cut_in_the_middle_only,
    passwords_never_reach_the_log,
    passwords_are_nowhere_else,
    a_line_is_stored_a_second_after_it_was_printed,
])
