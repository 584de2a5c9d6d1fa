#!/usr/bin/python3
"""What a dry run named and somebody confirmed is deleted on the destination; and else nothing is, whatever happened since."""

import os
import re
import shutil

import harness
from test_verify import ENGINE, box, expect, world_with_mailboxes

FIGURES = "state, reason, messages_to_delete, messages_deleted"


def mailboxes(world):
    """The source's six messages; four of them are on the destination, and two others; and a folder of its own."""
    world.mail.users += 1
    user = "user%d" % world.mail.users
    n = 1000 * world.mail.users
    c = box.connect(world.mail.source, user)
    box.create(c, "Archive")
    for i in range(6):
        box.append(c, ("INBOX", "Archive")[i % 2], box.message(n + i, 500))
    c.logout()
    c = box.connect(world.mail.destination, user)
    box.create(c, "Archive")
    box.create(c, "Mine")
    for i in range(4):
        box.append(c, ("INBOX", "Archive")[i % 2], box.message(n + i, 500))
    for folder, number in (("INBOX", n + 500), ("Archive", n + 501), ("Mine", n + 502)):
        box.append(c, folder, box.message(number, 500))
    c.logout()
    return user


def deliver(world, user, number):
    c = box.connect(world.mail.destination, user)
    box.append(c, "INBOX", box.message(1000 * world.mail.users + 600 + number, 500))
    c.logout()


def add(world, user, max_delete=None, digest="0" * 64, may=1, **columns):
    """A job with delete2: dry without a limit, real with one and what was confirmed."""
    world.db.sql("UPDATE account SET may_delete2 = %d" % may)
    job = world.add_jobs(user, destination=user, dry_run=1, source=("127.0.0.1", world.mail.source.port, "none", 0),
                         target=("127.0.0.1", world.mail.destination.port, "none", 0))[0]
    columns = dict({"delete2": 1, "dry_run": int(max_delete is None), "max_delete": max_delete or "NULL",
                    "delete2_digest": "'%s'" % digest if max_delete and digest else "NULL"}, **columns)
    world.db.sql("UPDATE job SET %s WHERE id = %d" % (", ".join("%s = %s" % c for c in columns.items()), job))
    return job


def counted(world, user):
    """The digest of what a dry run says would be deleted."""
    dry = add(world, user)
    run(world, dry)
    digest, = world.job(dry, "delete2_digest")
    assert re.fullmatch("[0-9a-f]{64}", digest), digest
    return digest


def run(world, job, **settings):
    worker = world.worker(**dict({"sync_program": ENGINE}, **settings))
    world.wait_state(job, "done", "failed", "cancelled", "interrupted", seconds=180)
    world.stop(worker)
    world.check_invariants()
    return world.whole_log(job).decode("utf-8", "replace")


def there(world, user):
    return box.snapshot(world.mail.destination, user)


def holds(found, before):
    """Whether everything of before is still there."""
    return all(found[folder][message] >= n for folder, messages in before.items() for message, n in messages.items())


def deleted(log):
    return sorted(re.findall(r"^Host2: msg (\S+) deleted on host2", log, re.M))


def wanted(world, user):
    """What the destination should hold in the end: the source's, and the folder that the source has not."""
    return dict(box.snapshot(world.mail.source, user, "."), Mine=there(world, user)["Mine"])


def what_the_dry_run_named_is_deleted_and_nothing_else(world):
    user = mailboxes(world)
    before = box.uids(world.mail.destination, user)
    dry = add(world, user)
    named = deleted(run(world, dry))
    expect(world, dry, ("done", "ok_dry", "2", "0"), FIGURES)
    assert box.uids(world.mail.destination, user) == before, "a dry run changed something"
    want = wanted(world, user)
    real = add(world, user, 2, world.job(dry, "delete2_digest")[0])
    log = run(world, real)
    expect(world, real, ("done", "ok", "NULL", "2"), FIGURES)
    expect(world, real, ("verified", "0", "0"), "verify_state, verify_missing, verify_extra")
    assert deleted(log) == named and len(named) == 2, (named, log[-3000:])
    assert there(world, user) == want, (there(world, user), want)
    detail = world.db.sql("SELECT detail FROM audit WHERE action = 'delete2_end' AND object = 'job %d'" % real)
    assert detail == "done (ok): 2 of at most 2 messages deleted of %s on 127.0.0.1:%d" \
        % (user, world.mail.destination.port), detail


def one_more_than_was_counted_and_none_is_deleted(world):
    user = mailboxes(world)
    digest = counted(world, user)
    deliver(world, user, 1)
    before = there(world, user)
    real = add(world, user, 2, digest)
    log = run(world, real)
    expect(world, real, ("failed", "delete2_kept", "NULL", "0"), FIGURES)
    expect(world, real, ("3 messages are not on host1, more than --maxdelete 2", "rerun"), "reason_detail, reason_action")
    assert deleted(log) == [], log[-3000:]
    assert holds(there(world, user), before)
    # all was copied nevertheless, and that is proven
    expect(world, real, ("verified", "0", "3"), "verify_state, verify_missing, verify_extra")


