"""A Dovecot with every way to log in that the engine has, and the OAuth 2 server that it asks about tokens."""

import http.server
import json
import os
import threading

import dovecot

SETTINGS = """
auth_mechanisms = plain login scram-sha-256 xoauth2 oauthbearer
passdb {
  driver = passwd-file
  master = yes
  args = scheme=PLAIN username_format=%u {dir}/masters
}
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {dir}/oauth2.conf
}
"""

OAUTH2 = """introspection_url = http://127.0.0.1:%d/introspect
introspection_mode = auth
username_attribute = username
active_attribute = active
active_value = true
"""

MASTER = ("master", "of, all=mailboxes")


class Introspection:
    """Says whose a token is; tokens: {token: user}, which a test may change."""

    def __init__(self):
        self.tokens = {}
        self.asked = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                token = self.headers.get("Authorization", "").partition("Bearer ")[2]
                outer.asked.append(token)
                user = outer.tokens.get(token)
                body = json.dumps({"active": True, "username": user} if user else {"active": False}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_unused):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def start(directory, authority, users, introspection, mechanisms=None, **more):
    """A Dovecot that offers all of them, or mechanisms alone."""
    settings = SETTINGS + ("auth_mechanisms = %s\n" % mechanisms if mechanisms else "")
    server = dovecot.Dovecot(directory, authority, users, settings=settings, **more)
    with open(os.path.join(directory, "masters"), "w", encoding="utf-8") as f:
        f.write("%s:{PLAIN}%s\n" % MASTER)
    with open(os.path.join(directory, "oauth2.conf"), "w", encoding="utf-8") as f:
        f.write(OAUTH2 % introspection.port)
    return server.start()
