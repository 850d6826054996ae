"""Corners in which a law was once broken: each story is one that failed before it was mended."""
import contextlib
import os
import signal
import sqlite3
import unittest

from harness.orderly import GUARD, Daemon, fake, main, on_fd, wait_pid_gone

LONG = {"stop_timeout": "100s", "timeout": "200s"}


@contextlib.contextmanager
def held(d):
    """Another program holds the database: nothing can be written."""
    db = sqlite3.connect(f"{d.state_dir}/state.db", isolation_level=None, check_same_thread=False,
                         timeout=GUARD)
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        db.execute("ROLLBACK")
        db.close()


class Cancelling(unittest.TestCase):
    def test_a_cancel_is_confirmed_only_once_it_is_written_down(self):
        with Daemon({"web": on_fd("--stop-delay 3600000", operation=LONG)}) as d:
            d.wait_all_running()
            d.ask("restart", "web")
            queued = d.ask("restart", "web")["id"]
            d.wait_state("web", "stopping")
            with held(d):
                answer = d.http("DELETE", f"/operations/{queued}")
                self.assertEqual((answer.status, answer.json["code"]),
                                 (503, "journal_unavailable"))
            self.assertEqual(d.operation(queued)["state"], "cancelled")
            d.leave()

    def test_the_supervisor_s_own_operations_cannot_be_cancelled(self):
        slow = on_fd("--start-delay 86400000", recovery={"first_delay": "0"})
        with Daemon({"slow": {**slow, "service": {**slow["service"], "autostart": "no"}}}) as d:
            d.write_service("needs", {"service": {"command": "/bin/sleep 86400",
                                                  "requires": "slow"}})
            d.http("POST", "/daemon/reload")
            row = d.wait_status(lambda r: r["waiting_for"] == "slow", "needs")
            own = [r for r in d.operations("?service=needs") if r["state"] == "queued"]
            self.assertEqual([r["origin"] for r in own], ["config"])
            answer = d.http("DELETE", f"/operations/{own[0]['id']}")
            self.assertEqual((answer.status, answer.json["code"]), (409, "cannot_cancel"))
            self.assertEqual(row["queue_length"], 1)


class Restarting(unittest.TestCase):
    def test_a_crash_while_its_beginning_is_committed_does_not_fail_a_restart(self):
        """The second restart waits for the database when its service crashes, and something of
        the crashed instance lives on."""
        with Daemon({"web": on_fd("--stop-delay 3600000", "--double-fork", operation=LONG)}) as d:
            d.wait_all_running()
            d.ask("restart", "web")
            second = d.ask("restart", "web")["id"]
            d.wait_state("web", "stopping")
            with held(d):
                d.hurry("web")
                self.kill_left(d, 1)
                row = d.wait_status(lambda r: r["active_operation"] == second, "web")
                os.kill(row["pid"], signal.SIGKILL)
                d.wait_status(lambda r: r["state"] == "stopping" and not r["pid"], "web")
            self.kill_left(d, 2)
            record = d.operation(second)
            self.assertEqual(record["state"], "succeeded", record)
            self.assertEqual(d.read("overlap"), "")
            d.leave()

    def kill_left(self, d, count):
        """What the instance leaves behind, which heeds no signal to stop."""
        os.kill(d.wait_witness("web", "grandchild", count)[count - 1].pid, signal.SIGKILL)


class Reloading(unittest.TestCase):
    def test_a_start_under_way_keeps_the_readiness_it_began_with(self):
        spec = fake("--start-delay 86400000", "--ready-fd",
                    readiness={"type": "fd", "timeout": "6s"}, recovery={"restart": "no"})
        with Daemon({"web": spec}) as d:
            d.wait_state("web", "starting")
            number = d.status("web")["active_operation"]
            d.write_service("web", {**spec, "readiness": {"type": "delay", "delay": "10s"}})
            d.http("POST", "/daemon/reload")
            record = d.operation(number)
            self.assertEqual(record["state"], "failed", "it never told that it is ready")
            self.assertIn("readiness timeout", record["detail"])

    def test_a_service_removed_and_added_again_at_once_runs(self):
        with Daemon({"web": on_fd(), "other": on_fd()}) as d:
            d.wait_all_running()
            spec = d.service_text("web")
            for _ in range(20):
                os.unlink(d.service_file("web"))
                d.http("POST", "/daemon/reload")
                with open(d.service_file("web"), "w") as f:
                    f.write(spec)
                d.http("POST", "/daemon/reload")
            row = d.wait_status(lambda r: r["state"] == "running" and not r["queue_length"]
                                and not r["active_operation"], "web")
            self.assertEqual(row["goal"], "up")
            self.assertEqual(d.read("overlap"), "")


class Orphans(unittest.TestCase):
    def test_a_service_whose_file_broke_is_not_stopped_by_a_restart_of_before(self):
        with Daemon({"web": on_fd("--stop-delay 3600000", operation=LONG)}) as d:
            d.wait_all_running()
            first = d.ask("restart", "web")["id"]
            d.hurry("web")
            d.operation(first)
            ids = [d.ask("restart", "web")["id"] for _ in range(3)]
            d.wait_state("web", "stopping")
            d.kill9()
            good = d.service_text("web")
            d.write_service("web", "rubbish\n")
            d.start()
            ends = [d.operation(number) for number in ids]
            self.assertEqual({r["state"] for r in ends}, {"interrupted"})
            with open(d.service_file("web"), "w") as f:
                f.write(good)
            d.wait_status(lambda r: r["state"] != "stopping", "web")
            d.http("POST", "/daemon/reload")
            d.wait_state("web", "running")
            self.assertEqual(d.read("overlap"), "")
            d.leave()


class StoppedExecutor(unittest.TestCase):
    def test_one_that_was_sent_sigstop_does_not_hold_its_service_up(self):
        with Daemon({"web": on_fd(operation={"stop_timeout": "1s"})},
                    env={"ORDERLY_CONTAINMENT": "best-effort"}) as d:
            d.wait_all_running()
            pid = d.status("web")["pid"]
            with open(f"/proc/{pid}/stat") as f:
                executor = int(f.read().rsplit(")", 1)[1].split()[1])
            os.kill(executor, signal.SIGSTOP)
            record = d.do("stop", "web")
            self.assertEqual(record["state"], "succeeded")
            wait_pid_gone(pid)


if __name__ == "__main__":
    main()
