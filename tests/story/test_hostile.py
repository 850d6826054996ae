"""Hostile HTTP as raw bytes, and clients that take their time: each is answered or cut off, nothing
is smuggled behind it, and everybody else is served."""
import grp
import json
import os
import re
import resource
import select
import socket
import time
import unittest

from harness.orderly import SANITIZE, SLOW, Daemon, Shared, fake, main, on_fd

PATIENT = 150 * SLOW      # seconds: the longest that the daemon bears with anybody is 60
POST = "POST /restart/backend HTTP/1.1\nHost: localhost\n"
GET = "GET /healthz HTTP/1.1\nHost: localhost\n"
NONE = "Content-Length: 0\n\n"

# What the daemon itself refuses: bytes of the head (\n stands for CR LF), status, code.
REFUSED = {
    "two hosts": (POST + "Host: localhost\n" + NONE, 400, "bad_parameter"),
    "no host": ("POST /restart/backend HTTP/1.1\n" + NONE, 400, "bad_parameter"),
    "two lengths": (POST + "Content-Length: 0\nContent-Length: 44\n\n", 400, "bad_parameter"),
    "the same length twice": (POST + "Content-Length: 0\n" + NONE, 400, "bad_parameter"),
    "a length and chunks": (POST + "Transfer-Encoding: chunked\nContent-Length: 5\n\n0\n\n",
                            400, "bad_body"),
    "chunks and a length": (POST + "Content-Length: 5\nTransfer-Encoding: chunked\n\n0\n\n",
                            400, "bad_body"),
    "an unknown coding": (POST + "Transfer-Encoding: gzip\n\n", 400, "bad_body"),
    "two codings": (POST + "Transfer-Encoding: gzip, chunked\n\n0\n\n", 400, "bad_body"),
    "chunked twice": (POST + "Transfer-Encoding: chunked\nTransfer-Encoding: chunked\n\n0\n\n",
                      400, "bad_parameter"),
    "a coding with a blank": (POST + "Transfer-Encoding: chunked \n\n0\n\n", 400, "bad_body"),
    "a coding in disguise": (POST + "Transfer-Encoding: \x0bchunked\n\n0\n\n",
                             400, "bad_parameter"),
    "chunks in HTTP/1.0": ("POST /restart/backend HTTP/1.0\nTransfer-Encoding: chunked\n\n0\n\n",
                           400, "bad_body"),
    "chunks of a GET": (GET + "Transfer-Encoding: chunked\n\n0\n\n", 400, "bad_body"),
    "a folded line": (POST + "X: a\n b\n" + NONE, 400, "bad_parameter"),
    "a folded length": (POST + "Content-Length:\n 44\n\n", 400, None),
    "a blank before the colon": (POST + "Content-Length : 44\n\n", 400, "bad_parameter"),
    "a tab before the colon": (POST + "Content-Length\t: 44\n\n", 400, "bad_parameter"),
    "a control in a name": (POST + "Content\x01Length: 44\n" + NONE, 400, "bad_parameter"),
    "a control in a value": (POST + "X: a\x07b\n" + NONE, 400, "bad_parameter"),
    "a DEL in a value": (POST + "X: a\x7fb\n" + NONE, 400, "bad_parameter"),
    "no name": (POST + ": a\n" + NONE, 400, "bad_parameter"),
    "nothing but a colon": (POST + "X: a\n:\n" + NONE, 400, "bad_parameter"),
    "no name behind the first line": ("POST /restart/backend HTTP/1.1\n: a\nHost: localhost\n"
                                      + NONE, 400, "bad_parameter"),
    "a colon and a NUL": (POST + "X: a\n:\0\n" + NONE, 400, "bad_parameter"),
    "a NUL in a value": (POST + "X: a\0b\n" + NONE, 400, "bad_parameter"),
    "a NUL in a name": (POST + "X\0: b\n" + NONE, 400, None),
    "two authorizations": (POST + "Authorization: Bearer a\nAuthorization: Bearer b\n" + NONE,
                           400, "bad_parameter"),
    "two origins": (POST + "Origin: http://a\nOrigin: http://b\n" + NONE, 400, "bad_parameter"),
    "an upgrade to HTTP/2": (POST + "Connection: Upgrade\nUpgrade: h2c\n" + NONE,
                             400, "bad_parameter"),
    "an upgrade to a WebSocket": (GET + "Connection: Upgrade\nUpgrade: websocket\n\n",
                                  400, "bad_parameter"),
    "an unknown expectation": (POST + "Expect: 200-ok\n" + NONE, 400, "bad_parameter"),
    "an absolute target": ("POST http://localhost/restart/backend HTTP/1.1\nHost: localhost\n"
                           + NONE, 400, "bad_parameter"),
    "an authority as target": ("CONNECT localhost:22 HTTP/1.1\nHost: localhost\n" + NONE,
                               400, "bad_parameter"),
    "a star as target": ("OPTIONS * HTTP/1.1\nHost: localhost\n" + NONE, 400, "bad_parameter"),
    "a blank in the target": ("POST /restart/backend x HTTP/1.1\nHost: localhost\n" + NONE,
                              400, "bad_parameter"),
    "a control in the target": ("POST /restart/back\x01end HTTP/1.1\nHost: localhost\n" + NONE,
                                400, "bad_parameter"),
    "a letter beyond ASCII in the target": ("POST /restart/b\xe4 HTTP/1.1\nHost: localhost\n"
                                            + NONE, 400, "bad_parameter"),
    "a fragment": ("POST /restart/backend#x HTTP/1.1\nHost: localhost\n" + NONE,
                   400, "bad_parameter"),
    "a control in the method": ("PO\x01ST /restart/backend HTTP/1.1\nHost: localhost\n" + NONE,
                                400, "bad_parameter"),
    "HTTP/1.2": ("POST /restart/backend HTTP/1.2\nHost: localhost\n" + NONE,
                 400, "bad_parameter"),
    "a target of 8193 bytes": ("POST /restart/" + "a" * 8184 + " HTTP/1.1\nHost: localhost\n"
                               + NONE, 414, "too_large"),
    "a query of 10000 bytes": ("POST /restart/backend?reason=" + "a" * 10000 +
                               " HTTP/1.1\nHost: localhost\n" + NONE, 414, "too_large"),
    "a length of 2 MB": (POST + "Content-Length: 2000000\n\n", 413, "too_large"),
    "a length that waits for our word": (POST + "Expect: 100-continue\nContent-Length: 70000\n\n",
                                         413, "too_large"),
}

