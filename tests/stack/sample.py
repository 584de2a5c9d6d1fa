"""The sample mailbox: what real mailboxes hold, and what has broken migrations before."""

import imaplib
import random

from imapbox import append, create, mutf7

BIG_BYTES = 20 * 1024 * 1024


def text_message(rng, n, subject, extra=b"", body=None):
    head = (b"From: Accounts <accounts@example.org>\r\nTo: Support <support@example.org>\r\n"
            b"Message-ID: <sample-%d@example.org>\r\n"
            b"Received: from mail.example.org by imap.example.org; Tue, 5 Mar 2019 08:09:10 +0100\r\n"
            b"Date: Tue, 5 Mar 2019 08:09:10 +0100\r\nSubject: %s\r\n" % (n, subject.encode()))
    if body is None:
        body = b"".join(b"Line %d of message %d: %08x\r\n" % (i, n, rng.getrandbits(32))
                        for i in range(rng.randrange(5, 400)))
    return head + extra + b"\r\n" + body


def big_message(n):
    line = b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM=\r\n"
    head = (b"From: Accounts <accounts@example.org>\r\nMessage-ID: <sample-big-%d@example.org>\r\n"
            b"Subject: the plans, 20 MB\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\n" % n)
    return head + line * (BIG_BYTES // len(line))


def fill(host, port, context, user, password, big=True, scale=1):
    """Fill user's mailbox; the same call makes the same messages."""
    rng = random.Random(42)
    c = imaplib.IMAP4_SSL(host, port, ssl_context=context)
    c.login(user, password)
    n = 0
    plan = [("INBOX", 40), ("Archive/2019/Invoices", 25), ("Archive/2020", 15), ("Entwürfe", 3), ("送信済み", 8),
            ("Projects/A & B", 10), ("Sent", 20), ("Lists/very long name " + "x" * 60, 4), ("Empty", 0)]
    for folder, count in plan:
        name = mutf7(folder)
        if folder not in ("INBOX",):
            create(c, name, subscribe=True)
        for _ in range(count * scale):
            n += 1
            flags = rng.choice(["", "\\Seen", "\\Seen \\Answered", "\\Flagged", "\\Seen $Forwarded", "\\Draft"])
            date = '"%02d-%s-%d %02d:30:00 %s"' % (
                rng.randrange(1, 29), rng.choice(["Jan", "Jun", "Dec"]), rng.randrange(1999, 2026),
                rng.randrange(24), rng.choice(["+0000", "+0130", "-0800"]))
            append(c, name, text_message(rng, n, "message %d" % n), flags, date)
    append(c, "INBOX", b"Subject: no identity at all\r\n\r\nNeither Message-ID nor Received.\r\n", "\\Seen")
    append(c, "INBOX", text_message(rng, 90001, "8-bit", body=b"caf\xe9 na\xefve \xff\xfe\r\n"))
    append(c, "INBOX", b"\r\nA message without any header.\r\n")
    append(c, "INBOX", text_message(rng, 90002, "<script>alert(1)</script>"), "\\Seen",
           '"29-Feb-2004 23:59:59 +0000"')
    if big:
        append(c, "Archive/2020", big_message(1), "\\Seen")
    c.logout()
