"""What an operator and a deploy script ask: modes, coalescing, keys, batches, goals, cancelling
what runs, reload and signal, each with its races. Whatever happens, each operation ends exactly
once."""
import collections
import contextlib
import json
import os
import re
import sqlite3
import unittest

from harness.orderly import (ENDS, GUARD, SANITIZE, Daemon, Shared, at_once, fake, held, main,
                             on_fd)

ROUNDS = 5 if SANITIZE else 15
ENDED = re.compile(r": (\w+) (\d+) of \S+ (%s) after " % "|".join(sorted(ENDS)))
UNENDING = on_fd("--start-delay 86400000", service={"autostart": "no"})


def post(d, path, body=None, key=None, **more):
    headers = {"Idempotency-Key": key} if key else {}
    data = None if body is None else json.dumps(body).encode()
    return d.http("POST", path, body=data, headers=headers, **more)


def batch(d, operations, query="", key=None, **beside):
    items = [dict(zip(("action", "service"), item)) if isinstance(item, tuple) else item
             for item in operations]
    return post(d, "/operations" + query, {"operations": items, **beside}, key)


class Operations(Shared):
    """Every test leaves everything idle; what the daemon wrote of ends is checked last."""

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        for record in cls.d.operations():
            if record["state"] not in ENDS:  # accepted, and not on the status yet
                cls.d.operation(record["id"])
        ended = collections.Counter(int(found[2]) for found in ENDED.finditer(cls.d.log_text()))
        twice = {number: count for number, count in ended.items() if count != 1}
        unended = [r["id"] for r in cls.d.operations() if r["state"] not in ENDS]
        unsaid = [r["id"] for r in cls.d.operations() if r["id"] not in ended]
        assert not twice, f"ended more than once: {twice}"
        assert not unended, f"have not ended: {unended}"
        assert not unsaid, f"ended unsaid: {unsaid}"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.d.wait_idle()

    def refused(self, answer, status, code):
        self.assertEqual((answer.status, answer.json.get("code")), (status, code), answer)
        return answer.json["detail"]

    def count(self):
        return len(self.d.operations())

    def idle(self, *names):
        for name in names:
            self.d.wait_status(lambda r: not r["active_operation"] and not r["queue_length"] and
                               r["state"] not in ("starting", "stopping"), name)

    def end_of(self, record):
        return self.d.operation(record["id"])["state"]


