"""What the client says of servers that fail, each in its own way, and what it refuses to believe."""
import base64
import os
import shutil
import socket
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tap  # noqa: E402
from certs import Certs  # noqa: E402
from faulty import Server, probe, run, script  # noqa: E402

SELECT = b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 9] ok\r\nTAG OK [READ-WRITE] done\r\n"
LOGIN = "login user secret"
UNCERTAIN = "outcome unknown"  # err_text(ERR_UNCERTAIN)


def silent(conn):
    conn.read(1 << 30)


class Causes(unittest.TestCase):
    """Each failure of the probe is told apart."""

    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="mcv-imap-")
        cls.certs = Certs(cls.dir)
        cls.ca = cls.certs.pem("ca")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.dir)

    def cause(self, handler, want, certificate=None, **more):
        cert = (self.certs.pem(certificate), self.certs.key(certificate)) if certificate else None
        with Server(handler, cert) as server:
            result = probe(server.port, **more)
        self.assertEqual(result["cause"], want, result)
        return result

    def test_a_good_login_succeeds_over_tls(self):
        result = self.cause(script({}), "ok", "good", security="tls", verify="verify", ca=self.ca)
        self.assertEqual(result["tls_version"], "TLSv1.3")
        self.assertIn("localhost", result["names"])

    def test_a_port_nobody_listens_on_is_refused(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            result = probe(s.getsockname()[1])
        self.assertEqual(result["cause"], "connect_refused")

    def test_a_silent_server_times_out_within_the_deadline(self):
        result = self.cause(silent, "timed_out", timeout_ms=600)
        self.assertLess(result["duration_ms"], 5000)

    def test_a_server_silent_in_the_tls_handshake_times_out(self):
        self.cause(silent, "timed_out", security="tls", timeout_ms=600)

    def test_one_deadline_covers_a_server_that_drips(self):
        def drip(conn):
            conn.sock.settimeout(0.05)
            for c in b"* OK " + b"x" * 10000:
                conn.send(bytes([c]))
                try:
                    if not conn.sock.recv(100):
                        return
                except TimeoutError:
                    pass
        result = self.cause(drip, "timed_out", timeout_ms=1000)
        self.assertLess(result["duration_ms"], 10000)

    def test_a_name_that_does_not_exist_is_told(self):
        result = probe(143, host="no-such-host.invalid", timeout_ms=8000)
        self.assertIn(result["cause"], ("name_not_found", "name_no_answer"))

    def test_a_denied_address_is_never_connected_to(self):
        connected = []
        with Server(connected.append) as server:
            result = probe(server.port, extra=("deny",))
        self.assertEqual(result["cause"], "address_denied")
        self.assertEqual((result["address"], result["detail"], connected), ("", "", []))

    def test_line_breaks_in_values_are_refused_before_connecting(self):
        connected = []
        with Server(connected.append) as server:
            result = probe(server.port, user=b"user\r")
            self.assertEqual(result["cause"], "value_invalid")
            result = probe(server.port, password=b"a\rb")
            self.assertEqual(result["cause"], "value_invalid")
        self.assertEqual(connected, [])

    def test_other_protocols_are_not_imap_and_their_banner_is_not_shown(self):
        for banner in (b"220 mx ESMTP\r\n", b"+OK POP3 ready\r\n", b"SSH-2.0-OpenSSH_9.2\r\n",
                       b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0\0\0\0\n", b"* HELLO\r\n", b"x" * 200000):
            result = self.cause(lambda c, b=banner: (c.send(b), silent(c)), "not_imap")
            self.assertEqual(result["detail"], "")

    def test_plain_text_where_tls_was_asked_is_not_tls(self):
        self.cause(script({}), "not_tls", security="tls")

    def test_tls_where_plain_text_was_asked_is_told(self):
        self.cause(script({}), "is_tls", "good", security="none", timeout_ms=2000)
        self.cause(script({}), "is_tls", "good", security="starttls", timeout_ms=2000)

    def test_certificates_are_told_apart(self):
        for name, want in (("selfsigned", "cert_self_signed"), ("wrong", "cert_wrong_host"),
                           ("expired", "cert_expired"), ("future", "cert_not_yet_valid")):
            result = self.cause(script({}), want, name, security="tls", verify="verify", ca=self.ca)
            self.assertNotEqual(result["subject"], "", name)
            self.assertGreater(result["expires"], 0)

    def test_an_unknown_authority_is_untrusted(self):
        self.cause(script({}), "cert_untrusted", "good", security="tls", verify="verify",
                   ca=self.certs.pem("other-ca"))

    def test_an_address_is_verified_as_an_address(self):
        more = {"security": "tls", "verify": "verify", "ca": self.ca, "host": "127.0.0.1"}
        self.cause(script({}), "ok", "good", **more)
        self.cause(script({}), "cert_wrong_host", "wrong", **more)

    def test_verification_can_be_switched_off(self):
        for name in ("selfsigned", "wrong", "expired"):
            self.cause(script({}), "ok", name, security="tls", verify="noverify")

    def test_a_missing_ca_file_is_our_own_fault(self):
        self.cause(script({}), "ca_file_bad", "good", security="tls", verify="verify", ca="/nonexistent.pem")

    def test_a_server_without_starttls_gets_no_password(self):
        seen = []
        self.cause(script({}, seen=seen), "starttls_missing", security="starttls")
        self.assertFalse([c for c in seen if b"AUTH" in c or b"LOGIN" in c])

    def test_a_refused_starttls_gets_no_password(self):
        seen = []
        self.cause(script({b"STARTTLS": b"TAG NO not now\r\n"}, capabilities=b"IMAP4rev1 STARTTLS AUTH=PLAIN",
                          seen=seen), "starttls_missing", security="starttls")
        self.assertFalse([c for c in seen if b"AUTH" in c])

    def test_a_preauth_greeting_cannot_skip_starttls(self):
        seen = []
        self.cause(script({}, greeting=b"* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] hello\r\n", seen=seen),
                   "starttls_missing", security="starttls")
        self.assertEqual(seen, [])

    def test_plain_text_after_the_ok_to_starttls_is_an_injection(self):
        inject = b"TAG OK go\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n"
        self.cause(script({b"STARTTLS": inject}, capabilities=b"IMAP4rev1 STARTTLS"), "starttls_injection",
                   security="starttls")

    def test_starttls_asks_for_capabilities_again(self):
        import ssl
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certs.pem("good"), self.certs.key("good"))
        seen = []

        def upgrade(conn, tag, _):
            conn.send(tag + b" OK go\r\n")
            conn.sock = context.wrap_socket(conn.sock, server_side=True)
            script({}, greeting=b"", seen=seen)(conn)
            return False
        self.cause(script({b"STARTTLS": upgrade}, greeting=b"* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=EVIL] hi\r\n"),
                   "ok", security="starttls", verify="verify", ca=self.ca)
        self.assertEqual(seen[0], b"CAPABILITY")

    def test_logindisabled_gets_no_password(self):
        seen = []
        self.cause(script({}, capabilities=b"IMAP4rev1 LOGINDISABLED", seen=seen), "login_disabled")
        self.assertFalse([c for c in seen if b"LOGIN " in c])

    def test_a_refused_password_is_tried_once(self):
        seen = []
        self.cause(script({b"AUTHENTICATE": b"TAG NO Invalid credentials\r\n"}, seen=seen), "password_refused")
        self.assertEqual(len([c for c in seen if b"AUTH" in c or b"LOGIN" in c]), 1)

    def test_response_codes_tell_a_busy_server_from_a_wrong_password(self):
        for code, want in ((b"[UNAVAILABLE] ", "busy"), (b"[INUSE] ", "busy"), (b"[LIMIT] ", "busy"),
                           (b"[AUTHENTICATIONFAILED] ", "password_refused"), (b"[EXPIRED] ", "password_refused"),
                           (b"[ALERT] ", "password_refused"), (b"[PRIVACYREQUIRED] ", "login_disabled")):
            result = self.cause(script({b"AUTHENTICATE": b"TAG NO " + code + b"text\r\n"}), want)
            self.assertEqual(result["detail"], "text")

    def test_a_bye_greeting_is_busy(self):
        result = self.cause(lambda c: c.send(b"* BYE Too many connections\r\n"), "busy")
        self.assertEqual(result["detail"], "Too many connections")

    def test_a_connection_closed_before_the_greeting_is_closed(self):
        self.cause(lambda c: None, "closed")

    def test_a_bye_at_login_explains_the_closed_connection(self):
        result = self.cause(script({b"AUTHENTICATE": lambda c, t, r: (c.send(b"* BYE banned\r\n"), False)[1]}),
                            "closed")
        self.assertEqual(result["detail"], "banned")

    def test_an_echoed_password_is_not_shown(self):
        plain = base64.b64encode(b"\0user\0secret")
        text = b"user secret sent " + plain + b"\x1b[31m\xe2\x80\xaeend\xff"
        result = self.cause(script({b"AUTHENTICATE": b"TAG NO " + text + b"\r\n"}), "password_refused")
        self.assertEqual(result["detail"], "user ******** sent ******** [31mend\ufffd")

    def test_a_flood_of_untagged_data_ends(self):
        def flood(conn, _tag, _rest):
            while True:
                conn.send(b"* OK " + b"x" * 60000 + b"\r\n")
        self.cause(script({b"AUTHENTICATE": flood}), "limit_exceeded")


class Session(unittest.TestCase):
    """What the session believes, and what it does not."""

    def talk(self, answers, *commands, **more):
        seen = []
        table = {b"SELECT": SELECT}
        table.update(answers)
        with Server(script(table, seen=seen, **more)) as server:
            out = run(server.port, *commands)
        self.seen = seen
        return out

    def test_any_password_byte_travels_with_login(self):
        out = self.talk({}, b'login us"er p\\a"ss \xe4\xff\x07', capabilities=b"IMAP4rev1")
        self.assertTrue(out[-1]["ok"], out)
        self.assertIn(b'LOGIN "us\\"er" {10}\r\np\\a"ss \xe4\xff\x07', self.seen)

    def test_any_password_byte_travels_with_authenticate(self):
        out = self.talk({}, b"login user p\xe4\xff")
        self.assertTrue(out[-1]["ok"])
        self.assertIn(b"AUTHENTICATE PLAIN " + base64.b64encode(b"\0user\0p\xe4\xff"), self.seen)

    def test_without_sasl_ir_the_password_waits_for_the_server(self):
        answers = []

        def ask(conn, tag, _):
            conn.send(b"+ \r\n")
            answers.append(conn.line())
            conn.send(tag + b" OK done\r\n")
        out = self.talk({b"AUTHENTICATE": ask}, LOGIN, capabilities=b"IMAP4rev1 AUTH=PLAIN")
        self.assertTrue(out[-1]["ok"])
        self.assertEqual(answers, [base64.b64encode(b"\0user\0secret")])

    def test_a_line_break_in_a_folder_name_is_never_sent(self):
        out = self.talk({}, LOGIN, b"create a\rb", "noop", "status INBOX")
        self.assertEqual(out[2]["cause"], "value_invalid")
        self.assertFalse([c for c in self.seen if c.startswith(b"CREATE")])

    def test_folder_names_may_be_literals_of_any_bytes(self):
        out = self.talk({b"LIST": b'* LIST () "/" {6}\r\na "b\xe4)\r\n* LIST (\\Noselect) NIL inbox\r\n'
                                  b'* LIST () "/" {3}\r\na\r\n\r\n* LIST (\\Sent) "/" [Gmail]/x\r\nTAG OK done\r\n',
                         b"LSUB": b"* LSUB () \"/\" [Gmail]/x\r\n* LSUB () \"/\" gone\r\nTAG OK done\r\n"},
                        LOGIN, "list")
        self.assertEqual([f["name"] for f in out[2:-1]], ['a "b\xe4)', "INBOX", "[Gmail]/x"])
        self.assertEqual([f["flags"] for f in out[2:-1]], [0, 1, 256 | 4])

    def test_list_extended_is_one_command(self):
        out = self.talk({b"LIST": b'* LIST (\\Subscribed \\Trash) "." Trash ("CHILDINFO" ("SUBSCRIBED"))\r\nTAG OK done\r\n'},
                        LOGIN, "list", capabilities=b"IMAP4rev1 AUTH=PLAIN SASL-IR LIST-EXTENDED SPECIAL-USE")
        self.assertEqual((out[2]["name"], out[2]["flags"]), ("Trash", 4 | 512))
        self.assertFalse([c for c in self.seen if c.startswith(b"LSUB")])

    def test_absurd_numbers_of_folders_are_refused(self):
        def flood(conn, _tag, _rest):
            i = 0
            while True:
                conn.send(b"".join(b'* LIST () "/" f%d\r\n' % (i + k) for k in range(1000)))
                i += 1000
        out = self.talk({b"LIST": flood}, LOGIN, "list", "noop")
        self.assertEqual(out[2]["cause"], "limit_exceeded")
        self.assertFalse(out[3]["alive"])

    def test_a_giant_literal_is_refused_at_its_announcement(self):
        out = self.talk({b"LIST": b'* LIST () "/" {99999999999999}\r\n'}, LOGIN, "list")
        self.assertEqual(out[2]["cause"], "limit_exceeded")

    def test_deep_nesting_is_refused(self):
        out = self.talk({b"LIST": b"* LIST " + b"(" * 100000}, LOGIN, "list")
        self.assertEqual(out[2]["cause"], "limit_exceeded")

    def test_many_announced_literals_take_no_memory(self):
        head = b'* LIST () "/" x ('
        one = b"{1048576}\r\n" + b"y" * 1048576 + b" "
        out = self.talk({b"LIST": head + one * 20 + b")\r\nTAG OK done\r\n"}, LOGIN, "list")
        self.assertEqual((out[2]["name"], out[-1]["ok"]), ("x", True))

    def rows(self, answer, *more):
        return self.talk({b"UID FETCH": answer}, LOGIN, "select INBOX", *(more or ("rows 5 6 Message-Id",)))[3:]

    def test_a_row_needs_its_uid_and_every_item(self):
        out = self.rows(b'* 1 FETCH (FLAGS (\\Seen) UID 5)\r\n'
                        b'* 1 FETCH (FLAGS (\\Seen))\r\n'
                        b'* 2 FETCH (UID 9 RFC822.SIZE 10 FLAGS () INTERNALDATE "x" BODY[HEADER.FIELDS (Message-Id)] "")\r\n'
                        b'* 3 FETCH (BODY[HEADER.FIELDS ("MESSAGE-ID")] {9}\r\nM-Id: <x>'
                        b' INTERNALDATE "17-Jul-1996 02:44:25 -0700" FLAGS (\\Seen $a) RFC822.SIZE 99 UID 6)\r\n'
                        b'TAG OK done\r\n')
        rows = [r for r in out if "size" in r]
        self.assertEqual(len(rows), 1, out)
        self.assertEqual((rows[0]["uid"], rows[0]["size"], rows[0]["flags"], rows[0]["header"]),
                         (6, 99, "\\Seen $a", "M-Id: <x>"))

    def test_a_giant_header_is_cut(self):
        big = b"X: " + b"y" * 3000000 + b"\r\n\r\n"
        out = self.rows(b'* 1 FETCH (UID 5 RFC822.SIZE 1 FLAGS () INTERNALDATE "x" BODY[HEADER] {%d}\r\n' % len(big)
                        + big + b")\r\nTAG OK done\r\n", "rows 5 6")
        row = [r for r in out if "size" in r][0]
        self.assertEqual((row["cut"], row["header_len"]), (True, 1048576))

    def body(self, answer, *commands):
        return self.talk({b"UID FETCH": answer}, LOGIN, "select INBOX", *(commands or ("body 5",)))[4:]

    def test_the_body_of_the_uid_asked_for_is_delivered(self):
        out = self.body(b"* 1 FETCH (UID 5 BODY[] {5}\r\nab)\r\n)\r\nTAG OK done\r\n")
        self.assertEqual((out[0]["ok"], out[0]["size"], out[0]["body"]), (True, 5, "ab)\r\n"))

    def test_a_uid_told_after_the_body_counts(self):
        out = self.body(b"* 1 FETCH (BODY[] {3}\r\nabc UID 5)\r\nTAG OK done\r\n")
        self.assertEqual((out[0]["ok"], out[0]["body"]), (True, "abc"))

    def test_another_uids_body_is_never_delivered(self):
        out = self.body(b"* 1 FETCH (UID 6 BODY[] {3}\r\nabc)\r\nTAG OK done\r\n")
        self.assertEqual((out[0]["cause"], out[0]["begins"], out[0]["body"]), ("no_such_message", 0, ""))

    def test_a_body_that_turns_out_to_be_anothers_fails(self):
        out = self.body(b"* 1 FETCH (BODY[] {3}\r\nabc UID 6)\r\nTAG OK done\r\n")
        self.assertEqual((out[0]["ok"], out[0]["cause"]), (False, "protocol_error"))
        out = self.body(b"* 1 FETCH (BODY[] {3}\r\nabc)\r\nTAG OK done\r\n")
        self.assertFalse(out[0]["ok"])

    def test_anothers_body_before_and_changes_around_do_not_disturb(self):
        out = self.body(b"* 9 EXISTS\r\n* 2 EXPUNGE\r\n* 4 FETCH (FLAGS (\\Seen))\r\n* 1 FETCH (UID 6 BODY[] {3}\r\nabc)\r\n"
                        b"* 2 FETCH (UID 5 BODY[] {3}\r\nxyz FLAGS ())\r\nTAG OK done\r\n")
        self.assertEqual((out[0]["ok"], out[0]["begins"], out[0]["body"]), (True, 1, "xyz"))

    def test_a_second_body_for_the_same_uid_is_dropped(self):
        out = self.body(b"* 1 FETCH (UID 5 BODY[] {3}\r\nabc)\r\n* 1 FETCH (UID 5 BODY[] {3}\r\nxyz)\r\nTAG OK done\r\n")
        self.assertEqual((out[0]["ok"], out[0]["begins"], out[0]["body"]), (True, 1, "abc"))

    def test_an_expunged_message_is_not_found(self):
        out = self.body(b"TAG OK done\r\n", "body 5", "noop")
        self.assertEqual(out[0]["cause"], "no_such_message")
        out = self.body(b"* 1 FETCH (UID 5 BODY[] NIL)\r\nTAG OK done\r\n")
        self.assertEqual(out[0]["cause"], "no_such_message")

    def test_an_empty_and_a_quoted_body_are_bodies(self):
        out = self.body(b"* 1 FETCH (UID 5 BODY[] {0}\r\n)\r\nTAG OK done\r\n")
        self.assertEqual((out[0]["ok"], out[0]["begins"], out[0]["size"]), (True, 1, 0))
        out = self.body(b'* 1 FETCH (UID 5 BODY[] "a\\"b")\r\nTAG OK done\r\n')
        self.assertEqual((out[0]["ok"], out[0]["body"]), (True, 'a"b'))

    def test_a_body_cut_off_is_closed(self):
        out = self.body(lambda c, t, r: (c.send(b"* 1 FETCH (UID 5 BODY[] {300}\r\nabc"), False)[1], "body 5", "noop")
        self.assertEqual((out[0]["cause"], out[0]["body"]), ("closed", "abc"))
        self.assertFalse(out[-1]["alive"])

    def test_a_sink_that_refuses_leaves_the_session_usable(self):
        out = self.body(lambda c, t, r: c.send(b"* 1 FETCH (UID 5 BODY[] {3}\r\nabc)\r\n" + t + b" OK done\r\n"),
                        "refusebody 5", "body 5")
        self.assertEqual((out[0]["ok"], out[0]["body"]), (False, ""))
        self.assertEqual(out[2]["body"], "abc")

    def test_fetches_can_be_pipelined(self):
        def answer(conn, tag, rest):
            uid = rest.split()[2]
            conn.send(b"* 1 FETCH (UID %s BODY[] {1}\r\n%s)\r\n%s OK done\r\n" % (uid, uid, tag))
        out = self.body(answer, "body 5 6 7")
        self.assertEqual([(o["fetched"], o["body"]) for o in out[:3]], [(5, "5"), (6, "6"), (7, "7")])

    def test_pipelined_bodies_may_come_in_any_order_and_answers_late(self):
        tags = []

        def answer(conn, tag, rest):
            tags.append(tag)
            if len(tags) < 3:
                return
            conn.send(b"* 1 FETCH (UID 7 BODY[] {1}\r\n7)\r\n* 4 FETCH (UID 8 BODY[] {1}\r\n8)\r\n")
            conn.send(b"* 2 FETCH (BODY[] {1}\r\n5 UID 5)\r\n* 2 FETCH (UID 5 BODY[] {1}\r\nx)\r\n")
            for each in reversed(tags):
                conn.send(each + b" OK done\r\n")
        out = self.body(answer, "body 5 6 7", "noop", "body 5")
        self.assertEqual([(o["fetched"], o["body"], o["ok"]) for o in out[:3]],
                         [(7, "7", True), (5, "5", True), (6, "", False)])
        self.assertTrue(out[4]["alive"])

    def test_a_pipelined_body_of_anothers_is_told(self):
        out = self.body(lambda c, t, r: c.send(b"* 1 FETCH (BODY[] {1}\r\n9 UID 9)\r\n" + t + b" OK done\r\n"),
                        "body 5 6")
        self.assertEqual([o["cause"] for o in out[:2]], ["protocol_error", "no_such_message"])

    def test_an_answer_to_another_command_ends_the_session(self):
        out = self.body(b"X9 OK done\r\n")
        self.assertEqual((out[-1]["cause"], out[-1]["alive"]), ("protocol_error", False))

    def append(self, answer, command="append Sent|\\Seen \\Recent $a|17-Jul-1996 02:44:25 -0700|70|70",
               capabilities=b"IMAP4rev1 AUTH=PLAIN SASL-IR", more=()):
        return self.talk({b"APPEND": answer}, LOGIN, command, *more, capabilities=capabilities)[2:]

    def test_append_sends_flags_date_and_bytes(self):
        out = self.append(b"TAG OK [APPENDUID 38505 3955] done\r\n")
        self.assertEqual((out[0]["uidvalidity"], out[0]["uid"]), (38505, 3955))
        sent = [c for c in self.seen if c.startswith(b"APPEND")][0]
        self.assertTrue(sent.startswith(
            b'APPEND "Sent" (\\Seen $a) "17-Jul-1996 02:44:25 -0700" {70}\r\nSubject'), sent)

    def test_append_does_not_wait_with_literal_plus(self):
        out = self.append(b"TAG OK done\r\n", capabilities=b"IMAP4rev1 AUTH=PLAIN SASL-IR LITERAL+")
        self.assertTrue(out[-1]["ok"])
        self.assertIn(b"{70+}\r\n", [c for c in self.seen if c.startswith(b"APPEND")][0])

    def test_an_append_refused_before_the_literal_leaves_the_session(self):
        def refuse(conn):
            conn.send(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\r\n")
            while True:
                line = conn.line()
                tag = line.split()[0]
                word = line.split()[1]
                conn.send(tag + (b" NO [OVERQUOTA] full\r\n" if word == b"APPEND" else b" OK done\r\n"))
        with Server(refuse) as server:
            out = run(server.port, LOGIN, "append Sent|||70|70", "noop")
        self.assertEqual((out[2]["cause"], out[2]["alive"], out[3]["ok"]), ("quota_exceeded", True, True))

    def test_append_refusals_are_told_apart(self):
        for code, want in ((b"[TRYCREATE]", "no_such_folder"), (b"[OVERQUOTA]", "quota_exceeded"),
                           (b"[LIMIT]", "message_too_big"), (b"[TOOBIG]", "message_too_big"), (b"", "command_refused")):
            out = self.append(b"TAG NO " + code + b" text\r\n")
            self.assertEqual((out[0]["cause"], out[0]["alive"]), (want, True))

    def test_a_message_not_sent_whole_is_never_finished(self):
        rest = []

        def server(conn):
            conn.send(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR LITERAL+] hi\r\n")
            try:
                while True:
                    line = conn.line()
                    if b"APPEND" in line:
                        while True:
                            data = conn.read(1)
                            rest.append(data)
                    conn.send(line.split()[0] + b" OK done\r\n")
            finally:
                rest.append(b"END")
        with Server(server) as s:
            out = run(s.port, LOGIN, "append Sent|||70|35", "noop")
        self.assertEqual((out[2]["ok"], out[2]["alive"], out[3]["ok"]), (False, False, False))
        self.assertNotIn(b"\r\n\r\n", b"".join(rest))

    def test_a_lost_answer_to_append_is_uncertain(self):
        out = self.append(None)
        self.assertEqual((out[0]["err"], out[0]["alive"]), (UNCERTAIN, False))

    def test_bad_flags_and_dates_are_refused_unsent(self):
        for command in ("append Sent|a(b||70|70", "append Sent||yesterday|70|70", "append Sent|x\" {3}||70|70"):
            out = self.append(b"TAG OK done\r\n", command)
            self.assertEqual(out[0]["cause"], "value_invalid")
            self.assertFalse([c for c in self.seen if c.startswith(b"APPEND")])

    def test_an_announced_limit_is_obeyed_without_sending(self):
        out = self.append(b"TAG OK done\r\n", "append Sent|||70|70",
                          b"IMAP4rev1 AUTH=PLAIN SASL-IR APPENDLIMIT=69")
        self.assertEqual((out[0]["cause"], out[0]["alive"]), ("message_too_big", True))
        self.assertFalse([c for c in self.seen if c.startswith(b"APPEND")])


if __name__ == "__main__":
    tap.main()
