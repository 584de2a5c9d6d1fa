"""Servers that are unpacked rather than installed (tests/stack/unpack.sh), beside the one that Debian allows."""

import getpass
import grp
import os
import pwd
import shutil

import dovecot

ROOT = os.path.join(os.environ.get("MCV_UNPACKED") or os.path.join(os.environ.get("MCV_BUILDDIR", os.getcwd()), "unpacked"),
                    "root")


def missing(program):
    """Why program ("usr/bin/imapd") cannot be started, None when it can."""
    if not os.access(os.path.join(ROOT, program), os.X_OK):
        return "%s is not unpacked in %s (tests/stack/unpack.sh)" % (program, os.path.dirname(ROOT))
    return None


def root_for(directory):
    """Where the programs are found: a copy below directory where the unpacked ones cannot be reached by other users."""
    if os.geteuid() != 0 or dovecot.reachable(ROOT):
        return ROOT
    copy = os.path.join(directory, "unpacked")
    if not os.path.exists(copy):
        shutil.copytree(ROOT, copy, symlinks=True)
    return copy


def environment(root, **more):
    libraries = [os.path.join(root, "usr/lib"), os.path.join(root, "lib")]
    for base in list(libraries):
        if os.path.isdir(base):
            libraries += [os.path.join(base, name) for name in os.listdir(base) if name.endswith("-linux-gnu")]
    return {"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": ":".join(libraries), "LC_ALL": "C", **more}


def account():
    """(user, group) names the servers run as: never root."""
    entry = pwd.getpwnam("nobody" if os.geteuid() == 0 else getpass.getuser())
    return entry.pw_name, grp.getgrgid(entry.pw_gid).gr_name


def identity():
    """Words for subprocess.Popen that make a child run as account()."""
    if os.geteuid() != 0:
        return {}
    user, group = account()
    return {"user": user, "group": group, "extra_groups": []}


def hand_over(path):
    """path and what is below becomes account()'s."""
    if os.geteuid() != 0:
        return
    user, group = account()
    for base, directories, names in os.walk(path):
        for name in [""] + names:
            shutil.chown(os.path.join(base, name) if name else base, user, group)


def make_directory(directory):
    """directory, reachable by the servers' user."""
    os.makedirs(directory, exist_ok=True)
    if os.geteuid() == 0:
        for path in (directory, os.path.dirname(directory)):
            os.chmod(path, os.stat(path).st_mode | 0o711)
        if not dovecot.reachable(directory):
            raise RuntimeError("%s is closed to other users, which this server needs when root starts it" % directory)
