"""Servers: adding, changing, deleting, sharing, and testing them."""
import base64
import socket
import threading

import webstack
import tap
from tap import has, lacks, same

web = webstack.Stack(probe_timeout_s=2, member_ports=["9", "143", "993", "1024-65535"])
member = web.sign_in("member")
admin = web.sign_in("admin")
FORM = {"name": "Old mail", "host": "imap.example.org", "port": "993", "security": "tls", "verify": "1"}
CANARY = "canary-Passw0rd"


class FakeImap(threading.Thread):
    """A plain-text IMAP server that knows one user; enough for a test of a server."""

    def __init__(self, password=CANARY, greeting=b"* OK ready\r\n", offers=b""):
        super().__init__(daemon=True)
        self.password = password
        self.greeting = greeting
        self.offers = offers
        self.logins = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connections = 0
        self.start()

    def run(self):
        while True:
            try:
                c, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(c,), daemon=True).start()

    def serve(self, c):
        try:
            self.answer(c)
        except OSError:
            pass  # the other side hung up

    def answer(self, c):
        with c, c.makefile("rwb") as f:
            f.write(self.greeting)
            f.flush()
            for line in f:
                tag, _, rest = line.strip().partition(b" ")
                verb = rest.split(b" ")[0].upper()
                if verb == b"AUTHENTICATE":
                    _, mechanism, first = rest.split(b" ")
                    self.logins.append((mechanism.decode(), base64.b64decode(first)))
                    good = self.password.encode() in self.logins[-1][1]
                    f.write(tag + (b" OK in\r\n" if good else b" NO [AUTHENTICATIONFAILED] wrong\r\n"))
                elif verb == b"LOGIN":
                    self.logins.append(("LOGIN", rest))
                    good = self.password.encode() in rest
                    f.write(tag + (b" OK in\r\n" if good else b" NO [AUTHENTICATIONFAILED] wrong\r\n"))
                elif verb == b"CAPABILITY":
                    f.write(b"* CAPABILITY IMAP4rev1 QUOTA" + self.offers + b"\r\n" + tag + b" OK\r\n")
                elif verb == b"LIST":
                    f.write(b'* LIST () "/" INBOX\r\n* LIST () "/" Sent\r\n' + tag + b" OK\r\n")
                elif verb == b"STATUS":
                    f.write(b"* STATUS INBOX (MESSAGES 1204)\r\n" + tag + b" OK\r\n")
                elif verb == b"GETQUOTAROOT":
                    f.write(b"* QUOTAROOT INBOX a\r\n* QUOTA a (STORAGE 512 1048576)\r\n" + tag + b" OK\r\n")
                elif verb == b"LOGOUT":
                    f.write(b"* BYE\r\n" + tag + b" OK\r\n")
                else:
                    f.write(tag + b" BAD what\r\n")
                f.flush()


def forget_tests():
    web.sql("DELETE FROM login_throttle")


def test_an_empty_list_teaches_the_next_step():
    o = member.json("/migration/servers").json()
    same((o["has_servers"], o["new_url"]), (False, "/migration/servers/new"))
    has(member.get("/migration/servers").text, "/migration/servers/new")


def test_a_server_is_added_shown_changed_and_deleted():
    a = member.post("/migration/servers", FORM)
    same((a.status, a.location), (303, "/migration/servers?notice=server_created"))
    s = member.json("/migration/servers").json()["servers"][0]
    same((s["name"], s["host"], s["port"], s["security"], s["verify"], s["shared"]),
         ("Old mail", "imap.example.org", 993, "tls", True, False))
    page = member.get(s["url"]).text
    has(page, "imap.example.org")
    a = member.post(s["url"], dict(FORM, name="Older mail", port="143", security="starttls", verify=""))
    same(a.status, 303)
    s = member.json(s["url"]).json()["server"]
    same((s["name"], s["port"], s["security"], s["verify"]), ("Older mail", 143, "starttls", False))
    same(member.get(s["delete_url"]).status, 200)
    same(member.post(s["delete_url"]).status, 422, "not confirmed")
    a = member.post(s["delete_url"], {"confirm": "delete"})
    same((a.status, a.location), (303, "/migration/servers?notice=server_deleted"))
    same(member.json(s["url"]).status, 404)


