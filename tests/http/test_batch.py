"""A batch as a whole: how it stands, why mailboxes failed, what to do next, and its report."""
import csv
import io
import re

import webstack
import tap
from tap import has, lacks, same

web = webstack.Stack()
member = web.sign_in("member")
other = web.sign_in("other")
admin = web.sign_in("admin")
SERVER = web.add_server(web.acme, "Ours")


def number(sql):
    return int(web.sql(sql)[0][0])


def new_batch(tag, account=None):
    return number("INSERT INTO batch (account_id, tag, created_at) VALUES (%d, '%s', UTC_TIMESTAMP(6)); "
                  "SELECT LAST_INSERT_ID()" % (account or web.acme, tag))


count = 0


def add(batch, state, **columns):
    """A job of a mailbox of its own."""
    global count
    count += 1
    user = "'box%d@example.org'" % count
    return web.add_job(web.acme, state, **dict({"batch_id": batch, "src_user": user, "dst_user": user}, **columns))


def failed(batch, reason, text, action, **columns):
    return add(batch, "failed", reason="'%s'" % reason, reason_text="'%s'" % text, reason_action="'%s'" % action, **columns)


def page(batch, tail=""):
    return member.json("/migration/batches/%d%s" % (batch, tail)).json()


def press(button):
    """A button that asks for a bulk action: the question, then yes."""
    form = [(f["name"], f["value"]) for f in button["fields"]] + [("csrf", member.csrf)]
    a = member.request("POST", button["url"], form=form)
    same(a.status, 303)
    question = member.get(a.location)
    same(member.post(a.location).status, 303)
    return question


def test_the_list_shows_the_viewers_batches_newest_first_with_their_states():
    first, second = new_batch("List one"), new_batch("List two")
    theirs = new_batch("List theirs", web.other)
    add(first, "done")
    add(first, "failed")
    o = member.json("/api/v1/batches").json()
    same([b["tag"] for b in o["batches"]], ["List two", "List one"])
    same([(p["state"], p["count"], p["x"], p["width"]) for p in o["batches"][1]["bar"]["parts"]],
         [("done", 1, 0, 500), ("failed", 1, 500, 500)])
    same(o["batches"][1]["bar"]["text"], "2 mailboxes: 1 done, 1 failed")
    same([b["id"] for b in admin.json("/migration/batches").json()["batches"]], [theirs, second, first])
    text = member.get("/migration/batches").text
    has(text, "List one")
    lacks(text, "List theirs")


def test_many_batches_are_paged():
    ids = [new_batch("Page %d" % n) for n in range(25)]
    o = member.json("/migration/batches").json()
    same([b["id"] for b in o["batches"]], ids[:-21:-1])
    o = member.json(o["next_url"]).json()
    same([b["id"] for b in o["batches"]][:5], ids[4::-1])
    same(member.json("/migration/batches?before=x").status, 400)


def test_a_batch_of_another_account_is_not_there():
    theirs = new_batch("Not yours", web.other)
    for tail in ("", "/report", "/report.csv"):
        same(member.get("/migration/batches/%d%s" % (theirs, tail)).status, 404, tail)
        same(other.get("/migration/batches/%d%s" % (theirs, tail)).status, 200, tail)


def test_states_are_one_bar_and_count_each_mailbox_by_its_last_run():
    b = new_batch("Bar")
    dry = add(b, "done")
    same_box = {"src_user": "'same'", "dst_user": "'same'"}
    web.sql("UPDATE job SET src_user = 'same', dst_user = 'same' WHERE id = %d" % dry)
    add(b, "running", parent_id=dry, dry_run=0, **same_box)
    add(b, "queued")
    add(b, "cancelled")
    o = page(b)
    same([(p["state"], p["count"]) for p in o["bar"]["parts"]], [("cancelled", 1), ("running", 1), ("queued", 1)])
    same(sum(p["width"] for p in o["bar"]["parts"]), 1000)
    same((o["totals"]["mailboxes"], o["totals"]["runs"]), (3, 4))
    text = member.get("/migration/batches/%d" % b).text
    has(text, 'aria-label="3 mailboxes: 1 cancelled, 1 running, 1 queued"')
    has(text, 'href="/migration/jobs?state=running&amp;batch=%d&amp;latest=1"' % b)
    same(member.json(o["bar"]["parts"][1]["url"]).json()["matching"], 1)


