"""How much may wait, what is withdrawn, and what changes nothing."""
import os
import signal
import unittest

from harness.orderly import Daemon, at_once, main, on_fd

DEAF = {"stop_timeout": "100s", "timeout": "200s"}


def busy(d, name="hung"):
    """Keeps the service busy until it is killed; the operation's id."""
    d.wait_witness(name, "ready")
    number = d.ask("restart", name)["id"]
    d.wait_state(name, "stopping")
    return number


def wait_queued(d, count, name="hung"):
    """What is accepted is shown with the service's next turn."""
    d.wait_status(lambda row: row["queue_length"] == count, name)


def finish(d, number, name="hung"):
    """Kills what was deaf; the end of what kept it busy."""
    os.kill(d.witness(name, "start")[0].pid, signal.SIGKILL)
    return d.operation(number)["state"]


class Queues(unittest.TestCase):
    def test_a_full_queue_answers_429_and_records_nothing(self):
        services = {"hung": on_fd("--deaf", operation={"queue_limit": "3", **DEAF}),
                    "web": on_fd()}
        with Daemon(services) as d:
            running = busy(d)
            answers = at_once([lambda: d.http("POST", "/restart/hung")] * 10)
            accepted = [a for a in answers if a.status == 202]
            refused = [a for a in answers if a.status == 429]
            self.assertEqual((len(accepted), len(refused)), (3, 7), answers)
            for answer in refused:
                self.assertEqual(answer.json["code"], "queue_full")
                self.assertIn("hung", answer.json["detail"])
                self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
            wait_queued(d, 3)
            self.assertEqual(len(d.operations("?service=hung")), 5, "with boot and the running one")
            self.assertEqual(d.http("POST", "/restart/web?wait").status, 200, "others go on")
            for answer in accepted:
                self.assertEqual(d.http("DELETE", f"/operations/{answer.json['id']}").status, 200)
            self.assertEqual(finish(d, running), "succeeded")
            self.assertEqual(d.http("POST", "/start/hung").status, 202, "there is room again")
            d.leave()

    def test_positions_count_from_the_head(self):
        with Daemon({"hung": on_fd("--deaf", operation=DEAF)}) as d:
            busy(d)
            queued = [d.ask("restart", "hung") for _ in range(3)]
            self.assertEqual([r["position"] for r in queued], [1, 2, 3])
            d.http("DELETE", f"/operations/{queued[0]['id']}")
            self.assertEqual([d.operation(r["id"], wait=False)["position"] for r in queued[1:]],
                             [1, 2])
            d.leave()

    def test_the_queues_of_all_services_together_have_a_limit_too(self):
        services = {name: on_fd("--deaf", operation=DEAF) for name in ("hung", "other")}
        with Daemon(services, config={"operations": {"queue_limit_total": "4"}}) as d:
            busy(d, "hung")
            busy(d, "other")
            answers = [d.http("POST", f"/restart/{name}") for name in ("hung", "other") * 4]
            codes = [answer.status for answer in answers]
            self.assertIn(429, codes)
            self.assertLessEqual(codes.count(202), 4)
            self.assertEqual(codes, sorted(codes), "once full it stays full")
            d.leave()

    def test_cancelled_ones_are_never_run(self):
        with Daemon({"hung": on_fd("--deaf", operation=DEAF)}) as d:
            running = busy(d)
            ids = [d.ask("restart", "hung")["id"] for _ in range(10)]
            answers = at_once([lambda i=i: d.http("DELETE", f"/operations/{i}") for i in ids])
            self.assertEqual([a.status for a in answers], [200] * 10)
            self.assertEqual(finish(d, running), "succeeded")
            self.assertEqual({d.operation(i)["state"] for i in ids}, {"cancelled"})
            self.assertEqual(d.status("hung")["generation"], 2)
            d.leave()

    def test_of_two_cancels_at_once_one_wins(self):
        with Daemon({"hung": on_fd("--deaf", operation=DEAF)}) as d:
            busy(d)
            number = d.ask("restart", "hung")["id"]
            answers = at_once([lambda: d.http("DELETE", f"/operations/{number}")] * 8)
            self.assertEqual(sorted(a.status for a in answers), [200] + [409] * 7)
            d.leave()


class NothingToDo(unittest.TestCase):
    def test_a_start_of_a_running_service_succeeds_and_changes_nothing(self):
        with Daemon({"web": on_fd()}) as d:
            before = d.wait_state("web", "running")
            record = d.do("start", "web")
            self.assertIs(record["changed"], False)
            self.assertEqual(d.status("web")["pid"], before["pid"])

    def test_a_stop_of_a_stopped_service_succeeds_and_changes_nothing(self):
        with Daemon({"web": on_fd(service={"autostart": "no"})}) as d:
            record = d.do("stop", "web")
            self.assertIs(record["changed"], False)
            self.assertEqual(d.status("web")["generation"], 0)

    def test_a_restart_of_a_stopped_service_starts_it(self):
        with Daemon({"web": on_fd(service={"autostart": "no"})}) as d:
            record = d.do("restart", "web")
            self.assertIs(record["changed"], True)
            row = d.status("web")
            self.assertEqual((row["state"], row["goal"]), ("running", "up"))

    def test_state_is_judged_when_the_operation_begins(self):
        with Daemon({"web": on_fd("--stop-delay 200")}) as d:
            d.wait_state("web", "running")
            ids = [d.ask(action, "web")["id"] for action in ("stop", "stop", "start", "start")]
            self.assertEqual([d.operation(i)["changed"] for i in ids], [True, False, True, False])


if __name__ == "__main__":
    main()
