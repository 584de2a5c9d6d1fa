"""Signing in with a second factor, and what does not get in."""
import re
import threading

import factor_person
import webstack
import tap
from factor_person import PAGE, Person, addresses, code_of, give_code, is_in, later, wrong
from webstack import PASSWORD
from tap import has, lacks, same

web = factor_person.web = webstack.Stack(login_max_per_user=20, login_max_per_address=1000)


def test_a_password_alone_makes_no_session():
    p = Person()
    b = p.owing()
    same(b.cookies.get("mailconvoy"), None)
    for path in ("/migration/jobs", PAGE, "/session"):
        same(b.json(path).status, 401, path)
    same(web.sql("SELECT COUNT(*) FROM session WHERE user_id = %d" % p.id), [["1"]], "the one of before")
    b.cookies["mailconvoy"] = b.cookies["mailconvoy-code"]
    same(b.json("/session").status, 401, "the ticket is no session")
    same(p.audited("login"), 1, "the sign-in of before")


def test_password_and_code_sign_in_and_lead_back():
    p = Person()
    b, answer = p.give_password(next_path="/migration/jobs?state=done")
    same(answer.location, "/login/code?next=%2Fmigration%2Fjobs%3Fstate%3Ddone")
    page = b.get(answer.location)
    has(page.text, 'value="/migration/jobs?state=done"')
    has(page.text, 'autocomplete="one-time-code"')
    answer = give_code(b, code_of(p.secret), "/migration/jobs?state=done")
    same((answer.status, answer.location), (303, "/migration/jobs?state=done"))
    same((is_in(b), b.cookies.get("mailconvoy-code")), (True, None))


def test_a_script_signs_in_with_a_code():
    p = Person()
    b = web.anyone()
    body = '{"email":"%s","password":"%s"}' % (p.email, PASSWORD)
    a = b.request("POST", "/api/v1/login", body, {"Content-Type": "application/json"})
    same((a.status, a.json()["type"]), (401, "urn:mailconvoy:second_factor"))
    a = b.request("POST", "/api/v1/login/code", '{"code":"%s"}' % code_of(p.secret), {"Content-Type": "application/json"})
    same((a.status, a.json()["user"]["email"], a.json()["recovery_left"]), (200, p.email, None))


def test_a_code_is_not_taken_twice():
    p = Person()
    good = code_of(p.secret)
    same(give_code(p.owing(), good).status, 303)
    b = p.owing()
    again = give_code(b, good)
    same(again.status, 401)
    has(again.text, "was used already")
    lacks(again.text, good)
    same(is_in(b), False)
    # nor an older one that was never used
    same(give_code(b, code_of(p.secret, -1)).status, 401)
    same(p.audited("second_factor_refused"), 2)


