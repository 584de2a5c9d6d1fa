"""
sqlmap finds nothing in any parameter of any route, whoever asks; and it does find what is there to be found.

Every parameter, every id in a path and every header that is read is tried at level 1 and risk 2 in all ways that show in
an answer (boolean, error, union).  What comes to the SQL as text, and the sign-in, is tried at level 2, and by time too.
What changes something is answered differently each time, so it is tried by error and by time.  All of level 2 would
take 20 minutes of two cores instead of 6, and what breaks a statement without showing it is not lost: the last test looks
for it in what the program says of its database.
"""
import atexit
import csv
import glob
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse

import targets  # first: it knows where the others are
import route_rows
import tap
import vulnerable

# An idle machine of two cores needs a fifth of it.
SECONDS_MAX = 3600
OPTIONS = ["--batch", "--dbms=mysql", "--risk=2", "--time-sec=2", "--ignore-redirects", "--ignore-code=*",
           "--skip-waf", "--keep-alive", "--timeout=60", "--retries=1", "--disable-coloring",
           "--flush-session",
           # One find ends neither the page nor the scan, and nothing is taken from the database.  Answers go by a part
           # of the question.
           "--answers=already been detected=N,keep testing the others=Y,want to exploit=N"]
READS = ["--level=1", "--technique=BEU"]
TEXTS = ["--level=2", "--technique=BEUT", "--skip=Cookie"]
COOKIES = ["--level=2", "--technique=BEU"]
# Names and mailboxes that are taken would end a request before the rest of it is looked at: each gets a beginning of its
# own.  For sqlmap each name in a form is a global of this, and so is the list of a batch's jobs.
FRESH = """
import os
globals().update({n: os.urandom(4).hex() + globals()[n] for n in ('name', 'tag', 'external_id', 'external_ids')
                  + ('email',) * ('role' in globals()) if isinstance(globals().get(n), str)})
globals().update({'source_user': os.urandom(4).hex() + job['source_user'] for job in globals().get('jobs') or []})
"""
CHANGES = ["--level=1", "--technique=ET", "--eval=" + FRESH]
TEXT = {"/migration/jobs": {"q", "reason", "sort", "after", "ids"}, "/migration/batches": {"tag"}, "/login": {"email"},
        "/migration/accounts": {"external_id", "issuer"}, "/migration/audit": {"action", "object", "email", "address"}}

if shutil.which("sqlmap") is None:
    print("sqlmap is not installed")
    sys.exit(77)
web = targets.start()
outside = tempfile.TemporaryDirectory(prefix="mcv-sqlmap-")


def write_log(path, port, who, asks):
    """The requests as a proxy would have noted them."""
    rule = "=" * 54
    with open(path, "w", encoding="utf-8", newline="") as out:
        for ask in asks:
            head = ["%s %s HTTP/1.1" % (ask.method, ask.url), "Host: 127.0.0.1:%d" % port]
            if who.cookie and not ask.headers:
                head += ["Cookie: " + who.cookie, "X-CSRF-Token: " + who.csrf]
            head += ["Accept: application/json"] * ("Accept" not in dict(ask.headers))
            head += ["%s: %s" % pair for pair in ask.headers]
            if ask.method != "GET":
                head.append("Content-Type: " + ask.type)
            out.write("%s\r\n12:00:00  http://127.0.0.1:%d\r\n%s\r\n%s\r\n%s\r\n\r\n\r\n"
                      % (rule, port, rule, "\r\n".join(head + ["", ask.body]), rule))


