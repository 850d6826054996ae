"""What docs/threat-model.md promises, tried from the attacker's side: a local user without rights,
a service that runs as another user, who may write where the daemon writes, who holds a token."""
import json
import os
import pty
import signal
import socket
import stat
import subprocess
import unittest

from harness.orderly import (GUARD, ORDERLYCTL, ORDERLYD, ROOT, Daemon, Trouble, check_config, fake,
                             main, wait_written)

STRANGER = 54321      # a uid that is nobody's
VICTIM = 54322        # another one
SECRET = "hunter2-is-the-secret"
TOKEN = "reader-0123456789abcdef"
IDLE = {"service": {"command": "/bin/sleep 1000"}, "readiness": {"type": "immediate"}}


def as_user(uid, function):
    """What the function gives, or raises, when it is called as somebody else."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            try:
                result = function()
            except OSError as e:
                result = type(e).__name__
            os.write(write, json.dumps(result).encode()[:65536])
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as f:
        got = f.read()
    os.waitpid(child, 0)
    return json.loads(got)


def can(uid, flags, path):
    """Whether somebody may open it; a FIFO is not waited for."""
    def attempt():
        os.close(os.open(path, flags | os.O_NONBLOCK))
        return "opened"
    return as_user(uid, attempt) == "opened"


def script(text, **service):
    """A service that is a shell script: a file of its own, so that nothing needs quoting."""
    return {"service": {"command": "/bin/sh @FOLDER@/script", **service},
            "readiness": {"type": "immediate"}}, text


def with_script(spec, config=None, more=None, **options):
    keys, text = spec
    d = Daemon({"web": keys, **(more or {})}, config=config, **options)
    with open(f"{d.folder}/script", "w") as f:
        f.write(d.fill(text))
    return d


def tree(folder):
    return sorted(os.path.join(root, name)
                  for root, folders, files in os.walk(folder) for name in folders + files)


def written(d, name, text=""):
    """A file of the test's own, which nobody is to touch."""
    path = f"{d.folder}/{name}"
    with open(path, "w") as f:
        f.write(text or "untouched\n")
    os.chmod(path, 0o600)
    return path


def write_tokens(d, *lines):
    with open(d.token_file, "w", opener=lambda p, f: os.open(p, f, 0o600)) as f:
        f.write("\n".join(lines) + "\n")


class Untouched(unittest.TestCase):
    def untouched(self, victim, text="untouched\n"):
        st = os.stat(victim)
        self.assertEqual((st.st_uid, stat.S_IMODE(st.st_mode)), (0, 0o600))
        with open(victim) as f:
            self.assertEqual(f.read(), text)


class NamesAreNoPaths(unittest.TestCase):
    NAMES = ("..", "%2e%2e", "..%2f..%2f..%2fetc%2fpasswd", "%2fetc%2fpasswd", "web%2f..%2fweb",
             "web%00", "web%00.conf", ".web", "web.log", "web.log.1", "../state/token",
             "..%2fstate%2ftoken", "%c0%ae%c0%ae%c0%af", "web%0a", "-web", "a" * 101, "@web", "*")

    def test_no_name_reaches_the_file_system(self):
        run = subprocess.run([ORDERLYD, "--help-api"], stdout=subprocess.PIPE, check=True,
                             timeout=GUARD)
        routes = [r for r in json.loads(run.stdout)["routes"] if "<service>" in r["path"]]
        self.assertGreater(len(routes), 5)
        with Daemon({"web": IDLE}) as d:
            d.wait_all_running()
            before = tree(d.folder)
            for route in routes:
                query = {"PUT": "?goal=down", "POST": "?signal=TERM"}.get(route["method"], "")
                for name in self.NAMES:
                    path = route["path"].replace("<service>", name)
                    answer = d.http(route["method"], path + query * ("signal" in path or
                                                                      "goal" in path))
                    with self.subTest(route["method"] + " " + path):
                        self.assertIn(answer.status, (400, 404), answer)
                        self.assertNotIn(b"root:", answer.body)
            self.assertEqual(tree(d.folder), before)
            self.assertEqual(len(d.operations()), 1, "the start at boot")

    def test_neither_do_headers_and_parameters(self):
        with Daemon({"web": IDLE}) as d:
            d.wait_all_running()
            before = tree(d.folder)
            for value in ("../../pwned", "/pwned", "%2e%2e%2fpwned"):
                answer = d.http("POST", f"/restart/web?wait&reason={value}",
                                headers={"Idempotency-Key": value, "User-Agent": value,
                                         "Referer": value, "If-None-Match": value})
                self.assertEqual(answer.status, 200, answer)
                d.http("GET", f"/logs/web?stream={value}")
                d.http("GET", f"/operations?service={value}")
            self.assertEqual([p for p in tree(d.folder) if "pwned" in p], [])
            self.assertEqual(tree(d.folder), before)

    def test_a_service_that_is_called_as_a_file_of_the_daemon_harms_nobody(self):
        config = {"api": {"socket": "@FOLDER@/run/api.sock"}}
        names = ("api.sock", "lock", "marks", "instances")
        d = Daemon({name: IDLE for name in ("web", *names)}, config=config)
        d.socket = f"{d.runtime_dir}/api.sock"
        with d:
            d.wait_state("web", "running")
            for name in names:
                answer = d.http("POST", f"/start/{name}?wait")
                with self.subTest(name):
                    self.assertEqual(answer.json.get("code"), "config_refused", answer)

    def test_a_pattern_that_no_name_can_match_is_refused_by_its_length(self):
        with Daemon({"web": fake()}) as d:
            pattern = "*[" + "a" * 60000 + "]*"
            answer = d.http("POST", "/operations", json.dumps(
                {"operations": [{"action": "stop", "service": pattern}]}))
            self.assertEqual((answer.status, answer.json["code"]), (400, "bad_body"), answer)


