"""The whole REST contract, entry by entry: `orderlyd --help-api` lists for every route what it may
answer; every pair of a route and a status or a code is provoked here for real, and nothing else is
ever answered."""
import contextlib
import ctypes
import fcntl
import http.client
import json
import os
import select
import shutil
import socket
import sqlite3
import struct
import subprocess
import tempfile
import unittest

from harness.build import BUILD
from harness.client import Answer, UnixConnection
from harness.orderly import GUARD, ORDERLYD, Daemon, at_once, fake, main, on_fd, wait_written

UNENDING = on_fd("--start-delay 86400000", service={"autostart": "no"})
HUP = {"reload_signal": "HUP"}
LONG = {"stop_timeout": "100s", "timeout": "200s"}
NOBODY = 99999999
WORLDS = {"Ordinary", "Busy", "Pruned", "JournalHeld", "JournalUnreadable", "Parked", "Upgrading",
          "ShuttingDown", "Stopping", "Deaf"}


API, ROUTES, STATUS_OF = {}, {}, {}
OPERATIONS = ("start", "stop", "restart", "reload", "signal")
ASKING = [f"POST /{action}/<service>" for action in OPERATIONS] + [
    "PUT /goal/<service>", "POST /operations"]
seen, ran = set(), set()


def setUpModule():
    done = subprocess.run([ORDERLYD, "--help-api"], stdout=subprocess.PIPE, check=True, cwd="/")
    API.update(json.loads(done.stdout))
    ROUTES.update({f"{r['method']} {r['path']}": r for r in API["routes"]})
    STATUS_OF.update({p["code"]: p["status"] for p in API["problems"]})
    seen.clear()
    ran.clear()


def tearDownModule():
    """Every entry of the list was given; only when all of it was tried."""
    if not WORLDS <= ran:
        return
    wanted = {(row, what) for row, r in ROUTES.items() for what in r["answers"] + r["problems"]}
    wanted |= {("", code) for code in API["no_route"]}
    assert not wanted - seen, f"never given: {sorted(map(str, wanted - seen))}"


class World(unittest.TestCase):
    def setUp(self):
        ran.add(type(self).__name__)

    def look(self, row, answer):
        """Whether the list has the answer; what it was: a status, or a problem's code."""
        if answer.headers["Content-Type"] and "problem" in answer.headers["Content-Type"]:
            body = answer.json
            what, listed = body["code"], ROUTES[row]["problems"] if row else API["no_route"]
            self.assertEqual(STATUS_OF[what], answer.status)
            self.assertEqual(body["status"], answer.status)
            self.assertEqual(body["title"], next(p["title"] for p in API["problems"]
                                                 if p["code"] == what))
        else:
            what, listed = answer.status, ROUTES[row]["answers"]
        self.assertIn(what, listed, f"{row} answers what the list does not have: {answer}")
        seen.add((row, what))
        return what

    def ask(self, row, what, service="web", query="", body=None, number=None, headers=None, **more):
        """One request of the row, which must be answered with `what`."""
        method, path = row.split()
        headers = dict(headers or {})
        path = path.replace("<service>", service).replace("<id>", str(number or NOBODY))
        if path.startswith("/signal/"):
            query = "?signal=USR1" + query.replace("?", "&")
        elif path.startswith("/goal/"):
            query = "?goal=" + more.pop("goal", "down") + query.replace("?", "&")
        elif row == "POST /operations" and body is None:
            action = more.pop("action", "restart")
            body = {"operations": [{"action": action, "service": service}]}
        more.pop("goal", None), more.pop("action", None)
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        answer = self.d.http(method, path + query, body=body, headers=headers, **more)
        self.assertEqual(self.look(row, answer), what, f"{row}: {answer}")
        return answer

    def world(self, services=None, **more):
        self.d = Daemon(services or {"web": on_fd(operation=HUP)}, **more)
        return self.d


def path_service(row):
    return "<service>" in row


