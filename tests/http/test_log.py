"""The log: the tail to the byte, and the download."""
import http.client
import os

import webstack
import tap
from tap import has, same

web = webstack.Stack()
member = web.sign_in("member")


def tail(job, offset, extra=""):
    a = member.get("/migration/jobs/%d/tail?offset=%s%s" % (job, offset, extra))
    same(a.status, 200, a.text[:200])
    o = a.json()
    same(list(o), ["status", "chunk", "newOffset"], "keys")
    return o


def read_all(job, extra=""):
    """All of an ended job's log by polling; returns text and the number of polls."""
    text, offset, polls = "", 0, 0
    while True:
        o = tail(job, offset, extra)
        if o["newOffset"] == offset:
            same(o["chunk"], "")
            return text, polls
        text += o["chunk"]
        offset = o["newOffset"]
        polls += 1


def test_the_tail_has_exactly_the_three_keys_of_its_contract():
    job = web.add_job(web.acme, "running", log=b"x" * 2048)
    same(member.get("/migration/jobs/%d/tail?offset=0" % job).text,
         '{"status":"running","chunk":"%s","newOffset":2048}' % ("x" * 2048))
    same(member.get("/migration/jobs/%d/tail?offset=0" % job).headers["Content-Type"], "application/json")


def test_only_new_bytes_come_and_none_comes_twice():
    job = web.add_job(web.acme, "running", log=b"one\n")
    o = tail(job, 0)
    same((o["chunk"], o["newOffset"]), ("one\n", 4))
    same(tail(job, 4), {"status": "running", "chunk": "", "newOffset": 4})
    web.add_log(job, 4, b"two\n")
    same(tail(job, 4), {"status": "running", "chunk": "two\n", "newOffset": 8})


def test_no_offset_means_from_the_beginning():
    job = web.add_job(web.acme, "done", log=b"abc")
    same(member.get("/migration/jobs/%d/tail" % job).json(), {"status": "done", "chunk": "abc", "newOffset": 3})


def test_a_cut_character_waits_for_its_other_bytes():
    job = web.add_job(web.acme, "running", log="caf\u00e9".encode()[:-1])
    same(tail(job, 0), {"status": "running", "chunk": "caf", "newOffset": 3})
    web.add_log(job, 4, "\u00e9!".encode()[1:])
    same(tail(job, 3), {"status": "running", "chunk": "\u00e9!", "newOffset": 6})


def test_a_character_cut_for_good_is_replaced():
    job = web.add_job(web.acme, "running", log=b"ab\xe2\x82")
    same(tail(job, 0)["newOffset"], 2)
    web.end_job(job, "interrupted")
    same(tail(job, 2), {"status": "interrupted", "chunk": "\ufffd", "newOffset": 4})


def test_invalid_bytes_become_replacement_characters_and_offsets_stay_raw():
    raw = b"a\xff\xfeb\xc3(\xf0\x9f\x98\x80\x00c\xed\xa0\x80"
    job = web.add_job(web.acme, "done", log=raw)
    same(tail(job, 0), {"status": "done", "chunk": raw.decode("utf-8", "replace"), "newOffset": len(raw)})


def test_pieces_add_up_to_the_whole_whatever_the_bytes():
    raw = os.urandom(150000) + "ÄÖ\u20ac\U0001f600".encode() * 5000
    job = web.add_job(web.acme, "failed", log=raw)
    want = raw.decode("utf-8", "replace")
    text, polls = read_all(job)
    same(text == want, True, "text equals (64 KiB a time)")
    same(polls in (4, 5), True, "polls: %d" % polls)
    text, _ = read_all(job, "&limit=4097")
    same(text == want, True, "text equals (4097 bytes a time)")


def test_a_piece_is_never_larger_than_64_kib():
    job = web.add_job(web.acme, "running", log=b"y" * 200000)
    o = tail(job, 0)
    same((len(o["chunk"]), o["newOffset"]), (65536, 65536))


def test_an_offset_that_is_none_is_400_and_one_beyond_the_end_416():
    job = web.add_job(web.acme, "running", log=b"12345")
    for bad in ("-1", "x", "1x", "", "1.0", "+1", "99999999999999999999", "0x10"):
        a = member.get("/migration/jobs/%d/tail?offset=%s" % (job, bad))
        same((a.status, a.json()["status"]), (400, 400), bad)
    for bad in ("0", "65537", "x"):
        same(member.get("/migration/jobs/%d/tail?offset=0&limit=%s" % (job, bad)).status, 400, "limit " + bad)
    a = member.get("/migration/jobs/%d/tail?offset=6" % job)
    same((a.status, a.headers["Content-Range"]), (416, "bytes */5"))
    same(tail(job, 5)["newOffset"], 5)


def test_another_accounts_log_is_not_there():
    job = web.add_job(web.other, "done", log=b"secret")
    for path in ("tail?offset=0", "log", "tail?offset=99"):
        a = member.get("/migration/jobs/%d/%s" % (job, path), Accept="application/json")
        b = member.get("/migration/jobs/999999/%s" % path, Accept="application/json")
        same((a.status, b.status), (404, 404))
        same(a.text.replace(a.headers["X-Request-Id"], ""), b.text.replace(b.headers["X-Request-Id"], ""))


