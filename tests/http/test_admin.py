"""What administrators do: accounts, users, limits, workers, the audit log; and the links that set a password."""
import os
import re
import threading

import webstack
import tap
from webstack import PASSWORD
from tap import has, lacks, same

web = webstack.Stack()
admin = web.sign_in("admin")
member = web.sign_in("member")
SERVER = web.add_server(web.acme, "Ours", host="imap.example.org")


def limits(**form):
    form.setdefault("name", "Acme")
    a = admin.post_json("/migration/accounts/%d" % web.acme, form)
    same(a.status, 200, a.text)


def queue(browser):
    return browser.post_json("/migration/jobs", {
        "source_server_id": SERVER, "source_user": "a", "source_password": "p", "dest_server_id": SERVER,
        "dest_user": "b", "dest_password": "p"})


def invite(email, role="member", account=None):
    a = admin.post_json("/migration/users", {"email": email, "role": role, "account_id": account or web.acme})
    same(a.status, 201, a.text)
    return a.json()


def path_of(link):
    return re.sub(r"^https?://[^/]+", "", link)


def choose(link, password, again=None):
    """As the invited person does it."""
    b = web.anyone()
    page = b.get(path_of(link))
    same(page.status, 200, page.text[:300])
    token = re.search(r'name="csrf"\s+value="([0-9a-f]+)"', page.text).group(1)
    return b.request("POST", path_of(link), form={"csrf": token, "password": password,
                                                  "again": password if again is None else again})


def test_an_account_is_made_changed_and_listed():
    a = admin.post("/migration/accounts", {"name": "New & <b>Co</b>", "external_ids": "whmcs whmcs-7\r\nlocal a b",
                                         "max_queued": "5"})
    same(a.status, 303)
    page = admin.get(a.location)
    has(page.text, "New &amp; &lt;b&gt;Co")
    has(page.text, 'value="5"')
    lacks(page.text, "<b>Co")
    has(admin.get("/migration/accounts").text, "whmcs whmcs-7")
    has(page.text, "local a b\nwhmcs whmcs-7</textarea>")
    a = admin.post_json("/migration/accounts", {"name": "New & <b>Co</b>"})
    same((a.status, "name" in a.json()["fields"]), (422, True))
    a = admin.post_json("/migration/accounts", {"name": "Other hosts", "hosts": "bad host!"})
    same((a.status, "hosts" in a.json()["fields"]), (422, True))


def test_an_account_has_a_notification_address_which_its_members_are_told():
    path = "/api/v1/accounts/%d" % web.add_account("Notified")
    tags = [admin.json(path).headers["ETag"].split("-")[0]]
    for email in ("ops@example.org", "Other@example.org", ""):
        a = admin.post_json(path, {"name": "Notified", "notify_email": email})
        same((a.status, a.json()["account"]["notify_email"]), (200, email or None))
        tags.append(admin.json(path).headers["ETag"].split("-")[0])
    same((len(set(tags)), tags[0]), (3, tags[3]))
    a = admin.post("/migration/accounts/%d" % web.acme, {"name": "Acme", "notify_email": "<ops> at example"})
    same(a.status, 422)
    has(a.text, '<p class="error" id="notify_email-error">Give an e-mail address like name@example.org.')
    has(a.text, 'value="&lt;ops&gt; at example"')
    has(member.get("/migration/settings").text, "<legend>Mail to member@example.org")
    same(admin.post("/migration/accounts/%d" % web.acme, {"name": "Acme", "notify_email": "ops@example.org"}).status, 303)
    has(admin.get("/migration/accounts/%d" % web.acme).text, 'value="ops@example.org"')
    page = member.get("/migration/settings").text
    has(page, "<legend>Mail to ops@example.org")
    has(page, "An administrator chose")
    same(member.json("/migration/settings").json()["notify_email"], "ops@example.org")
    limits(notify_email="Member@example.org")
    lacks(member.get("/migration/settings").text, "An administrator chose")
    limits()


