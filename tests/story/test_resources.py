"""What a service uses and may use: figures of its whole tree, limits that are kept or refused."""
import os
import unittest

from harness.orderly import Daemon, alive, fake, main, on_fd, wait_written

# Which key of [limits] needs which controller, and what it is set to here.
LIMITS = {"memory": ("memory_limit", "64M", "memory.max", "67108864"),
          "cpu": ("cpu_limit", "0.5", "cpu.max", "50000 100000"),
          "tasks": ("tasks_limit", "20", "pids.max", "20")}


def script(text, **sections):
    """A service that is a shell, and ready when it says so."""
    sections.setdefault("readiness", {"type": "fd"})
    return {"service": {"command": f"/bin/sh -c '{text}'"}, **sections}


def group_of(pid):
    """The folder of the group of version 2 that the process is in."""
    with open(f"/proc/{pid}/cgroup") as f:
        path = next(line[3:].strip() for line in f if line.startswith("0::"))
    return next(root + path for root in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup")
                if os.path.exists(f"{root}/cgroup.procs"))


def limits_of(d):
    """{key: whether it can be kept here}, as the daemon says of itself."""
    return {key: d.capabilities[name] for key, (name, *_) in LIMITS.items()}


class Usage(unittest.TestCase):
    environment = {}

    def daemon(self, services):
        return Daemon(services, env=self.environment)

    def test_tasks_and_memory_are_those_of_the_whole_tree(self):
        text = ("sleep 86400 & setsid sh -c \"x=\\$(head -c 20000000 /dev/zero | tr "
                "\\\"\\\\0\\\" a); sleep 86400 & echo >&3; wait; : \\$x\" & wait")
        with self.daemon({"web": script(text, operation={"stop_timeout": "1s"})}) as d:
            d.wait_state("web", "running")
            row = d.status("web")
            self.assertEqual(row["tasks"], 4, row)
            self.assertGreater(row["memory_bytes"], 20000000)
            self.assertLess(row["memory_bytes"], 400000000)

    def test_the_time_of_processes_that_have_ended_counts_too(self):
        text = ("sh -c \"i=0; while [ \\$i -lt 300000 ]; do i=\\$((i+1)); done\"; echo >&3; "
                "exec sleep 86400")
        with self.daemon({"web": script(text)}) as d:
            d.wait_state("web", "running")
            self.assertGreater(d.status("web")["cpu_seconds"], 0.01)

    def test_nothing_is_known_of_a_service_that_does_not_run(self):
        with self.daemon({"web": fake(service={"autostart": "no"})}) as d:
            row = d.status("web")
            self.assertEqual((row["memory_bytes"], row["cpu_seconds"], row["tasks"]),
                             (None, None, None))

    def test_a_service_that_outlived_its_daemon_is_counted_by_the_next(self):
        with self.daemon({"web": on_fd()}) as d:
            pid = d.wait_state("web", "running")["pid"]
            d.kill9()
            d.start()
            row = d.status("web")
            self.assertEqual(row["pid"], pid)
            self.assertEqual(row["tasks"], 1, row)
            self.assertGreater(row["memory_bytes"], 0)


class UsageBestEffort(Usage):
    environment = {"ORDERLY_CONTAINMENT": "best-effort"}


