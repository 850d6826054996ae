"""What units say: read from systemd's journal, in the same way as a service's own log."""
import glob
import os
import re
import socket
import subprocess

from harness.orderly import GUARD, ORDERLYCTL, Daemon, fake, wait_written
from harness.systemd import UnitTest, driven, main, systemctl

NO_RECOVERY = {"restart": "no"}
JOURNAL = "/run/log/journal"


def settle():
    """Until journald has written what it was sent."""
    subprocess.run(["journalctl", "--sync"], check=True, timeout=GUARD)


class LogTest(UnitTest):
    def obeying(self, unit):
        """A unit that runs each line that say() gives it."""
        os.mkfifo(f"{self.dir}/{unit}.say")
        self.unit(unit, Service={"ExecStart": f"/bin/sh -c 'exec 3<>{self.dir}/{unit}.say; "
                                              "while read -r line <&3; do eval \"$$line\"; done'"})

    def say(self, unit, line):
        """Returns when it has been done."""
        done = f"{self.dir}/{unit}.done"
        os.mkfifo(done)
        with open(f"{self.dir}/{unit}.say", "w") as f:
            f.write(f"{line}; echo >{done}\n")
        with open(done) as f:
            f.read()
        os.unlink(done)

    def lines(self, d, name, query=""):
        settle()
        answer = d.http("GET", f"/logs/{name}{query}")
        self.assertEqual(answer.status, 200, answer.text)
        return answer.text.splitlines()


class LastLines(LogTest):
    def test_logs_gives_the_last_lines_of_the_unit_oldest_first(self):
        self.obeying("web.service")
        with Daemon({"web": driven("web.service")}) as d:
            d.do("start", "web")
            self.say("web.service", "seq -f \"line %.0f\" 1 300; echo on stderr >&2")
            expected = [f"line {n}" for n in range(1, 301)] + ["on stderr"]
            for count in (1, 7, 301):
                self.assertEqual(self.lines(d, "web", f"?lines={count}"), expected[-count:])
            self.assertEqual(len(self.lines(d, "web")), 100)
            self.assertEqual(self.lines(d, "web", "?lines=0"), [])
            answer = d.http("GET", "/logs/web")
            self.assertEqual(answer.headers["Content-Type"].split(";")[0], "text/plain")
            found = d.ctl("logs", "-n", "2", "web")
            self.assertEqual((found.returncode, found.stdout), (0, "line 300\non stderr\n"))

    def test_what_systemd_says_of_the_unit_is_there_too(self):
        self.unit("web.service", Service={"Type": "oneshot",
                                          "ExecStart": "/bin/sh -c 'echo mine; exit 3'"})
        self.unit("other.service", Service={"ExecStart": "/bin/sh -c 'echo not mine'"})
        with Daemon({"web": driven("web.service", recovery=NO_RECOVERY)}) as d:
            systemctl("start", "other.service")
            d.do("start", "web", expect="failed")
            found = self.lines(d, "web")
            self.assertIn("mine", found)
            self.assertIn("web.service: Failed with result 'exit-code'.", found)
            self.assertNotIn("not mine", found)

    def test_an_instance_of_a_template_has_its_own_lines(self):
        self.unit("worker@.service", Service={"ExecStart": "/bin/sh -c 'echo I am %i; "
                                                           f"echo yes > {self.dir}/%i; sleep 1000'"})
        names = ("worker@1.service", "worker@2.service")
        with Daemon({f"w{n}": driven(unit) for n, unit in enumerate(names, 1)}) as d:
            for n in (1, 2):
                d.do("start", f"w{n}")
                self.wait_file(str(n), "yes")
            for n in (1, 2):
                said = [line for line in self.lines(d, f"w{n}") if line.startswith("I am")]
                self.assertEqual(said, [f"I am {n}"])

    def test_a_unit_that_never_ran_has_an_empty_log(self):
        with Daemon({"web": driven("never.service")}) as d:
            answer = d.http("GET", "/logs/web")
            self.assertEqual((answer.status, answer.body), (200, b""))

    def test_a_unit_beside_a_process_each_from_its_own_place(self):
        self.obeying("web.service")
        services = {"web": driven("web.service"), "plain": fake("--print", "from-a-process")}
        with Daemon(services) as d:
            d.do("start", "web")
            d.wait_state("plain", "running")
            self.say("web.service", "echo from a unit")
            self.assertEqual(self.lines(d, "web", "?lines=1"), ["from a unit"])
            wait_written(d.log_dir, lambda: self.lines(d, "plain", "?lines=1")
                         == ["from-a-process"], "the process never said it")
            self.assertEqual(glob.glob(f"{d.log_dir}/web*"), [])
            self.assertEqual(glob.glob(f"{d.runtime_dir}/web/*"), [])


class Refusals(LogTest):
    def test_stderr_alone_is_refused(self):
        self.obeying("web.service")
        with Daemon({"web": driven("web.service")}) as d:
            answer = d.http("GET", "/logs/web?stream=stderr")
            self.assertEqual((answer.status, answer.json["code"]), (400, "bad_parameter"))
            self.assertRegex(answer.json["detail"], "web.service.*journal")
            self.assertEqual(d.http("GET", "/logs/web?stream=stdout").status, 200)

    def test_a_rotation_leaves_the_journal_alone(self):
        self.obeying("web.service")
        with Daemon({"web": driven("web.service")}) as d:
            answer = d.http("POST", "/rotate/web")
            self.assertEqual((answer.status, answer.json),
                             (200, {"service": "web", "rotated": False,
                                    "detail": "its log is systemd's journal"}))
            self.assertEqual(d.ctl("rotate", "web").returncode, 0)

    def test_without_a_journal_the_reason_is_given(self):
        self.obeying("web.service")
        with Daemon({"web": driven("web.service")}) as d:
            os.rename(JOURNAL, JOURNAL + ".away")
            try:
                answers = [d.http("GET", f"/logs/web{query}") for query in ("", "?follow")]
            finally:
                os.rename(JOURNAL + ".away", JOURNAL)
            for answer in answers:
                self.assertEqual((answer.status, answer.json["code"]), (404, "not_found"))
                self.assertRegex(answer.json["detail"], "systemd-journald")


