"""Invitations and links by mail, as administrators ask for them; the mails themselves are the worker's (tests/worker)."""
import webstack
import tap
from tap import has, lacks, same

web = webstack.Stack(smtp_host="127.0.0.1", smtp_port=9, smtp_security="none", mail_from="panel@example.org")
admin = web.sign_in("admin")
member = web.sign_in("member")
ROWS = "SELECT n.kind, n.state, u.email, c.email, n.job_id IS NULL AND n.batch_id IS NULL FROM notification n " \
       "JOIN user u ON u.id = n.user_id JOIN user c ON c.id = n.created_by WHERE n.state = 'waiting' ORDER BY n.id"


def fields(email, **more):
    return dict({"email": email, "role": "member", "account_id": web.acme, "send_mail": "1"}, **more)


def clean():
    web.sql("DELETE FROM notification; DELETE FROM user_link")


def test_the_form_offers_a_mail_and_shows_no_link():
    clean()
    has(admin.get("/migration/users/new").text, 'name="send_mail" type="checkbox"')
    a = admin.post("/migration/users", fields("form@example.org"))
    same(a.status, 303)
    page = admin.get(a.location)
    has(page.text, "A mail with a link is on its way")
    has(page.text, "about to be sent to form@example.org")
    lacks(page.text, "/welcome/")
    same(web.sql(ROWS), [["invite", "waiting", "form@example.org", "admin@example.org", "1"]])
    same(web.sql("SELECT COUNT(*) FROM user_link"), [["0"]])
    has(str(web.sql("SELECT action FROM audit ORDER BY id DESC LIMIT 1")), "user_link_mail")


def test_a_script_gets_no_link_either_and_reads_what_became_of_the_mail():
    clean()
    a = admin.post_json("/migration/users", fields("json@example.org"))
    same((a.status, a.json()["link"]), (201, None))
    url = a.json()["user"]["url"]
    for change, words in (("state = 'failed', last_error = '550 <nobody>'", "not be delivered to json@example.org: 550 <nobody>."),
                          ("state = 'suppressed', last_error = 'the user is disabled'", "None was sent to json@example.org: the user"),
                          ("state = 'sent', sent_at = UTC_TIMESTAMP(6)", "Sent to json@example.org just now.")):
        web.sql("UPDATE notification SET " + change)
        has(admin.json(url).json()["mail_text"], words)
    has(admin.get(url).text, "Sent to json@example.org")
    same(web.anyone().get("/login").status, 200)


def test_a_link_for_who_is_there_goes_by_mail_too_and_one_shown_since_takes_its_place():
    clean()
    url = "/migration/users/%s" % web.sql("SELECT id FROM user WHERE email = 'other@example.org'")[0][0]
    has(admin.get(url).text, '<button name="send_mail" value="1">Send it by mail</button>')
    same(admin.post(url + "/link", {"send_mail": "1"}).status, 303)
    same(admin.post_json(url + "/link", {"send_mail": "1"}).json()["link"], None)
    same(len(web.sql(ROWS)), 1)
    same(admin.post(url + "/link").status, 200)
    same(web.sql(ROWS), [])
    has(admin.get(url).text, "a link was made to be passed on since")


def test_where_no_mail_can_arrive_none_is_promised():
    clean()
    for email in ("bob@whmcs.invalid", "Bob@Whmcs.INVALID", "b\u00fc@example.org"):
        a = admin.post_json("/migration/users", fields(email))
        same((email, a.status, list(a.json()["fields"])), (email, 422, ["email"]))
    same(admin.post_json("/migration/users", fields("bob@whmcs.invalid", send_mail="0")).status, 201)
    url = "/migration/users/%s" % web.sql("SELECT id FROM user WHERE email = 'bob@whmcs.invalid'")[0][0]
    lacks(admin.get(url).text, "send_mail")
    a = admin.post_json(url + "/link", {"send_mail": "1"})
    same((a.status, list(a.json()["fields"])), (422, ["send_mail"]))
    same(web.sql("SELECT COUNT(*) FROM notification"), [["0"]])


def test_who_would_get_no_link_is_promised_none():
    clean()
    made = admin.post_json("/migration/users", fields("away@example.org", send_mail="0")).json()["user"]
    for away, back, words in (("user SET disabled_at = UTC_TIMESTAMP(6) WHERE id = %d" % made["id"], "user SET disabled_at = NULL",
                               "user is disabled"),
                              ("account SET suspended_at = UTC_TIMESTAMP(6) WHERE id = %d" % web.acme,
                               "account SET suspended_at = NULL", "account is suspended")):
        web.sql("UPDATE " + away)
        lacks(admin.get(made["url"]).text, "send_mail")
        a = admin.post_json(made["url"] + "/link", {"send_mail": "1"})
        same((a.status, list(a.json()["fields"])), (422, ["send_mail"]))
        has(a.json()["fields"]["send_mail"], words)
        if "account" in away:
            same(list(admin.post_json("/migration/users", fields("late@example.org")).json()["fields"]), ["send_mail"])
        web.sql("UPDATE " + back)
    same(web.sql("SELECT COUNT(*) FROM notification"), [["0"]])
    same(web.sql("SELECT COUNT(*) FROM user WHERE email = 'late@example.org'"), [["0"]])


def test_nobodys_mailbox_is_flooded():
    clean()
    urls = [admin.post_json("/migration/users", fields(email, send_mail="0")).json()["user"]["url"]
            for email in ("flood@example.org", "dry@example.org")]
    answers = [admin.post_json(urls[0] + "/link", {"send_mail": "1"}) for _ in range(6)]
    same([a.status for a in answers], 5 * [200] + [429])
    has(answers[-1].json()["detail"], "5 mails")
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 3600, answers[-1].headers
    same(admin.post_json(urls[1] + "/link", {"send_mail": "1"}).status, 200)
    same(admin.post_json(urls[0] + "/link").status, 200)
    same(web.sql("SELECT COUNT(*) FROM notification"), [["6"]])


def test_a_token_has_members_invited_by_mail_and_nobody_sent_an_administrators_link():
    clean()
    made = admin.post_json("/migration/tokens", {"name": "script", "installation": "1", "accounts_write": "1"})
    script = web.anyone(Authorization="Bearer " + made.json()["token"])
    same(script.request("POST", "/api/v1/users", form=fields("token@example.org")).status, 201)
    same([row[2] for row in web.sql(ROWS)], ["token@example.org"])
    same(script.request("POST", "/api/v1/users", form=fields("boss@example.org", role="admin")).status, 422)
    boss = web.sql("SELECT id FROM user WHERE email = 'admin@example.org'")[0][0]
    same(script.request("POST", "/api/v1/users/%s/link" % boss, form={"send_mail": "1"}).status, 403)
    same(member.post_json("/migration/users", fields("friend@example.org")).status, 403)
    same(len(web.sql(ROWS)), 1)


if __name__ == "__main__":
    tap.run(globals())
