"""Evidence that was tampered with is found, whichever witness lies; what was not is believed.

A small storm of the real daemon is the evidence; each test makes one lie of it.
"""
import pickle
import subprocess
import tempfile
import unittest

import history
import journal
import linear
import lives
import seen
from evidence import Evidence, Line, Request
from harness.orderly import Daemon, main, on_fd
from storm import Storm
from tempers import TEMPERS, WITNESS

_STARTS = ("start", "restart")


class Tampered(unittest.TestCase):
    calm = [name for name, temper in TEMPERS.items() if temper.calm]

    @classmethod
    def setUpClass(cls):
        storm = Storm(7, 8, 250, False)
        storm.run()
        cls.whole = pickle.dumps(storm.evidence)

    def setUp(self):
        self.e = pickle.loads(self.whole)

    def found(self, witness, law, words):
        """The witness is caught in breaking the law, in these words."""
        check = {"journal": journal, "services": lives, "clients": history}[witness].check
        violations = check(self.e)
        self.assertTrue([v for v in violations if v.law == law and words in v.text],
                        f"{law} {words!r} was not found: {violations[:5]}")

    # ---- finding something to lie about ----

    def row(self, *actions, state="succeeded", **more):
        """Some row of people's that began, and what is wanted of it."""
        for row in self.e.rows:
            if (row["action"] in actions and row["state"] == state and row["started_utc"]
                    and row["origin"] == "api" and row["coalesced_into"] is None
                    and all(row[key] == value for key, value in more.items())):
                return row
        self.fail(f"no {actions} is {state}: another seed is needed")

    def neighbours(self):
        """Two that ran one after the other on one service, the second accepted later."""
        for name in TEMPERS:
            ran = [r for r in self.e.rows if r["service"] == name and r["started_utc"]
                   and r["coalesced_into"] is None]
            for one, other in zip(ran, ran[1:]):
                if one["finished_utc"] > one["started_utc"] + 500:
                    return one, other
        return self.fail("no two ran after each other")

    def accepted(self, mode=None, kind=None):
        """A request that was accepted and answered, alone under its name."""
        names = [seen.name_of(r) for r in self.e.requests]
        for request in self.e.requests:
            if (seen.records_of(request) and request.method != "GET"
                    and seen.name_of(request) and names.count(seen.name_of(request)) == 1
                    and "operations" not in request.answer
                    and request.kind not in ("cancel", "look", "batch")
                    and (kind is None or request.kind == kind)
                    and (mode is None or seen.parameter(request.path, "mode") == mode)):
                return request
        return self.fail("no such request was accepted")

    def final(self, number):
        return next(r for page in self.e.final for r in page.answer["operations"]
                    if r["id"] == number)

    def life(self, row):
        """The life that the operation began."""
        return next(line for line in self.e.lives[row["service"]]
                    if line.word == "begin" and line.utc_us >= row["started_utc"])

    def alter(self, line, **changes):
        mine = self.e.lives[next(n for n, ls in self.e.lives.items() if line in ls)]
        mine[mine.index(line)] = line._replace(**changes)

    def replace(self, request, **changes):
        at = self.e.requests.index(request)
        self.e.requests[at] = request._replace(**changes)
        self.e.requests.sort(key=lambda r: r.sent)

    # ---- nobody has lied ----

    def test_the_evidence_as_it_is_is_believed(self):
        for module in (journal, lives, history):
            self.assertEqual(module.check(self.e), [])

    def test_kept_evidence_is_the_same(self):
        with tempfile.TemporaryDirectory() as folder:
            self.e.save(folder)
            again = type(self.e).load(folder)
        for key, value in vars(self.e).items():
            self.assertEqual(vars(again)[key], value, key)

    # ---- the journal lies ----

    def test_an_operation_that_never_ended_is_found(self):
        self.row("restart").update(state="running", finished_utc=None)
        self.found("journal", "L2", "for ever")

    def test_an_operation_that_ended_before_it_began_is_found(self):
        row = self.row("restart")
        row["finished_utc"] = row["started_utc"] - 1
        self.found("journal", "L2", "ended before it began")

    def test_one_that_joined_may_be_accepted_when_the_other_has_just_begun(self):
        joined = next(r for r in self.e.rows if r["coalesced_into"] and r["started_utc"])
        joined["accepted_utc"] = joined["started_utc"] + 1
        self.assertEqual([v.text for v in journal.check(self.e) if "before it began" in v.text], [])

    def test_one_that_has_succeeded_without_beginning_is_found(self):
        self.row("stop").update(started_utc=None)
        self.found("journal", "L2", "never began")

    def test_one_that_ran_longer_than_it_may_is_found(self):
        row = self.row("restart")
        row["timeout_us"] = 1000
        row["finished_utc"] += 60000000
        self.found("journal", "L2", "with a timeout")

    def test_one_that_timed_out_too_soon_is_found(self):
        row = self.row("restart")
        row["state"] = "timed_out"
        self.found("journal", "L2", "timed out after")

    def test_two_operations_at_once_are_found(self):
        one, other = self.neighbours()
        other["started_utc"] = one["finished_utc"] - 1
        self.found("journal", "L1", "had ended")

    def test_operations_out_of_order_are_found(self):
        one, other = self.neighbours()
        keys = ("started_utc", "finished_utc")
        for key in keys:
            one[key], other[key] = other[key], one[key]
        self.found("journal", "L1", "began before")

    def test_one_that_joined_something_else_is_found(self):
        joined = next(r for r in self.e.rows if r["coalesced_into"] and r["state"] != "cancelled")
        joined["state"] = "failed" if joined["state"] != "failed" else "succeeded"
        self.found("journal", "L2", "is another in state")

    def test_one_that_joined_what_there_is_not_is_found(self):
        next(r for r in self.e.rows if r["coalesced_into"])["coalesced_into"] = 999999
        self.found("journal", "L3", "which there is not")

    def test_a_batch_without_its_first_is_found(self):
        first = next(r for r in self.e.rows if r["batch"] == r["id"] and
                     sum(1 for o in self.e.rows if o["batch"] == r["id"]) > 1)
        self.e.rows.remove(first)
        self.found("journal", "L3", "does not hold")

    def test_a_key_that_made_two_is_found(self):
        key = next(k for k in self.e.keys if not k["batch"])
        row = next(r for r in self.e.rows if r["id"] == key["operation"])
        self.e.rows.append({**row, "id": 999999, "started_utc": None})
        self.found("journal", "L3", "more than its operation")

    def test_a_recovery_after_a_stop_is_found(self):
        for name in TEMPERS:
            ran = [r for r in self.e.rows if r["service"] == name and r["started_utc"]]
            for one, other in zip(ran, ran[1:]):
                if (one["action"] == "stop" and one["state"] == "succeeded" and other["changed"]
                        and other["action"] in _STARTS):
                    other["origin"] = "recovery"
                    self.found("journal", "L6", "(recovery) started")
                    return
        self.fail("no start follows a stop")

    def test_a_recovery_after_a_stop_is_found_after_a_kill_too(self):
        """Unless something has started it in between, of which nothing was written."""
        for between, found in ((0, True), (1, False)):
            e = Evidence()
            e.about["epochs"] = [[1, 2, 3]]
            row = {"service": "shaky", "state": "succeeded", "changed": 1, "coalesced_into": None,
                   "timeout_us": 1000, "batch": None, "reason": None, "detail": None}
            e.rows = [{**row, "id": 1, "action": "stop", "origin": "api", "begin_generation": 5,
                       "accepted_utc": 1, "started_utc": 2, "finished_utc": 3},
                      {**row, "id": 2, "action": "start", "origin": "recovery",
                       "begin_generation": 5 + between,
                       "accepted_utc": 4, "started_utc": 5, "finished_utc": 6}]
            self.assertEqual(["(recovery) started" in v.text for v in journal.check(e)],
                             [True] if found else [])

    def test_a_goal_that_is_not_the_last_is_found(self):
        for row in self.e.services.values():
            row["goal"] = "down" if row["goal"] == "up" else "up"
        self.found("journal", "L6", "the goal of")

    # ---- the services lie, or the daemon has ----

    def test_a_copy_that_met_another_is_found(self):
        line = self.e.lives["quick"][5]
        self.e.lives["quick"].insert(6, line._replace(word="overlap"))
        self.found("services", "L4", "another copy")

    def test_a_child_that_outlives_its_life_is_found(self):
        begins = [line for line in self.e.lives["family"] if line.word == "begin"]
        after = begins[1].mono_ns + 1
        self.e.lives["family"].append(begins[0]._replace(word="beat", mono_ns=after))
        self.found("services", "L4", "went on when")

    def test_a_life_that_nobody_asked_for_is_found(self):
        stop = self.row("stop", service="quick", changed=1)
        begin = self.life(self.row("start", "restart", service="quick", changed=1))
        self.alter(begin, utc_us=stop["started_utc"] + 1)
        self.found("services", "L1", "which starts nothing")

    def test_an_operation_done_twice_is_found(self):
        row = self.row("restart", service="quick")
        begin = self.life(row)
        more = [line for line in self.e.lives["quick"] if line.life > begin.life]
        for line in more:
            self.alter(line, life=line.life + 1)
        at = self.e.lives["quick"].index(begin)
        for word in ("end", "term", "begin"):
            self.e.lives["quick"].insert(at + 1, begin._replace(word=word, life=begin.life + 1))
        self.found("services", "L3", "was done twice")

    def test_a_start_that_has_succeeded_without_a_life_is_found(self):
        row = self.row("restart", service="quick")
        number = self.life(row).life
        self.e.lives["quick"] = [line for line in self.e.lives["quick"] if line.life != number]
        self.found("services", "L3", "without a life")

    def test_a_start_that_has_succeeded_before_it_was_ready_is_found(self):
        row = self.row("restart", service="quick")
        number = self.life(row).life
        ready = next(line for line in self.e.lives["quick"]
                     if line.life == number and line.word == "ready")
        self.alter(ready, utc_us=row["finished_utc"] + 1)
        self.found("services", "L3", "without a life that was ready")

    def test_a_start_that_says_it_changed_nothing_and_did_is_found(self):
        self.row("restart", service="quick")["changed"] = 0
        self.found("services", "L1", "has changed nothing")

    def ended_long_before_a_start(self):
        """A start that has found it running, of one that ended ten seconds before: (row, end)."""
        self.e.about["lateness_us"] = 0
        row = next(row for row in self.e.rows if row["action"] == "start" and not row["changed"]
                   and row["state"] == "succeeded" and row["service"] in self.calm)
        mine = self.e.lives[row["service"]]
        number = max(line.life for line in mine if line.utc_us <= row["started_utc"])
        end = next(line for line in mine if line.life == number and line.word == "end")
        gone = row["started_utc"] - 10000000
        self.alter(end, utc_us=gone)
        return row, end.mono_ns - (end.utc_us - gone) * 1000

    def test_a_start_that_found_running_what_had_ended_is_found(self):
        self.ended_long_before_a_start()
        self.found("services", "L3", "which was not")

    def killed_when_it_ended(self, ready_before_the_start_us):
        """The daemon had just been killed when it ended; the next was there so long before the
        start."""
        row, gone = self.ended_long_before_a_start()
        ready = gone + 10000000000 - ready_before_the_start_us * 1000
        self.e.about["epochs"] = [[gone - 2000000, gone + 2000000, ready]]
        return f"start {row['id']} found"

    def test_what_ended_while_there_was_no_daemon_is_known_a_little_after_the_next_is_there(self):
        start = self.killed_when_it_ended(70000)
        self.assertFalse([v for v in lives.check(self.e) if v.text.startswith(start)])

    def test_what_the_next_daemon_still_does_not_know_after_long_is_found(self):
        start = self.killed_when_it_ended(5000000)
        self.found("services", "L3", start)

    def test_something_that_lives_after_a_stop_is_found(self):
        stop = self.row("stop", service="family", changed=1)
        line = next(line for line in self.e.lives["family"] if line.word == "beat")
        self.e.lives["family"].append(line._replace(utc_us=stop["finished_utc"] + 1))
        self.found("services", "L6", "something of it lived on")

    def test_a_calm_service_that_was_killed_is_found(self):
        end = next(line for line in self.e.lives["quick"] if line.word == "end")
        self.e.lives["quick"].remove(end)
        self.found("services", "L5", "without being asked")

    def test_a_signal_that_was_lost_is_found(self):
        lost = next(line for line in self.e.lives["quick"] if line.word == "signal")
        self.e.lives["quick"].remove(lost)
        self.found("services", "L3", "got signal")

    def test_a_signal_that_came_twice_is_found(self):
        twice = next(line for line in self.e.lives["shaky"] if line.word == "signal")
        self.e.lives["shaky"] += [twice] * 1000
        self.found("services", "L3", "got signal")

    def test_a_reload_that_ran_twice_is_found(self):
        row = next(row for row in self.e.rows if row["action"] == "reload" and
                   row["state"] == "succeeded" and TEMPERS[row["service"]].reload == "command")
        line = next(line for line in self.e.lives[row["service"]] if line.word == "reload")
        self.e.lives[row["service"]] += [line] * 1000
        self.found("services", "L3", "the reload command")

    def test_a_life_without_a_generation_is_found(self):
        self.e.services["quick"]["generation"] = 1
        self.found("services", "L3", "generations")

    # ---- the daemon lies to the clients ----

    def test_a_lost_operation_is_found(self):
        number = self.accepted().answer["id"]
        for page in self.e.final:
            page.answer["operations"] = [r for r in page.answer["operations"] if r["id"] != number]
        self.found("clients", "L3", "is not there at the end")

    def test_a_request_that_was_done_twice_is_found(self):
        record = self.final(self.accepted().answer["id"])
        self.e.final[0].answer["operations"].append({**record, "id": 999999})
        self.found("clients", "L3", "instead of")

    def test_a_202_that_made_nothing_is_found(self):
        request = self.accepted()
        request.answer["id"] = 999999
        self.found("clients", "L3", "is not there at the end")

    def test_a_refused_request_that_was_done_is_found(self):
        request = self.accepted()
        self.replace(request, status=409, answer={"code": "cannot_reload", "detail": ""})
        self.found("clients", "L3", "was refused, and made")

    def test_an_operation_that_nobody_asked_for_is_found(self):
        self.final(self.accepted().answer["id"])["reason"] = "nobody"
        self.found("clients", "L3", "nobody has asked for")

    def test_a_repeated_key_that_is_answered_with_another_is_found(self):
        names = [seen.name_of(r) for r in self.e.requests]
        request = next(r for r in self.e.requests if r.key and seen.records_of(r)
                       and names.count(r.key) > 1 and "operations" not in r.answer)
        other = next(r for r in self.e.requests if seen.records_of(r)
                     and seen.name_of(r) not in (None, r.key, request.key)
                     and "operations" not in r.answer)
        request.answer["id"] = other.answer["id"]
        self.found("clients", "L3", "answered with other operations")

    def test_a_batch_that_was_done_in_part_is_found(self):
        request = next(r for r in self.e.requests if r.kind == "batch" and r.status == 202
                       and len(r.answer["operations"]) > 2)
        gone = request.answer["operations"].pop()
        for r in self.e.requests:
            for record in seen.records_of(r):
                if record["id"] == gone["id"] and "operations" in r.answer:
                    r.answer["operations"].remove(record)
        for page in self.e.final:
            page.answer["operations"] = [r for r in page.answer["operations"]
                                         if r["id"] != gone["id"]]
        self.e.requests = [r for r in self.e.requests if not any(
            record["id"] == gone["id"] for record in seen.records_of(r))]
        self.found("clients", "L3", "instead of")

    def test_a_confirmed_cancel_of_what_ran_is_found(self):
        request = next(r for r in self.e.requests if r.kind == "cancel" and r.status == 200)
        self.final(request.answer["id"])["state"] = "succeeded"
        self.found("clients", "L2", "was confirmed")

    def test_a_cancel_that_nobody_asked_for_is_found(self):
        request = next(r for r in self.e.requests if r.kind == "cancel" and r.status == 200)
        self.e.requests.remove(request)
        self.found("clients", "L2", "nobody has asked for it")

    def test_an_end_that_changes_is_found(self):
        request = next(r for r in self.e.requests if r.status == 200 and r.method == "POST"
                       and seen.parameter(r.path, "wait") and "id" in r.answer)
        self.final(request.answer["id"])["state"] = "failed"
        self.found("clients", "L2", "has two ends")

    def test_a_state_that_goes_back_is_found(self):
        request = next(r for r in self.e.requests if r.status == 200 and r.method == "POST"
                       and seen.parameter(r.path, "wait") and "id" in r.answer)
        late = self.e.final[0].sent - 1
        record = {**request.answer, "state": "queued", "started_at": None}
        self.e.requests.append(request._replace(
            kind="look", method="GET", path=f"/operations/{record['id']}", answer=record,
            sent=late, answered=late))
        self.found("clients", "L2", "and then queued")

    def test_mode_fail_that_was_accepted_while_another_ran_is_found(self):
        """Of one that was seen to run all the while."""
        request = self.accepted(mode="fail")
        record = self.final(request.answer["id"])
        other = {**record, "id": record["id"] - 0.5, "reason": "before", "state": "succeeded"}
        path = f"/{record['action']}/{record['service']}?reason=before"
        running = {**other, "state": "running", "finished_at": None}
        self.e.final[0].answer["operations"].append(other)
        self.e.requests += [
            request._replace(sent=request.sent - 2, answered=request.sent - 1, path=path,
                             status=202, answer=running, key=None),
            request._replace(sent=request.answered + 1, answered=request.answered + 2,
                             kind="look", method="GET", path=f"/operations/{other['id']}",
                             status=200, answer=running, key=None)]
        self.e.requests.sort(key=lambda r: r.sent)
        self.found("clients", "L1", "in each other's way")

    def test_a_swapped_order_is_found(self):
        """Two that ran after each other, the second asked for when the first was accepted: the
        daemon claims that they began the other way round."""
        h = history.History(self.e)
        for name in TEMPERS:
            ran = sorted((one for one in h.seen.values() if one.final["service"] == name
                          and one.final["origin"] == "api" and one.final["started_at"]
                          and not one.final["coalesced_into"]), key=lambda one: one.number)
            for one, other in zip(ran, ran[1:]):
                if one.accepted[1] < other.accepted[0]:
                    a, b = one.final, other.final
                    a["started_at"], b["started_at"] = b["started_at"], a["started_at"]
                    self.found("clients", "L1", "no order of a FIFO")
                    return
        self.fail("no two ran after each other")

    def test_a_number_out_of_order_is_found(self):
        h = history.History(self.e)
        made = sorted((one for one in h.seen.values() if one.final["origin"] == "api"),
                      key=lambda one: one.accepted[1])
        made[-1].accepted[0] = made[-1].accepted[1]
        made[0].number, made[-1].number = made[-1].number, made[0].number
        h.numbers()
        self.assertTrue([v for v in h.found if "was asked for after" in v.text])

    def test_a_refusal_without_a_cause_is_found(self):
        for code in ("not_idle", "queue_full", "cannot_cancel"):
            with self.subTest(code):
                self.e = pickle.loads(self.whole)
                people = {f"/operations/{r['id']}" for page in self.e.final
                          for r in page.answer["operations"] if r["origin"] == "api"}
                request = next(r for r in self.e.requests if seen.code_of(r) == code
                               and (r.path in people or code != "cannot_cancel"))
                early = self.e.requests[0].sent - 10
                self.replace(request, sent=early, answered=early + 1)
                if code == "not_idle":
                    request.answer["detail"] = '"quick" is not idle: restart 900000 runs, 0 wait'
                self.found("clients", "L1" if code == "not_idle" else "answers",
                           "cannot be explained")

    def test_an_operation_that_nobody_knows_is_believed_only_just_before_a_kill(self):
        request = next(r for r in self.e.requests if seen.code_of(r) == "not_idle")
        early = self.e.requests[0].sent - 10
        answer = {**request.answer, "detail": '"quick" is not idle: start 900000 is about to '
                                              'begin, 0 wait behind it'}
        self.replace(request, sent=early, answered=early + 1, answer=answer)
        late = self.e.unwritten_us * 1000
        for after, believed in ((late, True), (2 * late, False)):
            dead = early + after
            self.e.about["epochs"] = [[dead - 1, dead, dead + 1]]
            found = [v for v in history.check(self.e) if "not_idle cannot be" in v.text]
            self.assertEqual(found == [], believed)

    def test_a_problem_that_nothing_deserves_is_found(self):
        request = self.accepted()
        self.e.requests.append(request._replace(status=503, answer={"code": "closing",
                                                                    "detail": ""}))
        self.found("clients", "answers", "deserves closing")

    def test_a_last_stop_that_did_not_win_is_found(self):
        name = next(n for n, row in self.e.status.items() if row["goal"] == "down" and
                    self.last(n)["action"] == "stop")
        self.e.status[name]["state"] = "running"
        self.found("clients", "L6", "was stopped last")

    def last(self, name):
        return max((r for page in self.e.final for r in page.answer["operations"]
                    if r["service"] == name and r["action"] in ("start", "stop", "restart")),
                   key=lambda r: r["id"])

    def test_one_superseded_by_nothing_is_found(self):
        record = next(r for page in self.e.final for r in page.answer["operations"]
                      if r["state"] == "superseded" and r["origin"] == "api")
        record["detail"] = "replaced by stop 999999 of uid:0"
        self.found("clients", "L2", "by nothing that could")


