"""People with a second factor, for the tests of it: what an authenticator app knows, and what a browser does."""
import base64
import hmac
import re
import struct
import time

from webstack import PASSWORD
from tap import same

PAGE = "/migration/second-factor"
web = None  # the stack; set by who imports this
addresses = iter("198.51.100.%d" % n for n in range(1, 255))
people = iter(range(1, 1000))


def code_of(secret, steps=0):
    """The code of now, or of so many steps later: RFC 6238 by this file's own hand."""
    step = int(time.time()) // 30 + steps
    mac = hmac.new(base64.b32decode(secret.replace(" ", "")), struct.pack(">Q", step), "sha1").digest()
    at = mac[-1] & 15
    return "%06d" % ((struct.unpack(">I", mac[at:at + 4])[0] & 0x7fffffff) % 1000000)


def wrong(secret):
    """Six digits that are no code of now."""
    good = {code_of(secret, n) for n in range(-4, 5)}
    return next("%06d" % n for n in range(20) if "%06d" % n not in good)


def later():
    """As if the codes that were used belonged to steps long ago."""
    web.sql("UPDATE second_factor SET last_step = 0")


class Person:
    """A member with a browser of their own, and the second factor on if secret is set."""

    def __init__(self, on=True):
        name = "person%d" % next(people)
        self.email = name + "@example.org"
        web.add_user(web.acme, self.email, "member")
        self.id = int(web.sql("SELECT id FROM user WHERE email = '%s'" % self.email)[0][0])
        self.browser = web.sign_in(name)
        self.secret = None
        self.codes = []
        if on:
            self.turn_on()

    def begin(self):
        answer = self.browser.post_json(PAGE, {"password": PASSWORD})
        same(answer.status, 200, answer.text)
        return answer.json()["setup"]

    def confirm(self, setup, code):
        return self.browser.post_json(PAGE + "/confirm", {"setup": setup["box"], "code": code})

    def turn_on(self):
        setup = self.begin()
        # the code of before would be too old if a step ended on the way, so it is the code of now, and free again after
        answer = self.confirm(setup, code_of(setup["secret"]))
        same(answer.status, 200, answer.text)
        web.sql("UPDATE second_factor SET last_step = 0 WHERE user_id = %d" % self.id)
        self.secret, self.codes = setup["secret"], answer.json()["codes"]
        self.browser.csrf = self.browser.json("/session").json()["csrf"]
        same(len(self.codes), 10)

    def give_password(self, browser=None, password=PASSWORD, next_path=None):
        """As far as the code; the browser and the answer."""
        b = browser or web.anyone(**{"X-Forwarded-For": next(addresses)})
        form = {"email": self.email, "password": password, "csrf": b.login_token()}
        if next_path:
            form["next"] = next_path
        return b, b.request("POST", "/login", form=form)

    def owing(self, browser=None):
        b, answer = self.give_password(browser)
        same((answer.status, answer.location.split("?")[0]), (303, "/login/code"), answer.text)
        return b

    def left(self):
        return int(web.sql("SELECT COUNT(*) FROM recovery_code WHERE user_id = %d" % self.id)[0][0])

    def audited(self, action):
        return int(web.sql("SELECT COUNT(*) FROM audit WHERE action = '%s' AND (user_id = %d OR object = 'user %d')"
                           % (action, self.id, self.id))[0][0])


def give_code(b, code, next_path="", **headers):
    page = b.get("/login/code")
    token = re.search(r'name="csrf"\s+value="([0-9a-f]+)"', page.text)
    form = {"code": code, "next": next_path, "csrf": token.group(1) if token else "none"}
    return b.request("POST", "/login/code", form=form, headers=headers)


def is_in(b):
    return b.json("/session").status == 200
