"""One action on many jobs: asked for, counted, done once, each job's outcome told."""
import re

import webstack
import tap
from tap import has, lacks, same

web = webstack.Stack()
member = web.sign_in("member")
other = web.sign_in("other")
admin = web.sign_in("admin")
SERVER = web.add_server(web.acme, "Ours")


def fresh():
    web.sql("DELETE FROM job; DELETE FROM batch")


def jobs(count, state="done", prefix="m", account=None, **columns):
    """Jobs of as many mailboxes."""
    account = account or web.acme
    return [web.add_job(account, state, src_user="'%s%d'" % (prefix, n), dst_user="'%s%d'" % (prefix, n), **columns)
            for n in range(count)]


def ask(browser, action, ids=(), **fields):
    """The question's page."""
    body = [("action", action)] + [("ids[]", i) for i in ids] + list(fields.items()) + [("csrf", browser.csrf)]
    a = browser.request("POST", "/migration/jobs/bulk", form=body)
    if a.status != 303:
        return a
    page = browser.get(a.location)
    page.url = a.location
    return page


def confirm(browser, page, **fields):
    a = browser.post(page.url, fields)
    same(a.status, 303, "the confirmation")
    return browser.get(a.location)


def number(sql):
    return int(web.sql(sql)[0][0])


def test_rows_picked_are_asked_about_and_then_queued():
    fresh()
    ended = jobs(2)
    running = web.add_job(web.acme, "running", "runs")
    jobs(1, prefix="unpicked")
    page = ask(member, "run_real", ended + [running])
    has(page.text, "2 will be queued again as a real run")
    has(page.text, "1 is queued or running already")
    same(number("SELECT COUNT(*) FROM job"), 4)
    page = confirm(member, page)
    has(page.text, "2 are queued again as a real run")
    has(page.text, "Not touched: it was queued or running already")
    same(web.sql("SELECT parent_id, dry_run FROM job WHERE state = 'queued' ORDER BY id"),
         [[str(i), "0"] for i in ended])
    same(number("SELECT COUNT(*) FROM audit WHERE action = 'bulk_run_real' AND detail = '3 jobs'"), 1)


def test_all_that_match_are_those_of_the_filter_and_of_every_page():
    fresh()
    jobs(60, "failed")
    jobs(5, "done", "other")
    page = ask(member, "dry_run", scope="matching", state="failed")
    has(page.text, "60 will be queued again as a dry run")
    page = confirm(member, page)
    same(number("SELECT COUNT(*) FROM job WHERE state = 'queued'"), 60)
    has(page.text, 'href="/migration/jobs?state=failed"')


def test_jobs_that_come_to_match_after_the_count_are_not_touched_and_that_is_said():
    fresh()
    first = jobs(2, "queued")
    page = ask(member, "cancel", scope="matching", state="queued")
    has(page.text, "what comes to match later is not touched")
    later = web.add_job(web.acme, "queued", "later")
    web.sql("UPDATE job SET state = 'cancelled', finished_at = queued_at WHERE id = %d" % first[0])
    page = confirm(member, page)
    has(page.text, "What came to match after that was not touched")
    has(page.text, "1 was cancelled before it started")
    has(page.text, "1 had ended")
    same(web.sql("SELECT state FROM job WHERE id = %d" % later), [["queued"]])


def test_a_confirmation_sent_twice_is_done_once():
    fresh()
    page = ask(member, "run_real", jobs(3))
    confirm(member, page)
    again = confirm(member, page)
    has(again.text, "3 are queued again")
    same(number("SELECT COUNT(*) FROM job"), 6)


