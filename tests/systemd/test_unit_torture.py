"""Units and processes under one storm of requests, while somebody else works with systemctl. The
laws are looked for afterwards: in the answers, in the journal and in what the services wrote."""
import collections
import os
import random
import sqlite3
import threading
import time

from harness.orderly import ENDS, GUARD, SANITIZE, Daemon, on_fd
from harness.systemd import UnitTest, driven, main, main_pid, show, systemctl

SEED = int(os.environ.get("ORDERLY_SEED", "1"))
SECONDS = float(os.environ.get("ORDERLY_SECONDS", "12"))
CLIENTS = 4
LEAST = 3 if SANITIZE else 13   # of operations that each brings about, however slow the machine
UNITS = {"plain": [], "slow": ["--stop-delay", "20"], "family": ["--children", "2"],
         "calm": []}                                # nobody else touches the calm one
PROCESSES = {"job": [], "slowjob": ["--stop-delay 15"]}
NAMES = [*UNITS, *PROCESSES]


class Client(threading.Thread):
    """Asks at random until it is over; remembers what was accepted."""

    def __init__(self, d, number, until):
        super().__init__()
        self.d, self.until = d, until
        self.random = random.Random(SEED * 1000 + number)
        self.accepted, self.cancelled, self.trouble = {}, set(), []

    def run(self):
        try:
            while time.monotonic() < self.until or (
                    len(self.accepted) < LEAST and time.monotonic() < self.until + GUARD):
                self.ask_one()
        except BaseException as error:  # pylint: disable=broad-except
            self.trouble.append(repr(error))

    def ask_one(self):
        kind = self.random.choices(["start", "stop", "restart", "signal", "cancel"],
                                   [3, 3, 5, 1, 1])[0]
        if kind == "cancel":
            self.cancel()
            return
        name = self.random.choice(NAMES)
        query = ["signal=USR1"] if kind == "signal" else []
        query += self.random.choice([[], ["wait=0.1"], ["wait=1"], ["wait"], ["timeout=20"]])
        if kind == "stop" and self.random.random() < 0.1:
            query.append("mode=replace")
        answer = self.d.http("POST", f"/{kind}/{name}?{'&'.join(query)}".rstrip("?"))
        if answer.status in (200, 202, 409) and "id" in answer.json:
            self.accepted[answer.json["id"]] = answer.json
        elif answer.status != 429:
            self.trouble.append(repr(answer))

    def cancel(self):
        if not self.accepted:
            return
        number = self.random.choice(sorted(self.accepted)[-8:])
        answer = self.d.http("DELETE", f"/operations/{number}")
        if answer.status == 200:
            self.cancelled.add(number)
        elif answer.status != 409:
            self.trouble.append(repr(answer))


class Somebody(threading.Thread):
    """Works with systemctl meanwhile."""

    def __init__(self, until):
        super().__init__()
        self.until, self.random, self.did = until, random.Random(SEED), collections.Counter()
        self.trouble = []

    def run(self):
        acts = {"start": 4, "stop": 4, "restart": 4, "kill": 2, "daemon-reload": 2,
                "daemon-reexec": 1, "dbus": 1}
        try:
            while time.monotonic() < self.until:
                act = self.random.choices(list(acts), list(acts.values()))[0]
                self.act(act, f"{self.random.choice([n for n in UNITS if n != 'calm'])}.service")
                self.did[act] += 1
        except BaseException as error:  # pylint: disable=broad-except
            self.trouble.append(repr(error))

    def act(self, act, unit):
        if act == "dbus":
            systemctl("restart", "dbus.service", check=False)
        elif act.startswith("daemon"):
            systemctl(act, check=False)
        elif act == "kill":
            systemctl("kill", "--signal=KILL", unit, check=False)
        else:
            systemctl(act, unit, check=False)       # ours may take its place


