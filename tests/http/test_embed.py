"""In a frame of a control panel: who may, what cookies that takes, what is left out, and that forgery stays out."""
import re

import webstack
import tap
from tap import has, lacks, same

OURS, THEIRS, EVERYONES = "https://panel.acme.example:2222", "https://hosting.other.example", "https://panel.example.net"
BASE = "https://mail.example.org"
web = webstack.Stack(base_url=BASE, panel_origins=[EVERYONES])
IN_FRAME = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin"}
IN_WINDOW = dict(IN_FRAME, **{"Sec-Fetch-Dest": "document"})
JOB = web.add_job(web.acme, "done", log=b"a line\n")
admin = web.sign_in("admin")
a = admin.post_json("/migration/accounts/%d" % web.acme, {"name": "Acme", "panel_origins": OURS.upper()})
same(a.status, 200, a.text)
a = admin.post_json("/migration/accounts/%d" % web.other, {"name": "Other", "panel_origins": THEIRS})
same(a.status, 200, a.text)


def framers(answer):
    """The origins that may frame it; X-Frame-Options must not say otherwise."""
    policy = answer.headers["Content-Security-Policy"]
    listed = re.search(r"frame-ancestors ([^;]*)", policy).group(1).split()
    same((answer.headers.get("X-Frame-Options"), policy.count("frame-ancestors")),
         ("DENY" if listed == ["'none'"] else None, 1))
    return listed


def sign_in(who="member", headers=None):
    b = web.anyone(**(headers or {}))
    token = b.login_token()
    answer = b.request("POST", "/login", form={"email": who + "@example.org", "password": webstack.PASSWORD,
                                               "csrf": token})
    same(answer.status, 303)
    b.csrf = b.json("/session").json()["csrf"]
    return b, answer


def cookies(answer):
    return {line.split("=")[0]: line for line in answer.headers.get_all("Set-Cookie") or []}


def test_an_account_is_framed_by_its_own_panels_and_the_installations():
    b, _ = sign_in()
    for path in ("/migration/jobs", "/migration/jobs/%d" % JOB, "/session", "/migration/jobs/987654",
                 "/migration/jobs/%d/tail?offset=0" % JOB):
        same((path, framers(b.get(path))), (path, [EVERYONES, OURS]))
    b, _ = sign_in("other")
    same(framers(b.get("/migration/jobs")), [EVERYONES, THEIRS])
    same(framers(admin.get("/migration/jobs")), [EVERYONES])


def test_who_is_not_signed_in_is_framed_by_the_installations_panels_alone():
    for path in ("/login", "/migration/jobs", "/nowhere", "/log/1-abc", "/welcome/abc"):
        same((path, framers(web.anyone().get(path))), (path, [EVERYONES]))


def test_a_link_for_somebody_else_is_not_framed_by_the_readers_panels():
    b, _ = sign_in()
    made = b.post_json("/migration/jobs/%d/log-links" % JOB, {"days": "1"}).json()["log_link"]["link"]
    same(framers(b.get(made[len(BASE):])), [EVERYONES])


def test_no_account_without_a_list_is_framed():
    web.sql("UPDATE account SET panel_origins = NULL WHERE id = %d" % web.other)
    b, _ = sign_in("other")
    same(framers(b.get("/migration/jobs")), [EVERYONES])
    web.sql("UPDATE account SET panel_origins = '%s' WHERE id = %d" % (THEIRS, web.other))


def test_what_stands_in_the_database_and_is_no_origin_stays_out_of_the_header():
    for text in ("*", "https://a.example x'; script-src *", "https://a.example\\r\\nX-Evil: 1", "https://*.example"):
        web.sql("UPDATE account SET panel_origins = '%s' WHERE id = %d" % (text.replace("'", "''"), web.other))
        answer = sign_in("other")[0].get("/migration/jobs")
        same((text, set(framers(answer)) - {"https://a.example"}, answer.headers.get("X-Evil")), (text, {EVERYONES}, None))
    web.sql("UPDATE account SET panel_origins = '%s' WHERE id = %d" % (THEIRS, web.other))


def test_only_an_administrator_lists_panels_and_only_origins():
    for text in ("http://panel.example.org", "https://*", "panel.example.org", "https://panel.example.org/x"):
        answer = admin.post_json("/migration/accounts/%d" % web.acme, {"name": "Acme", "panel_origins": text})
        same((text, answer.status, list(answer.json()["fields"])), (text, 422, ["panel_origins"]))
    page = admin.get("/migration/accounts/%d" % web.acme)
    has(page.text, 'value="%s"' % OURS)
    b, _ = sign_in()
    same(b.post("/migration/accounts/%d" % web.acme, {"name": "Acme", "panel_origins": "https://x"}).status, 403)
    same(framers(b.get("/migration/jobs")), [EVERYONES, OURS])


def test_cookies_reach_us_from_the_frame_and_from_that_panels_frame_alone():
    for headers in (IN_FRAME, {}):
        _, answer = sign_in(headers=headers)
        for name, line in cookies(answer).items():
            for part in ("; SameSite=None", "; Secure", "; Partitioned", "; HttpOnly", "; Path=/"):
                has(line, part, name)
        same("__Host-mailconvoy" in cookies(answer), True)


def test_cookies_of_a_window_stay_lax():
    _, answer = sign_in(headers=IN_WINDOW)
    for name, line in cookies(answer).items():
        has(line, "; SameSite=Lax", name)
        lacks(line, "Partitioned", name)


def test_signing_out_removes_the_cookie_where_it_is_kept():
    for headers, want in ((IN_FRAME, "; SameSite=None; Partitioned; Max-Age=0"), (IN_WINDOW, "; SameSite=Lax; Max-Age=0")):
        b, _ = sign_in(headers=headers)
        answer = b.post("/logout")
        same(answer.status, 303)
        has(cookies(answer)["__Host-mailconvoy"], want)


