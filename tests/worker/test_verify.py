#!/usr/bin/python3
"""After a real run the worker proves it, whichever program copied: a copier's "looks good" is not believed."""

import atexit
import os
import re
import shutil
import sys
import tempfile
import threading

import harness
from harness import PASSWORD_DESTINATION, PASSWORD_SOURCE, Skip, wait_for

sys.path.append(os.path.join(harness.SRC, "tests", "engine"))
import dovecot  # noqa: E402
import imapbox as box  # noqa: E402
from proxy import Proxy  # noqa: E402

ENGINE = os.path.join(harness.BUILD, "engine", "mailconvoy-sync")
MISCOPIER = os.path.join(harness.SRC, "tests", "engine", "miscopier.py")
FIGURES = "verify_state, verify_messages, verified_messages, verify_missing, verify_altered, verify_doubled"


class Mailboxes:
    """A pair of servers; both sides of a job have the same user name."""

    def __init__(self, world):
        self.users = 0
        names = ["user%d" % n for n in range(1, 200)]
        root = tempfile.mkdtemp(prefix="mcv-worker-mail-")
        atexit.register(shutil.rmtree, root, ignore_errors=True)
        authority = dovecot.Authority(os.path.join(root, "ca"))
        self.source = dovecot.Dovecot(os.path.join(root, "source"), authority,
                                      {n: PASSWORD_SOURCE for n in names}, separator=".").start()
        atexit.register(self.source.stop)
        self.destination = dovecot.Dovecot(os.path.join(root, "destination"), authority,
                                           {n: PASSWORD_DESTINATION for n in names}).start()
        atexit.register(self.destination.stop)

    def fill(self, count=12, body=2000):
        self.users += 1
        user = "user%d" % self.users
        c = box.connect(self.source, user)
        box.create(c, "Archive")
        for n in range(count):
            box.append(c, ("INBOX", "Archive")[n % 2], box.message(n, body))
        c.logout()
        return user


def world_with_mailboxes():
    why = dovecot.missing()
    if why:
        raise Skip(why)
    harness.need(ENGINE)
    world = harness.World(engine_program=ENGINE, verify="size", kill_grace_s=2)
    world.mail = Mailboxes(world)
    return world


def copier(world, mistake):
    path = os.path.join(world.root, "bin", "miscopier-%s.py" % mistake)
    shutil.copy(MISCOPIER, path)
    os.chmod(path, 0o755)
    return path


def add(world, user, source_port=None, port=None, parent=None, **more):
    job = world.add_jobs(user, destination=user,
                         source=("127.0.0.1", source_port or world.mail.source.port, "none", 0),
                         target=("127.0.0.1", port or world.mail.destination.port, "none", 0), **more)[0]
    if parent:
        world.db.sql("UPDATE job SET parent_id = %d WHERE id = %d" % (parent, job))
    return job


def run(world, user, program, parent=None, settings=None, **more):
    """A job from its start to its end; its id."""
    job = add(world, user, parent=parent, **more)
    worker = world.worker(sync_program=program, **(settings or {}))
    world.wait_state(job, "done", "failed", "cancelled", "interrupted", seconds=180)
    world.stop(worker)
    world.check_invariants()
    return job


def expect(world, job, what, columns):
    found = world.job(job, columns)
    assert found == what, "%s is %s, not %s\n%s" % (columns, found, what, world.whole_log(job).decode()[-3000:])


def a_good_copy_is_done_and_says_how_many_were_verified(world):
    for program in (copier(world, "none"), ENGINE):
        job = run(world, world.mail.fill(), program)
        expect(world, job, ("done", "ok"), "state, reason")
        expect(world, job, ("verified", "12", "12", "0", "0", "0"), FIGURES)
        log = world.whole_log(job).decode()
        assert log.index("++++ Statistics") < log.index("++++ Verifying 2 folders"), "one log, in order"
        assert PASSWORD_SOURCE not in log and PASSWORD_DESTINATION not in log


def what_a_copier_left_behind_fails_the_job_and_the_rerun_mends_it(world):
    user = world.mail.fill()
    job = run(world, user, copier(world, "leave"))
    expect(world, job, ("failed", "verify_missing", "rerun"), "state, reason, reason_action")
    expect(world, job, ("faults", "12", "10", "2", "0", "0"), FIGURES)
    rows = world.job(job, "verify_rows")[0]
    assert "missing\tINBOX/1 on the source" in world.db.sql(
        "SELECT GROUP_CONCAT(verify_rows) FROM job WHERE id = %d" % job), rows
    rerun = run(world, user, copier(world, "leave"), parent=job)
    expect(world, rerun, ("done", "ok", "mailconvoy-sync"), "state, reason, program")
    expect(world, rerun, ("verified", "12", "12", "0", "0", "0"), FIGURES)