class Following(LogTest):
    def follow(self, d, query):
        s = socket.socket(socket.AF_UNIX)
        self.addCleanup(s.close)
        s.connect(d.socket)
        s.settimeout(GUARD)
        s.sendall(f"GET /logs/web?{query}&follow HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        return s

    def wait_for(self, s, got, wanted):
        while wanted not in got:
            piece = s.recv(65536)
            self.assertTrue(piece, f"the stream ended without {wanted!r}")
            got += piece
        return got

    def test_follow_streams_what_comes_over_rotations_of_the_journal(self):
        self.obeying("web.service")
        with Daemon({"web": driven("web.service")}) as d:
            d.do("start", "web")
            self.say("web.service", "echo before; echo last")
            settle()
            s = self.follow(d, "lines=1")
            got = self.wait_for(s, b"", b"last\n")
            for n in range(4):
                self.say("web.service", f"echo line {n} begins; echo line {n} ends >&2")
                got = self.wait_for(s, got, f"line {n} ends\n".encode())
                subprocess.run(["journalctl", "--quiet", "--rotate", "--vacuum-files=1"],
                               check=True, timeout=GUARD)
            systemctl("restart", "systemd-journald.service")
            self.say("web.service", "echo after")
            got = self.wait_for(s, got, b"after\n")
            said = re.findall(rb"^(?:before|last|after|line .*)$", got, re.MULTILINE)
            self.assertEqual(said, [b"last", *(f"line {n} {word}".encode() for n in range(4)
                                               for word in ("begins", "ends")), b"after"])

    def test_follow_goes_on_over_restarts_of_the_unit(self):
        self.unit("web.service", Service={"ExecStart": "/bin/sh -c 'echo again; sleep 1000'"})
        with Daemon({"web": driven("web.service")}) as d:
            s = self.follow(d, "lines=0")
            got = b""
            for count in range(1, 4):
                d.do("restart", "web")
                while got.count(b"again\n") < count:
                    piece = s.recv(65536)
                    self.assertTrue(piece, "the stream ended")
                    got += piece

    def test_others_who_talk_do_not_end_it(self):
        self.obeying("web.service")
        self.obeying("other.service")
        with Daemon({"web": driven("web.service"), "other": driven("other.service")}) as d:
            for name in ("web", "other"):
                d.do("start", name)
            settle()
            s = self.follow(d, "lines=0")
            for n in range(40):     # each is written by itself
                self.say("other.service", f"echo other {n}")
                settle()
            self.say("web.service", "echo mine")
            got = self.wait_for(s, b"", b"mine\n")
            self.assertNotIn(b"other", got)

    def test_a_shutdown_ends_those_who_follow(self):
        self.obeying("web.service")
        with Daemon({"web": driven("web.service")}) as d:
            s = self.follow(d, "lines=0")
            s.recv(100)
            d.stop()
            try:
                while s.recv(65536):
                    pass
            except ConnectionResetError:
                pass

    def test_orderlyctl_logs_f_follows(self):
        self.obeying("web.service")
        with Daemon({"web": driven("web.service")}) as d:
            d.do("start", "web")
            self.say("web.service", "echo line 0")
            settle()
            command = [ORDERLYCTL, "--socket", d.socket, "logs", "-f", "-n", "1", "web"]
            with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  text=True, env=d.environment()) as follow:
                try:
                    for n in range(4):
                        self.assertEqual(follow.stdout.readline(), f"line {n}\n")
                        self.say("web.service", f"echo line {n + 1}")
                finally:
                    follow.kill()


class OfOperations(LogTest):
    def test_an_operation_that_failed_has_the_last_lines_since_it_began(self):
        self.unit("web.service", Service={
            "Type": "oneshot",
            "ExecStart": f"/bin/sh -c 'read what < {self.dir}/what; echo $$what; seq 1 5; exit 3'"})
        with Daemon({"web": driven("web.service", recovery=NO_RECOVERY)}) as d:
            for what in ("first", "second"):
                with open(f"{self.dir}/what", "w") as f:
                    f.write(f"{what}\n")
                ended = d.do("start", "web", expect="failed")
                self.assertEqual([line for line in ended["output"] if re.fullmatch(r"\w+", line)],
                                 [what, "1", "2", "3", "4", "5"])
                self.assertIn("web.service: Failed with result 'exit-code'.", ended["output"])

    def test_it_has_the_last_twenty_of_many(self):
        self.unit("web.service", Service={"Type": "oneshot",
                                          "ExecStart": "/bin/sh -c 'seq 1 5000; exit 3'"})
        with Daemon({"web": driven("web.service", recovery=NO_RECOVERY)}) as d:
            output = d.do("start", "web", expect="failed")["output"]
            self.assertEqual(len(output), 20)
            self.assertIn("5000", output)


if __name__ == "__main__":
    main()
