"""REST, row by row, each with each of its errors."""
import json
import os
import re
import socket
import time

from harness.orderly import ENDS, GUARD, Daemon, Shared, fake, held, main, on_fd

UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
RECORD = {"id", "service", "action", "state", "changed", "origin", "requested_by", "batch",
          "position", "waiting_for", "coalesced_into", "accepted_at", "started_at", "finished_at",
          "timeout_seconds", "signal", "reason", "durable", "detail", "exit", "output"}
ROW = {"name", "description", "backend", "unit", "tags", "state", "ready", "health", "goal",
       "autostart", "stuck", "pid", "generation", "state_since", "restarts", "last_exit",
       "active_operation", "queue_length", "waiting_for", "recovery", "containment",
       "config_changed", "config_error", "unit_error", "log_error"}
MOMENT = {"unit_state", "invocation_id", "memory_bytes", "cpu_seconds", "tasks", "log",
          "operations"}
READ, OPERATE = "r3ad-only-0123456789abcdef", "0perate-0123456789abcdef"
ACTIONS = ("start", "stop", "restart")


class Rest(Shared):
    """One daemon for the whole class: every test leaves `backend` running."""
    services = {"backend": on_fd(service={"description": "the \"back\" end", "tags": "web db"}),
                "idle": fake(service={"autostart": "no"}),
                "slow": on_fd("--stop-delay 300"),
                "hung": held(),
                "broken": "[service]\ncomand = /bin/true\n"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.d.wait_idle()

    def problem(self, answer, status, code, instance=None):
        """An RFC 9457 body, whole and exact; returns its detail."""
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.headers["Content-Type"].split(";")[0], "application/problem+json")
        body = answer.json
        self.assertEqual(body["type"], "about:blank")
        self.assertEqual(body["status"], status)
        self.assertEqual(body["code"], code, answer)
        self.assertTrue(body["title"])
        self.assertTrue(body["detail"])
        if instance:
            self.assertEqual(body["instance"], instance)
        return body["detail"]

    def check_record(self, record):
        self.assertEqual(set(record), RECORD)
        self.assertRegex(record["accepted_at"], UTC)
        self.assertIn(record["state"], ENDS | {"queued", "running"})


