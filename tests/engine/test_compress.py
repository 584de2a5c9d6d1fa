#!/usr/bin/env python3
"""COMPRESS=DEFLATE (RFC 4978): used where it is offered and pays, and no message knows of it."""

import os
import random
import sys
import threading
import time
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "imap"))
os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1:malloc_context_size=1"

import dovecot
import faulty
import imapbox as box
import test_cuts
from harness import Tests, check, same
from proxy import Proxy
from test_hostile import GROWTH_MB, Ended, mailbox, ordinary_mb

SEED = int(os.environ.get("MCV_SEED", random.randrange(10**6)))
CUTS = 10  # for each direction of each side


class CompressBench(test_cuts.CutBench):
    """Both servers offer it."""

    def __init__(self):
        super().__init__()
        if self.why is None and not os.path.exists("/usr/lib/dovecot/modules/lib30_imap_zlib_plugin.so"):
            self.why = "dovecot without imap_zlib"
        self.options = {"compress": True}

    def __enter__(self):
        super().__enter__()
        if self.source:
            self.source.stop()
            self.source = dovecot.Dovecot(os.path.join(self.directory, "source"), self.authority, self.users,
                                          separator=".", compress=True).start()
        return self


tests = Tests(bench=CompressBench())


class Meter:
    """Passes everything and counts it; pause_s: the time every piece takes on its way."""

    def __init__(self, pause_s=0.0):
        self.bytes = 0
        self.all = b""
        self.pause_s = pause_s

    def __call__(self, _, data):
        if self.pause_s:
            time.sleep(self.pause_s)
        self.bytes += len(data)
        self.all += data
        return data


def through(bench, program, user, *more, pause_s=0.0):
    """The run, and what went from and to the two servers."""
    meters = [Meter(pause_s) for _ in range(4)]
    with Proxy(bench.source.port, meters[0], meters[1]) as one:
        with Proxy(bench.destination.port, meters[2], meters[3]) as two:
            return bench.sync(program, test_cuts.SOURCE, *more, user2=user, port1=one.port, port2=two.port), meters


@tests.engine_only
def a_compressed_mailbox_arrives_byte_for_byte(bench, program):
    bench.fill()
    user = bench.user()
    r, meters = through(bench, program, user, "--compress=on")
    check(r.code == 0 and test_cuts.is_whole(bench, user), r)
    for n in (1, 2):
        check(r.has("Host%d: COMPRESS=DEFLATE is used" % n), r)
    moved = r.number("Total bytes transferred")
    check(meters[0].bytes < moved / 3 and meters[3].bytes < moved / 3, r, "%d, %d" % (meters[0].bytes, meters[3].bytes))
    r = bench.sync(program, test_cuts.SOURCE, "--compress=on", user2=user)
    check(r.code == 0 and r.number("Messages transferred") == 0, r)