class Numbered(unittest.TestCase):
    def test_of_a_lost_answer_the_numbers_around_it_tell_when_it_was_accepted(self):
        jobs = [linear.Job(number, accepted, None, (0, 99))
                for number, accepted in ((1, (10, 20)), (2, (5, 99)), (3, (30, 40)))]
        history.in_order_of_numbers(jobs)
        self.assertEqual([job.accepted for job in jobs], [[10, 20], [10, 40], [30, 40]])


class Joined(unittest.TestCase):
    """Two restarts as one, made up; both are cancelled while they run."""

    def look(self, number, at, state, finished=None, kind="look", method="GET", path=None):
        record = {"id": number, "service": "sluggish", "action": "restart", "state": state,
                  "origin": "api", "requested_by": "uid:0", "reason": f"r{number}", "batch": None,
                  "coalesced_into": 1 if number == 2 else None, "changed": True, "exit": None,
                  "detail": None, "finished_at": finished,
                  "started_at": None if state == "queued" else "00:00:04Z"}
        return Request(0, at, kind, at, at + 1, method, path or f"/operations/{number}", None, None,
                       202 if state == "queued" else 200, record)

    def judge(self, ends):
        """What of the order cannot be, when the second ended at ends[0] and the first at ends[1]"""
        second, first = (f"00:00:{at:02}Z" for at in ends)
        evidence = Evidence()
        evidence.requests = [
            *(self.look(n, n, "queued", kind="restart", method="POST",
                        path=f"/restart/sluggish?reason=r{n}") for n in (1, 2)),
            self.look(2, 10, "running"),
            self.look(2, 20, "cancelled", second, kind="cancel", method="DELETE"),
            self.look(1, 30, "running"),
            self.look(1, 40, "cancelled", first, kind="cancel", method="DELETE")]
        evidence.final = [self.look(1, 50, "cancelled", first),
                          self.look(2, 52, "cancelled", second)]
        h = history.History(evidence)
        h.in_turn()
        return h.found

    def test_one_that_is_cancelled_before_the_one_that_it_joined_has_an_end_of_its_own(self):
        self.assertEqual(self.judge((20, 40)), [])

    def test_the_same_end_at_two_times_is_found(self):
        self.assertTrue(self.judge((40, 40)))


