"""A mailbox of everything that servers and programs trip over, and how it is put on a server.

Folder names are Unicode with "/" between their parts; folders() says which a server holds.
"""

import os
import re

import imapbox as box

LONG = "A folder with a very long name " + "abcdefghij" * 13
LONG_ABROAD = "Очень длинное имя папки " + "я" * 40
TOO_DEEP = "Deep/" + "x" * 130 + "/" + "y" * 130
FOLDERS = ["Archive/2023/Q1", "Archive/2023/Q2", "Case", "case", "Été à la plage", "日本語/東京", "R&D", "With 'quotes' and (brackets)",
           "Empty", "Flags", "Dates", "Twins", "Broken", "Big", LONG, LONG_ABROAD, TOO_DEEP, "dotted v1.2"]
SUBSCRIBED = ["Archive/2023/Q1", "日本語/東京", "Flags"]

FLAGS = ["", "\\Seen", "\\Flagged \\Seen", "\\Answered", "\\Draft", "\\Deleted", "\\Seen \\Answered \\Flagged \\Draft \\Deleted",
         "$Label1 NonJunk", "\\Seen $Forwarded"]
DATES = ["05-Mar-2019 08:09:10 +0100", " 1-Jan-1999 00:00:00 +0000", "31-Dec-2023 23:59:59 -1100", "29-Feb-2020 12:00:00 +0530",
         "30-Jun-2015 12:59:59 +1400", "01-Jan-1970 12:00:01 +0000", "19-Jan-2038 03:14:06 +0000", "28-Mar-2021 02:30:00 +0200"]

HEAD = b"From: Accounts <accounts@example.org>\r\nDate: Tue, 5 Mar 2019 08:09:10 +0100\r\n"


def identified(name, rest=b"", body=b"body\r\n"):
    return HEAD + b"Message-ID: <" + name + b"@example.org>\r\n" + rest + b"\r\n" + body


def broken():
    """Messages that break a rule, and those that a program may take for one another."""
    yield b""
    yield b"\r\n"
    yield b"\r\nonly a body\r\n"
    yield b"no header line here\r\n\r\nbody\r\n"
    yield b"Subject: header only, no empty line\r\n"
    yield b"Subject: no line end at all"
    yield HEAD + b"Subject: neither Message-Id nor Received\r\n\r\none\r\n"
    yield HEAD + b"Subject: neither Message-Id nor Received\r\n\r\ntwo\r\n"
    yield b"Message-ID : <space@example.org>\r\nSubject: a space before the colon\r\n\r\nbody\r\n"
    yield b"Message-ID:\r\n <folded@example.org>\r\nSubject: folded\r\n\r\nbody\r\n"
    yield identified(b"Upper", b"Subject: upper\r\n")
    yield identified(b"upper", b"Subject: lower\r\n")
    for text in (b"first", b"second", b"a third one"):
        yield identified(b"same", b"Subject: same\r\n", text + b"\r\n")
    yield identified(b"linefeed", b"Subject: bare LF in the body\r\n", b"one\ntwo\n\nthree\r\n")
    yield HEAD.replace(b"\r\n", b"\n") + b"Message-ID: <alllinefeed@example.org>\n\nbody\nbody\n"
    yield identified(b"return", b"Subject: bare CR\r\n", b"one\rtwo\r\r\nthree\r\n")
    yield identified(b"nul", b"Subject: NUL\r\n", b"one\0two\r\n")
    yield identified(b"eight", b"Subject: \xe9t\xe9 \xff\r\n", b"\x80\x81\xfe\xff\r\n")
    yield identified(b"escape", b"Subject: \x1b[31mred\x07\r\n", b"\x1b]0;title\x07\r\n")
    yield identified(b"dots", b"", b".\r\n..\r\n.\r\nFrom here\r\n>From there\r\n")
    yield identified(b"mime1", b"Content-Type: multipart/mixed; boundary=never\r\n", b"--other\r\nbody\r\n")
    yield identified(b"mime2", b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\r\n",
                     b"--b\r\nContent-Type: image/;;;=\r\nContent-Transfer-Encoding: base65\r\n\r\n!!!\r\n--b\r\n")
    yield identified(b"mime3", b"Content-Type: message/rfc822\r\n", b"Content-Type: message/rfc822\r\n\r\n" * 60)
    yield identified(b"longline", b"Subject: a line of 300 KB\r\n", b"x" * 300000 + b"\r\n")
    yield identified(b"header", b"".join(b"X-Filler-%d: %s\r\n" % (n, b"y" * 900) for n in range(1150)))
    yield identified(b"literal", b"Subject: what looks like a protocol\r\n", b"* 1 FETCH (BODY[] {5}\r\n+ go on\r\na OK done\r\n")
    yield identified(b"mark", b"Message-Id: <12@imapsync>\r\n")
    yield identified(b"none", b"", b"")


def big():
    return identified(b"big", b"Subject: 50 MB\r\n", (b"0123456789abcdef" * 4 + b"\r\n") * (50000000 // 66))


def contents():
    """(folder, message, flags, date)"""
    yield "INBOX", box.message(1), "\\Seen", DATES[0]
    for n, folder in enumerate(FOLDERS):
        if folder not in ("Empty", "Big"):
            # The same message is in several folders.
            yield folder, box.message(1), "", DATES[0]
            yield folder, box.message(100 + n, 3000), "\\Seen", DATES[1]
    for n, flags in enumerate(FLAGS):
        yield "Flags", box.message(200 + n), flags, DATES[0]
    for n, date in enumerate(DATES):
        yield "Dates", box.message(300 + n), "\\Flagged", date
    for _ in range(3):
        yield "Twins", box.message(400), "", DATES[2]
    yield "Twins", box.message(400), "\\Seen", DATES[3]
    for message in broken():
        yield "Broken", message, "", DATES[0]
    yield "Big", big(), "", DATES[0]


def name_on(server, folder):
    """folder's raw name on server."""
    if folder == "INBOX":
        return folder
    return server.prefix + box.mutf7(folder).replace("/", server.separator)


def fill(server, user):
    """{folder: [words of the server's refusals]} of what server does not hold."""
    c = box.connect(server, user)
    refused = {}
    for folder in FOLDERS:
        if "." in folder and server.separator == ".":
            refused[folder] = ["its separator"]
            continue
        kind, data = c.create(box.quoted(name_on(server, folder)))
        if kind != "OK":
            refused[folder] = [str(data)]
        elif folder in SUBSCRIBED:
            c.subscribe(box.quoted(name_on(server, folder)))
    for folder, message, flags, date in contents():
        if folder in refused and folder != "Broken":
            continue
        taken, words = box.append_bytes(c, name_on(server, folder), message, flags, '"%s"' % date)
        if not taken:
            refused.setdefault(folder, []).append(str(words))
    c.logout()
    return refused


SMUGGLED = (identified(b"smuggled", b"", b"a NUL \0 and a bare CR \r.\r\n"), b"",
            identified(b"8bit", b"Subject: \xff\xfe\r\n", bytes(range(1, 256)) + b"\r\n"))


def smuggle(maildir, owner, messages=SMUGGLED):
    """Into Courier's store past its IMAP server: what came there otherwise."""
    for n, message in enumerate(messages):
        path = os.path.join(maildir, "cur", "1546300800.M%dP1.smuggled:2,S" % n)
        with open(path, "wb") as f:
            f.write(re.sub(rb"\r\n", b"\n", message))
        os.utime(path, (1546300800 + n, 1546300800 + n))
        os.chown(path, *owner)
