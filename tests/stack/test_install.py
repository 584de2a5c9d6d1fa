"""What make install leaves on a machine, and whether systemd and nginx accept it."""
import atexit
import contextlib
import glob
import http.client
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), name) for name in ("http", "engine")]

from ports import free_port  # noqa: E402
import tap  # noqa: E402
from tap import Skip, has, lacks, same  # noqa: E402

BUILD = os.environ.get("MCV_BUILDDIR") or os.path.dirname(os.path.dirname(HERE))
SOURCE = os.environ.get("MCV_SRCDIR") or os.path.dirname(os.path.dirname(HERE))
DEST = tempfile.mkdtemp(prefix="mcv-install-")
EXPOSURE_MAX = 1.5

atexit.register(shutil.rmtree, DEST, ignore_errors=True)
if not os.path.exists(os.path.join(BUILD, "Makefile")):
    tap.skip_all("no Makefile in %s" % BUILD)


def run(*words, **more):
    """(exit code, both outputs)"""
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
    return done.returncode, done.stdout.decode(errors="replace")


def make(*words, **more):
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "DESTDIR")}
    code, out = run("make", "-s", "-C", BUILD, "DESTDIR=" + DEST, *words, env=env, **more)
    same(code, 0, out[-2000:])


def makefile_variable(name, text=[]):
    """Its value, as configure was told."""
    if not text:
        with open(os.path.join(BUILD, "Makefile"), encoding="utf-8") as f:
            text.append(f.read())
    value = re.search(r"^%s = (.*)$" % name, text[0], re.M).group(1)
    return re.sub(r"\$[{(](\w+)[)}]", lambda m: makefile_variable(m.group(1)), value)


DIRS = {"bin": "bindir", "sbin": "sbindir", "conf": "pkgconfdir", "data": "pkgdatadir", "man": "mandir",
        "units": "systemdsystemunitdir", "sysusers.d": "sysusersdir", "tmpfiles.d": "tmpfilesdir"}
DIRS = {k: makefile_variable(v) for k, v in DIRS.items()}


def scratch(*names):
    return os.path.join(DEST, "scratch", *names)


def path(name):
    """Where "conf/x" was installed below DEST."""
    kind, _, rest = name.partition("/")
    return os.path.join(DEST + DIRS[kind], rest)


def read(name):
    with open(path(name), encoding="utf-8") as f:
        return f.read()


def installed():
    """The path of every file, as it will be on the target."""
    return sorted("/" + os.path.relpath(os.path.join(d, n), DEST) for d, _, names in os.walk(DEST) for n in names
                  if not d.startswith(scratch()))


def need(program):
    found = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if found is None:
        raise Skip("no %s on this machine" % program)
    return found


def units():
    """Copies of the installed units whose programs are those below DEST."""
    os.makedirs(scratch("units"), exist_ok=True)
    for unit in glob.glob(path("units/*")):
        with open(unit, encoding="utf-8") as f:
            text = f.read()
        with open(scratch("units", os.path.basename(unit)), "w", encoding="utf-8") as out:
            out.write(text.replace(DIRS["sbin"] + "/", path("sbin/")))
    return sorted(glob.glob(scratch("units", "*")))


def test_make_install_puts_every_part_in_its_place():
    make("install")
    for name in ("bin/mailconvoy-sync", "sbin/mailconvoy-web", "sbin/mailconvoy-worker", "sbin/mailconvoyctl",
                 "conf/mailconvoy.conf", "data/sql/0001_initial.sql", "data/templates/layout.html",
                 "data/static/style.css", "data/nginx/mailconvoy-local.conf", "sysusers.d/mailconvoy.conf",
                 "tmpfiles.d/mailconvoy.conf", "man/man7/mailconvoy.7", "man/man8/mailconvoyctl.8",
                 "man/man5/mailconvoy.conf.5", "man/man8/mailconvoy-worker.8", "man/man8/mailconvoy-web.8",
                 "man/man1/mailconvoy-sync.1", "units/mailconvoy-web.socket", "units/mailconvoy-sso.socket"):
        assert os.path.exists(path(name)), "%s is not installed: %s" % (name, installed())


def test_every_template_and_script_is_installed():
    for kind in ("templates/*.html", "templates/static/*", "sql/*.sql"):
        for source in glob.glob(os.path.join(SOURCE, kind)):
            name = os.path.relpath(source, SOURCE).replace("templates/static", "static")
            assert os.path.exists(path("data/" + name)), name


