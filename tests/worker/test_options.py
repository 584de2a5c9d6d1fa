#!/usr/bin/python3
"""What was asked of a job happens, and nothing else: with both programs, and the verification behind them knows it."""

import json
import os
import shutil
import sys
import time

import harness
from harness import Skip
from test_verify import ENGINE, FIGURES, add, box, copier, expect, world_with_mailboxes

DAY = 86400
UMLAUT = "Entw\u00fcrfe"
ODD = "a (b) [c]+d$ e^f"


def programs():
    imapsync = shutil.which("imapsync")
    return [ENGINE] + ([imapsync] if imapsync else [])


def fill(world):
    """Two messages in each folder, but as they say; the source's separator is a dot, the destination's a slash."""
    world.mail.users += 1
    user = "user%d" % world.mail.users
    c = box.connect(world.mail.source, user)
    n = 100 * world.mail.users
    for folder in ("INBOX", "Work", "Work.2023", "Work.2024", "Workshop", "Sent", box.mutf7(UMLAUT), ODD):
        if folder != "INBOX":
            box.create(c, folder, subscribe=folder == "Work")
        for _ in range(2):
            n += 1
            box.append(c, folder, box.message(n, 2000))
    c.logout()
    return user


def put(world, user, *messages):
    """(number, size, date, flags) into INBOX."""
    c = box.connect(world.mail.source, user)
    for number, size, date, flags in messages:
        text = box.message(number, size)
        if date:
            text = text.replace(b"Date: Tue, 5 Mar 2019 08:09:10 +0100", b"Date: " + date.encode())
        box.append(c, "INBOX", text, flags)
    c.logout()


def run(world, user, program, options, settings=None, **more):
    job = add(world, user, **more)
    if options is not None:
        text = options if isinstance(options, str) else json.dumps(options)
        world.db.sql("UPDATE job SET options = '%s' WHERE id = %d" % (text.replace("\\", "\\\\").replace("'", "''"), job))
    worker = world.worker(sync_program=program, **(settings or {}))
    world.wait_state(job, "done", "failed", "cancelled", "interrupted", seconds=240)
    world.stop(worker)
    world.check_invariants()
    return job


def there(world, user):
    """{folder: messages} of the destination, empty ones left out."""
    shot = box.snapshot(world.mail.destination, user)
    return {name: sum(found.values()) for name, found in shot.items() if found}


def check(world, options, want, prepare=None, program_name=None):
    """want: folders and how many messages arrive; each is verified and none missed."""
    for program in programs():
        user = fill(world)
        if prepare:
            prepare(user)
        job = run(world, user, program, options)
        found = there(world, user)
        log = world.whole_log(job).decode("utf-8", "replace")
        count = str(sum(want.values()))
        assert found == want, "%s %s: %s, not %s\n%s" % (program, options, found, want, log[-6000:])
        expect(world, job, ("done",), "state")
        expect(world, job, ("verified", count, count, "0", "0", "0"), FIGURES)
        expect(world, job, (program_name or os.path.basename(program),), "program")
        assert "mailconvoy: options: " in log.splitlines()[0], log[:300]


def only_the_folders_named_are_copied(world):
    check(world, {"folder": ["Work", UMLAUT, "inbox"]}, {"Work": 2, box.mutf7(UMLAUT): 2, "INBOX": 2})
    check(world, {"folder": [box.mutf7(UMLAUT), ODD]}, {box.mutf7(UMLAUT): 2, ODD: 2})


def a_folder_comes_with_what_is_below_it_and_not_with_its_namesakes(world):
    check(world, {"folderrec": ["Work"]}, {"Work": 2, "Work/2023": 2, "Work/2024": 2})


def what_is_left_out_is_exactly_that(world):
    check(world, {"folderrec": ["Work"], "folder": [ODD, "Sent"], "exclude": ["Work", ODD]},
          {"Work/2023": 2, "Work/2024": 2, "Sent": 2})
    check(world, {"folder": ["Work", "Workshop"], "exclude": ["W.*", "Work.", "(?{die})", "[", "Workshop"]}, {"Work": 2})