class Killed(unittest.TestCase):
    """A few lives around one kill, made up: what a daemon that dies may leave, and what not."""

    @staticmethod
    def judge(lines, row, kill, action="restart", changed=1):
        """Violations by one operation of shaky; all in milliseconds. lines: (word, life, when);
        row: (state, started, finished); kill: (alive, dead, the next one ready)."""
        evidence = Evidence()
        evidence.about["epochs"] = [[at * 1000000 for at in kill]]
        evidence.lives["shaky"] = [Line(word, life, 100 + life, at * 1000000, at * 1000, 0)
                                   for word, life, at in lines]
        state, started, finished = row
        evidence.rows.append({
            "id": 1, "service": "shaky", "action": action, "state": state,
            "changed": changed, "origin": "api", "coalesced_into": None,
            "accepted_utc": started * 1000, "started_utc": started * 1000,
            "finished_utc": finished * 1000})
        evidence.services["shaky"] = {"generation": len(lines)}
        return lives.check(evidence)

    def test_a_recovery_of_which_nothing_was_written_is_not_that_of_a_restart_that_had_ended(self):
        self.assertEqual(self.judge(
            [("begin", 1, 5), ("ready", 1, 6), ("crash", 1, 30), ("begin", 2, 45),
             ("ready", 2, 46)],
            ("succeeded", 1, 10), (44, 60, 100)), [])

    def test_nor_is_it_that_of_a_start_that_found_it_running(self):
        found = self.judge(
            [("begin", 1, -5), ("ready", 1, -4), ("crash", 1, 30), ("begin", 2, 45),
             ("ready", 2, 46)], ("succeeded", 1, 1), (44, 60, 100), action="start", changed=0)
        self.assertFalse([v for v in found if "has changed nothing" in v.text], found)

    def test_a_restart_that_was_given_up_by_a_daemon_that_died_goes_on(self):
        self.assertEqual(self.judge(
            [("begin", 1, 5), ("term", 1, 60), ("end", 1, 61), ("begin", 2, 190),
             ("term", 2, 290)],
            ("failed", 1, 300), (62, 70, 180)), [])

    def test_a_restart_that_was_given_up_long_before_the_daemon_died_does_not(self):
        found = self.judge(
            [("begin", 1, 5), ("term", 1, 60), ("end", 1, 61), ("begin", 2, 1190)],
            ("failed", 1, 1300), (1062, 1070, 1180))
        self.assertTrue([v for v in found if "was done twice" in v.text], found)


