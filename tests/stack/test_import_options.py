"""An import's options reach the program that copies: what a file of mailboxes leaves out is on no destination."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "http"), os.path.join(os.path.dirname(HERE), "engine")]

import imapbox  # noqa: E402
import tap      # noqa: E402
from panel import Panel  # noqa: E402
from tap import has, same  # noqa: E402
import whole  # noqa: E402

USERS = ("user1", "user2")
FOLDERS = {"INBOX": 2, "Trash": 3, "Work": 1, "Work/Big": 1}
BIG_BYTES = 50000  # of the message in the last of them

servers = whole.start("import-options")
panel = Panel(servers.env["URL"])
made = {}


def fill(user):
    c = imapbox.connect(servers.source, user)
    for folder, messages in FOLDERS.items():
        if folder != "INBOX":
            imapbox.create(c, folder)
        for n in range(messages):
            imapbox.append(c, folder, imapbox.message(n, BIG_BYTES if folder == "Work/Big" else 600))
    c.logout()


def counts(user):
    """How many messages each folder of the destination has."""
    shot = imapbox.snapshot(servers.destination, user, ".")
    return {folder: sum(found.values()) for folder, found in shot.items()}


def jobs():
    return [int(job) for job in servers.db.sql("SELECT id FROM mailconvoy.job ORDER BY id").split()]


def test_a_dry_run_of_the_file_counts_what_its_options_leave():
    env = servers.env
    panel.sign_in(env["ADMIN_EMAIL"], env["ADMIN_PASSWORD"])
    panel.add_server("Old", env["SRC_HOST"], env["SRC_PORT"])
    panel.add_server("New", env["DST_HOST"], env["DST_PORT"])
    text = "sourceServerId,sourceEmail,sourcePassword,destServerId,destEmail,destPassword\n"
    for user in USERS:
        fill(user)
        text += "Old,%s,%s,New,%s,%s\n" % (user, env["MAIL_PASSWORD"], user, env["MAIL_PASSWORD"])
    model = panel.import_file(text, options={"exclude": ["Trash"], "maxsize": 10000})
    same([one["text"] for one in model["option_list"]], ["without the folders Trash", "messages up to 10 KB"])
    made["batch"] = panel.form("/migration/import/%d/confirm" % model["id"], {"tag": "No trash", "dry_run": "1"})["batch"]["id"]
    for job in jobs():
        ended = panel.wait(job)
        same((ended["job"]["state"], ended["progress"]["messages_to_copy"]), ("done", 3))


def test_run_for_real_all_at_once_they_are_left_out_and_called_missing_by_nobody():
    before = jobs()
    page = panel.form("/migration/jobs/bulk", {"action": "run_real", "scope": "matching", "batch": made["batch"], "state": "done"})
    panel.form("/migration/bulk/%d" % page["bulk"]["id"], {})
    real = [job for job in jobs() if job not in before]
    same(len(real), len(USERS))
    for job in real:
        ended = panel.wait(job)
        same((ended["job"]["state"], ended["verification"]["state"], ended["verification"]["messages"]), ("done", "verified", 3))
    for user in USERS:
        found = counts(user)
        same((found["INBOX"], found["Work"], found.get("Work/Big", 0), found.get("Trash", 0)), (2, 1, 0, 0))
    has(panel.page("/migration/batches/%d" % made["batch"]), "<li>without the folders Trash</li>")


if __name__ == "__main__":
    tap.run(globals())
