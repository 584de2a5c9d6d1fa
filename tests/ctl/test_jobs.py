"""mailconvoyctl job, asked of a real panel: what each of its words does, says and exits with."""
import json
import os
import subprocess
import time

from apicli import CONFLICT, DENIED, NO_INPUT, OK, REFUSED, UNAVAILABLE, USAGE, Cli, make_token
import tap
import webstack
from tap import has, lacks, same

web = webstack.Stack(api_max_per_minute=40)
URL = "http://127.0.0.1:%d" % web.port
SERVER = web.add_server(web.acme, "Ours")
CANARY = "c4nary-Passw0rd & %41+ü"


def member(scopes="jobs:read,jobs:write"):
    """A fresh token a test: their rate is counted one by one."""
    return Cli(web.dir, "member", make_token(web, "member@example.org", scopes), "--api", URL)


def admin(*words):
    token = make_token(web, "admin@example.org", "jobs:read,jobs:write,servers:write", "--installation")
    return Cli(web.dir, "admin", token, "--api", URL, *words)


def add_words(cli, *words, user="ann"):
    cli.write("pass", CANARY + "\n")
    path = os.path.join(web.dir, "pass")
    return ("job", "add", "--source", "Ours", "--source-user", user, "--source-passfile", path, "--dest", str(SERVER),
            "--dest-user", "ann", "--dest-passfile", path, *words)


def options_of(job):
    text = web.sql("SELECT HEX(COALESCE(options, '{}')) FROM job WHERE id = %d" % job)[0][0]
    return json.loads(bytes.fromhex(text))


def last_job():
    return int(web.sql("SELECT MAX(id) FROM job")[0][0])


def count(where="1"):
    return int(web.sql("SELECT COUNT(*) FROM job WHERE " + where)[0][0])


def test_without_a_token_it_says_how_to_get_one():
    has(Cli(web.dir, "none", None, "--api", URL).refused(NO_INPUT, "job", "list"), "token create")


def test_a_token_that_others_may_read_is_not_sent():
    cli = member()
    os.chmod(cli.token_file, 0o644)
    has(cli.refused(NO_INPUT, "job", "list"), "others may read it")


def test_the_tokens_file_may_say_where_the_panel_is():
    cli = Cli(web.dir, "both", make_token(web, "member@example.org") + "\n" + URL + "/")
    same(cli.ok("job", "list", "--json").objects(), [])


def test_the_configuration_says_where_it_is_on_its_own_machine():
    Cli(web.dir, "local", make_token(web, "member@example.org"), conf=web.conf).ok("job", "list")


def test_nothing_is_sent_in_clear_to_another_machine():
    cli = Cli(web.dir, "clear", make_token(web, "member@example.org"))
    for url in ("http://panel.example.org", "http://127.0.0.1.example.org", "ftp://127.0.0.1", "https://u:p@panel.example.org",
                "https://panel.example.org/path", "panel.example.org"):
        has(cli.refused(USAGE, "job", "list", "--api", url), "cannot be asked")


def test_a_token_that_is_not_good_or_may_not_is_its_own_exit_code():
    has(Cli(web.dir, "bad", "mcv_" + "0" * 64, "--api", URL).refused(DENIED, "job", "list"), "token is not accepted")
    has(member("jobs:read").refused(DENIED, "job", "cancel", "1"), "jobs:write")


def test_options_are_asked_for_by_their_names():
    cli = member()
    cli.ok(*add_words(cli, "--option", "folder=Work/2024 & more", "--option=only=unseen", "--option", "folder=Entw\u00fcrfe=",
                      "--option", "nosyncflags", "--option=maxsize=25 MB"))
    same(options_of(last_job()), {"folder": ["Work/2024 & more", "Entw\u00fcrfe="], "only": "unseen", "nosyncflags": True,
                                 "maxsize": 25000000})
    cli.ok(*add_words(cli))
    same(options_of(last_job()), {})
    before = count()
    for words, why in ((("--option", "regexmess=s/a/b/"), "regexmess"), (("--option", "maxsize=big"), "25 MB"),
                       (("--option", "only=seen", "--option", "only=unseen"), "options.only"), (("--option", "timeout"), "whole number")):
        has(cli.refused(REFUSED, *add_words(cli, *words)), why)
    same(count(), before)
    web.sql("DELETE FROM job")


