"""Whether what the clients saw of one service can be explained by a FIFO, at all.

A job is an operation that people asked for. It has up to three moments, which nobody saw, but each
of which lies within an interval that the clients did see: when it was accepted (A), when it began
(B) and when it ended (E). A history is good when there is an order of the jobs, and a moment for
each A, B and E within its interval, so that

  - the As come in this order, and so do the Bs of those that began;
  - A <= B <= E of each, and a job begins only once all before it that began have ended;
  - what was accepted with mode=fail was accepted when nothing before it had not ended;
  - what joined another job was accepted while that was the last in line and had not begun, and
    shares its B and E;
  - where the daemon has told when jobs began, the order is that of these times too.

The order is searched for, after Wing and Gong: the next job is one whose acceptance could be next;
each moment is set as early as it can be; a dead end goes back to the last choice. Setting early is
safe: an earlier moment never forbids what a later one allows. What is not begun has no B, and its E
holds up nobody but mode=fail.
"""
import math

STEPS = 200000      # then the search is given up, and says so: that is no success
FOREVER = math.inf


class Job:
    """accepted, begun, ended: intervals [at least, at most]; begun None: it never began.
    claimed: when it began as the daemon told, in any unit; joined: the job that does it along."""

    def __init__(self, name, accepted, begun, ended, fail=False, joined=None, claimed=None):
        self.name, self.fail, self.joined, self.claimed = name, fail, joined, claimed
        self.accepted, self.ended = list(accepted), list(ended)
        self.begun = list(begun) if begun is not None else None

    def __repr__(self):
        def span(interval):
            low, high = interval
            return f"[{low / 1e9:.6f}, {high / 1e9:.6f}]"
        began = span(self.begun) if self.begun else "never"
        return (f"{self.name}: accepted {span(self.accepted)} began {began} "
                f"ended {span(self.ended)}{' mode=fail' if self.fail else ''}"
                f"{f' joined {self.joined}' if self.joined is not None else ''}")


class Impossible(Exception):
    """No order explains the history. jobs: those that stand in each other's way."""

    def __init__(self, text, jobs):
        super().__init__(text)
        self.jobs = jobs


class _Place:
    """What the jobs that are placed so far leave behind."""
    __slots__ = ("accepted", "ended", "all_ended", "open", "open_begun", "claimed")

    def __init__(self, accepted=-FOREVER, ended=-FOREVER, all_ended=-FOREVER, claimed=-FOREVER):
        self.accepted = accepted        # A of the last one
        self.ended = ended              # E of the last one that began, but for `open`
        self.all_ended = all_ended      # the last E of all, but for `open`
        self.open = None                # the last one that began: others may join it still
        self.open_begun = -FOREVER      # its B so far
        self.claimed = claimed

    def copy(self):
        other = _Place(self.accepted, self.ended, self.all_ended, self.claimed)
        other.open, other.open_begun = self.open, self.open_begun
        return other

    def close(self):
        """Nobody joins the open one any more: its moments are settled. False: they can't be."""
        job = self.open
        if job is None:
            return True
        end = max(self.open_begun, job.ended[0])
        if self.open_begun > job.begun[1] or end > job.ended[1]:
            return False
        self.ended, self.all_ended = end, max(self.all_ended, end)
        self.open = None
        return True

    def put(self, job):
        """Places the job behind the others. False: it can't be there."""
        if job.joined is not None and job.begun:
            return self._join(job)
        if (job.begun or job.fail) and not self.close():
            return False
        at = max(self.accepted, job.accepted[0])
        if job.fail:
            at = max(at, self.all_ended)
        if at > job.accepted[1]:
            return False
        self.accepted = at
        if not job.begun:
            end = max(at, job.ended[0])
            self.all_ended = max(self.all_ended, end)
            return end <= job.ended[1]
        if job.claimed is not None:
            if job.claimed < self.claimed:
                return False
            self.claimed = job.claimed
        self.open = job
        self.open_begun = max(at, job.begun[0], self.ended)
        return self.open_begun <= job.begun[1]

    def _join(self, job):
        at = max(self.accepted, job.accepted[0])
        if self.open is None or self.open.name != job.joined or at > job.accepted[1]:
            return False
        self.accepted = at
        self.open_begun = max(self.open_begun, at, job.begun[0])
        return self.open_begun <= min(self.open.begun[1], job.begun[1])

    def key(self):
        return (self.accepted, self.ended, self.all_ended, self.open_begun)