@unittest.skipUnless(ROOT, "only root can be somebody else")
class FilesOfTheDaemon(Untouched):
    FOLDERS = {"daemon": {name: f"@FOLDER@/made/{name}"
                          for name in ("state_dir", "runtime_dir", "log_dir")}}
    FOLDERS["daemon"]["log_target"] = "file"

    def test_a_stranger_reads_and_writes_none_of_them(self):
        d = Daemon({"web": fake(service={"user": str(VICTIM), "group": str(VICTIM)},
                                readiness={"type": "fd"})}, config=self.FOLDERS, tcp=True)
        os.mkdir(f"{d.folder}/made")
        with open(d.service_file("web"), "w") as f:
            f.write("[service]\ncommand = /bin/sleep 1000\n"
                    f"user = {VICTIM}\ngroup = {VICTIM}\n[readiness]\ntype = immediate\n")
        with d:
            d.wait_all_running()
            d.do("restart", "web")
            files = [p for p in tree(f"{d.folder}/made") if not os.path.isdir(p)]
            names = {os.path.basename(p) for p in files}
            self.assertLessEqual({"state.db", "lock", "instances", "marks", "out",
                                  "orderlyd.log"}, names)
            for path in [*files, d.token_file, d.socket]:
                with self.subTest(path):
                    self.assertFalse(can(STRANGER, os.O_RDONLY, path))
                    self.assertFalse(can(STRANGER, os.O_WRONLY, path))
                    self.assertEqual(os.lstat(path).st_mode & 0o7007, 0)
            for folder in [p for p in tree(d.folder) if os.path.isdir(p) and p != d.dir]:
                with self.subTest(folder):
                    self.assertFalse(as_user(STRANGER, lambda f=folder: os.access(f, os.W_OK)))
            for folder in ("state_dir", "log_dir"):
                path = f"{d.folder}/made/{folder}"
                self.assertIsInstance(as_user(STRANGER, lambda p=path: os.listdir(p)), str)

    def test_a_stranger_cannot_connect_nor_end_the_daemon(self):
        with Daemon({"web": fake()}) as d:
            def connect():
                with socket.socket(socket.AF_UNIX) as s:
                    s.connect(d.socket)
                return "connected"
            self.assertEqual(as_user(STRANGER, connect), "PermissionError")
            self.assertEqual(stat.S_IMODE(os.stat(d.socket).st_mode), 0o660)
            for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGKILL):
                self.assertEqual(as_user(STRANGER, lambda n=number: os.kill(d.pid, n)),
                                 "PermissionError")
            self.assertEqual(d.http("GET", "/healthz").status, 200)

    def refused(self, d, folder):
        with self.assertRaises(Trouble):
            d.start()
        self.assertNotEqual(d.process.returncode, 0)
        d.process = None
        self.assertIn(folder, d.log_text())

    def test_folders_that_others_own_or_may_write_are_refused(self):
        for folder in ("state_dir", "runtime_dir"):
            for harm in (lambda p: os.chown(p, STRANGER, STRANGER), lambda p: os.chmod(p, 0o777)):
                with self.subTest(folder), Daemon({"web": fake()}, start=False) as d:
                    harm(getattr(d, folder))
                    self.refused(d, getattr(d, folder))

    def test_a_link_to_a_folder_of_somebody_else_is_refused(self):
        with Daemon({"web": fake()}, start=False) as d:
            os.mkdir(f"{d.folder}/theirs")
            os.chown(f"{d.folder}/theirs", STRANGER, STRANGER)
            os.rmdir(d.runtime_dir)
            os.symlink(f"{d.folder}/theirs", d.runtime_dir)
            self.refused(d, d.runtime_dir)

    def test_links_in_the_place_of_its_files_are_not_followed(self):
        for name in ("run/instances", "run/marks", "run/web/out", "api.sock"):
            service = fake(service={"autostart": "no"})
            with self.subTest(name), Daemon({"web": service}, start=False) as d:
                victim = written(d, "victim")
                os.makedirs(os.path.dirname(f"{d.folder}/{name}"), exist_ok=True)
                os.symlink(victim, f"{d.folder}/{name}")
                if name.endswith("out"):
                    d.start()
                    d.do("start", "web", expect="failed")
                else:
                    self.refused(d, name)
                self.untouched(victim)


