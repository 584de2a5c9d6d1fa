"""bench.py [FIGURE...]: what the panel costs, measured side by side in one run; prints each figure beside its bound.

Figures: job (a job through the panel over the same command run by hand; and what the verification
behind it adds), start (from submitting to the program's start),
idle (the worker's CPU while nothing is queued), memory (resident, of a web process and of the worker),
import (10,000 rows of CSV: time, and memory of the web process),
bulk (10,000 jobs of a batch queued again at one request; the batch's page and its CSV report then).
MCV_BUILDDIR is an optimised build; MCV_SYNC_PROGRAM the program (imapsync on PATH, else the built-in engine).
"""

import os
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [os.path.join(TESTS, "stack"), os.path.join(TESTS, "engine")]

import imapbox  # noqa: E402
from panel import Panel  # noqa: E402
from process import wait_for  # noqa: E402
from stack import Stack  # noqa: E402

BUILD = os.environ.get("MCV_BUILDDIR", os.path.dirname(TESTS))
PROGRAM = (os.environ.get("MCV_SYNC_PROGRAM") or shutil.which("imapsync")
           or os.path.join(BUILD, "engine", "mailconvoy-sync"))
# So many that the wait of half a second at most for a free worker is a small part of the run.
MESSAGES = int(os.environ.get("MCV_MESSAGES", "6000"))
MESSAGE_BYTES = 48 * 1024
ROWS = int(os.environ.get("MCV_ROWS", "10000"))
ROUNDS = int(os.environ.get("MCV_ROUNDS", "3"))
STARTS = 25
IDLE_S = 60


def report(name, value, unit, bound):
    print("%-58s %8.2f %-4s (at most %s)  %s" % (name, value, unit, bound, "ok" if value <= bound else "MISSED"), flush=True)


def open_panel(stack):
    panel = Panel(stack.env["URL"])
    panel.sign_in(stack.env["ADMIN_EMAIL"], stack.env["ADMIN_PASSWORD"])
    source = panel.add_server("Source", stack.env["SRC_HOST"], stack.env["SRC_PORT"])
    destination = panel.add_server("Destination", stack.env["DST_HOST"], stack.env["DST_PORT"])
    return panel, source["id"], destination["id"]


def fill(stack):
    c = imapbox.connect(stack.source, "user1")
    for n in range(MESSAGES):
        imapbox.append(c, "INBOX", imapbox.message(n, size=MESSAGE_BYTES))
    c.logout()