class Modes(Operations):
    services = {"web": on_fd(), "slow": on_fd("--stop-delay 300"), "held": held(),
                "unending": UNENDING}

    def test_fail_is_accepted_by_an_idle_service_and_refused_by_a_busy_one(self):
        self.idle("held")
        with self.d.hold("held"):
            record = self.d.ask("restart", "held", "?mode=fail")
            before = self.count()
            detail = self.refused(self.d.http("POST", "/restart/held?mode=fail"), 409, "not_idle")
            self.assertIn(str(record["id"]), detail)
            self.assertEqual(self.count(), before, "nothing was recorded")
        self.assertEqual(self.end_of(record), "succeeded")

    def test_of_many_that_want_an_idle_service_one_is_let_in(self):
        for _ in range(ROUNDS):
            self.idle("slow")
            answers = at_once([lambda: self.d.http("POST", "/restart/slow?mode=fail")] * 6)
            let_in = [a.json for a in answers if a.status == 202]
            # a quick end may let another one in after the first
            self.assertGreaterEqual(len(let_in), 1)
            for answer in answers:
                if answer.status != 202:
                    self.refused(answer, 409, "not_idle")
            for record in let_in:
                self.assertEqual(self.end_of(record), "succeeded")
                self.assertEqual(record["position"], 0)

    def test_replace_ends_what_waits_and_what_runs(self):
        running = self.d.ask("start", "unending")
        self.d.wait_state("unending", "starting")
        waiting = [self.d.ask("restart", "unending") for _ in range(3)]
        stop = self.d.http("POST", "/stop/unending?mode=replace&wait")
        self.assertEqual((stop.status, stop.json["state"]), (200, "succeeded"))
        for record in (running, *waiting):
            ended = self.d.operation(record["id"])
            self.assertEqual(ended["state"], "superseded", ended)
            self.assertIn(str(stop.json["id"]), ended["detail"])
        self.assertEqual(self.d.status("unending")["pid"], None)

    def test_a_stop_that_runs_is_finished_before_what_replaces_it(self):
        self.idle("held")
        with self.d.hold("held"):
            first = self.d.ask("stop", "held")
            self.d.wait_state("held", "stopping")
            waits = self.d.ask("restart", "held")
            start = self.d.ask("start", "held", "?mode=replace")
            self.assertEqual(self.end_of(waits), "superseded")
            self.assertEqual(self.d.operation(first["id"], wait=False)["state"], "running")
        self.assertEqual(self.end_of(start), "succeeded")
        self.assertEqual(self.end_of(first), "succeeded")
        self.assertEqual(self.d.status("held")["state"], "running")

    def test_replace_is_let_in_where_the_queue_is_full(self):
        with Daemon({"held": held(operation={"queue_limit": "2"})}) as d:
            d.wait_all_running()
            with d.hold("held"):
                d.ask("restart", "held")
                d.wait_state("held", "stopping")
                waiting = [d.ask("restart", "held")["id"] for _ in range(2)]
                self.refused(d.http("POST", "/stop/held"), 429, "queue_full")
                stop = d.ask("stop", "held", "?mode=replace")
            self.assertEqual(d.operation(stop["id"])["state"], "succeeded")
            self.assertEqual([d.operation(n)["state"] for n in waiting], ["superseded"] * 2)

    def test_replace_cancel_and_the_end_itself_together_end_each_one_once(self):
        d = self.d
        for turn in range(ROUNDS):
            self.idle("web")
            one, two = d.ask("restart", "web")["id"], d.ask("restart", "web")["id"]
            answers = at_once([
                lambda n=one: d.http("DELETE", f"/operations/{n}"),
                lambda n=two: d.http("DELETE", f"/operations/{n}"),
                lambda: d.http("POST", "/stop/web?mode=replace"),
                lambda: d.http("POST", "/start/web?mode=replace"),
                lambda: d.http("POST", f"/restart/web?mode={'queue' if turn % 2 else 'replace'}"),
            ])
            ids = [one, two] + [a.json["id"] for a in answers[2:]]
            self.assertEqual([a.status for a in answers[2:]], [202] * 3)
            states = {n: d.operation(n)["state"] for n in ids}
            for number, answer in zip((one, two), answers[:2]):
                if answer.status == 200:
                    self.assertEqual(answer.json["state"], "cancelled")
                    self.assertEqual(states[number], "cancelled")
                else:
                    self.refused(answer, 409, "cannot_cancel")
                    self.assertNotEqual(states[number], "cancelled")
            # the last one that was accepted is in nobody's way
            self.assertEqual(states[max(ids)], "succeeded", states)
        d.do("start", "web")


