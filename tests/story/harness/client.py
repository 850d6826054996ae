"""HTTP over a Unix socket, and answers."""
import http.client
import json
import select
import socket


class Answer:
    """What came back: status, headers (names in any case), body."""

    def __init__(self, response, body):
        self.status, self.headers, self.body = response.status, response.headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode()

    def __repr__(self):
        return f"<{self.status} {self.body[:2000]!r}>"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost")
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def ended_by_peer(connection):
    """Whether a connection that no answer is due on was closed: the daemon keeps none for ever."""
    if not connection.sock:
        return False
    poller = select.poll()
    poller.register(connection.sock, select.POLLIN | select.POLLRDHUP)
    return bool(poller.poll(0))
