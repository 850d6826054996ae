"""What others do with a unit is seen; what happens to the bus and to systemd loses nothing."""
import contextlib
import json
import os
import signal
import threading

from harness.orderly import GUARD, Daemon, on_fd
from harness.systemd import (USER_RUNTIME, UnitTest, driven, main, main_pid, show,
                             start_user_manager, systemctl, wait_down, wait_found, wait_unit)

MANUAL = {"autostart": "no"}
NO_RECOVERY = {"restart": "no"}
MANY = 270  # a client of a bus may have 128 unanswered calls, and 512 matches


class Rows(threading.Thread):
    """Every row of a service that a client who follows the status is told."""

    def __init__(self, d, name):
        super().__init__()
        self.d, self.name, self.seen, self._stop_asked = d, name, [], threading.Event()
        self.start()

    def run(self):
        with contextlib.suppress(Exception):        # it ends with the daemon, or when asked
            self.d.wait_status(self._note, self.name)

    def _note(self, row):
        self.seen.append((row["state"], row["goal"]))
        return self._stop_asked.is_set()

    def end(self, change):
        """change() makes a last change of the row, which wakes it."""
        self._stop_asked.set()
        change()
        self.join()
        return [state for state, _ in self.seen]


class Others(UnitTest):
    """systemctl beside us."""

    def test_what_systemctl_does_is_shown_and_the_goal_follows(self):
        self.fake_unit("web.service")
        with Daemon({"web": driven("web.service")}) as d:
            d.wait_state("web", "stopped")
            systemctl("start", "web.service")
            row = d.wait_state("web", "running")
            self.assertEqual((row["goal"], row["pid"]), ("up", main_pid("web.service")))
            systemctl("restart", "web.service")
            pid = main_pid("web.service")
            again = d.wait_status(lambda r: r["pid"] == pid, "web")
            self.assertEqual(again["generation"], row["generation"] + 1)
            systemctl("stop", "web.service")
            self.assertIsNone(wait_down(d, "web")["pid"])
            self.assertEqual(d.operations("?service=web"), [], "none of it was ours")

    def test_a_unit_that_runs_already_is_found_running(self):
        self.fake_unit("web.service")
        systemctl("start", "web.service")
        with Daemon({"web": driven("web.service")}) as d:
            row = d.wait_state("web", "running")
            self.assertEqual((row["pid"], row["goal"]), (main_pid("web.service"), "up"))
            self.assertFalse(d.do("start", "web")["changed"])
            self.assertEqual(main_pid("web.service"), row["pid"])

    def test_every_state_is_shown_by_its_word(self):
        self.gated_unit("web.service", "--hold-stop")
        with Daemon({"web": driven("web.service", recovery=NO_RECOVERY)}) as d:
            d.wait_state("web", "stopped")
            systemctl("start", "--no-block", "web.service")
            row = d.wait_state("web", "starting")
            self.assertEqual((row["goal"], row["ready"]), ("up", False))
            self.open_gate("web.service")
            row = d.wait_state("web", "running")
            self.assertTrue(row["ready"])
            self.wait_witness("web", "ready")
            with self.hold("web"):
                systemctl("stop", "--no-block", "web.service")
                d.wait_state("web", "stopping")
            d.wait_state("web", "stopped")

    def test_one_that_waits_for_its_automatic_restart_is_in_backoff(self):
        self.fake_unit("web.service", "--crash-at-start", "99", Restart="always", RestartSec="1h")
        with Daemon({"web": driven("web.service")}) as d:
            systemctl("start", "web.service", check=False)
            row = d.wait_state("web", "backoff")
            self.assertEqual((row["goal"], row["pid"]), ("up", None))
            self.assertEqual(show("web.service", "SubState")["SubState"], "auto-restart")

    def test_one_that_systemd_restarts_is_never_shown_as_failed(self):
        self.fake_unit("web.service", Restart="always", RestartSec="20ms")
        with Daemon({"web": driven("web.service")}) as d:
            d.do("start", "web")
            follower = Rows(d, "web")
            for count in range(1, 6):
                row = d.status("web")
                os.kill(row["pid"], signal.SIGKILL)
                d.wait_status(lambda r: r["restarts"] == count and r["state"] == "running", "web")
            self.assertNotIn("failed", follower.end(lambda: d.do("stop", "web")))
            self.assertEqual({goal for _, goal in follower.seen[:-2]}, {"up"})

    def test_a_crash_nobody_restarts_is_failed_and_still_wanted(self):
        self.fake_unit("web.service")
        with Daemon({"web": driven("web.service", recovery=NO_RECOVERY)}) as d:
            d.do("start", "web")
            os.kill(main_pid("web.service"), signal.SIGKILL)
            row = d.wait_state("web", "failed")
            self.assertEqual((row["goal"], row["last_exit"]), ("up", {"signal": "SIGKILL"}))
            systemctl("reset-failed", "web.service")
            d.wait_state("web", "stopped")

    def test_a_stop_by_systemctl_ends_our_start_and_says_so(self):
        self.gated_unit("db.service")
        with Daemon({"db": driven("db.service")}) as d:
            number = d.ask("start", "db")["id"]
            self.wait_begun("db.service")
            systemctl("stop", "db.service")
            record = d.operation(number)
            self.assertEqual(record["state"], "failed")
            self.assertIn("another", record["detail"])
            wait_down(d, "db")

    def test_a_start_by_systemctl_during_ours_is_the_same_one(self):
        self.gated_unit("db.service")
        with Daemon({"db": driven("db.service")}) as d:
            number = d.ask("start", "db")["id"]
            self.wait_begun("db.service")
            systemctl("start", "--no-block", "db.service")
            self.open_gate("db.service")
            self.assertEqual(d.operation(number)["state"], "succeeded")
            self.assertEqual(self.read("db.begun").count("\n"), 1)

    def test_a_start_by_systemctl_during_our_stop_does_not_make_it_a_success(self):
        self.fake_unit("web.service", "--hold-stop")
        with Daemon({"web": driven("web.service")}) as d:
            d.do("start", "web")
            self.wait_witness("web", "ready")
            with self.hold("web"):
                number = d.ask("stop", "web")["id"]
                d.wait_state("web", "stopping")
                systemctl("start", "--no-block", "web.service")
            record = d.operation(number)
            self.assertEqual(record["state"], "failed", record)
            self.assertEqual(d.wait_state("web", "running")["goal"], "up")

    def test_a_unit_that_disappears_and_comes_back(self):
        self.fake_unit("web.service")
        with Daemon({"web": driven("web.service")}) as d:
            d.wait_state("web", "stopped")
            os.unlink("/run/systemd/system/web.service")
            systemctl("daemon-reload")
            row = d.wait_status(lambda r: r["unit_error"], "web")
            self.assertIn("no unit", row["unit_error"])
            self.fake_unit("web.service")
            d.wait_status(lambda r: r["unit_error"] is None, "web")
            d.do("start", "web")


