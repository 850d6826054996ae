"""The storm: clients who ask by their streams, and perhaps one who kills the daemon meanwhile."""
import http.client
import json
import random
import threading
import time

from evidence import Evidence, Request
from harness.build import GUARD
from harness.orderly import Daemon, Trouble
from plan import Ask, stream
from tempers import NAMES, specs

LOST = (OSError, http.client.HTTPException)


class Lateness(threading.Thread):
    """How late this machine is when something is due: what is called late must be later."""

    def __init__(self):
        super().__init__(daemon=True)
        self.worst_us = 0
        self._over = threading.Event()

    def run(self):
        while True:
            due = time.monotonic() + 0.02
            if self._over.wait(0.02):
                return
            self.worst_us = max(self.worst_us, int((time.monotonic() - due) * 1e6))

    def finish(self):
        self._over.set()
        self.join()
        return self.worst_us


class Clock:
    """How many requests are through: whoever waits for the n-th is woken by it, or by the last
    client that leaves."""

    def __init__(self, clients):
        self._count, self._clients = 0, clients
        self._changed = threading.Condition()

    def tick(self):
        with self._changed:
            self._count += 1
            self._changed.notify_all()

    def leave(self):
        with self._changed:
            self._clients -= 1
            self._changed.notify_all()

    def wait(self, count):
        """False: the storm is over before."""
        with self._changed:
            self._changed.wait_for(lambda: self._count >= count or self._clients == 0)
            return self._clients > 0


class Client(threading.Thread):
    def __init__(self, storm, number, asks):
        super().__init__(name=f"client {number}")
        self.storm, self.number, self.asks = storm, number, asks
        self.requests, self.trouble = [], None
        self._own, self._keyed = [], []

    def run(self):
        try:
            for number, ask in enumerate(self.asks):
                if ask.meet:
                    self.storm.meet(self.number)
                self._ask(number, self._filled(ask))
                self.storm.clock.tick()
        except BaseException as error:  # pylint: disable=broad-except
            self.trouble = error
            self.storm.give_up()
        self.storm.clock.leave()

    def _filled(self, ask):
        """With the operation that is meant, of those that were accepted so far."""
        if ask.again is not None:
            if not self._keyed:
                return Ask("look", "GET", "/operations/1")
            before = self._keyed[-min(ask.again, len(self._keyed))]
            return Ask("again", before.method, before.path, before.body, before.key)
        if ask.own is not None:
            number = self._own[-min(ask.own, len(self._own))] if self._own else 1
            return Ask(ask.kind, ask.method, ask.path.replace("@", str(number)))
        return ask

    def _ask(self, number, ask):
        if ask.key and ask.kind != "again":
            self._keyed.append(ask)
        while True:
            request = self.storm.send(self.number, number, ask)
            self.requests.append(request)
            if request.status is not None:
                break
            self.storm.wait_alive()
            if not ask.key:     # perhaps it was done: it must not be done twice
                return
        self._remember(request.answer)

    def _remember(self, answer):
        records = answer.get("operations", [answer]) if isinstance(answer, dict) else []
        for record in records:
            if record.get("requested_by") and record["id"] not in self._own[-64:]:
                self._own.append(record["id"])