class Actions(Rest):
    def test_each_action_answers_202_with_the_operation_and_where_it_is(self):
        for action in ("stop", "start", "restart"):
            answer = self.d.http("POST", f"/{action}/backend")
            self.assertEqual(answer.status, 202)
            self.assertEqual(answer.headers["Content-Type"].split(";")[0], "application/json")
            record = answer.json
            self.check_record(record)
            self.assertEqual(answer.headers["Location"], f"/operations/{record['id']}")
            self.assertEqual((record["service"], record["action"]), ("backend", action))
            self.assertEqual(record["origin"], "api")
            self.assertRegex(record["requested_by"], r"^uid:\d+$")
            self.assertEqual(record["timeout_seconds"], 30)
            self.assertEqual(self.d.operation(record["id"])["state"], "succeeded")

    def test_wait_holds_the_answer_until_the_operation_ends(self):
        answer = self.d.http("POST", "/restart/slow?wait")
        self.assertEqual(answer.status, 200)
        self.check_record(answer.json)
        self.assertEqual((answer.json["state"], answer.json["changed"]), ("succeeded", True))
        self.assertRegex(answer.json["finished_at"], UTC)

    def test_wait_with_seconds_answers_202_when_it_is_still_going(self):
        for value in ("0.2", "200ms"):
            with self.d.hold("hung"):
                began = time.monotonic()
                answer = self.d.http("POST", f"/restart/hung?wait={value}")
                self.assertGreaterEqual(time.monotonic() - began, 0.2)
                self.assertEqual(answer.status, 202)
                self.assertIn(answer.json["state"], ("running", "queued"))
            self.d.operation(answer.json["id"])

    def test_an_end_that_is_not_success_is_409_and_the_body_is_the_operation(self):
        with self.d.hold("hung"):
            answer = self.d.http("POST", "/restart/hung?wait&timeout=0.3")
        self.assertEqual(answer.status, 409)
        self.assertEqual(answer.headers["Content-Type"].split(";")[0], "application/json")
        self.check_record(answer.json)
        self.assertEqual(answer.json["state"], "timed_out")
        self.assertEqual(answer.json["timeout_seconds"], 0.3)
        self.d.do("start", "hung")

    def test_timeouts_are_seconds_or_carry_a_unit(self):
        for value, seconds in (("45", 45), ("45s", 45), ("1500ms", 1.5), ("2m", 120)):
            record = self.d.ask("start", "backend", f"?timeout={value}")
            self.assertEqual(record["timeout_seconds"], seconds)

    def test_a_bad_parameter_is_refused_and_changes_nothing(self):
        before = len(self.d.operations())
        for query, word in (("?timeout=abc", "abc"), ("?timeout=-1", "-1"),
                            ("?timeout=", "timeout"), ("?timeout=0", "0"),
                            ("?wait=soon", "soon"), ("?wait=-3", "-3"),
                            ("?timeot=5", "timeot"), ("?wait&wait", "wait"), ("?x", "x"),
                            ("?timeout=5&timeout=6", "timeout"), ("?timeout=5parsecs", "5parsecs"),
                            ("?timeout=99999999999999999999", "99999999999999999999")):
            for action in ACTIONS:
                answer = self.d.http("POST", f"/{action}/backend{query}")
                self.assertIn(word, self.problem(answer, 400, "bad_parameter",
                                                 f"/{action}/backend"), query)
        self.assertEqual(len(self.d.operations()), before)

    def test_an_unknown_parameter_names_the_nearest_known_one(self):
        answer = self.d.http("POST", "/start/backend?timeot=5")
        self.assertIn('"timeout"', self.problem(answer, 400, "bad_parameter"))

    def test_members_of_a_body_are_parameters_and_count_once(self):
        answer = self.d.http("POST", "/restart/backend?wait",
                             body=b'{"timeout": 45, "reason": "a test", "mode": "queue"}')
        self.assertEqual((answer.status, answer.json["timeout_seconds"], answer.json["reason"]),
                         (200, 45, "a test"))
        answer = self.d.http("POST", "/restart/backend?timeout=5", body=b'{"timeout": 5}')
        self.assertIn("given twice", self.problem(answer, 400, "bad_body"))

    def test_what_is_not_built_is_refused_rather_than_ignored(self):
        for query in ("?on_timeout=stop", "?dry_run", "?force"):
            self.problem(self.d.http("POST", f"/restart/backend{query}"), 400, "bad_parameter")
        for path in ("/daemon/freeze", "/kill/backend"):
            self.problem(self.d.http("POST", path), 404, "not_found")

    def test_an_unknown_service_is_404_and_the_nearest_name_is_offered(self):
        for action in ACTIONS:
            answer = self.d.http("POST", f"/{action}/backendd")
            detail = self.problem(answer, 404, "unknown_service", f"/{action}/backendd")
            self.assertEqual(detail,
                             'there is no service "backendd"; did you mean "backend"?')
            self.problem(self.d.http("POST", f"/{action}/zzzzzzzzzz"), 404, "unknown_service")

    def test_names_that_no_service_can_have_are_unknown_and_harmless(self):
        for name in ("..%2f..%2fetc%2fpasswd", "%00", "%ff%fe", "a" * 300, "-x", ".hidden",
                     "back%65ndd", "b%20c", "%0a", "%22"):
            answer = self.d.http("POST", f"/start/{name}")
            self.assertIn(answer.status, (400, 404), answer)
            self.assertIn(answer.json["code"], ("unknown_service", "bad_parameter", "not_found"))

    def test_a_percent_encoded_name_is_the_name(self):
        self.assertEqual(self.d.http("POST", "/start/%62ackend?wait").status, 200)

    def test_a_service_whose_file_is_refused_is_409_with_the_place(self):
        for action in ("start", "restart"):
            detail = self.problem(self.d.http("POST", f"/{action}/broken"), 409, "config_refused")
            self.assertIn("broken.conf:2", detail)

    def test_only_post_is_allowed_and_allow_says_so(self):
        for action in ACTIONS:
            for method in ("GET", "PUT", "DELETE", "PATCH"):
                answer = self.d.http(method, f"/{action}/backend")
                self.problem(answer, 405, "method_not_allowed")
                self.assertEqual(answer.headers["Allow"], "POST")

    def test_an_empty_body_is_fine_with_any_content_type(self):
        for kind in ("text/plain", "application/json", "application/x-www-form-urlencoded", ""):
            answer = self.d.http("POST", "/start/backend?wait", body=b"",
                                 headers={"Content-Type": kind})
            self.assertEqual(answer.status, 200, kind)

    def test_a_body_that_is_too_large_is_413(self):
        answer = self.d.http("POST", "/start/backend", body=b" " * 65537,
                             headers={"Content-Type": "application/json"})
        self.problem(answer, 413, "too_large")

    def test_a_body_where_none_is_understood_is_400(self):
        for body in (b"{", b"[1]", b'{"x":1}', b"hello"):
            answer = self.d.http("POST", "/start/backend", body=body,
                                 headers={"Content-Type": "application/json"})
            self.assertEqual(answer.status, 400, answer)
            self.assertIn(answer.json["code"], ("bad_body", "not_json", "bad_parameter"))

    def test_a_client_that_goes_away_while_it_waits_cancels_nothing(self):
        before = {record["id"] for record in self.d.operations()}
        with self.d.hold("hung"), socket.socket(socket.AF_UNIX) as client:
            client.connect(self.d.socket)
            client.sendall(b"POST /restart/hung?wait HTTP/1.1\r\nHost: localhost\r\n"
                           b"Content-Length: 0\r\n\r\n")
            self.d.wait_state("hung", "stopping")
            client.close()
            made = [r for r in self.d.operations() if r["id"] not in before]
            self.assertEqual([r["state"] for r in made], ["running"])
        self.assertEqual(self.d.operation(made[0]["id"])["state"], "succeeded")