def test_a_members_server_has_a_port_that_is_open_to_members():
    own = web.add_server(web.acme, "Of before", port=25)
    shared = web.add_server(None, "Submission", "127.0.0.1", 25, "none")
    typed = dict(FORM, name="Relay", port="25")
    forget_tests()
    for path, form, field in (("/migration/servers", typed, "port"), ("/migration/servers/%d" % own, typed, "port"),
                              ("/migration/servers/test", dict(typed, user="me", password=CANARY), "port"),
                              ("/migration/servers/test", {"server_id": own, "user": "me", "password": CANARY}, "port"),
                              ("/migration/servers/test", {"test": "source", "source_server_id": own, "source_user": "me",
                                                           "source_password": CANARY}, "source_server_id")):
        a = member.post_json(path, form)
        same((path, form, a.status, list(a.json().get("fields", {}))), (path, form, 422, [field]))
        has(a.json()["fields"][field], "Port 25 is not open to servers of your own, only these: 9, 143, 993, 1024-65535.")
    same(member.post_json("/migration/servers/test", {"server_id": shared, "user": "me", "password": CANARY}).status, 200)
    a = admin.post_json("/migration/servers", typed)
    same((a.status, a.json()["server"]["port"]), (201, 25))
    web.sql("DELETE FROM server")


def test_a_refused_form_comes_back_filled_in_with_reasons_and_no_password():
    a = member.post("/migration/servers", dict(FORM, host="imap://wrong host", port="0", password=CANARY, user="me"))
    same(a.status, 422)
    has(a.text, "imap://wrong host")
    lacks(a.text, CANARY)
    a = member.post_json("/migration/servers", {"name": "", "host": "x\r\ny", "port": "70000", "security": "ssl"})
    same((a.status, sorted(a.json()["fields"])), (422, ["host", "name", "port", "security"]))


def test_a_name_is_taken_once():
    same(member.post_json("/migration/servers", dict(FORM, name="Twice")).status, 201)
    a = member.post_json("/migration/servers", dict(FORM, name="Twice"))
    same((a.status, list(a.json()["fields"])), (422, ["name"]))


def test_only_an_administrator_shares_and_changes_shared_servers():
    a = member.post_json("/migration/servers", dict(FORM, name="Mine for all", shared="1"))
    same((a.status, list(a.json()["fields"])), (422, ["shared"]))
    a = admin.post_json("/migration/servers", dict(FORM, name="For all", shared="1"))
    same(a.status, 201)
    url = a.json()["server"]["url"]
    s = member.json(url).json()["server"]
    same((s["shared"], s["can_edit"], s["can_delete"]), (True, False, False))
    same(member.post(url, FORM).status, 403)
    same(member.post(url + "/delete", {"confirm": "delete"}).status, 403)
    same(member.get(url + "/delete").status, 403)
    same(admin.post(url, dict(FORM, name="For all", shared="1")).status, 303)


def test_a_server_in_use_is_not_deleted():
    sid = web.add_server(web.acme, "Used")
    job = web.add_job(web.acme, "queued", src_server_id=sid)
    a = member.post_json("/migration/servers/%d/delete" % sid)
    same(a.status, 409)
    has(a.json()["detail"], "1 job")
    same(member.post("/migration/servers/%d/delete" % sid, {"confirm": "delete"}).status, 409)
    web.end_job(job)
    same(member.post_json("/migration/servers/%d/delete" % sid).status, 204)


def test_a_preset_fills_the_form():
    o = member.json("/migration/servers/new?preset=fastmail").json()
    same((o["form"]["host"]["value"], o["form"]["port"]["value"]), ("imap.fastmail.com", "993"))
    same(member.json("/migration/servers/new?preset=nonsense").json()["form"]["host"]["value"], "")


def test_a_good_test_says_what_the_server_can_do():
    forget_tests()
    imap = FakeImap()
    a = admin.post_json("/migration/servers/test", {"host": "127.0.0.1", "port": imap.port, "security": "none",
                                                    "user": "me", "password": CANARY})
    same(a.status, 200)
    t = a.json()["test"]
    same((t["ok"], t["cause"], t["folders"], t["messages_text"], t["quota_text"]),
         (True, "ok", 2, "1,204", "512.0 KiB of 1.0 GiB used"))
    has(t["capabilities"], "QUOTA")
    lacks(a.text, CANARY)


SASL = b" SASL-IR AUTH=PLAIN AUTH=XOAUTH2"
TOKEN = "ya29." + "t" * 2500


