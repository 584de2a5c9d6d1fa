"""Templates print values only where escaping makes them harmless, and the browser's code only as text."""
import re

from lint import Rule, files, line_of, read, run

TAG = re.compile(r"\{\{\{(?P<raw>.*?)\}\}\}|\{\{(?P<kind>[#^/><$!&=]?)(?P<name>.*?)\}\}", re.S)
# Attributes whose value is an address: an interpolation at its beginning could say "javascript:".
ADDRESSES = ("href", "src", "action", "formaction", "poster", "data", "cite")
OURS = re.compile(r"(\w+\.)*(\w*url|static)$")


def is_page(path):
    return path.startswith("templates/") and path.endswith(".html")


def is_template(path):
    return path.startswith("templates/") and path.endswith((".html", ".txt"))


def is_script(path):
    return path.startswith("templates/static/") and path.endswith(".js")


def tags(text):
    """(offset, kind, name); kind "{" is the triple form."""
    for m in TAG.finditer(text):
        raw = m.group("raw")
        yield m.start(), "{" if raw is not None else m.group("kind"), (raw or m.group("name") or "").strip()


def allowed():
    rows = [line.split() for line in read("tests/lint/raw_output.txt").splitlines() if not line.startswith("#")]
    return {(row[0], row[1]) for row in rows if len(row) > 2}


def raw(path, text):
    for at, kind, name in tags(text):
        if kind in ("{", "&") and (path, name) not in allowed():
            yield line_of(text, at), "%s is printed unescaped; see tests/lint/raw_output.txt" % name


def flattened(text):
    """Mustache tags replaced by one letter each, so that HTML can be read: values V, everything else nothing."""
    offsets, out, end = [], [], 0
    for m in TAG.finditer(text):
        out.append(text[end:m.start()])
        offsets += range(end, m.start())
        if m.group("raw") is not None or m.group("kind") in ("", "&"):
            out.append("\1")
            offsets.append(m.start())
        end = m.end()
    out.append(text[end:])
    offsets += range(end, len(text) + 1)
    return "".join(out), offsets


HTML = re.compile(r"<!--.*?-->|<(?P<close>/?)(?P<tag>[a-zA-Z!][\w:-]*)(?P<rest>(?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>", re.S)
ATTRIBUTE = re.compile(r"(?P<name>[^\s=>\"'/]+)(?:\s*=\s*(?P<value>\"[^\"]*\"|'[^']*'|[^\s>\"']+))?")


def elements(text):
    flat, offsets = flattened(text)
    for m in HTML.finditer(flat):
        yield m, offsets


def value_at(text, offsets, at):
    m = TAG.match(text, offsets[at])
    return (m.group("raw") or m.group("name")).strip()


def attributes(wanted):
    """The rule for one kind of what is wrong: place, inline or address."""
    def find(path, text):
        return ((line, what) for line, kind, what in all_attributes(text) if kind == wanted)
    return find


def all_attributes(text):
    for m, offsets in elements(text):
        if m.group("tag") is None:
            if "\1" in m.group(0):
                yield line_of(text, offsets[m.start()]), "place", "a value inside an HTML comment"
            continue
        for a in ATTRIBUTE.finditer(m.group("rest")):
            where = line_of(text, offsets[m.start("rest") + a.start()])
            name, value = a.group("name").lower(), a.group("value")
            if "\1" in name:
                yield where, "place", "a value where the name of an attribute belongs"
            if value and value[0] not in "\"'":
                yield where, "place", "%s= without quotes" % name
            if re.match(r"on\w+$", name) or name in ("style", "srcdoc"):
                yield where, "inline", "%s= is inline code or style, which the Content-Security-Policy refuses" % name
            if value and re.match(r"[\"']?\s*(javascript|vbscript|data):", value, re.I):
                yield where, "address", "%s=%s" % (name, value)
            if value and name in ADDRESSES and value[1:2] == "\1":
                what = value_at(text, offsets, m.start("rest") + a.start("value") + 1)
                if not OURS.match(what):
                    yield (where, "address",
                           "%s= begins with {{%s}}: only a name in url is known to be an address" % (name, what))


def code(path, text):
    flat, offsets = flattened(text)
    for m in re.finditer(r"<(script|style)\b([^>]*)>(.*?)</\1>", flat, re.S | re.I):
        if m.group(3).strip() or m.group(1).lower() == "style":
            yield line_of(text, offsets[m.start()]), "<%s> with content: put it in a file" % m.group(1)
        elif "src=" not in m.group(2):
            yield line_of(text, offsets[m.start()]), "<script> without src"


def balance(path, text):
    opened = []
    for at, kind, name in tags(text):
        if kind in ("#", "^", "$", "<"):
            opened.append((name, at))
        elif kind == "/":
            if not opened or opened[-1][0] != name:
                yield line_of(text, at), "{{/%s}} closes nothing" % name
                return
            opened.pop()
    for name, at in opened:
        yield line_of(text, at), "{{%s}} is never closed" % name


NAMES = set(files())


def parts(path, text):
    extension = path[path.rindex("."):]
    for at, kind, name in tags(text):
        if kind in (">", "<") and "templates/" + name + ("" if "." in name else extension) not in NAMES:
            yield line_of(text, at), "there is no template %s" % name


def forms(path, text):
    for m in re.finditer(r"<form\b[^>]*method=\"post\".*?(</form>|\Z)", text, re.S | re.I):
        if 'name="csrf"' not in m.group(0) and not re.search(r"\{\{>\s*\w*csrf\w*\s*\}\}", m.group(0)):
            yield line_of(text, m.start()), "a POST form without the csrf field"


def foreign(path, text):
    for m in re.finditer(r"\b(?:src|href|action|url)\s*[=(]\s*[\"']?\s*(?:https?:)?//", text, re.I):
        yield line_of(text, m.start()), "comes from another site"


def script(path, text):
    for m in re.finditer(r"\.(innerHTML|outerHTML|insertAdjacentHTML|srcdoc)\b|\bdocument\.write|\beval\s*\(|"
                         r"\bnew Function\b|\bset(Timeout|Interval)\s*\(\s*[\"']|\bDOMParser\b|createContextualFragment",
                         text):
        yield line_of(text, m.start()), "%s turns text into markup or code" % m.group(0)


X = "templates/x.html"
RULES = [
    Rule("nothing_is_printed_unescaped_outside_the_list", is_template, raw, (X, "<p>{{{x}}}</p>")),
    Rule("values_stand_in_text_and_quoted_attributes_only", is_page, attributes("place"), (X, "<a title={{x}}>")),
    Rule("no_event_handlers_or_inline_styles", is_page, attributes("inline"), (X, '<a onclick="x()">')),
    Rule("an_address_is_one_of_ours", is_page, attributes("address"), (X, '<a href="{{name}}">')),
    Rule("scripts_and_styles_are_files", is_page, code, (X, "<script>var x = {{x}};</script>")),
    Rule("sections_and_blocks_are_closed", is_template, balance, (X, "{{#a}}{{/b}}")),
    Rule("parts_and_layouts_exist", is_template, parts, (X, "{{>nowhere}}")),
    Rule("every_post_form_carries_the_csrf_field", is_page, forms, (X, '<form method="post"></form>')),
    Rule("nothing_comes_from_another_site", lambda p: p.startswith("templates/"), foreign,
         (X, '<script src="https://example.org/x.js">')),
    Rule("scripts_treat_what_they_get_as_text", is_script, script, ("templates/static/x.js", "a.innerHTML = b;")),
]

if __name__ == "__main__":
    run(RULES)
