"""Automatic restarts: which exits are recovered, how long after, and when it gives up."""
import datetime
import os
import select
import signal
import time
import unittest

from harness.orderly import Daemon, fake, main, on_fd

AT_ONCE = {"first_delay": "0"}


def recovered(row):
    return row["generation"] > 1 and row["state"] == "running"


def when(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class Policies(unittest.TestCase):
    def test_always_recovers_a_clean_exit_too(self):
        services = {"web": on_fd("--exit-after 100", recovery={"restart": "always", **AT_ONCE})}
        with Daemon(services) as d:
            row = d.wait_status(lambda r: r["generation"] >= 3, "web")
            self.assertEqual(row["goal"], "up")
            self.assertGreaterEqual(row["restarts"], 2)
            self.assertEqual(row["last_exit"], {"code": 0})

    def test_on_failure_recovers_a_failure(self):
        services = {"web": on_fd("--exit-after 100", "--status 3",
                                 recovery={"restart": "on-failure", **AT_ONCE})}
        with Daemon(services) as d:
            row = d.wait_status(lambda r: r["generation"] >= 3, "web")
            self.assertEqual(row["last_exit"], {"code": 3})

    def test_on_failure_recovers_a_killed_one(self):
        with Daemon({"web": on_fd(recovery={"restart": "on-failure", **AT_ONCE})}) as d:
            row = d.wait_state("web", "running")
            os.kill(row["pid"], signal.SIGUSR2)
            row = d.wait_status(recovered, "web")
            self.assertEqual(row["last_exit"], {"signal": "SIGUSR2"})
            self.assertEqual(row["restarts"], 1)

    def test_exit_0_under_on_failure_is_stopped_with_the_goal_down(self):
        services = {"web": on_fd("--exit-after 100", recovery={"restart": "on-failure"})}
        with Daemon(services) as d:
            d.wait_witness("web", "stop")
            row = d.wait_state("web", "stopped")
            self.assertEqual((row["goal"], row["last_exit"], row["generation"], row["recovery"]),
                             ("down", {"code": 0}, 1, None))

    def test_exit_0_under_no_is_stopped_with_the_goal_down(self):
        with Daemon({"web": on_fd("--exit-after 100", recovery={"restart": "no"})}) as d:
            d.wait_witness("web", "stop")
            self.assertEqual(d.wait_state("web", "stopped")["goal"], "down")

    def test_a_failure_under_no_is_failed_with_the_goal_up(self):
        services = {"web": on_fd("--exit-after 100", "--status 4", recovery={"restart": "no"})}
        with Daemon(services) as d:
            row = d.wait_state("web", "failed")
            self.assertEqual((row["goal"], row["last_exit"], row["generation"]),
                             ("up", {"code": 4}, 1))

    def test_nothing_is_recovered_whose_goal_is_down(self):
        with Daemon({"web": on_fd("--deaf", operation={"stop_timeout": "200ms"},
                                  recovery=AT_ONCE)}) as d:
            d.wait_state("web", "running")
            d.do("stop", "web")  # ends by SIGKILL: a failure, were it not wanted
            row = d.status("web")
            self.assertEqual((row["state"], row["goal"], row["recovery"]),
                             ("stopped", "down", None))
            self.assertEqual([r["origin"] for r in d.operations("?service=web")][:1], ["api"])


class Backoff(unittest.TestCase):
    def test_the_next_attempt_is_visible(self):
        services = {"web": fake("--crash-at-start 99",
                                recovery={"first_delay": "30s", "attempts": "7"})}
        with Daemon(services) as d:
            row = d.wait_state("web", "backoff")
            recovery = row["recovery"]
            self.assertEqual((recovery["attempt"], recovery["attempts"]), (1, 7))
            ahead = (when(recovery["next_attempt"]) - when(row["state_since"])).total_seconds()
            self.assertGreater(ahead, 10)
            self.assertLess(ahead, 60)
            self.assertEqual((row["goal"], row["pid"], row["ready"]), ("up", None, False))

    def test_delays_grow_to_the_maximum_and_attempts_are_counted(self):
        services = {"web": on_fd("--crash-at-start 99",
                                 recovery={"first_delay": "40ms", "max_delay": "200ms"})}
        with Daemon(services) as d:
            starts = d.wait_witness("web", "start", 7)
            gaps = [(b.ns - a.ns) / 1e6 for a, b in zip(starts, starts[1:])]
            # at least 40, 80, 160, 200, 200, 200 ms, each less a tenth
            for gap, least in zip(gaps, (36, 72, 144, 180, 180, 180)):
                self.assertGreater(gap, least, gaps)
            row = d.wait_status(lambda r: r["recovery"] and r["recovery"]["attempt"] >= 7, "web")
            self.assertGreaterEqual(row["restarts"], 6)

    def test_attempts_exhausted_is_failed_with_the_goal_up(self):
        services = {"web": on_fd("--crash-at-start 99",
                                 recovery={"first_delay": "10ms", "attempts": "3"})}
        with Daemon(services) as d:
            row = d.wait_state("web", "failed")
            self.assertEqual((row["goal"], row["recovery"]), ("up", None))
            self.assertEqual(len(d.witness("web", "start")), 4, "the first and three more")
            self.assertEqual(row["restarts"], 3)

    def test_a_start_in_backoff_begins_at_once_and_resets_the_attempts(self):
        services = {"web": on_fd("--crash-at-start 1", recovery={"first_delay": "600s",
                                                                   "max_delay": "600s"})}
        with Daemon(services) as d:
            d.wait_state("web", "backoff")
            record = d.do("start", "web")
            self.assertTrue(record["changed"])
            row = d.status("web")
            self.assertEqual((row["state"], row["recovery"]), ("running", None))

    def test_a_start_when_failed_begins_at_once_and_resets_the_attempts(self):
        services = {"web": on_fd("--crash-at-start 3",
                                 recovery={"first_delay": "10ms", "attempts": "1"})}
        with Daemon(services) as d:
            d.wait_state("web", "failed")  # the first start and one more
            record = d.do("start", "web", expect="failed")  # the third; then attempt 1 again
            self.assertIn("exited with status 1", record["detail"])
            d.wait_status(lambda r: r["state"] == "running" and r["ready"], "web")
            self.assertEqual(len(d.witness("web", "start")), 4)

    def test_a_signal_in_backoff_fails_and_says_so(self):
        services = {"web": on_fd("--crash-at-start 99", recovery={"first_delay": "600s",
                                                                    "max_delay": "600s"})}
        with Daemon(services) as d:
            d.wait_state("web", "backoff")
            record = d.http("POST", "/signal/web?signal=HUP&wait").json
            self.assertEqual((record["state"], record["detail"]),
                             ("failed", "it is in backoff: only a running service can be signalled"))

    def test_a_stop_in_backoff_ends_it(self):
        services = {"web": on_fd("--crash-at-start 99", recovery={"first_delay": "600s",
                                                                    "max_delay": "600s"})}
        with Daemon(services) as d:
            d.wait_state("web", "backoff")
            d.do("stop", "web")
            row = d.status("web")
            self.assertEqual((row["state"], row["goal"], row["recovery"]),
                             ("stopped", "down", None))

    def test_first_delay_0_recovers_at_once(self):
        with Daemon({"web": on_fd(recovery=AT_ONCE)}) as d:
            for count in range(2, 6):
                row = d.wait_state("web", "running")
                os.kill(row["pid"], 9)
                d.wait_status(lambda r, n=count: r["generation"] >= n and r["state"] == "running",
                              "web")
            self.assertEqual(d.status("web")["restarts"], 4)
            self.assertEqual(d.read("overlap"), "")

    def test_an_attempt_is_forgotten_after_a_stable_time(self):
        services = {"web": on_fd(recovery={"first_delay": "10ms", "attempts": "1",
                                           "stable_after": "300ms"})}
        with Daemon(services) as d:
            for count in range(2, 5):  # more deaths than attempts, but far between
                row = d.wait_state("web", "running")
                revision = d.status()["revision"]
                born = d.wait_witness("web", "ready", count - 1)[-1].ns
                wait_mono(born + 500_000_000)
                if count > 2:  # that it is forgotten is a change, of which no row tells
                    d.http("GET", f"/status?since={revision}&wait=5")
                os.kill(row["pid"], 9)
                d.wait_status(lambda r, n=count: r["generation"] >= n and r["state"] == "running",
                              "web")

    def test_recoveries_are_operations_of_the_supervisor(self):
        with Daemon({"web": on_fd(recovery=AT_ONCE)}) as d:
            os.kill(d.wait_state("web", "running")["pid"], 9)
            d.wait_status(recovered, "web")
            record = d.operations("?service=web&limit=1")[0]
            self.assertEqual((record["origin"], record["requested_by"], record["action"]),
                             ("recovery", "supervisor", "start"))
            d.operation(record["id"])

    def test_a_crash_loop_does_not_keep_people_s_operations_waiting(self):
        services = {"web": on_fd("--crash-at-start 9999",
                                 recovery={"first_delay": "0", "max_delay": "1ms"})}
        with Daemon(services) as d:
            d.wait_witness("web", "start", 5)
            d.do("stop", "web")
            count = len(d.witness("web", "start"))
            self.assertEqual(d.status("web")["state"], "stopped")
            self.assertEqual(len(d.witness("web", "start")), count)


def wait_mono(ns):
    """Until the monotonic clock says so: the time itself is what is waited for here."""
    while (left := ns - time.monotonic_ns()) > 0:
        select.select([], [], [], left / 1e9)


if __name__ == "__main__":
    main()