class Operations(Rest):
    def test_the_list_is_newest_first_and_complete(self):
        ids = [self.d.do("restart", "backend")["id"] for _ in range(3)]
        answer = self.d.http("GET", "/operations")
        self.assertEqual(answer.status, 200)
        records = answer.json["operations"]
        for record in records:
            self.check_record(record)
        self.assertEqual([r["id"] for r in records], sorted((r["id"] for r in records),
                                                            reverse=True))
        self.assertEqual([r["id"] for r in records][:3], ids[::-1])

    def test_filters_by_service_state_before_and_limit(self):
        ids = [self.d.do("restart", "backend")["id"] for _ in range(3)]
        with self.d.hold("hung"):
            failed = self.d.http("POST", "/restart/hung?wait&timeout=0.2").json["id"]
        get = self.d.operations
        self.assertEqual({r["service"] for r in get("?service=backend")}, {"backend"})
        self.assertIn(failed, [r["id"] for r in get("?state=timed_out")])
        self.assertEqual({r["state"] for r in get("?state=timed_out")}, {"timed_out"})
        self.assertEqual([r["id"] for r in get(f"?service=backend&before={ids[2]}&limit=2")],
                         [ids[1], ids[0]])
        self.assertEqual(len(get("?limit=1")), 1)
        self.d.do("start", "hung")

    def test_bad_filters_are_refused(self):
        for query in ("limit=0", "limit=1001", "limit=x", "limit=-1", "before=x", "before=-1",
                      "state=done", "sevice=backend", "limit=", "limit=1&limit=2", "state="):
            self.problem(self.d.http("GET", f"/operations?{query}"), 400, "bad_parameter",
                         "/operations")

    def test_a_bad_state_is_answered_with_the_nearest(self):
        answer = self.d.http("GET", "/operations?state=sucseeded")
        self.assertIn("succeeded", self.problem(answer, 400, "bad_parameter"))

    def test_filtering_by_an_unknown_service_is_404(self):
        answer = self.d.http("GET", "/operations?service=backendd")
        self.assertIn('"backend"', self.problem(answer, 404, "unknown_service"))

    def test_one_operation_is_shown_and_can_be_waited_for(self):
        number = self.d.ask("restart", "slow")["id"]
        answer = self.d.http("GET", f"/operations/{number}?wait")
        self.assertEqual(answer.status, 200)
        self.check_record(answer.json)
        self.assertEqual(answer.json["state"], "succeeded")

    def test_waiting_for_one_that_goes_on_is_bounded(self):
        with self.d.hold("hung"):
            number = self.d.ask("restart", "hung")["id"]
            answer = self.d.http("GET", f"/operations/{number}?wait=0.2")
            self.assertIn(answer.status, (200, 202))
            self.assertIn(answer.json["state"], ("queued", "running"))
        self.d.operation(number)

    def test_bad_ids_are_unknown_or_bad_never_more(self):
        for bad in ("999999999", "9223372036854775807"):
            self.problem(self.d.http("GET", f"/operations/{bad}"), 404, "unknown_operation",
                         f"/operations/{bad}")
            self.problem(self.d.http("DELETE", f"/operations/{bad}"), 404, "unknown_operation")
        for bad in ("0", "abc", "-1", "1.5", "99999999999999999999999", "0x10", "1%00", "%20"):
            answer = self.d.http("GET", f"/operations/{bad}")
            self.assertIn((answer.status, answer.json["code"]),
                          ((404, "unknown_operation"), (400, "bad_parameter")), bad)

    def test_cancelling_a_queued_one_ends_it_at_once(self):
        with self.d.hold("hung"):
            running = self.d.ask("restart", "hung")["id"]
            self.d.wait_state("hung", "stopping")
            queued = self.d.ask("restart", "hung")
            self.assertEqual((queued["state"], queued["position"]), ("queued", 1))
            answer = self.d.http("DELETE", f"/operations/{queued['id']}")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.json["state"], "cancelled")
        self.assertIsNone(answer.json["started_at"])
        self.assertEqual(self.d.operation(queued["id"])["state"], "cancelled")
        self.assertEqual(self.d.operation(running)["state"], "succeeded")

    def test_cancelling_a_stop_that_runs_or_what_has_ended_is_409(self):
        ended = self.d.do("restart", "backend")["id"]
        self.problem(self.d.http("DELETE", f"/operations/{ended}"), 409, "cannot_cancel",
                     f"/operations/{ended}")
        with self.d.hold("hung"):
            running = self.d.ask("stop", "hung")["id"]
            self.d.wait_state("hung", "stopping")
            self.problem(self.d.http("DELETE", f"/operations/{running}"), 409, "cannot_cancel")
        self.assertEqual(self.d.operation(running)["state"], "succeeded")
        self.d.do("start", "hung")

    def test_methods(self):
        for path, allowed in (("/operations", {"GET", "HEAD"}),
                              ("/operations/1", {"GET", "HEAD", "DELETE"})):
            for method in ("PUT", "PATCH"):
                answer = self.d.http(method, path)
                self.problem(answer, 405, "method_not_allowed")
                self.assertLessEqual(
                    set(answer.headers["Allow"].replace(" ", "").split(",")) - {"HEAD"},
                    allowed - {"HEAD"} | {"POST"})
        self.assertEqual(self.d.http("PUT", "/operations").status, 405)


