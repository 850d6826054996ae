"""Where each fault point stands on the way of a daemon's life: what reaches it, the error that a
kernel or a disk would give there, and what has to be said of it."""
import collections
import errno
import os

from harness.orderly import fake, on_fd

# scenario: see test_faults.py. at: which pass. error: its name. also: further faults that lead to
# it. quiet: why nothing has to be said: then everything must go as if nothing had been.
Case = collections.namedtuple("Case", "scenario at error also quiet")


def case(scenario="tour", at=1, error="EIO", also="", quiet=""):
    return Case(scenario, at, error, also, quiet)


TIMES = {"timeout": "20s", "stop_timeout": "5s"}
SERVICES = {
    "web": fake("--chatty 3", operation={**TIMES, "reload_signal": "HUP"},
                recovery={"first_delay": "100ms"}),
    "ready": on_fd(operation=TIMES, recovery={"first_delay": "100ms"}),
    "apart": fake("--print one --print-error two", operation={**TIMES, "reload_command": "/bin/true"},
                  log={"stderr": "separate"}, recovery={"first_delay": "100ms"}),
}
# Its main process ends at once and leaves one that is deaf: its group has to be killed.
DEAF = {"deaf": fake("--double-fork", operation={"timeout": "20s", "stop_timeout": "200ms"})}

# Above all in the words of the error itself.
_OTHER_WORDS = {
    "EIO": ["disk I/O error"],
    "ENOSPC": ["the disk is full", "database or disk is full"],
    "EROFS": ["attempt to write a readonly database"],
    "ENOMEM": ["out of memory"],
}


def words_of(error):
    return [os.strerror(getattr(errno, error)), *_OTHER_WORDS.get(error, [])]


CASES = {
    "thread_start": [case(error="EAGAIN"), case(at=4, error="EAGAIN")],
    "journal_open": [case(), case("second")],
    "journal_prepare": [case(), case("second")],
    "journal_load": [case("second")],
    "journal_boot": [case(quiet="it is owed, and comes with the next transaction")],
    "journal_begin": [case(at=4), case(at=12, error="ENOSPC")],
    "journal_operation": [case(at=4), case(at=9, error="ENOSPC")],
    "journal_service": [case(at=2), case(at=5, error="ENOSPC")],
    "journal_events": [case(at=2), case(at=4, error="ENOSPC")],
    "journal_key": [case(), case(error="ENOSPC")],
    "journal_prune": [case("many")],
    "journal_commit": [case(quiet="what it was to write is owed, and comes with the next"),
                       case(at=6), case(at=10, error="ENOSPC"), case("second", at=4)],
    "journal_rollback": [case(also="journal_commit:error=EIO:at=6")],
    "journal_probe": [case(at=2, also="journal_commit:error=ENOSPC:at=6:times=2")],
    "journal_checkpoint": [case("many")],
    "journal_reserve": [case(error="ENOSPC", quiet="it is tried again with later transactions")],
    "journal_give_up": [case(error="ENOSPC", also="journal_commit:error=ENOSPC:at=6:times=8")],
    "journal_read": [case(quiet="a service's recent operations are null"),
                     case(also="journal_read:error=EIO:at=2")],
    "journal_group": [case(error="ENOMEM"), case(at=5, error="ENOMEM")],
    "marks_open": [case(error="ENOSPC")],
    "marks_grow": [case(error="ENOSPC")],
    "marks_write": [case(), case(at=9)],
    "instances_open": [case(error="EACCES")],
    "instances_grow": [case(error="ENOSPC")],
    "instances_write": [case(), case(at=4)],
    "instances_close": [case()],
    "group_make": [case(at=2, error="ENOSPC", quiet="executors join their groups by themselves"),
                   case(at=5, error="ENOSPC")],
    "group_watch": [case("deaf", error="ENOSPC", quiet="it is looked at again and again instead")],
    "group_read": [case("deaf", error="EMFILE", quiet="it is looked at again")],
    "group_kill": [case("deaf", error="EMFILE")],
    "ready_make": [case(error="ENOSPC")],
    "exec_order": [case(error="EMFILE"), case(at=5, error="EMFILE")],
    "exec_write": [case(error="ENOSPC")],
    "exec_socket": [case(error="EMFILE"), case(at=5, error="EMFILE")],
    "spawn_trial": [case(error="ENOSYS", quiet="posix_spawn is used instead")],
    "spawn_clone": [case(error="EAGAIN"), case(at=5, error="EAGAIN")],
    "spawn_posix": [case(error="EAGAIN", also="spawn_trial:error=ENOSYS")],
    "spawn_pidfd": [case(error="EMFILE", also="spawn_trial:error=ENOSYS")],
    "gate_open": [case(error="ENOBUFS"), case(at=4, error="ENOBUFS")],
    "exec_report": [case()],
    "signal_send": [case(error="EPERM")],
    "adopt_pidfd": [case("second", error="EMFILE")],
    "reload_spawn": [case(error="EAGAIN")],
    "fifo_make": [case(error="ENOSPC")],
    "fifo_open": [case(error="EMFILE")],
    "log_file": [case(error="ENOSPC")],
    "log_splice": [case(error="ENOSPC")],
    "log_fresh": [case(error="ENOSPC")],
    "log_rename": [case(error="EACCES")],
    "log_watch": [case(error="ENOSPC")],
    "log_wait": [case(error="EINTR", quiet="it is asked again")],
    "log_read": [case(error="EMFILE")],
    "watcher_open": [case(error="EMFILE")],
    "watcher_add": [case(error="ENOSPC"), case(at=3, error="ENOSPC"), case(at=9, error="ENOSPC")],
    "watcher_wait": [case(error="EINTR", quiet="it is asked again")],
    "watcher_timer": [case()],
    "socket_listen": [case(error="EADDRINUSE")],
    "socket_accept": [case(error="ENOMEM")],
    "http_start": [case(error="ENOMEM")],
    "request_new": [case(error="ENOMEM", at=4)],
    "submission_new": [case(error="ENOMEM")],
    "operation_new": [case(error="ENOMEM"), case(error="ENOMEM", at=4), case(error="ENOMEM", at=9)],
    "batch_sort": [case(error="ENOMEM")],
    "operation_copy": [case(error="ENOMEM")],
    "status_fragment": [case(error="ENOMEM")],
    "status_answer": [case(error="ENOMEM")],
    "config_open": [case(error="EACCES"), case(error="EIO", at=5)],
    "config_folder": [case(error="EACCES"), case(error="EMFILE", at=2)],
    "token_read": [case("tcp", error="EMFILE"), case("tcp", at=3, error="EMFILE")],
    "token_make": [case("tcp", error="ENOSPC")],
    "upgrade_check": [case("upgrade", error="EAGAIN")],
    "upgrade_exec": [case("upgrade", error="ENOMEM")],
    "board_publish": [case(error="ENOMEM", quiet="it is published a moment later"),
                      case(error="ENOMEM", at=7, quiet="it is published a moment later")],
}