# The same with bytes as they are.
REFUSED_BYTES = {
    "a line feed alone": b"POST /restart/backend HTTP/1.1\r\nHost: localhost\nX: a\r\n"
                         b"Content-Length: 0\r\n\r\n",
    "a line feed alone behind the first line": b"POST /restart/backend HTTP/1.1\n"
                                               b"Host: localhost\r\nContent-Length: 0\r\n\r\n",
    "line feeds alone": b"POST /restart/backend HTTP/1.1\nHost: localhost\n"
                        b"Content-Length: 0\n\n",
    "a carriage return alone": b"POST /restart/backend HTTP/1.1\r\nHost: localhost\r\n"
                               b"X: a\rContent-Length: 44\r\nContent-Length: 0\r\n\r\n",
}

# What libmicrohttpd refuses by itself, in its own words.
REFUSED_BELOW = {
    "HTTP/0.9": (b"GET /status\r\n\r\n", {400}),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 505}),
    "HTTP/3.0": (b"GET /healthz HTTP/3.0\r\nHost: a\r\n\r\n", {400, 505}),
    "a line without a colon": (GET.replace("\n", "\r\n").encode() + b"X\r\n\r\n", {400}),
    "a target of 20 kB": (b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", {414}),
    "a header of 20 kB": (GET.replace("\n", "\r\n").encode() + b"X: " + b"a" * 20000
                          + b"\r\n\r\n", {431}),
    "500 headers": (GET.replace("\n", "\r\n").encode() + b"X: a\r\n" * 500 + b"\r\n", {431}),
}
for length in ("+0", "-1", "0x0", "0,0", "", "0 0", "99999999999999999999999"):
    REFUSED_BELOW[f"the length {length!r}"] = (
        (POST + f"Content-Length: {length}\n\n").replace("\n", "\r\n").encode(), {400, 413})
