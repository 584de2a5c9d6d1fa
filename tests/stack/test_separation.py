"""
Web, worker and database as they are installed: users of their own, known to MariaDB by their sockets, with the grants
that mailconvoyctl setup gives.  The two users exist in a mount namespace only.
"""
import atexit
import email
import email.policy
import imaplib
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "http")]

import namespace  # noqa: E402
import process  # noqa: E402
import stack    # noqa: E402
import tap      # noqa: E402
from panel import Panel, Refused  # noqa: E402
from tap import has, lacks, same  # noqa: E402

BUILD = os.environ.get("MCV_BUILDDIR") or stack.SOURCE
USERS = namespace.USERS

namespace.enter(__file__, BUILD)
DIR = tempfile.mkdtemp(prefix="mcv-separation-")
atexit.register(shutil.rmtree, DIR, ignore_errors=True)
namespace.add_users(DIR)
servers = stack.Stack(os.path.join(DIR, "stack"), BUILD, port=0, quick=True, separate=True,
                      settings={"sync_program": os.path.join(BUILD, "engine", "mailconvoy-sync")})
try:
    servers.check_prerequisites()
except RuntimeError as why:
    tap.skip_all(str(why))
atexit.register(servers.stop)
os.chmod(DIR, 0o711)
servers.start()
panel = Panel(servers.env["URL"])
made = {}


as_user = namespace.run_as


def sql_as(name, text):
    return as_user(name, "mariadb", "--no-defaults", "-S", servers.db.socket, "-N", "-B", "mailconvoy", text=text)


def worker_said():
    with open(os.path.join(servers.dir, "worker.log"), encoding="utf-8", errors="replace") as f:
        return f.read()[-2000:]


def new_job(dry_run=True):
    env = servers.env
    return panel.add_job(made["source"], env["MAIL_USER"], env["MAIL_PASSWORD"], made["destination"], env["MAIL_USER"],
                         env["MAIL_PASSWORD"], dry_run=dry_run)


def test_a_mailbox_is_migrated_with_no_more_rights_than_setup_grants():
    env = servers.env
    panel.sign_in(env["ADMIN_EMAIL"], env["ADMIN_PASSWORD"])
    made["source"] = panel.add_server("Old", env["SRC_HOST"], env["SRC_PORT"])["id"]
    made["destination"] = panel.add_server("New", env["DST_HOST"], env["DST_PORT"])["id"]
    job = new_job()
    same(panel.wait(job["id"])["job"]["state"], "done", worker_said())
    real = panel.rerun(job["id"], dry_run=False)
    same(panel.wait(real["id"])["job"]["state"], "done")
    has(panel.log(real["id"]).decode(errors="replace"), "Messages transferred")
    made["job"] = real["id"]


def destination(do):
    """What do() answers for the destination's INBOX."""
    env = servers.env
    c = imaplib.IMAP4_SSL(env["DST_HOST"], int(env["DST_PORT"]), ssl_context=ssl._create_unverified_context())
    c.login(env["MAIL_USER"], env["MAIL_PASSWORD"])
    c.select("INBOX")
    found = do(c)
    c.logout()
    return found