def test_a_limit_holds_and_says_so():
    web.sql("DELETE FROM job")
    limits(max_queued="1")
    same(queue(member).status, 201)
    a = queue(member)
    same(a.status, 422)
    has(a.text, "1 job may wait at once")
    limits()
    same(queue(member).status, 201)
    limits(hosts="*.example.com")
    has(queue(member).text, "It may copy to *.example.com alone")
    job = web.add_job(web.acme, "done", dst_host="'elsewhere.example.org'")
    a = member.post_json("/migration/jobs/%d/rerun" % job, {"dry_run": "1"})
    same((a.status, a.json()["type"]), (409, "urn:mailconvoy:limit"))
    limits()


def test_how_many_jobs_may_run_at_once_is_set_shown_and_taken_back():
    limits(max_running="2")
    same(web.sql("SELECT max_running FROM account WHERE id = %d" % web.acme), [["2"]])
    url = "/migration/accounts/%d" % web.acme
    has(admin.get(url).text, 'name="max_running" type="number" inputmode="numeric" min="1" aria-describedby="max_running-hint" value="2"')
    has(admin.get("/migration/accounts").text, "0 of 2")
    same([a["max_running"] for a in admin.json("/migration/accounts").json()["accounts"] if a["id"] == web.acme], [2])
    a = admin.post_json(url, {"name": "Acme", "max_running": "0"})
    same((a.status, list(a.json()["fields"])), (422, ["max_running"]))
    limits()
    same(web.sql("SELECT COUNT(*) FROM account WHERE max_running IS NOT NULL"), [["0"]])


def test_a_limit_holds_however_many_ask_at_once():
    web.sql("DELETE FROM job")
    for limit in ({"max_queued": "5"}, {"max_daily": "5"}):
        web.sql("DELETE FROM job; UPDATE account SET made_count = 0")
        limits(**limit)
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(queue(member).status)) for _ in range(16)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        same((sorted(answers), web.sql("SELECT COUNT(*) FROM job")), ([201] * 5 + [422] * 11, [["5"]]), str(limit))
    web.sql("UPDATE account SET made_count = 0")
    limits()


def test_an_import_beyond_a_limit_queues_nothing_and_can_be_confirmed_later():
    web.sql("DELETE FROM job")
    user = web.sql("SELECT id FROM user WHERE email = 'member@example.org'")[0][0]
    number = web.sql("INSERT INTO import (account_id, user_id, rows_good, rows_bad, created_at, expires_at) VALUES "
                     "(%d, %s, 3, 0, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL 1 HOUR); SELECT LAST_INSERT_ID()"
                     % (web.acme, user))[0][0]
    for line in (2, 3, 4):
        web.sql("INSERT INTO import_row (import_id, line, src_server_id, src_user, src_sealed, dst_server_id, dst_user, "
                "dst_sealed) VALUES (%s, %d, %d, 'user%d', 'x', %d, 'b', 'x')" % (number, line, SERVER, line, SERVER))
    for limit in ({"max_queued": "2"}, {"max_daily": "2"}, {"hosts": "mail.example.net"}):
        limits(**limit)
        a = member.post_json("/migration/import/%s/confirm" % number, {"tag": "moved"})
        same((limit, a.status), (limit, 422))
        has(a.text, "The limits of your account do not allow this")
        same(web.sql("SELECT COUNT(*), (SELECT COUNT(*) FROM batch) FROM job"), [["0", "0"]])
    limits()
    same(member.post_json("/migration/import/%s/confirm" % number, {"tag": "moved"}).status, 201)
    same(web.sql("SELECT COUNT(*) FROM job"), [["3"]])


