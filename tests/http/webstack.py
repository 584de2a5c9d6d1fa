"""The web alone (MariaDB, mailconvoy-web behind nginx), started by tests/stack for the tests in this folder."""
import atexit
import crypt
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse

import tap

SRC = os.environ.get("MCV_SRCDIR") or os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("MCV_BUILDDIR") or SRC
PASSWORD = "correct horse battery"
sys.path += [os.path.join(SRC, "tests", "stack"), os.path.join(SRC, "tests", "engine")]

import stack  # noqa: E402


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("timed out waiting for " + what)


class Stack:
    """settings: lines of mailconvoy.conf; limits: nginx's own are on."""

    def __init__(self, limits=False, **settings):
        self.program = os.path.join(BUILD, "fcgi", "mailconvoy-web")
        for program in (self.program, os.path.join(BUILD, "ctl", "mailconvoyctl")):
            if not os.path.exists(program):
                tap.skip_all(os.path.basename(program) + " is not built")
        # what freed memory a sanitizer keeps back would hide what the program needs
        os.environ["ASAN_OPTIONS"] = "detect_leaks=1:exitcode=99:quarantine_size_mb=4"
        self.boxes = 0
        self.dir = tempfile.mkdtemp(prefix="mcv-http-")
        self.stack = stack.Stack(self.dir, BUILD, port=0, parts=("mariadb", "web"), settings=settings,
                                 limits=limits)
        try:
            self.stack.check_prerequisites()
        except RuntimeError as why:
            tap.skip_all(str(why))
        # whatever ends the tests ends the stack
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
        atexit.register(self.stop)
        self.stack.start()
        self.port = self.stack.port
        self.conf = self.stack.conf
        self.admin_account = int(self.sql("SELECT account_id FROM user WHERE email = 'admin@example.org'")[0][0])
        self.sql("UPDATE user SET password_hash = '%s' WHERE email = 'admin@example.org'" % self.hashed())
        self.acme = self.add_account("Acme")
        self.add_user(self.acme, "member@example.org", "member")
        self.other = self.add_account("Other")
        self.add_user(self.other, "other@example.org", "member")

    def stop(self):
        self.stack.stop()
        text = self.output()
        shutil.rmtree(self.dir, ignore_errors=True)
        if "Sanitizer" in text or "runtime error" in text:
            print("Bail out! the web broke a rule of memory")
            print("# " + "\n# ".join(text.splitlines()[-60:]))
            sys.stdout.flush()
            os._exit(1)

    def output(self):
        """What the web processes wrote."""
        try:
            with open(os.path.join(self.dir, "web", "web.log"), encoding="utf-8", errors="replace") as f:
                return f.read()
        except OSError:
            return ""

    def kill_database(self):
        self.stack.db.process.child.kill()
        self.stack.db.process.child.wait()

    def run_database(self):
        self.stack.db.start()

    def processes(self):
        """The pids of the web processes."""
        pid = self.stack.env["WEB_PID"]
        with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as f:
            return [int(word) for word in f.read().split()]

    def sql(self, text, database="mailconvoy"):
        """Run SQL; rows as lists of strings."""
        out = subprocess.run(
            ["mariadb", "--no-defaults", "--default-character-set=utf8mb4", "-S", self.stack.db.socket, "-N", "-B",
             database], input=("SET time_zone='+00:00';\n" + text).encode(), check=True, stdout=subprocess.PIPE)
        return [line.split("\t") for line in out.stdout.decode("utf-8", "replace").splitlines()]

    @staticmethod
    def hashed():
        return crypt.crypt(PASSWORD, "$y$j9T$F5Jx5fExrKuPp53xLKQ..1")

    def add_account(self, name):
        self.sql("INSERT INTO account (name, created_at) VALUES ('%s', UTC_TIMESTAMP(6))" % name)
        return int(self.sql("SELECT id FROM account WHERE name = '%s'" % name)[0][0])

    def add_user(self, account, email, role):
        self.sql("INSERT INTO user (account_id, email, password_hash, role, created_at) VALUES "
                 "(%d, '%s', '%s', '%s', UTC_TIMESTAMP(6))" % (account, email, self.hashed(), role))

    def anyone(self, **headers):
        return Browser(self.port, headers)

    def sign_in(self, who, **headers):
        b = self.anyone(**headers)
        answer = b.login(who + "@example.org", PASSWORD)
        tap.same(answer.status, 303, "sign-in of " + who)
        return b

    def add_server(self, account, name="Server", host="imap.example.org", port=993, security="tls"):
        self.sql("INSERT INTO server (account_id, name, host, port, security, verify, created_at, updated_at) VALUES "
                 "(%s, '%s', '%s', %d, '%s', 1, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))"
                 % (account or "NULL", name, host, port, security))
        return int(self.sql("SELECT MAX(id) FROM server")[0][0])

    def add_job(self, account, state="queued", name=None, log=b"", **columns):
        """A job's row as worker and web would have left it, of a mailbox of its own."""
        self.boxes += 1
        ended = state not in ("queued", "running")
        values = {
            "account_id": account, "name": "'%s'" % name if name else "NULL", "dry_run": 1, "state": "'%s'" % state,
            "src_server_name": "'A'", "src_host": "'a.example.org'", "src_port": 993, "src_security": "'tls'",
            "src_verify": 1, "src_user": "'ann'", "src_sealed": "'x'",
            "dst_server_name": "'B'", "dst_host": "'b.example.org'", "dst_port": 993, "dst_security": "'tls'",
            "dst_verify": 1, "dst_user": "'box%d'" % self.boxes, "dst_sealed": "'x'",
            "queued_at": "UTC_TIMESTAMP(6)", "updated_at": "UTC_TIMESTAMP(6)", "log_bytes": len(log),
        }
        if state != "queued":
            values["started_at"] = "UTC_TIMESTAMP(6)"
        if state == "running":
            values.update(claim_token="RANDOM_BYTES(16)", worker_id=1, lease_until="UTC_TIMESTAMP(6) + INTERVAL 1 HOUR")
        if ended:
            values["finished_at"] = "UTC_TIMESTAMP(6)"
        values.update(columns)
        job = int(self.sql("INSERT INTO job (%s) VALUES (%s); SELECT LAST_INSERT_ID()"
                           % (", ".join(values), ", ".join(str(v) for v in values.values())))[0][0])
        self.add_log(job, 0, log)
        return job

    def add_log(self, job, start, data):
        rows = ["(%d, %d, %d, 0, x'%s', UTC_TIMESTAMP(6))" % (job, start + at, len(data[at:at + 65536]),
                                                              data[at:at + 65536].hex())
                for at in range(0, len(data), 65536)]
        for row in rows:
            self.sql("INSERT INTO job_log (job_id, start, length, encoding, bytes, at) VALUES " + row)
        self.sql("UPDATE job SET log_bytes = %d WHERE id = %d" % (start + len(data), job))

    def end_job(self, job, state="done"):
        self.sql("UPDATE job SET state = '%s', claim_token = NULL, lease_until = NULL, finished_at = UTC_TIMESTAMP(6) "
                 "WHERE id = %d" % (state, job))


