#!/usr/bin/env python3
"""--delete2: what the source has not goes from the destination, and nothing else ever does."""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import imapbox as box
from harness import Tests, check, same
from proxy import Proxy

tests = Tests()


def both(bench, user, here, there, folder="INBOX"):
    for server, numbers in ((bench.source, here), (bench.destination, there)):
        c = box.connect(server, user)
        if folder != "INBOX":
            box.create(c, folder)
        for n in numbers:
            box.append(c, folder, box.message(n))
        c.logout()


def count(server, user, folder="INBOX"):
    c = box.connect(server, user)
    number = int(c.select(box.quoted(folder), readonly=True)[1][0])
    c.logout()
    return number


@tests.test
def what_the_source_has_not_is_deleted(bench, program):
    user = bench.user()
    both(bench, user, range(5), range(3, 9))
    r = bench.sync(program, user, "--delete2", *(["--maxdelete=4"] if program.ours else []))
    check(r.code == 0, r)
    check(r.number("Messages deleted on host2") == 4, r)
    same(box.snapshot(bench.source, user, "."), box.snapshot(bench.destination, user), r)


@tests.engine_only
def more_than_allowed_is_not_deleted_at_all(bench, program):
    user = bench.user()
    both(bench, user, range(5), range(3, 9))
    both(bench, user, [20], [21], "Work")
    r = bench.sync(program, user, "--delete2", "--maxdelete=4")
    check(r.code == 111 and r.has("5 messages are not on host1, more than --maxdelete 4"), r)
    check(r.number("Messages deleted on host2") == 0, r)
    check(count(bench.destination, user) == 9 and count(bench.destination, user, "Work") == 2, r)


@tests.engine_only
def a_dry_run_says_what_would_be_deleted(bench, program):
    user = bench.user()
    both(bench, user, range(5), range(3, 9))
    before = box.uids(bench.destination, user)
    r = bench.sync(program, user, "--delete2", "--maxdelete=4", "--dry")
    check(r.code == 0 and r.has("Host2: 4 messages would be deleted"), r)
    check(r.has("Host2: msg INBOX/3 deleted on host2 \t(not really since --dry mode)"), r)
    check(not r.has("Host2: msg INBOX/2 deleted"), r)
    check(box.uids(bench.destination, user) == before, r)


COULD_BE = r"Messages deleted on host2 +: 0 \(could be (\d+) without dry mode\)"


@tests.engine_only
def a_dry_run_counts_without_a_limit_and_says_so_at_its_end(bench, program):
    user = bench.user()
    both(bench, user, range(5), range(3, 9))
    both(bench, user, [20], [21, 22], "Work")
    before = box.uids(bench.destination, user)
    r = bench.sync(program, user, "--delete2", "--dry")
    check(r.code == 0 and re.findall(COULD_BE, r.output) == ["6"], r)
    check(box.uids(bench.destination, user) == before, r)
    r = bench.sync(program, user, "--dry")
    check(r.code == 0 and not re.findall(COULD_BE, r.output), r)


@tests.engine_only
def a_dry_run_that_is_not_sure_counts_nothing(bench, program):
    user = bench.user()
    both(bench, user, [1], [1, 9])
    hide = lambda _, data: data.replace(b" UIDPLUS", b" XIDPLUS")
    with Proxy(bench.destination.port, from_server=hide) as proxy:
        r = bench.sync(program, user, "--delete2", "--dry", port2=proxy.port)
    check(r.code == 111 and r.has("UIDPLUS") and not re.findall(COULD_BE, r.output), r)
    hide = lambda _, data: data.replace(b"FETCH (UID 1 ", b"FETCH (XID 1 ")
    with Proxy(bench.source.port, from_server=hide) as proxy:
        r = bench.sync(program, user, "--delete2", "--dry", port1=proxy.port)
    check(r.code != 0 and not re.findall(COULD_BE, r.output), r)


@tests.engine_only
def what_others_marked_stays_although_it_is_marked(bench, program):
    user = bench.user()
    both(bench, user, range(5), range(9))
    for server in (bench.source, bench.destination):
        c = box.connect(server, user)
        c.select("INBOX")
        c.store("1", "+FLAGS", "(\\Deleted)")
        c.unselect()
    r = bench.sync(program, user, "--delete2", "--maxdelete=4")
    check(r.code == 0 and count(bench.destination, user) == 5, r)


@tests.engine_only
def what_an_option_leaves_on_the_source_is_not_deleted(bench, program):
    user = bench.user()
    both(bench, user, range(6), [0, 1, 2, 3, 4, 5, 8])
    r = bench.sync(program, user, "--delete2", "--maxdelete=100", "--search=SUBJECT \"invoice 1\"")
    check(r.code == 0 and count(bench.destination, user) == 6, r)
    r = bench.sync(program, user, "--delete2", "--maxdelete=100", "--maxsize=1")
    check(r.code == 0 and count(bench.destination, user) == 6, r)


