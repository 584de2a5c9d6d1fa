"""The users of an installation, in a mount namespace only: nothing of the machine is changed."""
import os
import shutil
import subprocess
import sys

import stack
import tap

USERS = {stack.WEB_USER: 61801, stack.WORKER_USER: 61802}
INSIDE = "MCV_TEST_NAMESPACE"
PROGRAMS = ("ctl/mailconvoyctl", "fcgi/mailconvoy-web", "worker/mailconvoy-worker", "engine/mailconvoy-sync")


def enter(script, build):
    """Go on inside: runs script again where that is not so yet; where it cannot be, all tests are skipped."""
    if os.environ.get(INSIDE):
        return
    if os.geteuid() != 0:
        tap.skip_all("only root can run programs as other users")
    if subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode != 0:
        tap.skip_all("no mount namespace can be made here")
    for word in PROGRAMS:
        path = os.path.join(build, word)
        if not os.path.exists(path):
            tap.skip_all("%s is not built" % word)
        if subprocess.run(["test", "-x", path], user=65534, group=65534, extra_groups=[]).returncode != 0:
            tap.skip_all("other users cannot reach %s" % path)
    os.environ[INSIDE] = "yes"
    os.execvp("unshare", ["unshare", "-m", sys.executable, os.path.abspath(script), *sys.argv[1:]])


def add_users(directory):
    """Let /etc/passwd and /etc/group, copied to directory, know the two users."""
    for name, line in (("passwd", "%s:x:%d:%d::/:/usr/sbin/nologin\n"), ("group", "%s:x:%d:\n")):
        copy = os.path.join(directory, name)
        shutil.copyfile("/etc/" + name, copy)
        os.chmod(copy, 0o644)
        with open("/etc/" + name, encoding="utf-8") as old, open(copy, "w", encoding="utf-8") as out:
            # Where mailconvoy is installed, its users have other numbers.
            out.writelines(text for text in old if text.split(":")[0] not in USERS)
            for user, number in USERS.items():
                out.write(line % ((user, number, number) if name == "passwd" else (user, number)))
        subprocess.run(["mount", "--bind", copy, "/etc/" + name], check=True)


def run_as(name, *words, text=""):
    """(exit code, both outputs) of a command run by one of the two users, or by "nobody"."""
    number = USERS.get(name, 65534)
    done = subprocess.run(words, user=number, group=number, extra_groups=[], input=text.encode(),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode(errors="replace")
