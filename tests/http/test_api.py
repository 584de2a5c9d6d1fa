"""API tokens: made, shown once, kept hashed, bounded by scope, time, network and rate."""
import http.client
import os
import re

import webstack
import tap
from tap import has, lacks, same

web = webstack.Stack(api_max_per_minute=40)
admin = web.sign_in("admin")
member = web.sign_in("member")
SERVER = web.add_server(web.acme, "Ours")


def make(browser=member, **form):
    form.setdefault("name", "a script")
    form.setdefault("jobs_read", "1")
    a = browser.post_json("/migration/tokens", form)
    same(a.status, 201, a.text)
    return a.json()


def script(token, **headers):
    return web.anyone(Authorization="Bearer " + token, **headers)


def test_a_token_signs_requests_without_cookie_or_csrf():
    made = make(jobs_write="1")
    s = script(made["token"])
    same(s.get("/api/v1/jobs").status, 200)
    a = s.request("POST", "/api/v1/jobs", form={
        "source_server_id": SERVER, "source_user": "a", "source_password": "p", "dest_server_id": SERVER,
        "dest_user": "b", "dest_password": "p"})
    same(a.status, 201, a.text)
    same(a.headers.get("Set-Cookie"), None)
    same(s.get("/api/v1/session").json()["user"]["email"], "member@example.org")
    same(web.sql("SELECT account_id, owner_user_id IS NOT NULL FROM job"), [[str(web.acme), "1"]])


def test_it_is_shown_once_and_kept_as_a_fingerprint():
    text = make(name="seen & gone")["token"]
    same((text[:4], len(text)), ("mcv_", 68))
    page = member.get("/migration/tokens").text
    has(page, "seen &amp; gone")
    lacks(page, text)
    lacks(str(web.sql("SELECT * FROM api_token; SELECT * FROM audit")), text[4:])
    script(text).get("/api/v1/jobs")
    lacks(web.output(), text[4:])
    same(member.json("/migration/tokens").json()["tokens"][0]["last_address"], "127.0.0.1")


def test_what_is_no_token_is_refused_and_no_cookie_helps():
    good = make()["token"]
    for shown in ("Bearer mcv_" + "0" * 64, "Bearer " + good[:-1], "Bearer " + good.upper(), "Basic " + good, "Bearer",
                  "Bearer " + good + "0"):
        a = member.request("GET", "/api/v1/jobs", headers={"Authorization": shown})
        same((shown[:12], a.status), (shown[:12], 401))
        same(a.headers["WWW-Authenticate"], "Bearer")
        same(a.headers["Content-Type"], "application/problem+json")
        same(a.json()["request_id"], a.headers["X-Request-Id"])


def test_outside_the_api_the_header_means_nothing():
    same(script(make()["token"]).get("/migration/jobs").status, 303)
    same(script(make()["token"]).json("/migration/jobs").status, 401)


def test_a_revoked_or_expired_token_ends_at_once():
    made = make(days="1")
    s = script(made["token"])
    same(s.get("/api/v1/jobs").status, 200)
    web.sql("UPDATE api_token SET expires_at = UTC_TIMESTAMP(6) WHERE id = %d" % made["id"])
    same(s.get("/api/v1/jobs").status, 401)
    made = make()
    s = script(made["token"])
    same(s.get("/api/v1/jobs").status, 200)
    same(member.post("/migration/tokens/%d/revoke" % made["id"]).status, 303)
    same(s.get("/api/v1/jobs").status, 401)
    same(member.post("/migration/tokens/%d/revoke" % made["id"]).status, 404)


def test_a_token_ends_with_its_users_access_and_role():
    web.add_user(web.admin_account, "second@example.org", "admin")
    second = web.sign_in("second")
    token = make(second, installation="1", accounts_write="1")["token"]
    same(script(token).get("/api/v1/accounts").status, 200)
    user = "/migration/users/%s" % web.sql("SELECT id FROM user WHERE email = 'second@example.org'")[0][0]
    same(admin.post(user + "/role", {"role": "member"}).status, 303)
    same(script(token).get("/api/v1/accounts").status, 401)
    admin.post(user + "/role", {"role": "admin"})
    same(script(token).get("/api/v1/accounts").status, 200)
    admin.post(user + "/disable")
    same(script(token).get("/api/v1/jobs").status, 401)


