"""A TCP proxy that misbehaves where a test wants it to, for plain-text IMAP.

Each direction passes through a function (connection number, bytes) -> bytes to pass on, None to pass nothing and
cut both ends, Last(bytes) to pass these and cut; it may block.  Bytes come as they are read: rules must bear any cut.
"""

import socket
import threading


class Last(bytes):
    """The last bytes that pass."""


class Last(bytes):
    pass


class Proxy:
    def __init__(self, port, from_server=None, from_client=None, split=None):
        """split: a function (socket, bytes) that sends in place of sendall()."""
        self.target = port
        self.send = split or (lambda sink, data: sink.sendall(data))
        self.rules = {"server": from_server or (lambda n, b: b), "client": from_client or (lambda n, b: b)}
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connections = 0
        self.refuse = False
        self.sockets = []
        self.lock = threading.Lock()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.refuse:
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self.target))
            self.connections += 1
            for s in (client, server):
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.sockets += [client, server]
            for name, source, sink in (("client", client, server), ("server", server, client)):
                threading.Thread(target=self.relay, args=(self.connections, self.rules[name], source, sink),
                                 daemon=True).start()

    def relay(self, number, rule, source, sink):
        try:
            while True:
                data = source.recv(65536)
                passed = rule(number, data) if data else None
                if passed is None:
                    break
                if passed:
                    self.send(sink, passed)
                if isinstance(passed, Last):
                    break
        except OSError:
            pass
        for s in (source, sink):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()
        with self.lock:
            for s in self.sockets:
                s.close()

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.close()
