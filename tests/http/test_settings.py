"""What a user chooses, and what the pages say of mails."""
import tap
import webstack
from tap import has, lacks, same

web = webstack.Stack()
member = web.sign_in("member")


def chosen():
    return web.sql("SELECT mail_on_done, mail_on_failed FROM user WHERE email = 'member@example.org'")[0]


def test_a_user_chooses_mail_on_success_failure_or_never():
    page = member.get("/migration/settings")
    same(page.status, 200)
    has(page.text, "member@example.org")
    same(page.text.count(" checked"), 2)
    for form, row in (({"mail_on_failed": "1"}, ["0", "1"]), ({"mail_on_done": "1"}, ["1", "0"]), ({}, ["0", "0"]),
                      ({"mail_on_done": "1", "mail_on_failed": "1"}, ["1", "1"])):
        answer = member.post("/migration/settings", form)
        same(answer.status, 303)
        same(chosen(), row)
        same(member.get("/migration/settings").text.count(" checked"), row.count("1"))
    has(member.get(answer.location).text, "Your settings are saved.")


def test_nobody_chooses_for_others():
    same(web.anyone().get("/migration/settings").status, 303)
    same(member.request("POST", "/migration/settings", form={"mail_on_done": "0"}).status, 403)
    same(chosen(), ["1", "1"])


def test_without_a_relay_the_pages_say_so():
    job = web.add_job(web.acme, "done")
    for path in ("/migration/settings", "/migration/jobs/%d" % job):
        has(member.get(path).text, "Notifications are off")


def test_the_jobs_page_tells_of_its_mail():
    job = web.add_job(web.acme, "failed")
    user = web.sql("SELECT id FROM user WHERE email = 'member@example.org'")[0][0]
    web.sql("INSERT INTO notification (account_id, user_id, job_id, kind, dedupe_key, next_at, created_at) VALUES "
            "(%d, %s, %d, 'job', 'job:%d', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))" % (web.acme, user, job, job))
    for change, text in (("attempts = 0", "about to be sent to member@example.org"),
                         ("attempts = 2, last_error = '451 <later>', next_at = UTC_TIMESTAMP(6) + INTERVAL 1 HOUR",
                          "yet: 451 &lt;later&gt;. Next try in "),
                         ("state = 'failed', last_error = '550 nobody'", "could not be delivered to member@example.org: 550"),
                         ("state = 'suppressed', last_error = NULL", "was looking at the list"),
                         ("state = 'sent', sent_at = UTC_TIMESTAMP(6)", "Sent to member@example.org just now")):
        web.sql("UPDATE notification SET %s WHERE job_id = %d" % (change, job))
        page = member.get("/migration/jobs/%d" % job).text
        has(page, text)
        lacks(page, "Notifications are off")


def test_looking_at_the_list_is_noted():
    seen = "SELECT jobs_seen_at > UTC_TIMESTAMP(6) - INTERVAL 5 SECOND FROM user WHERE email = 'member@example.org'"
    for path, headers in (("/migration/jobs", {}), ("/migration/jobs", {"Accept": "application/json"})):
        web.sql("UPDATE user SET jobs_seen_at = NULL")
        same(member.request("GET", path, headers=headers).status, 200)
        same(web.sql(seen), [["1"]])
    web.sql("UPDATE user SET jobs_seen_at = NULL")
    member.get("/migration/servers")
    same(web.sql(seen), [["NULL"]])


if __name__ == "__main__":
    tap.run(globals())
