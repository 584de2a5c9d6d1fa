"""A private web stack for tests/http: MariaDB, mailconvoy-web behind nginx, all on loopback and Unix sockets.

The whole stack with its mail servers is tests/stack/stack.sh; the promises tested here need the web alone, and it
starts in a few seconds.
"""
import atexit
import crypt
import getpass
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse

import tap

SRC = os.environ.get("MCV_SRCDIR") or os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("MCV_BUILDDIR") or SRC
PASSWORD = "correct horse battery"

NGINX = """
worker_processes 1;
%(user)s
pid %(dir)s/nginx.pid;
error_log %(dir)s/nginx.log warn;
daemon off;
events { worker_connections 256; }
http {
    access_log off;
    client_body_temp_path %(dir)s/tmp_body; fastcgi_temp_path %(dir)s/tmp_fcgi; proxy_temp_path %(dir)s/tmp_proxy;
    uwsgi_temp_path %(dir)s/tmp_uwsgi; scgi_temp_path %(dir)s/tmp_scgi;
    server_tokens off;
    server {
        listen 127.0.0.1:%(port)d;
        client_max_body_size 2m;
        large_client_header_buffers 4 16k;
        location / {
            fastcgi_pass unix:%(dir)s/web.sock;
            fastcgi_param REQUEST_METHOD $request_method;
            fastcgi_param REQUEST_URI $request_uri;
            fastcgi_param CONTENT_TYPE $content_type;
            fastcgi_param CONTENT_LENGTH $content_length;
            fastcgi_param REMOTE_ADDR $remote_addr;
            fastcgi_param SERVER_PROTOCOL $server_protocol;
            fastcgi_param HTTP_PROXY "";
        }
    }
}
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("timed out waiting for " + what)


class Stack:
    def __init__(self, **conf):
        for program in ("mariadbd", "mariadb-install-db", "mariadb", "nginx", "spawn-fcgi", "multiwatch", "openssl"):
            if shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin") is None:
                tap.skip_all(program + " is not installed")
        self.program = os.path.join(BUILD, "fcgi", "mailconvoy-web")
        if not os.path.exists(self.program):
            tap.skip_all("mailconvoy-web is not built")
        self.dir = tempfile.mkdtemp(prefix="mcv-http-")
        self.children = []
        atexit.register(self.stop)
        self.port = free_port()
        self.start_database()
        self.make_config(conf)
        self.start_web()
        self.start_nginx()
        self.admin_account = self.add_account("Provider")
        self.add_user(self.admin_account, "admin@example.org", "admin")
        self.acme = self.add_account("Acme")
        self.add_user(self.acme, "member@example.org", "member")
        self.other = self.add_account("Other")
        self.add_user(self.other, "other@example.org", "member")

    def spawn(self, name, argv, **kw):
        log = open(os.path.join(self.dir, name + ".out"), "ab")
        p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **kw)
        self.children.append((name, p))
        return p

    def start_database(self):
        data = os.path.join(self.dir, "db")
        self.socket = os.path.join(self.dir, "db.sock")
        user = getpass.getuser()
        subprocess.run(
            ["mariadb-install-db", "--no-defaults", "--datadir=" + data, "--user=" + user, "--skip-test-db",
             "--auth-root-authentication-method=socket", "--auth-root-socket-user=" + user],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.run_database()
        self.sql("CREATE DATABASE mailconvoy CHARACTER SET utf8mb4", database="")
        with open(os.path.join(SRC, "sql", "0001_initial.sql"), encoding="utf-8") as f:
            self.sql(f.read())

    def run_database(self):
        self.database = self.spawn("mariadbd", [
            shutil.which("mariadbd", path="/usr/sbin:" + os.environ["PATH"]), "--no-defaults",
            "--datadir=" + os.path.join(self.dir, "db"), "--socket=" + self.socket, "--skip-networking",
            "--user=" + getpass.getuser(), "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M",
            "--pid-file=" + os.path.join(self.dir, "db.pid")])
        wait_for(lambda: subprocess.run(["mariadb", "--no-defaults", "-S", self.socket, "-e", "SELECT 1"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0,
                 30, "the database")

    def sql(self, text, database="mailconvoy"):
        """Run SQL; rows as lists of strings."""
        out = subprocess.run(
            ["mariadb", "--no-defaults", "--default-character-set=utf8mb4", "-S", self.socket, "-N", "-B", database],
            input=("SET time_zone='+00:00';\n" + text).encode(), check=True, stdout=subprocess.PIPE)
        return [line.split("\t") for line in out.stdout.decode("utf-8", "replace").splitlines()]

    def make_config(self, conf):
        key = os.path.join(self.dir, "sealing.key")
        pub = os.path.join(self.dir, "sealing.pub")
        subprocess.run(["openssl", "genpkey", "-algorithm", "X25519", "-out", key], check=True)
        subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", pub], check=True)
        os.chmod(key, 0o400)
        values = {
            "base_url": "http://127.0.0.1:%d" % self.port, "database_socket": self.socket,
            "database_name": "mailconvoy", "public_key_file": pub, "private_key_file": key,
            "template_path": os.environ.get("MCV_TEMPLATES") or os.path.join(SRC, "templates"), "run_dir": self.dir, "state_dir": self.dir,
        }
        values.update(conf)
        self.conf = os.path.join(self.dir, "mailconvoy.conf")
        with open(self.conf, "w", encoding="utf-8") as f:
            for name, value in values.items():
                f.write("%s = %s\n" % (name, value if isinstance(value, int) else '"%s"' % value))

    def start_web(self):
        env = dict(os.environ, ASAN_OPTIONS="detect_leaks=1:exitcode=99:quarantine_size_mb=4", UBSAN_OPTIONS="print_stacktrace=1")
        self.web = self.spawn("web", [
            "spawn-fcgi", "-n", "-s", os.path.join(self.dir, "web.sock"), "-M", "0660", "--",
            shutil.which("multiwatch"), "-f", "2", "--", self.program, "-c", self.conf], env=env)

    def start_nginx(self):
        path = os.path.join(self.dir, "nginx.conf")
        with open(path, "w", encoding="utf-8") as f:
            f.write(NGINX % {"dir": self.dir, "port": self.port,
                             "user": "user root;" if os.geteuid() == 0 else ""})
        self.nginx = self.spawn("nginx", [shutil.which("nginx", path="/usr/sbin:" + os.environ["PATH"]),
                                          "-e", os.path.join(self.dir, "nginx.log"), "-p", self.dir, "-c", path])

        def answers():
            try:
                return self.anyone().get("/login").status in (200, 500)
            except OSError:
                return False
        try:
            wait_for(answers, 30, "the web")
        except AssertionError:
            raise AssertionError("the web does not answer:\n" + self.output("web") + self.output("nginx"))

    def output(self, name):
        with open(os.path.join(self.dir, name + ".out"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def stop(self):
        for name, p in reversed(self.children):
            if p.poll() is None:
                p.terminate()
        for name, p in reversed(self.children):
            try:
                p.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(p.pid, signal.SIGKILL)
                p.wait()
        self.children = []
        log = os.path.join(self.dir, "web.out")
        if os.path.exists(log):
            text = self.output("web")
            if "Sanitizer" in text or "runtime error" in text:
                print("# the web broke a rule of memory:\n# " + "\n# ".join(text.splitlines()))
                os._exit(1)
        shutil.rmtree(self.dir, ignore_errors=True)

    def add_account(self, name):
        self.sql("INSERT INTO account (name, created_at) VALUES ('%s', UTC_TIMESTAMP(6))" % name)
        return int(self.sql("SELECT id FROM account WHERE name = '%s'" % name)[0][0])

    def add_user(self, account, email, role):
        hashed = crypt.crypt(PASSWORD, "$y$j9T$F5Jx5fExrKuPp53xLKQ..1")
        self.sql("INSERT INTO user (account_id, email, password_hash, role, created_at) VALUES "
                 "(%d, '%s', '%s', '%s', UTC_TIMESTAMP(6))" % (account, email, hashed, role))

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
        """A job's row as worker and web would have left it."""
        ended = state not in ("queued", "running")
        values = {
            "account_id": account, "name": "'%s'" % name if name else "NULL", "dry_run": 1, "state": "'%s'" % state,
            "src_server_name": "'A'", "src_host": "'a.example.org'", "src_port": 993, "src_security": "'tls'",
            "src_verify": 1, "src_user": "'ann'", "src_sealed": "'x'",
            "dst_server_name": "'B'", "dst_host": "'b.example.org'", "dst_port": 993, "dst_security": "'tls'",
            "dst_verify": 1, "dst_user": "'ann2'", "dst_sealed": "'x'",
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