def words_of(user):
    """The command line of the run that copies to user now, None when there is none yet."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as f:
                words = f.read().decode(errors="replace").split("\0")[:-1]
        except OSError:
            continue
        if "--user2=" + user in words and "--keeper" not in words:
            return words
    return None


def by_hand(stack, words, user, directory):
    """The same command in a terminal: its wall time in seconds."""
    passfile = os.path.join(directory, "passfile")
    with open(passfile, "w", encoding="utf-8") as out:
        os.fchmod(out.fileno(), 0o600)
        out.write(stack.env["MAIL_PASSWORD"] + "\n")
    job_dir = os.path.join(directory, user)
    os.makedirs(job_dir)
    mine = []
    for word in words:
        word = re.sub(r"^--(passfile[12])=.*", r"--\1=" + passfile, word)
        word = re.sub(r"^--tmpdir=.*", "--tmpdir=" + job_dir, word)
        word = re.sub(r"^--pidfile=.*", "--pidfile=" + job_dir + "/pid", word)
        mine.append(re.sub(r"^--user2=.*", "--user2=" + user, word))
    env = {"PATH": os.environ["PATH"], "HOME": job_dir, "TMPDIR": job_dir, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    began = time.monotonic()
    with open(os.path.join(job_dir, "log"), "wb") as log:
        status = subprocess.run(mine, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=job_dir, env=env).returncode
    if status != 0:
        raise RuntimeError("by hand it ended with status %d, see %s" % (status, log.name))
    return time.monotonic() - began


def through_the_panel(directory, verify):
    """Median seconds of a job through the panel and of the same command by hand, each in turn."""
    settings = {"sync_program": PROGRAM, "verify": verify}
    with Stack(directory, BUILD, 0, with_sample=False, settings=settings) as stack:
        panel, source, destination = open_panel(stack)
        fill(stack)
        password = stack.env["MAIL_PASSWORD"]
        panel_s, hand_s, words = [], [], None
        for n in range(ROUNDS):
            began = time.monotonic()
            job = panel.add_job(source, "user1", password, destination, "user%d" % (2 + n), password, dry_run=False)
            words = words or wait_for("the run starts", lambda: words_of("user2"))
            model = panel.wait(job["id"])
            panel_s.append(time.monotonic() - began)
            if model["job"]["state"] != "done":
                raise RuntimeError("the job ended as %s" % model["job"]["state"])
            hand_s.append(by_hand(stack, words, "user%d" % (12 + n), directory))
        print("%s, %d messages of %d KiB, verify %s: panel %s s, by hand %s s" % (
            os.path.basename(PROGRAM), MESSAGES, MESSAGE_BYTES // 1024, verify, ["%.2f" % s for s in panel_s],
            ["%.2f" % s for s in hand_s]))
        return statistics.median(panel_s), statistics.median(hand_s)


def bench_job(directory):
    panel_s, hand_s = through_the_panel(os.path.join(directory, "alone"), "off")
    report("job through the panel over the command by hand", panel_s / hand_s, "x", 1.03)
    print("of that, to wait for a worker and to write down the end: %.2f s" % (panel_s - hand_s))
    # What a terminal does not do: the comparison behind the run.
    panel_s, hand_s = through_the_panel(os.path.join(directory, "verified"), "size")
    print("verification of %d messages behind the run: %.2f s more than by hand" % (MESSAGES, panel_s - hand_s))


def stub(directory, text):
    path = os.path.join(directory, "program")
    with open(path, "w", encoding="ascii") as out:
        out.write(text)
    os.chmod(path, 0o755)
    return path


def bench_start(directory):
    starts = os.path.join(directory, "starts")
    program = stub(directory, "#!/bin/sh\ndate +%%s%%N >>%s\necho '++++ Statistics'\n" % starts)
    with Stack(os.path.join(directory, "start"), BUILD, 0, with_sample=False, settings={"sync_program": program}) as stack:
        panel, source, destination = open_panel(stack)
        # The program is asked for its version when the worker starts.
        before = len(open(starts, encoding="ascii").readlines()) if os.path.exists(starts) else 0
        waits = []
        for n in range(STARTS):
            # Not in step with the worker's polling.
            time.sleep(0.137 * (n % 7))
            sent = time.time_ns()
            job = panel.add_job(source, "user1", "x" * 12, destination, "user1", "x" * 12)
            panel.wait(job["id"])
            with open(starts, encoding="ascii") as f:
                waits.append((int(f.read().split()[before + n]) - sent) / 1e9)
        report("median time from submitting a job to its program's start", statistics.median(waits), "s", 0.7)


def cpu_s(pid):
    """To the nanosecond: what is used between two clock ticks counts, too."""
    with open("/proc/%d/schedstat" % pid, encoding="ascii") as f:
        return int(f.read().split()[0]) / 1e9


def resident_mb(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1)) / 1024


def bench_idle(directory):
    with Stack(os.path.join(directory, "idle"), BUILD, 0, parts=("mariadb", "worker"), with_sample=False) as stack:
        pid = stack.env["WORKER_PID"]
        began, used = time.monotonic(), cpu_s(pid)
        time.sleep(IDLE_S)
        report("idle worker's CPU over %d s" % IDLE_S, 100 * (cpu_s(pid) - used) / (time.monotonic() - began), "%", 1.0)


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as f:
        return [int(word) for word in f.read().split()]


def bench_memory(directory):
    program = stub(directory, "#!/bin/sh\nyes 'msg INBOX/1 {100} copied to INBOX/1' | head -c 50000000\nsleep 20\n")
    with Stack(os.path.join(directory, "memory"), BUILD, 0, with_sample=False, settings={"sync_program": program}) as stack:
        panel, source, destination = open_panel(stack)
        jobs = [panel.add_job(source, "user1", "x" * 12, destination, "user%d" % n, "x" * 12) for n in range(2)]
        peak, busy = 0, time.monotonic() + 12
        while time.monotonic() < busy:
            peak = max(peak, resident_mb(stack.env["WORKER_PID"]))
            for path in ("/migration/jobs", "/migration/servers", "/migration/jobs/new"):
                panel.page(path)
            for job in jobs:
                panel.page("/migration/jobs/%d" % job["id"])
                panel.get("/migration/jobs/%d/tail?offset=0" % job["id"])
                panel.log(job["id"])
        web = max(resident_mb(pid) for pid in children(stack.env["WEB_PID"]))
        report("largest web process after 12 s of pages, tails and logs", web, "MB", 15)
        report("worker, two jobs of 50 MB output each", peak, "MB", 15)


def peak_mb(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        return int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1)) / 1024


def bench_import(directory):
    """A file of MCV_ROWS mailboxes, with options: from the first byte sent to the batch confirmed."""
    with Stack(os.path.join(directory, "import"), BUILD, 0, parts=("mariadb", "web"), with_sample=False) as stack:
        panel = Panel(stack.env["URL"])
        panel.sign_in(stack.env["ADMIN_EMAIL"], stack.env["ADMIN_PASSWORD"])
        source = panel.add_server("Source", "old.example.org", 993)["id"]
        destination = panel.add_server("Destination", "new.example.org", 993)["id"]
        lines = ["sourceServerId,sourceEmail,sourcePassword,destServerId,destEmail,destPassword"]
        lines += ["%s,user%d@example.org,password %d,%s,user%d@example.net,\"pass,word\"" % (
            source, n, n, destination, n) for n in range(ROWS)]
        began = time.monotonic()
        made = panel.import_file("\n".join(lines), options={"exclude": ["Trash", "Junk"], "maxsize": 25000000})
        previewed = time.monotonic()
        batch = panel.form("/migration/import/%d/confirm" % made["id"], {"tag": "bench", "dry_run": "1"})["batch"]
        ended = time.monotonic()
        jobs = panel.get("/migration/jobs?batch=%d" % batch["id"])["matching"]
        if jobs != ROWS:
            raise RuntimeError("%d jobs of %d rows" % (jobs, ROWS))
        print("%d rows: preview %.2f s, confirmation %.2f s" % (ROWS, previewed - began, ended - previewed))
        report("import of %d rows, preview and confirmation" % ROWS, ended - began, "s", 5)
        report("largest web process while it was imported (peak)",
               max(peak_mb(pid) for pid in children(stack.env["WEB_PID"])), "MB", 40)


def bench_bulk(directory):
    """A batch of MCV_ROWS ended dry runs: from the confirmation to the last job queued again."""
    with Stack(os.path.join(directory, "bulk"), BUILD, 0, parts=("mariadb", "web"), with_sample=False) as stack:
        panel = Panel(stack.env["URL"])
        panel.sign_in(stack.env["ADMIN_EMAIL"], stack.env["ADMIN_PASSWORD"])
        stack.db.sql("""USE mailconvoy;
            INSERT INTO batch (id, account_id, tag, created_at) SELECT 1, MIN(id), 'bench', UTC_TIMESTAMP(6) FROM account;
            INSERT INTO job (account_id, batch_id, dry_run, src_server_name, src_host, src_port, src_security, src_verify,
                src_user, src_sealed, dst_server_name, dst_host, dst_port, dst_security, dst_verify, dst_user, dst_sealed,
                state, queued_at, started_at, finished_at, updated_at, reason, messages_total, bytes_total)
            SELECT account_id, id, 1, 'Source', 'old.example.org', 993, 'tls', 1, CONCAT('user', seq, '@example.org'),
                REPEAT('s', 96), 'Destination', 'new.example.org', 993, 'tls', 1, CONCAT('user', seq, '@example.net'),
                REPEAT('d', 96), 'done', created_at + INTERVAL seq MICROSECOND, created_at, UTC_TIMESTAMP(6),
                UTC_TIMESTAMP(6), 'ok_dry', seq, seq * 1000
            FROM batch, seq_1_to_%d""" % ROWS)
        for pid in children(stack.env["WEB_PID"]):  # what checking a password takes is not meant here
            with open("/proc/%d/clear_refs" % pid, "w", encoding="ascii") as f:
                f.write("5")
        began = time.monotonic()
        asked = panel.form("/migration/jobs/bulk", {"action": "run_real", "scope": "matching", "batch": 1})["bulk"]
        counted = time.monotonic()
        done = panel.form("/migration/bulk/%d" % asked["id"], {})
        ended = time.monotonic()
        if [(c["outcome"], c["count"]) for c in done["counts"]] != [("requeued", ROWS)]:
            raise RuntimeError("not all were queued again: %s" % done["counts"])
        print("%d jobs: counted in %.2f s" % (ROWS, counted - began))
        report("%d jobs queued again" % ROWS, ended - counted, "s", 3)
        began = time.monotonic()
        model = panel.get("/migration/batches/1")
        report("a batch of %d mailboxes and %d runs as a page" % (model["totals"]["mailboxes"], model["totals"]["runs"]),
               time.monotonic() - began, "s", 0.5)
        began = time.monotonic()
        panel.raw("GET", "/migration/batches/1/report.csv")
        report("its report as CSV", time.monotonic() - began, "s", 3)
        report("largest web process then (peak)", max(peak_mb(pid) for pid in children(stack.env["WEB_PID"])), "MB", 15)


FIGURES = {"job": bench_job, "start": bench_start, "idle": bench_idle, "memory": bench_memory, "import": bench_import,
           "bulk": bench_bulk}


def main():
    for name in sys.argv[1:] or FIGURES:
        with tempfile.TemporaryDirectory(prefix="mcv-bench-") as directory:
            os.chmod(directory, 0o755)
            FIGURES[name](directory)


if __name__ == "__main__":
    main()
