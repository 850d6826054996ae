"""Orderly as a unit of systemd's, by the shipped unit file: where its services run, what becomes of
them when the unit is restarted, stopped, killed, and what systemd is told."""
import contextlib
import os
import signal
import subprocess
import time

from harness import guard
from harness.as_unit import UnitDaemon
from harness.build import BUILD, GUARD
from harness.orderly import alive, fake, on_fd, wait_pid_gone, wait_written
from harness.systemd import UnitTest, command, main, show, systemctl, wait_unit

SCOPE_GROUP = f"/sys/fs/cgroup/system.slice/{UnitDaemon.scope}"
# A controller that is none of systemd's: there where the machine has no other on version 2.
CONTROLLER = "hugetlb"


def write(path, text):
    with open(path, "w") as f:
        f.write(text)


def read(path):
    with open(path) as f:
        return f.read()


def fifo(d, name):
    return os.stat(f"{d.runtime_dir}/{name}/out").st_ino


class WhereServicesRun(UnitTest):
    def test_the_shipped_file_holds_nothing_that_systemd_does_not_understand(self):
        with UnitDaemon() as d:
            said = subprocess.run(["systemd-analyze", "verify", "--man=no", d.unit],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  check=False)
            self.assertEqual([line for line in said.stdout.splitlines() if "orderlyd" in line], [])
            self.assertEqual(said.returncode, 0, said.stdout)

    def test_services_run_in_a_delegated_scope_beside_the_unit(self):
        with UnitDaemon({"web": fake()}) as d:
            row = d.wait_state("web", "running")
            self.assertEqual(row["containment"], "cgroup")
            self.assertTrue(guard.cgroup_of(row["pid"]).startswith(f"{SCOPE_GROUP}/orderly-"))
            self.assertEqual(guard.cgroup_of(d.pid), f"/sys/fs/cgroup/system.slice/{d.unit}")
            seen = show(d.scope)
            self.assertEqual((seen["Delegate"], seen["TasksMax"], seen["Slice"]),
                             ("yes", "infinity", "system.slice"))
            self.assertIn(d.unit, seen["Before"].split())
            refused = systemctl("stop", d.scope, check=False)
            self.assertEqual(refused, "")
            self.assertTrue(alive(row["pid"]), "the scope was stopped by hand")

    def test_nobody_but_the_keeper_is_in_the_scope_when_no_service_runs(self):
        with UnitDaemon({"web": fake(service={"autostart": "no"})}) as d:
            keeper = [int(pid) for pid in read(f"{SCOPE_GROUP}/keeper/cgroup.procs").split()]
            self.assertEqual(len(keeper), 1)
            self.assertEqual(read(f"{SCOPE_GROUP}/cgroup.procs"), "")
            systemctl("restart", d.unit)
            d.renewed()
            d.do("start", "web")
            self.assertEqual(d.status("web")["containment"], "cgroup")

    def test_a_scope_that_somebody_has_killed_is_made_again(self):
        with UnitDaemon({"web": fake(recovery={"first_delay": "0"})}) as d:
            before = d.wait_state("web", "running")
            systemctl("kill", "--signal=KILL", d.scope, check=False)  # it goes while it is killed
            row = d.wait_status(lambda r: r["state"] == "running" and
                                r["generation"] > before["generation"], "web")
            self.assertEqual(row["containment"], "cgroup")
            self.assertTrue(guard.cgroup_of(row["pid"]).startswith(f"{SCOPE_GROUP}/orderly-"))

    def test_the_scope_by_itself_in_a_service_of_systemds(self):
        self.has_controller()
        done = subprocess.run(["systemd-run", "--wait", "--pipe", "--quiet", "--unit=scope-test",
                               "--collect", *command(f"{BUILD}/tests/backend-test_scope").split()],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.STDOUT, timeout=GUARD, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("PASSED", done.stdout)
        self.assertNotIn("SKIPPED", done.stdout)

    def has_controller(self):
        """Everywhere down to where systemd puts what it starts."""
        slices = ["/sys/fs/cgroup", "/sys/fs/cgroup/system.slice"]
        if CONTROLLER not in read(f"{slices[0]}/cgroup.controllers").split():
            self.skipTest(f"the controller {CONTROLLER} is not to be had on version 2")
        for folder in slices:
            write(f"{folder}/cgroup.subtree_control", f"+{CONTROLLER}")

    def test_controllers_can_be_enabled_there_and_the_unit_still_starts_again(self):
        with UnitDaemon({"web": fake()}) as d:
            group = guard.cgroup_of(d.wait_state("web", "running")["pid"])
            self.has_controller()
            for folder in (SCOPE_GROUP, os.path.dirname(group)):
                write(f"{folder}/cgroup.subtree_control", f"+{CONTROLLER}")
            self.assertTrue(os.path.exists(f"{group}/hugetlb.2MB.max"))
            before = d.pid
            systemctl("restart", d.unit)
            d.wait_pid_other_than(before)
            d.do("restart", "web")
            self.assertTrue(os.path.exists(
                f"{guard.cgroup_of(d.status('web')['pid'])}/hugetlb.2MB.max"))

    def test_the_scope_ends_with_an_ordered_stop_and_the_next_start_has_a_new_one(self):
        with UnitDaemon({"web": fake()}) as d:
            first = d.wait_state("web", "running")["pid"]
            for _ in range(3):
                d.stop()
                self.assertFalse(alive(first))
                d.start()
                first = d.wait_state("web", "running")["pid"]
                self.assertTrue(guard.cgroup_of(first).startswith(SCOPE_GROUP))
            d.stop()
            wait_unit(d.scope, ActiveState="inactive")
            self.assertFalse(os.path.exists(SCOPE_GROUP))

    def test_without_systemd_to_talk_to_services_run_as_well_as_they_can(self):
        hidden = {"Service": {"InaccessiblePaths": ["-/run/systemd/private", "-/run/dbus"]}}
        with UnitDaemon({"web": fake()}, extra=hidden) as d:
            self.assertEqual(d.wait_state("web", "running")["containment"], "best-effort")
            self.assertIn("services have no scope of their own beside this unit", d.log_text())

    def test_services_see_nothing_of_what_systemd_told_the_daemon(self):
        shell = "sh -c 'env > @DIR@/seen; mv @DIR@/seen @DIR@/env; exec sleep 1000'"
        with UnitDaemon({"web": {"service": {"command": shell},
                                 "readiness": {"type": "immediate"}}}) as d:
            wait_written(d.dir, lambda: os.path.exists(f"{d.dir}/env"), "nothing was seen")
            names = {line.partition("=")[0] for line in d.read("env").splitlines()}
            self.assertEqual(names & {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS",
                                      "INVOCATION_ID", "JOURNAL_STREAM", "RUNTIME_DIRECTORY",
                                      "STATE_DIRECTORY", "LOGS_DIRECTORY", "SYSTEMD_EXEC_PID"},
                             set())


class WhatSystemctlDoes(UnitTest):
    def test_a_restart_of_the_unit_leaves_pids_and_fifos_alone(self):
        with UnitDaemon({"web": fake(), "db": fake()}) as d:
            d.wait_all_running()
            before = {name: (d.status(name)["pid"], fifo(d, name)) for name in ("web", "db")}
            daemon = d.pid
            systemctl("restart", d.unit)
            self.assertNotEqual(d.pid, daemon)
            d.renewed()
            d.wait_all_running()
            after = {name: (d.status(name)["pid"], fifo(d, name)) for name in ("web", "db")}
            self.assertEqual(after, before)
            for name in ("web", "db"):
                self.assertEqual(d.witness(name, "term", "stop"), [])
            d.do("stop", "web")

    def test_a_stop_of_the_unit_stops_services_in_the_order_of_their_dependencies(self):
        with UnitDaemon({"db": on_fd("--stop-delay", "300"),
                         "web": on_fd("--stop-delay", "300", service={"requires": "db"})}) as d:
            d.wait_all_running()
            d.stop()
            web, db = d.witness("web", "stop"), d.witness("db", "term")
            self.assertEqual((len(web), len(db)), (1, 1))
            self.assertLess(web[0].ns, db[0].ns)
            self.assertEqual(len(d.witness("db", "stop")), 1)

    def test_a_daemon_that_is_killed_is_started_again_and_adopts(self):
        with UnitDaemon({"web": fake()}) as d:
            pid, daemon = d.wait_state("web", "running")["pid"], d.pid
            d.kill9()
            d.wait_pid_other_than(daemon)
            row = d.wait_state("web", "running")
            self.assertEqual((row["pid"], row["containment"]), (pid, "cgroup"))
            self.assertEqual(len(d.witness("web", "start")), 1)
            d.do("stop", "web")
            self.assertFalse(alive(pid))

    def test_a_shutdown_that_was_asked_for_stays_one(self):
        with UnitDaemon({"web": fake()}) as d:
            pid = d.wait_state("web", "running")["pid"]
            self.assertEqual(d.ctl("shutdown").returncode, 0)
            seen = wait_unit(d.unit, ActiveState="inactive")
            self.assertEqual((seen["SubState"], seen["Result"]), ("dead", "success"))
            self.assertFalse(alive(pid))

    def test_services_that_were_left_are_taken_over_by_the_next_daemon(self):
        with UnitDaemon({"web": fake()}) as d:
            pid = d.wait_state("web", "running")["pid"]
            self.assertEqual(d.ctl("shutdown", "--leave").returncode, 0)
            wait_unit(d.unit, ActiveState="inactive")
            self.assertTrue(alive(pid))
            self.assertEqual(show(d.scope, "ActiveState")["ActiveState"], "active")
            d.start()
            self.assertEqual(d.wait_state("web", "running")["pid"], pid)

    def test_an_upgrade_keeps_pid_scope_and_services(self):
        with UnitDaemon({"web": fake()}) as d:
            pid, daemon = d.wait_state("web", "running")["pid"], d.pid
            self.assertEqual(d.ctl("upgrade").returncode, 0)
            d.renewed()
            self.assertEqual((d.wait_state("web", "running")["pid"], d.pid), (pid, daemon))
            self.assertEqual(show(d.unit, "ActiveState", "NRestarts"),
                             {"ActiveState": "active", "NRestarts": "0"})
            d.do("restart", "web")
            self.assertTrue(guard.cgroup_of(d.status("web")["pid"]).startswith(SCOPE_GROUP))

    def test_reload_by_systemctl_applies_what_has_changed(self):
        with UnitDaemon({"web": fake()}) as d:
            d.write_service("more", fake())
            systemctl("reload", d.unit)
            d.wait_state("more", "running")
            self.assertEqual(show(d.unit, "ActiveState")["ActiveState"], "active")


class WhatSystemdIsTold(UnitTest):
    def test_it_is_ready_only_when_it_answers(self):
        with UnitDaemon({"web": fake()}) as d:     # start() asked at once
            self.assertEqual(d.http("GET", "/readyz").status, 200)
            self.assertEqual(show(d.unit, "SubState")["SubState"], "running")

    def test_the_status_counts_services_by_state(self):
        with UnitDaemon({"web": fake(), "db": fake(), "off": fake(service={"autostart": "no"})}) as d:
            wait_unit(d.unit, StatusText="3 services: 2 running, 1 stopped")
            d.do("stop", "web")
            wait_unit(d.unit, StatusText="3 services: 1 running, 2 stopped")
            os.unlink(d.service_file("off"))
            systemctl("reload", d.unit)
            wait_unit(d.unit, StatusText="2 services: 1 running, 1 stopped")

    def test_a_reload_by_signal_is_told_to_units_that_follow_it(self):
        self.unit("follower.service", Unit={"ReloadPropagatedFrom": UnitDaemon.unit},
                  Service={"Type": "oneshot", "RemainAfterExit": "yes", "ExecStart": "/bin/true",
                           "ExecReload": f"/bin/sh -c 'echo reloaded >> {self.dir}/follower'"})
        systemctl("start", "follower.service")
        with UnitDaemon({"web": fake()}) as d:
            d.write_service("more", fake())
            systemctl("kill", "--kill-whom=main", "--signal=HUP", d.unit)
            self.wait_file("follower", "reloaded")
            d.wait_state("more", "running")
            wait_unit(d.unit, ActiveState="active", SubState="running")

    def test_an_ordered_stop_may_take_longer_than_the_unit_file_allows(self):
        short = {"Service": {"TimeoutStopSec": "4"}}
        with UnitDaemon({"web": on_fd("--stop-delay", "6000")}, extra=short) as d:
            d.wait_state("web", "running")
            d.stop()
            self.assertEqual(len(d.witness("web", "stop")), 1)
            self.assertEqual(show(d.unit, "Result")["Result"], "success")

    def test_the_watchdog_ends_a_daemon_that_hangs_and_none_that_works(self):
        with UnitDaemon({"web": fake(), "slow": on_fd("--stop-delay", "5500")},
                        extra={"Service": {"WatchdogSec": "5"}}) as d:
            d.wait_all_running()
            self.outlives_its_watchdog(d)
            self.assertEqual(d.ctl("upgrade").returncode, 0)     # and so after an upgrade
            d.renewed()
            d.do("start", "slow")
            self.outlives_its_watchdog(d)
            pid, daemon = d.status("web")["pid"], d.pid
            os.kill(daemon, signal.SIGSTOP)
            d.wait_pid_other_than(daemon)
            self.assertEqual(show(d.unit, "NRestarts")["NRestarts"], "1")
            self.assertEqual(d.wait_state("web", "running")["pid"], pid)

    def outlives_its_watchdog(self, d):
        d.do("stop", "slow")                    # takes more than one of its times
        self.assertEqual(show(d.unit, "NRestarts")["NRestarts"], "0")


class WhatSystemdKeeps(UnitTest):
    def held(self):
        """Keys with which the daemon is started only once the test lets it."""
        gate = f"{self.dir}/held"
        os.mkfifo(gate)
        self.gate = os.open(gate, os.O_RDWR | os.O_CLOEXEC)
        self.addCleanup(os.close, self.gate)
        return {"Service": {"ExecStartPre": f"/bin/sh -c 'read go < {gate}'"}}

    def let_start(self):
        os.write(self.gate, b"go\n")

    def talker(self):
        shell = "sh -c 'echo one; read go < @DIR@/gate; echo two; echo two too >&2'"
        return {"service": {"command": shell}, "readiness": {"type": "immediate"},
                "recovery": {"restart": "no"}, "log": {"stderr": "separate"}}

    def test_what_a_service_wrote_last_is_not_lost_though_no_daemon_was_there(self):
        with UnitDaemon({"talker": self.talker()}, extra=self.held(), start=False) as d:
            os.mkfifo(f"{d.dir}/gate")
            self.let_start()
            d.start()
            pid, daemon = d.wait_state("talker", "running")["pid"], d.pid
            wait_written(d.log_dir, lambda: "one" in self.log(d), "the first line was not kept")
            self.wait_stored(d, 2)
            d.kill9()
            wait_unit(d.unit, SubState="start-pre")
            write(f"{d.dir}/gate", "go\n")
            wait_pid_gone(pid)
            self.let_start()
            d.wait_pid_other_than(daemon)
            d.wait_status(lambda row: row["state"] != "running", "talker")
            wait_written(d.log_dir, lambda: self.log(d, ".err") == "two too\n" and
                         self.log(d) == "one\ntwo\n", "what was written meanwhile is lost")

    def log(self, d, end=""):
        try:
            return read(f"{d.log_dir}/talker{end}.log")
        except OSError:
            return ""

    def wait_stored(self, d, count):
        """systemd does not tell when this changes."""
        until = time.monotonic() + GUARD
        while (kept := int(show(d.unit)["NFileDescriptorStore"])) != count:
            self.assertLess(time.monotonic(), until, f"{kept} descriptors are kept, not {count}")

    def test_it_keeps_one_of_each_over_restarts_and_upgrades_and_none_of_what_is_gone(self):
        with UnitDaemon({"web": fake(), "db": fake()}) as d:
            d.wait_all_running()
            self.wait_stored(d, 2)
            systemctl("restart", d.unit)
            d.renewed()
            d.wait_all_running()
            self.wait_stored(d, 2)
            self.assertEqual(d.ctl("upgrade").returncode, 0)
            d.renewed()
            d.wait_all_running()
            self.stays_stored(d, 2)
            d.do("stop", "db")
            os.unlink(d.service_file("db"))
            systemctl("restart", d.unit)
            d.renewed()
            self.wait_stored(d, 1)
            d.stop()
            self.assertEqual(show(d.unit, "NFileDescriptorStore")["NFileDescriptorStore"], "0")

    def stays_stored(self, d, count):
        """A service more is the last to be kept: by then systemd has heard of all before it."""
        d.write_service("last", fake())
        systemctl("reload", d.unit)
        d.wait_state("last", "running")
        self.wait_stored(d, count + 1)
        d.do("stop", "last")
        os.unlink(d.service_file("last"))


@contextlib.contextmanager
def lent_controller():
    """On the machine itself: systemd cannot be lent what is not enabled above its own groups."""
    for root in guard.CGROUP_ROOTS:
        control = f"{root}/cgroup.subtree_control"
        if (os.environ.get("WITH_SYSTEMD") or not os.access(control, os.W_OK) or
                CONTROLLER not in read(f"{root}/cgroup.controllers").split() or
                CONTROLLER in read(control).split()):
            continue
        write(control, f"+{CONTROLLER}")
        try:
            yield
        finally:
            write(control, f"-{CONTROLLER}")
        return
    yield


if __name__ == "__main__":
    with lent_controller():
        main()
