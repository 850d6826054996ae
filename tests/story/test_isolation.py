"""A hung service holds up nobody else."""
import os
import signal
import time
import unittest

from harness.orderly import SANITIZE, Daemon, at_once, fake, main, on_fd

BOUND = 0.1 if not SANITIZE else 2.0  # seconds
DEAF = {"operation": {"stop_timeout": "100s", "timeout": "200s"}}     # until it is killed


class Isolation(unittest.TestCase):
    def timed_restart(self, d, name):
        began = time.monotonic()
        answer = d.http("POST", f"/restart/{name}?wait")
        took = time.monotonic() - began
        self.assertEqual(answer.status, 200, answer)
        return took

    def kill(self, d, name):
        """The first one, which is deaf."""
        os.kill(d.witness(name, "start")[0].pid, signal.SIGKILL)

    def test_a_restart_returns_within_100_ms_while_a_deaf_service_is_restarting(self):
        services = {"deaf": on_fd("--deaf", **DEAF), "quick": fake()}
        with Daemon(services) as d:
            d.wait_witness("deaf", "start")
            d.wait_witness("quick", "ready")
            number = d.ask("restart", "deaf")["id"]
            d.wait_state("deaf", "stopping")
            times = [self.timed_restart(d, "quick") for _ in range(10)]
            self.assertEqual(d.status("deaf")["state"], "stopping", "the deaf one still hangs")
            self.assertLess(sorted(times)[len(times) // 2], BOUND, times)
            d.wait_witness("deaf", "deaf")
            self.kill(d, "deaf")
            self.assertEqual(d.operation(number)["state"], "succeeded")
            self.assertEqual(len(d.witness("deaf", "deaf")), 1)
            d.leave()

    def test_thirty_hung_services_cost_another_one_nothing(self):
        services = {f"deaf-{n}": on_fd("--deaf", **DEAF) for n in range(30)}
        services["quick"] = on_fd()
        with Daemon(services) as d:
            d.wait_all_running()
            for n in range(30):
                d.wait_witness(f"deaf-{n}", "ready")
            ids = [d.ask("restart", f"deaf-{n}")["id"] for n in range(30)]
            d.wait_status(lambda rows: all(rows[f"deaf-{n}"]["state"] == "stopping"
                                           for n in range(30)))
            times = [self.timed_restart(d, "quick") for _ in range(5)]
            self.assertLess(sorted(times)[2], BOUND, times)
            for n in range(30):
                self.kill(d, f"deaf-{n}")
            self.assertEqual({d.operation(i)["state"] for i in ids}, {"succeeded"})
            d.leave()

    def test_status_and_acceptance_do_not_wait_for_a_hung_service(self):
        with Daemon({"deaf": on_fd("--deaf", **DEAF)}) as d:
            d.wait_witness("deaf", "ready")
            d.ask("restart", "deaf")
            d.wait_state("deaf", "stopping")
            began = time.monotonic()
            d.status()
            queued = at_once([lambda: d.ask("restart", "deaf")] * 3)
            took = time.monotonic() - began
            self.assertLess(took, BOUND * 5)
            for record in queued:
                self.assertEqual(record["state"], "queued")
                self.assertEqual(d.http("DELETE", f"/operations/{record['id']}").status, 200)
            d.leave()


if __name__ == "__main__":
    main()
