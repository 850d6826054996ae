"""Reloading the configuration while services run: only what has changed is touched, and what is
broken changes nothing."""
import json
import os
import signal
import unittest

from harness.orderly import Daemon, at_once, main, on_fd, wait_written

GOOD = "[service]\ncommand = /bin/true\n"
LISTS = ("added", "removed", "changed", "unchanged", "errors", "restart_required")


# It is never ready: what has begun on it goes on until it is cancelled.
HANGING = on_fd("--start-delay 10000000", service={"autostart": "no"})


def hold(d, name):
    """Keeps the service busy with a start; its id, once its process runs."""
    number = d.ask("start", name)["id"]
    d.wait_witness(name, "start")
    return number


def let_go(d, name):
    """Cancels all that is asked of the service, the youngest first."""
    for record in d.operations(f"?service={name}"):
        if record["state"] in ("queued", "running"):
            d.http("DELETE", f"/operations/{record['id']}")


def by_signal(d):
    """SIGHUP: there is no answer, the daemon's log says when it is through."""
    before = d.log_text().count("configuration reload")
    d.process.send_signal(signal.SIGHUP)
    d.wait_log("configuration reload", before + 1)


def by_http(d):
    answer = d.http("POST", "/daemon/reload")
    assert answer.status == 200, answer
    return answer.json


def by_ctl(d):
    found = d.ctl("reload-config", "--json")
    assert found.returncode in (0, 1), found
    return json.loads(found.stdout)


def strictly(d):
    return d.http("POST", "/daemon/reload?strict")


def instance(row):
    return row["pid"], row["generation"]


def append(path, text):
    with open(path, "a") as f:
        f.write(text)


