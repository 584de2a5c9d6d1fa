#!/usr/bin/python3 -ISE
"""Stands in for imapsync in the worker's tests.  The source user name says how to behave: "flood-1000000"."""

import os
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
options = dict(word[2:].split("=", 1) for word in sys.argv[1:] if "=" in word)

if "--version" in sys.argv:
    print("9.87")
    sys.exit(0)

mode, _, number = options["user1"].partition("-")
number = float(number or 0)
run = os.path.basename(options["tmpdir"])


def note(event):
    with open(os.path.join(HERE, "ledger"), "a") as ledger:
        ledger.write("%s %s %d %f\n" % (event, run, os.getpid(), time.monotonic()))


def out(data):
    view = memoryview(data)
    while view:
        view = view[os.write(1, view):]


def passwords():
    result = []
    for option in ("passfile1", "passfile2"):
        with open(options[option], "rb") as f:
            result.append(f.readline().rstrip(b"\n"))
    return result


def statistics(copied=3):
    out(b"++++ Statistics\nFolders synced                          : 1/1 synced\n"
        b"Messages transferred                    : %d \nMessages skipped                        : 0\n"
        b"Total bytes transferred                 : %d (x)\n"
        b"The sync looks good, all %d identified messages in host1 are on host2.\nDetected 0 errors\n"
        b"Exiting with return value 0 (EX_OK: successful termination) 0/50 nb_errors/max_errors PID 1\n"
        % (copied, copied * 100, copied))


def pattern(size):
    """size bytes that differ everywhere, as numbered lines."""
    line, done, n = [], 0, 0
    while done < size:
        text = b"%012d the quick brown fox jumps over the lazy dog\n" % n
        line.append(text)
        done += len(text)
        n += 1
    return b"".join(line)[:size]


note("begin")
if mode == "ok":
    time.sleep(number)
    statistics()
elif mode == "wait":  # until told to end
    out(b"waiting\n")
    time.sleep(number or 10000)
    statistics()
elif mode == "silent":  # not a byte
    time.sleep(number or 10000)
elif mode == "exit":
    sys.exit(int(number))
elif mode == "nostatistics":
    out(b"nothing to see\n")
elif mode == "stubborn":  # ignores TERM, and so do grandchildren in sessions of their own
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for _ in range(2):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                note("grandchild")
                time.sleep(10000)
            os._exit(0)
    out(b"stubborn\n")
    time.sleep(10000)
elif mode == "flood":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    block = pattern(1 << 20)
    left = int(number)
    while left > 0:
        out(block[:left])
        left -= len(block)
    sys.exit(0)
elif mode == "bytes":  # every byte, NUL included, invalid UTF-8, escapes, no newline at the end
    out(bytes(range(256)) * 300 + b"\x1b[31m\xff\xfe\0<script>alert(1)</script>")
    os.write(2, b"and this to stderr")
    sys.exit(0)
elif mode == "both":  # stdout and stderr interleave in order
    for n in range(2000):
        os.write(1 + n % 2, b"%06d\n" % n)
elif mode == "echo":  # a server that repeats passwords
    import base64
    for p in passwords():
        out(b"raw [" + p + b"] base64 [" + base64.b64encode(p) + b"] plain [" +
            base64.b64encode(b"\0user\0" + p) + b"]\n")
        for byte in p:  # cut anywhere
            os.write(1, bytes([byte]))
            time.sleep(0.005)
        out(b"\n")
    out(b"env: " + b" ".join(os.environb) + b"\n")
    statistics()
elif mode == "crash":
    os.kill(os.getpid(), signal.SIGSEGV)
elif mode == "closed":  # closes its output, but lives
    os.close(1)
    os.close(2)
    time.sleep(number)
    note("end")
    os._exit(7)
elif mode == "holder":  # ends, but leaves a process that holds the pipe
    statistics()
    if os.fork() == 0:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(10000)
elif mode == "memory":
    hog = bytearray(int(number) << 20)
    for at in range(0, len(hog), 4096):
        hog[at] = 1
    out(b"fat\n")
    time.sleep(10000)
elif mode == "drip":  # a line now and then, for number seconds, numbered
    end = time.monotonic() + number
    n = 0
    while time.monotonic() < end:
        out(b"drip %06d\n" % n)
        n += 1
        time.sleep(0.02)
    statistics(n)
elif mode == "progress":
    out(b"Host1 Nb messages:          10 messages\nHost1 Total size:      1000 bytes (x)\n"
        b"++++ Looping on each one of 2 folders to sync\nFolder    1/2 [INBOX]       -> [INBOX]\n")
    for n in range(1, 6):
        out(b"msg INBOX/%d {100}     copied to INBOX/%d  2.00 msgs/s  1.000 KiB/s 0 KiB copied ETA: Monday  %d s  "
            b"%d/10 msgs left\n" % (n, n, 10 - n, 10 - n))
    time.sleep(10000)
note("end")
