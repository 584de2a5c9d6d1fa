"""API tokens: made, shown once, kept hashed, bounded by scope, time, network and rate."""
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


if __name__ == "__main__":
    tap.run(globals())
