"""orderlyctl, each subcommand as typed, and each of its exit statuses."""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

from harness.orderly import (ORDERLYCTL, ROOT, Daemon, Shared, fake, held, main, on_fd, run_ctl,
                             wait_written)

DONE, FAILED, USAGE, NOT_RUNNING, UNKNOWN, UNREACHABLE, TIMED_OUT, DENIED, REFUSED = range(9)


class WithDaemon(Shared):
    services = {"backend": on_fd("--chatty 5", service={"tags": "web"}),
                "frontend": on_fd(service={"tags": "web"}),
                "idle": on_fd(service={"autostart": "no"}),
                "doomed": fake("--crash-at-start 999", "--print-error tragedy",
                               readiness={"type": "fd"}, service={"autostart": "no"},
                               recovery={"restart": "no"}),
                "hung": held(operation={"queue_limit": "1"})}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.d.wait_idle()

    def ctl(self, *args, status=DONE, **more):
        found = self.d.ctl(*args, **more)
        self.assertEqual(found.returncode, status, (args, found.stdout, found.stderr))
        self.assertNotIn("\033", found.stdout + found.stderr, "colour only on a terminal")
        return found

    def settle(self):
        """hung has nothing to do any more, as its row says: of what was just accepted that tells
        only once it has begun."""
        self.d.wait_status(lambda row: row["ready"] and not row["active_operation"]
                           and not row["queue_length"], "hung")


