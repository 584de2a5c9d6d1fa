#!/usr/bin/python3
"""How a job signs in: the way that was chosen, on both sides, for the copy and for its verification."""

import atexit
import json
import os
import shutil
import sys
import tempfile

import harness
from harness import PASSWORD_DESTINATION, PASSWORD_SOURCE, Skip
from test_options import programs
from test_verify import ENGINE, FIGURES, Mailboxes, expect

sys.path.append(os.path.join(harness.SRC, "tests", "engine"))
import dovecot  # noqa: E402
import imapbox as box  # noqa: E402
import oauth  # noqa: E402

TOKEN = "token-that-nobody-may-see-" + 300 * "0123456789"  # as long as some providers make them


def make_world():
    why = dovecot.missing()
    if why:
        raise Skip(why)
    harness.need(ENGINE)
    world = harness.World(engine_program=ENGINE, verify="size", kill_grace_s=2)
    world.asked = oauth.Introspection()
    atexit.register(world.asked.stop)
    root = tempfile.mkdtemp(prefix="mcv-worker-mail-")
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    authority = dovecot.Authority(os.path.join(root, "ca"))
    names = ["user%d" % n for n in range(1, 40)]
    world.mail = Mailboxes.__new__(Mailboxes)
    world.mail.users = 0
    for side, password in (("source", PASSWORD_SOURCE), ("destination", PASSWORD_DESTINATION)):
        server = oauth.start(os.path.join(root, side), authority, {n: password for n in names}, world.asked,
                             separator="." if side == "source" else "/")
        setattr(world.mail, side, server)
        atexit.register(server.stop)
    return world


def run(world, user, program, options, source=None, destination=None):
    sealed = [world.seal(source, "source") if source else world.sealed[0],
              world.seal(destination, "destination") if destination else world.sealed[1]]
    job = world.add_jobs(user, destination=user, sealed=sealed, source=("127.0.0.1", world.mail.source.port, "none", 0),
                         target=("127.0.0.1", world.mail.destination.port, "none", 0))[0]
    world.db.sql("UPDATE job SET options = '%s' WHERE id = %d" % (json.dumps(options), job))
    worker = world.worker(sync_program=program)
    world.wait_state(job, "done", "failed", "cancelled", "interrupted", seconds=240)
    world.stop(worker)
    log = world.whole_log(job).decode("utf-8", "replace")
    for secret in (PASSWORD_SOURCE, PASSWORD_DESTINATION, TOKEN, oauth.MASTER[1]):
        assert secret not in log, "a secret is in the log"
    return job, log


def each_way_is_taken_on_both_sides(world):
    for name in ("PLAIN", "LOGIN", "SCRAM-SHA-256"):
        for program in programs():
            job, log = run(world, world.mail.fill(), program, {"authmech1": name, "authmech2": name})
            expect(world, job, ("done", "ok"), "state, reason")
            expect(world, job, ("verified", "12", "12", "0", "0", "0"), FIGURES)
            assert log.count("auth [%s]" % name) >= 4, log[:3000]
            by = ENGINE if name != "LOGIN" else program
            expect(world, job, (os.path.basename(by),), "program")


def an_access_token_stands_in_the_place_of_the_password(world):
    for name in ("XOAUTH2", "OAUTHBEARER"):
        user = world.mail.fill()
        world.asked.tokens = {TOKEN: user}
        job, log = run(world, user, programs()[-1], {"authmech1": name, "authmech2": name}, TOKEN, TOKEN)
        expect(world, job, ("done", "ok", "mailconvoy-sync"), "state, reason, program")
        expect(world, job, ("verified", "12", "12", "0", "0", "0"), FIGURES)
        assert log.count("auth [%s]" % name) >= 4, log[:3000]


def a_token_of_somebody_else_is_refused_and_said(world):
    user = world.mail.fill()
    world.asked.tokens = {TOKEN: "user39"}
    job, _ = run(world, user, ENGINE, {"authmech1": "XOAUTH2"}, TOKEN)
    expect(world, job, ("failed", "token_refused_source", "edit_source"), "state, reason, reason_action")


def a_master_user_opens_the_mailbox_of_another(world):
    for program, more in [(p, m) for p in programs() for m in ({}, {"authmech1": "PLAIN"})]:
        user = world.mail.fill()
        job, _ = run(world, user, program, dict(more, authuser1=oauth.MASTER[0]), oauth.MASTER[1])
        expect(world, job, (os.path.basename(program),), "program")
        expect(world, job, ("done", "ok"), "state, reason")
        expect(world, job, ("verified", "12", "12", "0", "0", "0"), FIGURES)
        shot = box.snapshot(world.mail.destination, user)
        assert sum(sum(found.values()) for found in shot.values()) == 12, shot


if __name__ == "__main__":
    harness.run(make_world, [
        each_way_is_taken_on_both_sides,
        an_access_token_stands_in_the_place_of_the_password,
        a_token_of_somebody_else_is_refused_and_said,
        a_master_user_opens_the_mailbox_of_another,
    ])
