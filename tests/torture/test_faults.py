"""Every fault point trips as an error, as a delay and as a kill, one by one: nothing is lost, and
everything says why. For builds with ORDERLY_FAULTS only.

    ORDERLY_FAULT_ONLY=journal_commit,gate_open test_faults.py     only these
"""
import concurrent.futures
import contextlib
import http.client
import json
import multiprocessing
import os
import re
import signal
import subprocess
import time
import unittest

from fault_cases import CASES, DEAF, SERVICES, words_of
from harness.orderly import ENDS, GUARD, ORDERLYD, Daemon, Trouble, alive, fake, main

AT_ONCE = 3
DELAY = "200ms"
ONLY = [name for name in os.environ.get("ORDERLY_FAULT_ONLY", "").split(",") if name]
MANY = 320      # operations: enough for the journal's log to be written back, and for pruning


def points():
    """{name: (number, kinds)} as the program tells them; none: it was built without."""
    done = subprocess.run([ORDERLYD, "--fault-points"], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False,
                          timeout=GUARD)
    if done.returncode != 0:
        return {}
    rows = (line.split(" ", 3) for line in done.stdout.splitlines())
    return {name: (int(number), kinds.split(",")) for number, name, kinds, _ in rows}


POINTS = points()


class Died(Exception):
    """The daemon has ended."""


# ---- one life with a fault ----

class Life:
    """A daemon, and everything that was answered."""

    def __init__(self, d):
        self.d = d
        self.answers = []       # (what was asked, status or None, body or None)

    def ended(self):
        return self.d.process is None or self.d.process.poll() is not None

    def ask(self, method, path, body=None, headers=None):
        """What came back; None: no answer. A daemon that has died is found out here."""
        what = f"{method} {path}"
        try:
            answer = self.d.http(method, path, body, headers, timeout=60)
        except (OSError, http.client.HTTPException) as error:
            self.answers.append((what, None, {"detail": str(error)}))
            if self.dies():
                raise Died from None
            return None
        try:
            told = answer.json
        except ValueError:
            told = None
        self.answers.append((what, answer.status, told))
        return told

    def dies(self):
        """Whether the connection broke because the daemon has ended."""
        try:
            self.d.process.wait(10)
        except subprocess.TimeoutExpired:
            return False
        return True

    def details(self):
        """What was answered to those who asked."""
        for _, status, told in self.answers:
            if not isinstance(told, dict) or status is None:
                continue
            yield str(told.get("detail") or told.get("why") or "")
            yield from (str(problem.get("message", "")) for problem in told.get("errors") or ())
            for record in told.get("operations") or ():
                yield str(record.get("detail") or "")
            for row in told.get("services") or ():
                yield from (str(row.get(key) or "") for key in ("config_error", "log_error"))
            yield str((told.get("daemon") or {}).get("journal", ""))


def wait_settled(d):
    """Until nobody is on the way anywhere. What breaks a connection on the way is asked again."""
    for tries in range(3):
        try:
            return settled_rows(d)
        except ConnectionError:
            if d.process.poll() is not None or tries == 2:
                raise


def settled_rows(d):
    return d.wait_status(lambda rows: all(
        row["state"] in ("running", "stopped", "failed") and not row["active_operation"]
        and not row["queue_length"] for row in rows.values()), seconds=60)


def wait_journal(d):
    """Until it is written again: a disk that was full is believed after a while."""
    whole = d.status()
    until = time.monotonic() + GUARD
    while whole["daemon"]["journal"] != "ok":
        if time.monotonic() > until:
            raise Trouble(f"the journal is not written again: {whole['daemon']}")
        whole = d.http("GET", f"/status?since={whole['revision']}&wait=20").json


def tour(life):
    """Everything that a service can be asked, and what is asked of the daemon."""
    ask, d = life.ask, life.d
    for request in ("restart/web", "stop/ready", "start/ready", "reload/web", "reload/apart"):
        ask("POST", f"/{request}?wait=50")
    ask("GET", "/status/web")
    ask("POST", "/rotate/web")
    batch = '{"operations":[{"action":"restart","service":"*"}]}'
    for _ in range(2):
        ask("POST", "/operations?wait=50", batch, {"Idempotency-Key": "one"})
    d.write_service("web", {**SERVICES["web"], "service": {
        **SERVICES["web"]["service"], "description": "another"}})
    ask("POST", "/daemon/reload")
    for path in ("/status", "/logs/web?lines=5", "/operations?limit=5", "/version"):
        ask("GET", path)
    ask("POST", "/stop/apart?wait=50")
    ask("POST", "/start/apart?wait=50")
    ask("GET", "/status")


def tour_deaf(life):
    life.d.wait_witness("deaf", "grandchild")
    life.ask("POST", "/restart/deaf?wait=50")
    life.ask("POST", "/stop/deaf?wait=50")


