"""Whatever a script sends, to whatever address, it gets an answer that is not our fault, and the web lives."""
import json
import random
import re
import subprocess

import webstack
import tap

ROUNDS = 6
web = webstack.Stack(api_max_per_minute=100000, probe_timeout_s=1)
member = web.sign_in("member")
admin = web.sign_in("admin")
BITS = ["", "0", "-1", "1", "true", "null", "%s%n", "' OR '1'='1", "\" --", "../../etc/passwd", "\u202e", "\u0000", "é" * 300,
        "x" * 70000, "9" * 30, "[]", "{}", "=cmd", "\r\nX-Evil: 1", "<script>", "1e309", "0x10", " ", "\ud800"]
HEADERS = ["Accept", "Range", "Origin", "X-Forwarded-For", "If-Match", "Idempotency-Key", "X-CSRF-Token", "Cookie",
           "Content-Type", "X-HTTP-Method-Override", "X-Request-Id"]


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
