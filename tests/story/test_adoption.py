"""A daemon that dies, and the next one: the same processes, and never a second copy."""
import os
import signal
import sqlite3
import subprocess
import unittest

from harness.orderly import ORDERLYD, Daemon, alive, fake, main, on_fd, wait_pid_gone

LONG = {"stop_timeout": "100s", "timeout": "300s"}


def pids(d):
    return {row["name"]: row["pid"] for row in d.status()["services"]}


class Stories:
    environment = {}

    def daemon(self, services, **more):
        return Daemon(services, env=self.environment, **more)

    def test_what_runs_is_taken_over_with_its_pid_and_generation(self):
        services = {"web": on_fd(), "family": on_fd("--children 3"), "plain": fake()}
        with self.daemon(services) as d:
            d.wait_all_running()
            d.do("restart", "web")
            for name in services:
                d.wait_witness(name, "ready", 2 if name == "web" else 1)
            before = d.status()["services"]
            d.kill9()
            for row in before:
                self.assertTrue(alive(row["pid"]), "services do not notice")
            d.start()
            after = {row["name"]: row for row in d.status()["services"]}
            for row in before:
                now = after[row["name"]]
                for key in ("pid", "generation", "state", "ready", "goal", "containment"):
                    self.assertEqual(now[key], row[key], (row["name"], key))
                self.assertLessEqual(now["state_since"], row["state_since"], "it began before")
            for name in services:
                self.assertEqual(len(d.witness(name, "start")), 2 if name == "web" else 1)

    def test_an_adopted_service_obeys_stop_and_restart(self):
        services = {"web": on_fd("--double-fork", operation={"stop_timeout": "1s"}),
                    "other": on_fd()}
        with self.daemon(services) as d:
            d.wait_all_running()
            before = pids(d)
            grandchild = d.wait_witness("web", "grandchild")[0].pid
            d.kill9()
            d.start()
            d.do("stop", "web")
            self.assertFalse(alive(before["web"]))
            self.assertFalse(alive(grandchild))
            d.do("restart", "other")
            row = d.status("other")
            self.assertEqual((row["state"], row["generation"]), ("running", 2))
            self.assertFalse(alive(before["other"]))

    def test_an_adopted_service_that_dies_later_is_recovered(self):
        with self.daemon({"web": on_fd(recovery={"first_delay": "0"})}) as d:
            d.wait_all_running()
            d.kill9()
            d.start()
            row = d.status("web")
            os.kill(row["pid"], signal.SIGKILL)
            d.wait_status(lambda r: r["generation"] == 2 and r["state"] == "running", "web")
            self.assertEqual(d.read("overlap"), "")

    def test_one_that_died_while_nobody_watched_is_recovered(self):
        with self.daemon({"web": on_fd("--children 2", recovery={"first_delay": "0"}),
                          "other": on_fd()}) as d:
            d.wait_all_running()
            before = pids(d)
            d.kill9()
            os.kill(before["web"], signal.SIGKILL)
            wait_pid_gone(before["web"])
            d.start()
            row = d.wait_status(lambda r: r["generation"] == 2 and r["state"] == "running", "web")
            self.assertNotEqual(row["pid"], before["web"])
            self.assertEqual(pids(d)["other"], before["other"])
            self.assertEqual(d.read("overlap"), "")

    def test_a_queued_operation_of_before_runs_afterwards(self):
        with self.daemon({"web": on_fd("--deaf", operation={"stop_timeout": "1s"})}) as d:
            d.wait_all_running()
            ids = [d.ask("restart", "web")["id"] for _ in range(3)]
            d.wait_state("web", "stopping")
            d.kill9()
            d.start()
            records = [d.operation(i) for i in ids]
            self.assertIn(records[0]["state"], ("succeeded", "interrupted"), records[0])
            self.assertEqual([r["state"] for r in records[1:]], ["succeeded"] * 2)
            row = d.status("web")
            self.assertEqual((row["state"], row["goal"]), ("running", "up"))
            self.assertEqual(d.read("overlap"), "")

    def test_a_restart_in_progress_is_finished_or_ended_never_doubled(self):
        for moment in ("stopping", "starting"):
            services = {"web": on_fd("--stop-delay 3600000", "--start-delay 3600000",
                                     readiness={"timeout": "100s"}, operation=LONG)}
            with self.subTest(moment), self.daemon(services) as d:
                d.hurry("web", "start")
                d.wait_all_running()
                number = d.ask("restart", "web")["id"]
                d.wait_witness("web", "term")
                if moment == "starting":
                    d.hurry("web")
                d.wait_state("web", moment)
                d.kill9()
                d.start()   # whom it finds stopping it asks once more, and that ends the delay
                d.hurry("web", "start", 2)
                record = d.operation(number)
                self.assertIn(record["state"], ("succeeded", "interrupted"), record)
                row = d.wait_status(lambda r: r["ready"], "web")
                self.assertEqual(row["generation"], 2)
                self.assertEqual(len(d.witness("web", "start")), 2)
                self.assertEqual(d.read("overlap"), "")
                d.leave()

    def test_a_daemon_killed_again_and_again_under_load_never_makes_a_second_copy(self):
        services = {name: on_fd("--start-delay 20", "--stop-delay 20") for name in "abcd"}
        with self.daemon(services) as d:
            d.wait_all_running()
            accepted = []
            for round_number in range(6):
                for name in "abcd" * 3:
                    accepted.append(d.ask("restart", name)["id"])
                d.operation(accepted[-12 + round_number])  # somewhere in the middle of it
                d.kill9()
                d.start()
            ends = [d.operation(number)["state"] for number in accepted]
            self.assertLessEqual(set(ends), {"succeeded", "interrupted"})
            self.assertGreater(ends.count("succeeded"), len(ends) - 25)
            d.wait_all_running()
            self.assertEqual(d.read("overlap"), "")

    def test_operations_keep_their_numbers_and_history_across_daemons(self):
        with self.daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            record = d.do("restart", "web")
            revision = d.status()["revision"]
            d.kill9()
            d.start()
            self.assertEqual(d.operation(record["id"]), record)
            self.assertGreater(d.do("restart", "web")["id"], record["id"])
            self.assertTrue(d.http("GET", f"/status?since={revision}").json["full"])

    def test_output_goes_on_into_the_same_file(self):
        with self.daemon({"web": on_fd("--print before")}) as d:
            d.wait_all_running()
            d.kill9()
            d.start()
            d.do("restart", "web")
            d.do("stop", "web")
            d.wait_content("web.log", "before\nbefore\n")