def test_suspending_stops_what_runs_and_keeps_people_signed_in():
    web.sql("DELETE FROM job")
    job = web.add_job(web.acme, "running")
    has(admin.get("/migration/accounts/%d/suspend" % web.acme).text, "1 running will be stopped, 0 queued will wait")
    same(admin.post("/migration/accounts/%d/suspend" % web.acme).status, 303)
    same(web.sql("SELECT cancel_requested_at IS NOT NULL FROM job WHERE id = %d" % job), [["1"]])
    has(member.get("/migration/jobs").text, "Your account is suspended")
    same(queue(member).status, 403)
    has(web.sign_in("member").get("/migration/servers").text, "Ours")
    same(admin.post("/migration/accounts/%d/resume" % web.acme).status, 303)
    same(queue(member).status, 201)
    same(admin.post_json("/migration/accounts/%d/suspend" % web.admin_account).status, 409)


def test_closing_ends_an_account_whole_and_frees_its_external_id():
    """Who is given the same name next is a new customer, and sees nothing of the former one."""
    a = admin.post_json("/migration/accounts", {"name": "Bob", "external_id": "bob"})
    gone = a.json()["account"]
    web.add_user(gone["id"], "bob@example.org", "member")
    job = web.add_job(gone["id"], "queued")
    bob = web.sign_in("bob")
    same(admin.post("/migration/accounts/%d/close" % gone["id"]).status, 422)
    has(admin.get("/migration/accounts/%d/close" % gone["id"]).text, "cannot be undone")
    same(admin.post("/migration/accounts/%d/close" % gone["id"], {"confirm": "close"}).status, 303)
    same(bob.json("/session").status, 401)
    same(web.sql("SELECT state FROM job WHERE id = %d" % job), [["cancelled"]])
    page = admin.get("/migration/accounts/%d" % gone["id"]).text
    has(page, "Closed")
    lacks(page, 'name="external_ids"')
    for what in ("", "/resume"):
        same(admin.post_json("/migration/accounts/%d%s" % (gone["id"], what), {"name": "Bob"}).status, 404)
    same(admin.post_json("/migration/accounts/%d/close" % gone["id"]).json()["account"]["is_closed"], True)
    # nobody is let in where what the customer left is kept
    lacks(admin.get("/migration/users/new").text, '<option value="%d"' % gone["id"])
    for more in ({}, {"send_mail": "1"}):
        late = admin.post_json("/migration/users", dict(more, email="late@example.org", role="member", account_id=gone["id"]))
        same((late.status, list(late.json()["fields"])[-1:]), (422, ["account_id"]))
    made = admin.post_json("/migration/accounts", {"name": "Bob", "external_id": "bob", "may_exist": "1"})
    same((made.status, made.json()["account"]["id"] == gone["id"]), (201, False))
    web.add_user(made.json()["account"]["id"], "bob@example.org", "member")
    new = web.sign_in("bob")
    same(new.json("/migration/jobs").json()["jobs"], [])
    same(new.json("/migration/jobs/%d" % job).status, 404)


def test_an_account_of_an_external_id_is_found_and_made_once():
    form = {"name": "Panel 8", "external_id": "panel-8", "may_exist": "1", "max_queued": "5"}
    first = admin.post_json("/api/v1/accounts", form)
    again = admin.post_json("/api/v1/accounts", dict(form, name="Another name", max_queued="9"))
    same((first.status, again.status, again.json()), (201, 200, first.json()))
    same(admin.post_json("/api/v1/accounts", dict(form, may_exist="0")).status, 422)
    same(admin.post_json("/api/v1/accounts", dict(form, external_id="panel-9")).status, 422)
    found = admin.json("/api/v1/accounts?external_id=panel-8").json()["accounts"]
    same([x["id"] for x in found], [first.json()["account"]["id"]])
    same(admin.json("/api/v1/accounts?external_id=nothing").json()["accounts"], [])
    same(member.json("/api/v1/accounts?external_id=panel-8").status, 403)