@tests.engine_only
def a_big_message_that_does_not_shrink_arrives_whole(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    noise = random.Random(SEED).randbytes(3000000).hex().encode()
    box.append(c, "INBOX", box.message(1, body=b"\r\n".join(noise[n:n + 70] for n in range(0, len(noise), 70)) + b"\r\n"))
    r = bench.sync(program, user, "--compress=on")
    check(r.code == 0, r)
    same(box.snapshot(bench.source, user, "."), box.snapshot(bench.destination, user), r)


@tests.engine_only
def a_near_server_is_spared_and_a_far_one_is_not(bench, program):
    bench.fill()
    user = bench.user()
    # On a busy machine a near server may well answer as late as a far one: then it is asked again.
    end = time.monotonic() + 60
    while True:
        r, meters = through(bench, program, user, "--compress=auto")
        check(r.code == 0, r)
        if not r.has("COMPRESS=DEFLATE is used") or time.monotonic() > end:
            break
    check(not r.has("COMPRESS=DEFLATE is used"), r)
    check(not any(b"COMPRESS DEFLATE" in m.all for m in meters), r)
    r, meters = through(bench, program, user, "--compress=auto", pause_s=0.02)
    check(r.code == 0 and r.output.count("COMPRESS=DEFLATE is used") == 2, r)
    r, _ = through(bench, program, user, "--compress=off", pause_s=0.02)
    check(r.code == 0 and not r.has("COMPRESS=DEFLATE is used"), r)


@tests.engine_only
def a_server_without_it_or_that_refuses_is_done_without(bench, program):
    bench.fill()
    hidden = lambda _, data: data.replace(b" COMPRESS=DEFLATE", b"")
    refused = lambda _, data: data.replace(b"COMPRESS DEFLATE", b"COMPRESS INFLATE")
    for rules, asked in (({"from_server": hidden}, False), ({"from_client": refused}, True)):
        user = bench.user()
        sent = []
        client = rules.get("from_client", lambda _, data: data)
        rules = dict(rules, from_client=lambda n, data, client=client: sent.append(data) or client(n, data))
        with Proxy(bench.source.port, **rules) as one:
            with Proxy(bench.destination.port, **rules) as two:
                r = bench.sync(program, test_cuts.SOURCE, "--compress=on", user2=user, port1=one.port, port2=two.port)
        check(r.code == 0 and test_cuts.is_whole(bench, user), r)
        check((b"COMPRESS" in b"".join(sent)) == asked and not r.has("COMPRESS=DEFLATE is used"), r)


@tests.engine_only
def cut_anywhere_in_what_is_compressed_nothing_is_lost_or_doubled(bench, program):
    bench.fill()
    rng = random.Random(SEED)
    print("# MCV_SEED=%d" % SEED)

    def sync(user, side=None, end=None, rule=None):
        if side is None:
            return bench.sync(program, test_cuts.SOURCE, "--compress=on", "--timeout1=20", "--timeout2=20", user2=user)
        with Proxy((bench.source, bench.destination)[side - 1].port, **{end: rule}) as proxy:
            return bench.sync(program, test_cuts.SOURCE, "--compress=on", "--timeout1=20", "--timeout2=20", user2=user,
                              **{"port%d" % side: proxy.port})

    def one(side, end, offset):
        user = bench.user()
        what = "host%d cut %s after %d bytes" % (side, end, offset)
        test_cuts.judge(bench, user, sync(user, side, end, test_cuts.cut_at(offset)), what)

    cases = []
    for side in (1, 2):
        for end in ("from_server", "from_client"):
            meter = Meter()
            check(sync(bench.user(), side, end, meter).code == 0)
            cases += [(side, end, rng.randrange(1, meter.bytes)) for _ in range(CUTS)]
    test_cuts.all_of(one, cases)


class Bomb:
    """After COMPRESS all that is asked is answered by as many bytes as there are in size, of a few on the wire."""

    def __init__(self, size, piece=b"* OK still here\r\n"):
        self.size, self.piece = size, piece
        self.swallowed = False

    def __call__(self, conn, tag, rest):
        conn.send(tag + b" OK go on\r\n")
        z = zlib.compressobj(9, zlib.DEFLATED, -15)
        block = self.piece * (1000000 // len(self.piece))
        # fully flushed, it stands for itself wherever it comes again
        packed = z.compress(block) + z.flush(zlib.Z_FULL_FLUSH)
        for _ in range(self.size // len(block)):
            conn.send(packed)
        self.swallowed = True
        return False


def hostile(answer):
    """A server that offers COMPRESS and answers it so."""
    handler = mailbox(COMPRESS=answer)

    def with_compress(conn):
        send = conn.send
        conn.send = lambda data: send(data.replace(b"IMAP4rev1 ", b"IMAP4rev1 COMPRESS=DEFLATE "))
        handler(conn)

    return with_compress


@tests.engine_only
def a_few_bytes_that_become_many_are_refused_within_bounds(bench, program):
    bench.fill()
    limit = ordinary_mb(bench, program) + GROWTH_MB
    for piece in (b"* OK still here\r\n", b"x", b"("):
        # deflated a thousandth of it, and still more than the buffers of two sockets swallow
        bomb = Bomb(32 * 1000 * 1000 * 1000, piece)
        with faulty.Server(hostile(bomb)) as server:
            r = Ended(bench, program, bench.user(), "--compress=on", port1=server.port)
        check(r.alone and not bomb.swallowed, r, str(piece))
        check(r.code not in (0, -11, -6) and "Sanitizer" not in r.output, r, str(piece))
        check(r.peak_mb < limit, r, "%r: %.0f MB" % (piece, r.peak_mb))


@tests.engine_only
def what_is_no_deflate_is_refused(bench, program):
    def ended(conn, tag, rest):
        z = zlib.compressobj(9, zlib.DEFLATED, -15)
        conn.send(tag + b" OK go on\r\n" + z.compress(b"* OK the end\r\n") + z.flush(zlib.Z_FINISH))
        threading.Event().wait(1)

    def noise(conn, tag, rest):
        conn.send(tag + b" OK go on\r\n" + b"\xff" * 1000)

    for answer in (ended, noise):
        with faulty.Server(hostile(answer)) as server:
            r = bench.sync(program, bench.user(), "--compress=on", "--timeout1=3", port1=server.port)
        check(r.code == 101 and "Sanitizer" not in r.output, r)


if __name__ == "__main__":
    tests.main()
