#!/usr/bin/env python3
"""Servers that speak UTF-8: IMAP4rev2 (RFC 9051) and UTF8=ACCEPT (RFC 6855), as source and as destination."""

import hashlib
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import imapbox as box
from harness import Tests, check
from utf8box import KINDS, Box, Folder

tests = Tests()
NAMES = ("Été à la plage", "日本語/東京", "R&D", "a \"quoted\" \\ name", "plain")
ABROAD = ("Subject: Größe – 東京\r\nMessage-ID: <abroad@example.org>\r\nFrom: Jürgen <jürgen@müller.example>\r\n\r\n"
          "body ü\r\n").encode()
LATIN = b"Subject: Gr\xf6\xdfe\r\nMessage-ID: <latin@example.org>\r\nFrom: a@example.org\r\n\r\nbody \xff\r\n"
FLAGS = ("\\Seen", "\\Flagged $Label1", "")


def messages():
    yield from (box.message(n, 500 + 3000 * n) for n in range(3))
    yield ABROAD
    yield LATIN


def fill_box(there):
    for name in ("INBOX",) + NAMES:
        folder = there.folders.setdefault(name, Folder())
        for n, message in enumerate(messages()):
            folder.add(message, FLAGS[n % 3].encode())
    there.subscribed |= set(NAMES[:2])


def fill_dovecot(bench, user):
    c = box.connect(bench.destination, user)
    for name in NAMES:
        check(c.create(box.quoted(box.mutf7(name)))[0] == "OK", None, name)
    for name in ("INBOX",) + NAMES:
        for n, message in enumerate(messages()):
            box.append(c, box.mutf7(name), message, FLAGS[n % 3])
    for name in NAMES[:2]:
        c.subscribe(box.quoted(box.mutf7(name)))
    c.logout()


def held_by_dovecot(bench, user):
    c = box.connect(bench.destination, user)
    held = {}
    for raw in box.folders(c):
        name = next((n for n in NAMES if box.mutf7(n) == raw), raw)
        held[name] = sorted((sha, flags) for (sha, flags, _, _) in box.messages(c, raw).elements())
    c.logout()
    return {name: len(found) for name, found in held.items()}, held


def digests(shot):
    return {name: sorted((hashlib.sha256(data).hexdigest(), flags) for data, flags in found) for name, found in shot.items()}


def agree(shot, held):
    left = {name: found for name, found in digests(shot).items() if found}
    right = {name: found for name, found in held.items() if found}
    check(set(left) == set(right), None, "%s and %s" % (sorted(left), sorted(right)))
    for name in left:
        check(sorted(left[name], key=str) == sorted(right[name], key=str), None, "%s:\n%s\n%s" % (name, left[name], right[name]))


def from_box(kind):
    def case(bench, program):
        user = bench.user()
        with Box(kind) as there:
            fill_box(there)
            ports = {"port1": there.port, "port2": bench.destination.port}
            r = bench.sync(program, user, **ports)
            check(r.code == 0 and not there.wrong, r, str(there.wrong))
            agree(there.snapshot(), held_by_dovecot(bench, user)[1])
            r = bench.sync(program, user, **ports)
            check(r.code == 0 and r.number("Messages transferred") == 0 and not there.wrong, r, str(there.wrong))
            r = bench.sync(program, user, "--verify=content", **ports)
            check(r.code == 0 and not there.wrong, r, str(there.wrong))
            subscribed = b"\n".join(box.connect(bench.destination, user).lsub()[1])
            check(all(box.mutf7(name).encode() in subscribed for name in NAMES[:2]), r, str(subscribed))
    case.__name__ = "a_mailbox_comes_whole_from_a_server_of_kind_" + kind
    tests.engine_only(case)


def to_box(kind):
    def case(bench, program):
        user = bench.user()
        fill_dovecot(bench, user)
        with Box(kind) as there:
            ports = {"port1": bench.destination.port, "port2": there.port}
            r = bench.sync(program, user, **ports)
            check(r.code == 0 and not there.wrong, r, str(there.wrong))
            agree(there.snapshot(), held_by_dovecot(bench, user)[1])
            check(any(there.forms) == (kind == "utf8"), r, "forms of APPEND")
            check(set(NAMES[:2]) <= there.subscribed, r, str(there.subscribed))
            r = bench.sync(program, user, **ports)
            check(r.code == 0 and r.number("Messages transferred") == 0 and not there.wrong, r, str(there.wrong))
    case.__name__ = "a_mailbox_arrives_whole_on_a_server_of_kind_" + kind
    tests.engine_only(case)


for each in KINDS:
    from_box(each)
    to_box(each)


@tests.engine_only
def folders_may_be_named_either_way(bench, program):
    for given in (NAMES[0], box.mutf7(NAMES[0])):
        user = bench.user()
        with Box("rev2") as there:
            fill_box(there)
            r = bench.sync(program, user, "--folder=" + given, "--f1f2=%s=Ziel ü" % given, port1=there.port,
                           port2=bench.destination.port)
            check(r.code == 0 and not there.wrong, r, str(there.wrong))
        check(held_by_dovecot(bench, user)[0].get(box.mutf7("Ziel ü")) == 5, r)


@tests.engine_only
def a_search_names_no_charset_and_understands_the_answer(bench, program):
    for kind in KINDS:
        user = bench.user()
        with Box(kind) as there:
            fill_box(there)
            r = bench.sync(program, user, '--search=BODY "body ü"', "--folder=plain", port1=there.port,
                           port2=bench.destination.port)
            check(r.code == 0 and r.number("Messages transferred") == 1 and not there.wrong, r, kind + str(there.wrong))


if __name__ == "__main__":
    tests.main()
