"""Operations on systemd units: what is asked, what becomes of it, and the words for it."""
import os
import signal
import time

from harness.orderly import Daemon, alive, at_once
from harness.systemd import (UNIT_DIR, UnitTest, driven, main, main_pid, show, systemctl,
                             wait_down, wait_unit)

NO_RECOVERY = {"restart": "no"}
SLEEP = "/bin/sleep infinity"


def by_hand(unit, **sections):
    """Nothing of it is recovered: what failed stays failed."""
    return driven(unit, **{"recovery": NO_RECOVERY, **sections})


class Operations(UnitTest):
    def test_a_unit_is_started_restarted_and_stopped_like_a_process(self):
        self.fake_unit("web.service")
        with Daemon({"web": driven("web.service")}) as d:
            row = d.wait_state("web", "stopped")
            self.assertEqual((row["goal"], row["pid"], row["autostart"]), ("down", None, False))
            self.assertTrue(d.do("start", "web")["changed"])
            first = d.status("web")
            self.assertEqual((first["state"], first["goal"], first["pid"]),
                             ("running", "up", main_pid("web.service")))
            self.assertTrue(d.do("restart", "web")["changed"])
            second = d.status("web")
            self.assertEqual(second["generation"], first["generation"] + 1)
            self.assertNotEqual(second["pid"], first["pid"])
            self.assertFalse(alive(first["pid"]))
            self.assertTrue(d.do("stop", "web")["changed"])
            row = d.status("web")
            self.assertEqual((row["state"], row["goal"], row["pid"]), ("stopped", "down", None))
            self.assertEqual(show("web.service", "ActiveState")["ActiveState"], "inactive")

    def test_what_is_so_already_is_not_done_again(self):
        self.fake_unit("web.service")
        with Daemon({"web": driven("web.service")}) as d:
            self.assertFalse(d.do("stop", "web")["changed"])
            d.do("start", "web")
            pid = main_pid("web.service")
            self.assertFalse(d.do("start", "web")["changed"])
            self.assertEqual(main_pid("web.service"), pid)

    def test_a_restart_of_a_stopped_unit_starts_it(self):
        self.fake_unit("web.service")
        with Daemon({"web": driven("web.service")}) as d:
            d.do("restart", "web")
            self.wait_witness("web", "ready")
            self.assertEqual(d.status("web")["goal"], "up")

    def test_five_restarts_at_once_are_five_restarts_in_turn(self):
        self.fake_unit("web.service", "--stop-delay", "20")
        with Daemon({"web": driven("web.service")}) as d:
            d.do("start", "web")
            self.wait_witness("web", "ready")
            before = d.status("web")["generation"]
            asked = at_once([lambda: d.ask("restart", "web")["id"] for _ in range(5)])
            ends = [d.operation(number) for number in sorted(asked)]
            self.assertEqual([end["state"] for end in ends], ["succeeded"] * 5)
            for one, other in zip(ends, ends[1:]):
                self.assertLessEqual(one["finished_at"], other["started_at"])
            self.assertEqual(d.status("web")["generation"], before + 5)

    def test_a_unit_reloads_as_its_file_says(self):
        self.fake_unit("web.service", ExecReload="/bin/kill -HUP $MAINPID")
        with Daemon({"web": driven("web.service")}) as d:
            d.do("start", "web")
            self.wait_witness("web", "ready")
            pid = main_pid("web.service")
            d.do("reload", "web")
            self.assertEqual([seen.pid for seen in self.wait_witness("web", "hup")], [pid])

    def test_a_unit_that_cannot_reload_says_so(self):
        self.fake_unit("web.service")
        with Daemon({"web": driven("web.service")}) as d:
            d.do("start", "web")
            record = d.do("reload", "web", expect="failed")
            self.assertIn("ExecReload", record["detail"])
            self.assertEqual(d.status("web")["state"], "running")

    def test_a_reload_that_fails_leaves_the_unit_running(self):
        self.fake_unit("web.service", ExecReload="/bin/sh -c 'exit 3'")
        with Daemon({"web": driven("web.service")}) as d:
            d.do("start", "web")
            record = d.do("reload", "web", expect="failed")
            self.assertTrue(record["detail"])
            self.assertEqual(d.status("web")["pid"], main_pid("web.service"))

    def test_reload_and_signal_of_a_stopped_unit_fail(self):
        self.fake_unit("web.service", ExecReload="/bin/kill -HUP $MAINPID")
        with Daemon({"web": driven("web.service")}) as d:
            d.wait_state("web", "stopped")
            for action, query in (("reload", ""), ("signal", "?signal=USR1")):
                record = d.do(action, "web", query, expect="failed")
                self.assertIn("only a running", record["detail"])

    def test_a_signal_is_for_the_main_process(self):
        self.fake_unit("web.service", "--children", "2")
        with Daemon({"web": driven("web.service")}) as d:
            d.do("start", "web")
            self.wait_witness("web", "ready")
            tasks = d.status("web")["tasks"]
            self.assertGreaterEqual(tasks, 3)
            d.do("signal", "web", "?signal=USR1")
            self.assertEqual(self.wait_witness("web", "signal")[0].pid, main_pid("web.service"))
            self.assertEqual(d.status("web")["tasks"], tasks, "its children were not meant")

    def test_a_stop_has_succeeded_when_nothing_of_the_unit_is_left(self):
        self.fake_unit("web.service", "--double-fork", TimeoutStopSec="300ms")
        with Daemon({"web": driven("web.service")}) as d:
            d.do("start", "web")
            grandchild = self.wait_witness("web", "grandchild")[0].pid
            d.do("stop", "web")
            self.assertFalse(alive(grandchild))

    def test_the_tool_shows_and_drives_it(self):
        self.fake_unit("web.service")
        with Daemon({"web": driven("web.service")}) as d:
            self.assertEqual(d.ctl("start", "web").returncode, 0)
            self.assertEqual(d.ctl("is-active", "web").returncode, 0)
            self.assertEqual(d.ctl("pid", "web").stdout.strip(), str(main_pid("web.service")))
            self.assertIn("running", d.ctl("status", "web").stdout)
            self.assertEqual(d.ctl("stop", "web").returncode, 0)
            self.assertNotEqual(d.ctl("is-active", "web").returncode, 0)


