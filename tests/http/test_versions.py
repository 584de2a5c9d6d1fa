"""Two people change the same thing: the second does not undo unseen what the first did."""
import json
import re
import threading

import route_rows
import webstack
import tap
from tap import has, lacks, same

web = webstack.Stack()
web.names = 0
route_rows.web = web
member, second, admin = (web.sign_in(who) for who in ("member", "member", "admin"))
FORM = {"host": "imap.example.org", "port": "993", "security": "tls", "verify": "1"}


class Kind:
    """What can be changed: its address, what is sent, the column that tells what became of it."""

    def __init__(self, who, path, make, edit, form, column, get=None):
        self.who, self.path, self.make, self.edit, self.form, self.column = who, path, make, edit, form, column
        self.get = get or edit

    def new(self):
        web.names += 1
        if self.column == "name":
            # each is free again
            web.sql("UPDATE %s SET name = CONCAT('was ', id) WHERE name IN ('first', 'second')" % self.path)
        elif self.path == "job":
            web.sql("DELETE FROM job")
        return self.make()

    def now(self, number):
        return web.sql("SELECT %s FROM %s WHERE id = %d" % (self.column, self.path, number))[0][0]

    def etag(self, number):
        a = self.who.json("/api/v1/%ss/%d" % (self.path, number))
        same(a.status, 200)
        return a.headers["ETag"]

    def change(self, number, value, browser=None, version=None, **headers):
        form = dict(self.form, **{self.column if self.column == "name" else "source_user": value})
        if version is not None:
            form["version"] = version
        return (browser or self.who).post(self.edit % number, form, headers)


KINDS = (
    Kind(member, "server", lambda: web.add_server(web.acme, "Server %d" % web.names), "/migration/servers/%d", FORM, "name"),
    Kind(member, "job", lambda: web.add_job(web.acme, "queued"), "/migration/jobs/%d/edit",
         {"dest_user": "b"}, "src_user"),
    Kind(admin, "account", lambda: web.add_account("Account %d" % web.names), "/migration/accounts/%d", {"max_queued": "5"},
         "name"),
)
SCRIPT = {"Accept": "application/json"}


def test_a_change_made_for_what_is_there_is_made_and_the_answer_has_the_next_version():
    for kind in KINDS:
        n = kind.new()
        tag = kind.etag(n)
        assert re.fullmatch('"[0-9a-f]+-[0-9a-f]{16}"', tag), tag
        a = kind.change(n, "once", **dict(SCRIPT, **{"If-Match": tag}))
        same((kind.path, a.status, kind.now(n)), (kind.path, 200, "once"), a.text[:300])
        a = kind.change(n, "twice", **dict(SCRIPT, **{"If-Match": 'W/"x", "0-1" , ' + a.headers["ETag"]}))
        same((kind.path, a.status, kind.now(n)), (kind.path, 200, "twice"), a.text[:300])


def test_a_change_made_for_what_was_there_changes_nothing():
    for kind in KINDS:
        n = kind.new()
        tag = kind.etag(n)
        same(kind.change(n, "first").status, 303)
        for shown in (tag, "W/" + kind.etag(n), '"0"', '"', "x", "", "W/", kind.etag(n) + "x"):
            a = kind.change(n, "second", **dict(SCRIPT, **{"If-Match": shown}))
            same((kind.path, shown, a.status, kind.now(n)), (kind.path, shown, 412, "first"))
            same((a.json()["type"], a.headers["Content-Type"]), ("urn:mailconvoy:changed", "application/problem+json"))
        for headers in ({"If-Match": "*"}, {}):
            same(kind.change(n, "second", **dict(SCRIPT, **headers)).status, 200)
        same(kind.now(n), "second")


def test_the_second_of_two_people_is_shown_what_they_typed_and_may_save_it_knowingly():
    for kind in KINDS:
        n = kind.new()
        forms = [re.search('name="version" value="([0-9a-f]+)"', kind.who.get(kind.get % n).text) for _ in range(2)]
        assert forms[0], kind.path
        same(kind.change(n, "first", version=forms[0].group(1)).status, 303)
        a = kind.change(n, "second", version=forms[1].group(1))
        same((kind.path, a.status, kind.now(n)), (kind.path, 412, "first"))
        has(a.text, "Somebody changed this while you had it open")
        has(a.text, 'value="second"')
        has(a.text, '<a href="%s">Look at what is stored now</a>' % (kind.get % n))
        again = re.search('name="version" value="([0-9a-f]+)"', a.text).group(1)
        same(kind.change(n, "second", version=again).status, 303)
        same(kind.now(n), "second")


def test_a_form_refused_for_another_reason_keeps_the_version_it_was_opened_with():
    for kind in KINDS:
        n = kind.new()
        opened = re.search('name="version" value="([0-9a-f]+)"', kind.who.get(kind.get % n).text).group(1)
        same(kind.change(n, "first").status, 303)
        a = kind.change(n, "", version=opened)
        same(a.status, 422)
        has(a.text, 'name="version" value="%s"' % opened)


