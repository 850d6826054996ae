"""A private, real systemd for a test file, and hands to work it.

A file that ends with `main()` of this module boots its own when it is run: it calls itself again
below tests/systemd/with-systemd. Units go to /run/systemd/system of that systemd alone.

    class Web(UnitTest):
        def test_it(self):
            self.unit("web.service", Service={"ExecStart": "/bin/sleep infinity"})
            with Daemon({"web": driven("web.service")}) as d:
                d.do("start", "web")
                wait_unit("web.service", ActiveState="active")

Changes are waited for by the bus's signals or by the daemon's own waits, never by sleeping.
"""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from . import guard, orderly
from .build import FAKE, GUARD, SANITIZE
from .bus import Signals
from .waits import Hold, Trouble, wait_written

UNIT_DIR = "/run/systemd/system"
USER_RUNTIME = "/run/user/0"
USER_UNIT_DIR = f"{USER_RUNTIME}/systemd/user"
WITH_SYSTEMD = os.path.abspath(os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                            "../../systemd/with-systemd"))
NO_SYSTEMD = 125    # with-systemd could not get one
SKIPPED = 77


# ---- asking systemd ----

def _environment(user):
    return {**os.environ, "LANG": "C", "SYSTEMD_COLORS": "0", "SYSTEMD_PAGER": "",
            **({"XDG_RUNTIME_DIR": USER_RUNTIME} if user else {})}


