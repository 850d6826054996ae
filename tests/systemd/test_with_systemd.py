"""The private systemd that the other files here are run in: it passes on, and leaves nothing."""
import glob
import os
import signal
import subprocess
import unittest

from harness.orderly import GUARD, ROOT, main
from harness.systemd import WITH_SYSTEMD

NO_SYSTEMD = 125


def run(*words, **more):
    return subprocess.run([WITH_SYSTEMD, *words], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=GUARD, check=False, **more)


class WithSystemd(unittest.TestCase):
    def setUp(self):
        if not ROOT:
            self.skipTest("needs root")
        probe = run("true")
        if probe.returncode == NO_SYSTEMD:
            self.skipTest(probe.stderr.strip())

    def test_the_command_s_status_is_passed_on(self):
        self.assertEqual(run("sh", "-c", "exit 7").returncode, 7)
        self.assertEqual(run("sh", "-c", "kill -TERM $$").returncode, 128 + signal.SIGTERM)

    def test_the_command_sees_a_whole_system(self):
        done = run("sh", "-c", "systemctl is-system-running && busctl --list | grep -c systemd1"
                               " && journalctl -q -n 1 -o cat && echo $WITH_SYSTEMD")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.split()[0], "running")
        self.assertEqual(done.stdout.split()[-1], "1")

    def test_what_a_unit_writes_to_var_is_not_on_the_machine(self):
        name = f"with-systemd-test-{os.getpid()}"
        done = run("systemd-run", "--quiet", "--wait", f"--property=StateDirectory={name}",
                   f"--property=LogsDirectory={name}", "/usr/bin/touch", f"/var/lib/{name}/x")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(glob.glob(f"/var/*/{name}"), [])

    def test_a_command_that_takes_too_long_is_ended(self):
        done = run("sleep", "86400", env={**os.environ, "WITH_SYSTEMD_TIMEOUT": "1"})
        self.assertEqual(done.returncode, 124)
        self.assertIn("ran past", done.stderr)

    def test_what_the_command_leaves_running_is_ended(self):
        # found by what they run: the number of a namespace that has gone is given to the next one
        ours = f"4242424.{os.getpid()}"
        done = run("sh", "-c", f"systemd-run --quiet sleep {ours}; setsid sleep {ours} "
                               "</dev/null >/dev/null 2>&1 & echo started")
        self.assertEqual(done.stdout, "started\n", done.stderr)
        left = []
        for entry in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                with open(entry, "rb") as f:
                    left += [entry] if f"sleep\0{ours}\0".encode() == f.read() else []
            except OSError:
                pass
        self.assertEqual(left, [])

    def test_poweroff_ends_it(self):
        done = run("sh", "-c", "systemctl poweroff; exec sleep 86400")
        self.assertIn(done.returncode, (137, 143))


class Refused(unittest.TestCase):
    @unittest.skipUnless(ROOT, "needs root")
    def test_without_root_it_says_so(self):
        done = run("true", user=65534, group=65534, extra_groups=[])
        self.assertEqual(done.returncode, NO_SYSTEMD)
        self.assertIn("root", done.stderr)

    def test_without_a_command_it_says_how_it_is_used(self):
        done = run()
        self.assertEqual(done.returncode, NO_SYSTEMD)
        self.assertIn("usage", done.stderr)


if __name__ == "__main__":
    main()
