"""Mailboxes for the engine's figures, written straight into a Dovecot's maildirs and mboxes."""

import base64
import os
import random

FOLDERS = ["INBOX", "Sent", "Drafts", "Archive", "Archive.2019", "Archive.2020", "Clients", "Clients.North", "Clients.South",
           "Invoices", "Lists", "Lists.Announcements"]
FLAGS = ["", "S", "S", "RS", "FS", "S"]
FIRST_DATE_S = 1546300800


def body(rng, size):
    """Half text, half what an attachment looks like; size bytes or a few less."""
    text = b"The quick brown fox jumps over the lazy dog, and the lazy dog does not mind %06d.\n"
    lines = []
    left = size
    while left > 82:
        line = text % rng.randrange(10**6) if left > size // 2 else base64.b64encode(rng.randbytes(57)) + b"\n"
        lines.append(line)
        left -= len(line) + 1
    return b"".join(lines)


def message(rng, n, size):
    head = (b"Return-Path: <accounts@example.org>\n"
            b"Received: from a.example.org by b.example.org with ESMTPS id %08x; Tue, 5 Mar 2019 08:09:10 +0100\n"
            b"From: Accounts <accounts@example.org>\nTo: Support <support@example.org>\nSubject: Invoice %d\n"
            b"Date: Tue, 5 Mar 2019 08:09:10 +0100\nMessage-ID: <%d.%08x@example.org>\nMIME-Version: 1.0\n"
            b"Content-Type: text/plain; charset=utf-8\n\n" % (rng.randrange(2**32), n, n, rng.randrange(2**32)))
    return head + body(rng, max(0, size - len(head)))


def size_of(rng, mean):
    """Most are smaller than the mean, a few many times bigger."""
    return int(min(mean * 12, max(1000, rng.expovariate(1 / mean))))


def give(path, owner):
    if os.geteuid() != 0:
        return
    for root, _, names in os.walk(path):
        for name in [""] + names:
            os.chown(os.path.join(root, name) if name else root, *owner)


def fill_maildir(server, user, count, mean_size):
    """count messages in 12 folders; their bytes together."""
    rng = random.Random("%s %d" % (user, count))
    home = os.path.join(server.directory, "mail", user)
    top = os.path.join(home, "Maildir")
    total = 0
    places = []
    for name in FOLDERS:
        place = top if name == "INBOX" else os.path.join(top, "." + name)
        for part in ("cur", "new", "tmp"):
            os.makedirs(os.path.join(place, part))
        if place != top:
            open(os.path.join(place, "maildirfolder"), "wb").close()
        places.append(place)
    for n in range(count):
        data = message(rng, n, size_of(rng, mean_size))
        virtual = len(data) + data.count(b"\n")
        date = FIRST_DATE_S + 60 * n
        path = os.path.join(places[n * len(places) // count], "cur",
                            "%d.M%dP1.bench,S=%d,W=%d:2,%s" % (date, n, len(data), virtual, rng.choice(FLAGS)))
        with open(path, "wb") as f:
            f.write(data)
        os.utime(path, (date, date))
        total += virtual
    owner = os.stat(os.path.join(server.directory, "mail"))
    give(home, (owner.st_uid, owner.st_gid))
    return total


def fill_mbox(server, user, count):
    """count small messages in one file."""
    home = os.path.join(server.directory, "mail", user)
    os.makedirs(os.path.join(home, "mail"))
    with open(os.path.join(home, "inbox"), "wb") as f:
        for n in range(count):
            f.write(b"From accounts@example.org Tue Mar  5 08:09:%02d 2019\nFrom: accounts@example.org\n"
                    b"Date: Tue, 5 Mar 2019 08:09:10 +0100\nMessage-ID: <%d@example.org>\nSubject: Invoice %d\n\nPaid.\n\n"
                    % (n % 60, n, n))
    owner = os.stat(os.path.join(server.directory, "mail"))
    give(home, (owner.st_uid, owner.st_gid))