class Commands(WithDaemon):
    def test_status_lists_every_service(self):
        out = self.ctl("status").stdout
        for name in self.services:
            self.assertRegex(out, rf"(?m)^{name}\b")
        self.assertRegex(out, r"(?m)^backend\b.*\brunning\b")
        self.assertRegex(out, r"(?m)^idle\b.*\bstopped\b")

    def test_status_of_names_globs_and_tags(self):
        out = self.ctl("status", "back*").stdout
        self.assertIn("backend", out)
        self.assertNotIn("frontend", out)
        out = self.ctl("status", "@web").stdout
        self.assertIn("backend", out)
        self.assertIn("frontend", out)
        self.assertNotIn("hung", out)

    def test_status_of_one_tells_all_and_its_exit_status_whether_it_runs(self):
        out = self.ctl("status", "backend").stdout
        self.assertIn("running", out)
        self.assertIn(str(self.d.status("backend")["pid"]), out)
        self.ctl("status", "idle", status=NOT_RUNNING)
        self.ctl("status", "backend", "idle", status=NOT_RUNNING)

    def test_start_stop_and_restart_wait_and_say_how_it_went(self):
        out = self.ctl("start", "idle").stdout
        self.assertIn("idle", out)
        self.assertEqual(self.d.status("idle")["state"], "running")
        self.ctl("restart", "idle")
        self.assertEqual(self.d.status("idle")["generation"] % 2, 0)
        self.ctl("stop", "idle")
        self.assertEqual(self.d.status("idle")["state"], "stopped")

    def test_several_names_at_once(self):
        before = {n: self.d.status(n)["generation"] for n in ("backend", "frontend")}
        out = self.ctl("restart", "backend", "frontend").stdout
        for name, generation in before.items():
            self.assertIn(name, out)
            self.assertEqual(self.d.status(name)["generation"], generation + 1)

    def test_no_wait_returns_at_once_with_the_number(self):
        with self.d.hold("hung"):
            out = self.ctl("restart", "hung", "--no-wait").stdout
            number = max(r["id"] for r in self.d.operations("?service=hung"))
            self.assertIn(str(number), out)
            self.assertIn(self.d.operation(number, wait=False)["state"], ("queued", "running"))
        self.d.operation(number)
        self.settle()

    def test_logs(self):
        wait_written(self.d.log_dir, lambda: self.ctl("logs", "-n", "2", "backend").stdout
                     == "backend line 4\nbackend line 5\n", "its last lines never came")
        self.ctl("logs", "backend")

    def test_queue_shows_what_runs_and_waits(self):
        with self.d.hold("hung"):
            running = self.d.ask("restart", "hung")["id"]
            self.d.wait_state("hung", "stopping")
            queued = self.d.ask("restart", "hung")["id"]
            for args in (("queue",), ("queue", "hung")):
                out = self.ctl(*args).stdout
                self.assertIn(str(running), out)
                self.assertIn(str(queued), out)
            self.assertNotIn(str(queued), self.ctl("queue", "backend").stdout)
            self.ctl("cancel", str(queued))
        self.assertEqual(self.d.operation(queued)["state"], "cancelled")
        self.ctl("wait", str(running))
        self.settle()

    def test_history_is_newest_first_and_bounded(self):
        ids = [self.d.do("restart", "backend")["id"] for _ in range(3)]
        lines = [line for line in self.ctl("history", "-n", "2", "backend").stdout.splitlines()
                 if "restart" in line]
        self.assertEqual(len(lines), 2)
        self.assertIn(str(ids[2]), lines[0])
        self.assertIn(str(ids[1]), lines[1])
        self.ctl("history")

    def test_wait_waits_for_the_end(self):
        number = self.d.ask("restart", "hung")["id"]
        out = self.ctl("wait", str(number)).stdout
        self.assertIn("hung", out)
        self.assertEqual(self.d.operation(number, wait=False)["state"], "succeeded")
        self.settle()

    def test_check_tells_errors_and_needs_no_daemon(self):
        self.assertEqual(run_ctl("check", self.d.conf).returncode, DONE)
        with Daemon({"bad": "[service]\ncomand = x\n"}, start=False) as d:
            found = run_ctl("check", d.conf)
            self.assertEqual(found.returncode, FAILED)
            self.assertRegex(found.stdout + found.stderr, r"bad\.conf:2:\d+: error: comand: ")

    def test_reload_config_and_what_reload_alone_says(self):
        self.assertIn("no service has changed", self.ctl("reload-config").stdout)
        found = self.ctl("reload", status=USAGE)
        self.assertIn("reload-config", found.stderr)

    def test_version_tells_both(self):
        out = self.ctl("version").stdout
        self.assertIn("orderlyctl ", out)
        self.assertIn("orderlyd ", out)
        self.assertIn("cgroup", out)

    def test_help_of_everything(self):
        out = run_ctl("--help")
        self.assertEqual(out.returncode, DONE)
        for name in ("status", "is-active", "pid", "start", "stop", "restart", "reload", "signal",
                     "goal", "logs", "rotate", "queue", "history", "wait", "cancel", "check",
                     "events", "reload-config", "shutdown", "version"):
            self.assertIn(name, out.stdout)
            one = run_ctl(name, "--help")
            self.assertEqual(one.returncode, DONE, name)
            self.assertIn(f"usage: orderlyctl {name}", one.stdout)

    def test_json_is_json_and_nothing_else(self):
        number = str(self.d.do("restart", "backend")["id"])
        for args, kind in ((("status",), dict), (("status", "backend"), dict),
                           (("queue",), (dict, list)), (("history",), (dict, list)),
                           (("restart", "backend"), dict), (("wait", number), dict),
                           (("start", "backend", "--no-wait"), dict), (("version",), dict),
                           (("reload-config",), dict), (("stop", "idle", "doomed"), dict),
                           (("goal", "down", "idle", "doomed"), list),
                           (("rotate", "backend"), dict), (("rotate", "@web"), list),
                           (("queue", "@web", "idle"), list), (("history", "@web"), list),
                           (("wait", number, number), list),
                           (("status", "@web", "hung"), list)):
            with self.subTest(args):
                self.assertIsInstance(json.loads(self.ctl(*args, "--json").stdout), kind)
        found = self.ctl("start", "doomed", "--json", status=FAILED)
        self.assertEqual(json.loads(found.stdout)["state"], "failed")

    def test_a_progress_line_for_each_service(self):
        out = self.ctl("restart", "backend", "frontend").stdout
        for name in ("backend", "frontend"):
            self.assertTrue([line for line in out.splitlines() if name in line], out)


