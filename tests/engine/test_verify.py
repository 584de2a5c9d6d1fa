#!/usr/bin/env python3
"""--verify finds what a copier lost, doubled, cut short or altered, whatever the copier said, and changes nothing."""

import json
import os
import re
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import imapbox as box
from crowd import Crowd
from harness import PROGRAMS, Program, Skip, Tests, check
from proxy import Last, Proxy

tests = Tests()
ENGINE = PROGRAMS[0]
FAULTS = {31: "missing", 32: "altered", 33: "doubled"}


def verify(bench, user, how="size", *more, **options):
    return bench.sync(ENGINE, user, "--verify=" + how, *more, **options)


def miscopier(bench, mistake):
    path = os.path.join(bench.directory, "miscopier-%s.py" % mistake)
    shutil.copy(os.path.join(HERE, "miscopier.py"), path)
    os.chmod(path, 0o755)
    return Program("miscopier", path)


def mailbox(bench, user, count=24):
    """Dates, flags, sizes of all kinds, headerless and repeated messages, an empty folder, an umlaut."""
    c = box.connect(bench.source, user)
    box.create(c, "Archive.2019")
    box.create(c, "Leer")
    box.create(c, box.mutf7("Entwürfe"))
    for n in range(count):
        folder = ("INBOX", "Archive.2019", box.mutf7("Entwürfe"))[n % 3]
        box.append(c, folder, box.message(n, 400 + n * 500), "\\Seen" if n % 2 else "",
                   '"%02d-Jan-2015 10:11:12 +0200"' % (n % 28 + 1))
    box.append(c, "INBOX", b"Subject: no identity\r\n\r\nbody\r\n")
    box.append(c, "INBOX", box.message(3000, 900), "\\Flagged")
    box.append(c, "INBOX", box.message(3000, 900), "\\Flagged")
    c.logout()
    return count + 3


def state(bench, user):
    """Everything a verification could change: messages, flags, \\Recent, what is new to the next client."""
    shots = []
    for server, dot in ((bench.source, "."), (bench.destination, "/")):
        c = box.connect(server, user)
        flags = {}
        for name in box.folders(c):
            c.select(box.quoted(name), readonly=True)
            _, rows = c.fetch("1:*", "(UID FLAGS MODSEQ)") if int(c.response("EXISTS")[1][0] or 0) else (None, [])
            status = c.status(box.quoted(name), "(MESSAGES RECENT UNSEEN UIDNEXT UIDVALIDITY HIGHESTMODSEQ)")[1]
            flags[name] = (sorted(rows), status)
        c.logout()
        shots.append((flags, box.uids(server, user)))
    return shots


def number(result, label):
    return result.number(label)


@tests.test
def a_good_copy_is_verified_and_nothing_is_touched(bench, program):
    user = bench.user()
    count = mailbox(bench, user)
    copied = bench.sync(program, user)
    check(copied.code == 0, copied)
    before = state(bench, user)
    for how in ("size", "content"):
        r = verify(bench, user, how)
        check(r.code == 0, r, how)
        check(number(r, "Messages verified on host2") == count, r, how)
        check(number(r, "Messages compared") == count, r, how)
        check(r.has("The destination holds all %d messages of the source." % count), r, how)
    check(state(bench, user) == before, r, "something was changed")


