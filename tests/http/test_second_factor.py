"""The second factor: turning it on and off, its recovery codes, its administrators, its key."""
import base64
import os
import re
import subprocess

import factor_person
import webstack
import tap
from factor_person import PAGE, Person, code_of, give_code, is_in, wrong
from webstack import PASSWORD
from tap import has, lacks, same

web = factor_person.web = webstack.Stack(login_max_per_user=20, login_max_per_address=1000)


def test_it_is_on_only_once_a_first_code_was_confirmed():
    p = Person(on=False)
    page = p.browser.post(PAGE, {"password": PASSWORD})
    same(page.status, 200)
    has(page.text, '<svg class="qr"')
    secret = re.search(r"<code>([A-Z2-7 ]{39})</code>", page.text).group(1)
    box = re.search(r'name="setup" value="([0-9a-f]+)"', page.text).group(1)
    same(web.sql("SELECT COUNT(*) FROM second_factor"), [["0"]])
    b, answer = p.give_password()
    same((answer.status, answer.location), (303, "/migration/jobs"), "nothing is asked for yet")
    again = p.browser.post(PAGE + "/confirm", {"setup": box, "code": wrong(secret)})
    same(again.status, 422)
    has(again.text, "This is not the code of now")
    has(again.text, secret, "the same QR code once more")
    done = p.browser.post(PAGE + "/confirm", {"setup": box, "code": " %s %s " % (code_of(secret)[:3], code_of(secret)[3:])})
    same(done.status, 200)
    same(len(re.findall(r"<code>([0-9a-z]{4}-){3}[0-9a-z]{4}</code>", done.text)), 10)
    same(p.audited("second_factor_on"), 1)
    p.owing()


def test_turning_it_on_takes_the_password_again_and_guesses_are_counted():
    p = Person(on=False)
    for form in ({}, {"password": "wrong"}):
        answer = p.browser.post(PAGE, form)
        same(answer.status, 422)
        lacks(answer.text, "<svg class=\"qr\"")
    for _ in range(19):
        same(p.browser.post_json(PAGE, {"password": "wrong"}).status, 422)
    answer = p.browser.post_json(PAGE, {"password": PASSWORD})
    same(answer.status, 429)
    assert int(answer.headers["Retry-After"]) > 0
    web.sql("DELETE FROM login_throttle")


def test_a_setup_is_good_for_its_user_and_session_alone():
    p, other = Person(on=False), Person(on=False)
    setup = p.begin()
    same(other.confirm(setup, code_of(setup["secret"])).status, 422, "another user")
    elsewhere = web.sign_in(p.email.split("@")[0])
    answer = elsewhere.post_json(PAGE + "/confirm", {"setup": setup["box"], "code": code_of(setup["secret"])})
    same((answer.status, answer.json()["type"]), (422, "urn:mailconvoy:setup_over"), "another session")
    same(web.sql("SELECT COUNT(*) FROM second_factor WHERE user_id IN (%d, %d)" % (p.id, other.id)), [["0"]])
    flipped = dict(setup, box=setup["box"][:-1] + ("0" if setup["box"][-1] != "0" else "1"))
    same(p.confirm(flipped, code_of(setup["secret"])).status, 422, "altered")
    same(p.confirm(setup, code_of(setup["secret"])).status, 200)


def test_turning_it_on_signs_out_every_other_browser():
    p = Person(on=False)
    other = web.sign_in(p.email.split("@")[0])
    before = p.browser.cookies["mailconvoy"]
    p.turn_on()
    same((is_in(p.browser), is_in(other)), (True, False))
    assert p.browser.cookies["mailconvoy"] != before


def test_the_code_that_turned_it_on_is_used_up():
    p = Person(on=False)
    setup = p.begin()
    good = code_of(setup["secret"], 1)
    same(p.confirm(setup, good).status, 200)
    same(give_code(p.owing(), good).status, 401)


def test_new_recovery_codes_take_password_and_code_and_replace_the_old():
    p = Person()
    good = {"password": PASSWORD, "code": code_of(p.secret)}
    same(p.browser.post_json(PAGE + "/codes", dict(good, password="wrong")).status, 422)
    same(p.browser.post_json(PAGE + "/codes", dict(good, code=wrong(p.secret))).status, 422)
    a = p.browser.post_json(PAGE + "/codes", good)
    same((a.status, len(a.json()["codes"])), (200, 10))
    same(p.audited("recovery_codes_new"), 1)
    same(give_code(p.owing(), p.codes[0]).status, 401)
    same(give_code(p.owing(), a.json()["codes"][0]).status, 303)
    same(p.left(), 9)


