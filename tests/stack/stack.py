"""The whole of mailconvoy and the servers around it, started in one private directory.

    stack.py start --dir DIR [--port N] [--builddir B] [--detach] [--no-sample] [--only PART,...]
    stack.py stop --dir DIR

Parts: mariadb, dovecot, smtp, web, worker (all of them unless --only).  DIR/stack.env says where everything is; the
supervising process ends all others when it ends.
"""

import argparse
import json
import os
import secrets
import shlex
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(SOURCE, "tests", "engine")]

import dovecot  # noqa: E402
import mariadb  # noqa: E402
import sample   # noqa: E402
import web      # noqa: E402
from process import Process, die_with_parent, free_port, port_taken, runs, wait_for  # noqa: E402

PARTS = ("mariadb", "dovecot", "smtp", "web", "worker")
DEFAULT_PORT = 8080
USERS = 20
# aiosmtpd is a Debian package: it belongs to Debian's python, whatever comes first on PATH.
DEBIAN_PYTHON = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else sys.executable
ADMIN = "admin@example.org"
WEB_USER, WORKER_USER = "mailconvoy-web", "mailconvoy-worker"
ELSEWHERE = "mailconvoy-mail-"
MARK = ".mailconvoy-stack"
REMAINS = ("mariadb", "source", "destination", "ca", "keys", "state", "web", "smtp", "mailconvoy.conf", "smtp.log",
           "sso.log", "worker.log")


def listens(path):
    """Whether the Unix socket takes connections: it is there, and open to all, a moment before it does."""
    with open("/proc/net/unix", encoding="utf-8") as f:
        return any(words[3] == "00010000" and words[-1] == path for words in map(str.split, f))