class Pruned(Rest):
    services = {"backend": on_fd()}
    config = {"operations": {"history_count": "10"}}

    def test_an_operation_that_was_pruned_is_410(self):
        first = self.d.do("restart", "backend")["id"]
        for _ in range(40):
            self.d.http("POST", "/start/backend?wait")
        until = time.monotonic() + GUARD
        while True:
            answer = self.d.http("GET", f"/operations/{first}")
            if answer.status != 200 or time.monotonic() > until:
                break
            self.d.http("POST", "/start/backend?wait")
        self.problem(answer, 410, "gone", f"/operations/{first}")


class Status(Rest):
    def test_the_snapshot_has_its_shape(self):
        whole = self.d.http("GET", "/status")
        self.assertEqual(whole.status, 200)
        self.assertEqual(whole.headers["Content-Type"].split(";")[0], "application/json")
        body = whole.json
        self.assertRegex(body["revision"], r"^[0-9a-f]+-\d+$")
        self.assertRegex(body["time"], UTC)
        daemon = body["daemon"]
        self.assertLessEqual({"version", "pid", "since", "journal", "config_errors",
                              "capabilities"}, set(daemon))
        self.assertEqual((daemon["pid"], daemon["journal"]), (self.d.pid, "ok"))
        self.assertIn("cgroup", daemon["capabilities"])
        names = [row["name"] for row in body["services"]]
        self.assertEqual(names, sorted(names))
        self.assertLessEqual({"backend", "idle", "slow", "hung"}, set(names))
        for row in body["services"]:
            self.assertEqual(set(row), ROW)

    def test_a_row_says_what_is(self):
        row = self.d.status("backend")
        self.assertEqual((row["state"], row["ready"], row["goal"]), ("running", True, "up"))
        self.assertEqual(row["tags"], ["web", "db"])
        self.assertEqual(row["pid"], self.d.witness("backend", "start")[-1].pid)
        self.assertIn(row["containment"], ("cgroup", "best-effort"))
        self.assertEqual((row["health"], row["unit"], row["backend"]), (None, None, "process"))
        idle = self.d.status("idle")
        self.assertEqual((idle["state"], idle["ready"], idle["goal"], idle["pid"],
                          idle["autostart"]), ("stopped", False, "down", None, False))

    def test_a_refused_file_is_in_config_errors_with_its_place(self):
        errors = self.d.status()["daemon"]["config_errors"]
        self.assertEqual(len(errors), 1, errors)
        error = errors[0]
        self.assertTrue(error["file"].endswith("services.d/broken.conf"))
        self.assertEqual((error["line"], error["key"]), (2, "comand"))
        self.assertIn("command", error["message"])

    def test_an_etag_answers_304_until_something_changes(self):
        first = self.d.http("GET", "/status")
        tag = first.headers["ETag"]
        self.assertRegex(tag, r'^"[^"]+"$')
        for value in (tag, f'"other", {tag}', f"W/{tag}", "*"):
            again = self.d.http("GET", "/status", headers={"If-None-Match": value})
            self.assertEqual((again.status, again.body), (304, b""), value)
            self.assertEqual(again.headers["ETag"], tag)
        other = self.d.http("GET", "/status", headers={"If-None-Match": '"other"'})
        self.assertEqual(other.status, 200)
        self.d.do("restart", "backend")
        changed = self.d.http("GET", "/status", headers={"If-None-Match": tag})
        self.assertEqual(changed.status, 200)
        self.assertNotEqual(changed.headers["ETag"], tag)

    def test_since_tells_only_what_changed(self):
        revision = self.d.status()["revision"]
        self.d.do("restart", "backend")
        body = self.d.http("GET", f"/status?since={revision}").json
        self.assertFalse(body["full"])
        self.assertEqual([row["name"] for row in body["services"]], ["backend"])
        self.assertEqual(body["removed"], [])
        self.assertNotEqual(body["revision"], revision)

    def test_since_with_wait_holds_until_something_changes(self):
        revision = self.d.status()["revision"]
        began = time.monotonic()
        body = self.d.http("GET", f"/status?since={revision}&wait=0.3").json
        self.assertGreaterEqual(time.monotonic() - began, 0.3)
        self.assertEqual((body["services"], body["revision"]), ([], revision))
        self.d.ask("restart", "slow")
        body = self.d.http("GET", f"/status?since={revision}&wait=20").json
        self.assertEqual([row["name"] for row in body["services"]], ["slow"])
        self.d.wait_status(lambda row: row["ready"] and not row["active_operation"], "slow")

    def test_an_unknown_revision_gives_everything(self):
        for revision in ("ffff-1", "0-0", "nonsense-99999"):
            answer = self.d.http("GET", f"/status?since={revision}")
            if answer.status == 400 and revision.startswith("nonsense"):
                continue
            self.assertTrue(answer.json["full"], revision)
            self.assertEqual(len(answer.json["services"]), len(self.d.status()["services"]))

    def test_one_service_is_shown_with_its_recent_operations(self):
        number = self.d.do("restart", "backend")["id"]
        row = self.d.status("backend")
        self.assertEqual(set(row), ROW | MOMENT)
        self.assertGreaterEqual(row["tasks"], 1)
        self.assertGreater(row["memory_bytes"], 0)
        self.assertGreaterEqual(row["cpu_seconds"], 0)
        self.assertEqual(row["log"], {"error": None, "times": 0, "dropped_bytes": 0})
        self.assertEqual(row["operations"][0]["id"], number)

    def test_nothing_is_known_of_the_use_of_what_does_not_run(self):
        row = self.d.status("idle")
        self.assertEqual((row["memory_bytes"], row["cpu_seconds"], row["tasks"]),
                         (None, None, None))

    def test_errors_of_status(self):
        self.assertIn('"backend"', self.problem(self.d.http("GET", "/status/backendd"), 404,
                                                "unknown_service", "/status/backendd"))
        for query in ("since=", "wait=x&since=a-1", "snce=a-1", "since=a-1&since=b-2"):
            self.problem(self.d.http("GET", f"/status?{query}"), 400, "bad_parameter", "/status")
        for path in ("/status", "/status/backend"):
            for method in ("POST", "PUT", "DELETE"):
                answer = self.d.http(method, path)
                self.problem(answer, 405, "method_not_allowed")
                self.assertIn("GET", answer.headers["Allow"])

    def test_a_removed_service_is_named_to_who_asks_since(self):
        with Daemon({"one": on_fd(), "two": on_fd()}) as d:
            d.wait_all_running()
            revision = d.status()["revision"]
            os.unlink(d.service_file("two"))
            self.assertEqual(d.http("POST", "/daemon/reload").json["removed"], ["two"])
            d.wait_status(lambda rows: "two" not in rows)
            body = d.http("GET", f"/status?since={revision}").json
            self.assertEqual((body["full"], body["removed"]), (False, ["two"]))
            self.assertNotIn("two", [row["name"] for row in body["services"]])