class ExitStatuses(WithDaemon):
    def test_1_when_it_failed_with_reason_and_output(self):
        found = self.ctl("start", "doomed", status=FAILED)
        self.assertIn("exited with status 1 before becoming ready", found.stdout + found.stderr)
        self.assertIn("tragedy", found.stdout + found.stderr)

    def test_2_for_usage(self):
        for args in ((), ("strat", "backend"), ("start",), ("start", "backend", "--bogus"),
                     ("wait",), ("wait", "abc"), ("cancel", "x"), ("logs",), ("logs", "a", "b"),
                     ("status", "--timeout", "5s"), ("start", "backend", "--timeout", "soon"),
                     ("logs", "-n", "x", "backend"), ("version", "extra"), ("signal", "HUP"),
                     ("signal", "backend", "HUP"), ("goal", "sideways", "backend"),
                     ("pid",), ("pid", "a", "b"), ("wait", "1", "x"), ("cancel", "1", "x"),
                     ("restart", "--all", "backend"), ("restart", "--coalesce=often", "backend"),
                     ("stop", "--mode", "soon", "backend"), ("start", "--now", "backend"),
                     ("stop", "--now", "--mode=fail", "backend"),
                     ("restart", "--reason", "", "backend"),
                     ("restart", "--reason", 257 * "x", "backend"),
                     ("restart", "--idempotency-key", "a b", "backend"),
                     ("logs", "--stream", "stdin", "backend"),
                     ("status", "--socket", "x", "--url", "http://localhost"),
                     ("status", "--socket", "x", "--cacert", "y"), ("freeze",)):
            with self.subTest(args):
                found = self.ctl(*args, status=USAGE)
                self.assertEqual(found.stdout, "")
                self.assertIn("orderlyctl: ", found.stderr)
        self.assertIn('"start"', self.ctl("strat", "x", status=USAGE).stderr)

    def test_2_for_a_timeout_that_no_operation_can_have_in_plain_words(self):
        found = self.ctl("restart", "backend", "--timeout", "25h", status=USAGE)
        self.assertIn("at most 24h, not 25h", found.stderr)
        found = self.ctl("restart", "backend", "--timeout", "1us", status=USAGE)
        self.assertIn("at least 1ms, not 1us", found.stderr)

    def test_3_when_a_named_service_does_not_run(self):
        found = self.ctl("is-active", "backend", "idle", status=NOT_RUNNING)
        self.assertEqual(found.stdout, "backend: running\nidle: stopped\n")
        self.ctl("is-active", "--all", status=NOT_RUNNING)
        self.assertEqual(self.ctl("is-active", "-q", "back*", "@web").stdout, "")
        self.assertEqual(self.ctl("is-active", "--quiet", "idle", status=NOT_RUNNING).stdout, "")
        self.ctl("status", "--all", status=NOT_RUNNING)
        self.ctl("status")
        found = self.ctl("pid", "idle", status=NOT_RUNNING)
        self.assertEqual(found.stdout, "")
        self.assertIn("stopped", found.stderr)
        self.assertEqual(self.ctl("pid", "backend").stdout, f"{self.d.status('backend')['pid']}\n")

    def test_4_for_an_unknown_service_or_operation_with_the_nearest(self):
        for args in (("start", "backendd"), ("status", "backendd"), ("logs", "backendd"),
                     ("queue", "backendd"), ("history", "backendd"), ("restart", "backendd"),
                     ("pid", "backendd"), ("is-active", "backendd"), ("rotate", "backendd"),
                     ("goal", "up", "backendd"), ("signal", "HUP", "backendd"),
                     ("queue", "hung", "backendd"), ("history", "hung", "backendd"),
                     ("stop", "hung", "backendd")):
            with self.subTest(args):
                found = self.ctl(*args, status=UNKNOWN)
                self.assertIn('"backend"', found.stderr)
        self.ctl("wait", "999999", status=UNKNOWN)
        self.ctl("cancel", "999999", status=UNKNOWN)

    def test_4_for_a_pattern_that_nothing_matches(self):
        self.assertIn('"zz*"', self.ctl("restart", "zz*", status=UNKNOWN).stderr)
        self.assertIn('"zz"', self.ctl("status", "@zz", status=UNKNOWN).stderr)

    def test_json_of_an_unknown_name_is_an_error_and_never_an_empty_list(self):
        for words in (("backendd",), ("zz*",), ("@zz",), ("backendd", "zz*")):
            with self.subTest(words):
                found = self.ctl("status", "--json", *words, status=UNKNOWN)
                self.assertEqual(found.stdout, "")
                self.assertIn(words[0].lstrip("@"), found.stderr)

    def test_an_unknown_name_among_others_touches_none_of_them(self):
        before = self.d.status("backend")["generation"]
        found = self.ctl("restart", "backend", "backendd", status=UNKNOWN)
        self.assertIn("backendd", found.stderr)
        self.assertEqual(self.d.status("backend")["generation"], before)
        self.assertEqual(self.d.operations("?service=backend&state=queued"), [])

    def test_5_when_nobody_is_there(self):
        for args in (("--socket", "/nonexistent/api.sock"), ("--url", "http://127.0.0.1:1")):
            found = run_ctl("status", *args)
            self.assertEqual(found.returncode, UNREACHABLE, found)
            self.assertIn(args[1], found.stderr)

    def test_6_when_it_timed_out(self):
        with self.d.hold("hung"):
            found = self.ctl("restart", "hung", "--timeout", "300ms", status=TIMED_OUT)
        self.assertIn("hung", found.stdout + found.stderr)
        self.d.do("start", "hung")

    @unittest.skipUnless(ROOT, "needs another user: only root can become one")
    def test_7_when_the_socket_is_not_for_me(self):
        script = (f"import os; os.setgroups([]); os.setgid(65534); os.setuid(65534); "
                  f"os.execv({ORDERLYCTL!r}, ['orderlyctl', '--socket', {self.d.socket!r}, "
                  f"'status'])")
        found = subprocess.run(["python3", "-c", script], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, check=False, cwd="/")
        self.assertEqual(found.returncode, DENIED, found)
        self.assertIn("not permitted", found.stderr)

    def test_8_when_it_was_refused(self):
        with self.d.hold("hung"):
            self.d.ask("restart", "hung")
            self.d.wait_state("hung", "stopping")
            queued = self.d.ask("restart", "hung")["id"]
            found = self.ctl("restart", "hung", status=REFUSED)
            self.assertIn("hung", found.stderr)
            self.d.http("DELETE", f"/operations/{queued}")
        self.settle()

    def test_8_when_an_operation_cannot_be_cancelled_any_more(self):
        number = self.d.do("restart", "backend")["id"]
        self.ctl("cancel", str(number), status=REFUSED)

    def test_ctrl_c_while_waiting_says_that_it_goes_on(self):
        with self.d.hold("hung"), \
                subprocess.Popen([ORDERLYCTL, "--socket", self.d.socket, "restart", "hung"],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                 stdin=subprocess.DEVNULL) as ctl:
            self.d.wait_state("hung", "stopping")
            first = ctl.stdout.readline()  # it has its answer, and waits
            number = max(r["id"] for r in self.d.operations("?service=hung"))
            ctl.send_signal(signal.SIGINT)
            out, err = ctl.communicate(timeout=60)
        self.assertIn(f"operation {number} goes on; cancel with", first + out + err)
        self.assertNotEqual(ctl.returncode, 0)
        self.assertEqual(self.d.operation(number)["state"], "succeeded")
        self.settle()