class Coalescing(Operations):
    services = {"held": held(), "joins": held(operation={"coalesce": "yes"})}

    @contextlib.contextmanager
    def busy(self, name):
        """A restart of it runs, until this is left."""
        self.idle(name)
        self.d.do("start", name)
        with self.d.hold(name):
            self.d.ask("restart", name)
            self.d.wait_state(name, "stopping")
            yield

    def test_requests_join_the_adjacent_one_that_waits_and_do_one_restart(self):
        with self.busy("held"):
            starts = len(self.d.witness("held", "start"))
            first = self.d.ask("restart", "held", "?coalesce=yes")
            joiners = [self.d.ask("restart", "held", "?coalesce=yes") for _ in range(3)]
        self.assertIsNone(first["coalesced_into"])
        self.assertEqual([r["coalesced_into"] for r in joiners], [first["id"]] * 3)
        self.assertEqual(len({r["id"] for r in joiners}), 3)
        ends = [self.d.operation(r["id"]) for r in (first, *joiners)]
        self.assertEqual({r["state"] for r in ends}, {"succeeded"})
        self.idle("held")
        self.assertEqual(len(self.d.witness("held", "start")), starts + 2)

    def test_what_differs_or_is_not_adjacent_is_not_joined(self):
        with self.busy("held"):
            first = self.d.ask("restart", "held")
            other = self.d.ask("restart", "held", "?coalesce=yes&timeout=29")
            between = self.d.ask("start", "held", "?coalesce=yes")
            after = self.d.ask("restart", "held", "?coalesce=yes&timeout=29")
        self.assertEqual([r["coalesced_into"] for r in (first, other, between, after)], [None] * 4)
        self.assertEqual({self.end_of(r) for r in (first, other, between, after)}, {"succeeded"})

    def test_a_service_may_coalesce_by_itself_and_a_request_may_refuse(self):
        with self.busy("joins"):
            first, second = (self.d.ask("restart", "joins") for _ in range(2))
            alone = self.d.ask("restart", "joins", "?coalesce=no")
        self.assertEqual((second["coalesced_into"], alone["coalesced_into"]), (first["id"], None))
        self.assertEqual({self.end_of(r) for r in (first, second, alone)}, {"succeeded"})

    def test_cancelling_what_others_have_joined_leaves_them(self):
        with self.busy("held"):
            first, second, third = (self.d.ask("restart", "held", "?coalesce=yes")
                                    for _ in range(3))
            answer = self.d.http("DELETE", f"/operations/{first['id']}")
            self.assertEqual((answer.status, answer.json["state"]), (200, "cancelled"))
            answer = self.d.http("DELETE", f"/operations/{third['id']}")
            self.assertEqual((answer.status, answer.json["state"]), (200, "cancelled"))
        self.assertEqual(self.end_of(second), "succeeded")


class Keys(Operations):
    services = {"web": on_fd(), "other": on_fd(), "slow": on_fd("--stop-delay 300"),
                "held": held()}
    tcp = True

    def test_a_repeated_request_is_the_same_operation(self):
        first = post(self.d, "/restart/web", key="deploy-1")
        self.assertEqual(first.status, 202)
        self.d.operation(first.json["id"])
        before = self.count()
        again = post(self.d, "/restart/web", key="deploy-1")
        self.assertEqual((again.status, again.json["id"]), (202, first.json["id"]))
        self.assertEqual(again.json["state"], "succeeded", "the record as it is now")
        self.assertEqual(again.headers["Location"], f"/operations/{first.json['id']}")
        waited = post(self.d, "/restart/web?wait", key="deploy-1")
        self.assertEqual((waited.status, waited.json["id"]), (200, first.json["id"]))
        self.assertEqual(self.count(), before)

    def test_another_request_with_the_same_key_is_refused(self):
        number = post(self.d, "/restart/web", key="deploy-2").json["id"]
        for path in ("/stop/web", "/restart/other", "/restart/web?timeout=5",
                     "/restart/web?reason=because", "/restart/web?mode=replace"):
            self.assertIn(str(number), self.refused(post(self.d, path, key="deploy-2"), 422,
                                                    "key_reused"))
        self.refused(batch(self.d, [("restart", "web")], key="deploy-2"), 422, "key_reused")
        self.d.operation(number)

    def test_of_many_at_once_one_makes_the_operation_for_all(self):
        for turn in range(ROUNDS):
            before = self.count()
            answers = at_once([lambda: post(self.d, "/restart/slow", key=f"together-{turn}")] * 6)
            self.assertEqual({a.status for a in answers}, {202})
            numbers = {a.json["id"] for a in answers}
            self.assertEqual(len(numbers), 1)
            self.assertEqual(self.count(), before + 1)
            self.d.operation(numbers.pop())

    def test_keys_belong_to_who_uses_them(self):
        mine = post(self.d, "/restart/web", key="shared").json
        theirs = post(self.d, "/restart/web", key="shared", tcp=True, token=self.d.admin_token())
        self.assertEqual(theirs.status, 202)
        self.assertNotEqual(theirs.json["id"], mine["id"])
        self.assertEqual({self.end_of(mine), self.end_of(theirs.json)}, {"succeeded"})

    def test_refusals_are_not_remembered(self):
        self.refused(post(self.d, "/restart/webb", key="late"), 404, "unknown_service")
        with self.d.hold("held"):
            running = self.d.ask("restart", "held")
            self.refused(post(self.d, "/restart/held?mode=fail", key="late-2"), 409, "not_idle")
        self.d.operation(running["id"])
        self.idle("held")
        self.assertEqual(post(self.d, "/restart/held?mode=fail&wait", key="late-2").status, 200)
        self.assertEqual(post(self.d, "/restart/web?wait", key="late").status, 200)

    def test_a_key_of_a_batch_gives_the_whole_batch_again(self):
        first = batch(self.d, [("restart", "web"), ("restart", "other")], key="many")
        again = batch(self.d, [("restart", "web"), ("restart", "other")], "?wait", key="many")
        self.assertEqual((first.status, again.status), (202, 200))
        self.assertEqual(again.json["batch"], first.json["batch"])
        self.assertEqual(sorted(r["id"] for r in again.json["operations"]),
                         sorted(r["id"] for r in first.json["operations"]))
        self.refused(batch(self.d, [("restart", "web")], key="many"), 422, "key_reused")

    def test_a_key_outlives_the_daemon(self):
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            first = post(d, "/restart/web?wait", key="for-ever").json
            d.restart_daemon()
            d.wait_all_running()
            again = post(d, "/restart/web", key="for-ever")
            self.assertEqual((again.status, again.json["id"]), (202, first["id"]))
            self.refused(post(d, "/stop/web", key="for-ever"), 422, "key_reused")

    def test_a_key_must_be_one_visible_and_of_some_use(self):
        def bad(path, *keys, method="POST"):
            head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            head += "".join(f"Idempotency-Key: {key}\r\n" for key in keys)
            data = self.d.raw(head.encode("latin-1") + b"Content-Length: 0\r\n\r\n")
            self.assertTrue(data.startswith(b"HTTP/1.1 400 "), data[:200])
            self.assertIn(b'"bad_parameter"', data)
            self.assertIn(b"Idempotency-Key", data)
        for keys in (["a", "a"], ["a", "b"], [""], ["a b"], ["x" * 256], ["\xe9"], ["a\tb"]):
            bad("/restart/web", *keys)
        for method, path in (("GET", "/status"), ("GET", "/operations/1"),
                             ("DELETE", "/operations/1"), ("POST", "/rotate/web"),
                             ("POST", "/daemon/reload"), ("GET", "/healthz")):
            bad(path, "k", method=method)
        self.assertEqual(post(self.d, "/start/web?wait", key="x" * 255).status, 200)


