"""The end of a host: systemd's shutdown stops the daemon first, and that its services, in order,
before anything of theirs is killed. Each test boots a systemd of its own and powers it off; what
the services wrote before that is looked at from outside."""
import os
import signal
import subprocess
import sys
import tempfile
import unittest

from harness import guard
from harness.as_unit import UnitDaemon
from harness.build import GUARD
from harness.orderly import Seen, main, on_fd, wait_pid_gone
from harness.systemd import NO_SYSTEMD, WITH_SYSTEMD, systemctl

SERVICES = {"db": on_fd("--stop-delay", "300"),
            "web": on_fd("--stop-delay", "300", service={"requires": "db"}),
            "alone": on_fd("--stop-delay", "300")}


def inside(verb):
    """In the private systemd: a daemon as a unit, then the end. Nothing is tidied up here."""
    guard.watch = lambda folder: None   # who looks from outside removes it
    d = UnitDaemon(SERVICES).__enter__()
    d.wait_all_running()
    with open(f"{os.environ['ORDERLY_STORY_FOLDER']}/where", "w") as f:
        f.write(f"{d.dir}\n{d.log}\n")
    # This ends with us, and is to be stopped like the rest: so it goes only after the daemon.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    daemon = d.pid
    systemctl("--no-block", verb)
    wait_pid_gone(daemon)


class EndOfHost(unittest.TestCase):
    def ends(self, verb):
        folder = tempfile.mkdtemp(prefix="ordsd", dir="/tmp")
        os.chmod(folder, 0o755)
        guard.watch(folder)
        done = subprocess.run([WITH_SYSTEMD, sys.executable, "-B", os.path.abspath(__file__), verb],
                              env={**os.environ, "ORDERLY_STORY_FOLDER": folder}, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=3 * GUARD, check=False)
        if done.returncode == NO_SYSTEMD:
            self.skipTest(f"no private systemd: {done.stdout.strip()}")
        self.assertTrue(os.path.exists(f"{folder}/where"), done.stdout)
        with open(f"{folder}/where") as f:
            return f.read().split()

    def witness(self, folder, name, word):
        with open(f"{folder}/{name}.witness") as f:
            seen = [Seen(*line.split()) for line in f]
        return [int(one.ns) for one in seen if one.word == word]

    def stops_in_order(self, verb):
        folder, log = self.ends(verb)
        for name in SERVICES:       # each has come to its own end, after one signal
            self.assertEqual((len(self.witness(folder, name, "term")),
                              len(self.witness(folder, name, "stop"))), (1, 1), name)
        self.assertLess(self.witness(folder, "web", "stop")[0],
                        self.witness(folder, "db", "term")[0])
        with open(log) as f:
            self.assertIn("orderlyd has ended", f.read())

    def test_a_poweroff_stops_services_in_order(self):
        self.stops_in_order("poweroff")

    def test_a_reboot_is_no_restart_of_the_unit(self):
        self.stops_in_order("reboot")


if __name__ == "__main__":
    if os.environ.get("WITH_SYSTEMD"):
        inside(sys.argv[1])
    else:
        main()