class Stack:
    """port: 0 finds a free one; None is 8080, or a free one when that is taken."""

    def __init__(self, directory, builddir, port=None, parts=PARTS, with_sample=True, settings=None, quick=False,
                 separate=False, limits=False, sso=False):
        self.dir = os.path.abspath(directory)
        self.build = os.path.abspath(builddir)
        self.parts = parts
        self.with_sample = with_sample
        if port is None:
            port = 0 if port_taken(DEFAULT_PORT) else DEFAULT_PORT
        self.port = free_port() if port == 0 else port
        self.settings = settings or {}
        self.quick = quick
        # As root: web and worker run as the users of an installation, made known by mailconvoyctl setup.
        self.separate = separate
        self.limits = limits
        # The local socket for sign-in links, beside the web.
        self.sso = sso
        self.running = []
        self.env = {}
        self.ctl = os.path.join(self.build, "ctl", "mailconvoyctl")
        self.conf = os.path.join(self.dir, "mailconvoy.conf")

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def check_prerequisites(self):
        if "mariadb" in self.parts and mariadb.missing():
            raise RuntimeError(mariadb.missing())
        if "dovecot" in self.parts and dovecot.missing():
            raise RuntimeError(dovecot.missing())
        if "web" in self.parts:
            if web.missing():
                raise RuntimeError(web.missing())
            if port_taken(self.port):
                raise RuntimeError("port %d on 127.0.0.1 is taken; choose another with --port N (0 finds one)"
                                   % self.port)

    def start(self):
        self.check_prerequisites()
        os.makedirs(self.dir, exist_ok=True)
        with open(self.path(MARK), "w", encoding="ascii"):
            pass
        with open(self.path("stack.pid"), "w", encoding="ascii") as out:
            out.write("%d\n" % os.getpid())
        try:
            for part in PARTS:
                if part in self.parts:
                    getattr(self, "start_" + part)()
            self.write_env()
        except BaseException:
            self.stop()
            raise
        return self

    def start_mariadb(self):
        db = mariadb.MariaDB(self.path("mariadb"))
        self.running.append(db)
        db.start()
        self.db = db
        db.sql("CREATE DATABASE IF NOT EXISTS mailconvoy CHARACTER SET utf8mb4")
        self.env.update(DB_SOCKET=db.socket, DB_NAME="mailconvoy")

    def mail_dir(self, side):
        """
        Where that Dovecot lives: below our directory, unless root starts it in a place that the users Dovecot
        switches to cannot reach; then it is elsewhere, with a link here.
        """
        if os.geteuid() != 0 or dovecot.reachable(os.path.dirname(self.dir)):
            return self.path(side)
        elsewhere = tempfile.mkdtemp(prefix=ELSEWHERE, dir="/var/tmp")
        os.symlink(elsewhere, self.path(side))
        return os.path.join(elsewhere, side)

    def start_dovecot(self):
        authority = dovecot.Authority(self.path("ca"))
        password = secrets.token_urlsafe(15)
        users = {"user": password}
        users.update(("user%d" % n, password) for n in range(1, USERS + 1))
        for side in ("source", "destination"):
            server = dovecot.Dovecot(self.mail_dir(side), authority, users=users,
                                     separator="/" if side == "source" else ".", special=side == "destination")
            server.before_exec = die_with_parent
            self.running.append(server)
            server.start()
            setattr(self, side, server)
        self.env.update(
            CA_FILE=authority.ca_file, MAIL_USER="user", MAIL_PASSWORD=password,
            SRC_HOST="localhost", SRC_PORT=self.source.tls_port, SRC_PORT_STARTTLS=self.source.port,
            SRC_PORT_PLAIN=self.source.port, DST_HOST="localhost", DST_PORT=self.destination.tls_port,
            DST_PORT_STARTTLS=self.destination.port, DST_PORT_PLAIN=self.destination.port, MAIL_USERS=USERS)
        if self.with_sample:
            sample.fill("localhost", self.source.tls_port, ssl.create_default_context(cafile=authority.ca_file),
                        "user", password, big=not self.quick)

    def start_smtp(self):
        port = free_port()
        directory = self.path("smtp")
        os.makedirs(directory, exist_ok=True)
        self.running.append(Process("smtp_catcher", [DEBIAN_PYTHON, os.path.join(HERE, "smtp_catcher.py"), str(port),
                                                     directory], self.path("smtp.log")))
        wait_for("the SMTP catcher", lambda: self.running[-1].check() or port_taken(port))
        self.env.update(SMTP_DIR=directory, SMTP_PORT=port)

    def write_conf(self):
        values = {
            "base_url": "http://127.0.0.1:%d" % self.port,
            "database_socket": self.path("mariadb", "db.sock"),
            "public_key_file": self.path("keys", "sealing.pub"),
            "private_key_file": self.path("keys", "sealing.key"),
            "second_factor_key_file": self.path("keys", "second-factor.key"),
            "template_path": os.path.join(SOURCE, "templates"),
            "static_dir": os.path.join(SOURCE, "templates", "static"),
            "sql_dir": os.path.join(SOURCE, "sql"),
            "state_dir": self.path("state"),
            "run_dir": self.path("web"),
            "sso_socket": self.path("web", "sso.sock"),
            "engine_program": os.path.join(self.build, "engine", "mailconvoy-sync"),
        }
        if "CA_FILE" in self.env:
            values["ca_file"] = self.env["CA_FILE"]
        if "SMTP_PORT" in self.env:
            values.update(smtp_host="127.0.0.1", smtp_port=self.env["SMTP_PORT"], smtp_security="none",
                          mail_from="mailconvoy@example.org")
        values.update(self.settings)
        with open(self.conf, "w", encoding="utf-8") as out:
            for key, value in values.items():
                text = json.dumps(value)
                out.write("%s = %s\n" % (key, "{%s}" % text[1:-1] if isinstance(value, list) else text))

    def run_ctl(self, *words, text=""):
        done = subprocess.run([self.ctl, "-c", self.conf, *words], input=text.encode(), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise RuntimeError("mailconvoyctl %s: %s" % (" ".join(words), done.stdout.decode(errors="replace")))
        return done.stdout.decode()

    def prepare(self):
        """Schema, keys and the first administrator."""
        if os.path.exists(self.conf):
            return
        for name in ("keys", "state", "web"):
            os.makedirs(self.path(name), mode=0o700, exist_ok=True)
        self.write_conf()
        if self.separate:
            self.prepare_separated()
            return
        self.run_ctl("db", "migrate")
        self.run_ctl("key", "generate")
        self.run_ctl("key", "second-factor")
        password = secrets.token_urlsafe(15)
        self.run_ctl("user", "add", "--role", "admin", ADMIN, text=password + "\n")
        self.env.update(ADMIN_EMAIL=ADMIN, ADMIN_PASSWORD=password)

    def prepare_separated(self):
        for directory in (self.dir, self.path("keys"), self.path("web"), self.path("mariadb")):
            os.chmod(directory, 0o711)
        os.chmod(self.conf, 0o644)
        shutil.chown(self.path("state"), WORKER_USER, WORKER_USER)
        said = self.run_ctl("setup", "--email", ADMIN)
        self.env.update(ADMIN_EMAIL=ADMIN, ADMIN_PASSWORD=said.split("shown only now: ")[1].split("\n")[0])

    def start_web(self):
        self.prepare()
        server = web.Web(self.path("web"), SOURCE, self.build, self.conf, self.port,
                         user=WEB_USER if self.separate else None, limits=self.limits)
        self.running.append(server)
        server.start()
        self.env.update(URL="http://127.0.0.1:%d" % self.port, WEB_PID=server.fcgi.pid, CONF=self.conf, CTL=self.ctl)
        if self.sso:
            self.start_sso()

    def start_sso(self):
        """As systemd starts it: the socket is root's and for all, and there before the process."""
        user = ["-u", WEB_USER, "-g", WEB_USER] if self.separate else []
        self.sso_socket = self.path("web", "sso.sock")
        if os.path.exists(self.sso_socket):
            os.unlink(self.sso_socket)
        self.sso_log = self.path("sso.log")
        self.sso_process = Process("mailconvoy-web --sso", [
            "spawn-fcgi", "-n", "-s", self.sso_socket, "-M", "0666", *user, "--",
            os.path.join(self.build, "fcgi", "mailconvoy-web"), "--sso", "-c", self.conf], self.sso_log)
        self.running.append(self.sso_process)
        wait_for("the local socket", lambda: self.sso_process.check() or listens(self.sso_socket))
        self.env.update(SSO_SOCKET=self.sso_socket)

    def start_worker(self):
        self.prepare()
        words = [os.path.join(self.build, "worker", "mailconvoy-worker"), "-f", "-c", self.conf]
        if self.separate:
            words = ["setpriv", "--reuid=" + WORKER_USER, "--regid=" + WORKER_USER, "--clear-groups", *words]
        self.worker = Process("mailconvoy-worker", words, self.path("worker.log"))
        self.running.append(self.worker)
        self.env.update(WORKER_PID=self.worker.pid, CONF=self.conf, CTL=self.ctl)

    def write_env(self):
        with open(self.path("stack.env.part"), "w", encoding="utf-8") as out:
            os.fchmod(out.fileno(), 0o600)
            for key, value in sorted(self.env.items()):
                out.write("%s=%s\n" % (key, shlex.quote(str(value))))
        os.rename(self.path("stack.env.part"), self.path("stack.env"))

    def stop(self):
        while self.running:
            try:
                self.running.pop().stop()
            except OSError as problem:
                print("stack: %s" % problem, file=sys.stderr)
        for name in ("stack.pid", "stack.env"):
            if os.path.exists(self.path(name)):
                os.unlink(self.path(name))

    def __enter__(self):
        return self.start()

    def __exit__(self, *what):
        self.stop()


def supervisor_of(directory):
    """The pid of the process that supervises directory, None if none does."""
    try:
        with open(os.path.join(directory, "stack.pid"), encoding="ascii") as f:
            pid = int(f.read())
        with open("/proc/%d/cmdline" % pid, "rb") as f:
            return pid if b"python" in f.read() and runs(pid) else None
    except (OSError, ValueError):
        return None


def stop_directory(directory):
    pid = supervisor_of(directory)
    if pid is None:
        print("nothing runs in %s" % directory)
        return 0
    os.kill(pid, signal.SIGTERM)
    wait_for("the stack in %s ends" % directory, lambda: not runs(pid), 90)
    return 0


def clean_remains(directory):
    """Remove what a stack left that could not clean up: its passwords are gone with its stack.env."""
    found = [os.path.join(directory, name) for name in REMAINS if os.path.lexists(os.path.join(directory, name))]
    if found and not os.path.exists(os.path.join(directory, MARK)):
        raise RuntimeError("%s is there, and no stack made it; choose an empty directory" % found[0])
    for path in found:
        if os.path.realpath(path).startswith(os.path.join("/var/tmp", ELSEWHERE)):
            shutil.rmtree(os.path.realpath(path))
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)