class Bus(UnitTest):
    """daemon-reload, daemon-reexec and a new dbus-daemon in the middle of an operation."""

    def in_the_middle(self, disturb):
        """A start that is under way meanwhile succeeds, and is done once."""
        self.gated_unit("db.service")
        with Daemon({"db": driven("db.service")}) as d:
            number = d.ask("start", "db")["id"]
            self.wait_begun("db.service")
            disturb()
            self.assertEqual(d.operation(number, wait=False)["state"], "running")
            self.open_gate("db.service")
            record = d.operation(number)
            self.assertEqual(record["state"], "succeeded", record)
            row = d.wait_state("db", "running")
            self.assertEqual(row["pid"], main_pid("db.service"))
            d.do("stop", "db")
            self.assertEqual(self.read("db.begun").count("\n"), 1)

    def test_a_daemon_reload(self):
        self.in_the_middle(lambda: systemctl("daemon-reload"))

    def test_a_daemon_reexec(self):
        self.in_the_middle(lambda: systemctl("daemon-reexec"))

    def test_a_restart_of_dbus(self):
        self.in_the_middle(lambda: systemctl("restart", "dbus.service"))

    def restarts_while(self, disturb, count=8):
        """Restarts that are asked while it happens end well, and each was one; or they say that
        what became of them is not known, and then it was at most one."""
        self.fake_unit("web.service")
        with Daemon({"web": driven("web.service")}) as d:
            d.do("start", "web")
            before = d.status("web")["generation"]
            numbers = [d.ask("restart", "web")["id"] for _ in range(count)]
            disturb()
            ends = [d.operation(number) for number in numbers]
            well = [end for end in ends if end["state"] == "succeeded"]
            for end in ends:
                if end not in well:
                    self.assertEqual(end["state"], "failed", end)
                    self.assertIn("bus went away", end["detail"])
            self.assertGreaterEqual(len(well), count - 2, "only what was just being asked")
            d.do("restart", "web")
            row = d.status("web")
            self.assertEqual((row["state"], row["pid"]), ("running", main_pid("web.service")))
            self.assertIsNone(row["unit_error"])
            self.assertIn(row["generation"] - before, range(len(well) + 1, count + 2))

    def test_restarts_over_a_daemon_reexec(self):
        self.restarts_while(lambda: systemctl("daemon-reexec"))

    def test_restarts_over_a_restart_of_dbus(self):
        self.restarts_while(lambda: systemctl("restart", "dbus.service"))

    def test_a_change_while_the_bus_is_away_is_seen_afterwards(self):
        self.fake_unit("web.service")
        with Daemon({"web": driven("web.service")}) as d:
            d.do("start", "web")
            systemctl("stop", "dbus.socket", "dbus.service")
            try:
                row = d.wait_status(lambda r: r["unit_error"], "web")
                self.assertIn("bus", row["unit_error"])
                self.assertEqual(row["pid"], main_pid("web.service"), "it runs all the same")
                record = d.do("restart", "web", expect="failed")
                self.assertIn("bus", record["detail"])
                systemctl("stop", "web.service")
            finally:
                systemctl("start", "dbus.socket", "dbus.service")
            row = d.wait_status(lambda r: r["unit_error"] is None and r["state"] == "stopped",
                                "web")
            self.assertEqual(row["goal"], "down")
            d.do("start", "web")

    def test_a_daemon_that_comes_before_the_bus_waits_for_it(self):
        self.fake_unit("web.service")
        systemctl("stop", "dbus.socket", "dbus.service")
        try:
            with Daemon({"web": driven("web.service"), "job": on_fd()}) as d:
                d.wait_state("job", "running")
                d.wait_status(lambda r: r["unit_error"], "web")
                systemctl("start", "dbus.socket", "dbus.service")
                d.wait_status(lambda r: r["unit_error"] is None, "web")
                d.do("start", "web")
        finally:
            systemctl("start", "dbus.socket", "dbus.service")