class Run:
    """A sqlmap, under way when made."""

    def __init__(self, port, who, asks, options):
        self.who = who
        self.asks = asks
        self.port = port
        self.options = options
        home = tempfile.mkdtemp(dir=outside.name)
        self.home = home
        write_log(os.path.join(home, "requests"), port, who, asks)
        # what it is to look at it would read from anything but a terminal
        self.terminal, its_end = pty.openpty()
        with open(os.path.join(home, "said"), "wb") as out:
            self.process = subprocess.Popen(
                ["sqlmap", "-l", os.path.join(home, "requests"), "--output-dir=" + os.path.join(home, "out"),
                 "--results-file=" + os.path.join(home, "results.csv"), *OPTIONS, *options],
                stdin=its_end, stdout=out, stderr=out, env=dict(os.environ, HOME=home, XDG_DATA_HOME=home))
        os.close(its_end)
        atexit.register(self.process.kill)

    def finish(self, deadline):
        """Rows of what it found."""
        try:
            self.process.wait(max(1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("sqlmap did not end by itself within %d s: %s"
                                 % (SECONDS_MAX, self.said()[-2000:])) from None
        finally:
            os.close(self.terminal)
        rows = []
        for path in glob.glob(os.path.join(self.home, "results*.csv")):
            with open(path, encoding="utf-8") as f:
                rows += [row for row in csv.DictReader(f) if row.get("Technique(s)")]
        said = self.said()
        assert self.process.returncode == 0 and "ending @" in said, (self.process.returncode, said[-2000:])
        return rows

    def said(self):
        with open(os.path.join(self.home, "said"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def not_tried(self):
        """What it was given and did not try to the end, or said nothing of."""
        tried, path = set(), ""
        for line in self.said().splitlines():
            m = re.search(r"\[INFO\] testing URL '\w+://[^/]+([^?']*)", line)
            if m:
                path = m.group(1)
            m = re.search(r"\[WARNING\] (?:\(custom\) )?(?:\w+ )?parameter '(.+)' does not seem to be injectable", line) \
                or re.search(r"parameter '(.+)' is vulnerable\.", line)
            if m:
                tried.add((path, m.group(1)))
        return [(self.who.name, ask.method, ask.path, name) for ask in self.asks for name in sorted(ask.names)
                if (ask.path, name) not in tried]

    def ask_of(self, row):
        """Which of the requests a row is about."""
        path = urllib.parse.urlsplit(row["Target URL"]).path.replace("*", "")
        return next(a for a in self.asks if a.path.replace("*", "") == path and row["Parameter"] in a.names)


def again(found, deadline):
    """
    What is found once more when nothing else goes on: not what had changed by itself between two answers, as a list
    does that another scan adds to.  found: (run, row).
    """
    sure = []
    for run, row in found:
        once_more = Run(run.port, run.who, [run.ask_of(row)], run.options)
        sure += [(run.who.name, r["Target URL"], r["Place"], r["Parameter"], r["Technique(s)"])
                 for r in once_more.finish(deadline) if r["Parameter"] == row["Parameter"]]
    return sure


WHO = {
    "nobody": (targets.Who(web, "", web.acme), {"anyone"}),
    "member": (targets.Who(web, "member", web.acme), {"member"}),
    "admin": (targets.Who(web, "admin", web.admin_account), {"member", "admin"}),
}
ASKED = {name: targets.requests(web, *who) for name, who in WHO.items()}
DEADLINE = time.monotonic() + SECONDS_MAX
MEMBER = WHO["member"][0]


def test_what_is_scanned_is_answered_when_nothing_is_wrong_with_it():
    """What is refused from the start never comes to the SQL.  Nobody is asked for a code before they gave a password."""
    refused = []
    for name, asked in ASKED.items():
        who = WHO[name][0]
        for r in asked:
            for url in r.addresses() if r.method == "GET" and ":token" not in r.route and r.route != "GET /login/code" else []:
                a = web.anyone().get(url, Cookie=who.cookie, Accept="application/json")
                if a.status not in (200, 303):
                    refused.append((name, url, a.status))
    assert not refused, refused


def test_sqlmap_finds_the_holes_of_a_page_that_has_some_and_they_are_found_once_more():
    asks = [targets.Ask("GET", "/a", ["id"], [("id", "1")]), targets.Ask("GET", "/1*", ["#1*"]),
            targets.Ask("POST", "/b", ["name", "id"], (), [("name", "x"), ("id", "1")])]
    run = Run(vulnerable.start(web.stack.db.socket), MEMBER, asks, TEXTS)
    rows = run.finish(DEADLINE)
    assert sorted(row["Parameter"] for row in rows) == ["#1*", "id", "id"], run.said()[-3000:]
    assert not run.not_tried(), run.not_tried()
    sure = again([(run, row) for row in rows], DEADLINE)
    assert sorted(s[3] for s in sure) == ["#1*", "id", "id"], sure


def test_what_a_page_that_changes_by_itself_seemed_to_have_is_not_found_once_more():
    run = Run(vulnerable.start(web.stack.db.socket), MEMBER, [targets.Ask("GET", "/changes", ["id"], [("id", "1")])], TEXTS)
    run.finish(DEADLINE)
    sure = again([(run, {"Target URL": "http://127.0.0.1:%d/changes?id=1" % run.port, "Parameter": "id"})], DEADLINE)
    assert not sure, sure


def scan(what, options, wanted):
    """As everybody, side by side, as a scan waits for answers half of the time."""
    runs = []
    for name, asked in ASKED.items():
        asks = [ask for r in asked for ask in r.asks() if wanted(ask)]
        shares = 1 if name == "nobody" else 2
        runs += [(WHO[name][0], asks[share::shares], options) for share in range(shares) if asks[share::shares]]
    finds_nothing(what, runs)


def finds_nothing(what, wanted):
    """wanted: [(who, asks, options)]."""
    began, before, found, missed = time.monotonic(), targets.count(web), [], []
    runs = [Run(web.port, *run) for run in wanted]
    for run in runs:
        found += [(run, row) for row in run.finish(DEADLINE)]
        missed += run.not_tried()
    print("# %s: %d parameters, %d requests, %.0f s, to be looked at again: %s" % (
        what, sum(len(ask.names) for run in runs for ask in run.asks), targets.count(web) - before,
        time.monotonic() - began, [(run.who.name, row["Target URL"], row["Parameter"], row["Technique(s)"], row["Note(s)"])
                                   for run, row in found]))
    sys.stdout.flush()
    sure = again(found, DEADLINE)
    assert not sure, sure
    assert not missed, missed


def is_text(ask):
    return (ask.method == "GET" or ask.path == "/login") and ask.names & TEXT.get(ask.path, set())


def test_sqlmap_finds_nothing_in_what_is_read():
    """Before anything is changed, so that no list changes while it is compared."""
    scan("what is read", READS, lambda ask: ask.method == "GET" and not is_text(ask))


def test_sqlmap_finds_nothing_in_what_comes_to_the_sql_as_text():
    scan("text", TEXTS, is_text)


def test_sqlmap_finds_nothing_in_a_header():
    token = route_rows.bearer(WHO["admin"][0], "jobs:read", installation=True).headers["Authorization"]
    marked = [("Authorization", token + "*"), ("Mailconvoy-Account", "%d*" % web.acme), ("X-Request-Id", "a*"),
              ("Accept-Language", "en*"), ("X-Forwarded-For", "127.0.0.1*"),
              ("Origin", "http://127.0.0.1*"), ("User-Agent", "a*"), ("Referer", "http://127.0.0.1/*")]
    cookies = [c.split("=")[0] for c in MEMBER.cookie.split("; ")]
    finds_nothing("headers", [
        (MEMBER, [targets.Ask("GET", "/api/v1/servers", ["%s #1*" % name for name, _ in marked], headers=marked)], READS),
        (MEMBER, [targets.Ask("GET", "/migration/batches", cookies)], COOKIES)])


def test_sqlmap_finds_nothing_in_what_changes_something():
    scan("what changes something", CHANGES, lambda ask: ask.method != "GET" and not is_text(ask))


def test_every_route_did_what_it_does_for_whom_it_is():
    """At least once, where it is not to be refused.  Addresses with a secret in them are in no log."""
    seen = targets.answers(web)
    never = {r.route: sorted(set(seen.get(r.route, []))) for r in ASKED["admin"]
             if ":token" not in r.route and route_rows.ROWS[r.route].ok < 400
             and not any(status < 400 for status in seen.get(r.route, []))}
    assert not never, never


def test_nothing_broke_on_the_way():
    assert not targets.broken(web), targets.broken(web)[:20]


if __name__ == "__main__":
    tap.run(globals())
