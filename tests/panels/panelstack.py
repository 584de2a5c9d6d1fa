"""
The stack with web and worker as the users of an installation, and customers with system users of their own, as on the
machine of a control panel.  All users exist in a mount namespace only.
"""
import atexit
import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [os.path.join(TESTS, "stack"), os.path.join(TESTS, "http")]

import namespace  # noqa: E402
import stack      # noqa: E402
import tap        # noqa: E402
from panel import Panel  # noqa: E402

BUILD = os.environ.get("MCV_BUILDDIR") or stack.SOURCE
PLUGINS = os.path.join(stack.SOURCE, "conf", "panels")
CUSTOMERS = {"bob": 58811, "eve": 58812}
# mailconvoyctl with the configuration of this stack.  What the plugins call also writes down each sso-link: who called,
# with what, and the whole environment.
NOTING = """#!/bin/sh
if [ "$1" = sso-link ]; then
    { id -un; printf '%%s\\n' "$@"; env | sort; } > %(dir)s/calls/$(id -un)
fi
exec %(ctl)s -c %(conf)s "$@"
"""


def need(*programs):
    for program in programs:
        if shutil.which(program) is None:
            tap.skip_all("no %s on this machine" % program)


class Host:
    """A panel's machine.  ctl: mailconvoyctl as the plugins call it."""

    def __init__(self, script):
        namespace.enter(script, BUILD)
        self.dir = tempfile.mkdtemp(prefix="mcv-panels-", dir="/tmp")
        os.chmod(self.dir, 0o755)
        atexit.register(shutil.rmtree, self.dir, ignore_errors=True)
        namespace.USERS.update(CUSTOMERS)
        namespace.add_users(self.dir)
        self.stack = stack.Stack(os.path.join(self.dir, "stack"), BUILD, port=0, separate=True, sso=True,
                                 parts=("mariadb", "web"), settings=self.settings())
        try:
            self.stack.check_prerequisites()
        except RuntimeError as why:
            tap.skip_all(str(why))
        atexit.register(self.stack.stop)
        self.stack.start()
        self.calls = os.path.join(self.dir, "calls")
        os.mkdir(self.calls)
        os.chmod(self.calls, 0o1777)
        self.ctl = self.program("ctl", NOTING)
        self.panel = Panel(self.stack.env["URL"])
        self.panel.sign_in(self.stack.env["ADMIN_EMAIL"], self.stack.env["ADMIN_PASSWORD"])

    def settings(self):
        return {}

    def program(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="ascii") as out:
            out.write(text % {"dir": self.dir, "ctl": self.stack.ctl, "conf": self.stack.conf})
        os.chmod(path, 0o755)
        return path

    def copy(self, name, to):
        """A plugin's directory as its panel would have it: root's, readable for all."""
        target = os.path.join(self.dir, to)
        shutil.copytree(os.path.join(PLUGINS, name), target)
        return target

    def call_of(self, user):
        """What was noted of the last call by user: (user, words, environment)."""
        path = os.path.join(self.calls, user)
        with open(path, encoding="utf-8") as f:
            lines = f.read().splitlines()
        os.unlink(path)
        words = [line for line in lines[1:] if "=" not in line or line.startswith("/")]
        return lines[0], words, dict(line.split("=", 1) for line in lines[1 + len(words):])

    def refuse(self, refusing):
        """Nobody answers at the socket any more; somebody does again, who counts from nothing."""
        if self.stack.sso_process.child.poll() is None:
            self.stack.sso_process.stop()
            self.stack.running.remove(self.stack.sso_process)
        if not refusing:
            self.stack.start_sso()

    def follow(self, url):
        """Use a link as a browser does: (a session of whom it signs in, where it leads)."""
        base = self.stack.env["URL"]
        tap.same(url[:len(base) + 5], base + "/sso/")
        visitor = Panel(base)
        page = visitor.page(url[len(base):])
        form = re.search(r'<form[^>]* method="post"[^>]*>.*?</form>', page, re.S).group(0)
        action = re.search(r' action="([^"]*)"', form)
        fields = [(name, html.unescape(value))
                  for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)]
        status, headers, body = visitor.raw(
            "POST", html.unescape(action.group(1)) if action else url[len(base):], urllib.parse.urlencode(fields),
            {"Content-Type": "application/x-www-form-urlencoded"})
        tap.same(status, 303, body.decode(errors="replace")[:2000])
        visitor.csrf = visitor.token_of(visitor.page("/migration/jobs"))
        return visitor, headers["Location"]

    def opens(self, url, user, where="/migration/jobs"):
        """The link leads there, signed in to that customer's account, works once, and shows nothing of others'."""
        visitor, to = self.follow(url)
        tap.same(to, where)
        account = self.account(user)["id"]
        who = visitor.get("/session")["user"]
        tap.same(who["role"], "member")
        tap.same(self.rows("SELECT account_id FROM user WHERE email = '%s'" % who["email"]), [[str(account)]])
        if not visitor.get("/migration/jobs")["jobs"]:
            server = visitor.add_server("Server", "imap.example.org", 993, shared=False)["id"]
            visitor.add_job(server, user, "secret", server, user + "2", "secret", name="job of " + user)
        jobs = self.rows("SELECT id, account_id FROM job")
        own = sorted(int(job) for job, of in jobs if of == str(account))
        tap.same(sorted(job["id"] for job in visitor.get("/migration/jobs")["jobs"]), own)
        tap.has(visitor.page("/migration/jobs"), "job of " + user)
        for job, of in jobs:
            status, _, _ = visitor.raw("GET", "/migration/jobs/" + job)
            tap.same((job, status), (job, 200 if of == str(account) else 404))
        tap.same(visitor.raw("GET", "/migration/accounts")[0], 403)
        tap.same(Panel(self.stack.env["URL"]).raw("GET", url[len(self.stack.env["URL"]):])[0], 404)

    def rows(self, text):
        return [line.split("\t") for line in self.stack.db.sql("USE mailconvoy; " + text).splitlines()]

    def account(self, external, issuer="local"):
        """What that issuer calls so as an administrator sees it, or None."""
        found = self.panel.get("/api/v1/accounts?external_id=%s&issuer=%s" % (external, issuer))["accounts"]
        return found[0] if found else None

    def add_account(self, external):
        return self.panel.form("/api/v1/accounts", {"name": "Account of " + external, "external_id": external,
                                                      "may_exist": "1"})["account"]


def run_as(user, *words, env=None, text="", cwd="/"):
    """(exit code, standard output) as that system user; env is all the environment there is."""
    number = namespace.USERS.get(user, 0)
    done = subprocess.run(words, user=number, group=number, extra_groups=[], env=env or {}, cwd=cwd,
                          input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def wait_for(what, condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("not within %d s: %s" % (seconds, what))
        time.sleep(0.05)