def test_of_two_cookies_the_one_of_a_session_that_goes_on_counts_and_both_end():
    old, _ = sign_in()
    dead, _ = sign_in()
    dead.post("/logout")
    token = old.cookies["__Host-mailconvoy"]
    for pair in ("%s; __Host-mailconvoy=%s" % ("0" * 64, token), "%s; __Host-mailconvoy=%s" % (token, "0" * 64)):
        answer = web.anyone().get("/session", Cookie="__Host-mailconvoy=" + pair)
        same((answer.status, answer.json()["csrf"]), (200, old.csrf))
    other, _ = sign_in()
    both = "__Host-mailconvoy=%s; __Host-mailconvoy=%s" % (token, other.cookies["__Host-mailconvoy"])
    answer = web.anyone().request("POST", "/logout", form={"csrf": old.csrf}, headers={"Cookie": both})
    same(answer.status, 303)
    same((old.json("/session").status, other.json("/session").status), (401, 401))


def test_embed_leaves_out_header_and_footer_and_is_remembered():
    b, _ = sign_in(headers=IN_FRAME)
    full = b.get("/migration/jobs").text
    for part in ('<header class="top">', '<footer', "Sign out", 'aria-label="Main"'):
        has(full, part)
    answer = b.get("/migration/jobs?embed=1")
    has(cookies(answer)["mailconvoy-embed"], "=1; Path=/; HttpOnly; SameSite=None; Partitioned; Secure")
    for page in (answer, b.get("/migration/servers"), b.get("/migration/jobs/987654"), b.get("/migration/jobs/new")):
        for part in ("<header", "<footer", "Sign out", 'aria-label="Main"'):
            lacks(page.text, part)
        has(page.text, '<main id="main"')
        has(page.text, 'href="/migration/servers"')
    same(cookies(b.get("/migration/jobs?embed=1")), {})
    has(b.get("/migration/jobs?embed=0").text, "<footer")
    has(b.get("/migration/jobs").text, "<footer")


def test_embed_is_remembered_through_the_sign_in():
    b = web.anyone(**IN_FRAME)
    answer = b.get("/migration/jobs?embed=1")
    same(answer.status, 303)
    page = b.get(answer.location)
    lacks(page.text, "<footer")
    same(b.login("member@example.org", webstack.PASSWORD).status, 303)
    lacks(b.get("/migration/jobs").text, "<footer")


def test_a_window_opened_from_a_frame_has_its_header():
    b, _ = sign_in(headers=IN_FRAME)
    b.get("/migration/jobs?embed=1")
    has(b.get("/migration/jobs", **{"Sec-Fetch-Dest": "document"}).text, '<header class="top">')
    lacks(b.get("/migration/jobs").text, '<header class="top">')


def test_embed_takes_one_or_nought():
    b, _ = sign_in()
    for text in ("", "2", "yes", "1; Domain=evil", "%0d%0aX-Evil:1"):
        answer = b.get("/migration/jobs?embed=" + text.replace(" ", "%20").replace(";", "%3b"))
        same((text, cookies(answer), answer.headers.get("X-Evil")), (text, {}, None))
        has(answer.text, "<footer")


def test_forgery_stays_out_though_cookies_come_along():
    before = web.sql("SELECT COUNT(*) FROM server")
    b, _ = sign_in(headers=IN_FRAME)
    form = {"name": "Planted", "host": "imap.example.org", "port": "993", "security": "tls"}
    for headers in ({"Origin": EVERYONES, "Sec-Fetch-Site": "cross-site"}, {"Origin": OURS}, {"Origin": "null"},
                    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
        # even who could read the token is refused, being another page; and who cannot, is in any case
        same((headers, b.post("/migration/servers", form, headers=headers).status), (headers, 403))
        same(b.request("POST", "/migration/servers", form=form, headers=headers).status, 403)
    same(b.request("POST", "/migration/servers", form=form, headers={"Origin": BASE}).status, 403)
    same(web.sql("SELECT COUNT(*) FROM server"), before)
    same(b.post("/migration/servers", form, headers={"Origin": BASE}).status, 303)


def test_what_another_sites_page_fetches_is_fetched_by_nobody():
    b, _ = sign_in(headers=IN_FRAME)
    for site in ("cross-site", "same-site"):
        for mode in ("no-cors", "cors", "websocket"):
            answer = b.get("/api/v1/jobs", **{"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": "script"})
            same((site, mode, answer.status), (site, mode, 401))
    same(b.get("/migration/jobs", **{"Sec-Fetch-Site": "cross-site"}).status, 200)
    same(b.get("/api/v1/jobs", **{"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}).status, 200)
    same(b.get("/api/v1/jobs").headers["Cross-Origin-Resource-Policy"], "same-origin")


def test_the_longest_lists_fit_the_server_in_front():
    many, n = [], 0
    while sum(len(o) + 1 for o in many) < 950:
        n += 1
        many.append("https://panel%d.hosting.example" % n)
    answer = admin.post_json("/migration/accounts/%d" % web.other, {"name": "Other", "panel_origins": " ".join(many)})
    same(answer.status, 200, answer.text)
    b, _ = sign_in("other", headers=IN_FRAME)
    same(framers(b.get("/migration/jobs?embed=1&notice=" + "x" * 800)), [EVERYONES] + many)
    answer = admin.post_json("/migration/accounts/%d" % web.other, {"name": "Other", "panel_origins": THEIRS})
    same(answer.status, 200, answer.text)


if __name__ == "__main__":
    tap.run(globals())