class Answer:
    def __init__(self, response, body):
        self.status = response.status
        self.headers = response.headers
        self.body = body
        self.text = body.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.text)

    @property
    def location(self):
        return self.headers.get("Location")


class Browser:
    """Keeps cookies, knows the CSRF token; one connection a request."""

    def __init__(self, port, headers=None):
        self.port = port
        self.cookies = {}
        self.headers = dict(headers or {})
        self.csrf = None

    def request(self, method, path, body=None, headers=None, form=None, cookies=True):
        h = dict(self.headers)
        h.update(headers or {})
        if form is not None:
            body = urllib.parse.urlencode(form)
            h.setdefault("Content-Type", "application/x-www-form-urlencoded")
        if cookies and self.cookies:
            h["Cookie"] = "; ".join("%s=%s" % kv for kv in self.cookies.items())
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            c.request(method, path, body, h)
            r = c.getresponse()
            answer = Answer(r, r.read())
        finally:
            c.close()
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, value = line.split(";")[0].split("=", 1)
            if value == "":
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return answer

    def get(self, path, **headers):
        return self.request("GET", path, headers=headers)

    def json(self, path):
        return self.request("GET", path, headers={"Accept": "application/json"})

    def post(self, path, form=None, headers=None):
        """A form with the right token."""
        form = dict(form or {})
        if self.csrf:
            form.setdefault("csrf", self.csrf)
        return self.request("POST", path, form=form, headers=headers)

    def post_json(self, path, form=None):
        return self.post(path, form, {"Accept": "application/json"})

    def login(self, email, password, next_path=None):
        token = self.login_token()
        form = {"email": email, "password": password, "csrf": token}
        if next_path:
            form["next"] = next_path
        answer = self.request("POST", "/login", form=form)
        if answer.status == 303:
            self.csrf = self.json("/session").json()["csrf"]
        return answer

    def login_token(self):
        page = self.get("/login")
        m = re.search(r'name="csrf"\s+value="([0-9a-f]+)"', page.text)
        if m is None:
            raise AssertionError("no token on the sign-in page: %d %s" % (page.status, page.text[:500]))
        return m.group(1)
