#!/usr/bin/env python3
"""Servers that lie, flood and never end: the engine refuses within bounds and does not grow."""

import concurrent.futures
import os
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "imap"))
# Sanitizers keep freed memory for a while, which is not the engine's growth.
os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1:malloc_context_size=1"

import faulty
import imapbox as box
from harness import Tests, check

GROWTH_MB = 48  # over an ordinary run
FLOOD = 100 * 1000 * 1000  # bytes after which a server here has had its way
OUTPUT = 8 * 1000 * 1000
SECONDS = 170

tests = Tests()


def peak_mb(pid):
    try:
        with open("/proc/%d/status" % pid, encoding="ascii", errors="replace") as f:
            return max(int(line.split()[1]) / 1024 for line in f if line.startswith("VmHWM:"))
    except (OSError, ValueError):
        return 0.0


class Ended:
    def __init__(self, bench, program, user, *more, **options):
        process = bench.start(program, user, "--timeout1=4", "--timeout2=4", *more, **options)
        self.output, self.peak_mb = b"", 0.0
        os.set_blocking(process.stdout.fileno(), False)
        began = time.monotonic()
        while process.poll() is None and time.monotonic() - began < SECONDS:
            self.peak_mb = max(self.peak_mb, peak_mb(process.pid))
            self.output += process.stdout.read() or b""
            if len(self.output) > 4 * OUTPUT:
                break
            # Its peak is looked at, not waited for.
            time.sleep(0.01)
        self.alone = process.poll() is not None
        process.kill()
        process.wait()
        os.set_blocking(process.stdout.fileno(), True)
        self.output = (self.output + process.stdout.read()).decode(errors="replace")
        process.stdout.close()
        self.code = process.returncode


def ordinary_mb(bench, program):
    user = bench.user()
    box.append(box.connect(bench.source, user), "INBOX", box.message(1, 2000000))
    return Ended(bench, program, user).peak_mb


