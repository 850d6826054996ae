"""What services say: kept as it was, in order, shown, followed, rotated; and what becomes of it
when it can't be kept."""
import glob
import gzip
import os
import re
import socket
import subprocess
import unittest

from harness.orderly import GUARD, ORDERLYCTL, Daemon, main, on_fd, wait_written

MANUAL = {"autostart": "no"}


def shell(script, **sections):
    """A service that is a shell script (one line, no single quotes)."""
    spec = {"service": {"command": f"/bin/sh -c '{script}'"}, "readiness": {"type": "immediate"}}
    for name, keys in sections.items():
        spec.setdefault(name, {}).update(keys)
    return spec


def obeys(**sections):
    """A service that runs each line it is given by say()."""
    return shell('exec 3<>@DIR@/@NAME@.say; while read -r line <&3; do eval "$line"; done',
                 **sections)


def say(d, name, line):
    with open(f"{d.dir}/{name}.say", "w") as f:
        f.write(line + "\n")


class Obeying(Daemon):
    """A daemon whose services are all obeys()."""

    def __init__(self, services, **others):
        super().__init__(services, **others)
        for name in services:
            os.mkfifo(f"{self.dir}/{name}.say")


class WithFiles(unittest.TestCase):
    def content(self, d, name):
        with open(f"{d.log_dir}/{name}.log", "rb") as f:
            return f.read()

    def wait_content(self, d, name, done):
        def looks():
            try:
                return done(self.content(d, name))
            except FileNotFoundError:
                return False
        wait_written(d.log_dir, looks, f"{name}.log never got there")
        return self.content(d, name)

    def wait_file(self, d, name):
        wait_written(d.log_dir, lambda: os.path.exists(f"{d.log_dir}/{name}"),
                     f"there never was a {name}")

    def rotate(self, d, name):
        answer = d.http("POST", f"/rotate/{name}")
        self.assertEqual((answer.status, answer.json), (200, {"service": name, "rotated": True}))