class Ordinary(World):
    """What needs nothing but the right words."""

    def test_everything_that_an_idle_daemon_answers(self):
        services = {"web": on_fd(operation=HUP), "plain": on_fd(), "unending": UNENDING,
                    "late": fake(service={"autostart": "no"}, operation=HUP),
                    "deaf": on_fd("--deaf", operation={"stop_timeout": "1s", **HUP}),
                    "broken": "[service]\ncomand = /bin/true\n"}
        with self.world(services, tcp=True) as d:
            for name in ("web", "plain", "deaf"):
                d.wait_state(name, "running")
            self.bytes_and_words()
            self.who_asks()
            self.services()
            self.ends()
            self.keys()
            self.looking()
            self.no_route()
            answer = self.ask("POST /daemon/upgrade", 202)
            self.assertTrue(answer.json["upgrading"])
            d.renewed()
            d.wait_log("is ready", 2)
            answer = self.ask("POST /daemon/shutdown", 200)
            self.assertTrue(answer.json["shutting_down"])
            d.wait_exit()

    def bytes_and_words(self):
        for row, route in ROUTES.items():
            self.ask(row, "bad_parameter", query="?bogus=1")
            self.ask(row, "too_large", body=b" " * 65537)
            self.ask(row, "bad_body", body=b'{"bogus": 1}')
            if route["body"] != "none":
                self.ask(row, "not_json", body=b"{")

    def who_asks(self):
        token = self.d.admin_token()
        for row, route in ROUTES.items():
            if route["role"] != "none":
                self.ask(row, "unauthenticated", tcp=True)
            self.ask(row, "forbidden", tcp=True, token=token, headers={"Host": "evil.example"})

    def services(self):
        for row, route in ROUTES.items():
            if path_service(row) or row == "POST /operations":
                self.ask(row, "unknown_service", service="nobody")
                self.ask(row, "config_refused", service="broken")
        self.ask("GET /operations", "unknown_service", query="?service=nobody")
        self.ask("GET /operations", "config_refused", query="?service=broken")
        self.ask("GET /events", "unknown_service", query="?service=nobody")
        self.ask("GET /events", "config_refused", query="?service=broken")
        self.ask("POST /daemon/reload", "config_refused", query="?strict")
        self.ask("POST /reload/<service>", "cannot_reload", service="plain")
        self.ask("POST /operations", "cannot_reload", service="plain", action="reload")
        self.ask("POST /operations", "never_fits", body={
            "operations": [{"action": "start", "service": "web"}] * 65})

    def settle(self, name):
        self.d.wait_status(lambda r: not r["active_operation"] and not r["queue_length"] and
                           r["state"] not in ("starting", "stopping"), name)

    def ends(self):
        """200, 202 and 409 of everything that makes operations."""
        for row in ASKING:
            for what, query in ((202, ""), (200, "?wait")):
                self.ask(row, what, query=query, goal="up" if what == 200 else "down")
                self.settle("web")
                self.d.do("start", "web")
        self.ask("PUT /goal/<service>", 200, goal="up")
        short = "?wait&timeout=0.1"
        self.ask("POST /start/<service>", 409, service="unending", query=short)
        self.d.do("stop", "unending")
        self.ask("PUT /goal/<service>", 409, service="unending", goal="up", query=short)
        self.d.do("stop", "unending")
        for row in ("POST /stop/<service>", "POST /restart/<service>", "POST /operations"):
            self.ask(row, 409, service="deaf", query=short)
            self.settle("deaf")
            self.d.do("start", "deaf")
        for row in ("POST /reload/<service>", "POST /signal/<service>"):
            self.ask(row, 409, service="late", query="?wait")

    def keys(self):
        headers = {"Idempotency-Key": "once"}
        self.ask("POST /start/<service>", 200, query="?wait", headers=headers)
        for row in ASKING:
            if row != "POST /start/<service>":
                self.ask(row, "key_reused", headers=headers)
        self.ask("POST /start/<service>", "key_reused", service="plain", headers=headers)

    def looking(self):
        d = self.d
        ended = d.do("start", "web")["id"]
        failed = d.http("POST", "/restart/deaf?wait&timeout=0.1").json["id"]
        one, many = "GET /operations/<id>", "GET /operations"
        self.settle("deaf")
        d.do("start", "deaf")
        self.ask(one, 200, number=ended)
        self.ask(one, 409, number=failed, query="?wait")
        batch = d.http("POST", "/operations?wait&timeout=0.1", body=json.dumps({"operations": [
            {"action": "restart", "service": "deaf"}]}).encode()).json["batch"]
        self.ask(many, 409, query=f"?batch={batch}&wait")
        self.ask(many, 200)
        self.settle("deaf")
        d.do("start", "deaf")
        going = self.ask("POST /operations", 202, service="unending", action="start").json["batch"]
        self.ask(many, 202, query=f"?batch={going}&wait=0")
        self.ask(one, 202, number=going, query="?wait=0")
        d.do("stop", "unending", "?mode=replace")
        self.ask(one, "unknown_operation")
        self.ask(many, "unknown_operation", query=f"?batch={NOBODY}")
        self.ask("DELETE /operations/<id>", "unknown_operation")
        self.ask("DELETE /operations/<id>", "cannot_cancel", number=ended)
        start = d.ask("start", "unending")["id"]
        d.wait_state("unending", "starting")
        self.ask("DELETE /operations/<id>", 200, number=start)
        d.do("stop", "unending")
        tag = self.ask("GET /status", 200).headers["ETag"]
        self.ask("GET /status", 304, headers={"If-None-Match": tag})
        for row in ("GET /status/<service>", "GET /logs/<service>", "GET /healthz", "GET /readyz",
                    "GET /version", "POST /rotate/<service>", "POST /daemon/reload"):
            self.ask(row, 200)
        d.write_service("new", fake(service={"autostart": "no"}))
        self.ask("POST /daemon/reload", 200)
        for file in os.listdir(d.log_dir):
            if file.startswith("new.log"):
                os.unlink(f"{d.log_dir}/{file}")
        self.ask("GET /logs/<service>", "not_found", service="new", query="?follow")
        self.events()
        self.rotation_that_fails()

    def events(self):
        """An answer without end: only its beginning."""
        connection = UnixConnection(self.d.socket)
        connection.timeout = GUARD
        with contextlib.closing(connection):
            connection.request("GET", "/events?since=0")
            response = connection.getresponse()
            self.assertEqual(self.look("GET /events", Answer(response, b"")), 200)
            self.assertEqual(response.headers["Content-Type"], "text/event-stream")
            self.assertIn(b"retry:", response.readline())

    def rotation_that_fails(self):
        d = self.d
        d.write_service("full", fake("--print something", log={"max_files": "1"}))
        d.http("POST", "/daemon/reload")
        d.wait_state("full", "running")
        wait_written(d.log_dir, lambda: d.http("GET", "/logs/full").body, "it has no log")
        os.makedirs(f"{d.log_dir}/full.log.1/in-the-way")
        answer = self.ask("POST /rotate/<service>", 409, service="full")
        self.assertFalse(answer.json["rotated"])

    def no_route(self):
        d, token = self.d, self.d.admin_token()

        def get(what, path, method="GET", **more):
            self.assertEqual(self.look("", d.http(method, path, **more)), what)
        get("not_found", "/nothing/here")
        get("method_not_allowed", "/status", method="DELETE")
        get("unauthenticated", "/nothing", tcp=True)
        get("forbidden", "/nothing", tcp=True, token=token, headers={"Host": "evil.example"})
        for head, code in (("Host: a\r\nHost: b\r\n", "bad_parameter"),
                           ("Host: a\r\nContent-Length: 5\r\n"
                            "Transfer-Encoding: chunked\r\n", "bad_body"),
                           ("Host: a\r\nContent-Length: 999999999\r\n", "too_large")):
            data = d.raw(f"POST /nothing HTTP/1.1\r\n{head}\r\n".encode())
            self.assertIn(f'"code":"{code}"'.encode(), data)
            seen.add(("", code))


