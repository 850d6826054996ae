"""orderlyctl on a terminal: what services, operators and attackers have written cannot command it;
into a file or pipe it goes as it is."""
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

from harness.orderly import GUARD, ORDERLYCTL, Shared, Trouble, main, on_fd

# Colours, a title, a bell, a clear, C1 CSI as UTF-8 and raw, a direction override, bad UTF-8.
EVIL = b"\x1b[31mred\x1b]0;owned\x07\x08\r \xc2\x9b2J \x9b2J \xe2\x80\xae \xff\xc0\xaf caf\xc3\xa9"
SHOWN = ("\\x1b[31mred\\x1b]0;owned\\x07\\x08\\x0d \\xc2\\x9b2J \\x9b2J \\xe2\\x80\\xae "
         "\\xff\\xc0\\xaf café")
PLAIN = "\x1b[31mred\x1b]0;owned\x07"


class OnATerminal(Shared):
    services = {"evil": on_fd(readiness={"type": "fd"}, operation={"timeout": "20s"}),
                "doomed": {"service": {"command": "sh -c 'cat @DIR@/evil >&2; exit 1'",
                                       "autostart": "no"},
                           "readiness": {"type": "fd"}, "recovery": {"restart": "no"}}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with open(f"{cls.d.dir}/evil", "wb") as f:
            f.write(EVIL + b"\n")
        cls.d.wait_idle()
        cls.d.do("start", "doomed", expect="failed")
        cls.d.wait_status(lambda row: row["state"] == "failed", "doomed")

    def on_terminal(self, *args, term="xterm", columns=200):
        """What a terminal of that kind is sent, and the exit status."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        with subprocess.Popen([ORDERLYCTL, "--socket", self.d.socket, *args], stdin=slave,
                              stdout=slave, stderr=slave, start_new_session=True,
                              env={"PATH": os.environ["PATH"], "TERM": term}) as ctl:
            os.close(slave)
            sent, until = b"", time.monotonic() + GUARD
            while True:
                ready = select.select([master], [], [], max(0, until - time.monotonic()))[0]
                if not ready:
                    ctl.kill()
                    raise Trouble(f"orderlyctl does not end; so far: {sent}")
                try:
                    piece = os.read(master, 65536)
                except OSError:  # the last of it has closed
                    break
                sent += piece
            os.close(master)
        return sent.replace(b"\r\n", b"\n"), ctl.returncode

    def test_log_lines_are_shown_with_escapes(self):
        sent, status = self.on_terminal("logs", "doomed")
        self.assertEqual(status, 0)
        self.assertEqual(sent.decode(), SHOWN + "\n")

    def test_raw_is_raw(self):
        sent, _ = self.on_terminal("logs", "--raw", "doomed")
        self.assertEqual(sent, EVIL + b"\n")

    def test_a_pipe_gets_the_bytes_as_they_are(self):
        self.assertEqual(self.d.ctl("logs", "doomed", text=False).stdout, EVIL + b"\n")

    def test_the_last_lines_of_a_failure_are_shown_with_escapes(self):
        number = str(self.d.operations("?service=doomed")[0]["id"])
        for args in (("start", "doomed"), ("wait", number)):
            with self.subTest(args):
                sent, status = self.on_terminal(*args, term="dumb")
                self.assertEqual(status, 1)
                self.assertIn("\\x1b[31mred\\x1b]0;owned\\x07", sent.decode())
                self.assertNotIn(b"\x1b", sent)
                self.assertNotIn(b"\x07", sent)

    def test_what_a_wrong_word_says_is_shown_with_escapes(self):
        for args in (("restart", PLAIN), ("status", PLAIN), ("logs", PLAIN), (PLAIN,),
                     ("restart", "evil", f"--{PLAIN}"), ("wait", PLAIN), ("status", "*" + PLAIN)):
            with self.subTest(args):
                sent, status = self.on_terminal(*args, term="dumb")
                self.assertNotEqual(status, 0)
                self.assertIn(b"\\x1b[31m", sent)
                self.assertNotIn(b"\x1b", sent)

    def test_colour_and_rewriting_only_where_the_terminal_can(self):
        self.assertIn(b"\x1b[32mrunning\x1b[0m", self.on_terminal("status")[0])
        self.assertIn(b"\x1b[K", self.on_terminal("restart", "evil")[0])
        self.assertNotIn(b"\x1b", self.on_terminal("status", term="dumb")[0])
        self.assertNotIn(b"\x1b", self.on_terminal("restart", "evil", term="dumb")[0])
        self.assertNotIn("\x1b", self.d.ctl("status").stdout + self.d.ctl("restart", "evil").stdout)


if __name__ == "__main__":
    main()