@tests.engine_only
def every_mistake_of_a_copier_is_found_and_named(bench, program):
    for mistake, how, code, label, found in (
            ("none", "content", 0, "Messages missing on host2", 0),
            ("leave", "size", 31, "Messages missing on host2", 3),
            ("cut", "size", 32, "Messages altered on host2", 3),
            ("double", "size", 33, "Messages doubled on host2", 3),
            ("alter", "content", 32, "Messages altered on host2", 3)):
        user = bench.user()
        c = box.connect(bench.source, user)
        box.create(c, "Archive.2019")
        box.create(c, "Sent")
        for n in range(12):
            box.append(c, ("INBOX", "Archive.2019", "Sent")[n % 3], box.message(n, 2000))
        c.logout()
        said = bench.sync(miscopier(bench, mistake), user)
        check(said.code == 0 and said.has("The sync looks good"), said)
        r = verify(bench, user, how)
        check(r.code == code, r, mistake)
        check(number(r, label) == found, r, mistake)
        check(number(r, "Messages compared") == 12, r, mistake)
        check(number(r, "Messages verified on host2") == (12 if mistake == "double" else 12 - found), r, mistake)
        if code:
            check(len(re.findall(r"^Verify %s: msg .*Subject: invoice" % FAULTS[code], r.output, re.M)) == found, r)
            again = bench.sync(miscopier(bench, mistake), user)
            check(again.code == 0, again)
            check(verify(bench, user, how).code == code, again, "a second run of the same copier mended it")
        if mistake == "leave":
            check(bench.sync(ENGINE, user).code == 0)
            check(verify(bench, user, "content").code == 0, None, "the engine did not mend what was missing")


