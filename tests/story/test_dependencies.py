"""requires, wants, after: what a start waits for, what a stop goes before."""
import unittest

from harness.orderly import Daemon, fake, main, on_fd

MANUAL = {"autostart": "no"}
NO_RECOVERY = {"restart": "no"}


class Starting(unittest.TestCase):
    def test_a_start_brings_up_what_it_requires_and_waits_until_that_is_ready(self):
        services = {"db": on_fd("--start-delay 300", service=MANUAL),
                    "web": on_fd(service={"requires": "db", **MANUAL})}
        with Daemon(services) as d:
            d.do("start", "web")
            ready = d.witness("db", "ready")[0].ns
            self.assertLess(ready, d.witness("web", "start")[0].ns)
            self.assertEqual(d.status("db")["goal"], "up")
            record = d.operations("?service=db&limit=1")[0]
            self.assertEqual((record["origin"], record["requested_by"]),
                             ("dependency", "supervisor"))

    def test_what_is_waited_for_is_shown_and_is_not_running_time(self):
        services = {"db": on_fd("--start-delay 6000", service=MANUAL),
                    "web": on_fd(service={"requires": "db", **MANUAL})}
        with Daemon(services) as d:
            number = d.ask("start", "web", "?timeout=5")["id"]
            d.wait_status(lambda row: row["waiting_for"] == "db", "web")
            record = d.operation(number, wait=False)
            self.assertEqual((record["state"], record["waiting_for"], record["started_at"]),
                             ("queued", "db", None))
            record = d.operation(number)
            self.assertEqual((record["state"], record["waiting_for"]), ("succeeded", None))
            self.assertIsNone(d.status("web")["waiting_for"])

    def test_a_failing_dependency_fails_it_at_once_and_names_the_chain(self):
        services = {"disk": fake("--crash-at-start 99", readiness={"type": "fd"}, service=MANUAL,
                                 recovery=NO_RECOVERY),
                    "db": on_fd(service={"requires": "disk", **MANUAL}, recovery=NO_RECOVERY),
                    "web": on_fd(service={"requires": "db", **MANUAL}, recovery=NO_RECOVERY)}
        with Daemon(services) as d:
            record = d.do("start", "web", expect="failed")
            self.assertIn("db", record["detail"])
            self.assertIn("disk", record["detail"])
            self.assertEqual(d.witness("web"), [])

    def test_a_stop_accepted_while_it_waits_supersedes_it(self):
        services = {"db": on_fd("--start-delay 3600000", service=MANUAL),
                    "web": on_fd(service={"requires": "db", **MANUAL})}
        with Daemon(services) as d:
            number = d.ask("start", "web")["id"]
            d.wait_status(lambda row: row["waiting_for"] == "db", "web")
            stop = d.do("stop", "web")
            self.assertEqual(d.operation(number)["state"], "superseded")
            self.assertEqual(stop["state"], "succeeded")
            self.assertEqual(d.witness("web"), [])
            self.assertEqual(d.status("web")["goal"], "down")

    def test_wants_starts_it_but_does_not_fail_with_it(self):
        services = {"cache": fake("--crash-at-start 99", readiness={"type": "fd"}, service=MANUAL,
                                  recovery=NO_RECOVERY),
                    "web": on_fd(service={"wants": "cache", **MANUAL})}
        with Daemon(services) as d:
            d.do("start", "web")
            self.assertEqual(len(d.witness("cache", "start")), 1)

    def test_after_alone_starts_nothing(self):
        services = {"db": on_fd(service=MANUAL), "web": on_fd(service={"after": "db", **MANUAL})}
        with Daemon(services) as d:
            d.do("start", "web")
            self.assertEqual(d.status("db")["state"], "stopped")

    def test_an_operation_that_waits_does_not_block_other_services(self):
        services = {"db": on_fd("--start-delay 3600000", service=MANUAL),
                    "web": on_fd(service={"requires": "db", **MANUAL}), "other": on_fd()}
        with Daemon(services) as d:
            number = d.ask("start", "web")["id"]
            d.wait_status(lambda row: row["waiting_for"], "web")
            d.do("restart", "other")
            self.assertEqual(d.operation(number, wait=False)["state"], "queued")
            d.hurry("db", "start")
            self.assertEqual(d.operation(number)["state"], "succeeded")


class Order(unittest.TestCase):
    services = {"disk": on_fd("--start-delay 100", "--stop-delay 100"),
                "db": on_fd("--start-delay 100", "--stop-delay 100", service={"requires": "disk"}),
                "cache": on_fd("--start-delay 100", "--stop-delay 100"),
                "web": on_fd("--start-delay 50", "--stop-delay 100",
                             service={"requires": "db", "wants": "cache"}),
                "cron": on_fd(service={"after": "web"})}
    before = (("disk", "db"), ("db", "web"), ("cache", "web"), ("web", "cron"))

    def one(self, d, name, word):
        seen = d.witness(name, word)
        self.assertEqual(len(seen), 1, (name, word))
        return seen[0].ns

    def test_boot_follows_the_graph_and_runs_in_parallel_where_it_may(self):
        unready = on_fd("--start-delay 3600000")
        with Daemon({**self.services, "disk": unready, "cache": unready}) as d:
            for name in ("disk", "cache"):
                d.wait_witness(name, "start")   # independent ones start side by side
            for name in ("disk", "cache"):
                d.hurry(name, "start")
            d.wait_all_running()
            for first, second in self.before:
                self.assertLess(self.one(d, first, "ready"), self.one(d, second, "start"))
            self.assertEqual({r["origin"] for r in d.operations()} - {"dependency"}, {"boot"})

    def test_shutdown_goes_the_other_way(self):
        with Daemon(self.services) as d:
            d.wait_all_running()
            d.stop()
            for first, second in self.before:
                self.assertLess(self.one(d, second, "stop"), self.one(d, first, "term"))

    def test_services_that_were_stopped_by_hand_stay_stopped_at_the_next_boot(self):
        with Daemon({"web": on_fd(), "other": on_fd()}) as d:
            d.wait_all_running()
            d.do("stop", "web")
            d.restart_daemon()
            d.wait_state("other", "running")
            row = d.status("web")
            self.assertEqual((row["state"], row["goal"]), ("stopped", "down"))


if __name__ == "__main__":
    main()
