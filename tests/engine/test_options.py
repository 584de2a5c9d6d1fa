#!/usr/bin/env python3
"""Options that choose: which folders, where they go, which messages.  Where both programs mean the same by a word,
both are tried."""

import datetime
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import imapbox as box
from harness import Tests, check

tests = Tests(special=True)


def fill(server, user, folders):
    """{folder: how many messages}; numbers go on from folder to folder, so that no two messages are alike."""
    c = box.connect(server, user)
    number = 0
    for folder, count in folders.items():
        if folder != "INBOX":
            box.create(c, folder)
        for _ in range(count):
            number += 1
            box.append(c, folder, box.message(number))
    c.logout()


def counts(server, user):
    c = box.connect(server, user)
    found = {}
    for name in box.folders(c):
        c.select(box.quoted(name), readonly=True)
        found[name] = len(c.search(None, "ALL")[1][0].split())
    c.logout()
    return {name: count for name, count in found.items() if count}


TREE = {"INBOX": 1, "Work": 1, "Work.2023": 1, "Work.2023.Q1": 1, "Workshop": 1, "Trash": 1}


@tests.test
def a_folder_with_what_is_below_it_may_be_asked_for(bench, program):
    user = bench.user()
    fill(bench.source, user, TREE)
    r = bench.sync(program, user, "--folderrec=Work")
    check(r.code == 0, r)
    check(counts(bench.destination, user) == {"Work": 1, "Work/2023": 1, "Work/2023/Q1": 1}, r)


@tests.test
def excluded_folders_stay(bench, program):
    user = bench.user()
    fill(bench.source, user, TREE)
    r = bench.sync(program, user, "--exclude=^Work", "--exclude=^Trash$")
    check(r.code == 0, r)
    check(counts(bench.destination, user) == {"INBOX": 1}, r)


@tests.test
def a_folder_goes_where_it_is_told(bench, program):
    user = bench.user()
    fill(bench.source, user, TREE)
    r = bench.sync(program, user, "--f1f2=Workshop=Old/Shop", "--folder=Workshop", "--folder=Work")
    check(r.code == 0, r)
    check(counts(bench.destination, user) == {"Old/Shop": 1, "Work": 1}, r)


@tests.engine_only
def a_name_that_no_folder_has_is_told(bench, program):
    user = bench.user()
    fill(bench.source, user, TREE)
    wrong = ("--folder=Wrok", "--folderrec=Trash", "--exclude=^Jnuk$", "--f1f2=Wrokshop=Old/Shop")
    r = bench.sync(program, user, "--subfolder1=Work", "--folder=Work", "--exclude=^Work.2023$", *wrong)
    check(r.code == 0, r)
    told = [line for line in r.output.splitlines() if line.startswith(("Host1: folder", "Host1: no folder"))]
    check([line for line in told if "does not exist" in line or "not below" in line or "no folder" in line] == [
        "Host1: folder [Wrok] does not exist, ignored",
        "Host1: folder [Trash] is not below subfolder1 [Work], ignored",
        "Host1: no folder matches exclude [^Jnuk$]",
        "Host1: no folder is called as f1f2 [Wrokshop=Old/Shop] says, ignored",
    ], str(told))


@tests.test
def all_may_come_below_one_folder(bench, program):
    user = bench.user()
    fill(bench.source, user, TREE)
    r = bench.sync(program, user, "--subfolder2=Old mail")
    check(r.code == 0, r)
    check(counts(bench.destination, user) == {"Old mail/" + n.replace(".", "/"): 1 for n in TREE}, r)
    check(bench.sync(program, user, "--subfolder2=Old mail").number("Messages transferred") == 0)


@tests.test
def what_is_below_a_folder_may_come_to_the_top(bench, program):
    user = bench.user()
    fill(bench.source, user, {"INBOX": 1, "Old": 0, "Old.INBOX": 1, "Old.Work.Q1": 1, "Older": 1})
    r = bench.sync(program, user, "--subfolder1=Old", "--exclude=^Old$")
    check(r.code == 0, r)
    check(counts(bench.destination, user) == {"INBOX": 1, "Work/Q1": 1}, r)


@tests.test
def a_folder_to_begin_below_must_be_there(bench, program):
    user = bench.user()
    r = bench.sync(program, user, "--subfolder1=Nowhere")
    check(r.code == 21, r)


@tests.test
def prefixes_and_separators_may_be_given(bench, program):
    user = bench.user()
    fill(bench.source, user, {"Mail.Work": 1, "Other": 1})
    r = bench.sync(program, user, "--prefix1=Mail.", "--prefix2=New/", "--sep1=.", "--sep2=/", "--noautomap")
    check(r.code == 0, r)
    check(counts(bench.destination, user) == {"New/Work": 1, "New/Other": 1}, r)


