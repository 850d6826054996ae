"""The daemon as a unit of the private systemd: by the shipped unit file, with the test's own paths.

    with UnitDaemon({"web": fake()}) as d:
        systemctl("restart", d.unit)
"""
import os
import shutil

from .build import BUILD, ORDERLYCTL, ORDERLYD
from .orderly import Daemon
from .systemd import UNIT_DIR, command, main_pid, show, systemctl, unit_text, wait_unit
from .waits import Trouble

_GROUPS = "/sys/fs/cgroup"    # inside the private systemd


class UnitDaemon(Daemon):
    """As Daemon, but systemd starts and stops it. extra: more keys, {"Service": {...}}."""
    unit, scope = "orderlyd.service", "orderlyd-services.scope"

    def __init__(self, services=None, config=None, env=None, extra=None, **kinds):
        super().__init__(services, config, env, **kinds)
        self._extra = extra or {}
        self.runtime_dir = "/run/orderly"       # RuntimeDirectory= makes it
        self._write_conf({**(config or {}),
                          "daemon": {"log_target": "file", **(config or {}).get("daemon", {})}})
        self.log = f"{self.log_dir}/orderlyd.log"
        self.group = f"{_GROUPS}/system.slice/{self.scope}"

    def _unit_text(self):
        with open(f"{BUILD}/orderlyd.service") as f:
            lines = f.read().splitlines()
        kept = []
        for line in lines:
            key, _, value = line.partition("=")
            if key in ("StateDirectory", "LogsDirectory"):
                continue    # they would land in the machine's /var
            if key == "ExecStart":
                value = command(ORDERLYD, "--config", self.conf)
            if key == "ExecReload":
                value = value.replace("/etc/orderly/supervisor.conf", self.conf)
                value = command(ORDERLYCTL, value.partition(" ")[2])
            kept.append(f"{key}={value}" if value else line)
        environment = [f"{key}={value}" for key, value in self.environment().items()]
        return "\n".join(kept) + "\n" + unit_text({
            "Service": {"Environment": [f'"{pair}"' for pair in environment],
                        "StandardError": f"append:{self.log}"}})    # of sanitizers

    def drop_in(self, **sections):
        """More keys for the unit, or others; from the next start on."""
        os.makedirs(f"{UNIT_DIR}/{self.unit}.d", exist_ok=True)
        with open(f"{UNIT_DIR}/{self.unit}.d/test.conf", "w") as f:
            f.write(unit_text(sections))
        systemctl("daemon-reload")

    def start(self, wait=True):
        if not os.path.exists(f"{UNIT_DIR}/{self.unit}"):
            with open(f"{UNIT_DIR}/{self.unit}", "w") as f:
                f.write(self._unit_text())
            self.drop_in(**self._extra)
        self.renewed()
        systemctl("start", *([] if wait else ["--no-block"]), self.unit)
        if wait:
            self.capabilities = self.http("GET", "/version").json.get("capabilities", {})
        return self

    @property
    def pid(self):
        return main_pid(self.unit)

    def kill9(self):
        systemctl("kill", "--kill-whom=main", "--signal=KILL", self.unit)
        self.renewed()

    def stop(self, number=None):
        systemctl("stop", self.unit)

    def wait_pid_other_than(self, pid):
        """Waits until systemd has started it again, and it is ready."""
        wait_unit(self.unit, lambda seen: seen["ActiveState"] == "active" and
                  seen["MainPID"] not in ("0", str(pid)))
        self.renewed()

    def __exit__(self, kind, error, trace):
        trouble = None
        if os.path.exists(f"{UNIT_DIR}/{self.unit}"):
            systemctl("stop", self.unit, check=False)
            result = show(self.unit, "Result")["Result"]
            if result != "success":
                trouble = Trouble(f"{self.unit} ended with {result}")
            if not kind and not trouble:    # nothing holds it any more
                wait_unit(self.scope, ActiveState="inactive")
            systemctl("kill", "--signal=KILL", self.scope, check=False)
            os.unlink(f"{UNIT_DIR}/{self.unit}")
            shutil.rmtree(f"{UNIT_DIR}/{self.unit}.d", ignore_errors=True)
            systemctl("daemon-reload")
            systemctl("reset-failed", self.unit, check=False)
        super().__exit__(kind, error, trace)
        shutil.rmtree(self.runtime_dir, ignore_errors=True)
        if trouble and not kind:
            raise trouble
