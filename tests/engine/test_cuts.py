#!/usr/bin/env python3
"""Wherever a connection breaks and whenever the engine dies, no message is lost, doubled or stored in part.

After a run that was disturbed: exit code 0 is only given for a complete copy.  After the next run, undisturbed: everything
is there, and once.  MCV_SEED repeats a run of random choices.
"""

import concurrent.futures
import os
import random
import re
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import imapbox as box
from harness import PROGRAMS, Bench, Tests, check, same
from proxy import Last, Proxy

CUTS = 80  # for each direction of each side
KILLS = 100
SEED = int(os.environ.get("MCV_SEED", random.randrange(10**6)))
# Most of a disturbed run's time is waiting.
AT_ONCE = 4
# Connections lost and not had again, messages that could not be had or stored for it.
HONEST_CODES = (0, 101, 102, 111, 114, 115, 116, 117, 120)
SOURCE = "user1"


class CutBench(Bench):
    def __init__(self):
        super().__init__()
        self.users = {"user%d" % n: "password-%d" % n for n in range(1, 1000)}
        self.filled = False
        self.next_user = 1
        self.lock = threading.Lock()

    def user(self):
        with self.lock:
            return super().user()

    def fill(self):
        """A mailbox with little body and much protocol."""
        if self.filled:
            return
        self.filled = True
        c = box.connect(self.source, SOURCE)
        for folder in ("Lists", "Work.Deep", box.mutf7("Été")):
            box.create(c, folder, subscribe=True)
        for n in range(16):
            folder = ("INBOX", "Lists", "INBOX", "Work.Deep")[n % 4]
            body = (b"%04d" % n + b"x" * 800 + b"\r\n") * (1 + n % 3 + 20 * (n == 6))
            flags = ("", "\\Seen", "\\Flagged $Label1")[n % 3]
            box.append(c, folder, box.message(n, ids=n % 5 != 4, body=body), flags)
        for _ in range(2):
            box.append(c, "Lists", box.message(100))
        c.logout()
        self.shot = shot(self.source, SOURCE, ".")

    def passfile(self, password, name="pw"):
        with self.lock:
            return super().passfile(password, name)


def shot(server, user, separator="/"):
    """As imapbox.snapshot(), with one command a folder."""
    c = box.connect(server, user)
    found = {}
    for name in box.folders(c):
        kind, data = c.select(box.quoted(name), readonly=True)
        held = found[name.replace(separator, "/")] = box.Counter()
        if int(data[0]) == 0:
            continue
        rows = c.fetch("1:*", "(FLAGS INTERNALDATE BODY.PEEK[])")[1]
        for row, tail in zip(rows[::2], rows[1::2]):
            head = row[0] + tail
            flags = re.search(rb"FLAGS \((.*?)\)", head).group(1).decode().split()
            date = re.search(rb'INTERNALDATE "(.*?)"', head).group(1).decode()
            held[(box.hashlib.sha256(row[1]).hexdigest(), frozenset(f for f in flags if f != "\\Recent"), date, len(row[1]))] += 1
    c.logout()
    return found


def is_whole(bench, user):
    there = shot(bench.destination, user)
    return all(there.get(folder) == held for folder, held in bench.shot.items())


def sync(bench, user, **options):
    # A server that does not answer is not waited for longer than the lookups after a lost answer take.
    return bench.sync(PROGRAMS[0], SOURCE, "--timeout1=20", "--timeout2=20", user2=user, **options)


def judge(bench, user, r, what):
    """What a disturbed run left, and what the next one makes of it."""
    check(r.code in HONEST_CODES or r.code == -9, r, what)
    whole = is_whole(bench, user)
    check(whole or r.code != 0, r, "%s: exit 0, and the copy is not complete" % what)
    for folder, held in shot(bench.destination, user).items():
        left = held - bench.shot.get(folder, box.Counter())
        # Flags are what may be missing of a message whose run died: they come with the next.
        check(not left, r, "%s: %s holds what the source does not: %s" % (what, folder, left))
    again = sync(bench, user)
    check(again.code == 0, again, "the run after " + what)
    check(again.number("Messages transferred") == 0 or not whole, again, "the run after " + what)
    same(bench.shot, shot(bench.destination, user), again, "after " + what)


def all_of(function, cases):
    """function of each case, some at once; fails with the first failure."""
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [pool.submit(function, *case) for case in cases]
        try:
            for future in futures:
                future.result()
        finally:
            for future in futures:
                future.cancel()