class Batches(Operations):
    services = {"web1": on_fd(service={"tags": "front"}), "web2": on_fd(service={"tags": "front"}),
                "db": on_fd(service={"tags": "back"}),
                "hang": held(operation={"queue_limit": "2"}),
                "broken": "[service]\ncomand = /bin/true\n"}

    def names(self, answer):
        return [r["service"] for r in answer.json["operations"]]

    def test_globs_tags_and_names_stand_for_every_service_that_matches(self):
        answer = batch(self.d, [("restart", "web*"), ("restart", "@back")])
        self.assertEqual(answer.status, 202)
        self.assertEqual(self.names(answer), ["web1", "web2", "db"])
        ids = sorted(r["id"] for r in answer.json["operations"])
        self.assertEqual(answer.json["batch"], ids[0])
        self.assertEqual({r["batch"] for r in answer.json["operations"]}, {ids[0]})
        self.assertEqual(answer.headers["Location"], f"/operations?batch={ids[0]}")
        listed = self.d.http("GET", answer.headers["Location"])
        self.assertEqual(listed.json["batch"], ids[0])
        self.assertEqual(sorted(r["id"] for r in listed.json["operations"]), ids)
        self.assertEqual({self.end_of(r) for r in answer.json["operations"]}, {"succeeded"})
        tagged = batch(self.d, [("start", "@front")], "?wait")
        self.assertEqual((tagged.status, self.names(tagged)), (200, ["web1", "web2"]))

    def test_a_batch_is_waited_for_until_all_have_ended(self):
        answer = batch(self.d, [("restart", "web1"), ("restart", "db")], "?wait", reason="both")
        self.assertEqual(answer.status, 200)
        self.assertEqual([r["state"] for r in answer.json["operations"]], ["succeeded"] * 2)
        self.assertEqual({r["reason"] for r in answer.json["operations"]}, {"both"})
        first = batch(self.d, [("restart", "web1"), ("restart", "web1")]).json["batch"]
        waited = self.d.http("GET", f"/operations?batch={first}&wait")
        self.assertEqual(waited.status, 200)
        self.assertEqual(len(waited.json["operations"]), 2)

    def test_one_that_does_not_succeed_makes_the_whole_409_and_one_that_goes_on_202(self):
        with self.d.hold("hang"):
            answer = batch(self.d, [("restart", "web1"), {"action": "restart", "service": "hang",
                                                          "timeout": 0.2}], "?wait")
        self.assertEqual(answer.status, 409)
        self.assertEqual([r["state"] for r in answer.json["operations"]],
                         ["succeeded", "timed_out"])
        self.d.do("start", "hang")
        with self.d.hold("hang"):
            answer = batch(self.d, [("restart", "hang"), ("restart", "web1")], "?wait=0.1")
            self.assertEqual(answer.status, 202)
            number = answer.json["batch"]
            self.assertEqual(self.d.http("GET", f"/operations?batch={number}&wait=0").status, 202)
        self.assertEqual(self.d.http("GET", f"/operations?batch={number}&wait").status, 200)

    def test_what_cannot_be_accepted_whole_is_not_accepted_at_all(self):
        before = self.count()
        for items, status, code in (
                ([("restart", "web1"), ("restart", "nobody")], 404, "unknown_service"),
                ([("restart", "web1"), ("restart", "nothing*")], 404, "unknown_service"),
                ([("restart", "web1"), ("restart", "@nobody")], 404, "unknown_service"),
                ([("restart", "web1"), ("start", "broken")], 409, "config_refused"),
                ([("restart", "web1"), ("reload", "db")], 409, "cannot_reload"),
                ([("restart", "web1")] + [("restart", "hang")] * 3, 422, "never_fits")):
            self.refused(batch(self.d, items), status, code)
        self.assertEqual(self.count(), before)

    def test_a_full_queue_of_one_refuses_all_and_is_named(self):
        self.idle("hang")
        with self.d.hold("hang"):
            self.d.ask("restart", "hang")
            self.d.wait_state("hang", "stopping")
            waits = [self.d.ask("restart", "hang") for _ in range(2)]
            before = self.count()
            answer = batch(self.d, [("restart", "web1"), ("restart", "hang"), ("restart", "db")])
            self.assertIn("hang", self.refused(answer, 429, "queue_full"))
            self.assertIn("Retry-After", answer.headers)
            self.assertEqual(self.count(), before)
            self.refused(batch(self.d, [("restart", "web1"), ("restart", "hang")], mode="fail"),
                         409, "not_idle")
        self.assertEqual({self.end_of(r) for r in waits}, {"succeeded"})

    def test_batches_that_cross_each_other_all_end(self):
        def forwards():
            return batch(self.d, [("restart", "web1"), ("restart", "web2"), ("restart", "db")],
                         "?wait")

        def backwards():
            return batch(self.d, [("restart", "db"), ("restart", "web2"), ("restart", "web1")],
                         "?wait")
        for _ in range(ROUNDS):
            answers = at_once([forwards, backwards] * 3)
            self.assertEqual([a.status for a in answers], [200] * 6)
            orders = collections.defaultdict(list)
            for record in self.d.operations("?limit=18"):
                orders[record["service"]].append(record["batch"])
            self.assertEqual({len(order) for order in orders.values()}, {6})

    def test_every_fault_in_a_body_is_named_with_its_place(self):
        for items, place in (([("restart", "web1")] * 3 + [{"acton": "stop", "service": "db"}],
                              "operations[3].acton"),
                             ([{"action": "restart"}], "operations[0]"),
                             ([{"action": "restart", "service": 1}], "operations[0].service"),
                             ([{"action": "stopp", "service": "db"}], '"stop"')):
            self.assertIn(place, self.refused(batch(self.d, items), 400, "bad_body"))
        self.refused(self.d.http("POST", "/operations"), 400, "bad_body")
        self.refused(post(self.d, "/operations", {"operations": []}), 400, "bad_body")
        self.refused(post(self.d, "/operations", {"operations": [], "x": 1}), 400, "bad_body")

    def test_an_unknown_batch_is_unknown(self):
        number = self.d.do("start", "db")["id"]
        for query in (f"batch={number}", "batch=99999999", "batch=99999999&wait"):
            self.refused(self.d.http("GET", f"/operations?{query}"), 404, "unknown_operation")
        for query in ("wait", "service=db&wait", f"batch={number}&limit=1&wait"):
            self.refused(self.d.http("GET", f"/operations?{query}"), 400, "bad_parameter")


