"""Configuration: every key with a bad value, every way a file can be broken, and what is said."""
import os
import re
import signal
import subprocess
import unittest

from harness.orderly import FAKE, ORDERLYD, ROOT, Daemon, check_config, fake, main, on_fd

GOOD = "[service]\ncommand = /bin/true\n"
SECTIONS = ("service", "operation", "readiness", "recovery", "log", "limits")

# (section, key, bad value, what the message must hold)
BAD_SERVICE_VALUES = [
    ("service", "backend", "docker", "process"),
    ("service", "command", "", "command"),
    ("service", "command", "/bin/sh -c 'open", "quot"),
    ("service", "command", "/bin/cat < /etc/passwd", "no shell runs here"),
    ("service", "command", "/bin/echo $HOME", "no shell runs here"),
    ("service", "command", "/bin/a | /bin/b", "no shell runs here"),
    ("service", "command", "/bin/a > /tmp/x", "no shell runs here"),
    ("service", "command", "/bin/a &", "no shell runs here"),
    ("service", "command", "/bin/a ; /bin/b", "no shell runs here"),
    ("service", "command", "/bin/ls *", "no shell runs here"),
    ("service", "user", "no-such-user-here", "no-such-user-here"),
    ("service", "group", "no-such-group-here", "no-such-group-here"),
    ("service", "supplementary_groups", "no-such-group-here", "no-such-group-here"),
    ("service", "environment", "novalue", "novalue"),
    ("service", "environment", "1X=y", "1X"),
    ("service", "umask", "999", "999"),
    ("service", "umask", "rwx", "rwx"),
    ("service", "tags", "a b@c!", "b@c!"),
    ("service", "requires", "../evil", "../evil"),
    ("service", "wants", "-x", "-x"),
    ("service", "after", "!", "!"),
    ("service", "autostart", "maybe", "maybe"),
    ("operation", "timeout", "10 parsecs", "10 parsecs"),
    ("operation", "timeout", "-5s", "-5s"),
    ("operation", "timeout", "0", "0"),
    ("operation", "stop_signal", "TREM", "TERM"),
    ("operation", "stop_signal", "99", "99"),
    ("operation", "stop_timeout", "5x", "5x"),
    ("operation", "queue_limit", "0", "0"),
    ("operation", "queue_limit", "many", "many"),
    ("readiness", "type", "dealy", "delay"),
    ("readiness", "delay", "soon", "soon"),
    ("readiness", "timeout", "1y", "1y"),
    ("recovery", "restart", "allways", "always"),
    ("recovery", "first_delay", "x", "x"),
    ("recovery", "max_delay", "1.5.2s", "1.5.2s"),
    ("recovery", "attempts", "-1", "-1"),
    ("recovery", "stable_after", "", "stable_after"),
    ("log", "max_size", "10Q", "10Q"),
    ("log", "max_size", "-1", "-1"),
    ("log", "max_files", "none", "none"),
    ("limits", "nofile", "lots", "lots"),
    ("limits", "core", "1Z", "1Z"),
    ("limits", "oom_score_adjust", "1001", "1001"),
    ("limits", "oom_score_adjust", "-1001", "-1001"),
    # later features: refused, never ignored
    ("service", "unit", "nginx.service", "unit"),
    ("service", "bus", "user", "bus"),
    ("operation", "reload_signal", "HUP", "reload_signal"),
    ("operation", "reload_command", "/bin/true", "reload_command"),
    ("operation", "coalesce", "yes", "coalesce"),
    ("operation", "on_timeout", "stop", "on_timeout"),
    ("readiness", "type", "http", "http"),
    ("readiness", "url", "http://127.0.0.1/", "url"),
    ("readiness", "address", "127.0.0.1:1", "address"),
    ("readiness", "command", "/bin/true", "command"),
    ("recovery", "on_failure", "x", "on_failure"),
    ("log", "max_age", "1h", "max_age"),
    ("log", "compress", "yes", "compress"),
    ("log", "timestamps", "yes", "timestamps"),
    ("log", "stderr", "separate", "separate"),
    ("log", "when_full", "drop", "drop"),
    ("log", "target", "both", "both"),
    ("limits", "memory", "1G", "memory"),
    ("limits", "cpu", "1.5", "cpu"),
    ("limits", "tasks", "100", "tasks"),
]

