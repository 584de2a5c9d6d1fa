"""An IMAP server in memory that speaks UTF-8: IMAP4rev2 (RFC 9051) alone or beside IMAP4rev1, or UTF8=ACCEPT (RFC 6855).

No server of Debian 12 offers these.  It is strict: what an older version would take is answered BAD, and noted in wrong.
"""

import base64
import os
import re
import sys

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "imap"))
import faulty
import imapbox as box

KINDS = {
    "rev2": b"IMAP4rev2 AUTH=PLAIN",
    "both": b"IMAP4rev1 IMAP4rev2 ENABLE AUTH=PLAIN LIST-EXTENDED UIDPLUS",
    "utf8": b"IMAP4rev1 ENABLE UTF8=ACCEPT AUTH=PLAIN LITERAL+ UIDPLUS NAMESPACE",
    "refusing": b"IMAP4rev1 ENABLE UTF8=ACCEPT AUTH=PLAIN LITERAL+ UIDPLUS NAMESPACE",
}
FLAGS = b"(\\Answered \\Flagged \\Deleted \\Seen \\Draft"


def unicode(raw):
    """Modified UTF-7 as it reads."""
    def part(m):
        code = m.group(1).replace(",", "/")
        return base64.b64decode(code + "=" * (-len(code) % 4)).decode("utf-16-be") if code else "&"
    return re.sub(r"&([^-]*)-", part, raw)


def header_of(message):
    return message.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


def has_utf8(message):
    """Whether there is UTF-8 in its header, and not only 8-bit bytes of old."""
    try:
        return not header_of(message).decode().isascii()
    except UnicodeDecodeError:
        return False


class Message:
    def __init__(self, uid, flags, date, data):
        self.uid, self.flags, self.date, self.data = uid, flags, date, data


class Folder:
    def __init__(self):
        self.messages = []
        self.uidnext = 1

    def add(self, data, flags=b"", date=b"05-Mar-2019 08:09:10 +0000"):
        self.messages.append(Message(self.uidnext, flags, date, data))
        self.uidnext += 1
        return self.uidnext - 1


