"""Every file: how long, how laid out, and what it does not say."""
import re

from lint import C_TOKEN, Rule, files, line_of, read, run

LINES_MAX = 500
TEXT = (".c", ".h", ".py", ".sh", ".js", ".mjs", ".css", ".html", ".txt", ".sql", ".md", ".mk", ".am", ".ac", ".in",
        ".conf", ".service", ".socket", ".1", ".5", ".7", ".8", ".json", ".awk", ".yml")
# Where a developer's machine would show.
PRIVATE_PATH = re.compile(r"(?<![\w.$}~-])/(work|home/[a-z]\w*|Users)/")


def is_text(path):
    return (path.endswith(TEXT) or "." not in path.split("/")[-1] or path.startswith(".ci/")) \
        and not path.startswith("tests/fuzz/corpus/")


def is_code(path):
    return path.endswith((".c", ".h", ".js", ".mjs", ".py", ".sh", ".css", ".html"))


def length(path, text):
    n = text.count("\n")
    if n > LINES_MAX:
        yield n, "%d lines, over %d: it does more than one thing" % (n, LINES_MAX)


def later(path, text):
    for m in re.finditer(r"\b(TO" r"DO|FIX" r"ME|X{3})\b", text):
        yield line_of(text, m.start()), "%s: do it, or file an issue" % m.group(1)


def layout(path, text):
    for number, line in enumerate(text.split("\n"), 1):
        if line.endswith("\r"):
            yield number, "CR at the end of the line"
        elif line != line.rstrip() and not path.endswith(".md"):
            yield number, "blanks at the end of the line"
        elif line.startswith("\t") and path.endswith((".py", ".html", ".json")):
            yield number, "a tab: indent with spaces here"
    if text and not text.endswith("\n"):
        yield text.count("\n") + 1, "no newline at the end of the file"
    if text.endswith("\n\n"):
        yield text.count("\n"), "empty lines at the end of the file"


def merged(path, text):
    for m in re.finditer(r"^(<{7}|>{7}|[|]{7}) .", text, re.M):
        yield line_of(text, m.start()), "a merge was not finished here"


def private(path, text):
    for m in PRIVATE_PATH.finditer(text):
        yield line_of(text, m.start()), "a path of somebody's machine: %s" % m.group(0)


def encoding(path, text):
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        yield 1, "not UTF-8"
    for m in re.finditer("[\0\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]", text):
        yield line_of(text, m.start()), "an invisible character: %r" % m.group(0)


def dead_code(path, text):
    for comment in C_TOKEN.finditer(text):
        if comment.group(0)[0] != "/":
            continue
        for m in re.finditer(r"^[ \t/*]*[\w>.\[\]-]+(\([^()]*\)|\s=\s[^;]*);\s*(\*/)?$", comment.group(0), re.M):
            yield line_of(text, comment.start() + m.start()), "code in a comment"
    for m in re.finditer(r"^\s*#\s*if\s+0\b", text, re.M):
        yield line_of(text, m.start()), "code switched off"


def line_comments(path, text):
    # What is left of // after block comments and strings are gone.
    blocks = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group(0)), text, flags=re.S)
    strings = re.sub(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', '""', blocks)
    for m in re.finditer(r"//", strings):
        yield line_of(strings, m.start()), "write /* ... */"


def secrets(path, text):
    for m in re.finditer(r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\\n\"']+[A-Za-z0-9+/]{20}", text):
        yield line_of(text, m.start()), "a private key"


def is_test(path):
    return bool(re.fullmatch(r"tests/\w+/test_\w+\.(c|py|sh|mjs)", path))


MAKEFILES = "".join(read(f).replace("%D%", f.rsplit("/", 1)[0])
                    for f in files() if f.startswith("tests/") and f.endswith("local.mk"))


def registered(path, text):
    folder, name = path.rsplit("/", 1)
    stem = name[:-2] if name.endswith(".c") else name
    if not re.search(r"\b%s/%s(?![\w.])" % (folder, re.escape(stem)), MAKEFILES):
        yield 1, "is in no local.mk: nothing runs it"


def executable_comment(path, text):
    if text.startswith("#!") and not re.search(r"\A#!.*\n(#|\"\"\")", text):
        yield 2, "say what this program is for below the first line"


RULES = [
    Rule("no_file_is_longer_than_500_lines", is_code, length, ("lib/x.c", "\n" * 501)),
    Rule("nothing_is_left_for_later", is_text, later, ("lib/x.c", "/* TO" "DO: later */\n")),
    Rule("lines_end_and_indent_one_way", is_text, layout, ("lib/x.c", "int x; \n")),
    Rule("no_merge_is_left_unfinished", is_text, merged, ("x", "<<<<<<" "< HEAD\n")),
    Rule("no_path_of_somebodys_machine", is_text, private, ("lib/x.c", "/* see /ho" "me/user/x */\n")),
    Rule("text_is_utf8_without_invisible_characters", is_text, encoding, ("lib/x.c", "a\u202eb\n")),
    Rule("no_code_in_comments", lambda p: p.endswith((".c", ".h", ".js", ".mjs")), dead_code,
         ("lib/x.c", "\t/* free(x); */\n")),
    Rule("c_comments_are_blocks", lambda p: p.endswith((".c", ".h")), line_comments, ("lib/x.c", "int x; // why\n")),
    Rule("no_private_key_is_committed", is_text, secrets,
         ("x", "-----BEGIN PRI" "VATE KEY-----\nMC4CAQAwBQYDK2VuBCIEIAAA\n")),
    Rule("every_test_is_run_by_make_check", is_test, registered, ("tests/lint/test_none.py", "")),
    Rule("every_script_says_what_it_is_for", is_text, executable_comment, ("x.sh", "#!/bin/sh\necho\n")),
]

if __name__ == "__main__":
    run(RULES)
