"""The services of the torture: what each is like, and what may be expected of it."""
import fnmatch

from harness.build import BUILD, SLOW

WITNESS = f"{BUILD}/tests/torture-witness"
SIGNALS = (40, 41, 42)      # real-time ones: the kernel queues them, one by one
RELOAD_SIGNAL = 43
READY_WITHIN = 60 * SLOW    # milliseconds: of the one that never gets ready


class Temper:
    """options: of torture-witness. weight: how often it is asked for something. calm: it never ends
    but when it is stopped, and then in time; so whatever is sent to it arrives."""

    def __init__(self, name, *options, weight=3, calm=True, tags=(), requires=(), wants=(),
                 after=(), autostart=True, reload=None, coalesce=False, queue_limit=34,
                 stop_timeout=20000, ready_within=20000, restart="always"):
        self.name, self.weight, self.calm, self.tags = name, weight, calm, tuple(tags)
        self.requires, self.wants, self.after = tuple(requires), tuple(wants), tuple(after)
        self.autostart, self.reload, self.coalesce = autostart, reload, coalesce
        self.queue_limit = queue_limit
        self._options = options
        self._stop_timeout, self._ready_within, self._restart = stop_timeout, ready_within, restart

    def spec(self, seed):
        """Its file, for the harness."""
        service = {"command": " ".join([f"{WITNESS} --dir @DIR@ --name @NAME@ --seed {seed}",
                                        *self._options]),
                   "autostart": "yes" if self.autostart else "no"}
        for key, names in (("tags", self.tags), ("requires", self.requires),
                           ("wants", self.wants), ("after", self.after)):
            if names:
                service[key] = " ".join(names)
        operation = {"stop_timeout": f"{self._stop_timeout}ms", "queue_limit": self.queue_limit,
                     "coalesce": "yes" if self.coalesce else "no"}
        if self.reload == "signal":
            operation["reload_signal"] = RELOAD_SIGNAL
        elif self.reload:
            status = 3 if self.reload == "refuses" else 0
            operation["reload_command"] = (f"{WITNESS} --dir @DIR@ --name @NAME@ --say reload "
                                           f"--status {status}")
        return {"service": service, "operation": operation,
                "readiness": {"type": "fd", "timeout": f"{self._ready_within}ms"},
                "recovery": {"restart": self._restart, "first_delay": "10ms", "max_delay": "40ms"}}


TEMPERS = {temper.name: temper for temper in (
    Temper("quick", weight=9, tags=("web",), reload="signal"),
    Temper("joining", weight=6, tags=("web",), reload="command", coalesce=True),
    Temper("late", "--start-delay 30", weight=3, tags=("web", "chain"), requires=("quick",)),
    Temper("lingering", "--stop-delay 30", weight=3, after=("late",), reload="command",
           queue_limit=3),
    Temper("deaf", "--deaf", "--beat 30", weight=2, calm=False, wants=("shaky",),
           stop_timeout=40 * SLOW),
    Temper("shaky", "--crash-within 60", weight=4, calm=False, tags=("loud",), reload="signal"),
    Temper("family", "--children 3", weight=3, tags=("chain",), requires=("late",)),
    Temper("parting", "--daemonises", weight=2, calm=False, stop_timeout=60 * SLOW,
           reload="command"),
    Temper("chatty", "--chatty 100", "--beat 20", weight=4, tags=("loud",), reload="refuses",
           wants=("family",)),
    Temper("mute", "--never-ready", weight=1, calm=False, autostart=False,
           ready_within=READY_WITHIN, restart="no"),
    Temper("sluggish", "--start-delay 500", weight=2, autostart=False, queue_limit=3),
    Temper("doomed", weight=2, autostart=False, requires=("mute",)),
)}
NAMES = list(TEMPERS)


def meant(pattern):
    """Which services a word of a batch stands for: a name, a glob or a tag."""
    if pattern.startswith("@"):
        return sorted(t.name for t in TEMPERS.values() if pattern[1:] in t.tags)
    if any(letter in pattern for letter in "*?["):
        return sorted(name for name in NAMES if fnmatch.fnmatchcase(name, pattern))
    return [pattern]


def specs(seed):
    return {name: temper.spec(seed) for name, temper in TEMPERS.items()}
