"""The manual pages of both files know every key of the field table, as --help-config prints it:
its type and range, its default, and whether a reload applies it.

    check_keys.py ROOT ORDERLYD
"""
import pathlib
import re
import subprocess
import sys

# Page, what its part of --help-config begins with, the note behind keys that wait, and whether the
# section "Reload" of the page names those or the others.
PAGES = [("supervisor.conf.5", "supervisor.conf\n",
          "A change waits for the next start of the daemon.", False),
         ("orderly-service.5", "services.d/NAME.conf\n",
          "A change holds from the next start of the service.", True)]


def parts(text):
    """--help-config, cut up by file."""
    starts = [text.index("\n" + title) + 1 for _, title, _, _ in PAGES]
    return [text[a:b] for a, b in zip(starts, starts[1:] + [len(text)])]


def table(text):
    """{(section, key): (type, default, doc)}"""
    found, section, key = {}, None, None
    for line in text.splitlines():
        if line.startswith("["):
            section = line[1:line.index("]")]
        elif line.startswith("      ") and key:
            kind, default, doc = found[key]
            found[key] = (kind, default, f"{doc} {line.strip()}".strip())
        elif re.match(r"  \w+ ", line) and not line.startswith("  not built"):
            key = (section, line[2:22].strip())
            found[key] = (line[23:47].strip(), line[48:].strip(), "")
    return found


def plain(lines):
    """mdoc without its macros, as one line."""
    words = []
    for line in lines:
        words += line.split()[1:] if line.startswith(".") else line.split()
    text = " ".join(word for word in words if word not in ("Ns", "Li", "Ic", "Pa"))
    return re.sub(r" ([,.;:])(?= |$)", r"\1", text)


def page(path):
    """{(section, key): (type, text)}, and the keys that the section "Reload" names."""
    found, reload, section, key, heading = {}, set(), None, None, ""
    for line in path.read_text().splitlines():
        if line.startswith((".Ss ", ".Sh ")):
            heading, key = line[4:], None
            section = heading[len("Section ["):-1] if heading.startswith("Section [") else None
        item = re.match(r"\.It Ic (\w+) Pq (.*)", line)
        if item and section:
            key = (section, item.group(1))
            found[key] = (item.group(2), [])
        elif key:
            found[key][1].append(line)
        if heading == "Reload" and line.startswith(".Ic "):
            reload.update(word for word in line.split()[1:] if word.isidentifier())
    return {key: (kind, plain(lines)) for key, (kind, lines) in found.items()}, reload


def key_faults(name, key, told, real):
    """What one entry of a page says otherwise than the table."""
    kind, default, _ = real
    title = f"{name}: [{key[0]}] {key[1]}"
    if told[0] != kind:
        yield f"{title}: takes \"{kind}\", the page says \"{told[0]}\""
    if default in ("none", "none, it must be set"):
        return
    wanted = (rf"Default:? {re.escape(default)}(?![\w.]\w)" if re.fullmatch(r"[\w.]+", default)
              else r"(?i)\bdefault\b")
    if not re.search(wanted, told[1]):
        yield f"{title}: its default is \"{default}\", the page does not say so"


def faults(root, text):
    for (name, _, note, names_waiting), part in zip(PAGES, parts(text)):
        real = table(part)
        told, reload = page(root / "man" / name)
        for key in sorted(real.keys() | told.keys()):
            if key not in told:
                yield f"{name}: [{key[0]}] {key[1]} is missing"
            elif key not in real:
                yield f"{name}: [{key[0]}] {key[1]} is no key"
            else:
                yield from key_faults(name, key, told[key], real[key])
        expected = {key[1] for key, (_, _, doc) in real.items()
                    if doc.endswith(note) == names_waiting}
        for key in sorted(expected ^ reload):
            yield (f"{name}: the section \"Reload\" "
                   + ("must name " if key in expected else "must not name ") + key)


def main():
    root, orderlyd = pathlib.Path(sys.argv[1]), sys.argv[2]
    text = subprocess.run([orderlyd, "--help-config"], stdout=subprocess.PIPE, text=True,
                          check=True).stdout
    found = list(faults(root, text))
    print("\n".join(found) or "keys: the manual pages say what the table says")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
