"""Configuration: what a file may look like, and what a broken one does to a daemon: nothing."""
import os
import subprocess
import unittest

from harness.orderly import FAKE, ORDERLYD, ROOT, Daemon, check_config, fake, main, on_fd

GOOD = "[service]\ncommand = /bin/true\n"
UNIT = "[service]\nbackend = systemd\nunit = nginx.service\n"
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

    @unittest.skipUnless(ROOT, "only root runs services as somebody else")
    def test_running_as_root_without_saying_so_is_warned_of(self):
        status, output = self.check({"web": GOOD})
        self.assertEqual(status, 0, output)
        self.assertIn("warning", output)
        _, output = self.check({"web": GOOD + "user = root\n"})
        self.assertNotIn("web.conf", output)

    def test_units_and_processes_stand_side_by_side_and_no_unit_is_warned_of(self):
        services = {"web": UNIT, "worker": UNIT.replace("nginx", "worker@3"), "db": on_fd()}
        status, output = self.check(services, config={"daemon": {"shutdown_timeout": "1s"}})
        self.assertEqual(status, 0, output)
        self.assertIn("3 services, no errors", output)
        for name in ("web", "worker"):
            self.assertNotIn(f"/{name}.conf", output)

    def test_a_unit_leaves_to_its_own_file_what_that_says(self):
        status, output = self.check({"web": UNIT + "user = root\n[limits]\nmemory = 1G\n"})
        self.assertEqual(status, 1)
        for place in ("4:8: error: user", "6:10: error: memory"):
            self.assertIn(f"/web.conf:{place}: not with backend = systemd: the unit's own file "
                          "says it (systemctl edit nginx.service)\n", output)

    def test_the_same_unit_is_driven_by_one_service_only(self):
        status, output = self.check({"web": UNIT, "site": UNIT + "bus = user\n", "xweb": UNIT})
        self.assertEqual(status, 1)
        self.assertIn("/xweb.conf:3:8: error: unit: nginx.service is already driven by service web "
                      "(services.d/web.conf)\n", output)
        self.assertIn("\n1 error\n", output)

    def test_a_file_that_others_may_write_is_warned_of(self):
        with Daemon({"web": fake()}, start=False) as d:
            os.chmod(d.service_file("web"), 0o666)
            found = check_config(d.conf)
        self.assertRegex(found.stdout, r"web\.conf.*warning")




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

    def test_the_settings_of_the_shell_words_arrive_whole(self):
        command = f"{FAKE} --dir @DIR@ --name @NAME@ --print 'a  \"b\" ; $c' --print-error \"x'y\""
        with Daemon({"web": {"service": {"command": command}}}) as d:
            d.wait_witness("web", "start")
            d.do("stop", "web")
            d.wait_content("web.log", "a  \"b\" ; $c\nx'y\n")


if __name__ == "__main__":
    main()