def test_it_is_turned_off_with_password_and_code_or_recovery_code():
    for which in ("app", "recovery"):
        p = Person()
        code = code_of(p.secret) if which == "app" else p.codes[5]
        same(p.browser.post(PAGE + "/off", {"password": PASSWORD}).status, 422)
        same(p.browser.post(PAGE + "/off", {"password": "wrong", "code": code}).status, 422)
        same(p.browser.post(PAGE + "/off", {"password": PASSWORD, "code": wrong(p.secret)}).status, 422)
        same(web.sql("SELECT COUNT(*) FROM second_factor WHERE user_id = %d" % p.id), [["1"]])
        a = p.browser.post(PAGE + "/off", {"password": PASSWORD, "code": code})
        same((a.status, a.location), (303, PAGE + "?notice=second_factor_off"))
        same((p.left(), p.audited("second_factor_off")), (0, 1))
        same(p.give_password()[1].location, "/migration/jobs")


def test_it_does_not_hide_who_is_here_in_a_users_place():
    p = Person()
    web.sql("INSERT INTO sso_link (id_hash, user_id, issuer, role, return_to, support, created_at, expires_at) VALUES "
            "(UNHEX(SHA2('%s', 256)), %d, 'api', 'member', '/migration/jobs', 'Ada', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + "
            "INTERVAL 60 SECOND)" % ("5" * 64, p.id))
    b = web.anyone()
    csrf = re.search('name="csrf" value="([^"]*)"', b.get("/sso/" + "5" * 64).text).group(1)
    same(b.request("POST", "/sso/" + "5" * 64, form={"csrf": csrf}).status, 303)
    same(give_code(b, code_of(p.secret)).status, 303)
    has(b.get("/migration/jobs").text, "Ada is here in place of ")
    same(web.sql("SELECT action FROM audit WHERE support = 'Ada' ORDER BY id"), [["sso_link_used"], ["login"]])


def test_an_administrator_sees_who_has_it_and_takes_it_away():
    p, admin = Person(), web.sign_in("admin")
    url = "/migration/users/%d" % p.id
    text = admin.json("/migration/users").text + admin.json(url).text
    has(text, '"has_second_factor":true')
    lacks(text, p.secret.replace(" ", ""))
    for who in (p.browser, web.sign_in("other")):
        same(who.post(url + "/second-factor-off").status, 403)
    a = admin.post(url + "/second-factor-off")
    same((a.status, a.location), (303, url + "?notice=user_second_factor_off"))
    same(p.give_password()[1].location, "/migration/jobs")
    same((p.left(), p.audited("second_factor_off")), (0, 1))


def test_an_administrators_own_takes_the_administrators_code():
    admin = web.sign_in("admin")
    me = int(web.sql("SELECT id FROM user WHERE email = 'admin@example.org'")[0][0])
    setup = admin.post_json(PAGE, {"password": PASSWORD}).json()["setup"]
    same(admin.post_json(PAGE + "/confirm", {"setup": setup["box"], "code": code_of(setup["secret"])}).status, 200)
    admin.csrf = admin.json("/session").json()["csrf"]
    same(admin.post("/migration/users/%d/second-factor-off" % me).status, 409)
    same(web.sql("SELECT COUNT(*) FROM second_factor WHERE user_id = %d" % me), [["1"]])
    has(web.stack.run_ctl("user", "list"), "(second factor)")
    web.stack.run_ctl("user", "second-factor-off", "admin@example.org")
    same(web.sql("SELECT COUNT(*) FROM second_factor WHERE user_id = %d" % me), [["0"]])
    same(web.sql("SELECT COUNT(*) FROM audit WHERE action = 'second_factor_off' AND object = 'user %d'" % me), [["1"]])


def test_tokens_of_scripts_work_as_before():
    p = Person()
    web.sql("INSERT INTO api_token (account_id, name, token_hash, scopes, created_by, created_at) VALUES (%d, 'x', "
            "UNHEX(SHA2('mcv_%064x', 256)), 'jobs:read', %d, UTC_TIMESTAMP(6))" % (web.acme, p.id, p.id))
    b = web.anyone(Authorization="Bearer mcv_%064x" % p.id)
    same(b.get("/api/v1/jobs").status, 200)
    same(b.get("/api/v1/migration/second-factor").status, 403)


