"""What services say: kept as it was, in order, shown, followed, rotated."""
import glob
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


class Files(unittest.TestCase):
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


class Reading(unittest.TestCase):
    def test_lines_are_the_last_ones(self):
        with Daemon({"web": on_fd("--chatty 500")}) as d:
            d.wait_all_running()
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
            d.wait_all_running()
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
