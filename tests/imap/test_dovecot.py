"""The probe and the session against a real Dovecot: TLS, STARTTLS and plain, good certificates and bad."""
import datetime
import os
import shutil
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "engine")]
import tap  # noqa: E402
import dovecot  # noqa: E402
import imapbox  # noqa: E402
from certs import Certs  # noqa: E402
from faulty import probe, run  # noqa: E402

ODD = "p\u00e4ss \"word\\%1'{5}"
USERS = {"user": "secret", "odd": ODD, "fresh": "secret", "other": "secret"}
LOGIN = "login user secret"


def instant(date):
    """A server may keep the moment and not the zone."""
    return datetime.datetime.strptime(date, "%d-%b-%Y %H:%M:%S %z")


class Issued:
    """Stands in for dovecot.Authority with certificates that exist already."""

    def __init__(self, certs, name):
        self.certs, self.name = certs, name

    def issue(self, *_unused):
        return self.certs.pem(self.name), self.certs.key(self.name)


def setUpModule():
    reason = dovecot.missing()
    if reason:
        raise unittest.SkipTest(reason)


class Real(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="mcv-imap-", dir="/tmp")
        cls.certs = Certs(os.path.join(cls.dir))
        cls.ca = cls.certs.pem("ca")
        cls.server = cls.start("good", quota="100M", special=True)
        box = imapbox.connect(cls.server)
        for number in range(3):
            imapbox.append(box, "INBOX", b"Message-Id: <%d@example.org>\r\nSubject: s\r\n\r\nbody %d\r\n" %
                           (number, number), "\\Seen" if number else "")
        for name in ("Entw&APw-rfe", "Projekte", "Projekte/2019"):
            box.create(imapbox.quoted(name))
        box.subscribe("Projekte")
        box.logout()

    @classmethod
    def start(cls, certificate, **more):
        server = dovecot.Dovecot(os.path.join(cls.dir, "dovecot-" + certificate), Issued(cls.certs, certificate),
                                 users=USERS, **more)
        server.start()
        cls.addClassCleanup(server.stop)
        return server

    @classmethod
    def tearDownClass(cls):
        cls.addClassCleanup(shutil.rmtree, cls.dir, True)

    def ports(self, server):
        return (("tls", server.tls_port), ("starttls", server.port))

    def test_the_probe_tells_what_the_mailbox_holds(self):
        for security, port in (*self.ports(self.server), ("none", self.server.port)):
            result = probe(port, security=security, verify="verify", ca=self.ca)
            self.assertEqual((result["cause"], result["messages"], result["folders"]), ("ok", 3, 6), result)
            self.assertEqual(result["quota_limit"], 100 * 1024 * 1024)
            self.assertIn("UIDPLUS", result["capabilities"])
            self.assertEqual(result["tls_version"] != "", security != "none")

    def test_the_probe_changes_nothing(self):
        before = run(self.server.port, LOGIN, "status INBOX", "list")
        probe(self.server.port)
        self.assertEqual(run(self.server.port, LOGIN, "status INBOX", "list"), before)

    def test_a_wrong_password_is_refused(self):
        for security, port in self.ports(self.server):
            result = probe(port, password=b"wrong", security=security, verify="verify", ca=self.ca)
            self.assertEqual(result["cause"], "password_refused")

    def test_a_password_of_odd_bytes_logs_in(self):
        result = probe(self.server.port, user=b"odd", password=ODD.encode())
        self.assertEqual(result["cause"], "ok", result)

    def test_bad_certificates_are_refused_over_tls_and_starttls(self):
        for name, want in (("selfsigned", "cert_self_signed"), ("wrong", "cert_wrong_host"),
                           ("expired", "cert_expired")):
            server = self.start(name)
            for security, port in self.ports(server):
                result = probe(port, security=security, verify="verify", ca=self.ca)
                self.assertEqual(result["cause"], want, (name, security))
                result = probe(port, security=security, verify="noverify")
                self.assertEqual(result["cause"], "ok", (name, security))

    def test_swapped_ports_are_told(self):
        self.assertEqual(probe(self.server.port, security="tls")["cause"], "not_tls")
        self.assertEqual(probe(self.server.tls_port, security="starttls", timeout_ms=2000)["cause"], "is_tls")
        self.assertEqual(probe(self.server.tls_port, security="none", timeout_ms=2000)["cause"], "is_tls")

    def test_folders_come_with_special_use_and_subscription(self):
        out = run(self.server.port, LOGIN, "list")
        folders = {f["name"]: f for f in out if "delimiter" in f}
        self.assertEqual(set(folders), {"INBOX", "Sent", "Trash", "Entw&APw-rfe", "Projekte", "Projekte/2019"})
        self.assertEqual(folders["Sent"]["flags"], 256)
        self.assertEqual(folders["Projekte"]["flags"] & 4, 4)
        self.assertEqual(folders["Projekte"]["delimiter"], "/")

    def test_metadata_rows_hold_everything_asked_for(self):
        out = run(self.server.port, LOGIN, "examine INBOX", "rows 1 0 Message-Id Received")
        rows = [r for r in out if "header_len" in r]
        self.assertEqual([r["uid"] for r in rows], [1, 2, 3])
        self.assertEqual(rows[1]["header"], "Message-Id: <1@example.org>\r\n\r\n")
        self.assertIn("\\Seen", rows[1]["flags"])
        self.assertEqual(instant(rows[0]["date"]), instant("05-Mar-2019 08:09:10 +0100"))

    def test_bodies_arrive_whole_and_unread(self):
        out = run(self.server.port, LOGIN, "select INBOX", "body 1 2 3", "rows 1 1")
        bodies = [o["body"] for o in out if "body" in o]
        self.assertTrue(all(o.get("ok", True) for o in out), out)
        self.assertEqual([b.splitlines()[-1] for b in bodies], ["body 0", "body 1", "body 2"])
        self.assertNotIn("\\Seen", [r for r in out if "header_len" in r][0]["flags"])

    def test_a_message_appended_comes_back_the_same(self):
        size = 3000017
        out = run(self.server.tls_port, "login fresh secret", "create Neu", "subscribe Neu",
                  "append Neu|\\Flagged $Label1|17-Jul-1996 02:44:25 -0700|%d|%d" % (size, size),
                  "select Neu", "rows 1 0 Subject", "store 1 \\Answered", "rows 1 0 Subject", "body 1", "quota Neu",
                  "namespace", "id", "noop", security="tls", verify="verify", ca=self.ca)
        self.assertTrue(all(o.get("ok", True) for o in out), [o for o in out if not o.get("ok", True)])
        rows = [r for r in out if "header_len" in r]
        self.assertEqual(rows[0]["size"], size)
        self.assertEqual(instant(rows[0]["date"]), instant("17-Jul-1996 02:44:25 -0700"))
        self.assertEqual(set(rows[0]["flags"].split()) - {"\\Recent"}, {"\\Flagged", "$Label1"})
        self.assertIn("\\Answered", rows[1]["flags"])
        line = "Subject: repeated line of a sample\r\n"
        body = [o for o in out if "body" in o][0]["body"]
        self.assertEqual(body, "".join(line[:min(len(line), size - at)] for at in range(0, size, len(line))))

    def test_a_message_given_up_halfway_is_not_stored(self):
        run(self.server.port, "login other secret", "append INBOX|||500000|400000")
        out = run(self.server.port, "login other secret", "status INBOX")
        self.assertEqual([o for o in out if "messages" in o][0]["messages"], 0)

    def test_missing_and_existing_folders_are_told(self):
        out = run(self.server.port, LOGIN, "select Nowhere", "status Nowhere", "append Nowhere|||36|36",
                  "create Projekte", "noop")
        self.assertEqual([o["cause"] for o in out[2:]],
                         ["no_such_folder"] * 3 + ["exists_already", "ok"])


if __name__ == "__main__":
    tap.main()
