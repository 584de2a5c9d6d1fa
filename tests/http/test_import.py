"""Import of CSV files: what is taken, what is refused and how that is said, the preview, the confirmation."""
import csv
import http.client
import io
import os
import re
import signal
import subprocess
import threading

import webstack
import tap
from tap import has, lacks, same

web = webstack.Stack()
member = web.sign_in("member")
admin = web.sign_in("admin")
other = web.sign_in("other")
OLD = web.add_server(web.acme, "Old")
NEW = web.add_server(None, "New one, shared", "mail.example.net")
FOREIGN = web.add_server(web.other, "Theirs")
HEADER = "sourceServerId,sourceEmail,sourcePassword,destServerId,destEmail,destPassword"
CANARY = "canary-Passw0rd"
count = [0]


def line(user, source=OLD, destination=NEW, password=CANARY):
    return "%s,%s@old.example.org,%s,%s,%s@new.example.org,%s" % (source, user, password, destination, user, password)


def lines(n, prefix="user"):
    """n good lines of mailboxes that no other test has."""
    count[0] += 1
    return ["%s,%s%d-%d@old.example.org,%s,%s,x%d@new.example.org,%s" % (OLD, prefix, count[0], i, CANARY, NEW, i, CANARY)
            for i in range(n)]


def form_data(parts, boundary="XbXb"):
    body = b""
    for name, filename, value in parts:
        value = value if isinstance(value, bytes) else value.encode()
        body += ("--%s\r\nContent-Disposition: form-data; name=\"%s\"" % (boundary, name)).encode()
        body += ("; filename=\"%s\"\r\nContent-Type: text/csv" % filename).encode() if filename is not None else b""
        body += b"\r\n\r\n" + value + b"\r\n"
    return body + ("--%s--\r\n" % boundary).encode(), {"Content-Type": "multipart/form-data; boundary=" + boundary}


def upload(text, browser=member, json=False, name="file", path="/migration/import", extra=()):
    body, headers = form_data([("csrf", None, browser.csrf)] + list(extra) +
                              [(name, "mailboxes.csv" if name == "file" else None, text)])
    if json:
        headers["Accept"] = "application/json"
    return browser.request("POST", path, body, headers)


def preview(text, browser=member, **options):
    """The preview's model."""
    a = upload(text, browser, json=True, **options)
    same(a.status, 201, a.text[:500])
    return a.json()


def problems(text):
    return [(p["line"], p["column"], p["reason"]) for p in preview(text)["problems"]]


def refusal(text, status=422):
    """Why the file as a whole was not taken."""
    a = upload(text)
    same(a.status, status)
    lacks(a.text, CANARY)
    found = re.search(r'id="problems">(.*?)</div>', a.text, re.S)
    assert found, a.text
    return re.sub(r"<[^>]*>", "", found.group(1)).strip()


def confirm(model, browser=member, **fields):
    fields.setdefault("tag", "batch %d" % model["id"])
    return browser.post("/migration/import/%d/confirm" % model["id"], fields)


def jobs_of(tag):
    return web.sql("SELECT src_user, dst_user, src_server_id, dst_server_id, dry_run, COALESCE(name, '') FROM job WHERE "
                   "batch_id = (SELECT id FROM batch WHERE tag = '%s') ORDER BY queued_at, id" % tag)


def test_a_file_is_previewed_and_queued_in_its_order():
    a = upload("\n".join([HEADER, line("b"), line("a"), line("c")]))
    same(a.status, 303)
    same(web.sql("SELECT COUNT(*) FROM job"), [["0"]])
    page = member.get(a.location)
    has(page.text, "Every row can be imported")
    has(page.text, "Queue 3 dry runs")
    has(page.text, "b@old.example.org")
    lacks(page.text, CANARY)
    a = member.post(a.location + "/confirm", {"tag": "first", "dry_run_present": "1", "dry_run": "1"})
    same(a.status, 303)
    has(member.get(a.location).text, "first")
    same([row[0][0] + row[4] for row in jobs_of("first")], ["b1", "a1", "c1"])
    same(web.sql("SELECT COUNT(*) FROM job_event WHERE kind = 'created'"), [["3"]])
    same(web.sql("SELECT COUNT(*) FROM audit WHERE action = 'import'"), [["1"]])


