"""Trouble in one place costs the others nothing: floods, stuck clients, crash loops, storms of
forks and somebody in the journal, one by one and all at once. Whatever is asked of a quiet service
meanwhile is done, in order and once, and the trouble itself is kept in hand and ends when told."""
import contextlib
import http.client
import os
import select
import socket
import sqlite3
import threading
import time
import unittest

from harness.orderly import GUARD, SANITIZE, SLOW, Daemon, at_once, main, on_fd, wait_written

WORK = 4 if SANITIZE else 10      # rounds of restart, stop and start of the quiet service
MANUAL = {"autostart": "no"}


class Load:
    """Some trouble: the services that make it, and what else does."""
    services = {}

    def begin(self, d):
        """Returns when it is there."""

    def end(self, d):
        """Takes it away and looks whether it was contained."""

    def cleanup(self):
        """Nothing of it stays, whatever has happened."""


class Floods(Load):
    """Two services that write as fast as they can."""
    names = ("flood-block", "flood-drop")
    SIZE = 1 << 20

    def __init__(self):
        self.services = {name: self.spec(name.split("-")[1]) for name in self.names}

    def spec(self, when_full):
        return {"service": {"command": "/usr/bin/yes 'a line of a flood'", **MANUAL},
                "readiness": {"type": "immediate"},
                "log": {"max_size": str(self.SIZE), "max_files": "1", "when_full": when_full}}

    def begin(self, d):
        for name in self.names:
            d.do("start", name)
            wait_written(d.log_dir, lambda name=name: os.path.exists(f"{d.log_dir}/{name}.log.1"),
                         f"{name} never filled its file")

    def end(self, d):
        for name in self.names:
            row = d.status(name)
            assert (row["state"], row["generation"], row["restarts"]) == ("running", 1, 0), row
            assert row["log"]["dropped_bytes"] == 0, row["log"]  # there always was room
            d.do("stop", name)
            files = [f"{name}.log", f"{name}.log.1"]  # others only while it is rotated
            wait_written(d.log_dir, lambda files=files: self.kept(d, files[0]) == files,
                         f"more or less than {files} is kept")
            sizes = [os.stat(f"{d.log_dir}/{file}").st_size for file in files]
            assert max(sizes) <= self.SIZE + (1 << 16), sizes

    def kept(self, d, name):
        return sorted(file for file in os.listdir(d.log_dir) if file.startswith(name))


class StuckClients(Load):
    """300 connections to the Unix socket that hold on to it."""
    EACH = 100
    services = {"endless": on_fd("--start-delay 3600000", service=MANUAL,
                                 operation={"timeout": "1h"}),
                "talker": on_fd(service=MANUAL, log={"max_size": "1G"})}

    def __init__(self):
        self.clients, self.waiting = [], []

    def connect(self, d, request):
        s = socket.socket(socket.AF_UNIX)
        self.clients.append(s)
        s.connect(d.socket)
        s.sendall(request)
        return s

    def begin(self, d):
        with open(f"{d.log_dir}/talker.log", "ab") as f:
            f.write((b"x" * 399 + b"\n") * 5000)  # more than any socket buffer holds
        self.number = d.ask("start", "endless")["id"]
        end = " HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for _ in range(self.EACH):
            self.connect(d, b"GET /status HTTP/1.1\r\nHost: loc")
            self.connect(d, f"GET /logs/talker?lines=10000{end}".encode())
            wait = f"GET /operations/{self.number}?wait{end}".encode()
            self.waiting.append(self.connect(d, wait))

    def end(self, d):
        poller = select.poll()
        for s in self.waiting:
            poller.register(s, select.POLLIN | select.POLLRDHUP)
        assert poller.poll(0) == [], "who waits was answered before the end, or cut off"
        answer = d.http("DELETE", f"/operations/{self.number}")
        assert answer.status in (200, 202), answer
        for s in self.waiting:
            s.settimeout(GUARD)
            told = http.client.HTTPResponse(s)
            told.begin()
            body = told.read()
            assert told.status == 409 and b'"state":"cancelled"' in body, (told.status, body)

    def cleanup(self):
        for s in self.clients:
            s.close()