def test_a_token_works_from_its_networks_alone():
    near = make(networks="127.0.0.0/8, 2001:db8::/32")["token"]
    far = make(networks="192.0.2.0/24")["token"]
    same(script(near).get("/api/v1/jobs").status, 200)
    same(script(far).get("/api/v1/jobs").status, 401)
    same(member.post_json("/migration/tokens", {"name": "x", "jobs_read": "1", "networks": "nowhere"}).status, 422)


def test_what_a_token_may_do_is_chosen_and_bounded():
    for form in ({"name": "nothing"}, {"name": "x", "accounts_write": "1"}, {"name": "x", "jobs_read": "1", "installation": "1"},
                 {"name": "", "jobs_read": "1"}, {"name": "x", "jobs_read": "1", "days": "9999"}):
        same((form, member.post_json("/migration/tokens", form).status), (form, 422))
    same(admin.post_json("/migration/tokens", {"name": "x", "accounts_write": "1"}).status, 422)


def test_a_token_of_the_installation_acts_for_the_account_it_names():
    token = make(admin, installation="1", jobs_write="1", accounts_write="1")["token"]
    mine, theirs = web.add_job(web.acme, name="for Acme"), web.add_job(web.other, name="for Other")
    s = script(token, **{"Mailconvoy-Account": "Acme"})
    same([j["account_name"] for j in s.get("/api/v1/jobs").json()["jobs"]].count("Other"), 0)
    same((s.get("/api/v1/jobs/%d" % mine).status, s.get("/api/v1/jobs/%d" % theirs).status), (200, 404))
    same(s.get("/api/v1/accounts").status, 403)
    for name in ("Nobody", "", "id:", "id:none"):
        a = script(token, **{"Mailconvoy-Account": name}).get("/api/v1/jobs")
        same((name, a.status, a.json()["type"]), (name, 403, "urn:mailconvoy:account"))
    same(script(make()["token"], **{"Mailconvoy-Account": "Other"}).get("/api/v1/jobs").status, 403)
    same(member.request("GET", "/api/v1/jobs/%d" % theirs, headers={"Mailconvoy-Account": "Other"}).status, 404)


def test_no_token_makes_an_administrator_or_takes_one_over():
    web.add_user(web.admin_account, "third@example.org", "admin")
    third, plain = (int(web.sql("SELECT id FROM user WHERE email = '%s@example.org'" % name)[0][0])
                    for name in ("third", "member"))
    web.sql("INSERT INTO second_factor (user_id, sealed, last_step, created_at) VALUES (%d, 'x', 0, UTC_TIMESTAMP(6))" % third)
    s = script(make(admin, installation="1", accounts_write="1", sso_create="1")["token"])
    before = web.sql("SELECT id, role FROM user; SELECT user_id FROM second_factor; SELECT user_id FROM user_link")
    for user, what, form in ((plain, "role", {"role": "admin"}), (third, "link", {}), (third, "second-factor-off", {})):
        a = s.request("POST", "/api/v1/users/%d/%s" % (user, what), form=form)
        same((what, a.status, a.json()["type"]), (what, 403, "urn:mailconvoy:scope"))
    new = {"email": "fourth@example.org", "role": "admin", "account_id": web.acme}
    a = s.request("POST", "/api/v1/users", form=new)
    same((a.status, list(a.json()["fields"])), (422, ["role"]))
    same(web.sql("SELECT id, role FROM user; SELECT user_id FROM second_factor; SELECT user_id FROM user_link"), before)
    # members it does
    same(s.request("POST", "/api/v1/users", form=dict(new, role="member")).status, 201)
    user = s.request("POST", "/api/v1/users", form=dict(new, email="fifth@example.org", role="member")).json()["user"]["id"]
    a = s.request("POST", "/api/v1/users/%d/link" % user, form={})
    same(a.status, 200)
    link = "/welcome/" + a.json()["link"].rsplit("/", 1)[1]
    same(web.anyone().get(link).status, 200)
    # and what it made for a member sets no administrator's password
    same(admin.post("/migration/users/%d/role" % user, {"role": "admin"}).status, 303)
    same(web.anyone().get(link).status, 404)


