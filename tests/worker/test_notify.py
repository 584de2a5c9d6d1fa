"""Notifications: the real notifier against real SMTP servers, well-behaved and not."""

import atexit
import email
import email.policy
import glob
import os
import signal
import socket
import subprocess
import sys

import harness
from harness import SRC, WORKER, World, run, wait_for

sys.path.append(os.path.join(SRC, "tests", "engine"))

from ports import free_port  # noqa: E402

PYTHON = "/usr/bin/python3"
CATCHER = os.path.join(SRC, "tests", "stack", "smtp_catcher.py")
PASSWORD = "relay-Passw0rd-%canary%"


class Relay:
    """A catcher on a port of its own, which stays its when it is started again."""

    def __init__(self, world, *options):
        self.port = free_port()
        self.dir = os.path.join(world.root, "smtp-%d" % self.port)
        self.options = options
        os.makedirs(self.dir)
        self.process = None
        self.start()

    def start(self):
        with open(self.dir + "/log", "ab") as log:
            self.process = subprocess.Popen([PYTHON, CATCHER, str(self.port), self.dir, *self.options], stderr=log)
        atexit.register(self.stop)
        wait_for("the SMTP server listens", self.listens)

    def listens(self):
        if self.process.poll() is not None:
            raise AssertionError("the SMTP server ended")
        with open("/proc/net/tcp", encoding="ascii") as f:
            return any(" 0100007F:%04X 00000000:0000 0A " % self.port in line for line in f)

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def mode(self, word):
        with open(os.path.join(self.dir, "mode"), "w", encoding="ascii") as f:
            f.write(word)

    def mails(self):
        found = []
        for name in sorted(glob.glob(os.path.join(self.dir, "*.eml"))):
            with open(name, "rb") as f:
                found.append(email.message_from_bytes(f.read(), policy=email.policy.default))
        return found

    def wait_mails(self, count):
        wait_for(lambda: "%d mails; there are %d" % (count, len(self.mails())), lambda: len(self.mails()) >= count)
        assert len(self.mails()) == count, len(self.mails())
        return self.mails()

    def connections(self):
        try:
            return os.path.getsize(os.path.join(self.dir, "connections"))
        except FileNotFoundError:
            return 0


def make_world():
    if subprocess.run([PYTHON, "-c", "import aiosmtpd"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        raise harness.Skip("aiosmtpd is not here (python3-aiosmtpd)")
    harness.need("openssl")
    world = World(template_path=os.path.join(SRC, "templates"), mail_from="panel@example.org",
                  base_url="https://panel.example.org", smtp_host="127.0.0.1", smtp_security="none",
                  notify_suppress_s=60)
    for name, subject in (("good", "localhost"), ("other", "elsewhere.example.org")):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=" + subject,
                        "-addext", "subjectAltName=DNS:" + subject, "-keyout", world.root + "/" + name + ".key",
                        "-out", world.root + "/" + name + ".crt"], check=True, stderr=subprocess.DEVNULL)
    with open(world.root + "/relay.password", "w", encoding="ascii") as f:
        os.fchmod(f.fileno(), 0o400)
        f.write(PASSWORD + "\n")
    return world


def files(world, name):
    return world.root + "/" + name + ".crt", world.root + "/" + name + ".key"


def clean(world):
    world.db.sql("DELETE FROM notification; DELETE FROM log_link; DELETE FROM job; DELETE FROM batch; UPDATE user SET jobs_seen_at = NULL, "
                 "mail_on_done = 1, mail_on_failed = 1")


def row(world):
    found = world.db.sql("SELECT state, attempts, COALESCE(last_error, '') FROM notification ORDER BY id DESC LIMIT 1")
    return found.split("\t") if found else ["", "", ""]


