#!/usr/bin/python3 -ISE
"""A copier that makes the same mistake at every run, says all is well and exits 0, as imapsync does.

Called like imapsync, with plain-text servers.  Its own file name says what it does: miscopier-leave.py leaves a message
behind in every folder, -double stores one twice, -cut stores one cut short, -alter one with another content of the
same length, -none makes no mistake.  A message is known again by its Message-Id alone.
"""

import imaplib
import os
import re
import sys

imaplib._MAXLINE = 64 * 1024 * 1024
mode = os.path.basename(sys.argv[0]).rsplit(".", 1)[0].partition("-")[2] or "none"
options = dict(word[2:].split("=", 1) for word in sys.argv[1:] if "=" in word)

if "--version" in sys.argv:
    print("1.0")
    sys.exit(0)


def connect(side):
    with open(options["passfile" + side], encoding="utf-8") as f:
        password = f.readline().rstrip("\n")
    c = imaplib.IMAP4(options["host" + side], int(options["port" + side]))
    user = options["user" + side].replace("\\", "\\\\").replace('"', '\\"')
    c.login(user, password)
    print("Host%s: success login on [%s] with user [%s] auth [LOGIN]" % (side, options["host" + side], user), flush=True)
    return c


def names(c):
    found = []
    for line in c.list()[1]:
        m = re.match(rb'\((.*?)\) "(.)" "?(.*?)"?$', line)
        if b"\\noselect" not in m.group(1).lower():
            found.append((m.group(3).decode(), m.group(2).decode()))
    return sorted(found)


def identity(c, number):
    header = c.fetch(number, "(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")[1][0][1]
    return re.sub(rb"\s+", b" ", header).strip().lower()


source, destination = connect("1"), connect("2")
separator = names(destination)[0][1]
copied = size = 0
folders = names(source)
print("++++ Looping on each one of %d folders to sync" % len(folders))
for place, (name, dot) in enumerate(folders, 1):
    to = name.replace(dot, separator)
    print("Folder %7s %-35s -> %-35s" % ("%d/%d" % (place, len(folders)), "[%s]" % name, "[%s]" % to), flush=True)
    destination.create('"%s"' % to)
    count = int(source.select('"%s"' % name, readonly=True)[1][0])
    have = int(destination.select('"%s"' % to)[1][0])
    known = {identity(destination, str(n)) for n in range(1, have + 1)}
    for n in range(1, count + 1):
        key = identity(source, str(n))
        if key in known and key:
            continue
        if mode == "leave" and n == 1:
            continue
        rows = source.fetch(str(n), "(INTERNALDATE BODY.PEEK[])")[1]
        body = rows[0][1]
        date = '"%s"' % re.search(rb'INTERNALDATE "(.*?)"', rows[0][0] + rows[-1]).group(1).decode()
        if n == 1 and mode == "cut":
            body = body[:-100]
        if n == 1 and mode == "alter":
            body = body[:-12] + b"otherwise!\r\n"
        for _ in range(2 if n == 1 and mode == "double" else 1):
            destination.append('"%s"' % to, "", date, body)
        copied += 1
        size += len(body)
        print("msg %s/%d {%d} copied to %s/%d  1.00 msgs/s  1.000 KiB/s 1.0 KiB copied" % (name, n, len(body), to, n))
print("++++ End looping on each folder")
print("++++ Statistics")
print("Folders synced                          : %d/%d synced" % (len(folders), len(folders)))
print("Messages transferred                    : %d " % copied)
print("Total bytes transferred                 : %d (x)" % size)
print("The sync looks good, all %d identified messages in host1 are on host2." % copied)
print("Detected 0 errors")
print("Exiting with return value 0 (EX_OK: successful termination) 0/50 nb_errors/max_errors PID 1")
