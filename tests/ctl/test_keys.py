"""What setup and key do with keys: a new pair, half a backup, a lost private key."""
import atexit
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [os.path.join(TESTS, "stack"), os.path.join(TESTS, "http")]

import stack  # noqa: E402
import tap    # noqa: E402
from tap import has, lacks, same  # noqa: E402

CTL = os.path.join(os.environ.get("MCV_BUILDDIR") or stack.SOURCE, "ctl", "mailconvoyctl")
OK, UNAVAILABLE, CONFLICT = 0, 69, 73
if not os.path.exists(CTL):
    tap.skip_all("mailconvoyctl is not built")
DIR = tempfile.mkdtemp(prefix="mcv-keys-")
atexit.register(shutil.rmtree, DIR, ignore_errors=True)


class Place:
    """A configuration whose keys are in a directory of its own."""

    def __init__(self, name):
        self.dir = os.path.join(DIR, name)
        os.makedirs(self.dir)
        self.private, self.public = self.file("sealing.key"), self.file("sealing.pub")
        with open(self.file("mailconvoy.conf"), "w", encoding="utf-8") as out:
            out.write('private_key_file = "%s"\npublic_key_file = "%s"\n' % (self.private, self.public))

    def file(self, name):
        return os.path.join(self.dir, name)

    def generate(self):
        """(exit code, both outputs)"""
        done = subprocess.run([CTL, "-c", self.file("mailconvoy.conf"), "key", "generate"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        text = done.stdout.decode()
        lacks(text, "Sanitizer")
        return done.returncode, text


def read(path):
    with open(path, "rb") as f:
        return f.read()


def test_a_new_pair_is_made_and_the_key_is_not_shown():
    place = Place("new")
    code, out = place.generate()
    same(code, OK, out)
    lacks(out, "PRIVATE")
    same(os.stat(place.private).st_mode & 0o777, 0o400)
    same(os.stat(place.public).st_mode & 0o777, 0o444)


def test_a_pair_that_is_there_is_kept():
    place = Place("kept")
    place.generate()
    before = read(place.private), read(place.public)
    code, out = place.generate()
    same(code, CONFLICT, out)
    has(out, "not overwritten")
    same((read(place.private), read(place.public)), before)


def test_a_public_key_that_is_missing_follows_from_the_private_one():
    place = Place("half")
    place.generate()
    public = read(place.public)
    os.unlink(place.public)
    code, out = place.generate()
    same(code, OK, out)
    same(read(place.public), public)
    same(os.stat(place.public).st_mode & 0o777, 0o444)


def test_a_lost_private_key_is_not_replaced_behind_ones_back():
    place = Place("lost")
    place.generate()
    public = read(place.public)
    os.unlink(place.private)
    code, out = place.generate()
    same(code, CONFLICT, out)
    has(out, "backup")
    assert not os.path.exists(place.private)
    same(read(place.public), public)


def test_a_private_key_that_others_may_read_is_not_worked_with():
    place = Place("open")
    place.generate()
    os.unlink(place.public)
    os.chmod(place.private, 0o444)
    code, out = place.generate()
    same(code, UNAVAILABLE, out)
    has(out, "chmod 0400")
    assert not os.path.exists(place.public)


def test_a_directory_that_cannot_be_written_is_named():
    place = Place("gone")
    with open(place.file("mailconvoy.conf"), "w", encoding="utf-8") as out:
        out.write('private_key_file = "/nowhere/a"\npublic_key_file = "/nowhere/b"\n')
    code, text = place.generate()
    same(code, UNAVAILABLE, text)
    has(text, "/nowhere/a")


if __name__ == "__main__":
    tap.run(globals())