class WhatIsTouched(unittest.TestCase):
    def test_every_way_touches_only_what_has_changed(self):
        ways = {"signal": by_signal, "http": by_http, "ctl": by_ctl,
                "strict": lambda d: strictly(d).json}
        services = {"stay": on_fd(), "edit": on_fd(), "lean": on_fd(service={"requires": "stay"})}
        services.update({f"gone-{way}": on_fd() for way in ways})
        with Daemon(services) as d:
            before = d.wait_all_running()
            for way, reload in ways.items():
                with self.subTest(way):
                    d.write_service(f"new-{way}", on_fd())
                    d.write_service("edit", on_fd(f"--status {len(way)}"))
                    os.unlink(d.service_file(f"gone-{way}"))
                    result = reload(d)
                    if result:
                        self.assertEqual((result["added"], result["removed"], result["changed"],
                                          result["errors"]),
                                         ([f"new-{way}"], [f"gone-{way}"], ["edit"], []))
                        self.assertTrue({"stay", "lean"} <= set(result["unchanged"]))
                    d.wait_state(f"new-{way}", "running")
                    d.wait_status(lambda rows, way=way: f"gone-{way}" not in rows)
                    self.assertEqual(len(d.witness(f"gone-{way}", "stop")), 1)
                    d.wait_status(lambda row: row["config_changed"], "edit")
                    rows = {row["name"]: row for row in d.status()["services"]}
                    for name in ("stay", "lean", "edit"):
                        self.assertEqual(instance(rows[name]), instance(before[name]), name)
                    self.assertFalse(rows["stay"]["config_changed"])
            self.assertEqual([len(d.witness("stay", word)) for word in ("start", "term")], [1, 0])

    def test_a_reload_without_any_change_changes_nothing(self):
        with Daemon({"a": on_fd(), "b": on_fd()}) as d:
            before = d.wait_all_running()
            for _ in range(3):
                result = by_http(d)
                self.assertEqual({key: result[key] for key in LISTS},
                                 {"added": [], "removed": [], "changed": [],
                                  "unchanged": ["a", "b"], "errors": [], "restart_required": []})
            for name, row in before.items():
                self.assertEqual(instance(d.status(name)), instance(row))
            self.assertEqual(len(d.operations()), 2)  # those of the boot

    def test_what_a_reload_has_done_is_shown_when_it_answers(self):
        with Daemon({f"edit-{i}": on_fd() for i in range(20)}) as d:
            d.wait_all_running()
            for i in range(20):
                d.write_service(f"edit-{i}", on_fd("--status 1") if i % 2 else "[service]\n")
            for i in range(200):
                d.write_service(f"new-{i}", on_fd(service={"autostart": "no"}))
            self.assertEqual(len(by_http(d)["added"]), 200)
            rows = {row["name"]: row for row in d.status()["services"]}
            self.assertEqual([i for i in range(200) if f"new-{i}" not in rows], [])
            for i in range(20):
                self.assertEqual((rows[f"edit-{i}"]["config_changed"],
                                  rows[f"edit-{i}"]["config_error"] is None),
                                 (bool(i % 2), bool(i % 2)), i)

    def test_starts_of_what_a_reload_adds_are_shown_when_it_answers(self):
        with Daemon({}) as d:
            for round in range(20):
                names = [f"new-{round}-{i}" for i in range(5)]
                for name in names:
                    d.write_service(name, on_fd())
                self.assertEqual(by_http(d)["added"], names)
                for row in d.status()["services"]:
                    self.assertTrue(row["state"] in ("starting", "running") or
                                    row["active_operation"] or row["queue_length"], row)

    def test_a_renamed_file_is_one_service_less_and_another_one_more(self):
        with Daemon({"old": on_fd()}) as d:
            d.wait_all_running()
            os.unlink(d.service_file("old"))
            d.write_service("new", on_fd())
            result = by_http(d)
            self.assertEqual((result["added"], result["removed"]), (["new"], ["old"]))
            d.wait_status(lambda rows: set(rows) == {"new"} and rows["new"]["state"] == "running")
            self.assertEqual(len(d.witness("old", "stop")), 1)
            self.assertEqual(d.http("POST", "/start/old").status, 404)

    def test_only_what_is_to_start_by_itself_is_started_when_it_is_added(self):
        with Daemon({}) as d:
            d.write_service("eager", on_fd())
            d.write_service("idle", on_fd(service={"autostart": "no"}))
            d.write_service("leaning", on_fd(service={"requires": "idle2"}))
            d.write_service("idle2", on_fd(service={"autostart": "no"}))
            self.assertEqual(by_http(d)["added"], ["eager", "idle", "idle2", "leaning"])
            d.wait_state("eager", "running")
            d.wait_state("leaning", "running")
            self.assertEqual(d.status("idle2")["state"], "running")  # for the one that needs it
            self.assertEqual(d.wait_status(lambda row: row, "idle")["state"], "stopped")
            self.assertEqual(d.operations("?service=idle"), [])
            started = d.operations("?service=eager")[0]
            self.assertEqual((started["origin"], started["requested_by"]),
                             ("config", "supervisor"))

    def test_a_service_that_was_stopped_stays_so_when_its_file_changes(self):
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            d.do("stop", "web")
            d.write_service("web", on_fd("--status 3", service={"autostart": "yes"}))
            self.assertEqual(by_http(d)["changed"], ["web"])
            row = d.status("web")
            self.assertEqual((row["state"], row["goal"], row["config_changed"]),
                             ("stopped", "down", False))


