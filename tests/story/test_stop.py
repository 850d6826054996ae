"""The true stop: it has succeeded when nothing of the service's tree is left."""
import os
import unittest

from harness import guard
from harness.orderly import SLOW, Daemon, alive, main, on_fd

QUICK_KILL = {"stop_timeout": "500ms", "timeout": f"{60 * SLOW}s"}
# How long what is to be seen before the SIGKILL may take: on a slow machine more, tried in turn.
STOP_TIMEOUTS = ("500ms", "3s", f"{15 * SLOW}s")


def tree_of(d, name):
    """Every process that carries this service's name on its command line."""
    mark = f"--name\0{name}\0".encode()
    found = []
    for pid in guard.processes_of(d.folder):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                if mark in f.read() and alive(pid):
                    found.append(pid)
        except OSError:
            pass
    return found


class Stories:
    containment = None

    def daemon(self, services):
        return Daemon(services, env=self.environment)

    def killed_after(self, patience, *options):
        return {"web": on_fd(*options, operation={**QUICK_KILL, "stop_timeout": patience})}

    def wait_up(self, d):
        d.wait_all_running()
        for row in d.status()["services"]:
            self.assertEqual(row["containment"], self.containment)
            inside = (guard.cgroup_of(row["pid"]) or "").startswith(f"{d.group}/")
            self.assertEqual(inside, self.containment == "cgroup")

    def test_a_polite_service_is_gone_when_its_stop_succeeds(self):
        with self.daemon({"web": on_fd("--children 5")}) as d:
            self.wait_up(d)
            self.assertEqual(len(tree_of(d, "web")), 6)
            d.do("stop", "web")
            self.assertEqual(tree_of(d, "web"), [])
            row = d.status("web")
            self.assertEqual((row["state"], row["pid"], row["goal"]), ("stopped", None, "down"))

    def test_a_double_forked_child_in_its_own_session_that_ignores_term_is_gone_too(self):
        with self.daemon({"web": on_fd("--double-fork", operation=QUICK_KILL)}) as d:
            self.wait_up(d)
            grandchild = d.wait_witness("web", "grandchild")[0].pid
            self.assertTrue(alive(grandchild))
            d.do("stop", "web")
            self.assertFalse(alive(grandchild))
            self.assertEqual(tree_of(d, "web"), [])

    def test_a_restart_begins_only_when_the_grandchild_has_gone(self):
        with self.daemon({"web": on_fd("--double-fork", operation=QUICK_KILL)}) as d:
            self.wait_up(d)
            for count in range(1, 4):
                grandchild = d.wait_witness("web", "grandchild", count)[-1].pid
                d.do("restart", "web")
                self.assertFalse(alive(grandchild))
            self.assertEqual(d.read("overlap"), "")

    def test_two_hundred_children_forked_while_being_stopped_are_all_gone(self):
        for patience in STOP_TIMEOUTS:
            with self.daemon(self.killed_after(patience, "--fork-storm")) as d:
                self.wait_up(d)
                record = d.do("stop", "web")
                self.assertEqual(tree_of(d, "web"), [])
                self.assertTrue(record["changed"])
                d.do("start", "web")
                self.assertEqual(d.read("overlap"), "")
                if d.witness("web", "storm"):
                    return
        self.fail("the storm did not happen")

    def test_a_main_process_that_was_killed_leaves_no_tree_before_it_is_recovered(self):
        services = {"web": on_fd("--double-fork", "--children 3", operation=QUICK_KILL,
                                 recovery={"first_delay": "0"})}
        with self.daemon(services) as d:
            self.wait_up(d)
            before = d.status("web")
            grandchild = d.wait_witness("web", "grandchild")[0].pid
            os.kill(before["pid"], 9)
            d.wait_status(lambda row: row["generation"] > before["generation"] and row["ready"],
                          "web")
            self.assertFalse(alive(grandchild))
            self.assertEqual(d.status("web")["last_exit"], {"signal": "SIGKILL"})
            self.assertEqual(d.read("overlap"), "")

    def test_a_deaf_service_is_killed_after_its_stop_timeout(self):
        for patience in STOP_TIMEOUTS:
            with self.daemon(self.killed_after(patience, "--deaf")) as d:
                self.wait_up(d)
                pid = d.status("web")["pid"]
                d.do("stop", "web")
                self.assertFalse(alive(pid))
                self.assertEqual(d.status("web")["last_exit"], {"signal": "SIGKILL"})
                asked = len(d.witness("web", "deaf"))
                if asked:
                    self.assertEqual(asked, 1)
                    return
        self.fail("it was not asked first")

    def test_other_services_are_not_hit(self):
        services = {"web": on_fd("--fork-storm", operation=QUICK_KILL),
                    "other": on_fd("--children 3", "--double-fork", operation=QUICK_KILL)}
        with self.daemon(services) as d:
            self.wait_up(d)
            before = sorted(tree_of(d, "other"))
            d.do("restart", "web")
            self.assertEqual(sorted(tree_of(d, "other")), before)
            self.assertEqual(d.status("other")["generation"], 1)

    def test_the_chosen_stop_signal_is_the_one_sent(self):
        for patience in STOP_TIMEOUTS:
            hup = {**QUICK_KILL, "stop_signal": "HUP", "stop_timeout": patience}
            with self.daemon({"web": on_fd(operation={"stop_signal": "INT"}),
                              "hup": on_fd(operation=hup)}) as d:
                self.wait_up(d)
                d.do("stop", "web")
                self.assertEqual([s.word for s in d.witness("web", "term", "stop")],
                                 ["term", "stop"])
                d.do("stop", "hup")  # this fake only notes a SIGHUP: it has to be killed
                self.assertEqual(d.witness("hup", "term", "stop"), [])
                noted = len(d.witness("hup", "hup"))
                if noted:
                    self.assertEqual(noted, 1)
                    return
        self.fail("the SIGHUP did not come")

    def test_all_of_it_at_the_end_of_the_daemon_too(self):
        with self.daemon({"a": on_fd("--double-fork", operation=QUICK_KILL),
                          "b": on_fd("--fork-storm", operation=QUICK_KILL),
                          "c": on_fd("--deaf", "--children 5", operation=QUICK_KILL)}) as d:
            self.wait_up(d)
            d.stop()
            self.assertEqual(guard.processes_of(d.folder), [])


class InItsOwnGroup(Stories, unittest.TestCase):
    containment = "cgroup"
    environment = {}

    @classmethod
    def setUpClass(cls):
        with Daemon({}) as d:
            if not d.capabilities["cgroup"]:
                raise unittest.SkipTest("no cgroup can be made here (/version says cgroup: false)")


class BestEffort(Stories, unittest.TestCase):
    containment = "best-effort"
    environment = {"ORDERLY_CONTAINMENT": "best-effort"}

    def test_version_says_that_there_are_no_groups(self):
        with self.daemon({}) as d:
            self.assertIs(d.capabilities["cgroup"], False)


if __name__ == "__main__":
    main()
