"""Signing in and out, sessions, and what slows a guesser."""
import urllib.parse

import webstack
import tap
from webstack import PASSWORD
from tap import has, lacks, same

web = webstack.Stack(login_max_per_user=4, login_max_per_address=30)
addresses = iter("198.51.100.%d" % n for n in range(1, 255))


def forwarded(address=None):
    return {"X-Forwarded-For": address or next(addresses)}


def session_of(b):
    return b.cookies.get("mailconvoy")


def test_a_page_without_a_session_leads_to_the_sign_in_and_back():
    b = web.anyone()
    a = b.get("/migration/jobs?state=done&q=a%26b")
    same(a.status, 303)
    same(a.location, "/login?next=%2Fmigration%2Fjobs%3Fstate%3Ddone%26q%3Da%2526b")
    a = b.login("member@example.org", PASSWORD, "/migration/jobs?state=done&q=a%26b")
    same((a.status, a.location), (303, "/migration/jobs?state=done&q=a%26b"))


def test_data_and_changes_without_a_session_are_401():
    b = web.anyone()
    same(b.json("/migration/jobs").status, 401)
    same(b.json("/api/v1/jobs").status, 401)
    same(b.post("/migration/jobs", {"name": "x"}).status, 401)


def test_the_way_back_never_leaves_the_site():
    for bad in ("//evil.example/x", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"):
        a = web.anyone(**forwarded()).login("member@example.org", PASSWORD, bad)
        same((a.status, a.location), (303, "/migration/jobs"), bad)


def test_a_way_back_that_fits_no_header_is_ignored():
    member = web.anyone(**forwarded())
    member.login("member@example.org", PASSWORD)
    for bad in ("/migration/jobs?q=\u00e9", "/\u65e5\u672c", "/a b"):
        a = web.anyone(**forwarded()).login("member@example.org", PASSWORD, bad)
        same((a.status, a.location), (303, "/migration/jobs"), bad)
        a = member.get("/login?" + urllib.parse.urlencode({"next": bad}))
        same((a.status, a.location), (303, "/migration/jobs"), bad)


def test_a_session_cookie_is_for_http_alone_and_same_site():
    b = web.anyone()
    a = b.login("member@example.org", PASSWORD)
    lines = [c for c in a.headers.get_all("Set-Cookie") if c.startswith("mailconvoy=")]
    same(len(lines), 1)
    has(lines[0], "; Path=/")
    has(lines[0], "; HttpOnly")
    has(lines[0], "; SameSite=Lax")


def test_a_session_id_brought_along_is_never_taken_over():
    b = web.anyone()
    b.cookies["mailconvoy"] = planted = "ab" * 32
    same(b.login("member@example.org", PASSWORD).status, 303)
    if session_of(b) == planted:
        raise AssertionError("the planted id became a session")
    b.cookies["mailconvoy"] = planted
    same(b.json("/session").status, 401)


def test_signing_in_again_ends_the_old_session():
    b = web.sign_in("member")
    old = session_of(b)
    again = web.anyone()
    form = {"email": "member@example.org", "password": PASSWORD, "csrf": again.login_token()}
    again.cookies["mailconvoy"] = old
    same(again.request("POST", "/login", form=form).status, 303)
    same(b.json("/session").status, 401, "the old session")
    same(again.json("/session").status, 200, "the new one")


def test_signing_out_ends_the_session_on_the_server():
    b = web.sign_in("member")
    kept = session_of(b)
    a = b.post("/logout")
    same((a.status, a.location), (303, "/login?notice=signed_out"))
    same(session_of(b), None)
    b.cookies["mailconvoy"] = kept
    same(b.json("/session").status, 401)


def test_a_session_ends_when_it_is_idle_or_old():
    b = web.sign_in("member")
    web.sql("UPDATE session SET last_seen_at = UTC_TIMESTAMP(6) - INTERVAL 3 HOUR")
    same(b.json("/session").status, 401, "idle")
    a = b.get("/migration/jobs")
    same((a.status, a.location), (303, "/login?next=%2Fmigration%2Fjobs&notice=session_over"))
    b = web.sign_in("member")
    same(b.json("/session").status, 200)
    web.sql("UPDATE session SET expires_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND")
    same(b.json("/session").status, 401, "old")


def test_a_disabled_user_is_out_at_once():
    b = web.sign_in("other")
    web.sql("UPDATE user SET disabled_at = UTC_TIMESTAMP(6) WHERE email = 'other@example.org'")
    try:
        same(b.json("/session").status, 401)
        same(web.anyone(**forwarded()).login("other@example.org", PASSWORD).status, 401)
    finally:
        web.sql("UPDATE user SET disabled_at = NULL WHERE email = 'other@example.org'")


def test_a_wrong_password_and_an_unknown_user_get_the_same_answer():
    pages = []
    for email in ("member@example.org", "nobody@example.org"):
        b = web.anyone(**forwarded())
        a = b.login(email, "wrong")
        same(a.status, 401)
        lacks(a.text, "wrong\"")
        text = a.text.replace(email, "EMAIL").replace(a.headers["X-Request-Id"], "ID")
        pages.append(text.replace(b.login_token(), "TOKEN"))
    same(pages[0], pages[1])


def test_the_sign_in_form_needs_its_own_token():
    b = web.anyone()
    form = {"email": "member@example.org", "password": PASSWORD}
    same(b.request("POST", "/login", form=form).status, 403, "no cookie, no token")
    token = b.login_token()
    same(b.request("POST", "/login", form=form).status, 403, "no token")
    same(b.request("POST", "/login", form=dict(form, csrf="0" * 64)).status, 403, "wrong token")
    same(web.anyone().request("POST", "/login", form=dict(form, csrf=token)).status, 403, "token without its cookie")
    same(b.request("POST", "/login", form=dict(form, csrf=token)).status, 303)


def test_a_script_signs_in_with_json_and_gets_its_token():
    b = web.anyone()
    body = '{"email":"member@example.org","password":"%s"}' % PASSWORD
    a = b.request("POST", "/api/v1/login", body, {"Content-Type": "application/json"})
    same(a.status, 200)
    b.csrf = a.json()["csrf"]
    same(a.json()["user"], {"email": "member@example.org", "role": "member"})
    same(b.request("POST", "/api/v1/logout", headers={"X-CSRF-Token": b.csrf}).status, 204)
    evil = {"Content-Type": "application/json", "Origin": "https://evil.example"}
    same(web.anyone().request("POST", "/api/v1/login", body, evil).status, 403)


def test_guessing_one_user_is_slowed_but_the_owner_elsewhere_is_not():
    here = next(addresses)
    for _ in range(4):
        same(web.anyone(**forwarded(here)).login("other@example.org", "wrong").status, 401)
    a = web.anyone(**forwarded(here)).login("other@example.org", PASSWORD)
    same(a.status, 429)
    if not 0 < int(a.headers["Retry-After"]) <= 60:
        raise AssertionError(a.headers["Retry-After"])
    same(web.anyone(**forwarded()).login("other@example.org", PASSWORD).status, 303, "from elsewhere")


def test_other_letters_for_the_same_address_are_no_new_guesses():
    web.add_user(web.other, "desk@example.org", "member")
    here = next(addresses)
    for letter in ("k", "K", "\u212a", "\u212a"):  # the sign for Kelvin is a "k" in lower case
        same(web.anyone(**forwarded(here)).login("des%s@example.org" % letter, "wrong").status, 401)
    for letter in ("k", "\u212a"):
        same(web.anyone(**forwarded(here)).login("des%s@example.org" % letter, PASSWORD).status, 429, letter)


def test_guessing_many_users_from_one_address_is_slowed():
    here = next(addresses)
    seen = []
    for n in range(31):
        seen.append(web.anyone(**forwarded(here)).login("nobody%d@example.org" % n, "wrong").status)
    same(seen, [401] * 30 + [429])
    web.sql("DELETE FROM login_throttle")


def test_a_known_browser_is_never_locked_out_by_strangers():
    owner = web.anyone(**forwarded())
    same(owner.login("other@example.org", PASSWORD).status, 303)
    device = owner.cookies["mailconvoy-device"]
    for _ in range(40):
        web.anyone(**forwarded()).login("other@example.org", "wrong")
    same(web.anyone(**forwarded()).login("other@example.org", PASSWORD).status, 429, "a stranger's browser")
    again = web.anyone(**forwarded())
    again.cookies["mailconvoy-device"] = device
    same(again.login("other@example.org", PASSWORD).status, 303, "the owner's browser")
    web.sql("DELETE FROM login_throttle")


def test_an_empty_form_is_refused_field_by_field():
    b = web.anyone()
    a = b.request("POST", "/login", form={"csrf": b.login_token()}, headers={"Accept": "application/json"})
    same(a.status, 422)
    same(sorted(a.json()["fields"]), ["email", "password"])


if __name__ == "__main__":
    tap.run(globals())