class Files(WithFiles):
    def test_stdout_and_stderr_go_to_the_service_s_file(self):
        with Daemon({"web": on_fd("--print hello", "--print-error world", "--chatty 2")}) as d:
            d.wait_all_running()
            found = self.wait_content(d, "web", lambda c: c.count(b"\n") == 4)
            self.assertEqual(found, b"hello\nweb line 1\nweb line 2\nworld\n")
            self.assertEqual(os.stat(f"{d.log_dir}/web.log").st_mode & 0o777, 0o640)

    def test_bytes_are_kept_as_they_are(self):
        script = (r'printf "\000\001\377\376 x\r\n\033[31mred\n"; '
                  'exec sleep 1000')
        with Daemon({"web": shell(script)}) as d:
            d.wait_all_running()
            found = self.wait_content(d, "web", lambda c: c.count(b"\n") == 2)
            self.assertEqual(found, b"\0\1\xff\xfe x\r\n\x1b[31mred\n")
            answer = d.http("GET", "/logs/web?lines=10")
            self.assertEqual(answer.body, found)

    def test_a_flood_loses_and_doubles_no_line(self):
        with Daemon({"web": on_fd("--chatty 200000", log={"max_size": "100M"})}) as d:
            d.wait_all_running()
            found = self.wait_content(d, "web", lambda c: c.count(b"\n") >= 200000)
            self.assertEqual(found, b"".join(b"web line %d\n" % n for n in range(1, 200001)))

    def test_what_a_dying_service_said_last_is_there(self):
        with Daemon({"web": on_fd("--chatty 5000", "--crash-at-start 9", service=MANUAL,
                                  recovery={"restart": "no"})}) as d:
            record = d.do("start", "web", expect="failed")
            self.assertEqual(record["output"], [f"web line {n}" for n in range(4981, 5001)])
            found = self.wait_content(d, "web", lambda c: c.endswith(b"web line 5000\n"))
            self.assertEqual(found.count(b"\n"), 5000)

    def test_a_failed_operation_shows_only_lines_of_its_own_attempt(self):
        with Daemon({"web": on_fd("--print mine", "--crash-at-start 9", service=MANUAL,
                                  recovery={"restart": "no"})}) as d:
            for _ in range(2):
                self.assertEqual(d.do("start", "web", expect="failed")["output"], ["mine"])

    def test_binary_output_of_a_failure_is_valid_json(self):
        script = r'printf "\377\000\033[1m\n"; exit 3'
        with Daemon({"web": shell(script, service=MANUAL, readiness={"type": "fd"},
                                  recovery={"restart": "no"})}) as d:
            record = d.do("start", "web", expect="failed")
            self.assertEqual(len(record["output"]), 1)

    def test_files_are_rotated_by_size_and_no_line_is_split(self):
        with Daemon({"web": on_fd("--chatty 20000", log={"max_size": "64K",
                                                         "max_files": "3"})}) as d:
            d.wait_all_running()
            self.wait_content(d, "web", lambda c: c.endswith(b"web line 20000\n"))
            d.do("stop", "web")
            paths = sorted(glob.glob(f"{d.log_dir}/web.log*"))
            self.assertGreater(len(paths), 1)
            self.assertLessEqual(len(paths), 4)
            whole = []
            for path in paths:
                with open(path, "rb") as f:
                    text = f.read()
                self.assertLess(len(text), 2 * 64 * 1024, path)
                self.assertTrue(text.endswith(b"\n"), path)
                for line in text.splitlines():
                    self.assertRegex(line, rb"^web line \d+$", path)
                whole += [int(line.split()[-1]) for line in text.splitlines()]
            self.assertEqual(sorted(whole), list(range(min(whole), 20001)), "no line is missing")
            answer = d.http("GET", "/logs/web?lines=9000").text.splitlines()
            newest = [f"web line {n}" for n in range(20001 - len(answer), 20001)]
            self.assertEqual(answer, newest, "read across the rotated files")
            self.assertEqual(len(answer), min(9000, len(whole)))

    def test_a_service_without_output_has_an_empty_log(self):
        with Daemon({"web": on_fd(service=MANUAL)}) as d:
            answer = d.http("GET", "/logs/web")
            self.assertEqual((answer.status, answer.body), (200, b""))


