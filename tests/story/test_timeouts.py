"""No operation runs longer than it may, and what it leaves is cleaned up before the next begins."""
import datetime
import unittest

from harness.orderly import GUARD, Daemon, fake, held, main, on_fd

MANUAL = {"autostart": "no"}
NO_RECOVERY = {"restart": "no"}


def seconds(record):
    """From its beginning to its end."""
    begin, end = (datetime.datetime.fromisoformat(record[key].replace("Z", "+00:00"))
                  for key in ("started_at", "finished_at"))
    return (end - begin).total_seconds()


class Timeouts(unittest.TestCase):
    def test_a_start_that_never_gets_ready_times_out_then_stops_then_the_next_begins(self):
        services = {"web": fake("--hold-stop", readiness={"type": "fd"}, service=MANUAL,
                                operation={"stop_timeout": "10m", "timeout": "20m"},
                                recovery=NO_RECOVERY)}
        with Daemon(services) as d:
            with d.hold("web"):
                first = d.ask("start", "web", "?timeout=3")["id"]
                second = d.ask("stop", "web")["id"]
                record = d.operation(first)
                self.assertEqual(record["state"], "timed_out")
                self.assertGreaterEqual(seconds(record), 3.0)
                self.assertIn("3", record["detail"])
                row = d.status("web")
                self.assertEqual(row["state"], "stopping", "its end is being waited for")
                self.assertEqual(d.operation(second, wait=False)["state"], "queued")
            after = d.operation(second)
            self.assertEqual(after["state"], "succeeded")
            self.assertGreater(after["started_at"], record["finished_at"])
            self.assertEqual(len(d.witness("web", "stop")), 1)
            self.assertEqual(d.status("web")["state"], "stopped")

    def test_a_start_that_timed_out_is_a_failed_attempt_and_recovery_applies(self):
        services = {"web": fake(readiness={"type": "fd"}, service=MANUAL,
                                recovery={"restart": "on-failure", "first_delay": "600s",
                                          "max_delay": "600s"})}
        with Daemon(services) as d:
            d.do("start", "web", "?timeout=0.5", expect="timed_out")
            row = d.wait_state("web", "backoff")
            self.assertEqual((row["goal"], row["recovery"]["attempt"]), ("up", 1))

    def test_the_stop_of_a_deaf_service_succeeds_by_sigkill_after_its_stop_timeout(self):
        with Daemon({"web": on_fd("--deaf", operation={"stop_timeout": "3s"})}) as d:
            d.wait_state("web", "running")
            record = d.do("stop", "web")
            self.assertGreaterEqual(seconds(record), 2.95)
            self.assertLess(seconds(record), GUARD)
            self.assertEqual(d.status("web")["last_exit"], {"signal": "SIGKILL"})
            self.assertEqual(len(d.witness("web", "deaf")), 1)

    def test_a_stop_with_a_timeout_below_stop_timeout_ends_timed_out_and_still_stops(self):
        with Daemon({"web": held()}) as d:
            d.wait_state("web", "running")
            with d.hold("web"):
                d.do("stop", "web", "?timeout=0.3", expect="timed_out")
                self.assertEqual(d.status("web")["state"], "stopping")
            row = d.wait_state("web", "stopped")
            self.assertEqual((row["goal"], row["pid"]), ("down", None))

    def test_a_restart_that_times_out_while_stopping_leaves_the_service_to_recovery(self):
        with Daemon({"web": held(recovery={"first_delay": "10ms"})}) as d:
            d.wait_state("web", "running")
            with d.hold("web"):
                d.do("restart", "web", "?timeout=0.2", expect="timed_out")
                row = d.status("web")
                self.assertEqual((row["state"], row["goal"]), ("stopping", "up"))
            d.do("start", "web")
            self.assertEqual(d.status("web")["state"], "running")
            self.assertEqual(d.read("overlap"), "")

    def test_the_clock_begins_when_the_operation_begins_not_when_it_is_accepted(self):
        with Daemon({"web": held()}) as d:
            d.wait_state("web", "running")
            with d.hold("web"):
                first = d.ask("restart", "web")["id"]
                second = d.ask("restart", "web", "?timeout=5")["id"]
                self.assertEqual(d.http("GET", f"/operations/{second}?wait=5.5").status, 202)
            records = [d.operation(i) for i in (first, second)]
            self.assertEqual([r["state"] for r in records], ["succeeded"] * 2)

    def test_the_default_timeout_comes_from_supervisor_conf_and_the_service_overrides_it(self):
        services = {"plain": on_fd(operation={"stop_timeout": "5s"},
                                   readiness={"timeout": "5s"}),
                    "own": on_fd(operation={"timeout": "77s"})}
        with Daemon(services, config={"operations": {"timeout": "12s"}}) as d:
            self.assertEqual(d.do("restart", "plain")["timeout_seconds"], 12)
            self.assertEqual(d.do("restart", "own")["timeout_seconds"], 77)

    def test_a_slow_service_does_not_time_out_the_stop_of_another(self):
        with Daemon({"hung": held(), "web": on_fd()}) as d:
            d.wait_all_running()
            with d.hold("hung"):
                number = d.ask("stop", "hung")["id"]
                d.wait_state("hung", "stopping")
                d.do("stop", "web")
                self.assertEqual(d.operation(number, wait=False)["state"], "running")
            self.assertEqual(d.operation(number)["state"], "succeeded")


if __name__ == "__main__":
    main()
