"""
The Webmin module: by its scripts, with a stand-in of Webmin's interface, and in a real Webmin where MCV_WEBMIN (or
/usr/share/webmin) is one.
"""
import atexit
import base64
import crypt
import http.client
import os
import re

import panelstack
import tap
from panelstack import run_as
from tap import Skip, has, lacks, same

import process  # noqa: E402

panelstack.need("perl")
host = panelstack.Host(__file__)
WEBMIN = os.environ.get("MCV_WEBMIN") or "/usr/share/webmin"
PASSWORD = "a password of webmin"


def write_config(where, embed=0, ctl=None, url="https://mail.example.org"):
    with open(os.path.join(where, "config"), "w", encoding="ascii") as out:
        out.write("ctl=%s\nembed=%d\nurl=%s\n" % (ctl or host.ctl, embed, url))


class StandIn:
    """index.cgi started as Webmin's server starts it: as root, with who is signed in in REMOTE_USER."""

    def __init__(self):
        self.module = host.copy("webmin/mailconvoy", "standin/mailconvoy")

    def set_up(self, **settings):
        write_config(self.module, **settings)

    def ask(self, user, query=""):
        """(whether it redirects, where to or the page)"""
        code, out, err = run_as("root", "/usr/bin/perl", "-I" + os.path.join(panelstack.HERE, "webmin"), "-w",
                                "index.cgi", cwd=self.module,
                                env={"REMOTE_USER": user, "QUERY_STRING": query, "PATH": "/tmp", "HTTP_COOKIE": "sid=secret"})
        same((code, err), (0, ""))
        head, body = out.split("\n\n", 1)
        to = re.search(r"^Location: (.*)$", head, re.M)
        return (True, to.group(1)) if to else (False, body)


class Real:
    """Webmin's own server, on a port of its own on this machine, without sessions: each request signs in."""

    def __init__(self):
        if not os.path.exists(os.path.join(WEBMIN, "miniserv.pl")):
            raise Skip("there is no Webmin at %s (MCV_WEBMIN)" % WEBMIN)
        top = os.path.join(host.dir, "webmin")
        self.etc = os.path.join(top, "etc")
        for name in ("root", "etc", "var", "etc/mailconvoy"):
            os.makedirs(os.path.join(top, name))
        for name in os.listdir(WEBMIN):
            os.symlink(os.path.join(WEBMIN, name), os.path.join(top, "root", name))
        host.copy("webmin/mailconvoy", "webmin/root/mailconvoy")
        self.port = process.free_port()
        with open(os.path.join(WEBMIN, "version"), encoding="ascii") as f:
            self.version = f.read().strip()
        self.write("miniserv.conf", port=self.port, root=os.path.join(top, "root"), bind="127.0.0.1", listen="",
                   mimetypes=os.path.join(WEBMIN, "mime.types"), addtype_cgi="internal/cgi", realm="Webmin Server",
                   logfile=os.path.join(top, "var/miniserv.log"), errorlog=os.path.join(top, "var/miniserv.error"),
                   pidfile=os.path.join(top, "var/miniserv.pid"), logtime=168, ssl=0, no_ssl2=1, no_pam=1,
                   env_WEBMIN_CONFIG=self.etc, env_WEBMIN_VAR=os.path.join(top, "var"), userfile=os.path.join(self.etc, "miniserv.users"),
                   keyfile="", passwd_file="/etc/shadow", passdelay=0, session=0, premodules="WebminCore",
                   server="MiniServ/" + self.version, inetd=0, preroot="gray-theme")
        self.write("config", os_type="debian-linux", os_version="12", real_os_type="Debian Linux", real_os_version="12",
                   lang="en.UTF-8", theme="gray-theme", referers_none=0, no_referers_none=0, path="/usr/sbin:/usr/bin:/sbin:/bin",
                   product="webmin", tempdir=os.path.join(top, "var"), log=0, webprefix="")
        users = ["root", "bob", "eve", "stranger"]
        with open(os.path.join(self.etc, "miniserv.users"), "w", encoding="ascii") as out:
            out.writelines("%s:%s:::\n" % (user, crypt.crypt(PASSWORD, "$6$salt$")) for user in users)
        with open(os.path.join(self.etc, "webmin.acl"), "w", encoding="ascii") as out:
            out.writelines("%s: mailconvoy\n" % user for user in users)
        for name, text in (("version", self.version), ("perl-path", "/usr/bin/perl"), ("var-path", os.path.join(top, "var"))):
            with open(os.path.join(self.etc, name), "w", encoding="ascii") as out:
                out.write(text + "\n")
        self.set_up()
        self.server = process.Process("webmin", ["perl", os.path.join(WEBMIN, "miniserv.pl"), "--nofork",
                                                 os.path.join(self.etc, "miniserv.conf")],
                                      os.path.join(top, "webmin.log"))
        atexit.register(self.server.stop)
        panelstack.wait_for("Webmin answers", lambda: self.server.check() or process.port_taken(self.port))

    def write(self, name, **settings):
        with open(os.path.join(self.etc, name), "w", encoding="ascii") as out:
            out.writelines("%s=%s\n" % pair for pair in settings.items())

    def set_up(self, **settings):
        write_config(os.path.join(self.etc, "mailconvoy"), **settings)

    def ask(self, user, query=""):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        sent = base64.b64encode(("%s:%s" % (user, PASSWORD)).encode()).decode()
        c.request("GET", "/mailconvoy/index.cgi" + ("?" + query if query else ""), headers={
            "Authorization": "Basic " + sent, "Referer": "http://127.0.0.1:%d/" % self.port})
        answer = c.getresponse()
        body = answer.read().decode(errors="replace")
        c.close()
        if answer.status in (301, 302, 303):
            return True, answer.headers["Location"]
        same(answer.status, 200, body[:2000])
        return False, body