@unittest.skipUnless(ROOT, "only root can be somebody else")
class LogsInAFolderOfSomebodyElse(Untouched):
    """log_dir may belong to who runs the application: what lies there is not believed."""
    def daemon(self, **options):
        d = Daemon({"web": fake("--print said")}, **options)
        os.chown(d.log_dir, STRANGER, STRANGER)
        return d

    def link(self, d, name, victim):
        as_user(STRANGER, lambda: os.symlink(victim, f"{d.log_dir}/{name}"))

    def test_root_writes_through_no_link(self):
        with self.daemon(start=False) as d:
            victim = written(d, "victim")
            self.link(d, "web.log", victim)
            d.start()
            d.do("start", "web", expect=None)
            d.http("GET", "/logs/web")  # what was written has been taken by then
            self.untouched(victim)

    def test_a_rotation_cuts_no_file_elsewhere(self):
        with self.daemon() as d:
            d.wait_all_running()
            victim = written(d, "victim")
            self.link(d, "web.log.new", victim)
            d.http("POST", "/rotate/web")
            self.untouched(victim)

    def test_nothing_is_read_through_a_link(self):
        with self.daemon() as d:
            d.wait_all_running()
            victim = written(d, "victim", SECRET + "\n")
            self.link(d, "web.log.1", victim)
            self.assertNotIn(SECRET, d.http("GET", "/logs/web?lines=100000").text)
            self.untouched(victim, SECRET + "\n")

    def test_neither_is_the_daemon_s_own_log(self):
        with self.daemon(start=False, config={"daemon": {"log_target": "file"}}) as d:
            victim = written(d, "victim")
            self.link(d, "orderlyd.log", victim)
            d.start(wait=False)
            try:
                d.wait_ready()
            except Trouble:  # it need not start
                d.process = None
            self.untouched(victim)