def test_the_panels_plugins_are_installed_and_find_mailconvoyctl():
    top = os.path.join(SOURCE, "conf", "panels")
    for directory, _, names in os.walk(top):
        for name in names:
            source = os.path.join(directory, name)
            if name == "local.mk":
                continue
            there = path("data/panels/" + os.path.relpath(source, top))
            assert os.path.exists(there), there
            want = 0o755 if os.access(source, os.X_OK) else 0o644
            same((there, oct(os.stat(there).st_mode & 0o7777)), (there, oct(want)))
    for name in ("directadmin/mailconvoy/settings", "cpanel/mailconvoy/settings.ini", "webmin/mailconvoy/config"):
        has(read("data/panels/" + name), DIRS["sbin"] + "/mailconvoyctl")


def test_no_installed_text_names_the_place_it_was_built_in():
    for name in installed():
        if not name.startswith((DIRS["bin"], DIRS["sbin"])) and not name.endswith(".gif"):
            with open(DEST + name, encoding="utf-8") as f:
                text = f.read()
            lacks(text, DEST, name)
            lacks(text, os.path.abspath(BUILD), name)
            assert not re.search(r"@[a-z]+@", text), name


def test_a_configuration_that_is_there_is_kept():
    with open(path("conf/mailconvoy.conf"), "w", encoding="utf-8") as out:
        out.write("debug = true\n")
    make("install")
    same(read("conf/mailconvoy.conf"), "debug = true\n")


def test_the_sample_is_what_mailconvoyctl_prints():
    code, out = run(path("sbin/mailconvoyctl"), "conf", "sample")
    same(code, 0)
    same(read("data/mailconvoy.conf.sample"), out)


def test_the_manual_names_every_setting():
    manual = read("man/man5/mailconvoy.conf.5")
    sample = read("data/mailconvoy.conf.sample")
    names = re.findall(r"^#(\w+) = ", sample, re.M)
    assert len(names) > 30
    for name in names:
        has(manual, ".BI %s " % name)


def test_the_manual_names_every_verb():
    manual = read("man/man8/mailconvoyctl.8")
    code, usage = run(path("sbin/mailconvoyctl"), "help")
    same(code, 0)
    verbs = re.findall(r"^  ([a-z][a-z-]*) ", usage, re.M)
    assert len(verbs) > 6
    for verb in verbs:
        assert re.search(r'^\.BI? "?%s\b' % re.escape(verb.replace("-", "\\-")), manual, re.M), verb


def test_the_manual_pages_satisfy_mandoc():
    mandoc = need("mandoc")
    for page in glob.glob(path("man/man*/*")):
        code, out = run(mandoc, "-Tlint", "-Wwarning", page)
        same(code, 0, out)


def test_systemd_accepts_the_units():
    program = need("systemd-analyze")
    names = [u for u in units()]
    same(len(names), 5)
    code, out = run(program, "verify", "--man=no", *names)
    same((code, out), (0, ""))


def test_the_services_are_locked_up():
    program = need("systemd-analyze")
    for unit in units():
        if unit.endswith(".service"):
            code, out = run(program, "security", "--offline=true", unit)
            level = float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", out).group(1))
            assert level <= EXPOSURE_MAX, "%s: %.1f" % (unit, level)


def test_web_and_worker_are_different_users_and_leave_no_core():
    users = set()
    for unit in units():
        if unit.endswith(".service"):
            with open(unit, encoding="utf-8") as f:
                text = f.read()
            users.add(re.search(r"^User=(.*)$", text, re.M).group(1))
            for line in ("NoNewPrivileges=yes", "ProtectSystem=strict", "KillMode=control-group", "LimitCORE=0"):
                has(text, line + "\n", unit)
    same(users, {"mailconvoy-web", "mailconvoy-worker"})


def test_the_local_socket_is_for_everybody_and_its_service_sees_who_asks():
    with open(path("units/mailconvoy-sso.socket"), encoding="ascii") as f:
        text = f.read()
    for line in ("ListenStream=%s/sso.sock" % makefile_variable("mailconvoy_rundir"), "SocketMode=0666"):
        has(text, line + "\n")
    with open(path("units/mailconvoy-sso.service"), encoding="ascii") as f:
        text = f.read()
    for line in ("PrivateUsers=no", "StandardInput=socket", "Requires=mailconvoy-sso.socket"):
        has(text, line + "\n")
    closed = re.search(r"^InaccessiblePaths=(.*)$", text, re.M).group(1).split()
    same({"-%s/%s" % (DIRS["conf"], key) for key in ("sealing.key", "second-factor.key")} <= set(closed), True, closed)
    has(read("data/mailconvoy.conf.sample"), '#sso_socket = "%s/sso.sock"' % makefile_variable("mailconvoy_rundir"))
    lacks(text, "multi-user.target", "it is off until it is turned on")