class Goals(Operations):
    services = {"web": on_fd(), "slow": on_fd("--stop-delay 300")}

    def goal(self, name, goal, query="", **more):
        return self.d.http("PUT", f"/goal/{name}{query}", body=json.dumps({"goal": goal}).encode(),
                           **more)

    def test_an_operation_is_made_only_when_one_is_needed(self):
        self.d.do("start", "web")
        before = self.count()
        answer = self.goal("web", "up")
        self.assertEqual((answer.status, answer.json),
                         (200, {"service": "web", "goal": "up", "operation": None}))
        self.assertEqual(self.count(), before)
        down = self.goal("web", "down", "?wait")
        self.assertEqual((down.status, down.json["action"], down.json["state"]),
                         (200, "stop", "succeeded"))
        self.assertEqual(self.goal("web", "down").json["operation"], None)
        up = self.goal("web", "up")
        self.assertEqual((up.status, up.json["action"]), (202, "start"))
        self.assertEqual(self.end_of(up.json), "succeeded")

    def test_what_is_on_its_way_there_already_needs_no_more(self):
        for _ in range(ROUNDS):
            self.d.do("start", "slow")
            answers = at_once([lambda: self.goal("slow", "down")] * 5)
            made = [a.json for a in answers if a.status == 202]
            self.assertEqual(len(made), 1, answers)
            self.assertEqual([a.status for a in answers].count(200), 4)
            self.assertEqual(self.end_of(made[0]), "succeeded")
        self.d.do("start", "slow")

    def test_errors(self):
        self.refused(self.d.http("PUT", "/goal/web"), 400, "bad_parameter")
        self.refused(self.goal("web", "sideways"), 400, "bad_body")
        self.refused(self.goal("webb", "up"), 404, "unknown_service")
        self.assertEqual(self.d.http("POST", "/goal/web").headers["Allow"], "PUT")