def serve(stack, ready_fd=None, on_ready=None):
    """Run until TERM or INT; everything is stopped then."""
    def leave(_number, _frame):
        raise SystemExit(0)
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    with stack:
        if ready_fd is not None:
            os.write(ready_fd, b"ready")
            os.close(ready_fd)
        if on_ready is not None:
            on_ready()
        while True:
            signal.pause()


def detach(stack):
    """Serve in a process of its own; return when it is ready, 1 if it never is."""
    read_fd, write_fd = os.pipe()
    os.makedirs(stack.dir, exist_ok=True)
    log = open(os.path.join(stack.dir, "stack.log"), "wb")
    os.fchmod(log.fileno(), 0o600)
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os.close(read_fd)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        try:
            serve(stack, write_fd)
        except Exception as problem:  # told to whoever waits, whatever it is
            os.write(write_fd, str(problem).encode()[:4000])
            os._exit(1)
        finally:
            os._exit(0)
    os.close(write_fd)
    with os.fdopen(read_fd, "rb") as told:
        answer = told.read().decode(errors="replace")
    if answer != "ready":
        print("stack: %s" % (answer or "it ended before it was ready; see %s" % log.name), file=sys.stderr)
        return 1
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=("start", "stop"))
    parser.add_argument("--dir", required=True)
    parser.add_argument("--port", type=int, help="default %d, or a free one" % DEFAULT_PORT)
    parser.add_argument("--builddir", default=os.environ.get("MCV_BUILDDIR", SOURCE))
    parser.add_argument("--detach", action="store_true")
    parser.add_argument("--no-sample", action="store_true")
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a line of mailconvoy.conf")
    args = parser.parse_args()
    if args.verb == "stop":
        return stop_directory(args.dir)
    if supervisor_of(args.dir) is not None:
        print("stack: %s is running already; stop it first" % args.dir, file=sys.stderr)
        return 1
    try:
        clean_remains(args.dir)
    except RuntimeError as problem:
        print("stack: %s" % problem, file=sys.stderr)
        return 1
    settings = dict(item.split("=", 1) for item in args.set)
    settings = {k: json.loads(v) if v.isdigit() or v.startswith("[") else v for k, v in settings.items()}
    parts = tuple(args.only.split(","))
    stack = Stack(args.dir, args.builddir, args.port, parts, not args.no_sample, settings)
    if args.detach:
        return detach(stack)
    try:
        serve(stack)
    except RuntimeError as problem:
        print("stack: %s" % problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
