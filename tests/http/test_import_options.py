"""Options of an import: chosen once, with its rows, and the options of every job that is made of them."""
import json
import re

import tap
import webstack
from tap import has, lacks, same

web = webstack.Stack()
member = web.sign_in("member")
other = web.sign_in("other")
admin = web.sign_in("admin")
OLD = web.add_server(web.acme, "Old", "old.example.org")
NEW = web.add_server(None, "New", "new.example.org")
HEADER = "sourceServerId,sourceEmail,sourcePassword,destServerId,destEmail,destPassword"
CANARY = "canary-Passw0rd"
SCHEMAS = {path: item["post"]["requestBody"]["content"] for path, item in web.anyone().get(
    "/api/v1/openapi.json").json()["paths"].items() if "requestBody" in item.get("post", {})}
ONE_JOB = SCHEMAS["/jobs"]["application/json"]["schema"]["properties"]["options"]
# What a form sends, what is stored of it, and how it is said.
CHOSEN = {"exclude": ("Trash\r\nEntw\u00fcrfe/<b>", ["Trash", "Entw\u00fcrfe/<b>"]), "maxsize": ("25 MB", 25000000),
          "only": ("unseen", "unseen"), "nosubscribe": ("1", True), "since": ("2020-01-31", "2020-01-31")}
FIELDS = {name: text for name, (text, _) in CHOSEN.items()}
STORED = {name: value for name, (_, value) in CHOSEN.items()}
WORDS = ["without the folders Trash, Entw\u00fcrfe/<b>", "no folder is subscribed", "messages up to 25 MB",
         "messages dated 2020-01-31 or later", "only messages that are unread"]
count = [0]


def rows(n, password=CANARY):
    count[0] += 1
    return "\n".join([HEADER] + ["%d,box%d-%d,%s,New,to%d-%d,%s" % (OLD, count[0], i, password, count[0], i, CANARY)
                                 for i in range(n)])


def row(**changed):
    count[0] += 1
    return dict({"source_server_id": OLD, "source_user": "row%d" % count[0], "source_password": CANARY, "dest_server_id": NEW,
                 "dest_user": "row%d" % count[0], "dest_password": CANARY}, **changed)


