"""
A page with the mistakes that the scanners look for, so that a scan which finds nothing elsewhere is known to find
something here: what is asked, the last part of its path too, stands in its SQL, in its page and in its address as it
came.  /changes has no mistake: it shows the database nothing, but is never the same twice.
"""
import http.server
import random
import subprocess
import threading
import urllib.parse


class Handler(http.server.BaseHTTPRequestHandler):
    socket = None
    protocol_version = "HTTP/1.1"

    def rows(self, number):
        done = subprocess.run(
            ["mariadb", "--no-defaults", "-S", self.socket, "-N", "-B", "mailconvoy"], stdout=subprocess.PIPE,
            input=("SELECT name FROM account WHERE id = %s" % number).encode(errors="replace"),
            stderr=subprocess.STDOUT, check=False)
        return done.stdout

    def answer(self, form):
        asked = dict(urllib.parse.parse_qsl(form, encoding="utf-8", errors="replace"))
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path, errors="replace")
        if path == "/changes":
            words = ["word%d" % random.randrange(1000) for _ in range(random.randrange(40))]
            page = b"<!DOCTYPE html><html><body><p>%s</p></body></html>" % " ".join(words).encode()
        else:
            page = b"<!DOCTYPE html><html><body><p>Hello %s</p><p>%s</p>" % (
                asked.get("name", "you").encode(errors="replace"),
                self.rows(asked.get("id") or path.rsplit("/", 1)[-1] or "1"))
            page += b"<a href='/?id=1&name=x'>again</a></body></html>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def do_GET(self):
        self.answer(urllib.parse.urlsplit(self.path).query)

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode(errors="replace"))

    def log_message(self, *what):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A scanner that goes away before it has its answer is none."""


def start(socket):
    """The port it answers on, until the program ends."""
    server = Server(("127.0.0.1", 0), type("H", (Handler,), {"socket": socket}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port
