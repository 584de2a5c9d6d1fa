"""A private Cyrus IMAP on a loopback port, for tests; runs as root (then as nobody) and as an ordinary user.

    with Cyrus(directory, users) as c: ...

c.port speaks plain text.  Passwords are asked for over the socket of a saslauthd that is spoken here.
"""

import imaplib
import os
import signal
import socket
import struct
import subprocess
import threading
import time

import dovecot
import unpacked

ADMIN = "admin"

CONFIG = """configdirectory: {dir}/conf
defaultpartition: default
partition-default: {dir}/spool
proc_path: {dir}/proc
mboxname_lockpath: {dir}/lock
cyrus_user: {user}
cyrus_group: {group}
altnamespace: no
unixhierarchysep: no
allowplaintext: yes
sasl_pwcheck_method: saslauthd
sasl_saslauthd_path: {dir}/mux
sasl_mech_list: PLAIN
admins: {admin}
virtdomains: off
servername: localhost
syslog_prefix: mcvtest
search_engine: none
"""

SERVICES = """START {{
}}
SERVICES {{
  imap cmd="{imapd} -C {dir}/imapd.conf" listen="127.0.0.1:{port}" prefork=1 maxchild=200
}}
EVENTS {{
}}
"""


def missing():
    return unpacked.missing("usr/lib/cyrus/bin/imapd")


class Cyrus:
    separator = "."
    prefix = "INBOX."

    def __init__(self, directory, users=None):
        self.directory = directory
        self.users = dict(users or {"user": "pass word%1"})
        self.users[ADMIN] = "of all mailboxes"
        self.process = None
        self.known = set()
        self.port = dovecot.free_port()
        unpacked.make_directory(directory)
        self.root = unpacked.root_for(directory)
        for name in ("conf", "spool", "proc", "lock"):
            os.makedirs(os.path.join(directory, name), exist_ok=True)
        user, group = unpacked.account()
        self.write("imapd.conf", CONFIG.format(dir=directory, user=user, group=group, admin=ADMIN))
        self.write("cyrus.conf", SERVICES.format(dir=directory, port=self.port,
                                                 imapd=os.path.join(self.root, "usr/lib/cyrus/bin/imapd")))
        for name in ("conf", "spool", "proc", "lock"):
            unpacked.hand_over(os.path.join(directory, name))

    def write(self, name, text):
        with open(os.path.join(self.directory, name), "w", encoding="ascii") as f:
            f.write(text)

    def command(self, name, *words):
        with open(os.path.join(self.directory, "log"), "ab") as log:
            return subprocess.Popen([os.path.join(self.root, "usr/lib/cyrus/bin", name), "-C",
                                     os.path.join(self.directory, "imapd.conf"), *words],
                                    env=unpacked.environment(self.root), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                    start_new_session=True, cwd=self.directory, **unpacked.identity())

    def start(self):
        self.start_passwords()
        if self.command("ctl_cyrusdb", "-r").wait() != 0:
            raise RuntimeError("ctl_cyrusdb failed: " + self.log())
        self.process = self.command("master", "-M", os.path.join(self.directory, "cyrus.conf"), "-p",
                                    os.path.join(self.directory, "conf", "pid"))
        deadline = time.monotonic() + 120
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as s:
                    s.settimeout(30)
                    if s.recv(4) == b"* OK":
                        return self
            except OSError:
                pass
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("cyrus did not start: " + self.log())
            time.sleep(0.02)

    def log(self):
        with open(os.path.join(self.directory, "log"), encoding="utf-8", errors="replace") as f:
            return f.read()[-4000:]

    def start_passwords(self):
        self.mux = socket.socket(socket.AF_UNIX)
        path = os.path.join(self.directory, "mux")
        self.mux.bind(path)
        os.chmod(path, 0o777)
        self.mux.listen(64)
        threading.Thread(target=self.answer_passwords, daemon=True).start()

    def answer_passwords(self):
        """saslauthd's protocol: login, password, service and realm, each behind its length of two bytes."""
        while True:
            try:
                client, _ = self.mux.accept()
            except OSError:
                return
            with client, client.makefile("rb") as stream:
                words = []
                for _ in range(4):
                    (length,) = struct.unpack(">H", stream.read(2))
                    words.append(stream.read(length).decode())
                answer = b"OK" if self.users.get(words[0]) == words[1] else b"NO"
                client.sendall(struct.pack(">H", len(answer)) + answer)

    def make(self, user):
        """user's INBOX; a user whose mailbox is not made cannot do anything."""
        c = imaplib.IMAP4("127.0.0.1", self.port)
        c.login(ADMIN, self.users[ADMIN])
        kind, data = c.create("user." + user)
        if kind != "OK":
            raise RuntimeError("create user.%s: %s" % (user, data))
        c.logout()

    def stop(self):
        if self.process is None:
            return
        self.mux.close()
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            pass
        # Its services are a session of their own.
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *what):
        self.stop()
