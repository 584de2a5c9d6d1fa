"""look.py STACK.ENV log JOB | same USER USER | count USER: what the database and the mail servers really hold.

log writes the bytes of a job's log as the database has them; same fails unless every message of the first user on the
source is on the destination for the second, with bytes, flags and date; count prints how many messages the destination has.
"""

import os
import shlex
import subprocess
import sys
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "engine"))

import imapbox  # noqa: E402


def read_env(path):
    with open(path, encoding="utf-8") as f:
        pairs = [line.rstrip("\n").split("=", 1) for line in f if "=" in line]
    return {key: "".join(shlex.split(value)) for key, value in pairs}


class Server:
    def __init__(self, env, side):
        self.port = int(env[side + "_PORT_PLAIN"])
        self.users = {}

    def __getitem__(self, user):
        return self.users[user]


def server(env, side, user):
    s = Server(env, side)
    s.users[user] = env["MAIL_PASSWORD"]
    return s


def log(env, job):
    rows = subprocess.run(
        ["mariadb", "--no-defaults", "--socket=" + env["DB_SOCKET"], "-N", "-B", env["DB_NAME"], "-e",
         "SELECT start, encoding, HEX(bytes) FROM job_log WHERE job_id = %d ORDER BY start" % int(job)],
        check=True, stdout=subprocess.PIPE).stdout.decode()
    end = 0
    for row in rows.splitlines():
        start, encoding, data = row.split("\t")
        data = bytes.fromhex(data)
        data = zlib.decompress(data) if encoding == "1" else data
        if int(start) != end:
            sys.exit("a gap in the log: %s after %d" % (start, end))
        end += len(data)
        sys.stdout.buffer.write(data)


def same(env, source_user, destination_user):
    source = imapbox.snapshot(server(env, "SRC", source_user), source_user)
    destination = imapbox.snapshot(server(env, "DST", destination_user), destination_user, separator=".")
    count = 0
    for folder, messages in source.items():
        missing = messages - destination.get(folder, type(messages)())
        if os.environ.get("MCV_LOOSE"):
            # imapsync --addheader alters messages without any identity; only their number can be compared.
            there = sum(destination.get(folder, {}).values())
            if there < sum(messages.values()):
                sys.exit("%s: %d messages, %d on the destination" % (folder, sum(messages.values()), there))
        elif missing:
            sys.exit("%s: %d messages differ: %r" % (folder, sum(missing.values()), list(missing)[:2]))
        count += sum(messages.values())
    print(count)


def count(env, user):
    shot = imapbox.snapshot(server(env, "DST", user), user, separator=".")
    print(sum(sum(messages.values()) for messages in shot.values()))


if __name__ == "__main__":
    environment = read_env(sys.argv[1])
    {"log": log, "same": same, "count": count}[sys.argv[2]](environment, *sys.argv[3:])