class Limits(unittest.TestCase):
    def test_each_limit_is_kept_or_refused_by_its_key(self):
        services = {key: on_fd(limits={key: value}) for key, (_, value, *_) in LIMITS.items()}
        with Daemon(services) as d:
            possible = limits_of(d)
            errors = {os.path.basename(e["file"]): e
                      for e in d.status()["daemon"]["config_errors"]}
            for key, (_, _, file, expected) in LIMITS.items():
                if possible[key]:
                    pid = d.wait_state(key, "running")["pid"]
                    with open(f"{group_of(pid)}/{file}") as f:
                        self.assertEqual(f.read().strip(), expected)
                    self.assertNotIn(f"{key}.conf", errors)
                else:
                    error = errors[f"{key}.conf"]
                    self.assertEqual(error["key"], key)
                    self.assertIn("controller", error["message"])

    def test_without_groups_every_limit_is_refused_and_says_what_would_help(self):
        services = {"web": on_fd(), **{key: on_fd(limits={key: value})
                                       for key, (_, value, *_) in LIMITS.items()}}
        with Daemon(services, env={"ORDERLY_CONTAINMENT": "best-effort"}) as d:
            self.assertEqual(set(limits_of(d).values()), {False})
            d.wait_state("web", "running")
            messages = {os.path.basename(e["file"]): e["message"]
                        for e in d.status()["daemon"]["config_errors"]}
            self.assertEqual(set(messages), {f"{key}.conf" for key in LIMITS})
            for key in LIMITS:
                self.assertIn("no control group here", messages[f"{key}.conf"])
                self.assertIn("Delegate=yes", messages[f"{key}.conf"])

    def test_a_limit_that_comes_with_a_reload_and_cannot_be_kept_leaves_the_service_as_it_is(self):
        with Daemon({"web": on_fd()}, env={"ORDERLY_CONTAINMENT": "best-effort"}) as d:
            before = d.wait_state("web", "running")
            d.write_service("web", on_fd(limits={"memory": "64M"}))
            answer = d.http("POST", "/daemon/reload")
            self.assertEqual(answer.status, 200, answer)
            self.assertIn("services have no control group",
                          str(answer.json["errors"]))
            row = d.wait_status(lambda row: row["config_error"], "web")
            self.assertEqual((row["pid"], row["state"]), (before["pid"], "running"))
            self.assertIn("memory", row["config_error"])
            d.restart("web")
            self.assertEqual(d.wait_state("web", "running")["generation"],
                             before["generation"] + 1)

    def test_a_score_that_may_not_be_had_is_refused_clearly(self):
        try:
            with open("/proc/self/oom_score_adj", "w") as f:
                f.write("-1000")
            with open("/proc/self/oom_score_adj", "w") as f:
                f.write("0")
            self.skipTest("here it may be had")
        except PermissionError:
            pass
        services = {"web": on_fd(limits={"oom_score_adjust": "-1000"})}
        with Daemon(services) as d:
            errors = d.status()["daemon"]["config_errors"]
            self.assertEqual([e["key"] for e in errors], ["oom_score_adjust"], errors)
            self.assertIn("only root", errors[0]["message"])

    def test_a_score_above_our_own_is_what_the_service_has(self):
        with Daemon({"web": on_fd(limits={"oom_score_adjust": "300"})}) as d:
            pid = d.wait_state("web", "running")["pid"]
            with open(f"/proc/{pid}/oom_score_adj") as f:
                self.assertEqual(f.read().strip(), "300")


class ReloadCommand(unittest.TestCase):
    environment = {}

    def test_one_that_outlives_its_daemon_goes_with_the_service(self):
        command = ("/bin/sh -c 'echo $MAINPID $$ > @DIR@/reloading.tmp; "
                   "mv @DIR@/reloading.tmp @DIR@/reloading; exec sleep 86400'")
        services = {"web": on_fd(operation={"reload_command": command})}
        with Daemon(services, env=self.environment) as d:
            pid = d.wait_state("web", "running")["pid"]
            d.ask("reload", "web")
            wait_written(d.dir, lambda: d.read("reloading"), "the reload command never ran")
            main_pid, reload_pid = (int(word) for word in d.read("reloading").split())
            self.assertEqual(main_pid, pid)
            d.kill9()
            d.start()
            self.assertEqual(d.wait_state("web", "running")["pid"], pid)
            self.assertTrue(alive(reload_pid))
            d.restart("web")
            self.assertFalse(alive(reload_pid))


class ReloadCommandBestEffort(ReloadCommand):
    environment = {"ORDERLY_CONTAINMENT": "best-effort"}


if __name__ == "__main__":
    main()