class Session:
    """One client's."""

    def __init__(self, server, conn):
        self.server, self.conn = server, conn
        self.rev2 = server.kind == "rev2"
        self.utf8 = self.rev2
        self.folder = None

    def say(self, *lines):
        for line in lines:
            self.conn.send(line + b"\r\n")

    def wrong(self, what):
        self.server.wrong.append(what)
        return b"BAD " + what[:100]

    def name(self, rest):
        """The quoted folder name that rest begins with, and what is behind it; as this client must say it."""
        m = re.match(rb'"((?:[^"\\]|\\.)*)"\s*(.*)', rest, re.S)
        if m is None:
            return None, rest
        text = re.sub(rb"\\(.)", rb"\1", m.group(1))
        return text.decode() if self.utf8 else unicode(text.decode()), m.group(2)

    def shown(self, name):
        return b'"' + (name if self.utf8 else box.mutf7(name)).encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'

    def capability(self, _):
        self.say(b"* CAPABILITY " + KINDS[self.server.kind])
        return b"OK done"

    def authenticate(self, rest):
        line = rest.split(b" ")[1] if b" " in rest else None
        if line is None:
            self.say(b"+ ")
            line = self.conn.line()
        user = base64.b64decode(line).split(b"\0")[1]
        return b"OK [CAPABILITY " + KINDS[self.server.kind] + b"] " + user

    def enable(self, rest):
        if self.server.kind == "refusing":
            return b"NO not today"
        words = rest.upper().split()
        self.rev2 = self.rev2 or (b"IMAP4REV2" in words and b"IMAP4rev2" in KINDS[self.server.kind])
        self.utf8 = self.utf8 or self.rev2 or b"UTF8=ACCEPT" in words
        self.say(b"* ENABLED " + rest)
        return b"OK done"

    def namespace(self, _):
        self.say(b'* NAMESPACE (("" "/")) NIL NIL')
        return b"OK done"

    def counts(self, name):
        f = self.server.folders[name]
        return b"MESSAGES %d UIDNEXT %d UIDVALIDITY 7" % (len(f.messages), f.uidnext)

    def list(self, rest):
        for name in self.server.folders:
            flags = b"\\Subscribed" if name in self.server.subscribed else b""
            more = b' ("CHILDINFO" ("SUBSCRIBED") "OLDNAME" ("x \xc3\xbc"))' if self.rev2 else b""
            self.say(b"* LIST (" + flags + b') "/" ' + self.shown(name) + more)
            if b"STATUS (" in rest:
                self.say(b"* STATUS " + self.shown(name) + b" (" + self.counts(name) + b")")
        return b"OK done"

    def lsub(self, _):
        if self.rev2:
            return self.wrong(b"LSUB")
        for name in self.server.subscribed:
            self.say(b'* LSUB () "/" ' + self.shown(name))
        return b"OK done"

    def create(self, rest):
        name, _ = self.name(rest)
        if name is None or "&" in name and "-" in name and self.utf8:
            return self.wrong(b"CREATE " + rest)
        if name in self.server.folders:
            return b"NO [ALREADYEXISTS] it is there"
        self.server.folders[name] = Folder()
        return b"OK done"

    def subscribe(self, rest):
        name, _ = self.name(rest)
        self.server.subscribed.add(name)
        return b"OK done"

    def status(self, rest):
        name, _ = self.name(rest)
        if name not in self.server.folders:
            return b"NO [NONEXISTENT] no such folder"
        self.say(b"* STATUS " + self.shown(name) + b" (" + self.counts(name) + b")")
        return b"OK done"

    def select(self, rest):
        name, _ = self.name(rest)
        if name not in self.server.folders:
            return b"NO [NONEXISTENT] no such folder"
        self.folder = f = self.server.folders[name]
        if self.rev2:
            self.say(b'* LIST () "/" ' + self.shown(name))
        self.say(b"* %d EXISTS" % len(f.messages), b"* FLAGS " + FLAGS + b")",
                 b"* OK [PERMANENTFLAGS " + FLAGS + b" \\*)] kept", b"* OK [UIDVALIDITY 7] is", b"* OK [UIDNEXT %d] is" % f.uidnext)
        return b"OK [READ-WRITE] done"

    examine = select

    def append(self, rest):
        name, rest = self.name(rest)
        m = re.match(rb'\(([^)]*)\) (?:"([^"]*)" )?(UTF8 \(~)?\{(\d+)\+?\}\r\n', rest)
        if name not in self.server.folders or m is None:
            return self.wrong(b"APPEND " + rest[:80]) if m is None else b"NO [TRYCREATE] no such folder"
        data, left = rest[m.end():m.end() + int(m.group(4))], rest[m.end() + int(m.group(4)):]
        if left != (b")" if m.group(3) else b""):
            return self.wrong(b"APPEND ends in " + left)
        self.server.forms.append(bool(m.group(3)))
        if self.server.kind == "utf8" and has_utf8(data) and not m.group(3):
            return b"NO a message with UTF-8 in its header is to be called so"
        return b"OK [APPENDUID 7 %d] done" % self.server.folders[name].add(data, m.group(1), m.group(2))

    def picked(self, word):
        last = self.folder.uidnext
        for part in word.split(b","):
            first, _, end = part.partition(b":")
            for message in self.folder.messages:
                if int(first) <= message.uid <= (last if end == b"*" else int(end or first)):
                    yield message

    def uid(self, rest):
        verb, _, rest = rest.partition(b" ")
        return getattr(self, "uid_" + verb.lower().decode())(rest)

    def uid_fetch(self, rest):
        word, _, items = rest.partition(b" ")
        for message in self.picked(word):
            out = b"UID %d" % message.uid
            for item, value in ((b"FLAGS", b"(" + message.flags + b")"), (b"INTERNALDATE", b'"' + message.date + b'"'),
                                (b"RFC822.SIZE", b"%d" % len(message.data))):
                if item in items:
                    out += b" " + item + b" " + value
            fields = re.search(rb"BODY\.PEEK\[(HEADER(?:\.FIELDS \(([^)]*)\))?)?\]", items)
            if fields:
                data = message.data
                if fields.group(1):
                    names = (fields.group(2) or b"").upper().split()
                    lines = re.findall(rb"[^\r\n]+\r\n(?:[ \t][^\r\n]*\r\n)*", header_of(data))
                    data = b"".join(l for l in lines if not names or l.split(b":")[0].upper() in names) + b"\r\n"
                out += b" BODY[" + (fields.group(1) or b"") + b"] {%d}\r\n" % len(data) + data
            self.say(b"* %d FETCH (" % (self.folder.messages.index(message) + 1) + out + b")")
        return b"OK done"

    def uid_search(self, rest):
        if b"CHARSET" in rest and self.utf8:
            return self.wrong(b"CHARSET")
        m = re.search(rb"UID (\d+:\d+) ?(?:BODY (?:\"([^\"]*)\"|\{\d+\+?\}\r\n(.*)))?", rest, re.S)
        wanted = m.group(2) or m.group(3) or b""
        found = [b"%d" % message.uid for message in self.picked(m.group(1)) if wanted in message.data]
        if self.rev2 or b"RETURN" in rest:
            self.say(b'* ESEARCH (TAG "x") UID' + (b" ALL " + b",".join(found) if found else b""))
        else:
            self.say(b"* SEARCH " + b" ".join(found))
        return b"OK done"

    def uid_store(self, rest):
        return b"OK done"

    def id(self, _):
        return b"OK done"

    noop = id

    def serve(self):
        self.say(b"* OK [CAPABILITY " + KINDS[self.server.kind] + b"] ready")
        while True:
            tag, rest = self.conn.command()
            verb, _, rest = rest.partition(b" ")
            if verb == b"LOGOUT":
                self.say(b"* BYE bye", tag + b" OK done")
                return
            method = getattr(self, verb.lower().decode(), None)
            self.say(tag + b" " + (method(rest) if method else self.wrong(verb)))


class Box:
    """kind: of KINDS.  forms: of each APPEND, whether it was data of UTF8."""

    def __init__(self, kind):
        self.kind = kind
        self.folders = {"INBOX": Folder()}
        self.subscribed = set()
        self.wrong, self.forms = [], []
        self.server = faulty.Server(lambda conn: Session(self, conn).serve())
        self.port = self.server.port

    def __enter__(self):
        self.server.__enter__()
        return self

    def __exit__(self, *what):
        self.server.__exit__(*what)

    def snapshot(self):
        return {name: sorted((m.data, frozenset(m.flags.decode().split())) for m in f.messages)
                for name, f in self.folders.items()}
