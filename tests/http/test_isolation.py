"""
Every row of the route table, as everybody there is: nobody, another account's member, a member, a member of a suspended
account, an administrator.  A route that has no row here fails the build.
"""
import json
import os
import re
import subprocess
import sys

import route_rows
import webstack
import tap
from route_rows import MISSING, ROWS, batch, bearer, job, job_form, server
from tap import same

JSON = {"Accept": "application/json"}


def table():
    """The route table as the program has it."""
    program = os.path.join(webstack.BUILD, "fcgi", "mailconvoy-web")
    if not os.path.exists(program):
        tap.skip_all("mailconvoy-web is not built")
    out = subprocess.run([program, "--routes"], check=True, stdout=subprocess.PIPE, universal_newlines=True).stdout
    return {"%s %s" % tuple(line.split("\t")[:2]): line.split("\t")[2:] for line in out.splitlines()}


ROUTES = table()
if set(ROUTES) != set(ROWS):
    print("Bail out! the table of this test is not the program's: %s" % ", ".join(sorted(set(ROUTES) ^ set(ROWS))))
    sys.exit(1)

web = webstack.Stack(probe_timeout_s=1, probe_max_per_minute=1000)
web.names = 0
route_rows.web = web
# numbers that stand nowhere else in a page
for offset, name in enumerate(("job", "server", "batch", "bulk", "import", "account", "user"), 1):
    web.sql("ALTER TABLE %s AUTO_INCREMENT = %d" % (name, offset * 100000 + 71))


class Who:
    def __init__(self, name, account):
        self.name = name
        self.account = account
        self.user = int(web.sql("SELECT id FROM user WHERE email = '%s@example.org'" % name)[0][0])
        self.browser = web.sign_in(name)

    def fresh(self):
        """Signed in again, where a row signs out."""
        if not self.browser.cookies.get("mailconvoy"):
            self.browser = web.sign_in(self.name)
        return self.browser


SUSPENDED = web.add_account("Suspended")
web.add_user(SUSPENDED, "held@example.org", "member")
web.sql("UPDATE account SET suspended_at = UTC_TIMESTAMP(6) WHERE id = %d" % SUSPENDED)
member, other, held = Who("member", web.acme), Who("other", web.other), Who("held", SUSPENDED)
admin = Who("admin", web.admin_account)
TABLES = [r[0] for r in web.sql("SELECT table_name FROM information_schema.tables WHERE table_schema = 'mailconvoy'")
          if r[0] not in ("audit", "session", "login_throttle", "user", "api_token")]


def state():
    """All that a request could change, but for when somebody was last seen and what the trail says."""
    return web.sql("CHECKSUM TABLE %s; SELECT id, account_id, email, password_hash, role, disabled_at FROM user; "
                   "SELECT id, scopes, revoked_at FROM api_token"
                   % ", ".join(TABLES))


def ask(browser, route, row, number, form, script=True, api=False):
    method, pattern = route.split(" ")
    path = pattern.replace(":id", str(number)) + row.query
    if row.token:
        path = path.replace(":token", row.token(member))
    headers = dict(JSON) if script else {}
    if api:
        path = "/api/v1" + path
    if method == "GET":
        return browser.request("GET", path, headers=headers)
    form = dict(form)
    if row.json:
        return browser.request(method, path, json.dumps(form), dict(
            headers, **{"Content-Type": "application/json", "X-CSRF-Token": browser.csrf or ""}))
    if browser.csrf:
        form["csrf"] = browser.csrf
        headers["X-CSRF-Token"] = browser.csrf
    return browser.request(method, path, form=form, headers=headers)


def without(answer, number):
    """An answer's text without what differs between any two."""
    text = answer.text.replace(answer.headers["X-Request-Id"], "ID")
    return re.sub(r"\b%d\b" % number, "NUMBER", text)


def every(need=None, effect=None, owned=None):
    for route, (its_need, _, its_effect, _) in ROUTES.items():
        row = ROWS[route]
        if need in (None, its_need) and effect in (None, its_effect) and owned in (None, row.own is not None):
            yield route, row


def collect(found):
    if found:
        raise AssertionError("\n".join(str(f) for f in found))


def try_as(who, owner, route, row, script):
    """Who asks, for what is owner's; the status."""
    browser = who.fresh()
    form = row.form(owner if row.own else who) if row.form else {}
    return ask(browser, route, row, row.own(owner) if row.own else 0, form, script)