class Results(UnitTest):
    """systemd says "done" of much that does not run."""

    def start(self, expect="failed", **unit):
        self.unit("web.service", **unit)
        with Daemon({"web": by_hand("web.service")}) as d:
            record = d.do("start", "web", expect=expect)
            return record, d.status("web")

    def test_a_condition_that_is_not_met_is_named(self):
        record, row = self.start(Unit={"ConditionPathExists": f"{self.dir}/missing"},
                                 Service={"ExecStart": SLEEP})
        self.assertIn("skipped", record["detail"])
        self.assertIn(f"ConditionPathExists={self.dir}/missing", record["detail"])
        self.assertIsNone(row["pid"])

    def test_an_assertion_that_is_not_met_is_named(self):
        record, _ = self.start(Unit={"AssertPathExists": f"{self.dir}/missing"},
                               Service={"ExecStart": SLEEP})
        self.assertIn(f"AssertPathExists={self.dir}/missing", record["detail"])

    def test_a_program_that_is_missing_is_a_status_203_and_no_success(self):
        for kind in ("simple", "exec"):
            with self.subTest(type=kind):
                record, row = self.start(Service={"Type": kind, "ExecStart": "/nonexistent/web"})
                self.assertIn("203", record["detail"])
                self.assertIn("executable", record["detail"])
                self.assertEqual((row["state"], row["goal"]), ("failed", "up"))

    def test_one_that_dies_while_it_starts_tells_its_status(self):
        record, row = self.start(Service={"Type": "notify", "ExecStart": "/bin/sh -c 'exit 7'"})
        self.assertIn("7", record["detail"])
        self.assertEqual((row["state"], row["last_exit"]), ("failed", {"code": 7}))

    def test_one_that_is_killed_while_it_starts_tells_the_signal(self):
        record, row = self.start(
            Service={"Type": "notify", "ExecStart": "/bin/sh -c 'kill -KILL $$$$'"})
        self.assertIn("KILL", record["detail"])
        self.assertEqual(row["last_exit"], {"signal": "SIGKILL"})

    def test_its_own_start_timeout_is_told_apart_from_ours(self):
        record, row = self.start(Service={"Type": "notify", "ExecStart": SLEEP,
                                          "TimeoutStartSec": "300ms"})
        self.assertIn("TimeoutStartSec", record["detail"])
        self.assertEqual(row["state"], "failed")

    def test_a_job_that_systemd_gave_up_is_told(self):
        self.gated_unit("web.service")
        self.drop_in("web.service", Unit={"JobRunningTimeoutSec": "300ms"})
        with Daemon({"web": by_hand("web.service")}) as d:
            record = d.do("start", "web", expect="failed")
            self.assertIn("JobRunningTimeoutSec", record["detail"])
            self.assertEqual(d.status("web")["state"], "starting", "systemd goes on with it")
            self.open_gate("web.service")
            d.wait_state("web", "running")

    def test_a_unit_that_it_requires_and_that_fails_is_told(self):
        self.unit("disk.service", Service={"Type": "oneshot", "ExecStart": "/bin/false"})
        record, _ = self.start(Unit={"Requires": "disk.service", "After": "disk.service"},
                               Service={"ExecStart": SLEEP})
        self.assertIn("requires", record["detail"])

    def test_the_start_limit_is_named_and_how_it_is_lifted(self):
        """Also after a failure, where systemd's Result goes on telling of that one."""
        for first, program in (("succeeded", "/bin/true"), ("failed", "/bin/false")):
            with self.subTest(first=first):
                systemctl("reset-failed", "web.service", check=False)
                self.unit("web.service",
                          Unit={"StartLimitIntervalSec": "1h", "StartLimitBurst": "1"},
                          Service={"Type": "oneshot", "ExecStart": program})
                with Daemon({"web": by_hand("web.service")}) as d:
                    d.do("start", "web", expect=first)
                    record = d.do("start", "web", expect="failed")
                    self.assertIn("limit", record["detail"])
                    self.assertIn("reset-failed", record["detail"])

    def test_a_start_by_hand_that_the_unit_refuses(self):
        record, _ = self.start(Unit={"RefuseManualStart": "yes"}, Service={"ExecStart": SLEEP})
        self.assertIn("RefuseManualStart", record["detail"])

    def test_a_oneshot_has_succeeded_when_it_ran_to_its_end(self):
        record, row = self.start(
            expect="succeeded",
            Service={"Type": "oneshot", "ExecStart": f"/bin/touch {self.dir}/ran"})
        self.assertTrue(record["changed"])
        self.assertIn("ran to its end", record["detail"])
        self.assertTrue(os.path.exists(f"{self.dir}/ran"))
        self.assertEqual(row["state"], "stopped")

    def test_a_oneshot_that_fails_has_failed(self):
        record, row = self.start(Service={"Type": "oneshot", "ExecStart": "/bin/sh -c 'exit 4'"})
        self.assertIn("4", record["detail"])
        self.assertEqual(row["state"], "failed")

    def test_a_oneshot_that_remains_is_running_without_a_process(self):
        _, row = self.start(expect="succeeded",
                            Service={"Type": "oneshot", "ExecStart": "/bin/true",
                                     "RemainAfterExit": "yes"})
        self.assertEqual((row["state"], row["goal"], row["pid"]), ("running", "up", None))

    def test_a_stop_that_ended_by_sigkill_has_stopped_it_and_says_how(self):
        self.fake_unit("web.service", "--deaf", TimeoutStopSec="300ms")
        with Daemon({"web": by_hand("web.service")}) as d:
            d.do("start", "web")
            self.wait_witness("web", "ready")
            record = d.do("stop", "web")
            self.assertIn("TimeoutStopSec", record["detail"])
            row = d.status("web")
            self.assertEqual((row["goal"], row["pid"]), ("down", None))

    def test_what_failed_says_its_last_lines(self):
        record, _ = self.start(Service={
            "Type": "notify", "ExecStart": "/bin/sh -c 'echo the disk is on fire; exit 1'"})
        self.assertIn("the disk is on fire", "\n".join(record["output"]))


