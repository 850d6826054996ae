"""What the clients saw of each operation, put together from all answers that tell of it."""
import collections
import re

from harness.build import ENDS
from linear import FOREVER
from verdict import Violation

_REASON = re.compile(r"[?&]reason=([^&]+)")


def name_of(request):
    """What the client called its request; a repeated one has the same name."""
    found = _REASON.search(request.path)
    return found.group(1) if found else None


def parameter(path, key):
    found = re.search(rf"[?&]{key}(?:=([^&]*))?(?:&|$)", path)
    return None if not found else found.group(1) or "yes"


def records_of(request):
    answer = request.answer
    if not isinstance(answer, dict):
        return []
    records = answer["operations"] if "operations" in answer else [answer]
    return [r for r in records if isinstance(r, dict) and "requested_by" in r]


def code_of(request):
    answer = request.answer
    return answer.get("code") if isinstance(answer, dict) and "id" not in answer else None


def service_of(request):
    found = re.match(r"/(?:start|stop|restart|reload|signal|goal)/([^?]+)", request.path)
    return found.group(1) if found else None


class Seen:
    """All that was seen of one operation; intervals are of monotonic ns."""

    def __init__(self, number):
        self.number = number
        self.looks = []             # (sent, answered, record)
        self.final = None
        self.accepted = [-FOREVER, FOREVER]
        self.begun = [-FOREVER, FOREVER]
        self.ended = [-FOREVER, FOREVER]

    def look(self, sent, answered, record):
        self.looks.append((sent, answered, record))
        self.accepted[1] = min(self.accepted[1], answered)
        if record["state"] in ENDS:
            self.ended[1] = min(self.ended[1], answered)
        else:
            self.ended[0] = max(self.ended[0], sent)
        if record["started_at"]:
            self.begun[1] = min(self.begun[1], answered)
        elif record["state"] == "queued":
            self.begun[0] = max(self.begun[0], sent)

    def forgive(self, epochs):
        """A daemon that was killed may forget that something had begun; it begins again then."""
        if self.begun[0] > self.begun[1]:
            if any(alive <= self.begun[0] for alive, _, _ in epochs):
                self.begun[0] = -FOREVER


class Saw:
    """The base of those who judge: requests by name, operations by number."""

    def __init__(self, evidence):
        self.evidence = evidence
        self.requests = evidence.requests
        self.found = []
        self.by_name = collections.defaultdict(list)
        self.seen = {}
        for request in self.requests:
            if name_of(request):
                self.by_name[name_of(request)].append(request)
        for request in self.requests:
            self._see(request)
        for request in evidence.final:
            self._see(request, final=True)
        for request in self.requests:
            self._see_cancel(request)
        for one in self.seen.values():
            self._see_name(one)
            one.forgive(evidence.epochs)
            one.begun[0] = max(one.begun[0], one.accepted[0])
            one.ended[0] = max(one.ended[0], one.accepted[0])

    def _see(self, request, final=False):
        for record in records_of(request):
            one = self.seen.setdefault(record["id"], Seen(record["id"]))
            one.look(request.sent, request.answered, record)
            if final:
                one.final = record

    def _see_cancel(self, request):
        """What was cancelled ended while that was asked for."""
        if request.kind == "cancel" and request.status == 200:
            for record in records_of(request):
                one = self.seen[record["id"]]
                one.ended[0] = max(one.ended[0], request.sent)

    def _see_name(self, one):
        record = one.looks[0][2]
        asked = self.by_name.get(record["reason"] or "", [])
        if asked:
            one.accepted[0] = min(request.sent for request in asked)

    def complain(self, law, text, service=None, ids=(), requests=()):
        self.found.append(Violation("clients", law, text, service, list(ids), list(requests)))

    def kill_between(self, start, end):
        return any(start <= dead and alive <= end for alive, dead, _ in self.evidence.epochs)
