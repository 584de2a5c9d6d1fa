#!/usr/bin/python3
"""Certificates are really checked, by whichever program runs: no password goes to a server that fails the check."""

import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading

import harness

sys.path.insert(0, os.path.join(harness.SRC, "tests", "imap"))
import certs  # noqa: E402

ENGINE = os.path.join(harness.BUILD, "engine", "mailconvoy-sync")


class Server:
    """Speaks IMAP up to LOGIN, which it notes and refuses."""

    def __init__(self, certificate, key, starttls):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        self.starttls = starttls
        self.logins = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            connection.settimeout(90)
            if not self.starttls:
                connection = self.context.wrap_socket(connection, server_side=True)
            self.talk(connection)
        except (OSError, ssl.SSLError):
            pass
        finally:
            connection.close()

    def talk(self, connection):
        secure = not self.starttls
        stream = connection.makefile("rwb", 0)
        stream.write(b"* OK ready\r\n")
        while True:
            line = stream.readline()
            if not line:
                return
            tag, _, rest = line.strip().partition(b" ")
            verb = rest.split(b" ")[0].upper()
            if verb == b"CAPABILITY":
                stream.write(b"* CAPABILITY IMAP4rev1" + (b"" if secure else b" STARTTLS LOGINDISABLED") + b"\r\n")
                stream.write(tag + b" OK done\r\n")
            elif verb == b"STARTTLS" and not secure:
                stream.write(tag + b" OK go\r\n")
                connection = self.context.wrap_socket(connection, server_side=True)
                stream = connection.makefile("rwb", 0)
                secure = True
            elif verb in (b"LOGIN", b"AUTHENTICATE"):
                self.logins.append(rest)
                stream.write(tag + b" NO [AUTHENTICATIONFAILED] no\r\n")
            elif verb == b"LOGOUT":
                stream.write(b"* BYE bye\r\n" + tag + b" OK bye\r\n")
                return
            else:
                stream.write(tag + b" OK done\r\n")


def world():
    harness.need("openssl")
    w = harness.World(kill_grace_s=1)
    folder = os.path.join(w.root, "certs")
    os.mkdir(folder)
    w.certs = certs.Certs(folder)
    return w


def judge(w, program, certificate, security, host="localhost", verify=1, ca="ca"):
    """The reason a job of this program ends with against such a source, and the logins the server saw."""
    server = Server(w.certs.pem(certificate), w.certs.key(certificate), security == "starttls")
    good = Server(w.certs.pem("good"), w.certs.key("good"), False)
    worker = w.worker(sync_program=program, ca_file=w.certs.pem(ca))
    job, = w.add_jobs("accounts", source=(host, server.port, security, verify),
                      target=("localhost", good.port, "tls", 1))
    w.wait_ended([job], 180)
    w.stop(worker)
    reason = w.job(job)[1]
    if reason not in ("auth_both", "untrusted_source", "wrong_name_source", "expired_source"):
        print("# %s" % w.whole_log(job).decode(errors="replace")[-1500:].replace("\n", "\n# "))
    return reason, len(server.logins)


def vetted(w, program, certificate, security):
    """The same for a server that a member named: the reason, the logins, and the log."""
    server = Server(w.certs.pem(certificate), w.certs.key(certificate), security == "starttls")
    worker = w.worker(sync_program=program, ca_file=w.certs.pem("ca"), deny_networks=["192.0.2.0/24"],
                      member_ports=["1-65535"])
    w.db.sql("UPDATE user SET role = 'member'")
    job, = w.add_jobs("accounts", source=("localhost", server.port, security, 1),
                      target=("localhost", server.port, security, 1))
    w.wait_ended([job], 180)
    w.db.sql("UPDATE user SET role = 'admin'")
    w.stop(worker)
    return w.job(job)[1], len(server.logins), w.whole_log(job).decode(errors="replace")


def check_vetted(name, security):
    def test(w):
        program = program_named(name)
        reason, logins, log = vetted(w, program, "good", security)
        assert (reason, logins) == ("auth_both", 2), (reason, logins, log)
        # our engine speaks of the name, and yet was told where to go
        assert ("[localhost]" in log) == (name == "mailconvoy-sync"), log
        reason, logins, log = vetted(w, program, "wrong", security)
        assert (reason in ("wrong_name_source", "wrong_name_destination"), logins) == (True, 0), (reason, logins, log)

    test.__name__ = "%s_goes_to_the_vetted_address_and_checks_the_name_over_%s" % (name.replace("-", "_"), security)
    return test


def check_unasked(name, security):
    """A name that nobody can look up: what stands in its place is all the program needs."""
    def test(w):
        program = program_named(name)
        server = Server(w.certs.pem("named"), w.certs.key("named"), security == "starttls")
        password = os.path.join(w.root, "password")
        with open(password, "w") as f:
            f.write("x\n")
        words = [program, "--nolog", "--noreleasecheck", "--no-modulesversion", "--notrylogin",
                 "--tmpdir=" + w.root, "--pidfile=%s/pid" % w.root]
        for n in "12":
            words += ["--host%s=127.0.0.1" % n, "--port%s=%d" % (n, server.port), "--user%s=u" % n,
                      "--passfile%s=%s" % (n, password), "--%s%s" % ("ssl" if security == "tls" else "tls", n)]
            words += ["--sslargs%s=%s" % (n, word) for word in (
                "SSL_verify_mode=1", "SSL_verifycn_scheme=imap", "SSL_verifycn_name=mail.example.invalid",
                "SSL_hostname=mail.example.invalid", "SSL_ca_file=" + w.certs.pem("ca"))]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                              cwd=w.root)
        assert len(server.logins) == 2, done.stdout.decode(errors="replace")

    test.__name__ = "%s_asks_nobody_for_the_name_over_%s" % (name.replace("-", "_"), security)
    return test


def program_named(name):
    path = shutil.which("imapsync") if name == "imapsync" else ENGINE
    if path is None or not os.access(path, os.X_OK):
        raise harness.Skip("%s is not here" % name)
    return path


def check(name, security):
    def test(w):
        program = program_named(name)
        assert judge(w, program, "good", security) == ("auth_both", 1)
        assert judge(w, program, "good", security, host="127.0.0.1") == ("auth_both", 1)
        assert judge(w, program, "good", security, ca="other-ca") == ("untrusted_source", 0)
        assert judge(w, program, "selfsigned", security) == ("untrusted_source", 0)
        assert judge(w, program, "wrong", security) == ("wrong_name_source", 0)
        reason, logins = judge(w, program, "expired", security)
        assert reason in ("expired_source", "untrusted_source") and logins == 0, (reason, logins)
        assert judge(w, program, "wrong", security, verify=0) == ("auth_both", 1)

    test.__name__ = "%s_checks_certificate_and_name_over_%s" % (name.replace("-", "_"), security)
    return test


harness.run(world, [test(name, security) for test in (check, check_vetted, check_unasked)
                    for name in ("mailconvoy-sync", "imapsync") for security in ("tls", "starttls")])
