"""What a daemon that was killed had promised: numbers, joins and ends, as they were told."""
import contextlib
import http.client
import os
import sqlite3
import threading
import unittest

from harness.orderly import GUARD, Daemon, main, on_fd, wait_written

SLOW = {"stop_timeout": "100s", "timeout": "200s"}
UNHURRIED = "--stop-delay 3600000"   # a stop ends when it is hurried, or asked for once more


@contextlib.contextmanager
def held(d):
    """Another program has the journal's lock."""
    db = sqlite3.connect(f"{d.state_dir}/state.db", isolation_level=None, timeout=GUARD)
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        db.execute("ROLLBACK")
        db.close()


class Killed(unittest.TestCase):
    def cancel(self, d, number):
        """Its answer waits for the journal, and the daemon does not live so long."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            d.http("DELETE", f"/operations/{number}")

    def busy(self, d, count=1):
        """The service is just being restarted, the count-th time; what is asked now waits."""
        d.wait_all_running()
        first = d.ask("restart", "web")["id"]
        d.wait_state("web", "stopping")
        d.wait_witness("web", "term", count)
        return first

    def test_what_was_seen_to_succeed_stays_as_it_was_seen(self):
        with Daemon({"web": on_fd(), "other": on_fd()}) as d:
            d.wait_all_running()
            for action in ("restart", "stop", "start", "restart") * 5:
                seen = [d.do(action, "web"), d.do("restart", "other")]
                d.kill9()
                d.start()
                for record in seen:
                    self.assertEqual(d.operation(record["id"]), record)
                    self.assertEqual(record["state"], "succeeded")

    def test_an_operation_that_had_begun_goes_on_where_it_was(self):
        with Daemon({"web": on_fd(UNHURRIED, operation=SLOW)}) as d:
            for count in range(1, 4):
                number = self.busy(d, count)
                seen = d.operation(number, wait=False)
                d.kill9()
                d.start()
                record = d.operation(number)
                self.assertEqual(record["started_at"], seen["started_at"])
                self.assertEqual(record["state"], "succeeded")
            self.assertEqual(len(d.witness("web", "start")), 4)
            d.leave()

    def test_what_was_cancelled_in_the_queue_does_not_come_back(self):
        with Daemon({"web": on_fd(UNHURRIED, operation=SLOW)}) as d:
            self.busy(d)
            given_up, behind = (d.ask("restart", "web")["id"] for _ in range(2))
            d.wait_status(lambda r: r["queue_length"] == 2, "web")
            with held(d):
                cancel = threading.Thread(target=self.cancel, args=(d, given_up))
                cancel.start()
                d.wait_status(lambda r: r["queue_length"] == 1, "web")
                d.hurry("web")
                d.wait_status(lambda r: r["active_operation"] == behind, "web")
                d.wait_witness("web", "term", 2)
                d.kill9()
            cancel.join()
            d.start()
            self.assertEqual(d.operation(given_up)["state"], "interrupted")
            self.assertEqual(d.operation(behind)["state"], "succeeded")
            self.assertEqual(len(d.witness("web", "start")), 3)
            d.leave()

    def test_a_number_that_was_told_without_the_journal_is_not_given_again(self):
        services = {"web": on_fd(UNHURRIED, operation=SLOW), "other": on_fd()}
        with Daemon(services) as d:
            self.busy(d)
            with held(d):
                told = d.http("POST", "/stop/web")
                self.assertEqual((told.status, told.json["durable"]), (202, False))
                d.kill9()
            d.start()
            self.assertGreater(d.do("restart", "other")["id"], told.json["id"])
            self.assertIn(d.http("GET", f"/operations/{told.json['id']}").status, (404, 410))
            d.leave()

    def test_a_reload_that_joined_one_that_ran_is_not_done_by_itself_afterwards(self):
        command = "/bin/sh -c 'echo r >> @DIR@/runs; exec sleep 86400'"
        with Daemon({"web": on_fd(operation={"reload_command": command})}) as d:
            runs = f"{d.dir}/runs"

            def ran(count):
                wait_written(d.dir, lambda: os.path.exists(runs) and
                             d.read("runs").count("r") == count, "the command never ran")

            d.wait_all_running()
            first = d.ask("reload", "web")["id"]
            ran(1)
            target = d.ask("reload", "web")["id"]
            joined = d.ask("reload", "web", "?coalesce=yes")
            self.assertEqual(joined["coalesced_into"], target)
            d.http("DELETE", f"/operations/{first}")
            ran(2)
            d.kill9()
            d.start()
            for number in (target, joined["id"]):
                self.assertEqual(d.operation(number)["state"], "interrupted")
            d.do("stop", "web")
            self.assertEqual(d.read("runs").count("r"), 2)

    def test_those_that_joined_one_that_was_cancelled_still_run_together(self):
        with Daemon({"web": on_fd(UNHURRIED, operation=SLOW)}) as d:
            self.busy(d)
            gone = d.ask("restart", "web")["id"]
            kept = [d.ask("restart", "web", "?coalesce=yes")["id"] for _ in range(2)]
            self.assertEqual(d.http("DELETE", f"/operations/{gone}").status, 200)
            self.assertEqual(d.operation(kept[1], wait=False)["coalesced_into"], kept[0])
            d.kill9()
            d.start()
            d.hurry("web", count=2)
            ends = [d.operation(number) for number in kept]
            self.assertEqual([e["state"] for e in ends], ["succeeded"] * 2)
            self.assertEqual(ends[1]["coalesced_into"], kept[0])
            self.assertEqual(len(d.witness("web", "start")), 3, "at boot, and twice")
            d.leave()

    def test_of_many_ends_that_the_journal_missed_none_that_was_told_is_lost(self):
        with Daemon({"web": on_fd(UNHURRIED, operation=SLOW)}) as d:
            self.busy(d)
            numbers = [d.ask("start", "web")["id"] for _ in range(20)]
            with held(d):
                d.hurry("web")
                d.operation(numbers[4])
                seen = [d.operation(number, wait=False) for number in numbers]
                d.kill9()
            d.start()
            for before in seen:
                after = d.operation(before["id"])
                self.assertEqual(after["state"], "succeeded")
                if before["state"] == "succeeded":
                    self.assertEqual(after["started_at"], before["started_at"])
            d.leave()

    def test_a_stop_does_not_wait_until_many_ends_are_in_the_journal(self):
        with Daemon({"web": on_fd(UNHURRIED, operation=SLOW)}) as d:
            self.busy(d)
            last = [d.ask("start", "web")["id"] for _ in range(20)][-1]
            with held(d):
                d.hurry("web")
                stopped = threading.Thread(target=d.hurry, args=("web", "term", 2))
                stopped.start()
                stop = d.http("POST", "/stop/web?wait=50").json
                stopped.join()
                self.assertEqual((stop["state"], stop["durable"]), ("succeeded", False))
                self.assertEqual(d.operation(last)["state"], "succeeded")

    def test_an_end_that_the_journal_missed_is_that_of_those_who_really_joined(self):
        """What they had joined was cancelled: the first of them did it for the others."""
        with Daemon({"web": on_fd(UNHURRIED, operation=SLOW)}) as d:
            self.busy(d)
            gone = d.ask("restart", "web")["id"]
            kept = [d.ask("restart", "web", "?coalesce=yes")["id"] for _ in range(2)]
            self.assertEqual(d.http("DELETE", f"/operations/{gone}").status, 200)
            d.hurry("web")
            d.wait_status(lambda row: row["active_operation"] == kept[0] and
                          row["state"] == "stopping", "web")
            with held(d):
                d.hurry("web", count=2)
                seen = [d.operation(number) for number in kept]
                d.kill9()
            d.start()
            for before in seen:
                after = d.operation(before["id"])
                for key in ("state", "changed", "coalesced_into", "started_at", "finished_at"):
                    self.assertEqual(after[key], before[key], key)
            d.leave()

    def test_a_stop_whose_cancel_was_lost_is_not_taken_for_one_of_those_around_it(self):
        """Its number lies between those of two restarts that ran as one."""
        with Daemon({"web": on_fd(UNHURRIED, operation=SLOW)}) as d:
            self.busy(d)
            target, stop = d.ask("restart", "web")["id"], d.ask("stop", "web")["id"]
            self.assertEqual(d.http("DELETE", f"/operations/{stop}").status, 200)
            joined = d.ask("restart", "web", "?coalesce=yes")
            self.assertEqual(joined["coalesced_into"], target)
            d.hurry("web")
            d.wait_status(lambda row: row["active_operation"] == target, "web")
            d.wait_witness("web", "term", 2)
            d.kill9()
            with contextlib.closing(sqlite3.connect(f"{d.state_dir}/state.db")) as db, db:
                db.execute("UPDATE operations SET state = 'queued', finished_utc = NULL, "
                           "detail = NULL WHERE id = ?", (stop,))
            d.start()
            d.hurry("web", count=3)     # the stop
            for number in (target, joined["id"], stop):
                self.assertEqual(d.operation(number)["state"], "succeeded")
            self.assertGreater(d.operation(stop)["started_at"],
                               d.operation(target)["finished_at"])
            self.assertEqual(d.status("web")["state"], "stopped")

    def test_an_end_that_the_journal_missed_is_that_of_all_who_joined(self):
        with Daemon({"web": on_fd(UNHURRIED, operation=SLOW)}) as d:
            self.busy(d)
            target = d.ask("restart", "web")["id"]
            joined = d.ask("restart", "web", "?coalesce=yes")["id"]
            d.hurry("web")
            d.wait_status(lambda row: row["active_operation"] == target and
                          row["state"] == "stopping", "web")
            with held(d):
                d.hurry("web", count=2)
                seen = [d.operation(number) for number in (target, joined)]
                d.kill9()
            d.start()
            for before in seen:
                after = d.operation(before["id"])
                self.assertEqual((after["state"], after["changed"]),
                                 (before["state"], before["changed"]))
            d.leave()


if __name__ == "__main__":
    main()
