#!/usr/bin/env python3
"""Deleting on a destination: asked for with a dry run, counted, confirmed by hand, and by no other way."""
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(__file__))
import tap
from route_rows import bearer
import route_rows
from tap import has, lacks, same
from webstack import Stack

web = Stack()
route_rows.web = web
web.names = 0
member = web.sign_in("member")
other = web.sign_in("other")
admin = web.sign_in("admin")
here, there = (web.add_server(web.acme, n, n.lower() + ".example.org") for n in ("Here", "There"))
boxes = 0


class Who:
    """Whose a token is."""

    def __init__(self, account, email):
        self.account = account
        self.user = int(web.sql("SELECT id FROM user WHERE email = '%s@example.org'" % email)[0][0])


def allow(may=1, account=web.acme):
    web.sql("UPDATE account SET may_delete2 = %d WHERE id = %d" % (may, account))


def form(**more):
    global boxes
    boxes += 1
    return dict({"source_server_id": here, "source_user": "ann", "source_password": "p", "dest_server_id": there,
                 "dest_user": "new%d" % boxes, "dest_password": "p", "dry_run_present": "1"}, **more)


def counted(count=3, account=web.acme, **columns):
    """A dry run that counted, between the two servers."""
    allow(account=account)
    values = dict(dry_run=1, delete2=1, messages_to_delete=count, delete2_digest="'%s'" % ("0f" * 32), src_server_id=here, src_host="'here.example.org'",
                  dst_server_id=there, dst_host="'there.example.org'", dst_server_name="'There'", src_server_name="'Here'",
                  reason="'ok_dry'", reason_action="'run_real'", options="'{\"noautomap\":true}'")
    values.update(columns)
    return web.add_job(account, "done", **values)


def url(job, action="confirm-deletion"):
    return "/migration/jobs/%d%s" % (job, "/" + action if action else "")


def yes(count=3, **more):
    return dict({"count": str(count), "understood": "1"}, **more)


def jobs():
    return web.sql("SELECT COUNT(*), COALESCE(SUM(max_delete), 0) FROM job")[0]


def refused(job, status, code, sent=None, who=member):
    before = jobs()
    a = who.post_json(url(job), sent or yes())
    same((a.status, a.json()["type"]), (status, "urn:mailconvoy:" + code), a.text)
    same((who.post(url(job), sent or yes()).status, jobs()), (status, before))


def row(job, columns):
    return web.sql("SELECT %s FROM job WHERE id = %d" % (columns, job))[0]


def job_of(answer):
    return int(re.search(r"/jobs/(\d+)", answer.location).group(1))


def test_no_account_may_until_an_administrator_says_so():
    allow(0)
    lacks(member.get("/migration/jobs/new").text, "delete2")
    before = jobs()
    a = member.post_json("/migration/jobs", form(dry_run="1", delete2="1"))
    same((a.status, list(a.json()["fields"])), (422, ["delete2"]), a.text)
    same((member.post("/migration/jobs", form(dry_run="1", delete2="1")).status, jobs()), (422, before))
    page = "/migration/accounts/%d" % web.acme
    has(admin.get(page).text, 'name="may_delete2" type="checkbox" value="1" aria-describedby="may_delete2-hint">')
    same(member.post(page, {"name": "Acme", "may_delete2": "1"}).status, 403)
    same(admin.post(page, {"name": "Acme", "may_delete2": "1", "may_delete2_present": "1"}).status, 303)
    same(web.sql("SELECT may_delete2 FROM account WHERE id = %d" % web.acme), [["1"]])
    has(admin.get(page).text, 'aria-describedby="may_delete2-hint" checked>')
    # who says nothing of it changes nothing
    same(admin.post(page, {"name": "Acme"}).status, 303)
    same(web.sql("SELECT may_delete2 FROM account WHERE id = %d" % web.acme), [["1"]])
    has(member.get("/migration/jobs/new").text, 'id="delete2"')
    same(admin.post(page, {"name": "Acme", "may_delete2_present": "1"}).status, 303)
    same([r[0] for r in web.sql("SELECT action FROM audit WHERE action LIKE 'account_delete2%' ORDER BY id")],
         ["account_delete2_allow", "account_delete2_forbid"])


