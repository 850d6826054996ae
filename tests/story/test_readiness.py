"""When a service counts as started: after a delay, at once, or when it says so."""
import datetime
import unittest

from harness.orderly import Daemon, fake, main, on_fd

NO_RECOVERY = {"restart": "no"}
MANUAL = {"autostart": "no"}


def seconds(record):
    """From its beginning to its end."""
    begin, end = (datetime.datetime.fromisoformat(record[key].replace("Z", "+00:00"))
                  for key in ("started_at", "finished_at"))
    return (end - begin).total_seconds()


class Readiness(unittest.TestCase):
    def test_delay_means_alive_for_that_long(self):
        services = {"web": fake(readiness={"type": "delay", "delay": "400ms"}, service=MANUAL),
                    "long": fake(readiness={"type": "delay", "delay": "10m"}, service=MANUAL,
                                 operation={"timeout": "20m"})}
        with Daemon(services) as d:
            number = d.ask("start", "long")["id"]
            row = d.wait_status(lambda r: r["pid"], "long")
            self.assertEqual((row["state"], row["ready"]), ("starting", False))
            d.http("DELETE", f"/operations/{number}")
            self.assertGreaterEqual(seconds(d.do("start", "web")), 0.4)
            d.wait_witness("web", "start")
            row = d.status("web")
            self.assertEqual((row["state"], row["ready"]), ("running", True))

    def test_the_default_is_a_delay_of_a_second(self):
        spec = fake(service=MANUAL)
        del spec["readiness"]
        with Daemon({"web": spec}) as d:
            self.assertGreaterEqual(seconds(d.do("start", "web")), 1.0)

    def test_immediate_means_executing(self):
        services = {"web": fake("--start-delay 60000", service=MANUAL)}
        with Daemon(services) as d:
            record = d.do("start", "web")
            self.assertTrue(record["changed"])
            self.assertEqual(d.witness("web", "ready"), [])
            self.assertTrue(d.status("web")["ready"])

    def test_fd_means_when_it_wrote_its_newline(self):
        with Daemon({"web": on_fd("--hold-start", service=MANUAL)}) as d:
            with d.hold("web"):
                number = d.ask("start", "web")["id"]
                d.wait_witness("web", "start")
                row = d.wait_status(lambda r: r["pid"], "web")
                self.assertEqual((row["state"], row["ready"]), ("starting", False))
            self.assertEqual(d.operation(number)["state"], "succeeded")
            self.assertEqual(len(d.witness("web", "ready")), 1)
            self.assertTrue(d.status("web")["ready"])

    def test_an_exit_before_ready_fails_with_the_reason_and_the_last_lines(self):
        for readiness in ({"type": "fd"}, {"type": "delay", "delay": "20s"}):
            services = {"web": fake("--chatty 30", "--crash-at-start 9", "--print-error tragedy",
                                    readiness=readiness, service=MANUAL, recovery=NO_RECOVERY)}
            with self.subTest(**readiness), Daemon(services) as d:
                record = d.do("start", "web", expect="failed")
                self.assertEqual(record["detail"], "exited with status 1 before becoming ready")
                self.assertEqual(record["exit"], {"code": 1})
                lines = [f"web line {n}" for n in range(12, 31)] + ["tragedy"]
                self.assertEqual(record["output"], lines)
                row = d.status("web")
                self.assertEqual((row["state"], row["goal"]), ("failed", "up"))
                self.assertEqual(d.operation(record["id"]), record, "the record stays the same")

    def test_a_program_that_cannot_be_executed_says_which_and_why(self):
        for command, word in (("/nonexistent/program", "No such file"),
                              ("/etc/passwd", "Permission denied"), ("/tmp", "ermission denied")):
            services = {"web": {"service": {"command": command, **MANUAL},
                                "readiness": {"type": "immediate"}, "recovery": NO_RECOVERY}}
            with self.subTest(command), Daemon(services) as d:
                record = d.do("start", "web", expect="failed")
                self.assertIn(command, record["detail"])
                self.assertIn(word, record["detail"])
                self.assertEqual(d.status("web")["state"], "failed")

    def test_a_setting_that_cannot_be_kept_names_the_step(self):
        services = {"web": fake(service={"directory": "/nonexistent/folder", **MANUAL},
                                recovery=NO_RECOVERY)}
        with Daemon(services) as d:
            record = d.do("start", "web", expect="failed")
            self.assertIn("/nonexistent/folder", record["detail"])
            self.assertEqual(d.witness("web"), [])

    def test_never_ready_fails_at_the_readiness_timeout(self):
        services = {"web": fake(readiness={"type": "fd", "timeout": "3s"}, service=MANUAL,
                                recovery=NO_RECOVERY)}
        with Daemon(services) as d:
            record = d.do("start", "web", expect=None)
            self.assertIn(record["state"], ("failed", "timed_out"))
            self.assertIn("ready", record["detail"])
            row = d.wait_state("web", "failed")
            self.assertIsNone(row["pid"])
            self.assertEqual(len(d.witness("web", "stop")), 1, "it was ended, politely")

    def test_never_ready_ends_at_the_request_s_own_timeout(self):
        services = {"web": fake(readiness={"type": "fd"}, service=MANUAL, recovery=NO_RECOVERY)}
        with Daemon(services) as d:
            answer = d.http("POST", "/start/web?wait&timeout=0.5")
            self.assertEqual((answer.status, answer.json["state"]), (409, "timed_out"))
            self.assertEqual(answer.json["timeout_seconds"], 0.5)

    def test_a_restart_of_one_that_does_not_come_up_fails(self):
        services = {"web": on_fd(recovery=NO_RECOVERY)}
        with Daemon(services) as d:
            d.wait_state("web", "running")
            d.write_service("web", on_fd("--crash-at-start 99", recovery=NO_RECOVERY))
            d.http("POST", "/daemon/reload")
            record = d.do("restart", "web", expect="failed")
            self.assertIn("before becoming ready", record["detail"])
            self.assertTrue(record["changed"])


if __name__ == "__main__":
    main()
