"""The stack and the demo: what they leave running and lying about, and who can start them."""
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "http")]

import process  # noqa: E402
import stack    # noqa: E402
import tap      # noqa: E402
from tap import Skip, has, same  # noqa: E402

BUILD = os.environ.get("MCV_BUILDDIR") or stack.SOURCE
# A python that other users may run, too.
PYTHON = stack.DEBIAN_PYTHON
KEYS = ("URL ADMIN_EMAIL ADMIN_PASSWORD CA_FILE SRC_HOST SRC_PORT DST_HOST DST_PORT MAIL_USER MAIL_PASSWORD SMTP_DIR "
        "DB_SOCKET DB_NAME WORKER_PID WEB_PID CONF CTL").split()

for built in ("ctl/mailconvoyctl", "fcgi/mailconvoy-web", "worker/mailconvoy-worker", "engine/mailconvoy-sync"):
    if not os.path.exists(os.path.join(BUILD, built)):
        tap.skip_all("%s is not built" % built)
try:
    stack.Stack("/nonexistent", BUILD, port=0).check_prerequisites()
except RuntimeError as why:
    tap.skip_all(str(why))
if subprocess.run([PYTHON, "-c", "import aiosmtpd"], stderr=subprocess.DEVNULL).returncode != 0:
    tap.skip_all("no aiosmtpd (python3-aiosmtpd)")


class Place:
    """A directory that is gone afterwards, with all that runs in it."""

    def __init__(self, user=None):
        self.user = user

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="mcv-stack-")
        if self.user:
            shutil.chown(self.dir, self.user)
        return self

    def __exit__(self, *what):
        self.run("stack.py", "stop", check=False)
        shutil.rmtree(self.dir, ignore_errors=True)

    def run(self, script, *words, check=True):
        more = {}
        if self.user:
            more = {"user": self.user, "group": "nogroup", "extra_groups": [],
                    "env": {"PATH": "/usr/bin:/bin", "HOME": self.dir, "PYTHONDONTWRITEBYTECODE": "1"}}
        done = subprocess.run([PYTHON, os.path.join(HERE, script), *words, "--dir", self.dir], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
        out = done.stdout.decode(errors="replace")
        if check:
            same(done.returncode, 0, out)
        return done.returncode, out

    def env(self):
        with open(os.path.join(self.dir, "stack.env"), encoding="utf-8") as f:
            return dict(shlex.split(line)[0].split("=", 1) for line in f)

    def processes(self):
        """The command lines of whatever runs with a word below the directory."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cmdline" % pid, "rb") as f:
                    words = f.read().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if self.dir + "/" in words or words.rstrip().endswith(self.dir):
                found.append(words)
        return found

    def is_quiet(self):
        process.wait_for("all processes of %s have ended" % self.dir, lambda: not self.processes(), 30)


def demo_migrates_and_serves(place):
    _, out = place.run("demo.py", "--builddir", BUILD, "--port", "0", "--detach")
    has(out, "are the same on both servers, byte for byte")
    env = place.env()
    for key in KEYS:
        assert env.get(key), "stack.env has no %s" % key
    same(os.stat(os.path.join(place.dir, "stack.env")).st_mode & 0o777, 0o600)
    with urllib.request.urlopen(env["URL"] + "/login") as answer:
        same(answer.status, 200)
    for pid in ("WORKER_PID", "WEB_PID"):
        assert process.runs(int(env[pid])), pid
    place.run("stack.py", "stop")
    place.is_quiet()
    left = set(os.listdir(place.dir))
    same(left - {"stack.log", stack.MARK}, set(), "files left behind")


def test_the_demo_migrates_a_mailbox_and_leaves_nothing_behind():
    with Place() as place:
        demo_migrates_and_serves(place)


def test_an_ordinary_user_can_run_the_demo():
    if os.geteuid() != 0:
        raise Skip("the tests run as an ordinary user already")
    for path in (os.path.join(BUILD, "ctl", "mailconvoyctl"), os.path.join(HERE, "demo.py")):
        if subprocess.run(["test", "-r", path], user="nobody", group="nogroup", extra_groups=[]).returncode != 0:
            raise Skip("nobody cannot read %s" % path)
    with Place("nobody") as place:
        demo_migrates_and_serves(place)


def test_root_can_start_it_where_nobody_else_may_go():
    if os.geteuid() != 0:
        raise Skip("for root alone")
    with Place() as place:
        outer = place.dir
        place.dir = os.path.join(outer, "inner")
        os.mkdir(place.dir)
        place.run("stack.py", "start", "--only", "mariadb,dovecot", "--detach")
        same(os.stat(outer).st_mode & 0o777, 0o700)
        elsewhere = os.path.realpath(os.path.join(place.dir, "source"))
        place.run("stack.py", "stop")
        place.is_quiet()
        stack.clean_remains(place.dir)
        assert not os.path.exists(elsewhere)
        shutil.rmtree(outer)


def test_parts_can_be_started_alone():
    with Place() as place:
        place.run("stack.py", "start", "--only", "mariadb", "--detach", "--builddir", BUILD)
        env = place.env()
        assert os.path.exists(env["DB_SOCKET"])
        assert "URL" not in env
        place.run("stack.py", "stop")
        place.is_quiet()


def test_a_second_stack_in_one_directory_is_refused():
    with Place() as place:
        place.run("stack.py", "start", "--only", "mariadb", "--detach")
        code, out = place.run("stack.py", "start", "--only", "mariadb", "--detach", check=False)
        same(code, 1, out)
        has(out, "running already")


def test_a_killed_stack_ends_and_its_directory_can_be_used_again():
    with Place() as place:
        words = ("stack.py", "start", "--only", "mariadb,dovecot", "--no-sample", "--detach")
        place.run(*words)
        os.kill(stack.supervisor_of(place.dir), signal.SIGKILL)
        place.is_quiet()
        place.run(*words)


def test_a_directory_with_other_things_is_left_alone():
    with Place() as place:
        os.mkdir(os.path.join(place.dir, "web"))
        for script, more in (("stack.py", ["start"]), ("demo.py", ["--builddir", BUILD])):
            code, out = place.run(script, *more, check=False)
            same(code, 1, out)
            has(out, "choose an empty directory")
        assert os.path.isdir(os.path.join(place.dir, "web"))


def test_a_taken_port_is_refused_before_anything_starts():
    with Place() as place, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, out = place.run("stack.py", "start", "--port", str(taken.getsockname()[1]), "--detach", check=False)
        same(code, 1, out)
        has(out, "is taken")
        same(place.processes(), [])


def test_a_part_that_cannot_start_stops_the_others():
    with Place() as place:
        code, out = place.run("stack.py", "start", "--only", "mariadb,worker", "--detach", "--builddir",
                              os.path.join(place.dir, "nowhere"), check=False)
        same(code, 1, out)
        place.is_quiet()
        assert not os.path.exists(os.path.join(place.dir, "stack.env"))


def test_stopping_what_does_not_run_is_no_error():
    with Place() as place:
        has(place.run("stack.py", "stop")[1], "nothing runs")


if __name__ == "__main__":
    tap.run(globals())
