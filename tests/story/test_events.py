"""What happens, told as it happens: whole, in order, once; also to those who were away."""
import collections
import contextlib
import http.client
import json
import signal
import socket
import sqlite3
import subprocess
import threading
import unittest
import urllib.parse

from harness.client import UnixConnection
from harness.orderly import (ENDS, GUARD, ORDERLYCTL, Daemon, at_once, fake, main, on_fd, run_ctl)
from harness.waits import wait_written

IDLE = fake(service={"autostart": "no"})
UNENDING = on_fd("--start-delay 86400000", service={"autostart": "no"})
KEPT_IN_MEMORY = 1024

Event = collections.namedtuple("Event", "id kind data")


class Stream:
    """A follower of GET /events; iterating gives events, and ends with the stream."""

    def __init__(self, d, query="", headers=None):
        self.connection = UnixConnection(d.socket)
        self.connection.timeout = GUARD
        self.connection.request("GET", "/events" + query, headers=headers or {})
        self.response = self.connection.getresponse()
        self.comments = 0
        self.last = None

    def __enter__(self):
        assert self.response.status == 200, self.response.read()
        return self

    def __exit__(self, *_):
        self.response.close()
        self.connection.close()

    def blocks(self):
        """{field: value} of each block of lines; a comment's field is ""."""
        block = {}
        for line in iter(self.response.readline, b""):
            line = line.decode().rstrip("\n")
            if line:
                field, _, value = line.partition(":")
                block[field] = value.removeprefix(" ")
                continue
            yield block
            block = {}

    def __iter__(self):
        for block in self.blocks():
            self.last = int(block.get("id", self.last or 0))
            if "data" in block:
                data = json.loads(block["data"])
                assert data["id"] == self.last and data["event"] == block["event"], block
                yield Event(self.last, block["event"], data)

    def until(self, predicate):
        """All up to the one that is looked for."""
        found = []
        for event in self:
            found.append(event)
            if predicate(event):
                return found
        raise AssertionError(f"the stream has ended after {found[-3:]}")


def ends(number):
    """Whether an event tells the end of the operation."""
    return lambda e: (e.kind == "operation" and e.data["operation"]["id"] == number and
                      e.data["operation"]["state"] in ENDS)


def everything(d, query="?since=0", number=None):
    """What a new follower is told up to the end of an operation that is begun now."""
    number = number or d.do("start", "web")["id"]
    with Stream(d, query) as stream:
        return stream.until(ends(number))


def of_operations(events):
    """{id: [states]}"""
    found = collections.defaultdict(list)
    for event in events:
        if event.kind == "operation":
            found[event.data["operation"]["id"]].append(event.data["operation"]["state"])
    return found


