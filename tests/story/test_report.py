"""The report that began it all: requests that race, and none of them may be lost."""
import unittest

from harness.orderly import Daemon, at_once, main, on_fd


def services():
    return {"backend": on_fd("--start-delay 30", "--stop-delay 30"),
            "frontend": on_fd("--start-delay 10", "--stop-delay 10"),
            "bystander": on_fd()}


class TheReport(unittest.TestCase):
    def ask_at_once(self, d, requests):
        """Posts all at once; ids of the accepted operations, in order of id."""
        answers = at_once([lambda path=path: d.http("POST", path) for path in requests])
        self.assertEqual([a.status for a in answers], [202] * len(requests), answers)
        for answer in answers:
            self.assertEqual(answer.headers["Location"], f"/operations/{answer.json['id']}")
        ids = sorted(answer.json["id"] for answer in answers)
        self.assertEqual(len(set(ids)), len(requests), "every request has an operation of its own")
        return ids

    def check_in_turn(self, records):
        """All succeeded, one after the other, in the order of their ids."""
        self.assertEqual([r["state"] for r in records], ["succeeded"] * len(records), records)
        for before, after in zip(records, records[1:]):
            self.assertLessEqual(before["finished_at"], after["started_at"])
        for record in records:
            self.assertLessEqual(record["accepted_at"], record["started_at"])
            self.assertLessEqual(record["started_at"], record["finished_at"])

    def check_one_copy(self, d, name, starts):
        """Each instance began after the one before it had gone; nobody found another copy."""
        seen = d.witness(name, "start", "stop")
        self.assertEqual([s.word for s in seen], (["start", "stop"] * starts)[:len(seen)], seen)
        self.assertEqual(len(d.witness(name, "start")), starts)
        self.assertEqual([s.ns for s in seen], sorted(s.ns for s in seen))
        self.assertEqual(d.read("overlap"), "")

    def test_five_restarts_at_once_are_five_restarts(self):
        with Daemon(services()) as d:
            d.wait_all_running()
            before, other = d.status("backend"), d.status("bystander")
            ids = self.ask_at_once(d, ["/restart/backend"] * 5)
            records = [d.operation(i) for i in ids]
            self.check_in_turn(records)
            self.assertEqual([r["changed"] for r in records], [True] * 5)
            after = d.status("backend")
            self.assertEqual(after["generation"], before["generation"] + 5)
            self.assertEqual((after["state"], after["ready"]), ("running", True))
            self.assertEqual(after["pid"], d.witness("backend", "start")[-1].pid)
            self.check_one_copy(d, "backend", 6)
            self.assertEqual(d.status("bystander")["pid"], other["pid"])

    def test_then_three_stops_and_three_starts_at_once_all_succeed(self):
        with Daemon(services()) as d:
            d.wait_all_running()
            self.check_in_turn([d.operation(i) for i in
                                self.ask_at_once(d, ["/restart/backend"] * 5)])
            ids = self.ask_at_once(d, ["/stop/frontend", "/start/frontend"] * 3)
            records = [d.operation(i) for i in ids]
            self.check_in_turn(records)
            state, starts = "running", 1
            for record in records:  # each judged the state that the one before left
                wanted = "running" if record["action"] == "start" else "stopped"
                self.assertEqual(record["changed"], wanted != state, records)
                starts += record["changed"] and wanted == "running"
                state = wanted
            self.assertEqual(d.status("frontend")["state"], state)
            self.check_one_copy(d, "frontend", starts)
            self.check_one_copy(d, "backend", 6)


if __name__ == "__main__":
    main()