class Others(Rest):
    def test_healthz_readyz_and_version(self):
        for path in ("/healthz", "/readyz", "/version"):
            answer = self.d.http("GET", path)
            self.assertEqual(answer.status, 200, path)
            answer = self.d.http("POST", path)
            self.problem(answer, 405, "method_not_allowed")
            self.assertIn("GET", answer.headers["Allow"])
        version = self.d.http("GET", "/version").json
        self.assertRegex(version["version"], r"^\d+\.\d+\.\d+")
        self.assertIsInstance(version["capabilities"]["cgroup"], bool)

    def test_head_is_get_without_the_body(self):
        for path in ("/status", "/version", "/healthz", "/operations", "/status/backend"):
            get, head = self.d.http("GET", path), self.d.http("HEAD", path)
            self.assertEqual((head.status, head.body), (200, b""), path)
            self.assertEqual(head.headers["Content-Type"], get.headers["Content-Type"])
        self.assertEqual(self.d.http("HEAD", "/status/nobody").status, 404)
        self.assertEqual(self.d.http("HEAD", "/start/backend").status, 405)

    def test_the_root_names_status_for_now(self):
        answer = self.d.http("GET", "/")
        self.assertIn("/status", self.problem(answer, 404, "not_found", "/"))

    def test_unknown_paths_are_404(self):
        for path in ("/statsu", "/start", "/start/", "/start/backend/x", "/operations/1/x",
                     "/daemon", "/daemon/nothing", "//status", "/status/backend/x", "/logs",
                     "/%2e%2e/etc/passwd"):
            answer = self.d.http("GET", path)
            self.assertIn(answer.status, (404,), path)
            self.assertIn(answer.json["code"], ("not_found", "unknown_service"), path)

    def test_unknown_parameters_are_refused_everywhere(self):
        for method, path in (("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/version"),
                             ("GET", "/status/backend"), ("GET", "/operations/1"),
                             ("DELETE", "/operations/1"), ("GET", "/logs/backend"),
                             ("POST", "/daemon/reload"), ("POST", "/daemon/shutdown")):
            self.problem(self.d.http(method, path + "?bogus=1"), 400, "bad_parameter", path)

    def test_logs_errors(self):
        self.problem(self.d.http("GET", "/logs/backendd"), 404, "unknown_service")
        for query in ("lines=x", "lines=-1", "lines=", "line=5", "lines=99999999999999999999"):
            self.problem(self.d.http("GET", f"/logs/backend?{query}"), 400, "bad_parameter")
        answer = self.d.http("POST", "/logs/backend")
        self.problem(answer, 405, "method_not_allowed")

    def test_a_stream_that_is_not_apart_is_no_stream(self):
        self.assertEqual(self.d.http("GET", "/logs/backend?stream=stdout").status, 200)
        detail = self.problem(self.d.http("GET", "/logs/backend?stream=stderr"), 400,
                              "bad_parameter")
        self.assertIn("separate", detail)

    def test_a_log_is_rotated_by_request(self):
        answer = self.d.http("POST", "/rotate/backend")
        self.assertEqual((answer.status, answer.json["service"]), (200, "backend"))
        self.problem(self.d.http("POST", "/rotate/backendd"), 404, "unknown_service")
        self.problem(self.d.http("POST", "/rotate/broken"), 409, "config_refused")

    def test_reload_answers_with_all_its_lists(self):
        answer = self.d.http("POST", "/daemon/reload")
        self.assertEqual(answer.status, 200)
        body = answer.json
        self.assertLessEqual({"added", "removed", "changed", "unchanged", "restart_required",
                              "errors"}, set(body))
        self.assertEqual(body["restart_required"], [])
        self.assertEqual((body["added"], body["removed"], body["changed"]), ([], [], []))
        self.assertEqual(body["unchanged"], ["backend", "hung", "idle", "slow"])
        self.assertEqual([e["line"] for e in body["errors"]], [2])
        for path in ("/daemon/reload", "/daemon/shutdown"):
            answer = self.d.http("GET", path)
            self.problem(answer, 405, "method_not_allowed")
            self.assertEqual(answer.headers["Allow"], "POST")

    def test_shutdown_by_request_ends_the_daemon_and_everything(self):
        with Daemon({"one": on_fd()}) as d:
            d.wait_all_running()
            answer = d.http("POST", "/daemon/shutdown")
            self.assertIn(answer.status, (200, 202))
            d.wait_exit()
            self.assertEqual(len(d.witness("one", "stop")), 1)

    def test_while_shutting_down_new_requests_are_503_closing(self):
        with Daemon({"hung": held()}) as d:
            d.wait_all_running()
            with d.hold("hung"):
                d.http("POST", "/daemon/shutdown")
                d.wait_state("hung", "stopping")
                self.problem(d.http("POST", "/start/hung"), 503, "closing", "/start/hung")
                self.assertEqual(d.http("GET", "/readyz").status, 503)
                self.assertEqual(d.http("GET", "/healthz").status, 200)
            d.wait_exit()