def test_a_test_signs_in_as_the_job_will():
    forget_tests()
    imap = FakeImap(offers=SASL)
    tokens = FakeImap(TOKEN, offers=SASL)
    base = {"host": "127.0.0.1", "security": "none", "user": "me"}
    for change, text in (({"port": imap.port, "password": CANARY, "authuser": "root"}, "password"),
                         ({"port": imap.port, "password": CANARY, "authmech": "LOGIN"}, "password"),
                         ({"port": tokens.port, "password": TOKEN, "authmech": "XOAUTH2"}, "access token")):
        t = admin.post_json("/migration/servers/test", dict(base, **change)).json()["test"]
        same((t["ok"], t["cause"]), (True, "ok"))
        has(t["text"], text)
    same([(how, text.decode()) for how, text in imap.logins + tokens.logins],
         [("PLAIN", "me\0root\0" + CANARY), ("LOGIN", 'LOGIN "me" "%s"' % CANARY),
          ("XOAUTH2", "user=me\x01auth=Bearer %s\x01\x01" % TOKEN)])
    for change, cause in (({"port": tokens.port, "authmech": "XOAUTH2", "password": "ya29.old"}, "token_refused"),
                          ({"port": imap.port, "authmech": "SCRAM-SHA-256", "password": CANARY}, "mechanism_missing")):
        t = admin.post_json("/migration/servers/test", dict(base, **change)).json()["test"]
        same((t["ok"], t["cause"]), (False, cause))
        if not t["title"] or t["action"] == "Try again later.":
            raise AssertionError("no title or action for " + cause)
    seen = len(imap.logins + tokens.logins)
    for change, field in (({"authmech": "CRAM-MD5"}, "authmech"), ({"authmech": "LOGIN", "authuser": "root"}, "authuser")):
        a = admin.post_json("/migration/servers/test", dict(base, port=imap.port, password=CANARY, **change))
        same((a.status, list(a.json()["fields"])), (422, [field]))
    same(len(imap.logins + tokens.logins), seen)


def test_either_side_of_a_jobs_form_is_tested_as_its_options_say():
    forget_tests()
    imap = FakeImap(offers=SASL)
    sid = web.add_server(None, "Sasl", "127.0.0.1", imap.port, "none")
    form = {"source_server_id": sid, "source_user": "ann", "source_password": CANARY, "dest_server_id": sid,
            "dest_user": "bob", "dest_password": CANARY, "options": "1", "options.authuser1": "root",
            "options.authmech2": "XOAUTH2", "options.authuser2": ""}
    for side in ("source", "destination"):
        same(admin.post_json("/migration/servers/test", dict(form, test=side)).json()["test"]["ok"], True)
    same([(how, text.decode()) for how, text in imap.logins],
         [("PLAIN", "ann\0root\0" + CANARY), ("XOAUTH2", "user=bob\x01auth=Bearer %s\x01\x01" % CANARY)])
    page = admin.post("/migration/servers/test", dict(form, test="destination", **{"options.authuser2": "root"}))
    same(page.status, 422)
    has(page.text, 'id="options-authuser2-error"')


def test_causes_are_told_apart():
    forget_tests()
    imap = FakeImap()
    closed = socket.create_server(("127.0.0.1", 0))
    closed_port = closed.getsockname()[1]
    closed.close()
    silent = socket.create_server(("127.0.0.1", 0))
    web_server = FakeImap(greeting=b"HTTP/1.1 400 Bad Request\r\n\r\n")
    base = {"host": "127.0.0.1", "user": "me", "password": CANARY, "security": "none"}
    for change, cause in (
            ({"port": imap.port, "password": "wrong-" + CANARY[:3]}, "password_refused"),
            ({"port": closed_port}, "connect_refused"),
            ({"port": silent.getsockname()[1]}, "timed_out"),
            ({"port": imap.port, "security": "tls"}, "not_tls"),
            ({"port": imap.port, "security": "starttls"}, "starttls_missing"),
            ({"port": web_server.port}, "not_imap")):
        t = admin.post_json("/migration/servers/test", dict(base, **change)).json()["test"]
        same((t["ok"], t["cause"]), (False, cause))
        if not t["title"] or not t["action"]:
            raise AssertionError("no title or action for " + cause)


def test_a_member_cannot_reach_internal_addresses():
    forget_tests()
    imap = FakeImap()
    for host in ("127.0.0.1", "localhost", "::1", "10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1"):
        t = member.post_json("/migration/servers/test", {
            "host": host, "port": imap.port, "security": "none", "user": "me", "password": CANARY}).json()["test"]
        same((host, t["ok"], t["cause"], t["detail"]), (host, False, "address_denied", None))
    same(imap.connections, 0)


