"""Many at once: what costs much is let through slowly, and the rest of the panel goes on (threat T12)."""
import concurrent.futures
import http.client
import itertools
import urllib.parse

import webstack
import tap
from webstack import PASSWORD
from tap import same

SIGN_INS = 200

web = webstack.Stack(limits=True)


def sign_in_from(address, cookie, token):
    """One attempt by an address of its own; the status, and when to come again."""
    c = http.client.HTTPConnection("127.0.0.1", web.port, timeout=120, source_address=(address, 0))
    try:
        c.request("POST", "/login", urllib.parse.urlencode({
            "email": "nobody@%s.example" % address, "password": "wrong", "csrf": token}), {
                "Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie,
                "Origin": "http://127.0.0.1:%d" % web.port})
        answer = c.getresponse()
        answer.read()
        return answer.status, answer.headers["Retry-After"]
    finally:
        c.close()


def page_from(address, cookie):
    c = http.client.HTTPConnection("127.0.0.1", web.port, timeout=120, source_address=(address, 0))
    try:
        c.request("GET", "/migration/jobs", headers={"Cookie": cookie})
        return c.getresponse().status
    finally:
        c.close()


def cookies_of(browser):
    return "; ".join("%s=%s" % pair for pair in browser.cookies.items())


def test_two_hundred_sign_ins_at_once_leave_the_panel_to_the_others():
    member = cookies_of(web.sign_in("member"))
    # from many addresses, since what one may ask for is limited, too
    places = itertools.cycle("127.0.2.%d" % (n + 1) for n in range(100))
    stranger = web.anyone()
    token = stranger.login_token()
    cookie = cookies_of(stranger)
    seen = []
    with concurrent.futures.ThreadPoolExecutor(SIGN_INS) as pool:
        tries = [pool.submit(sign_in_from, "127.0.1.%d" % (n + 1), cookie, token) for n in range(SIGN_INS)]
        while not all(t.done() for t in tries) or not seen:
            seen.append(page_from(next(places), member))
    answers = [t.result() for t in tries]
    turned_away = [a for a in answers if a[0] == 429]
    same(set(seen), {200}, "of %d pages" % len(seen))
    same({status for status, _ in answers} <= {401, 429}, True, answers)
    same(all(after is not None for _, after in turned_away), True, "each told when to come again")
    checked = len(answers) - len(turned_away)
    same(0 < checked <= 100, True, "%d passwords checked of %d sent" % (checked, SIGN_INS))


def test_who_waits_a_little_is_signed_in_all_the_same():
    b = web.anyone()
    webstack.wait_for(lambda: b.login("member@example.org", PASSWORD).status == 303, 60, "the sign-in")


if __name__ == "__main__":
    tap.run(globals())