class Cancelling(Operations):
    services = {"web": on_fd(), "unending": UNENDING, "held": held(),
                "stubborn": on_fd(service={"autostart": "yes"}, operation={
                    "reload_command": "/bin/sleep 86400"})}

    def test_a_start_that_runs_is_given_up_and_what_it_began_is_gone(self):
        for _ in range(3):
            number = self.d.ask("start", "unending")["id"]
            pid = self.d.wait_status(lambda r: r["state"] == "starting" and r["pid"] and r,
                                     "unending")["pid"]
            answer = self.d.http("DELETE", f"/operations/{number}")
            self.assertEqual((answer.status, answer.json["state"]), (200, "cancelled"), answer)
            self.d.wait_status(lambda r: r["pid"] is None, "unending")
            self.assertFalse(os.path.exists(f"/proc/{pid}/environ") and
                             os.path.exists(f"/proc/{pid}/exe"))
            self.d.do("stop", "unending")

    def test_a_restart_that_runs_is_given_up(self):
        self.d.do("start", "held")
        with self.d.hold("held"):
            number = self.d.ask("restart", "held")["id"]
            self.d.wait_state("held", "stopping")
            answer = self.d.http("DELETE", f"/operations/{number}")
            self.assertEqual((answer.status, answer.json["state"]), (200, "cancelled"), answer)
        self.idle("held")
        self.d.do("start", "held")

    def test_a_reload_that_runs_is_given_up_and_the_service_goes_on(self):
        pid = self.d.status("stubborn")["pid"]
        number = self.d.ask("reload", "stubborn")["id"]
        self.d.wait_status(lambda r: r["active_operation"] == number, "stubborn")
        answer = self.d.http("DELETE", f"/operations/{number}")
        self.assertEqual((answer.status, answer.json["state"]), (200, "cancelled"), answer)
        row = self.d.status("stubborn")
        self.assertEqual((row["state"], row["pid"]), ("running", pid))

    def test_a_stop_that_runs_cannot_be_given_up(self):
        self.d.do("start", "held")
        with self.d.hold("held"):
            number = self.d.ask("stop", "held")["id"]
            self.d.wait_state("held", "stopping")
            self.refused(self.d.http("DELETE", f"/operations/{number}"), 409, "cannot_cancel")
            self.assertEqual(self.d.operation(number, wait=False)["state"], "running")
        self.assertEqual(self.d.operation(number)["state"], "succeeded")
        self.d.do("start", "held")

    def test_a_cancel_that_races_with_the_end_agrees_with_the_record(self):
        for _ in range(ROUNDS * 2):
            number = self.d.ask("restart", "web")["id"]
            answers = at_once([lambda: self.d.http("DELETE", f"/operations/{number}")] * 3)
            state = self.d.operation(number)["state"]
            for answer in answers:
                if answer.status == 200:
                    self.assertEqual((answer.json["state"], state), ("cancelled", "cancelled"))
                else:
                    self.refused(answer, 409, "cannot_cancel")
            if state != "cancelled":
                self.assertEqual(state, "succeeded")
                self.assertEqual({a.status for a in answers}, {409})
            self.idle("web")
            self.d.do("start", "web")


