"""A server with one folder of very many small messages, which cost it nothing: for measuring memory."""

import bisect
import re
import socket
import threading

GREETING = b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR LITERAL+ NAMESPACE] ready\r\n"


def row(uid, n, part):
    if part == b"BODY[]":
        text = b"Subject: number %d\r\n\r\nbody\r\n" % n
        return b"* %d FETCH (UID %d BODY[] {%d}\r\n%s)\r\n" % (uid, uid, len(text), text)
    header = (b"Message-ID: <%d.crowd@example.org>\r\nReceived: from a.example.org by b.example.org; Tue, 5 Mar 2019 "
              b"08:09:10 +0100\r\nDate: Tue, 5 Mar 2019 08:09:10 +0100\r\nSubject: number %d\r\n\r\n" % (n, n))
    return (b"* %d FETCH (UID %d RFC822.SIZE 700 FLAGS (\\Seen) INTERNALDATE \"05-Mar-2019 08:09:10 +0100\" "
            b"%s {%d}\r\n%s)\r\n"
            % (uid, uid, part, len(header), header))


class Crowd:
    """count messages, but those in missing, and those of again once more; any user and password."""

    def __init__(self, count, missing=(), again=()):
        self.uids = [n for n in range(1, count + 1) if n not in missing]
        self.again = {count + 1 + place: n for place, n in enumerate(again)}
        self.uids += self.again
        self.next = count + len(self.again) + 1
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.fetches = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            stream = connection.makefile("rwb", 1 << 20)
            stream.write(GREETING)
            stream.flush()
            for line in stream:
                self.answer(stream, line.strip())
                stream.flush()
        except OSError:
            pass

    def answer(self, out, line):
        tag, _, command = line.partition(b" ")
        verb = command.split(b" ")[0].upper()
        if verb == b"NAMESPACE":
            out.write(b'* NAMESPACE (("" "/")) NIL NIL\r\n')
        elif verb == b"CAPABILITY":
            out.write(b"* CAPABILITY IMAP4rev1 NAMESPACE LITERAL+\r\n")
        elif verb in (b"LIST", b"LSUB"):
            out.write(b'* %s () "/" INBOX\r\n' % verb)
        elif verb in (b"SELECT", b"EXAMINE"):
            out.write(b"* %d EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n* OK [UIDNEXT %d] x\r\n* FLAGS (\\Seen)\r\n"
                      % (len(self.uids), self.next))
        elif command.upper().startswith(b"UID FETCH"):
            self.fetch(out, command)
        out.write(tag + b" OK done\r\n")

    def fetch(self, out, command):
        self.fetches.append(command)
        part = re.search(rb"BODY\.PEEK(\[.*?\])", command)
        part = b"BODY" + part.group(1) if part else b"X"
        for wanted in command.split(b" ")[2].split(b","):
            first, _, last = wanted.partition(b":")
            low, high = int(first), self.next if last == b"*" else int(last or first)
            for uid in self.uids[bisect.bisect_left(self.uids, low):]:
                if uid > high:
                    break
                out.write(row(uid, self.again.get(uid, uid), part))

    def close(self):
        self.listener.close()