class Rotation(WithFiles):
    def test_a_file_is_set_aside_when_it_is_old(self):
        with Obeying({"web": obeys(log={"max_age": "1s", "max_files": "9"})}) as d:
            d.wait_all_running()
            say(d, "web", "echo first")
            self.wait_file(d, "web.log.1")
            say(d, "web", "echo second")
            self.wait_file(d, "web.log.2")
            self.wait_content(d, "web", lambda c: c == b"")
            answer = d.http("GET", "/logs/web?lines=10")
            self.assertEqual(answer.text, "first\nsecond\n")

    def test_a_file_that_grew_old_while_the_daemon_was_away_is_set_aside(self):
        with Obeying({"web": obeys(log={"max_age": "1s"})}) as d:
            d.wait_all_running()
            d.kill9()
            say(d, "web", "echo kept in the FIFO")
            d.start()
            self.wait_file(d, "web.log.1")
            with open(f"{d.log_dir}/web.log.1") as f:
                self.assertEqual(f.read(), "kept in the FIFO\n")

    def test_it_can_be_asked_for(self):
        with Obeying({"web": obeys(log={"stderr": "separate"})}) as d:
            d.wait_all_running()
            say(d, "web", "echo one; echo bad >&2")
            self.wait_content(d, "web", lambda c: c == b"one\n")
            self.wait_content(d, "web.err", lambda c: c == b"bad\n")
            self.rotate(d, "web")
            for name in ("web.log", "web.err.log"):
                self.assertEqual(os.stat(f"{d.log_dir}/{name}").st_size, 0)
                self.assertGreater(os.stat(f"{d.log_dir}/{name}.1").st_size, 0)
            answer = d.http("POST", "/rotate/web")
            self.assertEqual((answer.status, answer.json["rotated"]), (200, False))
            self.assertEqual(answer.json["detail"], "there is nothing in it")
            self.assertFalse(os.path.exists(f"{d.log_dir}/web.log.2"), "an empty one is left alone")
            say(d, "web", "echo two")
            self.wait_content(d, "web", lambda c: c == b"two\n")

    def test_one_that_was_moved_away_while_it_was_empty_is_begun_anew(self):
        with Obeying({"web": obeys()}) as d:
            d.wait_all_running()
            os.rename(f"{d.log_dir}/web.log", f"{d.log_dir}/elsewhere")
            self.rotate(d, "web")
            say(d, "web", "echo one")
            self.wait_content(d, "web", lambda c: c == b"one\n")
            self.assertEqual(os.stat(f"{d.log_dir}/elsewhere").st_size, 0)

    def test_one_in_the_middle_of_a_line_is_done_at_its_end(self):
        with Obeying({"web": obeys()}) as d:
            d.wait_all_running()
            say(d, "web", "printf begun")
            self.wait_content(d, "web", lambda c: c == b"begun")
            answer = d.http("POST", "/rotate/web")
            self.assertEqual((answer.status, answer.json["rotated"]), (409, False))
            say(d, "web", "echo; echo next")
            self.wait_content(d, "web", lambda c: c == b"next\n")
            with open(f"{d.log_dir}/web.log.1") as f:
                self.assertEqual(f.read(), "begun\n")

    def test_old_files_are_compressed_and_read_all_the_same(self):
        with Obeying({"web": obeys(log={"compress": "yes"})}) as d:
            d.wait_all_running()
            for word in ("one", "two"):
                say(d, "web", f"echo {word}")
                self.wait_content(d, "web", lambda c, word=word: c == f"{word}\n".encode())
                self.rotate(d, "web")
                self.wait_file(d, "web.log.1.gz")
            self.wait_file(d, "web.log.2.gz")
            with gzip.open(f"{d.log_dir}/web.log.2.gz") as f:
                self.assertEqual(f.read(), b"one\n")
            say(d, "web", "echo three")
            self.wait_content(d, "web", lambda c: c == b"three\n")
            self.assertEqual(d.http("GET", "/logs/web?lines=10").text, "one\ntwo\nthree\n")
            self.assertEqual(d.http("GET", "/logs/web?lines=2").text, "two\nthree\n")

    def test_compression_that_is_switched_on_later_takes_what_is_there(self):
        with Obeying({"web": obeys()}) as d:
            d.wait_all_running()
            say(d, "web", "echo one")
            self.wait_content(d, "web", lambda c: c == b"one\n")
            self.rotate(d, "web")
            d.write_service("web", obeys(log={"compress": "yes"}))
            self.assertEqual(d.http("POST", "/daemon/reload").status, 200)
            self.wait_file(d, "web.log.1.gz")


