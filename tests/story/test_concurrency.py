"""Eight clients, two hundred requests each, six services of mixed temper: looked at afterwards from
three sides that know nothing of each other: the answers, the journal, the services' witnesses."""
import collections
import os
import random
import sqlite3
import threading
import unittest

from harness.orderly import ENDS, SANITIZE, Daemon, fake, main, on_fd

CLIENTS = 8
REQUESTS = 200 if not SANITIZE else 60
SEED = int(os.environ.get("ORDERLY_SEED", "1"))


def services():
    return {"quick": on_fd(),
            "slow-start": on_fd("--start-delay 15"),
            "slow-stop": on_fd("--stop-delay 15"),
            "family": on_fd("--children 3", "--double-fork", operation={"stop_timeout": "50ms"}),
            "chatty": on_fd("--chatty 50"),
            "fragile": fake("--exit-after 40", "--status 3",
                            recovery={"first_delay": "20ms", "max_delay": "50ms"})}


class Client(threading.Thread):
    """Asks at random, and remembers every answer."""

    def __init__(self, d, number):
        super().__init__()
        self.d, self.random = d, random.Random(SEED * 1000 + number)
        self.names = sorted(services())
        self.accepted, self.cancelled, self.refused, self.error = {}, {}, [], None

    def run(self):
        try:
            for _ in range(REQUESTS):
                self.ask_one()
        except BaseException as error:  # pylint: disable=broad-except
            self.error = error

    def ask_one(self):
        kind = self.random.choices(["start", "stop", "restart", "cancel"], [3, 3, 5, 2])[0]
        if kind == "cancel" and self.accepted:
            self.cancel(self.random.choice(sorted(self.accepted)))
            return
        action = "restart" if kind == "cancel" else kind
        query = self.random.choice(["", "", "", "?wait=0.05", "?timeout=60",
                                    "?wait=0.02&timeout=50"])
        answer = self.d.http("POST", f"/{action}/{self.random.choice(self.names)}{query}")
        if answer.status in (200, 202, 409) and "id" in answer.json:
            self.accepted[answer.json["id"]] = answer
        else:
            self.refused.append(answer)

    def cancel(self, number):
        answer = self.d.http("DELETE", f"/operations/{number}")
        if answer.status == 200:
            self.cancelled[number] = answer
        elif answer.status != 409:
            self.refused.append(answer)


class Crowd(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """One storm, then the evidence is kept; the daemon is left running till it is all read."""
        print(f"seed {SEED} (ORDERLY_SEED=N for another)", flush=True)
        limits = {"operations": {"queue_limit": "1000", "timeout": "120s"}}
        with Daemon(services(), config=limits) as d:
            d.wait_status(lambda rows: all(r["pid"] or r["state"] == "backoff"
                                           for r in rows.values()))
            cls.clients = [Client(d, number) for number in range(CLIENTS)]
            for client in cls.clients:
                client.start()
            for client in cls.clients:
                client.join()
            cls.accepted = {n: a for c in cls.clients for n, a in c.accepted.items()}
            cls.ends = {number: d.operation(number) for number in sorted(cls.accepted)}
            for name in sorted(services()):
                d.do("stop", name)
            cls.listed = cls.all_listed(d)
            cls.rows = cls.journal(d)
            cls.witnesses = {name: d.witness(name, "start", "stop") for name in services()}
            cls.status = {row["name"]: row for row in d.status()["services"]}
            cls.overlap = d.read("overlap")

    @staticmethod
    def all_listed(d):
        """Every operation by GET /operations, page after page."""
        found, before = [], ""
        while True:
            page = d.operations(f"?limit=500{before}")
            found += page
            if len(page) < 500:
                return {record["id"]: record for record in found}
            before = f"&before={page[-1]['id']}"

    @staticmethod
    def journal(d):
        """(id, whole row) of every table that has ids, straight from the file."""
        with sqlite3.connect(f"file:{d.state_dir}/state.db?mode=ro", uri=True) as db:
            return db.execute("SELECT id, COUNT(*) FROM operations GROUP BY id").fetchall()

    def test_no_client_was_refused_or_failed(self):
        for client in self.clients:
            self.assertIsNone(client.error)
            self.assertEqual(client.refused, [])
        self.assertGreater(len(self.accepted), CLIENTS * REQUESTS // 2)

    def test_every_accepted_operation_ended_exactly_once(self):
        for number, record in self.ends.items():
            self.assertIn(record["state"], ENDS)
            self.assertIsNotNone(record["finished_at"])
            self.assertEqual(self.listed[number], record, "an end never changes afterwards")
        rows = dict(self.rows)
        for number in self.ends:
            self.assertEqual(rows.get(number), 1, f"operation {number} in the journal")

    def test_only_the_cancelled_were_cancelled(self):
        confirmed = {n for c in self.clients for n in c.cancelled}
        seen = {n for n, r in self.ends.items() if r["state"] == "cancelled"}
        self.assertEqual(seen, confirmed)
        for number in confirmed:
            record = self.ends[number]
            if record["started_at"]:
                self.assertNotEqual(record["action"], "stop", "a stop that runs can't be undone")
            else:
                self.assertFalse(record["changed"], "it never ran")

    def test_nothing_failed_but_starts_of_the_fragile_one(self):
        bad = [r for r in self.ends.values()
               if r["state"] not in ("succeeded", "cancelled") and r["service"] != "fragile"]
        self.assertEqual(bad, [])

    def by_service(self):
        groups = collections.defaultdict(list)
        for record in self.listed.values():
            if record["started_at"]:
                groups[record["service"]].append(record)
        return {name: sorted(records, key=lambda r: r["id"]) for name, records in groups.items()}

    def test_each_service_ran_people_s_operations_in_order_of_acceptance(self):
        for name, records in self.by_service().items():
            people = [r for r in records if r["origin"] == "api"]
            began = [r["started_at"] for r in people]
            self.assertEqual(began, sorted(began), name)

    def test_no_two_operations_of_a_service_ran_at_once(self):
        for name, records in self.by_service().items():
            records.sort(key=lambda r: (r["started_at"], r["finished_at"]))
            for before, after in zip(records, records[1:]):
                self.assertLessEqual(before["finished_at"], after["started_at"], (name, before,
                                                                                 after))

    def test_no_two_instances_ever_lived_at_once(self):
        self.assertEqual(self.overlap, "")
        for name, seen in self.witnesses.items():
            alive = None
            for event in seen:
                if event.word == "start":
                    # one that was killed leaves no "stop"; flock told that it had gone
                    alive = event.pid
                else:
                    self.assertEqual(alive, event.pid, name)
                    alive = None

    def test_the_services_saw_as_many_starts_as_the_daemon_counts(self):
        for name, row in self.status.items():
            self.assertEqual(row["state"], "stopped")
            starts = sum(event.word == "start" for event in self.witnesses[name])
            # A start that was stopped before its program got that far is a generation, no witness.
            self.assertLessEqual(starts, row["generation"], name)

    def test_changed_is_told_by_the_operation_that_changed_something(self):
        for name, records in self.by_service().items():
            if name == "fragile":
                continue
            state = "stopped"
            for record in records:
                if record["state"] != "succeeded":
                    # given up while it ran: what that left is the next one's to say
                    state = None if record["started_at"] else state
                    continue
                if state is None and record["action"] != "restart":
                    state = "stopped" if record["action"] == "stop" else "running"
                    continue
                wanted = "stopped" if record["action"] == "stop" else "running"
                changed = record["action"] == "restart" or wanted != state
                self.assertEqual(record["changed"], changed, record)
                state = wanted


if __name__ == "__main__":
    main()