BAD_SUPERVISOR_VALUES = [
    ("daemon", "workers", "-1", "-1"),
    ("daemon", "workers", "lots", "lots"),
    ("daemon", "shutdown_timeout", "1 minute", "1 minute"),
    ("daemon", "resume", "perhaps", "perhaps"),
    ("daemon", "log_level", "chatty", "chatty"),
    ("daemon", "log_target", "stdrr", "stderr"),
    ("daemon", "state_dir", "", "state_dir"),
    ("daemon", "runtime_dir", "", "runtime_dir"),
    ("daemon", "log_dir", "", "log_dir"),
    ("daemon", "services_dir", "", "services_dir"),
    ("api", "socket", "", "socket"),
    ("api", "socket", "/tmp/" + "x" * 120, "socket"),
    ("api", "group", "no-such-group-here", "no-such-group-here"),
    ("api", "listen", "127.0.0.1", "127.0.0.1"),
    ("api", "listen", "127.0.0.1:99999", "99999"),
    ("api", "listen", "nowhere:80", "nowhere"),
    ("api", "token_file", "", "token_file"),
    ("operations", "timeout", "never", "never"),
    ("operations", "queue_limit", "0", "0"),
    ("operations", "queue_limit_total", "x", "x"),
    ("operations", "history_count", "-3", "-3"),
    ("operations", "history_age", "old", "old"),
    ("journal", "durability", "ful", "full"),
    ("daemon", "exit_with", "web", "exit_with"),
    ("api", "server_names", "example.org", "server_names"),
    ("api", "tls_cert", "/x", "tls_cert"),
    ("api", "tls_key", "/x", "tls_key"),
    ("api", "allow_plain_http", "yes", "allow_plain_http"),
]

BROKEN_FILES = {  # what a file may be: (text, line of the error or None, what the message holds)
    "typo": ("[service]\ncomand = /bin/true\n", 2, "command"),
    "typo-section": ("[servise]\ncommand = /bin/true\n", 1, "service"),
    "bad-duration": (GOOD + "[operation]\ntimeout = 10 fortnights\n", 4, "10 fortnights"),
    "open-quote": ("[service]\ncommand = /bin/echo 'never closed\n", 2, "quot"),
    "binary": (bytes(range(256)) * 8, None, ""),
    "empty": ("", None, "command"),
    "only-comments": ("# nothing\n; here\n", None, "command"),
    "unknown-dependency": (GOOD + "requires = nobody-here\n", 3, "nobody-here"),
    "cycle-a": (GOOD + "requires = cycle-b\n", 3, "cycle-a"),
    "cycle-b": (GOOD + "requires = cycle-a\n", 3, "cycle-b"),
    "itself": (GOOD + "requires = itself\n", 3, "itself"),
    "nul": (b"[service]\ncommand = /bin/true\0 x\n", 2, ""),
    "no-section": ("command = /bin/true\n", 1, "section"),
    "no-equals": ("[service]\ncommand /bin/true\n", 2, "="),
    "open-bracket": ("[service\ncommand = /bin/true\n", 1, "]"),
    "twice": (GOOD + "command = /bin/false\n", 3, "command"),
    "not-utf8": (b"[service]\ncommand = /bin/true\ndescription = \xff\xfe\n", 3, ""),
    "timeout-too-small": (GOOD + "[operation]\ntimeout = 5s\nstop_timeout = 10s\n", None, "10"),
}


