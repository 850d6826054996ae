"""orderlyctl asks for operations: of one service, of many at once, with everything that goes with
a request."""
import json
import os
import select
import signal
import subprocess
import time
import unittest

from harness.orderly import (GUARD, ORDERLYCTL, Daemon, Shared, fake, free_port, held, main, on_fd,
                             wait_written)

DONE, FAILED, USAGE, NOT_RUNNING, UNKNOWN, UNREACHABLE, TIMED_OUT, DENIED, REFUSED = range(9)
INTERRUPTED = 130
POLLS = {"x86_64": ("7", "271"), "aarch64": ("73",)}[os.uname().machine]  # poll, ppoll


class Asking(Shared):
    services = {"web-1": on_fd("--print something", service={"tags": "web all"},
                               operation={"reload_signal": "HUP"}),
                "web-2": on_fd(service={"tags": "web all"}, operation={"reload_signal": "HUP"}),
                "idle": on_fd(service={"autostart": "no", "tags": "all"}),
                "doomed": fake("--crash-at-start 999", readiness={"type": "fd"},
                               service={"autostart": "no"}, recovery={"restart": "no"}),
                "alone": on_fd(),
                "hung": held(operation={"queue_limit": "2"})}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.d.wait_idle()

    def setUp(self):
        self.held = None

    def tearDown(self):
        self.let_go()
        for number in [r["id"] for r in self.d.operations("?service=hung&state=queued")]:
            self.d.http("DELETE", f"/operations/{number}")
        self.d.do("start", "hung", expect=None)
        self.d.wait_status(lambda row: row["ready"] and not row["active_operation"]
                           and not row["queue_length"], "hung")

    def ctl(self, *args, status=DONE):
        found = self.d.ctl(*args)
        self.assertEqual(found.returncode, status, (args, found.stdout, found.stderr))
        return found

    def last(self, name):
        return self.d.operations(f"?service={name}&limit=1")[0]

    def occupy(self):
        """A restart of hung that runs, until it is let go."""
        self.held = self.d.hold("hung")
        number = self.d.ask("restart", "hung")["id"]
        self.d.wait_state("hung", "stopping")
        return number

    def let_go(self):
        if self.held:
            self.held.let_go()

    # ---- several at once ----

    def test_several_names_a_glob_a_tag_and_all_are_one_batch_each(self):
        self.d.do("start", "idle")
        for words, names in ((("web-1", "web-2"), {"web-1", "web-2"}),
                             (("web*",), {"web-1", "web-2"}),
                             (("@all",), {"web-1", "web-2", "idle"}),
                             (("idle", "@web", "web-?"), {"web-1", "web-2", "idle"})):
            with self.subTest(words):
                out = self.ctl("restart", *words).stdout
                batch = {self.last(name)["batch"] for name in names}
                self.assertEqual(len(batch), 1)
                records = self.d.operations(f"?batch={batch.pop()}")
                self.assertEqual(sorted(r["service"] for r in records), sorted(names))
                for name in names:
                    self.assertIn(f"{name}: restarted in ", out)
        self.d.do("stop", "idle")

    def test_all_is_every_service(self):
        found = self.ctl("signal", "USR1", "--all", "--json", status=FAILED)
        body = json.loads(found.stdout)
        self.assertEqual({r["service"] for r in body["operations"]}, set(self.services))
        self.assertEqual({r["batch"] for r in body["operations"]}, {body["batch"]})

    def test_one_name_is_no_batch_and_a_name_twice_is_one_operation(self):
        self.ctl("restart", "web-1")
        self.assertIsNone(self.last("web-1")["batch"])
        before = self.d.status("web-1")["generation"]
        self.ctl("restart", "web-1", "web-1")
        self.assertEqual(self.d.status("web-1")["generation"], before + 1)

    def test_the_worst_of_a_batch_decides_and_the_others_are_done(self):
        found = self.ctl("start", "idle", "doomed", status=FAILED)
        self.assertIn("idle: started in ", found.stdout)
        self.assertIn("doomed: start ", found.stderr)
        self.assertEqual(self.ctl("stop", "idle", "doomed").returncode, DONE)

    def test_a_batch_that_is_refused_for_one_touches_none(self):
        self.occupy()
        before = self.d.status("web-1")["generation"]
        found = self.ctl("restart", "web-1", "hung", "--mode", "fail", status=REFUSED)
        self.assertIn("hung", found.stderr)
        self.assertEqual(self.d.status("web-1")["generation"], before)
        self.assertEqual(self.d.operations("?service=web-1&state=queued"), [])

    def test_no_wait_prints_the_batch_and_wait_takes_its_numbers(self):
        body = json.loads(self.ctl("restart", "--no-wait", "--json", "@web").stdout)
        numbers = [str(r["id"]) for r in body["operations"]]
        out = self.ctl("wait", *numbers).stdout
        self.assertIn("web-1: restarted in ", out)
        self.assertIn("web-2: restarted in ", out)

    # ---- what goes with a request ----

    def test_the_reason_stands_in_the_history(self):
        self.ctl("restart", "web-1", "--reason", "new \"release\" ü")
        self.assertEqual(self.last("web-1")["reason"], 'new "release" ü')
        self.assertIn('new "release" ü', self.ctl("history", "-n", "1", "web-1").stdout)
        self.ctl("restart", "@web", "--reason", "both")
        self.assertEqual(self.last("web-2")["reason"], "both")
        out = self.ctl("history", "-n", "1", "web-2").stdout
        self.assertIn("BATCH", out)
        self.assertIn(str(self.last("web-2")["batch"]), out)

    def test_the_timeout_goes_for_all(self):
        self.ctl("restart", "web-1", "--timeout", "1m30s", status=USAGE)
        self.ctl("restart", "@web", "--timeout", "1.5m")
        self.assertEqual(self.last("web-2")["timeout_seconds"], 90)
        self.ctl("restart", "web-1", "--timeout", "45")
        self.assertEqual(self.last("web-1")["timeout_seconds"], 45)

    def test_mode_fail_is_refused_when_something_runs(self):
        self.occupy()
        self.assertIn("hung", self.ctl("restart", "hung", "--mode=fail", status=REFUSED).stderr)

    def test_stop_now_goes_before_what_waits(self):
        running = self.occupy()
        waiting = self.d.ask("restart", "hung")["id"]
        number = json.loads(self.ctl("stop", "--now", "--no-wait", "--json", "hung").stdout)["id"]
        self.let_go()
        self.assertIn("hung: stopped in ", self.ctl("wait", str(number)).stdout)
        self.assertEqual(self.d.operation(running)["state"], "superseded")
        self.assertEqual(self.d.operation(waiting)["state"], "superseded")
        self.assertEqual(self.ctl("wait", str(waiting), status=FAILED).stdout,
                         f"hung: restart {waiting} was superseded\n")

    def test_coalesce_joins_what_waits(self):
        self.occupy()
        waiting = self.d.ask("restart", "hung")["id"]
        out = self.ctl("restart", "--coalesce", "--no-wait", "hung").stdout
        self.assertIn(f"done along with {waiting}", out)
        self.assertIn(f"along with {waiting}", self.ctl("history", "-n", "1", "hung").stdout)

    def test_the_same_key_does_it_once_and_another_request_is_refused(self):
        before = self.d.status("web-1")["generation"]
        for _ in range(2):
            self.ctl("restart", "web-1", "--idempotency-key", "deploy-7")
        self.assertEqual(self.d.status("web-1")["generation"], before + 1)
        self.ctl("restart", "web-2", "--idempotency-key", "deploy-7", status=REFUSED)
        self.ctl("goal", "up", "@web", "--idempotency-key", "deploy-8", status=USAGE)

    # ---- the other actions ----

    def test_reload_and_signal_reach_the_service(self):
        out = self.ctl("reload", "@web").stdout
        self.assertIn("web-1: reloaded in ", out)
        for name in ("web-1", "web-2"):
            self.d.wait_witness(name, "hup")
        out = self.ctl("signal", "SIGUSR1", "web-1").stdout
        self.assertIn("web-1: SIGUSR1 sent\n", out)
        self.d.wait_witness("web-1", "signal")
        self.assertIn("signal SIGUSR1", self.ctl("history", "-n", "1", "web-1").stdout)

    def test_reload_without_a_way_to_do_it_is_refused(self):
        found = self.ctl("reload", "hung", status=REFUSED)
        self.assertIn("reload_signal", found.stderr)
        self.ctl("reload", "web-1", "hung", status=REFUSED)

    def test_a_signal_to_what_does_not_run_fails(self):
        self.ctl("signal", "HUP", "idle", status=FAILED)

    def test_a_goal_is_an_operation_only_where_one_is_needed(self):
        before = self.last("web-1")["id"]
        self.assertEqual(self.ctl("goal", "up", "web-1").stdout, "web-1: the goal is up already\n")
        self.assertEqual(self.last("web-1")["id"], before)
        out = self.ctl("goal", "up", "idle", "@web").stdout
        self.assertIn("idle: started in ", out)
        self.assertIn("web-2: the goal is up already\n", out)
        self.assertIn("idle: stopped in ", self.ctl("goal", "down", "idle").stdout)
        found = self.ctl("goal", "down", "idle", "--json")
        self.assertEqual(json.loads(found.stdout),
                         {"service": "idle", "goal": "down", "operation": None})

    def test_rotate_begins_new_files_where_there_is_something_to_set_aside(self):
        wait_written(self.d.log_dir, lambda: self.d.http("GET", "/logs/web-1").body, "no output")
        out = self.ctl("rotate", "@web").stdout
        self.assertEqual(out, "web-1: a new log file has begun\n"
                              "web-2: its log stays: there is nothing in it\n")

    # ---- cancel, and Ctrl-C ----

    def test_cancel_takes_several_whether_they_wait_or_run(self):
        running = self.occupy()
        waiting = self.d.ask("restart", "hung")["id"]
        out = self.ctl("cancel", str(waiting), str(running)).stdout
        self.assertEqual(out, f"hung: restart {waiting} was cancelled\n"
                              f"hung: restart {running} was cancelled\n")
        found = self.ctl("cancel", str(running), str(waiting), status=REFUSED)
        self.assertEqual(len(found.stderr.splitlines()), 2)

    def test_a_stop_that_runs_cannot_be_cancelled(self):
        with self.d.hold("hung"):
            number = self.d.ask("stop", "hung")["id"]
            self.d.wait_state("hung", "stopping")
            self.ctl("cancel", str(number), status=REFUSED)
        self.assertEqual(self.d.operation(number)["state"], "succeeded")

    def interrupt(self, *args):
        """The words that are said when Ctrl-C comes while it waits for hung."""
        with self.d.hold("hung"), \
                subprocess.Popen([ORDERLYCTL, "--socket", self.d.socket, *args],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                 stdin=subprocess.DEVNULL) as ctl:
            line = ctl.stdout.readline()  # it has its answer, and waits
            self.d.wait_state("hung", "stopping")
            ctl.send_signal(signal.SIGINT)
            out, err = ctl.communicate(timeout=60)
        self.assertEqual(ctl.returncode, INTERRUPTED, (line, out, err))
        return err

    def test_ctrl_c_names_all_of_a_batch_that_go_on(self):
        err = self.interrupt("restart", "hung", "idle", "--mode", "replace")
        number = self.last("hung")["id"]
        self.assertRegex(err, rf"operations?.* {number}.* go.* cancel with: .*cancel.* {number}")
        self.d.operation(number)
        self.d.do("stop", "idle")

    def test_ctrl_c_during_a_stop_does_not_offer_to_cancel_it(self):
        self.d.operation(self.d.ask("start", "hung")["id"])
        err = self.interrupt("stop", "hung")
        self.assertNotIn("cancel", err)
        self.assertIn(f"orderlyctl wait {self.last('hung')['id']}", err)

    def test_ctrl_c_ends_the_waiting_for_a_daemon_that_does_not_answer(self):
        self.d.process.send_signal(signal.SIGSTOP)
        try:
            with subprocess.Popen([ORDERLYCTL, "--socket", self.d.socket, "restart", "alone"],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  stdin=subprocess.DEVNULL) as ctl:
                self.wait_until_it_waits(ctl.pid)
                ctl.send_signal(signal.SIGINT)
                err = ctl.communicate(timeout=60)[1]
            self.assertEqual(ctl.returncode, INTERRUPTED)
            self.assertIn("whether the restart was accepted is not known", err)
        finally:
            self.d.process.send_signal(signal.SIGCONT)

    def wait_until_it_waits(self, pid):
        """Until it has caught SIGINT and stands in poll(): it has sent all and waits."""
        until = time.monotonic() + GUARD
        while time.monotonic() < until:
            with open(f"/proc/{pid}/status") as f:
                fields = dict(line.split(":", 1) for line in f)
            with open(f"/proc/{pid}/syscall") as f:
                call = f.read().split()[0]
            if int(fields["SigCgt"], 16) & 2 and call in POLLS:
                return
            time.sleep(0.01)  # nothing tells when a program waits
        raise AssertionError("it never waited")

    # ---- looking at several ----

    def test_queue_and_history_of_several(self):
        running = self.occupy()
        self.assertIn(f"{running}", self.ctl("queue", "@web", "hung").stdout)
        self.assertEqual(self.ctl("queue", "@web", "idle").stdout, "nothing is queued\n")
        rows = self.ctl("history", "@web", "hung", "-n", "3").stdout.splitlines()
        self.assertEqual(len(rows), 4)
        numbers = [int(row.split()[0]) for row in rows[1:]]
        self.assertEqual(numbers, sorted(numbers, reverse=True))
        self.assertEqual(numbers[0], running)