def test_an_invited_person_chooses_a_password_once():
    made = invite("new@example.org")
    link = made["link"]
    same(web.anyone().login("new@example.org", "!").status, 401)
    same(choose(link, "short").status, 422)
    same(choose(link, PASSWORD, "another password").status, 422)
    a = choose(link, PASSWORD)
    same((a.status, a.location), (303, "/login?notice=password_set"))
    same(web.anyone().login("new@example.org", PASSWORD).status, 303)
    same(web.anyone().get(path_of(link)).status, 404)
    same(web.anyone().get("/welcome/" + "0" * 64).status, 404)
    lacks(str(web.sql("SELECT * FROM audit; SELECT HEX(id_hash) FROM user_link")), link.rsplit("/", 1)[1])
    lacks(web.output(), link.rsplit("/", 1)[1])
    with open(os.path.join(web.dir, "web", "nginx-access.log"), encoding="utf-8") as f:
        lacks(f.read(), link.rsplit("/", 1)[1])


def test_without_a_relay_no_mail_is_offered_or_promised():
    lacks(admin.get("/migration/users/new").text, "send_mail")
    url = invite("shown@example.org")["user"]["url"]
    lacks(admin.get(url).text, "send_mail")
    new = {"email": "mailed@example.org", "role": "member", "account_id": web.acme, "send_mail": "1"}
    for path, form in (("/migration/users", new), (url + "/link", {"send_mail": "1"})):
        a = admin.post_json(path, form)
        same((path, a.status, list(a.json()["fields"])), (path, 422, ["send_mail"]))
        has(a.json()["fields"]["send_mail"], "smtp_host is not set")
        has(admin.post(path, form).text, "sends no mail")
    same(web.sql("SELECT COUNT(*) FROM user WHERE email = 'mailed@example.org'"), [["0"]])


def test_a_reset_link_ends_sessions_and_the_older_link():
    made = invite("reset@example.org")
    choose(made["link"], PASSWORD)
    b = web.anyone()
    b.login("reset@example.org", PASSWORD)
    same(b.get("/migration/jobs").status, 200)
    url = made["user"]["url"]
    first = admin.post_json(url + "/link").json()["link"]
    second = admin.post_json(url + "/link").json()["link"]
    same(web.anyone().get(path_of(first)).status, 404)
    same(choose(second, PASSWORD + "2").status, 303)
    same(b.get("/migration/jobs").status, 303)
    same(web.anyone().login("reset@example.org", PASSWORD + "2").status, 303)


def test_a_disabled_user_is_out_at_once_and_everywhere():
    made = invite("leaves@example.org")
    choose(made["link"], PASSWORD)
    b = web.anyone()
    b.login("leaves@example.org", PASSWORD)
    same(admin.post(made["user"]["url"] + "/disable").status, 303)
    same(b.get("/migration/jobs").status, 303)
    same(web.anyone().login("leaves@example.org", PASSWORD).status, 401)
    link = admin.post_json(made["user"]["url"] + "/link").json()["link"]
    same(web.anyone().get(path_of(link)).status, 404)
    same(admin.post(made["user"]["url"] + "/enable").status, 303)
    same(web.anyone().login("leaves@example.org", PASSWORD).status, 303)


def test_a_new_role_takes_effect_with_a_new_sign_in():
    made = invite("rises@example.org")
    choose(made["link"], PASSWORD)
    b = web.anyone()
    b.login("rises@example.org", PASSWORD)
    same(b.get("/migration/users").status, 403)
    same(b.post(made["user"]["url"] + "/role", {"role": "admin"}).status, 403)
    same(admin.post(made["user"]["url"] + "/role", {"role": "admin"}).status, 303)
    same(b.get("/migration/jobs").status, 303)
    b.login("rises@example.org", PASSWORD)
    same(b.get("/migration/users").status, 200)
    same(admin.post(made["user"]["url"] + "/role", {"role": "member"}).status, 303)
    me = web.sql("SELECT id FROM user WHERE email = 'admin@example.org'")[0][0]
    same(admin.post_json("/migration/users/%s/role" % me, {"role": "member"}).status, 409)
    same(admin.post_json("/migration/users/%s/disable" % me).status, 409)