def _share(jobs):
    """What joined shares B and E with the one that it joined."""
    by_name = {job.name: job for job in jobs}
    for job in jobs:
        target = by_name.get(job.joined)
        if job.joined is not None and target is None:
            raise Impossible(f"{job.name} has joined {job.joined}, which there is not", [job])
        if target is None or not job.begun or not target.begun:
            continue
        for mine, its in ((job.begun, target.begun), (job.ended, target.ended)):
            its[0], its[1] = max(mine[0], its[0]), min(mine[1], its[1])
    for job in jobs:
        target = by_name.get(job.joined)
        if target is not None and job.begun and target.begun:
            job.begun, job.ended = list(target.begun), list(target.ended)


def _tighten(jobs):
    """A <= B <= E of each, told to both neighbours."""
    for job in jobs:
        spans = [job.accepted] + ([job.begun] if job.begun else []) + [job.ended]
        for first, second in zip(spans, spans[1:]):
            second[0] = max(second[0], first[0])
        for first, second in zip(reversed(spans[:-1]), reversed(spans[1:])):
            first[1] = min(first[1], second[1])
        for (low, high), what in zip(spans, ("accepted", "begun", "ended")
                                     if job.begun else ("accepted", "ended")):
            if low > high:
                raise Impossible(f"{job.name} cannot have been {what} at any time: {job}", [job])


def _candidates(jobs, left):
    """Those of which the acceptance could be the next, the likeliest first. left: indices into
    jobs, which are in the order of their earliest acceptance."""
    last = min(jobs[index].accepted[1] for index in left)
    found = []
    for index in left:
        if jobs[index].accepted[0] > last:
            break
        found.append(index)

    def likely(index):
        job = jobs[index]
        return (job.claimed if job.claimed is not None else -FOREVER, job.accepted[1], job.name)
    joiners = [i for i in found if jobs[i].joined is not None and jobs[i].begun]
    others = [i for i in found if i not in joiners]
    others.sort(key=likely)
    return joiners + others


def check(jobs):
    """The names in an order that explains the history. Impossible: there is none. Takes jobs."""
    _share(jobs)
    _tighten(jobs)
    jobs = sorted(jobs, key=lambda job: (job.accepted[0], job.accepted[1]))
    left, order = list(range(len(jobs))), []
    place, steps, furthest = _Place(), 0, 0
    stuck = []
    seen = {}
    stack = []      # (left, place, candidates not yet tried)
    mask = 0
    choices = _candidates(jobs, left) if left else []
    while left:
        advanced = False
        while choices:
            index = choices.pop(0)
            following = place.copy()
            steps += 1
            if not following.put(jobs[index]):
                continue
            rest = [i for i in left if i != index]
            if rest and min(jobs[i].accepted[1] for i in rest) < following.accepted:
                continue
            after = mask | 1 << index
            key, state = following.key(), (after, following.open and following.open.name)
            if any(all(a <= b for a, b in zip(old, key)) for old in seen.get(state, ())):
                continue
            if stack and stack[-1][2] or choices:
                seen.setdefault(state, []).append(key)
            stack.append((left, place, choices, mask))
            order.append(index)
            left, place, mask = rest, following, after
            choices = _candidates(jobs, left) if left else []
            advanced = True
            break
        if not left and place.copy().close():
            break
        if not left or not advanced:
            if len(order) >= furthest:
                furthest, stuck = len(order), order[-3:] + left[:6]
            if not stack or steps > STEPS:
                why = ("no order of a FIFO explains it" if not stack else
                       f"no order of a FIFO was found in {STEPS} steps")
                raise Impossible(f"{why}: after {furthest} jobs these stand in each other's way",
                                 [jobs[i] for i in stuck])
            left, place, choices, mask = stack.pop()
            order.pop()
    return [jobs[index].name for index in order]