def test_the_download_is_the_log_to_the_byte_as_an_attachment():
    raw = os.urandom(300000)
    job = web.add_job(web.acme, "done", log=raw)
    a = member.get("/migration/jobs/%d/log" % job)
    same(a.status, 200)
    same(a.body == raw, True, "bytes")
    same(a.headers["Content-Length"], "300000")
    same(a.headers["Content-Disposition"], 'attachment; filename="mailconvoy-job-%d.log"' % job)
    same(a.headers["X-Content-Type-Options"], "nosniff")
    same(a.headers["Accept-Ranges"], "bytes")


def test_ranges_are_honoured():
    raw = os.urandom(200000)
    job = web.add_job(web.acme, "done", log=raw)
    path = "/migration/jobs/%d/log" % job
    for header, first, last in (("bytes=0-9", 0, 9), ("bytes=65530-65545", 65530, 65545), ("bytes=199999-", 199999, 199999),
                                ("bytes=-5", 199995, 199999), ("bytes=100-999999", 100, 199999)):
        a = member.get(path, Range=header)
        same(a.status, 206, header)
        same(a.body == raw[first:last + 1], True, header)
        same(a.headers["Content-Range"], "bytes %d-%d/200000" % (first, last))
        same(a.headers["Content-Length"], str(last - first + 1))
    a = member.get(path, Range="bytes=200000-")
    same((a.status, a.headers["Content-Range"]), (416, "bytes */200000"))
    for ignored in ("bytes=5-1", "lines=1-2", "bytes=1-2,4-5", "bytes=x"):
        same(member.get(path, Range=ignored).status, 200, ignored)


def test_a_log_whose_middle_was_left_out_says_so():
    job = web.add_job(web.acme, "done", log=b"HEAD\n")
    web.add_log(job, 1000005, b"TAIL\n")
    web.sql("UPDATE job SET log_cut_start = 5, log_cut_bytes = 1000000 WHERE id = %d" % job)
    note = b"\n--- mailconvoy: 1000000 bytes were left out here ---\n"
    whole = b"HEAD\n" + note + b"TAIL\n"
    a = member.get("/migration/jobs/%d/log" % job)
    same(a.body, whole)
    for first in range(len(whole)):
        b = member.get("/migration/jobs/%d/log" % job, Range="bytes=%d-%d" % (first, first + 9))
        same(b.body, whole[first:first + 10], "from %d" % first)
    o = tail(job, 0)
    same((o["chunk"], o["newOffset"]), ("HEAD\n", 5))
    same(tail(job, 5), {"status": "done", "chunk": "TAIL\n", "newOffset": 1000010})
    has(member.json("/migration/jobs/%d" % job).json()["log"]["capped_text"], "976.6 KiB")


def test_an_empty_log_can_be_asked_for():
    job = web.add_job(web.acme, "queued")
    a = member.get("/migration/jobs/%d/log" % job)
    same((a.status, a.body), (200, b""))
    same(tail(job, 0), {"status": "queued", "chunk": "", "newOffset": 0})


def resident_kib():
    """Of the largest web process."""
    sizes = []
    for pid in os.listdir("/proc"):
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as f:
                if not f.read().startswith(web.program.encode() + b"\0"):
                    continue
            with open("/proc/%s/status" % pid, encoding="ascii") as f:
                sizes += [int(line.split()[1]) for line in f if line.startswith("VmRSS:")]
        except OSError:
            continue
    return max(sizes)


def test_a_large_download_takes_constant_memory():
    job = web.add_job(web.acme, "done", log=b"")
    web.sql("INSERT INTO job_log (job_id, start, length, encoding, bytes, at) SELECT %d, seq * 65536, 65536, 0, "
            "REPEAT('z', 65536), UTC_TIMESTAMP(6) FROM seq_0_to_1599; UPDATE job SET log_bytes = 1600 * 65536 "
            "WHERE id = %d" % (job, job))
    before = resident_kib()
    c = http.client.HTTPConnection("127.0.0.1", web.port, timeout=120)
    c.request("GET", "/migration/jobs/%d/log" % job, headers={"Cookie": "mailconvoy=" + member.cookies["mailconvoy"]})
    r = c.getresponse()
    total = peak = 0
    while True:
        part = r.read(1 << 20)
        if not part:
            break
        total += len(part)
        peak = max(peak, resident_kib())
    c.close()
    same(total, 1600 * 65536)
    if peak - before > 20000:
        raise AssertionError("grew by %d KiB while sending 100 MiB" % (peak - before))


def test_the_job_page_shows_the_newest_part_from_the_start_of_a_line():
    lines = b"".join(b"line %06d\n" % n for n in range(20000))
    job = web.add_job(web.acme, "running", log=lines)
    log = member.json("/migration/jobs/%d" % job).json()["log"]
    same((log["size"], log["next_offset"], log["is_cut"], log["chunk"]), (240000, 240000, True, None))
    same(log["start"] % 12, 0, "begins with a line")
    if not 240000 - 65536 <= log["start"] < 240000 - 65000:
        raise AssertionError(log["start"])
    earlier = tail(job, log["earlier_offset"], "&limit=%d" % (log["start"] - log["earlier_offset"]))
    same(earlier["newOffset"], log["start"], "the earlier part ends where this begins")
    page = member.get("/migration/jobs/%d" % job).text
    has(page, "line 019999")
    page = member.get("/migration/jobs/%d?log_offset=0" % job).text
    has(page, "line 000000")


if __name__ == "__main__":
    tap.run(globals())
