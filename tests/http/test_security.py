"""What holds for every address: who may pass, what may be sent, what is never answered."""
import contextlib
import html.parser
import http.client
import os
import signal
import socket
import threading
import time

import webstack
import tap
from webstack import PASSWORD
from tap import has, lacks, same

web = webstack.Stack(probe_timeout_s=2)
member = web.sign_in("member")
admin = web.sign_in("admin")
OURS = web.add_server(web.acme, "Ours")
SHARED = web.add_server(None, "Shared")
THEIRS = web.add_server(web.other, "Theirs")
JOB = web.add_job(web.acme, "done", "our-job", log=b"our log\n")
THEIR_JOB = web.add_job(web.other, "done", "their-job", log=b"their log\n")
RUNNING = web.add_job(web.acme, "running")
CANARY = "canary-Passw0rd"

PAGES = ["/migration/jobs", "/migration/jobs/new", "/migration/jobs/%d" % JOB, "/migration/jobs/%d/edit" % JOB,
         "/migration/jobs/%d/delete" % JOB, "/migration/jobs/%d/cancel" % RUNNING, "/migration/servers",
         "/migration/servers/new", "/migration/servers/%d" % OURS, "/migration/servers/%d/delete" % OURS, "/session",
         "/migration/import", "/migration/import/template.csv",
         "/migration/jobs/%d/tail?offset=0" % JOB, "/migration/jobs/%d/log" % JOB]
CHANGES = [("POST", "/logout"), ("POST", "/migration/servers"), ("POST", "/migration/servers/test"),
           ("POST", "/migration/servers/%d" % OURS), ("POST", "/migration/servers/%d/delete" % OURS),
           ("POST", "/migration/jobs"), ("POST", "/migration/jobs/%d/edit" % JOB),
           ("POST", "/migration/jobs/%d/cancel" % RUNNING), ("POST", "/migration/jobs/%d/rerun" % JOB),
           ("POST", "/migration/jobs/%d/delete" % JOB), ("DELETE", "/migration/jobs/%d?hard=true" % JOB)]


def state():
    """All a request could change, but for when somebody was last seen."""
    return web.sql("SELECT id, state, src_user, dst_user, HEX(src_sealed), cancel_requested_at FROM job; "
                   "SELECT id, account_id, name, host, port, security, verify FROM server; "
                   "SELECT COUNT(*) FROM session")


def without_id(answer):
    return answer.text.replace(answer.headers["X-Request-Id"], "ID")


def test_every_page_needs_a_session():
    for path in PAGES:
        a = web.anyone().get(path)
        same((path, a.status), (path, 303))
        has(a.location, "/login?next=")
        same(web.anyone().json(path).status, 401, path)
        same(web.anyone().get("/api/v1" + path).status, 401, path)


def test_every_page_answers_member_and_administrator():
    for who in (member, admin):
        for path in PAGES:
            same((path, who.get(path).status), (path, 200))
            same((path, who.get("/api/v1" + path).status), (path, 200))


def test_every_page_is_whole_html():
    for path in PAGES:
        a = member.get(path)
        if not a.headers["Content-Type"].startswith("text/html"):
            continue
        has(a.text, "<!doctype html>" if "<!doctype" in a.text else "<!DOCTYPE html>", path)
        has(a.text, "</html>", path)
        has(a.text, '<meta name="csrf-token" content="%s"' % member.csrf, path)


def test_every_change_needs_the_token_and_changes_nothing_without_it():
    before = state()
    for method, path in CHANGES:
        for what, form in (("none", {}), ("wrong", {"csrf": "0" * 64}), ("cut", {"csrf": member.csrf[:-1]}),
                           ("another's", {"csrf": admin.csrf})):
            a = member.request(method, path, form=dict(form, confirm="delete", dry_run="0"))
            same((path, what, a.status), (path, what, 403))
        a = member.request(method, path, headers={"X-CSRF-Token": "x"})
        same((path, a.status), (path, 403))
    same(state(), before)


