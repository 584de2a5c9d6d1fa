"""A private Courier-IMAP on a loopback port, for tests; runs as root (then as nobody) and as an ordinary user.

    with Courier(directory, users) as c: ...

Courier's own login needs its daemon of accounts in fixed places of the system, so the few lines before the login are
spoken here; from then on everything is Courier's imapd.  c.port speaks plain text.
"""

import os
import re
import select
import shutil
import socket
import subprocess
import threading
import time

import unpacked

CAPABILITY = "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE"


def missing():
    return unpacked.missing("usr/bin/imapd")


def unquoted(words):
    """The two strings behind LOGIN."""
    found = re.match(rb'(?:"((?:[^"\\]|\\.)*)"|(\S+)) (?:"((?:[^"\\]|\\.)*)"|(\S+))$', words)
    if not found:
        return None, None
    user, password = (found.group(1) or found.group(2) or b""), (found.group(3) or found.group(4) or b"")
    return tuple(re.sub(rb"\\(.)", rb"\1", word).decode() for word in (user, password))


class Courier:
    separator = "."
    prefix = "INBOX."

    def __init__(self, directory, users=None, no_keywords=()):
        self.directory = directory
        self.users = dict(users or {"user": "pass word%1"})
        self.no_keywords = set(no_keywords)
        unpacked.make_directory(directory)
        self.root = unpacked.root_for(directory)
        self.mail = os.path.join(directory, "mail")
        os.makedirs(self.mail, exist_ok=True)
        unpacked.hand_over(self.mail)
        self.monitor = None
        self.children = set()
        self.lock = threading.Lock()
        self.monitor_id = "mcv%d" % os.getpid()
        self.log = os.path.join(directory, "log")

    def command(self, *words, **more):
        with open(self.log, "ab") as log:
            return subprocess.Popen([os.path.join(self.root, words[0]), *words[1:]], stderr=log, **unpacked.identity(), **more)

    def environment(self, **more):
        return unpacked.environment(self.root, GAM_CLIENT_ID=self.monitor_id, USER=unpacked.account()[0],
                                    LOGNAME=unpacked.account()[0], **more)

    def start(self):
        # imapd asks this one what changed in a folder, and would start it for good.
        self.monitor = self.command("usr/libexec/gam_server", "--notimeout", self.monitor_id, env=self.environment(),
                                    cwd=self.mail, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        wanted = "fam-%s-%s" % (unpacked.account()[0], self.monitor_id)
        deadline = time.monotonic() + 120
        while wanted not in open("/proc/net/unix", encoding="ascii").read() and time.monotonic() < deadline:
            time.sleep(0.01)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        try:
            self.greet(client)
        except (OSError, ValueError):
            pass
        finally:
            client.close()

    def read_line(self, client):
        line = b""
        while not line.endswith(b"\n"):
            byte = client.recv(1)
            if not byte:
                raise ValueError("hung up")
            line += byte
        return line.rstrip(b"\r\n")

    def greet(self, client):
        client.sendall(b"* OK [CAPABILITY %s] Courier-IMAP ready.\r\n" % CAPABILITY.encode())
        while True:
            tag, _, words = self.read_line(client).partition(b" ")
            verb, _, words = words.partition(b" ")
            verb = verb.upper()
            if verb == b"LOGIN":
                words = self.with_literals(client, words)
                user, password = unquoted(words)
                if user is not None and self.users.get(user) == password:
                    return self.hand_to_imapd(client, tag, user)
                client.sendall(tag + b" NO Login failed.\r\n")
            elif verb == b"CAPABILITY":
                client.sendall(b"* CAPABILITY %s\r\n%s OK done\r\n" % (CAPABILITY.encode(), tag))
            elif verb == b"LOGOUT":
                client.sendall(b"* BYE\r\n%s OK done\r\n" % tag)
                return None
            elif verb in (b"NOOP", b"ID"):
                client.sendall(tag + b" OK done\r\n")
            else:
                client.sendall(tag + b" BAD not here\r\n")

    def with_literals(self, client, words):
        while True:
            literal = re.search(rb"\{(\d+)\}$", words)
            if not literal:
                return words
            client.sendall(b"+ go on\r\n")
            text = b""
            while len(text) < int(literal.group(1)):
                text += client.recv(int(literal.group(1)) - len(text))
            text = text.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
            words = words[:literal.start()] + b'"' + text + b'"' + self.read_line(client)

    def maildir(self, user):
        return os.path.join(self.mail, user, "Maildir")

    def make_maildir(self, user):
        with self.lock:
            if os.path.exists(self.maildir(user)):
                return
            os.makedirs(os.path.dirname(self.maildir(user)), exist_ok=True)
            unpacked.hand_over(os.path.dirname(self.maildir(user)))
            self.command("usr/bin/maildirmake.courier", self.maildir(user), env=self.environment()).wait()

    def hand_to_imapd(self, client, tag, user):
        self.make_maildir(user)
        keywords = {} if user in self.no_keywords else {"IMAP_KEYWORDS": "1"}
        child = self.command(
            "usr/bin/imapd", "Maildir", stdin=client.fileno(), stdout=subprocess.PIPE, bufsize=0,
            cwd=os.path.dirname(self.maildir(user)),
            env=self.environment(AUTHENTICATED=user, HOME=os.path.dirname(self.maildir(user)), PROTOCOL="IMAP",
                                 IMAP_CAPABILITY=CAPABILITY, IMAP_USELOCKS="1", IMAP_ACL="1", IMAP_CHECK_ALL_FOLDERS="0",
                                 IMAP_IDLE_TIMEOUT="60", IMAP_TRASHFOLDERNAME="Trash", IMAP_EMPTYTRASH="Trash:30000",
                                 TCPREMOTEIP="127.0.0.1", TCPREMOTEPORT="0", **keywords))
        with self.lock:
            self.children.add(child)
        try:
            # "* PREAUTH" is its greeting: our client sent a LOGIN.
            first = b""
            while not first.endswith(b"\n"):
                byte = child.stdout.read(1)
                if not byte:
                    return
                first += byte
            if not first.startswith(b"* PREAUTH"):
                client.sendall(first)
            client.sendall(tag + b" OK LOGIN Ok.\r\n")
            self.relay(child.stdout.fileno(), client)
        finally:
            child.stdout.close()
            # A client that is gone is seen by imapd when it reads.
            try:
                client.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            child.wait()
            with self.lock:
                self.children.discard(child)

    def relay(self, source, client):
        while True:
            try:
                if not os.splice(source, client.fileno(), 1 << 20):
                    return
            except BlockingIOError:
                # imapd makes its standard input, which is this socket, non-blocking.
                select.select([], [client], [])

    def forget(self, user):
        shutil.rmtree(os.path.join(self.mail, user), ignore_errors=True)

    def stop(self):
        if self.monitor is None:
            return
        self.listener.close()
        with self.lock:
            children = list(self.children)
        for child in children + [self.monitor]:
            child.kill()
            child.wait()
        self.monitor = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *what):
        self.stop()
