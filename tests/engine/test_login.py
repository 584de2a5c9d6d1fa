#!/usr/bin/env python3
"""Every way to log in, with a real Dovecot: what is asked for is done or refused, and nothing else is tried."""

import base64
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cyrus
import imapbox as box
import oauth
from harness import Bench, Skip, Tests, check, same
from proxy import Last, Proxy

MASTER, MASTERS_PASSWORD = oauth.MASTER
TOKEN = "ya29.A0AVA9y1sTokenOfATest-~+/" + "x" * 40 + "=="


class LoginBench(Bench):
    """The source offers all mechanisms; over TLS at tls_port."""

    def __init__(self):
        super().__init__()
        self.users = {"user%d" % n: "pa ss\"w\\rd,=-%d" % n for n in range(1, 200)}
        self.users["abroad"] = "Пароль zum Größten €"

    def __enter__(self):
        super().__enter__()
        if self.source:
            self.source.stop()
            self.introspection = oauth.Introspection()
            self.source = oauth.start(os.path.join(self.directory, "source"), self.authority, self.users,
                                      self.introspection, separator=".")
        return self

    def __exit__(self, *what):
        super().__exit__(*what)
        if self.source:
            self.introspection.stop()

    def with_mail(self):
        user = self.user()
        c = box.connect(self.source, user)
        for n in range(3):
            box.append(c, "INBOX", box.message(n))
        c.logout()
        return user

    def token(self, user, token=TOKEN, known=True):
        """The file of a token that is user's."""
        if known:
            self.introspection.tokens[token] = user
        return self.passfile(token, "token")

    def tls(self):
        return {"host1": "localhost", "port1": self.source.tls_port, "security1":
                ("--ssl1", "--sslargs1=SSL_ca_file=" + self.authority.ca_file)}


tests = Tests(bench=LoginBench())


class Wire:
    """What client and server said."""

    def __init__(self, server=lambda data: data, client=lambda data: data):
        self.sent = b""
        self.received = b""
        self.server, self.client = server, client

    def from_client(self, _, data):
        self.sent += data
        return self.client(data)

    def from_server(self, _, data):
        passed = self.server(data)
        self.received += passed or b""
        return passed

    def proxy(self, port):
        return Proxy(port, from_server=self.from_server, from_client=self.from_client)


def without(*words):
    """A rule that takes capabilities from what the server offers."""
    def rule(data):
        for word in words:
            data = data.replace(b" " + word, b"")
        return data
    return rule


def arrived(bench, user, result):
    check(result.code == 0, result)
    same(box.snapshot(bench.source, user, "."), box.snapshot(bench.destination, user), result)


def masked(result, *secrets):
    for secret in secrets:
        check(secret not in result.output, result, "told: " + secret)
        for shift in range(3):
            code = base64.b64encode(b"\0" * shift + secret.encode()).decode()
            check(code[4:-4] not in result.output, result, "told in base64")


@tests.engine_only
def each_password_mechanism_logs_in_when_asked_for(bench, program):
    for name, words in (("PLAIN", ()), ("PLAIN", (b"SASL-IR",)), ("LOGIN", ()), ("scram-sha-256", ()),
                        ("SCRAM-SHA-256", (b"SASL-IR",))):
        user = bench.with_mail()
        wire = Wire(server=without(*words))
        with wire.proxy(bench.source.port) as proxy:
            r = bench.sync(program, user, "--authmech1=" + name, "--connections=2", port1=proxy.port)
        arrived(bench, user, r)
        check(r.has("Host1: success login on [127.0.0.1] with user [%s] auth [%s]" % (user, name.upper())), r)
        verb = b"LOGIN" if name == "LOGIN" else b"AUTHENTICATE " + name.upper().encode()
        check(verb in wire.sent and (b"AUTHENTICATE" in wire.sent) == (name != "LOGIN"), r, str(wire.sent[:200]))
        check(words == () or verb + b"\r\n" in wire.sent, r, "with a message at once")


