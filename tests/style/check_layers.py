"""A layer includes itself and the layers it may use, and nothing else; the table is the design."""
import pathlib
import re
import sys

USES = {
    "base": set(),
    "model": {"base"},
    "config": {"base", "model"},
    "journal": {"base", "model"},
    "backend": {"base", "model", "exec"},  # exec: the settings it writes for the executor
    "logs": {"base", "model"},
    "core": {"base", "model", "config", "journal", "backend", "logs"},
    "http": {"base", "model", "config", "journal", "backend", "logs", "core"},
    "daemon": {"base", "model", "config", "journal", "backend", "logs", "core", "http"},
    "cli": {"base", "model", "config"},  # config: `check` and `--config` read it as the daemon does
    "exec": set(),
}
QUOTED = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def faults(root):
    for folder in ("src", "include"):
        for path in sorted((root / folder).rglob("*.[ch]")):
            layer = path.relative_to(root / folder).parts[0]
            if layer not in USES:
                yield f"{path}: '{layer}' is not a layer"
                continue
            for number, line in enumerate(path.read_text().splitlines(), 1):
                found = QUOTED.match(line)
                if not found:
                    continue
                name = found.group(1)
                used = name.split("/")[0] if "/" in name else layer
                if "/" not in name and not (path.parent / name).exists():
                    yield f"{path}:{number}: {name} is not a header of this folder"
                elif used != layer and used not in USES[layer]:
                    yield f"{path}:{number}: layer {layer} may not include {name}"


def main():
    found = list(faults(pathlib.Path(sys.argv[1])))
    print("\n".join(found) or "layers: every include points to the left")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