def a_folder_goes_under_another_name(world):
    check(world, {"folder": ["Work", "Sent", ODD], "f1f2": ["Work=\u00dcber/Arbeit", ODD + "=odd"]},
          {box.mutf7("\u00dcber") + "/Arbeit": 2, "Sent": 2, "odd": 2})


def what_is_below_a_folder_and_where_it_goes_below(world):
    check(world, {"subfolder1": "Work"}, {"INBOX": 2, "2023": 2, "2024": 2})
    check(world, {"subfolder1": "Work", "folder": ["Work.2024", "Sent"]}, {"2024": 2}, program_name="mailconvoy-sync")
    check(world, {"folder": ["INBOX", "Work.2024"], "subfolder2": "Old mail"},
          {"Old mail/INBOX": 2, "Old mail/Work/2024": 2})


def what_imapsync_cannot_is_done_by_the_engine_and_said(world):
    imapsync = shutil.which("imapsync") or copier(world, "none")
    for options, want, why in (
            ({"folder": ["Work"], "subfolder2": UMLAUT}, {box.mutf7(UMLAUT) + "/Work": 2}, "letters, digits"),
            ({"folder": ["Work"], "connections": 4}, {"Work": 2}, "one connection"),
            ({"folder": ["Work"], "nosyncflags": True}, {"Work": 2}, "flags")):
        user = fill(world)
        job = run(world, user, imapsync, options)
        expect(world, job, ("done", "mailconvoy-sync"), "state, program")
        assert there(world, user) == want, there(world, user)
        log = world.whole_log(job).decode()
        assert "run by mailconvoy-sync" in log and why in log, log[:500]


def without_the_engine_it_fails_before_anything_is_copied(world):
    user = fill(world)
    job = run(world, user, copier(world, "none"), {"connections": 4}, settings={"engine_program": "/nonexistent"})
    expect(world, job, ("failed", "options", "change_options", "NULL"), "state, reason, reason_action, verify_state")
    assert "one connection" in world.job(job, "reason_detail")[0]
    assert there(world, user) == {}


def special_folders_keep_their_names_when_asked(world):
    def other_sent(user):
        d = box.connect(world.mail.destination, user)
        box.create(d, "Sent Items")
        d.logout()

    check(world, {"folder": ["Sent"], "noautomap": True}, {"Sent": 2}, other_sent)


def folders_are_subscribed_unless_that_is_off(world):
    for program in programs():
        for options, want in (({"folder": ["Work"]}, True), ({"folder": ["Work"], "nosubscribe": True}, False)):
            user = fill(world)
            run(world, user, program, options)
            d = box.connect(world.mail.destination, user)
            found = any(b"Work" in name for pair in box.subscribed(d) for name in pair if name)
            d.logout()
            assert found == want, (program, options)


def sizes_choose_messages_and_what_is_left_is_not_called_missing(world):
    sizes = [(1, 900, None, ""), (2, 5000, None, ""), (3, 50000, None, ""), (4, 120000, None, "")]
    check(world, {"folder": ["INBOX"], "maxsize": 60000, "minsize": 4000}, {"INBOX": 2},
          lambda user: put(world, user, *sizes))


def dates_choose_messages_by_the_date_in_them(world):
    def dated(days):
        return time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(time.time() - days * DAY))

    def prepare(user):
        put(world, user, (1, 900, dated(5), ""), (2, 900, dated(50), ""), (3, 900, dated(500), ""))

    check(world, {"folder": ["INBOX"], "maxage": 100}, {"INBOX": 2}, prepare)
    check(world, {"folder": ["INBOX"], "maxage": 100, "minage": 20}, {"INBOX": 1}, prepare)
    check(world, {"folder": ["INBOX"], "before": "2019-03-06", "since": "2019-03-05"}, {"INBOX": 2}, prepare)
    check(world, {"folder": ["INBOX"], "before": "2019-03-05", "only": "unseen"}, {}, prepare)