class Check(unittest.TestCase):
    """orderlyd --check --config, on files that no daemon needs to read."""

    def check(self, services, config=None):
        with Daemon(services, config=config, start=False) as d:
            found = check_config(d.conf)
            return found.returncode, found.stdout.replace(d.folder, "")

    def test_a_good_configuration_passes(self):
        status, output = self.check({"web": fake(), "db": on_fd()})
        self.assertEqual(status, 0, output)

    def test_every_service_key_with_a_bad_value_is_refused_in_one_run(self):
        services, lines = {}, {}
        for number, (section, key, value, _) in enumerate(BAD_SERVICE_VALUES):
            text = "" if (section, key) == ("service", "command") else GOOD
            if section != "service" or not text:
                text += f"[{section}]\n"
            text += f"{key} = {value}\n"
            services[f"s{number}"], lines[number] = text, text.count("\n")
        status, output = self.check(services)
        self.assertEqual(status, 1, output)
        for number, (section, key, value, word) in enumerate(BAD_SERVICE_VALUES):
            with self.subTest(section=section, key=key, value=value):
                mine = [line for line in output.splitlines() if f"/s{number}.conf:" in line]
                errors = [line for line in mine if re.match(
                    rf"/services\.d/s{number}\.conf:{lines[number]}:\d+: error: {key}: ", line)]
                self.assertTrue(errors, mine or "accepted")
                self.assertIn(word, errors[0])

    def test_every_supervisor_key_with_a_bad_value_is_refused(self):
        for section, key, value, word in BAD_SUPERVISOR_VALUES:
            with self.subTest(section=section, key=key, value=value):
                status, output = self.check({}, {section: {key: value}})
                self.assertEqual(status, 1, output)
                errors = [line for line in output.splitlines() if re.match(
                    rf"/supervisor\.conf:\d+:\d+: error: {key}: ", line)]
                self.assertEqual(len(errors), 1, output)
                self.assertIn(word, errors[0])

    def test_all_errors_of_a_file_are_told_at_once(self):
        text = ("[service]\ncomand = /bin/true\numask = 9\n[opration]\n[recovery]\n"
                "restart = sometimes\nfirst_delay = now\n")
        status, output = self.check({"many": text})
        self.assertEqual(status, 1)
        for line in (2, 3, 4, 6, 7):
            self.assertIn(f"/many.conf:{line}:", output)

    def test_a_typo_is_answered_with_the_nearest_key(self):
        for wrong, right in (("comand", "command"), ("enviroment", "environment"),
                             ("requirs", "requires"), ("autostrat", "autostart")):
            _, output = self.check({"web": f"[service]\n{wrong} = x\n"})
            self.assertIn(f'"{right}"', output.replace("'", '"'), wrong)

    def test_a_key_in_the_wrong_section_is_refused(self):
        status, output = self.check({"web": GOOD + "timeout = 30s\n"})
        self.assertEqual(status, 1, output)
        self.assertIn("/web.conf:3:", output)

    def test_each_broken_file_is_told_with_its_line(self):
        status, output = self.check({name: text for name, (text, _, _) in BROKEN_FILES.items()})
        self.assertEqual(status, 1)
        for name, (_, line, word) in BROKEN_FILES.items():
            with self.subTest(name):
                mine = [text for text in output.splitlines() if f"/{name}.conf" in text]
                self.assertTrue(mine, "nothing was said")
                if line:
                    self.assertTrue(any(f"/{name}.conf:{line}:" in text for text in mine), mine)
                self.assertTrue(any(word in text for text in mine), mine)

    def test_a_cycle_is_shown_as_a_path(self):
        services = {"a": GOOD + "requires = b\n", "b": GOOD + "after = c\n",
                    "c": GOOD + "wants = a\n"}
        status, output = self.check(services)
        self.assertEqual(status, 1)
        self.assertRegex(output, r"a\W+b\W+c\W+a|b\W+c\W+a\W+b|c\W+a\W+b\W+c")

    def test_names_that_are_no_names_are_refused(self):
        status, output = self.check({"sp ace": GOOD, "-dash": GOOD})
        self.assertEqual(status, 1, output)
        self.assertIn("sp ace", output)
        self.assertIn("-dash", output)

    def test_dot_files_and_other_endings_are_skipped(self):
        with Daemon({"web": fake(), ".hidden": "rubbish"}, start=False) as d:
            for name in ("web.conf~", "web.conf.dpkg-new", "README"):
                with open(f"{d.services_dir}/{name}", "w") as f:
                    f.write("rubbish")
            found = check_config(d.conf)
        self.assertEqual(found.returncode, 0, found.stdout)

    def test_comments_continuations_and_spaces(self):
        text = ("# a comment\n  ; another\n[service]\n  command = /bin/echo a \\\n   b # c\n\n"
                "description =  spaces kept ; here  \n")
        status, output = self.check({"web": text})
        self.assertEqual(status, 0, output)

    def test_a_file_that_is_missing_or_a_folder_is_an_error(self):
        for path in ("/nonexistent/supervisor.conf", "/tmp"):
            found = check_config(path)
            self.assertNotEqual(found.returncode, 0)
            self.assertIn(path, found.stdout)

    def test_hostile_shapes_do_not_harm_the_reader(self):
        services = {"long-line": "[service]\ncommand = /bin/echo " + "x" * 200000 + "\n",
                    "long-key": "[service]\n" + "k" * 100000 + " = 1\n",
                    "many-sections": "[service]\n" * 5000, "deep": "[" * 10000,
                    "backslashes": "[service]\ncommand = /bin/true \\\n" + "\\\n" * 5000,
                    "crlf": "[service]\r\ncomand = /bin/true\r\n"}
        status, output = self.check(services)
        self.assertEqual(status, 1, output[:2000])
        for name in ("long-key", "many-sections", "deep", "crlf"):
            self.assertIn(f"/{name}.conf", output)
        self.assertLess(len(output), 400000)

    def test_help_config_names_every_key(self):
        found = subprocess.run([ORDERLYD, "--help-config"], stdout=subprocess.PIPE, text=True,
                               check=True)
        for section, key, value, _ in BAD_SERVICE_VALUES + BAD_SUPERVISOR_VALUES:
            if key != value and key not in LATER:
                self.assertRegex(found.stdout, rf"\b{key}\b", f"[{section}] {key}")

    @unittest.skipUnless(ROOT, "only root runs services as somebody else")
    def test_running_as_root_without_saying_so_is_warned_of(self):
        status, output = self.check({"web": GOOD})
        self.assertEqual(status, 0, output)
        self.assertIn("warning", output)
        _, output = self.check({"web": GOOD + "user = root\n"})
        self.assertNotIn("web.conf", output)

    def test_a_file_that_others_may_write_is_warned_of(self):
        with Daemon({"web": fake()}, start=False) as d:
            os.chmod(d.service_file("web"), 0o666)
            found = check_config(d.conf)
        self.assertRegex(found.stdout, r"web\.conf.*warning")