class Busy(World):
    def test_a_service_that_is_busy_or_full(self):
        deaf = on_fd("--deaf", operation={"queue_limit": "2", **LONG, **HUP})
        with self.world({"web": deaf}) as d:
            d.wait_all_running()
            d.ask("restart", "web")
            d.wait_state("web", "stopping")
            for row in ASKING:
                self.ask(row, "not_idle", query="?mode=fail")
            for _ in range(2):
                d.ask("restart", "web")
            for row in ASKING:
                answer = self.ask(row, "queue_full")
                self.assertIn("Retry-After", answer.headers)
            d.leave()


class Pruned(World):
    def test_what_was_forgotten_is_gone(self):
        with self.world(config={"operations": {"history_count": "10"}}) as d:
            d.wait_all_running()
            keys = {row: {"Idempotency-Key": f"key-{i}"} for i, row in enumerate(ASKING)}
            for row in ASKING:
                made = self.ask(row, 202, headers=keys[row]).json
            number = made["batch"]
            d.operation(number)
            d.do("start", "web")
            for _ in range(400):
                if d.http("GET", f"/operations/{number}").status == 410:
                    break
                d.http("POST", "/start/web?wait")
            for row in ASKING:
                self.ask(row, "gone", headers=keys[row])
            self.ask("GET /operations/<id>", "gone", number=number)
            self.ask("DELETE /operations/<id>", "gone", number=number)
            self.ask("GET /operations", "gone", query=f"?batch={number}")