def upload(text, options=None, who=member, as_json=False, path="/migration/import"):
    """options: the fields of the page's form, or the text of one field."""
    values = {"csrf": who.csrf, "options": "1"} if not isinstance(options, str) else {"csrf": who.csrf, "options": options}
    if not isinstance(options, str):
        values.update({"options." + name: value for name, value in (options or {}).items()})
    body = "".join('--XbXb\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % item for item in values.items())
    body += ('--XbXb\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\n'
             '%s\r\n--XbXb--\r\n' % text)
    headers = {"Content-Type": "multipart/form-data; boundary=XbXb"}
    if as_json:
        headers["Accept"] = "application/json"
    answer = who.request("POST", path, body.encode(), headers)
    lacks(answer.text, CANARY)
    return answer


def preview(text, options=None, **more):
    answer = upload(text, options, as_json=True, **more)
    same(answer.status, 201, answer.text)
    return answer.json()


def confirm(model, who=member, **fields):
    fields = dict({"tag": "import %d" % model["id"], "dry_run_present": "1", "dry_run": "1"}, **fields)
    return who.post("/migration/import/%d/confirm" % model["id"], fields)


def send(jobs, who=member, **fields):
    count[0] += 1
    return who.request("POST", "/migration/batches", json.dumps(dict({"tag": "list %d" % count[0], "jobs": jobs}, **fields)),
                       {"Content-Type": "application/json", "X-CSRF-Token": who.csrf, "Accept": "application/json"})


def options_of(batch):
    """Of its jobs, as stored."""
    return [json.loads(bytes.fromhex(text)) if text else None for text, in
            web.sql("SELECT COALESCE(HEX(options), '') FROM job WHERE batch_id = %d ORDER BY id" % batch)]


def batch_of(answer):
    return int(re.search(r"/batches/(\d+)", answer.location).group(1))


def kept():
    return web.sql("SELECT (SELECT COUNT(*) FROM import), (SELECT COUNT(*) FROM batch), (SELECT COUNT(*) FROM job)")


def listed(model):
    return [one["text"] for one in model["option_list"]]


def test_the_form_offers_what_the_form_of_one_job_offers():
    page = member.get("/migration/import").text
    has(page, '<details class="options">')
    for name in ONE_JOB["properties"]:
        found = re.search(r'<(input|textarea|select) id="([^"]+)" name="options\.%s"' % name, page)
        assert found, name
        has(page, '<label for="%s">' % found.group(2))
    has(page, 'name="options" value="1"')


def test_options_chosen_with_the_file_are_said_before_and_become_those_of_every_job():
    answer = upload(rows(3), FIELDS)
    same(answer.status, 303)
    page = member.get(answer.location).text
    for words in WORDS:
        has(page, "<li>%s</li>" % words.replace("<", "&lt;").replace(">", "&gt;"))
    lacks(page, "<b>")
    answer = member.post(answer.location + "/confirm", {"tag": "chosen", "dry_run_present": "1"})
    same((answer.status, options_of(batch_of(answer))), (303, [STORED] * 3))
    for path in ("", "/report"):
        page = member.get("/migration/batches/%d%s" % (batch_of(answer), path)).text
        has(page, "Options of the import")
        has(page, "<li>messages up to 25 MB</li>")
        lacks(page, "<b>")
    batch = member.json("/migration/batches/%d" % batch_of(answer)).json()["batch"]
    same((batch["options"], listed(batch), batch["has_options"]), (STORED, WORDS, True))


def test_an_import_without_options_has_none():
    for options in (None, {name: "" for name in ONE_JOB["properties"]}, "{}"):
        model = preview(rows(1), options)
        same((model["options"], model["has_options"], model["new_url"]), ({}, False, "/migration/import"))
        batch = batch_of(confirm(model))
        same((options_of(batch), member.json("/migration/batches/%d" % batch).json()["batch"]["options"]), ([None], {}))
        lacks(member.get("/migration/batches/%d" % batch).text, "Options of the import")


def test_a_script_gives_them_as_one_object_with_a_file_or_beside_a_list():
    model = preview(rows(2), json.dumps(STORED), path="/api/v1/import")
    same((model["options"], listed(model)), (STORED, WORDS))
    same(options_of(batch_of(confirm(model))), [STORED] * 2)
    answer = member.request("POST", "/api/v1/import", json.dumps({"text": rows(1), "options": STORED}),
                            {"Content-Type": "application/json", "X-CSRF-Token": member.csrf})
    same((answer.status, answer.json()["options"]), (201, STORED))
    answer = send([row(), row()], options=STORED)
    same((answer.status, options_of(answer.json()["batch"]["id"])), (201, [STORED] * 2))
    same(options_of(send([row()], options={}).json()["batch"]["id"]), [None])


def test_the_interface_describes_them_as_those_of_one_job():
    same(SCHEMAS["/batches"]["application/json"]["schema"]["properties"]["options"], ONE_JOB)
    same(SCHEMAS["/import"]["multipart/form-data"]["schema"]["properties"]["options"], ONE_JOB)
    lacks(json.dumps(SCHEMAS["/batches"]["application/json"]["schema"]["properties"]["jobs"]), "exclude")


def test_a_bad_one_is_refused_beside_its_field_and_nothing_is_kept():
    before = kept()
    answer = upload(rows(1), {"maxsize": "big", "f1f2": "Old", "exclude": "Trash"})
    same(answer.status, 422)
    has(answer.text, 'id="options-maxsize-error"')
    has(answer.text, 'id="options-f1f2-error"')
    has(answer.text, "choose the file or paste its text again")
    has(answer.text, ">\nTrash</textarea>")
    for answer in (upload(rows(1), {"maxsize": "big", "f1f2": "Old"}, as_json=True),
                   send([row()], options={"maxsize": "big", "f1f2": ["Old"]})):
        same((answer.status, answer.json()["type"], sorted(answer.json()["fields"])),
             (422, "urn:mailconvoy:form", ["options.f1f2", "options.maxsize"]))
    # a pair of options that do not go together, as with one job
    same(sorted(send([row()], options={"maxsize": 10, "minsize": 20}).json()["fields"])[0][:8], "options.")
    same(kept(), before)


def test_what_is_not_in_the_list_is_refused_and_deleting_is_not_in_it():
    before = kept()
    for name in ("delete2", "max_delete", "maxdelete", "delete1", "regexmess", "Exclude"):
        for answer in (upload(rows(1), {name: "1"}, as_json=True), send([row()], options={name: True}),
                       upload(rows(1), json.dumps({name: True}), as_json=True)):
            same(answer.status, 422, name)
            has(answer.json()["detail"], "There is no option \u201c%s\u201d" % name)
        same(name in ONE_JOB["properties"], False)
    for wrong in ("yes", "[]", '"x"'):
        same(upload(rows(1), wrong, as_json=True).status, 422, wrong)
    for wrong in ("{", '{"exclude": {}}', '{"exclude": [1]}', '{"exclude": ["a"], "exclude": 1'):
        same(upload(rows(1), wrong, as_json=True).status, 400, wrong)
    same(send([row()], options=[]).status, 400)
    same(kept(), before)


def test_no_import_makes_a_job_that_deletes_however_it_is_asked():
    web.sql("UPDATE account SET may_delete2 = 1")
    same(send([row(delete2=True)]).status, 422)
    body = json.dumps({"text": rows(1), "delete2": True, "max_delete": 5})
    model = member.request("POST", "/api/v1/import", body, {"Content-Type": "application/json", "X-CSRF-Token": member.csrf}).json()
    confirm(model, delete2="1", max_delete="5")
    send([row()], delete2=True, max_delete=5)
    same(web.sql("SELECT COUNT(*) FROM job WHERE delete2 OR max_delete IS NOT NULL"), [["0"]])


def test_one_row_of_a_list_has_none_of_its_own():
    before = kept()
    answer = send([row(), row(options={"exclude": ["Trash"]})])
    same((answer.status, answer.json()["rows"]),
         (422, [{"index": 1, "field": "options", "reason": "Options are given once, for all jobs, beside the list."}]))
    same(kept(), before)


def test_the_confirmation_takes_none_and_does_not_pass_them_over():
    model = preview(rows(1), {"exclude": "Trash"})
    for fields in ({"options": "1"}, {"options.exclude": "Junk"}):
        answer = confirm(model, **fields)
        same(answer.status, 422)
        has(answer.text, "Options belong to the file")
    same(options_of(batch_of(confirm(model))), [{"exclude": ["Trash"]}])


def test_an_access_token_is_taken_where_the_options_say_that_it_is_one():
    token = "t" * 4000
    reason = "The password is longer than 1024 bytes. If it is an access token, say so under Options, Sign-in."
    for options in (None, {"authmech2": "XOAUTH2"}):
        model = preview(rows(1, token), options)
        same((model["good"], [(p["column"], p["reason"]) for p in model["problems"]]), (0, [("sourcePassword", reason)]))
    model = preview(rows(1, token), {"authmech1": "XOAUTH2"})
    same((model["good"], model["bad"]), (1, 0))
    same(options_of(batch_of(confirm(model))), [{"authmech1": "XOAUTH2"}])
    answer = send([row(), row(dest_password=token)], options={"authmech1": "OAUTHBEARER"})
    same([(p["index"], p["field"], p["reason"]) for p in answer.json()["rows"]], [(1, "dest_password", reason)])
    same(send([row(dest_password=token)], options={"authmech2": "OAUTHBEARER"}).status, 201)


def test_bad_rows_are_sent_again_with_the_options_filled_in():
    model = preview(rows(1) + "\n%d,x,,New,x,y" % OLD, {"exclude": "Trash", "maxsize": "25 MB", "nosubscribe": "1"})
    again = "/migration/import?options_of=%d" % model["id"]
    same(model["new_url"], again)
    has(member.get("/migration/import/%d" % model["id"]).text, 'href="%s"' % again)
    confirm(model, skip_bad="1")
    page = member.get(again).text
    has(page, '<details class="options" open>')
    has(page, ">\nTrash</textarea>")
    has(page, 'value="25 MB"')
    has(page, 'name="options.nosubscribe" type="checkbox" value="1" checked')
    # a file that is refused as a whole leaves them, too
    page = upload("no,header\n1,2", {"exclude": "Trash"})
    same(page.status, 422)
    has(page.text, ">\nTrash</textarea>")


def test_options_are_filled_in_for_their_maker_alone():
    model = preview(rows(1), {"exclude": "Secret folder"})
    path = "/migration/import?options_of=%d" % model["id"]
    has(member.get(path).text, "Secret folder")
    for who in (other, admin):
        page = who.get(path).text
        lacks(page, "Secret folder")
        has(page, "choose them again")
        lacks(json.dumps(who.json(path).json()), "Secret folder")
    batch = batch_of(confirm(model))
    same(other.get("/migration/batches/%d" % batch).status, 404)
    lacks(other.get("/migration/batches").text, "Secret folder")
    for wrong in ("0", "x", "999999", "-1", ""):
        has(member.get("/migration/import?options_of=" + wrong).text, "choose them again")
    lacks(member.get("/migration/import").text, "choose them again")


def test_options_that_would_fill_the_database_are_refused():
    names = ["folder %04d" % n for n in range(300)]
    before = kept()
    for answer in (upload(rows(1), {"exclude": "\n".join(names), "folder": "\n".join(names[:100])}, as_json=True),
                   send([row()], options={"exclude": names, "folder": names[:100]})):
        same(answer.status, 422)
    same(kept(), before)
    long = ["f" * 450 + str(n) for n in range(8)]
    for answer in (upload(rows(1), {"exclude": "\n".join(long), "folderrec": "\n".join(long)}, as_json=True),
                   send([row()], options={"exclude": long, "folderrec": long})):
        same(answer.status, 422)
        has(answer.json()["detail"], "longer than 4,000 bytes")
    same(kept(), before)
    same(send([row()], options={"exclude": long}).status, 201)


def test_running_all_of_the_batch_again_keeps_each_jobs_options():
    batch = batch_of(confirm(preview(rows(2), {"exclude": "Trash"})))
    first, second = (int(job) for job, in web.sql("SELECT id FROM job WHERE batch_id = %d ORDER BY id" % batch))
    same(member.post("/migration/jobs/%d/edit" % second, {"source_user": "again", "dest_user": "again", "options": "1",
                                                       "options.maxage": "30"}).status, 303)
    for job in (first, second):
        web.end_job(job)
    asked = member.post_json("/migration/jobs/bulk", {"action": "run_real", "scope": "matching", "batch": batch, "state": "done"})
    done = member.post_json("/migration/bulk/%d" % asked.json()["bulk"]["id"], {})
    same((asked.status, done.status, done.json()["counts"][0]["outcome"]), (200, 200, "requeued"), done.text)
    same(options_of(batch), [{"exclude": ["Trash"]}, {"maxage": 30}] * 2)


if __name__ == "__main__":
    tap.run(globals())