@tests.engine_only
def another_copy_of_what_the_source_has_stays(bench, program):
    """Twice here and once there, or a draft of which there is another version: alike is not the same."""
    user = bench.user()
    both(bench, user, [1, 2], [1, 1, 2, 7])
    c = box.connect(bench.destination, user)
    box.append(c, "INBOX", box.message(2, body=b"an older version\r\n"), date='"01-Mar-2019 08:09:10 +0100"')
    c.logout()
    r = bench.sync(program, user, "--delete2", "--maxdelete=100")
    check(r.code == 0 and r.has("2 messages that host1 may have stay"), r)
    check(r.number("Messages deleted on host2") == 1 and count(bench.destination, user) == 4, r)


@tests.engine_only
def what_may_be_a_message_that_was_left_behind_stays(bench, program):
    """The server has changed the header by which it would be known; its size or its date tell."""
    user = bench.user()
    both(bench, user, [1], [])
    c = box.connect(bench.source, user)
    box.append(c, "INBOX", box.message(50, size=5000), date='"01-Feb-2019 08:09:10 +0100"')
    c.logout()
    c = box.connect(bench.destination, user)
    box.append(c, "INBOX", box.message(1))
    box.append(c, "INBOX", box.message(51, size=4000), date='"01-Feb-2019 08:09:10 +0100"')
    box.append(c, "INBOX", box.message(52, size=5000), date='"02-Feb-2019 08:09:10 +0100"')
    box.append(c, "INBOX", box.message(53, size=4000), date='"02-Feb-2019 08:09:10 +0100"')
    c.logout()
    r = bench.sync(program, user, "--delete2", "--maxdelete=100", "--maxsize=3000")
    check(r.code == 0 and r.number("Messages deleted on host2") == 1 and count(bench.destination, user) == 3, r)


@tests.engine_only
def a_folder_that_shows_others_loses_nothing(bench, program):
    """What goes from it goes from everywhere."""
    for use in (b"\\All", b"\\Flagged"):
        user = bench.user()
        both(bench, user, [1], [1, 8])
        both(bench, user, [2], [2, 9], "Every")
        mark = lambda _, data: re.sub(rb"(\* LIST \()([^)]*\) \"[^\"]*\" \"?Every)", rb"\1" + use.replace(b"\\", b"\\\\") + rb" \2", data)
        with Proxy(bench.destination.port, from_server=mark) as proxy:
            r = bench.sync(program, user, "--delete2", "--maxdelete=100", port2=proxy.port)
        check(r.code == 0 and r.has("it shows what is in other folders"), r)
        check(count(bench.destination, user) == 1 and count(bench.destination, user, "Every") == 2, r)


@tests.engine_only
def two_folders_that_are_one_there_lose_nothing(bench, program):
    """A server to which case does not matter: what the one brought there is not in the other."""
    user = bench.user()
    both(bench, user, [1, 2], [1, 2, 3, 9], "Work")
    c = box.connect(bench.source, user)
    box.create(c, "work")
    box.append(c, "work", box.message(3))
    c.logout()
    twice = lambda _, data: re.sub(rb"((\* (?:LIST|STATUS) [^\r\n]*?)Work([^\r\n]*\r\n))", rb"\1\2work\3", data)
    one = lambda _, data: data.replace(b"work", b"Work")
    with Proxy(bench.destination.port, from_server=twice, from_client=one) as proxy:
        r = bench.sync(program, user, "--delete2", "--maxdelete=100", port2=proxy.port)
    nothing_goes(bench, user, r)
    check(r.has("[Work] and [work] are one and the same"), r)
    check(count(bench.destination, user, "Work") == 4, r)


def digest_of(r):
    return re.findall(r"Digest of deletions on host2 +: ([0-9a-f]{64})", r.output)


@tests.engine_only
def only_what_was_confirmed_is_deleted(bench, program):
    user = bench.user()
    both(bench, user, range(5), range(3, 9))
    both(bench, user, [20], [21], "Work")
    seen = digest_of(bench.sync(program, user, "--delete2", "--dry"))
    check(len(seen) == 1, seen)
    check(digest_of(bench.sync(program, user, "--delete2", "--dry")) == seen, "the same again")
    # one that came in place of one that went is another
    c = box.connect(bench.destination, user)
    c.select("Work")
    c.store("1", "+FLAGS", "(\\Deleted)")
    c.expunge()
    box.append(c, "Work", box.message(22))
    c.logout()
    r = bench.sync(program, user, "--delete2", "--maxdelete=5", "--deletedigest=" + seen[0])
    nothing_goes(bench, user, r)
    check(r.code == 111 and r.has("is not what was confirmed (--deletedigest)"), r)
    check(count(bench.destination, user) == 9 and count(bench.destination, user, "Work") == 2, r)
    now = digest_of(bench.sync(program, user, "--delete2", "--dry"))
    check(len(now) == 1 and now != seen, now)
    r = bench.sync(program, user, "--delete2", "--maxdelete=5", "--deletedigest=" + now[0].upper())
    check(r.code == 0 and r.number("Messages deleted on host2") == 5 and digest_of(r) == now, r)


