"""orderly-api(7) tells every route, parameter and problem as `orderlyd --help-api` does. Between
its markers the page is made from that table: routes as a whole; of parameters and problems the
head of each entry, while what stands below it is written by hand and stays.

    check_api.py [--write] ROOT ORDERLYD
"""
import difflib
import json
import pathlib
import re
import subprocess
import sys

MARK = '.\\" {} {}: made by tests/style/check_api.py --write'


def listed(words):
    return " , ".join(words)


def common(api):
    """Problems that every request may be answered with, and what else goes without saying."""
    codes = [set(route["problems"]) for route in api["routes"]]
    return set.intersection(*codes)


def own_problems(api, route):
    """Those that the introduction of the table has not told already."""
    told = set(common(api))
    told |= {"unauthenticated"} if route["role"] != "none" else set()
    told |= {"not_json"} if route["body"] != "none" else set()
    missing = told - set(route["problems"])
    if missing:
        raise SystemExit(f"{route['method']} {route['path']} does not have {missing}: "
                         "the introduction of the page's table must say so")
    return [code for code in route["problems"] if code not in told]


def route_lines(api, route):
    yield f".It Li {route['method']} {route['path']}"
    yield f"Role {route['role']}."
    if route["parameters"]:
        yield f"Parameters\n.Cm {listed(route['parameters'])} ."
    if route["body"] == "batch":
        yield "The body is a batch."
    if route["headers"]:
        yield f"Header\n.Li {listed(route['headers'])} ."
    yield f"Answers\n.Li {listed(map(str, route['answers']))} ."
    if own_problems(api, route):
        yield f"Problems\n.Li {listed(own_problems(api, route))} ."


def made_routes(api, _):
    order = [problem["code"] for problem in api["problems"]]
    everywhere = sorted(common(api), key=order.index)
    lines = ["Every request may be refused with", f".Li {listed(everywhere)} ;",
             "one that needs a role with", ".Li unauthenticated ;", "one that takes a body with",
             ".Li not_json ;", "one for which there is no route with",
             f".Li {listed(code for code in api['no_route'] if code not in everywhere)} .",
             "The others are told below.", ".Bl -tag -width Ds"]
    for route in api["routes"]:
        lines += "\n".join(route_lines(api, route)).split("\n")
    return lines + [".El"]


def once(name, known):
    """The name, or another when it is known: one parameter may mean two things."""
    while name in known:
        name += " again"
    return name


def entries(lines):
    """{name: what is written below its head}"""
    found, name, depth = {}, None, 0
    for line in lines:
        depth += line.startswith(".Bl") - line.startswith(".El")
        head = re.match(r"\.It (?:Cm|Li) (\S+)", line)
        if head and depth == 1:
            name = once(head.group(1), found)
            found[name] = []
        elif name and depth >= 1:
            found[name].append(line)
    return found


def made_heads(heads, old):
    below, lines, known = entries(old), [".Bl -tag -width Ds"], set()
    for name, head in heads:
        name = once(name, known)
        known.add(name)
        lines += [head, *below.get(name, [])]
    return lines + [".El"]


def made_parameters(api, old):
    return made_heads([(p["name"], f".It Cm {p['name']} Pq {p['expected']}")
                       for p in api["parameters"]], old)


def made_problems(api, old):
    return made_heads([(p["code"], f".It Li {p['code']} Pq {p['status']} {p['title']}")
                       for p in api["problems"]], old)


SECTIONS = {"routes": made_routes, "parameters": made_parameters, "problems": made_problems}


def remade(text, api):
    """The page as it should be."""
    for name, make in SECTIONS.items():
        begin, end = MARK.format("Begin", name), f'.\\" End {name}'
        first, last = text.index(begin) + len(begin) + 1, text.index(end)
        made = make(api, text[first:last].splitlines())
        text = text[:first] + "\n".join(made) + "\n" + text[last:]
    return text


def silent(text, api):
    """Entries below whose head nothing is written."""
    for name, key in (("parameters", "name"), ("problems", "code")):
        begin, end = MARK.format("Begin", name), f'.\\" End {name}'
        below = entries(text[text.index(begin):text.index(end)].splitlines())
        known = set()
        for entry in api[name]:
            word = once(entry[key], known)
            known.add(word)
            if not below.get(word):
                yield f"orderly-api.7: says nothing about {word}"


def main():
    write = sys.argv[1] == "--write"
    root, orderlyd = sys.argv[1 + write:]
    path = pathlib.Path(root) / "man" / "orderly-api.7"
    api = json.loads(subprocess.run([orderlyd, "--help-api"], stdout=subprocess.PIPE, text=True,
                                    check=True).stdout)
    old = path.read_text()
    new = remade(old, api)
    if write:
        path.write_text(new)
        old = new
    found = [*silent(new, api), *difflib.unified_diff(old.splitlines(), new.splitlines(),
                                                      "orderly-api.7", "made anew", "", "", 0, "")]
    print("\n".join(found) or "api: the manual page says what the table says")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
