"""Makes one result of the figures that a row's rounds have left, and keeps it: a line of JSON each.

usage: report.py head
       report.py figure RESULTS ROW FOLDER NAME UNIT [BOUND...]   exits with 3 when a bound is missed
       report.py note RESULTS TEXT                                of the result that was kept last
       report.py failed RESULTS ROW TEXT                          of a row that gave no result
"""
import json
import os
import re
import statistics
import sys

MISSED = 3
BOUND = re.compile(r"([a-z0-9-]*)(<=|>=)([0-9.]+)")


def read_figures(folder):
    """{side: [a round's figure, ...]}"""
    figures = {}
    for side in os.listdir(folder):
        with open(os.path.join(folder, side), encoding="utf-8") as file:
            figures[side] = [float(line) for line in file if line.strip()]
    return figures


def ratios(ours, others):
    """Round by round where both took part in each, else of the medians."""
    if len(ours) == len(others):
        return [a / b for a, b in zip(ours, others) if b]
    other = statistics.median(others)
    return [statistics.median(ours) / other] if other else []


def judge(text, figures):
    """What a bound says, what was reached, and whether it is met."""
    against, sense, value = BOUND.fullmatch(text).groups()
    reached = figures.get("ours", [])
    if against:
        reached = ratios(reached, figures.get(against, []) or [0])
    bound = {"against": against or None, "sense": sense, "value": float(value)}
    bound["reached"] = statistics.median(reached) if reached else None
    bound["met"] = bool(reached) and (bound["reached"] <= bound["value"] if sense == "<="
                                      else bound["reached"] >= bound["value"])
    return bound


def extras(figures):
    """What stands beside the figure: files named "+KEY UNIT"."""
    found = {}
    for side in sorted(figures):
        if side.startswith("+"):
            key, _, unit = side[1:].partition(" ")
            found[key] = {"value": statistics.median(figures[side]), "unit": unit}
    return found


def make_result(row, folder, name, unit, bounds):
    figures = read_figures(folder)
    medians = {side: statistics.median(values) for side, values in figures.items()}
    judged = [judge(text, figures) for text in bounds]
    compared = ratios(figures["ours"], figures["bare"]) if "bare" in figures else []
    return {
        "row": row, "name": name, "unit": unit,
        "ours": medians["ours"], "bare": medians.get("bare"),
        "peers": {side: medians[side] for side in sorted(medians)
                  if side not in ("ours", "bare") and not side.startswith("+")},
        "ratio": statistics.median(compared) if compared else None,
        "bound": ", ".join(bound_text(bound) for bound in judged) or None,
        "bounds": judged,
        "verdict": None if not judged else "met" if all(b["met"] for b in judged) else "missed",
        "rounds": len(figures["ours"]),
        "spread": {"ours": [min(figures["ours"]), max(figures["ours"])],
                   "ratio": [min(compared), max(compared)] if compared else None},
        "beside": extras(figures), "notes": [],
    }


def short(value):
    """At least three digits, and none that say nothing."""
    if value is None:
        return "-"
    size = abs(value)
    return f"{value:.0f}" if size >= 100 or value == int(value) else (
        f"{value:.1f}" if size >= 10 else f"{value:.2f}")


def bound_text(bound):
    value = f"{bound['value']:g}"
    return f"{bound['sense']} {value}" + (f" x {bound['against']}" if bound["against"] else "")


def with_unit(value, unit):
    return "-" if value is None else f"{short(value)} {unit}".strip()


LINE = "{:<22} {:>14} {:>14} {:>8} {:>18}  {}"


def print_result(result):
    unit = result["unit"]
    print(LINE.format(result["name"], with_unit(result["ours"], unit),
                      with_unit(result["bare"], unit), short(result["ratio"]),
                      result["bound"] or "-", {None: "", "met": "ok", "missed": "MISSED"}[
                          result["verdict"]]).rstrip())
    parts = [f"{peer} {with_unit(value, unit)}" for peer, value in result["peers"].items()]
    for bound in result["bounds"]:
        if bound["against"] not in (None, "bare"):
            parts.append(f"{short(bound['reached'])} x {bound['against']}")
    parts += [f"{key} {with_unit(extra['value'], extra['unit'])}"
              for key, extra in result["beside"].items()]
    if result["spread"]["ratio"] and result["rounds"] > 1:
        parts.append("ratio {} to {} in {} rounds".format(
            *map(short, result["spread"]["ratio"]), result["rounds"]))
    if parts:
        print("    " + "; ".join(parts))


def keep(path, result):
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(result) + "\n")


def add_note(path, text):
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    result = json.loads(lines[-1])
    result["notes"].append(text)
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines[:-1] + [json.dumps(result)]) + "\n")


def main(arguments):
    what, rest = arguments[0], arguments[1:]
    if what == "head":
        print(LINE.format("row", "ours", "bare", "ratio", "bound", ""))
    elif what == "note":
        add_note(*rest)
    elif what == "failed":
        keep(rest[0], {"row": rest[1], "name": rest[1], "failed": rest[2]})
    else:
        result = make_result(rest[1], rest[2], rest[3], rest[4], rest[5:])
        print_result(result)
        keep(rest[0], result)
        return MISSED if result["verdict"] == "missed" else 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
