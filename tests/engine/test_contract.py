#!/usr/bin/env python3
"""The worker reads the engine's output as it reads imapsync's, and judges both alike."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dovecot
import imapbox as box
from harness import BUILDDIR, Skip, Tests, check
from proxy import Proxy

tests = Tests(quota="1M")
JUDGE = os.path.join(BUILDDIR, "tests", "engine", "judge")


def judge(result, dry=False):
    if not os.access(JUDGE, os.X_OK):
        raise Skip("tests/engine/judge is not built")
    words = [JUDGE, str(result.code)] + (["dry"] if dry else [])
    text = subprocess.run(words, input=result.output.encode(), stdout=subprocess.PIPE, check=True).stdout.decode()
    said = dict(line.split(" ", 1) for line in text.splitlines())
    return {k: v if k in ("reason", "action") else int(v) for k, v in said.items()}


def fill(bench, user, count=5, size=1000):
    c = box.connect(bench.source, user)
    box.create(c, "Work.Deep")
    for n in range(count):
        box.append(c, "Work.Deep" if n % 2 else "INBOX", box.message(n, size))
    c.logout()


def expect(said, result, **wanted):
    for name, value in wanted.items():
        check(said[name] == value, result, "%s is %s, not %s" % (name, said[name], value))


@tests.test
def a_whole_copy_is_a_success_with_its_figures(bench, program):
    user = bench.user()
    fill(bench, user)
    r = bench.sync(program, user)
    size = sum(m[3] for f in box.snapshot(bench.source, user, ".").values() for m in f)
    expect(judge(r), r, state=0, messages_total=5, messages_done=5, messages_copied=5, bytes_copied=size,
           bytes_total=size, folders_total=2, folders_done=2, looks_good=1, statistics=1, errors=0, missing=0,
           quota_limit_bytes=1 << 20, exit_code=0)


@tests.test
def a_second_run_is_a_success_that_moved_nothing(bench, program):
    user = bench.user()
    fill(bench, user)
    bench.sync(program, user)
    r = bench.sync(program, user)
    expect(judge(r), r, state=0, messages_copied=0, bytes_copied=0, messages_total=5, looks_good=1)


@tests.test
def a_dry_run_tells_what_would_move(bench, program):
    user = bench.user()
    fill(bench, user)
    r = bench.sync(program, user, "--dry")
    expect(judge(r, dry=True), r, state=0, messages_copied=0, messages_to_copy=5, messages_total=5)


@tests.test
def a_wrong_password_is_known(bench, program):
    r = bench.sync(program, bench.user(), password1="wrong")
    expect(judge(r), r, state=1, reason="auth_source", action="edit_source")
    r = bench.sync(program, bench.user(), password2="wrong")
    expect(judge(r), r, reason="auth_destination", action="edit_destination")
    r = bench.sync(program, bench.user(), password1="wrong", password2="wrong")
    expect(judge(r), r, reason="auth_both")


@tests.engine_only
def a_login_that_fails_for_another_reason_than_the_password_is_known(bench, program):
    user = bench.user()
    r = bench.sync(program, user, "--authmech1=XOAUTH2", "--oauthaccesstoken1=" + bench.passfile("token", "token"))
    expect(judge(r), r, state=1, reason="mechanism_missing_source", action="change_options")

    def passwordless(data):
        return data.replace(b"AUTH=PLAIN", b"LOGINDISABLED")

    with Proxy(bench.destination.port, from_server=lambda _, data: passwordless(data)) as proxy:
        r = bench.sync(program, user, port2=proxy.port)
    expect(judge(r), r, state=1, reason="no_passwords_destination", action="edit_server_destination")


@tests.test
def an_unreachable_server_is_known(bench, program):
    r = bench.sync(program, bench.user(), host1="nosuch.invalid")
    expect(judge(r), r, state=1, action="edit_server_source")
    check("name" in judge(r)["reason"], r, judge(r)["reason"])
    r = bench.sync(program, bench.user(), port2=dovecot.free_port())
    expect(judge(r), r, action="edit_server_destination")
    check("refused" in judge(r)["reason"], r, judge(r)["reason"])


@tests.test
def a_bad_certificate_is_known(bench, program):
    words = ["--sslargs1=SSL_verify_mode=1", "--sslargs1=SSL_verifycn_scheme=imap"]
    ca = "--sslargs1=SSL_ca_file=" + bench.authority.ca_file
    for security, port in (("--ssl1", bench.source.tls_port), ("--tls1", bench.source.port)):
        r = bench.sync(program, bench.user(), *words, "--sslargs1=SSL_verifycn_name=localhost", host1="localhost",
                       port1=port, security1=(security,))
        check("untrusted" in judge(r)["reason"], r, "%s: %s" % (security, judge(r)["reason"]))
        r = bench.sync(program, bench.user(), *words, ca, "--sslargs1=SSL_verifycn_name=127.0.0.1", port1=port,
                       security1=(security,))
        check("name" in judge(r)["reason"], r, "%s: %s" % (security, judge(r)["reason"]))


@tests.test
def a_full_destination_is_known(bench, program):
    user = bench.user()
    fill(bench, user, 6, 400000)
    r = bench.sync(program, user)
    said = judge(r)
    expect(said, r, state=1, action="free_space")
    check("quota" in said["reason"] and said["messages_failed"] > 0 and said["missing"] > 0, r, str(said))


if __name__ == "__main__":
    tests.main()