def test_failures_are_grouped_by_cause_with_what_to_do():
    b = new_batch("Causes")
    one = failed(b, "auth_destination", "The destination server refused the password.", "edit_destination")
    for _ in range(3):
        failed(b, "auth_source", "The source server refused the password.", "edit_source")
    failed(b, "timeout_source", "The source server did not answer in time.", "edit_server_source", src_server_id=SERVER)
    failed(b, "busy_source", "The source server does not take this login.", "rerun")
    o = page(b)
    same([(c["reason"], c["count"]) for c in o["causes"]][0], ("auth_source", 3))
    by = {c["reason"]: c for c in o["causes"]}
    same(member.json(by["auth_source"]["url"]).json()["matching"], 3)
    same(by["auth_source"]["action"]["label"], "Edit the users and passwords")
    same(by["auth_destination"]["action"]["url"], "/migration/jobs/%d/edit" % one)
    same(by["timeout_source"]["action"]["url"], "/migration/servers/%d" % SERVER)
    text = member.get("/migration/batches/%d" % b).text
    has(text, "The source server refused the password.")
    question = press(by["busy_source"]["action"])
    has(question.text, "1 will be queued again")
    same(number("SELECT COUNT(*) FROM job WHERE batch_id = %d AND state = 'queued'" % b), 1)
    same("busy_source" in [c["reason"] for c in page(b)["causes"]], False)


def test_run_all_real_takes_the_good_dry_runs():
    b = new_batch("Run real")
    good = [add(b, "done"), add(b, "done")]
    moved = add(b, "done", dry_run=0)
    failed(b, "auth_source", "Refused.", "edit_source")
    o = page(b)
    buttons = {x["id"]: x for x in o["actions"]}
    same((buttons["run_real"]["count"], buttons["retry"]["count"], "cancel" in buttons), (2, 1, False))
    press(buttons["run_real"])
    same(web.sql("SELECT parent_id, dry_run FROM job WHERE state = 'queued' AND batch_id = %d ORDER BY id" % b),
         [[str(i), "0"] for i in good])
    same(moved > 0, True)
    same([x["id"] for x in page(b)["actions"]], ["retry", "cancel"])


def test_retry_failed_keeps_the_kind_and_cancel_the_rest_leaves_what_ended():
    b = new_batch("Retry")
    dry = failed(b, "timeout", "T.", "rerun")
    real = failed(b, "timeout", "T.", "rerun", dry_run=0)
    add(b, "interrupted", reason="'lost'", dry_run=0)
    ended = add(b, "done", dry_run=0)
    press({x["id"]: x for x in page(b)["actions"]}["retry"])
    same(web.sql("SELECT dry_run FROM job WHERE state = 'queued' AND batch_id = %d ORDER BY id" % b), [["1"], ["0"], ["0"]])
    press({x["id"]: x for x in page(b)["actions"]}["cancel"])
    same(number("SELECT COUNT(*) FROM job WHERE state = 'cancelled' AND batch_id = %d" % b), 3)
    same(web.sql("SELECT state FROM job WHERE id = %d" % ended), [["done"]])
    same(real > dry, True)


def test_totals_are_of_messages_and_bytes():
    b = new_batch("Totals")
    first = failed(b, "x", "X.", "rerun", dry_run=0, messages_total=1500, bytes_total=3000, messages_copied=1000, bytes_copied=2048)
    add(b, "done", parent_id=first, dry_run=0, messages_total=1500, bytes_total=3000, messages_copied=500, bytes_copied=952,
        messages_skipped=1000, messages_failed=0)
    t = page(b)["totals"]
    same((t["messages_total_text"], t["messages_copied_text"], t["bytes_copied"], t["messages_skipped"], t["moved"]),
         ("1,500", "1,500", 3000, 1000, 1))
    has(member.get("/migration/batches/%d" % b).text, "Every mailbox is moved.")


def test_the_report_has_a_row_for_each_mailbox():
    b = new_batch("Report")
    add(b, "done", dry_run=0, messages_total=2000, bytes_total=4096, messages_copied=1998, messages_skipped=1,
        messages_failed=1, reason_text="'Two were left.'")
    for _ in range(104):
        add(b, "queued")
    o = page(b, "/report")
    same(len(o["rows"]), 100)
    same((o["rows"][0]["progress"]["messages_copied"], o["rows"][0]["job"]["reason_text"]), (1998, "Two were left."))
    same(len(member.json(o["next_url"]).json()["rows"]), 5)
    text = member.get("/migration/batches/%d/report" % b).text
    has(text, "1,998")
    has(text, "Two were left.")


def test_an_empty_batch_says_so():
    b = new_batch("Empty")
    has(member.get("/migration/batches/%d" % b).text, "All jobs of this batch were deleted.")
    has(member.get("/migration/batches/%d/report" % b).text, "Nothing to report")


def read_csv(batch):
    a = member.get("/migration/batches/%d/report.csv" % batch)
    same(a.status, 200)
    same(a.headers["Content-Type"], "text/csv; charset=utf-8")
    return a, list(csv.DictReader(io.StringIO(a.body.decode("utf-8"), newline="")))


