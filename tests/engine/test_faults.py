#!/usr/bin/env python3
"""Nothing is lost, doubled or stored in part, whatever breaks on the way and whenever."""

import os
import random
import re
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import imapbox as box
from harness import Tests, check, same
from proxy import Proxy

tests = Tests()


def mixed_mailbox(bench, user, count=120):
    c = box.connect(bench.source, user)
    box.create(c, "Folder.Below")
    for n in range(count):
        folder = "INBOX" if n % 2 else "Folder.Below"
        kind = n % 10
        if kind == 7:
            box.append(c, folder, box.message(n, 3000, ids=False), "\\Seen")
        elif kind == 8:
            box.append(c, folder, box.message(n - 1 if n > 10 else 5, 3000))  # some twice
        elif kind == 9:
            box.append(c, folder, box.message(n, 90000), "\\Flagged")
        else:
            box.append(c, folder, box.message(n, 1000 + n * 10), "\\Seen" if n % 3 else "")
    c.logout()


def compare(bench, user, result):
    same(box.snapshot(bench.source, user, "."), box.snapshot(bench.destination, user), result)


class Once:
    """True the first time (or the first few) and never again, across threads."""

    def __init__(self, times=1):
        self.left = times
        self.lock = threading.Lock()

    def __call__(self):
        with self.lock:
            if self.left == 0:
                return False
            self.left -= 1
            return True


@tests.engine_only
def killed_at_any_moment_and_run_again_nothing_is_lost_or_doubled(bench, program):
    seed = int(os.environ.get("MCV_SEED", random.randrange(1 << 30)))
    print("# MCV_SEED=%d" % seed)
    chance = random.Random(seed)
    kills = 0
    in_copy = 0
    for _ in range(15):
        if kills >= 20:
            break
        user = bench.user()
        mixed_mailbox(bench, user)
        for _ in range(4):
            # Up to some line of its output, and then a moment more: anywhere in a message.
            lines = chance.choice((chance.randrange(1, 60), chance.randrange(60, 110)))
            process = bench.start(program, user)
            copied = 0
            for line in process.stdout:
                copied += b" copied to " in line
                lines -= 1
                if lines == 0:
                    time.sleep(chance.uniform(0, 0.008))
                    process.send_signal(signal.SIGKILL)
            process.wait()
            process.stdout.close()
            kills += process.returncode == -signal.SIGKILL
            in_copy += process.returncode == -signal.SIGKILL and copied > 0
        r = bench.sync(program, user)
        check(r.code == 0, r)
        compare(bench, user, r)
    print("# killed %d times, %d of them while copying" % (kills, in_copy))
    check(kills >= 20 and in_copy > 0)


def cut_in_literal(times, at_least):
    """From the server: cut when at_least bytes of a body of twice that have passed."""
    cut = Once(times)
    left = {}  # by connection: bytes of the present body still to come, and its size
    heads = {}  # and what may be the beginning of a body's announcement

    def rule(number, data):
        rest = data
        while rest:
            body, size = left.get(number, (0, 0))
            if body:
                n = min(body, len(rest))
                left[number] = (body - n, size)
                if size >= at_least * 2 and size - body + n >= at_least and cut():
                    return None
                rest = rest[n:]
                continue
            head = heads.get(number, b"") + rest
            announced = re.search(rb"BODY\[\] \{(\d+)\}\r\n", head)
            if announced is None:
                heads[number] = head[-40:]
                break
            heads[number] = b""
            rest = head[announced.end():]
            left[number] = (int(announced.group(1)),) * 2
        return data

    return rule


