"""orderly - a real daemon on a folder of its own, for one test.

    with Daemon({"web": fake("--ready-fd", readiness={"type": "fd"})}) as d:
        d.restart("web")

Waiting is done by the daemon's own waits, never by sleeping. What stories need of the other
modules of this folder is here too: they import from this one alone.
"""
import collections
import ctypes
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from . import guard
from .build import (BUILD, ENDS, FAKE, FAKE_REPORT, GUARD, ORDERLYCTL, ORDERLYD, ROOT, SANITIZE,
                    SLOW, check_config, run_ctl)
from .client import Answer, UnixConnection, ended_by_peer
from .services import conf_text, fake, held, on_fd
from .waits import Hold, Trouble, alive, at_once, wait_pid_gone, wait_written

__all__ = ["ENDS", "FAKE", "FAKE_REPORT", "GUARD", "ORDERLYCTL", "ORDERLYD", "ROOT", "SANITIZE",
           "SLOW", "Daemon", "Hold", "Shared", "Trouble", "alive", "at_once", "check_config", "fake",
           "free_port", "held", "main", "on_fd", "run_ctl", "wait_pid_gone", "wait_written"]

_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)
_SANITIZER_REPORTS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:",
                      "WARNING: ThreadSanitizer", "ThreadSanitizer: ")

Seen = collections.namedtuple("Seen", "word pid ns")