def test_sign_out_everywhere_does():
    b = web.sign_in("other")
    user = web.sql("SELECT id FROM user WHERE email = 'other@example.org'")[0][0]
    same(admin.post("/migration/users/%s/sign-out" % user).status, 303)
    same(b.get("/migration/jobs").status, 303)


def test_the_audit_log_tells_who_did_what_and_is_filtered():
    made = invite("trail@example.org")
    entries = admin.json("/migration/audit?action=user_invite").json()["entries"]
    same({e["action"] for e in entries}, {"user_invite"})
    newest = entries[0]
    same((newest["object"], newest["email"], newest["address"]),
         ("user %d" % made["user"]["id"], "admin@example.org", "127.0.0.1"))
    one = admin.json("/migration/audit?object=user+%d" % made["user"]["id"]).json()["entries"]
    same([e["action"] for e in one], ["user_link", "user_invite"])
    same(admin.get("/migration/audit?user=x").status, 400)
    for word in ("%C3%A9", "%E2%80%AE", "%F0%9F%98%80", "x" * 3000):
        for key in ("action", "object"):
            same(admin.json("/migration/audit?%s=%s" % (key, word)).json()["entries"], [], word[:20])


def test_the_audit_log_has_what_was_done_with_jobs():
    job = queue(member).json()["job"]["id"]
    edit = {"source_user": "other", "dest_user": "b", "dest_password": "canary-Passw0rd"}
    same(member.post_json("/migration/jobs/%d/edit" % job, edit).status, 200)
    same(member.post_json("/migration/jobs/%d/cancel" % job, {}).status, 200)
    again = member.post_json("/migration/jobs/%d/rerun" % job, {"dry_run": "1", "request_key": "5a" * 16})
    same(again.status, 201, again.text)
    # the same form sent twice made one job
    same(member.post_json("/migration/jobs/%d/rerun" % job, {"dry_run": "1", "request_key": "5a" * 16}).status, 200)
    rows = web.sql("SELECT action, object, COALESCE(detail, '') FROM audit WHERE action LIKE 'job\\_%%' AND object IN"
                   " ('job %d', 'job %d') ORDER BY id" % (job, again.json()["job"]["id"]))
    same(rows, [["job_create", "job %d" % job, "dry run"],
                ["job_edit", "job %d" % job, "source_user, dest_password"],
                ["job_cancel", "job %d" % job, "it waited"],
                ["job_rerun", "job %d" % again.json()["job"]["id"], "of job %d, dry run" % job]])
    lacks(str(web.sql("SELECT * FROM audit")), "canary-Passw0rd")


def test_nobody_is_enabled_in_a_closed_account():
    account = admin.post_json("/migration/accounts", {"name": "Leaving"}).json()["account"]["id"]
    user = invite("leaving@example.org", account=account)["user"]["id"]
    same(admin.post_json("/migration/accounts/%d/close" % account, {"confirm": "close"}).status, 200)
    a = admin.post_json("/migration/users/%d/enable" % user, {})
    same((a.status, a.json()["type"]), (409, "urn:mailconvoy:account_closed"))
    same(web.sql("SELECT disabled_at IS NULL FROM user WHERE id = %d" % user), [["0"]])
    page = admin.get("/migration/users/%d" % user).text
    has(page, "The account is closed")
    lacks(page, "/migration/users/%d/enable" % user)


