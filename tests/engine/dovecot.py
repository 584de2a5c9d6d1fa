"""A private Dovecot on loopback ports, for tests; runs as root and as an ordinary user.

    with Dovecot(directory, ca, separator="/") as d: ...

Any user of d.users logs in with its password.  d.port speaks plain text and STARTTLS, d.tls_port TLS.
"""

import getpass
import grp
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import time

from ports import free_port

DOVECOT = shutil.which("dovecot") or (os.path.exists("/usr/sbin/dovecot") and "/usr/sbin/dovecot") or None


def missing():
    """Why no Dovecot can be started here, None when it can."""
    if DOVECOT is None:
        return "no dovecot on this machine"
    if not os.path.exists("/usr/lib/dovecot/imap"):
        return "dovecot without its IMAP server (dovecot-imapd)"
    if shutil.which("openssl") is None:
        return "no openssl command"
    return None


def run(*words):
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


class Authority:
    """A private certificate authority and certificates of it, below directory."""

    def __init__(self, directory, name="mailconvoy test CA"):
        self.directory = directory
        os.makedirs(directory, exist_ok=True)
        self.ca_file = os.path.join(directory, "ca.pem")
        self.ca_key = os.path.join(directory, "ca.key")
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", self.ca_key, "-out", self.ca_file, "-days", "30", "-subj", "/CN=" + name)

    def issue(self, name, alternative):
        """(certificate, key) files for the subject alternative name ("DNS:localhost")."""
        base = os.path.join(self.directory, name)
        with open(base + ".ext", "w", encoding="ascii") as f:
            f.write("subjectAltName=" + alternative + "\n")
        run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", base + ".key", "-out", base + ".csr", "-subj", "/CN=" + name)
        run("openssl", "x509", "-req", "-in", base + ".csr", "-CA", self.ca_file, "-CAkey", self.ca_key,
            "-CAcreateserial", "-days", "30", "-extfile", base + ".ext", "-out", base + ".pem")
        return base + ".pem", base + ".key"


CONFIG = """
protocols = imap
listen = 127.0.0.1
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/log
default_internal_user = {internal}
default_internal_group = {group}
default_login_user = {login}
first_valid_uid = 0
mail_max_userip_connections = {connections}
ssl = yes
ssl_cert = <{cert}
ssl_key = <{key}
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {dir}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={dir}/mail/%u
}}
mail_location = {location}
namespace inbox {{
  inbox = yes
  separator = {separator}
  prefix = {prefix}
{special}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service imap {{
  process_limit = 200
}}
{extra}
"""

SPECIAL = """  mailbox Sent {{
    special_use = \\Sent
    auto = {auto}
  }}
  mailbox Trash {{
    special_use = \\Trash
    auto = {auto}
  }}"""

QUOTA = """
mail_plugins = quota
protocol imap {{
  mail_plugins = quota imap_quota
}}
plugin {{
  quota = count:User quota
  quota_vsizes = yes
  quota_rule = *:storage={quota}
  quota_max_mail_size = {biggest}
}}
"""


ZLIB = """
protocol imap {{
  mail_plugins = $mail_plugins imap_zlib
}}
"""


def reachable(path):
    """Whether every directory from path up lets everybody pass."""
    path = os.path.abspath(path)
    while os.stat(path).st_mode & 0o001:
        if path == "/":
            return True
        path = os.path.dirname(path)
    return False


class Dovecot:
    # Called in the child before exec.
    before_exec = None

    def __init__(self, directory, authority, users=None, separator="/", prefix="", special=False, quota=None,
                 certificate_for="DNS:localhost", location=None, biggest=0, connections=200, compress=False, settings=""):
        """quota: of storage; biggest: message in bytes, where there is a quota; connections: of a user; settings:
        more lines of the configuration, "{dir}" the directory."""
        self.directory = directory
        self.users = dict(users or {"user": "pass word%1"})
        self.separator, self.prefix = separator, prefix
        self.port = free_port()
        self.tls_port = free_port()
        self.process = None
        os.makedirs(directory, exist_ok=True)
        for name in ("run", "state", "mail"):
            os.makedirs(os.path.join(directory, name), exist_ok=True)
        cert, key = authority.issue(os.path.basename(directory), certificate_for)
        root = os.geteuid() == 0
        me = getpass.getuser() if not root else "root"
        login = "nobody" if root else me
        if root:
            # The login process runs as nobody and must reach its sockets: the two directories made for this are
            # opened, those above are not ours to open.
            for path in (directory, os.path.dirname(directory)):
                os.chmod(path, os.stat(path).st_mode | 0o711)
            if not reachable(directory):
                raise RuntimeError("%s is closed to other users, which Dovecot needs when root starts it" % directory)
        entry = pwd.getpwnam(login)
        if root:
            # Mail is never root's in Dovecot.
            os.chown(os.path.join(directory, "mail"), entry.pw_uid, entry.pw_gid)
        text = CONFIG.format(
            dir=directory, cert=cert, key=key, separator=separator, prefix=prefix,
            internal=me if not root else "nobody", login=login, group=grp.getgrgid(entry.pw_gid).gr_name,
            uid=entry.pw_uid, gid=entry.pw_gid, port=self.port, tls_port=self.tls_port,
            location=location or ("mdbox:~/mdbox" if separator == "/" else "maildir:~/Maildir"),
            special=SPECIAL.format(auto="create" if special else "no"), connections=connections,
            extra=(QUOTA.format(quota=quota, biggest=biggest) if quota else "") + (ZLIB.format() if compress else "") +
            settings.replace("{dir}", directory))
        self.config = os.path.join(directory, "dovecot.conf")
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(text)
        with open(os.path.join(directory, "users"), "w", encoding="utf-8") as f:
            for user, password in self.users.items():
                f.write("%s:{PLAIN}%s\n" % (user, password))

    def start(self):
        self.process = subprocess.Popen([DOVECOT, "-F", "-c", self.config], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        preexec_fn=self.before_exec)
        deadline = time.monotonic() + 120
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as s:
                    s.settimeout(30)
                    if s.recv(4) == b"* OK":
                        return self
            except OSError:
                pass
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("dovecot did not start: " + self.log())
            time.sleep(0.02)

    def log(self):
        try:
            with open(os.path.join(self.directory, "log"), encoding="utf-8", errors="replace") as f:
                return f.read()[-4000:]
        except OSError:
            return self.process.stderr.read1().decode(errors="replace") if self.process else ""

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *what):
        self.stop()


def client_context(ca_file):
    return ssl.create_default_context(cafile=ca_file)