def test_the_audit_log_names_the_token():
    made = make(admin, installation="1", accounts_write="1")
    a = script(made["token"]).request("POST", "/api/v1/accounts", form={"name": "By script"})
    same(a.status, 201, a.text)
    same(a.location, "/api/v1/accounts/%d" % a.json()["account"]["id"])
    entry = admin.json("/migration/audit?action=account_create").json()["entries"][0]
    same((entry["token_id"], entry["email"]), (made["id"], "admin@example.org"))


def test_the_same_idempotency_key_makes_one_job():
    s = script(make(jobs_write="1")["token"], **{"Idempotency-Key": "order 4711"})
    form = {"source_server_id": SERVER, "source_user": "once", "source_password": "p", "dest_server_id": SERVER,
            "dest_user": "b", "dest_password": "p"}
    first, second = [s.request("POST", "/api/v1/jobs", form=form) for _ in range(2)]
    same((first.status, second.status), (201, 200))
    same(first.json()["job"]["id"], second.json()["job"]["id"])
    same(web.sql("SELECT COUNT(*) FROM job WHERE src_user = 'once'"), [["1"]])
    s.headers["Idempotency-Key"] = "order 4712"
    same(s.request("POST", "/api/v1/jobs", form=form).status, 201)
    s.headers["Idempotency-Key"] = "x" * 256
    same(s.request("POST", "/api/v1/jobs", form=form).status, 400)


def test_a_script_pages_through_all_jobs_while_others_are_made():
    web.sql("DELETE FROM job")
    made = {web.add_job(web.acme, "done") for _ in range(110)} | {web.add_job(web.acme, "failed")}
    web.add_job(web.other, "done")
    s, at, seen = script(make()["token"]), "/api/v1/jobs?state=done,failed&sort=created&dir=asc", []
    while at:
        a = s.get(at)
        same(a.status, 200, at)
        seen += [job["id"] for job in a.json()["jobs"]]
        link = re.fullmatch('<(/api/v1/jobs\\?[!-;=?-~]+)>; rel="next"', a.headers.get("Link") or "")
        at = link and link.group(1)
        web.sql("DELETE FROM job WHERE id = %d" % seen[0])
        web.add_job(web.acme, "queued")
    same((len(seen), set(seen)), (111, made))
    same(member.json("/migration/jobs").headers.get("Link"), None)


def test_a_script_of_the_installation_reads_workers_slots_and_tokens_and_deletes_a_job_for_good():
    token = make(admin, installation="1", accounts_write="1", jobs_write="1")
    s = script(token["token"])
    o = s.get("/api/v1/workers").json()
    same((o["slots"], o["slots_used"], o["workers"]), (2, 0, []))
    o = s.get("/api/v1/tokens").json()
    has([t["id"] for t in o["tokens"]], token["id"])
    lacks(str(o), token["token"][4:])
    same(s.request("POST", "/api/v1/tokens", form={"name": "more", "jobs_read": "1"}).status, 403)
    same(script(make()["token"]).get("/api/v1/tokens").status, 403)
    job = web.add_job(web.acme, "done", log=b"a line\n")
    same(s.request("DELETE", "/api/v1/jobs/%d" % job).status, 400)
    same(s.request("DELETE", "/api/v1/jobs/%d?hard=true" % job).status, 204)
    same(s.request("DELETE", "/api/v1/jobs/%d?hard=true" % job).status, 404)
    same(web.sql("SELECT COUNT(*) FROM job_log WHERE job_id = %d" % job), [["0"]])


def test_a_script_reads_a_part_of_a_log():
    job = web.add_job(web.acme, "done", log=b"0123456789\n")
    s = script(make()["token"])
    a = s.get("/api/v1/jobs/%d/log" % job, Range="bytes=3-5")
    same((a.status, a.body, a.headers["Content-Range"]), (206, b"345", "bytes 3-5/11"))
    same(s.get("/api/v1/jobs/%d/log" % job, Range="bytes=-4").body, b"789\n")
    a = s.get("/api/v1/jobs/%d/log" % job, Range="bytes=11-")
    same((a.status, a.headers["Content-Type"]), (416, "application/problem+json"))


def test_a_method_that_is_not_served_says_which_are():
    a = script(make()["token"]).request("DELETE", "/api/v1/servers")
    same((a.status, a.headers["Allow"], a.headers["Content-Type"]), (405, "GET, HEAD, POST", "application/problem+json"))


