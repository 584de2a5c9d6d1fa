"""Links by which a control panel signs its customers in: once, for a minute, and exactly whom it names."""
import os
import re
import subprocess
import threading

import webstack
import tap
from tap import has, lacks, same

PANEL = "https://panel.acme.example:2222"
BASE = "https://mail.example.org"
web = webstack.Stack(base_url=BASE)
admin = web.sign_in("admin")
member = web.sign_in("member")
OVER = "This link does not work any more"
count = 0


def api_token(browser=admin, **form):
    a = browser.post_json("/migration/tokens", dict({"name": "panel"}, **form))
    same(a.status, 201, a.text)
    script = web.anyone(Authorization="Bearer " + a.json()["token"])
    script.id = a.json()["id"]
    return script


ALL = {"installation": "1", "accounts_write": "1", "sso_create": "1"}
whmcs = api_token(issuer="whmcs", **ALL)
own = api_token(member, sso_create="1")


def ask(script=whmcs, **form):
    return script.request("POST", "/api/v1/sso-links", form=form)


def link(script=whmcs, **form):
    """The path of a new link."""
    a = ask(script, **form)
    same(a.status, 201, a.text)
    same(a.json()["url"][:len(BASE)], BASE)
    return a.json()["url"][len(BASE):]


def customer():
    """External ids that were never used."""
    global count
    count += 1
    return {"account": "whmcs-%d" % count, "user": "client-%d" % count}


def field(page, name):
    found = re.search(r'name="%s" value="([^"]*)"' % name, page.text)
    return found.group(1) if found else None


def press(browser, path, page, headers=None, **more):
    """What the page's form posts."""
    form = {"csrf": field(page, "csrf")}
    if field(page, "instead_of") is not None:
        form["instead_of"] = field(page, "instead_of")
    form.update(more)
    return browser.request("POST", path, form=form, headers=headers)


def follow(path, browser=None):
    """As a browser does it; signed in afterwards."""
    browser = browser or web.anyone()
    page = browser.get(path)
    same(page.status, 200, page.text)
    answer = press(browser, path, page)
    same(answer.status, 303, answer.text)
    browser.csrf = browser.json("/session").json()["csrf"]
    return browser, answer


def who(browser):
    a = browser.json("/session")
    return a.json()["user"]["email"] if a.status == 200 else None


def works(path):
    return web.anyone().get(path).status == 200


def account_of(external, script=whmcs):
    found = script.json("/api/v1/accounts?external_id=" + external).json()["accounts"]
    return found[0]["id"] if found else None


def user_of(external, issuer="whmcs"):
    return int(web.sql("SELECT user_id FROM user_external WHERE issuer = '%s' AND external_id = '%s'"
                       % (issuer, external))[0][0])


def test_a_link_signs_its_customer_in_once():
    new = customer()
    path = link(return_to="/migration/batches?q=x", account_name="Bob & Co", email="bob@customer.example", **new)
    page = web.anyone().get(path)
    has(page.text, "bob@customer.example")
    has(page.text, "Bob &amp; Co")
    same((page.headers["Cache-Control"], page.headers["Referrer-Policy"]), ("no-store", "strict-origin"))
    lacks(page.headers["Content-Security-Policy"], "unsafe-inline")
    browser, answer = follow(path)
    same(answer.location, "/migration/batches?q=x")
    same((who(browser), browser.json("/session").json()["user"]["role"]), ("bob@customer.example", "member"))
    same((works(path), press(web.anyone(), path, page).status), (False, 403))
    # the same names are the same customer
    browser, answer = follow(link(email="other@customer.example", **new))
    same((answer.location, who(browser)), ("/migration/jobs", "bob@customer.example"))


def test_looking_at_a_link_does_not_use_it_up():
    path = link(**customer())
    for headers in ({}, {"Purpose": "prefetch"}, {"Sec-Purpose": "prefetch;prerender"}, {"User-Agent": "Slackbot 1.0"}):
        for method in ("GET", "HEAD"):
            same(web.anyone().request(method, path, headers=headers).status, 200)
    same(web.sql("SELECT COUNT(*) FROM session WHERE user_id = %d" % user_of("client-%d" % count)), [["0"]])
    follow(path)