def test_a_token_takes_it_away_and_gives_it_not():
    token = bearer(Who(web.admin_account, "admin"), "accounts:write", installation=True)
    path = "/api/v1/accounts/%d" % web.acme
    allow(0)
    a = token.post_json(path, {"name": "Acme", "may_delete2": "1"})
    same((a.status, list(a.json()["fields"])), (422, ["may_delete2"]), a.text)
    same(web.sql("SELECT may_delete2 FROM account WHERE id = %d" % web.acme), [["0"]])
    allow()
    same(token.post_json(path, {"name": "Acme", "may_delete2": "0"}).status, 200)
    same(web.sql("SELECT may_delete2 FROM account WHERE id = %d" % web.acme), [["0"]])


def test_only_a_dry_run_begins_it():
    allow()
    before = jobs()
    for sent in ({"delete2": "1"}, {"delete2": "1", "dry_run": "0"}):
        a = member.post_json("/migration/jobs", form(**sent))
        same((a.status, list(a.json()["fields"]), jobs()), (422, ["delete2"], before), a.text)
    a = member.post("/migration/jobs", form(dry_run="1", delete2="1"))
    same((a.status, row(job_of(a), "dry_run, delete2, max_delete")), (303, ["1", "1", "NULL"]))
    has(member.get("/migration/jobs/%d" % job_of(a)).text, "Messages that only the destination has are counted")


def test_the_dry_runs_page_leads_to_the_one_that_asks_and_that_names_number_and_mailbox():
    job = counted(1234, dst_user="'bob&co'")
    page = member.get(url(job, "")).text
    has(page, 'href="%s">Run real, and delete 1,234 messages\u2026</a>' % url(job))
    has(page, "<dt>Only on the destination</dt><dd>1,234</dd>")
    page = member.get(url(job)).text
    for words in ("Delete 1,234 messages?", "<strong>bob&amp;co</strong>", "on There (there.example.org:993)",
                  "<strong>1234</strong>, to confirm", "for good", "special folders keep their names"):
        has(page, words)
    lacks(page, "source_password")
    job = counted(0)
    lacks(member.get(url(job, "")).text, "confirm-deletion")
    refused(job, 409, "delete2_nothing", yes(0))


def test_a_confirmation_makes_the_real_run_with_that_limit_and_is_in_the_trail():
    job = counted(3)
    a = member.post(url(job), yes())
    same(a.status, 303, a.text[-3000:])
    real = job_of(a)
    same(row(real, "dry_run, delete2, max_delete, parent_id, src_user, dst_user, dst_host, options, src_sealed"),
         ["0", "1", "3", str(job)] + row(job, "src_user, dst_user, dst_host, options, src_sealed"))
    has(member.get(url(real, "")).text, "3 at most, else none")
    trail = web.sql("SELECT object, detail FROM audit WHERE action = 'delete2_confirm' ORDER BY id DESC LIMIT 1")[0]
    same(trail, ["job %d" % real, "3 messages at most, of %s on there.example.org:993, counted by job %d"
                 % (row(job, "dst_user")[0], job)])


def test_another_number_or_no_tick_confirms_nothing():
    job = counted(3)
    before = jobs()
    for sent, field in ((yes(2), "count"), (yes(4), "count"), (yes("3.0"), "count"), (yes(""), "count"), (yes(-3), "count"),
                        ({"understood": "1"}, "count"), ({"count": "3"}, "understood"), (yes(understood="0"), "understood")):
        a = member.post_json(url(job), sent)
        same((sent, a.status, list(a.json()["fields"])), (sent, 422, [field]), a.text)
        a = member.post(url(job), sent)
        same((sent, a.status), (sent, 422))
        has(a.text, 'id="%s-error"' % field)
    same(jobs(), before)
    # and of what else is sent nothing counts
    a = member.post_json(url(job), yes(dst_user="evil", dest_user="evil", max_delete="999", options='{}', dry_run="1"))
    same((a.status, row(job_of(a), "max_delete, dst_user")), (201, ["3"] + row(job, "dst_user")), a.text)


def test_a_count_is_used_once_and_the_same_request_twice_is_one_job():
    job = counted(3)
    sent = yes(request_key="a1" * 16)
    first = job_of(member.post(url(job), sent))
    a = member.post(url(job), sent)
    same((a.status, job_of(a)), (303, first))
    refused(job, 409, "delete2_used")
    same(member.get(url(job)).status, 409)
    web.end_job(first)
    refused(job, 409, "delete2_used")
    lacks(member.get(url(job, "")).text, 'href="%s"' % url(job))


