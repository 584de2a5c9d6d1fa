"""Sign-in links from the local socket: who gets one, for whom, and who does not."""
import contextlib
import json
import os
import shutil
import subprocess
import threading

import ssohost
import tap
from process import wait_for
from ssohost import CONFIG, DENIED, LATER, NAMELESS, OK, REFUSED, UNAVAILABLE, USAGE, Host
from tap import Skip, has, lacks, same

host = Host(__file__)
NEWCOMER = 58830
PASSWD = os.path.join(host.dir, "passwd")


def counts():
    return host.sql("SELECT (SELECT COUNT(*) FROM account), (SELECT COUNT(*) FROM user), (SELECT COUNT(*) FROM sso_link)")[0]


def refused(who, code, part, *words, **more):
    """Nothing is printed and nothing made; the reason is told in words."""
    before = counts()
    got, out, err = host.ctl(who, *words, **more)
    same((got, out), (code, ""), err)
    has(err, part)
    same(counts(), before)


def test_each_user_gets_a_link_for_the_account_of_their_own_name():
    for who in ("bob", "eve", "Bob"):
        link = host.link(who)
        has(link, host.stack.env["URL"] + "/sso/")
        same(host.meant(link), (who, who, "member", "/migration/jobs"))
    before = counts()
    same(host.meant(host.link("bob")), ("bob", "bob", "member", "/migration/jobs"))
    same(counts()[:2], before[:2], "a second account or user")


def test_a_script_is_told_the_rest_as_json():
    code, out, _ = host.ctl("bob", "--json", "--ttl", "30", "--return-to", "/migration/batches?embed=1")
    said = json.loads(out)
    same((code, said["ttl"]), (OK, 30))
    same(host.meant(said["url"]), ("bob", "bob", "member", "/migration/batches?embed=1"))


def test_who_is_signed_in_is_not_for_the_asker_to_say():
    for words in (("--account", "eve"), ("--user", "eve"), ("--account", "bob"), ("--account", "eve", "--user", "bob")):
        refused("bob", DENIED, "may name an account", *words)
    for asked in ({"uid": 0}, {"role": "admin"}, {"account": "eve"}, {"check": True}):
        has(host.say("bob", json.dumps(asked).encode() + b"\n")["error"], "denied" if asked.keys() & {"account", "check"}
            else "refused")
    env = {"USER": "eve", "LOGNAME": "eve", "USERNAME": "eve", "SUDO_UID": "0", "SUDO_USER": "root", "HOME": "/root",
           "REMOTE_USER": "eve", "QUERY_STRING": "account=eve", "MCV_SSO_SOCKET": "/nonexistent", "LISTEN_FDS": "1"}
    same(host.meant(host.link("bob", env=env))[:2], ("bob", "bob"))


def test_services_and_nobody_get_none():
    refused("service", DENIED, "sso_trusted_users")
    refused(65534, DENIED, "nobody's")
    refused(NAMELESS, DENIED, "no name of its own")
    refused(61500, DENIED, "no name of its own")


def test_a_name_that_leads_to_another_uid_is_nobodys():
    with open(PASSWD, "a", encoding="ascii") as out:
        out.write("ann:x:58820:58820::/:/bin/sh\n")
    host.start_again()
    refused(58820, DENIED, "no name of its own")
    same(host.meant(host.link("ann"))[0], "ann")


def test_root_names_whom_it_is_for():
    refused("root", REFUSED, "Name the account")
    same(host.meant(host.link("root", "--account", "carol")), ("carol", "carol", "member", "/migration/jobs"))
    same(host.meant(host.link("root", "--account", "carol", "--user", "staff")),
         ("carol", "carol/staff", "member", "/migration/jobs"))
    for words in (("--account", "a b"), ("--account", ""), ("--account", "carol", "--user", "x/y")):
        refused("root", REFUSED, "cannot be a name", *words)


def test_who_is_listed_may_name_others_and_is_no_customer_by_that():
    for who in ("panel", "listed"):
        same(host.meant(host.link(who, "--account", "eve"))[:2], ("eve", "eve"))
    same(host.meant(host.link("panel"))[0], "panel")
    refused("listed", REFUSED, "Name the account")


def test_a_user_named_for_another_account_is_in_nobodys_way():
    host.link("root", "--account", "eve", "--user", "ann")
    same(host.meant(host.link("ann"))[:2], ("ann", "ann"))


