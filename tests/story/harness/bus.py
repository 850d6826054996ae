"""Just enough of D-Bus to be woken by systemd's signals."""
import os
import socket
import struct

from .build import GUARD
from .waits import Trouble

MANAGER = "org.freedesktop.systemd1"


class Signals:
    """A subscriber on the bus, to the signals that match: systemd tells nothing while nobody has
    subscribed. What they say is not looked at; they say when to look."""
    _PATH, _INTERFACE, _MEMBER, _DESTINATION, _SIGNATURE = 1, 2, 3, 6, 8
    _REPLY_SERIAL = b"\5\1u\0"

    def __init__(self, match, path="/run/dbus/system_bus_socket"):
        self._match, self._path = match, path
        self._serial = 0
        self._socket = None

    def __enter__(self):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(GUARD)
        self._socket.connect(self._path)
        uid = str(os.getuid()).encode().hex()
        self._socket.sendall(f"\0AUTH EXTERNAL {uid}\r\nBEGIN\r\n".encode())
        if not self._socket.recv(4096).startswith(b"OK "):
            raise Trouble("the bus does not let us in")
        bus = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
        self._call(*bus, "Hello")
        self._call(*bus, "AddMatch", self._match)
        self._call(MANAGER, "/org/freedesktop/systemd1", f"{MANAGER}.Manager", "Subscribe")
        return self

    def wait(self, seconds):
        """Until something was said, or never more."""
        self._socket.settimeout(max(0.001, seconds))
        try:
            if not self._socket.recv(1 << 20):
                raise Trouble("the bus went away")
        except TimeoutError:
            raise Trouble("the bus tells nothing more") from None

    def __exit__(self, *_):
        self._socket.close()

    @staticmethod
    def _field(code, kind, text):
        """One header field: a struct of its code and a variant."""
        if kind == "g":
            return struct.pack("<B3sB", code, b"\1g\0", len(text)) + text.encode() + b"\0"
        return (struct.pack("<B3sI", code, b"\1" + kind.encode() + b"\0", len(text))
                + text.encode() + b"\0")

    def _call(self, destination, path, interface, member, text=None):
        """Calls with no argument or one string, and reads up to the answer."""
        self._serial += 1
        fields = [(self._PATH, "o", path), (self._DESTINATION, "s", destination),
                  (self._INTERFACE, "s", interface), (self._MEMBER, "s", member)]
        body = b""
        if text is not None:
            fields.append((self._SIGNATURE, "g", "s"))
            body = struct.pack("<I", len(text)) + text.encode() + b"\0"
        header = b""
        for field in fields:
            header += b"\0" * (-len(header) % 8) + self._field(*field)
        start = struct.pack("<cBBBIII", b"l", 1, 0, 1, len(body), self._serial, len(header))
        self._socket.sendall(start + header + b"\0" * (-len(header) % 8)
                             + body)
        while True:
            kind, answers = self._read()
            if kind in (2, 3) and answers == self._serial:
                return

    def _read(self):
        """One message: its type, and the call that it answers (0: none)."""
        start = self._exactly(16)
        body, fields = struct.unpack_from("<I", start, 4)[0], struct.unpack_from("<I", start, 12)[0]
        header = self._exactly(fields + -fields % 8)
        self._exactly(body)
        for at in range(0, len(header), 8):
            if header[at:at + 4] == self._REPLY_SERIAL:
                return start[1], struct.unpack_from("<I", header, at + 4)[0]
        return start[1], 0

    def _exactly(self, length):
        data = b""
        while len(data) < length:
            piece = self._socket.recv(length - len(data))
            if not piece:
                raise Trouble("the bus went away")
            data += piece
        return data