class RawBytes(Rest):
    """What no well-behaved client sends."""

    def answer(self, head, body=b""):
        return self.d.raw(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)

    def check(self, data, status):
        line, _, rest = data.partition(b"\r\n")
        self.assertTrue(line.startswith(f"HTTP/1.1 {status} ".encode()), data[:300])
        return rest

    def bad(self, head, body=b""):
        before = len(self.d.operations())
        data = self.answer(head, body)
        rest = self.check(data, 400)
        self.assertIn(b"application/problem+json", rest)
        problem = json.loads(rest.split(b"\r\n\r\n", 1)[1])
        self.assertEqual(problem["status"], 400)
        self.assertEqual(len(self.d.operations()), before, "nothing was accepted")

    def test_a_good_request_as_bytes_is_answered(self):
        self.check(self.answer("GET /healthz HTTP/1.1\nHost: localhost\nConnection: close"), 200)

    def test_two_hosts_are_400(self):
        self.bad("POST /restart/backend HTTP/1.1\nHost: a\nHost: b\nContent-Length: 0")

    def test_two_lengths_are_400(self):
        self.bad("POST /restart/backend HTTP/1.1\nHost: a\nContent-Length: 0\nContent-Length: 2",
                 b"{}")
        self.bad("POST /restart/backend HTTP/1.1\nHost: a\nContent-Length: 0\nContent-Length: 0")

    def test_a_length_together_with_chunks_is_400(self):
        self.bad("POST /restart/backend HTTP/1.1\nHost: a\nContent-Length: 5\n"
                 "Transfer-Encoding: chunked", b"0\r\n\r\n")

    def test_no_host_at_all_is_400(self):
        data = self.answer("GET /status HTTP/1.1\nConnection: close")
        self.check(data, 400)