@tests.engine_only
def a_change_of_the_same_length_is_seen_by_content_alone(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    box.append(c, "INBOX", box.message(1, 2000))
    c.logout()
    check(bench.sync(miscopier(bench, "alter"), user).code == 0)
    check(verify(bench, user, "size").code == 0)
    r = verify(bench, user, "content")
    check(r.code == 32, r)


@tests.engine_only
def what_was_there_before_is_extra_and_no_fault(bench, program):
    user = bench.user()
    mailbox(bench, user)
    c = box.connect(bench.destination, user)
    box.append(c, "INBOX", box.message(9001))
    box.create(c, "Old")
    box.append(c, "Old", box.message(9002))
    c.logout()
    check(bench.sync(program, user).code == 0)
    r = verify(bench, user)
    check(r.code == 0, r)
    check(number(r, "Messages on host2 only") == 1, r)


@tests.engine_only
def what_arrived_since_the_run_began_is_told_apart(bench, program):
    user = bench.user()
    mailbox(bench, user)
    began = int(time.time())
    check(bench.sync(program, user).code == 0)
    c = box.connect(bench.source, user)
    box.append(c, "INBOX", box.message(7001), date=time.strftime('"%d-%b-%Y %H:%M:%S +0000"', time.gmtime()))
    box.append(c, "INBOX", box.message(7002))  # filed from elsewhere: an old date, but a UID behind the new one's
    c.logout()
    r = verify(bench, user, "size", "--newerthan=%d" % began)
    check(r.code == 0, r)
    check(number(r, "Messages newer than the run") == 2, r)
    check(number(r, "Messages missing on host2") == 0, r)
    check(verify(bench, user).code == 31, None, "without --newerthan they are missing")


@tests.engine_only
def what_was_filed_elsewhere_since_the_run_began_is_told_apart(bench, program):
    """A person tidies up during the run: an old message, with its old date, in another folder of the source."""
    user = bench.user()
    mailbox(bench, user)
    began = int(time.time()) - 3600  # one that was filed an hour ago is old enough to be missing
    check(bench.sync(program, user).code == 0)
    c = box.connect(bench.source, user)
    if "SAVEDATE" not in c.capability()[1][0].decode():
        raise Skip("this Dovecot tells no SAVEDATE")
    c.select("INBOX")
    c.copy("1", '"Archive.2019"')
    c.logout()
    r = verify(bench, user, "size", "--newerthan=%d" % began)
    check(r.code == 0 and number(r, "Messages newer than the run") == 1, r)
    check(verify(bench, user, "size", "--newerthan=%d" % (time.time() + 60)).code == 31)


@tests.engine_only
def what_a_person_deletes_meanwhile_is_not_asked_of_the_destination(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    for n in range(4):
        box.append(c, "INBOX", box.message(n))
    check(bench.sync(miscopier(bench, "leave"), user).code == 0)
    gone = []

    def rule(_, data):
        """Message 1, which was left behind, and 3 are deleted between the listing and the look at them."""
        if not gone and b"NOOP" in data:
            gone.append(True)
            c.select("INBOX")
            c.store("1,3", "+FLAGS", "\\Deleted")
            c.expunge()
        return data
    with Proxy(bench.source.port, from_client=rule) as proxy:
        r = verify(bench, user, "content", port1=proxy.port)
    check(gone and r.code == 0 and number(r, "Messages verified on host2") == number(r, "Messages compared"), r)


@tests.engine_only
def a_message_from_the_future_hides_no_loss(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    box.append(c, "INBOX", box.message(1), date='"06-Apr-2018 00:00:00 +0000"')
    box.append(c, "INBOX", box.message(2))
    c.logout()
    # Dovecot itself takes no date that is to come
    with Proxy(bench.source.port, from_server=lambda _, data: data.replace(b"-Apr-2018", b"-Apr-2999")) as proxy:
        r = verify(bench, user, "size", "--newerthan=%d" % int(time.time()), port1=proxy.port)
    check(r.code == 31 and number(r, "Messages missing on host2") == 2, r)


@tests.engine_only
def bigger_than_maxsize_is_left_out_not_missing(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    box.append(c, "INBOX", box.message(1, 500))
    box.append(c, "INBOX", box.message(2, 50000))
    c.logout()
    check(bench.sync(program, user, "--maxsize=10000").code == 0)
    r = verify(bench, user, "size", "--maxsize=10000")
    check(r.code == 0 and number(r, "Messages left out by an option") == 1, r)
    check(verify(bench, user).code == 31)


@tests.engine_only
def line_ends_and_dates_a_server_changed_are_no_loss(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    box.append(c, "INBOX", box.message(1, body=b"one\rtwo\r\nthree\r\n"), date='"05-Mar-2019 08:09:10 +0100"')
    box.append(c, "INBOX", box.message(2, body=b"one\r\n"), date='"05-Mar-2019 08:09:10 +0100"')
    c.logout()
    c = box.connect(bench.destination, user)
    box.append(c, "INBOX", box.message(1, body=b"onetwo\r\nthree\r\n\r\n\r\n"), date='"05-Mar-2019 08:09:10 +0100"')
    box.append(c, "INBOX", box.message(2, body=b"one\r\n"), date='"01-Jan-1999 00:00:00 +0000"')
    c.logout()
    for how in ("size", "content"):
        r = verify(bench, user, how)
        check(r.code == 0, r)
        check(number(r, "Bytes changed by a server") == 1, r)
        check(number(r, "Arrival date not kept by host2") == 1, r)


@tests.engine_only
def repeated_on_the_source_and_once_on_the_destination_is_no_loss_but_another_message_is(bench, program):
    user = bench.user()
    twin = box.message(1, body=b"AAAA\r\n")
    c = box.connect(bench.source, user)
    box.append(c, "INBOX", twin)
    box.append(c, "INBOX", twin)
    c.logout()
    d = box.connect(bench.destination, user)
    box.append(d, "INBOX", twin)
    r = verify(bench, user)
    check(r.code == 0 and number(r, "Repeated on host1, once on host2") == 1, r)
    c = box.connect(bench.source, user)
    box.append(c, "INBOX", box.message(1, body=b"BBBB\r\n"))  # the same header, another body
    c.logout()
    r = verify(bench, user)
    check(r.code == 31 and number(r, "Messages missing on host2") == 1, r)


@tests.engine_only
def the_copiers_own_folder_map_is_followed(bench, program):
    """imapsync puts several localized "sent" folders into one."""
    user = bench.user()
    c = box.connect(bench.source, user)
    names = [box.mutf7("Gesendet ü"), "Sent"]
    for n, name in enumerate(names):
        box.create(c, name)
        box.append(c, name, box.message(n))
    c.logout()
    d = box.connect(bench.destination, user)
    box.create(d, "Sent Items")
    for n in range(2):
        box.append(d, "Sent Items", box.message(n))
    d.logout()
    path = os.path.join(bench.directory, "map-" + user)
    with open(path, "w", encoding="utf-8") as f:
        f.write("Folder     1/3 [%s] = [Gesendet ü]        -> [Sent Items]                  \n" % names[0])
        f.write("Folder     2/3 [Sent]                              -> [Sent Items]\nFolder 3/3 [none] -> [x]\n")
    r = verify(bench, user, "content", "--foldermap=" + path)
    check(r.code == 0 and number(r, "Messages verified on host2") == 2, r)
    check(number(r, "Folders the copier put elsewhere") == 1, r)
    check(verify(bench, user, "content").code == 31)


@tests.engine_only
def json_lines_and_nothing_else_on_standard_output(bench, program):
    user = bench.user()
    mailbox(bench, user)
    check(bench.sync(miscopier(bench, "leave"), user).code == 0)
    process = bench.start(ENGINE, user, "--verify=content", "--json")
    process.wait(60)
    text = process.stdout.read().decode()
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    summary = lines[-1]
    check(summary["type"] == "summary" and summary["mode"] == "content" and summary["exit_code"] == 31, None, text)
    faults = [o for o in lines if o["type"] == "message"]
    check(len(faults) == summary["missing"] and {o["fault"] for o in faults} == {"missing"}, None, text)
    check("Entwürfe" in [o["source"] for o in lines if o["type"] == "folder"], None, text)
    check(all(o["subject"] for o in faults), None, text)


@tests.engine_only
def a_refused_login_or_a_lost_connection_is_no_verdict(bench, program):
    user = bench.user()
    mailbox(bench, user)
    check(bench.sync(program, user).code == 0)
    r = verify(bench, user, password2="wrong")
    check(r.code == 162 and not r.has("++++ Verification by"), r)

    def cut(n, data):
        return None if b"FETCH" in data else data
    with Proxy(bench.destination.port, from_client=cut) as proxy:
        r = verify(bench, user, port2=proxy.port, host2="127.0.0.1")
    check(r.code in (102, 117), r)
    check(r.has("The verification is not complete."), r)


@tests.test
def a_source_cut_inside_a_message_leaves_no_copy_unnoticed(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    for n in range(10):
        box.append(c, "INBOX", box.message(n, 400000))
    c.logout()
    cut_at = {"left": 1}

    def rule(number, data):
        if cut_at.get("connection") == number:
            return None
        if cut_at["left"] and re.search(rb"BODY\[\] \{\d{6}\}\r\n", data):
            cut_at["left"] -= 1
            cut_at["connection"] = number
        return data
    with Proxy(bench.source.port, from_server=rule) as proxy:
        copied = bench.sync(program, user, port1=proxy.port)
    check(cut_at["left"] == 0, copied, "nothing was cut")
    r = verify(bench, user)
    if program.ours:
        check(copied.code == 0 and r.code == 0, r)
        return
    whole = {h for (h, _, _, _) in box.snapshot(bench.source, user, ".")["INBOX"]}
    there = [h for (h, _, _, _) in box.snapshot(bench.destination, user)["INBOX"].elements()]
    wrong = [h for h in there if h not in whole]
    if not wrong and sorted(there) == sorted(whole):
        check(r.code == 0, r, "imapsync made no mistake this time")
        raise Skip("imapsync made no mistake this time")
    check(r.code in (31, 32, 33), r)


@tests.test
def a_lost_answer_to_a_store_doubles_nothing_unnoticed(bench, program):
    user = bench.user()
    c = box.connect(bench.source, user)
    for n in range(10):
        box.append(c, "INBOX", box.message(n, 3000))
    c.logout()
    lost = {"left": 1}

    def rule(number, data):
        if lost.get("connection") == number:
            return None
        if lost["left"] and b"APPENDUID" in data:
            lost["left"] -= 1
            lost["connection"] = number
            return None
        return data
    with Proxy(bench.destination.port, from_server=rule) as proxy:
        copied = bench.sync(program, user, port2=proxy.port)
    check(lost["left"] == 0, copied, "no answer was lost")
    r = verify(bench, user)
    there = sum(box.snapshot(bench.destination, user)["INBOX"].values())
    check(r.code == (0 if there == 10 else 33 if there > 10 else 31), r, "%d there" % there)
    if program.ours:
        check(there == 10, r)


class Cut:
    """Ends connections behind so many bytes from the server: the first one, or every one."""

    def __init__(self, at, always):
        self.at, self.always, self.seen = at, always, {}

    def __call__(self, number, data):
        left = self.at - self.seen.get(number, 0)
        self.seen[number] = self.seen.get(number, 0) + len(data)
        if (number > 1 and not self.always) or left > len(data):
            return data
        return Last(data[:left]) if left > 0 else None


@tests.engine_only
def wherever_a_connection_breaks_the_verdict_is_right_or_none(bench, program):
    """On a good copy and on one that lacks a message."""
    for mistake in ("none", "leave"):
        user = bench.user()
        c = box.connect(bench.source, user)
        box.create(c, "Archive")
        for n in range(10):
            box.append(c, ("INBOX", "Archive")[n % 2], box.message(n, 3000))
        c.logout()
        check(bench.sync(miscopier(bench, mistake), user).code == 0)
        lacking = 2 if mistake == "leave" else 0
        for side in (1, 2):
            port = (bench.source if side == 1 else bench.destination).port
            # a connection that always breaks is tried for six seconds
            for always, places in ((False, range(700, 30000, 3700)), (True, [side * 2000] if lacking else [])):
                for at in places:
                    with Proxy(port, from_server=Cut(at, always)) as proxy:
                        r = verify(bench, user, "content", "--timeout1=5", "--timeout2=5", **{"port%d" % side: proxy.port})
                    where = "%s side %d, %s behind byte %d" % (mistake, side, "each" if always else "once", at)
                    if r.has("The destination holds all"):
                        check(not lacking and r.code == 0 and number(r, "Messages verified on host2") == 10, r, where)
                    else:
                        check(r.code != 0, r, where)
                        missing = number(r, "Messages missing on host2") or 0
                        check(missing <= lacking, r, where + ": a loss that is none")
                        check(not number(r, "Messages altered on host2"), r, where)
                        check(not number(r, "Messages doubled on host2"), r, where)
                    if not always:
                        check(r.code in (0, 31), r, where + ": one reconnection was not enough")


def sanitized(path):
    with open(path, "rb") as f:
        return b"__asan_init" in f.read()


def crowds(bench, source, destination, *more):
    user = bench.user()
    return verify(bench, user, "size", *more, port1=source.port, port2=destination.port)


@tests.engine_only
def of_a_hundred_thousand_messages_the_few_faulty_ones_are_found(bench, program):
    count = 101000
    source, destination = Crowd(count, again=[9]), Crowd(count, missing={5, count - 3}, again=[7, 77, 777])
    r = crowds(bench, source, destination)
    check(r.code == 31, r)
    check(number(r, "Messages compared") == count + 1 and number(r, "Messages missing on host2") == 2, r)
    check(number(r, "Messages doubled on host2") == 3 and number(r, "Repeated on host1, once on host2") == 1, r)
    check(number(r, "Messages verified on host2") == count - 1, r)
    check(r.has("Verify missing: msg INBOX/5 on the source") and r.has("Verify doubled: msg INBOX/101003 on the dest"), r)
    r = crowds(bench, source, Crowd(count))
    check(r.code == 0 and number(r, "Messages verified on host2") == count + 1, r)


@tests.engine_only
def a_million_messages_on_each_side_take_at_most_100_megabytes(bench, program):
    if sanitized(program.path):
        raise Skip("the engine is built with sanitizers")
    source, destination = Crowd(1000000), Crowd(1000000, missing={17})
    process = bench.start(program, bench.user(), "--verify", port1=source.port, port2=destination.port)
    most = 0
    while process.poll() is None:
        # what wait4(2) tells would count what this test held before exec
        with open("/proc/%d/status" % process.pid, encoding="ascii") as f:
            found = re.search(r"VmHWM:\s+(\d+) kB", f.read())
        most = max(most, int(found.group(1)) if found else 0)
        time.sleep(0.02)
    output = process.stdout.read().decode()
    print("# %d KiB" % most)
    check(process.returncode == 31 and "999999 of 1000000 on both, 1 missing" in output, None, output[-3000:])
    check(0 < most * 1024 <= 100000000, None, "%d KiB" % most)


if __name__ == "__main__":
    tests.main()
