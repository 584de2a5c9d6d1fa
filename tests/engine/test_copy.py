#!/usr/bin/env python3
"""Whole mailboxes are copied as they are: bytes, flags, dates, folders; and only once."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import imapbox as box
from harness import Tests, check, same
from proxy import Proxy

tests = Tests()


def ordinary_mailbox(bench, user):
    c = box.connect(bench.source, user)
    names = ["Archive.2023.Q1", "Archive.2023.Q2", "Projects With Spaces", box.mutf7("Été à la plage"),
             box.mutf7("日本語"), box.mutf7("R&D"), "Empty", "quote'single", "percent%"]
    for name in names:
        box.create(c, name, subscribe=name.startswith("Archive"))
    flags = ["", "\\Seen", "\\Flagged \\Seen", "\\Answered", "\\Draft", "\\Deleted", "$Label1 NonJunk", "\\Seen $Forwarded"]
    dates = ['"05-Mar-2019 08:09:10 +0100"', '" 1-Jan-1999 00:00:00 +0000"', '"31-Dec-2023 23:59:59 -1100"',
             '"29-Feb-2020 12:00:00 +0530"']
    for n in range(60):
        folder = "INBOX" if n % 3 == 0 else names[n % 6]
        box.append(c, folder, box.message(n, 400 + n * 137), flags[n % len(flags)], dates[n % len(dates)])
    c.logout()


@tests.test
def a_mailbox_arrives_byte_for_byte(bench, program):
    user = bench.user()
    ordinary_mailbox(bench, user)
    r = bench.sync(program, user)
    check(r.code == 0, r)
    same(box.snapshot(bench.source, user, "."), box.snapshot(bench.destination, user), r)
    check(r.number("Messages transferred") == 60, r)
    check(r.has("The sync looks good, all 60 identified messages in host1 are on host2."), r)
    check("Archive/2023/Q1" in str(box.subscribed(box.connect(bench.destination, user))), r)


@tests.test
def a_second_run_moves_nothing(bench, program):
    user = bench.user()
    ordinary_mailbox(bench, user)
    bench.sync(program, user)
    before = box.uids(bench.destination, user)
    r = bench.sync(program, user)
    check(r.code == 0, r)
    check(r.number("Messages transferred") == 0, r)
    check(box.uids(bench.destination, user) == before, r)


@tests.test
def a_second_run_brings_what_is_new(bench, program):
    user = bench.user()
    ordinary_mailbox(bench, user)
    bench.sync(program, user)
    c = box.connect(bench.source, user)
    box.append(c, "INBOX", box.message(1000), "\\Seen")
    box.create(c, "New.Below")
    box.append(c, "New.Below", box.message(1001))
    r = bench.sync(program, user)
    check(r.number("Messages transferred") == 2, r)
    same(box.snapshot(bench.source, user, "."), box.snapshot(bench.destination, user), r)


@tests.test
def flags_changed_on_the_source_follow(bench, program):
    user = bench.user()
    ordinary_mailbox(bench, user)
    bench.sync(program, user)
    c = box.connect(bench.source, user)
    c.select("INBOX")
    c.store("1:3", "+FLAGS", "(\\Flagged Later)")
    c.store("4", "FLAGS", "()")
    c.logout()
    r = bench.sync(program, user)
    check(r.code == 0 and r.number("Messages transferred") == 0, r)
    same(box.snapshot(bench.source, user, "."), box.snapshot(bench.destination, user), r)


@tests.test
def a_dry_run_changes_nothing(bench, program):
    user = bench.user()
    ordinary_mailbox(bench, user)
    before = box.uids(bench.destination, user)
    r = bench.sync(program, user, "--dry")
    check(r.code == 0, r)
    check(box.uids(bench.destination, user) == before, r)
    check(r.number("Messages transferred") == 0, r)
    check(r.has("(could be 60 without dry mode)"), r)
    if program.ours:
        check(r.output.count("(not really since --dry mode)") >= 60, r, "folders to be made are gone through too")


def odd_mailbox(bench, user):
    """What imapsync leaves behind, alters or merges."""
    c = box.connect(bench.source, user)
    for n in range(3):
        box.append(c, "INBOX", box.message(n, ids=False), "\\Seen")
    box.append(c, "INBOX", b"\r\nonly a body\r\n")
    box.append(c, "INBOX", b"no header line here\r\n\r\nbody\r\n")
    box.append(c, "INBOX", b"Subject: header only\r\n")
    box.append(c, "INBOX", b"Message-ID : <space@example.org>\r\nSubject: a space before the colon\r\n\r\nbody\r\n")
    box.append(c, "INBOX", b"Message-ID: <Case@example.org>\r\nSubject: one\r\n\r\nupper\r\n")
    box.append(c, "INBOX", b"Message-ID: <case@example.org>\r\nSubject: two\r\n\r\nlower\r\n")
    for text in (b"first", b"second", b"a third one"):
        box.append(c, "INBOX", b"Message-ID: <same@example.org>\r\nSubject: " + text + b"\r\n\r\n" + text + b"\r\n")
    box.append(c, "INBOX", b"Message-ID: <8bit@example.org>\r\nSubject: \xe9t\xe9 \xff\r\n\r\n\x80\x81\xfe\x00\r\n"[:-3] + b"\r\n")
    box.append(c, "INBOX", b"Message-ID: <long@example.org>\r\nX-Long: " + b"x" * 70000 + b"\r\n\r\n" + b"y" * 70000 + b"\r\n")
    box.append(c, "INBOX", b"Message-ID: <nonl@example.org>\r\n\r\nno line end at the end")
    c.logout()


@tests.engine_only
def messages_without_identity_are_copied_unaltered_and_once(bench, program):
    user = bench.user()
    odd_mailbox(bench, user)
    r = bench.sync(program, user)
    check(r.code == 0, r)
    same(box.snapshot(bench.source, user, "."), box.snapshot(bench.destination, user), r)
    before = box.uids(bench.destination, user)
    r = bench.sync(program, user)
    check(r.number("Messages transferred") == 0 and box.uids(bench.destination, user) == before, r)


@tests.engine_only
def copies_are_kept_in_their_number(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    for _ in range(3):
        box.append(c, "INBOX", box.message(1))
        box.append(c, "INBOX", box.message(2, ids=False))
    box.append(c, "INBOX", box.message(1).replace(b"Received: from a.", b"Received: from c."))
    r = bench.sync(program, user)
    check(r.code == 0 and r.number("Messages transferred") == 7, r)
    check(r.number("Messages found duplicate on host1") == 4, r)
    same(box.snapshot(bench.source, user, "."), box.snapshot(bench.destination, user), r)
    check(bench.sync(program, user).number("Messages transferred") == 0, r)


@tests.test
def two_ways_of_one_message_are_both_kept(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    box.append(c, "INBOX", box.message(1))
    box.append(c, "INBOX", box.message(1).replace(b"Received: from a.", b"Received: from c."))
    r = bench.sync(program, user)
    same(box.snapshot(bench.source, user, "."), box.snapshot(bench.destination, user), r)


@tests.engine_only
def only_what_is_missing_of_several_copies_is_copied(bench, program):
    user = bench.user()
    first = b"Message-ID: <same@example.org>\r\nSubject: one\r\n\r\nthe first\r\n"
    second = b"Message-ID: <same@example.org>\r\nSubject: two\r\n\r\nthe second, which is longer\r\n"
    c = box.connect(bench.source, user)
    box.append(c, "INBOX", first)
    box.append(c, "INBOX", second)
    box.append(box.connect(bench.destination, user), "INBOX", second)
    r = bench.sync(program, user)
    check(r.number("Messages transferred") == 1, r)
    same(box.snapshot(bench.source, user, "."), box.snapshot(bench.destination, user), r)


@tests.engine_only
def contents_decide_where_nothing_else_differs(bench, program):
    """Equal headers, sizes and dates: only the bodies tell which of them the destination has already."""
    user = bench.user()
    c = box.connect(bench.source, user)
    there = box.connect(bench.destination, user)
    for ids in (False, True):
        bodies = [b"body number %d of many\r\n" % n for n in range(5)]
        for body in bodies + bodies[2:3]:
            box.append(c, "INBOX", box.message(1, ids=ids, body=body))
        for body in (bodies[3], bodies[1], bodies[2]):
            box.append(there, "INBOX", box.message(1, ids=ids, body=body))
    r = bench.sync(program, user)
    check(r.number("Messages transferred") == 6, r)
    same(box.snapshot(bench.source, user, "."), box.snapshot(bench.destination, user), r)


@tests.engine_only
def servers_that_disagree_about_a_header_do_not_double(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    for n in range(3):
        box.append(c, "INBOX", box.message(n))
    check(bench.sync(program, user).code == 0)
    hide = lambda _, data: data if b"BODY[] {" in data else data.replace(b"Message-ID: <", b"Xessage-ID: <")
    with Proxy(bench.destination.port, from_server=hide) as proxy:
        r = bench.sync(program, user, port2=proxy.port)
    check(r.code == 0 and r.number("Messages transferred") == 0, r)


@tests.test
def a_big_message_arrives_whole(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    box.append(c, "INBOX", box.message(1, 20 * 1024 * 1024))
    c.logout()
    r = bench.sync(program, user)
    check(r.code == 0, r)
    same(box.snapshot(bench.source, user, "."), box.snapshot(bench.destination, user), r)
    if program.ours:
        used = float(r.output.split("Memory consumption at the end")[1].split(":")[1].split()[0])
        baseline = bench.sync(program, bench.user())
        used -= float(baseline.output.split("Memory consumption at the end")[1].split(":")[1].split()[0])
        check(used < 6, r, "20 MiB message: %.1f MiB more than an empty mailbox" % used)


@tests.test
def too_big_messages_are_left_and_said(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    box.append(c, "INBOX", box.message(1, 5000))
    box.append(c, "INBOX", box.message(2, 50000))
    r = bench.sync(program, user, "--maxsize=10000")
    check(r.number("Messages transferred") == 1, r)
    check(r.has("msg INBOX/2 skipped (") and r.has("exceeds maxsize limit 10000 bytes)"), r)
    check(r.has("The sync is not finished, there are 1 among 2 identified messages"), r)


@tests.test
def one_folder_may_be_asked_for(bench, program):
    user = bench.user()
    ordinary_mailbox(bench, user)
    r = bench.sync(program, user, "--folder=Archive.2023.Q1")
    check(r.code == 0, r)
    shot = box.snapshot(bench.destination, user)
    check(shot["Archive/2023/Q1"] == box.snapshot(bench.source, user, ".")["Archive/2023/Q1"], r)
    check("Projects With Spaces" not in shot, r)


if __name__ == "__main__":
    tests.main()