def test_of_many_who_change_the_same_version_at_the_same_moment_one_does():
    for kind in KINDS:
        n = kind.new()
        tag, answers = kind.etag(n), []
        browsers = [kind.who, web.sign_in("admin" if kind.who is admin else "member")] * 3

        def ask(i):
            answers.append(kind.change(n, "racer %d" % i, browsers[i], **dict(SCRIPT, **{"If-Match": tag})).status)

        threads = [threading.Thread(target=ask, args=(i,)) for i in range(len(browsers))]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        same((kind.path, sorted(answers)), (kind.path, [200] + [412] * 5))


def test_nothing_is_deleted_that_was_changed_meanwhile():
    server, job = KINDS[0], KINDS[1]
    h = {"X-CSRF-Token": member.csrf, "Accept": "application/json"}
    for kind, delete in ((server, lambda n, tag: member.request("POST", "/migration/servers/%d/delete" % n, form={},
                                                                 headers=dict(h, **{"If-Match": tag}))),
                         (job, lambda n, tag: member.request("POST", "/migration/jobs/%d/delete" % n, form={},
                                                             headers=dict(h, **{"If-Match": tag}))),
                         (job, lambda n, tag: member.request("DELETE", "/api/v1/jobs/%d?hard=true" % n,
                                                             headers=dict(h, **{"If-Match": tag})))):
        n = kind.new()
        old = kind.etag(n)
        same(kind.change(n, "first").status, 303)
        same((kind.path, delete(n, old).status, kind.now(n)), (kind.path, 412, "first"))
        same((kind.path, delete(n, kind.etag(n)).status), (kind.path, 204))
        same(web.sql("SELECT COUNT(*) FROM %s WHERE id = %d" % (kind.path, n)), [["0"]])


def test_a_password_alone_is_another_version():
    n = KINDS[1].new()
    tag = KINDS[1].etag(n)
    same(KINDS[1].change(n, "ann", **{}).status, 303)
    same(member.post("/migration/jobs/%d/edit" % n, {"source_user": "ann", "dest_user": "b", "dest_password": "new"}).status, 303)
    last = KINDS[1].etag(n)
    same(len({tag, last}), 2)
    same(member.post("/migration/jobs/%d/edit" % n, {"source_user": "ann", "dest_user": "b", "dest_password": "newer"}).status, 303)
    same(KINDS[1].etag(n).split("-")[0] == last.split("-")[0], False)


def test_the_version_moves_on_even_when_the_clock_goes_back():
    for kind in KINDS[:2]:
        n = kind.new()
        web.sql("UPDATE %s SET updated_at = UTC_TIMESTAMP(6) + INTERVAL 1 DAY WHERE id = %d" % (kind.path, n))
        tags = [kind.etag(n).split("-")[0]]
        for value in ("first", "second"):
            same(kind.change(n, value).status, 303)
            tags.append(kind.etag(n).split("-")[0])
        numbers = [int(tag.strip('"'), 16) for tag in tags]
        assert numbers[0] < numbers[1] < numbers[2], (kind.path, numbers)


def test_what_the_client_has_is_not_sent_again():
    n = web.add_server(web.acme, "Kept", host="imap.example.net")
    web.sql("UPDATE server SET created_at = '2020-01-01' WHERE id = %d" % n)
    first = member.json("/api/v1/servers/%d" % n)
    tag = first.headers["ETag"]
    a = member.get("/api/v1/servers/%d" % n, **{"If-None-Match": '"x", W/' + tag})
    same((a.status, a.body, a.headers["ETag"], a.headers["Content-Type"]), (304, b"", tag, None))
    # a count that moved is another answer, and no other version: nobody's change is stopped by it
    web.add_job(web.acme, "queued", src_server_id=n)
    a = member.get("/api/v1/servers/%d" % n, **{"If-None-Match": tag})
    same((a.status, a.json()["server"]["jobs_active"]), (200, 1))
    same(a.headers["ETag"].split("-")[0], tag.split("-")[0])
    same(KINDS[0].change(n, "Changed", **dict(SCRIPT, **{"If-Match": tag})).status, 200)
    lacks(str(member.get("/migration/servers/%d" % n).headers), "ETag")


def test_a_condition_on_what_has_no_version_is_refused_and_not_ignored():
    job = web.add_job(web.acme, "queued")
    a = member.post("/migration/jobs/%d/cancel" % job, {}, dict(SCRIPT, **{"If-Match": '"1"'}))
    same((a.status, a.json()["type"]), (400, "urn:mailconvoy:if_match"))
    same(web.sql("SELECT state FROM job WHERE id = %d" % job), [["queued"]])
    same(member.get("/migration/jobs/%d" % job, **{"If-Match": '"1"'}).status, 200)


def test_another_accounts_is_not_there_whatever_the_condition():
    theirs = web.add_server(web.other, "Theirs")
    for tag in ('"1"', "*"):
        same(KINDS[0].change(theirs, "x", **dict(SCRIPT, **{"If-Match": tag})).status, 404)


def test_a_script_may_send_the_version_in_its_body():
    n = KINDS[0].new()
    token = member.post_json("/migration/tokens", {"name": "x", "servers_write": "1"}).json()["token"]
    script = web.anyone(Authorization="Bearer " + token, **{"Content-Type": "application/json"})
    version = KINDS[0].etag(n)[1:].split("-")[0]
    body = dict(FORM, port=993, verify=True, name="By version", version=version)
    same([script.request("POST", "/api/v1/servers/%d" % n, json.dumps(body)).status for _ in range(2)], [200, 412])


if __name__ == "__main__":
    tap.run(globals())
