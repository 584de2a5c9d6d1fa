"""Jobs: queueing, listing, changing, cancelling, running again, deleting."""
import re

import webstack
import tap
from tap import has, lacks, same

web = webstack.Stack()
member = web.sign_in("member")
admin = web.sign_in("admin")
SERVER = web.add_server(web.acme, "Ours")
SHARED = web.add_server(None, "For everybody", "mail.example.net", 143, "starttls")
FOREIGN = web.add_server(web.other, "Theirs")
CANARY = "canary-Passw0rd"
FORM = {"source_server_id": SERVER, "source_user": "ann", "source_password": CANARY, "dest_server_id": SHARED,
        "dest_user": "ann@new", "dest_password": CANARY + "2", "dry_run": "1"}


def row(job, columns):
    return web.sql("SELECT %s FROM job WHERE id = %d" % (columns, job))[0]


def test_a_job_is_queued_and_its_passwords_are_sealed_at_once():
    a = member.post("/migration/jobs", dict(FORM, name="First"))
    same(a.status, 303)
    job = int(re.match(r"/migration/jobs/(\d+)\?notice=job_created$", a.location).group(1))
    same(row(job, "state, dry_run, src_user, dst_user, name, src_host, dst_port"),
         ["queued", "1", "ann", "ann@new", "First", "imap.example.org", "143"])
    sealed = bytes.fromhex(row(job, "HEX(src_sealed)")[0])
    same(len(sealed), len(CANARY) + 65)
    same(CANARY.encode() in sealed, False)
    page = member.get(a.location)
    has(page.text, "The job is queued")
    lacks(page.text, CANARY)


def test_a_script_queues_a_job_by_json():
    a = member.post_json("/api/v1/jobs", dict(FORM, dry_run="0"))
    same(a.status, 201)
    o = a.json()["job"]
    same((o["state"], o["dry_run"], a.location), ("queued", False, "/api/v1/jobs/%d" % o["id"]))
    same(member.request("GET", a.location).json()["job"]["id"], o["id"])


def test_a_form_sent_twice_makes_one_job():
    key = member.json("/migration/jobs/new").json()["form"]["request_key"]["value"]
    first = member.post("/migration/jobs", dict(FORM, request_key=key))
    again = member.post("/migration/jobs", dict(FORM, request_key=key))
    same(first.location.split("?")[0], again.location.split("?")[0])
    same(again.location.split("?")[1], "notice=job_exists")


def test_a_dry_run_is_what_happens_unless_it_is_switched_off():
    for extra, want in (({"dry_run": "1"}, "1"), ({}, "1"), ({"dry_run_present": "1"}, "0"), ({"dry_run": "0"}, "0"),
                        ({"dry_run_present": "1", "dry_run": "1"}, "1")):
        form = {k: v for k, v in FORM.items() if k != "dry_run"}
        form.update(extra)
        job = member.post_json("/migration/jobs", form).json()["job"]["id"]
        same(row(job, "dry_run"), [want], str(extra))


def test_a_refused_job_comes_back_filled_in_without_its_passwords():
    a = member.post("/migration/jobs", dict(FORM, source_user="", name="kept-name"))
    same(a.status, 422)
    has(a.text, "kept-name")
    has(a.text, "ann@new")
    lacks(a.text, CANARY)
    a = member.post_json("/migration/jobs", {"source_user": "a\nb"})
    same((a.status, sorted(a.json()["fields"])),
         (422, ["dest_password", "dest_server_id", "dest_user", "source_password", "source_server_id", "source_user"]))


def test_a_server_of_another_account_cannot_be_used():
    for field in ("source_server_id", "dest_server_id"):
        for server in (FOREIGN, 999999):
            a = member.post_json("/migration/jobs", dict(FORM, **{field: server}))
            same((a.status, list(a.json()["fields"])), (422, [field]))


