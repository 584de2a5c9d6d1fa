"""mailboxes.py DIR USER: compare USER's mailbox on both servers of the stack in DIR, message by message.

Prints one line: how many folders and messages are the same, or what differs (and ends with 1).
"""

import os
import shlex
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "engine"))

import imapbox  # noqa: E402

# imapsync --addheader alters messages that have neither Message-ID nor Received; the sample has two of them.
ALTERED_MAX = 2 if os.path.basename(os.environ.get("MCV_E2E_SYNC", "")) == "imapsync" else 0


class Server:
    def __init__(self, port, user, password):
        self.port = int(port)
        self.users = {user: password}


def same(source, destination):
    altered = sum((source - destination).values())
    return altered <= ALTERED_MAX and sum(source.values()) == sum(destination.values())


def main():
    directory, user = sys.argv[1:]
    with open(os.path.join(directory, "stack.env"), encoding="utf-8") as f:
        env = dict(shlex.split(line)[0].split("=", 1) for line in f)
    source, destination = (
        imapbox.snapshot(Server(env[port], user, env["MAIL_PASSWORD"]), user, separator)
        for port, separator in (("SRC_PORT_PLAIN", "/"), ("DST_PORT_PLAIN", ".")))
    missing = sorted(set(source) - set(destination))
    differing = sorted(name for name in source if name in destination and not same(source[name], destination[name]))
    if missing or differing:
        print("missing folders: %s; folders with other messages: %s" % (missing, differing))
        return 1
    print("%d folders, %d messages are the same" % (len(source), sum(sum(c.values()) for c in source.values())))
    return 0


sys.exit(main())