class CrashLoops(Load):
    """64 services that end as soon as they have started, for ever."""
    COUNT = 16 if SANITIZE else 64

    def __init__(self):
        self.names = [f"crash-{n}" for n in range(self.COUNT)]
        spec = on_fd("--crash-at-start 999999", service={**MANUAL, "tags": "crash"},
                     recovery={"first_delay": "20ms", "max_delay": "20ms"})
        spec["readiness"] = {"type": "immediate"}
        self.services = {name: spec for name in self.names}

    def batch(self, d, action):
        answer = d.http("POST", "/operations", f'{{"operations":[{{"action":"{action}",'
                                               '"service":"@crash"}]}')
        assert answer.status == 202, answer
        return [d.operation(record["id"]) for record in answer.json["operations"]]

    def begin(self, d):
        assert len(self.batch(d, "start")) == self.COUNT
        d.wait_status(lambda rows: all(rows[name]["restarts"] >= 3 for name in self.names))

    def end(self, d):
        before = {row["name"]: row["restarts"] for row in d.status()["services"]}
        d.wait_status(lambda rows: all(rows[name]["restarts"] > before[name]
                                       for name in self.names))
        stops = self.batch(d, "stop")
        assert {record["state"] for record in stops} == {"succeeded"}, stops
        for name in self.names:
            row = d.status(name)
            starts = len(d.witness(name, "start"))
            assert (row["state"], row["goal"], row["queue_length"]) == ("stopped", "down", 0), row
            # The last one may have been killed before it could write.
            assert row["generation"] - starts in (0, 1), (row, starts)
            assert row["generation"] == row["restarts"] + 1, row


class Storms(Load):
    """A service that forks 200 children whenever it is stopped, restarted again and again."""
    services = {"storm": on_fd("--fork-storm", operation={"stop_timeout": "1s",
                                                          "timeout": f"{60 * SLOW}s"})}

    def __init__(self):
        self.over = threading.Event()
        self.records, self.thread = [], None

    def again(self, d):
        while not self.over.is_set():
            self.records.append(d.http("POST", "/restart/storm?wait"))

    def begin(self, d):
        d.wait_status(lambda row: row["ready"], "storm")
        self.thread = threading.Thread(target=self.again, args=(d,))
        self.thread.start()
        d.wait_witness("storm", "storm")

    def end(self, d):
        d.wait_witness("storm", "storm", 2)
        self.cleanup()
        for answer in self.records:
            assert (answer.status, answer.json["state"]) == (200, "succeeded"), answer
        row = d.status("storm")
        assert row["generation"] == 1 + len(self.records), row
        # Where the machine is slow one may be killed before its storm was over.
        assert 2 <= len(d.witness("storm", "storm")) <= len(self.records)
        assert d.status("storm")["tasks"] in (None, 1), "a child of the storm lives"

    def cleanup(self):
        self.over.set()
        if self.thread:
            self.thread.join()
            self.thread = None


