"""mailconvoyctl on a real database: what each verb does, says and exits with (doctor and key have tests of their own)."""
import atexit
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [os.path.join(TESTS, "stack"), os.path.join(TESTS, "http")]

import stack  # noqa: E402
import tap    # noqa: E402
from tap import has, lacks, same  # noqa: E402

BUILD = os.environ.get("MCV_BUILDDIR") or stack.SOURCE
CTL = os.path.join(BUILD, "ctl", "mailconvoyctl")
OK, PROBLEMS, USAGE, REFUSED, UNAVAILABLE, CONFLICT, CONFIG = 0, 1, 64, 65, 69, 73, 78
PASSWORD = "a long enough password"

if not os.path.exists(CTL):
    tap.skip_all("mailconvoyctl is not built")
DIR = tempfile.mkdtemp(prefix="mcv-ctl-")
servers = stack.Stack(DIR, BUILD, port=0, parts=("mariadb",))
try:
    servers.check_prerequisites()
except RuntimeError as why:
    tap.skip_all(str(why))


@atexit.register
def leave():
    servers.stop()
    shutil.rmtree(DIR, ignore_errors=True)


def ctl(*words, text="", conf=None):
    """(exit code, standard output, standard error)"""
    done = subprocess.run([CTL, "-c", conf or servers.conf, *words], input=text.encode(), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    out, err = done.stdout.decode(), done.stderr.decode()
    lacks(err, "Sanitizer")
    lacks(err, "runtime error")
    return done.returncode, out, err


def ok(*words, text=""):
    code, out, err = ctl(*words, text=text)
    same(code, OK, " ".join(words) + ": " + out + err)
    return out


def refused(code, *words, text=""):
    got, out, err = ctl(*words, text=text)
    same(got, code, " ".join(words) + ": " + out + err)
    return out + err


def sql(text):
    out = servers.db.sql(text, "mailconvoy")
    assert out is not None, text
    return out.strip()


def other_conf(name, text):
    path = os.path.join(DIR, name)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    return path


def test_setup_prepares_everything_and_shows_one_password():
    servers.start()
    servers.write_conf()
    for name in ("keys", "state", "web"):
        os.makedirs(os.path.join(DIR, name), exist_ok=True)
    out = ok("setup", "--email", "admin@example.org")
    has(out, "First administrator: admin@example.org")
    has(out, "http://127.0.0.1:")
    same(len(re.findall(r"^Password, shown only now: \S{16,}$", out, re.M)), 1)
    same(sql("SELECT role FROM user WHERE email = 'admin@example.org'"), "admin")


def test_setup_again_changes_nothing():
    before = sql("SELECT id, password_hash FROM user")
    with open(os.path.join(DIR, "keys", "sealing.key"), "rb") as f:
        key = f.read()
    out = ok("setup")
    lacks(out, "Password")
    same(sql("SELECT id, password_hash FROM user"), before)
    with open(os.path.join(DIR, "keys", "sealing.key"), "rb") as f:
        same(f.read(), key)


def test_passwords_are_hashed_by_yescrypt():
    has(sql("SELECT password_hash FROM user WHERE email = 'admin@example.org'"), "$y$")


def test_db_status_lists_what_is_applied():
    has(ok("db", "status"), "0001 initial")


def test_db_migrate_says_when_there_is_nothing_to_do():
    has(ok("db", "migrate"), "up to date")


def test_a_newer_schema_is_refused_in_plain_words():
    sql("INSERT INTO schema_migration SELECT 9999, 'future', sha256, applied_at FROM schema_migration LIMIT 1")
    try:
        has(refused(CONFLICT, "user", "list"), "upgrade mailconvoy")
        has(refused(PROBLEMS, "db", "status"), "UNKNOWN TO THIS VERSION")
    finally:
        sql("DELETE FROM schema_migration WHERE version = 9999")


def test_user_add_takes_the_password_from_standard_input():
    has(ok("user", "add", "--role", "admin", "support@example.org", text=PASSWORD + "\n"), "may sign in")
    has(ok("user", "list"), "support@example.org")


def test_user_add_makes_the_customer_of_a_member():
    ok("user", "add", "--account", "Example Ltd", "accounts@example.org", text=PASSWORD + "\n")
    same(sql("SELECT a.name FROM user u JOIN account a ON a.id = u.account_id WHERE u.email = 'accounts@example.org'"),
         "Example Ltd")


def test_a_member_without_a_customer_is_refused():
    has(refused(USAGE, "user", "add", "lost@example.org", text=PASSWORD + "\n"), "--account")


def test_no_password_is_taken_from_the_command_line():
    refused(USAGE, "user", "add", "--role", "admin", "third@example.org", PASSWORD)
    refused(USAGE, "user", "passwd", "support@example.org", PASSWORD)


def test_the_same_address_twice_is_a_conflict():
    has(refused(CONFLICT, "user", "add", "--role", "admin", "support@example.org", text=PASSWORD + "\n"), "already")


def test_whoever_breaks_off_while_asked_gets_their_terminal_back():
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(CTL, [CTL, "-c", servers.conf, "user", "passwd", "support@example.org"])
    code = None
    try:
        said = b""
        while b"Password for support@example.org: " not in said:
            assert select.select([terminal], [], [], 30)[0], said
            said += os.read(terminal, 1000)
        echoes = lambda: termios.tcgetattr(terminal)[3] & termios.ECHO != 0  # noqa: E731
        same(echoes(), False)
        os.write(terminal, b"\x03")
        deadline = time.monotonic() + 120
        while code is None and time.monotonic() < deadline:
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None:
                code = os.WTERMSIG(os.waitpid(pid, 0)[1])
        same((code, echoes()), (signal.SIGINT, True))
    finally:
        if code is None:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        os.close(terminal)


def test_a_short_password_is_refused():
    has(refused(REFUSED, "user", "passwd", "support@example.org", text="short\n"), "nothing was changed")


def test_no_password_at_all_is_refused():
    refused(REFUSED, "user", "passwd", "support@example.org")


def test_what_is_no_address_is_refused():
    refused(REFUSED, "user", "add", "--role", "admin", "not an address", text=PASSWORD + "\n")


def test_an_invited_user_gets_a_link_and_the_last_administrator_stays():
    link = ok("user", "invite", "--account", "Example Ltd", "invited@example.org").strip()
    assert re.search(r"^http://.*/welcome/[0-9a-f]{64}$", link), link
    has(ok("user", "list"), "(invited)")
    again = ok("user", "link", "invited@example.org").strip()
    assert again != link
    same(sql("SELECT COUNT(*) FROM user_link"), "1")
    lacks(sql("SELECT HEX(id_hash) FROM user_link").lower(), again.rsplit("/", 1)[1])
    has(ok("user", "role", "invited@example.org", "admin"), "administrator")
    ok("user", "role", "invited@example.org", "member")
    refused(USAGE, "user", "role", "invited@example.org", "king")
    has(refused(REFUSED, "user", "role", "nobody@example.org", "member"), "there is no user nobody@example.org")
    sql("UPDATE user SET disabled_at = UTC_TIMESTAMP(6) WHERE role = 'admin' AND email <> 'support@example.org'")
    has(refused(CONFLICT, "user", "disable", "support@example.org"), "last administrator")
    has(refused(CONFLICT, "user", "role", "support@example.org", "member"), "last administrator")
    sql("UPDATE user SET disabled_at = NULL WHERE role = 'admin'")


def test_accounts_are_limited_suspended_and_listed():
    ok("account", "add", "Limited Ltd", "--queued", "5", "--hosts", "mail.example.org,*.example.net")
    ok("account", "limit", "Limited Ltd", "--daily", "7")
    has(ok("account", "list"), "0 queued of 5, 0 of 7 made today")
    same(sql("SELECT GROUP_CONCAT(host ORDER BY host) FROM account_host"), "*.example.net,mail.example.org")
    ok("account", "limit", "Limited Ltd", "--running", "1")
    has(ok("account", "list"), "0 running of 1, 0 queued of 5, 0 of 7 made today")
    ok("account", "limit", "Limited Ltd", "--queued", "none", "--hosts", "none")
    has(ok("account", "list"), "0 running of 1, 0 queued, 0 of 7 made today")
    ok("account", "limit", "Limited Ltd", "--running", "none")
    same(sql("SELECT COUNT(*) FROM account WHERE max_running IS NOT NULL"), "0")
    refused(USAGE, "account", "limit", "Limited Ltd", "--running", "0")
    same(sql("SELECT COUNT(*) FROM account_host"), "0")
    ok("account", "suspend", "Limited Ltd")
    has(ok("account", "list"), "(suspended)")
    ok("account", "resume", "Limited Ltd")
    refused(CONFLICT, "account", "add", "Limited Ltd")
    refused(REFUSED, "account", "suspend", "Nobody Ltd")
    refused(USAGE, "account", "limit", "Limited Ltd", "--daily", "many")
    same(sql("SELECT GROUP_CONCAT(DISTINCT action ORDER BY id) FROM audit WHERE detail = 'Limited Ltd'"),
         "account_create,account_update,account_suspend,account_resume")


def test_tokens_are_printed_once_bounded_and_revoked():
    token = ok("token", "create", "--user", "accounts@example.org", "--scopes", "jobs:read,jobs:write", "--days", "30",
               "--networks", "192.0.2.0/24", "billing").strip()
    assert re.search("^mcv_[0-9a-f]{64}$", token), token
    listed = ok("token", "list")
    has(listed, "jobs:read jobs:write")
    lacks(listed, token)
    same(sql("SELECT token_hash = UNHEX(SHA2('%s', 256)) FROM api_token" % token), "1")
    number = sql("SELECT id FROM api_token")
    ok("token", "revoke", number)
    has(ok("token", "list"), "(revoked)")
    refused(REFUSED, "token", "revoke", number)
    refused(REFUSED, "token", "create", "--user", "accounts@example.org", "--scopes", "jobs:read", "--installation", "x")
    refused(REFUSED, "token", "create", "--user", "support@example.org", "--scopes", "accounts:write", "x")
    refused(REFUSED, "token", "create", "--user", "support@example.org", "--scopes", "jobs:read", "--networks", "x", "x")
    refused(USAGE, "token", "create", "--user", "support@example.org", "--scopes", "all", "x")
    ok("token", "create", "--user", "support@example.org", "--scopes", "accounts:write", "--installation", "x")


def test_an_unknown_user_is_refused():
    has(refused(REFUSED, "user", "disable", "nobody@example.org"), "no user")


def test_user_passwd_ends_every_session():
    sql("INSERT INTO session (id_hash, user_id, created_at, last_seen_at, expires_at) SELECT REPEAT('x', 32), id, "
        "UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL 1 DAY FROM user "
        "WHERE email = 'support@example.org'")
    before = sql("SELECT password_hash FROM user WHERE email = 'support@example.org'")
    ok("user", "passwd", "support@example.org", text="another " + PASSWORD + "\n")
    assert sql("SELECT password_hash FROM user WHERE email = 'support@example.org'") != before
    same(sql("SELECT COUNT(*) FROM session"), "0")


def test_user_disable_and_enable():
    ok("user", "disable", "support@example.org")
    has(ok("user", "list"), "(disabled)")
    ok("user", "enable", "support@example.org")
    lacks(ok("user", "list"), "(disabled)")


def trail(action):
    return sql("SELECT COALESCE(object, ''), COALESCE(detail, '') FROM audit WHERE action = '%s' ORDER BY id DESC LIMIT 1"
               % action).split("\t")


def test_what_is_done_with_users_is_in_the_audit_log():
    ok("user", "add", "--account", "Noted", "noted@example.org", text="a good long password\n")
    user = "user " + sql("SELECT id FROM user WHERE email = 'noted@example.org'")
    same(trail("user_create"), [user, "noted@example.org as member"])
    same(trail("account_create")[1], "Noted")
    for verb, action, text in (("passwd", "user_password", "another long password\n"), ("disable", "user_disable", ""),
                               ("enable", "user_enable", ""), ("link", "user_link", "")):
        ok("user", verb, "noted@example.org", text=text)
        same((verb, trail(action)), (verb, [user, "noted@example.org"]))
    ok("user", "invite", "--account", "Noted", "asked@example.org")
    same(trail("user_invite")[1], "asked@example.org as member")
    lacks(sql("SELECT * FROM audit"), "long password")


def test_nobody_gets_into_a_closed_account():
    ok("user", "add", "--account", "Leaving", "leaving@example.org", text="a good long password\n")
    ok("account", "close", "Leaving")
    name, email = sql("SELECT a.name, u.email FROM user u JOIN account a ON a.id = u.account_id WHERE u.email LIKE"
                      " 'closed-%leaving@example.org'").split("\t")
    has(refused(73, "user", "enable", email), "which is closed")
    for verb in ("add", "invite"):
        has(refused(73, "user", verb, "--account", name, "late@example.org", text="a good long password\n"), "is closed")
    same(sql("SELECT COUNT(*) FROM user WHERE email = 'late@example.org' OR (email = '%s' AND disabled_at IS NULL)" % email), "0")


def test_two_migrations_may_run_at_once_unless_told_otherwise():
    has(ok("slots"), "2 migrations")


def test_slots_are_raised_and_lowered():
    has(ok("slots", "5"), "5 migrations")
    has(ok("slots", "0"), "0 migrations")
    has(ok("slots", "2"), "2 migrations")


def test_who_changes_the_slots_is_in_the_audit_log():
    ok("slots", "3")
    same(trail("slots")[-1], "3")
    before = sql("SELECT COUNT(*) FROM audit")
    ok("slots")
    same(sql("SELECT COUNT(*) FROM audit"), before)
    ok("slots", "2")


def test_slots_takes_only_numbers():
    for word in ("-1", "two", "1001", "", "2x"):
        refused(USAGE, "slots", word)


def test_check_finds_nothing_in_a_good_database():
    has(ok("check"), "agree")


def test_check_lists_each_contradiction():
    sql("INSERT INTO job_log (job_id, start, length, encoding, bytes, at) VALUES (77, 0, 1, 0, 'x', UTC_TIMESTAMP(6))")
    try:
        has(refused(PROBLEMS, "check"), "77")
    finally:
        sql("DELETE FROM job_log")


def test_the_sample_configuration_is_every_setting_at_its_default():
    sample = other_conf("sample.conf", ok("conf", "sample"))
    with open(sample, encoding="utf-8") as f:
        plain = other_conf("plain.conf", re.sub(r"^#(\w+ = )", r"\1", f.read(), flags=re.M))
    code, defaults, _ = ctl("conf", "show", conf=sample)
    same(code, OK)
    same(ctl("conf", "show", conf=plain)[:2], (OK, defaults))


def test_a_missing_configuration_is_its_own_exit_code():
    code, _, err = ctl("user", "list", conf=os.path.join(DIR, "none.conf"))
    same(code, CONFIG)
    has(err, "conf sample")


def test_a_refused_configuration_is_named_with_its_line():
    code, _, err = ctl("check", conf=other_conf("bad.conf", 'debug = false\nfrobnicate = "1"\n'))
    same(code, CONFIG)
    has(err, "bad.conf")
    has(err, "frobnicate")


def test_called_wrongly_it_shows_its_verbs():
    for words in ((), ("frobnicate",), ("db",), ("db", "drop"), ("key",), ("conf",), ("user",), ("mail",), ("mail", "test"), ("check", "all"),
                  ("doctor", "now"), ("setup", "--password", "x")):
        has(refused(USAGE, *words), "usage", " ".join(words))


def test_a_test_mail_needs_a_relay_and_says_why_it_was_not_sent():
    has(refused(PROBLEMS, "mail", "test", "a@example.org"), "notifications are off")
    conf = other_conf("relay.conf", 'smtp_host = "127.0.0.1"\nsmtp_port = 1\nmail_from = "panel@example.org"\n')
    code, out, err = ctl("mail", "test", "a@example.org", conf=conf)
    same(code, PROBLEMS, err)
    has(out, "Not sent.")
    has(out, "nothing listens on this port")


def test_version_and_help_need_no_configuration():
    has(ctl("version", conf="/nonexistent")[1], "mailconvoyctl ")
    has(ctl("help", conf="/nonexistent")[1], "doctor")


def test_without_a_database_it_says_so():
    servers.db.stop()
    has(refused(UNAVAILABLE, "user", "list"), "mailconvoyctl: ")
    has(refused(PROBLEMS, "doctor"), "Is MariaDB running?")


if __name__ == "__main__":
    tap.run(globals())