class InItsOwnGroup(Stories, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with Daemon({}) as d:
            if not d.capabilities["cgroup"]:
                raise unittest.SkipTest("no cgroup can be made here (/version says cgroup: false)")


class BestEffort(Stories, unittest.TestCase):
    environment = {"ORDERLY_CONTAINMENT": "best-effort"}


class TheEnd(unittest.TestCase):
    def test_sigterm_and_sigint_stop_everything_and_keep_the_goals(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number), Daemon({"web": on_fd(), "b": on_fd("--children 2")}) as d:
                d.wait_all_running()
                before = pids(d)
                d.stop(number)
                for pid in before.values():
                    self.assertFalse(alive(pid))
                self.assertFalse(os.path.exists(d.socket), "its socket is gone")
                d.start()
                d.wait_all_running()
                self.assertEqual({row["goal"] for row in d.status()["services"]}, {"up"})

    def test_a_shutdown_gives_up_a_start_that_is_not_ready_yet(self):
        never = {"service": {"command": "/bin/sleep 86400"}, "readiness": {"type": "fd"}}
        with Daemon({"web": never}) as d:
            d.wait_state("web", "starting")
            d.stop(signal.SIGTERM)
            with sqlite3.connect(f"file:{d.state_dir}/state.db?mode=ro", uri=True) as db:
                rows = db.execute("SELECT action, state FROM operations ORDER BY id").fetchall()
            self.assertEqual(rows, [("start", "cancelled"), ("stop", "succeeded")])

    def test_shutdown_leave_leaves_them_and_the_next_daemon_adopts(self):
        with Daemon({"web": on_fd(), "other": on_fd("--double-fork",
                                                    operation={"stop_timeout": "1s"})}) as d:
            d.wait_all_running()
            before = pids(d)
            self.assertIn(d.http("POST", "/daemon/shutdown?leave").status, (200, 202))
            d.wait_exit()
            for pid in before.values():
                self.assertTrue(alive(pid))
            d.start()
            self.assertEqual(pids(d), before)
            for name in before:
                self.assertEqual(len(d.witness(name, "start")), 1)
            d.do("stop", "other")

    def test_queued_operations_are_cancelled_by_a_shutdown(self):
        with Daemon({"hung": on_fd("--stop-delay 3600000", operation=LONG)}) as d:
            d.wait_witness("hung", "ready")
            running = d.ask("restart", "hung")["id"]
            d.wait_state("hung", "stopping")
            queued = d.ask("restart", "hung")["id"]
            d.process.send_signal(signal.SIGTERM)
            for number in (queued, running):
                d.operation(number)
            d.hurry("hung")
            d.wait_exit()
            d.start()
            self.assertEqual(d.operation(queued)["state"], "cancelled")
            self.assertIn(d.operation(running)["state"], ("succeeded", "interrupted",
                                                          "superseded", "cancelled"))
            d.leave()

    def test_a_second_daemon_on_the_same_directories_is_refused(self):
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            before = pids(d)
            found = subprocess.run([ORDERLYD, "--config", d.conf], stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
            self.assertNotEqual(found.returncode, 0)
            self.assertRegex(found.stdout, "already|another|in use|runs")
            self.assertEqual(pids(d), before)
            d.do("restart", "web")

    def test_a_service_whose_file_went_away_meanwhile_is_not_left_running(self):
        with Daemon({"web": on_fd(), "other": on_fd()}) as d:
            d.wait_all_running()
            before = pids(d)
            d.kill9()
            os.unlink(d.service_file("web"))
            d.start()
            rows = {row["name"]: row for row in d.status()["services"]}
            if "web" in rows and rows["web"]["pid"]:  # adopted from the journal: may be stopped
                self.assertEqual(rows["web"]["pid"], before["web"])
                d.do("stop", "web")
            wait_pid_gone(before["web"])
            self.assertEqual(pids(d)["other"], before["other"])

    def test_resume_no_goes_back_to_autostart(self):
        services = {"web": on_fd(), "manual": on_fd(service={"autostart": "no"})}
        with Daemon(services, config={"daemon": {"resume": "no"}}) as d:
            d.wait_state("web", "running")
            d.do("start", "manual")
            d.do("stop", "web")
            d.restart_daemon()
            d.wait_state("web", "running")
            self.assertEqual(d.status("manual")["state"], "stopped")


if __name__ == "__main__":
    main()
