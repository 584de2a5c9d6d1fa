"""smtp_catcher.py PORT DIRECTORY: take every mail on 127.0.0.1:PORT and keep it as a file, envelope first."""

import os
import signal
import sys
import time

from aiosmtpd.controller import Controller


class Keep:
    def __init__(self, directory):
        self.directory = directory
        self.count = 0

    async def handle_DATA(self, server, session, envelope):
        self.count += 1
        name = os.path.join(self.directory, "%d-%06d.eml" % (time.time_ns(), self.count))
        with open(name + ".part", "wb") as out:
            out.write(b"X-Envelope-From: %s\r\n" % (envelope.mail_from or "").encode())
            for to in envelope.rcpt_tos:
                out.write(b"X-Envelope-To: %s\r\n" % to.encode())
            out.write(envelope.content)
        os.rename(name + ".part", name)
        return "250 kept"


def main():
    port, directory = int(sys.argv[1]), sys.argv[2]
    os.makedirs(directory, exist_ok=True)
    controller = Controller(Keep(directory), hostname="127.0.0.1", port=port)
    controller.start()
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    controller.stop()


main()
