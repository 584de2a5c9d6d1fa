"""Changing the four credentials of a job: the form, what is kept, what is refused, who may."""
import threading

import webstack
import tap
from tap import has, lacks, same

web = webstack.Stack()
member = web.sign_in("member")
admin = web.sign_in("admin")
CANARY = "canary-Passw0rd"
COLUMNS = "src_user, src_sealed, dst_user, dst_sealed, state"


def row(job, columns=COLUMNS):
    return web.sql("SELECT %s FROM job WHERE id = %d" % (columns, job))[0]


def url(job):
    return "/migration/jobs/%d/edit" % job


def form(**changed):
    """What a browser sends of a form whose passwords were left empty."""
    return dict({"source_user": "ann", "source_password": "", "dest_user": "ann2", "dest_password": ""}, **changed)


def test_the_form_has_the_users_and_no_password():
    job = web.add_job(web.acme, "failed", "Sealed", src_sealed="'SEALED-1'", dst_sealed="'SEALED-2'")
    page = member.get(url(job))
    same(page.status, 200)
    has(page.text, 'name="source_user" type="text"')
    has(page.text, 'value="ann"')
    has(page.text, 'value="%s"' % row(job, "dst_user")[0])
    same(page.text.count('type="password"'), 2)
    same(page.text.count('placeholder="unchanged"'), 2)
    lacks(page.text, "SEALED")
    o = member.json(url(job)).json()
    same((o["form"]["source_user"]["value"], o["form"]["source_password"]["value"]), ("ann", ""))
    lacks(str(o), "SEALED")


def test_a_user_name_is_text_in_the_form():
    job = web.add_job(web.acme, "failed", src_user="'\"><b>ann'")
    page = member.get(url(job)).text
    has(page, 'value="&quot;&gt;&lt;b&gt;ann"')
    lacks(page, "<b>ann")


def test_a_blank_password_is_unchanged_and_another_is_sealed_at_once():
    job = web.add_job(web.acme, "failed")
    a = member.post(url(job), form(source_user="bob", dest_password=CANARY))
    same((a.status, a.location), (303, "/migration/jobs/%d?notice=job_changed" % job))
    same(row(job, "src_user, src_sealed, dst_user, LENGTH(dst_sealed)"), ["bob", "x", "ann2", str(len(CANARY) + 65)])
    lacks(bytes.fromhex(row(job, "HEX(dst_sealed)")[0]).decode("latin-1"), CANARY)
    has(member.get(a.location).text, "Run it again to use the new values")


def test_blanks_around_a_password_are_part_of_it():
    job = web.add_job(web.acme, "failed")
    same(member.post(url(job), form(source_password="  ", dest_user=" bob ")).status, 303)
    same(row(job, "LENGTH(src_sealed), dst_user"), ["67", "bob"])


def test_a_rerun_takes_what_was_changed():
    job = web.add_job(web.acme, "failed")
    member.post(url(job), form(source_user="bob", source_password=CANARY))
    again = member.post_json("/migration/jobs/%d/rerun" % job, {"dry_run": "1"}).json()["job"]["id"]
    same(row(again, "src_user, HEX(src_sealed), dst_user, dst_sealed"), row(job, "src_user, HEX(src_sealed), dst_user, dst_sealed"))


def test_a_queued_job_starts_with_the_new_values():
    job = web.add_job(web.acme, "queued")
    a = member.post(url(job), form(source_user="carol"))
    same((a.status, a.location), (303, "/migration/jobs/%d?notice=job_changed_queued" % job))
    same(row(job)[0], "carol")
    has(member.get(a.location).text, "It starts with the new values")


def test_a_queued_job_is_not_changed_to_mailboxes_on_their_way():
    for state in ("queued", "running"):
        busy = web.add_job(web.acme, state, src_user="'dan'", dst_user="'%s'" % state)
        job = web.add_job(web.acme, "queued")
        before = row(job)
        a = member.post(url(job), form(source_user="Dan", dest_user=state.upper()))
        same(a.status, 409, state)
        has(a.text, "Job %d copies between the same mailboxes" % busy)
        has(a.text, "/migration/jobs/%d\"" % busy)
        same(row(job), before)
        same(member.post_json(url(job), form(source_user="dan", dest_user=state)).json()["type"], "urn:mailconvoy:mailboxes_busy")
        web.end_job(busy)
        same(member.post(url(job), form(source_user="dan", dest_user=state)).status, 303)
    # a mailbox of the same name in another account is theirs, and not told of
    web.add_job(web.other, "queued", src_user="'erin'", dst_user="'erin'")
    same(member.post(url(web.add_job(web.acme, "queued")), form(source_user="erin", dest_user="erin")).status, 303)


