"""mailconvoyctl against a real web, for the tests of the verbs that ask it."""
import json
import os
import pty
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), name) for name in ("http", "stack")]

import tap       # noqa: E402
import webstack  # noqa: E402

CTL = os.path.join(webstack.BUILD, "ctl", "mailconvoyctl")
OK, USAGE, REFUSED, NO_INPUT, UNAVAILABLE, CONFLICT, AGAIN, DENIED = 0, 64, 65, 66, 69, 73, 75, 77


class Done:
    def __init__(self, code, out, err):
        self.code, self.bytes, self.err = code, out, err
        self.out = out.decode("utf-8", "replace")

    def objects(self):
        """Standard output as JSON, one object a line."""
        return [json.loads(line) for line in self.out.splitlines()]


class Cli:
    """One token and the words that go with it.  token: the text, or None where the file stands already."""

    def __init__(self, directory, name, token, *words, conf="/nonexistent"):
        self.directory = directory
        self.conf = conf
        self.token_file = os.path.join(directory, "token-" + name)
        if token is not None:
            self.write(os.path.basename(self.token_file), token + "\n", 0o600)
        self.words = ["--token-file", self.token_file, *words]

    def write(self, name, text, mode=0o600):
        path = os.path.join(self.directory, name)
        with open(path, "wb") as f:
            os.fchmod(f.fileno(), mode)
            f.write(text if isinstance(text, bytes) else text.encode())
        return path

    def line(self, *words):
        """The whole command line; job, import or batch and its own words first."""
        return [CTL, "-c", self.conf, *words, *self.words]

    def start(self, *words, **how):
        how.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen(self.line(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how)

    def run(self, *words, text=b""):
        done = subprocess.run(self.line(*words), input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        err = done.stderr.decode("utf-8", "replace")
        tap.lacks(err, "Sanitizer")
        tap.lacks(err, "runtime error")
        return Done(done.returncode, done.stdout, err)

    def ok(self, *words, text=b""):
        done = self.run(*words, text=text)
        tap.same(done.code, OK, "%s: %s%s" % (" ".join(words), done.out, done.err))
        return done

    def refused(self, code, *words, text=b""):
        done = self.run(*words, text=text)
        tap.same(done.code, code, "%s: %s%s" % (" ".join(words), done.out, done.err))
        return done.err

    def on_terminal(self, *words, answer=None):
        """(exit code, what the terminal showed); answer: (what it must have shown, what is then typed)."""
        pid, terminal = pty.fork()
        if pid == 0:
            line = self.line(*words)
            os.execv(line[0], line)
        shown, end = b"", time.monotonic() + 60
        while time.monotonic() < end:
            if answer is not None and answer[0] in shown:
                os.write(terminal, answer[1])
                answer = None
            try:
                piece = os.read(terminal, 65536)
            except OSError:
                break
            if not piece:
                break
            shown += piece
        os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown


def make_token(web, email, scopes="jobs:read,jobs:write,servers:write", *words):
    """A token by mailconvoyctl token create."""
    return web.stack.run_ctl("token", "create", "--user", email, "--scopes", scopes, *words, "a test").strip()


def wait_for(condition, what, seconds=180):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not within %d s: %s" % (seconds, what)
        time.sleep(0.05)
