"""Prints the results of a bench as one JSON object, with the machine and the sources they are of.

usage: collect.py RESULTS ROOT
"""
import datetime
import json
import os
import platform
import re
import subprocess
import sys

PEERS = ("supervisor", "s6", "runit", "systemd")


def said(*command):
    """What a program prints; nothing when it can't be asked."""
    try:
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return ran.stdout.strip() if ran.returncode == 0 else ""


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        found = re.search(r"^model name\s*: (.*)$", file.read(), re.M)
    return found.group(1) if found else platform.machine()


def memory_mib():
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // (1 << 20)


def main(results, root):
    try:
        with open(results, encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
    except FileNotFoundError:
        rows = []
    versions = {name: said("dpkg-query", "-W", "-f=${Version}", name) for name in PEERS}
    commit = said("git", "-C", root, "rev-parse", "HEAD")
    changed = bool(said("git", "-C", root, "status", "--porcelain", "--", "src", "include"))
    print(json.dumps({
        "at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "commit": commit or None, "changed_since": changed if commit else None,
        "machine": {"kernel": platform.release(), "processor": processor(),
                    "cpus": len(os.sched_getaffinity(0)), "memory_mib": memory_mib(),
                    "load": os.getloadavg()},
        "versions": {name: version for name, version in versions.items() if version},
        "rows": rows}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
