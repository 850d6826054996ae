"""Whatever happens to a test, nothing of it is left behind.

A small process of its own reads folder names from its stdin; at end of file (the test has ended,
or was killed) it kills every process that carries one of these folders in its environment or its
arguments, removes the groups they ran in, and removes the folders.
"""
import os
import select
import shutil
import signal
import subprocess
import sys
import time

CGROUP_ROOTS = ("/sys/fs/cgroup/unified", "/sys/fs/cgroup")


def _reads(pid, name):
    try:
        with open(f"/proc/{pid}/{name}", "rb") as f:
            return f.read()
    except OSError:
        return b""


def processes_of(folder):
    """Pids of live processes, other than this one, that were started for the folder."""
    mark = os.fsencode(folder)
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        if mark in _reads(entry, "environ") or mark in _reads(entry, "cmdline"):
            found.append(int(entry))
    return found


def describe(pid):
    line = _reads(pid, "cmdline").replace(b"\0", b" ").decode(errors="replace").strip()
    return f"{pid} ({line})"


def _await_end(pid, until):
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        select.select([fd], [], [], max(0, until - time.monotonic()))
    finally:
        os.close(fd)


def kill_all(folder, seconds=20):
    """Stops them all first, so that none forks away; returns what survived."""
    until = time.monotonic() + seconds
    while True:
        left = processes_of(folder)
        if not left or time.monotonic() > until:
            return left
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in left:
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    pass
        for pid in left:
            _await_end(pid, until)


def cgroup_of(pid):
    """The v2 group of a process as a folder, or None when it is the root or there is none."""
    for line in _reads(pid, "cgroup").decode(errors="replace").splitlines():
        number, _, path = line.split(":", 2)
        if number == "0" and path not in ("", "/"):
            for root in CGROUP_ROOTS:
                if os.path.exists(f"{root}/cgroup.procs"):
                    return root + path.removesuffix(" (deleted)")
    return None


def group_for(runtime_dir):
    """The folder in which a daemon keeps its services' groups: named by a hash (FNV-1a) of its
    runtime_dir, in the daemon's own group, which is ours."""
    number = 0xcbf29ce484222325
    for byte in os.fsencode(runtime_dir):
        number = (number ^ byte) * 0x100000001b3 % 2**64
    for root in CGROUP_ROOTS:
        if os.path.exists(f"{root}/cgroup.procs"):
            return f"{cgroup_of(os.getpid()) or root}/orderly-{number % 2**32:08x}"
    return None


def groups_below(folder):
    if not folder or not os.path.isdir(folder):
        return []
    return [entry.path for entry in os.scandir(folder) if entry.is_dir()]


def remove_group(folder):
    """Removes a group and those below it as far as they are empty."""
    for root, _, _ in os.walk(folder or "", topdown=False):
        try:
            os.rmdir(root)
        except OSError:
            pass


_guard = None


def watch(folder):
    """From now on the folder and its processes end with this test, at the latest."""
    global _guard
    if _guard is None:
        _guard = subprocess.Popen([sys.executable, "-B", os.path.abspath(__file__)],
                                  stdin=subprocess.PIPE, start_new_session=True, cwd="/")
    _guard.stdin.write(os.fsencode(folder) + b"\n")
    _guard.stdin.flush()


def finish():
    """Has everything removed now, and waits for it: for a test below a PID 1 that goes with it."""
    global _guard
    if _guard is not None:
        _guard.stdin.close()
        _guard.wait()
        _guard = None


def _main():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    folders = [line.strip() for line in sys.stdin.buffer]
    for folder in map(os.fsdecode, folders):
        if os.path.isdir(folder):
            kill_all(folder)
            remove_group(group_for(f"{folder}/run"))
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    _main()