def test_of_two_who_use_it_at_once_one_is_signed_in():
    for _ in range(3):
        path = link(**customer())
        browsers = [web.anyone() for _ in range(4)]
        pages = [b.get(path) for b in browsers]
        answers, start = [], threading.Barrier(len(browsers))

        def go(browser, page):
            start.wait()
            answers.append(press(browser, path, page).status)

        threads = [threading.Thread(target=go, args=pair) for pair in zip(browsers, pages)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        same(sorted(answers), [303, 404, 404, 404])
        same(sum(who(b) is not None for b in browsers), 1)


def test_it_works_for_a_minute_or_as_long_as_was_asked_and_two_at_most():
    def seconds():
        return web.sql("SELECT TIMESTAMPDIFF(SECOND, created_at, expires_at) FROM sso_link l JOIN user_external e USING "
                       "(user_id) WHERE e.external_id = 'client-%d'" % count)[0][0]

    path = link(**customer())
    same(seconds(), "60")
    web.sql("UPDATE sso_link SET expires_at = UTC_TIMESTAMP(6)")
    same(works(path), False)
    link(ttl=120, **customer())
    same(seconds(), "120")
    for wrong in ("0", "121", "-1", "x"):
        a = ask(ttl=wrong, **customer())
        same((wrong, a.status, list(a.json()["fields"])), (wrong, 422, ["ttl"]))


def test_wrong_used_expired_and_withdrawn_are_one_and_the_same_answer():
    def over(path):
        browser = web.anyone()
        browser.get(link(**customer()))
        page = browser.get(link(**customer()))
        told = []
        for a in (browser.get(path), press(browser, path, page)):
            same(a.status, 404)
            has(a.text, OVER)
            told.append(a.text.replace(a.headers["X-Request-Id"], "ID"))
        return told

    used, expired, disabled, closed = (link(**customer()) for _ in range(4))
    follow(used)
    web.sql("UPDATE user SET disabled_at = UTC_TIMESTAMP(6) WHERE id = %d" % user_of("client-%d" % (count - 1)))
    admin.post("/migration/accounts/%d/close" % account_of("whmcs-%d" % count), {"confirm": "close"})
    web.sql("UPDATE sso_link SET expires_at = UTC_TIMESTAMP(6) WHERE user_id = %d" % user_of("client-%d" % (count - 2)))
    revoked = api_token(issuer="whmcs", **ALL)
    withdrawn = link(revoked, **customer())
    same(admin.post("/migration/tokens/%d/revoke" % revoked.id).status, 303)
    told = [over(p) for p in (used, expired, disabled, closed, withdrawn, "/sso/x", "/sso/" + "0" * 64)]
    same(len({text for pair in told for text in pair}), 1, "\n".join(told[0] + told[1]))


def test_a_new_session_begins_and_the_old_one_ends():
    new = customer()
    browser, _ = follow(link(**new))
    before = dict(browser.cookies)
    follow(link(**new), browser)
    name = "__Host-mailconvoy"
    same(browser.cookies[name] == before[name], False)
    old = web.anyone()
    old.cookies = before
    same(who(old), None)


def test_who_is_signed_in_as_somebody_else_is_asked_first():
    browser = web.sign_in("other")
    path = link(**customer())
    page = browser.get(path)
    has(page.text, "You are signed in as other@example.org")
    lacks(page.text, "data-post-itself")
    for wrong in ("", "1", str(user_of("client-%d" % count))):
        a = press(browser, path, page, instead_of=wrong)
        same((a.status, who(browser)), (200, "other@example.org"))
        has(a.text, "You are signed in as other@example.org")
    same(press(browser, path, page).status, 303)
    same(who(browser), "client-%d@whmcs.invalid" % count)
    lacks(web.anyone().get(link(**customer())).text, "signed in as other")
    has(web.anyone().get(link(**customer())).text, "data-post-itself")


def test_another_sites_page_cannot_use_a_link_up():
    path = link(**customer())
    same(web.anyone().request("POST", path).status, 403)
    browser = web.anyone()
    page = browser.get(path)
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        same(press(browser, path, page, headers=headers).status, 403)
    same(press(web.anyone(), path, page).status, 403)
    same(press(browser, path, page).status, 303)


def test_a_link_never_raises_a_role():
    boss = int(web.sql("SELECT id FROM user WHERE email = 'admin@example.org'")[0][0])
    web.sql("INSERT INTO account_external (issuer, external_id, account_id) VALUES ('whmcs', 'hosters', %d)" % web.admin_account)
    same(admin.post("/migration/users/%d/external-ids" % boss, {"external_ids": "whmcs boss"}).status, 303)
    for user in ("boss", "new"):
        a = ask(account="hosters", user=user, role="admin" if user == "new" else "member")
        same((user, a.status, a.json()["type"]), (user, 403, "urn:mailconvoy:sso"))
    new = customer()
    link(**new)
    same(ask(role="admin", **new).status, 403)
    same(web.sql("SELECT role FROM user WHERE id = %d" % user_of(new["user"])), [["member"]])
    same(ask(role="root", **new).status, 422)
    browser, _ = follow(link(account="hosters", user="boss", role="admin"))
    same(browser.json("/session").json()["user"], {"email": "admin@example.org", "role": "admin"})
    # a token of the administrators' own account is a member's
    of_account = api_token(sso_create="1", issuer="own")
    web.sql("INSERT INTO user_external (issuer, external_id, user_id) VALUES ('own', 'boss', %d)" % boss)
    same([ask(of_account, user="boss", role=role).status for role in ("member", "admin")], [403, 403])


def test_who_is_here_in_a_users_place_is_named_on_every_page_and_in_the_audit_log():
    new = customer()
    browser, _ = follow(link(support="Ada <help desk>", **new))
    user = user_of(new["user"])
    same(browser.json("/session").json()["user"]["support"], "Ada <help desk>")
    for path in ("/migration/jobs", "/migration/servers", "/migration/settings", "/migration/jobs?embed=1"):
        has(browser.get(path).text, "Ada &lt;help desk&gt; is here in place of ", path)
    same(browser.post_json("/migration/servers", {"name": "x", "host": "imap.example.org", "port": "993",
                                                  "security": "tls"}).status, 201)
    rows = web.sql("SELECT action, support FROM audit WHERE user_id = %d AND action NOT LIKE 'user_%%' ORDER BY id" % user)
    same(rows, [[action, "Ada <help desk>"] for action in ("login", "sso_login", "server_create")])
    # changes that have no entry for the user alone, as those of settings have not
    same(browser.request("POST", "/migration/settings", form={"csrf": browser.csrf, "mail_on_done": "1"}).status, 303)
    same(browser.post_json("/migration/jobs/999999/cancel", {}).status, 404)
    same(web.sql("SELECT support, object, detail FROM audit WHERE user_id = %d AND action = 'support_change'" % user),
         [["Ada <help desk>", "/migration/settings", "/migration/settings?notice=settings_changed"]])
    same([e["support"] for e in admin.json("/migration/audit?action=server_create&user=%d" % user).json()["entries"]],
         ["Ada <help desk>"])
    has(admin.get("/migration/audit?user=%d" % user).text, "by Ada &lt;help desk&gt;")
    has(admin.get("/migration/audit.csv?user=%d" % user).text, ",\"Ada <help desk>\"\r\n")
    # before they sign in they are told, and signing in as oneself afterwards is just that
    has(web.anyone().get(link(support="Ada", **new)).text, "you are <strong>Ada</strong>")
    follow(link(**new), browser)
    lacks(browser.get("/migration/jobs").text, "in place of")
    same(browser.json("/session").json()["user"], {"email": who(browser), "role": "member"})


def test_who_is_here_in_a_users_place_makes_no_token_that_stays():
    new = customer()
    browser, _ = follow(link(support="Ada", **new))
    lacks(browser.get("/migration/tokens").text, "Make the token")
    for ask_for in (browser.post_json, browser.post):
        a = ask_for("/migration/tokens", {"name": "x", "jobs_read": "1"})
        same(a.status, 403)
        has(a.text, "None was made")
    same(web.sql("SELECT COUNT(*) FROM api_token WHERE created_by = %d" % user_of(new["user"])), [["0"]])
    browser, _ = follow(link(**new))
    has(browser.get("/migration/tokens").text, "Make the token")
    same(browser.post_json("/migration/tokens", {"name": "x", "jobs_read": "1"}).status, 201)


def test_no_customer_names_staff_who_were_never_there():
    for path in ("/api/v1/sso-links", "/sso/cpanel"):
        a = own.request("POST", path, form={"user": "helper", "support": "Ada"})
        same((a.status, web.sql("SELECT COUNT(*) FROM sso_link WHERE support = 'Ada' AND issuer LIKE 'account-%'")), (422, [["0"]]))
        has(a.text, "support")
    # the provider's does, for one customer, too
    new = customer()
    link(**new)
    same(whmcs.request("POST", "/api/v1/sso-links", form={"user": "helper", "support": "Ada"},
                       headers={"Mailconvoy-Account": "id:" + new["account"]}).status, 201)


def test_a_token_of_an_account_signs_in_for_that_account_alone():
    browser, _ = follow(link(own, user="helper", email="squat@example.org"))
    same((who(browser), browser.json("/migration/jobs").status), ("helper@account-%d.invalid" % web.acme, 200))
    same(web.sql("SELECT account_id FROM user WHERE id = %d" % user_of("helper", "account-%d" % web.acme)),
         [[str(web.acme)]])
    new = customer()
    link(**new)
    for name in (new["account"], "unknown"):
        same((name, ask(own, account=name, user="helper").status), (name, 404))
    # and takes no names that are another issuer's
    a = member.post_json("/migration/tokens", {"name": "x", "sso_create": "1", "issuer": "whmcs"})
    same((a.status, list(a.json()["fields"])), (422, ["issuer"]))
    for name in ("local", "account-%d" % web.other, "WHMCS", "a b", "x" * 41):
        a = admin.post_json("/migration/tokens", dict(ALL, name="x", issuer=name))
        same((name, a.status, list(a.json()["fields"])), (name, 422, ["issuer"]))


def test_a_token_that_acts_for_one_account_signs_in_for_that_account_alone():
    new, other = customer(), customer()
    link(**new)
    link(**other)
    for script in (whmcs, api_token(installation="1", sso_create="1", issuer="whmcs")):
        def acting(**form):
            return script.request("POST", "/api/v1/sso-links", form=form,
                                  headers={"Mailconvoy-Account": "id:" + new["account"]})

        path = acting(user=new["user"]).json()["url"][len(BASE):]
        same(who(follow(path)[0]), new["user"] + "@whmcs.invalid")
        same([acting(**wish).status for wish in (other, {"account": "unknown", "user": "x"}, {"user": "boss", "role": "admin"})],
             [404, 404, 403])


def test_a_token_fills_no_account_with_users():
    same(ask(own, user="here-before").status, 201)
    web.sql("INSERT INTO user (account_id, email, password_hash, role, created_at) SELECT %d, CONCAT('many', seq, '@example.org'), "
            "'!', 'member', UTC_TIMESTAMP(6) FROM seq_1_to_1000" % web.acme)
    a = ask(own, user="one-more")
    same((a.status, a.json()["type"]), (409, "urn:mailconvoy:limit"))
    has(a.json()["detail"], "1,000")
    same(web.sql("SELECT detail FROM audit WHERE action = 'sso_refused' ORDER BY id DESC LIMIT 1"),
         [["the account has as many users as links may make: 1,000"]])
    same(ask(own, user="here-before").status, 201)
    same(ask(**customer()).status, 201)
    web.sql("DELETE FROM user WHERE email LIKE 'many%'")


def test_accounts_are_made_only_by_a_token_that_may_and_users_are_never_moved():
    plain = api_token(issuer="whmcs", installation="1", sso_create="1")
    new = customer()
    a = ask(plain, **new)
    same((a.status, a.json()["type"]), (404, "urn:mailconvoy:sso"))
    same(ask(must_exist="1", **new).status, 404)
    same(account_of(new["account"]), None)
    link(**new)
    link(plain, **new)
    a = ask(account="whmcs-other", user=new["user"])
    same(a.status, 403)
    same(account_of("whmcs-other"), None)
    # nor are they found by an address that somebody has
    taken = dict(customer(), email="member@example.org")
    browser, _ = follow(link(**taken))
    same(who(browser), taken["user"] + "@whmcs.invalid")
    same(ask(account="whmcs-1").json()["fields"].keys() & {"user"}, {"user"})
    same(list(ask(user="x").json()["fields"]), ["account"])
    same(list(ask(email="nobody", **customer()).json()["fields"]), ["email"])


def test_a_suspended_account_signs_in_and_starts_nothing_and_a_closed_one_does_not():
    new = customer()
    link(**new)
    account = account_of(new["account"])
    same(admin.post("/migration/accounts/%d/suspend" % account).status, 303)
    browser, _ = follow(link(**new))
    same(browser.get("/migration/jobs").status, 200)
    same(browser.post_json("/migration/servers", {"name": "x", "host": "imap.example.org"}).json()["type"],
         "urn:mailconvoy:suspended")
    web.sql("UPDATE user SET disabled_at = UTC_TIMESTAMP(6) WHERE id = %d" % user_of(new["user"]))
    a = ask(**new)
    same((a.status, who(browser)), (403, None))
    has(a.text, "disabled")
    same(admin.post("/migration/accounts/%d/close" % account, {"confirm": "close"}).status, 303)
    same(ask(must_exist="1", **new).status, 404)
    link(**new)
    same(account_of(new["account"]) == account, False)


def test_a_link_leads_to_our_pages_alone():
    for bad in ("//evil.example", "/\\evil.example", "https://evil.example", "/api/v1/jobs", "/migration/../x", "/sso/x",
                "/migration//x", "/migration/a\tb", "/login", "javascript:alert(1)", "/migration/%0d%0aX: y"):
        a = ask(return_to=bad, **customer())
        same((bad, a.status, list(a.json()["fields"])), (bad, 422, ["return_to"]))
    for good in ("/", "/migration/jobs?embed=1&state=done"):
        same(follow(link(return_to=good, **customer()))[1].location, good)


def test_issuers_do_not_reach_what_others_call_so():
    other = api_token(issuer="other-panel", **ALL)
    made = admin.post_json("/migration/accounts", {"name": "System user", "external_ids": "local whmcs-7000"})
    same(made.status, 201, made.text)
    same((account_of("whmcs-7000"), account_of("whmcs-7000", other)), (None, None))
    link(account="whmcs-7000", user="u7000")
    mine = account_of("whmcs-7000")
    same(mine in (None, made.json()["account"]["id"]), False)
    link(other, account="whmcs-7000", user="u7000")
    same(len({mine, account_of("whmcs-7000", other), made.json()["account"]["id"]}), 3)
    # a token sees and gives names of its own issuer alone
    a = whmcs.json("/api/v1/accounts/%d" % mine).json()["account"]
    same((a["external_id"], "external_ids" in a), ("whmcs-7000", False))
    same(other.json("/api/v1/accounts/%d" % mine).json()["account"]["external_id"], None)
    same(whmcs.json("/api/v1/accounts?external_id=whmcs-7000&issuer=local").status, 400)
    for form in ({"issuer": "local", "external_id": "x"}, {"external_ids": "local x"}):
        a = whmcs.request("POST", "/api/v1/accounts/%d" % mine, form=dict(form, name="Renamed"))
        same((form, a.status), (form, 422))
    a = other.request("POST", "/api/v1/accounts/%d" % mine, form={"name": "Renamed", "external_id": "theirs"})
    same((a.status, a.json()["account"]["external_id"]), (200, "theirs"))
    page = admin.get("/migration/accounts/%d" % mine).text
    has(page, "other-panel theirs\nwhmcs whmcs-7000</textarea>")
    a = admin.post_json("/migration/accounts/%d" % mine, {"name": "Renamed", "external_ids": "whmcs"})
    same((a.status, list(a.json()["fields"])), (422, ["external_ids"]))
    a = admin.post_json("/migration/accounts/%d" % mine, {"name": "Renamed", "external_ids": "x-1 a b\n\n"})
    same(a.json()["account"]["external_ids"], [{"issuer": "x-1", "id": "a b"}])


def test_administrators_say_what_issuers_call_a_user():
    new = customer()
    link(**new)
    user, other = user_of(new["user"]), int(web.sql("SELECT id FROM user WHERE email = 'other@example.org'")[0][0])
    where = "/migration/users/%d" % user
    has(admin.get(where).text, "whmcs %s</textarea>" % new["user"])
    for wrong in ("whmcs", "WHMCS x", "a b\na c"):
        a = admin.post_json(where + "/external-ids", {"external_ids": wrong})
        same((wrong, a.status, list(a.json()["fields"])), (wrong, 422, ["external_ids"]))
    a = admin.post_json("/migration/users/%d/external-ids" % other, {"external_ids": "whmcs " + new["user"]})
    same(a.status, 422)
    same(admin.post(where + "/external-ids", {"external_ids": "whmcs renamed\r\nx y z"}).status, 303)
    has(admin.get(where).text, "whmcs renamed\nx y z</textarea>")
    browser, _ = follow(link(account=new["account"], user="renamed"))
    same(who(browser), new["user"] + "@whmcs.invalid")
    same(member.post(where + "/external-ids", {"external_ids": ""}).status, 403)
    same(whmcs.request("POST", "/api/v1/users/%d/external-ids" % user, form={"external_ids": ""}).status, 403)


def test_a_panels_frame_shows_the_link_and_keeps_its_cookies():
    new = customer()
    link(**new)
    account = account_of(new["account"])
    whmcs.request("POST", "/api/v1/accounts/%d" % account,
                  form={"name": "Framed", "external_id": new["account"], "panel_origins": PANEL})
    path = link(return_to="/migration/jobs?embed=1", **new)
    in_frame = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "cross-site"}
    browser = web.anyone()
    page = browser.get(path, **in_frame)
    same((page.status, page.headers.get("X-Frame-Options")), (200, None))
    has(page.headers["Content-Security-Policy"], "frame-ancestors " + PANEL)
    lacks(page.text, "<header")
    has(page.headers["Set-Cookie"], "SameSite=None; Partitioned")
    answer = press(browser, path, page, headers=dict(in_frame, **{"Sec-Fetch-Site": "same-origin"}))
    same((answer.status, answer.location), (303, "/migration/jobs?embed=1"))
    cookies = answer.headers.get_all("Set-Cookie")
    session = [c for c in cookies if c.startswith("__Host-mailconvoy=")]
    same((len(session), "SameSite=None; Partitioned" in session[0]), (1, True))
    lacks(browser.get(answer.location, **in_frame).text, "<header")
    # another's link is not framed by it, nor is what does not work
    for where in (link(**customer()), "/sso/" + "1" * 64):
        has(web.anyone().get(where, **in_frame).headers["Content-Security-Policy"], "frame-ancestors 'none'")


