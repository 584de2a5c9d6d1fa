"""Stored passwords: shown as what they are, removed when asked, asked for again by the next run."""
import os
import subprocess

import webstack
import tap
from tap import has, lacks, same

web = webstack.Stack(credential_days=14)
member = web.sign_in("member")


def stored(job):
    return web.sql("SELECT src_sealed IS NOT NULL, dst_sealed IS NOT NULL, passwords_removed_at IS NOT NULL FROM job "
                   "WHERE id = %d" % job)[0]


def removed_job(**columns):
    job = web.add_job(web.acme, "done", **columns)
    same(member.post("/migration/jobs/%d/remove-passwords" % job).status, 303)
    return job


def newest():
    return int(web.sql("SELECT MAX(id) FROM job")[0][0])


def test_the_page_of_a_job_says_how_long_its_passwords_stay():
    job = web.add_job(web.acme, "done")
    page = member.get("/migration/jobs/%d" % job)
    has(page.text, "Stored, sealed; removed 14 days after the end")
    has(page.text, 'href="/migration/jobs/%d/remove-passwords"' % job)
    lacks(member.get("/migration/jobs/%d" % web.add_job(web.acme, "queued")).text, "remove-passwords")


def test_the_button_asks_and_then_removes_both_at_once():
    job = web.add_job(web.acme, "failed")
    ask = member.get("/migration/jobs/%d/remove-passwords" % job)
    same(ask.status, 200)
    has(ask.text, "Other runs of these mailboxes keep theirs")
    same(stored(job), ["1", "1", "0"])
    page = member.get(member.post("/migration/jobs/%d/remove-passwords" % job).location)
    same(stored(job), ["0", "0", "1"])
    has(page.text, "The passwords are removed.")
    has(page.text, "needed again for another run")
    lacks(page.text, "Stored, sealed")
    lacks(page.text, "/migration/jobs/%d/remove-passwords" % job)
    same(web.sql("SELECT COUNT(*) FROM audit WHERE action = 'passwords_remove' AND object = 'job %d'" % job), [["1"]])
    same(member.post("/migration/jobs/%d/remove-passwords" % job).status, 303)
    same(web.sql("SELECT COUNT(*) FROM audit WHERE action = 'passwords_remove' AND object = 'job %d'" % job), [["1"]])


def test_a_job_that_waits_or_runs_keeps_them():
    for state in ("queued", "running"):
        job = web.add_job(web.acme, state)
        same(member.get("/migration/jobs/%d/remove-passwords" % job).status, 409)
        answer = member.post_json("/api/v1/jobs/%d/remove-passwords" % job)
        same((answer.status, answer.json()["type"]), (409, "urn:mailconvoy:job_not_ended"))
        same(stored(job), ["1", "1", "0"])
        web.end_job(job)


def test_a_suspended_account_may_remove_them():
    job = web.add_job(web.acme, "done")
    web.sql("UPDATE account SET suspended_at = UTC_TIMESTAMP(6) WHERE id = %d" % web.acme)
    same(member.post("/migration/jobs/%d/remove-passwords" % job).status, 303)
    web.sql("UPDATE account SET suspended_at = NULL WHERE id = %d" % web.acme)
    same(stored(job), ["0", "0", "1"])


def test_running_again_leads_to_a_form_for_both_passwords():
    job = removed_job(reason="'ok'", reason_action="'run_real'")
    page = member.get("/migration/jobs/%d" % job)
    lacks(page.text, '<form method="post" action="/migration/jobs/%d/rerun"' % job)
    has(page.text, 'href="/migration/jobs/%d/rerun"' % job)
    form = member.get("/migration/jobs/%d/rerun" % job)
    same(form.status, 200)
    for name in ("source_password", "dest_password"):
        has(form.text, 'name="%s"' % name)
    before = newest()
    answer = member.post("/migration/jobs/%d/rerun" % job, {"dry_run": "1", "source_password": "secret-one"})
    same((answer.status, newest()), (422, before))
    has(answer.text, "The stored password was removed: type it again.")
    lacks(answer.text, "secret-one")
    answer = member.post("/migration/jobs/%d/rerun" % job,
                         {"dry_run": "1", "source_password": "secret-one", "dest_password": "secret-two"})
    same(answer.status, 303)
    made = newest()
    same(web.sql("SELECT parent_id, dry_run, state FROM job WHERE id = %d" % made), [[str(job), "1", "queued"]])
    same(stored(made), ["1", "1", "0"])
    same(stored(job), ["0", "0", "1"])
    same(web.sql("SELECT COUNT(*) FROM job WHERE INSTR(src_sealed, 'secret') OR INSTR(dst_sealed, 'secret')"), [["0"]])


def test_a_script_is_told_which_are_missing():
    job = removed_job()
    answer = member.post_json("/api/v1/jobs/%d/rerun" % job, {"dry_run": "1", "dest_password": "secret-two"})
    same((answer.status, answer.json()["type"], list(answer.json()["fields"])),
         (422, "urn:mailconvoy:passwords_needed", ["source_password"]))
    answer = member.post_json("/api/v1/jobs/%d/rerun" % job)
    same((answer.status, sorted(answer.json()["fields"])), (422, ["dest_password", "dry_run", "source_password"]))
    told = member.json("/api/v1/jobs/%d" % job).json()["job"]
    same((told["has_passwords"], told["needs_passwords"]), (False, True))
    assert told["passwords_removed_at"]
    both = {"dry_run": "0", "source_password": "p", "dest_password": "q", "request_key": "cd" * 16}
    same([member.post_json("/api/v1/jobs/%d/rerun" % job, both).status for _ in range(2)], [201, 200])


