"""The journal: plain SQLite, readable while the daemon runs, and its bad days."""
import contextlib
import errno
import os
import shutil
import sqlite3
import subprocess
import threading
import time
import unittest

from harness.orderly import GUARD, ROOT, Daemon, Trouble, at_once, main, on_fd

LONG = {"stop_timeout": "100s", "timeout": "200s"}


def wait_daemon(d, predicate):
    """Waits by GET /status?since=&wait= until predicate says yes to the daemon's own part."""
    until = time.monotonic() + GUARD
    whole = d.status()
    while not predicate(whole["daemon"]):
        if time.monotonic() > until:
            raise Trouble(f"waited in vain; last seen: {whole['daemon']}")
        whole = d.http("GET", f"/status?since={whole['revision']}&wait=20").json
    return whole["daemon"]


def wait_healed(d):
    wait_daemon(d, lambda daemon: daemon["journal"] == "ok")


def rows(d, sql, path=None):
    with contextlib.closing(sqlite3.connect(f"file:{path or d.state_dir}/state.db?mode=ro",
                                            uri=True, timeout=30)) as db:
        return db.execute(sql).fetchall()


class Readable(unittest.TestCase):
    def test_python_s_sqlite3_reads_it_while_the_daemon_runs(self):
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            records = [d.do("restart", "web") for _ in range(3)]
            d.do("restart", "web")  # with its acceptance all is there that was before
            with sqlite3.connect(f"file:{d.state_dir}/state.db?mode=ro", uri=True) as db:
                self.assertEqual(db.execute("PRAGMA journal_mode").fetchone(), ("wal",))
                rows = db.execute("SELECT id, service, action, state FROM operations "
                                  "ORDER BY id DESC LIMIT 3 OFFSET 1").fetchall()
            self.assertEqual(rows, [(r["id"], "web", "restart", "succeeded")
                                    for r in reversed(records)])

    @unittest.skipUnless(shutil.which("sqlite3"), "the sqlite3 shell is not installed")
    def test_the_shell_reads_it_while_the_daemon_runs(self):
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            record = d.do("restart", "web")
            d.do("restart", "web")  # with its acceptance all is there that was before
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

    def test_acceptance_answers_503_after_some_five_seconds_and_it_heals(self):
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
            self.assertLess(took, GUARD / 2)
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
            d.wait_status(lambda r: r["generation"] == 2 and r["ready"], "web")
            db.execute("ROLLBACK")
            db.close()
            d.do("restart", "web")
            origins = [r["origin"] for r in d.operations("?service=web")]
            self.assertEqual(origins, ["api", "recovery", "boot"], "written down afterwards")

    def test_an_operation_that_runs_ends_without_waiting_for_it(self):
        with Daemon({"web": on_fd("--stop-delay 3600000", operation=LONG)}) as d:
            d.wait_all_running()
            d.ask("stop", "web")
            d.wait_state("web", "stopping")
            db = self.hold(d)
            d.hurry("web")
            d.wait_state("web", "stopped")
            db.execute("ROLLBACK")
            db.close()


class BadDay(unittest.TestCase):
    """What every bad day has in common."""

    def assert_refused(self, d, because):
        answer = d.http("POST", "/restart/web")
        self.assertEqual((answer.status, answer.json["code"]), (503, "journal_unavailable"), answer)
        self.assertIn(because, answer.json["detail"])
        ready = d.http("GET", "/readyz")
        self.assertEqual(ready.status, 503)
        self.assertIn(because, d.status()["daemon"]["journal"])

    def assert_recovers(self, d, name):
        row = d.status(name)
        os.kill(row["pid"], 9)
        d.wait_status(lambda r: r["generation"] == row["generation"] + 1 and r["ready"], name)

    def assert_stops(self, d, name, durable):
        answer = d.http("POST", f"/stop/{name}?wait")
        self.assertEqual((answer.status, answer.json["state"]), (200, "succeeded"), answer)
        if durable is not None:
            self.assertIs(answer.json["durable"], durable)
        self.assertEqual(d.status(name)["state"], "stopped")
        return answer.json["id"]

    def assert_healed(self, d, stop):
        """And what was answered meanwhile is written down."""
        wait_healed(d)
        self.assertEqual(d.http("GET", "/readyz").status, 200)
        record = d.do("start", "web")
        self.assertGreater(record["id"], stop)
        self.assertIs(d.operation(stop)["durable"], True)
        self.assertEqual(d.operation(stop)["state"], "succeeded")


