#!/usr/bin/python3 -ISE
"""Stands where imapsync stands: a program that a test leads, and the real one for all others.

The source user "puppet-NAME" prints what the file of that name beside this program holds, as it grows, until there is
a file puppet-NAME.end, which holds the status to end with.  For every other user the program that the file "real"
names takes over.
"""

import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def follow(path):
    with open(path, "rb", buffering=0) as script:
        while True:
            ends = os.path.exists(path + ".end")
            out = script.read()
            while out:
                out = out[os.write(1, out):]
            if ends:
                with open(path + ".end", encoding="ascii") as status:
                    return int(status.read())
            time.sleep(0.02)


def main():
    options = dict(word[2:].split("=", 1) for word in sys.argv[1:] if "=" in word)
    user = options.get("user1", "")
    if user.startswith("puppet-"):
        sys.exit(follow(os.path.join(HERE, os.path.basename(user))))
    with open(os.path.join(HERE, "real"), encoding="utf-8") as f:
        real = f.read()
    os.execv(real, [real] + sys.argv[1:])


main()