class Timeouts(UnitTest):
    def test_at_our_timeout_the_unit_is_left_to_systemd(self):
        self.gated_unit("db.service")
        with Daemon({"db": by_hand("db.service")}) as d:
            d.do("start", "db", "?timeout=0.5", expect="timed_out")
            row = d.status("db")
            self.assertEqual((row["state"], row["goal"]), ("starting", "up"))
            self.assertEqual(show("db.service", "ActiveState")["ActiveState"], "activating")
            self.open_gate("db.service")
            row = d.wait_state("db", "running")
            self.assertEqual(row["pid"], main_pid("db.service"))
            self.assertEqual(self.read("db.begun").count("\n"), 1)

    def test_with_on_timeout_stop_it_is_stopped(self):
        self.gated_unit("db.service")
        with Daemon({"db": by_hand("db.service", operation={"on_timeout": "stop"})}) as d:
            d.do("start", "db", "?timeout=0.5", expect="timed_out")
            wait_unit("db.service", ActiveState="inactive")
            d.wait_status(lambda row: row["state"] in ("stopped", "failed"), "db")

    def test_a_stop_that_takes_too_long_ends_timed_out_and_still_stops(self):
        self.fake_unit("db.service", "--hold-stop")
        with Daemon({"db": by_hand("db.service")}) as d:
            d.do("start", "db")
            self.wait_witness("db", "ready")
            with self.hold("db"):
                d.do("stop", "db", "?timeout=0.3", expect="timed_out")
                self.assertEqual(d.status("db")["state"], "stopping")
            wait_down(d, "db")

    def test_the_next_operation_begins_after_one_that_timed_out(self):
        self.gated_unit("db.service")
        with Daemon({"db": by_hand("db.service")}) as d:
            first = d.ask("start", "db", "?timeout=0.5")["id"]
            second = d.ask("stop", "db")["id"]
            self.assertEqual(d.operation(first)["state"], "timed_out")
            self.assertEqual(d.operation(second)["state"], "succeeded")
            self.assertEqual(show("db.service", "ActiveState")["ActiveState"], "inactive")

    def test_a_reload_that_takes_too_long_leaves_the_unit_alone(self):
        self.fake_unit("db.service", ExecReload=SLEEP, TimeoutStartSec="infinity")
        with Daemon({"db": by_hand("db.service")}) as d:
            d.do("start", "db")
            pid = main_pid("db.service")
            d.do("reload", "db", "?timeout=0.5", expect="timed_out")
            row = d.status("db")
            self.assertEqual((row["state"], row["pid"]), ("running", pid))