class Whole(unittest.TestCase):
    def assert_grow(self, events):
        ids = [e.id for e in events]
        self.assertEqual(ids, sorted(set(ids)))

    def test_every_operation_is_told_from_its_acceptance_to_its_end_as_its_record_says(self):
        doomed = fake("--crash-at-start 1", service={"autostart": "no"},
                      recovery={"restart": "no"}, readiness={"type": "fd"})
        with Daemon({"web": on_fd(), "db": on_fd(), "doomed": doomed,
                     "unending": UNENDING}) as d, Stream(d, "?since=0") as stream:
            for name in ("web", "db"):
                d.wait_state(name, "running")
            at_once([lambda n=n, i=i: d.do("restart", n, f"?reason=turn-{i}")
                     for i in range(5) for n in ("web", "db")])
            d.do("start", "doomed", expect="failed")
            start = d.ask("start", "unending")["id"]
            d.wait_state("unending", "starting")
            queued = d.ask("restart", "unending")["id"]
            d.http("DELETE", f"/operations/{queued}")
            d.http("DELETE", f"/operations/{start}")
            last = d.do("stop", "db")["id"]
            events = stream.until(ends(last))
            self.assert_grow(events)
            records = {r["id"]: r for r in d.operations()}
            told = of_operations(events)
            self.assertEqual(set(told), set(records))
            for number, record in records.items():
                middle = [] if number == queued else ["running"]
                self.assertEqual(told[number], ["queued", *middle, record["state"]], record)
            for event in events:
                if event.kind == "operation":
                    said, record = event.data["operation"], records[event.data["operation"]["id"]]
                    for key in ("action", "origin", "requested_by", "reason"):
                        self.assertEqual(said[key], record[key], event)
                    self.assertEqual(event.data["service"], record["service"])
                    if said["state"] in ENDS:
                        self.assertEqual((said["changed"], said["detail"]),
                                         (record["changed"], record["detail"]))
            self.states(events)
            self.assertEqual([e.data["exit"] for e in events
                              if e.kind == "exit" and e.data["service"] == "doomed"],
                             [{"code": 1}])

    def states(self, events):
        """Each follows on the one before."""
        states = collections.defaultdict(lambda: "stopped")
        for event in events:
            if event.kind == "state":
                self.assertEqual(event.data["from"], states[event.data["service"]], event)
                states[event.data["service"]] = event.data["to"]
        self.assertEqual(states["web"], "running")
        self.assertEqual(states["db"], "stopped")

    def test_the_daemon_and_its_configuration_are_told_of(self):
        with Daemon({"web": on_fd()}) as d, Stream(d, "?since=0") as stream:
            first = stream.until(lambda e: e.kind == "daemon")[0]
            self.assertEqual((first.data["state"], first.data["service"]), ("started", None))
            d.write_service("new", IDLE)
            d.http("POST", "/daemon/reload")
            found = stream.until(lambda e: e.kind == "config")[-1].data
            self.assertEqual((found["added"], found["errors"]), (["new"], 0))

    def test_without_an_id_only_what_is_new_is_told(self):
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            d.do("restart", "web")
            with Stream(d) as stream:
                number = d.do("restart", "web")["id"]
                events = stream.until(ends(number))
            self.assertEqual(set(of_operations(events)), {number})

    def test_what_came_after_an_id_is_replayed_and_the_header_counts_more(self):
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            whole = everything(d)
            number = of_operations(whole).popitem()[0]
            for at in range(0, len(whole) - 1, 3):
                rest = whole[at + 1:]
                mark = whole[at].id
                self.assertEqual(everything(d, f"?since={mark}", number), rest)
                with Stream(d, "?since=0", {"Last-Event-ID": str(mark)}) as stream:
                    self.assertEqual(stream.until(ends(number)), rest)

    def test_a_service_s_own_events(self):
        with Daemon({"web": on_fd(), "web2": on_fd()}) as d:
            d.wait_all_running()
            with Stream(d, "?service=web") as stream:
                for name in ("web2", "web", "web2", "web"):
                    number = d.do("restart", name)["id"]
                new = stream.until(ends(number))
            whole = everything(d, "?since=0&service=web")
            self.assertEqual({e.data["service"] for e in new + whole}, {"web"})
            self.assertEqual(len([n for n in of_operations(new).values()
                                  if n == ["queued", "running", "succeeded"]]), 2)

    def test_two_followers_are_told_the_same(self):
        with Daemon({"web": on_fd()}) as d, Stream(d, "?since=0") as one:
            d.wait_all_running()
            with Stream(d, "?since=0") as two:
                number = [d.do("restart", "web")["id"] for _ in range(5)][-1]
                self.assertEqual(one.until(ends(number)), two.until(ends(number)))

    def test_bad_values_and_unknown_services_are_refused(self):
        with Daemon({"web": on_fd()}) as d:
            for query, headers, code in (("?since=x", {}, "bad_parameter"),
                                         ("?since=-1", {}, "bad_parameter"),
                                         ("?since=b3f1-1", {}, "bad_parameter"),
                                         ("", {"Last-Event-ID": "x"}, "bad_parameter"),
                                         ("", {"Last-Event-ID": "-1"}, "bad_parameter"),
                                         ("?service=wbe", {}, "unknown_service")):
                answer = d.http("GET", "/events" + query, headers=headers)
                self.assertEqual(answer.json["code"], code, query)
            self.assertEqual(d.http("HEAD", "/events").status, 200)

    def test_an_id_that_never_was_means_what_is_new(self):
        with Daemon({"web": on_fd()}) as d, Stream(d, f"?since={2**62}") as stream:
            number = d.do("restart", "web")["id"]
            self.assertIn(number, of_operations(stream.until(ends(number))))