def page_links_or_frames(webmin):
    webmin.set_up()
    redirects, body = webmin.ask("bob")
    same(redirects, False)
    for part in ("Mail migration", 'href="index.cgi?open=window" target="_blank" rel="noopener"'):
        has(body, part)
    lacks(body, "<iframe title")
    webmin.set_up(embed=1)
    has(webmin.ask("bob")[1], '<iframe title="Mail migration" src="index.cgi?open=frame"')


def each_asks_as_themselves(webmin):
    webmin.set_up()
    for user in ("bob", "eve"):
        for query in ("open=1", "open=window&user=root&account=eve"):
            redirects, to = webmin.ask(user, query)
            same(redirects, True, to)
            host.opens(to, user)
            who, words, environment = host.call_of(user)
            same((who, words), (user, ["sso-link", "--local", "--return-to", "/migration/jobs"]))
            same(sorted(set(environment) - {"PWD", "SHLVL", "_", "OLDPWD"}), ["PATH"])
    webmin.set_up(embed=1)
    host.opens(webmin.ask("bob", "open=frame")[1], "bob", "/migration/jobs?embed=1")
    same(host.call_of("bob")[1][-1], "/migration/jobs?embed=1")


def root_and_strangers_get_no_link(webmin):
    webmin.set_up()
    body = webmin.ask("root")[1]
    has(body, 'href="https://mail.example.org"')
    lacks(body, "open=")
    for user, part in (("root", "cannot be opened now"), ("stranger", "no system user stranger")):
        redirects, body = webmin.ask(user, "open=1")
        same(redirects, False)
        has(body, part)
    same(os.listdir(host.calls), [])


def failures_are_said_in_words(webmin):
    for said in ("javascript:alert(1)", "http://evil.example/", "https://a b", ""):
        webmin.set_up(ctl=host.program("liar", "#!/bin/sh\nprintf '%s'\n" % said.replace("%", "%%")))
        redirects, body = webmin.ask("bob", "open=1")
        same((said, redirects), (said, False))
        has(body, "Try again in a minute")
    webmin.set_up(ctl="/nonexistent/mailconvoyctl")
    has(webmin.ask("bob", "open=1")[1], "Try again in a minute")


standin = StandIn()
real = []


def the_real():
    if not real:
        real.append(Real())
    return real[0]


def test_the_page_links_to_a_window_or_holds_a_frame():
    page_links_or_frames(standin)


def test_each_customer_asks_as_themselves_and_hands_on_nothing_of_the_browser():
    each_asks_as_themselves(standin)


def test_root_and_who_has_no_system_user_get_no_link():
    root_and_strangers_get_no_link(standin)


def test_what_fails_or_is_no_link_is_said_in_words():
    failures_are_said_in_words(standin)


def test_in_a_real_webmin_the_page_links_to_a_window_or_holds_a_frame():
    page_links_or_frames(the_real())


def test_in_a_real_webmin_each_customer_asks_as_themselves():
    each_asks_as_themselves(the_real())


def test_in_a_real_webmin_root_and_who_has_no_system_user_get_no_link():
    root_and_strangers_get_no_link(the_real())


def test_in_a_real_webmin_what_fails_is_said_in_words():
    failures_are_said_in_words(the_real())


def feature(code):
    """What virtual_feature.pl prints and returns, with a stand-in of Virtualmin's two printers."""
    script = ("package virtual_server; our $first_print = sub { print \"@_\\n\" }; our $second_print = $first_print; "
              "package main; require './virtual_feature.pl'; print \"result \", join(',', map { ref ? $_->[0] // '' : $_ // "
              "'undef' } (%s)), \"\\n\";" % code)
    exit_code, out, err = run_as("root", "/usr/bin/perl", "-I.", "-I" + os.path.join(panelstack.HERE, "webmin"), "-e", script,
                                 cwd=standin.module, env={"REMOTE_USER": "root", "PATH": "/usr/bin:/bin"})
    same((exit_code, err), (0, ""))
    return out


def test_as_a_plugin_of_virtualmin_it_closes_the_account_with_its_owner():
    standin.set_up()
    for name in ("bob", "eve"):
        host.add_account(name)
    has(feature("feature_check()"), "result undef")
    has(feature("feature_suitable(undef, undef), feature_suitable({}, undef)"), "result 1,")
    has(feature("feature_delete({ 'user' => 'never-here' })"), "result 1")
    for user in ("eve;id", "--help", "../eve", "eve\\n"):
        feature("feature_delete({ 'user' => \"%s\" })" % user)
    closed = host.account("bob")["id"]
    out = feature("feature_delete({ 'user' => 'bob' })")
    has(out, "Closing the account in mailconvoy ..\n.. done\nresult 1")
    same((host.account("bob"), host.account("eve")["is_closed"]), (None, False))
    host.opens(standin.ask("bob", "open=1")[1], "bob")
    same(host.account("bob")["id"] == closed, False, "who has the name next comes upon the former one's account")
    standin.set_up(ctl="/bin/false")
    has(feature("feature_delete({ 'user' => 'eve' })"), "mailconvoyctl account close id:eve\nresult 0")


if __name__ == "__main__":
    tap.run(globals())