class JournalHeld(World):
    def test_while_another_program_holds_the_database_only_stops_are_accepted(self):
        deaf = on_fd("--deaf", operation=LONG)
        with self.world({"web": on_fd(operation=HUP), "deaf": deaf,
                         "idle": fake(service={"autostart": "no"})}) as d:
            for name in ("web", "deaf"):
                d.wait_state(name, "running")
            d.ask("restart", "deaf")
            d.wait_state("deaf", "stopping")
            queued = d.ask("restart", "deaf")["id"]
            with contextlib.closing(sqlite3.connect(f"{d.state_dir}/state.db",
                                                    isolation_level=None,
                                                    timeout=GUARD)) as db:
                db.execute("BEGIN IMMEDIATE")
                at_once([lambda row=row: self.ask(row, "journal_unavailable", goal="up",
                                                  service="idle" if "goal" in row else "web")
                         for row in ASKING if row != "POST /stop/<service>"])
                self.ask("POST /stop/<service>", 202)
                self.ask("DELETE /operations/<id>", "journal_unavailable", number=queued)
                db.execute("ROLLBACK")
            self.assertEqual(d.operation(queued)["state"], "cancelled")
            d.leave()


class JournalUnreadable(World):
    @contextlib.contextmanager
    def unreadable(self, d):
        """Another program has the locks of every reader of the database (bytes 123 to 127 of its
        -shm file)."""
        with open(f"{d.state_dir}/state.db-shm", "r+b") as shm:
            lock = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 123, 5, 0)
            fcntl.fcntl(shm, fcntl.F_SETLKW, lock)
            yield

    def test_what_needs_the_journal_says_that_it_cannot_be_read(self):
        with self.world() as d:
            d.wait_all_running()
            number = d.do("restart", "web")["id"]
            d.do("restart", "web")  # with its acceptance all is written that was before
            with self.unreadable(d):
                # one after the other: SQLite holds the thread for some seconds each time
                self.ask("GET /operations", "journal_unavailable")
                self.ask("GET /operations/<id>", "journal_unavailable", number=number)
                answer = self.ask("POST /stop/<service>", 202,
                                  headers={"Idempotency-Key": "was-it-used"})
                self.assertFalse(answer.json["durable"])


class Parked(World):
    PLACES, TOO_MANY = 512, 3  # half of the connections of the TCP listener

    def test_where_no_more_may_wait_waiting_is_refused(self):
        with self.world({"web": on_fd(operation=HUP), "unending": UNENDING}, tcp=True) as d:
            d.wait_state("web", "running")
            token, number = d.admin_token(), d.ask("start", "unending")["id"]
            d.wait_state("unending", "starting")
            batch = self.ask("POST /operations", 202, service="unending").json["batch"]
            with contextlib.ExitStack() as stack:
                sockets = []
                for i in range(self.PLACES + self.TOO_MANY):
                    sockets.append(stack.enter_context(socket.create_connection(
                        ("127.0.0.1", d.port), GUARD, (f"127.0.0.{2 + i % 4}", 0))))
                    sockets[-1].sendall(
                        f"GET /operations/{number}?wait HTTP/1.1\r\nHost: localhost\r\n"
                        f"Authorization: Bearer {token}\r\n\r\n".encode())
                refused = select.poll()
                for s in sockets:
                    refused.register(s, select.POLLIN)
                while len(refused.poll(GUARD * 1000)) < self.TOO_MANY:
                    pass
                revision = d.status()["revision"]
                more = {"tcp": True, "token": token}
                for row in ASKING:
                    self.ask(row, "queue_full", query="?wait", **more)
                self.ask("GET /operations", "queue_full", query=f"?batch={batch}&wait", **more)
                self.ask("GET /operations/<id>", "queue_full", number=number, query="?wait", **more)
                self.ask("GET /status", "queue_full", query=f"?since={revision}&wait=60", **more)
                self.ask("GET /logs/<service>", "queue_full", query="?follow", **more)
                self.ask("GET /events", "queue_full", **more)
                self.ask("GET /status", 200, **more)
            d.do("stop", "unending", "?mode=replace")