class Finding(WithDaemon):
    services = {"backend": on_fd()}
    tcp = True

    def check(self, *args, env=None):
        found = run_ctl("status", *args, env=env)
        self.assertEqual(found.returncode, DONE, found)
        self.assertIn("backend", found.stdout)

    def test_by_option_socket(self):
        self.check("--socket", self.d.socket)

    def test_by_option_config(self):
        self.check("--config", self.d.conf)

    def test_by_option_url_and_token_file(self):
        url = f"http://127.0.0.1:{self.d.port}"
        self.check("--url", url, "--token-file", self.d.token_file)
        found = run_ctl("status", "--url", url)
        self.assertEqual(found.returncode, DENIED, found)

    def test_a_token_is_not_sent_where_everybody_could_read_it(self):
        for url in ("http://192.0.2.1:8091", "http://orderly.example", "HTTP://[2001:db8::1]:1"):
            with self.subTest(url):
                found = run_ctl("status", "--url", url, "--token-file", self.d.token_file)
                self.assertEqual(found.returncode, USAGE, found)
                self.assertIn("the token is not sent", found.stderr)
        for host in ("localhost", "127.0.0.1"):
            self.check("--url", f"http://{host}:{self.d.port}/", "--token-file", self.d.token_file)

    def test_a_url_is_an_address_and_no_more(self):
        for url in ("127.0.0.1:1", "ftp://localhost", "http://", "http://localhost/?x",
                    "http://me:secret@localhost", "http://localhost/#x", "http://local host"):
            with self.subTest(url):
                found = run_ctl("status", "--url", url)
                self.assertEqual(found.returncode, USAGE, found)
                self.assertNotIn("secret", found.stderr)

    def test_by_environment(self):
        self.check(env={"ORDERLY_SOCKET": self.d.socket})
        self.check(env={"ORDERLY_URL": f"http://127.0.0.1:{self.d.port}",
                        "ORDERLY_TOKEN": self.d.admin_token()})

    def test_an_option_goes_before_the_environment(self):
        self.check("--socket", self.d.socket, env={"ORDERLY_SOCKET": "/nonexistent"})

    def test_the_usual_place_is_the_last_resort(self):
        if os.path.exists("/run/orderly/api.sock"):
            self.skipTest("a daemon of this machine stands at the usual place")
        found = run_ctl("status")
        self.assertEqual(found.returncode, UNREACHABLE, found)
        self.assertIn("/run/orderly/api.sock", found.stderr)