@tests.engine_only
def nothing_asked_for_plain_is_taken_over_tls_and_scram_where_there_is_none(bench, program):
    user = bench.with_mail()
    r = bench.sync(program, user, **bench.tls())
    arrived(bench, user, r)
    check(r.has("auth [PLAIN]"), r)
    r = bench.sync(program, user)
    check(r.code == 0 and r.has("Host1: success login on [127.0.0.1] with user [%s] auth [SCRAM-SHA-256]" % user), r)
    for words, name in (((b"AUTH=SCRAM-SHA-256",), "PLAIN"), ((b"AUTH=SCRAM-SHA-256", b"AUTH=PLAIN"), "LOGIN")):
        with Wire(server=without(*words)).proxy(bench.source.port) as proxy:
            r = bench.sync(program, user, port1=proxy.port)
        check(r.code == 0 and r.has("Host1: success login on [127.0.0.1] with user [%s] auth [%s]" % (user, name)), r)


@tests.engine_only
def scram_is_taken_over_tls_where_the_server_offers_nothing_else(bench, program):
    server = oauth.start(os.path.join(bench.directory, "scram"), bench.authority, bench.users, bench.introspection,
                         mechanisms="scram-sha-256")
    try:
        r = bench.sync(program, bench.user(), "--justlogin", **dict(bench.tls(), port1=server.tls_port))
        check(r.code == 0 and r.has("auth [SCRAM-SHA-256]"), r)
    finally:
        server.stop()


@tests.engine_only
def a_mechanism_that_is_not_offered_is_refused_and_none_is_tried_instead(bench, program):
    user = bench.user()
    for name in ("PLAIN", "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER"):
        token = ["--oauthaccesstoken1=" + bench.token(user)] if "OAUTH" in name else []
        wire = Wire(server=without(b"AUTH=" + name.encode()))
        with wire.proxy(bench.source.port) as proxy:
            r = bench.sync(program, user, "--authmech1=" + name, *token, port1=proxy.port)
        check(r.code == 161 and b"AUTHENTICATE" not in wire.sent and b"LOGIN" not in wire.sent, r, str(wire.sent))
        check(r.has("Host1: 127.0.0.1 says it has NO CAPABILITY for AUTHENTICATE " + name), r)
        check(r.has("auth [%s]: The server does not offer the way to log in" % name), r)
    wire = Wire(server=lambda data: data.replace(b"IMAP4rev1 ", b"IMAP4rev1 LOGINDISABLED "))
    with wire.proxy(bench.destination.port) as proxy:
        r = bench.sync(program, user, "--authmech2=LOGIN", port2=proxy.port)
    check(r.code == 162 and b"LOGIN" not in wire.sent and b"AUTHENTICATE" not in wire.sent, r, str(wire.sent))


@tests.engine_only
def a_wrong_password_is_tried_once_by_every_mechanism(bench, program):
    user = bench.user()
    for name in ("PLAIN", "LOGIN", "SCRAM-SHA-256"):
        wire = Wire()
        with wire.proxy(bench.source.port) as proxy:
            r = bench.sync(program, user, "--authmech1=" + name, password1="wrong pa\"ss", port1=proxy.port)
        check(r.code == 161 and r.has("Error login on [127.0.0.1] with user [%s] auth [%s]" % (user, name)), r)
        check(wire.sent.count(b"AUTHENTICATE") + wire.sent.count(b"LOGIN") == 1, r, str(wire.sent))


@tests.engine_only
def options_that_do_not_fit_together_are_refused(bench, program):
    user = bench.user()
    token = "--oauthaccesstoken1=" + bench.token(user)
    for words, why in ((["--authmech1=CRAM-MD5"], "SCRAM-SHA-256, XOAUTH2 or OAUTHBEARER expected"),
                       (["--authmech2="], "invalid for option authmech2"),
                       (["--authmech1=XOAUTH2"], "needs option oauthaccesstoken1"),
                       (["--authmech1=PLAIN", token], "it takes XOAUTH2 or OAUTHBEARER"),
                       (["--authuser1=a", token], "the token tells who logs in"),
                       (["--authuser1="], "needs a user"),
                       (["--authuser1=a", "--authmech1=LOGIN"], "user*master")):
        r = bench.sync(program, user, *words)
        check(r.code == 64 and r.has(why), r, str(words))