class Together(UnitTest):
    """Units and processes need each other."""

    def test_a_process_that_requires_a_unit_waits_until_it_is_active(self):
        self.gated_unit("db.service")
        services = {"db": driven("db.service"),
                    "web": on_fd(service={"requires": "db", **MANUAL})}
        with Daemon(services) as d:
            number = d.ask("start", "web")["id"]
            d.wait_status(lambda row: row["waiting_for"] == "db", "web")
            self.wait_begun("db.service")
            self.assertEqual(d.witness("web"), [])
            self.open_gate("db.service")
            self.assertEqual(d.operation(number)["state"], "succeeded")
            record = d.operations("?service=db&limit=1")[0]
            self.assertEqual(record["origin"], "dependency")

    def test_a_unit_that_requires_a_process_is_started_after_it(self):
        self.fake_unit("web.service")
        services = {"db": on_fd("--start-delay 300", service=MANUAL),
                    "web": driven("web.service", service={"requires": "db"})}
        with Daemon(services) as d:
            d.do("start", "web")
            self.assertLess(d.witness("db", "ready")[0].ns, self.wait_witness("web",
                                                                             "start")[0].ns)

    def test_a_unit_that_fails_fails_the_process_that_requires_it(self):
        self.unit("db.service", Service={"Type": "notify", "ExecStart": "/bin/false"})
        services = {"db": driven("db.service", recovery=NO_RECOVERY),
                    "web": on_fd(service={"requires": "db", **MANUAL}, recovery=NO_RECOVERY)}
        with Daemon(services) as d:
            record = d.do("start", "web", expect="failed")
            self.assertIn("db", record["detail"])
            self.assertEqual(d.witness("web"), [])

    def test_a_unit_that_runs_already_needs_no_operation(self):
        self.fake_unit("db.service")
        systemctl("start", "db.service")
        pid = main_pid("db.service")
        services = {"db": driven("db.service"), "web": on_fd(service={"requires": "db"})}
        with Daemon(services) as d:
            d.wait_state("web", "running")
            self.assertEqual(main_pid("db.service"), pid)

    def test_one_that_hangs_holds_nobody_else_up(self):
        self.gated_unit("hung.service")
        self.fake_unit("web.service")
        services = {"hung": driven("hung.service"), "web": driven("web.service"), "job": on_fd()}
        with Daemon(services) as d:
            number = d.ask("start", "hung")["id"]
            self.wait_begun("hung.service")
            for name in ("web", "job"):
                d.do("restart", name)
            self.assertEqual(d.operation(number, wait=False)["state"], "running")
            d.do("stop", "hung", "?mode=replace")