class Journal(Load):
    """A reader that stands in its transaction, a writer that holds the lock most of the time."""
    HOLD, PAUSE = 0.2, 0.05  # seconds; the load itself
    LEAST = 3                # so often it was held

    def __init__(self):
        self.over, self.first, self.enough = (threading.Event() for _ in range(3))
        self.held = 0
        self.writer = self.reader = None

    def newest(self, db):
        return db.execute("SELECT MAX(id) FROM operations").fetchone()[0]

    def hold(self, path):
        with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=GUARD)) as db:
            while not self.over.wait(self.PAUSE):
                db.execute("BEGIN IMMEDIATE")
                self.held += 1
                self.first.set()
                if self.held > self.LEAST:
                    self.enough.set()
                self.over.wait(self.HOLD)
                db.execute("ROLLBACK")

    def begin(self, d):
        path = f"{d.state_dir}/state.db"
        self.reader = sqlite3.connect(path, isolation_level=None, timeout=GUARD)
        self.reader.execute("BEGIN")
        self.seen = self.newest(self.reader)
        self.writer = threading.Thread(target=self.hold, args=(path,))
        self.writer.start()
        assert self.first.wait(GUARD), "nothing is held"

    def end(self, d):
        assert self.enough.wait(GUARD), "it is not held again and again"
        self.over.set()
        self.writer.join()
        assert self.newest(self.reader) == self.seen, "the reader's view has changed"
        self.reader.execute("ROLLBACK")
        assert self.newest(self.reader) > self.seen, "nothing was written down"
        self.wait_well(d)

    def wait_well(self, d):
        """What was late to be written, as a stop may be, was told of, and is written now."""
        until = time.monotonic() + GUARD
        whole = d.status()
        while whole["daemon"]["journal"] != "ok":
            assert time.monotonic() < until, whole["daemon"]
            whole = d.http("GET", f"/status?since={whole['revision']}&wait=20").json

    def cleanup(self):
        self.over.set()
        if self.writer:
            self.writer.join()
        if self.reader:
            self.reader.close()


class Contained(unittest.TestCase):
    def work(self, d):
        """What is asked of the quiet service; everything must be done as it was asked."""
        numbers = []
        for _ in range(WORK):
            for action in ("restart", "stop", "start"):
                record = d.do(action, "quiet")
                self.assertTrue(record["changed"], record)
                numbers.append(record["id"])
        queued = at_once([lambda: d.ask("restart", "quiet")] * 5)
        ends = sorted((d.operation(r["id"]) for r in queued), key=lambda r: r["id"])
        self.assertEqual({r["state"] for r in ends}, {"succeeded"})
        for earlier, later in zip(ends, ends[1:]):
            self.assertLessEqual(earlier["finished_at"], later["started_at"])
        self.assertEqual(numbers, sorted(numbers))

    def look(self, d):
        """The quiet service was started just as often as was asked, and never by itself."""
        instances = 1 + 2 * WORK + 5
        row = d.status("quiet")
        self.assertEqual((row["state"], row["ready"], row["generation"], row["restarts"]),
                         ("running", True, instances, 0))
        self.assertEqual([len(d.witness("quiet", word)) for word in ("start", "ready", "stop")],
                         [instances, instances, instances - 1])
        with open(f"{d.log_dir}/quiet.log") as f:
            wait_written(d.log_dir, lambda: f.seek(0, os.SEEK_END) >= len("here\n") * instances,
                         "what the quiet service wrote is not in its log")
            f.seek(0)
            self.assertEqual(f.read(), "here\n" * instances)

    def beside(self, *loads):
        services = {"quiet": on_fd("--print here", operation={"timeout": f"{60 * SLOW}s",
                                                              "stop_timeout": f"{30 * SLOW}s"})}
        for load in loads:
            services.update(load.services)
        with Daemon(services) as d, contextlib.ExitStack() as stack:
            d.wait_status(lambda row: row["ready"], "quiet")
            for load in loads:
                stack.callback(load.cleanup)
                load.begin(d)
            self.work(d)
            for load in loads:
                load.end(d)
            self.look(d)

    def test_floods_that_block_and_that_drop_cost_another_service_nothing(self):
        self.beside(Floods())

    def test_three_hundred_stuck_clients_of_the_unix_socket_keep_nobody_from_being_served(self):
        self.beside(StuckClients())

    def test_sixty_four_crash_loops_go_on_while_another_service_is_operated_and_end_when_told(self):
        self.beside(CrashLoops())

    def test_a_storm_of_forks_at_each_stop_hits_nobody_else(self):
        self.beside(Storms())

    def test_a_reader_and_a_writer_in_the_journal_lose_no_operation(self):
        self.beside(Journal())

    def test_all_of_it_at_once(self):
        self.beside(Floods(), StuckClients(), CrashLoops(), Storms(), Journal())


if __name__ == "__main__":
    main()
