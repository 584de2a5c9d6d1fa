"""mailconvoyctl import and batch, asked of a real panel."""
import csv
import io
import json

from apicli import DENIED, NO_INPUT, REFUSED, USAGE, Cli, make_token
import tap
import webstack
from tap import has, lacks, same

web = webstack.Stack()
URL = "http://127.0.0.1:%d" % web.port
SERVER = web.add_server(web.acme, "Ours")
HEADER = "sourceServerId,sourceEmail,sourcePassword,destServerId,destEmail,destPassword,name,dryRun\n"
cli = Cli(web.dir, "member", make_token(web, "member@example.org"), "--api", URL)


def rows(*names, **columns):
    """A file of good rows, for mailboxes of these names."""
    return HEADER + "".join("Ours,%s,s3cret,%d,%s,s3cret,row %s,%s\n" % (n, SERVER, n, n, columns.get("dry", "")) for n in names)


def bad_file(*good):
    """Those and, in lines behind them, a server there is not and a password that is missing."""
    return rows(*good) + "Nowhere,x,s3cret,Ours,x,s3cret,,\nOurs,y,,Ours,y,s3cret,,\n"


def jobs():
    return web.sql("SELECT src_user, dry_run FROM job ORDER BY id")


def kept():
    """Jobs, batches, and imports that could still be confirmed."""
    return web.sql("SELECT (SELECT COUNT(*) FROM job), (SELECT COUNT(*) FROM batch), (SELECT COUNT(*) FROM import "
                   "WHERE batch_id IS NULL AND expires_at > UTC_TIMESTAMP(6))")[0]


def test_check_says_what_would_be_queued_and_keeps_nothing():
    out = cli.ok("import", cli.write("good.csv", rows("a", "b")), "--check").out
    has(out, "Ours → Ours: 2")
    has(out, "2 good, 0 bad; nothing was queued.")
    same(kept(), ["0", "0", "0"])


def test_each_bad_row_is_named_by_line_and_column_and_nothing_is_queued():
    path = cli.write("bad.csv", bad_file("a"))
    err = cli.refused(REFUSED, "import", path)
    has(err, "bad.csv:3: sourceServerId: ")
    has(err, "bad.csv:4: sourcePassword: ")
    has(err, "2 rows cannot be imported, so nothing was queued")
    lacks(err, "s3cret")
    cli.refused(REFUSED, "import", path, "--check")
    same(kept(), ["0", "0", "0"])


def test_problems_beyond_a_page_are_named_too():
    path = cli.write("many.csv", HEADER + "".join("Nowhere,u%d,p,Ours,u%d,p,,\n" % (n, n) for n in range(450)))
    err = cli.refused(REFUSED, "import", path)
    same(len([line for line in err.splitlines() if ": sourceServerId: " in line]), 450)


def test_good_rows_are_queued_as_dry_runs_in_one_batch():
    done = cli.ok("import", cli.write("good.csv", rows("a", "b")), "--batch", "First evening")
    has(done.out, "“First evening”: 2 queued as dry runs")
    same(jobs(), [["a", "1"], ["b", "1"]])
    same(web.sql("SELECT tag, account_id FROM batch"), [["First evening", str(web.acme)]])
    same(web.sql("SELECT COUNT(*) FROM audit WHERE action = 'import'"), [["1"]])


def test_the_same_file_again_queues_nothing_twice():
    err = cli.refused(REFUSED, "import", cli.write("good.csv", rows("a", "b")))
    has(err, "good.csv:2: ")
    same(len(jobs()), 2)


def test_skip_bad_leaves_the_bad_rows_out():
    done = cli.ok("import", cli.write("mixed.csv", bad_file("c")), "--skip-bad", "--json")
    batch, = done.objects()
    has(done.err, "mixed.csv:3: ")
    same(web.sql("SELECT src_user FROM job WHERE batch_id = %d" % batch["id"]), [["c"]])


def test_real_means_real_but_for_rows_that_say_otherwise():
    cli.ok("import", cli.write("real.csv", rows("d") + rows("e", dry="1")[len(HEADER):]), "--real")
    same(jobs()[-2:], [["d", "0"], ["e", "1"]])
    cli.refused(USAGE, "import", "real.csv", "--real", "--dry-run")


def test_a_file_comes_from_standard_input_too():
    cli.ok("import", "-", "--dry-run", text=rows("f").encode())
    same(jobs()[-1], ["f", "1"])


def test_options_are_for_all_rows_and_said_in_words():
    words = ("--option", "exclude=Trash", "--option=exclude=Junk", "--option", "nosyncflags", "--option=maxsize=25 MB")
    said = "Options: without the folders Trash, Junk; messages up to 25 MB; without flags"
    out = cli.ok("import", cli.write("o.csv", rows("o1", "o2")), "--check", *words).out
    has(out, said)
    same(web.sql("SELECT COUNT(*) FROM job WHERE src_user LIKE 'o_'"), [["0"]])
    has(cli.ok("import", cli.write("o.csv", rows("o1", "o2")), "--batch", "With options", *words).out, said)
    found = {text for text, in web.sql("SELECT options FROM job WHERE src_user IN ('o1', 'o2')")}
    same([json.loads(text) for text in found], [{"exclude": ["Trash", "Junk"], "maxsize": 25000000, "nosyncflags": True}])
    has(cli.ok("batch", "report", "With options").out, said)
    lacks(cli.ok("import", "-", "--check", text=rows("o3").encode()).out, "Options")


