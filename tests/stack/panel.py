"""mailconvoy's panel as a script uses it: HTTP with a session, answers as JSON."""

import http.client
import http.cookies
import json
import re
import time
import urllib.parse

ENDED = ("done", "failed", "cancelled", "interrupted")


class Refused(Exception):
    def __init__(self, status, body):
        super().__init__("HTTP %d: %s" % (status, body[:2000]))
        self.status = status
        self.body = body


class Panel:
    def __init__(self, url):
        self.address = urllib.parse.urlsplit(url)
        self.cookies = {}
        self.csrf = None

    def raw(self, method, path, body=None, headers=None):
        """(status, headers, bytes) of one request; nothing is followed."""
        c = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=60)
        sent = {"Origin": "%s://%s" % (self.address.scheme, self.address.netloc)}
        if self.cookies:
            sent["Cookie"] = "; ".join("%s=%s" % item for item in self.cookies.items())
        sent.update(headers or {})
        c.request(method, path, body, sent)
        answer = c.getresponse()
        data = answer.read()
        for value in answer.headers.get_all("Set-Cookie") or []:
            for name, morsel in http.cookies.SimpleCookie(value).items():
                if morsel.value and morsel["max-age"] != "0":
                    self.cookies[name] = morsel.value
                else:
                    self.cookies.pop(name, None)
        c.close()
        return answer.status, answer.headers, data

    def form(self, path, fields, json_answer=True, method="POST"):
        """Send a form; the JSON answer (or text), Refused for 400 and above."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if json_answer:
            headers["Accept"] = "application/json"
        if self.csrf:
            headers["X-CSRF-Token"] = self.csrf
        status, _, data = self.raw(method, path, urllib.parse.urlencode(fields), headers)
        text = data.decode()
        if status >= 400:
            raise Refused(status, text)
        return json.loads(text) if json_answer and text else text

    def get(self, path):
        status, _, data = self.raw("GET", path, headers={"Accept": "application/json"})
        if status >= 400:
            raise Refused(status, data.decode(errors="replace"))
        return json.loads(data)

    def page(self, path):
        status, _, data = self.raw("GET", path)
        if status >= 400:
            raise Refused(status, data.decode(errors="replace"))
        return data.decode()

    def token_of(self, page):
        return re.search(r'name="csrf-token" content="([^"]*)"', page).group(1)

    def sign_in(self, email, password):
        self.csrf = self.token_of(self.page("/login"))
        self.form("/login", {"email": email, "password": password, "csrf": self.csrf}, json_answer=False)
        self.csrf = self.token_of(self.page("/migration/jobs"))

    def add_server(self, name, host, port, security="tls", verify=True, shared=True):
        fields = {"name": name, "host": host, "port": port, "security": security}
        if verify:
            fields["verify"] = "1"
        if shared:
            fields["shared"] = "1"
        return self.form("/migration/servers", fields)["server"]

    def add_job(self, source_server, source_user, source_password, dest_server, dest_user, dest_password,
                dry_run=True, name=""):
        fields = {
            "source_server_id": source_server, "source_user": source_user, "source_password": source_password,
            "dest_server_id": dest_server, "dest_user": dest_user, "dest_password": dest_password, "name": name,
            "dry_run_present": "1", "request_key": "%032x" % time.time_ns()}
        if dry_run:
            fields["dry_run"] = "1"
        return self.form("/migration/jobs", fields)["job"]

    def import_file(self, text, name="mailboxes.csv", options=None):
        """Upload a CSV file, with options for all its rows; the preview."""
        boundary = "mailconvoy-%032x" % time.time_ns()
        body = ("--%s\r\nContent-Disposition: form-data; name=\"options\"\r\n\r\n%s\r\n" % (boundary, json.dumps(options or {})) +
                "--%s\r\nContent-Disposition: form-data; name=\"file\"; filename=\"%s\"\r\n"
                "Content-Type: text/csv\r\n\r\n%s\r\n--%s--\r\n" % (boundary, name, text, boundary)).encode()
        status, _, data = self.raw("POST", "/migration/import", body, {
            "Content-Type": "multipart/form-data; boundary=" + boundary, "Accept": "application/json",
            "X-CSRF-Token": self.csrf})
        if status >= 400:
            raise Refused(status, data.decode())
        return json.loads(data)

    def rerun(self, job_id, dry_run):
        return self.form("/migration/jobs/%s/rerun" % job_id,
                         {"dry_run": "1" if dry_run else "0", "request_key": "%032x" % time.time_ns()})["job"]

    def job(self, job_id):
        return self.get("/migration/jobs/%s" % job_id)

    def wait(self, job_id, seconds=600, watch=lambda model: None):
        """The job's page model once it has ended."""
        deadline = time.monotonic() + seconds
        while True:
            model = self.job(job_id)
            watch(model)
            if model["job"]["state"] in ENDED:
                return model
            if time.monotonic() > deadline:
                raise AssertionError("job %s is still %s after %d s" % (job_id, model["job"]["state"], seconds))
            time.sleep(0.2)

    def log(self, job_id):
        return self.raw("GET", "/migration/jobs/%s/log" % job_id)[2]
