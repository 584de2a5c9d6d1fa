"""
The cPanel plugin, with a stand-in of cPanel's page class: the page as the customer's uid, the hook as root with cPanel's
JSON on standard input.
"""
import json
import os
import re

import panelstack
import tap
from panelstack import run_as
from tap import has, lacks, same

panelstack.need("php-cgi", "php")
host = panelstack.Host(__file__)
PLUGIN = host.copy("cpanel", "cpanel")
PAGE = os.path.join(PLUGIN, "mailconvoy", "mailconvoy.live.php")
HOOK = os.path.join(PLUGIN, "mailconvoy-removed.php")


def set_up(embed="off", ctl=None):
    with open(os.path.join(PLUGIN, "mailconvoy", "settings.ini"), "w", encoding="ascii") as out:
        out.write('ctl = "%s"\nembed = %s\n' % (ctl or host.ctl, embed))


def page(user="bob", query="", **more):
    """(status, headers, body), by PHP's CGI, as cPanel's server runs it."""
    env = {"GATEWAY_INTERFACE": "CGI/1.1", "REDIRECT_STATUS": "200", "SCRIPT_FILENAME": PAGE, "REQUEST_METHOD": "GET",
           "QUERY_STRING": query, "REMOTE_USER": user, "PATH": "/tmp", "HTTP_COOKIE": "cpsession=secret"}
    env.update(more)
    code, out, err = run_as(user, "/usr/bin/php-cgi", "-n", "-d", "display_errors=1", "-d",
                            "auto_prepend_file=" + os.path.join(panelstack.HERE, "cpanel_class.php"), env=env)
    same((code, err), (0, ""))
    head, body = out.split("\r\n\r\n", 1)
    headers = dict(line.split(": ", 1) for line in head.split("\r\n"))
    return int(headers.get("Status", "200").split()[0]), headers, body


def hook(user, told=None, ctl=None):
    text = json.dumps(told if told is not None else {"context": {"event": "Accounts::Remove"}, "data": {"user": user}})
    return run_as("root", "/usr/bin/php", "-n", HOOK, ctl or host.ctl, text=text, env={"PATH": "/usr/bin:/bin"})


def test_the_link_in_cpanels_menu_leads_to_the_page():
    with open(os.path.join(PLUGIN, "install.json"), encoding="utf-8") as f:
        (item,) = json.load(f)
    same((item["type"], item["id"], item["uri"], item["group_id"]),
         ("link", "mailconvoy", "mailconvoy/mailconvoy.live.php", "email"))
    same(os.path.exists(os.path.join(PLUGIN, item["icon"])), True)
    same(os.path.exists(os.path.join(PLUGIN, item["uri"])), True)


def test_the_page_links_to_a_window_or_holds_a_frame():
    set_up()
    status, _, body = page()
    same(status, 200)
    for part in ("<header>Mail migration", 'href="mailconvoy.live.php?open=window" target="_blank" rel="noopener"',
                 "<!-- ended -->"):
        has(body, part)
    lacks(body, "<iframe")
    set_up(embed="on")
    has(page()[2], '<iframe title="Mail migration" src="mailconvoy.live.php?open=frame"')


def test_each_customer_asks_as_themselves_and_hands_on_nothing_of_the_browser():
    set_up()
    for user in ("bob", "eve"):
        for query in ("open=1", "open=window&account=root&user=eve", "open[]=x"):
            status, headers, body = page(user, query, REMOTE_USER="root")
            same((status, body), (303, ""))
            host.opens(headers["Location"], user)
            same((headers["Cache-Control"], headers["Referrer-Policy"]), ("no-store", "no-referrer"))
            who, words, environment = host.call_of(user)
            same((who, words), (user, ["sso-link", "--local", "--return-to", "/migration/jobs"]))
            same(sorted(set(environment) - {"PWD", "SHLVL", "_", "OLDPWD"}), ["PATH"])


def test_in_a_frame_the_pages_are_shown_without_our_chrome_and_in_a_window_with_it():
    set_up(embed="on")
    host.opens(page(query="open=frame")[1]["Location"], "bob", "/migration/jobs?embed=1")
    same(host.call_of("bob")[1][-1], "/migration/jobs?embed=1")
    host.opens(page(query="open=window")[1]["Location"], "bob")


def test_a_refusal_is_said_in_words_without_a_reason_for_strangers():
    set_up()
    host.refuse(True)
    status, headers, body = page(query="open=1")
    host.refuse(False)
    same((status, headers.get("Location")), (503, None))
    has(body, "Try again in a minute")
    lacks(body, "socket")


def test_what_is_no_link_is_not_followed():
    for said in ("javascript:alert(1)", "http://evil.example/", "https://a\\r\\nSet-Cookie: x=y", "https://a b", ""):
        set_up(ctl=host.program("liar", "#!/bin/sh\nprintf '%s'\n" % said.replace("%", "%%")))
        same((said, page(query="open=1")[0]), (said, 503))


def test_nothing_in_the_plugin_is_a_secret():
    for directory, _, names in os.walk(PLUGIN):
        for name in names:
            with open(os.path.join(directory, name), encoding="utf-8") as f:
                same((name, re.findall(r"mcv_[0-9a-f]{8}", f.read())), (name, []))


def test_the_hook_describes_itself():
    code, out, _ = run_as("root", "/usr/bin/php", "-n", HOOK, "--describe")
    (said,) = json.loads(out)
    same((code, said["category"], said["event"], said["stage"], said["exectype"]),
         (0, "Whostmgr", "Accounts::Remove", "post", "script"))


def test_a_removed_user_leaves_a_closed_account_and_no_other():
    for name in ("bob", "eve"):
        host.add_account(name)
    for told in ({}, [], {"data": None}, {"data": {"user": ["eve"]}}, {"data": {"user": "--help"}},
                 {"data": {"user": "eve\n"}}, {"data": {"user": "../eve"}}):
        same((told, hook("", told)), (told, (0, "1\n", "")))
    same(hook("never-here"), (0, "1\n", ""))
    closed = host.account("bob")["id"]
    same(hook("bob"), (0, "1\n", ""))
    same((host.account("bob"), host.account("eve")["is_closed"]), (None, False))
    set_up()
    host.opens(page(query="open=1")[1]["Location"], "bob")
    same(host.account("bob")["id"] == closed, False, "who has the name next comes upon the former one's account")


def test_what_could_not_be_closed_is_told_to_the_administrator():
    code, out, err = hook("eve", ctl="/bin/false")
    same((code, out), (0, "1\n"))
    has(err, "mailconvoyctl account close id:eve")


if __name__ == "__main__":
    tap.run(globals())