def test_the_audit_log_is_filtered_by_day_person_and_address_in_page_and_download():
    web.sql("INSERT INTO audit (at, user_id, address, action, detail) SELECT t.at, u.id, t.address, 'dated', t.at FROM "
            "(SELECT '2021-03-01 00:00:00' AS at, '192.0.2.1' AS address UNION ALL SELECT '2021-03-01 23:59:59.999999', "
            "'2001:db8::1' UNION ALL SELECT '2021-03-02 00:00:00', '192.0.2.1' UNION ALL SELECT '2021-02-28 23:59:59.999999', "
            "'192.0.2.1') t JOIN user u ON u.email = 'member@example.org'")
    web.sql("INSERT INTO audit (at, address, action, detail) VALUES ('2021-03-01 12:00:00', '192.0.2.1', 'dated', 'nobody')")
    for query, want in (("from=2021-03-01&to=2021-03-01", 3), ("from=2021-03-01", 4), ("to=2021-02-28", 1), ("from=&to=", 5),
                        ("to=2021-03-01&email=member@example.org", 3), ("email=nobody@example.org", 0),
                        ("address=192.0.2.1", 4), ("address=192.0.2.1&from=2021-03-01&to=2021-03-01", 2),
                        ("from=2021-03-02&to=2021-03-01", 0), ("address=192.0.2", 0)):
        path = "/migration/audit%s?action=dated&" + query
        same((query, len(admin.json(path % "").json()["entries"])), (query, want))
        same((query, admin.get(path % ".csv").text.count("\r\n") - 1), (query, want))
    for bad in ("from=2021-02-29", "to=2021-13-01", "from=2021-1-1", "to=yesterday", "from=20210301xx", "from=2021-03-01T"):
        same((bad, admin.get("/migration/audit?" + bad).status, admin.get("/migration/audit.csv?" + bad).status), (bad, 400, 400))
    page = admin.get("/migration/audit?action=dated&from=2021-03-01&to=2021-03-01&address=192.0.2.1&email=member@example.org").text
    for part in ('name="from" type="date" value="2021-03-01"', 'name="to" type="date" value="2021-03-01"', 'value="192.0.2.1"',
                 'value="member@example.org"',
                 "/migration/audit.csv?action=dated&amp;email=member%40example.org&amp;address=192.0.2.1&amp;from=2021-03-01"
                 "&amp;to=2021-03-01"):
        has(page, part)


def test_the_audit_log_is_downloaded_whole_and_starts_no_formula():
    web.sql("INSERT INTO audit (at, action, detail) SELECT UTC_TIMESTAMP(6), 'many', '=1+1' FROM seq_1_to_1200")
    a = admin.get("/migration/audit.csv?action=many")
    same(a.headers["Content-Type"], "text/csv; charset=utf-8")
    rows = a.text.split("\r\n")
    same(len(rows), 1202)
    has(rows[1], "'=1+1")
    page = admin.json("/migration/audit?action=many").json()
    same(len(page["entries"]), 100)
    older = admin.json(page["next_url"]).json()["entries"]
    assert older[0]["id"] < page["entries"][-1]["id"]


def test_workers_are_shown_with_their_heartbeats():
    web.sql("DELETE FROM worker; INSERT INTO worker (host, pid, boot_id, version, state, started_at, heartbeat_at) VALUES "
            "('one', 1, 'b', '1', 'running', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6)), "
            "('two', 2, 'b', '1', 'running', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) - INTERVAL 2 HOUR)")
    found = admin.json("/migration/workers").json()
    same([(w["host"], w["state"]) for w in found["workers"]], [("two", "silent"), ("one", "running")])
    same(found["slots"], 2)
    has(admin.get("/migration/workers").text, "2 hours ago")
    web.sql("DELETE FROM worker")
    has(admin.get("/migration/workers").text, "No worker is alive")


def test_every_page_is_whole_html():
    for path in ("accounts", "accounts/new", "accounts/%d" % web.acme, "accounts/%d/suspend" % web.acme, "users",
                 "users/new", "workers", "audit"):
        a = admin.get("/migration/" + path)
        same((path, a.status), (path, 200))
        has(a.text, "</html>")
        has(a.text, 'aria-label="Administration"')
    lacks(member.get("/migration/jobs").text, "Administration")


if __name__ == "__main__":
    tap.run(globals())