def test_what_only_the_destination_has_is_counted_confirmed_and_deleted():
    env = servers.env
    mine = [a for a in panel.get("/migration/accounts")["accounts"] if a["is_mine"]][0]
    uids = lambda c: c.uid("search", None, "ALL")[1][0].split()
    subject = lambda c: c.uid("search", None, "SUBJECT", "surplus")[1][0].split()
    before = destination(uids)
    for _ in range(2):
        destination(lambda c: c.append("INBOX", None, None, b"Subject: surplus\r\nMessage-Id: <surplus%d@example.org>\r\n\r\nx\r\n"
                                       % len(subject(c))))
    sent = {"source_server_id": made["source"], "source_user": env["MAIL_USER"], "source_password": env["MAIL_PASSWORD"],
            "dest_server_id": made["destination"], "dest_user": env["MAIL_USER"], "dest_password": env["MAIL_PASSWORD"],
            "dry_run": "1", "delete2": "1"}
    try:
        panel.form("/migration/jobs", sent)
        raise AssertionError("an account may without being allowed")
    except Refused as why:
        same(why.status, 422, why.body)
    panel.form("/migration/accounts/%d" % mine["id"], {"name": mine["name"], "may_delete2": "1"})
    dry = panel.form("/migration/jobs", sent)["job"]["id"]
    same(panel.wait(dry)["job"]["messages_to_delete"], 2, worker_said())
    same(len(destination(subject)), 2)
    real = panel.form("/migration/jobs/%d/confirm-deletion" % dry, {"count": "2", "understood": "1"})["job"]["id"]
    model = panel.wait(real)
    same((model["job"]["state"], model["job"]["messages_deleted"]), ("done", 2), worker_said())
    same((destination(uids), destination(subject)), (before, []))
    trail = [(e["action"], e["object"]) for e in panel.get("/migration/audit")["entries"] if e["action"].startswith("delete2")]
    same(trail, [("delete2_end", "job %d" % real), ("delete2_confirm", "job %d" % real)])
    panel.form("/migration/accounts/%d" % mine["id"], {"name": mine["name"], "may_delete2": "0"})


def test_every_other_thing_people_do_with_jobs_works():
    servers.run_ctl("slots", "0")
    try:
        job = new_job()["id"]
        panel.form("/migration/jobs/%s/edit" % job, {"source_user": "user1", "dest_user": "user1"})
        panel.form("/migration/jobs/%s/cancel" % job, {})
        same(panel.job(job)["job"]["state"], "cancelled")
        status, _, body = panel.raw("DELETE", "/migration/jobs/%s?hard=true" % job,
                                    headers={"X-CSRF-Token": panel.csrf, "Accept": "application/json"})
        assert status < 300, body
        status, _, _ = panel.raw("GET", "/migration/jobs/%s" % job, headers={"Accept": "application/json"})
        same(status, 404)
    finally:
        servers.run_ctl("slots", "2")


def test_a_file_is_imported_and_an_old_one_removed():
    env = servers.env
    header = "sourceServerId,sourceEmail,sourcePassword,destServerId,destEmail,destPassword\n"
    text = header + "Old,%s,%s,New,%s,%s\n" % ((env["MAIL_USER"], env["MAIL_PASSWORD"]) * 2)
    over = panel.import_file(text + "9,,,9,,\n")["id"]
    made["import"] = panel.import_file(text)["id"]
    batch = panel.form("/migration/import/%d/confirm" % made["import"], {"tag": "separated", "dry_run": "1"})["batch"]
    job = panel.get("/migration/jobs?batch=%d" % batch["id"])["jobs"][0]["id"]
    same(panel.wait(job)["job"]["state"], "done", worker_said())
    servers.db.sql("UPDATE mailconvoy.import SET expires_at = UTC_TIMESTAMP(6) WHERE id = %d" % over)
    process.wait_for("the worker removes it", lambda: not servers.db.sql(
        "SELECT id FROM mailconvoy.import WHERE id = %d" % over))


def mails():
    folder = servers.env["SMTP_DIR"]
    found = []
    for name in sorted(os.listdir(folder)):
        if name.endswith(".eml"):
            with open(os.path.join(folder, name), "rb") as f:
                found.append(email.message_from_bytes(f.read(), policy=email.policy.default))
    return found