def test_the_list_filters_sorts_counts_and_pages_by_its_address():
    for n in range(60):
        web.add_job(web.acme, "done", "page%02d" % n)
    web.add_job(web.acme, "failed", "page_failed")
    o = member.json("/migration/jobs?q=page&sort=name&dir=asc").json()
    same((len(o["jobs"]), o["jobs"][0]["name"], o["matching"]), (50, "page_failed" if o["jobs"][0]["name"] > "page0"
                                                                   else "page00", 61))
    counts = {c["state"]: c["count"] for c in o["chips"]}
    same((counts["all"], counts["done"], counts["failed"], counts["queued"]), (61, 60, 1, 0))
    second = member.json(o["paging"]["next_url"]).json()
    same(len(second["jobs"]), 11)
    names = [j["name"] for j in o["jobs"] + second["jobs"]]
    same(len(set(names)), 61)
    back = member.json(second["paging"]["prev_url"]).json()
    same([j["id"] for j in back["jobs"]], [j["id"] for j in o["jobs"]])
    o = member.json([c for c in o["chips"] if c["state"] == "failed"][0]["url"]).json()
    same([j["name"] for j in o["jobs"]], ["page_failed"])
    same(o["filter"]["q"], "page")


def test_text_that_looks_like_a_pattern_is_text():
    web.add_job(web.acme, "done", "100% sure_thing")
    same(member.json("/migration/jobs?q=100%25%20sure_").json()["matching"], 1)
    same(member.json("/migration/jobs?q=%25%25").json()["matching"], 0)
    same(member.json("/migration/jobs?q=sureXthing").json()["matching"], 0)
    same(member.json("/migration/jobs?q=%27%20OR%201=1%20--").json()["matching"], 0)


def test_a_malformed_list_address_is_400():
    for query in ("state=nonsense", "after=%00", "ids=1,x", "ids=-1", "q=" + "a" * 201, "after=zzz"):
        same(member.json("/migration/jobs?" + query).status, 400, query)
    same(member.json("/migration/jobs?sort=nonsense").json()["filter"]["sort"], "created")


def test_refreshing_asks_for_the_rows_on_the_screen_and_keeps_those_that_left_the_filter():
    a = web.add_job(web.acme, "queued", "refresh-a")
    b = web.add_job(web.acme, "queued", "refresh-b")
    o = member.json("/migration/jobs?q=refresh-&state=queued").json()
    same(len(o["jobs"]), 2)
    web.end_job(a, "cancelled")
    web.sql("DELETE FROM job WHERE id = %d" % b)
    o = member.json(o["refresh_url"]).json()
    same([(j["id"], j["state"]) for j in o["jobs"]], [(a, "cancelled")])
    same({c["state"]: c["count"] for c in o["chips"]}["cancelled"], 1)


def test_a_queued_job_is_cancelled_at_once_and_a_running_one_is_asked_to_stop():
    job = web.add_job(web.acme, "queued")
    same(member.get("/migration/jobs/%d/cancel" % job).status, 200)
    a = member.post("/migration/jobs/%d/cancel" % job)
    same(a.location, "/migration/jobs/%d?notice=job_cancelled" % job)
    same(row(job, "state"), ["cancelled"])
    job = web.add_job(web.acme, "running")
    a = member.post_json("/migration/jobs/%d/cancel" % job)
    o = a.json()["job"]
    same((a.status, o["state"], o["state_text"], o["is_stopping"], o["can_cancel"]),
         (200, "running", "Stopping", True, False))
    same(row(job, "state, cancel_requested_at IS NOT NULL"), ["running", "1"])
    web.end_job(job)
    same(member.post_json("/migration/jobs/%d/cancel" % job).status, 409)


def test_mailboxes_on_their_way_are_not_run_a_second_time():
    job = web.add_job(web.acme, "done", "once")
    new = member.post_json("/migration/jobs/%d/rerun" % job, {"dry_run": "0"}).json()["job"]["id"]
    a = member.post_json("/migration/jobs/%d/rerun" % job, {"dry_run": "0"})
    same((a.status, a.json()["type"]), (409, "urn:mailconvoy:mailboxes_busy"))
    has(a.text, "Job %d copies between the same mailboxes" % new)
    has(member.post("/migration/jobs/%d/rerun" % job, {"dry_run": "1"}).text, 'href="/migration/jobs/%d"' % new)
    web.end_job(new)
    same(member.post_json("/migration/jobs/%d/rerun" % job, {"dry_run": "0"}).status, 201)