@tests.engine_only
def names_are_understood_as_they_read(bench, program):
    user = bench.user()
    raw = box.mutf7("Été")
    fill(bench.source, user, {raw: 1, box.mutf7("R&D"): 1, box.mutf7("Entwürfe"): 1, box.mutf7("Entwürfe") + ".alt": 1})
    r = bench.sync(program, user, "--folder=Été", "--folder=R&D", "--f1f2=R&D=Über", "--folderrec=Entwürfe",
                   "--exclude=ürfe.alt$", "--noautomap")
    check(r.code == 0, r)
    check(counts(bench.destination, user) == {raw: 1, box.mutf7("Über"): 1, box.mutf7("Entwürfe"): 1}, r)


def of_sizes(bench, user):
    c = box.connect(bench.source, user)
    messages = [box.message(n, size) for n, size in ((1, 2000), (2, 8000), (3, 30000))]
    for message in messages:
        box.append(c, "INBOX", message)
    c.logout()
    return [len(m) for m in messages]


@tests.test
def messages_too_small_or_too_big_stay(bench, program):
    user = bench.user()
    small, middle, big = of_sizes(bench, user)
    r = bench.sync(program, user, "--minsize=%d" % small, "--maxsize=%d" % (big - 1))
    check(r.number("Messages transferred") == 1, r)
    check(r.has("msg INBOX/1 skipped (%d smaller than minsize %d bytes)" % (small, small)), r)
    check(r.has("msg INBOX/3 skipped (%d exceeds maxsize limit %d bytes)" % (big, big - 1)), r)
    r = bench.sync(program, user, "--minsize=%d" % (small - 1), "--maxsize=%d" % big)
    check(r.number("Messages transferred") == 2, r)


def dated(bench, user, *ages):
    """Messages whose Date field is so many days old, in INBOX."""
    c = box.connect(bench.source, user)
    for n, age in enumerate(ages):
        day = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=age)
        date = day.strftime("%a, %d %b %Y %H:%M:%S +0000").encode()
        box.append(c, "INBOX", box.message(n).replace(b"Tue, 5 Mar 2019 08:09:10 +0100", date))
    c.logout()