class WhatApplies(unittest.TestCase):
    def test_what_can_be_applied_at_once_is(self):
        with Daemon({"web": on_fd("--stop-delay 100000", operation={"stop_timeout": "20s"})}) as d:
            before = d.wait_all_running()["web"]
            d.write_service("web", on_fd(
                "--stop-delay 100000", service={"description": "now with words", "tags": "a, b"},
                operation={"stop_timeout": "1ms", "timeout": "9s", "queue_limit": "1"},
                recovery={"restart": "no"}, log={"max_size": "64K", "max_files": "2"}))
            self.assertEqual(by_http(d)["changed"], ["web"])
            row = d.wait_status(lambda r: r["description"] == "now with words", "web")
            self.assertEqual((instance(row), row["tags"], row["config_changed"]),
                             (instance(before), ["a", "b"], False))
            # the new stop_timeout ends what would have taken its time, within the new timeout
            record = d.do("stop", "web")
            self.assertEqual(record["timeout_seconds"], 9)
            # and nothing is recovered that is not to be
            d.do("start", "web")
            os.kill(d.status("web")["pid"], signal.SIGKILL)
            self.assertEqual(d.wait_state("web", "failed")["recovery"], None)

    def test_a_new_queue_limit_holds_for_the_next_request(self):
        with Daemon({"web": HANGING}) as d:
            hold(d, "web")
            d.write_service("web", {**HANGING, "operation": {"queue_limit": "2"}})
            by_http(d)
            answers = [d.http("POST", "/restart/web") for _ in range(4)]
            self.assertEqual([a.status for a in answers], [202, 202, 429, 429])
            let_go(d, "web")

    def test_the_size_of_logs_is_applied_to_what_runs(self):
        with Daemon({"web": on_fd("--chatty 2000")}) as d:
            before = d.wait_all_running()["web"]
            d.write_service("web", on_fd("--chatty 2000", log={"max_size": "1K", "max_files": "3"}))
            self.assertEqual(by_http(d)["changed"], ["web"])
            d.do("restart", "web")  # what it writes on its way is more than enough
            wait_written(d.log_dir, lambda: os.path.exists(f"{d.log_dir}/web.log.1"),
                         "web.log was never rotated")
            self.assertEqual(d.status("web")["generation"], before["generation"] + 1)

    def test_the_rest_waits_for_the_next_start_and_the_status_says_so(self):
        with Daemon({"web": on_fd()}) as d:
            before = d.wait_all_running()["web"]
            text = d.service_text("web")
            for number, change in enumerate((on_fd("--status 1"), on_fd(service={"umask": "027"}),
                                             on_fd(service={"environment": "A=1"}),
                                             on_fd(limits={"nofile": "64"}),
                                             on_fd(log={"stderr": "separate"}))):
                with self.subTest(number):
                    d.write_service("web", change)
                    self.assertEqual(by_http(d)["changed"], ["web"])
                    row = d.wait_status(lambda r: r["config_changed"], "web")
                    self.assertEqual(instance(row), instance(before))
            d.write_service("web", text)  # taken back: nothing waits any more
            by_http(d)
            d.wait_status(lambda r: not r["config_changed"], "web")
            d.write_service("web", on_fd("--status 1"))
            by_http(d)
            d.do("restart", "web")
            row = d.status("web")
            self.assertEqual((row["config_changed"], row["generation"]),
                             (False, before["generation"] + 1))

    def test_a_crash_is_answered_with_the_new_command(self):
        with Daemon({"web": on_fd(recovery={"first_delay": "0s"})}) as d:
            before = d.wait_all_running()["web"]
            d.write_service("web", on_fd("--print fresh", recovery={"first_delay": "0s"}))
            by_http(d)
            os.kill(before["pid"], signal.SIGKILL)
            d.wait_status(lambda r: r["state"] == "running"
                          and r["generation"] > before["generation"], "web")
            self.assertFalse(d.status("web")["config_changed"])
            wait_written(d.log_dir, lambda: "fresh\n" in d.http("GET", "/logs/web").text,
                         "the new command never printed")

    def test_what_failed_for_good_starts_once_its_file_is_right(self):
        with Daemon({"web": GOOD.replace("/bin/true", "/nonexistent")
                     + "[recovery]\nrestart = no\n"}) as d:
            d.wait_state("web", "failed")
            d.write_service("web", on_fd())
            by_http(d)
            d.do("start", "web")
            self.assertEqual(d.status("web")["state"], "running")


