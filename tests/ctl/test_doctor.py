"""mailconvoyctl doctor and setup on an installation with users of its own, broken in one way after the other."""
import atexit
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [os.path.join(TESTS, "stack"), os.path.join(TESTS, "http")]

import namespace  # noqa: E402
import stack      # noqa: E402
import tap        # noqa: E402
from process import wait_for  # noqa: E402
from tap import has, lacks, same  # noqa: E402

BUILD = os.environ.get("MCV_BUILDDIR") or stack.SOURCE
OK, PROBLEMS = 0, 1

namespace.enter(__file__, BUILD)
DIR = tempfile.mkdtemp(prefix="mcv-doctor-")
atexit.register(shutil.rmtree, DIR, ignore_errors=True)
namespace.add_users(DIR)
os.chmod(DIR, 0o711)
servers = stack.Stack(os.path.join(DIR, "stack"), BUILD, port=0, separate=True, sso=True,
                      parts=("mariadb", "web", "worker"),
                      settings={"sync_program": os.path.join(BUILD, "engine", "mailconvoy-sync")})
try:
    servers.check_prerequisites()
except RuntimeError as why:
    tap.skip_all(str(why))
atexit.register(servers.stop)
servers.start()
KEY, PUBLIC = servers.path("keys", "sealing.key"), servers.path("keys", "sealing.pub")
SOCKET = servers.path("web", "web.sock")