def test_nobody_gets_anything_but_the_sign_in():
    found, before = [], None
    for route, row in list(every("member")) + list(every("admin")):
        number = row.own(member) if row.own else 0
        form = row.form(member) if row.form else {}
        before = state()
        for script, api, want in ((True, False, 401), (True, True, 401),
                                  (False, False, 303 if route.startswith("GET") else 401)):
            a = ask(web.anyone(), route, row, number, form, script, api)
            if a.status != want or state() != before:
                found.append((route, script, api, a.status))
    collect(found)


def test_a_member_does_everything_with_their_own():
    collect([(route, script, a.status, a.text[:300]) for route, row in every("member") for script in (True, False)
             for a in [try_as(member, member, route, row, script)] if a.status != (row.ok if script else row.page)])


def test_what_is_another_accounts_answers_as_what_does_not_exist():
    found = []
    for route, row in every("member", owned=True):
        number = row.own(member)
        form = row.form(member) if row.form else {}
        before = state()
        for script in (True, False):
            theirs = ask(other.fresh(), route, row, number, form, script)
            none = ask(other.fresh(), route, row, MISSING, form, script)
            if theirs.status != 404 or state() != before:
                found.append((route, script, theirs.status))
            elif without(theirs, number) != without(none, MISSING):
                found.append((route, script, "differs from what does not exist"))
    collect(found)


def test_an_administrator_reaches_every_account_but_not_what_is_private_to_a_person():
    found = []
    for route, row in every("member"):
        for script in (True, False):
            a = try_as(admin, member, route, row, script)
            want = 404 if row.private else row.ok if script else row.page
            if a.status != want:
                found.append((route, script, a.status, a.text[:300]))
            if row.private:
                a = try_as(admin, admin, route, row, script)
                if a.status != (row.ok if script else row.page):
                    found.append((route, script, "own", a.status, a.text[:300]))
    collect(found)


def test_members_of_a_suspended_account_look_and_stop():
    collect([(route, script, a.status, a.text[:300]) for route, row in every("member", "harmless")
             for script in (True, False)
             for a in [try_as(held, held, route, row, script)] if a.status != (row.ok if script else row.page)])


def test_members_of_a_suspended_account_start_and_change_nothing():
    found = []
    for route, row in every("member", "starts"):
        number = row.own(held) if row.own else 0
        form = row.form(held) if row.form else {}
        before = state()
        for script in (True, False):
            a = ask(held.fresh(), route, row, number, form, script)
            if a.status != 403 or "suspended" not in a.text or state() != before:
                found.append((route, script, a.status))
    collect(found)


def test_only_administrators_administer():
    found = []
    for route, row in every("admin"):
        number = row.own(member) if row.own else 0
        form = row.form(member) if row.form else {}
        before = state()
        for who in (member, other, held):
            for script in (True, False):
                a = ask(who.fresh(), route, row, number, form, script)
                if a.status != 403 or state() != before:
                    found.append((route, who.name, script, a.status))
        for script in (True, False):
            a = try_as(admin, member, route, row, script)
            if a.status != (row.ok if script else row.page):
                found.append((route, script, a.status, a.text[:300]))
    collect(found)


def test_what_anyone_may_ask_for_answers_everybody():
    for route, row in every("anyone"):
        for who in (member, other, held, admin):
            same((route, who.name, try_as(who, who, route, row, False).status), (route, who.name, row.page))


SCOPES = ["jobs:read", "jobs:write", "servers:write", "accounts:write", "sso:create"]


def by_token(who, owner, browser, route, row):
    """Asked with a token; whether anything changed meanwhile."""
    number = row.own(owner) if row.own else 0
    form = row.form(owner if row.own else who) if row.form else {}
    before = state()
    a = ask(browser, route, row, number, form, api=True)
    return a, state() != before


def test_a_token_opens_what_its_scope_names_and_nothing_else():
    found = []
    for scope in SCOPES:
        browser = bearer(member, scope)
        for route, row in every("member"):
            a, changed = by_token(member, member, browser, route, row)
            allowed = scope in ROUTES[route][3].split(" ")
            if a.status != (row.ok if allowed else 403):
                found.append((scope, route, a.status, a.text[:300]))
            if not allowed and (changed or a.json()["type"] != "urn:mailconvoy:scope"):
                found.append((scope, route, "changed something", a.text[:300]))
    collect(found)


def test_a_members_token_reaches_no_other_account_and_administers_nothing():
    found = []
    browser = bearer(other, " ".join(SCOPES))
    for route, row in every("member", owned=True):
        if ROUTES[route][3] != "-":
            a, changed = by_token(other, member, browser, route, row)
            if a.status != 404 or changed:
                found.append((route, a.status))
    for route, row in every("admin"):
        a, changed = by_token(other, member, browser, route, row)
        if a.status != 403 or changed:
            found.append((route, a.status))
    collect(found)