def test_an_option_there_is_not_or_that_cannot_be_stops_all():
    before = kept()
    path = cli.write("p.csv", rows("p"))
    for words, why in ((("--option", "delete2"), "delete2"), (("--option", "maxsize=big"), "options.maxsize: "),
                       (("--option", "only=seen", "--option", "only=unseen"), "options.only: ")):
        has(cli.refused(REFUSED, "import", path, *words), why)
    has(cli.refused(USAGE, "import", path, "--option"), "usage")
    same(kept(), before)


def test_what_is_no_such_file_is_refused_as_a_whole():
    has(cli.refused(NO_INPUT, "import", "/nonexistent.csv"), "/nonexistent.csv")
    has(cli.refused(REFUSED, "import", "-", text=b"no,header\n1,2\n"), "cannot be imported")
    has(cli.refused(REFUSED, "import", "-", text=b""), "import")
    has(cli.refused(REFUSED, "import", "-", text=b"x" * (21 << 20)), "20 MB")
    for words in ((), ("a", "b"), ("--check",)):
        has(cli.refused(USAGE, "import", *words), "usage")


def test_a_tag_that_is_taken_is_refused_and_nothing_queued():
    before = len(jobs())
    has(cli.refused(REFUSED, "import", cli.write("tag.csv", rows("g")), "--batch", "First evening"), "already")
    same((len(jobs()), kept()[2]), (before, "0"))


def test_an_installations_token_must_say_whose_rows_they_are():
    token = make_token(web, "admin@example.org", "jobs:read,jobs:write", "--installation")
    installation = Cli(web.dir, "admin", token, "--api", URL)
    has(installation.refused(USAGE, "import", cli.write("h.csv", rows("h"))), "--account")
    installation.ok("import", cli.write("h.csv", rows("h")), "--account", "Acme")
    same(web.sql("SELECT account_id FROM job ORDER BY id DESC LIMIT 1"), [[str(web.acme)]])
    reader = Cli(web.dir, "reader", make_token(web, "member@example.org", "jobs:read"), "--api", URL)
    reader.refused(DENIED, "import", cli.write("i.csv", rows("i")))


def test_batches_are_listed_newest_first():
    lines = cli.ok("batch", "list").out.splitlines()
    same((lines[0].split()[0], "First evening" in lines[-1]), ("ID", True))
    has(lines[-1], "2 mailboxes: 2 queued")
    ids = [b["id"] for b in cli.ok("batch", "list", "--json").objects()]
    same(ids, sorted(ids, reverse=True))


def test_a_batch_is_reported_by_number_or_tag():
    number = web.sql("SELECT id FROM batch WHERE tag = 'First evening'")[0][0]
    web.sql("UPDATE job SET state = 'failed', finished_at = UTC_TIMESTAMP(6), reason = 'auth_source', "
            "reason_text = 'The source server refused the password.', reason_action = 'edit_source' WHERE src_user = 'a'")
    out = cli.ok("batch", "report", "first EVENING").out
    for part in ("First evening: 2 mailboxes: 1 failed, 1 queued", "1 × The source server refused the password.  → Edit the user",
                 "a@imap.example.org → a@imap.example.org"):
        has(out, part)
    same(cli.ok("batch", "report", number).out, out)
    same([r["job"]["state"] for r in cli.ok("batch", "report", number, "--json").objects()], ["failed", "queued"])
    same([j["batch"] for j in cli.ok("job", "list", "--batch", "First evening", "--json").objects()], ["First evening"] * 2)


def test_a_report_as_csv_is_the_panels_file():
    done = cli.ok("batch", "report", "First evening", "--csv")
    member = web.sign_in("member")
    number = web.sql("SELECT id FROM batch WHERE tag = 'First evening'")[0][0]
    same(done.bytes, member.get("/migration/batches/%s/report.csv" % number).body)
    same([r["reason"] for r in csv.DictReader(io.StringIO(done.out))], ["auth_source", ""])


def test_another_accounts_batch_is_not_there():
    web.sql("INSERT INTO batch (account_id, tag, created_at) VALUES (%d, 'Theirs', UTC_TIMESTAMP(6))" % web.other)
    number = web.sql("SELECT id FROM batch WHERE tag = 'Theirs'")[0][0]
    for words in (("report", "Theirs"), ("report", number), ("report", number, "--csv")):
        cli.refused(REFUSED, "batch", *words)
    lacks(cli.ok("batch", "list").out, "Theirs")
    for words in ((), ("list", "1"), ("report",), ("report", "1", "--csv", "--json"), ("frobnicate",)):
        has(cli.refused(USAGE, "batch", *words), "usage")


if __name__ == "__main__":
    tap.run(globals())