def test_where_nobody_listens_it_says_so():
    has(Cli(web.dir, "nobody", "mcv_" + "0" * 64, "--api", "http://127.0.0.1:1").refused(UNAVAILABLE, "job", "list"), "onnect")


def test_called_wrongly_it_says_how():
    cli = member()
    for words in ((), ("list", "x"), ("list", "--limit", "0"), ("list", "--nothing"), ("show",), ("show", "x"), ("tail", "1", "2"),
                  ("tail", "1", "-n", "1", "--all"), ("cancel",), ("cancel", "1", "x"), ("rerun", "1", "2"),
                  ("rerun", "1", "--real", "--dry-run"), ("add", "--source", "Ours"), ("list", "--state"), ("show", "1", "--json=x"),
                  ("add", "--name", "a", "--name", "b")):
        has(cli.refused(USAGE, "job", *words), "mailconvoyctl:", " ".join(words))


def test_add_queues_a_dry_run_in_the_tokens_account():
    cli = member()
    has(cli.ok(*add_words(cli, "--name", "First")).out, "a dry run, queued")
    same(web.sql("SELECT account_id, name, dry_run, state, src_user, dst_user, src_sealed LIKE '%c4nary%' FROM job"),
         [[str(web.acme), "First", "1", "queued", "ann", "ann", "0"]])


def test_add_with_real_queues_a_real_run_and_shows_it_as_the_api_does():
    cli = member()
    job, = cli.ok(*add_words(cli, "--real", "--json")).objects()
    same((job["dry_run"], job["state"], job["source"]["user"]), (False, "queued", "ann"))
    same(set(job) > {"label", "kind_text", "created_at", "destination", "why_not_rerun"}, True)


def test_add_twice_with_one_key_queues_one_job():
    cli, before = member(), count()
    first, second = [cli.ok(*add_words(cli, "--key", "order 4711", "--json")).objects()[0]["id"] for _ in range(2)]
    same((first == second, count() - before), (True, 1))


def test_both_passwords_may_come_from_standard_input():
    cli = member()
    words = [w if w != os.path.join(web.dir, "pass") else "-" for w in add_words(cli)]
    cli.ok(*words, text=b"one\r\ntwo\n")
    has(cli.refused(REFUSED, *words, text=b"one\n"), "must have 1 to")
    has(cli.refused(REFUSED, *words, text=b"x" * 4097 + b"\ntwo\n"), "must have 1 to")


def test_a_passfile_that_cannot_be_read_is_its_own_exit_code():
    cli, before = member(), count()
    words = [w if w != os.path.join(web.dir, "pass") else "/nonexistent/pass" for w in add_words(cli)]
    has(cli.refused(NO_INPUT, *words), "/nonexistent/pass")
    same(count(), before)


def test_passwords_are_asked_for_on_a_terminal_without_echo():
    cli = member()
    words = list(add_words(cli))
    at = words.index("--source-passfile")
    del words[at:at + 2]
    has(cli.refused(USAGE, *words), "there is no terminal")
    code, shown = cli.on_terminal(*words, answer=(b"Password of ann on Ours: ", b"typed-secret\n"))
    same(code, OK, shown)
    lacks(shown, b"typed-secret")


def give(fifo):
    """The password, as soon as somebody reads; fails when nobody does."""
    def opened():
        try:
            return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return None
    end = time.monotonic() + 60
    fd = opened()
    while fd is None:
        assert time.monotonic() < end, "nobody reads " + fifo
        time.sleep(0.02)
        fd = opened()
    os.write(fd, (CANARY + "\n").encode())
    os.close(fd)