class Cancelling(UnitTest):
    def test_a_start_that_is_cancelled_stops_what_it_started(self):
        self.gated_unit("db.service")
        with Daemon({"db": by_hand("db.service")}) as d:
            number = d.ask("start", "db")["id"]
            self.wait_begun("db.service")
            self.assertEqual(d.http("DELETE", f"/operations/{number}").status, 200)
            self.assertEqual(d.operation(number)["state"], "cancelled")
            wait_unit("db.service", ActiveState="inactive")
            d.wait_state("db", "stopped")

    def test_what_waits_ends_at_once_and_is_never_sent(self):
        self.gated_unit("db.service")
        with Daemon({"db": by_hand("db.service")}) as d:
            first = d.ask("start", "db")["id"]
            self.wait_begun("db.service")
            waiting = d.ask("restart", "db")["id"]
            self.assertEqual(d.http("DELETE", f"/operations/{waiting}").status, 200)
            self.assertEqual(d.operation(waiting)["state"], "cancelled")
            self.open_gate("db.service")
            self.assertEqual(d.operation(first)["state"], "succeeded")
            d.do("stop", "db")
            self.assertEqual(self.read("db.begun").count("\n"), 1)

    def test_a_stop_that_runs_cannot_be_undone(self):
        self.fake_unit("web.service", "--hold-stop")
        with Daemon({"web": by_hand("web.service")}) as d:
            d.do("start", "web")
            self.wait_witness("web", "ready")
            with self.hold("web"):
                number = d.ask("stop", "web")["id"]
                d.wait_state("web", "stopping")
                answer = d.http("DELETE", f"/operations/{number}")
                self.assertEqual((answer.status, answer.json["code"]), (409, "cannot_cancel"))
            self.assertEqual(d.operation(number)["state"], "succeeded")

    def test_an_emergency_stop_takes_the_place_of_a_start_that_hangs(self):
        self.gated_unit("db.service")
        with Daemon({"db": by_hand("db.service")}) as d:
            number = d.ask("start", "db")["id"]
            self.wait_begun("db.service")
            d.do("stop", "db", "?mode=replace")
            self.assertEqual(d.operation(number)["state"], "superseded")
            row = d.status("db")
            self.assertEqual((row["state"], row["goal"]), ("stopped", "down"))


