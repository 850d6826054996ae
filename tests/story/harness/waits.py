"""Waiting for what really happens: files written, processes gone, calls let go together."""
import ctypes
import fcntl
import os
import select
import threading
import time

from .build import GUARD

_libc = ctypes.CDLL(None, use_errno=True)


class Trouble(AssertionError):
    """The daemon, or what it left behind, is not as it must be."""


def at_once(calls):
    """Runs every call on a thread of its own, all let go together; results in order of calls."""
    gate = threading.Barrier(len(calls))
    results = [None] * len(calls)

    def run(index, call):
        gate.wait()
        try:
            results[index] = call()
        except BaseException as error:  # pylint: disable=broad-except
            results[index] = error
    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


class Hold:
    """As long as it is held a fake with --hold-start or --hold-stop goes no further than there: what
    a test does meanwhile cannot come too late, however slow the machine is."""

    def __init__(self, folder, name):
        self._file = open(f"{folder}/{name}.hold", "ab")
        os.fchmod(self._file.fileno(), 0o666)
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def let_go(self):
        self._file.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.let_go()


_IN_MODIFY, _IN_MOVED_FROM, _IN_MOVED_TO, _IN_CREATE, _IN_DELETE = 0x2, 0x40, 0x80, 0x100, 0x200
_CHANGES = _IN_MODIFY | _IN_MOVED_FROM | _IN_MOVED_TO | _IN_CREATE | _IN_DELETE
_LOOK_AGAIN = 0.5   # seconds: what is written into a mapped file, as SQLite's index of its log is,
                    # after the last write that is told, is told to nobody


def wait_written(folder, done, complaint):
    """Calls done() after every change in the folder, and now and then, until it says yes."""
    until = time.monotonic() + GUARD
    watch = _libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        _libc.inotify_add_watch(watch, os.fsencode(folder), _CHANGES)
        while not done():
            left = until - time.monotonic()
            if left <= 0:
                raise Trouble(complaint)
            if select.select([watch], [], [], min(left, _LOOK_AGAIN))[0]:
                os.read(watch, 65536)
    finally:
        os.close(watch)


def wait_pid_gone(pid):
    """Waits until a process that is not our child has ended."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if not select.select([fd], [], [], GUARD)[0]:
            raise Trouble(f"process {pid} does not end")
    finally:
        os.close(fd)


def alive(pid):
    """Whether it runs: a zombie does not."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
