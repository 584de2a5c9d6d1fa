"""Options of a job, from the form or a script to the row and back: a closed list, stored as data."""
import json
import re

import webstack
import tap
from tap import has, lacks, same

web = webstack.Stack()
member = web.sign_in("member")
other = web.sign_in("other")
SOURCE = web.add_server(web.acme, "Old", "old.example.org")
DEST = web.add_server(web.acme, "New", "new.example.org")
BOXES = iter(range(1, 100000))
DOC = web.anyone().get("/api/v1/openapi.json").json()
PROPERTIES = DOC["paths"]["/jobs"]["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]
# One good value for each option: what a form sends, and what is stored of it.
GOOD = {
    "folder": ("Work\r\nEntw\u00fcrfe", ["Work", "Entw\u00fcrfe"]),
    "folderrec": ("Archive", ["Archive"]),
    "exclude": ("[Gmail]/All Mail", ["[Gmail]/All Mail"]),
    "f1f2": ("Old = New\r\nA=B", ["Old=New", "A=B"]),
    "subfolder1": ("Work/2024", "Work/2024"),
    "subfolder2": ("Old mail", "Old mail"),
    "noautomap": ("1", True),
    "nosubscribe": ("1", True),
    "maxsize": ("25 MB", 25000000),
    "minsize": ("1 KiB", 1024),
    "maxage": ("365", 365),
    "minage": ("30", 30),
    "since": ("2020-01-31", "2020-01-31"),
    "before": ("2024-02-29", "2024-02-29"),
    "only": ("unseen", "unseen"),
    "nosyncflags": ("1", True),
    "useheader": ("Message-Id", ["Message-Id"]),
    "maxbytespersecond": ("2 MB", 2000000),
    "maxmessagespersecond": ("10", 10),
    "timeout": ("300", 300),
    "connections": ("4", 4),
    "authmech1": ("PLAIN", "PLAIN"),
    "authmech2": ("SCRAM-SHA-256", "SCRAM-SHA-256"),
    "authuser1": ("root", "root"),
    "authuser2": ("admin@example.org", "admin@example.org"),
}
BAD = {
    "folder": ["a\x01", "x" * 501], "folderrec": ["\x7f"], "exclude": ["\u0085"], "f1f2": ["Old", "a=b=c", "=b"],
    "subfolder1": ["a\nb", "a\x1bb"], "subfolder2": ["x" * 501], "maxsize": ["0", "-1", "big", "25 MB; id"],
    "minsize": ["1.5 MB"], "maxage": ["0", "36501", "1 OR 1=1"], "minage": ["-1"], "since": ["2023-02-30", "1-Jan-2020"],
    "before": ["2020-01-01 OR ALL"], "only": ["deleted", "UNSEEN"], "useheader": ["ALL", "a b", "X)"],
    "maxbytespersecond": ["999"], "maxmessagespersecond": ["0"], "timeout": ["1"], "connections": ["9"],
    "noautomap": ["false", "no"], "nosubscribe": ["off"], "nosyncflags": ["true"],
    "authmech1": ["CRAM-MD5"], "authmech2": ["plain"], "authuser1": ["a\x01"], "authuser2": ["x" * 256],
}


def form(**options):
    """What a browser sends of the page's form."""
    sent = {"source_server_id": SOURCE, "source_user": "ann", "source_password": "secret-1", "dest_server_id": DEST,
            "dest_user": "box%d" % next(BOXES), "dest_password": "secret-2", "dry_run_present": "1", "options": "1"}
    sent.update({"options." + name: value for name, value in options.items()})
    return sent


def script(**options):
    body = {k: v for k, v in form().items() if not k.startswith("options")}
    body["options"] = options
    return body


def send(path, body, who=member):
    return who.request("POST", path, json.dumps(body), {"Content-Type": "application/json", "X-CSRF-Token": who.csrf})


def stored(job):
    text = web.sql("SELECT COALESCE(HEX(options), '') FROM job WHERE id = %d" % job)[0][0]
    return json.loads(bytes.fromhex(text)) if text else None


def job_of(answer):
    return int(re.search(r"/jobs/(\d+)", answer.location).group(1))


def test_the_tests_name_every_option_there_is():
    same(set(GOOD), set(PROPERTIES["options"]["properties"]))
    same(PROPERTIES["options"]["additionalProperties"], False)


def test_the_form_offers_each_option_with_a_label_without_javascript():
    page = member.get("/migration/jobs/new").text
    has(page, '<details class="options">')
    for name in GOOD:
        m = re.search(r'<(input|textarea|select) id="([^"]+)" name="options\.%s"' % name, page)
        assert m, name
        has(page, '<label for="%s">' % m.group(2))
    has(page, 'name="options" value="1"')


def test_each_option_goes_from_the_form_to_the_row_and_to_the_page():
    for name, (text, value) in GOOD.items():
        a = member.post("/migration/jobs", form(**{name: text}))
        same((name, a.status), (name, 303), a.text[-2000:])
        job = job_of(a)
        same(stored(job), {name: value})
        view = member.json("/migration/jobs/%d" % job).json()["job"]
        same((view["options"], view["has_options"], [o["name"] for o in view["option_list"]]),
             ({name: value}, True, [name]))
        has(member.get("/migration/jobs/%d" % job).text, "<dt>Options</dt>")


def test_all_of_them_go_together_and_come_back_into_the_edit_form():
    a = member.post("/migration/jobs", form(**{name: text for name, (text, _) in GOOD.items()}))
    same(a.status, 303, a.text[-2000:])
    job = job_of(a)
    same(stored(job), {name: value for name, (_, value) in GOOD.items()})
    page = member.get("/migration/jobs/%d/edit" % job).text
    has(page, '<details class="options" open>')
    has(page, ">\nWork\nEntw\u00fcrfe</textarea>")
    has(page, 'value="25 MB"')
    has(page, '<option value="unseen" selected>')
    same(page.count('type="checkbox" value="1" checked'), 3)


def test_a_script_gives_and_gets_the_same_object():
    options = {name: value for name, (_, value) in GOOD.items()}
    a = send("/api/v1/jobs", script(**options))
    same(a.status, 201, a.text)
    same(member.json("/api/v1/jobs/%d" % job_of(a)).json()["job"]["options"], options)
    a = send("/api/v1/jobs", script(noautomap=False, folder=[], maxsize=None))
    same((a.status, stored(job_of(a))), (201, None))
    a = send("/api/v1/jobs", {k: v for k, v in script().items() if k != "options"})
    same((a.status, stored(job_of(a))), (201, None))


def test_a_bad_value_is_refused_beside_its_field_and_the_rest_comes_back():
    for name, values in BAD.items():
        for value in values:
            sent = form(**{name: value})
            if name != "subfolder2":
                sent["options.subfolder2"] = "Kept & <b>"
            a = member.post("/migration/jobs", sent)
            same((name, value, a.status), (name, value, 422))
            has(a.text, 'id="options-%s-error"' % name)
            has(a.text, '<details class="options" open>')
            lacks(a.text, "secret-1")
            if name != "subfolder2":
                has(a.text, 'value="Kept &amp; &lt;b&gt;"')
            a = member.post_json("/migration/jobs", sent)
            same((name, a.status, list(a.json()["fields"])), (name, 422, ["options." + name]))
    a = member.post_json("/migration/jobs", form(maxage="10", minage="20"))
    same((a.status, list(a.json()["fields"])), (422, ["options.minage"]))
    a = member.post_json("/migration/jobs", form(authmech1="XOAUTH2", authuser1="root"))
    same((a.status, list(a.json()["fields"])), (422, ["options.authuser1"]))


def test_what_is_not_in_the_list_is_refused_and_not_passed_over():
    count = web.sql("SELECT COUNT(*) FROM job")
    for name in ("regexmess", "pipemess", "delete2", "search", "", "folder2", "FOLDER", "include", "regextrans2"):
        a = member.post("/migration/jobs", form(**{name: "x"}))
        same((name, a.status), (name, 422))
        has(a.text, "There is no option")
        a = send("/api/v1/jobs", script(**{name: "x"}))
        same((name, a.status, "There is no option" in a.text), (name, 422, True))
    for value in ("folder=A", -1, True if False else "2"):
        same(send("/api/v1/jobs", dict(script(), options=value)).status, 422)
    for value in ([1], {"folder": {"a": 1}}, {"folder": [1]}, {"folder": ["a\nb"]}, {"folder": ["a\0b"]}):
        same((value, send("/api/v1/jobs", dict(script(), options=value)).status), (value, 400))
    same(web.sql("SELECT COUNT(*) FROM job"), count)


def test_a_queued_job_is_edited_and_who_says_nothing_changes_nothing():
    job = job_of(member.post("/migration/jobs", form(folder="Work", maxsize="1 MB")))
    url = "/migration/jobs/%d/edit" % job
    users = {"source_user": "ann", "dest_user": "ann-of-%d" % job}
    same(member.post(url, users).status, 303)
    same(stored(job), {"folder": ["Work"], "maxsize": 1000000})
    same(member.post(url, dict(users, options="1", **{"options.folder": "Sent"})).status, 303)
    same(stored(job), {"folder": ["Sent"]})
    a = member.post(url, dict(users, options="1", **{"options.maxage": "x"}))
    same(a.status, 422)
    has(a.text, 'id="options-maxage-error"')
    same(stored(job), {"folder": ["Sent"]})
    same(send("/api/v1/jobs/%d/edit" % job, dict(users, options={"maxage": 3})).json()["job"]["options"], {"maxage": 3})
    same(send("/api/v1/jobs/%d/edit" % job, dict(users, options={})).json()["job"]["options"], {})
    same(stored(job), None)
    same(other.post(url, dict(users, options="1", **{"options.folder": "X"})).status, 404)
    running = web.add_job(web.acme, "running")
    same(member.post("/migration/jobs/%d/edit" % running, dict(users, options="1", **{"options.folder": "X"})).status, 409)


def test_a_rerun_keeps_them_or_takes_others():
    def ended():
        return web.add_job(web.acme, "failed", options="'{\"folder\":[\"Work\"]}'")

    a = member.post("/migration/jobs/%d/rerun" % ended(), {"dry_run": "1"})
    same((a.status, stored(job_of(a))), (303, {"folder": ["Work"]}))
    job = ended()
    page = member.get("/migration/jobs/%d/rerun" % job).text
    has(page, ">\nWork</textarea>")
    has(member.get("/migration/jobs/%d" % job).text, "Run with other options")
    a = member.post("/migration/jobs/%d/rerun" % job, {"dry_run": "1", "options": "1", "options.only": "seen"})
    same((a.status, stored(job_of(a)), stored(job)), (303, {"only": "seen"}, {"folder": ["Work"]}))
    a = member.post("/migration/jobs/%d/rerun" % ended(), {"dry_run": "1", "options": "1"})
    same((a.status, stored(job_of(a))), (303, None))
    a = member.post("/migration/jobs/%d/rerun" % ended(), {"dry_run": "1", "options": "1", "options.only": "nothing"})
    same(a.status, 422)
    has(a.text, 'id="options-only-error"')
    a = member.post_json("/migration/jobs/%d/rerun" % ended(), {"dry_run": "1", "options.only": "nothing"})
    same((a.status, list(a.json()["fields"])), (422, ["options.only"]))


def test_a_bulk_rerun_keeps_them():
    job = web.add_job(web.acme, "failed", options="'{\"maxsize\":5}'")
    a = member.post("/migration/jobs/bulk", {"action": "dry_run", "ids[]": str(job)})
    same(a.status, 303, a.text[-500:])
    same(member.post(a.location.split("?")[0]).status, 303)
    new = web.sql("SELECT id FROM job WHERE parent_id = %d" % job)
    same([stored(int(row[0])) for row in new], [{"maxsize": 5}])


def test_the_test_of_one_side_sends_them_back():
    sent = form(folder="Work\r\nSent", only="seen", nosubscribe="1")
    sent.update(test="source", source_password="")
    a = member.post("/migration/servers/test", sent)
    same(a.status, 422)
    has(a.text, ">\nWork\nSent</textarea>")
    has(a.text, '<option value="seen" selected>')
    same(re.search(r'name="options.nosubscribe" type="checkbox" value="1"( checked)?', a.text).group(1), " checked")


TOKEN = "eyJ0eXAi." + "t" * 4000


def test_an_access_token_may_be_longer_than_any_password():
    sides = {"authmech1": "XOAUTH2", "authmech2": "OAUTHBEARER"}
    long = {"source_password": TOKEN, "dest_password": TOKEN}
    job = job_of(member.post("/migration/jobs", dict(form(**sides), **long)))
    same(web.sql("SELECT LENGTH(src_sealed) > 4009, LENGTH(dst_sealed) > 4009 FROM job WHERE id = %d" % job), [["1", "1"]])
    same(member.post_json("/migration/jobs/%d/edit" % job, dict(long, source_user="a", dest_user="b")).status, 200)
    web.end_job(job, "failed")
    same(member.post_json("/migration/jobs/%d/rerun" % job, dict(long, dry_run="1")).status, 201)
    for body in (form(), form(authmech1="PLAIN", authmech2="OAUTHBEARER")):
        a = member.post_json("/migration/jobs", dict(body, **long))
        same(a.status, 422)
        has(a.json()["fields"]["source_password"], "access token")
    one = member.post("/migration/jobs", dict(form(authmech2="XOAUTH2"), dest_password=TOKEN))
    same(one.status, 303)
    for path, more in (("edit", {"source_user": "a", "dest_user": "b"}), ("rerun", {"dry_run": "1"})):
        job = job_of(member.post("/migration/jobs", form()))
        if path == "rerun":
            web.end_job(job, "failed")
        a = member.post_json("/migration/jobs/%d/%s" % (job, path), dict(long, **more))
        same((path, a.status, sorted(a.json()["fields"])), (path, 422, sorted(long)))
    same(member.post_json("/migration/jobs", dict(form(**sides), source_password="x" * 4097)).status, 422)


def test_names_are_text_on_every_page():
    evil = "</textarea><script>alert(1)</script>\"'"
    job = job_of(member.post("/migration/jobs", form(folder=evil, subfolder2=evil)))
    for path in ("/migration/jobs/%d", "/migration/jobs/%d/edit"):
        lacks(member.get(path % job).text, "<script>alert")
    web.end_job(job, "failed")
    lacks(member.get("/migration/jobs/%d/rerun" % job).text, "<script>alert")


def test_the_limits_described_are_those_enforced():
    for name, p in PROPERTIES["options"]["properties"].items():
        bad = {"integer": p.get("maximum", 0) + 1, "array": ["\x01"], "string": "\x01"}.get(p["type"])
        if bad is not None:
            a = send("/api/v1/jobs", script(**{name: bad}))
            same((name, a.status, list(a.json()["fields"])), (name, 422, ["options." + name]))
        if "maximum" in p:
            for value in (p["minimum"], p["maximum"]):
                same((name, send("/api/v1/jobs", script(**{name: value})).status), (name, 201))


if __name__ == "__main__":
    tap.run(globals())
