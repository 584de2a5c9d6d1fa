"""How mailconvoyctl asks the panel: TLS that is verified, and answers that get lost."""
import os
import socket
import ssl
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "engine"))

from apicli import AGAIN, OK, REFUSED, UNAVAILABLE, USAGE, Cli, make_token  # noqa: E402
import dovecot  # noqa: E402
import tap  # noqa: E402
import webstack  # noqa: E402
from tap import has, same  # noqa: E402

web = webstack.Stack()
SERVER = web.add_server(web.acme, "Ours")


class Front:
    """A port before the panel's.  Every request is handed on; the answers to the first lost ones of a method are not."""

    def __init__(self, lost=0, method="", context=None):
        self.lost, self.method, self.context = lost, method, context
        self.requests = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = "%s://localhost:%d" % ("https" if context else "http", self.socket.getsockname()[1])
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client, _ = self.socket.accept()
            threading.Thread(target=self.exchange, args=(client,), daemon=True).start()

    def exchange(self, client):
        try:
            if self.context:
                client = self.context.wrap_socket(client, server_side=True)
            self.one(client)
        except OSError:
            pass
        finally:
            client.close()

    def one(self, client):
        data = b""
        while b"\r\n\r\n" not in data:
            piece = client.recv(65536)
            if not piece:
                return
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        lengths = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        while len(body) < sum(lengths):
            body += client.recv(65536)
        self.requests.append(head.decode("utf-8", "replace"))
        with socket.create_connection(("127.0.0.1", web.port)) as panel:
            panel.sendall(head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1) + b"\r\n\r\n" + body)
            answer = b""
            while True:
                piece = panel.recv(65536)
                if not piece:
                    break
                answer += piece
        if self.lost > 0 and data.startswith(self.method.encode()):
            self.lost -= 1
            return
        client.sendall(answer)


def cli(front, *words):
    return Cli(web.dir, "member", make_token(web, "member@example.org"), "--api", front.url, *words)


def add(client):
    path = client.write("pass", "p\n")
    return client.run("job", "add", "--source", str(SERVER), "--source-user", "u", "--source-passfile", path, "--dest",
                      str(SERVER), "--dest-user", "u", "--dest-passfile", path)


def context(name, alternative):
    authority = dovecot.Authority(os.path.join(web.dir, "ca"))
    certificate, key = authority.issue(name, alternative)
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain(certificate, key)
    return c, authority.ca_file


def test_an_answer_that_gets_lost_makes_no_second_job():
    front = Front(lost=1, method="POST")
    same(add(cli(front)).code, OK)
    same((len([r for r in front.requests if r.startswith("POST /api/v1/jobs ")]), web.sql("SELECT COUNT(*) FROM job")),
         (2, [["1"]]))


def test_answers_that_stay_lost_are_said_to_leave_it_open():
    done = add(cli(Front(lost=9, method="POST")))
    same(done.code, AGAIN, done.err)
    has(done.err, "may or may not have been done")


def test_what_has_no_key_is_not_sent_twice():
    job = web.add_job(web.acme)
    front = Front(lost=1, method="POST")
    has(cli(front).refused(AGAIN, "job", "cancel", str(job)), "may or may not")
    same(len(front.requests), 1)
    same(web.sql("SELECT state FROM job WHERE id = %d" % job), [["cancelled"]])


def test_an_account_or_a_key_that_is_empty_is_not_left_out_in_silence():
    front = Front()
    job = web.add_job(web.acme, "done")
    for value, code in (("", USAGE), ("  ", USAGE), ("Acme\r\nX-Other: 1", REFUSED)):
        token = make_token(web, "admin@example.org", "jobs:read,jobs:write", "--installation")
        operator = Cli(web.dir, "operator", token, "--api", front.url)
        has(operator.refused(code, "job", "list", "--account", value), "--account")
        has(cli(front).refused(code, "job", "rerun", str(job), "--key", value), "--key")
    same(front.requests, [])


def test_a_certificate_that_is_not_good_gets_no_token():
    good, ca_file = context("panel", "DNS:localhost")
    front = Front(context=good)
    err = cli(front).refused(UNAVAILABLE, "job", "list")
    has(err, "certificate")
    same(front.requests, [])
    cli(front, "--ca-file", ca_file).ok("job", "list")
    same(len(front.requests), 1)
    other, ca_file = context("elsewhere", "DNS:elsewhere.example.org")
    front = Front(context=other)
    cli(front, "--ca-file", ca_file).refused(UNAVAILABLE, "job", "list")
    same(front.requests, [])


if __name__ == "__main__":
    tap.run(globals())