def test_the_csv_report_tells_each_mailbox_and_is_named_after_the_batch():
    b = new_batch("Berlin 2026")
    add(b, "done", dry_run=0, messages_total=2000, bytes_total=4096, messages_copied=1998, messages_skipped=1,
        messages_failed=1, src_user="'zoë, \"the first\"@example.org'", reason="'ok'", reason_text="'Done; nearly.'",
        started_at="'2026-01-31 20:15:00'", finished_at="'2026-01-31 20:16:01'")
    dry = add(b, "done", messages_to_copy=7)
    add(b, "queued", parent_id=dry)
    a, rows = read_csv(b)
    has(a.headers["Content-Disposition"], "Berlin%202026.csv")
    same(len(rows), 2)
    r = rows[0]
    same([r[k] for k in ("source_user", "kind", "state", "source_messages", "source_bytes", "copied", "skipped", "failed",
                         "started", "finished", "seconds", "reason", "reason_text")],
         ['zoë, "the first"@example.org', "real", "done", "2000", "4096", "1998", "1", "1", "2026-01-31T20:15:00Z",
          "2026-01-31T20:16:01Z", "61", "ok", "Done; nearly."])
    same([rows[1][k] for k in ("kind", "state", "copied", "started", "reason")], ["dry", "queued", "", "", ""])


def test_what_was_verified_stands_on_the_page_and_in_the_report():
    b = new_batch("Verified")
    moved = {"dry_run": 0, "messages_copied": 2000}
    add(b, "done", verify_state="'verified'", verify_messages=2000, verified_messages=2000, verify_missing=0, verify_altered=0,
        verify_doubled=0, **moved)
    add(b, "failed", verify_state="'faults'", verify_messages=500, verified_messages=497, verify_missing=2, verify_altered=1,
        verify_doubled=0, **moved)
    add(b, "done", verify_state="'unverified'", verify_note="'the source is gone'", **moved)
    add(b, "done")
    totals = page(b)["totals"]
    same([totals[k] for k in ("verified_messages", "verify_messages", "missing", "altered", "doubled", "unverified")],
         [2497, 2500, 2, 1, None, 1])
    text = re.sub(r"<[^>]*>", "", member.get("/migration/batches/%d" % b).text)
    for part in ("Verified on the destination2,497 of 2,500 messages", "Missing there2", "Altered there1", "Mailboxes not verified1"):
        has(text, part)
    lacks(text, "Doubled there")
    rows = re.findall(r'data-label="Verified"[^>]*><span>(.*?)</span>', member.get("/migration/batches/%d/report" % b).text)
    same(rows, ["2,000 of 2,000", "497 of 500<br><small>2 missing, 1 altered</small>", "not verified", ""])
    same([[r[k] for k in ("verification", "to_verify", "verified", "missing", "altered", "doubled")] for r in read_csv(b)[1]],
         [["verified", "2000", "2000", "0", "0", "0"], ["faults", "500", "497", "2", "1", "0"], ["unverified"] + [""] * 5, [""] * 6])
    none = new_batch("Nothing verified")
    add(none, "done")
    lacks(member.get("/migration/batches/%d" % none).text, "Verified on the destination")


def test_no_cell_of_the_csv_report_is_a_formula():
    b = new_batch("Formulas")
    for start in ("=", "+", "-", "@"):
        add(b, "failed", src_user="'%s1+1'" % start, reason_text="'%scmd'" % start, name="%sname" % start)
    _, rows = read_csv(b)
    same([(r["source_user"], r["reason_text"], r["name"]) for r in rows],
         [("'%s1+1" % s, "'%scmd" % s, "'%sname" % s) for s in "=+-@"])


def fill(batch, rows):
    """A batch of so many mailboxes, u1 and so on."""
    web.sql("INSERT INTO job (account_id, batch_id, dry_run, src_server_name, src_host, src_port, src_security, src_verify,"
            " src_user, src_sealed, dst_server_name, dst_host, dst_port, dst_security, dst_verify, dst_user, dst_sealed,"
            " state, queued_at, updated_at) SELECT %d, %d, 1, 'A', 'a.example.org', 993, 'tls', 1, CONCAT('u', seq), 'x',"
            " 'B', 'b.example.org', 993, 'tls', 1, CONCAT('u', seq), 'x', 'queued', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6)"
            " FROM seq_1_to_%d" % (web.acme, batch, rows))


def test_a_long_csv_report_is_whole():
    b = new_batch("Long")
    fill(b, 3000)
    _, rows = read_csv(b)
    same([r["source_user"] for r in rows], ["u%d" % n for n in range(1, 3001)])


def test_a_report_that_cannot_be_finished_is_an_error_and_not_half_a_file():
    b = new_batch("Broken")
    fill(b, 3000)
    # a word no program wrote: reading stops there
    web.sql("SET sql_mode = ''; UPDATE job SET src_security = '' WHERE batch_id = %d AND src_user = 'u2900'" % b)
    a = member.get("/migration/batches/%d/report.csv" % b)
    same((a.status, a.headers["Content-Disposition"]), (500, None))
    has(a.text, "Something broke on our side")


tap.run(globals())
