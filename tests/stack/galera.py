"""A Galera cluster on loopback: nodes that are private servers on Unix sockets, and talk to each other alone."""

import os
import pwd
import shutil
import socket
import subprocess
import time

PROVIDERS = ("/usr/lib/galera/libgalera_smm.so", "/usr/lib/libgalera_smm.so", "/usr/lib64/galera/libgalera_smm.so")


def provider():
    return next((p for p in PROVIDERS if os.path.exists(p)), None)


def free_ports(count):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


class Node:
    def __init__(self, root, number):
        self.name = "node%d" % number
        self.dir = os.path.join(root, self.name)
        self.data = os.path.join(self.dir, "data")
        self.socket = os.path.join(self.dir, "s")
        self.log = os.path.join(self.dir, "log")
        self.group, self.ist, self.sst = free_ports(3)
        self.process = None
        os.makedirs(self.dir)
        # where mariadbd keeps temporary tables it removes others' left-overs, too
        self.env = dict(os.environ, TMPDIR=self.dir)
        self.root = pwd.getpwuid(os.geteuid()).pw_name
        # what carries data to a new node gives up root's rights, and then must still be able to write
        self.me = "nobody" if self.root == "root" else self.root

    def install(self):
        shutil.chown(self.dir, self.me)
        subprocess.run(
            ["mariadb-install-db", "--no-defaults", "--force", "--user=" + self.me, "--datadir=" + self.data, "--skip-test-db",
             "--auth-root-authentication-method=socket", "--auth-root-socket-user=" + self.root],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.env)

    def start(self, peers, first=False):
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(
                ["mariadbd", "--no-defaults", "--user=" + self.me, "--datadir=" + self.data, "--socket=" + self.socket,
                 "--skip-networking", "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=32M",
                 "--innodb-flush-log-at-trx-commit=0", "--pid-file=" + os.path.join(self.dir, "pid"),
                 "--binlog-format=ROW", "--innodb-autoinc-lock-mode=2",
                 "--log-bin=" + os.path.join(self.dir, "bin"), "--wsrep-on=ON", "--wsrep-provider=" + provider(),
                 "--wsrep-cluster-name=test", "--wsrep-node-name=" + self.name,
                 "--wsrep-node-address=127.0.0.1:%d" % self.group,
                 "--wsrep-cluster-address=gcomm://" + ",".join("127.0.0.1:%d" % p.group for p in peers),
                 "--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:%d;ist.recv_addr=127.0.0.1:%d;"
                 "gcache.size=32M" % (self.group, self.ist), "--wsrep-sst-method=rsync",
                 "--wsrep-sst-receive-address=127.0.0.1:%d" % self.sst] + (["--wsrep-new-cluster"] if first else []),
                stdout=out, stderr=out, env=self.env)
        deadline = time.monotonic() + 120
        while self.sql("SHOW STATUS LIKE 'wsrep_local_state_comment'") != "wsrep_local_state_comment\tSynced":
            if self.process.poll() is not None or time.monotonic() > deadline:
                with open(self.log, errors="replace") as log:
                    raise RuntimeError("%s did not join: %s" % (self.name, log.read()[-3000:]))
            time.sleep(0.1)

    def sql(self, text, database="mysql"):
        done = subprocess.run(["mariadb", "--no-defaults", "--socket=" + self.socket, "-N", "-B", "--raw", database],
                              input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.error = done.stderr.decode(errors="replace")
        return done.stdout.decode(errors="replace").rstrip("\n") if done.returncode == 0 else None

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Cluster:
    """count nodes below root, all in step."""

    def __init__(self, root, count):
        os.chmod(root, 0o755)
        self.nodes = [Node(root, n) for n in range(count)]
        for n, node in enumerate(self.nodes):
            node.install()
            node.start(self.nodes[:n], first=n == 0)

    def stop(self):
        for node in self.nodes:
            node.kill()