class Flood:
    """An answer that never ends: first, then piece for ever."""

    def __init__(self, piece, first=b""):
        self.block = piece * max(1, 100000 // len(piece))
        self.first = first
        self.swallowed = False  # to the end

    def __call__(self, conn, tag, rest):
        conn.send(self.first)
        for _ in range(FLOOD // len(self.block)):
            conn.send(self.block)
        self.swallowed = True
        return False


SELECTED = (b"* FLAGS (\\Seen)\r\n* %d EXISTS\r\n* OK [UIDVALIDITY 1] ok\r\n* OK [UIDNEXT %d] ok\r\n"
            b"* OK [PERMANENTFLAGS (\\Seen \\*)] ok\r\nTAG OK [READ-WRITE] done\r\n")
ROW = (b'* 1 FETCH (UID 1 FLAGS () INTERNALDATE "05-Mar-2019 08:09:10 +0100" RFC822.SIZE 100 '
       b'BODY[HEADER.FIELDS (MESSAGE-ID RECEIVED DATE SUBJECT FROM TO CC)] {27}\r\nMessage-ID: <1@example.org>\r\n)\r\n')


def mailbox(**answers):
    """A server with one message in INBOX that answers by these where they are given."""
    table = {
        "LIST": b'* LIST () "/" INBOX\r\nTAG OK done\r\n', "LSUB": b'* LSUB () "/" INBOX\r\nTAG OK done\r\n',
        "NAMESPACE": b'* NAMESPACE (("" "/")) NIL NIL\r\nTAG OK done\r\n', "ID": b"* ID NIL\r\nTAG OK done\r\n",
        "SELECT": SELECTED % (1, 2), "EXAMINE": SELECTED % (1, 2), "STATUS": b"* STATUS INBOX (MESSAGES 1)\r\nTAG OK done\r\n",
        "UID FETCH": ROW + b"TAG OK done\r\n", "NOOP": b"TAG OK done\r\n", "CREATE": b"TAG OK done\r\n",
        "SUBSCRIBE": b"TAG OK done\r\n", "ENABLE": b"TAG OK done\r\n", "APPEND": b"TAG OK [APPENDUID 1 2] done\r\n",
    }
    table.update({name.replace("_", " "): answer for name, answer in answers.items() if name != "greeting"})
    return faulty.script({name.encode(): answer for name, answer in table.items()},
                         capabilities=b"IMAP4rev1 UIDPLUS NAMESPACE LITERAL+",
                         **({"greeting": answers["greeting"]} if "greeting" in answers else {}))


def refused(bench, program, side, flood, handler, what):
    """The engine ends by itself, not well, without having grown or read for ever."""
    with bench.lock:
        user = bench.user()
    box.append(box.connect(bench.source, user), "INBOX", box.message(1))
    with faulty.Server(handler) as server:
        r = Ended(bench, program, user, **{"port%d" % side: server.port})
    check(r.alone, r, "%s: still running after %d s" % (what, SECONDS))
    check(flood is None or not flood.swallowed, r, "%s: all of it was read" % what)
    check(r.code not in (0, -11, -6), r, "%s: exit %d" % (what, r.code))
    check("Sanitizer" not in r.output, r, what)
    check(len(r.output) < OUTPUT, r, "%s: %d bytes of output" % (what, len(r.output)))
    check(r.peak_mb < bench.ordinary_mb + GROWTH_MB, r,
          "%s: %.0f MB, an ordinary run takes %.0f" % (what, r.peak_mb, bench.ordinary_mb))


def all_refused(bench, program, cases):
    """cases: (side, command, name of a flood, flood); most of each run is its waiting before it connects again."""
    bench.lock = threading.Lock()
    if not hasattr(bench, "ordinary_mb"):
        bench.ordinary_mb = ordinary_mb(bench, program)
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for future in [pool.submit(refused, bench, program, side, flood, mailbox(**{command: flood}), "%s to %s" % (name, command))
                       for side, command, name, flood in cases]:
            future.result()


SHORT = {
    "a line without end": (b"x", b"* OK "),
    "continuations without end": (b"+ go on\r\n",),
    "parentheses without end": (b"(", b"* 1 FETCH "),
    "a literal of all the bytes there are": (b"y", b"* 1 FETCH (BODY[] {18446744073709551615}\r\n"),
    "a literal of terabytes": (b"y", b"* 1 FETCH (UID 7 BODY[] {4000000000000}\r\n"),
    "flags without end": (b"\\Flag ", b"* 1 FETCH (UID 1 FLAGS ("),
    "bytes of no protocol": (bytes(range(256)),),
}
COMMANDS = ((1, "LIST"), (1, "EXAMINE"), (1, "UID_FETCH"), (2, "SELECT"), (2, "APPEND"))


@tests.engine_only
def a_greeting_without_end_is_refused(bench, program):
    all_refused(bench, program, [])
    for side in (1, 2):
        flood = Flood(b"x", b"* OK ")
        refused(bench, program, side, flood, lambda conn, flood=flood: flood(conn, b"", b""), "greeting of host%d" % side)


@tests.engine_only
def answers_that_cannot_end_are_refused_at_once(bench, program):
    names = list(SHORT)
    # Every flood meets two commands, every command several floods.
    all_refused(bench, program, [(*COMMANDS[(n + shift) % len(COMMANDS)], name, Flood(*SHORT[name]))
                                 for n, name in enumerate(names) for shift in (0, 2)])


@tests.engine_only
def answers_nobody_asked_for_are_refused_when_they_do_not_end(bench, program):
    all_refused(bench, program, [
        (1, "UID_FETCH", "untagged answers", Flood(b"* OK still here\r\n")),
        (2, "SELECT", "unsolicited changes", Flood(b"* 1 EXISTS\r\n* 4294967295 EXISTS\r\n* 1 EXPUNGE\r\n* 5 FETCH (FLAGS (\\Seen))\r\n")),
        (2, "APPEND", "a literal in every answer", Flood(b"* 1 FETCH (X {5}\r\nabcde)\r\n")),
        (1, "LIST", "one folder again and again", Flood(b'* LIST () "/" "folder"\r\n')),
    ])


@tests.engine_only
def absurd_counts_take_no_memory(bench, program):
    selected = SELECTED % (4294967295, 4294967295)
    all_refused(bench, program, [])
    refused(bench, program, 1, None, mailbox(EXAMINE=selected, UID_FETCH=b"TAG NO too many\r\n"), "no row for four billion")


class Rows(Flood):
    """Rows without end, each of another message."""

    def __init__(self):
        super().__init__(b"x")

    def __call__(self, conn, tag, rest):
        uid = 0
        while uid * 60 < FLOOD:
            conn.send(b"".join(b"* %d FETCH (UID %d RFC822.SIZE 100 FLAGS () INTERNALDATE \"05-Mar-2019 08:09:10 +0100\" "
                               b"BODY[HEADER.FIELDS (MESSAGE-ID)] \"Message-ID: <%d>\")\r\n" % (n, n, n)
                               for n in range(uid + 1, uid + 1001)))
            uid += 1000
        self.swallowed = True
        return False


@tests.engine_only
def rows_without_end_are_refused_before_they_fill_the_memory(bench, program):
    all_refused(bench, program, [])
    bench.lock = threading.Lock()
    for side, select in ((1, "EXAMINE"), (2, "SELECT")):
        rows = Rows()
        refused(bench, program, side, rows, mailbox(**{select: SELECTED % (3, 4), "UID_FETCH": rows}), "rows of host%d" % side)


@tests.engine_only
def a_body_that_is_never_through_is_given_up(bench, program):
    """Listed with 100 bytes, announced with terabytes."""
    flood = Flood(b"z" * 70 + b"\r\n", b'* 1 FETCH (UID 1 FLAGS () INTERNALDATE "05-Mar-2019 08:09:10 +0100" BODY[] {4000000000000}\r\n')

    def answer(conn, tag, rest):
        if b"BODY.PEEK[]" in rest:
            return flood(conn, tag, rest)
        conn.send(ROW + tag + b" OK done\r\n")
        return None

    all_refused(bench, program, [])
    refused(bench, program, 1, flood, mailbox(UID_FETCH=answer), "a body of terabytes")


if __name__ == "__main__":
    tests.main()
