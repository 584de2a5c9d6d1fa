#!/usr/bin/env python3
"""The situations in which imapsync is known to lose, alter or double mail, or to say too much: here it is right.

Those that need a connection cut at every point, three servers or a flood are in test_cuts, test_matrix and test_hostile.
"""

import base64
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "imap"))
import faulty
import imapbox as box
from harness import Tests, check, same
from proxy import Proxy

tests = Tests()


def fill(bench, *messages, folder="INBOX"):
    user = bench.user()
    c = box.connect(bench.source, user)
    if folder != "INBOX":
        box.create(c, folder)
    for message in messages:
        check(box.append_bytes(c, folder, message)[0])
    c.logout()
    return user


def copied_exactly_once(bench, program, user, *more, **options):
    """All is there, byte for byte, and a second run has nothing to do."""
    r = bench.sync(program, user, *more, **options)
    check(r.code == 0, r)
    same(box.snapshot(bench.source, user, "."), box.snapshot(bench.destination, user), r)
    before = box.uids(bench.destination, user)
    again = bench.sync(program, user, *more)
    check(again.code == 0 and again.number("Messages transferred") == 0, again)
    check(box.uids(bench.destination, user) == before, again)
    return r


@tests.engine_only
def messages_that_cannot_be_identified_are_not_left_behind(bench, program):
    """No Message-Id and no Received; body only; malformed header; header only."""
    user = fill(bench, b"Subject: a\r\n\r\none\r\n", b"Subject: a\r\n\r\ntwo\r\n", b"\r\nbody only\r\n", b"no header\r\n\r\nbody\r\n",
                b"Subject: no empty line\r\n", b": no name\r\n\r\nbody\r\n", b"\xff\xfe: 8 bit\r\n\r\nbody\r\n")
    r = copied_exactly_once(bench, program, user)
    check(r.number("Messages transferred") == 7, r)


@tests.engine_only
def no_header_is_added_whatever_the_option(bench, program):
    user = fill(bench, b"Subject: without an identity\r\n\r\nbody\r\n",
                b"Message-ID : <space@example.org>\r\nSubject: a space before the colon\r\n\r\nbody\r\n")
    copied_exactly_once(bench, program, user, "--addheader")


@tests.engine_only
def different_messages_of_one_identity_stay_different(bench, program):
    same_ids = [b"Message-ID: <one@example.org>\r\nReceived: by b.example.org\r\nSubject: x\r\n\r\n" + text + b"\r\n"
                for text in (b"first", b"other", b"longer than these")]
    case = [b"Message-ID: <%s@example.org>\r\nSubject: x\r\n\r\nbody %s\r\n" % (name, name) for name in (b"Case", b"case")]
    no_way = [b"Message-ID: <two@example.org>\r\nSubject: x\r\n\r\n" + text + b"\r\n" for text in (b"1", b"2")]
    user = fill(bench, *same_ids, *case, *no_way)
    r = copied_exactly_once(bench, program, user)
    check(r.number("Messages transferred") == 7, r)


@tests.engine_only
def a_message_the_destination_has_half_is_no_excuse(bench, program):
    """Left by a copier that was cut: the first bytes, and the first bytes followed by the whole."""
    whole = box.message(1, 20000)
    user = fill(bench, whole)
    c = box.connect(bench.destination, user)
    box.append(c, "INBOX", whole[:5000])
    box.append(c, "INBOX", whole[:5000] + whole)
    r = bench.sync(program, user)
    check(r.code == 0 and r.number("Messages transferred") == 1, r)
    there = box.snapshot(bench.destination, user)["INBOX"]
    here = box.snapshot(bench.source, user, ".")["INBOX"]
    check(not here - there, r, "the whole message is not there")


