#!/usr/bin/env python3
"""--state FILE: a second pass costs what changed, and is as right as one that lists everything."""

import os
import random
import re
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import imapbox as box
from harness import Bench, Tests, check, same
from proxy import Proxy

FOLDERS = ("INBOX", "Work", "Work.Deep", "Empty")


class StateBench(Bench):
    """Sets of what servers do not offer, by the names used below."""

    def state(self, name="state"):
        return os.path.join(self.directory, "%s-%d" % (name, self.next_user))


tests = Tests(bench=StateBench())


class Wire:
    """Passes everything but the capabilities in without, and remembers what was asked and how much was told."""

    def __init__(self, *without):
        self.without = [word.encode() for word in without]
        self.asked = b""
        self.told = 0

    def from_server(self, _, data):
        self.told += len(data)
        for word in self.without:
            data = re.sub(rb" " + word + rb"(?=[ \]\r])", b"", data)
        return data

    def from_client(self, _, data):
        self.asked += data
        return data

    def commands(self, verb):
        """Arguments of the commands of that name."""
        return re.findall(rb"^A\d+ " + verb.encode() + rb"(?: (.*?))?\r$", self.asked, re.M)


class Pass:
    """One run through two wires."""

    def __init__(self, bench, program, user, *more, without=(), **options):
        self.wires = Wire(*without), Wire(*without)
        ports = bench.source.port, bench.destination.port
        with Proxy(ports[0], self.wires[0].from_server, self.wires[0].from_client) as one:
            with Proxy(ports[1], self.wires[1].from_server, self.wires[1].from_client) as two:
                bench.ports = {"port1": one.port, "port2": two.port}
                self.result = bench.sync(program, user, *more, **bench.ports, **options)

    def headers_asked(self):
        return sum(w.asked.count(b"BODY.PEEK[HEADER") for w in self.wires)

    def selected(self):
        return sum(len(w.commands("SELECT")) + len(w.commands("EXAMINE")) for w in self.wires)


def fill(bench, user):
    c = box.connect(bench.source, user)
    for name in FOLDERS[1:]:
        box.create(c, name)
    for n in range(60):
        box.append(c, FOLDERS[n % 3], box.message(n, 1500, ids=n % 7 != 6), ("", "\\Seen", "\\Flagged Work1")[n % 3])
    c.logout()


def first(bench, program, user):
    """A filled mailbox, copied with a state."""
    fill(bench, user)
    state = bench.state()
    r = bench.sync(program, user, "--state=" + state)
    check(r.code == 0 and r.number("Messages transferred") == 60, r)
    return state


def equal(bench, user, result=None):
    same(box.snapshot(bench.source, user, "."), box.snapshot(bench.destination, user), result)


def change(server, user, folder, uids, what, flags):
    c = box.connect(server, user)
    c.select(box.quoted(folder))
    c.uid("store", uids, what, flags)
    c.close() if flags == "(\\Deleted)" else c.logout()


def expunge(server, user, folder, uids):
    change(server, user, folder, uids, "+FLAGS", "(\\Deleted)")


def settled(bench, program, user, state, result):
    """A pass that lists everything finds nothing left to do, nor does another with the state."""
    for more in (("--dry",), ("--state=" + state,)):
        r = bench.sync(program, user, *more)
        check(r.code == 0 and r.number("Messages transferred") == 0, r)
        check("--dry" not in more or r.has("(could be 0 without dry mode)"), r,
              "after\n" + result.output[-3000:])


@tests.engine_only
def a_second_pass_with_nothing_new_opens_no_folder(bench, program):
    user = bench.user()
    state = first(bench, program, user)
    p = Pass(bench, program, user, "--state=" + state)
    check(p.result.code == 0 and p.result.has("State: 4 of 4 folders are as they were"), p.result)
    check(p.selected() == 0 and p.headers_asked() == 0, p.result, str([w.asked for w in p.wires]))
    plain = bench.sync(program, user)
    for label in ("Messages skipped", "Messages transferred", "Messages found in host1 not in host2",
                  "Messages found in host2 not in host1", "Messages found duplicate on host1"):
        check(p.result.number(label) == plain.number(label), p.result, label)
    check(p.result.has("all 60 identified messages in host1 are on host2"), p.result)
    sizes = re.findall(r"^Host\d (?:folder|Nb|Total|Biggest).*$", plain.output, re.M)
    check(sizes and sizes == re.findall(r"^Host\d (?:folder|Nb|Total|Biggest).*$", p.result.output, re.M), p.result)


