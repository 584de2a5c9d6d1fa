"""mailconvoyctl job tail: the log of a job, as it is and as it grows."""
import signal

from apicli import OK, REFUSED, Cli, make_token
import tap
import webstack
from tap import has, same

web = webstack.Stack()
URL = "http://127.0.0.1:%d" % web.port
cli = Cli(web.dir, "member", make_token(web, "member@example.org", "jobs:read"), "--api", URL)
LINES = b"".join(b"line %d\n" % n for n in range(1, 20001))


def test_the_last_ten_lines_unless_told_otherwise():
    job = str(web.add_job(web.acme, "done", log=LINES))
    same(cli.ok("job", "tail", job).bytes.splitlines(), [b"line %d" % n for n in range(19991, 20001)])
    same(cli.ok("job", "tail", job, "-n", "2").bytes, b"line 19999\nline 20000\n")
    same(cli.ok("job", "tail", "-n", "5", str(web.add_job(web.acme, "done", log=b"a\nb"))).bytes, b"a\nb")
    same(cli.ok("job", "tail", str(web.add_job(web.acme))).bytes, b"")


def test_the_whole_log_is_written_byte_for_byte():
    log = LINES + b"\xff\xfe\x00\x1b[31m\r\n"
    same(cli.ok("job", "tail", "--all", str(web.add_job(web.acme, "done", log=log))).bytes == log, True)


def test_on_a_terminal_nothing_in_it_steers():
    log = b"safe \x1b]0;owned\x07 \xe2\x80\xae end\n"
    job = str(web.add_job(web.acme, "done", log=log))
    for words in (("--all",), ()):
        code, shown = cli.on_terminal("job", "tail", *words, job)
        same(code, OK)
        has(shown.decode(), "safe \u241b]0;owned\u2407 \ufffd end")
    has(cli.ok("job", "tail", job).bytes, b"\x1b]0;owned")


def test_another_accounts_log_is_not_there():
    for words in ((), ("--all",), ("--follow",)):
        has(cli.refused(REFUSED, "job", "tail", *words, str(web.add_job(web.other, "done", log=b"secret\n"))), "nothing here")


def test_a_log_that_was_removed_is_said_to_be():
    job = str(web.add_job(web.acme, "done", log_removed_at="UTC_TIMESTAMP(6)"))
    has(cli.refused(REFUSED, "job", "tail", job), "was removed at")


def test_following_shows_what_comes_and_exits_as_the_job_ends():
    for state, code in (("done", 0), ("failed", 1), ("cancelled", 2), ("interrupted", 3)):
        job = web.add_job(web.acme, "running", log=b"first\n")
        child = cli.start("job", "tail", "--follow", str(job))
        same(child.stdout.readline(), b"first\n")
        web.add_log(job, 6, b"second\n")
        same(child.stdout.readline(), b"second\n")
        same(child.poll(), None)
        web.add_log(job, 13, b"third")
        web.end_job(job, state)
        out, err = child.communicate(timeout=60)
        same((out, child.returncode), (b"third", code), state)
        has(err.decode(), "job %d: %s." % (job, state))


def test_following_from_the_beginning_leaves_nothing_out():
    job = web.add_job(web.acme, "running", log=LINES)
    child = cli.start("job", "tail", "-f", "--all", str(job))
    got = child.stdout.read(len(LINES))
    web.end_job(job)
    out, _ = child.communicate(timeout=60)
    same((got + out == LINES, child.returncode), (True, 0))


def test_a_job_that_is_deleted_ends_the_following():
    job = web.add_job(web.acme, "running", log=b"first\n")
    child = cli.start("job", "tail", "-f", str(job))
    same(child.stdout.readline(), b"first\n")
    web.sql("DELETE FROM job WHERE id = %d" % job)
    out, err = child.communicate(timeout=60)
    same(child.returncode, REFUSED)
    has(err.decode(), "nothing here")


def test_an_interrupt_ends_it_as_the_signal_does():
    job = web.add_job(web.acme, "running", log=b"first\n")
    child = cli.start("job", "tail", "-f", str(job))
    same(child.stdout.readline(), b"first\n")
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    same((child.returncode, out, err), (-signal.SIGINT, b"", b""))


def test_a_reader_who_has_had_enough_is_no_error():
    ended = web.add_job(web.acme, "done", log=LINES * 30)
    running = web.add_job(web.acme, "running", log=b"first\n")
    for words in (("--all", str(ended)), ("-f", "--all", str(ended))):
        child = cli.start("job", "tail", *words)
        same(child.stdout.readline(), b"line 1\n")
        child.stdout.close()
        same((child.wait(timeout=60), child.stderr.read()), (0, b""), words)
    child = cli.start("job", "tail", "-f", str(running))
    same(child.stdout.readline(), b"first\n")
    child.stdout.close()
    web.add_log(running, 6, b"second\n")
    same((child.wait(timeout=60), child.stderr.read()), (0, b""))


if __name__ == "__main__":
    tap.run(globals())
