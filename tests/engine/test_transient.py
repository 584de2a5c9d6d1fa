#!/usr/bin/env python3
"""A server that asks for patience gets it; one refused message costs one message; a full mailbox ends the run."""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dovecot
import imapbox as box
from harness import Bench, Tests, check, same
from proxy import Last, Proxy
from test_faults import Once, mixed_mailbox

CODES = (b"UNAVAILABLE", b"INUSE", b"LIMIT", b"THROTTLED")
QUOTA = 4 * 1024 * 1024
BIGGEST = 200000


class SmallBench(Bench):
    """Its destination holds few bytes, and no big message."""

    def __init__(self):
        super().__init__(quota="%dB" % QUOTA, biggest="%dB" % BIGGEST)


tests = Tests(bench=SmallBench())


def equal(bench, user, result):
    same(box.snapshot(bench.source, user, "."), box.snapshot(bench.destination, user), result)


def refuse_answers(verb, code, times):
    """Rules for both directions: the answers to the first commands of that name say NO with the code."""
    tags, refuse = set(), Once(times)

    def from_client(number, data):
        for tag, command in re.findall(rb"(?:^|\r\n)(A\d+) ([^\r]*)", data):
            if command.startswith(verb) and refuse():
                tags.add((number, tag))
        return data

    def from_server(number, data):
        for connection, tag in list(tags):
            if connection == number and re.search(rb"(?m)^%s OK " % tag, data):
                data = re.sub(rb"(?m)^%s OK [^\r]*" % tag, tag + b" NO [" + code + b"] not now", data)
                tags.discard((connection, tag))
        return data

    return {"from_client": from_client, "from_server": from_server, "left": refuse}


def patience_with(bench, program, side, verb, code, times=1):
    user = bench.user()
    mixed_mailbox(bench, user, 20)
    server = (bench.source, bench.destination)[side - 1]
    rules = refuse_answers(verb, code, times)
    left = rules.pop("left")
    with Proxy(server.port, **rules) as proxy:
        r = bench.sync(program, user, "--connections=1", **{"port%d" % side: proxy.port})
    what = "%s with %s" % (verb.decode(), code.decode())
    check(left.left == 0, r, what + ": not met")
    check(r.code == 0 and r.has("Detected 0 errors"), r, what)
    equal(bench, user, r)


@tests.engine_only
def a_login_that_is_not_possible_now_is_tried_again(bench, program):
    for side in (1, 2):
        patience_with(bench, program, side, b"AUTHENTICATE", b"UNAVAILABLE")


@tests.engine_only
def a_login_that_is_never_possible_is_no_refused_password(bench, program):
    rules = refuse_answers(b"AUTHENTICATE", b"UNAVAILABLE", 100)
    rules.pop("left")
    with Proxy(bench.source.port, **rules) as proxy:
        r = bench.sync(program, bench.user(), port1=proxy.port)
    check(r.code == 101 and r.has("waiting 4 s") and not r.has("Error login"), r)


@tests.engine_only
def a_refused_login_is_tried_once(bench, program):
    tries = []
    with Proxy(bench.source.port, from_client=lambda _, data: tries.append(data.count(b"AUTHENTICATE")) or data) as proxy:
        r = bench.sync(program, bench.user(), port1=proxy.port, password1="wrong")
    check(r.code == 161 and sum(tries) == 1, r, str(tries))


@tests.engine_only
def commands_that_are_not_possible_now_are_repeated(bench, program):
    cases = [(1, b"LIST"), (1, b"EXAMINE"), (1, b"UID FETCH"), (2, b"CREATE"), (2, b"SELECT")]
    for number, (side, verb) in enumerate(cases):
        patience_with(bench, program, side, verb, CODES[number % len(CODES)])


@tests.engine_only
def bodies_that_are_not_to_be_had_now_are_had_later(bench, program):
    """The answer to a FETCH of bodies comes without them."""
    for code in CODES[1:3]:
        user = bench.user()
        mixed_mailbox(bench, user, 20)
        once, tags = Once(2), {}

        def from_client(number, data):
            # Of a folder that is there, and a message that is not.
            if b"BODY.PEEK[]" in data and once():
                tags[number] = re.findall(rb"(A\d+) UID FETCH [^\r]*BODY.PEEK\[\]\)", data)
                return re.sub(rb"UID FETCH [\d,:]+ (\([^\r]*BODY.PEEK\[\]\))", rb"UID FETCH 4000000000 \1", data)
            return data

        def from_server(number, data):
            for tag in tags.get(number, ()):
                data = re.sub(rb"(?m)^%s OK [^\r]*" % tag, tag + b" NO [" + code + b"] not now", data)
            return data

        with Proxy(bench.source.port, from_client=from_client, from_server=from_server) as proxy:
            r = bench.sync(program, user, "--connections=1", port1=proxy.port)
        check(once.left == 0 and r.code == 0 and r.has("Detected 0 errors"), r, code.decode())
        equal(bench, user, r)