@tests.engine_only
def a_source_cut_inside_a_message_leaves_no_part_of_it(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    for n in range(10):
        box.append(c, "INBOX", box.message(n, 300000 if n % 3 == 1 else 2000))
    with Proxy(bench.source.port, from_server=cut_in_literal(2, 100000)) as proxy:
        r = bench.sync(program, user, port1=proxy.port)
    check(r.code == 0, r)
    check(r.number("Reconnections to host1") == 2, r)
    compare(bench, user, r)


@tests.engine_only
def messages_that_break_every_connection_are_passed_over(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    for n in range(10):
        box.append(c, "INBOX", box.message(n, 300000 if n % 3 == 1 else 2000))
    rule = cut_in_literal(1000, 100000)
    with Proxy(bench.source.port, from_server=rule) as proxy:
        r = bench.sync(program, user, port1=proxy.port)
    check(r.code == 115, r)
    check(r.has("++++ Statistics") and r.has("The sync is not finished, there are "), r)
    left = box.snapshot(bench.source, user, ".")["INBOX"] - box.snapshot(bench.destination, user)["INBOX"]
    extra = box.snapshot(bench.destination, user)["INBOX"] - box.snapshot(bench.source, user, ".")["INBOX"]
    check(not extra and sum(left.values()) == 3, r, "extra %s left %s" % (extra, left))
    compare(bench, user, bench.sync(program, user))


def lose_answers(times):
    """From the destination: the answer to an APPEND never arrives, the connection ends."""
    lose = Once(times)
    return lambda number, data: None if b"APPENDUID" in data and lose() else data


@tests.engine_only
def a_lost_answer_to_an_append_does_not_double(bench, program):
    user = bench.user()
    mixed_mailbox(bench, user, 40)
    with Proxy(bench.destination.port, from_server=lose_answers(2)) as proxy:
        r = bench.sync(program, user, port2=proxy.port)
    check(r.code == 0, r)
    check(r.number("Reconnections to host2") == 2, r)
    compare(bench, user, r)


@tests.engine_only
def copies_whose_answers_are_lost_are_counted_right(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    for _ in range(6):
        box.append(c, "INBOX", box.message(1))
    with Proxy(bench.destination.port, from_server=lose_answers(4)) as proxy:
        r = bench.sync(program, user, port2=proxy.port)
    check(r.code == 0, r)
    compare(bench, user, r)


@tests.engine_only
def a_destination_cut_before_the_message_is_whole_gets_it_again(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    for n in range(6):
        box.append(c, "INBOX", box.message(n, 200000))
    cut = Once(2)
    passed = {}

    def rule(number, data):
        if b"APPEND " in data:
            passed[number] = 0
        if number in passed:
            passed[number] += len(data)
            if passed[number] > 100000 and cut():
                return None
        return data

    with Proxy(bench.destination.port, from_client=rule) as proxy:
        r = bench.sync(program, user, port2=proxy.port)
    check(r.code == 0, r)
    compare(bench, user, r)


@tests.engine_only
def connections_dropped_anywhere_are_opened_again(bench, program):
    """Both servers hang up after some thousand bytes, again and again, not only inside messages."""
    user = bench.user()
    mixed_mailbox(bench, user, 60)

    def flaky(first):
        budget = {}
        cuts = Once(6)

        def rule(number, data):
            left = budget.setdefault(number, first * number)
            budget[number] = left - len(data)
            return None if budget[number] < 0 and cuts() else data

        return rule

    with Proxy(bench.source.port, from_server=flaky(4000)) as one:
        with Proxy(bench.destination.port, from_server=flaky(3000)) as two:
            r = bench.sync(program, user, port1=one.port, port2=two.port)
    check(r.code in (0, 101, 102), r)
    r = bench.sync(program, user)
    check(r.code == 0, r)
    compare(bench, user, r)


@tests.engine_only
def a_body_of_another_message_is_not_stored(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    for n in range(1, 5):
        box.append(c, "INBOX", box.message(n, 2000))

    def rule(_, data):
        return re.sub(rb"\(UID 2 ((FLAGS .*?)?BODY\[\] )", rb"(UID 3 \1", data)

    with Proxy(bench.source.port, from_server=rule) as proxy:
        r = bench.sync(program, user, port1=proxy.port)
    check(r.code == 115, r)
    check(r.has("msg INBOX/2") and r.has("could not be fetched"), r)
    extra = box.snapshot(bench.destination, user)["INBOX"] - box.snapshot(bench.source, user, ".")["INBOX"]
    check(not extra, r, str(extra))
    check(r.has("The sync is not finished, there are 1 among 4 identified messages"), r)


@tests.engine_only
def a_message_deleted_meanwhile_is_skipped(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    for n in range(1, 5):
        box.append(c, "INBOX", box.message(n, 2000))
    once = Once()

    def rule(_, data):
        if re.search(rb"UID FETCH 1[^ ]* \(UID [^)]*BODY.PEEK\[\]", data) and once():
            d = box.connect(bench.source, user)
            d.select("INBOX")
            d.uid("store", "3", "+FLAGS", "(\\Deleted)")
            d.expunge()
            d.logout()
        return data

    with Proxy(bench.source.port, from_client=rule) as proxy:
        r = bench.sync(program, user, port1=proxy.port)
    check(r.code == 0, r)
    check(r.has("msg INBOX/3 vanished from host1"), r)
    compare(bench, user, r)


@tests.engine_only
def a_destination_gone_for_good_ends_with_its_code(bench, program):
    user = bench.user()
    mixed_mailbox(bench, user, 40)
    proxy = Proxy(bench.destination.port)
    stored = []

    def rule(_, data):
        stored.append(data)
        if b"".join(stored).count(b"APPENDUID") == 1:
            proxy.refuse = True
            return None
        return None if proxy.refuse else data

    proxy.rules["server"] = rule
    with proxy:
        r = bench.sync(program, user, port2=proxy.port)
    check(r.code == 102, r)
    check(r.has("++++ Statistics") and r.has("The sync is not finished"), r)
    r = bench.sync(program, user)
    check(r.code == 0, r)
    compare(bench, user, r)


@tests.engine_only
def term_while_copying_prints_statistics_and_dies_of_it(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    for n in range(200):
        box.append(c, "INBOX", box.message(n, 3000))
    for name in (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT):
        stored = []

        def rule(_, data):
            if b"APPENDUID" in data:
                stored.append(data)
                if len(stored) > 1:
                    threading.Event().wait(30)
            return data

        with Proxy(bench.destination.port, from_server=rule) as proxy:
            process = bench.start(program, user, port2=proxy.port)
            output = b""
            for line in process.stdout:
                output += line
                if line.startswith(b"msg ") and output.count(b"copied to") == 5:
                    process.send_signal(name)
            process.wait(30)
            process.stdout.close()
        text = output.decode(errors="replace")
        check(process.returncode == -signal.SIGTERM, None, "%s: %s" % (process.returncode, text[-2000:]))
        check("++++ Statistics" in text and "Exiting with return value 6 (EXIT_BY_SIGNAL)" in text, None, text[-2000:])
        check("The sync is not finished" in text, None, text[-2000:])
        d = box.connect(bench.destination, user)
        d.select("INBOX")
        d.store("1:*", "+FLAGS", "(\\Deleted)")
        d.expunge()
    r = bench.sync(program, user)
    check(r.code == 0, r)
    compare(bench, user, r)


@tests.engine_only
def term_while_a_server_is_silent_ends_it_too(bench, program):
    user = bench.user()
    mixed_mailbox(bench, user, 40)
    silent = threading.Event()

    def rule(_, data):
        if b"BODY[] {" in data:
            silent.set()
            threading.Event().wait(60)
        return data

    with Proxy(bench.source.port, from_server=rule) as proxy:
        process = bench.start(program, user, port1=proxy.port)
        check(silent.wait(30))
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=20)
    check(process.returncode == -signal.SIGTERM, None, output.decode(errors="replace")[-2000:])
    check(b"++++ Statistics" in output, None, output.decode(errors="replace")[-2000:])


@tests.engine_only
def a_silent_server_is_given_up(bench, program):
    user = bench.user()
    mixed_mailbox(bench, user, 10)

    def rule(number, data):
        if b"BODY[] {" in data and number == 1:
            threading.Event().wait(60)
        return data

    with Proxy(bench.source.port, from_server=rule) as proxy:
        r = bench.sync(program, user, "--timeout1=2", port1=proxy.port)
    check(r.code == 0, r)
    check(r.number("Reconnections to host1") == 1, r)
    compare(bench, user, r)


def without(*words):
    """From the server: it does not offer these, nor use what comes with them."""

    def rule(_, data):
        for word in words:
            data = data.replace(b" " + word, b"")
            if word == b"UIDPLUS":
                data = data.replace(b"[APPENDUID ", b"[XPENDEDAS ")
        return data

    return rule


@tests.engine_only
def what_a_server_does_not_offer_is_done_without(bench, program):
    for words in ((b"MULTIAPPEND",), (b"MULTIAPPEND", b"LITERAL+"), (b"LITERAL+",), (b"UIDPLUS",),
                  (b"MULTIAPPEND", b"LITERAL+", b"UIDPLUS", b"LIST-EXTENDED", b"NAMESPACE", b"SPECIAL-USE")):
        user = bench.user()
        mixed_mailbox(bench, user, 60)
        with Proxy(bench.source.port, from_server=without(*words)) as one:
            with Proxy(bench.destination.port, from_server=without(*words)) as two:
                r = bench.sync(program, user, port1=one.port, port2=two.port)
        check(r.code == 0 and r.number("Messages transferred") == 60, r, str(words))
        compare(bench, user, r)


@tests.engine_only
def answers_lost_by_a_server_that_tells_no_uids_do_not_double(bench, program):
    for words in ((b"UIDPLUS",), (b"UIDPLUS", b"MULTIAPPEND"), (b"UIDPLUS", b"MULTIAPPEND", b"LITERAL+")):
        user = bench.user()
        mixed_mailbox(bench, user, 60)
        lose, offer = Once(2), without(*words)

        def rule(number, data):
            return None if b"[APPENDUID" in data and lose() else offer(number, data)

        with Proxy(bench.destination.port, from_server=rule) as proxy:
            r = bench.sync(program, user, port2=proxy.port)
        check(r.code == 0, r, str(words))
        compare(bench, user, r)


@tests.engine_only
def a_server_that_allows_one_connection_gets_one(bench, program):
    for side in ("port1", "port2"):
        user = bench.user()
        mixed_mailbox(bench, user, 60)
        server = bench.source if side == "port1" else bench.destination
        with Proxy(server.port, from_server=lambda number, data: data if number == 1 else None) as proxy:
            r = bench.sync(program, user, **{side: proxy.port})
        check(r.code == 0 and r.has("no connection 2") and r.has("Detected 0 errors"), r)
        compare(bench, user, r)


@tests.engine_only
def what_a_lost_connection_had_in_hand_the_others_do(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    for name in "abcdef":
        box.create(c, "Folder." + name)
        for n in range(20):
            box.append(c, "Folder." + name, box.message(ord(name) * 100 + n, 3000))
    passed = [0]

    def rule(number, data):
        if number == 2:
            passed[0] += len(data)
        return None if number > 2 or number == 2 and passed[0] > 60000 else data

    with Proxy(bench.source.port, from_server=rule) as proxy:
        r = bench.sync(program, user, port1=proxy.port)
    check(r.code == 0 and r.has("the others go on"), r)
    check(r.number("Messages transferred") == 120 and r.has("all 120 identified messages"), r)
    compare(bench, user, r)


@tests.engine_only
def no_processes_memory_or_files_are_left(bench, program):
    user = bench.user()
    mixed_mailbox(bench, user, 10)
    words, job = bench.words(program, user)
    bench.sync(program, user)
    check(os.listdir(job) == [], None, str(os.listdir(job)))


if __name__ == "__main__":
    tests.main()
