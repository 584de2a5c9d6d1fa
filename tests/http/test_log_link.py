"""Links to one job's log that work without signing in, until they end."""
import os
import re

import webstack
import tap
from tap import has, lacks, same

web = webstack.Stack()
member = web.sign_in("member")
admin = web.sign_in("admin")
LOG = b"".join(b"line %d\n" % n for n in range(1000))
JOB = web.add_job(web.acme, "done", "our-job", log=LOG)
OTHER_JOB = web.add_job(web.acme, "done", log=b"another log\n")


def make(job=JOB, browser=member, **form):
    a = browser.post_json("/migration/jobs/%d/log-links" % job, form)
    same(a.status, 201, a.text)
    made = a.json()["log_link"]
    made["path"] = re.sub(r"^https?://[^/]+", "", made["link"])
    return made


def test_who_has_the_link_reads_this_log_and_nothing_else():
    path = make()["path"]
    b = web.anyone()
    a = b.get(path)
    same((a.status, a.body), (200, LOG))
    same(a.headers["Content-Disposition"], 'attachment; filename="mailconvoy-job-%d.log"' % JOB)
    same((a.headers["X-Content-Type-Options"], a.headers["Cache-Control"]), ("nosniff", "no-store"))
    same(a.headers.get("Set-Cookie"), None)
    same(b.get("/migration/jobs/%d" % JOB).status, 303)
    a = b.get(path, Range="bytes=7-13")
    same((a.status, a.body), (206, LOG[7:14]))
    same(web.sign_in("other").get(path).body, LOG)


def test_wrong_revoked_expired_and_deleted_are_one_and_the_same_404():
    good = make()
    number, signature = good["path"].rsplit("/", 1)[1].split("-")
    other = make(OTHER_JOB)
    forged = "/log/%s-%s" % (number, other["path"].rsplit("-", 1)[1])
    revoked = make()
    same(member.post("/migration/log-links/%d/revoke" % revoked["id"]).status, 303)
    expired = make()
    web.sql("UPDATE log_link SET expires_at = UTC_TIMESTAMP() WHERE id = %d" % expired["id"])
    gone = web.add_job(web.acme, "done", log=b"x")
    of_gone = make(gone)
    web.sql("DELETE FROM job WHERE id = %d" % gone)
    flipped = good["path"][:-1] + ("0" if good["path"][-1] != "0" else "1")
    answers = [web.anyone().get(p) for p in (
        forged, flipped, revoked["path"], expired["path"], of_gone["path"], "/log/x", "/log/-", "/log/" + number,
        "/log/%s-" % number, "/log/99999-" + signature, "/log/" + signature)]
    same([a.status for a in answers], [404] * len(answers))
    told = {re.sub(r"[0-9a-f]{16}", "ID", a.text) for a in answers}
    same(len(told), 1, str(told))
    same(web.anyone().get(good["path"]).status, 200)


def test_a_longer_life_cannot_be_had_by_changing_the_row():
    """Who can write to the table cannot make a link last, or point it elsewhere: both are signed."""
    made = make(days="1")
    web.sql("UPDATE log_link SET expires_at = expires_at + INTERVAL 1 DAY WHERE id = %d" % made["id"])
    same(web.anyone().get(made["path"]).status, 404)
    made = make()
    web.sql("UPDATE log_link SET job_id = %d WHERE id = %d" % (OTHER_JOB, made["id"]))
    same(web.anyone().get(made["path"]).status, 404)


def test_the_page_lists_what_works_and_ends_it():
    web.sql("DELETE FROM log_link")
    made = make(days="30")
    page = member.get("/migration/jobs/%d/log-links" % JOB)
    has(page.text, made["link"])
    same(round((made["expires_at"] - made["created_at"]) / 86400), 30)
    has(member.get("/migration/jobs/%d" % JOB).text, "/migration/jobs/%d/log-links" % JOB)
    member.post("/migration/log-links/%d/revoke" % made["id"])
    lacks(member.get("/migration/jobs/%d/log-links" % JOB).text, made["link"])
    same([r[0] for r in web.sql("SELECT action FROM audit WHERE detail = 'link %d' ORDER BY id" % made["id"])],
         ["log_link", "log_link_revoke"])
    same(member.post_json("/migration/jobs/%d/log-links" % JOB, {"days": "91"}).status, 422)


def test_no_log_of_ours_keeps_a_link():
    made = make()
    web.anyone().get(made["path"])
    web.anyone().get(made["path"][:-1])
    secret = made["path"].rsplit("-", 1)[1][:-1]
    lacks(web.output(), secret)
    with open(os.path.join(web.dir, "web", "nginx-access.log"), encoding="utf-8") as f:
        lacks(f.read(), secret)


if __name__ == "__main__":
    tap.run(globals())