def test_passwords_may_be_given_with_any_rerun_and_replace_the_stored_ones():
    job = web.add_job(web.acme, "failed")
    same(member.post_json("/api/v1/jobs/%d/rerun" % job, {"dry_run": "1", "source_password": "new"}).status, 201)
    same(web.sql("SELECT src_sealed = 'x', dst_sealed = 'x' FROM job WHERE id = %d" % newest()), [["0", "1"]])


def test_editing_gives_both_again_or_neither():
    job = removed_job()
    users = {"source_user": "ann", "dest_user": "bob"}
    has(member.get("/migration/jobs/%d/edit" % job).text, "Give both, or neither.")
    answer = member.post("/migration/jobs/%d/edit" % job, dict(users, source_password="p"))
    same(answer.status, 422)
    has(answer.text, "type both, or neither")
    same(member.post("/migration/jobs/%d/edit" % job, users).status, 303)
    same(stored(job), ["0", "0", "1"])
    same(member.post("/migration/jobs/%d/edit" % job, dict(users, source_password="p", dest_password="q")).status, 303)
    same(stored(job), ["1", "1", "0"])


def test_a_bulk_rerun_leaves_them_out_and_says_so():
    gone = removed_job(src_user="'gone'")
    kept = web.add_job(web.acme, "done", src_user="'kept'")
    form = {"action": "run_real", "ids": "%d,%d" % (gone, kept), "confirm": "1", "request_key": "12" * 16}
    answer = member.post_json("/api/v1/jobs/bulk", form).json()
    same({r["job_id"]: r["outcome"] for r in answer["rows"]}, {gone: "needs_passwords", kept: "requeued"})
    page = member.get("/migration/bulk/%d" % answer["bulk"]["id"])
    has(page.text, "needs its passwords again, which were removed: run it from its own page")


def test_a_bulk_action_removes_them():
    job, waits = web.add_job(web.acme, "done"), web.add_job(web.acme, "queued")
    has(member.get("/migration/jobs").text, 'value="remove_passwords"')
    asked = member.post("/migration/jobs/bulk", {"action": "remove_passwords", "ids[]": job})
    page = member.get(asked.location)
    has(page.text, "1 will have its stored passwords removed")
    same(member.post(asked.location).status, 303)
    form = {"action": "remove_passwords", "ids": "%d,%d" % (job, waits), "confirm": "1", "request_key": "34" * 16}
    answer = member.post_json("/api/v1/jobs/bulk", form).json()
    same({r["job_id"]: r["outcome"] for r in answer["rows"]}, {job: "no_passwords", waits: "not_ended"})
    same((stored(job), stored(waits)), (["0", "0", "1"], ["1", "1", "0"]))
    web.end_job(waits)


def test_a_log_that_was_removed_says_when_and_downloads_as_nothing():
    job = web.add_job(web.acme, "done", log=b"a line\n")
    web.sql("UPDATE job SET log_removed_at = UTC_TIMESTAMP(6) WHERE id = %d" % job)
    page = member.get("/migration/jobs/%d" % job)
    has(page.text, "The log was removed")
    lacks(page.text, "a line")
    same(member.get("/migration/jobs/%d/log" % job).status, 404)
    same(member.json("/migration/jobs/%d/tail?offset=0" % job).json(), {"status": "done", "chunk": "", "newOffset": 0})


def control(*words):
    return subprocess.run([os.path.join(webstack.BUILD, "ctl", "mailconvoyctl"), "-c", web.conf, "passwords", *words],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)


def test_the_command_line_removes_those_of_some_jobs_or_of_all_that_are_old():
    web.sql("DELETE FROM job")
    first, old, waits = web.add_job(web.acme, "done"), web.add_job(web.other, "failed"), web.add_job(web.acme, "queued")
    same(control("remove", str(first)).stdout, "Removed the passwords of job %d.\n" % first)
    same(control("remove", str(first)).stdout, "Job %d has no passwords any more.\n" % first)
    done = control("remove", str(waits))
    same(done.returncode, 73)
    has(done.stdout, "needs its passwords")
    same(control("remove", "999999").returncode, 65)
    same([control(*words).returncode for words in ((), ("remove",), ("remove", "x"), ("remove", "--ended-before"))], [64] * 4)
    same(control("remove", "--ended-before", "1").stdout, "Removed the passwords of 0 jobs.\n")
    same(control("remove", "--ended-before", "0").stdout, "Removed the passwords of 1 job.\n")
    same([stored(j)[0] for j in (first, old, waits)], ["0", "0", "1"])
    same(web.sql("SELECT COUNT(*) FROM audit WHERE action = 'passwords_remove' AND address = 'mailconvoyctl'"), [["3"]])


if __name__ == "__main__":
    tap.run(globals())