class ShuttingDown(World):
    def test_while_services_are_stopped_nothing_new_is_accepted(self):
        hung = on_fd("--stop-delay 3600000", operation={**LONG, **HUP})
        with self.world({"web": hung}) as d:
            d.wait_all_running()
            d.http("POST", "/daemon/shutdown")
            d.wait_state("web", "stopping")
            for row in ASKING:
                self.ask(row, "closing", goal="up")
            self.ask("GET /readyz", 503)
            d.hurry("web")
            d.wait_exit()


class Upgrading(World):
    def test_a_program_that_has_gone_cannot_be_become(self):
        folder = tempfile.mkdtemp(prefix="ordup", dir="/tmp")
        self.addCleanup(shutil.rmtree, folder)
        os.chmod(folder, 0o755)
        for part in ("bin", "libexec"):
            shutil.copytree(f"{BUILD}/{part}", f"{folder}/{part}")
        wrap = ("/bin/sh", "-c", f'shift; exec {folder}/bin/orderlyd "$@"', "sh")
        with self.world(wrap=wrap) as d:
            d.wait_all_running()
            os.unlink(f"{folder}/bin/orderlyd")
            self.ask("POST /daemon/upgrade", "cannot_upgrade")


class Stopping(World):
    LIVES = 50

    def test_what_comes_after_the_last_answers_is_told_that_it_is_too_late(self):
        """What is not asked in the moment that one end leaves is asked at the next."""
        left = [*ROUTES, ""]
        with self.world({"web": on_fd("--chatty 100000", operation=HUP)}) as d:
            for _ in range(self.LIVES):
                d.wait_all_running()
                self.ask_at_the_end(d, left)
                d.wait_exit()
                if not left:
                    return
                d.start()
            self.fail(f"never answered at the end: {left}")

    def ask_at_the_end(self, d, left):
        """A reader that does not read its large answer keeps the door open for a moment."""
        number = d.do("start", "web")["id"]
        with socket.socket(socket.AF_UNIX) as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.connect(d.socket)
            slow.sendall(b"GET /logs/web?lines=100000 HTTP/1.1\r\nHost: x\r\n\r\n")
            slow.recv(1, socket.MSG_PEEK)
            d.http("POST", "/daemon/shutdown")
            with contextlib.suppress(OSError, http.client.HTTPException):    # it has gone
                while d.http("GET", "/healthz").status != 503:
                    pass
                while left:
                    if left[0]:
                        self.ask(left[0], "closing", number=number)
                    else:
                        answer = d.http("GET", "/nothing")
                        self.assertEqual(self.look("", answer), "closing")
                    left.pop(0)


class Deaf(World):
    """healthz says when the daemon's own threads do not turn any more."""
    ATTACH, DETACH, WALL = 16, 17, 0x40000000

    @contextlib.contextmanager
    def stopped(self, pid, name):
        """Only the threads of this name stand still."""
        libc = ctypes.CDLL(None, use_errno=True)
        libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        held = []
        try:
            for tid in map(int, os.listdir(f"/proc/{pid}/task")):
                with open(f"/proc/{pid}/task/{tid}/comm") as f:
                    if name not in f.read():
                        continue
                if libc.ptrace(self.ATTACH, tid, None, None) != 0:
                    self.skipTest(f"no ptrace here: {os.strerror(ctypes.get_errno())}")
                os.waitpid(tid, self.WALL)
                held.append(tid)
            self.assertTrue(held, f"there is no thread {name}")
            yield
        finally:
            for tid in held:
                libc.ptrace(self.DETACH, tid, None, None)

    def test_a_daemon_whose_watcher_stands_still_is_not_alive(self):
        with self.world() as d:
            d.wait_all_running()
            self.ask("GET /healthz", 200)
            with self.stopped(d.pid, "watcher"):
                self.ask("GET /healthz", 503)
            self.ask("GET /healthz", 200)


if __name__ == "__main__":
    main()
