"""IMAP servers that do exactly what a test says, and the tool that talks to them."""
import json
import os
import re
import socket
import ssl
import subprocess
import threading

TOOL = os.path.join(os.environ.get("MCV_BUILDDIR", "."), "tests/imap/imaptool")


def tool(mode, port, script, security="none", verify="noverify", ca="", timeout_ms=20000, host="localhost",
         extra=()):
    """Runs imaptool; returns its JSON lines.  script: bytes for its stdin."""
    done = subprocess.run([TOOL, mode, host, str(port), security, verify, ca, str(timeout_ms), *extra],
                          input=script, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=False)
    if done.returncode != 0:
        raise AssertionError(f"imaptool exited {done.returncode}: {done.stderr.decode(errors='replace')}")
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def probe(port, user=b"user", password=b"secret", **more):
    return tool("probe", port, user + b"\n" + password + b"\n", **more)[0]


def run(port, *commands, **more):
    lines = [c if isinstance(c, bytes) else c.encode() for c in commands]
    return tool("run", port, b"".join(line + b"\n" for line in lines), **more)


class Connection:
    """One accepted client."""

    def __init__(self, sock):
        self.sock = sock
        self.buffer = b""

    def send(self, data):
        self.sock.sendall(data)

    def read(self, count):
        while len(self.buffer) < count:
            data = self.sock.recv(65536)
            if not data:
                raise EOFError
            self.buffer += data
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def line(self):
        while b"\n" not in self.buffer:
            data = self.sock.recv(65536)
            if not data:
                raise EOFError
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.rstrip(b"\r")

    def command(self):
        """(tag, rest), literals taken in (and asked for) on the way."""
        whole = b""
        while True:
            whole += self.line()
            literal = re.search(rb"\{(\d+)(\+?)\}$", whole)
            if not literal:
                break
            if not literal.group(2):
                self.send(b"+ go on\r\n")
            whole += b"\r\n" + self.read(int(literal.group(1)))
        tag, _, rest = whole.partition(b" ")
        return tag, rest


class Server:
    """Serves each client with handler(connection) in a thread; seen collects what handlers append."""

    def __init__(self, handler, certificate=None):
        self.handler = handler
        self.seen = []
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.listener.close()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        sock.settimeout(60)
        try:
            if self.context:
                sock = self.context.wrap_socket(sock, server_side=True)
            with sock:
                self.handler(Connection(sock))
        except (OSError, EOFError):
            pass


def script(answers, greeting=b"* OK ready\r\n", capabilities=b"IMAP4rev1 AUTH=PLAIN SASL-IR", seen=None):
    """A handler answering by the command's beginning: {b"LIST": b"* LIST …\\r\\nTAG OK done\\r\\n"}.

    TAG stands for the tag.  A callable gets (connection, tag, rest).  None hangs up."""
    table = {b"CAPABILITY": b"* CAPABILITY " + capabilities + b"\r\nTAG OK done\r\n",
             b"AUTHENTICATE": b"TAG OK welcome\r\n", b"LOGIN": b"TAG OK welcome\r\n",
             b"LOGOUT": b"* BYE bye\r\nTAG OK done\r\n"}
    table.update(answers)

    def handler(conn):
        conn.send(greeting)
        while True:
            tag, rest = conn.command()
            if seen is not None:
                seen.append(rest)
            for begin, answer in table.items():
                if rest.upper().startswith(begin):
                    break
            else:
                conn.send(tag + b" BAD unknown\r\n")
                continue
            if answer is None:
                return
            if callable(answer):
                if answer(conn, tag, rest) is False:
                    return
            else:
                conn.send(answer.replace(b"TAG", tag))

    return handler