def test_an_old_count_and_one_of_another_server_is_void():
    refused(counted(3, finished_at="UTC_TIMESTAMP(6) - INTERVAL 25 HOUR"), 409, "delete2_old")
    refused(counted(3, dst_host="'elsewhere.example.org'"), 409, "delete2_changed")
    refused(counted(3, src_port=143), 409, "delete2_changed")
    refused(counted("NULL"), 409, "delete2_uncounted")
    refused(counted(3, delete2=0), 409, "delete2_uncounted")
    job = counted(3)
    same(member.post(url(job, "edit"), {"source_user": "ann", "dest_user": "another%d" % job}).status, 303)
    refused(job, 409, "delete2_uncounted")


def test_who_may_no_longer_or_is_suspended_confirms_nothing():
    job = counted(3)
    allow(0)
    refused(job, 403, "delete2_denied")
    allow()
    web.sql("UPDATE account SET suspended_at = UTC_TIMESTAMP(6) WHERE id = %d" % web.acme)
    before = jobs()
    same(admin.post_json(url(job), yes()).json()["type"], "urn:mailconvoy:suspended")
    same((member.post(url(job), yes()).status, admin.post(url(job), yes()).status, jobs()), (403, 403, before))
    web.sql("UPDATE account SET suspended_at = NULL WHERE id = %d" % web.acme)


def test_another_account_cannot():
    job = counted(3)
    allow(account=web.other)
    before = jobs()
    same((other.get(url(job)).status, other.post(url(job), yes()).status, jobs()), (404, 404, before))
    same((web.anyone().post(url(job), yes()).status in (303, 401, 403), jobs()), (True, before))


def test_a_token_confirms_as_a_person_does_where_it_may_write():
    job = counted(3)
    who = Who(web.acme, "member")
    reader, writer = bearer(who, "jobs:read"), bearer(who, "jobs:write jobs:read")
    before = jobs()
    same((reader.post_json("/api/v1/jobs/%d/confirm-deletion" % job, yes()).status, jobs()), (403, before))
    a = writer.request("POST", "/api/v1/jobs/%d/confirm-deletion" % job, json.dumps({"count": 3, "understood": True}),
                       {"Content-Type": "application/json"})
    same((a.status, a.json()["job"]["max_delete"], a.json()["job"]["delete2"]), (201, 3, True), a.text)
    a = writer.request("POST", "/api/v1/jobs", json.dumps(dict(form(), dry_run=True, delete2=True)),
                       {"Content-Type": "application/json"})
    same((a.status, a.json()["job"]["delete2"], a.json()["job"]["max_delete"]), (201, True, None), a.text)


def test_passwords_are_taken_where_they_were_removed_and_only_there():
    job = counted(3)
    a = member.post_json(url(job), yes(source_password="x"))
    same((a.status, list(a.json()["fields"])), (422, ["source_password"]))
    job = counted(3, src_sealed="NULL", dst_sealed="NULL", passwords_removed_at="UTC_TIMESTAMP(6)")
    has(member.get(url(job)).text, 'id="dest_password"')
    a = member.post_json(url(job), yes())
    same((a.status, sorted(a.json()["fields"])), (422, ["dest_password", "source_password"]))
    a = member.post_json(url(job), yes(source_password="x", dest_password="y"))
    same(a.status, 201, a.text)


def test_no_rerun_deletes():
    job = counted(3)
    real = job_of(member.post(url(job), yes()))
    web.sql("UPDATE job SET started_at = queued_at, attempts = 1 WHERE id = %d" % real)
    web.end_job(real, "failed")
    web.sql("UPDATE job SET reason = 'killed', reason_action = 'rerun' WHERE id = %d" % real)
    for old in (job, real):
        before = jobs()
        a = member.post_json(url(old, "rerun"), {"dry_run": "0"})
        same((a.status, list(a.json()["fields"]), jobs()), (422, ["delete2"], before), a.text)
        page = member.get(url(old, "")).text
        lacks(page, ">Run again</button>")
        lacks(page, '<button name="dry_run" value="0">Run real</button>')
        has(page, "Run real, delete nothing")
        a = member.post(url(old, "rerun"), {"dry_run": "0", "delete2": "0"})
        same((a.status, row(job_of(a), "dry_run, delete2, max_delete")), (303, ["0", "0", "NULL"]))
        web.end_job(job_of(a))
        a = member.post(url(old, "rerun"), {"dry_run": "1"})
        same((a.status, row(job_of(a), "dry_run, delete2, max_delete, messages_to_delete")),
             (303, ["1", "1", "NULL", "NULL"]))
        web.end_job(job_of(a))
    allow(0)
    a = member.post_json(url(job, "rerun"), {"dry_run": "1"})
    same((a.status, list(a.json()["fields"])), (422, ["delete2"]))
    allow()