class Found(unittest.TestCase):
    """What the torture has found once, by itself."""

    def test_no_line_of_a_witness_lies_across_the_end_of_a_page(self):
        """A write is cut short there when its writer is killed."""
        with tempfile.TemporaryDirectory() as folder:
            for _ in range(3):
                subprocess.run([WITNESS, "--dir", folder, "--name", "web", "--say", "reload"],
                               check=True)
            with open(f"{folder}/web.witness", encoding="ascii") as f:
                lengths = {len(line) for line in f}
        self.assertEqual(len(lengths), 1)
        self.assertEqual(4096 % lengths.pop(), 0)

    def test_one_that_is_given_up_while_another_does_it_along_names_that_still(self):
        with Daemon({"web": on_fd("--stop-delay 2000", operation={"stop_timeout": "8s"})}) as d:
            d.wait_all_running()
            d.ask("restart", "web")
            runs = d.ask("restart", "web")["id"]
            joined = d.ask("restart", "web", "?coalesce=yes")
            self.assertEqual(joined["coalesced_into"], runs)
            d.wait_status(lambda row: row["active_operation"] == runs, "web")
            answer = d.http("DELETE", f"/operations/{joined['id']}")
            self.assertEqual((answer.status, answer.json["state"]), (200, "cancelled"))
            for record in (answer.json, d.operation(joined["id"])):
                self.assertTrue(record["started_at"])
                self.assertEqual(record["coalesced_into"], runs)
            self.assertEqual(d.operation(runs)["state"], "succeeded")


if __name__ == "__main__":
    main()