class Tcp(Rest):
    services = {"backend": on_fd()}
    tcp = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = cls.d.admin_token()
        with open(cls.d.token_file, "a") as f:
            f.write(f"watcher read {READ}\ndeploy operate {OPERATE}\n")
        assert cls.d.http("POST", "/daemon/reload").status == 200

    def test_the_token_file_was_made_for_its_owner_alone(self):
        self.assertEqual(os.stat(self.d.token_file).st_mode & 0o777, 0o600)

    def test_without_a_token_it_is_401_and_says_how(self):
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic abc"},
                        {"Authorization": "Bearer "}, {"Authorization": self.admin}):
            answer = self.d.tcp("POST", "/restart/backend", headers=headers)
            self.problem(answer, 401, "unauthenticated", "/restart/backend")
            self.assertIn("Bearer", answer.headers["WWW-Authenticate"])
            self.problem(self.d.tcp("GET", "/status", headers=headers), 401, "unauthenticated")

    def test_healthz_and_readyz_need_none(self):
        for path in ("/healthz", "/readyz"):
            self.assertEqual(self.d.tcp("GET", path).status, 200)

    def test_read_may_look_and_nothing_else(self):
        for path in ("/status", "/operations", "/version", "/logs/backend"):
            self.assertEqual(self.d.tcp("GET", path, token=READ).status, 200, path)
        for method, path in (("POST", "/restart/backend"), ("DELETE", "/operations/1"),
                             ("POST", "/daemon/reload"), ("POST", "/daemon/shutdown")):
            self.problem(self.d.tcp(method, path, token=READ), 403, "forbidden", path)

    def test_operate_may_operate_but_not_command_the_daemon(self):
        answer = self.d.tcp("POST", "/restart/backend?wait", token=OPERATE)
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.json["requested_by"], "token:deploy")
        for path in ("/daemon/reload", "/daemon/shutdown"):
            self.problem(self.d.tcp("POST", path, token=OPERATE), 403, "forbidden", path)

    def test_admin_may_everything(self):
        answer = self.d.tcp("POST", "/restart/backend?wait", token=self.admin)
        self.assertEqual(answer.status, 200)
        self.assertRegex(answer.json["requested_by"], r"^token:\S+$")
        self.assertEqual(self.d.tcp("POST", "/daemon/reload", token=self.admin).status, 200)

    def test_a_token_in_the_url_is_no_token(self):
        answer = self.d.tcp("GET", f"/status?token={self.admin}")
        self.problem(answer, 401, "unauthenticated")

    def test_a_foreign_host_is_refused(self):
        answer = self.d.tcp("GET", "/status", headers={"Host": "evil.example"}, token=self.admin)
        self.assertIn(answer.status, (400, 403), answer)


if __name__ == "__main__":
    main()