class Reloading(Operations):
    services = {
        "by-signal": on_fd(operation={"reload_signal": "HUP"}),
        "by-command": on_fd(operation={
            "reload_command": "/bin/sh -c 'echo $MAINPID >> @DIR@/by-command.reloads'"}),
        "fails": on_fd(operation={"reload_command": "/bin/sh -c 'exit 3'"}),
        "never": on_fd(operation={"reload_command": "/bin/sleep 86400"}),
        "plain": on_fd(), "idle": fake(service={"autostart": "no"},
                                       operation={"reload_signal": "HUP"})}

    def test_a_reload_by_signal_tells_the_main_process(self):
        pid = self.d.status("by-signal")["pid"]
        answer = self.d.http("POST", "/reload/by-signal?wait&reason=new%20certificate")
        self.assertEqual((answer.status, answer.json["action"]), (200, "reload"))
        self.assertEqual(answer.json["reason"], "new certificate")
        seen = self.d.wait_witness("by-signal", "hup")
        self.assertEqual(seen[-1].pid, pid)
        self.assertEqual(self.d.status("by-signal")["pid"], pid)

    def test_a_reload_by_command_is_told_the_main_process(self):
        answer = self.d.http("POST", "/reload/by-command?wait")
        self.assertEqual((answer.status, answer.json["state"]), (200, "succeeded"), answer)
        self.assertEqual(self.d.read("by-command.reloads").split()[-1],
                         str(self.d.status("by-command")["pid"]))

    def test_a_reload_that_fails_or_takes_too_long_leaves_the_service_alone(self):
        for name, query, state in (("fails", "", "failed"), ("never", "&timeout=0.2", "timed_out")):
            pid = self.d.status(name)["pid"]
            answer = self.d.http("POST", f"/reload/{name}?wait{query}")
            self.assertEqual((answer.status, answer.json["state"]), (409, state), answer)
            row = self.d.status(name)
            self.assertEqual((row["state"], row["pid"], row["ready"]), ("running", pid, True))

    def test_what_cannot_be_reloaded_says_so(self):
        self.assertIn("reload_signal", self.refused(self.d.http("POST", "/reload/plain"), 409,
                                                    "cannot_reload"))
        for path in ("/reload/idle?wait", "/signal/idle?wait&signal=HUP"):
            answer = self.d.http("POST", path)
            self.assertEqual((answer.status, answer.json["state"]), (409, "failed"), answer)

    def test_a_signal_reaches_the_main_process_and_is_in_the_record(self):
        pid = self.d.status("plain")["pid"]
        answer = self.d.http("POST", "/signal/plain?signal=USR1&wait")
        self.assertEqual((answer.status, answer.json["signal"]), (200, "SIGUSR1"))
        self.assertEqual(self.d.wait_witness("plain", "signal")[-1].pid, pid)
        answer = post(self.d, "/signal/plain?wait", {"signal": "SIGHUP"})
        self.assertEqual((answer.status, answer.json["signal"]), (200, "SIGHUP"))
        self.d.wait_witness("plain", "hup")
        for query in ("", "?signal=", "?signal=NOPE", "?signal=0", "?signal=99"):
            self.refused(self.d.http("POST", f"/signal/plain{query}"), 400, "bad_parameter")
        self.refused(self.d.http("POST", "/restart/plain?signal=HUP"), 400, "bad_parameter")

    def test_signals_reach_it_in_the_order_in_which_they_were_accepted(self):
        before = len(self.d.witness("plain", "hup", "signal"))
        words = ["HUP", "USR1", "USR1", "HUP", "HUP", "USR1"]
        for word in words:
            self.d.do("signal", "plain", f"?signal={word}")
            before += 1
            self.d.wait_witness("plain", "start")
        self.assertEqual([r["signal"] for r in self.d.operations("?service=plain&limit=6")],
                         ["SIG" + w for w in reversed(words)])

    def test_a_restart_and_reloads_together_each_take_their_turn(self):
        for _ in range(ROUNDS):
            answers = at_once([lambda: self.d.http("POST", "/reload/by-signal"),
                               lambda: self.d.http("POST", "/restart/by-signal"),
                               lambda: self.d.http("POST", "/signal/by-signal?signal=USR1"),
                               lambda: self.d.http("POST", "/reload/by-signal")])
            self.assertEqual({self.end_of(a.json) for a in answers}, {"succeeded"})