def ctl(*words, conf=None):
    """(exit code, both outputs)"""
    done = subprocess.run([servers.ctl, "-c", conf or servers.conf, *words], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = done.stdout.decode()
    lacks(text, "Sanitizer")
    return done.returncode, text


def finds(*parts, conf=None):
    """Doctor sees something, says so in these words, and how each problem is mended."""
    code, out = ctl("doctor", conf=conf)
    same(code, PROBLEMS, out)
    for part in parts:
        has(out, part)
    same(out.count("PROBLEM"), len(re.findall(r"PROBLEM .*\n {11}\S", out)), out)
    has(out, "%d problem" % out.count("PROBLEM"))


def is_well():
    code, out = ctl("doctor")
    same(code, OK, out)
    lacks(out, "PROBLEM")


@contextlib.contextmanager
def mode(path, value):
    before = os.stat(path).st_mode & 0o7777
    os.chmod(path, value)
    try:
        yield
    finally:
        os.chmod(path, before)


@contextlib.contextmanager
def owner(path, user):
    before = os.stat(path)
    shutil.chown(path, user)
    try:
        yield
    finally:
        os.chown(path, before.st_uid, before.st_gid)


@contextlib.contextmanager
def away(path):
    os.rename(path, path + ".away")
    try:
        yield
    finally:
        if os.path.exists(path):
            os.unlink(path)
        os.rename(path + ".away", path)


def conf_with(**settings):
    path = os.path.join(DIR, "other.conf")
    with open(servers.conf, encoding="utf-8") as f, open(path, "w", encoding="utf-8") as out:
        out.writelines(line for line in f if line.split(" = ")[0] not in settings)
        for key, value in settings.items():
            out.write("%s = %s\n" % (key, json.dumps(value)))
    os.chmod(path, 0o644)
    return path


def test_nothing_is_wrong_at_first():
    wait_for("a worker", lambda: "1 worker running" in ctl("doctor")[1])
    is_well()


def test_it_sees_a_key_that_the_web_can_read():
    with owner(KEY, stack.WEB_USER):
        finds("mailconvoy-web can read the private key", "mailconvoy-worker cannot read", "chown mailconvoy-worker")
    is_well()


def test_it_sees_a_key_that_everybody_can_read():
    with mode(KEY, 0o444):
        finds("chmod 0400", "mailconvoy-web can read the private key")


def test_it_sees_a_key_that_stayed_with_root():
    with owner(KEY, "root"):
        finds("mailconvoy-worker cannot read " + KEY, "chown mailconvoy-worker " + KEY)


def test_setup_gives_a_key_of_roots_to_the_worker():
    with owner(KEY, "root"):
        code, out = ctl("setup")
        same(code, OK, out)
        same(os.stat(KEY).st_uid, namespace.USERS[stack.WORKER_USER])


def test_it_sees_missing_keys():
    with away(KEY):
        finds(KEY, "backup")
    with away(PUBLIC):
        finds(PUBLIC, "mailconvoyctl setup")


def test_it_sees_keys_that_do_not_belong_together():
    other = os.path.join(DIR, "pair")
    os.makedirs(other)
    private, public = os.path.join(other, "sealing.key"), os.path.join(other, "sealing.pub")
    same(ctl("key", "generate", conf=conf_with(private_key_file=private, public_key_file=public))[0], OK)
    finds("do not belong together", conf=conf_with(public_key_file=public))


def test_it_sees_files_that_the_programs_cannot_open():
    with mode(PUBLIC, 0o400):
        finds("mailconvoy-web cannot read " + PUBLIC)
    with mode(servers.conf, 0o600):
        finds("mailconvoy-web cannot read " + servers.conf, "mailconvoy-worker cannot read " + servers.conf)
    with owner(servers.path("state"), "root"):
        finds("mailconvoy-worker cannot write to " + servers.path("state"))


def test_it_sees_templates_installed_under_a_strict_umask():
    templates = os.path.join(DIR, "templates")
    os.makedirs(templates)
    os.chmod(templates, 0o700)
    finds("mailconvoy-web cannot read " + templates, "umask", conf=conf_with(template_path=templates))


def test_it_sees_a_named_file_that_is_not_there():
    finds("/nowhere/ca.pem", "Put it there", conf=conf_with(ca_file="/nowhere/ca.pem"))


def test_it_sees_a_password_file_that_two_users_cannot_share():
    password = os.path.join(DIR, "database.password")
    with open(password, "w", encoding="ascii") as out:
        out.write("secret of the database\n")
    os.chmod(password, 0o400)
    shutil.chown(password, stack.WORKER_USER)
    conf = conf_with(database_password_file=password, database_user="root")
    finds("mailconvoy-web cannot read " + password, conf=conf)
    lacks(ctl("doctor", conf=conf)[1], "secret of")


def test_it_sees_a_sync_program_that_is_not_there():
    finds("/nowhere/imapsync cannot be run", "built-in engine", conf=conf_with(sync_program="/nowhere/imapsync"))


def test_it_names_the_sync_program_and_its_version():
    script = os.path.join(DIR, "imapsync")
    with open(script, "w", encoding="ascii") as out:
        out.write("#!/usr/bin/perl\n\n# $Id: imapsync,v 2.229 2022/09/14 18:08:24 x Exp x $\n")
    os.chmod(script, 0o755)
    has(ctl("doctor", conf=conf_with(sync_program=script))[1], "sync program %s, version 2.229" % script)


def test_it_sees_a_state_directory_that_is_not_there():
    finds("/nowhere is not a directory", "systemd-tmpfiles", conf=conf_with(state_dir="/nowhere"))


def test_it_sees_a_socket_open_to_everybody():
    with mode(SOCKET, 0o666):
        finds(SOCKET + " is open to everybody", "chmod 0660")


def test_it_sees_whether_control_panels_get_links():
    has(ctl("doctor")[1], "ok       sign-in links for control panels from " + servers.sso_socket)
    has(namespace.run_as("nobody", servers.ctl, "-c", servers.conf, "doctor")[1], "ok       sign-in links")
    with mode(servers.sso_socket, 0o600):
        finds(servers.sso_socket + " is not open to everybody", "chmod 0666")
    for where in ("", "/nowhere/sso.sock"):
        code, out = ctl("doctor", conf=conf_with(sso_socket=where))
        same(code, OK, out)
        has(out, "note     signing in from control panels on this machine is off")
    servers.sso_process.stop()
    finds("nobody answers at " + servers.sso_socket, "systemctl status mailconvoy-sso")
    servers.start_sso()
    is_well()


def test_it_sees_a_panel_that_nobody_serves():
    finds("nobody answers at http://127.0.0.1:1", "nginx", conf=conf_with(base_url="http://127.0.0.1:1"))


def test_it_sees_missing_rights_in_the_database_and_setup_mends_them():
    for user in (stack.WEB_USER, stack.WORKER_USER):
        servers.db.sql("REVOKE ALL PRIVILEGES, GRANT OPTION FROM `%s`@localhost" % user)
        finds("%s does not have what it needs" % user, "mailconvoyctl setup")
        same(ctl("setup")[0], OK)
        is_well()
    servers.db.sql("DROP USER `%s`@localhost" % stack.WEB_USER)
    finds("%s does not have what it needs" % stack.WEB_USER)
    same(ctl("setup")[0], OK)
    is_well()


def test_it_sees_rights_that_are_not_needed_and_setup_takes_them_away():
    for what in ("SELECT ON mailconvoy.*", "DELETE ON mailconvoy.audit", "UPDATE (account_id) ON mailconvoy.user",
                 "SELECT (password_hash) ON mailconvoy.user", "SELECT ON `mailconv%`.*", "PROCESS, FILE ON *.*",
                 "SELECT ON mailconvoy.server", "USAGE ON *.*"):
        user = stack.WORKER_USER if "hash" in what else stack.WEB_USER
        passed_on = " WITH GRANT OPTION" if what.endswith((".server", "USAGE ON *.*")) else ""
        servers.db.sql("GRANT %s TO `%s`@localhost%s" % (what, user, passed_on))
        finds("%s may do more in the database than it needs" % user, "mailconvoyctl setup")
        same(ctl("setup")[0], OK)
        is_well()


def test_it_sees_roles_and_setup_takes_them_away():
    for default in (True, False):
        for user in (stack.WEB_USER, stack.WORKER_USER):
            servers.db.sql("CREATE ROLE helpers; GRANT DELETE ON mailconvoy.audit TO helpers; "
                           "GRANT helpers TO `%s`@localhost" % user)
            if default:
                servers.db.sql("SET DEFAULT ROLE helpers FOR `%s`@localhost" % user)
            finds("%s may do more in the database than it needs" % user, "mailconvoyctl setup")
            same(ctl("setup")[0], OK)
            is_well()
            same(servers.db.sql("SELECT COUNT(*) FROM mysql.roles_mapping WHERE User = '%s'" % user).strip(), "0")
            servers.db.sql("DROP ROLE helpers")


def test_it_sees_what_is_granted_to_everybody():
    for what in ("UPDATE ON mailconvoy.job", "SELECT ON mailconvoy.*"):
        servers.db.sql("GRANT %s TO PUBLIC" % what)
        finds("every user of MariaDB may reach into the database mailconvoy", "SHOW GRANTS FOR PUBLIC")
        servers.db.sql("REVOKE %s FROM PUBLIC" % what)
        is_well()


def test_an_ordinary_user_is_told_that_root_sees_more():
    code, out = namespace.run_as("nobody", servers.ctl, "-c", servers.conf, "doctor")
    same(code, PROBLEMS, out)
    has(out, "run as root")
    has(out, "not ours to read")
    has(out, "is closed to us")


def test_the_web_says_before_it_starts_whether_it_could():
    web = os.path.join(BUILD, "fcgi", "mailconvoy-web")
    same(namespace.run_as(stack.WEB_USER, web, "-t", "-c", servers.conf), (0, ""))
    code, out = namespace.run_as(stack.WEB_USER, web, "-t", "-c", conf_with(frobnicate=1))
    assert code != 0
    has(out, "frobnicate")


def test_the_worker_does_not_start_where_it_cannot_write():
    worker = os.path.join(BUILD, "worker", "mailconvoy-worker")
    code, out = namespace.run_as(stack.WORKER_USER, worker, "-f", "-c", conf_with(state_dir="/nowhere"))
    same(code, 78, out)
    has(out, "cannot write to /nowhere")


def test_it_sees_that_no_worker_runs():
    servers.worker.stop()
    finds("no worker runs", "systemctl start mailconvoy-worker")


if __name__ == "__main__":
    tap.run(globals())
