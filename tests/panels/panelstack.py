"""
The stack with web and worker as the users of an installation, and customers with system users of their own, as on the
machine of a control panel.  All users exist in a mount namespace only.
"""
import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [os.path.join(TESTS, "stack"), os.path.join(TESTS, "http")]

import namespace  # noqa: E402
import stack      # noqa: E402
import tap        # noqa: E402
from panel import Panel  # noqa: E402

BUILD = os.environ.get("MCV_BUILDDIR") or stack.SOURCE
PLUGINS = os.path.join(stack.SOURCE, "conf", "panels")
CUSTOMERS = {"bob": 61811, "eve": 61812}
# What the stand-in of mailconvoyctl writes about each call: who called, with what, and the whole environment.
RECORDER = """#!/bin/sh
case $1 in
sso-link)
    if [ -e %(dir)s/refuse ]; then echo "the socket does not answer" >&2; exit 69; fi
    { id -un; printf '%%s\\n' "$@"; env | sort; } > %(dir)s/calls/$(id -un)
    printf 'https://mail.example.org/sso/%%s\\n' "$(id -un)"
    ;;
*) exec %(ctl)s -c %(conf)s "$@" ;;
esac
"""
REAL = """#!/bin/sh
exec %(ctl)s -c %(conf)s "$@"
"""


def need(*programs):
    for program in programs:
        if shutil.which(program) is None:
            tap.skip_all("no %s on this machine" % program)


class Host:
    """A panel's machine.  ctl: mailconvoyctl as the plugins call it; recorder: the stand-in that notes sso-link."""

    def __init__(self, script):
        namespace.enter(script, BUILD)
        self.dir = tempfile.mkdtemp(prefix="mcv-panels-", dir="/tmp")
        os.chmod(self.dir, 0o755)
        atexit.register(shutil.rmtree, self.dir, ignore_errors=True)
        namespace.USERS.update(CUSTOMERS)
        namespace.add_users(self.dir)
        self.stack = stack.Stack(os.path.join(self.dir, "stack"), BUILD, port=0, separate=True,
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
        self.recorder = self.program("recorder", RECORDER)
        self.ctl = self.program("ctl", REAL)
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
        """What the recorder noted of the last call by user: (user, words, environment)."""
        path = os.path.join(self.calls, user)
        with open(path, encoding="utf-8") as f:
            lines = f.read().splitlines()
        os.unlink(path)
        words = [line for line in lines[1:] if "=" not in line or line.startswith("/")]
        return lines[0], words, dict(line.split("=", 1) for line in lines[1 + len(words):])

    def refuse(self, refusing):
        path = os.path.join(self.dir, "refuse")
        if refusing:
            with open(path, "w", encoding="ascii"):
                os.chmod(path, 0o644)
        elif os.path.exists(path):
            os.unlink(path)

    def account(self, external):
        """Of that external id as an administrator sees it, or None."""
        found = self.panel.get("/api/v1/accounts?external_id=" + external)["accounts"]
        return found[0] if found else None

    def add_account(self, external):
        return self.panel.form("/api/v1/accounts", {"name": "Account of " + external, "external_id": external})["account"]


def run_as(user, *words, env=None, text="", cwd="/"):
    """(exit code, standard output) as that system user; env is all the environment there is."""
    number = namespace.USERS.get(user, 0)
    done = subprocess.run(words, user=number, group=number, extra_groups=[], env=env or {}, cwd=cwd,
                          input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def wait_for(what, condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("not within %d s: %s" % (seconds, what))
        time.sleep(0.05)
