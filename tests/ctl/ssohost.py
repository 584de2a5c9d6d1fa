"""A machine with customers who are system users, and the local socket that makes sign-in links for them."""
import atexit
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [os.path.join(TESTS, "stack"), os.path.join(TESTS, "http")]

import namespace  # noqa: E402
import stack      # noqa: E402
import tap        # noqa: E402

BUILD = os.environ.get("MCV_BUILDDIR") or stack.SOURCE
PEOPLE = {"bob": 58811, "eve": 58812, "Bob": 58813, "panel": 58814, "ann": 58815, "carol": 58816}
SERVICES = {"service": 990, "listed": 991}
NAMELESS = 58899
OK, USAGE, REFUSED, UNAVAILABLE, CONFIG, LATER, DENIED = 0, 64, 65, 69, 78, 75, 77


class Host:
    def __init__(self, script):
        namespace.enter(script, BUILD)
        self.dir = tempfile.mkdtemp(prefix="mcv-sso-", dir="/tmp")
        os.chmod(self.dir, 0o755)
        atexit.register(shutil.rmtree, self.dir, ignore_errors=True)
        namespace.USERS.update(PEOPLE)
        namespace.USERS.update(SERVICES)
        namespace.add_users(self.dir)
        self.stack = stack.Stack(os.path.join(self.dir, "stack"), BUILD, port=0, separate=True, sso=True,
                                 parts=("mariadb", "web"), settings={"sso_trusted_users": ["panel", "991"]})
        try:
            self.stack.check_prerequisites()
        except RuntimeError as why:
            tap.skip_all(str(why))
        atexit.register(self.stack.stop)
        self.stack.start()
        self.socket = self.stack.sso_socket

    def said(self):
        with open(self.stack.sso_log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def start_again(self):
        """Nobody has asked for anything yet."""
        process = self.stack.sso_process
        process.stop()
        tap.same(process.child.returncode, 0, self.said()[-2000:])
        self.stack.running.remove(process)
        self.stack.start_sso()

    def sql(self, text):
        """Rows as lists of strings."""
        out = self.stack.db.sql("USE mailconvoy; " + text)
        return [line.split("\t") for line in out.splitlines()]

    def ctl(self, who, *words, env=None, conf=True, before=()):
        """(exit code, standard output, standard error) of mailconvoyctl sso-link --local as that user or uid."""
        number = who if isinstance(who, int) else namespace.USERS.get(who, 0)
        named = ("-c", self.stack.conf) if conf else ()
        done = subprocess.run([*before, self.stack.ctl, *named, "sso-link", "--local", *words], user=number, group=number,
                              extra_groups=[], env=env or {}, cwd="/", stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def link(self, who, *words, **more):
        """The address in the link that who gets."""
        code, out, err = self.ctl(who, *words, **more)
        tap.same((code, err), (OK, ""), out)
        tap.same(out.count("\n"), 1, out)
        return out[:-1]

    def meant(self, link):
        """(account's name here, user's name here, role, return_to) of a link that was not used."""
        token = link.rsplit("/", 1)[1]
        rows = self.sql(
            "SELECT ae.external_id, ue.external_id, u.role, l.return_to, l.role FROM sso_link l JOIN user u ON u.id = "
            "l.user_id JOIN account_external ae ON ae.account_id = u.account_id AND ae.issuer = 'local' JOIN user_external "
            "ue ON ue.user_id = u.id AND ue.issuer = 'local' WHERE l.id_hash = UNHEX(SHA2('%s', 256))" % token)
        tap.same(len(rows), 1, link)
        tap.same(rows[0][4], "member")
        return tuple(rows[0][:4])

    @contextlib.contextmanager
    def connected(self, who, path=None):
        """A connection that the kernel knows as that user's; it ends with the block."""
        number = who if isinstance(who, int) else namespace.USERS.get(who, 0)
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.settimeout(60)
        os.seteuid(number)
        try:
            s.connect(path or self.socket)
        finally:
            os.seteuid(0)
        try:
            yield s
        finally:
            s.close()

    def say(self, who, what, path=None, ends=False):
        """What is answered to these bytes."""
        with self.connected(who, path) as s:
            try:
                s.sendall(what)
                if ends:
                    s.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # refused at the door
            return answer(s)


def answer(s):
    """One line of JSON, and then the end."""
    data = b""
    while True:
        try:
            more = s.recv(65536)
        except ConnectionResetError:
            break
        if not more:
            break
        data += more
    tap.same(data.count(b"\n"), 1, repr(data))
    return json.loads(data)