def test_every_change_is_refused_from_another_site_even_with_the_token():
    before = state()
    for method, path in CHANGES:
        for header, value in (("Origin", "https://evil.example"), ("Origin", "null"),
                              ("Origin", "http://127.0.0.1:%d.evil.example" % web.port), ("Sec-Fetch-Site", "cross-site"),
                              ("Sec-Fetch-Site", "same-site")):
            a = member.request(method, path, form={"csrf": member.csrf, "confirm": "delete"}, headers={header: value})
            same((path, header, value, a.status), (path, header, value, 403))
    same(state(), before)
    own = {"Origin": "http://127.0.0.1:%d" % web.port, "Sec-Fetch-Site": "same-origin"}
    same(member.post("/migration/servers", {"name": ""}, own).status, 422)


def test_changes_are_refused_without_a_session():
    for method, path in CHANGES:
        same((path, web.anyone().request(method, path).status), (path, 401))


def test_no_get_changes_anything():
    before = state()
    for method, path in CHANGES:
        for query in ("?csrf=" + member.csrf, "?_method=DELETE&csrf=" + member.csrf):
            member.get(path.split("?")[0] + query, **{"X-HTTP-Method-Override": "DELETE"})
    same(state(), before)


def test_what_is_another_accounts_is_not_there():
    before = state()
    gets = ["/migration/jobs/%d", "/migration/jobs/%d/edit", "/migration/jobs/%d/delete", "/migration/jobs/%d/cancel",
            "/migration/jobs/%d/tail?offset=0", "/migration/jobs/%d/log"]
    posts = [("/migration/jobs/%d/edit", {"source_user": "a", "dest_user": "b"}), ("/migration/jobs/%d/cancel", {}),
             ("/migration/jobs/%d/rerun", {"dry_run": "0"}), ("/migration/jobs/%d/delete", {"confirm": "delete"})]
    server_posts = [("/migration/servers/%d", {"name": "x", "host": "x", "port": "1", "security": "tls"}),
                    ("/migration/servers/%d/delete", {"confirm": "delete"})]
    for path, theirs in [(p, THEIR_JOB) for p in gets] + [("/migration/servers/%d", THEIRS),
                                                          ("/migration/servers/%d/delete", THEIRS)]:
        a, b = member.json(path % theirs), member.json(path % 987654)
        same((path, a.status, b.status), (path, 404, 404))
        same(without_id(a), without_id(b), path)
        a, b = member.get(path % theirs), member.get(path % 987654)
        same(without_id(a), without_id(b), path)
    for path, form in posts:
        a, b = member.post_json(path % THEIR_JOB, form), member.post_json(path % 987654, form)
        same((path, a.status, without_id(a)), (path, 404, without_id(b)))
    for path, form in server_posts:
        same((path, member.post_json(path % THEIRS, form).status), (path, 404))
    h = {"X-CSRF-Token": member.csrf}
    same(member.request("DELETE", "/migration/jobs/%d?hard=true" % THEIR_JOB, headers=h).status, 404)
    a = member.post_json("/migration/servers/test", {"server_id": THEIRS, "user": "u", "password": "p"})
    same(a.status, 404)
    o = member.json("/migration/jobs?ids=%d,%d" % (JOB, THEIR_JOB)).json()
    same([j["id"] for j in o["jobs"]], [JOB])
    same(state(), before)


