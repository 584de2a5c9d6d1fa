"""Ports for servers that tests start: nobody else takes one between its choice and its use."""

import random
import socket

# What is held is held until this process ends, and by nobody in two processes: the kernel sees to both.
HELD = []


def below_ephemeral():
    """Ports that no outgoing connection is given."""
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as f:
            first = int(f.read().split()[0])
    except (OSError, ValueError):
        first = 32768
    return range(10000, first) if first > 12000 else range(10000, 65536)


def free_port():
    """A port on 127.0.0.1 where nobody listens, this process's own from now on among all that ask here."""
    choices = below_ephemeral()
    for _ in range(1000):
        port = random.choice(choices)
        name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            name.bind("\0mailconvoy-test-port-%d" % port)
            with socket.socket() as s:
                s.bind(("127.0.0.1", port))
        except OSError:
            name.close()
            continue
        HELD.append(name)
        return port
    raise RuntimeError("no free port on 127.0.0.1")
