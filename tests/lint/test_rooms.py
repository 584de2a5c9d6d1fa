"""Doors open downward only: which room includes and does what."""
import re

from lint import ROOMS, Rule, c_code, c_strings, line_of, read, run

MAY_INCLUDE = {
    "lib": {"lib"},
    "imap": {"imap", "lib"},
    "sql": {"sql", "lib"},
    "fcgi": {"fcgi", "sql", "imap", "lib"},
    "worker": {"worker", "sql", "imap", "lib"},
    "engine": {"engine", "imap", "lib"},
    "ctl": {"ctl", "sql", "imap", "lib"},
}
# Each foreign thing has one owner: header, then who may include it.
OWNERS = {
    r"mysql\.h|mariadb/.*": r"sql/db\.c",
    r"fcgiapp\.h|fcgi_.*": r"fcgi/main\.c",
    r"libesmtp\.h|auth-client\.h": r"worker/mail\.c",
    r"curl/.*": r"ctl/http\.c",
    r"confuse\.h": r"lib/conf\.c",
    r"crypt\.h": r"lib/password\.c",
    r"oath\.h|liboath/.*": r"fcgi/totp\.c",
    r"qrencode\.h": r"fcgi/qr\.c",
    r"zlib\.h": r"(sql/logzip|imap/deflate)\.c",
    r"stringprep\.h": r"imap/saslprep\.c",
    r"openssl/ssl\.h": r"imap/(tls|stream)\.c",
    r"json-c/.*": r"(lib|fcgi|ctl)/.*|worker/notify_text\.c",
    r"regex\.h": r"engine/chosen\.c",  # imapsync's --include, --exclude; never a pattern from the panel
}
SQL = re.compile(r"\b(SELECT\s.*\sFROM|INSERT\s+(IGNORE\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|REPLACE\s+INTO|"
                 r"(CREATE|ALTER|DROP)\s+TABLE|START\s+TRANSACTION)\b", re.S)
MARKUP = re.compile(r"</?(a|b|body|br|button|code|div|em|form|h[1-6]|head|html|img|input|label|li|link|main|meta|nav|ol|"
                    r"option|p|pre|script|section|select|small|span|strong|style|table|td|th|tr|ul)\b[^<]*", re.I)


def room(path):
    return path.split("/")[0]


def is_c(path):
    return room(path) in ROOMS and path.endswith((".c", ".h"))


def includes(text, kind):
    opening, closing = ('"', '"') if kind == "own" else ("<", ">")
    for m in re.finditer(r'^\s*#\s*include\s+' + opening + "([^" + closing + "]+)" + closing, text, re.M):
        yield line_of(text, m.start()), m.group(1)


def doors(path, text):
    for line, name in includes(text, "own"):
        if name != "config.h" and room(name) not in MAY_INCLUDE[room(path)]:
            yield line, "%s/ may not include %s" % (room(path), name)


def owners(path, text):
    for line, name in includes(text, "foreign"):
        for header, owner in OWNERS.items():
            if re.fullmatch(header, name) and not re.fullmatch(owner, path):
                yield line, "<%s> belongs to %s alone" % (name, owner.replace("\\", ""))


def calls(names, owner, why):
    def find(path, text):
        if re.fullmatch(owner, path):
            return
        code = c_code(text)
        for m in re.finditer(r"(?<![\w>.])(%s)\s*\(" % names, code):
            yield line_of(code, m.start()), "%s(): %s" % (m.group(1), why)
    return find


def sql_text(path, text):
    for at, s in c_strings(text):
        if SQL.search(s):
            yield line_of(text, at), "SQL outside sql/: %s" % s[:60]


def markup_text(path, text):
    for at, s in c_strings(text):
        if MARKUP.search(s):
            yield line_of(text, at), "markup outside templates/: %s" % s[:60]


def sources(room_name):
    """The order of a room's files in its local.mk."""
    try:
        text = read(room_name + "/local.mk")
    except FileNotFoundError:
        return []
    return [room_name + "/" + n for n in re.findall(r"%D%/([\w.]+\.[ch])\b", text)]


