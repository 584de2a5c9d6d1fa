"""
One evening's work through the whole product: a file of 200 mailboxes, some rows bad, is imported, run dry, looked at and
run for real; mail tells the result.
"""
import csv
import email
import email.policy
import glob
import io
import os
import re
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "http"), os.path.join(os.path.dirname(HERE), "engine")]

import imapbox  # noqa: E402
import tap      # noqa: E402
from panel import Panel  # noqa: E402
from tap import has, lacks, same  # noqa: E402
import whole  # noqa: E402

HEADER = "sourceServerId,sourceEmail,sourcePassword,destServerId,destEmail,destPassword,name"
TAG = "One evening"
# Lines of the file whose row cannot be imported, and why.
BAD = {12: "Unknown server", 55: "missing", 56: "not an e-mail address", 101: "as in line 2", 200: "fields"}
WRONG_PASSWORD = 77  # a line that can be imported, and whose job fails

servers = whole.start("batch", more_parts=("smtp",), mail_log_links="true")
panel = Panel(servers.env["URL"])
made = {}


def file_text():
    """Lines 2 to 201: from each of ten mailboxes to each of twenty."""
    password = servers.env["MAIL_PASSWORD"]
    lines = [HEADER]
    for n in range(200):
        line = n + 2
        row = ["Old", "user%d" % (n // 20 + 1), password, "New", "user%d" % (n % 20 + 1), password, "row %d" % line]
        if line == 12:
            row[0] = "Nowhere"
        elif line == 55:
            row[2] = ""
        elif line == 56:
            row[4] = "user@@new"
        elif line == 101:
            row[1], row[4] = "user1", "USER1"
        elif line == 200:
            row.append("too many")
        elif line == WRONG_PASSWORD:
            row[2] = "not this one"
        lines.append(",".join(row))
    return "\n".join(lines)


def server(name):
    return int(servers.db.sql("SELECT id FROM mailconvoy.server WHERE name = '%s'" % name))


def states(dry_run):
    return {state: int(n) for state, n in (line.split("\t") for line in servers.db.sql(
        "SELECT state, COUNT(*) FROM mailconvoy.job WHERE dry_run = %d GROUP BY state" % dry_run).splitlines())}


def all_end(dry_run, count):
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        now = states(dry_run)
        if sum(now.values()) == count and not now.keys() & {"queued", "running"}:
            return now
        time.sleep(0.2)
    raise AssertionError("after 600 s: %s" % now)


def mails(count):
    """That many have come, in their order, and no more."""
    deadline = time.monotonic() + 60
    while True:
        names = sorted(glob.glob(os.path.join(servers.env["SMTP_DIR"], "*.eml")))
        waiting = servers.db.sql("SELECT COUNT(*) FROM mailconvoy.notification WHERE state IN ('waiting', 'sending')")
        if len(names) >= count and waiting.strip() == "0":
            break
        assert time.monotonic() < deadline, "%d mails, %s waiting" % (len(names), waiting)
        time.sleep(0.1)
    same(len(names), count)
    found = []
    for name in names:
        with open(name, "rb") as f:
            found.append(email.message_from_bytes(f.read(), policy=email.policy.default))
    return found


def texts(mail):
    return [part.get_content().replace("\r\n", "\n") for part in mail.iter_parts()]


def test_the_preview_names_each_bad_row_and_no_password():
    env = servers.env
    servers.run_ctl("slots", "4")
    c = imapbox.connect(servers.source, "user3")
    imapbox.append(c, "INBOX", imapbox.message(1))
    c.logout()
    panel.sign_in(env["ADMIN_EMAIL"], env["ADMIN_PASSWORD"])
    panel.add_server("Old", env["SRC_HOST"], env["SRC_PORT"])
    panel.add_server("New", env["DST_HOST"], env["DST_PORT"])
    made["import"] = panel.import_file(file_text())
    found = {p["line"]: p["reason"] for p in made["import"]["problems"]}
    same(sorted(found), sorted(BAD))
    for line, reason in BAD.items():
        has(found[line], reason)
    same((made["import"]["good"], made["import"]["bad"]), (195, 5))
    lacks(panel.page("/migration/import/%d" % made["import"]["id"]), env["MAIL_PASSWORD"])
    lacks(panel.raw("GET", "/migration/import/%d/bad.csv" % made["import"]["id"])[2].decode(), env["MAIL_PASSWORD"])


def test_the_good_rows_run_dry_in_the_order_of_the_file():
    # the list is what one sees after signing in; since then it was left
    servers.db.sql("UPDATE mailconvoy.user SET jobs_seen_at = jobs_seen_at - INTERVAL 61 SECOND")
    answer = panel.form("/migration/import/%d/confirm" % made["import"]["id"],
                        {"tag": TAG, "dry_run": "1", "skip_bad": "1"})
    made["batch"] = answer["batch"]["id"]
    same(all_end(1, 195), {"done": 194, "failed": 1})
    started = servers.db.sql("SELECT name FROM mailconvoy.job ORDER BY started_at").splitlines()
    lines = [int(name.split()[1]) for name in started]
    # four at once: neighbours may overtake one another, no more
    assert all(abs(at - line) <= 4 for at, line in zip(sorted(lines), lines)), lines
    failed = servers.db.sql("SELECT name, reason FROM mailconvoy.job WHERE state = 'failed'").split()
    same(failed[:3], ["row", str(WRONG_PASSWORD), "auth_source"])
    has(panel.page("/migration/batches/%d" % made["batch"]), TAG)
    mail, = mails(1)
    same(mail["Subject"], "1 failed: batch " + TAG)
    for text in texts(mail):
        has(text, "The dry runs of batch %s are over: 195 mailboxes, 1 failed or were interrupted." % TAG)
        has(text, "The source server refused the password. 1 time. Correct the source")
        has(text, "%s/migration/batches/%d" % (servers.env["URL"], made["batch"]))


def test_all_good_ones_run_for_real_at_one_request():
    page = panel.form("/migration/jobs/bulk", {"action": "run_real", "scope": "matching", "batch": made["batch"],
                                               "state": "done"})
    panel.form("/migration/bulk/%d" % page["bulk"]["id"], {})
    same(all_end(0, 194), {"done": 194})
    same(servers.db.sql("SELECT COUNT(DISTINCT batch_id), COUNT(*) FROM mailconvoy.job").split(), ["1", "389"])
    # the one message of user3 is in every mailbox it was to go to
    c = imapbox.connect(servers.destination, "user1")
    same(int(c.select("INBOX")[1][0]), 1)
    c.logout()
    has(servers.run_ctl("check"), "agree")


def test_one_mail_sums_up_what_became_of_all_of_them():
    _, mail = mails(2)
    copied, to_verify, verified = servers.db.sql(
        "SELECT SUM(messages_copied), SUM(verify_messages), SUM(verified_messages) FROM mailconvoy.job WHERE dry_run = 0").split()
    assert int(copied) > 0 and verified == to_verify, (copied, to_verify, verified)
    # the one whose password is wrong was run dry only, and is the last word about its mailbox
    same((mail["Subject"], mail["X-Envelope-To"]), ("1 failed: batch " + TAG, servers.env["ADMIN_EMAIL"]))
    text, html = texts(mail)
    for part in ("The real runs of batch %s are over: 195 mailboxes" % TAG, "Messages copied: " + copied, "Done: 194", "Failed: 1",
                 "Messages verified on the destination: %s of %s" % (verified, to_verify)):
        has(text, part)
    has(html, "%s of %s" % (verified, to_verify))
    lacks(text + html, servers.env["MAIL_PASSWORD"])


def test_the_report_of_the_batch_counts_every_mailbox():
    text = panel.raw("GET", "/migration/batches/%d/report.csv" % made["batch"])[2].decode()
    same(len(re.findall(r"row \d+", text)) >= 195, True, text[:500])
    lacks(text, servers.env["MAIL_PASSWORD"])
    rows = list(csv.DictReader(io.StringIO(text)))
    same({(r["verification"], r["to_verify"] == r["verified"]) for r in rows if r["kind"] == "real"}, {("verified", True)})
    same({r["verification"] for r in rows if r["kind"] == "dry"}, {""})


def test_a_mail_about_one_job_opens_its_log_without_signing_in():
    env = servers.env
    old, new = server("Old"), server("New")
    panel.add_job(old, "user1", env["MAIL_PASSWORD"], new, "user20", env["MAIL_PASSWORD"], dry_run=False)
    mail = mails(3)[-1]
    has(mail["Subject"], "Done: ")
    text, html = texts(mail)
    has(text, "verified on the destination.")
    link = re.search(r"^Its log, for whoever has this mail, until \d{4}-\d\d-\d\d: (\S+)$", text, re.M).group(1)
    has(html, 'href="%s"' % link)
    opened = Panel(env["URL"]).raw("GET", link[len(env["URL"]):])
    same(opened[0], 200)
    has(opened[2].decode(), "user20")
    same(Panel(env["URL"]).raw("GET", link[len(env["URL"]):-1] + ("0" if link[-1] != "0" else "1"))[0], 404)


def test_who_looks_at_the_list_of_jobs_gets_no_mail():
    env = servers.env
    job = panel.add_job(server("Old"), "user1", env["MAIL_PASSWORD"], server("New"), "user19", env["MAIL_PASSWORD"])
    panel.get("/migration/jobs")
    panel.wait(job["id"])
    mails(3)
    has(panel.page("/migration/jobs/%d" % job["id"]), "None was sent: %s was looking at the list of jobs." % env["ADMIN_EMAIL"])


if __name__ == "__main__":
    tap.run(globals())
