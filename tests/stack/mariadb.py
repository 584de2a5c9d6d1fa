"""A private MariaDB on a Unix socket, owned by whoever starts it; no password, and no network unless it is told to."""

import os
import pwd
import shutil
import subprocess

from process import Process, wait_for


def missing():
    for program in ("mariadbd", "mariadb-install-db", "mariadb"):
        if shutil.which(program) is None:
            return "no %s on this machine" % program
    return None


class MariaDB:
    def __init__(self, directory):
        self.directory = directory
        self.socket = os.path.join(directory, "db.sock")
        self.data = os.path.join(directory, "data")
        self.me = pwd.getpwuid(os.geteuid()).pw_name
        self.process = None
        self.network = ["--skip-networking"]
        # mariadbd removes left-over temporary tables where it keeps its own: not those of other servers.
        self.env = dict(os.environ, TMPDIR=directory)

    def start(self):
        os.makedirs(self.directory, exist_ok=True)
        if not os.path.isdir(self.data):
            self.install()
        self.process = Process(
            "mariadbd",
            ["mariadbd", "--no-defaults", "--user=" + self.me, "--datadir=" + self.data, "--socket=" + self.socket,
             *self.network, "--innodb-buffer-pool-size=64M", "--skip-log-bin",
             "--pid-file=" + os.path.join(self.directory, "mariadbd.pid")],
            os.path.join(self.directory, "mariadbd.log"), self.env)
        wait_for("mariadbd answers", lambda: self.process.check() or self.sql("SELECT 1") is not None, 60)
        return self

    def install(self):
        done = subprocess.run(
            # --force: whether this machine's name can be looked up is nobody's business here.
            ["mariadb-install-db", "--no-defaults", "--force", "--user=" + self.me, "--datadir=" + self.data,
             "--skip-test-db", "--auth-root-authentication-method=socket", "--auth-root-socket-user=" + self.me],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self.env)
        if done.returncode != 0:
            # Half a data directory would be taken for a whole one next time.
            shutil.rmtree(self.data, ignore_errors=True)
            raise RuntimeError("mariadb-install-db: " + done.stdout.decode(errors="replace")[:2000])

    def sql(self, text, database="mysql"):
        """Output of the statements, None if they failed."""
        done = subprocess.run(["mariadb", "--no-defaults", "--socket=" + self.socket, "-N", "-B", "--raw", database],
                              input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return done.stdout.decode(errors="replace") if done.returncode == 0 else None

    def stop(self):
        if self.process is not None:
            self.process.stop(30)
