"""
The requests that the scanners send: every row of the program's route table with every parameter it takes, made of the
tables that the program and the tests have, so that a new route is scanned as soon as it is there.
"""
import glob
import json
import os
import re
import subprocess
import sys
import urllib.parse

SRC = os.environ.get("MCV_SRCDIR") or os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path += [os.path.join(SRC, "tests", "http")]

import route_rows  # noqa: E402
import webstack    # noqa: E402

# What pages ask for that is no part of the API's description.
PAGE_QUERIES = {
    "GET /login": "next notice",
    "GET /migration/jobs": "refresh embed",
    "GET /migration/jobs/new": "source dest",
    "GET /migration/jobs/:id": "log_offset refresh",
    "GET /migration/servers/new": "preset",
    "GET /migration/users/new": "account",
}
# What is asked with where 1 would be refused, or would find nothing: what is refused never comes as far as the SQL.
NATURAL = {
    "next": "/migration/jobs", "state": "done", "q": "ann", "kind": "dry", "reason": "ok", "sort": "name", "dir": "asc",
    "tag": "batch 1", "action": "login", "object": "user", "email": "member@example.org", "address": "127.0.0.1",
    "from": "2021-03-01", "to": "2121-03-01", "before": "999999", "offset": "0", "log_offset": "0", "outcome": "requeued",
    "GET /migration/jobs after": "q9999999999999999.999999", "GET /migration/jobs before": "q1.1",
}
# What the sign-in and one-time links are sent, which are no part of the API's description either.
FORMS = {
    "POST /login": {"email": "member@example.org", "password": webstack.PASSWORD, "next": "/migration/servers"},
    "POST /login/code": {"code": "123456"},
    "POST /migration/second-factor/confirm": {"code": "123456"},
    "POST /migration/second-factor/codes": {"code": "123456"},
    "POST /migration/second-factor/off": {"code": "123456"},
    "POST /welcome/:token": {"password": webstack.PASSWORD, "again": webstack.PASSWORD},
    "POST /sso/:token": {"instead_of": "1"},
}
# What is sent in the body where the kind's sample would be refused.
NATURAL_BODY = {"external_ids": "whmcs whmcs-7", "panel_origins": "https://panel.example.org", "hosts": "127.0.0.1",
                "options": {"maxsize": 25000000}, "authmech": "PLAIN"}
# What is sent in a request of its own, as the others' would be refused or answered from memory, and without what.
ALONE = {"version": (), "request_key": (), "external_ids": ("external_id", "issuer")}
# Signing out would end the scan.
LEFT_OUT = {"POST /logout"}
SAMPLES = {"string": "a", "integer": "1", "boolean": "1"}


class Ask:
    """One request, and which of its parameters are tried with it: {name}, "#1*" for the mark in the path."""

    def __init__(self, method, path, names, query=(), form=(), json_body=False, headers=()):
        self.method = method
        self.path = path
        self.names = set(names)
        self.url = path + ("?" + urllib.parse.urlencode(query) if query else "")
        self.type = "application/json" if json_body else "application/x-www-form-urlencoded"
        self.body = "" if method == "GET" else json.dumps(dict(form)) if json_body else urllib.parse.urlencode(form)
        self.headers = list(headers)


def leaves(what):
    """The names of all values, however deep."""
    for name, value in what.items():
        if isinstance(value, (list, dict)):
            for one in value if isinstance(value, list) else [value]:
                yield from leaves(one)
        else:
            yield name


class Request:
    """A row of the table with what it takes; query and form are [(name, value)]."""

    def __init__(self, route, number, query, form, json_body=False):
        self.route = route
        self.method, pattern = route.split(" ")
        self.number = number  # what stands for :id or :token, None where neither does
        self.path = re.sub(":(id|token)", str(number), pattern)
        self.query = query
        self.form = form
        self.json_body = json_body

    def addresses(self):
        """What is read: the plain address, and one for each parameter."""
        return [self.path] + [Ask("GET", self.path, [], [pair]).url for pair in self.query]

    def asks(self):
        """Every parameter of an address by itself, as one filter hides the next; a form's together, as each is needed."""
        made = [Ask(self.method, self.path, [pair[0]], [pair]) for pair in self.query]
        form = [(n, value) for n, value in self.form if n not in ALONE and not isinstance(value, dict)]
        if self.number is not None:
            path = self.path.replace("/%s" % self.number, "/%s*" % self.number)
            made.append(Ask(self.method, path, ["#1*"], (), form, self.json_body))
        if form:
            names = ["JSON " + n for n in leaves(dict(form))] if self.json_body else [n for n, _ in form]
            made.append(Ask(self.method, self.path, names, (), form, self.json_body))
        made += [Ask(self.method, self.path, ["JSON " * self.json_body + name], (),
                     [pair for pair in form if pair[0] not in ALONE[name]] + [(name, value)], self.json_body)
                 for name, value in self.form if name in ALONE]
        made += [Ask(self.method, self.path, ["JSON " + n for n in leaves(value)], (), form + [(name, value)], True)
                 for name, value in self.form if isinstance(value, dict)]
        return made


class Who:
    """A user with a session, or "", who has opened the page to sign in.  account: whose things they are shown."""

    def __init__(self, web, name, account, **headers):
        self.name = name
        self.account = account
        self.user = 0
        if name:
            self.user = int(web.sql("SELECT id FROM user WHERE email = '%s@example.org'" % name)[0][0])
            browser = web.sign_in(name, **headers)
            self.csrf = browser.csrf
        else:
            browser = web.anyone(**headers)
            self.csrf = browser.login_token()
        self.cookie = "; ".join("%s=%s" % item for item in browser.cookies.items())


