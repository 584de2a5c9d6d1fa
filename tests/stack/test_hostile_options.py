#!/usr/bin/python3
"""Threat T5: whatever is typed into an option is refused with a reason or arrives as a value, and never runs.

200 hostile values for each field go through the panel; what it takes is run by real programs between real servers, and
no canary appears.
"""
import glob
import json
import os
import re
import shutil
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import stack as stack_module  # noqa: E402
import imapbox  # noqa: E402
from panel import Panel, Refused  # noqa: E402

BUILD = os.environ.get("MCV_BUILDDIR", os.path.dirname(os.path.dirname(HERE)))
ENGINE = os.path.join(BUILD, "engine", "mailconvoy-sync")
LISTS = ("folder", "folderrec", "exclude", "f1f2")
TEXTS = LISTS + ("subfolder1", "subfolder2", "authuser1")
WORDS = ("useheader", "maxsize", "minsize", "maxage", "minage", "since", "before", "only", "maxbytespersecond",
         "maxmessagespersecond", "timeout", "connections", "authmech1", "authmech2")
# The words that every command line has, or may have, whatever was asked.
OURS = re.compile(r"--((host|port|user|passfile|sslargs)[12]=.*|(ssl|tls|nossl|notls)[12]|notrylogin|addheader|errorsmax=\d+|"
                  r"nolog|noreleasecheck|no-modulesversion|nodockercontext|(tmpdir|pidfile)=/.*|automap|"
                  r"verify=size|newerthan=\d+|foldermap=/.*)", re.S)
# A file has its name once it is whole: one of a --version that is just being asked is not seen empty.
RECORDER = """#!/bin/sh
(cd '%s' && printf '%%s\\0' "$@" >.$$ && mv .$$ "${0##*/}.$$")
exec '%s' "$@"
"""


def corpus(canary):
    """Values that break what is careless with a shell, Perl, a regular expression, IMAP, SQL, a path or a terminal."""
    run = ["touch %s" % canary, "/usr/bin/touch %s" % canary]
    perl = ['open(F,">%s")' % canary, 'system("touch %s")' % canary, "`touch %s`" % canary]
    shapes = ["%s", ";%s", "|%s", "&&%s", "$(%s)", "`%s`", "';%s;'", '";%s;"', "x%%0a%s", "\\\n%s", "\n%s", "--pipemess=%s",
              "--pipemess %s", "--regexmess=%s", "-e %s", "{%s}", "<(%s)", ">%s", "@{[%s]}", "${\\(%s)}", "(?{%s})", "(??{%s})",
              "s/.*/%s/e", "m{x(?{%s})}", "/x/;%s;", "',\\%s,'", "\x00%s", "\r\n%s", "BEGIN{%s}", "do{%s}", "eval{%s}", "qx(%s)",
              "#{%s}", "\\Q\\E%s", "%%s%s", "${IFS}%s"]
    values = [shape.replace("%s", what).replace("%%", "%") for shape in shapes for what in (run + perl)[:4]]
    values += ["-", "--", "-x", "--delete2", "--delete2=1", "--folder=INBOX", "--f1f2=a=b", "--dry", "--nodry", "--help", "--",
               "-- --delete2", "=", "==", "a=b=c", "'", '"', "''", '""', "\\", "\\\\", "/", "../../../etc/passwd", "/etc/passwd",
               "file:///etc/passwd", "~", "~root", "*", "%", "?", ".", "..", ".*", "^", "$", "[", "]", "(", ")", "(?", "a{1,99999}",
               "(a+)+$", "[a", "\\", "&", "&-", "&AOk", "&AOk-", "&&", "&-&-", "\u202egpj.exe", "\u200b", "\ufeff", "\U0001f4e7",
               "\u2028", "e\u0301", "\ud7ff", "\uffff", "A" * 500, "A" * 4100, "\t", " ", "\n", "\x01", "\x1b[31m", "\x7f", "\x85",
               "\xa0", "{5}", "{5+}", '"INBOX" NIL', "INBOX)", "INBOX\r\nA1 DELETE INBOX", "' OR 1=1 --", "');DROP TABLE job;--",
               "<script>alert(1)</script>", "{{7*7}}", "{{{x}}}", "%s%n%n", "%00", "0", "-1", "1e9", "99999999999999999999", "NaN"]
    values = list(dict.fromkeys(values))
    assert len(values) >= 200, len(values)
    return values


