"""One mailbox moved by mailconvoyctl alone: real panel, worker and IMAP servers."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), name) for name in ("stack", "http", "engine")]

from apicli import OK, REFUSED, Cli  # noqa: E402
import imapbox  # noqa: E402
import tap      # noqa: E402
from panel import Panel  # noqa: E402
from tap import has, lacks, same  # noqa: E402
import whole  # noqa: E402

servers = whole.start("journey")
env = servers.env
panel = Panel(env["URL"])
panel.sign_in(env["ADMIN_EMAIL"], env["ADMIN_PASSWORD"])
panel.add_server("Old", env["SRC_HOST"], env["SRC_PORT"])
panel.add_server("New", env["DST_HOST"], env["DST_PORT"])
servers.db.sql("UPDATE mailconvoy.server SET account_id = NULL")
servers.run_ctl("account", "add", "Example Ltd")
token = servers.run_ctl("token", "create", "--user", env["ADMIN_EMAIL"], "--scopes", "jobs:read,jobs:write,servers:write",
                        "--installation", "t").strip()
cli = Cli(os.path.dirname(servers.dir), "admin", token, "--account", "Example Ltd", conf=servers.conf)
made = {}


def messages():
    c = imapbox.connect(servers.destination, "user1")
    try:
        return int(c.select("INBOX")[1][0])
    finally:
        c.logout()


def add(source, destination, *words):
    path = cli.write("pass", env["MAIL_PASSWORD"] + "\n")
    return cli.ok("job", "add", "--source", source, "--source-user", "user1", "--source-passfile", path, "--dest", destination,
                  "--dest-user", "user1", "--dest-passfile", path, "--json", *words).objects()[0]["id"]


def test_a_dry_run_is_queued_and_followed_to_its_end():
    c = imapbox.connect(servers.source, "user1")
    for n in range(3):
        imapbox.append(c, "INBOX", imapbox.message(n))
    c.logout()
    made["dry"] = add("Old", "New", "--name", "By hand")
    done = cli.run("job", "tail", "--follow", "--all", str(made["dry"]))
    same(done.code, OK, done.out + done.err)
    has(done.err, "job %d: done." % made["dry"])
    same(cli.ok("job", "tail", "--all", str(made["dry"])).bytes, done.bytes)
    lacks(done.out, env["MAIL_PASSWORD"])
    same(messages(), 0)


def test_run_again_for_real_it_copies_and_is_verified():
    made["real"] = cli.ok("job", "rerun", str(made["dry"]), "--real", "--json").objects()[0]["id"]
    same(cli.run("job", "tail", "-f", str(made["real"])).code, OK)
    same(messages(), 3)
    has(cli.ok("job", "show", str(made["real"])).out, "3 of 3 messages verified on the destination")
    same(servers.db.sql("SELECT DISTINCT a.name FROM mailconvoy.job j JOIN mailconvoy.account a ON a.id = j.account_id").strip(),
         "Example Ltd")


def test_a_wrong_password_is_told_by_the_exit_code():
    path = cli.write("pass", "not this one\n")
    job = cli.ok("job", "rerun", str(made["dry"]), "--source-passfile", path, "--dest-passfile", path, "--json").objects()[0]["id"]
    done = cli.run("job", "tail", "-f", str(job))
    same(done.code, 1, done.out + done.err)
    has(done.err, "job %d: failed. " % job)
    has(done.err, "refused the user name or password")


def test_an_administrator_acting_for_a_customer_opens_no_private_network_to_it():
    account = servers.db.sql("SELECT id FROM mailconvoy.account WHERE name = 'Example Ltd'").strip()
    servers.db.sql("INSERT INTO mailconvoy.server (account_id, name, host, port, security, verify, created_at, updated_at) SELECT %s, "
                   "'Theirs', host, port, security, verify, created_at, updated_at FROM mailconvoy.server WHERE name = 'Old'" % account)
    job = add("Theirs", "New")
    done = cli.run("job", "tail", "-f", str(job))
    same(done.code, 1, done.out + done.err)
    same(servers.db.sql("SELECT reason FROM mailconvoy.job WHERE id = %d" % job).strip(), "denied_source")


def test_deleted_they_are_gone():
    cli.ok("job", "delete", "--yes", str(made["dry"]), str(made["real"]))
    cli.refused(REFUSED, "job", "show", str(made["real"]))
    same(messages(), 3)


if __name__ == "__main__":
    tap.run(globals())