class Boot(UnitTest):
    def test_only_what_says_autostart_is_started_at_boot_and_stopped_with_the_daemon(self):
        for name in ("own", "left", "idle"):
            self.fake_unit(f"{name}.service")
        systemctl("start", "left.service")
        left = main_pid("left.service")
        services = {"own": driven("own.service", service={"autostart": "yes"}),
                    "left": driven("left.service"), "idle": driven("idle.service")}
        with Daemon(services) as d:
            d.wait_state("own", "running")
            d.wait_state("left", "running")
            self.assertEqual(d.operations("?service=own&limit=1")[0]["origin"], "boot")
            self.assertEqual(d.status("idle")["state"], "stopped")
        self.assertEqual(show("own.service", "ActiveState")["ActiveState"], "inactive")
        self.assertEqual(main_pid("left.service"), left)
        self.assertEqual(self.witness("idle"), [])

    def test_one_started_through_us_without_autostart_outlives_the_daemon(self):
        self.fake_unit("web.service")
        with Daemon({"web": driven("web.service")}) as d:
            d.do("start", "web")
            pid = main_pid("web.service")
            d.restart_daemon()
            row = wait_found(d, "web")
            self.assertEqual((row["pid"], row["goal"]), (pid, "up"))

    def test_a_unit_whose_file_is_taken_away_is_left_alone(self):
        self.fake_unit("web.service")
        with Daemon({"web": driven("web.service"), "job": on_fd()}) as d:
            d.do("start", "web")
            os.unlink(d.service_file("web"))
            self.assertEqual(d.http("POST", "/daemon/reload").json["removed"], ["web"])
            d.wait_status(lambda rows: "web" not in rows)
            self.assertEqual(d.http("GET", "/status/web").status, 404)
            self.assertEqual(show("web.service", "ActiveState")["ActiveState"], "active")

    def test_a_file_that_names_another_unit_drives_that_one(self):
        for name in ("one", "two"):
            self.fake_unit(f"{name}.service")
        with Daemon({"web": driven("one.service")}) as d:
            d.do("start", "web")
            d.write_service("web", driven("two.service"))
            d.http("POST", "/daemon/reload")
            d.do("restart", "web")
            row = d.wait_status(lambda r: r["unit"] == "two.service" and r["pid"], "web")
            self.assertEqual(row["pid"], main_pid("two.service"))


class Many(UnitTest):
    def test_more_units_than_a_bus_bears_at_once_are_all_driven(self):
        names = [f"many{n}" for n in range(MANY)]
        for name in names:
            self.unit(f"{name}.service", Service={"ExecStart": "/bin/sleep infinity"},
                      Unit={"StartLimitIntervalSec": "0"}, reload=False)
        systemctl("daemon-reload")
        with Daemon({name: driven(f"{name}.service") for name in names},
                    config={"operations": {"timeout": "10m"}}) as d:
            answer = d.http("POST", f"/operations?wait={4 * GUARD}", body=json.dumps(
                {"operations": [{"action": "start", "service": "many*"}]}).encode(),
                            timeout=5 * GUARD)
            states = {r["id"]: r["detail"] for r in answer.json["operations"]
                      if r["state"] != "succeeded"}
            self.assertEqual((answer.status, states), (200, {}))
            self.assertEqual(show("many0.service")["ActiveState"], "active")
            self.assertEqual(d.http("GET", "/version").json["systemd"]["system"], "ok")


class UserManager(UnitTest):
    def test_a_unit_of_a_user_s_manager_is_driven_over_that_bus(self):
        start_user_manager()
        self.fake_unit("mine.service", user=True)
        with Daemon({"mine": driven("mine.service", service={"bus": "user"})},
                    env={"XDG_RUNTIME_DIR": USER_RUNTIME}) as d:
            d.do("start", "mine")
            row = d.status("mine")
            self.assertEqual((row["state"], row["pid"]),
                             ("running", main_pid("mine.service", user=True)))
            d.do("restart", "mine")
            systemctl("stop", "mine.service", user=True)
            wait_down(d, "mine")
            wait_unit("mine.service", user=True, ActiveState="inactive")

    def test_the_same_name_on_both_buses_is_two_units(self):
        start_user_manager()
        self.fake_unit("web.service")
        self.unit("web.service", user=True, Service={"ExecStart": "/bin/sleep infinity"})
        services = {"system": driven("web.service"),
                    "mine": driven("web.service", service={"bus": "user"})}
        with Daemon(services, env={"XDG_RUNTIME_DIR": USER_RUNTIME}) as d:
            for name in services:
                d.do("start", name)
            self.assertEqual(d.status("system")["pid"], main_pid("web.service"))
            self.assertEqual(d.status("mine")["pid"], main_pid("web.service", user=True))

    def test_without_a_user_s_bus_it_says_what_to_set(self):
        with Daemon({"mine": driven("mine.service", service={"bus": "user"})}) as d:
            row = d.wait_status(lambda r: r["unit_error"], "mine")
            self.assertIn("XDG_RUNTIME_DIR", row["unit_error"])
            self.assertIn("XDG_RUNTIME_DIR", d.do("start", "mine", expect="failed")["detail"])


if __name__ == "__main__":
    main()