@tests.engine_only
def the_file_is_its_owners_alone_and_nothing_is_left_beside_it(bench, program):
    user = bench.user()
    directory = os.path.join(bench.directory, "kept")
    os.mkdir(directory)
    fill(bench, user)
    for _ in range(2):
        r = bench.sync(program, user, "--state=%s/state" % directory)
        check(r.code == 0, r)
        check(os.listdir(directory) == ["state"], r, str(os.listdir(directory)))
        check(os.stat(directory + "/state").st_mode & 0o777 == 0o600, r)


@tests.engine_only
def a_pass_asks_for_what_is_new_and_changed_alone(bench, program):
    user = bench.user()
    state = first(bench, program, user)
    c = box.connect(bench.source, user)
    box.append(c, "INBOX", box.message(1000, 1500))
    c.logout()
    change(bench.source, user, "Work", "3", "+FLAGS", "(\\Answered)")
    change(bench.destination, user, "Work.Deep".replace(".", "/"), "2", "-FLAGS", "(\\Flagged)")
    p = Pass(bench, program, user, "--state=" + state)
    check(p.result.code == 0 and p.result.number("Messages transferred") == 1, p.result)
    equal(bench, user, p.result)
    asked = b"\n".join(w.asked for w in p.wires)
    check(b" 1:* (UID RFC822.SIZE FLAGS" not in asked, p.result, asked.decode())
    check(b"CHANGEDSINCE" in asked, p.result, asked.decode())
    settled(bench, program, user, state, p.result)


@tests.engine_only
def what_was_expunged_on_the_destination_is_copied_again(bench, program):
    for without in ((), ("ESEARCH",), ("CONDSTORE", "QRESYNC"), ("CONDSTORE", "ESEARCH", "LIST-STATUS", "LIST-EXTENDED")):
        user = bench.user()
        state = first(bench, program, user)
        expunge(bench.destination, user, "INBOX", "2,5")
        p = Pass(bench, program, user, "--state=" + state, without=without)
        check(p.result.code == 0 and p.result.number("Messages transferred") == 2, p.result, str(without))
        equal(bench, user, p.result)
        check(b" 1:* (UID RFC822.SIZE FLAGS" not in p.wires[1].asked, p.result, p.wires[1].asked.decode())
        check((b"SEARCH RETURN" in p.wires[1].asked) == (without == ()), p.result, p.wires[1].asked.decode())
        settled(bench, program, user, state, p.result)


@tests.engine_only
def what_was_expunged_on_the_source_is_left_alone(bench, program):
    user = bench.user()
    state = first(bench, program, user)
    expunge(bench.source, user, "Work", "1:4")
    r = bench.sync(program, user, "--state=" + state)
    check(r.code == 0 and r.number("Messages transferred") == 0, r)
    check(r.number("Messages found in host2 not in host1") == 4, r)
    check(sum(box.snapshot(bench.destination, user)["Work"].values()) == 20, r)
    settled(bench, program, user, state, r)


@tests.engine_only
def gone_and_new_in_equal_number_are_not_taken_for_nothing(bench, program):
    for more in ((), ("--noresyncflags",)):
        user = bench.user()
        state = first(bench, program, user)
        for server, uid, new in ((bench.source, "4", 2000), (bench.destination, "3", 3000)):
            expunge(server, user, "INBOX", uid)
            c = box.connect(server, user)
            box.append(c, "INBOX", box.message(new, 1500))
            c.logout()
        r = bench.sync(program, user, "--state=" + state, *more)
        check(r.code == 0 and r.number("Messages transferred") == 2, r)
        there = box.snapshot(bench.destination, user)["INBOX"]
        check(not box.snapshot(bench.source, user, ".")["INBOX"] - there and sum(there.values()) == 22, r)
        settled(bench, program, user, state, r)


@tests.engine_only
def a_folder_with_other_uids_is_listed_anew(bench, program):
    for server, separator in ((bench.source, "."), (bench.destination, "/")):
        user = bench.user()
        state = first(bench, program, user)
        c = box.connect(server, user)
        before = c.status("Work", "(UIDVALIDITY)")
        c.delete("Work%sDeep" % separator)
        c.delete("Work")
        box.create(c, "Work")
        # As many as before under the same UIDs, and other messages.
        for n in range(20):
            box.append(c, "Work", box.message(5000 + n, 1500))
        check(c.status("Work", "(UIDVALIDITY)") != before)
        c.logout()
        r = bench.sync(program, user, "--state=" + state)
        check(r.code == 0, r)
        there = box.snapshot(bench.destination, user)
        for folder, held in box.snapshot(bench.source, user, ".").items():
            check(not held - there[folder], r, folder)
        check(sum(there["Work"].values()) == 40, r)
        settled(bench, program, user, state, r)