class OverTls(unittest.TestCase):
    def setUp(self):
        if not shutil.which("openssl"):
            self.skipTest("openssl is not installed: it makes the certificate")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.cert, self.key = f"{folder.name}/cert.pem", f"{folder.name}/key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=me",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", self.key, "-out",
                        self.cert], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def test_https_needs_somebody_who_vouches_for_it(self):
        config = {"api": {"tls_cert": self.cert, "tls_key": self.key}}
        with Daemon({"web": on_fd()}, config=config, tcp=True) as d:
            where = ("--url", f"https://127.0.0.1:{d.port}", "--token-file", d.token_file)
            self.assertEqual(run_ctl("restart", "web", *where, "--cacert", self.cert).returncode,
                             DONE)
            found = run_ctl("status", *where, env={"ORDERLY_CACERT": self.cert})
            self.assertEqual(found.returncode, DONE, found)
            found = run_ctl("status", *where)
            self.assertEqual(found.returncode, UNREACHABLE, found)
            self.assertIn("--cacert", found.stderr)
            other = where[1].replace("127.0.0.1", "localhost")  # not what the certificate says
            found = run_ctl("status", "--url", other, *where[2:], "--cacert", self.cert)
            self.assertEqual(found.returncode, UNREACHABLE, found)
            found = run_ctl("status", *where, "--cacert", "/nonexistent")
            self.assertEqual(found.returncode, USAGE, found)


class Shutdown(unittest.TestCase):
    def test_shutdown_stops_everything_and_waits_until_it_is_gone(self):
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            found = d.ctl("shutdown")
            self.assertEqual(found.returncode, DONE, found)
            d.wait_exit()
            self.assertEqual(len(d.witness("web", "stop")), 1)
            self.assertEqual(d.ctl("status").returncode, UNREACHABLE)

    def test_shutdown_leave_leaves_them(self):
        with Daemon({"web": on_fd()}) as d:
            pid = d.wait_state("web", "running")["pid"]
            self.assertEqual(d.ctl("shutdown", "--leave").returncode, DONE)
            d.wait_exit()
            self.assertEqual(d.witness("web", "stop"), [])
            d.start()
            self.assertEqual(d.status("web")["pid"], pid)


if __name__ == "__main__":
    main()