class Long(unittest.TestCase):
    def test_more_than_memory_holds_is_replayed_whole_and_once(self):
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()

            def starts():
                for _ in range(115):
                    d.http("POST", "/start/web?wait")
            with Stream(d) as slow:  # reads when all has happened
                at_once([starts] * 8)
                number = d.do("start", "web")["id"]
                late = slow.until(ends(number))
            whole = everything(d, number=number)
            self.assertGreater(len(whole), KEPT_IN_MEMORY + 1000)
            ids = [e.id for e in whole]
            self.assertEqual(ids, list(range(ids[0], ids[0] + len(ids))))
            told = of_operations(whole)
            for record in range(1, number + 1):
                self.assertEqual(told[record], ["queued", "running", "succeeded"])
            self.assertEqual(late, whole[-len(late):])
            mark = len(whole) - KEPT_IN_MEMORY - 500
            self.assertEqual(everything(d, f"?since={ids[mark]}", number), whole[mark + 1:])
            self.assertEqual(everything(d, f"?since={ids[mark]}&service=web", number),
                             [e for e in whole[mark + 1:] if e.data["service"] == "web"])

    def test_a_follower_that_never_reads_holds_up_nobody(self):
        with Daemon({"web": on_fd()}) as d, socket.socket(socket.AF_UNIX) as deaf:
            d.wait_all_running()
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            deaf.connect(d.socket)
            deaf.sendall(b"GET /events?since=0 HTTP/1.1\r\nHost: x\r\n\r\n")
            deaf.recv(1, socket.MSG_PEEK)
            d.do("start", "web")    # by its end all that was before has been told
            with Stream(d) as stream:
                told = []

                def all_are_told(event):
                    if event.kind == "operation" and event.data["operation"]["state"] in ENDS:
                        told.append(event.data["operation"]["id"])
                    return len(told) == 500
                reading = threading.Thread(target=stream.until, args=(all_are_told,))
                reading.start()
                numbers = [d.do("start", "web")["id"] for _ in range(500)]
                reading.join(GUARD)
                self.assertEqual(told, numbers)
            d.stop()
            d.start()

    def test_while_nothing_happens_a_comment_comes_now_and_then(self):
        with Daemon({"web": on_fd(), "idle": IDLE}) as d:
            d.wait_state("web", "running")
            with Stream(d, "?service=idle") as stream:
                d.do("restart", "web")
                blocks = stream.blocks()
                first = next(blocks)
                self.assertEqual((first["retry"], int(first["id"]) > 0), ("1000", True))
                self.assertEqual(next(blocks), {"": ""})


def stored(d):
    """The events that stand in the journal."""
    db = sqlite3.connect(f"{d.state_dir}/state.db")
    rows = [text for text, in db.execute("SELECT text FROM events ORDER BY first")]
    db.close()
    return [json.loads(line.partition(" ")[2]) for row in rows for line in row.splitlines()]


class OverDaemons(unittest.TestCase):
    def test_nothing_that_was_written_is_lost_by_kill_9_and_ids_never_come_twice(self):
        with Daemon({"web": on_fd(), "db": on_fd()}) as d:
            seen, mark = [], 0
            for _ in range(4):
                d.wait_all_running()
                with Stream(d, headers={"Last-Event-ID": str(mark)}) as stream:
                    for name in ("web", "db") * 3:
                        number = d.ask("restart", name)["id"]
                    seen += stream.until(lambda e: e.kind == "operation" and
                                         e.data["operation"]["state"] == "succeeded")
                    d.kill9()
                    with contextlib.suppress(OSError, http.client.HTTPException):
                        for event in stream:
                            seen.append(event)
                written = stored(d)
                mark = seen[-1].id
                d.start()
                d.operation(number)
                replayed = everything(d)
                self.assertEqual([e.data for e in replayed[:len(written)]], written)
                self.assertGreater(replayed[len(written)].id, max(mark, written[-1]["id"]))
            ids = [e.id for e in seen]
            self.assertEqual(ids, sorted(set(ids)))

    def test_a_stop_of_the_daemon_ends_the_stream_and_the_next_one_goes_on(self):
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            with Stream(d, "?since=0") as stream:
                d.stop()
                before = list(stream)
            d.start()
            d.wait_all_running()
            whole = everything(d)
            self.assertEqual(before, whole[:len(before)])
            rest = everything(d, f"?since={before[-1].id}",
                              number=of_operations(whole).popitem()[0])
            self.assertEqual(before + rest, whole)
            self.assertEqual([e.data["state"] for e in whole if e.kind == "daemon"],
                             ["started", "stopping", "started"])

    def test_while_the_journal_cannot_be_written_events_are_told_all_the_same(self):
        with Daemon({"web": on_fd()}) as d, Stream(d) as stream:
            d.wait_all_running()
            db = sqlite3.connect(f"{d.state_dir}/state.db", isolation_level=None, timeout=GUARD)
            db.execute("BEGIN IMMEDIATE")
            number = d.http("POST", "/stop/web").json["id"]
            found = stream.until(ends(number))
            db.execute("ROLLBACK")
            db.close()
            d.do("start", "web")
            wait_written(d.state_dir, lambda: found[-1].data in stored(d),
                         "what was told meanwhile is not written down")
            d.kill9()
            d.start()


