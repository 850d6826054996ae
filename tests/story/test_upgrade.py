"""The daemon becomes the program in its file: same pid, same children, the same sockets."""
import os
import shutil
import stat
import tempfile
import threading
import unittest

from harness.build import BUILD, run_ctl
from harness.orderly import Daemon, fake, main, on_fd


def rows(d):
    return {row["name"]: (row["pid"], row["generation"], row["state"])
            for row in d.status()["services"]}


class Upgrade(unittest.TestCase):
    def ctl(self, d, *words, status=0):
        done = run_ctl(*words, env={"ORDERLY_SOCKET": d.socket})
        d.renewed()
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def test_services_and_the_daemons_own_pid_stay_and_a_new_program_answers(self):
        with Daemon({"web": on_fd(), "other": on_fd()}) as d:
            d.wait_all_running()
            before, pid = rows(d), d.process.pid
            since = d.status()["daemon"]["since"]
            self.assertIn("the services went on", self.ctl(d, "upgrade").stdout)
            after = d.status()["daemon"]
            self.assertEqual(after["pid"], pid)
            self.assertGreater(after["since"], since)
            self.assertEqual(rows(d), before)
            self.assertEqual(d.do("restart", "web")["state"], "succeeded")

    def test_nobody_is_turned_away_meanwhile(self):
        with Daemon({"web": on_fd()}, tcp=True) as d:
            d.wait_all_running()
            token, troubles, stop = d.admin_token(), [], threading.Event()

            def ask(tcp):
                while not stop.is_set():
                    try:
                        answer = d.http("GET", "/version", tcp=tcp, token=token if tcp else None,
                                        headers={"Connection": "close"})
                        if answer.status not in (200, 503):
                            troubles.append(answer.status)
                    except ConnectionRefusedError as error:
                        troubles.append(error)
                    except OSError:
                        pass        # the connection was with the program that has gone

            askers = [threading.Thread(target=ask, args=(tcp,)) for tcp in (False, True)]
            for asker in askers:
                asker.start()
            for _ in range(3):
                self.ctl(d, "upgrade")
            stop.set()
            for asker in askers:
                asker.join()
            self.assertEqual(troubles, [])

    def test_what_runs_is_finished_by_the_new_program_and_a_waiter_gets_a_202(self):
        slow = on_fd("--hold-start", service={"autostart": "no"}, operation={"timeout": "20m"},
                     readiness={"timeout": "15m"})
        with Daemon({"slow": slow}) as d:
            found = []
            waiter = threading.Thread(
                target=lambda: found.append(d.http("POST", "/start/slow?wait")))
            with d.hold("slow"):
                waiter.start()
                d.wait_state("slow", "starting")
                self.ctl(d, "upgrade")
                waiter.join()
            self.assertEqual(found[0].status, 202)
            end = d.operation(found[0].json["id"])
            self.assertEqual(end["state"], "succeeded", end)
            self.assertEqual(len(d.witness("slow", "start")), 1, "it was not started again")

    def test_how_a_service_ends_is_still_known(self):
        dying = {"service": {"command": "/bin/sh -c 'read go < @DIR@/go; exit 7'"},
                 "readiness": {"type": "immediate"}, "recovery": {"restart": "no"}}
        with Daemon({"dying": dying}, start=False) as d:
            os.mkfifo(f"{d.dir}/go")
            d.start()
            d.wait_state("dying", "running")
            self.ctl(d, "upgrade")
            with open(f"{d.dir}/go", "w", encoding="ascii") as go:
                go.write("go\n")
            row = d.wait_state("dying", "failed")
            self.assertEqual(row["last_exit"], {"code": 7})

    def test_what_cannot_be_executed_is_refused_and_nothing_changes(self):
        folder = tempfile.mkdtemp(prefix="ordup", dir="/tmp")
        self.addCleanup(shutil.rmtree, folder)
        os.chmod(folder, 0o755)
        for part in ("bin", "libexec"):
            shutil.copytree(f"{BUILD}/{part}", f"{folder}/{part}")
        program = f"{folder}/bin/orderlyd"
        wrap = ("/bin/sh", "-c", f'shift; exec {program} "$@"', "sh")
        with Daemon({"web": on_fd()}, wrap=wrap) as d:
            d.wait_all_running()
            before = rows(d)
            since = d.status()["daemon"]["since"]
            os.rename(program, program + ".good")
            with open(program, "w", encoding="ascii") as broken:
                broken.write("#!/bin/false\n")
            os.chmod(program, stat.S_IRWXU)
            refused = self.ctl(d, "upgrade", status=8)
            self.assertIn("did not end well", refused.stderr)
            self.assertEqual(d.status()["daemon"]["since"], since)
            os.unlink(program)
            self.assertIn("No such file", self.ctl(d, "upgrade", status=8).stderr)
            os.rename(program + ".good", program)
            self.ctl(d, "upgrade")
            self.assertGreater(d.status()["daemon"]["since"], since)
            self.assertEqual(rows(d), before)

    def test_a_start_that_never_tells_fails_at_its_readiness_timeout_all_the_same(self):
        never = fake(service={"autostart": "no"}, recovery={"restart": "no"},
                     readiness={"type": "fd", "timeout": "3s"})
        with Daemon({"never": never}) as d:
            for count, again in enumerate((lambda: self.ctl(d, "upgrade"),
                                           lambda: (d.kill9(), d.start())), 1):
                start = d.ask("start", "never")
                d.wait_status(lambda row, n=count: row["generation"] == n, "never")
                again()
                end = d.operation(start["id"])
                self.assertEqual(end["state"], "failed", end)
                self.assertIn("readiness timeout", end["detail"])
                d.wait_state("never", "failed")

    def test_a_file_that_changed_meanwhile_is_told_apart_from_what_runs(self):
        with Daemon({"web": on_fd()}) as d:
            d.wait_all_running()
            d.write_service("web", on_fd(service={"umask": "077"}))
            self.ctl(d, "upgrade")
            self.assertTrue(d.status("web")["config_changed"])
            d.kill9()
            d.start()
            self.assertTrue(d.status("web")["config_changed"])
            d.do("restart", "web")
            self.assertFalse(d.status("web")["config_changed"])


if __name__ == "__main__":
    main()