def test_a_script_asks_and_confirms_in_one_request_that_may_be_repeated():
    fresh()
    ids = jobs(3)
    form = {"action": "retry", "ids": ",".join(map(str, ids)), "confirm": "1", "request_key": "ab" * 16}
    for _ in range(2):
        a = member.post_json("/api/v1/jobs/bulk", form)
        same(a.status, 200)
        o = a.json()
        same((o["bulk"]["total"], o["bulk"]["is_done"], [c["outcome"] for c in o["counts"]]), (3, True, ["requeued"]))
        same([r["job_id"] for r in o["rows"]], ids)
    same(number("SELECT COUNT(*) FROM job"), 6)
    asked = member.post_json("/api/v1/jobs/bulk", {"action": "cancel", "scope": "matching", "state": "queued"}).json()
    same((asked["bulk"]["is_asked"], asked["counts"][0]["count"]), (True, 3))
    done = member.post_json("/api/v1/bulk/%d" % asked["bulk"]["id"]).json()
    same([c["outcome"] for c in done["counts"]], ["cancelled"])


def test_delete_asks_to_type_and_never_takes_a_running_job():
    fresh()
    running = web.add_job(web.acme, "running", "runs")
    ended = web.add_job(web.acme, "failed", "ended", log=b"x" * 100)
    page = ask(member, "delete", [running, ended])
    has(page.text, "1 will be deleted with its log")
    has(page.text, "1 is running: cancel it first")
    a = member.post(page.url, {"confirm": "yes"})
    same(a.status, 422)
    has(a.text, "Type “delete” to confirm.")
    same(number("SELECT COUNT(*) FROM job"), 2)
    page = confirm(member, page, confirm="delete")
    same(web.sql("SELECT id FROM job"), [[str(running)]])
    same(number("SELECT COUNT(*) FROM job_log"), 0)
    has(page.text, "ended")


def test_a_running_job_is_asked_to_stop_and_a_queued_one_is_cancelled():
    fresh()
    running = web.add_job(web.acme, "running", "runs")
    queued = web.add_job(web.acme, "queued", "waits")
    page = ask(member, "cancel", [running, queued])
    has(page.text, "1 running will be stopped")
    has(page.text, "1 queued will not start")
    confirm(member, page)
    same(web.sql("SELECT state, cancel_requested_at IS NOT NULL FROM job ORDER BY id"),
         [["running", "1"], ["cancelled", "1"]])


def test_the_result_is_paged_and_tells_every_row():
    fresh()
    jobs(130)
    page = confirm(member, ask(member, "run_real", scope="matching"))
    path = re.search(r"/migration/bulk/\d+", page.text).group(0)
    seen, url = [], path
    while url:
        o = member.json(url).json()
        seen += [(r["n"], r["outcome"]) for r in o["rows"]]
        url = o["next_url"]
    same(seen, [(n, "requeued") for n in range(1, 131)])
    same(member.json(path + "?outcome=gone").json()["rows"], [])
    same(member.json(path + "?outcome=nonsense").status, 400)
    same(member.json(path + "?after=-1").status, 400)


def test_an_account_at_its_limit_keeps_what_was_done_and_goes_on_later():
    fresh()
    jobs(150)
    page = ask(member, "run_real", scope="matching")
    web.sql("UPDATE account SET max_queued = 120 WHERE id = %d" % web.acme)
    try:
        result = confirm(member, page)
        has(result.text, "Your account may have no more jobs queued")
        has(result.text, "100 of 150 are dealt with.")
        same(number("SELECT COUNT(*) FROM job WHERE state = 'queued'"), 100)
        # a script is told by the status
        a = member.post_json(page.url)
        same((a.status, a.json()["type"]), (409, "urn:mailconvoy:limit"))
    finally:
        web.sql("UPDATE account SET max_queued = NULL WHERE id = %d" % web.acme)
    has(confirm(member, page).text, "150 are queued again")
    same(number("SELECT COUNT(*) FROM job WHERE state = 'queued'"), 150)


def test_nothing_selected_is_told_kindly():
    for form in ({"action": "cancel"}, {"action": "cancel", "scope": "matching", "q": "no such job at all"}):
        a = member.post("/migration/jobs/bulk", form)
        same(a.status, 422)
        has(a.text, "No job was selected")


