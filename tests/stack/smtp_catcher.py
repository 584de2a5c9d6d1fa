"""smtp_catcher.py PORT DIRECTORY [options]: take every mail on 127.0.0.1:PORT and keep it as a file, envelope first.

--tls CERT KEY: TLS from the first byte.  --starttls CERT KEY: STARTTLS, and nothing without it.  --login USER
PASSWORD: and nothing without that.  The word in DIRECTORY/mode is looked at for each mail: keep (as without it), refuse
or later (the recipient), refuse-data, echo-link (refuse, and repeat the last word of the text with "://" in it).  --misbehave hang: take connections and say nothing.  --misbehave inject: answer
STARTTLS, and the EHLO that should come encrypted, too.
"""

import argparse
import email
import email.policy
import os
import signal
import socket
import ssl
import threading
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword


class Keep:
    def __init__(self, directory):
        self.directory = directory
        self.count = 0

    def mode(self):
        try:
            with open(os.path.join(self.directory, "mode"), encoding="ascii") as f:
                return f.read().strip()
        except FileNotFoundError:
            return "keep"

    async def handle_RCPT(self, server, session, envelope, address, options):
        answer = {"refuse": "550 5.1.1 nobody of that name\x1b[2Jhere", "later": "451 4.7.1 come back later"}.get(self.mode())
        if answer is None:
            envelope.rcpt_tos.append(address)
        return answer or "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.mode() == "refuse-data":
            return "554 5.6.0 not with these words"
        if self.mode() == "echo-link":
            mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
            words = mail.get_body(("plain",)).get_content().split()
            return "554 5.7.1 spam: " + [word for word in words if "://" in word][-1]
        self.count += 1
        name = os.path.join(self.directory, "%d-%06d.eml" % (time.time_ns(), self.count))
        with open(name + ".part", "wb") as out:
            out.write(b"X-Envelope-From: %s\r\n" % (envelope.mail_from or "").encode())
            for to in envelope.rcpt_tos:
                out.write(b"X-Envelope-To: %s\r\n" % to.encode())
            out.write(envelope.content)
        os.rename(name + ".part", name)
        return "250 kept"


def context_of(files):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*files)
    return context


def misbehave(port, how, directory):
    """What a library that behaves cannot do."""
    listener = socket.create_server(("127.0.0.1", port))
    held = []

    def serve(connection):
        with connection:
            connection.sendall(b"220 here\r\n")
            connection.recv(1000)
            connection.sendall(b"250-here\r\n250 STARTTLS\r\n")
            connection.recv(1000)
            connection.sendall(b"220 go on\r\n250-here\r\n250 AUTH PLAIN\r\n")
            rest = connection.recv(10000)
            with open(os.path.join(directory, "after-injection"), "ab") as out:
                out.write(b"%d\n" % len(rest))

    while True:
        connection, _ = listener.accept()
        with open(os.path.join(directory, "connections"), "ab") as out:
            out.write(b"1\n")
        if how == "hang":
            held.append(connection)
        else:
            threading.Thread(target=serve, args=(connection,), daemon=True).start()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("directory")
    parser.add_argument("--tls", nargs=2)
    parser.add_argument("--starttls", nargs=2)
    parser.add_argument("--login", nargs=2)
    parser.add_argument("--misbehave", choices=("hang", "inject"))
    args = parser.parse_args()
    os.makedirs(args.directory, exist_ok=True)
    if args.misbehave:
        misbehave(args.port, args.misbehave, args.directory)

    def check(server, session, envelope, mechanism, data):
        ok = isinstance(data, LoginPassword) and [data.login.decode(), data.password.decode()] == args.login
        return AuthResult(success=ok, handled=False)

    more = {}
    if args.starttls:
        more.update(tls_context=context_of(args.starttls), require_starttls=True)
    if args.login:
        more.update(authenticator=check, auth_required=True, auth_require_tls=args.starttls is not None)
    controller = Controller(Keep(args.directory), hostname="127.0.0.1", port=args.port,
                            ssl_context=context_of(args.tls) if args.tls else None, **more)
    controller.start()
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    controller.stop()


main()
