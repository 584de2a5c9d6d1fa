#!/usr/bin/env python3
"""A destination with a prefix, special folders of its own and little room."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import imapbox as box
from harness import Tests, check, same

tests = Tests(separator=".", prefix="INBOX.", special=True, quota="2M")


@tests.test
def the_prefix_of_the_destination_comes_in_front(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    for n, name in enumerate(("Work", "Work.Deep", box.mutf7("Été"))):
        box.create(c, name)
        box.append(c, name, box.message(n))
    r = bench.sync(program, user)
    check(r.code == 0, r)
    there = box.folders(box.connect(bench.destination, user))
    for name in ("INBOX.Work", "INBOX.Work.Deep", "INBOX." + box.mutf7("Été")):
        check(name in there, r, "%s not in %s" % (name, there))


@tests.test
def special_folders_go_to_the_destinations_own(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    box.create(c, "Sent Items")
    box.append(c, "Sent Items", box.message(1))
    r = bench.sync(program, user)
    check(r.code == 0, r)
    shot = box.snapshot(bench.destination, user, ".", "INBOX.")
    check(sum(shot["Sent"].values()) == 1, r, str(shot))
    check("Sent Items" not in shot, r, str(shot))
    check(bench.sync(program, user).number("Messages transferred") == 0)


@tests.engine_only
def several_sent_folders_stay_apart(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    for n, name in enumerate(("Sent", "Sent Items", "Gesendet")):
        box.create(c, name)
        box.append(c, name, box.message(n))
    r = bench.sync(program, user)
    check(r.code == 0, r)
    same(box.snapshot(bench.source, user, "."),
         {k: v for k, v in box.snapshot(bench.destination, user, ".", "INBOX.").items() if k != "Trash"}, r)
    check(bench.sync(program, user).number("Messages transferred") == 0)


@tests.test
def a_full_mailbox_ends_in_113_and_keeps_what_fitted(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    for n in range(6):
        box.append(c, "INBOX", box.message(n, 700000 if n % 2 else 20000))
    r = bench.sync(program, user)
    check(r.code == 113, r)
    check(r.has("could not append") and r.has("[OVERQUOTA]"), r)
    check(r.has("The most frequent error is ERR_OVERQUOTA."), r)
    check(r.has("Host2: Quota current storage is 0 bytes. Limit is 2097152 bytes. So 0.00 % full"), r)
    shot = box.snapshot(bench.destination, user, ".", "INBOX.")["INBOX"]
    check(0 < sum(shot.values()) < 6 and not shot - box.snapshot(bench.source, user, ".")["INBOX"], r)
    check(r.number("Messages transferred") == sum(shot.values()), r)


@tests.test
def the_run_ends_at_errorsmax(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    for n in range(6):
        box.append(c, "INBOX", box.message(n, 3000000))
    r = bench.sync(program, user, "--errorsmax=2")
    check(r.code == 113, r)
    check(r.has("Maximum number of errors 2 reached"), r)
    check(r.has("Err 2/2: "), r)


@tests.engine_only
def a_dry_run_tells_what_would_be_moved_where(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    for n, name in enumerate(("Sent Items", "Work")):
        box.create(c, name)
        box.append(c, name, box.message(n))
    before = box.uids(bench.destination, user)
    r = bench.sync(program, user, "--dry")
    check(r.code == 0 and box.uids(bench.destination, user) == before, r)
    check(r.has("copying to INBOX.Sent ") and r.has("copying to INBOX.Work "), r)
    check(r.has("(could be 2 without dry mode)"), r)


if __name__ == "__main__":
    tests.main()