class Rows(UnitTest):
    def test_a_unit_and_a_process_stand_side_by_side(self):
        self.fake_unit("web.service")
        services = {"web": driven("web.service"),
                    "job": {"service": {"command": SLEEP}, "readiness": {"type": "immediate"}}}
        with Daemon(services) as d:
            d.do("start", "web")
            d.wait_all_running()
            rows = {row["name"]: row for row in d.status()["services"]}
            unit, process = rows["web"], rows["job"]
            self.assertEqual(set(unit), set(process), "one table")
            self.assertEqual((unit["backend"], unit["unit"], unit["containment"]),
                             ("systemd", "web.service", "systemd"))
            self.assertEqual((process["backend"], process["unit"]), ("process", None))
            for row in (unit, process):
                self.assertTrue(row["ready"])
                self.assertIsNone(row["unit_error"])
                self.assertFalse(row["config_changed"])
            table = d.ctl("status").stdout
            self.assertIn("web", table)
            self.assertIn("job", table)

    def test_one_unit_s_status_says_what_systemd_says(self):
        self.fake_unit("web.service")
        with Daemon({"web": driven("web.service")}) as d:
            d.do("start", "web")
            row = d.status("web")
            self.assertEqual(row["unit_state"], "active/running")
            self.assertEqual(row["invocation_id"],
                             show("web.service", "InvocationID")["InvocationID"])
            self.assertGreaterEqual(row["tasks"], 1)
            self.assertGreaterEqual(row["cpu_seconds"], 0)

    def test_a_unit_file_that_changed_is_shown_until_systemd_has_read_it(self):
        self.fake_unit("web.service")
        with Daemon({"web": driven("web.service")}) as d:
            d.do("start", "web")
            self.assertFalse(d.status("web")["config_changed"])
            self.unit("web.service", reload=False, Service={"ExecStart": SLEEP})
            os.utime(f"{UNIT_DIR}/web.service", (time.time() + 60,) * 2)
            d.do("restart", "web")
            self.assertTrue(d.status("web")["config_changed"])
            systemctl("daemon-reload")
            d.wait_status(lambda row: not row["config_changed"], "web")

    def test_instances_of_a_template_are_services_of_their_own(self):
        self.unit("worker@.service",
                  Service={"ExecStart": f"/bin/sh -c 'echo %i >> {self.dir}/ran; exec {SLEEP}'"})
        services = {f"worker{i}": driven(f"worker@{i}.service") for i in (1, 3)}
        with Daemon(services) as d:
            for name in services:
                d.do("start", name)
            d.do("stop", "worker1")
            self.assertEqual(d.status("worker3")["pid"], main_pid("worker@3.service"))
            self.assertEqual(d.status("worker1")["state"], "stopped")
            d.do("stop", "worker3")


class Faults(UnitTest):
    def test_a_unit_that_is_not_there_says_so_until_it_is(self):
        with Daemon({"web": by_hand("web.service")}) as d:
            row = d.wait_status(lambda r: r["unit_error"], "web")
            self.assertIn("web.service", row["unit_error"])
            self.assertIn("no unit", row["unit_error"])
            record = d.do("start", "web", expect="failed")
            self.assertIn("no unit", record["detail"])
            self.fake_unit("web.service")
            d.wait_status(lambda r: r["unit_error"] is None, "web")
            d.do("start", "web")
            d.do("stop", "web")

    def test_a_masked_unit_says_how_it_is_unmasked(self):
        self.mask("web.service")
        with Daemon({"web": by_hand("web.service")}) as d:
            row = d.wait_status(lambda r: r["unit_error"], "web")
            self.assertIn("masked", row["unit_error"])
            record = d.do("start", "web", expect="failed")
            self.assertIn("unmask", record["detail"])

    def test_a_unit_file_that_is_broken_says_so(self):
        self.unit("web.service", "[Service]\nType=simple\n")
        with Daemon({"web": by_hand("web.service")}) as d:
            row = d.wait_status(lambda r: r["unit_error"], "web")
            self.assertIn("web.service", row["unit_error"])
            self.assertTrue(d.do("start", "web", expect="failed")["detail"])

    def test_two_names_of_one_unit_are_not_driven_twice(self):
        self.fake_unit("web.service")
        os.symlink("web.service", f"{UNIT_DIR}/alias.service")
        self.addCleanup(os.unlink, f"{UNIT_DIR}/alias.service")
        systemctl("daemon-reload")
        with Daemon({"a": driven("web.service"), "b": driven("alias.service")}) as d:
            rows = d.wait_status(lambda r: any(row["unit_error"] for row in r.values()))
            faults = [row["unit_error"] for row in rows.values() if row["unit_error"]]
            self.assertEqual(len(faults), 1)
            self.assertIn("same unit", faults[0])

    def test_what_is_not_a_service_is_refused_when_it_is_read(self):
        services = {name.partition(".")[0]: driven(name)
                    for name in ("web.socket", "daily.timer", "worker@.service", "plain")}
        with Daemon(services) as d:
            told = " ".join(error["message"] for error in d.status()["daemon"]["config_errors"])
            for word in ("socket", "timer", "template", "plain.service"):
                self.assertIn(word, told)

    def test_the_same_unit_in_two_files_is_refused(self):
        with Daemon({"a": driven("web.service"), "b": driven("web.service")}) as d:
            errors = d.status()["daemon"]["config_errors"]
            self.assertEqual([os.path.basename(error["file"]) for error in errors], ["b.conf"])
            self.assertIn("web.service", errors[0]["message"])