def test_what_is_for_tokens_is_for_no_browser_and_needs_its_scope():
    found = []
    for route, row in every("token"):
        for who in (None, member, other, held, admin):
            for script in (True, False):
                before = state()
                a = ask(who.fresh() if who else web.anyone(), route, row, 0, row.form(member), script)
                if a.status != (403 if who else 401) or state() != before:
                    found.append((route, who and who.name, script, a.status))
        for who in (member, other, held):
            for scope in SCOPES:
                a, changed = by_token(who, who, bearer(who, scope), route, row)
                allowed = scope in ROUTES[route][3].split(" ")
                if a.status != (row.ok if allowed else 403) or (changed and not allowed):
                    found.append((route, who.name, scope, a.status, a.text[:300]))
    collect(found)


def test_the_installations_token_administers_with_that_scope_alone():
    found = []
    for scope in SCOPES:
        browser = bearer(admin, scope, installation=True)
        for route, row in every("admin"):
            a, changed = by_token(admin, member, browser, route, row)
            allowed = scope in ROUTES[route][3].split(" ")
            if a.status != (row.ok if allowed else 403) or (changed and not allowed) \
                    or allowed and scope != "accounts:write":
                found.append((scope, route, a.status, a.text[:300]))
    collect(found)


def test_an_administrators_token_for_an_account_is_a_members():
    browser = bearer(admin, " ".join(SCOPES))
    for route, row in every("admin"):
        same((route, by_token(admin, member, browser, route, row)[0].status), (route, 403))
    same(ask(browser, "GET /migration/jobs/:id", ROWS["GET /migration/jobs/:id"], job()(member), {}, api=True).status, 404)


def test_a_suspended_accounts_token_starts_nothing():
    browser, found = bearer(held, " ".join(SCOPES)), []
    for route, row in every("member", "starts"):
        a, changed = by_token(held, held, browser, route, row)
        if a.status != 403 or changed:
            found.append((route, a.status))
    collect(found)


def pasted(text):
    """A CSV file as the import's form sends it."""
    mark = "mark"
    body = ("--%s\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n%s\r\n"
            "--%s\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n%s\r\n--%s--\r\n"
            % (mark, member.fresh().csrf, mark, text, mark))
    return {"body": body, "headers": {"Content-Type": "multipart/form-data; boundary=" + mark}}


def test_another_accounts_ids_in_bodies_and_filters_are_unknown():
    """Each case is a request that names a number in its body or query; theirs and a missing one answer alike."""
    browser = member.fresh()
    ours = server(member)

    def post(path, **form):
        return browser.post_json(path, form)

    def imported(at):
        a = browser.request("POST", "/migration/import", **pasted(
            "sourceServerId,sourceEmail,sourcePassword,destServerId,destEmail,destPassword\r\n"
            "%d,a@example.org,p,%d,b@example.org,p\r\n" % (ours, at)))
        same(a.status, 303, a.text[:300])
        page = browser.json(a.location)
        page.text = re.sub(r"import/\d+|\"id\":\d+|\"(created|expires)_[a-z]+\":[^,}]+", "", page.text)
        return page

    cases = {
        "a new job's source": (server, lambda n: post("/migration/jobs", **dict(job_form(member), source_server_id=n))),
        "a new job's destination": (server, lambda n: post("/migration/jobs",
                                                           **dict(job_form(member), dest_server_id=n))),
        "a server to test": (server, lambda n: post("/migration/servers/test", server_id=n, user="u", password="p")),
        "the rows of a list": (job(), lambda n: browser.json("/migration/jobs?ids=%d" % n)),
        "the batch of a list": (batch, lambda n: browser.json("/migration/jobs?batch=%d" % n)),
        "the batch of all that match": (batch, lambda n: post("/migration/jobs/bulk", action="retry", scope="matching",
                                                              batch=n)),
        "jobs picked": (job(), lambda n: post("/migration/jobs/bulk", action="delete", ids=n, confirm="1")),
        "a server in an import": (server, imported),
    }
    for what, (make, request) in cases.items():
        theirs = make(other)
        before = web.sql("SELECT COUNT(*), SUM(state = 'queued') FROM job")
        a, b = request(theirs), request(MISSING)
        same((what, a.status), (what, b.status))
        same(without(a, theirs), without(b, MISSING), what)
        same(web.sql("SELECT COUNT(*), SUM(state = 'queued') FROM job"), before, what)


if __name__ == "__main__":
    tap.run(globals())
