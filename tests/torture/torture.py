#!/usr/bin/env python3
"""Torture: many clients ask for everything at once, of services of mixed temper; then the laws are
looked for in what three witnesses left who know nothing of each other: the journal (journal.py),
the services (lives.py) and the clients (history.py, linear.py). With --kill the daemon dies again
and again meanwhile.

The requests are decided by the seed alone: a seed that fails asks for the same again.
"""
import argparse
import collections
import os
import sys
import threading
import time

import history
import journal
import lives
import verdict
from evidence import Evidence
from harness.build import BUILD, ORDERLYD, SANITIZE
from harness.orderly import Trouble
from seen import code_of
from storm import LOST, Storm
from tempers import WITNESS

# What must have happened in a storm of this size, or it has tried nothing.
_MANY = 2000
_MUST = ("succeeded", "failed", "cancelled", "superseded", "timed_out", "joined", "recovery",
         "dependency", "not_idle", "queue_full", "cannot_cancel", "a repeated key", "a batch")


def judge(evidence):
    """Of evidence that broke off only what can be said all the same."""
    found = journal.check(evidence) + lives.check(evidence)
    return found + history.check(evidence) if evidence.final else found


def happened(evidence):
    """How often what: that a storm was one is seen here."""
    seen = collections.Counter(row["state"] for row in evidence.rows)
    seen.update(row["origin"] for row in evidence.rows)
    seen["joined"] = sum(1 for row in evidence.rows if row["coalesced_into"] is not None)
    seen["a batch"] = len({row["batch"] for row in evidence.rows if row["batch"] is not None})
    keys = collections.Counter(r.key for r in evidence.requests if r.key and r.status)
    seen["a repeated key"] = sum(1 for count in keys.values() if count > 1)
    seen.update(filter(None, map(code_of, evidence.requests)))
    seen["ends whose cause a daemon took along"] = evidence.about.get("lost_ends", 0)
    return seen


def _complain(evidence, trouble, violations):
    if evidence.rows:
        verdict.tell(evidence, violations, sys.stdout)
    if trouble:
        print(f"TROUBLE {type(trouble).__name__}: {trouble}")


def torture(arguments, seed):
    """One storm; whether all was well."""
    began, trouble = time.monotonic(), None
    storm = Storm(seed, arguments.clients, arguments.requests, arguments.kill)
    try:
        storm.run()
    except (Trouble, threading.BrokenBarrierError, *LOST) as error:
        trouble = error
    evidence = storm.evidence
    blown = time.monotonic()
    violations = judge(evidence) if evidence.rows else []
    seen = happened(evidence)
    if not trouble and not violations and arguments.clients * arguments.requests >= _MANY:
        missing = [what for what in _MUST if not seen[what]]
        if missing:
            trouble = Trouble(f"nothing of this has happened: {', '.join(missing)}")
    begun = sum(1 for lines in evidence.lives.values() for line in lines if line.word == "begin")
    print(f"seed {seed}: {len(evidence.requests)} requests, {len(evidence.rows)} operations, "
          f"{begun} lives, {len(evidence.epochs)} daemons killed, in {blown - began:.1f} s; judged "
          f"in {time.monotonic() - blown:.1f} s; this machine was late by up to "
          f"{evidence.about.get('lateness_us', 0) / 1000:.0f} ms")
    print("  " + ", ".join(f"{count} {what}" for what, count in seen.most_common() if count),
          flush=True)
    if arguments.keep:
        evidence.save(f"{arguments.keep}/{seed}")
    if not trouble and not violations:
        return True
    _complain(evidence, trouble, violations)
    print(f"replay: ORDERLY_BUILD={BUILD} ORDERLY_SANITIZE={SANITIZE} "
          f"{sys.executable} {os.path.abspath(__file__)} --seed {seed} "
          f"--clients {arguments.clients} --requests {arguments.requests}"
          f"{' --kill' if arguments.kill else ''}", flush=True)
    return False


def judge_again(folder):
    evidence = Evidence.load(folder)
    violations = judge(evidence)
    _complain(evidence, None, violations)
    return not violations


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("ORDERLY_SEED", "1")),
                        help="which storm; default: ORDERLY_SEED, or 1")
    parser.add_argument("--seeds", type=int, default=1, help="so many, from this one on")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--requests", type=int, default=500, help="of each client")
    parser.add_argument("--kill", action="store_true", help="kill the daemon meanwhile")
    parser.add_argument("--keep", metavar="FOLDER", help="leave the evidence there, by seed")
    parser.add_argument("--judge", metavar="FOLDER", help="judge evidence that was kept")
    arguments = parser.parse_args()
    if arguments.judge:
        sys.exit(0 if judge_again(arguments.judge) else 1)
    for program in (ORDERLYD, WITNESS):
        if not os.access(program, os.X_OK):
            sys.exit(f"{program} is missing: ORDERLY_BUILD must name a finished build")
    results = [torture(arguments, seed)
               for seed in range(arguments.seed, arguments.seed + arguments.seeds)]
    if len(results) > 1:
        print(f"{sum(results)} of {len(results)} storms passed")
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
