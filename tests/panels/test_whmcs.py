"""The WHMCS module, called as WHMCS calls it, against the real API."""
import json
import os

import panelstack
import panel
import tap
from panelstack import run_as
from tap import has, lacks, same

panelstack.need("php")
host = panelstack.Host(__file__)
MODULE = host.copy("whmcs/modules/servers/mailconvoy", "whmcs")


def token(**scopes):
    form = {"name": "WHMCS", "installation": "1", "issuer": "whmcs"}
    form.update(scopes or {"accounts_write": "1", "sso_create": "1"})
    return host.panel.form("/migration/tokens", form)["token"]


TOKEN = token()
CLIENT = {"companyname": "", "firstname": "J&ouml;rg", "lastname": "O&#039;Neil &amp; <i>Sons</i>",
          "email": "joerg@example.org", "userid": 3}


def params(service=7, **more):
    given = {"serviceid": service, "serverhostname": "127.0.0.1", "serverip": "", "serverport": str(host.stack.port),
             "serversecure": "", "serveraccesshash": TOKEN, "serverusername": "", "serverpassword": "",
             "clientsdetails": CLIENT, "configoption1": "20", "configoption2": "", "configoption3": "*.example.org"}
    given.update(more)
    return given


def call(name, given=None, noisy=False, staff=None):
    """The function's result; what it logs must not hold the token."""
    asked = {"call": "mailconvoy_" + name}
    if given is not None:
        asked["params"] = given
    if staff is not None:
        asked["staff"] = staff
    code, out, err = run_as("root", "/usr/bin/php", "-n", "-d", "display_errors=1", "-d", "error_reporting=-1",
                            os.path.join(panelstack.HERE, "whmcs_call.php"), MODULE, text=json.dumps(asked),
                            env={"PATH": "/usr/bin:/bin"})
    same(code, 0, out + err)
    lacks(out + err, TOKEN)
    return (json.loads(out), err) if noisy else json.loads(out)


def account(service=7):
    return host.account("whmcs-%d" % service, "whmcs")


def test_the_module_says_what_it_is_and_asks_for():
    same((call("MetaData")["APIVersion"], call("MetaData")["RequiresServer"]), ("1.1", True))
    same(len(call("ConfigOptions")), 3)


def test_nobody_can_open_it_but_whmcs():
    code, out, _ = run_as("root", "/usr/bin/php", "-n", os.path.join(MODULE, "mailconvoy.php"))
    same((code, out), (0, "This file cannot be accessed directly"))


def test_a_test_of_the_connection_tells_good_from_bad():
    same(call("TestConnection", params()), {"success": True, "error": ""})
    for more, part in (({"serveraccesshash": "mcv_" + "0" * 64}, "401"), ({"serveraccesshash": ""}, "no API token"),
                       ({"serverport": "1"}, "cannot be reached")):
        answer = call("TestConnection", params(**more))
        same(answer["success"], False)
        has(answer["error"], part)


def test_a_token_is_not_sent_in_the_clear():
    answer = call("TestConnection", params(serverhostname="localhost.localdomain", serverport=str(host.stack.port)))
    has(answer["error"], "https://localhost.localdomain:%d" % host.stack.port)


def test_creating_makes_one_account_however_often():
    for _ in range(2):
        same(call("CreateAccount", params()), "success")
    made = account()
    same((made["name"], made["max_queued"], made["max_daily"]), ("Jörg O'Neil & <i>Sons</i> (WHMCS 7)", 20, None))
    form = host.panel.get("/api/v1/accounts/%d" % made["id"])["form"]
    same(form["hosts"]["value"], "*.example.org")
    company = dict(CLIENT, companyname="ACME " + "ä" * 200)
    same(call("CreateAccount", params(8, clientsdetails=company)), "success")
    same(account(8)["name"], "ACME " + "ä" * 55 + " (WHMCS 8)")


def test_what_mailconvoy_refuses_is_told_to_staff_in_words():
    answer, log = call("CreateAccount", params(9, configoption1="many"), noisy=True)
    has(answer, "422")
    has(answer, "max_queued")
    has(log, "max_queued")
    same(account(9), None)


def test_suspending_and_unsuspending_do_however_often():
    for _ in range(2):
        same(call("SuspendAccount", params()), "success")
    same(account()["is_suspended"], True)
    for _ in range(2):
        same(call("UnsuspendAccount", params()), "success")
    same(account()["is_suspended"], False)
    for name in ("SuspendAccount", "UnsuspendAccount"):
        has(call(name, params(99)), "create it first")


def test_a_customer_is_signed_in_and_sees_their_own_account():
    for service, email in ((7, "joerg@example.org"), (8, "whmcs-8-client-3@whmcs.invalid")):
        answer = call("ServiceSingleSignOn", params(service))
        same(answer["success"], True, str(answer))
        has(answer["redirectTo"], host.stack.env["URL"] + "/sso/")
        browser = panel.Panel(host.stack.env["URL"])
        path = answer["redirectTo"][len(host.stack.env["URL"]):]
        has(browser.page(path), account(service)["name"].replace("&", "&amp;").split(" ")[0])
        browser.form(path, {"csrf": browser.token_of(browser.page(path))}, json_answer=False)
        same(browser.get("/session")["user"], {"email": email, "role": "member"})
        same(browser.get("/migration/jobs")["jobs"], [])
        same([u["account_name"] for u in host.panel.get("/api/v1/users")["users"] if u["email"] == email],
             [account(service)["name"]])


def test_staff_are_named_where_they_are_in_a_customers_place():
    answer = call("ServiceSingleSignOn", params(7), staff=3)
    browser = panel.Panel(host.stack.env["URL"])
    path = answer["redirectTo"][len(host.stack.env["URL"]):]
    browser.form(path, {"csrf": browser.token_of(browser.page(path))}, json_answer=False)
    same(browser.get("/session")["user"]["support"], "WHMCS administrator 3")


def test_a_service_that_was_not_created_is_not_by_signing_in():
    same(call("ServiceSingleSignOn", params(77))["success"], False)
    same(account(77), None)


def test_a_failed_sign_in_tells_the_customer_nothing_of_the_server():
    answer, log = call("ServiceSingleSignOn", params(serverport="1"), noisy=True)
    same((answer["success"], "redirectTo" in answer), (False, False))
    lacks(answer["errorMsg"], "127.0.0.1")
    has(log, "cannot be reached at http:\\/\\/127.0.0.1:1")


def test_terminating_closes_however_often_and_the_next_service_is_another_account():
    before = account()["id"]
    for _ in range(2):
        same(call("TerminateAccount", params()), "success")
    same(account(), None)
    same(host.panel.get("/api/v1/accounts/%d" % before)["account"]["is_closed"], True)
    same(account(8)["is_closed"], False)
    same(call("CreateAccount", params()), "success")
    same(account()["id"] == before, False)


if __name__ == "__main__":
    tap.run(globals())