@tests.engine_only
def a_digest_is_64_digits_and_goes_with_delete2(bench, program):
    user = bench.user()
    both(bench, user, [1], [1, 9])
    for words in (["--delete2", "--maxdelete=1", "--deletedigest=" + "0" * 63], ["--delete2", "--maxdelete=1", "--deletedigest=" + "g" * 64],
                  ["--deletedigest=" + "0" * 64]):
        r = bench.sync(program, user, *words)
        check(r.code == 64 and r.has("Option deletedigest needs"), r)
    check(count(bench.destination, user) == 2, r)


@tests.engine_only
def folders_not_asked_for_lose_nothing(bench, program):
    """Message 7 is on the source, in a folder that is left out; an earlier copy has put both into one."""
    user = bench.user()
    both(bench, user, [1, 2], [1, 2, 7, 8])
    both(bench, user, [7], [30], "Work")
    r = bench.sync(program, user, "--delete2", "--maxdelete=100", "--folder=INBOX")
    check(r.code == 0, r)
    check(r.number("Messages deleted on host2") == 1, r)
    check(count(bench.destination, user) == 3 and count(bench.destination, user, "Work") == 1, r)


@tests.engine_only
def folders_the_source_has_not_stay(bench, program):
    user = bench.user()
    both(bench, user, [1], [1])
    c = box.connect(bench.destination, user)
    box.create(c, "Mine")
    box.append(c, "Mine", box.message(5))
    r = bench.sync(program, user, "--delete2", "--maxdelete=100")
    check(r.code == 0 and count(bench.destination, user, "Mine") == 1, r)


def nothing_goes(bench, user, r):
    check(r.code != 0 and r.has("nothing is deleted (--delete2)"), r)
    check(r.number("Messages deleted on host2") == 0, r)


@tests.engine_only
def nothing_is_deleted_after_an_error(bench, program):
    user = bench.user()
    both(bench, user, range(3), [0, 7])
    both(bench, user, [20], [21], "Work")
    miss = lambda _, data: data.replace(b'EXAMINE "Work"', b'EXAMINE "Walk"')
    with Proxy(bench.source.port, from_client=miss) as proxy:
        r = bench.sync(program, user, "--delete2", "--maxdelete=100", port1=proxy.port)
    nothing_goes(bench, user, r)
    check(count(bench.destination, user) == 4 and count(bench.destination, user, "Work") == 1, r)


@tests.engine_only
def nothing_is_deleted_after_an_error_that_left_all_messages_in_place(bench, program):
    user = bench.user()
    both(bench, user, range(3), [0, 1, 2, 7])
    c = box.connect(bench.source, user)
    c.select("INBOX")
    c.store("1", "+FLAGS", "(\\Flagged)")
    refuse = lambda _, data: data.replace(b"OK Store completed", b"NO Store completed")
    with Proxy(bench.destination.port, from_server=refuse) as proxy:
        r = bench.sync(program, user, "--delete2", "--maxdelete=100", port2=proxy.port)
    nothing_goes(bench, user, r)
    check(r.has("the run had errors"), r)
    check(count(bench.destination, user) == 4, r)


@tests.engine_only
def nothing_is_deleted_when_the_source_does_not_tell_all(bench, program):
    """The second message is never told of: it may be any of those on the destination."""
    user = bench.user()
    both(bench, user, range(4), [0, 1, 2, 3, 9])
    hide = lambda _, data: data.replace(b"FETCH (UID 2 ", b"FETCH (XID 2 ")
    with Proxy(bench.source.port, from_server=hide) as proxy:
        r = bench.sync(program, user, "--delete2", "--maxdelete=100", port1=proxy.port)
    nothing_goes(bench, user, r)
    check(count(bench.destination, user) == 5, r)


@tests.engine_only
def nothing_is_deleted_without_the_means_to_delete_one(bench, program):
    user = bench.user()
    both(bench, user, [1], [1, 9])
    hide = lambda _, data: data.replace(b" UIDPLUS", b" XIDPLUS")
    with Proxy(bench.destination.port, from_server=hide) as proxy:
        r = bench.sync(program, user, "--delete2", "--maxdelete=100", port2=proxy.port)
    nothing_goes(bench, user, r)
    check(count(bench.destination, user) == 2, r)


@tests.engine_only
def a_source_that_lists_no_folders_deletes_nothing(bench, program):
    user = bench.user()
    both(bench, user, [1], [1, 9])
    hide = lambda _, data: b"".join(l for l in data.splitlines(True) if not l.startswith(b"* LIST"))
    with Proxy(bench.source.port, from_server=hide) as proxy:
        r = bench.sync(program, user, "--delete2", "--maxdelete=100", port1=proxy.port)
    check(r.number("Messages deleted on host2") == 0 and count(bench.destination, user) == 2, r)


if __name__ == "__main__":
    tests.main()
