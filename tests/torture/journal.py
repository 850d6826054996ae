"""The journal, judged by itself: every row of state.db after the daemon has ended."""
import collections
import re

from harness.build import ENDS, SLOW
from tempers import NAMES, TEMPERS
from verdict import Violation

_OUTPUT_WAIT_US = 2000000       # an end may wait so long for the last lines of output
_LATE_US = 1000000              # so long a disk may keep a turn, which no lateness of ours tells
_GOALS = {"start": "up", "restart": "up", "stop": "down"}


class Journal:
    def __init__(self, evidence):
        self.evidence, self.found = evidence, []
        self.rows = {row["id"]: row for row in evidence.rows}
        self.by_service = collections.defaultdict(list)
        for row in evidence.rows:
            self.by_service[row["service"]].append(row)

    def complain(self, law, text, *rows):
        self.found.append(Violation("journal", law, text, rows[0]["service"] if rows else None,
                                    [row["id"] for row in rows]))

    # ---- each row ----

    def ends(self):
        """L2: each has ended, in the order in which it must."""
        for row in self.evidence.rows:
            if row["state"] not in ENDS or row["finished_utc"] is None:
                self.complain("L2", f"operation {row['id']} is {row['state']} for ever", row)
                continue
            # what joins another may be accepted when that has just begun: it began with it
            keys = ("accepted_utc", "started_utc", "finished_utc")
            times = [row[key] for key in keys if row[key] is not None and
                     not (key == "started_utc" and row["coalesced_into"])]
            if times != sorted(times):
                self.complain("L2", f"operation {row['id']} ended before it began", row)
            if row["started_utc"] is None and row["state"] in ("succeeded", "failed", "timed_out"):
                self.complain("L2", f"operation {row['id']} is {row['state']}, and never began",
                              row)
            if row["service"] not in TEMPERS:
                self.complain("L3", f"there is no service {row['service']}", row)

    def timeouts(self):
        """L2: none runs longer than it may, but for the time in which this machine is late or the
        daemon is dead; and none is called late that was not."""
        slack = 4 * self.evidence.about.get("lateness_us", 0) + _LATE_US * SLOW
        slack += sum((ready - alive) // 1000 for alive, _, ready in self.evidence.epochs)
        for row in self.evidence.rows:
            if row["started_utc"] is None or row["finished_utc"] is None:
                continue
            ran = row["finished_utc"] - row["started_utc"]
            may = row["timeout_us"] + slack
            if row["state"] in ("failed", "timed_out") and row["action"] != "stop":
                may += _OUTPUT_WAIT_US
            if ran > may:
                self.complain("L2", f"operation {row['id']} ran for {ran / 1e6:.3f} s with a "
                              f"timeout of {row['timeout_us'] / 1e6:.3f} s", row)
            # the deadline is of another clock than the rows: they are read one after the other
            if row["state"] == "timed_out" and ran < row["timeout_us"] - 5000:
                self.complain("L2", f"operation {row['id']} timed out after {ran / 1e6:.3f} s, it "
                              f"had {row['timeout_us'] / 1e6:.3f} s", row)

    # ---- one service ----

    def in_turn(self):
        """L1: those that began did so in the order of their numbers, none before the one before it
        had ended."""
        for name in NAMES:
            ran = [row for row in self.by_service[name]
                   if row["started_utc"] is not None and row["coalesced_into"] is None]
            for one, other in zip(ran, ran[1:]):
                if one["started_utc"] > other["started_utc"]:
                    self.complain("L1", f"{other['id']} began before {one['id']}", one, other)
                elif (one["finished_utc"] or 0) > other["started_utc"] and not (
                        self.evidence.killed and (self._parted(one, other) or
                                                  self._given_up_later(one))):
                    self.complain("L1", f"{other['id']} began before {one['id']} had ended", one,
                                  other)

    @staticmethod
    def _given_up_later(row):
        """The supervisor's own, whose end was lost with the daemon: the next one ended it."""
        return row["origin"] != "api" and row["state"] == "interrupted"

    @staticmethod
    def _parted(one, other):
        """They began as one, and a next daemon was told to give one of them up."""
        return (abs(one["started_utc"] - other["started_utc"]) < 100
                and "cancelled" in (one["state"], other["state"])
                and one["action"] == other["action"])

    def stops_win(self):
        """L6: after a stop has succeeded nothing starts by itself."""
        for name in NAMES:
            stop = None
            for row in self.by_service[name]:
                if row["started_utc"] is None:
                    continue
                if row["action"] == "stop" and row["origin"] != "shutdown":
                    stop = row if row["state"] == "succeeded" else None
                elif row["action"] in ("start", "restart"):
                    if (stop and row["origin"] in ("recovery", "boot") and row["changed"]
                            and not self._started_between(stop, row)):
                        self.complain("L6", f"{row['id']} ({row['origin']}) started {name} after "
                                      f"stop {stop['id']} had succeeded", stop, row)
                    if row["origin"] not in ("recovery", "boot"):
                        stop = None

    def _started_between(self, stop, row):
        """Something else has started it since, of which a daemon that was killed wrote nothing: a
        dependent that wants it, as people may not be told before it is written."""
        return self.evidence.killed and row["begin_generation"] > stop["begin_generation"]

    def goals(self):
        """L6: the goal that stays is that of the last operation."""
        for name in NAMES:
            last = [row for row in self.by_service[name] if row["started_utc"] is not None
                    and row["action"] in _GOALS
                    and row["origin"] not in ("shutdown", "recovery", "boot")]
            kept = self.evidence.services.get(name)
            if last and last[-1]["state"] == "succeeded" and kept:
                if kept["goal"] != _GOALS[last[-1]["action"]]:
                    self.complain("L6", f"the goal of {name} is {kept['goal']} after its last "
                                  f"{last[-1]['action']}", last[-1])

    # ---- rows against each other ----

    def joined(self):
        """What joined another is like it, stood next to it, and ended with it."""
        for row in self.evidence.rows:
            if row["coalesced_into"] is None:
                continue
            target = self.rows.get(row["coalesced_into"])
            if target is None:
                self.complain("L3", f"{row['id']} has joined {row['coalesced_into']}, which there "
                              "is not", row)
                continue
            alike = ["service", "action", "signal", "timeout_us"]
            if row["state"] != "cancelled":     # it may have been cancelled alone
                alike += ["state", "changed"]
                alike += [] if self.evidence.killed else ["finished_utc"]
            unlike = [key for key in alike if row[key] != target[key]]
            if unlike or target["id"] > row["id"]:
                self.complain("L2", f"{row['id']} has joined {target['id']}, and is another in "
                              f"{', '.join(unlike) or 'order'}", row, target)
            for other in self.by_service[row["service"]]:
                between = target["id"] < other["id"] < row["id"]
                if (between and other["coalesced_into"] != target["id"]
                        and other["started_utc"] is not None):
                    self.complain("L1", f"{row['id']} has joined {target['id']} across "
                                  f"{other['id']}", row, target, other)

    def batches(self):
        """A batch has the number of its first operation, and is of one identity and reason."""
        found = collections.defaultdict(list)
        for row in self.evidence.rows:
            if row["batch"] is not None:
                found[row["batch"]].append(row)
        for number, rows in found.items():
            if min(row["id"] for row in rows) != number:
                self.complain("L3", f"batch {number} does not hold the operation {number}", *rows)
            if len({(row["reason"], row["requested_by"], row["origin"]) for row in rows}) != 1:
                self.complain("L3", f"batch {number} is of several requests", *rows)

    def repeated(self):
        """L3: a key made one operation, or one batch. The clients give a keyed request its key as
        its reason."""
        keys = {row["key"]: row for row in self.evidence.keys}
        if len(keys) != len(self.evidence.keys):
            self.complain("L3", "a key stands in the journal twice")
        made = collections.defaultdict(list)
        for row in self.evidence.rows:
            if row["reason"] in keys:
                made[row["reason"]].append(row)
        for name, key in keys.items():
            rows = made[name]
            if key["operation"] not in self.rows:
                self.complain("L3", f"the operation {key['operation']} of key {name} is not there")
            elif key["batch"] and {row["batch"] for row in rows} != {key["operation"]}:
                self.complain("L3", f"key {name} made other operations than its batch", *rows)
            elif not key["batch"] and [row["id"] for row in rows] != [key["operation"]]:
                self.complain("L3", f"key {name} made more than its operation", *rows)

    def reasons_of_ends(self):
        """An end that something else brought names it."""
        for row in self.evidence.rows:
            named = re.match(r"replaced by (\w+) (\d+) of ", row["detail"] or "")
            if row["state"] != "superseded" or not named:
                continue
            by = self.rows.get(int(named.group(2)))
            if (by is None or not by["replaces"] or by["service"] != row["service"]
                    or by["id"] <= row["id"] or by["accepted_utc"] > row["finished_utc"]):
                self.complain("L2", f"{row['id']} was replaced by {named.group(2)}, which cannot "
                              "have done so", row, *([by] if by else []))


def check(evidence):
    journal = Journal(evidence)
    journal.ends()
    journal.timeouts()
    journal.in_turn()
    journal.stops_win()
    journal.goals()
    journal.joined()
    journal.batches()
    journal.repeated()
    journal.reasons_of_ends()
    return journal.found
