"""/sso/cpanel: a script of cPanel on another machine asks for a customer's link, and is answered as by cPanel itself."""
import json
import re

import tap
import webstack
from tap import has, lacks, same

web = webstack.Stack()
admin = web.sign_in("admin")
URL = "http://127.0.0.1:%d" % web.port


def token(by=admin, **form):
    """A script that shows a new token."""
    form = {"name": "cPanel", "sso_create": "1", **form}
    made = by.post_json("/migration/tokens", form)
    same(made.status, 201, made.text)
    return web.anyone(Authorization="Bearer " + made.json()["token"])


everybody = token(installation="1", issuer="cpanel-one", accounts_write="1")


def ask(script, form, **headers):
    """What is answered; always in the same shape."""
    a = script.request("POST", "/sso/cpanel", form=form, headers=headers)
    same(a.headers["Content-Type"], "application/json", a.text)
    said = a.json()
    same(sorted(said), ["data", "errors", "messages", "metadata", "status", "url", "warnings"])
    same((said["status"] == 1, said["errors"] is None, said["url"] is not None), (a.status == 200,) * 3)
    same(said["data"], {"url": said["url"], "expires": said["data"]["expires"]} if a.status == 200 else None)
    return a.status, said


def refused(status, part, script, form):
    before = web.sql("SELECT (SELECT COUNT(*) FROM sso_link), (SELECT COUNT(*) FROM user), (SELECT COUNT(*) FROM account)")
    got, said = ask(script, form)
    same(got, status, str(said))
    has(said["errors"][0], part)
    same(web.sql("SELECT (SELECT COUNT(*) FROM sso_link), (SELECT COUNT(*) FROM user), (SELECT COUNT(*) FROM account)"), before)


def follow(url):
    """(session of whom the link signs in, where it leads)"""
    same(url[:len(URL)], URL)
    visitor = web.anyone(Origin=URL)
    page = visitor.get(url[len(URL):])
    csrf = re.search(r'name="csrf" value="([0-9a-f]+)"', page.text).group(1)
    a = visitor.request("POST", url[len(URL):], form={"csrf": csrf})
    same(a.status, 303, a.text[:1000])
    return visitor, a.location


def test_a_customer_is_made_and_signed_in_to_their_own_account():
    status, said = ask(everybody, {"user": "bob", "domain": "bob.example", "email": "bob@bob.example",
                                   "return_to": "/migration/batches"})
    same(status, 200)
    visitor, to = follow(said["url"])
    same(to, "/migration/batches")
    user = visitor.json("/session").json()["user"]
    same((user["email"], user["role"]), ("bob@bob.example", "member"))
    rows = web.sql("SELECT a.name, e.issuer, e.external_id FROM account a JOIN account_external e ON e.account_id = a.id "
                   "JOIN user u ON u.account_id = a.id WHERE u.email = 'bob@bob.example'")
    same(rows, [["bob.example", "cpanel-one", "bob"]])
    again = ask(everybody, {"user": "bob"})[1]["url"]
    same(follow(again)[0].json("/session").json()["user"]["email"], "bob@bob.example")
    same(web.anyone().get(again[len(URL):]).status, 404)


def test_json_is_as_good_as_a_form():
    a = everybody.request("POST", "/api/v1/sso/cpanel", json.dumps({"user": "carl", "ttl": 5}),
                          {"Content-Type": "application/json"})
    same((a.status, a.json()["status"]), (200, 1), a.text)


def test_who_may_not_ask_is_told_so_in_the_same_shape():
    reader = token(installation="1", jobs_read="1", sso_create="")
    for script, status, part in ((web.anyone(), 401, "session"), (reader, 403, "sso:create"), (admin, 403, "sso:create"),
                                 (web.anyone(Authorization="Bearer mcv_" + "0" * 64), 401, "unknown")):
        form = {"user": "bob"}
        if script.csrf:
            form["csrf"] = script.csrf
        refused(status, part, script, form)


def test_what_is_wrong_with_a_request_is_said_in_a_sentence():
    for form, part in (({}, "user: "), ({"user": ""}, "user: "), ({"user": "bob", "ttl": "121"}, "ttl: "),
                       ({"user": "bob", "return_to": "https://evil.example/"}, "return_to: "),
                       ({"user": "bob", "email": "nobody"}, "email: "), ({"user": "x" * 200}, "user: ")):
        refused(422, part, everybody, form)


def test_a_token_that_makes_no_accounts_finds_those_that_are_there():
    plain = token(installation="1", issuer="cpanel-one")
    same(ask(plain, {"user": "bob"})[0], 200)
    refused(404, "no such account", plain, {"user": "nobody-ever"})


def test_bob_of_another_panel_is_somebody_else():
    other = token(installation="1", issuer="cpanel-two", accounts_write="1")
    mine, theirs = (follow(ask(script, {"user": "bob"})[1]["url"])[0].json("/session").json()["user"]["email"]
                    for script in (everybody, other))
    lacks(mine, theirs)


def test_an_accounts_own_token_signs_in_to_that_account_alone():
    member = web.sign_in("member")
    own = token(by=member)
    visitor, _ = follow(ask(own, {"user": "bob"})[1]["url"])
    same(web.sql("SELECT account_id FROM user WHERE email = '%s'" % visitor.json("/session").json()["user"]["email"]),
         [[str(web.acme)]])


def test_nobody_is_made_or_signed_in_as_an_administrator():
    web.sql("INSERT INTO account_external (issuer, external_id, account_id) SELECT 'cpanel-one', 'boss', account_id FROM user "
            "WHERE email = 'admin@example.org'; INSERT INTO user_external (issuer, external_id, user_id) SELECT "
            "'cpanel-one', 'boss', id FROM user WHERE email = 'admin@example.org'")
    refused(403, "administrator", everybody, {"user": "boss"})
    refused(403, "administrator", everybody, {"user": "boss", "role": "admin"})


def test_the_word_is_never_taken_for_a_links_token():
    a = everybody.get("/sso/cpanel")
    same((a.status, a.headers["Allow"]), (405, "POST"))
    same(web.anyone().get("/sso/cpanel2").status, 404)


if __name__ == "__main__":
    tap.run(globals())