class Streams(WithFiles):
    def test_a_separate_stderr_has_its_own_file(self):
        with Obeying({"web": obeys(log={"stderr": "separate"}), "merged": obeys()}) as d:
            d.wait_all_running()
            say(d, "web", "echo good; echo bad >&2")
            self.wait_content(d, "web.err", lambda c: c == b"bad\n")
            self.wait_content(d, "web", lambda c: c == b"good\n")
            self.assertEqual(d.http("GET", "/logs/web").text, "good\n")
            self.assertEqual(d.http("GET", "/logs/web?stream=stderr").text, "bad\n")
            answer = d.http("GET", "/logs/merged?stream=stderr")
            self.assertEqual((answer.status, answer.json["code"]), (400, "bad_parameter"))

    def test_a_failure_shows_the_lines_of_both(self):
        script = "echo good; echo bad >&2; exit 3"
        with Daemon({"web": shell(script, service=MANUAL, readiness={"type": "fd"},
                                  recovery={"restart": "no"}, log={"stderr": "separate"})}) as d:
            record = d.do("start", "web", expect="failed")
            self.assertEqual(record["output"], ["good", "bad"])

    def test_a_stderr_that_was_apart_is_read_after_it_was_merged_and_the_daemon_killed(self):
        with Obeying({"web": obeys(log={"stderr": "separate"})}) as d:
            d.wait_all_running()
            d.write_service("web", obeys())
            d.kill9()
            say(d, "web", "echo bad >&2")
            d.start()
            self.wait_content(d, "web.err", lambda c: c == b"bad\n")
            d.restart("web")
            say(d, "web", "echo worse >&2")
            self.wait_content(d, "web", lambda c: c == b"worse\n")

    def test_each_line_gets_its_time(self):
        with Obeying({"web": obeys(log={"timestamps": "yes"})}) as d:
            d.wait_all_running()
            say(d, "web", "echo one; printf begun")
            self.wait_content(d, "web", lambda c: c.endswith(b"begun"))
            say(d, "web", "echo; echo three")
            found = self.wait_content(d, "web", lambda c: c.endswith(b"three\n"))
            time = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z "
            self.assertRegex(found, rb"\A%bone\n%bbegun\n%bthree\n\Z" % (time, time, time))

    def test_settings_are_taken_up_while_the_service_runs(self):
        with Obeying({"web": obeys(log={"target": "none"})}) as d:
            pid = d.wait_state("web", "running")["pid"]
            say(d, "web", "echo lost; echo done > @DIR@/done".replace("@DIR@", d.dir))
            wait_written(d.dir, lambda: d.read("done"), "the service did not obey")
            d.http("POST", "/rotate/web")   # done by the thread that takes what was said before
            d.write_service("web", obeys(log={"timestamps": "yes"}))
            self.assertEqual(d.http("POST", "/daemon/reload").status, 200)
            d.do("start", "web")  # changes nothing, and comes after what the reload has brought
            say(d, "web", "echo kept")
            found = self.wait_content(d, "web", lambda c: c.endswith(b"kept\n"))
            self.assertEqual(found.count(b"\n"), 1)
            self.assertEqual(d.status("web")["pid"], pid)


class Console(WithFiles):
    def test_lines_are_shown_on_the_daemon_s_stdout_with_their_service(self):
        log = {"target": "console", "stderr": "separate"}
        with Obeying({"web": obeys(log=log), "both": obeys(log={"target": "both"})}) as d:
            d.wait_all_running()
            say(d, "web", "echo good")
            d.wait_log("web | good\n")
            say(d, "web", "echo bad >&2")
            d.wait_log("web ! bad\n")
            say(d, "both", "echo twice")
            d.wait_log("both | twice\n")
            self.wait_content(d, "both", lambda c: c == b"twice\n")
            self.assertFalse(os.path.exists(f"{d.log_dir}/web.log"))

    def test_a_failure_shows_what_went_to_the_console(self):
        script = "echo mine; exit 3"
        with Daemon({"web": shell(script, service=MANUAL, readiness={"type": "fd"},
                                  recovery={"restart": "no"}, log={"target": "console"})}) as d:
            for _ in range(2):
                self.assertEqual(d.do("start", "web", expect="failed")["output"], ["mine"])

    # Its stdout is a FIFO that is full when nobody reads it.
    ON_FIFO = ("/bin/sh", "-c", 'mkfifo "$ORDERLY_STORY/console"; '
               'exec "$@" 1<>"$ORDERLY_STORY/console"', "sh")

    def test_one_that_nobody_reads_holds_only_its_services(self):
        services = {"loud": on_fd("--chatty 20000", log={"target": "console"}), "quiet": on_fd()}
        with Daemon(services, wrap=self.ON_FIFO) as d:
            row = d.wait_status(lambda row: row["log_error"], "loud")
            self.assertEqual(row["log_error"], "Resource temporarily unavailable")
            d.wait_state("quiet", "running")
            d.restart("quiet")
            self.assertIsNone(d.status("quiet")["log_error"])
            with open(f"{d.folder}/console", "rb") as f:
                lines = [f.readline() for _ in range(20000)]
            self.assertEqual(lines, [b"loud | loud line %d\n" % n for n in range(1, 20001)])
            d.wait_status(lambda row: row["log_error"] is None, "loud")
            log = d.status("loud")["log"]
            self.assertEqual(log, {"error": None, "times": 1, "dropped_bytes": 0})

    def test_or_drops_what_is_too_much_and_says_so(self):
        log = {"target": "console", "when_full": "drop"}
        with Daemon({"loud": on_fd("--chatty 20000", log=log)}, wrap=self.ON_FIFO) as d:
            d.wait_state("loud", "running")  # chatty comes first: nothing held it
            d.wait_status(lambda row: row["log_error"], "loud")
            with open(f"{d.folder}/console", "rb") as f:
                lines = [f.readline()]
                while not lines[-1].endswith(b" bytes dropped]\n"):
                    lines.append(f.readline())
            dropped = int(re.fullmatch(rb"loud \| \[orderly: (\d+) bytes dropped\]\n",
                                       lines[-1])[1])
            d.wait_status(lambda row: row["log_error"] is None, "loud")
            self.assertEqual(d.status("loud")["log"],
                             {"error": None, "times": 1, "dropped_bytes": dropped})


