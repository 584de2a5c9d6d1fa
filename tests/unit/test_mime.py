"""Mails as lib/mime.c makes them, read by Python's parser."""
import email
import email.policy
import os
import random
import subprocess
import sys
import traceback

BUILD = os.environ.get("MCV_BUILDDIR") or os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PROGRAM = os.path.join(BUILD, "tests", "unit", "mime_build")
HEADERS = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]


def build(**fields):
    """The mail's bytes; None when it was refused."""
    values = dict(name="mailconvoy", sender="panel@example.org", to="owner@example.org", subject="Hello",
                  message_id="1.2@example.org", text="Text\n", html="<p>HTML</p>\n")
    values.update(fields)
    words = [v if isinstance(v, bytes) else v.encode() for v in values.values()]
    done = subprocess.run([PROGRAM], input=b"".join(w + b"\0" for w in words), stdout=subprocess.PIPE, check=False)
    assert done.returncode in (0, 1), "exit %d" % done.returncode
    return done.stdout if done.returncode == 0 else None


def read(raw):
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert not mail.defects, mail.defects
    return mail


def check_wire(raw):
    """What every mail keeps, whatever is in it."""
    assert raw.endswith(b"\r\n")
    for line in raw.split(b"\r\n"):
        assert b"\r" not in line and b"\n" not in line, "a bare CR or LF: %r" % line
        assert len(line) <= 78 or line.startswith(b" <"), "a long line: %r" % line
        assert not line.startswith((b".", b"From ")), "a line that means something on the way: %r" % line
        assert all(byte < 128 for byte in line), "8 bits: %r" % line
    mail = read(raw)
    assert mail.keys() == HEADERS, mail.keys()
    assert [part.get_content_type() for part in mail.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    return mail


def subject_of(text):
    return check_wire(build(subject=text))["Subject"]


def bodies(mail):
    return [part.get_content().replace("\r\n", "\n") for part in mail.iter_parts()]


def a_plain_mail_reads_as_it_was_written():
    mail = check_wire(build(subject="Done: old@example.org"))
    assert mail["From"] == "mailconvoy <panel@example.org>", mail["From"]
    assert mail["To"].addresses[0].addr_spec == "owner@example.org"
    assert mail["Subject"] == "Done: old@example.org"
    assert mail["Date"] == "Tue, 14 Nov 2023 22:13:20 +0000", mail["Date"]
    assert mail["Message-ID"] == "<1.2@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert bodies(mail) == ["Text\n", "<p>HTML</p>\n"], bodies(mail)


def eight_bit_subjects_come_back_whole():
    for text in ("Größe", "名前のない長い長い名前" * 8, "a" * 39 + "ü" * 60, "😀" * 50, "Straße " * 30 + "x"):
        assert subject_of(text) == text.strip(), subject_of(text)


def a_long_ascii_subject_is_folded_and_comes_back():
    for text in ("word " * 60 + "end", "x" * 500, "=?UTF-8?B?AAAA?= stays text", "a  b   c " * 20 + "d"):
        assert subject_of(text) == text, subject_of(text)


def a_line_break_in_a_subject_begins_no_header():
    for text in ("x\r\nBcc: victim@example.org", "x\nBcc: v", "x\rBcc: v", "x\r\n\r\nbody", "ü\r\nBcc: v", "\r\n\r\n",
                 "x\u2028Bcc: v", "x\u0085Bcc: v", "x\x0bBcc: v", "x\x00Bcc: v".replace("\x00", "\x01")):
        got = subject_of(text)
        assert "\r" not in got and "\n" not in got


def a_name_begins_no_header_and_no_address():
    for name in ("x\r\nBcc: v@example.org", "x <evil@example.org>,", "\"", "Größe", "a" * 200, ""):
        mail = check_wire(build(name=name))
        assert [a.addr_spec for a in mail["From"].addresses] == ["panel@example.org"], mail["From"]


def an_address_that_needs_more_than_a_dot_atom_is_refused():
    bad = ("x@y>\r\nRCPT TO:<victim@example.org", "a b@example.org", "a,b@example.org", "\"a\"@example.org",
           "(c)a@example.org", "a@example.org\r\nBcc: v", "ü@example.org", "a@bücher.example", ".a@example.org",
           "a.@example.org", "a..b@example.org", "@example.org", "a@", "a", "", "a" * 65 + "@example.org",
           "<a@example.org>", "a@[127.0.0.1]", "a@example.org ", "a@b@example.org", "a;b@example.org")
    for address in bad:
        assert build(to=address) is None, address
        assert build(sender=address) is None, address
        assert build(message_id=address) is None, address
    for address in ("a@b", "first.last+tag@example.org", "o'brien@example.org", "x" * 64 + "@" + "y" * 60 + ".org"):
        assert check_wire(build(to=address))["To"].addresses[0].addr_spec == address


def bodies_come_back_with_lf_for_every_line_end():
    for text, back in (("a\r\nb\rc\nd", "a\nb\nc\nd\n"), ("\n\n", "\n\n"), ("x \ny\t\n", "x \ny\t\n"),
                       ("äöü€😀\n" * 50, "äöü€😀\n" * 50), ("x" * 3000, "x" * 3000 + "\n"), ("=\n==\n=3D", "=\n==\n=3D\n"),
                       ("a.b" * 40, "a.b" * 40 + "\n")):
        for at, field in enumerate(("text", "html")):
            got = bodies(check_wire(build(**{field: text})))[at]
            assert got == back, (got, back)


def a_body_cannot_end_the_mail_or_a_part():
    evil = "\n.\r\n.\n..\nFrom x\nMAIL FROM:<>\n--=_mailconvoy_part--\n--=_mailconvoy_part\nContent-Type: x/y\n"
    mail = check_wire(build(text=evil))
    assert bodies(mail)[0].rstrip("\n") == evil.replace("\r\n", "\n").rstrip("\n"), bodies(mail)


def bytes_that_are_no_utf_8_become_replacements():
    mail = check_wire(build(text=b"a\xffb\xc3", subject=b"a\xffb"))
    assert bodies(mail)[0] == "a\ufffdb\ufffd\n", bodies(mail)
    assert mail["Subject"] == "a\ufffdb"


def random_texts_keep_every_promise():
    source = random.Random(20260131)
    alphabet = "aF. =?_\t\r\nüß€😀<>&\x01\x7f\u0085\u2028-"
    for _ in range(300):
        text = "".join(source.choice(alphabet) for _ in range(source.randrange(200)))
        mail = check_wire(build(text=text, html=text[::-1], subject=text, name=text))
        assert "Bcc" not in mail


TESTS = [a_plain_mail_reads_as_it_was_written, eight_bit_subjects_come_back_whole,
         a_long_ascii_subject_is_folded_and_comes_back, a_line_break_in_a_subject_begins_no_header,
         a_name_begins_no_header_and_no_address, an_address_that_needs_more_than_a_dot_atom_is_refused,
         bodies_come_back_with_lf_for_every_line_end, a_body_cannot_end_the_mail_or_a_part,
         bytes_that_are_no_utf_8_become_replacements, random_texts_keep_every_promise]


def main():
    if not os.path.exists(PROGRAM):
        print("1..0 # SKIP %s is not built" % PROGRAM)
        return
    print("1..%d" % len(TESTS))
    failed = 0
    for number, test in enumerate(TESTS, 1):
        try:
            test()
            print("ok %d - %s" % (number, test.__name__))
        except Exception:
            failed += 1
            print("not ok %d - %s" % (number, test.__name__))
            for line in traceback.format_exc().splitlines():
                print("# " + line)
    sys.exit(1 if failed else 0)


main()
