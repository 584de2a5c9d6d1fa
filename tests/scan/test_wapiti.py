"""
wapiti finds nothing on any page and in any form, whoever asks; and it does find what is there to be found.

It begins at every page of the program's table, with every parameter, and goes one link or form further.  The panel says
here that it is reached by TLS, so that its cookies and headers are those of an installation.
"""
import atexit
import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import targets
import tap
import vulnerable
import webstack

SECONDS_MAX = 2400
# What it tries in each form and address; what is left out (ssrf, xxe) would ask servers of its authors for help.
MODULES = "sql,xss,permanentxss,exec,file,redirect,crlf,csrf,cookieflags,http_headers,csp,methods,backup,htaccess"
# The most that the walk and each module get.  An idle machine needs less.
WALK_S, MODULE_S = 300, 60
# Debian 12's wapiti 3.0.4 translates a pattern of -x into one that its Python 3.11 refuses.
START = """
import fnmatch, re
import wapitiCore.net.crawler
wapitiCore.net.crawler.wildcard_translate = lambda pattern: re.compile(fnmatch.translate(pattern))
from wapitiCore.main.wapiti import wapiti_main
wapiti_main()
"""
BASE = "https://panel.example.org"
# One header, wapiti's very words: browsers have given X-XSS-Protection up, and where they have not it opens holes.
NO_FINDING = ("HTTP Secure Headers", "X-XSS-Protection is not set")

if shutil.which("wapiti") is None:
    print("wapiti is not installed")
    sys.exit(77)
web = targets.start(base_url=BASE)
outside = tempfile.TemporaryDirectory(prefix="mcv-wapiti-")


class Run:
    """A wapiti, under way when made."""

    def __init__(self, port, who, starts):
        self.who = who
        self.home = tempfile.mkdtemp(dir=outside.name)
        url = "http://127.0.0.1:%d" % port
        words = ["/usr/bin/python3", "-c", START, "-u", url + "/", "--scope", "folder", "-m", MODULES, "-f", "json",
                 "-o", os.path.join(self.home, "report"), "--store-session", self.home, "--store-config", self.home,
                 "--flush-session", "--no-bugreport", "-v", "1", "-d", "1", "--max-links-per-page", "20",
                 "--max-scan-time", str(WALK_S), "--max-attack-time", str(MODULE_S), "-t", "60",
                 "-x", url + "/logout", "-S", "normal"]
        for start in starts:
            words += ["-s", url + start]
        # a cookie that is for TLS alone would not be sent by its own jar
        words += ["-H", "Cookie: " + who.cookie]
        with open(os.path.join(self.home, "said"), "wb") as out:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.home,
                                            env=dict(os.environ, HOME=self.home))
        atexit.register(self.process.kill)

    def said(self):
        with open(os.path.join(self.home, "said"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def finish(self):
        """{kind: [what was found]} of its report."""
        try:
            self.process.wait(SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("wapiti did not end by itself within %d s" % SECONDS_MAX) from None
        assert os.path.exists(os.path.join(self.home, "report")), self.said()[-3000:]
        with open(os.path.join(self.home, "report"), encoding="utf-8") as report:
            told = json.load(report)
        return {kind: found for part in ("vulnerabilities", "anomalies") for kind, found in told[part].items() if found}

    def cut_short(self):
        return [line.strip() for line in self.said().splitlines() if "time was reached" in line]


ORIGIN = {"Origin": BASE}
WHO = {"nobody": (targets.Who(web, "", web.acme, **ORIGIN), {"anyone"}),
       "member": (targets.Who(web, "member", web.acme, **ORIGIN), {"anyone", "member"}),
       "admin": (targets.Who(web, "admin", web.admin_account, **ORIGIN), {"anyone", "member", "admin"})}


def test_wapiti_finds_the_holes_of_a_page_that_has_some():
    run = Run(vulnerable.start(web.stack.db.socket), WHO["member"][0], ["/?id=1&name=x"])
    found = run.finish()
    for kind in ("SQL Injection", "Cross Site Scripting", "Content Security Policy Configuration", "HTTP Secure Headers"):
        assert found.get(kind), (kind, sorted(found), run.said()[-2000:])


def test_wapiti_finds_nothing_on_any_page():
    began, found, slow = time.monotonic(), [], collections.Counter()
    runs = []
    for who, needs in WHO.values():
        starts = [url for r in targets.requests(web, who, needs) if r.method == "GET"
                  for url in ([r.path, targets.Ask("GET", r.path, [], r.query).url] if r.query else [r.path])]
        runs.append(Run(web.port, who, starts))
    for run in runs:
        for kind, list_of in run.finish().items():
            found += [(run.who.name, kind, f["method"], f["path"], f["info"], f["parameter"]) for f in list_of
                      if (kind, f["info"]) != NO_FINDING]
        slow.update(run.cut_short())
    print("# wapiti: %d requests in %.0f s" % (targets.count(web), time.monotonic() - began))
    for what, times in slow.items():
        print("# %s (%d)" % (what, times))
    assert not found, "\n".join(map(str, found[:40]))


def test_every_page_was_read_and_every_user_was_signed_in_to_the_end():
    seen = targets.answers(web)
    missing = {route: sorted(set(seen.get(route, []))) for route in targets.table(web)
               if route.startswith("GET ") and ":token" not in route and not {200, 303} & set(seen.get(route, []))}
    assert not missing, missing
    for who, _ in WHO.values():
        if who.user:
            tap.same(webstack.Browser(web.port).get("/session", Cookie=who.cookie).status, 200, who.name)


def test_nothing_broke_on_the_way():
    assert not targets.broken(web), targets.broken(web)[:20]


if __name__ == "__main__":
    tap.run(globals())