def test_a_password_is_in_no_command_line_environment_database_or_log():
    cli = member()
    fifos = [os.path.join(web.dir, "fifo%d" % n) for n in range(2)]
    for fifo in fifos:
        os.mkfifo(fifo)
    words = list(add_words(cli))
    for option, fifo in zip(("--source-passfile", "--dest-passfile"), fifos):
        words[words.index(option) + 1] = fifo
    child = cli.start(*words)
    give(fifos[0])
    seen = b""
    # it knows one password now, and waits for the other
    for name in ("cmdline", "environ"):
        with open("/proc/%d/%s" % (child.pid, name), "rb") as f:
            seen += f.read()
    give(fifos[1])
    out, err = child.communicate(timeout=60)
    same(child.returncode, OK, err)
    dump = subprocess.run(["mariadb-dump", "--no-defaults", "-S", web.stack.db.socket, "--skip-quick", "mailconvoy"],
                          stdout=subprocess.PIPE, check=True).stdout
    for text in (seen, out, err, dump, web.output().encode()):
        lacks(text, b"c4nary")
        lacks(text, b"mcv_")


def test_add_refuses_what_the_page_refuses_and_says_why():
    cli, before = member(), count()
    has(cli.refused(REFUSED, *add_words(cli, user="x" * 300)), "source_user: ")
    words = ["Nowhere" if w == "Ours" else w for w in add_words(cli)]
    has(cli.refused(REFUSED, *words), "there is no server Nowhere")
    same(count(), before)


def test_an_installations_token_must_say_whose_job_it_is():
    cli, before = admin(), count()
    has(cli.refused(USAGE, *add_words(cli)), "--account")
    same(count(), before)


def test_an_installations_token_acts_in_the_account_it_names():
    theirs = web.add_server(web.other, "Theirs")
    cli = admin("--account", "Acme")
    job, = cli.ok(*add_words(cli, "--json")).objects()
    same(job["account_name"], "Acme")
    same(web.sql("SELECT account_id FROM job WHERE id = %d" % job["id"]), [[str(web.acme)]])
    elsewhere = web.add_job(web.other)
    lacks([j["id"] for j in cli.ok("job", "list", "--limit", "all", "--json").objects()], elsewhere)
    has(cli.refused(REFUSED, "job", "show", str(elsewhere)), "nothing here")
    words = [str(theirs) if w == "Ours" else w for w in add_words(cli)]
    has(cli.refused(REFUSED, *words), "no server")
    web.sql("INSERT INTO account_external (issuer, external_id, account_id) VALUES ('api', 'acme-1', %d)" % web.acme)
    same(admin("--account", "id:acme-1").ok("job", "show", str(job["id"]), "--json").objects()[0]["job"]["id"], job["id"])


def test_a_members_token_names_no_account_but_its_own():
    cli = member()
    cli.ok("job", "list", "--account", "Acme")
    others = [cli.refused(DENIED, "job", "list", "--account", name) for name in ("Other", "Nobody", "id:x", "A\udcffb")]
    same(len(set(others)), 1, others)
    cli.refused(REFUSED, "job", "list", "--account", "a\nX-Evil: 1")


def test_a_suspended_account_starts_nothing():
    web.sql("UPDATE account SET suspended_at = UTC_TIMESTAMP(6) WHERE id = %d" % web.acme)
    try:
        for cli in (member(), admin("--account", "Acme")):
            before = count()
            has(cli.refused(DENIED, *add_words(cli)), "suspended")
            same(count(), before)
            cli.ok("job", "list")
    finally:
        web.sql("UPDATE account SET suspended_at = NULL WHERE id = %d" % web.acme)


def test_the_limits_of_the_account_hold():
    web.sql("UPDATE account SET max_queued = 0 WHERE id = %d" % web.acme)
    try:
        cli, before = admin("--account", "Acme"), count()
        has(cli.refused(REFUSED, *add_words(cli)), "limits")
        same(count(), before)
    finally:
        web.sql("UPDATE account SET max_queued = NULL WHERE id = %d" % web.acme)


