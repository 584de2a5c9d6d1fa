"""Whatever a script sends, to whatever address, it gets an answer that is not our fault, and the web lives."""
import json
import random
import re
import subprocess

import webstack
import tap
from tap import same

ROUNDS = 6
web = webstack.Stack(api_max_per_minute=100000, probe_timeout_s=1)
member = web.sign_in("member")
admin = web.sign_in("admin")
BITS = ["", "0", "-1", "1", "true", "null", "%s%n", "' OR '1'='1", "\" --", "../../etc/passwd", "\u202e", "\u0000", "é" * 300,
        "x" * 70000, "9" * 30, "[]", "{}", "=cmd", "\r\nX-Evil: 1", "<script>", "1e309", "0x10", " ", "\ud800"]
HEADERS = ["Accept", "Range", "Origin", "X-Forwarded-For", "If-Match", "Idempotency-Key", "X-CSRF-Token", "Cookie",
           "Content-Type", "X-HTTP-Method-Override", "X-Request-Id", "Authorization", "If-None-Match", "Sec-Fetch-Site"]
# What a header means to say, so that noise in its middle is looked at as well.
MEANT = ["bytes=0-", "bytes=-1", "application/json", "text/html", "Bearer mcv_", "multipart/form-data; boundary=x", '"1-ab"',
         "W/\"x\", *", "http://127.0.0.1", "10.0.0.1, 127.0.0.1", "same-origin", "mailconvoy=", "application/x-www-form-urlencoded"]
# All that a request could change, but for when somebody was last seen and what the trail says.
TABLES = ", ".join(r[0] for r in web.sql("SELECT table_name FROM information_schema.tables WHERE table_schema = 'mailconvoy'")
                   if r[0] not in ("audit", "session", "login_throttle", "user", "api_token"))


def token(browser, **form):
    form.update(name="noise", jobs_read="1", jobs_write="1", servers_write="1")
    return browser.post_json("/migration/tokens", form).json()["token"]


TOKENS = [token(member), token(admin, installation="1", accounts_write="1")]


def rows():
    out = subprocess.run([web.program, "--routes"], check=True, stdout=subprocess.PIPE, universal_newlines=True).stdout
    # what disables, suspends or signs out the one who asks would end the test
    return [line.split("\t") for line in out.splitlines()
            if not re.search("users/:id|suspend|servers/test", line) and line.split("\t")[5] != "-"]


def value(rng):
    return rng.choice([rng.choice(BITS), rng.randint(-5, 10**9), True, None, rng.choice(BITS) * 3, [1], {"a": 1}])


def ask(rng, row):
    method, pattern = row[:2]
    path = "/api/v1" + re.sub("^/migration", "", pattern).replace(":id", str(rng.choice([1, 2, 3, 999, 0, "x", "%2e%2e", "1%00"])))
    headers = {"Authorization": "Bearer " + rng.choice(TOKENS)}
    for name in rng.sample(HEADERS, rng.randint(0, 3)):
        headers[name] = re.sub(r"[^\x20-\x7e]", "?", rng.choice(BITS))[:2000]
    names = ["name", "source_server_id", "dest_user", "dry_run", "action", "ids", "email", "role", "max_queued", "hosts",
             "days", "confirm", "request_key", rng.choice(BITS)]
    body = None
    if method == "POST":
        body = json.dumps({n: value(rng) for n in rng.sample(names, rng.randint(0, 6))})
        if rng.random() < 0.2:
            body = body[:rng.randint(0, len(body))]
        headers.setdefault("Content-Type", "application/json")
    elif rng.random() < 0.5:
        path += "?%s=%s" % (rng.choice(["state", "before", "offset", "q", "after", "sort"]),
                            rng.choice(["%ff", "%00", "x", "-1", "%27", "9" * 30, "%F0%9F%98%80", "=&="]))
    return web.anyone(**headers).request(method, path, body.encode("utf-8", "surrogatepass") if body else None)


def by_cookie(rng, row, browser):
    """As a page's own script would ask, but for what it says: JSON, or what should be, and headers."""
    method, pattern = row[:2]
    path = re.sub(":(id|token)", str(rng.choice([1, 2, 999, "x", "1%00", "%e2%80%ae", "1-" + "0" * 64])), pattern)
    headers = {"X-CSRF-Token": browser.csrf or "x", "Accept": "application/json", "Content-Type": "application/json"}
    for name in rng.sample(HEADERS, rng.randint(0, 2)):
        text = rng.choice(MEANT) + rng.choice(BITS)
        if name != "Cookie":
            headers[name] = re.sub(r"[^\x20-\x7e]", "?", text)[:2000]
    names = ["name", "email", "password", "host", "port", "ids[]", "hosts", "confirm", "scope", "version", rng.choice(BITS)]
    body = json.dumps({n: value(rng) for n in rng.sample(names, rng.randint(0, 6))})
    cut = rng.choice([len(body), len(body), rng.randint(0, len(body))])
    body = body[:cut].encode("utf-8", "surrogatepass") + rng.choice([b"", b"", b"\xff", b"\0", b"{}"])
    return browser.request(method, path, body if method == "POST" else None, headers=headers)


def test_what_is_refused_of_json_and_headers_changes_nothing_on_any_route():
    out = subprocess.run([web.program, "--routes"], check=True, stdout=subprocess.PIPE, universal_newlines=True).stdout
    every = [line.split("\t") for line in out.splitlines()]
    found, refused = [], 0
    before = web.sql("CHECKSUM TABLE " + TABLES)
    pids = set(web.processes())
    for browser in (web.anyone(), member, admin):
        for row in every:
            if row[1] == "/logout" or re.search("users/:id|accounts/:id/", row[1]) and browser is admin:
                continue  # what ends the session of who asks
            a = by_cookie(random.Random("%s %s %s" % (browser.csrf is None, row[0], row[1])), row, browser)
            after = web.sql("CHECKSUM TABLE " + TABLES)
            if a.status >= 500 or (a.status >= 400 and after != before):
                found.append((row[0], row[1], a.status, a.text[:200], [x for x in after if x not in before]))
            refused += a.status >= 400
            before = after
    assert not found, found
    assert refused > len(every), refused
    same(set(web.processes()), pids, "a web process ended")


def test_noise_is_answered_and_breaks_nothing():
    found = []
    for seed in range(ROUNDS):
        for row in rows():
            rng = random.Random("%d %s %s" % (seed, row[0], row[1]))
            a = ask(rng, row)
            if a.status >= 500:
                found.append((seed, row[0], row[1], a.status, a.text[:200]))
            if "X-Evil" in a.headers:
                found.append((seed, row[1], "a header came through"))
    assert not found, found
    assert member.get("/migration/jobs").status == 200


if __name__ == "__main__":
    tap.run(globals())
