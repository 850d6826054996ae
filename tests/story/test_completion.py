"""Completion: bash and zsh as they are, with the files that are installed, and orderlyctl, which
alone knows what may follow."""
import os
import shutil
import subprocess
import unittest

from harness.build import BUILD
from harness.orderly import GUARD, ORDERLYCTL, Shared, main, on_fd

TREE = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
BASH, ZSH = f"{TREE}/completion/orderlyctl.bash", f"{TREE}/completion/_orderlyctl"
BREAKS = "@=:"  # where bash cuts words, besides blanks

# What bash does at a tab, without the keyboard.
PRESS = r"""
source "$1"; shift
COMP_LINE=$1; COMP_POINT=$2; COMP_CWORD=$3; shift 3
COMP_WORDS=("$@")
complete -p orderlyctl > /dev/null || exit 1
_orderlyctl
printf '%s\n' "${COMPREPLY[@]}"
"""


def cut(line):
    """The words as bash hands them to a completion."""
    words, word = [], ""
    for c in line:
        if c == " " or c in BREAKS:
            words += [word] if word else []
            words += [c] if c in BREAKS else []
            word = ""
        else:
            word += c
    return words + ([word] if word or line.endswith(" ") else [])


class Completion(Shared):
    services = {"web": on_fd(service={"tags": "front"}), "worker": on_fd(service={"tags": "back"}),
                "web@1": on_fd(service={"tags": "front"}),
                "hung": on_fd("--stop-delay 3600000", service={"autostart": "no"},
                              operation={"stop_timeout": "100s", "timeout": "200s"})}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name in ("web", "worker", "web@1"):
            cls.d.wait_state(name, "running")

    def environment(self, socket=None):
        return {"PATH": f"{BUILD}/bin:/usr/bin:/bin", "LANG": "C",
                "ASAN_OPTIONS": "detect_leaks=1:exitcode=66",
                "ORDERLY_SOCKET": socket or self.d.socket}

    def asked(self, *words, socket=None):
        """What orderlyctl offers after these words, the last one under the cursor."""
        found = subprocess.run([ORDERLYCTL, "__complete", *words], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env=self.environment(socket), timeout=GUARD, check=False)
        self.assertEqual((found.returncode, found.stderr), (0, ""))
        return [line.split("\t")[0] for line in found.stdout.splitlines()]

    def press(self, line, point=None, folder="/"):
        """What bash would put instead of what stands before the cursor, after its last cut."""
        point = len(line) if point is None else point
        words = cut(line)
        index = len(cut(line[:point])) - 1
        found = subprocess.run(["bash", "--norc", "--noprofile", "-c", PRESS, "bash", BASH, line,
                                str(point), str(index), *words], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env=self.environment(), cwd=folder, timeout=GUARD, check=False)
        self.assertEqual((found.returncode, found.stderr), (0, ""))
        return found.stdout.split()

    # ---- what is offered ----

    def test_subcommands_and_options(self):
        self.assertEqual(self.asked("re"), ["restart", "reload", "reload-config"])
        self.assertIn("is-active", self.asked(""))
        self.assertNotIn("__complete", self.asked(""))
        self.assertEqual(self.asked("stop", "--no"), ["--now", "--no-wait"])
        self.assertEqual(self.asked("status", "--no"), [])
        self.assertEqual(self.asked("stop", "--mode", "f"), ["fail"])
        self.assertEqual(self.asked("stop", "--mode=f"), ["--mode=fail"])
        self.assertEqual(self.asked("logs", "--stream", ""), ["stdout", "stderr"])
        self.assertEqual(self.asked("logs", "-n", ""), [])
        self.assertEqual(self.asked("status", "--socket", ""), [":files"])
        self.assertEqual(self.asked("check", ""), [":files"])
        self.assertEqual(self.asked("version", ""), [])
        self.assertEqual(self.asked("no-such", ""), [])

    def test_services_and_tags_that_are_not_there_yet(self):
        self.assertEqual(self.asked("restart", ""),
                         ["hung", "web", "web@1", "worker", "@front", "@back"])
        self.assertEqual(self.asked("restart", "w"), ["web", "web@1", "worker"])
        self.assertEqual(self.asked("restart", "--no-wait", "web", "w"), ["web@1", "worker"])
        self.assertEqual(self.asked("stop", "--reason", "why", "@f"), ["@front"])
        self.assertEqual(self.asked("stop", "@front", "@"), ["@back"])
        self.assertEqual(self.asked("logs", "w"), ["web", "web@1", "worker"])
        self.assertEqual(self.asked("logs", "@"), [])
        self.assertEqual(self.asked("logs", "web", "w"), [])

    def test_the_signal_and_the_goal_stand_first(self):
        self.assertEqual(self.asked("signal", "USR"), ["USR1", "USR2"])
        self.assertEqual(self.asked("signal", "USR1", "work"), ["worker"])
        self.assertEqual(self.asked("goal", ""), ["up", "down"])
        self.assertEqual(self.asked("goal", "up", "h"), ["hung"])

    def test_numbers_of_operations_that_have_not_ended(self):
        self.d.do("start", "hung")
        running = self.d.ask("restart", "hung")["id"]
        self.d.wait_state("hung", "stopping")
        waiting = self.d.ask("restart", "hung")["id"]
        self.assertEqual(self.asked("cancel", ""), [str(running), str(waiting)])
        self.assertEqual(self.asked("wait", str(running), ""), [str(waiting)])
        self.d.http("DELETE", f"/operations/{waiting}")
        self.d.hurry("hung")
        self.d.operation(running)
        self.assertEqual(self.asked("cancel", ""), [])
        stop = self.d.ask("stop", "hung")["id"]
        self.d.hurry("hung", count=2)
        self.d.operation(stop)

    def test_without_a_daemon_it_is_silent(self):
        for words in (("restart", ""), ("cancel", ""), ("goal", "up", "")):
            self.assertEqual(self.asked(*words, socket="/nonexistent/api.sock"), [])
        self.assertEqual(self.asked("restart", "--bogus", "", socket="/nonexistent"), [])

    def test_it_asks_the_daemon_that_the_line_names(self):
        self.assertEqual(self.asked("--socket", self.d.socket, "restart", "wo", socket="/x"),
                         ["worker"])

    # ---- the shells ----

    def test_bash_completes_subcommands_services_and_options(self):
        self.assertEqual(self.press("orderlyctl rest"), ["restart"])
        self.assertEqual(self.press("orderlyctl restart wo"), ["worker"])
        self.assertEqual(self.press("orderlyctl restart web "),
                         ["hung", "web@1", "worker", "@front", "@back"])
        self.assertEqual(self.press("orderlyctl stop --no"), ["--now", "--no-wait"])

    def test_bash_knows_words_that_it_has_cut(self):
        self.assertEqual(self.press("orderlyctl restart @f"), ["@front"])
        self.assertEqual(self.press("orderlyctl restart @"), ["@front", "@back"])
        self.assertEqual(self.press("orderlyctl restart web@"), ["@1"])
        self.assertEqual(self.press("orderlyctl stop --mode="), ["queue", "fail", "replace"])
        self.assertEqual(self.press("orderlyctl stop --mode=re"), ["replace"])
        self.assertEqual(self.press("orderlyctl stop @front @"), ["@back"])

    def test_bash_completes_in_the_middle_of_a_line(self):
        line = "orderlyctl restart wor --no-wait"
        self.assertEqual(self.press(line, line.index(" --no-wait")), ["worker"])

    def test_bash_completes_files(self):
        self.assertEqual(self.press("orderlyctl check super", folder=self.d.folder),
                         ["supervisor.conf"])
        self.assertEqual(self.press("orderlyctl --config super", folder=self.d.folder),
                         ["supervisor.conf"])

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh_can_read_its_completion_and_offers_the_same(self):
        subprocess.run([shutil.which("zsh"), "-n", ZSH], check=True, timeout=GUARD)
        script = ("_describe() { print -l -- ${candidates%%:*}; }; "
                  "_files() { print files; }; "
                  f"words=(orderlyctl restart wo) CURRENT=3; source {ZSH}; "
                  "words=(orderlyctl stop @f) CURRENT=3; _orderlyctl; "
                  "words=(orderlyctl check '') CURRENT=3; _orderlyctl")
        found = subprocess.run([shutil.which("zsh"), "-f", "-c", script], text=True,
                               env=self.environment(), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=GUARD,
                               check=False)
        self.assertEqual((found.stdout.split(), found.stderr), (["worker", "@front", "files"], ""))


if __name__ == "__main__":
    main()