class Reasons(Operations):
    services = {"web": on_fd()}

    def test_a_reason_is_kept_with_the_record_and_outlives_the_daemon(self):
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            reason = "größer als \"vorher\" 🚀 <b>"
            record = post(d, "/restart/web", {"reason": reason}).json
            self.assertEqual(record["reason"], reason)
            d.operation(record["id"])
            d.restart_daemon()
            self.assertEqual(d.operation(record["id"])["reason"], reason)

    def test_a_reason_that_could_not_be_shown_is_refused(self):
        for value in ("", "x" * 257, "a%0ab", "%1b%5b2J", "%ff", "%c2%9b"):
            self.refused(self.d.http("POST", f"/start/web?reason={value}"), 400, "bad_parameter")
        for value in (1, None, True, ["x"], {"a": 1}, "a\nb", "x" * 257):
            self.refused(post(self.d, "/start/web", {"reason": value}), 400, "bad_body")
        self.assertEqual(self.d.ask("start", "web", "?reason=" + "x" * 256)["reason"], "x" * 256)
        self.assertIsNone(self.d.ask("start", "web")["reason"])
        self.idle("web")


class WithoutTheJournal(unittest.TestCase):
    def test_a_stop_goes_on_and_says_that_it_is_not_written_down(self):
        with Daemon({"web": on_fd(), "other": on_fd()}) as d:
            d.wait_all_running()
            with contextlib.closing(sqlite3.connect(f"{d.state_dir}/state.db", timeout=GUARD,
                                                    isolation_level=None)) as db:
                db.execute("BEGIN IMMEDIATE")
                stop = d.http("POST", "/stop/web?wait")
                self.assertEqual((stop.status, stop.json["state"]), (200, "succeeded"), stop)
                self.assertFalse(stop.json["durable"])
                restart = d.http("POST", "/restart/other")
                self.assertEqual((restart.status, restart.json["code"]),
                                 (503, "journal_unavailable"))
                db.execute("ROLLBACK")
            start = d.http("POST", "/start/web?wait")
            self.assertEqual((start.status, start.json["durable"]), (200, True), start)


if __name__ == "__main__":
    main()
