"""The seven services of services.d, as ./scripts/run starts them, in a folder of their own."""
import os
import re
import shutil
import socket
import unittest
import urllib.request

from harness.orderly import GUARD, Daemon, Shared, alive, free_port, main

TREE = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
SEVEN = ["backend", "blockchain_node_1", "blockchain_node_2", "frontend", "incentive_system",
         "network_coordinator", "network_dashboard"]
PROGRAMS = ("busybox", "lighttpd", "nats-server", "redis-cli")


def missing():
    return [name for name in PROGRAMS
            if not shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/sbin")]


def redis(port, *commands):
    """Commands to a redis server, one after the other; the raw answer to the last."""
    with socket.create_connection(("127.0.0.1", port), timeout=2 * GUARD) as s:
        for command in commands:
            words = command.split()
            s.sendall((f"*{len(words)}\r\n"
                       + "".join(f"${len(w)}\r\n{w}\r\n" for w in words)).encode())
            answer = s.recv(65536)
        return answer


@unittest.skipIf(missing(), f"not installed: {', '.join(missing())}")
class Seven(Shared):
    @classmethod
    def setUpClass(cls):
        # Where its own files are looked for is the folder of supervisor.conf.
        env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
               "HOME": "/nonexistent"}
        cls.d = Daemon({}, env=env, start=False)
        os.rmdir(cls.d.services_dir)
        shutil.copytree(f"{TREE}/services.d", cls.d.services_dir, symlinks=True)
        cls.ports = cls.move_ports(f"{cls.d.services_dir}/etc/network.env")
        cls.enterClassContext(cls.d)
        cls.d.start()
        cls.d.wait_status(lambda rows: sorted(rows) == SEVEN)

    def setUp(self):
        # the worker ends when its redis is restarted, and comes again
        self.d.wait_all_running(seconds=2 * GUARD)

    @staticmethod
    def move_ports(path):
        """Every port of the environment file becomes a free one; {name: port}."""
        ports = {}

        def move(match):
            ports[match[1]] = free_port()
            return f"{match[1]}_PORT={ports[match[1]]}"
        with open(path) as f:
            text = re.sub(r"(?m)^(\w+)_PORT=\d+", move, f.read())
        with open(path, "w") as f:
            f.write(text)
        return ports

    def get(self, name, path="/"):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[name]}{path}",
                                    timeout=GUARD) as answer:
            return answer.status, answer.read()

    def test_all_seven_run_and_are_ready(self):
        rows = {row["name"]: row for row in self.d.status()["services"]}
        self.assertEqual(sorted(rows), SEVEN)
        self.assertEqual({r["state"] for r in rows.values()}, {"running"})
        self.assertEqual({r["ready"] for r in rows.values()}, {True})
        self.assertEqual(self.d.status()["daemon"]["config_errors"], [])
        for row in rows.values():
            self.assertTrue(row["description"], row["name"])

    def test_they_are_real(self):
        self.assertEqual(redis(self.ports["NODE_1"], "PING"), b"+PONG\r\n")
        self.assertIn(b"role:slave", redis(self.ports["NODE_2"], "INFO replication"))
        for name in ("FRONTEND", "BACKEND", "DASHBOARD"):
            status, body = self.get(name, "/cgi-bin/balances" if name == "BACKEND" else "/")
            self.assertEqual(status, 200, name)
            self.assertTrue(body, name)
        self.assertEqual(self.get("COORDINATOR_MONITOR", "/healthz")[0], 200)

    def test_the_scenario_of_the_report_on_the_real_backend(self):
        before = self.d.status("backend")["generation"]
        for requests in ([("restart", "backend")] * 5,
                         [("stop", "frontend"), ("start", "frontend")] * 3):
            ids = [self.d.ask(action, name)["id"] for action, name in requests]
            self.assertEqual([self.d.operation(i)["state"] for i in ids], ["succeeded"] * len(ids))
        self.assertEqual(self.d.status("backend")["generation"], before + 5)
        self.assertEqual(self.d.status("frontend")["state"], "running")

    def test_the_second_node_follows_the_first_across_a_restart(self):
        worker = self.d.status("incentive_system")["generation"]
        self.d.do("restart", "blockchain_node_1")
        # the worker learns in its own time that its redis has ended
        self.d.wait_status(lambda row: row["generation"] > worker, "incentive_system")
        # WAIT answers once the second node has what this connection has written
        self.assertEqual(redis(self.ports["NODE_1"], "SET story told", f"WAIT 1 {GUARD * 1000}"),
                         b":1\r\n")
        self.assertEqual(redis(self.ports["NODE_2"], "GET story"), b"$4\r\ntold\r\n")

    def test_each_can_be_restarted(self):
        for name in SEVEN:
            with self.subTest(name):
                pid = self.d.status(name)["pid"]
                self.d.do("restart", name)
                self.assertFalse(alive(pid))

    def test_they_survive_the_daemon(self):
        before = {row["name"]: row["pid"] for row in self.d.status()["services"]}
        self.d.kill9()
        self.d.start()
        after = {row["name"]: row["pid"] for row in self.d.status()["services"]}
        self.assertEqual(after, before)
        self.assertEqual({row["state"] for row in self.d.status()["services"]}, {"running"})


if __name__ == "__main__":
    main()