def test_a_job_is_mailed_and_a_batch_once_with_the_rights_granted():
    env = servers.env
    panel.form("/migration/settings", {"mail_on_done": "1", "mail_on_failed": "1"})
    servers.db.sql("UPDATE mailconvoy.user SET jobs_seen_at = NULL")
    before = len(mails())
    job = panel.rerun(made["job"], dry_run=True)["id"]
    panel.wait(job)
    process.wait_for("the mail about the job", lambda: len(mails()) > before)
    same(mails()[-1]["To"].addresses[0].addr_spec, env["ADMIN_EMAIL"])
    process.wait_for("the page tells of it", lambda: "Sent to" in (panel.job(job)["mail_text"] or ""))
    header = "sourceServerId,sourceEmail,sourcePassword,destServerId,destEmail,destPassword\n"
    rows = "".join("Old,user%d,%s,New,user%d,%s\n" % (n, env["MAIL_PASSWORD"], n, env["MAIL_PASSWORD"]) for n in range(1, 6))
    made_import = panel.import_file(header + rows)["id"]
    batch = panel.form("/migration/import/%d/confirm" % made_import, {"tag": "five", "dry_run": "1"})["batch"]
    process.wait_for("the batch ends", lambda: servers.db.sql(
        "SELECT COUNT(*) FROM mailconvoy.job WHERE batch_id = %d AND state IN ('done', 'failed')" % batch["id"]).strip() == "5")
    process.wait_for("its summary", lambda: len(mails()) > before + 1)
    same(mails()[-1]["Subject"], "Done: batch five")
    has(mails()[-1].get_body(("plain",)).get_content(), "/migration/batches/%d" % batch["id"])
    has(servers.run_ctl("mail", "test", "somebody@example.org"), "The relay took it: 250")
    same(len(mails()), before + 3)


def test_an_invitation_is_mailed_and_its_link_works_once_with_the_rights_granted():
    account = panel.form("/migration/accounts", {"name": "Mailed"})["account"]["id"]
    before = len(mails())
    made_user = panel.form("/migration/users", {"email": "mailed@example.org", "role": "member", "account_id": account,
                                                "send_mail": "1"})
    same(made_user["link"], None)
    process.wait_for("the mail with the link", lambda: len(mails()) > before)
    mail = mails()[-1]
    same(mail["To"].addresses[0].addr_spec, "mailed@example.org")
    token = re.search("/welcome/([0-9a-f]{64})", mail.get_body(("plain",)).get_content()).group(1)
    user = "/migration/users/%d" % made_user["user"]["id"]
    process.wait_for("the page tells of it", lambda: "Sent to" in (panel.get(user)["mail_text"] or ""))
    chosen = json.dumps({"password": "a long password", "again": "a long password"}).encode()
    kinds = {"Content-Type": "application/json", "Accept": "application/json"}
    same([panel.raw("POST", "/welcome/" + token, chosen, kinds)[0] for _ in range(2)], [204, 404])
    # another, which is not used: what is kept does not open it
    panel.form(user + "/link", {"send_mail": "1"})
    process.wait_for("the second mail", lambda: len(mails()) > before + 1)
    token = re.search("/welcome/([0-9a-f]{64})", mails()[-1].get_body(("plain",)).get_content()).group(1)
    dump = subprocess.run(["mariadb-dump", "--no-defaults", "-S", servers.db.socket, "--hex-blob", "--skip-lock-tables",
                           "mailconvoy"], stdout=subprocess.PIPE, check=True).stdout.decode(errors="replace")
    has(dump, "mailed@example.org")
    lacks(dump.lower(), token)
    for root, _, names in os.walk(servers.dir):
        for name in names:
            if name.endswith(".log"):
                with open(os.path.join(root, name), encoding="utf-8", errors="replace") as f:
                    lacks(f.read(), token, name)


