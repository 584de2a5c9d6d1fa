"""AUTHENTICATE against servers that lie, ask too much, or let nobody in: one attempt, cancelled where it must be."""
import base64
import hashlib
import hmac
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tap  # noqa: E402
from faulty import Server, run  # noqa: E402

PASSWORD = b"secret"
SCRAM = "auth SCRAM-SHA-256 user - secret"


def code(data):
    return base64.b64encode(data)


class Scram:
    """A server's side; knows: whether it knows the password.  What differs from one that works is given."""

    def __init__(self, knows=True, rounds=b"4096", nonce=None, final=None, silent=False, extra=0, raw=None):
        self.knows, self.rounds, self.nonce, self.final = knows, rounds, nonce, final
        self.silent, self.extra, self.raw = silent, extra, raw
        self.heard = []

    def line(self, conn):
        line = conn.line()
        self.heard.append(line)
        return line

    def __call__(self, conn):
        conn.send(b"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=SCRAM-SHA-256 AUTH=PLAIN] ready\r\n")
        tag, _, rest = self.line(conn).partition(b" ")
        first = base64.b64decode(rest.split(b" ")[2])
        bare = first.split(b",", 2)[2]
        nonce = self.nonce or bare.partition(b"r=")[2] + b"theirs"
        salt = b"0123456789abcdef"
        challenge = b"r=%s,s=%s,i=%s" % (nonce, code(salt), self.rounds)
        conn.send(b"+ " + ((code(challenge) if self.raw is None else self.raw)) + b"\r\n")
        answer = self.line(conn)
        if answer == b"*":
            conn.send(tag + b" BAD cancelled\r\n")
        else:
            answer = base64.b64decode(answer)
            without_proof, _, proof = answer.rpartition(b",p=")
            salted = hashlib.pbkdf2_hmac("sha256", PASSWORD if self.knows else b"another", salt, int(self.rounds))
            said = b",".join((bare, challenge, without_proof))
            signature = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), said, "sha256")
            if not self.silent:
                conn.send(b"+ " + code(self.final or b"v=" + code(signature)) + b"\r\n")
                if self.line(conn) == b"*":
                    conn.send(tag + b" BAD cancelled\r\n")
            for _ in range(self.extra):
                conn.send(b"+ " + code(b"more") + b"\r\n")
                if self.line(conn) == b"*":
                    conn.send(tag + b" BAD cancelled\r\n")
            conn.send(tag + b" OK [CAPABILITY IMAP4rev1] in\r\n")
        while True:
            tag, _, rest = self.line(conn).partition(b" ")
            conn.send(tag + b" OK done\r\n")


class ScramTest(unittest.TestCase):
    def login(self, server, *commands):
        with Server(server) as s:
            return run(s.port, SCRAM, *commands)[1:]

    def test_a_server_that_knows_the_password_is_logged_in_to(self):
        server = Scram()
        out = self.login(server, "noop")
        self.assertTrue(out[0]["ok"] and out[1]["ok"], out)
        self.assertNotIn(PASSWORD, b"".join(server.heard))

    def test_a_server_that_does_not_know_the_password_is_left(self):
        for server in (Scram(knows=False), Scram(final=b"v=" + code(b"x" * 32)), Scram(silent=True)):
            out = self.login(server, "noop")
            self.assertEqual((out[0]["cause"], out[0]["alive"]), ("server_unproven", False), out)
            self.assertFalse(out[1]["ok"], out)

    def test_what_does_not_fit_is_cancelled(self):
        for server, cause in ((Scram(nonce=b"not-ours"), "protocol_error"), (Scram(rounds=b"2147483647"), "limit_exceeded"),
                              (Scram(rounds=b"1"), "limit_exceeded"), (Scram(raw=b"no base64!"), "protocol_error"),
                              (Scram(raw=b""), "protocol_error")):
            out = self.login(server)
            self.assertEqual(out[0]["cause"], cause, out)
            self.assertEqual(server.heard[1], b"*", server.heard)

    def test_a_server_that_asks_for_more_is_cancelled(self):
        server = Scram(extra=3)
        out = self.login(server)
        self.assertEqual(out[0]["cause"], "protocol_error", out)
        self.assertEqual(server.heard[3], b"*", server.heard)

    def test_a_server_that_says_why_it_refuses_is_refused_by(self):
        out = self.login(Scram(final=b"e=invalid-proof"))
        self.assertEqual(out[0]["cause"], "password_refused", out)


TOKEN = "to.ken-" + "0123456789abcdef" * 60


class OAuth:
    """Refuses by a challenge, and with text behind the NO; answers: what it was told."""

    def __init__(self, mechanism, told, text=b"no"):
        self.mechanism, self.told, self.text = mechanism, told, text
        self.heard = []

    def __call__(self, conn):
        conn.send(b"* OK [CAPABILITY IMAP4rev1 AUTH=%s] ready\r\n" % self.mechanism)
        tag, rest = conn.command()
        conn.send(b"+ \r\n")
        self.heard.append(base64.b64decode(conn.line()))
        conn.send(b"+ " + code(self.told) + b"\r\n")
        self.heard.append(conn.line())
        conn.send(tag + b" NO [AUTHENTICATIONFAILED] " + self.text + b"\r\n")
        while True:
            self.heard.append(conn.line())


class OAuthTest(unittest.TestCase):
    def test_the_words_of_the_refusal_are_asked_for_and_told(self):
        for name, dummy in ((b"OAUTHBEARER", b"AQ=="), (b"XOAUTH2", b"")):
            server = OAuth(name, b'{"status":"invalid_token","scope":"mail"}')
            with Server(server) as s:
                out = run(s.port, "auth %s a=b,c - %s" % (name.decode(), TOKEN))[1:]
            self.assertEqual((out[0]["cause"], out[0]["code"]), ("token_refused", "AUTHENTICATIONFAILED"), out)
            self.assertEqual(out[0]["text"], 'no: {"status":"invalid_token","scope":"mail"}')
            self.assertEqual(server.heard[1], dummy, server.heard)
            want = b"n,a=a=3Db=2Cc,\x01auth=Bearer %s\x01\x01" if name == b"OAUTHBEARER" else b"user=a=b,c\x01auth=Bearer %s\x01\x01"
            self.assertEqual(server.heard[0], want % TOKEN.encode())

    def test_a_token_longer_than_the_text_kept_is_masked_in_it(self):
        for echo in (TOKEN.encode(), code(b"user=u\x01auth=Bearer " + TOKEN.encode() + b"\x01\x01"), code(TOKEN.encode())):
            for told, text in ((b"{}", echo), (echo, b"no")):
                with Server(OAuth(b"XOAUTH2", told, text)) as s:
                    out = run(s.port, "auth XOAUTH2 user - " + TOKEN)[1:]
                self.assertEqual(out[0]["cause"], "token_refused", out)
                self.assertIn("********", out[0]["text"])
                self.assertNotIn("0123456789abcdef", out[0]["text"])
                self.assertNotIn(code(b"0123456789abcdef0123456789abcdef").decode()[4:16], out[0]["text"])

    def test_a_token_that_could_end_its_field_is_not_sent(self):
        server = OAuth(b"XOAUTH2", b"{}")
        with Server(server) as s:
            out = run(s.port, "auth XOAUTH2 user - a\x01b", "auth XOAUTH2 us\x01er - token")[1:]
        self.assertEqual([o["cause"] for o in out], ["value_invalid"] * 2, out)
        self.assertEqual(server.heard, [])


if __name__ == "__main__":
    tap.main()
