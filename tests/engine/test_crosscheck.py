#!/usr/bin/env python3
"""The engine and imapsync agree on what is copied: after the one, the other finds nothing left to do."""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import awkward
import imapbox as box
from harness import PROGRAMS, Skip, Tests, check
from test_matrix import Matrix

# Every server once as source and once as destination.
PAIRS = (("dovecot", "courier"), ("courier", "cyrus"), ("cyrus", "dovecot"))
ENGINE, IMAPSYNC = PROGRAMS


class CrossCheck(Matrix):
    """An ordinary mailbox: what imapsync can identify and every server holds."""

    def __init__(self):
        super().__init__()
        self.full = set()
        names = ["mine-%s", "theirs-%s", "source-%s"]
        self.users.update({name % kind: "password" for name in names for kind in ("dovecot", "courier", "cyrus")})

    def filled(self, kind):
        user = "source-" + kind
        if user in self.full:
            return user
        self.full.add(user)
        server = self.make_user(kind, user)
        c = box.connect(server, user)
        folders = ["INBOX"] + [awkward.name_on(server, name) for name in ("Archive/2023/Q1", "R&D", "Été à la plage")]
        for folder in folders[1:]:
            check(c.create(box.quoted(folder))[0] == "OK")
        for n in range(40):
            flags = ("", "\\Seen", "\\Flagged \\Seen", "\\Answered")[n % 4]
            box.append(c, folders[n % 4], box.message(n, 500 + 997 * n), flags, '"%s"' % awkward.DATES[n % 5])
        c.logout()
        return user


tests = Tests(bench=CrossCheck())


def left_to_do(r):
    """What a dry run would have copied."""
    m = re.search(r"could be (\d+) without dry mode", r.output)
    return int(m.group(1)) if m else None


def agree(bench, kinds, first, second, user2):
    if IMAPSYNC.path is None:
        raise Skip("no imapsync on PATH")
    bench.server(kinds[0]), bench.server(kinds[1])
    user = bench.filled(kinds[0])
    bench.make_user(kinds[1], user2)
    ports = {"port1": bench.server(kinds[0]).port, "port2": bench.server(kinds[1]).port, "user2": user2}
    r = bench.sync(first, user, **ports)
    check(r.code == 0 and r.number("Messages transferred") == 40, r)
    again = bench.sync(second, user, "--dry", **ports)
    check(again.code == 0 and left_to_do(again) == 0, again, "%s finds something after %s" % (second, first))
    before = box.uids(bench.server(kinds[1]), user2)
    again = bench.sync(second, user, **ports)
    check(again.number("Messages transferred") == 0 and box.uids(bench.server(kinds[1]), user2) == before, again)


for pair in PAIRS:
    def after_ours(bench, _, kinds=pair):
        agree(bench, kinds, ENGINE, IMAPSYNC, "mine-" + kinds[1])

    def after_theirs(bench, _, kinds=pair):
        agree(bench, kinds, IMAPSYNC, ENGINE, "theirs-" + kinds[1])

    after_ours.__name__ = "imapsync_finds_nothing_after_ours_from_%s_to_%s" % pair
    after_theirs.__name__ = "ours_finds_nothing_after_imapsync_from_%s_to_%s" % pair
    tests.engine_only(after_ours)
    tests.engine_only(after_theirs)

if __name__ == "__main__":
    tests.main()