class Tape:
    """A rule that lets everything pass and remembers where lines began."""

    def __init__(self):
        self.lock = threading.Lock()
        self.length = 0
        self.lines = [0]

    def __call__(self, _, data):
        with self.lock:
            self.lines += [self.length + m.end() for m in re.finditer(b"\n", data)]
            self.length += len(data)
        return data

    def points(self, count):
        """count offsets: half of them around line ends, where commands and answers begin and end, half anywhere."""
        rng = random.Random(SEED)
        near = [self.lines[n * len(self.lines) // (count // 2)] + rng.choice((-1, 0, 1, 5)) for n in range(count // 2)]
        anywhere = [n * self.length // (count - count // 2) + rng.randrange(30) for n in range(count - count // 2)]
        points = {max(1, point) for point in near + anywhere} | {self.length - 1}
        while len(points) < count:
            points.add(rng.randrange(1, self.length))
        return sorted(points)


def cut_at(offset):
    """A rule that passes so many bytes, of all connections together, and cuts the one they come on; once."""
    lock, passed = threading.Lock(), [0]

    def rule(_, data):
        with lock:
            before, passed[0] = passed[0], passed[0] + len(data)
        return Last(data[:offset - before]) if before < offset <= before + len(data) else data

    return rule


def cuts(bench, side, end):
    bench.fill()
    tape = Tape()
    server = bench.source if side == 1 else bench.destination
    with Proxy(server.port, **{end: tape}) as proxy:
        user = bench.user()
        r = sync(bench, user, **{"port%d" % side: proxy.port})
    check(r.code == 0 and is_whole(bench, user), r)

    def one(offset):
        user = bench.user()
        with Proxy(server.port, **{end: cut_at(offset)}) as proxy:
            r = sync(bench, user, **{"port%d" % side: proxy.port})
        judge(bench, user, r, "host%d cut %s after %d bytes of %d" % (side, end, offset, tape.length))

    points = tape.points(CUTS)
    all_of(one, [(point,) for point in points])
    print("# %d cut points, seed %d" % (len(points), SEED))


tests = Tests(bench=CutBench())


@tests.engine_only
def cut_anywhere_in_what_the_source_says(bench, _):
    cuts(bench, 1, "from_server")


@tests.engine_only
def cut_anywhere_in_what_the_source_is_told(bench, _):
    cuts(bench, 1, "from_client")


@tests.engine_only
def cut_anywhere_in_what_the_destination_says(bench, _):
    cuts(bench, 2, "from_server")


@tests.engine_only
def cut_anywhere_in_what_the_destination_is_told(bench, _):
    cuts(bench, 2, "from_client")


@tests.engine_only
def killed_at_any_moment_the_next_run_completes_it(bench, program):
    bench.fill()
    rng = random.Random(SEED)
    began = time.monotonic()
    check(sync(bench, bench.user()).code == 0)
    whole_s = time.monotonic() - began

    def one(moment_s):
        user = bench.user()
        process = bench.start(program, SOURCE, user2=user)
        try:
            # Not a wait for something: the moment itself is what is tried.
            process.communicate(timeout=moment_s)
        except Exception:
            process.kill()
        process.wait()
        process.stdout.close()
        # What the dead run had sent is stored before the next one looks.
        settled = [None]

        def is_settled():
            before, settled[0] = settled[0], box.uids(bench.destination, user)
            return before == settled[0]

        box.wait_for(is_settled)
        r = sync(bench, user)
        check(r.code == 0, r, "the run after a kill at %.3f s" % moment_s)
        same(bench.shot, shot(bench.destination, user), r, "after a kill at %.3f s" % moment_s)

    all_of(one, [(rng.uniform(0.02, 1.6 * whole_s),) for _ in range(KILLS)])


def in_small_parts(seed):
    """A rule that passes a few bytes at a time, sometimes after a moment."""
    rng = random.Random(seed)

    def split(sink, data):
        at = 0
        while at < len(data):
            part = rng.choice((1, 2, 3, 7, 50, 1500))
            sink.sendall(data[at:at + part])
            at += part
            if rng.random() < 0.01:
                time.sleep(0.003)

    return split


@tests.engine_only
def split_and_delayed_anywhere_it_is_the_same(bench, _):
    bench.fill()

    def one(seed):
        user = bench.user()
        with Proxy(bench.source.port, split=in_small_parts(seed)) as here:
            with Proxy(bench.destination.port, split=in_small_parts(seed + 1)) as there:
                r = sync(bench, user, port1=here.port, port2=there.port)
        check(r.code == 0 and is_whole(bench, user), r, "seed %d" % seed)

    all_of(one, [(SEED + 2 * n,) for n in range(8)])


class Reorder:
    """A rule that gives rows of a FETCH, and answers to commands sent ahead, in another order, as RFC 3501 (5.5) lets a server."""

    def __init__(self):
        self.rest = {}
        self.held = {}
        self.turned = 0

    def __call__(self, number, data):
        data = self.rest.pop(number, b"") + data
        held = self.held.setdefault(number, [])
        out = []
        while True:
            response = self.first(data)
            if response is None:
                break
            data = data[len(response):]
            if re.match(rb"\* \d+ FETCH ", response):
                held.append(response)
                continue
            self.turned += len(held) > 1
            out += held[::-1] + [response]
            held.clear()
        self.rest[number] = data
        return b"".join(self.swapped(out))

    @staticmethod
    def first(data):
        """The first response of data with its literals, None when it is not whole."""
        at = 0
        while True:
            end = data.find(b"\n", at)
            if end < 0:
                return None
            literal = re.search(rb"\{(\d+)\}\r$", data[at:end])
            at = end + 1
            if not literal:
                return data[:at]
            at += int(literal.group(1))
            if at > len(data):
                return None

    def swapped(self, responses):
        """Neighbouring answers to APPENDs exchanged."""
        for n in range(len(responses) - 1):
            if all(re.match(rb"(?![*+])\S+ OK \[APPENDUID", r) for r in responses[n:n + 2]):
                responses[n], responses[n + 1] = responses[n + 1], responses[n]
                self.turned += 1
        return responses


@tests.engine_only
def answers_in_another_order_are_the_same_answers(bench, _):
    bench.fill()
    user = bench.user()
    rules = Reorder(), Reorder()
    with Proxy(bench.source.port, from_server=rules[0]) as here:
        with Proxy(bench.destination.port, from_server=rules[1]) as there:
            r = sync(bench, user, port1=here.port, port2=there.port)
    check(rules[0].turned > 0, r, "nothing came in another order")
    judge(bench, user, r, "answers in another order")
    check(r.code == 0, r)


if __name__ == "__main__":
    tests.main()