def test_list_shows_the_newest_first_filtered_and_bounded():
    cli = member()
    jobs = [web.add_job(web.acme, "failed", name="sorted %d" % n, reason="'auth_source'") for n in range(60)]
    table = cli.ok("job", "list", "--text", "sorted")
    lines = table.out.splitlines()
    same(len(lines), 51)
    same([int(line.split()[0]) for line in lines[1:]], jobs[:9:-1])
    has(table.err, "50 of 60 jobs are listed")
    found = cli.ok("job", "list", "--text", "sorted", "--limit", "all", "--json").objects()
    same([j["id"] for j in found], jobs[::-1])
    same([j["id"] for j in cli.ok("job", "list", "--text", "sorted", "--limit", "2", "--json").objects()], jobs[:-3:-1])
    same(cli.ok("job", "list", "--text", "sorted", "--state", "queued,done", "--json").objects(), [])
    same(len(cli.ok("job", "list", "--reason", "auth_source", "--kind", "dry", "--latest", "--limit", "3", "--json").objects()), 3)
    has(cli.refused(REFUSED, "job", "list", "--state", "asleep"), "malformed")
    has(cli.refused(REFUSED, "job", "list", "--batch", "No such"), "no batch")


def test_columns_stand_below_one_another_whatever_the_letters():
    cli = member()
    for name in ("'wide 広い'", "'narrow'"):
        web.add_job(web.acme, "done", src_user=name, src_host="'aligned.example.org'")
    lines = cli.ok("job", "list", "--text", "aligned.example.org").out.splitlines()
    at = {line.index("done") for line in lines[1:]} | {lines[0].index("STATE")}
    same(len(at), 1, lines)


def test_foreign_text_does_not_steer_the_terminal():
    cli = member()
    evil = "x\\x1b]0;owned\\x07".encode().decode("unicode_escape") + "\u202egpj"
    web.add_job(web.acme, "failed", src_user="X'%s'" % evil.encode().hex(), name="evil",
                reason_text="X'%s'" % ("why\n\x1b[2J").encode().hex())
    for words in (("job", "list", "--text", "evil"), ("job", "show", str(last_job()))):
        out = cli.ok(*words).out
        for c in "\x1b\x07\u202e":
            lacks(out, c)
        has(out, "\u241b]0;owned\u2407\ufffdgpj")


def test_show_says_what_the_page_says():
    cli = member()
    job = web.add_job(web.acme, "failed", name="Shown", reason="'auth_source'",
                      reason_text="'The source server refused the password.'", reason_action="'edit_source'")
    out = cli.ok("job", "show", str(job)).out
    for part in ("Shown", "Failed", "ann on A (a.example.org:993", "The source server refused the password.",
                 "Edit the source's user and password"):
        has(out, part)
    same(cli.ok("job", "show", str(job), "--json").objects()[0]["outcome"]["action"]["code"], "edit_source")
    has(cli.refused(REFUSED, "job", "show", "99999999"), "job 99999999: There is nothing here")


def test_cancel_tells_of_each_and_goes_on_after_one_that_has_ended():
    cli = member()
    waiting, ended, running = web.add_job(web.acme), web.add_job(web.acme, "done"), web.add_job(web.acme, "running")
    done = cli.run("job", "cancel", str(ended), str(waiting), str(running))
    same(done.code, CONFLICT)
    has(done.err, "job %d: The job has ended already" % ended)
    has(done.out, "Job %d: cancelled" % waiting)
    has(done.out, "Job %d: asked to stop" % running)
    same(web.sql("SELECT state, cancel_requested_at IS NOT NULL FROM job WHERE id IN (%d, %d) ORDER BY id" % (waiting, running)),
         [["cancelled", "1"], ["running", "1"]])


def test_delete_must_be_meant():
    cli = member()
    job = web.add_job(web.acme, "done", log=b"line\n")
    has(cli.refused(USAGE, "job", "delete", str(job)), "--yes")
    code, _ = cli.on_terminal("job", "delete", str(job), answer=(b"Type yes: ", b"y\n"))
    same((code, count("id = %d" % job)), (OK, 1))
    code, _ = cli.on_terminal("job", "delete", str(job), answer=(b"Type yes: ", b"yes\n"))
    same((code, count("id = %d" % job)), (OK, 0))
    same(web.sql("SELECT COUNT(*) FROM job_log WHERE job_id = %d" % job), [["0"]])
    same(web.sql("SELECT COUNT(*) FROM audit WHERE action = 'job_delete' AND object = 'job %d'" % job), [["1"]])