class Daemon:
    """A running orderlyd. Leaving the context stops it and checks that nothing is left."""

    def __init__(self, services=None, config=None, env=None, tcp=False, start=True, wrap=()):
        self.folder = tempfile.mkdtemp(prefix="ord",
                                       dir=os.environ.get("ORDERLY_STORY_FOLDER", "/tmp"))
        os.chmod(self.folder, 0o755)
        guard.watch(self.folder)
        self.dir = f"{self.folder}/w"
        self.services_dir = f"{self.folder}/services.d"
        self.socket = f"{self.folder}/api.sock"
        self.log_dir = f"{self.folder}/log"
        self.state_dir = f"{self.folder}/state"
        self.runtime_dir = f"{self.folder}/run"
        self.conf = f"{self.folder}/supervisor.conf"
        self.log = f"{self.folder}/daemon.log"
        self.token_file = f"{self.folder}/tokens"
        self.port = free_port() if tcp else None
        self.process = None
        self.capabilities = {}
        self._env = dict(env or {})
        self._wrap = list(wrap)
        self._local = threading.local()
        self._life = 0
        self.group = guard.group_for(self.runtime_dir)
        self._start = start
        for path in (self.dir, self.services_dir, self.log_dir, self.state_dir, self.runtime_dir):
            os.mkdir(path)
        os.chmod(self.dir, 0o777)
        self._write_conf(config or {})
        for name, spec in (services or {}).items():
            self.write_service(name, spec)

    # ---- files ----

    def _write_conf(self, config):
        sections = {
            "daemon": {"state_dir": self.state_dir, "runtime_dir": self.runtime_dir,
                       "log_dir": self.log_dir, "services_dir": self.services_dir,
                       "log_target": "stderr", "shutdown_timeout": f"{60 * SLOW}s"},
            "api": {"socket": self.socket},
        }
        if self.port:
            sections["api"].update(listen=f"127.0.0.1:{self.port}", token_file=self.token_file)
        for section, keys in config.items():
            sections.setdefault(section, {}).update(keys)
        with open(self.conf, "w") as f:
            f.write(self.fill(conf_text(sections)))

    def fill(self, text, name=""):
        for mark, value in (("@DIR@", self.dir), ("@NAME@", name), ("@BUILD@", BUILD),
                            ("@FOLDER@", self.folder)):
            text = (text.replace(mark, value) if isinstance(text, str) else
                    text.replace(mark.encode(), value.encode()))
        return text

    def service_file(self, name):
        return f"{self.services_dir}/{name}.conf"

    def write_service(self, name, spec):
        text = self.fill(conf_text(spec), name)
        with open(self.service_file(name), "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())

    def service_text(self, name):
        with open(self.service_file(name)) as f:
            return f.read()

    # ---- its life ----

    def __enter__(self):
        try:
            if self._start:
                self.start()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def environment(self):
        env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LANG": "C",
               "ORDERLY_STORY": self.folder,
               "ASAN_OPTIONS": "exitcode=66:detect_leaks=1:abort_on_error=0",
               "UBSAN_OPTIONS": "print_stacktrace=1:exitcode=66",
               "TSAN_OPTIONS": "exitcode=66:halt_on_error=0:second_deadlock_stack=1"}
        env.update(self._env)
        return env

    def _before_exec(self):
        _libc.prctl(_PDEATHSIG, signal.SIGTERM)

    def start(self, wait=True):
        """Starts it in the foreground, as our child; returns once it accepts requests."""
        assert self.process is None
        self._life += 1
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([*self._wrap, ORDERLYD, "--config", self.conf],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=self.environment(), cwd="/",
                                            preexec_fn=self._before_exec)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self):
        until = time.monotonic() + GUARD
        while True:
            if self.process.poll() is not None:
                raise Trouble(f"orderlyd ended with {self.process.returncode} while starting\n"
                              + self.log_text())
            try:
                if self.http("GET", "/readyz").status == 200:
                    break
            except OSError:
                pass
            if time.monotonic() > until:
                raise Trouble("orderlyd does not get ready")
            time.sleep(0.01)  # there is nothing yet that could be waited on
        self.capabilities = self.http("GET", "/version").json.get("capabilities", {})

    @property
    def pid(self):
        return self.process.pid

    def kill9(self):
        """SIGKILL to the daemon alone; its services live on."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def wait_exit(self, seconds=GUARD):
        """Waits for the daemon to end by itself; it must end well."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Trouble(f"orderlyd does not end within {seconds} s") from None
        self.process = None
        if status != 0:
            raise Trouble(f"orderlyd ended with {status}")

    def stop(self, number=signal.SIGTERM):
        """An orderly stop: services too. The daemon must exit 0."""
        self.process.send_signal(number)
        self.wait_exit()

    def leave(self):
        """Ends the daemon alone and then kills its services: those that take long to stop."""
        answer = self.http("POST", "/daemon/shutdown?leave")
        if answer.status not in (200, 202):
            raise Trouble(f"shutdown: {answer}")
        self.wait_exit()
        guard.kill_all(self.folder)
        guard.remove_group(self.group)

    def restart_daemon(self):
        self.stop()
        self.start()

    def log_text(self):
        try:
            with open(self.log, errors="replace") as f:
                return f.read()
        except OSError:
            return ""

    def show_log(self):
        show_log(self.log_text())

    def __exit__(self, kind, error, trace):
        trouble = None
        try:
            if self.process and self.process.poll() is None:
                self.stop()
            elif self.process:
                trouble = Trouble(f"orderlyd ended by itself with {self.process.returncode}")
        except Exception as e:  # pylint: disable=broad-except
            trouble = e
        left = [guard.describe(pid) for pid in guard.processes_of(self.folder)]
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        guard.kill_all(self.folder)
        groups = guard.groups_below(self.group)
        guard.remove_group(self.group)
        log = self.log_text()
        reports = [line for line in log.splitlines()
                   if any(word in line for word in _SANITIZER_REPORTS)]
        overlap = self.read("overlap")
        shutil.rmtree(self.folder, ignore_errors=True)
        if not trouble and left:
            trouble = Trouble("processes were left behind: " + ", ".join(left))
        if not trouble and groups:
            trouble = Trouble("groups were left behind: " + ", ".join(groups))
        if not trouble and reports:
            trouble = Trouble("a sanitizer reported: " + "; ".join(reports))
        if not trouble and overlap:
            trouble = Trouble("two copies lived at once: " + overlap)
        if kind and not issubclass(kind, unittest.SkipTest) or trouble:
            show_log(log)
        if trouble and not kind:
            raise trouble
        if trouble:
            print(f"and then: {trouble}", file=sys.stderr)

    # ---- asking ----

    def _connection(self, tcp):
        kept = getattr(self._local, "kept", None)
        if kept is None or self._local.life != self._life:
            kept = self._local.kept = {}
            self._local.life = self._life
        if tcp not in kept:
            kept[tcp] = (http.client.HTTPConnection("127.0.0.1", self.port)
                         if tcp else UnixConnection(self.socket))
        elif ended_by_peer(kept[tcp]):
            kept[tcp].close()  # the request opens it again
        return kept[tcp]

    def http(self, method, path, body=None, headers=None, tcp=False, token=None, timeout=None):
        """One request on this thread's kept connection."""
        headers = dict(headers or {})
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection = self._connection(tcp)
        connection.timeout = timeout or GUARD
        try:
            if connection.sock:
                connection.sock.settimeout(connection.timeout)
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            return Answer(response, response.read())
        except BaseException:
            connection.close()
            self._local.kept.pop(tcp, None)
            raise

    def renewed(self):
        """The daemon has become another: what was connected is not."""
        self._life += 1

    def tcp(self, method, path, body=None, headers=None, token=None):
        return self.http(method, path, body, headers, tcp=True, token=token)

    def raw(self, data, tcp=False, seconds=None):
        """Bytes as they are; all that comes back until the daemon closes: a good request must say
        `Connection: close`."""
        s = (socket.create_connection(("127.0.0.1", self.port)) if tcp
             else socket.socket(socket.AF_UNIX))
        with s:
            if not tcp:
                s.connect(self.socket)
            s.settimeout(seconds or GUARD)
            s.sendall(data)
            got = b""
            while True:
                try:
                    piece = s.recv(65536)
                except ConnectionResetError:
                    return got
                if not piece:
                    return got
                got += piece

    def admin_token(self):
        """The secret of the token file that the daemon made at its first start."""
        with open(self.token_file) as f:
            for line in f:
                words = line.split()
                if len(words) == 3 and not line.startswith("#") and words[1] == "admin":
                    return words[2]
        raise Trouble("the token file holds no admin")

    def ctl(self, *args, env=None, input=None, timeout=None, text=True):
        """orderlyctl, told by --socket where the daemon is."""
        return run_ctl("--socket", self.socket, *args, env=env, input=input, timeout=timeout,
                       text=text)

    # ---- operations ----

    def ask(self, action, name, query=""):
        """POST; the accepted operation (it must be accepted)."""
        answer = self.http("POST", f"/{action}/{name}{query}")
        if answer.status != 202:
            raise Trouble(f"{action} {name}: {answer}")
        return answer.json

    def operation(self, number, wait=True):
        """The record; with wait, once it has ended."""
        until = time.monotonic() + GUARD
        while True:
            answer = self.http("GET", f"/operations/{number}" + ("?wait=20" if wait else ""))
            if answer.status not in (200, 202, 409):
                raise Trouble(f"operation {number}: {answer}")
            record = answer.json
            if not wait or record["state"] in ENDS:
                return record
            if time.monotonic() > until:
                raise Trouble(f"operation {number} does not end: {record}")

    def do(self, action, name, query="", expect="succeeded"):
        """Asks and waits for the end, which must be the expected one (None: any)."""
        record = self.operation(self.ask(action, name, query)["id"])
        if expect and record["state"] != expect:
            raise Trouble(f"{action} {name} ended {record['state']}, not {expect}: {record}")
        return record

    def restart(self, name, wait=True):
        return self.do("restart", name) if wait else self.ask("restart", name)

    def operations(self, query="?limit=1000"):
        return self.http("GET", "/operations" + query).json["operations"]

    # ---- status ----

    def status(self, name=None):
        answer = self.http("GET", f"/status/{name}" if name else "/status")
        if answer.status != 200:
            raise Trouble(f"status of {name}: {answer}")
        return answer.json

    def wait_status(self, predicate, name=None, seconds=None):
        """Waits by GET /status?since=&wait= until predicate says yes: of the one service's row, or
        of {name: row}. Returns what it said yes to."""
        until = time.monotonic() + (seconds or GUARD)
        whole = self.http("GET", "/status").json
        rows = {row["name"]: row for row in whole["services"]}
        while True:
            subject = rows.get(name) if name else rows
            if subject is not None and predicate(subject):
                return subject
            left = until - time.monotonic()
            if left <= 0:
                raise Trouble(f"waited in vain; last seen: {json.dumps(subject)}")
            answer = self.http("GET", f"/status?since={whole['revision']}&wait={min(left, 20):.3f}")
            if answer.status != 200:
                raise Trouble(f"status since {whole['revision']}: {answer}")
            whole = answer.json
            if whole["full"]:
                rows = {}
            rows.update({row["name"]: row for row in whole["services"]})
            for gone in whole.get("removed", ()):
                rows.pop(gone, None)

    def wait_state(self, name, state, seconds=None):
        return self.wait_status(lambda row: row["state"] == state, name, seconds)

    def wait_all_running(self, seconds=None):
        return self.wait_status(lambda rows: all(r["state"] == "running" for r in rows.values()),
                                seconds=seconds)

    def wait_idle(self, *names):
        """Waits until nothing is asked of these services, or of any: those of the boot are ready,
        or have failed, and it has been said."""
        return self.wait_status(lambda rows: not any(
            row["active_operation"] or row["queue_length"] for row in rows.values()
            if not names or row["name"] in names))

    # ---- witnesses ----

    def hold(self, name):
        """Holds a service of held() where it is to stop: see Hold."""
        return Hold(self.dir, name)

    def read(self, name):
        try:
            with open(f"{self.dir}/{name}") as f:
                return f.read()
        except OSError:
            return ""

    def witness(self, name, *words):
        """What the service wrote itself: (word, pid, ns), in order; only these words, if given."""
        lines = (line.split() for line in self.read(f"{name}.witness").splitlines())
        return [Seen(word, int(pid), int(ns)) for word, pid, ns in lines
                if not words or word in words]

    def wait_witness(self, name, word, count=1):
        """Waits until the service wrote the word so often: by inotify on its witness."""
        def enough():
            return len(self.witness(name, word)) >= count
        wait_written(self.dir, enough, f"{name} never wrote {count} x \"{word}\"")
        return self.witness(name, word)

    def hurry(self, name, word="term", count=1):
        """Ends the delay of a stop that has begun (of a start: word="start"), the count-th one."""
        os.kill(self.wait_witness(name, word, count)[count - 1].pid, signal.SIGUSR1)

    def report(self, name):
        """What fake-report wrote: {key: [rest of line]}."""
        wait_written(self.dir, lambda: self.read(f"{name}.report"), f"no report of {name}")
        found = collections.defaultdict(list)
        for line in self.read(f"{name}.report").splitlines():
            key, _, rest = line.partition(" ")
            found[key].append(rest.strip())
        return found

    def wait_content(self, name, text):
        """Waits until a file in log_dir is as long as the text, which it must be then: what a
        service has said is written a moment later, even when it has ended."""
        path = f"{self.log_dir}/{name}"
        wait_written(self.log_dir, lambda: os.path.exists(path) and
                     os.path.getsize(path) >= len(text.encode()), f"{name} gets no {text!r}")
        with open(path) as f:
            found = f.read()
        if found != text:
            raise Trouble(f"{name} holds {found!r}, not {text!r}")

    def wait_log(self, text, count=1):
        """Waits until the daemon's own log holds the text so often."""
        wait_written(self.folder, lambda: self.log_text().count(text) >= count,
                      f"the daemon never logged \"{text}\"")


