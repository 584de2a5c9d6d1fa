#!/usr/bin/env python3
"""A message whose size and date are others on the destination is known by what it holds, and is not copied at every run."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import imapbox as box
from harness import Tests, check

tests = Tests()
OTHER_DATE = '"01-Feb-2021 10:11:12 +0000"'
FIRST = b"first version\r\n"


def ended_otherwise(message):
    """As a server keeps it that changes line ends: another size, for Dovecot hides what is changed within."""
    return message[:-2]


def moved(bench, program, user, *more, **ports):
    r = bench.sync(program, user, *more, **ports)
    check(r.code == 0, r)
    return r.number("Messages transferred")


def held(server, user):
    return sum(box.snapshot(server, user)["INBOX"].values())


@tests.engine_only
def a_few_that_lost_line_ends_and_date_are_not_copied_again(bench, program):
    user = bench.user()
    c, d = box.connect(bench.source, user), box.connect(bench.destination, user)
    for n in range(6):
        message = box.message(n)
        box.append(c, "INBOX", message)
        if n < 4:
            box.append(d, "INBOX", message)
        else:
            taken, words = box.append_bytes(d, "INBOX", ended_otherwise(message), "", OTHER_DATE)
            check(taken, None, str(words))
    for _ in range(3):
        check(moved(bench, program, user) == 0)
    check(held(bench.destination, user) == 6)
    r = bench.sync(program, user, "--verify")
    check(r.code == 0, r)


@tests.engine_only
def all_that_lost_both_are_not_copied_again(bench, program):
    user = bench.user()
    c, d = box.connect(bench.source, user), box.connect(bench.destination, user)
    for n in range(3):
        message = box.message(n)
        box.append(c, "INBOX", message)
        box.append_bytes(d, "INBOX", ended_otherwise(message), "", OTHER_DATE)
    for _ in range(2):
        check(moved(bench, program, user) == 0)
    check(held(bench.destination, user) == 3)


@tests.engine_only
def a_draft_saved_again_is_copied_beside_the_first_even_where_it_is_alone(bench, program):
    """One Message-Id, one header: only what it says tells the two apart."""
    user = bench.user()
    c, d = box.connect(bench.source, user), box.connect(bench.destination, user)
    box.append(d, "INBOX", box.message(1, body=FIRST), date=OTHER_DATE)
    box.append(c, "INBOX", box.message(1, body=b"the second version, in which more is said\r\n"))
    check(moved(bench, program, user) == 1)
    check(moved(bench, program, user) == 0)
    check(held(bench.destination, user) == 2)


@tests.engine_only
def a_draft_with_nothing_but_an_empty_line_more_is_copied(bench, program):
    user = bench.user()
    c, d = box.connect(bench.source, user), box.connect(bench.destination, user)
    box.append(d, "INBOX", box.message(1, body=b"first\r\nsecond\r\n"), date=OTHER_DATE)
    box.append(c, "INBOX", box.message(1, body=b"first\r\n\r\nsecond\r\n"))
    check(moved(bench, program, user) == 1)
    check(moved(bench, program, user) == 0)
    check(held(bench.destination, user) == 2)


@tests.engine_only
def a_draft_with_nothing_but_another_8_bit_letter_in_its_header_is_copied(bench, program):
    for field in (b"Subject", b"X-Note"):
        user = bench.user()
        c, d = box.connect(bench.source, user), box.connect(bench.destination, user)
        first, second = (field + b": Gr\xc3" + letter + b"\r\n" + box.message(1) for letter in (b"\xbc", b"\xb6"))
        box.append(c, "INBOX", second)
        taken, words = box.append_bytes(d, "INBOX", ended_otherwise(first), "", OTHER_DATE)
        check(taken, None, str(words))
        check(moved(bench, program, user) == 1)
        check(moved(bench, program, user) == 0)
        check(held(bench.destination, user) == 2)


@tests.engine_only
def more_of_them_than_are_read_at_once_are_told_apart_by_what_they_hold(bench, program):
    """Of 70 that lost both, one was another message all along."""
    user = bench.user()
    c, d = box.connect(bench.source, user), box.connect(bench.destination, user)
    for n in range(70):
        box.append(c, "INBOX", box.message(n))
        kept = box.message(n, body=b"first version, which is a longer one\r\n") if n == 50 else box.message(n)
        box.append_bytes(d, "INBOX", ended_otherwise(kept), "", OTHER_DATE)
    check(moved(bench, program, user) == 1)
    check(held(bench.destination, user) == 71)


@tests.engine_only
def each_of_several_finds_its_own(bench, program):
    """One identity, three bodies, of which the destination has two: with other line ends and dates."""
    user = bench.user()
    c, d = box.connect(bench.source, user), box.connect(bench.destination, user)
    bodies = [b"%s\r\n" % (b"line %d\r\n" % n * (n + 2)) for n in range(3)]
    for body in bodies:
        box.append(c, "INBOX", box.message(1, body=body))
    for n in (2, 1):
        box.append_bytes(d, "INBOX", ended_otherwise(box.message(1, body=bodies[n])), "", OTHER_DATE)
    check(moved(bench, program, user) == 1)
    check(moved(bench, program, user) == 0)
    check(held(bench.destination, user) == 3)


@tests.engine_only
def what_a_state_remembers_of_them_holds(bench, program):
    user = bench.user()
    c, d = box.connect(bench.source, user), box.connect(bench.destination, user)
    for n in range(4):
        box.append(c, "INBOX", box.message(n))
        lost = n > 2
        box.append_bytes(d, "INBOX", ended_otherwise(box.message(n)) if lost else box.message(n), "",
                         OTHER_DATE if lost else None)
    state = "--state=" + os.path.join(bench.directory, "state-kin")
    for _ in range(3):
        check(moved(bench, program, user, state) == 0)
    box.append(c, "INBOX", box.message(9))
    check(moved(bench, program, user, state) == 1)
    check(moved(bench, program, user, state) == 0)


if __name__ == "__main__":
    tests.main()