def marks_choose_messages(world):
    def prepare(user):
        put(world, user, (1, 900, None, "\\Seen"), (2, 900, None, "\\Flagged"), (3, 900, None, "\\Seen \\Flagged"))

    for only, count in (("unseen", 3), ("seen", 2), ("flagged", 2), ("unflagged", 3)):
        check(world, {"folder": ["INBOX"], "only": only}, {"INBOX": count}, prepare)


def flags_stay_behind_when_asked(world):
    user = fill(world)
    put(world, user, (1, 900, None, "\\Seen \\Flagged"))
    run(world, user, ENGINE, {"folder": ["INBOX"], "nosyncflags": True})
    flags = [f for (_, f, _, _) in box.snapshot(world.mail.destination, user)["INBOX"]]
    assert len(flags) == 3 and not any(flags), flags


def speed_header_fields_and_patience_are_taken(world):
    check(world, {"folder": ["Work"], "maxbytespersecond": 1000000, "maxmessagespersecond": 50, "timeout": 60,
                  "useheader": ["Message-Id", "Subject"]}, {"Work": 2})


def a_folder_that_is_not_there_fails_the_job_and_the_others_arrive(world):
    for program in programs():
        for options in ({"folder": ["Work", "Wrok"]}, {"folderrec": ["Wrok"], "folder": ["Work"]}):
            for dry_run in (0, 1):
                user = fill(world)
                job = run(world, user, program, options, dry_run=dry_run)
                expect(world, job, ("failed", "folders_missing", "change_options"), "state, reason, reason_action")
                assert there(world, user) == ({} if dry_run else {"Work": 2}), there(world, user)
                assert "Wrok" in world.whole_log(job).decode()


def a_dry_run_counts_what_was_chosen(world):
    for program in programs():
        user = fill(world)
        job = run(world, user, program, {"folder": ["Work", "Sent"]}, dry_run=1)
        expect(world, job, ("done", "ok_dry", "4"), "state, reason, messages_to_copy")
        assert there(world, user) == {}


def a_job_without_options_is_what_it_was(world):
    for program in programs():
        user = fill(world)
        job = run(world, user, program, None)
        expect(world, job, ("verified", "16", "16", "0", "0", "0"), FIGURES)
        assert "mailconvoy: options" not in world.whole_log(job).decode()


def options_nobody_knows_are_not_passed_over(world):
    for text, why in (('{"regexmess": "s/a/b/"}', "regexmess: no such option"), ('{"maxsize": "x"}', "maxsize"),
                      ('{"maxsize": 0}', "maxsize"), ("[]", "not the object"), ('{"folder": "a\\nb"}', "folder")):
        user = fill(world)
        job = run(world, user, ENGINE, text)
        if why == "folder":  # two lines are two folders, neither of them there
            expect(world, job, ("failed", "folders_missing"), "state, reason")
            continue
        expect(world, job, ("failed", "options"), "state, reason")
        assert why in world.job(job, "reason_detail")[0], world.job(job, "reason_detail")
        assert there(world, user) == {}


if __name__ == "__main__":
    harness.run(world_with_mailboxes, [
        only_the_folders_named_are_copied,
        a_folder_comes_with_what_is_below_it_and_not_with_its_namesakes,
        what_is_left_out_is_exactly_that,
        a_folder_goes_under_another_name,
        what_is_below_a_folder_and_where_it_goes_below,
        what_imapsync_cannot_is_done_by_the_engine_and_said,
        without_the_engine_it_fails_before_anything_is_copied,
        special_folders_keep_their_names_when_asked,
        folders_are_subscribed_unless_that_is_off,
        sizes_choose_messages_and_what_is_left_is_not_called_missing,
        dates_choose_messages_by_the_date_in_them,
        marks_choose_messages,
        flags_stay_behind_when_asked,
        speed_header_fields_and_patience_are_taken,
        a_folder_that_is_not_there_fails_the_job_and_the_others_arrive,
        a_dry_run_counts_what_was_chosen,
        a_job_without_options_is_what_it_was,
        options_nobody_knows_are_not_passed_over,
    ])
