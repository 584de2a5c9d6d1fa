#!/usr/bin/env python3
"""Arrival dates that servers cannot hold, and line ends they change, between real servers: nothing is copied twice."""

import imaplib
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import imapbox as box
from harness import Tests, check
from test_matrix import KINDS, PASSWORD, Matrix

DATES = ("31-Dec-1969 12:00:00 +0000", "01-Jan-1960 00:00:00 +0000", "01-Jan-1970 00:00:00 +0000",
         "20-Jan-2038 03:14:08 +0000", "07-Feb-2106 06:28:16 +0000", "05-Mar-2019 08:09:10 +0100")


class Dates(Matrix):
    def __init__(self):
        super().__init__()
        self.users = {kind + other: PASSWORD for kind in KINDS for other in ("",) + KINDS}
        self.filled = set()

    def fill(self, kind):
        """The user of the source that holds each date with CRLF and with LF alone, as far as the server takes it."""
        if kind not in self.filled:
            self.filled.add(kind)
            c = box.connect(self.make_user(kind, kind), kind)
            taken = 0
            for n, date in enumerate(DATES):
                for end in (b"\r\n", b"\n"):
                    message = box.message(2 * n + len(end)).replace(b"\r\n", end)
                    try:
                        taken += box.append_bytes(c, "INBOX", message, "", '"%s"' % date)[0]
                    except imaplib.IMAP4.error:
                        pass
            c.logout()
            check(taken >= len(DATES) // 2, None, "%s took %d" % (kind, taken))
        return kind


tests = Tests(bench=Dates())


def nothing_twice(bench, program, source, destination):
    bench.server(source), bench.server(destination)
    user, there = bench.fill(source), source + destination
    server = bench.make_user(destination, there)
    ports = {"port1": bench.server(source).port, "port2": server.port, "user2": there}
    r = bench.sync(program, user, **ports)
    check(r.number("Messages transferred") >= len(DATES) // 2, r)
    before = box.uids(server, there)
    for _ in range(2):
        r = bench.sync(program, user, **ports)
        check(r.number("Messages transferred") == 0 and box.uids(server, there) == before, r)


for one in KINDS:
    for other in KINDS:
        def case(bench, program, kinds=(one, other)):
            nothing_twice(bench, program, *kinds)
        case.__name__ = "mail_of_any_date_is_copied_once_from_%s_to_%s" % (one, other)
        tests.engine_only(case)

if __name__ == "__main__":
    tests.main()