def test_many_jobs_are_run_again_cancelled_and_deleted_at_one_request():
    servers.run_ctl("slots", "0")
    try:
        ids = [new_job()["id"]]
        for action, states in (("cancel", ["cancelled"]), ("retry", ["queued"]), ("cancel", ["cancelled"])):
            asked = panel.form("/migration/jobs/bulk", {"action": action, "ids": ",".join(map(str, ids))})["bulk"]
            rows = panel.form("/migration/bulk/%d" % asked["id"], {})["rows"]
            ids = [row["other_id"] or row["job_id"] for row in rows]
            same([panel.job(job)["job"]["state"] for job in ids], states)
        # the next question takes away what nobody answered
        servers.db.sql("UPDATE mailconvoy.bulk SET confirmed_at = NULL, created_at = '2020-01-01'")
        deleted = panel.form("/migration/jobs/bulk", {"action": "delete", "confirm": "1", "ids": ids[0]})
        same([row["outcome"] for row in deleted["rows"]], ["deleted"])
        same(servers.db.sql("SELECT COUNT(*) FROM mailconvoy.bulk").strip(), "1")
    finally:
        servers.run_ctl("slots", "2")


def test_servers_are_tested_changed_and_deleted():
    env = servers.env
    spare = panel.add_server("Spare", "localhost", env["SRC_PORT"])["id"]
    panel.form("/migration/servers/%s" % spare, {"name": "Spare two", "host": "localhost", "port": env["SRC_PORT"],
                                                 "security": "tls", "verify": "1"})
    answer = panel.form("/migration/servers/test", {"server_id": spare, "user": env["MAIL_USER"],
                                                    "password": env["MAIL_PASSWORD"]})
    has(str(answer), "folders")
    panel.form("/migration/servers/%s/delete" % spare, {})


def test_administrators_and_links_work_with_the_rights_granted():
    account = panel.form("/migration/accounts", {"name": "Customer", "max_daily": "50", "hosts": "localhost"})["account"]["id"]
    panel.form("/migration/accounts/%d" % account, {"name": "Customer", "max_queued": "5"})
    panel.form("/migration/accounts/%d/suspend" % account, {})
    panel.form("/migration/accounts/%d/resume" % account, {})
    invited = panel.form("/migration/users", {"email": "invited@example.org", "role": "member", "account_id": account})
    user = "/migration/users/%d" % invited["user"]["id"]
    for action, fields in (("role", {"role": "admin"}), ("disable", {}), ("enable", {}), ("sign-out", {}), ("link", {})):
        panel.form(user + "/" + action, fields)
    link = panel.form(user + "/link", {})["link"]
    path = "/welcome/" + link.rsplit("/", 1)[1]
    status, _, body = panel.raw("POST", path, json.dumps({"password": "a long password", "again": "a long password"}).encode(),
                                {"Content-Type": "application/json", "Accept": "application/json"})
    same(status, 204, body)
    token = panel.form("/migration/tokens", {"name": "script", "installation": "1", "accounts_write": "1", "jobs_read": "1"})
    for page in ("accounts", "users", "workers", "audit", "audit.csv", "jobs"):
        status, _, body = panel.raw("GET", "/api/v1/" + page, headers={"Authorization": "Bearer " + token["token"]})
        same((page, status), (page, 200), body)
    shown = panel.form("/migration/jobs/%s/log-links" % made["job"], {})["log_link"]
    status, _, body = panel.raw("GET", "/log/" + shown["link"].rsplit("/", 1)[1])
    same(status, 200)
    panel.form("/migration/log-links/%d/revoke" % shown["id"], {})
    panel.form("/migration/tokens/%d/revoke" % token["id"], {})


def test_the_web_cannot_read_the_private_key():
    key = os.path.join(servers.dir, "keys", "sealing.key")
    same(as_user(stack.WEB_USER, "cat", key)[0], 1)
    same(as_user(stack.WORKER_USER, "test", "-r", key)[0], 0)


def test_the_web_cannot_change_schema_trail_or_permits():
    for text in ("DROP TABLE job", "ALTER TABLE user ADD x INT", "DELETE FROM audit", "UPDATE job_event SET job_id = 1",
                 "INSERT INTO run_slot (n) VALUES (99)", "UPDATE audit SET detail = 'x'", "UPDATE worker SET state = 'dead'",
                 "SELECT LOAD_FILE('/etc/passwd') INTO OUTFILE '/tmp/x'",
                 "SELECT * FROM mysql.user"):
        code, out = sql_as(stack.WEB_USER, text)
        same(code, 1, text)
        has(out.lower(), "denied", text)