class WhatIsBroken(unittest.TestCase):
    def test_a_broken_file_keeps_the_old_service_until_it_is_repaired(self):
        with Daemon({"web": on_fd(), "other": on_fd()}) as d:
            before = d.wait_all_running()
            d.write_service("web", "[service]\ncomand = x\n")
            d.write_service("other", on_fd("--status 1"))
            result = by_http(d)
            self.assertEqual([(e["file"], e["line"], e["key"]) for e in result["errors"]],
                             [(d.service_file("web"), 2, "comand")])
            self.assertEqual((result["removed"], result["changed"]), ([], ["other"]))
            row = d.wait_status(lambda r: r["config_error"], "web")
            self.assertIn("comand", row["config_error"])
            self.assertEqual(instance(row), instance(before["web"]))
            told = d.status()["daemon"]["config_errors"]
            self.assertEqual([e["line"] for e in told], [2])
            d.do("restart", "web")  # as it was told before
            self.assertEqual(d.status("web")["state"], "running")
            d.write_service("web", on_fd(service={"description": "repaired"}))
            self.assertEqual(by_http(d)["errors"], [])
            row = d.wait_status(lambda r: r["config_error"] is None, "web")
            self.assertEqual(row["description"], "repaired")
            self.assertEqual(d.status()["daemon"]["config_errors"], [])

    def test_a_file_that_was_never_right_is_refused_until_it_is_repaired(self):
        with Daemon({"web": on_fd()}) as d:
            d.write_service("new", "[service]\ncommand = a | b\n")
            self.assertEqual(by_http(d)["added"], [])
            answer = d.http("POST", "/start/new")
            self.assertEqual((answer.status, answer.json["code"]), (409, "config_refused"))
            self.assertIn("new.conf:2", answer.json["detail"])
            d.write_service("new", on_fd())
            self.assertEqual(by_http(d)["added"], ["new"])
            d.wait_state("new", "running")

    def test_a_strict_reload_changes_nothing_when_anything_is_wrong(self):
        with Daemon({"web": on_fd(), "gone": on_fd()}) as d:
            before = d.wait_all_running()
            for number in range(40):
                d.write_service(f"bad{number}", "rubbish\n")
            d.write_service("new", on_fd())
            d.write_service("web", on_fd(service={"description": "changed"}))
            os.unlink(d.service_file("gone"))
            append(d.conf, "[operations]\ntimeout = 33s\n")
            answer = strictly(d)
            self.assertEqual((answer.status, answer.json["code"]), (409, "config_refused"))
            for number in range(40):  # every error at once, however many
                self.assertIn(f"bad{number}.conf:1", answer.json["detail"])
            found = d.ctl("reload-config", "--strict")
            self.assertNotEqual(found.returncode, 0)
            self.assertIn("bad7.conf:1", found.stderr)
            rows = {row["name"]: row for row in d.status()["services"]}
            self.assertEqual({name: (instance(row), row["description"]) for name, row in
                              rows.items()},
                             {name: (instance(row), "") for name, row in before.items()})
            self.assertEqual(d.do("restart", "web")["timeout_seconds"], 30)
            self.assertEqual(d.http("POST", "/start/new").status, 404)

    def test_a_broken_supervisor_conf_changes_nothing_of_it_and_is_said(self):
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            with open(d.conf) as f:
                text = f.read()
            for number, more in enumerate(("[operations]\ntimeout = 33s\n",
                                           "[operations]\ntimeout = 44s\nbogus\n")):
                with open(d.conf, "w") as f:
                    f.write(text + more)
                d.write_service("web", on_fd(service={"description": str(number)}))
                result = by_http(d)
                self.assertEqual(result["changed"], ["web"])  # the services are another matter
                self.assertEqual(d.do("restart", "web")["timeout_seconds"], 33)
            line = (text + more).count("\n")
            self.assertEqual([(e["file"], e["line"]) for e in result["errors"]], [(d.conf, line)])
            told = d.status()["daemon"]["config_errors"]
            self.assertEqual([(e["file"], e["line"]) for e in told], [(d.conf, line)])
            self.assertEqual(strictly(d).status, 409)

    def test_a_services_dir_that_is_away_removes_no_service(self):
        with Daemon({"web": on_fd()}) as d:
            before = d.wait_all_running()["web"]
            os.rename(d.services_dir, d.services_dir + ".away")
            answer = d.http("POST", "/daemon/reload")
            self.assertEqual((answer.status, answer.json["code"]), (409, "config_refused"))
            self.assertIn(d.services_dir, answer.json["detail"])
            by_signal(d)
            self.assertEqual(instance(d.status("web")), instance(before))
            os.rename(d.services_dir + ".away", d.services_dir)
            self.assertEqual(by_http(d)["unchanged"], ["web"])


