#!/usr/bin/env python3
"""Dovecot, Courier and Cyrus, each as source and as destination: everything an awkward mailbox holds arrives as it is.

What arrives is compared with what the source shows, byte for byte, with flags and arrival date; where it differs, the same
bytes stored by another client must come out of the destination the same way, and what that client is refused, the engine
must name.
"""

import datetime
import hashlib
import os
import re
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import awkward
import courier
import cyrus
import dovecot
import imapbox as box
from harness import ENGINE, PROGRAMS, Bench, Skip, Tests, check
from proxy import Proxy

KINDS = ("dovecot", "courier", "cyrus")
# The folder of sent mail; Dovecot's and Cyrus's say what they are for, and Courier has none until it is made.
SENT = {"dovecot": "Sent", "courier": "Sent", "cyrus": "Gesendet"}
PREPARED = "prepared"
PASSWORD = "pa ss\"w\\rd"


class Matrix(Bench):
    """One server of each kind, each with one prepared mailbox."""

    def __init__(self):
        super().__init__()
        names = [PREPARED] + [a + b for a in ("from-", "live-", "liveto-") for b in
                              [x + y for x in KINDS for y in ("",) + KINDS]] + ["control"]
        self.users = {name: PASSWORD for name in names}
        self.servers, self.whys, self.shots = {}, {}, {}

    def __enter__(self):
        if not os.access(ENGINE, os.X_OK):
            self.why = "engine/mailconvoy-sync is not built"
            return self
        self.directory = tempfile.mkdtemp(prefix="mcv-matrix-")
        return self

    def __exit__(self, *what):
        for server in self.servers.values():
            server.stop()
        super().__exit__(*what)

    def server(self, kind):
        if kind not in self.servers and kind not in self.whys:
            self.start_server(kind)
        if kind in self.whys:
            raise Skip(self.whys[kind])
        return self.servers[kind]

    def start_server(self, kind):
        why = {"dovecot": dovecot, "courier": courier, "cyrus": cyrus}[kind].missing()
        if why:
            self.whys[kind] = why
            return
        directory = os.path.join(self.directory, kind)
        if kind == "dovecot":
            authority = dovecot.Authority(os.path.join(self.directory, "ca"))
            server = dovecot.Dovecot(directory, authority, self.users, special=True)
        elif kind == "courier":
            # No mailbox of this user's keeps keywords.
            server = courier.Courier(directory, self.users, no_keywords=["from-dovecot"])
        else:
            server = cyrus.Cyrus(directory, self.users)
        self.servers[kind] = server.start()

    def make_user(self, kind, user):
        server = self.server(kind)
        if kind == "cyrus":
            server.make(user)
            c = box.connect(server, user)
            check(c._simple_command("CREATE", "INBOX.Gesendet", "(USE (\\Sent))")[0] == "OK")
            c.logout()
        return server

    def prepared(self, kind):
        """What the prepared mailbox of kind holds: shot()."""
        if kind not in self.shots:
            server = self.make_user(kind, PREPARED)
            awkward.fill(server, PREPARED)
            sent = server.prefix + SENT[kind]
            c = box.connect(server, PREPARED)
            if kind == "courier":
                c.create(sent)
                maildir = server.maildir(PREPARED)
                owner = os.stat(maildir)
                awkward.smuggle(maildir, (owner.st_uid, owner.st_gid))
            box.append(c, sent, box.message(500))
            c.logout()
            self.shots[kind] = shot(server, PREPARED)
        return self.shots[kind]


def instant(date):
    return datetime.datetime.strptime(date.strip(), "%d-%b-%Y %H:%M:%S %z").timestamp()


class Mail:
    def __init__(self, uid, flags, date, body):
        self.uid, self.date = uid, date
        self.flags = frozenset(f for f in flags.split() if f.lower() != "\\recent")
        self.sha, self.size = hashlib.sha256(body).hexdigest(), len(body)
        self.start = body[:300]

    def key(self):
        return self.sha, self.flags, instant(self.date)

    def __repr__(self):
        return "UID %d %d bytes %s [%s] %r" % (self.uid, self.size, sorted(self.flags), self.date, self.start[:80])


def mails(c, folder):
    kind, data = c.select(box.quoted(folder), readonly=True)
    if kind != "OK":
        raise RuntimeError("select %s: %s" % (folder, data))
    found = []
    for number in range(1, int(data[0]) + 1):
        _, rows = c.fetch(str(number), "(UID FLAGS INTERNALDATE BODY.PEEK[])")
        # Courier gives an empty body as an empty string, not as a literal.
        parts = [row for row in rows if row]
        head = b" ".join(row[0] + b" " if isinstance(row, tuple) else row for row in parts)
        body = b"".join(row[1] for row in parts if isinstance(row, tuple))
        found.append(Mail(int(re.search(rb"UID (\d+)", head).group(1)), re.search(rb"FLAGS \((.*?)\)", head).group(1).decode(),
                          re.search(rb'INTERNALDATE "(.*?)"', head).group(1).decode(), body))
    return found