@tests.engine_only
def an_access_token_logs_in_by_either_mechanism(bench, program):
    for words, name in (([], "OAUTHBEARER"), (["--authmech1=XOAUTH2"], "XOAUTH2"),
                        (["--authmech1=OAUTHBEARER"], "OAUTHBEARER")):
        for capabilities in ((), (b"SASL-IR",)):
            user = bench.with_mail()
            token = bench.token(user, TOKEN[:-2] + user)
            with Wire(server=without(*capabilities)).proxy(bench.source.port) as proxy:
                r = bench.sync(program, user, "--oauthaccesstoken1=" + token, *words, port1=proxy.port, password1="unused")
            arrived(bench, user, r)
            check(r.has("with user [%s] auth [%s]" % (user, name)), r)
    with Wire(server=without(b"AUTH=OAUTHBEARER")).proxy(bench.source.port) as proxy:
        r = bench.sync(program, user, "--oauthaccesstoken1=" + token, port1=proxy.port)
    check(r.code == 0 and r.has("auth [XOAUTH2]"), r)


@tests.engine_only
def a_long_access_token_logs_in(bench, program):
    user = bench.with_mail()
    token = "eyJ" + "abcdefghij" * 250
    for name in ("XOAUTH2", "OAUTHBEARER"):
        r = bench.sync(program, user, "--authmech1=" + name, "--oauthaccesstoken1=" + bench.token(user, token))
        arrived(bench, user, r)


@tests.engine_only
def a_token_too_long_to_be_sent_is_not_sent_in_part(bench, program):
    wire = Wire()
    with wire.proxy(bench.source.port) as proxy:
        r = bench.sync(program, bench.user(), "--oauthaccesstoken1=" + bench.passfile("t" * 9000, "token"),
                       port1=proxy.port)
    check(r.code == 161 and r.has("too long") and b"AUTHENTICATE" not in wire.sent, r)


@tests.engine_only
def a_refused_access_token_says_why_and_is_not_told(bench, program):
    user = bench.user()
    for name in ("XOAUTH2", "OAUTHBEARER"):
        for known, whose in ((False, user), (True, "user199")):
            token = TOKEN[:-2] + "%s%s" % (name, known)
            wire = Wire()
            with wire.proxy(bench.source.port) as proxy:
                r = bench.sync(program, user, "--authmech1=" + name, "--oauthaccesstoken1=" + bench.token(whose, token, known),
                               port1=proxy.port)
            check(r.code == 161 and r.has("auth [%s]: " % name) and r.has('"status":"'), r)
            check(wire.sent.count(b"AUTHENTICATE") == 1, r)
            check(b"LOGIN" not in wire.sent, r)
            masked(r, token)


@tests.engine_only
def a_server_that_repeats_the_token_does_not_get_it_into_the_log(bench, program):
    user = bench.user()
    token = TOKEN[:-2] + "repeated"
    plain = b"user=%s\x01auth=Bearer %s\x01\x01" % (user.encode(), token.encode())
    for echo in (token.encode(), base64.b64encode(plain), base64.b64encode(b"n,a=u,\x01auth=Bearer %s\x01\x01" % token.encode())):
        def server(data, echo=echo):
            return data.replace(b" NO [AUTHENTICATIONFAILED]", b" NO [AUTHENTICATIONFAILED] " + echo)
        with Wire(server=server).proxy(bench.source.port) as proxy:
            r = bench.sync(program, user, "--authmech1=XOAUTH2", "--oauthaccesstoken1=" + bench.token(user, token, False),
                           port1=proxy.port)
        check(r.code == 161 and r.has("********"), r)
        masked(r, token)


@tests.engine_only
def a_token_in_place_of_its_file_is_refused_and_not_repeated(bench, program):
    r = bench.sync(program, bench.user(), "--oauthaccesstoken1=" + TOKEN)
    check(r.code == 66 and r.has("other users of this machine could read it") and TOKEN not in r.output, r)


@tests.engine_only
def a_token_is_read_again_for_every_connection(bench, program):
    """The first one expires with the first connection; the file has the next one by then."""
    user = bench.with_mail()
    first, second = TOKEN[:-2] + "first", TOKEN[:-2] + "second"
    path = bench.token(user, first)
    cut = [False]

    def rule(data):
        if b"BODY[]" in data and not cut[0]:
            cut[0] = True
            del bench.introspection.tokens[first]
            bench.introspection.tokens[second] = user
            with open(path, "w", encoding="ascii") as f:
                f.write(second + "\n")
            return Last(data[:100])
        return data

    with Wire(server=rule).proxy(bench.source.port) as proxy:
        r = bench.sync(program, user, "--oauthaccesstoken1=" + path, "--connections=1", port1=proxy.port)
    check(cut[0] and r.has("reconnecting (1/3)") and second in bench.introspection.asked, r)
    arrived(bench, user, r)
    masked(r, first, second)