def test_an_ended_job_is_run_again_dry_or_real():
    job = web.add_job(web.acme, "done", "again")
    for dry in ("0", "1"):
        a = member.post("/migration/jobs/%d/rerun" % job, {"dry_run": dry})
        same(a.status, 303)
        new = int(re.match(r"/migration/jobs/(\d+)\?notice=job_rerun", a.location).group(1))
        same(row(new, "state, dry_run, parent_id, name, src_sealed"), ["queued", dry, str(job), "again", "x"])
        web.end_job(new)
    family = member.json("/migration/jobs/%d" % job).json()["lineage"]
    same((len(family["children"]), family["parent"]), (2, None))
    same(member.json("/migration/jobs/%d" % new).json()["lineage"]["parent"]["id"], job)
    key = member.json("/migration/jobs/%d" % job).json()["request_key"]
    ids = {member.post_json("/migration/jobs/%d/rerun" % job, {"dry_run": "0", "request_key": key}).json()["job"]["id"]
           for _ in range(2)}
    same(len(ids), 1)
    same(member.post_json("/migration/jobs/%d/rerun" % job).status, 422)
    for state in ("queued", "running"):
        busy = web.add_job(web.acme, state)
        same(member.post_json("/migration/jobs/%d/rerun" % busy, {"dry_run": "0"}).status, 409, state)


def test_a_job_says_what_it_waits_for():
    first = web.add_job(web.acme, "running", src_user="'zoe'", dst_user="'zoe'")
    second = web.add_job(web.acme, "queued", src_user="'Zoe'", dst_user="'zoe'")
    theirs = web.add_job(web.other, "queued", src_user="'zoe'", dst_user="'zoe'")
    page = member.get("/migration/jobs/%d" % second)
    has(page.text, 'It begins when <a href="/migration/jobs/%d">job %d</a>' % (first, first))
    same(member.json("/migration/jobs/%d" % first).json()["waits_for"], None)
    # whose mailbox it is in another account is not told
    same(web.sign_in("other").json("/migration/jobs/%d" % theirs).json()["waits_for"], None)
    web.end_job(first)
    lacks(member.get("/migration/jobs/%d" % second).text, "It begins when")
    for job in (second, theirs):
        web.end_job(job)


def test_a_running_job_is_not_deleted():
    job = web.add_job(web.acme, "running")
    same(member.get("/migration/jobs/%d/delete" % job).status, 409)
    same(member.post("/migration/jobs/%d/delete" % job, {"confirm": "delete"}).status, 409)
    a = member.request("DELETE", "/migration/jobs/%d?hard=true" % job,
                       headers={"X-CSRF-Token": member.csrf, "Accept": "application/json"})
    same((a.status, a.json()["type"]), (409, "urn:mailconvoy:job_running"))
    same(row(job, "state"), ["running"])


def test_a_job_is_deleted_with_its_log_when_the_word_is_typed():
    job = web.add_job(web.acme, "done", log=b"x" * 100)
    same(member.get("/migration/jobs/%d/delete" % job).status, 200)
    same(member.post("/migration/jobs/%d/delete" % job, {"confirm": "no"}).status, 422)
    a = member.post("/migration/jobs/%d/delete" % job, {"confirm": "delete"})
    same((a.status, a.location), (303, "/migration/jobs?notice=job_deleted"))
    same(web.sql("SELECT COUNT(*) FROM job WHERE id = %d" % job), [["0"]])
    same(web.sql("SELECT COUNT(*) FROM job_log WHERE job_id = %d" % job), [["0"]])


def test_delete_must_say_that_it_is_for_good():
    job = web.add_job(web.acme, "done")
    h = {"X-CSRF-Token": member.csrf, "Accept": "application/json"}
    same(member.request("DELETE", "/migration/jobs/%d" % job, headers=h).status, 400)
    same(member.request("DELETE", "/migration/jobs/%d?hard=true" % job, headers=h).status, 204)
    same(member.request("DELETE", "/migration/jobs/%d?hard=true" % job, headers=h).status, 404)


def test_an_administrator_sees_all_accounts_and_a_member_one():
    theirs = web.add_job(web.other, "done", "only-theirs")
    same(member.json("/migration/jobs?q=only-theirs").json()["matching"], 0)
    same(admin.json("/migration/jobs?q=only-theirs").json()["matching"], 1)
    same(admin.json("/migration/jobs/%d" % theirs).status, 200)


def test_a_dry_run_says_what_it_counted():
    counters = {"messages_total": 2000, "messages_done": 840, "bytes_copied": 0, "bytes_total": 1 << 30}
    for state, text in (("failed", "840 of 2,000 messages counted"), ("done", "2,000 messages counted, 1.0 GiB")):
        job = web.add_job(web.acme, state, **counters)
        same(member.json("/migration/jobs/%d" % job).json()["job"]["progress_text"], text)