def test_of_two_people_who_ask_at_the_same_moment_one_is_refused():
    second = web.sign_in("member")
    for n in range(10):
        job = web.add_job(web.acme, "done")
        jobs = [web.add_job(web.acme, "queued") for _ in range(2)]
        for what in ([("/migration/jobs/%d/rerun" % job, {"dry_run": "0"})] * 2,
                     [(url(j), form(source_user="both", dest_user="both%d" % n)) for j in jobs]):
            answers = [None, None]

            def ask(i):
                answers[i] = (member, second)[i].post(*what[i]).status

            threads = [threading.Thread(target=ask, args=(i,)) for i in range(2)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            same(sorted(answers), [303, 409], what[0][0])


def test_a_job_that_has_ended_however_is_changed():
    for state in ("done", "failed", "cancelled", "interrupted"):
        job = web.add_job(web.acme, state)
        same(member.post(url(job), form(source_user="bob")).status, 303, state)
        same(row(job, "src_user, state"), ["bob", state])


def test_a_running_job_is_refused_with_the_reason():
    job = web.add_job(web.acme, "running")
    before = row(job)
    for a in (member.get(url(job)), member.post(url(job), form(source_user="bob"))):
        same(a.status, 409)
        has(a.text, "What a running job uses cannot be changed under it.")
        has(a.text, "/migration/jobs/%d\"" % job)
    same(member.post_json(url(job), form(source_user="bob")).json()["type"], "urn:mailconvoy:job_running")
    same(row(job), before)


def test_what_no_server_could_be_told_is_refused_field_by_field():
    job = web.add_job(web.acme, "failed")
    before = row(job)
    for field, value in (("source_user", ""), ("source_user", "  "), ("dest_user", "a\r\nb LOGOUT"), ("dest_user", "\x1b[1m"),
                         ("source_user", "x" * 256), ("source_password", "a\rb"), ("dest_password", "a\nb"),
                         ("dest_password", "x" * 1025)):
        sent = form(**dict({"source_password": CANARY, "dest_password": CANARY}, **{field: value}))
        a = member.post_json(url(job), sent)
        same((a.status, list(a.json()["fields"])), (422, [field]), repr(value))
        page = member.post(url(job), sent)
        same(page.status, 422)
        has(page.text, 'aria-describedby="%s-error"' % field)
        lacks(a.text + page.text, CANARY)
    for name in ("source_user", "dest_password"):
        a = member.request("POST", url(job), "%s=a%%00b&csrf=%s" % (name, member.csrf),
                           {"Content-Type": "application/x-www-form-urlencoded"})
        same(a.status, 400, name)
    same(row(job), before)


def test_what_was_typed_is_kept_in_a_refused_form():
    job = web.add_job(web.acme, "failed")
    page = member.post(url(job), form(source_user="typed by hand", dest_user="")).text
    has(page, 'value="typed by hand"')


def test_a_job_of_another_account_is_not_there():
    job = web.add_job(web.other, "failed")
    before = row(job)
    none = member.get(url(999999))
    for a in (member.get(url(job)), member.post(url(job), form(source_user="bob", source_password=CANARY))):
        same(a.status, 404)
        same(a.text.replace(a.headers["X-Request-Id"], "ID"), none.text.replace(none.headers["X-Request-Id"], "ID"))
    same(row(job), before)


def test_an_administrator_changes_the_job_of_any_account():
    job = web.add_job(web.other, "failed")
    same(admin.post(url(job), form(source_user="bob", source_password=CANARY)).status, 303)
    same(row(job, "src_user, LENGTH(src_sealed), account_id"), ["bob", str(len(CANARY) + 65), str(web.other)])


def test_only_the_sites_own_form_changes_a_job():
    job = web.add_job(web.acme, "failed")
    before = row(job)
    same(member.request("POST", url(job), form=form(source_user="bob")).status, 403, "no token")
    same(member.request("POST", url(job), form=form(source_user="bob", csrf=admin.csrf)).status, 403, "another's token")
    evil = {"Origin": "https://evil.example"}
    same(member.post(url(job), form(source_user="bob"), evil).status, 403, "from elsewhere")
    same(member.get(url(job) + "?source_user=bob").status, 200)
    same(row(job), before)


def test_a_change_is_told_without_what_was_typed():
    job = web.add_job(web.acme, "failed")
    member.post(url(job), form(source_password=CANARY, dest_password=CANARY))
    same(web.sql("SELECT e.kind, u.email FROM job_event e JOIN user u ON u.id = e.user_id WHERE e.job_id = %d" % job),
         [["edited", "member@example.org"]])
    lacks(str(web.sql("SELECT * FROM job_event; SELECT * FROM audit")) + web.output(), CANARY)


def test_a_script_changes_a_job_and_gets_it_back():
    job = web.add_job(web.acme, "failed")
    a = member.post_json("/api/v1/jobs/%d/edit" % job, form(source_user="bob", source_password=CANARY))
    same((a.status, a.json()["job"]["id"], a.json()["job"]["source"]["user"]), (200, job, "bob"))
    lacks(a.text, CANARY)


if __name__ == "__main__":
    tap.run(globals())