def test_a_malformed_request_changes_nothing():
    fresh()
    ids = jobs(1)
    same(member.post("/migration/jobs/bulk", {"ids[]": ids[0]}).status, 422)
    same(member.post("/migration/jobs/bulk", {"ids[]": ids[0], "action": "explode"}).status, 422)
    same(member.post("/migration/jobs/bulk", {"ids[]": "1 OR 1=1", "action": "delete"}).status, 400)
    same(member.post("/migration/jobs/bulk", {"scope": "matching", "state": "x", "action": "delete"}).status, 400)
    same(member.request("POST", "/migration/jobs/bulk", form={"ids[]": ids[0], "action": "delete"}).status, 403)
    same(number("SELECT COUNT(*) FROM job"), 1)


def test_a_question_is_its_askers_alone_and_expires():
    fresh()
    page = ask(member, "delete", jobs(1))
    same(other.get(page.url).status, 404)
    same(other.post(page.url, {"confirm": "delete"}).status, 404)
    same(admin.post(page.url, {"confirm": "delete"}).status, 404)
    theirs = web.add_job(web.other, "done", "theirs")
    same(ask(member, "delete", [theirs]).status, 422)
    web.sql("UPDATE bulk SET created_at = created_at - INTERVAL 2 HOUR")
    has(member.get(page.url).text, "more than an hour ago")
    same(member.post(page.url, {"confirm": "delete"}).status, 409)
    same(number("SELECT COUNT(*) FROM job"), 2)


def test_the_list_offers_selection_without_javascript():
    fresh()
    ids = jobs(2)
    text = member.get("/migration/jobs?q=m&state=done").text
    for i in ids:
        has(text, 'name="ids[]" value="%d" form="bulk"' % i)
    form = text[text.index('<form id="bulk"'):]
    form = form[:form.index("</form>")]
    for part in ('name="state" value="done"', 'name="q" value="m"', 'value="dry_run"', 'value="run_real"',
                 'value="cancel"', 'value="delete"', 'name="scope" value="matching"'):
        has(form, part)


def test_the_list_filters_by_batch_kind_reason_and_last_run():
    fresh()
    web.sql("INSERT INTO batch (id, account_id, tag, created_at) VALUES (5, %d, 'Move one', UTC_TIMESTAMP(6)),"
            " (6, %d, 'Theirs', UTC_TIMESTAMP(6))" % (web.acme, web.other))
    dry = web.add_job(web.acme, "done", "a", batch_id=5)
    real = web.add_job(web.acme, "failed", "b", batch_id=5, dry_run=0, parent_id=dry, reason="'auth_source'",
                       reason_text="'The source server refused the password.'")
    web.add_job(web.acme, "done", "c")
    names = lambda query: [j["name"] for j in member.json("/migration/jobs?sort=name&dir=asc&" + query).json()["jobs"]]
    same(names("batch=5"), ["a", "b"])
    same(names("batch=5&latest=1"), ["b"])
    same(names("kind=dry"), ["a", "c"])
    same(names("reason=auth_source"), ["b"])
    same(names("state=failed,queued"), ["b"])
    same(member.json("/migration/jobs?batch=6").status, 404)
    o = member.json("/migration/jobs?batch=5&kind=real").json()
    same([(b["label"], b["selected"]) for b in o["batches"]], [("Move one", True)])
    same(o["jobs"][0]["batch_url"], "/migration/batches/5")
    same(o["filter"]["also"][0]["remove_url"], "/migration/jobs?batch=5")
    has(o["refresh_url"], "batch=5")
    for query in ("batch=x", "kind=wet", "state=done,nonsense", "reason=" + "x" * 41, "reason=%C3%A9"):
        same(member.json("/migration/jobs?" + query).status, 400, query)
    same(real > dry, True)


tap.run(globals())