@unittest.skipUnless(ROOT, "only root runs services as somebody else")
class AServiceOfAnotherUser(unittest.TestCase):
    def as_service(self, text, **options):
        """Runs the script once as the stranger; what it wrote into DIR/answer."""
        spec = script(text + "\nmv @DIR@/answer.new @DIR@/answer\nexec sleep 1000\n",
                      user=str(STRANGER), group=str(STRANGER))
        with with_script(spec, **options) as d:
            wait_written(d.dir, lambda: d.read("answer"), "the service never answered")
            return d.read("answer")

    def test_it_has_no_privilege_left(self):
        answer = self.as_service("cat /proc/self/status > @DIR@/answer.new")
        status = dict(line.split(":\t", 1) for line in answer.splitlines() if ":\t" in line)
        for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            self.assertEqual(int(status[kind], 16), 0, kind)
        ids = "\t".join([str(STRANGER)] * 4)
        self.assertEqual((status["Uid"], status["Gid"]), (ids, ids))
        self.assertEqual(status["Groups"].split(), [str(STRANGER)])

    def test_it_has_nothing_of_the_daemon_open(self):
        answer = self.as_service("for f in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20\n"
                                 "do readlink /proc/$$/fd/$f; done | cat > @DIR@/answer.new")
        found = [line for line in answer.splitlines() if not line.endswith("/script")]
        self.assertEqual(len(found), 3, found)
        self.assertEqual(found[0], "/dev/null")
        self.assertTrue(found[1].endswith("/run/web/out") and found[2] == found[1], found)

    def test_it_cannot_put_anything_in_the_place_of_its_fifo(self):
        attempts = ("rm -f @FOLDER@/run/web/out", "mv @FOLDER@/run/web/out @FOLDER@/run/web/o",
                    "ln -sfn /etc/passwd @FOLDER@/run/web/out", "mkdir @FOLDER@/run/web/d",
                    "mv @FOLDER@/run/web @FOLDER@/run/x", "rmdir @FOLDER@/run/web",
                    "ln -s / @FOLDER@/run/other", "ln -sf /etc/passwd @FOLDER@/log/web.log")
        text = "exec 3> @DIR@/answer.new\n" + "".join(
            f"{attempt} 2>/dev/null && echo '{attempt}' >&3\n" for attempt in attempts)
        self.assertEqual(self.as_service(text + "echo tried >&3"), "tried\n")

    def test_what_it_does_to_its_fifo_is_undone_at_the_next_start(self):
        spec = script("chmod 0666 @FOLDER@/run/web/out\necho done > @DIR@/done\n"
                      "exec sleep 1000\n", user=str(STRANGER), group=str(STRANGER))
        with with_script(spec) as d:
            out = f"{d.runtime_dir}/web/out"
            wait_written(d.dir, lambda: d.read("done"), "the service did not answer")
            self.assertEqual(stat.S_IMODE(os.stat(out).st_mode), 0o666)
            with open(f"{d.folder}/script", "w") as f:
                f.write("exec sleep 1000\n")
            d.do("restart", "web")
            self.assertEqual(stat.S_IMODE(os.stat(out).st_mode), 0o600)

    def test_it_cannot_look_into_the_daemon_nor_signal_it(self):
        text = ("exec 3> @DIR@/answer.new\n"
                "daemon=$(cat @DIR@/daemon)\n"
                "for f in environ mem fd/0 maps; do cat /proc/$daemon/$f >/dev/null 2>&1 &&"
                " echo $f >&3; done\n"
                "kill -TERM $daemon 2>/dev/null && echo killed >&3\n"
                "if [ $PPID != $daemon ]; then kill -KILL $PPID && echo parent >&3; fi\n"
                "echo tried >&3")
        for env in ({}, {"ORDERLY_CONTAINMENT": "best-effort"}):  # with an executor above it, too
            spec = script("while ! [ -s @DIR@/daemon ]; do sleep 0.01; done\n" + text +
                          "\nmv @DIR@/answer.new @DIR@/answer\nexec sleep 1000\n",
                          user=str(STRANGER), group=str(STRANGER))
            with self.subTest(env), with_script(spec, env=env) as d:
                with open(f"{d.dir}/daemon", "w") as f:
                    f.write(str(d.pid))
                wait_written(d.dir, lambda d=d: d.read("answer"), "the service never answered")
                self.assertEqual(d.read("answer"), "tried\n")

    def test_it_leads_no_signal_to_the_process_of_another(self):
        """A process is a part of a service only by a marker in its own environment."""
        with Daemon({"web": fake()}, env={"ORDERLY_CONTAINMENT": "best-effort"}) as d:
            d.wait_all_running()
            with open(f"/proc/{d.status('web')['pid']}/environ") as f:
                marks = [e for e in f.read().split("\0") if e.startswith("ORDERLY_")]
            self.assertGreater(len(marks), 1)
            env = {f"X{i}{mark}".replace("=", "_"): mark for i, mark in enumerate(marks)}
            other = subprocess.Popen(["/bin/sleep", "1000"], cwd="/", env=env,
                                     stdin=subprocess.DEVNULL)
            try:
                d.do("stop", "web")
                self.assertIsNone(other.poll())
            finally:
                other.kill()
                other.wait()


