"""What is tested: where the build is, and how slow it may be."""
import os
import subprocess

BUILD = os.path.abspath(os.environ.get("ORDERLY_BUILD") or
                        os.path.join(os.path.dirname(__file__), "../../../build/release"))
SANITIZE = os.environ.get("ORDERLY_SANITIZE", "")
SLOW = 3 if SANITIZE else 1      # how much longer a sanitized build may take
GUARD = 60 * SLOW                # seconds: what takes longer hangs
ENDS = {"succeeded", "failed", "timed_out", "cancelled", "superseded", "interrupted"}
ROOT = os.geteuid() == 0

ORDERLYD = f"{BUILD}/bin/orderlyd"
ORDERLYCTL = f"{BUILD}/bin/orderlyctl"
FAKE = f"{BUILD}/tests/fake-service"
FAKE_REPORT = f"{BUILD}/tests/fake-report"


def run_ctl(*args, env=None, input=None, timeout=None, text=True):
    """orderlyctl as typed, in a small environment; a finished process."""
    whole = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LANG": "C",
             "ASAN_OPTIONS": "exitcode=66:detect_leaks=1", "TSAN_OPTIONS": "exitcode=66"}
    whole.update(env or {})
    return subprocess.run([ORDERLYCTL, *args], env=whole, input=input, text=text, cwd="/",
                          stdin=None if input is not None else subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=timeout or GUARD, check=False)


def check_config(path):
    """orderlyd --check."""
    return subprocess.run([ORDERLYD, "--check", "--config", path], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", cwd="/", timeout=GUARD, check=False,
                          env={"PATH": "/usr/bin:/bin", "LANG": "C"})