def test_the_web_removes_and_moves_nobody():
    """Roles and passwords are changed by the pages of administrators; sql/admin.h asks who they are."""
    for text in ("DELETE FROM user", "UPDATE user SET account_id = 1", "UPDATE user SET created_at = NULL",
                 "INSERT INTO user SELECT * FROM user", "DELETE FROM account", "UPDATE account SET created_at = NULL",
                 "UPDATE api_token SET token_hash = 'x'", "UPDATE api_token SET scopes = ''", "DELETE FROM api_token",
                 "UPDATE site_secret SET bytes = 'x'", "UPDATE log_link SET job_id = 1", "UPDATE log_link_key SET bytes = 'x'"):
        code, out = sql_as(stack.WEB_USER, text)
        same(code, 1, text)
        has(out.lower(), "denied", text)


def test_the_worker_cannot_read_hashes_or_sessions_nor_make_jobs():
    for text in ("SELECT password_hash FROM user", "SELECT * FROM session", "DROP TABLE job", "DELETE FROM user",
                 "INSERT INTO job (id) VALUES (1)", "SELECT * FROM audit", "UPDATE server SET host = 'x'",
                 "DELETE FROM job_event",
                 "SELECT * FROM api_token", "SELECT * FROM user_link", "SELECT * FROM site_secret", "UPDATE log_link_key SET bytes = 'x'",
                 "UPDATE log_link SET revoked_at = NULL", "SELECT user_id FROM bulk", "SELECT label FROM bulk_job"):
        code, out = sql_as(stack.WORKER_USER, text)
        same(code, 1, text)
        has(out.lower(), "denied", text)


def test_nobody_else_gets_into_the_database_or_the_fastcgi_socket():
    done = subprocess.run(["mariadb", "--no-defaults", "-S", servers.db.socket, "mailconvoy"], user=65534, group=65534,
                          extra_groups=[], input=b"SELECT 1", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode != 0, done.stdout
    path = os.path.join(servers.dir, "web", "web.sock")
    same(os.stat(path).st_mode & 0o007, 0)
    script = "import socket; socket.socket(socket.AF_UNIX).connect(%r)" % path
    for number in (65534, USERS[stack.WORKER_USER]):
        done = subprocess.run([stack.DEBIAN_PYTHON, "-c", script], user=number, group=number, extra_groups=[],
                              stderr=subprocess.PIPE)
        has(done.stderr.decode(), "PermissionError")
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)


def test_the_web_cannot_look_into_the_worker():
    pid = servers.env["WORKER_PID"]
    for name in ("environ", "mem", "fd/0"):
        assert as_user(stack.WEB_USER, "cat", "/proc/%s/%s" % (pid, name))[0] != 0, name


def test_a_mailbox_password_is_nowhere_on_the_disk():
    secret = servers.env["MAIL_PASSWORD"].encode()
    servers.db.sql("FLUSH TABLES")
    for folder in ("mariadb", "state", "web", "keys"):
        for where, _, names in os.walk(os.path.join(servers.dir, folder)):
            for name in names:
                path = os.path.join(where, name)
                if os.path.isfile(path):
                    with open(path, "rb") as f:
                        assert secret not in f.read(), path
    for name in ("worker.log", "mailconvoy.conf"):
        with open(os.path.join(servers.dir, name), "rb") as f:
            assert secret not in f.read(), name


def test_doctor_and_check_find_nothing_wrong():
    said = servers.run_ctl("doctor")
    lacks(said, "PROBLEM")
    has(said, "the panel answers at " + servers.env["URL"])
    has(servers.run_ctl("check"), "agree")


if __name__ == "__main__":
    tap.run(globals())
