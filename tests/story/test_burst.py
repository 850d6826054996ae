"""However many requests lie there at once when the daemon looks, each is answered without another
having to come. An epoll loop that fills its array of 128 events just to the brim and then asks for
more, waiting, answers none of them."""
import os
import selectors
import signal
import socket
import unittest

from harness.orderly import GUARD, Daemon, main

FULL = 128                   # events that libmicrohttpd takes at once
CONNECTIONS = 2 * FULL - 1   # one of two threads holds so many of them, whoever took which
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
SOME = 16                    # bursts that take far less than what is too long for a connection
STUCK = GUARD / 4            # less than what the daemon gives an idle connection before it cuts it


class Burst(unittest.TestCase):
    def connect(self, d, tcp):
        s = socket.socket(socket.AF_INET if tcp else socket.AF_UNIX)
        self.addCleanup(s.close)
        s.connect(("127.0.0.1", d.port) if tcp else d.socket)
        return s

    def answered(self, sockets):
        """How many of them are told 200; waits for all."""
        count = 0
        with selectors.DefaultSelector() as selector:
            for s in sockets:
                selector.register(s, selectors.EVENT_READ)
            while count < len(sockets):
                ready = selector.select(STUCK)
                if not ready:
                    break
                for key, _ in ready:
                    self.assertTrue(key.fileobj.recv(65536).startswith(b"HTTP/1.1 200 "))
                    selector.unregister(key.fileobj)
                    count += 1
        return count

    def ask_at_once(self, d, sockets):
        """The daemon stands still until all requests are there."""
        os.kill(d.pid, signal.SIGSTOP)
        try:
            os.waitid(os.P_PID, d.pid, os.WSTOPPED)
            for s in sockets:
                s.sendall(REQUEST)
        finally:
            os.kill(d.pid, signal.SIGCONT)
        self.assertEqual(self.answered(sockets), len(sockets))

    def burst(self, tcp):
        """One more each time: whatever a thread's share is, it comes past every number."""
        with Daemon(tcp=tcp) as d:
            sockets = [self.connect(d, tcp) for _ in range(CONNECTIONS)]
            for s in sockets:  # all are accepted
                s.sendall(REQUEST)
            self.assertEqual(self.answered(sockets), CONNECTIONS)
            for count in range(FULL - 4, CONNECTIONS + 1):
                self.ask_at_once(d, sockets[:count])
                if count % SOME == 0:  # none is idle for so long that it is cut
                    self.ask_at_once(d, sockets)

    def test_every_request_of_a_burst_is_answered_on_the_unix_socket(self):
        self.burst(tcp=False)

    def test_every_request_of_a_burst_is_answered_over_tcp(self):
        self.burst(tcp=True)


if __name__ == "__main__":
    main()