def dump():
    return subprocess.run(["mariadb-dump", "--no-defaults", "-S", web.stack.db.socket, "--hex-blob", "mailconvoy"],
                          check=True, stdout=subprocess.PIPE).stdout


def test_neither_secret_nor_codes_are_in_a_dump_or_a_log():
    p = Person()
    good = code_of(p.secret)
    same(give_code(p.owing(), good).status, 303)
    b = p.owing()
    give_code(b, wrong(p.secret))
    ticket = b.cookies["mailconvoy-code"]
    secret = p.secret.replace(" ", "")
    raw = base64.b32decode(secret)
    logs = web.output().encode()
    folder = os.path.join(web.dir, "web")
    for name in os.listdir(folder):
        if name.endswith(".log"):
            with open(os.path.join(folder, name), "rb") as f:
                logs += f.read()
    has(logs.decode(errors="replace"), "/login/code", "the log is read")
    stored = dump()
    for what in [secret, raw.hex(), raw.hex().upper(), ticket] + p.codes + [c.replace("-", "") for c in p.codes]:
        for where in (stored, logs):
            assert what.encode() not in where, what
    assert raw not in stored
    for what in (b"otpauth", b"code=" + good.encode()):
        assert what not in logs, what


def test_a_secret_moved_to_another_users_row_opens_for_nobody():
    p, thief = Person(), Person()
    web.sql("UPDATE second_factor t JOIN second_factor o ON o.user_id = %d SET t.sealed = o.sealed, t.last_step = 0 "
            "WHERE t.user_id = %d" % (thief.id, p.id))
    same(give_code(p.owing(), code_of(thief.secret)).status, 503)


def test_without_the_key_nobody_turns_it_on_and_who_has_it_does_not_get_in():
    p, new = Person(), Person(on=False)
    key = os.path.join(web.dir, "keys", "second-factor.key")
    b = p.owing()
    token = b.login_token()
    os.rename(key, key + ".away")
    try:
        has(b.get("/login/code").text, "does not have the key")
        for code in (code_of(p.secret), p.codes[0]):
            a = b.request("POST", "/login/code", form={"code": code, "csrf": token})
            same(a.status, 503)
            has(a.text, "Codes cannot be checked")
        same((is_in(b), p.left()), (False, 10))
        has(new.browser.get(PAGE).text, "It cannot be turned on")
        same(new.browser.post(PAGE, {"password": PASSWORD}).status, 503)
        same(p.browser.post(PAGE + "/off", {"password": PASSWORD, "code": p.codes[0]}).status, 503)
        code, out = doctor()
        same(code, 1)
        has(out, "who cannot sign in")
        done = subprocess.run([web.stack.ctl, "-c", web.conf, "key", "second-factor"], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, universal_newlines=True)
        same(done.returncode, 73, "no new key behind one's back")
        has(done.stdout, "bring %s back" % key)
        assert not os.path.exists(key)
        # nor with another
        with open(key, "w", encoding="ascii") as f:
            f.write("5a" * 32 + "\n")
        os.chmod(key, 0o400)
        same(b.request("POST", "/login/code", form={"code": code_of(p.secret), "csrf": token}).status, 503)
        has(doctor()[1], "stored under another key")
        os.unlink(key)
    finally:
        os.rename(key + ".away", key)
    same(give_code(p.owing(), code_of(p.secret)).status, 303)
    has(doctor()[1], "key of the second factors " + key)


def doctor():
    done = subprocess.run([web.stack.ctl, "-c", web.conf, "doctor"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True)
    return done.returncode, done.stdout


def test_the_qr_code_holds_what_is_to_be_typed():
    p = Person(on=False)
    page = p.browser.post_json(PAGE, {"password": PASSWORD}).json()
    size, path = page["qr"]["size"], page["qr"]["path"]
    dark = set()
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1H\d+z", path):
        dark.update((int(x) + n, int(y)) for n in range(int(width)))
    same("".join(re.findall(r"M\d+ \d+h\d+v1H\d+z", path)), path)
    for x, y in dark:
        assert 4 <= x < size - 4 and 4 <= y < size - 4, "the quiet zone"
    # the three finders
    for left, top in ((4, 4), (size - 11, 4), (4, size - 11)):
        ring = {(left + n, top + m) for n in range(7) for m in range(7) if n in (0, 6) or m in (0, 6)}
        assert ring <= dark, "a finder"


if __name__ == "__main__":
    tap.run(globals())