def test_what_the_verification_found_is_told():
    job = web.add_job(web.acme, "done", dry_run=0, reason="'ok'", messages_copied=2000)
    same(member.json("/migration/jobs/%d" % job).json()["verification"], None)
    web.sql("UPDATE job SET verify_state = 'verified', verify_mode = 'size', verify_messages = 2000,"
            " verified_messages = 2000, verify_missing = 0, verify_altered = 0, verify_doubled = 0, verify_extra = 3,"
            " verify_newer = 0, verify_adapted = 0 WHERE id = %d" % job)
    o = member.json("/migration/jobs/%d" % job).json()["verification"]
    same((o["state"], o["is_verified"], o["sentence"]),
         ("verified", True, "2,000 of 2,000 messages verified on the destination."))
    same((o["verified"], o["verified_text"], o["missing"], o["extra"], o["rows"]), (2000, "2,000", 0, 3, []))
    text = member.get("/migration/jobs/%d" % job).text
    has(text, "2,000 of 2,000 messages verified on the destination.")
    has(text, "3 on the destination only")

    web.sql("UPDATE job SET state = 'failed', reason = 'verify_missing', reason_text = 'Messages are missing.',"
            " reason_action = 'rerun', verify_state = 'faults', verified_messages = 1997, verify_missing = 2,"
            " verify_altered = 1, verify_rows = 'missing\tINBOX/12 Subject: <b>&one\naltered\tINBOX/13' WHERE id = %d"
            % job)
    page = member.json("/migration/jobs/%d" % job).json()
    o = page["verification"]
    same(o["sentence"], "1,997 of 2,000 messages verified on the destination: 2 missing, 1 altered.")
    same([(r["fault"], r["fault_text"], r["text"]) for r in o["rows"]],
         [("missing", "Missing", "INBOX/12 Subject: <b>&one"), ("altered", "Altered", "INBOX/13")])
    same((page["outcome"]["action"]["code"], o["more_text"]), ("rerun", "and 1 more: the log lists them"))
    text = member.get("/migration/jobs/%d" % job).text
    has(text, "INBOX/12 Subject: &lt;b&gt;&amp;one")
    has(text, "Run again")

    web.sql("UPDATE job SET state = 'done', reason = 'ok_unverified', verify_state = 'unverified', verify_rows = NULL,"
            " verify_note = 'The destination server refused the password.' WHERE id = %d" % job)
    o = member.json("/migration/jobs/%d" % job).json()["verification"]
    same((o["is_unverified"], o["sentence"]), (True, "Not verified: The destination server refused the password."))
    job = web.add_job(web.acme, "running", dry_run=0)
    web.sql("UPDATE job SET verify_state = 'running', verify_mode = 'content' WHERE id = %d" % job)
    same(member.json("/migration/jobs/%d" % job).json()["job"]["state_text"], "Verifying")


def test_an_ended_job_tells_its_outcome_and_one_next_step():
    job = web.add_job(web.acme, "failed", reason="'auth_source'", reason_action="'edit_source'",
                      reason_text="'The source server refused the password.'", messages_total=2000, messages_done=840,
                      bytes_copied=125829120, dry_run=0)
    o = member.json("/migration/jobs/%d" % job).json()
    same((o["outcome"]["sentence"], o["outcome"]["is_good"]), ("The source server refused the password.", False))
    same((o["outcome"]["action"]["code"], o["outcome"]["action"]["url"]), ("edit_source", "/migration/jobs/%d/edit" % job))
    same((o["job"]["progress_text"], o["job"]["percent"]), ("840 of 2,000 messages, 120.0 MiB", 42))
    job = web.add_job(web.acme, "done", reason="'ok'", reason_action="'run_real'", messages_to_copy=2000,
                      folders_total=12, bytes_total=1 << 30, biggest_bytes=20 << 20)
    o = member.json("/migration/jobs/%d" % job).json()
    same(o["outcome"]["sentence"], "A real run would copy 2,000 messages.")
    fields = {f["name"]: f["value"] for f in o["outcome"]["action"]["fields"]}
    same((sorted(fields), fields["dry_run"]), (["dry_run", "request_key"], "0"))
    same(o["dry_result"], {"folders_text": "12", "messages_text": "2,000", "bytes_text": "1.0 GiB", "to_delete_text": None,
                           "biggest_text": "20.0 MiB", "quota_text": None})


if __name__ == "__main__":
    tap.run(globals())
