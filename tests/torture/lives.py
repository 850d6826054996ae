"""What the services wrote themselves, first by itself, then against the operations that the
journal says were done to them."""
import bisect
import collections

from harness.build import SLOW
from tempers import NAMES, RELOAD_SIGNAL, SIGNALS, TEMPERS
from verdict import Violation

_STARTS = ("start", "restart")


class Life:
    """One run of a service: its lines, in the order in which they were written."""

    def __init__(self, number):
        self.number, self.lines = number, []

    def first(self, word):
        return next((line for line in self.lines if line.word == word), None)

    @property
    def began(self):
        return self.first("begin")


class Lives:
    def __init__(self, evidence, name):
        self.evidence, self.name, self.temper = evidence, name, TEMPERS[name]
        self.found = []
        self.lines = evidence.lives.get(name, [])
        self.lives = {}
        for line in self.lines:
            self.lives.setdefault(line.life, Life(line.life)).lines.append(line)
        self.rows = [row for row in evidence.rows if row["service"] == name]
        self.ran = [row for row in self.rows
                    if row["started_utc"] is not None and row["coalesced_into"] is None]
        self.epochs = self._epochs_utc()
        self.kills = [(alive, dead) for alive, dead, _ in self.epochs]
        self.unwritten = []     # when lives began of which the journal says less

    def _epochs_utc(self):
        """When daemons were killed, and when the next ones were ready, by the journal's clock."""
        if not self.lines:
            return []
        offset = self.lines[0].utc_us - self.lines[0].mono_ns // 1000
        return [tuple(at // 1000 + offset for at in epoch) for epoch in self.evidence.epochs]

    def complain(self, law, text, *rows, lines=()):
        violation = Violation("services", law, text, self.name, [row["id"] for row in rows])
        violation.more = [" ".join(map(str, line)) for line in lines]
        self.found.append(violation)

    # ---- by itself ----

    def one_at_a_time(self):
        """L4: a life is over, with all that it had forked, before the next one begins."""
        for line in self.lines:
            if line.word == "overlap":
                self.complain("L4", f"pid {line.pid} of {self.name} found another copy alive",
                              lines=[line])
        begins = [line for line in self.lines if line.word == "begin"]
        if [line.life for line in begins] != list(range(1, len(begins) + 1)):
            self.complain("L4", f"the lives of {self.name} are not counted one by one",
                          lines=begins[-5:])
        at = [line.mono_ns for line in begins]
        if at != sorted(at):
            self.complain("L4", f"the lives of {self.name} began in another order", lines=begins)
        for line in self.lines:
            if line.word != "reload" and line.life < len(at) and line.mono_ns > at[line.life]:
                self.complain("L4", f"life {line.life} of {self.name} went on when life "
                              f"{line.life + 1} had begun", lines=[begins[line.life], line])

    def each_life(self):
        """What is calm ends as it was asked to, and in no other way: L5 when daemons are killed.
        Nothing is ready twice."""
        for life in self.lives.values():
            words = collections.Counter(line.word for line in life.lines)
            if words["ready"] > 1:
                self.complain("L2", f"life {life.number} of {self.name} was ready twice",
                              lines=life.lines)
            if self.temper.calm and words["begin"] and not (words["term"] and words["end"] == 1):
                self.complain("L5", f"life {life.number} of {self.name} was ended without being "
                              "asked to", lines=life.lines[-3:])

    # ---- against the operations ----

    def _operation_at(self, utc_us):
        """The last one that had begun by then."""
        found = bisect.bisect_right([row["started_utc"] for row in self.ran], utc_us)
        return found - 1

    def _kill_between(self, start, end):
        return any(start <= dead and alive <= end for alive, dead in self.kills)

    def _began_unwritten(self, life, used):
        """What had begun under a daemon that was killed before that was written down: the
        operation begins again under the next, or, when it was the supervisor's own, is given up.
        """
        at = life.began.utc_us
        for row in self.rows:
            if (row["action"] not in _STARTS or row["id"] in used or row["accepted_utc"] > at
                    or row["coalesced_into"] is not None):
                continue
            known = row["started_utc"] or row["finished_utc"]
            if known > at and self._kill_between(at - self._late(), known):
                return row
        return None

    def _goes_on(self, row, used, life):
        """The daemon was killed in the middle of it, and what it had started has ended: by itself,
        or given up by a daemon that died as it did so. The next one finds none, and starts one."""
        before, began = used.get(row["id"]), life.began.utc_us
        if before is None or began > (row["finished_utc"] or began):
            return False
        given_up = before.first("term")
        since = given_up.utc_us if given_up else before.began.utc_us
        return self._kill_between(since - self._late(),
                                  since + self._late() if given_up else began)

    @staticmethod
    def _was_through(row, life):
        """What has succeeded begins nothing later; what was given up may have forked already."""
        return row["state"] == "succeeded" and row["finished_utc"] < life.began.utc_us

    def _late(self):
        return self.evidence.unwritten_us

    def _unwritten_itself(self, life):
        """Not even that it was accepted was written down before the kill; only of the supervisor's
        own, for people are told when it is. The kill may come between the spawn and the first line.
        """
        return self._kill_between(life.began.utc_us - self._late(),
                                  life.began.utc_us + self._late())

    def began_by_operations(self):
        """L3, L1: every life was begun by one start or restart, and none began two. {id: life}"""
        used = {}
        for number in sorted(self.lives):
            life = self.lives[number]
            if life.began is None:
                continue
            at = self._operation_at(life.began.utc_us)
            row = self.ran[at] if at >= 0 else None
            if row is not None and self._goes_on(row, used, life):
                used[row["id"]] = life
                continue
            if (row is None or row["action"] not in _STARTS or row["id"] in used
                    or self._was_through(row, life)):
                again = self._began_unwritten(life, used) if self.kills else None
                if again is None and self._unwritten_itself(life):
                    self.unwritten.append(life.began.utc_us)
                    continue
                if again is None:
                    self._complain_of_life(life, row, used)
                    continue
                self.unwritten.append(life.began.utc_us)
                row = again
            used[row["id"]] = life
        return used

    def _complain_of_life(self, life, row, used):
        if row is None:
            self.complain("L3", f"life {life.number} of {self.name} began before any operation",
                          lines=[life.began])
        elif row["id"] in used:
            self.complain("L3", f"{row['action']} {row['id']} of {self.name} was done twice", row,
                          lines=[used[row["id"]].began, life.began])
        else:
            self.complain("L1", f"life {life.number} of {self.name} began during or after "
                          f"{row['action']} {row['id']}, which starts nothing", row,
                          lines=[life.began])

    def succeeded_by_lives(self, used):
        """What has succeeded in starting has a life that became ready before it ended."""
        for row in self.ran:
            if row["action"] not in _STARTS or row["state"] != "succeeded":
                continue
            life = used.get(row["id"])
            if not row["changed"]:
                self._runs_already(row)
                if life:
                    self.complain("L1", f"{row['id']} has changed nothing, and started a life", row,
                                  lines=[life.began])
                continue
            ready = life.first("ready") if life else None
            if ready is None or ready.utc_us > row["finished_utc"]:
                if life is None and self._waited_for_one_taken_over(row):
                    continue
                self.complain("L3", f"{row['action']} {row['id']} of {self.name} has succeeded "
                              "without a life that was ready by then", row,
                              lines=[ready] if ready else [])

    def _waited_for_one_taken_over(self, row):
        """A daemon that was killed had begun it, and it became ready under the next."""
        begun = [life for life in self.lives.values()
                 if life.began and life.began.utc_us <= row["finished_utc"]]
        last = max(begun, key=lambda life: life.number, default=None)
        ready = last.first("ready") if last else None
        return (ready is not None and ready.utc_us <= row["finished_utc"]
                and self._kill_between(last.began.utc_us - self._late(), row["finished_utc"]))

    def _told_by(self, gone):
        """From when on a daemon can know of it: when none was there, or was killed before it could
        tell, the next one from its beginning on."""
        for alive, _, ready in self.epochs:
            if alive - self._late() <= gone <= ready:
                gone = ready
        return gone

    def _runs_already(self, row):
        """A start that found it running was not told so of one that had long ended."""
        if row["action"] != "start" or not row["started_utc"]:
            return
        begun = [n for n, life in self.lives.items()
                 if life.began and life.began.utc_us <= row["finished_utc"]]
        last = self.lives[max(begun)] if begun else None
        gone = last and (last.first("end") or last.first("crash"))
        late = self._late() + 100000 * SLOW
        if last is None or gone and self._told_by(gone.utc_us) < row["started_utc"] - late:
            self.complain("L3", f"start {row['id']} found {self.name} running, which was not", row,
                          lines=last.lines[-2:] if last else [])

    def stops_are_true(self):
        """L6: nothing of the tree writes after a stop has succeeded and before the next start."""
        stamps = sorted(self.lines, key=lambda line: line.utc_us)
        at = [line.utc_us for line in stamps]
        for index, row in enumerate(self.ran):
            if row["action"] != "stop" or row["state"] != "succeeded":
                continue
            until = next((other["started_utc"] for other in self.ran[index + 1:]
                          if other["action"] in _STARTS), None)
            early = [at_utc for at_utc in self.unwritten if at_utc > row["finished_utc"]]
            if early and (until is None or min(early) < until):
                until = min(early)
            first = bisect.bisect_right(at, row["finished_utc"])
            last = len(at) if until is None else bisect.bisect_left(at, until)
            left = stamps[first:last]
            if left:
                self.complain("L6", f"stop {row['id']} of {self.name} has succeeded, and something "
                              "of it lived on", row, lines=left[:4])

    def signals_arrived(self):
        """Each signal that was sent came, once, and no other did: to what ends at any time, at
        most as many."""
        wanted = {number: [] for number in (*SIGNALS, RELOAD_SIGNAL)}
        unknown = collections.Counter()
        for row in self.ran:
            number = _number_of(row, self.temper)
            if number is None:
                continue
            if row["state"] == "succeeded":
                wanted[number].append(row)
            elif row["state"] == "interrupted":
                unknown[number] += 1
        for number, rows in wanted.items():
            came = [line for line in self.lines
                    if line.word == "signal" and line.detail == number]
            if len(came) > len(rows) + unknown[number]:
                self.complain("L3", f"{self.name} got signal {number} {len(came)} times, it was "
                              f"sent {len(rows)} times", *rows[-3:], lines=came[-3:])
            if self.temper.calm and len(came) < len(rows):
                self.complain("L3", f"{self.name} got signal {number} {len(came)} times, it was "
                              f"sent {len(rows)} times", *rows[-3:], lines=came[-3:])
            if not unknown[number] and self.temper.calm:
                for row, line in zip(rows, came):
                    if line.utc_us < row["started_utc"]:
                        self.complain("L1", f"signal {number} came before {row['id']} began", row,
                                      lines=[line])

    def reloads_ran(self):
        """Each reload command ran, once."""
        if self.temper.reload not in ("command", "refuses"):
            return
        rows = [row for row in self.ran if row["action"] == "reload"]
        did = [row for row in rows if row["state"] == "succeeded" or
               (row["state"] == "failed" and row["exit"] == "code 3")]
        may = [row for row in rows if row["state"] in ("timed_out", "cancelled", "superseded",
                                                       "interrupted", "failed")]
        came = sum(1 for line in self.lines if line.word == "reload")
        if not len(did) <= came <= len({row["id"] for row in did + may}):
            self.complain("L3", f"the reload command of {self.name} ran {came} times, "
                          f"{len(did)} reloads say that it did", *rows[-3:])
        if self.temper.reload == "refuses":
            for row in rows:
                if row["state"] == "succeeded":
                    self.complain("L2", f"reload {row['id']} of {self.name} has succeeded, and its "
                                  "command fails", row)

    def generations(self):
        """There are as many generations as lives, or more: some were ended before they began."""
        kept = self.evidence.services.get(self.name)
        if kept and len(self.lives) > kept["generation"]:
            self.complain("L3", f"{self.name} had {len(self.lives)} lives and "
                          f"{kept['generation']} generations")


def _number_of(row, temper):
    """Which counted signal the operation sends."""
    if row["action"] == "signal":
        return 34 + int(row["signal"].rpartition("+")[2])       # SIGRTMIN+6
    if row["action"] == "reload" and temper.reload == "signal":
        return RELOAD_SIGNAL
    return None


def check(evidence):
    found = []
    for name in NAMES:
        lives = Lives(evidence, name)
        lives.one_at_a_time()
        lives.each_life()
        lives.succeeded_by_lives(lives.began_by_operations())
        lives.stops_are_true()
        lives.signals_arrived()
        lives.reloads_ran()
        lives.generations()
        found += lives.found
    return found