def test_delete_refuses_what_runs_and_what_is_not_there():
    cli = member()
    job = web.add_job(web.acme, "running")
    has(cli.refused(CONFLICT, "job", "delete", "--yes", str(job)), "running job")
    cli.refused(REFUSED, "job", "delete", "--yes", "99999999")
    cli.refused(REFUSED, "job", "delete", "--yes", str(web.add_job(web.other, "done")))
    same(count("id = %d" % job), 1)


def test_rerun_is_dry_unless_it_is_to_be_real():
    cli = member()
    cli.ok(*add_words(cli, user="again"))
    job = last_job()
    has(cli.refused(CONFLICT, "job", "rerun", str(job)), "has not ended")
    for word, dry in ((None, "1"), ("--dry-run", "1"), ("--real", "0")):
        web.end_job(last_job())
        cli.ok("job", "rerun", str(job), *([word] if word else []))
        same(web.sql("SELECT dry_run, parent_id FROM job ORDER BY id DESC LIMIT 1"), [[dry, str(job)]])
    has(cli.refused(CONFLICT, "job", "rerun", str(job)), "on their way already")


def test_rerun_wants_passwords_that_were_removed():
    cli = member()
    cli.ok(*add_words(cli, user="forgotten"))
    job = last_job()
    web.end_job(job)
    web.sql("UPDATE job SET src_sealed = NULL, dst_sealed = NULL, passwords_removed_at = UTC_TIMESTAMP(6) WHERE id = %d" % job)
    has(cli.refused(REFUSED, "job", "rerun", str(job)), "source_password")
    path = os.path.join(web.dir, "pass")
    cli.ok("job", "rerun", str(job), "--source-passfile", path, "--dest-passfile", path)
    same(web.sql("SELECT parent_id, src_sealed IS NULL FROM job ORDER BY id DESC LIMIT 1"), [[str(job), "0"]])


def test_what_a_dry_run_counted_is_deleted_by_its_number_alone():
    cli = member()
    web.sql("UPDATE account SET may_delete2 = 1 WHERE id = %d" % web.acme)
    cli.ok(*add_words(cli, user="surplus"), "--delete2")
    job = last_job()
    same(web.sql("SELECT delete2, dry_run FROM job WHERE id = %d" % job), [["1", "1"]])
    web.sql("UPDATE job SET messages_to_delete = 12, delete2_digest = REPEAT('0f', 32) WHERE id = %d" % job)
    has(cli.refused(CONFLICT, "job", "confirm-deletion", str(job), "--count", "12"), "no dry run that counted")
    web.end_job(job)
    has(cli.ok("job", "show", str(job)).out, "to delete      12")
    cli.refused(USAGE, "job", "confirm-deletion", str(job))
    has(cli.refused(REFUSED, "job", "confirm-deletion", str(job), "--count", "11"), "counted 12")
    has(cli.refused(REFUSED, "job", "rerun", str(job), "--real"), "delete2")
    same(last_job(), job)
    has(cli.ok("job", "confirm-deletion", str(job), "--count", "12").out, "deletes at most 12 messages")
    same(web.sql("SELECT max_delete, parent_id FROM job WHERE id = %d" % last_job()), [["12", str(job)]])
    web.end_job(last_job())
    cli.ok("job", "rerun", str(job), "--real", "--no-delete2")
    same(web.sql("SELECT delete2, dry_run FROM job WHERE id = %d" % last_job()), [["0", "0"]])


def test_too_many_requests_are_waited_for():
    jobs = [str(web.add_job(web.acme)) for _ in range(45)]
    same(len(member().ok("job", "cancel", *jobs).out.splitlines()), 45)
    same(count("state = 'queued' AND id IN (%s)" % ",".join(jobs)), 0)


if __name__ == "__main__":
    tap.run(globals())
