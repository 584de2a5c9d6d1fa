#!/usr/bin/env python3
"""Each capability is used where it is offered, and done without where it is not: with a real Dovecot behind a proxy.

The mailbox is complete and byte for byte the same either way, a second run moves nothing, and one that remembers the
first moves what is new alone.
"""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import imapbox as box
from harness import Bench, Tests, check, same
from proxy import Proxy

# What is said where it is offered, and never where it is not.  None: nothing else is said.
ROWS = {
    "LITERAL+": rb"\{\d+\+\}\r\n",
    "MULTIAPPEND": rb"\n \([^)\r\n]*\) \"[^\"\r\n]+\" \{\d+\+?\}\r\n",
    "SASL-IR": rb"AUTHENTICATE PLAIN [A-Za-z0-9+/=]{8}",
    "ID": rb"A\d+ ID \(\"name\"",
    "NAMESPACE": rb"A\d+ NAMESPACE\r\n",
    "QUOTA": rb"A\d+ GETQUOTAROOT ",
    "LIST-EXTENDED": rb"LIST \"\" \"\*\" RETURN \(SUBSCRIBED",
    "SPECIAL-USE": rb"RETURN \([^\r\n]*SPECIAL-USE",
    "LIST-STATUS": rb"RETURN \([^\r\n]*STATUS \(MESSAGES",
    "CONDSTORE": rb"HIGHESTMODSEQ|CHANGEDSINCE",
    "ESEARCH": rb"UID SEARCH RETURN \(ALL\)",
    "UIDPLUS": None,
    "ENABLE": None,
    "STATUS=SIZE": None,
    "SAVEDATE": None,
}
MESSAGES = 12
NEEDED = ("LITERAL+", "MULTIAPPEND", "SASL-IR", "NAMESPACE", "LIST-EXTENDED", "SPECIAL-USE", "LIST-STATUS", "CONDSTORE",
          "ESEARCH", "UIDPLUS", "ID", "QUOTA")


class CapabilityBench(Bench):
    def __init__(self):
        super().__init__(quota="100M", special=True)


tests = Tests(bench=CapabilityBench())


class Sides:
    """Proxies before both servers that offer what change() leaves of their capabilities; said: by us to either."""

    def __init__(self, bench, change):
        self.said = [b"", b""]
        self.offered = [b"", b""]
        self.proxies = [Proxy(server.port, from_server=self.rule(side, change), from_client=self.listen(side))
                        for side, server in enumerate((bench.source, bench.destination))]

    def rule(self, side, change):
        def pass_on(_, data):
            data = re.sub(rb"CAPABILITY [^\]\r\n]*", lambda m: change(m.group(0)), data)
            self.offered[side] += b"".join(re.findall(rb"CAPABILITY [^\]\r\n]*", data))
            return data
        return pass_on

    def listen(self, side):
        def pass_on(_, data):
            self.said[side] += data
            return data
        return pass_on

    def ports(self):
        return {"port1": self.proxies[0].port, "port2": self.proxies[1].port}

    def __enter__(self):
        return self

    def __exit__(self, *what):
        for proxy in self.proxies:
            proxy.close()


def strip(*words):
    def change(line):
        return b" ".join(w for w in line.split(b" ") if w.decode() not in words)
    return change


def fill(bench, user):
    c = box.connect(bench.source, user)
    box.create(c, "Folder.Été".replace("Été", box.mutf7("Été")), subscribe=True)
    box.create(c, "Sent Items")
    for n in range(MESSAGES):
        folder = ("INBOX", "Folder." + box.mutf7("Été"), "Sent Items")[n % 3]
        box.append(c, folder, box.message(n, 500 + 1500 * (n % 5)), ("\\Seen", "", "\\Flagged $Label1")[n % 3])
    c.logout()


def arrived(bench, user, result):
    shot = box.snapshot(bench.destination, user)
    shot = {{"Sent": "Sent Items"}.get(name, name): held for name, held in shot.items() if name != "Trash"}
    same(box.snapshot(bench.source, user, "."), shot, result)


def three_runs(bench, program, change):
    """All that was said to the two servers, and what they offered."""
    user = bench.user()
    fill(bench, user)
    state = "--state=" + os.path.join(bench.directory, "state-" + user)
    with Sides(bench, change) as sides:
        r = bench.sync(program, user, state, "--connections=1", **sides.ports())
        check(r.code == 0 and r.number("Messages transferred") == MESSAGES, r)
        arrived(bench, user, r)
        r = bench.sync(program, user, **sides.ports())
        check(r.code == 0 and r.number("Messages transferred") == 0, r)
        c = box.connect(bench.source, user)
        c.select("INBOX")
        c.store("1", "+FLAGS", "(\\Answered \\Deleted)")
        c.store("2", "+FLAGS", "(\\Draft)")
        c.expunge()
        box.append(c, "INBOX", box.message(MESSAGES))
        c.logout()
        r = bench.sync(program, user, state, **sides.ports())
        check(r.code == 0 and r.number("Messages transferred") == 1, r)
        r = bench.sync(program, user, state, **sides.ports())
        check(r.code == 0 and r.number("Messages transferred") == 0, r)
    return sides


@tests.engine_only
def each_is_used_where_it_is_offered(bench, program):
    sides = three_runs(bench, program, lambda line: line)
    for word in NEEDED:
        check(word.encode() in b"".join(sides.offered).split(b" "), None, "Dovecot does not offer " + word)
    for word, pattern in ROWS.items():
        check(pattern is None or re.search(pattern, b"".join(sides.said)), None, word + " is not used")


def absent(word):
    @tests.engine_only
    def case(bench, program):
        sides = three_runs(bench, program, strip(word))
        pattern = ROWS[word]
        check(pattern is None or not re.search(pattern, b"".join(sides.said)), None, word + " is used")
    case.__name__ = "done_without_" + word.lower()


for name in ROWS:
    absent(name)


@tests.engine_only
def all_are_done_without_at_once(bench, program):
    sides = three_runs(bench, program, strip(*ROWS))
    for word, pattern in ROWS.items():
        check(pattern is None or not re.search(pattern, b"".join(sides.said)), None, word + " is used")


@tests.engine_only
def a_short_literal_goes_unasked_and_a_long_one_is_asked_for_where_the_server_wants_that(bench, program):
    """LITERAL- of RFC 7888: 4096 bytes, in groups and without."""
    for more in ((), ("MULTIAPPEND",)):
        sides = three_runs(bench, program, lambda line, more=more: strip(*more)(line).replace(b"LITERAL+", b"LITERAL-"))
        unasked = [int(n) for n in re.findall(rb"\{(\d+)\+\}\r\n", b"".join(sides.said))]
        asked = [int(n) for n in re.findall(rb"\{(\d+)\}\r\n", b"".join(sides.said))]
        check(unasked and max(unasked) <= 4096, None, "unasked: %s" % unasked)
        check(asked and min(asked) > 4096, None, "asked: %s" % asked)


if __name__ == "__main__":
    tests.main()
