"""Child processes of the stack: each has a log file and ends with the stack, however that ends."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "engine"))

from ports import free_port  # noqa: E402,F401  (for those who start processes)

# Servers live in sbin, which is not on an ordinary user's PATH.
os.environ["PATH"] = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


def die_with_parent():
    """In a child before exec: it ends with the stack, and Ctrl-C reaches the stack alone, which ends all in order."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    os.setsid()


class Process:
    def __init__(self, name, words, log, env=None):
        self.name = name
        self.log = log
        with open(log, "ab") as out:
            self.child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env,
                                          preexec_fn=die_with_parent)
        self.pid = self.child.pid

    def check(self):
        """False while it runs; raises with the end of its log when it is gone."""
        if self.child.poll() is None:
            return False
        with open(self.log, "rb") as log:
            tail = log.read()[-2000:].decode(errors="replace")
        raise RuntimeError("%s ended with status %s:\n%s" % (self.name, self.child.returncode, tail))

    def stop(self, seconds=60, sig=signal.SIGTERM):
        if self.child.poll() is None:
            self.child.send_signal(sig)
            try:
                self.child.wait(seconds)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()


def wait_for(what, condition, seconds=120):
    """Poll until condition() is true and return its value; raise when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise RuntimeError("not within %d s: %s" % (seconds, what))
        time.sleep(0.02)


def port_taken(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def runs(pid):
    try:
        os.kill(pid, 0)
        # it may end between one look and the next, or while it is read
        with open("/proc/%d/stat" % pid, encoding="ascii", errors="replace") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False
