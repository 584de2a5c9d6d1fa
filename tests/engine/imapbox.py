"""A mailbox as a test sees it: filled and read back over IMAP with imaplib, independently of the engine."""

import base64
import hashlib
import imaplib
import re
import time
from collections import Counter

imaplib._MAXLINE = 64 * 1024 * 1024


def connect(server, user="user"):
    c = imaplib.IMAP4("127.0.0.1", server.port)
    c.login(user, server.users[user])
    return c


def quoted(name):
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def mutf7(name):
    """Modified UTF-7 (RFC 3501 section 5.1.3)."""
    out = []
    for part in re.split(r"([^\x20-\x7e]+)", name):
        if part and not 0x20 <= ord(part[0]) <= 0x7E:
            shifted = base64.b64encode(part.encode("utf-16-be")).decode().rstrip("=").replace("/", ",")
            out.append("&" + shifted + "-")
        else:
            out.append(part.replace("&", "&-"))
    return "".join(out)


def append(c, folder, message, flags="", date=None):
    """message: bytes with CRLF line ends."""
    kind, data = c.append(quoted(folder), "(%s)" % flags, date or '"05-Mar-2019 08:09:10 +0100"', message)
    if kind != "OK":
        raise RuntimeError("append to %s: %s" % (folder, data))


def append_bytes(c, folder, message, flags="", date=None):
    """Whether the server took message, any bytes, exactly as they are; its words when it did not."""
    # imaplib's own append() makes every line end a CRLF.
    c.literal = message
    kind, data = c._simple_command("APPEND", quoted(folder), "(%s)" % flags, date or '"05-Mar-2019 08:09:10 +0100"')
    return kind == "OK", data


def create(c, folder, subscribe=False):
    kind, data = c.create(quoted(folder))
    if kind != "OK":
        raise RuntimeError("create %s: %s" % (folder, data))
    if subscribe:
        c.subscribe(quoted(folder))


def folders(c):
    """Raw names of what can be selected."""
    names = []
    for line in c.list()[1]:
        if isinstance(line, tuple):
            line = line[0] + b" " + line[1]
        m = re.match(rb'\((.*?)\) (?:"(?:.*?)"|NIL) (.*)$', line)
        flags, name = m.group(1).decode(), m.group(2).decode()
        if name.startswith('"'):
            name = name[1:-1].replace('\\"', '"').replace("\\\\", "\\")
        if "\\noselect" not in flags.lower() and "\\nonexistent" not in flags.lower():
            names.append(name)
    return sorted(names)


def subscribed(c):
    return sorted(re.match(rb'.* (?:"(.*)"|(\S+))$', line).group(1, 2) for line in c.lsub()[1] if line)


def messages(c, folder):
    """A Counter of (SHA-256 of the message, flags, INTERNALDATE, size); bodies go one at a time."""
    found = Counter()
    kind, data = c.select(quoted(folder), readonly=True)
    if kind != "OK":
        raise RuntimeError("select %s: %s" % (folder, data))
    count = int(data[0])
    for number in range(1, count + 1):
        _, rows = c.fetch(str(number), "(FLAGS INTERNALDATE BODY.PEEK[])")
        head = rows[0][0] + b" " + rows[-1] if isinstance(rows[-1], bytes) else rows[0][0]
        body = rows[0][1]
        flags = re.search(rb"FLAGS \((.*?)\)", head).group(1).decode().split()
        date = re.search(rb'INTERNALDATE "(.*?)"', head).group(1).decode()
        kept = frozenset(f for f in flags if f.lower() != "\\recent")
        found[(hashlib.sha256(body).hexdigest(), kept, date, len(body))] += 1
    return found


def snapshot(server, user="user", separator="/", prefix=""):
    """{folder with "/" between its parts and without prefix: messages()}."""
    c = connect(server, user)
    shot = {}
    for name in folders(c):
        plain = name[len(prefix):] if prefix and name.startswith(prefix) else name
        shot[plain.replace(separator, "/")] = messages(c, name)
    c.logout()
    return shot


def uids(server, user="user"):
    """{folder: UIDVALIDITY and UIDs}: changes when anything was stored, removed or stored again."""
    c = connect(server, user)
    shot = {}
    for name in folders(c):
        c.select(quoted(name), readonly=True)
        shot[name] = (c.response("UIDVALIDITY")[1], c.uid("search", None, "ALL")[1][0])
    c.logout()
    return shot


def message(n, size=600, ids=True, extra=b"", body=None):
    """A message of about size bytes; the same n gives the same bytes."""
    head = b"From: Accounts <accounts@example.org>\r\nTo: support@example.org\r\n"
    if ids:
        head += b"Message-ID: <%d.mailconvoy@example.org>\r\n" % n
        head += b"Received: from a.example.org by b.example.org; Tue, 5 Mar 2019 08:09:%02d +0100\r\n" % (n % 60)
    head += b"Date: Tue, 5 Mar 2019 08:09:10 +0100\r\nSubject: invoice %d\r\n" % n + extra + b"\r\n"
    if body is None:
        line = b"%06d The quick brown fox jumps over the lazy dog\r\n" % n
        body = line * max(1, (size - len(head)) // len(line))
    return head + body


def wait_for(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return False