def tour_many(life):
    for _ in range(MANY):
        life.ask("POST", "/restart/web?wait=50")


def tour_upgrade(life):
    d = life.d
    life.ask("POST", "/restart/web?wait=50")
    answer = life.ask("POST", "/daemon/upgrade")
    d.renewed()
    if answer and "detail" not in answer:       # it is under way: the next one is ready, or this one again
        d.wait_log("is ready, configuration", 2)
        d.wait_ready()
    tour(life)


TOURS = {"tour": tour, "second": tour, "tcp": tour, "deaf": tour_deaf, "many": tour_many,
         "upgrade": tour_upgrade}


def first_life(d):
    """Before a fault that only a second daemon can meet."""
    d.start()
    d.wait_all_running()
    d.restart("web")
    d.kill9()


FIRST_LIVES = {"second": first_life}
CONFIGS = {"many": {"operations": {"history_count": 100}}}     # so that much is too much soon


def run_life(life, case):
    """From the start to the end of the tour; whether the daemon lives still."""
    d = life.d
    try:
        d.start(wait=False)
        d.wait_ready()
        wait_settled(d)
        TOURS[case.scenario](life)
        wait_journal(d)
        wait_settled(d)
    except (Died, OSError, http.client.HTTPException, Trouble) as error:
        if not life.dies():
            raise Trouble(f"the daemon lives, but: {error!r}") from error
    return d.process.poll() is None


# ---- what must be so afterwards ----

def check_death(d, kind, case):
    """One that ended by itself has said why, and is not the fault's own kill."""
    status, d.process = d.process.returncode, None
    if kind == "kill":
        if status != -signal.SIGKILL:
            raise Trouble(f"it ended with {status}, not by the kill")
    elif kind == "delay" or case.quiet or status != 1:
        raise Trouble(f"the daemon ended with {status}")


def check_operations(d, died):
    """Each has ended, and says how; none has ended twice."""
    for record in d.operations():
        record = d.operation(record["id"])
        if record["state"] not in ENDS:
            raise Trouble(f"it has not ended: {record}")
        if record["state"] != "succeeded" and not record["detail"]:
            raise Trouble(f"it does not say why: {record}")
    ends = re.findall(r" (\d+) of \S+ (?:" + "|".join(ENDS) + r") after ", d.log_text())
    twice = {number for number in ends if ends.count(number) > 1}
    if twice and not died:
        raise Trouble(f"operations have ended twice: {sorted(twice)}")


def check_services(d):
    """All are supervised, each in one copy: a restart makes another process of it."""
    for name, row in wait_settled(d).items():
        d.do("restart", name)
        after = d.status(name)
        if after["state"] != "running" or after["pid"] == row["pid"] or not alive(after["pid"]):
            raise Trouble(f"{name} was {row} and is {after}")
        if row["pid"] and alive(row["pid"]):
            raise Trouble(f"{name}: its old process lives: {row}")


def check_as_ever(life):
    """Nothing was lost or refused."""
    for what, status, told in life.answers:
        if status not in (200, 202):
            raise Trouble(f"{what} was answered {status}: {told}")


def why_told(life, error):
    """A sentence that tells of the error: in an answer, or a line of the daemon's log."""
    texts = [*life.details()]
    for line in life.d.log_text().splitlines():
        if " error " in line or " warning " in line or line.startswith("orderlyd: "):
            if " tripped: " not in line:
                texts.append(line.split("Z ", 1)[-1])
    for record in life.d.operations():
        texts.append(str(record["detail"] or ""))
    for text in texts:
        if any(word.lower() in text.lower() for word in words_of(error)):
            return " ".join(text.split())
    refused = [answer for answer in life.answers if answer[1] not in (200, 202)]
    raise Trouble(f"nothing says why: {refused}: " + "; ".join(filter(None, texts[-12:])))


# ---- one fault ----

def fault_text(name, kind, case):
    what = {"error": f"error={case.error}", "delay": f"delay={DELAY}", "kill": "kill"}[kind]
    return f"{name}:{what}:at={case.at}" + (f",{case.also}" if case.also else "")