@tests.engine_only
def a_message_not_to_be_stored_now_is_stored_later(bench, program):
    for code in CODES:
        user = bench.user()
        mixed_mailbox(bench, user, 20)
        once = Once(2)

        def from_client(_, data):
            # Into a folder that is not there: refused, and nothing stored.
            return re.sub(rb'APPEND "INBOX"', b'APPEND "XNBOX"', data) if b'APPEND "INBOX"' in data and once() else data

        def from_server(_, data):
            return re.sub(rb"NO \[TRYCREATE\][^\r]*", b"NO [" + code + b"] not now", data)

        with Proxy(bench.destination.port, from_client=from_client, from_server=from_server) as proxy:
            r = bench.sync(program, user, "--connections=1", port2=proxy.port)
        check(once.left == 0 and r.has("waiting 1 s"), r, code.decode())
        check(r.code == 0 and r.has("Detected 0 errors"), r, code.decode())
        equal(bench, user, r)


@tests.engine_only
def a_server_that_says_bye_is_come_back_to(bench, program):
    for side in (1, 2):
        user = bench.user()
        mixed_mailbox(bench, user, 40)
        passed, byes = [0], Once(3)

        def rule(number, data):
            passed[0] += len(data)
            # Inside the work, and then instead of greetings.
            if (passed[0] > (6000 if side == 1 else 1500) or number > 1) and byes():
                text = b"* BYE [UNAVAILABLE] restarting\r\n"
                return Last(text if data.startswith(b"* OK") else data[:data.rfind(b"\n") + 1] + text)
            return data

        server = (bench.source, bench.destination)[side - 1]
        with Proxy(server.port, from_server=rule) as proxy:
            r = bench.sync(program, user, "--connections=1", **{"port%d" % side: proxy.port})
        check(byes.left == 0 and r.code == 0 and r.has("Detected 0 errors"), r)
        equal(bench, user, r)


@tests.engine_only
def one_refused_message_of_a_group_costs_one_message(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    for n in range(30):
        box.append(c, "INBOX", box.message(n, BIGGEST + 1000 if n == 11 else 2000))
    groups = []
    with Proxy(bench.destination.port, from_client=lambda _, data: groups.append(data.count(b"APPEND ")) or data) as proxy:
        r = bench.sync(program, user, port2=proxy.port)
    check(r.code == 114 and r.has("msg INBOX/12 ") and r.has("Detected 1 errors"), r)
    check(sum(groups) < 60, r, "not in groups: %d" % sum(groups))
    left = box.snapshot(bench.source, user, ".")["INBOX"] - box.snapshot(bench.destination, user)["INBOX"]
    check(sum(left.values()) == 1, r, str(left))
    check(sum(box.snapshot(bench.destination, user)["INBOX"].values()) == 29, r)


@tests.engine_only
def a_mailbox_nearly_full_is_said_and_no_error(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    d = box.connect(bench.destination, user)
    for n in range(20):
        box.append(d, "INBOX", box.message(1000 + n, BIGGEST - 10000))
    box.append(c, "INBOX", box.message(1))
    r = bench.sync(program, user)
    check(r.has("% full: it is time to find a bigger place!"), r)
    check(r.code == 0 and r.has("Detected 0 errors") and r.number("Messages transferred") == 1, r)


@tests.engine_only
def a_full_mailbox_ends_the_run_with_its_code(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    for n in range(60):
        box.append(c, "INBOX", box.message(n, 150000))
    sent = [0]

    def count(_, data):
        sent[0] += len(data)
        return data

    with Proxy(bench.destination.port, from_client=count) as proxy:
        r = bench.sync(program, user, port2=proxy.port)
    check(r.code == 113 and r.has("[OVERQUOTA]") and r.has("Detected 2 errors"), r)
    held = sum(box.snapshot(bench.destination, user)["INBOX"].values())
    check(QUOTA // 150000 - 2 <= held <= QUOTA // 150000, r, str(held))
    # A group of it that fails and its messages once more, and not the whole mailbox again and again.
    check(sent[0] < 60 * 150000 * 2, r, str(sent))


@tests.engine_only
def a_server_that_allows_one_connection_of_a_user_gets_one(bench, program):
    server = dovecot.Dovecot(os.path.join(bench.directory, "single"), bench.authority, bench.users, connections=1).start()
    try:
        user = bench.user()
        mixed_mailbox(bench, user, 40)
        r = bench.sync(program, user, "--connections=4", port2=server.port)
        check(r.code == 0 and r.has("Host2: no connection 2: ") and r.has("Detected 0 errors"), r)
        same(box.snapshot(bench.source, user, "."), box.snapshot(server, user), r)
    finally:
        server.stop()


if __name__ == "__main__":
    tests.main()