@tests.engine_only
def a_cut_inside_a_body_stores_no_part_of_it(bench, program):
    user = fill(bench, *[box.message(n, 60000) for n in range(6)])
    for after in (1, 200, 4096, 30000, 59000):
        passed = {}

        def rule(number, data):
            if b"BODY[] {" in data and number not in passed:
                passed[number] = 0
            if number in passed and len(passed) == 1:
                passed[number] += len(data)
                return None if passed[number] > after else data
            return data

        with Proxy(bench.source.port, from_server=rule) as proxy:
            r = bench.sync(program, user, port1=proxy.port)
        check(r.code == 0, r)
        same(box.snapshot(bench.source, user, "."), box.snapshot(bench.destination, user), r)
    copied_exactly_once(bench, program, user)


@tests.engine_only
def a_lost_answer_to_an_append_doubles_nothing(bench, program):
    user = fill(bench, *[box.message(n) for n in range(5)], b"Subject: unidentified\r\n\r\nbody\r\n")
    lost = []

    def rule(_, data):
        if b"APPENDUID" in data and len(lost) < 3:
            lost.append(1)
            return None
        return data

    with Proxy(bench.destination.port, from_server=rule) as proxy:
        r = bench.sync(program, user, port2=proxy.port)
    check(lost and r.code == 0, r)
    copied_exactly_once(bench, program, user)


@tests.engine_only
def a_special_folder_the_destination_lacks_keeps_its_name(bench, program):
    for name in ("Sent", "Gesendete Objekte", "Papierkorb"):
        user = fill(bench, box.message(1), folder=name)
        copied_exactly_once(bench, program, user)


@tests.engine_only
def folders_of_one_use_are_not_merged(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    for n, name in enumerate(("Sent", "Sent Items", "Gesendet", box.mutf7("Éléments envoyés"), "Trash", "Deleted Items")):
        box.create(c, name)
        box.append(c, name, box.message(n))
    copied_exactly_once(bench, program, user)


@tests.engine_only
def a_password_in_whatever_a_server_says_is_masked(bench, program):
    """Echoed plain, as base64 and as what AUTHENTICATE PLAIN sends, by a refusal to store."""
    user = fill(bench, box.message(1))
    password = bench.users[user]
    forms = [password.encode(), base64.b64encode(password.encode()),
             base64.b64encode(("\0%s\0%s" % (user, password)).encode())]
    seen = []

    def rule(_, data):
        if b"APPENDUID" in data:
            seen.append(1)
            return re.sub(rb"(?m)^(\w+) OK \[APPENDUID.*\r\n", lambda m: m.group(1) + b" NO echo " + b" ".join(forms) + b"\r\n", data)
        return data

    with Proxy(bench.destination.port, from_server=rule) as proxy:
        r = bench.sync(program, user, port2=proxy.port)
    check(seen and "echo" in r.output, r)
    for form in forms:
        check(form.decode() not in r.output, r, "%s is in the output" % form.decode())


@tests.engine_only
def names_and_texts_of_a_server_cannot_steer_a_terminal(bench, program):
    evil = b"\x1b]0;title\x07\x1b[31mred\x9b31m"
    table = {
        b"LIST": b'* LIST () "/" INBOX\r\n* LIST () "/" {%d}\r\n%s\r\n* LIST () "/" "a\tb%s"\r\nTAG OK %s\r\n' % (
            len(evil), evil, evil, evil),
        b"LSUB": b"TAG OK " + evil + b"\r\n", b"NAMESPACE": b'* NAMESPACE (("" "/")) NIL NIL\r\nTAG OK done\r\n',
        b"ID": b'* ID ("name" "%s")\r\nTAG OK done\r\n' % evil, b"EXAMINE": b"TAG NO " + evil + b"\r\n",
        b"STATUS": b"TAG NO " + evil + b"\r\n", b"NOOP": b"TAG OK done\r\n",
    }
    user = bench.user()
    with faulty.Server(faulty.script(table, greeting=b"* OK " + evil + b"\r\n",
                                     capabilities=b"IMAP4rev1 NAMESPACE X-" + evil.replace(b"]", b""))) as server:
        r = bench.sync(program, user, port1=server.port)
    check(r.code != 0, r)
    bad = sorted({c for c in r.output if (ord(c) < 32 and c not in "\n\t\r") or 0x7F <= ord(c) < 0xA0})
    check(not bad, r, "control characters: %r" % bad)


if __name__ == "__main__":
    tests.main()