def what_was_doubled_cut_or_altered_fails_the_job(world):
    for mistake, how, reason, action, figures in (
            ("double", "size", "verify_doubled", "view_log", ("faults", "12", "12", "0", "0", "2")),
            ("cut", "size", "verify_altered", "rerun", ("faults", "12", "10", "0", "2", "0")),
            ("alter", "content", "verify_altered", "rerun", ("faults", "12", "10", "0", "2", "0"))):
        job = run(world, world.mail.fill(), copier(world, mistake), settings={"verify": how})
        expect(world, job, ("failed", reason, action, how), "state, reason, reason_action, verify_mode")
        expect(world, job, figures, FIGURES)


def a_dry_run_and_verify_off_are_not_verified(world):
    job = run(world, world.mail.fill(), ENGINE, dry_run=1)
    expect(world, job, ("done", "ok_dry", "NULL"), "state, reason, verify_state")
    job = run(world, world.mail.fill(), copier(world, "leave"), settings={"verify": "off"})
    expect(world, job, ("done", "ok", "NULL"), "state, reason, verify_state")


def a_login_refused_to_the_verification_is_copied_not_verified(world):
    def refuse(number, data):
        if number == 1 or b"Logged in" not in data:
            return data
        return data.replace(b" OK [CAPABILITY", b" NO [AUTHENTICATIONFAILED")

    with Proxy(world.mail.destination.port, from_server=refuse) as proxy:
        job = run(world, world.mail.fill(), copier(world, "none"), port=proxy.port)
    expect(world, job, ("done", "ok_unverified", "unverified"), "state, reason, verify_state")
    expect(world, job, ("The destination server refused the password.",), "verify_note")


def a_connection_lost_to_the_verification_is_copied_not_verified(world):
    with Proxy(world.mail.destination.port,
               from_client=lambda number, data: None if number > 1 and b"EXAMINE" in data else data) as proxy:
        job = run(world, world.mail.fill(), copier(world, "none"), port=proxy.port)
    expect(world, job, ("done", "ok_unverified", "unverified"), "state, reason, verify_state")
    assert world.job(job, "verify_note")[0] not in ("", "NULL")


def without_the_engine_it_is_copied_not_verified(world):
    job = run(world, world.mail.fill(), copier(world, "none"), settings={"engine_program": "/nonexistent"})
    expect(world, job, ("done", "ok_unverified", "unverified"), "state, reason, verify_state")


class Stalled:
    """A verification that waits for its destination, whose copy is done."""

    def __init__(self, world, **settings):
        self.world = world
        self.reached = threading.Event()
        self.go = threading.Event()
        self.proxy = Proxy(world.mail.destination.port, from_client=self.rule)
        self.job = add(world, world.mail.fill(), port=self.proxy.port)
        self.worker = world.worker(sync_program=copier(world, "none"), **settings)

    def rule(self, number, data):
        if number > 1 and b"EXAMINE" in data:
            self.reached.set()
            self.go.wait(240)
        return data

    def __enter__(self):
        assert self.reached.wait(120), "no verification began"
        wait_for("the row says so", lambda: self.world.job(self.job, "state, verify_state") == ("running", "running"))
        return self

    def __exit__(self, *what):
        self.go.set()
        self.proxy.close()


def a_cancel_ends_the_verification(world):
    with Stalled(world) as s:
        world.db.sql("UPDATE job SET cancel_requested_at = UTC_TIMESTAMP(6) WHERE id = %d" % s.job)
        world.wait_state(s.job, "cancelled")
        expect(world, s.job, ("cancelled", "unverified"), "reason, verify_state")
        assert not world.survivors(), world.survivors()
    world.check_invariants()


def the_verification_keeps_slot_and_lease_and_its_passwords_are_wiped_after_use(world):
    with Stalled(world, lease_s=4, renew_s=1, fence_s=2, kill_grace_s=1) as s:
        pids = [pid for pid, words in world.survivors() if b"mailconvoy-sync" in words]
        assert pids, world.survivors()
        with open("/proc/%d/cmdline" % pids[0], "rb") as f:
            words = f.read()
        assert PASSWORD_SOURCE.encode() not in words and b"--verify=size" in words
        try:
            wait_for("the passfiles are empty", lambda: all(
                os.stat("/proc/%d/fd/%d" % (pids[0], fd)).st_size == 0 for fd in (3, 4)))
        except PermissionError:
            pass  # an ordinary user's tests cannot look into a process that is not dumpable
        first = world.job(s.job, "lease_until")
        wait_for("the lease is renewed", lambda: world.job(s.job, "lease_until") != first)
        world.check_invariants()
        s.go.set()
        world.wait_state(s.job, "done")
    expect(world, s.job, ("ok", "verified"), "reason, verify_state")