def test_nobody_becomes_an_administrator_not_even_for_root():
    host.sql("INSERT INTO account_external (issuer, external_id, account_id) SELECT 'local', 'root', account_id FROM user "
             "WHERE role = 'admin'; INSERT INTO user_external (issuer, external_id, user_id) SELECT 'local', 'root', id "
             "FROM user WHERE role = 'admin'")
    refused("root", DENIED, "administrator", "--account", "root")
    has(host.say("root", b'{"account":"root","role":"admin"}\n')["error"], "refused")


def test_a_link_leads_to_our_own_pages_alone():
    for where in ("https://evil.example/", "//evil.example", "/migration/../login", "/login", "javascript:x", "/migration/\\x"):
        refused("bob", REFUSED, "path to return to", "--return-to", where)


def test_a_link_lives_two_minutes_at_most():
    link = host.link("bob", "--ttl", "120")
    (left,), = host.sql("SELECT TIMESTAMPDIFF(SECOND, created_at, expires_at) FROM sso_link WHERE id_hash = "
                        "UNHEX(SHA2('%s', 256))" % link.rsplit("/", 1)[1])
    same(left, "120")
    for ttl in ("121", "0", "-1", "x"):
        same(host.ctl("bob", "--ttl", ttl)[0], USAGE)
    has(host.say("bob", b'{"ttl":121}\n')["detail"], "120")


def test_who_was_disabled_or_has_left_comes_upon_nothing():
    host.start_again()
    account, = host.sql("SELECT account_id FROM account_external WHERE issuer = 'local' AND external_id = 'bob'")[0]
    host.sql("UPDATE user SET disabled_at = UTC_TIMESTAMP(6) WHERE account_id = %s" % account)
    refused("bob", DENIED, "disabled")
    host.sql("UPDATE user SET disabled_at = NULL WHERE account_id = %s" % account)
    same(host.meant(host.link("bob"))[0], "bob")
    host.stack.run_ctl("account", "close", "id:bob")
    same(host.meant(host.link("bob"))[:2], ("bob", "bob"))
    again, = host.sql("SELECT account_id FROM account_external WHERE issuer = 'local' AND external_id = 'bob'")[0]
    assert again != account, "the former account is opened again"


def test_a_uid_that_was_given_to_another_user_means_that_user():
    with open(PASSWD, encoding="ascii") as f:
        text = f.read()
    before = host.link("carol")
    with open(PASSWD, "w", encoding="ascii") as out:
        out.write(text.replace("carol:x:", "dora:x:"))
    try:
        same(host.meant(host.link("carol"))[:2], ("dora", "dora"))
        same(host.meant(before)[:2], ("carol", "carol"))
    finally:
        with open(PASSWD, "w", encoding="ascii") as out:
            out.write(text)


@contextlib.contextmanager
def renumbered(who, number):
    """The name is another uid's meanwhile."""
    with open(PASSWD, encoding="ascii") as f:
        text = f.read()
    assert "\n%s:x:%d:" % (who, ssohost.PEOPLE[who]) in text
    with open(PASSWD, "w", encoding="ascii") as out:
        out.write(text.replace("\n%s:x:%d:" % (who, ssohost.PEOPLE[who]), "\n%s:x:%d:" % (who, number)))
    try:
        yield
    finally:
        with open(PASSWD, "w", encoding="ascii") as out:
            out.write(text)


def account_of(name):
    return host.sql("SELECT account_id, uid FROM account_external WHERE issuer = 'local' AND external_id = '%s'" % name)


def test_a_name_that_was_given_to_another_user_does_not_lead_to_the_former_ones_account():
    host.start_again()
    host.link("eve")
    mine = account_of("eve")
    same(mine[0][1], str(ssohost.PEOPLE["eve"]))
    with renumbered("eve", NEWCOMER):
        refused(NEWCOMER, DENIED, "belonged to another system user before")
        refused(NEWCOMER, DENIED, "mailconvoyctl account hand-over id:eve")
        same(host.meant(host.link("root", "--account", "eve"))[:2], ("eve", "eve"))
    same(host.meant(host.link("eve"))[:2], ("eve", "eve"))
    same(account_of("eve"), mine)