def test_the_file_may_be_pasted_too():
    text = "\r\n".join([HEADER] + lines(2))
    same(preview(text, name="text")["good"], 2)
    # a script may send it as an ordinary field
    a = member.post_json("/api/v1/import", {"text": text})
    same((a.status, a.json()["good"]), (201, 2))
    same(a.location, "/api/v1/migration/import/%d" % a.json()["id"])
    same(member.request("GET", a.location).json()["id"], a.json()["id"])


def test_passwords_are_sealed_with_their_blanks_and_nothing_is_kept_in_clear():
    password = ' lead, "quote"\ttrail '
    rows = ['%d,pw@old.example.org,"%s",%d,pw@new.example.org,x' % (OLD, password.replace('"', '""'), NEW)]
    m = preview("\n".join([HEADER] + rows))
    same(web.sql("SELECT LENGTH(src_sealed), LENGTH(dst_sealed) FROM import_row WHERE import_id = %d" % m["id"]),
         [[str(len(password) + 65), "66"]])
    kept = web.sql("SELECT HEX(src_sealed), HEX(dst_sealed) FROM import_row WHERE import_id = %d" % m["id"])
    same(confirm(m).status, 303)
    same(web.sql("SELECT HEX(src_sealed), HEX(dst_sealed) FROM job ORDER BY id DESC LIMIT 1"), kept)


def test_a_real_csv_is_read_whatever_program_wrote_it():
    rows = ["%d;é%d@old.example.org;\"a;b\";\"New one, shared\";z%d@new.example.org;p;\"Line one\r\nline two\"" % (OLD, i, i)
            for i in range(2)]
    text = "\ufeff" + "\r\n".join([HEADER.replace(",", ";") + ";name"] + rows) + "\r\n\r\n;;;;;;\r\n"
    m = preview(text)
    same((m["good"], m["bad"]), (2, 0), m["problems"])
    same([s["name"] for s in m["samples"]], ["Line one line two"] * 2)
    same([s["line"] for s in m["samples"]], [2, 4])
    tabbed = "\t".join(["dryRun", "destPassword", "destEmail", "destServerId", "sourcePassword", "sourceEmail",
                        "sourceServerId"])
    m = preview(tabbed + "\n" + "\t".join(["0", "p", "t@new.example.org", "Old", "p,;", "t@old.example.org", str(NEW)]))
    same((m["good"], m["samples"][0]["source_server"], m["samples"][0]["is_real"]), (1, "New one, shared", True))


def test_every_problem_of_every_row_is_told_at_once():
    text = "\n".join([
        HEADER + ",name,dryRun",
        line("ok1") + ",,",
        "%s,%s,,%s,%s,," % (FOREIGN, "two@@x", "Nowhere", "") + ",maybe",
        line("ok1") + ",,",
        '"%s"' % OLD + ",short",
        line("OK1").replace(str(OLD), "Old", 1) + ",again,1",
        line("ok2") + ',"' + "n" * 201 + '",',
    ])
    found = problems(text)
    same([(n, c) for n, c, _ in found], [
        (3, "sourceServerId"), (3, "sourceEmail"), (3, "sourcePassword"), (3, "destServerId"), (3, "destEmail"),
        (3, "destPassword"), (3, "dryRun"), (4, None), (5, None), (6, None), (7, "name")])
    has(found[0][2], "Unknown server")
    has(found[1][2], "two@@x")
    has(found[2][2], "missing")
    has(found[7][2], "line 2")
    has(found[8][2], "2 fields")
    has(found[9][2], "line 2")


def test_a_mailbox_that_is_queued_or_running_is_refused():
    for n, state in enumerate(("queued", "running", "done")):
        web.add_job(web.acme, state, src_user="'busy%d@old.example.org'" % n, dst_user="'busy%d@new.example.org'" % n,
                    src_host="'IMAP.example.org'", dst_host="'mail.example.net'")
    found = problems("\n".join([HEADER] + [line("Busy%d" % n) for n in range(3)]))
    same([n for n, _, _ in found], [2, 3])
    has(found[0][2], "queued or running already")