@tests.engine_only
def a_damaged_file_costs_time_alone(bench, program):
    user = bench.user()
    state = first(bench, program, user)
    with open(state, "rb") as f:
        whole = f.read()
    before = box.uids(bench.destination, user)
    flipped = [bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
               for at in (20, 51, 60, len(whole) // 2, len(whole) - 40, len(whole) - 1)]
    for number, content in enumerate([whole[:n] for n in (0, 19, 30, 51, 55, 100, len(whole) // 2, len(whole) - 1)]
                                     + flipped + [whole + b"x"]):
        with open(state, "wb") as f:
            f.write(content)
        r = bench.sync(program, user, "--state=" + state)
        check(r.code == 0 and r.number("Messages transferred") == 0, r, str(number))
        check(not r.has("are as they were"), r, str(number))
    check(box.uids(bench.destination, user) == before)


@tests.engine_only
def a_damaged_file_is_replaced_by_one_that_is_whole(bench, program):
    user = bench.user()
    state = first(bench, program, user)
    with open(state, "r+b") as f:
        f.truncate(200)
    r = bench.sync(program, user, "--state=" + state)
    check(r.code == 0 and r.has("is not whole"), r)
    r = bench.sync(program, user, "--state=" + state)
    check(r.code == 0 and r.has("State: 4 of 4 folders are as they were"), r)


@tests.engine_only
def the_file_of_other_mailboxes_is_neither_used_nor_replaced(bench, program):
    state = first(bench, program, bench.user())
    with open(state, "rb") as f:
        before = f.read()
    other = bench.user()
    fill(bench, other)
    r = bench.sync(program, other, "--state=" + state)
    check(r.code == 0 and r.has("is that of other mailboxes") and r.number("Messages transferred") == 60, r)
    equal(bench, other, r)
    with open(state, "rb") as f:
        check(f.read() == before, r)


@tests.engine_only
def a_file_that_is_no_state_of_ours_is_left_alone(bench, program):
    user = bench.user()
    state = first(bench, program, user)
    with open(state, "rb") as f:
        whole = f.read()
    letter = bench.state("letter")
    with open(letter, "w", encoding="ascii") as f:
        f.write("mail about something else\n")
    shared = bench.state("shared")
    with open(shared, "wb") as f:
        f.write(whole)
    os.chmod(shared, 0o660)
    link = bench.state("link")
    os.symlink(state, link)
    for path in (letter, shared, link, bench.directory):
        kept = None if path == bench.directory else open(path, "rb").read()
        r = bench.sync(program, user, "--state=" + path)
        check(r.code == 0 and r.number("Messages transferred") == 0 and r.has("neither used nor replaced"), r, path)
        check(kept is None or open(path, "rb").read() == kept, r, path)
    check(os.path.islink(link))


@tests.engine_only
def a_place_that_cannot_be_written_costs_no_error(bench, program):
    user = bench.user()
    fill(bench, user)
    r = bench.sync(program, user, "--state=%s/nowhere/state" % bench.directory)
    check(r.code == 0 and r.number("Messages transferred") == 60 and r.has("could not be written"), r)


@tests.engine_only
def a_run_that_was_ended_leaves_the_state_before_it(bench, program):
    for name in (signal.SIGKILL, signal.SIGTERM):
        user = bench.user()
        state = first(bench, program, user)
        with open(state, "rb") as f:
            before = f.read()
        c = box.connect(bench.source, user)
        for n in range(100, 160):
            box.append(c, FOLDERS[n % 3], box.message(n, 3000))
        c.logout()
        expunge(bench.destination, user, "Work", "4")
        stored = []

        def rule(_, data):
            stored.append(data.count(b"APPENDUID"))
            return data

        with Proxy(bench.destination.port, from_server=rule) as proxy:
            process = bench.start(program, user, "--state=" + state, "--maxmessagespersecond=40", port2=proxy.port)
            check(box.wait_for(lambda: sum(stored) > 0))
            process.send_signal(name)
            output, _ = process.communicate(timeout=30)
        check(process.returncode == -name, None, output.decode(errors="replace")[-3000:])
        with open(state, "rb") as f:
            check(f.read() == before)
        r = bench.sync(program, user, "--state=" + state)
        check(r.code == 0, r)
        equal(bench, user, r)
        settled(bench, program, user, state, r)


@tests.engine_only
def a_pass_over_some_folders_forgets_nothing_of_the_others(bench, program):
    user = bench.user()
    state = first(bench, program, user)
    check(bench.sync(program, user, "--state=" + state, "--folder=Work").code == 0)
    r = bench.sync(program, user, "--state=" + state)
    check(r.has("State: 4 of 4 folders are as they were"), r)


@tests.engine_only
def flags_left_alone_once_are_seen_to_the_next_time(bench, program):
    user = bench.user()
    state = first(bench, program, user)
    change(bench.source, user, "INBOX", "1,7", "+FLAGS", "(\\Answered)")
    check(bench.sync(program, user, "--state=" + state, "--noresyncflags").code == 0)
    check(bench.sync(program, user, "--state=" + state, "--noresyncflags").code == 0)
    r = bench.sync(program, user, "--state=" + state)
    check(r.code == 0, r)
    equal(bench, user, r)


@tests.engine_only
def a_dry_run_uses_the_state_and_leaves_it(bench, program):
    user = bench.user()
    state = first(bench, program, user)
    c = box.connect(bench.source, user)
    box.append(c, "Work", box.message(700))
    c.logout()
    with open(state, "rb") as f:
        before = f.read()
    r = bench.sync(program, user, "--state=" + state, "--dry")
    check(r.code == 0 and r.has("(could be 1 without dry mode)") and r.has("State: 3 of 4"), r)
    with open(state, "rb") as f:
        check(f.read() == before, r)


class Life:
    """What owners do to their mailboxes between two passes, at random; every message is unlike any other."""

    def __init__(self, bench, user, rng):
        self.bench, self.user, self.rng = bench, user, rng
        self.next = 10000

    def uids(self, c, folder):
        c.select(box.quoted(folder))
        return c.uid("search", None, "ALL")[1][0].split()

    def one(self, server, separator):
        folder = self.rng.choice(FOLDERS).replace(".", separator)
        c = box.connect(server, self.user)
        if folder not in box.folders(c):
            box.create(c, folder)
        what = self.rng.choice(("append", "append", "expunge", "flag", "unflag", "recreate", "nothing"))
        uids = self.uids(c, folder)
        some = b",".join(self.rng.sample(uids, min(len(uids), self.rng.randrange(1, 4)))).decode()
        if what == "append":
            for _ in range(self.rng.randrange(1, 4)):
                self.next += 1
                box.append(c, folder, box.message(self.next, 1200), self.rng.choice(("", "\\Seen", "Work1")))
        elif what == "recreate" and folder == "Empty":
            c.close()
            c.delete(folder)
        elif some and what == "expunge":
            c.uid("store", some, "+FLAGS", "(\\Deleted)")
            c.expunge()
        elif some and what in ("flag", "unflag"):
            c.uid("store", some, "+FLAGS" if what == "flag" else "-FLAGS", "(\\Flagged Work2)")
        c.logout()

    def between(self):
        for _ in range(self.rng.randrange(0, 6)):
            self.one(*self.rng.choice(((self.bench.source, "."), (self.bench.destination, "/"))))


def contents(held):
    """Of a folder's snapshot, how often each content is there."""
    found = box.Counter()
    for (digest, _, _, _), count in held.items():
        found[digest] += count
    return found


def random_passes(bench, program, seed, without, disturbed):
    rng = random.Random(seed)
    user = bench.user()
    state = first(bench, program, user)
    life = Life(bench, user, rng)
    for number in range(8):
        what = "seed %d, pass %d without %s" % (seed, number, without)
        life.between()
        if disturbed and rng.random() < 0.5:
            budget = [rng.randrange(500, 9000)]

            def rule(_, data):
                budget[0] -= len(data)
                return None if budget[0] < 0 else data

            server, option = rng.choice(((bench.source, "port1"), (bench.destination, "port2")))
            with Proxy(server.port, from_server=rule) as proxy:
                r = bench.sync(program, user, "--state=" + state, **{option: proxy.port})
            check(r.code in (0, 101, 102, 111, 114, 115, 116, 117, 120), r, what)
        p = Pass(bench, program, user, "--state=" + state, without=without)
        check(p.result.code == 0, p.result, what)
        there = box.snapshot(bench.destination, user)
        for folder, held in box.snapshot(bench.source, user, ".").items():
            check(not held - there[folder], p.result, "%s: %s lacks %s" % (what, folder, held - there[folder]))
            check(max(contents(there[folder]).values(), default=0) < 2, p.result, "%s: doubled in %s" % (what, folder))
        settled(bench, program, user, state, p.result)


SEED = int(os.environ.get("MCV_SEED", random.randrange(10**6)))


@tests.engine_only
def whatever_happens_between_passes_nothing_is_missed_or_doubled(bench, program):
    print("# MCV_SEED=%d" % SEED)
    for number, without in enumerate(((), ("CONDSTORE", "QRESYNC"), ("ESEARCH", "LIST-STATUS"))):
        random_passes(bench, program, SEED + number, without, False)


@tests.engine_only
def whatever_is_cut_in_a_pass_the_next_is_as_right(bench, program):
    print("# MCV_SEED=%d" % SEED)
    for number in range(3):
        random_passes(bench, program, SEED + 10 + number, (), True)


if __name__ == "__main__":
    tests.main()
