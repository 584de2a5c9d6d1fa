#!/usr/bin/env python3
"""What cannot be begun is refused with imapsync's exit codes, and before a password is sent where that matters."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dovecot
import imapbox as box
from harness import Tests, check
from proxy import Proxy

tests = Tests()
TLS = {1: ("--ssl1",), 2: ("--ssl2",)}
STARTTLS = {1: ("--tls1",), 2: ("--tls2",)}


def verified(side, host, ca_file=None):
    words = ["--sslargs%d=SSL_verify_mode=1" % side, "--sslargs%d=SSL_verifycn_scheme=imap" % side,
             "--sslargs%d=SSL_verifycn_name=%s" % (side, host)]
    return words + (["--sslargs%d=SSL_ca_file=%s" % (side, ca_file)] if ca_file else [])


@tests.test
def a_wrong_password_names_its_side(bench, program):
    user = bench.user()
    r = bench.sync(program, user, password1="wrong")
    check(r.code == 161, r)
    check(r.has("Host1 failure: Error login on [127.0.0.1] with user [%s]" % user), r)
    r = bench.sync(program, user, password2="wrong")
    check(r.code == 162 and r.has("Host2 failure: Error login on"), r)
    r = bench.sync(program, user, password1="wrong", password2="wrong")
    check(r.code == 161 and r.has("Err 2/2: Host2 failure: Error login on"), r)


@tests.test
def an_unknown_host_names_its_side(bench, program):
    r = bench.sync(program, bench.user(), host1="nosuch.invalid")
    check(r.code == 101 and r.has("Host1 failure: can not open imap connection on host1 [nosuch.invalid]"), r)
    r = bench.sync(program, bench.user(), host2="nosuch.invalid")
    check(r.code == 102 and r.has("Host2 failure: can not open imap connection on host2 [nosuch.invalid]"), r)


@tests.test
def a_refused_connection_names_its_side(bench, program):
    port = dovecot.free_port()
    check(bench.sync(program, bench.user(), port1=port).code == 101)
    r = bench.sync(program, bench.user(), port2=port)
    check(r.code == 102 and r.has("Connection refused"), r)


@tests.test
def tls_and_starttls_work_when_all_is_right(bench, program):
    ca = bench.authority.ca_file
    user = bench.user()
    box.append(box.connect(bench.source, user), "INBOX", box.message(1))
    r = bench.sync(program, user, *verified(1, "localhost", ca), *verified(2, "localhost", ca), host1="localhost",
                   host2="localhost", port1=bench.source.tls_port, security1=TLS[1], security2=STARTTLS[2])
    check(r.code == 0 and r.number("Messages transferred") == 1, r)


@tests.test
def an_untrusted_certificate_is_refused(bench, program):
    for side, code in ((1, 101), (2, 102)):
        server = (bench.source, bench.destination)[side - 1]
        r = bench.sync(program, bench.user(), *verified(side, "localhost"),
                       **{"host%d" % side: "localhost", "port%d" % side: server.tls_port,
                          "security%d" % side: TLS[side]})
        check(r.code == code and r.has("certificate verify failed"), r, "TLS, side %d" % side)
        r = bench.sync(program, bench.user(), *verified(side, "localhost"),
                       **{"host%d" % side: "localhost", "security%d" % side: STARTTLS[side]})
        check(r.code == 12, r, "STARTTLS, side %d" % side)
        check(r.has("Host%d failure: Can not go to tls encryption on host%d" % (side, side)), r)


@tests.test
def a_certificate_for_another_host_is_refused(bench, program):
    ca = bench.authority.ca_file
    for side, code in ((1, 101), (2, 102)):
        server = (bench.source, bench.destination)[side - 1]
        r = bench.sync(program, bench.user(), *verified(side, "127.0.0.1", ca),
                       **{"port%d" % side: server.tls_port, "security%d" % side: TLS[side]})
        check(r.code == code, r, "TLS, side %d" % side)
        r = bench.sync(program, bench.user(), *verified(side, "127.0.0.1", ca), **{"security%d" % side: STARTTLS[side]})
        check(r.code == 12, r, "STARTTLS, side %d" % side)


@tests.engine_only
def certificates_are_verified_without_being_asked(bench, program):
    r = bench.sync(program, bench.user(), host1="localhost", port1=bench.source.tls_port, security1=TLS[1])
    check(r.code == 101 and r.has("certificate verify failed"), r)
    r = bench.sync(program, bench.user(), "--sslargs1=SSL_verify_mode=0", port1=bench.source.tls_port,
                   security1=TLS[1])
    check(r.code == 0 and r.has("certificate NOT verified"), r)


@tests.engine_only
def a_server_without_starttls_gets_no_password(bench, program):
    sent = []
    strip = lambda n, b: b.replace(b" STARTTLS", b"")
    with Proxy(bench.source.port, from_server=strip, from_client=lambda n, b: sent.append(b) or b) as proxy:
        r = bench.sync(program, bench.user(), port1=proxy.port, security1=STARTTLS[1])
    check(r.code == 12, r)
    check(b"LOGIN" not in b"".join(sent).upper() and b"AUTHENTICATE" not in b"".join(sent).upper(), r, str(sent))


@tests.engine_only
def tls_and_plain_text_are_told_apart(bench, program):
    r = bench.sync(program, bench.user(), "--timeout1=3", security1=TLS[1])
    check(r.code == 101 and r.has("wrong version number"), r)
    r = bench.sync(program, bench.user(), "--timeout1=3", port1=bench.source.tls_port)
    check(r.code == 101, r)


@tests.test
def bad_command_lines_exit_64(bench, program):
    r = bench.sync(program, bench.user(), "--nosuchoption")
    check(r.code == 64 and r.has("Unknown option: nosuchoption"), r)
    r = bench.sync(program, bench.user(), "strayarg")
    check(r.code == 64 and r.has("Found 1 extra arguments : [strayarg]"), r)


@tests.test
def a_missing_passfile_exits_66(bench, program):
    r = bench.sync(program, bench.user(), "--passfile1=/nonexistent")
    check(r.code == 66 and r.has("--passfile1 /nonexistent does not exist or is not readable"), r)


@tests.test
def justlogin_ends_after_the_logins(bench, program):
    r = bench.sync(program, bench.user(), "--justlogin")
    check(r.code == 0 and r.has("Host2: success login on") and not r.has("++++ Statistics"), r)


@tests.engine_only
def what_servers_say_cannot_reveal_or_forge(bench, program):
    """A password echoed by the server is masked; escapes, bells and line ends come out harmless."""
    user = bench.user()
    password = "s3cret w\"ord"

    def hostile(_, data):
        return data.replace(b"Authentication failed.", b"no: s3cret w\"ord czNjcmV0IHcib3Jk \x1b[31m\x07 \xff end.")

    with Proxy(bench.source.port, from_server=hostile) as proxy:
        r = bench.sync(program, user, port1=proxy.port, password1=password)
    check(r.has("Host1 failure: "), r)
    check("s3cret" not in r.output and "czNjcmV0IHcib3Jk" not in r.output, r)
    check("\x1b" not in r.output and "\x07" not in r.output, r)


if __name__ == "__main__":
    tests.main()