class Tool(unittest.TestCase):
    """orderlyctl events."""

    def wait_journalled(self, d, *words):
        """What a daemon that is killed has just told may not have been written yet."""
        with sqlite3.connect(f"file:{d.state_dir}/state.db?mode=ro", uri=True) as db:
            def all_there():
                text = "".join(row[0] for row in db.execute("SELECT text FROM events"))
                return all(word in text for word in words)
            wait_written(d.state_dir, all_there, f"the journal's events do not get {words}")

    @contextlib.contextmanager
    def follow(self, d, *args):
        """As a process, and its first line."""
        with subprocess.Popen([ORDERLYCTL, "--socket", d.socket, "events", *args], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                              env={"PATH": "/usr/bin:/bin", "LANG": "C"}) as tool:
            try:
                yield tool, tool.stdout.readline()
            finally:
                tool.kill()

    def until(self, tool, what):
        lines = []
        for line in tool.stdout:
            lines.append(line)
            if what in line:
                return lines
        self.fail(f"it has ended: {lines} {tool.stderr.read()}")

    def interrupt(self, tool):
        tool.send_signal(signal.SIGINT)
        rest, errors = tool.communicate(timeout=GUARD)
        self.assertEqual(tool.returncode, 130, rest + errors)
        return errors

    def test_a_line_for_each_event(self):
        with Daemon({"web": on_fd()}) as d:
            with self.follow(d, "--since", "0") as (tool, first):
                self.assertRegex(first, r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d orderlyd: the daemon")
                d.wait_all_running()
                number = d.do("restart", "web", "?reason=new+release")["id"]
                lines = "".join(self.until(tool, f"restart {number} succeeded"))
                self.assertIn(f"web: restart {number} queued by uid:", lines)
                self.assertIn(": new release\n", lines)
                self.assertRegex(lines, r"web: pid \d+ exited with status 0")
                self.assertIn("web: running, was starting; goal up", lines)
                self.assertEqual(self.interrupt(tool), "")

    def test_json_is_an_object_a_line(self):
        with Daemon({"web": on_fd(), "db": on_fd()}) as d:
            d.wait_all_running()
            with self.follow(d, "--json", "--since", "0", "db") as (tool, first):
                number = d.do("restart", "db")["id"]
                last = f'"id":{number},"action":"restart","state":"succeeded"'
                lines = [first, *self.until(tool, last)]
                self.assertEqual([json.loads(line) for line in lines],
                                 [e.data for e in everything(d, "?since=0&service=db", number)])
                self.interrupt(tool)

    def test_it_goes_on_with_the_next_daemon_and_says_so(self):
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            with self.follow(d, "--json", "--since", "0") as (tool, first):
                lines = [first]
                self.wait_journalled(d, '"to":"running"', '"state":"succeeded"')
                d.kill9()
                d.start()
                lines += self.until(tool, '"state":"started"')
                d.restart_daemon()
                d.wait_all_running()
                number = d.do("restart", "web")["id"]
                lines += self.until(tool, f'"id":{number},"action":"restart","state":"succeeded"')
                self.assertEqual([json.loads(line) for line in lines],
                                 [e.data for e in everything(d, number=number)])
                errors = self.interrupt(tool)
                self.assertEqual(errors.count("waiting for it to come back"), 2)
                self.assertEqual(errors.count("answers again"), 2)

    def test_what_others_wrote_cannot_command_a_terminal(self):
        reason = urllib.parse.quote("red \u202egnat")
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            with self.follow(d, "--since", "0") as (tool, _):
                number = d.do("restart", "web", f"?reason={reason}")["id"]
                lines = "".join(self.until(tool, f"restart {number} succeeded"))
                self.assertIn(r"red \xe2\x80\xaegnat", lines)
                self.interrupt(tool)

    def test_how_it_ends_when_it_cannot_begin(self):
        with Daemon({"web": on_fd()}) as d:
            self.assertEqual(d.ctl("events", "wbe").returncode, 4)
            self.assertEqual(d.ctl("events", "--since", "x").returncode, 2)
            self.assertEqual(d.ctl("events", "web", "db").returncode, 2)
            gone = run_ctl("--socket", f"{d.folder}/nothing", "events", "--since", "0")
            self.assertEqual(gone.returncode, 5)
            d.write_service("broken", "[service]\ncomand = x\n")
            d.http("POST", "/daemon/reload")
            self.assertEqual(d.ctl("events", "broken").returncode, 8)


if __name__ == "__main__":
    main()