def systemctl(*words, user=False, check=True):
    """As typed; what it printed. check: it must end well."""
    done = subprocess.run(["systemctl", *(["--user"] if user else []), "--no-ask-password", *words],
                          env=_environment(user), stdin=subprocess.DEVNULL, timeout=GUARD,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if check and done.returncode != 0:
        raise Trouble(f"systemctl {' '.join(words)} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def show(unit, *names, user=False):
    """{property: text} as systemctl show tells it."""
    chosen = [f"--property={','.join(names)}"] if names else []
    lines = systemctl("show", unit, *chosen, user=user).splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def main_pid(unit, user=False):
    return int(show(unit, "MainPID", user=user)["MainPID"])


def object_path(unit):
    """The unit's object on the bus."""
    return "/org/freedesktop/systemd1/unit/" + "".join(
        chr(byte) if chr(byte).isalpha() and byte < 128 or chr(byte).isdigit() and at
        else f"_{byte:02x}" for at, byte in enumerate(unit.encode()))


def wait_unit(unit, done=None, user=False, seconds=GUARD, **wanted):
    """Waits until done() says yes to show(unit), or its properties are as wanted: ActiveState=
    "failed". A list is any of these. Returns what it said yes to."""
    def enough(seen):
        if done:
            return done(seen)
        return all(seen.get(name) in (value if isinstance(value, (list, tuple)) else [value])
                   for name, value in wanted.items())
    until = time.monotonic() + seconds
    systemctl("show", unit, "--property=Id", user=user)     # an unloaded one tells nothing
    match = f"type='signal',path='{object_path(unit)}'"
    with Signals(match, *([f"{USER_RUNTIME}/bus"] if user else [])) as signals:
        while True:
            seen = show(unit, user=user)
            if enough(seen):
                return seen
            try:
                signals.wait(until - time.monotonic())
            except Trouble as trouble:
                short = {name: seen.get(name) for name in
                         {"ActiveState", "SubState", "Result", *wanted}}
                raise Trouble(f"{unit} never got there; it is {short}") from trouble


# ---- units ----

def unit_text(sections):
    """[Section] key=value; a list is the key several times."""
    lines = []
    for section, keys in sections.items():
        lines.append(f"[{section}]")
        for key, value in keys.items():
            lines += [f"{key}={one}" for one in (value if isinstance(value, list) else [value])]
    return "\n".join(lines) + "\n"


def command(*words):
    """What a unit runs, as ExecStart= wants it, when it is a program of the build. One built for
    ThreadSanitizer finds no room where addresses are spread over more than 28 bits; one that looks
    for leaks at its end hangs when systemd's SIGTERM, which is for the whole group, meets its
    helper."""
    with open("/proc/sys/vm/mmap_rnd_bits") as f:
        spread = int(f.read()) > 28
    before = []
    if SANITIZE == "thread" and spread:
        before = ["/usr/bin/setarch", "-R"]
    elif "address" in SANITIZE:
        before = ["/usr/bin/env", "ASAN_OPTIONS=detect_leaks=0"]
    return " ".join([*before, *words])


def driven(unit, **sections):
    """The file of a service that is this unit."""
    spec = {"service": {"backend": "systemd", "unit": unit}}
    for name, keys in sections.items():
        spec.setdefault(name, {}).update(keys)
    return spec


def wait_found(d, name):
    """Its row once a daemon that has just begun has seen it run: until then, which it may be ready
    before, it is shown as it was last."""
    return d.wait_status(lambda row: row["state"] == "running" and row["pid"], name)


def wait_down(d, name):
    """Its row once it is stopped, and that is known to be wanted: not while a job still stands."""
    return d.wait_status(lambda row: (row["state"], row["goal"]) == ("stopped", "down"), name)


class UnitTest(unittest.TestCase):
    """Every test has a folder, self.dir, for what its units witness; its units are gone after it.
    As cleanups these run when the daemons of a test have ended."""

    def setUp(self):
        if not os.environ.get("WITH_SYSTEMD"):
            raise Trouble("the machine's own systemd is not for tests: end the file with main() of "
                          "harness.systemd")
        self.dir = tempfile.mkdtemp(prefix="unit", dir=os.environ.get("ORDERLY_STORY_FOLDER",
                                                                     "/tmp"))
        os.chmod(self.dir, 0o777)
        self._units, self._gates = [], {}
        self.addCleanup(self._clean)

    def _clean(self):
        for user in (False, True):
            mine = [(name, path) for name, path, owner in self._units if owner == user]
            if not mine:
                continue
            names = [name for name, _ in mine if "@." not in name]
            names += [name.replace("@.", "@*.") for name, _ in mine if "@." in name]
            systemctl("kill", "--signal=KILL", *names, user=user, check=False)
            systemctl("stop", *names, user=user, check=False)
            for _, path in mine:
                if os.path.lexists(path):
                    os.unlink(path)
                shutil.rmtree(path + ".d", ignore_errors=True)
            systemctl("daemon-reload", user=user)
            systemctl("reset-failed", *names, user=user, check=False)
        overlap = self.read("overlap")
        shutil.rmtree(self.dir, ignore_errors=True)
        self.assertEqual(overlap, "", "two copies of a unit's program lived at once")

    def unit(self, name, text=None, user=False, reload=True, **sections):
        """Writes a unit file, anew perhaps, and has systemd read it."""
        folder = USER_UNIT_DIR if user else UNIT_DIR
        path = f"{folder}/{name}"
        if (name, path, user) not in self._units:
            self._units.append((name, path, user))
        with open(path, "w") as f:
            f.write(text if text is not None else unit_text(sections))
        if reload:
            systemctl("daemon-reload", user=user)

    def drop_in(self, name, **sections):
        """More for a unit of this test."""
        os.makedirs(f"{UNIT_DIR}/{name}.d", exist_ok=True)
        with open(f"{UNIT_DIR}/{name}.d/more.conf", "w") as f:
            f.write(unit_text(sections))
        systemctl("daemon-reload")

    def mask(self, name):
        self._units.append((name, f"{UNIT_DIR}/{name}", False))
        os.symlink("/dev/null", f"{UNIT_DIR}/{name}")
        systemctl("daemon-reload")

    def fake(self, name, *options):
        """The command line of fake-service; it bears witness in self.dir as name."""
        return command(FAKE, "--dir", self.dir, "--name", name, *options)

    def fake_unit(self, name, *options, user=False, unit=None, **service):
        """A unit that runs fake-service; keywords are further keys of its [Service]."""
        self.unit(name, user=user, Unit={"StartLimitIntervalSec": "0", **(unit or {})},
                  Service={"ExecStart": self.fake(name.rpartition(".")[0], *options), **service})

    def hold(self, name):
        """Holds what a unit runs with --hold-stop where it is to stop: see Hold."""
        return Hold(self.dir, name)

    def gated_unit(self, name, *options, user=False, **service):
        """A unit that is activating until its gate is opened, once for every start; then it runs
        fake-service. Before that it writes a line into NAME.begun."""
        short = name.rpartition(".")[0]
        gate = f"{self.dir}/{short}.gate"
        os.mkfifo(gate)
        script = (f"echo $$$$ >> {self.dir}/{short}.begun; read go < {gate}; "
                  f"systemd-notify --ready; exec {self.fake(short, *options)}")
        self._gates[name] = os.open(gate, os.O_RDWR | os.O_CLOEXEC)
        self.addCleanup(os.close, self._gates[name])
        self.unit(name, user=user, Unit={"StartLimitIntervalSec": "0"},
                  Service={"Type": "notify", "NotifyAccess": "all", "TimeoutStartSec": "infinity",
                           "ExecStart": f"/bin/sh -c '{script}'", **service})

    def open_gate(self, name):
        os.write(self._gates[name], b"go\n")

    def wait_begun(self, name, count=1):
        """Waits until a gated unit has been started so often."""
        begun = f"{name.rpartition('.')[0]}.begun"
        wait_written(self.dir, lambda: self.read(begun).count("\n") >= count,
                     f"{name} was not started {count} x")

    def read(self, name):
        try:
            with open(f"{self.dir}/{name}") as f:
                return f.read()
        except OSError:
            return ""

    def witness(self, name, *words):
        """(word, pid, ns) as the unit's program wrote them."""
        lines = (line.split() for line in self.read(f"{name}.witness").splitlines())
        return [orderly.Seen(word, int(pid), int(ns)) for word, pid, ns in lines
                if not words or word in words]

    def wait_witness(self, name, word, count=1):
        wait_written(self.dir, lambda: len(self.witness(name, word)) >= count,
                     f"{name} never wrote {count} x \"{word}\"")
        return self.witness(name, word)

    def wait_file(self, name, text=""):
        """Waits until a file in self.dir holds the text."""
        wait_written(self.dir, lambda: os.path.exists(f"{self.dir}/{name}") and
                     text in self.read(name), f"nobody wrote {text!r} into {name}")


# ---- a user's manager ----

_USER_UNITS = {
    "dbus.socket": {"Unit": {"DefaultDependencies": "no"}, "Socket": {"ListenStream": "%t/bus"}},
    "dbus.service": {
        "Unit": {"Requires": "dbus.socket"},
        "Service": {"Type": "notify", "NotifyAccess": "main",
                    "ExecStart": "/usr/bin/dbus-daemon --session --address=systemd: --nofork "
                                 "--nopidfile --systemd-activation --syslog-only"}},
    "default.target": {"Unit": {"Requires": "basic.target dbus.socket dbus.service",
                                "After": "basic.target dbus.socket dbus.service"}},
}


def start_user_manager():
    """`systemd --user` with a session bus of its own, as root, without logind; in the
    XDG_RUNTIME_DIR that is USER_RUNTIME. Again: nothing happens."""
    os.makedirs(USER_UNIT_DIR, mode=0o700, exist_ok=True)
    for name, sections in _USER_UNITS.items():
        with open(f"{USER_UNIT_DIR}/{name}", "w") as f:
            f.write(unit_text(sections))
    with open(f"{UNIT_DIR}/user-manager.service", "w") as f:
        f.write(unit_text({"Service": {
            "Type": "notify", "Delegate": "yes", "KillMode": "mixed",
            "Environment": [f"XDG_RUNTIME_DIR={USER_RUNTIME}", "HOME=/root",
                            f"SYSTEMD_UNIT_PATH={USER_UNIT_DIR}:/usr/lib/systemd/user"],
            "ExecStart": "/lib/systemd/systemd --user"}}))
    systemctl("daemon-reload")
    systemctl("start", "user-manager.service")
    systemctl("start", "dbus.service", user=True)


# ---- running a file ----

def _below_systemd():
    """Runs this file again below with-systemd. What is left of it, whoever is killed, the guard
    removes."""
    folder = tempfile.mkdtemp(prefix="ordsd", dir="/tmp")
    os.chmod(folder, 0o755)
    guard.watch(folder)
    child = subprocess.Popen([WITH_SYSTEMD, sys.executable, "-B", *sys.argv],
                             stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, errors="replace",
                             env={**os.environ, "ORDERLY_STORY_FOLDER": folder}, text=True)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda number, _: child.send_signal(number))
    reason = ""
    for line in child.stderr:
        sys.stderr.write(line)
        sys.stderr.flush()
        if line.startswith("with-systemd: "):
            reason = reason or line.removeprefix("with-systemd: ").strip()
    status = child.wait()
    if status == NO_SYSTEMD:
        print(f"skipped: {os.path.basename(sys.argv[0])}: no private systemd: {reason}", flush=True)
        return SKIPPED
    return status if status >= 0 else 128 - status


def main():
    if not os.environ.get("WITH_SYSTEMD"):
        sys.exit(_below_systemd())
    try:
        orderly.main()
    finally:
        guard.finish()