def test_what_a_verification_found_missing_comes_before_deleting():
    job = counted(3, dry_run=0, max_delete=3, messages_to_delete="NULL", reason="'verify_missing'",
                  reason_action="'rerun'", verify_state="'faults'", verify_mode="'size'")
    web.sql("UPDATE job SET state = 'failed' WHERE id = %d" % job)
    action = member.json(url(job, "")).json()["outcome"]["action"]
    same((action["label"], {f["name"]: f["value"] for f in action["fields"] if f["name"] != "request_key"}),
         ("Run real, delete nothing", {"dry_run": "0", "delete2": "0"}))
    web.sql("UPDATE job SET verify_state = NULL, reason = 'killed' WHERE id = %d" % job)
    action = member.json(url(job, "")).json()["outcome"]["action"]
    same((action["label"], {f["name"]: f["value"] for f in action["fields"] if f["name"] != "request_key"}),
         ("Count again, dry", {"dry_run": "1", "delete2": "1"}))


def test_a_confirmed_job_is_not_turned_to_another_mailbox():
    real = job_of(member.post(url(counted(3)), yes()))
    a = member.post_json(url(real, "edit"), {"source_user": "ann", "dest_user": "another"})
    same((a.status, a.json()["type"]), (409, "urn:mailconvoy:delete2"), a.text)
    same(member.get(url(real, "edit")).status, 409)
    lacks(member.get(url(real, "")).text, ">Edit</a>")


def test_two_of_the_same_mailboxes_are_not_confirmed_at_once():
    job = counted(3)
    web.add_job(web.acme, "queued", **{c: "'%s'" % v if not v.isdigit() else v for c, v in zip(
        ("src_host", "src_user", "dst_host", "dst_user"), row(job, "src_host, src_user, dst_host, dst_user"))})
    refused(job, 409, "mailboxes_busy")
    same(row(job, "delete2_confirmed_at"), ["NULL"])


def test_neither_lists_nor_files_nor_many_at_once_delete():
    allow()
    before = jobs()
    line = {k: v for k, v in form().items() if k != "dry_run_present"}
    for name in ("delete2", "max_delete"):
        a = member.request("POST", "/api/v1/batches", json.dumps({"tag": "T", "jobs": [dict(line, **{name: 1})]}),
                           {"Content-Type": "application/json", "X-CSRF-Token": member.csrf})
        same((a.status, a.json()["rows"][0]["field"]), (422, name), a.text)
    a = member.request("POST", "/api/v1/batches", json.dumps({"tag": "T", "jobs": [line], "options": {"delete2": True}}),
                       {"Content-Type": "application/json", "X-CSRF-Token": member.csrf})
    same((a.status, jobs()), (422, before), a.text)
    text = "source_host,source_user,source_password,dest_host,dest_user,dest_password,delete2\n" \
           "here.example.org,a,p,there.example.org,b,p,1\n"
    a = member.post("/migration/import", {"text": text})
    same((a.status, jobs()), (422, before))
    job = counted(3)
    for action in ("retry", "run_real", "dry_run"):
        before = jobs()
        a = member.post_json("/migration/jobs/bulk", {"action": action, "ids": str(job)})
        same(a.status in (200, 201), True, a.text)
        counts = {c["outcome"]: c["count"] for c in member.json(
            re.search(r"/migration/bulk/\d+", a.text).group(0)).json()["counts"]}
        same((action, counts), (action, {"deletes": 1}))
        member.post(re.search(r"/migration/bulk/\d+", a.text).group(0), {})
        same(jobs(), before)


tap.run(globals())