def remove(world, user, folder, number):
    c = box.connect(world.mail.destination, user)
    c.select(folder)
    c.store(str(number), "+FLAGS", "(\\Deleted)")
    c.expunge()
    c.logout()


def others_than_were_counted_are_not_deleted(world):
    """As many, but one has come in the place of one that went; and then fewer."""
    user = mailboxes(world)
    digest = counted(world, user)
    remove(world, user, "INBOX", 3)
    deliver(world, user, 1)
    for _ in range(2):
        before = there(world, user)
        real = add(world, user, 2, digest)
        log = run(world, real)
        expect(world, real, ("failed", "delete2_kept", "NULL", "0"), FIGURES)
        expect(world, real, ("what is not on host1 is not what was confirmed (--deletedigest)", digest),
               "reason_detail, delete2_digest")
        assert deleted(log) == [] and holds(there(world, user), before), log[-3000:]
        remove(world, user, "Archive", 3)
    want = wanted(world, user)
    real = add(world, user, 5, counted(world, user))
    run(world, real)
    expect(world, real, ("done", "ok", "NULL", "1"), FIGURES)
    assert there(world, user) == want


def what_nobody_confirmed_is_not_begun(world):
    """As of before there were digests."""
    user = mailboxes(world)
    before = box.uids(world.mail.destination, user)
    real = add(world, user, 2, None)
    log = run(world, real)
    expect(world, real, ("failed", "delete2_changed"), "state, reason")
    assert "Host1" not in log and box.uids(world.mail.destination, user) == before, log


def an_account_that_may_no_longer_has_nothing_touched(world):
    user = mailboxes(world)
    before = box.uids(world.mail.destination, user)
    for job in (add(world, user, max_delete=2, may=0), None):
        job = job or add(world, user, may=0)
        log = run(world, job)
        expect(world, job, ("failed", "delete2_refused", "contact_admin"), "state, reason, reason_action")
        assert "Host1" not in log, log
    assert box.uids(world.mail.destination, user) == before


def a_server_changed_since_has_nothing_touched(world):
    user = mailboxes(world)
    digest = counted(world, user)
    before = box.uids(world.mail.destination, user)
    world.db.sql("INSERT INTO server (id, account_id, name, host, port, security, verify, created_at, updated_at) VALUES "
                 "(77, 1, 'Moved', '127.0.0.1', %d, 'none', 1, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))"
                 % world.mail.destination.port)
    job = add(world, user, max_delete=2, dst_server_id=77)
    log = run(world, job)
    expect(world, job, ("failed", "delete2_changed"), "state, reason")
    assert "Host1" not in log and box.uids(world.mail.destination, user) == before, log
    world.db.sql("UPDATE server SET verify = 0 WHERE id = 77")
    job = add(world, user, 2, digest, dst_server_id=77)
    run(world, job)
    expect(world, job, ("done", "ok"), "state, reason")


def another_program_than_our_engine_never_does_it(world):
    user = mailboxes(world)
    before = box.uids(world.mail.destination, user)
    other = os.path.join(world.root, "bin", "imapsync")
    shutil.copy(world.program, other)
    for limit in (None, 2):
        job = add(world, user, max_delete=limit)
        run(world, job, sync_program=other, engine_program="/nonexistent")
        expect(world, job, ("failed", "options"), "state, reason")
        assert "it knows no limit to what it deletes" in world.job(job, "reason_detail")[0]
    assert world.ledger() == [] and box.uids(world.mail.destination, user) == before
    job = add(world, user, 2, counted(world, user))
    log = run(world, job, sync_program=other)
    assert "not by" in log and "since it knows no limit" in log and world.ledger() == [], log[:2000]
    expect(world, job, ("done", "ok", "NULL", "2"), FIGURES)


def a_job_without_it_deletes_nothing(world):
    user = mailboxes(world)
    before = there(world, user)
    job = add(world, user, delete2=0, dry_run=0)
    log = run(world, job)
    expect(world, job, ("done", "0"), "state, messages_deleted")
    assert deleted(log) == [] and "delete2" not in log
    assert holds(there(world, user), before)
    assert world.db.sql("SELECT COUNT(*) FROM audit WHERE action = 'delete2_end' AND object = 'job %d'" % job) == "0"


TESTS = [
    what_the_dry_run_named_is_deleted_and_nothing_else,
    one_more_than_was_counted_and_none_is_deleted,
    others_than_were_counted_are_not_deleted,
    what_nobody_confirmed_is_not_begun,
    an_account_that_may_no_longer_has_nothing_touched,
    a_server_changed_since_has_nothing_touched,
    another_program_than_our_engine_never_does_it,
    a_job_without_it_deletes_nothing,
]

if __name__ == "__main__":
    harness.run(world_with_mailboxes, TESTS)