class FullDisk(WithFiles):
    # A small file system for log_dir, in a mount namespace that goes with the daemon.
    SMALL = ("unshare", "-m", "/bin/sh", "-c",
             'mount -t tmpfs -o size=256k none "$ORDERLY_STORY/log" && '
             'head -c 128k /dev/zero > "$ORDERLY_STORY/log/ballast" && exec "$@"', "sh")

    @classmethod
    def setUpClass(cls):
        if subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"],
                          capture_output=True, check=False).returncode != 0:
            raise unittest.SkipTest("no mount is permitted here")

    def inside(self, d):
        return f"/proc/{d.pid}/root{d.log_dir}"

    def kept(self, d):
        with open(f"{self.inside(d)}/web.log", "rb") as f:
            return f.read()

    def make_room(self, d):
        os.unlink(f"{self.inside(d)}/ballast")

    def test_output_waits_until_there_is_room(self):
        count = 14500  # 214 kB: more than there is and a FIFO holds, less than there will be
        with Daemon({"web": on_fd(f"--chatty {count}")}, wrap=self.SMALL) as d:
            row = d.wait_status(lambda row: row["log_error"], "web")
            self.assertEqual((row["log_error"], row["state"]),
                             ("No space left on device", "starting"))
            self.make_room(d)
            d.wait_status(lambda row: row["log_error"] is None and row["state"] == "running", "web")
            self.assertEqual(d.status("web")["log"],
                             {"error": None, "times": 1, "dropped_bytes": 0})
            wait_written(self.inside(d), lambda: self.kept(d).count(b"\n") == count,
                         "what it said is not in the file")
            d.do("stop", "web")
            self.assertEqual(d.http("GET", f"/logs/web?lines={2 * count}").text.splitlines(),
                             [f"web line {n}" for n in range(1, count + 1)])

    def test_or_is_dropped_and_counted(self):
        count = 14500
        with Daemon({"web": on_fd(f"--chatty {count}", log={"when_full": "drop"})},
                    wrap=self.SMALL) as d:
            d.wait_status(lambda row: row["log_error"] and row["state"] == "running", "web")
            self.make_room(d)
            d.wait_status(lambda row: row["log_error"] is None, "web")
            log = d.status("web")["log"]
            self.assertEqual((log["error"], log["times"]), (None, 1))
            found = self.kept(d)
            notes = re.findall(rb"^\[orderly: (\d+) bytes dropped\]$", found, re.M)
            self.assertEqual(notes, [b"%d" % log["dropped_bytes"]])
            said = sum(len(f"web line {n}\n") for n in range(1, count + 1))
            note = len(f"[orderly: {log['dropped_bytes']} bytes dropped]\n")
            self.assertIn(len(found) - note - (said - log["dropped_bytes"]), (0, 1))


class Fairness(WithFiles):
    def test_a_flood_does_not_keep_others_from_being_restarted(self):
        loud = shell("exec yes loud and louder", log={"max_size": "1M", "max_files": "1"})
        with Daemon({"loud": loud, "quiet": on_fd("--print here")}) as d:
            d.wait_all_running()
            for count in range(2, 12):
                d.restart("quiet")
                self.wait_content(d, "quiet", lambda c, count=count: c == b"here\n" * count)
            self.wait_file(d, "loud.log.1")