def shot(server, user):
    """{raw folder name: [Mail]}"""
    c = box.connect(server, user)
    found = {name: mails(c, name) for name in box.folders(c)}
    c.logout()
    return found


def place(source, destination, folder, kinds):
    """Where the folder of this raw name must go."""
    plain = folder[len(source.prefix):] if source.prefix and folder.startswith(source.prefix) else folder
    if folder == "INBOX":
        return folder
    if plain == SENT[kinds[0]] and kinds[1] != "courier":
        return destination.prefix + SENT[kinds[1]]
    if source.separator != destination.separator:
        plain = plain.replace(destination.separator, "_").replace(source.separator, destination.separator)
    return destination.prefix + plain


class Control:
    """Another client that stores the same into the same server."""

    def __init__(self, bench, kind, user):
        self.server, self.user = bench.server(kind), user
        self.c = box.connect(self.server, user)
        self.folder = self.server.prefix + "Control"
        self.c.create(self.folder)

    def creates(self, folder):
        """Whether this server can hold a folder of this name."""
        return self.c.create(box.quoted(folder))[0] == "OK"

    def stored(self, body, flags, date):
        """The key of what comes out, None when it is not let in."""
        taken, _ = box.append_bytes(self.c, self.folder, body, " ".join(flags), '"%s"' % date)
        if not taken:
            return None
        key = mails(self.c, self.folder)[-1].key()
        # Courier appends to no folder that is selected for reading only.
        self.c.select("INBOX")
        return key

    def forget(self):
        # Courier deletes no folder that is selected.
        self.c.select("INBOX")
        self.c.delete(self.folder)
        self.c.logout()


def body_of(server, user, folder, uid):
    c = box.connect(server, user)
    c.select(box.quoted(folder), readonly=True)
    _, rows = c.uid("fetch", str(uid), "(BODY.PEEK[])")
    c.logout()
    return b"".join(row[1] for row in rows if isinstance(row, tuple))


def alike(expected, keys):
    """Which of keys is expected; where the server put its own clock for a date, that may have gone on."""
    for key in keys:
        if key[:2] == expected[:2] and (key[2] == expected[2] or abs(key[2] - time.time()) < 300 > abs(expected[2] - time.time())):
            return key
    return None


def padded(date):
    return date.strip().rjust(26)


def compare(bench, kinds, users, r):
    """Everything of the source is on the destination, or named; nothing else is."""
    source, destination = bench.server(kinds[0]), bench.server(kinds[1])
    here, there = shot(source, users[0]) if users[0] != PREPARED else bench.prepared(kinds[0]), shot(destination, users[1])
    control = Control(bench, kinds[1], users[1])
    keywords = not (kinds[1] == "courier" and users[1] in destination.no_keywords)
    wrong, changed, refused = [], 0, 0
    for folder, held in here.items():
        to = place(source, destination, folder, kinds)
        if to not in there:
            if held == [] and source.separator == "/" and any(name.startswith(folder + "/") for name in here):
                continue
            if "Could not create folder [%s]" % to not in r.output or control.creates(to):
                wrong.append("%s is not on the destination, and not named" % folder)
            refused += len(held)
            continue
        left = [mail.key() for mail in there.pop(to)]
        unfound = []
        for mail in held:
            flags = frozenset(f for f in mail.flags if keywords or f.startswith("\\"))
            key = (mail.sha, flags, instant(mail.date))
            if key in left:
                left.remove(key)
            else:
                unfound.append((mail, flags))
        for mail, flags in unfound:
            expected = control.stored(body_of(source, users[0], folder, mail.uid), flags, padded(mail.date))
            like = None if expected is None else alike(expected, left)
            if like is not None:
                left.remove(like)
                changed += 1
            elif expected is None and re.search(r"msg %s/%d .*could not append" % (re.escape(folder), mail.uid), r.output):
                refused += 1
            else:
                wrong.append("%s: %s: %s" % (folder, "missing" if expected else "refused, and not named", mail))
        wrong += ["%s: stored and not on the source: %s" % (to, key) for key in left]
    wrong += ["%s holds what the source does not" % name for name, mail in there.items() if mail]
    control.forget()
    check(not wrong, r, "\n".join(wrong))
    return changed, refused


def run(bench, kinds, users, **options):
    ports = {"port1": bench.server(kinds[0]).port, "port2": bench.server(kinds[1]).port, **options}
    return bench.sync(PROGRAMS[0], users[0], user2=users[1], **ports)