def wait_row(world, state, attempts):
    """Its last error, of the one look that found it so: from one to the next it may be on its way again."""
    seen = ["", "", ""]

    def is_there():
        seen[:] = row(world)
        return seen[0] == state and int(seen[1]) >= attempts

    wait_for(lambda: "%s after %d attempts; is %s" % (state, attempts, seen), is_there, 60)
    return seen[2]


def due(world):
    world.db.sql("UPDATE notification SET next_at = UTC_TIMESTAMP(6) WHERE state = 'waiting'")


def bodies(mail):
    return [part.get_content().replace("\r\n", "\n") for part in mail.iter_parts()]


def mail_test(world, address="owner@example.org", **settings):
    done = subprocess.run([WORKER, "--mail-test", "-c", world.conf(**settings), address], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, timeout=60)
    return done.returncode, done.stdout.decode(errors="replace")


def notifier_of(worker):
    found = subprocess.run(["pgrep", "-P", str(worker.pid), "-f", "--", "--notifier"], stdout=subprocess.PIPE, check=False)
    return [int(pid) for pid in found.stdout.split()]


def an_ended_job_is_mailed_to_its_owner(world):
    clean(world)
    relay = Relay(world)
    world.worker(smtp_port=relay.port)
    job, = world.add_jobs("ok")
    world.wait_state(job, "done")
    mail, = relay.wait_mails(1)
    assert mail["X-Envelope-To"] == "owner@example.org" and mail["X-Envelope-From"] == "panel@example.org"
    assert not mail.defects and mail["Auto-Submitted"] == "auto-generated" and mail["Date"] and mail["Message-ID"]
    assert [p.get_content_type() for p in mail.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    for body in bodies(mail):
        assert "https://panel.example.org/migration/jobs/%d" % job in body, body
        assert "https://panel.example.org/migration/jobs/%d/log" % job in body, body
    assert mail["Subject"].startswith("Done: "), mail["Subject"]
    wait_row(world, "sent", 1)
    assert world.db.sql("SELECT COUNT(*) FROM job_event WHERE kind = 'mail_sent' AND job_id = %d" % job) == "1"


def an_accounts_notification_address_gets_them_instead(world):
    clean(world)
    relay = Relay(world)
    world.worker(smtp_port=relay.port)
    world.db.sql("UPDATE account SET notify_email = 'ops@example.org'; UPDATE user SET email = 'bob@panel.invalid' WHERE id = 1")
    try:
        job, = world.add_jobs("ok")
        world.wait_state(job, "done")
        wait_row(world, "sent", 1)
    finally:
        world.db.sql("UPDATE account SET notify_email = NULL; UPDATE user SET email = 'owner@example.org' WHERE id = 1")
    mail, = relay.wait_mails(1)
    assert (mail["X-Envelope-To"], mail["To"]) == ("ops@example.org", "ops@example.org"), mail.items()
    assert world.db.sql("SELECT last_to FROM notification") == "ops@example.org"


def eight_bit_names_and_hostile_ones_arrive_as_text(world):
    clean(world)
    relay = Relay(world)
    worker = world.worker(smtp_port=relay.port, poll_ms=60000)
    names = ("Größe → 名前 😀", "<b>x</b> & {{y}} =?utf-8?q?z?=", "." )
    wait_for("the worker is ready", lambda: "is ready" in world.log_of(worker))
    jobs = world.add_jobs(*("ok" for _ in names))
    for job, name in zip(jobs, names):
        world.db.sql("SET NAMES utf8mb4; UPDATE job SET name = '%s', state = 'cancelled', finished_at = UTC_TIMESTAMP(6) WHERE id = %d" % (name, job))
        world.db.sql("SET NAMES utf8mb4; UPDATE job SET state = 'failed', reason = 'x', reason_text = '%s' WHERE id = %d" % (name, job))
        world.db.sql("INSERT INTO notification (account_id, user_id, job_id, kind, dedupe_key, next_at, created_at) VALUES "
                     "(1, 1, %d, 'job', 'job:%d', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))" % (job, job))
    world.stop(worker)
    world.worker(smtp_port=relay.port)
    mails = relay.wait_mails(len(names))
    assert sorted(m["Subject"] for m in mails) == sorted("Failed: " + n for n in names), [m["Subject"] for m in mails]
    for mail in mails:
        name = mail["Subject"][len("Failed: "):]
        text, html = bodies(mail)
        assert text.startswith(name + "\n"), text
        assert "<b>x</b>" not in html and (name[0] != "<" or "&lt;b&gt;x&lt;/b&gt; &amp; {{y}}" in html), html


def a_viewer_of_the_list_and_a_cancelled_job_get_none(world):
    clean(world)
    relay = Relay(world)
    world.worker(smtp_port=relay.port)
    world.db.sql("UPDATE user SET jobs_seen_at = UTC_TIMESTAMP(6)")
    job, = world.add_jobs("ok")
    world.wait_state(job, "done")
    assert row(world)[0] == "suppressed", row(world)
    world.db.sql("UPDATE user SET jobs_seen_at = UTC_TIMESTAMP(6) - INTERVAL 61 SECOND")
    second, = world.add_jobs("ok")
    world.wait_state(second, "done")
    mail, = relay.wait_mails(1)
    assert "/jobs/%d" % second in bodies(mail)[0]


def a_batch_sends_one_summary(world):
    clean(world)
    relay = Relay(world)
    world.db.sql("INSERT INTO batch (id, account_id, tag, created_by, created_at) VALUES (7, 1, 'Move 7', 1, UTC_TIMESTAMP(6))")
    world.add_jobs(*["ok"] * 6)
    world.db.sql("UPDATE job SET batch_id = 7")
    workers = [world.worker(smtp_port=relay.port) for _ in range(2)]
    world.wait_ended([])
    mail, = relay.wait_mails(1)
    text, html = bodies(mail)
    assert mail["Subject"] == "Done: batch Move 7", mail["Subject"]
    assert "6 mailboxes" in text and "https://panel.example.org/migration/batches/7" in text and "batches/7" in html
    world.db.sql("UPDATE job SET state = 'queued', finished_at = NULL LIMIT 1")
    world.wait_ended([])
    relay.wait_mails(2)
    for w in workers:
        world.stop(w)
    assert world.db.sql("SELECT COUNT(*) FROM notification") == "2"


def a_summary_names_what_failed_and_what_to_do(world):
    clean(world)
    relay = Relay(world)
    world.db.sql("INSERT INTO batch (id, account_id, tag, created_by, created_at) VALUES (8, 1, 'Move 8', 1, UTC_TIMESTAMP(6))")
    world.add_jobs("ok", "exit-16", "exit-16")
    world.db.sql("UPDATE job SET batch_id = 8")
    world.worker(smtp_port=relay.port)
    world.wait_ended([])
    mail, = relay.wait_mails(1)
    reason = world.db.sql("SELECT DISTINCT reason_text FROM job WHERE state = 'failed'")
    assert mail["Subject"] == "2 failed: batch Move 8", mail["Subject"]
    for body in bodies(mail):
        assert reason in body.replace("&#39;", "'") and "2 times" in body and "3 mailboxes" in body, (reason, body)


def mails_tell_what_was_verified(world):
    clean(world)
    relay = Relay(world)
    job, odd = world.add_jobs("ok", "ok")
    world.db.sql("INSERT INTO batch (id, account_id, tag, created_by, created_at) VALUES (9, 1, 'Move 9', 1, UTC_TIMESTAMP(6))")
    world.db.sql("UPDATE job SET batch_id = 9, state = 'failed', finished_at = UTC_TIMESTAMP(6), reason = 'verify_missing', "
                 "reason_text = 'Some are missing.', verify_state = 'faults', verify_messages = 2000, verified_messages = "
                 "1997, verify_missing = 2, verify_altered = 1, verify_doubled = 0")
    world.db.sql("UPDATE job SET state = 'done', verify_state = 'unverified', verify_note = 'the source refused <LOGIN>', "
                 "verify_messages = NULL, verified_messages = NULL, verify_missing = NULL, verify_altered = NULL WHERE id = %d" % odd)
    for key, column, value in (("a", "job_id", job), ("b", "job_id", odd), ("c", "batch_id", 9)):
        world.db.sql("INSERT INTO notification (account_id, user_id, %s, kind, dedupe_key, next_at, created_at) VALUES "
                     "(1, 1, %d, 'job', '%s', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))" % (column, value, key))
    world.worker(smtp_port=relay.port)
    faulty, unverified, batch = [bodies(m) for m in relay.wait_mails(3)]
    for body in faulty:
        assert "1,997 of 2,000 messages verified on the destination: 2 missing, 1 altered." in body, body
    assert "Not verified: the source refused <LOGIN>\n" in unverified[0], unverified[0]
    assert "Not verified: the source refused &lt;LOGIN&gt;<" in unverified[1], unverified[1]
    for words in ("Messages verified on the destination: 1,997 of 2,000", "Messages missing there: 2",
                  "Messages altered there: 1", "Mailboxes not verified: 1"):
        assert words in batch[0], batch[0]
    assert "doubled" not in batch[0] and "1,997 of 2,000" in batch[1], batch


def a_mail_may_carry_a_link_that_opens_the_log(world):
    clean(world)
    relay = Relay(world)
    worker = world.worker(smtp_port=relay.port)
    job, = world.add_jobs("ok")
    world.wait_state(job, "done")
    for body in bodies(relay.wait_mails(1)[0]):
        assert "whoever has this mail" not in body and "/migration/jobs/%d/log" % job in body, body
    assert world.db.sql("SELECT COUNT(*) FROM log_link") == "0"
    world.stop(worker)
    world.worker(smtp_port=relay.port, mail_log_links="true")
    # sent twice, it is the same link
    for _ in range(2):
        before = int(row(world)[1])
        world.db.sql("UPDATE notification SET state = 'waiting', next_at = UTC_TIMESTAMP(6)")
        wait_row(world, "sent", before + 1)
    text, again = [bodies(m)[0] for m in relay.wait_mails(3)[1:]]
    link, end = world.db.sql("SELECT id, DATE(expires_at) FROM log_link WHERE job_id = %d AND created_by IS NULL" % job).split()
    assert "until %s: https://panel.example.org/log/%s-" % (end, link) in text and text == again, text
    assert world.db.sql("SELECT DATEDIFF(expires_at, created_at) FROM log_link") == "7"


def more_mails_than_an_account_may_get_wait_for_the_hour_to_end(world):
    clean(world)
    relay = Relay(world)
    world.worker(smtp_port=relay.port, notify_hourly_max=3)
    jobs = world.add_jobs(*["ok"] * 5)
    assert all(state == "done" for state, _ in world.wait_ended(jobs))
    wait_for("two are put off", lambda: world.db.sql(
        "SELECT COUNT(*) FROM notification WHERE state = 'waiting' AND next_at > UTC_TIMESTAMP(6) + INTERVAL 50 MINUTE") == "2")
    relay.wait_mails(3)
    world.db.sql("UPDATE notification SET sent_at = sent_at - INTERVAL 1 HOUR, next_at = next_at - INTERVAL 1 HOUR")
    relay.wait_mails(5)


def a_relay_that_is_down_gets_the_mail_when_it_is_back(world):
    clean(world)
    relay = Relay(world)
    relay.stop()
    world.worker(smtp_port=relay.port)
    job, = world.add_jobs("ok")
    why = wait_row(world, "waiting", 1)
    assert "refused the connection" in why, why
    left = int(world.db.sql("SELECT TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), next_at) FROM notification"))
    assert 30 < left <= 60, left
    due(world)
    wait_row(world, "waiting", 2)
    left = int(world.db.sql("SELECT TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), next_at) FROM notification"))
    assert 90 < left <= 120, left
    relay.start()
    due(world)
    relay.wait_mails(1)
    wait_row(world, "sent", 3)
    assert world.job(job)[0] == "done"


def a_refusal_for_good_is_recorded_on_the_job(world):
    clean(world)
    relay = Relay(world)
    worker = world.worker(smtp_port=relay.port)
    for mode, words in (("refuse", "550"), ("refuse-data", "554")):
        clean(world)
        relay.mode(mode)
        job, = world.add_jobs("ok")
        why = wait_row(world, "failed", 1)
        assert words in why and "\x1b" not in why, why
        assert words in world.db.sql("SELECT detail FROM job_event WHERE kind = 'mail_failed' AND job_id = %d" % job)
    clean(world)
    relay.mode("later")
    world.add_jobs("ok")
    why = wait_row(world, "waiting", 1)
    assert "451" in why, why
    world.db.sql("UPDATE notification SET created_at = UTC_TIMESTAMP(6) - INTERVAL 24 HOUR, attempts = 12, "
                 "next_at = UTC_TIMESTAMP(6)")
    assert "451" in wait_row(world, "failed", 13)
    assert relay.mails() == [] and "\x1b" not in world.log_of(worker)


def a_silent_relay_delays_no_job(world):
    clean(world)
    relay = Relay(world, "--misbehave", "hang")
    worker = world.worker(smtp_port=relay.port)
    world.add_jobs("ok")
    wait_for("the notifier waits for the relay", lambda: relay.connections() > 0)
    jobs = world.add_jobs(*["ok"] * 5)
    assert all(state == "done" for state, _ in world.wait_ended(jobs))
    assert world.db.sql("SELECT COUNT(*) FROM notification WHERE state IN ('waiting', 'sending')") == "6"
    took = world.stop(worker)
    assert took < 10, took


def a_notifier_that_dies_is_started_again_and_its_mail_sent_again(world):
    clean(world)
    relay = Relay(world)
    worker = world.worker(smtp_port=relay.port, env={"MAILCONVOY_CRASH_AT": "after_send"})
    world.add_jobs("ok")
    relay.wait_mails(1)
    wait_for("it is started again", lambda: "started again" in world.log_of(worker))
    assert row(world)[0] == "sending", row(world)
    world.stop(worker)
    world.db.sql("UPDATE notification SET next_at = UTC_TIMESTAMP(6)")
    second = world.worker(smtp_port=relay.port)
    first, again = relay.wait_mails(2)
    assert first["Message-ID"] == again["Message-ID"] and first["Date"] == again["Date"]
    wait_row(world, "sent", 2)
    old, = wait_for("the notifier runs", lambda: notifier_of(second))
    os.kill(old, signal.SIGKILL)
    wait_for("another one runs", lambda: [p for p in notifier_of(second) if p != old])
    second.kill()
    second.wait()
    wait_for("no notifier outlives its worker", lambda: not [p for p in world.survivors() if b"--notifier" in p[1]])


def two_notifiers_send_each_mail_once(world):
    clean(world)
    relay = Relay(world)
    jobs = world.add_jobs(*["ok"] * 20)
    world.db.sql("UPDATE job SET state = 'done', finished_at = UTC_TIMESTAMP(6)")
    for job in jobs:
        world.db.sql("INSERT INTO notification (account_id, user_id, job_id, kind, dedupe_key, next_at, created_at) VALUES "
                     "(1, 1, %d, 'job', 'job:%d', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))" % (job, job))
    for _ in range(2):
        world.worker(smtp_port=relay.port)
    wait_for("all are sent", lambda: world.db.sql("SELECT COUNT(*) FROM notification WHERE state = 'sent'") == "20", 60)
    assert len({m["Message-ID"] for m in relay.wait_mails(20)}) == 20
    assert world.db.sql("SELECT MAX(attempts) FROM notification") == "1"


def without_a_relay_no_notifier_runs(world):
    clean(world)
    worker = world.worker(smtp_host="", mail_from="")
    job, = world.add_jobs("ok")
    world.wait_state(job, "done")
    assert notifier_of(worker) == [] and row(world)[0] == ""
    code, said = mail_test(world, smtp_host="")
    assert code == 1 and "Notifications are off" in said, said


def tls_and_a_password_reach_a_relay_that_is_who_it_says(world):
    for option, security in (("--tls", "tls"), ("--starttls", "starttls")):
        relay = Relay(world, option, *files(world, "good"), "--login", "panel", PASSWORD)
        settings = dict(smtp_host="localhost", smtp_port=relay.port, smtp_security=security, smtp_user="panel",
                        smtp_password_file=world.root + "/relay.password", smtp_ca_file=files(world, "good")[0])
        code, said = mail_test(world, **settings)
        assert code == 0 and "250" in said, said
        assert relay.mails()[0]["Subject"] == "A test of mailconvoy's notifications"
        code, said = mail_test(world, **{**settings, "smtp_user": "somebody"})
        assert code == 1 and PASSWORD not in said and "refused smtp_user" in said, said
        assert len(relay.mails()) == 1


def a_wrong_certificate_gets_nothing(world):
    for name, ca, words in (("other", "other", "another host name"), ("good", "other", "not trusted")):
        for option, security in (("--tls", "tls"), ("--starttls", "starttls")):
            relay = Relay(world, option, *files(world, name))
            code, said = mail_test(world, smtp_host="localhost", smtp_port=relay.port, smtp_security=security,
                                   smtp_ca_file=files(world, ca)[0])
            assert code == 1 and words in said, said
            assert relay.mails() == []


def starttls_taken_away_sends_nothing(world):
    relay = Relay(world)
    code, said = mail_test(world, smtp_host="localhost", smtp_port=relay.port, smtp_security="starttls")
    assert code == 1 and "does not offer STARTTLS" in said, said
    assert relay.mails() == []


def an_answer_smuggled_in_before_tls_is_not_believed(world):
    relay = Relay(world, "--misbehave", "inject")
    code, said = mail_test(world, smtp_host="localhost", smtp_port=relay.port, smtp_security="starttls",
                           smtp_ca_file=files(world, "good")[0])
    assert code == 1 and "tampered" in said, said


def an_address_with_a_command_in_it_is_refused(world):
    relay = Relay(world)
    for address in ("x@example.org>\r\nRCPT TO:<victim@example.org", "ü@example.org", "x"):
        code, said = mail_test(world, address, smtp_port=relay.port)
        assert code == 1 and "cannot be written in SMTP" in said, said
    assert relay.mails() == []


if __name__ == "__main__":
    run(make_world, [
        an_ended_job_is_mailed_to_its_owner, an_accounts_notification_address_gets_them_instead, eight_bit_names_and_hostile_ones_arrive_as_text,
        a_viewer_of_the_list_and_a_cancelled_job_get_none, a_batch_sends_one_summary,
        a_summary_names_what_failed_and_what_to_do, mails_tell_what_was_verified,
        a_mail_may_carry_a_link_that_opens_the_log, more_mails_than_an_account_may_get_wait_for_the_hour_to_end,
        a_relay_that_is_down_gets_the_mail_when_it_is_back, a_refusal_for_good_is_recorded_on_the_job,
        a_silent_relay_delays_no_job, a_notifier_that_dies_is_started_again_and_its_mail_sent_again,
        two_notifiers_send_each_mail_once, without_a_relay_no_notifier_runs,
        tls_and_a_password_reach_a_relay_that_is_who_it_says, a_wrong_certificate_gets_nothing,
        starttls_taken_away_sends_nothing, an_answer_smuggled_in_before_tls_is_not_believed,
        an_address_with_a_command_in_it_is_refused,
    ])
