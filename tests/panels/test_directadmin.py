"""The DirectAdmin plugin, run as DirectAdmin runs it: the customer's pages as the customer's uid, hooks as root."""
import os
import re
import stat

import panelstack
import tap
from panelstack import run_as
from tap import has, lacks, same

panelstack.need("sh", "env")
host = panelstack.Host(__file__)
PLUGIN = host.copy("directadmin/mailconvoy", "mailconvoy")
# As the documentation of its plugins has it; QUERY_STRING and HTTP_COOKIE are the browser's.
ENVIRONMENT = {"PATH": "/bin:/usr/bin", "USER": "bob", "USERNAME": "bob", "HOME": "/home/bob", "REQUEST_METHOD": "GET",
               "QUERY_STRING": "", "HTTP_COOKIE": "session=secret", "LD_PRELOAD": "", "LANGUAGE": "en"}


def set_up(embed="no", ctl=None):
    with open(os.path.join(PLUGIN, "settings"), "w", encoding="ascii") as out:
        out.write("ctl=%s\nembed=%s\n" % (ctl or host.ctl, embed))


def page(name, user="bob", query="", **more):
    code, out, err = run_as(user, os.path.join(PLUGIN, "user", name),
                            env={**ENVIRONMENT, "USERNAME": user, "USER": user, "QUERY_STRING": query, **more})
    same((code, err), (0, ""))
    return out


def answer(text):
    """(status, headers, body) of a whole HTTP answer."""
    head, body = text.split("\r\n\r\n", 1)
    lines = head.split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:])
    same(int(headers["Content-Length"]), len(body))
    return int(lines[0].split()[1]), headers, body


def test_installing_makes_it_active_and_runnable_and_writable_for_nobody():
    code, out, _ = run_as("root", "sh", os.path.join(PLUGIN, "scripts", "install.sh"), env={"PATH": "/bin:/usr/bin"})
    same(code, 0, out)
    with open(os.path.join(PLUGIN, "plugin.conf"), encoding="ascii") as f:
        conf = dict(line.strip().split("=", 1) for line in f)
    same((conf["id"], conf["active"], conf["installed"]), ("mailconvoy", "yes", "yes"))
    for directory, _, names in os.walk(PLUGIN):
        for name in names:
            mode = stat.S_IMODE(os.stat(os.path.join(directory, name)).st_mode)
            runs = name.endswith((".sh", ".raw")) or name == "index.html"
            same((name, oct(mode)), (name, oct(0o755 if runs else 0o644)))


def test_nothing_in_the_plugin_is_a_secret():
    for directory, _, names in os.walk(PLUGIN):
        for name in names:
            with open(os.path.join(directory, name), encoding="utf-8") as f:
                text = f.read()
            same((name, re.findall(r"mcv_[0-9a-f]{8}|password\s*=|token\s*=", text)), (name, []))


def test_the_page_links_to_a_window_or_holds_a_frame():
    set_up()
    text = page("index.html")
    has(text, 'href="/CMD_PLUGINS/mailconvoy/open.raw?window=1" target="_blank" rel="noopener"')
    lacks(text, "<iframe")
    set_up(embed="yes")
    has(page("index.html"), '<iframe title="Mail migration" src="/CMD_PLUGINS/mailconvoy/open.raw"')


def test_each_customer_asks_as_themselves_and_hands_on_nothing_of_the_browser():
    set_up()
    for user in ("bob", "eve"):
        status, headers, body = answer(page("open.raw", user, HTTP_X="1", PATH="/tmp"))
        same((status, body), (303, ""))
        host.opens(headers["Location"], user)
        same((headers["Cache-Control"], headers["Referrer-Policy"]), ("no-store", "no-referrer"))
        who, words, environment = host.call_of(user)
        same((who, words), (user, ["sso-link", "--local", "--return-to", "/migration/jobs"]))
        same(sorted(set(environment) - {"PWD", "SHLVL", "_", "OLDPWD"}), ["PATH"])


def test_what_the_browser_says_cannot_choose_the_account():
    set_up()
    for query in ("account=eve", "--account=eve", "window=1&user=eve", "`id`", "$(touch /tmp/x)", "a b;c|d"):
        host.opens(answer(page("open.raw", "bob", query, REMOTE_USER="eve", USERNAME="eve"))[1]["Location"], "bob")
        same(host.call_of("bob")[1], ["sso-link", "--local", "--return-to", "/migration/jobs"])


def test_in_a_frame_the_pages_are_shown_without_our_chrome_and_in_a_window_with_it():
    set_up(embed="yes")
    host.opens(answer(page("open.raw"))[1]["Location"], "bob", "/migration/jobs?embed=1")
    same(host.call_of("bob")[1][-1], "/migration/jobs?embed=1")
    host.opens(answer(page("open.raw", query="window=1"))[1]["Location"], "bob")
    same(host.call_of("bob")[1][-1], "/migration/jobs")


def test_a_refusal_is_said_in_words_without_a_reason_for_strangers():
    set_up()
    host.refuse(True)
    status, headers, body = answer(page("open.raw"))
    host.refuse(False)
    same((status, headers.get("Location")), (503, None))
    has(body, "Try again in a minute")
    lacks(body, "socket")
    set_up(ctl="/nonexistent/mailconvoyctl")
    same(answer(page("open.raw"))[0], 503)


def test_what_is_no_link_is_not_followed():
    for said in ("javascript:alert(1)", "http://evil.example/", "https://a\\r\\nSet-Cookie: x=y", "https://a b", ""):
        path = host.program("liar", "#!/bin/sh\nprintf '%s'\n" % said.replace("%", "%%"))
        set_up(ctl=path)
        same((said, answer(page("open.raw"))[0]), (said, 503))


def test_a_deleted_user_leaves_a_closed_account_and_no_other():
    set_up()
    for name in ("bob", "eve"):
        host.add_account(name)
    hook = os.path.join(PLUGIN, "hooks", "user_destroy_post.sh")
    for name in ("", "nobody-ever", "eve;id", "../eve", "--help", "eve eve"):
        code, out, err = run_as("root", hook, env={"username": name})
        same((name, code, out, err), (name, 0, "", ""))
    closed = host.account("bob")["id"]
    same(run_as("root", hook, env={"username": "bob"}), (0, "", ""))
    same((host.account("bob"), host.account("eve")["is_closed"]), (None, False))
    host.opens(answer(page("open.raw"))[1]["Location"], "bob")
    same(host.account("bob")["id"] == closed, False, "who has the name next comes upon the former one's account")
    same(run_as("root", hook, env={"username": "bob"}), (0, "", ""))


def test_a_customer_cannot_run_the_hook_to_any_effect():
    hook = os.path.join(PLUGIN, "hooks", "user_destroy_post.sh")
    run_as("bob", hook, env={"username": "eve"})
    same(host.account("eve")["is_closed"], False)


def test_the_skins_link_to_the_page():
    for name in ("user_txt.html", "user_img.html"):
        with open(os.path.join(PLUGIN, "hooks", name), encoding="utf-8") as f:
            has(f.read(), 'href="/CMD_PLUGINS/mailconvoy"')


if __name__ == "__main__":
    tap.run(globals())
