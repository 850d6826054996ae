"""While a restart stops an instance the next one is made already; only its gate lets it run."""
import contextlib
import os
import signal
import unittest

from harness import guard
from harness.orderly import SLOW, Daemon, alive, main, on_fd
from harness.waits import wait_pid_gone, wait_written

# It ends when it is killed, and not before.
PATIENT = {"stop_timeout": f"{40 * SLOW}s", "timeout": f"{60 * SLOW}s"}


def executors_of(d):
    """Processes that stand at their gate."""
    found = []
    for group in guard.groups_below(d.group):
        with open(f"{group}/cgroup.procs", encoding="utf-8") as procs:
            for pid in procs.read().split():
                with open(f"/proc/{pid}/comm", encoding="utf-8") as comm:
                    if comm.read().strip() == "orderly-exec":
                        found.append(int(pid))
    return found


def groups_of(d):
    return [os.path.basename(path) for path in guard.groups_below(d.group)]


class Prepared(unittest.TestCase):
    def setUp(self):
        with Daemon({}) as d:
            if not d.http("GET", "/version").json["capabilities"]["cgroup"]:
                self.skipTest("no groups can be made here")

    def stopping(self, d):
        """The number of a restart whose old instance takes its time, and the pid of that."""
        d.wait_all_running()
        pid = d.status("web")["pid"]
        number = d.ask("restart", "web")["id"]
        d.wait_state("web", "stopping")
        wait_written(f"{d.group}/web.2/cgroup.events", lambda: len(executors_of(d)) == 1,
                     "nothing was prepared")
        return number, pid

    @contextlib.contextmanager
    def daemon(self):
        with Daemon({"web": on_fd("--deaf", operation=PATIENT)}) as d:
            try:
                yield d
            finally:  # it would outlast the test's patience otherwise
                pid = d.status("web")["pid"]
                if pid:
                    number = d.ask("stop", "web", "?mode=replace")["id"]
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                    d.operation(number)

    def test_it_runs_when_the_old_one_has_gone(self):
        with self.daemon() as d:
            number, pid = self.stopping(d)
            prepared = executors_of(d)
            self.assertEqual(len(d.witness("web", "start")), 1)
            os.kill(pid, signal.SIGKILL)
            self.assertEqual(d.operation(number)["state"], "succeeded")
            self.assertEqual([d.status("web")["pid"]], prepared)
            self.assertEqual(groups_of(d), ["web.2"])

    def test_one_that_is_not_wanted_any_more_leaves_nothing(self):
        with self.daemon() as d:
            number, pid = self.stopping(d)
            stop = d.ask("stop", "web", "?mode=replace")["id"]
            self.assertEqual(d.operation(number)["state"], "superseded")
            os.kill(pid, signal.SIGKILL)
            self.assertEqual(d.operation(stop)["state"], "succeeded")
            self.assertEqual(executors_of(d), [])
            self.assertEqual(groups_of(d), [])
            self.assertEqual(len(d.witness("web", "start")), 1)

    def test_a_reload_of_the_configuration_counts_for_it(self):
        with self.daemon() as d:
            number, pid = self.stopping(d)
            d.write_service("web", on_fd("--name", "web", "--status", "3", operation=PATIENT,
                                         service={"environment": "COLOUR=red"}))
            self.assertEqual(d.http("POST", "/daemon/reload").json["changed"], ["web"])
            os.kill(pid, signal.SIGKILL)
            self.assertEqual(d.operation(number)["state"], "succeeded")
            with open(f"/proc/{d.status('web')['pid']}/environ", encoding="utf-8") as f:
                self.assertIn("COLOUR=red", f.read())
            self.assertEqual(executors_of(d), [])
            self.assertEqual(groups_of(d), ["web.2"])

    def test_with_a_daemon_that_is_killed_it_goes_and_the_next_daemon_makes_its_own(self):
        with self.daemon() as d:
            number, pid = self.stopping(d)
            prepared, = executors_of(d)
            d.kill9()
            wait_pid_gone(prepared)
            d.start()
            os.kill(pid, signal.SIGKILL)
            self.assertEqual(d.operation(number)["state"], "succeeded")
            self.assertEqual(len(d.witness("web", "start")), 2)
            self.assertEqual(groups_of(d), ["web.2"])

    def test_one_whose_executor_was_killed_is_a_start_that_failed(self):
        with self.daemon() as d:
            number, pid = self.stopping(d)
            prepared, = executors_of(d)
            os.kill(prepared, signal.SIGKILL)
            os.kill(pid, signal.SIGKILL)
            record = d.operation(number)
            self.assertEqual(record["state"], "failed")
            self.assertIn("the executor ended", record["detail"])
            d.wait_state("web", "running")

    def test_a_daemon_that_leaves_takes_it_along(self):
        with self.daemon() as d:
            number, pid = self.stopping(d)
            prepared, = executors_of(d)
            self.assertEqual(d.http("POST", "/daemon/shutdown?leave").status, 200)
            d.wait_exit()
            wait_pid_gone(prepared)
            self.assertTrue(alive(pid))
            d.start()
            os.kill(pid, signal.SIGKILL)
            self.assertEqual(d.operation(number)["state"], "succeeded")


if __name__ == "__main__":
    main()