class Recovering(UnitTest):
    def test_a_unit_that_restarts_itself_is_left_to_systemd(self):
        self.fake_unit("web.service", Restart="always", RestartSec="100ms")
        with Daemon({"web": driven("web.service", recovery={"first_delay": "0"})}) as d:
            d.do("start", "web")
            before = d.status("web")
            os.kill(before["pid"], signal.SIGKILL)
            row = d.wait_status(lambda r: r["generation"] > before["generation"] and
                                r["state"] == "running", "web")
            self.assertEqual((row["restarts"], row["goal"]), (1, "up"))
            self.assertEqual({r["origin"] for r in d.operations("?service=web")}, {"api"})

    def test_a_unit_with_restart_no_is_recovered_by_us(self):
        self.fake_unit("web.service", Restart="no")
        with Daemon({"web": driven("web.service", recovery={"first_delay": "0"})}) as d:
            d.do("start", "web")
            before = d.status("web")
            os.kill(before["pid"], signal.SIGKILL)
            row = d.wait_status(lambda r: r["generation"] > before["generation"] and
                                r["state"] == "running", "web")
            self.assertEqual((row["restarts"], row["last_exit"]), (1, {"signal": "SIGKILL"}))
            self.assertEqual(d.operations("?service=web&limit=1")[0]["origin"], "recovery")

    def test_what_a_stop_has_left_failed_is_not_recovered(self):
        self.unit("web.service", Service={
            "ExecStart": f"/bin/sh -c 'trap \"exit 1\" TERM; echo yes >> {self.dir}/traps; "
                         "while :; do sleep 0.05; done'"})
        with Daemon({"web": driven("web.service", recovery={"first_delay": "0"})}) as d:
            d.do("start", "web")
            self.wait_file("traps", "yes")
            systemctl("stop", "web.service")
            d.wait_status(lambda r: (r["state"], r["goal"]) == ("failed", "down"), "web")
            d.do("start", "web")
            self.assertEqual({r["origin"] for r in d.operations("?service=web")}, {"api"})

    def test_a_stop_of_what_has_failed_leaves_it_stopped(self):
        self.unit("web.service", Service={"Type": "oneshot", "ExecStart": "/bin/false"})
        with Daemon({"web": driven("web.service", recovery={"restart": "no"})}) as d:
            d.do("start", "web", expect="failed")
            d.do("stop", "web")
            self.assertEqual(d.status("web")["state"], "stopped")

    def test_what_somebody_stopped_is_not_recovered(self):
        self.fake_unit("web.service", Restart="no")
        with Daemon({"web": driven("web.service", recovery={"first_delay": "0"})}) as d:
            d.do("start", "web")
            systemctl("stop", "web.service")
            wait_down(d, "web")
            d.do("start", "web")
            self.assertEqual({r["origin"] for r in d.operations("?service=web")}, {"api"})

    def test_restarts_never_go_back(self):
        """systemd's own count does, at every stop."""
        self.fake_unit("web.service", Restart="always", RestartSec="10ms")
        with Daemon({"web": driven("web.service")}) as d:
            d.do("start", "web")
            for count in (1, 2):
                row = d.status("web")
                os.kill(row["pid"], signal.SIGKILL)
                d.wait_status(lambda r: r["restarts"] == count and r["state"] == "running", "web")
                d.do("restart", "web")
                self.assertEqual(d.status("web")["restarts"], count)


if __name__ == "__main__":
    main()