def everything_arrives(bench, _, kinds=None):
    users = (PREPARED, "from-" + kinds[0])
    destination = bench.make_user(kinds[1], users[1])
    bench.prepared(kinds[0])
    r = run(bench, kinds, users)
    changed, refused = compare(bench, kinds, users, r)
    check(r.code == 0 if refused == 0 else r.code in (111, 114, 116), r, "%d refused" % refused)
    c = box.connect(destination, users[1])
    subscribed = str(box.subscribed(c))
    for folder in awkward.SUBSCRIBED:
        check(awkward.name_on(destination, folder) in subscribed, r, "%s is not subscribed" % folder)
    c.logout()
    before = box.uids(destination, users[1])
    again = run(bench, kinds, users)
    check(again.number("Messages transferred") == 0, again)
    check(box.uids(destination, users[1]) == before, again, "a second run changed something")
    check((again.code == 0) == (refused == 0), again)
    print("# %s to %s: %d messages the server itself changed, %d it refused" % (*kinds, changed, refused))


def what_changes_meanwhile_is_borne(bench, _, kinds=None):
    """While messages are copied one is expunged, others arrive; the next run brings what this one did not."""
    users = ("live-" + kinds[0] + kinds[1], "liveto-" + kinds[0] + kinds[1])
    source = bench.make_user(kinds[0], users[0])
    bench.make_user(kinds[1], users[1])
    c = box.connect(source, users[0])
    for n in range(30):
        box.append(c, "INBOX", box.message(n, 30000))
    done = set()

    def expunge(uids):
        d = box.connect(source, users[0])
        d.select("INBOX")
        for uid in uids:
            d.uid("store", uid, "+FLAGS", "(\\Deleted)")
        d.expunge()
        if "20" in uids:
            for n in range(40, 45):
                box.append(d, "INBOX", box.message(n))
        d.logout()

    def rule(_, data):
        # The folder is selected, so the client is told of nothing before it asks for something else.
        for command, uids in ((rb"FETCH ", ("7", "8")), (rb"FETCH .*BODY(\.PEEK)?\[\]", ("20", "29"))):
            if re.search(command, data) and command not in done:
                done.add(command)
                expunge(uids)
        return data

    with Proxy(source.port, from_client=rule) as proxy:
        r = run(bench, kinds, users, port1=proxy.port)
    check(len(done) == 2 and r.code == 0, r)
    # What was expunged may have been copied before: then it is on the destination, whole.
    copied = {mail.sha for mail in shot(bench.server(kinds[1]), users[1])["INBOX"]}
    held = {hashlib.sha256(box.message(n, 30000)).hexdigest() for n in range(30)}
    held |= {hashlib.sha256(box.message(n)).hexdigest() for n in range(40, 45)}
    check(copied <= held, r, "something was stored that never was on the source")
    r = run(bench, kinds, users)
    check(r.code == 0, r)
    here = [mail.key() for mail in shot(source, users[0])["INBOX"]]
    there = [mail.key() for mail in shot(bench.server(kinds[1]), users[1])["INBOX"]]
    check(set(here) <= set(there) and len(there) == len(set(there)) and len(there) <= 35, r)
    check(run(bench, kinds, users).number("Messages transferred") == 0)


def pairs(function):
    """function for each pair of kinds, as tests of their own."""
    for source in KINDS:
        for destination in KINDS:
            def case(bench, program, kinds=(source, destination)):
                function(bench, program, kinds=kinds)

            case.__name__ = "%s_from_%s_to_%s" % (function.__name__, source, destination)
            tests.engine_only(case)


tests = Tests(bench=Matrix())
pairs(everything_arrives)
pairs(what_changes_meanwhile_is_borne)


@tests.engine_only
def a_nul_in_a_header_beside_8_bit_letters_is_no_other_message(bench, _):
    """Courier hands it out; Dovecot keeps 0x80 in its place, and the letters as they are."""
    source, user = bench.make_user("courier", "control"), "control"
    bench.make_user("dovecot", user)
    box.connect(source, user).logout()
    maildir = source.maildir(user)
    owner = os.stat(maildir)
    message = awkward.identified(b"nul", b"Subject: \xfc and a NUL \0\r\n")
    awkward.smuggle(maildir, (owner.st_uid, owner.st_gid), (message,))
    r = run(bench, ("courier", "dovecot"), (user, user))
    check(r.code == 0 and r.number("Messages transferred") == 1, r)
    check(body_of(source, user, "INBOX", 1) == message)
    held = bench.sync(PROGRAMS[0], user, "--verify=content", port1=source.port, port2=bench.server("dovecot").port)
    check(held.code == 0, held)

if __name__ == "__main__":
    tests.main()