def test_an_account_goes_to_another_uid_when_an_administrator_hands_it_over():
    host.start_again()
    left = host.link("eve")
    account, uid = account_of("eve")[0]
    has(host.stack.run_ctl("account", "hand-over", "id:eve"), "with all its jobs")
    same(host.sql("SELECT detail FROM audit WHERE action = 'account_hand_over' AND object = 'account %s'" % account),
         [["eve, uid %s before" % uid]])
    same(host.sql("SELECT COUNT(*) FROM sso_link WHERE id_hash = UNHEX(SHA2('%s', 256))" % left.rsplit("/", 1)[1]), [["0"]])
    with renumbered("eve", NEWCOMER):
        host.link(NEWCOMER)
        same(account_of("eve"), [[account, str(NEWCOMER)]])
    refused("eve", DENIED, "belonged to another system user before")
    host.stack.run_ctl("account", "close", "id:eve")
    host.link("eve")
    assert account_of("eve")[0][0] != account, "the former account is opened again"


def test_who_names_an_account_does_not_bind_it():
    host.start_again()
    for who in ("root", "panel"):
        host.link(who, "--account", "gina")
        same(account_of("gina")[0][1], "NULL")


def test_root_of_a_user_namespace_is_who_made_it():
    words = ("unshare", "--user", "--map-root-user")
    if subprocess.run([*words, "true"], user=58811, group=58811, extra_groups=[], stderr=subprocess.DEVNULL).returncode:
        raise Skip("users may not make user namespaces here")
    same(host.meant(host.link("bob", before=words))[:2], ("bob", "bob"))
    refused("bob", DENIED, "may name an account", "--account", "eve", before=words)


def test_a_socket_that_cannot_see_who_asks_signs_nobody_in():
    path = os.path.join(host.dir, "stack", "web", "blind.sock")
    server = subprocess.Popen(["spawn-fcgi", "-n", "-s", path, "-M", "0666", "--", shutil.which("unshare"), "--user", "--map-root-user",
                               os.path.join(ssohost.BUILD, "fcgi", "mailconvoy-web"), "--sso", "-c", host.stack.conf],
                              stderr=subprocess.DEVNULL)
    try:
        wait_for("the socket", lambda: os.path.exists(path) and os.stat(path).st_mode & 0o666 == 0o666)
        refused("bob", DENIED, "nobody's", "--socket", path)
    finally:
        server.terminate()
        server.wait(120)


def test_everything_is_in_the_audit_trail_with_the_uid_and_without_the_link():
    host.start_again()
    link = host.link("panel", "--account", "frida")
    rows = host.sql("SELECT action, object, detail, address FROM audit ORDER BY id DESC LIMIT 3")
    same(sorted(row[0] for row in rows), ["account_create", "sso_link", "user_create"])
    for row in rows:
        has(row[2], "uid 58814 (panel)")
        same(row[3], "local socket")
    token = link.rsplit("/", 1)[1]
    lacks(json.dumps(host.sql("SELECT * FROM audit")), token)
    lacks(host.said(), token)
    has(host.said(), "for uid 58814 (panel)")


def test_garbage_is_answered_with_a_reason():
    host.start_again()
    for what in (b"\n", b"GET / HTTP/1.1\r\n\r\n", b"[]\n", b"{}{}\n", b"\0\n", b"\xff\xfe{}\n", b'{"ttl":1e9}\n',
                 b'{"return_to":"/migration/jobs\\u0000"}\n', b'{"a":' * 500 + b"\n", b"x" * 4096, b'{"account":["a"]}\n'):
        same((what[:20], host.say("panel", what)["error"]), (what[:20], "refused"))
    has(host.say("panel", b"{" + b" " * 100000)["detail"], "too long")
    has(host.say("panel", b"", ends=True)["detail"], "Nothing")
    same(set(host.say("panel", b"{}", ends=True)), {"url", "ttl"})
    same(set(host.say("panel", b'{"ttl":5}\n{"account":"eve"}\n')), {"url", "ttl"})


def test_who_asks_too_often_waits_and_nobody_else():
    host.start_again()
    answers = [host.say("bob", b"{}\n") for _ in range(25)]
    same([set(a) for a in answers[:20]], [{"url", "ttl"}] * 20)
    same([a["error"] for a in answers[20:]], ["busy"] * 5)
    has(answers[-1]["detail"], "seconds")
    code, out, err = host.ctl("bob")
    same((code, out), (LATER, ""), err)
    same(host.meant(host.link("eve"))[0], "eve")


def test_two_hundred_silent_connections_keep_nobody_waiting():
    host.start_again()
    with contextlib.ExitStack() as held:
        silent = [held.enter_context(host.connected("eve")) for _ in range(200)]
        same(host.meant(host.link("bob"))[0], "bob")
        told = [ssohost.answer(s) for s in silent]
    late = [t for t in told if "took too long" in t["detail"]]
    same((len(late), sorted({t["error"] for t in told})), (4, ["busy", "refused"]))