LATER = {"unit", "bus", "reload_signal", "reload_command", "coalesce", "on_timeout", "url",
         "address", "on_failure", "max_age", "compress", "timestamps", "stderr", "when_full",
         "target", "memory", "cpu", "tasks", "exit_with", "server_names", "tls_cert", "tls_key",
         "allow_plain_http", "backend"}


class Running(unittest.TestCase):
    """What a broken file does to a daemon: nothing, but to be shown."""

    def test_broken_files_keep_no_other_from_running(self):
        services = {name: text for name, (text, _, _) in BROKEN_FILES.items()}
        services.update(good=on_fd(), other=on_fd(service={"requires": "good"}))
        with Daemon(services) as d:
            for name in ("good", "other"):
                d.wait_state(name, "running")
            errors = d.status()["daemon"]["config_errors"]
            for error in errors:
                self.assertEqual(set(error), {"file", "line", "key", "message"})
            for name, (_, line, word) in BROKEN_FILES.items():
                with self.subTest(name):
                    mine = [e for e in errors if e["file"].endswith(f"/{name}.conf")]
                    self.assertTrue(mine, errors)
                    if line:
                        self.assertIn(line, [e["line"] for e in mine])
                    self.assertTrue(any(word in e["message"] or word == e["key"] for e in mine),
                                    mine)
                    answer = d.http("POST", f"/start/{name}")
                    self.assertEqual((answer.status, answer.json["code"]),
                                     (409, "config_refused"))

    def test_a_broken_supervisor_conf_keeps_the_daemon_from_starting_and_says_why(self):
        with Daemon({}, config={"daemon": {"wrokers": "4"}}, start=False) as d:
            found = subprocess.run([ORDERLYD, "--config", d.conf], stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, check=False, timeout=60)
            self.assertNotEqual(found.returncode, 0)
            self.assertIn("supervisor.conf", found.stdout)
            self.assertIn("workers", found.stdout)

    def test_needing_a_service_whose_file_is_refused_fails_that_start_not_the_file(self):
        services = {"db": "[service]\ncomand = x\n",
                    "web": on_fd(service={"requires": "db"}, recovery={"restart": "no"})}
        with Daemon(services) as d:
            record = d.do("start", "web", expect="failed")
            self.assertIn("db", record["detail"])
            errors = d.status()["daemon"]["config_errors"]
            self.assertEqual({os.path.basename(e["file"]) for e in errors}, {"db.conf"})

    def test_reload_adds_removes_changes_and_leaves_the_rest(self):
        with Daemon({"stay": on_fd(), "gone": on_fd(), "edit": on_fd()}) as d:
            d.wait_all_running()
            stay, edit = d.status("stay"), d.status("edit")
            d.write_service("new", on_fd())
            d.write_service("edit", on_fd("--chatty 3"))
            os.unlink(d.service_file("gone"))
            answer = d.http("POST", "/daemon/reload").json
            self.assertEqual((answer["added"], answer["removed"], answer["changed"],
                              answer["unchanged"], answer["errors"]),
                             (["new"], ["gone"], ["edit"], ["stay"], []))
            d.wait_state("new", "running")
            d.wait_status(lambda rows: "gone" not in rows)
            self.assertEqual(len(d.witness("gone", "stop")), 1)
            self.assertEqual(d.status("stay")["pid"], stay["pid"])
            row = d.wait_status(lambda r: r["config_changed"], "edit")
            self.assertEqual(row["pid"], edit["pid"])
            d.do("restart", "edit")
            self.assertFalse(d.status("edit")["config_changed"])
            self.assertEqual(d.http("POST", "/start/gone").status, 404)

    def test_what_can_be_applied_at_once_is(self):
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            d.write_service("web", on_fd(service={"description": "now with words"}))
            self.assertEqual(d.http("POST", "/daemon/reload").json["changed"], ["web"])
            row = d.wait_status(lambda r: r["description"] == "now with words", "web")
            self.assertFalse(row["config_changed"])

    def test_a_broken_new_file_keeps_the_old_service_running(self):
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            before = d.status("web")
            d.write_service("web", "[service]\ncomand = x\n")
            answer = d.http("POST", "/daemon/reload").json
            self.assertEqual([e["line"] for e in answer["errors"]], [2])
            self.assertEqual(answer["removed"], [])
            row = d.wait_status(lambda r: r["config_error"], "web")
            self.assertEqual((row["pid"], row["state"]), (before["pid"], "running"))
            self.assertIn("command", row["config_error"])
            d.do("restart", "web")
            d.write_service("web", on_fd())
            d.http("POST", "/daemon/reload")
            d.wait_status(lambda r: r["config_error"] is None, "web")

    def test_a_strict_reload_changes_nothing_when_anything_is_wrong(self):
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            for number in range(40):
                d.write_service(f"bad{number}", "rubbish\n")
            d.write_service("new", on_fd())
            answer = d.http("POST", "/daemon/reload?strict")
            self.assertEqual((answer.status, answer.json["code"]), (409, "config_refused"))
            for number in range(40):  # every error at once, however many
                self.assertIn(f"bad{number}.conf:1", answer.json["detail"])
            self.assertNotIn("new", [row["name"] for row in d.status()["services"]])

    def test_a_broken_supervisor_conf_does_not_undo_an_earlier_reload(self):
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            with open(d.conf) as f:
                text = f.read()
            for more in ("\n[operations]\ntimeout = 33s\n", "\n[operations]\ntimeout = 33s\nbogus\n"):
                with open(d.conf, "w") as f:
                    f.write(text + more)
                answer = d.http("POST", "/daemon/reload")
                self.assertEqual(answer.status, 200)
                self.assertEqual(d.do("restart", "web")["timeout_seconds"], 33)

    def test_sighup_reloads(self):
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            d.write_service("new", on_fd())
            d.process.send_signal(signal.SIGHUP)
            d.wait_state("new", "running")

    def test_the_settings_of_the_shell_words_arrive_whole(self):
        command = f"{FAKE} --dir @DIR@ --name @NAME@ --print 'a  \"b\" ; $c' --print-error \"x'y\""
        with Daemon({"web": {"service": {"command": command}}}) as d:
            d.wait_witness("web", "start")
            d.do("stop", "web")
            with open(f"{d.log_dir}/web.log") as f:
                self.assertEqual(f.read(), "a  \"b\" ; $c\nx'y\n")


if __name__ == "__main__":
    main()