class OwnDisk:
    """A mount namespace in which state_dir is a small disk of its own."""

    def __init__(self, services, size="16m", **more):
        self._holder = subprocess.Popen(["unshare", "-m", "--propagation", "private", "sh", "-c",
                                         "echo here; exec cat"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            if self._holder.stdout.readline() != b"here\n":
                raise unittest.SkipTest("a private mount namespace is not to be had")
            self.daemon = Daemon(services, wrap=["nsenter", "-t", str(self._holder.pid), "-m"],
                                 **more)
            self.run("mount", "-t", "tmpfs", "-o", f"size={size},mode=750", "none",
                     self.daemon.state_dir)
        except BaseException:
            self.close()
            raise

    def run(self, *command):
        subprocess.run(["nsenter", "-t", str(self._holder.pid), "-m", *command], check=True)

    def remount(self, how):
        self.run("mount", "-o", f"remount,{how}", self.daemon.state_dir)

    def path(self, name):
        return f"/proc/{self._holder.pid}/root{self.daemon.state_dir}/{name}"

    def fill(self):
        fd = os.open(self.path("filler"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            while True:
                os.write(fd, b"f" * 4096)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
        finally:
            os.close(fd)

    def empty(self):
        os.unlink(self.path("filler"))

    def close(self):
        self._holder.stdin.close()
        self._holder.stdout.close()
        self._holder.wait()

    def __enter__(self):
        try:
            self.daemon.__enter__()
        except BaseException:
            self.close()
            raise
        return self.daemon

    def __exit__(self, *error):
        try:
            return self.daemon.__exit__(*error)
        finally:
            self.close()


def restart_until_refused(d):
    """What is written has room until the log must grow."""
    for _ in range(5000):
        if d.http("POST", "/start/web?wait").status == 503:
            return
    raise Trouble("the disk does not get full")


@unittest.skipUnless(ROOT, "a disk of our own needs root")
class Disk(BadDay):
    def test_on_a_full_disk_stops_and_recoveries_go_on_into_the_reserve(self):
        disk = OwnDisk({"web": on_fd(), "other": on_fd(recovery={"first_delay": "0"})})
        with disk as d:
            d.wait_all_running()
            self.assertTrue(os.path.exists(disk.path("state.db-reserve")))
            disk.fill()
            restart_until_refused(d)
            self.assert_refused(d, "the disk is full")
            self.assert_recovers(d, "other")
            stop = self.assert_stops(d, "web", None)
            disk.empty()
            self.assert_healed(d, stop)
            self.assertTrue(os.path.exists(disk.path("state.db-reserve")))

    def test_beyond_the_reserve_a_stop_is_not_durable_until_it_heals(self):
        disk = OwnDisk({"web": on_fd(), "other": on_fd(recovery={"first_delay": "0"})})
        with disk as d:
            d.wait_all_running()
            disk.fill()
            restart_until_refused(d)
            os.unlink(disk.path("state.db-reserve"))  # somebody thought it was of no use
            disk.fill()
            self.assert_recovers(d, "other")
            stop = self.stop_until_not_durable(d)
            self.assert_refused(d, "the disk is full")
            disk.empty()
            self.assert_healed(d, stop)

    def stop_until_not_durable(self, d):
        """The log has room for some more; the service has stopped with the first."""
        for _ in range(5000):
            record = d.http("POST", "/stop/web?wait").json
            self.assertEqual(record["state"], "succeeded")
            if not record["durable"]:
                return record["id"]
        raise Trouble("every stop is durable")

    def test_a_read_only_disk_keeps_nobody_from_taking_over_what_runs(self):
        disk = OwnDisk({"web": on_fd(), "other": on_fd(recovery={"first_delay": "0"})})
        with disk as d:
            before = d.wait_all_running()
            last = d.do("start", "web")["id"]
            d.kill9()
            disk.remount("ro")
            d.start(wait=False)
            d.wait_log("is taken over", 2)
            self.wait_answers(d)
            self.assertEqual(d.status("web")["pid"], before["web"]["pid"])
            self.assertEqual(d.operation(last)["state"], "succeeded")
            self.assert_refused(d, "read")
            self.assert_recovers(d, "other")
            stop = self.assert_stops(d, "web", False)
            self.assertGreater(stop, last)
            disk.remount("rw")
            self.assert_healed(d, stop)

    def wait_answers(self, d):
        until = time.monotonic() + GUARD
        while time.monotonic() < until:
            try:
                return d.status()
            except OSError:
                time.sleep(0.01)  # there is nothing yet that could be waited on
        raise Trouble("the daemon does not answer")


class Removed(BadDay):
    def test_a_removed_folder_is_made_anew_and_nothing_is_lost(self):
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            first = d.do("restart", "web")["id"]
            shutil.rmtree(d.state_dir)
            second = d.do("restart", "web")["id"]
            found = rows(d, "SELECT id FROM operations")
            self.assertLessEqual({(first,), (second,)}, set(found))
            self.assertEqual([r["id"] for r in d.operations("?service=web")][:2], [second, first])
            d.kill9()
            d.start()
            self.assertEqual(d.operation(first)["state"], "succeeded")
            self.assertGreater(d.do("restart", "web")["id"], second)

    def test_while_it_cannot_be_made_anew_stops_and_recoveries_go_on(self):
        with Daemon({"web": on_fd(), "other": on_fd(recovery={"first_delay": "0"})}) as d:
            d.wait_all_running()
            first = d.do("restart", "web")["id"]
            shutil.rmtree(d.state_dir)
            with open(d.state_dir, "w"):  # a file in the folder's place
                pass
            self.assertEqual(d.http("POST", "/restart/web").status, 503)
            self.assert_refused(d, "state.db is gone")
            self.assert_recovers(d, "other")
            stop = self.assert_stops(d, "web", False)
            os.unlink(d.state_dir)
            self.assert_healed(d, stop)
            self.assertEqual(rows(d, f"SELECT state FROM operations WHERE id IN ({first}, {stop})"),
                             [("succeeded",)] * 2)


class HeldAndKilled(BadDay):
    """The journal is held, and then the daemon is killed: the marks know."""

    def setUp(self):
        self.d = Daemon({"web": on_fd(), "other": on_fd(recovery={"first_delay": "0"}),
                         "slow": on_fd("--stop-delay 3600000", operation=LONG)})
        self.enterContext(self.d)
        self.d.wait_all_running()
        self.last = self.d.do("restart", "web")["id"]
        self.db = sqlite3.connect(f"{self.d.state_dir}/state.db", isolation_level=None, timeout=30)
        self.addCleanup(self.db.close)
        self.db.execute("BEGIN IMMEDIATE")

    def tearDown(self):
        if self.d.process:
            self.d.leave()

    def release(self):
        self.db.execute("ROLLBACK")

    def test_a_stop_that_was_answered_is_not_undone_by_the_next_daemon(self):
        d = self.d
        stop = self.assert_stops(d, "web", False)
        generation = d.status("web")["generation"]
        d.kill9()
        d.start()
        self.assertEqual(d.status("web")["goal"], "down")
        self.assertEqual(d.status("web")["state"], "stopped")
        self.release()
        start = d.do("start", "web")
        self.assertGreater(start["id"], stop, "no number comes twice")
        self.assertEqual(d.status("web")["generation"], generation + 1)

    def test_a_recovery_is_counted_on_from_by_the_next_daemon(self):
        d = self.d
        self.assert_recovers(d, "other")
        before = d.status("other")
        d.kill9()
        d.start()
        after = d.wait_status(lambda r: r["ready"], "other")
        self.assertEqual((after["pid"], after["generation"], after["restarts"]),
                         (before["pid"], before["generation"], before["restarts"]))
        self.release()
        d.do("restart", "other")
        self.assertEqual(d.status("other")["generation"], before["generation"] + 1)

    def test_what_ended_meanwhile_is_not_done_again(self):
        d = self.d
        self.release()
        asked = d.ask("restart", "slow")["id"]
        d.wait_state("slow", "stopping")
        self.db.execute("BEGIN IMMEDIATE")  # its end waits for it
        d.hurry("slow")
        ended = d.wait_status(lambda r: r["ready"] and r["active_operation"] is None, "slow")
        d.kill9()
        d.start()
        self.release()
        self.assertEqual(d.operation(asked)["state"], "succeeded")
        after = d.status("slow")
        self.assertEqual((after["pid"], after["generation"]), (ended["pid"], ended["generation"]))

    def test_of_several_that_ended_meanwhile_each_keeps_its_end(self):
        d = self.d
        self.release()
        asked = [d.ask(action, "slow")["id"] for action in ("restart", "stop", "start", "stop")]
        d.wait_state("slow", "stopping")
        self.db.execute("BEGIN IMMEDIATE")
        for count in (1, 2, 3):
            d.hurry("slow", count=count)
        d.wait_status(lambda r: r["goal"] == "down" and r["state"] == "stopped"
                      and r["queue_length"] == 0, "slow")
        seen = [d.operation(i)["state"] for i in asked]
        d.kill9()
        d.start()
        self.release()
        self.assertEqual([d.operation(i)["state"] for i in asked], seen)
        self.assertEqual(d.status("slow")["state"], "stopped")


class GrowingLog(unittest.TestCase):
    def size(self, d):
        return os.stat(f"{d.state_dir}/state.db-wal").st_size

    def test_an_idle_reader_is_told_of_and_the_log_is_cut_when_it_has_gone(self):
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            with contextlib.closing(sqlite3.connect(f"{d.state_dir}/state.db",
                                                    isolation_level=None)) as db:
                db.execute("BEGIN")
                db.execute("SELECT COUNT(*) FROM operations").fetchone()
                while self.size(d) < 66 << 20:
                    self.assertEqual(d.http("POST", "/start/web?wait").status, 200)
                daemon = d.status()["daemon"]
                self.assertEqual(daemon["journal"], "ok")
                self.assertIn("state.db-wal", daemon["journal_warning"])
                self.assertEqual(d.http("GET", "/readyz").status, 200)
            wait_daemon(d, lambda seen: seen["journal_warning"] is None)
            self.assertLess(self.size(d), 5 << 20)
            d.do("restart", "web")


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