def test_too_many_requests_wait():
    s = script(make()["token"])
    answers = [s.get("/api/v1/session") for _ in range(42)]
    same([a.status for a in answers[:40]], [200] * 40)
    a = answers[-1]
    same((a.status, a.json()["type"]), (429, "urn:mailconvoy:too_many"))
    assert 1 <= int(a.headers["Retry-After"]) <= 10
    same(script(make()["token"]).get("/api/v1/session").status, 200)


def test_errors_are_problem_details():
    s = script(make(jobs_write="1")["token"])
    for a, status in ((s.get("/api/v1/jobs/999"), 404), (s.get("/api/v1/nowhere"), 404),
                      (s.request("DELETE", "/api/v1/session"), 405), (s.request("POST", "/api/v1/jobs", form={}), 422),
                      (s.request("POST", "/api/v1/jobs", "{", {"Content-Type": "application/json"}), 400),
                      (s.get("/api/v1/accounts"), 403)):
        o = a.json()
        same((a.status, o["status"]), (status, status), a.text)
        same(a.headers["Content-Type"], "application/problem+json")
        same(sorted(o), ["detail", "fields", "request_id", "status", "title", "type"])


def test_a_request_id_of_the_clients_is_echoed_and_logged_beside_ours():
    s = script(make()["token"])
    for sane in ("a", "order-4711_x.Y", "x" * 64):
        a = s.get("/api/v1/jobs/999", **{"X-Request-Id": sane})
        same((a.status, a.headers["X-Request-Id"], a.json()["request_id"]), (404, sane, sane))
    for other in ("", "x" * 65, "a b", "a,b", "a\"b", "<b>", "\xe9", "a/b"):
        a = s.get("/api/v1/jobs/999", **{"X-Request-Id": other})
        same((other, bool(re.fullmatch("[0-9a-f]{16}", a.headers["X-Request-Id"]))), (other, True))
        same(a.json()["request_id"], a.headers["X-Request-Id"])
    far = script(make(networks="192.0.2.0/24")["token"])
    same(far.get("/api/v1/jobs", **{"X-Request-Id": "find-me"}).status, 401)
    found = [line for line in web.output().splitlines() if "find-me" in line]
    assert found and re.search(r"request [0-9a-f]{16} \(find-me\): token \d+ was shown from", found[0]), found


def untold(path):
    """A body whose length is not told beforehand."""
    c = http.client.HTTPConnection("127.0.0.1", web.port, timeout=60)
    try:
        c.request("POST", path, iter([b"x"]), {"Transfer-Encoding": "chunked"}, encode_chunked=True)
        r = c.getresponse()
        return webstack.Answer(r, r.read())
    finally:
        c.close()


def test_what_nginx_answers_itself_is_a_problem_to_scripts_and_a_page_to_people():
    socket, aside = (os.path.join(web.dir, "web", name) for name in ("web.sock", "aside.sock"))
    large = "x" * (3 * 1024 * 1024)
    asked = {"X-Request-Id": "mine"}
    found = [(413, web.anyone().request("POST", prefix + "/jobs", large, asked), prefix) for prefix in ("/api/v1", "/migration")]
    found += [(411, untold(prefix + "/import"), prefix) for prefix in ("/api/v1", "/migration")]
    os.rename(socket, aside)
    try:
        found += [(502, web.anyone().get(prefix + "/jobs", **asked), prefix) for prefix in ("/api/v1", "/migration")]
    finally:
        os.rename(aside, socket)
    for status, a, prefix in found:
        same((a.status, a.headers["Cache-Control"]), (status, "no-store"), a.text)
        if prefix == "/migration":
            same(a.headers["Content-Type"], "text/html; charset=utf-8")
            has(a.text, "Error %d" % status)
            continue
        same(a.headers["Content-Type"], "application/problem+json")
        o = a.json()
        same(sorted(o), ["detail", "fields", "request_id", "status", "title", "type"])
        same((o["status"], o["request_id"]), (status, a.headers["X-Request-Id"]))
        assert o["request_id"] == "mine" or status == 411, o
    same(web.sign_in("member").get("/migration/jobs").status, 200)


if __name__ == "__main__":
    tap.run(globals())