def attempt(name, kind, case):
    """The line that tells how it went; Trouble when it went wrong."""
    number = POINTS[name][0]
    services = {**SERVICES, **(DEAF if case.scenario == "deaf" else {})}
    with Daemon(services, config=CONFIGS.get(case.scenario), start=False,
                tcp=case.scenario == "tcp") as d:
        life = Life(d)
        FIRST_LIVES.get(case.scenario, lambda _: None)(d)
        d._env["ORDERLY_FAULT"] = fault_text(name, kind, case)  # pylint: disable=protected-access
        lives = run_life(life, case)
        tripped = f"fault {number} {name} tripped: "
        if tripped not in d.log_text():
            raise Trouble("no scenario has tripped it")
        del d._env["ORDERLY_FAULT"]                             # pylint: disable=protected-access
        if not lives:
            check_death(d, kind, case)
            d.start()
        check_services(d)
        check_operations(d, died=not lives)
        if kind == "error" and not case.quiet:
            said = f'said "{why_told(life, case.error)}"'
        elif kind == "error":
            said = f"nothing to say: {case.quiet}"
        elif kind == "delay":
            said = "all went as ever"
        else:
            said = "the next daemon went on"
        if kind == "delay" and not case.also or case.quiet and kind == "error":
            check_as_ever(life)
    error = f" {case.error}" if kind == "error" else ""
    return f"fault {number} {name} {kind}{error} at {case.at} ({case.scenario}): tripped, {said}"


def attempt_safely(name, kind, case):
    """For another process: no exception, whose cause might not be told."""
    try:
        return True, attempt(name, kind, case)
    except (Exception, SystemExit) as error:  # pylint: disable=broad-except
        return False, f"fault {fault_text(name, kind, case)} ({case.scenario}): FAILED: {error}"


def chosen(kind):
    return [(name, kind, case) for name, cases in CASES.items() for case in cases
            if kind in POINTS.get(name, (0, ()))[1] and (not ONLY or name in ONLY)]


@unittest.skipUnless(POINTS, "the program was built without ORDERLY_FAULTS")
class Faults(unittest.TestCase):
    def trip(self, kind):
        failures = []
        print(flush=True)   # behind the name of the test
        context = multiprocessing.get_context("fork")
        with concurrent.futures.ProcessPoolExecutor(AT_ONCE, mp_context=context) as pool:
            runs = [pool.submit(attempt_safely, *one) for one in chosen(kind)]
            for run in concurrent.futures.as_completed(runs):
                well, line = run.result()
                print(line, flush=True)
                if not well:
                    failures.append(line)
        self.assertEqual(failures, [])

    def test_each_point_of_the_program_has_a_scenario_and_no_other_has(self):
        self.assertEqual(sorted(POINTS), sorted(CASES))

    def test_each_as_an_error_loses_nothing_and_says_why(self):
        self.trip("error")

    def test_each_as_a_delay_changes_nothing(self):
        self.trip("delay")

    def test_each_as_a_kill_is_taken_up_by_the_next_daemon(self):
        self.trip("kill")

    def test_a_fault_that_does_not_exist_is_refused_at_the_start(self):
        done = subprocess.run([ORDERLYD, "--version"], env={"ORDERLY_FAULT": "nothing:error"},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.PIPE, check=False, timeout=GUARD)
        self.assertEqual(done.returncode, 2)
        self.assertIn('ORDERLY_FAULT: there is no fault point "nothing"', done.stderr)

    def test_who_waits_for_an_end_is_told_when_the_status_shows_what_has_come_of_it(self):
        def shown(d, *names):
            return {(row["state"], row["active_operation"]) for row in map(d.status, names)}
        batch = json.dumps({"operations": [{"action": "restart", "service": name}
                                           for name in ("web", "db")]})
        with Daemon({"web": fake(), "db": fake()}, start=False) as d:
            d._env["ORDERLY_FAULT"] = "board_publish:delay=300ms:times=0"   # pylint: disable=W0212
            d.start()
            d.wait_all_running()
            for _ in range(3):
                self.assertEqual(d.http("POST", "/operations?wait=50", batch).status, 200)
                self.assertEqual(shown(d, "web", "db"), {("running", None)})
                number = d.ask("restart", "web")["id"]
                while d.operation(number, wait=False)["state"] not in ENDS:
                    pass
                self.assertEqual(d.http("GET", f"/operations/{number}?wait=0.01").status, 200)
                self.assertEqual(shown(d, "web"), {("running", None)})

    def test_a_start_that_has_failed_has_failed_for_the_next_daemon_too(self):
        """This one dies as it looks for the last lines, before anybody is told of the end; it would
        succeed the next time."""
        web = fake("--print why --crash-at-start 1", service={"autostart": "no"},
                   readiness={"type": "delay", "delay": "20s"}, recovery={"restart": "no"})
        with Daemon({"web": web}, start=False) as d:
            d._env["ORDERLY_FAULT"] = "log_read:kill"               # pylint: disable=protected-access
            d.start()
            with contextlib.suppress(OSError, http.client.HTTPException):
                d.http("POST", "/start/web?wait=50")
            self.assertEqual(d.process.wait(GUARD), -signal.SIGKILL)
            d.process = None
            del d._env["ORDERLY_FAULT"]                             # pylint: disable=protected-access
            d.start()
            [asked] = [record for record in d.operations() if record["origin"] == "api"]
            self.assertEqual(d.operation(asked["id"])["state"], "failed")


if __name__ == "__main__":
    main()