class Reading(unittest.TestCase):
    def test_lines_are_the_last_ones(self):
        with Daemon({"web": on_fd("--chatty 500")}) as d:
            d.wait_content("web.log", "".join(f"web line {n}\n" for n in range(1, 501)))
            d.do("stop", "web")
            for count in (1, 7, 500):
                answer = d.http("GET", f"/logs/web?lines={count}")
                self.assertEqual(answer.status, 200)
                self.assertEqual(answer.headers["Content-Type"].split(";")[0], "text/plain")
                self.assertEqual(answer.text.splitlines(),
                                 [f"web line {n}" for n in range(501 - count, 501)])
            self.assertEqual(d.http("GET", "/logs/web?lines=0").body, b"")

    def test_follow_streams_what_comes(self):
        with Daemon({"web": on_fd("--print again")}) as d:
            d.wait_all_running()
            d.do("restart", "web")
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(d.socket)
                s.settimeout(GUARD)
                s.sendall(b"GET /logs/web?lines=1&follow HTTP/1.1\r\nHost: localhost\r\n\r\n")
                got = b""
                for count in range(1, 5):
                    while got.count(b"again\n") < count:
                        piece = s.recv(65536)
                        self.assertTrue(piece, "the stream ended")
                        got += piece
                    d.do("restart", "web")
            self.assertTrue(got.startswith(b"HTTP/1.1 200"))

    def test_a_shutdown_ends_those_who_follow(self):
        with Daemon({"web": on_fd("--print again")}) as d:
            d.wait_all_running()
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(d.socket)
                s.settimeout(GUARD)
                s.sendall(b"GET /logs/web?follow HTTP/1.1\r\nHost: localhost\r\n\r\n")
                s.recv(100)
                d.stop()
                try:
                    while s.recv(65536):
                        pass
                except ConnectionResetError:
                    pass

    def test_orderlyctl_logs_shows_the_last_lines(self):
        with Daemon({"web": on_fd("--chatty 50")}) as d:
            d.wait_content("web.log", "".join(f"web line {n}\n" for n in range(1, 51)))
            d.do("stop", "web")
            found = d.ctl("logs", "-n", "3", "web")
            self.assertEqual((found.returncode, found.stdout),
                             (0, "web line 48\nweb line 49\nweb line 50\n"))

    def test_orderlyctl_logs_f_follows(self):
        with Daemon({"web": on_fd("--print again")}) as d:
            d.wait_all_running()
            command = [ORDERLYCTL, "--socket", d.socket, "logs", "-f", "-n", "1", "web"]
            with subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, text=True, env=d.environment()) as follow:
                try:
                    for _ in range(3):
                        self.assertEqual(follow.stdout.readline(), "again\n")
                        d.do("restart", "web")
                finally:
                    follow.kill()


class TheDaemonsOwn(unittest.TestCase):
    def test_each_operation_is_accepted_begins_and_ends_in_a_line_each(self):
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            number = d.do("restart", "web")["id"]
            lines = [line for line in d.log_text().splitlines()
                     if re.search(rf"\b{number}\b", line) and "web" in line]
            for word in ("accepted", "began|begins", "ended|succeeded"):
                self.assertTrue(any(re.search(word, line) for line in lines), (word, lines))
            self.assertIn("uid:", "".join(lines))

    def test_log_target_file_writes_to_log_dir(self):
        with Daemon({"web": on_fd()}, config={"daemon": {"log_target": "file"}}) as d:
            d.wait_all_running()
            found = glob.glob(f"{d.log_dir}/orderlyd.log")
            self.assertEqual(len(found), 1)
            with open(found[0]) as f:
                self.assertIn("web", f.read())

    def test_control_characters_of_requests_do_not_reach_the_log_raw(self):
        with Daemon({"web": on_fd()}) as d:
            d.http("POST", "/start/%1b%5b31mred%0afake")
            self.assertNotIn("\x1b", d.log_text())
            self.assertNotIn("\nfake", d.log_text())


if __name__ == "__main__":
    main()