class WhatIsRemoved(unittest.TestCase):
    def test_a_removed_service_is_told_to_those_who_wait_for_a_change(self):
        with Daemon({"web": on_fd(), "stay": on_fd()}) as d:
            d.wait_all_running()
            revision = d.status()["revision"]
            os.unlink(d.service_file("web"))
            by_http(d)
            d.wait_status(lambda rows: "web" not in rows)
            whole = d.http("GET", f"/status?since={revision}").json
            if not whole["full"]:
                self.assertIn("web", whole["removed"])
            self.assertNotIn("web", [row["name"] for row in whole["services"]])
            self.assertEqual(d.http("GET", "/status/web").status, 404)
            stopped = d.operations("?service=web&limit=1")[0]  # its history stays
            self.assertEqual((stopped["action"], stopped["state"], stopped["origin"]),
                             ("stop", "succeeded", "config"))

    def test_what_waits_for_a_removed_service_is_cancelled_and_it_is_stopped(self):
        with Daemon({"web": HANGING}) as d:
            running = hold(d, "web")
            waiting = [d.ask("restart", "web")["id"] for _ in range(5)]
            os.unlink(d.service_file("web"))
            by_http(d)
            for number in waiting:
                record = d.operation(number)
                self.assertEqual((record["state"], record["started_at"]), ("cancelled", None))
            d.http("DELETE", f"/operations/{running}")  # the stop need not wait for its timeout
            d.wait_status(lambda rows: "web" not in rows)
            self.assertEqual(len(d.witness("web", "start")), 1)

    def test_a_service_that_comes_back_is_a_service_again(self):
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            for _ in range(3):
                os.unlink(d.service_file("web"))
                self.assertEqual(by_http(d)["removed"], ["web"])
                d.write_service("web", on_fd())
                self.assertEqual(by_http(d)["added"], ["web"])
                d.wait_state("web", "running")
                self.assertEqual(d.do("restart", "web")["state"], "succeeded")

    def test_who_needs_a_removed_service_is_refused_and_goes_on(self):
        with Daemon({"db": on_fd(), "web": on_fd(service={"requires": "db"})}) as d:
            before = d.wait_all_running()["web"]
            os.unlink(d.service_file("db"))
            result = by_http(d)
            self.assertEqual((result["removed"], [e["key"] for e in result["errors"]]),
                             (["db"], ["requires"]))
            row = d.wait_status(lambda r: r["config_error"], "web")
            self.assertIn('"db"', row["config_error"])
            self.assertEqual(instance(row), instance(before))


class Edges(unittest.TestCase):
    def test_new_dependencies_hold_from_the_reload_on(self):
        with Daemon({"db": on_fd(service={"autostart": "no"}), "web": on_fd()}) as d:
            d.wait_state("web", "running")
            d.write_service("web", on_fd(service={"requires": "db"}))
            self.assertEqual(by_http(d)["changed"], ["web"])
            self.assertFalse(d.status("web")["config_changed"])
            self.assertEqual(d.status("db")["state"], "stopped")
            d.do("restart", "web")
            self.assertEqual(d.status("db")["state"], "running")
            d.write_service("web", on_fd())
            by_http(d)
            d.do("stop", "db")
            d.do("restart", "web")
            self.assertEqual(d.status("db")["state"], "stopped")

    def test_a_circle_is_refused_and_the_old_edges_hold(self):
        with Daemon({"a": on_fd(), "b": on_fd(service={"requires": "a"})}) as d:
            before = d.wait_all_running()
            d.write_service("a", on_fd(service={"after": "b"}))
            result = by_http(d)
            self.assertEqual({os.path.basename(e["file"]) for e in result["errors"]},
                             {"a.conf", "b.conf"})
            for name in ("a", "b"):
                row = d.wait_status(lambda r: r["config_error"], name)
                self.assertIn("circle", row["config_error"])
                self.assertEqual(instance(row), instance(before[name]))
                d.do("restart", name)
            d.write_service("a", on_fd())
            self.assertEqual(by_http(d)["errors"], [])
            d.wait_status(lambda rows: all(r["config_error"] is None for r in rows.values()))


