"""What the clients saw, judged without any other witness: each answer by itself (answers.py),
answers against each other, and all of one service against a FIFO (linear.py)."""
import bisect
import collections
import json
import re

import linear
from answers import Answers
from harness.build import ENDS
from linear import FOREVER
from plan import expected_operations
from seen import parameter, records_of, service_of
from tempers import NAMES, TEMPERS

_RANK = {"queued": 0, "running": 1}
_GOALS = {"start": "up", "restart": "up", "stop": "down"}
# Of an end that the next daemon knows of, but for its cause.
_LOST_DETAIL = "it ended so before the daemon did"


class History(Answers):
    def __init__(self, evidence):
        super().__init__(evidence)
        self.lost_ends = 0

    def operations(self):
        """Each request made what it was told to make, once; each end is one."""
        for one in self.seen.values():
            if one.final is None:
                self.complain("L3", f"operation {one.number} was told, and is not there at the end",
                              one.looks[0][2]["service"], [one.number])
                continue
            self._steady(one)
            if one.final["state"] not in ENDS and one.final["origin"] == "api":
                self.complain("L2", f"operation {one.number} has not ended", one.final["service"],
                              [one.number])
        by_reason = collections.defaultdict(list)
        for one in self.seen.values():
            if one.final and one.final["origin"] == "api":
                by_reason[one.final["reason"]].append(one.final)
        for name, made in by_reason.items():
            if name not in self.by_name:
                self.complain("L3", f"nobody has asked for {name!r}", made[0]["service"],
                              [r["id"] for r in made])
        for name, asked in self.by_name.items():
            self._made(name, asked, by_reason.get(name, []))

    def _steady(self, one):
        """States only go forward, and an end stays as it is."""
        ends = [look for look in one.looks if look[2]["state"] in ENDS]
        if self._lost(ends):
            return
        what = ("state", "changed") if self.evidence.killed else (
            "state", "changed", "detail", "started_at", "finished_at", "exit")
        for _, _, record in ends:
            if any(record[key] != ends[-1][2][key] for key in what):
                self.complain("L2", f"operation {one.number} has two ends", record["service"],
                              [one.number])
                break
        looks = sorted(one.looks, key=lambda look: look[0])
        for sent, _, record in looks:
            rank = _RANK.get(record["state"], 2)
            before = [look for look in looks if look[1] < sent
                      and _RANK.get(look[2]["state"], 2) > rank]
            if before and not (rank == 0 and self.kill_between(before[0][1], sent)
                               and before[0][2]["state"] == "running"):
                self.complain("L2", f"operation {one.number} was {before[0][2]['state']}, and then "
                              f"{record['state']}", record["service"], [one.number])
                break

    def _lost(self, ends):
        """An end of what had never begun, told in the moment in which its daemon was killed: the
        next one knows that it ended, and says that it does not know how. Counted, for it should not
        be."""
        last = ends[-1][2] if ends else {}
        lost = (last.get("state") == "interrupted" and last["started_at"] is None
                and "how was lost" in (last["detail"] or "")
                and any(self.kill_between(sent, answered + 20000000)
                        for sent, answered, record in ends if record["state"] != "interrupted"))
        self.lost_ends += lost
        return lost

    @staticmethod
    def _wanted(request):
        """[(action, service)] that it asks for."""
        if request.path.startswith("/operations"):
            return expected_operations(json.loads(request.body))
        if request.path.startswith("/goal/"):
            goal = json.loads(request.body)["goal"]
            return [("start" if goal == "up" else "stop", service_of(request))]
        return [(request.path.split("/")[1], service_of(request))]

    def _made(self, name, asked, made):
        wanted = sorted(self._wanted(asked[0]))
        there = sorted((r["action"], r["service"]) for r in made)
        told = [r for r in asked if records_of(r)]
        lost = any(r.answered is None for r in asked)
        service = service_of(asked[0])
        ids = [r["id"] for r in made]
        if told and there != wanted:
            self.complain("L3", f"{name} was accepted, and made {there} instead of {wanted}",
                          service, ids, asked)
        elif not told and there and not (lost and there == wanted):
            self.complain("L3", f"{name} was refused, and made {there} all the same", service,
                          ids, asked)
        for request in told:
            if sorted(r["id"] for r in records_of(request)) != sorted(ids):
                self.complain("L3", f"{name} was asked again, and answered with other operations",
                              service, ids, [request])
        batches = {r["batch"] for r in made}
        is_batch = asked[0].path.startswith("/operations")
        if made and batches != ({min(ids)} if is_batch else {None}):
            self.complain("L3", f"{name}: the batch is {batches}", service, ids, asked)

    def cancels(self):
        """Who was told that it is cancelled was told the truth; and nothing else is."""
        asked = collections.defaultdict(list)
        for request in self.requests:
            if request.kind == "cancel":
                number = int(re.search(r"/operations/(\d+)", request.path).group(1))
                asked[number].append(request)
        for number, requests in asked.items():
            done = [r for r in requests if r.status == 200]
            final = self.seen[number].final if number in self.seen else None
            if done and (final is None or final["state"] != "cancelled"):
                self.complain("L2", f"the cancel of {number} was confirmed, and it is "
                              f"{final['state'] if final else 'unknown'}",
                              final["service"] if final else None, [number], done)
        for one in self.seen.values():
            if one.final and one.final["state"] == "cancelled" and one.final["origin"] == "api":
                # what had joined one that runs is given up with it
                numbers = {one.number, one.final["coalesced_into"]}
                if not any(r.status in (200, None) for n in numbers for r in asked.get(n, [])):
                    self.complain("L2", f"{one.number} is cancelled, and nobody has asked for it",
                                  one.final["service"], [one.number])

    def superseded(self):
        for one in self.seen.values():
            record = one.final
            if not record or record["state"] != "superseded" or record["origin"] != "api":
                continue
            if self.evidence.killed and record["detail"] == _LOST_DETAIL:
                continue
            named = re.match(r"replaced by (\w+) (\d+) of ", record["detail"] or "")
            if named:
                by = self.seen.get(int(named.group(2)))
                good = by is not None and self._replaces(by.looks[0][2])
            else:
                by = next((other for other in self.seen.values()
                           if other.looks[0][2]["service"] == record["service"]
                           and other.looks[0][2]["action"] == "stop"
                           and other.number > one.number
                           and other.accepted[0] <= one.ended[1]), None)
                good = by is not None
            if not good or by.number <= one.number or by.accepted[0] > one.ended[1]:
                self.complain("L2", f"{one.number} is superseded by nothing that could",
                              record["service"], [one.number])

    def _replaces(self, record):
        asked = self.by_name.get(record["reason"] or "", [])
        return any(parameter(r.path, "mode") == "replace" for r in asked)

    def numbers(self):
        """What was accepted later has a greater number."""
        made = sorted(((one.accepted[1], one.number) for one in self.seen.values()
                       if one.final and one.final["origin"] == "api"))
        answered = [at for at, _ in made]
        greatest = []
        for _, number in made:
            greatest.append(max(number, greatest[-1] if greatest else 0))
        for one in self.seen.values():
            if not one.final or one.final["origin"] != "api":
                continue
            before = bisect.bisect_left(answered, one.accepted[0])
            if before and greatest[before - 1] > one.number:
                self.complain("L1", f"{one.number} was asked for after {greatest[before - 1]} had "
                              "been accepted", one.final["service"],
                              [one.number, greatest[before - 1]])

    def goals(self):
        """A goal was not needed only where it may have been the last thing that was asked for."""
        for request in self.requests:
            if request.status is None or not self._not_needed(request):
                continue
            goal, service = request.answer["goal"], service_of(request)
            mine = [one for one in self.seen.values()
                    if one.looks[0][2]["service"] == service and one.final
                    and _GOALS.get(one.final["action"])]
            for_it = [one.accepted[1] if one.final["origin"] == "api" else FOREVER for one in mine
                      if _GOALS[one.final["action"]] == goal
                      and one.accepted[0] <= request.answered]
            against = [one.accepted[0] for one in mine
                       if _GOALS[one.final["action"]] != goal and one.final["origin"] == "api"
                       and one.accepted[1] < request.sent and one.final["state"] == "succeeded"
                       and not one.final["coalesced_into"]]
            first = goal == ("up" if TEMPERS[service].autostart else "down")
            if against and not any(at >= max(against) for at in for_it):
                self.complain("L6", f"{service} was said to be {goal} already", service,
                              requests=[request])
            elif not against and not for_it and not first:
                self.complain("L6", f"{service} was never asked to be {goal}, and was said to be",
                              service, requests=[request])

    def last_words(self):
        """What was accepted last wins."""
        for name in NAMES:
            mine = [one.final for one in self.seen.values() if one.final
                    and one.final["service"] == name and _GOALS.get(one.final["action"])]
            if not mine:
                continue
            last, row = max(mine, key=lambda record: record["id"]), self.evidence.status[name]
            if last["state"] != "succeeded":
                continue
            if last["action"] == "stop" and (row["state"], row["goal"], row["pid"]) != (
                    "stopped", "down", None):
                self.complain("L6", f"{name} was stopped last, and is {row['state']}", name,
                              [last["id"]])
            if last["action"] != "stop" and row["goal"] != "up":
                self.complain("L6", f"{name} was to run last, and its goal is {row['goal']}", name,
                              [last["id"]])

    # ---- against a FIFO ----

    def jobs(self, service):
        jobs = []
        mine = [one for one in self.seen.values() if one.final
                and one.final["service"] == service and one.final["origin"] == "api"]
        first = {}      # of each request: the others of a batch stand behind it, and may
        for one in mine:
            name = one.final["reason"]
            first[name] = min(first.get(name, one.number), one.number)
        for one in mine:
            record = one.final
            asked = self.by_name.get(record["reason"] or "", [])
            joined = record["coalesced_into"]
            target = self.seen.get(joined)
            ran = record["started_at"] is not None
            if ran and joined and target and target.final:
                # what was cancelled while another did it along has an end of its own
                ran = (record["state"] != "cancelled" or
                       record["finished_at"] == target.final["finished_at"])
            jobs.append(linear.Job(
                record["id"], one.accepted, one.begun if ran else None, one.ended,
                fail=(first[record["reason"]] == one.number and
                      any(parameter(r.path, "mode") == "fail" for r in asked)),
                joined=joined if ran else None,
                claimed=_microseconds(record["started_at"]) if ran and not joined else None))
        in_order_of_numbers(jobs)
        return jobs

    def in_turn(self):
        for service in NAMES:
            try:
                linear.check(self.jobs(service))
            except linear.Impossible as impossible:
                self.complain("L1", f"{service}: {impossible}", service,
                              [job.name for job in impossible.jobs])
                self.found[-1].more += [str(job) for job in impossible.jobs]


def in_order_of_numbers(jobs):
    """Numbers are given in the order in which places are taken: what has the lower one was accepted
    no later, which tells much of those whose answers were lost."""
    jobs.sort(key=lambda job: job.name)
    for one, other in zip(jobs, jobs[1:]):
        other.accepted[0] = max(other.accepted[0], one.accepted[0])
    for other, one in zip(jobs[::-1], jobs[-2::-1]):
        one.accepted[1] = min(one.accepted[1], other.accepted[1])


def _microseconds(text):
    """Of "2026-11-20T18:44:12.518204Z", as far as order goes."""
    return None if text is None else int(re.sub(r"\D", "", text))


def check(evidence):
    history = History(evidence)
    history.answers()
    history.operations()
    history.cancels()
    history.superseded()
    history.numbers()
    history.goals()
    history.last_words()
    history.in_turn()
    evidence.about["lost_ends"] = history.lost_ends
    return history.found