class Storm(UnitTest):
    def setUp(self):
        super().setUp()
        print(f"seed {SEED} (ORDERLY_SEED=N for another)", flush=True)
        for name, options in UNITS.items():
            self.fake_unit(f"{name}.service", *options)
        self.services = {name: driven(f"{name}.service", recovery={"first_delay": "20ms"})
                         for name in UNITS}
        self.services.update({name: on_fd(*options) for name, options in PROCESSES.items()})

    def test_the_laws_hold(self):
        limits = {"operations": {"queue_limit": "1000", "timeout": "60s"}}
        with Daemon(self.services, config=limits) as d:
            until = time.monotonic() + SECONDS
            somebody = Somebody(until)
            clients = [Client(d, number, until) for number in range(CLIENTS)]
            for thread in (somebody, *clients):
                thread.start()
            for thread in (somebody, *clients):
                thread.join()
            print(f"meanwhile: {dict(somebody.did)}", flush=True)
            self.assertEqual([t for c in (somebody, *clients) for t in c.trouble][:3], [])
            accepted = {n: r for client in clients for n, r in client.accepted.items()}
            self.assertGreaterEqual(len(accepted), CLIENTS * LEAST)
            ends = {number: d.operation(number) for number in sorted(accepted)}
            self.every_operation_ended_once(d, ends)
            self.in_turn(self.all_listed(d))
            self.what_nobody_touched_did_not_fail(ends)
            self.what_is_shown_is_so(d)
            self.a_last_stop_wins(d)
            self.assertEqual(d.read("overlap"), "")
        self.assertEqual(self.read("overlap"), "")

    @staticmethod
    def all_listed(d):
        found, before = [], ""
        while True:
            page = d.operations(f"?limit=500{before}")
            found += page
            if len(page) < 500:
                return found
            before = f"&before={page[-1]['id']}"

    def every_operation_ended_once(self, d, ends):
        with sqlite3.connect(f"file:{d.state_dir}/state.db?mode=ro", uri=True) as db:
            rows = dict(db.execute("SELECT id, COUNT(*) FROM operations GROUP BY id"))
        for number, record in ends.items():
            self.assertIn(record["state"], ENDS)
            self.assertEqual(d.operation(number), record, "an end does not change")
            self.assertEqual(rows.get(number), 1, f"operation {number} in the journal")

    def in_turn(self, listed):
        """L1: none beside another; people's in the order in which they were accepted."""
        for name in NAMES:
            ran = sorted((r for r in listed if r["service"] == name and r["started_at"]
                          and r["finished_at"]), key=lambda r: (r["started_at"], r["id"]))
            for one, other in zip(ran, ran[1:]):
                self.assertLessEqual(one["finished_at"], other["started_at"], (one, other))
            people = [r["id"] for r in ran if r["origin"] == "api" and not r["coalesced_into"]]
            urgent = {r["id"] for r in ran if r["action"] == "stop"}    # it may have replaced
            rest = [number for number in people if number not in urgent]
            self.assertEqual(rest, sorted(rest), name)

    def what_nobody_touched_did_not_fail(self, ends):
        """A reexec or a dbus that goes may leave an outcome unknown; nothing else goes wrong."""
        for record in ends.values():
            if record["state"] != "failed" or record["action"] == "signal":
                continue
            self.assertNotIn(record["service"], PROCESSES, record)
            self.assertTrue(record["detail"], record)
            if record["service"] == "calm":
                self.assertIn("bus", record["detail"], record)

    def what_is_shown_is_so(self, d):
        for name in UNITS:
            d.do("restart", name)
            row = d.status(name)
            self.assertEqual((row["state"], row["pid"], row["goal"]),
                             ("running", main_pid(f"{name}.service"), "up"))
            self.assertEqual(row["invocation_id"],
                             show(f"{name}.service", "InvocationID")["InvocationID"])

    def a_last_stop_wins(self, d):
        for name in NAMES:
            d.do("stop", name)
            row = d.status(name)
            self.assertEqual((row["state"], row["goal"], row["pid"]), ("stopped", "down", None))
        for name in UNITS:
            self.assertEqual(main_pid(f"{name}.service"), 0)


if __name__ == "__main__":
    main()
