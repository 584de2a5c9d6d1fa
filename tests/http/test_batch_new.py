"""Many jobs by one request of a script: as JSON in one, as CSV in two."""
import json
import threading

import webstack
import tap
from tap import has, lacks, same

web = webstack.Stack()
member = web.sign_in("member")
OLD = web.add_server(web.acme, "Old")
NEW = web.add_server(None, "New", "mail.example.net")
FOREIGN = web.add_server(web.other, "Theirs")
CANARY = "canary-Passw0rd"
count = [0]


def bearer(browser=member, **scopes):
    made = browser.post_json("/migration/tokens", dict({"name": "a script"}, **scopes or {"jobs_read": "1", "jobs_write": "1"}))
    same(made.status, 201, made.text)
    return web.anyone(Authorization="Bearer " + made.json()["token"], **{"Content-Type": "application/json"})


script = bearer()


def row(user=None, **changed):
    count[0] += 1
    user = user or "user%d" % count[0]
    return dict({"source_server_id": OLD, "source_user": user, "source_password": CANARY, "dest_server_id": NEW,
                 "dest_user": user, "dest_password": CANARY}, **changed)


def send(jobs, browser=script, tag=None, path="/api/v1/batches", headers=None, **fields):
    count[0] += 1
    body = dict({"tag": tag or "list %d" % count[0], "jobs": jobs}, **fields)
    a = browser.request("POST", path, json.dumps(body), headers)
    lacks(a.text, CANARY)
    return a


def jobs_of(answer, columns="src_user, dst_user, src_server_id, dst_server_id, dry_run"):
    return web.sql("SELECT %s FROM job WHERE batch_id = %d ORDER BY id" % (columns, answer.json()["batch"]["id"]))


def total():
    return web.sql("SELECT (SELECT COUNT(*) FROM job), (SELECT COUNT(*) FROM batch)")


def problems(answer):
    return [(r["index"], r["field"], r["reason"]) for r in answer.json()["rows"]]


def test_a_list_becomes_a_batch_in_its_order_and_says_which_job_is_which():
    a = send([row("b"), row("a", name="Ann", dry_run=False), row("c", source_server_id="Old", dry_run=True)], tag="First one")
    same(a.status, 201, a.text)
    o = a.json()
    same((o["batch"]["tag"], o["queued"], o["skipped"], o["rows"]), ("First one", 3, 0, []))
    same(a.location, "/api/v1/batches/%d" % o["batch"]["id"])
    same(script.get(a.location).json()["batch"]["tag"], "First one")
    same(jobs_of(a), [["b", "b", str(OLD), str(NEW), "1"], ["a", "a", str(OLD), str(NEW), "0"], ["c", "c", str(OLD), str(NEW), "1"]])
    same([(j["index"], str(j["id"])) for j in o["jobs"]], list(enumerate(r[0] for r in jobs_of(a, "id"))))
    same(jobs_of(a, "name")[1], ["Ann"])
    same(web.sql("SELECT COUNT(*) FROM job_event WHERE kind = 'created'"), [["3"]])
    same(web.sql("SELECT detail FROM audit WHERE action = 'import'"), [["3 jobs"]])


def test_a_dry_run_is_what_happens_unless_it_is_said():
    for fields, want in (({}, "1"), ({"dry_run": True}, "1"), ({"dry_run": False}, "0")):
        same([r[0] for r in jobs_of(send([row(), row(dry_run=True)], **fields), "dry_run")], [want, "1"])


def test_one_bad_row_stops_all_and_each_is_told_by_index_and_field():
    before = total()
    a = send([row("fine"), row(source_server_id=FOREIGN, dest_server_id=999999), row(source_user="", dest_user="two@@x"),
              row(source_password="a\nb", dest_password=""), 7, row(tag="x"), row(name={"a": 1}), row("fine"),
              row(source_server_id=None, dry_run="maybe")])
    same((a.status, a.json()["type"], a.headers["Content-Type"]), (422, "urn:mailconvoy:rows", "application/problem+json"))
    found = problems(a)
    same([(i, f) for i, f, _ in found],
         [(1, "source_server_id"), (1, "dest_server_id"), (2, "source_user"), (2, "dest_user"), (3, "source_password"),
          (3, "dest_password"), (4, None), (5, "tag"), (6, "name"), (7, None), (8, "source_server_id"), (8, "dry_run")])
    has(found[0][2], "Unknown server")
    same(found[0][2].replace(str(FOREIGN), ""), found[1][2].replace("999999", ""))
    same(found[9][2], "The same mailboxes as at index 0.")
    same(total(), before)
    same(web.sql("SELECT COUNT(*) FROM import WHERE batch_id IS NULL AND expires_at > UTC_TIMESTAMP(6)"), [["0"]])


