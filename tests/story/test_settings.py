"""What a service is given: who it is, where it stands, its limits, and nothing else."""
import grp
import os
import pwd
import resource
import shutil
import subprocess
import tempfile
import unittest

from harness.orderly import FAKE_REPORT, ORDERLYD, ROOT, Daemon, main, wait_written

COMMAND = "@FOLDER@/report @DIR@ @NAME@"
LIMIT = resource.getrlimit(resource.RLIMIT_NOFILE)


def report(limits=None, more="", **service):
    spec = {"service": {"command": f"{COMMAND} {more}", **service},
            "readiness": {"type": "immediate"}}
    if limits:
        spec["limits"] = limits
    return spec


def environment_of(found):
    return dict(line.partition("=")[::2] for line in found["env"])


class Settings(unittest.TestCase):
    def daemon(self, spec, **more):
        """One with a copy of fake-report: the build may stand where only its owner can go."""
        d = Daemon({"web": spec}, **more)
        shutil.copy(FAKE_REPORT, f"{d.folder}/report")
        return d

    def seen(self, spec, **more):
        """Runs it once; what it found."""
        with self.daemon(spec, **more) as d:
            found = d.report("web")
            found["row"] = d.wait_status(lambda row: row["pid"], "web")
            found["daemon"] = d
            return found

    def test_the_defaults(self):
        found = self.seen(report())
        me = pwd.getpwuid(os.geteuid())
        self.assertEqual(found["uid"], [f"{os.geteuid()} {os.geteuid()}"])
        self.assertEqual(found["umask"], ["0022"])
        self.assertEqual(found["directory"], ["/"])
        self.assertEqual(found["session"], found["pid"], "a session of its own")
        self.assertEqual(found["pgid"], found["pid"])
        self.assertEqual(found["nofile"], [f"{LIMIT[0]} {LIMIT[1]}"],
                         "the descriptor limits are those the daemon was given")
        env = environment_of(found)
        self.assertEqual((env["HOME"], env["USER"], env["LOGNAME"]),
                         (me.pw_dir, me.pw_name, me.pw_name))
        self.assertIn("PATH", env)

    def test_the_pid_shown_is_the_pid_of_the_program(self):
        found = self.seen(report())
        self.assertEqual(str(found["row"]["pid"]), found["pid"][0])

    def test_no_signal_is_blocked_or_ignored(self):
        found = self.seen(report())
        self.assertEqual(int(found["SigBlk"][0], 16), 0)
        self.assertEqual(int(found["SigIgn"][0], 16), 0)

    def test_stdin_is_dev_null_and_there_are_no_stray_descriptors(self):
        found = self.seen(report())
        fds = dict(line.split(" ", 1) for line in found["fd"])
        self.assertEqual(sorted(fds), ["0", "1", "2"], fds)
        self.assertEqual(fds["0"], "/dev/null")
        self.assertEqual(fds["1"], f"{found['daemon'].runtime_dir}/web/out")
        self.assertEqual(fds["2"], fds["1"])

    def test_with_readiness_fd_there_is_one_more_and_its_number_is_told(self):
        spec = report()
        spec["readiness"] = {"type": "fd", "timeout": "20s"}  # it never gets ready
        spec["recovery"] = {"restart": "no"}
        found = self.seen(spec)
        fds = dict(line.split(" ", 1) for line in found["fd"])
        number = environment_of(found)["ORDERLY_READY_FD"]
        self.assertEqual(sorted(fds), sorted(["0", "1", "2", number]))

    def test_umask_and_directory(self):
        found = self.seen(report(umask="0077", directory="/usr/share"))
        self.assertEqual((found["umask"], found["directory"]), (["0077"], ["/usr/share"]))

    def test_a_relative_directory_starts_at_supervisor_conf(self):
        found = self.seen(report(directory="w"))
        self.assertEqual(found["directory"], [f"{found['daemon'].folder}/w"])

    def test_the_environment(self):
        found = self.seen(report(environment='A=1 "B=two words" C= PATH=/mine'))
        env = environment_of(found)
        self.assertEqual((env["A"], env["B"], env["C"], env["PATH"]),
                         ("1", "two words", "", "/mine"))

    def test_what_belongs_to_the_daemon_alone_is_not_inherited(self):
        mine = {name: "x" for name in ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES",
                                       "WATCHDOG_USEC", "WATCHDOG_PID", "INVOCATION_ID",
                                       "JOURNAL_STREAM")}
        mine.update(NOTIFY_SOCKET="/nonexistent/notify", KEPT="yes")
        found = self.seen(report(), env=mine)
        env = environment_of(found)
        self.assertEqual(env["KEPT"], "yes")
        self.assertEqual([name for name in mine if name in env], ["KEPT"])

    def test_an_environment_file(self):
        spec = report(environment="A=inline D=4", environment_file="@FOLDER@/env")
        d = self.daemon(spec)
        with open(f"{d.folder}/env", "w") as f:
            f.write("# a comment\nA=file\nB=\"two words\"\n\nE=e\n")
        with d:
            env = environment_of(d.report("web"))
        self.assertEqual((env["B"].strip('"'), env["D"], env["E"]), ("two words", "4", "e"))
        self.assertIn(env["A"], ("inline", "file"))

    def test_a_missing_environment_file_fails_the_start_unless_it_is_optional(self):
        spec = report(environment_file="/nonexistent/env", autostart="no")
        spec["recovery"] = {"restart": "no"}
        with self.daemon(spec) as d:
            record = d.do("start", "web", expect="failed")
            self.assertIn("/nonexistent/env", record["detail"])
            self.assertEqual(d.read("web.report"), "")
        self.seen(report(environment_file="-/nonexistent/env"))

    def test_a_broken_line_in_the_environment_file_is_named(self):
        spec = report(environment_file="@FOLDER@/env", autostart="no")
        spec["recovery"] = {"restart": "no"}
        d = self.daemon(spec)
        with open(f"{d.folder}/env", "w") as f:
            f.write("A=1\nthis is no assignment\n")
        with d:
            record = d.do("start", "web", expect="failed")
            self.assertRegex(record["detail"], r"env.*\b2\b")

    def test_arguments_arrive_as_written(self):
        found = self.seen(report(more="'two words' \"x\\\"y\" a\\ b '' --last"))
        self.assertEqual(found["arg"], ["two words", 'x"y', "a b", "", "--last"])

    def test_nofile_and_core(self):
        found = self.seen(report(limits={"nofile": "256", "core": "0"}))
        self.assertEqual(found["nofile"][0].split()[0], "256")
        self.assertEqual(found["core"], ["0 0"])

    def test_oom_score_adjust(self):
        found = self.seen(report(limits={"oom_score_adjust": "500"}))
        self.assertEqual(found["oom_score_adj"], ["500"])

    @unittest.skipUnless(ROOT, "only root runs services as somebody else")
    def test_user_and_groups(self):
        user = pwd.getpwnam("nobody")
        found = self.seen(report(user="nobody"))
        self.assertEqual((found["uid"], found["gid"]), ([f"{user.pw_uid} {user.pw_uid}"],
                                                        [f"{user.pw_gid} {user.pw_gid}"]))
        env = environment_of(found)
        self.assertEqual((env["USER"], env["LOGNAME"], env["HOME"]),
                         ("nobody", "nobody", user.pw_dir))
        self.assertLessEqual(set(found["groups"][0].split()), {str(user.pw_gid)})

    @unittest.skipUnless(ROOT, "only root runs services as somebody else")
    def test_group_and_supplementary_groups(self):
        daemon, games = grp.getgrnam("daemon").gr_gid, grp.getgrnam("games").gr_gid
        found = self.seen(report(user="nobody", group="daemon", supplementary_groups="games"))
        self.assertEqual(found["gid"], [f"{daemon} {daemon}"])
        self.assertIn(str(games), found["groups"][0].split())

    @unittest.skipUnless(ROOT, "only root runs services as somebody else")
    def test_another_user_s_service_can_open_its_own_stdout_again(self):
        spec = {"service": {"command": "/bin/sh -c 'echo hello > /dev/stdout; exec sleep 1000'",
                            "user": "nobody"}}
        with Daemon({"web": spec}) as d:
            wait_written(d.log_dir, lambda: d.http("GET", "/logs/web").text == "hello\n",
                         "it never said hello")

    def test_another_user_without_being_root_is_refused_at_load(self):
        """Checked by a copy of the daemon that runs as nobody, where we are root."""
        nobody = {"user": 65534, "group": 65534, "extra_groups": []} if ROOT else {}
        with tempfile.TemporaryDirectory(dir="/tmp") as folder:
            os.chmod(folder, 0o755)
            shutil.copy(ORDERLYD, f"{folder}/orderlyd")
            os.mkdir(f"{folder}/services.d")
            for path, text in ((f"{folder}/supervisor.conf", "[daemon]\nstate_dir = /tmp/none\n"),
                               (f"{folder}/services.d/web.conf",
                                "[service]\ncommand = /bin/true\nuser = root\n")):
                with open(path, "w") as f:
                    f.write(text)
            done = subprocess.run([f"{folder}/orderlyd", "--check", "--config",
                                   f"{folder}/supervisor.conf"], stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, cwd="/", **nobody)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("services.d/web.conf:3:", done.stderr)
        self.assertIn("root", done.stderr)


if __name__ == "__main__":
    main()