class World:
    """stored: what the panel took, by field; the canaries of all worlds are in one place."""

    def __init__(self, place, program, stored):
        self.place = place
        self.program = program
        self.stored = stored
        self.root = root = os.path.join(place, os.path.basename(program))
        self.argv = os.path.join(root, "argv")
        self.canary = os.path.join(place, "canary")
        os.makedirs(os.path.join(root, "bin"))
        os.makedirs(self.argv)
        recorder = {}
        for real in {program, ENGINE}:
            recorder[real] = os.path.join(root, "bin", os.path.basename(real))
            with open(recorder[real], "w", encoding="utf-8") as out:
                out.write(RECORDER % (self.argv, real))
            os.chmod(recorder[real], 0o755)
        self.stack = stack_module.Stack(os.path.join(root, "stack"), BUILD, port=0, with_sample=False,
                                        parts=("mariadb", "dovecot", "web", "worker"),
                                        settings={"sync_program": recorder[program], "poll_ms": 50,
                                                  "engine_program": recorder[ENGINE]})
        self.stack.start()
        env = self.stack.env
        self.password = env["MAIL_PASSWORD"]
        self.panel = Panel(env["URL"])
        self.panel.sign_in(env["ADMIN_EMAIL"], env["ADMIN_PASSWORD"])
        self.servers = [self.panel.add_server("Old", env["SRC_HOST"], env["SRC_PORT"])["id"],
                        self.panel.add_server("New", env["DST_HOST"], env["DST_PORT"])["id"]]
        self.values = corpus(self.canary)
        self.cancelled = []
        c = imapbox.connect(self.stack.source, "user1")
        for n in range(100):
            imapbox.create(c, "f%d" % n)
        imapbox.append(c, "f7", imapbox.message(1))
        c.logout()

    def queue(self, fields):
        sent = {"source_server_id": self.servers[0], "source_user": "user1", "source_password": self.password,
                "dest_server_id": self.servers[1], "dest_user": "user2", "dest_password": self.password, "options": "1",
                "dry_run_present": "1"}
        sent.update({"options." + name: value for name, value in fields.items()})
        return self.panel.form("/migration/jobs", sent)["job"]

    def cancel(self, job_id):
        self.panel.form("/migration/jobs/%d/cancel" % job_id, {})
        self.cancelled.append(job_id)

    def quiet(self):
        """Wait for what was cancelled while a worker had it already: its command line is of no later job."""
        for job_id in self.cancelled:
            self.panel.wait(job_id, seconds=180)
        self.cancelled.clear()

    def run(self, name, values):
        """A real run with these values; its page, and of each command line whether it is the engine's, and its words."""
        for path in glob.glob(self.argv + "/*"):
            os.unlink(path)
        job = self.queue({name: "\n".join(values)})
        model = self.panel.wait(job["id"], seconds=180)
        words = []
        for path in glob.glob(self.argv + "/*"):
            with open(path, "rb") as f:
                line = [word.decode("utf-8", "surrogateescape") for word in f.read().split(b"\0")[:-1]]
            if line != ["--version"]:
                words.append((os.path.basename(path).startswith("mailconvoy-sync"), line))
        return job, model, words

    def no_canary(self):
        found = [path for place in (self.place, "/tmp", os.getcwd())
                 for path in glob.glob(os.path.join(place, "canary*"))]
        found += [os.path.join(d, f) for d, _, files in os.walk(os.path.join(self.root, "stack", "state"))
                  for f in files if "canary" in f]
        assert not found, found


def raw(name):
    """What the server may be told: names that are no modified UTF-7 are encoded."""
    return {name, imapbox.mutf7(name)} if "&" in name else {imapbox.mutf7(name)}


def expected(name, value, imapsync):
    if name == "f1f2":
        source, destination = value.split("=")
        return {"--f1f2=%s=%s" % (s, d) for s in raw(source) for d in raw(destination)}
    if name == "authuser1":
        return {"--authuser1=%s" % value}
    if name == "exclude" and value == "INBOX":  # in whatever case the server writes it
        return {"--exclude=^[Ii][Nn][Bb][Oo][Xx]$"}
    if name == "exclude":
        return {"--exclude=^%s$" % re.sub(r"([\\^$.\[\]()|*+?{}])", r"\\\1", r) for r in raw(value)}
    return {"--%s=%s" % (name, r) for r in raw(value)} | ({"--folder=%s" % r for r in raw(value)}
                                                            if name == "folderrec" and imapsync else set())


def what_was_typed(value):
    """How a value is read: without blanks around its lines, and without empty lines."""
    return [line for line in (line.strip(" \t\r") for line in value.split("\n")) if line]


def refusal(why, names):
    """The reasons for these fields; of a request that is refused as a whole (NUL) there are none to be had."""
    assert why.status in (400, 422), why
    fields = json.loads(why.body).get("fields", {})
    assert why.status == 400 or set(fields) <= {"options." + name for name in names} and fields, why
    return None if why.status == 400 else {name: fields.get("options." + name) for name in names}