def subjects(server, user, folder="INBOX"):
    c = box.connect(server, user)
    c.select(folder, readonly=True)
    numbers = c.search(None, "ALL")[1][0].split()
    found = sorted(int(c.fetch(n, "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1][0][1].split()[-1]) for n in numbers)
    c.logout()
    return found


def choosing(name, words, ages, wanted):
    def test(bench, program):
        user = bench.user()
        dated(bench, user, *ages)
        r = bench.sync(program, user, *words)
        check(r.code == 0, r)
        check(subjects(bench.destination, user) == wanted, r, str(subjects(bench.destination, user)))
        check(r.has("The sync looks good"), r)
        check(bench.sync(program, user, *words).number("Messages transferred") == 0)

    test.__name__ = name
    tests.test(test)


AGES = (2, 10, 40, 400)
choosing("old_messages_stay", ["--maxage=30"], AGES, [0, 1])
choosing("young_messages_stay", ["--minage=30"], AGES, [2, 3])
choosing("messages_between_two_ages_come", ["--maxage=100", "--minage=5"], AGES, [1, 2])
choosing("messages_outside_of_two_ages_come", ["--maxage=5", "--minage=100"], AGES, [0, 3])
choosing("the_server_searches", ['--search=OR SUBJECT "invoice 1" SUBJECT "invoice 3"'], AGES, [1, 3])


@tests.engine_only
def a_search_beyond_ascii_is_sent_as_utf8(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    for n, word in enumerate(("Rechnung", "Gebühr", "Straße")):
        box.append(c, "INBOX", box.message(n, body=word.encode() + b"\r\n",
                                           extra=b"Content-Type: text/plain; charset=utf-8\r\n"))
    r = bench.sync(program, user, '--search=NOT (BODY "Gebühr") NOT BODY "Straße"')
    check(r.code == 0, r)
    check(subjects(bench.destination, user) == [0], r)


@tests.engine_only
def a_message_the_destination_has_is_not_copied_again_for_a_search(bench, program):
    """What was chosen by a flag has lost it on the destination."""
    user = bench.user()
    fill(bench.source, user, {"INBOX": 3})
    c = box.connect(bench.source, user)
    c.select("INBOX")
    c.store("1:2", "+FLAGS", "(\\Flagged)")
    check(bench.sync(program, user, "--search=FLAGGED").number("Messages transferred") == 2)
    there = box.connect(bench.destination, user)
    there.select("INBOX")
    there.store("1:2", "-FLAGS", "(\\Flagged)")
    r = bench.sync(program, user, "--search=FLAGGED")
    check(r.code == 0 and r.number("Messages transferred") == 0, r)


@tests.engine_only
def a_search_that_is_more_than_one_is_refused(bench, program):
    user = bench.user()
    for words in ("ALL\r\nA1 DELETE INBOX", "SUBJECT {5}", "ALL)", "(ALL", 'SUBJECT "x', "", "RETURN (SAVE) ALL",
                  "CHARSET UTF-8 ALL", "ALL\tX", "SUBJECT ü", 'SUBJECT"x"', 'TEXT "a\\b"'):
        r = bench.sync(program, user, "--search=" + words)
        check(r.code == 64 and r.has("invalid for option search"), r, repr(words))


@tests.engine_only
def a_search_the_server_refuses_copies_nothing_and_says_so(bench, program):
    user = bench.user()
    fill(bench.source, user, {"INBOX": 2})
    r = bench.sync(program, user, "--search=NONSENSE")
    check(r.code == 117 and r.has("Host1 folder INBOX: Could not select"), r)
    check(r.number("Messages transferred") == 0, r)


@tests.test
def messages_may_be_known_by_one_field(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    there = box.connect(bench.destination, user)
    for n in range(3):
        message = box.message(n)
        box.append(c, "INBOX", message)
        box.append(there, "INBOX", message.replace(b"Received: from a.", b"Received: from c."))
    r = bench.sync(program, user, "--useheader=Message-Id")
    check(r.code == 0 and r.number("Messages transferred") == 0, r)
    r = bench.sync(program, user)
    check(r.number("Messages transferred") == 3, r)


@tests.engine_only
def a_field_that_is_none_is_refused(bench, program):
    r = bench.sync(program, bench.user(), "--useheader=X)] BODY[")
    check(r.code == 64, r)


@tests.engine_only
def messages_may_arrive_without_their_flags(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    for n in range(3):
        box.append(c, "INBOX", box.message(n), "\\Seen \\Flagged")
    check(bench.sync(program, user, "--nosyncflags").code == 0)
    check({flags for _, flags, _, _ in box.messages(box.connect(bench.destination, user), "INBOX")} == {frozenset()})
    check(bench.sync(program, user, "--nosyncflags").code == 0)
    check({flags for _, flags, _, _ in box.messages(box.connect(bench.destination, user), "INBOX")} == {frozenset()})


@tests.test
def copies_are_kept_in_their_number_when_asked(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    for _ in range(3):
        box.append(c, "INBOX", box.message(1))
    r = bench.sync(program, user, "--syncduplicates")
    check(r.code == 0, r)
    check(counts(bench.destination, user) == {"INBOX": 3}, r)


@tests.engine_only
def options_that_run_code_or_delete_blindly_are_refused_with_the_reason(bench, program):
    user = bench.user()
    for word, why in (("--regextrans2=s/a/b/", "run as a program"), ("--pipemess=id", "run as a program"),
                      ("--delete1", "nothing is ever deleted on host1"), ("--delete2folders", "meanwhile"),
                      ("--delete2duplicates", "need not be the same"), ("--nosyncduplicates", "as often as on host1"),
                      ("--delete2", "needs option maxdelete")):
        r = bench.sync(program, user, word)
        check(r.code == 64 and r.has(why), r, word)


@tests.engine_only
def what_an_earlier_run_remembers_does_not_mix_with_another_choice(bench, program):
    state = os.path.join(bench.directory, "state")
    for word in ("--search=ALL", "--maxage=3", "--minage=3", "--useheader=Date", "--nosyncflags",
                 ("--delete2", "--maxdelete=1")):
        words = word if isinstance(word, tuple) else (word,)
        r = bench.sync(program, bench.user(), "--state=" + state, *words)
        check(r.code == 64 and r.has("Option state can not go with"), r, str(words))


@tests.test
def verification_asks_for_no_more_than_was_chosen(bench, program):
    user = bench.user()
    fill(bench.source, user, TREE)
    dated(bench, user, 2, 400)
    words = ["--folder=INBOX", "--folder=Work", "--f1f2=Work=Elsewhere", "--maxage=30"]
    r = bench.sync(program, user, *words)
    check(r.code == 0, r)
    check(subjects(bench.destination, user) == [0], r)
    engine = tests.programs[0]
    r = bench.sync(engine, user, "--verify", *words)
    check(r.code == 0, r)
    check(r.number("Messages left out by an option") == 3, r)
    r = bench.sync(engine, user, "--verify", *words[:-1])
    check(r.code == 31, r)


if __name__ == "__main__":
    tests.main()