def start(**settings):
    """The stack, as permissive as its configuration can make it: a scanner that is held off finds nothing."""
    try:
        web = webstack.Stack(probe_timeout_s=1, probe_max_per_minute=10000, api_max_per_minute=100000,
                             login_max_per_user=10000, login_max_per_address=100000, **settings)
    except SystemExit:  # it said what is missing; ./check counts 0 as passed
        sys.exit(77)
    web.names = 0
    route_rows.web = web
    return web


def table(web):
    """The program's routes and who may use them."""
    out = subprocess.run([web.program, "--routes"], check=True, stdout=subprocess.PIPE, universal_newlines=True).stdout
    return {"%s %s" % tuple(line.split("\t")[:2]): line.split("\t")[2] for line in out.splitlines()}


def described(web):
    """{route: ([name in the query], {name in the body: sample}, {name: type})} as the API's description has it."""
    known, api = {}, web.anyone().get("/api/v1/openapi.json").json()
    shared = api["components"].get("parameters", {})
    for path, item in api["paths"].items():
        for verb, op in item.items():
            schema = op.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            fields = schema.get("properties", {})
            body = {name: p.get("enum", [SAMPLES.get(p.get("type"), "a")])[0] for name, p in fields.items()}
            kinds = {name: p.get("type") for name, p in fields.items()}
            ways = [shared[p["$ref"].rsplit("/", 1)[-1]] if "$ref" in p else p for p in op["parameters"]]
            query = [p["name"] for p in ways if p["in"] == "query"]
            for prefix in ("", "/migration"):
                known["%s %s%s" % (verb.upper(), prefix, path.replace("{id}", ":id"))] = (query, body, kinds)
    return known


def asked_by_pages():
    """Every name of a parameter in an address that the source names."""
    names = set()
    for path in glob.glob(os.path.join(SRC, "fcgi", "*.c")):
        with open(path, encoding="utf-8") as source:
            names.update(re.findall(r'params_get\(&v->rq->query, "(\w+)"\)', source.read()))
    return names


def natural(route, name, who, web):
    """A value that is answered with something."""
    if name in ("batch", "source", "dest", "account", "user", "ids") and who.user:
        if name in ("account", "user"):
            return str({"account": who.account, "user": who.user}[name])
        return str({"batch": route_rows.batch, "ids": route_rows.job()}.get(name, route_rows.server)(who))
    return NATURAL.get(route + " " + name, NATURAL.get(name, "1"))


def own_server(web, who):
    """A server on this machine that takes no connection: no scan leaves it."""
    web.names += 1
    return web.add_server(who.account, "Server %d" % web.names, host="127.0.0.1", port=1)


def requests(web, who, needs):
    """What that visitor asks for: all rows of those needs."""
    known, made, asked = described(web), [], set()
    route_rows.server = lambda owner: own_server(web, owner)
    for route, need in table(web).items():
        row = route_rows.ROWS[route]
        query, body, kinds = known.get(route, ([], {}, {}))
        query = [(n, None) for n in query + PAGE_QUERIES.get(route, "").split()]
        query += [tuple(pair.split("=")) for pair in row.query.lstrip("?").split("&") if pair]
        query = list(dict(query).items())
        asked.update(n for n, _ in query)
        if need not in needs or route in LEFT_OUT:
            continue
        number = None
        if ":id" in route:
            number = row.own(who) if row.own and who.user else 1
        elif ":token" in route:
            number = row.token(who)
        form = dict(body, **FORMS.get(route, {}))
        if row.form and who.user:
            form.update(row.form(who))
        form.update((n, value) for n, value in dict(NATURAL_BODY, host="127.0.0.1").items() if n in form)
        query = [(n, natural(route, n, who, web) if value is None else value) for n, value in query]
        if row.json:
            form.update((n, True) for n, kind in kinds.items() if kind == "boolean")
        made.append(Request(route, number, query, list(form.items()), row.json))
    missing = asked_by_pages() - asked
    if missing:
        raise AssertionError("no scanned request asks with: " + ", ".join(sorted(missing)))
    return made


def answers(web):
    """{route: [status]} of all that was asked so far; None stands for what is no route."""
    seen = {}
    patterns = [(route, re.compile(re.sub(":(id|token)", "[^/]*", re.escape(route)) + "/?$")) for route in table(web)]
    with open(os.path.join(web.dir, "web", "nginx-access.log"), encoding="utf-8", errors="replace") as log:
        for line in log:
            m = re.search(r'"([A-Z]+ [^ ?"]*)[^"]*" (\d+) ', line)
            if m:
                route = next((r for r, pattern in patterns if pattern.match(m.group(1))), None)
                seen.setdefault(route, []).append(int(m.group(2)))
    return seen


def count(web):
    """Requests so far."""
    with open(os.path.join(web.dir, "web", "nginx-access.log"), "rb") as log:
        return sum(1 for _ in log)


def broken(web):
    """Answers that were the program's own fault, and what it said of itself."""
    bad = ["%s: %d" % (what, status) for what, statuses in answers(web).items() for status in statuses if status >= 500]
    return bad + [line for line in web.output().splitlines()
                  if re.search("Sanitizer|runtime error|signal|database: 1064|SQL syntax", line)]