@tests.engine_only
def a_token_refused_on_the_way_is_not_tried_again(bench, program):
    user = bench.with_mail()
    token = TOKEN[:-2] + "expired"
    path = bench.token(user, token)

    def rule(data):
        if b"BODY[]" in data:
            bench.introspection.tokens.pop(token, None)
            return Last(data[:100])
        return data

    with Wire(server=rule).proxy(bench.source.port) as proxy:
        r = bench.sync(program, user, "--oauthaccesstoken1=" + path, "--connections=1", port1=proxy.port)
    check(r.code != 0 and r.output.count("reconnection failed") == 1 and r.has('"status":"'), r)
    masked(r, token)


@tests.engine_only
def a_login_that_is_answered_bad_on_the_way_is_not_tried_again(bench, program):
    user = bench.with_mail()
    cut = []

    def rule(data):
        if b"BODY[]" in data:
            cut.append(True)
            return Last(data[:100])
        return re.sub(rb"(A\d+) OK [^\r]*Logged in", rb"\1 BAD no", data) if cut else data

    with Wire(server=rule).proxy(bench.source.port) as proxy:
        r = bench.sync(program, user, "--connections=1", port1=proxy.port)
    check(cut and r.code != 0 and r.output.count("reconnection failed") == 1, r)


@tests.engine_only
def a_master_user_opens_the_mailbox_of_another(bench, program):
    for words in ((), ("--authmech1=PLAIN",), ("--authmech1=SCRAM-SHA-256",)):
        user = bench.with_mail()
        r = bench.sync(program, user, "--authuser1=" + MASTER, *words, password1=MASTERS_PASSWORD, **bench.tls())
        arrived(bench, user, r)
    r = bench.sync(program, user, "--authuser1=" + MASTER, password1="wrong")
    check(r.code == 161, r)
    r = bench.sync(program, user, "--authuser1=user199", password1=bench.users["user199"])
    check(r.code == 161, r, "who is no master opened another's mailbox")


@tests.engine_only
def an_administrator_of_cyrus_opens_the_mailbox_of_another(bench, program):
    why = cyrus.missing()
    if why:
        raise Skip(why)
    user = bench.user()
    with cyrus.Cyrus(os.path.join(bench.directory, "cyrus"), bench.users) as server:
        server.make(user)
        c = box.connect(server, user)
        for n in range(2):
            box.append(c, "INBOX", box.message(n))
        c.logout()
        for words in ((), ("--authmech1=PLAIN",)):
            r = bench.sync(program, user, "--authuser1=" + cyrus.ADMIN, *words, port1=server.port,
                           password1=server.users[cyrus.ADMIN])
            arrived_there = sum(box.snapshot(bench.destination, user)["INBOX"].values())
            check(r.code == 0 and arrived_there == 2, r)
        r = bench.sync(program, user, "--authuser1=user199", port1=server.port, password1=bench.users["user199"])
        check(r.code == 161, r, "who is no administrator opened another's mailbox")


@tests.engine_only
def a_master_user_is_refused_where_only_login_is_offered(bench, program):
    wire = Wire(server=without(b"AUTH=PLAIN", b"AUTH=SCRAM-SHA-256"))
    with wire.proxy(bench.source.port) as proxy:
        r = bench.sync(program, bench.user(), "--authuser1=" + MASTER, password1=MASTERS_PASSWORD, port1=proxy.port)
    check(r.code == 161 and r.has("takes AUTH=PLAIN or AUTH=SCRAM-SHA-256"), r)
    check(b"A2 LOGIN" not in wire.sent and b"AUTHENTICATE" not in wire.sent, r, str(wire.sent))


@tests.engine_only
def a_password_beyond_ascii_logs_in_by_every_mechanism(bench, program):
    for name in ("PLAIN", "LOGIN", "SCRAM-SHA-256"):
        r = bench.sync(program, "abroad", "--justlogin", "--authmech1=" + name)
        check(r.code == 0, r)


if __name__ == "__main__":
    tests.main()