class Killer:
    """Kills the daemon at moments that the seed chooses by the number of requests, and starts the
    next one at once. In the main thread: the daemon ends with the thread that started it."""

    def __init__(self, storm, rng, total):
        self.storm, self.epochs = storm, []
        self._moments, at = [], 0
        every = max(20, total // 12)
        while at < total:
            at += rng.randint(every // 2, every + every // 2)
            self._moments.append((at, rng.random() * 0.03))

    def run(self):
        for count, more in self._moments:
            if not self.storm.clock.wait(count):
                return
            threading.Event().wait(more)    # the moment is to be any, not that of an answer
            self._kill()

    def _kill(self):
        d = self.storm.d
        self.storm.alive.clear()
        before = time.monotonic_ns()
        d.kill9()
        dead = time.monotonic_ns()
        d.start()
        self.epochs.append((before, dead, time.monotonic_ns()))
        self.storm.alive.set()


class Storm:
    def __init__(self, seed, clients, requests, kill):
        self.seed, self.kill = seed, kill
        self.clock, self.alive = Clock(clients), threading.Event()
        self.alive.set()
        self.d, self.evidence = None, Evidence()
        self._clients = [Client(self, n, stream(seed, n, requests)) for n in range(clients)]
        self._total = clients * requests
        self._pairs = {n // 2: threading.Barrier(2) for n in range(clients)
                       if n // 2 * 2 + 1 < clients}

    # ---- for the clients ----

    def meet(self, client):
        """Waits for the other one of the pair, so that both ask at once."""
        barrier = self._pairs.get(client // 2)
        if barrier:
            barrier.wait(GUARD * 4)

    def give_up(self):
        for barrier in self._pairs.values():
            barrier.abort()
        self.alive.set()

    def wait_alive(self):
        """Lost answers are for those times only when somebody kills."""
        if not self.kill or not self.alive.wait(GUARD):
            raise Trouble("an answer was lost, and nobody has killed the daemon")

    def send(self, client, number, ask):
        headers = {"Idempotency-Key": ask.key} if ask.key else {}
        if ask.body:
            headers["Content-Type"] = "application/json"
        sent = time.monotonic_ns()
        status = answer = answered = None
        try:
            reply = self.d.http(ask.method, ask.path, ask.body, headers)
            answered = time.monotonic_ns()
            status, answer = reply.status, json.loads(reply.body)
        except LOST:
            if not self.kill:
                raise
        return Request(client, number, ask.kind, sent, answered, ask.method, ask.path, ask.body,
                       ask.key, status, answer)

    # ---- the whole of it ----

    def run(self):
        """Leaves self.evidence; whole unless this raises."""
        evidence, lateness = self.evidence, Lateness()
        config = {"operations": {"history_count": "0", "timeout": "40s"}}
        with Daemon(specs(self.seed), config=config) as self.d:
            lateness.start()
            try:
                self._blow(evidence)
                self._after(evidence)
                self.d.stop()
            finally:    # what there is, also when it ends badly
                evidence.about["lateness_us"] = lateness.finish()
                evidence.take_journal(f"{self.d.state_dir}/state.db")
                evidence.take_lives(self.d.dir, NAMES)

    def _blow(self, evidence):
        killer = Killer(self, random.Random(f"{self.seed} killer"), self._total)
        for client in self._clients:
            client.start()
        try:
            if self.kill:
                killer.run()
        except BaseException:
            self.give_up()
            raise
        finally:
            for client in self._clients:
                client.join()
            evidence.about["epochs"] = killer.epochs
            evidence.requests = sorted((r for c in self._clients for r in c.requests),
                                       key=lambda r: r.sent)
        for client in self._clients:
            if client.trouble:
                raise client.trouble

    def _after(self, evidence):
        """A last word to each service, all at once, then all that ever was, as it is listed."""
        self.d.renewed()    # a connection that was silent for all of a long storm has been closed
        rng = random.Random(f"{self.seed} last")
        words = {name: rng.choice(["stop", "stop", "restart"]) for name in NAMES}
        for number, name in enumerate(NAMES):
            ask = Ask(words[name], "POST", f"/{words[name]}/{name}?reason=last-{name}")
            evidence.requests.append(self.send(-1, number, ask))
        self._wait_quiet()
        before, number = "", 0
        while True:
            ask = Ask("list", "GET", f"/operations?limit=1000{before}")
            page = self.send(-1, len(NAMES) + number, ask)
            evidence.final.append(page)
            records = page.answer["operations"]
            if len(records) < 1000:
                break
            before, number = f"&before={records[-1]['id']}", number + 1
        evidence.status = {row["name"]: row for row in self.d.status()["services"]}

    def _wait_quiet(self):
        """Until nothing that people have asked for waits or runs."""
        until = time.monotonic() + 4 * GUARD
        while left := [record for state in ("queued", "running")
                       for record in self.d.operations(f"?state={state}&limit=1000")
                       if record["origin"] == "api"]:
            for record in left:
                self.d.operation(record["id"])
            if time.monotonic() > until:
                raise Trouble("operations do not end")