def test_of_many_requests_with_one_code_at_the_same_moment_one_gets_in():
    p = Person()
    for use in (lambda: code_of(p.secret), lambda: p.codes[3]):
        later()
        browsers = [p.owing() for _ in range(8)]
        tokens = [re.search(r'name="csrf"\s+value="([0-9a-f]+)"', b.get("/login/code").text).group(1) for b in browsers]
        good = use()
        barrier, statuses = threading.Barrier(len(browsers)), []

        def send(b, token):
            barrier.wait()
            statuses.append(b.request("POST", "/login/code", form={"code": good, "csrf": token}).status)

        threads = [threading.Thread(target=send, args=pair) for pair in zip(browsers, tokens)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        same(sorted(statuses), [303] + [401] * 7)
        same(sum(is_in(b) for b in browsers), 1)
        web.sql("DELETE FROM login_throttle")


def test_one_ticket_takes_no_second_session():
    p = Person()
    b = p.owing()
    ticket = b.cookies["mailconvoy-code"]
    same(give_code(b, code_of(p.secret)).status, 303)
    later()
    thief = web.anyone()
    thief.login_token()
    thief.cookies["mailconvoy-code"] = ticket
    same(thief.get("/login/code").location, "/login?next=%2Fmigration%2Fjobs&notice=code_over")
    same(is_in(thief), False)


def test_a_ticket_ends_with_its_time_its_tries_the_password_and_the_user():
    p = Person()
    changes = (
        "UPDATE login_ticket SET expires_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND",
        "UPDATE login_ticket SET tries_left = 0",
        "UPDATE user SET password_hash = CONCAT(password_hash, 'x') WHERE id = %d" % p.id,
        "UPDATE user SET disabled_at = UTC_TIMESTAMP(6) WHERE id = %d" % p.id,
    )
    for change in changes:
        later()
        b = p.owing()
        token = b.login_token()
        web.sql(change)
        try:
            a = b.request("POST", "/login/code", form={"code": code_of(p.secret), "csrf": token})
            same((a.status, a.location), (303, "/login?next=%2Fmigration%2Fjobs&notice=code_over"), change)
            same(is_in(b), False, change)
            same(web.sql("SELECT last_step FROM second_factor WHERE user_id = %d" % p.id), [["0"]], change)
        finally:
            web.sql("UPDATE user SET password_hash = '%s', disabled_at = NULL WHERE id = %d" % (web.hashed(), p.id))


def test_a_ticket_is_tried_five_times():
    p = Person()
    b = p.owing()
    seen = [give_code(b, wrong(p.secret)).status for _ in range(5)]
    same(seen, [401] * 4 + [303])
    same(b.get("/login/code").status, 303)
    same(give_code(p.owing(), code_of(p.secret)).status, 303, "another ticket")
    web.sql("DELETE FROM login_throttle")


def test_who_has_stolen_the_password_does_not_guess_and_does_not_lock_the_owner_out():
    p = Person()
    guesses = 0
    for _ in range(2):
        b = p.owing()
        for _ in range(5):
            give_code(b, wrong(p.secret))
            guesses += 1
    b = p.owing()
    a = give_code(b, code_of(p.secret))
    same(a.status, 429, "after %d guesses, each from other addresses, even the right one" % guesses)
    assert int(a.headers["Retry-After"]) > 3600
    same(is_in(b), False)
    owner = web.anyone(**{"X-Forwarded-For": next(addresses)})
    owner.cookies["mailconvoy-device"] = p.browser.cookies["mailconvoy-device"]
    same(give_code(p.owing(owner), code_of(p.secret)).status, 303, "the owner's browser")
    same(give_code(p.owing(), p.codes[0]).status, 303, "a recovery code, from any")
    web.sql("DELETE FROM login_throttle")


def test_a_browser_that_knew_the_password_alone_counts_as_a_strangers():
    p = Person(on=False)
    thief, answer = p.give_password()
    same(answer.location, "/migration/jobs")
    p.turn_on()
    for _ in range(2):
        b = p.owing(thief)
        for _ in range(5):
            give_code(b, wrong(p.secret))
    same(give_code(p.owing(), code_of(p.secret)).status, 429, "strangers share a count")
    same(p.browser.post("/logout").status, 303)
    same(give_code(p.owing(p.browser), code_of(p.secret)).status, 303, "the owner's browser does not")
    web.sql("DELETE FROM login_throttle")


def test_strangers_without_the_password_use_up_no_code():
    p = Person()
    for _ in range(25):
        p.give_password(password="wrong")
    for _ in range(12):
        b = web.anyone(**{"X-Forwarded-For": next(addresses)})
        b.request("POST", "/login/code", form={"code": "123456", "csrf": b.login_token()})
    same(web.sql("SELECT COUNT(*) FROM login_throttle WHERE kind = 5"), [["0"]])
    same(give_code(p.owing(), code_of(p.secret)).status, 303)
    web.sql("DELETE FROM login_throttle")


def test_a_recovery_code_works_once_however_it_is_typed_and_says_how_many_are_left():
    p = Person()
    typed = " %s " % p.codes[0].upper().replace("-", " ").replace("0", "O").replace("1", "l")
    a = give_code(p.owing(), typed)
    same((a.status, a.location), (303, "/migration/jobs?notice=recovery_left_9"))
    has(p.browser.get("/migration/jobs?notice=recovery_left_9").text, "Codes left: 9.")
    same((p.left(), p.audited("recovery_code_used")), (9, 1))
    same(give_code(p.owing(), typed).status, 401)
    same(give_code(p.owing(), Person().codes[0]).status, 401, "another user's")


def test_a_new_password_by_a_one_time_link_does_not_turn_it_off():
    p = Person()
    token = "%064x" % (p.id + 12345)
    web.sql("INSERT INTO user_link (id_hash, user_id, created_at, expires_at) VALUES (UNHEX(SHA2('%s', 256)), %d, "
            "UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL 1 HOUR)" % (token, p.id))
    b = web.anyone()
    csrf = re.search(r'name="csrf"\s+value="([0-9a-f]+)"', b.get("/welcome/" + token).text).group(1)
    new = "another long password"
    same(b.request("POST", "/welcome/" + token, form={"password": new, "again": new, "csrf": csrf}).status, 303)
    same(is_in(b), False)
    b, answer = p.give_password(password=new)
    same(answer.location.split("?")[0], "/login/code")
    same(give_code(b, code_of(p.secret)).status, 303)


def test_a_sign_in_link_leads_to_the_code_as_a_password_does():
    p = Person()
    token = "%064x" % (p.id + 54321)
    web.sql("INSERT INTO sso_link (id_hash, user_id, issuer, role, return_to, created_at, expires_at) VALUES (UNHEX(SHA2("
            "'%s', 256)), %d, 'local', 'member', '/migration/servers', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL 1 MINUTE)"
            % (token, p.id))
    web.sql("UPDATE account SET panel_origins = 'https://panel.example.org' WHERE id = %d" % web.acme)
    b = web.anyone()
    csrf = re.search(r'name="csrf"\s+value="([0-9a-f]+)"', b.get("/sso/" + token).text).group(1)
    a = b.request("POST", "/sso/" + token, form={"csrf": csrf})
    same((a.status, a.location), (303, "/login/code?next=%2Fmigration%2Fservers"), a.text)
    same((is_in(b), p.audited("sso_login"), p.audited("sso_link_used")), (False, 0, 1))
    has(b.get("/login/code").headers["Content-Security-Policy"], "https://panel.example.org", "in the panel's frame, too")
    same(give_code(b, code_of(p.secret), "/migration/servers").location, "/migration/servers")
    same(is_in(b), True)


def test_signing_in_as_another_ends_the_session_that_was_there():
    p = Person()
    b = web.sign_in("member")
    old = b.cookies["mailconvoy"]
    form = {"email": p.email, "password": PASSWORD, "csrf": web.anyone().login_token()}
    other = web.anyone()
    form["csrf"] = other.login_token()
    other.cookies["mailconvoy"] = old
    same(other.request("POST", "/login", form=form).location.split("?")[0], "/login/code")
    same((is_in(b), is_in(other)), (False, False))


def test_the_form_for_the_code_needs_its_own_token():
    p = Person()
    b = p.owing()
    same(b.request("POST", "/login/code", form={"code": code_of(p.secret)}).status, 403)
    evil = {"Origin": "https://evil.example", "Content-Type": "application/json"}
    same(b.request("POST", "/login/code", '{"code":"%s"}' % code_of(p.secret), evil).status, 403)
    same(is_in(b), False)


if __name__ == "__main__":
    tap.run(globals())