def test_every_answer_carries_the_security_headers():
    answers = [member.get(p) for p in PAGES] + [
        web.anyone().get("/login"), web.anyone().get("/nowhere"), web.anyone().get("/migration/jobs"),
        member.request("PUT", "/login"), member.request("POST", "/migration/jobs"), member.get("/migration/jobs?q=%zz"),
        member.get("/migration/jobs/%d/log" % JOB, Range="bytes=0-1"), member.json("/migration/jobs/999")]
    for a in answers:
        h = a.headers
        csp = h["Content-Security-Policy"]
        for part in ("default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'",
                     "connect-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
            has(csp, part)
        lacks(csp, "unsafe")
        same((h["X-Content-Type-Options"], h["Cache-Control"], h["Cross-Origin-Opener-Policy"], h["Referrer-Policy"]),
             ("nosniff", "no-store", "same-origin", "strict-origin"))
        has(h["Permissions-Policy"], "camera=()")
        same(len(h["X-Request-Id"]), 16)
        same(len(h.get_all("Content-Security-Policy")), 1)


def test_unknown_addresses_and_methods():
    for path in ("/nowhere", "/migration", "/migration/jobs/", "/migration/jobs/0", "/migration/jobs/01",
                 "/migration/jobs/1x", "/migration/jobs/99999999999999999999", "/migration/jobs/-1", "/api/v1",
                 "/migration/Jobs", "/login/"):
        same((path, member.get(path).status), (path, 404))
    a = member.request("PUT", "/migration/jobs/%d" % JOB)
    same((a.status, a.headers["Allow"]), (405, "GET, HEAD, DELETE"))
    a = member.request("DELETE", "/login")
    same((a.status, a.headers["Allow"]), (405, "GET, HEAD, POST"))
    same(member.request("OPTIONS", "/migration/jobs").status, 405)
    same(member.request("BREW", "/migration/jobs").status in (400, 405, 501), True)


def test_head_is_get_without_its_body():
    for path in ("/migration/jobs", "/migration/jobs/%d/log" % JOB):
        got, head = member.get(path), member.request("HEAD", path)
        same((head.status, head.body), (200, b""))
        same(head.headers["Content-Type"], got.headers["Content-Type"])
    same(member.request("HEAD", "/migration/jobs/%d/log" % JOB).headers["Content-Length"], "8")


def test_malformed_requests_are_refused_with_their_reason():
    for path in ("/migration/jobs?q=%zz", "/migration/jobs?q=%C3%28", "/migration/jobs?q=a%00b",
                 "/migration/jobs?q=a&q=b", "/migration/%2e%2e/login", "/migration//jobs", "/a%2Fb",
                 "/migration/jobs?" + "&".join("a%d=1" % n for n in range(101))):
        same((path[:60], member.get(path).status), (path[:60], 400))
    same(member.get("/migration/jobs?q=" + "a" * 5000).status, 414)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    same(member.request("POST", "/migration/jobs", "a=%", form).status, 400)
    same(member.request("POST", "/migration/jobs", "a=1&a=2", form).status, 400)
    same(member.request("POST", "/migration/jobs", "<x/>", {"Content-Type": "text/xml"}).status, 415)
    same(member.request("POST", "/migration/jobs", "{", {"Content-Type": "application/json"}).status, 400)
    same(member.request("POST", "/migration/jobs", "a=" + "b" * 65536, form).status, 413)
    same(member.request("POST", "/migration/jobs", "a=" + "b" * 1500000, form).status, 413)
    a = member.request("GET", "/migration/jobs?q=%zz", headers={"Accept": "application/json"})
    same(sorted(a.json()), ["detail", "fields", "request_id", "status", "title", "type"])
    same(a.headers["Content-Type"], "application/problem+json")


class Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.bad = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag in ("img", "svg", "iframe", "object") and values.get("src") == "x":
            self.bad.append(tag)
        for name, value in attrs:
            if name.startswith("on") or name == "style" or (value or "").lower().startswith("javascript:"):
                self.bad.append("%s %s" % (tag, name))
        if tag == "script" and not values.get("src"):
            self.bad.append("inline script")

    def handle_data(self, data):
        self.text += data


def test_hostile_text_is_shown_as_text_everywhere():
    evil = "\"><img src=x onerror=alert(1)><script>alert(2)</script>&amp;{{csrf}}{{{page.csrf}}}"
    quoted = "'" + evil.replace("'", "''") + "'"
    server = web.add_server(web.acme, evil[:90])
    job = web.add_job(web.acme, "failed", src_server_id=server, src_server_name=quoted[:-1][:90] + "'",
                      src_user=quoted, dst_user=quoted, reason_text=quoted, reason_detail=quoted, program=quoted,
                      reason="'x'", reason_action="'view_log'",
                      log=evil.encode() + b"\n\x1b[31m\xe2\x80\xae</pre><img src=x onerror=alert(3)>\n")
    web.sql("UPDATE job SET name = %s WHERE id = %d" % (quoted, job))
    running = web.add_job(web.acme, "running", folder_current=quoted, src_user=quoted)
    query = "q=%22%3E%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E"
    paths = ["/migration/jobs", "/migration/jobs?" + query, "/migration/jobs/%d" % job, "/migration/jobs/%d" % running,
             "/migration/jobs/%d/edit" % job, "/migration/jobs/%d/delete" % job, "/migration/servers",
             "/migration/servers/%d" % server, "/migration/servers/%d/delete" % server, "/migration/jobs/new",
             "/nowhere?" + query, "/migration/jobs?notice=" + query, "/login?next=" + query]
    for path in paths:
        for who in ((member, web.anyone()) if path.startswith("/login") else (member,)):
            a = who.get(path)
            t = Tags()
            t.feed(a.text)
            same((path, t.bad), (path, []))
            lacks(a.text, "<script>alert", path)
    page = member.get("/migration/jobs/%d" % job).text
    lacks(page, "\x1b", "escape characters")
    lacks(page, "\u202e", "direction overrides")
    form = {"name": evil, "host": evil, "port": evil, "security": evil, "user": evil, "password": evil}
    t = Tags()
    t.feed(member.post("/migration/servers", form).text)
    same(t.bad, [])


def test_no_password_is_ever_in_an_answer():
    answers = []
    for path in ("/migration/servers", "/migration/servers/%d" % OURS, "/migration/servers/test", "/migration/jobs",
                 "/migration/jobs/%d/edit" % JOB):
        form = {"password": CANARY, "source_password": CANARY, "dest_password": CANARY + "x" * 2000,
                "user": "u", "name": "", "host": "h", "port": "x"}
        answers += [member.post(path, form), member.post_json(path, form)]
    answers.append(web.anyone().login("member@example.org", CANARY))
    for a in answers:
        same(a.status in (401, 422), True, a.status)
        lacks(a.text, CANARY)
        lacks(str(a.headers), CANARY)
    lacks(web.output(), CANARY, "the log")
    lacks(open(os.path.join(web.dir, "web", "nginx-error.log"), encoding="utf-8").read(), CANARY, "nginx's log")


def test_a_forged_line_never_reaches_the_log():
    member.get("/migration/jobs?q=%0Amailconvoy-web%5B1%5D:%20forged")
    web.anyone().login("x\nmailconvoy-web[1]: forged", "y")
    lacks(web.output(), "\nmailconvoy-web[1]: forged")


def test_no_name_can_be_typed_that_looks_like_another():
    # U+200C stands in ordinary words of Persian
    fine = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
    for number, mark in enumerate("\u202e\u2066\u200f\u061c\u200b\ufeff\u2028\x85"):
        name = "pay%spal" % mark
        for who, path, form, field in (
                (member, "/migration/servers", {"name": name, "host": "a.example.org", "port": 993, "security": "tls"}, "name"),
                (member, "/migration/jobs", {"source_server_id": OURS, "source_user": name, "source_password": mark,
                                             "dest_server_id": OURS, "dest_user": "b", "dest_password": "p", "name": name},
                 "name source_user"),
                (member, "/migration/tokens", {"name": name, "jobs_read": "1"}, "name"),
                (admin, "/migration/accounts", {"name": name}, "name"),
                (admin, "/migration/users", {"email": name + "@example.org", "role": "member", "account_id": web.acme}, "email"),
                (member, "/migration/jobs/%d/edit" % JOB, {"source_user": name, "dest_user": "b"}, "source_user")):
            a = who.post_json(path, form)
            same((path, mark, a.status, " ".join(sorted(a.json()["fields"]))), (path, mark, 422, field), a.text)
            if mark != "\x85":
                has(a.json()["fields"][field.split(" ")[0]], "invisible character (U+%04X)" % ord(mark))
        if mark == "\u202e":
            same(member.post("/migration/servers", {"name": fine, "host": "a.example.org", "port": 993, "security": "tls"}).status, 303)


def web_pids():
    found = []
    for pid in os.listdir("/proc"):
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as f:
                if f.read().startswith(web.program.encode() + b"\0-c\0" + web.conf.encode()):
                    found.append(int(pid))
        except OSError:
            continue
    return found


def test_a_stopped_process_finishes_the_request_it_has():
    silent = socket.create_server(("127.0.0.1", 0))
    got = []

    def ask():
        got.append(admin.post_json("/migration/servers/test", {
            "host": "127.0.0.1", "port": silent.getsockname()[1], "security": "none", "user": "u", "password": "p"}))
    t = threading.Thread(target=ask)
    t.start()
    c, _ = silent.accept()  # the test is under way
    old = web_pids()
    for pid in old:
        os.kill(pid, signal.SIGTERM)
    t.join(20)
    c.close()
    same((len(got), got[0].status, got[0].json()["test"]["cause"]), (1, 200, "timed_out"))
    webstack.wait_for(lambda: len(set(web_pids()) - set(old)) == len(old), 10, "new processes")
    same(member.get("/migration/jobs").status, 200)


def test_restarting_the_processes_drops_no_request():
    seen = []
    over = threading.Event()

    def ask():
        while not over.is_set():
            try:
                seen.append(web.anyone().get("/login").status)
            except (OSError, http.client.HTTPException) as e:
                seen.append(repr(e))
    threads = [threading.Thread(target=ask) for _ in range(3)]
    for t in threads:
        t.start()
    try:
        for _ in range(4):
            old = web_pids()
            for pid in old:
                # one that has just answered its last request is gone already
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
            webstack.wait_for(lambda: not set(web_pids()) & set(old) and web_pids(), 15, "new processes")
    finally:
        over.set()
        for t in threads:
            t.join()
    same(set(seen), {200}, "of %d answers" % len(seen))


def test_without_a_database_the_answer_is_503_and_it_heals_by_itself():
    same(member.get("/migration/jobs").status, 200)
    web.kill_database()
    for _ in range(3):
        a = member.get("/migration/jobs")
        same(a.status, 503)
        has(a.text, a.headers["X-Request-Id"])
    same(member.json("/migration/jobs").json()["status"], 503)
    same(web.anyone().get("/login").status, 200)
    web.run_database()
    for _ in range(4):
        same(member.get("/migration/jobs").status, 200)


def test_core_dumps_are_off():
    for pid in web_pids():
        with open("/proc/%d/limits" % pid, encoding="ascii") as f:
            line = [x for x in f if x.startswith("Max core file size")][0]
        same(line.split()[4:6], ["0", "0"])


def test_passwords_are_nowhere_outside_the_process():
    member.post("/migration/jobs", {"source_server_id": OURS, "source_user": "u", "source_password": CANARY,
                                    "dest_server_id": OURS, "dest_user": "u", "dest_password": CANARY})
    for pid in web_pids():
        for name in ("cmdline", "environ"):
            with open("/proc/%d/%s" % (pid, name), "rb") as f:
                same(CANARY.encode() in f.read(), False, name)
    for table in ("job", "job_event", "audit", "session", "user", "server"):
        for row in web.sql("SELECT * FROM " + table):
            lacks("\t".join(row), CANARY, table)
            lacks("\t".join(row), PASSWORD, table)


if __name__ == "__main__":
    tap.run(globals())