def show_log(text):
    lines = text.splitlines()[-400:]
    print("---- the daemon's log ----", *lines, "----", sep="\n", file=sys.stderr, flush=True)


_ports = []    # a name of ours for each port that was given out: no other test gets it


def free_port():
    """Below what the kernel gives to connections that go out: none can take it before the daemon.
    Nor can another test."""
    while True:
        port = random.randrange(20000, 32000)
        name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with socket.socket() as s:
            try:
                name.bind(f"\0orderly-story-port-{port}")
                s.bind(("0.0.0.0", port))
            except OSError:
                name.close()
                continue
            _ports.append(name)
            return port


class Shared(unittest.TestCase):
    """Tests that share one daemon, self.d; each leaves it as it found it."""
    services, config, tcp = {}, {}, False
    _failed = False

    @classmethod
    def setUpClass(cls):
        cls.d = Daemon(cls.services, config=cls.config, tcp=cls.tcp)
        cls.enterClassContext(cls.d)

    @classmethod
    def tearDownClass(cls):
        if cls._failed:
            cls.d.show_log()

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            type(self)._failed = True


def _capabilities():
    found = [f"user={'root' if ROOT else os.geteuid()}", f"processors={os.cpu_count()}",
             f"kernel={os.uname().release}", f"sanitize={SANITIZE or 'none'}"]
    v2 = [root for root in guard.CGROUP_ROOTS if os.path.exists(f"{root}/cgroup.procs")]
    writable = v2 and os.access(v2[0], os.W_OK)
    found.append(f"cgroup2={'writable' if writable else 'yes' if v2 else 'no'}")
    return " ".join(found)


def main(module="__main__"):
    """Runs a story file: what this machine can do first, what was skipped last; 77 when all was."""
    for program in (ORDERLYD, ORDERLYCTL, FAKE):
        if not os.access(program, os.X_OK):
            sys.exit(f"{program} is missing: ORDERLY_BUILD must name a finished build")
    print(f"capabilities: {_capabilities()}", flush=True)
    result = unittest.main(module=module, exit=False, verbosity=2, warnings="ignore").result
    for test, reason in result.skipped:
        print(f"skipped: {test.id()}: {reason}", flush=True)
    if not result.wasSuccessful():
        sys.exit(1)
    sys.exit(77 if result.testsRun and len(result.skipped) == result.testsRun else 0)
