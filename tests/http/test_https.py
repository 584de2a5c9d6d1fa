"""Behind TLS (base_url is https): cookies and headers say so."""
import tap
import webstack
from tap import has, same

web = webstack.Stack(base_url="https://panel.example.org")


def sign_in():
    b = web.anyone()
    token = b.login_token()
    return b, b.request("POST", "/login", form={"email": "member@example.org", "password": webstack.PASSWORD,
                                                "csrf": token}, headers={"Origin": "https://panel.example.org"})


def test_every_cookie_is_secure_and_bound_to_the_host():
    b, a = sign_in()
    same(a.status, 303)
    lines = a.headers.get_all("Set-Cookie") + (web.anyone().get("/login").headers.get_all("Set-Cookie"))
    same(sorted({line.split("=")[0] for line in lines}),
         ["__Host-mailconvoy", "__Host-mailconvoy-device", "__Host-mailconvoy-login"])
    for line in lines:
        for part in ("; Secure", "; HttpOnly", "; Path=/", "; SameSite=Lax"):
            has(line, part)
        same("domain" in line.lower(), False)
    same(b.get("/migration/jobs").status, 200)


def test_a_cookie_without_the_prefix_is_not_taken():
    b, _ = sign_in()
    b.cookies["mailconvoy"] = b.cookies.pop("__Host-mailconvoy")
    same(b.json("/session").status, 401)


def test_browsers_are_told_to_stay_with_tls():
    has(web.anyone().get("/login").headers["Strict-Transport-Security"], "max-age=")


def test_the_configured_origin_may_send_forms():
    b, _ = sign_in()
    csrf = b.json("/session").json()["csrf"]
    for origin, want in (("https://panel.example.org", 303), ("http://panel.example.org", 403),
                         ("https://panel.example.org.evil.example", 403), ("https://panel.example", 403)):
        b, _ = sign_in()
        csrf = b.json("/session").json()["csrf"]
        a = b.request("POST", "/logout", form={"csrf": csrf}, headers={"Origin": origin})
        same((origin, a.status), (origin, want))


if __name__ == "__main__":
    tap.run(globals())