def test_one_bad_row_stops_all_unless_the_good_ones_are_asked_for():
    m = preview("\n".join([HEADER] + lines(2) + [line("bad", source=FOREIGN)]))
    page = member.get("/migration/import/%d" % m["id"])
    has(page.text, "1 row with problems")
    a = confirm(m)
    same(a.status, 422)
    has(a.text, "nothing was queued")
    same(web.sql("SELECT COUNT(*) FROM batch WHERE tag = 'batch %d'" % m["id"]), [["0"]])
    same(confirm(m, skip_bad="1").status, 303)
    same(len(jobs_of("batch %d" % m["id"])), 2)


def test_bad_rows_come_back_as_csv_with_reasons_and_without_passwords():
    header = HEADER + ",name"
    text = "\n".join([header, "99,=cmd@old.example.org,%s,Old,@x,%s,\"+name, \"\"q\"\"\"" % (CANARY, CANARY)])
    m = preview(text)
    a = member.get("/migration/import/%d/bad.csv" % m["id"])
    same(a.headers["Content-Disposition"], "attachment; filename=\"mailconvoy-import-%d-bad-rows.csv\"" % m["id"])
    same((a.headers["Content-Length"], a.headers["X-Content-Type-Options"]), (str(len(a.body)), "nosniff"))
    lacks(a.text, CANARY)
    rows = list(csv.reader(io.StringIO(a.text.lstrip("\ufeff"))))
    same(rows[0], header.split(",") + ["dryRun", "reason"])
    same(rows[1][:8], ["99", "'=cmd@old.example.org", "", "Old", "'@x", "", "'+name, \"q\"", ""])
    has(rows[1][8], "Line 2: sourceServerId: Unknown server")
    # mended, it can be sent as it is: the guard against formulas is taken off again
    rows[1][0], rows[1][2], rows[1][4], rows[1][5] = str(OLD), CANARY, "'+x@new.example.org", CANARY
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    m = preview(out.getvalue())
    same((m["good"], m["samples"][0]["dest_user"], m["samples"][0]["name"]), (1, "+x@new.example.org", '+name, "q"'))


def test_confirming_twice_imports_once():
    m = preview("\n".join([HEADER] + lines(30)))
    answers = []

    def press(tag):
        answers.append(confirm(m, tag=tag))

    # a double click sends the same, a form changed between two tabs does not
    both = [threading.Thread(target=press, args=("twice",)) for _ in range(3)] + [
        threading.Thread(target=press, args=("twice %d" % n,)) for n in range(3)]
    for t in both:
        t.start()
    for t in both:
        t.join()
    same(sorted(a.status for a in answers), [303] * 6)
    same(len({a.location.split("?")[0] for a in answers}), 1)
    same(web.sql("SELECT COUNT(*) FROM batch WHERE tag LIKE 'twice%'"), [["1"]])
    tag = web.sql("SELECT tag FROM batch WHERE tag LIKE 'twice%'")[0][0]
    same(len(jobs_of(tag)), 30)
    same(web.sql("SELECT COUNT(*) FROM job WHERE batch_id IN (SELECT id FROM batch WHERE tag LIKE 'twice%')"), [["30"]])
    again = confirm(m, tag="another name")
    same(again.location.split("?")[1], "notice=import_exists")
    same(member.get("/migration/import/%d" % m["id"]).status, 303)