class Secrets(unittest.TestCase):
    def reads(self, d):
        """All that the role read is shown, and the daemon's own log."""
        paths = ["/status", "/operations", "/version", "/healthz", "/readyz"]
        paths += [f"/status/{row['name']}" for row in d.status()["services"]]
        paths += [f"/operations/{record['id']}" for record in d.operations()]
        return {path: d.http("GET", path).text for path in paths} | {"the log": d.log_text()}

    def not_shown(self, d, secret=SECRET):
        for where, text in self.reads(d).items():
            with self.subTest(where):
                self.assertNotIn(secret, text)

    def test_environment_and_arguments_are_shown_to_nobody(self):
        web = fake(service={"environment": f"DB_PASSWORD={SECRET}"})
        web["service"]["command"] = f"/bin/sh -c 'exec sleep 1000' {SECRET}"
        broken = {"service": {"command": f"/nonexistent/program --password {SECRET}",
                              "environment": f"DB_PASSWORD={SECRET}"},
                  "recovery": {"restart": "no"}}
        with Daemon({"web": web, "broken": broken}) as d:
            d.wait_state("web", "running")
            d.wait_state("broken", "failed")
            d.do("restart", "web")
            self.assertNotIn(SECRET, d.http("POST", "/daemon/reload").text)
            self.not_shown(d)

    def test_a_line_that_is_wrong_is_told_by_its_place_and_not_by_its_secret(self):
        lines = (f"environment = DB_PASSWORD=one {SECRET}", f"environment = 1={SECRET}",
                 f"environment = A='{SECRET}", f"environment = A={SECRET} A={SECRET}2",
                 f"environment = A=$({SECRET})", f"command = /bin/true '{SECRET}")
        services = {f"wrong{i}": f"[service]\ncommand = /bin/true\n{line}\n"
                    if not line.startswith("command") else f"[service]\n{line}\n"
                    for i, line in enumerate(lines)}
        with Daemon({"web": fake(), **services}) as d:
            for i in range(len(lines)):
                answer = d.http("POST", f"/start/wrong{i}")
                self.assertEqual(answer.json["code"], "config_refused")
                with self.subTest(lines[i]):
                    self.assertNotIn(SECRET, answer.text)
            self.assertNotIn(SECRET, d.http("POST", "/daemon/reload").text)
            self.not_shown(d)

    def test_a_wrong_line_of_an_environment_file_is_told_by_its_number(self):
        with Daemon({"web": fake(service={"environment_file": "@FOLDER@/env"},
                                 recovery={"restart": "no"})}, start=False) as d:
            written(d, "env", f"GOOD=1\nDB PASSWORD {SECRET}\n")
            d.start()
            d.wait_state("web", "failed")
            self.assertIn("line 2", d.do("start", "web", expect="failed")["detail"])
            self.not_shown(d)

    def test_a_token_is_nowhere_but_in_its_file(self):
        with Daemon({"web": fake(service={"environment": "A=1"})}, tcp=True,
                    env={"ORDERLY_TOKEN": SECRET}) as d:
            write_tokens(d, f"boss admin {SECRET}", f"reader read {TOKEN}")
            self.assertEqual(d.http("POST", "/daemon/reload").json["errors"], [])
            for token in (SECRET, TOKEN, SECRET + "x"):
                d.tcp("POST", "/restart/web?wait", token=token)
                d.tcp("GET", "/nowhere", token=token)
            for secret in (SECRET, TOKEN):
                self.not_shown(d, secret)
                for name in os.listdir(d.state_dir):
                    with open(f"{d.state_dir}/{name}", "rb") as f:
                        self.assertNotIn(secret.encode(), f.read(), name)
            with open(f"/proc/{d.pid}/cmdline", "rb") as f:
                self.assertNotIn(SECRET.encode(), f.read())
            with open(f"/proc/{d.status('web')['pid']}/environ", "rb") as f:
                self.assertNotIn(SECRET.encode(), f.read())

    def test_a_token_file_whose_words_are_in_the_wrong_order_shows_none(self):
        with Daemon({"web": fake()}, tcp=True) as d:
            for line in (f"{SECRET} admin deploy", f"{SECRET} deploy admin",
                         f"deploy {SECRET} admin", f"admin deploy {SECRET} x"):
                with self.subTest(line):
                    write_tokens(d, line)
                    answer = d.http("POST", "/daemon/reload")
                    self.assertEqual(len(answer.json["errors"]), 1, answer)
                    self.assertNotIn(SECRET, answer.text)
                    self.assertNotIn(SECRET, d.http("POST", "/daemon/reload?strict").text)
            self.assertNotIn(SECRET, d.log_text())

    def test_who_has_lost_the_token_is_not_told_what_comes_after(self):
        spec = script("exec 3<>@DIR@/in\nwhile read -r line <&3; do echo \"$line\"; done\n")
        d = with_script(spec, tcp=True)
        os.mkfifo(f"{d.dir}/in")
        say = os.open(f"{d.dir}/in", os.O_RDWR)
        with d, os.fdopen(say, "wb", buffering=0) as say, socket.socket() as s:
            write_tokens(d, f"reader read {TOKEN}")
            self.assertEqual(d.http("POST", "/daemon/reload").json["errors"], [])
            say.write(b"before\n")
            s.connect(("127.0.0.1", d.port))
            s.settimeout(GUARD)
            s.sendall(b"GET /logs/web?follow HTTP/1.1\r\nHost: localhost\r\n"
                      b"Connection: close\r\nAuthorization: Bearer " + TOKEN.encode() + b"\r\n\r\n")
            got = b""
            while b"before" not in got:
                got += s.recv(65536)
            write_tokens(d, "other read 0123456789abcdef0123")
            self.assertEqual(d.http("POST", "/daemon/reload").json["errors"], [])
            say.write(SECRET.encode() + b"\n")
            while SECRET.encode() not in got:
                piece = s.recv(65536)
                if not piece:
                    break
                got += piece
            self.assertNotIn(SECRET.encode(), got)


