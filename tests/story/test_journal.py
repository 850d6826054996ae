"""The journal: plain SQLite, readable while the daemon runs, and its bad days."""
import os
import shutil
import sqlite3
import subprocess
import threading
import time
import unittest

from harness.orderly import Daemon, at_once, main, on_fd


class Readable(unittest.TestCase):
    def test_python_s_sqlite3_reads_it_while_the_daemon_runs(self):
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            records = [d.do("restart", "web") for _ in range(3)]
            with sqlite3.connect(f"file:{d.state_dir}/state.db?mode=ro", uri=True) as db:
                self.assertEqual(db.execute("PRAGMA journal_mode").fetchone(), ("wal",))
                rows = db.execute("SELECT id, service, action, state FROM operations "
                                  "ORDER BY id DESC LIMIT 3").fetchall()
            self.assertEqual(rows, [(r["id"], "web", "restart", "succeeded")
                                    for r in reversed(records)])

    @unittest.skipUnless(shutil.which("sqlite3"), "the sqlite3 shell is not installed")
    def test_the_shell_reads_it_while_the_daemon_runs(self):
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            record = d.do("restart", "web")
            found = subprocess.run(["sqlite3", "-readonly", f"{d.state_dir}/state.db",
                                    f"SELECT service || ' ' || action || ' ' || state "
                                    f"FROM operations WHERE id = {record['id']};"],
                                   stdout=subprocess.PIPE, text=True, check=True)
            self.assertEqual(found.stdout, "web restart succeeded\n")

    def test_its_files_are_not_for_others(self):
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            for entry in os.scandir(d.state_dir):
                self.assertEqual(entry.stat().st_mode & 0o007, 0, entry.name)

    def test_a_202_is_in_the_file_before_it_is_answered(self):
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            numbers = [d.ask("start", "web")["id"] for _ in range(20)]
            d.kill9()
            with sqlite3.connect(f"{d.state_dir}/state.db") as db:
                found = {row[0] for row in db.execute("SELECT id FROM operations")}
            self.assertLessEqual(set(numbers), found)
            d.start()
            self.assertEqual({d.operation(n)["state"] for n in numbers}, {"succeeded"})

    def test_an_idle_reader_disturbs_nobody(self):
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            db = sqlite3.connect(f"{d.state_dir}/state.db", isolation_level=None)
            db.execute("BEGIN")
            db.execute("SELECT COUNT(*) FROM operations").fetchone()
            for _ in range(5):
                d.do("restart", "web")
            db.close()


class Held(unittest.TestCase):
    """Somebody's shell holds BEGIN IMMEDIATE."""

    def hold(self, d):
        db = sqlite3.connect(f"{d.state_dir}/state.db", isolation_level=None, timeout=30)
        db.execute("BEGIN IMMEDIATE")
        return db

    def test_acceptance_answers_503_within_about_five_seconds_and_it_heals(self):
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            before = d.status("web")
            db = self.hold(d)
            began = time.monotonic()
            answers = at_once([lambda: d.http("POST", "/restart/web")] * 3)
            took = time.monotonic() - began
            for answer in answers:
                self.assertEqual((answer.status, answer.json["code"]),
                                 (503, "journal_unavailable"), answer)
                self.assertTrue(answer.json["detail"])
            self.assertGreater(took, 3.5)
            self.assertLess(took, 7.5)
            self.assertEqual(d.status("web")["pid"], before["pid"], "it was withdrawn")
            self.assertEqual(d.status("web")["queue_length"], 0)
            db.execute("ROLLBACK")
            db.close()
            d.do("restart", "web")
            self.assertEqual(d.status("web")["generation"], before["generation"] + 1,
                             "what was refused was never run")
            self.assertEqual(d.status()["daemon"]["journal"], "ok")

    def test_a_short_hold_is_only_a_wait(self):
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            db = sqlite3.connect(f"{d.state_dir}/state.db", isolation_level=None, timeout=30,
                                 check_same_thread=False)
            db.execute("BEGIN IMMEDIATE")
            threading.Timer(0.5, lambda: db.execute("ROLLBACK")).start()
            self.assertEqual(d.http("POST", "/restart/web?wait").status, 200)
            db.close()

    def test_recoveries_and_status_go_on_meanwhile(self):
        with Daemon({"web": on_fd(recovery={"first_delay": "0"})}) as d:
            row = d.wait_state("web", "running")
            db = self.hold(d)
            os.kill(row["pid"], 9)
            d.wait_status(lambda r: r["generation"] == 2 and r["state"] == "running", "web",
                          seconds=4)
            d.wait_status(lambda r: r["ready"], "web")
            db.execute("ROLLBACK")
            db.close()
            d.do("restart", "web")
            origins = [r["origin"] for r in d.operations("?service=web")]
            self.assertEqual(origins, ["api", "recovery", "boot"], "written down afterwards")

    def test_an_operation_that_runs_ends_without_waiting_for_it(self):
        with Daemon({"web": on_fd("--stop-delay 500")}) as d:
            d.wait_all_running()
            d.ask("stop", "web")
            d.wait_state("web", "stopping")
            db = self.hold(d)
            d.wait_status(lambda r: r["state"] == "stopped", "web", seconds=4)
            db.execute("ROLLBACK")
            db.close()


class Damaged(unittest.TestCase):
    def test_a_corrupt_file_is_set_aside_and_what_runs_is_adopted(self):
        with Daemon({"web": on_fd()}) as d:
            pid = d.wait_state("web", "running")["pid"]
            d.kill9()
            for suffix in ("-wal", "-shm"):
                if os.path.exists(f"{d.state_dir}/state.db{suffix}"):
                    os.unlink(f"{d.state_dir}/state.db{suffix}")
            with open(f"{d.state_dir}/state.db", "r+b") as f:
                f.write(b"this is no database at all" * 500)
            d.start()
            self.assertEqual(d.status("web")["pid"], pid)
            aside = [n for n in os.listdir(d.state_dir) if n.startswith("state.db.corrupt")]
            self.assertEqual(len(aside), 1)
            d.do("restart", "web")


class Retention(unittest.TestCase):
    def test_history_count_bounds_what_is_kept(self):
        with Daemon({"web": on_fd()}, config={"operations": {"history_count": "20"}}) as d:
            d.wait_all_running()
            for _ in range(700):  # it prunes now and then, not each time
                d.http("POST", "/start/web?wait")
            kept = d.operations()
            self.assertLess(len(kept), 400)
            self.assertGreaterEqual(len(kept), 20)
            d.restart_daemon()
            self.assertLess(len(d.operations()), 30)
            self.assertGreater(d.do("restart", "web")["id"], kept[0]["id"], "no number comes twice")


if __name__ == "__main__":
    main()
