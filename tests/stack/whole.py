"""The whole product for one test: started from the build in a directory of its own, stopped and removed when the test ends."""
import atexit
import os
import shutil
import tempfile

import stack
import tap

BUILD = os.environ.get("MCV_BUILDDIR") or stack.SOURCE
PROGRAMS = ("ctl/mailconvoyctl", "fcgi/mailconvoy-web", "worker/mailconvoy-worker", "engine/mailconvoy-sync")


def start(name, more_parts=(), **settings):
    """A running Stack, without the sample's mailboxes; where something is missing all tests are skipped."""
    for program in PROGRAMS:
        if not os.path.exists(os.path.join(BUILD, program)):
            tap.skip_all("%s is not built" % program)
    directory = tempfile.mkdtemp(prefix="mcv-%s-" % name)
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    os.chmod(directory, 0o711)
    servers = stack.Stack(os.path.join(directory, "stack"), BUILD, port=0, with_sample=False,
                          parts=("mariadb", "dovecot", "web", "worker", *more_parts),
                          settings=dict(sync_program=os.path.join(BUILD, "engine", "mailconvoy-sync"), poll_ms="50",
                                        **settings))
    try:
        servers.check_prerequisites()
    except RuntimeError as why:
        tap.skip_all(str(why))
    atexit.register(servers.stop)
    servers.start()
    return servers
