"""A database on another machine: only over TLS, only with its own certificate, and no password before that."""
import array
import fcntl
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading

SRC = os.environ.get("MCV_SRCDIR") or os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("MCV_BUILDDIR") or SRC
sys.path += [os.path.join(SRC, "tests", name) for name in ("stack", "http", "imap", "engine")]

import certs  # noqa: E402
import mariadb  # noqa: E402
from ports import free_port  # noqa: E402
import tap  # noqa: E402
from tap import has, lacks, same  # noqa: E402

CTL = os.path.join(BUILD, "ctl", "mailconvoyctl")
INSIDE = "MCV_TEST_NETWORK"
AWAY = "198.51.100.7"  # in the namespace alone
PASSWORD = "remote-Passw0rd-canary"
OK, UNAVAILABLE = 0, 69


def enter():
    """Into a network of one's own, where an address of no loopback network is this machine's."""
    if os.environ.get(INSIDE):
        return
    for why in (mariadb.missing(), None if os.path.exists(CTL) else "mailconvoyctl is not built"):
        if why:
            tap.skip_all(why)
    if subprocess.run(["unshare", "-n", "-m", "true"], stderr=subprocess.DEVNULL).returncode != 0:
        tap.skip_all("no network namespace can be made here")
    os.environ[INSIDE] = "yes"
    os.execvp("unshare", ["unshare", "-n", "-m", sys.executable, os.path.abspath(__file__), *sys.argv[1:]])


def add_address():
    # netdevice(7): SIOCSIFADDR on an alias of lo, which brings it up; SIOCSIFFLAGS with IFF_UP for lo itself
    with socket.socket() as s:
        fcntl.ioctl(s, 0x8914, struct.pack("16sH14x", b"lo", 1))
        fcntl.ioctl(s, 0x8916, struct.pack("16sHH4s8x", b"lo:1", socket.AF_INET, 0, socket.inet_aton(AWAY)))


class Listener:
    """Hands bytes on to the database, and keeps what the client says."""

    def __init__(self, port):
        self.heard = array.array("B")
        self.listener = socket.create_server(("0.0.0.0", 0))
        self.port = self.listener.getsockname()[1]
        self.to = port
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection(("127.0.0.1", self.to))
            for ends in ((client, server, True), (server, client, False)):
                threading.Thread(target=self.carry, args=ends, daemon=True).start()

    def carry(self, source, target, keep):
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                if keep:
                    self.heard.frombytes(data)
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


enter()
add_address()
root = tempfile.TemporaryDirectory(prefix="mcv-remote-")
os.mkdir(os.path.join(root.name, "certs"))
made = certs.Certs(os.path.join(root.name, "certs"))
made.signed("away", AWAY, "IP:" + AWAY, "20200101000000Z", "20400101000000Z")
password_file = os.path.join(root.name, "password")
with open(password_file, "w", opener=lambda path, flags: os.open(path, flags, 0o600), encoding="utf-8") as out:
    out.write(PASSWORD + "\n")
# the certificates may be read by whoever runs the database here
db = mariadb.MariaDB(os.path.join(root.name, "db"))
with open("/etc/hosts", encoding="utf-8") as old:
    hosts = old.read()
with open(os.path.join(root.name, "hosts"), "w", encoding="utf-8") as out:
    out.write(hosts + "%s database.example.org\n" % AWAY)
subprocess.run(["mount", "--bind", os.path.join(root.name, "hosts"), "/etc/hosts"], check=True)
made.signed("database", "database.example.org", "DNS:database.example.org", "20200101000000Z", "20400101000000Z")


def serve(certificate):
    """The database with this certificate, or with none; a listener in front of it."""
    db.stop()
    db.process = None
    port = free_port()
    db.network = ["--port=%d" % port, "--bind-address=127.0.0.1"]
    if certificate:
        db.network += ["--ssl-cert=" + made.pem(certificate), "--ssl-key=" + made.key(certificate)]
    db.start()
    db.sql("CREATE DATABASE IF NOT EXISTS mailconvoy CHARACTER SET utf8mb4; "
           "CREATE USER IF NOT EXISTS mcv@'%%' IDENTIFIED BY '%s'; GRANT ALL ON mailconvoy.* TO mcv@'%%'" % PASSWORD)
    return Listener(port)


def status(listener, host=AWAY, ca="ca"):
    """(exit code, what was said) of mailconvoyctl db status."""
    conf = os.path.join(root.name, "mailconvoy.conf")
    with open(conf, "w", encoding="utf-8") as out:
        out.write('database_host = "%s"\ndatabase_port = %d\ndatabase_user = "mcv"\ndatabase_password_file = "%s"\n'
                  'sql_dir = "%s"\n' % (host, listener.port, password_file, os.path.join(SRC, "sql")))
        if ca:
            out.write('database_ca_file = "%s"\n' % made.pem(ca))
    done = subprocess.run([CTL, "-c", conf, "db", "migrate"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    return done.returncode, done.stdout.decode(errors="replace")


def silent(listener):
    """Neither who wants in nor the password's proof was said to be overheard."""
    lacks(bytes(listener.heard).decode("latin-1"), "mcv")


def refused(listener, **how):
    code, said = status(listener, **how)
    same(code, UNAVAILABLE, said)
    lacks(said, PASSWORD)
    silent(listener)
    return said


def test_with_its_own_certificate_the_database_is_used_and_nothing_is_overheard():
    for certificate, host in (("away", AWAY), ("database", "database.example.org")):
        listener = serve(certificate)
        code, said = status(listener, host)
        same(code, OK, said)
        assert listener.heard
        silent(listener)
        lacks(bytes(listener.heard).decode("latin-1"), "CREATE TABLE")


def test_a_certificate_of_another_authority_is_refused():
    listener = serve("away")
    refused(listener, ca="other-ca")
    refused(listener, ca=None)


def test_a_certificate_for_another_host_is_refused():
    listener = serve("database")
    refused(listener, host=AWAY)
    listener = serve("away")
    refused(listener, host="database.example.org")


def test_a_certificate_that_has_expired_is_refused():
    refused(serve("expired"))


def test_a_database_that_offers_no_tls_is_refused():
    listener = serve(None)
    refused(listener)
    refused(listener, ca=None)
    refused(listener, host="database.example.org", ca=None)


def test_where_an_authority_is_named_this_machine_needs_tls_too():
    refused(serve(None), host="127.0.0.1")
    same(status(serve("good"), "127.0.0.1")[0], OK)
    same(status(serve("good"), "localhost")[0], OK)


try:
    tap.run(globals())
finally:
    db.stop()