class Meanwhile(unittest.TestCase):
    def test_operations_that_run_and_wait_are_not_disturbed(self):
        with Daemon({"web": on_fd("--stop-delay 150"), "other": on_fd()}) as d:
            d.wait_all_running()
            asked = [d.ask("restart", "web")["id"] for _ in range(4)]
            for number in range(6):
                d.write_service("web", on_fd("--stop-delay 150",
                                             service={"description": str(number)}))
                d.write_service("other", on_fd(f"--status {number}"))
                by_http(d)
            self.assertEqual([d.operation(number)["state"] for number in asked],
                             ["succeeded"] * 4)
            self.assertEqual(len(d.witness("web", "start")), 5)

    def test_reloads_at_once_find_each_change_once(self):
        with Daemon({f"s{n}": on_fd() for n in range(6)}) as d:
            d.wait_all_running()
            d.write_service("new", on_fd())
            d.write_service("s0", on_fd(service={"description": "changed"}))
            os.unlink(d.service_file("s5"))
            results = at_once([lambda: by_http(d)] * 8)
            for key, expected in (("added", ["new"]), ("changed", ["s0"]), ("removed", ["s5"])):
                self.assertEqual([r[key] for r in results if r[key]], [expected])
            for result in results:
                self.assertEqual(result["errors"], [])
            d.wait_state("new", "running")
            d.wait_status(lambda rows: "s5" not in rows)
            self.assertEqual(len(d.witness("new", "start")), 1)

    def test_reloads_and_restarts_at_once_leave_every_service_running(self):
        names = [f"s{n}" for n in range(4)]
        with Daemon({name: on_fd() for name in names}) as d:
            d.wait_all_running()

            def change(number):
                for name in names:
                    d.write_service(name, on_fd(service={"description": f"{number} of {name}"}))
                return by_http(d)

            calls = [lambda n=n: change(n) for n in range(3)]
            calls += [lambda name=name: d.do("restart", name) for name in names * 2]
            at_once(calls)
            by_http(d)  # files may have been written behind the last one's back
            d.wait_all_running()
            for name in names:
                d.wait_status(lambda row, name=name: row["description"] in
                              [f"{n} of {name}" for n in range(3)], name)
                self.assertEqual(len(d.witness(name, "start")), 3)


class Supervisor(unittest.TestCase):
    def rewrite(self, d, *sections):
        d._write_conf(dict(sections))  # pylint: disable=protected-access

    def test_what_a_running_daemon_can_take_up_it_does(self):
        with Daemon({"web": HANGING}) as d:
            self.rewrite(d, ("operations", {"timeout": "44s", "queue_limit": "1",
                                            "queue_limit_total": "1000", "history_count": "0",
                                            "history_age": "1h"}),
                         ("daemon", {"log_level": "debug", "shutdown_timeout": "50s"}))
            result = by_http(d)
            self.assertEqual((result["restart_required"], result["errors"]), ([], []))
            first = d.operation(hold(d, "web"), wait=False)
            self.assertEqual(first["timeout_seconds"], 44)
            self.assertEqual([d.http("POST", "/restart/web").status for _ in range(2)], [202, 429])
            let_go(d, "web")

    def test_the_total_of_queues_is_taken_up(self):
        with Daemon({"a": HANGING, "b": HANGING}) as d:
            self.rewrite(d, ("operations", {"queue_limit_total": "1", "queue_limit": "1"}))
            by_http(d)
            for name in ("a", "b"):
                hold(d, name)
            self.assertEqual(d.http("POST", "/restart/a").status, 202)
            self.assertEqual(d.http("POST", "/restart/b").status, 429)
            let_go(d, "a")
            let_go(d, "b")

    def test_another_services_dir_is_taken_up(self):
        with Daemon({"old": on_fd(), "both": on_fd()}) as d:
            before = d.wait_all_running()["both"]
            os.mkdir(f"{d.folder}/more.d")
            with open(f"{d.folder}/more.d/both.conf", "w") as f:
                f.write(d.service_text("both"))
            self.rewrite(d, ("daemon", {"services_dir": f"{d.folder}/more.d"}))
            result = by_http(d)
            self.assertEqual((result["removed"], result["unchanged"], result["restart_required"]),
                             (["old"], ["both"], []))
            self.assertEqual(instance(d.status("both")), instance(before))

    def test_what_waits_for_a_new_daemon_is_named_until_it_is_taken_back(self):
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            self.rewrite(d, ("daemon", {"workers": "3", "resume": "no"}),
                         ("journal", {"durability": "full"}),
                         ("api", {"socket": f"{d.folder}/other.sock"}))
            for _ in range(2):  # the second one is no change, and it still waits
                self.assertEqual(by_http(d)["restart_required"],
                                 ["daemon.workers", "daemon.resume", "api.socket",
                                  "journal.durability"])
            self.assertFalse(os.path.exists(f"{d.folder}/other.sock"))
            self.rewrite(d)
            self.assertEqual(by_http(d)["restart_required"], [])


if __name__ == "__main__":
    main()
