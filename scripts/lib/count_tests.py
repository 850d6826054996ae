"""Adds up what ctest wrote down, says what failed or was skipped and why, and ends with one line
"N passed, N failed, N skipped". Single cases are counted where a program tells how many it ran
(cmocka, unittest); anything else is one.

usage: count_tests.py [PRESET=JUNIT.xml | PRESET:WHY]...     PRESET:WHY  counts as one failure
"""
import os
import re
import sys
import xml.etree.ElementTree as xml

CMOCKA = re.compile(r"^\[  (PASSED |SKIPPED|FAILED ) \] (\d+) test\(s\)", re.M)
CMOCKA_SKIPPED = re.compile(r"^\[  SKIPPED \] (?!\d+ test\(s\))(\S+)$", re.M)
UNITTEST = re.compile(r"^Ran (\d+) tests? in .*\n+(?:OK|FAILED)(?: \((.*)\))?$", re.M)
REASON = re.compile(r"^(?:skipped|with-systemd): (.*)$", re.M)


def count_cases(text):
    """(passed, failed, skipped) as the program itself tells, or None when it tells nothing."""
    cases = {"PASSED ": 0, "SKIPPED": 0, "FAILED ": 0}
    found = CMOCKA.findall(text)
    for what, count in found:
        cases[what] += int(count)
    passed, failed, skipped = cases["PASSED "], cases["FAILED "], cases["SKIPPED"]
    for ran, rest in UNITTEST.findall(text):
        found.append(ran)
        parts = dict(part.split("=") for part in (rest or "").split(", ") if "=" in part)
        bad = int(parts.get("failures", 0)) + int(parts.get("errors", 0))
        left_out = int(parts.get("skipped", 0))
        failed += bad
        skipped += left_out
        passed += max(0, int(ran) - bad - left_out)
    return (passed, failed, skipped) if found else None


def count_test(case):
    """One entry of ctest: (passed, failed, skipped), why anything was skipped."""
    text = case.findtext("system-out") or ""
    status = case.get("status")
    bad, left_out = status == "fail", status in ("notrun", "disabled")
    passed, failed, skipped = count_cases(text) or (0, 0, 0)
    if bad and failed == 0:
        failed = 1  # it died, or complained of something else than a case
    elif left_out and skipped == 0:
        skipped = 1
    elif not bad and passed + failed + skipped == 0:
        passed = 1
    reasons = REASON.findall(text) + CMOCKA_SKIPPED.findall(text)
    if skipped and not reasons:
        node = case.find("skipped")
        reasons = [node.get("message", "") if node is not None else "no reason told"]
    return (passed, failed, skipped), reasons


def main(arguments):
    total = [0, 0, 0]
    failures, skips = [], []
    for argument in arguments:
        preset, sign, rest = re.match(r"(\w+)([=:])(.*)", argument, re.S).groups()
        if sign == ":":
            total[1] += 1
            failures.append(f"{preset}: {rest}")
            continue
        for case in xml.parse(rest).getroot().iter("testcase"):
            counts, reasons = count_test(case)
            total = [a + b for a, b in zip(total, counts)]
            name = f"{preset}: {case.get('name')}"
            failures += [name] if counts[1] else []
            skips += [f"{name}: {reason}" for reason in reasons] if counts[2] else []
    for title, lines in (("skipped:", skips), ("failed:", failures)):
        if lines:
            print(title, *lines, sep="\n    ")
    strict = os.environ.get("CI") == "true"
    if strict and total[2]:
        print("CI=true: a skip is a failure")
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped")
    tested = any("=" in argument for argument in arguments)
    return 1 if total[1] or (strict and total[2]) or (tested and not total[0]) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