def a_worker_that_dies_leaves_no_verification_under_way(world):
    with Stalled(world) as s:
        s.worker.kill()
        s.worker.wait()
        wait_for(world.survivors, lambda: not world.survivors())
        world.worker(sync_program=copier(world, "none"))
        world.wait_state(s.job, "interrupted")
        expect(world, s.job, ("worker_died", "unverified"), "reason, verify_state")
    world.check_invariants()


def imapsync_is_verified_too(world):
    path = shutil.which("imapsync")
    if path is None:
        raise Skip("no imapsync on PATH")
    user = world.mail.fill()
    c = box.connect(world.mail.source, user)
    box.append(c, "INBOX", b"Subject: nothing to know it by\r\n\r\nbody\r\n")
    c.logout()
    job = run(world, user, path)
    expect(world, job, ("done", "ok", "imapsync"), "state, reason, program")
    expect(world, job, ("verified", "13", "13", "0", "0", "0"), FIGURES)


def imapsync_that_put_two_folders_into_one_is_followed_there(world):
    """Its --automap knows several names of the folder for sent mail, and puts all of them into the one there is."""
    path = shutil.which("imapsync")
    if path is None:
        raise Skip("no imapsync on PATH")
    user = world.mail.fill()
    c = box.connect(world.mail.source, user)
    for n, folder in enumerate(("Sent", "Sent Messages", "Gesendet")):
        box.create(c, folder)
        box.append(c, folder, box.message(100 + n))
    c.logout()
    d = box.connect(world.mail.destination, user)
    box.create(d, "Sent Items")
    d.logout()
    job = run(world, user, path)
    log = world.whole_log(job).decode()
    moved = [line for line in log.splitlines() if line.startswith("Folder ") and "-> [Sent Items]" in line]
    expect(world, job, ("done", "ok"), "state, reason")
    expect(world, job, ("verified", "15", "15", "0", "0", "0"), FIGURES)
    assert moved, log


def imapsync_that_stored_a_part_of_a_message_is_caught(world):
    path = shutil.which("imapsync")
    if path is None:
        raise Skip("no imapsync on PATH")
    cut = {"left": 1}

    def rule(number, data):
        if cut.get("connection") == number:
            return None
        if cut["left"] and re.search(rb"BODY\[\] \{\d{6}\}", data):
            cut["left"] = 0
            cut["connection"] = number
        return data

    user = world.mail.fill(count=8, body=400000)
    with Proxy(world.mail.source.port, from_server=rule) as proxy:
        job = run(world, user, path, source_port=proxy.port)
    whole = sum(sum(f.values()) for f in box.snapshot(world.mail.source, user, ".").values())
    good = {h for f in box.snapshot(world.mail.source, user, ".").values() for (h, _, _, _) in f}
    there = [h for f in box.snapshot(world.mail.destination, user).values() for (h, _, _, _) in f.elements()]
    if sorted(there) == sorted(good) and len(there) == whole:
        raise Skip("imapsync made no mistake this time")
    state, reason = world.job(job)
    assert state == "failed" and reason.startswith("verify_"), (state, reason)


if __name__ == "__main__":
    harness.run(world_with_mailboxes, [
        a_good_copy_is_done_and_says_how_many_were_verified,
        what_a_copier_left_behind_fails_the_job_and_the_rerun_mends_it,
        what_was_doubled_cut_or_altered_fails_the_job,
        a_dry_run_and_verify_off_are_not_verified,
        a_login_refused_to_the_verification_is_copied_not_verified,
        a_connection_lost_to_the_verification_is_copied_not_verified,
        without_the_engine_it_is_copied_not_verified,
        a_cancel_ends_the_verification,
        the_verification_keeps_slot_and_lease_and_its_passwords_are_wiped_after_use,
        a_worker_that_dies_leaves_no_verification_under_way,
        imapsync_is_verified_too,
        imapsync_that_put_two_folders_into_one_is_followed_there,
        imapsync_that_stored_a_part_of_a_message_is_caught,
    ])
