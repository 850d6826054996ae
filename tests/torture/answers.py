"""Each answer by itself: only what may be answered is, and every refusal has its cause."""
import json
import re

from harness.build import ENDS
from linear import FOREVER
from plan import expected_operations
from seen import Saw, code_of, parameter, records_of, service_of
from tempers import TEMPERS


class Answers(Saw):
    def answers(self):
        """Only what may be answered is answered."""
        for request in self.requests:
            if request.status is None:
                continue
            code, records = code_of(request), records_of(request)
            if code:
                self._refusal(request, code)
            elif not records and not (request.kind == "list" or self._not_needed(request)):
                self.complain("answers", "an answer that is neither an operation nor a problem",
                              requests=[request])
            elif request.kind in ("cancel", "look", "list"):
                if request.status != 200 and parameter(request.path, "wait") is None:
                    self.complain("answers", "it should be 200", requests=[request])
            elif records:
                self._accepted(request, records)

    @staticmethod
    def _not_needed(request):
        return (request.path.startswith("/goal/") and request.status == 200
                and request.answer.get("operation", 0) is None)

    def _accepted(self, request, records):
        wait = parameter(request.path, "wait")
        ended = [r["state"] in ENDS for r in records]
        well = all(r["state"] == "succeeded" for r in records)
        if request.status == 202 and all(ended) and wait:
            self.complain("answers", "it has ended, and the answer says that it goes on",
                          requests=[request])
        if request.status != 202 and not all(ended):
            self.complain("answers", "it goes on, and the answer says that it has ended",
                          requests=[request])
        if request.status != 202 and (request.status == 200) != well:
            self.complain("answers", "the status says another end than the record",
                          requests=[request])
        if request.status == 202 and wait == "yes" and not self.evidence.killed:
            self.complain("L2", "who waited for the end was answered before it",
                          requests=[request])

    def _refusal(self, request, code):
        check = getattr(self, f"_refused_{code}", None)
        if check is None:
            self.complain("answers", f"nothing asked for deserves {code}", requests=[request])
        elif not check(request):
            self.complain("L1" if code == "not_idle" else "answers",
                          f"{code} cannot be explained", service_of(request), requests=[request])

    def _refused_unknown_operation(self, request):
        number = int(re.search(r"/operations/(\d+)", request.path).group(1))
        return number == 1 and number not in self.seen

    def _refused_cannot_reload(self, request):
        return TEMPERS[service_of(request)].reload is None

    def _refused_cannot_cancel(self, request):
        number = int(re.search(r"/operations/(\d+)", request.path).group(1))
        one = self.seen.get(number)
        if one is None:
            return False
        record = one.looks[0][2]
        return (record["origin"] != "api" or one.ended[0] <= request.answered or
                (record["action"] == "stop" and one.begun[0] <= request.answered))

    def _refused_not_idle(self, request):
        """Something did stand there while it was asked: the problem names it."""
        if parameter(request.path, "mode") != "fail":
            return False
        detail = request.answer["detail"]
        if re.search(r"it is (starting|stopping)$", detail):
            return True
        service, number = re.match(r'"(.*)" is not idle: \w+ (\d+) ', detail).groups()
        one = self.seen.get(int(number))
        if one is None:     # a request that was refused as well had a place for a moment
            return self._withdrawn(request, service) or self._forgotten(request)
        return (one.looks[0][2]["service"] == service and
                one.accepted[0] <= request.answered and one.ended[1] >= request.sent)

    def _places_of_refused(self, request, service):
        """How many places others, who were refused in the end, may have held meanwhile."""
        count = 0
        for other in self.requests:
            if other.sent > request.answered:
                break
            if other is request or (other.answered or FOREVER) < request.sent or records_of(other):
                continue
            if other.kind in ("batch", "again") and other.body and '"operations"' in other.body:
                asked = expected_operations(json.loads(other.body))
                count += sum(1 for _, name in asked if name == service)
            elif service_of(other) == service:
                count += 1
        return count

    def _withdrawn(self, request, service):
        return self._places_of_refused(request, service) > 0

    def _forgotten(self, request):
        """The supervisor's own, of which nothing was written before the daemon was killed."""
        return self.kill_between(request.sent,
                                 request.answered + self.evidence.unwritten_us * 1000)

    def _may_wait(self, one, at):
        """What had begun under a daemon that was killed waits again under the next."""
        until = one.ended[1] if self.evidence.killed else min(one.ended[1], one.begun[1])
        return until >= at

    def _refused_queue_full(self, request):
        """So many may have waited on each queue that it names."""
        full = re.findall(r'the queue of "(.*?)" is full(?: \((\d+) of (\d+) wait\))?',
                          request.answer["detail"])
        for service, waiting, limit in full:    # without numbers: by now there was room again
            waiting = waiting or TEMPERS[service].queue_limit
            if int(limit or waiting) != TEMPERS[service].queue_limit:
                return False
            may_wait = sum(1 for one in self.seen.values()
                           if one.looks[0][2]["service"] == service
                           and one.looks[0][2]["origin"] == "api"
                           and one.accepted[0] <= request.answered
                           and self._may_wait(one, request.sent))
            if may_wait + self._places_of_refused(request, service) < int(waiting):
                return False
        return bool(full)