for size in ("ffffffffffffffffff", "0x0", "-1", "", " 0", "g"):
    REFUSED_BELOW[f"a chunk of size {size!r}"] = (
        (POST + f"Transfer-Encoding: chunked\n\n{size}\n\n").replace("\n", "\r\n").encode(),
        {400, 413})
REFUSED_BELOW["a chunk that is longer than it says"] = (
    (POST + "Transfer-Encoding: chunked\n\n1\nabc\n0\n\n").replace("\n", "\r\n").encode(), {400})


class Hostile(Shared):
    services = {"backend": on_fd()}
    tcp = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.d.wait_witness("backend", "ready")
        cls.token = cls.d.admin_token()

    def connect(self, tcp, source=None):
        if tcp:
            s = socket.create_connection(("127.0.0.1", self.d.port),
                                         source_address=(source, 0) if source else None)
        else:
            s = socket.socket(socket.AF_UNIX)
            s.connect(self.d.socket)
        s.settimeout(PATIENT)
        return s

    def exchange(self, data, tcp):
        """Sends the bytes; all that comes until the daemon closes."""
        with self.connect(tcp) as s:
            try:
                s.sendall(data)
            except (BrokenPipeError, ConnectionResetError):
                pass
            got = b""
            while True:
                try:
                    piece = s.recv(65536)
                except ConnectionResetError:
                    return got
                if not piece:
                    return got
                got += piece

    def authorized(self, text):
        """The request with a token, which the Unix socket does not mind."""
        return text.replace("Host: localhost\n", "Host: localhost\nAuthorization: Bearer "
                            + self.token + "\n", 1)

    def smuggled(self):
        """A whole request that would be accepted if it were ever taken for one."""
        return self.authorized(POST + NONE).replace("\n", "\r\n").encode("latin-1")

    def statuses(self, got):
        return [int(s) for s in re.findall(rb"(?:^|\n)HTTP/1\.1 (\d{3}) ", got)]

    def refused(self, data, statuses, code=None, ours=True):
        """One refusal, then the end; what comes behind it is never looked at."""
        before = len(self.d.operations())
        for tcp in (False, True):
            got = self.exchange(data + self.smuggled(), tcp)
            seen = self.statuses(got)
            self.assertEqual(len(seen if ours else set(seen)), 1, got)
            self.assertIn(seen[0], statuses, got)
            head, _, body = got.partition(b"\r\n\r\n")
            if ours:
                self.assertIn(b"application/problem+json", head)
                self.assertEqual(head.count(b"\r\nConnection: close"), 1, head)
                self.assertIn(b"X-Content-Type-Options: nosniff", head)
                problem = json.loads(body)
                self.assertEqual(problem["status"], seen[0])
                self.assertEqual(problem["code"], code, problem)
            self.assertEqual(self.d.http("GET", "/healthz", tcp=tcp).status, 200)
        self.assertEqual(len(self.d.operations()), before, "nothing was accepted")

    def test_what_can_be_read_in_two_ways_is_refused_and_the_connection_closed(self):
        for name, (text, status, code) in REFUSED.items():
            with self.subTest(name):
                data = text.replace("\n", "\r\n").encode("latin-1")
                self.refused(data, {status}, code, ours=code is not None)

    def test_lines_end_in_cr_lf(self):
        for name, data in REFUSED_BYTES.items():
            with self.subTest(name):
                self.refused(data, {400}, "bad_parameter")

    def test_what_libmicrohttpd_refuses_is_refused_with_the_end_of_the_connection(self):
        for name, (data, statuses) in REFUSED_BELOW.items():
            with self.subTest(name):
                self.refused(data, statuses, ours=False)

    def test_good_requests_in_odd_shapes_are_served(self):
        chunked = POST.replace("/restart/backend", "/restart/backend?wait=0") + \
            "Transfer-Encoding: chunked\nConnection: close\n\n"
        shapes = {
            "a chunk extension": (chunked + "2;a=b\n{}\n0\n\n", 202),
            "a trailer": (chunked + "2\n{}\n0\nX-Sum: 1\n\n", 202),
            "chunks of a byte": (chunked + "1\n{\n1\n}\n0\n\n", 202),
            "HTTP/1.0 without a host": ("GET /healthz HTTP/1.0\n\n", 200),
            "empty lines before it": ("\n\n" + GET + "Connection: close\n\n", 200),
            "blanks behind a value": (GET + "X: a \t\nConnection: close\n\n", 200),
            "cookies": (GET + "Cookie: a=b; c=d\nConnection: close\n\n", 200),
            "an empty value": (GET + "X:\nConnection: close\n\n", 200),
            "letters beyond ASCII in a value": (GET + "X: \xe4\xf6\nConnection: close\n\n", 200),
            "a target of 8192 bytes": ("GET /" + "a" * 8191 + " HTTP/1.1\nHost: localhost\n"
                                       "Connection: close\n\n", 404),
        }
        for name, (text, status) in shapes.items():
            for tcp in (False, True):
                with self.subTest(name, tcp=tcp):
                    data = self.authorized(text).replace("\n", "\r\n").encode("latin-1")
                    got = self.exchange(data, tcp)
                    self.assertEqual(self.statuses(got), [status], got)

    def test_a_head_that_comes_byte_by_byte_is_the_same_head(self):
        text = GET + "".join(f"X-{i}: {'v' * 120}\n" for i in range(60)) + "Connection: close\n\n"
        for tcp in (False, True):
            with self.connect(tcp) as s:
                for byte in text.replace("\n", "\r\n").encode():
                    s.sendall(bytes([byte]))
                self.assertTrue(s.recv(65536).startswith(b"HTTP/1.1 200 "))

    def test_who_expects_100_is_told_to_go_on(self):
        data = self.authorized(POST + "Expect: 100-continue\nContent-Length: 2\n"
                               "Connection: close\n\n").replace("\n", "\r\n").encode()
        for tcp in (False, True):
            with self.connect(tcp) as s:
                s.sendall(data)
                self.assertTrue(s.recv(65536).startswith(b"HTTP/1.1 100 "))
                s.sendall(b"{}")
                self.assertTrue(s.recv(65536).startswith(b"HTTP/1.1 202 "))

    def test_requests_behind_each_other_are_answered_in_turn_until_one_is_wrong(self):
        good, bad = GET + "\n", GET + "Host: b\n\n"
        for tcp in (False, True):
            got = self.exchange((good * 3 + bad + good).replace("\n", "\r\n").encode(), tcp)
            self.assertEqual(self.statuses(got), [200, 200, 200, 400], got)

    def test_nothing_behind_chunks_is_taken_for_a_request(self):
        first = self.authorized(POST + "Transfer-Encoding: chunked\n\n0\n\n")
        for tcp in (False, True):
            before = len(self.d.operations())
            got = self.exchange(first.replace("\n", "\r\n").encode() + self.smuggled(), tcp)
            self.assertEqual(self.statuses(got), [202], got)
            self.assertIn(b"Connection: close", got)
            self.assertEqual(len(self.d.operations()), before + 1)

    def body(self, data, tcp):
        return self.d.http("POST", "/restart/backend?wait=0", data, tcp=tcp, token=self.token)

    def test_deep_and_huge_json_is_refused_and_the_memory_stays(self):
        bodies = {
            "arrays in arrays": (b"[" * 60000, 400),
            "closed ones": (b"[" * 30000 + b"]" * 30000, 400),
            "objects in objects": (b'{"a":' * 12000, 400), "100000 levels": (b"[" * 100000, 413),
            "a long key": (b'{"' + b"a" * 60000 + b'":1}', 400),
            "a long number": (b'{"timeout":' + b"9" * 60000 + b"}", 400),
            "a large exponent": (b'{"timeout":1e999999}', 400),
            "one key 5000 times": (b'{' + b'"wait":1,' * 5000 + b'"wait":1}', 400),
            "many keys": (b"{" + b",".join(b'"k%d":1' % i for i in range(5000)) + b"}", 400),
            "no UTF-8": (b'{"reason":"\xff\xfe"}', 400), "a NUL": (b'{"timeout":1}\0', 400),
            "half a text": (b'{"reason":"', 400),
            "a lone surrogate": (b'{"reason":"\\ud800"}', 400),
            "an escaped NUL": (b'{"timeout":"1\\u0000"}', 400),
            "two values": (b"{}{}", 400), "a list": (b"[]", 400), "NaN": (b'{"timeout":NaN}', 400),
            "a body of 65537 bytes": (b" " * 65537, 413),
        }
        before = len(self.d.operations())
        for turn in range(4):
            for name, (data, status) in bodies.items():
                for tcp in (False, True):
                    with self.subTest(name, tcp=tcp):
                        answer = self.body(data, tcp)
                        self.assertEqual(answer.status, status, answer)
                        self.assertIn(answer.json["code"], ("bad_body", "not_json", "too_large",
                                                            "bad_parameter"))
            if turn == 0:
                size = self.memory()
        if not SANITIZE:
            self.assertLess(self.memory() - size, 32 << 20)
        self.assertEqual(len(self.d.operations()), before, "nothing was accepted")

    def memory(self):
        with open(f"/proc/{self.d.pid}/status") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1)) << 10

    def test_one_address_may_hold_half_of_the_tcp_listener_and_nobody_the_unix_socket(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < 4096:
            self.skipTest(f"needs 4096 descriptors, may have {hard}")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
        ask = (GET + "\n").replace("\n", "\r\n").encode()
        held = []
        try:
            refused = None
            while refused is None and len(held) < 4000:
                s = self.connect(True, "127.0.0.3")
                held.append(s)
                try:
                    s.sendall(ask)
                    if not s.recv(65536):
                        refused = len(held)
                except (BrokenPipeError, ConnectionResetError):
                    refused = len(held)
            self.assertEqual(refused, 513)
            with self.connect(True, "127.0.0.4") as s:
                s.sendall(ask)
                self.assertTrue(s.recv(65536).startswith(b"HTTP/1.1 200 "))
            self.assertEqual(self.d.http("GET", "/status").status, 200)
        finally:
            for s in held:
                s.close()


class Stuck(Shared):
    """300 clients that each stop at another stage."""
    services = {"backend": on_fd(), "talker": fake(log={"max_size": "1G"})}
    tcp = True
    EACH = 50

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.d.wait_all_running()    # nothing changes any more for those who wait for a change
        cls.token = cls.d.admin_token()
        with open(f"{cls.d.log_dir}/talker.log", "ab") as f:
            f.write((b"x" * 399 + b"\n") * 90000)  # more than any socket buffer holds

    def begin(self, data):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(("127.0.0.1", self.d.port))
        s.setblocking(False)
        if data:
            self.assertEqual(s.send(data), len(data))
        return s

    def request(self, line, more=""):
        return (f"{line} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.token}\r\n"
                + more).encode()

    def wait_closed(self, clients, dribbling, reading):
        """Until the daemon has closed every one, whatever the dribbling go on sending. The reading
        one takes little at a time."""
        left = {s.fileno(): s for s in clients}
        poller = select.poll()
        for fd in left:
            poller.register(fd, select.POLLRDHUP)
        until = time.monotonic() + PATIENT
        while left:
            self.assertLess(time.monotonic(), until, f"{len(left)} are still there")
            for fd, _ in poller.poll(500):
                poller.unregister(fd)
                left.pop(fd)
            try:
                reading.recv(20000)
            except BlockingIOError:
                pass
            for s in dribbling:
                if s.fileno() in left:
                    try:
                        s.send(b"x")
                    except OSError:
                        pass  # it is told by the poll

    def test_everybody_else_is_served_and_the_stuck_ones_are_cut_off(self):
        revision = self.d.http("GET", "/status").json["revision"]
        half_body = self.request("POST /restart/backend", "Content-Length: 100\r\n\r\n") + b'{"a'
        kept = self.request("GET /healthz", "\r\n")
        cut = {
            "silent": [self.begin(b"") for _ in range(self.EACH)],
            "half a head": [self.begin(b"GET /status HTTP/1.1\r\nHost: loc")
                            for _ in range(self.EACH)],
            "half a body": [self.begin(half_body) for _ in range(self.EACH)],
            "not reading": [self.begin(self.request("GET /logs/talker?lines=100000", "\r\n"))
                            for _ in range(self.EACH)],
            "kept and silent": [self.begin(kept) for _ in range(self.EACH // 2)],
            "kept, then half a head": [self.begin(kept + b"GET /sta") for _ in
                                       range(self.EACH - self.EACH // 2)],
        }
        parked = [self.begin(self.request(f"GET /status?since={revision}&wait=600", "\r\n"))
                  for _ in range(self.EACH)]
        borne = {
            "following": self.begin(self.request("GET /logs/talker?follow&lines=0", "\r\n")),
            "slow but reading": self.begin(self.request("GET /logs/talker?lines=100000", "\r\n")),
        }
        everybody = [s for some in cut.values() for s in some]
        try:
            for tcp in (False, True):
                for _ in range(20):
                    self.assertEqual(self.d.http("GET", "/status", tcp=tcp,
                                                 token=self.token).status, 200)
            self.wait_closed(everybody, reading=borne["slow but reading"],
                             dribbling=cut["half a head"][:10] + cut["half a body"][:10]
                             + cut["kept, then half a head"][:10])
            poller = select.poll()
            for name, s in borne.items():
                poller.register(s, select.POLLRDHUP)
                self.assertEqual(poller.poll(0), [], name)
            for s in parked:
                poller.register(s, select.POLLIN | select.POLLRDHUP)
            self.assertEqual(poller.poll(0), [], "who waits with our leave is not cut off")
            self.assertEqual(self.d.http("POST", "/restart/backend?wait").status, 200)
            for s in parked:
                s.settimeout(PATIENT)
                self.assertTrue(s.recv(4096).startswith(b"HTTP/1.1 200 "))
        finally:
            for s in [*everybody, *parked, *borne.values()]:
                s.close()


class Logged(Shared):
    services = {"backend": fake()}
    tcp = True

    def test_failed_authentications_are_counted_and_not_logged_one_by_one(self):
        until = time.monotonic() + 2.5
        asked = 0
        while time.monotonic() < until or asked < 200:
            self.assertEqual(self.d.tcp("GET", "/status", token="wrong-0123456789abc").status, 401)
            asked += 1
        lines = [line for line in self.d.log_text().splitlines() if "refused" in line]
        self.assertGreaterEqual(len(lines), 2)
        self.assertLess(len(lines), asked / 5)
        self.assertIn("127.0.0.1:", lines[0])
        self.assertTrue(any(int(re.search(r"refused (\d+) request", line).group(1)) > 1
                            for line in lines[1:]), lines)
        self.assertNotIn("wrong-0123456789abc", self.d.log_text())


class UnixPeers(unittest.TestCase):
    def test_only_root_and_the_daemons_own_user_come_in_whatever_the_sockets_mode(self):
        if os.geteuid() != 0:
            self.skipTest("needs root, to be somebody else")
        with Daemon({"backend": fake()}) as d:
            os.chmod(d.socket, 0o666)
            answer = self.ask_as(d, 54321)
            self.assertTrue(answer.startswith(b"HTTP/1.1 403 "), answer)
            self.assertIn(b'"code":"forbidden"', answer)
            self.assertTrue(self.ask_as(d, 0).startswith(b"HTTP/1.1 200 "))
            self.assertIn("uid:54321", d.log_text())

    def test_members_of_the_group_come_in_and_are_named(self):
        if os.geteuid() != 0:
            self.skipTest("needs root, to be somebody else")
        group = grp.getgrgid(1)  # daemon, on Debian
        with Daemon({"backend": fake()}, config={"api": {"group": group.gr_name}}) as d:
            self.assertEqual(os.stat(d.socket).st_mode & 0o777, 0o660)
            for own, more in ((1, []), (54321, [1]), (54321, [*range(60000, 60200), 1])):
                answer = self.ask_as(d, 54321, own, more)
                self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer)
            os.chmod(d.socket, 0o666)
            self.assertTrue(self.ask_as(d, 54321, 54321, [2]).startswith(b"HTTP/1.1 403 "))

    def ask_as(self, d, uid, gid=None, groups=()):
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.setgroups(groups)
                os.setgid(uid if gid is None else gid)
                os.setuid(uid)
                os.write(write, d.raw(b"GET /status HTTP/1.1\r\nHost: localhost\r\n"
                                      b"Connection: close\r\n\r\n")[:2000])
            finally:
                os._exit(0)
        os.close(write)
        with os.fdopen(read, "rb") as f:
            got = f.read()
        os.waitpid(child, 0)
        return got


if __name__ == "__main__":
    main()