def every_value_is_refused_with_a_reason_or_stored_as_it_is(world):
    stored = world.stored
    stored.update((name, []) for name in TEXTS)
    for n, value in enumerate(world.values):
        for name in TEXTS:
            typed = "f%d=%s" % (n % 100, value) if name == "f1f2" and n % 3 else value
            try:
                job = world.queue({name: typed})
            except Refused as why:
                refusal(why, (name,))
                continue
            world.cancel(job["id"])
            got = job["options"].get(name, [])
            got = got if isinstance(got, list) else [got]
            assert got == what_was_typed(typed), (name, typed, got)
            stored[name] += got
        # these take no text at all: all of them at once
        try:
            job = world.queue(dict.fromkeys(WORDS, value))
            assert not what_was_typed(value), (value, job["options"])
            world.cancel(job["id"])
        except Refused as why:
            for name, reason in (refusal(why, WORDS) or {}).items():
                assert reason or re.fullmatch(r"[0-9A-Za-z-]+", value), (name, value, why)
    world.quiet()
    for name in LISTS:
        assert len(stored[name]) > 50, (name, len(stored[name]))
    world.no_canary()


def chunks(name, values):
    """As many as one job takes, each source of a pair once; what imapsync would take for a pattern apart."""
    if name == "folderrec":
        yield from chunks("", [value for value in values if not re.search("[*%]", value)])
        yield from chunks("", [value for value in values if re.search("[*%]", value)])
        return
    part, size, sources = [], 0, set()
    for value in values:
        source = value.split("=")[0] if name == "f1f2" else value
        if len(part) == (40 if name == "f1f2" else 100) or size + len(value.encode()) > 3900 or source in sources:
            yield part
            part, size, sources = [], 0, set()
        part.append(value)
        sources.add(source)
        size += len(value.encode()) + 1
    if part:
        yield part


def what_is_stored_reaches_the_programs_as_one_word_each(world):
    for name in LISTS:
        values = list(dict.fromkeys(world.stored[name]))
        for part in chunks(name, values):
            job, model, lines = world.run(name, part)
            log = world.panel.log(job["id"]).decode("utf-8", "replace")
            assert "++++ Statistics" in log, (name, model["outcome"], log[-3000:])
            assert model["job"]["reason"] not in ("usage", "no_statistics"), (name, model["outcome"])
            assert lines, name
            for engine, line in lines:
                want = [expected(name, value, not engine) for value in part]
                for value, one in zip(part, want):
                    assert one & set(line), (name, value, one)
                strange = [w for w in line if not OURS.fullmatch(w) and w not in set().union(*want)]
                assert not strange, (name, strange)
            world.no_canary()


def names_of_subfolders_and_users_reach_the_programs_as_one_word(world):
    for name in ("subfolder1", "subfolder2", "authuser1"):
        values = list(dict.fromkeys(world.stored[name]))
        for value in values[::max(1, len(values) // 8)]:
            _, model, lines = world.run(name, [value])
            assert model["job"]["reason"] not in ("usage", "no_statistics"), (name, value, model["outcome"])
            assert lines, (name, value)
            for _, line in lines:
                want = expected(name, value, False)
                assert want & set(line), (name, value, line)
                assert not [w for w in line if not OURS.fullmatch(w) and w not in want], line
            world.no_canary()


def run(place, program, tests, stored, number):
    """How many failed."""
    name = os.path.basename(program or "imapsync").replace("-", "_")
    world = None
    try:
        if program is None:
            for n, test in enumerate(tests, number):
                print("ok %d - %s_by_%s # SKIP no imapsync on PATH" % (n, test.__name__, name), flush=True)
            return 0
        world = World(place, program, stored)
        for number, test in enumerate(tests, number):
            began = time.monotonic()
            test(world)
            print("ok %d - %s_by_%s # %.0f s" % (number, test.__name__, name, time.monotonic() - began), flush=True)
        return 0
    except Exception:
        print("not ok %d - by_%s" % (number, name), flush=True)
        print("# " + "\n# ".join(traceback.format_exc().splitlines()), flush=True)
        return 1
    finally:
        if world:
            world.stack.stop()


def main():
    by_both = [what_is_stored_reaches_the_programs_as_one_word_each, names_of_subfolders_and_users_reach_the_programs_as_one_word]
    place = tempfile.mkdtemp(prefix="mcv-hostile-")
    stored = {}
    print("1..5", flush=True)
    failed = run(place, ENGINE, [every_value_is_refused_with_a_reason_or_stored_as_it_is] + by_both, stored, 1)
    if not failed:
        failed = run(place, shutil.which("imapsync"), by_both, stored, 4)
    shutil.rmtree(place, ignore_errors=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
