"""Mails with a link to choose a password: the real notifier makes the link, and a real SMTP server gets it."""

import re
import subprocess

from harness import run
from test_notify import Relay, bodies, clean, make_world, wait_row


def invite(world):
    """As the web asks for one; the row's id."""
    world.db.sql("DELETE FROM user_link; INSERT INTO notification (account_id, user_id, kind, dedupe_key, next_at, created_at, "
                 "created_by) VALUES (1, 1, 'invite', CONCAT('invite:1:', UUID()), UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), 1)")


def tokens_of(mail):
    found = [re.findall(r"https://panel\.example\.org/welcome/([0-9a-f]{64})\b", body) for body in bodies(mail)]
    assert len(found) == 2 and found[0] == found[1] and len(found[0]) == 1, bodies(mail)
    return found[0][0]


def kept_of(world, token):
    """Whether the database keeps the token's hash."""
    return world.db.sql("SELECT COUNT(*) FROM user_link WHERE user_id = 1 AND created_by = 1 AND id_hash = UNHEX(SHA2('%s', 256)) "
                        "AND expires_at > UTC_TIMESTAMP(6) + INTERVAL 71 HOUR" % token) == "1"


def dump_of(world):
    return subprocess.run(["mariadb-dump", "--no-defaults", "-S", world.db.socket, "--all-databases", "--skip-lock-tables",
                           "--skip-extended-insert"], stdout=subprocess.PIPE, check=True).stdout.decode(errors="replace")


def an_invitation_brings_a_link_that_only_the_mail_knows(world):
    clean(world)
    relay = Relay(world)
    worker = world.worker(smtp_port=relay.port, debug="true")
    world.db.sql("UPDATE account SET notify_email = 'everybody@example.org' WHERE id = 1")
    invite(world)
    mail, = relay.wait_mails(1)
    world.db.sql("UPDATE account SET notify_email = NULL WHERE id = 1")
    assert mail["Subject"] == "Choose your password for mailconvoy at panel.example.org", mail["Subject"]
    assert mail["X-Envelope-To"] == "owner@example.org" and not mail.defects
    token = tokens_of(mail)
    name = world.db.sql("SELECT name FROM account WHERE id = 1")
    for body in bodies(mail):
        assert "3 days" in body and name in body and "owner@example.org" in body and "ignore it" in body, body
    assert kept_of(world, token)
    wait_row(world, "sent", 1)
    dump = dump_of(world)
    assert "notification" in dump and token not in dump.lower() and token not in world.log_of(worker)


def an_invitation_that_is_tried_again_has_another_link(world):
    clean(world)
    relay = Relay(world)
    world.worker(smtp_port=relay.port, env={"MAILCONVOY_CRASH_AT": "after_send"})
    invite(world)
    first, = relay.wait_mails(1)
    assert kept_of(world, tokens_of(first))
    world.stop(world.workers[-1])
    world.db.sql("UPDATE notification SET next_at = UTC_TIMESTAMP(6)")
    world.worker(smtp_port=relay.port)
    again = relay.wait_mails(2)[1]
    assert first["Message-ID"] != again["Message-ID"] and tokens_of(first) != tokens_of(again)
    assert kept_of(world, tokens_of(again)) and not kept_of(world, tokens_of(first))


def a_relay_that_repeats_a_link_in_its_refusal_makes_it_known_to_nobody(world):
    clean(world)
    relay = Relay(world)
    worker = world.worker(smtp_port=relay.port)
    relay.mode("echo-link")
    invite(world)
    why = wait_row(world, "failed", 1)
    assert "554" in why and "/welcome/" in why and re.search("[0-9a-f]{16}", why) is None, why
    assert world.db.sql("SELECT COUNT(*) FROM user_link") == "0"
    log = world.log_of(worker)
    assert "/welcome/" in log and re.search("/welcome/[0-9a-f]", log) is None, log


def an_invitation_of_who_may_not_sign_in_is_not_sent(world):
    clean(world)
    relay = Relay(world)
    worker = world.worker(smtp_port=relay.port)
    for away, back, words in (("user SET disabled_at = UTC_TIMESTAMP(6)", "user SET disabled_at = NULL", "the user is disabled"),
                              ("account SET suspended_at = UTC_TIMESTAMP(6)", "account SET suspended_at = NULL",
                               "the account is suspended")):
        world.db.sql("UPDATE %s WHERE id = 1" % away)
        invite(world)
        assert wait_row(world, "suppressed", 1) == words
        world.db.sql("UPDATE %s WHERE id = 1" % back)
        assert words in world.log_of(worker)
    assert relay.mails() == [] and world.db.sql("SELECT COUNT(*) FROM user_link") == "0"


if __name__ == "__main__":
    run(make_world, [
        an_invitation_brings_a_link_that_only_the_mail_knows, an_invitation_that_is_tried_again_has_another_link,
        a_relay_that_repeats_a_link_in_its_refusal_makes_it_known_to_nobody,
        an_invitation_of_who_may_not_sign_in_is_not_sent,
    ])