def test_what_was_done_is_noted():
    new = customer()
    path = link(**new)
    user = user_of(new["user"])
    follow(path)
    rows = web.sql("SELECT action, user_id, token_id IS NOT NULL, detail FROM audit WHERE object = 'user %d' ORDER BY id"
                   % user)
    boss = web.sql("SELECT id FROM user WHERE email = 'admin@example.org'")[0][0]
    same(rows, [["user_create", boss, "1", "by a link of whmcs"], ["sso_link", boss, "1", "whmcs"],
                ["sso_login", str(user), "0", "whmcs"]])
    same(web.sql("SELECT COUNT(*) FROM audit WHERE action = 'account_create' AND object = 'account %d'"
                 % account_of(new["account"])), [["1"]])
    before = web.sql("SELECT COUNT(*) FROM audit WHERE action = 'sso_refused'")[0][0]
    ask(must_exist="1", **customer())
    same(web.sql("SELECT COUNT(*) FROM audit WHERE action = 'sso_refused'")[0][0], str(int(before) + 1))


def test_no_log_and_no_table_has_a_link():
    used, unused = link(**customer()), link(**customer())
    follow(used)
    works(used)
    browser, _ = follow(link(**customer()))
    browser.request("GET", "/migration/jobs", headers={"Referer": BASE + "/"})
    secrets = [path.rsplit("/", 1)[1] for path in (used, unused)]
    dump = subprocess.run(["mariadb-dump", "--no-defaults", "-S", web.stack.db.socket, "--hex-blob", "mailconvoy"],
                          check=True, stdout=subprocess.PIPE).stdout.decode("utf-8", "replace")
    texts = {"the database": dump, "the web's log": web.output()}
    for name in ("nginx-access.log", "nginx-error.log"):
        with open(os.path.join(web.dir, "web", name), encoding="utf-8", errors="replace") as f:
            texts[name] = f.read()
    has(texts["nginx-access.log"], "/migration/jobs")
    for where, text in texts.items():
        for secret in secrets:
            lacks(text.lower(), secret, where)


if __name__ == "__main__":
    tap.run(globals())