def test_the_good_rows_are_queued_alone_when_that_is_asked_for():
    a = send([row(source_server_id=FOREIGN), row("good1"), row(dest_user=""), row("good2")], skip_bad=True)
    same((a.status, a.json()["queued"], a.json()["skipped"]), (201, 2, 2), a.text)
    same([r[0] for r in jobs_of(a)], ["good1", "good2"])
    same([j["index"] for j in a.json()["jobs"]], [1, 3])
    same([(i, f) for i, f, _ in problems(a)], [(0, "source_server_id"), (2, "dest_user")])
    same(send([row(dest_user="")], skip_bad=True).status, 422)


def test_what_is_sent_around_the_list_is_checked():
    before = total()
    for body, fields in (({"jobs": [row()]}, ["tag"]), ({"tag": "a/b", "jobs": [row()]}, ["tag"]), ({"tag": "x"}, ["jobs"]),
                         ({"tag": "x", "jobs": []}, ["jobs"]), ({"jobs": []}, ["jobs", "tag"]),
                         ({"tag": "x", "jobs": [{}] * 5001}, ["jobs"]), ({"tag": "First ONE", "jobs": [row()]}, ["tag"])):
        a = script.request("POST", "/api/v1/batches", json.dumps(body))
        same((a.status, sorted(a.json()["fields"])), (422, fields), a.text[:300])
    for body in ("[]", "7", "null", '{"tag": "x", "jobs": {}}', '{"tag": ["x"], "jobs": []}', '{"tag": "x", "jobs": [', "",
                 '{"a":' * 20 + "1" + "}" * 20):
        a = script.request("POST", "/api/v1/batches", body)
        same((body[:20], a.status), (body[:20], 400 if body else 422))
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    same(script.request("POST", "/api/v1/batches", "tag=x&jobs=1", form).status, 422)
    same(total(), before)


def test_hundreds_of_jobs_fit_and_what_is_over_two_mebibytes_is_refused():
    a = send([row() for _ in range(1500)])
    same((a.status, a.json()["queued"], len(a.json()["jobs"])), (201, 1500, 1500), a.text[:300])
    web.sql("DELETE FROM job")
    padded = json.dumps({"tag": "padded", "jobs": [row()]}) + " " * (2 * 1024 * 1024)
    a = script.request("POST", "/api/v1/batches", padded)
    same((a.status, a.headers["Content-Type"]), (413, "application/problem+json"))
    same(script.request("POST", "/api/v1/jobs", " " * 70000).status, 413)


def test_the_same_key_makes_one_batch_however_often_and_at_once():
    rows, answers = [row() for _ in range(20)], []
    key = {"Idempotency-Key": "order 4711"}

    def ask():
        answers.append(send(rows, tag="Once", headers=key))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    answers.append(send(rows, tag="Once", headers=key))
    # another of them may see the mailboxes on their way before it sees the batch that has the key
    same([a.status for a in answers].count(201), 1, [a.text[:200] for a in answers])
    same(answers[-1].status, 200)
    same({a.json()["batch"]["id"] for a in answers if a.status < 300}, {answers[-1].json()["batch"]["id"]})
    same(len(jobs_of(answers[-1])), 20)
    same(send([row()], tag="Another", headers=key).json()["batch"]["tag"], "Once")
    same(send([row()], tag="Another", headers={"Idempotency-Key": "order 4712"}).status, 201)
    # a key is an account's own
    theirs = send([row(source_server_id=FOREIGN)], bearer(web.sign_in("other")), tag="Once", headers=key)
    same(theirs.status, 201, theirs.text)


def test_the_limits_of_the_account_hold():
    before = total()
    for column in ("max_queued", "max_daily"):
        web.sql("UPDATE account SET %s = 1 WHERE id = %d" % (column, web.acme))
        try:
            a = send([row(), row()])
        finally:
            web.sql("UPDATE account SET %s = NULL WHERE id = %d" % (column, web.acme))
        same((column, a.status, a.json()["type"]), (column, 409, "urn:mailconvoy:limit"))
    web.sql("INSERT INTO account_host (account_id, host) VALUES (%d, '*.example.org')" % web.acme)
    try:
        a = send([row()])
    finally:
        web.sql("DELETE FROM account_host")
    same((a.status, problems(a)[0][1]), (422, "dest_server_id"))
    same(total(), before)