def test_a_line_that_trickles_is_given_up_in_time():
    host.start_again()
    stop = threading.Event()
    with host.connected("eve") as s:
        def trickle():
            while not stop.wait(0.2):
                try:
                    s.sendall(b" ")
                except OSError:
                    return
        thread = threading.Thread(target=trickle)
        thread.start()
        same(host.meant(host.link("bob"))[0], "bob")
        told = ssohost.answer(s)
        stop.set()
        thread.join()
    has(told["detail"], "took too long")


def test_all_at_once_and_for_the_first_time_each_gets_one_account():
    host.start_again()
    names = ["new%d" % n for n in range(10)]
    results = []

    def ask(name):
        results.append((name, host.ctl("root", "--account", name)))
    # root may hold four at once: the client says when to come again
    threads = [threading.Thread(target=ask, args=(name,)) for name in names for _ in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    same({r[0] for _, r in results} <= {OK, LATER}, True, str(results)[:2000])
    for name, (code, out, _) in results:
        if code == OK:
            same(host.meant(out.strip())[:2], (name, name))
    made = {name for name, (code, _, _) in results if code == OK}
    rows = host.sql("SELECT external_id, COUNT(*) FROM account_external WHERE external_id LIKE 'new%' GROUP BY external_id")
    same({row[0] for row in rows}, made)
    same({row[1] for row in rows} <= {"1"}, True)


def test_without_the_database_it_says_so_and_recovers():
    host.start_again()
    host.link("bob")
    host.stack.db.process.child.kill()
    host.stack.db.process.child.wait()
    code, out, err = host.ctl("bob")
    same((code, out), (UNAVAILABLE, ""), err)
    host.stack.db.start()
    wait_for("a link", lambda: host.ctl("eve")[0] == OK)


def test_the_client_says_where_nobody_answers_and_how_it_is_turned_on():
    refused("bob", UNAVAILABLE, "systemctl enable --now mailconvoy-sso.socket", "--socket", "/nonexistent/sso.sock")
    refused("bob", UNAVAILABLE, "too long", "--socket", "/" + "x" * 200)


def test_a_configuration_that_is_closed_to_customers_is_not_needed():
    os.chmod(host.stack.conf, 0o640)
    try:
        refused("bob", CONFIG, host.stack.conf)
        same(host.meant(host.link("bob", "--socket", host.socket, conf=False))[0], "bob")
        has(host.ctl("bob", conf=False)[2], "/sso.sock")
    finally:
        os.chmod(host.stack.conf, 0o644)


def test_called_wrongly_it_says_how_it_is_called():
    for words in (("--account",), ("x",), ("--nope", "x"), ("--socket",)):
        code, out, err = host.ctl("bob", *words)
        same((code, out), (USAGE, ""), words)
        has(err, "usage: mailconvoyctl sso-link")
    done = subprocess.run([host.stack.ctl, "sso-link"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    same(done.returncode, USAGE)


def own_server(path):
    """One that makes its socket itself."""
    conf = os.path.join(host.dir, "own.conf")
    with open(host.stack.conf, encoding="utf-8") as f, open(conf, "w", encoding="utf-8") as out:
        out.writelines(line for line in f if not line.startswith("sso_socket"))
        out.write("sso_socket = %s\n" % json.dumps(path))
    os.chmod(conf, 0o644)
    return subprocess.Popen([os.path.join(ssohost.BUILD, "fcgi", "mailconvoy-web"), "--sso", "-c", conf],
                            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)


def test_by_hand_it_makes_its_socket_itself_in_the_place_of_an_old_one():
    path = os.path.join(host.dir, "own.sock")
    for sig in ("kill", "terminate"):
        server = own_server(path)
        try:
            # the old socket, which nobody listens at any more, is there from the beginning: "unavailable"
            wait_for("an answer", lambda: host.ctl("bob", "--socket", path)[0] in (DENIED, REFUSED, OK, LATER))
            same(os.stat(path).st_mode & 0o777, 0o666)
            with host.connected("bob", path):
                getattr(server, sig)()
                server.wait(120)
        finally:
            server.kill()
    same(server.returncode, 0)
    server = own_server("")
    same((server.wait(120), b"is off" in server.stderr.read()), (111, True))


def test_nothing_broke_a_rule_of_memory():
    host.start_again()
    lacks(host.said(), "Sanitizer")
    lacks(host.said(), "runtime error")


if __name__ == "__main__":
    tap.run(globals())