ORDER = {r: sources(r) for r in ROOMS}


def order(path, text):
    listed = ORDER[room(path)] if path not in SAMPLE_ORDER else SAMPLE_ORDER
    if path not in listed:
        yield 1, "is not in %s/local.mk" % room(path)
        return
    for line, name in includes(text, "own"):
        own = name[:-2] == path[:-2]
        if room(name) == room(path) and not own and name in listed and listed.index(name) > unit_place(listed, path):
            yield line, "%s stands below %s in the room's SOURCES" % (name, path)


def unit_place(listed, path):
    """A header stands where its .c file does."""
    pair = path[:-2] + (".c" if path.endswith(".h") else ".h")
    return max(listed.index(p) for p in (path, pair) if p in listed)


SAMPLE_ORDER = ["lib/sample_a.c", "lib/sample_a.h", "lib/sample_b.c", "lib/sample_b.h"]


# What these return only repeats what their caller told them, for "return imap_fail(...)".
REPEATS = re.compile(r"\w*_fail(ure|_\w+)?|page_json|page_redirect|link_note")


def must_check(path, text):
    code = c_code(text)
    for m in re.finditer(r"^enum err\s+(\w+)\([^;{]*;", code, re.M):
        if "MUST_CHECK" not in m.group(0) and not REPEATS.fullmatch(m.group(1)):
            yield line_of(code, m.start()), "an enum err that may go unread: add MUST_CHECK"


def guard(path, text):
    want = "MCV_" + re.sub(r"[/.]", "_", path).upper()
    if not text.startswith("/*"):
        yield 1, "a header begins with what it is for"
    if "#ifndef %s\n#define %s\n" % (want, want) not in text:
        yield 1, "the guard is not %s" % want


def not_in(*rooms):
    return lambda p: is_c(p) and room(p) not in rooms


RULES = [
    Rule("rooms_include_only_what_stands_below_them", is_c, doors, ("lib/x.c", '#include "sql/db.h"\n')),
    Rule("each_foreign_thing_has_one_owner", is_c, owners, ("fcgi/x.c", "#include <mysql.h>\n")),
    Rule("a_file_includes_only_files_listed_above_it", is_c, order, ("lib/sample_a.c", '#include "lib/sample_b.h"\n')),
    Rule("only_spawn_c_forks", is_c,
         calls("fork|vfork|clone|posix_spawnp?|system|popen|daemon", r"worker/spawn\.c", "worker/spawn.c alone forks"),
         ("worker/x.c", "\tpid = fork();\n")),
    Rule("only_imap_resolves_names_and_opens_connections", is_c,
         calls("getaddrinfo|gethostbyname|connect", r"(imap/dial|worker/vet|ctl/\w+)\.c",
               "imap/dial.c alone connects, and worker/vet.c judges where a run would"),
         ("fcgi/x.c", "\tif (connect(fd, a, n) != 0)\n")),
    Rule("no_call_that_cannot_be_made_safe", is_c,
         calls("gets|strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|alloca|rand|srand|tmpnam|mktemp|tempnam|strncpy|"
               "sleep|usleep", r"nobody", "has a safer sister"),
         ("lib/x.c", "\tstrcpy(a, b);\n")),
    Rule("sql_stands_only_in_sql", not_in("sql"), sql_text, ("fcgi/x.c", '\tq = "SELECT id "\n\t    "FROM job";\n')),
    Rule("markup_stands_only_in_templates", is_c, markup_text, ("fcgi/x.c", '\tbuf_adds(b, "<div class=x>");\n')),
    Rule("every_error_returned_must_be_read", lambda p: is_c(p) and p.endswith(".h"), must_check,
         ("lib/x.h", "enum err x(int a,\n    int b);\n")),
    Rule("every_header_says_what_it_is_for_and_is_guarded", lambda p: is_c(p) and p.endswith(".h"), guard,
         ("lib/x.h", "#ifndef X_H\n")),
]

if __name__ == "__main__":
    run(RULES)