def test_mailboxes_on_their_way_are_refused():
    web.add_job(web.acme, "queued", src_user="'busy'", dst_user="'busy'", src_host="'imap.example.org'",
                dst_host="'mail.example.net'")
    a = send([row("Busy")])
    same((a.status, problems(a)[0][:2]), (422, (0, None)))
    has(problems(a)[0][2], "queued or running already")


def test_passwords_are_sealed_as_they_are_and_nothing_is_taken_off():
    a = send([row(source_password="  =1 ", name="'=1", dest_password="\u00e9")])
    same(jobs_of(a, "LENGTH(src_sealed), LENGTH(dst_sealed), name"), [[str(5 + 65), str(2 + 65), "'=1"]])
    everything = str(web.sql("SELECT * FROM import_row; SELECT * FROM job; SELECT * FROM audit; SELECT * FROM job_event"))
    lacks(everything + web.output(), CANARY)


def test_a_page_needs_its_token_and_a_suspended_account_starts_nothing():
    body = json.dumps({"tag": "x", "jobs": [row()]})
    h = {"Content-Type": "application/json", "Accept": "application/json"}
    same(member.request("POST", "/migration/batches", body, h).status, 403)
    same(member.request("POST", "/migration/batches", body, dict(h, **{"X-CSRF-Token": member.csrf})).status, 201)
    same(send([row()], bearer(jobs_read="1")).status, 403)


def test_a_csv_file_is_imported_by_a_script_as_body_or_as_form():
    header = "sourceServerId,sourceEmail,sourcePassword,destServerId,destEmail,destPassword\r\n"

    def line():
        r = row()
        return ",".join(str(r[k]) for k in ("source_server_id", "source_user", "source_password", "dest_server_id",
                                            "dest_user", "dest_password")) + "\r\n"

    text = header + line() + line()
    form = ("--m\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.csv\"\r\n\r\n%s\r\n--m--\r\n" % (header + line()))
    for body, kind, want in ((text, "text/csv; charset=utf-8", 2), (form, "multipart/form-data; boundary=m", 1)):
        a = script.request("POST", "/api/v1/import", body, {"Content-Type": kind})
        same((a.status, a.json()["good"], a.json()["bad"]), (201, want, 0), a.text[:300])
        lacks(a.text, CANARY)
        for again in (201, 200):
            done = script.request("POST", a.location + "/confirm", json.dumps({"tag": "csv %d" % want}))
            same(done.status, again, done.text)
        same(len(jobs_of(done)), want)


def test_a_large_csv_body_is_taken_and_what_is_over_its_limit_refused():
    kind = {"Content-Type": "text/csv"}
    a = script.request("POST", "/api/v1/import", "a\r\n" * 1000000, kind)
    same((a.status, a.headers["Content-Type"]), (422, "application/problem+json"))
    same(script.request("POST", "/api/v1/import", "x" * (20 * 1024 * 1024 + 1), kind).status, 413)
    same(script.request("POST", "/api/v1/import", "", kind).status, 422)
    same(script.request("POST", "/api/v1/jobs", "a,b", kind).status, 415)
    same(member.request("POST", "/migration/import", "a,b", kind).status, 403)


def test_many_are_run_again_by_one_request():
    web.sql("DELETE FROM job")
    jobs = [web.add_job(web.acme, "failed") for _ in range(3)] + [web.add_job(web.acme, "done")]
    web.add_job(web.other, "failed")
    body = {"action": "retry", "scope": "matching", "state": "failed", "confirm": True, "request_key": "%032x" % 1}
    for _ in range(2):
        a = script.request("POST", "/api/v1/jobs/bulk", json.dumps(body))
        same((a.status, a.json()["bulk"]["total"], a.json()["bulk"]["is_done"]), (200, 3, True), a.text[:300])
    same(sorted(r[0] for r in web.sql("SELECT parent_id FROM job WHERE state = 'queued'")), [str(j) for j in jobs[:3]])
    body = {"action": "run_real", "ids": "%d,%d" % (jobs[3], jobs[0]), "confirm": True}
    a = script.request("POST", "/api/v1/jobs/bulk", json.dumps(body), {"Idempotency-Key": "again"})
    same((a.status, [c["outcome"] for c in a.json()["touched"]], [c["outcome"] for c in a.json()["untouched"]]),
         (200, ["requeued"], ["mailboxes_busy"]), a.text[:600])


if __name__ == "__main__":
    tap.run(globals())