class WhileTheDaemonIsAway(unittest.TestCase):
    def test_a_batch_is_waited_for_across_the_death_of_the_daemon(self):
        services = {"hung": held(), "web": on_fd()}
        with Daemon(services) as d:
            d.wait_idle()
            hold = d.hold("hung")
            with subprocess.Popen([ORDERLYCTL, "--socket", d.socket, "restart", "--all"],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  stdin=subprocess.DEVNULL) as ctl:
                d.wait_state("hung", "stopping")
                select.select([ctl.stdout, ctl.stderr], [], [], GUARD)  # it knows its numbers
                d.kill9()
                d.start()
                hold.let_go()
                out, err = ctl.communicate(timeout=GUARD)
            record = d.operations("?service=hung&limit=1")[0]
            self.assertIn(record["state"], ("succeeded", "interrupted"))
            self.assertEqual(ctl.returncode, DONE if record["state"] == "succeeded" else FAILED,
                             (out, err))
            self.assertIn("web: restarted in ", out)

    def test_no_service_at_all_is_no_failure(self):
        with Daemon() as d:
            self.assertEqual(d.ctl("stop", "--all").returncode, DONE)
            found = d.ctl("restart", "--all", "--json")
            self.assertEqual(json.loads(found.stdout), {"batch": None, "operations": []})
            self.assertEqual(d.ctl("restart", "*").returncode, UNKNOWN)

    def test_what_only_a_new_daemon_takes_up_is_named(self):
        with Daemon({"web": on_fd()}) as d:
            with open(d.conf) as f:
                text = f.read()
            with open(d.conf, "w") as f:
                f.write(text.replace("[api]\n", f"[api]\nlisten = 127.0.0.1:{free_port()}\n"))
            found = d.ctl("reload-config")
            self.assertEqual(found.returncode, DONE)
            self.assertIn("taken up only by a new orderlyd: api.listen\n", found.stdout)

    def test_a_service_whose_file_is_refused_does_not_run(self):
        with Daemon({"web": on_fd(), "bad": "[service]\ncomand = x\n"}) as d:
            for args in (("status", "bad"), ("is-active", "bad"), ("pid", "bad"),
                         ("status", "bad", "web")):
                found = d.ctl(*args)
                self.assertEqual(found.returncode, NOT_RUNNING, (args, found))
                self.assertIn("bad.conf", found.stderr)
            for args in (("start", "bad"), ("start", "web", "bad"), ("goal", "up", "bad"),
                         ("start", "@none", "bad")):
                self.assertEqual(d.ctl(*args).returncode, REFUSED, args)

    def test_a_stderr_that_is_kept_apart_is_a_stream_of_its_own(self):
        with Daemon({"two": on_fd("--print said --print-error complained",
                                  log={"stderr": "separate"}), "one": on_fd()}) as d:
            d.wait_all_running()
            for stream, said in (("stderr", "complained"), ("stdout", "said")):
                wait_written(d.log_dir, lambda s=stream, t=said: t in d.ctl(
                    "logs", "--stream", s, "two").stdout, f"{stream} never came")
            self.assertEqual(d.ctl("logs", "--stream=stdout", "two").stdout, "said\n")
            self.assertEqual(d.ctl("logs", "two").stdout, "said\n")
            found = d.ctl("logs", "--stream", "stderr", "one")
            self.assertEqual(found.returncode, USAGE)
            self.assertIn("separate", found.stderr)


if __name__ == "__main__":
    main()