class WhatATerminalObeys(unittest.TestCase):
    # ESC and OSC, C1 controls as UTF-8 and as bytes, an order of writing that is turned around
    OUTPUT = r"\033[2J\033]0;title\007\302\233[31m\233[31m\342\200\256cod\r\b"
    OBEYED = (b"\x1b[2J", b"\x1b]0;", b"\x07", b"\xc2\x9b", b"\x9b", b"\xe2\x80\xae", b"\b")

    def setUp(self):
        web = script(f"printf '{self.OUTPUT}\\n'\nexit 1\n")
        web[0]["recovery"] = {"restart": "no"}
        web[0]["readiness"] = {"type": "delay", "delay": "5s"}
        self.d = self.enterContext(with_script(web))
        self.d.wait_state("web", "failed")

    def on_terminal(self, *args):
        """What orderlyctl writes when it writes to a terminal."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen([ORDERLYCTL, "--socket", self.d.socket, *args], cwd="/",
                                   stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
                                   env={"TERM": "xterm", "PATH": "/usr/bin:/bin"})
        os.close(theirs)
        got = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            got += piece
        os.close(ours)
        process.wait(GUARD)
        return got

    def test_none_of_it_reaches_the_operator_s(self):
        for args in (["logs", "web"], ["start", "web"], ["history", "web"], ["status", "web"],
                     ["queue"], ["--json", "history", "web"]):
            got = self.on_terminal(*args)
            for harm in self.OBEYED[:4] if "--json" in args else self.OBEYED:
                with self.subTest(args, harm=harm):
                    self.assertNotIn(harm, got)

    def test_json_holds_none_of_the_controls_as_they_are(self):
        record = self.d.do("start", "web", expect="failed")
        self.assertTrue(any("[31m" in line for line in record["output"]), record)
        body = self.d.http("GET", f"/operations/{record['id']}").body
        for harm in (b"\x1b", b"\x07", b"\xc2\x9b", b"\x7f"):
            self.assertNotIn(harm, body)
        body.decode()  # nor anything that is not UTF-8

    def test_a_reason_and_a_key_write_no_line_of_their_own(self):
        for reason in ("a%0afake", "a%1b[31m", "a%c2%9b", "a%e2%80%a8b", "a%7f"):
            answer = self.d.http("POST", f"/stop/web?reason={reason}")
            self.assertEqual((answer.status, answer.json["code"]), (400, "bad_parameter"))
        self.assertNotIn("fake", self.d.log_text())


class WhoeverWritesServicesIsRoot(unittest.TestCase):
    def test_check_says_who_else_may_write_them(self):
        with Daemon({"web": fake()}, start=False) as d:
            for path in (d.services_dir, d.service_file("web"), d.conf):
                mode = os.stat(path).st_mode
                os.chmod(path, mode | 0o022)
                found = check_config(d.conf)
                os.chmod(path, mode)
                with self.subTest(path):
                    self.assertIn("may write it", found.stdout)

    def test_the_executor_has_no_rights_of_its_own(self):
        executor = os.path.join(os.path.dirname(ORDERLYD), "../libexec/orderly-exec")
        for program in (executor, ORDERLYD, ORDERLYCTL):
            self.assertEqual(os.stat(program).st_mode & 0o6000, 0)
        run = subprocess.run([executor, "0", "1"], stdin=subprocess.DEVNULL, cwd="/", env={},
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=GUARD,
                             check=False)
        self.assertNotEqual(run.returncode, 0)


if __name__ == "__main__":
    main()