def test_no_spelling_of_an_internal_address_is_reached_and_the_answer_tells_no_open_port_from_a_closed_one():
    """Threats T2 and T4: what inet_aton() reads, IPv4 within IPv6, zones, and every network of the default list."""
    imap = FakeImap()
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))
    answers = set()
    for host in ("127.1", "0x7f.0.0.1", "0x7f000001", "2130706433", "017700000001", "0177.0.0.1", "127.0.0.1.", "localhost.",
                 "0.0.0.0", "0", "100.64.0.1", "192.168.1.1", "172.16.0.1", "198.18.0.1", "192.0.0.8", "224.0.0.1",
                 "255.255.255.255", "::", "::ffff:7f00:1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1",
                 "2002:7f00:1::1", "fd00::1", "fe80::1", "fe80::1%lo", "fec0::1", "ff02::1"):
        for port in (imap.port, closed.getsockname()[1]):
            forget_tests()
            a = member.post_json("/migration/servers/test", {
                "host": host, "port": port, "security": "none", "user": "me", "password": CANARY})
            if a.status == 422:  # no name and no address: it is not even looked up
                same((host, list(a.json()["fields"])), (host, ["host"]))
                continue
            t = a.json()["test"]
            if t["cause"] != "name_not_found":  # spellings that this resolver does not know
                same((host, t["ok"], t["cause"], t["detail"]), (host, False, "address_denied", None))
                answers.add((t["title"], t["action"]))
    closed.close()
    same(imap.connections, 0)
    same(len(answers), 1, "one text for all")


def test_a_test_is_asked_for_at_most_ten_times_a_minute():
    forget_tests()
    form = {"host": "127.0.0.1", "port": 9, "security": "none", "user": "me", "password": CANARY}
    seen = [member.post_json("/migration/servers/test", form).status for _ in range(11)]
    same(seen, [200] * 10 + [429])
    same(admin.post_json("/migration/servers/test", form).status, 200, "another account")
    a = member.post("/migration/servers/test", form)
    same(a.status, 429)
    same(0 < int(a.headers["Retry-After"]) <= 60, True)
    forget_tests()


def test_a_stored_server_is_tested_by_its_id():
    forget_tests()
    imap = FakeImap()
    sid = web.add_server(web.admin_account, "Local", "127.0.0.1", imap.port, "none")
    a = admin.post_json("/migration/servers/test", {"server_id": sid, "user": "me", "password": CANARY})
    same(a.json()["test"]["ok"], True)
    same(member.post_json("/migration/servers/test", {"server_id": sid, "user": "me", "password": "x"}).status, 404)
    a = admin.post_json("/migration/servers/test", {"server_id": sid, "user": "me"})
    same((a.status, list(a.json()["fields"])), (422, ["password"]))


def test_a_member_cannot_bend_a_shared_server_to_another_address():
    forget_tests()
    imap = FakeImap()
    sid = web.add_server(None, "Shared", "127.0.0.1", imap.port, "none")
    t = member.post_json("/migration/servers/test", {"server_id": sid, "host": "imap.example.org", "port": "993",
                                                     "security": "tls", "user": "me", "password": CANARY}).json()["test"]
    same((t["host"], t["port"]), ("127.0.0.1", imap.port))


def test_a_test_without_javascript_shows_the_form_again_without_the_password():
    forget_tests()
    imap = FakeImap()
    a = admin.post("/migration/servers/test", {"test": "server", "name": "Typed so far", "host": "127.0.0.1",
                                               "port": imap.port, "security": "none", "user": "me", "password": CANARY})
    same(a.status, 200)
    has(a.text, "Signed in")
    has(a.text, "Typed so far")
    lacks(a.text, CANARY)
    sid = web.add_server(web.admin_account, "Side", "127.0.0.1", imap.port, "none")
    form = {"test": "source", "source_server_id": sid, "source_user": "me", "source_password": CANARY,
            "dest_user": "typed-dest", "dest_password": CANARY, "name": "typed-name"}
    a = admin.post("/migration/servers/test", form)
    same(a.status, 200)
    for part in ("Signed in", "typed-dest", "typed-name"):
        has(a.text, part)
    lacks(a.text, CANARY)


def test_line_breaks_never_reach_the_protocol():
    forget_tests()
    imap = FakeImap()
    for field in ("user", "password"):
        form = {"host": "127.0.0.1", "port": imap.port, "security": "none", "user": "me", "password": "x"}
        form[field] = "a\r\nb LOGOUT"
        a = admin.post_json("/migration/servers/test", form)
        same((a.status, list(a.json()["fields"])), (422, [field]))
    same(imap.connections, 0)


if __name__ == "__main__":
    tap.run(globals())