def test_sysusers_and_tmpfiles_accept_what_they_are_given():
    if os.geteuid() != 0:
        raise Skip("only root makes users, even below another root directory")
    root = scratch("root")
    os.makedirs(os.path.join(root, "etc"), exist_ok=True)
    for kind, words in (("sysusers.d", ["systemd-sysusers"]), ("tmpfiles.d", ["systemd-tmpfiles", "--create"])):
        # Looked for below the root; /usr/local is not among the places there.
        target = os.path.join(root, "usr/lib", kind)
        os.makedirs(target, exist_ok=True)
        shutil.copyfile(path(kind + "/mailconvoy.conf"), os.path.join(target, "mailconvoy.conf"))
        code, out = run(need(words[0]), *words[1:], "--root=" + root, "mailconvoy.conf")
        same(code, 0, out)
    with open(os.path.join(root, "etc/passwd"), encoding="ascii") as f:
        passwd = f.read()
    has(passwd, "mailconvoy-web:")
    has(passwd, "mailconvoy-worker:")
    same(os.stat(root + makefile_variable("mailconvoy_statedir")).st_mode & 0o777, 0o700)


def fill_in_sites():
    """Both sites as nginx reads them, with paths and ports of our own; the directory, and the port of the local one."""
    need("nginx")
    if not os.path.exists("/etc/nginx/fastcgi_params"):
        raise Skip("no /etc/nginx/fastcgi_params")
    site_dir = scratch("site")
    os.makedirs(site_dir, exist_ok=True)
    shutil.copyfile("/etc/nginx/fastcgi_params", os.path.join(site_dir, "fastcgi_params"))
    certificate, key = os.path.join(site_dir, "c.pem"), os.path.join(site_dir, "k.pem")
    code, out = run(need("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=mailconvoy.example.org")
    same(code, 0, out)
    port, second, third = free_port(), free_port(), free_port()
    for inc in glob.glob(path("data/nginx/*")):
        with open(inc, encoding="ascii") as f:
            text = f.read()
        text = text.replace(DIRS["data"] + "/nginx/", site_dir + "/")
        text = text.replace("/etc/ssl/mailconvoy/fullchain.pem", certificate)
        text = text.replace("/etc/ssl/mailconvoy/privkey.pem", key)
        # Ports below 1024 are root's, and 8080 is somebody's.
        text = text.replace(":80;", ":%d;" % second).replace(" 80;", " %d;" % second).replace("443 ssl", "%d ssl" % third)
        text = text.replace("127.0.0.1:8080", "127.0.0.1:%d" % port)
        with open(os.path.join(site_dir, os.path.basename(inc)), "w", encoding="ascii") as out:
            out.write(text)
    for name in ("local", "tls"):
        with open(os.path.join(site_dir, name + ".conf"), "w", encoding="ascii") as out:
            out.write("pid {0}/pid;\nerror_log {0}/log;\nevents {{}}\nhttp {{\naccess_log {0}/access;\n"
                      "client_body_temp_path {0}/b; fastcgi_temp_path {0}/f; proxy_temp_path {0}/p; "
                      "uwsgi_temp_path {0}/u; scgi_temp_path {0}/s;\n"
                      "include {0}/mailconvoy-{1}.conf;\n}}\n".format(site_dir, name))
    return site_dir, port


def nginx_words(site_dir, name):
    return [need("nginx"), "-q", "-c", os.path.join(site_dir, name + ".conf"), "-p", site_dir,
            "-e", os.path.join(site_dir, "log")]


def test_nginx_accepts_both_sites():
    site_dir, _ = fill_in_sites()
    for name in ("local", "tls"):
        code, out = run(*nginx_words(site_dir, name), "-t")
        same(code, 0, out)


def get(port, where):
    """The answer, once its body was read; None where nobody listens."""
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        c.request("GET", where)
        answer = c.getresponse()
        answer.read()
        return answer
    except ConnectionRefusedError:
        return None
    finally:
        c.close()


@contextlib.contextmanager
def running_nginx(site_dir, port):
    """The local site, without a web behind it."""
    nginx = subprocess.Popen(nginx_words(site_dir, "local") + ["-g", "daemon off;"], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while get(port, "/") is None:
            assert nginx.poll() is None and time.monotonic() < deadline, "nginx does not start"
        yield
    finally:
        nginx.terminate()
        nginx.wait(120)


def test_what_is_slow_is_asked_slowly_by_whichever_address():
    site_dir, port = fill_in_sites()

    def ask(where, method="POST"):
        """429 of nginx; without a web behind it, 502 for all it lets through."""
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        try:
            c.request(method, where, "x", {"Content-Type": "text/plain"})
            return c.getresponse().status
        except ConnectionRefusedError:
            return None
        finally:
            c.close()

    with running_nginx(site_dir, port):
        answers = [ask("/login") for _ in range(60)]
        same(sorted(set(answers)), [429, 502])
        for where in ("/api/v1/login", "/migration/servers/test", "/api/v1/migration/servers/test",
                      "/api/v1/servers/test", "/api/v1/%6cogin"):
            same([ask(where) for _ in range(5)].count(429) > 0, True, where)
        same(sorted({ask("/migration/import") for _ in range(60)}), [429, 502], "uploads")
        for where in ("/api/v1/import", "/api/v1/migration/import", "/migration/%69mport"):
            same([ask(where) for _ in range(5)].count(429) > 0, True, where)
        same([ask("/migration/import", "GET") for _ in range(5)], [502] * 5, "the page about uploads")
        same(ask("/migration/jobs"), 502)
        for where, kind in (("/api/v1/login", "application/problem+json"), ("/login", "text/html")):
            # on a slow machine one more may be due by now, and then is let through
            for _ in range(60):
                c = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
                c.request("POST", where, "x", {"Content-Type": "text/plain"})
                answer = c.getresponse()
                if answer.status == 429:
                    break
                c.close()
            same((answer.status, answer.headers["Retry-After"], answer.headers["Content-Type"]), (429, "2", kind), where)
            c.close()


def test_no_log_of_nginx_has_a_link_that_is_a_secret_not_even_when_its_answer_failed():
    site_dir, port = fill_in_sites()
    with running_nginx(site_dir, port):
        for where, kind in (("/sso/", "text/html"), ("/welcome/", "text/html"), ("/log/", "text/html"),
                            ("/api/v1/log/", "application/problem+json")):
            seen = set()
            # nobody answers behind it, and then it is too often
            for n in range(400):
                answer = get(port, where + "SECRET%d" % n)
                seen.add(answer.status)
                same((answer.headers["Content-Type"].split(";")[0], answer.headers["Cache-Control"],
                      answer.headers["Retry-After"]), (kind, "no-store", "2" if answer.status == 429 else None), where)
                if seen == {429, 502}:
                    break
            same(seen, {429, 502}, where)
            deadline = time.monotonic() + 60
            while get(port, "/migration/jobs").status != 502:
                assert time.monotonic() < deadline, "nginx lets nothing through again"
        logs = {}
        for name in ("access", "log"):
            with open(os.path.join(site_dir, name), encoding="utf-8") as f:
                logs[name] = f.read()
    for name, text in logs.items():
        has(text, "/migration/jobs", name)
        lacks(text, "SECRET", name)


def test_the_readme_names_every_package_to_build_with():
    with open(os.path.join(SOURCE, "README.md"), encoding="utf-8") as f:
        readme = f.read()
    with open(os.path.join(HERE, "packages"), encoding="utf-8") as f:
        for kind, package, _ in (line.split(None, 2) for line in f if not line.startswith("#")):
            if kind == "build":
                assert re.search(r"\s%s\s" % re.escape(package), readme), package


def test_make_uninstall_leaves_only_what_the_administrator_wrote():
    make("uninstall")
    same(installed(), [DIRS["conf"] + "/mailconvoy.conf"])
    assert not os.path.exists(path("data/"))
    os.unlink(path("conf/mailconvoy.conf"))


def test_what_was_never_changed_is_removed_whole():
    make("install")
    make("uninstall")
    same(installed(), [])
    assert not os.path.exists(path("conf/"))


def test_a_strict_umask_does_not_lock_web_and_worker_out():
    make("install", preexec_fn=lambda: os.umask(0o077))
    for kind in ("conf", "data"):
        for where, _, names in os.walk(path(kind + "/")):
            same(os.stat(where).st_mode & 0o777, 0o755, where)
            for name in names:
                # the plugins' scripts are run; their modes have a test of their own
                want = (0o644, 0o755) if "/panels" in where else (0o644,)
                same(os.stat(os.path.join(where, name)).st_mode & 0o777 in want, True, name)


if __name__ == "__main__":
    tap.run(globals())