def test_a_process_killed_between_two_rows_has_queued_none():
    late = web.add_server(web.acme, "Late %d" % count[0], "late.example.org")
    rows = lines(1000, "killed")
    rows[500:] = [row.replace("%s," % OLD, "%d," % late, 1) for row in rows[500:]]
    m = preview("\n".join([HEADER] + rows))
    same(m["good"], 1000)
    # who makes a job of row 501 waits for this server's row
    holder = subprocess.Popen(["mariadb", "--no-defaults", "-n", "-S", web.stack.db.socket, "mailconvoy"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        holder.stdin.write(b"BEGIN; SELECT 'held' FROM server WHERE id = %d FOR UPDATE;\n" % late)
        holder.stdin.flush()
        has(holder.stdout.readline().decode(), "held")
        answers = []
        asking = threading.Thread(target=lambda: answers.append(confirm(m).status))
        asking.start()
        # the server renews its view of transactions only when nobody has read it for a tenth of a second
        webstack.wait_for(lambda: web.sql("DO SLEEP(0.15); SELECT trx_rows_modified > 400 FROM information_schema.innodb_trx"
                                          " WHERE trx_state = 'LOCK WAIT'") == [["1"]], 30, "half of the rows to be written")
        for pid in web.processes():
            os.kill(pid, signal.SIGKILL)
        asking.join()
        same(answers, [502])
    finally:
        holder.communicate()
    tag = "batch %d" % m["id"]
    webstack.wait_for(lambda: web.sql("DO SLEEP(0.15); SELECT COUNT(*) FROM information_schema.innodb_trx") == [["0"]], 30, "the rollback")
    same((jobs_of(tag), web.sql("SELECT COUNT(*) FROM batch WHERE tag = '%s'" % tag)), ([], [["0"]]))
    webstack.wait_for(lambda: member.get("/migration/import/%d" % m["id"]).status == 200, 30, "new processes")
    same([confirm(m).status for _ in range(2)], [303, 303])
    made = jobs_of(tag)
    same((len(made), len({row[0] for row in made})), (1000, 1000))
    web.sql("DELETE FROM job WHERE dst_server_id = %d OR src_server_id = %d; DELETE FROM server WHERE id = %d"
            % (late, late, late))


def test_a_limit_of_the_account_leaves_the_preview_as_it_is():
    m = preview("\n".join([HEADER] + lines(2)))
    web.sql("UPDATE account SET max_queued = 1 WHERE id = %d" % web.acme)
    try:
        a = confirm(m)
        same(a.status, 422)
        has(a.text, "limit")
        has(a.text, "Queue 2 dry runs")
    finally:
        web.sql("UPDATE account SET max_queued = NULL WHERE id = %d" % web.acme)
    same(web.sql("SELECT COUNT(*) FROM batch WHERE tag = 'batch %d'" % m["id"]), [["0"]])
    same(confirm(m).status, 303)


def test_where_the_account_may_not_copy_to_is_told_in_the_preview():
    web.sql("INSERT INTO account_host (account_id, host) VALUES (%d, '*.example.org')" % web.acme)
    try:
        found = problems("\n".join([HEADER, line("far"), line("near", NEW, OLD)]))
    finally:
        web.sql("DELETE FROM account_host")
    same([(n, c) for n, c, _ in found], [(2, "destServerId")])
    has(found[0][2], "may not copy to")


def test_a_dry_run_is_what_happens_unless_it_is_switched_off():
    for fields, want in (({}, "1"), ({"dry_run_present": "1"}, "0"), ({"dry_run_present": "1", "dry_run": "1"}, "1")):
        m = preview("\n".join([HEADER + ",dryRun"] + [row + said for row, said in zip(lines(3), (",", ",0", ",yes"))]))
        has(member.get("/migration/import/%d" % m["id"]).text, "1 row in the file ask")
        same(confirm(m, **fields).status, 303)
        same([row[4] for row in jobs_of("batch %d" % m["id"])], [want, "0", "1"])


def test_the_tag_is_suggested_checked_and_unique():
    m = preview("\n".join([HEADER] + lines(1)))
    suggested = m["form"]["tag"]["value"]
    same(re.sub(r"^\d{4}-\d\d-\d\d ", "", suggested), "imap.example.org")
    for bad in ("", "a/b", "x" * 65, "<b>", "ä"):
        a = confirm(m, tag=bad)
        same(a.status, 422, bad)
        has(a.text, 'id="tag-error"')
    same(confirm(m, tag=suggested).status, 303)
    m = preview("\n".join([HEADER] + lines(1)))
    same(m["form"]["tag"]["value"], suggested + " 2")
    a = confirm(m, tag=suggested.upper())
    same(a.status, 422)
    has(a.text, "already")
    lacks(a.text, CANARY)


def test_the_header_is_checked_by_name():
    has(refusal("\n".join([HEADER.replace("destEmail", "destMail"), line("x")])), "There is no column “destMail”.")
    said = refusal("sourceserverid,sourceEmail,sourceEmail,,<b>\n1,2,3,4,5")
    for text in ("Write it “sourceServerId”.", "“sourceEmail” is there twice", "Column 4 has no name", "&lt;b&gt;",
                 "“destPassword” is missing"):
        has(said, text)


def test_what_is_no_csv_in_utf_8_is_refused_with_its_line():
    latin = "\n".join([HEADER, line("a"), line("b").replace("canary", "canäry")]).encode("latin-1")
    said = refusal(latin)
    has(said, "Line 3 is not UTF-8")
    has(said, "Latin-1")
    has(refusal(("\ufeff" + HEADER).encode("utf-16-le")), "UTF-16")
    has(refusal(b"PK\x03\x04" + b"x" * 100), "workbook")
    has(refusal(HEADER + "\n" + line("a") + "\0"), "Line 2 contains a NUL")
    has(refusal("\n".join([HEADER, line("a"), '1,a"b,c,d,e,f'])), "Line 3: a quotation mark")
    has(refusal("\n".join([HEADER, line("a"), '1,"never closed']) + "\nx\ny"), "begins in line 3")
    has(refusal(""), "Choose a file")
    has(refusal("\n\n"), "empty")
    has(refusal(HEADER + "\n"), "no row below")


def test_the_limits_are_told_one_by_one():
    has(refusal("\n".join([HEADER, line("a"), line("b", password="x" * 4097)]), 413), "Line 3: a field is longer than 4 KB")
    has(refusal(HEADER + "\n1,\"" + "x\n" * 300000, 413), "Line 2: a field is longer than 4 KB")
    has(refusal(HEADER + ",x" * 1000000), "There are 1000006 columns")
    same(problems(HEADER + "\n" + line("wide") + ",x" * 1000000)[0][2][:31], "The row has 1000006 fields, the")
    has(refusal(HEADER + "\n" + "a,\n" * 50001, 413), "Line 50002: this is more than 50,000 rows")
    has(refusal("x" * (20 * 1024 * 1024 + 1), 413), "larger than 20 MB")
    same(problems("\n".join([HEADER, line("long", password="x" * 1025)]))[0][1:],
         ("sourcePassword", "The password is longer than 1024 bytes. If it is an access token, say so under Options, Sign-in."))


def test_a_large_body_is_taken_here_and_nowhere_else():
    body, headers = form_data([("csrf", None, member.csrf), ("file", "f.csv", "x" * 100000)])
    for path in ("/migration/jobs", "/migration/import/1/confirm", "/migration/servers"):
        same(member.request("POST", path, body, headers).status in (413, 415), True, path)
    body, headers = form_data([("csrf", None, member.csrf), ("other", None, "x" * 70000)])
    same(member.request("POST", "/migration/import", body, headers).status, 413)


def test_no_upload_ever_lies_in_a_file_of_nginx():
    place, aside = (os.path.join(web.dir, "web", name) for name in ("nginx-body", "nginx-body-aside"))
    # where it cannot write one, it answers 500 to what it would have written
    os.rename(place, aside)
    try:
        with open(place, "w", encoding="ascii"):
            pass
        same(preview("\n".join([HEADER, *lines(1)] + [","] * 4000000))["good"], 1)
        same(member.request("POST", "/migration/jobs", "a=" + "b" * 1500000,
                            {"Content-Type": "application/x-www-form-urlencoded"}).status, 413)
    finally:
        os.unlink(place)
        os.rename(aside, place)


def test_a_file_of_untold_length_is_refused_before_it_is_read():
    c = http.client.HTTPConnection("127.0.0.1", web.port, timeout=60)
    try:
        c.request("POST", "/migration/import", iter([b"x" * 1000]),
                  {"Content-Type": "multipart/form-data; boundary=x", "Transfer-Encoding": "chunked"}, encode_chunked=True)
        same(c.getresponse().status, 411)
    finally:
        c.close()


def test_malformed_forms_are_refused():
    good, headers = form_data([("csrf", None, member.csrf), ("file", "f.csv", HEADER + "\n" + line("m"))])
    for body in (good[:-10], b"", b"--XbXb\r\n\r\nx\r\n--XbXb--", good.replace(b"; name=", b"; nam="),
                 good.replace(b"form-data", b"attachment"), form_data([("file", "a", "x"), ("file", "b", "y")])[0]):
        status = member.request("POST", "/migration/import", body, headers).status
        same(status in (400, 403), True, body[:80])
    same(member.request("POST", "/migration/import", good, {"Content-Type": "multipart/form-data"}).status, 400)


def test_without_the_token_or_a_session_nothing_is_read():
    body, headers = form_data([("file", "f.csv", HEADER + "\n" + line("t"))])
    same(member.request("POST", "/migration/import", body, headers).status, 403)
    same(web.anyone().request("POST", "/migration/import", body, headers).status, 401)


def test_an_import_is_its_makers_alone_and_lasts_an_hour():
    m = preview("\n".join([HEADER] + lines(1)))
    path = "/migration/import/%d" % m["id"]
    for browser in (admin, other):
        for a in (browser.get(path), browser.get(path + "/bad.csv"), browser.post(path + "/confirm", {"tag": "x"}),
                  browser.post(path + "/discard")):
            same(a.status, 404)
    web.sql("UPDATE import SET expires_at = UTC_TIMESTAMP(6) WHERE id = %d" % m["id"])
    a = member.get(path)
    same(a.status, 404)
    has(a.text, "This import is over")
    same(confirm(m).status, 404)
    webstack.wait_for(lambda: member.get("/migration/import").status == 200 and web.sql(
        "SELECT COUNT(*) FROM import_row WHERE import_id = %d" % m["id"]) == [["0"]], 30, "its rows to be swept")


def test_a_discarded_import_is_gone():
    m = preview("\n".join([HEADER] + lines(1)))
    same(member.post("/migration/import/%d/discard" % m["id"]).status, 303)
    same(confirm(m).status, 404)


def test_an_admin_imports_with_servers_of_the_own_account_only():
    m = preview("\n".join([HEADER, line("adm")]), admin)
    same((m["good"], m["problems"][0]["column"]), (0, "sourceServerId"))
    page = admin.get("/migration/import").text
    lacks(page, "Theirs")


def test_the_template_names_the_servers_and_is_a_file_that_can_be_sent():
    web.sql("UPDATE server SET name = '=Old' WHERE id = %d" % OLD)
    try:
        a = member.get("/migration/import/template.csv")
    finally:
        web.sql("UPDATE server SET name = 'Old' WHERE id = %d" % OLD)
    rows = list(csv.reader(io.StringIO(a.text)))
    same(rows[0], HEADER.split(",") + ["name", "dryRun"])
    same({row[0] for row in rows[1:]}, {str(OLD), str(NEW)})
    has(a.text, "New one, shared")
    lacks(a.text, "Theirs")
    same({p["reason"] for p in preview(a.text)["problems"]}, {"The address is missing.", "The password is missing."})


def test_what_a_file_says_is_text_in_the_page():
    m = preview("\n".join([HEADER + ",name", line("<script>alert(1)</script>") + ",",
                           lines(1)[0] + ",<img src=x onerror=alert(2)>"]))
    page = member.get("/migration/import/%d" % m["id"]).text
    lacks(page, "<script>alert")
    lacks(page, "<img")
    has(page, "&lt;img src=x")


def test_many_problems_come_in_pages():
    m = preview(HEADER + "\n" + "a,\n" * 450)
    same((m["bad"], len(m["problems"])), (450, 200))
    second = member.json(m["problems_next_url"]).json()
    third = member.json(second["problems_next_url"]).json()
    same((len(third["problems"]), third["problems"][-1]["line"], third["problems_next_url"]), (50, 451, None))


if __name__ == "__main__":
    tap.run(globals())
